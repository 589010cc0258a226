"""Killed at a random moment of a save: a real process, SIGKILL."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .processes import Child, call
from .writers import Writer, fill, found, new_model

WIDTH = 1700  # a file of one megabyte


def save_without_pause(tell: Callable[[Any], None], kinds: list[type[Writer]], folders: list[Path]) -> None:
    """Save with each writer in turn, telling the beginning and the end of each save."""
    model = new_model(width=WIDTH)
    saves = [kind(folder).begin(model) for kind, folder in zip(kinds, folders, strict=True)]
    for number in range(1, 1000):
        for which, save in enumerate(saves):
            tell(["begin", which, number])
            save(number)
            tell(["end", which, number])


def kill_once(kinds: list[type[Writer]], folders: list[Path], share: float, after: int) -> dict[int, int]:
    """Let a child save, kill it within a later round of saves, and return the last complete save of each writer.

    Args:
        kinds: the writers, all in one process.
        folders: one for each.
        share: when in a round to kill, from 0 to 1.
        after: the number of complete rounds before.
    """
    child = Child(save_without_pause, kinds, folders)
    complete: dict[int, int] = {}
    begun = seconds = 0.0
    for event, which, number in child.events():
        if event == "end":
            complete[which] = number
            if which == len(kinds) - 1:
                seconds = time.perf_counter() - begun
        elif which == 0:
            begun = time.perf_counter()
            if number > after:
                time.sleep(share * seconds)
                break
    for event, which, number in child.kill():
        if event == "end":
            complete[which] = number
    return complete


def judge(kind: type[Writer], folder: Path, complete: int) -> str:
    """Say what is left of a save that was complete: "whole", "older", "lost", "unreadable"."""
    left = found_at(kind, folder)
    if left == "nothing":
        return "lost"
    if isinstance(left, str):
        return "unreadable"
    return "whole" if left >= complete else "older"


def found_at(kind: type[Writer], folder: Path) -> int | str:
    writer = kind(folder)
    writer.width_of_reader = WIDTH
    return found(writer)


def judge_all(kinds: list[type[Writer]], trials: list[tuple[list[Path], dict[int, int]]]) -> list[dict[str, int]]:
    """Judge what all trials left, in one process."""
    fill(new_model(width=1), 0)
    counts = [Counter() for _ in kinds]
    for folders, complete in trials:
        for which, (kind, folder) in enumerate(zip(kinds, folders, strict=True)):
            counts[which][judge(kind, folder, complete.get(which, 0))] += 1
    return [dict(count) for count in counts]


def kills(kinds: list[type[Writer]], folder: Path, times: int, seed: int = 0) -> list[dict[str, int]]:
    """Kill `times` children that save with `kinds` in turn; return what was left, counted, one dict for each writer.

    The moments are the same for each call with the same `times` and `seed`: shares of a round of saves.
    """
    moments = random.Random(seed)
    trials = []
    for trial in range(times):
        folders = [folder / f"{trial}-{which}" for which in range(len(kinds))]
        for path in folders:
            path.mkdir(parents=True)
        trials.append((folders, kill_once(kinds, folders, moments.random(), moments.randint(1, 3))))
    return call(judge_all, kinds, trials)
