"""The two callbacks that lesson 06 rebuilds are the real ones in all that they do.

Three proofs: equal to Keras's own on thousands of random trainings; the facts that Keras's own tests hold, each stated
anew; and those tests themselves, run with the rebuilt classes in the place of Keras's.
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
import random
import unittest
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint

from helpers.checks import _core
from helpers.checks.lesson06.rebuilt import STATE, saving_settings, stopping_settings
from helpers.checks.scripted import FakeModel, compare, drive

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "solutions" / "06b_rebuild_both.ipynb"


def rebuilt() -> dict:
    """Run the cells of the lesson that lead to the two classes, and the solutions that hold them."""
    scope = {"keras": keras, "np": np, "Callback": Callback, "__name__": "__main__"}
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    for source in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
        if "def direction(" in source:
            exec(source[: source.index("\noutput = ")], scope)
        elif any(f"class {name}(" in source for name in ("Monitor", "Saver")):
            exec(source, scope)
    for exercise in ("06.1", "06.2"):
        exec(_core.solution_code(exercise), scope)
    return scope


SCOPE = rebuilt()
MyEarlyStopping, MyModelCheckpoint = SCOPE["MyEarlyStopping"], SCOPE["MyModelCheckpoint"]


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both warn at each epoch without the metric
        yield


# -- equal on random trainings ---------------------------------------------------------------------------------------


def test_my_early_stopping_is_the_real_one_on_5000_curves():
    assert compare(MyEarlyStopping, settings=stopping_settings, cases=5000, rounding=True, attributes=STATE) is None


def test_my_model_checkpoint_saves_as_the_real_one_on_5000_curves():
    assert (
        compare(
            lambda **settings: MyModelCheckpoint("model.keras", **settings),
            lambda **settings: ModelCheckpoint("model.keras", **settings),
            settings=saving_settings,
            cases=5000,
            rounding=True,
            fields=("saved_epochs",),
            attributes=("best",),
        )
        is None
    )


def test_every_argument_is_drawn():
    rng = random.Random(0)
    drawn = set().union(*(stopping_settings(rng) for _ in range(500)))
    assert drawn | {"monitor", "verbose"} == set(inspect.signature(EarlyStopping).parameters)
    drawn = set().union(*(saving_settings(rng) for _ in range(500)))
    assert drawn == {"mode", "save_best_only", "initial_value_threshold"}


def test_the_rebuilt_have_the_arguments_of_the_real_ones_with_the_same_defaults():
    for mine, real in ((MyEarlyStopping, EarlyStopping), (MyModelCheckpoint, ModelCheckpoint)):
        own, theirs = inspect.signature(mine).parameters, inspect.signature(real).parameters
        assert set(own) == set(theirs) - {"verbose"}
        assert {name: own[name].default for name in own} == {name: theirs[name].default for name in own}
        assert issubclass(mine, Callback)
        assert not issubclass(mine, real)


def test_the_comparison_notices_a_callback_that_is_nearly_right():
    class Late(MyEarlyStopping):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            if self.wait == self.patience and self.patience > 2:
                self.model.stop_training = False

    assert compare(Late, settings=stopping_settings, cases=5000, rounding=True, attributes=STATE) is not None


@pytest.mark.parametrize("every", [1, 2, 3, 4, 7])
def test_my_model_checkpoint_counts_batches_as_the_real_one(every):
    for batches in (1, 3, 4):
        saves = []
        for kind in (MyModelCheckpoint, ModelCheckpoint):
            model = FakeModel(write=False)
            callback = kind("{epoch}-{batch}.keras", save_freq=every)
            drive(callback, [3.0, 2.0, 1.0, 0.5], batches=batches, model=model)
            drive(callback, [3.0, 2.0], batches=batches, model=model)
            saves.append([(save.epoch, save.batch, str(save.path)) for save in model.saves])
        assert saves[0] == saves[1]
        assert saves[0] or every > 4


def test_my_model_checkpoint_counts_batches_that_run_several_in_a_step():
    for steps in (2, 3):
        counted = []
        for kind in (MyModelCheckpoint, ModelCheckpoint):
            model = FakeModel(write=False)
            callback = kind("{epoch}-{batch}.keras", save_freq=4)
            callback.set_model(model)
            callback.on_train_begin()
            for epoch in range(4):
                callback.on_epoch_begin(epoch)
                for batch in range(steps - 1, 10, steps):
                    callback.on_train_batch_end(batch, {"loss": 1.0})
                callback.on_epoch_end(epoch, {"loss": 1.0, "val_loss": 1.0})
            counted.append([str(save.path) for save in model.saves])
        assert counted[0] == counted[1]
        assert counted[0]


# -- the facts that Keras's own tests hold, stated anew --------------------------------------------------------------


def compiled_model() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    metrics = ["mse", "acc", "accuracy", "hinge", keras.metrics.AUC(name="area")]
    model.compile("sgd", loss="mae", metrics=metrics, run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def fitted():
    """Return a model that has trained, so that its metrics are built, and the data it trained on."""
    model, x = compiled_model(), np.zeros((4, 2), "float32")
    y = np.array([[0.0], [1.0], [0.0], [1.0]], "float32")
    model.fit(x, y, verbose=0, batch_size=4)
    return model, x, y


@pytest.mark.parametrize(
    ("mode", "monitor", "rises"),
    [
        ("max", "val_mse", True),
        ("min", "val_loss", False),
        ("auto", "val_mse", False),
        ("auto", "loss", False),
        ("auto", "acc", True),
        ("auto", "val_accuracy", True),
        ("auto", "hinge", False),
        ("auto", "val_area", True),
    ],
)
def test_the_direction_of_a_metric(fitted, mode, monitor, rises):
    for kind in (EarlyStopping, MyEarlyStopping):
        stopper = kind(monitor=monitor, mode=mode)
        stopper.set_model(fitted[0])
        stopper.on_train_begin()
        stopper.on_epoch_end(0, {monitor: 1.0})
        assert stopper.monitor_op == (keras.ops.greater if rises else keras.ops.less)


@pytest.mark.parametrize("kind", [EarlyStopping, MyEarlyStopping])
def test_an_unknown_metric_in_mode_auto_is_refused(fitted, kind):
    model, x, y = fitted
    with pytest.raises(ValueError, match="mode='m"):
        model.fit(x, y, callbacks=[kind(monitor="no_such")], verbose=0)


@pytest.mark.parametrize("patience", [0, 1, 2, 3])
def test_patience_0_stops_as_patience_1(patience):
    # The best is epoch 3 of nine; later epochs improve on each other, but not on the best.
    ran = drive(MyEarlyStopping(monitor="loss", patience=patience), [{"loss": v} for v in (10, 9, 8, 9, 8.9, 8.8, 8.7)])
    assert ran.final["stopped_epoch"] == 2 + max(patience, 1)


def test_each_fit_forgets_the_one_before():
    stopper = MyEarlyStopping(patience=3, restore_best_weights=True)
    drive(stopper, [0.1, 0.2, 0.3, 0.4, 0.5])
    assert (stopper.best, stopper.stopped_epoch, stopper.wait) == (0.1, 3, 3)
    assert stopper.best_weights is not None
    stopper.on_train_begin()
    assert stopper.best is None
    assert stopper.best_weights is None
    assert (stopper.wait, stopper.stopped_epoch, stopper.best_epoch) == (0, 0, 0)


def test_a_second_fit_has_all_its_patience():
    ran = drive(MyEarlyStopping(patience=3), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], fits=2)
    assert ran.epochs_run == ran.earlier[0].epochs_run == 4


@pytest.mark.parametrize(
    ("values", "settings", "epochs", "kept"),
    [
        ((0.2, 0.15, 0.1, 0.11, 0.12), {"patience": 2}, 5, 2),
        # No epoch beats the baseline: `wait` runs from the start, and the best seen comes back all the same.
        ((0.9, 0.8, 0.7, 0.71, 0.72, 0.73), {"patience": 5, "baseline": 0.5}, 5, 2),
    ],
)
def test_the_best_weights_come_back(values, settings, epochs, kept):
    ran = drive(MyEarlyStopping(restore_best_weights=True, **settings), list(values))
    assert (ran.epochs_run, ran.kept_epoch) == (epochs, kept)


def test_the_best_weights_come_back_when_another_callback_stops():
    class StopAfterFour(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 3

    stopper = MyEarlyStopping(patience=5, baseline=0.5, restore_best_weights=True)
    ran = drive([stopper, StopAfterFour()], [0.9, 0.8, 0.7, 0.71, 0.72, 0.73])
    assert (ran.epochs_run, ran.kept_epoch, stopper.stopped_epoch) == (4, 2, 0)


@pytest.mark.parametrize(("patience", "epochs"), [(3, 6), (0, 4)])
def test_patience_counts_from_start_from_epoch(patience, epochs):
    ran = drive(MyEarlyStopping(patience=patience, start_from_epoch=2), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    assert ran.epochs_run == epochs >= patience + 2


def saved(tmp_path: Path, epochs: int = 1, *, logs: dict | None = None, batches: int = 0, **settings) -> list[str]:
    """Play a fit with a checkpoint that writes files, and list them."""
    name = settings.pop("name", "model.keras")
    checkpoint = MyModelCheckpoint(tmp_path / "made" / "on the way" / name, **settings)
    rows = logs or {"loss": [1.0] * epochs, "val_loss": [2.0] * epochs, "val_accuracy": [0.5] * epochs}
    drive(checkpoint, rows, batches=batches)
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mode": "min"},
        {"mode": "max", "monitor": "val_accuracy"},
        {"mode": "max", "monitor": "val_accuracy", "save_best_only": True},
        {"mode": "max", "monitor": "val_accuracy", "save_best_only": True, "initial_value_threshold": -0.01},
        {"save_best_only": True, "initial_value_threshold": None},
    ],
)
def test_one_epoch_is_saved_and_folders_are_made(tmp_path, settings):
    assert saved(tmp_path, **settings) == ["model.keras"]


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "min", "initial_value_threshold": 0},
        {"mode": "auto", "initial_value_threshold": 0},
        {"mode": "auto", "monitor": "val_accuracy", "initial_value_threshold": 1},
    ],
)
def test_a_threshold_that_is_not_beaten_saves_nothing(tmp_path, settings):
    assert saved(tmp_path, save_best_only=True, **settings) == []


def test_a_missing_metric_warns_and_saves(tmp_path):
    with pytest.warns(UserWarning, match="unknown"):
        assert saved(tmp_path, monitor="unknown", mode="min", save_best_only=True) == ["model.keras"]


@pytest.mark.parametrize("kind", [MyEarlyStopping, lambda mode: MyModelCheckpoint("a.keras", mode=mode)])
def test_an_unknown_mode_warns_and_becomes_auto(kind):
    with pytest.warns(UserWarning, match="mode 'upwards' is unknown"):
        callback = kind(mode="upwards")
    callback.set_model(FakeModel())
    assert callback.value({"val_loss": 1.0}) == 1.0
    assert callback.monitor_op is keras.ops.less


@pytest.mark.parametrize(("name", "weights_only"), [("{epoch:02d}.keras", False), ("{epoch:02d}.weights.h5", True)])
def test_an_integer_save_freq_counts_batches(tmp_path, name, weights_only):
    # Five batches an epoch, and a save every fifteen: after every third epoch.
    files = saved(tmp_path, 10, name=name, batches=5, save_freq=15, save_weights_only=weights_only)
    assert files == [name.format(epoch=epoch) for epoch in (3, 6, 9)]


def test_the_batch_may_stand_in_the_name(tmp_path):
    files = saved(tmp_path, 3, name="{epoch}-{batch}.keras", batches=2, save_freq=1)
    assert files == [f"{epoch}-{batch}.keras" for epoch in (1, 2, 3) for batch in (1, 2)]


def test_save_freq_is_epoch_or_a_number():
    with pytest.raises(ValueError, match="Unrecognized save_freq: each"):
        MyModelCheckpoint("a.keras", save_freq="each")
    assert MyModelCheckpoint("a.keras", save_freq="epoch").save_freq == "epoch"
    assert MyModelCheckpoint("a.keras", save_freq=3).save_freq == 3


@pytest.mark.parametrize("weights_only", [False, True])
def test_what_was_saved_can_be_loaded(tmp_path, fitted, weights_only):
    model, x, y = fitted
    path = tmp_path / ("a.weights.h5" if weights_only else "a.keras")
    checkpoint = MyModelCheckpoint(path, save_best_only=True, save_weights_only=weights_only)
    model.fit(x, y, validation_data=(x, y), callbacks=[checkpoint], verbose=0)
    if weights_only:
        again = compiled_model()
        again.load_weights(path)
    else:
        again = keras.models.load_model(path)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nan_is_the_best_when_it_comes_first():
    ran = drive(MyEarlyStopping(patience=2, restore_best_weights=True), [math.nan, 3.0, 2.0, 1.0])
    assert (ran.epochs_run, ran.kept_epoch) == (3, 0)


# -- Keras's own tests -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "name", "mine"),
    [
        ("early_stopping_test", "EarlyStopping", MyEarlyStopping),
        ("model_checkpoint_test", "ModelCheckpoint", MyModelCheckpoint),
    ],
)
def test_keras_own_tests_pass_with_the_rebuilt(monkeypatch, capsys, request, module, name, mine):
    """Not every release of Keras packs its tests; where they are missing, the facts above have to do."""
    request.config.addinivalue_line("markers", "requires_trainable_backend: a mark in the tests of Keras")
    try:
        tests = importlib.import_module(f"keras.src.callbacks.{module}")
    except ImportError:
        pytest.skip("this release of Keras does not bring its own tests")
    made = []

    class Counted(mine):
        def __init__(self, *args, **kwargs):
            made.append(name)
            super().__init__(*args, **kwargs)

    Counted.__name__ = mine.__name__
    monkeypatch.setattr(importlib.import_module("keras.src.callbacks"), name, Counted)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromModule(tests).run(result)
    told = [text for _, text in (*result.failures, *result.errors)]
    assert not told, "\n".join(told)
    assert result.testsRun >= 2
    assert len(made) >= 2
