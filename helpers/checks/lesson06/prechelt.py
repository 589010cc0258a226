"""Check of 06.7: the stopping rules GL and PQ of Lutz Prechelt, "Early Stopping - But When?", 1998.

The rule is written once as a plain function, with a `twist` for each usual mistake. An answer plays all cases; when
what it does is what the rule does with a twist, that mistake has been found, and the message names it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from helpers.checks._core import Verdict, not_attempted, right
from helpers.checks.lesson06.common import (
    Fit,
    begins_at_any_epoch,
    begun,
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

# alpha, strip, and one fit after another with the same object: loss and val_loss.
Strips = tuple[float, int | None, tuple[Fit, ...]]
PRECHELT: tuple[Strips, ...] = (
    (20, None, (((1, 1, 1, 1, 1, 1, 1), (10, 8, 9, 9.5, 10, 12, 20)),)),
    (25, None, (((1, 1, 1, 1), (8, 10, 9, 12)),)),
    (5, None, (((1, 2, 1, 2), (8, 8.2, 8.1, 9)),)),
    (20, None, (((1, 1, 1, 1, 1, 1), (10, 8, NAN, 9, 10, 10)),)),
    (20, None, (((1, 1, 1, 1, 1), (NAN, 8, 9, 10, 10)),)),
    (20, None, (((1, 1, 1, 1, 1), (10, 11, 12, 13, 14)),)),
    (20, None, (((1, 1), (2, 1.5)), ((1, 1, 1, 1), (10, 9, 10, 12)))),
    (0.1, 2, (((4, 2, 2, 2, 2, 2, 2, 2), (10, 12, 15, 10, 10, 11, 12, 13)),)),
    (0.1, 2, (((2, 2, 2, 2), (8, 10, 10, 10)),)),
    (0.05, 3, (((2, 4, 3, 2, 4, 3, 3, 3, 3), (10, 10, 12, 10, 11, 14, 10, 10, 11)),)),
    (0.1, 3, (((9, 9, 9, 2, 4, 3, 2, 2, 2), (10, 10, 10, 10, 10, 12, 9, 9, 9.5)),)),
    (0.1, 2, (((4, 2, 1), (10, 10, 10)), ((4, 2, 2, 2), (10, 10, 11, 11)))),
    (0.1, 2, (((2, 2.1, 2, 2.1), (10, 10.01, 10, 10.01)),)),
    (0.3, 2, (((2, 2, 2, 2), (10, 11, 10, 11)),)),
)

PRECHELT_TWISTS = {
    "fraction": "GL is meant in per cent: 100 times the fraction.",
    "first": "It compares with the first `val_loss`. GL compares with the lowest so far.",
    "before": "It compares with the `val_loss` of the epoch before. GL compares with the lowest so far.",
    "loss": "It takes GL from the training `loss`. The loss of generalisation shows in `val_loss`.",
    ">=": "It stops when GL equals `alpha`. The rule says **greater**: is it `>`, or did you write `>=`?",
    "GL >=": (
        "A GL equal to `alpha` does not stop a training without a `strip`: the rule says **greater**, so it is `>`."
    ),
    "below": "GL is the rise divided by the **lowest** value, not by the value now.",
    "NaN": (
        "A NaN in the middle wipes out the lowest value before it. `min(a, b)` gives `a` when either is NaN, so "
        "put the old lowest first."
    ),
    "NaN first": (
        'When the first `val_loss` is NaN it becomes the lowest, and nothing is below NaN. Begin with `float("inf")`.'
    ),
    "kept": (
        "One fit alone is right. In a second fit with the same object, the lowest of the first still counts. Set "
        "it in `on_train_begin`."
    ),
    "strip kept": (
        "The losses of a strip that was not full at the end of a fit are still there in the next fit. Empty the "
        "list in `on_train_begin`."
    ),
    "all kept": "One fit alone is right. In a second fit nothing begins afresh: set all state in `on_train_begin`.",
    "every epoch": (
        "With a `strip`, it looks in every epoch. Look only at the end of a strip, and begin a new one there."
    ),
    "epoch number": (
        "It looks one epoch late, and first after epoch 1. `epoch` counts from 0, so a strip of 5 is full when "
        "`(epoch + 1) % 5` is 0."
    ),
    "thousand": "P is meant in per mille: 1000 times the fraction.",
    "hundred": "P is meant in per mille: 1000 times the fraction, not 100 times.",
    "val strip": "P is taken from `val_loss`. It is the progress on the training `loss`.",
    "history": (
        "P is taken over all epochs of the fit. It belongs to the last strip alone: empty the list at its end."
    ),
    "at ends": (
        "With a `strip`, the lowest `val_loss` is only brought up to date at the end of a strip. It may come in "
        "the middle: do it in every epoch, before you leave early."
    ),
    "last": "P is the mean loss over the **lowest** loss of the strip, not over its last.",
    "sum": "P takes the **mean** of the losses in the strip; yours takes their sum.",
    "no strip": "It stops as if there were no `strip`: with one, GL is held against `alpha * P`.",
}


def prechelt_epochs(alpha: float, strip: int | None, fits: Sequence[Fit], twist: str = "") -> list[int]:
    """Return how many epochs each fit runs by Prechelt's rules (1998), or by the rule with a usual mistake.

    GL(t) = 100 (E_va(t) / E_opt(t) - 1), and over a strip of k epochs P_k(t) = 1000 (mean E_tr / min E_tr - 1).
    """
    ran, lowest, strips = [], INF, []
    for losses, val_losses in fits:
        if twist not in ("kept", "all kept") or not ran:
            lowest = None if twist in ("first", "NaN first", "before") else INF
        if twist not in ("strip kept", "all kept"):
            strips = []
        ran.append(len(losses))
        for epoch, (loss, value) in enumerate(zip(losses, val_losses, strict=True)):
            value = loss if twist == "loss" else value
            full = _strip_full(strips, value if twist == "val strip" else loss, strip, epoch, twist)
            if twist != "at ends" or full:
                before, lowest = lowest, _lowest(lowest, value, twist)
                reference = value if before is None else before if twist == "before" else lowest
                if full and _over(value, reference, alpha, strip, strips, twist):
                    ran[-1] = epoch + 1
                    break
            if full and strip and twist not in ("history", "every epoch"):
                strips.clear()
    return ran


def _strip_full(strips: list, loss: float, strip: int | None, epoch: int, twist: str) -> bool:
    if not strip or twist == "no strip":
        return True
    strips.append(loss)
    if twist == "epoch number":
        return epoch % strip == 0
    if twist == "every epoch":
        del strips[:-strip]
        return len(strips) == strip
    return len(strips) % strip == 0 if twist == "history" else len(strips) == strip


def _lowest(lowest: float | None, value: float, twist: str) -> float:
    if lowest is None or twist == "before":
        return value
    if twist == "first":
        return lowest
    if twist == "NaN":
        return min(value, lowest)
    return value if value < lowest else lowest


def _over(value: float, lowest: float, alpha: float, strip: int | None, losses: list, twist: str) -> bool:
    loss = (1 if twist == "fraction" else 100) * (value / lowest - 1)
    if twist == "below":
        loss = 100 * (1 - lowest / value)
    limit = alpha
    if strip and twist != "no strip":
        total = sum(losses) if twist == "sum" else sum(losses) / len(losses)
        limit *= {"thousand": 1, "hundred": 100}.get(twist, 1000) * (
            total / (losses[-1] if twist == "last" else min(losses)) - 1
        )
    return loss >= limit if twist == ">=" or (twist == "GL >=" and not strip) else loss > limit


def _random_prechelt(rng: random.Random) -> Strips:
    strip = rng.choice((None, 2, 3, 5))
    fits = []
    for _ in range(rng.choice((1, 1, 2))):
        epochs = rng.randint(2, 15)
        falling = [round(10 / (1 + 0.3 * epoch) + rng.random(), 3) for epoch in range(epochs)]
        turning = [round(5 + abs(epoch - 4) * 0.4 + rng.random(), 3) for epoch in range(epochs)]
        fits.append((tuple(falling), tuple(turning)))
    return rng.choice((0.11, 0.23) if strip else (3.1, 11.3)), strip, tuple(fits)


# Of the first fit there is a lowest value that the second never reaches.
_RESUMED = (
    {"loss": [1.0, 1.0], "val_loss": [1.0, 2.0]},
    {"loss": [1.0] * 4, "val_loss": [9.0, 8.0, 7.0, 9.0]},
)


def prechelt(answer: object) -> Verdict:
    """Play the cases with both rules and look for the one that explains what the answer did."""
    kind = taken(answer, "Prechelt")
    if not begun(kind):
        return not_attempted("Write your hooks below `__init__`.")

    last: list = []

    def play(case: Strips) -> list[int]:
        alpha, strip, fits = case
        callback = made(kind, alpha) if strip is None else made(kind, alpha, strip=strip)
        return in_turn(callback, [{"loss": losses, "val_loss": values} for losses, values in fits], last)

    more = drawn(_random_prechelt)
    try:
        obeys(kind, play, prechelt_epochs, PRECHELT, PRECHELT_TWISTS, _told, last, more)
    except ZeroDivisionError as error:
        error.add_note("When the loss stands still over a strip, P is 0. Write the test as `GL > alpha * P`.")
        raise
    obeys_drawn(play, prechelt_epochs, more, _told)
    begins_at_any_epoch(lambda first: in_turn(made(kind, 20), _RESUMED, initial_epoch=first))
    keeps_the_flag(made(kind, 20), {"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [4.0, 3.0, 2.0, 1.0]})
    return right("Both rules: GL looks at how much was lost, PQ also at how fast training still moves.")


def _told(case: Strips, number: int, ran: int, expected: int) -> str:
    alpha, strip, fits = case
    losses, val_losses = fits[number - 1]
    measured = _measured(alpha, strip, losses, val_losses, sorted({ran, expected}))
    name = f"`Prechelt({alpha}{f', strip={strip}' if strip else ''})`"
    fit = "" if number == 1 else f" in fit {number}"
    return (
        f"{name} with `loss` {listed(losses)} and `val_loss` {listed(val_losses)} ran {epoch_count(ran)}{fit}; "
        f"it should run {expected}.{measured}"
    )


def _measured(
    alpha: float, strip: int | None, losses: Sequence[float], values: Sequence[float], ends: list[int]
) -> str:
    """Write down GL, and with a strip P, after each of these epochs (from 1), so that a person can compare."""
    told = ""
    for end in ends:
        seen = [value for value in values[:end] if value == value]
        if not seen or (strip and end % strip):
            continue
        loss = 100 * (values[end - 1] / min(seen) - 1)
        told += f" After epoch {end}, GL = {loss:.4g} (lowest {min(seen):g})"
        if strip:
            part = losses[end - strip : end]
            progress = 1000 * (sum(part) / strip / min(part) - 1)
            told += f" and P = {progress:.4g} (mean {sum(part) / strip:.4g}, lowest {min(part):g}): "
            told += f"GL is {'more' if loss > alpha * progress else 'no more'} than alpha * P = {alpha * progress:.4g}."
        else:
            told += f", {'more' if loss > alpha else 'no more'} than alpha = {alpha:g}."
    return told
