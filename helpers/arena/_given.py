"""What the learner's function gave: is it a list of callbacks, and would they keep their files in the folder?"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from ._fence import Fence

__all__ = ["Unusable", "checked", "plain_globals"]


class Unusable(TypeError):
    """What `make_callbacks` returned cannot be used; the message says why."""


def checked(given: Any, fence: Fence, note: Callable[[str], None]) -> list[keras.callbacks.Callback]:
    """Return the learner's callbacks.

    Raises:
        Unusable: it is no list of callbacks.
        Refused: one of them would write outside of the folder.
    """
    wanted = "`make_callbacks` must return a list of callbacks"
    if given is None:
        raise Unusable(f"{wanted}, and it returned None. Is its last line `return [...]`?")
    if isinstance(given, keras.callbacks.Callback):
        raise Unusable(f"{wanted}, and it returned one callback alone. Put it into brackets: `return [...]`.")
    if not isinstance(given, list | tuple):
        kind = type(given).__name__
        order = " Their order matters, and a set has none." if isinstance(given, set | frozenset) else ""
        raise Unusable(f"{wanted}, and it returned a {kind}.{order}")
    for number, one in enumerate(given, 1):
        if isinstance(one, type):
            raise Unusable(f"{wanted}, and number {number} is the class {one.__name__}: write `{one.__name__}(...)`.")
        if not isinstance(one, keras.callbacks.Callback):
            raise Unusable(f"{wanted}, and number {number} is a {type(one).__name__}.")
        for name, value in vars(one).items():
            if isinstance(value, Path) or (isinstance(value, str) and any(w in name for w in ("path", "dir", "file"))):
                _look_at_path(type(one).__name__, name.lstrip("_"), str(value), fence, note)
    return list(given)


def _look_at_path(owner: str, name: str, path: str, fence: Fence, note: Callable[[str], None]) -> None:
    where = fence.outside(path) if path else "folder"
    if where == "outside":
        fence.refuse(
            f"{owner} has {name}={path!r}, which is outside of the folder. Only the folder that `make_callbacks` is "
            "given is yours: write `folder / 'a name'`."
        )
    elif where == "scratch":
        note(
            f"{owner} has {name}={path!r}, which is not in the folder: nothing there outlives the process, and nobody "
            f"judges it. Write `folder / {os.path.basename(path)!r}`."
        )


def plain_globals(function: Any) -> dict[str, bytes]:
    """Return what plain values the names of the notebook hold that the function brought along."""
    found = {}
    for name, value in getattr(function, "__globals__", {}).items():
        if isinstance(value, list | dict | set | int | float | str) and not name.startswith("__"):
            try:
                found[name] = pickle.dumps(value)
            except Exception:
                found[name] = repr(type(value)).encode()
    return found
