"""The process that keeps the trainings: starts, watches, ends and clears up. No code of the learner's runs in it.

The notebook starts it (`_client`) and writes requests into its standard input, a line of JSON each. When that input
ends, because the run was interrupted or the kernel is gone, everything ends with it.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from ._attempt import Attempt
from ._child import context
from ._rules import FORKS, Rules

__all__ = ["main"]

_AT_A_TIME = 2
_ending = threading.Event()
_LOOK_SECONDS, _SAY_SECONDS = 0.03, 0.2


def main() -> None:
    """Answer requests until the input ends."""
    requests: queue.Queue[str] = queue.Queue()
    root = Path(tempfile.mkdtemp(prefix="arena-"))
    tempfile.tempdir = str(root)  # what multiprocessing writes is cleared away with the rest
    threading.Thread(target=_read, args=(requests, root), daemon=True).start()
    if FORKS:
        from multiprocessing import forkserver

        context.set_forkserver_preload(["helpers.arena._zygote"])
        forkserver.ensure_running()
    ours = frozenset(child.pid for child in psutil.Process().children())
    try:
        for number in itertools.count():
            facts = _answer(json.loads(requests.get()), root / f"run-{number}")
            _say("done", facts=facts, processes=_end_children(ours))
    except BrokenPipeError:  # nobody listens any more
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        _end(root)


def _read(requests: queue.Queue[str], root: Path) -> None:
    for line in sys.stdin:
        requests.put(line)
    _end(root)


def _end(root: Path) -> None:
    """End all processes, clear the folder away, and be gone."""
    _ending.set()
    for _ in range(50):  # what the other thread has just begun goes as well
        _end_children()
        shutil.rmtree(root, ignore_errors=True)
        if not root.exists():
            break
        time.sleep(0.05)
    os._exit(0)


def _end_children(keep: frozenset[int] = frozenset()) -> int:
    """Kill all processes below this one, except those numbers, and return how many there were."""
    ended = set()
    for _ in range(3):  # one of them may have started another meanwhile
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if child.pid not in keep:
                        child.kill()
                        ended.add(child.pid)
    return len(ended)


def _say(what: str, **values: Any) -> None:
    print(json.dumps({"what": what, **values}), flush=True)


def _answer(request: dict[str, Any], root: Path) -> list[dict[str, Any]]:
    """Run the trainings of one request, two at a time, say how far they are, and return what became of them."""
    rules = Rules.from_dict(request["rules"])
    rng = np.random.default_rng()  # from the system: nobody knows what it draws
    payloads = [base64.b64decode(text) for text in request["payloads"]]
    trainings = [(payload, seed, broken) for payload in payloads
                 for broken, seeds in ((False, rules.seeds), (True, rules.broken)) for seed in seeds]  # fmt: skip
    saves = rng.permutation(len(trainings)) % 2 == 0
    attempts = [
        Attempt(payload, seed, broken, rules, root / f"training-{number}-{rng.integers(1 << 60):x}", rng, save)
        for number, ((payload, seed, broken), save) in enumerate(zip(trainings, saves, strict=True))
    ]
    _run(attempts, time.monotonic() + rules.seconds, rules.seconds)
    shutil.rmtree(root, ignore_errors=True)
    return [attempt.facts for attempt in attempts]


def _run(attempts: list[Attempt], end: float, seconds: float) -> None:
    waiting, running, said = list(attempts), [], 0.0
    while (waiting or running) and not _ending.is_set():
        while waiting and len(running) < _AT_A_TIME:
            running.append(waiting.pop(0))
            running[-1].begin()
        for attempt in running:
            attempt.look()
        stop = {"what": "late", "seconds": seconds} if time.monotonic() > end else None
        for attempt in running + waiting:
            hung = {one.payload for one in running if (one.facts["trouble"] or {}).get("what") == "hung"}
            if not attempt.over and (stop or attempt.payload in hung):
                attempt.end(stop or {"what": "other"})
        if time.monotonic() > said + _SAY_SECONDS:
            said = time.monotonic()
            _say("progress", done=sum(one.done for one in attempts) / len(attempts),
                 words=[f"seed {one.facts['seed']}: {one.words}" for one in running])  # fmt: skip
        running, waiting = ([one for one in some if not one.over] for some in (running, waiting))
        time.sleep(_LOOK_SECONDS)
