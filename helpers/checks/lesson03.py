"""Checks of lesson 03: file names and the best, resuming from weights, and a saver that survives a restart."""

from __future__ import annotations

import math
import random
import string
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import keras

from helpers import data
from helpers.checks._core import Verdict, Wrong, exercise, right, wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import (
    Driven,
    FakeModel,
    Save,
    Wish,
    about_folder,
    about_monitor,
    as_callback,
    as_function,
    as_path,
    call,
    causes,
    drive,
    fresh,
    number_text,
    parts,
    sentences,
    unread,
    watched_fits,
)

ModelCheckpoint = keras.callbacks.ModelCheckpoint

# Each metric has its new bests in other epochs, so that the saves tell which one was watched. No value repeats.
_WATCHED = {
    "loss": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5],
    "accuracy": [0.43, 0.35, 0.55, 0.64, 0.73, 0.82],
    "val_loss": [1.1, 1.2, 0.9, 0.95, 0.97, 0.99],
    "val_accuracy": [0.314, 0.521, 0.47, 0.49, 0.683, 0.6],
}
_TEMPLATE = "{epoch:02d}-{val_accuracy:.2f}.keras"
_WISHES = {
    "monitor": Wish("val_accuracy"),
    "save_best_only": Wish(True, fits=bool),
    "mode": Wish("auto", fits=lambda mode: mode in ("auto", "max")),
    "save_weights_only": Wish(False, fits=lambda value: not value),
}
_TOLD: dict[str, Callable[[object], str]] = {
    "monitor": lambda name: (
        f"{about_monitor(name, list(_WATCHED), 'val_accuracy')} (The name in the braces decides nothing.)"
    ),
    "save_best_only": lambda _: "Which argument makes it keep to the best? `save_best_only`.",
    "mode": lambda mode: f'With `mode="{mode}"` it takes a falling accuracy for an improvement. Look at `mode`.',
    "save_weights_only": lambda _: "It saves only weights. The whole model was asked for.",
    "save_freq": lambda value: (
        f"`save_freq={value!r}` saves within an epoch, where there is no `val_accuracy` yet. Leave it alone."
    ),
    "initial_value_threshold": lambda value: (
        f"`initial_value_threshold={value!r}` was not asked for: values that do not beat it are not saved. Leave it "
        "out."
    ),
}


@cache
def _album_plays() -> list[dict]:
    rng = random.Random(31)
    plays = [_WATCHED]
    for number in range(4):
        plays.append({name: [rng.uniform(0.02, 0.98) for _ in range(13)] for name in _WATCHED})
        # Late bests, so that epochs of two digits are saved; in half of the plays with a tie.
        plays[-1]["val_accuracy"] = sorted(plays[-1]["val_accuracy"])
        plays[-1]["val_accuracy"][6] = plays[-1]["val_accuracy"][5 if number % 2 else 3]
    return plays


def _saves(saver: ModelCheckpoint, logs: dict) -> Driven:
    return drive(saver, logs, batches=1, model=FakeModel(write=False))


@cache
def _album_wanted(folder: Path) -> list[Driven]:
    return [_saves(ModelCheckpoint(folder / _TEMPLATE, **_values(_WISHES)), logs) for logs in _album_plays()]


def _when(driven: Driven) -> list[tuple[int, int | None, bool]]:
    return [(save.epoch, save.batch, save.weights_only) for save in driven.saves]


