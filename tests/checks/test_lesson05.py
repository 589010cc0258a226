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
            (stopper(mode="max"), "took more errors for an improvement"),
            (stopper(monitor="val_loss"), "It watched `val_loss`"),
            (stopper(monitor="errors"), "It watched `errors`"),
            (stopper(start_from_epoch=0), "looked at the first epochs"),
            (stopper(start_from_epoch=4), "began to look at epoch 5"),
            (stopper(start_from_epoch=6), "epoch 6 is number 5 for Keras"),
            (stopper(min_delta=0), "one error less counts"),
            (stopper(min_delta=2), "two errors less do not count"),
            (stopper(patience=7), "It waited 7 epochs"),
            (stopper(patience=9), "It waited 9 epochs"),
            (stopper(restore_best_weights=False), "holds the last weights"),
            (stopper(baseline=3), "leave `baseline`"),
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
            (both({"monitor": "loss"}), "`ReduceLROnPlateau` watches `loss`"),
            (both(monitor="loss"), "`EarlyStopping` watches `loss`"),
            (both(patience=4), "none had a lower rate"),
            (both({"patience": 5}), "expected is epoch 7"),
            (both({"factor": 0.5}), "Look at `factor`"),
            (both(patience=8), "too early"),
            (both(patience=13), "too late"),
            (both({"cooldown": 3}), "Leave `cooldown`"),
            (both(restore_best_weights=False), "the last weights stay"),
            (lambda: [ReduceLROnPlateau, EarlyStopping], "alone is the class"),
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
            (function("return 0"), "Patience 0 and 1"),
            (function("return len(values)"), "said 10; 3 is enough. It gets there too"),
            (
                function("""longest = now = 0
    for one, other in zip(values, values[1:]):
        now = now + 1 if other >= one else 0
        longest = max(longest, now)
    return longest + 1"""),
                "said 6; 3 is enough. It gets there too, but a smaller one does as well: gaps **behind**",
            ),
            (function("values.index(min(values))"), "`return` something"),
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
            (lambda: 4, "Expected a function"),
        ),
    ),
)


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)
