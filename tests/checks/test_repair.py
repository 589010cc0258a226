"""One change that makes an answer right: which are found, what is said, and that nothing else is."""

from __future__ import annotations

import keras
import pytest
from cases import learner

from helpers import checks
from helpers.checks import _core, _guard, _repair
from helpers.checks._core import exercise, right, wrong
from helpers.checks.scripted import drive

CURVES = ([0.9, 0.5, 0.6, 0.4, 0.7], [0.3, 0.2, 0.2, 0.5], [1.0], [0.5, 0.6, float("nan"), 0.1])
HEAD = "class answer(Callback):\n    def __init__(self):\n        super().__init__()\n        self.best = {0}\n"


@pytest.fixture(autouse=True)
def _exercises(lesson90):
    @exercise("90.1", pieces={"len({0})": "the number of values"})
    def place_of_the_lowest(answer):
        for curve in CURVES[:3]:
            if answer(list(curve)) != curve.index(min(curve)) + 1:
                return wrong("Another place.", guess="Look for the lowest value.")
        return right("Yes.")

    @exercise("90.2")
    def lowest_in_each_fit(answer):
        callback = answer() if isinstance(answer, type) else answer
        for curve in (CURVES[0], [3.0, 2.0, 5.0]):
            drive(callback, curve)
            if getattr(callback, "best", None) != min(curve):
                return wrong(f"The best is {getattr(callback, 'best', None)}.", guess="Keep the lowest.")
        return right("Yes.")


FUNCTIONS = {
    "def answer(values):\n    return values.index(max(values)) + 1": "`max(values)` should be `min(values)`.",
    "def answer(values):\n    return values.index(min(values))": "`values.index(min(values)) + 1` belongs there",
    "answer = lambda values: values.index(min(values)) + 2": "should be",
    "def answer(values):\n    place = values.index(min(values)) + 1\n    print(place)": "`return place`",
    "def answer(values):\n    best = 0\n    for n, v in enumerate(values):\n        if v > values[best]:\n"
    "            best = n\n    return best + 1": "`<` belongs there, not `>`",
    "def answer(values):\n    best = 0\n    for n, v in enumerate(values):\n        if v < values[best]:\n"
    "            best = n\n        return best + 1": "belongs behind the loop",
    "numbers = [5.0, 1.0]\ndef answer(values):\n    return numbers.index(min(numbers)) + 1": (
        "a name from outside: `numbers`"
    ),
    "def lowest(v):\n    return max(v)\ndef answer(values):\n    return values.index(lowest(values)) + 1": "`min(v)`",
}


@pytest.mark.parametrize("source", FUNCTIONS)
def test_a_change_to_a_function_is_found_and_named(source):
    outcome = checks.check("90.1", learner(source)())
    assert outcome.message.startswith("Another place. Look for the lowest value.\n\n**One change makes it right**")
    assert FUNCTIONS[source] in outcome.message


BEGIN = "class answer(Callback):\n    def on_train_begin(self, logs=None):\n        self.best = {0}\n"
END = "    def on_epoch_end(self, epoch, logs=None):\n"
KEEPS = END + "        self.best = min(self.best, logs['val_loss'])\n"
CLASSES = {
    HEAD.format("float('inf')") + KEEPS: "Set it in `on_train_begin`",
    HEAD.format("9.0") + "    def on_train_start(self, logs=None):\n        self.best = 9.0\n" + KEEPS: (
        "Keras knows no hook `on_train_start`"
    ),
    HEAD.format("9.0") + "    def on_train_begin(self, logs=None):\n        best = 9.0\n" + KEEPS: (
        "`best` without `self.` is a variable of this method alone"
    ),
    HEAD.format("9.0") + "    def on_epoch_begin(self, epoch, logs=None):\n        self.best = 9.0\n" + KEEPS: (
        "what stands in `on_epoch_begin` belongs in `on_train_begin`"
    ),
    BEGIN.format("0") + KEEPS: "`float('inf')`",
    BEGIN.format("9.0") + KEEPS.replace("val_loss", "loss"): "`'val_loss'` belongs there, not `'loss'`.",
    BEGIN.format("9.0") + KEEPS.replace("on_epoch_end(self, epoch,", "on_test_end(self,"): "belongs in `on_epoch_end`",
}


@pytest.mark.parametrize("source", CLASSES)
def test_a_change_to_a_class_or_to_the_class_of_an_object_is_found(source):
    assert CLASSES[source] in checks.check("90.2", learner(source)()).message
    assert CLASSES[source] in checks.check("90.2", learner(f"{source}\nanswer = answer()")()).message


def test_without_one_change_that_helps_the_guess_is_said():
    outcome = checks.check("90.1", learner("def answer(values):\n    return 'x' * 3")())
    assert outcome.message == "Another place. Look for the lowest value."


def test_an_error_in_a_line_of_the_learner_gets_the_change_too():
    outcome = checks.check("90.1", learner("def answer(values):\n    return values.index[min(values)] + 1")())
    assert outcome.status == "raised"
    outcome = checks.check("90.1", learner("def answer(values):\n    return str(values.index(min(values))) + 1")())
    assert "`str(values.index(min(values)))` should be `values.index(min(values))`." in outcome.message


def test_what_was_wrong_outside_of_the_lines_is_not_blamed_on_them():
    # The list that the function remembers is to blame: made anew, the same lines are right.
    source = "s = [1]\ndef answer(values, s=s):\n    return values.index(min(values)) + 1 + len(s)\ns = []"
    assert "One change" not in checks.check("90.1", learner(source)()).message


def test_a_trial_leaves_the_answer_as_it_was_and_is_silent(capsys):
    source = f"{HEAD.format('9.0')}{KEEPS}        print('now')\nanswer = answer()\nanswer.best = 9.0"
    answer = learner(source)()
    outcome = checks.check("90.2", answer)
    assert type(answer).__name__ == "answer"
    assert outcome.printed.splitlines()[0] == "now"
    assert outcome.printed.count("now") == 8


def test_an_endless_change_is_given_up(monkeypatch):
    monkeypatch.setattr(_repair, "_ONE", 0.2)
    source = "def answer(values):\n    n = 0\n    while n < len(values):\n        n += 1\n    return n + 7"
    outcome = checks.check("90.1", learner(source)())
    assert outcome.status == "wrong"


def test_the_limit_of_a_trial_rings_only_in_lines_of_its_file():
    import time

    with _guard.limit(0.01, file="<nowhere>"):
        time.sleep(0.3)


def test_trying_is_said_only_while_a_change_is_tried():
    said = []

    @exercise("90.3")
    def counts(answer):
        said.append(_repair.trying())
        return wrong("No.", guess="")

    _core.judge("90.3", learner("def answer(x):\n    return x + 1")())
    assert said[0] is False
    assert said[1:]
    assert all(said[1:])
    assert not _repair.trying()


def test_a_cause_that_the_check_knows_is_not_looked_for():
    calls = []

    @exercise("90.4")
    def knows(answer):
        calls.append(answer)
        return wrong("It is too large.")

    assert _core.judge("90.4", learner("def answer(x):\n    return x + 1")()).message == "It is too large."
    assert len(calls) == 1


def test_settings_of_keras_are_no_lines_to_change():
    @exercise("90.5")
    def stops(answer):
        return right() if answer.patience == 4 else wrong("No.", guess="Look at `patience`.")

    assert _core.judge("90.5", keras.callbacks.EarlyStopping(patience=3)).message == "No. Look at `patience`."
