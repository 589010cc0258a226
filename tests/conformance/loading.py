"""Is what is loaded what was saved? By a fresh process or a second model, Sequential or functional, named or not."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from .processes import call
from .writers import Writer, new_model


def weights_of(model) -> list[list[float]]:
    return [np.asarray(weight).ravel().tolist() for weight in model.get_weights()]


def train_and_save(kind: type[Writer], folder: str, form: str, named: bool, twice: bool) -> list[bool]:
    """Save a model after a step of training; return its weights, and what a second model of this process loads."""
    model = new_model(form, named, width=8)
    save = kind(folder).begin(model)
    save(1)
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(8, 64)), rng.normal(size=(8, 64)), verbose=0)
    # The writer fills the weights before it saves; here they are to stay as they are.
    model.set_weights = lambda weights: None
    save(2)
    return [weights_of(model), load(kind, folder, form, named) if twice else None]


def load(kind: type[Writer], folder: str, form: str, named: bool) -> list[list[float]] | None:
    writer = kind(folder)
    writer.model_for_reading = lambda: new_model(form, named, width=8)
    try:
        return weights_of(writer.read())
    except Exception:
        return None


def right_loads(kind: type[Writer], folder: Path) -> list[int]:
    """Return (right, all) over the eight cases."""
    right = cases = 0
    for form, named, fresh in itertools.product(("Sequential", "functional"), (True, False), (True, False)):
        saves = folder / f"{form}-{named}-{fresh}"
        saves.mkdir(parents=True)
        saved, loaded = call(train_and_save, kind, str(saves), form, named, not fresh)
        if fresh:
            loaded = call(load, kind, str(saves), form, named)
        cases += 1
        right += saved == loaded
    return [right, cases]
