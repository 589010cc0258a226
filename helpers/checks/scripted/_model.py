"""The model of a scripted training: no layers, and weights that tell the epoch that made them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras.src.trainers.compile_utils import MetricsList

__all__ = ["FakeModel", "Save", "learning_rate", "read_tag", "write_tag"]

_FIT = 10_000  # weights of the second fit carry tags from 10,000 up, of the third from 20,000


@dataclass(frozen=True)
class Save:
    """One call of `save` or `save_weights`: the epoch (0-based) it fell in, the batch or None at an epoch's end."""

    epoch: int
    batch: int | None
    path: Path
    weights_only: bool


class FakeModel:
    """What a callback meets as `self.model`, without layers: its weights tell the epoch that made them.

    It has what callbacks use: `stop_training`, `get_weights`, `set_weights`, `weights`, `save`, `save_weights`,
    `load_weights`, `optimizer` (a real SGD), `metrics` (real ones, so that `mode="auto"` works), `history`.
    Anything else raises AttributeError with a sentence.

    Args:
        metrics: names or objects of Keras metrics, beside the loss.
        learning_rate: of the optimizer.
        write: whether saving writes small files; without it, `saves` is filled all the same.
    """

    def __init__(self, *, metrics: Sequence = ("accuracy",), learning_rate: float = 0.01, write: bool = True):
        self.stop_training = False
        self.stop_evaluating = False
        self.history = None
        self.name = "scripted_model"
        self.built = self.compiled = True
        self.saves: list[Save] = []
        self.now: tuple[int, int | None] = (0, None)
        self._initial_epoch = None
        self._write = write
        self._kept_files: dict[str, list] = {}
        self._learning_rate = learning_rate
        self._metric_ids = tuple(metrics)
        self._arrays = [np.zeros((2, 1), "float32"), np.zeros(1, "float32")]
        self._variables: list | None = None
        self._optimizer = None
        self._metrics: list | None = None

    @property
    def optimizer(self):
        """A real Keras optimizer, made when first asked for."""
        if self._optimizer is None:
            self._optimizer = keras.optimizers.SGD(self._learning_rate)
        return self._optimizer

    @optimizer.setter
    def optimizer(self, value) -> None:
        self._optimizer = value

    @property
    def learning_rate(self) -> float:
        """The optimizer's rate now, as a float (a real model has no such attribute: for the checkers)."""
        if self._optimizer is None:
            return float(np.float32(self._learning_rate))
        return float(keras.ops.convert_to_numpy(self._optimizer.learning_rate))

    @property
    def metrics(self) -> list:
        """The loss and the compiled metrics, as a compiled model lists them."""
        if self._metrics is None:
            compiled = [keras.metrics.get(metric) for metric in self._metric_ids]
            self._metrics = [keras.metrics.Mean(name="loss"), MetricsList(compiled, name="compile_metrics")]
        return self._metrics

    @property
    def weights(self) -> list:
        """The weights as Keras variables."""
        if self._variables is None:
            self._variables = [keras.Variable(array) for array in self._arrays]
        return self._variables

    @property
    def trainable_weights(self) -> list:
        """The same as `weights`."""
        return self.weights

    @property
    def variables(self) -> list:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list:
        """The same as `weights`."""
        return self.weights

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the weights."""
        if self._variables is not None:
            return [np.array(keras.ops.convert_to_numpy(variable)) for variable in self._variables]
        return [array.copy() for array in self._arrays]

    def set_weights(self, weights: Sequence) -> None:
        """Put in weights such as `get_weights` returns; ValueError if their number or shapes differ."""
        shapes = [array.shape for array in self._arrays]
        given = [np.asarray(keras.ops.convert_to_numpy(weight), "float32") for weight in weights]
        if [array.shape for array in given] != shapes:
            raise ValueError(f"set_weights takes weights of shapes {shapes}; got {[array.shape for array in given]}.")
        if self._variables is not None:
            for variable, array in zip(self._variables, given, strict=True):
                variable.assign(array)
        else:
            self._arrays = [array.copy() for array in given]

    def count_params(self) -> int:
        """Return the number of weights."""
        return sum(array.size for array in self._arrays)

    def save(self, filepath, overwrite: bool = True, **kwargs) -> None:
        """Write a small file; endings as Keras has them."""
        if not str(filepath).endswith((".keras", ".h5")):
            raise ValueError(f"Invalid filepath extension for saving. Received: filepath={filepath}.")
        self._store(filepath, weights_only=False)

    def save_weights(self, filepath, overwrite: bool = True, **kwargs) -> None:
        """Write a small file; endings as Keras has them."""
        if not str(filepath).endswith(".weights.h5"):
            raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={filepath}")
        self._store(filepath, weights_only=True)

    def load_weights(self, filepath, **kwargs) -> None:
        """Read the weights back from a file that `save` or `save_weights` has written."""
        kept = self._kept_files.get(str(filepath))
        if kept is None:
            kept = json.loads(Path(filepath).read_text())["weights"]
        self.set_weights([np.asarray(array, "float32") for array in kept])

    def _store(self, filepath, weights_only: bool) -> None:
        weights = [array.tolist() for array in self.get_weights()]
        if self._write:
            Path(filepath).write_text(json.dumps({"epoch": self.now[0], "weights": weights}))
        else:
            self._kept_files[str(filepath)] = weights
        self.saves.append(Save(self.now[0], self.now[1], Path(filepath), weights_only))

    def __getattr__(self, name: str):
        raise AttributeError(
            f"This scripted model has no `{name}`: the check plays a training by script, and computes nothing.",
            name=name,
            obj=self,
        )


def write_tag(model: object, fit: int, epochs: float) -> None:
    """Write into every weight which fit (0-based) it comes from and how many of its epochs were done.

    A fraction stands for a part of an epoch. `model` is a FakeModel or a real, built Keras model.
    """
    model.set_weights([np.full_like(array, fit * _FIT + epochs) for array in model.get_weights()])


def read_tag(model: object) -> tuple[int, int | None]:
    """Read from the weights which fit and which epoch (both 0-based) made them; (-1, None) for those of no fit."""
    value = round(float(np.ravel(model.get_weights()[0])[0]), 2)
    if value <= 0 or not math.isfinite(value):
        return -1, None
    fit = int(value // _FIT)
    return fit, math.ceil(value - fit * _FIT) - 1


def learning_rate(model: object) -> float:
    """Return the rate with which the model, fake or real, would train now."""
    if isinstance(model, FakeModel):
        return model.learning_rate
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
