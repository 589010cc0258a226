"""The bank of answers: enough of them for each exercise, and judged as it states, as far as that is quick.

Every thirtieth answer is judged here, and one wrong one of the exercises that train real models or play hundreds of
trainings; all are by `python -m tests.checks.bank`.
"""

from __future__ import annotations

import json
from collections import Counter

import bank
import pytest
from cases import learner
from keras.callbacks import EarlyStopping

from helpers import checks
from helpers.checks import _core

ANSWERS = bank.answers()
MESSAGES = json.loads(bank.MESSAGES.read_text(encoding="utf-8"))
EXERCISES = [id for lesson in _core.lessons() for id in _core.registered(lesson)]
LONG = {"02.1", "03.2", "03.3", "04.2", "04.3", "05.1", "05.2", "06.1", "06.2", "08.1", "09.1", "09.2", "09.3"}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_there_are_enough_answers(exercise):
    counted = Counter(bool(one.mistake) for one in ANSWERS if one.exercise == exercise)
    assert counted[True] >= 8
    assert counted[False] >= 4


# All those of lesson 10 train in the arena: tests/checks/test_lesson10.py judges recorded trainings instead.
@pytest.mark.parametrize("exercise", [id for id in EXERCISES if not id.startswith("10.")])
def test_answers_are_judged_as_stated(exercise, tmp_path):
    chosen = [one for one in ANSWERS if one.exercise == exercise and not one.slow]
    recorded = {row["answer"]: row["says"] for row in MESSAGES[exercise]}
    kept = [one for one in chosen if one.number in recorded]
    chosen = kept[:1] if exercise in LONG else [*kept, *(one for one in chosen[::30] if one not in kept)]
    told: list[str] = []
    judged = list(bank.judge(chosen, bank.Course(tmp_path)))
    assert bank.report(judged, told.append), "\n".join(told)
    # What the run sheets quote is what the check says today.
    for one in judged[: len(kept)]:
        says = bank.without_numbers(bank.told(one.outcome))
        assert says == bank.without_numbers(recorded[one.answer.number]), "python -m tests.checks.bank --record"


def test_the_likeliest_messages_are_recorded_for_each_exercise():
    assert sorted(MESSAGES) == sorted(EXERCISES)
    for exercise, rows in MESSAGES.items():
        wrong = {one.number: one.mistake for one in bank.likely([one for one in ANSWERS if one.exercise == exercise])}
        assert {row["answer"]: row["mistake"] for row in rows}.items() <= wrong.items()
        assert len({bank.without_numbers(row["says"]) for row in rows}) == len(rows) == 2


def test_the_report_counts_what_is_not_as_stated():
    right_one = bank.Answer("90.1", 1, "x = 1", "", ())
    wrong_one = bank.Answer("90.1", 2, "x = 2", "two", ("too much",))
    outcomes = [
        _core.Outcome("90.1", "wrong", "No."), _core.Outcome("90.1", "right", "Yes."),
        _core.Outcome("90.1", "wrong", "That is too much."), _core.Outcome("90.1", "wrong", "Why?"),
    ]  # fmt: skip
    told: list[str] = []
    judged = [bank.Judged(one, outcome, 0.0) for one, outcome in zip(
        (right_one, wrong_one, wrong_one, wrong_one), outcomes, strict=True)]  # fmt: skip
    assert not bank.report(judged, told.append)
    assert told[1].split() == ["90.1", "1", "0", "3", "2", "1", "0.00"]
    assert sum(text.startswith("\n90.1 no.") for text in told) == 3


def test_a_swap_that_swaps_nothing_is_refused(tmp_path):
    (tmp_path / "90.toml").write_text('[base]\n"90.1" = "x = 1"\n[["90.1"]]\nswap = [["y", "z"]]\n')
    with pytest.raises(ValueError, match="replaces what is not there: y"):
        bank.answers(tmp_path)


WEIRD = """
class Empty(Callback):
    def on_epoch_end(self, epoch, logs=None): return epoch
class Clears(Callback):
    def __init__(self, *args): super().__init__()
    def on_epoch_end(self, epoch, logs=None): logs.clear()
class Texts(Callback):
    def __init__(self, *args): super().__init__()
    def on_epoch_end(self, epoch, logs=None): logs["best"] = self.model.optimizer.learning_rate = "fast"
    def should_save(self, logs): return "yes"
answer = [
    -1, "x", [], {1}, np.array([1, 2]), float("nan"), lambda: 1, lambda *args: args, lambda *args: "x",
    lambda *args: EarlyStopping, Empty, Clears, Texts, Texts(), object, Callback(), keras.Sequential(),
    EarlyStopping(monitor=3), EarlyStopping(patience=None), EarlyStopping(baseline="x"), ReduceLROnPlateau(min_lr="x"),
    ModelCheckpoint("{}.keras"), ModelCheckpoint("x.keras", monitor=["a"], save_best_only=True),
    LambdaCallback(on_epoch_end=5), CSVLogger("/no/such/folder/x.csv"), ..., (x for x in [1]),
]
"""


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_answer_is_so_odd_that_a_check_breaks(exercise):
    for number, odd in enumerate(learner(WEIRD)()):
        # Alone, and one by one in the forms of answers that are more than one thing.
        for answer in (odd, ((odd, odd), [EarlyStopping(patience=4), odd])[number % 2]):
            outcome = checks.check(exercise, answer)
            assert not outcome.broken, (odd, outcome)
            assert outcome.status != "right", (odd, outcome)
