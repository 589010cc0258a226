"""Slips that show without any training: each check asks here first, so that one slip has one sentence."""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
import types
from collections.abc import Iterable
from pathlib import Path

import keras

from helpers.checks._blame import HOOKS, learners_functions, meant_hook, misspelt_hooks
from helpers.checks.scripted._model import FakeModel

__all__ = ["about_folder", "about_moment", "about_monitor", "about_stopping", "named_outside", "strange_hook"]

Callback = keras.callbacks.Callback


def strange_hook(answer: object) -> str:
    """Say which method looks like a hook and is none, in a class, or, as LambdaCallback keeps it, in an object."""
    kind = answer if isinstance(answer, type) else type(answer)
    own = [] if isinstance(answer, type) else list(vars(answer))
    own += [name for base in kind.__mro__ if not base.__module__.startswith("keras.") for name in vars(base)]
    meant = misspelt_hooks(kind)
    for name in dict.fromkeys(own):
        if name in HOOKS or not (name in meant or (name.startswith("on_") and name != "on_error")):
            continue
        close = meant.get(name) or meant_hook(name, 0.6)
        told = f" Did you mean `{close}`?" if close else ""
        return f"Keras knows no hook `{name}`, so nobody calls it.{told}"
    return ""


def about_monitor(monitor: object, logs: Iterable[str], wished: str) -> str:
    """Say what is wrong with a monitored name; "" where it is the one that was wished for."""
    if not isinstance(monitor, str):
        return f"`monitor` should be one name in quotes, `{wished!r}`; yours is `{monitor!r}`."
    if monitor == wished:
        return ""
    if monitor not in logs:
        return (
            f"It watches `{monitor}`, and `logs` has no such name, only {', '.join(f'`{name}`' for name in logs)}. "
            "Names must be right to the letter: look at `monitor`. (A real fit warns, or raises an error about `mode`.)"
        )
    training = ", which is measured on the training data that the model learns by heart" if monitor[0] != "v" else ""
    return f"It watches `{monitor}`{training}; asked for is `{wished}`. Look at `monitor`."


# What a hook gets that is not called after an epoch.
_GETS = {
    "on_epoch_begin": "where `logs` is still empty",
    "on_train_begin": "which is called once in a fit, before the first epoch",
    "on_train_end": "which is called once in a fit, after the last epoch",
    "on_train_batch_begin": "before each batch, where `logs` is empty",
    "on_train_batch_end": "after each batch, when nothing has been validated yet",
    "on_batch_begin": "before each batch, where `logs` is empty",
    "on_batch_end": "after each batch, when nothing has been validated yet",
    "on_test_begin": "before the validation, where `logs` is empty",
    "on_test_end": "whose `logs` are those of the validation alone, a dictionary of their own",
    "on_test_batch_end": "after each batch of the validation",
    "on_test_batch_begin": "before each batch of the validation",
}


def about_moment(callback: object, hook: str) -> str:
    """Say which other hook a callback has in the place of the one that is needed; "" where it has that, or none."""
    kind = callback if isinstance(callback, type) else type(callback)
    own = {name for base in kind.__mro__ if not base.__module__.startswith("keras.") for name in vars(base)}
    own |= {name for name, value in getattr(callback, "__dict__", {}).items() if name in HOOKS and value is not None}
    others = [name for name in own & set(_GETS) if name != "on_train_begin"] or sorted(own & set(_GETS))
    if hook in own or len(others) != 1:
        return ""
    return f"It has `{others[0]}`, {_GETS[others[0]]}, and no `{hook}`."


def named_outside(answer: object, name: str) -> object:
    """Return what the learner's functions in an answer see under a name of the notebook; None for nothing."""
    for function in learners_functions(answer):
        if name in function.__globals__:
            return function.__globals__[name]
    return None


def about_folder(given: Path, wanted: str) -> str:
    """Say into which folder a file goes that has the right name, in place of that of the variable `wanted`."""
    if given.parent == Path("."):
        return "The name has no folder in it, so the file goes to the working folder."
    if not given.is_absolute():
        return (
            f"The name begins with `{given.parent}`, a folder of the working folder, and not with that of `{wanted}`."
        )
    return f"It goes into the folder `{given.parent}`, and not into that of `{wanted}`."


def _of_a_hook(hook: object) -> str:
    """Say that a hook lowers the flag only, or gives back what nobody takes; "" for another."""
    if not isinstance(hook, types.FunctionType):
        return ""
    try:
        nodes = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(hook)))))
    except (OSError, SyntaxError):
        return ""
    flags = [
        node.value
        for node in nodes
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "attr", "") == "stop_training"
    ]
    if flags and all(isinstance(value, ast.Constant) and not value.value for value in flags):
        return "It sets the flag to False, which means: go on. To end a training, set it to True."
    given = [node for node in nodes if isinstance(node, ast.Return) and node.value is not None]
    if given and not flags:
        return f"`{hook.__name__}` returns something, and nobody takes it: `fit` looks at `self.model.stop_training`."
    return ""


# What a fresh model has; anything else was put there by the answer.
_MODEL = frozenset(vars(FakeModel())) | {"_scripted_fits"}


def about_stopping(callback: Callback, model: object) -> str:
    """Say why a callback that wanted to stop a training did not; "" where nothing shows."""
    slip = strange_hook(callback)
    if slip:
        return slip
    if "stop_training" in vars(callback):
        return (
            "It sets `self.stop_training`, a flag of its own that nobody reads. The one that `fit` looks at is "
            "`self.model.stop_training`."
        )
    for name, value in vars(type(callback)).items():
        if name in HOOKS and (slip := _of_a_hook(value)):
            return slip
    for name in vars(model):
        if name not in _MODEL and difflib.get_close_matches(name, ["stop_training"], cutoff=0.5):
            return f"It sets `self.model.{name}`, which nobody reads. The flag is `self.model.stop_training`."
    return ""
