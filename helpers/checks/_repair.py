"""Finds the one change to the learner's code that makes a wrong answer right, by trying: the proof of a cause.

A check that does not know why an answer is wrong says what happened, and hands on a guess (`wrong(..., guess="...")`).
Then each small change of `_edits` is made to the code of the answer, one at a time, and the same check judges the
result. The first that is right is named behind the guess.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import dis
import io
import itertools
import linecache
import time
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from helpers.checks import _blame, _edits, _guard, _other_edits

__all__ = ["Before", "found", "trying"]

# For all trials together, of the processor's time, so that a busy machine finds the same; and of the clock. The last is
# for one trial, which may not end at all. Where a check has more time, so have they, by the clock.
_SECONDS, _BY_THE_CLOCK, _ONE = 2.0, 0.2 * _guard.SECONDS, _guard.SECONDS / 20
_trying = False


def trying() -> bool:
    """Say whether a check runs only to try a change: it may stop as soon as the answer is known to be wrong."""
    return _trying


class Before:
    """What the learner's objects in an answer hold before a check plays with them."""

    def __init__(self, answer: object):
        self._states = {
            id(part): {name: copy.copy(value) if isinstance(value, list | dict | set) else value
                       for name, value in vars(part).items()}
            for part in _parts(answer) if not isinstance(part, type | types.FunctionType)
        }  # fmt: skip

    def state(self, part: object) -> dict:
        """Return the attributes of an object as they were."""
        return {name: copy.copy(value) if isinstance(value, list | dict | set) else value
                for name, value in self._states.get(id(part), vars(part)).items()}  # fmt: skip


@dataclass(frozen=True)
class _Unit:
    """A part of an answer that is the learner's code: its tree, and what makes the part anew from it."""

    part: object
    file: str
    tree: ast.Module
    anew: Callable[[dict], object]
    scope: Mapping

    def made(self) -> object:
        """Run the tree as it is now, in a copy of its names, and make the part of it; no loop of it turns for ever."""
        scope = {**self.scope, _TURN: _turns()}
        with _counted(self.tree):
            code = compile(ast.fix_missing_locations(self.tree), self.file, "exec")
        exec(code, scope)
        return self.anew(scope)


class _TooLong(BaseException):
    """A loop of a changed answer turned too often."""


_TURN, _TURNS = "__turn__", 100_000


def _turns() -> Callable[[], None]:
    left = iter(range(_TURNS))

    def turn() -> None:
        if next(left, None) is None:
            raise _TooLong

    return turn


@contextlib.contextmanager
def _counted(tree: ast.Module) -> Iterator[None]:
    """Let each loop of the tree count its turns, inside the block."""
    loops = [(node, node.body) for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]
    for node, body in loops:
        call = ast.copy_location(ast.Expr(ast.Call(ast.Name(_TURN, ast.Load()), [], [])), node)
        node.body = [call, *body]
    try:
        yield
    finally:
        for node, body in loops:
            node.body = body


def found(answer: object, before: Before, checker: Callable, pieces: Mapping[str, str]) -> str:
    """Return what to change, in words with its line, or an empty string if no small change makes the answer right.

    Args:
        answer: as the check got it.
        before: what its objects held before the check.
        checker: judges a changed answer.
        pieces: right expressions of the exercise, see `_edits.edits`.
    """
    end, late = time.process_time() + _SECONDS, time.monotonic() + _BY_THE_CLOCK
    for unit in _units(answer, before):
        if _is_right(unit, answer, checker):
            return ""  # made anew it is right as it is: what was wrong is not in these lines
        seen = {ast.dump(unit.tree)}
        known = [name for function in _functions_of(unit.part) for name in _set_by(function)]
        for edit in itertools.chain(
            _other_edits.early(unit.tree), _edits.edits(unit.tree, pieces), _other_edits.late(unit.tree, known, pieces)
        ):
            said = ast.dump(unit.tree)
            if said in seen:
                continue
            seen.add(said)
            # A trial may play less than a check does: what is named has to stand all of it.
            if _is_right(unit, answer, checker) and _is_right(unit, answer, checker, whole=True):
                where = _blame.where(unit.file, edit.line)
                return f"**One change makes it right**; the check has tried it. {where}\n\n{edit.words()}"
            if time.process_time() > end or time.monotonic() > late:
                return ""
    return ""


