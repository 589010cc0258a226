"""The arena of lesson 10: a budget to spend, a kill, a NaN, and a score that explains itself. No Keras in this process.

`run` sends a function that makes callbacks to processes of their own, which train a noisy task with them over several
seeds: one training each, killed at a moment that nobody tells and begun again with the same folder, and one more whose
data break. A judge, which alone has the test rows, looks at the file that is on disk in the end.
"""

from ._compare import Comparison, compare
from ._report import Part, Report
from ._rules import Rules
from ._run import recordings, run
from ._score import Budget, budget
from ._seed import Seed
from ._store import load, reports
from .references import baseline

__all__ = [
    "Budget",
    "Comparison",
    "Part",
    "Report",
    "Rules",
    "Seed",
    "baseline",
    "budget",
    "compare",
    "load",
    "recordings",
    "reports",
    "run",
]
