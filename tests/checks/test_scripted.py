from __future__ import annotations

import math
import random
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import learner
from keras.callbacks import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)

from helpers.checks import scripted
from helpers.checks._blame import HOOKS, meant_hook
from helpers.checks._core import Wrong
from helpers.checks.scripted import FakeModel, compare, drive
from helpers.checks.scripted._model import read_tag

NAN, INF = math.nan, math.inf
ALL = ("wait", "best", "best_epoch", "stopped_epoch")


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns at each epoch without the metric
        yield


class Recorder(Callback):
    """Notes each hook with its index and the keys of its logs."""

    def __init__(self, stop_at: tuple[str, int] | None = None):
        super().__init__()
        self.events = []
        self.stop_at = stop_at

    def __getattribute__(self, name):
        if name in HOOKS and name not in ("on_batch_begin", "on_batch_end"):
            indexed = HOOKS[name] != "(self, logs=None)"
            return self._indexed(name) if indexed else lambda logs=None: self._note(name, None, logs)
        return super().__getattribute__(name)

    def _indexed(self, name):
        return lambda index, logs=None: self._note(name, index, logs)

    def _note(self, name, index, logs):
        self.events.append((name, index, tuple(sorted(logs))))
        if (name, index) == self.stop_at:
            self.model.stop_training = True


def real_model() -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def real_fit(callback: Callback, *, epochs: int, validation: bool, initial_epoch: int = 0) -> None:
    rows = tf.data.Dataset.from_tensor_slices((np.zeros((6, 2)), np.zeros((6, 1))))
    real_model().fit(
        rows.batch(2),
        validation_data=rows.take(4).batch(2) if validation else None,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=[callback],
        verbose=0,
    )


@pytest.mark.parametrize("validation", [True, False])
@pytest.mark.parametrize("stop_at", [None, ("on_epoch_end", 1), ("on_epoch_begin", 1), ("on_train_batch_end", 1)])
def test_hooks_come_as_in_a_real_fit(validation, stop_at):
    real, played = Recorder(stop_at), Recorder(stop_at)
    real_fit(real, epochs=3, validation=validation)
    names = ["loss", "mae"] + (["val_loss", "val_mae"] if validation else [])
    record = drive(played, {name: [1.0, 0.5, 0.25] for name in names}, batches=3, validation_batches=2)
    assert played.events == real.events
    assert record.hooks == tuple((name, index) for name, index, _ in real.events)
    assert record.stopped is (stop_at is not None)
    if stop_at is not None:
        assert record.stop_asked == (stop_at[0], 0 if "batch" in stop_at[0] else 1)


def test_initial_epoch_and_params_as_in_a_real_fit():
    real, played = Recorder(), Recorder()
    real_fit(real, epochs=4, validation=True, initial_epoch=2)
    logs = {name: [1.0, 0.5] for name in ("loss", "mae", "val_loss", "val_mae")}
    drive(played, logs, batches=3, validation_batches=2, initial_epoch=2)
    assert played.events == real.events
    assert played.params == real.params


def test_early_stopping_keeps_the_last_or_the_best():
    curve = [3, 2, 1, 2, 3, 4, 5]
    last = drive(EarlyStopping(patience=2), curve)
    assert (last.epochs_run, last.kept_epoch, last.stopped, last.stop_asked) == (5, 4, True, ("on_epoch_end", 4))
    assert last.waits == (0, 0, 0, 1, 2)
    assert last.final == {"wait": 2, "best": 1.0, "best_epoch": 2, "stopped_epoch": 4}
    assert last.history["val_loss"] == [3, 2, 1, 2, 3]
    best = drive(EarlyStopping(patience=2, restore_best_weights=True), curve)
    assert (best.epochs_run, best.kept_epoch) == (5, 2)
    ran_out = drive(EarlyStopping(patience=9, restore_best_weights=True), curve)
    assert (ran_out.epochs_run, ran_out.kept_epoch, ran_out.stopped) == (7, 2, False)


