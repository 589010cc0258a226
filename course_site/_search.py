"""The search of the pitfall lab for a page: its rules, bags of words and texts as data; `static/pitfalls.js` counts.

Nothing of a rule is written twice: patterns are translated, weights and words are taken from `helpers.pitfalls`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from course_site import _page
from helpers import _cards, pitfalls
from helpers.pitfalls import _elsewhere, _lessons, _messages, _paste, _search, _terms
from helpers.pitfalls._index import link

__all__ = ["box", "data", "javascript", "sections"]

_ANY_WORD = r"[\p{L}\p{N}_]"
# What stands for `\w` and the like where Python counts all of Unicode.
_CLASSES = {"w": r"\p{L}\p{N}_", "d": r"\p{Nd}", "s": r"\s"}
_OUTSIDE = {"w": _ANY_WORD, "W": r"[^\p{L}\p{N}_]", "d": r"\p{Nd}", "s": r"\s", "S": r"\S", "Z": "$"}
_EDGE = f"(?:(?<={_ANY_WORD})(?!{_ANY_WORD})|(?<!{_ANY_WORD})(?={_ANY_WORD}))"
_TOKEN = re.compile(
    r"\\(?P<escape>.)|(?P<open>\[\^?\]?)|(?P<blank>\s)|(?P<comment>#[^\n]*)|(?P<named>\(\?P<)|(?P<other>.)", re.DOTALL
)


def javascript(pattern: re.Pattern[str]) -> list[str]:
    """Return source and flags of a JavaScript expression that does what a pattern of Python does."""
    verbose, out, text, at = pattern.flags & re.VERBOSE, [], pattern.pattern, 0
    within = False
    while at < len(text):
        found = _TOKEN.match(text, at)
        at = found.end()
        if letter := found["escape"]:
            out.append(_escape(letter, within))
        elif within:
            within = found[0] != "]"
            out.append(rf"\{found[0]}" if found["open"] else found[0])
        elif found["open"]:
            within = True
            # A bracket that stands first in a class is itself.
            out.append(found["open"].removesuffix("]") + (r"\]" if found["open"].endswith("]") else ""))
        elif verbose and (found["blank"] or found["comment"]):
            continue
        elif found["named"]:
            out.append("(?<")
        elif found[0] in "{}" and not re.match(r"\{\d+(,\d*)?\}", text[text.rfind("{", 0, at) :]):
            out.append(rf"\{found[0]}")
        else:
            out.append(found[0])
    return [
        "".join(out),
        "gu" + ("i" if pattern.flags & re.IGNORECASE else "") + ("m" if pattern.flags & re.MULTILINE else ""),
    ]


def _escape(letter: str, within: bool) -> str:
    if letter == "b" and not within:
        return _EDGE
    if letter in (_CLASSES if within else _OUTSIDE):
        return (_CLASSES if within else _OUTSIDE)[letter]
    if letter.isalnum() or letter in r"^$\.*+?()[]{}|/" or (within and letter == "-"):
        return f"\\{letter}"
    return letter


def data() -> str:
    """Return the script that binds `coursePitfalls`, which `pitfalls.js` reads."""
    text = json.dumps(_rules(), ensure_ascii=False, separators=(",", ":"))
    return f"window.coursePitfalls = {text};\n"


def box() -> str:
    """Return the place of the search: a field with a name, the result in words for screen readers, the result."""
    return (
        '<div class="course-search" data-course-search><label>Your error, or what you see:'
        '<textarea rows="6" spellcheck="false" autocomplete="off" '
        'placeholder="Paste a whole traceback, a warning, or say it in your words"></textarea></label>'
        '<div role="status" class="course-unseen"></div><div data-course-found></div></div>'
        '<script defer src="_static/pitfalls-data.js"></script><script defer src="_static/pitfalls.js"></script>'
    )


def sections() -> list[_lessons.Section]:
    """Return the sections of the lessons by the places that the script calls them by."""
    return _engine().sections


def _engine() -> _search.Engine:
    return _search._engine(pitfalls.load(), _elsewhere.kinds(), _lessons.sections())


_PASTE = (
    "colour", "blob", "frame", "numbered", "arrow", "scaffold", "warned", "raised", "progress", "odd", "path",
    "package", "of_keras", "listed",
)  # fmt: skip
_SEARCH = (
    "frames", "unknown", "few", "log", "named", "known", "far", "error", "most", "short", "near", "told", "rival",
    "ours", "alone", "none",
)  # fmt: skip


def _rules() -> dict[str, Any]:
    table, engine = pitfalls.load(), _engine()
    return {
        "paste": {
            **{name: javascript(getattr(_paste, f"_{name.upper()}")) for name in _PASTE},
            "prefixes": [javascript(one) for one in _paste._PREFIXES],
            "quotes": {chr(code): to for code, to in _paste._QUOTES.items()},
            "validated": [_paste._NONE_LISTED, _paste._ONE_LISTED],
        },
        "terms": {
            "phrases": [[*javascript(pattern), to] for pattern, to in _terms._PHRASES],
            **{name: javascript(getattr(_terms, f"_{name.upper()}")) for name in ("not", "word", "camel", "ending")},
            "common": sorted(_terms._COMMON),
            "same": _terms._SAME,
            "field": sorted(_terms.FIELD),
            "weights": [_terms._NAME, _terms._PART, _terms._PAIR, _terms._OFTEN],
        },
        "messages": {
            "type": javascript(_messages._TYPE), "quote": javascript(_messages._QUOTE),
            "enough": _messages._ENOUGH, "least": _messages._LEAST,
            "of": [[_message(one) for one in ones] for ones in engine.messages],
            "few": engine.few,
        },
        "search": {name: getattr(_search, f"_{name.upper()}") for name in _SEARCH},
        "troubles": _shelf(engine.troubles),
        # Lessons are asked for whole words alone.
        "lessons": _shelf(engine.lessons, lambda term: " " not in term),
        "pitfalls": [_trouble(one) for one in table],
        "sections": [
            {
                "html": [_page.to_page(link(one, one.words)), _cards.inline(one.lesson)],
                "number": one.notebook.split("_")[0],
                "names": sorted(_terms.terms(one.names)),
            }
            for one in engine.sections
        ],
        "notes": {
            "explained": _cards.paragraphs("The lessons explain this."),
            "fits": _cards.paragraphs("Best fit first."),
            # Where a kind of question that the lab does not hold fits best, its own note.
            "kinds": [_cards.paragraphs(engine._nothing(kind)) for kind in engine.kinds],
            "nothing": _cards.paragraphs(engine._nothing(None)),
        },
    }  # fmt: skip


def _message(one: _messages.Message) -> dict[str, Any]:
    return {
        "pattern": javascript(one._pattern),
        "length": sum(map(len, one.body.split("…"))),
        "words": one._words,
        "names": sorted(one._names),
        "log": one.is_log,
        "terms": list(_terms.terms([one.text])),
    }


def _shelf(shelf: _search.Shelf, wanted: Callable[[str], bool] = bool) -> dict[str, Any]:
    bags = [[[term, weight] for term, weight in bag.items() if wanted(term)] for bag in shelf.bags]
    return {"bags": bags, "weight": [[term, weight] for term, weight in shelf.weight.items() if wanted(term)]}


def _trouble(one: pitfalls.Pitfall) -> dict[str, Any]:
    what = f"{_cards.inline(one.symptom)}<br><b>Fix:</b> {_cards.inline(one.fix)}"
    return {"html": [_page.to_page(link(one, one.heading)), what], "heading": one.heading}
