"""Every figure of the lessons, drawn again from what a run of the lessons recorded, and questions about them.

`figures.json` holds what each figure was drawn from; `python -m tests.figures` runs the lessons and writes it anew.
`questions.toml` asks what a lesson asks of its figure. `facts` answers twice: from the numbers, and by reading the
figure's text twin. Nothing here imports Keras.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from helpers import arena, history, plots, words
from helpers.explored import Explored, Settings
from helpers.plots import _owners

RECORDED = Path(__file__).with_name("figures.json")
QUESTIONS = Path(__file__).with_name("questions.toml")


@dataclass(frozen=True)
class Figure:
    """One figure of a lesson.

    Attributes:
        lesson: Its number, such as `"05b"`.
        number: Which of the lesson's figures it is, from 1.
        kind: The function that drew it.
        data: What it was drawn from, as recorded.
        said: Its alt text.
        table: The rows of its table, the head first; empty if it has none.
        drawn: Matplotlib's figure; None for the explorer, which the browser draws.
    """

    lesson: str
    number: int
    kind: str
    data: dict[str, Any] = field(repr=False)
    said: str
    table: list[list[str]] = field(repr=False)
    drawn: Any = field(default=None, repr=False)

    def cell(self, row: str, column: str) -> str:
        """Return what the table says in a row, named by its first cell, and a column."""
        place = self.table[0].index(column)
        return next(cells[place] for cells in self.table[1:] if cells[0] == row)

    def column(self, name: str) -> list[str]:
        """Return a column of the table without its head."""
        return [cells[self.table[0].index(name)] for cells in self.table[1:]]


@cache
def figures() -> dict[tuple[str, int], Figure]:
    """Draw all figures; by lesson and number."""
    found = [_figure(**entry) for entry in json.loads(RECORDED.read_text(encoding="utf-8"))]
    return {(figure.lesson, figure.number): figure for figure in found}


def _figure(lesson: str, number: int, kind: str, data: dict[str, Any]) -> Figure:
    if kind == "explorer":
        run, patience = history.read_history(data["history"]), data["patience"]
        seen = Explored(run, settings=Settings(restore_best_weights=data["restores"]), least=patience)
        # The picture's alt text, and the sentence that stands above it.
        said = words.plain(f"{seen.twin(patience)} {seen.sentence(patience)} {seen.said}")
        return Figure(lesson, number, kind, data, said, seen.rows(seen.telling()))
    drawn = _DRAW[kind](data)
    return Figure(lesson, number, kind, data, drawn.alt_text, getattr(drawn, "table", []), drawn)


def _curves(data: dict[str, Any]) -> Any:
    saves = data["saves"]
    saves = SimpleNamespace(**saves) if isinstance(saves, dict) else saves
    return plots.learning_curves(data["history"], stopping=_stopping(data), saves=saves, **data["rest"])


def _waits(data: dict[str, Any]) -> Any:
    return plots.wait_counter(data["history"], stopping=_stopping(data), **data["rest"])


def _hooks(data: dict[str, Any]) -> Any:
    return plots.hook_timeline([SimpleNamespace(**event) for event in data["events"]], **data["rest"])


def _trade_off(data: dict[str, Any]) -> Any:
    lists = {name: np.array(values) for name, values in data["lists"].items()}
    return plots.trade_off(data["patience"], lists.pop("epochs"), lists.pop("missed"), **lists, **data["rest"])


def _stopping(data: dict[str, Any]) -> Any:
    # Of the copy of weights only its being there counts.
    kept = data["stopping"]
    return None if kept is None else SimpleNamespace(**kept, best_weights=[] if kept["restore_best_weights"] else None)


_DRAW = {
    "learning_curves": _curves,
    "wait_counter": _waits,
    "hook_timeline": _hooks,
    "trade_off": _trade_off,
    "owners": lambda data: _owners.draw(_owners.Owners(**data["held"]), data["title"]),
    "arena": lambda data: plots.arena([arena.recordings()[name] for name in data["recorded"]], title=data["title"]),
}
