"""What the lab does not hold, `data/elsewhere.toml`: kinds of questions that the search tells from the troubles."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from helpers import questions

__all__ = ["FILE", "Kind", "kinds"]

FILE = questions.ROOT / "data" / "elsewhere.toml"


@dataclass(frozen=True)
class Kind:
    """Questions of one kind.

    Attributes:
        title: what they are about.
        message: what the screen says; `…` stands for what differs.
        words: how people say it.
    """

    title: str
    message: tuple[str, ...]
    words: tuple[str, ...]


@lru_cache(maxsize=4)
def kinds(file: Path = FILE) -> tuple[Kind, ...]:
    """Read all kinds."""
    entries = tomllib.loads(file.read_text(encoding="utf-8"))["kind"]
    return tuple(Kind(one["title"], tuple(one["message"]), tuple(one["words"])) for one in entries)
