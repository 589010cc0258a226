"""The texts that the search is measured with, and which third of them is kept out of tuning."""

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

    `kept_out` tells whether it is in the third that nobody looks at while tuning: every text whose hash is divisible by
    three, all recordings of one program together.
    """

    text: str
    number: int
    key: str
    lesson: str = ""

    @property
    def kept_out(self) -> bool:
        """Whether the text is in the third that is kept out of tuning."""
        return int(hashlib.sha256(self.key.encode()).hexdigest(), 16) % 3 == 0


def texts() -> list[Text]:
    """Return all texts: recorded ones, then those of our own words."""
    recorded = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))
    own = tomllib.loads((HERE / "texts.toml").read_text(encoding="utf-8"))
    found = [Text(one["text"], one["trouble"], one["case"]) for one in recorded]
    found += [Text(text, int(number), text) for number, group in own["troubles"].items() for text in group]
    found += [Text(text, 0, text) for text in own["nothing"]["texts"]]
    found += [Text(text, -1, text, lesson) for text, lesson in own["lessons"]["texts"]]
    return found
