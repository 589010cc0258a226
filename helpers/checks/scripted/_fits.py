"""What a learner's function does with real models: which it loads, and how it calls `fit`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import keras

__all__ = ["Fit", "Fits", "watched_fits"]


@dataclass(frozen=True)
class Fit:
    """One call of `fit`: its model and arguments, and what the optimizer was when it began."""

    model: keras.Model
    given: dict[str, object]
    steps: int
    learning_rate: float

    @property
    def epochs(self) -> range:
        """Numbers of the epochs that were ordered, from 0."""
        return range(int(self.given.get("initial_epoch") or 0), int(self.given.get("epochs") or 1))


@dataclass
class Fits:
    """The models that were loaded, each with the steps and the learning rate of its optimizer, and the fits."""

    loaded: list[keras.Model] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    made: list[Fit] = field(default_factory=list)

    def was_loaded(self, model: object) -> bool:
        """Say whether a model came out of a file."""
        return any(model is one for one in self.loaded)


def _rate(model: keras.Model) -> float:
    try:
        return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    except AttributeError:
        return float("nan")


# Models by the content of their files, for trials, which load the same ones many times.
_kept: dict[bytes, tuple[keras.Model, tuple]] = {}


def _state(model: keras.Model) -> tuple:
    optimizer = getattr(model, "optimizer", None)
    weights = tuple(one.tobytes() for one in model.get_weights())
    return id(optimizer), None if optimizer is None else (int(optimizer.iterations), _rate(model)), weights


def _loaded_once(load: Callable, path: object, named: dict) -> keras.Model:
    """Load a model, or take the one that was loaded from such a file if nobody has changed it."""
    if named or not isinstance(path, str | Path) or not Path(path).is_file():
        return load(path, **named)
    content = Path(path).read_bytes()
    if content not in _kept or _state(_kept[content][0]) != _kept[content][1]:
        model = load(path)
        _kept[content] = model, _state(model)
        while len(_kept) > 6:
            del _kept[next(iter(_kept))]
    return _kept[content][0]


@contextmanager
def watched_fits(train: bool = True) -> Iterator[Fits]:
    """Note each `fit` and each `load_model` in the block; without `train`, `fit` gives a History without losses."""
    seen, real_fit, real_load = Fits(), keras.Model.fit, keras.models.load_model
    names = inspect.signature(real_fit)

    def fit(model: keras.Model, *arguments: object, **named: object) -> keras.callbacks.History:
        bound = names.bind(model, *arguments, **named)
        optimizer = getattr(model, "optimizer", None)
        steps = int(optimizer.iterations) if optimizer is not None else 0
        given = {name: value for name, value in bound.arguments.items() if name != "self"}
        seen.made.append(Fit(model, given, steps, _rate(model)))
        if train:
            return real_fit(model, *arguments, **named)
        history = keras.callbacks.History()
        history.set_model(model)
        history.epoch = list(seen.made[-1].epochs)
        return history

    def load_model(*arguments: object, **named: object) -> keras.Model:
        cheap = not train and len(arguments) == 1
        model = _loaded_once(real_load, arguments[0], named) if cheap else real_load(*arguments, **named)
        seen.loaded.append(model)
        seen.rates.append(_rate(model))
        return model

    places = [place for place in (keras.models, keras.saving) if getattr(place, "load_model", None) is real_load]
    keras.Model.fit = fit
    for place in places:
        place.load_model = load_model
    try:
        yield seen
    finally:
        keras.Model.fit = real_fit
        for place in places:
            place.load_model = real_load
