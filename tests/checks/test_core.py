from __future__ import annotations

import dataclasses
import json
import re
import warnings

import keras
import nbformat
import numpy as np
import pytest
from cases import TEXTS, Cases, audit, faults, learner, words
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from helpers import checks, lesson, questions
from helpers.checks import _blame, _core, _progress, scripted
from helpers.checks._core import Outcome, Wrong, exercise, right, wrong


@pytest.fixture
def checker(lesson90):
    """Register checkers for lesson 90: 90.1 wants the number two, 90.2 drives a callback."""

    @exercise("90.1")
    def two(answer):
        if answer == 2:
            return right("Two it is.")
        if answer == 3:
            raise Wrong("That is one too many.")
        return wrong(f"{answer} is far off.")

    @exercise("90.2")
    def driven(answer):
        record = scripted.drive(answer, [3, 2, 1, 2, 3, 4, 5])
        return right("It stops.") if record.epochs_run == 5 else wrong(f"It ran {record.epochs_run} epochs.")


@pytest.mark.parametrize(
    ("answer", "status", "message", "heading"),
    [
        (2, "right", "Two it is.", "Right."),
        (3, "wrong", "That is one too many.", "Not yet."),
        (9, "wrong", "9 is far off.", "Not yet."),
        (..., "not attempted", "", "Not attempted yet."),
        (None, "not attempted", "", "Not attempted yet."),
        (
            (2, ...),
            "not attempted",
            "Number 2 of the 2 things that the check looks at is still `...`.",
            "Not attempted yet.",
        ),
        (
            (2, None),
            "not attempted",
            "Number 2 of the 2 things that the check looks at is None: what was assigned to it gives nothing back.",
            "Not attempted yet.",
        ),
        ([None], "not attempted", "", "Not attempted yet."),
        ({"a": ...}, "not attempted", "", "Not attempted yet."),
    ],
)
def test_outcomes(checker, capsys, answer, status, message, heading):
    outcome = checks.check("90.1", answer)
    assert (outcome.exercise, outcome.status, outcome.message, outcome.heading) == ("90.1", status, message, heading)
    shown = capsys.readouterr().out
    assert shown == f"{outcome}\n"
    assert f"Exercise 90.1: {heading}" in shown
    assert message in shown
    assert heading in outcome.to_html()
    assert ("checks.hint" in shown) == (status == "wrong")


def test_an_outcome_is_frozen_and_one_of_four():
    outcome = Outcome("90.1", "right", "Yes.")
    assert outcome == Outcome("90.1", "right", "Yes.")
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome.status = "wrong"
    with pytest.raises(ValueError, match="right, wrong, not attempted, raised"):
        Outcome("90.1", "maybe", "")


def test_no_answer_at_all(checker):
    assert checks.check("90.1").status == "not attempted"


@pytest.mark.parametrize(
    ("source", "stub"),
    [
        ("class answer(keras.callbacks.Callback): ...", True),
        ("class answer(keras.callbacks.Callback):\n    '''Stops.'''", True),
        ("class answer(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        ...", True),
        (
            "class answer(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        '''x'''",
            True,
        ),
        ("class X(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None): pass\nanswer = X()", True),
        ("class answer(keras.callbacks.EarlyStopping):\n    patience = 3", False),
        ("class X(keras.callbacks.EarlyStopping): pass\nanswer = X()", False),
        (
            "class answer(keras.callbacks.Callback):\n    def on_train_begin(self, logs=None):\n        self.n = 0",
            False,
        ),
        ("def answer(logs): ...", True),
        ("def answer(logs):\n    return None", True),
        ("def answer(logs):\n    return 0", False),
        ("def answer(logs):\n    raise NotImplementedError", False),
        ("answer = lambda epoch: epoch", False),
        ("answer = EarlyStopping()", False),
        ("answer = 0", False),
        ("answer = ''", False),
        ("answer = []", False),
        ("answer = np.zeros(3)", False),
    ],
)
def test_untouched_stubs(source, stub):
    assert _core.untouched(learner(source)()) is stub


