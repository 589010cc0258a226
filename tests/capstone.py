"""Reports of the arena for tests, made of recorded trainings of the references."""

from __future__ import annotations

from helpers import arena

__all__ = ["recorded_report"]


def recorded_report(reference: str, group: int = 0, name: str = "") -> arena.Report:
    """Return a report of four killed trainings and a broken one of a reference, the `group`th of those recorded."""
    rows = arena.recordings()[reference].seeds
    killed, broken = ([seed for seed in rows if seed.broken is which] for which in (False, True))
    seeds = (*killed[4 * group : 4 * group + 4], broken[group])
    return arena.Report(name or reference, "2026-11-25T12:00:00+0000", seeds)
