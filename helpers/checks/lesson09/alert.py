"""Check of 09.4: an alert that fires once for each time above the limit, also when nobody listens at first.

What is asked is written once as a plain rule, with a `twist` for each usual mistake. A mistake is named when the rule
with its twist calls at all the epochs at which the answer did.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import keras

from helpers.checks._core import Verdict, Wrong, not_attempted, right, wrong
from helpers.checks._repair import trying
from helpers.checks.lesson06.common import apart, begun, held, made, taken
from helpers.checks.scripted import FakeModel, drive

# The values of one fit, by epoch.
Fit = tuple[float, ...]
# For each fit the epochs (0-based) at which somebody was called.
Calls = list[list[int]]


@dataclass(frozen=True)
class Case:
    """One life of an alert: its limit, one fit after another, and the calls (0-based) that nobody answers."""

    limit: float
    fits: tuple[Fit, ...]
    unheard: frozenset[int] = frozenset()
    metric: str = "memory_mb"


def _cases() -> list[Case]:
    cases = [
        Case(100.0, ((50.0, 120.0, 130.0, 140.0),)),
        Case(100.0, ((50.0, 100.0, 120.0, 100.0, 130.0, 90.0, 101.0),)),
        Case(100.0, ((120.0, 130.0, 140.0, 150.0),), frozenset({0, 1})),
        Case(100.0, ((50.0, 120.0), (120.0, 130.0))),
        Case(0.5, ((0.4, 0.6, 0.7, 0.2, 0.9),), metric="queue"),
        Case(100.0, ((120.0, 50.0, 120.0, 130.0),), frozenset({0})),
    ]
    rng = random.Random(94)
    for _ in range(12):
        fits = tuple(
            tuple(rng.choice((40.0, 90.0, 100.0, 100.001, 110.0, 150.0)) for _ in range(8))
            for _ in range(rng.choice((1, 2)))
        )
        unheard = frozenset(call for call in range(6) if rng.random() < 0.3)
        cases.append(Case(100.0, fits, unheard, rng.choice(("memory_mb", "queue"))))
    return cases


TWISTS = {
    "higher": "While the value stays above, a higher one is no new alert: one for each time above the limit.",
    "other way": (
        "It notes the alert where `send` failed, and not where it came back. Note it **after** `send`, in the `try:`."
    ),
    "every epoch": "It calls after every epoch above the limit. Remember in an attribute that somebody has been told.",
    "never again": (
        "It is quiet for the rest of the fit after its first alert. When the value has been at the limit or below, the "
        "next time above is a new alert: forget then that somebody was told."
    ),
    "only once ever": (
        "It calls once in its life. A value that came back, or a new fit, makes the next time above a new alert."
    ),
    "lost": (
        "When `send` raised, it took the alert for sent: in the next epoch, still above, it did not try again. Note "
        "that somebody was told **after** `send` has come back, and ask for that, not for the epoch before."
    ),
    "kept": (
        "A second fit begins above the limit, and it is quiet: it still knows that it called in the first. Begin anew "
        "in `on_train_begin`."
    ),
    ">=": "A value at the limit, to the point, is not more than the limit: `>`, not `>=`.",
    "strictly below": "A value at the limit has come back, to the point: with the next time above, a new alert begins.",
    "below": "It calls when the value is below the limit. Look at the comparison.",
    "at once": (
        "After a `send` that nobody heard it calls again in the same epoch. Let training go on: the next epoch that is "
        "above tries again."
    ),
    "crossing": "It calls when the value comes back, too. Only a value above the limit is an alert.",
    "retry always": (
        "After a `send` that nobody heard it calls again, even though the value is back at the limit or below. Try "
        "again only in an epoch that is above."
    ),
}


def expected(case: Case, twist: str = "") -> Calls:
    """Return the epochs of all calls of `send`, heard or not, by the rule of 09.4 or with a mistake."""
    found: Calls = []
    calls, sent, owed = 0, False, False
    for fit in case.fits:
        found.append([])
        if twist not in ("kept", "only once ever"):
            sent = owed = False
        highest = case.limit
        for epoch, value in enumerate(fit):
            above = value < case.limit if twist == "below" else value > case.limit
            if twist == ">=":
                above = value >= case.limit
            back = value < case.limit if twist == "strictly below" else not above
            if twist == "higher":
                if value > highest:
                    found[-1].append(epoch)
                    highest = highest if calls in case.unheard else value
                    calls += 1
                elif back:
                    highest = case.limit
                continue
            if twist == "crossing" and sent and not above:
                found[-1].append(epoch)
                sent = calls in case.unheard
                calls += 1
                continue
            if (above and not sent) or (owed and twist == "retry always"):
                found[-1].append(epoch)
                owed = calls in case.unheard
                sent = (twist == "lost" or owed == (twist == "other way")) and twist != "every epoch"
                calls += 1
                while twist == "at once" and not sent:
                    found[-1].append(epoch)
                    sent, owed = calls not in case.unheard, False
                    calls += 1
            elif back and twist not in ("never again", "only once ever"):
                sent = False
    return found


class _NobodyListens(OSError):
    """Raised by the check's `send`."""


