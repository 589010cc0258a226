"""What EarlyStopping and ModelCheckpoint decide, worked out from a list of metric values.

No model, no training and no Keras: give one value per epoch and get what the callback of the pinned Keras 3.15
does with them. `tests/test_replay.py` holds every field against the real callbacks. Epochs are 0-based here, as in
Keras's own attributes; add one wherever a person reads them. They are *true* numbers: give `epochs` for a fit that
was resumed (`history.epoch`, or `run.epochs` of `helpers.history`), since Keras compares `start_from_epoch` with them.

Source of the rules: `keras/src/callbacks/monitor_callback.py`, `early_stopping.py` and `model_checkpoint.py`.
Three things there are easy to miss, and this module keeps them:

- Python floats are shifted by `min_delta` in double precision and then compared in float32: two losses 1e-10 apart are
  a tie. What `fit` itself logs is a float32 already, in a Python float; a NumPy double that a callback puts into
  `logs` is compared as a double.
- The first value that is seen always becomes the best, NaN and infinity included. Nothing beats NaN.
- A missing metric (`None`) leaves EarlyStopping as it was, but makes ModelCheckpoint save.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = [
    "CheckpointRecord",
    "PatienceTable",
    "StoppingRecord",
    "early_stopping",
    "every_patience",
    "model_checkpoint",
]


@dataclass(frozen=True)
class StoppingRecord:
    """What EarlyStopping did with one curve, and the settings that it was given.

    Attributes:
        epochs_run: How many epochs ran: the length of `epochs` and `waits`.
        stopped_epoch: The last epoch (0-based) if the callback stopped the fit, None if the epochs ran out.
        best_epoch: Epoch (0-based) of the best value; 0 if no value was seen, as in Keras.
        best: The best value; None if no value was seen. With `min_delta` it need not be the extreme of the curve.
        waits: The callback's `wait` after each epoch that ran.
        kept_epoch: Epoch (0-based) whose weights the model ends with.
        epochs: The numbers (0-based) of the epochs that ran.
        patience: As given.
        min_delta: As given; Keras uses its absolute value.
        mode: `"min"` or `"max"`.
        baseline: As given.
        start_from_epoch: As given.
        restore_best_weights: As given.
    """

    epochs_run: int
    stopped_epoch: int | None
    best_epoch: int
    best: float | None
    waits: tuple[int, ...] = field(repr=False)
    kept_epoch: int
    epochs: tuple[int, ...] = field(repr=False)
    patience: int
    min_delta: float
    mode: str
    baseline: float | None
    start_from_epoch: int
    restore_best_weights: bool


@dataclass(frozen=True, eq=False)
class PatienceTable:
    """What EarlyStopping does with one curve for every patience from 0 on; row i belongs to `patience[i]`.

    Attributes:
        patience: 0, 1, 2, ... (integers).
        epochs_run: How many epochs run with that patience (integers).
        last_epoch: The last epoch (0-based) that runs with that patience (integers).
        best_epoch: Epoch (0-based) of the best value seen by then (integers); 0 if no value was seen.
        best: The best value seen by then (floats); NaN if no value was seen.
        stopped: True where the callback stops the fit, False where the epochs run out.
    """

    patience: np.ndarray
    epochs_run: np.ndarray
    last_epoch: np.ndarray
    best_epoch: np.ndarray
    best: np.ndarray
    stopped: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.patience)


@dataclass(frozen=True)
class CheckpointRecord:
    """When ModelCheckpoint wrote a file.

    Attributes:
        epochs: Epochs (0-based) at whose end a file was written.
        best: The callback's `best` afterwards; None if it never had one.
        save_best_only: As given.
        mode: `"min"` or `"max"`.
        initial_value_threshold: As given.
    """

    epochs: tuple[int, ...]
    best: float | None
    save_best_only: bool
    mode: str
    initial_value_threshold: float | None


def early_stopping(
    values: Iterable[float | None],
    *,
    patience: int = 0,
    min_delta: float = 0.0,
    mode: str = "min",
    baseline: float | None = None,
    start_from_epoch: int = 0,
    restore_best_weights: bool = False,
    epochs: Iterable[int] | None = None,
) -> StoppingRecord:
    """Replay `keras.callbacks.EarlyStopping` on a curve.

    Args:
        values: The monitored metric, one number per epoch; None where it is missing from `logs`.
        patience: Epochs without improvement before the stop. 0 and 1 give the same result.
        min_delta: Smallest change that counts, in the metric's unit.
        mode: `"min"` if smaller is better, `"max"` if larger is.
        baseline: Value that must be beaten before `wait` goes back to 0.
        start_from_epoch: Epochs with a smaller number than this (0-based) are ignored.
        restore_best_weights: Whether the best epoch's weights are put back at the end.
        epochs: The number (0-based) of each value's epoch, rising; None counts from 0. A fit that was given
            `initial_epoch=5` has 5, 6, ..., as `history.epoch` says.

    Returns:
        A `StoppingRecord`.

    Raises:
        ValueError: If an argument makes no sense; the message says which and why.
    """
    numbers = _numbers(values)
    epochs = _epochs(epochs, len(numbers))
    patience = _whole("patience", patience)
    trace = _trace(numbers, epochs, min_delta, mode, baseline, start_from_epoch)
    stop = next((place for place, wait in trace.chances if wait >= patience), None)
    epochs_run = len(numbers) if stop is None else stop + 1
    seen = [place for place in trace.improved if place < epochs_run]
    best_epoch = epochs[seen[-1]] if seen else 0
    return StoppingRecord(
        epochs_run=epochs_run,
        stopped_epoch=None if stop is None else epochs[stop],
        best_epoch=best_epoch,
        best=float(numbers[seen[-1]]) if seen else None,
        waits=tuple(trace.waits[:epochs_run]),
        # Nothing seen means nothing to restore: Keras then leaves the last weights in place.
        kept_epoch=best_epoch if restore_best_weights and seen else epochs[epochs_run - 1],
        epochs=tuple(epochs[:epochs_run]),
        patience=patience,
        min_delta=float(min_delta),
        mode=mode,
        baseline=None if baseline is None else float(baseline),
        start_from_epoch=int(start_from_epoch),
        restore_best_weights=bool(restore_best_weights),
    )


def every_patience(
    values: Iterable[float | None],
    *,
    max_patience: int | None = None,
    min_delta: float = 0.0,
    mode: str = "min",
    baseline: float | None = None,
    start_from_epoch: int = 0,
    epochs: Iterable[int] | None = None,
) -> PatienceTable:
    """Replay EarlyStopping for every patience from 0 to `max_patience`, in one pass over the curve.

    `wait` does not depend on `patience` until the stop, so one replay that never stops holds all the answers.

    Args:
        values: As in `early_stopping`.
        max_patience: The largest patience; None means the number of values, and then some row never stops
            unless the best is never beaten from the first epoch on.
        min_delta: As in `early_stopping`.
        mode: As in `early_stopping`.
        baseline: As in `early_stopping`.
        start_from_epoch: As in `early_stopping`.
        epochs: As in `early_stopping`.

    Returns:
        A `PatienceTable` with `max_patience + 1` rows.

    Raises:
        ValueError: If an argument makes no sense; the message says which and why.
    """
    numbers = _numbers(values)
    epochs = np.array(_epochs(epochs, len(numbers)))
    top = len(numbers) if max_patience is None else _whole("max_patience", max_patience)
    trace = _trace(numbers, epochs.tolist(), min_delta, mode, baseline, start_from_epoch)
    patience = np.arange(top + 1)
    chances = np.array(trace.chances, dtype=int).reshape(-1, 2)
    # The first chance whose wait reaches the patience. The running maximum is sorted, so it can be searched.
    first = np.searchsorted(np.maximum.accumulate(chances[:, 1]), patience)
    stopped = first < len(chances)
    epochs_run = np.append(chances[:, 0] + 1, len(numbers))[first]
    improved = np.array(trace.improved, dtype=int)
    latest = np.searchsorted(improved, epochs_run) - 1
    if len(improved):
        # The first improvement is the first value seen, and no stop comes before it: `latest` is never -1.
        best_epoch = epochs[improved][latest]
        best = np.array([numbers[place] for place in trace.improved], dtype=float)[latest]
    else:
        best_epoch, best = np.zeros(top + 1, dtype=int), np.full(top + 1, np.nan)
    return PatienceTable(
        patience=patience, epochs_run=epochs_run, last_epoch=epochs[epochs_run - 1], best_epoch=best_epoch, best=best,
        stopped=stopped,
    )  # fmt: skip


def model_checkpoint(
    values: Iterable[float | None],
    *,
    save_best_only: bool = False,
    mode: str = "min",
    initial_value_threshold: float | None = None,
    epochs: Iterable[int] | None = None,
) -> CheckpointRecord:
    """Replay `keras.callbacks.ModelCheckpoint` (with `save_freq="epoch"`) on a curve.

    Args:
        values: The monitored metric, one number per epoch; None where it is missing from `logs`.
        save_best_only: Whether only a new best is saved. Epochs without the metric are saved all the same.
        mode: `"min"` if smaller is better, `"max"` if larger is.
        initial_value_threshold: Value that the first best must beat.
        epochs: As in `early_stopping`.

    Returns:
        A `CheckpointRecord`.

    Raises:
        ValueError: If an argument makes no sense; the message says which and why.
    """
    numbers = _numbers(values)
    epochs = _epochs(epochs, len(numbers))
    better = _better(mode)
    best = None if initial_value_threshold is None else _number("initial_value_threshold", initial_value_threshold)
    saved = epochs
    if save_best_only:
        saved, compared, top = [], _compared(numbers), None if best is None else _compared([best])[0]
        for epoch, value, number in zip(epochs, compared, numbers, strict=True):
            if value is None:
                saved.append(epoch)
            elif top is None or better(value, top):
                top, best = value, number
                saved.append(epoch)
    return CheckpointRecord(
        epochs=tuple(saved),
        best=None if best is None else float(best),
        save_best_only=bool(save_best_only),
        mode=mode,
        initial_value_threshold=None if initial_value_threshold is None else float(initial_value_threshold),
    )


@dataclass(frozen=True)
class _Trace:
    """A replay that never stops: `wait` after each value, places that improved, and (place, wait) that could stop."""

    waits: list[int]
    improved: list[int]
    chances: list[tuple[int, int]]


def _trace(
    numbers: list[float | None],
    epochs: list[int],
    min_delta: float,
    mode: str,
    baseline: float | None,
    start_from_epoch: int,
) -> _Trace:
    """Follow EarlyStopping over the whole curve with a patience that is never used up."""
    better = _better(mode)
    start = _whole("start_from_epoch", start_from_epoch)
    delta = abs(_number("min_delta", min_delta))
    # `MonitorCallback` shifts the new value only, before anything is rounded.
    shifted = _compared(numbers, shift=delta if mode == "min" else -delta)
    compared = _compared(numbers)
    goal = None if baseline is None else _compared([_number("baseline", baseline)])[0]
    trace, best, wait = _Trace([], [], []), None, 0
    for place, value in enumerate(shifted):
        if value is not None and epochs[place] >= start:
            wait += 1
            if not trace.improved or better(value, best):
                best = compared[place]
                trace.improved.append(place)
                # A new best that misses the baseline does not restart the count, and does not stop the fit either.
                if goal is None or better(value, goal):
                    wait = 0
            else:
                trace.chances.append((place, wait))
        trace.waits.append(wait)
    return trace


def _compared(numbers: list[float | None], shift: float = 0.0) -> list[float | None]:
    """Shift values and round them to what TensorFlow's comparison sees; keep None.

    A Python float becomes a float32 tensor after the shift. A NumPy number keeps its own type, in the shift and in
    the comparison: a double in `logs` is compared as a double, also with a float32 (which a double holds exactly).
    TensorFlow's CPU kernels take subnormal numbers for 0. It refuses finite numbers beyond float32 with an error;
    here they count as infinite.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if any(isinstance(number, np.floating) for number in [*numbers, shift]):
            return [None if number is None else _rounded(number + shift) for number in numbers]
        rounded = (np.array(numbers, dtype=np.float64) + shift).astype(np.float32)
        rounded[np.abs(rounded) < np.finfo(np.float32).tiny] = 0.0
    # Python's floats hold every float32 exactly, and loops over them are several times faster.
    return [None if number is None else value for number, value in zip(numbers, rounded.tolist(), strict=True)]


