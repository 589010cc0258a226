"""From JSON, or from what json.load gives, to tables."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from helpers.history._cells import describe, is_number
from helpers.history._run import is_epoch, is_metric_like, listed
from helpers.history._table import HALVES, Table

_DEPTH = 8


def parse(text: str, what: str) -> Any | None:
    """Read JSON, lines of JSON, or a dict as Python prints it; None if the text is none of these.

    Raises:
        ValueError: If it begins like JSON and is not complete.
    """
    start = text.lstrip()[:1]
    if start not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"{what} is nested too deeply to be a log.") from None
    except ValueError as error:
        problem = error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    records, bad = [], []
    for number, line in lines:
        try:
            records.append(json.loads(line))
        except ValueError:
            bad.append(number)
    if len(bad) <= max(1, len(records) // 10) and records and all(isinstance(record, dict) for record in records):
        return _Lines(
            records,
            [
                "The last line was torn, as when a run is killed while it writes: it was left out."
                if number == lines[-1][0]
                else f"Line {number} is not complete: it was left out."
                for number in bad
            ],
        )
    try:
        # A History that was printed: {'loss': [0.5, nan, np.float64(0.4)]}. literal_eval runs nothing.
        plain = re.sub(r"\b(?:np|numpy)\.float\d+\(([^()]*)\)", r"\1", text.strip())
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            return ast.literal_eval(re.sub(r"\b(nan|inf)\b", r"'\1'", plain))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    if start == "[" and not text.rstrip().endswith("]"):
        return None
    line = f"line {problem.lineno}, column {problem.colno}"
    raise ValueError(
        f"{what} begins like JSON and is not complete or not right ({line}). Was the run killed while it wrote it?"
    )


class _Lines(list):
    """Records, one from each line, and notes on the lines that are none."""

    def __init__(self, records: list[dict], notes: list[str]) -> None:
        super().__init__(records)
        self.notes = notes


def tables_of(value: Any, what: str, *, sure: bool = False) -> dict[str, Table]:
    """Find the logs in nested dicts and lists.

    A dict with lists of numbers is a table, and so is a list of records. Those that name a loss, an accuracy or an
    epoch come before lists of numbers of any other kind.

    Args:
        value: What json.load gives, or a dict of arrays.
        what: As messages shall name it.
        sure: Whether only tables with the name of a metric or an epoch count.

    Returns:
        Where it stands ("" for the value itself, "folds.1" deeper) to table.
    """
    found: dict[str, tuple[bool, dict[str, list[Any]]]] = {}
    _walk(value, (), found)
    strong = {path: columns for path, (sure, columns) in found.items() if sure}
    chosen = strong or ({} if sure else {path: columns for path, (_, columns) in found.items()})
    # A table inside a table is an entry of it.
    chosen = {
        path: columns
        for path, columns in chosen.items()
        if not any(other != path and (not other or path.startswith(f"{other}.")) for other in chosen)
    }
    chosen = _halves(chosen)
    tables = {}
    for path, columns in chosen.items():
        table = Table(what, columns)
        table.left_out = _others(value, path, columns, chosen)
        table.notes += getattr(value, "notes", [])
        if path and len(chosen) == 1:
            table.notes.append(f"Read from {path!r}.")
        tables[path] = table
    return tables


def is_records(value: Any) -> bool:
    """Return whether a list holds records, one for each epoch or step, and not one run each."""
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(entry, Mapping) for entry in value):
        return False
    return any(is_number(cell) for entry in value for _, cell in _flat(entry))


def _walk(value: Any, path: tuple[str, ...], found: dict[str, tuple[bool, dict[str, list[Any]]]]) -> None:
    if len(path) > _DEPTH:
        return
    name = ".".join(path)
    if isinstance(value, Mapping):
        columns = _split_frame(value) or _record_rows(value)
        if columns is None:
            columns = {str(key): cells for key, entry in value.items() if (cells := _numbers(entry)) is not None}
        alone = bool(columns) and all(is_epoch(key) for key in columns)
        if columns and not (alone and any(isinstance(entry, Mapping) for entry in value.values())):
            found[name] = (any(map(is_metric_like, columns)), columns)
        for key, entry in value.items():
            if isinstance(entry, (Mapping, list, tuple)) and str(key) not in columns:
                _walk(entry, (*path, str(key)), found)
                # {"epoch": [...], "history": {...}}, the two attributes of a History.
                inner = found.get(f"{name}.{key}" if name else str(key))
                if alone and inner and not any(is_epoch(key) for key in inner[1]):
                    inner[1].update(columns)
    elif isinstance(value, (list, tuple)) and value and all(isinstance(entry, Mapping) for entry in value):
        columns = _columns_of(value)
        scalars = {key for key, cells in columns.items() if any(is_number(cell) for cell in cells)}
        if scalars:
            found[name] = (any(map(is_metric_like, scalars)), columns)
        if not any(map(is_metric_like, scalars)):
            for place, entry in enumerate(value, start=1):
                _walk(entry, (*path, str(place)), found)


def _numbers(entry: Any) -> list[Any] | None:
    """Return a list of numbers (arrays and pandas's {"0": 0.5, "1": 0.4} too), None for anything else."""
    if isinstance(entry, Mapping):
        if not entry or not all(str(key).isdigit() for key in entry):
            return None
        entry = [entry[key] for key in sorted(entry, key=lambda key: int(str(key)))]
    if isinstance(entry, (str, bytes)) or not isinstance(entry, Iterable):
        return None
    cells = list(entry)
    if any(isinstance(cell, (Mapping, list, tuple)) for cell in cells):
        return None
    # One odd cell does not make a column of texts: the column is named then, with what is wrong.
    return cells if not cells or any(is_number(cell) for cell in cells) else None


def _split_frame(value: Mapping) -> dict[str, list[Any]] | None:
    """Read pandas's orient="split"."""
    names, rows = value.get("columns"), value.get("data")
    if not (isinstance(names, list) and isinstance(rows, list) and rows):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    return {str(name): [row[place] for row in rows] for place, name in enumerate(names)}


def _record_rows(value: Mapping) -> dict[str, list[Any]] | None:
    """Read {"0": {"loss": 0.5}, "1": ...}, pandas's orient="index"."""
    numbers = [re.fullmatch(r"(?:epoch\W?_?)?(\d+)", str(key), re.IGNORECASE) for key in value]
    if not value or None in numbers or not all(isinstance(row, Mapping) for row in value.values()):
        return None
    rows = [{"epoch": int(number[1]), **row} for number, row in zip(numbers, value.values(), strict=True)]
    columns = _columns_of(rows)
    return columns if any(is_number(cell) for name in columns if name != "epoch" for cell in columns[name]) else None


def _columns_of(records: Iterable[Mapping]) -> dict[str, list[Any]]:
    """Turn records into columns, None where a record lacks a name; {"val": {"loss": 1}} becomes val_loss."""
    rows = [dict(_flat(record)) for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _flat(record: Mapping, before: str = "") -> Iterable[tuple[str, Any]]:
    for key, entry in record.items():
        if isinstance(entry, Mapping):
            half = _half(str(key), f"{key}_")
            yield from _flat(entry, before + half)
        elif isinstance(entry, (list, tuple)) and len(entry) == 1 and is_number(entry[0]):
            yield before + str(key), entry[0]
        else:
            yield before + str(key), entry


def _half(key: str, otherwise: str | None = None) -> str | None:
    """Return what stands before the metrics of a half of the data; validation_0 is XGBoost's name."""
    return HALVES.get(re.sub(r"_\d+$", "", key.lower()), otherwise)


def _halves(found: dict[str, dict[str, list[Any]]]) -> dict[str, dict[str, list[Any]]]:
    """Join tables that are the training and the validation half of one run."""
    parents: dict[str, dict[str, str]] = {}
    for path in found:
        parent, _, key = path.rpartition(".")
        half = _half(key)
        if half is not None:
            parents.setdefault(parent, {})[path] = half
    joined = dict(found)
    for parent, paths in parents.items():
        if len(paths) < 2 or len(set(paths.values())) < len(paths):
            continue
        columns: dict[str, list[Any]] = {}
        for path, prefix in paths.items():
            for name, cells in joined.pop(path).items():
                columns["epoch" if name.lower() == "epoch" else prefix + name] = cells
        joined[parent] = {**joined.get(parent, {}), **columns}
    return joined


def _others(value: Any, path: str, columns: Mapping[str, Any], chosen: Iterable[str]) -> dict[str, str]:
    """Name what stands beside a table and is not in it."""
    if not isinstance(value, Mapping) or _split_frame(value) or _record_rows(value):
        return {}
    used = {found.split(".")[0] for found in chosen} | set(columns)
    return {
        str(key): "holds other entries" if isinstance(entry, Mapping) else f"holds {describe(entry)}"
        for key, entry in value.items()
        if str(key) not in used and not ("" in chosen and _half(str(key)) is not None)
    }


def names_of(value: Any) -> str:
    """List what a value has, for a message that nothing was found."""
    if isinstance(value, Mapping):
        return listed(value) or "nothing"
    return describe(value)
