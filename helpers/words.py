"""The words of the course's pictures: what a person reads, or hears, in place of one, and the sentences beside it.

Everything that speaks of a run speaks here: learning curves, the explorer, the command line and the live fit. No
Matplotlib and no widgets. Epochs come 0-based and leave counted from 1, as Keras prints them. In sentences for the
explorer, `**` marks the two words to look at.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from helpers.facts import Facts

if TYPE_CHECKING:
    from helpers.live import Change, Snapshot

__all__ = [
    "count", "curves", "enough", "epochs_of", "labels", "live_changes", "live_failure", "live_progress", "live_state",
    "live_twin", "marks", "missed", "number", "outcome", "plain", "price", "seconds", "spared", "summary",
    "table", "told_rows", "twin",
]  # fmt: skip

# Of a curve's height: a turn smaller than this is not worth a word.
_TURN = 0.05
# A curve with more turns is told as a zigzag.
_TURNS = 4
# Longer tables than this leave rows out.
_ROWS = 100
# Steps of one drag follow each other within so many seconds: a busy kernel hears the last of them late.
_DRAG_SECONDS = 2.0


def number(value: float | None) -> str:
    """Write a metric's value."""
    if value is None:
        return "no value"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return f"{value:.4g}"


def count(amount: int, thing: str) -> str:
    """Write `1 epoch`, `2 epochs`."""
    return f"{amount:,} {thing}{'' if amount == 1 else 's'}"


def epochs_of(epochs: Iterable[int], *, plural: bool = False) -> str:
    """List epochs as `epochs 1 to 3, 7`, the middle of a long list left out.

    Args:
        epochs: 0-based.
        plural: Whether it is `epochs` also for a single one.
    """
    # A range is one run as it stands; the explorer writes thousands of them.
    runs = [[epochs.start, epochs.stop - 1]] if isinstance(epochs, range) and epochs.step == 1 else []
    for epoch in () if runs else sorted(epochs):
        if runs and epoch == runs[-1][1] + 1:
            runs[-1][1] = epoch
        else:
            runs.append([epoch, epoch])
    parts = []
    for a, b in runs:
        parts += [f"{a + 1}"] if a == b else [f"{a + 1}", f"{b + 1}"] if b == a + 1 else [f"{a + 1} to {b + 1}"]
    if len(parts) > 12:
        parts = [*parts[:6], "…", *parts[-3:]]
    word = "epochs" if plural or len(parts) > 1 or " " in parts[0] else "epoch"
    return f"{word} {', '.join(parts)}"


def plain(text: str) -> str:
    """Return a sentence without the marks of what is bold."""
    return text.replace("**", "")


# -- learning curves -------------------------------------------------------------------------------------------------


def twin(facts: Facts) -> str:
    """Say what a picture of learning curves shows, one fact a line."""
    return f"{curves(facts)}\n{marks(facts)}"


def curves(facts: Facts) -> str:
    """Say how the curves go: what they are, where they begin, turn and end, and where they cross."""
    better = "smaller" if facts.mode == "min" else "larger"
    halves = {"train": facts.train, "validation": facts.validation}
    there = {name: values for name, values in halves.items() if values is not None}
    odd = [e for e, v in enumerate(facts.monitored, facts.first) if v is not None and not math.isfinite(v)]
    missing = sum(value is None for value in facts.monitored)
    text = f"{facts.monitor} over {count(facts.length, 'epoch')} ({' and '.join(there)}; {better} is better)."
    for name, values in there.items():
        text += _way(name, values, facts)
    if len(there) == 2:
        text += _crossing(facts)
    text += _bumps(facts)
    if odd:
        text += f" Not a finite number in {epochs_of(odd, plural=True)}."
    if missing:
        text += f" No value in {count(missing, 'epoch')}."
    return text


