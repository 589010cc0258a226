"""What the tests of the contract share: a fake model, a driver over lists of values, and tiny real fits."""

from __future__ import annotations

import functools
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf

KERAS = tuple(int(part) for part in re.findall(r"\d+", keras.__version__)[:2])

# Warnings that Keras or NumPy give for reasons that have nothing to do with a claim.
_NOISE = ("`shuffle=True` was passed", "__array__ implementation", "unclosed file")


class FakeModel:
    """The little that a callback asks of a model; its weights are the number of the epoch that made them."""

    metrics = ()
    stop_training = False

    def __init__(self, learning_rate: float = 1.0) -> None:
        self.weights: list[int | None] = [None]
        self.saved: list[int] = []
        self.optimizer = SimpleNamespace(learning_rate=learning_rate)

    @property
    def epoch(self) -> int | None:
        return self.weights[0]

    @epoch.setter
    def epoch(self, epoch: int | None) -> None:
        self.weights = [epoch]

    def get_weights(self) -> list:
        return list(self.weights)

    def set_weights(self, weights: list) -> None:
        self.weights = list(weights)

    def save(self, filepath: str, overwrite: bool = True) -> None:
        self.saved.append(self.epoch)

    save_weights = save


@dataclass(frozen=True)
class Driven:
    """What a driven run left behind, epochs 0-based: how many ran, whose weights are held, what was saved."""

    epochs: int
    kept: int | None
    saved: tuple[int, ...]
    rates: tuple[float, ...]


def drive(
    callbacks: keras.callbacks.Callback | Sequence[keras.callbacks.Callback],
    values: Sequence[float | None],
    *,
    monitor: str = "val_loss",
    model: FakeModel | None = None,
) -> Driven:
    """Run callbacks over a list of values of `monitor` as `fit` would, without training.

    None means that the epoch has no such value. `rates` are the learning rates after each epoch.
    """
    callbacks = list(callbacks) if isinstance(callbacks, Sequence) else [callbacks]
    model = model or FakeModel()
    model.stop_training = False
    for callback in callbacks:
        callback.set_params({"epochs": len(values), "steps": 1, "verbose": 0})
        callback.set_model(model)
    for callback in callbacks:
        callback.on_train_begin({})
    epochs, rates = 0, []
    for epoch, value in enumerate(values):
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        model.epoch = epoch
        logs = {"loss": 1.0} if value is None else {"loss": 1.0, monitor: value}
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)
        epochs += 1
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    for callback in callbacks:
        callback.on_train_end({})
    return Driven(epochs, model.epoch, tuple(model.saved), tuple(rates))


def stopping(values: Sequence[float | None], **settings: object) -> tuple[keras.callbacks.EarlyStopping, Driven]:
    """Drive a new EarlyStopping with `settings` (mode "min" unless given) over `values`."""
    callback = keras.callbacks.EarlyStopping(**{"mode": "min", **settings})
    return callback, drive(callback, values)


class Script(keras.callbacks.Callback):
    """Gives a real fit the values you want: put it first in the list of callbacks."""

    def __init__(self, values: Sequence[float], name: str = "val_loss") -> None:
        super().__init__()
        self.values, self.name = values, name

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs[self.name] = self.values[epoch]


class Saves(keras.callbacks.ModelCheckpoint):
    """A ModelCheckpoint that also notes each time a save was due: (epoch, batch, whether it saved)."""

    def __init__(self, *arguments: object, **settings: object) -> None:
        super().__init__(*arguments, **settings)
        self.due: list[tuple[int, int | None, bool]] = []

    def _should_save_model(self, epoch, batch, logs, filepath):
        decision = super()._should_save_model(epoch, batch, logs, filepath)
        self.due.append((epoch, batch, bool(decision)))
        return decision

    @property
    def epochs(self) -> list[int]:
        """The 0-based epochs whose model was saved."""
        return [epoch for epoch, _, saved in self.due if saved]


@functools.cache
def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Eight rows of three features and a linear target."""
    x = np.random.default_rng(0).random((8, 3), dtype="float32")
    return x, x @ np.array([[1.0], [2.0], [3.0]], dtype="float32")


@functools.cache
def training() -> tf.data.Dataset:
    """Two batches of four rows, the same in every epoch."""
    return tf.data.Dataset.from_tensor_slices(arrays()).batch(4).cache()


@functools.cache
def validation() -> tf.data.Dataset:
    """Two batches of two rows."""
    x, y = arrays()
    return tf.data.Dataset.from_tensor_slices((x[:4], y[:4])).batch(2).cache()


def new_model(optimizer: object = "sgd", metrics: Sequence[object] = ("mae",), **settings: object) -> keras.Model:
    """Return a compiled linear model, always with the same first weights; eager, so that a tiny fit starts at once."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=list(metrics), **{"run_eagerly": True, **settings})
    return model


@keras.saving.register_keras_serializable("contract")
class Still(keras.Sequential):
    """A model that Keras fits for real but that learns nothing: each step adds 1 to its weights, every loss is 1.

    Several times quicker than learning, for the claims about callbacks to which the numbers do not matter.
    """

    def train_step(self, data: object) -> dict[str, float]:
        self.layers[0].bias.assign_add([1.0])
        self.optimizer.iterations.assign_add(1)
        return {"loss": 1.0, "mae": 1.0}

    def test_step(self, data: object) -> dict[str, float]:
        return {"loss": 1.0, "mae": 1.0}


def still_model() -> Still:
    """Return a new model that does not learn."""
    model = Still([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", run_eagerly=True)
    return model


def fit(
    model: keras.Model,
    callbacks: object = (),
    epochs: int = 1,
    *,
    validate: bool = False,
    **settings: object,
) -> dict[str, list[float]]:
    """Fit quietly on the tiny data set and return the history."""
    callbacks = list(callbacks) if isinstance(callbacks, tuple) else callbacks
    data = {"validation_data": validation()} if validate else {}
    history = model.fit(
        training(), epochs=epochs, callbacks=callbacks, verbose=0, **{"shuffle": False, **data, **settings}
    )
    return history.history


@contextmanager
def said() -> Iterator[list[str]]:
    """Collect the text of every warning that Keras gives inside the block, repeats included."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += [str(one.message) for one in caught if not str(one.message).startswith(_NOISE)]


def same_weights(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> bool:
    """Say whether two lists of weights are equal, bit for bit."""
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def iterations(model: keras.Model) -> int:
    """How many updates the model's optimizer remembers."""
    return int(model.optimizer.iterations)


def rate(model: keras.Model) -> float:
    """The optimizer's learning rate."""
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


NAN, INFINITY = math.nan, math.inf
