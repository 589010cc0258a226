"""`helpers.replay` against the real callbacks: thousands of scripted curves, and one small fit per callback."""

from __future__ import annotations

import dataclasses
import math
import os
import pathlib
import subprocess
import sys
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from helpers import history, replay

sys.path.insert(0, os.path.dirname(__file__))

from contract.means import FakeModel

NAN, INF = math.nan, math.inf
# The same cases in every run, so that a failure on one machine can be had on another.
thorough = settings(max_examples=2_000, deadline=None, derandomize=True, database=None)

LARGEST = float(np.finfo(np.float32).max)
# A few numbers that meet often: ties, steps of one min_delta, steps that only float64 sees, extremes.
often = st.sampled_from(
    [
        0.0,
        -0.0,
        0.1,
        0.2,
        0.3,
        0.3 - 0.1,
        0.1 + 0.2,
        0.5,
        0.5 + 1e-10,
        0.5 - 1e-10,
        1.0,
        1.0 + 1e-7,
        1.0 - 1e-7,
        2.0,
        3.0,
    ]
)
odd = st.sampled_from([NAN, INF, -INF, LARGEST, -LARGEST, 1e-40, -1e-40, 1e-38, 2e-38])
anything = st.floats(min_value=-LARGEST / 4, max_value=LARGEST / 4)
numbers = st.one_of(often, often, st.floats(0, 2), odd, anything)
# What a callback of one's own may put into `logs`: NumPy's numbers, which Keras does not round to float32.
of_numpy = st.tuples(st.sampled_from([np.float64, np.float64, np.float32, np.float16]), numbers).map(
    lambda drawn: drawn[0](drawn[1])
)
curves = st.one_of(
    st.lists(st.one_of(numbers, numbers, numbers, numbers, st.none()), min_size=1, max_size=16),
    st.lists(st.one_of(numbers, of_numpy, of_numpy, st.none()), min_size=1, max_size=16),
)
modes = st.sampled_from(["min", "max"])
deltas = st.one_of(
    st.just(0.0),
    st.sampled_from([0.1, 1e-10, 1e-7, 0.5, -0.1, np.float64(0.1), np.float32(0.1)]),
    st.floats(0, 2),
    st.sampled_from([INF]),
)
limits = st.one_of(st.none(), st.none(), numbers, of_numpy)
# The first epoch, and the steps from one to the next: None counts from 0.
countings = st.one_of(
    st.none(), st.tuples(st.integers(0, 8), st.lists(st.sampled_from([1, 1, 1, 2, 5]), min_size=16, max_size=16))
)


def epochs_of(counting, values):
    """Return true epoch numbers for some values."""
    if counting is None:
        return list(range(len(values)))
    first, steps = counting
    return [first + sum(steps[:place]) for place in range(len(values))]


def logs_of(value):
    return {} if value is None else {"metric": value}


def real_stopping(values, epochs=None, **arguments):
    """Drive the real callback and say what it did, in the words of `StoppingRecord`."""
    epochs = list(range(len(values))) if epochs is None else epochs
    callback = keras.callbacks.EarlyStopping(monitor="metric", **arguments)
    model = FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    waits = []
    for epoch, value in zip(epochs, values, strict=True):
        model.weights = [epoch]
        callback.on_epoch_end(epoch, logs_of(value))
        waits.append(callback.wait)
        if model.stop_training:
            break
    callback.on_train_end()
    return {
        "epochs_run": len(waits),
        "stopped_epoch": callback.stopped_epoch if model.stop_training else None,
        "best_epoch": callback.best_epoch,
        "best": None if callback.best is None else float(callback.best),
        "waits": tuple(waits),
        "kept_epoch": model.weights[0],
        "epochs": tuple(epochs[: len(waits)]),
    }


def real_checkpoint(values, epochs, **arguments):
    callback = keras.callbacks.ModelCheckpoint("never_written.keras", monitor="metric", **arguments)
    model = FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in zip(epochs, values, strict=True):
        model.weights = [epoch]
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, logs_of(value))
    return {"epochs": tuple(model.saved), "best": None if callback.best is None else float(callback.best)}


def same(left, right):
    """Equal, where NaN equals NaN."""
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return left == right and type(left) is type(right)


def assert_fields(record, expected):
    for name, value in expected.items():
        assert same(getattr(record, name), value), f"{name}: replay {getattr(record, name)!r}, Keras {value!r}"


