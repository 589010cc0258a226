"""Checks of callbacks that look at the clock; the clock is the check's own, so no machine is too slow for them.

What is asked is written once as a plain function over the seconds that each part of a fit takes, with a `twist` for
each usual mistake. A mistake is named when the rule with its twist does all that the answer did.
"""

from __future__ import annotations

import inspect
import random
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from helpers.checks import _place
from helpers.checks._core import Verdict, Wrong, not_attempted, right, wrong
from helpers.checks._repair import trying
from helpers.checks.lesson06.clock import FakeClock
from helpers.checks.lesson06.common import (
    Callback,
    apart,
    begins_at_any_epoch,
    begun,
    held,
    keeps_the_flag,
    made,
    taken,
)
from helpers.checks.scripted import Driven, FakeModel, about_stopping, drive

# Where the hands stand: epoch and batch, both 0-based.
At = tuple[int, int]


@dataclass(frozen=True)
class Times:
    """How long each part of a fit takes, in seconds; `batches` by epoch.

    Attributes:
        batches: from the begin of each training batch to its end.
        pause: between a batch's end and the next one's begin.
        begin: of each epoch, before its first batch.
        validation: of each epoch, in all; half of it before its one batch, half in it.
    """

    batches: tuple[tuple[float, ...], ...]
    pause: float = 0.0
    begin: float = 0.0
    validation: float = 0.0

    def moments(self) -> Iterator[tuple[At, float, float, float]]:
        """Yield for each batch where it is, and the time since the fit began before the pause, at begin and at end."""
        now = 0.0
        for epoch, row in enumerate(self.batches):
            now += self.begin
            for batch, seconds in enumerate(row):
                before = now
                now += self.pause + seconds
                yield (epoch, batch), before, before + self.pause, now
            now += self.validation


class _Hands(Callback):
    """Move the clock: stands first in the list, so that the time has passed when the learner's hook is called."""

    def __init__(self, clock: FakeClock, times: Times):
        super().__init__()
        self.clock, self.times = clock, times
        self.at: At = (0, 0)
        self.first_epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.at = (epoch - self.first_epoch, 0)
        self.clock.advance(self.times.begin)

    def on_train_batch_begin(self, batch, logs=None):
        self.clock.advance(self.times.pause)

    def on_train_batch_end(self, batch, logs=None):
        self.at = (self.at[0], batch)
        self.clock.advance(self.times.batches[self.at[0]][batch])

    def on_test_batch_begin(self, batch, logs=None):
        self.clock.advance(self.times.validation / 2)

    def on_test_batch_end(self, batch, logs=None):
        self.clock.advance(self.times.validation / 2)


def _logs(epochs: int) -> dict:
    falling = [1 / (2 + epoch) for epoch in range(epochs)]
    return {"loss": falling, "val_loss": [value + 0.5 for value in falling]}


def _play(callback: Callback, hands: _Hands, model: FakeModel, initial_epoch: int = 0) -> Driven:
    rows, hands.first_epoch = hands.times.batches, initial_epoch
    return drive(
        [hands, callback], _logs(len(rows)), batches=len(rows[0]), validation_batches=1, model=model,
        initial_epoch=initial_epoch,
    )  # fmt: skip


def _resumed(made_one: Callable[[list], Callback], clock: FakeClock, times: Times, initial_epoch: int) -> tuple:
    """Return how many batches the second of two fits trains, and how often it alerts; the second resumes."""
    told: list = []
    callback, model = made_one(told), FakeModel()
    _play(callback, _Hands(clock, times), model)
    before = len(told)
    clock.advance(40)
    ran = _play(callback, _Hands(clock, times), model, initial_epoch)
    return sum(hook == "on_train_batch_end" for hook, _ in ran.hooks), len(told) - before


def _uses(kind: Callable, *names: str) -> str | None:
    """Return the first of these names that one of the learner's functions uses."""
    functions = [kind] if inspect.isfunction(kind) else []
    for base in getattr(kind, "__mro__", ()):
        if base.__module__.partition(".")[0] not in ("keras", "builtins", "helpers"):
            functions += [value for value in vars(base).values() if isinstance(value, types.FunctionType)]
    for function in functions:
        found = [name for name in names if name in function.__code__.co_names]
        if found:
            return found[0]
    return None


