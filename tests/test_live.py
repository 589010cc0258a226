from __future__ import annotations

import _thread
import math
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.callbacks import EarlyStopping, ModelCheckpoint
from live_scripted import SECONDS, ScriptedModel

from helpers import replay
from helpers.live import Change, Trainer, _record


def wait_for(condition, what):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {SECONDS} s for {what}"
        time.sleep(0.001)


def fit_threads():
    return [thread for thread in threading.enumerate() if thread.name == "live-fit"]


@pytest.fixture(autouse=True)
def no_thread_left():
    yield
    wait_for(lambda: not fit_threads(), "the end of every fit")


def scripted(values, *, patience=100, epochs=None, callbacks=(), **options):
    """A trainer of a scripted model, with an EarlyStopping in front of the other callbacks."""
    stopper = EarlyStopping(patience=patience, mode="min", restore_best_weights=options.pop("restore", False))
    model = ScriptedModel(values, **options)
    trainer = Trainer(model, epochs=epochs or len(values), callbacks=[stopper, *callbacks])
    return trainer, model, stopper


# -- the rule --------------------------------------------------------------------------------------------------------

curves = st.lists(
    st.one_of(st.integers(0, 6).map(lambda n: n / 4), st.floats(-2, 2, width=32), st.just(math.nan)),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(curves, st.integers(0, 6), st.dictionaries(st.integers(0, 29), st.integers(0, 8), max_size=6))
def test_the_stop_is_the_one_of_the_patience_in_force_at_each_epoch(values, patience, moves):
    def move(epoch):
        if epoch in moves:
            trainer.patience = moves[epoch]

    trainer, model, _ = scripted(values, patience=patience, in_epoch=move)
    trainer.start()
    trainer.result()

    # Until the stop `wait` does not depend on patience, so one replay that never stops tells all waits.
    waits = replay.early_stopping(values, patience=1000).waits
    in_force, changes, expected = patience, [], None
    for epoch in range(len(values)):
        new = moves.get(epoch, in_force)
        if new != in_force:
            changes.append(Change(epoch, "patience", in_force, new))
        in_force = new
        if epoch > 0 and waits[epoch] >= max(in_force, 1):
            expected = epoch
            break
    ran = len(values) if expected is None else expected + 1
    now = trainer.snapshot()
    assert now.epochs_run == ran
    assert now.waits == waits[:ran]
    assert now.changes == tuple(change for change in changes if change.epoch < ran)
    assert now.ended_by == ("epochs" if expected is None else "early stopping")
    assert model.fits == 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 12).map(lambda n: n / 8), min_size=4, max_size=12),
    st.sampled_from(["min", "max"]),
    st.dictionaries(st.integers(0, 6), st.integers(0, 5), min_size=1, max_size=4),
)
def test_a_changed_min_delta_is_obeyed_from_that_epoch_on(values, mode, moves):
    def move(epoch):
        if epoch in moves:
            trainer.min_delta = moves[epoch] / 8

    stopper = EarlyStopping(patience=3, mode=mode)
    trainer = Trainer(ScriptedModel(values, in_epoch=move), epochs=len(values), callbacks=[stopper])
    trainer.start()
    trainer.result()

    best, wait, delta, waits = None, 0, 0.0, []
    for epoch, value in enumerate(values):
        delta = moves[epoch] / 8 if epoch in moves else delta
        shifted = np.float32(value + delta if mode == "min" else value - delta)
        wait += 1
        if best is None or (shifted < best if mode == "min" else shifted > best):
            best, wait = np.float32(value), 0
        waits.append(wait)
        if wait >= 3:
            break
    assert list(trainer.snapshot().waits) == waits
    assert trainer.min_delta == delta or len(waits) < len(values)
    assert abs(stopper.min_delta) == trainer.min_delta


def test_a_patience_set_on_the_callback_itself_is_written_down_too():
    def move(epoch):
        if epoch == 2:
            stopper.patience = 3

    trainer, _, stopper = scripted([1.0, 2, 3, 4, 5, 6], in_epoch=move)
    trainer.start()
    trainer.result()
    assert trainer.changes == (Change(2, "patience", 100, 3),)
    assert trainer.patience == 3
    assert trainer.snapshot().epochs_run == 4


