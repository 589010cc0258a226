"""09.1: a save that no kill, power cut or full disk can spoil, tried with all three."""

from __future__ import annotations

import dis
import errno
import inspect
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers import crash
from helpers.checks._core import Verdict, Wrong, right, wrong
from helpers.checks._repair import trying

NAME, OLD, NEW = "best.keras", b"old model " * 300, b"new model " * 400
_SAID = {None: "no file", b"": "an empty file", OLD: "the old file", NEW: "the new file"}


class Writer:
    """What the answer gets as `write`: writes a model in pieces, or fails, and remembers the names it was given."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.fails_after = fails_after
        self.names: list[Path] = []

    def __call__(self, file) -> None:
        """Write the new model into a file of that name."""
        if not isinstance(file, str | os.PathLike):
            raise Wrong(f"`write` takes the name of a file, as `model.save` does; it got {type(file).__name__}.")
        path = Path(file)
        self.names.append(path)
        if path.suffix != ".keras":
            raise Wrong(
                f"`write` refuses the name `{path.name}`, as `model.save` does: it has to end as `path` does. Put "
                "something in front of the name, as `beside` does."
            )
        pieces = [NEW[start : start + 1000] for start in range(0, len(NEW), 1000)]
        if self.fails_after == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        with open(path, "wb") as opened:
            for number, piece in enumerate(pieces):
                if number == self.fails_after:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
                opened.write(piece)
                opened.flush()


@contextmanager
def _folder(old: bool = True) -> Iterator[Path]:
    """Give the path of a file in a new folder, with an old model in it or none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        if old:
            path.write_bytes(OLD)
        yield path


def replace_whole(answer: object) -> Verdict:
    """Check the function with a working `write`, with a failing one, with kills, and with power cuts."""
    if isinstance(answer, type) or not callable(answer):
        return wrong("Expected the function itself, `replace_whole` without brackets.")
    try:
        inspect.signature(answer).bind(Path(NAME), Writer())
    except TypeError:
        return wrong("The function is called with two arguments, a path and a function that writes.")
    for old in (True, False):
        _saves(answer, old)
    if trying():  # the quick part first
        _fails_well(answer, 2)
    kills = sum(_survives(answer, old) for old in (True, False))
    for fails_after in (2, 0):
        _fails_well(answer, fails_after)
    how = "Killed for real at" if crash.CAN_KILL else "Looked at, as a kill would leave it, at"
    return right(
        f"{how} {kills} places, with the power cut after every line, and on a full disk: the old file or the new one "
        "was there each time, whole."
    )


def _saves(answer: Callable, old: bool) -> None:
    with _folder(old) as path:
        write = Writer()
        answer(path, write)
        if not write.names:
            raise Wrong("It never calls `write`. Call it with the name of the file that it should write.")
        folders = [name.absolute().parent for name in write.names]
        left = _read(path)
        if any(name.absolute() == path.absolute() for name in write.names):
            if not old:
                raise Wrong(
                    f"Where there is no old file yet, it lets `write` write to `{NAME}` itself. A kill then leaves "
                    "half a file under that name, which is worse than none. Write another file there, too.", 0.5
                )  # fmt: skip
            raise Wrong(
                f"It lets `write` write to `{NAME}` itself. From that moment the old model is gone, and the new one is "
                "not there yet. Write another file, and put it in the place of the old one when it is whole."
            )
        if any(path.parent.absolute() not in (folder, *folder.parents) for folder in folders):
            raise Wrong(
                "Its temporary file is in another folder, which may be on another disk. There `os.replace` fails, and "
                "a move becomes a copy, which a kill can stop halfway. Write beside the old file, in `path.parent`."
            )
        if left != NEW:
            raise Wrong(
                f"`write` wrote a new model, but under `{NAME}` there is {_said(left)}.",
                guess="`os.replace(new, old)` gives the first file the name of the second.",
            )
        others = sorted(one.name for one in path.parent.iterdir() if one.name != NAME)
        if others:
            raise Wrong(f"After a save that went well, `{others[0]}` is left in the folder beside `{NAME}`.")


