"""The course map, read from `data/course.toml`: which lessons there are, what for, and how long each takes."""

from __future__ import annotations

import html
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from helpers import _cards, questions

__all__ = ["CourseLesson", "CourseMap", "course_map"]

_COPY = re.compile(r".+(\.yours-\d+|-Copy\d+)\.ipynb")


@dataclass(frozen=True)
class CourseLesson:
    """One row of the map.

    Attributes:
        number: such as "02".
        title: as the notebook has it.
        about: what a learner can do afterwards.
        minutes: of a learner's time; for a lesson to browse, of one piece of it.
        each: the lesson is one to browse.
        express: the lesson belongs to the short way through the course.
        files: names of its notebooks, several if it is split; empty while it is only planned.
    """

    number: str
    title: str
    about: str
    minutes: int
    each: bool = False
    express: bool = False
    files: tuple[str, ...] = ()

    @property
    def time(self) -> str:
        """The minutes in words."""
        return f"{self.minutes} each" if self.each else str(self.minutes)


@dataclass(frozen=True, repr=False)
class CourseMap(_cards.Shown):
    """All lessons in their order; shows itself as a table with links."""

    lessons: tuple[CourseLesson, ...]

    def summary(self) -> str:
        """Add up the minutes of the lessons that are here."""
        here = [one for one in self.lessons if one.files]
        total = sum(one.minutes for one in here if not one.each)
        express = [one for one in here if one.express]
        words = f"Together {total} minutes"
        browse = [one.number for one in here if one.each]
        if browse:
            words += f", and lesson {' and '.join(browse)} to look things up"
        if express:
            short = sum(one.minutes for one in express)
            words += f". The express path, {', '.join(one.number for one in express)}, takes {short} minutes"
        planned = [one.number for one in self.lessons if not one.files]
        return f"{words}." + (f" Planned, and not here yet: {', '.join(planned)}." if planned else "")

    def __str__(self) -> str:
        rows = [(one.number, one.title, one.time if one.files else "planned") for one in self.lessons]
        width = max(len(title) for _, title, _ in rows)
        lines = [f"{number}  {title.ljust(width)}  {time}" for number, title, time in rows]
        return "\n".join([f"    {'Lesson'.ljust(width)}  Minutes", *lines, self.summary()])

    def to_html(self) -> str:
        """Return the map as an HTML table; links lead to the notebooks beside the open one."""
        cell = 'style="text-align:left;vertical-align:top;padding:3px 14px 3px 0;white-space:normal"'
        rows = ""
        for one in self.lessons:
            title = html.escape(one.title)
            if one.files:
                title = f'<a href="{one.files[0]}">{title}</a>'
                parts = (f'<a href="{name}">{html.escape(_number(name))}</a>' for name in one.files)
                title += f" ({', '.join(parts)})" if len(one.files) > 1 else ""
            time = html.escape(one.time) if one.files else "<em>planned</em>"
            name = f'<th scope="row" {cell}><span style="font-weight:400">{one.number}&ensp;{title}</span></th>'
            rows += f"<tr>{name}<td {cell}>{time}</td><td {cell}>{html.escape(one.about)}</td></tr>"
        head = "".join(f'<th scope="col" {cell}>{text}</th>' for text in ("Lesson", "Minutes", "Afterwards you can"))
        table = (
            f'<table style="margin:4px 0;max-width:56em"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        )
        return table + _cards.paragraphs(self.summary())

    def to_markdown(self, folder: str = "notebooks/") -> str:
        """Return the map as a Markdown table whose links begin with `folder`, as README.md has it."""
        lines = ["| | lesson | minutes | afterwards you can |", "|---|---|---|---|"]
        for one in self.lessons:
            title = f"[{one.title}]({folder}{one.files[0]})" if one.files else one.title
            if len(one.files) > 1:
                title += f" ({', '.join(f'[{_number(name)}]({folder}{name})' for name in one.files)})"
            time = one.time if one.files else f"{one.time}, planned"
            lines.append(f"| {one.number} | {title} | {time} | {one.about[0].lower()}{one.about[1:]} |")
        return "\n".join(lines)


def course_map(file: Path | None = None, notebooks: Path | None = None) -> CourseMap:
    """Return the map of the course; as the last line of a cell it shows a table.

    Args:
        file: the table; None takes `data/course.toml`.
        notebooks: the folder that is searched for the lessons; None takes the course's own.

    Raises:
        ValueError: the table cannot be read or breaks a rule; the sentence names the place.
    """
    file = file or questions.ROOT / "data" / "course.toml"
    folder = notebooks or questions.ROOT / "notebooks"
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))["lesson"]
        lessons = tuple(CourseLesson(**entry, files=_notebooks(folder, entry["number"])) for entry in entries)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file.name} cannot be read ({type(error).__name__}: {error}). It holds one [[lesson]] for each lesson, "
            "with number, title, minutes, about, and each or express where they are true."
        ) from None
    return CourseMap(lessons)


def _notebooks(folder: Path, number: str) -> tuple[str, ...]:
    """Name the notebooks of a lesson, 08a and 08b too for "08", but not a learner's copies."""
    own = re.compile(rf"{re.escape(number)}[a-z]?_.+\.ipynb")
    names = (path.name for path in folder.glob(f"{number}*.ipynb"))
    return tuple(sorted(name for name in names if own.fullmatch(name) and not _COPY.fullmatch(name)))


def _number(name: str) -> str:
    return name.split("_")[0]
