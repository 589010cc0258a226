"""The picture of lesson 02: how EarlyStopping counts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from helpers import history as histories
from helpers import replay, style, words
from helpers.facts import Facts, facts_of
from helpers.plots._axes import dots_of, epoch_axis, finite, number_axis, points_of, set_scale
from helpers.plots._labels import ROW, Label, place_labels
from helpers.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Numbers above the bars only while they stay apart.
_NUMBERS = 32
# Beyond this, bars have no gaps and hollow points no place.
_BARS = 80


def wait_counter(
    values: Any,
    *,
    stopping: Any = None,
    patience: int | None = None,
    min_delta: float = 0.0,
    mode: str | None = None,
    baseline: float | None = None,
    start_from_epoch: int = 0,
    monitor: str = "val_loss",
    title: str | None = None,
    width: int = 640,
    height: int = 420,
) -> Figure:
    """Draw how EarlyStopping counts: the metric above, its `wait` below, the patience as a line.

    Filled points set `wait` back to 0, hollow ones add 1. Where the count reaches the patience, training stops;
    what the log holds after that is grey.

    Args:
        values: One number per epoch, or anything that `history.read_history` takes.
        stopping: The EarlyStopping that ran (its settings are replayed), or a record of `replay.early_stopping`.
        patience: Instead of `stopping`: the patience to replay, and so the next four.
        min_delta: As in EarlyStopping.
        mode: `"min"` or `"max"`; None asks the callback, then the metric's name.
        baseline: As in EarlyStopping.
        start_from_epoch: As in EarlyStopping, 0-based.
        monitor: The metric.
        title: A line above the picture.
        width: In pixels.
        height: In pixels.

    Returns:
        A `Figure` with `alt_text` and a `table` of its epochs. Gids: `validation` (the values), `reset`,
        `no-improvement`, `wait` (the bars),
        `patience`, `best`, `stop`, `ghost`.

    Raises:
        ValueError: If neither or both of `stopping` and `patience` are given, or the log is bad.
    """
    if (stopping is None) == (patience is None):
        raise ValueError("Give either stopping, the EarlyStopping that ran, or patience, a number of epochs.")
    run = histories.read_history(values, monitor=monitor)
    facts = facts_of(run, monitor=monitor, stopping=stopping, mode=mode)
    if stopping is None:
        settings = {"patience": patience, "min_delta": min_delta, "baseline": baseline}
        settings["start_from_epoch"] = start_from_epoch
    else:
        names = ("patience", "min_delta", "baseline", "start_from_epoch")
        settings = {name: getattr(stopping, name) for name in names}
    # One value for every number, also where a line is missing: the same to EarlyStopping, and a place for each bar.
    log, first = facts.monitored, facts.first
    record = replay.early_stopping(log, mode=facts.mode, epochs=range(first, first + len(log)), **settings)
    figure = style.figure(width, height)
    _draw(figure, log, record, first, monitor, title)
    told = facts_of(run, monitor=monitor, stopping=record)
    # The other half of the metric is not in the picture, and of a callback that ran it is known what never did.
    hidden = {"train" if told.monitored is told.validation else "validation": None}
    facts = replace(told, **hidden, beyond=told.beyond if stopping is None else facts.beyond)
    figure.alt_text = (f"{title}. " if title else "") + _tell(facts, record)
    figure.table = _table(facts, record)
    return figure


def _draw(
    figure: Figure, log: list[float | None], record: replay.StoppingRecord, first: int, monitor: str, title: str | None
) -> None:
    wide, high = (size * 100 for size in figure.get_size_inches())
    bottom, between, top = 46, 14, 46 + (26 if title else 0)
    lower = 0.36 * (high - bottom - between - top)
    upper = high - bottom - between - top - lower
    above = figure.add_axes((0.1, (bottom + lower + between) / high, 0.8, upper / high))
    below = figure.add_axes((0.1, bottom / high, 0.8, lower / high))
    if title:
        figure.text(
            12 / wide, 1 - 8 / high, title, ha="left", va="top", fontsize=11, fontweight="bold", color=style.INK
        )
    for axes in (above, below):
        style.dress(axes)
        epoch_axis(axes, first, len(log))
    above.tick_params(labelbottom=False)
    numbers = finite(log)
    set_scale(above, numbers, numbers, above=0.1)
    number_axis(above, monitor, right=24)
    place = above.get_position()
    below.set_position((place.x0, bottom / high, place.width, lower / high))
    below.set_xlabel("epoch", labelpad=3)
    _draw_values(above, log, record, first)
    _draw_waits(below, record, first, len(log))
    below.yaxis.set_label_coords((19 - place.x0 * wide) / (place.width * wide), 0.5)


def _draw_values(axes: Axes, log: list[float | None], record: replay.StoppingRecord, first: int) -> None:
    line, ghost = style.MARKS["validation"], style.MARKS["ghost"]
    x, y = points_of(log[record.epochs_run - 1 :], first + record.epochs_run - 1)
    if record.epochs_run < len(log):
        axes.plot(x, y, color=ghost.color, linewidth=ghost.linewidth, gid="ghost", zorder=2.7, marker="o",
                  markersize=2.5, markevery=dots_of(y, every=False))  # fmt: skip
    x, y = points_of(log[: record.epochs_run], first)
    axes.plot(x, y, color=line.color, linewidth=1.2, gid="validation", zorder=3)
    size = 6.5 if len(log) <= _NUMBERS else 4.0 if len(log) <= _BARS else 3.0
    kinds = _kinds(log, record)
    for kind, gid, fill in (("reset", "reset", line.color), ("waits", "no-improvement", style.PAPER)):
        places = [place for place, found in enumerate(kinds) if found == kind]
        if kind == "waits" and len(log) > _BARS:
            continue
        axes.plot(
            [first + place + 1 for place in places], [_height(axes, log[place]) for place in places], linestyle="",
            marker="o", markersize=size, color=line.color, markerfacecolor=fill, markeredgecolor=line.color,
            markeredgewidth=1.4, gid=gid, zorder=4, transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
    if record.best is not None:
        best = style.MARKS["best"]
        axes.plot(
            [record.best_epoch + 1], [_height(axes, record.best)], linestyle="", marker=best.marker,
            markersize=15, color=best.color, markeredgecolor=style.PAPER, markeredgewidth=0.8, gid="best", zorder=5,
            transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
    ignored = [place for place, found in enumerate(kinds) if found == "ignored"]
    axes.plot(
        [first + place + 1 for place in ignored], [_height(axes, log[place]) for place in ignored], linestyle="",
        marker=".", markersize=6, color=style.QUIET, gid="ignored", zorder=4, transform=axes.get_xaxis_transform(),
    )  # fmt: skip
    if len(log) <= _NUMBERS:
        for place, kind in enumerate(kinds):
            if kind != "missing" and not math.isfinite(log[place]):
                axes.annotate(
                    number(log[place]), (first + place + 1, 0.96), (6, 0), textcoords="offset points", va="center",
                    xycoords=("data", "axes fraction"), fontsize=style.FONT - 1, color=style.INK,
                )  # fmt: skip
    _key(axes, record, size, hollow=len(log) <= _BARS, ignored=bool(ignored))
    place_labels(axes, _labels(axes, record), rows=1)


def _labels(axes: Axes, record: replay.StoppingRecord) -> list[Label]:
    stop, best = style.MARKS["stop"], style.MARKS["best"]
    labels = []
    if record.stopped_epoch is not None:
        epoch = record.stopped_epoch + 1
        text = f"stop: epoch {epoch}"
        labels.append(Label(epoch, text, stop.color, ("right", "left"), stop.linestyle, stop.linewidth, 0.0, "stop"))
    if record.best is not None:
        epoch = record.best_epoch + 1
        text, bottom = f"best: epoch {epoch}", _height(axes, record.best)
        labels.append(Label(epoch, text, best.color, ("left", "right"), best.linestyle, best.linewidth, bottom))
    return labels


def _key(axes: Axes, record: replay.StoppingRecord, size: float, *, hollow: bool, ignored: bool) -> None:
    """Say what full and hollow points mean, in a line above the labels."""
    from matplotlib.lines import Line2D

    color = style.MARKS["validation"].color
    looks = {"linestyle": "", "marker": "o", "markersize": size, "color": color, "markeredgewidth": 1.4}
    # A new best that misses the baseline counts on, as Keras does.
    reset, again = ("new best: wait back to 0", "no new best: wait + 1")
    if record.baseline is not None:
        reset, again = ("new best past baseline: wait 0", "otherwise: wait + 1")
    handles = [
        Line2D([], [], **looks, label=reset),
        Line2D(
            [],
            [],
            **(looks if hollow else {"linestyle": "-", "color": color, "linewidth": 1.2}),
            markerfacecolor=style.PAPER,
            label=again,
        ),
    ]
    if ignored:
        looks |= {"marker": ".", "color": style.QUIET, "markersize": 6}
        handles.append(Line2D([], [], **looks, label="not looked at yet"))
    unit = axes.figure.get_figheight() * 100 * axes.get_position().height
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1 + (ROW + 4) / unit), ncols=3, frameon=False,
        borderpad=0, borderaxespad=0, handletextpad=0.2, columnspacing=1.4, fontsize=style.FONT,
        labelcolor=style.INK,
    )  # fmt: skip


def _height(axes: Axes, value: float) -> float:
    """Return where a value stands, as a fraction of the axes' height; at the top if it is no finite number."""
    if not math.isfinite(value):
        return 0.96
    return float(axes.transAxes.inverted().transform(axes.transData.transform((1, value)))[1])


