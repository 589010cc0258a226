"""Every patience at once: epochs spent and quality missed, as SVG, with one patience marked."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

import numpy as np

from helpers import style
from helpers.replay import PatienceTable
from helpers.widgets import _svg

HEIGHT = 158
_TOP, _BOTTOM = 34, 40
# Left and right edges of the two panels, in pixels of a picture 640 wide.
_PANELS = ((62, 280), (366, 584))


@dataclass(frozen=True)
class Trade:
    """The two curves.

    Attributes:
        patience: 0, 1, 2, ...
        epochs: Epochs run with that patience.
        missed: How much worse the kept epoch is than the best of the whole log, 0 or more; NaN where unknown.
        monitor: Name of the metric.
    """

    patience: np.ndarray
    epochs: np.ndarray
    missed: np.ndarray
    monitor: str

    def at(self, patience: int) -> tuple[int, float]:
        """Return epochs and missed quality of one patience."""
        return int(self.epochs[patience]), float(self.missed[patience])


def trade_of(
    table: PatienceTable,
    values: list[float | None],
    epochs: tuple[int, ...],
    *,
    mode: str,
    monitor: str,
    restores: bool,
) -> Trade:
    """Work out the curves.

    Args:
        table: From `replay.every_patience`.
        values: The monitored metric.
        epochs: The numbers of their epochs, as given to the replay.
        mode: `"min"` or `"max"`.
        monitor: Its name.
        restores: Whether the best weights are put back; else the last ones are kept.
    """
    numbers = np.array([math.nan if value is None else value for value in values], dtype=float)
    numbers[~np.isfinite(numbers)] = math.nan
    kept = numbers[np.searchsorted(epochs, table.best_epoch) if restores else table.epochs_run - 1]
    missed = kept - np.nanmin(numbers) if mode == "min" else np.nanmax(numbers) - kept
    return Trade(table.patience, table.epochs_run, missed, monitor)


def panels(trade: Trade) -> str:
    """Draw what does not depend on the chosen patience: both panels with their curves."""
    names = ("Every patience: epochs run", f"{trade.monitor} missed (0 is the best)")
    return "".join(
        _panel(trade, values, title, edges)
        for values, title, edges in zip((trade.epochs, trade.missed), names, _PANELS, strict=True)
    )


def mark(trade: Trade, patience: int) -> str:
    """Draw the mark of one patience on both curves."""
    look, elements = style.MARKS["stop"], []
    for values, edges, form in zip((trade.epochs, trade.missed), _PANELS, (".0f", ".4g"), strict=True):
        x, y = _places(trade, values, edges)
        at, height = x[patience], y[patience]
        elements.append(
            f'<path d="M{at:.1f} {_TOP}V{HEIGHT - _BOTTOM}" stroke="{look.color}" stroke-width="1.5" '
            'data-mark="choice"/>'
        )
        if math.isfinite(height):
            star = _svg.marker_path(look.marker, "full", 8.0)
            elements.append(
                f'<path d="{star}" transform="translate({at:.1f} {height:.1f})" fill="{look.color}" '
                f'stroke="{style.PAPER}" stroke-width="1"/>'
            )
        text = f"{float(values[patience]):{form}}" if math.isfinite(values[patience]) else "unknown"
        # Beside the line, on the side where there is room.
        right = at + 6 + _svg.text_width(text, style.FONT, "bold") < edges[1] + 50
        elements.append(_words(text, at + (5 if right else -5), _TOP - 3, look.color, bold=True, end=not right))
    return "".join(elements)


def tell(trade: Trade, patience: int) -> str:
    """Say what both panels show."""
    epochs, missed = trade.at(patience)
    known = trade.missed[np.isfinite(trade.missed)]
    span = f" and {trade.monitor} missed from {known.max():.4g} to {known.min():.4g}" if len(known) else ""
    return (
        f"Below, every patience from 0 to {trade.patience[-1]}: epochs run from {trade.epochs.min()} to "
        f"{trade.epochs.max()}{span}. Marked is patience {patience}: {epochs} epochs, "
        + (f"{missed:.4g} missed." if math.isfinite(missed) else "missed quality unknown.")
    )


def _places(trade: Trade, values: np.ndarray, edges: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels of all points; a step of half a patience keeps the line off the frame."""
    known = values[np.isfinite(values)]
    high = float(known.max()) if len(known) and known.max() > 0 else 1.0
    top = max(int(trade.patience[-1]), 1)
    x = edges[0] + 4 + trade.patience / top * (edges[1] - edges[0] - 8)
    return x, HEIGHT - _BOTTOM - 3 - values / high * (HEIGHT - _BOTTOM - _TOP - 9)


def _panel(trade: Trade, values: np.ndarray, title: str, edges: tuple[int, int]) -> str:
    from matplotlib.ticker import MaxNLocator

    left, right = edges
    low, x, y = HEIGHT - _BOTTOM, *_places(trade, values, edges)
    elements = [_words(title, left - 30, 14, style.INK, bold=True)]
    known = values[np.isfinite(values)]
    high = float(known.max()) if len(known) and known.max() > 0 else 1.0
    for tick in MaxNLocator(3, steps=[1, 2, 5, 10], integer=values is trade.epochs).tick_values(0, high):
        at = low - 3 - tick / high * (low - _TOP - 6)
        if tick < 0 or at < _TOP - 1:
            continue
        elements.append(f'<path d="M{left} {at:.1f}H{right}" stroke="{style.GRID}" stroke-width="1"/>')
        elements.append(_words(f"{tick:.6g}", left - 6, at + 4, style.INK, end=True))
    top = max(int(trade.patience[-1]), 1)
    for tick in MaxNLocator(5, steps=[1, 2, 5, 10], integer=True).tick_values(0, top):
        if 0 <= tick <= top:
            at = left + 4 + tick / top * (right - left - 8)
            elements.append(f'<path d="M{at:.1f} {low}v3" stroke="{style.QUIET}" stroke-width="1"/>')
            elements.append(_words(f"{tick:.0f}", at, low + 16, style.INK, middle=True))
    elements.append(f'<path d="M{left} {_TOP}V{low}H{right}" fill="none" stroke="{style.QUIET}" stroke-width="1"/>')
    elements.append(_words("patience", (left + right) / 2, low + 32, style.INK, middle=True))
    line = style.MARKS["validation"]
    steps = np.column_stack([np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]])
    elements.append(
        f'<path d="{_svg.polyline(steps)}" fill="none" stroke="{line.color}" stroke-width="2" stroke-linejoin="round"/>'
    )
    return "".join(elements)


def _words(
    text: str, x: float, y: float, color: str, *, bold: bool = False, end: bool = False, middle: bool = False
) -> str:
    anchor = ' text-anchor="end"' if end else ' text-anchor="middle"' if middle else ""
    weight = ' font-weight="bold"' if bold else ""
    size = style.FONT * _svg.PIXELS
    look = f'font-size="{size:.1f}" fill="{color}"{anchor}{weight}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{html.escape(text)}</text>'
