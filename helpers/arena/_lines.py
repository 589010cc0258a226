"""Finds the line of the notebook in which the learner's code failed.

What is sent to another process keeps the numbers of its lines but not the name of its cell, so the text is looked up
here, where the cell still is.
"""

from __future__ import annotations

import linecache
import types
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["finder"]


def finder(make_callbacks: Callable) -> Callable[[str, int], str]:
    """Return a function of a function's name and the number of a line that returns the text there, or nothing."""
    codes = list(_codes(make_callbacks, set()))

    def find(name: str, line: int) -> str:
        for code in codes:
            lines = [number for _, _, number in code.co_lines() if number is not None]
            if code.co_name == name and lines and min(lines) <= line <= max(lines):
                return linecache.getline(code.co_filename, line).strip()
        return ""

    return find


def _codes(thing: Any, seen: set[int]) -> Iterator[types.CodeType]:
    """Yield the code of a function or class, and of all functions and classes of the notebook that it names."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, types.CodeType):
        yield thing
        for constant in thing.co_consts:
            yield from _codes(constant, seen)
    elif isinstance(thing, types.FunctionType):
        yield from _codes(thing.__code__, seen)
        names = [thing.__globals__.get(name) for name in thing.__code__.co_names]
        cells = [cell.cell_contents for cell in thing.__closure__ or () if cell != types.CellType()]
        for other in (*names, *cells):
            yield from _codes(other, seen)
    elif isinstance(thing, type) and thing.__module__.partition(".")[0] not in ("keras", "builtins", "helpers"):
        for value in vars(thing).values():
            yield from _codes(value, seen)
