"""One run under every patience: the numbers and the words that the explorer, a page and the command line show.

No Matplotlib and no widgets. `Explored` replays a run once for all patiences, `Explored.picture` is what the module
`widgets/explorer.js` draws, `page` puts both into one HTML file that needs neither a server nor the web.
"""

from __future__ import annotations

import base64
import bisect
import gzip
import hashlib
import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from helpers import replay, words
from helpers.facts import REPLAYED, Facts, best_place, facts_of
from helpers.history import Run
from helpers.plots._axes import needs_log
from helpers.style import table_html

__all__ = ["Explored", "Settings", "block", "explorable", "module", "page", "state_of", "static", "summary"]

_MODULE = Path(__file__).parent / "widgets" / "explorer.js"
# Patiences above the first that never stops the training all do the same: so many of them are shown.
_BEYOND = 2
# A fifth of the size: this stands in the notebook's messages beside the widget itself.
_UNPACK = """
const packed = Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0));
const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const script = document.createElement("script");
script.type = "module";
script.textContent = await new Response(stream).text();
document.head.append(script);
"""
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)*)")


@dataclass(frozen=True)
class Settings:
    """What is chosen beside patience; the names are Keras's.

    Raises:
        ValueError: `min_delta` or `baseline` is NaN or infinite. Keras takes both; what it then does is no answer.
    """

    min_delta: float = 0.0
    start_from_epoch: int = 0
    baseline: float | None = None
    restore_best_weights: bool = True
    save_best_only: bool = True

    def __post_init__(self) -> None:
        for name in ("min_delta", "baseline"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number, not {value}.")


class Explored:
    """A run, replayed for every patience from 0 on.

    Args:
        run: From `history.read_history`.
        monitor: The metric.
        mode: `"min"` or `"max"`; None goes by the metric's name.
        settings: Of both callbacks.
        most: The largest patience; None takes the smallest that never stops the training, and two more.
        least: A patience that must be there.

    Attributes:
        run: As given, and so are `monitor` and `settings`.
        mode: `"min"` or `"max"`.
        top: The best epoch of the whole log (0-based).
        table: From `replay.every_patience`.
        enough: The smallest patience with which epoch `top` still runs, 1 if any does; None if no patience does.
        missed: How much worse the kept epoch is than the best, 0 or more, one number for each patience; NaN where
            unknown.

    Raises:
        ValueError: If the run cannot be explored (see `explorable`), or a setting makes no sense.
    """

    def __init__(
        self,
        run: Run,
        monitor: str = "val_loss",
        *,
        mode: str | None = None,
        settings: Settings | None = None,
        most: int | None = None,
        least: int = 0,
    ) -> None:
        if problem := explorable(run, monitor):
            raise ValueError(problem)
        self.run, self.monitor, self.settings = run, monitor, settings or Settings()
        self._whole = facts_of(run, monitor=monitor, mode=mode)
        self.mode, self.top = self._whole.mode, self._whole.best
        self.values = run.metric(monitor)
        self._rule = {
            "min_delta": self.settings.min_delta,
            "mode": self.mode,
            "start_from_epoch": self.settings.start_from_epoch,
            "epochs": run.epochs,
        }
        baseline, epochs = self.settings.baseline, len(self.values)
        self.table = replay.every_patience(self.values, baseline=baseline, **self._rule)
        never = int(self.table.stopped.sum())
        if most is None:
            most = min(epochs, never + _BEYOND)
        if max(most, least) != epochs:
            self.table = replay.every_patience(
                self.values, baseline=baseline, max_patience=max(most, least), **self._rule
            )
        reached = np.flatnonzero(self.table.last_epoch >= self.top)
        self.enough = max(1, int(reached[0])) if len(reached) else None
        numbers = np.array([math.nan if value is None else value for value in self.values], dtype=float)
        numbers[~np.isfinite(numbers)] = math.nan
        best = self.table.best_epoch if self.settings.restore_best_weights and self._seen else self.table.last_epoch
        kept = numbers[np.searchsorted(run.epochs, best)]
        self.missed = kept - np.nanmin(numbers) if self.mode == "min" else np.nanmax(numbers) - kept

    # -- one patience ---------------------------------------------------------------------------------------------

    def record(self, patience: int) -> replay.StoppingRecord:
        """Return what EarlyStopping does with one patience."""
        restores = self.settings.restore_best_weights
        return replay.early_stopping(
            self.values, patience=patience, baseline=self.settings.baseline, restore_best_weights=restores, **self._rule
        )

    def saves(self, patience: int) -> replay.CheckpointRecord:
        """Return what ModelCheckpoint writes before EarlyStopping with one patience ends the training."""
        return self._saves(int(self.table.epochs_run[patience]))

    def facts(self, patience: int) -> Facts:
        """Return what happens with one patience, as the pictures have it."""
        whole, first = self._whole, self._whole.first
        last, best = int(self.table.last_epoch[patience]), int(self.table.best_epoch[patience])
        waited = self._waits[int(self.table.epochs_run[patience]) - 1]
        start = self._valued[bisect.bisect_right(self._valued, last) - waited] if waited else None
        restored = self.settings.restore_best_weights and self._seen
        return Facts(
            monitor=self.monitor,
            mode=self.mode,
            first=first,
            train=whole.train,
            validation=whole.validation,
            epochs_run=last - first + 1,
            stop=last if self.table.stopped[patience] else None,
            best=best if self._seen else None,
            best_by=self.monitor,
            patience=int(self.table.patience[patience]),
            waited=waited,
            window=None if start is None else (start, last),
            kept=best if restored else last,
            restored=restored,
            saved=self._saved[: bisect.bisect_right(self._saved, last)],
            unseen=self._unseen[last - first + 1],
            stopping=True,
            beyond=REPLAYED,
        )

    def sentence(self, patience: int, facts: Facts | None = None) -> str:
        """Say what one patience does; `**` marks what is bold."""
        facts = facts or self.facts(patience)
        close = bisect.bisect_right(self._close, facts.last)
        return words.outcome(facts, self.top, start_from_epoch=self.settings.start_from_epoch, close=close)

    def twin(self, patience: int) -> str:
        """Say in words what the pictures of one patience show."""
        facts = self.facts(patience)
        lines = [words.curves(facts), words.marks(facts), words.price(*self._price(patience), self.monitor)]
        return words.plain(" ".join(lines).replace("\n", " "))

    @property
    def said(self) -> str:
        """Which patience is enough, in words."""
        return words.enough(self.enough, self.top, whole=len(self.values))

    def telling(self) -> list[int]:
        """Return the patiences that tell the story: both sides of each jump in the outcome, the ends, the small."""
        jumps = np.flatnonzero(np.diff(self.table.best_epoch) | (np.diff(self.table.stopped.astype(int)) != 0))
        few = {0, 1, 2, 3, 5, 10, 20, 50, len(self.table) - 1, self.enough or 0}
        chosen = few | {int(side) for jump in jumps[:20] for side in (jump, jump + 1)}
        return sorted(patience for patience in chosen if patience < len(self.table))

    def rows(self, patiences: Iterable[int]) -> list[list[str]]:
        """Return the trade-off as the rows of a table, its head first."""
        rows = [["patience", "epochs run", "kept epoch", f"{self.monitor} missed"]]
        for patience in patiences:
            facts, (_, epochs, missed) = self.facts(patience), self._price(patience)
            rows.append([str(patience), str(epochs), str(facts.kept + 1), words.number(missed)])
        return rows

    # -- all of them ----------------------------------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        """Return all that the module draws: numbers, and words by patience; ready for JSON.

        Words that differ only in their numbers are sent once: `forms` holds them, a line of `rows` says which form and
        which numbers. A row is: the sentence, the six labels of `words.labels`, then the lines of the text twin.
        """
        forms: dict[str, int] = {}
        rows, starts, kept = [], [], []
        names = ("stop", "best", "kept", "window", "never", "saved")
        for patience in range(len(self.table)):
            facts = self.facts(patience)
            labels = words.labels(facts)
            lines = [self.sentence(patience, facts), *(labels.get(name, "") for name in names)]
            lines += [*words.marks(facts).split("\n"), words.price(*self._price(patience), self.monitor)]
            rows.append("|".join(_packed(line, forms) for line in lines))
            starts.append(-1 if facts.window is None else facts.window[0])
            kept.append(facts.kept)
        finite = [value for value in self.values if value is not None and math.isfinite(value)]
        known = [v for half in (self._whole.train, self._whole.validation) for v in half or () if v is not None]
        settings = asdict(self.settings)
        return {
            "name": self.run.name,
            "monitor": self.monitor,
            "axis": self.monitor.removeprefix("val_").replace("_", " "),
            "first": self._whole.first,
            "train": _drawn(self._whole.train),
            "validation": _drawn(self._whole.validation),
            "watched": "train" if self._whole.monitored is self._whole.train else "validation",
            "log": min((v for v in known if math.isfinite(v)), default=0) > 0
            and needs_log([v for v in known if math.isfinite(v) and v < 1e300], finite),
            "top": self.top,
            "last": self.table.last_epoch.tolist(),
            "ran": self.table.epochs_run.tolist(),
            "stopping": int(self.table.stopped.sum()),
            "best": self.table.best_epoch.tolist() if self._seen else [],
            "kept": kept,
            "waiting": starts,
            "missed": [None if math.isnan(value) else _short(value) for value in self.missed.tolist()],
            "enough": self.enough,
            "saves": list(self._saved),
            "close": list(self._close),
            "settings": settings,
            "unit": _round_down((max(finite) - min(finite)) / 500),
            "forms": list(forms),
            "rows": rows,
            "notes": list(self.run.notes),
            "said": {
                "curves": words.curves(self._whole),
                "enough": self.said,
                "missed": words.missed(self.monitor, restores=self.settings.restore_best_weights and self._seen),
                "baseline": f"baseline {words.number(self.settings.baseline)}",
                "ignored": "not looked at",
                "odd": "\u00d7 NaN or \u221e",
                "settings": ", ".join(f"{name} {value}" for name, value in settings.items()),
            },
        }

    def _price(self, patience: int) -> tuple[int, int, float]:
        return int(self.table.patience[patience]), int(self.table.epochs_run[patience]), float(self.missed[patience])

    def _saves(self, length: int) -> replay.CheckpointRecord:
        return replay.model_checkpoint(
            self.values[:length], save_best_only=self.settings.save_best_only, mode=self.mode,
            epochs=self.run.epochs[:length],
        )  # fmt: skip

    @cached_property
    def _saved(self) -> tuple[int, ...]:
        return self._saves(len(self.values)).epochs

    @cached_property
    def _waits(self) -> tuple[int, ...]:
        """Return `wait` after each epoch if nothing ever stopped the training."""
        never = len(self.values) + 1
        return replay.early_stopping(self.values, patience=never, baseline=self.settings.baseline, **self._rule).waits

    @cached_property
    def _seen(self) -> bool:
        """Return whether EarlyStopping ever looks."""
        start = self.settings.start_from_epoch
        return any(v is not None and e >= start for e, v in zip(self.run.epochs, self.values, strict=True))

    @cached_property
    def _valued(self) -> list[int]:
        return [epoch for epoch, value in zip(self.run.epochs, self.values, strict=True) if value is not None]

    @cached_property
    def _close(self) -> list[int]:
        """Return the epochs that were better than the best before them, but by no more than `min_delta`."""
        if not self.settings.min_delta:
            return []
        # Without a baseline, the count goes back to 0 at each new best and nowhere else.
        waits = replay.early_stopping(self.values, patience=len(self.values) + 1, **self._rule).waits
        close, best = [], None
        for epoch, value, wait in zip(self.run.epochs, self.values, waits, strict=True):
            if value is None or epoch < self.settings.start_from_epoch:
                continue
            if wait == 0:
                best = value
            elif best is not None and (value < best if self.mode == "min" else value > best):
                close.append(epoch)
        return close

    @cached_property
    def _unseen(self) -> list[int | None]:
        """Return, for each number of epochs that ran, the best epoch of the rest."""
        values, first = self._whole.monitored, self._whole.first
        found: list[int | None] = [None]
        for place in range(len(values) - 1, -1, -1):
            rest = found[-1]
            pair = [values[place]] + ([] if rest is None else [values[rest - first]])
            best = best_place(pair, self.mode)
            found.append(rest if best in (None, 1) else first + place)
        return found[::-1]


def explorable(run: Run, monitor: str) -> str:
    """Say why a run has nothing to explore, as a sentence; "" if it can be explored."""
    try:
        values = run.metric(monitor)
    except ValueError as error:
        return str(error)
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        kinds = ["no value" if v is None else "NaN" if math.isnan(v) else "infinity" for v in values]
        found = ", ".join(
            f"{words.count(kinds.count(kind), 'epoch')} {'without a value' if kind == 'no value' else f'with {kind}'}"
            for kind in dict.fromkeys(kinds)
        )
        others = ", ".join(metric for metric in run if metric != monitor)
        more = f" The log also has: {others}." if others else ""
        return f"{monitor} is never a number in {run.name!r}: {found}.{more}"
    if len(values) < 2:
        return (
            f"There is only one epoch in {run.name!r} ({monitor} {words.number(finite[0])}): EarlyStopping never stops "
            "after the first epoch, so there is nothing to explore. Train for more epochs."
        )
    return ""


def summary(runs: Sequence[Explored], most: int) -> dict[str, Any]:
    """Say for how many of several runs each patience would have done; ready for JSON.

    Args:
        runs: The runs, with the same settings.
        most: The largest patience.
    """
    needed = sorted(run.enough for run in runs if run.enough is not None)
    done = [bisect.bisect_right(needed, max(1, patience)) for patience in range(most + 1)]
    return {"runs": len(runs), "done": done, "said": words.summary(needed, len(runs))}


def module() -> str:
    """Return the JavaScript that draws, without its indentation, which would be sent with each explorer."""
    return re.sub(r"\n\s+", "\n", _MODULE.read_text(encoding="utf-8"))


def block(state: Mapping[str, Any], plain: str) -> str:
    """Return an explorer as a self-contained piece of HTML: it moves without a kernel, a server and the web.

    Args:
        state: What the module reads, from `state_of`.
        plain: HTML to show where no script runs.
    """
    text = json.dumps(state, separators=(",", ":"), allow_nan=False)
    mark = hashlib.sha1(text.encode()).hexdigest()[:12]
    # The first of equal blocks that is not drawn yet: a page may hold the same explorer twice.
    start = f"still(document.querySelector('[data-explorer=\"{mark}\"]:not([data-drawn])'), {text});"
    packed = gzip.compress(f"{module()}\n{start}".encode(), mtime=0)
    script = _UNPACK % base64.b64encode(packed).decode()
    return f'<div data-explorer="{mark}">{plain}</div><script type="module">{script}</script>'


def static(run: Explored, patience: int) -> str:
    """Return sentence, text twin, the telling patiences as a table, and what was found in the log, in HTML."""
    said = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(f"{run.sentence(patience)} {run.said}"))
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in run.run.notes)
    return f"<p>{said}</p><p>{html.escape(run.twin(patience))}</p>{table_html(run.rows(run.telling()))}{notes}"


def page(
    runs: Mapping[str, Run] | Run,
    *,
    monitor: str = "val_loss",
    mode: str | None = None,
    patience: int = 5,
    settings: Settings | None = None,
    title: str = "Patience explorer",
) -> str:
    """Return a whole HTML page with the explorer; it opens from disk, without a server and without the web.

    Args:
        runs: One run, or several by name, from `history`; those that cannot be explored are named on the page.
        monitor: The metric.
        mode: `"min"` or `"max"`; None goes by the metric's name.
        patience: Where the slider stands at first.
        settings: Of both callbacks; the page shows them, but cannot change them.
        title: The page's heading.

    Raises:
        ValueError: If not a single run can be explored, or a setting makes no sense.
    """
    runs = {runs.name: runs} if isinstance(runs, Run) else dict(runs)
    problems = {name: problem for name, run in runs.items() if (problem := explorable(run, monitor))}
    if len(problems) == len(runs):
        raise ValueError(next(iter(problems.values())))
    seen = {
        name: Explored(run, monitor, mode=mode, settings=settings, least=patience)
        for name, run in runs.items()
        if name not in problems
    }
    state, first = state_of(seen, patience), next(iter(seen.values()))
    notes = [f"{name} is left out. {problem}" for name, problem in problems.items()]
    listed = f"<ul>{''.join(f'<li>{html.escape(note)}</li>' for note in notes)}</ul>" if notes else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:56rem;padding:0 1rem;color:#1f2328;"
        "background:#fff}h1{font-size:1.35rem;margin:0 0 .6rem}"
        "@media (prefers-color-scheme:dark){body{color:#e6e8eb;background:#111418}}</style></head>"
        f"<body><main><h1>{html.escape(title)}</h1>{block(state, static(first, patience))}{listed}</main></body>"
        "</html>\n"
    )


def state_of(runs: Mapping[str, Explored], patience: int, shown: str | None = None) -> dict[str, Any]:
    """Return what the module needs for runs that have no kernel behind them."""
    most = max(len(run.table) for run in runs.values()) - 1
    together = summary(list(runs.values()), most) if len(runs) > 1 else None
    pictures = {name: {**run.picture(), "summary": together} for name, run in runs.items()}
    return {
        "patience": patience,
        "run": shown or next(iter(runs)),
        "choices": [[name, name] for name in runs],
        "pictures": pictures,
    }


def _packed(line: str, forms: dict[str, int]) -> str:
    """Return the number of a line's form, and its numbers."""
    # Every second part is a number.
    parts = _NUMBER.split(line)
    form = forms.setdefault("\x01".join(parts[::2]), len(forms))
    return " ".join([str(form), *parts[1::2]])


def _drawn(values: Sequence[float | None] | None) -> list[Any] | None:
    """Write a curve for JSON: null for no value, false for NaN and infinity."""
    if values is None:
        return None
    return [None if v is None else _short(v) if math.isfinite(v) else False for v in values]


def _short(value: float) -> float:
    # Six digits are more than a picture shows.
    return float(f"{value:.6g}")


def _round_down(number: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not above a number; something small for 0."""
    if not number > 0:
        return 1e-6
    power = 10.0 ** math.floor(math.log10(number))
    return next(float(f"{step * power:.1g}") for step in (5, 2, 1) if step * power <= number * (1 + 1e-9))
