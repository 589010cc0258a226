"""Checks of lesson 01: a LambdaCallback that collects, a callback that stops, and the order of a list.

What is asked is written once as a plain function, with a `twist` for each usual mistake. An answer plays curves by hand
and curves at random, off any grid; a mistake is named when the rule with its twist does all that the answer did.
"""

from __future__ import annotations

import csv
import math
import random
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path

import keras

from helpers.checks._blame import HOOKS
from helpers.checks._core import Verdict, Wrong, exercise, not_attempted, right, wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import (
    FakeModel,
    about_moment,
    about_stopping,
    as_callback,
    drive,
    made_by,
    named_outside,
    parts,
    strange_hook,
)

Callback = keras.callbacks.Callback
NAMES = ("loss", "accuracy", "val_loss", "val_accuracy")
Logs = dict[str, list[float]]

# Every number differs, so that a wrong one tells where it came from; none is round.
_COLLECTED: Logs = {
    "loss": [1.503, 1.107, 0.713],
    "accuracy": [0.4113, 0.6217, 0.8319],
    "val_loss": [1.6021, 1.3027, 1.2033],
    "val_accuracy": [0.3439, 0.5641, 0.5547],
}
_CALLED_ONCE = "is called once a fit. Which is called once in every epoch?"


def _at_random(rng: random.Random, epochs: int) -> Logs:
    return {name: [rng.uniform(0.05, 0.95) for _ in range(epochs)] for name in NAMES}


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


@exercise(
    "01.1",
    names=("collector", "seen"),
    pieces={'{1}["val_accuracy"]': "the validation accuracy of the epoch, out of `logs`"},
)
def collect(answer: tuple) -> Verdict:
    """Play two fits and hold what was appended in each against the script."""
    collector, seen = parts(answer, ("collector", "seen"))
    if isinstance(collector, types.FunctionType):
        return wrong("A function alone is no callback. Give it to one: `LambdaCallback(on_epoch_end=...)`.")
    as_callback(collector)
    if not isinstance(seen, list):
        return wrong("`seen` should stay a list: the check looks at what `collector` appends to it.")
    before, fits = list(seen), (_COLLECTED, _at_random(random.Random(1), 7))
    found = []
    try:
        for logs in fits:
            already = list(seen)
            driven = drive(collector, logs, batches=2, validation_batches=1)
            if seen[: len(already)] != already:
                return wrong("The list lost or moved what it held before.", guess=(
                    "Append to `seen`: that leaves what is there in its place."
                ))  # fmt: skip
            found.append((seen[len(already) :], driven))
    except KeyError as error:
        # A function that comes without a name becomes LambdaCallback's first argument, and nobody sees it.
        if error.args and error.args[0] in NAMES and "on_epoch_begin" in vars(collector):
            raise Wrong(
                "Your function was called at `on_epoch_begin`, where `logs` is still empty. (That is also where "
                "`LambdaCallback` puts a function that is given without a name.) Write `on_epoch_end=...`."
            ) from error
        raise
    finally:
        seen[:] = before
    for number, (logs, (values, driven)) in enumerate(zip(fits, found, strict=True)):
        expected = logs["val_accuracy"]
        if not _same(values, expected):
            if number == 0:
                return _why_not_collected(collector, values, logs)
            return wrong(
                f"A first fit is right. In a second one with the same object, the epochs had {_listed(expected)}, and "
                f"{_appended(values)}.", credit=0.5, guess="Every epoch of every fit counts."
            )  # fmt: skip
        if driven.logs_changed:
            name = sorted(driven.logs_changed)[0]
            return wrong(
                f"The right values were appended, but `{name}` in `logs` was changed or taken away on the way. All "
                "callbacks share this dictionary: only read from it.", credit=0.5
            )  # fmt: skip
        if driven.stopped:
            return wrong("The right values were appended, but the training was stopped, too. Only collect.", credit=0.5)
    return right("One validation accuracy for each epoch, in order.")


def _same(values: list, expected: list[float]) -> bool:
    return len(values) == len(expected) and all(map(_is, values, expected))


