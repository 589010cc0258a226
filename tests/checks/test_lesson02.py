from __future__ import annotations

import ast
from pathlib import Path

import pytest
from cases import Cases, learner, run
from keras.callbacks import EarlyStopping, ModelCheckpoint

from helpers.checks import lesson02


def stopper(**changes):
    settings = {"monitor": "val_accuracy", "patience": 4, "restore_best_weights": True, **changes}
    return lambda: EarlyStopping(**settings)


def function(body: str):
    return learner(f"def answer(stopper, history):\n    {body}")


CASES = (
    Cases(
        "02.1",
        right=(
            stopper(),
            stopper(mode="max", verbose=0),
            learner("answer = EarlyStopping('val_accuracy', 0, 4, 0, 'max', None, True)"),
            learner("""
                class Mine(EarlyStopping):
                    def __init__(self):
                        super().__init__(monitor="val_accuracy", patience=4, restore_best_weights=True)
                answer = Mine()
            """),
        ),
        wrong=(
            (stopper(monitor="val_loss"), "It watches `val_loss`"),
            (stopper(monitor="accuracy"), "It watches `accuracy`"),
            (stopper(monitor="loss"), "It watches `loss`"),
            (stopper(patience=3), "Stopped after epoch 8"),
            (stopper(patience=5), "Stopped after epoch 10"),
            (stopper(restore_best_weights=False), "Look at `restore_best_weights`"),
            (stopper(mode="min"), "falling accuracy"),
            (lambda: EarlyStopping, "alone is the class"),
            (lambda: ModelCheckpoint("a.keras"), "Expected an `EarlyStopping`"),
            (stopper(monitor="val_acc"), "It watches `val_acc`, and `logs` has no such name"),
            (stopper(monitor="validation_accuracy", mode="max"), "It watches `validation_accuracy`, and"),
            (lambda: EarlyStopping("val_accuracy", 4, True), "Arguments without names come in the order of the"),
            (stopper(min_delta=0.01), "`min_delta` is 0.01"),
            (stopper(baseline=0.9), "`baseline=0.9`"),
            (stopper(start_from_epoch=3), "`start_from_epoch=3`"),
            (stopper(patience="4"), "without quotes"),
            (stopper(patience=0), "Stopped after epoch 4, expected 9: too"),
            (stopper(patience=100), "Look at `patience`."),
        ),
    ),
    Cases(
        "02.2",
        right=(lambda: (6, 4), learner("values = [6, 4]\nanswer = tuple(values)")),
        wrong=(
            (lambda: (5, 4), "Or did you count"),
            (lambda: (4, 4), "not at it"),
            (lambda: (3, 2), "Patience 2 takes two"),
            (lambda: (8, 7), "With epoch 6 that makes two"),
            (lambda: (7, 4), "No further one begins"),
            (lambda: (2, 2), "So many of the 8 are left out"),
            (lambda: (6, 6), "That is the last epoch"),
            (lambda: (6, 3), "counted from 0, as `best_epoch`"),
            (lambda: (6, 5), "the first of the two is kept"),
            (lambda: (6, 7), "had stopped before it"),
            (lambda: (6, 1), "Which epoch had the best loss"),
            (lambda: (6.5, 4), "whole numbers"),
        ),
    ),
    Cases(
        "02.3",
        right=(
            function("return stopper.best_epoch + 1 if stopper.restore_best_weights else len(history.epoch)"),
            function("""losses = history.history["val_loss"]
    return losses.index(min(losses)) + 1 if stopper.restore_best_weights else len(losses)"""),
        ),
        wrong=(
            (function("return stopper.best_epoch + 1"), "without restoring, the last weights stay"),
            (function("return len(history.epoch)"), "That is the last epoch that ran, where training"),
            (
                function("return stopper.best_epoch if stopper.restore_best_weights else len(history.epoch) - 1"),
                "People count from 1.",
            ),
            (
                function("return stopper.best_epoch if stopper.restore_best_weights else len(history.epoch)"),
                "`best_epoch` counts from 0, and the answer should",
            ),
            (
                function(
                    "return stopper.best_epoch + 1 if stopper.restore_best_weights else stopper.stopped_epoch + 1"
                ),
                "`stopped_epoch` is 0 when nothing",
            ),
            (
                function("""if stopper.restore_best_weights and stopper.stopped_epoch:
        return stopper.best_epoch + 1
    return len(history.epoch)"""),
                "do not ask `stopped_epoch`",
            ),
            (
                function("""if stopper.restore_best_weights:
        return stopper.best_epoch + 1"""),
                "needs a `return`",
            ),
            (
                function("return stopper.best_epoch + 1 if stopper.restore_best_weights else history.params['epochs']"),
                "So many were ordered",
            ),
            (
                function("""ran = len(history.epoch)
    return ran - stopper.patience if stopper.restore_best_weights else ran"""),
                "Ask `best_epoch`.",
            ),
            (lambda: 4, "Give the function itself, without brackets."),
        ),
    ),
)


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)


def test_the_losses_by_hand_are_those_of_the_lesson():
    source = (Path(__file__).parents[2] / "notebooks/source/02_early_stopping.py").read_text()
    line = next(line for line in source.splitlines() if line.startswith("by_hand = "))
    assert tuple(ast.literal_eval(line.removeprefix("by_hand = "))) == lesson02.BY_HAND
