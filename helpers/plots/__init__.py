"""Pictures of a training run, each with a text twin.

`learning_curves` and `describe` say what EarlyStopping and ModelCheckpoint did with a run, `wait_counter` how
EarlyStopping counts, `hook_timeline` which hook Keras called when, `trade_off` what each patience costs over many
runs. All return a matplotlib `Figure` with an `alt_text` for `style.show`. Every artist that means something carries
a `gid`: `train`, `validation`, `best`, `stop`, `patience-window`, `saved`, `kept`, `ghost`, and in SVG files that is
the element's id.

To draw many pictures of one run quickly, draw what never changes once and the rest for each frame:

    from helpers.plots import draw_axes, draw_marks, facts_of

    figure = style.figure()
    facts = facts_of(history, monitor="val_loss")
    axes = draw_axes(figure, facts, saves=False)       # frame, scales, grid, names of the curves
    figure.canvas.draw()
    background = figure.canvas.copy_from_bbox(figure.bbox)
    for patience in range(20):
        record = replay.early_stopping(history["val_loss"], patience=patience)
        marks = draw_marks(axes, facts_of(history, stopping=record))
        figure.canvas.restore_region(background)
        for artist in marks:                           # in drawing order
            figure.draw_artist(artist)
        frame = figure.canvas.buffer_rgba()
        for artist in marks:
            artist.remove()

The result is, to the pixel, what drawing the whole figure gives. Patiences with equal records have equal frames.
Marks reach into the margins (labels above the axes, the number of saved files beside them), so the whole figure has
to be copied and restored, not the axes alone.
"""

from helpers.plots._curves import draw_axes, draw_marks, learning_curves
from helpers.plots._facts import Facts, facts_of
from helpers.plots._hooks import hook_timeline
from helpers.plots._owners import owners
from helpers.plots._text import describe
from helpers.plots._trade_off import trade_off
from helpers.plots._waits import wait_counter

__all__ = [
    "Facts",
    "describe",
    "draw_axes",
    "draw_marks",
    "facts_of",
    "hook_timeline",
    "learning_curves",
    "owners",
    "trade_off",
    "wait_counter",
]
