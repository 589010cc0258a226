"""Checks of lesson 08: a function that foretells when EarlyStopping stops, mended.

The rule is written once, with a `twist` for each usual mistake; a mistake is named when the rule with its twist gives
all that the answer gave.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Container

from helpers import replay
from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import as_function, call, whole

Case = tuple[list[float], int]
_PROBES: tuple[Case, ...] = (
    ([0.9, 0.7, 0.5, 0.6, 0.7, 0.8, 0.9], 2),
    ([1.0, 0.9, 0.8, 0.7], 2),
    ([1.0, 0.8, 0.9, 0.95, 0.5, 0.6, 0.7, 0.8], 2),
    ([0.6, 0.5, 0.5, 0.5, 0.5, 0.4, 0.45, 0.46], 2),
    ([1.0, 0.6, 0.8, 0.7, 0.65, 0.64, 0.9], 2),
    ([1.0, 0.8, 0.9, 0.7, 0.8, 0.6, 0.7, 0.5], 2),
    ([1.0, 0.9, 0.95, 0.8, 0.85, 0.9], 0),
    ([0.8], 3),
    ([120.5, 130.25, 110.75, 140.5, 150.25], 2),
    ([-1.5, -2.5, -2.0, -2.25, -3.5], 2),
)

STOP_TWISTS = {
    "from 0": "It counts epochs from 0; people, and this function, count from 1.",
    "from 0 at a stop": "Where it stops, the epoch is counted from 0; people, and this function, count from 1.",
    "early": "It ends one bad epoch too soon: the counter is 0 at the best epoch and has to **reach** `patience`.",
    "late": "It ends one bad epoch too late: when the counter **reaches** the patience (`>=`), not when it passes it.",
    "best at a stop": "Where it stops it names the best epoch. Training ends `patience` epochs after it.",
    "ahead": (
        "It looks ahead: the lowest loss of all comes later, and the callback never sees it. Go through the losses one "
        "by one, and forget what lies ahead."
    ),
    "tie": "A tie is no improvement: it does not set the counter back, it adds 1.",
    "tie stays": "A tie is no improvement: it adds 1 to the counter, and yours leaves it as it is.",
    "before": "Better than the epoch before is not enough: it has to be better than the best so far.",
    "never back": "Each new best sets the counter back to 0; yours counts on, through improvements, too.",
    "total": "Only epochs **in a row** count: each new best sets the counter back to 0.",
    "rising": (
        "It counts epochs that are worse than the one before. What counts are those that do not beat the best so far."
    ),
    "zero": "Patience 0 does the same as patience 1: it cannot end at an epoch that improves.",
    "zero at once": "Patience 0 does the same as patience 1: it cannot end before an epoch that is no improvement.",
    "zero never": "Patience 0 does the same as patience 1: the first epoch without an improvement ends the training.",
    "first counts": "The first loss is always a new best, and yours counts epoch 1 as one without an improvement.",
    "0 at the end": "Where nothing ends the training, all epochs run: the answer is the number of losses.",
    "-1 at the end": "Where nothing ends the training, all epochs run: the answer is the number of losses.",
    "best at the end": (
        "Where nothing ends the training, all epochs run: the answer is their number, not the best epoch."
    ),
    "more at the end": "Where nothing ends the training, the answer is the number of losses; yours is one more.",
    "less at the end": "Where nothing ends the training, the answer is the number of losses; yours is one less.",
    "start at 1": 'The best begins at a fixed value that the first losses do not beat. Begin with `float("inf")`.',
    "start at 0": 'Nothing is below the 0 that it begins with. Begin with `float("inf")`, or with the first loss.',
    "rounded 1": "It rounds the losses. A small gain is a gain, too.",
    "rounded 2": "It rounds the losses. A small gain is a gain, too.",
    "rounded 3": "It rounds the losses. A small gain is a gain, too.",
    "not cut off": (
        "There are only so many losses: where they run out before the patience does, training ends with the last."
    ),
    "too late": (
        "An improvement exactly `patience` epochs after the best comes in time, and sets the counter back; with "
        "yours it is too late."
    ),
    "first rise": (
        "It takes the first rise and adds the patience, whatever comes after it. An improvement on the way sets the "
        "counter back to 0."
    ),
    "one more at a stop": "Where it stops, the epoch is one too many: it is counted from 1 already.",
    "rising is better": "It takes a rising loss for an improvement. A lower loss is better.",
}


def stop_epoch(losses: list[float], patience: int, twists: Container[str] = ()) -> int:
    """Return the epoch (from 1) after which training ends by the rule of `EarlyStopping`, or by it with mistakes."""
    if "ahead" in twists:
        ends = min(losses.index(min(losses)) + 1 + patience, len(losses))
        return ends - 1 if "from 0" in twists else ends
    if "first rise" in twists:
        rises = (n for n in range(1, len(losses)) if losses[n] > losses[n - 1])
        return min(next(rises, len(losses)) + patience, len(losses))
    if patience == 0 and "zero at once" in twists:
        return 0 if "from 0" in twists else 1
    ends, best_epoch = (None, 1) if patience == 0 and "zero never" in twists else _ends(losses, patience, twists)
    if ends is not None:
        ends = best_epoch if "best at a stop" in twists else ends + ("one more at a stop" in twists)
        return ends - 1 if "from 0" in twists or "from 0 at a stop" in twists else ends
    others = {"0 at the end": 0, "-1 at the end": -1, "best at the end": best_epoch, "from 0": len(losses) - 1,
              "not cut off": best_epoch + patience,
              "more at the end": len(losses) + 1, "less at the end": len(losses) - 1}  # fmt: skip
    return next((value for twist, value in others.items() if twist in twists), len(losses))


def _ends(losses: list[float], patience: int, twists: Container[str]) -> tuple[int | None, int]:
    best = 1.0 if "start at 1" in twists else 0.0 if "start at 0" in twists else math.inf
    if "first counts" in twists:
        best = losses[0]
    if "rising is better" in twists:
        losses, best = [-loss for loss in losses], -best if math.isfinite(best) else math.inf
    limit = patience + ("late" in twists) - ("early" in twists)
    wait, best_epoch, before = 0, 1, losses[0] if "first counts" in twists else math.inf
    for epoch, loss in enumerate(losses, start=1):
        if twist := next((one for one in ("rounded 1", "rounded 2", "rounded 3") if one in twists), None):
            loss = round(loss, int(twist[-1]))
        against = before if "before" in twists or "rising" in twists else best
        better = loss <= against if "tie" in twists or "rising" in twists else loss < against
        still, before = loss == against, loss
        if better and "too late" in twists and epoch > 1 and wait + 1 >= limit:
            return epoch, best_epoch
        if better:
            best, best_epoch = min(best, loss), epoch
            wait = wait if "total" in twists else wait + (epoch > 1) if "never back" in twists else 0
        elif not ("tie stays" in twists and still):
            wait += 1
        if (not better or "zero" in twists) and wait >= limit:
            return epoch, best_epoch
    return None, best_epoch


def _cases() -> list[Case]:
    rng = random.Random(8)
    cases = list(_PROBES)
    for number in range(250):
        on_grid = number % 2
        spread = rng.choice((2.8, 0.02, 0.0005, 4e-6))
        values = [
            rng.randint(1, 12) / 16 if on_grid else 0.2 + rng.uniform(0, spread) for _ in range(rng.randint(1, 12))
        ]
        cases.append((values, rng.randint(0, 4)))
    return cases


_STOP_PIECES = {"len({0})": "the number of losses", "{0}": "the list of losses", "{1}": "the patience"}


@exercise("08.1", pieces=_STOP_PIECES)
def foretell_the_stop(answer: object) -> Verdict:
    """Ask the learner's function about tricky curves, then about many at random, on a grid and off it."""
    function = as_function(answer, "losses, patience")
    cases = _cases()
    wanted = [replay.early_stopping(losses, patience=patience).epochs_run for losses, patience in cases]
    given = []
    for losses, patience in cases:
        handed = list(losses)
        given.append(call(function, handed, patience))
        if trying() and whole(given[-1]) != wanted[len(given) - 1]:
            return wrong("")
        if handed != losses:
            return wrong(f"Your function changed the list it was given: {_listed(losses)}. Work on a copy.", credit=0.3)
    numbers = [whole(value) for value in given]
    if numbers == wanted:
        return right(f"Right on {len(_PROBES)} tricky curves and on {len(cases) - len(_PROBES)} at random.")
    # The shortest case tells best what is wrong, and a small patience better than none.
    wrong_ones = [n for n in range(len(cases)) if numbers[n] != wanted[n]]
    number = next((n for n in wrong_ones if n < len(_PROBES)), min(wrong_ones, key=lambda n: len(cases[n][0])))
    losses, patience = cases[number]
    asked = f"Losses {_listed(losses)}, `patience={patience}`: training ends after epoch {wanted[number]}, "
    credit = 0.5 if len(wrong_ones) < len(cases) / 4 else 0.0
    nothing = [n for n in wrong_ones if numbers[n] is None]
    if nothing:
        losses, patience = cases[nothing[0]]
        return wrong(
            f"For losses {_listed(losses)} and `patience={patience}` it returned {given[nothing[0]]!r}.",
            credit,
            "Every way through it needs a `return` with a whole number: where nothing stops, the number of epochs.",
        )
    named = " And: ".join(STOP_TWISTS[twist] for twist in _mistakes(cases, numbers))
    if not named and all(cases[n][1] == 0 for n in wrong_ones):
        named = (
            "Only with `patience=0` it is wrong. 0 does the same as 1: an epoch that improves cannot end a training, "
            "and "
            "the first that does not ends it."
        )
    named = named or _leaves_out(function, cases, numbers)
    return wrong(f"{asked}you say {numbers[number]}. {named}".strip(), credit, None if named else _ADVICE)


