"""Checks of lesson 01: a LambdaCallback that collects, a callback that stops, and the order of a list."""

from __future__ import annotations

import csv
import math
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path

import keras

from helpers.checks._core import Verdict, Wrong, exercise, not_attempted, right, wrong
from helpers.checks.scripted import Driven, FakeModel, as_callback, drive, misspelt_hooks

Callback = keras.callbacks.Callback

# Every number differs, so that a wrong one tells where it came from.
_COLLECTED = {
    "loss": [1.5, 1.1, 0.7],
    "accuracy": [0.41, 0.62, 0.83],
    "val_loss": [1.6, 1.3, 1.2],
    "val_accuracy": [0.34, 0.55, 0.56],
}


@exercise("01.1")
def collect(answer: tuple) -> Verdict:
    """Play three epochs and hold what was appended against the script."""
    collector, seen = answer
    if isinstance(collector, types.FunctionType):
        return wrong("A function alone is no callback. Give it to one: `LambdaCallback(on_epoch_end=...)`.")
    as_callback(collector)
    if not isinstance(seen, list):
        return wrong("`seen` should stay a list: the check looks at what `collector` appends to it.")
    before = list(seen)
    try:
        drive(collector, _COLLECTED, batches=2, validation_batches=1)
        found = seen[len(before) :]
        kept = seen[: len(before)] == before
    except KeyError as error:
        # A function that comes without a name becomes LambdaCallback's first argument, and nobody sees it.
        if error.args[0] in _COLLECTED and "on_epoch_begin" in vars(collector):
            raise Wrong(
                "Your function was called at `on_epoch_begin`, where `logs` is still empty. (That is also where "
                "`LambdaCallback` puts a function that is given without a name.) Write `on_epoch_end=...`."
            ) from error
        raise
    finally:
        seen[:] = before
    expected = _COLLECTED["val_accuracy"]
    if not kept:
        return wrong("The list lost what it held before. Append to `seen`; do not empty or replace it.")
    if found == expected:
        return right("One validation accuracy for each epoch, in order.")
    return wrong(_why_not_collected(collector, found, expected))


def _why_not_collected(collector: Callback, found: list, expected: list) -> str:
    if not found:
        strange = _unknown_hooks(collector)
        if strange:
            return f"Nothing was appended. Keras knows no hook `{strange[0]}`; the end of an epoch is `on_epoch_end`."
        return "Three epochs were played, and nothing was appended. Does your function call `seen.append(...)`?"
    if any(isinstance(value, dict) for value in found):
        return 'You appended the whole `logs`. Take one value out of it: `logs["val_accuracy"]`.'
    if found == [0, 1, 2]:
        return 'You appended the number of the epoch. The value is `logs["val_accuracy"]`.'
    for name, values in _COLLECTED.items():
        if found == values:
            return f"You collected `{name}`. Asked for is the validation accuracy, `val_accuracy`."
    if found == expected[-1:]:
        return "Only the last epoch's value was appended: that hook is called once a fit. Which is called every epoch?"
    if len(found) > len(expected):
        return f"Three epochs gave {len(found)} values. Which hook is called exactly once in each epoch?"
    return f"Three epochs should give {expected}; your list got {found}."


def _unknown_hooks(answer: Callback | type[Callback]) -> list[str]:
    """Name what looks like a hook and is none, in the class or, as LambdaCallback keeps it, in the object."""
    kind = answer if isinstance(answer, type) else type(answer)
    own = [*vars(answer), *(name for base in kind.__mro__ if issubclass(base, Callback) for name in vars(base))]
    named = [name for name in own if name.startswith("on_") and not hasattr(Callback, name)]
    return list(dict.fromkeys([*named, *misspelt_hooks(kind)]))


# Training accuracy is ahead of validation, the target is met exactly, and the value falls again afterwards.
_RISING = {
    "loss": [1.5, 1.1, 0.8, 0.6, 0.5, 0.4],
    "accuracy": [0.5, 0.8, 0.9, 0.95, 0.97, 0.99],
    "val_loss": [1.6, 1.3, 1.1, 1.0, 0.95, 0.97],
    "val_accuracy": [0.25, 0.5, 0.625, 0.75, 0.875, 0.5],
}
_TARGET = 0.75


