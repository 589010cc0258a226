"""Training by script: drive callbacks through the hooks of a `fit` in which nothing is learnt, and see what they do.

Shared means of the checkers: `drive` plays the epochs, `FakeModel` is what gets "trained", `as_callback` and
`as_class` take what a learner hands in, `compare` holds two callbacks against each other on many curves. It imports
Keras for all checks.
"""

from __future__ import annotations

from helpers.checks._blame import forgot_super_init, misspelt_hooks
from helpers.checks.scripted._answers import as_callback, as_class
from helpers.checks.scripted._by_hand import RULES, by_hand
from helpers.checks.scripted._calls import as_function, as_path, call, made_by, parts, whole
from helpers.checks.scripted._compare import Disagreement, compare, early_stopping_settings
from helpers.checks.scripted._detect import (
    about_folder,
    about_moment,
    about_monitor,
    about_stopping,
    named_outside,
    strange_hook,
)
from helpers.checks.scripted._drive import Driven, drive
from helpers.checks.scripted._fits import Fits, watched_fits
from helpers.checks.scripted._model import FakeModel, Save
from helpers.checks.scripted._settings import Wish, causes, fresh, number_text, sentences, unread
from helpers.checks.scripted._stopper import judged_stopper
from helpers.checks.scripted._values import NASTY_CURVES, ROUNDING_CURVES, random_curve

__all__ = [
    "NASTY_CURVES",
    "ROUNDING_CURVES",
    "RULES",
    "Disagreement",
    "Driven",
    "FakeModel",
    "Fits",
    "Save",
    "Wish",
    "about_folder",
    "about_moment",
    "about_monitor",
    "about_stopping",
    "as_callback",
    "as_class",
    "as_function",
    "as_path",
    "by_hand",
    "call",
    "causes",
    "compare",
    "drive",
    "early_stopping_settings",
    "forgot_super_init",
    "fresh",
    "judged_stopper",
    "made_by",
    "misspelt_hooks",
    "named_outside",
    "number_text",
    "parts",
    "random_curve",
    "sentences",
    "strange_hook",
    "unread",
    "watched_fits",
    "whole",
]
