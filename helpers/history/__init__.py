"""Read what a training run logged, whatever wrote it, with the true numbers of its epochs.

`read_history` gives one `Run`, `read_runs` gives all runs of a file, a folder or a collection. Nothing is mended in
silence: `Run.notes` says what was found and what was made of it. Where two readings are possible, a `ValueError`
asks, and names the argument that answers.
"""

from helpers.history._read import read_history, read_runs
from helpers.history._run import Run, Values, span

__all__ = ["Run", "Values", "read_history", "read_runs", "span"]
