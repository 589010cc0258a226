"""Measure how long a lesson takes somebody who reads it slowly, predicts, runs and does the exercises.

    python tools/minutes.py           a table of all lessons: what was counted, minutes measured, minutes stated
    python tools/minutes.py 02 03     these lessons only

What is counted is the learner's edition with the texts of its predictions and exercises from data/lessons.
`SECONDS` was fitted to the minutes of readers who took lessons 00 to 06 cold, which all lie within a fifth of
the measure (tests/test_minutes.py). A lesson's core is what stands above the heading `## The core ends here`.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks")]

import build  # noqa: E402

from helpers import questions  # noqa: E402

CORE_END = "The core ends here"
PAUSE = "Pause here"
CORE_LIMIT = 18  # minutes of an express lesson's core
LEG_LIMIT = 40  # minutes without a pause point
TOLERANCE = 0.2


@dataclass(frozen=True)
class Load:
    """What a reader has to do, counted.

    Attributes:
        words: of prose, questions, answers, explanations, first hints and reasons.
        code: lines to read, without setup, checks and answers to exercises.
        cells: to run.
        figures: to look at.
        predictions: to think about.
        sentences: of one's own to write, at most one a prediction.
        exercises: to do, each with one wrong try.
        written: lines of code to write in them.
        runs: of the arena, to wait for, each with a report to read.
    """

    words: int = 0
    code: int = 0
    cells: int = 0
    figures: int = 0
    predictions: int = 0
    sentences: int = 0
    exercises: int = 0
    written: int = 0
    runs: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Load)))

    @property
    def minutes(self) -> float:
        """The minutes that all of it takes."""
        return sum(getattr(self, name) * seconds for name, seconds in SECONDS.items()) / 60


# 140 words a minute; a line of an exercise is thought out, written, checked, and written again.
SECONDS = {
    "words": 60 / 140, "code": 4, "cells": 5, "figures": 30,
    "predictions": 30, "sentences": 30, "exercises": 60, "written": 40,
    "runs": 60,
}  # fmt: skip


@dataclass(frozen=True)
class Clock:
    """The minutes of a lesson or of a part of it, by what they are spent on."""

    read: float = 0.0
    predict: float = 0.0
    run: float = 0.0
    exercise: float = 0.0

    def __add__(self, other: Clock) -> Clock:
        return Clock(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Clock)))

    @property
    def all(self) -> float:
        """The minutes that all of it takes."""
        return self.read + self.predict + self.run + self.exercise


@dataclass(frozen=True)
class Stated:
    """The minutes that a lesson names: in all, and those of its core where it has one."""

    all: int
    core: int | None = None


@dataclass(frozen=True)
class Measured:
    """What a lesson takes: in all, its core where it has one, and each stretch between pause points."""

    all: Load
    core: Load | None
    legs: tuple[Load, ...]


def stated(cells: Iterable[build.Cell]) -> Stated | None:
    """Return the minutes in `**Minutes:** 17 for the core, 34 in all` or `**Minutes:** 34`; None without the line."""
    for cell in [cell for cell in cells if cell.kind == "markdown"][:3]:
        found = re.search(
            r"^\*\*Minutes:\*\* (?:(?P<core>\d+) for the core, (?P<both>\d+) in all|(?P<all>\d+))\.?\s*$",
            cell.text,
            re.MULTILINE,
        )
        if found:
            core = found["core"]
            return Stated(int(found["both"] or found["all"]), None if core is None else int(core))
    return None


def measure(cells: Sequence[build.Cell]) -> Measured:
    """Measure the cells of a lesson.

    Raises:
        ValueError: a prediction or exercise has no texts.
    """
    core, legs = None, [Load()]
    for cell in cells:
        if heading(cell) == CORE_END and core is None:
            core = sum(legs, Load())
        if heading(cell) == PAUSE:
            legs.append(Load())
        legs[-1] += _load(cell)
    return Measured(sum(legs, Load()), core, tuple(legs))


def clock(cells: Iterable[build.Cell]) -> Clock:
    """Say what the measured minutes of cells are spent on; together they are those of `measure`."""
    spent = Clock()
    for cell in cells:
        load = _load(cell)
        run = Load(cells=load.cells, runs=load.runs).minutes
        spent += Clock(**{"run": run, _purpose(cell): load.minutes - run})
    return spent


def _purpose(cell: build.Cell) -> str:
    """Return what a cell is for, besides being run: a name of `Clock`."""
    if cell.tag in ("predict", "exercise"):
        return cell.tag
    checked = any(call == "checks.check" for _, _, call, _ in build.named_calls(cell))
    return "exercise" if checked else "read"


def of_one_trouble(cells: Sequence[build.Cell]) -> Load:
    """Return the mean load of the parts under numbered headings (`## 12. It stops`): people read one of them alone."""
    parts: list[Load] = []
    inside = False
    for cell in cells:
        title = heading(cell)
        if title is not None:
            inside = re.match(r"\d+\. ", title) is not None
            parts += [Load()] if inside else []
        if inside:
            parts[-1] += _load(cell)
    total = sum(parts, Load())
    return Load(*(round(getattr(total, one.name) / max(len(parts), 1)) for one in fields(Load)))


def words(text: str) -> int:
    """Count the words of prose, without comments, tags and the targets of links."""
    text = re.sub(r"<!--.*?-->|<[^>]+>|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    return len(re.findall(r"[A-Za-z0-9]\S*", text))


def heading(cell: build.Cell) -> str | None:
    """Return the text of the heading `## ...` that a cell begins with, None where it begins with none."""
    found = re.match(r"## (.+)", cell.text) if cell.kind == "markdown" and cell.tag is None else None
    return found[1].strip() if found else None


def _load(cell: build.Cell) -> Load:
    if cell.tag in build.TEACHER_ONLY:
        return Load()
    if cell.kind == "markdown":
        return Load(words=words(cell.text))
    runs = cell.text.count("arena.run(")
    called = {call: name for _, _, call, name in build.named_calls(cell)}
    if cell.tag == "predict":
        return Load(cells=1) + _prediction(called["widgets.predict"])
    if "checks.check" in called:
        exercise = questions.exercise(called["checks.check"])
        return Load(cells=1, exercises=1, words=words(exercise.hints[0]) + words(exercise.reason), runs=runs)
    figures = len(re.findall(r"\bstyle\.show\(|\bwidgets\.[A-Z]", cell.text))
    if cell.tag == "setup":
        return Load(cells=1, figures=figures)
    if cell.tag == "exercise":
        stub, answer = ([line for line in part.splitlines() if line.strip()] for part in build.cut(cell.text))
        given = {line.strip() for line in stub}
        return Load(cells=1, code=len(stub), written=sum(line.strip() not in given for line in answer))
    return Load(cells=1, code=sum(bool(line.strip()) for line in cell.text.splitlines()), figures=figures, runs=runs)


def _prediction(name: str) -> Load:
    """Count a prediction with everything that its widget and its reveal show to somebody who was right."""
    asked = questions.prediction(name)
    texts = [asked.question, *(answer.text for answer in asked.answers)]
    texts += [asked.answers[asked.right].feedback, asked.explain, asked.ask]
    return Load(predictions=1, sentences=int(bool(asked.ask)), words=sum(map(words, texts)))


def within(told: int, measured: float) -> bool:
    """Return whether minutes that a lesson states are within a fifth of what was measured."""
    return abs(told - measured) <= TOLERANCE * measured


def browsed() -> frozenset[str]:
    """Return the lessons that are looked things up in, whose minutes are those of one trouble."""
    table = tomllib.loads((ROOT / "data" / "course.toml").read_text(encoding="utf-8"))
    return frozenset(row["number"] for row in table["lesson"] if row.get("each"))


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit 1 when a lesson states minutes that are more than a fifth off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", help="numbers such as 02 or 08a; all when none is given")
    options = parser.parse_args(arguments)
    names = [one.name for one in fields(Load)]
    print("lesson", *(f"{name:>11}" for name in names), "  measured  stated")
    off = 0
    for path in sorted((ROOT / "notebooks" / "source").glob("*.py")):
        number = path.stem.split("_")[0]
        if options.lessons and number not in options.lessons:
            continue
        # Rules about predictions and exercises are the builder's business: a lesson in the works is measured as well.
        cells = build.split_cells(path, path.read_text(encoding="utf-8").splitlines(), [])
        told = stated(cells)
        found = measure(cells)
        one = number[:2] in browsed()
        rows = [("one", of_one_trouble(cells), told and told.all)] if one else []
        rows += [("core", found.core, told and told.core)] if found.core else []
        rows += [("all", found.all, None if one else told and told.all)]
        for name, load, minutes in rows:
            fine = minutes is None or within(minutes, load.minutes)
            off += not fine
            counts = (f"{getattr(load, name):>11}" for name in names)
            mark = "" if fine else "  more than a fifth off"
            print(f"{number:3} {name:4}", *counts, f"{load.minutes:8.1f}  {minutes or '-':>6}{mark}")
    return int(off > 0)


if __name__ == "__main__":
    sys.exit(main())
