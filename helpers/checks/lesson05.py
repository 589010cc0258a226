"""Checks of lesson 05: an EarlyStopping for a metric of one's own, two patiences together, and enough patience."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from functools import cache

import keras

from helpers import replay
from helpers.checks._core import Verdict, exercise, right, wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import (
    Driven,
    FakeModel,
    Wish,
    about_monitor,
    as_callback,
    as_function,
    call,
    causes,
    drive,
    fresh,
    judged_stopper,
    number_text,
    sentences,
    whole,
)

EarlyStopping, ReduceLROnPlateau = keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau
Told = dict[str, Callable[[object], str]]

_WISHES = {
    "monitor": Wish("val_errors"),
    "mode": Wish("min"),
    "min_delta": Wish(1, fits=lambda delta: isinstance(delta, int | float) and 1 <= abs(delta) < 2),
    "start_from_epoch": Wish(5),
    "patience": Wish(8),
    "restore_best_weights": Wish(True, fits=bool),
}
# Epochs 1 to 5 hold the lowest value of all. Then 20, steps of one error that do not count, 18 that does.
_ERRORS = [9, 8, 7, 6, 5, 20, 20, 19, 20, 18, *[17, 18] * 6]
# The sixth epoch is the best of those that are looked at.
_SIXTH = [9, 8, 7, 6, 5, 12, *[20] * 15]
_NAMES = ("loss", "accuracy", "val_loss", "val_accuracy", "val_errors")


def _why_mode(mode: object) -> str:
    if mode == "auto":
        return (
            "Keras cannot know whether few or many `val_errors` are good, and refuses at the end of the first epoch. "
            "Say "
            "the `mode`."
        )
    return f'With `mode="{mode}"` it takes more errors for an improvement. Look at `mode`.'


def _why_start(start: object) -> str:
    looked = "looks at the first epochs" if start == 0 else f"begins to look at epoch {start + 1}"
    return (
        f"It {looked}, expected from epoch 6 on. `start_from_epoch` counts from 0, as Keras does: epoch 6 is number 5."
    )


def _why_delta(delta: float) -> str:
    if abs(delta) < 1:
        return (
            f"With `min_delta={delta:g}` one error less counts as an improvement. A gain must be **more** than "
            "`min_delta`."
        )
    return f"With `min_delta={delta:g}` two errors less do not count: a gain must be **more** than `min_delta`."


_TOLD: Told = {
    "mode": _why_mode,
    "start_from_epoch": _why_start,
    "min_delta": _why_delta,
    "patience": lambda value: f"It waits {value} epochs; asked for are 8. Look at `patience`.",
    "restore_best_weights": lambda _: "The best weights come back only if you say so. Look at `restore_best_weights`.",
}


def _with_others(errors: list) -> dict:
    # The other metrics get better in each epoch: watching one of them never stops.
    count = len(errors)
    falling, rising = [1 / (n + 2) for n in range(count)], [n / 99 for n in range(count)]
    return dict(zip(_NAMES, (falling, rising, [value * 0.9 for value in falling], rising, errors), strict=True))


@cache
def _error_plays() -> list[list[dict]]:
    rng = random.Random(51)
    plays = [[_with_others(_ERRORS)], [_with_others(_SIXTH)], [_with_others(_ERRORS), _with_others(_SIXTH)]]
    for _ in range(9):
        value, errors = rng.randint(25, 60), []
        while len(errors) < 26:
            value += rng.choice((-3, -2, -2, -1, -1, 0, 1, 2))
            errors += [value, *[value + rng.randint(0, 3) for _ in range(rng.choice((0, 0, 1, 7, 8, 9)))]]
        plays.append([_with_others(errors[:26])])
    return plays


@exercise("05.1")
def five_wishes(answer: object) -> Verdict:
    """Play trainings with the learner's callback and compare where each stopped and what the model holds."""
    return judged_stopper(
        answer, _WISHES, _error_plays(), _TOLD,
        lambda _: "It looks from epoch 6 on, counts gains of two errors or more, and brings the best weights back.",
    )  # fmt: skip


# -- 05.2 ------------------------------------------------------------------------------------------------------------


