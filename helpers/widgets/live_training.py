"""Buttons, sliders and a growing picture over a `live.Trainer`."""

from __future__ import annotations

import html
import logging
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from helpers import _kernel, words
from helpers.live import Snapshot, Trainer
from helpers.widgets._live_picture import LivePicture
from helpers.widgets._status import Status

__all__ = ["LiveTraining"]

_log = logging.getLogger(__name__)
# Of each second that passes, at most this share is spent drawing; the fit waits for the interpreter meanwhile.
_SHARE = 0.03
_FRAMES_PER_SECOND = 4.0
# Lines about changed settings below the picture; a slider that is dragged makes one in each epoch.
_NOTES = 4
_STYLE = """<style>
.course-live {max-width: 660px; padding: 2px 4px}
.course-live, .course-live .widget-box, .course-live .widget-hbox {overflow: visible}
.course-live .jupyter-button:focus-visible, .course-live input:focus-visible
  {outline: 3px solid var(--jp-brand-color1, #1976d2) !important; outline-offset: 1px}
.course-live .course-live-idle:not(:focus-visible) {opacity: 0.7}
.course-live .course-field {display: flex; flex: none; flex-wrap: wrap; max-width: calc(100% - 14px);
  align-items: center; gap: 4px 8px; margin: 2px 12px 2px 2px}
.course-live .course-field input {font: inherit; color: inherit; background: transparent; min-height: 26px;
  accent-color: var(--jp-brand-color1, #1976d2)}
.course-live .course-field input[type=number] {width: 6em; border: 1px solid #7d8590; border-radius: 3px}
.course-live .course-field input[type=range] {width: 220px}
.course-live .widget-html-content, .course-live .jupyter-widget-html-content {line-height: 1.45; white-space: normal}
.course-live progress {width: 180px; height: 12px; vertical-align: -1px; margin-right: 8px}
.course-live .jupyter-widgets-disconnected .course-live-words,
.course-live.jupyter-widgets-disconnected .course-live-words {display: none}
.course-live .jupyter-widgets-disconnected .course-live-gone {display: block !important}
</style>"""
_GONE = "The kernel is gone, and the run with it. Run the cells again from the top."
_views: weakref.WeakKeyDictionary[Trainer, weakref.ref[LiveTraining]] = weakref.WeakKeyDictionary()


class _Field(anywidget.AnyWidget):
    """A number with a name, and a slider where there is room for one."""

    _esm = Path(__file__).with_name("field.js")
    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Float().tag(sync=True)
    most = traitlets.Float(allow_none=True).tag(sync=True)
    step = traitlets.Any("any").tag(sync=True)
    slides = traitlets.Bool(False).tag(sync=True)


