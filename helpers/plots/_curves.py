"""The main picture of the course: train and validation curves, and what the two callbacks made of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from helpers import style, words
from helpers.facts import Facts, facts_of
from helpers.plots._axes import dots_of, epoch_axis, finite, number_axis, points_of, set_scale
from helpers.plots._labels import ROW, Label, place_labels, rows_needed, write

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Dots on the curves only while they stay apart.
_DOTS = 40
_LABEL_ROWS = 3
# Pixels for the names of the curves.
_MARGIN = 86
# Shares of the axes' height: the lane for saved files at the bottom, the strip for values that are no number on top.
_LANE, _ODD = 0.085, 0.07


def learning_curves(
    history: Any,
    *,
    monitor: str = "val_loss",
    stopping: Any = None,
    saves: Any = None,
    mode: str | None = None,
    title: str | None = None,
    beyond: str | None = None,
    yscale: str = "auto",
    width: int = 640,
    height: int = 400,
) -> Figure:
    """Draw the curves of a run and what EarlyStopping and ModelCheckpoint did.

    Epochs are counted from 1 on the axis. Where the log is longer than a replay ran, the rest is grey. Without
    `stopping` the best epoch is the plain minimum or maximum of the finite values.

    Args:
        history: A Keras `History`, a dict of lists, a list of numbers, or the path of a `CSVLogger` file.
        monitor: The metric that the marks sit on; its training or validation partner is drawn too.
        stopping: The EarlyStopping that ran, or a record of `replay.early_stopping`.
        saves: The ModelCheckpoint that ran, a `SaveRecorder`, a record of `replay.model_checkpoint`, or a list of
            epochs (0-based). A ModelCheckpoint does not remember when it saved: its settings are replayed over the
            log, which is right unless it had an `initial_value_threshold` or a best from an earlier fit.
        mode: `"min"` or `"max"`; None asks the callbacks, then the metric's name.
        title: A line above the picture.
        beyond: What is said of the grey epochs; None says that they never ran, or of a replay that they would not have
            run. Other words where the log is that of a longer run.
        yscale: `"linear"`, `"log"`, or `"auto"`, which takes log where a linear axis would hide the curve.
        width: In pixels.
        height: In pixels.

    Returns:
        A `Figure` with `alt_text`, the facts of `describe` in one paragraph, and a `table` of its epochs. Its artists
        have the gids `train`, `validation`, `best`, `stop`, `patience-window`, `saved`, `kept`, `ghost`, `ghost-train`
        as far as there is such a thing, and `not-finite`.

    Raises:
        ValueError: If the log is bad, the callbacks do not belong to it, or an argument is unknown.
    """
    facts = facts_of(history, monitor=monitor, stopping=stopping, saves=saves, mode=mode)
    facts = facts if beyond is None else replace(facts, beyond=beyond)
    figure = style.figure(width, height)
    # How the labels spread over rows depends on widths alone, so a first sketch tells how much room they need.
    sketch = draw_axes(figure, facts)
    rows = rows_needed(sketch, _labels(sketch, facts), rows=_LABEL_ROWS)
    sketch.remove()
    axes = draw_axes(figure, facts, saves=saves is not None, rows=rows, title=title, yscale=yscale)
    draw_marks(axes, facts, rows=rows)
    figure.alt_text = (f"{title}. " if title else "Learning curves. ") + words.twin(facts).replace("\n", " ")
    figure.table = words.table(facts)
    return figure


def describe(
    history: Any,
    *,
    monitor: str = "val_loss",
    stopping: Any = None,
    saves: Any = None,
    mode: str | None = None,
) -> str:
    """Say in words what `learning_curves` shows, one fact a line, epochs counted from 1, as Keras prints them.

    Args:
        history: As in `learning_curves`, and so are the others.
        monitor: The metric that the marks sit on.
        stopping: The EarlyStopping that ran, or a replay record.
        saves: The ModelCheckpoint or SaveRecorder that ran, a replay record, or a list of epochs (0-based).
        mode: `"min"` or `"max"`; None finds out.

    Raises:
        ValueError: As `learning_curves`.
    """
    return words.twin(facts_of(history, monitor=monitor, stopping=stopping, saves=saves, mode=mode))


def draw_axes(
    figure: Figure,
    facts: Facts,
    *,
    saves: bool = True,
    rows: int = _LABEL_ROWS,
    title: str | None = None,
    yscale: str = "auto",
) -> Axes:
    """Draw what does not depend on the callbacks: frame, scales, grid and the names of the curves.

    Args:
        figure: An empty figure of `style.figure`.
        facts: From `facts_of`.
        saves: Whether to keep a lane for saved files at the bottom.
        rows: Rows of labels to keep room for above the axes; with fewer than three some pictures lose a label.
        title: A line above the picture.
        yscale: As in `learning_curves`.

    Returns:
        The axes, for `draw_marks`.

    Raises:
        ValueError: If `yscale` is unknown.
    """
    if yscale not in ("auto", "linear", "log"):
        raise ValueError(f'yscale must be "auto", "linear" or "log", not {yscale!r}.')
    wide, high = (size * 100 for size in figure.get_size_inches())
    top = 10 + rows * ROW + (24 if title else 0)
    axes = figure.add_axes((0.1, 48 / high, 0.8, (high - 48 - top) / high))
    style.dress(axes)
    if title:
        figure.text(
            12 / wide, 1 - 8 / high, title, ha="left", va="top", fontsize=11, fontweight="bold", color=style.INK
        )
    set_scale(
        axes, [*finite(facts.train), *finite(facts.validation)], finite(facts.monitored), yscale=yscale,
        below=0.05 + (_LANE if saves else 0.0), above=0.05 + (_ODD if _odd(facts) else 0.0),
    )  # fmt: skip
    number_axis(axes, facts.monitor.removeprefix("val_").replace("_", " "), right=_MARGIN)
    # After the other axis, which settles how wide this one is.
    epoch_axis(axes, facts.first, facts.length)
    axes.set_xlabel("epoch", labelpad=3)
    if saves:
        _saves_lane(axes)
    _name_curves(axes, facts)
    return axes


def draw_marks(axes: Axes, facts: Facts, *, rows: int = _LABEL_ROWS) -> list[Artist]:
    """Draw what depends on the callbacks: the curves as far as they ran, the rest in grey, and all marks.

    Args:
        axes: From `draw_axes`, for the same log.
        facts: From `facts_of`.
        rows: As given to `draw_axes`.

    Returns:
        The new artists in drawing order. Removing them all brings the empty axes back.
    """
    artists = [
        *_ghost(axes, facts),
        *_window(axes, facts),
        *_curves(axes, facts),
        *_saved(axes, facts),
        *_points(axes, facts),
        *place_labels(axes, _labels(axes, facts), rows=rows),
    ]
    return sorted(artists, key=lambda artist: artist.get_zorder())


# What never changes.


def _saves_lane(axes: Axes) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((0, 0), 1, _LANE, transform=axes.transAxes, facecolor="#f3f0fa", edgecolor="none", zorder=1.2)
    )


def _name_curves(axes: Axes, facts: Facts) -> None:
    """Write each curve's name beside its end, the names apart from each other."""
    named = []
    for name, values in (("train", facts.train), ("validation", facts.validation)):
        ends = finite(values)
        if ends:
            named.append((axes.transAxes.inverted().transform(axes.transData.transform((1, ends[-1])))[1], name))
    named.sort()
    apart = 17 / (axes.get_position().height * axes.figure.get_figheight() * 100)
    if len(named) == 2 and named[1][0] - named[0][0] < apart:
        middle = (named[0][0] + named[1][0]) / 2
        named = [(middle - apart / 2, named[0][1]), (middle + apart / 2, named[1][1])]
    for height, name in named:
        color = style.MARKS[name].color
        write(axes, (1, height), name, (8, 0), side=True, color=color, fontsize=style.FONT, fontweight="bold")


