"""What a crash at any moment of some code leaves in a folder: after a kill, and after a power cut.

A killed process loses what it has not yet given to the system; all else is there for others. So a kill leaves what
another process sees in the folder at that moment. A power cut also takes what the system had not yet written to the
disk. POSIX promises to keep what was flushed: a file's content by `os.fsync` of the file, its name by `os.fsync` of
its folder. What was not may be there or not, names without content among it. `watch` looks at the folder between all
lines of Python and keeps account of flushes, so its power cuts are worked out, and no plug is pulled; `killed` kills
for real.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import linecache
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CAN_KILL", "Moment", "Watched", "killed", "table", "watch"]

CAN_KILL = hasattr(os, "fork")
_SECONDS = 10  # a forked process that is not done by then never will be

Files = dict[str, bytes]


@dataclass(frozen=True)
class Moment:
    """What is in the folder, by name, if the crash comes now.

    Attributes:
        line: the source line that runs, the innermost of the file in which the watched code begins.
        number: how many lines of Python ran before, in all files; `killed` takes it.
        kill: after a kill.
        cut: after a power cut that leaves only what was flushed.
        names: after a power cut that leaves the newest names and lengths, and the content that was flushed.

    All three may come of a power cut.
    """

    line: str
    number: int
    kill: Files
    cut: Files
    names: Files


@dataclass
class Watched:
    """The moments at which something in the folder changed, in order, and the error that ended the code, if one did."""

    moments: list[Moment] = field(default_factory=list)
    error: Exception | None = None


def watch(folder: Path, work: Callable[..., Any], *arguments: Any) -> Watched:
    """Run `work(*arguments)` and return each different moment.

    Args:
        folder: what is in it at the beginning counts as flushed.
        work: a function that uses files there, from Python, in this thread.
        arguments: what it is called with.
    """
    disk, found = _Disk(folder), Watched()
    number, file, line = 0, "", "before the first line"

    def look() -> None:
        disk.look()
        state = (disk.kill(), disk.cut(), disk.with_names())
        last = found.moments[-1] if found.moments else None
        if last is None or (line, *state) != (last.line, last.kill, last.cut, last.names):
            found.moments.append(Moment(line, number, *state))

    def trace(frame, event: str, _argument: object):
        nonlocal number, file, line
        if frame.f_code.co_filename == __file__:
            return None
        if event == "line":
            look()
            number += 1
            file = file or frame.f_code.co_filename
            if frame.f_code.co_filename == file:
                line = linecache.getline(file, frame.f_lineno).strip()
        return trace

    with disk.flushes(getattr(work, "__globals__", {})), _tracing(trace):
        try:
            work(*arguments)
        except Exception as error:
            found.error = error
        sys.settrace(None)
        look()
    return found


def killed(folder: Path, number: int, work: Callable[..., Any], *arguments: Any) -> Files:
    """Run `work(*arguments)` in a forked process that kills itself after `number` lines; return what is left.

    Raises:
        TimeoutError: it neither ended nor died.
    """
    process = os.fork()
    if process == 0:
        gc.disable()  # it would tidy up what is the parent's
        lines = 0

        def trace(frame, event: str, _argument: object):
            nonlocal lines
            if frame.f_code.co_filename == __file__:
                return None
            if event == "line":
                if lines >= number:
                    os.kill(os.getpid(), signal.SIGKILL)
                lines += 1
            return trace

        try:
            with _tracing(trace):
                work(*arguments)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)  # nothing of the caller's may run a second time
    end = time.monotonic() + _SECONDS
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise TimeoutError(f"A forked process was not done after {_SECONDS} seconds.")
        time.sleep(0.001)
    return {name: content for name, (_, content) in _look(folder).items()}


def table(watched: Watched, tell: Callable[[Files], str]) -> str:
    """Return a line of text for each line of code: what `tell` says of a kill and of the power cuts after it."""
    rows: list[tuple[str, str, str]] = []
    for line, moments in itertools.groupby(watched.moments[1:], key=lambda moment: moment.line):
        said = [
            (tell(one.kill), " or ".join(dict.fromkeys(map(tell, (one.cut, one.names, one.kill))))) for one in moments
        ]
        changed = [words for words in dict.fromkeys(said) if not rows or words != rows[-1][1:]]
        rows += [(line, *words) for words in changed or said[-1:]]
    rows.insert(0, ("in or after this line", "a kill", "a power cut"))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{line:{widths[0]}}  {kill:{widths[1]}}  {cut}" for line, kill, cut in rows)


@contextlib.contextmanager
def _tracing(trace: Callable) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def _look(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return number of the file and content by name, as any other process sees them."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with contextlib.suppress(OSError), open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = (os.stat(path).st_ino, file.read())
    return found


@dataclass
class _File:
    content: bytes
    flushed: bytes = b""
    shortest: int = 0  # since it was flushed

    def flush(self) -> None:
        self.flushed, self.shortest = self.content, len(self.content)


class _Disk:
    """The files of a folder, and what of them was flushed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[int, _File] = {}
        self._names: dict[str, _File] = {}
        self.look()
        for file in self._files.values():
            file.flush()
        self._flushed = dict(self._names)

    def look(self) -> None:
        seen = _look(self.folder)
        # The system uses a number again when its file is gone.
        self._files = {number: self._files[number] for number, _ in seen.values() if number in self._files}
        self._names = {}
        for name, (number, content) in seen.items():
            file = self._names[name] = self._files.setdefault(number, _File(content))
            file.content, file.shortest = content, min(file.shortest, len(content))

    def kill(self) -> Files:
        return {name: file.content for name, file in self._names.items()}

    def cut(self) -> Files:
        return {name: file.flushed for name, file in self._flushed.items()}

    def with_names(self) -> Files:
        return {name: file.flushed[: file.shortest] for name, file in self._names.items()}

    @contextlib.contextmanager
    def flushes(self, scope: dict[str, Any]) -> Iterator[None]:
        """Keep account of what the code flushes, which is done as well; `scope` may know `from os import fsync`."""
        real = {name: getattr(os, name) for name in ("fsync", "fdatasync", "sync") if hasattr(os, name)}

        def flush(name: str) -> Callable:
            def flushing(*handle: Any) -> None:
                real[name](*handle)
                trace = sys.gettrace()
                sys.settrace(None)  # our own lines are not lines of the code
                self.look()
                self._flush(*(item if isinstance(item, int) else item.fileno() for item in handle))
                sys.settrace(trace)

            return flushing

        places = [(vars(os), name, name) for name in real]
        places += [(scope, own, name) for own, value in scope.items() for name in real if value is real[name]]
        for names, own, name in places:
            names[own] = flush(name)
        try:
            yield
        finally:
            for names, own, name in places:
                names[own] = real[name]

    def _flush(self, handle: int | None = None) -> None:
        status = None if handle is None else os.fstat(handle)
        for number, file in self._files.items():
            if status is None or number == status.st_ino:
                file.flush()
        if status is None or (stat.S_ISDIR(status.st_mode) and os.path.samestat(status, os.stat(self.folder))):
            self._flushed = dict(self._names)
