"""Object storage as lesson 09 needs it: whole objects under names, in a folder or, through fsspec, anywhere.

Both classes have the same three methods; what is written against one runs with the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers import _files

_SMALL = 4096  # bytes

__all__ = ["FolderBucket", "FsspecBucket"]


def bytes_of(content: bytes | Path) -> bytes:
    """Return the bytes that `put` is to store."""
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    if isinstance(content, str):
        raise TypeError("put takes bytes, as text.encode() gives them, or the file at a Path, Path(text); got a text.")
    return Path(content).read_bytes()


def checked_name(name: str) -> str:
    """Return an object's name if it can be one."""
    if not isinstance(name, str) or not name or name.startswith(("/", ".")) or "\\" in name or ".." in name.split("/"):
        raise ValueError(f"An object's name is a text such as 'run-1/model.keras'; got {name!r}.")
    return name


class FolderBucket:
    """A bucket in a folder, which is made if it does not exist.

    Like a mounted disk, and unlike S3, it shows an object from its first byte on: a writer that dies leaves half of it.
    Objects of up to 4,096 bytes, such as a marker, are replaced in one step.

    Args:
        folder: where the objects are; a name with `/` lies in a folder below it.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def put(self, name: str, content: bytes | Path) -> None:
        """Store bytes, or the file at a Path, under `name`, in place of what is there.

        Raises:
            OSError: it could not be stored.
            TypeError, ValueError: the content or the name is none.
        """
        path = self.folder / checked_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = bytes_of(content)
        if len(content) <= _SMALL:
            _files.write(path, content)
        else:
            path.write_bytes(content)

    def read(self, name: str) -> bytes:
        """Return an object's bytes.

        Raises:
            FileNotFoundError: there is no such object.
        """
        return (self.folder / checked_name(name)).read_bytes()

    def list(self) -> list[str]:
        """Return the names of all objects, sorted."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self.folder).as_posix() for path in files)


class FsspecBucket:
    """A bucket behind a URL, such as `s3://bucket/models`, `gs://...`, `memory://...`: whatever fsspec can reach.

    Args:
        url: where the objects are; names are appended to it.
        options: passed on to the file system, such as `client_kwargs` for S3.

    Raises:
        ImportError: fsspec, or what it needs for this kind of URL, is not installed.
    """

    def __init__(self, url: str, **options: Any):
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise ImportError("FsspecBucket needs fsspec, which is not installed here.") from error
        self._fs, self._root = url_to_fs(url, **options)
        self._root = self._root.rstrip("/")

    def put(self, name: str, content: bytes | Path) -> None:
        """Store bytes, or the file at a Path, under `name`; see `FolderBucket.put`."""
        place, content = f"{self._root}/{checked_name(name)}", bytes_of(content)
        try:
            self._fs.pipe_file(place, content)
        except OSError:
            raise
        except Exception as error:  # a library's own for a server that does not answer
            raise OSError(f"{name} could not be stored: {error}") from error

    def read(self, name: str) -> bytes:
        """Return an object's bytes; FileNotFoundError where there is none."""
        return self._fs.cat_file(f"{self._root}/{checked_name(name)}")

    def list(self) -> list[str]:
        """Return the names of all objects, sorted."""
        self._fs.invalidate_cache()  # another writer may have been here
        found = self._fs.find(self._root)
        root = self._root.lstrip("/")
        return sorted(path.lstrip("/").removeprefix(root).lstrip("/") for path in found)
