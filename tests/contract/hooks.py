"""Hooks: their order, what is in `logs`, who calls them and when."""

from __future__ import annotations

import asyncio
import threading
import time

import keras
import numpy as np
import pytest
from keras.callbacks import Callback, CSVLogger, EarlyStopping, History, LambdaCallback, TerminateOnNaN

from .claims import claim
from .means import KERAS, Script, arrays, fit, iterations, new_model, rate, still_model, training, validation

TRAIN, VALIDATED = ["loss", "mae"], ["loss", "mae", "val_loss", "val_mae"]
PHASES = ["train", "test", "predict"]


class Recorder(Callback):
    """Notes each hook: its name, its index if it has one, and the keys of `logs` in their order."""

    def __init__(self):
        super().__init__()
        self.events = []

    def names(self):
        return [name for name, _, _ in self.events]


def _whole(name):
    return lambda self, logs=None: self.events.append((name, None, logs if logs is None else list(logs)))


def _numbered(name):
    return lambda self, index, logs=None: self.events.append((name, index, logs if logs is None else list(logs)))


for _edge in ("begin", "end"):
    setattr(Recorder, f"on_epoch_{_edge}", _numbered(f"on_epoch_{_edge}"))
    for _phase in PHASES:
        setattr(Recorder, f"on_{_phase}_{_edge}", _whole(f"on_{_phase}_{_edge}"))
        setattr(Recorder, f"on_{_phase}_batch_{_edge}", _numbered(f"on_{_phase}_batch_{_edge}"))


def _batches(phase, keys):
    for index in range(2):
        yield (f"on_{phase}_batch_begin", index, [])
        yield (f"on_{phase}_batch_end", index, keys)


@claim(
    "01",
    "06",
    text="fit calls the hooks in one fixed order, and validation runs inside the epoch as a nested test.",
)
def test_hook_order_under_fit():
    recorder = Recorder()
    fit(still_model(), [recorder], epochs=2, validate=True)
    expected = [("on_train_begin", None, [])]
    for epoch in range(2):
        expected += [("on_epoch_begin", epoch, []), *_batches("train", TRAIN)]
        expected += [("on_test_begin", None, []), *_batches("test", TRAIN), ("on_test_end", None, TRAIN)]
        expected += [("on_epoch_end", epoch, VALIDATED)]
    assert recorder.events == [*expected, ("on_train_end", None, VALIDATED)]


@claim("01", "08.31", text="evaluate calls the test hooks alone, and their logs have no val_ prefix.")
def test_hook_order_under_evaluate():
    recorder = Recorder()
    still_model().evaluate(validation(), callbacks=[recorder], verbose=0)
    assert recorder.events == [("on_test_begin", None, []), *_batches("test", TRAIN), ("on_test_end", None, TRAIN)]


@claim("08.31", text="Without validation data fit calls no test hook.")
def test_no_test_hooks_without_validation():
    recorder = Recorder()
    fit(still_model(), [recorder], epochs=2)
    assert [name for name in recorder.names() if "test" in name] == []


@claim("01", text="predict calls the predict hooks alone; a batch's end brings its outputs, the end brings nothing.")
def test_hook_order_under_predict():
    recorder = Recorder()
    still_model().predict(validation(), callbacks=[recorder], verbose=0)
    expected = [("on_predict_begin", None, []), *_batches("predict", ["outputs"]), ("on_predict_end", None, [])]
    assert recorder.events == expected


@claim(
    "01",
    "06",
    text="The loss at a batch's end is the mean over the epoch so far; the last one is the epoch's loss.",
)
def test_batch_logs_are_running_means():
    seen, model = [], new_model(keras.optimizers.SGD(0.0))
    x, y = arrays()
    first = model.evaluate(x[:4], y[:4], verbose=0)[0]
    note = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    loss = fit(model, [note], epochs=2)["loss"]
    assert seen[0] == pytest.approx(first)
    assert seen[1] == loss[0] != pytest.approx(first)
    assert seen[2] == seen[0]


@claim("01", "06", text="The values in logs are plain Python floats.")
def test_log_values_are_floats():
    kinds = set()
    note = lambda index, logs: kinds.update(type(value) for value in logs.values())  # noqa: E731
    fit(still_model(), [LambdaCallback(on_epoch_end=note, on_train_batch_end=note)], validate=True)
    assert kinds == {float}


