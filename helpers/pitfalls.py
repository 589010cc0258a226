"""The troubles of lesson 08, read from `data/pitfalls.toml`: indexes by symptom and by message, with links to each."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from helpers import _cards, questions

__all__ = ["Index", "Pitfall", "address", "find", "index", "load"]

FILE = questions.ROOT / "data" / "pitfalls.toml"

_SITES = {
    "keras": "https://github.com/keras-team/keras",
    "keras-io": "https://github.com/keras-team/keras-io",
    "tensorflow": "https://github.com/tensorflow/tensorflow",
}
_QUESTIONS = {
    "so": "https://stackoverflow.com/questions",
    "ds": "https://datascience.stackexchange.com/questions",
}
_NOTEBOOK = re.compile(r"08[a-z]?_[a-z_]+")
# Words of every sentence, and what differs between two people's messages: they tell no trouble from another.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and any are as at be been but by can could did do does doing done for from get gets had has "
        "have how i if in is isn it its just keras line me model my no not of on only or our out please s "
        "should so some t than that the their them then there they this to training trains traceback was we "
        "were what when where which who why with would you your",
    )
)
_ENDING = re.compile(r"(ings?|ers?|ed|es|s|e)$")
# Of the weight of all words asked for, the share that the best trouble must have to be called a fit.
_FITS = 0.35


@dataclass(frozen=True)
class Pitfall:
    """One trouble.

    Attributes:
        number: its number in the course, from 1.
        title: the symptom in a few words, as its heading has it.
        symptom: what a person sees.
        fix: what to do, in one sentence, with `code` in backticks.
        message: texts that Keras or Python show; empty where there is none.
        words: more words that people use for it, for the search alone.
        threads: short names of the threads in which people met it.
        notebook: the notebook that holds it, without suffix.
    """

    number: int
    title: str
    symptom: str
    fix: str
    message: tuple[str, ...]
    threads: tuple[str, ...]
    notebook: str
    words: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The text of its heading in the notebook."""
        return f"{self.number}. {self.title}"

    @property
    def anchor(self) -> str:
        """The heading's anchor: JupyterLab puts a hyphen for each blank, and jumps to ASCII only."""
        return self.heading.replace(" ", "-")

    @property
    def link(self) -> str:
        """The relative address of the trouble, from a notebook beside its own."""
        return f"{self.notebook}.ipynb#{self.anchor}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The https addresses of its threads."""
        return tuple(map(address, self.threads))


@dataclass(frozen=True, repr=False)
class Index(_cards.Shown):
    """Two tables with links, by symptom and by message; shows itself."""

    pitfalls: tuple[Pitfall, ...]
    note: str = ""

    @property
    def messages(self) -> tuple[tuple[str, tuple[Pitfall, ...]], ...]:
        """Each message once, in the order of the alphabet, with the troubles that show it."""
        texts = sorted({text for one in self.pitfalls for text in one.message}, key=str.lower)
        return tuple((text, tuple(one for one in self.pitfalls if text in one.message)) for text in texts)

    def __str__(self) -> str:
        lines = [_cards.plain(self.note)] if self.note else []
        lines += [f"{one.heading} ({one.notebook})\n    {one.symptom}" for one in self.pitfalls]
        lines += [f"{text}\n    see {_numbers(ones, lambda one: str(one.number))}" for text, ones in self.messages]
        return "\n".join(lines) or "No trouble."

    def to_html(self) -> str:
        """Return both tables as HTML; links lead to the notebooks beside the open one."""
        parts = [_cards.paragraphs(self.note)] if self.note else []
        rows = [(_link(one, one.heading), html.escape(one.symptom)) for one in self.pitfalls]
        parts.append(_html_table(("Trouble", "What you see"), rows))
        texts = [
            (_numbers(ones, lambda one: _link(one, str(one.number))), f"<code>{html.escape(text)}</code>")
            for text, ones in self.messages
        ]
        if texts:
            parts.append(_html_table(("Trouble", "What it says"), texts))
        return "".join(parts)

    def to_markdown(self, folder: str = "notebooks/") -> str:
        """Return both tables as Markdown whose links begin with `folder`, as README.md has them."""

        def to(one: Pitfall, text: str) -> str:
            return f"[{text}]({folder}{one.link})"

        lines = ["| trouble | what you see |", "|---|---|"]
        lines += [f"| {to(one, one.heading)} | {_cell(one.symptom)} |" for one in self.pitfalls]
        lines += ["", "| what it says | trouble |", "|---|---|"]
        for text, ones in self.messages:
            lines.append(f"| {_code(text)} | {_numbers(ones, lambda one: to(one, str(one.number)))} |")
        return "\n".join(lines)


