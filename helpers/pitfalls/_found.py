"""What the search found: troubles with their fix, headings of lessons, and how sure it is; shows itself."""

from __future__ import annotations

import html
from dataclasses import dataclass

from helpers import _cards
from helpers.pitfalls._index import link, table
from helpers.pitfalls._lessons import Section
from helpers.pitfalls._table import Pitfall

__all__ = ["Found"]


@dataclass(frozen=True, repr=False)
class Found(_cards.Shown):
    """The result of a search.

    Attributes:
        pitfalls: the troubles, the best fit first; where none fits, the nearest.
        lessons: the headings of lessons that explain what was asked, the best first; where none does, the nearest.
        note: how sure the search is, in a sentence or two.
        fits: whether there is an answer: the first trouble, or the first lesson if `pitfalls` is empty.
    """

    pitfalls: tuple[Pitfall, ...]
    lessons: tuple[Section, ...]
    note: str
    fits: bool

    @property
    def summary(self) -> str:
        """The result in one sentence, for who cannot see the table change."""
        if not self.fits:
            return "Nothing fits well."
        first = self.pitfalls[0].heading if self.pitfalls else f"lesson {self.lessons[0].notebook.split('_')[0]}"
        return f"{len(self.pitfalls) + len(self.lessons)} results. First: {first}."

    def __str__(self) -> str:
        lines = [_cards.plain(self.note)]
        lines += [f"{one.heading} ({one.notebook})\n    {one.symptom}\n    Fix: {one.fix}" for one in self.pitfalls]
        lines += [f"Lesson: {one.words} ({one.notebook}, {one.lesson})" for one in self.lessons]
        return "\n".join(lines)

    def to_html(self) -> str:
        """Return the result as HTML; links lead to the notebooks beside the open one."""
        troubles = [
            (link(one, one.heading), f"{html.escape(one.symptom)}<br><b>Fix:</b> {_cards.inline(one.fix)}")
            for one in self.pitfalls
        ]
        lessons = [(link(one, one.words), html.escape(one.lesson)) for one in self.lessons]
        parts = [_cards.paragraphs(self.note)]
        if troubles:
            parts.append(table(("Trouble", "What you see, and the fix"), troubles))
        if lessons:
            parts.append(table(("Explained under", "Lesson"), lessons))
        return "".join(parts)
