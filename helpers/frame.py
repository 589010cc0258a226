"""The frame of a checkpoint without its rule: lesson 06b writes the rule, and tests it against Keras's own."""

from __future__ import annotations

from pathlib import Path

from keras.callbacks import Callback

__all__ = ["CheckpointFrame"]


class CheckpointFrame(Callback):
    """Does all that `keras.callbacks.ModelCheckpoint` does but decide: counts batches, fills the file name, saves.

    Before each save it asks `should_save(logs)` of the class that inherits it. That class takes it before a parent
    whose `__init__` takes `monitor` and `mode`: `class Saver(CheckpointFrame, Monitor)`.

    Args:
        filepath: As in `ModelCheckpoint`, and so are the others; `{epoch}` counts from 1.
        monitor: The metric that the rule looks at.
        save_best_only: For the rule.
        save_weights_only: Save the weights alone.
        mode: `"auto"`, `"min"` or `"max"`.
        save_freq: `"epoch"`, or a number of batches; they are counted through epochs and fits.
        initial_value_threshold: What `best` is at first.

    Raises:
        ValueError: `save_freq` is neither.
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"Unrecognized save_freq: {save_freq}. Pass 'epoch' or a number of batches.")
        self.filepath, self.save_freq = str(filepath), save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.best, self._epoch, self._batches, self._last_batch = initial_value_threshold, 0, 0, -1

    def on_epoch_begin(self, epoch, logs=None):
        """Note the epoch, for saves between its batches."""
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        """Ask and save, once an epoch."""
        if self.save_freq == "epoch" and self.should_save(logs):
            self._save(epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """Ask and save, whenever `save_freq` batches have gone by."""
        # Keras may run several batches in one step (steps_per_execution); `batch` is then the last of them.
        new_epoch = batch <= self._last_batch
        self._batches += batch + 1 if new_epoch else batch - self._last_batch
        self._last_batch = batch
        if self.save_freq != "epoch" and self._batches >= self.save_freq:
            self._batches = 0
            if self.should_save(logs):
                self._save(self._epoch, {"batch": batch + 1, **logs})

    def _save(self, epoch: int, logs: dict) -> None:
        path = Path(self.filepath.format(epoch=epoch + 1, **logs))
        path.parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