def test_the_same_on_a_real_model():
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    record = drive(stopper, [3, 2, 1, 2, 3, 4], model=real_model(), fits=2)
    assert (record.epochs_run, record.kept_epoch, record.kept_fit) == (5, 2, 1)
    assert record.earlier[0].kept_fit == 0
    assert record.learning_rates == (pytest.approx(0.01),) * 5


def test_weights_from_before_this_fit():
    class Keeper(Callback):
        def on_train_begin(self, logs=None):
            self.weights = self.model.get_weights()

        def on_train_end(self, logs=None):
            self.model.set_weights(self.weights)

    first = drive(Keeper(), [1, 2])
    assert (first.kept_epoch, first.kept_fit) == (None, -1)
    stale = drive(EarlyStopping(), [1, 2], model=first.model)
    assert (stale.kept_epoch, stale.kept_fit) == (1, 1)
    second = drive(Keeper(), [1, 2], model=first.model)
    assert (second.kept_epoch, second.kept_fit) == (None, 1)


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_checkpoints_write_small_files_that_load_again(tmp_path, ending):
    saver = ModelCheckpoint(
        tmp_path / f"best-{{epoch}}{ending}", save_best_only=True, save_weights_only=ending == ".weights.h5"
    )
    record = drive(saver, [3, 2, 4, 1, 2])
    assert record.saved_epochs == (0, 1, 3)
    assert [save.path.name for save in record.saves] == [f"best-{n}{ending}" for n in (1, 2, 4)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"best-{n}{ending}" for n in (1, 2, 4)]
    model = FakeModel()
    model.load_weights(tmp_path / f"best-2{ending}")
    assert read_tag(model) == (0, 1)


def test_checkpoints_of_batches_know_their_batch(tmp_path):
    record = drive(ModelCheckpoint(tmp_path / "e{epoch}b{batch}.keras", save_freq=2), [1, 2], batches=3)
    assert [(save.epoch, save.batch) for save in record.saves] == [(0, 1), (1, 0), (1, 2)]


def test_saving_in_memory_and_wrong_endings(tmp_path):
    model = FakeModel(write=False)
    model.set_weights([np.full((2, 1), 5.0), np.full(1, 5.0)])
    model.save(tmp_path / "a.keras")
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    model.load_weights(tmp_path / "a.keras")
    assert model.get_weights()[0][0, 0] == 5
    assert list(tmp_path.iterdir()) == []
    for save, name in ((model.save, "model"), (model.save_weights, "model.keras")):
        with pytest.raises(ValueError, match="Received: filepath="):
            save(name)
    with pytest.raises(FileNotFoundError):
        FakeModel().save(tmp_path / "no such folder" / "a.keras")
    with pytest.raises(ValueError, match="set_weights takes weights of shapes"):
        model.set_weights([np.zeros(3)])


def test_mode_auto_finds_the_metric(tmp_path):
    accuracy = {"val_accuracy": [0.1, 0.3, 0.2, 0.2, 0.2]}
    assert drive(EarlyStopping("val_accuracy", patience=2), accuracy).epochs_run == 4
    with pytest.raises(ValueError, match="Pass `mode='max'`"):
        drive(EarlyStopping("val_accuracy"), accuracy, model=FakeModel(metrics=()))
    error = {"val_mean_absolute_error": [1, 2, 3]}
    model = FakeModel(metrics=[keras.metrics.MeanAbsoluteError()])
    assert drive(EarlyStopping("val_mean_absolute_error", patience=1), error, model=model).epochs_run == 2


def test_learning_rates():
    plateau = drive(ReduceLROnPlateau(patience=2, factor=0.1), [1, 1, 1, 1, 1, 1])
    assert plateau.learning_rates == pytest.approx((0.01, 0.01, 0.01, 0.001, 0.001, 0.0001))
    assert plateau.final_learning_rate == pytest.approx(0.0001)
    assert plateau.logs_added == {"learning_rate"}
    assert plateau.mutated
    schedule = drive(LearningRateScheduler(lambda epoch: 1.0 / (epoch + 1)), [1, 1, 1])
    assert schedule.learning_rates == pytest.approx((1, 1 / 2, 1 / 3))


