"""The text twin of the learning curves: the same facts in sentences."""

from __future__ import annotations

import math
from typing import Any

from helpers.plots._facts import Facts, facts_of


def describe(
    history: Any,
    *,
    monitor: str = "val_loss",
    stopping: Any = None,
    saves: Any = None,
    mode: str | None = None,
) -> str:
    """Say in words what `learning_curves` shows, one fact a line.

    Args:
        history: As in `learning_curves`, and so are the others.
        monitor: The metric that the marks sit on.
        stopping: The EarlyStopping that ran, or a replay record.
        saves: The ModelCheckpoint or SaveRecorder that ran, a replay record, or a list of epochs (0-based).
        mode: `"min"` or `"max"`; None finds out.

    Returns:
        Lines of text with epochs counted from 1, as Keras prints them.

    Raises:
        ValueError: As `learning_curves`.
    """
    return tell(facts_of(history, monitor=monitor, stopping=stopping, saves=saves, mode=mode))


def tell(facts: Facts) -> str:
    """Put facts into sentences, one a line."""
    lines = [_curves(facts), _best(facts), _end(facts)]
    if facts.epochs_run < facts.length:
        never = range(facts.last + 1, facts.first + facts.length)
        lines.append(f"In grey, {_count(len(never), 'epoch')} that {facts.beyond}: {_epochs(never)}.")
    if facts.shows_kept:
        lines.append(_kept(facts))
    if facts.saved is not None:
        lines.append(_saved(facts))
    return "\n".join(line for line in lines if line)


def number(value: float | None) -> str:
    """Write a metric's value for a reader."""
    if value is None:
        return "no value"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return f"{value:.4g}"


def _curves(facts: Facts) -> str:
    better = "smaller" if facts.mode == "min" else "larger"
    names = [name for name, values in (("train", facts.train), ("validation", facts.validation)) if values is not None]
    odd = [e for e, v in enumerate(facts.monitored, facts.first) if v is not None and not math.isfinite(v)]
    missing = sum(value is None for value in facts.monitored)
    text = f"{facts.monitor} over {_count(facts.length, 'epoch')} ({' and '.join(names)}; {better} is better)."
    if odd:
        text += f" Not a finite number in {_epochs(odd, plural=True)}."
    if missing:
        text += f" No value in {_count(missing, 'epoch')}."
    return text


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
    waited = "" if facts.window is None else f", {_epochs(range(facts.window[0], facts.window[1] + 1))}"
    if facts.stop is not None:
        return (
            f"Stopped after epoch {facts.stop + 1}: "
            f"{_count(facts.waited, 'epoch')} without a new best (patience {facts.patience}{waited})."
        )
    waiting = f"waited {facts.waited} of patience {facts.patience}{waited}"
    return f"Not stopped: the epochs ran out after epoch {facts.last + 1} ({waiting})."


def _kept(facts: Facts) -> str:
    how = "restored" if facts.restored else "the last that ran"
    return f"The model ends with the weights of epoch {facts.kept + 1} ({how})."


def _saved(facts: Facts) -> str:
    if not facts.saved:
        return "No file was saved."
    if len(facts.saved) == facts.epochs_run:
        return f"Saved after every epoch ({_count(len(facts.saved), 'time')})."
    return f"Saved after {_epochs(facts.saved)} ({_count(len(facts.saved), 'time')})."


def _count(amount: int, thing: str) -> str:
    return f"{amount:,} {thing}{'' if amount == 1 else 's'}"


def _epochs(epochs: Any, *, plural: bool = False) -> str:
    """Write epochs counted from 1, runs of them as ranges, the middle of a long list left out."""
    runs: list[list[int]] = []
    for epoch in sorted(epochs):
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
