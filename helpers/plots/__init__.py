"""Pictures of a training run, each with a text twin.

`learning_curves` and `describe` say what EarlyStopping and ModelCheckpoint did with a run, `wait_counter` how
EarlyStopping counts, `hook_timeline` which hook Keras called when, `trade_off` what each patience costs over many
runs, `arena` what all runs of the capstone spent, reached and kept. All return a matplotlib `Figure` with an
`alt_text` for `style.show`. Every artist that means something carries a `gid`: `train`, `validation`, `best`, `stop`,
`patience-window`, `saved`, `kept`, `ghost`, and in SVG files that is the element's id.
"""

from helpers.plots._arena import arena
from helpers.plots._curves import describe, learning_curves
from helpers.plots._hooks import hook_timeline
from helpers.plots._owners import owners
from helpers.plots._trade_off import trade_off
from helpers.plots._waits import wait_counter

__all__ = [
    "arena",
    "describe",
    "hook_timeline",
    "learning_curves",
    "owners",
    "trade_off",
    "wait_counter",
]
