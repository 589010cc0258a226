"""Checks of lesson 04: four places after a training, two callbacks with one best, and going on from a file."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import keras

from helpers import data, replay
from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks.scripted import Driven, FakeModel, as_callback, drive

Callback, EarlyStopping, ModelCheckpoint = (
    keras.callbacks.Callback,
    keras.callbacks.EarlyStopping,
    keras.callbacks.ModelCheckpoint,
)

BY_HAND = (0.90, 0.70, 0.60, 0.65, 0.50, 0.55, 0.60, 0.40)


@exercise("04.1")
def four_places(answer: tuple) -> Verdict:
    """Hold four epochs against the real callbacks on the same losses."""
    record = replay.early_stopping(BY_HAND, patience=2, restore_best_weights=True)
    best, last = record.best_epoch + 1, record.epochs_run
    if not all(isinstance(part, int) and not isinstance(part, bool) for part in answer):
        return wrong("All four answers are numbers of epochs, so whole numbers, counted from 1.")
    if answer == (best - 1, last - 1, best - 1, last - 1):
        return wrong("All four are one too small: you counted from 0. People count from 1.")
    weights, optimizer, best_file, latest_file = answer
    if len(BY_HAND) in answer:
        return wrong("Epoch 8 never comes: after epoch 7 there were two epochs in a row without improvement.")
    if best_file != best:
        return wrong(f"`best.keras`: {_why_not_best(best_file, best, last)}")
    if latest_file != last:
        reasons = {best: "Without `save_best_only` it is written after every epoch, good or bad. Which was the last?"}
        return wrong(
            f"`latest.keras`: {reasons.get(latest_file, 'It is written after each epoch that ran, up to the last.')}"
        )
    if weights != best:
        reasons = {last: "Those were the last. `restore_best_weights=True` brings the best back."}
        return wrong(f"The weights in memory: {reasons.get(weights, 'Which epoch was the best of those that ran?')}")
    if optimizer != last:
        reasons = {best: "`EarlyStopping` restores weights, and nothing else. The optimizer stays at the last epoch."}
        return wrong(f"The optimizer in memory: {reasons.get(optimizer, 'It is touched by nothing but training.')}")
    return right(f"Weights of epoch {best} beside an optimizer of epoch {last}; and two files, {best} and {last}.")


def _why_not_best(given: int, best: int, last: int) -> str:
    if given == last:
        return "with `save_best_only=True` it is written only when the loss is better than all before."
    if given < best:
        return "a later epoch was better, and training had not stopped by then. Write the counter below each loss."
    return "which epoch was the best of those that ran?"


# Each metric has its best in another epoch. The best accuracy is a small gain, for those who set min_delta.
_WATCHED = {
    "loss": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.09, 0.08, 0.07],
    "accuracy": [0.75, 0.74, 0.73, 0.72, 0.71, 0.70, 0.69, 0.68, 0.67, 0.66, 0.65, 0.64, 0.63],
    "val_loss": [1.1, 0.9, 0.8, 0.85, 0.87, 0.88, 0.89, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96],
    "val_accuracy": [0.30, 0.40, 0.45, 0.50, 0.20, 0.5005, 0.48, 0.47, 0.46, 0.45, 0.44, 0.43, 0.42],
}
_PATIENCE = 4


@exercise("04.2")
def one_best(answer: tuple) -> Verdict:
    """Play one training with the learner's list, and compare what is in memory with what was saved last."""
    callbacks, file = answer
    if isinstance(callbacks, Callback) or not isinstance(callbacks, (list, tuple)):
        return wrong("Expected a list with both callbacks: `[EarlyStopping(...), ModelCheckpoint(...)]`.")
    callbacks = [copy.copy(as_callback(one)) for one in callbacks]
    stopper = next((one for one in callbacks if isinstance(one, EarlyStopping)), None)
    saver = next((one for one in callbacks if isinstance(one, ModelCheckpoint)), None)
    if stopper is None:
        return wrong("There is no `EarlyStopping` in your list: nothing stops the training.")
    if saver is None:
        return wrong("There is no `ModelCheckpoint` in your list: nothing writes the file.")
    driven = drive(callbacks, _WATCHED, model=FakeModel(write=False))
    want = replay.early_stopping(_WATCHED["val_accuracy"], patience=_PATIENCE, mode="max", restore_best_weights=True)
    best = want.best_epoch
    if driven.epochs_run != want.epochs_run:
        ran = f"Stopped after epoch {driven.epochs_run}" if driven.stopped else "It never stopped"
        return wrong(f"{ran}; expected a stop after epoch {want.epochs_run}. {_why_other_stop(stopper)}")
    fault = _saved_wrongly(driven, best, Path(file), saver)
    if fault:
        return wrong(fault)
    if driven.kept_epoch != best:
        held = "an earlier training" if driven.kept_epoch is None else f"epoch {driven.kept_epoch + 1}"
        return wrong(
            f"The file holds epoch {best + 1}, the best, but the model in memory holds the weights of {held}. Look at "
            "`restore_best_weights`."
        )
    return right(f"Stopped after epoch {driven.epochs_run}, and epoch {best + 1} is in memory and in the file.")