def _rounded(number: float | np.floating) -> float:
    """Round one number to the type of its tensor, subnormal numbers to 0."""
    number = number if isinstance(number, np.floating) else np.float32(number)
    # Half precision is compared by other code, which keeps subnormal numbers.
    tiny = 0 if number.itemsize < 4 else np.finfo(number.dtype).tiny
    return 0.0 if abs(number) < tiny else float(number)


def _better(mode: str) -> Callable[[float, float], bool]:
    """Return the comparison of a mode."""
    if mode == "min":
        return float.__lt__
    if mode == "max":
        return float.__gt__
    raise ValueError(
        f'mode must be "min" (smaller is better) or "max" (larger is better), not {mode!r}. '
        '"auto" needs a model to look at, and a list of values has none.'
    )


def _numbers(values: Iterable[float | None]) -> list[float | None]:
    """Return the curve as Python floats, as `fit` puts them into `logs`; NumPy's floating numbers keep their type."""
    if isinstance(values, (str, bytes, dict)) or not isinstance(values, Iterable):
        raise ValueError(f"values must be a list with one number per epoch, not {type(values).__name__}.")
    numbers = [None if value is None else _number(f"values[{i}]", value) for i, value in enumerate(values)]
    if not numbers:
        raise ValueError("values is empty: give one number per epoch, at least one.")
    return numbers