def _kinds(log: list[float | None], record: replay.StoppingRecord) -> list[str]:
    """Say for each epoch that ran what EarlyStopping made of it."""
    kinds = []
    for place, wait in enumerate(record.waits):
        if log[place] is None:
            kinds.append("missing")
        elif record.epochs[place] < record.start_from_epoch:
            kinds.append("ignored")
        else:
            kinds.append("waits" if wait else "reset")
    return kinds


def _draw_waits(axes: Axes, record: replay.StoppingRecord, first: int, length: int) -> None:
    from matplotlib.collections import PolyCollection

    # Keras compares only after it has added 1, so a patience of 0 does what 1 does.
    limit = max(1, record.patience)
    top = max([limit, *record.waits]) * 1.3 + 0.3
    axes.set_ylim(0, top)
    axes.set_ylabel("wait")
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**6) if top <= 5 * s or s == 10**6)
    axes.set_yticks(range(0, int(top) + 1, step))
    stop, window = style.MARKS["stop"], style.MARKS["patience_window"]
    end = None if record.stopped_epoch is None else record.epochs_run - 1
    pixels = axes.get_position().width * axes.figure.get_figwidth() * 100
    half = min(0.36, 20 * length / pixels) if length <= _BARS else 0.5

    def bar(place: int) -> list[tuple[float, float]]:
        x, wait = first + place + 1, record.waits[place]
        return [(x - half, 0), (x - half, wait), (x + half, wait), (x + half, 0)]

    bars = [bar(place) for place, wait in enumerate(record.waits) if wait]
    axes.add_collection(
        PolyCollection(
            bars, facecolor=window.fill if length <= _BARS else window.color, edgecolor=window.color,
            linewidth=0.9 if length <= _BARS else 0, zorder=3, gid="wait",
        ),
        autolim=False,
    )  # fmt: skip
    if end is not None:
        axes.add_collection(PolyCollection([bar(end)], facecolor=stop.color, edgecolor=stop.color, zorder=3.2))
    if length <= _NUMBERS:
        for place, wait in enumerate(record.waits):
            axes.annotate(
                f"{wait}", (first + place + 1, wait), (0, 2), textcoords="offset points", ha="center", va="bottom",
                color=style.INK if wait else style.QUIET, fontsize=style.FONT - 0.5, zorder=6,
                bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.6} if place == end else None,
            )  # fmt: skip
    axes.axhline(limit, color=stop.color, linestyle=(0, (5, 2)), linewidth=1.3, zorder=3.1, gid="patience")
    text = f"patience {record.patience}" + (" (works as 1)" if record.patience == 0 else "")
    # Bars may reach the line (with a baseline they even cross it), what never ran has none: its name goes there.
    early = end is not None and end < 0.7 * length
    axes.annotate(
        text, (1.0 if early else 0.0, limit), (-2 if early else 4, 2), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="right" if early else "left", va="bottom", color=stop.color,
        fontsize=style.FONT, zorder=6,
    )  # fmt: skip