def _fails_well(answer: Callable, fails_after: int) -> None:
    when = "in the middle" if fails_after else "before there was a file"
    with _folder() as path:
        try:
            answer(path, Writer(fails_after))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise Wrong(
                    f'`write` failed {when} with "No space left on device", and what came out is {error!r}. Let the '
                    "first error through. (`unlink(missing_ok=True)` does not mind when there is no file.)"
                ) from error
        else:
            raise Wrong(
                f"`write` failed {when}, and nobody heard of it: the caller believes that the model is saved. "
                "Clean up, then `raise`."
            )
        left = _read(path)
        if left is None:
            raise Wrong(
                f"`write` failed {when}, and `{NAME}` is gone: the old model, which was good.",
                guess="When `write` fails, remove the temporary file only, and leave the old one alone.",
            )
        if left != OLD:
            raise Wrong(
                f"`write` failed {when}, and under `{NAME}` there is {_said(left)}: what `write` left went into its "
                "place. Only a `write` that came back without an error may be followed by `os.replace`."
            )
        others = sorted(one.name for one in path.parent.iterdir() if one.name != NAME)
        if others:
            raise Wrong(
                f"`write` failed {when}, and `{others[0]}` is left. On a full disk the half of a model is still in the "
                "way. Remove it, then raise the error again."
            )


def _survives(answer: Callable, old: bool) -> int:
    """Judge all moments of a save; return the number of kills."""
    allowed = (OLD, NEW) if old else (None, NEW)
    with _folder(old) as path:
        watched = crash.watch(path.parent, answer, path, Writer())
    moments = [one for n, one in enumerate(watched.moments) if n == 0 or one.kill != watched.moments[n - 1].kill]
    for moment in moments:
        left = [moment.kill.get(NAME)]
        if crash.CAN_KILL and not trying():
            with _folder(old) as path:
                left.append(crash.killed(path.parent, moment.number, answer, path, Writer()).get(NAME))
        for found in left:
            if found not in allowed:
                raise Wrong(_about_a_kill(moment, found))
    _survives_cuts(answer, watched.moments, allowed)
    return len(moments)


def _about_a_kill(moment: crash.Moment, left: bytes | None) -> str:
    said = f"Killed in or after the line `{moment.line}`, it leaves {_said(left)} under `{NAME}`"
    if left is None:
        return (
            f"{said}. There is a moment at which the old file is gone and the new one has no name yet. `os.replace` "
            "needs no room made: it takes the old file's place in one step."
        )
    return f"{said}: what is copied or written there can be stopped halfway. Only `os.replace` names a whole file."


def _methods(answer: Callable) -> set[str]:
    """Return the names of the methods and attributes that a function uses."""
    steps = dis.get_instructions(answer) if inspect.isfunction(answer) else ()
    return {step.argval for step in steps if step.opname in ("LOAD_METHOD", "LOAD_ATTR")}


def _survives_cuts(answer: Callable, moments: list[crash.Moment], allowed: tuple[bytes | None, ...]) -> None:
    end = moments[-1]
    folder_flushed = any(len(moment.cut) > len(moments[0].cut) for moment in moments)
    for moment in moments:
        for files in (moment.cut, moment.names):
            if files.get(NAME) not in allowed:
                late = end.names.get(NAME) == NEW
                why = (
                    "The new name can be on the disk before the content is. "
                    + ("You flush the file, but too late" if late else "It was not flushed after it was written")
                    + ": `flush(temporary)` belongs between `write` and `os.replace`. (No kill can show this.)"
                )
                if not late and "flush" in _methods(answer):
                    why += " A file's own `flush()` is not enough: it hands the content to the system, not to the disk."
                raise Wrong(
                    f"A power cut in or after the line `{moment.line}` may leave {_said(files.get(NAME))} under "
                    f"`{NAME}`. {why}"
                )
    if os.name != "nt" and end.cut.get(NAME) != NEW:
        early = "It was flushed too early" if folder_flushed else "Nobody has flushed the folder"
        raise Wrong(
            f"After it has returned, a power cut may still bring {_said(end.cut.get(NAME))} back: the new name is in "
            f"the folder, and has not arrived. {early}: `flush(path.parent)` is the step after `os.replace`."
        )


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _said(content: bytes | None) -> str:
    return _SAID.get(content, "half a file")