@pytest.mark.parametrize(
    ("line", "idle"),
    [
        ("logs['a'] == 1", True), ("self.model.stop_training == True", True), ("x = logs['a'] == 1", False),
        ("self.stop = 0 < logs['a'] == 1", False), ("if logs['a'] == 1: self.n = 1", False),
        ("self.n = 1 if logs == {} else 2", False), ("logs['a'] < 1", False), ("print(logs == {})", False),
    ],
)  # fmt: skip
def test_a_comparison_in_the_place_of_an_assignment_is_shown(line, idle):
    method = f"class answer(Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        {line}"
    for source in (method, f"def answer(self, logs):\n    {line}"):
        told = _blame.idle_comparison(learner(source)())
        assert bool(told) is idle
        assert not idle or line in told


def test_progress_counts_tries_and_solutions(checker):
    for answer in (..., 3, 2, 9):
        checks.check("90.1", answer)
    assert _progress.read()["exercises"]["90.1"]["tries"] == 3
    assert _progress.solved() == {"90.1"}


@pytest.mark.parametrize(("answer", "raises"), [(2, False), (3, True), (..., True)])
def test_strict_for_the_solutions_edition(checker, monkeypatch, answer, raises):
    monkeypatch.setenv("COURSE_STRICT", "1")
    if raises:
        with pytest.raises(AssertionError, match=r"Exercise 90\.1: Not"):
            checks.check("90.1", answer)
    else:
        assert checks.check("90.1", answer).status == "right"


def test_a_class_made_with_an_argument_it_does_not_take(lesson90):
    @exercise("90.1")
    def compares(answer):
        return right() if scripted.compare(answer) is None else wrong("")

    source = (
        "class answer(keras.callbacks.Callback):\n    def __init__(self, monitor, mode):\n        super().__init__()"
    )
    outcome = checks.check("90.1", learner(source)())
    assert outcome.heading == "Your code raised TypeError."
    assert "which it does not take. It takes: `monitor`, `mode`." in outcome.message
    assert "def __init__(self, monitor, mode):" in outcome.message
    assert "It happened with `val_loss` = " in outcome.message


def test_unknown_exercises_list_what_exists(checker):
    with pytest.raises(ValueError, match=re.escape("Lesson 90 has no exercise '90.7'. It has: 90.1, 90.2.")):
        checks.check("90.7", 2)
    with pytest.raises(ValueError, match=r"no exercise '99.1': lesson 99 has none. Lessons with exercises: .*90"):
        checks.check("99.1", 2)
    with pytest.raises(ValueError, match="does not name an exercise"):
        checks.check("ninety", 2)
    assert _progress.read()["exercises"] == {}


def test_two_checkers_for_one_exercise(checker):
    with pytest.raises(ValueError, match=r"Exercise 90\.1 has two checkers"):

        @exercise("90.1")
        def other(answer): ...


def test_prints_and_warnings_of_the_answer_are_tamed(lesson90, capsys):
    @exercise("90.1")
    def talks(answer):
        return wrong("No.") if answer() else right()

    def loud():
        warnings.warn("red lines", stacklevel=1)
        for number in range(30):
            print("line", number)
        return True

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = checks.check("90.1", loud)
    assert outcome.printed.splitlines() == [*(f"line {n}" for n in range(8)), "... and 22 more lines"]
    assert "line 7" in capsys.readouterr().out


