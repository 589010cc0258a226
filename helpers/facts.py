"""What happened in a run, worked out once from the log and the callbacks, for pictures and words alike.

Callbacks are known by their attributes, so that nothing here imports Keras. Epochs are 0-based.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers import history as histories
from helpers import replay
from helpers.history._run import VALIDATION, is_validation

__all__ = ["Facts", "best_place", "facts_of", "halves"]

# Names of metrics that grow as a model gets better; Keras asks the metric object, a log has only its name.
_LARGER = ("acc", "accuracy", "auc", "precision", "recall", "f1", "score", "iou", "r2", "true_positives", "similarity")
_SMALLER = (
    "loss",
    "error",
    "mae",
    "mse",
    "rmse",
    "mape",
    "msle",
    "entropy",
    "hinge",
    "poisson",
    "divergence",
    "false_",
)


# What a picture says of the epochs after the stop.
NEVER_RAN = "never ran"
REPLAYED = "would not have run"

# Asked for at each look at a value.
_is_validation = functools.cache(is_validation)


@dataclass(frozen=True)
class Facts:
    """A run as a picture needs it.

    Attributes:
        monitor: Name of the metric that the marks sit on.
        mode: `"min"` or `"max"`.
        first: Number of the first epoch in the log, 0 unless the fit resumed.
        train: The metric on the training data, one value for each epoch from the first to the last, None where the log
            has no value or no line; None if the log has no such metric.
        validation: The same on the validation data.
        epochs_run: Number of epochs that ran, counted from `first`, those without a line too; the log may be longer.
        stop: Epoch after which EarlyStopping ended the fit, None if it did not or there was none.
        best: Epoch of the best value, None if there is none.
        best_by: Name of the metric that the best was chosen by.
        patience: Of EarlyStopping, None without one.
        waited: Its `wait` at the end, 0 without one.
        window: First and last epoch in which it waited in vain, up to the last epoch that ran.
        kept: Epoch whose weights the model ends with.
        restored: Whether they were put back by `restore_best_weights`.
        saved: Epochs after which a file was written, None if nobody looked.
        unseen: Epoch of the best value among those after `epochs_run`, None if there is none.
        stopping: Whether an EarlyStopping was looked at.
        beyond: What is said of the epochs of the log after `epochs_run`: of a replay, that they would not have run,
            since the log shows that they did.
    """

    monitor: str
    mode: str
    first: int
    train: list[float | None] | None
    validation: list[float | None] | None
    epochs_run: int
    stop: int | None
    best: int | None
    best_by: str
    patience: int | None
    waited: int
    window: tuple[int, int] | None
    kept: int
    restored: bool
    saved: tuple[int, ...] | None
    unseen: int | None
    stopping: bool
    beyond: str = NEVER_RAN

    @property
    def monitored(self) -> list[float | None]:
        """Return the values of the metric that the marks sit on, one for each epoch of the log."""
        values = self.validation if _is_validation(self.monitor) else self.train
        return values if values is not None else []

    @property
    def last(self) -> int:
        """Return the last epoch that ran."""
        return self.first + self.epochs_run - 1

    @property
    def length(self) -> int:
        """Return how many epochs the log holds."""
        return len(self.monitored)

    @property
    def shows_kept(self) -> bool:
        """Return whether `kept` is worth a mark and a sentence: not for a bare log, where nobody stopped or saved."""
        return self.stopping or self.saved is not None

    def value(self, epoch: int) -> float | None:
        """Return the monitored value of an epoch."""
        return self.monitored[epoch - self.first]


def facts_of(
    history: Any,
    *,
    monitor: str = "val_loss",
    stopping: Any = None,
    saves: Any = None,
    mode: str | None = None,
) -> Facts:
    """Work out what happened; the arguments are those of `learning_curves`.

    Raises:
        ValueError: If the log is bad, or the callbacks cannot have belonged to it; the message says why.
    """
    read = histories.read_history(history, monitor=monitor)
    read.metric(monitor)
    log = {name: read.every_epoch(name) for name in read}
    first, values = read.first, log[monitor]
    direction = _mode(mode, stopping, saves, monitor)
    train, validation = halves(log, monitor)
    common = {"monitor": monitor, "mode": direction, "first": first, "train": train, "validation": validation}
    if stopping is None:
        best = best_place(values, direction)
        run = {
            "epochs_run": len(values),
            "stop": None,
            "best": None if best is None else first + best,
            "best_by": monitor,
            "patience": None,
            "waited": 0,
            "window": None,
            "kept": first + len(values) - 1,
            "restored": False,
        }
    elif isinstance(stopping, replay.StoppingRecord):
        run = _from_record(stopping, read, values, monitor)
    else:
        run = _from_callback(stopping, log, len(values), first, monitor)
    saved = _saved_epochs(saves, read, first + run["epochs_run"])
    unseen = best_place(values[run["epochs_run"] :], direction)
    unseen = None if unseen is None else first + run["epochs_run"] + unseen
    beyond = REPLAYED if isinstance(stopping, replay.StoppingRecord) else NEVER_RAN
    return Facts(**common, **run, saved=saved, unseen=unseen, stopping=stopping is not None, beyond=beyond)


def halves(log: Mapping[str, Any], monitor: str) -> tuple[Any, Any]:
    """Return a metric on the training and on the validation data, each None where the log has none.

    Args:
        log: Name to values; it has `monitor`.
        monitor: Name of one of the two, such as `loss`, `val_loss` or `eval_loss`.
    """
    half, _, base = monitor.partition("_")
    if is_validation(monitor):
        return (log.get(base, log.get(f"train_{base}")) if is_validation(half) else None), log[monitor]
    base = monitor.removeprefix("train_")
    found = next((f"{half}_{base}" for half in VALIDATION if f"{half}_{base}" in log), None)
    return log[monitor], None if found is None else log[found]


def _from_record(
    record: replay.StoppingRecord, run: histories.Run, values: list[float | None], monitor: str
) -> dict[str, Any]:
    first = run.first
    if record.epochs_run > len(values):
        raise ValueError(
            f"The replay ran {record.epochs_run} epochs, the log has {len(values)}: they are not of the same run."
        )
    if record.epochs not in (run.epochs[: record.epochs_run], tuple(range(first, first + record.epochs_run))):
        raise ValueError(
            f"The replay counted epochs from {record.epochs[0] + 1}, the log has {histories.span(run)}. Give it their "
            "numbers: replay.early_stopping(..., epochs=history.epoch)."
        )
    wait = record.waits[-1]
    seen = record.best is not None
    last = record.epochs[-1]
    return {
        "epochs_run": last - first + 1,
        "stop": record.stopped_epoch,
        "best": record.best_epoch if seen else None,
        "best_by": monitor,
        "patience": record.patience,
        "waited": wait,
        "window": _window(values, last - first, wait, first),
        "kept": record.kept_epoch,
        "restored": record.restore_best_weights and seen,
    }


def _from_callback(callback: Any, log: dict[str, Any], length: int, first: int, monitor: str) -> dict[str, Any]:
    wanted = ("patience", "wait", "stopped_epoch", "restore_best_weights")
    if not all(hasattr(callback, name) for name in wanted):
        raise ValueError(
            f"stopping must be the EarlyStopping that ran or a record of replay.early_stopping, "
            f"not {type(callback).__name__}."
        )
    if not hasattr(callback, "best_epoch"):
        raise ValueError("This EarlyStopping has not run yet: give it to model.fit(..., callbacks=[...]) first.")
    # Keras leaves 0 for "did not stop"; it never stops after epoch 0.
    stop = callback.stopped_epoch or None
    epochs_run = length if stop is None else stop - first + 1
    seen = callback.best is not None
    if not 1 <= epochs_run <= length or (seen and not first <= callback.best_epoch < first + length):
        raise ValueError(
            f"This EarlyStopping ended with stopped_epoch={callback.stopped_epoch} and "
            f"best_epoch={callback.best_epoch}, the log has {length} epochs from number {first} on: "
            "they are not of the same fit."
        )
    restored = bool(callback.restore_best_weights and callback.best_weights is not None)
    by = getattr(callback, "monitor", monitor)
    return {
        "epochs_run": epochs_run,
        "stop": stop,
        "best": callback.best_epoch if seen else None,
        "best_by": by,
        "patience": int(callback.patience),
        "waited": int(callback.wait),
        "window": _window(log.get(by), epochs_run - 1, int(callback.wait), first),
        "kept": callback.best_epoch if restored else first + epochs_run - 1,
        "restored": restored,
    }


def _window(values: list[float | None] | None, end: int, wait: int, first: int) -> tuple[int, int] | None:
    """Return the epochs that make up `wait`: Keras counts those that have a value, back from the end."""
    if wait <= 0:
        return None
    start, left = end, wait
    for epoch in range(end, -1, -1):
        if values is None or values[epoch] is not None:
            start, left = epoch, left - 1
        if left == 0:
            break
    return first + start, first + end


def _saved_epochs(saves: Any, run: histories.Run, end: int) -> tuple[int, ...] | None:
    """Return the epochs before `end` after which a file was written."""
    if saves is None:
        return None
    if isinstance(saves, replay.CheckpointRecord):
        epochs: Iterable[int] = saves.epochs
        if not set(epochs) <= set(run.epochs):
            raise ValueError(
                f"This record of replay.model_checkpoint has epochs that the log has not ({histories.span(run)}). "
                "Give it their numbers: replay.model_checkpoint(..., epochs=history.epoch)."
            )
    elif hasattr(saves, "save_freq"):
        epochs = _from_checkpoint(saves, run, end)
    else:
        epochs = getattr(saves, "epochs", saves)
        if isinstance(epochs, (str, bytes)) or not isinstance(epochs, Iterable):
            raise ValueError(
                "saves must be the ModelCheckpoint or SaveRecorder that ran, a record of "
                f"replay.model_checkpoint or a list of epochs, not {type(saves).__name__}."
            )
    # A replay over a whole log also answers for epochs that a stopped fit never reached.
    return tuple(sorted({int(epoch) for epoch in epochs if run.first <= epoch < end}))


def _from_checkpoint(callback: Any, run: histories.Run, end: int) -> Iterable[int]:
    """Replay a ModelCheckpoint from its settings: it does not remember when it saved."""
    if callback.save_freq != "epoch":
        raise ValueError(
            f"This ModelCheckpoint saves every {callback.save_freq} batches, which a log by epochs cannot show. "
            "Add SaveRecorder(checkpoint) of helpers.callbacks to the fit and give that as saves."
        )
    epochs = [epoch for epoch in run.epochs if epoch < end]
    if not callback.save_best_only:
        return epochs
    values = run.get(callback.monitor, [None] * len(epochs))[: len(epochs)]
    mode = _mode(None, None, callback, callback.monitor)
    record = replay.model_checkpoint(values, save_best_only=True, mode=mode, epochs=epochs)
    best = callback.best
    if best is not None and record.best is not None and None not in values:
        # A threshold, or the best of an earlier fit, that no value of this log beat: nothing was saved.
        ahead = record.best - best if mode == "min" else best - record.best
        if ahead > 1e-6 * max(abs(best), abs(record.best)):
            return ()
    return record.epochs


def _mode(mode: str | None, stopping: Any, saves: Any, monitor: str) -> str:
    """Return "min" or "max": as told, as the callbacks have it, or by the metric's name."""
    if mode is not None:
        if mode not in ("min", "max"):
            raise ValueError(f'mode must be "min" (smaller is better) or "max" (larger is better), not {mode!r}.')
        return mode
    for source in (stopping, saves):
        if source is None or getattr(source, "monitor", monitor) != monitor:
            continue
        if getattr(source, "mode", None) in ("min", "max"):
            return source.mode
        # With mode="auto" Keras chooses the comparison when the fit begins.
        compare = getattr(getattr(source, "monitor_op", None), "__name__", "")
        if compare in ("less", "greater"):
            return "min" if compare == "less" else "max"
    name = monitor.removeprefix("val_").lower()
    if any(part in name for part in _SMALLER):
        return "min"
    if any(part in name for part in _LARGER):
        return "max"
    raise ValueError(f'Is a small or a large {monitor} good? The name does not say: give mode="min" or mode="max".')


def best_place(values: Sequence[float | None], mode: str) -> int | None:
    """Return the place of the smallest or largest finite value, the first of equals."""
    places = [place for place, value in enumerate(values) if value is not None and math.isfinite(value)]
    if not places:
        return None
    return (min if mode == "min" else max)(places, key=lambda place: values[place])
