"""Checks of lesson 02: an EarlyStopping with three wishes, its rule by hand, and whose weights a model holds."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import keras

from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import (
    RULES,
    FakeModel,
    Wish,
    about_monitor,
    as_function,
    by_hand,
    call,
    drive,
    judged_stopper,
    parts,
    whole,
)

EarlyStopping = keras.callbacks.EarlyStopping

# Validation accuracy has a dip before its best, and its first epoch is its lowest. No value repeats.
_WATCHED = {
    "loss": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45],
    "accuracy": [0.20, 0.31, 0.42, 0.41, 0.40, 0.39, 0.38, 0.37, 0.36, 0.35, 0.34, 0.33],
    "val_loss": [1.1, 0.8, 0.9, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03],
    "val_accuracy": [0.30, 0.40, 0.50, 0.48, 0.60, 0.59, 0.58, 0.57, 0.56, 0.55, 0.54, 0.53],
}
_WISHES = {
    "monitor": Wish("val_accuracy"),
    "patience": Wish(4),
    "restore_best_weights": Wish(True, fits=bool),
    "mode": Wish("auto", fits=lambda mode: mode in ("auto", "max")),
}
_TOLD: dict[str, Callable[[object], str]] = {
    "monitor": lambda name: about_monitor(name, list(_WATCHED), "val_accuracy"),
    "mode": lambda mode: f'With `mode="{mode}"` it takes a falling accuracy for better. Look at `mode`.',
    "patience": lambda value: f"`patience` is {value}; asked for are 4 epochs without improvement. Look at `patience`.",
    "min_delta": lambda value: (
        f"`min_delta` is {value}, which nobody asked for: a gain that is no more than that does not count. Leave it "
        "out."
    ),
    "baseline": lambda value: f"`baseline={value}` was not asked for, and it can end a training early. Leave it out.",
    "start_from_epoch": lambda value: (
        f"`start_from_epoch={value}` was not asked for: it ignores the first epochs. Leave it out."
    ),
    "restore_best_weights": lambda _: (
        "The weights of the best epoch come back only if you say so. Look at `restore_best_weights`."
    ),
}


@cache
def _plays() -> list[list[dict]]:
    rng = random.Random(21)
    plays: list[list[dict]] = [[_WATCHED], [_WATCHED, _WATCHED]]
    for number in range(9):
        fits = []
        for _ in range(1 if number % 2 else 2):
            # Many small gains, and dips of one to four epochs before them; off any grid.
            logs = {name: [rng.uniform(0.02, 0.98) for _ in range(14)] for name in _WATCHED}
            if number % 3:
                best, values = rng.uniform(0.02, 0.3), []
                while len(values) < 14:
                    best += rng.choice((0.0004, 0.004, 0.04))
                    values += [best, *[best - rng.uniform(0.0, 0.2) for _ in range(rng.randint(0, 5))]]
                logs["val_accuracy"] = values[:14]
            fits.append(logs)
        plays.append(fits)
    return plays


@exercise("02.1")
def three_wishes(answer: object) -> Verdict:
    """Play trainings with the learner's callback and look at when each stopped and what the model holds."""
    return judged_stopper(
        answer, _WISHES, _plays(), _TOLD,
        lambda ran: f"It stopped after epoch {ran.epochs_run} and brought back the weights of epoch 5, the best.",
    )  # fmt: skip


# -- 02.2 ------------------------------------------------------------------------------------------------------------

BY_HAND = (1.00, 0.80, 0.85, 0.70, 0.70, 0.75, 0.60, 0.65)


_COUNTED = ("epochs_run", "weights_of_epoch")


