"""The thread in which a fit runs, and the hands that steer it."""

from __future__ import annotations

import atexit
import logging
import math
import numbers
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from helpers import _kernel
from helpers.live._parts import LIVE, checked, get_setting, number, of_kind, plain_state, set_setting, variables
from helpers.live._record import Change, Run, Snapshot

__all__ = ["Trainer"]

_log = logging.getLogger(__name__)
# A fit that will not end (a callback that hangs) must not hang the notebook with it.
_GRACE_SECONDS = 30.0
_trainers: weakref.WeakSet[Trainer] = weakref.WeakSet()


class Trainer:
    """Run `model.fit(...)` in a background thread that obeys while it trains.

    Nothing trains until `start()`. One trainer has at most one run under way. Running the notebook cell again in
    which the trainer was made ends its run, and so does interrupting the kernel.

    `start()` after a run begins anew. A `model` and `callbacks` that are functions are called again then. With a model
    object its weights, its optimizer and its random state go back to where they were before the first run, and
    ModelCheckpoint, which alone among Keras's callbacks remembers across fits, forgets the last run's best. Callbacks
    of your own reset themselves in `on_train_begin`, as Keras's do. The settings that were chosen live stay.

    Args:
        model: A compiled Keras model, or a function without arguments that builds and compiles one.
        x: As in `model.fit`: training data, most often a `tf.data.Dataset`.
        y: As in `model.fit`.
        epochs: As in `model.fit`.
        callbacks: A list of Keras callbacks, or a function without arguments that makes one. The first EarlyStopping
            among them is the one whose patience can be changed live.
        verbose: As in `model.fit`, but silent by default: lines printed from a thread land in the wrong place.
        **fit: Everything else for `model.fit`, such as `validation_data`.

    Raises:
        TypeError: The model can neither be fitted nor called, or the callbacks are no list.
        ValueError: `epochs` is not a whole number of 1 or more.
    """

    def __init__(
        self,
        model: Any,
        x: Any = None,
        y: Any = None,
        *,
        epochs: int = 1,
        callbacks: Sequence[Any] | Callable[[], Sequence[Any]] | None = None,
        verbose: Any = 0,
        **fit: Any,
    ) -> None:
        if isinstance(epochs, bool) or not isinstance(epochs, numbers.Integral) or epochs < 1:
            raise ValueError(f"epochs must be a whole number of 1 or more; got {epochs!r}.")
        builds = isinstance(model, type) or not hasattr(model, "fit")
        if builds and not callable(model):
            raise TypeError(f"model must be a compiled Keras model or a function that builds one; got {model!r}.")
        self._build_model = model if builds else None
        self._build_callbacks = callbacks if callable(callbacks) and not isinstance(callbacks, type) else None
        self._model = None if builds else model
        self._callbacks = checked(callbacks() if self._build_callbacks else callbacks)
        self._fit = {"x": x, "y": y, "epochs": int(epochs), "verbose": verbose, **fit}
        # Re-entrant, for a listener may ask for a snapshot; a condition, for a paused fit waits on it.
        self._lock = threading.Condition(threading.RLock())
        self._listeners: list[Callable[[], None]] = []
        # The thread while a run is under way; the last one that was made, and what says that it has done all its work.
        self._thread: threading.Thread | None = None
        self._newest: threading.Thread | None = None
        self._over: threading.Event | None = None
        self._run = Run(number=0, epochs=int(epochs))
        self._state = "ready"
        self._version = 0
        self._pause = self._stop = self._again = False
        # Read without the lock before each batch: nothing to do is the usual case, and it must cost nothing.
        self._attention = False
        # Asked for since the last epoch's end; and since the beginning, for callbacks that are built again.
        self._pending: dict[str, float] = {}
        self._chosen: dict[str, float] = {}
        self._before_first_run: list[tuple[Any, Any]] | None = None
        self._checkpoints_before = [(one, plain_state(one)) for one in of_kind(self._callbacks, "ModelCheckpoint")]
        _trainers.add(self)
        _kernel.before_rerun(self._end)

    # -- steer ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a run in a thread, anew if there was one before; do nothing while one is under way."""
        with self._lock:
            if self._thread is not None:
                # Stopped, but not yet at its end: the same thread begins anew as soon as it is there.
                self._again = self._again or self._stop
                return
            self._begin()
            # A daemon, so that a fit that hangs cannot keep the kernel from leaving; `_end_all` ends the others well.
            self._over = over = threading.Event()
            self._thread = threading.Thread(target=self._work, args=(over,), name="live-fit", daemon=True)
            self._newest = self._thread
            self._thread.start()
        _kernel.on_interrupt(self.stop)

    def pause(self) -> None:
        """Hold the fit before its next batch; do nothing if none is running."""
        with self._lock:
            if self._state != "running":
                return
            self._pause = self._attention = True
            self._set_state("pausing")
        self._tell()

    def resume(self) -> None:
        """Let a paused fit go on; do nothing if none is paused."""
        with self._lock:
            if self._state not in ("pausing", "paused"):
                return
            self._pause = self._attention = False
            self._set_state("running")
        self._tell()

    def stop(self) -> None:
        """End the run after its present batch, by way of `model.stop_training`; do nothing if there is none.

        Keras then validates, ends the epoch and calls `on_train_end`: EarlyStopping with `restore_best_weights`
        puts the best weights back, as after any other end.
        """
        with self._lock:
            self._again = False
            if self._thread is None or self._stop:
                return
            self._ask_to_stop()
        self._tell()

    def restart(self) -> None:
        """Stop the run if there is one, and begin anew, without waiting for either."""
        with self._lock:
            if self._thread is not None:
                self._ask_to_stop()
                self._again = True
        if self._again:
            self._tell()
        else:
            self.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until no run is under way, or `timeout` seconds; an interrupt of the kernel also stops the run."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        if self._newest is threading.current_thread():
            if self._thread is None:
                return  # a listener that hears of the end may ask for the result
            raise RuntimeError("A callback cannot wait for the run that it is part of.")
        try:
            while (over := self._over) is not None and (left := end - time.monotonic()) > 0:
                # Not Thread.join: interrupted, it takes a thread that runs for one that ended (Python 3.11 and 3.12).
                # In slices: a wait without an end cannot be interrupted on Windows.
                if over.wait(min(left, 0.5)) and over is self._over:
                    self._newest.join(1.0)  # it has nothing left to do but to vanish
                    return
        except KeyboardInterrupt:
            self.stop()
            raise

    def result(self) -> Any:
        """Wait for the end and return what `model.fit` returned, a Keras `History`; None if it was stopped before.

        Raises:
            RuntimeError: Nothing was started.
            BaseException: What was raised during the run, by the fit or by a function that builds.
        """
        self.join()
        run = self._run
        if run.number == 0:
            raise RuntimeError("There is no result yet: nothing was started. Call start() first, or press Start.")
        if run.error is not None:
            raise run.error.with_traceback(run.traceback)
        return run.returned

    @property
    def patience(self) -> int | None:
        """EarlyStopping's patience; a new value is obeyed from the next epoch's end on. None without EarlyStopping."""
        return self._asked("patience")

    @patience.setter
    def patience(self, value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
            raise ValueError(f"patience counts epochs: give a whole number of 0 or more, not {value!r}.")
        self._ask("patience", int(value))

    @property
    def min_delta(self) -> float | None:
        """EarlyStopping's `min_delta`, as given to it; likewise."""
        return self._asked("min_delta")

    @min_delta.setter
    def min_delta(self, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < math.inf:
            raise ValueError(f"min_delta is the smallest change that counts: a number of 0 or more, not {value!r}.")
        self._ask("min_delta", float(value))

    # -- look ----------------------------------------------------------------------------------------------------

    @property
    def model(self) -> Any:
        """The model of the present run; None before a function that builds it was called."""
        return self._model

    @property
    def callbacks(self) -> tuple[Any, ...]:
        """The learner's callbacks of the present run."""
        return tuple(self._callbacks)

    @property
    def stopper(self) -> Any:
        """The EarlyStopping that can be steered, or None."""
        return next(iter(of_kind(self._callbacks, "EarlyStopping")), None)

    @property
    def state(self) -> str:
        """What the run does, see `Snapshot.state`."""
        return self._state

    @property
    def alive(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self._thread is not None

    @property
    def history(self) -> dict[str, list[float | None]]:
        """Metric name to its value after each epoch so far, None where it was missing."""
        return self.snapshot().history

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was changed during the run: epoch, name, old value, new value."""
        return self.snapshot().changes

    def snapshot(self) -> Snapshot:
        """Return all that is known of the run right now."""
        with self._lock:
            run, stopper = self._run, self.stopper
            done = self._state == "done"
            restores = done and getattr(stopper, "restore_best_weights", False) and run.best_epoch is not None
            last = run.first_epoch + run.epochs_run - 1 if run.epochs_run else None
            return Snapshot(
                state=self._state,
                ended_by=run.ended_by,
                run=run.number,
                version=self._version,
                epochs=run.epochs,
                first_epoch=run.first_epoch,
                epochs_run=run.epochs_run,
                batch=run.batch,
                batches=run.batches,
                history={name: list(values) for name, values in run.history.items()},
                monitor=getattr(stopper, "monitor", None),
                waits=tuple(run.waits),
                patiences=tuple(run.patiences),
                patience=self.patience,
                min_delta=self.min_delta,
                best=run.best,
                best_epoch=run.best_epoch,
                kept_epoch=(run.best_epoch if restores else last) if done else None,
                saves=tuple(run.saves),
                changes=tuple(run.changes),
                seconds=run.clock.seconds(),
                seconds_left=run.seconds_left() if self._thread is not None else None,
                error=run.error,
            )

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener()` after the state or a setting has changed, in whichever thread that happens.

        It says that there is news, not what: two changes at once may be told twice with the same state. Epochs do not
        call it: whoever draws looks at `snapshot()` as often as it can afford.

        Returns:
            A function that takes the listener away again.
        """
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return forget

    def __repr__(self) -> str:
        now = self.snapshot()
        return f"Trainer({now.state}, epoch {now.first_epoch + now.epochs_run} of {now.epochs})"

    # -- the thread ----------------------------------------------------------------------------------------------

    def _work(self, over: threading.Event) -> None:
        """Fit, and fit again as long as someone asked for it meanwhile."""
        while True:
            # Here and not in `start`, where a short run would be over before its beginning was told.
            self._tell()
            self._fit_once()
            with self._lock:
                again, self._again = self._again, False
                if again:
                    self._begin()
                else:
                    self._apply_pending()
                    self._thread = None
                    self._set_state("done" if self._run.error is None else "failed")
            if not again:
                self._tell()
                over.set()
                return

    def _fit_once(self) -> None:
        run = self._run
        try:
            self._make_ready(run)
            if not self._stop:
                from helpers.live._hooks import First, Last, watching_saves

                callbacks = [First(self), *self._callbacks, Last(self)]
                with watching_saves(self._callbacks, self.saved):
                    run.returned = self._model.fit(**self._fit, callbacks=callbacks)
        # A thread must not lose anything that is raised in it, SystemExit from a callback included.
        except BaseException as error:
            run.error, run.traceback = error, error.__traceback__
        finally:
            with self._lock:
                run.clock.pause()
                run.ended_by = self._reason(run)

    def _make_ready(self, run: Run) -> None:
        """Bring model and callbacks to where a first run finds them."""
        if self._build_model is not None:
            model = self._build_model()
            if not hasattr(model, "fit"):
                raise TypeError(f"The function given as model must return a compiled Keras model; it gave {model!r}.")
            self._model = model
        elif self._before_first_run is not None:
            for variable, value in self._before_first_run:
                variable.assign(value)
        if run.number > 1:
            if self._build_callbacks is not None:
                self._callbacks = checked(self._build_callbacks())
                with self._lock:
                    for name, value in self._chosen.items():
                        set_setting(self.stopper, name, value)
            else:
                for callback, values in self._checkpoints_before:
                    vars(callback).update(values)
        with self._lock:
            run.in_force = self._settings()

    def _reason(self, run: Run) -> str:
        """Say why a run ended."""
        if run.error is not None:
            return "error"
        # Keras sets it to 0 when training begins, and EarlyStopping never stops at epoch 0.
        if run.epochs_run and getattr(self.stopper, "stopped_epoch", 0) > 0:
            return "early stopping"
        if run.told_to_stop or not run.epochs_run:
            return "stop"
        return "epochs" if run.first_epoch + run.epochs_run >= run.epochs else "callback"

    # -- what the callbacks in the fit report (`helpers.live._hooks`) ----------------------------------------------

    def train_began(self, model: Any, params: Mapping[str, Any]) -> None:
        """Take note of the model as it is before its first step; the fit has built it by now."""
        if self._build_model is None and self._before_first_run is None:
            self._before_first_run = [(variable, np.array(variable.numpy())) for variable in variables(model)]
        with self._lock:
            run = self._run
            run.batches = params.get("steps")
            run.epochs = params.get("epochs") or run.epochs
            run.clock.go()

    def epoch_began(self, epoch: int) -> None:
        """Take note of the epoch."""
        with self._lock:
            if not self._run.epochs_run:
                self._run.first_epoch = epoch
            self._run.batch = 0

    def batch_begins(self, batch: int) -> None:
        """Take note of the batch; without the lock, since one assignment is enough."""
        self._run.batch = batch + 1
        self._version += 1

    def boundary(self) -> None:
        """Pause or stop here if someone asked for it."""
        if not self._attention:
            return
        with self._lock:
            if self._pause and not self._stop:
                self._run.clock.pause()
                self._set_state("paused")
        if self._state == "paused":
            self._tell()
        with self._lock:
            while self._pause and not self._stop:
                self._lock.wait()
            self._run.clock.go()
            self._obey_stop()

    def epoch_ends(self, epoch: int) -> None:
        """Put the settings into force that were asked for since the last epoch, and write down which changed."""
        with self._lock:
            run = self._run
            self._apply_pending()
            now = self._settings()
            for name, new in now.items():
                old = run.in_force.get(name, new)
                if new != old:
                    run.changes.append(Change(epoch, name, old, new, run.clock.seconds()))
            run.in_force = now

    def epoch_ended(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Write down the epoch after every callback has seen it."""
        with self._lock:
            run, stopper = self._run, self.stopper
            for name in [*run.history, *(name for name in logs if name not in run.history)]:
                column = run.history.setdefault(name, [None] * run.epochs_run)
                column.append(number(logs.get(name)))
            run.epochs_run += 1
            run.durations.append(run.clock.lap())
            if stopper is not None:
                run.waits.append(int(stopper.wait))
                run.patiences.append(run.in_force["patience"])
                run.best = number(stopper.best)
                run.best_epoch = None if stopper.best is None else int(stopper.best_epoch)
            self._version += 1
            self._obey_stop()

    def saved(self, epoch: int) -> None:
        """Write down that a ModelCheckpoint writes a file."""
        with self._lock:
            if epoch not in self._run.saves:
                self._run.saves.append(epoch)
                self._version += 1

    # -- under the lock --------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._run = Run(number=self._run.number + 1, epochs=self._fit["epochs"])
        self._pause = self._stop = self._again = self._attention = False
        self._set_state("running")

    def _ask_to_stop(self) -> None:
        self._stop = self._attention = True
        self._pause = False
        self._set_state("stopping")

    def _obey_stop(self) -> None:
        if self._stop:
            self._run.told_to_stop = True
            self._model.stop_training = True

    def _set_state(self, state: str) -> None:
        self._state = state
        self._version += 1
        self._lock.notify_all()

    def _settings(self) -> dict[str, float]:
        stopper = self.stopper
        return {} if stopper is None else {name: get_setting(stopper, name) for name in LIVE}

    def _apply_pending(self) -> None:
        for name, value in self._pending.items():
            set_setting(self.stopper, name, value)
        self._pending.clear()

    # -- the rest --------------------------------------------------------------------------------------------------

    def _asked(self, name: str) -> Any:
        with self._lock:
            stopper = self.stopper
            return None if stopper is None else self._pending.get(name, get_setting(stopper, name))

    def _ask(self, name: str, value: float) -> None:
        with self._lock:
            if self.stopper is None:
                raise RuntimeError(f"Nothing here has a {name}: there is no EarlyStopping among the callbacks.")
            if value == self._asked(name):
                return
            self._chosen[name] = self._pending[name] = value
            if self._thread is None:
                self._apply_pending()
            self._version += 1
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:
                # A picture that cannot be drawn is no reason to end a fit.
                _log.exception("A listener of the trainer failed.")

    def _end(self) -> None:
        """Stop and wait, for as long as is bearable."""
        self.stop()
        self.join(_GRACE_SECONDS)


@atexit.register
def _end_all() -> None:
    """End the runs before Python does: TensorFlow crashes when it is torn down under a running fit."""
    for trainer in list(_trainers):
        trainer.stop()
    for trainer in list(_trainers):
        trainer.join(5.0)
