"""A class: judge all submissions, a few at a time, then let nbgrader write gradebook, feedback and export."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from . import limits, plugins, report, submission
from .limits import Budget
from .sandbox import Sandbox
from .submission import Result

__all__ = ["NbgraderError", "grade", "release"]

_SECONDS = 300  # nbgrader needs a few for a notebook


class NbgraderError(RuntimeError):
    """Nbgrader refused something; the message is the end of its log."""


def _nbgrader(folder: Path) -> NbGraderAPI:
    beside = str(Path(sys.executable).parent)  # nbgrader starts the command `alembic` of its environment by name
    if beside not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", "")])
    c = Config()
    c.CourseDirectory.root = str(folder.resolve())
    c.CourseDirectory.course_id = "keras-callbacks"
    plugins.configure(c)
    return NbGraderAPI(CourseDirectory(config=c), config=c)


def _did(answer: dict) -> None:
    if not answer["success"]:
        said = [
            answer.get("log") or answer.get("error") or "",
            *re.findall(r"(?m)^ *(\S*Error: .*)", answer.get("log") or ""),
        ]
        raise NbgraderError(f"Nbgrader refused: {said[-1].strip()[-500:]}")


def release(folder: Path, lessons: Iterable[str]) -> None:
    """Let nbgrader make the release of each assignment, and note its cells in the gradebook.

    Raises:
        NbgraderError: it refused.
    """
    api = _nbgrader(folder)
    for lesson in lessons:
        _did(api.generate_assignment(lesson, force=True, create=True))


def grade(
    folder: Path, lessons: Iterable[str], walls: Sandbox, budget: Budget, jobs: int, tell: Callable[[Result], None]
) -> list[dict]:
    """Grade all submissions of some assignments; `tell` hears of each as it is judged. Return the table's rows."""
    handed_in = [(lesson, student) for lesson in lessons for student in report.handed_in(folder, lesson)]

    def judge(one: tuple[str, str]) -> Result:
        try:
            result = submission.grade(folder, *one, walls, budget)
        except limits.Interrupted:
            raise
        except Exception as error:  # a strange submission must not keep the others from being graded
            result = Result(*one, f"grading it broke ({type(error).__name__}: {error})")
            submission.keep(submission.paths(folder, *one), result)
        tell(result)
        return result

    pool = ThreadPoolExecutor(jobs)
    try:
        results = list(pool.map(judge, handed_in))
    except BaseException:
        limits.stopping.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    for result in results:
        _enter(folder, result)
    api = _nbgrader(folder)
    with Gradebook(api.coursedir.db_url) as gradebook, chdir(folder):
        plugins.Export(parent=api).export(gradebook)
        return plugins.rows(Path.cwd(), gradebook)


def _enter(folder: Path, result: Result) -> None:
    """Bring gradebook and feedback in step with a result, in a process of its own that is killed when it hangs.

    What is in step already stays, with the points that a teacher gave by hand.
    """
    here = submission.paths(folder, result.assignment, result.student)
    if result.key and here.entered.exists() and here.entered.read_text() == result.key:
        return
    here.entered.unlink(missing_ok=True)
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    process = context.Process(target=_book, args=(folder, result))
    process.start()
    process.join(_SECONDS)
    if process.exitcode != 0:
        process.kill()
        process.join()
        here.refused.touch()
        return
    here.refused.unlink(missing_ok=True)
    here.entered.write_text(result.key)


def _book(folder: Path, result: Result) -> None:
    api, here = _nbgrader(folder), submission.paths(folder, result.assignment, result.student)
    place = {"assignment_id": result.assignment, "student_id": result.student}
    here.result.parent.mkdir(parents=True, exist_ok=True)
    with here.result.with_suffix(".log").open("w") as file, redirect_stdout(file), redirect_stderr(file):
        for kind in ("autograded", "feedback"):
            shutil.rmtree(folder / kind / result.student / result.assignment, ignore_errors=True)
        if not here.judged.exists():
            with Gradebook(api.coursedir.db_url) as gradebook, suppress(MissingEntry):
                gradebook.remove_submission(result.assignment, result.student)
            return
        answers = [api.autograde(**place, force=True, create=True)]
        if not result.why:
            answers.append(api.generate_feedback(**place, force=True))
        for answer in answers:
            print(answer.get("log") or answer.get("error") or "")
            _did(answer)