def _is(value: object, expected: float) -> bool:
    try:
        # float32 holds seven digits
        return not isinstance(value, str | bool) and math.isclose(float(value), expected, rel_tol=1e-6)
    except (TypeError, ValueError):
        return False


def _appended(values: list) -> str:
    if not values:
        return "nothing was appended"
    shown = ", ".join(f"{v:.4g}" if isinstance(v, float) else repr(v)[:40] for v in values[:8])
    return f"{shown}{', …' if len(values) > 8 else ''} {'was' if len(values) == 1 else 'were'} appended"


def _why_not_collected(collector: Callback, found: list, logs: Logs) -> Verdict:
    expected = logs["val_accuracy"]
    if not found:
        return _why_nothing(collector)
    if any(isinstance(value, dict) for value in found):
        return wrong('You appended the whole `logs`. Take one value out of it: `logs["val_accuracy"]`.')
    if all(value is None for value in found):
        hook = next((name for name in HOOKS if vars(collector).get(name) is not None and name != "on_epoch_end"), None)
        if hook and vars(collector).get("on_epoch_end") is None:
            return wrong(
                f"You appended None: your function was called at `{hook}`, where `logs` does not hold the name you ask "
                "for. The validation accuracy is known at the end of an epoch: `on_epoch_end=...`."
            )
        return wrong(
            "You appended None, which `logs.get(...)` gives for a name that is not there at that moment.",
            guess='The name is `"val_accuracy"`, letter for letter, and the moment `on_epoch_end`.',
        )
    if found in ([0, 1, 2], [1, 2, 3]):
        return wrong('You appended the number of the epoch. The value is `logs["val_accuracy"]`.')
    for name, values in logs.items():
        if _same(found, values):
            return wrong(f"You collected `{name}`. Asked for is the validation accuracy, `val_accuracy`.")
    told = f"The epochs had {_listed(expected)}, and {_appended(found)}."
    if any(isinstance(value, list | tuple) for value in found):
        return wrong(f"{told} Append the number alone, without brackets and without the epoch.")
    if any(isinstance(value, str) for value in found):
        return wrong(f"{told} That is text. Append the number itself.")
    if _same(found, expected[::-1]):
        return wrong(f"{told} They stand in reverse: `append` puts each at the end.")
    for digits in (4, 3, 2, 1, 0):
        if _same(found, [round(value, digits) for value in expected]):
            return wrong(f"{told} That is rounded. Append the value as it is.")
    factor = found[0] / expected[0] if isinstance(found[0], int | float) else 0
    if _same(found, [factor * value for value in expected]):
        return wrong(f"{told} That is {factor:.4g} times the accuracy. Append the value as it is.")
    if _same(found, expected[1:]):
        return wrong(told, guess="The first epoch is missing. Its number is 0, which counts as false in an `if`.")
    if len(found) == 1:
        return wrong(told, guess=f"That hook {_CALLED_ONCE}" if _is(found[0], expected[-1]) else "One for each epoch.")
    if len(found) > len(expected):
        return wrong(
            f"Three epochs gave {len(found)} values.", guess="Which hook is called exactly once in each epoch?"
        )
    if _same(found, [max(expected[: n + 1]) for n in range(len(expected))]):
        return wrong(f"{told} That is the highest so far. Append each epoch's own value.")
    if len(found) < len(expected):
        return wrong(told, guess="Every epoch should append its value, whatever it is.")
    return wrong(told, guess="Each epoch should append its own `val_accuracy`, unchanged.")


def _why_nothing(collector: Callback) -> Verdict:
    slip = strange_hook(collector)
    if slip:
        return wrong(f"Nothing was appended. {slip} The end of an epoch is `on_epoch_end`.")
    functions = [value for name, value in vars(collector).items() if name in HOOKS and value is not None]
    if not functions and type(collector) is keras.callbacks.LambdaCallback:
        return wrong(
            "Nothing was appended: your `LambdaCallback` has no function for any hook. Give it the function itself, "
            "`on_epoch_end=name`; with brackets, `name()`, it is called at once, and what it returns is handed over."
        )
    functions = [one for one in functions if isinstance(one, types.FunctionType)]
    if any("seen" in one.__code__.co_varnames for one in functions):
        return wrong(
            "Nothing was appended. Your function sets a `seen` of its own, which is gone when it ends. Use "
            "`seen.append(...)`, without `seen = ...` in the function."
        )
    told = "Three epochs were played, and nothing was appended to `seen`."
    filled = next((name for one in functions for name in one.__code__.co_names if name != "seen"
                   and isinstance(one.__globals__.get(name), list) and one.__globals__[name]), None)  # fmt: skip
    if filled:
        return wrong(f"{told} Your function fills another list, `{filled}`. Let it append to `seen` itself.")
    return wrong(told, guess="What should be done in each epoch is `seen.append(...)`, on the list that `seen` names.")


