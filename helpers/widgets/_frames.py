"""Frames for the explorer: one run, one set of settings, one picture and sentence for each patience."""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass

from helpers import replay, style, words
from helpers.facts import Facts, facts_of
from helpers.plots import _curves
from helpers.widgets import _svg, _trade
from helpers.widgets._runs import Run

WIDTH, CURVES = 640, 330
HEIGHT = CURVES + _trade.HEIGHT
# Holds the alt text: browsers and exports keep it, whatever they make of SVG. One transparent pixel.
_NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@dataclass(frozen=True)
class Settings:
    """What the controls other than patience say; the names are Keras's."""

    min_delta: float = 0.0
    start_from_epoch: int = 0
    baseline: float | None = None
    restore_best_weights: bool = False
    save_best_only: bool = True


class Scene:
    """A run on its axes, ready to be drawn with any settings.

    Args:
        run: The run; it has no problem.
        monitor: Name of the metric.
        mode: `"min"` or `"max"`, None to go by the name.

    Raises:
        ValueError: If the name of the metric does not tell the mode.
    """

    def __init__(self, run: Run, monitor: str, mode: str | None) -> None:
        self.run, self.monitor, self.values = run, monitor, run.metric(monitor)
        whole = facts_of(run, monitor=monitor, mode=mode)
        self.mode, self.top = whole.mode, whole.best
        figure = style.figure(WIDTH, CURVES)
        self._axes = _svg.SvgAxes(_curves.draw_axes(figure, whole, saves=True))
        self._behind = _svg.figure_svg(figure)

    @property
    def epochs(self) -> int:
        """Return how many epochs the log holds."""
        return len(self.run.epochs)

    def spread(self) -> float:
        """Return the distance between the largest and the smallest finite value, for the range of `min_delta`."""
        finite = [value for value in self.values if value is not None and math.isfinite(value)]
        return max(finite) - min(finite)

    def with_settings(self, settings: Settings, top: int) -> Story:
        """Replay the run for every patience from 0 to `top`."""
        return Story(self, settings, top)


class Story:
    """A scene with settings: knows the outcome of each patience and draws it on demand."""

    def __init__(self, scene: Scene, settings: Settings, top: int) -> None:
        self.scene, self.settings = scene, settings
        rule = {
            "min_delta": settings.min_delta,
            "mode": scene.mode,
            "baseline": settings.baseline,
            "start_from_epoch": settings.start_from_epoch,
            "epochs": scene.run.epochs,
        }
        self._rule = rule
        self._records: dict[int, replay.StoppingRecord] = {}
        self._facts: dict[int, Facts] = {}
        self.table = replay.every_patience(scene.values, max_patience=top, **rule)
        self.trade = _trade.trade_of(
            self.table, scene.values, scene.run.epochs, mode=scene.mode, monitor=scene.monitor,
            restores=settings.restore_best_weights,
        )  # fmt: skip
        self._saves = self._replay_saves(len(scene.values))

    def record(self, patience: int) -> replay.StoppingRecord:
        """Replay one patience."""
        if patience not in self._records:
            self._records[patience] = replay.early_stopping(
                self.scene.values,
                patience=patience,
                restore_best_weights=self.settings.restore_best_weights,
                **self._rule,
            )
        return self._records[patience]

    def saves(self, patience: int) -> replay.CheckpointRecord:
        """Return what ModelCheckpoint wrote before the stop."""
        return self._replay_saves(int(self.table.epochs_run[patience]))

    def _replay_saves(self, count: int) -> replay.CheckpointRecord:
        return replay.model_checkpoint(
            self.scene.values[:count], save_best_only=self.settings.save_best_only, mode=self.scene.mode,
            epochs=self.scene.run.epochs[:count],
        )  # fmt: skip

    def facts(self, patience: int) -> Facts:
        """Return the facts of one patience."""
        if patience not in self._facts:
            self._facts[patience] = facts_of(
                self.scene.run, monitor=self.scene.monitor, stopping=self.record(patience), saves=self._saves,
                mode=self.scene.mode,
            )  # fmt: skip
        return self._facts[patience]

    def sentences(self, patience: int) -> list[str]:
        """Say what one patience does."""
        top = self.scene.top
        return [words.outcome(self.facts(patience), top, start_from_epoch=self.settings.start_from_epoch)]

    def alt(self, patience: int) -> str:
        """Return the text twin of a frame's picture."""
        facts = words.twin(self.facts(patience)).replace("\n", " ")
        return f"Learning curves. {facts} {_trade.tell(self.trade, patience)}"

    def background(self, sentence: str) -> str:
        """Return what lies behind all frames, with the room that a sentence takes, as HTML."""
        panels = _trade.panels(self.trade)
        inside = (
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{style.PAPER}"/>{self.scene._behind}'
            f'<g transform="translate(0 {CURVES})">{panels}</g>'
        )
        return _page(f'<p aria-hidden="true" style="{_TEXT};visibility:hidden">{sentence}</p>', _drawing(inside))

    def frame(self, patience: int) -> str:
        """Return the frame of one patience as HTML."""
        marks = _svg.draw(_curves.draw_marks(self.scene._axes, self.facts(patience)), CURVES)
        inside = f'{marks}<g transform="translate(0 {CURVES})">{_trade.mark(self.trade, patience)}</g>'
        alt = html.escape(self.alt(patience), quote=True)
        picture = (
            f'<div style="position:relative;max-width:{WIDTH}px">{_drawing(inside)}<img src="{_NOTHING}" alt="{alt}" '
            'style="position:absolute;left:0;top:0;width:100%;height:100%"></div>'
        )
        return _page(f'<p style="{_TEXT}">{rich(self.sentences(patience))}</p>', picture)


_TEXT = f"margin:0 0 4px;padding:0 6px;max-width:{WIDTH - 12}px;line-height:1.4;white-space:normal"


def rich(sentences: list[str]) -> str:
    """Write sentences as HTML; what stands between `**` is bold."""
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(" ".join(sentences)))


def _page(text: str, picture: str) -> str:
    return f'<div style="max-width:{WIDTH}px;font-size:14px">{text}{picture}</div>'


def _drawing(inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="{_svg.FONT_FAMILY}" aria-hidden="true" '
        f'style="display:block;width:100%;max-width:{WIDTH}px;height:auto;overflow:visible">{inside}</svg>'
    )
