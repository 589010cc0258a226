"""Read what a training run logged, whatever form it is in.

One value per epoch and metric, as Python floats; None where a metric is missing in an epoch. Bad logs raise
`ValueError` with a sentence that lists what was found.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

__all__ = ["first_epoch", "metric", "read_folder", "read_history"]

Values = list[float | None]

# What CSVLogger writes for a metric that an epoch does not have, and what spreadsheets leave.
_MISSING = {"", "na", "none"}


def read_history(history: Any, *, monitor: str = "val_loss", validation_freq: int | None = None) -> dict[str, Values]:
    """Read a run's log into a dict of lists, one value per epoch.

    Args:
        history: A Keras `History` (or anything with a mapping as `.history`), a mapping of lists (a pandas
            `DataFrame` works too), the path of a file that `CSVLogger` wrote, a folder that holds one such file,
            or just a list of numbers. A column `epoch` is left out, see `first_epoch`.
        monitor: The name that a bare list of numbers gets.
        validation_freq: As given to `fit`. Keras's `History` holds shorter lists for the validation metrics then
            and does not say which epochs they belong to; this puts them in their places, with None between.

    Returns:
        Metric name to values, all lists of the same length. Values are floats (NaN and infinity included) or None.

    Raises:
        ValueError: If there is nothing to read, a value is no number, or the lists have different lengths.
        FileNotFoundError: If the path does not exist.
    """
    if isinstance(history, (str, Path)):
        return _checked(*_columns_of_path(Path(history)), validation_freq)
    mapping = getattr(history, "history", history)
    # A DataFrame is no Mapping, but it has keys and columns like one.
    if isinstance(mapping, Mapping) or (hasattr(mapping, "keys") and hasattr(mapping, "__getitem__")):
        columns = {str(key): mapping[key] for key in mapping.keys()}  # noqa: SIM118 (a DataFrame iterates otherwise)
        if not columns and mapping is not history:
            raise ValueError("This History is empty: the fit that it belongs to has not finished a single epoch.")
        return _checked(columns, "The history", validation_freq)
    if isinstance(mapping, Iterable) and not isinstance(mapping, (bytes, bytearray)):
        return _checked({monitor: mapping}, "The list", validation_freq)
    raise ValueError(
        f"A history can be what model.fit() returns, a dict of lists, a list of numbers or the path of a "
        f"CSVLogger file. This is {_kind(history)}."
    )


def read_folder(folder: str | Path) -> dict[str, dict[str, Values]]:
    """Read every CSV file of a folder as one run.

    Args:
        folder: The folder. Files are those whose names end in `.csv`, in natural order (`run2` before `run10`).

    Returns:
        File name without its ending to what `read_history` gives for the file.

    Raises:
        ValueError: If the folder holds no CSV file, or one of them cannot be read.
        FileNotFoundError: If the folder does not exist.
    """
    return {path.stem: read_history(path) for path in _csv_files(Path(folder))}


def first_epoch(history: Any) -> int:
    """Return the number (0-based) of the first epoch in a log, 0 if the log does not say.

    A fit that resumed with `initial_epoch=5` has 5. Known for a Keras `History` and where there is a column `epoch`.

    Args:
        history: As in `read_history`.
    """
    if isinstance(history, (str, Path)):
        columns, _ = _columns_of_path(Path(history))
        epochs = columns.get("epoch")
    elif hasattr(history, "history"):
        epochs = getattr(history, "epoch", None)
    elif hasattr(history, "keys") and "epoch" in history:
        epochs = history["epoch"]
    else:
        epochs = None
    try:
        numbers = [int(float(epoch)) for epoch in epochs]
    except (TypeError, ValueError, OverflowError):
        return 0
    # A file with two fits in it (`append=True`) may start again at 0: then only counting lines makes sense.
    steady = all(b == a + 1 for a, b in pairwise(numbers))
    return numbers[0] if numbers and steady and numbers[0] >= 0 else 0


def metric(history: Mapping[str, Values], name: str) -> Values:
    """Return one metric of a log that `read_history` gave.

    Raises:
        ValueError: If the log has no such metric; the sentence lists what it has.
    """
    if name in history:
        return history[name]
    advice = ""
    if name.startswith("val_") and not any(key.startswith("val_") for key in history):
        advice = " There is no validation metric at all: was fit() given validation_data or validation_split?"
    elif name.replace("acc", "accuracy") in history:
        advice = f" Did you mean {name.replace('acc', 'accuracy')!r}?"
    raise ValueError(f"There is no metric {name!r} in this log. It has: {_names(history)}.{advice}")


def _columns_of_path(path: Path) -> tuple[dict[str, Iterable[Any]], str]:
    if path.is_dir():
        files = _csv_files(path)
        if len(files) > 1:
            raise ValueError(
                f"The folder {path} holds {len(files)} logs ({_names(file.name for file in files)}). "
                "Choose one, or read them all with history.read_folder."
            )
        path = files[0]
    if not path.exists():
        beside = sorted(file.name for file in path.parent.glob("*.csv")) if path.parent.is_dir() else []
        found = f" CSV files there: {_names(beside)}." if beside else ""
        raise FileNotFoundError(f"There is no file {path}.{found}")
    return _columns_of_csv(path), f"The file {path.name}"


def _csv_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    files = sorted(folder.glob("*.csv"), key=lambda path: [(len(t), t) for t in re.split(r"(\d+)", path.stem)])
    if not files:
        found = sorted(path.name for path in folder.iterdir())
        raise ValueError(f"The folder {folder} holds no CSV file. It holds: {_names(found) or 'nothing'}.")
    return files


def _columns_of_csv(path: Path) -> dict[str, list[Any]]:
    """Read a CSV file with a head line into columns; CSVLogger's separator is taken from the head line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"The file {path.name} is not a text file, so it is no log of CSVLogger.") from None
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise ValueError(f"The file {path.name} is empty: CSVLogger writes its first line after the first epoch.")
    head = lines[0]
    separator = max(",;\t|", key=head.count)
    rows = list(csv.reader(lines, delimiter=separator))
    names = [name.strip() for name in rows[0]]
    if all(_is_number(name) for name in names):
        raise ValueError(f"The file {path.name} has no head line with names of metrics. Its first line is: {head}")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    if len(columns) < len(names):
        raise ValueError(f"The file {path.name} names a column twice: {_names(names)}.")
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != len(names):
            raise ValueError(
                f"Line {number} of {path.name} has {len(row)} values, the head line has {len(names)} names "
                f"({_names(names)}). If the run was killed while writing, delete that line."
            )
        for name, cell in zip(names, row, strict=True):
            columns[name].append(None if cell.strip().lower() in _MISSING else cell.strip())
    return columns


