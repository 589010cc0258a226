"""Hold what was pasted against the messages of the index; `…` stands for anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from helpers.pitfalls._paste import Paste

__all__ = ["Message"]

_TYPE = re.compile(r"^(?:[\w.]+\.)?\w*(?:Error|Exception|Warning|Exit|Interrupt|BadZipFile): ")
_QUOTE = re.compile(r"['\"`]")
# A shorter message, such as a KeyError has, is told by its type too.
_SHORT = 15
# At the most so many characters for a "…".
_ANY = ".{0,300}?"
# A paste may be cut off, and another release may say it in other words: so much of a message's words, in their order.
_ENOUGH, _LEAST = 0.8, 5


@dataclass(frozen=True)
class Message:
    """One message of the index."""

    text: str

    @cached_property
    def body(self) -> str:
        """The message without the type before it, unless there is hardly more than the type."""
        body = _plain(_TYPE.sub("", self.text))
        return body if len(body) >= _SHORT else _plain(self.text)

    @cached_property
    def is_log(self) -> bool:
        """No error and no warning, but a line that a healthy training prints as well."""
        return not _TYPE.match(self.text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        pieces = [re.escape(piece.strip()) for piece in self.body.split("…")]
        return re.compile(rf"(?<!\w){_ANY.join(pieces)}(?!\w)")

    @cached_property
    def _words(self) -> list[str]:
        return _split(self.body)

    @cached_property
    def _names(self) -> set[str]:
        """The words that a text must have to be this message: what is quoted, names of code, whose method it is."""
        quoted = [*re.findall(r"'([^'\s]+)'", self.body), *re.findall(r"\w+(?=\.\w+\()", self.body)]
        return {word for one in quoted for word in _split(one)} | {word for word in self._words if "_" in word}

    def matches(self, paste: Paste) -> float:
        """Return how many characters of the message, without those of each `…`, the paste has; 0 if it does not fit."""
        said = _plain(paste.said)
        if self._pattern.search(said):
            return float(sum(map(len, self.body.split("…"))))
        return max(map(self._nearly, (*paste.errors, *paste.warnings, *paste.rest.splitlines())), default=0.0)

    def _nearly(self, line: str) -> float:
        """Return the characters of the message's words that stand in a line in their order, if they are enough."""
        words = _words(line)
        shared = set(words) & set(self._words)
        if len(shared) < _LEAST or not self._names <= shared:
            return 0.0
        common = _in_order(self._words, words)
        if len(common) >= max(_LEAST, _ENOUGH * min(len(self._words), len(words))):
            return 0.9 * sum(map(len, common))
        return 0.0


# Each message is held against the same paste.
@lru_cache(maxsize=64)
def _words(line: str) -> list[str]:
    return _split(_plain(_TYPE.sub("", line)))


@lru_cache(maxsize=64)
def _plain(text: str) -> str:
    return _QUOTE.sub("'", " ".join(text.lower().split()))


def _split(text: str) -> list[str]:
    return re.findall(r"[a-z0-9_]+", text)


def _in_order(one: list[str], other: list[str]) -> list[str]:
    """Return the longest list of words that both have in this order."""
    best: list[list[str]] = [[] for _ in range(len(other) + 1)]
    for word in one:
        before: list[str] = []
        for place, theirs in enumerate(other, start=1):
            kept = best[place]
            best[place] = [*before, word] if word == theirs else max(best[place], best[place - 1], key=len)
            before = kept
    return best[-1]
