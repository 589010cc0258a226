"""Checks of the exercises: `check`, `hint`, `solution`, `expect_error`, the learner's progress, and `score`.

A check judges what an answer does, not how it is written, and has four outcomes: right, wrong (and why), not
attempted, raised. The checks of a lesson are in `lessonNN.py` and are loaded when first asked for, and Keras with
them: importing this package loads neither.
"""

from __future__ import annotations

from helpers.checks import _cell
from helpers.checks._core import (
    Outcome,
    check,
    code,
    expect_error,
    hint,
    progress,
    reset_progress,
    solution,
)
from helpers.checks._score import score

_cell.watch()

__all__ = ["Outcome", "check", "code", "expect_error", "hint", "progress", "reset_progress", "score", "solution"]
