"""A full disk, a folder that may not be written, a reader beside the writer, a remote write that fails."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .processes import Child, Died, call
from .writers import Writer, found, new_model

WIDTH = 400  # a file of a quarter of a megabyte
NOBODY = 65534


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def outcome(left: int | str, saved: int) -> str:
    """Say in a word what a failed save left of save number `saved`."""
    if isinstance(left, str):
        return {"nothing": "lost"}.get(left, "unreadable")
    return "kept" if left == saved else f"save {left}"


def save_hindered(kind: type[Writer], folder: str, hinder: str) -> str:
    save = kind(folder).begin(new_model(width=WIDTH))
    save(1)
    with HINDRANCES[hinder](Path(folder.removeprefix("file://"))):
        try:
            save(2)
        except BaseException as error:
            return type(error).__name__
    return "no error"


def find(kind: type[Writer], folder: str) -> int | str:
    return found(kind(Path(folder.removeprefix("file://"))))


def save_and_fail(kind: type[Writer], folder: str, hinder: str) -> list[str]:
    """Make save 1, then save 2 under a hindrance; return what that raised and what a reader then finds.

    The writer has a process of its own, since HDF5 now and then crashes Python when a disk is full.
    """
    try:
        raised = call(save_hindered, kind, folder, hinder)
    except Died as death:
        raised = f"Python crashed, {death.signal}"
    return [raised, outcome(call(find, kind, folder), 1)]


# -- hindrances ------------------------------------------------------------------------------------------------------


FILL = """
import os, sys
file = open(sys.argv[1], "ab", buffering=0)
told, parent = False, int(sys.argv[2])
while os.getppid() == parent:  # which may crash, and cannot end this program then
    try:
        file.write(bytes(65536))
    except OSError:
        try:
            file.write(bytes(1))
        except OSError:
            if not told:
                print("full", flush=True)
                told = True
"""


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Let another program write until the disk is full, and take each byte that becomes free meanwhile."""
    filler = folder.parent / "filler"
    with subprocess.Popen([sys.executable, "-c", FILL, filler, str(os.getpid())], stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        try:
            yield
        finally:
            other.kill()
    filler.unlink()


@contextlib.contextmanager
def no_right(folder: Path) -> Iterator[None]:
    """Take away the right to write in `folder`; a process of root becomes another user, whom rights concern."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
            os.setegid(0)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


@contextlib.contextmanager
def short_writes(folder: Path) -> Iterator[None]:
    """Let no file grow beyond half of the largest one in `folder`: the system refuses the rest of a write."""
    largest = max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=2)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest // 2, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


HINDRANCES = {"full": full_disk, "right": no_right, "short": short_writes}


@contextlib.contextmanager
def small_disk(megabytes: int = 8) -> Iterator[Path | str]:
    """Mount a small disk in memory, give its folder, or a sentence why not."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder]
        try:
            made = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            yield "no command mount here"
            return
        if made.returncode != 0:
            yield f"no right to mount a small disk ({made.stderr.strip()[:100]})"
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


# -- the trials ------------------------------------------------------------------------------------------------------


def disk_full(kind: type[Writer], _folder: Path) -> list[str] | str:
    """Return what a full disk raises and leaves, or a sentence why that was not tried."""
    with small_disk() as disk:
        if isinstance(disk, str):
            return disk
        (disk / "saves").mkdir()
        return save_and_fail(kind, str(disk / "saves"), "full")


def unwritable(kind: type[Writer], _folder: Path) -> list[str]:
    """Return what a folder without the right to write raises and leaves."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        saves = Path(folder) / "saves"
        saves.mkdir()
        return save_and_fail(kind, str(saves), "right")


def refusal(kind: type[Writer], place: str) -> str:
    try:
        kind(place).callback()
    except (ValueError, KeyError) as error:
        return f"refused: {error}"
    return ""


def remote_write(kind: type[Writer], folder: Path) -> list[str] | str:
    """Return what a failing write to a `file://` path raises and leaves, or that the writer refuses such paths."""
    saves = folder / "remote"
    saves.mkdir(parents=True)
    place = f"file://{saves}"
    return call(refusal, kind, place) or save_and_fail(kind, place, "short")


def save_many(tell, kind: type[Writer], folder: Path, times: int) -> None:
    save = kind(folder).begin(new_model(width=WIDTH))
    for number in range(1, times + 1):
        save(number)
        if number == 1:
            tell("first")


def read_beside(kind: type[Writer], folder: Path, saves: int) -> dict[str, int | bool]:
    writer = Child(save_many, kind, folder, saves)
    next(writer.events())
    failed = reads = 0
    while (ended := os.waitpid(writer.pid, os.WNOHANG)) == (0, 0):
        reads += 1
        failed += isinstance(found(kind(folder)), str)
    return {"failed": failed, "reads": reads, "writer failed": ended[1] != 0}


def reader(kind: type[Writer], folder: Path, saves: int) -> dict[str, int | bool]:
    """Read again and again beside a writer that saves without pause; a reader's lock may also fail the writer."""
    folder = folder / "reader"
    folder.mkdir(parents=True)
    return call(read_beside, kind, folder, saves)
