"""Check of 06.5: a learning rate that follows the training loss, known as the bold driver.

The rule is written once as a plain function, with a `twist` for each usual mistake. An answer plays all cases; when
what it does is what the rule does with a twist, that mistake has been found, and the message names it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from helpers.checks._core import Verdict, Wrong, not_attempted, right, wrong
from helpers.checks._repair import trying
from helpers.checks.lesson06.common import (
    Callback,
    Fit,
    apart,
    begins_at_any_epoch,
    begun,
    explained,
    held,
    keeps_the_flag,
    listed,
    made,
    taken,
)
from helpers.checks.scripted import FakeModel, drive

NAN, INF = math.nan, math.inf
RANDOM_CASES = 150

RATE = 0.1
# One fit after another with the same object and model: loss and val_loss. A NaN stands at the end of a fit.
DRIVES: tuple[tuple[Fit, ...], ...] = (
    (((4, 3, 5, 4, 1, 0.5), (1, 2, 3, 2, 3, 4)),),
    (((2, 2, 2), (1, 0.9, 0.8)),),
    (((3, 2, NAN), (1, 0.9, 0.8)),),
    (((3, 2, 1), (3, 2, 1)), ((5, 4, 6), (3, 4, 5))),
    # Off any grid, and nearly the same: there is nothing to round.
    (((0.5000004, 0.5000003, 0.5000005, 0.5000004, 0.4999999), (1, 0.9, 0.8, 0.7, 0.6)),),
    # The first, the lowest and the one before are three different things to compare with.
    (((4, 2, 3, 2.5, 2.7, 1), (3, 2, 1, 2, 3, 1)),),
)

DRIVER_TWISTS = {
    "first": (
        "After the **first** epoch of a fit there is nothing to compare with, and the rate should stay. Begin "
        "with `self.before = None`, and leave it then."
    ),
    "first down": (
        "After the **first** epoch the rate was halved. With what was its loss compared? Nothing came before it, "
        "so the rate should stay."
    ),
    "late": (
        "Only the rate at the end of a fit is not as it should be: the loss of its last epoch changes nothing. "
        "Apply the rule in `on_epoch_end`."
    ),
    "best": "It compares with the lowest loss so far. The rule looks at the epoch **before**, good or bad.",
    "first of all": (
        "It compares each epoch with the first of the fit. The rule looks at the epoch **before**: bring `self.before` "
        "up to date in every epoch."
    ),
    "added": "It adds and subtracts. The rate is **multiplied**, by 1.05 or by 0.5.",
    "val_loss": "It looks at `val_loss`. The bold driver looks at the road under the wheels: the training `loss`.",
    "swapped": "It speeds up when the loss rises and brakes when it falls. The other way round.",
    "tie": "When the loss stays equal, it should brake: only **lower** is good enough.",
    "NaN": (
        "After a NaN it should brake, and does not. NaN is neither lower nor higher: ask `loss < before`, and "
        "brake in the `else`."
    ),
    "kept": (
        "One fit alone is right. In a second fit, the first epoch was compared with the last of the fit before. "
        "Set `self.before` in `on_train_begin`."
    ),
    "compound": (
        "The rate does not go on from where it was: each change starts from the first rate again. Read the rate "
        "of the optimizer now, and multiply that."
    ),
    "compound in a fit": (
        "The rate does not go on from where it was: each change starts from the rate at the beginning of the fit. "
        "Read the rate of the optimizer after each epoch, and multiply that."
    ),
}


# What an answer remembers of an epoch shows only in the one after it: asked when all else is right.
REMEMBERED: tuple[tuple[Fit, ...], ...] = (
    (((3, NAN, 2, 1), (1, 0.9, 0.8, 0.7)),),
    (((NAN, 2, 1), (1, 0.9, 0.8)),),
    (((0, 1, 2), (1, 0.9, 0.8)),),
)

REMEMBERED_TWISTS = {
    "NaN skipped": (
        "After a NaN it compares with the epoch before the NaN. The rule knows only the epoch before, and nothing is "
        "lower than NaN: brake once more."
    ),
    "NaN as infinity": (
        "In the epoch after a NaN it speeds up. Nothing is lower than NaN, so it should brake once more: keep the NaN "
        "as it is."
    ),
    "NaN as nothing": (
        "In the epoch after a NaN it does nothing. A NaN is a loss like any other here, and nothing is lower: it "
        'should brake. Tell "nothing yet" by None.'
    ),
    "zero as nothing": (
        "After a loss of 0 it does nothing. 0 counts as false, so `if self.before` takes it for nothing yet: ask "
        "`if self.before is not None`."
    ),
}


def driver_rates(fits: Sequence[Fit], twist: str = "") -> list[float]:
    """Return the rate of each epoch and that at the end, over all fits, by the rule of 06.5 or with a mistake."""
    rate, before, rates = RATE, None, []
    for losses, val_losses in fits:
        if twist != "kept":
            before = {"first": INF, "first down": -INF}.get(twist)
        pending, begun = 1.0, rate
        for loss in val_losses if twist == "val_loss" else losses:
            rate, pending = rate * pending, 1.0
            rates.append(rate)
            factor = _driver_factor(loss, before, twist)
            if twist == "late":
                pending = factor
            elif twist in ("compound", "compound in a fit") and before is not None:
                rate = (RATE if twist == "compound" else begun) * factor
            elif twist == "added":
                rate += {1.05: 0.05, 0.5: -0.5}.get(factor, 0.0)
            else:
                rate *= factor
            before = _remembered(before, loss, twist)
        rates.append(rate)
    return rates


def _remembered(before: float | None, loss: float, twist: str) -> float | None:
    if twist == "best" and before is not None:
        return min(before, loss)
    if twist == "first of all" and before is not None:
        return before
    if math.isnan(loss):
        return {"NaN skipped": before, "NaN as infinity": INF, "NaN as nothing": None}.get(twist, loss)
    return None if twist == "zero as nothing" and loss == 0 else loss


def _driver_factor(loss: float, before: float | None, twist: str) -> float:
    if before is None:
        return 1.0
    lower = {"tie": loss <= before, "NaN": not loss >= before, "swapped": not loss < before}.get(twist, loss < before)
    return 1.05 if lower else 0.5


def _close(one: list, other: list) -> bool:
    return all(
        len(a) == len(b) and all(math.isclose(x, y, rel_tol=1e-4) for x, y in zip(a, b, strict=True))
        for a, b in zip(one, other, strict=True)
    )


def bold_driver(answer: object) -> Verdict:
    """Play fits and look at the learning rate with which each epoch was trained."""
    kind = taken(answer, "BoldDriver")
    if not begun(kind):
        return not_attempted("Write your hooks into the class.")
    for drives, twists in ((DRIVES, DRIVER_TWISTS), (REMEMBERED, REMEMBERED_TWISTS)):
        if trying() and not all(_close([_rates(kind, fits)], [driver_rates(fits)]) for fits in drives):
            return wrong("")
        yours = [_rates(kind, fits) for fits in drives]
        expected = [driver_rates(fits) for fits in drives]
        if not _close(yours, expected):
            found, case = _why_other_rates(yours, expected, drives, twists)
            cause, guess = apart(found, kind)
            return wrong(f"{cause} {case}".strip(), guess=guess)
    _goes_on_from_the_rate_of_others(kind)
    begins_at_any_epoch(lambda first: _resumed(kind, first))
    keeps_the_flag(made(kind), {"loss": [4.0, 3.0, 2.0, 1.0]})
    return right("Faster while the loss falls, half the speed at anything else, and a fresh start in each fit.")


def _rates(kind: type[Callback], fits: Sequence[Fit]) -> list[float]:
    callback, model, rates = made(kind), FakeModel(learning_rate=RATE), []
    for losses, val_losses in fits:
        driven = held(
            drive(callback, {"loss": losses, "val_loss": val_losses}, model=model, batches=2),
            allowed=frozenset({"learning_rate"}),
        )
        rates += [*driven.learning_rates, driven.final_learning_rate]
    if "lr" in vars(model.optimizer):
        raise Wrong(
            "It sets `optimizer.lr`. In Keras 3 that is a new attribute that nobody reads, and no error says so. "
            "The rate is `self.model.optimizer.learning_rate`."
        )
    return rates


class _Sets(Callback):
    """Another callback of the list, which sets the rate before epoch 3."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.optimizer.learning_rate = RATE / 10


