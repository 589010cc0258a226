"""One training, in a process of its own: the learner's callbacks in the arena's `fit`."""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable
from multiprocessing import connection as connections
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import tensorflow as tf

from helpers.checks._guard import Printed

from . import _given, _meter, _task
from ._disk import folder_bytes
from ._fence import Fence, Refused
from ._meter import Kill, Meter
from ._rules import LEFT_A_PROCESS

__all__ = ["settle", "train"]

_SHOWN = 300  # characters of an error's message


def settle(*, own_group: bool = True) -> None:
    """Make this process a quiet one of its own, which ends when the arena's process does."""
    if own_group and hasattr(os, "setsid"):
        os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    # Two trainings run at a time, on two cores.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(2)

    def end_with(parent: Any) -> None:
        connections.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with, args=(parent_process(),), daemon=True, name="arena").start()


def train(connection: Connection, job: dict[str, Any], arrays: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Run one process of a training and tell, in JSON over `connection`, what happens.

    Args:
        connection: to the arena.
        job: "payload" (the pickled function), "order", "seed", "epochs", "folder", "scratch", "private",
            "kill" (arguments of `Kill` or None), "broken" (a batch or None), "disk".
        arrays: the rows for training and validation.
    """

    def tell(what: str, *values: Any) -> None:
        connection.send_bytes(json.dumps([what, *values]).encode())

    settle()
    _limit_files(job["disk"] // 2)
    folder, scratch = Path(job["folder"]), Path(job["scratch"])
    os.chdir(scratch)
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    printed = sys.stdout = sys.stderr = Printed()
    warnings.simplefilter("ignore")
    sys.dont_write_bytecode = True  # imports would write outside of the folder
    threads = set(threading.enumerate())
    try:
        _train(tell, job, arrays, folder, scratch)
        if psutil.Process().children():
            tell("note", LEFT_A_PROCESS)
        tell("done", _left_threads(threads), printed.shown())
    except BaseException as error:
        tell("error", _words(error), printed.shown())
    connection.close()
    os._exit(0)  # not even a thread that was left keeps this process


class _Log:
    """What this process tells of its training."""

    def __init__(self, tell: Callable[..., None], folder: Path) -> None:
        self.tell, self.marks = tell, []
        self._folder, self._peak = folder, 0

    def look(self) -> None:
        """Look how much the folder holds."""
        self._peak = max(self._peak, folder_bytes(self._folder))

    def count(self, what: str, meter: Meter, *values: Any) -> None:
        """Tell something with what was counted so far."""
        if what != "now":  # in the middle of a save there may be a file that is gone in a moment
            self.look()
        self.tell(what, meter.batches, list(self.marks), self._peak, *values)
        self.marks.clear()


def _train(tell: Callable[..., None], job: dict[str, Any], arrays: dict, folder: Path, scratch: Path) -> None:
    log, drawn = _Log(tell, folder), job.pop("kill")
    kill = drawn and _meter.Kill(**drawn, now=lambda how: log.count("now", meter, how))
    fence = Fence(
        folder, scratch, [Path(path) for path in job["private"]],
        tell=lambda sentence: tell("saw", sentence), wrote=lambda: kill and kill.at_write(meter.epoch),
    )  # fmt: skip
    meter = Meter(
        {part: _task.Pairs(*arrays.pop(part)) for part in list(arrays)}, job["seed"], fence, job.pop("broken")
    )
    model = _task.build(job["seed"], np.asarray(job.pop("order")))
    keras.config.disable_traceback_filtering()  # which hook of theirs it was stands in what would be filtered out
    fence.guard_training(_fit.__code__)
    fence.remember_functions(_meter.First, _meter.Last, Meter, Fence)
    fence.close()
    try:
        _run_theirs(job, fence, log, meter, kill, model)
    finally:
        log.count("ended", meter)


def _run_theirs(job: dict[str, Any], fence: Fence, log: _Log, meter: Meter, kill: Kill | None, model: Any) -> None:
    """Make the learner's callbacks and train with them."""

    def epoch_ended(epoch: int, logs: dict[str, float]) -> None:
        log.count("epoch", meter, epoch, logs)
        fence.refuse_replaced()

    make_callbacks = pickle.loads(job.pop("payload"))
    before = _given.plain_globals(make_callbacks)
    callbacks = _given.checked(make_callbacks(Path(job["folder"])), fence, lambda sentence: log.tell("note", sentence))
    log.tell("made")
    first, last = _meter.First(meter, kill, log.marks, log.tell), _meter.Last(log.look, epoch_ended)
    _fit(model, meter, [first, *callbacks, last], job["epochs"])
    fence.refuse_replaced()
    after = _given.plain_globals(make_callbacks)
    for name in sorted(name for name in after if before.get(name) != after[name]):
        log.tell(
            "note",
            f"Your code changed `{name}`, a name of the notebook. A training has a copy of its own, which a kill takes "
            "along; what must last belongs into the folder.",
        )


def _fit(model: keras.Model, meter: Meter, callbacks: list[Any], epochs: int) -> None:
    model.fit(meter.train, validation_data=meter.validation, epochs=epochs, verbose=0, callbacks=callbacks)


def _limit_files(size: int) -> None:
    """Let no file of this process grow beyond `size` bytes, where the system can do so."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _left_threads(before: set[threading.Thread]) -> list[str]:
    left = set(threading.enumerate()) - before
    return sorted(thread.name for thread in left if not thread.name.startswith("Dummy"))


def _words(error: BaseException) -> dict[str, Any]:
    """Return what the arena says about an error, and the lines of the learner's code that led to it."""
    frames = [
        [frame.name, frame.lineno]
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_NOT_THEIRS)
    ]
    hooks = [frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.name.startswith("on_")]
    message = str(error)
    return {
        "kind": type(error).__name__,
        "message": message if len(message) <= _SHOWN else f"{message[:_SHOWN]} …",
        "refused": isinstance(error, Refused | _given.Unusable),
        "exit": isinstance(error, SystemExit | KeyboardInterrupt),
        "hook": hooks[-1] if hooks else "",
        "frames": frames[-3:],
    }


_NOT_THEIRS = tuple(
    {os.path.dirname(os.path.dirname(module.__file__)) for module in (keras, tf)}
    | {os.path.dirname(os.__file__), str(Path(__file__).resolve().parents[1]), "<frozen"}
)
