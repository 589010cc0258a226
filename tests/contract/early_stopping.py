"""EarlyStopping: when it stops, which weights are held, what it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras.callbacks import EarlyStopping, LambdaCallback

from .claims import claim
from .means import (
    INFINITY,
    KERAS,
    NAN,
    Script,
    arrays,
    drive,
    fit,
    iterations,
    new_model,
    said,
    same_weights,
    still_model,
    stopping,
    training,
)

MISSING = "Early stopping conditioned on metric `val_loss` which is not available. Available metrics are: loss,mae"
UNKNOWN = (
    "EarlyStopping callback received monitor=val_acc, but Keras isn't able to automatically determine whether that "
    "metric should be maximized or minimized. Pass `mode='max'` in order to monitor based on the highest metric value, "
    "or pass `mode='min'` in order to use the lowest value."
)


@claim("02", "08.1", text="By default: monitor val_loss, patience 0, min_delta 0, mode auto, the last weights kept.")
def test_early_stopping_defaults():
    expected = {
        "monitor": "val_loss",
        "min_delta": 0,
        "patience": 0,
        "verbose": 0,
        "mode": "auto",
        "baseline": None,
        "restore_best_weights": False,
        "start_from_epoch": 0,
    }
    assert {name: getattr(EarlyStopping(), name) for name in expected} == expected


@claim(
    "02",
    "07",
    "08.12",
    text="It stops patience epochs after the best epoch, not at the best; later values are unseen.",
)
def test_it_stops_patience_epochs_after_the_best():
    stopper, run = stopping([0.5, 0.4, 0.3, 0.35, 0.36, 0.37, 0.2], patience=3)
    assert (stopper.best_epoch, stopper.stopped_epoch, run.epochs) == (2, 5, 6)


@claim("02", "05", "07", text="Too little patience stops at a dip and never sees the better values behind it.")
def test_too_little_patience_stops_at_a_dip():
    values = [1.0, 0.8, 0.9, 0.85, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert stopping(values, patience=2)[0].best_epoch == 1
    assert stopping(values, patience=3)[0].best_epoch == 4


@claim("02", "08.12", text="patience 0 and patience 1 are the same: both stop at the first epoch without improvement.")
@pytest.mark.parametrize("patience", [0, 1])
def test_patience_0_and_1_are_the_same(patience):
    stopper, run = stopping([1.0, 0.9, 0.95, 0.8], patience=patience)
    assert (stopper.stopped_epoch, run.epochs) == (2, 3)
    assert stopping([1.0, 2.0, 3.0], patience=patience)[1].epochs == 2
    assert stopping([1.0, 0.9, 0.8], patience=patience)[1].epochs == 3


@claim("02", "08.12", text="A negative patience is taken without a word and behaves as 0.")
def test_negative_patience_is_zero():
    assert stopping([1.0, 0.9, 0.95, 0.8], patience=-1)[1].epochs == 3


@claim("02", "06", text="wait counts the epochs since the best one, and is 0 again after an improvement.")
def test_wait_counts_epochs_since_the_best():
    stopper, waits = EarlyStopping(mode="min", patience=9), []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: waits.append(stopper.wait))
    drive([stopper, note], [3.0, 2.0, 2.5, 2.2, 1.0, 1.1])
    assert waits == [0, 0, 1, 2, 0, 1]


@claim(
    "05",
    text="wait does not depend on patience before the stop, so one run with endless patience answers for each.",
)
def test_wait_does_not_depend_on_patience():
    values = [0.9, 0.7, 0.8, 0.75, 0.6, 0.65, 0.64, 0.63, 0.5, 0.6]
    waits = []
    endless = EarlyStopping(mode="min", patience=99)
    drive([endless, LambdaCallback(on_epoch_end=lambda epoch, logs: waits.append(endless.wait))], values)
    for patience in range(1, 6):
        expected = next((epoch + 1 for epoch, wait in enumerate(waits) if wait >= patience), len(values))
        assert stopping(values, patience=patience)[1].epochs == expected


@claim("02", "05", text="A tie is no improvement.")
def test_a_tie_is_no_improvement():
    assert stopping([1.0, 1.0, 1.0, 1.0], patience=2)[1].epochs == 3
    assert stopping([1.0, 1.0, 1.0, 1.0], patience=2, mode="max")[1].epochs == 3


@claim(
    "02",
    "04",
    "08.1",
    text="Afterwards the model holds the last weights; with restore_best_weights those of the best.",
)
@pytest.mark.parametrize(("restore", "held"), [(False, 4), (True, 2)])
def test_which_weights_the_model_holds(restore, held):
    model, weights = still_model(), []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    fit(model, [note, Script([3, 2, 1, 4, 5, 6]), EarlyStopping(patience=2, restore_best_weights=restore)], epochs=6)
    assert [same_weights(model.get_weights(), one) for one in weights] == [epoch == held for epoch in range(5)]


@claim(
    "02",
    "07",
    "08.11",
    text="restore_best_weights needs no early stop: the best comes back when the epochs run out too.",
)
def test_best_weights_return_when_the_epochs_run_out():
    stopper, run = stopping([1.0, 0.5, 0.6, 0.7], patience=10, restore_best_weights=True)
    assert (run.epochs, run.kept, stopper.stopped_epoch) == (4, 1, 0)
    assert stopping([1.0, 0.5, 0.6, 0.7], patience=10)[1].kept == 3


@claim(
    "02",
    "08.11",
    text="After an error or the stop button nothing is restored; the best weights wait in best_weights.",
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_restores_nothing(error):
    def fail(epoch, logs):
        if epoch == 2:
            raise error

    model, weights = still_model(), []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    stopper = EarlyStopping(patience=9, restore_best_weights=True)
    with pytest.raises(error):
        fit(model, [note, Script([1.0, 0.5, 0.6, 0.7]), stopper, LambdaCallback(on_epoch_end=fail)], epochs=4)
    assert same_weights(model.get_weights(), weights[2])
    assert same_weights(stopper.best_weights, weights[1])


@claim("02", "04", "06", text="Only weights are restored: the optimizer stays where training ended.")
def test_the_optimizer_is_not_restored():
    model = new_model("adam")
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    fit(model, [Script([3, 2, 1, 4, 5, 6]), stopper], epochs=6)
    assert stopper.best_epoch == 2
    assert iterations(model) == 10


@claim(
    "07",
    "08.19",
    text="fit returns the history, not a model, and the model it trained is the last one unless restored.",
)
def test_fit_does_not_return_the_best_model():
    model, weights = still_model(), []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    history = model.fit(
        training(), epochs=3, verbose=0, shuffle=False, callbacks=[note, Script([1, 2, 3]), EarlyStopping(patience=9)]
    )
    assert isinstance(history, keras.callbacks.History)
    assert same_weights(model.get_weights(), weights[2])


@claim(
    "02",
    "06",
    text="stopped_epoch is 0-based, 0 when it never stopped; the message is 1-based and comes at the end.",
)
def test_stopped_epoch_and_the_message(capsys):
    stopper, _ = stopping([3.0, 2.0, 1.0, 4.0, 5.0], patience=1, verbose=1, restore_best_weights=True)
    assert (stopper.stopped_epoch, stopper.best_epoch) == (3, 2)
    said_at_end = "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 3.\n"
    assert capsys.readouterr().out == said_at_end
    stopper, _ = stopping([3.0, 2.0, 4.0], patience=9, verbose=1, restore_best_weights=True)
    assert stopper.stopped_epoch == 0
    assert capsys.readouterr().out == "Restoring model weights from the end of the best epoch: 2.\n"


@claim(
    "02",
    "07",
    "08.3",
    text="Without validation data there is no val_loss: it warns, never stops and restores nothing.",
)
def test_no_validation_data():
    model, weights = still_model(), []
    stopper = EarlyStopping(patience=1, restore_best_weights=True)
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    with said() as warned:
        history = fit(model, [note, stopper], epochs=4)
    assert warned == [MISSING] * 4
    assert len(history["loss"]) == 4
    assert stopper.best is None
    assert same_weights(model.get_weights(), weights[-1])


@claim(
    "08.3",
    text="Without validation data val_accuracy gets the same warning: its direction is known, its value is missing.",
)
def test_a_known_metric_without_validation_data():
    stopper = EarlyStopping("val_accuracy", patience=1, restore_best_weights=True)
    with said() as warned:
        history = fit(new_model(metrics=["accuracy"]), [stopper], epochs=3)
    assert warned == [
        "Early stopping conditioned on metric `val_accuracy` which is not available. "
        "Available metrics are: accuracy,loss"
    ] * 3  # fmt: skip
    assert (len(history["loss"]), stopper.best, stopper.best_weights) == (3, None, None)


@claim(
    "02",
    "07",
    "08.3",
    "08.29",
    text="Monitoring loss needs no validation data, and seldom stops: training loss goes on falling.",
)
def test_monitoring_loss_needs_no_validation_data():
    with said() as warned:
        history = fit(new_model(), [EarlyStopping("loss", patience=1)], epochs=8)
    assert warned == []
    assert len(history["loss"]) == 8
    assert drive(EarlyStopping("loss", mode="min"), [1.0, 1.1], monitor="loss").epochs == 2


@claim("07", "08.29", text="When a model overfits, loss goes on falling while val_loss rises: only val_loss stops it.")
def test_loss_or_val_loss():
    keras.utils.set_random_seed(1)
    x, noise = arrays()[0], np.random.default_rng(1).normal(size=(8, 1))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.03), "mse", run_eagerly=True)
    values = model.fit(x[:4], noise[:4], validation_data=(x[4:], noise[4:]), epochs=12, verbose=0).history
    assert values["loss"] == sorted(values["loss"], reverse=True)
    assert drive(EarlyStopping("loss", mode="min", patience=4), values["loss"], monitor="loss").epochs == 12
    stopper, run = stopping(values["val_loss"], patience=4)
    assert run.epochs < 12
    assert stopper.best < values["val_loss"][-1]


@claim(
    "02",
    "05",
    "08.2",
    text="A wrong monitor name with mode auto is an error about min or max at the end of the first epoch.",
)
def test_wrong_name_with_mode_auto():
    begun = []
    note = LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
    with pytest.raises(ValueError, match="received monitor=val_acc") as error:
        fit(still_model(), [note, EarlyStopping("val_acc")], epochs=3, validate=True)
    assert str(error.value) == UNKNOWN
    assert begun == [0]


@claim(
    "02",
    "08.2",
    text="A wrong monitor name with an explicit mode only warns, naming the metrics there are, and never stops.",
)
def test_wrong_name_with_explicit_mode():
    with said() as warned:
        history = fit(still_model(), [EarlyStopping("val_acc", mode="max")], epochs=3, validate=True)
    assert len(history["loss"]) == 3
    assert warned == [
        "Early stopping conditioned on metric `val_acc` which is not available. "
        "Available metrics are: loss,mae,val_loss,val_mae"
    ] * 3  # fmt: skip


@claim(
    "02",
    "08.2",
    text="The name in logs is the one you compiled with: metrics=['acc'] gives val_acc, ['accuracy'] val_accuracy.",
)
@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_the_metric_is_named_as_compiled(name):
    history = fit(new_model(metrics=[name]), [EarlyStopping(f"val_{name}")], validate=True)
    assert sorted(history) == [name, "loss", f"val_{name}", "val_loss"]


@claim("05", text="An unknown mode warns and falls back to auto.")
def test_an_unknown_mode_falls_back_to_auto():
    with pytest.warns(UserWarning, match="EarlyStopping mode 'maximise' is unknown, fallback to auto mode."):
        assert EarlyStopping(mode="maximise").mode == "auto"


@claim(
    "02", "06", "07", "08.17",
    text="EarlyStopping may be reused in a second fit: everything is reset when training begins.",
    before=(
        "In Keras 3.11 to 3.14, as in 3.0 to 3.6, the first fit's best value stays: a second, worse fit stops after "
        "patience epochs."
    ),
)  # fmt: skip
def test_reused_early_stopping():
    stopper = EarlyStopping(mode="min", patience=2, restore_best_weights=True)
    drive(stopper, [0.1, 0.2, 0.3, 0.4])
    run = drive(stopper, [5.0, 4.0, 3.0, 2.0])
    if KERAS >= (3, 15):
        assert (run.epochs, run.kept, stopper.best, stopper.stopped_epoch) == (4, 3, 2.0, 0)
    else:
        assert (run.epochs, run.kept, stopper.best, stopper.stopped_epoch) == (2, 0, 0.1, 1)


@claim("02", "06", "08.28", text="NaN in the first epoch becomes the best, and nothing is better than NaN.")
def test_nan_first_is_never_beaten():
    stopper, run = stopping([NAN, 1.0, 0.5, 0.2], patience=2, restore_best_weights=True)
    assert (run.epochs, run.kept, stopper.best_epoch) == (3, 0, 0)
    assert np.isnan(stopper.best)


@claim("06", "08.28", text="NaN later on is no improvement; infinity first is beaten by any finite value.")
def test_nan_and_infinity_later():
    assert stopping([1.0, NAN, 0.5, 0.2], patience=2)[0].best_epoch == 3
    assert stopping([1.0, NAN, NAN, 0.2], patience=2)[1].epochs == 3
    assert stopping([INFINITY, 1.0, 0.5], patience=2)[0].best_epoch == 2
    assert stopping([INFINITY, INFINITY, INFINITY, 1.0], patience=2)[1].epochs == 3


@claim("08.28", text="start_from_epoch passes over a NaN of the first epochs.")
def test_start_from_epoch_passes_over_nan():
    stopper, _ = stopping([NAN, 1.0, 0.5, 0.2], patience=2, start_from_epoch=1)
    assert stopper.best == 0.2


@claim("06", "08.9", text="An epoch without the monitored value neither counts towards patience nor resets it.")
def test_a_missing_value_is_passed_over():
    with said() as warned:
        stopper, run = stopping([1.0, None, None, 1.1, None, 1.2, 0.5], patience=2)
    assert (run.epochs, stopper.stopped_epoch) == (6, 5)
    assert len(warned) == 3


@claim(
    "02",
    "05",
    "06",
    text=(
        "Weights that start at zero grow with each step of gradient descent here: stopping earlier keeps them smaller."
    ),
)
def test_weights_grow_with_training():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.05), "mse", run_eagerly=True)
    norms = []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: norms.append(np.linalg.norm(model.get_weights()[0])))
    model.fit(*arrays(), batch_size=8, shuffle=False, epochs=6, verbose=0, callbacks=[note])
    assert norms == sorted(set(norms))


@claim("05", "06", text="patience is read at each epoch's end: changing it during training is obeyed at once.")
def test_patience_may_be_changed_during_training():
    stopper = EarlyStopping(mode="min", patience=1)
    change = LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(stopper, "patience", 4))
    assert drive([change, stopper], [1.0] * 9).epochs == 5


@claim(
    "05",
    "06",
    text="start_from_epoch=n looks at nothing before epoch n, 0-based: neither best nor wait begin earlier.",
)
def test_start_from_epoch():
    stopper, run = stopping([5, 1, 3, 9, 9, 9, 9], patience=2, start_from_epoch=3, restore_best_weights=True)
    assert (run.epochs, stopper.best_epoch, run.kept) == (6, 3, 3)
    stopper, run = stopping([5, 4], start_from_epoch=3, restore_best_weights=True)
    assert (run.epochs, run.kept, stopper.best) == (2, 1, None)


@claim("05", "06", text="start_from_epoch is compared with the true number of an epoch, also in a resumed fit.")
def test_start_from_epoch_of_a_resumed_fit():
    for start, ran in ((3, [5, 6, 7]), (7, [5, 6, 7, 8, 9])):
        stopper = EarlyStopping("loss", mode="max", patience=2, start_from_epoch=start)
        settings = {"epochs": 11, "initial_epoch": 5, "verbose": 0, "shuffle": False}
        assert still_model().fit(training(), callbacks=[stopper], **settings).epoch == ran


@claim("05", "06", text="initial_epoch numbers the epochs on: stopped_epoch and best_epoch are absolute.")
def test_initial_epoch_shifts_the_numbers():
    stopper = EarlyStopping("loss", mode="max", patience=2)
    model = still_model()
    history = model.fit(training(), epochs=9, initial_epoch=4, verbose=0, shuffle=False, callbacks=[stopper])
    assert history.epoch == [4, 5, 6]
    assert (stopper.best_epoch, stopper.stopped_epoch) == (4, 6)