def _goes_on_from_the_rate_of_others(kind: type[Callback]) -> None:
    model = FakeModel(learning_rate=RATE)
    ran = drive([_Sets(), made(kind)], {"loss": [4.0, 3.0, 2.0, 1.0]}, model=model)
    if not math.isclose(ran.learning_rates[3], RATE / 10 * 1.05, rel_tol=1e-4):
        raise Wrong(
            "Another callback in the list had set the learning rate, and yours put its own back. Keep no rate of your "
            "own: read `self.model.optimizer.learning_rate` each time, and multiply that."
        )


def _resumed(kind: type[Callback], initial_epoch: int) -> list[float]:
    callback, model = made(kind), FakeModel(learning_rate=RATE)
    drive(callback, {"loss": [5.0, 1.0]}, model=model)
    ran = drive(callback, {"loss": [4.0, 3.0, 2.0]}, model=model, initial_epoch=initial_epoch)
    return [*ran.learning_rates, ran.final_learning_rate]


def _why_other_rates(
    yours: list[list[float]],
    expected: list[list[float]],
    drives: Sequence[Sequence[Fit]],
    twists: Mapping[str, str],
) -> tuple[str, str]:
    """Return the cause, "" where none is known, and the first case that shows it."""
    if all(math.isclose(rate, RATE, rel_tol=1e-4) for rates in yours for rate in rates):
        return "The rate never changes. Assign to `self.model.optimizer.learning_rate` in `on_epoch_end`.", ""
    found = explained(yours, lambda twist: [driver_rates(fits, twist) for fits in drives], twists, _close)
    found = found or _other_factors(yours, drives)
    for fits, mine, right_ones in zip(drives, yours, expected, strict=True):
        if not _close([mine], [right_ones]):
            played = " and then ".join(listed(losses) for losses, _ in fits)
            case = f"With `loss` {played}, the rates were {listed(mine)}; they should be {listed(right_ones)}."
            return found, f"{case} The last of each fit is the rate it ends with."
    return found, ""