# What the callbacks decide. Orders of drawing: 2.6 window, 2.7 ghost, 2.8 lines, 3 curves, 4 to 5 points, 6 texts.


def _curves(axes: Axes, facts: Facts) -> list[Artist]:
    artists = []
    for name, values in (("train", facts.train), ("validation", facts.validation)):
        if values is None:
            continue
        mark = style.MARKS[name]
        x, y = points_of(values[: facts.epochs_run], facts.first)
        dots = dots_of(y, every=name == "validation" and facts.length <= _DOTS)
        artists += _line(axes,
            x, y, color=mark.color, linestyle=mark.linestyle, linewidth=mark.linewidth, gid=name, zorder=3,
            marker="o", markersize=4, markevery=dots, markeredgecolor=style.PAPER, markeredgewidth=0.6,
            solid_joinstyle="round",
        )  # fmt: skip
    odd = [epoch for epoch in _odd(facts) if epoch <= facts.last]
    if odd:
        artists += _line(axes,
            [epoch + 1 for epoch in odd], [1 - _ODD / 2] * len(odd), transform=axes.get_xaxis_transform(),
            linestyle="", marker="x", markersize=5, color=style.INK, zorder=3, gid="not-finite",
        )  # fmt: skip
        artists.append(_beside(axes, 1 - _ODD / 2, "\u00d7 NaN or \u221e", style.INK))
    return artists


