"""Checks of callbacks that look at the clock; the clock is the check's own, so no machine is too slow for them."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.checks._core import Verdict, not_attempted, right, wrong
from helpers.checks.lesson06.clock import FakeClock
from helpers.checks.lesson06.common import Callback, begun, held, keeps_the_flag, made, taken
from helpers.checks.scripted import Driven, FakeModel, drive

BATCHES = 4
VALIDATION = 2.0  # seconds


class _Hands(Callback):
    """Move the clock: stands first in the list, so that the time has passed when the learner's hook is called."""

    def __init__(self, clock: FakeClock, seconds: Sequence[Sequence[float]], validation: float = VALIDATION):
        super().__init__()
        self.clock, self.seconds, self.validation = clock, seconds, validation
        self.at = (0, 0)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.at = (self.epoch, batch)
        self.clock.advance(self.seconds[self.epoch][batch])

    def on_test_end(self, logs=None):
        self.clock.advance(self.validation)


def _logs(epochs: int) -> dict:
    falling = [1 / (2 + epoch) for epoch in range(epochs)]
    return {"loss": falling, "val_loss": [value + 0.5 for value in falling]}


def _uses(kind: type, *names: str) -> str | None:
    """Return the first of these names that one of the learner's functions uses."""
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] in ("keras", "builtins", "helpers"):
            continue
        for value in vars(base).values():
            if isinstance(value, types.FunctionType):
                found = [name for name in names if name in value.__code__.co_names]
                if found:
                    return found[0]
    return None


# -- 06.4 ------------------------------------------------------------------------------------------------------------

BUDGET = 7.0
# Four batches of one second and two seconds of validation: 6 seconds an epoch. 7 seconds are over, to the point, after
# the first batch of epoch 2; one that sums up batches alone is late by two, and one that asks for more by one.
EVEN = [[1.0] * BATCHES] * 6
EXPECTED = BATCHES + 1


def time_budget(answer: object) -> Verdict:
    """Play trainings on a clock of our own: the budget is met exactly, twice, and by an object made long before."""
    kind = taken(answer, "TimeBudget")
    if not begun(kind):
        return not_attempted("Write your hooks below `__init__`.")
    with FakeClock(kind) as clock:
        first = _timed(made(kind, BUDGET), clock)
        if first.batches != EXPECTED or not first.driven.stopped:
            return wrong(_why_not_in_time(kind, clock, first))
        held(first.driven)
        late = made(kind, BUDGET)
        clock.advance(100)
        if _timed(late, clock).batches != EXPECTED:
            return wrong(
                "When the object is made some time before `fit`, that time counts against the budget. The clock starts "
                "in `on_train_begin`, not in `__init__`."
            )
        again = _timed(late, clock)
        if again.batches != EXPECTED:
            return wrong(
                f"The first fit is right. In a second one with the same object it stops after {_batches(again)}: the "
                "first fit still counts. Start the clock anew in `on_train_begin`, each time."
            )
        other = made(kind, 3.0)
        if _timed(other, clock).batches != 3:
            return wrong("With `seconds=3` it does not stop after 3 seconds. Compare with `self.seconds`.")
        keeps_the_flag(made(kind, 1e6), _logs(4), batches=2)
    return right("It stops after the first batch at which the budget is spent, in the first fit and in the next.")


@dataclass(frozen=True)
class _Timed:
    driven: Driven
    batches: int


def _timed(callback: Callback, clock: FakeClock) -> _Timed:
    driven = drive(
        [_Hands(clock, EVEN), callback], _logs(len(EVEN)), batches=BATCHES, validation_batches=1, model=FakeModel()
    )
    return _Timed(driven, sum(hook == "on_train_batch_end" for hook, _ in driven.hooks))


def _batches(ran: _Timed) -> str:
    epoch, batch = divmod(ran.batches - 1, BATCHES)
    return f"batch {batch + 1} of epoch {epoch + 1}"