@pytest.fixture(autouse=True)
def _quiet():
    """Keras warns at each epoch without the metric, which is what many of these curves are about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


stopping_arguments = st.fixed_dictionaries(
    {
        "patience": st.integers(0, 6),
        "min_delta": deltas,
        "mode": modes,
        "baseline": limits,
        "start_from_epoch": st.one_of(st.just(0), st.integers(0, 8)),
        "restore_best_weights": st.booleans(),
    }
)
plain = {"min_delta": 0.0, "mode": "min", "baseline": None, "start_from_epoch": 0, "restore_best_weights": True}


@thorough
@given(values=curves, arguments=stopping_arguments, counting=countings)
@example(values=[0.3, 0.2, 0.3 - 0.1], arguments={**plain, "patience": 1, "min_delta": 0.1}, counting=None)
@example(values=[0.3, 0.3 - 0.1, 0.1], arguments={**plain, "patience": 1, "min_delta": 0.1}, counting=None)
@example(values=[NAN, 1.0, 0.5], arguments={**plain, "patience": 2}, counting=None)
@example(values=[None, None], arguments={**plain, "patience": 0}, counting=None)
@example(values=[3.0, 2.0, 2.5, 1.0], arguments={**plain, "patience": 2, "baseline": 0.5}, counting=None)
@example(values=[1.0], arguments={**plain, "patience": 0, "start_from_epoch": 5}, counting=None)
@example(values=[np.float64(0.5), np.float64(0.5 - 1e-10)], arguments={**plain, "patience": 1}, counting=None)
@example(
    values=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5],
    arguments={**plain, "patience": 2, "start_from_epoch": 7},
    counting=(5, [1] * 16),
)
def test_early_stopping_is_kerass_own(values, arguments, counting):
    epochs = epochs_of(counting, values)
    record = replay.early_stopping(values, epochs=None if counting is None else epochs, **arguments)
    assert_fields(record, real_stopping(values, epochs, **arguments))
    for name, value in arguments.items():
        assert getattr(record, name) == value or (value != value and math.isnan(getattr(record, name)))


@thorough
@given(values=curves, arguments=stopping_arguments, counting=countings)
def test_every_patience_is_kerass_own(values, arguments, counting):
    epochs = epochs_of(counting, values)
    patience, restores = arguments["patience"], arguments["restore_best_weights"]
    settings_ = {k: v for k, v in arguments.items() if k not in ("patience", "restore_best_weights")}
    # The drawn patience against Keras, every other one against the replay of a single patience.
    table = replay.every_patience(values, max_patience=None if restores else 6, epochs=epochs, **settings_)
    top = len(values) if restores else 6
    assert table.patience.tolist() == list(range(top + 1))
    assert (
        len(table) == len(table.epochs_run) == len(table.best_epoch) == len(table.best) == len(table.stopped) == top + 1
    )
    for row in range(top + 1):
        if row == patience:
            expected = real_stopping(values, epochs, patience=row, **settings_)
        else:
            expected = dataclasses.asdict(replay.early_stopping(values, patience=row, epochs=epochs, **settings_))
        assert table.epochs_run[row] == expected["epochs_run"]
        assert table.last_epoch[row] == expected["epochs"][-1]
        assert table.best_epoch[row] == expected["best_epoch"]
        assert same(float(table.best[row]), NAN if expected["best"] is None else expected["best"])
        assert table.stopped[row] == (expected["stopped_epoch"] is not None)


@thorough
@given(
    values=curves,
    save_best_only=st.sampled_from([True, True, True, False]),
    mode=modes,
    threshold=limits,
    counting=countings,
)
@example(values=[NAN, 0.5], save_best_only=True, mode="min", threshold=None, counting=None)
@example(values=[0.5, None, 0.4], save_best_only=True, mode="min", threshold=0.45, counting=None)
@example(values=[0.5, 0.5 - 1e-10], save_best_only=True, mode="min", threshold=None, counting=None)
def test_model_checkpoint_is_kerass_own(values, save_best_only, mode, threshold, counting):
    arguments = {"save_best_only": save_best_only, "mode": mode, "initial_value_threshold": threshold}
    epochs = epochs_of(counting, values)
    record = replay.model_checkpoint(values, epochs=epochs, **arguments)
    assert_fields(record, real_checkpoint(values, epochs, **arguments))
    assert (record.save_best_only, record.mode) == (save_best_only, mode)
    assert same(record.initial_value_threshold, None if threshold is None else float(threshold))


class Scripted(keras.callbacks.Callback):
    """Puts the next value of a curve into `logs`, and the epoch's number into the weights."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([np.full((1, 1), float(epoch))])
        logs.update(logs_of(self.values[epoch]))


