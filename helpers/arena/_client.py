"""The notebook's side: sends a function to the arena's process and waits for what became of it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from ._rules import Rules

__all__ = ["Keeper", "pack"]

_LIMIT = 40_000  # bytes of a pickled function
_QUIET = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "PYTHONWARNINGS":
          "ignore"}  # fmt: skip
_START = "from helpers.arena import _keeper; _keeper.main()"


def pack(make_callbacks: Callable) -> bytes:
    """Return a function with all that it uses from the notebook, ready to be sent.

    Raises:
        TypeError: it is no function, or uses something that cannot be sent.
        ValueError: it brings along more than code and settings.
    """
    if not callable(make_callbacks) or isinstance(make_callbacks, type):
        raise TypeError(
            "arena.run takes your function that makes the callbacks, without calling it: `arena.run(make_callbacks)`. "
            f"It got {_article(make_callbacks)}."
        )
    import cloudpickle

    module = sys.modules.get(getattr(make_callbacks, "__module__", None) or "")
    ours = module is not None and module.__name__ not in ("__main__",) and not _installed(module.__name__)
    if ours:  # a file beside the notebook is sent as it is in the kernel
        cloudpickle.register_pickle_by_value(module)
    try:
        payload = cloudpickle.dumps(make_callbacks)
    except Exception as error:
        raise TypeError(
            f"Your function uses something of the notebook that cannot be sent to another process ({error}). Make it "
            "inside of the function."
        ) from error
    finally:
        if ours:
            cloudpickle.unregister_pickle_by_value(module)
    if len(payload) > _LIMIT:
        raise ValueError(
            f"Your function brings {len(payload):,} bytes of the notebook along, above all {_largest(make_callbacks)}. "
            f"Callbacks need their code and settings, {_LIMIT:,} bytes at the most; rows and weights come from the "
            "arena."
        )
    return payload


def _article(thing: object) -> str:
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    return f"a {type(thing).__name__}" if thing is not None else "None"


def _installed(module: str) -> bool:
    return module.partition(".")[0] in ("helpers", "keras", "tensorflow", *sys.stdlib_module_names)


def _largest(function: Any) -> str:
    """Return the names that a function uses whose values are the largest."""
    import cloudpickle

    sizes = []
    used = getattr(getattr(function, "__code__", None), "co_names", ())
    cells = zip(getattr(getattr(function, "__code__", None), "co_freevars", ()), getattr(function, "__closure__", None)
                or (), strict=False)  # fmt: skip
    values = {name: function.__globals__[name] for name in used if name in getattr(function, "__globals__", {})}
    for name, value in [*values.items(), *((name, cell.cell_contents) for name, cell in cells)]:
        with contextlib.suppress(Exception):
            sizes.append((len(cloudpickle.dumps(value)), name))
    return f"`{max(sizes)[1]}`" if sizes else "what it is made of"


class Keeper:
    """The arena's process, for the length of a `with` block, at whose end nothing of it is left."""

    def __enter__(self) -> Keeper:
        paths = [os.environ.get("PYTHONPATH", ""), *(path or os.getcwd() for path in sys.path)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("COURSE_ARENA_LOUD") else subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=tempfile.gettempdir(),
            env={**os.environ, **_QUIET, "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, paths)))},
            # An interrupt of the kernel goes to all processes of its group; this one ends in good order instead.
            **({"start_new_session": True} if os.name != "nt" else {"creationflags": 0x200}),
        )
        return self

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._process.pid

    def ask(
        self, payloads: Sequence[bytes], rules: Rules, progress: Callable[[float, list[str]], None]
    ) -> tuple[list[dict[str, Any]], int]:
        """Run the trainings for each payload; return what became of them, and how many processes had been left.

        Args:
            payloads: from `pack`.
            rules: what happens to them.
            progress: is told the share that is done, 0 to 1, and a few words for each training that runs.

        Raises:
            RuntimeError: the arena's process has died.
        """
        request = {"payloads": [base64.b64encode(one).decode() for one in payloads], "rules": rules.as_dict()}
        with contextlib.suppress(OSError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.pop("what") == "done":
                return answer["facts"], answer["processes"]
            progress(answer["done"], answer["words"])
        raise RuntimeError(
            "The arena's process ended without an answer; the machine may have run out of memory. Close other "
            "notebooks and run the cell again; with COURSE_ARENA_LOUD=1 it says more."
        )

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # it ends itself and all that is below it
        try:
            self._process.wait(10)
        except BaseException:
            self._process.kill()
            raise
        finally:
            self._process.stdout.close()
