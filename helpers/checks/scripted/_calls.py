"""What of the learner's is called: functions, classes to make objects of; and what a called function gave back."""

from __future__ import annotations

import inspect
import operator
import os
import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from helpers.checks import _place
from helpers.checks._core import Wrong

__all__ = ["as_function", "as_path", "call", "made_by", "parts", "whole"]

_short = reprlib.Repr()
_short.maxlist = _short.maxtuple = 12
_short.maxstring = _short.maxother = 60


def as_function(answer: object, arguments: str, returns: type | None = None) -> Callable:
    """Return the answer if it is a function (or anything that is called like one, a class apart).

    A class is taken where calling it gives what the function should return: a subclass of `returns`.

    Raises:
        Wrong: it is something else; the message says what to write, with `arguments`.
    """
    if isinstance(answer, type) and not (returns and issubclass(answer, returns)):
        raise Wrong(f"`{answer.__name__}` is a class. Asked for is a function: `def ...({arguments}):`.")
    if not callable(answer):
        raise Wrong(
            f"Asked for is a function of `{arguments}`; yours is {_said(answer)}. Give the function itself, without "
            "brackets."
        )
    return answer


def _said(value: object) -> str:
    plain = isinstance(value, str | int | float | bool | list | tuple | dict)
    return f"`{_short.repr(value)}`" if plain else f"an object of class `{type(value).__name__}`"


def _shown(argument: object) -> str:
    """Write an argument for a person; an object that does not say what it holds by the name of its class."""
    said = _short.repr(argument)
    name = type(argument).__name__
    return f"{'an' if name[0] in 'AEIOU' else 'a'} `{name}`" if said.startswith("<") else said


def call(function: Callable, *arguments: object) -> object:
    """Call the learner's function, and write down which call it is.

    Raises:
        Wrong: the function does not take so many arguments.
    """
    name = getattr(function, "__name__", type(function).__name__)
    said = ", ".join(map(_shown, arguments))
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        takes = ", ".join(inspect.signature(function).parameters) or "nothing"
        count = {1: "one argument", 2: "two arguments"}.get(len(arguments), f"{len(arguments)} arguments")
        raise Wrong(f"The function is called with {count}, and yours takes {takes}.") from None
    except ValueError:
        pass  # a built-in that does not say
    _place.called(f"`{name}`, with {said}")
    given = function(*arguments)
    _place.clear()
    return given


def made_by(maker: Callable, *arguments: object, **named: object) -> keras.callbacks.Callback:
    """Make an object of the learner's class, or let their function make it, and see that it is a callback.

    Raises:
        Wrong: it does not take these arguments, or what comes of it is no callback.
    """
    name = getattr(maker, "__name__", type(maker).__name__)
    said = ", ".join([*map(_short.repr, arguments), *(f"{key}={value!r}" for key, value in named.items())])
    try:
        inspect.signature(maker).bind(*arguments, **named)
    except TypeError:
        takes = [one for one in inspect.signature(maker).parameters if one not in ("args", "kwargs")]
        told = f"It takes {', '.join(f'`{one}`' for one in takes)}." if takes else "It takes no arguments."
        where = " Its `__init__(self, ...)` names what it takes." if isinstance(maker, type) else ""
        raise Wrong(f"`{name}({said})` is how the exercise makes it, and yours cannot be. {told}{where}") from None
    except ValueError:
        pass
    _place.at(f"when `{name}({said})` was made")
    made = maker(*arguments, **named)
    _place.clear()
    if isinstance(made, type) and issubclass(made, keras.callbacks.Callback):
        raise Wrong(f"`{name}({said})` gave back the class `{made.__name__}`. Make an object: `{made.__name__}(...)`.")
    if not isinstance(made, keras.callbacks.Callback):
        what = "nothing: is there a `return`?" if made is None else f"{_said(made)}, which is no callback."
        raise Wrong(f"`{name}({said})` gave back {what}")
    return made


def as_path(value: object, name: str) -> Path:
    """Return a folder or file that the lesson made, which an answer gets and should leave as it is.

    Raises:
        Wrong: the name holds something else now.
    """
    if not isinstance(value, str | os.PathLike):
        raise Wrong(f"`{name}` should stay what the lesson made of it, a path; now it is {_said(value)}.")
    return Path(value)


def whole(value: object) -> int | None:
    """Return a value as a whole number, whatever type says it (4, 4.0, numpy.int64(4)); None for anything else."""
    if isinstance(value, bool | str | bytes):
        return None
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else None


def parts(answer: object, names: Sequence[str]) -> tuple:
    """Return the parts of an answer that the check cell hands over as a tuple.

    Raises:
        Wrong: it has another number of parts; the message names them.
    """
    listed = ", ".join(f"`{name}`" for name in names)
    if not isinstance(answer, tuple | list):
        raise Wrong(f"The check looks at {len(names)} things, {listed}; it was given one, {_said(answer)}.")
    if len(answer) != len(names):
        raise Wrong(f"The check looks at {len(names)} things, {listed}; it was given {len(answer)}.")
    return tuple(answer)
