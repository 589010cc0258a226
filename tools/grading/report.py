"""The table of a class: who is graded, with which points, and who is not, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .submission import Result

__all__ = ["handed_in", "line", "row", "table"]


def handed_in(folder: Path, lesson: str) -> list[str]:
    """Return the names of those who handed something in, as the folders in `submitted` are called."""
    return sorted(path.parent.name for path in (folder / "submitted").glob(f"*/{lesson}") if path.is_dir())


def row(lesson: str, student: str, result: Result | None) -> dict[str, Any]:
    """Return the line of one submission; an empty score is a gap, and no zero."""
    if result is None:
        return {"assignment": lesson, "student": student, "status": "not graded", "why": "nothing was handed in",
                "score": "", "max_score": "", "notes": ""}  # fmt: skip
    found: dict[str, Any] = {
        "assignment": lesson,
        "student": student,
        "status": "not graded" if result.why else "graded",
        "why": result.why,
        "score": "" if result.score is None else result.score,
        "max_score": result.most,
        "notes": "; ".join(result.notes),
    }
    return found | {one.exercise: "" if one.points is None else one.points for one in result.exercises}


def line(result: Result) -> str:
    """Say in a line what came of one submission, while the others are still at work."""
    said = f"not graded: {result.why}" if result.why else f"{result.score:g} of {result.most}"
    return "; ".join([f"{result.assignment} {result.student}: {said}", *result.notes])


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows for a terminal, those without points last in sight."""
    lines = []
    width = max([len(one["student"]) for one in rows], default=0)
    for one in sorted(rows, key=lambda one: (one["assignment"], one["status"] != "graded", one["student"])):
        points = f"{one['score']:g} of {one['max_score']}" if one["status"] == "graded" else "not graded"
        more = "; ".join(filter(None, (one["why"] if one["status"] != "graded" else "", one["notes"])))
        lines.append(f"{one['assignment']}  {one['student']:{width}}  {points:12} {more}".rstrip())
    graded = sum(one["status"] == "graded" for one in rows)
    return "\n".join([*lines, f"{graded} of {len(rows)} graded."])