def _epochs(epochs: Iterable[int] | None, count: int) -> list[int]:
    """Return the true number of each value's epoch, or say what is wrong with those that were given."""
    if epochs is None:
        return list(range(count))
    if isinstance(epochs, (str, bytes, dict)) or not isinstance(epochs, Iterable):
        raise ValueError(
            f"epochs must be a list with the number of each value's epoch (such as history.epoch, or range(5, 11) "
            f"after initial_epoch=5), not {epochs!r}."
        )
    numbers = [_whole(f"epochs[{i}]", epoch) for i, epoch in enumerate(epochs)]
    if len(numbers) != count:
        raise ValueError(f"epochs and values belong together, and there are {len(numbers)} epochs for {count} values.")
    for before, after in pairwise(numbers):
        if after <= before:
            raise ValueError(f"epochs must rise, as in one fit; {after} comes after {before}.")
    return numbers


def _number(name: str, value: Any) -> float:
    """Return a float (NumPy's floating numbers keep their type), or say which argument is not a number."""
    if type(value) in (float, np.float64, np.float32, np.float16):
        return value
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be a number, not {value!r}.") from None


def _whole(name: str, value: Any) -> int:
    """Return an int that is 0 or more, or say what is wrong."""
    number = _number(name, value)
    if not (math.isfinite(number) and number == int(number)):
        raise ValueError(f"{name} counts epochs, so it must be a whole number, not {value!r}.")
    if number < 0:
        raise ValueError(f"{name} counts epochs, so it cannot be negative; it is {value!r}.")
    return int(number)
