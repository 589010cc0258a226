"""The baseline of lesson 10 and three reference solutions of rising quality.

Each is a `make_callbacks` for `arena.run`. `python -m helpers.arena.record` runs them over many seeds, and what came of
it sets the scale of the score. The solutions edition of lesson 10 shows the three; tests run them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

__all__ = ["REFERENCES", "baseline", "first", "second", "third"]


def baseline(folder: Path) -> list[keras.callbacks.Callback]:
    """Keep a file for each epoch, to be safe, and a "best" one; never stop."""
    from keras.callbacks import ModelCheckpoint

    return [ModelCheckpoint(folder / "best.keras"), ModelCheckpoint(folder / "epochs" / "{epoch:02d}.keras")]


def first(folder: Path) -> list[keras.callbacks.Callback]:
    """Stop early and keep the best model (lessons 02 to 04); after a kill all begins anew."""
    from keras.callbacks import EarlyStopping, ModelCheckpoint

    return [EarlyStopping(patience=4), ModelCheckpoint(folder / "best.keras", save_best_only=True)]


def second(folder: Path) -> list[keras.callbacks.Callback]:
    """Go on after a kill with what Keras has for it; EarlyStopping and ModelCheckpoint forget their best."""
    from keras.callbacks import BackupAndRestore, EarlyStopping, ModelCheckpoint, TerminateOnNaN

    return [
        EarlyStopping(patience=4),
        ModelCheckpoint(folder / "best.keras", save_best_only=True),
        BackupAndRestore(folder / "backup", double_checkpoint=True),
        TerminateOnNaN(),
    ]


def third(folder: Path) -> list[keras.callbacks.Callback]:
    """Lose nothing by the kill, whenever it comes, and step back from a broken batch with a callback of one's own."""
    import math

    from keras.callbacks import Callback, EarlyStopping

    from helpers.callbacks import AtomicCheckpoint, ResumeState

    class StepBack(Callback):
        """Take weights and optimizer back to where the epoch began when a batch makes the loss NaN."""

        def _variables(self):
            return [*self.model.weights, *self.model.optimizer.variables]

        def on_epoch_begin(self, epoch, logs=None):
            self.good = [variable.numpy() for variable in self._variables()]

        def on_train_batch_end(self, batch, logs=None):
            if not math.isfinite(logs["loss"]):
                for variable, value in zip(self._variables(), self.good, strict=True):
                    variable.assign(value)
                self.model.reset_metrics()

    return [
        StepBack(),
        EarlyStopping(patience=4),
        AtomicCheckpoint(folder / "best.keras", save_best_only=True),
        ResumeState(folder / "state", verbose=0),
    ]


REFERENCES = (baseline, first, second, third)
