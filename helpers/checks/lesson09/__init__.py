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

# Expressions that a right answer may hold, and a wrong one perhaps in no place.
PIECES = {
    "09.1": ("path", "temporary", "path.parent", "flush(temporary)", "flush(path.parent)"),
    "09.2": ("self.recent", "self.best", "self.wait", 'state["recent"]', 'state["best"]', 'state["wait"]'),
    "09.3": ("name", "name.encode()", "self.folder / name", '"latest"'),
    "09.4": ("logs[self.metric]", "self.limit", "self.send"),
}

for _id, _checker in CHECKERS.items():
    exercise(_id, pieces={piece: f"`{piece}`" for piece in PIECES[_id]})(_checker)
