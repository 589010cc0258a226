"""Rank the troubles, and the headings of the lessons, for what a person pastes."""

from __future__ import annotations

import difflib
import html
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

from helpers import _cards
from helpers.pitfalls import _lessons, _paste
from helpers.pitfalls._index import table
from helpers.pitfalls._lessons import Section
from helpers.pitfalls._messages import Message
from helpers.pitfalls._table import Pitfall
from helpers.pitfalls._terms import terms

__all__ = ["Found", "find"]

# What a word weighs by where it stands.
_TELLS, _FIX, _TAUGHT, _FRAMES = 1.0, 0.5, 0.3, 0.15
# The evidence, in words of weight, and the share of what was asked, from which on the best trouble counts as a fit.
_EVIDENCE, _SHARE = 5.0, 0.3
# A word that no trouble has weighs so much when it is asked for, in units of a word that one trouble has.
_UNKNOWN = 0.8


@dataclass(frozen=True, repr=False)
class Found(_cards.Shown):
    """What the search found; shows itself.

    Attributes:
        pitfalls: the troubles, the best fit first; the nearest ones where none fits.
        lessons: headings of lessons that explain what was asked, the best first.
        note: how sure the search is, in a sentence or two.
        fits: the first trouble, or the first lesson where there is no trouble, is taken for an answer.
    """

    pitfalls: tuple[Pitfall, ...]
    lessons: tuple[Section, ...]
    note: str
    fits: bool

    def __str__(self) -> str:
        lines = [_cards.plain(self.note)]
        lines += [f"{one.heading} ({one.notebook})\n    {one.symptom}\n    Fix: {one.fix}" for one in self.pitfalls]
        lines += [f"Lesson: {one.words} ({one.lesson}, {one.notebook})" for one in self.lessons]
        return "\n".join(lines)

    def to_html(self) -> str:
        """Return the result as HTML; links lead to the notebooks beside the open one."""
        parts = [_cards.paragraphs(self.note)]
        rows = [
            (
                f'<a href="{html.escape(one.link)}">{html.escape(one.heading)}</a>',
                f"{html.escape(one.symptom)}<br><strong>Fix:</strong> {_cards.inline(one.fix)}",
            )
            for one in self.pitfalls
        ]
        if rows:
            parts.append(table(("Trouble", "What you see, and the fix"), rows))
        rows = [
            (f'<a href="{html.escape(one.link)}">{html.escape(one.words)}</a>', html.escape(one.lesson))
            for one in self.lessons
        ]
        if rows:
            parts.append(table(("Explained under", "Lesson"), rows))
        return "".join(parts)


def find(text: str, pitfalls: tuple[Pitfall, ...], most: int) -> Found:
    """Return what fits a text; `helpers.pitfalls.find` says how.

    Raises:
        ValueError: the text holds no words.
    """
    if not isinstance(text, str) or not any(map(str.isalpha, text)):
        raise ValueError('Give find() some words, as in find("metric val_loss which is not available").')
    return _Engine.of(pitfalls, _lessons.sections()).find(text, most)


class _Engine:
    """The troubles and the lessons, made ready for searches."""

    def __init__(self, pitfalls: tuple[Pitfall, ...], sections: tuple[Section, ...]):
        taught = {one.words: one for one in sections}
        self.pitfalls = pitfalls
        self.lessons = [one for one in sections if not one.notebook.startswith("08")]
        self.troubles = [_trouble(one, taught.get(one.heading)) for one in pitfalls]
        self.sections = [_section(one) for one in self.lessons]
        self.messages = [[Message(text) for text in one.message] for one in pitfalls]
        self.weight = _weights(self.troubles)
        self.lesson_weight = _weights(self.sections)

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, pitfalls: tuple[Pitfall, ...], sections: tuple[Section, ...]) -> _Engine:
        """Return the engine for these troubles and lessons, made once."""
        return cls(pitfalls, sections)

    def find(self, text: str, most: int) -> Found:
        """Rank troubles and lessons for a text."""
        paste = _paste.read(text)
        asked = self._known(terms((*paste.errors, *paste.warnings, *paste.rest.splitlines())))
        aside = {term: weight * _FRAMES for term, weight in terms(paste.frames.splitlines()).items() if term not in asked}
        scores = [self._score(asked | aside, words) for words in self.troubles]
        matched = [self._matched(messages, paste) for messages in self.messages]
        order = sorted(range(len(scores)), key=lambda place: (-matched[place], -scores[place]))
        best = order[0]
        evidence = self._score(asked, self.troubles[best])
        share = evidence / max(sum(weight * self.weight.get(term, self.unknown) for term, weight in asked.items()), 1e-9)
        self.debug = evidence, share
        sure = bool(matched[best]) or (evidence >= _EVIDENCE and share >= _SHARE)
        lessons = self._lessons(asked)
        least = 0 if not sure else scores[best] / 4
        fits = tuple(self.pitfalls[place] for place in order if matched[place] or scores[place] > least)
        return Found(fits[:most], lessons, "Best fit first." if sure else "Nothing fits well", sure)

    @cached_property
    def unknown(self) -> float:
        return _UNKNOWN * max(self.weight.values())

    def _known(self, asked):
        known = {}
        for term, weight in asked.items():
            if term not in self.weight and " " not in term and len(term) > 4:
                for near in difflib.get_close_matches(term, self._vocabulary, 1, 0.8):
                    known[near] = max(known.get(near, 0), 0.7 * weight)
                    break
                else:
                    known[term] = weight
            elif term in self.weight or " " not in term:
                known[term] = weight
        return known

    @cached_property
    def _vocabulary(self):
        return [term for term in self.weight if " " not in term and len(term) > 4]

    def _score(self, asked, words):
        return sum(weight * words[term] * self.weight[term] for term, weight in asked.items() if term in words)

    def _matched(self, messages, paste):
        return max((one.matches(paste) * (0.1 if one.is_log else 1) for one in messages), default=0.0)

    def _lessons(self, asked):
        scores = [sum(weight * words[term] * self.lesson_weight[term] for term, weight in asked.items() if term in words) for words in self.sections]
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        return tuple(self.lessons[place] for place in order[:2] if scores[place] > 0)


def _trouble(one, section):
    words = dict.fromkeys(terms([section.prose, section.code]), 0.0) if section else {}
    for weight, texts in ((_TAUGHT, [section.prose] if section else []), (_FIX, [one.fix]), (_TELLS, [one.title, one.symptom, *one.message, *one.words])):
        for term, own in terms(texts).items():
            words[term] = max(words.get(term, 0.0), weight * own)
    return {term: weight for term, weight in words.items() if weight}


def _section(one):
    words = {}
    for weight, texts in ((0.3, one.code.splitlines()), (0.6, one.prose.splitlines()), (1.5, [one.words])):
        for term, own in terms(texts).items():
            words[term] = max(words.get(term, 0.0), weight * own)
    return words


def _weights(bags):
    spread = {}
    for words in bags:
        for term, weight in words.items():
            spread[term] = spread.get(term, 0.0) + min(weight, 1.0)
    return {term: math.log(1 + len(bags) / (0.5 + count)) for term, count in spread.items()}
