"""Loops over models: folds, and searches that copy their callbacks."""

from __future__ import annotations

import copy

import keras
import pytest
from keras.callbacks import EarlyStopping, ModelCheckpoint

from .claims import claim
from .means import Script, fit, still_model


@claim("08.44", "08.21", text="clear_session resets the dtype policy: layers made afterwards are float32 again.")
def test_clear_session_resets_the_policy():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        made_before = keras.layers.Dense(1)
        keras.utils.clear_session()
        assert made_before.compute_dtype == "float16"
        assert keras.layers.Dense(1).compute_dtype == "float32"
        keras.config.set_dtype_policy("mixed_float16")
        assert keras.layers.Dense(1).compute_dtype == "float16"
    finally:
        keras.config.set_dtype_policy(before)


@claim(
    "08.55",
    text="Deep copies of callbacks train without touching the originals, and copies of one saver share one file: it "
    "ends with the last copy's best.",
)
def test_copies_leave_the_callbacks_as_they_were(tmp_path):
    file = tmp_path / "best.keras"
    callbacks = [EarlyStopping(patience=1), ModelCheckpoint(file, save_best_only=True)]
    models = []
    for value in (0.1, 0.9):
        models.append(still_model())
        # Weights that tell the trials apart: each epoch adds 1 to the bias.
        models[-1].layers[0].bias.assign([100 * value])
        fit(models[-1], [Script([value]), *copy.deepcopy(callbacks)], epochs=1)
    assert [one.best for one in callbacks] == [None, None]
    kept = keras.models.load_model(file).get_weights()[1]
    assert kept == pytest.approx(models[1].get_weights()[1])


@claim("08.55", text="A callback that holds an open file cannot be deep-copied.")
def test_an_open_file_cannot_be_copied(tmp_path):
    class Log(keras.callbacks.Callback):
        pass

    log = Log()
    with (
        open(tmp_path / "log.txt", "w") as log.file,
        pytest.raises(TypeError, match=r"cannot pickle '_io\.TextIOWrapper'"),
    ):
        copy.deepcopy(log)