@exercise("03.1", names=("album_saver", "album"))
def album(answer: tuple) -> Verdict:
    """Play trainings and look at when files were saved, where, and under which names."""
    saver, folder = parts(answer, ("album_saver", "album"))
    saver, folder = as_callback(saver, ModelCheckpoint), as_path(folder, "album")
    number_text(saver)
    _formatted(saver.filepath)
    plays = _album_plays()
    wanted = _album_wanted(folder)
    if not isinstance(saver.monitor, str) or saver.monitor not in _WATCHED:
        return wrong(_TOLD["monitor"](saver.monitor), credit=0.5)
    try:
        yours = [_saves(fresh(saver), logs) for logs in plays]
    except KeyError:
        # The fields are right at the end of an epoch, so it saves at another moment.
        return wrong(_TOLD["save_freq"](saver.save_freq), credit=0.5)
    for mine, want in zip(yours, wanted, strict=True):
        if _when(mine) != _when(want):
            found = causes(saver, _WISHES, lambda one: all(
                _when(_saves(fresh(one), logs)) == _when(want) for logs, want in zip(plays, wanted, strict=True)
            ))  # fmt: skip
            told, named = _told(mine, want), sentences(saver, found, _WISHES, list(_WATCHED), _TOLD)
            if named:
                return wrong(f"{told} {named}", credit=0.3)
            return wrong(told, 0.3, guess="Only a name, `monitor` and `save_best_only` are needed.")
    for mine, want in zip(yours, wanted, strict=True):
        if any(save.path.parent.resolve() != Path(folder).resolve() for save in mine.saves):
            return wrong(f"It saves at the right times, but {_why_elsewhere(mine.saves[0].path, folder)}", credit=0.7)
        names = [save.path.name for save in mine.saves]
        if names != [save.path.name for save in want.saves]:
            return wrong(_why_other_names(saver.filepath, mine.saves, want.saves), credit=0.6)
    names = ", ".join(save.path.name for save in yours[0].saves)
    return right(f"Three new bests in six epochs, and the album holds {names}.")


def _values(wishes: dict[str, Wish]) -> dict[str, object]:
    return {name: wish.value for name, wish in wishes.items()}


def _formatted(template: str) -> None:
    """Raise Wrong for a file name that cannot be filled in; Keras would raise at the first save."""
    logs = {name: values[0] for name, values in _WATCHED.items()}
    try:
        template.format(epoch=1, **logs)
    except KeyError as error:
        name = error.args[0] if error.args else ""
        known = ", ".join(f"`{one}`" for one in ("epoch", *logs))
        raise Wrong(
            f"The file name asks for `{{{name}}}`, and there is no such field at the end of an epoch, only {known}. "
            "The "
            "name in the braces must be right to the letter.", 0.4
        ) from error  # fmt: skip
    except (IndexError, ValueError) as error:
        raise Wrong(
            f"The file name `{Path(template).name}` cannot be filled in: {error}. A field is a name and its form, "
            "such as "
            "`{epoch:02d}` (a whole number, two digits) and `{val_accuracy:.2f}` (two decimals).", 0.4
        ) from error  # fmt: skip


def _told(mine: Driven, want: Driven) -> str:
    every = ": that is every epoch" if mine.saved_epochs == tuple(range(mine.epochs_run)) else ""
    within = " Some of it in the middle of an epoch." if any(save.batch is not None for save in mine.saves) else ""
    if mine.saved_epochs == want.saved_epochs and not within:
        return "It saves at the right times, but not what was asked for."
    return f"It saved {_epochs(mine.saved_epochs)}{every}; expected {_epochs(want.saved_epochs)}.{within}"


def _why_elsewhere(given: Path, folder: Path) -> str:
    if given.parent == folder.parent and given.name.startswith(folder.name):
        return (
            f"beside the folder `{folder.name}`, in files such as `{given.name}`: between folder and name a slash is "
            "missing. `album` is a `Path`: `album / ...`."
        )
    if given.parent.parent == folder:
        return (
            f"in a folder of its own for each, `{given.parent.name}`: the slash in the name makes it. Epoch and "
            "accuracy "
            "stand in one name, with a hyphen between them."
        )
    return (
        f"elsewhere. {about_folder(given, 'album')} Begin the name with the variable `album`, which is a `Path`: "
        "`album / ...`."
    )