def test_mutated_logs():
    class Spoils(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                logs["val_loss"] = 0.0
            if epoch == 2:
                del logs["loss"]

    class Reads(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs.get("val_loss")

    assert drive(Spoils(), [1, 2, 3]).logs_changed == {"val_loss", "loss"}
    assert not drive(Reads(), [NAN, None, 3]).mutated
    assert drive([Reads(), Spoils()], [1, 2]).mutated


def test_state_is_watched_from_the_moment_it_exists():
    class Late(Callback):
        def on_train_begin(self, logs=None):
            self.wait = 0

        def on_epoch_end(self, epoch, logs=None):
            self.wait += 1

    assert drive(Late(), [1, 1]).waits == (1, 2)
    assert drive(Callback(), [1, 1]).waits == ()


def test_weights_as_variables():
    class Averages(Callback):
        def on_epoch_end(self, epoch, logs=None):
            for variable in self.model.trainable_weights:
                variable.assign(variable * 0)

    record = drive(Averages(), [1, 2])
    assert record.kept_epoch is None
    assert record.model.count_params() == 3
    assert all(isinstance(variable, keras.Variable) for variable in record.model.weights)


def test_backup_and_restore_goes_on_where_it_was(tmp_path):
    class Crash(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2 and not hasattr(self, "crashed"):
                self.crashed = True
                raise RuntimeError("power cut")

    callbacks, model = [BackupAndRestore(tmp_path / "backup"), Crash()], FakeModel()
    with pytest.raises(RuntimeError, match="power cut"):
        drive(callbacks, [1, 2, 3, 4], model=model)
    assert drive(callbacks, [1, 2, 3, 4], model=model).hooks[1] == ("on_epoch_begin", 2)


def test_a_stop_within_an_epoch():
    record = drive(TerminateOnNaN(), [{"loss": 1.0}, {"loss": NAN}, {"loss": 1.0}], batches=4)
    assert record.epochs_run == 2
    assert record.stop_asked == ("on_train_batch_end", 1)
    assert [index for hook, index in record.hooks if hook == "on_train_batch_end"] == [0, 1, 2, 3, 0]


def test_forms_of_logs():
    assert drive(Callback(), [1, None, 3]).history == {"loss": [1 / 2, 1 / 3, 1 / 4], "val_loss": [1, 3]}
    assert drive(Callback(), [5, 6], monitor="loss").history == {"loss": [5, 6]}
    rows = [{"loss": 1, "val_loss": 2}, {"loss": 3, "val_loss": None}]
    assert drive(Callback(), rows).history == {"loss": [1, 3], "val_loss": [2]}
    with pytest.raises(ValueError, match="must have one length"):
        drive(Callback(), {"loss": [1], "val_loss": [1, 2]})
    with pytest.raises(ValueError, match="holds no epoch"):
        drive(Callback(), [])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (EarlyStopping, "`EarlyStopping` alone is the class. Make an object of it: `EarlyStopping(...)`."),
        (dict, "got the class `dict`"),
        ("early stopping", "got `'early stopping'`"),
        (3, "got `3`"),
        ([EarlyStopping(), 3], "got `3`"),
        ({"a": 1}, "got a dict of 1"),
        (FakeModel(), "got an object of class `FakeModel`"),
    ],
)
def test_what_is_no_callback(answer, message):
    with pytest.raises(Wrong) as caught:
        drive(answer, [1])
    assert message in str(caught.value)
    with pytest.raises(Wrong, match="Expected an `EarlyStopping`, got an object of class `ModelCheckpoint`"):
        scripted.as_callback(ModelCheckpoint("a.keras"), EarlyStopping)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (EarlyStopping(), "Give the class itself, `EarlyStopping` without brackets"),
        (dict, "`dict` is no callback yet: begin it with `class Mine(keras.callbacks.Callback):`."),
        ([1], "got a list of 1"),
    ],
)
def test_what_is_no_class_of_callbacks(answer, message):
    with pytest.raises(Wrong) as caught:
        scripted.as_class(answer, like="Mine")
    assert message in str(caught.value)
    assert scripted.as_class(EarlyStopping) is EarlyStopping


