"""How much a folder holds."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["folder_bytes"]


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder; one that goes away meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total
