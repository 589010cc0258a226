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
import tensorflow as tf

from helpers.checks._guard import Printed

from . import _fence, _meter, _task
from ._fence import Fence, Refused

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
    _fence.forget_bytecode()
    threads = set(threading.enumerate())
    try:
        _train(tell, job, arrays, folder, scratch)
        tell("done", _left_threads(threads), printed.shown())
    except BaseException as error:
        tell("error", _words(error), printed.shown())
    connection.close()
    os._exit(0)  # not even a thread that was left keeps this process


def _train(tell: Callable[..., None], job: dict[str, Any], arrays: dict, folder: Path, scratch: Path) -> None:
    kill = job["kill"] and _meter.Kill(**job["kill"], now=lambda how: epoch_told("now", how))
    fence = Fence(
        folder, scratch, [Path(path) for path in job["private"]],
        tell=lambda sentence: tell("saw", sentence), wrote=lambda: kill and kill.at_write(meter.epoch),
    )  # fmt: skip
    pairs = {part: _task.Pairs(*rows) for part, rows in arrays.items()}
    meter = _meter.Meter(pairs, job["seed"], fence, job["broken"])
    model = _task.build(job["seed"], np.asarray(job.pop("order")))
    arrays.clear()
    del pairs
    peak, marks = [0], []

    def look() -> None:
        peak[0] = max(peak[0], _meter.folder_bytes(folder))

    def epoch_told(what: str, *values: Any) -> None:
        if what != "now":  # in the middle of a save there may be a file that is gone in a moment
            look()
        tell(what, meter.batches, list(marks), peak[0], *values)
        marks.clear()

    def epoch_ended(epoch: int, logs: dict[str, float]) -> None:
        epoch_told("epoch", epoch, logs)
        sentence = fence.replaced()
        if sentence:
            fence.refuse(sentence)

    fence.guard_training(_fit.__code__)
    fence.remember_functions(_meter.First, _meter.Last, _meter.Meter, Fence)
    fence.close()
    make_callbacks = pickle.loads(job.pop("payload"))
    before = _globals(make_callbacks)
    callbacks = _checked(make_callbacks(folder), fence, lambda sentence: tell("note", sentence))
    tell("made")
    first = _meter.First(meter, kill, marks, tell)
    _fit(model, meter, [first, *callbacks, _meter.Last(look, epoch_ended)], job["epochs"])
    epoch_told("ended")
    sentence = fence.replaced()
    if sentence:
        fence.refuse(sentence)
    for name in sorted(name for name, value in _globals(make_callbacks).items() if before.get(name) != value):
        tell(
            "note",
            f"Your code changed `{name}`, a name of the notebook. A training has a copy of its own, which a kill takes "
            "along; what must last belongs into the folder.",
        )


def _fit(model: keras.Model, meter: _meter.Meter, callbacks: list[Any], epochs: int) -> None:
    model.fit(meter.train, validation_data=meter.validation, epochs=epochs, verbose=0, callbacks=callbacks)


def _limit_files(size: int) -> None:
    """Let no file of this process grow beyond `size` bytes, where the system can do so."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class Unusable(TypeError):
    """What `make_callbacks` returned cannot be used; the message says why."""


def _checked(given: Any, fence: Fence, note: Callable[[str], None]) -> list[keras.callbacks.Callback]:
    """Return the learner's callbacks.

    Raises:
        Unusable: it is no list of callbacks.
        Refused: one of them would write outside of the folder.
    """
    wanted = "`make_callbacks` must return a list of callbacks"
    if given is None:
        raise Unusable(f"{wanted}, and it returned None. Is its last line `return [...]`?")
    if isinstance(given, keras.callbacks.Callback):
        raise Unusable(f"{wanted}, and it returned one callback alone. Put it into brackets: `return [...]`.")
    if not isinstance(given, list | tuple):
        kind = type(given).__name__
        order = " Their order matters, and a set has none." if isinstance(given, set | frozenset) else ""
        raise Unusable(f"{wanted}, and it returned a {kind}.{order}")
    for number, one in enumerate(given, 1):
        if isinstance(one, type):
            raise Unusable(f"{wanted}, and number {number} is the class {one.__name__}: write `{one.__name__}(...)`.")
        if not isinstance(one, keras.callbacks.Callback):
            raise Unusable(f"{wanted}, and number {number} is a {type(one).__name__}.")
        for name, value in vars(one).items():
            if isinstance(value, Path) or (isinstance(value, str) and any(w in name for w in ("path", "dir", "file"))):
                _look_at_path(type(one).__name__, name.lstrip("_"), str(value), fence, note)
    return list(given)


def _look_at_path(owner: str, name: str, path: str, fence: Fence, note: Callable[[str], None]) -> None:
    where = fence.outside(path) if path else "folder"
    if where == "outside":
        fence.refuse(
            f"{owner} has {name}={path!r}, which is outside of the folder. Only the folder that `make_callbacks` is "
            "given is yours: write `folder / 'a name'`."
        )
    elif where == "scratch":
        note(
            f"{owner} has {name}={path!r}, which is not in the folder: nothing there outlives the process, and nobody "
            f"judges it. Write `folder / {os.path.basename(path)!r}`."
        )


def _globals(function: Any) -> dict[str, bytes]:
    """Return what plain values the names of the notebook hold that the function brought along."""
    found = {}
    for name, value in getattr(function, "__globals__", {}).items():
        if isinstance(value, list | dict | set | int | float | str) and not name.startswith("__"):
            try:
                found[name] = pickle.dumps(value)
            except Exception:
                found[name] = repr(type(value)).encode()
    return found


def _left_threads(before: set[threading.Thread]) -> list[str]:
    left = set(threading.enumerate()) - before
    return sorted(thread.name for thread in left if not thread.name.startswith("Dummy"))


def _words(error: BaseException) -> dict[str, Any]:
    """Return what the arena says about an error, and the lines of the learner's code that led to it."""
    frames = [
        [frame.filename, frame.lineno, frame.name]
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_NOT_THEIRS)
    ]
    hooks = [frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.name.startswith("on_")]
    message = str(error)
    return {
        "kind": type(error).__name__,
        "message": message if len(message) <= _SHOWN else f"{message[:_SHOWN]} …",
        "refused": isinstance(error, Refused | Unusable),
        "exit": isinstance(error, SystemExit | KeyboardInterrupt),
        "hook": hooks[-1] if hooks else "",
        "frames": frames[-3:],
    }


_NOT_THEIRS = tuple(
    {os.path.dirname(os.path.dirname(module.__file__)) for module in (keras, tf)}
    | {os.path.dirname(os.__file__), str(Path(__file__).resolve().parents[1]), "<frozen"}
)
