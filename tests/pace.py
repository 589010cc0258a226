"""What makes a test run shorter without testing less. The root conftest takes these hooks in.

Three workers share two cores, because a browser test waits for half of its time. xdist hands out files in the order
of the collection (`--no-loadscope-reorder`); its own order keeps those with the fewest tests for the end, which here
are the longest.
"""

from __future__ import annotations

import gc
from itertools import groupby

import pytest

# TensorFlow's pool of threads: beside other workers more than one costs switches and saves nothing (8 % of a fit).
THREADS = {"TF_NUM_INTRAOP_THREADS": "1"}


def mix(waiting: list, computing: list) -> list:
    """Spread files that wait evenly among files that compute, the first of each at the beginning.

    >>> mix(["browser", "page"], [1, 2, 3, 4])
    ['browser', 1, 2, 'page', 3, 4]
    """
    places = [(place / len(some), some is computing) for some in (waiting, computing) for place in range(len(some))]
    rest = {True: iter(computing), False: iter(waiting)}
    return [next(rest[computes]) for _, computes in sorted(places)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the browser tests, so that no two of them wait for each other's JupyterLab."""
    files = [list(tests) for _, tests in groupby(items, lambda item: item.path)]
    waiting = [tests for tests in files if tests[0].get_closest_marker("browser")]
    computing = [tests for tests in files if not tests[0].get_closest_marker("browser")]
    items[:] = [item for tests in mix(waiting, computing) for item in tests]


def pytest_collection_finish() -> None:
    """Keep what the tests import out of the search for garbage: TensorFlow's objects are a million, and they stay."""
    gc.collect()
    gc.freeze()
