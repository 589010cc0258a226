"""Hold the rebuilt `EarlyStopping` and `ModelCheckpoint` against the real ones."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator

import keras

from helpers.checks._core import Verdict, Wrong, not_attempted, right, wrong
from helpers.checks.lesson06.common import Callback, held, keeps_the_flag, made, taken
from helpers.checks.scripted import Disagreement, FakeModel, about_stopping, compare, drive, strange_hook

STATE = ("wait", "best", "best_epoch", "stopped_epoch")
CASES = 400
_OTHER_METRIC = (
    'With `monitor="val_mae"` it follows another metric. Take the number that `self.value(logs)` returns; '
    '`logs["val_loss"]` is there only by chance.'
)
# "auto" makes Keras look at the metrics of a compiled model, which takes its time to be made.
_MODES = ("min",) * 9 + ("max",) * 6 + ("auto",)


def stopping_settings(rng: random.Random) -> dict:
    """Draw arguments of `EarlyStopping`, every one of them, those at their defaults left out."""
    drawn = {
        "patience": rng.choice((0, 1, 1, 2, 2, 3)),
        "min_delta": rng.choice((0, 0, 0, 0.1, 0.25, -0.5)),
        "baseline": rng.choice((None, None, None, 0.5, 0.3, -5.0, 5.0, float("inf"), float("nan"))),
        "start_from_epoch": rng.choice((0, 0, 0, 1, 2)),
        "restore_best_weights": rng.random() < 0.5,
    }
    mode = rng.choice(_MODES)
    return {"mode": mode, **{name: value for name, value in drawn.items() if value}}


def saving_settings(rng: random.Random) -> dict:
    """Draw arguments of `ModelCheckpoint` that its saving rule uses."""
    drawn = {
        "save_best_only": rng.random() < 0.8,
        "initial_value_threshold": rng.choice((None, None, None, 0.5, 0.3, -5.0, 5.0, float("inf"), float("nan"))),
    }
    mode = rng.choice(_MODES)
    return {"mode": mode, **{name: value for name, value in drawn.items() if value}}


def my_early_stopping(answer: object) -> Verdict:
    """Play hundreds of trainings with the learner's class and with the real one."""
    kind = taken(answer, "MyEarlyStopping", rebuilt=True)
    if "on_epoch_end" not in {name for base in kind.__mro__ if base is not Callback for name in vars(base)}:
        slip = strange_hook(kind)
        if slip:
            return wrong(slip)
        return not_attempted("Write `on_epoch_end` and `on_train_end` below `on_train_begin`.")
    with _told_about_value():
        held(drive(made(kind, patience=2), [3.0, 2.0, 4.0, 5.0, 6.0]))
        # Small cases first, so that the usual slips get a sentence of their own.
        for slip in (_never_stops, _stops_at_the_best, _stops_late):
            slip(kind)
        found = compare(kind, settings=stopping_settings, cases=CASES, rounding=True, attributes=STATE)
        if found is not None:
            return wrong(f"{found}{_stopping_remark(found)}", credit=_part(kind, stopping_settings))
        # With `val_loss` all is right, so what is left is the name.
        _watches_another_metric(kind)
        # Falling, rising, missing: wherever the line stands that lowers the flag, one of them comes by.
        for values in ([4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0], [None] * 4):
            keeps_the_flag(made(kind, patience=9), values)
    return right(
        f"In {CASES} trainings, with every argument, NaN, infinities, ties and missing values, yours and the real "
        "one agreed on every epoch, attribute and weight."
    )


@contextlib.contextmanager
def _told_about_value() -> Iterator[None]:
    """Explain the error that comes when `better` is asked before `value` has found out which way is better."""
    try:
        yield
    except TypeError as error:
        if "'NoneType' object is not callable" in str(error):
            error.add_note("Take the metric by `self.value(logs)`: it finds out on the way what better means here.")
        raise


def _part(kind: type[Callback], settings: Callable) -> float:
    """Return half a credit to an answer that agrees as long as only `patience` and the direction are set."""

    def few(rng: random.Random) -> dict:
        return {name: value for name, value in settings(rng).items() if name in ("mode", "patience")}

    with contextlib.suppress(Exception):
        return 0.5 if compare(kind, settings=few, cases=40) is None else 0.0
    return 0.0