def _no_clock(kind: Callable) -> str:
    """Say which clock the answer reads that is none; "" where it reads a right one."""
    work = _uses(kind, "process_time", "thread_time", "process_time_ns", "thread_time_ns")
    if work:
        return f"`{work}` counts computing only, and stands still while the machine waits."
    if _uses(kind, "datetime", "now"):
        return "The check cannot move `datetime`; take `time.perf_counter()`."
    return ""


def _on_time(at: At) -> str:
    return f"batch {at[1] + 1} of epoch {at[0] + 1}"


# -- 06.4 ------------------------------------------------------------------------------------------------------------

# Four batches of one second and two seconds of validation: 6 seconds an epoch. 7 seconds are over, to the point, after
# the first batch of epoch 2.
EVEN = Times(((1.0,) * 4,) * 6, validation=2.0)
# A budget, the seconds that passed between making the object and the fit, and one fit after another.
Budget = tuple[float, float, tuple[Times, ...]]


def _budgets() -> list[Budget]:
    rng = random.Random(64)
    cases: list[Budget] = [
        (7.0, 0.0, (EVEN,)), (7.0, 100.0, (EVEN, EVEN)), (3.0, 0.0, (EVEN,)), (0.5, 0.0, (EVEN,)),
        (1000.0, 5.0, (EVEN,)), (4.0, 0.0, (EVEN,)),
    ]  # fmt: skip
    for _ in range(12):
        fits = tuple(
            Times(
                tuple(tuple(rng.uniform(0.05, 2.0) for _ in range(4)) for _ in range(5)),
                pause=rng.choice((0.0, 0.173)), begin=rng.choice((0.0, 0.419)), validation=rng.uniform(0.0, 3.0),
            )
            for _ in range(rng.choice((1, 2)))
        )  # fmt: skip
        # Not in a validation: whether a fit may end there is nobody's question.
        _, _, begin, end = rng.choice(list(fits[0].moments())[:14])
        # In the middle of a batch, or just before or after its end: there is nothing to round.
        met = begin + 0.75 * (end - begin), end - 1e-5, end + 1e-5
        cases.append((met[len(cases) % 3], rng.choice((0.0, 30.7)), fits))
    return cases


BUDGET_TWISTS = {
    "first batch": (
        "It stops after the first batch, whatever the time. Subtract the time at the start of the fit from the time "
        "now, "
        "and compare with `self.seconds`. Both are in seconds."
    ),
    "validation": "It adds up the batches alone. Validation takes time as well; subtract two readings of the clock.",
    "from batch": (
        "Its time begins with the first batch. What comes before it is part of this fit: start in `on_train_begin`."
    ),
    "epoch end": "It looks only at the end of an epoch. An epoch may last an hour: look after each batch.",
    "no room": (
        "It stops a batch early: as soon as one more like the last would not fit. Asked for is the end after the first "
        "batch at which the time is over."
    ),
    "begin": "It looks at the beginning of a batch, so one more is trained. Look at the end: `on_train_batch_end`.",
    "made": (
        "The time since the object was made counts against the budget. The clock starts in `on_train_begin`, not in "
        "`__init__`."
    ),
    "kept": (
        "The first fit is right, and in the next the time of the first still counts. Start the clock anew in "
        "`on_train_begin`, each time."
    ),
    "each epoch": "The time starts again in each epoch. It starts once, in `on_train_begin`.",
    "each batch": "The time starts again in each batch. It starts once, in `on_train_begin`.",
    "whole seconds": "It rounds to whole seconds. Compare the time as it is.",
    "rounded": "It rounds to whole seconds. Compare the time as it is.",
    "minutes": "It compares minutes with seconds. The clock counts in seconds, and so does `self.seconds`.",
    ">": (
        "It ends one batch too late where the budget is met to the point: at **least** so many seconds is `>=`, not "
        "`>`."
    ),
}  # fmt: skip