@claim(
    "01",
    "06",
    text="self.params holds verbose, epochs and steps, and self.model the model, from on_train_begin on.",
)
def test_params_and_model_are_set():
    seen, model = [], still_model()

    class Look(Callback):
        def on_train_begin(self, logs=None):
            seen.append((self.params, self.model))

    fit(model, [Look()], epochs=3)
    assert seen == [({"verbose": 0, "epochs": 3, "steps": 2}, model)]


@claim(
    "01",
    "06",
    "07",
    text="With TensorFlow callbacks run in step with training: each hook runs on the thread that called fit.",
)
def test_hooks_run_on_the_calling_thread():
    threads = set()
    note = lambda *_, **__: threads.add(threading.current_thread())  # noqa: E731
    hooks = ("on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_end")
    fit(still_model(), [LambdaCallback(**dict.fromkeys(hooks, note))], validate=True)
    fit(still_model(), LambdaCallback(on_train_batch_end=note))
    assert threads == {threading.current_thread()}


@claim("01", "06", text="Training waits for a callback: the next epoch begins only after every on_epoch_end returned.")
def test_training_waits_for_a_callback():
    order = []

    def slow(epoch, logs):
        order.append(f"in {epoch}")
        time.sleep(0.02)
        order.append(f"out {epoch}")

    slow = LambdaCallback(on_epoch_end=slow, on_epoch_begin=lambda epoch, logs: order.append(f"begin {epoch}"))
    fit(still_model(), [slow], epochs=2)
    assert order == ["begin 0", "in 0", "out 0", "begin 1", "in 1", "out 1"]


@claim(
    "06",
    "08.30",
    text="While fit runs, the event loop of its thread, and so every widget of the kernel, stands still.",
)
def test_the_event_loop_stands_still_during_fit():
    async def cell():
        moved, seen = [], []
        asyncio.get_running_loop().call_soon(lambda: moved.append("slider"))
        fit(still_model(), [LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(len(moved)))], epochs=2)
        before = len(moved)
        await asyncio.sleep(0)
        return seen, before, len(moved)

    assert asyncio.run(cell()) == ([0, 0], 0, 1)


@claim(
    "06",
    "08.30",
    text="A fit in a background thread leaves the event loop free, and callbacks see what was changed.",
)
def test_a_fit_in_a_thread_leaves_the_event_loop_free():
    # The way out of the frozen widgets: the main thread changes patience in the middle of the run.
    changed, stopper = threading.Event(), EarlyStopping(mode="min", patience=1)
    model, started = still_model(), threading.Event()

    def wait_once(epoch, logs):
        if epoch == 0:
            started.set()
            assert changed.wait(20)

    pause = LambdaCallback(on_epoch_begin=wait_once)
    worker = threading.Thread(target=fit, args=(model, [Script([1.0] * 9), pause, stopper], 9))
    worker.start()
    assert started.wait(20)
    stopper.patience = 4
    changed.set()
    worker.join(20)
    assert stopper.stopped_epoch == 4


@claim("01", "06", text="A callback can run on every batch; the index starts again at 0 in each epoch.")
def test_batch_hooks_run_on_every_batch():
    batches = []
    fit(still_model(), [LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))], epochs=2)
    assert batches == [0, 1, 0, 1]


@claim("01", "06", text="With steps_per_execution=2 the batch hooks run once for two batches.")
def test_steps_per_execution_thins_batch_hooks():
    recorder, model = Recorder(), new_model(run_eagerly=False, steps_per_execution=2)
    fit(model, [recorder])
    batches = [(name, index) for name, index, _ in recorder.events if "batch" in name]
    assert batches == [("on_train_batch_begin", 0), ("on_train_batch_end", 1)]


@claim("06", "08.31", text="on_batch_end is an old alias that only the base class's on_train_batch_end calls.")
def test_on_batch_end_is_an_alias():
    calls = []

    class Alias(Callback):
        def on_batch_end(self, batch, logs=None):
            calls.append("alias")

    class Overridden(Alias):
        def on_train_batch_end(self, batch, logs=None):
            calls.append("own")

    fit(still_model(), [Alias(), Overridden()])
    assert calls == ["alias", "own"] * 2