def _why_other_names(template: str, mine: tuple[Save, ...], want: tuple[Save, ...]) -> str:
    given, expected = next(
        (a.path.name, b.path.name) for a, b in zip(mine, want, strict=True) if a.path.name != b.path.name
    )
    told = f"A file is called `{given}`, expected `{expected}`."
    if "{" in given:
        return (
            f"{told} A brace that is written twice, `{{{{`, stands for a brace: Keras fills in a field in single ones, "
            "`{epoch:02d}`. (Twice is for an f-string, which takes one away.)"
        )
    fields = {name: spec or "" for _, name, spec, _ in string.Formatter().parse(Path(template).name) if name}
    if len({save.path.name for save in mine}) < len(mine) and "epoch" not in fields:
        return (
            f"{told} Several saves at the right times got the same name, so the last is all that is left. Use fields: "
            "the epoch in braces, which Keras fills in. (With an `f` before the quotes, Python does, once.)"
        )
    other = next((name for name in fields if name not in ("epoch", "val_accuracy")), None)
    if other:
        return f"{told} The field in the name is `{other}`; asked for is `val_accuracy`. (`monitor` is another thing.)"
    if "epoch" not in fields:
        return f"{told} The number of the epoch is missing: `{{epoch:02d}}`."
    if "val_accuracy" not in fields:
        return f"{told} The accuracy is missing: `{{val_accuracy:.2f}}`."
    if given.startswith(" "):
        return f"{told} There is a blank in front: `:02d` fills with zeros, `:2d` does not."
    one = {"epoch": mine[0].epoch + 1, "val_accuracy": 0.31415}
    if format(7, fields["epoch"]) != "07" or format(12, fields["epoch"]) != "12":
        number = given.split("-")[0]
        return f"{told} The epoch stands there as `{number}`. Two digits are `:02d` after the name."
    if format(one["val_accuracy"], fields["val_accuracy"]) != "0.31":
        return f"{told} Two decimals are `:.2f` after the name."
    if not given.endswith(".keras"):
        return f"{told} Look at its end."
    if list(fields) == ["val_accuracy", "epoch"]:
        return f"{told} The two are in each other's place: first the epoch, then the accuracy."
    return f"{told} Epoch, hyphen, accuracy, and nothing else."


def _epochs(epochs: tuple[int, ...]) -> str:
    if not epochs:
        return "nothing"
    return f"after epoch{'s' if len(epochs) > 1 else ''} {', '.join(str(epoch + 1) for epoch in epochs)}"


# -- 03.2 ------------------------------------------------------------------------------------------------------------


@exercise("03.2", names=("rescued", "rest_of_run", "whole"))
def after_the_crash(answer: tuple) -> Verdict:
    """Hold the continued training against the one that never broke off: epochs, steps of the optimizer, losses."""
    model, rest, whole = parts(answer, ("rescued", "rest_of_run", "whole"))
    if isinstance(model, keras.callbacks.History) and isinstance(rest, keras.Model):
        return wrong("`rescued` and `rest_of_run` are in each other's place: the model, and what `fit` returns.")
    if not isinstance(model, keras.Model):
        what = f"the class or function `{model.__name__}`" if hasattr(model, "__name__") else type(model).__name__
        return wrong(f"`rescued` should be the model; it is {what}.")
    if not isinstance(rest, keras.callbacks.History):
        return wrong("`rest_of_run` should be what `model.fit(...)` returns, the whole `History`.", credit=0.2)
    if not isinstance(whole, keras.callbacks.History) or not whole.history.get("val_loss"):
        return wrong("`whole` should stay the training that never broke off: run the cell that makes it again.")
    if getattr(model, "optimizer", None) is None:
        return wrong("`rescued` was never compiled, so it has no optimizer and cannot train: `build()` does that.")
    if rest.model is not None and rest.model is not model:
        return wrong(
            "`rest_of_run` is the `History` of another model: train `rescued`, and keep what its `fit` returns."
        )
    last, each = len(whole.epoch), whole.params["steps"]
    steps = int(model.optimizer.iterations)
    if list(rest.epoch) != list(range(1, last)):
        return wrong(_why_other_epochs(rest, whole, steps), credit=0.2)
    if "val_loss" not in rest.history:
        return wrong("The epochs are right. Pass `validation_data=` too, so that there is something to compare.", 0.4)
    losses, wanted = rest.history["val_loss"], whole.history["val_loss"][1:]
    close = max(abs(one - other) for one, other in zip(losses, wanted, strict=True)) < 1e-4
    other = _another_optimizer(model, whole)
    if steps != last * each:
        return wrong(f"{_why_other_steps(rest, whole, steps)} {other}".strip(), credit=0.4)
    if not close:
        return wrong(f"{_why_other_losses(rest, whole)} {other}".strip(), credit=0.6)
    return right(f"{steps} steps, and the losses of the training that never broke off.")