@exercise("02.2", names=_COUNTED)
def stopped_by_hand(answer: object) -> Verdict:
    """Hold two numbers against the real callback on the same losses."""
    driven = drive(EarlyStopping(patience=2, restore_best_weights=True), list(BY_HAND))
    run, kept = driven.epochs_run, driven.kept_epoch + 1
    numbers = [whole(part) for part in parts(answer, _COUNTED)]
    for name, number, part in zip(_COUNTED, numbers, answer, strict=True):
        if number is None:
            return wrong(f"Both answers are whole numbers: how many epochs, and which epoch. `{name}` is `{part!r}`.")
    epochs_run, weights_of_epoch = numbers
    if (epochs_run, weights_of_epoch) == (run, kept):
        return right(f"{run} epochs run, and the weights of epoch {kept} come back.")
    if (epochs_run, weights_of_epoch) == (run - 1, kept - 1):
        return wrong("Both are one too small: you count from 0. Count epochs from 1 here, as people do.", credit=0.5)
    if (epochs_run, weights_of_epoch) == (kept, run):
        return wrong("The two numbers are right, and in each other's place.", credit=0.5)
    rules = [words for name, words in RULES.items() if by_hand(BY_HAND, 2, name) == (epochs_run, weights_of_epoch)]
    if len(rules) == 1:
        return wrong(
            f"{epochs_run} epochs and the weights of epoch {weights_of_epoch}: that comes out where {rules[0]}. Epoch "
            f"{kept} is a new best and sets the counter to 0; with epoch {run} it reaches 2."
            + (" Or did you count from 0?" if epochs_run == run - 1 else "")
        )
    found = []
    if epochs_run != run:
        found.append(_why_other_count(epochs_run, run))
    if weights_of_epoch != kept:
        found.append(_why_other_weights_by_hand(weights_of_epoch, epochs_run, run, kept))
    start = f"{run} epochs is right. " if epochs_run == run else ""
    end = f" The weights of epoch {kept} are right." if weights_of_epoch == kept else ""
    return wrong(f"{start}{' '.join(found)}{end}", credit=0.5 if start or end else 0.0)


def _why_other_count(given: int, run: int) -> str:
    reasons = {
        run - 1: "By then the counter is only 1: epoch 4 was a new best and set it to 0. Or did you count from 0?",
        run + 1: "The training ends with the epoch in which the counter reaches 2. No further one begins.",
        4: "Epoch 4 is the best so far. The callback stops `patience` epochs after the best, not at it.",
        3: "Epoch 3 is the first that is worse. Patience 2 takes two in a row.",
        len(BY_HAND): "Epoch 5 equals epoch 4, and a tie is no improvement. With epoch 6 that makes two in a row.",
        len(BY_HAND) - run: f"So many of the {len(BY_HAND)} are left out. Asked for is how many run.",
    }
    return f"Not {given} epochs. " + reasons.get(
        given, "Write the counter below each loss: 0 at a new best, else one more."
    )


def _why_other_weights_by_hand(given: int, said_run: int, run: int, kept: int) -> str:
    lowest = BY_HAND.index(min(BY_HAND)) + 1
    reasons = {
        run: "That is the last epoch. With `restore_best_weights=True` the best one comes back.",
        kept - 1: "That is the best epoch counted from 0, as `best_epoch` does. Count from 1 here.",
        kept + 1: "That epoch only equals the best. A tie is no improvement, so the first of the two is kept.",
        lowest: "That would be the best of all, but training had stopped before it.",
    }
    if given == said_run != run:
        return f"Not the weights of epoch {given}: with `restore_best_weights=True` those of the best come back."
    return f"Not the weights of epoch {given}. " + reasons.get(given, "Which epoch had the best loss by then?")


# -- 02.3 ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    losses: list[float]
    patience: int
    restore: bool


@dataclass(frozen=True)
class _Ran:
    """One training: what the function was given, in numbers, and which epoch's weights the model holds (from 1)."""

    case: _Case
    held: int
    epochs: int
    best: int
    last_best: int
    stopped: bool
    stopped_epoch: int
    lowest_training: int


def _weights_cases() -> list[_Case]:
    losses = [0.9, 0.7, 0.5, 0.6, 0.65, 0.7, 0.45, 0.8]
    cases = [_Case(losses, patience, restore) for patience in (2, 50) for restore in (False, True)]
    rng = random.Random(23)
    for number in range(40):
        # Ties on purpose: sixteenths are exact in float32, too.
        values = [rng.randint(2, 14) / 16 for _ in range(rng.randint(1, 9))]
        cases.append(_Case(values, rng.choice((1, 2, 3, 50)), number % 2 == 0))
    return cases


