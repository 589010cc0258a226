"""What is known of a run: the record that grows in the thread, and the snapshot of it that everybody else gets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Change", "Run", "Snapshot"]

# Epochs whose mean time foretells the rest: enough to be steady, few enough to follow a busy machine.
_RECENT = 20


@dataclass(frozen=True)
class Change:
    """A setting of EarlyStopping that was changed during a run.

    Attributes:
        epoch: The epoch (0-based) at whose end the new value was first obeyed.
        name: `"patience"` or `"min_delta"`.
        old: The value in force until then.
        new: The value in force from then on.
        seconds: Time spent training until then.
    """

    epoch: int
    name: str
    old: float
    new: float
    seconds: float = field(default=0.0, compare=False, repr=False)


@dataclass(frozen=True)
class Snapshot:
    """All that is known of a run at one moment; it does not change afterwards.

    Attributes:
        state: `"ready"`, `"running"`, `"pausing"`, `"paused"`, `"stopping"`, `"done"` or `"failed"`.
        ended_by: Why a run is done: `"early stopping"`, `"epochs"` (they ran out), `"stop"` (someone stopped it),
            `"callback"` (another callback did); `"error"` when it failed; None before the end.
        run: 1 for the first run, 2 after a restart, 0 before any.
        version: Grows whenever anything in here changes.
        epochs: Epochs that `fit` was asked for.
        first_epoch: The epoch of the first entry in the lists below; 0 unless `initial_epoch` was given.
        epochs_run: How many epochs have ended.
        batch: Batches begun in the present epoch, so that long epochs show progress.
        batches: Batches in an epoch, None if unknown.
        history: Metric name to its value after each epoch that ended, None where it was missing.
        monitor: What EarlyStopping watches; None without one.
        waits: EarlyStopping's `wait` after each epoch.
        patiences: The patience in force at the end of each epoch.
        patience: The patience asked for, which is in force from the next epoch's end on; None without EarlyStopping.
        min_delta: Likewise.
        best: EarlyStopping's best value; None if it has none yet.
        best_epoch: The epoch of that value; None if there is none yet.
        kept_epoch: The epoch whose weights the model holds after the end; None before the end and after a failure.
        saves: Epochs in which a ModelCheckpoint wrote a file.
        changes: What was changed during the run, in order.
        seconds: Time spent training; pauses do not count.
        seconds_left: Time that the remaining epochs would take, None while unknown.
        error: The exception that ended the run, or None.
    """

    state: str
    ended_by: str | None
    run: int
    version: int
    epochs: int
    first_epoch: int
    epochs_run: int
    batch: int
    batches: int | None
    history: dict[str, list[float | None]] = field(repr=False)
    monitor: str | None
    waits: tuple[int, ...] = field(repr=False)
    patiences: tuple[int, ...] = field(repr=False)
    patience: int | None
    min_delta: float | None
    best: float | None
    best_epoch: int | None
    kept_epoch: int | None
    saves: tuple[int, ...] = field(repr=False)
    changes: tuple[Change, ...]
    seconds: float
    seconds_left: float | None
    error: BaseException | None

    @property
    def alive(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self.state in ("running", "pausing", "paused", "stopping")


class _Clock:
    """A stopwatch of the training time; pauses do not count."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._since: float | None = None
        self._lap = 0.0

    def go(self) -> None:
        if self._since is None:
            self._since = time.perf_counter()

    def pause(self) -> None:
        self._sum, self._since = self.seconds(), None

    def seconds(self) -> float:
        return self._sum + (0.0 if self._since is None else time.perf_counter() - self._since)

    def lap(self) -> float:
        """Return the seconds since the last lap ended."""
        now = self.seconds()
        lap, self._lap = now - self._lap, now
        return lap

    def in_lap(self) -> float:
        return self.seconds() - self._lap


@dataclass
class Run:
    """What one run has come to so far."""

    number: int
    epochs: int
    first_epoch: int = 0
    epochs_run: int = 0
    batch: int = 0
    batches: int | None = None
    history: dict[str, list[float | None]] = field(default_factory=dict)
    waits: list[int] = field(default_factory=list)
    patiences: list[int] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    saves: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    in_force: dict[str, float] = field(default_factory=dict)
    best: float | None = None
    best_epoch: int | None = None
    told_to_stop: bool = False
    ended_by: str | None = None
    returned: Any = None
    error: BaseException | None = None
    traceback: Any = None
    clock: _Clock = field(default_factory=_Clock)

    def seconds_left(self) -> float | None:
        """Foretell from the recent epochs; the first one, which also compiles, only while it is the only one."""
        recent = self.durations[1:][-_RECENT:] or self.durations
        if not recent:
            return None
        whole = sum(recent) / len(recent) * (self.epochs - self.first_epoch - self.epochs_run)
        return max(0.0, whole - self.clock.in_lap())
