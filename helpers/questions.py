"""Read the texts of a lesson from `data/lessons/NN.toml`: predictions with feedback, exercises with hints."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data" / "lessons"

_LESSON = re.compile(r"\d\d[a-z]?")
_PREDICTION = re.compile(r"[a-z][a-z0-9-]*")
_EXERCISE = re.compile(r"[1-9]\d*")


@dataclass(frozen=True)
class Answer:
    """One answer to a prediction, with what to say to the person who chose it."""

    text: str
    right: bool
    feedback: str


@dataclass(frozen=True)
class Prediction:
    """A question with at least two answers, exactly one of them right; `id` is like "02.a".

    `explain` is for everybody once the experiment has run: what it showed, and why; it may be empty where the feedback
    to the right answer says all. `ask`, where it is not empty, asks for one sentence of the learner's own before that.
    `lessons` names those that teach the answer, where it is not the lesson that asks.
    """

    id: str
    question: str
    answers: tuple[Answer, ...]
    lessons: tuple[str, ...] = ()
    explain: str = ""
    ask: str = ""

    @property
    def right(self) -> int:
        """Index (from 0) of the right answer."""
        return next(index for index, answer in enumerate(self.answers) if answer.right)


@dataclass(frozen=True)
class Exercise:
    """The texts of an exercise: hints from vague to nearly there, and why the solution is right."""

    id: str
    title: str
    hints: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Lesson:
    """All texts of one lesson; both mappings are read-only and keyed by full id, in the order of the file."""

    id: str
    title: str
    predictions: Mapping[str, Prediction]
    exercises: Mapping[str, Exercise]


def lessons(folder: Path | None = None) -> tuple[str, ...]:
    """List the lessons that have a file, in order."""
    return tuple(sorted(path.stem for path in (folder or FOLDER).glob("*.toml") if _LESSON.fullmatch(path.stem)))


def home(lesson: str, folder: Path | None = None) -> str:
    """Return the lesson that holds the texts of this one: itself, or "03" for "03b" where only "03" has a file."""
    if isinstance(lesson, str) and _LESSON.fullmatch(lesson) and not ((folder or FOLDER) / f"{lesson}.toml").is_file():
        return lesson[:2]
    return lesson


def load(lesson: str, folder: Path | None = None) -> Lesson:
    """Read one lesson, for example `load("02")`; the parts of a lesson, "03b", share the texts of "03".

    Raises:
        ValueError: there is no such lesson, or its file breaks a rule; the sentence names the file and the place.
    """
    asked, lesson = lesson, home(lesson, folder)
    path = (folder or FOLDER) / f"{lesson}.toml"
    if not isinstance(lesson, str) or not _LESSON.fullmatch(lesson) or not path.is_file():
        known = ", ".join(lessons(folder)) or f"none: is the folder {_where(path.parent)} there?"
        raise ValueError(f"There is no lesson {asked!r}. Lessons with questions: {known}.")
    return _read(lesson, path, path.stat().st_mtime_ns)


def prediction(id: str) -> Prediction:
    """Return the prediction with this id, for example "02.a"; ValueError lists what exists."""
    return _find(id, "prediction")


def exercise(id: str) -> Exercise:
    """Return the texts of the exercise with this id, for example "02.1"; ValueError lists what exists."""
    return _find(id, "exercise")


def split(id: str, kind: str) -> tuple[str, str]:
    """Split "02.1" into lesson and name; "2.1" and 2.1 mean the same.

    Raises:
        ValueError: the id has another form.
    """
    lesson, dot, name = (part.strip() for part in str(id if isinstance(id, str | float) else "").partition("."))
    if re.fullmatch(r"\d[a-z]?", lesson):
        lesson = f"0{lesson}"
    if not dot or not _LESSON.fullmatch(lesson) or not name:
        example = "02.a" if kind == "prediction" else "02.1"
        article = "a" if kind == "prediction" else "an"
        raise ValueError(f'{id!r} does not name {article} {kind}. Write the lesson, a dot and a name: "{example}".')
    return lesson, name


def _find(id: str, kind: str):
    lesson, name = split(id, kind)
    id = f"{lesson}.{name}"
    found = load(lesson)
    texts = found.predictions if kind == "prediction" else found.exercises
    if id not in texts:
        raise ValueError(f"Lesson {lesson} has no {kind} {id!r}. It has: {', '.join(texts) or 'none'}.")
    return texts[id]


def _where(path: Path) -> str:
    """Name a file as seen from the project's folder, so that no message shows a whole path of a machine."""
    try:
        return path.relative_to(ROOT).as_posix()
    except ValueError:
        return path.name