def _why_not_in_time(kind: type[Callback], clock: FakeClock, ran: _Timed) -> str:
    told = "Each batch takes 1 second and each validation 2, so `seconds=7` are over right after batch 1 of epoch 2."
    if not ran.driven.stopped:
        work = _uses(kind, "process_time", "thread_time", "process_time_ns", "thread_time_ns")
        if work:
            return f"{told} It never stopped: `{work}` counts computing only, and stands still while the machine waits."
        if _uses(kind, "datetime", "now"):
            return f"{told} It never stopped. The check cannot move `datetime`; take `time.perf_counter()`."
        if _timed(made(kind, 3.0), clock).driven.stopped:
            return (
                f"{told} It never stopped, but `seconds=3` does. Does the time start again in each epoch? It "
                "starts once, in `on_train_begin`."
            )
        return (
            f"{told} It never stopped. The flag that `fit` looks at is `self.model.stop_training`; is it raised when "
            "`time.perf_counter() - self.start >= self.seconds`, and is `self.start` set only in `on_train_begin`?"
        )
    stopped = f"{told} It asked for a stop after {_batches(ran)}"
    hook = ran.driven.stop_asked[0]
    if hook == "on_train_batch_begin":
        return f"{stopped}, from `on_train_batch_begin`: that batch is then trained all the same. Look when it ends."
    if hook in ("on_epoch_end", "on_epoch_begin", "on_test_end"):
        return f"{stopped}, from `{hook}`. An epoch may last an hour: look after each batch, in `on_train_batch_end`."
    if ran.batches == EXPECTED + 1:
        return f"{stopped}, one batch late. **At least** `seconds`: is it `>=`, or did you write `>`?"
    if ran.batches == BUDGET:
        return f"{stopped}: it added up the batches alone. Validation takes time as well; subtract two readings."
    if ran.batches == 1:
        return (
            f"{stopped}. Subtract the time at the start of the fit from the time now, and compare with `self.seconds`. "
            "Both are in seconds."
        )
    return f"{stopped}."


# -- 06.6 ------------------------------------------------------------------------------------------------------------

LIMIT = 2.0
# Validation takes 8 seconds. A batch of exactly the limit comes first, then two that are too long.
UNEVEN = [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 5.0], [1.0, 1.0, 4.0, 1.0]]
SLOW = (1, 2)


def batch_alert(answer: object) -> Verdict:
    """Play two fits on a clock of our own and note at which batch the alert is called."""
    kind = taken(answer, "BatchAlert")
    if not begun(kind):
        return not_attempted("Write your hooks below `__init__`.")
    calls: list[tuple] = []
    with FakeClock(kind) as clock:
        hands = _Hands(clock, UNEVEN, validation=8.0)
        callback = made(kind, LIMIT, lambda *texts: calls.append((hands.at, texts)))

        def play(callback: Callback) -> Driven:
            calls.clear()
            clock.advance(50)
            logs = _logs(len(UNEVEN))
            return drive([hands, callback], logs, batches=BATCHES, validation_batches=1, model=FakeModel())

        driven = play(callback)
        if [at for at, _ in calls] != [SLOW]:
            return wrong(_why_other_alerts(kind, calls))
        held(driven)
        if driven.stopped:
            return wrong("The alert comes as it should, but the training was stopped as well. Only call `self.alert`.")
        texts = calls[0][1]
        if len(texts) != 1 or not isinstance(texts[0], str) or not texts[0].strip():
            return wrong("The alert should get exactly one text, such as `self.alert('Batch 3 took 3.0 seconds.')`.")
        play(callback)
        if [at for at, _ in calls] != [SLOW]:
            found = "there was no alert" if not calls else f"there were {len(calls)} alerts"
            return wrong(
                f"The first fit is right; in a second one with the same object {found}. Once in **each** fit: set "
                "`self.alerted` back in `on_train_begin`."
            )
        play(made(kind, 4.5, lambda *texts: calls.append((hands.at, texts))))
        if [at for at, _ in calls] != [(1, 3)]:
            return wrong("With `limit=4.5` the alert should come at the batch of 5 seconds. Compare with `self.limit`.")
    return right("One alert in each fit, at the first batch that took too long. Validation and pauses do not count.")


def _why_other_alerts(kind: type[Callback], calls: list[tuple]) -> str:
    told = "`limit=2`; epoch 2 has batches of 1, 2, 3 and 5 seconds, so the one alert belongs at its batch 3."
    if not calls:
        work = _uses(kind, "process_time", "thread_time", "process_time_ns", "thread_time_ns")
        if work:
            return f"{told} There was none: `{work}` counts computing only, and stands still while the machine waits."
        return (
            f"{told} There was none. Two readings of the clock are needed, one in each of the two batch hooks, and "
            "then a call: `self.alert(...)` with a text."
        )
    first = calls[0][0]
    where = f"batch {first[1] + 1} of epoch {first[0] + 1}"
    if first == (1, 0):
        return (
            f"{told} Yours came at {where}, which took 1 second: the validation before it was counted too. Read the "
            "clock in `on_train_batch_begin`."
        )
    if first == (1, 1):
        return f"{told} Yours came at {where}, which took 2. **More** than the limit: is it `>`, or did you write `>=`?"
    if first == SLOW:
        return (
            f"{told} It came there, and then again: {len(calls)} alerts in one fit. Remember in `self.alerted` that it "
            "was given."
        )
    if first[0] == 0:
        return (
            f"{told} Yours came at {where}, and that epoch is fine. Does the time start anew with each batch, in "
            "`on_train_batch_begin`?"
        )
    return f"{told} Yours came at {where}. Compare after each batch, in `on_train_batch_end`."
