"""Callbacks that are all settings: judged by what they do; a setting is named after it was changed and played again.

A check says what each setting should be. The answer plays the situations beside a callback with the wished settings.
When it does the same, it is right, however it is written. When not, the settings that differ are put right one after
the other and it plays again: named are those without which it is not right.
"""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import keras

from helpers.checks._core import Wrong
from helpers.checks.scripted._calls import whole
from helpers.checks.scripted._detect import about_monitor

__all__ = ["Wish", "causes", "fresh", "odd_types", "settings_of"]

_NUMBERS = ("patience", "min_delta", "start_from_epoch", "baseline", "factor", "cooldown", "min_lr", "save_freq")
_FLAGS = ("restore_best_weights", "save_best_only", "save_weights_only")
_EPOCHS = ("patience", "start_from_epoch", "cooldown")


@dataclass(frozen=True)
class Wish:
    """What a setting should be: a value, and, where others do as well, what says so; `words` end "asked for is"."""

    value: object
    fits: Callable[[object], bool] | None = field(default=None, compare=False)
    words: str = ""

    def granted(self, given: object) -> bool:
        """Say whether a given value is as wished."""
        if self.fits is not None:
            return bool(self.fits(given))
        number = whole(given)
        return given == self.value if number is None or isinstance(self.value, bool) else number == self.value


def settings_of(callback: keras.callbacks.Callback) -> dict[str, object]:
    """Return the arguments of a Keras callback as they are now, by name; those that it does not keep are left out."""
    kind = next(base for base in type(callback).__mro__ if base.__module__.startswith("keras."))
    found = {}
    for name in list(inspect.signature(kind.__init__).parameters)[1:]:
        if name == "initial_value_threshold":
            # A saver that has been in a fit holds the best of that fit there.
            found[name] = None if hasattr(callback, "_current_epoch") else callback.best
        elif hasattr(callback, name):
            value = getattr(callback, name)
            found[name] = abs(value) if name == "min_delta" and isinstance(value, int | float) else value
    return found


def defaults_of(callback: keras.callbacks.Callback) -> dict[str, object]:
    """Return the default of each argument of a Keras callback."""
    kind = next(base for base in type(callback).__mro__ if base.__module__.startswith("keras."))
    return {name: one.default for name, one in inspect.signature(kind.__init__).parameters.items()}


def fresh(callback: keras.callbacks.Callback, **changes: object) -> keras.callbacks.Callback:
    """Return a copy as it was before any fit, some settings changed; the learner's object stays as it is."""
    made = copy.copy(callback)
    used = hasattr(callback, "_current_epoch")
    if isinstance(made, keras.callbacks.Callback) and hasattr(made, "monitor_op"):
        made.monitor_op = None
        if isinstance(getattr(made, "min_delta", None), int | float):
            made.min_delta = abs(made.min_delta)
    if isinstance(made, keras.callbacks.ModelCheckpoint) and used:
        made.best = None
    for name, value in changes.items():
        setattr(made, "best" if name == "initial_value_threshold" else name, value)
    return made


def odd_types(callback: keras.callbacks.Callback) -> str:
    """Say which setting is a text, a list or a flag where something else belongs; "" where all are well."""
    given = settings_of(callback)
    for name in _FLAGS:
        if isinstance(given.get(name), str):
            return (
                f"`{name}` is True or False, without quotes; yours is the text `{given[name]!r}`. Any text counts as "
                "true, even 'False'."
            )
    for name in _NUMBERS:
        value = given.get(name)
        if isinstance(value, bool):
            return (
                f"`{name}` is a number, and yours is {value}. Arguments without names come in the order of the class's "
                "first line: better write the names."
            )
        if value is None or (name == "save_freq" and value == "epoch"):
            continue
        epochs = " of epochs" if name in _EPOCHS else ""
        if isinstance(value, str | bytes | list | tuple | dict | set):
            return f"`{name}` is a whole number{epochs}, without quotes or brackets; yours is `{value!r}`."
        if name in _EPOCHS and whole(value) is None:
            return f"`{name}` is a whole number{epochs}; yours is `{value!r}`."
        if hasattr(value, "__len__"):
            return f"`{name}` is one number; yours is `{value!r}`."
    return ""