@cache
def _weights_trainings() -> list[tuple[_Ran, EarlyStopping, keras.callbacks.History]]:
    """Play each training once; what is handed to an answer is a copy."""
    trainings = []
    for case in _weights_cases():
        stopper = EarlyStopping(patience=case.patience, restore_best_weights=case.restore)
        driven = drive(stopper, case.losses, model=FakeModel())
        history = keras.callbacks.History()
        history.epoch, history.history = list(range(driven.epochs_run)), dict(driven.history)
        # The lowest training loss is of an epoch of its own, neither the last nor the best.
        training = random.Random(len(trainings)).sample(range(1, 99), driven.epochs_run)
        history.history["loss"] = [loss / 100 for loss in training]
        history.set_params({"verbose": 0, "epochs": len(case.losses), "steps": 1})
        losses = case.losses[: driven.epochs_run]
        last_best = len(losses) - losses[::-1].index(min(losses))
        facts = (driven.epochs_run, stopper.best_epoch + 1, last_best, driven.stopped, stopper.stopped_epoch)
        lowest = training.index(min(training)) + 1
        trainings.append((_Ran(case, driven.kept_epoch + 1, *facts, lowest), stopper, history))
    return trainings


WEIGHTS_TWISTS: dict[str, tuple[Callable[[_Ran], int], str]] = {
    "from 0": (lambda r: r.held - 1, "All answers are one too small: they count from 0. People count from 1."),
    "best from 0": (
        lambda r: r.best - 1 if r.case.restore else r.epochs,
        "`best_epoch` counts from 0, and the answer should count from 1.",
    ),
    "last from 0": (
        lambda r: r.best if r.case.restore else r.epochs - 1,
        "Without restoring it is one too small: the last entry of `history.epoch` counts from 0.",
    ),
    "always best": (lambda r: r.best, "That is the best epoch; without restoring, the last weights stay."),
    "always best from 0": (
        lambda r: r.best - 1,
        "That is the best epoch, counted from 0; without restoring, the last weights stay.",
    ),
    "always last": (
        lambda r: r.epochs,
        "That is the last epoch that ran, where training stopped or ended: with `restore_best_weights` the best "
        "weights "
        "come back.",
    ),
    "swapped": (lambda r: r.epochs if r.case.restore else r.best, "The two cases are in each other's place."),
    "only if stopped": (
        lambda r: r.best if r.case.restore and r.stopped else r.epochs,
        "The best weights come back although nothing was stopped: do not ask `stopped_epoch`.",
    ),
    "best if stopped": (
        lambda r: r.best if r.stopped else r.epochs,
        "What counts is whether restoring was asked for, not whether training was stopped.",
    ),
    "best unless stopped": (
        lambda r: r.epochs if r.stopped and not r.case.restore else r.best,
        "Without restoring, the last weights stay, whether training was stopped or not.",
    ),
    "stopped_epoch": (
        lambda r: r.best if r.case.restore else r.stopped_epoch + 1,
        "`stopped_epoch` is 0 when nothing was stopped. How many epochs ran stands in `history.epoch`.",
    ),
    "stopped_epoch from 0": (
        lambda r: r.best if r.case.restore else r.stopped_epoch,
        "`stopped_epoch` counts from 0, and is 0 when nothing was stopped. How many epochs ran stands in "
        "`history.epoch`.",
    ),
    "always stopped_epoch": (
        lambda r: r.stopped_epoch + 1,
        "`stopped_epoch` is 0 when nothing was stopped, and says nothing of what was restored.",
    ),
    "always stopped_epoch from 0": (
        lambda r: r.stopped_epoch,
        "`stopped_epoch` is 0 when nothing was stopped, counts from 0, and says nothing of what was restored.",
    ),
    "ordered": (
        lambda r: r.best if r.case.restore else len(r.case.losses),
        "So many were ordered, but training stopped before. How many ran stands in `history.epoch`.",
    ),
    "minus patience": (
        lambda r: r.stopped_epoch + 1 - r.case.patience if r.case.restore else r.epochs,
        "Counting `patience` back from `stopped_epoch` is right only where training was stopped; otherwise it is 0. "
        "Ask "
        "`best_epoch`.",
    ),
    "epochs minus patience": (
        lambda r: r.epochs - r.case.patience if r.case.restore else r.epochs,
        "Counting `patience` back from the last epoch is right only where training was stopped. Ask `best_epoch`.",
    ),
    "training loss": (
        lambda r: r.lowest_training if r.case.restore else r.epochs,
        "That epoch has the lowest training `loss`. The callback monitored `val_loss`.",
    ),
    "always training loss": (
        lambda r: r.lowest_training,
        "That epoch has the lowest training `loss`. The callback monitored `val_loss`, and without restoring the last "
        "weights stay.",
    ),
    "last of equal": (
        lambda r: r.last_best if r.case.restore else r.epochs,
        "Where two epochs have the same lowest loss, the first of them is the best: a tie is no improvement.",
    ),
}  # fmt: skip


