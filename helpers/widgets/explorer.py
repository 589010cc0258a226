"""`PatienceExplorer`: drag patience over a recorded run and see at once where training would have stopped.

Patience needs no kernel. One frame for each patience is drawn beforehand, and the browser itself links the slider to
the frame that shows, so it follows the finger while the kernel is busy, over a slow line, and in an exported page.
The other controls change all frames, which takes the kernel a fraction of a second; the frame that shows comes first.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any

import ipywidgets

from helpers import replay
from helpers.widgets._choices import choose
from helpers.widgets._frames import WIDTH, Scene, Settings, rich
from helpers.widgets._runs import read_runs
from helpers.words import plain

__all__ = ["PatienceExplorer"]

_STYLE = """<style>
.patience-explorer .noUi-handle:focus, .patience-explorer input:focus, .patience-explorer select:focus,
.patience-explorer [contenteditable]:focus { outline: 3px solid #0a58a6 !important; outline-offset: 2px; }
.patience-explorer .explorer-frame .widget-html-content { line-height: normal; }
</style>"""
# ipywidgets gives the handle of a slider no name that a screen reader could say; the label beside it has the words.
# The image exists for its event: HTML that is put into a page later does not run <script>.
_NAMES = """<img alt="" src="data:," onerror="(function (start) {
  function find(tries) {
    var root = start.closest('.patience-explorer');
    if (!root) { if (tries) setTimeout(find, 100, tries - 1); return; }
    function name() {
      root.querySelectorAll('.widget-slider').forEach(function (slider) {
        var label = slider.querySelector('.widget-label'), handle = slider.querySelector('.noUi-handle');
        if (label && handle) handle.setAttribute('aria-label', label.textContent);
      });
    }
    name();
    new MutationObserver(name).observe(root, {childList: true, subtree: true});
  }
  find(50);
})(this)">"""


