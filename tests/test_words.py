"""The words of the pictures: what they say of curves, and that they need neither Matplotlib nor widgets."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from helpers import replay, words
from helpers.facts import facts_of


def told(train, validation, **more):
    log = {name: values for name, values in (("loss", train), ("val_loss", validation)) if values is not None}
    return words.curves(facts_of(log, **more))


@pytest.mark.parametrize(
    ("train", "validation", "sentences"),
    [
        (
            [2.0, 1.0, 0.5, 0.2], [1.5, 0.9, 1.0, 1.3],
            "The train curve falls from 2 to 0.2. The validation curve falls from 1.5 to 0.9 after epoch 2, then rises "
            "to 1.3. They cross once: from epoch 3 on validation lies above train.",
        ),
        (
            [2.0, 2.0, 2.0], [1.0, 1.5, 1.9],
            "The train curve stays at 2. The validation curve rises from 1 to 1.9. Validation lies below train all "
            "the way.",
        ),
        (
            [1.0, 2.0, 1.0, 2.0], [1.5, 1.5, 1.5, 1.5],
            "The train curve rises from 1 to 2 after epoch 2, falls to 1 after epoch 3, then rises to 2. The "
            "validation curve stays at 1.5. They cross 3 times, last at epoch 4: from there validation lies below",
        ),
        # Equal for a while: the side that it comes out on counts.
        ([3.0, 2.0, 1.0, 1.0], [2.0, 2.0, 1.0, 2.0], "They cross once: from epoch 4 on validation lies above train."),
        ([1.0, 0.5, 1.01], None, "The train curve falls from 1 to 0.5 after epoch 2, then rises to 1.01."),
        # A dip too small to see is no turn.
        (None, [2.0, 0.99, 1.0], "The validation curve falls from 2 to 1."),
        (None, [1.0, 2.0, 1.01], "The validation curve rises from 1 to 2 after epoch 2, then falls to 1.01."),
        (None, [1.0, 1.004, 1.1, 1.06, 1.002], "curve rises from 1 to 1.1 after epoch 3, then falls to 1.002."),
        # Down, up and down again: the hill is the lesson.
        (
            None, [3.0, 1.0, 1.02, 1.5, 1.6, 1.2, 0.8, 0.81],
            "falls from 3 to 1 after epoch 2, rises to 1.6 after epoch 5, then falls to 0.81. val_loss gets worse",
        ),
        # A zigzag is told by its best.
        (None, [2.0, 1.0, 2.0, 0.9, 2.0, 1.0, 1.9, 1.5], "falls from 2 to 0.9 after epoch 4, then rises to 1.5."),
        (None, [2.0, 1.0, 2.0, 0.9, 2.0, 1.0, 1.9, 0.5], "falls from 2 to 0.5. val_loss gets worse in 3 of 7 steps."),
        (None, [2.0, 1.0, math.nan, None], "The validation curve falls from 2 to 1 after epoch 2."),
    ],
)  # fmt: skip
def test_start_end_direction_and_crossing(train, validation, sentences):
    monitor = "val_loss" if validation else "loss"
    assert sentences in told(train, validation, monitor=monitor)


def test_where_larger_is_better_the_curve_rises_to_its_turn():
    log = {"accuracy": [0.5, 0.7, 0.9], "val_accuracy": [0.5, 0.8, 0.6]}
    text = words.curves(facts_of(log, monitor="val_accuracy"))
    assert "The validation curve rises from 0.5 to 0.8 after epoch 2, then falls to 0.6." in text


def test_the_best_of_what_never_ran():
    values = [1.0, 0.8, 0.9, 0.7, 0.75]
    facts = facts_of(values, stopping=replay.early_stopping(values, patience=1))
    assert "epochs 4, 5. The best of them, epoch 4 (0.7), is better than all before it." in words.marks(facts)
    values = [1.0, 0.8, 0.9, 0.85, 0.8]
    facts = facts_of(values, stopping=replay.early_stopping(values, patience=1))
    assert "The best of them, epoch 5 (0.8), is no better than the best before." in words.marks(facts)


def test_epochs_are_listed_as_a_person_reads_them():
    assert words.epochs_of(range(4)) == "epochs 1 to 4"
    assert words.epochs_of(range(4, 5)) == "epoch 5"
    assert words.epochs_of(range(4, 6)) == words.epochs_of([5, 4]) == "epochs 5, 6"
    assert words.epochs_of(range(0, 10, 3)) == "epochs 1, 4, 7, 10"


def test_how_many_runs_a_patience_would_have_done_for():
    assert words.summary([1, 3, 5], 3) == "Of 3 runs, patience 3 reaches the best epoch of 2, patience 5 of all."
    assert words.summary([4, 4], 2) == "Of 2 runs, patience 4 reaches the best epoch of 2."
    assert words.summary([4, 9], 3) == "Of 3 runs, patience 4 reaches the best epoch of 1, patience 9 of 2."
    assert words.summary([], 3) == "No patience up to here reaches the best epoch of any of 3 runs."


def test_words_need_no_matplotlib_and_no_widgets():
    code = "import sys; from helpers import words; print({'ipywidgets', 'matplotlib', 'keras'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
