"""The picture that grows while a model trains: drawn in milliseconds, on any thread, without widgets.

What changes with each epoch (curves, waits, marks) is drawn over a stored background of axes, ticks and grid. The
background is drawn again only when the data leave the axes, and the axes grow in large steps.
"""

from __future__ import annotations

import base64
import html
import math
import struct
import zlib
from typing import Any

import numpy as np

from helpers import style, words
from helpers.live import Snapshot

__all__ = ["LivePicture"]

_WIDTH = 640
# Pixels: the margins, the two charts, and the lane for saved files at the bottom of the upper one.
_LEFT, _RIGHT, _TOP, _GAP, _BOTTOM = 62, 92, 26, 16, 42
_CURVES, _WAITS, _LANE = 226, 74, 18
_FIRST_EPOCHS = 20


class LivePicture:
    """Draws snapshots of one trainer, one after the other.

    Args:
        metric: What the upper chart shows, without `val_`.
        waits: Whether to draw the lower chart, EarlyStopping's wait against its patience.
    """

    def __init__(self, metric: str, *, waits: bool) -> None:
        self._metric = metric
        self._height = _TOP + _CURVES + _BOTTOM + (_GAP + _WAITS if waits else 0)
        self._figure = style.figure(_WIDTH, self._height)
        self._upper = self._axes(_TOP, _CURVES)
        self._lower = self._axes(_TOP + _CURVES + _GAP, _WAITS) if waits else None
        self._background: Any = None
        self._scale = 0.0
        self._xlim = self._wlim = (0.0, 0.0)
        self._alive = False
        # Values that need no new axes.
        self._room = (0.0, 0.0)
        self._make_artists()

    def html(self, now: Snapshot, *, scale: float = 1.5) -> str:
        """Return the picture of a snapshot as an HTML `<img>` with its text twin.

        Args:
            now: The snapshot.
            scale: Pixels in the file for one on the page: what the picture costs goes with its square.
        """
        data = base64.b64encode(self.png(now, scale=scale)).decode("ascii")
        alt = html.escape(words.live_twin(now, self._metric), quote=True)
        # Decoded before it is put in the old one's place, and of a known size: the page neither blinks nor jumps.
        return (
            f'<img src="data:image/png;base64,{data}" alt="{alt}" '
            f'width="{_WIDTH}" height="{self._height}" decoding="sync" class="course-figure" '
            f'style="max-width: 100%; height: auto">{style.DARK}'
        )

    def png(self, now: Snapshot, *, scale: float = 1.5) -> bytes:
        """Return the picture of a snapshot as PNG."""
        self._fit_axes(now)
        canvas = self._figure.canvas
        if self._background is None or scale != self._scale:
            self._scale = scale
            self._figure.set_dpi(100 * scale)
            canvas.draw()
            self._background = canvas.copy_from_bbox(self._figure.bbox)
        self._set_data(now)
        canvas.restore_region(self._background)
        for artist in self._artists:
            if artist.get_visible():
                self._figure.draw_artist(artist)
        return _png(np.asarray(canvas.buffer_rgba()))

    # -- axes ----------------------------------------------------------------------------------------------------

    def _axes(self, top: int, height: int) -> Any:
        from matplotlib.ticker import MaxNLocator, NullLocator

        box = (_LEFT, self._height - top - height, _WIDTH - _LEFT - _RIGHT, height)
        axes = self._figure.add_axes((box[0] / _WIDTH, box[1] / self._height, box[2] / _WIDTH, box[3] / self._height))
        style.dress(axes)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=2, steps=(1, 2, 5, 10)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(
            MaxNLocator(nbins=5 if height > 100 else 3, integer=height <= 100, steps=(1, 2, 5, 10))
        )
        if height > 100:
            axes.set_ylabel(self._metric.replace("_", " "))
        else:
            axes.set_ylabel("wait")
        lowest = self._height - top - height == _BOTTOM
        axes.tick_params(labelbottom=lowest)
        if lowest:
            axes.set_xlabel("epoch", labelpad=3)
        return axes

    def _fit_axes(self, now: Snapshot) -> None:
        """Let the axes grow if the data left them; at the end fit them to what ran."""
        first, ran = now.first_epoch, now.epochs_run
        total = max(1, now.epochs - first)
        if now.alive or not ran:
            length = min(total, _FIRST_EPOCHS)
            while length < ran:
                length = min(total, length * 2)
        else:
            length = max(ran, 2)
        limits = (first + 0.5, first + length + 0.5)
        afresh = limits != self._xlim or now.alive != self._alive
        self._alive = now.alive
        if limits != self._xlim:
            self._xlim = limits
            for axes in filter(None, (self._upper, self._lower)):
                axes.set_xlim(limits)
            self._background = None
        self._fit_values(now, afresh=afresh)
        if self._lower is not None:
            self._fit_waits(now)

    def _fit_values(self, now: Snapshot, *, afresh: bool) -> None:
        """Choose the limits of the values: once for as long as possible while a run goes on, tightly at its end."""
        names = (self._metric, f"val_{self._metric}")
        values = [v for name in names for v in now.history.get(name, ()) if v is not None and abs(v) < 1e300]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        room = self._room
        if room[0] <= low and high <= room[1] and not afresh:
            return
        if now.alive and low >= 0 and (now.epochs_run <= _FIRST_EPOCHS or low < 0.7 * high):
            # Losses fall towards 0 and accuracies rise towards 1: with both in sight no later epoch leaves the axes.
            low, high = 0.0, 1.0 if "acc" in self._metric and high <= 1 else high
        elif now.alive and not afresh:
            low, high = low - 0.25 * (high - low), high + 0.25 * (high - low)
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            low, high = (low - abs(low) * 0.1, high + abs(high) * 0.1) if low else (-0.5, 0.5)
        # Curves keep out of the lane.
        below = (high - low) * ((_LANE + 8) / _CURVES + 0.02)
        self._room = (low, high + (high - low) * 0.04)
        self._upper.set_ylim(low - below, self._room[1])
        self._background = None

    def _fit_waits(self, now: Snapshot) -> None:
        top = max([now.patience or 0, *now.patiences, *now.waits, 1])
        limit = (0.0, 1.15 * top) if not self._wlim[1] / 2.5 < top <= self._wlim[1] / 1.08 else self._wlim
        if limit != self._wlim:
            self._wlim = limit
            self._lower.set_ylim(limit)
            self._background = None

    # -- what changes with each epoch ----------------------------------------------------------------------------

    def _make_artists(self) -> None:
        upper, lower, marks = self._upper, self._lower, style.MARKS
        from matplotlib.collections import LineCollection

        def line(axes: Any, gid: str, **looks: Any) -> Any:
            (made,) = axes.plot([], [], gid=gid, animated=True, **looks)
            return made

        def text(axes: Any, color: str, *, across: Any = None, **looks: Any) -> Any:
            return axes.annotate(
                "", (1, 0), (6, 0), xycoords=across or "axes fraction", textcoords="offset points", va="center",
                color=color, fontsize=style.FONT, annotation_clip=False, animated=True, **looks,
            )  # fmt: skip

        self._curve = {
            name: line(
                upper, gid, color=marks[gid].color, linestyle=marks[gid].linestyle, linewidth=marks[gid].linewidth,
                marker="o", markersize=3.5,
            )
            for name, gid in ((self._metric, "train"), (f"val_{self._metric}", "validation"))
        }  # fmt: skip
        self._name = {
            name: text(upper, marks[gid].color, fontweight="bold")
            for name, gid in ((self._metric, "train"), (f"val_{self._metric}", "validation"))
        }
        for name, gid in ((self._metric, "train"), (f"val_{self._metric}", "validation")):
            self._name[name].set_text(gid)
        self._best = line(
            upper, "best", color=marks["best"].color, marker=marks["best"].marker, markersize=15, linestyle="",
            markeredgecolor=style.PAPER, clip_on=False,
        )  # fmt: skip
        self._kept = line(
            upper, "kept", color=marks["kept"].color, marker="o", markersize=19, linestyle="", fillstyle="none",
            markeredgewidth=marks["kept"].linewidth, clip_on=False,
        )  # fmt: skip
        self._stop = line(
            upper, "stop", color=marks["stop"].color, linestyle=marks["stop"].linestyle,
            linewidth=marks["stop"].linewidth, transform=upper.get_xaxis_transform(),
        )  # fmt: skip
        self._title = upper.annotate(
            "", (0, 1), (0, 7), xycoords="axes fraction", textcoords="offset points", ha="left", va="bottom",
            color=style.INK, fontsize=style.FONT, annotation_clip=False, animated=True,
        )  # fmt: skip
        self._saved = LineCollection(
            [], colors=marks["saved"].color, transform=upper.get_xaxis_transform(), animated=True, gid="saved"
        )
        upper.add_collection(self._saved, autolim=False)
        self._saved_count = text(upper, marks["saved"].color)
        self._saved_count.xy = (1, _LANE / 2 / _CURVES)
        self._artists = [
            self._stop, self._saved, *self._curve.values(), self._kept, self._best,
            *self._name.values(), self._saved_count, self._title,
        ]  # fmt: skip
        if lower is not None:
            window = marks["patience_window"]
            self._wait = LineCollection(
                [], colors=window.color, transform=lower.transData, animated=True, gid="wait", alpha=0.75
            )
            lower.add_collection(self._wait, autolim=False)
            self._patience = line(lower, "patience", color=marks["stop"].color, linewidth=1.6, drawstyle="steps-mid")
            self._changed = line(
                lower, "change", color=marks["stop"].color, marker="v", markersize=6, linestyle="", clip_on=False
            )
            self._patience_name = text(lower, marks["stop"].color, across=("axes fraction", "data"))
            self._wait_name = text(lower, window.color)
            self._artists += [self._wait, self._patience, self._changed, self._patience_name, self._wait_name]

    def _set_data(self, now: Snapshot) -> None:
        first, ran = now.first_epoch, now.epochs_run
        epochs = range(first + 1, first + ran + 1)
        ends = []
        for name, curve in self._curve.items():
            values = [
                math.nan if v is None or not math.isfinite(v) else v for v in now.history.get(name, [math.nan] * ran)
            ]
            curve.set_data(epochs, values)
            # Dots only while they stay apart: they cost more than the line.
            curve.set_marker("o" if ran <= 30 else "")
            last = next((v for v in reversed(values) if not math.isnan(v)), None)
            self._name[name].set_visible(last is not None)
            if last is not None:
                ends.append([last, name])
        self._place_names(ends)
        self._mark(self._best, now, now.best_epoch)
        self._mark(self._kept, now, now.kept_epoch)
        early = now.ended_by == "early stopping"
        self._stop.set_data([first + ran] * 2 if early else [], [0, 1] if early else [])
        self._title.set_text(self._headline(now))
        pixels = (self._xlim[1] - self._xlim[0]) / (_WIDTH - _LEFT - _RIGHT)
        thick = max(1.0, min(7.0, 0.62 / pixels)) * 0.72
        low, high = (_LANE / 2 - 4.5) / _CURVES, (_LANE / 2 + 4.5) / _CURVES
        self._saved.set_segments([[(epoch + 1, low), (epoch + 1, high)] for epoch in now.saves])
        self._saved.set_linewidth(thick)
        self._saved_count.set_text(f"{len(now.saves)} saved" if now.saves else "")
        if self._lower is not None:
            self._set_waits(now, epochs, thick)

    def _set_waits(self, now: Snapshot, epochs: range, thick: float) -> None:
        self._wait.set_segments([[(x, 0), (x, wait)] for x, wait in zip(epochs, now.waits, strict=False) if wait])
        self._wait.set_linewidth(thick)
        # What is asked for now counts from the epoch that runs, so the line goes on to the right edge.
        asked = now.patience if now.alive or not now.patiences else now.patiences[-1]
        running = min(epochs[-1] + 1, self._xlim[1]) if epochs else self._xlim[0]
        self._patience.set_data(
            [self._xlim[0], *epochs, running, self._xlim[1]],
            [*(now.patiences[:1] or [asked]), *now.patiences, asked, asked],
        )
        seen = [change for change in now.changes if change.name == "patience"]
        self._changed.set_data([change.epoch + 1 for change in seen], [change.new for change in seen])
        self._patience_name.xy = (1, asked or 0)
        self._patience_name.set_text(f"patience {asked}")
        wait = now.waits[-1] if now.waits else 0
        apart = 15 / _WAITS
        height, other = wait / self._wlim[1], (asked or 0) / self._wlim[1]
        # Below the other name, or above it where there is no room below.
        if abs(height - other) < apart:
            height = other - apart if other > 1.2 * apart else other + apart
        self._wait_name.xy = (1, height)
        self._wait_name.set_text(f"waited {wait}" if now.waits else "")

    def _headline(self, now: Snapshot) -> str:
        """Name the marks in the upper chart, in a line above it."""
        parts = []
        if now.best_epoch is not None and now.best is not None:
            parts.append(f"★ best {now.monitor} {now.best:.4g}: epoch {now.best_epoch + 1}")
        if now.ended_by == "early stopping":
            parts.append(f"| stop: epoch {now.first_epoch + now.epochs_run}")
        if now.kept_epoch is not None:
            parts.append(f"○ kept weights: epoch {now.kept_epoch + 1}")
        return "     ".join(parts)

    def _mark(self, mark: Any, now: Snapshot, epoch: int | None) -> None:
        name = now.monitor if now.monitor in self._curve else f"val_{self._metric}"
        values = now.history.get(name) or now.history.get(self._metric) or []
        value = values[epoch - now.first_epoch] if epoch is not None and epoch - now.first_epoch < len(values) else None
        shown = value is not None and math.isfinite(value)
        mark.set_data([epoch + 1] if shown else [], [value] if shown else [])

    def _place_names(self, ends: list[list[Any]]) -> None:
        """Write each curve's name beside its last value, the names apart from each other."""
        low, high = self._upper.get_ylim()
        ends = sorted([(value - low) / (high - low), name] for value, name in ends)
        apart = 15 / _CURVES
        if len(ends) == 2 and ends[1][0] - ends[0][0] < apart:
            middle = (ends[0][0] + ends[1][0]) / 2
            ends[0][0], ends[1][0] = middle - apart / 2, middle + apart / 2
        for height, name in ends:
            self._name[name].xy = (1, height)


def _png(pixels: np.ndarray) -> bytes:
    """Return an array of shape (height, width, 4) as PNG.

    Pillow tries five filters on each row and holds the interpreter meanwhile. Without filters a chart becomes as small,
    in half the time, and zlib lets the fit go on.
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + width * 4), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(parts)
