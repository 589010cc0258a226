"""One submission: put right, run, judged; with the outcome in a file, and the notebook that nbgrader goes on with."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from . import assignment, course, merge, sandbox
from .behind import Behind
from .limits import Budget

__all__ = ["Graded", "Result", "grade", "keep", "load", "paths"]

VERSION = 1
LARGEST = 50_000_000  # bytes that may be handed in beside the notebook


@dataclass(frozen=True)
class Graded:
    """One exercise: its points out of `assignment.POINTS`, None where there is no verdict; and what was found."""

    exercise: str
    points: float | None
    status: str


@dataclass(frozen=True)
class Result:
    """What came of one submission.

    Attributes:
        assignment: such as "02".
        student: as nbgrader calls them.
        why: why it is not graded; empty where every exercise has a verdict.
        exercises: in the order of the notebook.
        notes: what a teacher should know besides: cells that were stopped, attempts to write outside.
        key: of the submission and the course that this was found with.
        cpu: the processor seconds that it took.
    """

    assignment: str
    student: str
    why: str = ""
    exercises: tuple[Graded, ...] = ()
    notes: tuple[str, ...] = field(default=())
    key: str = ""
    cpu: float = 0.0

    @property
    def score(self) -> float | None:
        """The sum of the points; None where it is not graded."""
        return None if self.why else round(sum(one.points for one in self.exercises), 2)

    @property
    def most(self) -> int:
        """The points that there were to get."""
        return assignment.POINTS * len(self.exercises)


@dataclass(frozen=True)
class Paths:
    """Where the files of one submission lie in nbgrader's folder."""

    folder: Path
    release: Path
    submitted: Path
    judged: Path
    result: Path

    @property
    def entered(self) -> Path:
        """What says that the gradebook is in step: it holds the key of the result that nbgrader took."""
        return self.result.with_suffix(".entered")

    @property
    def refused(self) -> Path:
        """What says that nbgrader did not take the result."""
        return self.result.with_suffix(".refused")


def paths(folder: Path, lesson: str, student: str) -> Paths:
    """Return the files of a submission. `source` is read for the release, since learners may hold an older one."""
    sources = sorted((folder / "source" / lesson).glob("*.ipynb"))
    if len(sources) != 1:
        raise ValueError(f"There is no assignment {lesson} in {folder}: run `make assignments` first.")
    kept = folder / "judged" / lesson
    submitted = folder / "submitted" / student / lesson / sources[0].name
    return Paths(folder, sources[0], submitted, kept / f"{student}.ipynb", kept / f"{student}.json")