# -- 01.2 ------------------------------------------------------------------------------------------------------------

# Training accuracy is ahead of validation, the target is met exactly, and the value falls again afterwards.
_RISING: Logs = {
    "loss": [1.5, 1.1, 0.8, 0.6, 0.5, 0.4],
    "accuracy": [0.5, 0.8, 0.9, 0.95, 0.97, 0.99],
    "val_loss": [1.6, 1.3, 1.1, 1.0, 0.95, 0.97],
    "val_accuracy": [0.25, 0.5, 0.625, 0.75, 0.875, 0.5],
}
_FALLING: Logs = {**_RISING, "val_accuracy": [0.7071, 0.6161, 0.5252, 0.4343, 0.3434, 0.2525]}
_NEARLY: Logs = {**_RISING, "val_accuracy": [0.7, 0.74, 0.7499, 0.74996, 0.7502, 0.8]}
_TARGET = 0.75
# A target and one fit after another with the same object.
Case = tuple[float, tuple[Logs, ...]]


def _cases() -> list[Case]:
    rng = random.Random(2)
    by_hand: list[Case] = [
        (_TARGET, (_RISING, _RISING)),
        (0.7, (_RISING,)),
        (0.99, (_RISING, _FALLING)),
        (0.6, (_FALLING, _RISING)),
        (0.0, (_FALLING,)),
        (_TARGET, (_NEARLY,)),
    ]
    return by_hand + [
        (rng.uniform(0.3, 0.95), tuple(_at_random(rng, rng.randint(1, 9)) for _ in range(rng.choice((1, 2, 3)))))
        for _ in range(40)
    ]


GOOD_TWISTS = {
    ">": "Reaching the target exactly counts: `>=`, not `>`.",
    "==": "It ends only where the value equals the target to the last digit. \"At least\" is `>=`, not `==`.",
    "<": "It ends where the value is **below** the target. Which way round is the comparison?",
    "<=": "It ends where the value is at or below the target. Which way round is the comparison?",
    "accuracy": "It looks at `accuracy`: that is the training data. Use `val_accuracy`.",
    "accuracy >": "It looks at `accuracy`: that is the training data. Use `val_accuracy`, and `>=`, not `>`.",
    "loss": "It looks at `loss`, not at `val_accuracy`.",
    "loss down": "It ends where `loss` is low, and does not depend on `val_accuracy`. Compare that one.",
    "val_loss": "It looks at `val_loss`, and does not depend on `val_accuracy`. Compare that one with `self.target`.",
    "val_loss down": (
        "It ends where `val_loss` is low, and does not depend on `val_accuracy`. Compare that one with `self.target`."
    ),
    "rounded 2": "It rounds the value first, so that one just below the target counts. Compare it as it is.",
    "rounded 4": "It rounds the value first, so that one just below the target counts. Compare it as it is.",
    "rounded 3": "It rounds the value first, so that one just below the target counts. Compare it as it is.",
    "rounded 1": "It rounds the value first, so that one just below the target counts. Compare it as it is.",
    "late": "It ends one epoch too late: `on_epoch_end` of the epoch itself is the place.",
    "twice": "It waits for a second epoch at the target. The first one is enough.",
    "not first": "The first epoch counts as well, and yours does not look at it.",
    "once": (
        "One fit alone is right. In a second one with the same object, it does not end any more: what it remembers of "
        "the first has to be set back in `on_train_begin`."
    ),
    "at once": (
        "It ends after the first epoch, whatever the value. There is an `if` missing, or its condition is always "
        "true."
    ),
}  # fmt: skip


