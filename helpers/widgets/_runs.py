"""Runs for the explorer: those that can be explored, and a sentence for each that cannot."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from helpers import history
from helpers.history import Run


def read_runs(source: Any, monitor: str) -> dict[str, Run]:
    """Read one run or several, as `history.read_runs` does, and say of each whether it can be explored.

    Args:
        source: As in `history.read_runs`.
        monitor: The metric that the explorer is about.

    Raises:
        ValueError: If not a single run can be explored; the message says why not and what was found.
        FileNotFoundError: If a path does not exist.
    """
    runs = {name: _judged(run, monitor) for name, run in history.read_runs(source, monitor=monitor).items()}
    problems = [run.problem for run in runs.values() if run.problem]
    if len(problems) == len(runs):
        others = len(problems) - 1
        more = f" ({others} other run{'s' * (others != 1)} cannot be shown either.)" if others else ""
        raise ValueError(problems[0] + more)
    return runs


def _judged(run: Run, monitor: str) -> Run:
    try:
        values = run.metric(monitor)
    except ValueError as error:
        return dataclasses.replace(run, problem=str(error))
    return dataclasses.replace(run, problem=_problem(run.name, values, monitor, run))


def _problem(name: str, values: list[float | None], monitor: str, log: Run) -> str:
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
