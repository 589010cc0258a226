"""Means over recorded runs, and how far chance may have moved them: over seeds, and over configurations.

No TensorFlow. `values` has one row for each run; further axes (such as one column for each patience) stay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.data import Run

__all__ = ["over_configurations", "over_seeds"]

# Student's t: 97.5 % of the distribution lie below, by degrees of freedom (the number of seeds, less one).
_T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def over_seeds(runs: Sequence[Run], values: Sequence | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of `values`, and half the width of its 95 % interval over seeds.

    The configurations are averaged for each seed, so that each seed gives one mean; Student's t says from the spread
    of these means how far theirs may lie from that of all seeds one could have drawn.

    Args:
        runs: each seed with the same configurations.
        values: shape (runs, ...).

    Returns:
        Mean and half width, each of shape (...).

    Raises:
        ValueError: the lengths differ, there are fewer than two seeds or more than ten, or a seed has other
            configurations than the first.
    """
    groups = _rows(runs, values, [run.settings["seed"] for run in runs])
    if not 2 <= len(groups) <= len(_T) + 1:
        raise ValueError(f"An interval over seeds needs 2 to {len(_T) + 1} of them; these runs have {len(groups)}.")
    tasks = {seed: sorted(runs[row].configuration for row in rows) for seed, rows in groups.items()}
    if len({tuple(names) for names in tasks.values()}) > 1:
        raise ValueError("The seeds cannot be compared: not each of them has the same configurations.")
    means = np.array([np.asarray(values, dtype=float)[rows].mean(axis=0) for rows in groups.values()])
    error = _T[len(groups) - 1] * means.std(axis=0, ddof=1) / len(groups) ** 0.5
    return means.mean(axis=0), error


def over_configurations(
    runs: Sequence[Run], values: Sequence | np.ndarray, *, draws: int = 2000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % interval of the mean of `values` over configurations, by the bootstrap.

    The seeds of each configuration are averaged. Then as many configurations as there are are drawn at random, with
    repetition, and averaged, `draws` times; 95 % of these averages lie between the two ends.

    Args:
        runs: of at least two configurations.
        values: shape (runs, ...).
        draws: how often to draw.
        seed: of the draws.

    Returns:
        Lower and upper end, each of shape (...).

    Raises:
        ValueError: the lengths differ, or there are fewer than two configurations.
    """
    groups = _rows(runs, values, [run.configuration for run in runs])
    if len(groups) < 2:
        raise ValueError("An interval over configurations needs at least two of them.")
    each = np.array([np.asarray(values, dtype=float)[rows].mean(axis=0) for _, rows in sorted(groups.items())])
    drawn = np.random.default_rng(seed).integers(0, len(each), (draws, len(each)))
    low, high = np.percentile(each[drawn].mean(axis=1), [2.5, 97.5], axis=0)
    return low, high


def _rows(runs: Sequence[Run], values: Sequence | np.ndarray, keys: list) -> dict:
    """Return the rows that share a key."""
    if len(runs) != len(values):
        raise ValueError(f"There are {len(runs)} runs and {len(values)} rows of values; each run needs its row.")
    groups: dict = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    return groups
