"""What the pictures share: axes that count epochs, scales, and points where a log has gaps."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import TYPE_CHECKING

import numpy as np

from helpers.plots._labels import text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def epoch_axis(axes: Axes, first: int, length: int) -> None:
    """Make the x axis count epochs from 1, whole numbers only."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    # Room for the ring around the first or last point, also when an epoch is narrower than a pixel.
    room = max(0.5, 0.025 * length)
    axes.set_xlim(first + 1 - room, first + length + room)
    steps = (s * 10**k for k in itertools.count() for s in (1, 2, 5))
    step = 1 if length <= 16 else next(s for s in steps if s >= 5 and length <= 10 * s)
    pixels = axes.get_position().width * axes.figure.get_figwidth() * 100 / length
    if step == 1 and first + length >= 10 and pixels < 20:
        step = 2 if pixels >= 10 else 5  # in a narrow picture, numbers of two digits would touch
    # Always the first epoch, and no other number that would touch it.
    ticks = [first + 1]
    ticks += [e for e in range(first + 2, first + length + 1) if e % step == 0 and e - first - 1 > 0.6 * step]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:.0f}"))


def set_scale(
    axes: Axes,
    values: list[float],
    watched: list[float],
    *,
    yscale: str = "auto",
    below: float = 0.05,
    above: float = 0.05,
) -> None:
    """Choose the scale and the limits of the y axis.

    Args:
        axes: The axes.
        values: All finite values that will be drawn.
        watched: Those of them that must not be pressed flat.
        yscale: `"linear"`, `"log"` or `"auto"`.
        below: Share of the height to keep free below the values.
        above: Share of the height to keep free above them.
    """
    # Twice the largest float is not a float: what comes near it cannot be put on an axis.
    values = [value for value in values if abs(value) < 1e300]
    if yscale == "auto":
        yscale = "log" if values and watched and needs_log(values, watched) else "linear"
    if yscale == "log" and values and min(values) > 0:
        axes.set_yscale("log")
    elif yscale == "log" and values:
        smallest = min((abs(value) for value in values if value), default=1.0)
        axes.set_yscale("symlog", linthresh=max(smallest, max(map(abs, values)) * 1e-6))
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if low == high:
        low, high = (low - abs(low) * 0.1, high + abs(high) * 0.1) if low else (-0.5, 0.5)
    transform = axes.yaxis.get_transform()
    a, b = transform.transform(np.array([low, high]))
    span = (b - a) / (1 - below - above)
    axes.set_ylim(*transform.inverted().transform(np.array([a - below * span, b + above * span])))


def number_axis(axes: Axes, label: str, *, right: float) -> None:
    """Name the y axis and give its numbers the width that they need, to the left of them nothing but the name.

    Args:
        axes: Axes whose limits are final; they are moved.
        label: The name.
        right: Pixels (at 100 dots per inch) to keep free on the right.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = axes.figure
    wide = figure.get_figwidth() * 100
    numbers = 38.0
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        low, high = axes.get_ylim()
        ticks = [tick for tick in axes.yaxis.get_major_locator()() if low <= tick <= high]
        largest = max((abs(tick) for tick in ticks), default=1.0)
        if 1e-3 <= largest < 1e5:
            # Matplotlib's own numbers, without the power of ten that it may write above the axis.
            axes.ticklabel_format(axis="y", style="plain", useOffset=False)
        else:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:.6g}"))
        renderer = figure.canvas.get_renderer()
        texts = axes.yaxis.get_major_formatter().format_ticks(ticks)
        numbers = max([24.0, *(text_width(renderer, text) * 100 / figure.dpi for text in texts)])
    else:
        label += " (log scale)"
    left = 32 + numbers
    place = axes.get_position()
    axes.set_position((left / wide, place.y0, (wide - left - right) / wide, place.height))
    axes.set_ylabel(label)
    axes.yaxis.set_label_coords((19 - left) / (wide - left - right), 0.5)


def needs_log(values: list[float], watched: list[float]) -> bool:
    """Return whether a linear axis would press the watched curve flat."""
    low, high = min(watched), max(values)
    return high > 100 * low > 0 or (low <= 0 and high > 100 * (statistics.median(watched) - low) > 0)


def finite(values: list[float | None] | None) -> list[float]:
    """Return the values that can be drawn."""
    return [value for value in values or [] if value is not None and math.isfinite(value)]


def points_of(values: list[float | None], first: int) -> tuple[list[float], list[float]]:
    """Return epochs (from 1) and values; a line goes on over epochs without a value and breaks at NaN and infinity."""
    pairs = [(first + place + 1, value) for place, value in enumerate(values) if value is not None]
    return [x for x, _ in pairs], [y if math.isfinite(y) else math.nan for _, y in pairs]


def dots_of(values: list[float], *, every: bool) -> list[int]:
    """Return the points that get a dot: all, or those that no line would show."""
    there = [False, *(math.isfinite(value) for value in values), False]
    return [i for i in range(len(values)) if there[i + 1] and (every or not (there[i] or there[i + 2]))]