# What looks like this has many causes: said only where no change of the answer's own lines makes it right.
_LOOKS_LIKE = ("accuracy", "accuracy >", "once", "at once")


def good_epochs(case: Case, twist: str = "") -> list[tuple[int, bool]]:
    """Return for each fit how many epochs run and whether it was ended, by the rule of 01.2 or with a mistake."""
    target, fits = case
    ran, stopped_before = [], False
    for logs in fits:
        epochs = len(logs["loss"])
        ended = None if twist == "once" and stopped_before else _good_end(logs, target, twist)
        stopped_before = stopped_before or ended is not None
        ran.append((epochs, False) if ended is None else (min(ended + 1, epochs), True))
    return ran


def _good_end(logs: Logs, target: float, twist: str) -> int | None:
    name = twist.partition(" ")[0]
    hits = 0
    for epoch, value in enumerate(logs[name if name in logs else "val_accuracy"]):
        if name == "rounded":
            value = round(value, int(twist[-1]))
        hit = {
            ">": value > target, "accuracy >": value > target, "==": value == target, "<": value < target,
            "<=": value <= target, "loss down": value <= target, "val_loss down": value <= target, "at once": True,
        }.get(twist, value >= target)  # fmt: skip
        hits += hit
        if hit and not (twist == "twice" and hits < 2) and not (twist == "not first" and epoch == 0):
            late = twist == "late" and epoch + 1 < len(logs["loss"])
            return epoch + late if twist != "late" or late else None
    return None


def _good_ran(maker: object, case: Case) -> tuple[list[tuple[int, bool]], Callback, FakeModel]:
    target, fits = case
    callback, model, ran = made_by(maker, target), FakeModel(), []
    for logs in fits:
        driven = drive(callback, logs, batches=2, validation_batches=1, model=model)
        if driven.logs_changed:
            raise Wrong(
                f"It changes `{sorted(driven.logs_changed)[0]}` in `logs`, which all callbacks share. Only read."
            )
        ran.append((driven.epochs_run, driven.stopped and driven.stop_asked != ("on_train_end", driven.epochs_run - 1)))
    return ran, callback, model


_GOOD_PIECES = {
    '{1}["val_accuracy"]': '`logs["val_accuracy"]`, the validation accuracy of this epoch',
    "self.target": "`self.target`",
    '{1}["val_accuracy"] >= self.target': "the condition that `val_accuracy` of this epoch is at least the target",
}


@exercise("01.2", pieces=_GOOD_PIECES)
def good_enough(answer: object) -> Verdict:
    """Play trainings that reach the target exactly, off any grid, from the start, twice, and never."""
    if isinstance(answer, Callback):
        return wrong("Pass the class itself, without parentheses: `GoodEnough`.")
    if isinstance(answer, type) and not issubclass(answer, Callback):
        return wrong("`GoodEnough` should inherit from `Callback`: `class GoodEnough(Callback):`.")
    if not callable(answer):
        return wrong("`GoodEnough` should be a class of callbacks: `class GoodEnough(Callback):`.")
    if isinstance(answer, type) and not any(n != "__init__" and callable(v) for n, v in vars(answer).items()):
        real = next(base for base in answer.__mro__ if base.__module__.startswith("keras."))
        if real is Callback and answer.__mro__[1] is real:
            return not_attempted(
                "There is no hook in the class yet. Its `def` is indented as far as that of `__init__`."
            )
    cases, plays = _cases(), []
    wanted = [good_epochs(case) for case in cases]
    for case, want in zip(cases, wanted, strict=True):
        plays.append(_good_ran(answer, case))
        if trying() and plays[-1][0] != want:
            return wrong("")
    yours = [ran for ran, *_ in plays]
    agreed = sum(one == other for one, other in zip(yours, wanted, strict=True)) / len(cases)
    if yours != wanted:
        told, cause, guess = _why_not_good(answer, plays, cases, wanted)
        return wrong(f"{told} {cause}".strip(), 0.5 if agreed > 0.8 else 0.0, None if cause else guess)
    if drive([_StopsAfterTwo(), made_by(answer, 0.99)], _RISING, model=FakeModel()).epochs_run != 2:
        return wrong(
            "Alone it works. But when another callback in the list has said stop, yours takes that back by setting the "
            "flag to False. Set it to True in an `if`, and otherwise leave it alone.",
            credit=0.7,
        )
    return right("It ends right after the first epoch that reaches the target, and lets all others run.")


