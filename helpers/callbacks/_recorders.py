"""Callbacks that watch a fit and change nothing in it."""

from __future__ import annotations

import glob
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from ._names import glob_pattern, name_pattern

__all__ = ["HookEvent", "HookRecorder", "SaveEvent", "SaveRecorder"]


@dataclass(frozen=True)
class HookEvent:
    """One call of a hook.

    Attributes:
        hook: Its name, such as `"on_epoch_end"`.
        index: The number that Keras passed, epoch or batch (0-based); None for hooks that get none.
        seconds: Since the first hook of the run.
        keys: Names in `logs`, in Keras's order.
    """

    hook: str
    index: int | None
    seconds: float
    keys: tuple[str, ...]


class HookRecorder(keras.callbacks.Callback):
    """Write down which hook Keras calls when.

    The record holds one run: it begins anew with each `fit`, `evaluate` or `predict`. The validation inside a `fit`
    is part of the fit.

    Attributes:
        events: The calls so far, a list of `HookEvent`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.events: list[HookEvent] = []
        self._started = 0.0
        self._training = False

    def _begin(self) -> None:
        self.events = []
        self._started = time.perf_counter()

    def _note(self, hook: str, index: int | None, logs: dict[str, Any] | None) -> None:
        seconds = time.perf_counter() - self._started
        self.events.append(HookEvent(hook, None if index is None else int(index), seconds, tuple(logs or ())))

    # Keras looks at which batch hooks a class defines and skips the others, so each one is written out.

    def on_train_begin(self, logs=None):
        """Begin a record."""
        self._begin()
        self._training = True
        self._note("on_train_begin", None, logs)

    def on_train_end(self, logs=None):
        """Record the call."""
        self._note("on_train_end", None, logs)
        self._training = False

    def on_epoch_begin(self, epoch, logs=None):
        """Record the call."""
        self._note("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        """Record the call."""
        self._note("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        """Record the call."""
        self._note("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """Record the call."""
        self._note("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs=None):
        """Record the call; outside of a fit, begin a record."""
        if not self._training:
            self._begin()
        self._note("on_test_begin", None, logs)

    def on_test_end(self, logs=None):
        """Record the call."""
        self._note("on_test_end", None, logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Record the call."""
        self._note("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        """Record the call."""
        self._note("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs=None):
        """Begin a record."""
        self._begin()
        self._note("on_predict_begin", None, logs)

    def on_predict_end(self, logs=None):
        """Record the call."""
        self._note("on_predict_end", None, logs)

    def on_predict_batch_begin(self, batch, logs=None):
        """Record the call."""
        self._note("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        """Record the call."""
        self._note("on_predict_batch_end", batch, logs)


@dataclass(frozen=True)
class SaveEvent:
    """One file that was found written.

    Attributes:
        epoch: The epoch (0-based) in which it was written, or at whose end.
        path: The file.
        size: In bytes.
    """

    epoch: int
    path: Path
    size: int


class SaveRecorder(keras.callbacks.Callback):
    """Watch the files of a ModelCheckpoint and write down when one was really written.

    It looks at the disk (time of change, size) after each epoch, so it also knows of saves that a threshold, the
    best of an earlier fit, or a missing metric decided. Put both into the list of callbacks, in any order:
    `callbacks=[checkpoint, SaveRecorder(checkpoint)]`. With an integer `save_freq`, several saves to one name in one
    epoch count as one.

    Args:
        checkpoint: The `ModelCheckpoint` to watch, or anything with its `filepath`.

    Attributes:
        saves: What was found, a list of `SaveEvent`.

    Raises:
        ValueError: If `checkpoint` has no `filepath`.
    """

    def __init__(self, checkpoint: Any) -> None:
        super().__init__()
        if not isinstance(getattr(checkpoint, "filepath", None), str):
            raise ValueError(
                f"SaveRecorder watches a ModelCheckpoint: SaveRecorder(checkpoint). Got {type(checkpoint).__name__}."
            )
        self.checkpoint = checkpoint
        self.saves: list[SaveEvent] = []
        self._seen: dict[str, tuple[int, int, int]] = {}
        self._epoch = 0
        self._name = name_pattern(checkpoint.filepath)

    @property
    def epochs(self) -> list[int]:
        """Return the epochs (0-based) in which a file was written, each once, in order."""
        return sorted({save.epoch for save in self.saves})

    def get_state(self) -> dict[str, Any]:
        """Return what `ResumeState` keeps: the saves so far."""
        return {"saves": [[save.epoch, str(save.path), save.size] for save in self.saves]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take a state back."""
        self.saves = [SaveEvent(epoch, Path(path), size) for epoch, path, size in state["saves"]]

    def on_train_begin(self, logs=None):
        """Forget the last fit, and take note of files that are already there."""
        self.saves = []
        self._seen = self._files()

    def on_epoch_begin(self, epoch, logs=None):
        """Look once more: a checkpoint that stands later in the list saved after `on_epoch_end` was over here."""
        self._look()
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        """Look for new and changed files."""
        self._look()

    def on_train_end(self, logs=None):
        """Look a last time."""
        self._look()

    def _look(self) -> None:
        now = self._files()
        for name, state in sorted(now.items(), key=lambda item: item[1][0]):
            if self._seen.get(name) != state:
                self.saves.append(SaveEvent(self._epoch, Path(name), state[1]))
        self._seen = now

    def _files(self) -> dict[str, tuple[int, int, int]]:
        """Return the files that the checkpoint's name stands for: when changed (ns), size in bytes, number."""
        found = {}
        for name in glob.glob(glob_pattern(self.checkpoint.filepath)):
            if not self._name.fullmatch(name):
                continue
            try:
                state = Path(name).stat()
            except OSError:
                # Removed between the listing and the look, by someone who tidies up.
                continue
            found[name] = (state.st_mtime_ns, state.st_size, state.st_ino)
        return found