def _ghost(axes: Axes, facts: Facts) -> list[Artist]:
    if facts.epochs_run >= facts.length:
        return []
    mark, lines = style.MARKS["ghost"], []
    for gid, values, linestyle in (
        ("ghost-train", facts.train, style.MARKS["train"].linestyle),
        ("ghost", facts.validation, mark.linestyle),
    ):
        if values is None:
            continue
        x, y = points_of(values[facts.epochs_run - 1 :], facts.last)
        lines += _line(axes,
            x, y, color=mark.color, linestyle=linestyle, linewidth=mark.linewidth, gid=gid, zorder=2.7,
            marker="o", markersize=2.5, markevery=dots_of(y, every=False),
        )  # fmt: skip
    return [*lines, _bracket(axes, facts.last + 1, facts.first + facts.length, mark.color)]


def _window(axes: Axes, facts: Facts) -> list[Artist]:
    from matplotlib.patches import Rectangle

    if facts.window is None:
        return []
    mark = style.MARKS["patience_window"]
    # From the point where the count was 0 to the last point that was counted.
    a, b = facts.window[0], facts.window[1] + 1
    area = Rectangle(
        (a, 0), b - a, 1, transform=axes.get_xaxis_transform(), facecolor=mark.fill, edgecolor="#ead59f",
        hatch=mark.hatch, linewidth=0, hatch_linewidth=0.7, zorder=2.6, gid="patience-window",
    )  # fmt: skip
    axes.add_patch(area)
    return [area, _bracket(axes, a, b, mark.color)]


def _bracket(axes: Axes, a: float, b: float, color: str) -> Artist:
    """Draw a bar along the upper edge of the axes, from one epoch to another."""
    bar = _line(axes, [a, b], [1, 1], color=color, linewidth=2.5, solid_capstyle="butt", clip_on=False, zorder=2.75)[0]
    bar.set_transform(axes.get_xaxis_transform())
    return bar


def _saved(axes: Axes, facts: Facts) -> list[Artist]:
    from matplotlib.collections import PolyCollection

    if facts.saved is None:
        return []
    # Bars of one height for all; with many epochs they grow together, which is what "saved in each epoch" looks like.
    pixel = facts.length / (axes.get_position().width * axes.figure.get_figwidth() * 100)
    half = max(min(0.31, 4.5 * pixel), 0.6 * pixel)
    low, high = _LANE * 0.3, _LANE * 0.3 + 9 / (axes.get_position().height * axes.figure.get_figheight() * 100)
    bars = [[(e + 1 - half, low), (e + 1 + half, low), (e + 1 + half, high), (e + 1 - half, high)] for e in facts.saved]
    mark = style.MARKS["saved"]
    artist = PolyCollection(
        bars, transform=axes.get_xaxis_transform(), facecolor=mark.fill, edgecolor="none", zorder=4, gid="saved"
    )
    axes.add_collection(artist, autolim=False)
    return [artist, _beside(axes, (low + high) / 2, words.labels(facts)["saved"], mark.color)]


