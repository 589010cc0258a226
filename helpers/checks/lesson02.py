"""Checks of lesson 02: an EarlyStopping with three wishes, its rule by hand, and whose weights a model holds."""

from __future__ import annotations

from types import SimpleNamespace

import keras

from helpers import replay
from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks.scripted import Driven, as_callback, drive

EarlyStopping = keras.callbacks.EarlyStopping

# Each metric has its best in another epoch, so that the stop tells which one was watched. No value repeats.
_WATCHED = {
    "loss": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45],
    "accuracy": [0.20, 0.31, 0.42, 0.41, 0.40, 0.39, 0.38, 0.37, 0.36, 0.35, 0.34, 0.33],
    "val_loss": [1.1, 0.8, 0.9, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03],
    "val_accuracy": [0.30, 0.40, 0.50, 0.48, 0.60, 0.59, 0.58, 0.57, 0.56, 0.55, 0.54, 0.53],
}
_PATIENCE = 4


@exercise("02.1")
def three_wishes(answer: object) -> Verdict:
    """Play one training with the learner's callback and look at when it stopped and what the model holds."""
    stopper = as_callback(answer, EarlyStopping)
    driven = drive(stopper, _WATCHED)
    want = replay.early_stopping(_WATCHED["val_accuracy"], patience=_PATIENCE, mode="max", restore_best_weights=True)
    if driven.epochs_run != want.epochs_run:
        return wrong(_why_other_stop(driven, want.epochs_run, stopper.patience))
    if driven.kept_epoch != want.kept_epoch:
        return wrong(
            f"It stops at the right time, after epoch {want.epochs_run}, but the model then holds the weights of epoch "
            f"{_said(driven.kept_epoch)}; the best was epoch {want.kept_epoch + 1}. Look at `restore_best_weights`."
        )
    late = drive(stopper, {name: values[:6] for name, values in _WATCHED.items()})
    if late.stopped:
        return wrong("A second training with the same callback was stopped too soon. Leave the other arguments alone.")
    return right(f"It stopped after epoch {driven.epochs_run} and brought back the weights of epoch 5, the best.")


def _why_other_stop(driven: Driven, expected: int, patience: int) -> str:
    """Say which other setting would have stopped where this one did."""
    run = driven.epochs_run
    ran = f"Stopped after epoch {run}" if driven.stopped else f"It never stopped in {run} epochs"
    for name, mode in (("val_loss", "min"), ("accuracy", "max"), ("loss", "min")):
        same = replay.early_stopping(_WATCHED[name], patience=patience, mode=mode)
        if driven.watched["best_epoch"][-1] == same.best_epoch and run == same.epochs_run and driven.waits[-1:]:
            training = (
                " That is measured on the training data, which the model learns by heart." if name[0] != "v" else ""
            )
            return f"{ran}, expected {expected}. It watched `{name}`.{training} Look at `monitor`."
    falling = replay.early_stopping(_WATCHED["val_accuracy"], patience=patience, mode="min")
    if run == falling.epochs_run and driven.watched["best_epoch"][-1] == 0:
        return f"{ran}, expected {expected}. It took a falling accuracy for an improvement. Look at `mode`."
    if driven.stopped and run < expected:
        return f"Stopped after epoch {run}, expected {expected}: too early. Look at `patience`."
    if run > expected:
        return f"{ran}, expected a stop after epoch {expected}: too late. Look at `patience`."
    return f"{ran}, expected {expected}. Only `monitor`, `patience` and `restore_best_weights` are needed."


def _said(epoch: int | None) -> str:
    return "an earlier training" if epoch is None else str(epoch + 1)


BY_HAND = (1.00, 0.80, 0.85, 0.70, 0.70, 0.75, 0.60, 0.65)


