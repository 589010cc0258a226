"""Checks of lesson 04: four places after a training, two callbacks with one best, and going on from a file."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import keras

from helpers import data, replay
from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import (
    RULES,
    Driven,
    FakeModel,
    Fits,
    Wish,
    about_folder,
    about_monitor,
    as_callback,
    as_function,
    as_path,
    by_hand,
    call,
    causes,
    drive,
    fresh,
    number_text,
    parts,
    sentences,
    watched_fits,
    whole,
)

EarlyStopping, ModelCheckpoint = keras.callbacks.EarlyStopping, keras.callbacks.ModelCheckpoint

BY_HAND = (0.90, 0.70, 0.60, 0.65, 0.50, 0.55, 0.60, 0.40)
_PLACES = ("weights_in_memory", "optimizer_in_memory", "best_file", "latest_file")


@exercise("04.1", names=_PLACES)
def four_places(answer: tuple) -> Verdict:
    """Hold four epochs against the real callbacks on the same losses."""
    record = replay.early_stopping(BY_HAND, patience=2, restore_best_weights=True)
    best, last = record.best_epoch + 1, record.epochs_run
    given = tuple(map(whole, parts(answer, _PLACES)))
    for name, number, part in zip(_PLACES, given, answer, strict=True):
        if number is None:
            return wrong(
                f"All four answers are numbers of epochs, so whole numbers, counted from 1. `{name}` is `{part!r}`."
            )
    wanted = (best, last, best, last)
    if given == wanted:
        return right(f"Weights of epoch {best} beside an optimizer of epoch {last}; and two files, {best} and {last}.")
    if given == tuple(number - 1 for number in wanted):
        return wrong("All four are one too small: you counted from 0. People count from 1.", credit=0.5)
    found = []
    for rule, words in RULES.items():
        ran, kept = by_hand(BY_HAND, 2, rule)
        if given == (kept, ran, kept, ran) and len(BY_HAND) not in given:
            return wrong(
                f"So it would be where {words}. Epoch {best} is a new best and sets the counter to 0; with epoch "
                f"{last} "
                "it reaches 2.", credit=0.2
            )  # fmt: skip
    if len(BY_HAND) in given:
        found.append("Epoch 8 never comes: after epoch 7 there were two epochs in a row without improvement.")
    reasons = (
        ("The weights in memory", _why_not_these_weights), ("The optimizer in memory", _why_not_this_optimizer),
        ("`best.keras`", _why_not_best), ("`latest.keras`", _why_not_latest),
    )  # fmt: skip
    for (place, why), number, want in zip(reasons, given, wanted, strict=True):
        if number not in (want, len(BY_HAND)):
            found.append(f"{place}: {why(number, best, last)}")
    hits = sum(one == other for one, other in zip(given, wanted, strict=True))
    start = f"{hits} of 4 {'is' if hits == 1 else 'are'} right. " if hits else ""
    return wrong(start + " ".join(found), credit=hits / 4)


def _why_not_these_weights(given: int, best: int, last: int) -> str:
    if given == last:
        return f"epoch {last} was the last. `restore_best_weights=True` brings the best back."
    if given == best - 1:
        return f"not epoch {given}. Which epoch was the best of those that ran? Count from 1."
    return f"not epoch {given}. Which epoch was the best of those that ran?"


def _why_not_this_optimizer(given: int, best: int, last: int) -> str:
    if given > len(BY_HAND):
        return (
            f"{given} is no epoch, there are only {len(BY_HAND)}. Asked for is the epoch that it is of, not its steps."
        )
    if given == best:
        return "`EarlyStopping` restores weights, and nothing else. The optimizer stays at the last epoch."
    return f"not epoch {given}. It is touched by nothing but training, so it is that of the last epoch that ran."


def _why_not_best(given: int, best: int, last: int) -> str:
    if given == last:
        return "with `save_best_only=True` it is written only when the loss is better than all before."
    if given < best - 1:
        return "a later epoch was better, and training had not stopped by then. Write the counter below each loss."
    return f"not epoch {given}. Which epoch was the best of those that ran? Count from 1."


def _why_not_latest(given: int, best: int, last: int) -> str:
    if given == best:
        return (
            "without `save_best_only` it is written after every epoch, good or bad. The best weights come back only "
            "when "
            "the training has ended, and then nothing is saved any more."
        )
    return f"not epoch {given}. It is written after each epoch that ran, up to the last."


# -- 04.2 ------------------------------------------------------------------------------------------------------------

# Each metric has its best in another epoch. The best accuracy is a small gain, for those who set min_delta.
_WATCHED = {
    "loss": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.09, 0.08, 0.07],
    "accuracy": [0.75, 0.74, 0.73, 0.72, 0.71, 0.70, 0.69, 0.68, 0.67, 0.66, 0.65, 0.64, 0.63],
    "val_loss": [1.1, 0.9, 0.8, 0.85, 0.87, 0.88, 0.89, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96],
    "val_accuracy": [0.30, 0.40, 0.45, 0.50, 0.20, 0.5005, 0.48, 0.47, 0.46, 0.45, 0.44, 0.43, 0.42],
}
_STOPPER: dict[str, Wish] = {
    "monitor": Wish("val_accuracy"),
    "patience": Wish(4),
    "restore_best_weights": Wish(True, fits=bool),
    "mode": Wish("auto", fits=lambda mode: mode in ("auto", "max")),
}
_SAVER: dict[str, Wish] = {
    "monitor": Wish("val_accuracy"),
    "save_best_only": Wish(True, fits=bool),
    "save_weights_only": Wish(False, fits=lambda value: not value),
    "mode": Wish("auto", fits=lambda mode: mode in ("auto", "max")),
}
_BY_MODE = 'With `mode="{}"` it takes a falling accuracy for an improvement. Look at its `mode`.'
_STOPPER_TOLD: dict[str, Callable[[object], str]] = {
    "monitor": lambda name: about_monitor(name, list(_WATCHED), "val_accuracy"),
    "mode": _BY_MODE.format,
    "patience": lambda value: f"It has `patience={value!r}`; asked for are 4 epochs.",
    "min_delta": lambda value: (
        f"With `min_delta={value!r}` a small gain, of that size or less, does not count, and for the file it does. "
        "Look at "
        "`min_delta`."
    ),
    "restore_best_weights": lambda _: (
        "The weights of the best epoch come back only if you say so. Look at `restore_best_weights`."
    ),
}
_SAVER_TOLD: dict[str, Callable[[object], str]] = {
    "monitor": lambda name: about_monitor(name, list(_WATCHED), "val_accuracy"),
    "mode": _BY_MODE.format,
    "save_best_only": lambda _: "It writes the file after every epoch. Look at `save_best_only`.",
    "save_weights_only": lambda _: (
        "Only weights are saved. The whole model was asked for: leave `save_weights_only` alone."
    ),
    "save_freq": lambda value: f"`save_freq={value!r}` saves within an epoch, where there is no `val_accuracy` yet.",
}


@cache
def _one_best_plays() -> list[dict]:
    rng = random.Random(42)
    plays = [_WATCHED]
    for _ in range(5):
        plays.append({name: [rng.uniform(0.02, 0.98) for _ in range(13)] for name in _WATCHED})
        best, values = 0.1, []
        while len(values) < 13:
            best += rng.choice((0.0004, 0.004, 0.04))
            values += [best, *[rng.choice((best, best - rng.uniform(0, 0.2))) for _ in range(rng.randint(0, 4))]]
        plays[-1]["val_accuracy"] = values[:13]
    # The best epoch is the first, or the second: who leaves out the beginning has another best.
    for best in (0, 1):
        values = [0.9 - 0.05 * abs(epoch - best) for epoch in range(13)]
        plays.append({**_WATCHED, "val_accuracy": values})
    return plays


Record = tuple[int, bool, int | None, tuple]


def _record(callbacks: list, logs: dict) -> tuple[Record, Driven]:
    driven = drive(callbacks, logs, batches=1, model=FakeModel(write=False))
    saves = tuple((save.epoch, save.batch, save.weights_only, save.path) for save in driven.saves)
    return (driven.epochs_run, driven.stopped, driven.kept_epoch, saves), driven


@cache
def _wanted(file: Path) -> list[Record]:
    pair = [EarlyStopping(**_values(_STOPPER)), ModelCheckpoint(file, **_values(_SAVER))]
    return [_record([fresh(one) for one in pair], logs)[0] for logs in _one_best_plays()]


def _values(wishes: dict[str, Wish]) -> dict[str, object]:
    return {name: wish.value for name, wish in wishes.items()}


@exercise("04.2", names=("one_best", "album_file"))
def one_best(answer: tuple) -> Verdict:
    """Play trainings with the learner's list, and compare what is in memory with what was saved last."""
    callbacks, file = parts(answer, ("one_best", "album_file"))
    if isinstance(callbacks, keras.callbacks.Callback) or not isinstance(callbacks, list | tuple):
        return wrong("Expected a list with both callbacks: `[EarlyStopping(...), ModelCheckpoint(...)]`.")
    for one in callbacks:
        number_text(as_callback(one))
    stopper = next((one for one in callbacks if isinstance(one, EarlyStopping)), None)
    saver = next((one for one in callbacks if isinstance(one, ModelCheckpoint)), None)
    if stopper is None:
        return wrong("There is no `EarlyStopping` in your list: nothing stops the training.", credit=0.2)
    if saver is None:
        return wrong("There is no `ModelCheckpoint` in your list: nothing writes the file.", credit=0.2)
    file = as_path(file, "album_file")
    wanted = _wanted(file)
    slips = [
        f"`{type(one).__name__}`: {about_monitor(one.monitor, list(_WATCHED), 'val_accuracy')}"
        for one in (stopper, saver)
        if not isinstance(one.monitor, str) or one.monitor not in _WATCHED
    ]
    if slips:
        return wrong(" ".join(slips), credit=0.2)
    found = _causes(callbacks, stopper, saver, file, wanted)
    for number, logs in enumerate(_one_best_plays()):
        mine, driven = _record([fresh(one) for one in callbacks], logs)
        if mine != wanted[number]:
            told = _told(mine, wanted[number], driven, file, logs)
            faults = sum(map(len, found.values()))
            named = " ".join(
                sentences(one, ones, wishes, list(_WATCHED), words, who=f"`{kind.__name__}`:")
                for one, kind, ones, wishes, words in (
                    (stopper, EarlyStopping, found["stopper"], _STOPPER, _STOPPER_TOLD),
                    (saver, ModelCheckpoint, found["saver"], _SAVER, _SAVER_TOLD),
                )
                if ones
            )
            other = next((save.path.name for save in driven.saves if save.path.name != file.name), "")
            if other and other not in told:
                named += f" And it writes `{other}`, not `{file.name}`."
            if stopper.monitor != saver.monitor and named:
                named += " Two monitors, two bests."
            return wrong(f"{told} {named}".strip(), max(0.0, 0.9 - 0.15 * max(faults, 1)), None if named else "")
    best = wanted[0][2]
    return right(f"Stopped after epoch {wanted[0][0]}, and epoch {best + 1} is in memory and in the file.")