class _Phone:
    def __init__(self, unheard: frozenset[int]):
        self.unheard, self.calls, self.strange = unheard, 0, ""
        self.at: list[int] = []
        self.epoch = 0

    def __call__(self, *arguments: object, **named: object) -> None:
        if len(arguments) != 1 or named or not isinstance(arguments[0], str) or not arguments[0].strip():
            what = ", ".join([*map(repr, arguments), *(f"{key}={value!r}" for key, value in named.items())])
            self.strange = f"`send` takes one sentence, a text; yours called `send({what[:80]})`."
        self.at.append(self.epoch)
        self.calls += 1
        if self.calls - 1 in self.unheard:
            raise _NobodyListens("connection refused")


class _Clock(keras.callbacks.Callback):
    """Stands behind the answer, so that the epoch changes after it."""

    def __init__(self, phone: _Phone):
        super().__init__()
        self.phone = phone

    def on_train_begin(self, logs=None):
        self.phone.epoch = 0

    def on_epoch_end(self, epoch, logs=None):
        self.phone.epoch = epoch + 1


def _played(kind: type, case: Case) -> tuple[Calls, _Phone]:
    phone = _Phone(case.unheard)
    callback, model, found = made(kind, case.metric, case.limit, phone), FakeModel(), []
    for fit in case.fits:
        phone.at = []
        # The other metric goes the other way, so that an answer that reads it is seen.
        other = "queue" if case.metric == "memory_mb" else "memory_mb"
        rows = [{"loss": 0.5, case.metric: value, other: 2 * case.limit - value} for value in fit]
        try:
            driven = held(drive([callback, _Clock(phone)], rows, model=model))
        except KeyError as error:
            error.add_note(f"This alert watches `{case.metric}`. The name of its metric stands in `self.metric`.")
            raise
        except _NobodyListens:
            raise Wrong(
                "`send` raised an `OSError`, since nobody listened, and it ended the training. Catch it: `try:` and "
                "`except OSError:` around `send`.",
                0.5,
            ) from None
        if driven.stopped:
            raise Wrong("It stops the training. It should only tell.")
        found.append(phone.at)
    return found, phone


def fires_once(answer: object) -> Verdict:
    """Play fits with an alert whose `send` sometimes fails, and compare the epochs of its calls with the rule."""
    kind = taken(answer, "Alert")
    if not begun(kind):
        return not_attempted("Write your hooks below `__init__`.")
    cases = _cases()
    if trying() and not all(_played(kind, case)[0] == expected(case) for case in cases):
        return wrong("")
    plays = [_played(kind, case) for case in cases]
    strange = next((phone.strange for _, phone in plays if phone.strange), "")
    if strange:
        return wrong(strange)
    yours, wanted = [calls for calls, _ in plays], [expected(case) for case in cases]
    if yours != wanted:
        hits = sum(mine == want for mine, want in zip(yours, wanted, strict=True))
        told, guess = _why(kind, cases, yours, wanted)
        return wrong(told, 0.5 if 2 * hits > len(cases) else 0.0, guess)
    return right("One message for each time above the limit, and one that got lost is sent again.")


def _why(kind: type, cases: list[Case], yours: list[Calls], wanted: list[Calls]) -> tuple[str, str | None]:
    """Return what happened, with its cause where one is known; and, where none is, what to look at."""
    if not any(any(calls) for calls in yours):
        return (
            "It never calls `send`.",
            "Does your hook run after each epoch, and does it compare `logs[self.metric]` with `self.limit`?",
        )
    twist = next((name for name in TWISTS if [expected(case, name) for case in cases] == yours), "")
    number = next(n for n, calls in enumerate(yours) if calls != wanted[n])
    fit = next(n for n, calls in enumerate(yours[number]) if calls != wanted[number][n])
    case = cases[number]
    told = f"`{case.metric}` goes {', '.join(f'{value:g}' for value in case.fits[fit])}, the limit is {case.limit:g}"
    told += f", in fit {fit + 1} with the same object" if fit else ""
    if case.unheard:
        told += f", and `send` raises in call {_numbers(sorted(case.unheard), 'and')}"
    told += f". It called {_epochs(yours[number][fit])}; expected {_epochs(wanted[number][fit])}."
    fits = {name: [] for name in ("memory_mb", "queue")}
    for one, mine, want in zip(cases, yours, wanted, strict=True):
        fits[one.metric].append(mine == want)
    if not twist and all(fits["memory_mb"]):
        return told, "Is it `logs[self.metric]` that you read? Other alerts watch other metrics."
    cause, guess = apart(TWISTS.get(twist, ""), kind)
    return f"{told} {cause}".strip(), guess


def _epochs(epochs: list[int]) -> str:
    return f"after epoch {_numbers(epochs, 'and')}" if epochs else "nobody"


def _numbers(numbers: list[int], word: str) -> str:
    told = [str(number + 1) for number in numbers]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} {word} {told[-1]}"
