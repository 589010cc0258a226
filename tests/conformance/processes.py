"""Children of a process that has imported TensorFlow: fresh, cheap, and killed when a trial says so."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

TIMEOUT_SECONDS = 900


class Died(RuntimeError):
    """A child was ended by a signal; `signal` is its name, such as "SIGSEGV"."""

    def __init__(self, task: str, number: int) -> None:
        self.signal = signal.Signals(number).name
        super().__init__(f"{task} ended by {self.signal} in its process; CONFORMANCE_LOUD=1 shows how.")


class Child:
    """A forked child that tells its parent events, each a JSON value in a line."""

    def __init__(self, task: Callable[..., Any], *arguments: Any) -> None:
        self._read, write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            self._work(write, task, arguments)
        os.close(write)
        self._rest = b""

    @staticmethod
    def _work(write: int, task: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        status = 1
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            if "CONFORMANCE_LOUD" not in os.environ:
                os.dup2(silence, 2)  # HDF5 and TensorFlow complain of the very failures that a trial makes
            task(lambda event: os.write(write, json.dumps(event).encode() + b"\n"), *arguments)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def events(self) -> Iterator[Any]:
        """Yield what the child tells, until it ends."""
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                yield json.loads(line)
                continue
            more = os.read(self._read, 65536)
            if not more:
                return
            self._rest += more

    def kill(self) -> list[Any]:
        """Kill it as the system does, with SIGKILL, and return what it had told and nobody had read."""
        os.kill(self.pid, signal.SIGKILL)
        left = list(self.events())
        self.wait()
        return left

    def wait(self) -> int:
        """Return its exit status once it has ended; negative for a signal."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self._read)
        return os.waitstatus_to_exitcode(status)


def call(task: Callable[..., Any], *arguments: Any) -> Any:
    """Run a task in a child and return its result.

    Raises:
        Died: a signal ended the child.
        RuntimeError: the child failed.
    """

    def tell_result(tell: Callable[[Any], None]) -> None:
        signal.alarm(TIMEOUT_SECONDS)
        tell(task(*arguments))

    child = Child(tell_result)
    told = list(child.events())
    status = child.wait()
    if status < 0:
        raise Died(task.__name__, -status)
    if status or len(told) != 1:
        raise RuntimeError(f"{task.__name__} failed in its process; CONFORMANCE_LOUD=1 shows how.")
    return told[0]
