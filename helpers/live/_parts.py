"""What a fit is made of: its callbacks, the settings of EarlyStopping, and all that training changes in a model.

None of these functions imports Keras before there is something of Keras's to look at.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import Any

__all__ = ["LIVE", "checked", "get_setting", "number", "of_kind", "plain_state", "set_setting", "variables"]

# The settings of EarlyStopping that can be changed while it counts.
LIVE = ("patience", "min_delta")


def checked(callbacks: Any) -> list[Any]:
    """Return the callbacks as a flat list, as Keras does; what is no callback is left for Keras to refuse."""
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [one for entry in callbacks for one in checked(entry)]
    if hasattr(callbacks, "callbacks"):
        raise TypeError("Give the callbacks as a list: a CallbackList cannot take in those that steer the fit.")
    return [callbacks]


def of_kind(callbacks: Iterable[Any], name: str) -> list[Any]:
    """Return the callbacks of one of Keras's kinds; without Keras in memory there can be none."""
    keras = sys.modules.get("keras")
    return [] if keras is None else [one for one in callbacks if isinstance(one, getattr(keras.callbacks, name))]


def plain_state(checkpoint: Any) -> dict[str, Any]:
    """Return what a ModelCheckpoint carries from one fit into the next."""
    names = ("best", "_batches_seen_since_last_saving", "_last_batch_seen")
    return {name: vars(checkpoint)[name] for name in names if name in vars(checkpoint)}


def get_setting(stopper: Any, name: str) -> float:
    """Return a setting as it was given to the EarlyStopping."""
    # Keras turns the sign of min_delta around for a metric that should fall.
    value = getattr(stopper, name)
    return abs(value) if name == "min_delta" else value


def set_setting(stopper: Any, name: str, value: float) -> None:
    """Change a setting of an EarlyStopping that may be counting already."""
    if name == "min_delta" and getattr(stopper, "monitor_op", None) is not None:
        import keras

        # As `MonitorCallback._set_monitor_op` did, once, at the end of the first epoch.
        value = -value if stopper.monitor_op == keras.ops.less else value
    setattr(stopper, name, value)


def variables(model: Any) -> list[Any]:
    """Return all that a fit changes: weights, random state, and the optimizer's state with its learning rate."""
    optimizer = getattr(model, "optimizer", None)
    if getattr(optimizer, "built", True) is False:
        # Keras would do it at the first step; the moments of Adam, say, must be there to be put back.
        strategy = getattr(model, "distribute_strategy", None)
        with contextlib.nullcontext() if strategy is None else strategy.scope():
            optimizer.build(model.trainable_variables)
    return [*getattr(model, "variables", ()), *getattr(optimizer, "variables", ())]


def number(value: Any) -> float | None:
    """Return a metric's value as a float, or None if it is not one number."""
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        # A metric with several values, such as a confusion matrix, has no place in a curve.
        return None
