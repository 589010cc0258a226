"""Grading: assignments from the sources, submissions put right, walls, limits, the judge. A class: tests.grading."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from helpers.checks import _cell
from tests.grading.submissions import CLASS, EXERCISES, RIGHT, code
from tools.grading import assignment, behind, carry, course, limits, merge, report, sandbox, submission
from tools.grading.submission import Graded, Result

build = assignment.build
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs processes as Linux and macOS have them")


@pytest.fixture(scope="module")
def source() -> nbformat.NotebookNode:
    return assignment.notebook(assignment.lessons(["02"])[0])


@pytest.fixture(scope="module")
def release(source) -> nbformat.NotebookNode:
    return assignment.released(source)


def marks(notebook, key: str) -> list[str]:
    return [c.metadata.nbgrader.grade_id for c in notebook.cells if c.metadata.get("nbgrader", {}).get(key)]


# -- assignments -----------------------------------------------------------------------------------------------------


def test_every_exercise_is_in_an_assignment_but_those_of_the_arena():
    left_out = set()
    for path in build.sources(assignment.ROOT / "notebooks"):
        lesson = build.read_lesson(path)
        names = [build.exercise_name(cell) for cell in lesson.cells if cell.tag == "exercise"]
        try:
            made = assignment.notebook(lesson)
        except assignment.NoAssignment:
            left_out |= {lesson.number} if names else set()
            continue
        assert marks(made, "grade") == [assignment.grade_id("check", name) for name in names]
        assert marks(made, "solution") == [assignment.grade_id("answer", name) for name in names]
    assert left_out == {"10"}


def test_a_learner_gets_the_lesson_with_locked_checks_and_no_answer(release):
    lesson = assignment.lessons(["02"])[0]
    wanted = nbformat.reads(build.edition(lesson, build.learner_text), as_version=4)
    assert [cell.id for cell in release.cells] == [cell.id for cell in wanted.cells]
    for cell, other in zip(release.cells, wanted.cells, strict=True):
        exercise = assignment.exercise_of(other.source)
        assert cell.source == (f"round(10 * float({other.source}), 2)" if exercise else other.source)
        assert cell.metadata.get("nbgrader", {}).get("locked", False) == (
            bool(exercise) or "setup" in other.metadata.get("tags", [])
        )


def test_the_answers_stand_between_nbgraders_marks(source):
    text = next(cell.source for cell in source.cells if cell.source.startswith("# Exercise 02.2"))
    assert "### BEGIN SOLUTION\nepochs_run = 6\nweights_of_epoch = 4\n### END SOLUTION" in text
    assert text.startswith("# Exercise 02.2\nepochs_run = ...\nweights_of_epoch = ...\n")


@pytest.mark.parametrize(("lesson", "words"), [("10", "the arena"), ("07", "no exercises"), ("99", "no lesson 99")])
def test_what_cannot_be_graded_is_refused_in_words(lesson, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        assignment.write(tmp_path / "class", [lesson])
    assert not (tmp_path / "class").exists()


def test_a_folder_is_written_again_without_touching_what_was_handed_in(tmp_path):
    mine = tmp_path / "submitted" / "ada" / "02" / "02_early_stopping.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    for _ in range(2):
        assert assignment.write(tmp_path, ["02", "03b"]) == ["02", "03b"]
    assert mine.read_text() == "mine"
    assert len(list(tmp_path.glob("source/*/*.ipynb"))) == 2
    compile((tmp_path / "nbgrader_config.py").read_text(), "nbgrader_config.py", "exec")


# -- submissions put right -------------------------------------------------------------------------------------------


def checked(notebook, release) -> None:
    """Each check stands once, word for word, below every cell that binds what it asks for."""
    for wanted in (cell for cell in release.cells if cell.metadata.get("nbgrader", {}).get("locked")):
        places = [n for n, c in enumerate(notebook.cells) if (c.cell_type, c.source) == ("code", wanted.source)]
        assert len(places) == 1
        names = set(assignment.asked_names(wanted.source))
        binding = [n for n, cell in enumerate(notebook.cells)
                   if cell.cell_type == "code" and names & _cell.bound_names(cell.source)]  # fmt: skip
        assert all(n < places[0] for n in binding)
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@pytest.mark.filterwarnings("ignore:Non-unique cell id")
@pytest.mark.parametrize("one", [one for one in CLASS if one.text is None], ids=lambda one: one.name)
def test_every_made_up_submission_has_its_checks_in_their_places(one, release, tmp_path):
    one.write(release, tmp_path / "a.ipynb")
    there = merge.read(tmp_path / "a.ipynb")
    whole = merge.merged(release, there)
    checked(whole, release)
    locked = {cell.source for cell in release.cells if cell.metadata.get("nbgrader", {}).get("locked")}
    own = [cell.source for cell in there.cells if cell.source not in locked and not assignment.exercise_of(cell.source)]
    assert [cell.source for cell in whole.cells if cell.source not in locked] == own


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_done_to_the_cells_the_checks_come_back(seed, release):
    rng = random.Random(seed)
    notebook = nbformat.from_dict(release)
    for exercise, answer in RIGHT.items():
        notebook.cells[[c.source[:15] for c in notebook.cells].index(f"# Exercise {exercise}")].source = answer
    for _ in range(rng.randint(1, 60)):
        cells, n = notebook.cells, rng.randrange(len(notebook.cells) or 1)
        what = rng.choice(["delete", "swap", "copy", "rename", "unmark", "change", "markdown"])
        if not cells:
            cells.append(code("x = 1"))
        elif what == "delete":
            del cells[n]
        elif what == "swap":
            m = rng.randrange(len(cells))
            cells[n], cells[m] = cells[m], cells[n]
        elif what == "copy":
            cells.insert(rng.randrange(len(cells)), nbformat.from_dict(cells[n]))
        elif what == "rename":
            cells[n].id = rng.choice(["", "a b", f"mine-{n}", cells[0].id])
        elif what == "unmark":
            cells[n].metadata = {"nbgrader": rng.choice([{}, {"grade_id": "check-02-1"}, {"grade_id": 7}, "no"])}
        elif what == "change":
            cells[n].source = rng.choice(["", "1 +", "checks.check('02.1', 1)", RIGHT["02.3"]])
        else:
            cells[n] = nbformat.v4.new_markdown_cell(cells[n].source)
    clean = nbformat.v4.new_notebook(cells=[merge._clean(cell) for cell in notebook.cells])
    checked(merge.merged(release, clean), release)


@pytest.mark.parametrize(
    "text", ["", "Dear teacher", "[]", "{}", '{"cells": 1}', '{"nbformat": 9}', "\0", '{"cells": [{}]}']
)
def test_what_is_no_notebook_is_told_in_words(text, tmp_path):
    (tmp_path / "a.ipynb").write_text(text)
    with pytest.raises(merge.Unreadable, match=r"a\.ipynb is no notebook"):
        merge.read(tmp_path / "a.ipynb")
    with pytest.raises(merge.Unreadable, match=r"b\.ipynb is not there: rename a\.ipynb"):
        merge.read(tmp_path / "b.ipynb")


def test_an_import_binds_an_answer():
    runs = [_cell.Run("a", "# Exercise 02.3\nfrom teller import epoch_of_weights", None)]
    assert _cell.trouble("02.3", max, 'checks.check("02.3", epoch_of_weights)', runs) is None


# -- walls and limits ------------------------------------------------------------------------------------------------


def test_the_strongest_walls_that_work_here_are_found_and_told():
    walls = sandbox.find()  # which walked against them
    assert walls.words
    assert walls.kind in ("bwrap", "unshare", "none")
    assert sandbox.find("none").command(["a"], Path("b"), []) == ["a"]


def test_a_run_gets_a_home_of_its_own_and_no_secrets(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with sandbox.new_box() as box:
        given = sandbox.environment(box)
        inside = {name for name, value in given.items() if value.startswith(str(box))}
    assert {"HOME", "TMPDIR", "COURSE_PROGRESS", "IPYTHONDIR"} <= inside
    assert "secret" not in given.values()
    assert not box.exists()


@POSIX
@pytest.mark.parametrize(
    ("program", "budget", "words"),
    [
        ("while True: pass", {"cpu": 0.3}, "of the processor"),
        ("import time; time.sleep(60)", {"wall": 0.5}, "seconds"),
        ("import time; hog = b'x' * 300_000_000; time.sleep(60)", {"total": 200_000_000}, "of memory"),
        ("print('x' * 1_000_000)", {}, ""),
    ],
)
def test_a_run_ends_at_its_limits(program, budget, words, tmp_path):
    ended = limits.watched([sys.executable, "-c", program], dict(os.environ), tmp_path, limits.Budget(**budget))
    assert words in ended.killed
    assert bool(words) == bool(ended.killed)
    assert words or len(ended.printed) > 1_000_000


@POSIX
def test_nothing_that_a_run_started_outlives_it(tmp_path):
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(60)']"
    loose = f"import subprocess, sys; print(subprocess.Popen({sleeper}, start_new_session=True).pid)"
    given = dict(os.environ) | {"GRADING_BOX": str(tmp_path)}
    ended = limits.watched([sys.executable, "-c", loose], given, tmp_path, limits.Budget())
    until = time.monotonic() + 10
    while psutil.pid_exists(int(ended.printed)) and time.monotonic() < until:
        if psutil.Process(int(ended.printed)).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.05)
    else:
        assert not psutil.pid_exists(int(ended.printed))


def test_a_changed_course_is_noticed(tmp_path):
    there = course.copy_to(tmp_path / "course")
    assert (there / "helpers" / "checks" / "lesson02.py").read_bytes() == (
        assignment.ROOT / "helpers" / "checks" / "lesson02.py"
    ).read_bytes()
    before = set(course.changed())
    open_to_it, walled = (
        behind.Behind(sandbox.Sandbox(kind), tmp_path / "box", tmp_path, limits.Budget()) for kind in ("none", "bwrap")
    )
    new = assignment.ROOT / "tools" / "grading" / f"probe-{os.getpid()}.tmp"
    try:
        new.write_text("new")
        [name] = set(course.changed()) - before
        assert name == str(new.relative_to(assignment.ROOT))
        assert open_to_it.changed() == [f"while it ran, {name} of the course was changed"]
        # A teacher who works in the course while it grades is not taken for the learner, who could not have done it.
        assert walled.changed() == []
    finally:
        new.unlink()


# -- running and judging ---------------------------------------------------------------------------------------------

_RUN = """
import json, sys
from pathlib import Path
from tools.grading import run
from tools.grading.limits import Budget
run._GRACE = 0.5
print(json.dumps(run.run(Path(sys.argv[1]), Budget(cell_cpu=1.0, cell_wall=60))))
"""


@POSIX
def test_a_notebook_runs_to_its_end_whatever_its_cells_do(release, tmp_path):
    cells = ["open('left', 'w').write('x')", "while True:\n    print('x' * 1000)", "input('?')", RIGHT["02.2"],
             "import helpers.checks\nhelpers.checks.check = len", "import os\nos._exit(3)", "never = 1"]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=[code(text) for text in cells])
    check = next(cell for cell in release.cells if assignment.exercise_of(cell.source) == "02.2")
    notebook.cells.insert(4, check)
    with sandbox.new_box() as box:
        nbformat.write(notebook, box / "merged.ipynb")
        ran = subprocess.run([sys.executable, "-c", _RUN, str(box)], env=sandbox.environment(box), capture_output=True,
                             text=True, timeout=120)  # fmt: skip
        assert not ran.returncode, ran.stderr
        told = json.loads(ran.stdout.splitlines()[-1])
        assert carry.unpack(box / "answers" / "02.2.pickle") == ({"epochs_run": 6, "weights_of_epoch": 4}, [])
        assert (box / "work" / "left").exists()
    assert told["stopped"] == [1]
    assert told["ended"] == [6, "ended the kernel"]
    assert sum(len(str(one)) for one in told["outputs"]["1"]) < 5_000_000
    assert [error and error[0] for _, _, error in told["runs"]] == [
        None, "KeyboardInterrupt", "StdinNotImplementedError", None, None, None,
    ]  # fmt: skip


_FUNCTIONS = {
    "right": RIGHT["02.3"],
    "leaves": "import os\ndef epoch_of_weights(stopper, history):\n    os._exit(0)",
    "patches": """def epoch_of_weights(stopper, history):
    from helpers.checks import _core, lesson02
    lesson02.wrong = lambda message, credit=0.0: _core.right()
    return 1""",
    "forges": """def epoch_of_weights(stopper, history):
    import os
    for number in range(40):
        try:
            os.write(number, b'{"status": "right", "credit": 1.0}\\n')
        except OSError:
            pass
    os._exit(0)""",
}
# Unpacking it changes what the check compares with.
_BENDS = """class Bends:
    def __reduce__(self):
        return exec, ("import helpers.checks.lesson02 as l; l.BY_HAND = (1.0, 0.9, 0.8)",)
