"""EarlyStopping and ModelCheckpoint together: who owns what, and two different bests."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import keras
import pytest
from keras.callbacks import EarlyStopping, ModelCheckpoint

from .claims import claim
from .means import Saves, Script, drive, fit, iterations, new_model, same_weights, still_model, validation

VALUES = [3.0, 2.0, 1.0, 4.0, 5.0, 6.0]


@functools.cache
def both(restore: bool):
    """Fit with both callbacks over VALUES; return the model, the stopper, the saver and the best file loaded."""
    model = new_model("adam")
    stopper = EarlyStopping(patience=2, restore_best_weights=restore)
    with tempfile.TemporaryDirectory() as folder:
        saver = Saves(Path(folder) / "best.keras", save_best_only=True)
        fit(model, [Script(VALUES), stopper, saver], epochs=6)
        return model, stopper, saver, keras.saving.load_model(saver.filepath)


@claim("04", text="With the same monitor and no min_delta both agree on the best, value and epoch.")
def test_both_agree_on_the_best():
    _, stopper, saver, _ = both(restore=False)
    assert stopper.best == saver.best == 1.0
    assert stopper.best_epoch == saver.epochs[-1] == 2


@claim(
    "04",
    "07",
    text="Restored weights and the reloaded checkpoint are equal bit for bit; the last weights are others.",
)
def test_restored_equals_reloaded():
    model, _, _, loaded = both(restore=True)
    assert same_weights(model.get_weights(), loaded.get_weights())
    last, _, _, loaded = both(restore=False)
    assert not same_weights(last.get_weights(), loaded.get_weights())


@claim("04", text="Their optimizers differ: the file has the best epoch's, the restored model the last epoch's.")
def test_the_optimizers_differ():
    model, _, _, loaded = both(restore=True)
    assert (iterations(loaded), iterations(model)) == (6, 10)
    moments = [[variable.numpy() for variable in one.optimizer.variables[2:]] for one in (model, loaded)]
    assert not same_weights(*moments)


@claim(
    "04",
    text="The callback, not the model, owns its counters and best weights: a new object knows nothing of the run.",
)
def test_the_callback_owns_its_state():
    _, stopper, saver, loaded = both(restore=True)
    assert same_weights(stopper.best_weights, loaded.get_weights())
    assert (EarlyStopping().best, ModelCheckpoint("a.keras").best) == (None, None)
    assert (stopper.wait, saver.best) == (2, 1.0)


@claim(
    "04",
    "08.19",
    text="With different monitors there are two bests: the file and the restored weights are different models.",
)
def test_two_monitors_two_bests(tmp_path):
    model = still_model()
    stopper = EarlyStopping("val_mae", mode="min", patience=9, restore_best_weights=True)
    saver = Saves(tmp_path / "a.keras", save_best_only=True)
    fit(model, [Script([2, 1, 3]), Script([1, 2, 3], "val_mae"), stopper, saver], epochs=3)
    assert (stopper.best_epoch, saver.epochs[-1]) == (0, 1)
    assert not same_weights(model.get_weights(), keras.saving.load_model(tmp_path / "a.keras").get_weights())


@claim(
    "04",
    "05",
    "08.15",
    text="The same monitor is not enough: min_delta, start_from_epoch or baseline move EarlyStopping's best alone.",
)
@pytest.mark.parametrize("settings", [{"min_delta": 0.5}, {"start_from_epoch": 4}])
def test_same_monitor_different_best(settings):
    values = [1.0, 0.9, 0.8, 0.7, 0.75]
    stopper = EarlyStopping(mode="min", patience=9, **settings)
    saver = Saves("a.keras", mode="min", save_best_only=True)
    drive([stopper, saver], values)
    assert (saver.epochs[-1], saver.best) == (3, 0.7)
    assert stopper.best_epoch != 3


@claim(
    "04",
    text="Their order in the list does not matter: the stop takes effect after all callbacks had their epoch's end.",
)
@pytest.mark.parametrize("turned", [False, True])
def test_their_order_does_not_matter(turned):
    stopper, saver = EarlyStopping(mode="min", patience=1, restore_best_weights=True), Saves("a.keras", mode="min")
    run = drive([saver, stopper] if turned else [stopper, saver], [1.0, 0.95, 0.99, 0.5])
    assert (run.saved, run.kept) == ((0, 1, 2), 1)


@claim(
    "04",
    text="Weights are restored after the last save: a file of the last epoch never holds the restored weights.",
)
def test_restoring_comes_after_saving(tmp_path):
    model = still_model()
    stopper = EarlyStopping(patience=1, restore_best_weights=True)
    fit(model, [Script([1.0, 2.0]), stopper, ModelCheckpoint(tmp_path / "{epoch}.keras")], epochs=5)
    first, last = (keras.saving.load_model(tmp_path / f"{epoch}.keras").get_weights() for epoch in (1, 2))
    assert same_weights(model.get_weights(), first)
    assert not same_weights(model.get_weights(), last)


@claim(
    "04",
    "08.19",
    text="After a stop without restoring, evaluate gives the last epoch's value, the loaded file the best one.",
)
def test_last_restored_reloaded(tmp_path):
    def run(restore):
        model = new_model(keras.optimizers.SGD(0.5))
        stopper = EarlyStopping(patience=3, restore_best_weights=restore)
        saver = ModelCheckpoint(tmp_path / "a.keras", save_best_only=True)
        values = fit(model, [stopper, saver], epochs=9, validate=True)["val_loss"]
        return model.evaluate(validation(), verbose=0)[0], values

    last, values = run(restore=False)
    restored, _ = run(restore=True)
    reloaded = keras.saving.load_model(tmp_path / "a.keras").evaluate(validation(), verbose=0)[0]
    assert last == values[-1] > min(values)
    assert restored == reloaded == min(values)
