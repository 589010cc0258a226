"""The look of every picture in the course, and the one way to show a picture.

Colours go by meaning, and never alone: each meaning also has its own marker, line style or hatching, so that a
picture still reads on a grey print and by people who do not tell the colours apart. The colours differ in lightness
too. Texts in these colours keep a contrast of at least 4.5 to 1 on white, and everything that means something 3 to 1.

Nothing here uses `pyplot` or changes matplotlib's global settings, so pictures may be drawn in any thread.
Matplotlib itself is imported when the first figure is made, which keeps `import` quick.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "DARK",
    "FONT",
    "GRID",
    "INK",
    "MARKS",
    "PAPER",
    "QUIET",
    "Mark",
    "dress",
    "figure",
    "figure_html",
    "img_html",
    "png",
    "show",
    "table_html",
]

INK = "#1f2328"
QUIET = "#59636e"
GRID = "#e4e7eb"
PAPER = "#ffffff"
# A picture is drawn once, for white paper; in a dark theme of JupyterLab and Notebook 7 light and dark change places,
# and the hues stay.
DARK = '<style>[data-jp-theme-light="false"] .course-figure {filter: invert(0.92) hue-rotate(180deg)}</style>'
# Points; at 100 dots per inch 9 points are 12.5 pixels.
FONT = 9.0
_DPI = 100


@dataclass(frozen=True)
class Mark:
    """How one meaning looks.

    Attributes:
        color: Of lines, markers and the text that names them.
        marker: Matplotlib's name of the marker, "" for none.
        linestyle: Matplotlib's line style, "" for none.
        linewidth: In points.
        hatch: Matplotlib's hatching of areas, "" for none.
        fill: Colour of areas, "" for none.
    """

    color: str
    marker: str = ""
    linestyle: Any = "-"
    linewidth: float = 1.6
    hatch: str = ""
    fill: str = ""


MARKS: dict[str, Mark] = {
    "train": Mark("#b35309", linestyle=(0, (4, 1.6)), linewidth=1.6),
    "validation": Mark("#0a58a6", marker="o", linestyle="-", linewidth=2.2),
    "best": Mark("#0b6b3a", marker="*", linestyle=(0, (1, 1.6)), linewidth=1.4),
    "stop": Mark("#9b1239", marker="X", linestyle="-", linewidth=1.8),
    "patience_window": Mark("#7a4b00", linestyle="-", linewidth=1.2, hatch="////", fill="#fdf0cf"),
    "saved": Mark("#5b3a9e", marker="s", linestyle="", fill="#5b3a9e"),
    "kept": Mark(INK, marker="o", linestyle="", linewidth=1.8),
    "ghost": Mark("#8b939d", linestyle="-", linewidth=1.2),
}


def figure(width: int = 640, height: int = 400) -> Figure:
    """Make an empty figure in the house style.

    Args:
        width: In pixels, as it will stand on the page.
        height: In pixels.

    Returns:
        A `Figure` of its own, unknown to `pyplot`. Give it an `alt_text` before it is shown.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    picture = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=PAPER)
    # The canvas gives a renderer, which is needed to measure texts before anything is drawn.
    FigureCanvasAgg(picture)
    return picture


def dress(axes: Axes, *, grid: str = "y") -> None:
    """Give axes the house style: no box, quiet ticks, a light grid behind everything.

    Args:
        axes: The axes to change.
        grid: `"x"`, `"y"`, `"both"` or `""` for none.
    """
    axes.set_facecolor(PAPER)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=QUIET, linewidth=0.8, zorder=1.5)
    axes.tick_params(colors=QUIET, labelcolor=INK, labelsize=FONT, length=3, width=0.8)
    for text in (axes.xaxis.label, axes.yaxis.label):
        text.set(color=INK, size=FONT)
    if grid:
        axes.grid(True, axis=grid, color=GRID, linewidth=0.8, linestyle="-")


def png(figure: Figure, *, scale: float = 2.0) -> bytes:
    """Draw a figure as PNG.

    Args:
        figure: The figure.
        scale: Pixels in the file for one pixel on the page; 2 stays sharp on dense screens and projectors.
    """
    buffer = io.BytesIO()
    # "Software" would carry the release of matplotlib into every file, and with it a needless difference.
    figure.savefig(buffer, format="png", dpi=_DPI * scale, facecolor=PAPER, metadata={"Software": None})
    return buffer.getvalue()


def img_html(figure: Figure, alt: str | None = None, *, width: int | None = None, scale: float = 2.0) -> str:
    """Return a figure as an HTML `<img>` that holds the picture and its text twin.

    JupyterLab and nbconvert drop alt texts given as metadata; an attribute in HTML is kept by both.

    Args:
        figure: The figure.
        alt: What the picture says; None takes `figure.alt_text`, which the functions of `helpers.plots` set.
        width: In pixels on the page; None takes the figure's own. Narrow pages shrink it.
        scale: As in `png`.

    Raises:
        ValueError: If there is no alt text.
    """
    text = _alt(figure, alt)
    pixels = round(figure.get_figwidth() * _DPI) if width is None else int(width)
    data = base64.b64encode(png(figure, scale=scale)).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(text, quote=True)}" width="{pixels}" '
        f'class="course-figure" style="max-width: 100%; height: auto">{DARK}'
    )


def show(figure: Figure, *, alt: str | None = None, width: int | None = None) -> None:
    """Display a figure in a notebook, with its text twin as alt text and, if it has one, its table below.

    Args:
        figure: As in `figure_html`, and so are the others.
        alt: What the picture says.
        width: In pixels on the page.

    Raises:
        ValueError: If there is no alt text.
    """
    from IPython.display import display

    text = _alt(figure, alt)
    display({"text/html": figure_html(figure, text, width=width), "text/plain": text}, raw=True)


def figure_html(figure: Figure, alt: str | None = None, *, width: int | None = None) -> str:
    """Return a figure as HTML: `img_html`, and below it, folded, the figure's table if it has one.

    Args:
        figure: The figure; its attribute `table` holds rows of cells, the head first.
        alt: As in `img_html`.
        width: As in `img_html`.

    Raises:
        ValueError: If there is no alt text.
    """
    picture, rows = img_html(figure, alt, width=width), getattr(figure, "table", None)
    if not rows:
        return picture
    return f"{picture}<details><summary>The picture as a table</summary>{table_html(rows)}</details>"


def table_html(rows: Sequence[Sequence[str]]) -> str:
    """Write rows of cells as an HTML table: the first row is its head, the first cell of each names its row."""
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in rows[0])
    body = ""
    for first, *rest in rows[1:]:
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
        body += f'<tr><th scope="row" style="font-weight:400">{html.escape(first)}</th>{cells}</tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _alt(figure: Figure, alt: str | None) -> str:
    text = getattr(figure, "alt_text", None) if alt is None else alt
    if not isinstance(text, str) or not text.strip():
        raise ValueError(
            "This figure has no alt text. Say what it shows: style.show(figure, alt=...). "
            "Figures from helpers.plots bring their own."
        )
    return " ".join(text.split())
