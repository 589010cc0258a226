"""The two programs behind the walls, and what they tell. What the first one tells is held to its form."""

from __future__ import annotations

import itertools
import json
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import assignment, course
from .limits import Budget, Ended, watched
from .sandbox import Sandbox, environment

__all__ = ["Behind", "Told", "read_told"]

_LARGEST = 100_000_000


@dataclass(frozen=True)
class Told:
    """What a run told.

    Attributes:
        ended: why it broke off, or nothing.
        ended_in: the number of the cell in which it did; None where that is no matter of one cell.
        outputs: of cells, by their numbers as text.
        runs: id, source and error (type and text, or None) of each cell that ran, in order.
        stopped: the numbers of cells that took too long.
        notes: what the teacher should know.
    """

    ended: str = ""
    ended_in: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    runs: tuple[tuple[str, str, list[str] | None], ...] = ()
    stopped: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


class Behind:
    """What happens behind the walls for one submission, each time with the course as it was when grading began.

    Args:
        walls: to run behind.
        box: the folder that it may write to.
        hidden: the folder of the class, of which nothing is seen.
        budget: for each of the programs.
    """

    def __init__(self, walls: Sandbox, box: Path, hidden: Path, budget: Budget):
        self._walls, self._box, self._hidden, self._budget = walls, box, hidden, budget
        self._changed = set(course.changed())
        self.cpu = 0.0  # processor seconds of all so far

    def _watched(self, module: str, *more: str, said: str = "") -> Ended:
        root = assignment.ROOT
        if self._walls.kind == "none":  # what one of them writes into its copy is gone with it
            root = course.copy_to(self._box.with_name(module))
        program = [sys.executable, "-m", f"tools.grading.{module}", str(self._box), *more]
        command = self._walls.command(program, self._box, [self._hidden])
        ended = watched(command, environment(self._box, root), root, self._budget, said)
        self.cpu += ended.cpu
        return ended

    def run(self) -> Told:
        """Run the notebook in the box."""
        ran = self._watched("run", json.dumps(self._budget.as_dict()))
        wrote = _read_plain(self._box / "wrote.txt").splitlines()
        notes = tuple(sorted({line[:200] for line in wrote}))[:5]
        if ran.killed:
            return Told(f"the notebook {ran.killed}", notes=notes)
        return read_told(_read_plain(self._box / "executed.json"), notes)

    def judge(self, checks: list[tuple[str, str]], runs: tuple) -> dict[str, dict[str, Any]]:
        """Judge the answers that the run packed; return for each exercise a verdict, or `why` there is none.

        Args:
            checks: exercise and source of each check.
            runs: as `Told` has them; without any nothing is judged.
        """
        tasks = []
        for exercise, source in checks:
            if not runs or not (self._box / "answers" / f"{exercise}.pickle").exists():
                continue
            before = list(itertools.takewhile(lambda run, source=source: run[1] != source, runs))
            tasks.append({"exercise": exercise, "source": source, "runs": before,
                          "expression": assignment.answer_code(source)})  # fmt: skip
        if not tasks:
            return {}
        names = [task["exercise"] for task in tasks]
        ran = self._watched("judge", said=json.dumps({"tasks": tasks, "memory": self._budget.memory}))
        try:
            return dict(zip(names, json.loads(ran.printed), strict=True))
        except (ValueError, TypeError):
            why = f"judging it {ran.killed}" if ran.killed else "an answer ended the judge"
            return {name: {"why": why} for name in names}

    def changed(self) -> list[str]:
        """Say which files of the course changed meanwhile. Behind walls somebody else did it: the disk is read-only."""
        if self._walls.kind != "none":
            return []
        return [
            f"while it ran, {name} of the course was changed" for name in course.changed() if name not in self._changed
        ]


def read_told(text: str, notes: tuple[str, ...] = ()) -> Told:
    """Read what a run wrote down; whatever has not its form is taken for a run that was ended."""
    try:
        raw = json.loads(text)
        number, how = raw["ended"] or (-1, "")
        replaced = [str(name)[:80] for name in raw["replaced"]][:3]
        runs = tuple((str(cell), str(source), error and [str(part) for part in error[:2]])
                     for cell, source, error in raw["runs"])  # fmt: skip
        return Told(
            ended=str(how)[:300],
            ended_in=int(number) if int(number) >= 0 else None,
            outputs=dict(raw["outputs"]),
            runs=runs,
            stopped=tuple(int(one) for one in raw["stopped"]),
            notes=(*notes, *([f"replaced {', '.join(replaced)}, in vain"] if replaced else [])),
        )
    except (ValueError, TypeError, KeyError):
        return Told("the notebook ended the program that ran it", notes=notes)


def _read_plain(path: Path) -> str:
    """Read a file that may be anything: a link out of the box, a pipe without end, or missing."""
    try:
        seen = path.lstat()
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > _LARGEST:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
