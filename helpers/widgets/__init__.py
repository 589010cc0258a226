"""Things to click: `predict`, its `reveal`, `PatienceExplorer`, `LiveTraining`, `PitfallSearch`; thin.

The larger ones are loaded when first used. None of them loads TensorFlow.
"""

from __future__ import annotations

import importlib

# Not lazy: the modules and the functions share their names, and the functions must win.
from helpers.widgets.predict import predict
from helpers.widgets.reveal import reveal

_WHERE = {
    "PatienceExplorer": "helpers.widgets.explorer",
    "LiveTraining": "helpers.widgets.live_training",
    "PitfallSearch": "helpers.widgets.pitfall_search",
}

__all__ = ["LiveTraining", "PatienceExplorer", "PitfallSearch", "predict", "reveal"]


def __getattr__(name: str):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