def budget_batches(case: Budget, twist: str = "") -> list[int]:
    """Return after how many batches each fit of a case ends, by the rule of 06.4 or with a mistake."""
    seconds, passed, fits = case
    ran, elsewhere = [], passed if twist == "made" else 0.0
    for times in fits:
        in_epoch = total = first = 0.0
        moments, ended, length = list(times.moments()), None, 0.0
        for number, ((epoch, batch), before, begin, end) in enumerate(moments):
            if batch == 0:
                in_epoch = before
            first = begin if number == 0 else first
            total += end - begin
            last = batch == len(times.batches[epoch]) - 1
            length = end
            now = {
                "validation": total, "from batch": end - first, "each epoch": end - in_epoch, "begin": begin,
                "each batch": end - begin, "whole seconds": float(int(end)), "rounded": float(round(end)),
                "minutes": end / 60, "no room": end + (end - begin),
            }.get(twist, end + elsewhere)  # fmt: skip
            if twist == "epoch end":
                if last and end + times.validation >= seconds:
                    ended = number + 1
            elif twist == "first batch" or (now > seconds if twist in (">", "no room") else now >= seconds):
                ended = number + 1
            if ended:
                break
        ran.append(ended or len(moments))
        if twist in ("kept", "made"):
            elsewhere += length + times.validation  # an epoch that is broken off is validated all the same
    return ran


def _budget_ran(kind: Callable, case: Budget, clock: FakeClock) -> tuple[list[int], Callback, FakeModel, bool]:
    seconds, passed, fits = case
    callback, model, ran, stopped = made(kind, seconds), FakeModel(), [], False
    clock.advance(passed)
    for times in fits:
        driven = held(_play(callback, _Hands(clock, times), model))
        ran.append(sum(hook == "on_train_batch_end" for hook, _ in driven.hooks))
        stopped = stopped or driven.stopped
    return ran, callback, model, stopped


def time_budget(answer: object) -> Verdict:
    """Play trainings on a clock of our own: even and uneven, met exactly, twice, by objects made long before."""
    kind = taken(answer, "TimeBudget")
    if not begun(kind):
        return not_attempted("Write your hooks below `__init__`.")
    cases = _budgets()
    with FakeClock(kind) as clock:
        if trying() and not all(_budget_ran(kind, case, clock)[0] == budget_batches(case) for case in cases):
            return wrong("")
        plays = [_budget_ran(kind, case, clock) for case in cases]
        yours, wanted = [ran for ran, *_ in plays], [budget_batches(case) for case in cases]
        if yours != wanted:
            hits = sum(one == other for one, other in zip(yours, wanted, strict=True)) / len(cases)
            told, guess = _why_not_in_time(kind, cases, plays, wanted, clock)
            return wrong(told, 0.5 if hits > 0.5 else 0.0, guess)
        begins_at_any_epoch(lambda first: _resumed(lambda told: made(kind, 7.0), clock, EVEN, first))
        keeps_the_flag(made(kind, 1e6), _logs(4), batches=2)
    return right("It stops after the first batch at which the budget is spent, in the first fit and in the next.")


def _why_not_in_time(
    kind: Callable, cases: list[Budget], plays: list, wanted: list[list[int]], clock: FakeClock
) -> tuple[str, str | None]:
    """Return what happened, with its cause where one is known; and, where none is, what to look at."""
    number = next(n for n, (ran, *_) in enumerate(plays) if ran != wanted[n])
    seconds, _, fits = cases[number]
    ran, callback, model, _ = plays[number]
    fit = next(n for n, one in enumerate(ran) if one != wanted[number][n])
    times, moments = fits[fit], list(fits[fit].moments())
    if times is EVEN:
        told = "Each batch takes 1 second and each validation 2"
    else:
        shown = "; ".join(", ".join(f"{one:.2f}" for one in row) for row in times.batches[:2])
        told = f"The batches take {shown}, … seconds, each validation {times.validation:.2f}"
    told += f", in fit {fit + 1} with the same object" if fit else ""
    due, mine = wanted[number][fit], ran[fit]
    over = moments[due - 1][3] >= seconds
    told += f". `seconds={seconds:.4g}` are over right after {_on_time(moments[due - 1][0])}. " if over else (
        f". `seconds={seconds:.4g}` are never over. "
    )  # fmt: skip
    whole_fit = mine == len(moments)
    told += "It never stopped." if whole_fit else f"It stopped after {_on_time(moments[mine - 1][0])}."
    if not any(stopped for *_, stopped in plays):
        slip = _no_clock(kind) or about_stopping(callback, model)
        return (f"{told} {slip}", None) if slip else (
            f"{told} Nor did any other training.",
            "Subtract the time at the start of the fit from the time now, compare with `self.seconds`, and set "
            "`self.model.stop_training`.",
        )  # fmt: skip
    yours = [one for one, *_ in plays]
    twist = next((name for name in BUDGET_TWISTS if [budget_batches(case, name) for case in cases] == yours), None)
    if twist:
        cause, guess = apart(BUDGET_TWISTS[twist], callback)
        return f"{told} {cause}".strip(), guess
    fixed = next((s for s in (1, 2, 3, 5, 7, 10, 60) if [budget_batches((s, *c[1:])) for c in cases] == yours), None)
    if fixed:
        return f"{told} Whatever `seconds` is, it takes {fixed}. Compare with `self.seconds`.", None
    if fit and _budget_ran(kind, (seconds, 0.0, (times,)), clock)[0] == [due]:
        return told, "With a new object it is right. Start the clock anew in `on_train_begin`, each time."
    slip = _no_clock(kind)
    return f"{told} {slip}".strip(), None if slip else ""


