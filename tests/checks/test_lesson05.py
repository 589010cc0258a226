from __future__ import annotations

import pytest
from cases import Cases, learner, run
from keras.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau

from helpers import replay


def stopper(**changes):
    wishes = {
        "monitor": "val_errors", "mode": "min", "min_delta": 1, "start_from_epoch": 5, "patience": 8,
        "restore_best_weights": True,
    }  # fmt: skip
    return lambda: EarlyStopping(**{**wishes, **changes})


def both(reducer=None, **stopping):
    reducing = {"patience": 4, "factor": 0.1, **(reducer or {})}
    stops = {"patience": 12, "restore_best_weights": True, **stopping}
    return lambda: [ReduceLROnPlateau(**reducing), EarlyStopping(**stops)]


def function(body: str):
    return learner(f"def answer(values):\n    {body}", replay=replay)


CASES = (
    Cases(
        "05.1",
        right=(
            stopper(),
            stopper(min_delta=1.5, verbose=0),
            learner("answer = EarlyStopping('val_errors', 1.9, 8, 0, 'min', None, True, 5)"),
        ),
        wrong=(
            (stopper(mode="auto"), "Keras cannot know"),
            (stopper(mode="max"), "Look at `mode`."),
            (stopper(monitor="val_loss"), "Look at `monitor`."),
            (stopper(monitor="errors"), "(A real fit warns, or raises an error about `mode`.)"),
            (stopper(start_from_epoch=0), "`start_from_epoch` counts from 0, as Keras does:"),
            (stopper(start_from_epoch=4), "`start_from_epoch` counts from 0, as Keras does:"),
            (stopper(start_from_epoch=6), "`start_from_epoch` counts from 0, as Keras does:"),
            (stopper(min_delta=0), "one error less counts"),
            (stopper(min_delta=2), "two errors less do not count"),
            (stopper(patience=7), "Look at `patience`."),
            (stopper(patience=9), "Look at `patience`."),
            (stopper(restore_best_weights=False), "Look at `restore_best_weights`."),
            (stopper(baseline=3), "`baseline=3` was not asked for, and it changes what"),
            (lambda: EarlyStopping, "alone is the class"),
            (lambda: ModelCheckpoint("a.keras"), "Expected an `EarlyStopping`"),
        ),
    ),
    Cases(
        "05.2",
        right=(
            both(),
            lambda: (EarlyStopping(patience=12, restore_best_weights=True), ReduceLROnPlateau(patience=4)),
        ),
        wrong=(
            (lambda: EarlyStopping(patience=12), "There is no `ReduceLROnPlateau`"),
            (lambda: [ReduceLROnPlateau(patience=4)], "There is no `EarlyStopping`"),
            (both({"monitor": "loss"}), "Look at `monitor`."),
            (both(monitor="loss"), "Look at `monitor`."),
            (both(patience=4), "none had a lower rate"),
            (both({"patience": 5}), "expected is epoch 7"),
            (both({"factor": 0.5}), "Look at `factor`"),
            (both(patience=8), "too early"),
            (both(patience=13), "too late"),
            (both({"cooldown": 3}), "Leave it alone."),
        ),
    ),
    Cases(
        "05.3",
        right=(
            function("""for patience in range(1, len(values) + 1):
        if replay.early_stopping(values, patience=patience).best == min(values):
            return patience"""),
            function("""best, last, gap = values[0], 0, 1
    for epoch, value in enumerate(values):
        if value < best:
            best, gap, last = value, max(gap, epoch - last), epoch
    return gap"""),
            function("""table = replay.every_patience(values)
    return max(1, int(np.argmax(table.best == table.best.min())))"""),
        ),
        wrong=(
            (function("return max(0, values.index(min(values)))"), "begins anew at each improvement"),
            (function("return 0"), "The smallest patience to name here is 1."),
            (function("return len(values)"), "Asked for is the smallest patience that is."),
            (
                function("""longest = now = 0
    for one, other in zip(values, values[1:]):
        now = now + 1 if other >= one else 0
        longest = max(longest, now)
    return longest + 1"""),
                "Better than the **best so far** is what counts.",
            ),
            (function("values.index(min(values))"), "needs a `return`"),
            (function("return 'ten'"), "whole number"),
            (function("return 1"), "keeps 0.5"),
            (
                function("""best, last, gap = values[0], 0, 1
    for epoch, value in enumerate(values):
        if value < best:
            best, gap, last = value, max(gap, epoch - last - 1), epoch
    return gap"""),
                "one epoch before the improvement",
            ),
            (lambda: 4, "Give the function itself, without brackets."),
        ),
    ),
)


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)
