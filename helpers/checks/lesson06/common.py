"""What the checkers of lesson 06 share: how an answer is taken, made and kept from harming others."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping, Sequence

import keras

from helpers.checks._core import Wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import Driven, FakeModel, about_stopping, as_class, drive, made_by, strange_hook

Callback = keras.callbacks.Callback

# Values of a metric, None where it is missing; a fit is one curve for each of two metrics.
Curve = tuple[float | None, ...]
Fit = tuple[Curve, Curve]

# Of a case: the epochs that each of its fits ran with an answer, or by the rule (and a mistake), and its description.
_Play = Callable[[tuple], list[int]]
_Rule = Callable[..., list[int]]
_Told = Callable[..., str]


def taken(answer: object, name: str, *, rebuilt: bool = False) -> Callable[..., Callback]:
    """Return the answer if it makes callbacks: a class of them, or a function that returns one.

    Args:
        answer: what the learner hands in.
        name: of the class that was asked for.
        rebuilt: it rebuilds one of Keras's own, so it may not inherit from one.

    Raises:
        Wrong: it is something else; the message says what to write.
    """
    if inspect.isfunction(answer) and not rebuilt:
        return answer
    kind = as_class(answer, like=name)
    real = next((base for base in kind.__mro__ if base.__module__.startswith("keras.")), Callback)
    if rebuilt and real is not Callback:
        raise Wrong(
            f"`{kind.__name__}` is or inherits from Keras's own `{real.__name__}`. Write it from `Callback` "
            "upwards, to see that there is no magic in it."
        )
    return kind


def begun(kind: Callable[..., Callback], *methods: str) -> bool:
    """Say whether anything was written: a hook, or a method, beside an `__init__`; a class with no more is a stub.

    Args:
        kind: the class, or a function that makes callbacks.
        methods: those that the lesson gave for this exercise beside `__init__`; without others it is a stub as well.

    Raises:
        Wrong: there is no hook, but a method that is nearly named like one.
    """
    if not isinstance(kind, type):
        return True
    bases = [base for base in kind.__mro__ if not base.__module__.startswith(("keras.", "builtins"))]
    own = {name for base in bases for name, value in vars(base).items() if callable(value)}
    if not any(hasattr(Callback, name) and name.startswith("on_") for name in own):
        slip = strange_hook(kind)
        if slip:
            raise Wrong(slip)
    real = next(base for base in kind.__mro__ if base.__module__.startswith("keras."))
    return bool(own - {"__init__", "__module__", *methods}) or real is not Callback


_FLAG = (
    "The flag that `fit` looks at is `self.model.stop_training`. If you set that one: can the condition before it "
    "ever be true?"
)


def made(kind: Callable[..., Callback], *arguments: object, **named: object) -> Callback:
    """Make an object of the learner's class, or let their function make it.

    Raises:
        Wrong: it cannot be made so, or its `__init__` leaves out that of the parent class.
    """
    callback = made_by(kind, *arguments, **named)
    try:
        unprepared = not hasattr(callback, "_model")
    except AttributeError:
        unprepared = True
    if unprepared:
        raise Wrong(
            "Your `__init__` does not call `super().__init__()`. Keras prepares there what every callback has: without "
            "it, `callback.model` is an error instead of None until a fit begins. Make it the first line."
        )
    return callback


def held(driven: Driven, allowed: frozenset[str] = frozenset()) -> Driven:
    """Return the record if the callbacks left `logs` as they were, new keys apart.

    Raises:
        Wrong: something in `logs` was changed or removed.
    """
    changed = sorted(driven.logs_changed - allowed)
    if changed:
        raise Wrong(
            f"It changes `{changed[0]}` in `logs`. All callbacks share this dictionary, and the history is one of "
            "them: read from it, or copy it first with `dict(logs)`."
        )
    return driven


class _Stops(Callback):
    """Another callback of the list, which asks for a stop in epoch 2, once: after its first batch, or at its end."""

    def __init__(self, batch: bool):
        super().__init__()
        self.batch, self.epoch = batch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.batch and self.epoch == 1 and batch == 0:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if not self.batch and epoch == 1:
            self.model.stop_training = True


def keeps_the_flag(callback: Callback, logs: Sequence | dict, *, batches: int = 0) -> None:
    """Play a fit in which another callback stops the training in epoch 2, before this one is called.

    With `batches` it stops after a batch of that epoch, otherwise at the epoch's end.

    Raises:
        Wrong: this one takes the stop back.
    """
    ran = drive([_Stops(bool(batches)), callback], logs, batches=batches, model=FakeModel())
    if ran.epochs_run > 2:
        raise Wrong(
            "Alone it works. But another callback in the list had asked for a stop, and yours took it back by setting "
            "`stop_training` to False. Set it to True inside an `if`, and otherwise leave it alone."
        )


def in_turn(
    callback: Callback, fits: Sequence[Mapping], last: list | None = None, *, initial_epoch: int = 0
) -> list[int]:
    """Play one fit after another with one callback and one model, and return how many epochs each of them ran.

    Args:
        callback: the object.
        fits: for each fit its logs, a dict of lists as in a history.
        last: takes the callback and the model, for whoever asks afterwards.
        initial_epoch: of the last fit.

    Raises:
        Wrong: the callback changes what is in `logs`.
    """
    model, numbers = FakeModel(), [0] * (len(fits) - 1) + [initial_epoch]
    if last is not None:
        last[:] = callback, model
    return [
        held(drive(callback, logs, model=model, initial_epoch=first)).epochs_run
        for logs, first in zip(fits, numbers, strict=True)
    ]


def begins_at_any_epoch(second: Callable[[int], object]) -> None:
    """Play two fits with one object, of which the second resumes with `initial_epoch`, as after a crash.

    Args:
        second: makes an object, plays two fits with it, the second with this `initial_epoch`, and returns what the
            second did.

    Raises:
        Wrong: the second does something else than with `initial_epoch=0`.
    """
    told = "A fit that resumes with `initial_epoch=3` begins with epoch number 3."
    try:
        resumed = second(3)
    except Exception as error:
        error.add_note(f"{told} Set all state in `on_train_begin`.")
        raise
    if resumed != second(0):
        raise Wrong(
            f"{told} Yours does not begin afresh there, as it does where a second fit begins with epoch 0. Do not ask "
            "for `epoch == 0`: set all state in `on_train_begin`.", 0.7
        )  # fmt: skip


def epoch_count(count: int) -> str:
    """Return the number with its noun."""
    return f"{count} epoch" if count == 1 else f"{count} epochs"


def listed(values: Sequence[float | None]) -> str:
    """Write a curve for a person."""
    words = ("missing" if v is None else "NaN" if v != v else f"{v:.6g}" for v in values)
    return f"[{', '.join(words)}]"


def explained(yours: list, rule: Callable[[str], list], twists: Mapping[str, str], same: Callable = list.__eq__) -> str:
    """Return the message of the first twist of the rule that gives all that the answer did, or an empty string."""
    return next((message for twist, message in twists.items() if same(yours, rule(twist))), "")


def apart(words: str, callback: object) -> tuple[str, str | None]:
    """Return what a twist says as the cause, or as a guess where it may not be all.

    State of an earlier fit also stays where `on_train_begin` is there, and sets something else, or is misspelt.
    """
    kind = callback if isinstance(callback, type) else type(callback)
    own = any("on_train_begin" in vars(base) for base in kind.__mro__ if not base.__module__.startswith("keras."))
    open_ = "on_train_begin" in words and (own or strange_hook(callback))
    return ("", words) if open_ or not words else (words, None)


RANDOM_CASES = 150


def drawn(case: Callable[[random.Random], tuple]) -> list[tuple]:
    """Return the random cases of a checker, the same at each call."""
    rng = random.Random(0)
    return [case(rng) for _ in range(RANDOM_CASES)]


def obeys(
    play: _Play,
    rule: _Rule,
    cases: Sequence[tuple],
    twists: Mapping[str, str],
    told: _Told,
    last: Sequence,
    more: Sequence[tuple] = (),
) -> None:
    """Play all cases and look for the twist of a stopping rule that explains what the answer did.

    Args:
        play: plays one case with it and returns the epochs that each fit ran.
        rule: the same by the rule, `rule(*case)`, or by the rule with a mistake, `rule(*case, twist)`.
        cases: tuples whose last entry are the fits.
        twists: each mistake with its message.
        told: describes a case that went otherwise, see `difference`.
        last: the callback of the case that was played last, and its model.
        more: further cases, which decide between mistakes that look alike in the others.

    Raises:
        Wrong: some case went otherwise.
    """
    if trying() and not all(play(case) == rule(*case) for case in cases):
        raise Wrong("")
    yours = [play(case) for case in cases]
    if yours == [rule(*case) for case in cases]:
        return
    if all(ran[0] == len(case[-1][0][0]) for ran, case in zip(yours, cases, strict=True)):
        slip = about_stopping(*last)
        raise Wrong(slip or "None of the trainings that were played was ever stopped.", guess=None if slip else _FLAG)
    alike = {
        name: words for name, words in twists.items() if yours == [rule(*case, name) for case in cases]
    }  # fmt: skip
    found = _best_explained([(case, play(case)) for case in more] if alike else [], rule, alike)
    cause, guess = apart(found, last[0])
    raise Wrong(f"{cause} {difference(play, rule, cases, told)}".strip(), guess=guess)


def obeys_drawn(play: _Play, rule: _Rule, cases: Sequence[tuple], told: _Told) -> None:
    """Play the drawn cases with an answer that `obeys` on the others.

    Raises:
        Wrong: some case went otherwise; half of the exercise is right.
    """
    example = difference(play, rule, cases, told)
    if example:
        raise Wrong(f"On easy curves it is right. {example}", 0.5, guess="")


def _best_explained(played: Sequence[tuple[tuple, list[int]]], rule: _Rule, alike: Mapping[str, str]) -> str:
    """Return the words of the twist that explains most of what went wrong, and at least three quarters of it."""
    odd = [(case, ran) for case, ran in played if ran != rule(*case)]
    share = {twist: sum(ran == rule(*case, twist) for case, ran in odd) for twist in alike}
    best = max(share, key=share.__getitem__, default="")
    return alike[best] if best and share[best] >= 0.75 * len(odd) else ""


def difference(play: _Play, rule: _Rule, cases: Sequence[tuple], told: _Told) -> str:
    """Describe the first fit that ran otherwise than it should, or return an empty string.

    `told` gets the case, the number of the fit counted from 1, and the epochs that it ran and should have run.
    """
    for case in cases:
        for number, (ran, expected) in enumerate(zip(play(case), rule(*case), strict=True), start=1):
            if ran != expected:
                return told(case, number, ran, expected)
    return ""
