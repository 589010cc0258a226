"""Axes that write SVG: drawing the marks of a picture a hundred times in the time that matplotlib needs for a few.

`SvgAxes` stands in for matplotlib's axes where `plots.draw_marks` draws. It knows the methods that are used there, no
more, and an unknown one raises. Places and widths come from the real axes and the real font, so the marks land
where matplotlib puts them. Coordinates are pixels, y downwards.
"""

from __future__ import annotations

import functools
import html
import io
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

FONT_FAMILY = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
# The house's figures have 100 dots to an inch, and an inch has 72 points.
PIXELS = 100 / 72


class SvgAxes:
    """The part of matplotlib's axes that `plots.draw_marks` uses, over real axes that give the places.

    Args:
        axes: From `plots.draw_axes`; nothing is ever added to them.
    """

    def __init__(self, axes: Axes) -> None:
        figure = axes.figure
        self.figure = SimpleNamespace(
            dpi=figure.dpi,
            bbox=figure.bbox.frozen(),
            dpi_scale_trans=figure.dpi_scale_trans.frozen(),
            get_figwidth=figure.get_figwidth,
            get_figheight=figure.get_figheight,
            canvas=SimpleNamespace(get_renderer=_Measure),
        )
        # Frozen: the real ones look whether something has changed at each use.
        self.transData, self.transAxes = axes.transData.frozen(), axes.transAxes.frozen()
        self._by_x = axes.get_xaxis_transform().frozen()
        self._window = axes.get_window_extent()
        self._position = axes.get_position()

    def get_xaxis_transform(self) -> Any:
        """Return the transform that takes x as data and y as a fraction of the height."""
        return self._by_x

    def get_position(self) -> Any:
        """Return the place of the axes in the figure."""
        return self._position

    def get_window_extent(self, renderer: Any = None) -> Any:
        """Return the place of the axes in pixels, y upwards."""
        return self._window

    def text(self, x: float, y: float, text: str, *, transform: Any = None, **looks: Any) -> Text:
        """Make a text."""
        transform = self.transData if transform is None else transform
        return Text(text, transform.transform((x, y)), **looks)

    def add_artist(self, artist: Any) -> Any:
        """Take an artist; its coordinates are data unless it says otherwise."""
        if not artist.is_transform_set():
            artist.set_transform(self.transData)
        return artist

    def add_patch(self, patch: Any) -> Any:
        """Take a patch."""
        return self.add_artist(patch)

    def add_collection(self, collection: Any, autolim: bool = True) -> Any:
        """Take a collection."""
        return self.add_artist(collection)


class _Measure:
    """What `plots` asks of a renderer: how wide a text is."""

    def get_text_width_height_descent(self, text: str, font: Any, ismath: bool) -> tuple[float, float, float]:
        """Return the width in pixels, and the usual height and depth of a line."""
        above, below = _line_box(font.get_size_in_points())
        return text_width(text, font.get_size_in_points(), font.get_weight()), above + below, below


@dataclass(frozen=True)
class Text:
    """A text for `SvgAxes`: its place in pixels, y upwards, and its look in matplotlib's words."""

    text: str
    at: tuple[float, float]
    color: str = "#000000"
    fontsize: float = 9.0
    fontstyle: str = "normal"
    fontweight: str = "normal"
    ha: str = "left"
    va: str = "baseline"
    zorder: float = 3.0
    gid: str | None = None
    clip_on: bool = False

    def get_zorder(self) -> float:
        """Return the order of drawing."""
        return self.zorder


def draw(artists: Iterable[Any], height: float) -> str:
    """Write artists that came from `SvgAxes` as SVG elements.

    Args:
        artists: In drawing order.
        height: Of the figure in pixels; matplotlib counts from its lower edge.

    Raises:
        NotImplementedError: If there is an artist of a kind that nobody has taught this function.
    """
    return "".join(_draw(artist, height) for artist in artists)


def _draw(artist: Any, height: float) -> str:
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if isinstance(artist, Text):
        return _text(artist, height)
    if isinstance(artist, Line2D):
        return _line(artist, height)
    if isinstance(artist, Patch):
        return _patch(artist, height)
    if isinstance(artist, PolyCollection):
        return _polygons(artist, height)
    raise NotImplementedError(f"SvgAxes cannot draw a {type(artist).__name__}.")