@claim("01", "06", "08.31", text="A misspelt hook is never called, and nothing is said.")
def test_a_misspelt_hook_is_silent(recwarn):
    class Misspelt(Callback):
        def on_epoch_ended(self, epoch, logs=None):
            raise AssertionError("called after all")

    fit(still_model(), [Misspelt()], epochs=2)
    assert list(recwarn) == []


@claim("01", "08.31", text="LambdaCallback takes a misspelt hook name without a word and never calls it.")
def test_lambda_callback_takes_misspelt_names(recwarn):
    callback = LambdaCallback(on_epoch_ends=lambda epoch, logs: 1 / 0)
    fit(still_model(), [callback])
    assert callable(callback.on_epoch_ends)
    assert list(recwarn) == []


@claim("06", "08.31", text="A hook name can be checked: every real hook is an attribute of keras.callbacks.Callback.")
def test_hook_names_can_be_checked():
    hooks = {name for name in dir(Callback) if name.startswith("on_")}
    assert len(hooks) == 16
    assert "on_epoch_end" in hooks
    assert "on_epoch_ended" not in hooks


@claim(
    "01",
    "06",
    "08.32",
    text="A value added to logs is seen by later callbacks and History, not by earlier callbacks.",
)
def test_order_in_the_list_decides_who_sees_a_value():
    seen = {}
    first = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(first=list(logs)))
    last = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(last=list(logs)))
    history = fit(still_model(), [first, Script([1.0], "extra"), last])
    assert seen == {"first": TRAIN, "last": [*TRAIN, "extra"]}
    assert history["extra"] == [1.0]


@claim(
    "01",
    "08.32",
    text="An EarlyStopping before the callback that adds its metric warns and never stops; after it, it stops.",
)
def test_early_stopping_must_come_after_the_metric():
    def epochs(*order):
        adder, stopper = Script([1.0] * 5, "extra"), EarlyStopping("extra", mode="min", patience=1)
        chosen = {"adder": adder, "stopper": stopper}
        return len(fit(still_model(), [chosen[name] for name in order], epochs=5)["loss"])

    with pytest.warns(UserWarning, match="conditioned on metric `extra` which is not available"):
        assert epochs("stopper", "adder") == 5
    assert epochs("adder", "stopper") == 2


@claim("06", text="What a callback takes out of logs is gone for later callbacks and History too.")
def test_taking_a_value_out_of_logs_takes_it_from_all():
    history = fit(still_model(), [LambdaCallback(on_epoch_end=lambda epoch, logs: logs.pop("mae"))])
    assert list(history) == ["loss"]


@claim("01", "06", text="on_train_end gets the last epoch's values, without what callbacks added to logs.")
def test_train_end_logs_lack_additions():
    seen = []
    end = LambdaCallback(on_train_end=lambda logs: seen.append(list(logs)))
    fit(still_model(), [Script([1.0], "extra"), end])
    assert seen == [TRAIN]


@claim("01", "06", text="Keras puts its own History, then the progress bar, after your callbacks.")
def test_keras_adds_history_and_progress_bar_last():
    mine = Callback()
    chain = keras.callbacks.CallbackList([mine], add_history=True, add_progbar=True, verbose=0, epochs=1, steps=1)
    assert [type(one).__name__ for one in chain.callbacks] == ["Callback", "History", "ProgbarLogger"]


@claim(
    "01",
    "08.32",
    text="A History in your list takes the place of fit's own, and misses what callbacks behind it add to logs.",
)
def test_a_history_of_your_own_stands_where_you_put_it():
    for order, seen in (("before", TRAIN), ("behind", [*TRAIN, "extra"])):
        own, adder = History(), Script([1.0], "extra")
        callbacks = [own, adder] if order == "before" else [adder, own]
        returned = still_model().fit(training(), callbacks=callbacks, verbose=0, shuffle=False)
        assert returned is own
        assert list(own.history) == seen


@claim("01", text="fit returns a new History each time, which is also model.history.")
def test_fit_returns_a_new_history():
    model = still_model()
    first = model.fit(training(), epochs=1, verbose=0, shuffle=False)
    second = model.fit(training(), epochs=2, verbose=0, shuffle=False)
    assert model.history is second is not first
    assert (first.epoch, second.epoch) == ([0], [0, 1])
    assert list(second.history) == TRAIN


