"""The two Keras callbacks through which `helpers.live` watches a fit and steers it; imports Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import keras

__all__ = ["First", "Last", "watching_saves"]


class Watcher(Protocol):
    """What the callbacks tell; `helpers.live` implements it."""

    def train_began(self, model: Any, params: dict[str, Any]) -> None: ...
    def epoch_began(self, epoch: int) -> None: ...
    def batch_begins(self, batch: int) -> None: ...
    def boundary(self) -> None: ...
    def epoch_ends(self, epoch: int) -> None: ...
    def epoch_ended(self, epoch: int, logs: dict[str, float]) -> None: ...


class First(keras.callbacks.Callback):
    """Stands before the learner's callbacks: what it sets, they obey at this very epoch's end.

    It pauses in `on_train_batch_begin`: one callback with an `on_train_batch_end` makes Keras fetch the metrics from
    TensorFlow after each batch, and that would slow every fit.
    """

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self._watcher = watcher

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Report the model, now built, and `fit`'s parameters."""
        self._watcher.train_began(self.model, self.params)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Report the epoch, and pause here if asked to."""
        self._watcher.epoch_began(epoch)
        self._watcher.boundary()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Report the batch, and pause here if asked to."""
        self._watcher.batch_begins(batch)
        self._watcher.boundary()

    def on_test_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Pause here if asked to: a validation may take long."""
        self._watcher.boundary()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Apply the settings that were changed during the epoch."""
        self._watcher.epoch_ends(epoch)


class Last(keras.callbacks.Callback):
    """Stands after the learner's callbacks: it sees what they did."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self._watcher = watcher

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Record the epoch."""
        self._watcher.epoch_ended(epoch, dict(logs or {}))


@contextlib.contextmanager
def watching_saves(callbacks: Iterable[Any], saved: Callable[[int], None]) -> Iterator[None]:
    """Call `saved(epoch)` whenever a ModelCheckpoint among the callbacks decides to write its file.

    The decision has no public hook, and a file's time stamp is too coarse on some disks; so each ModelCheckpoint gets
    a wrapper around the method that decides, taken away again at the end.
    """
    watched = [one for one in callbacks if isinstance(one, keras.callbacks.ModelCheckpoint)]
    for checkpoint in watched:
        _watch(checkpoint, saved)
    try:
        yield
    finally:
        for checkpoint in watched:
            vars(checkpoint).pop("_should_save_model", None)


def _watch(checkpoint: keras.callbacks.ModelCheckpoint, saved: Callable[[int], None]) -> None:
    decides = checkpoint._should_save_model

    def decide_and_tell(epoch: int, *args: Any, **kwargs: Any) -> bool:
        writes = decides(epoch, *args, **kwargs)
        if writes:
            saved(epoch)
        return writes

    checkpoint._should_save_model = decide_and_tell
