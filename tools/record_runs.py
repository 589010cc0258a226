"""Train the recorded runs again and write them to data/runs/: `.venv/bin/python tools/record_runs.py`.

Each configuration below is trained with several seeds, to its last epoch, with nothing to stop it. A seed chooses the
rows, the label noise, the order of the batches and the first weights, so that the spread over seeds is the
spread that somebody meets who repeats the experiment. About eight minutes of one core.

The losses repeat on the same machine with the same versions; seconds never do. So this is run on purpose and
seldom, and what it wrote is committed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import keras
import numpy as np
import tensorflow as tf
from make_data import write_checksums, write_npz

from helpers import data

RUNS = data.DATA / "runs"
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Configuration:
    """What is trained and how; its name is that of its file."""

    name: str
    data: str
    layers: tuple[int, ...]
    learning_rate: float
    train_rows: int
    label_noise: float = 0.0
    batch_size: int = 32
    optimizer: str = "adam"
    momentum: float = 0.0
    dropout: float = 0.0
    epochs: int = 150


def configurations() -> list[Configuration]:
    """Return all configurations: smooth and noisy ones, some that never overfit, and one that blows up."""
    c = Configuration
    return [
        # Nothing to stop: no noise in the labels, or no way to learn it.
        c("digits-clean", "digits", (128,), 0.005, 300),
        c("digits-clean-small", "digits", (16,), 0.002, 300),
        c("diabetes-linear", "diabetes", (), 0.01, 242),
        # The course's own task, and what changes when one number of it does.
        c("digits-noise10", "digits", (128,), 0.005, 300, 0.1),
        c("digits-noise20", "digits", (128,), 0.005, 300, 0.2),
        c("digits-noise40", "digits", (128,), 0.005, 300, 0.4),
        c("digits-noise20-slow", "digits", (128,), 0.0005, 300, 0.2, epochs=200),
        c("digits-noise20-fast", "digits", (128,), 0.02, 300, 0.2, batch_size=16),
        c("digits-noise20-deep", "digits", (64, 64), 0.003, 300, 0.2),
        c("digits-noise20-dropout", "digits", (128,), 0.005, 300, 0.2, dropout=0.5),
        c("digits-noise20-rows900", "digits", (128,), 0.005, 900, 0.2, batch_size=64),
        c("digits-noise20-sgd", "digits", (128,), 0.05, 300, 0.2, optimizer="sgd", epochs=200),
        c("digits-noise20-momentum", "digits", (64,), 0.1, 300, 0.2, batch_size=16, optimizer="sgd", momentum=0.9),
        c("digits-rows100", "digits", (64, 64), 0.003, 100, 0.1, batch_size=16),
        c("diabetes-deep", "diabetes", (32, 32), 0.001, 80, batch_size=16),
        c("diabetes-deep-fast", "diabetes", (32, 32), 0.01, 80, batch_size=16),
        c("diabetes-wide-slow", "diabetes", (128,), 0.0005, 120, batch_size=16, epochs=200),
        c("diabetes-noise50", "diabetes", (64,), 0.003, 120, 0.5),
        c("diabetes-dropout", "diabetes", (64, 64), 0.002, 120, batch_size=16, dropout=0.4),
        c("diabetes-momentum", "diabetes", (32,), 0.02, 120, batch_size=8, optimizer="sgd", momentum=0.9),
        # A learning rate at the edge: some seeds limp on, some end in NaN.
        c("diabetes-diverging", "diabetes", (32,), 0.35, 120, optimizer="sgd"),
    ]


class TestMetrics(keras.callbacks.Callback):
    """Add the metrics on the test set to the logs of each epoch, and time the epochs without that."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        super().__init__()
        self.x, self.y = x, y
        self.seconds: list[float] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget the times of an earlier fit."""
        self.seconds = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop the clock, then measure. History runs after this callback, so it records what is added here."""
        self.seconds.append(time.perf_counter() - self.began)
        for metric, value in self.model.test_on_batch(self.x, self.y, return_dict=True).items():
            logs[f"test_{metric}"] = float(value)


def build(configuration: Configuration, features: int) -> keras.Model:
    """Return the compiled model of a configuration."""
    digits = configuration.data == "digits"
    layers: list[Any] = [keras.Input((features,))]
    for units in configuration.layers:
        layers.append(keras.layers.Dense(units, activation="relu"))
        if configuration.dropout:
            layers.append(keras.layers.Dropout(configuration.dropout))
    layers.append(keras.layers.Dense(10, activation="softmax") if digits else keras.layers.Dense(1))
    model = keras.Sequential(layers)
    rate = configuration.learning_rate
    model.compile(
        optimizer=keras.optimizers.SGD(rate, momentum=configuration.momentum)
        if configuration.optimizer == "sgd"
        else keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy" if digits else "mse",
        metrics=["accuracy" if digits else "mae"],
    )
    return model


def train(configuration: Configuration, seed: int) -> tuple[keras.Model, dict[str, list[float]], list[float]]:
    """Train once; return the model, its history with test metrics, and the seconds of each epoch."""
    load = data.load_digits if configuration.data == "digits" else data.load_diabetes
    splits = load(
        train_rows=configuration.train_rows,
        label_noise=configuration.label_noise,
        batch_size=configuration.batch_size,
        seed=seed,
        reshuffle=True,
    )
    keras.utils.set_random_seed(seed)
    model = build(configuration, splits.x_train.shape[1])
    measure = TestMetrics(splits.x_test, splits.y_test)
    history = model.fit(
        splits.train,
        validation_data=splits.validation,
        epochs=configuration.epochs,
        verbose=0,
        callbacks=[measure],
    ).history
    return model, history, measure.seconds


def record(configuration: Configuration, seeds: tuple[int, ...], into: Path) -> Path:
    """Train a configuration with each seed and write its file: one row for each seed."""
    histories, seconds = [], []
    for seed in seeds:
        keras.utils.clear_session()
        _, history, times = train(configuration, seed)
        histories.append(history)
        seconds.append(times)
    settings = asdict(configuration)
    del settings["name"]
    settings |= {"reshuffle": True, "keras": keras.__version__, "tensorflow": tf.__version__}
    arrays = {
        "settings": np.array(json.dumps(settings)),
        "seeds": np.array(seeds, dtype=np.int32),
        # A tenth of a millisecond is as exact as such a time is.
        "seconds": np.round(np.array(seconds), 4).astype(np.float32),
    }
    arrays |= {metric: np.array([h[metric] for h in histories], dtype=np.float32) for metric in histories[0]}
    path = into / f"{configuration.name}.npz"
    write_npz(path, arrays)
    return path


def main() -> int:
    """Record all configurations, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="configurations to record again (default: all)")
    parser.add_argument("--into", type=Path, default=RUNS, help="the folder to write to (default: data/runs/)")
    arguments = parser.parse_args()
    known = {configuration.name: configuration for configuration in configurations()}
    unknown = sorted(set(arguments.names) - set(known))
    if unknown:
        parser.error(f"no such configuration: {', '.join(unknown)}. There are: {', '.join(known)}")
    # One thread: such small models gain nothing from more, and the losses repeat more widely.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    arguments.into.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or known:
        began = time.perf_counter()
        path = record(known[name], SEEDS, arguments.into)
        write_checksums(arguments.into)
        print(f"{path.name}: {path.stat().st_size:,} bytes, {time.perf_counter() - began:.0f} s", flush=True)
    if not arguments.names:
        for path in arguments.into.glob("*.npz"):
            if path.stem not in known:
                path.unlink()
        write_checksums(arguments.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