def load(folder: Path, lesson: str, student: str) -> Result | None:
    """Return the kept result of a submission, None where there is none of this version."""
    try:
        kept = json.loads(paths(folder, lesson, student).result.read_text(encoding="utf-8"))
        if kept.pop("version") != VERSION:
            return None
        kept["exercises"] = tuple(Graded(**one) for one in kept["exercises"])
        return Result(**kept | {"notes": tuple(kept["notes"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def grade(folder: Path, lesson: str, student: str, walls: sandbox.Sandbox, budget: Budget) -> Result:
    """Return what comes of one submission; a kept result is good while neither it nor the course has changed."""
    here = paths(folder, lesson, student)
    key = _key(here)
    kept = load(folder, lesson, student)
    if kept is not None and kept.key == key and (kept.why or here.judged.exists()):
        return kept
    release = assignment.released(nbformat.read(here.release, as_version=4))
    try:
        notebook = merge.merged(release, merge.read(here.submitted))
        result, judged = _run_and_judge(here, notebook, Result(lesson, student, key=key), walls, budget)
    except merge.Unreadable as error:
        result, judged = Result(lesson, student, str(error), _unjudged(release), key=key), None
    here.judged.unlink(missing_ok=True)
    keep(here, result)
    if judged is not None:
        nbformat.write(judged, here.judged)
    return result


def keep(here: Paths, result: Result) -> None:
    """Write a result into its file."""
    here.result.parent.mkdir(parents=True, exist_ok=True)
    assignment.build.write_whole(here.result, json.dumps({"version": VERSION} | asdict(result), indent=1).encode())


def _key(here: Paths) -> str:
    digest = hashlib.sha256(course.fingerprint().encode())
    for path in (here.release, *sorted(here.submitted.parent.rglob("*"))):
        if path.is_file() and not path.is_symlink():
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _checks(notebook: nbformat.NotebookNode) -> list[tuple[int, str]]:
    """Return the number and the exercise of each check cell."""
    found = [(n, assignment.exercise_of(cell.source)) for n, cell in enumerate(notebook.cells)
             if cell.metadata.get("nbgrader", {}).get("grade")]  # fmt: skip
    return [(number, exercise) for number, exercise in found if exercise]


def _unjudged(notebook: nbformat.NotebookNode) -> tuple[Graded, ...]:
    return tuple(Graded(exercise, None, "no verdict") for _, exercise in _checks(notebook))


def _run_and_judge(
    here: Paths, notebook: nbformat.NotebookNode, result: Result, walls: sandbox.Sandbox, budget: Budget
) -> tuple[Result, nbformat.NotebookNode]:
    """Run a notebook and judge it, both behind walls; return the result and the notebook with outputs and cards."""
    with sandbox.new_box() as box:
        nbformat.write(notebook, box / "merged.ipynb")
        _copy_beside(here.submitted, box / "work")
        there = Behind(walls, box, here.folder, budget)
        told = there.run()
        checks = _checks(notebook)
        verdicts = there.judge([(exercise, notebook.cells[n].source) for n, exercise in checks], told.runs)
        notes = [*told.notes, *(f"{_place(notebook, n)} was stopped: it took too long" for n in told.stopped)]
        notes += there.changed()
    ended = f"{_place(notebook, told.ended_in)} {told.ended}" if told.ended_in is not None else told.ended
    _put_outputs(notebook, told.outputs)
    exercises, why = [], ""
    for number, exercise in checks:
        one = verdicts.get(exercise, {"why": ended or f"the answer to {exercise} was not packed"})
        why = why or one.get("why", "")
        points = None if "why" in one else round(assignment.POINTS * float(one["credit"]), 2)
        exercises.append(Graded(exercise, points, one.get("status", "no verdict")))
        if points is not None:
            _put_card(notebook.cells[number], one, points)
    if ended and not why:  # it broke off below its last check
        notes.append(ended)
    found = {"why": why, "exercises": tuple(exercises), "notes": tuple(notes), "cpu": round(there.cpu, 1)}
    return replace(result, **found), notebook


def _copy_beside(submitted: Path, work: Path) -> None:
    """Copy what was handed in along with the notebook, such as a module of the learner's own; links stay behind."""
    left = LARGEST
    for path in sorted(submitted.parent.rglob("*")):
        if path == submitted or path.is_symlink() or not path.is_file() or path.stat().st_size > left:
            continue
        left -= path.stat().st_size
        target = work / path.relative_to(submitted.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _place(notebook: nbformat.NotebookNode, number: int) -> str:
    """Name a cell for a teacher: by its exercise where it answers one."""
    if number >= len(notebook.cells):
        return "a cell"
    mark = notebook.cells[number].metadata.get("nbgrader", {}).get("grade_id", "")
    exercise = mark.removeprefix("answer-").replace("-", ".")
    return f"the cell of exercise {exercise}" if mark.startswith("answer-") else f"cell {number + 1}"


def _put_outputs(notebook: nbformat.NotebookNode, outputs: dict[str, Any]) -> None:
    """Put under cells what the run says that they printed, where it is what a notebook may hold."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or assignment.exercise_of(cell.source):
            continue
        try:
            cell.outputs = nbformat.from_dict(outputs.get(str(number), []))
            nbformat.validate(cell, ref="code_cell", version=4)
        except Exception:  # whatever a forged file leads to
            cell.outputs = []


def _put_card(cell: nbformat.NotebookNode, verdict: dict[str, Any], points: float) -> None:
    """Put the judge's card and the number under a check; nbgrader takes the number for the points."""
    card = {"text/html": verdict["html"], "text/plain": verdict["text"]}
    cell.outputs = [
        nbformat.v4.new_output("display_data", data=card),
        nbformat.v4.new_output("execute_result", data={"text/plain": f"{points:g}"}, execution_count=1),
    ]
    cell.execution_count = 1
