"""Write a teacher's run sheet of each lesson into docs/teaching, or say whether they are in step.

    python tools/run_sheets.py            write docs/teaching/NN.md
    python tools/run_sheets.py --check    write nothing; exit 1 when a sheet is out of step

A sheet says nothing of its own. Goals, sections and teaching notes come from notebooks/source, minutes from
tools/minutes.py, predictions from data/lessons, answers to exercises from the source, and the messages from
tests/checks/bank/messages.json: `python -m tests.checks.bank --record` writes there what the checks say to
the likeliest mistakes, which are the first wrong answers of the bank.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from pathlib import Path
from string import ascii_uppercase

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks"), str(ROOT / "tools")]

import build  # noqa: E402
import minutes  # noqa: E402
import projector  # noqa: E402

from helpers import course, questions  # noqa: E402
from helpers.checks._core import LessonProgress  # noqa: E402

FOLDER = ROOT / "docs" / "teaching"
MESSAGES = ROOT / "tests" / "checks" / "bank" / "messages.json"
NOTE = "<!-- written by tools/run_sheets.py from the sources of the lesson: change those, then `make notebooks` -->"


@dataclass
class Section:
    """The cells from one heading `## ...` to the next.

    Attributes:
        title: of the heading; "Opening" for what stands above the first.
        start: minute of a class in which it begins.
    """

    title: str
    start: float
    cells: list[build.Cell] = field(default_factory=list)

    @cached_property
    def clock(self) -> minutes.Clock:
        """The minutes of one person."""
        return minutes.clock(self.cells)

    def named(self, call: str) -> list[str]:
        """Return the predictions or exercises in it, by the call that names them."""
        return [name for cell in self.cells for _, _, found, name in build.named_calls(cell) if found == call]

    @cached_property
    def predictions(self) -> list[str]:
        """Their ids."""
        return self.named("widgets.predict")

    @cached_property
    def exercises(self) -> list[str]:
        """Their ids."""
        return self.named("checks.check")

    def above(self, id: str) -> str:
        """Return what a learner reads above a prediction or an exercise: prose, and code that is short."""
        parts: list[str] = []
        for cell in self.cells:
            named = [
                name for _, _, found, name in build.named_calls(cell) if found in ("widgets.predict", "checks.check")
            ]
            if id in named:
                break
            if named:
                parts = []
            elif cell.tag is None and cell.kind == "markdown":
                parts += projector.for_all(re.sub(r"\A##? .+\n*", "", cell.text))
            elif cell.tag is None and cell.text.count("\n") < projector.CODE_LINES:
                parts.append(f"```python\n{cell.text.strip()}\n```")
        return "\n\n".join(parts)

    @property
    def notes(self) -> list[str]:
        """The teaching notes."""
        return [cell.text for cell in self.cells if cell.tag == "instructor"]


@dataclass(frozen=True)
class Sheet:
    """The run sheet of one lesson.

    Attributes:
        lesson: its source.
        row: its place in the course map.
        messages: the likeliest messages of each check, as `--record` writes them.
        earlier: the sheets of the parts before it, which share its texts: of 03 for 03b.
    """

    lesson: build.Lesson
    row: course.CourseLesson
    messages: dict[str, list[dict]]
    earlier: tuple[Sheet, ...] = ()

    @cached_property
    def sections(self) -> list[Section]:
        """All sections in their order."""
        found = [Section("Opening", 0.0)]
        for cell in self.lesson.cells:
            title = minutes.heading(cell)
            if title is not None:
                last = found[-1]
                found.append(Section(title, last.start + course.CLASS_FACTOR * last.clock.all))
            found[-1].cells.append(cell)
        return found

    @property
    def title(self) -> str:
        """The lesson's title."""
        return re.match(r"# (.+)", self.lesson.cells[0].text)[1]

    @property
    def core_end(self) -> int | None:
        """The place of the section that ends the core; None where no core is marked."""
        titles = [one.title for one in self.sections]
        return titles.index(minutes.CORE_END) if minutes.CORE_END in titles else None

    @property
    def predictions(self) -> list[str]:
        """The ids of all predictions."""
        return [id for one in self.sections for id in one.predictions]

    @property
    def exercises(self) -> list[str]:
        """The ids of all exercises."""
        return [id for one in self.sections for id in one.exercises]

    @property
    def class_minutes(self) -> tuple[int | None, int]:
        """Minutes that a class takes for the core, where there is one, and for all."""
        last, core = self.sections[-1], self.core_end
        core_minutes = None if core is None else round(self.sections[core].start)
        return core_minutes, round(last.start + course.CLASS_FACTOR * last.clock.all)

    def to_markdown(self) -> str:
        """Return the whole page."""
        parts = [
            f"{NOTE}\n# {self.lesson.number} {self.title}",
            f"Run sheet for a teacher. The [notebook](../../notebooks/{self.lesson.name}.ipynb), the same "
            f"[with answers](../../notebooks/solutions/{self.lesson.name}.ipynb), [how to teach](../../TEACHING.md). "
            f'For the projector: `make projector LESSONS="{self.lesson.number}"`.',
            self._opening(),
            self._clock(),
            self._cuts(),
            self._read_out(),
            self._notes(),
            self._predictions(),
            self._exercises(),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _opening(self) -> str:
        text = self.lesson.cells[0].text
        found = re.findall(r"^\*\*(You will|You need)\*\* (.+?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        names = {"You will": "Goals, in the words of the lesson: you will", "You need": "Needed:"}
        # What ends with a colon leads to the lesson's line of minutes.
        lines = [f"**{names[key]}** {_line(re.sub('[^.]*:$', '', _linked(words)))}" for key, words in found]
        return "\n\n".join(lines)

    def _clock(self) -> str:
        rows = [
            "## The clock",
            f"Minutes of a class: those of one person, measured, times {course.CLASS_FACTOR}, and rounded; `-` is less "
            "than half of one.",
            "| from | | read | predict | run | exercise |\n|--:|---|--:|--:|--:|--:|",
        ]
        table, total = [], minutes.Clock()
        for place, one in enumerate(self.sections):
            if place == self.core_end:
                table.append(_clock_row("", "**core**", total))
            total += one.clock
            table.append(_clock_row(str(round(one.start)), _named(one), one.clock))
        table.append(_clock_row("", "**all**", total))
        return "\n\n".join(rows) + "\n" + "\n".join(table)

    def _cuts(self) -> str:
        if self.row.each:
            return "## What to cut\n\nTake the troubles that your class has; each stands alone below the tools."
        beyond = self.sections if self.core_end is None else self.sections[self.core_end + 1 :]
        lines = ["## What to cut", "No core is marked."]
        if self.core_end is not None:
            core, whole = self.class_minutes
            lines[1] = f"The core ends at minute {core}; what stands below it, to minute {whole}, can be left out."
            asked = [f"*{one.title}* ({_spent(one)})" for one in beyond if one.predictions]
            lines += [f"With some time left, take what has a prediction: {', '.join(asked)}."] if asked else []
        optional = [f"*{one.title}* ({_spent(one)})" for one in beyond if one.title.startswith("Optional")]
        home = [f"{id} ({_spent(one)})" for one in reversed(beyond) for id in one.exercises]
        lines += [f"Leave out first, with its minutes: {', '.join(optional)}."] if optional else []
        lines += [f"Exercises for home, the last first, with their minutes: {', '.join(home)}."] if home else []
        lines += ["Keep the predictions. Run the cells of what you skip: later ones use them."]
        return f"{lines[0]}\n\n{' '.join(lines[1:])}"

    def _read_out(self) -> str:
        """Say which progress code those have who are done with this notebook, and with the parts before it."""
        told = f"Whoever is done reads out, from `checks.code()`: **{self._code(self.sections)}**."
        if self.core_end is not None:
            told += f" Done with the core alone: **{self._code(self.sections[: self.core_end])}**."
        texts = questions.load(self.lesson.number)
        if {*texts.exercises, *texts.predictions} - {*self.exercises, *self.predictions}:
            told += f" The parts of lesson {texts.id} count together."
        return told

    def _code(self, sections: list[Section]) -> str:
        texts = questions.load(self.lesson.number)
        done = [*(section for part in self.earlier for section in part.sections), *sections]
        return LessonProgress(
            lesson=texts.id,
            title=texts.title,
            solved=tuple(id for one in done for id in one.exercises),
            exercises=tuple(texts.exercises),
            predicted=tuple(id for one in done for id in one.predictions),
            predictions=tuple(texts.predictions),
            predicted_right=0,
        ).code

    def _notes(self) -> str:
        notes = [(one.title, note) for one in self.sections for note in one.notes]
        if not notes:
            return ""
        return "## Notes\n\n" + "\n".join(f"- *{title}*: {_line(_linked(note))}" for title, note in notes)

    def _predictions(self) -> str:
        asked = [(one, id) for one in self.sections for id in one.predictions]
        if not asked:
            return ""
        return "\n\n".join(["## Predictions and their key", *(_prediction(one, id) for one, id in asked)])

    def _exercises(self) -> str:
        if not self.exercises:
            return ""
        cells = [cell for cell in self.lesson.cells if cell.tag == "exercise"]
        answers = {build.exercise_name(cell): build.cut(cell.text)[1] for cell in cells}
        parts = [self._exercise(one, id, answers[id]) for one in self.sections for id in one.exercises]
        return "\n\n".join(["## Exercises and their key", *parts])

    def _exercise(self, section: Section, id: str, answer: str) -> str:
        texts = questions.exercise(id)
        lines = [f"### {id} {texts.title}", f"Minute {round(section.start)}.", section.above(id), "One answer:"]
        lines += [f"```python\n{answer}\n```", _line(texts.reason)]
        likely = self.messages.get(id)
        if likely is None:
            raise ValueError(
                f"{build.shown(MESSAGES)} has no messages for {id}: python -m tests.checks.bank --record {id}"
            )
        lines += [f"Likely: {one['mistake']}. The check says:\n\n{_quoted(one['says'])}" for one in likely]
        return "\n\n".join(lines)


def _prediction(section: Section, id: str) -> str:
    asked = questions.prediction(id)
    lines = [
        f"### {id}: {ascii_uppercase[asked.right]}",
        f"Minute {round(section.start)}.",
        *filter(None, [section.above(id)]),
        f"**Question:** {_line(asked.question)}",
        "| | answer | what to say to it |\n|---|---|---|",
    ]
    for letter, answer in zip(ascii_uppercase, asked.answers, strict=False):
        name, text = (
            (f"**{letter}**", f"**right:** {_cell(answer.text)}") if answer.right else (letter, _cell(answer.text))
        )
        lines[-1] += f"\n| {name} | {text} | {_cell(answer.feedback)} |"
    # In the order of the card and of the projector: the sentence is asked for before the reason is shown.
    lines += [f"First each writes one sentence: *{_line(asked.ask)}* Then the reason:"] if asked.ask else []
    lines += [_line(asked.explain)] if asked.explain else []
    return "\n\n".join(lines)


def _clock_row(start: str, what: str, spent: minutes.Clock) -> str:
    parts = [getattr(spent, one.name) * course.CLASS_FACTOR for one in fields(spent)]
    return f"| {start} | {what} | " + " | ".join(map(_rounded, parts)) + " |"


def _rounded(spent: float) -> str:
    return str(round(spent)) if spent > 0.5 else "-" if spent else ""


def _named(section: Section) -> str:
    """Return the title of a section with what it asks, in bold."""
    title = _cell(section.title)
    for id in (*section.predictions, *section.exercises):
        title = title.replace(id, f"**{id}**") if id in title else f"{title} **{id}**"
    return title


def _spent(section: Section) -> int:
    return round(section.clock.all * course.CLASS_FACTOR)


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    """Return text for a cell of a table, where a bar would begin the next."""
    return _line(text).replace("|", "\\|")


def _linked(text: str) -> str:
    """Return prose of a notebook with links that lead to the same lessons from the sheet, and without claims."""
    return re.sub(r"\]\((?=\d\d[a-z]?_\w+\.ipynb)", "](../../notebooks/", build.CLAIM.sub("", text))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


@cache
def sheets() -> list[Sheet]:
    """Read all lessons, once in a process, and return their sheets in order.

    Raises:
        build.SourceError: a source has faults.
        ValueError: the course map lacks a lesson.
    """
    rows = {row.number: row for row in course.course_map().lessons}
    messages = json.loads(MESSAGES.read_text(encoding="utf-8"))
    found: list[Sheet] = []
    for path in build.sources(build.HERE):
        lesson = build.read_lesson(path)
        row = rows.get(lesson.number) or rows.get(lesson.number[:2])
        if row is None:
            raise ValueError(f"data/course.toml has no lesson {lesson.number}.")
        home = questions.home(lesson.number)
        earlier = tuple(one for one in found if questions.home(one.lesson.number) == home)
        found.append(Sheet(lesson, row, messages, earlier))
    return found


def index() -> str:
    """Return the table of all sheets, as TEACHING.md has it; minutes are those of a class."""
    lines = ["| run sheet | core | all | predictions | exercises |", "|---|--:|--:|--:|--:|"]
    for one in sheets():
        core, whole = one.class_minutes
        whole = f"{round(course.CLASS_FACTOR * one.row.minutes)} each" if one.row.each else whole
        counts = (len(one.predictions) or "", len(one.exercises) or "")
        link = f"[{one.lesson.number} {one.title}](docs/teaching/{one.lesson.number}.md)"
        lines.append(f"| {link} | {core or ''} | {whole} | {counts[0]} | {counts[1]} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, write or check, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a sheet is out of step")
    options = parser.parse_args(arguments)
    try:
        wanted = {FOLDER / f"{one.lesson.number}.md": one.to_markdown() for one in sheets()}
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    there = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))
    for path in stale:
        if options.check:
            print(f"{build.shown(path)} is out of step with its lesson: `make notebooks` writes it again.")
        elif path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
            print(f"{build.shown(path)}: written.")
        else:
            path.unlink()
            print(f"{build.shown(path)}: removed, since it has no lesson.")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