def _why_other_epochs(rest: keras.callbacks.History, whole: keras.callbacks.History, steps: int) -> str:
    epochs, last, each = list(rest.epoch), len(whole.epoch), whole.params["steps"]
    if not epochs:
        return "`fit` trained nothing: `epochs` is the number of the last epoch, not how many more."
    counted = ", ".join(str(epoch + 1) for epoch in epochs)
    told = f"Your epochs are {counted}"
    if epochs[0] == 0:
        anew = _starts_anew(rest, whole)
        nothing = (
            " And nothing came from the file: its losses are those of a training from the beginning." if anew else ""
        )
        return f"{told}: it began with the first again. `initial_epoch` tells `fit` what is done.{nothing}"
    if epochs[0] > 1 and steps - len(epochs) * each == epochs[0] * each:
        return (
            f"{told}, and should be 2 to {last}. When this `fit` began, the model had {epochs[0] * each} steps behind "
            f"it, those of {epochs[0]} epochs: from another file than `1.weights.h5`, or from a `fit` before it, of "
            "which "
            f"`rest_of_run` does not tell. Go on from that file, in one `fit` with `initial_epoch=1, epochs={last}`."
        )
    if epochs[0] > 1:
        return f"{told}: it should go on with epoch 2. `initial_epoch` says how many are done: one."
    return f"{told}; the last should be {last}. `epochs` is its number."


def _starts_anew(rest: keras.callbacks.History, whole: keras.callbacks.History) -> bool:
    name = "val_loss" if "val_loss" in rest.history else "loss"
    return abs(rest.history[name][0] - whole.history[name][0]) < 1e-4


def _another_optimizer(model: keras.Model, whole: keras.callbacks.History) -> str:
    """Say in what the optimizer differs from that of the training that never broke off; "" for nothing."""
    if whole.model is None or getattr(whole.model, "optimizer", None) is None:
        return ""
    mine, theirs = model.optimizer.get_config(), whole.model.optimizer.get_config()
    if type(model.optimizer) is not type(whole.model.optimizer):
        return (
            f"The optimizer is another one, `{type(model.optimizer).__name__}` and not "
            f"`{type(whole.model.optimizer).__name__}`: compile as `build()` does."
        )
    odd = [name for name in theirs if name != "name" and mine.get(name) != theirs[name]]
    said = ", ".join(f"`{name}` is {_short(mine.get(name))} and was {_short(theirs[name])}" for name in odd)
    return f"The optimizer is another one: {said}. Compile as `build()` does." if odd else ""


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


def _why_other_steps(rest: keras.callbacks.History, whole: keras.callbacks.History, steps: int) -> str:
    each, last = whole.params["steps"], len(whole.epoch)
    expected = last * each
    told = f"The optimizer has made {steps} steps, expected {expected}: {each} before the crash and the rest after it."
    mine = rest.params["steps"]
    if mine is not None and mine != each:
        return (
            f"{told} An epoch of yours has {mine} {'step' if mine == 1 else 'steps'}, one of `digits.train` has "
            f"{each}: "
            "it trained on other data, or in other batches."
        )
    if steps == expected - each and _starts_anew(rest, whole):
        return (
            f"{told} And the losses are those of a training from the beginning: nothing came from the file. Load "
            "`1.weights.h5` into `rescued` before `fit`."
        )
    if steps == expected - each:
        return (
            f"{told} It began anew. Adam takes its memory from the file only if `optimizer.build(...)` made room "
            "for it before `load_weights`, and compiling afterwards makes a new one."
        )
    # What the optimizer had behind it when the rest began; a second run of the rest looks like the file of its end.
    done, left_over = divmod(steps - expected + each, each)
    if not left_over and done == last:
        return (
            f"{told} When this `fit` began it had {done * each}: as from a whole training, or from the same `fit` "
            "run once "
            "before. Load the file anew, and train once."
        )
    if not left_over and 1 < done < last:
        return f"{told} So {done * each} came with the file: is it the one of epoch 1, `1.weights.h5`?"
    return f"{told} When this `fit` began, it had {steps - expected + each}, and should have {each}: those of the file."


