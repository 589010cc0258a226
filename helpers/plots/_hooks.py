"""The picture of lesson 01: which hook Keras calls when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from helpers import style
from helpers.words import count, told_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From the outside in and out again, so that a run walks down and up these stairs.
_ROWS = (
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_test_end",
    "on_epoch_end",
    "on_train_end",
    "on_predict_begin",
    "on_predict_batch_begin",
    "on_predict_batch_end",
    "on_predict_end",
)
_LOOKS = {
    "epoch": (style.INK, "s"),
    "train": (style.MARKS["train"].color, "o"),
    "test": (style.MARKS["validation"].color, "D"),
    "predict": (style.MARKS["saved"].color, "h"),
}
_ROW = 24
# Beyond so many calls the marks are too small for numbers.
_NUMBERED = 60


def hook_timeline(
    events: Iterable[Any], *, x: str = "order", logs: bool = False, title: str | None = None, width: int = 640
) -> Figure:
    """Draw which hook Keras called when: a row for each hook, time from left to right, epochs as bands.

    Full marks are `..._begin`, hollow ones `..._end`. Numbers in the marks count epochs and batches from 1.

    Args:
        events: `HookRecorder.events`, or any records with `hook`, `index` (0-based or None), `seconds` and `keys`.
        x: `"order"` gives each call the same room, `"seconds"` places it by the clock.
        logs: Whether to write beside each row what `logs` held.
        title: A line above the picture.
        width: In pixels, the names of `logs` not counted.

    Returns:
        A `Figure` with `alt_text` and a `table` of its calls. The marks of a hook carry its name as gid, bands
        `epoch-1`, `epoch-2`, ...

    Raises:
        ValueError: If there are no events, a hook is unknown, or `x` is.
    """
    calls = list(events)
    if x not in ("order", "seconds"):
        raise ValueError(f'x must be "order" or "seconds", not {x!r}.')
    if not calls:
        raise ValueError("No hook was recorded yet: give the HookRecorder to fit, evaluate or predict first.")
    unknown = sorted({call.hook for call in calls} - set(_ROWS))
    if unknown:
        raise ValueError(f"Keras has no hook {', '.join(unknown)}. It has: {', '.join(_ROWS)}.")
    found = {call.hook for call in calls}
    rows = [hook for hook in _ROWS if hook in found]
    held = {hook: _held(calls, hook) for hook in rows}
    beside = 24 + max(6.2 * len(text) for text in held.values()) if logs else 18
    figure = style.figure(round(width + (beside - 18)), 62 + _ROW * len(rows) + (26 if title else 0))
    _draw(figure, calls, rows, held if logs else {}, beside, x, title)
    figure.alt_text = _tell(calls, title, logs=logs)
    figure.table = _table(calls, logs=logs)
    return figure


def _draw(
    figure: Figure, calls: list[Any], rows: list[str], held: dict[str, str], beside: float, x: str, title: str | None
) -> None:
    wide, high = (size * 100 for size in figure.get_size_inches())
    left, bottom, top = 18 + 7.0 * max(len(hook) for hook in rows), 40, 22 + (26 if title else 0)
    axes = figure.add_axes((left / wide, bottom / high, (wide - left - beside) / wide, (high - bottom - top) / high))
    style.dress(axes, grid="y")
    axes.spines["left"].set_visible(False)
    if title:
        figure.text(
            12 / wide, 1 - 8 / high, title, ha="left", va="top", fontsize=11, fontweight="bold", color=style.INK
        )
    places = [call.seconds if x == "seconds" else float(number) for number, call in enumerate(calls, start=1)]
    span = places[-1] - places[0] or 1.0
    room = 0.5 if x == "order" else 0.02 * span
    axes.set_xlim(places[0] - room, places[-1] + room)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("calls, in order" if x == "order" else "seconds", labelpad=3)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(axis="y", length=0, pad=6)
    for text in axes.get_yticklabels():
        text.set(family="monospace", size=style.FONT - 0.5)
    if x == "order":
        _count_calls(axes, len(calls))
    _bands(axes, calls, places, room if x == "order" else 0.0)
    height = {hook: row for row, hook in enumerate(rows)}
    path = style.MARKS["ghost"].color
    axes.plot(places, [height[call.hook] for call in calls], color=path, linewidth=0.9, zorder=2, gid="path")
    numbered = x == "order" and len(calls) <= _NUMBERED
    pixels = (wide - left - beside) / len(calls)
    size = min(12.5, max(3.0, pixels * 0.72 * 0.95)) if x == "order" else 6.0
    for hook in rows:
        at = [(place, call) for place, call in zip(places, calls, strict=True) if call.hook == hook]
        color, marker = _looks(hook)
        ends = hook.endswith("_end")
        axes.plot(
            [place for place, _ in at], [height[hook]] * len(at), linestyle="", marker=marker, color=color,
            markersize=size * (0.86 if marker == "D" else 1.0), markerfacecolor=style.PAPER if ends else color,
            markeredgecolor=color, markeredgewidth=1.2, zorder=3, gid=hook, clip_on=False,
        )  # fmt: skip
        for place, call in at:
            if numbered and call.index is not None:
                axes.text(
                    place, height[hook] + 0.02, f"{call.index + 1}", ha="center", va="center_baseline", zorder=4,
                    fontsize=min(7.5, size * 0.6), color=color if ends else style.PAPER, fontweight="bold",
                )  # fmt: skip
    if held:
        axes.annotate(
            "logs", (1, 1), (10, 5), xycoords="axes fraction", textcoords="offset points", fontsize=style.FONT,
            color=style.QUIET, fontstyle="italic",
        )  # fmt: skip
    for hook, text in held.items():
        axes.annotate(
            text, (1, height[hook]), (10, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            va="center", fontsize=style.FONT - 1, color=style.INK if text != "empty" else style.QUIET,
        )  # fmt: skip


def _count_calls(axes: Axes, amount: int) -> None:
    from matplotlib.ticker import FixedLocator

    step = next(step for step in (1, 5, 10, 50, 100, 500, 1000, 10**5) if amount <= 12 * step or step == 10**5)
    axes.xaxis.set_major_locator(FixedLocator([1, *range(step + (step == 1), amount + 1, step)]))


def _bands(axes: Axes, calls: list[Any], places: list[float], room: float) -> None:
    """Shade every other epoch, and name them all above the axes while there is room."""
    starts: dict[int, float] = {}
    bands = []
    for call, place in zip(calls, places, strict=True):
        if call.hook == "on_epoch_begin":
            starts[call.index] = place
        elif call.hook == "on_epoch_end" and call.index in starts:
            bands.append((call.index, starts[call.index], place))
    for number, (epoch, a, b) in enumerate(bands):
        axes.axvspan(
            a - room, b + room, facecolor=("#e2eaf4", "#faf6ec")[number % 2], edgecolor="none", zorder=0.3,
            gid=f"epoch-{epoch + 1}",
        )  # fmt: skip
        if len(bands) <= 6:
            axes.annotate(
                f"epoch {epoch + 1}", ((a + b) / 2, 1), (0, 4), xycoords=("data", "axes fraction"), ha="center",
                va="bottom", textcoords="offset points", fontsize=style.FONT, color=style.QUIET,
            )  # fmt: skip


def _looks(hook: str) -> tuple[str, str]:
    """Return colour and marker of a hook's family: the whole fit and its epochs, batches, evaluation, prediction."""
    if hook in ("on_train_begin", "on_train_end") or "epoch" in hook:
        return _LOOKS["epoch"]
    return _LOOKS[hook.split("_")[1]]