@lru_cache(maxsize=64)
def _read(lesson: str, path: Path, _changed: int) -> Lesson:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{_where(path)} cannot be read: {error}") from None
    fault = _Fault(_where(path))
    fault.keys(table, {"title", "predict", "exercise"}, "the file")
    predictions = {}
    for name, entry in fault.table(table, "predict").items():
        at = f"[predict.{name}]"
        fault.unless(_PREDICTION.fullmatch(name), at, "a prediction's name is small letters, digits and hyphens")
        fault.keys(entry, {"question", "answers", "lessons", "explain", "ask"}, at)
        predictions[f"{lesson}.{name}"] = Prediction(
            f"{lesson}.{name}",
            fault.text(entry, "question", at),
            fault.answers(entry, at),
            fault.lessons(entry, at),
            *(fault.text(entry, key, at) if key in entry else "" for key in ("explain", "ask")),
        )
    exercises = {}
    for name, entry in fault.table(table, "exercise").items():
        at = f"[exercise.{name}]"
        fault.unless(_EXERCISE.fullmatch(name), at, "an exercise's name is a number from 1 up")
        fault.keys(entry, {"title", "hints", "reason"}, at)
        exercises[f"{lesson}.{name}"] = Exercise(
            f"{lesson}.{name}",
            fault.text(entry, "title", at),
            fault.hints(entry, at),
            fault.text(entry, "reason", at),
        )
    return Lesson(
        lesson, fault.text(table, "title", "the file"), MappingProxyType(predictions), MappingProxyType(exercises)
    )


class _Fault:
    """Reads values out of one file and, where a rule is broken, says so with the file and the place."""

    def __init__(self, file: str):
        self.file = file

    def unless(self, fine: object, at: str, rule: str) -> None:
        if not fine:
            raise ValueError(f"{self.file}, {at}: {rule}.")

    def keys(self, entry: object, allowed: set[str], at: str) -> None:
        self.unless(isinstance(entry, dict), at, "expected a table")
        extra = sorted(set(entry) - allowed)
        self.unless(not extra, at, f"unknown key {', '.join(extra)}; allowed are {', '.join(sorted(allowed))}")

    def table(self, entry: dict, key: str) -> dict:
        value = entry.get(key, {})
        self.unless(isinstance(value, dict), f"[{key}]", "expected a table")
        return value

    def text(self, entry: dict, key: str, at: str) -> str:
        value = entry.get(key)
        self.unless(isinstance(value, str) and value.strip(), at, f"`{key}` is missing or empty")
        return value.strip()

    def hints(self, entry: dict, at: str) -> tuple[str, ...]:
        hints = entry.get("hints")
        fine = isinstance(hints, list) and hints and all(isinstance(h, str) and h.strip() for h in hints)
        self.unless(fine, at, "`hints` is a list of at least one text")
        return tuple(hint.strip() for hint in hints)

    def lessons(self, entry: dict, at: str) -> tuple[str, ...]:
        named = entry.get("lessons", [])
        fine = isinstance(named, list) and all(isinstance(one, str) and _LESSON.fullmatch(one) for one in named)
        self.unless(fine, at, '`lessons` is a list of lessons such as ["02"]')
        return tuple(named)

    def answers(self, entry: dict, at: str) -> tuple[Answer, ...]:
        answers = entry.get("answers")
        self.unless(isinstance(answers, list) and len(answers) >= 2, at, "a prediction needs at least two answers")
        self.unless(len(answers) <= 26, at, "a prediction has at most 26 answers, one a letter")
        out = []
        for number, answer in enumerate(answers, start=1):
            here = f"{at} answer {number}"
            self.keys(answer, {"text", "right", "feedback"}, here)
            right = answer.get("right", False)
            self.unless(isinstance(right, bool), here, "`right` is true or false")
            out.append(Answer(self.text(answer, "text", here), right, self.text(answer, "feedback", here)))
        self.unless(sum(a.right for a in out) == 1, at, "exactly one answer has `right = true`")
        self.unless(len({a.text for a in out}) == len(out), at, "two answers have the same text")
        return tuple(out)
