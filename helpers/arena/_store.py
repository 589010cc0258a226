"""Where a learner's reports are kept: one JSON file each, in a folder next to the progress file."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from helpers.checks import _progress

from ._report import Report

__all__ = ["keep", "load", "read_all", "reports"]


def folder() -> Path:
    """Return the folder of the reports, which may not exist yet."""
    progress = _progress.path()
    return progress.with_name(f"{progress.stem}-arena")


def keep(report: Report) -> str:
    """Store a report under the next number; return a sentence if that is not possible, and otherwise nothing."""
    here = folder()
    try:
        here.mkdir(parents=True, exist_ok=True)
        number = max((int(path.stem) for path in here.glob("*.json") if path.stem.isdigit()), default=0) + 1
        while True:
            path = here / f"{number:03d}.json"
            # Made before it is written, so that another kernel takes another number.
            with contextlib.suppress(FileExistsError), path.open("x"):
                report.save(path)
                return ""
            number += 1
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return f"This report could not be kept ({reason}); `report.save(path)` writes it elsewhere."


def load(path: str | Path) -> Report:
    """Read a report that `Report.save` wrote.

    Raises:
        ValueError: the file holds no report; the message says what is wrong.
        OSError: it cannot be read.
    """
    try:
        return Report.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except ValueError as problem:
        raise ValueError(f"{path} cannot be read as a report of the arena: {problem}.") from problem


def read_all(place: Path) -> tuple[list[tuple[Path, Report]], list[str]]:
    """Return the reports below a folder with their paths, and a sentence for each JSON file that is none."""
    found, problems = [], []
    for path in sorted(place.rglob("*.json")):
        try:
            found.append((path, load(path)))
        except (ValueError, OSError) as problem:
            problems.append(str(problem))
    return found, problems


def reports() -> list[Report]:
    """Return all reports of this learner, oldest first; files that cannot be read are left out."""
    return [report for _, report in read_all(folder())[0]]
