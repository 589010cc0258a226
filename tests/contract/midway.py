"""What a callback can change, or spoil, in the middle of a training."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras.callbacks import Callback, CallbackList, CSVLogger, EarlyStopping, LambdaCallback

from .claims import claim
from .means import arrays, fit, new_model, still_model, validation


@claim(
    "08.37",
    text="A layer that a callback makes trainable learns in no later epoch of that fit; after a compile and in another "
    "fit it does.",
)
def test_unfreezing_in_a_callback_does_nothing_until_compile():
    base = keras.layers.Dense(2, trainable=False)
    model = keras.Sequential([keras.Input((3,)), base, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = base.get_weights()[0]

    def unfreeze(epoch, logs):
        base.trainable = epoch > 0

    fit(model, [LambdaCallback(on_epoch_begin=unfreeze)], epochs=3)
    assert np.array_equal(base.get_weights()[0], before)
    model.compile("sgd", "mse")
    fit(model)
    assert not np.array_equal(base.get_weights()[0], before)


@claim(
    "08.38",
    text="A Python number in the loss stays what it was when the graph was made; a keras.Variable is read anew.",
)
def test_a_number_in_the_loss_is_fixed_and_a_variable_is_not():
    for variable, wanted in ((False, [0.0, 0.0, 0.0]), (True, [0.0, 1.0, 2.0])):
        beta = {"now": keras.Variable(0.0, trainable=False) if variable else 0.0}

        def change(epoch, logs, beta=beta, variable=variable):
            if variable:
                beta["now"].assign(float(epoch))
            else:
                beta["now"] = float(epoch)

        def loss(true, predicted, beta=beta):
            return beta["now"] * (1 + 0 * keras.ops.mean(predicted))

        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", loss)
        assert fit(model, [LambdaCallback(on_epoch_begin=change)], epochs=3)["loss"] == pytest.approx(wanted)


@claim(
    "08.45",
    text="evaluate in a training batch's hook spoils the epoch's training metrics; in on_epoch_end, and predict "
    "anywhere, it does not.",
)
def test_evaluate_in_a_batch_hook_spoils_the_training_metrics():
    def mae(hook):
        model = new_model()
        todo = {
            "evaluate": lambda *_, **__: model.evaluate(validation(), verbose=0),
            "predict": lambda *_, **__: model.predict(arrays()[0], verbose=0),
        }
        calls = {} if hook is None else {hook[0]: todo[hook[1]]}
        return fit(model, [LambdaCallback(**calls)])["mae"]

    plain = mae(None)
    assert mae(("on_train_batch_end", "evaluate")) != pytest.approx(plain)
    assert mae(("on_epoch_end", "evaluate")) == pytest.approx(plain)
    assert mae(("on_train_batch_end", "predict")) == pytest.approx(plain)


@claim(
    "08.54",
    text="params holds no metrics, the history calls the rate learning_rate, and a hook gets logs besides its epoch.",
)
def test_what_old_callbacks_expect_is_gone():
    class Old(Callback):
        def on_epoch_end(self, epoch):
            pass

    seen = LambdaCallback()
    history = fit(still_model(), [seen, keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)])
    assert "metrics" not in seen.params
    assert {"learning_rate", "lr"} & set(history) == {"learning_rate"}
    with pytest.raises(TypeError, match=r"on_epoch_end\(\) takes 2 positional arguments but 3 were given"):
        fit(still_model(), [Old()])


@claim(
    "08.56",
    text="CSVLogger(append=True) writes values under the names that the file begins with, whatever they are; without "
    "append it erases the file; it makes no folder.",
)
def test_csv_logger_appends_without_a_look_at_the_names(tmp_path):
    file = tmp_path / "log.csv"
    fit(new_model(), [CSVLogger(file)])
    without = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    without.compile("sgd", "mse", run_eagerly=True)
    fit(without, [CSVLogger(file, append=True)])
    names, first, second = (line.split(",") for line in file.read_text().split())
    assert names == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert (len(first), second[2]) == (5, "NA")  # the second run's val_loss stands under mae
    fit(without, [CSVLogger(file)])
    assert file.read_text().startswith("epoch,loss,val_loss\n")
    with pytest.raises(FileNotFoundError):
        fit(without, [CSVLogger(tmp_path / "none" / "log.csv")])


@claim(
    "08.57",
    text="EarlyStopping whose hooks a loop calls itself fails when it wants to stop, having no model; CallbackList "
    "with `model` gives it one.",
)
def test_early_stopping_alone_knows_no_model():
    model, alone = still_model(), EarlyStopping("loss", patience=2)
    alone.on_train_begin()
    alone.on_epoch_end(0, {"loss": 1.0})
    alone.on_epoch_end(1, {"loss": 1.0})
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'stop_training'"):
        alone.on_epoch_end(2, {"loss": 1.0})
    callbacks = CallbackList([EarlyStopping("loss", patience=2)], model=model)
    model.stop_training = False
    callbacks.on_train_begin()
    ended = []
    for epoch in range(9):
        callbacks.on_epoch_begin(epoch)
        callbacks.on_epoch_end(epoch, {"loss": 1.0})
        ended.append(epoch)
        if model.stop_training:
            break
    assert ended == [0, 1, 2]
