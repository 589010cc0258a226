"""The picture of lesson 04: who owns what after a fit with EarlyStopping and ModelCheckpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers import style
from helpers.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_WIDE, _HIGH = 670, 382
_ROW = 25
# Left, top, width and height of the four boxes, in pixels from the upper left corner.
_MODEL = (26, 46, 390, 92)
_STOPPER = (26, 212, 182, 144)
_SAVER = (234, 212, 182, 94)
_FILE = (458, 212, 190, 144)


@dataclass(frozen=True)
class Owners:
    """What a fit left behind, and where; epochs count from 1.

    Attributes:
        best: The epoch that EarlyStopping holds for the best, None if it never saw a value.
        last: The last epoch that ran.
        model_weights: The epoch whose weights the model holds.
        model_optimizer: The epoch whose end the model's optimizer remembers.
        model_steps: Steps that this optimizer has made.
        file_epoch: The epoch after which the file was written: weights and optimizer are of one moment.
        file_steps: Steps of the optimizer in the file.
        stopper_best: EarlyStopping's best value.
        stopper_wait: Its count of epochs without improvement.
        stopper_copy: The epoch of the weights that it keeps a copy of, None for no copy.
        saver_best: ModelCheckpoint's best value, None if it compares nothing.
        file_name: The file's name.
    """

    best: int | None
    last: int
    model_weights: int
    model_optimizer: int
    model_steps: int
    file_epoch: int
    file_steps: int
    stopper_best: float | None
    stopper_wait: int
    stopper_copy: int | None
    saver_best: float | None
    file_name: str


def who_owns_what(history: Any, *, model: Any, file: Any, stopping: Any, saves: Any) -> Owners:
    """Read from the objects of a fit what each of them holds.

    Args:
        history: The `History` of the fit.
        model: The model that was trained.
        file: The model that was loaded from the checkpoint's file.
        stopping: The `EarlyStopping`.
        saves: The `ModelCheckpoint`.

    Raises:
        ValueError: If no epoch ran, or the steps of an epoch are unknown.
    """
    steps = history.params.get("steps")
    if not history.epoch or not steps:
        raise ValueError("This history holds no finished epoch of known length: pass what model.fit returned.")
    last = int(history.epoch[-1]) + 1
    best = None if stopping.best is None else int(stopping.best_epoch) + 1
    copied = stopping.best_weights
    model_steps, file_steps = int(model.optimizer.iterations), int(file.optimizer.iterations)
    return Owners(
        best=best,
        last=last,
        # Only equal arrays prove that the best weights are back: not the argument that asked for it.
        model_weights=best if copied is not None and _equal(model.get_weights(), copied) else last,
        model_optimizer=round(model_steps / steps),
        model_steps=model_steps,
        file_epoch=round(file_steps / steps),
        file_steps=file_steps,
        stopper_best=None if stopping.best is None else float(stopping.best),
        stopper_wait=int(stopping.wait),
        stopper_copy=None if copied is None else best,
        saver_best=None if saves.best is None else float(saves.best),
        file_name=str(saves.filepath).replace("\\", "/").rpartition("/")[2],
    )


def _equal(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def owners(history: Any, *, model: Any, file: Any, stopping: Any, saves: Any, title: str | None = None) -> Figure:
    """Draw who owns what after a fit: the model, EarlyStopping and ModelCheckpoint in memory, the file on the disk.

    Everything that changes from epoch to epoch stands on a chip with its epoch, counted from 1. A star marks the best
    epoch, a cross the last.

    Args:
        history: The `History` of the fit.
        model: The model that was trained.
        file: The model that was loaded from the checkpoint's file.
        stopping: The `EarlyStopping`.
        saves: The `ModelCheckpoint`.
        title: A line above the picture.

    Returns:
        A `Figure` with `alt_text` and a `table` of the owners. Gids of the chips: `model-weights`, `model-optimizer`,
        `stopper-copy`, `file-weights`, `file-optimizer`.

    Raises:
        ValueError: If no epoch ran, or the steps of an epoch are unknown.
    """
    return draw(who_owns_what(history, model=model, file=file, stopping=stopping, saves=saves), title)


def draw(held: Owners, title: str | None = None) -> Figure:
    """Draw what `who_owns_what` found."""
    head = 26 if title else 0
    figure = style.figure(_WIDE, _HIGH + head)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, _WIDE), ylim=(_HIGH, -head))
    axes.set_axis_off()
    if title:
        axes.text(12, 8 - head, title, va="top", fontsize=11, fontweight="bold", color=style.INK)
    _zone(axes, (10, 10, 420, 360), "in memory: gone when the program ends", "#f6f7f9")
    _zone(axes, (446, 10, 214, 360), "on the disk: stays", "#f7f3ea")
    _boxes(axes, held)
    _arrows(axes, held)
    _legend(axes)
    figure.alt_text = _tell(held, title)
    figure.table = _table(held)
    return figure


def _zone(axes: Axes, place: tuple[int, int, int, int], name: str, colour: str) -> None:
    _box(axes, place, colour, edge=style.MARKS["ghost"].color)
    left, top, _, _ = place
    axes.text(left + 12, top + 10, name, va="top", fontsize=style.FONT, fontstyle="italic", color=style.QUIET)


def _box(axes: Axes, place: tuple[int, int, int, int], face: str, *, edge: str = style.QUIET) -> None:
    from matplotlib.patches import FancyBboxPatch

    left, top, width, height = place
    axes.add_patch(
        FancyBboxPatch((left, top), width, height, "round,pad=0,rounding_size=6", facecolor=face, edgecolor=edge)
    )


def _boxes(axes: Axes, held: Owners) -> None:
    top = _named(axes, _MODEL, "the model")
    _chip(axes, _MODEL[0], top, "weights", held.model_weights, held, "model-weights")
    steps = f"optimizer, {held.model_steps} steps"
    _chip(axes, _MODEL[0], top + _ROW, steps, held.model_optimizer, held, "model-optimizer")
    top = _named(axes, _STOPPER, "EarlyStopping")
    _line(axes, _STOPPER[0], top, f"best: {_value(held.stopper_best)}")
    _line(axes, _STOPPER[0], top + _ROW, f"best_epoch: {_from_0(held.best)} (from 0)")
    _line(axes, _STOPPER[0], top + 2 * _ROW, f"wait: {held.stopper_wait}")
    if held.stopper_copy is None:
        _line(axes, _STOPPER[0], top + 3 * _ROW, "no copy of weights")
    else:
        _chip(axes, _STOPPER[0], top + 3 * _ROW, "copy", held.stopper_copy, held, "stopper-copy")
    top = _named(axes, _SAVER, "ModelCheckpoint")
    _line(axes, _SAVER[0], top, f"best: {_value(held.saver_best)}")
    _line(axes, _SAVER[0], top + _ROW, "the file's name")
    top = _named(axes, _FILE, _short(held.file_name))
    _chip(axes, _FILE[0], top, "weights", held.file_epoch, held, "file-weights")
    _line(axes, _FILE[0], top + _ROW, f"optimizer, {held.file_steps} steps:")
    _chip(axes, _FILE[0], top + 2 * _ROW, "", held.file_epoch, held, "file-optimizer")
    _line(axes, _FILE[0], top + 3 * _ROW, "layers, compile settings")


def _named(axes: Axes, place: tuple[int, int, int, int], name: str) -> int:
    """Draw a box with its name and return where its first line stands."""
    _box(axes, place, style.PAPER)
    left, top, _, _ = place
    axes.text(left + 10, top + 9, name, va="top", fontsize=style.FONT + 0.5, fontweight="bold", color=style.INK)
    return top + 43


def _line(axes: Axes, left: float, middle: float, text: str) -> Text:
    return axes.text(left + 10, middle, text, va="center_baseline", fontsize=style.FONT, color=style.INK)


def _chip(axes: Axes, left: float, middle: float, name: str, epoch: int | None, held: Owners, gid: str) -> None:
    """Write what is held, and behind it the epoch on a chip whose colour and sign tell the best from the last."""
    from matplotlib.patches import FancyBboxPatch

    start = left + 10 + (_width(_line(axes, left, middle, f"{name}:")) + 5 if name else 0)
    mark = _mark(epoch, held)
    text = axes.text(
        start + (24 if mark else 10), middle, f"epoch {epoch}", va="center_baseline", fontsize=style.FONT,
        color=mark.color if mark else style.QUIET, fontweight="bold",
    )  # fmt: skip
    axes.add_patch(
        FancyBboxPatch(
            (start, middle - 10), _width(text) + (31 if mark else 18), 20, "round,pad=0,rounding_size=9",
            facecolor=style.PAPER, edgecolor=text.get_color(), linewidth=1.4, gid=gid,
        )
    )  # fmt: skip
    if mark:
        _sign(axes, start + 13, middle, mark)


def _mark(epoch: int | None, held: Owners) -> style.Mark | None:
    if epoch == held.best:
        return style.MARKS["best"]
    return style.MARKS["stop"] if epoch == held.last else None


def _sign(axes: Axes, x: float, y: float, mark: style.Mark) -> None:
    axes.plot(x, y, linestyle="", marker=mark.marker, color=mark.color, markersize=10 if mark.marker == "*" else 7)


def _legend(axes: Axes) -> None:
    left, middle = _SAVER[0], 340
    for name, words in (("best", "best epoch"), ("stop", "last epoch")):
        _sign(axes, left + 6, middle, style.MARKS[name])
        left += 6 + _width(_line(axes, left + 6, middle, words)) + 26


def _width(text: Text) -> float:
    """Measure a text, in pixels of the page."""
    return text.get_window_extent().width


def _arrows(axes: Axes, held: Owners) -> None:
    floor, roof = _MODEL[1] + _MODEL[3], _STOPPER[1]
    _arrow(axes, (60, floor), (60, roof), "copies at each\nnew best" if held.stopper_copy else "watches", 67)
    if held.model_weights == held.best and held.stopper_copy:
        _arrow(axes, (178, roof), (178, floor), "puts back\nat the end", 185)
    _arrow(axes, (305, floor), (305, roof), "takes everything\nwhen it saves", 312)
    right = _SAVER[0] + _SAVER[2]
    _arrow(axes, (right, 259), (_FILE[0], 259), "", 0)
    axes.text(_FILE[0], 200, "writes it anew each time", va="center", fontsize=style.FONT - 0.5, color=style.QUIET)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str, left: float) -> None:
    axes.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": style.QUIET, "lw": 1.6, "shrinkA": 2, "shrinkB": 2}
    )
    if text:
        middle = (start[1] + end[1]) / 2
        axes.text(left, middle, text, va="center", fontsize=style.FONT - 0.5, color=style.QUIET, linespacing=1.3)


def _value(value: float | None) -> str:
    return "none" if value is None else number(value)


def _from_0(epoch: int | None) -> str:
    return "none" if epoch is None else str(epoch - 1)


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:8]}…{name[-8:]}"


def _tell(held: Owners, title: str | None) -> str:
    """Say the picture in words."""
    copied = "no copy of weights"
    if held.stopper_copy is not None:
        copied = f"a copy of the weights of epoch {held.stopper_copy}"
        if held.model_weights == held.best:
            copied += ", which it has put back into the model at the end"
    head = f"{title}. " if title else ""
    return (
        f"{head}Who owns what after a fit of {held.last} epochs, of which the best is {held.best or 'unknown'}. "
        "In memory, gone when the program ends: the model, "
        f"with the weights of epoch {held.model_weights} and an optimizer of epoch {held.model_optimizer} "
        f"({held.model_steps} steps); EarlyStopping, with its best {_value(held.stopper_best)}, best_epoch "
        f"{_from_0(held.best)} counted from 0, wait {held.stopper_wait} and {copied}; ModelCheckpoint, with its best "
        f"{_value(held.saver_best)} and the file's name. On the disk, stays: the file {held.file_name}, written by "
        f"ModelCheckpoint, with weights and optimizer of epoch {held.file_epoch} ({held.file_steps} steps), the layers "
        "and the compile settings. No arrow joins the two callbacks."
    )


def _table(held: Owners) -> list[list[str]]:
    """Return one row for each owner: where it is, of which epochs its weights and optimizer are, what else it has."""
    copy = "no copy" if held.stopper_copy is None else f"{held.stopper_copy} (a copy)"
    best = f"best_epoch {_from_0(held.best)} (from 0), wait {held.stopper_wait}"
    return [
        ["owner", "where", "weights of epoch", "optimizer of epoch", "best", "what else"],
        ["the model", "memory", str(held.model_weights), f"{held.model_optimizer} ({held.model_steps} steps)", "", ""],
        ["EarlyStopping", "memory", copy, "", _value(held.stopper_best), best],
        ["ModelCheckpoint", "memory", "", "", _value(held.saver_best), "the file's name"],
        [
            held.file_name, "disk", str(held.file_epoch), f"{held.file_epoch} ({held.file_steps} steps)", "",
            "layers, compile settings",
        ],
    ]  # fmt: skip
