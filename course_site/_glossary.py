"""The words of the course, from `data/glossary.toml`: a page of them, and how each is found in a lesson."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers import _anchors
from helpers.questions import ROOT

__all__ = ["Term", "page", "patterns", "terms"]

FILE = ROOT / "data" / "glossary.toml"


@dataclass(frozen=True)
class Term:
    """A word of the course.

    Attributes:
        name: as the glossary has it; code in backticks.
        means: what it means, in Markdown.
        lesson: the number of the lesson that explains it.
        forms: other ways to write it.
    """

    name: str
    means: str
    lesson: str
    forms: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""
        return f"term-{_anchors.cell_id(self.name).lower()}"

    @property
    def pattern(self) -> str:
        """A regular expression for the term in prose; its longest form is found first."""
        forms = sorted({self.name.strip("`"), *self.forms}, key=len, reverse=True)
        return rf"(?<![\w-])(?:{'|'.join(map(re.escape, forms))})(?![\w-])"


def terms(file: Path = FILE) -> tuple[Term, ...]:
    """Read the glossary, in the order of its names.

    Raises:
        ValueError: an entry breaks a rule; the sentence names it.
    """
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("term", [])
    found = []
    for entry in entries:
        texts = {key: entry.get(key, "") for key in ("name", "means", "lesson")}
        if not all(isinstance(text, str) and text.strip() for text in texts.values()):
            raise ValueError(f"{file.name}, {entry.get('name', entry)!r}: each term has `name`, `means` and `lesson`.")
        found.append(Term(**texts, forms=tuple(entry.get("forms", ()))))
    anchors = [one.anchor for one in found]
    if twice := {anchor for anchor in anchors if anchors.count(anchor) > 1}:
        raise ValueError(f"{file.name}: {min(twice)} stands there twice.")
    return tuple(sorted(found, key=lambda one: one.name.strip("`").lower()))


def patterns(words: Sequence[Term]) -> list[tuple[str, str]]:
    """Return anchor and regular expression of each term."""
    return [(one.anchor, one.pattern) for one in words]


def page(words: Sequence[Term], lessons: Mapping[str, str]) -> str:
    """Return the page of the glossary in MyST Markdown; `lessons` gives the name of a lesson's page by its number."""
    parts = ["# Glossary", "The words of the course. Each is linked where a lesson first uses it."]
    for one in words:
        link = f"[lesson {one.lesson}]({lessons[one.lesson]}.html)"
        parts.append(f'<span id="{one.anchor}"></span>\n**{one.name}**: {one.means} Explained in {link}.')
    return "\n\n".join(parts) + "\n"
