"""Whether the course's code in this process is still what was loaded: functions, their code, the register of checks."""

from __future__ import annotations

import builtins
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["Seal"]


class Seal:
    """What the modules of `helpers` hold now; `broken()` names what became another object since, or has other code."""

    def __init__(self):
        self._modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "helpers"}
        self._modules["builtins"] = builtins
        self._before = dict(self._parts())

    def broken(self) -> list[str]:
        """Return the names of what has been replaced, such as `helpers.checks.check`, in order."""
        now = dict(self._parts())
        swapped = {name for name, module in self._modules.items() if sys.modules.get(name) is not module}
        return sorted(swapped | {name for name, what in self._before.items() if not _same(now.get(name), what)})

    def _parts(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for place, module in self._modules.items():
            for name, value in list(vars(module).items()):
                yield from _described(f"{place}.{name}", value)
                if isinstance(value, type) and value.__module__ == place and place != "builtins":
                    for inner, method in list(vars(value).items()):
                        yield from _described(f"{place}.{name}.{inner}", method)
        core = self._modules.get("helpers.checks._core")
        for id, checker in getattr(core, "_CHECKERS", {}).items():
            yield from _described(f"the check of {id}", checker)


def _described(name: str, value: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if re.fullmatch(r"_?[A-Z][A-Z0-9_]*", name.rpartition(".")[2]):
        yield name, (value, repr(value))  # a constant, also what is in it
    elif isinstance(value, types.FunctionType):
        yield name, (value, value.__code__, value.__defaults__, value.__kwdefaults__)
    elif isinstance(value, type | types.BuiltinFunctionType | types.ModuleType) or callable(value):
        yield name, (value,)


def _same(one: tuple[Any, ...] | None, other: tuple[Any, ...]) -> bool:
    return (
        one is not None
        and len(one) == len(other)
        and all(a is b or (type(a) is type(b) is str and a == b) for a, b in zip(one, other, strict=True))
    )
