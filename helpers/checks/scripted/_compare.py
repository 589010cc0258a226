"""Holds two callbacks against each other on many curves, and tells the smallest case in which they differ."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np

from helpers.checks._core import Wrong
from helpers.checks._repair import trying
from helpers.checks.scripted._answers import as_callback
from helpers.checks.scripted._drive import Driven, drive
from helpers.checks.scripted._model import FakeModel
from helpers.checks.scripted._values import NASTY_CURVES, ROUNDING_CURVES, Number, random_curve, same

__all__ = ["Disagreement", "compare", "early_stopping_settings"]


def early_stopping_settings(rng: random.Random) -> dict:
    """Draw arguments of `EarlyStopping`, those that are not at their defaults, with `mode` always given."""
    settings: dict = {"mode": rng.choice(("min", "min", "max"))}
    drawn = {
        "patience": rng.choice((0, 1, 1, 2, 2, 3)),
        "min_delta": rng.choice((0, 0, 0, 0.25, 0.5)),
        "baseline": rng.choice((None, None, None, 0.5, -5.0, 5.0)),
        "start_from_epoch": rng.choice((0, 0, 0, 1, 2)),
        "restore_best_weights": rng.random() < 0.5,
    }
    settings.update({name: value for name, value in drawn.items() if value})
    return settings


@dataclass(frozen=True)
class _Case:
    """Arguments for both callbacks, and the curves of one fit after another with the same callback."""

    settings: Mapping[str, object]
    curves: tuple[tuple[Number, ...], ...]


@dataclass(frozen=True)
class Disagreement:
    """The smallest case found in which two callbacks differ; `str()` of it is a sentence for the learner.

    Attributes:
        settings: the arguments both were made with.
        curves: the values of the metric, for one fit after another.
        what: the field or attribute that differs, such as "epochs_run", "kept_epoch" or "wait".
        epoch: the epoch (0-based) after which an attribute differs, or None.
        yours: what the learner's callback gave.
        expected: what the reference gave.
    """

    settings: Mapping[str, object]
    curves: tuple[tuple[Number, ...], ...]
    what: str
    epoch: int | None
    yours: object
    expected: object
    name: str = "EarlyStopping"
    monitor: str = "val_loss"

    def __str__(self) -> str:
        made = f" and `{_arguments(self.settings)}`" if _arguments(self.settings) else ""
        if len(self.curves) == 1:
            case = f"With `{self.monitor}` = {_listed(self.curves[0])}{made}"
        else:
            last = _listed(self.curves[-1])
            first = ", then ".join(_listed(curve) for curve in self.curves[:-1])
            case = f"With one callback in {len(self.curves)} fits, `{self.monitor}` = {first} and then {last}{made}"
        return " ".join([f"{case}, {self._difference()}", *self._remarks()])

    def _difference(self) -> str:
        if self.what == "epochs_run":
            return f"`{self.name}` runs {_epochs(self.expected)}, yours {_epochs(self.yours)}."
        if self.what == "kept_epoch":
            return f"`{self.name}` ends with {_weights(self.expected)}, yours with {_weights(self.yours)}."
        if self.what == "saved_epochs":
            return f"`{self.name}` saves {_saved(self.expected)}; yours saves {_saved(self.yours)}."
        when = "at the end" if self.epoch is None else f"after epoch {self.epoch + 1}"
        counted = " (epochs counted from 0)" if self.what in ("best_epoch", "stopped_epoch") else ""
        if self.yours is _MISSING:
            return f"`{self.name}` has `{self.what}` = {self.expected!r} {when}; yours has no such attribute."
        return f"`{self.what}` {when} should be {self.expected!r}{counted}; yours is {self.yours!r}."

    def _remarks(self) -> list[str]:
        """Name what is special about the case: it has been made small, so what is left matters."""
        values = [value for curve in self.curves for value in curve]
        numbers = [value for value in values if value is not None]
        remarks = []
        if len(self.curves) > 1:
            remarks.append("In one fit alone both agree: is everything set afresh in `on_train_begin`?")
        if None in values:
            remarks.append("None stands for an epoch whose `logs` lack the metric.")
        if any(math.isnan(value) for value in numbers):
            remarks.append("Every comparison with NaN is false.")
        for curve in self.curves:
            real = [value for value in curve if value is not None and not math.isnan(value)]
            if len(set(real)) < len(real):
                remarks.append("An equal value is no improvement.")
                break
            if len({float(np.float32(value)) for value in real}) < len(real):
                remarks.append("Keras compares in float32, in which two of these values are equal.")
                break
        return remarks


def _arguments(settings: Mapping[str, object]) -> str:
    """Write the arguments as in a call; mode "min" is what everyone expects of a loss, and left out."""
    return ", ".join(f"{name}={value!r}" for name, value in settings.items() if (name, value) != ("mode", "min"))


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_MISSING = _Missing()


def _listed(curve: Sequence[Number]) -> str:
    words = ", ".join(
        "None" if v is None else "NaN" if math.isnan(v) else f"{v:.10g}" if math.isfinite(v) else str(v) for v in curve
    )
    return f"[{words}]"


def _epochs(count: object) -> str:
    return f"{count} epoch" if count == 1 else f"{count} epochs"


def _weights(epoch: object) -> str:
    return "the weights from before this fit" if epoch is None else f"the weights of epoch {epoch + 1}"


def _saved(epochs: Sequence[int]) -> str:
    if not epochs:
        return "nothing"
    named = [str(epoch + 1) for epoch in epochs]
    if len(named) == 1:
        return f"after epoch {named[0]}"
    return f"after epochs {', '.join(named[:-1])} and {named[-1]}"


def compare(
    yours: Callable[..., keras.callbacks.Callback],
    reference: Callable[..., keras.callbacks.Callback] = keras.callbacks.EarlyStopping,
    *,
    settings: Callable[[random.Random], dict] | Sequence[dict] = early_stopping_settings,
    cases: int = 200,
    seed: int = 0,
    fits: int = 2,
    rounding: bool = False,
    monitor: str = "val_loss",
    fields: Sequence[str] = ("epochs_run", "kept_epoch"),
    attributes: Sequence[str] = (),
    name: str | None = None,
) -> Disagreement | None:
    """Run two callbacks over the nasty curves and many random ones and return the smallest difference, or None.

    Args:
        yours: makes the learner's callback from keyword arguments, as a class does.
        reference: makes the one to hold it against.
        settings: draws the arguments for both, or lists them; they go to both unchanged.
        cases: number of cases, the nasty curves included.
        seed: of the drawing; the same seed gives the same cases.
        fits: at most this many fits with one callback, each with its own curve; half of the cases have one.
        rounding: add curves on which it matters in which float type the comparison is made; without them, plain
            Python comparisons agree with those of Keras.
        monitor: the metric that the curve becomes.
        fields: fields of `Driven` that must agree.
        attributes: attributes that must agree after each epoch and at the end.
        name: what to call the reference in the sentence.

    Raises:
        Exception: whatever the learner's callback raises, with a note that names the curve.
    """
    name = name or getattr(reference, "__name__", "the reference")

    def differ(case: _Case) -> Disagreement | None:
        return _difference(case, yours, reference, monitor, tuple(fields), tuple(attributes), name)

    if not trying():
        _hard.clear()
        _played.clear()
    # An answer that was changed has to do better where it failed; then a part of the cases says enough.
    drawn = _cases(settings, cases // 6 if trying() else cases, seed, fits, rounding)
    for case in itertools.chain(_hard, drawn):
        found = differ(case)
        if found is not None and not trying():
            found = _shrunk(case, found, differ)
            _hard.append(_Case(found.settings, found.curves))
        if found is not None:
            return found
    return None


# The smallest case in which the last comparison failed, and what the reference does in it.
_hard: list[_Case] = []
_played: list[tuple[_Case, list[Driven]]] = []


def _cases(settings: Callable | Sequence[dict], cases: int, seed: int, fits: int, rounding: bool) -> Iterator[_Case]:
    rng = random.Random(seed)
    fixed = NASTY_CURVES + (ROUNDING_CURVES if rounding else ())
    for number in range(cases):
        drawn = settings(rng) if callable(settings) else dict(settings[number % len(settings)])
        curve = fixed[number // 2] if number < 2 * len(fixed) else random_curve(rng, rounding=rounding)
        curves = (curve,)
        if fits > 1 and number % 2:
            curves += tuple(random_curve(rng, rounding=rounding) for _ in range(rng.randint(1, fits - 1)))
        yield _Case(drawn, curves)


def _difference(case: _Case, yours, reference, monitor, fields, attributes, name) -> Disagreement | None:
    runs = []
    known = next((runs for one, runs in _played if one is case), None)
    for make in (yours, reference):
        if make is reference and known is not None:
            runs.append(known)
            continue
        try:
            callback = as_callback(make(monitor=monitor, **case.settings))
            model = FakeModel(write=False)
            runs.append(
                [drive(callback, curve, monitor=monitor, model=model, watch=attributes) for curve in case.curves]
            )
        except Exception as error:
            curves = " and then ".join(_listed(curve) for curve in case.curves)
            if not isinstance(error, Wrong) and not getattr(error, "__notes__", None):
                error.add_note(
                    f"It happened with `{monitor}` = {curves} and `{_arguments(case.settings) or 'no arguments'}`."
                )
            raise
    if any(one is case for one in _hard) and known is None:
        _played.append((case, runs[1]))
    for number, (mine, right) in enumerate(zip(*runs, strict=True)):
        case_here = {"settings": case.settings, "curves": case.curves[: number + 1], "name": name, "monitor": monitor}
        for what in fields:
            one, other = getattr(mine, what), getattr(right, what)
            if one != other:
                return Disagreement(what=what, epoch=None, yours=one, expected=other, **case_here)
        for what in attributes:
            for epoch, other in enumerate(right.watched.get(what, ())):
                values = mine.watched.get(what, ())
                one = values[epoch] if epoch < len(values) else _MISSING
                if not same(one, other):
                    return Disagreement(what=what, epoch=epoch, yours=one, expected=other, **case_here)
            one, other = mine.final.get(what, _MISSING), right.final.get(what, _MISSING)
            if not same(one, other):
                return Disagreement(what=what, epoch=None, yours=one, expected=other, **case_here)
    return None


def _shrunk(case: _Case, found: Disagreement, differ: Callable, budget: int = 250) -> Disagreement:
    """Make the case smaller as long as the two still differ, so that the sentence is short and to the point."""
    smaller = True
    while smaller and budget > 0:
        smaller = False
        for candidate in _simpler(case):
            budget -= 1
            if budget < 0:
                break
            try:
                still = differ(candidate)
            except Exception:
                continue
            if still is not None:
                case, found, smaller = candidate, still, True
                break
    return found


def _simpler(case: _Case) -> Iterator[_Case]:
    """Yield cases that are a little simpler, the boldest first."""
    for drop in range(len(case.curves) if len(case.curves) > 1 else 0):
        yield replace(case, curves=case.curves[:drop] + case.curves[drop + 1 :])
    for name in case.settings:
        if name != "mode":
            fewer = replace(case, settings={key: value for key, value in case.settings.items() if key != name})
            yield fewer
            # One more epoch is easier to read than one more argument.
            yield _with(fewer, -1, (*case.curves[-1], _fresh(case.curves[-1])))
    if case.settings.get("mode") in ("max", "auto"):
        yield replace(case, settings={**case.settings, "mode": "min"})
    for number, curve in enumerate(case.curves):
        for drop in range(len(curve) if len(curve) > 1 else 0):
            yield _with(case, number, curve[:drop] + curve[drop + 1 :])
    patience = case.settings.get("patience", 0)
    if isinstance(patience, int) and patience > 1:
        yield replace(case, settings={**case.settings, "patience": patience - 1})
    for number, curve in enumerate(case.curves):
        for place, value in enumerate(curve):
            odd = value is None or not math.isfinite(value)
            if odd or value in curve[:place]:
                yield _with(case, number, (*curve[:place], _fresh(curve), *curve[place + 1 :]))
            if odd or value not in _PLAIN:
                for plain in _PLAIN:
                    if plain not in curve:
                        yield _with(case, number, (*curve[:place], plain, *curve[place + 1 :]))


_PLAIN = (1.0, 2.0, 3.0, 4.0, 5.0)


def _fresh(curve: tuple[Number, ...]) -> float:
    """Return a whole number above all values of a curve: no tie, and worse where less is better."""
    return float(math.floor(max((v for v in curve if v is not None and math.isfinite(v)), default=0.0)) + 1)


def _with(case: _Case, number: int, curve: tuple[Number, ...]) -> _Case:
    number %= len(case.curves)
    return replace(case, curves=(*case.curves[:number], curve, *case.curves[number + 1 :]))