def _way(name: str, values: Sequence[float | None], facts: Facts) -> str:
    """Say where one curve begins, turns and ends."""
    points = [(e, v) for e, v in enumerate(values, facts.first) if v is not None and math.isfinite(v)]
    if len(points) < 2:
        return ""
    (_, start), (last, end) = points[0], points[-1]
    height = max(v for _, v in points) - min(v for _, v in points)
    turns = _turns(points, _TURN * height)
    if len(turns) > _TURNS:
        # A zigzag: its best is the one turn that matters, unless it lies at an end.
        best = min(points, key=lambda point: point[1] if facts.mode == "min" else -point[1])
        turns = [best] if best[0] not in (points[0][0], last) and abs(end - best[1]) > _TURN * height else []
    ends = "" if last == facts.first + facts.length - 1 else f" after epoch {last + 1}"
    text = f" The {name} curve "
    if height == 0:
        return f"{text}stays at {number(start)}."
    if not turns and abs(end - start) <= _TURN * height:
        return f"{text}begins at {number(start)} and ends at {number(end)}{ends}."
    legs, at = [], start
    for epoch, value in [*turns, (None, end)]:
        where = ends if epoch is None else f" after epoch {epoch + 1}"
        verb = "falls" if value < at else "rises"
        legs.append(
            f"{verb} to {number(value)}{where}" if legs else f"{verb} from {number(at)} to {number(value)}{where}"
        )
        at = value
    if len(legs) > 1:
        legs[-1] = f"then {legs[-1]}"
    return f"{text}{', '.join(legs)}."


def _turns(points: Sequence[tuple[int, float]], least: float) -> list[tuple[int, float]]:
    """Return the points at which a curve turns, those left out from which it goes back by no more than `least`."""
    turns: list[tuple[int, float]] = []
    low = high = peak = points[0]
    up = 0
    for point in points[1:]:
        if up == 0:
            # The first leg has no direction yet.
            low, high = min(low, point, key=lambda p: p[1]), max(high, point, key=lambda p: p[1])
            if high[1] - low[1] > least:
                up, peak = (1, high) if high[0] > low[0] else (-1, low)
        elif (point[1] - peak[1]) * up > 0:
            peak = point
        elif (peak[1] - point[1]) * up > least:
            turns.append(peak)
            up, peak = -up, point
    return turns


def _bumps(facts: Facts) -> str:
    """Say in how many steps the monitored curve gets worse: a curve that falls may do so in a zigzag."""
    values = [v for v in facts.monitored if v is not None and math.isfinite(v)]
    worse = sum((b > a) if facts.mode == "min" else (b < a) for a, b in pairwise(values))
    if len(values) < 3:
        return ""
    return f" {facts.monitor} {f'gets worse in {worse} of {len(values) - 1} steps' if worse else 'never gets worse'}."


def _crossing(facts: Facts) -> str:
    """Say in which epochs validation lies above or below train."""
    pairs = enumerate(zip(facts.train or (), facts.validation or (), strict=False), facts.first)
    sides = [
        (epoch, validation > train)
        for epoch, (train, validation) in pairs
        if None not in (train, validation) and math.isfinite(train) and math.isfinite(validation)
        and train != validation
    ]  # fmt: skip
    if not sides:
        return ""
    turns = [epoch for (_, before), (epoch, now) in pairwise(sides) if before != now]
    word = "above" if sides[-1][1] else "below"
    if not turns:
        return f" Validation lies {word} train all the way."
    if len(turns) == 1:
        return f" They cross once: from epoch {turns[0] + 1} on validation lies {word} train."
    return f" They cross {len(turns)} times, last at epoch {turns[-1] + 1}: from there validation lies {word} train."


def marks(facts: Facts, *, kept: bool = True) -> str:
    """Say what the marks on the curves show, one fact a line.

    Args:
        facts: From `facts_of`.
        kept: Whether the picture shows whose weights the model ends with.
    """
    lines = [_best(facts), _end(facts), _unseen(facts)]
    if kept and facts.shows_kept:
        how = "restored" if facts.restored else "the last that ran"
        lines.append(f"The model ends with the weights of epoch {facts.kept + 1} ({how}).")
    if facts.saved is not None:
        lines.append(_saved(facts))
    return "\n".join(line for line in lines if line)


def _best(facts: Facts) -> str:
    if facts.best is None:
        return "There is no best epoch: no value was looked at."
    value = number(facts.value(facts.best))
    if facts.best_by != facts.monitor:
        return f"Best {facts.best_by} after epoch {facts.best + 1}; {facts.monitor} there is {value}."
    return f"Best after epoch {facts.best + 1}: {value}."


def _end(facts: Facts) -> str:
    if not facts.stopping:
        return ""
    waited = "" if facts.window is None else f", {epochs_of(range(facts.window[0], facts.window[1] + 1))}"
    if facts.stop is not None:
        return (
            f"Stopped after epoch {facts.stop + 1}: "
            f"{count(facts.waited, 'epoch')} without a new best (patience {facts.patience}{waited}); "
            f"{facts.monitor} there is {number(facts.value(facts.stop))}."
        )
    waiting = f"waited {facts.waited} of patience {facts.patience}{waited}"
    return f"Not stopped: the epochs ran out after epoch {facts.last + 1} ({waiting})."


