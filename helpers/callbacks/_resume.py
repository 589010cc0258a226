"""Go on after a kill as if nothing had happened: all that a run remembers, in one file, replaced in one step."""

from __future__ import annotations

import sys
import time
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import keras

from helpers import _files

from . import _state
from ._names import is_remote

__all__ = ["ResumeState"]

_FILE = "resume_state.npz"


class ResumeState(keras.callbacks.Callback):
    """Keep all of a run after each epoch, so that the same script, started again, goes on where it was.

    Put it into the list of callbacks, anywhere, like `BackupAndRestore`. It keeps the epoch, the weights, the
    optimizer, the seeds of dropout and other random layers, Python's and NumPy's global generators, `History`, and
    what `EarlyStopping`, `ModelCheckpoint`, `AtomicCheckpoint`, `ReduceLROnPlateau` and `SwapEMAWeights` remember.
    All of it is one file, `resume_state.npz` in `folder`, replaced in one step after every other callback has seen
    the end of the epoch. It removes nothing else, and holds no pickle.

    A callback of your own is kept when it has two methods: `get_state()`, which returns a dict of numbers, texts,
    lists, dicts and arrays, and `set_state(state)`, which takes it back after all `on_train_begin`. One that changes
    and has none is named in a warning.

    The order of rows: a `tf.data` set that shuffles with a seed goes on where it was, since it is begun once more for
    each iterator that `fit` made before. `fit(x, y)` on arrays needs nothing: with
    `keras.utils.set_random_seed` every epoch has the same order, and without a seed no two runs are equal. Not kept:
    the place inside an epoch (it runs again from its beginning), the place in a dataset with `steps_per_epoch`,
    generators and `PyDataset` with a memory of their own, and TensorFlow's own generators (`tf.random`). A fit that
    was interrupted and goes on in the same process finds the shuffle further on.

    An epoch that leaves trainable weights NaN or infinite is not kept, and a run that ends so has not ended well:
    started again, it goes on after the last good epoch.

    Args:
        folder: Where the state lives; one for each run. Made if need be.
        run: A name for what cannot be seen from the model, such as the fold of a cross-validation; a state of another
            name is refused.
        when_ended: What to do when the run in `folder` has ended well. `"refuse"` raises and says so. `"return"`
            trains nothing and gives back the final weights and the whole History, for scripts that a scheduler starts
            again. `"anew"` begins from the first epoch.
        on_failure: `"raise"` the error of a failed save, or `"warn"` and train on; the state before it is untouched.
        verbose: 1 says in one line after which epoch the run goes on; 0 is quiet.

    Attributes:
        resumed_epoch: The epoch (0-based) at which the last fit went on; None where it began anew.

    Raises:
        ValueError: In `fit`, when the folder holds another model's or another run's state, an ended run, or a file
            that is no state, and when the model is not built. Nothing is changed then.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        run: str | None = None,
        when_ended: Literal["refuse", "return", "anew"] = "refuse",
        on_failure: Literal["raise", "warn"] = "raise",
        verbose: int = 1,
    ) -> None:
        super().__init__()
        if not str(folder):
            raise ValueError("ResumeState needs a folder, such as ResumeState('runs/first').")
        if is_remote(folder):
            raise ValueError(f"ResumeState keeps its state in a local folder, got {str(folder)!r}.")
        if run is not None and not isinstance(run, str):
            raise ValueError(f"run is a name, such as 'fold 3', got {run!r}.")
        for name, value, allowed in (
            ("when_ended", when_ended, ("refuse", "return", "anew")),
            ("on_failure", on_failure, ("raise", "warn")),
        ):
            if value not in allowed:
                raise ValueError(f"{name} is one of {', '.join(map(repr, allowed))}; got {value!r}.")
        self.folder = Path(folder)
        self.path = self.folder / _FILE
        self.run, self.when_ended, self.on_failure, self.verbose = run, when_ended, on_failure, verbose
        self.resumed_epoch: int | None = None

    def on_train_begin(self, logs=None):
        """Look for a state, refuse a wrong one, and take a place behind all other callbacks."""
        if not self.model.built or not all(layer.built for layer in self.model.layers):
            raise ValueError(
                "ResumeState needs a model whose weights exist before fit: begin it with keras.Input(...), or call "
                "model.build(...) or the model itself on a batch first."
            )
        container, self._deals = _surroundings(self)
        self._callbacks = [
            callback for callback in container.callbacks if not isinstance(callback, ResumeState | _Last)
        ]
        self._epoch: int | None = None  # the last that is kept
        self._ended, self._good, self._warned = False, True, set()
        self.resumed_epoch = None
        _files.clear_leftovers(self.folder, _FILE.__eq__)
        self._this = _state.describe(self.model, self._callbacks, self.params.get("steps"), self.run)
        self._found = self._checked(_state.read(self.path))
        # Keras's loop over its callbacks, in which we are, reaches what is appended. Behind all others, an epoch is
        # whole, and states are set after every other on_train_begin has reset them.
        container.callbacks[:] = [
            callback for callback in container.callbacks if getattr(callback, "owner", 0) is not self
        ]
        last = _Last(self)
        last.set_params(self.params)
        last.set_model(self.model)
        container.callbacks.append(last)

    def _checked(self, state: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return a state of this run, None for no state, and raise for one that must not be taken."""
        if state is None or (state["ended"] and self.when_ended == "anew"):
            return None
        other = _state.differences(state["of"], self._this)
        if other:
            raise ValueError(
                f"{self.path} belongs to another run: {'; '.join(other)}. Nothing was changed. Give this run a folder "
                "of its own, or remove that file if you no longer need it."
            )
        if state["ended"] and self.when_ended == "refuse":
            raise ValueError(
                f"The run in {self.folder} ended well after epoch {state['epoch'] + 1}, on {state['when']}, and is not "
                "resumed. For a new run, name a new folder or say when_ended='anew'. To get its final weights and "
                "History back without training, say when_ended='return'."
            )
        return state

    # -- called by _Last ---------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        """Set everything back, after each callback's own `on_train_begin`."""
        state = self._found
        self._found = None
        if state is None:
            self._watch()
            return
        _state.apply_model(self.model, state["variables"])
        _state.apply_callbacks(state["callbacks"], self._callbacks)
        _state.set_random_state(state["random"])
        self._epoch, self._ended = state["epoch"], state["ended"]
        self._this = state["of"]
        self.resumed_epoch = self._epoch + 1
        over = self._ended or state["stopped"]
        # The way in which BackupAndRestore tells `fit` where to begin; at the end, the loop has nothing to do.
        self.model._initial_epoch = self.params["epochs"] if over else self.resumed_epoch
        if self._deals is not None:
            self._deals.go_on(state["dealt"])
        if self.verbose:
            after = f"after epoch {self._epoch + 1}, kept on {state['when']}"
            what = f"ended well {after}: nothing is trained" if self._ended else f"goes on {after}"
            print(f"ResumeState: the run in {self.folder} {what}.")
        self._watch()

    def _watch(self) -> None:
        self._before = [_state.plain_values(callback) for callback in self._callbacks]

    def _epoch_begins(self) -> None:
        self.model._initial_epoch = None  # else a later fit of this model would begin here, too

    def _epoch_ends(self, epoch: int) -> None:
        self._warn_of_forgotten()
        self._good = _state.finite(self.model)
        if self._good and self._keep(epoch, ended=False):
            self._epoch = epoch

    def _training_ends(self) -> None:
        self.model._initial_epoch = None
        if self._ended or (self._epoch is None and self._good):
            return
        if self._good:
            self._keep(self._epoch, ended=True)
            return
        kept = "no epoch was kept" if self._epoch is None else f"the state after epoch {self._epoch + 1} is kept"
        warnings.warn(
            f"Training ended with weights that are NaN or infinite: {kept} in {self.folder}, and the run counts as "
            "interrupted.",
            stacklevel=2,
        )

    def _keep(self, epoch: int, *, ended: bool) -> bool:
        """Replace the file; return whether that worked."""
        state = {
            "of": self._this,
            "epoch": epoch,
            "ended": ended,
            "stopped": bool(self.model.stop_training),
            "when": time.strftime("%Y-%m-%d %H:%M:%S"),
            "variables": _state.model_state(self.model),
            "callbacks": _state.callback_states(self._callbacks),
            "random": _state.random_state(),
            "dealt": 0 if self._deals is None else self._deals.times,
        }
        try:
            _files.make_folder(self.folder)
            _state.write(self.path, state)
        except OSError as error:
            sentence = (
                f"The state after epoch {epoch + 1} could not be kept in {self.folder}; the one before it is whole"
            )
            if self.on_failure == "raise":
                error.add_note(f"{sentence}. ResumeState(..., on_failure='warn') would train on.")
                raise
            warnings.warn(f"{sentence}: {error}", stacklevel=2)
            return False
        return True

    def _warn_of_forgotten(self) -> None:
        for callback, before in zip(self._callbacks, self._before, strict=True):
            changed = _state.own_changes(before, callback) if before is not None else []
            if changed and id(callback) not in self._warned:
                self._warned.add(id(callback))
                warnings.warn(
                    f"{type(callback).__name__} changes {', '.join(changed)}, which ResumeState does not keep: give it "
                    "the methods get_state() and set_state(state).",
                    stacklevel=2,
                )


