"""Runs for the explorer: those that can be explored, and a sentence for each that cannot."""

from __future__ import annotations

import dataclasses
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
    found = history.read_runs(source, monitor=monitor)
    runs = {name: dataclasses.replace(run, problem=run.unfit(monitor)) for name, run in found.items()}
    problems = [run.problem for run in runs.values() if run.problem]
    if len(problems) == len(runs):
        others = len(problems) - 1
        more = f" ({others} other run{'s' * (others != 1)} cannot be shown either.)" if others else ""
        raise ValueError(problems[0] + more)
    return runs