def _why_other_losses(rest: keras.callbacks.History, whole: keras.callbacks.History) -> str:
    losses, wanted = rest.history["val_loss"], whole.history["val_loss"][1:]
    training = zip(rest.history["loss"], whole.history["loss"][1:], strict=True)
    if max(abs(one - other) for one, other in training) < 1e-4:
        return (
            f"Epochs, steps and the training `loss` are right. `val_loss` after epoch 2 is {losses[0]:.4f} and not "
            f"{wanted[0]:.4f}: it was measured on other data than `digits.validation`."
        )
    return (
        f"Epochs and steps are right, but `val_loss` after epoch 2 is {losses[0]:.4f} and not {wanted[0]:.4f}, as in "
        "the "
        "training that never broke off. Three things make it the same: the weights of `1.weights.h5`; what the "
        "optimizer "
        "remembers, of which the number of steps is only one part and which comes from the same file; and "
        "`digits.train`."
    )


# -- 03.3 ------------------------------------------------------------------------------------------------------------

_SAVER_WISHES = {
    "save_best_only": Wish(True, fits=bool),
    "monitor": Wish("val_loss"),
    "mode": Wish("auto", fits=lambda mode: mode in ("auto", "min")),
}
_SAVER_TOLD: dict[str, Callable[[object], str]] = {
    "save_best_only": lambda _: (
        "It saves every epoch: without `save_best_only=True` there is nothing that a value has to beat."
    ),
    "mode": lambda mode: f'With `mode="{mode}"` it takes a higher loss for better. Look at `mode`.',
    "monitor": lambda name: about_monitor(name, list(_WATCHED), "val_loss"),
}


_CAREFUL_PIECES = {"{0}.exists()": "the question whether the file exists: `exists()` of the first argument"}


@exercise("03.3", pieces=_CAREFUL_PIECES)
def careful_saver(answer: object) -> Verdict:
    """Try the learner's function without a file and with two, twice, and play trainings with what it returns."""
    function = as_function(answer, "file, validation", returns=ModelCheckpoint)
    # Not the data of the notebook: what is measured has to be measured on what is passed.
    validation = _other_validation()
    with tempfile.TemporaryDirectory() as folder:
        fresh_file = Path(folder) / "fresh.keras"
        losses = [0.913, 0.717, 0.823, 0.9]
        fault = _without_a_file(_made(function, fresh_file, validation), fresh_file, losses)
        if fault:
            return fault
        before = None
        for number, seed in enumerate((1, 2, 3)):
            # The third model lies in the file of the second.
            file = Path(folder) / f"kept-{min(seed, 2)}.keras"
            kept = _keep_a_model(file, seed)
            content = file.read_bytes()
            with watched_fits(train=not trying()), _measuring() as measured:
                saver = _made(function, file, validation)
            fault = _with_a_file(saver, file, kept, before, measured)
            if fault and number == 2:
                told = f"Called again, when another model lay in the same file: {fault.message}"
                return replace(fault, message=told, credit=0.6)
            if fault:
                return fault
            if not file.exists() or file.read_bytes() != content:
                return wrong("Your function itself changed the file. It should only read it.", 0.6, guess="")
            before = kept
    return right("It starts freely without a file, and with one it overwrites only what it beats.")


# What the models that lie in the files reach, by their weights: a change is tried without measuring again.
_known: dict[int, list[float]] = {}