def _causes(callbacks: list, stopper: object, saver: object, file: Path, wanted: list[Record]) -> dict[str, dict]:
    """Find the settings at fault in each of the two, the other one being as it should be."""
    perfect = {"stopper": EarlyStopping(**_values(_STOPPER)), "saver": ModelCheckpoint(file, **_values(_SAVER))}

    def is_right(one: object, other: object) -> bool:
        pairs = zip(_one_best_plays(), wanted, strict=True)
        try:
            return all(_record([fresh(one), fresh(other)], logs)[0] == want for logs, want in pairs)
        except ValueError:  # a name that belongs to weights alone
            return False

    elsewhere = fresh(saver, filepath=str(file))
    found = {"stopper": {}, "saver": {}}
    if not is_right(stopper, perfect["saver"]):
        found["stopper"] = causes(stopper, _STOPPER, lambda one: is_right(one, perfect["saver"]))
    if not is_right(elsewhere, perfect["stopper"]):
        found["saver"] = causes(elsewhere, _SAVER, lambda one: is_right(one, perfect["stopper"]))
    return found


def _told(mine: Record, want: Record, driven: Driven, file: Path, logs: dict) -> str:
    """Tell what is in memory and in the file after a training that went otherwise than it should."""
    case = "" if logs is _WATCHED else (
        f"With `val_accuracy` {', '.join(f'{value:.4g}' for value in logs['val_accuracy'][: driven.epochs_run])}: "
    )  # fmt: skip
    epochs, stopped, kept, _ = mine
    if (epochs, stopped) != want[:2]:
        ran = f"Stopped after epoch {epochs}" if stopped else "It never stopped"
        should = f"a stop after epoch {want[0]}" if want[1] else "that nothing stops it"
        return f"{case}{ran}; expected {should}."
    into = [save for save in driven.saves if save.path == file]
    if driven.saves and not into:
        elsewhere = driven.saves[0].path
        if elsewhere.name == file.name:
            return (
                f"{case}It writes `{file.name}`, but elsewhere. {about_folder(elsewhere, 'album_file')} Pass the "
                "variable `album_file` as the file."
            )
        names = ", ".join(sorted({save.path.name for save in driven.saves}))
        return f"{case}It writes {names}, and not `{file.name}`. Pass `album_file` as the file."
    best = want[2]
    if not into:
        return f"{case}Nothing was saved; the best was epoch {best + 1}."
    if into[-1].epoch != best:
        return f"{case}The best was epoch {best + 1}, and the file holds epoch {into[-1].epoch + 1}."
    if kept != best:
        held = "an earlier training" if kept is None else f"epoch {kept + 1}"
        return f"{case}The file holds epoch {best + 1}, the best, but the model in memory holds the weights of {held}."
    return f"{case}The file was written {len(into)} times, expected {len(want[3])}: only for a new best."