CURVE = [0.9, None, 0.7, 0.7, 0.71, 0.69, 0.8, NAN, 0.72, 0.75, 0.6]


def tiny_fit(values, *callbacks):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    history = model.fit(
        np.zeros((2, 1)), np.zeros((2, 1)), epochs=len(values), verbose=0, callbacks=[Scripted(values), *callbacks]
    )
    return model, history


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize("patience", [2, 3, 9])
def test_early_stopping_in_a_real_fit(patience, restore):
    callback = keras.callbacks.EarlyStopping(
        monitor="metric", mode="min", patience=patience, restore_best_weights=restore
    )
    model, history = tiny_fit(CURVE, callback)
    record = replay.early_stopping(CURVE, patience=patience, restore_best_weights=restore)
    assert record.epochs_run == len(history.epoch)
    assert record.kept_epoch == model.get_weights()[0].item()
    assert (record.stopped_epoch or 0, record.best_epoch, record.best, record.waits[-1]) == (
        callback.stopped_epoch,
        callback.best_epoch,
        callback.best,
        callback.wait,
    )


class OnValidation(keras.callbacks.Callback):
    """Puts the next value of a curve where `fit` has put a measured one, and the epoch's number into the weights."""

    def __init__(self, values, first):
        super().__init__()
        self.values, self.first = values, first

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([np.full((1, 1), float(epoch))])
        if "val_loss" in logs:
            logs["val_loss"] = self.values[epoch - self.first]


@pytest.fixture(scope="module")
def still_model():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    return model


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(
    values=st.lists(st.sampled_from([0.3, 0.4, 0.5, 0.6]), min_size=2, max_size=9),
    first=st.sampled_from([0, 1, 5]),
    freq=st.sampled_from([1, 1, 2, 3]),
    start=st.integers(0, 9),
    patience=st.integers(1, 3),
    restore=st.booleans(),
)
@example(values=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5], first=5, freq=1, start=3, patience=2, restore=True)
@example(values=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5], first=5, freq=1, start=7, patience=2, restore=True)
@example(values=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5], first=5, freq=2, start=20, patience=1, restore=True)
def test_the_log_of_a_resumed_fit_foretells_the_real_callback(
    still_model, values, first, freq, start, patience, restore
):
    """The whole way: a real fit, its History read, its epochs replayed, and a real EarlyStopping in a second fit."""

    def fit(*callbacks):
        x = np.zeros((1, 1))
        return still_model.fit(
            x, x, validation_data=(x, x), validation_freq=freq, initial_epoch=first, epochs=first + len(values),
            verbose=0, callbacks=[OnValidation(values, first), *callbacks],
        )  # fmt: skip

    whole = fit()
    expected = [v if (first + i + 1) % freq == 0 else None for i, v in enumerate(values)]
    asked = ""
    try:
        run = history.read_history(whole)
    except ValueError as error:
        asked = str(error)
        run = history.read_history(whole, validation_freq=freq)
    assert not asked or f"validation_freq={freq}" in asked
    assert run.epochs == tuple(whole.epoch) == tuple(range(first, first + len(values)))
    watched = run.get("val_loss", [None] * len(values))
    assert watched == expected
    callback = keras.callbacks.EarlyStopping(
        "val_loss", patience=patience, start_from_epoch=start, restore_best_weights=restore
    )
    stopped = fit(callback)
    record = replay.early_stopping(
        watched, patience=patience, start_from_epoch=start, restore_best_weights=restore, epochs=run.epochs
    )
    assert record.epochs == tuple(stopped.epoch)
    assert record.kept_epoch == still_model.get_weights()[0].item()
    assert (record.stopped_epoch or 0, record.best_epoch, record.best, record.waits[-1]) == (
        callback.stopped_epoch,
        callback.best_epoch,
        callback.best,
        callback.wait,
    )


LOGS = pathlib.Path(__file__).parent / "fixtures" / "logs"


@pytest.mark.parametrize("path", sorted(LOGS.iterdir()), ids=lambda path: path.name)
def test_real_callbacks_agree_on_every_log_of_the_examples(path):
    for run in history.read_runs(path).values():
        for values in run.values():
            for patience in range(len(values) + 1):
                for start in (0, run.epochs[0] - 1, run.epochs[0] + 2):
                    arguments = {"patience": patience, "mode": "min", "start_from_epoch": max(0, start)}
                    record = replay.early_stopping(values, epochs=run.epochs, **arguments)
                    assert_fields(record, real_stopping(values, run.epochs, **arguments))