_KINDS = {
    "first": "after the first epoch of a fit",
    "lower": "when the loss is lower than before",
    "equal": "when it is equal",
    "higher": "when it is higher",
    "NaN": "after a NaN",
}


def _other_factors(yours: list[list[float]], drives: Sequence[Sequence[Fit]]) -> str:
    """Say by how much it multiplies the rate in each kind of epoch, if that is all that is wrong; else ""."""
    found: dict[str, set[float]] = {kind: set() for kind in _KINDS}
    for rates, fits in zip(yours, drives, strict=True):
        at = 0
        for losses, _ in fits:
            before = None
            for loss in losses:
                kind = "first" if before is None else "NaN" if loss != loss or before != before else (
                    "lower" if loss < before else "equal" if loss == before else "higher"
                )  # fmt: skip
                found[kind].add(float(f"{rates[at + 1] / rates[at]:.4g}") if rates[at] else 0.0)
                before, at = loss, at + 1
            at += 1
    wished = {"first": 1.0, "lower": 1.05}
    if any(len(factors) > 1 for factors in found.values()):
        return ""
    odd = [
        f"{_KINDS[kind]}, by {next(iter(factors)):g} and not by {wished.get(kind, 0.5):g}"
        for kind, factors in found.items()
        if factors and not math.isclose(next(iter(factors)), wished.get(kind, 0.5), rel_tol=1e-3)
    ]
    strange = {min(found[kind]) for kind in found if found[kind] and any(text.startswith(_KINDS[kind]) for text in odd)}
    return f"It multiplies the rate {'; '.join(odd)}." if 0 < len(strange) < 3 else ""