def _line(line: Any, height: float) -> str:
    points = line.get_transform().transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
    points[:, 1] = height - points[:, 1]
    elements = []
    if line.get_linestyle() != "None" and len(points) > 1:
        width = line.get_linewidth() * PIXELS
        elements.append(
            f'<path d="{polyline(points)}" fill="none"{gid(line)} stroke="{color(line.get_color())}" '
            f'stroke-width="{width:.2f}"{dashes(_pattern(line), width)} stroke-linejoin="round"/>'
        )
    if line.get_marker() not in ("None", None, "", " "):
        elements.append(_markers(line, points))
    return "".join(elements)


def _pattern(line: Any) -> tuple[float, ...] | None:
    """Return dashes and gaps in units of the line's width."""
    # Only what was asked for keeps a pattern of numbers: `get_linestyle` names it "--".
    _, pattern = line._unscaled_dash_pattern
    return None if pattern is None else tuple(pattern)


def _markers(line: Any, points: np.ndarray) -> str:
    every = line.get_markevery()
    chosen = points if every is None else points[np.array(every, dtype=int)]
    chosen = chosen[np.isfinite(chosen).all(axis=1)]
    if not len(chosen):
        return ""
    path = marker_path(line.get_marker(), line.get_fillstyle(), line.get_markersize())
    look = (
        f'fill="{color(line.get_markerfacecolor())}" stroke="{color(line.get_markeredgecolor())}" '
        f'stroke-width="{line.get_markeredgewidth() * PIXELS:.2f}"'
    )
    marks = "".join(f'<path d="{path}" transform="translate({x:.1f} {y:.1f})"/>' for x, y in chosen)
    # A line and its dots share one gid: the line has it.
    name = gid(line) if line.get_linestyle() == "None" else ""
    return f"<g {look}{name}>{marks}</g>"


def _patch(patch: Any, height: float) -> str:
    shape = path_data(patch.get_path().transformed(patch.get_transform()), height)
    fill, edge = color(patch.get_facecolor()), color(patch.get_edgecolor())
    width = patch.get_linewidth() * PIXELS
    elements = [
        f'<path d="{shape}" fill="{fill}"{gid(patch)} stroke="{edge if width else "none"}" stroke-width="{width:.2f}"/>'
    ]
    if patch.get_hatch():
        edge = color(patch.get_edgecolor())
        name, pattern = _hatch(patch.get_hatch(), edge)
        elements.append(f'{pattern}<path d="{shape}" fill="url(#{name})"/>')
    return "".join(elements)


def _polygons(collection: Any, height: float) -> str:
    corners = [path.vertices[:-1] for path in collection.get_paths()]
    shapes = ""
    if corners:
        # All at once: there may be hundreds of small ones.
        points = collection.get_transform().transform(np.concatenate(corners))
        words = _words(np.column_stack([points[:, 0], height - points[:, 1]]))
        ends = np.cumsum([0, *map(len, corners)]).tolist()
        shapes = "".join("M" + "L".join(words[a:b]) + "Z" for a, b in itertools.pairwise(ends))
    faces = collection.get_facecolor()
    return f'<path d="{shapes}" fill="{color(faces[0]) if len(faces) else "none"}"{gid(collection)}/>'


def _words(points: np.ndarray) -> list[str]:
    # Most of the work of a frame: f-strings take longer here.
    return ["%.1f %.1f" % (x, y) for x, y in points.tolist()]  # noqa: UP031


def _text(text: Text, height: float) -> str:
    x, y = text.at[0], height - text.at[1]
    above, below = _line_box(text.fontsize)
    y += {"bottom": -below, "center": (above - below) / 2, "top": above, "baseline": 0.0}[text.va]
    anchor = {"left": "", "center": ' text-anchor="middle"', "right": ' text-anchor="end"'}[text.ha]
    look = "".join(
        f' {name}="{value}"'
        for name, value in (("font-style", text.fontstyle), ("font-weight", text.fontweight))
        if value != "normal"
    )
    size = text.fontsize * PIXELS
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" fill="{text.color}"{anchor}{look}{gid(text)}>'
        f"{html.escape(text.text)}</text>"
    )


def polyline(points: np.ndarray) -> str:
    """Write points (n, 2) in pixels as path data; NaN breaks the line.

    Of more points than a picture has pixels only those are kept that can be seen.
    """
    points = np.clip(points, -1e4, 1e4)
    if len(points) > 1000:
        from matplotlib.path import Path

        path = Path(points)
        path.simplify_threshold = 0.2
        return path_data(path.cleaned(remove_nans=True, simplify=True))
    breaks = np.flatnonzero(~np.isfinite(points).all(axis=1))
    words = _words(points)
    ends = [-1, *breaks.tolist(), len(words)]
    return "".join("M" + "L".join(words[a + 1 : b]) for a, b in itertools.pairwise(ends) if b - a > 1)