@exercise("02.2")
def by_hand(answer: object) -> Verdict:
    """Hold two numbers against the real callback on the same losses."""
    driven = drive(EarlyStopping(patience=2, restore_best_weights=True), list(BY_HAND))
    run, kept = driven.epochs_run, driven.kept_epoch + 1
    if not (isinstance(answer, tuple) and len(answer) == 2):
        return wrong("The check needs two numbers: `epochs_run` and `weights_of_epoch`.")
    if not all(isinstance(part, int) and not isinstance(part, bool) for part in answer):
        return wrong("Both answers are whole numbers: how many epochs, and which epoch.")
    epochs_run, weights_of_epoch = answer
    if epochs_run != run:
        return wrong(_why_other_count(epochs_run, run))
    if weights_of_epoch == kept:
        return right(f"{run} epochs run, and the weights of epoch {kept} come back.")
    reasons = {
        run: "That is the last epoch. With `restore_best_weights=True` the best one comes back.",
        kept - 1: "That is the best epoch counted from 0, as `best_epoch` does. Count from 1 here.",
        kept + 1: "That epoch only equals the best. A tie is no improvement, so the first of the two is kept.",
        BY_HAND.index(min(BY_HAND)) + 1: "That would be the best of all, but training had stopped before it.",
    }
    return wrong(f"{run} epochs is right. " + reasons.get(weights_of_epoch, "Which epoch had the best loss by then?"))


def _why_other_count(given: int, run: int) -> str:
    reasons = {
        run - 1: "Or did you count from 0? The counter is 1 after that epoch: epoch 4 was a new best and set it to 0.",
        4: "Epoch 4 is the best so far. The callback stops `patience` epochs after the best, not at it.",
        3: "Epoch 3 is the first that is worse. Patience 2 forgives one.",
        len(BY_HAND): "Epoch 5 equals epoch 4, and a tie is no improvement: it counts, and epoch 6 is the second.",
    }
    return f"Not {given} epochs. " + reasons.get(
        given, "Write the counter below each loss: 0 at a new best, else one more."
    )


@exercise("02.3")
def whose_weights(answer: object) -> Verdict:
    """Train by script with four settings and compare the function's answer with what the model really holds."""
    if not callable(answer) or isinstance(answer, type):
        return wrong("Expected a function of two arguments, `stopper` and `history`.")
    stops = [0.9, 0.7, 0.5, 0.6, 0.65, 0.7, 0.45, 0.8]
    told = []
    for patience, restore in ((2, False), (2, True), (50, False), (50, True)):
        stopper = EarlyStopping(patience=patience, restore_best_weights=restore)
        driven = drive(stopper, stops)
        history = SimpleNamespace(epoch=list(range(driven.epochs_run)), history=dict(driven.history), params={})
        told.append((answer(stopper, history), driven.kept_epoch + 1, driven.epochs_run, patience, restore))
    if all(given == held for given, held, *_ in told):
        return right("Right for all four: stopped or not, restored or not.")
    return wrong(_why_other_weights(told))


def _why_other_weights(told: list[tuple]) -> str:
    """Name the misconception behind the pattern of wrong answers."""
    given = [row[0] for row in told]
    held = [row[1] for row in told]
    if any(value is None for value in given):
        return "Your function returned nothing for some settings. Every way through it needs a `return`."
    if all(value == epoch - 1 for value, epoch in zip(given, held, strict=True)):
        return "All four answers are one too small: they count from 0. People count from 1."
    value, epoch, run, patience, restore = next(row for row in told if row[0] != row[1])
    case = (
        f"With `patience={patience}, restore_best_weights={restore}`, {run} epochs ran and your function said {value}; "
    )
    case += f"the model holds the weights of epoch {epoch}. "
    if value == epoch - 1:
        return case + "That one counts from 0."
    if not restore and value == held[1]:
        return case + "That is the best epoch; without restoring, the last weights stay."
    if restore and patience == 50:
        return case + "The best weights come back although nothing was stopped: do not ask `stopped_epoch`."
    if restore:
        return case + "That is where training stopped, and `restore_best_weights` has gone back from there."
    if patience == 50:
        return case + "`stopped_epoch` is 0 when nothing was stopped. How many epochs ran stands in `history.epoch`."
    return case + "Without restoring, the weights are those of the last epoch that ran."