class _Last(keras.callbacks.Callback):
    """The end of the list of callbacks, where `ResumeState` acts."""

    def __init__(self, owner: ResumeState) -> None:
        super().__init__()
        self.owner = owner

    def on_train_begin(self, logs=None):
        self.owner._restore()

    def on_epoch_begin(self, epoch, logs=None):
        self.owner._epoch_begins()

    def on_epoch_end(self, epoch, logs=None):
        self.owner._epoch_ends(epoch)

    def on_train_end(self, logs=None):
        self.owner._training_ends()


class _Deals:
    """A `tf.data` set as `fit` iterates it: counts the iterators, each of which moves a seeded shuffle on."""

    _so_far: ClassVar[weakref.WeakKeyDictionary] = weakref.WeakKeyDictionary()  # by dataset, in this process

    def __init__(self, given: Any, iterated: Any) -> None:
        self._given, self._iterated = given, iterated

    @property
    def times(self) -> int:
        """How many iterators there were."""
        return self._so_far.get(self._given, 0)

    def __iter__(self) -> Iterator[Any]:
        self._so_far[self._given] = self.times + 1
        return iter(self._iterated)

    def go_on(self, times: int) -> None:
        """Make iterators until there were as many."""
        while self.times < times:
            iter(self)


def _surroundings(callback: ResumeState) -> tuple[keras.callbacks.CallbackList, _Deals | None]:
    """Return Keras's list that calls `callback` now, and the counter of a `tf.data` set's iterators, now in place.

    Keras gives a callback no way to either, so we look at who is calling. There is no counter for other data, nor
    with `steps_per_epoch`, where the epochs share an iterator.

    Raises:
        RuntimeError: nobody that we know is calling.
    """
    container, frame = None, sys._getframe(1)
    while frame is not None:
        known = frame.f_locals
        owner = known.get("self")
        if container is None and isinstance(owner, keras.callbacks.CallbackList) and callback in owner.callbacks:
            container = owner
        if container is not None and frame.f_code.co_name == "fit" and "epoch_iterator" in known:
            return container, _count(known.get("x"), known["epoch_iterator"], known.get("steps_per_epoch"))
        frame = frame.f_back
    if container is None:
        raise RuntimeError("ResumeState works in the list of callbacks of `fit`.")
    return container, None


def _count(data: Any, epochs: Any, steps_per_epoch: int | None) -> _Deals | None:
    import tensorflow as tf

    iterated = getattr(epochs, "_distributed_dataset", None)
    if not isinstance(data, tf.data.Dataset) or iterated is None or steps_per_epoch is not None:
        return None
    epochs._distributed_dataset = _Deals(data, getattr(iterated, "_iterated", iterated))
    return epochs._distributed_dataset
