"""The ways to save, behind one face: save number n fills every weight with n, and a reader says which n it found."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

# TensorFlow is imported quietly, and computes only in children.
os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3", ABSL_MIN_LOG_LEVEL="3")

import keras
import numpy as np
import tensorflow as tf

from helpers.callbacks import AtomicCheckpoint, ResumeState

FILL = -1  # what a model holds before it is loaded


class NothingThere(Exception):
    """There is no checkpoint."""


def new_model(kind: str = "Sequential", named: bool = True, width: int = 400) -> keras.Model:
    """Return a model of about `width` times 0.6 kilobytes: 1 megabyte for 1,700."""
    names = ({"name": "one"}, {"name": "two"}, {"name": "whole"}) if named else ({}, {}, {})
    layers = [keras.layers.Dense(width, **names[0]), keras.layers.Dense(64, **names[1])]
    if kind == "Sequential":
        model = keras.Sequential([keras.Input((64,)), *layers], **names[2])
    else:
        inputs = keras.Input((64,))
        model = keras.Model(inputs, layers[1](layers[0](inputs)), **names[2])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def fill(model: keras.Model, number: float) -> None:
    """Set every weight to `number`."""
    model.set_weights([np.full(weight.shape, number, "float32") for weight in model.get_weights()])


def number_in(model: keras.Model) -> int:
    """Return the number that fills every weight.

    Raises:
        NothingThere: nothing was loaded into it.
        ValueError: it holds parts of several saves.
    """
    found = {float(number) for weight in model.get_weights() for number in np.unique(weight)}
    if found == {FILL}:
        raise NothingThere
    if len(found) != 1:
        raise ValueError(f"{len(found)} numbers in one model")
    return int(found.pop())


def callbacks_of_a_fit(callback: keras.callbacks.Callback, model: keras.Model) -> keras.callbacks.CallbackList:
    """Return Keras's own list of callbacks, as `fit` makes it, after the beginning of training."""
    container = keras.callbacks.CallbackList([callback], add_history=True, model=model, epochs=1000, steps=None)
    container.on_train_begin()
    return container


class Writer:
    """One way to save, in a folder of its own."""

    name = ""
    needs: tuple[str, ...] = ()  # packages beyond the learner's
    saves_best = True  # can it keep the best of a run?
    resumes = False  # does it bring a run back?

    width_of_reader = 400

    def __init__(self, folder: Path | str) -> None:
        self.place = str(folder)  # as the writer gets it
        self.folder = Path(self.place.removeprefix("file://"))

    @classmethod
    def missing(cls) -> list[str]:
        """Return the packages that it needs and that are not installed."""
        return [package for package in cls.needs if importlib.util.find_spec(package) is None]

    def callback(self, **settings) -> keras.callbacks.Callback:
        """Return a callback for `fit`."""
        raise NotImplementedError

    def begin(self, model: keras.Model) -> Callable[[int], None]:
        """Return a function that makes save number n and returns when it is complete."""
        callback = self.callback()
        container = callbacks_of_a_fit(callback, model)

        def save(number: int) -> None:
            fill(model, number)
            container.on_epoch_begin(number)
            container.on_epoch_end(number, {"val_loss": 1.0 / (number + 1)})
            if wait := getattr(callback, "wait_until_finished", None):
                wait()  # complete is what has arrived, not what was begun in the background

        return save

    def read(self) -> keras.Model:
        """Return a model as a reader gets it from the disk; raise where it gets none."""
        model = self.model_for_reading()
        fill(model, FILL)
        return self.read_into(model) or model

    def model_for_reading(self) -> keras.Model:
        return new_model(width=self.width_of_reader)

    def read_into(self, model: keras.Model) -> keras.Model | None:
        """Load into `model`, or return another one."""
        raise NotImplementedError


class File(Writer):
    """One file, always replaced."""

    file = ""
    kind: type[keras.callbacks.ModelCheckpoint] = keras.callbacks.ModelCheckpoint

    def callback(self, **settings):
        weights = self.file.endswith(".weights.h5")
        return self.kind(f"{self.place}/{self.file}", save_weights_only=weights, **settings)

    def read_into(self, model):
        path = self.folder / self.file
        if not path.exists():
            raise NothingThere
        if self.file.endswith(".weights.h5"):
            model.load_weights(path)
            return None
        return keras.saving.load_model(path)


class ModelCheckpointKeras(File):
    name, file = "ModelCheckpoint, .keras", "model.keras"


class ModelCheckpointWeights(File):
    name, file = "ModelCheckpoint, .weights.h5", "model.weights.h5"


class Atomic(File):
    name, file, kind = "AtomicCheckpoint", "model.keras", AtomicCheckpoint


class Backup(Writer):
    name, double, saves_best, resumes = "BackupAndRestore", False, False, True

    def callback(self, **settings):
        settings = {"delete_checkpoint": False, **settings}
        return keras.callbacks.BackupAndRestore(self.place, double_checkpoint=self.double, **settings)

    def read_into(self, model):
        callback = self.callback()
        callback.set_model(model)
        callback.on_train_begin()


class DoubleBackup(Backup):
    name, double = "BackupAndRestore, double_checkpoint", True


class Manager(Writer):
    name, saves_best = "tf.train.CheckpointManager", False

    def manager(self, model):
        return tf.train.CheckpointManager(tf.train.Checkpoint(model=model), self.place, max_to_keep=2)

    def callback(self, **settings):
        writer = self

        class Save(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.manager = writer.manager(self.model)

            def on_epoch_end(self, epoch, logs=None):
                self.manager.save()

        return Save()

    def read_into(self, model):
        manager = self.manager(model)
        if manager.latest_checkpoint is None:
            raise NothingThere
        manager.checkpoint.restore(manager.latest_checkpoint).expect_partial()


class Orbax(Writer):
    name, needs = "OrbaxCheckpoint", ("jax", "orbax.checkpoint")

    @classmethod
    def missing(cls):
        return [name for name in ("jax", "orbax") if importlib.util.find_spec(name) is None]

    def callback(self, **settings):
        return keras.callbacks.OrbaxCheckpoint(self.place, **settings)

    def read_into(self, model):
        if not self.folder.is_dir() or not any(path.name.isdecimal() for path in self.folder.iterdir()):
            raise NothingThere
        model.load_weights(self.place)


class Resume(Writer):
    name, saves_best, resumes = "ResumeState", True, True

    def callback(self, **settings):
        return ResumeState(self.place, verbose=0, **settings)

    def read_into(self, model):
        callbacks_of_a_fit(self.callback(), model)


class RenameOnly(Atomic):
    """AtomicCheckpoint without its two flushes: what a rename alone is worth. In no row of the table."""

    name = "a rename alone"

    def begin(self, model):
        os.fsync = lambda handle: None
        return super().begin(model)


WRITERS: tuple[type[Writer], ...] = (
    ModelCheckpointKeras, ModelCheckpointWeights, Backup, DoubleBackup, Manager, Orbax, Atomic, Resume,
)  # fmt: skip


def found(writer: Writer) -> int | str:
    """Return the number of the save that a reader finds, "nothing", or "unreadable: ..."."""
    try:
        return number_in(writer.read())
    except NothingThere:
        return "nothing"
    except Exception as error:  # whatever a reader meets
        return f"unreadable: {type(error).__name__}: {str(error)[:120]}"
