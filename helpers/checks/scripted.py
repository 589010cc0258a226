"""Training by script: drive callbacks through the hooks of a `fit` in which nothing is learnt, and see what they do.

Shared means of the checkers: `drive` plays the epochs, `FakeModel` is what gets "trained", `compare` holds two
callbacks against each other on many curves. The only module of the checks that imports Keras for all of them.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import keras
import numpy as np
from keras.src.trainers.compile_utils import MetricsList

from helpers.checks._blame import HOOKS, forgot_super_init, misspelt_hooks
from helpers.checks._core import Wrong

__all__ = [
    "NASTY_CURVES",
    "ROUNDING_CURVES",
    "Disagreement",
    "Driven",
    "FakeModel",
    "Save",
    "as_callback",
    "as_class",
    "compare",
    "drive",
    "early_stopping_settings",
    "forgot_super_init",
    "misspelt_hooks",
    "random_curve",
]

Number = float | int | None
_FIT = 10_000  # weights of the second fit carry tags from 10,000 up, of the third from 20,000


@dataclass(frozen=True)
class Save:
    """One call of `save` or `save_weights`: the epoch (0-based) it fell in, the batch or None at an epoch's end."""

    epoch: int
    batch: int | None
    path: Path
    weights_only: bool


class FakeModel:
    """What a callback meets as `self.model`, without layers: its weights tell the epoch that made them.

    It has what callbacks use: `stop_training`, `get_weights`, `set_weights`, `weights`, `save`, `save_weights`,
    `load_weights`, `optimizer` (a real SGD), `metrics` (real ones, so that `mode="auto"` works), `history`.
    Anything else raises AttributeError with a sentence.

    Args:
        metrics: names or objects of Keras metrics, beside the loss.
        learning_rate: of the optimizer.
        write: whether saving writes small files; without it, `saves` is filled all the same.
    """

    def __init__(self, *, metrics: Sequence = ("accuracy",), learning_rate: float = 0.01, write: bool = True):
        self.stop_training = False
        self.stop_evaluating = False
        self.history = None
        self.name = "scripted_model"
        self.built = self.compiled = True
        self.saves: list[Save] = []
        self.now: tuple[int, int | None] = (0, None)
        self._initial_epoch = None
        self._write = write
        self._kept_files: dict[str, list] = {}
        self._learning_rate = learning_rate
        self._metric_ids = tuple(metrics)
        self._arrays = [np.zeros((2, 1), "float32"), np.zeros(1, "float32")]
        self._variables: list | None = None
        self._optimizer = None
        self._metrics: list | None = None

    @property
    def optimizer(self):
        """A real Keras optimizer, made when first asked for."""
        if self._optimizer is None:
            self._optimizer = keras.optimizers.SGD(self._learning_rate)
        return self._optimizer

    @optimizer.setter
    def optimizer(self, value) -> None:
        self._optimizer = value

    @property
    def learning_rate(self) -> float:
        """The optimizer's rate now, as a float (a real model has no such attribute: for the checkers)."""
        if self._optimizer is None:
            return float(np.float32(self._learning_rate))
        return float(keras.ops.convert_to_numpy(self._optimizer.learning_rate))

    @property
    def metrics(self) -> list:
        """The loss and the compiled metrics, as a compiled model lists them."""
        if self._metrics is None:
            compiled = [keras.metrics.get(metric) for metric in self._metric_ids]
            self._metrics = [keras.metrics.Mean(name="loss"), MetricsList(compiled, name="compile_metrics")]
        return self._metrics

    @property
    def weights(self) -> list:
        """The weights as Keras variables."""
        if self._variables is None:
            self._variables = [keras.Variable(array) for array in self._arrays]
        return self._variables

    @property
    def trainable_weights(self) -> list:
        """The same as `weights`."""
        return self.weights

    @property
    def variables(self) -> list:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list:
        """The same as `weights`."""
        return self.weights

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the weights."""
        if self._variables is not None:
            return [np.array(keras.ops.convert_to_numpy(variable)) for variable in self._variables]
        return [array.copy() for array in self._arrays]

    def set_weights(self, weights: Sequence) -> None:
        """Put in weights such as `get_weights` returns; ValueError if their number or shapes differ."""
        shapes = [array.shape for array in self._arrays]
        given = [np.asarray(keras.ops.convert_to_numpy(weight), "float32") for weight in weights]
        if [array.shape for array in given] != shapes:
            raise ValueError(f"set_weights takes weights of shapes {shapes}; got {[array.shape for array in given]}.")
        if self._variables is not None:
            for variable, array in zip(self._variables, given, strict=True):
                variable.assign(array)
        else:
            self._arrays = [array.copy() for array in given]

    def count_params(self) -> int:
        """Return the number of weights."""
        return sum(array.size for array in self._arrays)

    def save(self, filepath, overwrite: bool = True, **kwargs) -> None:
        """Write a small file; endings as Keras has them."""
        if not str(filepath).endswith((".keras", ".h5")):
            raise ValueError(f"Invalid filepath extension for saving. Received: filepath={filepath}.")
        self._store(filepath, weights_only=False)

    def save_weights(self, filepath, overwrite: bool = True, **kwargs) -> None:
        """Write a small file; endings as Keras has them."""
        if not str(filepath).endswith(".weights.h5"):
            raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={filepath}")
        self._store(filepath, weights_only=True)

    def load_weights(self, filepath, **kwargs) -> None:
        """Read the weights back from a file that `save` or `save_weights` has written."""
        kept = self._kept_files.get(str(filepath))
        if kept is None:
            kept = json.loads(Path(filepath).read_text())["weights"]
        self.set_weights([np.asarray(array, "float32") for array in kept])

    def _store(self, filepath, weights_only: bool) -> None:
        weights = [array.tolist() for array in self.get_weights()]
        if self._write:
            Path(filepath).write_text(json.dumps({"epoch": self.now[0], "weights": weights}))
        else:
            self._kept_files[str(filepath)] = weights
        self.saves.append(Save(self.now[0], self.now[1], Path(filepath), weights_only))

    def __getattr__(self, name: str):
        raise AttributeError(
            f"This scripted model has no `{name}`: the check plays a training by script, and computes nothing.",
            name=name,
            obj=self,
        )


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


def as_callback(answer: object, kind: type = keras.callbacks.Callback) -> keras.callbacks.Callback:
    """Return the answer if it is a callback of this kind.

    Raises:
        Wrong: it is a class in place of an object, or something else; the message says what to write.
    """
    name = kind.__name__
    article = "an" if name[0] in "AEIOU" else "a"
    if isinstance(answer, type):
        if issubclass(answer, keras.callbacks.Callback):
            raise Wrong(f"`{answer.__name__}` alone is the class. Make an object of it: `{answer.__name__}(...)`.")
        raise Wrong(f"Expected {article} `{name}`, got the class `{answer.__name__}`.")
    if not isinstance(answer, kind):
        raise Wrong(f"Expected {article} `{name}`, got {_said(answer)}.")
    return answer


def as_class(answer: object, *, like: str = "MyCallback") -> type[keras.callbacks.Callback]:
    """Return the answer if it is a class of callbacks, as `compare` takes it.

    Raises:
        Wrong: it is an object, or a class of another kind; the message says what to write, with the name `like`.
    """
    if isinstance(answer, type) and issubclass(answer, keras.callbacks.Callback):
        return answer
    if isinstance(answer, type):
        raise Wrong(f"`{answer.__name__}` is no callback yet: begin it with `class {like}(keras.callbacks.Callback):`.")
    if isinstance(answer, keras.callbacks.Callback):
        raise Wrong(
            f"Give the class itself, `{type(answer).__name__}` without brackets: the check makes its own objects."
        )
    raise Wrong(f"Expected a class of callbacks, such as `{like}`, got {_said(answer)}.")


def _said(answer: object) -> str:
    if isinstance(answer, (str, int, float, bool, type(None))):
        return f"`{answer!r}`"
    if isinstance(answer, (list, tuple, set, dict)):
        return f"a {type(answer).__name__} of {len(answer)}"
    return f"an object of class `{type(answer).__name__}`"


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

    def before(hook: str, index: int | None, logs: dict | None) -> None:
        hooks.append((hook, index))
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

    fit_number = vars(model).get("_scripted_fits", 0)
    object.__setattr__(model, "_scripted_fits", fit_number + 1)  # past the tracking of a real Keras model
    saves = model.saves if isinstance(model, FakeModel) else []
    saved_before = len(saves)
    end = initial_epoch + len(script)
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
        rates.append(_learning_rate(model))
        train_logs = {name: value for name, value in row.items() if not name.startswith("val_")}
        for batch in range(batches):
            every.on_train_batch_begin(batch)
            _at(model, epoch, batch)
            _tag(model, fit_number * _FIT + epoch + (batch + 1) / batches)
            every.on_train_batch_end(batch, dict(train_logs))
            if model.stop_training:
                break
        else:
            _tag(model, fit_number * _FIT + epoch + 1)
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
    kept_fit, kept_epoch = _kept(model)
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
        final_learning_rate=_learning_rate(model),
        hooks=tuple(hooks),
        logs_added=frozenset(added),
        logs_changed=frozenset(changed),
        history={name: list(values) for name, values in every._history.history.items()},
        model=model,
    )


def _at(model, epoch: int, batch: int | None) -> None:
    if isinstance(model, FakeModel):
        model.now = (epoch, batch)


def _tag(model, value: float) -> None:
    """Write the epoch's number, counted from 1, into every weight; within an epoch, the part that is done."""
    model.set_weights([np.full_like(array, value) for array in model.get_weights()])