@claim(
    "01",
    "07",
    "08.17",
    text="A History of your own given to two fits keeps adding its values but starts its epochs anew.",
)
def test_a_reused_history_mixes_runs():
    history, model = History(), still_model()
    fit(model, [history], epochs=2)
    fit(model, [history], epochs=2)
    assert history.epoch == [0, 1]
    assert len(history.history["loss"]) == 4


@claim("01", text="LambdaCallback takes any hook by its name.")
def test_lambda_callback_takes_any_hook():
    calls = []
    fit(still_model(), [LambdaCallback(on_test_end=lambda logs: calls.append(sorted(logs)))], validate=True)
    assert calls == [TRAIN]


@claim("01", text="LambdaCallback calls on_epoch_end with (epoch, logs) and batch hooks with logs by keyword.")
def test_lambda_callback_arguments():
    with pytest.raises(TypeError, match=r"<lambda>\(\) takes 1 positional argument but 2 were given"):
        fit(still_model(), [LambdaCallback(on_epoch_end=lambda logs: None)])
    with pytest.raises(TypeError, match="unexpected keyword argument 'logs'"):
        fit(still_model(), [LambdaCallback(on_train_batch_end=lambda batch, values: None)])


@claim("01", text="CSVLogger writes 0-based epochs and sorted columns, and val_ columns of NA without validation data.")
def test_csv_logger_columns(tmp_path):
    path = tmp_path / "log.csv"
    history = fit(still_model(), [CSVLogger(path)], epochs=2)
    rows = path.read_bytes().decode().split("\r\n")
    assert rows[0] == "epoch,loss,mae,val_loss,val_mae"
    assert rows[2] == f"1,{history['loss'][1]},{history['mae'][1]},NA,NA"
    assert len(rows) == 4
    fit(still_model(), [CSVLogger(path)], epochs=3, validate=True, validation_freq=2)
    rows = path.read_text().split()
    assert [row.endswith(",NA,NA") for row in rows[1:]] == [True, False, True]


@claim(
    "01",
    text="CSVLogger writes the file anew at each fit; with append=True it adds rows, whose epochs begin at 0 again.",
)
def test_csv_logger_append(tmp_path):
    path = tmp_path / "log.csv"
    for append, expected in ((False, ["0"]), (True, ["0", "0"]), (True, ["0", "0", "0"]), (False, ["0"])):
        fit(still_model(), [CSVLogger(path, append=append)])
        header, *rows = path.read_text().split()
        assert header.startswith("epoch,")
        assert [row.split(",")[0] for row in rows] == expected


@claim(
    "01",
    text="CSVLogger's columns are those of the first epoch; a metric that appears later is dropped in silence.",
)
def test_csv_logger_drops_late_columns(tmp_path):
    late = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(late=1.0) if epoch else None)
    fit(still_model(), [late, CSVLogger(tmp_path / "log.csv")], epochs=2)
    assert "late" not in (tmp_path / "log.csv").read_text()


@claim(
    "01",
    "04",
    "06",
    text="stop_training set at a batch's end ends the epoch there; validation and the end hooks still run.",
)
def test_stop_training_in_a_batch():
    recorder, model = Recorder(), still_model()
    stop = LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", True))
    fit(model, [recorder, stop], epochs=3, validate=True)
    assert recorder.names().count("on_train_batch_end") == 1
    assert recorder.names()[-3:] == ["on_test_end", "on_epoch_end", "on_train_end"]


@claim("06", text="stop_training set before any batch still lets one batch train.")
@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
def test_stop_training_before_a_batch(hook):
    model = still_model()
    fit(model, [LambdaCallback(**{hook: lambda *_: setattr(model, "stop_training", True)})], epochs=3)
    assert iterations(model) == 1


@claim("06", text="fit sets stop_training to False when it starts, and leaves it True after an early stop.")
def test_stop_training_is_reset_by_fit():
    model = still_model()
    fit(model, [LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True))], epochs=3)
    assert model.stop_training is True
    assert len(fit(model, epochs=2)["loss"]) == 2
    assert model.stop_training is False


