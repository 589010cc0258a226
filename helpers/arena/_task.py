"""The task of the arena: two handwritten digits side by side, and the question whether the left one is the larger.

A quarter of the few training answers is wrong, so a model that trains for long learns them by heart. The model gets its
pixels in an order that is drawn anew for each run and that nobody learns. Each pixel has the same part in the model as
in any other run (`build` gives its first layer that order too), so results repeat; but nothing that was learned outside
of a run, or read from `data/`, is of any use in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from helpers import data

if TYPE_CHECKING:
    import keras

__all__ = ["BATCH", "PIXELS", "Pairs", "build", "load"]

BATCH = 32  # rows; the last rows that fill no batch are left out of an epoch
PIXELS = 128
_IMAGES, _TRAIN, _VALIDATION, _TEST = 300, 480, 400, 4000
_WRONG = 0.25


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of one part: `x` is float32 (rows, 128), `y` float32 (rows, 1), 1.0 where the left digit is the larger."""

    x: np.ndarray
    y: np.ndarray


def load(seed: int, order: np.ndarray) -> dict[str, Pairs]:
    """Return the parts "train", "validation" and "test" of a seed, pixels in `order` (a permutation of 0..127).

    Args:
        seed: chooses the training rows and their wrong answers; the images of validation and test are others.
        order: where each pixel comes from.
    """
    digits = data.load_digits(train_rows=_IMAGES, seed=1000 + seed)
    rng = np.random.default_rng((seed, 10))
    train = _pairs(digits.x_train, digits.y_train, _TRAIN, order, rng)
    wrong = rng.permutation(_TRAIN)[: round(_WRONG * _TRAIN)]
    train.y[wrong] = 1 - train.y[wrong]
    return {
        "train": train,
        "validation": _pairs(digits.x_validation, digits.y_validation, _VALIDATION, order, rng),
        "test": _pairs(digits.x_test, digits.y_test, _TEST, order, rng),
    }


def _pairs(x: np.ndarray, y: np.ndarray, rows: int, order: np.ndarray, rng: np.random.Generator) -> Pairs:
    left, right = rng.integers(0, len(x), (2, 2 * rows))  # equal digits fall out, a tenth of them
    keep = np.flatnonzero(y[left] != y[right])[:rows]
    left, right = left[keep], right[keep]
    return Pairs(
        np.concatenate([x[left], x[right]], axis=1)[:, order], (y[left] > y[right]).astype(np.float32)[:, None]
    )


def build(seed: int, order: np.ndarray) -> keras.Sequential:
    """Return the compiled model with the first weights of a seed, whose first layer knows the `order` of the pixels."""
    import keras

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((PIXELS,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    first = model.layers[0].kernel
    first.assign(np.asarray(first)[order])
    # XLA takes longer to compile this model than to train it.
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model
