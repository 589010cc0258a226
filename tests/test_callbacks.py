"""The recorders, in one tiny real fit and on scripted files."""

from __future__ import annotations

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint

from helpers import plots, style
from helpers.callbacks import HookRecorder, SaveRecorder
from helpers.facts import facts_of

ROWS = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
LABELS = (ROWS[:, 0] > 0).astype("int32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def fitted(model, tmp_path_factory):
    """Fit once with everything; values are scripted, so that the run is known beforehand."""
    script = [1.0, 0.8, 0.9, 0.7, 0.75, 0.74, 0.5]
    folder = tmp_path_factory.mktemp("saved")
    scripted = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(val_loss=script[epoch]))
    stopping = EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    checkpoint = ModelCheckpoint(folder / "best.weights.h5", save_best_only=True, save_weights_only=True)
    first, last = SaveRecorder(checkpoint), SaveRecorder(checkpoint)
    hooks = HookRecorder()
    history = model.fit(
        ROWS, LABELS, batch_size=4, epochs=7, verbose=0, validation_data=(ROWS, LABELS), validation_batch_size=6,
        callbacks=[hooks, scripted, first, stopping, checkpoint, last],
    )  # fmt: skip
    # `History` stands first in the list of Keras, before the script, so it holds the real values.
    log = {**history.history, "val_loss": script[: len(history.epoch)]}
    return SimpleNamespace(
        log=log, script=script, stopping=stopping, checkpoint=checkpoint, first=first, last=last, hooks=hooks,
        history=history, folder=folder,
    )  # fmt: skip


def test_hooks_of_a_real_fit_come_in_keras_order(fitted):
    names = [(event.hook.removeprefix("on_"), event.index) for event in fitted.hooks.events]
    epoch = [
        *((f"train_batch_{edge}", batch) for batch in range(3) for edge in ("begin", "end")),
        ("test_begin", None),
        *((f"test_batch_{edge}", batch) for batch in range(2) for edge in ("begin", "end")),
        ("test_end", None),
    ]
    expected = [("train_begin", None)]
    for number in range(6):
        expected += [("epoch_begin", number), *epoch, ("epoch_end", number)]
    assert names == [*expected, ("train_end", None)]


def test_events_hold_time_and_the_names_in_logs(fitted):
    events = fitted.hooks.events
    seconds = [event.seconds for event in events]
    assert seconds == sorted(seconds)
    assert seconds[0] >= 0
    assert [event.keys for event in events if event.hook == "on_epoch_begin"] == [()] * 6
    # The recorder stands before the script in the list.
    [end] = {event.keys for event in events if event.hook == "on_epoch_end"}
    assert sorted(end) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_a_record_holds_one_run(fitted, model):
    hooks = HookRecorder()
    model.evaluate(ROWS, LABELS, batch_size=6, verbose=0, callbacks=[hooks])
    assert [event.hook for event in hooks.events] == [
        "on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end",
    ]  # fmt: skip
    model.predict(ROWS, batch_size=12, verbose=0, callbacks=[hooks])
    assert [event.hook for event in hooks.events] == [
        "on_predict_begin", "on_predict_batch_begin", "on_predict_batch_end", "on_predict_end",
    ]  # fmt: skip
    assert style.png(plots.hook_timeline(hooks.events))


def test_a_real_fit_can_be_drawn(fitted):
    assert style.png(plots.hook_timeline(fitted.hooks.events, logs=True))
    facts = facts_of(fitted.log, stopping=fitted.stopping, saves=fitted.checkpoint)
    assert (facts.stop, facts.best, facts.kept, facts.window, facts.mode) == (5, 3, 3, (4, 5), "min")
    assert facts.saved == (0, 1, 3)
    assert facts_of(fitted.history, stopping=fitted.stopping).length == 6


def test_saves_are_recorded_wherever_the_recorder_stands(fitted):
    assert fitted.first.epochs == [0, 1, 3]
    assert fitted.last.epochs == [0, 1, 3]
    [path] = fitted.folder.iterdir()
    assert {save.path for save in fitted.last.saves} == {path}
    assert fitted.last.saves[-1].size == path.stat().st_size


def test_a_threshold_is_known_to_the_recorder_alone(model, tmp_path):
    values = [0.9, 0.5, 0.4]
    checkpoint = ModelCheckpoint(
        tmp_path / "{epoch:02d}-{val_loss:.2f}.weights.h5", save_best_only=True, save_weights_only=True,
        initial_value_threshold=0.6, mode="min",
    )  # fmt: skip
    recorder = SaveRecorder(checkpoint)
    for callback in (checkpoint, recorder):
        callback.set_model(model)
        callback.on_train_begin()
    for epoch, value in enumerate(values):
        for callback in (recorder, checkpoint):
            callback.on_epoch_begin(epoch)
        for callback in (recorder, checkpoint):
            callback.on_epoch_end(epoch, {"val_loss": value})
    recorder.on_train_end()
    assert recorder.epochs == [1, 2]
    assert [save.path.name for save in recorder.saves] == ["02-0.50.weights.h5", "03-0.40.weights.h5"]
    assert facts_of(values, saves=recorder).saved == (1, 2)


def epoch(recorder, number, write=None):
    recorder.on_epoch_begin(number)
    if write is not None:
        write()
    recorder.on_epoch_end(number)


def test_only_the_checkpoints_own_files_count(tmp_path):
    recorder = SaveRecorder(SimpleNamespace(filepath=str(tmp_path / "[a]{epoch:02d}-{val_loss:.2f}.keras")))
    (tmp_path / "[a]01-0.50.keras").write_text("from an earlier fit")
    recorder.on_train_begin()
    epoch(recorder, 0)
    epoch(recorder, 1, lambda: (tmp_path / "[a]02-0.40.keras").write_text("new"))
    epoch(recorder, 2, lambda: (tmp_path / "[a]best-of-all.keras").write_text("another checkpoint's"))
    epoch(recorder, 3, lambda: (tmp_path / f"[a]04-{math.nan:.2f}.keras").write_text("NaN has a name too"))
    epoch(recorder, 4, lambda: (tmp_path / "[a]02-0.40.keras").unlink())
    recorder.on_train_end()
    assert recorder.epochs == [1, 3]
    recorder.on_train_begin()
    assert recorder.saves == []


def test_braces_in_a_name_are_no_fields(tmp_path):
    recorder = SaveRecorder(SimpleNamespace(filepath=str(tmp_path / "{{x}}.keras")))
    recorder.on_train_begin()
    epoch(recorder, 0, lambda: (tmp_path / "{x}.keras").write_text("new"))
    assert recorder.epochs == [0]


@pytest.mark.parametrize("wrong", [None, "best.keras", EarlyStopping()])
def test_save_recorder_needs_a_checkpoint(wrong):
    with pytest.raises(ValueError, match=r"SaveRecorder watches a ModelCheckpoint"):
        SaveRecorder(wrong)