def test_the_model_says_what_it_is_not():
    with pytest.raises(AttributeError, match="This scripted model has no `summary`"):
        FakeModel().summary()
    assert not hasattr(FakeModel(), "layers")


# A right rebuilding of EarlyStopping, and the usual ways to get it wrong.
MINE = """
class answer(keras.callbacks.Callback):
    def __init__(self, monitor="val_loss", patience=0, min_delta=0, mode="min", baseline=None,
                 restore_best_weights=False, start_from_epoch=0):
        super().__init__()
        self.monitor, self.patience, self.min_delta, self.mode = monitor, patience, min_delta, mode
        self.baseline, self.restore, self.start = baseline, restore_best_weights, start_from_epoch

    def better(self, value, than):
        if than is None:
            return True
        return value + self.min_delta < than if self.mode == "min" else value - self.min_delta > than

    def on_train_begin(self, logs=None):
        self.wait, self.best, self.best_epoch, self.stopped_epoch, self.weights = 0, None, 0, 0, None

    def on_epoch_end(self, epoch, logs=None):
        value = logs.get(self.monitor)
        if value is None or epoch < self.start:
            return
        if self.restore and self.weights is None:
            self.weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch, self.weights = value, epoch, self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.restore and self.weights is not None:
            self.model.set_weights(self.weights)
"""

WRONG = {
    "late": ("self.wait >= self.patience", "self.wait > self.patience", "yours 3 epochs"),
    "ties": ("+ self.min_delta < than", "+ self.min_delta <= than", "An equal value is no improvement."),
    "not reset": (
        "def on_train_begin(self, logs=None):",
        "def set_params(self, params):\n        if hasattr(self, 'wait'): return",
        "is everything set afresh in `on_train_begin`?",
    ),
    "last weights": (
        "if self.restore and self.weights is not None:",
        "if False:",
        "ends with the weights of epoch 1, yours with the weights of epoch 2",
    ),
    "only when stopped": (
        "if self.restore and self.weights is not None:",
        "if self.restore and self.stopped_epoch:",
        "yours",
    ),
    "no baseline": ("if self.baseline is None or self.better(value, self.baseline):", "if True:", "baseline="),
    "no start": ("value is None or epoch < self.start", "value is None", "start_from_epoch="),
    "no delta": ("value + self.min_delta < than", "value < than", "min_delta="),
    "no max": ("if self.mode == 'min' else", "if True else", "mode='max'"),
    "first epoch": ("and epoch > 0", "", "`EarlyStopping` runs"),
    "NaN skipped": (
        "if value is None or",
        "if value is None or value != value or",
        "Every comparison with NaN is false.",
    ),
    "missing is zero": ("logs.get(self.monitor)", "logs.get(self.monitor, 0.0)", "None stands for an epoch"),
}


def test_equal_callbacks_agree_on_everything():
    assert compare(EarlyStopping, cases=150, attributes=ALL) is None
    assert compare(learner(MINE)(), cases=250, attributes=ALL) is None


@pytest.mark.parametrize("name", WRONG)
def test_each_mistake_is_found_made_small_and_told(name):
    old, new, fragment = WRONG[name]
    source = MINE.replace("'", '"').replace(old.replace("'", '"'), new.replace("'", '"'))
    assert source != MINE
    found = compare(learner(source)(), cases=250)
    if name == "first epoch":
        # With no best yet, no value of the first epoch can fail to be one: this condition cannot be seen from outside.
        assert found is None
        return
    assert found is not None
    assert fragment in str(found), str(found)
    assert len(found.curves[-1]) <= 4, str(found)
    assert len(found.settings) <= 4


