"""The headings of the lessons, read from their sources, and the words that stand below each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from helpers import _anchors, questions

__all__ = ["Section", "sections"]

SOURCES = questions.ROOT / "notebooks" / "source"

_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)
_HEADING = re.compile(r"^(#{1,2}) (.+)$")
# Below these a lesson explains nothing of its own.
_NOT = re.compile(
    "Key takeaways|Where next|Your progress|Three ways through|Is everything here|The course map|Pause here|The core"
)


@dataclass(frozen=True)
class Section:
    """A heading of a notebook with what stands below it, up to the next.

    Attributes:
        notebook: the name of the notebook without suffix.
        lesson: the title of the notebook.
        heading: as it stands there; the title itself for what comes before the first heading.
        prose: its text, code in it included.
        code: its cells, without answers to exercises and without notes for teachers.
    """

    notebook: str
    lesson: str
    heading: str
    prose: str
    code: str

    @property
    def words(self) -> str:
        """The heading as it is read, without backticks."""
        return self.heading.replace("`", "")

    @property
    def names(self) -> list[str]:
        """The heading, and what stands there as code."""
        return [self.words, *re.findall(r"`([^`]+)`", self.prose), *self.code.splitlines()]

    @property
    def link(self) -> str:
        """The relative address, from a notebook beside it."""
        return f"{self.notebook}.ipynb#{_anchors.fragment(self.heading)}"


def sections(folder: Path | None = None) -> tuple[Section, ...]:
    """Return the sections of all notebooks, those of the lab too; an empty tuple where the sources are not there."""
    files = sorted((folder or SOURCES).glob("[0-9]*.py"))
    return tuple(one for file in files for one in _of(file, file.stat().st_mtime_ns))


@lru_cache(maxsize=64)
def _of(file: Path, _changed: int) -> tuple[Section, ...]:
    text = file.read_text(encoding="utf-8")
    pieces = _CELL.split(text)[1:]
    found: list[list[str]] = []
    for kind, body in zip(pieces[::2], pieces[1::2], strict=True):
        if '"instructor"' in kind or '"solution"' in kind:
            continue
        if "[markdown]" not in kind:
            if found:
                found[-1][2] += body.split("\n# solution\n")[0]
            continue
        for line in body.strip("\n").splitlines():
            line = line.removeprefix("#").removeprefix(" ")
            if heading := _HEADING.match(line):
                found.append([heading[2].strip(), "", ""])
            elif found:
                found[-1][1] += line + "\n"
    title = found[0][0] if found else ""
    return tuple(Section(file.stem, title, *one) for one in found if not _NOT.match(one[0]))
