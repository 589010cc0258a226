"""What a training may not do: write outside its folder, read the data, start processes, train where nobody counts.

Python itself tells of files and processes (`sys.addaudithook`), from every thread, and what raises there is not done.
Training is looked at where Keras and TensorFlow begin it. A fence keeps honest code honest and usual tricks out;
code that goes past Python (`ctypes`, say) could climb over it.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from . import _native

__all__ = ["Fence", "Refused"]

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events that change files, and which of their arguments are (path, dir_fd) pairs.
_CHANGES = {
    "os.chmod": ((0, 2),),
    "os.link": ((0, 2), (1, 3)),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "shutil.rmtree": ((0, 1),),
}
_PROCESSES = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
              "subprocess.Popen", "pty.spawn"}  # fmt: skip
_NETWORK = {"socket.connect", "socket.sendto"}
_DEVICES = ("/dev/null", "/dev/tty", "NUL", "nul")


class Refused(PermissionError):
    """The arena did not let something be done; the message says what it saw."""


class Fence:
    """The fence around one training process.

    Args:
        folder: where the training keeps what it keeps.
        scratch: a working folder of this process alone, in which anything may be written and nothing lasts.
        private: folders whose files may not even be read: the data, and the arena's own.
        tell: is told each sentence once.
        wrote: is called before a file in `folder` is opened for writing.
    """

    def __init__(
        self,
        folder: Path,
        scratch: Path,
        private: list[Path],
        tell: Callable[[str], None],
        wrote: Callable[[], None],
    ) -> None:
        self._allowed = [os.path.realpath(path) for path in (folder, scratch)]
        self._private = [os.path.realpath(path) for path in private]
        self._folder = self._allowed[0]
        self._tell, self._wrote = tell, wrote
        self._told: set[str] = set()
        self._functions: dict[tuple[str, str], tuple[Any, Any]] = {}

    def refuse(self, sentence: str) -> None:
        """Tell a sentence and raise it."""
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)
        raise Refused(sentence)

    # -- files and processes -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Put the fence up; it cannot be taken down in this process."""
        sys.addaudithook(self._audit)
        _native.announce()

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self._opened(*arguments[:3])
        elif event in _CHANGES:
            for path, directory in _CHANGES[event]:
                place = arguments[directory] if directory is not None and len(arguments) > directory else -1
                self._changed(arguments[path], place, follow=event in ("os.truncate", "os.chmod"))
        elif event in _PROCESSES:
            self.refuse("Your callbacks tried to start a process. A training runs in one process, and alone.")
        elif event in _NETWORK:
            self.refuse("Your callbacks tried to reach the network. All that a training needs is here.")
        elif event == "os.kill" and arguments[0] != os.getpid():
            self.refuse("Your callbacks tried to end another process.")

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        writes = (isinstance(flags, int) and flags & _WRITING) or (isinstance(mode, str) and set(mode) & set("wax+"))
        if writes:
            self._changed(path, -1, follow=True)
            if self._inside(_real(path, -1, follow=True), [self._folder]):
                self._wrote()
        else:
            real = _real(path, -1, follow=True)
            if real and os.path.isdir(real):
                self._changed(path, -1)  # an open folder is a way to change what is in it
            if real and self._inside(real, self._private) and not self._inside(real, self._allowed):
                self.refuse(
                    f"Your callbacks tried to read {_short(real)}. The test rows are in there, and only the judge sees "
                    "them; a training gets its rows from the arena."
                )

    def _changed(self, path: Any, directory: Any, *, follow: bool = False) -> None:
        real = _real(path, directory, follow=follow)
        if real and not self._inside(real, self._allowed) and real not in _DEVICES:
            self.refuse(
                f"Your callbacks tried to write or remove {_short(real)}. Only the folder that `make_callbacks` is "
                "given is yours: write `folder / 'a name'`."
            )

    @staticmethod
    def _inside(path: str | None, folders: list[str]) -> bool:
        return path is not None and any(path == one or path.startswith(one + os.sep) for one in folders)

    def outside(self, path: str | os.PathLike[str]) -> str:
        """Say where a path leads: "folder", "scratch" or "outside"."""
        real = _real(path, -1, follow=True) or ""
        if self._inside(real, [self._folder]):
            return "folder"
        return "scratch" if self._inside(real, self._allowed) else "outside"

    # -- training that nobody counts -----------------------------------------------------------------------------

    def guard_training(self, fit: types.CodeType) -> None:
        """Let gradients be taken and weights be stepped in the arena's own fit alone, the function with the code `fit`.

        The callbacks of that fit are not part of it.
        """
        callbacks = {
            method.__code__
            for name, method in vars(keras.callbacks.CallbackList).items()
            if name.startswith("on_") and isinstance(method, types.FunctionType)
        }

        def guarded(owner: Any, name: str, what: str) -> None:
            real = getattr(owner, name)

            def wrapper(*arguments: Any, **named: Any) -> Any:
                where = _where(fit, callbacks)
                if where is not None:
                    self.refuse(
                        f"Your code called {what} {where}. The arena counts the epochs of its own `fit` and no "
                        "others; a callback may stop a training, not run one."
                    )
                return real(*arguments, **named)

            setattr(owner, name, wrapper)

        guarded(keras.Model, "fit", "`fit`")
        guarded(keras.Model, "train_on_batch", "`train_on_batch`")
        guarded(keras.optimizers.Optimizer, "apply", "an optimizer")
        guarded(tf.GradientTape, "__enter__", "a `GradientTape`")
        guarded(tf, "gradients", "`tf.gradients`")

    def remember_functions(self, *more: Any) -> None:
        """Take note of Keras's functions as they are, and of those of the classes and modules in `more`."""
        owners = [keras.Model, keras.Sequential, keras.layers.Layer, keras.layers.Dense, keras.optimizers.Optimizer,
                  keras.optimizers.Adam, keras.callbacks.CallbackList, keras.callbacks.Callback, tf.GradientTape,
                  tf.data.Dataset, keras.saving, *more]  # fmt: skip
        owners += [one for one in vars(keras.callbacks).values() if isinstance(one, type)]
        for owner in owners:
            for name, value in list(vars(owner).items()):
                if isinstance(value, types.FunctionType):
                    self._functions[(owner.__name__, name)] = (owner, value)

    def refuse_replaced(self) -> None:
        """Refuse to go on if one of the functions is another now."""
        for (owner_name, name), (owner, value) in self._functions.items():
            if vars(owner).get(name) is not value:
                self.refuse(
                    f"Your code replaced `{owner_name}.{name}` for everybody. Make a class of your own "
                    "(`class Mine(keras.callbacks.EarlyStopping)`) and change it there."
                )