def _unseen(facts: Facts) -> str:
    """Say what came after the stop, and whether that was a loss."""
    if facts.epochs_run >= facts.length:
        return ""
    never = range(facts.last + 1, facts.first + facts.length)
    text = f"In grey, {count(len(never), 'epoch')} that {facts.beyond}: {epochs_of(never)}."
    if facts.unseen is None:
        return text
    value, best = facts.value(facts.unseen), None if facts.best is None else facts.value(facts.best)
    if best is None or not math.isfinite(best) or facts.best_by != facts.monitor:
        return f"{text} The best of them is epoch {facts.unseen + 1} ({number(value)})."
    better = value < best if facts.mode == "min" else value > best
    than = "better than all before it" if better else "no better than the best before"
    return f"{text} The best of them, epoch {facts.unseen + 1} ({number(value)}), is {than}."


def _saved(facts: Facts) -> str:
    if not facts.saved:
        return "No file was saved."
    if len(facts.saved) == facts.epochs_run:
        return f"Saved after every epoch ({count(len(facts.saved), 'time')})."
    return f"Saved after {epochs_of(facts.saved)} ({count(len(facts.saved), 'time')})."


def table(facts: Facts) -> list[list[str]]:
    """Return learning curves as rows of cells, one for each epoch, the head first; marks stand in the last column."""
    halves = {"train": facts.train, "validation": facts.validation}
    there = {name: values for name, values in halves.items() if values is not None}
    marks = {epoch: _marks_at(facts, epoch) for epoch in range(facts.first, facts.first + facts.length)}
    rows = [
        [str(epoch + 1), *(number(values[epoch - facts.first]) for values in there.values()), ", ".join(said)]
        for epoch, said in marks.items()
    ]
    told = {facts.best, facts.stop, facts.last, facts.kept, facts.unseen}
    return [["epoch", *there, "marks"], *told_rows(rows, [epoch - facts.first for epoch in told - {None}])]


def _marks_at(facts: Facts, epoch: int) -> list[str]:
    """Name the marks that a picture of learning curves has at one epoch."""
    if epoch > facts.last:
        return [facts.beyond]
    window = facts.window or (0, -1)
    there = {
        "best": epoch == facts.best,
        "waited": window[0] <= epoch <= window[1],
        "stop": epoch == facts.stop,
        "kept": facts.shows_kept and epoch == facts.kept,
        "saved": epoch in (facts.saved or ()),
    }
    return [name for name, is_there in there.items() if is_there]