def path_data(path: Path, height: float | None = None) -> str:
    """Write a matplotlib path as SVG path data, turned upside down if a height is given."""
    parts = []
    for points, code in path.iter_segments(simplify=False):
        if code == path.CLOSEPOLY:
            parts.append("Z")
        elif code != path.STOP:
            if height is not None:
                points = [value if i % 2 == 0 else height - value for i, value in enumerate(points)]
            parts.append("MLQC"[int(code) - 1] + " ".join([f"{value:.1f}" for value in points]))
    return "".join(parts)


@functools.cache
def marker_path(marker: str, fillstyle: str, size: float) -> str:
    """Return the path data of a marker around 0, its size in points."""
    from matplotlib.markers import MarkerStyle
    from matplotlib.transforms import Affine2D

    style = MarkerStyle(marker, fillstyle=fillstyle)
    scale = size * PIXELS
    return path_data(style.get_path().transformed(style.get_transform() + Affine2D().scale(scale, -scale)))


@functools.cache
def _hatch(hatch: str, edge: str) -> tuple[str, str]:
    """Return the name of a hatching and its SVG pattern, a tile of one inch as matplotlib's."""
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    name = f"hatch-{edge.strip('#')}-" + "-".join(f"{ord(letter):x}" for letter in hatch)
    lines = path_data(Path.hatch(hatch).transformed(Affine2D().scale(100, -100).translate(0, 100)))
    return name, (
        f'<pattern id="{name}" patternUnits="userSpaceOnUse" width="100" height="100">'
        f'<path d="{lines}" stroke="{edge}" stroke-width="{PIXELS:.2f}" fill="{edge}"/></pattern>'
    )


@functools.cache
def _renderer() -> Any:
    from matplotlib.backends.backend_agg import RendererAgg

    return RendererAgg(1, 1, 100)


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return a text's width in pixels; all digits are equally wide."""
    return _width(re.sub(r"\d", "0", text), size, weight)


@functools.lru_cache(maxsize=4096)
def _width(text: str, size: float, weight: str) -> float:
    from matplotlib.font_manager import FontProperties

    return _renderer().get_text_width_height_descent(text, FontProperties(size=size, weight=weight), False)[0]


@functools.cache
def _line_box(size: float) -> tuple[float, float]:
    """Return how far a line of text reaches above and below its baseline, as matplotlib reckons."""
    from matplotlib.font_manager import FontProperties

    _, height, below = _renderer().get_text_width_height_descent("lp", FontProperties(size=size), False)
    return height - below, below


@functools.lru_cache(maxsize=256)
def _hex(value: Any) -> str:
    from matplotlib.colors import to_hex, to_rgba

    return "none" if to_rgba(value)[3] == 0 else to_hex(value)


def color(value: Any) -> str:
    """Write a colour of matplotlib for SVG."""
    return _hex(value if isinstance(value, str) else tuple(float(part) for part in value))


def dashes(pattern: Iterable[float] | None, width: float) -> str:
    """Write a dash pattern, in units of the line's width, as an attribute."""
    if pattern is None:
        return ""
    return f' stroke-dasharray="{" ".join(f"{part * width:.1f}" for part in pattern)}"'


def gid(artist: Any) -> str:
    """Write what an artist means as an attribute; not an id, since a page may hold many frames."""
    name = artist.gid if isinstance(artist, Text) else artist.get_gid()
    return f' data-mark="{name}"' if name else ""


def figure_svg(figure: Figure) -> str:
    """Draw a whole figure with matplotlib and return the elements inside its `<svg>`, in pixels.

    Texts stay texts, which is smaller and is read out by screen readers.
    """
    import matplotlib

    buffer = io.StringIO()
    # Fixed ids and no date: the same figure gives the same text.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "course"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    inside = re.search(r"<svg[^>]*>(.*)</svg>", buffer.getvalue(), re.DOTALL).group(1)
    inside = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", inside, flags=re.DOTALL)
    # A style element would reach all of the page.
    inside = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", inside, flags=re.DOTALL)
    inside = re.sub(r"(\d+\.\d{2})\d+", r"\1", inside)
    inside = re.sub(r"font: (?:(\w+) )?([\d.]+)px [^;\"]*", _font, inside)
    inside = re.sub(r"\s*\n\s*", " ", inside)
    return f'<g transform="scale({PIXELS:.5f})" stroke-linejoin="round" stroke-linecap="butt">{inside}</g>'


def _font(match: re.Match) -> str:
    return f"font: {match[1] or 'normal'} {match[2]}px {FONT_FAMILY}"