def _small(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= 1e-3


_REDUCER = {
    "patience": Wish(4),
    "factor": Wish(0.1, fits=lambda value: isinstance(value, int | float) and math.isclose(value, 0.1, rel_tol=1e-3)),
    "monitor": Wish("val_loss"),
    "mode": Wish("auto", fits=lambda mode: mode in ("auto", "min")),
    "min_delta": Wish(1e-4, fits=_small),
    "min_lr": Wish(0.0, fits=lambda value: isinstance(value, int | float) and value <= 1e-4),
}
_STOPPER = {
    "patience": Wish(12),
    "restore_best_weights": Wish(True, fits=bool),
    "monitor": Wish("val_loss"),
    "mode": Wish("auto", fits=lambda mode: mode in ("auto", "min")),
    "min_delta": Wish(0, fits=_small),
}
_LOGS = ("loss", "accuracy", "val_loss", "val_accuracy")
_PLATEAU = "The plateau is one of `val_loss`."
_DELTA = "With `min_delta={!r}` gains that are worth having do not count. Leave it alone."
_REDUCER_TOLD: Told = {
    "patience": lambda value: f"It waits {value} epochs; asked for are 4. Look at its `patience`.",
    "factor": lambda value: f"`factor={value!r}` multiplies the rate by that; asked for is a tenth. Look at `factor`.",
    "monitor": lambda name: f"{_PLATEAU} {about_monitor(name, _LOGS, 'val_loss')}",
    "mode": lambda mode: f'With `mode="{mode}"` it takes a rising loss for better. Look at its `mode`.',
    "min_delta": _DELTA.format,
    "min_lr": lambda value: f"`min_lr={value!r}` lets the rate fall no lower than that. Leave it alone.",
    "cooldown": lambda value: (
        f"`cooldown={value!r}` makes it wait longer after a reduction, so the next comes late. Leave it alone."
    ),
}
_STOPPER_TOLD: Told = {
    "patience": lambda value: (
        f"It waits {value} epochs. It counts on when the rate falls: count 4 + 4 + 4 from the best epoch. Look at its "
        "`patience`."
    ),
    "monitor": lambda name: f"{_PLATEAU} {about_monitor(name, _LOGS, 'val_loss')}",
    "mode": lambda mode: f'With `mode="{mode}"` it takes a rising loss for better. Look at its `mode`.',
    "restore_best_weights": lambda _: "The last weights stay. Look at `restore_best_weights`.",
    "min_delta": _DELTA.format,
}


@cache
def _plateaus() -> list[dict]:
    rng = random.Random(52)
    curves = [[0.9, 0.5, *[0.6] * 30], [0.8, *[0.8] * 20]]
    for _ in range(5):
        best, losses = 2.0, []
        while len(losses) < 24:
            best -= rng.uniform(0.004, 0.2)
            losses += [best, *[best + rng.uniform(0.0, 0.5) for _ in range(rng.choice((0, 1, 3, 4, 5, 8, 11, 12, 13)))]]
        curves.append(losses[:24])
    return [
        dict(zip(_LOGS, ([1 / (n + 2) for n in range(len(c))], [n / 99 for n in range(len(c))], c,
                         [n / 99 for n in range(len(c))]), strict=True))
        for c in curves
    ]  # fmt: skip


def _plateau_run(callbacks: list, logs: dict) -> Driven:
    return drive(callbacks, logs, model=FakeModel(write=False, learning_rate=0.1))


def _plateau_facts(driven: Driven) -> tuple:
    rates = tuple(float(f"{rate:.3g}") for rate in driven.learning_rates)
    return driven.epochs_run, driven.stopped, driven.kept_epoch, rates


@cache
def _plateaus_wanted() -> list[tuple]:
    pair = [ReduceLROnPlateau(**_values(_REDUCER)), EarlyStopping(**_values(_STOPPER))]
    return [_plateau_facts(_plateau_run([fresh(one) for one in pair], logs)) for logs in _plateaus()]


def _values(wishes: dict[str, Wish]) -> dict[str, object]:
    return {name: wish.value for name, wish in wishes.items()}


@exercise("05.2")
def time_for_the_new_rate(answer: object) -> Verdict:
    """Play plateaus with the learner's callbacks and look at the rate of each epoch, the end, and the weights."""
    if not isinstance(answer, list | tuple):
        as_callback(answer)
    listed = list(answer) if isinstance(answer, list | tuple) else [answer]
    for callback in listed:
        number_text(as_callback(callback))
    reducer = next((one for one in listed if isinstance(one, ReduceLROnPlateau)), None)
    stopper = next((one for one in listed if isinstance(one, EarlyStopping)), None)
    if reducer is None or stopper is None:
        missing = "ReduceLROnPlateau" if reducer is None else "EarlyStopping"
        return wrong(f"There is no `{missing}` in the list. The two work side by side.", credit=0.2)
    slips = [
        f"`{type(one).__name__}`: {_PLATEAU} {about_monitor(one.monitor, _LOGS, 'val_loss')}"
        for one in (reducer, stopper)
        if not isinstance(one.monitor, str) or one.monitor not in _LOGS
    ]
    if slips:
        return wrong(" ".join(slips), credit=0.3)
    for logs, want in zip(_plateaus(), _plateaus_wanted(), strict=True):
        driven = _plateau_run([fresh(one) for one in listed], logs)
        if _plateau_facts(driven) != want:
            found = _plateau_causes(reducer, stopper)
            named = " ".join(
                sentences(one, ones, wishes, _LOGS, words, who=f"`{kind.__name__}`:")
                for one, kind, ones, wishes, words in (
                    (reducer, ReduceLROnPlateau, found[0], _REDUCER, _REDUCER_TOLD),
                    (stopper, EarlyStopping, found[1], _STOPPER, _STOPPER_TOLD),
                )
                if ones
            )
            named = named or _one_too_many(listed)
            credit = max(0.0, 0.9 - 0.2 * max(1, len(found[0]) + len(found[1])))
            return wrong(f"{_plateau_told(driven, want, logs)} {named}".strip(), credit, None if named else "")
    return right("Two reductions, four epochs for each rate, and the best weights at the end.")


def _one_too_many(listed: list) -> str:
    """Name a callback of the list without which all is right; "" where there is none."""
    for one in listed:
        others = [other for other in listed if other is not one]
        pairs = zip(_plateaus(), _plateaus_wanted(), strict=True)
        if all(_plateau_facts(_plateau_run([fresh(other) for other in others], logs)) == want for logs, want in pairs):
            kind, count = type(one).__name__, sum(type(other) is type(one) for other in listed)
            many = f"There are {count} `{kind}` in the list, and each acts by itself. " if count > 1 else ""
            which = f", with `patience={one.patience}`" if hasattr(one, "patience") else ""
            return f"{many}Without the `{kind}`{which}, it is right: leave that one out."
    return ""


def _plateau_causes(reducer: object, stopper: object) -> tuple[dict, dict]:
    """Find the settings at fault in each of the two, the other one being as it should be."""
    good_reducer, good_stopper = ReduceLROnPlateau(**_values(_REDUCER)), EarlyStopping(**_values(_STOPPER))

    def is_right(one: object, other: object) -> bool:
        pairs = zip(_plateaus(), _plateaus_wanted(), strict=True)
        return all(_plateau_facts(_plateau_run([fresh(one), fresh(other)], logs)) == want for logs, want in pairs)

    found: tuple[dict, dict] = ({}, {})
    if not is_right(reducer, good_stopper):
        found[0].update(causes(reducer, _REDUCER, lambda one: is_right(one, good_stopper)))
    if not is_right(good_reducer, stopper):
        found[1].update(causes(stopper, _STOPPER, lambda one: is_right(good_reducer, one)))
    return found


def _plateau_told(driven: Driven, want: tuple, logs: dict) -> str:
    """Tell the first thing that went otherwise on a plateau: rate, end or weights."""
    epochs, stopped, kept, rates = want
    losses = logs["val_loss"][: max(epochs, driven.epochs_run)]
    first = next((n for n in range(1, len(losses)) if losses[n] >= min(losses[:n])), 1)
    best = losses.index(min(losses[: first + 1])) + 1
    where = f"`val_loss` {', '.join(f'{loss:.3g}' for loss in losses[:20])}{', …' if len(losses) > 20 else ''}: "
    mine = [rate / rates[0] for rate in driven.learning_rates]
    wished = [rate / rates[0] for rate in rates]
    drop, due = (next((n for n in range(1, len(r)) if r[n] < 0.999 * r[n - 1]), None) for r in (mine, wished))
    if driven.epochs_run < epochs and drop is None and due is not None and due >= driven.epochs_run:
        return (
            f"{where}stopped after epoch {driven.epochs_run}, expected {epochs}: too early. Of the epochs that ran, "
            "none "
            "had a lower rate. The stop must be more patient than the reducer."
        )
    if drop != due and due is not None:
        if drop is None:
            return f"{where}the rate never fell; expected is a lower one from epoch {due + 1} on."
        return (
            f"{where}the best was epoch {best}, and epoch {drop + 1} was the first with a lower rate; expected is "
            "epoch "
            f"{due + 1}."
        )
    if drop is not None and due is not None and not math.isclose(mine[drop], wished[due], rel_tol=0.01):
        return f"{where}the rate fell to {mine[drop]:.2g} of what it was, expected a tenth."
    if (driven.epochs_run, driven.stopped) != (epochs, stopped):
        ended = f"stopped after epoch {driven.epochs_run}" if driven.stopped else "it never stopped"
        late = driven.epochs_run > epochs or not driven.stopped
        should = f"after epoch {epochs}: too {'late' if late else 'early'}" if stopped else "that nothing stops it"
        return f"{where}{ended}, expected {should}."
    if driven.kept_epoch != kept:
        held = "an earlier training" if driven.kept_epoch is None else f"epoch {driven.kept_epoch + 1}"
        return f"{where}the rate and the stop are right, but the model holds the weights of {held}."
    epoch = next(n for n in range(len(wished)) if not math.isclose(mine[n], wished[n], rel_tol=0.01))
    return (
        f"{where}in epoch {epoch + 1} the rate was {mine[epoch]:.2g} of the first, expected {wished[epoch]:.2g}. A "
        "reduction is not where or what it should be."
    )


# -- 05.3 ------------------------------------------------------------------------------------------------------------


def enough(values: list[float]) -> int:
    """Return the smallest patience, at least 1, that reaches the lowest value: the longest way between improvements."""
    best, last, longest = values[0], 0, 1
    lowest = min(values)
    for epoch, value in enumerate(values):
        if value < best:
            longest, last, best = max(longest, epoch - last), epoch, value
        if value == lowest:
            return longest
    raise ValueError("No value is the lowest: the list holds NaN.")


def _gaps(values: list[float], ties: bool = False) -> list[int]:
    """Return the distances between improvements, the way behind the last one included."""
    best, marks = values[0], [0]
    for epoch, value in enumerate(values[1:], start=1):
        if value < best or (ties and value == best):
            best = value
            marks.append(epoch)
    return [b - a for a, b in itertools.pairwise(marks)] + [len(values) - 1 - marks[-1]]


def _up_to_best(values: list[float]) -> list[int]:
    return _gaps(values)[:-1] or [0]


def _to_the_last(values: list[float]) -> list[int]:
    """Return the distances between improvements, and from the last of them to the last of the lowest values."""
    marks = list(itertools.accumulate(_up_to_best(values), initial=0))
    last = len(values) - 1 - values[::-1].index(min(values))
    return [*_up_to_best(values), last - marks[-1]]


_RISES = "It counts epochs that are no better than the one before. Better than the **best so far** is what counts."


def _rises(values: list[float], whole: bool = False) -> int:
    longest = run = 0
    for one, other in itertools.pairwise(values if whole else values[: values.index(min(values)) + 1]):
        run = run + 1 if other >= one else 0
        longest = max(longest, run)
    return longest


PATIENCE_TWISTS: dict[str, tuple[Callable[[list[float]], int], str]] = {
    "best": (
        lambda v: v.index(min(v)),
        "That is where the best epoch lies, counted from 0; `wait` begins anew at each improvement on the way.",
    ),
    "best 1": (
        lambda v: max(1, v.index(min(v))),
        "That is where the best epoch lies; `wait` begins anew at each improvement on the way.",
    ),
    "best from 1": (
        lambda v: v.index(min(v)) + 1,
        "That is where the best epoch lies, counted from 1; `wait` begins anew at each improvement on the way.",
    ),
    "after": (
        lambda v: len(v) - 1 - v.index(min(v)),
        "That is how many epochs come **after** the lowest value. What counts is the way to it.",
    ),
    "after 1": (
        lambda v: max(1, len(v) - 1 - v.index(min(v))),
        "That is how many epochs come **after** the lowest value. What counts is the way to it.",
    ),
    "last gap": (
        lambda v: max(1, _up_to_best(v)[-1]),
        "That is the last gap before the lowest value. A longer one may come before it.",
    ),
    "first gap": (
        lambda v: max(1, _up_to_best(v)[0]),
        "That is the first gap between two improvements. A longer one may follow.",
    ),
    "rises": (
        lambda v: max(1, _rises(v)),
        _RISES,
    ),
    "rises + 1": (
        lambda v: _rises(v) + 1,
        _RISES,
    ),
    "all rises + 1": (lambda v: _rises(v, whole=True) + 1, _RISES),
    "all rises": (lambda v: max(1, _rises(v, whole=True)), _RISES),
    "half": (
        lambda v: max(1, (v.index(min(v)) + 2) // 2),
        "That is half of the best epoch, a rule of thumb, whatever the way to it looks like. What counts is the "
        "longest way from one improvement to the next.",
    ),
    "half down": (
        lambda v: max(1, (v.index(min(v)) + 1) // 2),
        "That is half of the best epoch, a rule of thumb, whatever the way to it looks like. What counts is the "
        "longest way from one improvement to the next.",
    ),
    "first real gap": (
        lambda v: next((gap for gap in _up_to_best(v) if gap > 1), 1),
        "That is the first gap between two improvements that do not follow each other. A longer one may come later.",
    ),
    "near": (
        lambda v: next(p for p in range(1, len(v) + 1) if replay.early_stopping(v, patience=p).best <= 1.01 * min(v)),
        "It is content with a value **near** the lowest. Asked for is the lowest itself.",
    ),
    "last of ties": (
        lambda v: max(1, *_to_the_last(v)),
        "The lowest value comes more than once, and yours goes to the last of them. It is reached with the first: a "
        "tie is no improvement.",
    ),
    "count": (lambda v: len(v), "So many epochs are always enough. Asked for is the smallest patience that is."),
}


_ENOUGH_PIECES = {"{0}": "the list of values", "min({0})": "the lowest value", "{0}[0]": "the first value", "1": "1"}


@exercise("05.3", pieces=_ENOUGH_PIECES)
def enough_patience(answer: object) -> Verdict:
    """Ask the function about curves by hand, then about random ones, with ties and off any grid, short and long."""
    function = as_function(answer, "values")
    curves = [
        [0.9, 0.5, 0.6, 0.7, 0.4, 0.8, 0.9, 1.0, 1.1, 1.2],  # the way behind the best is the longest
        [0.9, 0.8, 0.7, 0.6],
        [0.9, 0.8, 0.85, 0.86, 0.87, 0.7, 0.75, 0.6, 0.9],
        [0.5, 0.6, 0.7, 0.8, 0.9],
        [0.9, 0.6, 0.6, 0.6, 0.5, 0.7],
        [0.7],
        [0.5, 0.5, 0.5],
    ]
    rng = random.Random(5)
    curves += [[rng.randint(1, 12) / 16 for _ in range(rng.randint(2, 14))] for _ in range(60)]
    for spread in (2.9, 0.02, 0.0005, 4e-6):
        curves += [[0.1 + rng.uniform(0, spread) for _ in range(rng.randint(2, 14))] for _ in range(12)]
    for gap in (9, 12, 23, 41, 57, 104):
        curves.append([0.9, *[0.91 + 0.001 * n for n in range(gap - 1)], 0.7, 0.8])
    wanted = [enough(curve) for curve in curves]
    given = []
    for curve, want in zip(curves, wanted, strict=True):
        handed = list(curve)
        given.append(call(function, handed))
        if handed != curve:
            return wrong(f"Your function changed the list it was given: {_listed(curve)}. Work on a copy.", credit=0.3)
        if trying() and whole(given[-1]) != want:
            return wrong("")
    misses = [n for n, value in enumerate(given) if whole(value) != wanted[n]]
    if not misses:
        return right(f"Right for all {len(curves)} curves, with ties, dips and early bests, short and long.")
    credit = 0.5 if len(misses) < len(curves) / 4 else 0.0
    nothing = next((n for n in misses if whole(given[n]) is None), None)
    if nothing is not None:
        case = f"For {_listed(curves[nothing])} your function said {given[nothing]!r}; {wanted[nothing]} is enough"
        if given[nothing] is None:
            way = "Every way through a function needs a `return`; where there is none, it gives back None."
            return wrong(f"{case}.", credit, way)
        return wrong(f"{case}. A patience is a whole number.", credit=credit)
    told, named = _why_other_patience(curves, given, wanted, misses[0])
    least = "The smallest patience to name here is 1." if whole(given[misses[0]]) < 1 else ""
    return wrong(told, credit, None if named else least)


# Each sentence is about the rule, not about the one number shown: it has to be true beside another mistake, too.
_COUNTED = {
    "ties": "A tie is no improvement: the way from one improvement to the next goes on over it.",
    "ties on": "A tie is no improvement, nor is one with the lowest value: the way ends at the first of them.",
    "behind": "It counts gaps **behind** the lowest value, too. Only the way to that value counts.",
    "past": "It counts gaps **behind** the lowest value, too. Only the way to that value counts.",
    "less": (
        "Of each gap it counts one too few: the training would stop one epoch before the improvement. `wait` may not "
        "reach the patience."
    ),
    "more": "Of each gap it counts one too many: one less does as well.",
    "all": "It counts all epochs without improvement together. Only those in a row count: take the longest way.",
    "zero": "Where each epoch improves, or none, the smallest patience is 1, not 0.",
}


def _counted_otherwise(curves: list[list[float]], numbers: list[int | None]) -> str:
    """Find the fewest of these mistakes that together give all that the answer said, and name them; else ""."""
    for count in range(1, 4):
        for twists in itertools.combinations(_COUNTED, count):
            if [_counted(curve, twists) for curve in curves] == numbers:
                return " And: ".join(_COUNTED[twist] for twist in twists)
    return ""


def _counted(values: list[float], twists: tuple[str, ...]) -> int:
    gaps = _gaps(values if "behind" in twists else values[: values.index(min(values)) + 1], ties="ties" in twists)
    if "ties on" in twists and "behind" not in twists:
        # A tie with the lowest value is an improvement as well, for who counts ties.
        gaps = _gaps(values[: len(values) - values[::-1].index(min(values))], ties=True)
    if "past" in twists:
        gaps = [*gaps[:-1], len(values) - sum(gaps[:-1])]
    elif "behind" not in twists:
        gaps = gaps[:-1]
    found = sum(gap - 1 for gap in gaps) if "all" in twists else max(gaps, default=0)
    return max(found - ("less" in twists), 0 if "zero" in twists else 1) + ("more" in twists)


def _listed(curve: list[float]) -> str:
    if len(curve) > 16:
        return f"{len(curve)} losses ({', '.join(f'{value:.3g}' for value in curve[:4])}, …)"
    return ", ".join(f"{value:.4g}" for value in curve)


def _why_other_patience(curves: list[list[float]], given: list, wanted: list[int], first: int) -> tuple[str, bool]:
    """Return what it says for one curve, with the mistake if it has a name, and whether it has."""
    curve, value, want = curves[first], whole(given[first]), wanted[first]
    case = f"For {_listed(curve)} your function said {value}; {want} is enough"
    numbers = [whole(one) for one in given]
    told = _counted_otherwise(curves, numbers)
    if told:
        return f"{case}. {told}", True
    for rule, words in PATIENCE_TWISTS.values():
        if [rule(one) for one in curves] == numbers:
            return f"{case}. {words}", True
    limited = [n for n in range(len(curves)) if numbers[n] != wanted[n]]
    if min(wanted[n] for n in limited) > max(4, *(w for n, w in enumerate(wanted) if n not in limited), 0):
        return (
            f"{case}. Only where a large patience is needed it is wrong: does your search end before it gets there?",
            True,
        )
    always = f" It says {value} of every curve." if len({*numbers}) == 1 else ""
    reached = replay.early_stopping(curve, patience=value).best
    if reached != min(curve):
        return f"{case}. With {value} it stops before the lowest value, and keeps {reached:.4g}.{always}", False
    return f"{case}. It gets there too, but a smaller one does as well.{always}", False