# -- 04.3 ------------------------------------------------------------------------------------------------------------


_GO_ON_PIECES = {"10": "the number of batches in an epoch, 10"}


@exercise("04.3", pieces=_GO_ON_PIECES)
def go_on(answer: object) -> Verdict:
    """Train a small model, keep files of several epochs, and compare what the function makes of each."""
    function = as_function(answer, "path")
    with tempfile.TemporaryDirectory() as folder:
        whole_run = _train()
        for done in (2, 1):
            # Its name says nothing: who reads the epoch from it has read nothing.
            path = Path(folder) / f"{'ab'[done - 1]}.keras"
            path.write_bytes(whole_run.files[done])
            try:
                with watched_fits(train=not trying()) as fits:
                    rest = call(function, path)
            except ValueError as error:
                if not any(word in str(error) for word in ("could not be loaded", "Layer", "set_weights")):
                    raise
                return wrong(
                    "Weights were loaded into a model of another form. The files of the check hold a model of their "
                    "own, and the whole of it: `load_model` brings it with its optimizer.", credit=0.2
                )  # fmt: skip
            if trying():
                if not _would_go_on(rest, fits, whole_run, done):
                    return wrong("")
                continue
            told, guess = _went_on_wrongly(rest, fits, whole_run, done, function)
            if told:
                again = "" if done == 2 else f"A file of epoch 2 is right. With one of epoch {done}: "
                return wrong(f"{again}{told}", 0.3, guess)
            if path.read_bytes() != whole_run.files[done]:
                return wrong("The numbers are right, but your function changed the file. It should only read it.", 0.7)
    return right("From two files, it counted on and did exactly what the training would have done.")