def load(file: Path | None = None) -> tuple[Pitfall, ...]:
    """Read all troubles, in the order of their numbers.

    Args:
        file: the table; None takes `data/pitfalls.toml`.

    Raises:
        ValueError: the table cannot be read or breaks a rule; the sentence names the place.
    """
    file = file or FILE
    try:
        return _read(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise ValueError(f"{file.name} cannot be read: {error.strerror}.") from None


def index(file: Path | None = None) -> Index:
    """Return the index of all troubles; as the last line of a cell it shows two tables with links."""
    return Index(load(file))


def find(text: str, *, most: int = 5) -> Index:
    """Find the troubles that fit a text: the last line of a traceback, a warning, or words of your own.

    A trouble fits better the more of the text's words stand in its messages, title, symptom and further words; rare
    words count more, and endings such as in `saved` and `saving` do not count. When hardly any of the text is known
    here, the note above the result says so.

    Args:
        text: what the screen says; more than one line is fine.
        most: how many troubles to return.

    Raises:
        ValueError: the text holds no words.
    """
    wanted = _words(text) if isinstance(text, str) else set()
    if not wanted:
        raise ValueError('Give find() some words, as in find("metric val_loss which is not available").')
    everything = load()
    words = {one.number: _words(" ".join((one.title, one.symptom, *one.message, *one.words))) for one in everything}
    weight = {word: 1 / sum(word in of for of in words.values()) for word in set().union(*words.values())}
    score = {one.number: sum(weight[word] for word in wanted & words[one.number]) for one in everything}
    best = max(score.values())
    fits = sorted((one for one in everything if score[one.number] > best / 4), key=lambda one: -score[one.number])
    if not best:
        return Index((), "No trouble here has one of these words. `pitfalls.index()` lists all of them.")
    known = best / sum(weight.get(word, 1.0) for word in wanted)
    note = "Best fit first." if known > _FITS else "Nothing fits well: this may be another trouble. The nearest are:"
    return Index(tuple(replace(one, message=()) for one in fits[:most]), note)


def address(thread: str) -> str:
    """Return the https address of a thread's short name, such as `keras#20323` or `so/46656948`.

    Raises:
        ValueError: the name has no known form.
    """
    if re.fullmatch(r"https://[^\s\"<>()]+", thread):
        return thread
    site, _, number = thread.partition("/")
    if site in _QUESTIONS and number.isdecimal():
        return f"{_QUESTIONS[site]}/{number}"
    name, _, number = thread.partition("#")
    if number.isdecimal():
        if name in _SITES:
            return f"{_SITES[name]}/issues/{number}"
        if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            return f"https://github.com/{name}/issues/{number}"
    raise ValueError(
        f"{thread!r} names no thread. Write keras#N, tensorflow#N, keras-io#N, owner/name#N, so/N or ds/N."
    )


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int) -> tuple[Pitfall, ...]:
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))["pitfall"]
        pitfalls = tuple(
            Pitfall(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})
            for entry in entries
        )
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file.name} cannot be read ({type(error).__name__}: {error}). It holds one [[pitfall]] for each trouble, "
            "with number, title, symptom, fix, message, threads and notebook."
        ) from None
    for one in pitfalls:
        _judge(one, file.name)
    numbers = [one.number for one in pitfalls]
    if len(set(numbers)) != len(numbers):
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        raise ValueError(f"{file.name}: the number {twice[0]} stands there twice.")
    return tuple(sorted(pitfalls, key=lambda one: one.number))


def _judge(one: Pitfall, file: str) -> None:
    rules: tuple[tuple[bool, str], ...] = (
        (isinstance(one.number, int) and one.number > 0, "`number` is a whole number from 1 up"),
        (
            _text(one.title) and re.fullmatch(r"[\w ,.-]+", one.title, re.ASCII),
            "`title` has letters, digits, blanks and , . - _",
        ),
        (_text(one.symptom), "`symptom` is a text"),
        (_text(one.fix) and "\n" not in one.fix, "`fix` is one sentence"),
        (isinstance(one.message, tuple) and all(map(_text, one.message)), "`message` is a list of texts, or []"),
        (isinstance(one.threads, tuple) and all(map(_text, one.threads)), "`threads` is a list of texts, or []"),
        (isinstance(one.words, tuple) and all(map(_text, one.words)), "`words` is a list of texts, if it is there"),
        (_text(one.notebook) and _NOTEBOOK.fullmatch(one.notebook), "`notebook` is a name like 08a_stopping"),
    )
    for fine, rule in rules:
        if not fine:
            raise ValueError(f"{file}, pitfall {one.number}: {rule}.")
    for thread in one.threads:
        try:
            address(thread)
        except ValueError as error:
            raise ValueError(f"{file}, pitfall {one.number}: {error}") from None


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _words(text: str) -> set[str]:
    """Return the words that tell something, without their endings; names with an underscore stay whole."""
    words = {word for word in re.findall(r"[a-z0-9_]+", text.lower()) if word not in _COMMON and not word.isdecimal()}
    return {word if "_" in word or len(word) < 5 else _ENDING.sub("", word) for word in words}


def _numbers(ones: Iterable[Pitfall], shown: Callable[[Pitfall], str]) -> str:
    return ", ".join(map(shown, ones))


def _link(one: Pitfall, text: str) -> str:
    return f'<a href="{html.escape(one.link)}">{html.escape(text)}</a>'


def _html_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cell = 'style="text-align:left;vertical-align:top;padding:3px 14px 3px 0;white-space:normal;overflow-wrap:anywhere"'
    one_line = cell.replace("white-space:normal;overflow-wrap:anywhere", "white-space:nowrap")
    top = "".join(f'<th scope="col" {one_line}>{name}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td {cell}>{text}</td>" for text in row) + "</tr>" for row in rows)
    return f'<table style="margin:4px 0;max-width:60em"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    """Return text as code in Markdown; what holds backticks itself needs more of them around it."""
    fence = "``" if "`" in text else "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{_cell(text)}{pad}{fence}"
