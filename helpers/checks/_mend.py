"""The counterfactual for mistakes that nobody foresaw: change one thing in the learner's source, and judge again.

An answer that is wrong for no known reason is changed in one place after the other: another comparison, another name,
another hook, a line that stands elsewhere or not at all (`_edits`). The check judges each of them. When one is right
throughout, that place is the mistake, and the message names it. Nothing is named that was not played.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import io
import linecache
import time
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from helpers.checks import _edits
from helpers.checks._guard import TimeUp

__all__ = ["one_change", "trying"]

# Of the processor, so that a crowded machine finds the same; and how often a loop of a changed answer may turn.
SECONDS = 1.5
TURNS = 200_000

_trying = False


def trying() -> bool:
    """Say whether a changed answer is judged now: only whether it is right matters, and a check may end early."""
    return _trying


@dataclass(frozen=True)
class _Source:
    """The learner's definitions in the cell of an answer, which of them the answer is, and the names around them."""

    tree: ast.Module
    name: str
    scope: dict
    lines: Sequence[str]
    filename: str
    known: frozenset[str]

    def made(self, turns: Callable[[], None]) -> object:
        """Return the answer that the tree, as it is now, makes."""
        scope = {**self.scope, _edits.TURN: turns}
        exec(compile(self.tree, self.filename, "exec"), scope)
        return scope[self.name]


class _TooLong(BaseException):
    """A loop of a changed answer turned too often."""


def one_change(answer: object, is_right: Callable[[object], bool], ingredients: Sequence[str]) -> str:
    """Say which single change of its source makes an answer right; "" where none was found.

    Args:
        answer: the learner's class or function.
        is_right: judges an answer; it may raise anything.
        ingredients: expressions that a right answer may hold and the learner's perhaps does not.
    """
    global _trying
    source = _source(answer)
    if source is None:
        return ""
    begun, clock, sink = time.process_time(), time.monotonic(), io.StringIO()
    _trying = True
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for edit in _edits.edits(source.tree, source.lines, source.known, ingredients):
                if time.process_time() - begun > SECONDS or time.monotonic() - clock > 2 * SECONDS:
                    return ""
                with edit.made():
                    if _is_right(source, is_right):
                        return f"One change makes it right: {edit.words}"
    except (TimeUp, ValueError):  # the verdict stands without it; `ast` cannot write down all that can be changed
        return ""
    finally:
        _trying = False
    return ""


def _is_right(source: _Source, is_right: Callable[[object], bool]) -> bool:
    left = TURNS

    def turn() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooLong

    try:
        return is_right(source.made(turn))
    except (Exception, _TooLong, SystemExit):
        return False


def _source(answer: object) -> _Source | None:
    """Find the source of a class or function, as far as its cell holds it."""
    for function in _functions(answer):
        filename = function.__code__.co_filename
        lines = linecache.getlines(filename)
        name = answer.__name__
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            continue
        # A lambda has no name of its own: it is the one that its cell assigns.
        lambdas = [one for one in tree.body if isinstance(one, ast.Assign) and isinstance(one.value, ast.Lambda)]
        if name == "<lambda>" and len(lambdas) == 1 and isinstance(lambdas[0].targets[0], ast.Name):
            name = lambdas[0].targets[0].id
        tree.body = [one for one in tree.body if isinstance(one, ast.ClassDef | ast.FunctionDef) or one in lambdas]
        if name in {getattr(one, "name", name if one in lambdas else "") for one in tree.body}:
            known = frozenset(attribute for one in _functions(answer, all_bases=True) for attribute in _set_by(one))
            return _Source(tree, name, function.__globals__, lines, filename, known)
    return None


def _functions(answer: object, all_bases: bool = False) -> Iterator[types.FunctionType]:
    if isinstance(answer, types.FunctionType):
        yield answer
    elif isinstance(answer, type):
        for base in answer.__mro__ if all_bases else (answer,):
            if base.__module__.startswith(("keras.", "builtins")):
                continue
            for value in vars(base).values():
                inner = getattr(value, "fget", None) or getattr(value, "__func__", value)
                if isinstance(inner, types.FunctionType):
                    yield inner


def _set_by(function: types.FunctionType) -> Iterator[str]:
    """Yield the attributes that a function sets."""
    return (step.argval for step in dis.get_instructions(function) if step.opname == "STORE_ATTR")
