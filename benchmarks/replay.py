"""Every patience from 0 to 100 over one curve of 1,000 epochs: `every_patience` against the real Keras callback.

Run it with `python benchmarks/replay.py`. Prints both times, their ratio, and whether the results are equal. The
curve is noisy and goes on improving slowly, so that most patiences see many epochs.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

from helpers import replay

EPOCHS, MAX_PATIENCE, REPEATS = 1_000, 100, 20


class Model:
    """What the callback touches of a model."""

    metrics = ()
    stop_training = False


def curve() -> list[float]:
    noise = np.random.default_rng(0).normal(0, 0.02, EPOCHS)
    return (0.3 + np.exp(-np.arange(EPOCHS) / 250) + noise).tolist()


def with_keras(values: list[float], patience: int) -> tuple[int, int, float]:
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", mode="min", patience=patience)
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1, callback.best_epoch, callback.best


def main() -> None:
    values = curve()
    with_keras(values[:10], 3)  # TensorFlow builds its kernels at the first call
    start = time.perf_counter()
    expected = [with_keras(values, patience) for patience in range(MAX_PATIENCE + 1)]
    keras_seconds = time.perf_counter() - start
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        table = replay.every_patience(values, max_patience=MAX_PATIENCE)
        seconds.append(time.perf_counter() - start)
    got = list(zip(table.epochs_run.tolist(), table.best_epoch.tolist(), table.best.tolist(), strict=True))
    replay_seconds = float(np.median(seconds))
    print(
        f"Keras {keras.__version__}, {MAX_PATIENCE + 1} runs of EarlyStopping over {EPOCHS:,} epochs, "
        f"{sum(row[0] for row in expected):,} epochs in all: {keras_seconds:.2f} s"
    )
    print(f"every_patience, one call, median of {REPEATS}: {replay_seconds * 1e3:.2f} ms")
    print(f"ratio: {keras_seconds / replay_seconds:,.0f} times faster")
    print(f"results equal: {got == expected}")


if __name__ == "__main__":
    main()