# -- 06.6 ------------------------------------------------------------------------------------------------------------

# The pause between batches and validation do not count. A batch of exactly the limit comes first, then two too long.
UNEVEN = Times(((1.0, 1.0, 1.0, 1.0), (1.0, 2.0, 3.0, 5.0), (1.0, 1.0, 4.0, 1.0)), validation=8.0)
# A limit and one fit after another.
Limit = tuple[float, tuple[Times, ...]]


def _limits() -> list[Limit]:
    rng = random.Random(66)
    cases: list[Limit] = [
        (2.0, (UNEVEN, UNEVEN)), (4.5, (UNEVEN,)), (9.0, (UNEVEN,)),
        (2.0, (Times(((3.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0))),)),
        (2.0, (Times(((1.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 2.5))),)),
        (2.0, (Times(((1.0, 1.0, 1.0, 1.0), (1.0, 1.0, 1.0, 1.0)), pause=1.5, begin=5.0, validation=3.0),)),
        (2.0, (Times(((1.0, 1.0, 1.99999, 1.0), (1.0, 2.00001, 1.0, 3.0))),)),
    ]  # fmt: skip
    for _ in range(12):
        fits = tuple(
            Times(
                tuple(tuple(rng.uniform(0.05, 3.0) for _ in range(4)) for _ in range(3)),
                pause=rng.choice((0.0, 0.7)), begin=rng.choice((0.0, 4.1)), validation=rng.choice((0.0, 6.3)),
            )
            for _ in range(rng.choice((1, 2)))
        )  # fmt: skip
        cases.append((rng.uniform(1.5, 3.0), fits))
    return cases


LIMIT_TWISTS = {
    ">=": "A batch of exactly the limit is no alert: **more** is `>`, not `>=`.",
    "end to end": (
        "It measures from the end of one batch to the end of the next, with the validation and the pauses between "
        "them. "
        "Read the clock in `on_train_batch_begin`."
    ),
    "end to end, from the start": (
        "It measures from the end of one batch to the end of the next, with the validation and the pauses between "
        "them. "
        "Read the clock in `on_train_batch_begin`."
    ),
    "every": "It alerts at every batch that is too long. Remember in `self.alerted` that it was given.",
    "every >=": "It alerts at every batch from the limit on. Once in a fit; and **more** than the limit is `>`.",
    "epoch": "It alerts once in each epoch. Once in each **fit**: set `self.alerted` back in `on_train_begin` only.",
    "once": (
        "The first fit is right; in a second one with the same object there is no alert. Once in **each** fit: set "
        "`self.alerted` back in `on_train_begin`."
    ),
    "since start": (
        "It measures from the beginning of the fit. The time starts anew with each batch: `on_train_batch_begin`."
    ),
    "since epoch": (
        "It measures from the beginning of the epoch. The time starts anew with each batch: `on_train_batch_begin`."
    ),
    "whole epoch": (
        "It measures whole epochs, up to their end. Each batch has a time of its own: `on_train_batch_begin` and "
        "`on_train_batch_end`."
    ),
    "not first": "It leaves out the first batch of each epoch. Every batch counts.",
    "not last": "It leaves out the last batch of each epoch. Every batch counts.",
    "last": "It alerts at the last batch that was too long. The alert belongs to the first.",
    "milliseconds": "It compares milliseconds with seconds. The clock counts in seconds, and so does `self.limit`.",
    "whole seconds": "It rounds to whole seconds. Compare the time as it is.",
    "mean": "It compares the mean of all batches so far. Each batch is compared on its own.",
    "number 0": (
        "It looks at batch number 0 only, the first of each epoch. The first batch **that takes too long** is meant, "
        "wherever it is in the fit."
    ),
    "number 0, once": (
        "It looks at batch number 0 only, the first of each epoch. The first batch **that takes too long** is meant, "
        "wherever it is in the fit."
    ),
    "armed again": (
        "A batch that is fast enough arms it again. Once in a fit is enough: set `self.alerted` back in "
        "`on_train_begin` only."
    ),
    "first batch": "It alerts at the first batch, however long it took. Compare its seconds with `self.limit`.",
}  # fmt: skip


