"""Checks of lesson 02: an EarlyStopping with three wishes, its rule by hand, and whose weights a model holds."""

from __future__ import annotations

import keras

from helpers import replay
from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks.scripted import Driven, as_callback, drive

EarlyStopping = keras.callbacks.EarlyStopping

# Validation accuracy has a dip before its best, and its first epoch is its lowest. No value repeats.
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
    fault = _unasked(stopper) or _why_not_watched(stopper.monitor)
    if fault:
        return wrong(fault)
    driven = drive(stopper, _WATCHED)
    want = replay.early_stopping(_WATCHED["val_accuracy"], patience=_PATIENCE, mode="max", restore_best_weights=True)
    if driven.epochs_run != want.epochs_run:
        return wrong(_why_other_stop(driven, want.epochs_run))
    if driven.kept_epoch != want.kept_epoch:
        return wrong(
            f"It stops at the right time, after epoch {want.epochs_run}, but the model then holds the weights of epoch "
            f"{_said(driven.kept_epoch)}; the best was epoch {want.kept_epoch + 1}. Look at `restore_best_weights`."
        )
    return right(f"It stopped after epoch {driven.epochs_run} and brought back the weights of epoch 5, the best.")


def _unasked(stopper: keras.callbacks.EarlyStopping) -> str:
    """Name a setting that nobody asked for, or that is no number of epochs."""
    # Keras turns the sign of min_delta round when it knows the mode.
    if stopper.min_delta:
        return (
            f"`min_delta` is {abs(stopper.min_delta)}, which nobody asked for. (Arguments without names come in this "
            "order: `monitor`, `min_delta`, `patience`. Better write the names.)"
        )
    if stopper.baseline is not None:
        return f"`baseline={stopper.baseline}` was not asked for, and it can end a training early. Leave it out."
    if stopper.start_from_epoch:
        return f"`start_from_epoch={stopper.start_from_epoch}` was not asked for: it ignores the first epochs."
    if not isinstance(stopper.patience, int):
        return f"`patience` is a whole number of epochs, without quotes; yours is `{stopper.patience!r}`."
    return ""


def _why_not_watched(monitor: str) -> str:
    if monitor == "val_accuracy":
        return ""
    if monitor not in _WATCHED:
        return (
            f"It watches `{monitor}`, and `logs` has no such name, only {', '.join(f'`{name}`' for name in _WATCHED)}. "
            "Names must be right to the letter. (In a real fit Keras warns, or raises an error that speaks of `mode`.)"
        )
    training = ", which is measured on the training data that the model learns by heart" if monitor[0] != "v" else ""
    return f"It watches `{monitor}`{training}. Asked for is the validation accuracy. Look at `monitor`."


def _why_other_stop(driven: Driven, expected: int) -> str:
    run = driven.epochs_run
    if driven.stopped and driven.watched["best_epoch"][-1] == 0:
        return f"Stopped after epoch {run}, expected {expected}. It took a falling accuracy for better. Look at `mode`."
    if run < expected:
        return f"Stopped after epoch {run}, expected {expected}: too early. Look at `patience`."
    ran = f"Stopped after epoch {run}" if driven.stopped else f"It never stopped in {run} epochs"
    return f"{ran}, expected a stop after epoch {expected}: too late. Look at `patience`."


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
        run - 1: "Then the counter is only 1: epoch 4 was a new best and set it to 0. Or did you count from 0?",
        run + 1: "The training ends with the epoch in which the counter reaches 2. No further one begins.",
        4: "Epoch 4 is the best so far. The callback stops `patience` epochs after the best, not at it.",
        3: "Epoch 3 is the first that is worse. Patience 2 takes two in a row.",
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
        history = keras.callbacks.History()
        history.epoch, history.history = list(range(driven.epochs_run)), dict(driven.history)
        history.set_params({"verbose": 0, "epochs": len(stops), "steps": 1})
        told.append((answer(stopper, history), driven.kept_epoch + 1, driven.epochs_run, patience, restore))
    if all(given == held for given, held, *_ in told):
        return right("Right for all four: stopped or not, restored or not.")
    return wrong(_why_other_weights(told, len(stops)))


def _why_other_weights(told: list[tuple], ordered: int) -> str:
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
    if restore and patience == 50 and value == run:
        return case + "The best weights come back although nothing was stopped: do not ask `stopped_epoch`."
    if restore and value == run:
        return case + "That is where training stopped, and `restore_best_weights` has gone back from there."
    if restore:
        return case + "With restoring, ask `best_epoch`, whether training was stopped or not."
    if patience == 50 and value in (0, 1):
        return case + "`stopped_epoch` is 0 when nothing was stopped. How many epochs ran stands in `history.epoch`."
    if value == ordered:
        return case + "So many were ordered, but training stopped before. How many ran stands in `history.epoch`."
    return case + "Without restoring, the weights are those of the last epoch that ran."