@contextmanager
def _measuring() -> Iterator[list[tuple[object, object]]]:
    """Note what `evaluate` of any model is given and gives back, while the learner's function runs."""
    measured: list[tuple[object, object]] = []
    real = keras.Model.evaluate

    def evaluate(model: keras.Model, x: object = None, *rest: object, **named: object) -> object:
        plain = trying() and not rest and not named.get("return_dict") and x is _other_validation()
        known = _known.get(hash(b"".join(one.tobytes() for one in model.get_weights()))) if plain else None
        result = real(model, x, *rest, **named) if known is None else known
        measured.append((x, result))
        return result

    keras.Model.evaluate = evaluate
    try:
        yield measured
    finally:
        keras.Model.evaluate = real


def _playing(losses: list[float]) -> dict:
    """Return logs in which the other metrics have their bests elsewhere."""
    return {
        "loss": [1.0 + 0.1 * n for n in range(len(losses))],
        "accuracy": [0.9 - 0.1 * n for n in range(len(losses))],
        "val_loss": losses,
        "val_accuracy": [0.5 - 0.1 * n for n in range(len(losses))],
    }


def _without_a_file(saver: ModelCheckpoint, file: Path, losses: list[float]) -> Verdict | None:
    number_text(saver)
    driven = drive(fresh(saver), _playing(losses), model=FakeModel(write=False))
    if not driven.saves or driven.saves[0].epoch > 0:
        threshold = saver.best
        told = f" Your threshold is {threshold!r}." if threshold is not None else ""
        return wrong(
            f"Without a file there is nothing to beat, so the first epoch should be saved. It was not.{told}", 0.2,
            guess="None says that there is nothing to beat.",
        )  # fmt: skip
    if driven.saves[0].path != file:
        told = f"It saves to `{driven.saves[0].path.name}`, not to the `file` that was passed."
        return wrong(told, 0.2, guess="")
    if driven.saves[0].weights_only:
        return wrong("It saves only weights; the model was asked for.", 0.2)
    if driven.saved_epochs != (0, 1):
        found = causes(
            saver, _SAVER_WISHES,
            lambda one: drive(fresh(one), _playing(losses), model=FakeModel(write=False)).saved_epochs == (0, 1),
        )  # fmt: skip
        played = ", ".join(f"{loss:.2f}" for loss in losses)
        named = sentences(saver, found, _SAVER_WISHES, list(_WATCHED), _SAVER_TOLD)
        told = (
            f"Without a file, with `val_loss` {played}, epochs 1 and 2 should be saved. Yours saved "
            f"{_epochs(driven.saved_epochs)}."
        )
        return wrong(f"{told} {named}".strip(), 0.2, None if named else "")
    return None


Kept = tuple[float, float]


def _with_a_file(
    saver: ModelCheckpoint, file: Path, kept: Kept, before: Kept | None, measured: list[tuple[object, object]]
) -> Verdict | None:
    threshold, loss = saver.best, kept[0]
    if isinstance(threshold, list | tuple | dict):
        return wrong("Your threshold is all that `evaluate` returns. Take the loss: it comes first, `[0]`.", 0.4)
    played = [loss + 0.5, loss + 0.0004, loss - 0.0004, loss - 0.0002, loss - 0.1]
    driven = drive(saver, _playing(played), model=FakeModel(write=False))
    if driven.saved_epochs == (2, 4) and all(save.path == file for save in driven.saves):
        return None
    if any(save.path != file for save in driven.saves):
        told = f"With a file, it saves to `{driven.saves[0].path.name}`, not to the `file` that was passed."
        return wrong(told, 0.4, guess="")
    told = f"With a model in the file whose `val_loss` on `validation` is {loss:.4f}, and then the losses "
    told += ", ".join(f"{value:.4f}" for value in played[:-1])
    told += f" and {played[-1]:.4f}, only the third and the last should be saved. Yours saved "
    told += f"{_epochs(driven.saved_epochs)}."
    cause, guess = _why_other_threshold(saver, threshold, kept, before, measured)
    return wrong(f"{told} {cause}".strip(), 0.4, None if cause else guess)


