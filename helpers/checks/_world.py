"""What an answer may change around it, and how it is put back: Keras's functions, settings, chance, folder.

`Watched` surrounds one check. What was patched before the check, in the learner's cell, is found too: `remember` notes
Keras's own functions as soon as Keras is there.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from helpers import _cards

__all__ = ["Watched", "remember"]

_MODULES = (
    "keras", "keras.callbacks", "keras.config", "keras.models", "keras.ops", "keras.optimizers", "keras.saving",
    "helpers.data", "helpers.replay", "time",
)  # fmt: skip
_own: dict[tuple[str, str], tuple[object, str, object]] = {}


def remember() -> None:
    """Note Keras's functions as they are now, once; costs nothing while Keras is not imported."""
    if _own or "keras.callbacks" not in sys.modules:
        return
    keras = sys.modules["keras"]
    try:
        places = [(name, sys.modules[name]) for name in _MODULES if name in sys.modules]
        classes = {kind for kind in vars(keras.callbacks).values() if isinstance(kind, type)}
        for kind in (keras.Model, keras.Sequential, keras.optimizers.SGD, keras.optimizers.Adam):
            classes |= {base for base in kind.__mro__ if base.__module__.startswith("keras.")}
    except AttributeError:
        return  # Keras is being imported at this moment
    places += [(f"keras {kind.__name__}", kind) for kind in classes]
    for label, place in places:
        for name, value in list(vars(place).items()):
            if isinstance(value, types.FunctionType | types.BuiltinFunctionType | type | property | staticmethod):
                _own[label, name] = (place, name, value)
    for name in ("min", "max", "len", "sum", "range", "enumerate", "float", "int", "abs", "round", "sorted", "print"):
        _own["builtins", name] = (builtins, name, getattr(builtins, name))


def _patched() -> Iterator[str]:
    """Put back each of Keras's functions that is not its own any more, and yield its name."""
    for (label, name), (place, _, value) in _own.items():
        if vars(place).get(name) is not value:
            with contextlib.suppress(AttributeError, TypeError):
                setattr(place, name, value)
                yield f"{label.removeprefix('keras ')}.{name}"


def _settings() -> dict[str, tuple[object, Callable[[object], object]]]:
    """Return Keras's global settings, each with what sets it."""
    if "keras.callbacks" not in sys.modules:
        return {}
    config = sys.modules["keras"].config
    found: dict[str, tuple[object, Callable[[object], object]]] = {
        "floatx": (config.floatx(), config.set_floatx),
        "dtype policy": (config.dtype_policy(), config.set_dtype_policy),
        "epsilon": (config.epsilon(), config.set_epsilon),
        "image data format": (config.image_data_format(), config.set_image_data_format),
    }
    logging = config.is_interactive_logging_enabled()
    found["interactive logging"] = (
        logging,
        lambda on: (config.enable_interactive_logging if on else config.disable_interactive_logging)(),
    )
    return found


def _chance() -> list[Callable[[], object]]:
    """Return what puts the generators of random numbers back to where they are now."""
    state = random.getstate()
    back: list[Callable[[], object]] = [lambda: random.setstate(state)]
    if "numpy" in sys.modules:
        numpy_random = sys.modules["numpy"].random
        numpy_state = numpy_random.get_state()
        back.append(lambda: numpy_random.set_state(numpy_state))
    if "keras.callbacks" in sys.modules:
        from keras.src.backend.common import global_state

        generator = global_state.get_global_attribute("global_seed_generator")
        seed = None if generator is None else generator.state.numpy()

        def put_back() -> None:
            global_state.set_global_attribute("global_seed_generator", generator)
            if generator is not None:
                generator.state.assign(seed)

        back.append(put_back)
        back += _tensorflow_chance()
    return back


def _tensorflow_chance() -> list[Callable[[], object]]:
    with contextlib.suppress(ImportError, AttributeError):
        from tensorflow.python.eager import context as tf_context

        context = tf_context.context()
        seed, rng = context._seed, getattr(context, "_rng", None)
        state = rng.getstate() if rng is not None else None

        def put_back() -> None:
            context._seed = seed
            if rng is not None:
                context._rng = rng
                rng.setstate(state)

        return [put_back]
    return []