class _StopsAfterTwo(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            self.model.stop_training = True


def _why_not_good(maker: object, plays: list, cases: list[Case], wanted: list) -> tuple[str, str, str]:
    """Return what happened, the cause if there is but one, and else what to look at."""
    number = next(n for n, (ran, *_) in enumerate(plays) if ran != wanted[n])
    target, fits = cases[number]
    ran, callback, model = plays[number]
    fit = next(n for n, one in enumerate(ran) if one != wanted[number][n])
    second = f" in fit {fit + 1} with the same object" if fit else ""
    told = f"With `target={target:.4g}` and `val_accuracy` of {_listed(fits[fit]['val_accuracy'])} it should "
    told += f"end after epoch {wanted[number][fit][0]}" if wanted[number][fit][1] else "run to the end"
    told += second + ". "
    told += f"It ended after epoch {ran[fit][0]}." if ran[fit][1] else "It never ended."
    yours = [one for one, *_ in plays]
    twist = next((name for name in GOOD_TWISTS if [good_epochs(case, name) for case in cases] == yours), None)
    if twist:
        return (told, "", GOOD_TWISTS[twist]) if twist in _LOOKS_LIKE else (told, GOOD_TWISTS[twist], "")
    if not any(stopped for ran, *_ in plays for _, stopped in ran):
        return told, about_stopping(callback, model), (
            "No training that was played ever ended. `fit` looks at one flag: `self.model.stop_training`, with "
            "`self.`, so that it is the model in training. It has to be set at the end of an epoch."
        )  # fmt: skip
    if fit and _good_ran(maker, (target, (fits[fit],)))[0] == wanted[number][fit : fit + 1]:
        return told, "", "With a new object it does: what is left of the fit before has to go in `on_train_begin`."
    if _ignores_the_target(cases, yours):
        return told, "The end does not depend on `target`: compare with `self.target`, not with a fixed number.", ""
    return told, "", 'What to compare after each epoch: `logs["val_accuracy"]` with `self.target`.'


def _ignores_the_target(cases: list[Case], yours: list) -> bool:
    """Say whether one fixed number in the place of the target explains all that happened."""
    numbers = sorted({value for _, fits in cases for logs in fits for value in logs["val_accuracy"]})
    return any([good_epochs((number, fits)) for _, fits in cases] == yours for number in numbers)


# -- 01.3 ------------------------------------------------------------------------------------------------------------

# The second fit is worse throughout, beyond any start value that is no infinity: a best that survives would show.
_FIRST: Logs = {"loss": [0.9, 0.6, 0.4, 0.2, 0.1, 0.05], "val_loss": [0.75, 0.5, 0.625, 0.5625, 0.375, 0.4375]}
_SECOND: Logs = {"loss": [1900.0, 1600.0, 1400.0, 1350.0], "val_loss": [1500.0, 1750.0, 1600.0, 1250.0]}


_BEST_PIECES = {
    '{1}["val_loss"]': '`logs["val_loss"]`, that of this epoch',
    "self.best": "`self.best`, the lowest so far",
    'min(self.best, {1}["val_loss"])': "the lower of `self.best` and `val_loss` of this epoch",
}


@exercise("01.3", pieces=_BEST_PIECES)
def own_column(answer: Sequence) -> Verdict:
    """Play fits with the list and read what its CSVLogger wrote."""
    if not isinstance(answer, list | tuple):
        return wrong("The answer should be a list: `[..., ...]`.")
    for callback in answer:
        as_callback(callback)
    loggers = [callback for callback in answer if isinstance(callback, keras.callbacks.CSVLogger)]
    if len(loggers) != 1:
        return wrong(f"The list needs exactly one `CSVLogger(best_log)`; it has {len(loggers)}.")
    asked = named_outside(answer, "best_log")
    if isinstance(asked, str | Path) and Path(loggers[0].filename) != Path(asked):
        return wrong(
            f"The `CSVLogger` writes to `{Path(loggers[0].filename).name}`, another file than `best_log`, which is "
            f"`{Path(asked).name}`: `CSVLogger(best_log)`.", credit=0.6
        )  # fmt: skip
    rng = random.Random(3)
    off_grid = [{name: [rng.uniform(0.1, 9) for _ in range(8)] for name in ("loss", "val_loss")} for _ in range(3)]
    fits, found = [_FIRST, _SECOND, *off_grid], []
    for logs in fits:
        rows = _written(answer, loggers[0], logs)
        if not rows or "best" not in rows[0]:
            told, cause, guess = _why_no_column(answer, loggers[0])
            return wrong(f"{told} {cause}".strip(), guess=None if cause else guess)
        found.append([row["best"] for row in rows])
    if any(value in ("", "NA") for values in found for value in values):
        return wrong(
            "Some lines of the file have no number in the column `best`; it says NA there.", 0.4,
            guess="Put `best` into `logs` after **each** epoch, also when it is not a new one.",
        )  # fmt: skip
    try:
        numbers = [[float(value) for value in values] for values in found]
    except ValueError:
        return wrong(
            f"The column `best` holds {found[0][0]!r}, which is no number. Put one number into it.", credit=0.3
        )
    if any(not math.isclose(n, w, rel_tol=1e-6) for ns, logs in zip(numbers, fits, strict=True)
           for n, w in zip(ns, best_column([logs])[0], strict=True)):  # fmt: skip
        told, cause, guess = _why_not_lowest(numbers, fits)
        return wrong(f"{told} {cause}".strip(), 0.4, None if cause else guess)
    return right("The file has its column `best`, and each fit starts afresh.")


BEST_TWISTS = {
    "own": "That is each epoch's own value. Keep the lowest so far in `self.best`.",
    "loss own": (
        "That is `loss`, from the training data, and each epoch's own. Asked for is the lowest `val_loss` so far."
    ),
    "loss": "That is the lowest `loss`, from the training data. Asked for is `val_loss`.",
    "highest": "That is the highest so far. For a loss, lower is better.",
    "zero": 'Nothing is lower than the 0 it begins with. Begin with `float("inf")`.',
    "infinity": "Nothing is higher than infinity. For a loss, lower is better: `min`, not `max`.",
    "before": (
        "It takes a value that is lower than that of the epoch **before** for the best. Compare with the lowest so "
        "far, "
        "`self.best`."
    ),
    "two": "That is the lower of this epoch's value and the one before. Compare with the lowest so far, `self.best`.",
    "late": "It is one epoch behind: first find the new best, then put it into `logs`.",
    "first": "It keeps the value of the first epoch. It should follow each new lowest value.",
    "epoch": "That is the number of the epoch with the best value. Asked for is the value.",
    "epoch from 1": "That is the number of the epoch with the best value. Asked for is the value.",
    "rounded": "That is rounded. Put the value in as it is.",
    "all": (
        "That is the lowest of all numbers in the `logs` of one epoch. Asked for is the lowest `val_loss` of all "
        "epochs "
        "so far."
    ),
    "all so far": "That is the lowest of all numbers in `logs` so far, `loss` among them. Asked for is `val_loss`.",
    "kept": "In the second fit it still remembers the first. Start anew in `on_train_begin`.",
}  # fmt: skip


def best_column(fits: Sequence[Logs], twist: str = "") -> list[list[float]]:
    """Return the column `best` of each fit by the rule of 01.3, or by the rule with a usual mistake."""
    columns, best = [], math.inf
    for logs in fits:
        values = logs["loss" if twist.startswith("loss") else "val_loss"]
        if twist != "kept":
            best = math.inf
        column: list[float] = []
        every = [min(row) for row in zip(*logs.values(), strict=True)]
        for epoch, value in enumerate(values):
            before, best = best, min(best, value)
            previous = values[epoch - 1] if epoch else math.inf
            column.append({
                "own": value, "loss own": value, "highest": max(values[: epoch + 1]), "zero": min(0.0, value),
                "infinity": math.inf, "two": min(value, previous), "late": before, "first": values[0],
                "before": value if value < previous else (column[-1] if column else value),
                "epoch": float(values.index(min(values[: epoch + 1]))),
                "all": every[epoch], "all so far": min(every[: epoch + 1]),
                "epoch from 1": values.index(min(values[: epoch + 1])) + 1.0, "rounded": round(best, 2),
            }.get(twist, best))  # fmt: skip
        columns.append(column)
    return columns


_LOOKS_LIKE_BEST = ("own", "kept")


def _why_not_lowest(found: list[list[float]], fits: list[Logs]) -> tuple[str, str, str]:
    """Return what happened, the cause if there is but one, and else what to look at."""
    wanted = best_column(fits)
    number = next(n for n, (one, other) in enumerate(zip(found, wanted, strict=True)) if not _all_close(one, other))
    fit = "" if number == 0 else f" The fit before it was right. In fit {number + 1} with the same objects,"
    told = (
        f"{fit} `val_loss` was {_listed(fits[number]['val_loss'])}, so `best` should be {_listed(wanted[number])}. The "
        f"file says {_listed(found[number])}."
    ).strip()
    for twist, words in BEST_TWISTS.items():
        if all(map(_all_close, found, best_column(fits, twist))):
            return (told, "", words) if twist in _LOOKS_LIKE_BEST else (told, words, "")
    lower = [min(one) < min(logs["val_loss"]) for one, logs in zip(found, fits, strict=True)]
    if number and lower[number]:
        earlier = min(value for logs in fits[:number] for value in logs["val_loss"])
        if _all_close([found[number][0]], [earlier]):
            return told, "", "It still remembers an earlier fit. Start anew in `on_train_begin`."
        return told, "", 'Its first value is too low for such losses. Begin with `float("inf")`.'
    if number == 0 and max(found[0]) < min(fits[0]["val_loss"]):
        return told, "", "All its values are lower than any `val_loss` of this fit."
    return told, "", "Asked for is the lowest `val_loss` of the epochs so far, this one included."


def _all_close(one: list[float], other: list[float]) -> bool:
    return len(one) == len(other) and all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(one, other, strict=True))


