"""From what a person has (a History, a dict, lists, files, folders, several of them) to runs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from helpers.history import _events
from helpers.history._run import Run, Values

# What CSVLogger writes for a metric that an epoch does not have, and what spreadsheets leave.
_MISSING = {"", "na", "none"}


def read_history(
    source: Any,
    *,
    monitor: str = "val_loss",
    run: int | str | None = None,
    validation_freq: int | Iterable[int] | None = None,
    epochs_from: int | None = None,
    restarts: str | None = None,
    rows: str | None = None,
    decimal: str | None = None,
    names: Iterable[str] | None = None,
) -> Run:
    """Read one run.

    Args:
        source: A Keras `History` (or anything with a mapping as `.history`), a mapping of lists (a pandas `DataFrame`
            works too), a list of numbers, the path of a log, an open file, or what `read_runs` takes if it holds one.
        monitor: The name that a bare list of numbers gets.
        run: Which of several runs: its number, from 1, or its name.
        validation_freq: As given to `fit`, where it cannot be inferred.
        epochs_from: Whether the log counts epochs from 0 or from 1.
        restarts: What it means when the epochs go back: `"new"`, another fit begins; `"resumed"`, the same fit went
            on from there, and its later lines count; `"sorted"`, the lines are out of order.
        rows: What several lines of one epoch mean: `"last"`, the last of them counts; `"each"`, each is taken for an
            epoch of its own.
        decimal: `"."` or `","`.
        names: The names of the columns, for a file without a head line.

    Returns:
        A `Run`. Run already read come back as they are.

    Raises:
        ValueError: If there is nothing to read, or two readings are possible; the message asks.
        FileNotFoundError: If a path does not exist.
    """
    if isinstance(source, Run):
        return source
    if isinstance(source, (str, Path)):
        columns, what = _columns_of_path(Path(source))
        name = Path(source).stem
    else:
        name, what = _name(source, "run"), "The history"
        mapping = getattr(source, "history", source)
        # A DataFrame is no Mapping, but it has keys and columns like one.
        if isinstance(mapping, Mapping) or (hasattr(mapping, "keys") and hasattr(mapping, "__getitem__")):
            columns = {str(key): mapping[key] for key in mapping.keys()}  # noqa: SIM118 (DataFrames iterate otherwise)
            if not columns and mapping is not source:
                raise ValueError("This History is empty: the fit that it belongs to has not finished a single epoch.")
            if mapping is not source and getattr(source, "epoch", None):
                columns = {"epoch": source.epoch, **columns}
        elif isinstance(mapping, Iterable) and not isinstance(mapping, (bytes, bytearray)):
            columns, what = {monitor: mapping}, "The list"
        else:
            raise ValueError(
                f"A history can be what model.fit() returns, a dict of lists, a list of numbers or the path of a "
                f"log. This is {_kind(source)}."
            )
    return _run_of(name, _checked(columns, what, validation_freq), columns.get("epoch"))


def _run_of(name: str, metrics: dict[str, Values], epochs: Any) -> Run:
    count = len(next(iter(metrics.values())))
    try:
        numbers = [int(float(epoch)) for epoch in epochs]
    except (TypeError, ValueError, OverflowError):
        numbers = list(range(count))
    if len(numbers) != count or any(b <= a for a, b in pairwise(numbers)) or numbers[0] < 0:
        numbers = list(range(count))
    start = 1 if numbers[0] == 1 else 0
    return Run(name, metrics, tuple(number - start for number in numbers), start)


def read_runs(source: Any, *, monitor: str = "val_loss", **answers: Any) -> dict[str, Run]:
    """Read one run or several.

    Args:
        source: What `read_history` takes; a file that holds several runs; a folder of logs; or a list, or a dict by
            name, of any of these.
        monitor: The name that a bare list of numbers gets.
        answers: The other arguments of `read_history` but `run`.

    Returns:
        Name to run, in the order given (files of a folder in natural order). One that cannot be read is there too,
        with its `problem`, unless it is the only one.

    Raises:
        ValueError: If not a single run can be read; the message says why not and what was found.
        FileNotFoundError: If a path does not exist.
    """
    runs: dict[str, Run] = {}
    for name, thing in _things(source):
        while name in runs:
            name += "'"
        try:
            found = read_history(thing, monitor=monitor, **answers)
            runs[name] = Run(**{**vars(found), "name": name})
        except FileNotFoundError:
            raise
        except ValueError as error:
            runs[name] = Run(name, {}, (), problem=str(error))
    if not runs:
        raise ValueError("There is no run: the list is empty.")
    problems = [run.problem for run in runs.values() if run.problem]
    if len(problems) == len(runs):
        others = len(problems) - 1
        more = f" ({others} other run{'s' * (others != 1)} cannot be read either.)" if others else ""
        raise ValueError(problems[0] + more)
    return runs


def _things(source: Any) -> list[tuple[str, Any]]:
    """Return pairs of a name and something that `read_history` understands."""
    if isinstance(source, Run):
        return [(source.name, source)]
    if isinstance(source, (str, Path)):
        return _at(Path(source))
    if isinstance(source, Mapping) and source and all(_holds_run(value) for value in source.values()):
        return [(str(name), value) for name, value in source.items()]
    if isinstance(source, (list, tuple)) and source and all(_holds_run(item) for item in source):
        return [(_name(item, f"run {place}"), item) for place, item in enumerate(source, start=1)]
    return [(_name(source, "run"), source)]


def _name(thing: Any, otherwise: str) -> str:
    return Path(thing).stem if isinstance(thing, (str, Path)) else str(getattr(thing, "name", otherwise))


def _holds_run(value: Any) -> bool:
    return isinstance(value, (Mapping, str, Path)) or hasattr(value, "history") or hasattr(value, "columns")


def _at(path: Path) -> list[tuple[str, Any]]:
    if path.exists() and _events.is_events(path):
        return list(_events.read_events(path).items())
    if path.is_dir():
        # One bad file must not hide the others, so each is read on its own.
        files = sorted(path.glob("*.csv"), key=lambda file: _events.natural(file.stem))
        if files:
            return [(file.stem, file) for file in files]
    return [(path.stem, path)]


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
