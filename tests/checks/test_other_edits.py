"""The changes of `_other_edits`: each makes the source that was meant, says so, and is taken back."""

from __future__ import annotations

import ast
import contextlib
import itertools

import bank
import pytest

from helpers.checks import _other_edits

# What is written, what was meant, and a piece of the words.
CASES = {
    "a line too many": (
        "def f(x):\n    y = x\n    y = 2\n    return y",
        "def f(x):\n    y = x\n    return y",
        "line out",
    ),
    "a part of a condition": (
        "def f(x):\n    if x > 1 and x == 2:\n        return 1",
        "def f(x):\n    if x > 1:\n        return 1",
        "Leave `x == 2` out",
    ),
    "a part turned round": (
        "def f(x):\n    return x and f(1)",
        "def f(x):\n    return not x and f(1)",
        "not x and f(1)",
    ),
    "brackets": ("def f(a, b):\n    return 100 * a - b", "def f(a, b):\n    return 100 * (a - b)", "100 * (a - b)"),
    "behind the loop": (
        "def f(x):\n    for a in x:\n        b = a\n        return b",
        "def f(x):\n    for a in x:\n        b = a\n    return b",
        "behind the loop",
    ),
    "below the condition": (
        "def f(x):\n    a = 1\n    if x:\n        b = 2",
        "def f(x):\n    if x:\n        a = 1\n        b = 2",
        "inside `if x:` in line 3",
    ),
    "break": (
        "def f(x):\n    for a in x:\n        break\n    return 0",
        "def f(x):\n    for a in x:\n        return a\n    return 0",
        "`return a`",
    ),
    "an error kept": (
        "def f(x):\n    try:\n        x()\n    except OSError:\n        pass",
        "def f(x):\n    try:\n        x()\n    except OSError:\n        raise",
        "`raise`",
    ),
    "another call that fails": (
        "def f(x):\n    x()",
        "def f(x):\n    try:\n        x()\n    except OSError:\n        pass",
        "put it into a `try:`",
    ),
    "the mean": ("def f(x):\n    return max(x)", "def f(x):\n    return sum(x) / len(x)", "sum(x) / len(x)"),
    "a decorator": (
        "class A:\n\n    @property\n    def f(self):\n        return 1",
        "class A:\n\n    def f(self):\n        return 1",
        "@property",
    ),
    "on the class": (
        "class A:\n    n = 0\n\n    def f(self):\n        A.n = 1",
        "class A:\n    n = 0\n\n    def f(self):\n        self.n = 1",
        "in the object",
    ),
    "another attribute": (
        "class A:\n\n    def f(self):\n        self.a = self.b = 1\n        return self.a",
        "class A:\n\n    def f(self):\n        self.a = self.b = 1\n        return self.b",
        "self.b",
    ),
    "None as the first value": (
        "class A:\n\n    def f(self):\n        self.a = np.inf",
        "class A:\n\n    def f(self):\n        self.a = None",
        "None",
    ),
    "inside an f-string": ("def f(n):\n    return f'{n % 2}'", "def f(n):\n    return f'{n}'", "should be `f"),
}


def changes(source: str) -> dict[str, str]:
    """Return what each change makes of a source, with its words; see that all are taken back."""
    tree = ast.parse(source)
    before, found = ast.dump(tree), {}
    for edit in itertools.chain(
        _other_edits.early(tree), _other_edits.late(tree, ["best"], {"len({0})": "the number"})
    ):
        with contextlib.suppress(SyntaxError):  # such as a `break` behind its loop: a trial refuses it
            compile(ast.fix_missing_locations(tree), "<changed>", "exec")
        found.setdefault(ast.unparse(tree), edit.words())
        assert edit.line >= 1
    assert ast.dump(tree) == before
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_change_makes_what_was_meant(name):
    source, meant, words = CASES[name]
    found = changes(source)
    assert ast.unparse(ast.parse(meant)) in found
    assert words in found[ast.unparse(ast.parse(meant))]


def test_changes_of_what_learners_write_can_be_compiled():
    for answer in bank.answers()[::250]:
        tree = ast.parse(answer.code)
        tree.body = [one for one in tree.body if isinstance(one, ast.ClassDef | ast.FunctionDef)]
        if tree.body:
            changes(ast.unparse(tree))