# Where an answer does this, a condition of its own may be at fault: then that is named, and this otherwise.
_MANY_CAUSES = [WEIGHTS_TWISTS[name][1] for name in ("always best", "always last", "swapped")]
_WEIGHTS_PIECES = {
    "{0}.best_epoch + 1": "the best epoch, counted from 1",
    "len({1}.epoch)": "the number of epochs that ran",
    "{0}.restore_best_weights": "the question whether the best weights come back: `restore_best_weights`",
}


@exercise("02.3", pieces=_WEIGHTS_PIECES)
def whose_weights(answer: object) -> Verdict:
    """Train by script with many settings and compare the function's answer with what the model really holds."""
    function = as_function(answer, "stopper, history")
    ran, given = [], []
    for one, stopper, history in _weights_trainings():
        ran.append(one)
        given.append(call(function, copy.copy(stopper), copy.deepcopy(history)))
        if trying() and whole(given[-1]) != one.held:
            return wrong("")
    if all(whole(value) == one.held for value, one in zip(given, ran, strict=True)):
        return right(f"Right for all {len(ran)} trainings: stopped or not, restored or not, with ties.")
    hits = sum(whole(value) == one.held for value, one in zip(given, ran, strict=True)) / len(ran)
    told, cause, guess = _why_other_weights(ran, given)
    return wrong(f"{told} {cause}".strip(), 0.5 if hits > 0.4 else 0.0, None if cause else guess)


def _why_other_weights(ran: list[_Ran], given: list) -> tuple[str, str, str]:
    """Return the first training that was answered wrongly, the mistake that explains all, and else what to look at."""
    value, one = next((v, r) for v, r in zip(given, ran, strict=True) if whole(v) != r.held)
    stopped = "and then stopped" if one.stopped else "and nothing stopped it"
    case = (
        f"With `patience={one.case.patience}, restore_best_weights={one.case.restore}` and `val_loss` "
        f"{', '.join(f'{loss:g}' for loss in one.case.losses[: one.epochs])}, {one.epochs} "
        f"epoch{'s' if one.epochs > 1 else ''} ran, {stopped}. The model holds the weights of epoch {one.held}; your "
        f"function said {value!r}."
    )
    if value is None:
        return case, "", "It returned nothing there. Every way through it needs a `return`."
    if whole(value) is None:
        loss = isinstance(value, float) and value in one.case.losses
        return (
            case,
            "",
            (
                "That is a value of `val_loss`. Asked for is the number of an epoch."
                if loss
                else "That is no whole number."
            ),
        )
    for rule, words in WEIGHTS_TWISTS.values():
        if [whole(v) for v in given] == [rule(r) for r in ran]:
            named = words not in _MANY_CAUSES
            return case, words if named else "", "" if named else words
    if one.case.restore:
        return case, "", "With restoring, the weights are those of the best epoch: `best_epoch`, which counts from 0."
    return case, "", "Without restoring, the weights are those of the last epoch that ran."
