"""Checks of lesson 08: a function that foretells when EarlyStopping stops, mended."""

from __future__ import annotations

import numbers
import random

from helpers import replay
from helpers.checks._core import Verdict, exercise, right, wrong

# Losses, patience, and what has gone wrong when the answer for them is wrong; the first that fails is told.
_PROBES = (
    ([0.9, 0.7, 0.5, 0.6, 0.7, 0.8, 0.9], 2, "plain"),
    ([1.0, 0.9, 0.8, 0.7], 2, "runs out"),
    ([1.0, 0.8, 0.9, 0.95, 0.5, 0.6, 0.7, 0.8], 2, "dip"),
    ([0.6, 0.5, 0.5, 0.5, 0.5, 0.4, 0.45, 0.46], 2, "tie"),
    ([1.0, 0.6, 0.8, 0.7, 0.65, 0.64, 0.9], 2, "falling but not best"),
    ([1.0, 0.8, 0.9, 0.7, 0.8, 0.6, 0.7, 0.5], 2, "in a row"),
    ([1.0, 0.9, 0.95, 0.8, 0.85, 0.9], 0, "zero"),
)
_CURVES = 300


@exercise("08.1")
def foretell_the_stop(answer: object) -> Verdict:
    """Ask the learner's function about curves that each part the rule from one wrong one, then about many at random."""
    if not callable(answer) or isinstance(answer, type):
        return wrong("Expected a function of two arguments, `losses` and `patience`.")
    for losses, patience, kind in _PROBES:
        want = replay.early_stopping(losses, patience=patience).epochs_run
        given = answer(list(losses), patience)
        if not isinstance(given, numbers.Integral) or isinstance(given, bool):
            return wrong(
                f"For losses {_listed(losses)} and `patience={patience}` it returned {given!r}. Every way through it "
                "needs a `return` with a whole number: where nothing stops, the number of epochs."
            )
        if given != want:
            asked = (
                f"Losses {_listed(losses)}, `patience={patience}`: training ends after epoch {want}, you say {given}."
            )
            return wrong(f"{asked} {_why(kind, given, want, losses)}")
    random_source = random.Random(8)
    for _ in range(_CURVES):
        losses = [random_source.randint(1, 12) / 10 for _ in range(random_source.randint(1, 12))]
        patience = random_source.randint(0, 4)
        want = replay.early_stopping(losses, patience=patience).epochs_run
        given = answer(list(losses), patience)
        if given != want:
            return wrong(
                f"Losses {_listed(losses)}, `patience={patience}`: training ends after epoch {want}, you say "
                f"{given!r}. Write the counter below each loss and compare it with yours."
            )
    return right(f"Right on {len(_PROBES)} tricky curves and on {_CURVES} at random.")


def _listed(losses: list[float]) -> str:
    return ", ".join(map(str, losses))


def _why(kind: str, given: int, want: int, losses: list[float]) -> str:
    """Name the misconception behind a wrong number."""
    if kind == "zero" and given == 1:
        return "The first loss is always a new best, so no training ends after epoch 1."
    if kind == "plain" and given == want - 1:
        return "One too small: do you count from 0, or stop one bad epoch too soon?"
    if kind == "plain" and given == want + 1:
        return "One too large: it stops when the counter **reaches** the patience (`>=`), not when it passes it."
    if kind == "plain" and given == losses.index(min(losses)) + 1:
        return "That is the best epoch. It stops `patience` epochs after it."
    return {
        "runs out": "The loss falls to the end, so nothing stops it and all epochs run.",
        "dip": "The lowest loss comes later, and the callback never sees it: go through the losses one by one, and "
        "forget what lies ahead.",
        "tie": "A tie is no improvement: it does not set the counter back, it adds 1.",
        "in a row": "Only epochs **in a row** count: each new best sets the counter back to 0.",
        "falling but not best": "Better than the epoch before is not enough: it has to be better than the best so far.",
        "zero": "Patience 0 does the same as patience 1: it cannot stop at an epoch that improves.",
    }.get(kind, "Go through the losses one by one, with a best and a counter.")