@claim("06", text="fit lowers stop_training just before on_train_begin: set_model and set_params still see it raised.")
def test_set_model_still_sees_the_flag():
    seen, model = {}, still_model()

    class Look(Callback):
        def set_model(self, model):
            super().set_model(model)
            seen["set_model"] = model.stop_training

        def set_params(self, params):
            super().set_params(params)
            seen["set_params"] = model.stop_training

        def on_train_begin(self, logs=None):
            seen["on_train_begin"] = self.model.stop_training

    model.stop_training = True
    fit(model, [Look()], epochs=1)
    assert seen == {"set_model": True, "set_params": True, "on_train_begin": False}


@claim(
    "01",
    "06",
    "07",
    text="An error in a callback leaves fit at once: no later callback is asked, no on_train_end runs.",
)
def test_an_error_in_a_callback_skips_everything():
    calls = []

    def fail(epoch, logs):
        raise RuntimeError("mine")

    before = LambdaCallback(
        on_epoch_end=lambda epoch, logs: calls.append("before"), on_train_end=lambda logs: calls.append("end")
    )
    after = LambdaCallback(on_epoch_end=lambda epoch, logs: calls.append("after"))
    with pytest.raises(RuntimeError, match="mine"):
        fit(still_model(), [before, LambdaCallback(on_epoch_end=fail), after])
    assert calls == ["before"]


@claim("01", "08.26", text="With TensorFlow callbacks= takes a list, a tuple, one callback, nested lists and a dict.")
@pytest.mark.parametrize("wrap", [lambda c: [c], lambda c: (c,), lambda c: c, lambda c: [[c]], lambda c: {"a": c}])
def test_callbacks_may_be_given_in_many_ways(wrap):
    calls = []
    callback = LambdaCallback(on_train_begin=lambda logs: calls.append(1))
    still_model().fit(training(), verbose=0, shuffle=False, callbacks=wrap(callback))
    assert calls == [1]


@claim(
    "01",
    "08.26",
    text="A set, a class or a string as callbacks fails with an error that names none of them as the mistake.",
)
@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({Callback()}, AttributeError, "'set' object has no attribute 'set_model'"),
        ([EarlyStopping], TypeError, r"Callback.set_model\(\) missing 1 required positional argument: 'model'"),
        (EarlyStopping, TypeError, r"Callback.set_model\(\) missing 1 required positional argument: 'model'"),
        (["EarlyStopping"], AttributeError, "'str' object has no attribute 'set_model'"),
    ],
)
def test_callbacks_given_wrongly(given, error, words):
    with pytest.raises(error, match=words):
        fit(still_model(), given)


@claim("06", "08.24", text="self.model has no setter: keep another model under another name.")
def test_self_model_has_no_setter():
    class Mine(Callback):
        def __init__(self, model):
            super().__init__()
            self.model = model

    with pytest.raises(AttributeError, match=r"property 'model' of .*Mine' object has no setter"):
        Mine(still_model())


@claim("06", "08.24", text="Without set_model a callback's model is None; set_model sets it.")
def test_set_model_sets_the_model():
    callback, model = Callback(), still_model()
    assert callback.model is None
    callback.set_model(model)
    assert callback.model is model


@claim("06", "08.22", text="self.validation_data is gone: give the data to the callback's own __init__.")
def test_validation_data_is_gone():
    class Mine(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.validation_data  # noqa: B018

    with pytest.raises(AttributeError, match="'Mine' object has no attribute 'validation_data'"):
        fit(still_model(), [Mine()], validate=True)

    class Fixed(Callback):
        def __init__(self, data):
            super().__init__()
            self.data = data

        def on_epoch_end(self, epoch, logs=None):
            logs["own"] = self.model.evaluate(self.data, verbose=0)[0]

    history = fit(new_model(), [Fixed(validation())], validate=True)
    assert history["own"] == history["val_loss"]


@claim("08.22", "08.24", text="evaluate gives a number, or a list if there are metrics; return_dict=True gives names.")
def test_evaluate_gives_a_number_a_list_or_names():
    assert isinstance(new_model(metrics=()).evaluate(validation(), verbose=0), float)
    loss, mae = new_model().evaluate(validation(), verbose=0)
    assert new_model().evaluate(validation(), verbose=0, return_dict=True) == {"loss": loss, "mae": mae}
    assert new_model(metrics=()).evaluate(validation(), verbose=0, return_dict=True) == {"loss": loss}


@claim("06", "08.23", text="optimizer.lr is gone; assigning to it raises nothing and changes nothing.")
def test_optimizer_lr_is_gone():
    model = new_model(keras.optimizers.SGD(0.5))
    with pytest.raises(AttributeError, match="'SGD' object has no attribute 'lr'"):
        model.optimizer.lr  # noqa: B018
    model.optimizer.lr = 0.25
    assert rate(model) == 0.5


@claim(
    "06",
    "08.23",
    text="keras.backend.set_value is gone; assign optimizer.learning_rate, and the next batch uses it.",
)
def test_learning_rate_is_assigned():
    assert not hasattr(keras.backend, "set_value")
    model = new_model(keras.optimizers.SGD(0.5))
    before = model.get_weights()
    fit(model, [LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(model.optimizer, "learning_rate", 0.0))])
    assert rate(model) == 0.0
    assert np.array_equal(before[0], model.get_weights()[0])


