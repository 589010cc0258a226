"""Rank the troubles, and the headings of the lessons, for what a person pastes."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache

from helpers.pitfalls import _elsewhere, _lessons, _paste
from helpers.pitfalls._elsewhere import Kind
from helpers.pitfalls._found import Found
from helpers.pitfalls._lessons import Section
from helpers.pitfalls._messages import Message
from helpers.pitfalls._table import Pitfall
from helpers.pitfalls._terms import FIELD, terms

__all__ = ["find"]

Bag = dict[str, float]

# What a word of the fix weighs, beside one of title, symptom, message and words; what a word of a traceback's frames
# weighs, which only tells troubles apart that share a message.
_FIX, _FRAMES = 0.5, 0.4
# What words of a section weigh by where they stand.
_HEADING, _PROSE, _CODE, _EXERCISE = 1.5, 0.6, 0.3, 0.6
# From which part of the best trouble's weight on a kind that the lab does not hold takes the text; from which, where
# the text names a callback of Keras or an argument of one. The evidence for a trouble counts for more where nothing
# speaks for a kind, for less where much does.
_RIVAL, _OURS, _ALONE = 0.95, 1.5, 0.4
# A word that no trouble has weighs nearly as much as the rarest that one has.
_UNKNOWN = 0.8
# A message tells more of a trouble that has hardly another; a line of a healthy log is only a hint.
_FEW, _LOG = 1.0, 6.0
# From how much evidence on a trouble fits: the weight of the words that it shares with the text, times their share of
# the text. By what the text has: names of this field; words that many troubles have; neither. An error that is not in
# the index must have more, and most of it: words such as "file" and "name" are in every error.
_NAMED, _KNOWN, _FAR, _ERROR, _MOST = 2.5, 4.5, 12.0, 6.5, 0.45
# Where it has so few words, all of them in one section, a lesson is an answer.
_SHORT = 3
# Other troubles are shown if they have such a part of the best one's weight; fewer where that has the very message.
_NEAR, _TOLD = 4, 2
# So many stand below "nothing fits": more would only be read in vain.
_NONE = 2

_ASK = (
    "Ask where many people read: [Stack Overflow](https://stackoverflow.com/questions/tagged/keras), or "
    "[Keras's issues](https://github.com/keras-team/keras/issues) if it looks like a bug, with the whole traceback, "
    "the few lines that provoke it, and `keras.__version__`."
)


def find(text: str, pitfalls: tuple[Pitfall, ...], most: int) -> Found:
    """Return what fits a text; `helpers.pitfalls.find` says how.

    Raises:
        ValueError: the text holds no words.
    """
    if not isinstance(text, str) or not any(map(str.isalpha, text)):
        raise ValueError('Give find() some words, as in find("metric val_loss which is not available").')
    return _engine(pitfalls, _elsewhere.kinds(), _lessons.sections()).find(text, most)


@lru_cache(maxsize=4)
def _engine(pitfalls: tuple[Pitfall, ...], kinds: tuple[Kind, ...], sections: tuple[Section, ...]) -> Engine:
    return Engine(pitfalls, kinds, sections)


class Engine:
    """The troubles, the kinds of questions that the lab does not hold, and the lessons, made ready for searches.

    A place is a number into troubles and kinds, in this order.
    """

    def __init__(self, pitfalls: tuple[Pitfall, ...], kinds: tuple[Kind, ...], sections: tuple[Section, ...]):
        self.pitfalls = pitfalls
        self.kinds = kinds
        told = [*((*one.message, *one.older) for one in pitfalls), *(one.message for one in kinds)]
        self.messages = [[Message(text) for text in texts] for texts in told]
        self.few = [len(one.message) <= 2 for one in (*pitfalls, *kinds)]
        self.troubles = Shelf([*map(_trouble, pitfalls), *map(_kind, kinds)])
        self.sections = [one for one in sections if not one.notebook.startswith("08")]
        self.lessons = Shelf(map(_section, self.sections))

    def find(self, text: str, most: int) -> Found:
        """Rank troubles and lessons for a text, and judge whether the first is an answer."""
        paste = _paste.read(text)
        asked = self.troubles.known(terms((*paste.errors, *paste.warnings, *paste.rest.splitlines())))
        order, told, kind = self._order(paste, asked)
        sure = not kind and not paste.is_of_others and (told or self._fits(paste, asked, order[0]))
        lessons = self._nearest(asked)
        names = {term for term, weight in asked.items() if weight >= 1}
        explained = not paste.errors and not (told and kind) and self._explains(lessons[:1], names)
        if explained and not names <= self.troubles.bags[order[0]].keys():
            return Found((), lessons, "The lessons explain this.", fits=True)
        scores = [self.troubles.score(asked, place) for place in order]
        least = scores[0] / (_TOLD if told else _NEAR)
        near = [self.pitfalls[place] for place, score in zip(order, scores, strict=True) if score > least]
        fits = sure or explained
        if not fits:
            return Found(tuple(near[: min(most, _NONE)]), lessons, self._nothing(kind), fits)
        return Found(tuple(near[:most]), lessons, "Best fit first.", fits)

    def _order(self, paste: _paste.Paste, asked: Bag) -> tuple[list[int], bool, Kind | None]:
        """Return the troubles, the best first; whether a message of the paste decides; and the kind that beats them."""
        ranked, told = self._rank(paste, asked)
        troubles = [place for place in ranked if place < len(self.pitfalls)]
        best = next(place for place in ranked if place >= len(self.pitfalls))
        ours = any(weight > 1 for term, weight in asked.items() if term in FIELD)
        beaten = self._rival(asked, troubles[0], best) > (_OURS if ours else _RIVAL)
        if ranked[0] == best if told else beaten:
            return troubles, told, self.kinds[best - len(self.pitfalls)]
        return troubles, told, None

    def _rival(self, asked: Bag, trouble: int, kind: int) -> float:
        """Return which part of a trouble's weight a kind has: more than 1 if the text is rather of that kind."""
        return self.troubles.score(asked, kind) / (self.troubles.score(asked, trouble) or 1.0)

    def _rank(self, paste: _paste.Paste, asked: Bag) -> tuple[list[int], bool]:
        """Return all places, the best first, and whether the first has a message of the paste."""
        fits = [[(one, length) for one in ones if (length := one.matches(paste))] for ones in self.messages]
        told = {term for ones in fits for one, _ in ones for term in terms([one.text])}
        beside = {term: weight for term, weight in asked.items() if term not in told}
        # Where a person says more than a line of a healthy log, the line is not the trouble.
        alone = sum(" " not in term for term in beside) < _SHORT
        lengths = [max((length for one, length in ones if alone or not one.is_log), default=0.0) for ones in fits]
        if any(lengths):
            frames = {term: weight * _FRAMES for term, weight in terms(paste.frames.splitlines()).items()}
            beside = frames | beside

        def rank(place: int) -> tuple[float, float]:
            if lengths[place]:
                return lengths[place], self.troubles.score(beside, place) + _FEW * self.few[place]
            return 0.0, self.troubles.score(asked, place) + (_LOG if fits[place] else 0.0)

        order = sorted(range(len(self.messages)), key=rank, reverse=True)
        return order, bool(fits[order[0]])

    def _fits(self, paste: _paste.Paste, asked: Bag, place: int) -> bool:
        share = self.troubles.share(asked, place)
        rival = max(self._rival(asked, place, kind) for kind in range(len(self.pitfalls), len(self.messages)))
        evidence = self.troubles.score(asked, place) * share / (_ALONE + rival)
        enough = _NAMED if asked.keys() & FIELD else _KNOWN if asked.keys() & self.troubles.common else _FAR
        if paste.errors or paste.warnings:
            return share >= _MOST and evidence >= max(enough, _ERROR)
        return evidence >= enough

    def _nearest(self, asked: Bag) -> tuple[Section, ...]:
        """Return the two sections of lessons that have most of what is asked."""
        whole = {term: weight for term, weight in asked.items() if weight >= 1}
        scores = [self.lessons.score(whole, place) for place in range(len(self.sections))]
        order = sorted(range(len(scores)), key=lambda place: -scores[place])[:2]
        return tuple(self.sections[place] for place in order if scores[place] > 0)

    def _explains(self, sections: tuple[Section, ...], names: set[str]) -> bool:
        """Return whether a section has a name or two, and no more was asked for, in its heading or as code."""
        return 0 < len(names) <= _SHORT and any(names <= terms(one.names).keys() for one in sections)

    def _nothing(self, kind: Kind | None) -> str:
        about = f" It sounds like a question about {kind.title}." if kind else ""
        none = f"Nothing fits well: this seems to be none of the {len(self.pitfalls)} troubles."
        return f"{none}{about} {_ASK} The nearest here:"


