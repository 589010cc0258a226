"""09.2: a stopper that is killed, and started again with the state it gave, stops where it would have stopped."""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import keras

from helpers.callbacks import _state
from helpers.checks._core import Verdict, Wrong, right, wrong
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
        if isinstance(getattr(kind, name, None), property):
            return wrong(f"`{name}` is a property, and `ResumeState` calls it: leave `@property` out.")
        if not callable(getattr(kind, name, None)):
            return wrong(f"`{kind.__name__}` has no method `{name}` yet. `ResumeState` calls both.")
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
    given_back = again.set_state(copy.deepcopy(kept))
    for name, value in remembered.items():
        now = vars(again).get(name)
        if isinstance(now, str) and not isinstance(value, str):
            raise Wrong(
                f"After `set_state`, `{name}` is the text {now!r}, and was the number {value!r}: what `get_state` "
                "gives "
                "comes back as it is, so give the number itself."
            )
    ran = _play(again, losses, range(killed, len(losses)))
    if ran == wanted:
        return
    fresh = _begun(kind, patience)
    fresh.set_state(copy.deepcopy(kept))
    forgotten = [name for name, value in remembered.items() if repr(vars(fresh).get(name)) != repr(value)]
    told = (
        f"Killed after epoch {killed} of {_listed(losses)} (`patience={patience}`) and started again, it stops after "
        f"epoch {ran}; never killed, after epoch {wanted}."
    )
    laid_aside = sorted(set(vars(fresh)) - set(vars(_begun(kind, patience))))
    missing = [name for name in forgotten if name not in kept]
    raise Wrong(f"{told} {_about(forgotten, fresh, remembered)}".strip(), guess=(
        "`set_state` gives something back, and nobody takes it: put the values into `self`." if given_back is not None
        else f"`set_state` only lays something aside, in `self.{laid_aside[0]}`. `on_train_begin` has been called by "
        "then: put the values in place at once." if laid_aside
        else f"The state of `get_state` has {' and '.join(map(repr, kept)) or 'nothing in it'}." if missing
        else "The state has all of it: what `set_state` takes out of it goes into `self`." if forgotten
        else "Compare what `on_epoch_end` reads with what the state holds."
    ))  # fmt: skip


def _about(forgotten: list[str], fresh: keras.callbacks.Callback, remembered: dict) -> str:
    if not forgotten:
        return ""
    told = " and ".join(
        f"`{name}` is {vars(fresh).get(name, 'not there')!r} and was {remembered[name]!r}" for name in forgotten
    )
    return f"After `set_state`, {told}."


def _listed(losses: list[float]) -> str:
    return ", ".join(f"{loss:.4g}" for loss in losses)