@exercise("01.2")
def good_enough(answer: type) -> Verdict:
    """Play trainings that reach the target exactly, from the start, and never."""
    if not isinstance(answer, type):
        return wrong("Pass the class itself, without parentheses: `GoodEnough`.")
    if not issubclass(answer, Callback):
        return wrong("`GoodEnough` should inherit from `Callback`: `class GoodEnough(Callback):`.")
    if not any(name != "__init__" and callable(value) for name, value in vars(answer).items()):
        return not_attempted("There is no hook in the class yet. Its `def` is indented as far as that of `__init__`.")
    ran = _played([answer(_TARGET)])
    if ran.epochs_run != 4 or not ran.stopped:
        return wrong(_why_not_stopped(answer, ran))
    if not _played([answer(0.7)]).stopped:
        return wrong(
            "With `target=0.75` it ends after the epoch that has exactly 0.75. With `target=0.7` it never ends: there, "
            '0.75 is more than the target. "At least" is `>=`, not `==`.'
        )
    if _played([answer(0.99)]).stopped:
        return wrong(
            "With `target=0.99`, which is never reached, it stopped all the same. Compare with `self.target`, "
            "not with a fixed number."
        )
    if not _played([_StopsAfterTwo(), answer(0.99)]).stopped:
        return wrong(
            "Alone it works. But when another callback in the list has said stop, yours takes that back by setting the "
            "flag to False. Set it to True in an `if`, and otherwise leave it alone."
        )
    return right("It ends right after the first epoch that reaches the target, and lets all others run.")


