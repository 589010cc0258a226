"""What a learner has done, in a small local file: solved exercises, tries, committed predictions and own sentences.

The file is `.course/progress.json` in the project's folder while that folder is the learner's own, and lies in their
home where the course is shared or cannot be written, as on many a JupyterHub (see `default_path`). The environment
variable COURSE_PROGRESS names another.
Nothing here stops a lesson: a damaged file is set aside, and where nothing can be written progress lives in memory
until the kernel stops. `take_notes()` holds the sentences about such events for whoever shows something next.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

from helpers import _files, questions

VERSION = 1
_PARTS = ("exercises", "predictions", "reveals")
_LOCK_SECONDS = 3.0

_in_this_kernel = threading.RLock()
_memory: dict[Path, dict] = {}
_notes: list[str] = []
_said: set[tuple[str, Path]] = set()


def path() -> Path:
    """Return where progress is kept now (COURSE_PROGRESS is read anew at each call)."""
    named = os.environ.get("COURSE_PROGRESS")
    # Absolute, so that a changed working folder does not start a second file.
    return Path(named).expanduser().absolute() if named else default_path(questions.ROOT)


def default_path(course: Path) -> Path:
    """Return where the progress of whoever runs this belongs, for a course installed in the folder `course`.

    In the course's folder if that is the learner's own: it lies in their home; or, off a JupyterHub, they own it. On a
    hub several learners can be the same user of the system, each with a home of their own, so owning a folder proves
    nothing there. Everywhere else, and where the course cannot be written, in the data folder of their home.
    """
    home, course = Path.home().resolve(), course.resolve()
    own = course.is_relative_to(home)
    if not own and "JUPYTERHUB_USER" not in os.environ:
        # Windows tells no owner.
        own = not hasattr(os, "getuid") or course.stat().st_uid == os.getuid()
    beside = own and os.access(course, os.W_OK)
    return (course / ".course" if beside else platformdirs.user_data_path("keras-callbacks")) / "progress.json"


def read() -> dict:
    """Return a copy of all progress: `{"version", "exercises": {id: ...}, "predictions": {...}, "reveals": {...}}`."""
    here = path()
    # Locked as well, since a damaged file is renamed here, and it must be that file and no newer one.
    with _in_this_kernel, _file_lock(here):
        return _load(here)


def record_check(exercise: str, solved: bool, credit: float = 0.0) -> None:
    """Count one try at an exercise; once solved it stays solved, and the best credit (0 to 1) is kept."""

    def change(state: dict) -> None:
        entry = state["exercises"].setdefault(exercise, {"tries": 0})
        entry["tries"] = int(entry.get("tries", 0)) + 1
        if solved and not entry.get("solved"):
            entry["solved"] = _now()
        entry["credit"] = max(float(entry.get("credit", 0.0)), 1.0 if solved else round(credit, 3))

    _update(change)


def record_prediction(prediction: str, index: int, text: str, right: bool) -> dict:
    """Store a committed answer and return the entry that counts: the first commit wins, whichever kernel made it.

    After `record_reveal` an answer is kept as `late`: its run has been seen.
    """
    kept: dict = {}

    def change(state: dict) -> None:
        fresh = {"answer": index, "text": text, "right": right, "committed": _now()}
        if prediction in state["reveals"]:
            fresh["late"] = True
        kept.update(state["predictions"].setdefault(prediction, fresh))

    _update(change)
    return kept


def record_reveal(prediction: str) -> None:
    """Store that the outcome of a prediction was shown; the first time counts."""
    if prediction not in read()["reveals"]:
        _update(lambda state: state["reveals"].setdefault(prediction, {"shown": _now()}))


def record_sentence(prediction: str, ask: str, sentence: str) -> None:
    """Store the learner's own sentence with what it answers; a later one takes its place."""
    _update(lambda state: state["reveals"].setdefault(prediction, {}).update(ask=ask, sentence=sentence))


def forget_prediction(prediction: str) -> None:
    """Drop a stored answer, as when its question has been written anew."""
    _update(lambda state: state["predictions"].pop(prediction, None))