def _held(calls: list[Any], hook: str) -> str:
    """List what `logs` held in a hook, in any of its calls."""
    keys = list(dict.fromkeys(key for call in calls if call.hook == hook for key in call.keys))
    return ", ".join(keys[:5]) + (", …" if len(keys) > 5 else "") or "empty"


def _tell(calls: list[Any], title: str | None, *, logs: bool) -> str:
    """Say the picture in words: the order of the calls, repeated ones together, how many there are, what logs held."""
    counts = Counter(call.hook for call in calls)
    listed = ", ".join(f"{hook} {counts[hook]}" for hook in _ROWS if counts[hook])
    text = f"Hooks in the order of their calls: {_order(calls)}. How often each was called: {listed}."
    if logs:
        held = {hook: _held(calls, hook) for hook in _ROWS if counts[hook]}
        given = "; ".join(f"{names} in {hook}" for hook, names in held.items() if names != "empty")
        empty = ", ".join(hook for hook, names in held.items() if names == "empty")
        text += (f" logs held {given}." if given else "") + (f" logs was empty in {empty}." if empty else "")
    return f"{title}. {text}" if title else text


def _order(calls: list[Any]) -> str:
    """List the calls up to the end of the first epoch, a begin and end that repeat once; then what is different."""
    end = next((place for place, call in enumerate(calls) if call.hook == "on_epoch_end"), len(calls) - 1)
    parts: list[tuple[str, int]] = []
    for call in calls[: end + 1]:
        both = f"{call.hook.removesuffix('_end')}_begin and _end"
        if call.hook.endswith("batch_end") and parts and parts[-1][0] == call.hook.replace("_end", "_begin"):
            times = 1
            parts.pop()
            if parts and parts[-1][0] == both:
                times += parts.pop()[1]
            parts.append((both, times))
        else:
            parts.append((call.hook, 1))
    text = ", ".join(name if times == 1 else f"{times} times {name}" for name, times in parts)
    epochs = sum(call.hook == "on_epoch_end" for call in calls)
    if epochs > 1:
        text += f"; so in each of the {epochs} epochs" if _alike(calls) else f"; then {count(epochs - 1, 'more epoch')}"
    return text + ("; at last on_train_end" if calls[-1].hook == "on_train_end" and end < len(calls) - 1 else "")


def _alike(calls: list[Any]) -> bool:
    """Say whether each epoch has the same calls in the same order."""
    epochs: list[list[str]] = []
    for call in calls:
        if call.hook == "on_epoch_begin":
            epochs.append([])
        if epochs:
            epochs[-1].append(call.hook)
        if call.hook == "on_epoch_end":
            epochs.append([])
    whole = [hooks for hooks in epochs if hooks and hooks[0] == "on_epoch_begin" and hooks[-1] == "on_epoch_end"]
    return all(hooks == whole[0] for hooks in whole)


def _table(calls: list[Any], *, logs: bool) -> list[list[str]]:
    """Return one row for each call."""
    head = ["call", "hook", "epoch or batch", *(["logs"] if logs else [])]
    rows = [
        [str(place), call.hook, "" if call.index is None else str(call.index + 1),
         *([", ".join(call.keys) or "empty"] if logs else [])]
        for place, call in enumerate(calls, start=1)
    ]  # fmt: skip
    return [head, *told_rows(rows, [])]
