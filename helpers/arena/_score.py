"""From what was measured to points: the ends of each scale are what the recorded references reached.

A quantity earns all its points where the best reference was on average, and none where the worst was; in between
points are shared out evenly, for bytes by their logarithm. `data/arena.json` holds the recorded trainings
(`python -m helpers.arena.record` writes it), so nothing here is a matter of taste but the weights of the parts.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from helpers import data

from ._rules import Rules
from ._seed import Seed

__all__ = [
    "MOST",
    "RECORDED",
    "Budget",
    "Scales",
    "budget",
    "recorded",
    "rows",
    "scales",
    "seed_points",
    "share_of",
    "spread",
    "total",
]

RECORDED = data.DATA / "arena.json"

# The parts in their order, and the most that each can give: 100 together.
MOST = {"quality": 30, "epochs": 15, "peak": 5, "end": 5, "kill": 15, "nan": 10, "resumed": 20}

_CHANCE = 0.5  # of guessing which digit is the larger


@dataclass(frozen=True)
class Scales:
    """What no points and all points stand for, from the recorded trainings.

    Attributes:
        ends: for each measured quantity the value that gives nothing and the one that gives all.
        useful: the test accuracy from which on a file counts as a model: halfway from guessing to the worst reference.
        luck: how much better the references were on a seed than on all, by seed.
    """

    ends: dict[str, tuple[float, float]]
    useful: float
    luck: dict[int, float]


class Budget(NamedTuple):
    """What a run may spend: who spends all of it has no points for thrift.

    Attributes:
        epochs: over all trainings.
        bytes: in the folder of a training.
    """

    epochs: int
    bytes: int


def budget(rules: Rules | None = None) -> Budget:
    """Return the budget of a run: what the most wasteful reference spent."""
    rules = rules or Rules()
    ends = scales().ends
    return Budget(round(ends["epochs"][0] * len(rules.seeds + rules.broken)), round(ends["peak"][0]))


@functools.cache
def scales(recorded: Path = RECORDED) -> Scales:
    """Read the recorded trainings and return the scales.

    Raises:
        DataError: the file is missing or damaged.
    """
    return _scales(rows(recorded))


def rows(recorded: Path = RECORDED) -> dict[str, list[Seed]]:
    """Read the recorded trainings of each reference.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        runs = json.loads(recorded.read_text(encoding="utf-8"))["references"]
        return {name: [Seed.from_facts(facts) for facts in trainings] for name, trainings in runs.items()}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise data.DataError(
            f"data/{recorded.name} is missing or damaged ({type(problem).__name__}). Get it back with "
            f"`git checkout -- data/{recorded.name}`, or record it again with `make arena`."
        ) from problem


def _scales(runs: dict[str, list[Seed]]) -> Scales:
    def ends(value: Callable[[Seed], float | None], more_is_better: bool, broken: bool = False) -> tuple[float, float]:
        means = [
            fmean(number for seed in seeds if seed.broken == broken and (number := value(seed)) is not None)
            for seeds in runs.values()
        ]
        return (min(means), max(means)) if more_is_better else (max(means), min(means))

    qualities: dict[int, list[float]] = {}
    for seed in (seed for seeds in runs.values() for seed in seeds if not seed.broken and seed.quality is not None):
        qualities.setdefault(seed.seed, []).append(seed.quality)
    everywhere = fmean(fmean(values) for values in qualities.values())
    found = {
        "quality": ends(lambda seed: seed.quality, True),
        "epochs": ends(lambda seed: seed.epochs, False),
        "peak": ends(lambda seed: seed.peak, False),
        "end": ends(lambda seed: seed.end, False),
        "resumed": ends(lambda seed: seed.resumed, True),
    }
    return Scales(
        found,
        (_CHANCE + found["quality"][0]) / 2,
        {seed: fmean(values) - everywhere for seed, values in qualities.items()},
    )


def share_of(part: str, seed: Seed, scale: Scales) -> float | None:
    """Return which share of a part's points a training earns, 0 to 1; None where it has no say in it."""
    useful = seed.quality is not None and seed.quality >= scale.useful
    if part == "nan":
        return float(useful and not seed.trouble) if seed.broken else None
    if part in ("kill", "resumed") and seed.broken:
        return None
    if part in ("kill", "resumed") and seed.killed_at is None:
        return 0.0
    if part == "kill":
        kept = seed.quality_at_kill
        return float(kept is not None and kept >= scale.useful)
    if not useful or (seed.trouble and part != "quality"):
        return 0.0  # what keeps no model is not thrifty, it has failed
    value = {"quality": seed.quality - scale.luck.get(seed.seed, 0.0), "epochs": seed.epochs, "peak": seed.peak,
             "end": seed.end, "resumed": seed.resumed}[part]  # fmt: skip
    return _between(value, *scale.ends[part], logarithm=part in ("peak", "end"))


def _between(value: float, nothing: float, everything: float, *, logarithm: bool) -> float:
    if logarithm:
        value, nothing, everything = (math.log(max(number, 1)) for number in (value, nothing, everything))
    if nothing == everything:
        return 1.0
    return min(1.0, max(0.0, (value - nothing) / (everything - nothing)))


def total(part: str, seeds: Iterable[Seed], scale: Scales) -> float:
    """Return the points of a part over all trainings."""
    shares = [share for seed in seeds if (share := share_of(part, seed, scale)) is not None]
    return MOST[part] * fmean(shares) if shares else 0.0


def seed_points(seed: Seed, seeds: Iterable[Seed], scale: Scales) -> float:
    """Return what the score would be if all killed trainings had gone like this one."""
    return sum(total(part, [seed, *(one for one in seeds if one.broken)] if part == "nan" else [seed], scale)
               for part in MOST)  # fmt: skip


def spread(seeds: tuple[Seed, ...], scale: Scales) -> float:
    """Return the standard deviation of the score from seed to seed."""
    points = [seed_points(seed, seeds, scale) for seed in seeds if not seed.broken]
    return stdev(points) if len(points) > 1 else 0.0


def recorded(runs: dict[str, list[dict[str, Any]]], **about: Any) -> str:
    """Return the text of the file with recorded trainings."""
    body = {**about, "references": runs}
    return json.dumps(body, indent=None, separators=(",", ":")).replace('{"seed"', '\n{"seed"') + "\n"
