"""The picture of lesson 05: what each patience costs, in epochs and in quality, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers import style
from helpers.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def trade_off(
    patience: Sequence[int],
    epochs: Sequence[float],
    missed: Sequence[float],
    *,
    epochs_error: Sequence[float] | None = None,
    missed_error: Sequence[float] | None = None,
    wide: tuple[Sequence[float], Sequence[float]] | None = None,
    quality: str = "test loss missed (%)",
    narrow_name: str = "95 % over seeds",
    wide_name: str = "95 % over configurations",
    title: str | None = None,
    width: int = 640,
    height: int = 400,
) -> Figure:
    """Draw epochs spent against quality missed, one point for each patience.

    Args:
        patience: The patiences to show, increasing.
        epochs: Epochs spent with each of them, a mean over runs.
        missed: Quality missed with each of them, likewise; 0 is what waiting to the end would have kept.
        epochs_error: Half the width of an interval around each of `epochs`; None draws none.
        missed_error: Likewise for `missed`.
        wide: Lower and upper ends of a second interval around `missed`, drawn behind it; None draws none.
        quality: Name of the y axis, with its unit.
        narrow_name: What the first interval speaks about, for the key.
        wide_name: What the second one speaks about.
        title: A line above the picture.
        width: In pixels.
        height: In pixels.

    Returns:
        A `Figure` with `alt_text`, and a `table` of its numbers.
        Gids: `trade-off` (the line), `interval`, `wide-interval`, `nothing-missed`.

    Raises:
        ValueError: If the lists differ in length, are empty, or hold something that cannot be drawn.
    """
    points = _points(patience, epochs=epochs, missed=missed)
    errors = _points(patience, epochs_error=epochs_error, missed_error=missed_error)
    ends = dict(zip(("low", "high"), wide, strict=True)) if wide is not None else {}
    ends = _points(patience, **ends)
    figure = style.figure(width, height)
    axes = figure.add_axes((62 / width, 46 / height, 1 - 84 / width, 1 - (66 + 26 * bool(title)) / height))
    style.dress(axes, grid="both")
    if title:
        at = (12 / width, 1 - 8 / height)
        figure.text(*at, title, ha="left", va="top", fontsize=11, fontweight="bold", color=style.INK)
    line, best = style.MARKS["validation"], style.MARKS["best"]
    axes.axhline(0, color=best.color, linestyle=best.linestyle, linewidth=best.linewidth, gid="nothing-missed")
    x, y = points["epochs"], points["missed"]
    axes.annotate(
        "as good as waiting to the end", (0, 0), (4, -3), xycoords=("axes fraction", "data"),
        textcoords="offset points", va="top", fontsize=style.FONT, color=best.color, zorder=4,
    )  # fmt: skip
    if ends:
        _draw_wide(axes, x, ends, wide_name)
    if errors:
        axes.errorbar(
            x, y, xerr=errors.get("epochs_error"), yerr=errors.get("missed_error"), fmt="none", ecolor=line.color,
            elinewidth=1.2, capsize=2.5, zorder=2.6, label=narrow_name, gid="interval",
        )  # fmt: skip
    axes.plot(x, y, color=line.color, linewidth=1.2, marker=line.marker, markersize=6, gid="trade-off", zorder=3)
    for place, value in enumerate(patience):
        words = f"patience {value}" if place in (0, len(x) - 1) else f"{value}"
        spot = {"ha": "right", "xytext": (2, 9)} if place == len(x) - 1 > 0 else {"ha": "left", "xytext": (7, 6)}
        axes.annotate(
            words, (x[place], y[place]), textcoords="offset points", va="bottom", fontsize=style.FONT,
            fontweight="bold", color=line.color, zorder=4, **spot,
        )  # fmt: skip
    axes.set_xlabel("epochs spent", labelpad=3)
    axes.set_ylabel(quality)
    if ends or errors:
        key = axes.legend(
            loc="upper right", fontsize=style.FONT, facecolor=style.PAPER, edgecolor=style.PAPER, framealpha=1.0
        )
        for text in key.get_texts():
            text.set_color(style.INK)
    figure.alt_text = (f"{title}. " if title else "") + _tell(patience, points, errors, ends, quality)
    figure.table = _table(patience, points, errors, ends, quality, (narrow_name, wide_name))
    return figure


def _draw_wide(axes: Axes, x: np.ndarray, ends: dict[str, np.ndarray], name: str) -> None:
    """Draw the second interval as outlined bars: a pale area alone would not stand out from the paper."""
    from matplotlib.collections import PolyCollection

    band, half = style.MARKS["patience_window"], 0.007 * (np.ptp(x) or 1.0)
    bars = [
        [(a - half, low), (a - half, high), (a + half, high), (a + half, low)]
        for a, low, high in zip(x, ends["low"], ends["high"], strict=True)
    ]
    axes.add_collection(
        PolyCollection(
            bars, facecolor=band.fill, edgecolor=band.color, linewidth=0.8, gid="wide-interval", zorder=2.2, label=name
        )
    )


def _points(patience: Sequence[int], **lists: Sequence[float] | None) -> dict[str, np.ndarray]:
    """Return the lists that are given as arrays, each as long as `patience`."""
    if len(patience) == 0:
        raise ValueError("There is nothing to draw: patience is empty.")
    arrays = {name: np.asarray(values, dtype=float) for name, values in lists.items() if values is not None}
    for name, values in arrays.items():
        if values.shape != (len(patience),):
            raise ValueError(f"{name} needs one number for each of the {len(patience)} patiences; got {values.shape}.")
        if not np.isfinite(values).all():
            first = next(p for p, value in zip(patience, values, strict=True) if not math.isfinite(value))
            raise ValueError(f"{name} is no finite number at patience {first}. Leave out the runs that diverged.")
    return arrays


def _tell(patience: Sequence[int], points: dict[str, np.ndarray], errors: dict, ends: dict, quality: str) -> str:
    """Say what the picture is looked at for; all its numbers stand in the table."""
    epochs, missed = points["epochs"], points["missed"]
    text = f"Epochs spent against {quality}; 0 is what waiting to the end keeps. "
    if len(patience) == 1:
        return f"{text}Patience {patience[0]}: {number(epochs[0])} epochs, {number(missed[0])}."
    text += (
        f"From patience {patience[0]} to {patience[-1]} the epochs go from {number(epochs[0])} "
        f"to {number(epochs[-1])}, what is missed from {number(missed[0])} to {number(missed[-1])}"
    )
    rises = [patience[place + 1] for place in np.flatnonzero(np.diff(missed) > 0)]
    text += f", but more again at patience {', '.join(map(str, rises))}." if rises else ", less at each step."
    nearly = next(place for place, value in enumerate(missed) if value - min(missed) <= 0.1 * np.ptp(missed))
    if nearly and np.ptp(missed):
        share = f"{100 * epochs[nearly] / epochs[-1]:.0f} % of the last one's epochs"
        text += f" Nine tenths of that are won by patience {patience[nearly]}, with {share}."
    if "missed_error" in errors:
        apart = np.flatnonzero(np.abs(missed) > errors["missed_error"])
        first = int(apart[-1]) + 1 if len(apart) else 0
        if first < len(patience):
            text += f" From patience {patience[first]} on the interval holds 0."
    return text


def _table(
    patience: Sequence[int], points: dict[str, np.ndarray], errors: dict, ends: dict, quality: str, names: Sequence[str]
) -> list[list[str]]:
    columns = {"patience": list(patience), "epochs spent": points["epochs"], quality: points["missed"]}
    for name, values in (("epochs_error", "epochs, plus or minus"), ("missed_error", f"{names[0]}, plus or minus")):
        if name in errors:
            columns[values] = errors[name]
    if ends:
        columns |= {f"{names[1]}, from": ends["low"], f"{names[1]}, to": ends["high"]}
    rows = [[str(row[0]), *map(number, row[1:])] for row in zip(*columns.values(), strict=True)]
    return [list(columns), *rows]