def _points(axes: Axes, facts: Facts) -> list[Artist]:
    """Mark single epochs on the curve: the stop, the best, and the weights that are kept."""
    artists = []
    best, kept, stop = style.MARKS["best"], style.MARKS["kept"], style.MARKS["stop"]
    if facts.stop is not None:
        artists += _point(axes, facts, facts.stop, marker=stop.marker, markersize=9, color=stop.color, zorder=4)
    if facts.best is not None:
        artists += _point(
            axes, facts, facts.best, marker=best.marker, markersize=15, color=best.color, zorder=5, gid="best"
        )
    if facts.shows_kept:
        artists += _point(
            axes, facts, facts.kept, marker=kept.marker, markersize=17, color=kept.color, fillstyle="none",
            markeredgewidth=kept.linewidth, zorder=4.5, gid="kept",
        )  # fmt: skip
    return artists


def _point(axes: Axes, facts: Facts, epoch: int, **looks: Any) -> list[Artist]:
    looks = {"markeredgecolor": style.PAPER, "markeredgewidth": 0.8, **looks}
    if looks.get("fillstyle") == "none":
        looks["markeredgecolor"] = looks["color"]
    point = _line(axes, [epoch + 1], [_height(axes, facts, epoch)], linestyle="", clip_on=False, **looks)
    point[0].set_transform(axes.get_xaxis_transform())
    return point


def _labels(axes: Axes, facts: Facts) -> list[Label]:
    best, kept, stop, window = (style.MARKS[name] for name in ("best", "kept", "stop", "patience_window"))
    texts, labels = words.labels(facts), []
    if "stop" in texts:
        line = ("right", "left"), stop.linestyle, stop.linewidth, 0.0, "stop"
        labels.append(Label(facts.stop + 1, texts["stop"], stop.color, *line))
    if "best" in texts:
        line = ("left", "right"), best.linestyle, best.linewidth, _height(axes, facts, facts.best)
        labels.append(Label(facts.best + 1, texts["best"], best.color, *line))
    if "kept" in texts:
        line = ("right", "left"), "-", 0.8, _height(axes, facts, facts.kept)
        labels.append(Label(facts.kept + 1, texts["kept"], kept.color, *line))
    if "window" in texts:
        middle = (facts.window[0] + facts.window[1] + 1) / 2
        labels.append(Label(middle, texts["window"], window.color, ("centre",)))
    if "never" in texts:
        middle = (facts.last + 1 + facts.first + facts.length) / 2
        labels.append(Label(middle, texts["never"], style.QUIET, ("centre",), italic=True))
    return labels


def _height(axes: Axes, facts: Facts, epoch: int) -> float:
    """Return where an epoch's value stands, as a fraction of the axes' height; on the strip if it is no number."""
    value = facts.value(epoch)
    if value is None or not math.isfinite(value):
        return 1 - _ODD / 2
    return float(axes.transAxes.inverted().transform(axes.transData.transform((epoch + 1, value)))[1])


def _line(axes: Axes, x: list[float], y: list[float], **looks: Any) -> list[Artist]:
    """Add a line without `Axes.plot`, which would work out limits that are already fixed."""
    from matplotlib.lines import Line2D

    line = Line2D(x, y, **looks)
    axes.add_artist(line)
    if not looks.get("clip_on", True):
        line.set_clip_path(None)
    return [line]


def _beside(axes: Axes, height: float, text: str, color: str) -> Artist:
    return write(axes, (1, height), text, (8, 0), side=True, color=color, fontsize=style.FONT)


def _odd(facts: Facts) -> list[int]:
    """Return the epochs whose monitored value is there and is no finite number."""
    return [e for e, v in enumerate(facts.monitored, facts.first) if v is not None and not math.isfinite(v)]
