"""A budget for a check: a time limit that nothing of the learner's can swallow, and prints that are kept short."""

from __future__ import annotations

import ctypes
import dis
import io
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["SECONDS", "Printed", "TimeUp", "limit"]

# COURSE_CHECK_SECONDS gives a slow or crowded machine more: the limit is one of the clock, since a sleep must end too.
SECONDS = float(os.environ.get("COURSE_CHECK_SECONDS") or 20)
_AGAIN = 0.2  # seconds between two calls to end
_LINES, _WIDTH = 8, 200


class TimeUp(BaseException):
    """The check took too long. No `Exception`, so that `except Exception:` does not swallow it."""


@contextmanager
def limit(seconds: float | None = None, file: str | None = None) -> Iterator[None]:
    """Raise TimeUp in the block when it takes longer, and again until it ends.

    In the main thread of a system with alarms it breaks into sleeps as well; elsewhere a sleep has to end first. With
    `file` it breaks in there only where a line of that file runs, so never into TensorFlow, which may not survive it.
    """
    seconds = SECONDS if seconds is None else seconds
    alarms = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    with _alarms(seconds, file) if alarms else _other_thread(SECONDS if file else seconds):
        yield


@contextmanager
def _alarms(seconds: float, file: str | None) -> Iterator[None]:
    calls, ours, tracing = 0, sys._getframe(), sys.gettrace()

    def ring(_number: int, frame: types.FrameType | None) -> None:
        nonlocal calls
        if file is not None and (frame is None or frame.f_code.co_filename != file):
            return
        calls += 1
        if calls > 2 and frame is not None:
            _leave(frame, ours)  # a bare `except:` in a loop has swallowed it: raise where nothing catches
        raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.settrace(tracing)


def _leave(frame: types.FrameType, last: types.FrameType) -> None:
    """Raise TimeUp at the next line of a running frame that no `try` of its own covers."""

    def trace(here: types.FrameType, event: str, _argument: object):
        if event == "line" and not _covered(here):
            raise TimeUp
        return trace

    while frame is not None and frame is not last:
        frame.f_trace = trace
        frame = frame.f_back
    sys.settrace(trace)


def _covered(frame: types.FrameType) -> bool:
    entries = dis.Bytecode(frame.f_code).exception_entries
    return any(entry.start <= frame.f_lasti < entry.end for entry in entries)


@contextmanager
def _other_thread(seconds: float) -> Iterator[None]:
    """Throw TimeUp into this thread from another one; it arrives at the next line of Python that runs."""
    done, rang, target = threading.Event(), threading.Event(), threading.get_ident()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            with lock:
                if not done.is_set():
                    rang.set()
                    _throw(target, TimeUp)
            wait = _AGAIN

    lock = threading.Lock()
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            done.set()
        if rang.is_set():
            _settle(target)


def _throw(thread: int, what: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(what))


class _Settled(BaseException):
    """Takes the place of a TimeUp that is still on its way."""


def _settle(thread: int) -> None:
    """Let nothing be on its way to this thread any more.

    An exception that is taken back leaves Python 3.11 looking for it at every turn, and a later `sys.settrace` never
    ends. So it is replaced by one that arrives here.
    """
    try:
        _throw(thread, _Settled)
        while True:
            pass
    except _Settled:
        pass


class Printed(io.TextIOBase):
    """Takes what is printed and keeps the first lines, so that printing without end fills no memory."""

    def __init__(self):
        super().__init__()
        self._lines: list[str] = []
        self._rest = ""
        self._more = 0

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, text: str) -> int:
        """Take some text; a carriage return begins its line anew, as progress bars mean it."""
        self._rest += str(text).replace("\b", "")
        *whole, self._rest = self._rest.split("\n")
        for line in whole:
            self._keep(line)
        if "\r" in self._rest:
            self._rest = self._rest.rpartition("\r")[2]
        self._rest = self._rest[: 2 * _WIDTH]
        return len(text)

    def _keep(self, line: str) -> None:
        line = line.rpartition("\r")[2].rstrip()
        if not line:
            return
        if len(self._lines) >= _LINES:
            self._more += 1
            return
        self._lines.append(line if len(line) <= _WIDTH else f"{line[:_WIDTH]} …")

    def shown(self) -> str:
        """Return the first lines, and how many more there were."""
        self._keep(self._rest)
        self._rest = ""
        more = [f"... and {self._more} more lines"] if self._more else []
        return "\n".join([*self._lines, *more])
