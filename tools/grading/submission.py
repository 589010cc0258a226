"""One submission: put right, run, judged; with the outcome in a file, and the notebook that nbgrader goes on with."""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from . import assignment, course, merge, sandbox
from .limits import Budget, Ended, watched

__all__ = ["Graded", "Result", "grade", "load", "paths", "refuse"]

VERSION = 1


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
    """

    assignment: str
    student: str
    why: str = ""
    exercises: tuple[Graded, ...] = ()
    notes: tuple[str, ...] = field(default=())
    key: str = ""

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

    release: Path
    submitted: Path
    judged: Path
    result: Path


def paths(folder: Path, lesson: str, student: str) -> Paths:
    """Return the files of a submission. `source` is read for the release, since learners may hold an older one."""
    sources = sorted((folder / "source" / lesson).glob("*.ipynb"))
    if len(sources) != 1:
        raise ValueError(f"There is no assignment {lesson} in {folder}: run `make assignments` first.")
    kept = folder / "judged" / lesson
    return Paths(sources[0], folder / "submitted" / student / lesson / sources[0].name, kept / f"{student}.ipynb",
                 kept / f"{student}.json")  # fmt: skip


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
        result, judged = _run_and_judge(folder, notebook, Result(lesson, student, key=key), walls, budget)
    except merge.Unreadable as error:
        result, judged = Result(lesson, student, str(error), _unjudged(release), key=key), None
    here.result.parent.mkdir(parents=True, exist_ok=True)
    here.judged.unlink(missing_ok=True)
    if judged is not None:
        nbformat.write(judged, here.judged)
    _keep(here, result)
    return result


def refuse(folder: Path, result: Result, why: str) -> None:
    """Keep a result as not graded after all."""
    _keep(paths(folder, result.assignment, result.student), replace(result, why=why))


def _keep(here: Paths, result: Result) -> None:
    assignment.build.write_whole(here.result, json.dumps({"version": VERSION} | asdict(result), indent=1).encode())


def _key(here: Paths) -> str:
    digest = hashlib.sha256(course.fingerprint().encode())
    for path in (here.release, here.submitted):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def _checks(notebook: nbformat.NotebookNode) -> list[tuple[int, str]]:
    """Return the number and the exercise of each check cell."""
    found = [(n, assignment.exercise_of(cell.source)) for n, cell in enumerate(notebook.cells)
             if cell.metadata.get("nbgrader", {}).get("grade")]  # fmt: skip
    return [(number, exercise) for number, exercise in found if exercise]


def _unjudged(notebook: nbformat.NotebookNode) -> tuple[Graded, ...]:
    return tuple(Graded(exercise, None, "no verdict") for _, exercise in _checks(notebook))


def _run_and_judge(
    folder: Path, notebook: nbformat.NotebookNode, result: Result, walls: sandbox.Sandbox, budget: Budget
) -> tuple[Result, nbformat.NotebookNode]:
    """Run a notebook and judge it, both behind walls; return the result and the notebook with outputs and cards."""
    with sandbox.new_box() as box:
        nbformat.write(notebook, box / "merged.ipynb")
        there = _There(folder, box, walls, budget)
        told, ended = there.run()
        notes = _wrote(box)
        notes += [f"replaced {', '.join(map(str, told['replaced'][:3]))}, in vain"] if told["replaced"] else []
        notes += [f"{_place(notebook, n)} was stopped: it took too long" for n in told["stopped"]]
        _put_outputs(notebook, told["outputs"])
        verdicts = {} if ended else there.judge(notebook, told["runs"])
        notes += there.changed()
    if told["ended"]:
        number, how = told["ended"]
        ended = f"{_place(notebook, number)} {how}" if number >= 0 else f"it could not be run: {how}"
    if not ended:
        ended = next((one["why"] for one in verdicts.values() if "why" in one), "")
    exercises = []
    for number, exercise in _checks(notebook):
        one = verdicts.get(exercise, {"why": ended})
        points = None if "why" in one else round(assignment.POINTS * float(one["credit"]), 2)
        exercises.append(Graded(exercise, points, one.get("status", "no verdict")))
        if points is not None:
            _put_card(notebook.cells[number], one, points)
    return replace(result, why=ended, exercises=tuple(exercises), notes=tuple(notes)), notebook


class _There:
    """The two programs behind the walls, each with the course as it was when grading began."""

    def __init__(self, folder: Path, box: Path, walls: sandbox.Sandbox, budget: Budget):
        self._folder, self._box, self._walls, self._budget = folder, box, walls, budget
        self._changed = set(course.changed())

    def _watched(self, module: str, *more: str, said: str = "") -> Ended:
        root = assignment.ROOT
        if self._walls.kind == "none":  # what one of them writes into its copy is gone with it
            root = course.copy_to(self._box.with_name(module))
        program = [sys.executable, "-m", f"tools.grading.{module}", str(self._box), *more]
        command = self._walls.command(program, self._box, [self._folder])
        return watched(command, sandbox.environment(self._box, root), root, self._budget, said)

    def run(self) -> tuple[dict[str, Any], str]:
        """Run the notebook in the box; return what it told, and why it has to be given up, or nothing."""
        ran = self._watched("run", json.dumps(self._budget.as_dict()))
        empty: dict[str, Any] = {"outputs": {}, "runs": [], "ended": None, "stopped": [], "replaced": []}
        if ran.killed:
            return empty, f"the notebook {ran.killed}"
        try:
            told = empty | json.loads((self._box / "executed.json").read_text(encoding="utf-8"))
            return told, "ended" if told["ended"] else ""
        except (OSError, ValueError, TypeError):
            return empty, "the notebook ended the program that ran it"

    def judge(self, notebook: nbformat.NotebookNode, runs: list) -> dict[str, dict[str, Any]]:
        """Judge the answers in the box; return a verdict, or why there is none, for each exercise."""
        checks, tasks = _checks(notebook), []
        for number, exercise in checks:
            source = notebook.cells[number].source
            before = list(itertools.takewhile(lambda run, source=source: run[1] != source, runs))
            tasks.append({"exercise": exercise, "source": source, "runs": before,
                          "expression": assignment.answer_code(source)})  # fmt: skip
        ran = self._watched("judge", said=json.dumps({"tasks": tasks, "memory": self._budget.memory}))
        try:
            return dict(zip([exercise for _, exercise in checks], json.loads(ran.printed), strict=True))
        except (ValueError, TypeError):
            why = f"judging it {ran.killed}" if ran.killed else "an answer ended the judge"
            return {exercise: {"why": why} for _, exercise in checks}

    def changed(self) -> list[str]:
        """Say which files of the course this submission changed, where no walls kept it from that."""
        return [f"changed {name} of the course" for name in course.changed() if name not in self._changed]


def _wrote(box: Path) -> list[str]:
    try:
        return sorted({line[:200] for line in (box / "wrote.txt").read_text(errors="replace").splitlines()})[:5]
    except OSError:
        return []


def _place(notebook: nbformat.NotebookNode, number: int) -> str:
    """Name a cell for a teacher: by its exercise where it answers one."""
    mark = notebook.cells[number].metadata.get("nbgrader", {}).get("grade_id", "")
    exercise = mark.removeprefix("answer-").replace("-", ".")
    return f"the cell of exercise {exercise}" if mark.startswith("answer-") else f"cell {number + 1}"


def _put_outputs(notebook: nbformat.NotebookNode, outputs: dict[str, Any]) -> None:
    """Put what the run says that cells printed under them, where it is what a notebook may hold."""
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
