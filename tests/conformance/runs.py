"""Whole runs: killed and started again, the best of before a restart, weights that become NaN."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.callbacks import Callback, EarlyStopping, ReduceLROnPlateau

from .processes import Child, call
from .writers import FILL, Atomic, NothingThere, Writer, number_in

EPOCHS, BATCHES = 12, 6


def data() -> tuple[tf.data.Dataset, tuple[np.ndarray, np.ndarray]]:
    """Return shuffling training batches and validation rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 8)).astype("float32")
    y = (x[:, :1] * x[:, 1:2] + 0.3 * rng.normal(size=(96, 1))).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices((x[:48], y[:48])).shuffle(48, seed=1).batch(48 // BATCHES)
    return batches, (x[48:], y[48:])


def model_for_a_run() -> keras.Model:
    """Return a model with dropout and a seed for everything."""
    keras.utils.set_random_seed(7)
    # Named, since Orbax finds the weights of a second model in a process by their names.
    hidden = keras.layers.Dense(16, "relu", name="hidden")
    layers = [keras.Input((8,)), hidden, keras.layers.Dropout(0.2, name="drop"), keras.layers.Dense(1, name="out")]
    model = keras.Sequential(layers, name="run")
    model.compile(keras.optimizers.Adam(0.03), "mse")
    return model


class Beat(Callback):
    """Tell of each batch and epoch, so that the parent can kill at any of them."""

    def __init__(self, tell: Callable[[Any], None]) -> None:
        super().__init__()
        self.told = tell

    def on_train_batch_end(self, batch, logs=None):
        self.told("batch")

    def on_epoch_end(self, epoch, logs=None):
        self.told("saving")


def script(tell: Callable[[Any], None], kind: type[Writer], folder: Path) -> None:
    """Train as a script of one's own would: stop early, lower the rate, keep the best, resume if it can."""
    batches, rows = data()
    stopping = EarlyStopping(patience=4, restore_best_weights=True)
    plateau, best = ReduceLROnPlateau(patience=2, factor=0.5), Atomic(folder)
    # `Beat` stands first, so that the saves of an epoch come after its word.
    callbacks = [Beat(tell), stopping, plateau, best.callback(save_best_only=True), kind(folder / "resume").callback()]
    model = model_for_a_run()
    history = model.fit(batches, validation_data=rows, epochs=EPOCHS, verbose=0, callbacks=callbacks)
    tell({
        "losses": history.history["loss"], "epochs": history.epoch, "wait": stopping.wait, "best": stopping.best,
        "best epoch": stopping.best_epoch, "stopped": stopping.stopped_epoch,
        "rate": float(model.optimizer.learning_rate), "plateau": plateau.best, "saved": callbacks[3].best,
        "file": [weight.tolist() for weight in best.read().get_weights()],
        "files": sorted(path.name for path in folder.iterdir() if path.name != "resume"),
        "weights": [weight.tolist() for weight in model.get_weights()],
    })  # fmt: skip


def run_to_the_end(kind: type[Writer], folder: Path) -> dict[str, Any] | None:
    """Run the script and return its facts; None if it raises."""
    child = Child(script, kind, folder)
    facts = [event for event in child.events() if isinstance(event, dict)]
    child.wait()
    return facts[0] if facts else None


def killed_and_resumed(kind: type[Writer], folder: Path, times: int, seed: int = 0) -> dict[str, int]:
    """Kill the script at random moments, start it again until it ends, and compare with a run never killed.

    Returns counts: "equal", "runs", "crashed" where it could not go on, and in which part of an epoch the kills fell
    ("batch", "saving").
    """
    moments = random.Random(seed)
    (folder / "whole").mkdir(parents=True)
    whole = run_to_the_end(kind, folder / "whole")
    beats = len(whole["epochs"]) * (BATCHES + 1)
    counts: Counter = Counter(equal=0, runs=times, crashed=0, batch=0, saving=0)
    for trial in range(times):
        here = folder / str(trial)
        here.mkdir()
        # Some runs are killed once, some three times.
        for _ in range(moments.choice((1, 1, 2, 3))):
            last = kill_script(kind, here, moments.randint(1, beats), moments.random() * 0.03)
            if isinstance(last, dict):
                break
            counts[last] += 1
        again = last if isinstance(last, dict) else run_to_the_end(kind, here)
        counts["crashed"] += again is None
        counts["equal"] += again == whole
    return dict(counts)


def kill_script(kind: type[Writer], folder: Path, beat: int, delay: float) -> str | dict[str, Any]:
    """Kill the script some seconds after a beat; return its last word: "batch", "saving", or its facts at the end."""
    child, last = Child(script, kind, folder), "batch"
    for number, event in enumerate(child.events(), 1):
        last = event
        if number >= beat:
            time.sleep(delay)
            break
    return (child.kill() or [last])[-1]


# -- best and NaN ----------------------------------------------------------------------------------------------------


class Script(Callback):
    """Put values of one's own into the logs; stands first."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


class Number(Callback):
    """Fill the weights with the number of the epoch, so that a file tells when it was written."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([np.full_like(weight, epoch) for weight in self.model.get_weights()])


def fit_values(kind: type[Writer], folder: str, values: list[float], dies: bool) -> int | str:
    """Fit over scripted values, die before the last epoch or return the epoch whose weights the best file holds.

    A fit that raises gives the name of its error.
    """
    writer = kind(folder)
    own = kind.saves_best and not kind.resumes
    best = writer if own else Atomic(folder)
    best.model_for_reading = model_for_a_run
    chain = [Script(values), Number(), best.callback(save_best_only=True), *([] if own else [writer.callback()])]
    if dies:
        last = len(values) - 1
        chain.append(keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == last and os._exit(9)))
    try:
        model_for_a_run().fit(data()[0], epochs=len(values), verbose=0, callbacks=chain)
    except Exception as error:
        return type(error).__name__
    return number_in(best.read())


