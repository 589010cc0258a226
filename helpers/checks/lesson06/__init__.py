"""Checks of lesson 06: two rebuilt callbacks, and five callbacks that Keras does not have.

The checkers stand in modules of their own, by what they have in common, and are registered here.
"""

from __future__ import annotations

from helpers.checks._core import exercise
from helpers.checks.lesson06 import bold_driver, prechelt, rebuilt, timed, two_metrics

CHECKERS = {
    "06.1": rebuilt.my_early_stopping,
    "06.2": rebuilt.my_model_checkpoint,
    "06.3": two_metrics.stop_when_both,
    "06.4": timed.time_budget,
    "06.5": bold_driver.bold_driver,
    "06.6": timed.batch_alert,
    "06.7": prechelt.prechelt,
}

_BETTER = {
    "self.better(value, self.best)": "the question whether the value is better than the best: `self.better(value, "
    "self.best)`",
    "self.better(value, self.baseline)": "`self.better(value, self.baseline)`, which knows which way is better",
}
_PIECES = {
    "06.1": _BETTER,
    "06.2": _BETTER,
    "06.5": {'{1}["loss"]': '`logs["loss"]`, the training loss of this epoch'},
}
for _id, _checker in CHECKERS.items():
    exercise(_id, pieces=_PIECES.get(_id))(_checker)