class Shelf:
    """Bags of words; a word weighs more the fewer of them have it."""

    def __init__(self, bags: Iterable[Bag]):
        self.bags = list(bags)
        spread: Bag = {}
        for bag in self.bags:
            for term, weight in bag.items():
                spread[term] = spread.get(term, 0.0) + min(weight, 1.0)
        self.weight = {term: math.log(1 + len(self.bags) / (0.5 + count)) for term, count in spread.items()}

    def score(self, asked: Mapping[str, float], place: int) -> float:
        """Return the weight of all words that a bag shares with those that are asked for."""
        bag = self.bags[place]
        return sum(weight * bag[term] * self.weight[term] for term, weight in asked.items() if term in bag)

    def share(self, asked: Mapping[str, float], place: int) -> float:
        """Return which share of what is asked for a bag has, by weight."""
        unknown = _UNKNOWN * max(self.weight.values(), default=1.0)
        whole = sum(weight * self.weight.get(term, unknown) for term, weight in asked.items())
        return self.score(asked, place) / whole if whole else 0.0

    def known(self, asked: Bag) -> Bag:
        """Return what is asked for, with slips of the pen mended where a word of the bags is near."""
        mended: Bag = {}
        for term, weight in asked.items():
            if term not in self.weight and " " in term:
                continue
            near = [] if term in self.weight else difflib.get_close_matches(term, self._begin.get(term[:2], []), 1, 0.8)
            mended[near[0] if near else term] = 0.7 * weight if near else weight
        return mended

    @cached_property
    def common(self) -> set[str]:
        """The words that every eighth bag has: those of the field, such as epoch."""
        counts: dict[str, int] = {}
        for bag in self.bags:
            for term, weight in bag.items():
                counts[term] = counts.get(term, 0) + (weight >= 1 and " " not in term)
        return {term for term, count in counts.items() if count >= len(self.bags) / 8}

    @cached_property
    def _begin(self) -> dict[str, list[str]]:
        begin: dict[str, list[str]] = {}
        for term in self.weight:
            if " " not in term and len(term) > 4:
                begin.setdefault(term[:2], []).append(term)
        return begin


def _bag(*parts: tuple[float, Iterable[str]]) -> Bag:
    bag: Bag = {}
    for weight, texts in parts:
        for term, own in terms(texts).items():
            bag[term] = max(bag.get(term, 0.0), weight * own)
    return bag


def _trouble(one: Pitfall) -> Bag:
    return _bag((1.0, (one.title, one.symptom, *one.message, *one.older, *one.words)), (_FIX, (one.fix,)))


def _kind(one: Kind) -> Bag:
    return _bag((1.0, (one.title, *one.message, *one.words)))


def _section(one: Section) -> Bag:
    less = _EXERCISE if one.heading.startswith("Exercise") else 1.0
    return _bag(
        (_HEADING * less, [one.words]),
        (_PROSE * less, one.prose.splitlines()),
        (_CODE * less, one.code.splitlines()),
    )
