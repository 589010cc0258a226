"""The order in which a test run hands out its files."""

import pytest

from tests.pace import mix


@pytest.mark.parametrize("waiting", [0, 1, 3, 10])
@pytest.mark.parametrize("computing", [0, 1, 7])
def test_each_file_comes_once_and_in_its_order(waiting, computing):
    waits, computes = [f"w{place}" for place in range(waiting)], list(range(computing))
    mixed = mix(waits, computes)
    assert [one for one in mixed if isinstance(one, str)] == waits
    assert [one for one in mixed if isinstance(one, int)] == computes


def test_files_that_wait_are_spread():
    mixed = mix(["a", "b", "c"], list(range(30)))
    assert [mixed.index(one) for one in "abc"] == [0, 11, 22]
