"""Run a learner's callbacks through the arena."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers import _cards
from helpers.checks._core import untouched

from . import _client, _lines, _report, _score, _store
from ._progress_bar import Bar
from ._report import Report
from ._rules import LEFT_A_PROCESS, Rules
from ._seed import Seed

__all__ = ["judged", "recordings", "run"]


def run(
    make_callbacks: Callable[[Path], list[Any]],
    *,
    name: str = "",
    guess: float | None = None,
    rules: Rules | None = None,
) -> Report | None:
    """Train with your callbacks over several seeds; show the report, keep it with the others, and return it.

    It takes at most a minute; interrupting the cell ends all of it. Whatever goes wrong with your callbacks stands in
    the report.

    Args:
        make_callbacks: a function of a folder (`pathlib.Path`), the only place where a training may keep anything. It
            returns a list of callbacks, and is called anew in each process: first with an empty folder, after the kill
            with what is left there. What it uses of the notebook is sent along; nothing comes back.
            For one whose body is still `...` nothing is trained, a note says so, and None is returned.
        name: what to call this round.
        guess: by how many points you think the score will differ from your best so far, such as +10; the report answers
            it. `...` or None is no guess.
        rules: other numbers than those of lesson 10, see `Rules`; such a report is not kept.

    Raises:
        TypeError: `make_callbacks` is no function, or uses what cannot be sent to another process; or `guess` is no
            number.
        ValueError: it brings more of the notebook along than code and settings.
        RuntimeError: the arena's own process died.
    """
    guess = _number(guess)
    if callable(make_callbacks) and untouched(make_callbacks):
        _cards.Note("Nothing to train yet: this function has no body. Write one, then run this cell again.").show()
        return None
    payload = _client.pack(make_callbacks)
    before = max((report.score for report in _store.reports()), default=None) if rules is None else None
    with Bar() as bar, _client.Keeper() as keeper:
        facts, processes = keeper.ask([payload], rules or Rules(), bar)
    report = judged(name or "a run without a name", facts, processes, _lines.finder(make_callbacks))
    report = replace(report, guess=guess, before=before)
    if rules is None:
        problem = _store.keep(report)
        if problem:
            report = replace(report, seen=(*report.seen, problem))
    report.show()
    return report


def _number(guess: object) -> float | None:
    """Return a guess as a number, None for no guess.

    Raises:
        TypeError: it is something else.
    """
    if guess is None or guess is ...:
        return None
    if isinstance(guess, bool) or not isinstance(guess, int | float) or not math.isfinite(guess):
        raise TypeError(f"A guess is a number of points, up or down, as in guess=+10; got {guess!r}.")
    return float(guess)


def recordings() -> dict[str, Report]:
    """Return what the baseline and the three references came to when they were recorded, over 20 seeds each."""
    return {name: Report(name, "", tuple(seeds)) for name, seeds in _score.rows().items()}


def judged(
    name: str,
    facts: Sequence[dict[str, Any]],
    processes: int = 0,
    find: Callable[[str, int], str] = lambda name, line: "",
) -> Report:
    """Make a report of what the arena's process told; `find` is that of `_lines.finder`."""
    seeds = tuple(Seed.from_keeper(one, find) for one in facts)
    seen = dict.fromkeys(
        sentence for seed in seeds for sentence in (*filter(None, [seed.trouble]), *seed.saw, *seed.notes)
    )
    printed = next((seed.printed.partition("\n")[0] for seed in seeds if seed.printed), "")
    if printed:
        seen[f"Your callbacks printed: {printed}"] = None
    if processes:
        seen[LEFT_A_PROCESS] = None
    when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return Report(name, when, seeds, tuple(seen), _report.versions())