def _would_go_on(rest: object, fits: Fits, run: _Whole, done: int) -> bool:
    """Say whether `fit`, which did not train, was told to go on as it should."""
    if len(fits.made) != 1 or not isinstance(rest, keras.callbacks.History):
        return False
    fit = fits.made[0]
    return (
        fits.was_loaded(fit.model)
        and list(fit.epochs) == [done, done + 1]
        and fit.steps == done * run.steps
        and fit.learning_rate == fits.rates[-1]
        and fit.given.get("validation_data") is not None
        and not {"batch_size", "validation_split", "steps_per_epoch", "callbacks"} & set(fit.given)
        and _batches(fit.given.get("x")) == run.steps
    )


def _batches(data: object) -> int:
    try:
        return len(data)
    except TypeError:
        return -1


class _Whole:
    """A training that never broke off: its history, and the bytes of the file after each epoch."""

    def __init__(self, history: keras.callbacks.History, files: dict[int, bytes]):
        self.history, self.files, self.steps = history.history, files, history.params["steps"]


@cache
def _train() -> _Whole:
    digits = data.load_digits(train_rows=300, label_noise=0.2)
    layer = keras.layers.Dense(10, activation="softmax", kernel_initializer=keras.initializers.GlorotUniform(1))
    model = keras.Sequential([keras.Input((64,)), layer])
    model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        saver = ModelCheckpoint(Path(folder) / "{epoch}.keras")
        history = model.fit(digits.train, validation_data=digits.validation, epochs=4, callbacks=[saver], verbose=0)
        files = {epoch: (Path(folder) / f"{epoch}.keras").read_bytes() for epoch in (1, 2)}
    return _Whole(history, files)


def _went_on_wrongly(rest: object, fits: Fits, run: _Whole, done: int, function: Callable) -> tuple[str, str | None]:
    """Say what is wrong with the epochs trained from the file of epoch `done`, and a guess; "" for nothing."""
    if rest is None:
        return "Your function returned nothing.", "Return what `fit` returns."
    if not isinstance(rest, keras.callbacks.History):
        return "Return what `fit` returns, the `History`, and not the model or a part of it.", None
    ordered = [[epoch + 1 for epoch in fit.epochs] for fit in fits.made]
    if len(ordered) > 1:
        listed = "; then ".join(", ".join(map(str, epochs)) for epochs in ordered)
        return (
            f"For a file of epoch {done}, the next are {done + 1} and {done + 2}. Your function called `fit` "
            f"{len(ordered)} times, with epochs {listed}. What it returns tells of one of them alone, and each "
            "trains on. "
            "Ask the optimizer first, then train both epochs in one `fit`."
        ), None
    if list(rest.epoch) != [done, done + 1]:
        return _why_other_epochs(list(rest.epoch), done, run.steps), ""
    if "val_loss" not in rest.history:
        return "The epochs are right, but nothing was validated. Pass `validation_data=` too.", None
    losses, wanted = rest.history["val_loss"], run.history["val_loss"][done : done + 2]
    steps, expected = int(rest.model.optimizer.iterations), (done + 2) * run.steps
    if max(abs(one - other) for one, other in zip(losses, wanted, strict=True)) < 1e-4 and steps == expected:
        return "", None
    told = f"The epochs are right, but not the losses: `val_loss` is {losses[0]:.4f} in place of {wanted[0]:.4f}."
    return f"{told} {_why_other_losses(rest, fits, run, done, function)}", None


