"""What the helpers take from inside other packages stands in CONTRIBUTING.md, so that an upgrade can look at it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "helpers").rglob("*.py"))


def own_names(trees: list[ast.Module]) -> set[str]:
    """Return the private names that some code itself defines or assigns."""
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return found


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_names(sources: dict[str, str]) -> set[str]:
    """Return `keras.src.some.module` and `._attribute` of other packages that some code uses."""
    trees = [ast.parse(text) for text in sources.values()]
    own = own_names(trees)
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names if is_private(one.name)}
        elif isinstance(node, ast.ImportFrom) and not node.level and not (node.module or "").startswith("helpers"):
            found |= {f"{node.module}.{one.name}" for one in node.names if is_private(f"{node.module}.{one.name}")}
        elif isinstance(node, ast.Attribute) and re.match(r"_(?!course_)[a-z]", node.attr) and node.attr not in own:
            found.add(f".{node.attr}")
    return found


def is_private(module: str) -> bool:
    parts = module.split(".")
    return "src" in parts or any(part.startswith("_") and part != "__future__" for part in parts)


def test_private_names_of_other_packages_are_listed():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    part = page.split("### Private names", 1)[1].split("\n## ", 1)[0]
    listed = set(re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE))
    assert listed == private_names({str(file): file.read_text(encoding="utf-8") for file in FILES})


def test_private_names_are_found():
    code = """
import keras.src.utils
from keras.src.trainers import loops
from collections import OrderedDict
class Own:
    def _mine(self):
        self._set = 1
        return keras._hidden, self._set, model._mine, self._not_ours
"""
    assert private_names({"a": code}) == {"keras.src.utils", "keras.src.trainers.loops", "._hidden", "._not_ours"}