def test_a_patience_set_before_the_start_is_no_change_of_the_run():
    trainer, _, stopper = scripted([1.0, 2, 3, 4, 5])
    trainer.patience = 2
    assert stopper.patience == 2
    trainer.start()
    trainer.result()
    assert trainer.snapshot().epochs_run == 3
    assert trainer.changes == ()


def test_a_patience_asked_for_too_late_is_there_in_the_next_run():
    trainer, _, stopper = scripted([1.0, 2.0], in_epoch=lambda epoch: None)
    stopper.on_train_end = lambda logs=None: setattr(trainer, "patience", 1)
    trainer.start()
    trainer.result()
    assert stopper.patience == trainer.patience == 1
    trainer.start()
    trainer.result()
    assert trainer.snapshot().epochs_run == 2
    assert trainer.snapshot().ended_by == "early stopping"


@pytest.mark.parametrize("name", ["patience", "min_delta"])
@pytest.mark.parametrize("value", [-1, "3", None, True, math.nan])
def test_a_setting_that_makes_no_sense_is_refused(name, value):
    trainer, _, stopper = scripted([1.0])
    with pytest.raises(ValueError, match=name):
        setattr(trainer, name, value)
    assert (stopper.patience, stopper.min_delta) == (100, 0)


def test_without_early_stopping_there_is_no_patience():
    trainer = Trainer(ScriptedModel([1.0, 2.0]), epochs=2)
    assert trainer.patience is None
    assert trainer.stopper is None
    with pytest.raises(RuntimeError, match="no EarlyStopping"):
        trainer.patience = 3
    trainer.start()
    trainer.result()
    assert trainer.history == {"loss": [1.0, 1.0], "val_loss": [1.0, 2.0]}


# -- start, pause, resume, stop, restart -----------------------------------------------------------------------------


def test_nothing_trains_before_the_start():
    trainer, model, _ = scripted([1.0])
    trainer.join()
    assert (model.fits, trainer.state, trainer.alive) == (0, "ready", False)
    assert trainer.history == {}
    with pytest.raises(RuntimeError, match="nothing was started"):
        trainer.result()


def test_the_fit_runs_in_another_thread_and_gives_keras_history():
    trainer, model, _ = scripted([1.0, 0.5, None])
    trainer.start()
    history = trainer.result()
    assert isinstance(history, keras.callbacks.History)
    assert history.history["val_loss"] == [1.0, 0.5]
    assert trainer.history["val_loss"] == [1.0, 0.5, None]
    assert threading.current_thread() not in model.threads