def limit_alerts(case: Limit, twist: str = "") -> list[list[At]]:
    """Return at which batches the alert comes in each fit, by the rule of 06.6 or with a mistake."""
    limit, fits = case
    told: list[list[At]] = []
    for times in fits:
        found: list[At] = []
        last_end, epoch_begin, total, count, armed = None, 0.0, 0.0, 0, True
        for at, before, begin, end in times.moments():
            if at[1] == 0:
                epoch_begin = before
            total, count = total + end - begin, count + 1
            seconds = {
                "mean": total / count,
                "end to end": end - (begin if last_end is None else last_end), "since start": end,
                "end to end, from the start": end - (last_end or 0.0),
                "since epoch": end - epoch_begin, "milliseconds": 1000 * (end - begin),
                "whole seconds": float(int(end - begin)), "first batch": limit + 1,
            }.get(twist, end - begin)  # fmt: skip
            last_end = end
            over = seconds > limit + 1e-9
            skipped = twist.startswith("number 0") and at[1] != 0
            if twist == "armed again":
                skipped, armed = not armed, not over
            skipped = skipped or (twist == "not first" and at[1] == 0) or (twist == "not last" and at[1] == 3)
            exact = twist in (">=", "every >=") and abs(seconds - limit) < 1e-9
            if twist == "whole epoch":
                seconds = end + times.validation - epoch_begin + times.begin
                skipped = at[1] != len(times.batches[at[0]]) - 1
            if (seconds > limit + 1e-9 or exact) and not skipped:
                found.append(at)
        if twist == "epoch":
            found = [at for n, at in enumerate(found) if not n or found[n - 1][0] != at[0]]
        elif twist == "last":
            found = found[-1:]
        elif not twist.startswith("every") and twist not in ("armed again", "number 0"):
            found = found[:1]
        if twist == "once" and any(told):
            found = []
        told.append(found)
    return told


def _limit_ran(kind: Callable, case: Limit, clock: FakeClock) -> tuple[list[list[At]], list[tuple], Callback]:
    limit, fits = case
    model, calls, told = FakeModel(), [], []
    hands = _Hands(clock, fits[0])
    callback = made(kind, limit, lambda *texts: calls.append((hands.at, texts, _place.hook())))
    if calls:
        raise Wrong("The alert came when the object was made, before any batch. Call it in `on_train_batch_end`.")
    for times in fits:
        clock.advance(50)
        hands.times = times
        before = len(calls)
        driven = held(_play(callback, hands, model))
        if driven.stopped:
            raise Wrong("The training was stopped, which nobody asked for. Only call `self.alert`.", 0.5)
        told.append([at for at, *_ in calls[before:]])
    return told, calls, callback


