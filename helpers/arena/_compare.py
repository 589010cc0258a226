"""A table of many reports, for the projector."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from helpers import _cards

from . import _score, _store
from ._report import Report

__all__ = ["Comparison", "compare"]

_SHORT = {"quality": "quality", "epochs": "epochs", "peak": "peak", "end": "end", "kill": "kill", "nan": "NaN",
          "resumed": "resumed"}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Comparison(_cards.Shown):
    """Reports side by side, the best first.

    Attributes:
        rows: whose report (the file, or the folder it lies in), and the report.
        problems: a sentence for each file that was no report.
    """

    rows: tuple[tuple[str, Report], ...]
    problems: tuple[str, ...] = ()

    def _cells(self) -> list[list[str]]:
        head = [
            "",
            "who",
            "round",
            "score",
            "spread",
            *(f"{_SHORT[key]} ({most})" for key, most in _score.MOST.items()),
        ]
        return [head, *(
            [str(place), who, report.name, f"{report.score:.0f}", f"{report.spread:.0f}",
             *(f"{part.points:.0f}" for part in report.parts)]
            for place, (who, report) in enumerate(self.rows, 1)
        )]  # fmt: skip

    def _last(self) -> str:
        if not self.rows:
            return "There is no report in this folder. `report.save(path)` writes one."
        noise = max(report.noise for _, report in self.rows)
        return f"Scores that are less than {noise:.0f} points apart may differ by chance."

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        lines = [
            "  ".join(text.ljust(width) if column in (1, 2) else text.rjust(width)
                      for column, (text, width) in enumerate(zip(row, widths, strict=True))).rstrip()
            for row in cells
        ]  # fmt: skip
        return "\n".join([*(lines if self.rows else []), self._last(), *self.problems])

    def to_html(self) -> str:
        """Return the table as HTML, large enough for the back row."""
        head, *body = self._cells()
        style = "padding:4px 12px;text-align:left;font-size:1.2em"
        top = "".join(f'<th scope="col" style="{style}">{html.escape(text) or "place"}</th>' for text in head)
        rows = "".join(
            "<tr>" + "".join(f'<td style="{style}">{html.escape(text)}</td>' for text in row) + "</tr>" for row in body
        )
        table = f"<table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>" if self.rows else ""
        words = "".join(_cards.paragraphs(text) for text in (self._last(), *self.problems))
        return _cards.card("The reports of everybody", table + words, "note", width="none")


def compare(folder: str | Path) -> Comparison:
    """Read the reports in a folder and those below it, and return a table of them, the best first.

    Whose report it is, is told by the name of its file, or of its folder where the files have numbers for names (as in
    a learner's own folder of reports).

    Args:
        folder: where the JSON files lie that `report.save(path)` wrote.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise FileNotFoundError(f"{place} is no folder. arena.compare takes the folder in which the reports lie.")
    found, problems = _store.read_all(place)
    rows = [(path.parent.name if path.stem.isdigit() else path.stem, report) for path, report in found]
    return Comparison(tuple(sorted(rows, key=lambda row: -row[1].score)), tuple(problems))
