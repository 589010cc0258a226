"""One `EarlyStopping` held against the one that was asked for, over many trainings by script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras

from helpers.checks._core import Verdict, right, wrong
from helpers.checks.scripted._answers import as_callback
from helpers.checks.scripted._detect import about_monitor
from helpers.checks.scripted._drive import Driven, drive
from helpers.checks.scripted._model import FakeModel
from helpers.checks.scripted._settings import Wish, causes, fresh, number_text, sentences, settings_of

__all__ = ["judged_stopper"]

# The logs of one fit after another with the same object.
Fits = Sequence[Mapping[str, Sequence[float]]]


def judged_stopper(
    answer: object,
    wishes: Mapping[str, Wish],
    plays: Sequence[Fits],
    told: Mapping[str, Callable[[object], str]],
    well: Callable[[Driven], str],
) -> Verdict:
    """Play trainings with an `EarlyStopping` and with the wished one, and name the settings that make the difference.

    Args:
        answer: what the learner hands in.
        wishes: the settings that were asked for; all others belong at their defaults.
        plays: the trainings; the first is the one that messages tell of, when it goes wrong there.
        told: sentences of the exercise itself, by setting, made of the value that was given.
        well: makes the words for a right answer from the first training.
    """
    stopper = as_callback(answer, keras.callbacks.EarlyStopping)
    number_text(stopper)
    monitor, logs = wishes["monitor"].value, list(plays[0][0])
    if not isinstance(stopper.monitor, str) or stopper.monitor not in logs:
        others = _others(stopper, wishes)
        message = (
            told["monitor"](stopper.monitor) if "monitor" in told else about_monitor(stopper.monitor, logs, monitor)
        )
        return wrong(f"{message}{others}", credit=_credit(wishes, 1))

    wanted = reference(wishes, plays)

    def is_right(callback: keras.callbacks.Callback) -> bool:
        try:
            return all(
                _results(_fits(fresh(callback), fits)) == _results(want)
                for fits, want in zip(plays, wanted, strict=True)
            )
        except ValueError:  # Keras does not know the direction of a metric
            return False

    try:
        yours = [_fits(fresh(stopper), fits) for fits in plays]
    except ValueError:
        found = causes(stopper, wishes, is_right)
        if "mode" not in found:
            raise
        return wrong(sentences(stopper, found, wishes, logs, told), credit=_credit(wishes, len(found)))
    if [_results(one) for one in yours] == [_results(one) for one in wanted]:
        return right(well(yours[0][0]))
    number = next(n for n, one in enumerate(yours) if _results(one) != _results(wanted[n]))
    happened = _happened(yours[number], wanted[number], plays[number], stopper.monitor, monitor)
    found = causes(stopper, wishes, is_right)
    if not found:
        kind = type(stopper)
        own = "" if kind.__module__.startswith("keras.") else (
            f"The settings are as asked for; what differs comes of the methods of your `{kind.__name__}`."
        )  # fmt: skip
        return wrong(happened, guess=own)
    return wrong(f"{happened} {sentences(stopper, found, wishes, logs, told)}", credit=_credit(wishes, len(found)))


_references: dict[int, list[list[Driven]]] = {}


def reference(wishes: Mapping[str, Wish], plays: Sequence[Fits]) -> list[list[Driven]]:
    """Return what the wished callback does in these trainings; played once for each list of them, which has to stay."""
    if id(plays) not in _references:
        wished = keras.callbacks.EarlyStopping(**{name: wish.value for name, wish in wishes.items()})
        _references[id(plays)] = [_fits(fresh(wished), fits) for fits in plays]
    return _references[id(plays)]


def _credit(wishes: Mapping[str, Wish], faults: int) -> float:
    return max(0.0, 1 - faults / len(wishes))


def _others(stopper: keras.callbacks.Callback, wishes: Mapping[str, Wish]) -> str:
    given = settings_of(stopper)
    odd = [name for name, wish in wishes.items() if name not in ("monitor", "mode") and not wish.granted(given[name])]
    return f" And look at {', '.join(f'`{name}`' for name in odd)}." if odd else ""


def _fits(stopper: keras.callbacks.Callback, fits: Fits) -> list[Driven]:
    model = FakeModel(write=False)
    return [drive(stopper, logs, model=model) for logs in fits]


def _results(fits: Sequence[Driven]) -> list[tuple]:
    return [(one.epochs_run, one.stopped, one.kept_fit, one.kept_epoch, one.logs_changed) for one in fits]


def _happened(yours: Sequence[Driven], wanted: Sequence[Driven], fits: Fits, monitor: str, wished: str) -> str:
    """Tell what happened in the first fit that went otherwise than wished, and what should have."""
    number = next(n for n, one in enumerate(_results(yours)) if one != _results(wanted)[n])
    mine, want = yours[number], wanted[number]
    values = ", ".join(f"{value:.3g}" for value in fits[number][wished])
    case = f"`{wished}` was {values}. " if len(fits[number][wished]) <= 25 else ""
    if number:
        case = f"In fit {number + 1} with the same object, {case}"
    should = f"after epoch {want.epochs_run}" if want.stopped else "not at all"
    if (mine.epochs_run, mine.stopped) != (want.epochs_run, want.stopped):
        ran = f"Stopped after epoch {mine.epochs_run}" if mine.stopped else f"Never stopped in {mine.epochs_run} epochs"
        way = ""
        if mine.stopped and want.stopped:
            way = ": too early" if mine.epochs_run < want.epochs_run else ": too late"
        elif want.stopped:
            way = ": too late"
        expected = f"expected {want.epochs_run}" if want.stopped and mine.stopped else f"expected to stop {should}"
        return f"{case}{ran}, {expected}{way}."
    if mine.logs_changed:
        return f"{case}It stops as asked, but changes `{sorted(mine.logs_changed)[0]}` in `logs`."
    held, best = _epoch(mine.kept_epoch), _epoch(want.kept_epoch)
    stops = f"It stops at the right time, after epoch {mine.epochs_run}" if mine.stopped else "It rightly never stops"
    return f"{case}{stops}, but the model then holds the weights of {held}; the best was {best}."


def _epoch(epoch: int | None) -> str:
    return "an earlier training" if epoch is None else f"epoch {epoch + 1}"