def _is_right(unit: _Unit, answer: object, checker: Callable, whole: bool = False) -> bool:
    global _trying
    _trying = not whole
    try:
        with _quiet(), _guard.limit(5 * _ONE if whole else _ONE, file=unit.file):
            return checker(_with(answer, unit.part, unit.made())).status == "right"
    except (Exception, SystemExit, _TooLong, _guard.TimeUp):
        return False
    finally:
        _trying = False


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _parts(answer: object) -> Iterator[object]:
    """Yield the functions, classes and objects in an answer that may be the learner's."""
    if type(answer) in (list, tuple):
        for part in answer:
            yield from _parts(part)
    elif isinstance(answer, type | types.FunctionType) or any(
        base.__name__ == "Callback" for base in type(answer).__mro__
    ):
        yield answer


def _with(answer: object, old: object, new: object) -> object:
    """Return an answer with a new part in the place of an old one; parts that do not hold it stay the same objects."""
    if answer is old:
        return new
    if type(answer) not in (list, tuple):
        return answer
    parts = [_with(part, old, new) for part in answer]
    changed = any(one is not other for one, other in zip(parts, answer, strict=True))
    return type(answer)(parts) if changed else answer


def _units(answer: object, before: Before) -> Iterator[_Unit]:
    for part in _parts(answer):
        if isinstance(part, types.FunctionType):
            yield from _of_a_function(part, part, lambda function: function)
        elif isinstance(part, type):
            yield from _of_a_class(part, part, lambda kind: kind)
        else:
            yield from _of_a_class(part, type(part), lambda kind, part=part: _object(kind, before.state(part)))
            for name, value in vars(part).items():
                if isinstance(value, types.FunctionType):
                    yield from _of_a_function(
                        part, value, lambda function, part=part, name=name: _holding(part, before, name, function)
                    )


def _object(kind: type, state: dict) -> object:
    """Make an object of a changed class: by its own `__init__` if that needs nothing, else with the old attributes."""
    if "__init__" in vars(kind):
        with contextlib.suppress(TypeError):
            return kind()
    made = kind.__new__(kind)
    vars(made).update(state)
    return made


def _holding(part: object, before: Before, name: str, function: Callable) -> object:
    made = copy.copy(part)
    vars(made).update(before.state(part) | {name: function})
    return made


def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return None


def _of_a_class(part: object, kind: type, anew: Callable[[type], object]) -> Iterator[_Unit]:
    method = next((one for one in vars(kind).values() if _is_theirs(one)), None)
    if method is None:
        return
    code = method.__code__
    tree = _tree(code.co_filename)
    for node in ast.walk(tree) if tree else ():
        last = getattr(node, "end_lineno", 0)
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__ and node.lineno <= code.co_firstlineno <= last:
            yield _Unit(part, code.co_filename, _program(node, tree), lambda scope, name=node.name: anew(scope[name]),
                        method.__globals__)  # fmt: skip
            return


def _of_a_function(part: object, function: types.FunctionType, anew: Callable[[Callable], object]) -> Iterator[_Unit]:
    code = function.__code__
    tree = _tree(code.co_filename) if _is_theirs(function) and not code.co_freevars else None
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)
             and _first_line(node) == code.co_firstlineno] if tree else []  # fmt: skip
    for node in nodes[:1] if len(nodes) == 1 else ():
        name = getattr(node, "name", "_function")
        if isinstance(node, ast.Lambda):
            node = ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], node), node)
        yield _Unit(part, code.co_filename, _program(node, tree), lambda scope, name=name: anew(scope[name]),
                    function.__globals__)  # fmt: skip


def _first_line(node: ast.FunctionDef | ast.Lambda) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _is_theirs(value: object) -> bool:
    return isinstance(value, types.FunctionType) and _blame.of_the_learner(value)


def _functions_of(part: object) -> Iterator[types.FunctionType]:
    for base in part.__mro__ if isinstance(part, type) else type(part).__mro__:
        if not base.__module__.startswith(("keras.", "builtins")):
            yield from (one for one in vars(base).values() if isinstance(one, types.FunctionType))


def _set_by(function: types.FunctionType) -> Iterator[str]:
    """Yield the attributes that a function sets."""
    return (step.argval for step in dis.get_instructions(function) if step.opname == "STORE_ATTR")


def _program(node: ast.stmt, tree: ast.Module) -> ast.Module:
    """Return a definition behind those of the same cell that it needs."""
    defined = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    needed: list[ast.stmt] = [node]
    for one in needed:
        names = {part.id for part in ast.walk(one) if isinstance(part, ast.Name)}
        needed += [defined[name] for name in defined if name in names and defined[name] not in needed]
    return ast.Module([one for one in tree.body if one in needed and one is not node] + [node], [])
