"""Checks of lesson 10: what the report of a round in the arena says of the round's aim."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from statistics import fmean

from helpers import arena
from helpers.checks._core import Verdict, Wrong, exercise, right, wrong
from helpers.words import count

_SPARED = 0.7  # of the epochs before a kill; whoever writes down each epoch spares 0.8 or more


def _played(report: object) -> arena.Report:
    """Return the report of a round in which all trainings came to their ends.

    Raises:
        Wrong: it is none, or a training failed.
    """
    if not isinstance(report, arena.Report):
        raise Wrong(
            f"Expected the report that `arena.run(...)` returns, got {type(report).__name__}. Run the cell as it is."
        )
    failed = next((seed.trouble for seed in report.seeds if seed.trouble), "")
    if failed:
        raise Wrong(f"Not every training came to its end. {failed}")
    if {seed.broken for seed in report.seeds} != {True, False}:
        raise Wrong("This report holds no kill or no broken batch. Play the round with the usual rules of the arena.")
    return report


def _spent(report: arena.Report) -> float:
    """Return the epochs of a training, on average, with those that a kill made twice."""
    return fmean(seed.epochs for seed in report.seeds)


@functools.cache
def _long() -> float:
    """Return how many of them are too many: halfway from the reference that stops early to the one that never does."""
    recorded = arena.recordings()
    return fmean(_spent(recorded[name]) for name in ("baseline", "first"))


def _killed(report: arena.Report) -> list[arena.Seed]:
    return [seed for seed in report.seeds if not seed.broken]


def _share(report: arena.Report, key: str) -> float:
    [part] = [part for part in report.parts if part.key == key]
    return part.points / part.most


def _of(part: Sequence[object], whole: Sequence[object], thing: str) -> str:
    return f"{len(part)} of {count(len(whole), thing)}"


def _models(report: arena.Report) -> None:
    """Look for a model of each training.

    Raises:
        Wrong: there is none.
    """
    broken = [seed for seed in report.seeds if seed.broken and seed.quality is None]
    others = [seed for seed in report.seeds if not seed.broken and seed.quality is None]
    if any(seed.end == 0 and seed.quality_at_kill is not None for seed in others):
        raise Wrong(
            "A model lay in the folder at the kill, and at the end nothing at all: something removed it. "
            "`BackupAndRestore` removes the folder that it is given when a training ends well, with all that lies in "
            "it. Give it one of its own inside of yours."
        )
    if others:
        raise Wrong(f"{_of(others, _killed(report), 'killed training')} left no model at the end. {others[0].why}")
    if broken:
        raise Wrong(
            f"The training with the broken batch left no model. {broken[0].why} A file that is replaced after each "
            "epoch takes NaN like any other value. NaN is never better than the best: which argument saves only "
            "what is better?",
            credit=0.5,
        )


def best_in_time(report: object) -> Verdict:
    """Exercise 10.1: the best model of each training is on disk, and none goes on for long after it."""
    report = _played(report)
    _models(report)
    spent = _spent(report)
    after = fmean(seed.epochs - (seed.killed_at or 0.0) * (1 - (seed.resumed or 0.0)) for seed in _killed(report))
    good = _share(report, "quality") >= 0.5
    if spent > _long():
        kept = "The files are good ones, but no" if good else "No"
        return wrong(
            f"{kept} training ended in time: {spent:.0f} epochs each on average. `EarlyStopping` is missing, waits for "
            "too many epochs, or watches something that keeps getting better, as the training loss does.",
            credit=0.5 * good,
        )
    if not good and after < 9:
        return wrong(
            f"The trainings end after {after:.0f} epochs, before they are any good: the validation loss goes up and "
            "down on its way. Wait longer: look at `patience`.",
            credit=0.3,
        )
    if not good or 2 * sum(seed.kept_last for seed in _killed(report)) > len(_killed(report)):
        return wrong(
            "The trainings end in time, but the files do not hold their best models. `EarlyStopping` notices "
            "`patience` epochs too late that the best is over, and a file that is replaced after each epoch holds "
            "the last. Which argument keeps the best? And does it watch the validation loss?",
            credit=0.5,
        )
    return right(
        f"Each file holds a good model, also that of the broken training, for {spent:.0f} epochs a training. The next "
        "thing to look at is the kill: what was paid before it is paid twice."
    )


def come_back(report: object) -> Verdict:
    """Exercise 10.2: a killed training goes on where it was."""
    report = _played(report)
    killed = _killed(report)
    anew = [seed for seed in killed if not seed.resumed]
    spared = fmean(seed.resumed or 0.0 for seed in killed)
    if len(anew) == len(killed):
        return wrong(
            "After each kill training began anew, with new weights. A file alone brings nothing back: something in the "
            "list must read it when training begins, from the folder that outlives the kill."
        )
    if anew:
        return wrong(
            f"{_of(anew, killed, 'killed training')} began anew, the others went on. What you keep for the restart was "
            f"spoiled by the kill itself, which came {anew[0].killed_how}. A second copy of it helps, or a file "
            "that is replaced in one step.",
            credit=0.5,
        )
    if spared < _SPARED:
        return wrong(
            f"All went on, but from long before the kill: {1 - spared:.0%} of the epochs were paid twice. The best "
            "epoch is not the last one. Write down where the training is after each epoch.",
            credit=0.5,
        )
    _models(report)
    return right(
        f"All {len(killed)} went on where they were: {spared:.0%} of the epochs before the kill were not paid again. "
        "Now look at what lay in the folder at the moment of the kill."
    )


def lose_nothing(report: object) -> Verdict:
    """Exercise 10.3: a whole model lies on disk at each kill, and neither kill nor NaN takes anything away."""
    report = _played(report)
    killed = _killed(report)
    half = [seed for seed in killed if seed.quality_at_kill is None]
    if half:
        return wrong(
            f"At {_of(half, killed, 'kill')} no model could be loaded from the folder. {half[0].why_at_kill} Had "
            "nobody come back, it would all be lost. Save beside the good file, and let the new one take its "
            "place in one step.",
            credit=0.3,
        )
    if _share(report, "kill") < 1:
        return wrong(
            "At a kill the folder held a model that was not yet any good. Save it whenever it got better, from the "
            "first epoch on.",
            credit=0.3,
        )
    spared = fmean(seed.resumed or 0.0 for seed in killed)
    if spared < _SPARED:
        return wrong(
            f"The models survive, but {1 - spared:.0%} of the epochs before the kill were paid twice. What brings the "
            "training back must survive a kill in its own save too.",
            credit=0.6,
        )
    _models(report)
    return right(
        "A whole model at every kill, nothing paid twice, and the broken batch has spoiled nothing. What is left to "
        "gain is fine work: the numbers, and the bytes."
    )


CHECKERS = {"10.1": best_in_time, "10.2": come_back, "10.3": lose_nothing}

for _id, _checker in CHECKERS.items():
    exercise(_id, none_is_blank=True)(_checker)