def _leaves_out(function: Callable, cases: list[Case], numbers: list[int | None]) -> str:
    """Say which argument the answer does not look at, asking it again with another patience; "" for none."""
    if numbers == [len(losses) for losses, _ in cases]:
        return ""
    if all(call(function, list(losses), 3) == call(function, list(losses), 1) for losses, _ in cases[:60]):
        return "The answer does not depend on `patience`: it is the same with 1 and with 3. Use the one that is passed."
    return ""


_ADVICE = "Write the counter below each loss: 0 at a new best, else one more; and compare it with yours."


def _mistakes(cases: list[Case], given: list[int | None]) -> tuple[str, ...]:
    """Return the fewest mistakes, one or two, with which the rule gives all that was given; none if there are none."""
    # With a patience of 0 mistakes meet; those that are there without it are named first.
    plain = [(case, value) for case, value in zip(cases, given, strict=True) if case[1] > 0]
    for pairs in (list(zip(cases, given, strict=True)), plain):
        for count in (1, 2):
            for twists in itertools.combinations(STOP_TWISTS, count) if pairs else ():
                if all(stop_epoch(*case, twists) == value for case, value in pairs):
                    return twists
        if all(stop_epoch(*case) == value for case, value in plain):
            break
    return ()


def _listed(losses: list[float]) -> str:
    return ", ".join(f"{loss:.4g}" for loss in losses)