def test_attributes_differ():
    found = compare(
        learner(MINE.replace("self.stopped_epoch = epoch", "self.stopped_epoch = epoch + 1"))(), attributes=ALL
    )
    assert found.what == "stopped_epoch"
    assert "`stopped_epoch` after epoch 2 should be 1 (epochs counted from 0); yours is 2." in str(found)
    found = compare(learner(MINE.replace("self.best_epoch", "self.top"))(), attributes=("best_epoch",))
    assert "yours has no such attribute" in str(found)


def test_rounding_is_asked_for():
    assert compare(learner(MINE)(), cases=400, rounding=True, attributes=ALL) is not None
    assert "float32" in str(
        compare(learner(MINE)(), settings=[{"mode": "min", "patience": 1}], cases=80, rounding=True)
    )


def test_the_same_seed_finds_the_same():
    make = learner(MINE.replace(">= self.patience", "> self.patience"))
    assert str(compare(make(), seed=3)) == str(compare(make(), seed=3))


def test_savers_can_be_compared(tmp_path):
    def reference(**settings):
        return ModelCheckpoint(tmp_path / "a.keras", save_best_only=True, **settings)

    source = """
    class answer(keras.callbacks.Callback):
        def __init__(self, monitor, mode):
            super().__init__()
            self.monitor, self.best = monitor, None
        def on_epoch_end(self, epoch, logs=None):
            value = logs.get(self.monitor)
            if value is None or self.best is None or value <= self.best:
                self.best = value if value is not None else self.best
                self.model.save("a.keras")
    """
    options = {"settings": [{"mode": "min"}], "fields": ("saved_epochs",), "name": "ModelCheckpoint", "cases": 60}
    assert compare(learner(source.replace("<=", "<"))(), reference, **options) is None
    found = compare(learner(source)(), reference, **options)
    assert "`ModelCheckpoint` saves after epoch 1; yours saves after epochs 1 and 2." in str(found)


def test_an_error_names_its_curve():
    broken = learner(MINE.replace("return True", "return value < than"))()
    with pytest.raises(TypeError) as caught:
        compare(broken)
    assert caught.value.__notes__[0].startswith("It happened with `val_loss` = [1] and")


def test_random_curves_hold_what_is_nasty():
    rng = random.Random(0)
    curves = [scripted.random_curve(rng) for _ in range(400)]
    values = [value for curve in curves for value in curve]
    assert None in values
    assert INF in values
    assert any(value is not None and math.isnan(value) for value in values)
    assert {len(curve) for curve in curves} == set(range(1, 10))
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert all(float(np.float32(value)) == value for value in finite)


@pytest.mark.parametrize(
    ("name", "hook"),
    [("on_epoch_finish", "on_epoch_end"), ("on_training_start", "on_train_begin"), ("on_batch_done", "on_batch_end"),
     ("on_fit_begin", "on_train_begin"), ("after_lunch", None)],
)  # fmt: skip
def test_a_misspelt_hook_is_meant_by_its_words(name, hook):
    assert meant_hook(name) == hook


@pytest.mark.parametrize(
    "made",
    [
        lambda: EarlyStopping(restore_best_weights="False"),
        lambda: ModelCheckpoint("a.keras", save_best_only="val_loss"),
    ],
)
def test_a_text_for_a_flag_is_named(made):
    with pytest.raises(Wrong, match="True or False, without quotes"):
        scripted.number_text(made())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a.keras", "no folder in it"),
        ("x/a.keras", "begins with `x`, a folder"),
        (Path.cwd() / "a.keras", f"the folder `{Path.cwd()}`"),
    ],
)
def test_a_file_that_goes_elsewhere_is_placed(path, words):
    assert words in scripted.about_folder(Path(path), "album")
