"""The troubles of lesson 08, read from `data/pitfalls.toml`: an index, and a search that takes what people paste.

What is pasted is read by `_paste`, into errors, warnings and the rest; `_messages` holds it against the messages of the
index; `_terms` and `_search` rank by words; `_elsewhere` has the questions that are none of the lab's, and `_lessons`
finds the heading that explains a name.
"""

from __future__ import annotations

from pathlib import Path

from helpers import questions
from helpers.pitfalls import _search
from helpers.pitfalls._found import Found
from helpers.pitfalls._index import Index
from helpers.pitfalls._table import Pitfall, address, read

__all__ = ["Found", "Index", "Pitfall", "address", "find", "index", "load"]

FILE = questions.ROOT / "data" / "pitfalls.toml"


def load(file: Path | None = None) -> tuple[Pitfall, ...]:
    """Read all troubles, in the order of their numbers.

    Args:
        file: the table; None takes `data/pitfalls.toml`.

    Raises:
        ValueError: the table cannot be read or breaks a rule; the sentence names the place.
    """
    return read(file or FILE)


def index(file: Path | None = None) -> Index:
    """Return the index of all troubles; as the last line of a cell it shows two tables with links."""
    return Index(load(file))


def find(text: str, *, most: int = 5) -> Found:
    """Find the troubles that fit a text: a whole traceback, a warning, a line of either, or words of your own.

    Of a traceback the exceptions and the warnings count, not files, code and carets. A trouble whose message the index
    has comes first. The others are ranked by the words that they share with the text; when these are too few, or when
    questions of another kind share more, the note above the result says that nothing fits, where to ask, and which
    lesson is nearest.

    Args:
        text: what the screen says, as long as it is; in code, `r\"\"\"...\"\"\"` takes any paste.
        most: how many troubles to return, at the most; two where nothing fits.

    Raises:
        ValueError: the text holds no words.
    """
    return _search.find(text, load(), most)
