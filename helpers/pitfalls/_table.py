"""The table of troubles, `data/pitfalls.toml`: what an entry is, and reading with rules that are told in a sentence."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from helpers import _anchors

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
        older: texts that older releases of Keras or Python show, for the search alone.
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
    older: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The text of its heading in the notebook."""
        return f"{self.number}. {self.title}"

    @property
    def link(self) -> str:
        """The relative address of the trouble, from a notebook beside its own."""
        return f"{self.notebook}.ipynb#{_anchors.fragment(self.heading)}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The https addresses of its threads."""
        return tuple(map(address, self.threads))


def read(file: Path) -> tuple[Pitfall, ...]:
    """Read all troubles, in the order of their numbers.

    Args:
        file: the table.

    Raises:
        ValueError: the table cannot be read or breaks a rule; the sentence names the place.
    """
    try:
        return _read(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise ValueError(f"{file.name} cannot be read: {error.strerror}.") from None


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
        (isinstance(one.older, tuple) and all(map(_text, one.older)), "`older` is a list of texts, if it is there"),
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
