"""A lesson as nbgrader wants it: answers between BEGIN and END SOLUTION, locked check cells that give points."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "notebooks"))
import build  # noqa: E402  (a script of the course, no package)

POINTS = 10
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
SCHEMA = 3
NO_GRADES = (
    "Lesson {0} is not graded: its checks take what a run of the arena measured, some minutes of training on two cores "
    "each. TEACHING.md says how a class compares its reports."
)
CONFIG = '''"""Written by `make assignments`. Grade with `make grade`, or with nbgrader's own commands."""

import sys

sys.path.insert(0, {root!r})  # where the course is; write this folder anew when you have moved it

from tools.grading import plugins

c = get_config()  # noqa: F821  (nbgrader gives it)
c.CourseDirectory.course_id = "keras-callbacks"
plugins.configure(c)
'''


def grade_id(kind: str, exercise: str) -> str:
    """Return what nbgrader calls a cell: "answer-02-1" or "check-02-1"; it takes no full stop."""
    return f"{kind}-{exercise.replace('.', '-')}"


class NoAssignment(ValueError):
    """A lesson cannot be graded; the message says why."""


def exercise_of(source: str) -> str | None:
    """Return the exercise that a check cell checks, such as "02.1"; None for any other code."""
    call = _check_call(source)
    return call.args[0].value if call else None


def asked_names(source: str) -> tuple[str, ...]:
    """Return the names of a check cell that the learner's answer binds."""
    call = _check_call(source)
    return tuple(dict.fromkeys(n.id for n in ast.walk(call.args[1]) if isinstance(n, ast.Name))) if call else ()


def answer_code(source: str) -> str:
    """Return the expression that a check cell hands over, such as `(epochs_run, weights_of_epoch)`."""
    call = _check_call(source)
    if call is None:
        raise ValueError(f"No check in this cell: {source!r}")
    return ast.unparse(call.args[1])


@cache
def _check_call(source: str) -> ast.Call | None:
    tree = build.parse(source) if "checks.check(" in source else None
    for node in ast.walk(tree) if tree else ():
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "checks.check"
            and len(node.args) > 1
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            return node
    return None


def notebook(lesson: build.Lesson) -> nbformat.NotebookNode:
    """Return the teacher's version of an assignment, with answers, from which nbgrader makes the release.

    Raises:
        NoAssignment: the lesson has no exercise, or its checks measure instead of judging.
    """
    cells = []
    for cell, cell_id in zip(lesson.cells, build.cell_ids(lesson.cells), strict=True):
        text = build.learner_text(cell, lesson)
        if text is None:
            continue
        metadata = {"tags": [cell.tag]} if cell.tag else {}
        exercise = exercise_of(text) if cell.kind == "code" else None
        if cell.tag == "exercise":
            stub, answer = build.cut(cell.text)
            text = f"{stub}\n{BEGIN}\n{answer}\n{END}"
            metadata["nbgrader"] = _metadata(grade_id("answer", build.exercise_name(cell)), solution=True)
        elif exercise:
            _refuse_calls(lesson, text)
            # A check's card says why; the number that this line ends with is what nbgrader writes down.
            text = f"round({POINTS} * float({text}), 2)"
            metadata["nbgrader"] = _metadata(grade_id("check", exercise), grade=True, points=POINTS)
        elif cell.tag == "setup":
            metadata["nbgrader"] = _metadata(f"setup-{lesson.number}")
        make = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        cells.append(make(text, id=cell_id, metadata=metadata))
    if not any(cell.metadata.get("nbgrader", {}).get("grade") for cell in cells):
        raise NoAssignment(f"Lesson {lesson.number} has no exercises, so there is nothing to grade in it.")
    made = nbformat.v4.new_notebook(cells=cells, metadata=build.METADATA)
    made.nbformat_minor = 5
    nbformat.validate(made)
    return made


def _metadata(grade_id: str, *, grade: bool = False, solution: bool = False, points: int | None = None) -> dict:
    found = {"grade": grade, "solution": solution, "locked": not solution, "task": False, "grade_id": grade_id}
    return found | {"schema_version": SCHEMA} | ({"points": points} if points is not None else {})


def _refuse_calls(lesson: build.Lesson, text: str) -> None:
    if any(isinstance(node, ast.Call) for node in ast.walk(ast.parse(answer_code(text)))):
        raise NoAssignment(NO_GRADES.format(lesson.number))


def released(made: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return what learners get: the same notebook without the answers. Nbgrader's release has the same cells."""
    release = nbformat.from_dict(made)
    for cell in release.cells:
        cell.source = re.sub(rf"(?ms)^{BEGIN}\n.*?^{END}\n?", "", cell.source).rstrip("\n")
    return release


def lessons(names: list[str]) -> list[build.Lesson]:
    """Read the sources of the named lessons; without names, of all that can be graded.

    Raises:
        ValueError: there is no such lesson, or a named one cannot be graded.
    """
    found = []
    for source in build.sources(ROOT / "notebooks", names):
        lesson = build.read_lesson(source)
        try:
            notebook(lesson)
        except NoAssignment:
            if names:
                raise
            continue
        found.append(lesson)
    return found


def write(folder: Path, names: list[str]) -> list[str]:
    """Write nbgrader's configuration and the source of each assignment into `folder`; return the assignments' names.

    An assignment is called like its lesson, "02". What is there already is written anew; submissions stay.
    """
    chosen = lessons(names)
    folder.mkdir(parents=True, exist_ok=True)
    build.write_whole(folder / "nbgrader_config.py", CONFIG.format(root=str(ROOT)).encode())
    (folder / "submitted").mkdir(exist_ok=True)
    for lesson in chosen:
        path = folder / "source" / lesson.number / f"{lesson.name}.ipynb"
        build.write_whole(path, (nbformat.writes(notebook(lesson)) + "\n").encode())
    return [lesson.number for lesson in chosen]
