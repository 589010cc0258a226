"""AtomicCheckpoint: what it saves, and what is on the disk when a save fails. Kills: tests/conformance."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.callbacks import ModelCheckpoint

from helpers import _files
from helpers.callbacks import AtomicCheckpoint, SaveRecorder


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    return model


def drive(checkpoint, model, values, first=0):
    """Let a checkpoint see values of `val_loss`, one an epoch; the weights are the number of the epoch."""
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for epoch, value in enumerate(values, first):
        checkpoint.on_epoch_begin(epoch)
        model.set_weights([np.full(weight.shape, epoch) for weight in model.get_weights()])
        checkpoint.on_epoch_end(epoch, {"val_loss": value})


def saved_epoch(path: Path, model) -> int:
    if path.name.endswith(".weights.h5"):
        read = keras.models.clone_model(model)
        read.load_weights(path)
    else:
        read = keras.saving.load_model(path)
    (value,) = {float(number) for weight in read.get_weights() for number in weight.ravel()}
    return int(value)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


SETTINGS = [
    {"filepath": "{epoch:02d}.keras"},
    {"filepath": "best.keras", "save_best_only": True},
    {"filepath": "best.weights.h5", "save_best_only": True, "save_weights_only": True},
    {"filepath": "{epoch}-{val_loss:.1f}.weights.h5", "save_weights_only": True},
    {"filepath": "sub/{epoch}/best.keras", "save_best_only": True, "mode": "max"},
    {"filepath": "best.keras", "save_best_only": True, "initial_value_threshold": 0.85},
]


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings["filepath"])
def test_saves_what_modelcheckpoint_saves(tmp_path, model, settings):
    found = []
    for kind in (ModelCheckpoint, AtomicCheckpoint):
        folder = tmp_path / kind.__name__
        checkpoint = kind(**{**settings, "filepath": folder / settings["filepath"]})
        drive(checkpoint, model, [1.0, 0.8, 0.9, 0.7, float("nan")])
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        found.append([(path.relative_to(folder), saved_epoch(path, model)) for path in files] + [checkpoint.best])
    assert found[0] == found[1]


def test_saves_after_batches(tmp_path, model):
    checkpoint = AtomicCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=2)
    checkpoint.set_model(model)
    checkpoint.on_epoch_begin(0)
    for batch in range(5):
        checkpoint.on_train_batch_end(batch, {})
    assert names(tmp_path) == ["1-2.keras", "1-4.keras"]


def test_a_path_without_folder(tmp_path, model, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drive(AtomicCheckpoint("best.keras"), model, [1.0])
    assert names(tmp_path) == ["best.keras"]


def test_saverecorder_sees_its_files(tmp_path, model):
    checkpoint = AtomicCheckpoint(tmp_path / "best.keras", save_best_only=True)
    recorder = SaveRecorder(checkpoint)
    recorder.on_train_begin()
    drive(checkpoint, model, [1.0])
    recorder.on_epoch_end(0)
    assert [save.path for save in recorder.saves] == [tmp_path / "best.keras"]


# -- failures --------------------------------------------------------------------------------------------------------


class Breaks:
    """Let the next saves of a model fail in their middle."""

    def __init__(self, monkeypatch, model, error):
        self.saves, real = 0, model.save

        def save(path, **options):
            real(path, **options)
            os.truncate(path, os.path.getsize(path) // 2)
            self.saves += 1
            raise error

        monkeypatch.setattr(model, "save", save)


ERRORS = [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("Can't decrement id ref count")]


@pytest.mark.parametrize("error", ERRORS, ids=["OSError", "RuntimeError"])
def test_a_failed_save_leaves_the_last_good_file_and_best(tmp_path, model, monkeypatch, error):
    checkpoint = AtomicCheckpoint(tmp_path / "best.keras", save_best_only=True, on_failure="warn")
    drive(checkpoint, model, [0.5])
    with monkeypatch.context() as context:
        breaks = Breaks(context, model, error)
        with pytest.warns(UserWarning, match=r"The save of epoch 2 to .*best.keras failed, and what was saved before"):
            drive(checkpoint, model, [0.4], first=1)
        assert breaks.saves == 1
    assert (checkpoint.best, saved_epoch(tmp_path / "best.keras", model)) == (0.5, 0)
    assert names(tmp_path) == ["best.keras"]
    # Better than the last that was saved, though not than the one that failed.
    drive(checkpoint, model, [0.45], first=2)
    assert (checkpoint.best, saved_epoch(tmp_path / "best.keras", model)) == (0.45, 2)


def test_by_default_a_failed_save_raises_and_says_what_is_left(tmp_path, model, monkeypatch):
    checkpoint = AtomicCheckpoint(tmp_path / "best.keras", save_best_only=True)
    drive(checkpoint, model, [0.5])
    Breaks(monkeypatch, model, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left") as raised:
        drive(checkpoint, model, [0.4], first=1)
    (note,) = raised.value.__notes__
    assert "what was saved before it is untouched. AtomicCheckpoint(..., on_failure='warn')" in note
    monkeypatch.undo()
    assert (checkpoint.best, saved_epoch(tmp_path / "best.keras", model)) == (0.5, 0)


def test_an_interrupted_save_is_no_failure_to_go_on_from(tmp_path, model, monkeypatch):
    checkpoint = AtomicCheckpoint(tmp_path / "best.keras", on_failure="warn")
    drive(checkpoint, model, [0.5])
    Breaks(monkeypatch, model, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        drive(checkpoint, model, [0.4], first=1)
    monkeypatch.undo()
    assert saved_epoch(tmp_path / "best.keras", model) == 0
    assert names(tmp_path) == ["best.keras"]


def test_a_folder_that_cannot_be_made(tmp_path, model):
    (tmp_path / "file").write_text("in the way")
    checkpoint = AtomicCheckpoint(tmp_path / "file" / "best.keras", on_failure="warn")
    with pytest.warns(UserWarning, match="The save of epoch 1 to"):
        drive(checkpoint, model, [0.5])
    assert checkpoint.best is None
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_in_the_place_of_the_file(tmp_path, model):
    (tmp_path / "best.keras").mkdir()
    with pytest.raises(OSError, match=r"best\.keras"):
        drive(AtomicCheckpoint(tmp_path / "best.keras"), model, [0.5])
    assert names(tmp_path) == ["best.keras"]


# -- leftovers and keep_last -----------------------------------------------------------------------------------------


def test_leftovers_are_cleared_at_the_start(tmp_path, model):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    place = _files._place()
    mine = tmp_path / f".07.keras.{place}-{dead.pid}-0.tmp.keras"
    alive = tmp_path / f".08.keras.{place}-{os.getpid()}-0.tmp.keras"
    foreign = tmp_path / f".best.keras.{place}-{dead.pid}-0.tmp.keras"
    for path in (mine, alive, foreign):
        path.write_bytes(b"half")
    drive(AtomicCheckpoint(tmp_path / "{epoch:02d}.keras"), model, [])
    assert names(tmp_path) == sorted([alive.name, foreign.name])


def test_keep_last(tmp_path, model):
    (tmp_path / "00.keras").write_bytes(b"of an earlier run")
    checkpoint = AtomicCheckpoint(tmp_path / "{epoch:02d}.keras", keep_last=2)
    drive(checkpoint, model, [1.0, 0.9, 0.8, 0.7])
    assert names(tmp_path) == ["00.keras", "03.keras", "04.keras"]
    again = AtomicCheckpoint(tmp_path / "{epoch:02d}.keras", keep_last=2)
    again.set_state(checkpoint.get_state())
    (tmp_path / "03.keras").unlink()  # somebody was faster
    drive(again, model, [0.6], first=3)
    drive(again, model, [0.5], first=4)
    assert names(tmp_path) == ["00.keras", "04.keras", "05.keras"]


def test_a_failed_save_removes_nothing(tmp_path, model, monkeypatch):
    checkpoint = AtomicCheckpoint(tmp_path / "{epoch:02d}.keras", keep_last=1, on_failure="warn")
    drive(checkpoint, model, [1.0])
    Breaks(monkeypatch, model, OSError(errno.ENOSPC, "No space left on device"))
    with warnings.catch_warnings(action="ignore"):
        drive(checkpoint, model, [0.9], first=1)
    assert names(tmp_path) == ["01.keras"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filepath": "s3://bucket/best.keras"}, "object storage knows no rename"),
        ({"filepath": Path("s3://bucket/best.keras")}, "object storage knows no rename"),
        ({"filepath": "best.keras", "on_failure": "ignore"}, "on_failure is 'raise' or 'warn', got 'ignore'"),
        ({"filepath": "best.keras", "keep_last": 2}, "needs a name for each save"),
        ({"filepath": "{epoch}.keras", "keep_last": 0}, "whole number of files from 1 on"),
        ({"filepath": "{epoch}.keras", "keep_last": True}, "whole number of files from 1 on"),
        ({"filepath": "best.keras", "save_weights_only": True}, r"must end in `.weights.h5`"),
        ({"filepath": "best.txt"}, r"must end in `.keras`"),
    ],
)
def test_arguments_that_cannot_work(settings, message):
    with pytest.raises(ValueError, match=message):
        AtomicCheckpoint(**settings)
