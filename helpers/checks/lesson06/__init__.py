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

for _id, _checker in CHECKERS.items():
    exercise(_id)(_checker)
