"""What a page says where a lesson tells its reader to run something: `sentences.toml`."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path

__all__ = ["table", "to_reader"]

FILE = Path(__file__).with_name("sentences.toml")


def to_reader(text: str) -> str:
    """Put into some Markdown of a lesson what a page says in place of the notebook's own sentences."""
    for pattern, said in table():
        # A function, since what stands in the table is no template.
        text = pattern.sub(lambda _, said=said: said, text)
    return text.strip("\n")


@functools.cache
def table() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return each sentence as a pattern, in which any blank may be a line break, with what stands in its place."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["sentence"]
    return tuple(
        (re.compile(r"\s+".join(map(re.escape, one["notebook"].split()))), one["page"].strip("\n")) for one in entries
    )
