"""Replace a file so that a reader, or whoever comes after a crash, finds the old one or the new one, nothing between.

A temporary file in the same folder is written and flushed to the disk, takes the place of the old one in one step,
and then the folder is flushed, in which the new name stands. Standard library alone, psutil where leftovers are judged.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["clear_leftovers", "make_folder", "replacing", "write"]

# .NAME.PLACE-PROCESS-NUMBER.tmp, and behind it an ending that the writer may insist on.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<place>[0-9a-f]{8})-(?P<process>\d+)-\d+\.tmp(\.\w+)*")
_SLACK_SECONDS = 60  # clocks of a file server and of this machine may differ
_DAY_SECONDS = 24 * 3600
_numbers = itertools.count()


@contextlib.contextmanager
def replacing(path: Path, ending: str = "") -> Iterator[Path]:
    """Hand out a temporary path in the folder of `path`; when the block ends well, that file takes its place.

    When the block raises, the temporary file is removed and the old file is as it was.

    Args:
        path: The file to replace or to make; its folder must exist.
        ending: What the temporary name must end in, such as `".keras"`.

    Raises:
        OSError: The file could not be written, or not put into its place; then the old one is still there.
    """
    temporary = path.with_name(f".{path.name}.{_place()}-{os.getpid()}-{next(_numbers)}.tmp{ending}")
    try:
        yield temporary
        _sync_file(temporary)
        _replace(temporary, path)
    except BaseException:
        # Where not even this works, the next start clears it away.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Replace the content of a file, see `replacing`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut does not take them away again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        _sync_folder(path.parent)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def clear_leftovers(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Remove temporary files in `folder` that a process left when it died; return them.

    Args:
        folder: Where to look; nothing happens if it does not exist.
        wanted: Is asked with the name of the file that was to be replaced.
    """
    removed = []
    with contextlib.suppress(OSError):
        for entry in list(folder.iterdir()):
            match = _TEMPORARY.fullmatch(entry.name)
            with contextlib.suppress(OSError):
                if match and wanted(match["name"]) and _writer_is_gone(entry, match["place"], int(match["process"])):
                    entry.unlink()
                    removed.append(entry)
    return removed


def _sync_file(path: Path) -> None:
    """Wait until the disk holds what was written; whoever wrote it has closed the file, which promises nothing."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _replace(temporary: Path, path: Path) -> None:
    for attempt in range(20):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            # Windows refuses while another program, a virus scanner say, has the file open.
            if os.name != "nt" or attempt == 19:
                raise
            time.sleep(0.05)


def _sync_folder(folder: Path) -> None:
    """Wait until the disk holds the new name as well; Windows has no such call, and some network disks refuse it."""
    if os.name == "nt":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise


def _place() -> str:
    """Return eight hex digits for where process numbers mean the same: this machine, and on Linux this container."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:8]


def _writer_is_gone(path: Path, place: str, process: int) -> bool:
    """Say whether the process that was writing `path` has died, as far as can be known; if not, it lives.

    A process that began after the last write is another one with the same number. What was written elsewhere, on
    another machine with the same disk or in another container, counts as left behind after a day without a change.
    """
    written = path.stat().st_mtime
    if place != _place():
        return time.time() - written > _DAY_SECONDS
    import psutil

    try:
        return psutil.Process(process).create_time() > written + _SLACK_SECONDS
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
