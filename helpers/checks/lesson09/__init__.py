"""Checks of lesson 09, Survive production.

`atomic` and `resumed` hold those of the first notebook.
"""

from __future__ import annotations

from helpers.checks._core import exercise
from helpers.checks.lesson09 import atomic, resumed

CHECKERS = {
    "09.1": atomic.replace_whole,
    "09.2": resumed.stopper_with_a_memory,
}

for _id, _checker in CHECKERS.items():
    exercise(_id)(_checker)