def _written(callbacks: Sequence, logger: keras.callbacks.CSVLogger, logs: dict) -> list[dict]:
    """Play one fit whose log goes to a file of its own, so that the learner's file stays as it was."""
    filename = logger.filename
    with tempfile.TemporaryDirectory() as folder:
        logger.filename = str(Path(folder) / "log.csv")
        try:
            driven = drive(list(callbacks), logs)
            if driven.logs_changed:
                name = sorted(driven.logs_changed)[0]
                raise Wrong(f"It changes `{name}` in `logs`, which all callbacks share. Only add `best`.", 0.4)
            if driven.stopped:
                raise Wrong("The training was stopped, which nobody asked for. Only write the column.", 0.4)
            with open(logger.filename, newline="") as file:
                return list(csv.DictReader(file, delimiter=logger.sep))
        finally:
            logger.filename = filename


def _why_no_column(callbacks: list, logger: keras.callbacks.CSVLogger) -> tuple[str, str, str]:
    """Return what happened, the cause if there is but one, and else what to look at."""
    others = [callback for callback in callbacks if callback is not logger]
    told = "The file has no column `best`."
    if not others:
        return told, "The list holds only the `CSVLogger`: your own callback is missing.", ""
    slips = [slip for callback in others if (slip := strange_hook(callback))]
    if slips:
        return told, slips[0], ""
    # Change one thing and play again: the logger last.
    if "best" in (_written([*others, logger], logger, _FIRST) or [{}])[0]:
        return "`best` gets into `logs`, but the file has no such column:", (
            "the `CSVLogger` comes before it in the list and has written its line by then. Makers before users."
        ), ""  # fmt: skip
    added = drive(others, _FIRST).logs_added
    if added:
        return told, f"Your callback adds {', '.join(f'`{name}`' for name in sorted(added))}.", ""
    elsewhere = next((slip for one in others if (slip := about_moment(one, "on_epoch_end"))), "")
    return (
        told,
        elsewhere,
        ('The file gets the `logs` that `on_epoch_end` is given: put the number in there, `logs["best"] = ...`.'),
    )
