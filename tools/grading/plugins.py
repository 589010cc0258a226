"""Nbgrader's hooks: an autograde that takes what was judged, and an export that tells a gap from a zero."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import preprocessors
from nbgrader.api import Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors.base import NbGraderPreprocessor

from . import report, sandbox, submission
from .limits import Budget

__all__ = ["Export", "Judged", "Points", "configure", "rows"]


class NotGradedError(RuntimeError):
    """There is no verdict on a submission; the message says why."""


class Judged(NbGraderPreprocessor):
    """Takes the place of nbgrader's own execution: the cells with the outputs and cards that the judge gave them."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict[str, Any]) -> tuple[nbformat.NotebookNode, dict]:
        """Return the judged notebook of the submission; nbgrader stands in its own folder meanwhile."""
        names, folder = resources["nbgrader"], Path.cwd()
        result = submission.grade(folder, names["assignment"], names["student"], sandbox.find(), Budget())
        judged = submission.paths(folder, names["assignment"], names["student"]).judged
        if not judged.exists():
            raise NotGradedError(f"{result.student} is not graded: {result.why}.")
        return nbformat.read(judged, as_version=4), resources


class Points(preprocessors.SaveAutoGrades):
    """Notes the points down; a check without a verdict waits for points by hand, where nbgrader would give it all."""

    def _add_score(self, cell: nbformat.NotebookNode, resources: dict[str, Any]) -> None:
        if cell.outputs:
            super()._add_score(cell, resources)
            return
        place = (cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(*place)
        grade.auto_score, grade.needs_manual_grade = None, grade.manual_score is None
        self.gradebook.db.commit()


class Export(ExportPlugin):
    """Writes a line for each submission: its points as the gradebook has them, or no points and the reason."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table as CSV."""
        found = rows(Path.cwd(), gradebook)
        names = list(dict.fromkeys(name for row in found for name in row))
        with Path(self.to or "grades.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(found)


def rows(folder: Path, gradebook: Gradebook) -> list[dict[str, Any]]:
    """Return the table of a class, a row for each assignment and student.

    A score is the gradebook's, so that points which a teacher gave by hand count. Who has a check without a verdict and
    without points by hand has none.
    """
    found = []
    for work in gradebook.assignments:
        for student in sorted({*report.handed_in(folder, work.name), *(one.id for one in gradebook.students)}):
            result = submission.load(folder, work.name, student)
            row = report.row(work.name, student, result)
            if submission.paths(folder, work.name, student).refused.exists():
                why = f"nbgrader did not take it: judged/{work.name}/{student}.log"
                found.append(row | {"status": "not graded", "why": why, "score": ""})
                continue
            with suppress(MissingEntry):
                book = gradebook.find_submission(work.name, student)
                if not _waits(book):
                    score = max(0.0, book.score - (book.late_submission_penalty or 0))
                    row |= {"status": "graded", "score": round(score, 2)}
            found.append(row)
    return found


def _waits(book: SubmittedAssignment) -> bool:
    """Say whether a check has neither a verdict nor points by hand."""
    grades = [grade for notebook in book.notebooks for grade in notebook.grades]
    return any(grade.auto_score is None and grade.manual_score is None for grade in grades)


def configure(c: Any) -> None:
    """Set nbgrader's options; `nbgrader_config.py` in the folder of a class calls this."""
    c.ClearSolutions.code_stub = {"python": ""}  # the stub above the answer stays
    c.Autograde.sanitize_preprocessors = [
        Judged,
        preprocessors.OverwriteKernelspec,
        preprocessors.OverwriteCells,
        preprocessors.CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        preprocessors.LimitOutput,
        Points,
        preprocessors.AssignLatePenalties,
        preprocessors.CheckCellMetadata,
    ]
    c.ExportApp.plugin_class = Export