def _stops_late(kind: type[Callback]) -> None:
    ran = drive(made(kind, patience=2), [2.0, 1.0, 1.5, 1.6, 1.7, 1.8])
    if ran.epochs_run == 5 and _is_one_late(kind):
        raise Wrong(
            "With `val_loss` = [2, 1, 1.5, 1.6, 1.7, 1.8] and `patience=2` it ran 5 epochs; the real one runs 4. One "
            "epoch late: is it `wait >= patience`, or did you write `>`?"
        )


def _is_one_late(kind: type[Callback]) -> bool:
    """Say whether, whatever the curve, it does what the real one does with one epoch more of patience."""

    def one_more(patience: int, **settings: object) -> Callback:
        return keras.callbacks.EarlyStopping(patience=patience + 1, **settings)

    plain = [{"mode": mode, "patience": patience} for mode in ("min", "max") for patience in (1, 2, 3)]
    return compare(kind, one_more, settings=plain, cases=60, fits=1, fields=("epochs_run",)) is None


def _never_stops(kind: type[Callback]) -> None:
    callback, model = made(kind, patience=1), FakeModel()
    ran = drive(callback, [1.0, 2.0, 3.0, 4.0, 5.0], model=model)
    if not ran.stopped:
        raise Wrong(
            about_stopping(callback, model)
            or "With `val_loss` = [1, 2, 3, 4, 5] and `patience=1` it never stopped. The flag that `fit` looks at is "
            "`self.model.stop_training`."
        )


def _stops_at_the_best(kind: type[Callback]) -> None:
    if drive(made(kind, patience=1), [2.0, 1.0, 0.5]).epochs_run == 1:
        raise Wrong(
            "With `val_loss` = [2, 1, 0.5] and `patience=1` it stopped after epoch 1. The first value has nothing to "
            "be compared with: `self.better(value, None)` is True."
        )
    ran = drive(made(kind, patience=0), [2.0, 1.0, 0.5]).epochs_run
    if ran < 3:
        raise Wrong(
            f"With `val_loss` = [2, 1, 0.5] and `patience=0` it stopped after epoch {ran}, the best so far. Only an "
            "epoch that was **not** better can stop: point 4 is the `elif` of point 3."
        )


def _watches_another_metric(kind: type[Callback]) -> None:
    logs = {"loss": [1.0] * 5, "val_loss": [1.0, 2.0, 3.0, 4.0, 5.0], "val_mae": [5.0, 4.0, 3.0, 2.0, 1.0]}
    ran = drive(made(kind, monitor="val_mae", mode="min", patience=2), logs)
    if ran.epochs_run != 5 or ran.final.get("best") != 1.0:
        raise Wrong(_OTHER_METRIC)


def _stopping_remark(found: Disagreement) -> str:
    """Name the line to look at, from the arguments that are left in the smallest case."""
    if len(found.curves) > 1:
        return ""
    named = {name for name, value in found.settings.items() if name != "mode" and value}
    if found.what == "kept_epoch":
        if found.yours is None or "restore_best_weights" not in named:
            return " Look at `restore_best_weights` in both hooks."
        return (
            " Are the weights copied in point 3 only, where the value is a new best, by `self.model.get_weights()`? "
            "And are they put back in `on_train_end` without a further condition? It comes after a stop, and when the "
            "epochs run out."
        )
    if "baseline" in named:
        return " Point 3: a value that misses the baseline may still be the new best. Only `wait` then keeps running."
    if "start_from_epoch" in named:
        return " Point 1: before `start_from_epoch` nothing at all happens."
    if "min_delta" in named:
        return " Ask `self.better(value, self.best)`; it knows `min_delta`."
    if any(value is None for value in found.curves[0]):
        return " Point 1: leave before `wait` is raised."
    if found.what == "best" and found.yours is None and list(found.curves[0]) == [0]:
        return (
            " The value was not looked at, and it is 0, which counts as false: `if not value` leaves it out. Ask "
            "`value is None`."
        )
    if found.what == "best" and found.yours is None:
        return (
            " The value was not looked at. Point 1: with `start_from_epoch=0` no epoch is left out, for `epoch` counts "
            "from 0, and 0 is not `<` 0."
        )
    if found.settings.get("mode") == "max":
        return ' With `mode="max"` higher is better. Ask `self.better(value, self.best)`, which knows the mode.'
    return ""