@pytest.mark.parametrize("best_only", [True, False])
def test_model_checkpoint_in_a_real_fit(tmp_path, best_only):
    callback = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch:02d}.weights.h5",
        monitor="metric",
        mode="min",
        save_best_only=best_only,
        save_weights_only=True,
    )
    tiny_fit(CURVE, callback)
    record = replay.model_checkpoint(CURVE, save_best_only=best_only)
    written = sorted(int(path.name[:2]) - 1 for path in tmp_path.iterdir())
    assert written == list(record.epochs)
    assert record.best == callback.best


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: replay.early_stopping([]), "values is empty"),
        (lambda: replay.every_patience([]), "values is empty"),
        (lambda: replay.model_checkpoint([]), "values is empty"),
        (lambda: replay.early_stopping([1.0], epochs=5), "epochs must be a list .* not 5"),
        (lambda: replay.early_stopping([1.0], epochs=[5, 6]), "there are 2 epochs for 1 values"),
        (lambda: replay.every_patience([1.0, 2.0], epochs=[5, 5]), "epochs must rise, .* 5 comes after 5"),
        (lambda: replay.model_checkpoint([1.0], epochs=[-1]), r"epochs\[0\] .* cannot be negative"),
        (lambda: replay.early_stopping([1.0], epochs=["one"]), r"epochs\[0\] must be a number, not 'one'"),
        (lambda: replay.early_stopping([1.0], patience=-1), "patience .* cannot be negative; it is -1"),
        (lambda: replay.every_patience([1.0], max_patience=-1), "max_patience .* cannot be negative"),
        (lambda: replay.early_stopping([1.0], patience=2.5), "patience .* whole number, not 2.5"),
        (lambda: replay.early_stopping([1.0], patience=INF), "patience .* whole number, not inf"),
        (lambda: replay.early_stopping([1.0], patience=None), "patience must be a number, not None"),
        (lambda: replay.early_stopping([1.0], start_from_epoch=-2), "start_from_epoch .* cannot be negative"),
        (lambda: replay.early_stopping([1.0], mode="auto"), 'mode must be "min" .* not \'auto\'. "auto" needs a model'),
        (lambda: replay.model_checkpoint([1.0], mode="best"), "mode must be .* not 'best'"),
        (lambda: replay.every_patience([1.0], mode="up"), "mode must be .* not 'up'"),
        (lambda: replay.early_stopping([1.0, "0.5"]), r"values\[1\] must be a number, not '0.5'"),
        (lambda: replay.early_stopping("0.5"), "list with one number per epoch, not str"),
        (lambda: replay.early_stopping({"loss": [1.0]}), "list with one number per epoch, not dict"),
        (lambda: replay.early_stopping(0.5), "list with one number per epoch, not float"),
        (lambda: replay.early_stopping([1.0], min_delta="small"), "min_delta must be a number"),
        (lambda: replay.early_stopping([1.0], baseline="low"), "baseline must be a number"),
        (
            lambda: replay.model_checkpoint([1.0], initial_value_threshold="low"),
            "initial_value_threshold must be a number",
        ),
    ],
)
def test_bad_arguments_get_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_numpy_arrays_and_generators_are_curves():
    curve = [3.0, 2.0, 2.5, 2.5]
    expected = replay.early_stopping(curve, patience=1)
    assert replay.early_stopping(np.array(curve), patience=np.int64(1)) == expected
    assert replay.early_stopping(iter(curve), patience=1) == expected


def test_records_are_frozen():
    record = replay.early_stopping([1.0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.best = 0.0


def test_a_double_of_numpy_is_compared_as_a_double():
    """Only Python floats become float32 tensors; a NumPy double stays one."""
    curve = [0.5, 0.5 - 1e-10]
    assert replay.early_stopping(curve, patience=5).waits == (0, 1)
    assert replay.early_stopping(np.array(curve), patience=5).waits == (0, 0)
    assert replay.early_stopping([np.float32(v) for v in curve], patience=5).waits == (0, 1)


def test_numbers_beyond_float32_count_as_infinite():
    assert replay.early_stopping([1e300, 1e299, 1.0], patience=5).waits == (0, 1, 0)
    with pytest.raises(ValueError, match="out of range"):
        real_stopping([1e300, 1e299, 1.0], patience=5, mode="min")


def test_import_loads_no_keras():
    code = "import sys; from helpers import replay; print({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