epochs_run = weights_of_epoch = Bends()"""
_JUDGE = """
import json, sys
from pathlib import Path
from tools.grading import carry, judge, seal
judge._core.registered("02")
box, seal = Path(sys.argv[1]), seal.Seal()
found = {}
for name, task in json.load(sys.stdin).items():
    namespace = {"__name__": "__main__"}
    exec(task["code"], namespace)
    carry.pack(str(box / "answers" / f"{task['exercise']}.pickle"), task["names"], namespace)
    found[name] = judge.in_fork(task, box, seal)
print(json.dumps(found))
"""


def _task(release, exercise: str, answer: str, error: list[str] | None = None) -> dict:
    cell = next(cell for cell in release.cells if assignment.exercise_of(cell.source) == exercise)
    runs = [["a", f"# Exercise {exercise}\n{answer}", error]]
    return {"exercise": exercise, "code": answer, "source": cell.source, "names": assignment.asked_names(cell.source),
            "expression": assignment.answer_code(cell.source), "runs": runs}  # fmt: skip


@POSIX
def test_the_judge_cannot_be_judged_by_an_answer(release):
    tasks = {name: _task(release, "02.3", answer) for name, answer in _FUNCTIONS.items()}
    tasks["bends"] = _task(release, "02.2", _BENDS)
    tasks["half"] = _task(release, "02.2", "epochs_run = weights_of_epoch = 6")
    tasks["stub"] = _task(release, "02.2", "epochs_run = weights_of_epoch = ...")
    tasks["unbound"] = _task(release, "02.2", "epochs_run = 6")
    tasks["stale"] = _task(release, "02.2", RIGHT["02.2"], ["ZeroDivisionError", "division by zero"])
    tasks["open"] = _task(release, "02.2", "epochs_run = weights_of_epoch = __import__('threading').Lock()")
    with sandbox.new_box() as box:
        (box / "answers").mkdir()
        ran = subprocess.run([sys.executable, "-c", _JUDGE, str(box)], env=sandbox.environment(box), text=True,
                             input=json.dumps(tasks), capture_output=True, timeout=170)  # fmt: skip
    found = json.loads(ran.stdout)
    credits = {name: one.get("credit") for name, one in found.items()}
    nothing = dict.fromkeys(["bends", "leaves", "patches", "forges", "open"])
    assert credits == nothing | {"right": 1.0, "half": 0.5, "stub": 0.0, "unbound": 0.0, "stale": 0.0}
    assert "ended the process" in found["leaves"]["why"]
    assert "changed helpers.checks.lesson02.wrong" in found["patches"]["why"]
    assert "changed helpers.checks.lesson02.BY_HAND" in found["bends"]["why"]
    assert "verdict of its own" in found["forges"]["why"]
    assert "cannot be taken out" in found["open"]["why"]
    assert "The cell above failed" in found["stale"]["text"]
    assert "ZeroDivisionError" in found["stale"]["html"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"ended": 1}', '{"ended": null, "replaced": [], "runs": [1], "outputs": {}, "stopped": []}'],
)
def test_a_forged_word_of_a_run_is_held_to_its_form(text):
    assert behind.read_told(text, ("note",)) == behind.Told(
        "the notebook ended the program that ran it", notes=("note",)
    )


@POSIX
def test_links_and_pipes_in_the_box_are_not_read(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    assert [behind._read_plain(tmp_path / name) for name in ("link", "pipe", "none", "secret")] == [*[""] * 3, "secret"]


# -- results and the table -------------------------------------------------------------------------------------------


def test_a_gap_is_no_zero():
    graded = tuple(Graded(exercise, points, "") for exercise, points in zip(EXERCISES, (10.0, 7.5, 0.0), strict=True))
    rows = [
        report.row("02", "ada", Result("02", "ada", exercises=graded)),
        report.row("02", "bea", Result("02", "bea", "cell 3 ended the kernel", graded[:2], ("asked the network",))),
        report.row("02", "cem", None),
    ]
    assert [row["score"] for row in rows] == [17.5, "", ""]
    assert [row["status"] for row in rows] == ["graded", "not graded", "not graded"]
    told = report.table(rows)
    assert "17.5 of 30" in told
    assert "cell 3 ended the kernel; asked the network" in told
    assert "nothing was handed in" in told
    assert told.endswith("1 of 3 graded.")


def test_a_result_is_kept_until_the_submission_changes(tmp_path, monkeypatch):
    assignment.write(tmp_path, ["02"])
    here = submission.paths(tmp_path, "02", "noa")
    here.submitted.parent.mkdir(parents=True)
    here.submitted.write_text("Dear teacher")
    first = submission.grade(tmp_path, "02", "noa", sandbox.find("none"), limits.Budget())
    assert "no notebook" in first.why
    assert first.score is None
    assert [one.points for one in first.exercises] == [None] * 3
    assert submission.load(tmp_path, "02", "noa") == first
    monkeypatch.setattr(merge, "read", None)  # nothing is read a second time
    assert submission.grade(tmp_path, "02", "noa", sandbox.find("none"), limits.Budget()) == first
    here.submitted.write_text("Dear teacher, please")
    with pytest.raises(TypeError):
        submission.grade(tmp_path, "02", "noa", sandbox.find("none"), limits.Budget())


def test_nbgraders_books_tell_a_gap_from_a_zero_until_points_are_given_by_hand(tmp_path, monkeypatch, release):
    pytest.importorskip("nbgrader")
    from nbgrader.api import Gradebook

    from tools.grading import group

    points = {"ada": (10.0, 7.5, 0.0), "bea": (10.0, None, None), "cem": None}

    def judged(folder, lesson, student, walls, budget):
        here = submission.paths(folder, lesson, student)
        graded = tuple(Graded(one, n, "") for one, n in zip(EXERCISES, points[student] or [None] * 3, strict=True))
        result = Result(lesson, student, "" if student == "ada" else "it ended", graded, key="1")
        here.result.parent.mkdir(parents=True, exist_ok=True)
        if points[student]:
            whole = merge.merged(release, merge.read(here.submitted))
            for (number, _), one in zip(submission._checks(whole), graded, strict=True):
                if one.points is not None:
                    submission._put_card(whole.cells[number], {"html": f"<b>{one}</b>", "text": "why"}, one.points)
            nbformat.write(whole, here.judged)
        submission.keep(here, result)
        return result

    monkeypatch.setattr(submission, "grade", judged)
    assignment.write(tmp_path, ["02"])
    group.release(tmp_path, ["02"])
    for name in points:
        here = submission.paths(tmp_path, "02", name).submitted
        here.parent.mkdir(parents=True)
        nbformat.write(release, here)

    def scores() -> dict:
        rows = group.grade(tmp_path, ["02"], sandbox.find("none"), limits.Budget(), 2, lambda result: None)
        return {row["student"]: row["score"] for row in rows}

    assert scores() == {"ada": 17.5, "bea": "", "cem": ""}
    page = (tmp_path / "feedback" / "ada" / "02" / "02_early_stopping.html").read_text(encoding="utf-8")
    assert "Score: 7.5 / 10.0" in page
    assert "<b>Graded(exercise='02.2'" in page
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        for check, by_hand in (("check-02-2", 5.0), ("check-02-3", 0.0)):
            grade = gradebook.find_grade(check, "02_early_stopping", "02", "bea")
            assert grade.needs_manual_grade
            grade.manual_score, grade.needs_manual_grade = by_hand, False
        gradebook.db.commit()
    assert scores() == {"ada": 17.5, "bea": 15.0, "cem": ""}
    assert (tmp_path / "grades.csv").read_text().count("not graded") == 1


def test_the_command_says_what_to_do(tmp_path, capsys):
    pytest.importorskip("nbgrader")
    from tools.grading import __main__ as command

    assert command.main(["grade", str(tmp_path)]) == 1
    assert "submitted" in capsys.readouterr().err
    assert command.main(["assignments", str(assignment.ROOT / "class")]) == 1
    assert "beside" in capsys.readouterr().err
