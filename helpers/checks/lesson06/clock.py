"""A clock whose hands the checks move, so that a time budget can be tested without waiting and without chance."""

from __future__ import annotations

import threading
import time
import types
from collections.abc import Callable

_CLOCKS = ("time", "monotonic", "perf_counter")
# Time that the processor worked for this program. It stands still while the program waits, so it is no clock.
_WORK = ("process_time", "thread_time")


class FakeClock:
    """Put a clock of the check's own in the place of Python's, in a `with` block.

    `time.time`, `time.monotonic`, `time.perf_counter` and their `_ns` forms show its time; the clocks that count
    work stand still. Other threads, such as those of the notebook, keep the real time. Clocks that the learner's
    code holds under a name of its own (`from time import monotonic`, a default argument, a class attribute) are
    replaced as well.

    Args:
        kind: the learner's class, or a function that makes callbacks: its functions are searched for clocks.

    Attributes:
        now: the time in seconds.
    """

    def __init__(self, kind: Callable):
        self.now = 1000.0
        self._kind = kind
        self._thread = threading.get_ident()
        self._undo: list[Callable[[], object]] = []
        self._fakes = {}
        for name in _CLOCKS + _WORK:
            moves = name in _CLOCKS
            self._fakes[getattr(time, name)] = self._fake(getattr(time, name), 1, moves)
            self._fakes[getattr(time, f"{name}_ns")] = self._fake(getattr(time, f"{name}_ns"), 10**9, moves)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def _fake(self, real: Callable, unit: int, moves: bool) -> Callable:
        def read():
            if threading.get_ident() != self._thread:
                return real()
            now = self.now if moves else 1000.0
            return now if unit == 1 else round(now * unit)

        return read

    def __enter__(self) -> FakeClock:
        for real, fake in self._fakes.items():
            self._put(time, real.__name__, fake)
        if isinstance(self._kind, types.FunctionType):
            self._inside(self._kind)
        for base in getattr(self._kind, "__mro__", ()):
            if base.__module__.partition(".")[0] in ("keras", "builtins", "helpers"):
                continue
            for name, value in list(vars(base).items()):
                inner = value.__func__ if isinstance(value, staticmethod) else value
                if self._known(inner):
                    self._put(base, name, staticmethod(self._fakes[inner]))
                if isinstance(inner, types.FunctionType):
                    self._inside(inner)
        return self

    def _inside(self, function: types.FunctionType) -> None:
        names = function.__globals__
        for name, value in list(names.items()):
            if self._known(value):
                self._undo.append(lambda name=name, value=value: names.__setitem__(name, value))
                names[name] = self._fakes[value]
        if function.__defaults__:
            self._put(function, "__defaults__", tuple(self._of(value) for value in function.__defaults__))
        if function.__kwdefaults__:
            named = {name: self._of(value) for name, value in function.__kwdefaults__.items()}
            self._put(function, "__kwdefaults__", named)

    def _known(self, value: object) -> bool:
        return isinstance(value, types.BuiltinFunctionType) and value in self._fakes

    def _of(self, value: object) -> object:
        return self._fakes[value] if self._known(value) else value

    def _put(self, place: object, name: str, value: object) -> None:
        before = vars(place).get(name, getattr(place, name)) if isinstance(place, type) else getattr(place, name)
        self._undo.append(lambda: setattr(place, name, before))
        setattr(place, name, value)

    def __exit__(self, *error: object) -> None:
        while self._undo:
            self._undo.pop()()
