"""The course map, read from `data/course.toml`: which lessons there are, what for, and how long each takes."""

from __future__ import annotations

import html
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from helpers import _cards, questions
from helpers.address import Address

__all__ = ["CourseLesson", "CourseMap", "Plan", "course_map"]

# A class needs half as much again as one person.
CLASS_FACTOR = 1.5

_COPY = re.compile(r".+(\.yours-\d+|-Copy\d+)\.ipynb")


@dataclass(frozen=True)
class CourseLesson:
    """One row of the map.

    Attributes:
        number: such as "02", or "03b" for a part that has a notebook of its own.
        title: as the notebook has it.
        about: what a learner can do afterwards.
        minutes: of a learner's time; for a lesson to browse, of one piece of it.
        core: minutes of the part that the short way takes, where the lesson has such a part.
        each: the lesson is one to browse.
        express: the lesson belongs to the short way through the course.
        files: names of its notebooks, several if it is split; empty while it is only planned.
    """

    number: str
    title: str
    about: str
    minutes: int
    core: int | None = None
    each: bool = False
    express: bool = False
    files: tuple[str, ...] = ()

    @property
    def time(self) -> str:
        """The minutes in words."""
        if self.each:
            return f"{self.minutes} each"
        return str(self.minutes) if self.core is None else f"{self.minutes} (core {self.core})"

    @property
    def short(self) -> int:
        """The minutes of its core, of all of it where it has none."""
        return self.minutes if self.core is None else self.core


@dataclass(frozen=True)
class Plan:
    """A plan for teachers.

    Attributes:
        time: what is to be filled, such as "60 minutes" or "two half days of 4 hours".
        minutes: of one meeting.
        meetings: the lessons of each, such as "05", or "02 core" for a lesson's core alone.
        how: what to do beside them.
    """

    time: str
    minutes: int
    meetings: tuple[tuple[str, ...], ...]
    how: str = ""


@dataclass(frozen=True, repr=False)
class CourseMap(_cards.Shown):
    """All lessons in their order; shows itself as a table with links."""

    lessons: tuple[CourseLesson, ...]
    plans: tuple[Plan, ...] = ()
    address: Address = field(default_factory=Address)

    @property
    def express_minutes(self) -> int:
        """The minutes of the express path: the cores of its lessons."""
        return sum(one.short for one in self.lessons if one.files and one.express)

    def class_minutes(self, plan: Plan) -> tuple[int, ...]:
        """Return the minutes that a class needs for each meeting of a plan, half as much again as one person.

        Raises:
            ValueError: the plan names a lesson that the map does not have, or one to browse.
        """
        return tuple(round(sum(self._minutes(plan, name) for name in one) * CLASS_FACTOR) for one in plan.meetings)

    def _minutes(self, plan: Plan, name: str) -> int:
        number, _, part = name.partition(" ")
        row = next((one for one in self.lessons if one.number == number), None)
        if row is None or row.each or part not in ("", "core"):
            raise ValueError(f'The plan "{plan.time}" names {name!r}; write a lesson such as "05", or "02 core".')
        return row.short if part else row.minutes

    def plans_to_markdown(self) -> str:
        """Return the plans for teachers as a Markdown table, as TEACHING.md has it."""
        lines = ["| time | lessons, and minutes with a class | how |", "|---|---|---|"]
        for plan in self.plans:
            parts = [
                f"{', '.join(names) or 'no lesson'}: {minutes}"
                for names, minutes in zip(plan.meetings, self.class_minutes(plan), strict=True)
            ]
            if len(parts) > 1:
                parts = [f"{number}. {part}" for number, part in enumerate(parts, start=1)]
            lines.append(f"| {plan.time} | {'<br>'.join(parts)} | {plan.how} |")
        return "\n".join(lines)

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
            numbers = ", ".join(one.number for one in express)
            cores = "the cores of " if any(one.core is not None for one in express) else ""
            words += f". The express path, {cores}{numbers}, takes {self.express_minutes} minutes"
            before = [one for one in here if one.number == "00" and not one.express]
            if before:
                words += f"; with lesson 00 before it, {self.express_minutes + before[0].minutes}"
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
        """Return the map as a Markdown table whose links begin with `folder`, as README.md has it.

        Where the course's address is known, each lesson has a badge that launches it.
        """
        launched = bool(self.address.repository)
        lines = ["| | lesson | minutes | afterwards you can |", "|---|---|---|---|"]
        if launched:
            lines = [lines[0] + " launch |", lines[1] + "---|"]
        for one in self.lessons:
            title = f"[{one.title}]({folder}{one.files[0]})" if one.files else one.title
            if len(one.files) > 1:
                title += f" ({', '.join(f'[{_number(name)}]({folder}{name})' for name in one.files)})"
            time = one.time if one.files else f"{one.time}, planned"
            line = f"| {one.number} | {title} | {time} | {one.about[0].lower()}{one.about[1:]} |"
            if launched:
                line += f" {self.address.launch(folder + one.files[0]) if one.files else ''} |"
            lines.append(line)
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
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        numbers = {entry["number"] for entry in table["lesson"]}
        lessons = tuple(
            CourseLesson(**entry, files=_notebooks(folder, entry["number"], numbers)) for entry in table["lesson"]
        )
        plans = tuple(Plan(**{**entry, "meetings": _meetings(entry["meetings"])}) for entry in table.get("plan", ()))
        address = Address(**table.get("address", {}))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{file.name} cannot be read ({type(error).__name__}: {error}). It holds one [[lesson]] for each lesson, "
            "with number, title, minutes, about, core where it has one, and each or express where they are true; and "
            "one [[plan]] for each plan, with time, minutes, meetings (a list of lists of lessons) and how."
        ) from None
    return CourseMap(lessons, plans, address)


def _meetings(entry: list) -> tuple[tuple[str, ...], ...]:
    """Read the meetings of a plan.

    Raises:
        TypeError: they are no list of lists of lessons.
    """
    if not (isinstance(entry, list) and entry and all(isinstance(names, list) for names in entry)):
        raise TypeError("the meetings of a plan are a list of lists of lessons")
    return tuple(map(tuple, entry))


def _notebooks(folder: Path, number: str, numbers: set[str]) -> tuple[str, ...]:
    """Name the notebooks of a lesson, 08a and 08b too for "08" where they have no rows; not a learner's copies."""
    own = re.compile(r"(\d\d[a-z]?)_.+\.ipynb")
    found = [path.name for path in folder.glob(f"{number}*.ipynb") if not _COPY.fullmatch(path.name)]
    parts = {name: match[1] for name in found if (match := own.fullmatch(name))}
    return tuple(sorted(name for name, part in parts.items() if part == number or part not in numbers))


def _number(name: str) -> str:
    return name.split("_")[0]
