"""Run a learner's callbacks through the arena."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import _client, _report, _store
from ._progress_bar import Bar
from ._report import Report
from ._rules import Rules
from ._seed import Seed

__all__ = ["judged", "run"]


def run(make_callbacks: Callable[[Path], list[Any]], *, name: str = "", rules: Rules | None = None) -> Report:
    """Train with your callbacks over several seeds and return the report, which is kept with the others.

    It takes at most a minute; interrupting the cell ends all of it. Whatever goes wrong with your callbacks stands in
    the report.

    Args:
        make_callbacks: a function of a folder (`pathlib.Path`), the only place where a training may keep anything. It
            returns a list of callbacks, and is called anew in each process: first with an empty folder, after the kill
            with what is left there. What it uses of the notebook is sent along; nothing comes back.
        name: what to call this round.
        rules: other numbers than those of lesson 10, see `Rules`; such a report is not kept.

    Raises:
        TypeError: `make_callbacks` is no function, or uses what cannot be sent to another process.
        ValueError: it brings more of the notebook along than code and settings.
        RuntimeError: the arena's own process died.
    """
    payload = _client.pack(make_callbacks)
    with Bar() as bar, _client.Keeper() as keeper:
        facts, processes = keeper.ask([payload], rules or Rules(), bar)
    report = judged(name or "a run without a name", facts, processes)
    if rules is None:
        problem = _store.keep(report)
        if problem:
            report = Report(**{**vars(report), "seen": (*report.seen, problem)})
    return report


def judged(name: str, facts: Sequence[dict[str, Any]], processes: int = 0) -> Report:
    """Make a report of what the arena's process told."""
    seeds = tuple(map(Seed.from_keeper, facts))
    seen = dict.fromkeys(
        sentence for seed in seeds for sentence in (*filter(None, [seed.trouble]), *seed.saw, *seed.notes)
    )
    if processes:
        seen["A process that your callbacks had started was still there in the end; the arena ended it."] = None
    when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return Report(name, when, seeds, tuple(seen), _report.versions())
