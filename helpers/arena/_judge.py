"""The judge: loads the file that is on disk, in a process that alone has the test rows."""

from __future__ import annotations

import json
import os
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import keras
import numpy as np

from . import _meter, _task, _training
from ._rules import model_file

__all__ = ["judge"]


def judge(connection: Connection, folders: list[str], x: np.ndarray, y: np.ndarray) -> None:
    """Tell, in JSON over `connection`, for each folder which file was judged and how good it is.

    Args:
        connection: to the arena.
        folders: what a training left, each.
        x: the test rows.
        y: their answers.
    """
    _training.settle()
    warnings.simplefilter("ignore")
    for folder in folders:
        connection.send_bytes(json.dumps(_judged(Path(folder), x, y)).encode())
    connection.close()
    os._exit(0)


def _judged(folder: Path, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    entries = list(os.scandir(folder)) if folder.is_dir() else []
    name, why = model_file([entry.name for entry in entries if entry.is_file(follow_symlinks=False)])
    found: dict[str, Any] = {"file": name, "quality": None, "why": why, "mark": None}
    if name is None:
        return found
    try:
        model = _loaded(folder / name)
        answers = np.asarray(model(x, training=False))
    except Exception as error:
        return found | {"why": f"`{name}` cannot be loaded ({type(error).__name__}): a kill may have left half a file."}
    if answers.shape != y.shape:
        return found | {"why": f"The model in `{name}` answers with shape {answers.shape}; the task has {y.shape}."}
    if not np.isfinite(answers).all():
        return found | {"why": f"The model in `{name}` answers NaN: it was saved after the broken batch."}
    return found | {"quality": float(np.mean((answers > 0.5) == (y > 0.5))), "mark": _meter.mark(model)}


def _loaded(path: Path) -> keras.Model:
    if path.name.endswith(".weights.h5"):
        model = _task.build(0, np.arange(_task.PIXELS))
        model.load_weights(path)
        return model
    return keras.saving.load_model(path, compile=False)
