"""What a model holds in the end: averaged weights, weights that became NaN, and patience over several fits."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras.callbacks import (
    BackupAndRestore,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    SwapEMAWeights,
    TerminateOnNaN,
)

from .claims import claim
from .means import KERAS, Script, fit, new_model, still_model, validation


def losses(folder: Path, *callbacks) -> tuple[float, float, float]:
    """Return the last val_loss that was printed, that of the model after `fit`, and that of the saved file."""
    model = new_model(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
    printed = fit(model, list(callbacks), epochs=4, validate=True)["val_loss"][-1]
    saved = keras.models.load_model(folder / "last.keras")
    return printed, *(one.evaluate(validation(), verbose=0, return_dict=True)["loss"] for one in (model, saved))


@claim(
    "08.43",
    text="With use_ema=True the printed val_loss and the file hold the plain weights, the model after fit the average.",
)
def test_averages_come_at_the_end_of_fit(tmp_path):
    printed, held, saved = losses(tmp_path, ModelCheckpoint(tmp_path / "last.keras"))
    assert printed == pytest.approx(saved)
    assert held != pytest.approx(printed, rel=0.01)


@claim(
    "08.43",
    text="SwapEMAWeights agrees with what is printed and saved only first in the list and with swap_on_epoch=True.",
)
def test_swap_ema_weights_agrees_only_first_and_with_swap_on_epoch(tmp_path):
    def agree(*callbacks):
        printed, held, saved = losses(tmp_path, *callbacks)
        return bool(np.isclose(printed, held, rtol=1e-3) and np.isclose(printed, saved, rtol=1e-3))

    saver = ModelCheckpoint(tmp_path / "last.keras")
    assert agree(SwapEMAWeights(swap_on_epoch=True), saver)
    assert not agree(saver, SwapEMAWeights(swap_on_epoch=True))
    assert not agree(SwapEMAWeights(), saver)


def into_nan(folder: Path, stop: TerminateOnNaN) -> tuple[bool, bool]:
    """Let the weights become NaN in the third epoch; return whether the backup is there and the file is finite."""
    model = new_model()

    def spoil(epoch, logs):
        if epoch == 2:
            model.set_weights([np.nan * one for one in model.get_weights()])

    callbacks = [LambdaCallback(on_epoch_begin=spoil), stop, ModelCheckpoint(folder / "last.keras")]
    callbacks.append(BackupAndRestore(folder / "backup"))
    try:
        fit(model, callbacks, epochs=5)
    except RuntimeError as error:
        assert "NaN or Inf loss" in str(error)  # noqa: PT017 - only one of the two cases raises
    weights = keras.models.load_model(folder / "last.keras").get_weights()
    return (folder / "backup").exists(), bool(np.isfinite(weights[0]).all())


@claim("08.48", text="TerminateOnNaN ends fit as any end does: the backup is deleted, the plain checkpoint holds NaN.")
def test_terminate_on_nan_leaves_nothing_good(tmp_path):
    assert into_nan(tmp_path, TerminateOnNaN()) == (False, False)


@claim("08.48", text="TerminateOnNaN(raise_error=True) raises RuntimeError, so the backup and the file before it stay.")
def test_terminate_on_nan_with_raise_error_leaves_the_backup(tmp_path):
    try:
        stop = TerminateOnNaN(raise_error=True)
    except TypeError:
        pytest.skip("raise_error came with Keras 3.15")
    assert into_nan(tmp_path, stop) == (True, True)


@claim(
    "08.51",
    text="Each fit begins patience anew, so one that stops after a single epoch never stops early.",
    before="Up to Keras 3.14 the best value of the first fit stays; it never stops early there either.",
)
def test_a_fit_of_one_epoch_never_stops_early():
    model, stopper = still_model(), EarlyStopping(patience=1)
    for value in (1.0, 2.0, 3.0):
        history = fit(model, [Script([value]), stopper], epochs=1)
        best = value if KERAS >= (3, 15) else 1.0
        assert (stopper.stopped_epoch, stopper.best, len(history["val_loss"])) == (0, best, 1)
    assert len(fit(model, [Script([1.0, 2.0, 3.0]), stopper], epochs=3)["val_loss"]) == 2
