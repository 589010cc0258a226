"""Check of 06.3: stop when two metrics have both stood still.

The rule is written once as a plain function, with a `twist` for each usual mistake. An answer plays all cases; when
what it does is what the rule does with a twist, that mistake has been found, and the message names it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from helpers.checks._core import Verdict, not_attempted, right, wrong
from helpers.checks.lesson06.common import (
    Curve,
    Fit,
    begins_at_any_epoch,
    begun,
    difference,
    drawn,
    epoch_count,
    in_turn,
    keeps_the_flag,
    listed,
    made,
    obeys,
    obeys_drawn,
    taken,
)

NAN, INF = math.nan, math.inf

# Each case is a patience and one fit after another with the same object; a fit is val_loss and val_accuracy.
BOTH: tuple[tuple[int, tuple[Fit, ...]], ...] = (
    (2, (((5, 4, 3, 3.5, 3.6, 3.7, 3.8), (0.1, 0.2, 0.3, 0.25, 0.24, 0.23, 0.22)),)),
    (3, (((5, 4, 3, 3.5, 3.6, 3.7, 3.8), (0.1, 0.2, 0.3, 0.25, 0.24, 0.23, 0.22)),)),
    (2, (((3, 4, 5, 6, 7, 8), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),)),
    (2, (((6, 5, 4, 3, 2, 1), (0.6, 0.5, 0.4, 0.3, 0.2, 0.1)),)),
    (2, (((-1, -2, -3, -4, -5), (0.5, 0.4, 0.3, 0.2, 0.1)),)),
    (2, (((3, 4, 5, 6, 7, 8), (0.6, 0.5, 0.4, 0.3, 0.2, 0.1)),)),
    (2, (((3, 3, 3, 3, 3), (0.5, 0.5, 0.5, 0.5, 0.5)),)),
    (2, (((5, 4, 4.5, 4.6, 4.7, 4.8), (0.5, 0.6, 0.55, 0.56, 0.57, 0.58)),)),
    (2, (((5, 4, 4.9, 4.8, 4.7, 4.6), (0.5, 0.6, 0.3, 0.2, 0.1, 0.05)),)),
    (2, (((3, 6, 5, 4, 3.5, 3.2), (0.9, 0.5, 0.6, 0.7, 0.8, 0.85)),)),
    (2, (((3, 4, 2, 4, 1, 4, 0.5), (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)),)),
    (2, (((NAN, 3, 2, 1, 0.5), (0.9, 0.8, 0.7, 0.6, 0.5)),)),
    (2, (((5, 4, NAN, 3, 2, 1), (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)),)),
    (2, (((3, None, None, None, 2, 4, None, 5), (0.5, None, None, None, 0.4, 0.3, None, 0.2)),)),
    (2, (((5, 4, 4.5, 4.4, 4.3, 4.2), (0.9, 0.5, 0.6, 0.55, 0.54, 0.53)),)),
    (2, (((3, 2, 1), (0.7, 0.8, 0.9)), ((9, 8, 7, 6, 5), (0.1, 0.2, 0.3, 0.4, 0.5)))),
)

# Asked of an answer that is right in all these: each with what is wrong when it is not as it should be.
FIRST_EPOCH = (
    (
        (1, (((NAN, NAN, 3), (0.0, 0.0, 0.1)),)),
        "A first `val_accuracy` of 0 is a new highest value, but not with yours. What is compared before the first "
        'value has come? Begin with `float("-inf")`, not with 0.',
    ),
    (
        (1, (((NAN, 3, 2), (NAN, 0.5, 0.6)),)),
        "The first epoch always counts as an improvement. NaN is never new, not even in the first epoch: with NaN in "
        "both metrics it is an epoch with neither.",
    ),
    (
        (3, (((3, 4, None, 5, 1), (0.5, 0.4, None, 0.3, 0.7)),)),
        "An epoch without the two metrics counts with yours. It should not: leave before the counter is touched.",
    ),
)

BOTH_TWISTS = {
    "either": (
        "It stops as soon as **one** of the two has stood still for `patience` epochs. As long as the other one "
        "improves, training should go on: one counter, set to 0 when either improves."
    ),
    "both at once": (
        "An epoch counts as an improvement only if both improve at once. One of them is enough: `or`, not `and`."
    ),
    "both at once kept": (
        "An epoch counts as an improvement only if both improve at once. One of them is enough: `or`, not `and`. And "
        "each best is its own: keep it whenever that metric improves."
    ),
    "both taken": (
        "When one of the two improves, the best of the other is overwritten too, with a worse value or a NaN. Each "
        "best is its own: `min` for the one and `max` for the other."
    ),
    "loss alone": (
        "It stops though `val_accuracy` reaches a new highest value in each epoch. Only `val_loss` counts there."
    ),
    "accuracy alone": (
        "It stops though `val_loss` reaches a new lowest value in each epoch. Only `val_accuracy` counts there."
    ),
    "wrong way": "It goes on while `val_accuracy` falls. For an accuracy, higher is better.",
    ">": (
        "It stops one epoch late. At the `patience`-th epoch in a row: is it `wait >= self.patience`, or did you "
        "write `>`?"
    ),
    "early": (
        "It stops one epoch early. The epoch of the best itself is not counted: with `patience=2` two more follow."
    ),
    "tie": "It never stops when both metrics stand still. A tie is nothing new: `<` and `>`, not `<=` and `>=`.",
    "one best": (
        "When both improve in one epoch, only one best is kept: perhaps an `elif`, or an early `return`. Update "
        "both in every epoch."
    ),
    "before": (
        "It compares with the epoch before. After a bad epoch that is easy to beat: keep the best of this fit, "
        "and compare with that."
    ),
    "total": (
        "It counts all epochs without improvement. Only those **in a row** count: set the counter to 0 whenever "
        "one of the two improves."
    ),
    "NaN first": (
        "When the first `val_loss` is NaN, it becomes the best, and nothing ever beats it. Begin with "
        '`float("inf")` and compare with `<`.'
    ),
    "NaN poisons": (
        "A NaN in the middle wipes out the best before it. `min(a, b)` gives "
        "`a` when either is NaN, so put the old best first."
    ),
    "NaN stays": (
        "After a NaN, nothing is ever better again: the NaN has become the best and stays it. NaN is never a new best; "
        "`np.minimum` and `np.maximum` would take it."
    ),
    "missing": "An epoch without the two metrics is counted as one without improvement. Leave early there.",
    "zero": (
        "A `val_loss` never counts as a new lowest value. What is compared before the first value has come? Begin"
        ' with `float("inf")`, not with 0.'
    ),
    "kept": (
        "One fit alone is right. In a second fit with the same object, the bests of the first are still there. "
        "Set all three in `on_train_begin`."
    ),
}


def both_epochs(patience: int, fits: Sequence[Fit], twist: str = "") -> list[int]:
    """Return how many epochs each fit runs by the rule of 06.3, or by the rule with a usual mistake."""
    ran, state = [], {}
    for losses, accuracies in fits:
        if not state or twist != "kept":
            state = {"low": 0.0 if twist == "zero" else INF, "high": -INF, "wait": 0, "waits": [0, 0]}
            if twist in ("NaN first", "before"):
                state |= {"low": None, "high": None}
            if twist == "wrong way":
                state["high"] = INF
        ran.append(_both_one(patience, losses, accuracies, twist, state))
    return ran


def _both_one(patience: int, losses: Curve, accuracies: Curve, twist: str, state: dict) -> int:
    for epoch, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True)):
        if loss is None:
            if twist != "missing":
                continue
            better = [False, False]
        else:
            better = _both_better(loss, accuracy, twist, state)
        both = [all(better)]
        few = {"loss alone": better[:1], "accuracy alone": better[1:], "both at once": both, "both at once kept": both}
        kept = few.get(twist, better)
        if twist == "total":
            state["wait"] += not any(kept)
        else:
            state["wait"] = 0 if any(kept) else state["wait"] + 1
        state["waits"] = [0 if one else wait + 1 for one, wait in zip(better, state["waits"], strict=True)]
        wait = max(state["waits"]) if twist == "either" else state["wait"]
        if wait >= patience + {">": 1, "early": -1}.get(twist, 0) and (twist != "early" or wait):
            return epoch + 1
    return len(losses)


def _both_better(loss: float, accuracy: float, twist: str, state: dict) -> list[bool]:
    low, high = state["low"], state["high"]
    if twist == "tie":
        better = [loss <= low, accuracy >= high]
    elif twist == "wrong way":
        better = [loss < low, accuracy < high]
    else:
        better = [low is None or loss < low, high is None or accuracy > high]
    if twist == "before":
        state["low"], state["high"] = loss, accuracy
        return better
    if twist in ("both taken", "both at once kept"):
        if any(better) if twist == "both taken" else all(better):
            state["low"], state["high"] = loss, accuracy
        return better
    nan_taken = (twist == "NaN poisons" and (loss != loss or low != low)) or (twist == "NaN stays" and loss != loss)
    if better[0] or nan_taken:
        state["low"] = loss
    if better[1] and not (twist == "one best" and better[0]):
        state["high"] = accuracy
    return better


def _random_both(rng: random.Random) -> tuple[int, tuple[Fit, ...]]:
    fits = []
    for _ in range(rng.choice((1, 1, 2))):
        epochs = rng.randint(1, 9)
        # On a grid there are ties, off it there is nothing to round to.
        grid = rng.random() < 0.5
        losses = [rng.choice((rng.randint(1, 8) if grid else rng.uniform(0.5, 1.5), NAN)[: rng.choice((1, 1, 1, 2))])
                  for _ in range(epochs)]  # fmt: skip
        accuracies: list[float | None] = [rng.randint(0, 9) / 10 if grid else rng.uniform(0.7, 0.8) for _ in losses]
        for epoch in range(epochs):
            if rng.random() < 0.1:
                losses[epoch] = accuracies[epoch] = None
        fits.append((tuple(losses), tuple(accuracies)))
    return rng.randint(1, 3), tuple(fits)


# Of the first fit there are bests that nothing beats, and one epoch without.
_RESUMED = (
    {"val_loss": [1.0, 2.0], "val_accuracy": [0.9, 0.8]},
    {"val_loss": [9.0, 8.0, 7.0, 6.0], "val_accuracy": [0.1, 0.2, 0.3, 0.4]},
)


def stop_when_both(answer: object) -> Verdict:
    """Play the cases, each with one object, and look for the rule that explains what it did."""
    kind = taken(answer, "StopWhenBoth")
    if not begun(kind):
        return not_attempted("Write your hooks below `__init__`.")

    last: list = []

    def play(case: tuple[int, tuple[Fit, ...]]) -> list[int]:
        logs = [
            {"loss": [1.0] * len(losses), "val_loss": losses, "val_accuracy": accuracies}
            for losses, accuracies in case[1]
        ]
        return in_turn(made(kind, case[0]), logs, last)

    more = drawn(_random_both)
    obeys(kind, play, both_epochs, BOTH, BOTH_TWISTS, _told, last, more)
    for case, message in FIRST_EPOCH:
        example = difference(play, both_epochs, [case], _told)
        if example:
            return wrong(f"{message} {example}")
    obeys_drawn(play, both_epochs, more, _told)
    begins_at_any_epoch(lambda first: in_turn(made(kind, 2), _RESUMED, initial_epoch=first))
    keeps_the_flag(made(kind, 3), {"val_loss": [4.0, 3.0, 2.0, 1.0], "val_accuracy": [0.1, 0.2, 0.3, 0.4]})
    return right(f"It goes on while either improves, and stops when both have stood still: {len(more)} trainings.")


def _told(case: tuple[int, tuple[Fit, ...]], number: int, ran: int, expected: int) -> str:
    patience, fits = case
    losses, accuracies = fits[number - 1]
    fit = "" if number == 1 else f", in fit {number},"
    return (
        f"With `patience={patience}`{fit} `val_loss` {listed(losses)} and `val_accuracy` {listed(accuracies)} it ran "
        f"{epoch_count(ran)}; it should run {expected}."
    )