class _StopsAfterTwo(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            self.model.stop_training = True


def _played(callbacks: list[Callback], logs: dict | None = None) -> Driven:
    return drive(callbacks, logs or _RISING, batches=2, validation_batches=1, model=FakeModel())


def _asks_another(answer: type[Callback]) -> bool:
    """Say whether it ends with a validation accuracy of 0 and of 1 alike, the other numbers being what they are."""
    return any(
        all(
            _played([answer(_TARGET)], {name: [x if "val_acc" in name else y] * 3 for name in _RISING}).stopped
            for x in (0.0, 1.0)
        )
        for y in (0.0, 9.0)
    )


def _why_not_stopped(answer: type[Callback], ran: Driven) -> str:
    told = f"With `target={_TARGET}` and `val_accuracy` of {_RISING['val_accuracy']} it should end after epoch 4."
    if ran.epochs_run != 2 and _asks_another(answer):
        ended = f"ended after epoch {ran.epochs_run}" if ran.stopped else "never ended"
        return f"{told} It {ended}, and does not depend on `val_accuracy`. Compare that one with `self.target`."
    if not ran.stopped:
        strange = _unknown_hooks(answer)
        if strange:
            return f"{told} It never ended: Keras knows no hook `{strange[0]}`. Look at its name again."
        return (
            f"{told} It never ended. `fit` looks at one flag: `self.model.stop_training`, with `self.`, so that it is "
            "the model in training."
        )
    after = f"{told} It ended after epoch {ran.epochs_run}."
    if ran.epochs_run == 5:
        return f"{after} Reaching the target exactly counts: `>=`, not `>`."
    if ran.epochs_run == 2:
        return f"{after} There `accuracy` passed the target: that is the training data. Use `val_accuracy`."
    if ran.epochs_run == 1:
        return f"{after} Which way round is the comparison?"
    return f'{after} Compare `logs["val_accuracy"]` with `self.target`.'


# The second fit is worse throughout, beyond any start value that is no infinity: a best that survives would show.
_FIRST = {"loss": [0.9, 0.6, 0.4, 0.2], "val_loss": [0.75, 0.5, 0.625, 0.25]}
_SECOND = {"loss": [1900.0, 1600.0, 1400.0], "val_loss": [1500.0, 1750.0, 1250.0]}


@exercise("01.3")
def own_column(answer: Sequence) -> Verdict:
    """Play two fits with the list and read what its CSVLogger wrote."""
    if not isinstance(answer, list | tuple):
        return wrong("`callbacks` should be a list: `[..., ...]`.")
    for callback in answer:
        as_callback(callback)
    loggers = [callback for callback in answer if isinstance(callback, keras.callbacks.CSVLogger)]
    if len(loggers) != 1:
        return wrong(f"The list needs exactly one `CSVLogger(log)`; it has {len(loggers)}.")
    rows = _written(answer, loggers[0], _FIRST)
    if "best" not in rows[0]:
        return wrong(_why_no_column(list(answer), loggers[0]))
    missing = [number for number, row in enumerate(rows, start=1) if row["best"] == "NA"]
    if missing:
        return wrong(
            f"In epoch {missing[0]} the file says NA: `best` was not in `logs`. Put it in after each epoch, also when "
            "the epoch was no better."
        )
    found = [float(row["best"]) for row in rows]
    lowest = [min(_FIRST["val_loss"][: n + 1]) for n in range(4)]
    if found != lowest:
        return wrong(_why_not_lowest(found, lowest))
    again = [float(row["best"]) for row in _written(answer, loggers[0], _SECOND)]
    if again != [1500.0, 1500.0, 1250.0]:
        told = f"The first fit is right. The second, with `val_loss` {_SECOND['val_loss']}, wrote {again}: "
        if again == [lowest[-1]] * 3:
            return wrong(f"{told}it still remembers the first. Start anew in `on_train_begin`.")
        return wrong(f'{told}its first value is too low for such losses. Begin with `float("inf")`.')
    return right("The file has its column `best`, and each fit starts afresh.")


def _written(callbacks: Sequence, logger: keras.callbacks.CSVLogger, logs: dict) -> list[dict]:
    """Play one fit whose log goes to a file of its own, so that the learner's file stays as it was."""
    filename = logger.filename
    with tempfile.TemporaryDirectory() as folder:
        logger.filename = str(Path(folder) / "log.csv")
        try:
            drive(list(callbacks), logs)
            with open(logger.filename, newline="") as file:
                return list(csv.DictReader(file, delimiter=logger.sep))
        finally:
            logger.filename = filename


def _why_no_column(callbacks: list, logger: keras.callbacks.CSVLogger) -> str:
    others = [callback for callback in callbacks if callback is not logger]
    if not others:
        return "The file has no column `best`. The list holds only the `CSVLogger`: your own callback is missing."
    strange = [name for callback in others for name in _unknown_hooks(callback)]
    if strange:
        return f"The file has no column `best`. Keras knows no hook `{strange[0]}`, so it was never called."
    added = drive(others, _FIRST).logs_added
    if "best" in added:
        return (
            "`best` gets into `logs`, but the file has no such column: the `CSVLogger` comes first in the list and has "
            "written its line by then. Makers before users."
        )
    if added:
        return f"The file has no column `best`. Your callback adds {', '.join(f'`{name}`' for name in sorted(added))}."
    return 'The file has no column `best`. Put the number into the `logs` that you are given: `logs["best"] = ...`.'


def _why_not_lowest(found: list[float], lowest: list[float]) -> str:
    told = f"`val_loss` was {_FIRST['val_loss']}, so `best` should be {lowest}. The file says {found}."
    if found == _FIRST["val_loss"]:
        return f"{told} That is each epoch's own value. Keep the lowest so far in `self.best`."
    if found == _FIRST["loss"]:
        return f"{told} That is `loss`, from the training data. Asked for is `val_loss`."
    if found == [max(_FIRST["val_loss"][: n + 1]) for n in range(4)]:
        return f"{told} That is the highest so far. For a loss, lower is better."
    if set(found) == {0.0}:
        return f'{told} Nothing is lower than the 0 it begins with. Begin with `float("inf")`.'
    if set(found) == {math.inf}:
        return f"{told} Nothing is higher than infinity. For a loss, lower is better: `min`, not `max`."
    if max(found) < min(_FIRST["val_loss"]):
        return f"{told} It remembers a lower one from an earlier fit. Start anew in `on_train_begin`."
    return told
