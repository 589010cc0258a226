"""What a learner hands in: a callback, or a class of callbacks, and what to say when it is neither."""

from __future__ import annotations

import inspect

import keras

from helpers.checks._core import Wrong

__all__ = ["as_callback", "as_class"]


def as_callback(answer: object, kind: type = keras.callbacks.Callback) -> keras.callbacks.Callback:
    """Return the answer if it is a callback of this kind.

    Raises:
        Wrong: it is a class in place of an object, or something else; the message says what to write.
    """
    name = kind.__name__
    article = "an" if name[0] in "AEIOU" else "a"
    if isinstance(answer, type):
        if issubclass(answer, keras.callbacks.Callback):
            raise Wrong(f"`{answer.__name__}` alone is the class. Make an object of it: `{answer.__name__}(...)`.")
        raise Wrong(f"Expected {article} `{name}`, got the class `{answer.__name__}`.")
    if isinstance(answer, tuple) and len(answer) == 1 and isinstance(answer[0], kind):
        raise Wrong(
            f"Expected {article} `{name}`, got a tuple that holds one: a comma behind the closing bracket does that."
        )
    if inspect.isfunction(answer):
        raise Wrong(
            f"Expected {article} `{name}`, got the function `{answer.__name__}` itself. Call it, with brackets, and "
            "take what it returns."
        )
    if not isinstance(answer, kind):
        raise Wrong(f"Expected {article} `{name}`, got {_said(answer)}.")
    return answer


def as_class(answer: object, *, like: str = "MyCallback") -> type[keras.callbacks.Callback]:
    """Return the answer if it is a class of callbacks, as `compare` takes it.

    Raises:
        Wrong: it is an object, or a class of another kind; the message says what to write, with the name `like`.
    """
    if isinstance(answer, type) and issubclass(answer, keras.callbacks.Callback):
        return answer
    if isinstance(answer, type):
        raise Wrong(f"`{answer.__name__}` is no callback yet: begin it with `class {like}(keras.callbacks.Callback):`.")
    if isinstance(answer, keras.callbacks.Callback):
        raise Wrong(
            f"Give the class itself, `{type(answer).__name__}` without brackets: the check makes its own objects."
        )
    raise Wrong(f"Expected a class of callbacks, such as `{like}`, got {_said(answer)}.")


def _said(answer: object) -> str:
    if isinstance(answer, (str, int, float, bool, type(None))):
        return f"`{answer!r}`"
    if isinstance(answer, (list, tuple, set, dict)):
        return f"a {type(answer).__name__} of {len(answer)}"
    return f"an object of class `{type(answer).__name__}`"
