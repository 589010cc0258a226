"""BackupAndRestore: what it brings back after an interruption, and what it forgets."""

from __future__ import annotations

import json
import os

import keras
import numpy as np
import pytest
from keras.callbacks import BackupAndRestore, EarlyStopping, LambdaCallback, ModelCheckpoint, TerminateOnNaN

from .claims import claim
from .means import Saves, Script, fit, iterations, new_model, still_model, training

VALUES = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def interrupted(folder, *callbacks, model=None, at=3):
    """Train with a backup in `folder` and break off at the beginning of epoch `at`."""

    def stop(epoch, logs):
        if epoch == at:
            raise KeyboardInterrupt

    model = model or still_model()
    chain = [Script(VALUES), *callbacks, BackupAndRestore(folder), LambdaCallback(on_epoch_begin=stop)]
    with pytest.raises(KeyboardInterrupt):
        fit(model, chain, epochs=8)
    return model


@claim(
    "07",
    "08.8",
    "09",
    text="BackupAndRestore brings back epoch, weights and optimizer: training goes on as if uninterrupted.",
)
def test_backup_and_restore_goes_on(tmp_path):
    whole = new_model("adam")
    expected = fit(whole, [Script(VALUES)], epochs=5)["loss"]
    interrupted(tmp_path / "backup", model=new_model("adam"))
    assert json.loads((tmp_path / "backup" / "training_metadata.json").read_text()) == {"epoch": 3, "batch": 0}
    model = new_model("adam")
    history = model.fit(
        training(), epochs=5, verbose=0, shuffle=False, callbacks=[BackupAndRestore(tmp_path / "backup")]
    )
    assert history.epoch == [3, 4]
    assert history.history["loss"] == expected[3:]
    assert iterations(model) == 10


@claim(
    "08.8",
    "09",
    text="BackupAndRestore forgets EarlyStopping's wait and best: after a restart patience begins anew.",
)
def test_backup_forgets_early_stopping(tmp_path):
    before = EarlyStopping(patience=3)
    interrupted(tmp_path / "backup", before)
    assert (before.wait, before.best) == (2, 1.0)
    after = EarlyStopping(patience=3)
    fit(still_model(), [Script(VALUES), after, BackupAndRestore(tmp_path / "backup")], epochs=8)
    # Uninterrupted it would have stopped at epoch 3, with epoch 0 as its best.
    assert (after.stopped_epoch, after.best_epoch, after.best) == (6, 3, 2.0)


@claim(
    "08.8",
    "08.7",
    "09",
    text="BackupAndRestore forgets ModelCheckpoint's best: the first epoch after a restart overwrites the best file.",
)
def test_backup_forgets_model_checkpoint(tmp_path):
    before = Saves(tmp_path / "best.keras", save_best_only=True)
    interrupted(tmp_path / "backup", before)
    assert before.epochs == [0]
    again = Saves(tmp_path / "best.keras", save_best_only=True)
    fit(still_model(), [Script(VALUES), again, BackupAndRestore(tmp_path / "backup")], epochs=5)
    assert again.epochs == [3]


@claim("08.8", "09", text="initial_value_threshold set to the old best keeps the best file through a restart.")
def test_threshold_keeps_the_best_file_through_a_restart(tmp_path):
    before = Saves(tmp_path / "best.keras", save_best_only=True)
    interrupted(tmp_path / "backup", before)
    again = Saves(tmp_path / "best.keras", save_best_only=True, initial_value_threshold=before.best)
    fit(still_model(), [Script(VALUES), again, BackupAndRestore(tmp_path / "backup")], epochs=5)
    assert again.epochs == []


@claim("09", text="BackupAndRestore deletes its folder when training ends, an early stop included.")
def test_the_backup_is_deleted_at_the_end(tmp_path):
    folder = tmp_path / "backup"
    seen = LambdaCallback(on_epoch_begin=lambda epoch, logs: seen_folders.append(folder.exists()))
    seen_folders = []
    fit(still_model(), [Script(VALUES), EarlyStopping(patience=1), BackupAndRestore(folder), seen], epochs=8)
    assert seen_folders == [False, True]
    assert not folder.exists()


@claim(
    "08.8",
    "09",
    text=(
        "After a restored run the model remembers its first epoch: a later fit of fewer epochs trains nothing, a "
        "longer one its last epochs only."
    ),
)
def test_a_restored_model_keeps_its_first_epoch(tmp_path):
    interrupted(tmp_path / "backup")
    model = still_model()
    fit(model, [BackupAndRestore(tmp_path / "backup")], epochs=5)
    steps = iterations(model)
    assert fit(model, epochs=2) == {}
    assert iterations(model) == steps
    assert model.fit(training(), epochs=5, verbose=0, shuffle=False).epoch == [3, 4]


@claim("08.8", "09", text="BackupAndRestore needs a built model, and a folder name that is not empty.")
def test_backup_needs_a_built_model(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="To use the BackupAndRestore callback, you model must be built"):
        fit(model, [BackupAndRestore(tmp_path / "backup")])
    with pytest.raises(ValueError, match="Empty `backup_dir` argument passed"):
        BackupAndRestore("")


@claim("09", text="A backup whose weights file is half written is no backup: the restart fails.")
def test_a_restart_from_half_a_backup_fails(tmp_path):
    folder = tmp_path / "backup"
    interrupted(folder)
    file = folder / "latest.weights.h5"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OSError, match="Unable to synchronously open file"):
        fit(still_model(), [BackupAndRestore(folder)], epochs=8)


@claim("09", text="After TerminateOnNaN no backup is left, and ModelCheckpoint has saved the NaN over the good model.")
def test_terminate_on_nan_takes_the_backup_away(tmp_path):
    model, there = new_model("sgd"), []

    def spoil(epoch, logs):
        there.append((tmp_path / "backup").exists())
        if epoch == 2:
            model.optimizer.learning_rate = float("nan")

    callbacks = [
        LambdaCallback(on_epoch_begin=spoil), TerminateOnNaN(),
        BackupAndRestore(tmp_path / "backup"), ModelCheckpoint(tmp_path / "last.keras"),
    ]  # fmt: skip
    fit(model, callbacks, epochs=6)
    assert there == [False, True, True]
    assert not (tmp_path / "backup").exists()
    assert np.isnan(keras.saving.load_model(tmp_path / "last.keras").get_weights()[0]).all()


@claim(
    "08.33",
    text="With double_checkpoint a damaged last backup is passed over, and training goes on from the one before.",
)
def test_double_checkpoint_goes_on_from_the_one_before(tmp_path):
    backup = {"backup_dir": tmp_path, "double_checkpoint": True}

    def stop(epoch, logs):
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(new_model(), [BackupAndRestore(**backup), LambdaCallback(on_epoch_begin=stop)], epochs=5)
    latest = tmp_path / "latest.weights.h5"
    os.truncate(latest, latest.stat().st_size // 2)
    began = []
    note = LambdaCallback(on_epoch_begin=lambda epoch, logs: began.append(epoch))
    fit(new_model(), [BackupAndRestore(**backup), note], epochs=5)
    assert began == [2, 3, 4]