def best_is_kept(kind: type[Writer], folder: Path) -> bool | str:
    """Say whether the best file of before a kill (epoch 1) is there after a restart that sees no better one.

    Returns the name of an error where the script, started again, raises.
    """
    folder = folder / "best"
    folder.mkdir(parents=True)
    before, after = [0.5, 0.1, 0.4, 0.6, 0.6], [0.6, 0.5, 0.6, 0.4, 0.2]
    child = Child(lambda tell: fit_values(kind, str(folder), before, dies=True))
    list(child.events())
    if child.wait() != 9:
        raise RuntimeError("the first run did not come to its last epoch")
    kept = call(fit_values, kind, str(folder), after, False)
    return kept if isinstance(kept, str) else kept == 1


class Poison(Callback):
    """Make a weight NaN in the middle of a run."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            self.model.set_weights([np.full_like(weight, np.nan) for weight in self.model.get_weights()])


def fit_into_nan(kind: type[Writer], folder: str) -> str:
    """Train into NaN with TerminateOnNaN and say what the checkpoint then gives."""
    settings = {"delete_checkpoint": True} if "Backup" in kind.__name__ else {}
    writer = kind(folder)
    model_for_a_run().fit(
        data()[0], epochs=6, verbose=0,
        callbacks=[Poison(), keras.callbacks.TerminateOnNaN(), writer.callback(**settings)],
    )  # fmt: skip
    writer.model_for_reading = model_for_a_run
    try:
        model = writer.read()
    except NothingThere:
        return "nothing"
    weights = np.concatenate([weight.ravel() for weight in model.get_weights()])
    if np.isnan(weights).any():
        return "NaN"
    return "nothing" if (weights == FILL).all() else "finite"


def into_nan(kind: type[Writer], folder: Path) -> str:
    """Return "finite", "NaN" or "nothing"."""
    saves = folder / "nan"
    saves.mkdir(parents=True)
    return call(fit_into_nan, kind, str(saves))
