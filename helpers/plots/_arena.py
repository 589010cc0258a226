"""The picture of the capstone: all runs so far, epochs spent against quality, and what each of them kept and lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from helpers import style
from helpers.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from helpers.arena import Report

_LEFT, _RIGHT, _TOP, _ROW = 150, 18, 34, 19
_GUESSED = 0.5  # of the answers would be right without any model
# What could be lost, by the key of its part of the score.
_KEPT = {"kill": "model at the kill", "nan": "model after the NaN", "resumed": "epochs at the kill"}
_WHOLE = 0.8  # of the epochs at a kill; the part of an epoch that ran when it came is lost to everybody
_MANY = 12  # more runs than this are not all named by their number in the upper part


@dataclass(frozen=True)
class _Spot:
    """What is drawn of one run; `kept` says for each thing that could be lost which part of it was kept, 0 to 1."""

    number: int
    name: str
    score: float
    spread: float
    epochs: float
    quality: float
    ends: tuple[float, float]
    kept: dict[str, float]


def arena(reports: Sequence[Report], *, title: str | None = None, width: int = 640, height: int = 440) -> Figure:
    """Draw all runs of the capstone: epochs spent against quality above, below what each run kept and lost.

    Runs are numbered from 1 in the order in which they were made. A star marks the best score. A filled disc kept
    everything, a hollow one lost something; the rows below say what. A box there is filled as far as a thing was kept.

    Args:
        reports: as `helpers.arena.reports()` gives them, oldest first; at least one.
        title: a line above the picture.
        width: in pixels.
        height: in pixels.

    Returns:
        A `Figure` with `alt_text`, and a `table` of its numbers.
        Gids: `way` (the line from run to run), `run`, `best`, `range` (over seeds), `kept`, `lost`.

    Raises:
        ValueError: If there are no reports.
    """
    spots = [_spot(number, report) for number, report in enumerate(reports, start=1)]
    if not spots:
        raise ValueError("There is no report to draw yet: arena.run(...) makes one.")
    best = max(spots, key=lambda spot: spot.score)
    rows = list(_KEPT.values())
    figure = style.figure(width, height)
    wide, low, top = width - _LEFT - _RIGHT, _ROW * (len(rows) + 1), 34 + 22 * bool(title)
    upper = figure.add_axes((_LEFT / width, (low + 76) / height, wide / width, (height - low - 76 - top) / height))
    lower = figure.add_axes((_LEFT / width, 26 / height, wide / width, low / height))
    if title:
        figure.text(12 / width, 1 - 8 / height, title, ha="left", va="top", fontsize=11, fontweight="bold")
    key = f"★ best: run {best.number}, {best.score:.0f} points     ● kept all     ○ lost something"
    figure.text(_LEFT / width, 1 - (top - 10) / height, key, color=style.INK, fontsize=style.FONT, va="bottom")
    _draw_runs(upper, spots, best)
    _draw_kept(lower, spots, rows, best, wide)
    figure.alt_text = (f"{title}. " if title else "") + _tell(spots, best)
    figure.table = _table(spots, rows)
    return figure


def _spot(number: int, report: Report) -> _Spot:
    """Read from a report what is drawn."""
    qualities = [seed.quality for seed in report.seeds if seed.quality is not None] or [_GUESSED]
    shares = {part.key: part.points / part.most for part in report.parts}
    return _Spot(
        number=number,
        name=report.name,
        score=report.score,
        spread=report.spread,
        epochs=fmean(seed.epochs for seed in report.seeds),
        quality=fmean(qualities),
        ends=(min(qualities), max(qualities)),
        kept={words: shares[key] for key, words in _KEPT.items()},
    )


def _draw_runs(axes: Axes, spots: Sequence[_Spot], best: _Spot) -> None:
    style.dress(axes, grid="both")
    across, upright = [spot.epochs for spot in spots], [100 * spot.quality for spot in spots]
    ends = [[100 * spot.ends[end] for spot in spots] for end in (0, 1)]
    way, run, star = style.MARKS["ghost"], style.MARKS["validation"], style.MARKS["best"]
    better = [spot for spot in spots if all(spot.score > other.score for other in spots[: spot.number - 1])]
    places = [spot.number - 1 for spot in better]
    axes.plot(
        [across[place] for place in places], [upright[place] for place in places], color=way.color,
        linewidth=way.linewidth, zorder=2, gid="way",
    )  # fmt: skip
    axes.vlines(across, *ends, color=run.color, alpha=0.65, linewidth=4, zorder=2.2, gid="range")
    for spot, x, y in zip(spots, across, upright, strict=True):
        first, whole = spot is best, all(share >= _WHOLE for share in spot.kept.values())
        mark = star if first else run
        axes.plot(
            x, y, linestyle="", marker=mark.marker, markersize=15 if first else 7, markeredgecolor=mark.color,
            markerfacecolor=mark.color if whole else style.PAPER, markeredgewidth=1.4, zorder=4 if first else 3,
            gid="best" if first else "run",
        )  # fmt: skip
    # From 0, so that half the epochs look like half.
    axes.set_xlim(0, 1.08 * max(1, *across))
    least, most = min(ends[0]), max(ends[1])
    room = max((most - least) * 0.1, 2)
    axes.set_ylim(max(least - room, 0), most + room)
    axes.set_xlabel("epochs spent in a training, on average", labelpad=2)
    axes.set_ylabel("right on test data (%)")
    _number_runs(axes, [best, *(spots if len(spots) <= _MANY else (spots[0], spots[-1]))], across, upright)


def _number_runs(axes: Axes, spots: Sequence[_Spot], across: Sequence[float], upright: Sequence[float]) -> None:
    """Write its number beside each run, on the first side where it lies on no other number; else not at all."""
    from matplotlib.patheffects import withStroke

    taken: list[tuple[float, float]] = []
    for number in dict.fromkeys(spot.number for spot in spots):
        place = (across[number - 1], upright[number - 1])
        x, y = axes.transData.transform(place)
        for right, up in ((13, 9), (-13, 9), (13, -9), (-13, -9)):
            if all(abs(x + right - a) > 15 or abs(y + up - b) > 13 for a, b in taken):
                taken.append((x + right, y + up))
                halo = withStroke(linewidth=2.5, foreground=style.PAPER)
                axes.annotate(
                    str(number), place, path_effects=[halo], xytext=(0.72 * right, 0.72 * up),
                    textcoords="offset points", ha="center", va="center", fontsize=style.FONT,
                    fontweight="bold", color=style.INK, zorder=5,
                )  # fmt: skip
                break


def _draw_kept(axes: Axes, spots: Sequence[_Spot], rows: Sequence[str], best: _Spot, wide: int) -> None:
    """Draw a box for each run and each thing, filled as far as it was kept, crossed where none of it was."""
    style.dress(axes, grid="")
    step = min(24.0, wide / len(spots))  # pixels from run to run
    half = 0.36 * min(1.0, _ROW / step)  # of a box, in columns
    lost = style.MARKS["stop"]
    shown = [spot.number for spot in spots if len(spots) <= _MANY or spot.number % 5 == 0 or spot.number == 1]
    for spot in spots:
        apart = abs(spot.number - best.number) * step >= 15
        if step >= 15 or spot is best or (apart and spot.number in shown[::2]):
            axes.text(spot.number, len(rows), f"{spot.score:.0f}", ha="center", va="center", fontsize=8,
                      fontweight="bold" if spot is best else "normal")  # fmt: skip
        for row, name in enumerate(reversed(rows)):
            share = min(max(spot.kept[name], 0.0), 1.0)
            place = (spot.number - half, row - 0.36, 2 * half)
            _box(axes, *place, 0.72, facecolor="none", edgecolor=style.QUIET, linewidth=0.8, zorder=3)
            if share:
                _box(axes, *place, 0.72 * share, facecolor=style.MARKS["saved"].color, linewidth=0, gid="kept")
            else:
                axes.plot(spot.number, row, linestyle="", marker="x", markersize=5, color=lost.color,
                          markeredgewidth=1.4, gid="lost")  # fmt: skip
    axes.set_xlim(0.5, 0.5 + wide / step)
    axes.set_ylim(-0.5, len(rows) + 0.5)
    axes.set_yticks(range(len(rows) + 1), [*rows[::-1], "points"])
    axes.set_xticks(shown if step >= 10 else shown[::4])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.text(-0.012, -0.03, "run", transform=axes.transAxes, ha="right", va="top", fontsize=style.FONT)


def _box(axes: Axes, left: float, floor: float, width: float, height: float, **how: object) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((left, floor), width, height, **how))


def _tell(spots: Sequence[_Spot], best: _Spot) -> str:
    """Say what the picture is looked at for: the first run, the best, the last; all numbers stand in the table."""
    text = f"{count(len(spots), 'run')} of the capstone, epochs spent against quality, and what was kept and lost."
    said: dict[int, list[str]] = {}
    for word, spot in (("first", spots[0]), ("best", best), ("last", spots[-1])):
        said.setdefault(spot.number, []).append(word)
    if len(spots) == 1:
        said = {1: ["it is"]}
    for spot in spots:
        if spot.number in said:
            name = " and ".join(said[spot.number]).capitalize()
            lost = [name for name, share in spot.kept.items() if share < _WHOLE]
            kept = f"not all kept: {', '.join(lost)}" if lost else "everything kept"
            text += (
                f" {name} run {spot.number}, {spot.name}: {spot.score:.0f} points, {spot.epochs:.1f} "
                f"epochs a training, {spot.quality:.1%} right; {kept}."
            )
    return text


def _table(spots: Sequence[_Spot], rows: Sequence[str]) -> list[list[str]]:
    head = [
        "run",
        "name",
        "points",
        "spread over seeds",
        "epochs a training",
        "right on test data",
        *(f"{row}, kept" for row in rows),
    ]
    table = [head]
    for spot in spots:
        kept = (f"{spot.kept[row]:.0%}" for row in rows)
        numbers = (f"{spot.score:.0f}", f"{spot.spread:.0f}", f"{spot.epochs:.1f}", f"{spot.quality:.1%}")
        table.append([str(spot.number), spot.name, *numbers, *kept])
    return table
