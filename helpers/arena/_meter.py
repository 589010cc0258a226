"""Counts what a training does, where the training itself cannot help it: at its batches."""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ._fence import Fence
from ._task import BATCH, Pairs

__all__ = ["First", "Kill", "Last", "Meter"]


class Kill:
    """Asks for a kill at a moment that was drawn, and waits for it.

    Args:
        epoch: the epoch (0-based) from which on it may come.
        batch: the batch after which it comes, or None for the middle of the next save.
        calls: how many calls and returns of Python functions into that save.
        now: asks for the kill.
    """

    def __init__(self, epoch: int, batch: int | None, calls: int, now: Callable[[str], None]) -> None:
        self._epoch, self._batch, self._calls, self._now = epoch, batch, calls, now
        self._here = threading.main_thread().ident
        self._armed = False

    def after_batch(self, epoch: int, batch: int) -> None:
        """Think about it after a batch; where nothing is ever saved, the kill comes some epochs later."""
        late = epoch >= self._epoch + 3
        if (self._batch is not None and (epoch, batch) >= (self._epoch, self._batch)) or late:
            self.come("between two batches")

    def at_end(self) -> None:
        """Come now, since the training is about to end."""
        self.come("when its training ended")

    def at_write(self, epoch: int) -> None:
        """Think about it when a file is about to be opened for writing."""
        if self._batch is None and epoch >= self._epoch and not self._armed and threading.get_ident() == self._here:
            self._armed = True
            sys.setprofile(self._count)

    def _count(self, *_: Any) -> None:
        self._calls -= 1
        if self._calls <= 0:
            sys.setprofile(None)
            self.come("in the middle of a save")

    def come(self, how: str) -> None:
        """Ask for the kill and do nothing more."""
        self._now(how)
        while True:
            time.sleep(1)


class Meter:
    """The count of a training: epochs by the batches that its data gave out, and marks of the weights it had.

    A batch is given out once for each turn of the arena's own `fit`. Whoever draws otherwise gets none.

    Args:
        pairs: the parts "train" and "validation".
        seed: for the order of the rows.
        fence: is told who draws out of turn.
        broken: the batch (0-based, over the whole training) that is NaN; None for none.
    """

    def __init__(self, pairs: dict[str, Pairs], seed: int, fence: Fence, broken: int | None) -> None:
        self.batches = 0
        self.steps = len(pairs["train"].x) // BATCH
        self.turn = self.test_turn = False
        self._fence, self._broken = fence, broken
        train, validation = (
            tf.data.Dataset.from_tensor_slices((pairs[part].x, pairs[part].y)) for part in ("train", "validation")
        )
        # Keras's ResumeState and BackupAndRestore know a shuffle with a seed.
        train = train.shuffle(len(pairs["train"].x), seed=seed).batch(BATCH, drop_remainder=True)
        rows = len(pairs["validation"].x)
        self.train = _one_by_one(train.map(self._tap(self._draw, BATCH)))
        self.validation = _one_by_one(validation.batch(rows).map(self._tap(self._draw_validation, rows)))

    @property
    def epoch(self) -> int:
        """The epoch (0-based) that runs, by what was drawn."""
        return max(self.batches - 1, 0) // self.steps

    @property
    def epochs(self) -> float:
        """Epochs spent so far, with the part of the last one."""
        return self.batches / self.steps

    @staticmethod
    def _tap(draw: Callable[[np.ndarray], np.ndarray], rows: int) -> Callable:
        def tapped(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            drawn = tf.numpy_function(draw, [x], tf.float32)
            return tf.ensure_shape(drawn, (rows, x.shape[1])), y

        return tapped

    def _draw(self, x: np.ndarray) -> np.ndarray:
        if not self.turn:
            self._fence.refuse("Your callbacks drew training rows on their own. Rows are for the arena's `fit`.")
        self.turn = False
        self.batches += 1
        return np.full_like(x, np.nan) if self.batches - 1 == self._broken else x

    def _draw_validation(self, x: np.ndarray) -> np.ndarray:
        if not self.test_turn:
            self._fence.refuse("Your callbacks drew validation rows on their own: read `logs['val_loss']` instead.")
        self.test_turn = False
        return x


def _one_by_one(rows: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset without what TensorFlow would draw in advance."""
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    options.autotune.enabled = False
    return rows.with_options(options)


def mark(model: keras.Model) -> str:
    """Return a mark of the weights: no two steps of a training have the same."""
    last = model.layers[-1]
    numbers = b"".join(np.asarray(weight).tobytes() for weight in last.weights)
    return hashlib.blake2b(numbers, digest_size=6).hexdigest()


class First(keras.callbacks.Callback):
    """Stands before the learner's callbacks: gives the turns, marks the weights, and lets the kill come.

    Both of these hold nothing that changes, so that whoever keeps the state of callbacks finds nothing here.
    """

    def __init__(self, meter: Meter, kill: Kill | None, marks: list[str], tell: Callable[..., None]) -> None:
        super().__init__()
        self._meter, self._kill, self._marks, self._tell = meter, kill, marks, tell

    def on_train_batch_begin(self, batch, logs=None):
        """Give a turn; before the first batch say with which weights training begins."""
        if not self._meter.batches:
            self._tell("begin", mark(self.model))
        self._meter.turn = True

    def on_train_batch_end(self, batch, logs=None):
        """Mark the weights."""
        self._meter.turn = False
        self._marks.append(mark(self.model))
        if self._kill is not None:
            self._kill.after_batch(self._meter.epoch, (self._meter.batches - 1) % self._meter.steps)

    def on_test_begin(self, logs=None):
        """Give a turn for the validation rows."""
        self._meter.test_turn = True

    def on_train_end(self, logs=None):
        """Let the kill come at last; where nothing was left to train, say with which weights."""
        if not self._meter.batches:
            self._tell("begin", mark(self.model))
        if self._kill is not None:
            self._kill.at_end()


class Last(keras.callbacks.Callback):
    """Stands behind the learner's callbacks: tells what each epoch came to."""

    def __init__(self, look: Callable[[], None], epoch_ended: Callable[[int, dict[str, float]], None]) -> None:
        super().__init__()
        self._look, self._epoch_ended = look, epoch_ended

    def on_train_batch_end(self, batch, logs=None):
        """Look at the folder."""
        self._look()

    def on_epoch_end(self, epoch, logs=None):
        """Tell."""
        self._look()
        self._epoch_ended(epoch, {name: float(value) for name, value in (logs or {}).items()})

    def on_train_end(self, logs=None):
        """Look at the folder."""
        self._look()
