"""Small programs in processes of their own, started cheaply, which may be killed at any moment.

Where Python can fork, one helper process imports Keras once, and each program is a fork of it: a fresh process that
begins in a tenth of a second. Elsewhere (Windows) each program begins with its own import of Keras, some seconds.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import runpy
import sys
import traceback
import types
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

__all__ = ["Program", "start", "warm_up"]

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_context = multiprocessing.get_context("forkserver" if _FORKS else "spawn")


def warm_up() -> None:
    """Let the helper process import Keras now, in the background, so that it is ready when it is needed."""
    if _FORKS:
        _context.set_forkserver_preload(["keras", "helpers.callbacks", "helpers.data", "helpers._freeze"])
        forkserver.ensure_running()


class Program:
    """A running program. Iterate over it for the lines that it prints, each as soon as it is printed."""

    def __init__(self, file: str | Path, *arguments: object) -> None:
        warm_up()
        self._ours, theirs = _context.Pipe(duplex=False)
        words = [str(file), *map(str, arguments)]
        self._process = _context.Process(target=_run, args=(words, theirs), daemon=True)
        with _no_main():
            self._process.start()
        theirs.close()

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                yield self._ours.recv_bytes().decode()
            except (EOFError, OSError):  # it has ended, or was killed while it printed
                return

    def kill(self) -> list[str]:
        """Kill the process at once, with SIGKILL, and return what it had printed and nobody had read."""
        self._process.kill()
        left = list(self)
        self._process.join()
        return left

    def wait(self) -> list[str]:
        """Let the program end by itself and return the lines that it still prints.

        Raises:
            RuntimeError: the program raised an error; the message is its traceback.
        """
        left = list(self)
        self._process.join()
        if self._process.exitcode:
            raise RuntimeError("\n".join(["The program ended with an error:", *left]))
        return left


def start(file: str | Path, *arguments: object) -> Program:
    """Start a Python file in a process of its own; it finds the arguments, as text, in `sys.argv[1:]`."""
    return Program(file, *arguments)


@contextlib.contextmanager
def _no_main() -> Iterator[None]:
    """Keep `multiprocessing` from running the caller's own script or notebook in the new process first."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class _Lines(io.TextIOBase):
    """Sends each line that is printed, at once."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection, self._begun = connection, ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._connection.send_bytes(line.encode())
        return len(text)


def _run(words: list[str], connection: Connection) -> None:
    # What TensorFlow and HDF5 write past Python would turn up in red at a place where it says nothing.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.argv, sys.stdout = words, _Lines(connection)
    sys.path.insert(0, os.path.dirname(words[0]))  # as for any script, so that it finds files beside it
    try:
        runpy.run_path(words[0], run_name="__main__")
    except BaseException:
        print(traceback.format_exc())
        sys.exit(1)