# What learners' code raises: the source of the answer, what must be said, and the line that must be shown.
RAISING = {
    "own line": (
        """
        class answer(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                self.model.stop_training = 1 / 0
        """,
        ["ZeroDivisionError: division by zero", "In your code, line 3:"],
        "self.model.stop_training = 1 / 0",
    ),
    "missing logs": (
        """
        class answer(keras.callbacks.Callback):
            def on_epoch_end(self, epoch):
                self.epoch = epoch
        """,
        ["TypeError", "def on_epoch_end(self, epoch, logs=None):"],
        "def on_epoch_end(self, epoch):",
    ),
    "missing epoch": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_begin(self): self.best = None
        """,
        ["def on_train_begin(self, logs=None):"],
        "def on_train_begin(self)",
    ),
    "logs by another name": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_batch_begin(self, batch, info=None):
                self.batch = batch
        """,
        ["def on_train_batch_begin(self, batch, logs=None):", "passes `logs` by name"],
        "def on_train_batch_begin(self, batch, info=None):",
    ),
    "forgot super": (
        """
        class answer(keras.callbacks.EarlyStopping):
            def __init__(self):
                self.calls = 0
        """,
        ["AttributeError", "does not call `super().__init__()`"],
        None,
    ),
    "not reset": (
        """
        class answer(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                self.wait = self.wait + 1
        """,
        ["`self.wait` was read before it was set", "`on_train_begin`"],
        "self.wait = self.wait + 1",
    ),
    "misspelt attribute": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.best_loss = 9
            def on_epoch_end(self, epoch, logs=None):
                self.wait = self.bestloss
        """,
        ["Or did you mean `self.best_loss`?"],
        "self.wait = self.bestloss",
    ),
    "comparing with None": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.best = None
            def on_epoch_end(self, epoch, logs=None):
                if logs["val_loss"] < self.best:
                    self.best = logs["val_loss"]
        """,
        ["one side is None"],
        'if logs["val_loss"] < self.best:',
    ),
    "metric not there": (
        """
        class answer(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                self.loss = logs["val_loss"]
        """,
        ["KeyError: 'val_loss'", "there is no 'val_loss' in the dictionary at that moment"],
        'self.loss = logs["val_loss"]',
    ),
    "model set by hand": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.model = None
        """,
        ["AttributeError", "it cannot be set"],
        "self.model = None",
    ),
    "optimizer.lr": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.rate = self.model.optimizer.lr
        """,
        ["`lr` is gone from Keras 3"],
        "self.rate = self.model.optimizer.lr",
    ),
    "validation_data": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.x = self.validation_data
        """,
        ["Keras 3 gives callbacks no `validation_data`"],
        "self.x = self.validation_data",
    ),
    "unknown name": (
        """
        class answer(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                patience + 1
        """,
        ["NameError", "`patience` is not known there"],
        "patience + 1",
    ),
    "unbound": (
        """
        class answer(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                wait += 1
        """,
        ["UnboundLocalError", "before it got a value"],
        "wait += 1",
    ),
    "not scripted": (
        """
        class answer(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                self.model.summary()
        """,
        ["AttributeError: This scripted model has no `summary`"],
        "self.model.summary()",
    ),
    "lambda": (
        "answer = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch: None)",
        ["TypeError", "other number of arguments", "In your code, line 1:"],
        "answer = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch: None)",
    ),
}


@pytest.mark.parametrize("name", RAISING)
def test_what_learners_raise(checker, name):
    source, sentences, line = RAISING[name]
    if name == "logs by another name":

        @exercise("90.3")
        def with_batches(answer):
            scripted.drive(answer, [1, 2], batches=2)
            return right()

    outcome = checks.check("90.3" if name == "logs by another name" else "90.2", _instance(learner(source)()))
    assert outcome.status == "raised"
    assert not outcome.broken, outcome.message
    for sentence in sentences:
        assert sentence in outcome.message
    if line is None:
        assert outcome.heading == "Keras raised AttributeError while it used your answer."
    else:
        assert outcome.heading.startswith("Your code raised ")
        assert line in outcome.message
    assert _progress.solved() == frozenset()


def _instance(answer):
    return answer() if isinstance(answer, type) else answer


def test_settings_that_keras_refuses_are_told_as_keras_s(checker):
    outcome = checks.check("90.2", keras.callbacks.EarlyStopping(monitor="val_loss", patience="2"))
    assert outcome.status == "raised"
    assert outcome.heading == "Keras raised TypeError while it used your answer."
    assert "`patience` should be a number, without quotes or brackets; yours is `'2'`." in outcome.message


def test_a_function_called_with_other_arguments(lesson90):
    @exercise("90.1")
    def calls(answer):
        return right() if answer(epoch=3) else wrong("")

    outcome = checks.check("90.1", learner("def answer(patience):\n    return patience")())
    assert outcome.heading == "Your code raised TypeError."
    assert "`epoch=`" in outcome.message
    assert "It takes: `patience`." in outcome.message
    assert "def answer(patience):" in outcome.message


@pytest.mark.parametrize("fault", ["crash", "library", "nothing", "stand-in"])
def test_a_broken_check_does_not_blame_the_learner(lesson90, fault):
    @exercise("90.1")
    def broken(answer):
        if fault == "crash":
            raise ZeroDivisionError("in the check")
        if fault == "library":
            np.zeros(2).reshape(3)
            json.loads("{")
        if fault == "stand-in":
            # Keras asks the course's model for something that the model should have had.
            callback = keras.callbacks.ModelCheckpoint("x.keras")
            callback.set_model(type("Half", (), {"__module__": "helpers.checks.scripted", "optimizer": None})())
            callback.on_epoch_end(0, {})
        return "right"

    outcome = checks.check("90.1", 2)
    assert outcome.broken
    assert outcome.heading == "The check itself broke."
    assert "a mistake in the course, not in your answer" in outcome.message
    assert "Your code" not in str(outcome)
    assert _progress.read()["exercises"] == {}


def test_misspelt_hooks():
    found = learner(
        "class answer(keras.callbacks.Callback):\n    def on_epochs_end(self, epoch, logs=None): return 1"
    )()
    assert _blame.misspelt_hooks(found) == {"on_epochs_end": "on_epoch_end"}
    assert _blame.misspelt_hooks(keras.callbacks.EarlyStopping()) == {}


def test_hooks_and_signatures_are_those_of_keras():
    hooks = {name for name in dir(keras.callbacks.Callback) if name.startswith("on_")}
    assert set(_blame.HOOKS) == hooks
    import inspect

    for name, signature in _blame.HOOKS.items():
        assert str(inspect.signature(getattr(keras.callbacks.Callback, name))) == signature


def test_hints_come_one_by_one(checker, capsys):
    assert [checks.hint("90.1").texts for _ in range(3)] == [
        ("Look at `patience`.",),
        ("It is a number of epochs.",),
        ("Two.",),
    ]
    said = capsys.readouterr().out
    assert said.count("once more gives the next") == 2
    assert said.count("checks.solution") == 1
    again = checks.hint("90.1")
    assert len(again.texts) == 3
    assert "Hint 2 of 3: It is a number of epochs." in str(again)
    assert "It has: 90.1, 90.2" in str(checks.hint("90.9"))
    for asked in (("ninety",), ()):
        assert "does not name an exercise" in str(checks.hint(*asked))
        assert "does not name an exercise" in str(checks.solution(*asked))


def notebook(folder, *cells: str, name: str = "90_test.ipynb"):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    folder.mkdir(exist_ok=True)
    nbformat.write(book, folder / name)


@pytest.mark.parametrize(
    "cell",
    [
        "# Exercise 90.1\nn = ...\n# solution\nn = 2\n# two epochs",
        "# Exercise 90.1\nn = 2\n# two epochs\n",
        "# Exercise 90.1: wait for two\n\nn = 2\n# two epochs",
    ],
)
def test_solution_reads_the_solutions_edition(lesson90, tmp_path, monkeypatch, capsys, cell):
    monkeypatch.setattr(_core, "SOLUTIONS", tmp_path / "solutions")
    notebook(tmp_path / "solutions", "# Exercise 90.10\nn = 10", "x = 1\n# Exercise 90.1\nn = 0", cell)
    shown = checks.solution("90.1")
    assert shown.code == "n = 2\n# two epochs"
    assert shown.reason == "It waits for **two** epochs."
    assert "n = 2" in capsys.readouterr().out
    assert "<strong>two</strong>" in shown.to_html()


def test_a_missing_solution_says_how_to_get_it(lesson90, tmp_path, monkeypatch):
    monkeypatch.setattr(_core, "SOLUTIONS", tmp_path / "solutions")
    for _ in range(2):
        said = str(checks.solution("90.1"))
        assert "no answer to exercise 90.1" in said
        assert "`make notebooks`" in said
        notebook(tmp_path / "solutions", "# Exercise 90.1\nn = ...\n# solution")
        (tmp_path / "solutions" / "90_damaged.ipynb").write_text("{")


def test_expect_error(capsys):
    with checks.expect_error(ValueError, match="invalid literal") as caught:
        int("x")
    assert isinstance(caught.error, ValueError)
    assert capsys.readouterr().out.startswith("As expected, ValueError: invalid literal for int()")
    with checks.expect_error((KeyError, LookupError)):
        raise IndexError("subclasses count")


def test_expect_error_fails_when_nothing_or_another_is_raised():
    with pytest.raises(AssertionError, match=r"Expected ValueError, but nothing was raised\."):
        expect(None, ValueError)
    with pytest.raises(AssertionError, match="Expected ValueError, but KeyError was raised: 'x'"):
        expect(KeyError("x"), ValueError)
    with pytest.raises(AssertionError, match="does not match 'patience': no"):
        expect(ValueError("no"), ValueError, match="patience")
    with pytest.raises(KeyboardInterrupt):
        expect(KeyboardInterrupt(), ValueError)
    with pytest.raises(TypeError, match="takes an exception type"):
        checks.expect_error("ValueError")


def expect(error: BaseException | None, *args, **kwargs) -> None:
    with checks.expect_error(*args, **kwargs):
        if error is not None:
            raise error


def test_progress_table(checker):
    checks.check("90.1", 2)
    _progress.record_prediction("90.a", 1, "Four", True)
    table = checks.progress()
    (row,) = table.lessons
    assert (row.solved, row.exercises, row.predicted, row.predicted_right) == (
        ("90.1",),
        ("90.1", "90.2"),
        ("90.a",),
        1,
    )
    assert words(str(table)).endswith("90 A lesson for the tests 1 of 2 (left: 90.2) 1 of 1 (1 right)")
    assert '<th scope="row"' in table.to_html()
    assert table.solved == 1


def test_a_code_to_read_out(checker, monkeypatch):
    monkeypatch.setattr(lesson, "_begun", None)
    checks.check("90.1", 2)
    assert str(checks.code("90")) == "90: 1 of 2, predictions 0 of 1"
    _progress.record_prediction("90.a", 1, "Four", True)
    assert str(checks.code()).startswith("Which lesson?")
    assert '"02")`: 90' in str(checks.code("91"))
    monkeypatch.setattr(lesson, "_begun", "90")
    assert str(checks.code()) == "90: 1 of 2, predictions 1 of 1"
    # A part shares the texts of its lesson; what was answered after the run is no prediction.
    _progress.set_aside()
    _progress.record_reveal("90.a")
    _progress.record_prediction("90.a", 1, "Four", True)
    assert str(checks.code("90b")) == "90: 0 of 2, predictions 0 of 1"


def test_progress_adds_up_credits(lesson90):
    @exercise("90.1")
    def partly(answer):
        return wrong("Half of it is right.", credit=0.5)

    checks.check("90.1", 2)
    table = checks.progress()
    assert table.lessons[0].points == 0.5
    assert "0 of 2, 0.5 points" in words(str(table))


def test_reset(checker, capsys):
    checks.check("90.1", 2)
    checks.hint("90.1")
    checks.reset_progress()
    assert "`progress.set-aside-1.json`" in capsys.readouterr().out
    assert checks.progress().solved == 0
    assert checks.hint("90.1").first == 1
    checks.reset_progress()


def test_tables_of_answers_find_faults(checker):
    def made(*values):
        return tuple((lambda value=value: value) for value in values)

    wrongs = ((lambda: 3, "too many"), (lambda: 9, "9 is"), (lambda: 8, "8 is"))
    assert faults(Cases("90.1", right=made(2, 2.0), wrong=wrongs)) == []
    assert "fewer than two right" in faults(Cases("90.1", right=made(2), wrong=wrongs))[0]
    assert "fewer than three wrong" in faults(Cases("90.1", right=made(2, 2.0), wrong=wrongs[:2]))[0]
    assert "right answer 2 was wrong" in faults(Cases("90.1", right=made(2, 9), wrong=wrongs))[0]
    assert "('far') was right" in faults(Cases("90.1", right=made(2, 2.0), wrong=(*wrongs, (lambda: 2, "far"))))[0]
    assert "should say 'few'" in faults(Cases("90.1", right=made(2, 2.0), wrong=(*wrongs, (lambda: 1, "few"))))[0]
    assert faults(Cases("90.1", right=made(2, 2.0), wrong=(*wrongs, (lambda: 7, "")))) == [
        "wrong answer 4 names no piece of its message"
    ]
    none = faults(Cases("90.1", right=made(2, 2.0), wrong=wrongs, raised=((lambda: 5, "Error"),)))
    assert "raising answer 1 ('Error') was wrong" in none[0]


def test_the_audit_names_what_is_missing(checker, lesson90, tmp_path):
    full = Cases("90.1", right=(int, int), wrong=((int, "a"), (int, "b"), (int, "c")))
    tables = {"90.1": full, "90.2": dataclasses.replace(full, exercise="90.2")}
    notebook(tmp_path / "solutions", "# Exercise 90.1\nn = 2", "# Exercise 90.2\nn = 3")
    places = {"texts": lesson90, "solutions": tmp_path / "solutions"}
    assert audit(["90"], tables, **places) == []
    assert audit(["90"], {"90.1": full}, **places) == ["90.2 has no table in tests/checks/test_lesson90.py"]
    thin = {**tables, "90.1": dataclasses.replace(full, wrong=full.wrong[:2])}
    assert audit(["90"], thin, **places) == ["90.1 has fewer than two right or three wrong answers in its table"]
    assert audit(["90"], tables, **places, registered=lambda lesson: ["90.1"]) == ["90.2 has no checker"]
    more = audit(["90"], tables, **places, registered=lambda lesson: ["90.1", "90.2", "90.3"])
    assert more[0] == "90.3 has no title, hints and reason in data/lessons"
    assert len(more) == 3
    notebook(tmp_path / "solutions", "# Exercise 90.1\nn = 2")
    assert [fault[:6] for fault in audit(["90"], tables, **places)] == ["90.2: "]
    assert audit(["91"], {}, texts=lesson90) == ["lesson 91: There is no lesson '91'. Lessons with questions: 90."]


SETUP = """
from pathlib import Path
from helpers import checks, questions, widgets
from helpers.checks import _core, _progress
questions.FOLDER = Path({folder!r})

@_core.exercise("90.1")
def checker(answer):
    return _core.right("Good.") if answer() == 2 else _core.wrong("No.")
"""


@pytest.fixture(scope="module")
def in_a_kernel(tmp_path_factory):
    """Run cells in a real kernel and return the executed notebook."""
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "90.toml").write_text(TEXTS)
    cells = [
        SETUP.format(folder=str(folder)),
        'checks.check("90.1", lambda: 2)',
        'outcome = checks.check("90.1", lambda: 3)',
        "outcome",
        'checks.check("90.1", ...)\nNone',
        'checks.check("90.1", lambda: 1); checks.check("90.1", lambda: 2)',
        'def answer():\n    a = 1\n    return a / 0\nchecks.check("90.1", answer)',
        'checks.hint("90.1")',
        "with checks.expect_error(ZeroDivisionError):\n    1 / 0",
        "checks.progress()",
        'widgets.predict("90.a")',
        'widgets.predict("90.a").commit(0)',
        'widgets.reveal("90.a")',
        "_progress.path().write_text('{{')\nchecks.progress()",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.replace("{{", "{")) for cell in cells])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(folder / "progress.json"))
        return NotebookClient(book, timeout=120).execute()


def shown(book, number: int) -> list[str]:
    return [output["data"]["text/plain"] for output in book.cells[number].outputs]


def test_each_outcome_shows_exactly_once_in_a_kernel(in_a_kernel):
    assert shown(in_a_kernel, 1) == ["Exercise 90.1: Right.\nGood."]
    (wrong_once,) = shown(in_a_kernel, 2)
    assert wrong_once.startswith("Exercise 90.1: Not yet.\nNo.")
    assert shown(in_a_kernel, 3) == [wrong_once]
    assert len(shown(in_a_kernel, 4)) == 1
    assert [text.splitlines()[0] for text in shown(in_a_kernel, 5)] == [
        "Exercise 90.1: Not yet.",
        "Exercise 90.1: Right.",
    ]
    assert len(shown(in_a_kernel, 7)) == len(shown(in_a_kernel, 8)) == len(shown(in_a_kernel, 9)) == 1
    assert all(output["data"]["text/html"].startswith("<div") for output in in_a_kernel.cells[1].outputs)


def test_a_raised_outcome_names_cell_and_line(in_a_kernel):
    (text,) = shown(in_a_kernel, 6)
    assert "Your code raised ZeroDivisionError." in text
    assert "In your cell [7], line 3:" in text
    assert "return a / 0" in text


def test_a_prediction_in_a_kernel_and_in_a_static_page(in_a_kernel):
    first, committed = (in_a_kernel.cells[number].outputs[0]["data"] for number in (10, 11))
    assert "application/vnd.jupyter.widget-view+json" in first
    assert "How many epochs does `patience=2` run?" in first["text/plain"]
    assert committed["text/plain"].endswith("Committed to A.")
    bare = nbformat.from_dict({**in_a_kernel, "metadata": {}})
    page, _ = HTMLExporter().from_notebook_node(bare)
    assert "<li>Four</li>" in page
    assert "Patience is counted from the best epoch." in page


def test_a_damaged_file_is_told_in_the_notebook(in_a_kernel):
    assert any("`progress.damaged-1.json`" in text for text in shown(in_a_kernel, 13))
    assert questions.FOLDER.name == "lessons"
