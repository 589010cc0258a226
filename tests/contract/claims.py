"""The register of claims: what the course says about Keras, where it says it, and the test that reproduces it."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

# The numbering of the curriculum; a claim may also name one row of the pitfall lab, "08.7".
LESSONS = {
    "00": "Start here",
    "01": "What a callback is",
    "02": "EarlyStopping",
    "03": "ModelCheckpoint",
    "04": "Both together",
    "05": "Choose the numbers",
    "06": "Inside, and your own",
    "07": "Myths",
    "08": "The pitfall lab",
    "09": "In production",
    "10": "Capstone",
}
_TROUBLES = Path(__file__).resolve().parents[2] / "data" / "pitfalls.toml"
ROWS = frozenset(one["number"] for one in tomllib.loads(_TROUBLES.read_text(encoding="utf-8"))["pitfall"])
MODULES = (
    "hooks",
    "early_stopping",
    "numbers",
    "model_checkpoint",
    "files",
    "together",
    "resuming",
    "own",
    "production",
    "shipping",
    "data",
    "learning_rate",
    "tuning",
    "averages",
    "midway",
)


@dataclass(frozen=True)
class Claim:
    """One statement about Keras.

    Attributes:
        name: the test's name.
        lessons: the lessons and pitfall rows that rely on it, such as "02" or "08.7".
        text: the statement, true for the newest supported Keras.
        before: what was true of older supported releases, if that differed.
        module: the subject, a module of this package.
        test: the function that reproduces the statement.
    """

    name: str
    lessons: tuple[str, ...]
    text: str
    before: str | None
    module: str
    test: Callable[..., None]


_CLAIMS: list[Claim] = []


def claim(*lessons: str, text: str, before: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a test as the proof of `text`, on which `lessons` rely.

    Args:
        lessons: lessons ("02") and rows of the pitfall lab ("08.7").
        text: one sentence, true for the newest supported Keras.
        before: one sentence about older supported releases, where they differ.

    Raises:
        ValueError: no lesson named, an unknown lesson or row, or an empty text.
    """
    if not lessons:
        raise ValueError(f"Name at least one lesson that relies on: {text}")
    for lesson in lessons:
        if not is_lesson(lesson):
            raise ValueError(f"{lesson!r} is not a lesson (00 to 10) or a row of the pitfall lab such as 08.7.")
    if not text.strip():
        raise ValueError("A claim needs a sentence: text='...'.")

    def register(test: Callable[..., None]) -> Callable[..., None]:
        module = test.__module__.rpartition(".")[2]
        _CLAIMS.append(Claim(test.__name__, lessons, text, before, module, test))
        return test

    return register


def is_lesson(lesson: str) -> bool:
    """Say whether `lesson` is in the curriculum's numbering: "02", or a pitfall row such as "08.7"."""
    number, dot, row = lesson.partition(".")
    if not dot:
        return number in LESSONS
    return number == "08" and row.isdecimal() and row == str(int(row)) and int(row) in ROWS


def load() -> list[Claim]:
    """Import every module of claims and return the claims in their order there."""
    for module in MODULES:
        importlib.import_module(f".{module}", __package__)
    return list(_CLAIMS)


def table(claims: list[Claim], lesson: str | None = None, places: Iterable[tuple[str, int, str]] = ()) -> str:
    """Return the claims as lines: lessons, text, test, and where a sentence names it.

    Args:
        claims: what `load` returns.
        lesson: keeps the claims of one lesson or row.
        places: file, line and claim id of each sentence that names one.
    """
    lines = []
    beside: dict[str, list[str]] = {}
    for file, line, name in places:
        beside.setdefault(name, []).append(f"{file}:{line}")
    for entry in claims:
        if lesson and not any(named == lesson or named.startswith(f"{lesson}.") for named in entry.lessons):
            continue
        lines.append(f"{' '.join(entry.lessons):24} {entry.text}")
        if entry.before:
            lines.append(f"{'':24}   older: {entry.before}")
        lines.append(f"{'':24}   {entry.module}.{entry.name}")
        lines += [f"{'':24}   says so: {place}" for place in beside.get(f"{entry.module}.{entry.name}", ())]
    return "\n".join(lines)