@claim("08.23", text="The rate of an optimizer that was made with a schedule cannot be assigned: TypeError.")
def test_the_rate_of_a_schedule_cannot_be_assigned():
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))
    with pytest.raises(TypeError, match="This optimizer was created with a `LearningRateSchedule` object"):
        optimizer.learning_rate = 0.01


@claim("06", text="fit does not notice a forgotten super().__init__(); only use before a fit fails.")
def test_forgotten_super_init():
    class Mine(Callback):
        def __init__(self):
            self.seen = None

        def on_epoch_end(self, epoch, logs=None):
            self.seen = self.model

    with pytest.raises(AttributeError, match="has no attribute '_model'"):
        Mine().model  # noqa: B018
    callback, model = Mine(), still_model()
    fit(model, [callback])
    assert callback.seen is model


@claim("06", text="Callbacks have no get_config: nothing about them is written into a saved model.")
def test_callbacks_have_no_config(tmp_path):
    assert not hasattr(Callback, "get_config")
    model = still_model()
    fit(model, [EarlyStopping("loss", patience=7)])
    model.save(tmp_path / "a.keras")
    assert "EarlyStopping" not in keras.saving.load_model(tmp_path / "a.keras").to_json()


@claim("06", text="CallbackList calls the callbacks of a training loop of your own.")
def test_callback_list_serves_an_own_loop():
    recorder, model = Recorder(), still_model()
    chain = keras.callbacks.CallbackList([recorder], model=model, epochs=1)
    chain.on_train_begin()
    chain.on_epoch_begin(0)
    chain.on_epoch_end(0, {"loss": np.float32(0.5)})
    chain.on_train_end()
    assert recorder.names() == ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"]
    assert recorder.model is model


@claim(
    "06",
    text="TerminateOnNaN looks at the training loss after each batch and stops on NaN or infinity, weights spoilt.",
)
@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_terminate_on_nan(spoilt, capsys):
    model = new_model()
    spoil = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: (
            epoch == 1 and model.set_weights([np.full((3, 1), spoilt), np.zeros(1, "float32")])
        )
    )
    history = fit(model, [spoil, TerminateOnNaN()], epochs=4, validate=True)
    assert len(history["loss"]) == 2
    assert not np.isfinite(model.get_weights()[0]).any()
    assert "Batch 0: Invalid loss, terminating training" in capsys.readouterr().out


@claim("06", text="TerminateOnNaN with EarlyStopping(restore_best_weights=True) leaves the last good weights.")
def test_terminate_on_nan_with_restored_weights():
    model, good = new_model(), []
    spoil = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: (
            epoch == 2
            and (good.append(model.get_weights()), model.set_weights([np.full((3, 1), np.nan), np.zeros(1, "float32")]))
        )
    )
    stopper = EarlyStopping(patience=9, restore_best_weights=True)
    fit(model, [spoil, TerminateOnNaN(), stopper], epochs=4, validate=True)
    assert np.array_equal(model.get_weights()[0], good[0][0])


@claim(
    "01",
    text="fit on a tf.data set with the default shuffle=True warns; shuffle=False is quiet.",
    before="Up to Keras 3.14 it does not warn.",
)
@pytest.mark.parametrize("shuffle", [True, False])
def test_shuffle_warning_on_datasets(recwarn, shuffle):
    still_model().fit(training(), verbose=0, shuffle=shuffle)
    warned = any("`shuffle=True` was passed, but will be ignored" in str(one.message) for one in recwarn)
    assert warned == (shuffle and KERAS >= (3, 15))