def _tell(facts: Facts, record: replay.StoppingRecord) -> str:
    """Say the picture in words: the rule, the curve, the count, and how it ends."""
    settings = {"min_delta": 0.0, "baseline": None, "start_from_epoch": 0}
    # Keras keeps min_delta with the sign of its direction.
    given = {name: getattr(record, name) for name in settings} | {"min_delta": abs(record.min_delta)}
    others = "".join(f", {name} {given[name]:g}" for name, usual in settings.items() if given[name] != usual)
    text = f"EarlyStopping counts on {facts.monitor} with patience {record.patience}{others}. {words.curves(facts)}"
    resets = [epoch for epoch, kind in _by_epoch(facts, record) if kind == "reset"]
    ignored = [epoch for epoch, kind in _by_epoch(facts, record) if kind == "ignored"]
    if ignored:
        text += f" Not looked at: {words.epochs_of(ignored)}."
    if resets:
        text += f" wait is 0 after {words.epochs_of(resets)}."
    if top := max(record.waits):
        text += f" It is highest after epoch {facts.first + record.waits.index(top) + 1}: {top}."
    return f"{text} {words.marks(facts, kept=False)}".replace("\n", " ")


def _table(facts: Facts, record: replay.StoppingRecord) -> list[list[str]]:
    """Return the picture as rows: each epoch with its value, what EarlyStopping made of it, and its count."""
    made = {"reset": "new best", "waits": "no new best", "ignored": "not looked at", "missing": "no value"}
    if record.baseline is not None:
        made |= {"reset": "new best past baseline", "waits": "otherwise"}
    rows = [
        [str(epoch + 1), number(facts.value(epoch)), made[kind], str(wait)]
        for (epoch, kind), wait in zip(_by_epoch(facts, record), record.waits, strict=True)
    ]
    rest = range(facts.last + 1, facts.first + facts.length)
    rows += [[str(epoch + 1), number(facts.value(epoch)), facts.beyond, ""] for epoch in rest]
    told = [epoch - facts.first for epoch in (facts.best, facts.last, facts.unseen) if epoch is not None]
    return [["epoch", facts.monitor, "what it is", "wait"], *words.told_rows(rows, told)]


def _by_epoch(facts: Facts, record: replay.StoppingRecord) -> list[tuple[int, str]]:
    return list(enumerate(_kinds(facts.monitored, record), facts.first))
