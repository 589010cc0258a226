"""Checks of lesson 09, Survive production.

`atomic` and `resumed` hold those of the first notebook, `storage` and `alert` those of the second.
"""

from __future__ import annotations

from helpers.checks._core import exercise
from helpers.checks.lesson09 import alert, atomic, resumed, storage

CHECKERS = {
    "09.1": atomic.replace_whole,
    "09.2": resumed.stopper_with_a_memory,
    "09.3": storage.to_bucket,
    "09.4": alert.fires_once,
}

_PIECES = {"09.4": {"{1}[self.metric]": "`logs[self.metric]`, the value of the metric that it watches"}}
for _id, _checker in CHECKERS.items():
    exercise(_id, pieces=_PIECES.get(_id))(_checker)
