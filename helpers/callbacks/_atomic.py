"""A ModelCheckpoint whose file is at every moment the last good one, whole."""

from __future__ import annotations

import glob
import os
import warnings
from pathlib import Path
from typing import Any, Literal

import keras

from helpers import _files

from ._names import glob_pattern, has_fields, is_remote, name_pattern

__all__ = ["AtomicCheckpoint"]

_ENDINGS = (".weights.h5", ".keras", ".h5")


class AtomicCheckpoint(keras.callbacks.ModelCheckpoint):
    """Save like `ModelCheckpoint`, so that no reader, kill, power cut or full disk ever meets half a file.

    Each save goes into a temporary file in the same folder, `.NAME.….tmp.keras`, which is flushed to the disk and
    takes the place of the last good file in one step. `best` moves forward only after that. Temporary files that a
    killed process left are removed when training begins, those of a live process never.

    A save took 1.0 to 1.3 times as long as one of `ModelCheckpoint`, for files of 70 kB to 50 MB, and the two flushes
    were 5 to 16 ms of it; `python benchmarks/checkpoints.py` measures your disk.

    With one name the disk must hold two files for a moment. A new process knows no `best`, as with
    `ModelCheckpoint`: put `ResumeState` into the list as well, or give `initial_value_threshold`.

    Args:
        filepath: As for `ModelCheckpoint`, in a local folder: `"best.keras"`, `"{epoch:02d}.weights.h5"`.
        monitor: As for `ModelCheckpoint`, like all up to `initial_value_threshold`.
        verbose: 1 tells of each save.
        save_best_only: Save when the monitored value improves, not always.
        save_weights_only: Save weights and optimizer (`.weights.h5`), not the whole model.
        mode: `"min"`, `"max"` or `"auto"`.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: A first value for `best`.
        on_failure: What to do when a save fails, as on a full disk: `"raise"` the error, as `ModelCheckpoint` does,
            or `"warn"` and train on; the next epoch tries again. The last good file is there in both cases.
        keep_last: Keep the newest N files that this callback wrote and remove its older ones; needs a field in the
            name. None keeps all. Files of earlier runs are not counted, unless `ResumeState` brought them back.

    Raises:
        ValueError: For arguments that cannot work, with the reason.
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        *,
        on_failure: Literal["raise", "warn"] = "raise",
        keep_last: int | None = None,
    ) -> None:
        super().__init__(
            filepath, monitor, verbose, save_best_only, save_weights_only, mode, save_freq, initial_value_threshold
        )
        if is_remote(self.filepath):
            raise ValueError(
                f"AtomicCheckpoint saves into a local folder, got {self.filepath!r}: object storage knows no rename. "
                "Save locally and upload the finished file under a new name."
            )
        if on_failure not in ("raise", "warn"):
            raise ValueError(f"on_failure is 'raise' or 'warn', got {on_failure!r}.")
        if keep_last is not None:
            if isinstance(keep_last, bool) or not isinstance(keep_last, int) or keep_last < 1:
                raise ValueError(f"keep_last is a whole number of files from 1 on, or None for all; got {keep_last!r}.")
            if not has_fields(self.filepath):
                raise ValueError(
                    f"keep_last={keep_last} needs a name for each save, such as '{{epoch:02d}}.keras'; "
                    f"{self.filepath!r} is one file, always replaced."
                )
        self.on_failure = on_failure
        self.keep_last = keep_last
        self._written: list[str] = []

    def get_state(self) -> dict[str, Any]:
        """Return what `ResumeState` keeps beyond `best`: the files written so far, oldest first."""
        return {"written": self._written}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take a state back."""
        self._written = list(state["written"])

    def on_train_begin(self, logs=None):
        """Remove the temporary files of this checkpoint that killed processes left."""
        super().on_train_begin(logs)
        folder, name = os.path.split(self.filepath)
        for found in glob.glob(glob_pattern(folder)) or [folder or "."]:
            _files.clear_leftovers(Path(found), lambda written: bool(name_pattern(name).fullmatch(written)))

    def _save_model(self, epoch, batch, logs):
        path = Path(self._get_file_path(epoch, batch, logs))
        best = self.best
        if not self._should_save_model(epoch, batch, logs, str(path)):
            return
        new_best, self.best = self.best, best
        try:
            self._replace(path)
        except Exception as error:
            # h5py raises RuntimeError beside OSError when a disk is full.
            sentence = f"The save of epoch {epoch + 1} to {path} failed, and what was saved before it is untouched"
            if self.on_failure == "raise":
                error.add_note(f"{sentence}. AtomicCheckpoint(..., on_failure='warn') would train on.")
                raise
            warnings.warn(f"{sentence}: {type(error).__name__}: {error}", stacklevel=2)
            return
        self.best = new_best
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: finished saving model to {path}")
        self._remove_old(str(path))

    def _replace(self, path: Path) -> None:
        _files.make_folder(path.parent)
        ending = next(ending for ending in _ENDINGS if path.name.endswith(ending))
        with _files.replacing(path, ending) as temporary:
            if self.save_weights_only:
                self.model.save_weights(temporary, overwrite=True)
            else:
                self.model.save(temporary, overwrite=True)

    def _remove_old(self, newest: str) -> None:
        if self.keep_last is None:
            return
        self._written = [name for name in self._written if name != newest] + [newest]
        while len(self._written) > self.keep_last:
            oldest = self._written.pop(0)
            try:
                Path(oldest).unlink(missing_ok=True)
            except OSError as error:
                warnings.warn(f"{oldest} could not be removed: {error}", stacklevel=3)