def _why_other_stop(stopper: EarlyStopping) -> str:
    """Name the setting that is not as it was asked for; what the callback did has been judged by then."""
    if stopper.monitor != "val_accuracy":
        return f"`EarlyStopping` watches `{stopper.monitor}`. Look at its `monitor`."
    if stopper.patience != _PATIENCE:
        return f"It has `patience={stopper.patience}`."
    if stopper.min_delta:
        return "It passed over a small gain, which the file does not. Look at `min_delta`."
    if stopper.mode == "min":
        return "It took a falling accuracy for an improvement. Look at the `mode` of `EarlyStopping`."
    return "Leave the other arguments of `EarlyStopping` alone."


def _saved_wrongly(driven: Driven, best: int, file: Path, saver: ModelCheckpoint) -> str:
    if any(save.weights_only for save in driven.saves):
        return "Only weights are saved. The whole model was asked for: leave `save_weights_only` alone."
    into = [save for save in driven.saves if save.path == file]
    if not into:
        names = ", ".join(sorted({save.path.name for save in driven.saves})) or "nothing"
        return f"It writes {names}, and not `{file.name}`. Pass `album_file` as the file."
    kept = into[-1].epoch
    if kept == best:
        return ""
    told = f"The best was epoch {best + 1}, and the file holds epoch {kept + 1}."
    if len(into) == driven.epochs_run:
        return f"{told} It is written after every epoch. Look at `save_best_only`."
    if saver.monitor != "val_accuracy":
        return f"{told} `ModelCheckpoint` watches `{saver.monitor}`. Look at its `monitor`: two monitors, two bests."
    return f"{told} Only `monitor` and `save_best_only` are needed; leave `mode` and the rest alone."


@exercise("04.3")
def go_on(answer: object) -> Verdict:
    """Train a small model, keep a file of two epochs, and compare what the function makes of each."""
    if not callable(answer) or isinstance(answer, type):
        return wrong("Expected a function of one argument, `path`.")
    digits = data.load_digits(train_rows=300, label_noise=0.2)
    with tempfile.TemporaryDirectory() as folder:
        whole = _train(digits, Path(folder))
        for done in (2, 1):
            path = Path(folder) / f"{done}.keras"
            before = path.read_bytes()
            try:
                rest = answer(path)
            except ValueError as error:
                if "could not be loaded" not in str(error):
                    raise
                return wrong(
                    "Weights were loaded into a model of another form. The files of the check hold a model of their "
                    "own, and the whole of it: `load_model` brings it with its optimizer."
                )
            fault = _went_on_wrongly(rest, whole, done)
            if fault:
                return wrong(fault)
            if path.read_bytes() != before:
                return wrong("The numbers are right, but your function changed the file. It should only read it.")
    return right("From two files, it counted on and did exactly what the training would have done.")


def _train(digits: data.Splits, folder: Path) -> keras.callbacks.History:
    layer = keras.layers.Dense(10, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(1))
    model = keras.Sequential([keras.Input((64,)), layer])
    model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    saver = ModelCheckpoint(folder / "{epoch}.keras")
    return model.fit(digits.train, validation_data=digits.validation, epochs=4, callbacks=[saver], verbose=0)


def _went_on_wrongly(rest: object, whole: keras.callbacks.History, done: int) -> str:
    """Say what is wrong with the epochs that were trained from the file of epoch `done`, "" for nothing."""
    if rest is None:
        return "Your function returned nothing. Return what `fit` returns."
    if not isinstance(rest, keras.callbacks.History):
        return "Return what `fit` returns, the `History`, and not the model or a part of it."
    expected = [done, done + 1]
    if rest.epoch != expected:
        return _why_other_epochs(rest.epoch, done)
    if "val_loss" not in rest.history:
        return "The epochs are right, but nothing was validated. Pass `validation_data=` too."
    pairs = zip(rest.history["val_loss"], whole.history["val_loss"][done : done + 2], strict=True)
    if max(abs(one - other) for one, other in pairs) < 1e-4:
        return ""
    steps = int(rest.model.optimizer.iterations)
    each = whole.params["steps"]
    if steps == 2 * each:
        return (
            "The epochs are right, but not the losses: the optimizer began anew, it has made "
            f"{steps} steps in place of {(done + 2) * each}. Compile nothing: `load_model` has done it."
        )
    return "The epochs are right, but not the losses. Is it the model in `path` that you train, and on `digits.train`?"


def _why_other_epochs(epochs: list[int], done: int) -> str:
    told = f"For a file of epoch {done}, the next are {done + 1} and {done + 2}."
    if not epochs:
        return f"{told} Yours trained nothing: `epochs` is the number of the last epoch, not how many more."
    counted = ", ".join(str(epoch + 1) for epoch in epochs[:5]) + (", …" if len(epochs) > 5 else "")
    if epochs[0] == 0:
        return f"{told} Yours began to count at 1: {counted}. Tell `fit` with `initial_epoch` how many are done."
    if epochs[0] != done:
        return f"{told} Yours are {counted}. How many epochs a file has behind it stands in its optimizer: steps."
    return f"{told} Yours are {counted}. `epochs` is the number of the last one."