def told_rows(rows: Sequence[list[str]], told: Iterable[int]) -> list[list[str]]:
    """Return the rows of a table, at most about a hundred of them.

    Args:
        rows: Of the whole table.
        told: Places of rows that no table leaves out, and neither does it the first and the last.
    """
    step = -(-len(rows) // _ROWS)
    places = {*range(0, len(rows), step), *told, len(rows) - 1}
    return [row for place, row in enumerate(rows) if place in places]


# -- one patience of many ---------------------------------------------------------------------------------------------


def outcome(facts: Facts, top: int, *, start_from_epoch: int = 0, close: int = 0) -> str:
    """Say what one patience does, one fact a sentence.

    Args:
        facts: Of the run with this patience; `facts.patience` is a number.
        top: The best epoch of the whole log (0-based).
        start_from_epoch: As given to EarlyStopping.
        close: How many epochs that ran were better than its best, but by no more than `min_delta`.
    """
    value = facts.value(top)
    sentences = [f"Best of all {facts.length} epochs: epoch {top + 1} ({facts.monitor} {number(value)})."]
    patience, seen = f"**patience {facts.patience}**", top <= facts.last
    if facts.best is None:
        sentences.append(
            f"With start_from_epoch {start_from_epoch} EarlyStopping never looks: all {facts.length} epochs run."
        )
    elif facts.stop is None:
        sentences.append(f"With {patience} nothing stops the training: **all {facts.length} epochs** run.")
    else:
        later = facts.stop - top
        after = "which is that epoch" if later == 0 else f"{count(later, 'epoch')} later"
        end = f", {after}." if seen else f": it never sees epoch {top + 1}."
        sentences.append(f"With {patience} training stops after **epoch {facts.stop + 1}**{end}")
    if facts.best is not None and facts.best != top:
        if seen and top < start_from_epoch:
            sentences.append(f"Epoch {top + 1} was not looked at.")
        elif seen:
            sentences.append(f"Epoch {top + 1} did not count: it was not better by more than min_delta.")
        sentences.append(f"Its own best is epoch {facts.best + 1} ({number(facts.value(facts.best))}).")
    if close > (facts.best is not None and facts.best != top and seen and top >= start_from_epoch):
        were = "was" if close == 1 else "were"
        sentences.append(f"{count(close, 'epoch')} {were} better by min_delta or less, which did not count.")
    kept = f"epoch {facts.kept + 1} ({facts.monitor} {number(facts.value(facts.kept))})"
    if facts.restored:
        sentences.append(f"The weights of {kept} are put back.")
    else:
        sentences.append(f"The model keeps its last weights, those of {kept}.")
    files = len(facts.saved or ())
    times = {0: "No file written", 1: "1 file, written once"}.get(files, f"1 file, written {files:,} times")
    return " ".join([*sentences, f"{times}."])


def labels(facts: Facts) -> dict[str, str]:
    """Return the words beside the marks that are there: `stop`, `best`, `kept`, `window`, `never`, `saved`."""
    words = {}
    if facts.stop is not None:
        also = ", kept" if facts.kept == facts.stop else ""
        words["stop"] = f"stop{also}: epoch {facts.stop + 1}"
    if facts.best is not None:
        by = "" if facts.best_by == facts.monitor else f" {facts.best_by}"
        also = ", kept" if facts.shows_kept and facts.kept == facts.best != facts.stop else ""
        words["best"] = f"best{by}{also}: epoch {facts.best + 1}"
    if facts.shows_kept and facts.kept not in (facts.stop, facts.best):
        # Beside marks of what files hold, "kept" would be read as the file's.
        held = "kept" if facts.saved is None else "in memory"
        words["kept"] = f"{held}: epoch {facts.kept + 1}"
    if facts.window is not None:
        stopped = facts.stop is not None
        words["window"] = f"patience {facts.patience}" if stopped else f"waited {facts.waited} of {facts.patience}"
    if facts.epochs_run < facts.length:
        words["never"] = facts.beyond
    if facts.saved is not None:
        words["saved"] = f"{len(facts.saved) or 'none'} saved"
    return words


def enough(patience: int | None, top: int, *, whole: int) -> str:
    """Say which patience is the smallest that still runs the best epoch.

    Args:
        patience: That patience; None if there is none.
        top: The best epoch of the whole log (0-based).
        whole: How many epochs the log has.
    """
    if patience is None:
        return f"No patience up to here reaches epoch {top + 1}."
    if patience <= 1:
        return f"Any patience reaches epoch {top + 1}, the best of these {whole} epochs."
    return f"Patience **{patience}** is the smallest that reaches epoch {top + 1}, the best of these {whole} epochs."


def missed(monitor: str, *, restores: bool) -> str:
    """Name the picture of what each patience costs in quality; it says which weights count."""
    return f"{monitor} missed ({'best weights put back' if restores else 'last weights count'})"


def price(patience: int, epochs: int, missed: float, monitor: str) -> str:
    """Say what one patience costs."""
    lost = "missed quality unknown" if math.isnan(missed) else f"{number(missed)} of {monitor} missed"
    return f"Marked below is patience {patience}: {count(epochs, 'epoch')} run, {lost}."


def spared(ran: int, whole: int) -> str:
    """Say what a stop would have spared, in epochs."""
    if ran == whole:
        return "It spares nothing."
    return f"It spares {count(whole - ran, 'epoch')} of {whole:,} ({100 * (whole - ran) / whole:.0f} %)."


def summary(needed: Sequence[int], runs: int) -> str:
    """Say for how many of several runs which patience would have done.

    Args:
        needed: The smallest patience that reaches the best epoch, of each run that has one, rising.
        runs: How many runs there are.
    """
    if not needed:
        return f"No patience up to here reaches the best epoch of any of {runs} runs."
    half, whole = needed[(len(needed) - 1) // 2], needed[-1]
    some = f"patience {half} reaches the best epoch of {sum(n <= half for n in needed)}"
    if half == whole:
        return f"Of {runs} runs, {some}."
    return f"Of {runs} runs, {some}, patience {whole} of {'all' if len(needed) == runs else len(needed)}."


# -- a fit that is running -------------------------------------------------------------------------------------------


def live_state(now: Snapshot) -> str:
    """Say in one or two sentences what the run does, or how it ended."""
    done = now.first_epoch + now.epochs_run
    if now.state == "ready":
        return "Ready. Nothing trains before you press Start."
    if now.state == "failed":
        return f"Failed {_after(done)}."
    if now.state != "done":
        return {
            "running": "Training.",
            "pausing": "Pausing before the next batch.",
            "paused": f"Paused {_after(done)}.",
            "stopping": "Stopping after this batch.",
        }[now.state]
    waited = count(now.waits[-1] if now.waits else 0, "epoch")
    ending = {
        "early stopping": f"EarlyStopping stopped the fit {_after(done)}: {waited} without improvement, "
        f"patience {_in_force(now)}.",
        "epochs": f"All epochs are done: the fit ended {_after(done)}.",
        "stop": f"You stopped the fit {_after(done)}.",
        "callback": f"A callback stopped the fit {_after(done)}.",
    }[now.ended_by or "epochs"]
    if now.kept_epoch is None:
        return ending
    which = "the last" if now.kept_epoch == done - 1 else "the best"
    return f"{ending} The model holds the weights of epoch {now.kept_epoch + 1}, {which}."


def live_progress(now: Snapshot) -> str:
    """Say how far the run is and how long it takes."""
    done = now.first_epoch + now.epochs_run
    parts = [f"Epoch {done} of {now.epochs}", f"{seconds(now.seconds)} so far"]
    # The first epoch also compiles: it foretells nothing.
    if now.alive and now.seconds_left is not None and now.epochs_run > 1:
        left = f"{seconds(now.seconds_left)} to go"
        parts.append(f"at most {left}" if now.monitor else left)
    if now.waits and now.alive:
        parts.append(f"waited {now.waits[-1]} of {now.patience}")
    return " · ".join(parts)


def live_changes(now: Snapshot) -> list[str]:
    """Say one sentence for each setting that was changed during the run, and for those still to come.

    Steps of one drag, which come in epochs that follow each other or soon after each other, are one change.
    """
    drags: list[tuple[Change, Change]] = []
    for change in now.changes:
        first, last = drags[-1] if drags else (change, None)
        near = last and (change.epoch - last.epoch <= 1 or change.seconds - last.seconds <= _DRAG_SECONDS)
        if near and (last.name, last.new) == (change.name, change.old):
            drags[-1] = first, change
        else:
            drags.append((change, change))
    lines = []
    for first, last in drags:
        when = f"in epochs {first.epoch + 1} to {last.epoch + 1}"
        when = f"at the end of epoch {last.epoch + 1}" if first == last else when
        lines.append(f"{last.name} went from {first.old:g} to {last.new:g} {when}.")
    if now.alive and now.patiences and now.patience != now.patiences[-1]:
        running = now.first_epoch + now.epochs_run + 1
        lines.append(f"patience {now.patience} counts from the end of epoch {running} on.")
    return lines


def live_failure(now: Snapshot) -> str:
    """Say what was raised, in one line."""
    text = " ".join(str(now.error).split())
    return f"{type(now.error).__name__}: {text}" if text else type(now.error).__name__


def live_twin(now: Snapshot, metric: str) -> str:
    """Say what the picture of a running fit shows; not what stands below it, `live_state` and `live_changes`."""
    if not now.epochs_run:
        return f"An empty chart of {metric} over up to {now.epochs} epochs."
    parts = [f"{metric} over {count(now.epochs_run, 'epoch')} of {now.epochs}."]
    for name in (metric, f"val_{metric}"):
        values = [value for value in now.history.get(name, ()) if value is not None]
        if values:
            parts.append(f"{name} began at {number(values[0])} and is now {number(values[-1])}.")
    if now.best is not None and now.best_epoch is not None:
        parts.append(f"The best {now.monitor} is {number(now.best)}, at epoch {now.best_epoch + 1}.")
    if now.waits:
        parts.append(f"EarlyStopping has waited {count(now.waits[-1], 'epoch')}, its patience is {_in_force(now)}.")
    if now.saves:
        parts.append(f"A file was saved in {count(len(now.saves), 'epoch')}, the last in epoch {now.saves[-1] + 1}.")
    if now.ended_by == "early stopping":
        parts.append(f"A line marks the stop after epoch {now.first_epoch + now.epochs_run}.")
    if now.kept_epoch is not None:
        parts.append(f"A circle marks epoch {now.kept_epoch + 1}, whose weights the model holds.")
    return " ".join(parts)


def seconds(number: float) -> str:
    """Write a time: `9.9 s`, `59 s`, `1 min 00 s`, `2 h 02 min`."""
    if number < 9.95:
        return f"{number:.1f} s"
    minutes, rest = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _in_force(now: Snapshot) -> int | None:
    """Return the patience in force at the last epoch's end."""
    return now.patiences[-1] if now.patiences else now.patience


def _after(done: int) -> str:
    return f"after epoch {done}" if done else "before the end of epoch 1"
