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

# Expressions that a right answer may hold, and a wrong one perhaps in no place.
PIECES = {
    "06.1": ("value", "self.best", "self.better(value, self.best)", "self.better(value, self.baseline)", "epoch"),
    "06.2": ("value", "self.best", "self.better(value, self.best)", "self.value(logs)", "True", "False"),
    "06.3": ('logs.get("val_loss")', 'logs.get("val_accuracy")', 'float("inf")', "self.patience"),
    "06.4": ("self.seconds", "time.perf_counter()"),
    "06.5": ('logs["loss"]', "float(self.model.optimizer.learning_rate)", "1.05", "0.5"),
    "06.6": ("self.limit", "time.perf_counter()"),
    "06.7": ('logs["loss"]', 'logs["val_loss"]', "self.alpha", "self.strip", "100", "1000"),
}

for _id, _checker in CHECKERS.items():
    exercise(_id, pieces={piece: f"`{piece}`" for piece in PIECES[_id]})(_checker)
