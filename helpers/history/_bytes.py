"""From the bytes of a file to its text, or to a sentence about what it is instead."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import PurePath

# A log with a line for each epoch has kilobytes; one with a line for each step may have some megabytes.
LIMIT = 25 * 2**20

_PICKLES = {".pkl", ".pickle", ".p", ".pk", ".joblib", ".dill", ".pt", ".pth", ".ckpt"}
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip


def text_of(data: bytes, name: str) -> tuple[str, list[str]]:
    r"""Decode a log.

    Args:
        data: Its bytes, possibly of a gzip file.
        name: The name of the file, for its ending and for messages.

    Returns:
        The text, with `\\n` at the ends of lines, and notes on what was found.

    Raises:
        ValueError: If this is no text, or more of it than a log by epochs has; the message says what to do.
    """
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, name)
    if len(data) > LIMIT:
        raise ValueError(too_large(name, len(data)))
    _refuse_other_kinds(data, name)
    notes = []
    stripped = data.rstrip(b"\0")
    if stripped != data and b"\0" not in stripped:
        # What a file system leaves after a power cut: the length was written, the text was not.
        data = stripped
        notes.append("The file ends in zero bytes, as after a power cut: they were left out.")
    text, encoding = _decoded(data, name)
    if encoding == "cp1252":
        notes.append("The file is not UTF-8; it was read as Windows-1252 (Latin-1).")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), notes


def is_pickle(name: str) -> bool:
    """Return whether a name is that of a pickle, or of a file that holds one."""
    return PurePath(name).suffix.lower() in _PICKLES


def too_large(name: str, size: int) -> str:
    """Say that a file is too large to be a log by epochs."""
    return (
        f"{name} has {size / 2**20:.0f} MB, and a log with a line for each epoch has less than one. If it has a line "
        f"for each step, keep the last of each epoch; more than {LIMIT // 2**20} MB are not read."
    )


def pickle_words(name: str) -> str:
    """Say why a pickle is not opened, and what to do."""
    return (
        f"{name} is a pickle. Opening one can run any code, so it is never opened here. If it is your own, load it "
        f'(with open("{name}", "rb") as file: log = pickle.load(file)) and give the dict: log, or log.history.'
    )


def _unpacked(data: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            return file.read(LIMIT + 1)
    except (OSError, EOFError, zlib.error):
        raise ValueError(f"{name} is a gzip file that is damaged or not complete.") from None


def _refuse_other_kinds(data: bytes, name: str) -> None:
    if is_pickle(name) or re.match(rb"\x80[\x02-\x05]", data):
        raise ValueError(pickle_words(name))
    kinds = ((b"\x89HDF\r\n", "an HDF5 file"), (b"PK\x03\x04", "a zip file (.keras, .npz, .xlsx, ...)"))
    kinds += ((b"\x93NUMPY", "a NumPy file"), (b"SQLite format 3", "a database"), (b"\x89PNG", "a picture"))
    kinds += ((b"PAR1", "a Parquet file"), (b"BZh", "a bzip2 file"), (b"\xfd7zXZ", "an xz file"))
    for mark, kind in kinds:
        if data.startswith(mark):
            raise ValueError(
                f"{name} is not a text file but {kind}. A log is CSV, JSON or a TensorBoard event file; what another "
                "file holds you can load yourself and give as a dict of lists."
            )


def _decoded(data: bytes, name: str) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError:
                if encoding == "utf-16" and len(data) % 2:  # torn in the middle of a character
                    return data[:-1].decode(encoding, errors="ignore"), encoding
                raise ValueError(f"{name} says that it is {encoding}, and it is not.") from None
    # UTF-16 without a mark: each second byte of plain text is zero.
    if data and data.count(b"\0") > len(data) // 4:
        for encoding, place in (("utf-16-le", 1), ("utf-16-be", 0)):
            if data[place::2].count(b"\0") > len(data) // 3:
                return data[: len(data) // 2 * 2].decode(encoding, errors="ignore"), encoding
    try:
        text, encoding = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8"), "utf-8"
        text, encoding = data.decode("cp1252", errors="replace"), "cp1252"
    if re.search(r"[\x00-\x07\x0e-\x1a\x1c-\x1f]", text):
        raise ValueError(f"{name} is not a text file, so it is no log that can be read here.")
    return text, encoding
