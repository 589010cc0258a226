"""Plays the epochs of a fit in which nothing is learnt, through Keras's own CallbackList, and notes what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import keras

from helpers.checks import _place
from helpers.checks._blame import HOOKS
from helpers.checks.scripted._answers import as_callback
from helpers.checks.scripted._model import FakeModel, Save, learning_rate, read_tag, write_tag
from helpers.checks.scripted._values import same

__all__ = ["Driven", "drive"]


@dataclass(frozen=True)
class Driven:
    """What happened in the last of the scripted fits; epochs are 0-based.

    Attributes:
        epochs_run: number of epochs that ran.
        stopped: whether a callback had set `stop_training`.
        stop_asked: hook and epoch in which `stop_training` became true, or None.
        kept_epoch: the epoch whose weights the model holds at the end; None for weights from before this fit.
        kept_fit: the fit (0-based, counted over the model's life) which made those weights; -1 for the initial ones.
        waits: the first callback's `wait` after each epoch; empty if it has none.
        watched: for each watched attribute that the first callback has, its value after each epoch.
        final: the same attributes after the end of the fit.
        saved_epochs: the epoch of each save, in order.
        saves: the saves themselves.
        learning_rates: the optimizer's rate while each epoch trained.
        final_learning_rate: the rate at the end.
        hooks: all hooks called, in order, each with its epoch or batch (None for the others).
        logs_added: keys that some callback put into the `logs` of an epoch's end.
        logs_changed: keys that some callback changed there or took away.
        history: lists as `fit` returns them.
        model: the model that was "trained".
        earlier: the records of the fits before, if there were any.
    """

    epochs_run: int
    stopped: bool
    stop_asked: tuple[str, int] | None
    kept_epoch: int | None
    kept_fit: int
    waits: tuple
    watched: Mapping[str, tuple]
    final: Mapping[str, object]
    saved_epochs: tuple[int, ...]
    saves: tuple[Save, ...]
    learning_rates: tuple[float, ...]
    final_learning_rate: float
    hooks: tuple[tuple[str, int | None], ...]
    logs_added: frozenset[str]
    logs_changed: frozenset[str]
    history: Mapping[str, list]
    model: object = field(compare=False, repr=False)
    earlier: tuple[Driven, ...] = field(default=(), repr=False)

    @property
    def mutated(self) -> bool:
        """Whether any callback touched the `logs` of an epoch's end."""
        return bool(self.logs_added or self.logs_changed)


def drive(
    callbacks: object,
    logs: Mapping | Sequence,
    *,
    monitor: str = "val_loss",
    batches: int = 0,
    validation_batches: int = 0,
    model: object | None = None,
    fits: int = 1,
    initial_epoch: int = 0,
    watch: Sequence[str] = ("wait", "best", "best_epoch", "stopped_epoch"),
) -> Driven:
    """Play `fit` with these callbacks: the same hooks in the same order, through Keras's own CallbackList.

    Args:
        callbacks: one callback or a list of them.
        logs: what each epoch ends with: a list of dicts, a dict of lists (as a history), or a list of numbers, which
            are then values of `monitor`, beside a `loss` that falls steadily. None leaves the metric out of that epoch.
        monitor: name of the metric if `logs` is a list of numbers.
        batches: training batches in each epoch; 0 calls no batch hooks.
        validation_batches: the same for validation, which takes place in each epoch that has a `val_` metric.
        model: a FakeModel or a real compiled and built model; after each epoch every weight holds the epoch's number.
        fits: how often to fit with the same callbacks and model; the record is of the last, `earlier` has the others.
        initial_epoch: as in `fit`: the number of the first epoch; `logs` begins with it.
        watch: attributes of the first callback to note after each epoch.

    Raises:
        Wrong: `callbacks` holds something that is no callback.
        ValueError: `logs` is empty or its lists differ in length.
    """
    script = _script(logs, monitor)
    listed = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    for callback in listed:
        as_callback(callback)
    model = FakeModel() if model is None else model
    records: list[Driven] = []
    for _ in range(fits):
        record = _fit(listed, script, batches, validation_batches, model, initial_epoch, tuple(watch))
        records.append(replace(record, earlier=tuple(records)))
    return records[-1]


def _script(logs: Mapping | Sequence, monitor: str) -> list[dict]:
    if isinstance(logs, Mapping):
        lengths = {len(values) for values in logs.values()}
        if len(lengths) != 1:
            raise ValueError(f"The lists in `logs` must have one length; they have {sorted(lengths)}.")
        rows = [dict(zip(logs, row, strict=True)) for row in zip(*logs.values(), strict=True)]
    else:
        rows = [
            dict(row) if isinstance(row, Mapping) else {"loss": 1 / (number + 2), monitor: row}
            for number, row in enumerate(logs)
        ]
    if not rows:
        raise ValueError("`logs` holds no epoch.")
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


class _Watcher(keras.callbacks.Callback):
    """Stands before or after the callbacks in the list and passes on each hook with its index and logs."""

    def __init__(self, note: Callable[[str, int | None, dict | None], None]):
        super().__init__()
        self._note = note


def _noting(hook: str, indexed: bool) -> Callable:
    if indexed:
        return lambda self, index, logs=None: self._note(hook, index, logs)
    return lambda self, logs=None: self._note(hook, None, logs)


for _hook, _signature in HOOKS.items():
    if _hook not in ("on_batch_begin", "on_batch_end"):  # aliases that Keras calls from the others
        setattr(_Watcher, _hook, _noting(_hook, indexed=_signature != "(self, logs=None)"))


def _fit(
    callbacks: list, script: list[dict], batches: int, validation_batches: int, model, initial_epoch: int, watch: tuple
) -> Driven:
    """Play one fit; the order of the calls is that of `keras/src/backend/tensorflow/trainer.py`."""
    hooks: list[tuple[str, int | None]] = []
    seen: dict[str, list] = {name: [] for name in watch if hasattr(callbacks[0], name)}
    original: dict = {}
    added, changed = set(), set()
    stop_asked: list[tuple[str, int]] = []
    epoch = initial_epoch
    fit_number = vars(model).get("_scripted_fits", 0)

    def before(hook: str, index: int | None, logs: dict | None) -> None:
        hooks.append((hook, index))
        _place.played(hook, epoch, fit_number)
        if hook == "on_epoch_end":
            original.clear()
            original.update(logs or {})

    def after(hook: str, index: int | None, logs: dict | None) -> None:
        if model.stop_training and not stop_asked:
            stop_asked.append((hook, epoch))
        if hook == "on_epoch_end":
            logs = logs or {}
            added.update(logs.keys() - original.keys())
            changed.update(name for name in original if name not in logs or not same(logs[name], original[name]))
            for name in watch:
                # An attribute may be set only in on_train_begin.
                if name in seen or hasattr(callbacks[0], name):
                    seen.setdefault(name, []).append(getattr(callbacks[0], name, None))

    object.__setattr__(model, "_scripted_fits", fit_number + 1)  # past the tracking of a real Keras model
    saves = model.saves if isinstance(model, FakeModel) else []
    saved_before = len(saves)
    end = initial_epoch + len(script)
    _place.played("set_model", epoch, fit_number)
    every = keras.callbacks.CallbackList(
        [_Watcher(before), *callbacks, _Watcher(after)],
        add_history=True,
        model=model,
        verbose=0,
        epochs=end,
        steps=batches or None,
    )
    model.stop_training = False
    rates: list[float] = []
    ran = 0
    training_logs = None
    every.on_train_begin()
    # BackupAndRestore says in this attribute where to go on.
    initial_epoch = getattr(model, "_initial_epoch", None) or initial_epoch
    for epoch in range(initial_epoch, end):
        row = script[epoch - (end - len(script))]
        _at(model, epoch, None)
        every.on_epoch_begin(epoch)
        rates.append(learning_rate(model))
        train_logs = {name: value for name, value in row.items() if not name.startswith("val_")}
        for batch in range(batches):
            every.on_train_batch_begin(batch)
            _at(model, epoch, batch)
            write_tag(model, fit_number, epoch + (batch + 1) / batches)
            every.on_train_batch_end(batch, dict(train_logs))
            if model.stop_training:
                break
        else:
            write_tag(model, fit_number, epoch + 1)
        _at(model, epoch, None)
        val_logs = {name.removeprefix("val_"): value for name, value in row.items() if name.startswith("val_")}
        if val_logs:
            every.on_test_begin()
            for batch in range(validation_batches):
                every.on_test_batch_begin(batch)
                every.on_test_batch_end(batch, dict(val_logs))
            every.on_test_end(dict(val_logs))
        every.on_epoch_end(epoch, dict(row))
        ran += 1
        training_logs = dict(row)
        if model.stop_training:
            break
    every.on_train_end(training_logs)
    _place.clear()
    kept_fit, kept_epoch = read_tag(model)
    here = saves[saved_before:]
    return Driven(
        epochs_run=ran,
        stopped=bool(model.stop_training),
        stop_asked=stop_asked[0] if stop_asked else None,
        kept_epoch=kept_epoch if kept_fit == fit_number else None,
        kept_fit=kept_fit,
        waits=tuple(seen.get("wait", ())),
        watched={name: tuple(values) for name, values in seen.items()},
        final={name: getattr(callbacks[0], name) for name in watch if hasattr(callbacks[0], name)},
        saved_epochs=tuple(save.epoch for save in here),
        saves=tuple(here),
        learning_rates=tuple(rates),
        final_learning_rate=learning_rate(model),
        hooks=tuple(hooks),
        logs_added=frozenset(added),
        logs_changed=frozenset(changed),
        history={name: list(values) for name, values in every._history.history.items()},
        model=model,
    )


def _at(model, epoch: int, batch: int | None) -> None:
    if isinstance(model, FakeModel):
        model.now = (epoch, batch)
