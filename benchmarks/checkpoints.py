"""What an atomic save costs: `AtomicCheckpoint` against `ModelCheckpoint`, and its `fsync` apart.

Run it with `python benchmarks/checkpoints.py`. For models of three sizes and both formats it prints the median time of
a save by `ModelCheckpoint`, the ratio to it of `AtomicCheckpoint` without its two `fsync`, and with them. The saves
take turns, so that a busy machine slows all of them.
"""

from __future__ import annotations

import os

os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")

import statistics
import tempfile
import time
from pathlib import Path

import keras

from helpers.callbacks import AtomicCheckpoint

SAVES = 15


def model_of(width: int) -> keras.Model:
    model = keras.Sequential([keras.Input((256,)), keras.layers.Dense(width), keras.layers.Dense(256)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def seconds(checkpoint: keras.callbacks.Callback, epoch: int) -> float:
    begin = time.perf_counter()
    checkpoint.on_epoch_end(epoch, {"val_loss": 1.0})
    return time.perf_counter() - begin


def main() -> None:
    real = os.fsync
    print(f"{'file':24} {'bytes':>11} {'ModelCheckpoint':>16} {'atomic, no fsync':>17} {'atomic':>8} {'the fsync':>10}")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for width in (8, 512, 8192):
            model = model_of(width)
            for name in ("model.keras", "model.weights.h5"):
                weights = name.endswith(".h5")
                plain = keras.callbacks.ModelCheckpoint(f"{folder}/plain.{name}", save_weights_only=weights)
                atomic = AtomicCheckpoint(f"{folder}/atomic.{name}", save_weights_only=weights)
                times = {"plain": [], "no fsync": [], "atomic": []}
                for checkpoint in (plain, atomic):
                    checkpoint.set_model(model)
                    seconds(checkpoint, 0)
                for epoch in range(SAVES):
                    times["plain"].append(seconds(plain, epoch))
                    os.fsync = lambda handle: None
                    times["no fsync"].append(seconds(atomic, epoch))
                    os.fsync = real
                    times["atomic"].append(seconds(atomic, epoch))
                once, bare, whole = (statistics.median(times[key]) for key in times)
                size = os.path.getsize(f"{folder}/atomic.{name}")
                print(
                    f"{name:24} {size:>11,} {once * 1000:>13.1f} ms {bare / once:>16.2f}x {whole / once:>7.2f}x "
                    f"{(whole - bare) * 1000:>7.1f} ms"
                )


if __name__ == "__main__":
    main()