def _why_other_losses(rest: keras.callbacks.History, fits: Fits, run: _Whole, done: int, function: Callable) -> str:
    """Say in what the training differed from that of the file: its model, optimizer, data, or how it was called."""
    fit, steps, expected = fits.made[-1], int(rest.model.optimizer.iterations), (done + 2) * run.steps
    new = "So a new model was trained, without what the file holds: `load_model(path)` brings all of it."
    if not fits.was_loaded(fit.model):
        outside = [name for name, value in function.__globals__.items() if value is fit.model and name[0] != "_"]
        if outside:
            return (
                f"The model that was trained is `{outside[0]}`, one from outside your function, and not the one of "
                "`path`. What `load_model(path)` returns has to be trained."
            )
        # Under a name of the learner's own, `load_model` is not seen: then the losses tell.
        losses, wanted = rest.history["val_loss"], run.history["val_loss"][done : done + 2]
        first = abs(losses[0] - run.history["val_loss"][0]) < 1e-4
        if fits.loaded or first or (losses[0] > 1.2 * wanted[0] and fit.steps == 0):
            return new
    if fit.steps != done * run.steps:
        anew = " So it began anew. Compile nothing: `load_model` has done it." if fit.steps == 0 else ""
        return (
            f"The optimizer had made {fit.steps} steps when `fit` began, and not {done * run.steps} as in the "
            f"file.{anew} "
            f"Now it has {steps}, expected {expected}."
        )
    if fits.rates and abs(fit.learning_rate - fits.rates[-1]) > 1e-9:
        return (
            f"The optimizer's `learning_rate` is {fit.learning_rate:.4g}, and in the file it is "
            f"{fits.rates[-1]:.4g}: leave "
            "it as it was loaded."
        )
    mine, theirs = rest.history["loss"], run.history["loss"][done : done + 2]
    if max(abs(one - other) for one, other in zip(mine, theirs, strict=True)) < 1e-4:
        return "The training `loss` is right. So it is validated on other data: pass `digits.validation`."
    if steps != expected:
        return (
            f"The optimizer has made {steps} steps, expected {expected}: an epoch of yours has "
            f"{(steps - fit.steps) // 2}, "
            f"one of `digits.train` has {run.steps}. It is other data, or other batches."
        )
    extra = sorted(set(fit.given) - {"x", "validation_data", "initial_epoch", "epochs", "verbose", "callbacks"})
    if extra:
        return (
            f"Model and optimizer are those of the file. What is left is what `fit` got: {_and(extra)}, or other data."
        )
    return (
        "The model is that of the file, and its optimizer has the right steps and rate. What is left: the data, which "
        "should be `digits.train`, or weights that were changed after loading."
    )


def _and(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _why_other_epochs(epochs: list[int], done: int, steps: int) -> str:
    told = f"For a file of epoch {done}, the next are {done + 1} and {done + 2}."
    if not epochs:
        return f"{told} Yours trained nothing: `epochs` is the number of the last epoch, not how many more."
    counted = ", ".join(str(epoch + 1) for epoch in epochs[:5]) + (", …" if len(epochs) > 5 else "")
    has = f"How far a file has come stands in its optimizer, not in its name: this one has made {done * steps} steps."
    if epochs[0] == 0:
        return f"{told} Yours began to count at 1: {counted}, so `initial_epoch` was 0. {has}"
    if epochs[0] == done * steps:
        return (
            f"{told} Yours are {counted}: the optimizer counts steps, one for each batch. An epoch here "
            f"has {steps} of them; divide by as many as `digits.train` has batches."
        )
    if abs(epochs[0] - done) == 1:
        return f"{told} Yours are {counted}. `initial_epoch` is the number of epochs that are done, {done} here."
    if epochs[0] != done:
        return f"{told} Yours are {counted}. {has}"
    return f"{told} Yours are {counted}. `epochs` is the number of the last one."
