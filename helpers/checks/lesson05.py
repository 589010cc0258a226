"""Checks of lesson 05: an EarlyStopping for a metric of one's own, two patiences together, and enough patience."""

from __future__ import annotations

import random

import keras

from helpers import replay
from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks.scripted import Driven, as_callback, drive

EarlyStopping, ReduceLROnPlateau = keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau

_WISHES = {"patience": 8, "min_delta": 1, "start_from_epoch": 5, "mode": "min", "restore_best_weights": True}
# Epochs 1 to 5 hold the lowest value of all. Then 20, steps of one error that do not count, 18 that does.
_ERRORS = [9, 8, 7, 6, 5, 20, 20, 19, 20, 18, *[17, 18] * 6]
# The sixth epoch is the best of those that are looked at.
_SIXTH = [9, 8, 7, 6, 5, 12, *[20] * 15]


@exercise("05.1")
def five_wishes(answer: object) -> Verdict:
    """Play a training with the learner's callback and compare where it stopped and what the model holds."""
    stopper = as_callback(answer, EarlyStopping)
    if stopper.mode == "auto" and stopper.monitor == "val_errors":
        return wrong(
            "Keras cannot know whether few or many `val_errors` are good, and would refuse at the end of the first "
            "epoch. Say the `mode`."
        )
    for errors in (_ERRORS, _SIXTH):
        driven, want = _play(stopper, errors), replay.early_stopping(errors, **_WISHES)
        if (driven.epochs_run, driven.kept_epoch) != (want.epochs_run, want.kept_epoch):
            return wrong(_why_not_as_wished(stopper, driven, want))
    return right("It looks from epoch 6 on, counts gains of two errors or more, and brings the best weights back.")


def _play(stopper: EarlyStopping, errors: list) -> Driven:
    # The other metrics get better in each epoch: watching one of them never stops.
    rows = [
        {"loss": 1 / (n + 2), "val_loss": 1 / (n + 3), "accuracy": n / 99, "val_accuracy": n / 99, "val_errors": value}
        for n, value in enumerate(errors)
    ]
    return drive(stopper, rows)


def _why_not_as_wished(stopper: EarlyStopping, driven: Driven, want: replay.StoppingRecord) -> str:
    """Find the one setting that, changed alone, explains what happened."""
    ran = (
        f"Stopped after epoch {driven.epochs_run}" if driven.stopped else f"Never stopped in {driven.epochs_run} epochs"
    )
    ran += f", expected {want.epochs_run}. " if driven.epochs_run != want.epochs_run else ", which is right. "
    if stopper.monitor != "val_errors":
        return f"{ran}It watched `{stopper.monitor}`. Look at `monitor`."
    if stopper.mode == "max":
        return f"{ran}It took more errors for an improvement. Look at `mode`."
    start = stopper.start_from_epoch
    if start < 5:
        looked = "looked at the first epochs" if start == 0 else f"began to look at epoch {start + 1}"
        return f"{ran}It {looked}, expected from epoch 6 on. `start_from_epoch` counts from 0, as Keras does."
    if start > 5:
        return f"{ran}It began to look at epoch {start + 1}; epoch 6 is number 5 for Keras. Look at `start_from_epoch`."
    delta = abs(stopper.min_delta)
    if delta < 1:
        return (
            f"{ran}With `min_delta={delta:g}` one error less counts as an improvement. A gain must be **more** than it."
        )
    if delta >= 2:
        return (
            f"{ran}With `min_delta={delta:g}` two errors less do not count: a gain must be **more** than `min_delta`."
        )
    if stopper.patience != 8:
        return f"{ran}It waited {stopper.patience} epochs. Look at `patience`."
    if not stopper.restore_best_weights:
        return f"{ran}But the model then holds the last weights. Look at `restore_best_weights`."
    return f"{ran}Only six arguments are needed; leave `baseline` and the rest alone."


