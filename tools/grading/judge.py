"""Behind the sandbox, in a process that never ran the notebook: judge the answers that it packed.

    python -m tools.grading.judge BOX     what to judge comes as JSON on the standard input, verdicts go to the output

Each answer is unpacked and judged in a fork, so that one cannot touch another or the output. The fork's verdict counts
when the checks in it are still those that were loaded, and a wrong answer is still wrong to them.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import json
import os
import secrets
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from helpers.checks import _cell, _core, _world

from . import carry
from .limits import hold_memory
from .seal import Seal

SECONDS = 300  # of the clock; a check's own limit is less than half of it
UNCARRIED = "the answer cannot be taken out of the notebook: {0}"


def error_from(said: list[str]) -> BaseException:
    """Return an error like the one that ended a cell in the kernel, from its type's name and its text."""
    name, text = said
    base = getattr(builtins, name, Exception)
    base = base if isinstance(base, type) and issubclass(base, BaseException) else Exception
    kind = base if base.__name__ == name and base.__init__ is not UnicodeError.__init__ else Exception
    with contextlib.suppress(TypeError):
        return kind(text) if kind is not Exception or name == "Exception" else type(name, (Exception,), {})(text)
    return type(name, (Exception,), {})(text)


def verdict(task: dict[str, Any], box: Path, seal: Seal) -> dict[str, Any]:
    """Judge one answer.

    Args:
        task: `exercise`, the check's `source`, the `expression` it hands over, and the `runs` of cells before it.
        box: where the answers lie.
        seal: of the modules as they were before any answer.

    Returns:
        `status`, `credit`, `html` and `text` of the outcome; or `why` there is no verdict.
    """
    id = task["exercise"]
    try:
        values, missing = carry.unpack(box / "answers" / f"{id}.pickle")
    except Exception as error:
        return {"why": UNCARRIED.format(error)}
    values |= {name: _cell.Unknown(name) for name in missing}
    answer = eval(task["expression"], {"__builtins__": {}}, values)
    runs = [_cell.Run(cell, source, said and error_from(said)) for cell, source, said in task["runs"]]
    outcome = _core.judge(id, answer, _cell.trouble(id, answer, running=task["source"], runs=runs))
    canary = _core.judge(id, object()).status
    if changed := seal.broken():
        return {"why": f"the answer to {id} changed {', '.join(changed[:3])} while it was judged"}
    if canary in ("right", "not attempted"):
        return {"why": f"after the answer to {id} the checks took a wrong answer for {canary}"}
    if outcome.broken:
        return {"why": f"the check of {id} broke: {outcome.message}"}
    return {"status": outcome.status, "credit": outcome.credit, "html": outcome.to_html(), "text": str(outcome)}


def in_fork(task: dict[str, Any], box: Path, seal: Seal) -> dict[str, Any]:
    """Judge one answer in a fork; whatever becomes of that, this process goes on."""
    if not hasattr(os, "fork"):
        return verdict(task, box, seal)
    reading, writing = os.pipe()
    sign = secrets.token_hex(16)
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(nothing, number)
            found = verdict(task, box, seal)
            os.write(writing, f"{sign}{json.dumps(found)}\n".encode())
        finally:
            os._exit(0)
    os.close(writing)
    said = _read(reading, time.monotonic() + SECONDS)
    with contextlib.suppress(OSError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    if said.startswith(sign.encode()) and said.endswith(b"\n"):
        return json.loads(said[len(sign) :])
    if said:
        return {"why": f"the answer to {task['exercise']} wrote a verdict of its own"}
    ended = (
        "ended the process that judged it" if os.WIFEXITED(status) else f"did not come to an end in {SECONDS} seconds"
    )
    return {"why": f"the answer to {task['exercise']} {ended}"}


def _read(pipe: int, until: float) -> bytes:
    """Read until the writer is done, as verdicts are longer than a pipe holds."""
    said = b""
    while (left := until - time.monotonic()) > 0 and len(said) < 5_000_000:
        ready, _, _ = select.select([pipe], [], [], left)
        part = os.read(pipe, 65536) if ready else b""
        said += part
        if not part or said.endswith(b"\n"):
            break
    return said


def _shut() -> None:
    """Let no other process of this user look into this one, where Linux can do so."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def main() -> None:
    """Judge what is asked for."""
    box = Path(sys.argv[1])
    asked = json.loads(sys.stdin.read())
    hold_memory(asked["memory"])
    sys.path.append(str(box / "work"))  # a module that the learner wrote beside the notebook
    for task in asked["tasks"]:
        _core.registered(task["exercise"].partition(".")[0])
    _world.remember()
    seal = Seal()
    _shut()
    print(json.dumps([in_fork(task, box, seal) for task in asked["tasks"]]))


if __name__ == "__main__":
    main()
