"""The course as it was when grading began: a digest of its files, a copy of them, and what was changed since."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from .assignment import ROOT

__all__ = ["changed", "copy_to", "fingerprint"]

_PARTS = ("helpers", "data", "notebooks", "tools")


@cache
def _kept() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in _files()}


def _files() -> list[Path]:
    skipped = {"__pycache__", "runs", ".ipynb_checkpoints", "scratch"}
    return sorted(path for part in _PARTS for path in (ROOT / part).rglob("*")
                  if path.is_file() and not skipped & set(path.parts))  # fmt: skip


@cache
def fingerprint() -> str:
    """Return a digest of the files that decide about points, as they were at first."""
    digest = hashlib.sha256()
    for path, content in _kept().items():
        if path.suffix in (".py", ".toml", ".npz", ".csv"):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def copy_to(folder: Path) -> Path:
    """Write the course, as it was at first, into a new folder and return that."""
    for path, content in _kept().items():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def changed() -> list[str]:
    """Return the names of files of the course that are not as they were at first, or are new, or gone."""
    kept, now = _kept(), set(_files())
    found = {path for path, content in kept.items() if path not in now or path.read_bytes() != content}
    return sorted(str(path.relative_to(ROOT)) for path in found | (now - set(kept)))
