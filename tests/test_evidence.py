from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import evidence


def runs(configurations: int, seeds: int) -> list:
    return [
        SimpleNamespace(configuration=f"task{c}", settings={"seed": s})
        for c in range(configurations)
        for s in range(seeds)
    ]


def test_the_interval_over_seeds_is_students():
    # The means of the seeds are 1, 2, 3, 4, 5: mean 3, standard deviation sqrt(2.5), t 2.776.
    values = np.array([[1, 2, 3, 4, 5], [0, 1, 2, 3, 4], [2, 3, 4, 5, 6]], float).ravel()
    mean, error = evidence.over_seeds(runs(3, 5), values)
    assert mean == pytest.approx(3)
    assert error == pytest.approx(2.776 * (2.5 / 5) ** 0.5)


def test_further_axes_stay():
    values = np.arange(12.0).reshape(6, 2)
    mean, error = evidence.over_seeds(runs(3, 2), values)
    low, high = evidence.over_configurations(runs(3, 2), values)
    assert mean.shape == error.shape == low.shape == high.shape == (2,)
    assert mean == pytest.approx(values.mean(axis=0))


def test_the_interval_over_configurations_knows_no_seeds():
    # Seeds differ wildly, configurations do not: their means are all 0.
    values = [-5.0, 5.0] * 4
    assert evidence.over_configurations(runs(4, 2), values) == (0, 0)
    low, high = evidence.over_configurations(runs(4, 2), [0, 0, 0, 0, 1, 1, 1, 1])
    # Of 16 equally likely ways to draw four from two kinds, one gives four zeros.
    assert (low, high) == (0, 1)


@pytest.mark.parametrize(
    ("given", "values", "told"),
    [
        (runs(2, 1), [1, 2], "needs 2 to 10 of them; these runs have 1"),
        (runs(1, 11), range(11), "these runs have 11"),
        (runs(2, 2)[:3], [1, 2, 3], "not each of them has the same configurations"),
        (runs(2, 2), [1, 2, 3], "4 runs and 3 rows"),
    ],
)
def test_what_is_no_evidence_over_seeds_is_refused(given, values, told):
    with pytest.raises(ValueError, match=told):
        evidence.over_seeds(given, values)


def test_one_configuration_is_no_evidence_over_configurations():
    with pytest.raises(ValueError, match="at least two"):
        evidence.over_configurations(runs(1, 3), [1, 2, 3])
    with pytest.raises(ValueError, match="each run needs its row"):
        evidence.over_configurations(runs(2, 2), [1])


def test_more_seeds_of_the_same_spread_narrow_the_interval():
    rng, widths = np.random.default_rng(0), []
    for seeds in (3, 10):
        widths.append(np.mean([evidence.over_seeds(runs(1, seeds), rng.normal(size=seeds))[1] for _ in range(50)]))
    assert widths[1] < widths[0] / 2


def test_it_loads_no_tensorflow():
    code = "import sys; from helpers import evidence; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