def _why_other_threshold(
    saver: ModelCheckpoint, threshold: object, kept: Kept, before: Kept | None, measured: list[tuple[object, object]]
) -> tuple[str, str]:
    """Return why a threshold is not the loss of the model in the file, or what to look at."""
    loss, accuracy = kept
    results = [value for _, result in measured for value in (result if isinstance(result, list) else [result])
               if isinstance(value, float)]  # fmt: skip
    if threshold is None:
        lost = " `evaluate` was called, and what it gave did not get there." if measured else ""
        return unread(saver, "initial_value_threshold"), (
            f"The model in the file was overwritten by a worse one: the saver has no `initial_value_threshold`.{lost}"
        )
    try:
        number = float(threshold)
    except (TypeError, ValueError):
        return f"Your threshold is `{threshold!r}`, which is no number.", ""
    if abs(number - loss) < 1e-5:
        found = causes(fresh(saver, initial_value_threshold=None), _SAVER_WISHES, lambda one: True)
        named = sentences(saver, found, _SAVER_WISHES, list(_WATCHED), _SAVER_TOLD)
        return f"Your threshold is right. {named}".strip(), ""
    if abs(number - accuracy) < 1e-6:
        return "Your threshold is the accuracy. `evaluate` returns the loss first.", ""
    if not math.isfinite(number):
        return f"Your threshold is {number}: with it, any model counts as better, or none.", ""
    rounded = next((one for one in results for digits in range(6) if number in (round(one, digits), int(one))), None)
    if rounded is not None and abs(rounded - loss) < 1e-5:
        return f"`evaluate` gave {rounded:.4f}, and your threshold is {number:g}: it was rounded. Take it as it is.", ""
    if before is not None and abs(number - before[0]) < 1e-5:
        return (
            f"Your threshold is {number:.4g}, that of the file of the call before. What a function keeps from one "
            "call to "
            "the next, such as a default value `={}` or a name outside, is made once: measure in each call."
        ), ""
    asked = f"Your threshold is {number:.4g}, and what has to be beaten is {loss:.4g}:"
    if not measured:
        return "", f"{asked} what `evaluate` gives for the model in the `file`. Your function did not call it."
    if len(measured) == 1 and measured[0][0] is not _other_validation():
        return f"{asked} your `evaluate` got other data than the `validation` that is passed.", ""
    return "", f"{asked} the loss of the model in the `file`, on the `validation` that is passed."


def _made(function: Callable, file: Path, validation: object) -> ModelCheckpoint:
    try:
        made = call(function, file, validation)
    except (ValueError, OSError) as error:
        if file.exists() or not ("File not found" in str(error) or isinstance(error, OSError)):
            raise
        raise Wrong(
            "Your function loads a file that is not there yet.", 0.3,
            guess="Ask first: `file.exists()`, and load if it is.",
        ) from error  # fmt: skip
    if made is None:
        there = "when there is a model in the file" if file.exists() else "when there is no file yet"
        raise Wrong(
            f"Your function returned nothing {there}.", 0.2, guess="End each way with `return ModelCheckpoint(...)`."
        )
    return as_callback(made, ModelCheckpoint)


@cache
def _other_validation() -> object:
    return data.load_digits(seed=3).validation


def _keep_a_model(file: Path, seed: int) -> tuple[float, float]:
    """Put a model that has learnt nothing into a file; return its loss and accuracy on the check's data."""
    content, loss, accuracy = _untrained(seed)
    file.write_bytes(content)
    return loss, accuracy


@cache
def _untrained(seed: int) -> tuple[bytes, float, float]:
    layer = keras.layers.Dense(10, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(seed))
    model = keras.Sequential([keras.Input((64,)), layer])
    model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "untrained.keras")
        reached = model.evaluate(_other_validation(), verbose=0)
        _known[hash(b"".join(one.tobytes() for one in model.get_weights()))] = reached
        return (Path(folder) / "untrained.keras").read_bytes(), *reached