def _checked(columns: Mapping[str, Iterable[Any]], source: str, validation_freq: int | None) -> dict[str, Values]:
    """Turn columns into lists of floats of one length, or say what is wrong."""
    log: dict[str, Values] = {}
    for name, cells in columns.items():
        if name == "epoch":
            continue
        if isinstance(cells, (str, bytes)) or not isinstance(cells, Iterable):
            raise ValueError(f"{source} holds {_kind(cells)} under {name!r}; it needs a list, one number per epoch.")
        log[name] = [_value(cell, name, place, source) for place, cell in enumerate(cells)]
    if not log:
        raise ValueError(f"{source} holds no metric. It has: {_names(columns) or 'nothing'}.")
    # CSVLogger gives every metric a validation column, with NA in each line, when there is no validation data.
    empty = [
        name for name, values in log.items() if name.startswith("val_") and values and all(v is None for v in values)
    ]
    if len(empty) < len(log):
        log = {name: values for name, values in log.items() if name not in empty}
    longest = max(len(values) for values in log.values())
    if longest == 0:
        raise ValueError(f"{source} holds no epoch: {_names(log)} {'is' if len(log) == 1 else 'are'} empty.")
    if validation_freq is not None:
        log = {name: _spread(values, longest, validation_freq) for name, values in log.items()}
    lengths = {name: len(values) for name, values in log.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(
            f"{source} holds lists of different lengths: {listed}. If fit() was given validation_freq, "
            "say so: history.read_history(..., validation_freq=2) puts the values in their places."
        )
    return log


def _spread(values: Values, epochs: int, validation_freq: int) -> Values:
    """Put the values of a metric that was measured in every n-th epoch into their places."""
    if isinstance(validation_freq, bool) or not isinstance(validation_freq, int) or validation_freq < 1:
        raise ValueError(f"validation_freq must be a whole number, 1 or more, not {validation_freq!r}.")
    if len(values) != epochs // validation_freq or len(values) == epochs:
        return values
    spread: Values = [None] * epochs
    spread[validation_freq - 1 :: validation_freq] = values
    return spread


def _value(cell: Any, name: str, place: int, source: str) -> float | None:
    if cell is None:
        return None
    try:
        if isinstance(cell, bool):
            raise TypeError
        return float(cell)
    except (TypeError, ValueError):
        what = f"the text {cell!r}" if isinstance(cell, str) else _kind(cell)
        raise ValueError(
            f"{source} holds {what} under {name!r} in epoch {place + 1}, where a number belongs."
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
        return True
    except ValueError:
        return False


def _kind(thing: Any) -> str:
    """Name a thing's type with its article."""
    if thing is None:
        return "None"
    name = type(thing).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _names(names: Iterable[Any]) -> str:
    """List names, the first eight of many."""
    listed = [str(name) for name in names]
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
