"""Labels that cover neither a curve nor each other: rows of text above the axes, tied to their place by a line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from helpers import style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# In pixels at 100 dots per inch: height of a row, space between two labels, space between a line and its label.
ROW, GAP, STEP = 16.0, 8.0, 4.0


@dataclass(frozen=True)
class Label:
    """A text for a place on the x axis.

    Attributes:
        x: In data units.
        text: What it says.
        color: Of the text and its line.
        sides: In order of preference: "left" or "right" of its line, "centre" over it.
        line: Style of the line that ties it to its place, None for no line.
        width: Of the line, in points.
        bottom: Where the line begins, as a fraction of the axes' height.
        gid: Of the line.
        italic: Whether the text is slanted.
    """

    x: float
    text: str
    color: str
    sides: tuple[str, ...] = ("right", "left")
    line: Any = None
    width: float = 1.0
    bottom: float = 1.0
    gid: str | None = None
    italic: bool = False


def place_labels(axes: Axes, labels: list[Label], *, rows: int = 3) -> list[Artist]:
    """Write labels above the axes, each as low as it fits.

    Args:
        axes: Axes with final limits and position, whose figure has an Agg canvas.
        labels: In order of importance.
        rows: Rows that there is room for; a text that fits nowhere is left out.

    Returns:
        The artists, lines before texts.
    """
    box, unit = axes.get_window_extent(), axes.figure.dpi / 100
    boxes, places = _layout(axes, labels, rows)
    lines: list[Artist] = []
    placed: list[Artist] = []
    for spot, place in zip(boxes, places, strict=True):
        label, top = spot.label, 1.0
        if place is not None:
            row, start = place
            top += (row * ROW + 15) * unit / box.height
            look = {"color": label.color, "fontsize": style.FONT, "fontstyle": "italic" if label.italic else "normal"}
            shift = ((start - spot.at) / unit, 3 + row * ROW)
            placed.append(write(axes, (label.x, 1.0), label.text, shift, va="bottom", **look))
        if label.line is not None:
            lines.append(_stem(axes, label, top))
    return [*lines, *placed]


def rows_needed(axes: Axes, labels: list[Label], *, rows: int = 3) -> int:
    """Return how many rows `place_labels` will use of those it may use; the axes' height does not matter."""
    _, places = _layout(axes, labels, rows)
    return max((place[0] + 1 for place in places if place is not None), default=0)


def _layout(axes: Axes, labels: list[Label], rows: int) -> tuple[list[_Box], list[tuple[int, float] | None]]:
    """Measure the labels and find their rows and places."""
    renderer = axes.figure.canvas.get_renderer()
    box = axes.get_window_extent()
    unit = axes.figure.dpi / 100
    limits = (box.x0, axes.figure.bbox.x1 - 4 * unit)
    boxes = [
        _Box(label, axes.transData.transform((label.x, 0.0))[0], text_width(renderer, label.text, label.italic))
        for label in labels
    ]
    return boxes, _arrange(boxes, rows, unit, limits)


def write(
    axes: Axes, place: tuple[float, float], text: str, shift: tuple[float, float], *, side: bool = False, **looks: Any
) -> Artist:
    """Write a text near a place, outside of the axes too.

    Args:
        axes: The axes.
        place: x in data units (or a fraction of the axes' width, with `side`), y as a fraction of the axes' height.
        text: What to write.
        shift: From there, in pixels at 100 dots per inch, right and up.
        side: Whether x is a fraction.
        looks: For matplotlib's `Text`.
    """
    from matplotlib.transforms import ScaledTranslation

    base = axes.transAxes if side else axes.get_xaxis_transform()
    moved = base + ScaledTranslation(shift[0] / 100, shift[1] / 100, axes.figure.dpi_scale_trans)
    looks = {"ha": "left", "va": "center", "zorder": 6, "clip_on": False, **looks}
    return axes.text(*place, text, transform=moved, **looks)


def text_width(renderer: Any, text: str, italic: bool = False) -> float:
    """Measure a text in pixels; far quicker than making a `Text` and asking it."""
    return renderer.get_text_width_height_descent(text, _font(italic), False)[0]


@cache
def _font(italic: bool) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=style.FONT, style="italic" if italic else "normal")


@dataclass(frozen=True)
class _Box:
    """A label with the pixels that it needs."""

    label: Label
    at: float
    width: float

    def starts(self, row: int, unit: float, limits: tuple[float, float]) -> list[float]:
        """Return where the text may begin in a row, the preferred place first."""
        # The highest number of the y axis reaches up beside the first row; the others may begin farther left.
        limits = (limits[0] - (50 * unit if row else 4 * unit), limits[1])
        places = {
            "right": self.at + STEP * unit,
            "left": self.at - STEP * unit - self.width,
            "centre": min(max(self.at - self.width / 2, limits[0]), limits[1] - self.width),
        }
        starts = [places[side] for side in self.label.sides]
        return [start for start in starts if limits[0] <= start and start + self.width <= limits[1]]


def _arrange(boxes: list[_Box], rows: int, unit: float, limits: tuple[float, float]) -> list[tuple[int, float] | None]:
    """Return row and start of each text: tied texts by trying all ways, the cheapest first, then the others."""
    tied = [box for box in boxes if box.label.line is not None]
    found: dict[int, tuple[int, float]] = {}
    while tied:
        options = [
            [
                (row, start, row * 2 + side)
                for row in range(rows)
                for side, start in enumerate(box.starts(row, unit, limits))
            ]
            for box in tied
        ]
        ways = sorted(itertools.product(*options), key=lambda way: sum(cost for *_, cost in way))
        way = next((way for way in ways if _clear(tied, way, unit)), None)
        if way is not None:
            found = {id(box): choice[:2] for box, choice in zip(tied, way, strict=True)}
            break
        # No way for all of them: the least important one goes without a text.
        tied = tied[:-1]
    for box in boxes:
        if box.label.line is not None:
            continue
        others = [other for other in boxes if id(other) in found]
        choices = [(row, start) for row in range(rows) for start in box.starts(row, unit, limits)]
        for row, start in choices:
            group = [*others, box]
            way = [*((*found[id(other)], 0) for other in others), (row, start, 0)]
            if _clear(group, way, unit):
                found[id(box)] = (row, start)
                break
    return [found.get(id(box)) for box in boxes]


def _clear(boxes: list[_Box], way: Iterable[tuple[int, float, int]], unit: float) -> bool:
    """Return whether no text touches another one or another label's line."""
    spots = [(box, row, start, start + box.width) for box, (row, start, _) in zip(boxes, way, strict=True)]
    for (_, row_a, start_a, end_a), (box, row_b, start_b, end_b) in itertools.permutations(spots, 2):
        if row_a == row_b and start_a < end_b + GAP * unit and start_b < end_a + GAP * unit:
            return False
        if box.label.line is not None and row_b >= row_a and start_a - 2 * unit < box.at < end_a + 2 * unit:
            return False
    return True


def _stem(axes: Axes, label: Label, top: float) -> Artist:
    """Draw the line that ties a label to its place."""
    from matplotlib.lines import Line2D

    stem = Line2D(
        [label.x, label.x], [label.bottom, top], color=label.color, linestyle=label.line,
        linewidth=label.width, zorder=2.8, gid=label.gid, transform=axes.get_xaxis_transform(), clip_on=False,
    )  # fmt: skip
    axes.add_artist(stem)
    stem.set_clip_path(None)
    return stem
