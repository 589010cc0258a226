"""What `LiveTraining` says in words: the state of a run, how far it is, and what was changed."""

from __future__ import annotations

from helpers.live import Snapshot

__all__ = ["alt", "changes", "failure", "progress", "state"]


def state(now: Snapshot) -> str:
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
    ending = {
        "early stopping": f"EarlyStopping stopped the fit {_after(done)}: "
        f"{_count(now.waits[-1] if now.waits else 0, 'epoch')} without improvement, patience {_last(now)}.",
        "epochs": f"All epochs are done: the fit ended {_after(done)}.",
        "stop": f"You stopped the fit {_after(done)}.",
        "callback": f"A callback stopped the fit {_after(done)}.",
    }[now.ended_by or "epochs"]
    if now.kept_epoch is None:
        return ending
    if now.kept_epoch == done - 1:
        return f"{ending} The model holds the weights of epoch {done}, the last."
    return f"{ending} The model holds the weights of epoch {now.kept_epoch + 1}, the best."


def progress(now: Snapshot) -> str:
    """Say how far the run is and how long it takes."""
    done = now.first_epoch + now.epochs_run
    parts = [f"Epoch {done} of {now.epochs}", f"{_seconds(now.seconds)} so far"]
    if now.alive and now.seconds_left is not None:
        parts.append(
            f"at most {_seconds(now.seconds_left)} to go" if now.monitor else f"{_seconds(now.seconds_left)} to go"
        )
    if now.waits and now.alive:
        parts.append(f"waited {now.waits[-1]} of {now.patience}")
    return " · ".join(parts)


def changes(now: Snapshot) -> list[str]:
    """Say one sentence for each setting that was changed during the run, and for those still to come."""
    lines = [
        f"{change.name} went from {change.old:g} to {change.new:g} at the end of epoch {change.epoch + 1}."
        for change in now.changes
    ]
    if now.alive and now.patiences and now.patience != now.patiences[-1]:
        lines.append(f"patience {now.patience} counts from the end of this epoch on.")
    return lines


def failure(now: Snapshot) -> str:
    """Say what was raised, in one line."""
    text = " ".join(str(now.error).split())
    return f"{type(now.error).__name__}: {text}" if text else type(now.error).__name__


def alt(now: Snapshot, metric: str) -> str:
    """Say what the picture shows."""
    if not now.epochs_run:
        return f"An empty chart of {metric} over up to {now.epochs} epochs. {state(now)}"
    parts = [f"{metric} over {_count(now.epochs_run, 'epoch')} of {now.epochs}."]
    for name in (metric, f"val_{metric}"):
        value = now.history.get(name, [None])[-1]
        if value is not None:
            parts.append(f"{name} is now {value:.4g}.")
    if now.best is not None and now.best_epoch is not None:
        parts.append(f"The best {now.monitor} is {now.best:.4g}, at epoch {now.best_epoch + 1}.")
    if now.waits:
        parts.append(f"EarlyStopping has waited {_count(now.waits[-1], 'epoch')}, its patience is {_last(now)}.")
    if now.saves:
        parts.append(f"A file was saved in {_count(len(now.saves), 'epoch')}, the last in epoch {now.saves[-1] + 1}.")
    return " ".join([*parts, *changes(now), state(now)])


def _last(now: Snapshot) -> int | None:
    """Return the patience in force at the last epoch's end."""
    return now.patiences[-1] if now.patiences else now.patience


def _after(done: int) -> str:
    return f"after epoch {done}" if done else "before the end of epoch 1"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _seconds(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
