"""Checks of lesson 03: file names and the best, resuming from weights, and a saver that survives a restart."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import keras

from helpers import data, replay
from helpers.checks._core import Verdict, Wrong, exercise, right, wrong
from helpers.checks.scripted import Driven, FakeModel, as_callback, drive

ModelCheckpoint = keras.callbacks.ModelCheckpoint

# Each metric has its new bests in other epochs, so that the saves tell which one was watched. No value repeats.
_WATCHED = {
    "loss": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5],
    "accuracy": [0.43, 0.35, 0.55, 0.64, 0.73, 0.82],
    "val_loss": [1.1, 1.2, 0.9, 0.95, 0.97, 0.99],
    "val_accuracy": [0.314, 0.521, 0.47, 0.49, 0.683, 0.6],
}
_NAMES = ["01-0.31.keras", "02-0.52.keras", "05-0.68.keras"]


@exercise("03.1")
def album(answer: tuple) -> Verdict:
    """Play one training and look at when files were saved, where, and under which names."""
    saver, folder = answer
    # A copy: the best of this training must not stay in the learner's object.
    saver = copy.copy(as_callback(saver, ModelCheckpoint))
    driven = drive(saver, _WATCHED, batches=2, model=FakeModel(write=False))
    want = replay.model_checkpoint(_WATCHED["val_accuracy"], save_best_only=True, mode="max").epochs
    if any(save.batch is not None for save in driven.saves):
        return wrong("It saves within an epoch, where there is no `val_accuracy` yet. Leave `save_freq` alone.")
    if driven.saved_epochs != want:
        return wrong(_why_other_saves(driven, want))
    if any(save.weights_only for save in driven.saves):
        return wrong("It saves at the right times, but only weights. The whole model was asked for.")
    if any(save.path.parent.resolve() != Path(folder).resolve() for save in driven.saves):
        return wrong(
            f"It saves at the right times, but into the folder `{driven.saves[0].path.parent}`. "
            "Begin the name with the folder: `album / ...`."
        )
    names = [save.path.name for save in driven.saves]
    if names != _NAMES:
        return wrong(_why_other_names(names))
    return right(f"Three new bests in six epochs, and the album holds {', '.join(names)}.")


def _why_other_saves(driven: Driven, want: tuple[int, ...]) -> str:
    """Say which other setting would have saved in these epochs."""
    told = f"It saved {_epochs(driven.saved_epochs)}, expected {_epochs(want)}."
    if driven.saved_epochs == tuple(range(driven.epochs_run)):
        return f"{told} That is every epoch. Which argument makes it keep to the best?"
    for name, mode in (("val_loss", "min"), ("accuracy", "max"), ("val_accuracy", "min"), ("val_loss", "max")):
        if driven.saved_epochs == replay.model_checkpoint(_WATCHED[name], save_best_only=True, mode=mode).epochs:
            if name == "val_accuracy":
                return f"{told} It took a falling accuracy for an improvement. Look at `mode`."
            return f"{told} It watched `{name}`. Look at `monitor`: the name in the braces decides nothing."
    return f"{told} Only a name, `monitor` and `save_best_only` are needed."


def _why_other_names(names: list[str]) -> str:
    if len(set(names)) == 1:
        return f"Three saves at the right times, but all to `{names[0]}`: the last is all that is left. Use fields."
    if [name.lstrip("0") for name in _NAMES] == names:
        return f"The first file is called `{names[0]}`, expected `{_NAMES[0]}`. Two digits are `:02d` after the name."
    if names[0].startswith(" "):
        return f"The first file is called `{names[0]}`, with a blank in front. `:02d` fills with zeros, `:2d` does not."
    if "0.314" in names[0]:
        return f"The first file is called `{names[0]}`, expected `{_NAMES[0]}`. Two decimals are `:.2f` after the name."
    return f"The files are called {', '.join(names)}; expected {', '.join(_NAMES)}."


def _epochs(epochs: tuple[int, ...]) -> str:
    if not epochs:
        return "nothing"
    return f"after epoch{'s' if len(epochs) > 1 else ''} {', '.join(str(epoch + 1) for epoch in epochs)}"


@exercise("03.2")
def after_the_crash(answer: tuple) -> Verdict:
    """Hold the continued training against the one that never broke off: epochs, steps of the optimizer, losses."""
    model, rest, whole = answer
    if not isinstance(model, keras.Model):
        return wrong(f"`rescued` should be the model; it is an object of class `{type(model).__name__}`.")
    if not isinstance(rest, keras.callbacks.History):
        return wrong("`rest_of_run` should be what `model.fit(...)` returns.")
    last = len(whole.epoch)
    if rest.epoch != list(range(1, last)):
        return wrong(_why_other_epochs(rest.epoch, last))
    steps, expected = int(model.optimizer.iterations), last * whole.params["steps"]
    if steps != expected:
        return wrong(_why_other_steps(steps, whole.params["steps"], last))
    if "val_loss" not in rest.history:
        return wrong("Epochs and steps are right. Pass `validation_data=` too, so that there is something to compare.")
    pairs = zip(rest.history["val_loss"], whole.history["val_loss"][1:], strict=True)
    if max(abs(one - other) for one, other in pairs) > 1e-4:
        return wrong(
            "Epochs and steps are right, but the losses are not those of the training that never broke off. Is it "
            "`1.weights.h5` that you loaded, once, and the training data of the lesson?"
        )
    return right(f"{steps} steps, and the losses of the training that never broke off.")


def _why_other_epochs(epochs: list[int], last: int) -> str:
    if not epochs:
        return "`fit` trained nothing: `epochs` is the number of the last epoch, not how many more."
    counted = ", ".join(str(epoch + 1) for epoch in epochs)
    if epochs[0] == 0:
        return f"Your epochs are {counted}: it began with the first again. `initial_epoch` tells `fit` what is done."
    if epochs[0] > 1:
        return f"Your epochs are {counted}: epoch 2 is missing. `initial_epoch` says how many are done: one."
    return f"Your epochs are {counted}; the last should be {last}. `epochs` is its number."


def _why_other_steps(steps: int, each: int, last: int) -> str:
    expected = last * each
    told = f"The optimizer has made {steps} steps, expected {expected}: {each} before the crash and the rest after it."
    if steps == expected - each:
        return (
            f"{told} It began anew. Adam takes its memory from the file only if `optimizer.build(...)` made room "
            "for it before `load_weights`, and compiling afterwards makes a new one."
        )
    # What the optimizer had behind it when the rest began; a second run of the rest looks like the file of its end.
    done, left_over = divmod(steps - expected + each, each)
    if not left_over and 1 < done < last:
        return f"{told} So {done * each} came with the file: is it the one of epoch 1, `1.weights.h5`?"
    return f"{told} Did this model train before you loaded the file, or twice after it?"


@exercise("03.3")
def careful_saver(answer: object) -> Verdict:
    """Try the learner's function without a file and with two, and play trainings with what it returns."""
    if not callable(answer) or isinstance(answer, type):
        return wrong("Expected a function of two arguments, `file` and `validation`.")
    validation = data.load_digits().validation
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "fresh.keras"
        saver = _made(answer, fresh, validation)
        driven = drive(saver, [0.9, 0.7, 0.8], model=FakeModel(write=False))
        if not driven.saves or driven.saves[0].epoch > 0:
            return wrong("Without a file there is nothing to beat, so the first epoch should be saved. It was not.")
        if driven.saves[0].path != fresh:
            return wrong(f"It saves to `{driven.saves[0].path.name}`, not to the `file` that was passed.")
        if driven.saved_epochs != (0, 1):
            return wrong("It saves an epoch that is worse than the one before. Which argument keeps to the best?")
        for seed in (1, 2):
            file = Path(folder) / f"kept-{seed}.keras"
            loss, accuracy = _keep_a_model(file, seed, validation)
            before = file.read_bytes()
            saver = _made(answer, file, validation)
            threshold = saver.best
            if isinstance(threshold, list | tuple | dict):
                return wrong("Your threshold is the whole list that `evaluate` returns. The loss comes first: `[0]`.")
            driven = drive(saver, [loss + 0.5, loss + 0.1, loss - 0.1, loss - 0.05], model=FakeModel(write=False))
            if not file.exists() or file.read_bytes() != before:
                return wrong("Your function itself changed the file. It should only read it.")
            if driven.saved_epochs != (2,):
                return wrong(_why_other_threshold(driven, threshold, loss, accuracy))
    return right("It starts freely without a file, and with one it overwrites only what it beats.")


