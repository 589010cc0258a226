"""`PatienceExplorer`: drag patience over a recorded run and see at once where training would have stopped.

Python works out what every patience does and says (`helpers.explored`), once for each run and settings, and sends
numbers and words. `explorer.js` draws them, so patience follows the finger while the kernel is busy, over a slow line,
and in a page without a kernel. The other controls ask the kernel for a new table.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import anywidget
import traitlets

from helpers import explored, history, replay
from helpers.words import plain

__all__ = ["PatienceExplorer"]

_ASKED = ("run", "min_delta", "start_from_epoch", "baseline", "restore_best_weights", "save_best_only")


class PatienceExplorer(anywidget.AnyWidget):
    """Show what EarlyStopping and ModelCheckpoint would have done with recorded runs.

    The arguments from `patience` to `save_best_only` are also attributes that may be set and observed.

    Args:
        source: A Keras `History`, a dict of lists, a list of numbers, a log file; a folder of such files; or a list, or
            a dict by name, of runs, among which a chooser lets you choose. See `history.read_runs`.
        monitor: The metric; a list of numbers is taken for it.
        mode: `"min"`, `"max"`, or None to go by the metric's name.
        patience: Where the slider stands at first.
        min_delta: As in `EarlyStopping`, and so are the next three; all of them have a control.
        start_from_epoch: Epochs that are ignored at the beginning.
        baseline: Value to beat, or None.
        restore_best_weights: Whether the best weights are put back at the end. True here, unlike in Keras, since the
            question is which epochs were worth running.
        save_best_only: As in `ModelCheckpoint`.
        max_patience: Largest patience of the slider; None takes the smallest that never stops the training, and two
            more.

    Attributes:
        runs: The runs by name, each with its `problem` if it cannot be explored.
        run: The name of the one that shows.

    Raises:
        ValueError: If there is nothing to explore (no such metric, text among the numbers, a single epoch, no finite
            value, ...) or an argument makes no sense; the message says what was found.
        FileNotFoundError: If a path does not exist.
    """

    _esm = explored.module()
    choices = traitlets.List().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    problem = traitlets.Dict().tag(sync=True)
    patience = traitlets.Int().tag(sync=True)
    run = traitlets.Unicode().tag(sync=True)
    min_delta = traitlets.Float().tag(sync=True)
    start_from_epoch = traitlets.Int().tag(sync=True)
    baseline = traitlets.Any(None).tag(sync=True)
    restore_best_weights = traitlets.Bool().tag(sync=True)
    save_best_only = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        source: Any,
        *,
        monitor: str = "val_loss",
        mode: str | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        start_from_epoch: int = 0,
        baseline: float | None = None,
        restore_best_weights: bool = True,
        save_best_only: bool = True,
        max_patience: int | None = None,
    ) -> None:
        self._monitor, self._mode, self._most = monitor, mode, max_patience
        runs = history.read_runs(source, monitor=monitor)
        self._problems = {name: explored.explorable(run, monitor) for name, run in runs.items()}
        self.runs = MappingProxyType(runs)
        if all(self._problems.values()):
            others = len(runs) - 1
            more = f" ({others} other run{'s' * (others != 1)} cannot be shown either.)" if others else ""
            raise ValueError(next(iter(self._problems.values())) + more)
        # The rule's own sentences for arguments that make no sense.
        rule = {"patience": patience, "min_delta": min_delta, "start_from_epoch": start_from_epoch}
        rule = replay.early_stopping([0.0], baseline=baseline, **rule)
        replay.every_patience([0.0], max_patience=max_patience)
        self._seen: explored.Explored | None = None
        super().__init__(
            choices=[[name, f"{name} (cannot be shown)" if self._problems[name] else name] for name in runs],
            run=next(name for name in runs if not self._problems[name]),
            patience=rule.patience,
            min_delta=abs(rule.min_delta),
            start_from_epoch=rule.start_from_epoch,
            baseline=baseline,
            restore_best_weights=restore_best_weights,
            save_best_only=save_best_only,
        )
        self._replay()
        self.observe(self._changed, [*_ASKED, "patience"])

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def record(self) -> replay.StoppingRecord:
        """What EarlyStopping does with the present settings."""
        return self._seen.record(self.patience)

    @property
    def saves(self) -> replay.CheckpointRecord:
        """What ModelCheckpoint writes with the present settings before the stop."""
        return self._seen.saves(self.patience)

    @property
    def table(self) -> replay.PatienceTable:
        """Every patience with the present settings."""
        return self._seen.table

    @property
    def sentence(self) -> str:
        """What happened, in words."""
        return self.problem.get("text") or plain(f"{self._seen.sentence(self.patience)} {self._seen.said}")

    @property
    def alt(self) -> str:
        """The text twin of the picture."""
        return f"Learning curves. {self._seen.twin(self.patience)}"

    def to_html(self, path: str | Path | None = None, *, title: str = "Patience explorer") -> str:
        """Return a page that holds the explorer as it stands; it needs no kernel, no server and no web.

        Args:
            path: A file to write, or None.
            title: The page's heading.
        """
        first = {self.run: self.runs[self.run]}
        text = explored.page(
            {**first, **self.runs}, monitor=self._monitor, mode=self._mode, patience=self.patience,
            settings=self._seen.settings, title=title,
        )  # fmt: skip
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def __repr__(self) -> str:
        """Return the sentence: where there are no widgets, that much still shows."""
        return f"PatienceExplorer: {self.sentence}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add sentence and a block that moves by itself, for pages in which no kernel runs."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        others = {n: r for n, r in self.runs.items() if not self._problems[n] and n != self._seen.run.name}
        seen = {self._seen.run.name: self._seen}
        seen |= {name: self._explore(name, self._seen.settings) for name in others}
        state = explored.state_of(seen, self.patience)
        text = explored.block(state, explored.static(self._seen, self.patience))
        data = {**data, "text/plain": repr(self), "text/html": text}
        return (data, *metadata) if metadata else data

    # -- what the controls ask for ---------------------------------------------------------------------------------

    def _changed(self, change: Any) -> None:
        # The browser holds back newer values of a control until this one is answered, and then sends only the
        # newest: nothing stale ever waits here.
        if change["name"] == "patience":
            replay.early_stopping([0.0], patience=self.patience)
            if self.patience < len(self.table):
                return
        self._replay()

    def _replay(self) -> None:
        """Work out the present run with the present settings, or say why not; the last picture stays then."""
        try:
            if text := self._problems[self.run]:
                self.problem = {"about": "run", "text": text}
                return
            settings = self._settings()
            seen = self._explore(self.run, settings)
        except ValueError as error:
            if self._seen is None:
                raise
            self.problem = {"about": "baseline" if "baseline" in str(error) else "other", "text": str(error)}
            return
        picture, together = seen.picture(), None
        if len(self.runs) > 1:
            every = [self._explore(name, settings) for name, problem in self._problems.items() if not problem]
            together = explored.summary(every, len(seen.table) - 1)
        self._seen = seen
        with self.hold_sync():
            self.problem = {}
            self.picture = {**picture, "summary": together}

    def _explore(self, name: str, settings: explored.Settings) -> explored.Explored:
        run, rest = self.runs[name], {"mode": self._mode, "most": self._most, "least": self.patience}
        return explored.Explored(run, self._monitor, settings=settings, **rest)

    def _settings(self) -> explored.Settings:
        """Read the controls.

        Raises:
            ValueError: If the baseline is no number.
        """
        text = str(self.baseline if self.baseline is not None else "").strip()
        try:
            baseline = float(text.replace(",", ".")) if text and text.lower() != "none" else None
        except ValueError:
            raise ValueError(f"baseline must be a number, or empty for none, not {text!r}.") from None
        return explored.Settings(
            min_delta=self.min_delta,
            start_from_epoch=self.start_from_epoch,
            baseline=baseline,
            restore_best_weights=self.restore_best_weights,
            save_best_only=self.save_best_only,
        )