class LiveTraining(ipywidgets.VBox):
    """Steer a fit while it runs, and watch it: `widgets.LiveTraining(live.Trainer(model, ...))`.

    Nothing trains until Start is pressed or `trainer.start()` is called. The picture is drawn on a thread of its own,
    from the newest state, as often as 3 % of the time allows. Running the cell again, or `close()`, ends the run.

    Args:
        trainer: A `live.Trainer`.
        metric: What the picture shows, without `val_`; None takes what EarlyStopping watches, otherwise `"loss"`.
        max_patience: The slider's right end; None takes at least 30 and twice the present patience.

    Attributes:
        trainer: As given.

    Raises:
        TypeError: `trainer` is no `live.Trainer`.
    """

    # Until the end of __init__ there is nothing to close, and ipywidgets closes what it collects.
    _closed = True

    def __init__(self, trainer: Trainer, *, metric: str | None = None, max_patience: int | None = None) -> None:
        if not isinstance(trainer, Trainer):
            raise TypeError(
                "LiveTraining shows a live.Trainer: widgets.LiveTraining(live.Trainer(model, train, epochs=200)); "
                f"this is a {type(trainer).__name__}."
            )
        _close_view_of(trainer)
        now = trainer.snapshot()
        self.trainer = trainer
        self._metric = metric or (now.monitor or "loss").removeprefix("val_")
        self._picture = LivePicture(self._metric, waits=now.monitor is not None)
        # The painter's: which thread it is, and what wakes it before its time.
        self._guard = threading.RLock()
        self._painter: threading.Thread | None = None
        self._wake = threading.Event()
        self._closed = False
        self._trouble = ""
        self._began_with = now.patience
        self._make_controls(now, max_patience)
        self._image, self._progress, self._notes = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self._status = Status(seen=True)
        self._status.add_class("course-live-words")
        rows = [ipywidgets.HTML(_STYLE), ipywidgets.HBox([self._start, self._pause, self._stop])]
        # The picture above all that may take another line: it stays in its place.
        rows += [self._settings, self._image, self._progress, self._status, self._notes]
        super().__init__(rows)
        self.add_class("course-live")
        # The first, empty picture warms matplotlib up, so that the fit need not.
        self._label(now)
        self._show_words(now)
        self._show_picture(now)
        self._forget = trainer.on_change(self._changed)
        _views[trainer] = weakref.ref(self)
        _kernel.before_rerun(self.close)
        self._changed()

    def close(self) -> None:
        """End the run, wait for its thread, and take the widget off the page."""
        if self._closed:
            return
        self._closed = True
        self._forget()
        # The trainer's own end also waits, but not for ever.
        self.trainer._end()
        self._wake.set()
        painter = self._painter
        if painter is not None and painter is not threading.current_thread():
            painter.join(10.0)
        for row in self.children:
            for widget in getattr(row, "children", ()):
                widget.close()
            row.close()
        super().close()

    # -- controls ------------------------------------------------------------------------------------------------

    def _make_controls(self, now: Snapshot, max_patience: int | None) -> None:
        def button(action: Callable[[], None], tooltip: str) -> ipywidgets.Button:
            made = ipywidgets.Button(tooltip=tooltip, layout={"width": "104px"})
            made.on_click(lambda _: self._try(action))
            return made

        self._start = button(self._start_or_restart, "Begin a run")
        self._pause = button(self._pause_or_resume, "Hold the run before its next batch, or let it go on")
        self._stop = button(self.trainer.stop, "End the run after this batch")
        self._stop.description = "Stop"
        # What the controls show, so that only news are written to them.
        self._asks, self._shown = {}, {"patience": now.patience, "min_delta": now.min_delta}
        if now.monitor is None:
            self._settings = ipywidgets.HTML(
                "No <code>EarlyStopping</code> among the callbacks: no patience to change."
            )
            return
        asked, delta = int(now.patience or 0), float(now.min_delta or 0.0)
        most = max(asked, max_patience or max(30, 2 * asked))
        self._patience = _Field(label="patience", value=asked, most=most, step=1, slides=True)
        self._min_delta = _Field(label="min_delta", value=delta, most=None)
        self._asks = {"patience": self._patience, "min_delta": self._min_delta}
        for name, control in self._asks.items():
            control.observe(lambda change, name=name: self._try(self._set, name, change["new"]), "value")
        self._settings = ipywidgets.HBox(list(self._asks.values()), layout={"flex_flow": "row wrap"})

    def _start_or_restart(self) -> None:
        if self.trainer.state == "ready":
            self.trainer.start()
        else:
            self.trainer.restart()

    def _pause_or_resume(self) -> None:
        if self.trainer.state in ("pausing", "paused"):
            self.trainer.resume()
        else:
            self.trainer.pause()

    def _set(self, name: str, value: float) -> None:
        with self._guard:
            self._shown[name] = value
            setattr(self.trainer, name, int(value) if name == "patience" else value)

    def _try(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do what a control asks for, and show what goes wrong: nobody sees an exception in a click."""
        try:
            action(*arguments)
        except KeyboardInterrupt:
            # The kernel was interrupted while it dealt with a click.
            self.trainer.stop()
        except Exception as error:
            self._trouble = f"{type(error).__name__}: {error}"
            self._show_words(self.trainer.snapshot())

    # -- what the trainer tells, in any thread ---------------------------------------------------------------------

    def _changed(self) -> None:
        """Label the controls anew, and see to it that somebody paints."""
        with self._guard:
            if self._closed:
                return
            now = self.trainer.snapshot()
            self._label(now)
            self._show_words(now)
            if self._painter is None and (now.alive or now.version):
                self._painter = threading.Thread(target=self._paint, name="live-picture", daemon=True)
                self._painter.start()
        self._wake.set()

    def _label(self, now: Snapshot) -> None:
        fresh = now.state == "ready"
        # No icons: their letters would be part of the names.
        self._start.description = "Start" if fresh else "Restart"
        self._start.button_style = "" if now.alive else "primary"
        if not fresh:
            kept = "" if now.patience is None else f", with the settings that show here (patience {now.patience})"
            self._start.tooltip = f"Begin anew{kept}"
        held = now.state in ("pausing", "paused")
        self._pause.description = "Resume" if held else "Pause"
        for control in (self._pause, self._stop):
            # Greyed, not disabled: a disabled button would throw the keyboard's focus away.
            (control.remove_class if now.alive else control.add_class)("course-live-idle")
        for name, shown in self._shown.items():
            value = getattr(now, name)
            # Only what someone else changed: writing back could undo a drag that is on its way here.
            if value is None or value == shown:
                continue
            self._shown[name] = value
            control = self._asks[name]
            if control.most is not None:
                control.most = max(control.most, value)
            control.value = value

    # -- the painter's thread ------------------------------------------------------------------------------------

    def _paint(self) -> None:
        """Paint the newest state again and again until no run is under way."""
        try:
            while not self._closed:
                self._wake.clear()
                now = self.trainer.snapshot()
                began = time.thread_time()
                self._show_words(now)
                self._show_picture(now)
                cost = time.thread_time() - began
                if not now.alive:
                    with self._guard:
                        # A run that was begun while the last frame was drawn needs its painter still.
                        if self.trainer.snapshot().version == now.version:
                            self._painter = None
                            return
                    continue
                self._rest(now, max(1 / _FRAMES_PER_SECOND, cost / _SHARE))
        except Exception as error:
            _log.exception("The live picture could not be drawn.")
            self._trouble = f"The picture could not be drawn ({type(error).__name__}: {error}). The fit goes on."
            with self._guard:
                self._painter = None
            self._show_words(self.trainer.snapshot())

    def _rest(self, now: Snapshot, seconds: float) -> None:
        """Wait until the next frame may be drawn; while nothing happens, until something does."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.trainer.alive and not self._closed:
            # Woken at the run's end, which is drawn at once; a slider that is dragged waits its turn.
            self._wake.wait(left)
            self._wake.clear()
        while self.trainer.state == "paused" and self.trainer.snapshot().version == now.version and not self._closed:
            self._wake.wait()
            self._wake.clear()

    def _show_words(self, now: Snapshot) -> None:
        done = now.epochs_run + (
            now.batch / now.batches if now.batches and now.alive and now.batch < now.batches else 0
        )
        total = max(1, now.epochs - now.first_epoch)
        # The words beside the bar say what it shows.
        bar = f'<progress max="{total}" value="{min(done, total):.4g}" aria-hidden="true"></progress>'
        self._status.says = words.live_state(now)
        self._progress.value = (
            f'<div class="course-live-words">{bar}{html.escape(words.live_progress(now))}</div>'
            # Shown by the style above where the widget has lost its kernel; a page without one is no such place.
            f'<div class="course-live-gone" style="display:none"><b>{_GONE}</b></div>'
        )
        changes = words.live_changes(now)
        lines = [html.escape(line) for line in changes[-_NOTES:]]
        if now.state == "done" and now.patience != self._began_with is not None:
            lines.append(f"Restart keeps patience {now.patience}; the callback was made with {self._began_with}.")
        if len(changes) > _NOTES:
            lines.insert(0, f"{len(changes) - _NOTES} earlier changes: <code>trainer.changes</code> holds all of them.")
        if now.error is not None:
            lines.append(
                f'<span role="alert" style="color: var(--jp-error-color1, #c62828)"><b>'
                f"{html.escape(words.live_failure(now))}</b></span><br>"
                "<code>trainer.result()</code> raises it again, with the traceback."
            )
        if self._trouble:
            lines.append(html.escape(self._trouble))
        self._notes.value = "".join(f"<div>{line}</div>" for line in lines)

    def _show_picture(self, now: Snapshot) -> None:
        self._image.value = self._picture.html(now, scale=1.5 if now.alive else 2.0)

    # -- where no kernel runs ------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add the words and the picture, for pages in which no kernel runs."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        now = self.trainer.snapshot()
        data = {**data, "text/plain": f"LiveTraining: {words.live_state(now)}"}
        state = f"<p><b>{html.escape(self._status.says)}</b></p>"
        data["text/html"] = self._image.value + self._progress.value + state
        return (data, *metadata) if metadata else data


def _close_view_of(trainer: Trainer) -> None:
    """Close the widget that showed the trainer until now: two would paint twice."""
    reference = _views.pop(trainer, None)
    view = reference() if reference is not None else None
    if view is not None:
        view.close()