def my_model_checkpoint(answer: object) -> Verdict:
    """Play hundreds of trainings with the learner's rule and with the real checkpoint."""
    kind = taken(answer, "MyModelCheckpoint", rebuilt=True)
    rule = kind.__dict__.get("should_save")
    if rule is None and not hasattr(kind, "should_save"):
        return wrong("The rule is missing: a method `should_save(self, logs)` that returns True or False.")
    if rule is not None and _empty(rule):
        return not_attempted()
    with _told_about_value():
        held(drive(made(kind, "model.keras", save_best_only=True), [3.0, 2.0, 4.0], model=FakeModel(write=False)))
        _says_nothing(kind)
        found = compare(
            lambda **settings: kind("model.keras", **settings),
            lambda **settings: keras.callbacks.ModelCheckpoint("model.keras", **settings),
            settings=saving_settings,
            cases=CASES,
            rounding=True,
            fields=("saved_epochs",),
            attributes=("best",),
            name="ModelCheckpoint",
        )
    if found is not None:
        return wrong(f"{_without_advice(found)}{_saving_remark(found)}")
    # With `val_loss` all is right, so what is left is the name.
    _saves_by_another_metric(kind)
    return right(f"In {CASES} trainings, yours and the real one saved after the same epochs, every time.")


def _empty(rule: object) -> bool:
    from helpers.checks._core import untouched

    return untouched(rule)


def _says_nothing(kind: type[Callback]) -> None:
    said = made(kind, "model.keras", mode="min")
    said.set_model(FakeModel(write=False))
    answer = said.should_save({"val_loss": 1.0})
    if answer is None:
        raise Wrong(
            "Without `save_best_only`, `should_save` returned None, which counts as no. There is nothing to compare "
            "then: it should return True."
        )


def _saves_by_another_metric(kind: type[Callback]) -> None:
    logs = {"loss": [1.0] * 3, "val_loss": [1.0, 2.0, 3.0], "val_mae": [3.0, 2.0, 1.0]}
    saver = made(kind, "model.keras", monitor="val_mae", mode="min", save_best_only=True)
    if drive(saver, logs, model=FakeModel(write=False)).saved_epochs != (0, 1, 2):
        raise Wrong(_OTHER_METRIC)


def _without_advice(found: Disagreement) -> str:
    """Return the sentence; what holds for EarlyStopping, that a new fit begins afresh, does not hold here."""
    return str(found).replace(" In one fit alone both agree: is everything set afresh in `on_train_begin`?", "")


def _saving_remark(found: Disagreement) -> str:
    if found.what == "best" and found.yours is None and "initial_value_threshold" in found.settings:
        return " `best` was lost: the real checkpoint never forgets it. Nothing is reset in `on_train_begin`."
    if len(found.curves) > 1:
        return (
            " In one fit alone both agree. Unlike `EarlyStopping`, the real checkpoint never forgets its best: nothing "
            "is reset in `on_train_begin`."
        )
    if not found.settings.get("save_best_only"):
        return " Without `save_best_only` there is no rule: every epoch is saved, and `best` stays as it is."
    if any(value is None for value in found.curves[0]) and found.what == "best":
        return " Without a value there is nothing to note: `best` stays as it was. (It saves, to be on the safe side.)"
    if any(value is None for value in found.curves[0]):
        return " When the metric is missing, the real one saves, to be on the safe side."
    if "initial_value_threshold" in found.settings:
        return " `self.best` is the threshold until something beats it: compare with `self.best`."
    if found.what == "best":
        return " When a value is better, and only then, it becomes `self.best`."
    return " Ask `self.better(value, self.best)`, in this order: is the new value better than the best?"
