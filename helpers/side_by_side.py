"""Show two trainings side by side, the wrong one and the right one, with the same questions asked of both."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers import _cards, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SideBySide", "side_by_side"]


class SideBySide(_cards.Shown):
    """A table of two columns; made by `side_by_side`."""

    def __init__(
        self, wrong: Mapping[str, object], right: Mapping[str, object], pictures: tuple[Figure, ...] = ()
    ) -> None:
        self.rows = tuple((name, str(wrong[name]), str(right[name])) for name in wrong)
        self.pictures = pictures

    def __str__(self) -> str:
        rows = [("", "wrong", "right"), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *(picture.alt_text for picture in self.pictures)])

    def to_html(self) -> str:
        """Return the table as HTML, the pictures in its last row."""
        cell = "text-align:left;vertical-align:top;padding:3px 14px 3px 0;white-space:normal"
        head = f'<td style="{cell}"></td>'
        for word, kind in (("Wrong", "bad"), ("Right", "good")):
            head += f'<th scope="col" style="{cell};border-top:4px solid {_cards.COLOURS[kind]}">{word}</th>'
        body = ""
        for name, *values in self.rows:
            body += f'<tr><th scope="row" style="{cell};font-weight:400">{_cards.inline(name)}</th>'
            body += "".join(f'<td style="{cell}">{html.escape(value)}</td>' for value in values) + "</tr>"
        if self.pictures:
            images = (f'<td style="{cell}">{style.figure_html(picture)}</td>' for picture in self.pictures)
            body += f'<tr><td style="{cell}"></td>{"".join(images)}</tr>'
        return f'<table style="margin:4px 0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def side_by_side(
    wrong: Mapping[str, object], right: Mapping[str, object], *, pictures: tuple[Figure, Figure] | tuple[()] = ()
) -> SideBySide:
    """Put two trainings beside each other; as the last line of a cell it shows a table.

    Args:
        wrong: What is asked, and what the wrong one gives.
        right: The same questions, and what the right one gives.
        pictures: One figure for each, with alt text; 360 pixels wide fit into a notebook.

    Raises:
        ValueError: if the two were not asked the same, or there is not one picture for each.
    """
    if list(wrong) != list(right):
        raise ValueError(f"Ask both the same, in the same order: {', '.join(wrong)} against {', '.join(right)}.")
    if len(pictures) not in (0, 2):
        raise ValueError(f"Give two pictures, the wrong one first, or none; got {len(pictures)}.")
    return SideBySide(wrong, right, tuple(pictures))