@exercise("05.2")
def time_for_the_new_rate(answer: object) -> Verdict:
    """Play a plateau with the learner's callbacks and look at the rate of each epoch and the end."""
    listed = list(answer) if isinstance(answer, (list, tuple)) else [answer]
    for callback in listed:
        as_callback(callback)
    reducers = [one for one in listed if isinstance(one, ReduceLROnPlateau)]
    stoppers = [one for one in listed if isinstance(one, EarlyStopping)]
    if not reducers or not stoppers:
        missing = "ReduceLROnPlateau" if not reducers else "EarlyStopping"
        return wrong(f"There is no `{missing}` in the list. The two work side by side.")
    losses = [0.9, 0.5, *[0.6] * 30]
    driven = drive(listed, losses)
    rates = [rate / driven.learning_rates[0] for rate in driven.learning_rates]
    drops = [epoch for epoch in range(1, len(rates)) if rates[epoch] < 0.999 * rates[epoch - 1]]
    astray = next((one for one in (*reducers, *stoppers) if one.monitor != "val_loss"), None)
    if astray is not None:
        return wrong(
            f"`{type(astray).__name__}` watches `{astray.monitor}`, and the plateau is one of `val_loss`. Look at its "
            "`monitor`."
        )
    if not drops:
        return wrong(
            f"Of the {driven.epochs_run} epochs that ran, none had a lower rate. The stop must be more patient than "
            "the reducer: it has to wait for two reductions and 4 epochs more."
        )
    # Epochs 3 to 6 bring no improvement, so epoch 7 (6 from 0) is the first with a lower rate.
    if drops[0] != 6:
        return wrong(
            f"The best was epoch 2, and epoch {drops[0] + 1} was the first with a lower rate; expected is epoch 7, "
            "after 4 epochs without improvement. Look at the `patience` of `ReduceLROnPlateau`."
        )
    factor = rates[6]
    if abs(factor - 0.1) > 1e-3:
        return wrong(f"The rate fell to {factor:.2g} of what it was, expected a tenth. Look at `factor`.")
    if driven.epochs_run < 14:
        return wrong(
            f"Stopped after epoch {driven.epochs_run}, expected 14: too early. `EarlyStopping` counts on when the rate "
            "falls: its patience has to last for all three times 4 epochs."
        )
    if len(drops) < 2 or drops[1] != 10 or any(abs(rate - 0.01) > 1e-4 for rate in rates[10:14]):
        return wrong(
            "The first reduction is right, the second is not where or what it should be. Leave `cooldown`, `min_lr` "
            "and the rest alone."
        )
    if driven.epochs_run > 14:
        ended = f"Stopped after epoch {driven.epochs_run}" if driven.stopped else "It never stopped"
        return wrong(f"{ended}, expected after epoch 14: too late. Count 4 + 4 + 4 from the best epoch, the second.")
    if driven.kept_epoch != 1:
        return wrong("The rate and the stop are right, but the last weights stay. Look at `restore_best_weights`.")
    return right("Two reductions, four epochs for each rate, and the best weights at the end.")


@exercise("05.3")
def enough_patience(answer: object) -> Verdict:
    """Ask the function about curves by hand, then about random ones with ties."""
    if not callable(answer) or isinstance(answer, type):
        return wrong("Expected a function of one argument, the list of losses.")
    curves = [
        [0.9, 0.5, 0.6, 0.7, 0.4, 0.8, 0.9, 1.0, 1.1, 1.2],  # the way behind the best is the longest
        [0.9, 0.8, 0.7, 0.6],
        [0.9, 0.8, 0.85, 0.86, 0.87, 0.7, 0.75, 0.6, 0.9],
        [0.5, 0.6, 0.7, 0.8, 0.9],
        [0.9, 0.6, 0.6, 0.6, 0.5, 0.7],
    ]
    rng = random.Random(5)
    curves += [[rng.randint(1, 12) / 16 for _ in range(rng.randint(2, 14))] for _ in range(60)]
    for curve in curves:
        given, want = answer(list(curve)), _enough(curve)
        if given != want:
            return wrong(_why_other_patience(curve, given, want))
    return right(f"Right for all {len(curves)} curves, with ties, dips and early bests.")


def _enough(values: list[float]) -> int:
    reached = (p for p in range(1, len(values) + 1) if replay.early_stopping(values, patience=p).best == min(values))
    return next(reached)


def _why_other_patience(curve: list[float], given: object, want: int) -> str:
    case = f"For {', '.join(f'{value:g}' for value in curve)} your function said {given!r}; {want} is enough"
    if given is None:
        return f"{case}. Does every way through your function `return` something?"
    if isinstance(given, bool) or not (isinstance(given, (int, float)) or hasattr(given, "item")):
        return f"{case}. A patience is a whole number."
    reached = replay.early_stopping(curve, patience=max(int(given), 0)).best
    best = curve.index(min(curve))
    if given == 0:
        return f"{case}. Patience 0 and 1 are the same; the smallest to name here is 1."
    if reached != min(curve):
        if given == want - 1:
            return f"{case}. With {given} it stops one epoch before the improvement: `wait` may not reach the patience."
        return f"{case}. With {given} it stops before the lowest value, and keeps {reached:g}."
    if given in (best, best + 1):
        return f"{case}. That is where the best epoch lies; `wait` begins anew at each improvement on the way."
    return f"{case}. It gets there too, but a smaller one does as well: gaps **behind** the lowest value do not count."