def batch_alert(answer: object) -> Verdict:
    """Play fits on a clock of our own and note at which batch the alert is called."""
    kind = taken(answer, "BatchAlert")
    if not begun(kind):
        return not_attempted("Write your hooks below `__init__`.")
    cases = _limits()
    with FakeClock(kind) as clock:
        if trying() and not all(_limit_ran(kind, case, clock)[0] == limit_alerts(case) for case in cases):
            return wrong("")
        plays = [_limit_ran(kind, case, clock) for case in cases]
        yours, wanted = [told for told, *_ in plays], [limit_alerts(case) for case in cases]
        if yours != wanted:
            hits = sum(one == other for one, other in zip(yours, wanted, strict=True)) / len(cases)
            told, guess = _why_other_alerts(kind, cases, plays, wanted, clock)
            return wrong(told, 0.5 if hits > 0.5 else 0.0, guess)
        for _, calls, _ in plays:
            for _, texts, _ in calls:
                if len(texts) != 1 or not isinstance(texts[0], str) or not texts[0].strip():
                    return wrong(
                        "It alerts where it should. But the alert should get exactly one text, such as "
                        "`self.alert('Batch 3 took 3.0 seconds.')`.", credit=0.7
                    )  # fmt: skip
        begins_at_any_epoch(lambda first: _resumed(lambda told: made(kind, 2.0, told.append), clock, UNEVEN, first))
        keeps_the_flag(made(kind, 1.0, lambda *texts: None), _logs(4), batches=2)
    return right("One alert in each fit, at the first batch that took too long. Validation and pauses do not count.")


def _why_other_alerts(
    kind: Callable, cases: list[Limit], plays: list, wanted: list, clock: FakeClock
) -> tuple[str, str | None]:
    """Return what happened, with its cause where one is known; and, where none is, what to look at."""
    number = next(n for n, (told, *_) in enumerate(plays) if told != wanted[n])
    limit, fits = cases[number]
    fit = next(n for n, one in enumerate(plays[number][0]) if one != wanted[number][n])
    mine, due, times = plays[number][0][fit], wanted[number][fit], fits[fit]
    rows = "; ".join(f"epoch {n + 1}: {_seconds(row)}" for n, row in enumerate(times.batches))
    told = f"`limit={limit:.4g}`; the batches take, in {rows} seconds"
    told += f"; before each there is a pause of {times.pause:g}" if times.pause else ""
    told += f"; each validation takes {times.validation:g}" if times.validation else ""
    told += f". In fit {fit + 1} with the same object" if fit else ". In this fit"
    told += f" the one alert belongs at {_on_time(due[0])}. " if due else " there should be no alert. "
    told += "There was none." if not mine else f"Yours came at {', then '.join(_on_time(at) for at in mine[:3])}."
    hooks = {hook for *_, hook in plays[number][1]}
    if hooks in ({"on_train_end"}, {"on_epoch_end"}, {"on_epoch_begin"}):
        told += f" It was in `{hooks.pop()}`, not in `on_train_batch_end`, where a batch ends."
    test = next((hook for at, _, hook in plays[number][1] if hook.startswith("on_test")), "")
    if test:
        told += f" It was in the validation after that batch, in `{test}`. Only training batches count."
    if not any(found for told_, *_ in plays for found in told_):
        slip = _no_clock(kind) or about_stopping(plays[number][2], FakeModel())
        return (f"{told} {slip}", None) if slip else (
            f"{told} Nor was there one in any other training.",
            "Two readings of the clock are needed, one in each of the two batch hooks, and then a call: "
            "`self.alert(...)` with a text.",
        )  # fmt: skip
    yours = [one for one, *_ in plays]
    twist = next((name for name in LIMIT_TWISTS if [limit_alerts(case, name) for case in cases] == yours), None)
    if twist:
        cause, guess = apart(LIMIT_TWISTS[twist], plays[number][2])
        return f"{told} {cause}".strip(), guess
    fixed = next((s for s in (1, 2, 3, 5, 10) if [limit_alerts((s, c[1])) for c in cases] == yours), None)
    if fixed:
        return f"{told} Whatever `limit` is, it takes {fixed}. Compare with `self.limit`.", None
    if test or hooks == {"on_train_end"}:
        return told, None
    if fit and _limit_ran(kind, (limit, (times,)), clock)[0] == [due]:
        return told, "With a new object it is right. Set all state in `on_train_begin`."
    slip = _no_clock(kind)
    return f"{told} {slip}".strip(), None if slip else (
        "Once in a fit is enough." if len(mine) > 1 and mine[:1] == due else ""
    )  # fmt: skip


def _seconds(row: Sequence[float]) -> str:
    return ", ".join(f"{one:.3g}" for one in row)
