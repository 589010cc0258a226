"""The texts that the search is measured with, and which of them are kept out of tuning."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Text:
    """A text with the trouble that should answer it first (0: none), or the lesson.

    `one_in` says which part is kept out, so that nobody looks at it while tuning: every text whose hash this divides,
    all recordings of one program together.
    """

    text: str
    number: int
    key: str
    one_in: int
    lesson: str = ""

    @property
    def kept_out(self) -> bool:
        """Whether the text is kept out of tuning."""
        return int(hashlib.sha256(self.key.encode()).hexdigest(), 16) % self.one_in == 0


def texts() -> list[Text]:
    """Return all texts: those of the author of the search, then those of a stranger to it."""
    return [*_read("texts", "recorded", 3), *_read("strangers", "strangers", 2)]


def _read(own: str, recorded: str, one_in: int) -> list[Text]:
    """Return the texts that programs showed, then those of our own words."""
    shown = json.loads((HERE / f"{recorded}.json").read_text(encoding="utf-8"))
    said = tomllib.loads((HERE / f"{own}.toml").read_text(encoding="utf-8"))
    found = [Text(one["text"], one["trouble"], one["case"], one_in) for one in shown]
    found += [Text(text, int(number), text, one_in) for number, group in said["troubles"].items() for text in group]
    found += [Text(text, 0, text, one_in) for text in said["nothing"]["texts"]]
    found += [Text(text, -1, text, one_in, lesson) for text, lesson in said.get("lessons", {}).get("texts", [])]
    return found
