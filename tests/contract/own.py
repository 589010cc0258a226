"""Callbacks of one's own: testing them without training, pickling them, what they cost."""

from __future__ import annotations

import importlib.resources
import pickle

import keras
import numpy as np
import pytest
from keras.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
)

from .claims import claim
from .means import KERAS, FakeModel, Script, drive, fit, new_model, still_model, stopping, training


@claim("06", text="A callback can be tested without training: set_model, then call its hooks with values of your own.")
def test_driving_equals_fitting():
    for values in ([3, 2, 1, 4, 5, 6], [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [2, 2, 1, 1, 3, 1]):
        stopper, run = stopping(values, patience=2, restore_best_weights=True)
        fitted = EarlyStopping(patience=2, restore_best_weights=True)
        history = fit(still_model(), [Script(values), fitted], epochs=6)
        assert len(history["loss"]) == run.epochs
        for name in ("wait", "best", "best_epoch", "stopped_epoch"):
            assert getattr(fitted, name) == getattr(stopper, name), name


@claim("06", text="The model of a callback under test needs only what the callback touches.")
def test_a_fake_model_is_enough():
    model = FakeModel()
    drive(EarlyStopping(mode="min"), [1.0, 2.0], model=model)
    assert model.stop_training is True


@claim("06", text="The built-in callbacks can be pickled, an EarlyStopping after fit with its model; a lambda cannot.")
@pytest.mark.parametrize(
    "callback", [EarlyStopping(), ModelCheckpoint("a.keras"), ReduceLROnPlateau(), CSVLogger("a.csv"), History()]
)
def test_callbacks_can_be_pickled(callback):
    assert type(pickle.loads(pickle.dumps(callback))) is type(callback)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(LambdaCallback(on_epoch_end=lambda epoch, logs: None))


@claim("06", text="An EarlyStopping pickled after fit comes back with its state and its model.")
def test_a_used_early_stopping_can_be_pickled():
    stopper = EarlyStopping(patience=1)
    fit(still_model(), [Script([1, 2, 3]), stopper], epochs=3)
    again = pickle.loads(pickle.dumps(stopper))
    assert (again.best, again.stopped_epoch, again.wait) == (1, 1, 1)
    assert again.model.count_params() == 4


@claim("06", text="A ModelCheckpoint pickled after fit keeps its best, and the next fit does not reset it.")
def test_a_used_checkpoint_keeps_its_best_in_a_pickle(tmp_path):
    saver = ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
    fit(still_model(), [Script([2, 1, 3]), saver], epochs=3)
    again = pickle.loads(pickle.dumps(saver))
    fit(still_model(), [Script([5, 4]), again], epochs=2)
    assert again.best == 1


@claim("06", text="After a NaN, weights put back do not mend Adam: its moments stay NaN and break them again.")
def test_adam_remembers_a_nan():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    lost = {}
    for name in ("sgd", "adam"):
        model.compile(name, "mse")
        good = model.get_weights()
        rate = float(model.optimizer.learning_rate)
        model.optimizer.learning_rate = float("inf")
        model.fit(x, y, epochs=2, verbose=0)
        assert not np.isfinite(model.get_weights()[0]).all()
        model.optimizer.learning_rate = rate
        model.set_weights(good)
        model.fit(x, y, epochs=2, verbose=0)
        lost[name] = not np.isfinite(model.get_weights()[0]).all()
        model.set_weights(good)
    assert lost == {"sgd": False, "adam": True}


@claim("06", text="The wheel of Keras 3.15.1 holds the tests of its own callbacks, to be run against a rebuilt one.")
@pytest.mark.skipif(keras.__version__ != "3.15.1", reason="not every release packs its tests: 3.15.0 does not")
@pytest.mark.parametrize("name", ["early_stopping_test.py", "model_checkpoint_test.py"])
def test_keras_ships_its_own_tests(name):
    assert importlib.resources.files("keras.src.callbacks").joinpath(name).is_file()


@claim(
    "06",
    text="State made in __init__ alone lives on through a second fit; on_train_begin is the place to reset it.",
)
def test_state_lives_on_unless_reset():
    class Counts(Callback):
        def __init__(self):
            super().__init__()
            self.kept, self.reset = 0, 0

        def on_train_begin(self, logs=None):
            self.reset = 0

        def on_epoch_end(self, epoch, logs=None):
            self.kept, self.reset = self.kept + 1, self.reset + 1

    counts, model = Counts(), still_model()
    fit(model, [counts], epochs=2)
    fit(model, [counts], epochs=2)
    assert (counts.kept, counts.reset) == (4, 2)


@claim("06", "07", text="What a callback costs is its calls: hooks per epoch, and steps x epochs for a batch hook.")
def test_how_often_hooks_are_called():
    calls = {"epoch": 0, "batch": 0}

    def count(kind):
        return lambda *_, **__: calls.__setitem__(kind, calls[kind] + 1)

    callback = LambdaCallback(on_epoch_end=count("epoch"), on_train_batch_end=count("batch"))
    still_model().fit(training(), epochs=3, verbose=0, shuffle=False, callbacks=[callback])
    assert calls == {"epoch": 3, "batch": 6}


@claim(
    "02",
    "06",
    text="EarlyStopping copies all weights into memory at each improvement, only when it has to restore them.",
)
def test_early_stopping_copies_the_weights():
    class Counting(FakeModel):
        copies = 0

        def get_weights(self):
            self.copies += 1
            return super().get_weights()

    for restore, copies in ((False, 0), (True, 3)):
        model = Counting()
        drive(EarlyStopping(mode="min", patience=9, restore_best_weights=restore), [2.0, 1.0, 1.5], model=model)
        # The first epoch is copied twice: once as "never set", once as an improvement.
        assert model.copies == copies


def own_loop(model, callbacks=()) -> dict:
    """Train one epoch of two batches with CallbackList, as lesson 06 does, and return the epoch's logs."""
    calls = keras.callbacks.CallbackList(list(callbacks), model=model, epochs=1)
    model.stop_training = False
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    for batch, (x, y) in enumerate(training()):
        calls.on_train_batch_begin(batch)
        logs = model.train_on_batch(x, y, return_dict=True)
        calls.on_train_batch_end(batch, logs)
    validated = model.evaluate(training(), return_dict=True, verbose=0)
    logs |= {f"val_{name}": value for name, value in validated.items()}
    calls.on_epoch_end(0, logs)
    calls.on_train_end(logs)
    return logs


@claim(
    "06",
    text="A loop around CallbackList and train_on_batch: losses of the last batch, no test hooks, History or use_ema.",
    before="Up to Keras 3.14 `train_on_batch` resets no metrics: its losses are means over the epoch's batches so far.",
)
def test_what_a_loop_of_ones_own_leaves_out():
    def fresh():
        keras.utils.set_random_seed(0)
        return new_model(keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.5))

    class Tests(Callback):
        def on_test_begin(self, logs=None):
            raise AssertionError("validation called a hook")

    last = []
    note = LambdaCallback(on_train_batch_end=lambda batch, logs: last.append(logs["loss"]))
    mine, fitted = fresh(), fresh()
    logs = own_loop(mine, [note, Tests()])
    assert logs["loss"] == last[-1]
    history = fit(fitted, epochs=1, validation_data=training())
    assert (logs["loss"] == pytest.approx(history["loss"][0])) == (KERAS < (3, 15))
    assert logs["val_loss"] == pytest.approx(history["val_loss"][0])
    assert getattr(mine, "history", None) is None
    # fit put the average of the weights in the place of the last ones.
    assert not np.allclose(mine.get_weights()[0], fitted.get_weights()[0])
    mine.optimizer.finalize_variable_values(mine.trainable_weights)
    np.testing.assert_allclose(mine.get_weights()[0], fitted.get_weights()[0], rtol=1e-5)
