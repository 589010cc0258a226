"""Runs for the explorer, from whatever a person has: a History, lists, files, folders, or many of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import history as histories
from helpers.widgets import _events

Log = dict[str, list[float | None]]


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        name: As the chooser shows it.
        log: The metric and its partner on the other half of the data, one value per epoch, and the column `epoch`.
        values: The monitored metric.
        first: Number of the first epoch, 0 unless the fit resumed.
        problem: Why the run cannot be explored, as a sentence; "" if it can.
    """

    name: str
    log: Log
    values: list[float | None]
    first: int = 0
    problem: str = ""


def read_runs(source: Any, monitor: str) -> dict[str, Run]:
    """Read one run or several.

    Args:
        source: A Keras `History`, a dict of lists, a list of numbers, a `CSVLogger` file, a TensorBoard event file; a
            folder of such files; or a list, or a dict by name, of any of these.
        monitor: The metric that the explorer is about.

    Returns:
        Name to run, in the order given (files of a folder in natural order).

    Raises:
        ValueError: If not a single run can be explored; the message says why not and what was found.
        FileNotFoundError: If a path does not exist.
    """
    runs: dict[str, Run] = {}
    for name, thing in _things(source):
        while name in runs:
            name += "'"
        runs[name] = _run(name, thing, monitor)
    if not runs:
        raise ValueError("There is no run: the list is empty.")
    problems = [run.problem for run in runs.values() if run.problem]
    if len(problems) == len(runs):
        others = len(problems) - 1
        more = f" ({others} other run{'s' * (others != 1)} cannot be shown either.)" if others else ""
        raise ValueError(problems[0] + more)
    return runs


def _things(source: Any) -> list[tuple[str, Any]]:
    """Return pairs of a name and something that `history.read_history` understands."""
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


def _run(name: str, thing: Any, monitor: str) -> Run:
    try:
        log = histories.read_history(thing, monitor=monitor)
        values = histories.metric(log, monitor)
    except FileNotFoundError:
        raise
    except ValueError as error:
        return Run(name, {}, [], problem=str(error))
    base = monitor.removeprefix("val_")
    first = histories.first_epoch(thing)
    kept = {metric: log[metric] for metric in (base, f"val_{base}") if metric in log}
    kept["epoch"] = list(range(first, first + len(values)))
    return Run(name, kept, values, first, _problem(name, values, monitor, log))


def _problem(name: str, values: list[float | None], monitor: str, log: Log) -> str:
    """Say why there is nothing to explore, or nothing."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        found = _count(values)
        others = ", ".join(metric for metric in log if metric != monitor)
        return f"{monitor} is never a number in {name!r}: {found}." + (
            f" The log also has: {others}." if others else ""
        )
    if len(values) < 2:
        return (
            f"There is only one epoch in {name!r} ({monitor} {finite[0]:.4g}): EarlyStopping never stops after the "
            "first epoch, so there is nothing to explore. Train for more epochs."
        )
    return ""


def _count(values: Iterable[float | None]) -> str:
    """Count what stands where numbers belong: `3 epochs with NaN, 1 without a value`."""
    kinds = {"NaN": 0, "infinity": 0, "no value": 0}
    for value in values:
        kinds["no value" if value is None else "NaN" if math.isnan(value) else "infinity"] += 1
    return ", ".join(f"{count} epoch{'s' * (count != 1)} with {kind}" for kind, count in kinds.items() if count)
