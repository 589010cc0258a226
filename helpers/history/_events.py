"""Read TensorBoard event files with TensorBoard's own reader, which a learner need not have."""

from __future__ import annotations

import contextlib
import re
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["is_events", "read_events"]

# Keras's TensorBoard callback writes both halves of a run under the same names, in two folders.
_HALVES = {"train": "", "validation": "val_"}


def is_events(path: Path) -> bool:
    """Return whether a path is an event file, or a folder that holds one at any depth."""
    return "tfevents" in path.name if path.is_file() else next(path.rglob("*tfevents*"), None) is not None


def read_events(path: Path) -> dict[str, dict[str, list[float | None]] | str]:
    """Read an event file, or all runs below a folder.

    Keras's folders `train` and `validation` make one run, its names `epoch_loss` become `loss` and `val_loss`. For a
    file the other half of its run is read too. Other writers' scalars keep their names.

    Args:
        path: An event file or a folder.

    Returns:
        Run name to metric to values, None where there is none; `epoch` holds their numbers, or `step` where another
        writer may have counted steps. For a run whose files hold no scalars a sentence instead.

    Raises:
        ValueError: If TensorBoard is not installed.
    """
    if path.is_file():
        folder = path.parent.parent if path.parent.name in _HALVES else path.parent
        files = [path] if folder == path.parent else _files(folder / half for half in _HALVES)
        runs = {folder.name: files}
    else:
        runs = {}
        for file in sorted(path.rglob("*tfevents*")):
            folder = file.parent.parent if file.parent.name in _HALVES else file.parent
            name = folder.relative_to(path).as_posix() if folder.is_relative_to(path) else folder.name
            runs.setdefault(path.name if name == "." else name, []).append(file)
    with _reader() as reader:
        return {
            name: _run(files, name, reader) for name, files in sorted(runs.items(), key=lambda item: natural(item[0]))
        }


def _files(folders: Iterable[Path]) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.glob("*tfevents*"))]


def natural(name: str) -> list[str | int]:
    """Return a key that sorts `run2` before `run10`."""
    return [int(part) if place % 2 else part.lower() for place, part in enumerate(re.split(r"(\d+)", name))]


def _run(files: list[Path], name: str, reader: tuple) -> dict[str, list[float | None]] | str:
    found: dict[str, dict[int, float]] = {}
    tags: set[str] = set()
    for file in files:
        prefix = _HALVES.get(file.parent.name, "")
        scalars = _scalars(file, reader)
        tags |= scalars.keys()
        # Keras also logs by batch; only its epochs matter here.
        epochs = {tag: values for tag, values in scalars.items() if tag.startswith("epoch_")} or scalars
        for tag, values in epochs.items():
            # A later file of the same run, after a restart, has the last word.
            found.setdefault(prefix + tag.removeprefix("epoch_"), {}).update(values)
    if not any(found.values()):
        return f"The event files of {name!r} hold no scalars. They hold: {', '.join(sorted(tags)) or 'nothing'}."
    steps = sorted(set().union(*found.values()))
    # Only of Keras's own callback is it known that its steps are epochs.
    count = "epoch" if any(tag.startswith("epoch_") for tag in tags) else "step"
    return {count: steps} | {name: [values.get(step) for step in steps] for name, values in sorted(found.items())}


def _scalars(file: Path, reader: tuple) -> dict[str, dict[int, float]]:
    """Return tag to step to value, from the old scalars and from the tensors that TensorFlow 2 writes."""
    accumulator, make_ndarray = reader
    # 0 keeps every value; the default would keep a sample.
    events = accumulator(str(file), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    found = {tag: {event.step: float(event.value) for event in events.Scalars(tag)} for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        values = {event.step: make_ndarray(event.tensor_proto) for event in events.Tensors(tag)}
        if values and all(value.size == 1 and value.dtype.kind in "fiu" for value in values.values()):
            found[tag] = {step: float(value.item()) for step, value in values.items()}
    return found


@contextlib.contextmanager
def _reader() -> Iterator[tuple]:
    """Import TensorBoard's reader, without the TensorFlow that it would load if it could.

    TensorBoard chooses once between TensorFlow and the small stand-in that it brings along, and Keras's TensorBoard
    callback fails with the stand-in. So what was imported for reading is forgotten afterwards.
    """
    ours = not any(name in sys.modules for name in ("tensorboard", "tensorflow"))
    if ours:
        # TensorBoard's own switch: where this module exists, it takes the stand-in.
        sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.util.tensor_util import make_ndarray

        yield EventAccumulator, make_ndarray
    except ImportError:
        raise ValueError(
            "To read TensorBoard's event files, TensorBoard itself is needed, and it is not installed here: "
            "pip install tensorboard. Or log with keras.callbacks.CSVLogger, whose files need nothing."
        ) from None
    finally:
        if ours:
            for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
                del sys.modules[name]