def solved() -> frozenset[str]:
    """Return the ids of all solved exercises."""
    return frozenset(name for name, entry in read()["exercises"].items() if entry.get("solved"))


def set_aside() -> Path | None:
    """Put the progress file aside under a new name and start empty; return the new path, or None if there was none."""
    here = path()
    with _in_this_kernel, _file_lock(here):
        _memory.pop(here, None)
        try:
            return _rename(here, "set-aside") if here.is_file() else None
        except OSError as error:
            _memory[here] = _empty()
            _note_once(
                "reset", here, f"The file could not be renamed ({_reason(error)}): reset until this kernel stops only."
            )
            return None


def take_notes() -> list[str]:
    """Return the sentences that wait to be shown, and forget them."""
    with _in_this_kernel:
        waiting = list(_notes)
        _notes.clear()
    return waiting


def _empty() -> dict:
    return {"version": VERSION, **{part: {} for part in _PARTS}}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _note_once(kind: str, here: Path, sentence: str) -> None:
    if (kind, here) not in _said:
        _said.add((kind, here))
        _notes.append(sentence)


def _valid(state: object) -> bool:
    return isinstance(state, dict) and all(
        isinstance(state.get(part, {}), dict) and all(isinstance(entry, dict) for entry in state.get(part, {}).values())
        for part in _PARTS
    )


def _load(here: Path) -> dict:
    if here in _memory:
        return copy.deepcopy(_memory[here])
    try:
        raw = here.read_bytes()
    except FileNotFoundError:
        return _empty()
    except OSError as error:
        _memory[here] = _empty()
        _note_once(
            "read",
            here,
            f"Your progress file cannot be read ({_reason(error)}): progress lasts until this kernel stops.",
        )
        return _empty()
    try:
        state = json.loads(raw.decode("utf-8"))
        fine = _valid(state)
    except (ValueError, RecursionError):
        fine = False
    if fine:
        return {**_empty(), **state}
    try:
        aside = _rename(here, "damaged")
        _notes.append(f"Your progress file was damaged: it is set aside as `{aside.name}`, and a new one begins.")
    except FileNotFoundError:
        pass  # another kernel has just set it aside
    except OSError as error:
        _memory[here] = _empty()
        _note_once(
            "damaged",
            here,
            f"Your progress file is damaged and cannot be renamed ({_reason(error)}): progress lasts until this "
            "kernel stops.",
        )
    return _empty()


def _rename(here: Path, why: str) -> Path:
    """Rename to the first free progress.WHY-N.json and return it; `os.link` would be atomic, but not on all disks."""
    number = 1
    while (target := here.with_name(f"{here.stem}.{why}-{number}{here.suffix}")).exists():
        number += 1
    here.rename(target)
    return target


def _update(change: Callable[[dict], object]) -> None:
    """Read, change and write while no other kernel does, so that no entry is lost."""
    here = path()
    with _in_this_kernel, _file_lock(here):
        state = _load(here)
        change(state)
        if here in _memory:
            _memory[here] = state
            return
        try:
            _write(here, state)
        except OSError as error:
            _memory[here] = state
            _note_once(
                "write", here, f"Progress cannot be saved here ({_reason(error)}): it lasts until this kernel stops."
            )


def _write(here: Path, state: dict) -> None:
    here.parent.mkdir(parents=True, exist_ok=True)
    _files.write(here, (json.dumps(state, indent=1, sort_keys=True) + "\n").encode())


@contextlib.contextmanager
def _file_lock(here: Path) -> Iterator[None]:
    """Hold a lock against other kernels; where the disk has no locks, or none within seconds, go on without."""
    file = None
    try:
        with contextlib.suppress(OSError):
            here.parent.mkdir(parents=True, exist_ok=True)
            file = open(here.with_name(f"{here.name}.lock"), "a+b")  # noqa: SIM115
            _wait_for(file)
        yield
    finally:
        if file is not None:
            file.close()  # closing gives the lock back, also when the kernel is killed


def _wait_for(file) -> None:
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            if os.name == "nt":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except (BlockingIOError, PermissionError):
            if time.monotonic() > until:
                return
            time.sleep(0.01)