def test_starts_from_many_threads_make_one_thread():
    trainer, model, _ = scripted([1.0] * 3, gated=True)
    callers = [threading.Thread(target=trainer.start) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    wait_for(lambda: model.batches_begun == 1, "the first batch")
    assert len(fit_threads()) == 1
    model.let(3)
    trainer.result()
    assert model.fits == 1


def test_pause_holds_the_fit_before_its_next_batch_and_resume_lets_it_go_on():
    trainer, model, _ = scripted([1.0, 1.0], batches=3, gated=True)
    trainer.start()
    wait_for(lambda: model.batches_begun == 1, "the first batch")
    trainer.pause()
    assert trainer.state == "pausing"
    model.let(6)
    wait_for(lambda: trainer.state == "paused", "the pause")
    seconds = trainer.snapshot().seconds
    time.sleep(0.02)
    assert model.batches_begun == 1
    assert trainer.snapshot().seconds == seconds
    trainer.resume()
    trainer.result()
    assert model.batches_begun == 6


def test_resume_before_the_pause_was_reached_takes_it_back():
    trainer, model, _ = scripted([1.0], batches=2, gated=True)
    trainer.start()
    trainer.pause()
    trainer.resume()
    assert trainer.state == "running"
    model.let(2)
    trainer.result()


def test_stop_ends_after_the_batch_and_the_best_weights_come_back():
    trainer, model, _ = scripted([1.0, 0.5, 0.7, 0.8], batches=5, gated=True, restore=True)
    trainer.start()
    model.let(16)
    wait_for(lambda: model.batches_begun == 17, "the second batch of epoch 4")
    trainer.stop()
    assert trainer.state == "stopping"
    model.let(3)
    trainer.result()
    now = trainer.snapshot()
    assert model.stop_training
    # The batch that had begun, and at most the one whose beginning was under way.
    assert model.batches_begun in (17, 18)
    assert (now.state, now.ended_by, now.epochs_run) == ("done", "stop", 4)
    assert model.epoch == now.kept_epoch == 1


def test_stop_ends_a_paused_fit():
    trainer, model, _ = scripted([1.0] * 5, gated=True)
    trainer.start()
    trainer.pause()
    model.let(5)
    wait_for(lambda: trainer.state == "paused", "the pause")
    trainer.stop()
    trainer.join()
    assert trainer.snapshot().ended_by == "stop"


def test_controls_without_a_run_do_nothing():
    trainer, model, _ = scripted([1.0])
    for control in (trainer.pause, trainer.resume, trainer.stop):
        control()
    assert trainer.state == "ready"
    trainer.start()
    trainer.result()
    for control in (trainer.pause, trainer.resume, trainer.stop):
        control()
    assert trainer.state == "done"
    assert model.fits == 1


def test_a_callback_that_stops_the_fit_is_named_as_the_reason():
    class Enough(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    trainer, _, _ = scripted([1.0, 0.5], callbacks=[Enough()])
    trainer.start()
    trainer.result()
    assert trainer.snapshot().ended_by == "callback"


def test_restart_ends_the_run_and_begins_anew_in_the_same_thread():
    trainer, model, _ = scripted([3.0, 2.0, 1.0], gated=True)
    trainer.start()
    model.let(2)
    wait_for(lambda: model.batches_begun == 3, "the third epoch")
    trainer.patience = 7
    trainer.restart()
    model.let(1)
    wait_for(lambda: model.fits == 2, "the second run")
    assert len(fit_threads()) == 1
    model.let(3)
    trainer.result()
    now = trainer.snapshot()
    assert (now.run, now.epochs_run, now.ended_by, now.patience) == (2, 3, "epochs", 7)
    assert now.changes == ()
    assert len(model.threads) == 1


def test_start_while_a_run_is_stopping_begins_anew_and_a_later_stop_takes_that_back():
    trainer, model, _ = scripted([1.0] * 9, gated=True)
    trainer.start()
    wait_for(lambda: model.batches_begun == 1, "the first batch")
    trainer.stop()
    trainer.start()
    model.let(2)
    wait_for(lambda: model.fits == 2, "the second run")
    trainer.stop()
    trainer.start()
    trainer.stop()
    model.let(9)
    trainer.join()
    assert model.fits == 2


def test_functions_build_model_and_callbacks_anew_and_the_chosen_patience_stays():
    models, stoppers = [], []

    def build():
        models.append(ScriptedModel([1.0, 2.0, 3.0, 4.0]))
        return models[-1]

    def callbacks():
        stoppers.append(EarlyStopping(patience=50, mode="min"))
        return [stoppers[-1]]

    trainer = Trainer(build, epochs=4, callbacks=callbacks)
    assert (len(models), len(stoppers), trainer.model) == (0, 1, None)
    trainer.start()
    trainer.result()
    assert trainer.snapshot().epochs_run == 4
    trainer.patience = 2
    trainer.restart()
    trainer.result()
    assert (len(models), len(stoppers)) == (2, 2)
    assert trainer.model is models[1]
    assert [stopper.patience for stopper in stoppers] == [2, 2]
    assert trainer.snapshot().epochs_run == 3


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_an_exception_in_the_thread_is_kept_and_raised_again_each_time():
    def fail(epoch):
        if epoch == 1:
            raise ZeroDivisionError("in epoch 2")

    trainer, model, _ = scripted([1.0, 1.0, 1.0], in_epoch=fail)
    trainer.start()
    trainer.join()
    now = trainer.snapshot()
    assert (now.state, now.ended_by, now.epochs_run, now.kept_epoch) == ("failed", "error", 1, None)
    depths = []
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="in epoch 2") as caught:
            trainer.result()
        depths.append(len(caught.traceback))
        assert any(entry.name == "fail" for entry in caught.traceback)
    assert depths[0] == depths[1]
    model.in_epoch = None
    trainer.start()
    trainer.result()
    assert trainer.state == "done"


def test_even_a_system_exit_is_kept():
    trainer, _, _ = scripted([1.0], in_epoch=lambda epoch: sys.exit(3))
    trainer.start()
    with pytest.raises(SystemExit):
        trainer.result()


def test_a_function_that_builds_no_model_fails_with_a_sentence():
    trainer = Trainer(lambda: None, epochs=1)
    trainer.start()
    with pytest.raises(TypeError, match="must return a compiled Keras model"):
        trainer.result()


@pytest.mark.parametrize("epochs", [0, -1, 2.5, "3", True, None])
def test_epochs_must_be_a_whole_number(epochs):
    with pytest.raises(ValueError, match="epochs"):
        Trainer(ScriptedModel([1.0]), epochs=epochs)


def test_a_model_must_be_fitted_or_built():
    with pytest.raises(TypeError, match="model must be"):
        Trainer("model.keras", epochs=1)


def test_callbacks_that_keras_refuses_fail_in_keras_words():
    trainer = Trainer(ScriptedModel([1.0]), epochs=1, callbacks=[EarlyStopping])
    trainer.start()
    with pytest.raises(Exception, match=r"set_model|set_params|callback"):
        trainer.result()


def test_a_listener_that_fails_does_not_end_the_fit(caplog):
    trainer, _, _ = scripted([1.0])
    seen = []
    trainer.on_change(lambda: 1 / 0)
    forget = trainer.on_change(lambda: seen.append(trainer.state))
    trainer.start()
    trainer.result()
    assert seen[-1] == "done"
    assert "listener" in caplog.text
    forget()
    count = len(seen)
    trainer.start()
    trainer.result()
    assert len(seen) == count


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals need the main thread")
def test_an_interrupt_while_joining_stops_the_run():
    trainer, model, _ = scripted([1.0] * 50, gated=True)
    trainer.start()
    wait_for(lambda: model.batches_begun == 1, "the first batch")
    interrupt = threading.Timer(0.05, _thread.interrupt_main)
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.join()
    interrupt.join()
    model.let(50)
    trainer.join()
    assert trainer.snapshot().ended_by == "stop"


def test_beginning_and_end_are_told_in_this_order_by_the_thread_of_the_run():
    heard = []
    trainer, _, _ = scripted([1.0])
    trainer.on_change(lambda: heard.append((trainer.state, threading.current_thread().name)))
    for _ in range(2):
        trainer.start()
        trainer.join()
    assert heard == [("running", "live-fit"), ("done", "live-fit")] * 2


def test_join_waits_until_the_listeners_have_heard_of_the_end():
    heard, results = [], []

    def listen():
        if trainer.state == "done":
            time.sleep(0.05)
            results.append(trainer.result())  # and a listener may ask for the result itself
            heard.append("done")

    trainer, _, _ = scripted([1.0])
    trainer.on_change(listen)
    trainer.start()
    trainer.join()
    assert heard == ["done"]
    assert results[0] is trainer.result()


def test_a_callback_that_waits_for_its_own_run_fails_instead_of_hanging():
    trainer, _, _ = scripted([1.0], in_epoch=lambda epoch: trainer.join())
    trainer.start()
    with pytest.raises(RuntimeError, match="cannot wait for the run"):
        trainer.result()


def test_join_with_a_timeout_comes_back():
    trainer, model, _ = scripted([1.0], gated=True)
    trainer.start()
    trainer.join(0.01)
    assert trainer.alive
    model.let(1)
    trainer.join()
    assert not trainer.alive


def test_leaving_python_ends_the_run_quietly():
    code = """
import os, sys, time
sys.path[:0] = ["tests", "."]
from live_scripted import ScriptedModel
from helpers.live import Trainer
model = ScriptedModel([1.0] * 1000, in_epoch=lambda epoch: time.sleep(0.01))
trainer = Trainer(model, epochs=1000)
# In one system call: this thread and that of the run tell at the same time, and `print` would mix their lines.
trainer.on_change(lambda: os.write(1, f"{trainer.state}\\n".encode()))
trainer.start()
while not trainer.snapshot().epochs_run:  # its beginning is told by then
    time.sleep(0.01)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr[-2000:]
    states = ran.stdout.split()
    # "stopping" comes from the main thread, "done" from the run's own: which of them is told first is chance.
    assert states[0] == "running"
    assert "done" in states
    assert set(states) <= {"running", "stopping", "done"}
    assert "Traceback" not in ran.stderr


# -- checkpoints, time, memory ---------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9).map(float), min_size=1, max_size=12), st.booleans())
def test_saves_are_those_of_the_rule(tmp_path_factory, values, best_only):
    path = tmp_path_factory.mktemp("saves") / "model.keras"
    saver = ModelCheckpoint(path, mode="min", save_best_only=best_only)
    seen = []
    trainer, _, _ = scripted(values, callbacks=[saver], in_epoch=lambda epoch: seen.append(trainer.snapshot().saves))
    expected = replay.model_checkpoint(values, save_best_only=best_only).epochs
    for _ in range(2):  # a run that begins anew saves as the first one did, though ModelCheckpoint remembers its best
        trainer.start()
        trainer.result()
        assert trainer.snapshot().saves == expected
    assert "_should_save_model" not in vars(saver)
    assert all(saves == tuple(e for e in expected if e < epoch) for epoch, saves in enumerate(seen[: len(values)]))


def test_the_expected_time_leaves_pauses_and_the_first_epoch_out(monkeypatch):
    clock = iter(range(1000))
    now = [0.0]
    monkeypatch.setattr(_record.time, "perf_counter", lambda: now[0])

    def work(epoch):
        now[0] += 10.0 if epoch == 0 else 2.0
        if epoch == 2:
            trainer.pause()
            threading.Thread(target=wake).start()
        if epoch == 4:
            snapshots.append(trainer.snapshot())
        next(clock)

    def wake():
        wait_for(lambda: trainer.state == "paused", "the pause")
        now[0] += 500.0
        trainer.resume()

    snapshots = []
    trainer, _, _ = scripted([1.0] * 10, in_epoch=work)
    trainer.start()
    trainer.result()
    # Epochs 1 to 4 are written down (10 + 3 * 2 s), epoch 5 is through its 2 s; 6 epochs at 2 s are left, less those 2.
    assert snapshots[0].seconds == 18.0
    assert snapshots[0].seconds_left == 10.0
    assert trainer.snapshot().seconds == 28.0
    assert trainer.snapshot().seconds_left is None


def test_epochs_count_from_initial_epoch():
    trainer = Trainer(
        ScriptedModel([9.0, 9.0, 1.0, 2.0]), epochs=4, initial_epoch=2, callbacks=[EarlyStopping(mode="min")]
    )
    trainer.start()
    trainer.result()
    now = trainer.snapshot()
    assert (now.first_epoch, now.epochs_run, now.best_epoch, now.kept_epoch) == (2, 2, 2, 3)


def test_importing_loads_neither_keras_nor_tensorflow():
    code = (
        "import sys; import helpers.live; t = helpers.live.Trainer(lambda: None); t.snapshot(); "
        "print([m for m in ('keras', 'tensorflow', 'ipywidgets', 'IPython', 'matplotlib') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"


# -- the real thing --------------------------------------------------------------------------------------------------


def tiny_model():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("build", [True, False], ids=["function", "model"])
def test_a_real_model_begins_anew_exactly(build, tmp_path):
    def seeded():
        keras.utils.set_random_seed(3)
        return tiny_model()

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 4)).astype("float32"), rng.normal(size=(32, 1)).astype("float32")
    saver = ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
    trainer = Trainer(
        seeded if build else seeded(), x, y, validation_data=(x, y), epochs=4, shuffle=False, batch_size=8,
        callbacks=[EarlyStopping(patience=9, restore_best_weights=True), saver],
    )  # fmt: skip
    runs = []
    for _ in range(2):
        trainer.restart()
        trainer.result()
        runs.append(trainer.snapshot())
    assert runs[0].history == runs[1].history
    assert runs[0].saves == runs[1].saves
    assert len(set(runs[0].history["loss"])) == 4
    assert trainer.model.evaluate(x, y, verbose=0) == pytest.approx(runs[1].best, rel=1e-5)


def test_a_real_fit_stops_after_the_batch():
    x = np.zeros((64, 4), "float32")
    trainer = Trainer(tiny_model(), x, x[:, :1], epochs=10_000, batch_size=8)
    trainer.start()
    wait_for(lambda: trainer.snapshot().epochs_run >= 2, "two epochs")
    trainer.stop()
    trainer.result()
    now = trainer.snapshot()
    assert now.ended_by == "stop"
    assert now.batches == 8
    assert now.epochs_run < 10_000