class Watched:
    """A `with` block that puts back what an answer changed, and says so in `notes`.

    The block runs in an empty folder of its own, so that what an answer writes under a plain name vanishes with it.

    Args:
        answer: searched for files and folders that it may write to; what appears there is told, and stays.
    """

    def __init__(self, answer: object):
        self._folders = _folders_of(answer)
        self.notes: list[str] = []

    def __enter__(self) -> Watched:
        remember()
        patched = sorted(_patched())
        if patched:
            self.notes.append(
                f"{_named(patched)} had been replaced by something else, and the check works with the original: it has "
                "been put back. Write subclasses; leave Keras itself as it is."
            )
        self._before = _settings()
        odd = self._before.get("floatx", ("float32",))[0]
        if odd != "float32":
            self.notes.append(
                f"`floatx` is {odd}, and stays so: it was set before the check. The lessons were tried with float32."
            )
        self._back = _chance()
        self._environment = dict(os.environ)
        self._recursion = sys.getrecursionlimit()
        self._handler = signal.getsignal(signal.SIGINT)
        self._leaving = _leaving()
        self._files = {folder: _files(folder) for folder in self._folders}
        self._cwd = _cwd()
        self._own_folder = tempfile.mkdtemp(prefix="course-check-")
        os.chdir(self._own_folder)
        return self

    def __exit__(self, *_error: object) -> None:
        put_back = [f"`{name}`" for name in sorted(_patched())]
        for name, (value, setter) in self._before.items():
            now = _settings()[name][0]
            if now is not value and now != value:
                setter(value)
                put_back.append(f"the {name} of Keras" if " " in name or name != "floatx" else "`floatx`")
        for restore in self._back:
            with contextlib.suppress(Exception):
                restore()
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
            put_back.append("`os.environ`")
        if sys.getrecursionlimit() != self._recursion:
            sys.setrecursionlimit(self._recursion)
            put_back.append("the recursion limit")
        with contextlib.suppress(ValueError, TypeError):  # not in another thread
            if signal.getsignal(signal.SIGINT) is not self._handler:
                signal.signal(signal.SIGINT, self._handler)
                put_back.append("the Stop button")
        if _leaving() and not self._leaving:
            _stay()
            self.notes.append("Your code called `exit()`, which would have ended the kernel. It goes on.")
        moved = _cwd() not in (self._own_folder, os.path.realpath(self._own_folder))
        if self._cwd is not None:
            with contextlib.suppress(OSError):
                os.chdir(self._cwd)
        if moved:
            put_back.append("the working folder")
        shutil.rmtree(self._own_folder, ignore_errors=True)
        if put_back:
            self.notes.append(f"Your code changed {_and(put_back)} while it was checked. It has been put back.")
        for folder, before in self._files.items():
            written = sorted(name for name, stamp in _files(folder).items() if before.get(name) != stamp)
            if written:
                self.notes.append(
                    f"While it was checked, your code wrote {_and([f'`{name}`' for name in written[:4]])} into "
                    f"`{folder}`. The check cannot know whether you want that: it is still there."
                )


def _leaving() -> bool:
    """Say whether IPython was asked to end, as `exit()` does in a notebook; it ends after the cell."""
    return bool(getattr(_cards.shell(), "exit_now", False))


def _stay() -> None:
    shell = _cards.shell()
    shell.exit_now = False
    with contextlib.suppress(AttributeError):
        kept = [one for one in shell.payload_manager.read_payload() if one.get("source") != "ask_exit"]
        shell.payload_manager.clear_payload()
        for one in kept:
            shell.payload_manager.write_payload(one)


def _cwd() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None  # the folder is gone


def _folders_of(answer: object) -> list[Path]:
    parts = answer.values() if isinstance(answer, dict) else answer if type(answer) in (list, tuple) else [answer]
    found = []
    for part in parts:
        if isinstance(part, Path):
            folder = part if part.is_dir() else part.parent
            if folder.is_dir() and folder.resolve() not in found:
                found.append(folder.resolve())
    return found


def _files(folder: Path) -> Mapping[str, tuple[int, int]]:
    found = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            status = entry.stat()
            found[entry.name] = (status.st_mtime_ns, status.st_size)
    return found


def _named(names: list[str]) -> str:
    return _and([f"`{name}`" for name in names[:4]])


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