def causes(
    callback: keras.callbacks.Callback,
    wishes: Mapping[str, Wish],
    is_right: Callable[[keras.callbacks.Callback], bool],
) -> dict[str, object]:
    """Return the settings that keep an answer from being right, with their values, found by changing and replaying.

    Args:
        callback: the learner's.
        wishes: what was asked for; every other setting should be at its default.
        is_right: plays the situations with a callback and says whether all was as it should be.

    Returns:
        Empty when the settings do not explain it: all are as wished, or with all of them right it is still wrong.
    """
    given, defaults = settings_of(callback), defaults_of(callback)
    wished = {name: wishes.get(name, Wish(defaults.get(name))) for name in given if name != "filepath"}
    odd = {name: given[name] for name, wish in wished.items() if name != "verbose" and not wish.granted(given[name])}
    mended = {name: wished[name].value for name in odd}
    if not odd or not is_right(fresh(callback, **mended)):
        return {}
    needed = {}
    for name, value in odd.items():
        others = {other: right for other, right in mended.items() if other != name}
        if not is_right(fresh(callback, **others)):
            needed[name] = value
    return needed or odd


_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def misplaced(callback: keras.callbacks.Callback, name: str, wish: Wish) -> tuple[str, str]:
    """Return the argument that holds the value which another one should have, and a sentence; ("", "") for none."""
    given, defaults = settings_of(callback), defaults_of(callback)
    names = list(defaults)[1:]
    for other in names[1:4]:  # nobody counts further
        value = given.get(other)
        same = value is wish.value if isinstance(wish.value, bool) else (
            not isinstance(value, bool) and isinstance(value, int | float) and value == wish.value
        )  # fmt: skip
        usual = other == "verbose" and not isinstance(value, bool) and value in (0, 1, 2)
        if same and other != name and value != defaults[other] and not usual:
            return other, (
                f"`{other}` is `{value!r}`, and `{name}` is `{given[name]!r}`: the value of the one stands in the "
                f"other. Write `{name}={wish.value!r}`. (An argument without a name goes by its place, and the "
                f"{_PLACES[names.index(other)]} is `{other}`.)"
            )
    return "", ""


def unread(callback: keras.callbacks.Callback, name: str) -> str:
    """Say that a setting was set under a name that nobody reads, or on the class; "" where it was not."""
    kind = next(base for base in type(callback).__mro__ if base.__module__.startswith("keras."))
    if name in vars(kind):
        return (
            f"`{name}` was set on the class `{kind.__name__}`. The object has its own, which is "
            f"`{getattr(callback, name)!r}`: give it when you make the object."
        )
    read = {word for base in kind.__mro__ for one in vars(base).values()
            for word in getattr(getattr(one, "__code__", None), "co_names", ())}  # fmt: skip
    own = [word for word in vars(callback) if word not in read and not word.startswith("_")]
    known = name if name != "initial_value_threshold" else "best"
    close = difflib.get_close_matches(known, own, n=1, cutoff=0.55)
    return f"It sets `{close[0]}`, a name that Keras does not read. It is called `{known}`." if close else ""


def sentences(
    callback: keras.callbacks.Callback,
    found: Mapping[str, object],
    wishes: Mapping[str, Wish],
    logs: Sequence[str],
    told: Mapping[str, Callable[[object], str]],
    who: str = "",
) -> str:
    """Write a sentence for each setting that was found to be a cause; `told` has those of the exercise itself."""
    words, explained = [], set()
    for name in found:
        other, sentence = misplaced(callback, name, wishes[name]) if name in wishes else ("", "")
        if sentence and name not in explained and (other not in wishes or other in found):
            asked = f" And `{other}={wishes[other].value!r}`." if other in wishes else ""
            words.append(f"{sentence}{asked}")
            explained |= {name, other}
    for name, value in found.items():
        if name in explained:
            continue
        if slip := unread(callback, name):
            words.append(slip)
        elif name in told:
            words.append(told[name](value))
        elif name == "monitor":
            words.append(about_monitor(value, logs, wishes["monitor"].value if "monitor" in wishes else "val_loss"))
        elif name in wishes:
            asked = wishes[name].words or f"`{wishes[name].value!r}`"
            words.append(f"`{name}` is `{value!r}`; asked for is {asked}.")
        else:
            words.append(f"`{name}={value!r}` was not asked for, and it changes what happens. Leave it out.")
    if len(words) > 1:
        words = [f"({number}) {text}" for number, text in enumerate(words, start=1)]
        words.insert(0, f"{len(words)} settings are not as asked for.")
    return " ".join([*([who] if who else []), *words])


def number_text(callback: keras.callbacks.Callback) -> None:
    """Raise Wrong where a setting is of a type that no training can be played with."""
    slip = odd_types(callback)
    if slip:
        raise Wrong(slip)