def _made(function, file: Path, validation) -> ModelCheckpoint:
    try:
        made = function(file, validation)
    except ValueError as error:
        if "File not found" not in str(error) or file.exists():
            raise
        raise Wrong("Your function loads a file that is not there yet. Ask first: `file.exists()`.") from error
    if made is None:
        raise Wrong("Your function returned nothing. End each way through it with `return ModelCheckpoint(...)`.")
    return as_callback(made, ModelCheckpoint)


def _keep_a_model(file: Path, seed: int, validation) -> tuple[float, float]:
    """Save a model that has learnt nothing; return its loss and accuracy."""
    layer = keras.layers.Dense(10, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(seed))
    model = keras.Sequential([keras.Input((64,)), layer])
    model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.save(file)
    return tuple(model.evaluate(validation, verbose=0))


def _why_other_threshold(driven: Driven, threshold: object, loss: float, accuracy: float) -> str:
    told = f"With a model in the file whose `val_loss` is {loss:.2f}, and then the losses {loss + 0.5:.2f}, "
    told += f"{loss + 0.1:.2f}, {loss - 0.1:.2f} and {loss - 0.05:.2f}, only the third should be saved. "
    told += f"Yours saved {_epochs(driven.saved_epochs)}."
    if threshold is None:
        return f"{told} The model in the file was overwritten by a worse one: what says `initial_value_threshold`?"
    if abs(float(threshold) - accuracy) < 1e-6:
        return f"{told} Your threshold is the accuracy. `evaluate` returns the loss first."
    return f"{told} Your threshold is {float(threshold):.2f}: measure it on the model in the file."
