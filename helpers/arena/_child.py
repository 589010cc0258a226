"""A process of the arena: started from the helper that has Keras, heard by a pipe, ended with all below it."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
from typing import Any

import psutil

from ._rules import FORKS

__all__ = ["Child", "context"]

context = multiprocessing.get_context("forkserver" if FORKS else "spawn")


class Child:
    """A running process.

    Args:
        target: "train" or "judge".
        arguments: for that function, behind its end of the pipe.
    """

    def __init__(self, target: str, *arguments: Any) -> None:
        self.connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_enter, args=(target, theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def messages(self) -> list[Any] | None:
        """Return what has come, and None once the process has ended and all is read."""
        found = []
        try:
            while self.connection.poll():
                found.append(json.loads(self.connection.recv_bytes(1 << 20)))
        except (EOFError, OSError, ValueError):
            return found or None
        return found

    def kill(self) -> int | None:
        """Kill the process with its group and all its children, and return its exit code."""
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    child.kill()
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self.connection.close()
        return self._process.exitcode

    def wait(self) -> int | None:
        """Let the process end by itself for a moment, then see to it."""
        self._process.join(1)
        return self.kill()


def _enter(target: str, *arguments: Any) -> None:
    # Imported here: the keeper needs no Keras.
    if target == "judge":
        from ._judge import judge

        judge(*arguments)
    else:
        from ._training import train

        train(*arguments)