def _kept(model) -> tuple[int, int | None]:
    """Read from the weights which fit and epoch made them."""
    value = round(float(np.ravel(model.get_weights()[0])[0]), 2)
    if value <= 0 or not math.isfinite(value):
        return -1, None
    fit = int(value // _FIT)
    return fit, math.ceil(value - fit * _FIT) - 1


def _learning_rate(model) -> float:
    if isinstance(model, FakeModel):
        return model.learning_rate
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def same(one: object, other: object) -> bool:
    """Say whether two values are equal, where NaN equals NaN and 1 equals 1.0."""
    try:
        one_number, other_number = float(one), float(other)
    except (TypeError, ValueError):
        return one is other or (type(one) is type(other) and bool(one == other))
    return one_number == other_number or (math.isnan(one_number) and math.isnan(other_number))


NAN, INF = math.nan, math.inf

# Short curves on which hand-written callbacks go wrong, from harmless to nasty.
NASTY_CURVES: tuple[tuple[Number, ...], ...] = (
    (1.0,),
    (1.0, 2.0),
    (3.0, 2.0, 1.0),
    (1.0, 2.0, 3.0, 4.0),
    (3.0, 2.0, 3.0, 1.0, 2.0, 3.0),
    (1.0, 1.0, 1.0),
    (2.0, 1.0, 1.0, 0.5, 0.5),
    (NAN, 1.0, 2.0, 0.5),
    (1.0, NAN, NAN, 0.5),
    (NAN, NAN, NAN),
    (None, 1.0, 2.0, 3.0),
    (1.0, None, 2.0, None, 0.5),
    (None, None),
    (INF, 1.0, INF, 0.5),
    (-INF, 1.0, -INF),
    (INF, INF, 1.0),
    (1.0, 0.75, 0.5, 0.75),
    (0.0, -0.0, -1.0),
    (-1.0, -2.0, -1.5, -3.0),
)

# Curves on which it matters that Keras compares in float32, after an addition in Python's own floats.
ROUNDING_CURVES: tuple[tuple[Number, ...], ...] = (
    (0.3, 0.2, 0.1, 0.2),
    (0.2, 0.3 - 0.1, 0.1),
    (0.5, 0.5 - 1e-10, 0.4),
    (-0.2, -0.3, -0.4),
)


def random_curve(rng: random.Random, length: int | None = None, *, rounding: bool = False) -> tuple[Number, ...]:
    """Draw a curve: noise around a fall and a rise, with many ties; half of them with NaN, infinities and gaps.

    Args:
        rng: where the chance comes from.
        length: number of epochs, by default 1 to 9.
        rounding: take steps of a tenth, which floats hold only nearly; otherwise of a quarter, which they hold exactly.
    """
    length = rng.randint(1, 9) if length is None else length
    step = 0.1 if rounding else 0.25
    nasty = rng.random() < 0.5
    low = rng.randint(0, length)
    values: list[Number] = []
    for epoch in range(length):
        value: Number = step * (abs(epoch - low) + rng.randint(0, 3))
        if nasty:
            value = rng.choice((value, value, value, value, NAN, None, INF, -value))
        values.append(value)
    return tuple(values)


def early_stopping_settings(rng: random.Random) -> dict:
    """Draw arguments of `EarlyStopping`, those that are not at their defaults, with `mode` always given."""
    settings: dict = {"mode": rng.choice(("min", "min", "max"))}
    drawn = {
        "patience": rng.choice((0, 1, 1, 2, 2, 3)),
        "min_delta": rng.choice((0, 0, 0, 0.25, 0.5)),
        "baseline": rng.choice((None, None, None, 0.5, -5.0, 5.0)),
        "start_from_epoch": rng.choice((0, 0, 0, 1, 2)),
        "restore_best_weights": rng.random() < 0.5,
    }
    settings.update({name: value for name, value in drawn.items() if value})
    return settings


@dataclass(frozen=True)
class _Case:
    """Arguments for both callbacks, and the curves of one fit after another with the same callback."""

    settings: Mapping[str, object]
    curves: tuple[tuple[Number, ...], ...]


@dataclass(frozen=True)
class Disagreement:
    """The smallest case found in which two callbacks differ; `str()` of it is a sentence for the learner.

    Attributes:
        settings: the arguments both were made with.
        curves: the values of the metric, for one fit after another.
        what: the field or attribute that differs, such as "epochs_run", "kept_epoch" or "wait".
        epoch: the epoch (0-based) after which an attribute differs, or None.
        yours: what the learner's callback gave.
        expected: what the reference gave.
    """

    settings: Mapping[str, object]
    curves: tuple[tuple[Number, ...], ...]
    what: str
    epoch: int | None
    yours: object
    expected: object
    name: str = "EarlyStopping"
    monitor: str = "val_loss"

    def __str__(self) -> str:
        made = f" and `{_arguments(self.settings)}`" if _arguments(self.settings) else ""
        if len(self.curves) == 1:
            case = f"With `{self.monitor}` = {_listed(self.curves[0])}{made}"
        else:
            last = _listed(self.curves[-1])
            first = ", then ".join(_listed(curve) for curve in self.curves[:-1])
            case = f"With one callback in {len(self.curves)} fits, `{self.monitor}` = {first} and then {last}{made}"
        return " ".join([f"{case}, {self._difference()}", *self._remarks()])

    def _difference(self) -> str:
        if self.what == "epochs_run":
            return f"`{self.name}` runs {_epochs(self.expected)}, yours {_epochs(self.yours)}."
        if self.what == "kept_epoch":
            return f"`{self.name}` ends with {_weights(self.expected)}, yours with {_weights(self.yours)}."
        if self.what == "saved_epochs":
            return f"`{self.name}` saves {_saved(self.expected)}; yours saves {_saved(self.yours)}."
        when = "at the end" if self.epoch is None else f"after epoch {self.epoch + 1}"
        counted = " (epochs counted from 0)" if self.what in ("best_epoch", "stopped_epoch") else ""
        if self.yours is _MISSING:
            return f"`{self.name}` has `{self.what}` = {self.expected!r} {when}; yours has no such attribute."
        return f"`{self.what}` {when} should be {self.expected!r}{counted}; yours is {self.yours!r}."

    def _remarks(self) -> list[str]:
        """Name what is special about the case: it has been made small, so what is left matters."""
        values = [value for curve in self.curves for value in curve]
        numbers = [value for value in values if value is not None]
        remarks = []
        if len(self.curves) > 1:
            remarks.append("In one fit alone both agree: is everything set afresh in `on_train_begin`?")
        if None in values:
            remarks.append("None stands for an epoch whose `logs` lack the metric.")
        if any(math.isnan(value) for value in numbers):
            remarks.append("Every comparison with NaN is false.")
        for curve in self.curves:
            real = [value for value in curve if value is not None and not math.isnan(value)]
            if len(set(real)) < len(real):
                remarks.append("An equal value is no improvement.")
                break
            if len({float(np.float32(value)) for value in real}) < len(real):
                remarks.append("Keras compares in float32, in which two of these values are equal.")
                break
        if self.what == "epochs_run" and not remarks and self.yours == self.expected + 1:
            remarks.append("One epoch late: is it `wait >= patience`, or did you write `>`?")
        return remarks


def _arguments(settings: Mapping[str, object]) -> str:
    """Write the arguments as in a call; mode "min" is what everyone expects of a loss, and left out."""
    return ", ".join(f"{name}={value!r}" for name, value in settings.items() if (name, value) != ("mode", "min"))


class _Missing:
    def __repr__(self) -> str:
        return "missing"


_MISSING = _Missing()


def _listed(curve: Sequence[Number]) -> str:
    words = ", ".join(
        "None" if v is None else "NaN" if math.isnan(v) else f"{v:.10g}" if math.isfinite(v) else str(v) for v in curve
    )
    return f"[{words}]"


def _epochs(count: object) -> str:
    return f"{count} epoch" if count == 1 else f"{count} epochs"


def _weights(epoch: object) -> str:
    return "the weights from before this fit" if epoch is None else f"the weights of epoch {epoch + 1}"


def _saved(epochs: Sequence[int]) -> str:
    if not epochs:
        return "nothing"
    named = [str(epoch + 1) for epoch in epochs]
    if len(named) == 1:
        return f"after epoch {named[0]}"
    return f"after epochs {', '.join(named[:-1])} and {named[-1]}"


def compare(
    yours: Callable[..., keras.callbacks.Callback],
    reference: Callable[..., keras.callbacks.Callback] = keras.callbacks.EarlyStopping,
    *,
    settings: Callable[[random.Random], dict] | Sequence[dict] = early_stopping_settings,
    cases: int = 200,
    seed: int = 0,
    fits: int = 2,
    rounding: bool = False,
    monitor: str = "val_loss",
    fields: Sequence[str] = ("epochs_run", "kept_epoch"),
    attributes: Sequence[str] = (),
    name: str | None = None,
) -> Disagreement | None:
    """Run two callbacks over the nasty curves and many random ones and return the smallest difference, or None.

    Args:
        yours: makes the learner's callback from keyword arguments, as a class does.
        reference: makes the one to hold it against.
        settings: draws the arguments for both, or lists them; they go to both unchanged.
        cases: number of cases, the nasty curves included.
        seed: of the drawing; the same seed gives the same cases.
        fits: at most this many fits with one callback, each with its own curve; half of the cases have one.
        rounding: add curves on which it matters in which float type the comparison is made; without them, plain
            Python comparisons agree with those of Keras.
        monitor: the metric that the curve becomes.
        fields: fields of `Driven` that must agree.
        attributes: attributes that must agree after each epoch and at the end.
        name: what to call the reference in the sentence.

    Raises:
        Exception: whatever the learner's callback raises, with a note that names the curve.
    """
    name = name or getattr(reference, "__name__", "the reference")

    def differ(case: _Case) -> Disagreement | None:
        return _difference(case, yours, reference, monitor, tuple(fields), tuple(attributes), name)

    for case in _cases(settings, cases, seed, fits, rounding):
        found = differ(case)
        if found is not None:
            return _shrunk(case, found, differ)
    return None


def _cases(settings: Callable | Sequence[dict], cases: int, seed: int, fits: int, rounding: bool) -> Iterator[_Case]:
    rng = random.Random(seed)
    fixed = NASTY_CURVES + (ROUNDING_CURVES if rounding else ())
    for number in range(cases):
        drawn = settings(rng) if callable(settings) else dict(settings[number % len(settings)])
        curve = fixed[number // 2] if number < 2 * len(fixed) else random_curve(rng, rounding=rounding)
        curves = (curve,)
        if fits > 1 and number % 2:
            curves += tuple(random_curve(rng, rounding=rounding) for _ in range(rng.randint(1, fits - 1)))
        yield _Case(drawn, curves)


def _difference(case: _Case, yours, reference, monitor, fields, attributes, name) -> Disagreement | None:
    runs = []
    for make in (yours, reference):
        try:
            callback = as_callback(make(monitor=monitor, **case.settings))
            model = FakeModel(write=False)
            runs.append(
                [drive(callback, curve, monitor=monitor, model=model, watch=attributes) for curve in case.curves]
            )
        except Exception as error:
            curves = " and then ".join(_listed(curve) for curve in case.curves)
            if not isinstance(error, Wrong) and not getattr(error, "__notes__", None):
                error.add_note(
                    f"It happened with `{monitor}` = {curves} and `{_arguments(case.settings) or 'no arguments'}`."
                )
            raise
    for number, (mine, right) in enumerate(zip(*runs, strict=True)):
        case_here = {"settings": case.settings, "curves": case.curves[: number + 1], "name": name, "monitor": monitor}
        for what in fields:
            one, other = getattr(mine, what), getattr(right, what)
            if one != other:
                return Disagreement(what=what, epoch=None, yours=one, expected=other, **case_here)
        for what in attributes:
            for epoch, other in enumerate(right.watched.get(what, ())):
                values = mine.watched.get(what, ())
                one = values[epoch] if epoch < len(values) else _MISSING
                if not same(one, other):
                    return Disagreement(what=what, epoch=epoch, yours=one, expected=other, **case_here)
            one, other = mine.final.get(what, _MISSING), right.final.get(what, _MISSING)
            if not same(one, other):
                return Disagreement(what=what, epoch=None, yours=one, expected=other, **case_here)
    return None


def _shrunk(case: _Case, found: Disagreement, differ: Callable, budget: int = 250) -> Disagreement:
    """Make the case smaller as long as the two still differ, so that the sentence is short and to the point."""
    smaller = True
    while smaller and budget > 0:
        smaller = False
        for candidate in _simpler(case):
            budget -= 1
            if budget < 0:
                break
            try:
                still = differ(candidate)
            except Exception:
                continue
            if still is not None:
                case, found, smaller = candidate, still, True
                break
    return found


def _simpler(case: _Case) -> Iterator[_Case]:
    """Yield cases that are a little simpler, the boldest first."""
    for drop in range(len(case.curves) if len(case.curves) > 1 else 0):
        yield replace(case, curves=case.curves[:drop] + case.curves[drop + 1 :])
    for name in case.settings:
        if name != "mode":
            fewer = replace(case, settings={key: value for key, value in case.settings.items() if key != name})
            yield fewer
            # One more epoch is easier to read than one more argument.
            yield _with(fewer, -1, (*case.curves[-1], _fresh(case.curves[-1])))
    if case.settings.get("mode") == "max":
        yield replace(case, settings={**case.settings, "mode": "min"})
    for number, curve in enumerate(case.curves):
        for drop in range(len(curve) if len(curve) > 1 else 0):
            yield _with(case, number, curve[:drop] + curve[drop + 1 :])
    patience = case.settings.get("patience", 0)
    if isinstance(patience, int) and patience > 1:
        yield replace(case, settings={**case.settings, "patience": patience - 1})
    for number, curve in enumerate(case.curves):
        for place, value in enumerate(curve):
            odd = value is None or not math.isfinite(value)
            if odd or value in curve[:place]:
                yield _with(case, number, (*curve[:place], _fresh(curve), *curve[place + 1 :]))
            if odd or value not in _PLAIN:
                for plain in _PLAIN:
                    if plain not in curve:
                        yield _with(case, number, (*curve[:place], plain, *curve[place + 1 :]))


_PLAIN = (1.0, 2.0, 3.0, 4.0, 5.0)


def _fresh(curve: tuple[Number, ...]) -> float:
    """Return a whole number above all values of a curve: no tie, and worse where less is better."""
    return float(math.floor(max((v for v in curve if v is not None and math.isfinite(v)), default=0.0)) + 1)


def _with(case: _Case, number: int, curve: tuple[Number, ...]) -> _Case:
    number %= len(case.curves)
    return replace(case, curves=(*case.curves[:number], curve, *case.curves[number + 1 :]))