class PatienceExplorer(ipywidgets.VBox):
    """Show what EarlyStopping and ModelCheckpoint would have done with recorded runs.

    Args:
        history: A Keras `History`, a dict of lists, a list of numbers, a `CSVLogger` file, a TensorBoard event file; a
            folder of such files; or a list, or a dict by name, of runs, among which a chooser lets you choose.
        monitor: The metric; a list of numbers is taken for it.
        mode: `"min"`, `"max"`, or None to go by the metric's name.
        patience: Where the slider stands at first.
        min_delta: As in `EarlyStopping`, and so are the next three; all of them have a control.
        start_from_epoch: Epochs that are ignored at the beginning.
        baseline: Value to beat, or None.
        restore_best_weights: Whether the best weights are put back at the end.
        save_best_only: As in `ModelCheckpoint`.
        max_patience: Largest patience of the slider; None takes the number of epochs.
        max_frames: Largest number of frames to draw, at least 4. With more patience values than that, the slider
            has the small ones, both sides of every jump in the outcome, and some between.

    Raises:
        ValueError: If there is nothing to explore (no such metric, text among the numbers, a single epoch, no finite
            value, ...) or an argument makes no sense; the message says what was found.
        FileNotFoundError: If a path does not exist.
    """

    def __init__(
        self,
        history: Any,
        *,
        monitor: str = "val_loss",
        mode: str | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        start_from_epoch: int = 0,
        baseline: float | None = None,
        restore_best_weights: bool = False,
        save_best_only: bool = True,
        max_patience: int | None = None,
        max_frames: int = 64,
    ) -> None:
        if max_frames < 4:
            raise ValueError(f"max_frames must be 4 or more, not {max_frames!r}.")
        self._monitor, self._mode, self._max_patience, self._max_frames = monitor, mode, max_patience, max_frames
        self.runs = MappingProxyType(read_runs(history, monitor))
        # The rule's own sentences for arguments that make no sense.
        replay.early_stopping(
            [0.0], patience=patience, min_delta=min_delta, baseline=baseline, start_from_epoch=start_from_epoch
        )
        replay.every_patience([0.0], max_patience=max_patience)
        self._scenes: dict[str, Scene] = {}
        self._drawing = False
        self._make_controls(min_delta, start_from_epoch, baseline, restore_best_weights, save_best_only)
        self._frames: list[ipywidgets.HTML] = []
        self._shared = {"layout": ipywidgets.Layout(margin="0", width="100%"), "style": ipywidgets.HTML().style}
        cell = {"grid_area": "1 / 1 / 2 / 2", "margin": "0", "width": "100%"}
        self._behind = ipywidgets.HTML(layout=ipywidgets.Layout(**cell)).add_class("explorer-frame")
        self._stack = ipywidgets.Stack(layout=ipywidgets.Layout(**cell))
        self._problem = ipywidgets.HTML(layout=ipywidgets.Layout(display="none", width="100%"))
        # Both layers share one cell of a grid and stand on its floor: however many lines a sentence takes, the
        # pictures under it lie exactly on each other.
        self._picture = ipywidgets.GridBox(
            [self._behind, self._stack],
            layout=ipywidgets.Layout(
                align_items="flex-end",
                grid_template_columns="minmax(0, 1fr)",
                max_width=f"{WIDTH + 8}px",
                margin="6px 0 0",
            ),
        )
        self._draw(patience)
        self._link = ipywidgets.jslink((self._patience, "index"), (self._stack, "selected_index"))
        for control in self._others:
            control.observe(self._changed, "value")
        helper = ipywidgets.HTML(_STYLE + _NAMES, layout=ipywidgets.Layout(display="none"))
        super().__init__(
            [*self._rows(), self._problem, self._picture, helper],
            layout=ipywidgets.Layout(width="100%", overflow="visible"),
        )
        self.add_class("patience-explorer")

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def patience(self) -> int:
        """The patience that shows; a value without a frame gets one."""
        return int(self._patience.value)

    @patience.setter
    def patience(self, value: int) -> None:
        self._draw(replay.early_stopping([0.0], patience=value).patience)

    @property
    def record(self) -> replay.StoppingRecord:
        """What EarlyStopping does with the present settings."""
        return self._story.record(self.patience)

    @property
    def saves(self) -> replay.CheckpointRecord:
        """What ModelCheckpoint writes with the present settings before the stop."""
        return self._story.saves(self.patience)

    @property
    def table(self) -> replay.PatienceTable:
        """Every patience with the present settings."""
        return self._story.table

    @property
    def sentence(self) -> str:
        """What happened, in words."""
        if self._problem.layout.display != "none":
            return self._words
        return plain(" ".join(self._story.sentences(self.patience)))

    @property
    def alt(self) -> str:
        """The text twin of the picture."""
        return self._story.alt(self.patience)

    def __repr__(self) -> str:
        """Return the sentence: where there are no widgets, that much still shows."""
        return f"PatienceExplorer: {self.sentence}"

    # -- controls -------------------------------------------------------------------------------------------------

    def _make_controls(
        self, min_delta: float, start: int, baseline: float | None, restores: bool, best_only: bool
    ) -> None:
        wide = ipywidgets.Layout(width="100%", max_width=f"{WIDTH}px")
        half = ipywidgets.Layout(width=f"{WIDTH // 2 - 8}px", max_width="100%")
        words = {"description_width": "72px"}
        self._patience = ipywidgets.SelectionSlider(
            options=[("0", 0)], description="patience", continuous_update=True, layout=wide, style=words
        )
        self._run = ipywidgets.Dropdown(
            options=[(f"{name} (cannot be shown)" if run.problem else name, name) for name, run in self.runs.items()],
            value=next(name for name, run in self.runs.items() if not run.problem),
            description="run", layout=wide, style=words,
        )  # fmt: skip
        self._min_delta = ipywidgets.FloatSlider(
            abs(min_delta), min=0, max=max(abs(min_delta), 1.0), step=1e-9, description="min_delta",
            readout_format=".3g", layout=half, style=words,
        )  # fmt: skip
        self._start = ipywidgets.IntSlider(
            start, min=0, max=max(start, 1), description="start_from_epoch", layout=half,
            style={"description_width": "124px"},
        )  # fmt: skip
        self._baseline = ipywidgets.Text(
            "" if baseline is None else f"{baseline:g}", placeholder="none", description="baseline",
            continuous_update=False, layout=ipywidgets.Layout(width="180px"), style=words,
        )  # fmt: skip
        box = {"indent": False, "layout": ipywidgets.Layout(width="auto", margin="2px 8px 2px 14px")}
        self._restores = ipywidgets.Checkbox(restores, description="restore_best_weights", **box)
        self._best_only = ipywidgets.Checkbox(best_only, description="save_best_only", **box)
        self._others = (self._run, self._min_delta, self._start, self._baseline, self._restores, self._best_only)
        self.controls = MappingProxyType(
            {
                "patience": self._patience,
                "run": self._run,
                "min_delta": self._min_delta,
                "start_from_epoch": self._start,
                "baseline": self._baseline,
                "restore_best_weights": self._restores,
                "save_best_only": self._best_only,
            }
        )

    def _rows(self) -> list[ipywidgets.Widget]:
        rows = [
            self._row(self._patience),
            self._row(self._min_delta, self._start),
            self._row(self._baseline, self._restores, self._best_only),
        ]
        # A chooser among one run would be one more thing to read.
        return [self._row(self._run), *rows] if len(self.runs) > 1 else rows

    def _row(self, *controls: ipywidgets.Widget) -> ipywidgets.Widget:
        layout = ipywidgets.Layout(flex_flow="row wrap", max_width=f"{WIDTH + 8}px", overflow="visible")
        return ipywidgets.HBox(controls, layout=layout)

    def _settings(self) -> Settings:
        """Read the controls.

        Raises:
            ValueError: If the baseline is no number.
        """
        text = self._baseline.value.strip()
        try:
            baseline = float(text.replace(",", ".")) if text and text.lower() != "none" else None
        except ValueError:
            raise ValueError(f"baseline must be a number, or empty for none, not {text!r}.") from None
        return Settings(
            min_delta=self._min_delta.value,
            start_from_epoch=self._start.value,
            baseline=baseline,
            restore_best_weights=self._restores.value,
            save_best_only=self._best_only.value,
        )

    def _changed(self, change: Any) -> None:
        # The browser holds back newer values of a control until this one is answered, and then sends only the
        # newest: nothing stale ever waits here.
        if not self._drawing:
            self._draw(self.patience)

    # -- drawing --------------------------------------------------------------------------------------------------

    def _draw(self, patience: int) -> None:
        """Draw all frames for the present run and settings, the one for `patience` first."""
        self._drawing = True
        try:
            scene, settings = self._scene(), self._settings()
        except ValueError as error:
            self._say_problem(str(error))
            return
        finally:
            self._drawing = False
        top = max(patience, scene.epochs if self._max_patience is None else self._max_patience)
        self._story = story = scene.with_settings(settings, top)
        values = choose(story.table, self._max_frames, patience)
        while len(self._frames) < len(values):
            self._frames.append(ipywidgets.HTML(**self._shared).add_class("explorer-frame"))
        index = values.index(patience)
        longest = max(
            (story.sentences(value) for value in values), key=lambda sentences: len(plain(" ".join(sentences)))
        )
        self._frames[index].value = story.frame(patience)
        self._behind.value = story.background(rich(longest))
        self._show(values, index)
        for place in sorted(range(len(values)), key=lambda place: abs(place - index))[1:]:
            self._frames[place].value = story.frame(values[place])
        self._problem.layout.display, self._picture.layout.display = "none", ""

    def _show(self, values: list[int], index: int) -> None:
        """Give the slider its values and the stack its frames, in one message each."""
        options = tuple((str(value), value) for value in values)
        frames = tuple(self._frames[: len(values)])
        with ExitStack() as held:
            for widget in (self._patience, self._stack):
                held.enter_context(widget.hold_sync())
            if self._stack.children != frames:
                self._stack.selected_index = None
                self._stack.children = frames
            if self._patience.options != options:
                self._patience.options = options
            self._patience.index = self._stack.selected_index = index

    def _scene(self) -> Scene:
        """Return the chosen run on its axes, and fit the ranges of the sliders to it.

        Raises:
            ValueError: If the run cannot be shown.
        """
        run = self.runs[self._run.value]
        if run.problem:
            raise ValueError(run.problem)
        if run.name not in self._scenes:
            self._scenes[run.name] = Scene(run, self._monitor, self._mode)
        scene = self._scenes[run.name]
        with self._start.hold_sync(), self._min_delta.hold_sync():
            self._start.max = max(scene.epochs - 1, self._start.value)
            unit = _round_down(scene.spread() / 500)
            self._min_delta.max = max(100 * unit, self._min_delta.value)
            self._min_delta.step = unit
        return scene

    def _say_problem(self, words: str) -> None:
        """Show a sentence instead of a picture; while the explorer is being made, raise it."""
        if not self._frames:
            raise ValueError(words)
        self._words = words
        self._problem.value = f'<p role="alert" style="max-width:{WIDTH}px;line-height:1.4">{rich([words])}</p>'
        self._problem.layout.display, self._picture.layout.display = "", "none"


def _round_down(number: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not above a number; something small for 0."""
    if not number > 0:
        return 1e-6
    power = 10.0 ** math.floor(math.log10(number))
    return next(step * power for step in (5, 2, 1) if step * power <= number * (1 + 1e-9))
