"""In the notebook's kernel, before the learner's code: note writing outside, keep the network off, seal the course.

The walls are `sandbox`'s. This tells the teacher what was tried, and stands in for them where a system has none.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Which arguments of an audit event are paths that it changes.
_CHANGES = {"os.remove": (0,), "os.rename": (0, 1), "os.mkdir": (0,), "os.rmdir": (0,), "os.truncate": (0,),
            "os.symlink": (1,), "os.link": (1,), "os.chmod": (0,), "shutil.rmtree": (0,)}  # fmt: skip
_NETWORK = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
_HERE = ("localhost", "127.", "::1")


def begin(notes: str, course: str, allowed: list[str]) -> None:
    """Start to note into the file `notes` what is written in `course` or anywhere but below `allowed`."""
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    roots = [os.path.realpath(one) + os.sep for one in (*allowed, "/dev", "/proc")]
    course = os.path.realpath(course) + os.sep
    told: set[str] = set()

    def tell(what: str) -> None:
        if what not in told and len(told) < 50:
            told.add(what)
            os.write(file, f"{what}\n".encode(errors="replace"))

    def changed(path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        real = os.path.realpath(os.fsdecode(path))
        if real.startswith(course) or not any((real + os.sep).startswith(root) for root in roots):
            inside = real.startswith(course)
            tell(f"tried to write {os.path.relpath(real, course) + ' of the course' if inside else real}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = (*arguments, None, None)[:3]
            if (isinstance(flags, int) and flags & _WRITING) or (isinstance(mode, str) and set(mode) & set("wax+")):
                changed(path)
        elif event in _CHANGES:
            for place in _CHANGES[event]:
                changed(arguments[place])
        elif event in _NETWORK:
            target = arguments[_NETWORK[event]]
            host = target[0] if isinstance(target, tuple) and target else target
            if isinstance(host, str) and host and "/" not in host and not host.startswith(_HERE):
                tell(f"asked the network for {host}")
                raise OSError("There is no network while a notebook is graded.")

    sys.addaudithook(hook)


def seal() -> None:
    """Keep what the checks are now, to tell at the end what the notebook replaced."""
    import helpers.checks
    from tools.grading.seal import Seal

    sys.modules[__name__]._sealed = (Seal(), helpers.checks)


def replaced(namespace: dict[str, Any]) -> list[str]:
    """Return what the notebook replaced of the checks, by name."""
    kept, checks = sys.modules[__name__]._sealed
    names = [name for name in kept.broken() if name.startswith(("helpers.checks", "the check"))]
    return names or (["checks"] if namespace.get("checks", checks) is not checks else [])
