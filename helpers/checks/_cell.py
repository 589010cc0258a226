"""The cell that holds the answer: did it run, did it fail, and does it bind the names that the check looks at?

A check is handed objects, and an object outlives the cell that made it: when the learner's cell fails, the old answer
is still there under its name. So IPython tells here of every cell that runs; outside IPython nothing is known, and
every answer is taken as it comes.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from helpers import _cards, questions

__all__ = ["Run", "Unknown", "answered_by", "checked_names", "trouble", "watch"]

_KEPT = 500


@dataclass(frozen=True)
class Run:
    """One run of a cell: its id where the editor sends one, its source, and the error that ended it, or None."""

    cell: str | None
    source: str
    error: BaseException | None


class Unknown:
    """Stands in a check for a name that nothing has bound yet, so that the check can say it in words."""

    def __init__(self, name: str):
        self.name = name


_runs: deque[Run] = deque(maxlen=_KEPT)
_placeholders: list[str] = []
_running: str = ""


def watch() -> None:
    """Ask the running IPython shell, if there is one, to tell of each cell; once for each shell."""
    shell = _cards.shell()
    if shell is None or getattr(shell, "_course_watches", None) is _after:
        return
    shell.events.register("pre_run_cell", _before)
    shell.events.register("post_run_cell", _after)
    shell._course_watches = _after


def _before(info) -> None:
    """Put a placeholder under each name that the check in this cell will ask for in vain."""
    global _running
    from helpers.checks import _world

    _world.remember()
    _running = info.raw_cell or ""
    shell = _cards.shell()
    for names in checked_names(_running).values():
        for name in names:
            if name not in shell.user_ns and not hasattr(builtins, name) and name not in bound_names(_running):
                shell.user_ns[name] = Unknown(name)
                _placeholders.append(name)


def _after(result) -> None:
    global _running
    _running = ""
    shell = _cards.shell()
    for name in _placeholders:
        if isinstance(shell.user_ns.get(name), Unknown):
            del shell.user_ns[name]
    _placeholders.clear()
    if result.info is not None:
        source = result.info.raw_cell or ""
        error = result.error_before_exec or result.error_in_exec
        _runs.append(Run(getattr(result.info, "cell_id", None), source, error))


# -- what a cell says ------------------------------------------------------------------------------------------------


def _parsed(source: str) -> ast.Module | None:
    with contextlib.suppress(SyntaxError, ValueError):
        return ast.parse(source)
    return None


def checked_names(source: str) -> dict[str, tuple[str, ...]]:
    """Return, for each exercise that some code checks, the names it hands over."""
    found: dict[str, tuple[str, ...]] = {}
    tree = _parsed(source) if "check" in source else None
    for node in ast.walk(tree) if tree else ():
        if not (isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[0], ast.Constant)):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "check" and isinstance(node.args[0].value, str):
            parts = node.args[1].elts if isinstance(node.args[1], ast.Tuple | ast.List) else [node.args[1]]
            found[node.args[0].value] = tuple(part.id for part in parts if isinstance(part, ast.Name))
    return found


_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@cache
def bound_names(source: str) -> frozenset[str]:
    """Return the names that a cell binds; of one with a syntax error, those that it seems to mean to bind."""
    tree = _parsed(source)
    if tree is None:
        begun = re.findall(r"(?m)^\s*(?:(?:async\s+)?def|class)\s+(\w+)|^\s*(\w+)\s*(?=[:=,(]|\w)", source)
        return frozenset(name for pair in begun for name in pair if name)
    found: set[str] = set()
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if not isinstance(node, _SCOPES):
            todo += ast.iter_child_nodes(node)
    return frozenset(found)


@cache
def _homes(lesson: str) -> dict[str, str]:
    """Return the id of each exercise's cell in the notebooks of a lesson, by the exercise; they survive an edit."""
    homes = {}
    for notebook in sorted((questions.ROOT / "notebooks").glob(f"{lesson[:2]}*.ipynb")):
        try:
            cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
            for cell in cells:
                first = re.match(r"# Exercise (\S+)", "".join(cell["source"]))
                if first and cell["cell_type"] == "code" and cell.get("id"):
                    homes.setdefault(first[1], cell["id"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return homes


def _is_home(id: str, run: Run) -> bool:
    if run.cell is not None and run.cell == _homes(id.partition(".")[0]).get(id):
        return True
    return re.match(rf"\s*#+\s*Exercise {re.escape(id)}(?![\w.])", run.source) is not None


def answered_by(id: str, names: Iterable[str], runs: Iterable[Run]) -> tuple[Run | None, Run | None]:
    """Return the last run that should have made the answer, and the last of the exercise's own cell."""
    names, last, home = set(names), None, None
    for run in runs:
        if id in checked_names(run.source) and not names & bound_names(run.source):
            continue
        if _is_home(id, run):
            last = home = run
        elif names & bound_names(run.source):
            last = run
    return last, home


# -- what is wrong with it -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """Why there is nothing to judge; `failed` says that the cell ended with an error."""

    heading: str
    message: str
    failed: bool


def trouble(id: str, answer: object, running: str | None = None, runs: Iterable[Run] | None = None) -> Trouble | None:
    """Say what is wrong with the cell above a check, None where it can be judged.

    Args:
        id: the exercise.
        answer: what the check is handed.
        running: the source of the cell with the check; the one that runs now, unless it is given.
        runs: the runs of cells before it; those of this kernel, unless they are given.
    """
    from helpers.checks import _blame

    running = _running if running is None else running
    runs = list(_runs if runs is None else runs)
    names = checked_names(running).get(id, ())
    parts = answer if type(answer) in (tuple, list) else (answer,)
    missing = [part.name for part in parts if isinstance(part, Unknown)]
    last, home = (None, None) if set(names) & bound_names(running) else answered_by(id, names, runs)
    if last is not None and last.error is not None:
        return Trouble("The cell above failed.", _blame.of_a_cell(last.error, last.source), failed=True)
    if missing:
        known = "is" if len(missing) == 1 else "are"
        text = f"{_blame.and_(missing)} {known} not known yet. Run the cells above first, this one's neighbour last."
        if home is not None and bound_names(home.source) - set(names):
            text = _other_names(home, names)
        return Trouble("Not attempted yet.", text, failed=False)
    if home is not None and home is last and names and not set(names) & bound_names(home.source):
        return Trouble("Not attempted yet.", _other_names(home, names), failed=False)
    return None


def _other_names(home: Run, names: Iterable[str]) -> str:
    from helpers.checks import _blame

    own = sorted(bound_names(home.source))
    told = f"assigns {_blame.and_(own)}" if own else "assigns nothing"
    return f"The cell above {told}. The check looks at {_blame.and_(list(names))}: use that name."
