"""09.2: a stopper that is killed, and started again with the state it gave, stops where it would have stopped."""

from __future__ import annotations

import copy
import inspect
import random
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import keras

from helpers.callbacks import _state
from helpers.checks._core import Verdict, Wrong, right, wrong
from helpers.checks._repair import trying
from helpers.checks.scripted import as_class

LIKE = "SteadyWithMemory"
FIRST = [0.9, 0.8, 0.7, 0.75, 0.8, 0.72, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]


def stop_epoch(losses: list[float], patience: int) -> int:
    """Return how many epochs run: until the mean of the last three losses has not fallen `patience` times in a row."""
    best, wait = float("inf"), 0
    for epoch in range(1, len(losses) + 1):
        last = losses[max(0, epoch - 3) : epoch]
        mean = sum(last) / len(last)
        best, wait = (mean, 0) if mean < best else (best, wait + 1)
        if wait >= patience:
            return epoch
    return len(losses)


def stopper_with_a_memory(answer: object) -> Verdict:
    """Kill the stopper after every epoch of many runs, and compare with the runs never killed."""
    kind = as_class(answer, like=LIKE)
    for name in ("get_state", "set_state"):
        if isinstance(inspect.getattr_static(kind, name, None), property):
            return wrong(f"`{name}` is a property, and `ResumeState` calls it: leave out `@property` above its `def`.")
        if not callable(getattr(kind, name, None)):
            like = [own for own in vars(kind) if own.startswith(name[:4])]
            told = f" Is it your `{like[0]}`? It has to be called so, to the letter." if like else ""
            return wrong(f"`{kind.__name__}` has no method `{name}` yet. `ResumeState` calls both.{told}")
    if trying():
        for killed in range(1, stop_epoch(FIRST, 3)):
            _killed_and_resumed(kind, FIRST, 3, killed, copy.deepcopy)
    runs = list(_runs())
    for losses, patience in runs:
        ran = _play(_begun(kind, patience), losses, range(len(losses)))
        if ran != stop_epoch(losses, patience):
            return wrong(
                f"Never killed, it stops after epoch {ran} of {_listed(losses)} with `patience={patience}`; `Steady` "
                f"stops after {stop_epoch(losses, patience)}. Leave `on_train_begin` and `on_epoch_end` as they are."
            )
    kills = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (losses, patience) in enumerate(runs):
            keep = _as_file(Path(folder) / "state.npz") if number == 0 else copy.deepcopy
            for killed in range(1, stop_epoch(losses, patience)):
                _killed_and_resumed(kind, losses, patience, killed, keep)
                kills += 1
    return right(f"Killed {kills} times, after every epoch of {len(runs)} runs, it stops where it would have stopped.")


def _runs() -> Iterable[tuple[list[float], int]]:
    yield FIRST, 3
    rng = random.Random(92)
    for _ in range(40):
        yield [rng.randint(1, 16) / 16 for _ in range(rng.randint(4, 12))], rng.randint(1, 4)
    # Where the means are nearly the same, a rounded number stops elsewhere.
    for spread in (1e-2, 1e-4, 1e-6):
        for _ in range(6):
            yield [0.5 + rng.uniform(0, spread) for _ in range(12)], rng.randint(2, 4)


def _begun(kind: type, patience: int) -> keras.callbacks.Callback:
    stopper = kind(patience=patience)
    stopper.set_model(SimpleNamespace(stop_training=False))
    stopper.on_train_begin()
    return stopper


def _play(stopper: keras.callbacks.Callback, losses: list[float], epochs: range) -> int:
    """Return after how many epochs it stopped, or all."""
    for epoch in epochs:
        stopper.on_epoch_begin(epoch)
        stopper.on_epoch_end(epoch, {"loss": 0.5, "val_loss": losses[epoch]})
        if stopper.model.stop_training:
            return epoch + 1
    return len(losses)


def _as_file(path: Path) -> Callable[[dict], dict]:
    """Return what makes of a state what `ResumeState` reads after a restart."""

    def keep(state: dict) -> dict:
        try:
            _state.write(path, {"own": state})
        except TypeError as error:
            raise Wrong(f"`ResumeState` cannot keep what `get_state()` returns: {error}") from error
        return _state.read(path)["own"]

    return keep


def _killed_and_resumed(kind: type, losses: list[float], patience: int, killed: int, keep: Callable) -> None:
    first = _begun(kind, patience)
    _play(first, losses, range(killed))
    state = first.get_state()
    if not isinstance(state, dict):
        raise Wrong(
            f"`get_state()` returned {state!r}. It returns a dict: a name and a value for each thing to remember."
        )
    kept = keep(state)
    remembered = copy.deepcopy({name: value for name, value in vars(first).items() if name != "_model"})
    wanted = _play(first, losses, range(killed, len(losses)))
    again = _begun(kind, patience)
    again.set_state(copy.deepcopy(kept))
    for name, value in remembered.items():
        now = vars(again).get(name)
        if isinstance(now, str) and not isinstance(value, str):
            raise Wrong(
                f"After `set_state`, `{name}` is the text {now!r}, and was the number {value!r}: what `get_state` "
                "gives comes back as it is, so give the number itself.", 0.3
            )  # fmt: skip
    ran = _play(again, losses, range(killed, len(losses)))
    if ran == wanted:
        return
    fresh, asked = _begun(kind, patience), _Asked(copy.deepcopy(kept))
    before = repr({name: value for name, value in vars(fresh).items() if name in remembered})
    returned = fresh.set_state(asked)
    forgotten = [name for name, value in remembered.items() if repr(vars(fresh).get(name)) != repr(value)]
    told = (
        f"Killed after epoch {killed} of {_listed(losses)} (`patience={patience}`) and started again, it stops after "
        f"epoch {ran}; never killed, after epoch {wanted}. {_about(forgotten, fresh, remembered)}"
    )
    if asked.missing:
        names = ", ".join(f"`{name}`" for name in kept)
        raise Wrong(f"{told} `set_state` asks the state for {asked.missing[0]!r}; `get_state` wrote {names}.", 0.5)
    aside = sorted(set(vars(fresh)) - set(remembered) - {"_model"})
    still = before == repr({name: value for name, value in vars(fresh).items() if name in remembered})
    if still and returned is not None:
        raise Wrong(
            f"{told} `set_state` returns the values, and nobody takes them: set each attribute, with `self.`.", 0.3
        )
    if still and forgotten:
        why = "It changes none of these attributes: it has to set each, with `self.` before its name"
        if aside:
            why = f"It only lays them aside, in `self.{aside[0]}`, and `on_train_begin` has been called before"
        raise Wrong(f"{told} {why}.", 0.3)
    raise Wrong(told, 0.3, guess="")


class _Asked(dict):
    """A state that notes which keys were asked for that it has not."""

    def __init__(self, state: dict):
        super().__init__(state)
        self.missing: list[object] = []

    def __missing__(self, key: object):
        self.missing.append(key)
        raise KeyError(key)

    def get(self, key: object, default: object = None) -> object:
        """Return a value, and note a key that is not there."""
        if key not in self:
            self.missing.append(key)
        return super().get(key, default)


def _about(forgotten: list[str], fresh: keras.callbacks.Callback, remembered: dict) -> str:
    if not forgotten:
        return "Compare what `on_epoch_end` reads with what the state holds."
    told = " and ".join(
        f"`{name}` is {vars(fresh).get(name, 'not there')!r} and was {remembered[name]!r}" for name in forgotten
    )
    return f"After `set_state`, {told}."


def _listed(losses: list[float]) -> str:
    return ", ".join(f"{loss:.4g}" for loss in losses)