def _where(fit: types.CodeType, callbacks: set[types.CodeType]) -> str | None:
    """Return None inside of the arena's fit, and otherwise words for the place that asks."""
    frame, hook = sys._getframe(2), ""
    while frame is not None:
        if frame.f_code is fit:
            return None
        if frame.f_code in callbacks:
            return f"in `{frame.f_code.co_name}`"
        if not hook and frame.f_code.co_name == "make_callbacks":
            hook = "in `make_callbacks`"
        frame = frame.f_back
    return hook or "outside of the arena's training"


def _real(path: Any, directory: Any, *, follow: bool) -> str | None:
    """Return the path that is meant, without links; None for an open file's number or what cannot be known.

    What removes or renames means a link itself, what opens means where it leads: `follow`.
    """
    if isinstance(path, int) or path is None:
        return None
    name = os.fsdecode(path)
    if isinstance(directory, int) and directory >= 0 and not os.path.isabs(name):
        try:
            name = os.path.join(os.readlink(f"/proc/self/fd/{directory}"), name)
        except OSError:
            return None
    if follow:
        return os.path.realpath(name)
    name = os.path.abspath(name)
    return os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))


def _short(path: str) -> str:
    """Return the end of a path, enough to know it by."""
    return "/".join(Path(path).parts[-2:])
