"""The numbers: min_delta, mode, baseline, float32, ReduceLROnPlateau, validation_freq."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
from keras.callbacks import (
    Callback,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)

from .claims import claim
from .means import (
    KERAS,
    FakeModel,
    Saves,
    Script,
    arrays,
    drive,
    fit,
    new_model,
    rate,
    said,
    still_model,
    stopping,
    training,
)


@claim("05", "07", "08.15", text="With min_delta the kept best need not be the minimum.")
def test_min_delta_best_is_not_the_minimum():
    stopper, run = stopping([1.0, 0.95, 0.91, 0.905], patience=9, min_delta=0.1, restore_best_weights=True)
    assert (stopper.best_epoch, stopper.best, run.kept) == (0, 1.0, 0)


@claim("04", "05", text="An improvement of exactly min_delta does not count: it must be more than min_delta.")
def test_a_gain_of_min_delta_is_too_small():
    # Values that float32 holds exactly, so that no rounding decides.
    stopper, _ = stopping([1.0, 0.5, 0.375], patience=9, min_delta=0.5)
    assert (stopper.best_epoch, stopper.best) == (2, 0.375)
    stopper, _ = stopping([1.0, 0.5, 0.5], patience=9, min_delta=0.5)
    assert (stopper.best_epoch, stopper.wait) == (0, 2)


@claim("05", "08.15", text="min_delta is measured from the best so far, not from the epoch before: small gains add up.")
def test_min_delta_is_measured_from_the_best():
    stopper, _ = stopping([1.0, 0.95, 0.88, 0.82, 0.75], patience=9, min_delta=0.1)
    assert (stopper.best_epoch, stopper.best) == (4, 0.75)


@claim(
    "05",
    "06",
    text="min_delta loses its sign when given, and turns negative for mode min only when training has begun.",
)
def test_the_sign_of_min_delta():
    for given in (0.001, -0.001):
        stopper = EarlyStopping(mode="min", min_delta=given)
        assert stopper.min_delta == 0.001
        for _ in range(2):
            drive(stopper, [1.0, 0.9])
            assert stopper.min_delta == -0.001
    rising = EarlyStopping(mode="max", min_delta=0.001)
    drive(rising, [1.0, 1.1])
    assert rising.min_delta == 0.001


@claim(
    "05",
    "06",
    "08.34",
    text="Keras compares Python floats in float32: two losses 1e-10 apart are a tie, and 0.3 - 0.1 is not below 0.2.",
)
def test_comparisons_are_in_float32():
    assert 0.2 - 1e-10 < 0.2
    falls = {1e-10: 0, 1e-8: 1, 1e-6: 1}
    assert {fall: stopping([0.2, 0.2 - fall], patience=9)[0].best_epoch for fall in falls} == falls
    assert 0.3 - 0.1 < 0.2
    assert stopping([0.2, 0.3 - 0.1], patience=9)[0].best_epoch == 0
    assert drive(Saves("a.keras", mode="min", save_best_only=True), [0.2, 0.3 - 0.1]).saved == (0,)


@claim(
    "05",
    "06",
    "08.34",
    text="A NumPy double that a callback puts into logs is compared as a double; what fit itself logs is a Python "
    "float that was a float32 already.",
)
def test_a_numpy_double_is_compared_as_a_double():
    values = [np.float64(0.2), np.float64(0.2 - 1e-10)]
    assert stopping(values, patience=9)[0].best_epoch == 1
    assert drive(Saves("a.keras", mode="min", save_best_only=True), values).saved == (0, 1)
    loss = still_model().fit(training(), epochs=1, verbose=0).history["loss"][0]
    assert type(loss) is float
    assert loss == float(np.float32(loss))


@claim(
    "05",
    "06",
    "08.34",
    text="With min_delta=0.1 a fall from 0.8 to 0.7 is an improvement in Python and none in Keras.",
)
def test_min_delta_is_compared_in_float32():
    assert 0.7 + 0.1 < 0.8
    assert stopping([0.8, 0.7], patience=9, min_delta=0.1)[0].best_epoch == 0
    assert stopping([0.8, 0.69], patience=9, min_delta=0.1)[0].best_epoch == 1


@claim(
    "06",
    "08.34",
    text="A NumPy double in logs is compared as a double: 0.7 after 0.8 then is an improvement by more than 0.1.",
)
def test_numpy_doubles_are_compared_as_doubles():
    for kind, improved in ((float, 0), (np.float32, 0), (np.float64, 1)):
        stopper = EarlyStopping(patience=9, min_delta=0.1)
        fit(still_model(), [Script([kind(0.8), kind(0.7)]), stopper], epochs=2)
        assert stopper.best_epoch == improved, kind


@claim(
    "06",
    text="What Keras logs is float32 already, so two such losses compare as in Python; min_delta and baseline differ.",
)
def test_what_keras_logs_is_float32_already():
    logged = []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: logged.extend(logs.values()))
    fit(new_model(), [note], epochs=3, validate=True)
    assert len(logged) >= 12
    assert all(float(np.float32(value)) == value for value in logged)
    rng = np.random.default_rng(0)
    near = np.float32(0.5) + np.spacing(np.float32(0.5)) * rng.integers(-2, 3, size=(50, 2)).astype("float32")
    for one, other in near.tolist():
        assert bool(keras.ops.less(one, other)) == (one < other)
    before, now = float(np.float32(0.8)), float(np.float32(0.7))
    assert now + 0.1 < before
    assert stopping([before, now], patience=9, min_delta=0.1)[0].best_epoch == 0
    assert now < 0.7
    assert stopping([now, 1.0], patience=1, baseline=0.7)[0].wait == 2, "the baseline 0.7 is not beaten"


@claim(
    "05",
    "08.10",
    text="mode auto knows loss and val_loss, losses given as metrics, accuracies, AUC, Precision, Recall and F1.",
)
def test_mode_auto_knows_many_metrics():
    known = {"loss": "less", "mae": "less", "mse": "less", "accuracy": "greater"}
    classes = ("AUC", "Precision", "Recall", "F1Score", "CosineSimilarity")
    made = [getattr(keras.metrics, name)(name=f"my_{name}") for name in classes]
    known |= {metric.name: "greater" for metric in made}
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "mse", metrics=["mae", "mse", "accuracy", *made], run_eagerly=True)
    stoppers = {name: EarlyStopping(f"val_{name}") for name in known}
    x, y = arrays()
    labels = (y > 3).astype("float32")
    model.fit(x, labels, batch_size=8, validation_split=0.5, verbose=0, callbacks=list(stoppers.values()))
    assert {name: stopper.monitor_op.__name__ for name, stopper in stoppers.items()} == known


@claim(
    "02",
    "05",
    "08.10",
    text="mode auto knows only loss by its name: any other direction comes from the compiled metric of that name.",
)
def test_the_compiled_metric_says_its_direction():
    compiled = [keras.metrics.BinaryAccuracy(name="spread"), keras.metrics.MeanSquaredError(name="accuracy")]
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "mse", metrics=compiled, run_eagerly=True)
    stoppers = {name: EarlyStopping(f"val_{name}") for name in ("loss", "spread", "accuracy")}
    fit(model, list(stoppers.values()), validate=True)
    directions = {name: stopper.monitor_op.__name__ for name, stopper in stoppers.items()}
    assert directions == {"loss": "less", "spread": "greater", "accuracy": "less"}
    # Nothing was compiled under this name: it is in logs, and the name alone does not say.
    with pytest.raises(ValueError, match="received monitor=val_accuracy, but Keras isn't able"):
        fit(new_model(), [Script([0.5], "val_accuracy"), EarlyStopping("val_accuracy")])


def distance(true, predicted):
    return keras.ops.mean(keras.ops.abs(true - predicted))


class Twice(keras.metrics.Mean):
    def update_state(self, true, predicted, sample_weight=None):
        return super().update_state(2 * distance(true, predicted))


@claim(
    "05",
    "08.10",
    text="mode auto refuses function metrics, custom metrics and counts such as FalseNegatives; say the mode.",
)
@pytest.mark.parametrize(
    "made", [distance, lambda: Twice(name="own"), lambda: keras.metrics.FalseNegatives(name="own")]
)
def test_mode_auto_refuses(made):
    metric, name = (made, "distance") if made is distance else (made(), "own")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "mse", metrics=[metric], run_eagerly=True)
    with pytest.raises(ValueError, match=f"monitor=val_{name}, but Keras isn't able to automatically determine"):
        fit(model, [EarlyStopping(f"val_{name}")], validate=True)
    assert f"val_{name}" in fit(model, [EarlyStopping(f"val_{name}", mode="min")], validate=True)


@claim(
    "05",
    "08.10",
    "08.21",
    text="With several outputs mode auto refuses val_a_mae and even val_a_loss, though both are there.",
)
@pytest.mark.parametrize("monitor", ["val_a_mae", "val_a_loss"])
def test_mode_auto_refuses_metrics_of_one_output(monitor):
    model, data = two_outputs()
    with pytest.raises(ValueError, match=f"received monitor={monitor}, but Keras isn't able"):
        model.fit(data, validation_data=data, verbose=0, shuffle=False, callbacks=[EarlyStopping(monitor)])


def two_outputs():
    import tensorflow as tf

    inputs, (x, y) = keras.Input((3,)), arrays()
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", dict.fromkeys("ab", "mse"), metrics={"a": ["mae"], "b": ["mae"]}, run_eagerly=True)
    return model, tf.data.Dataset.from_tensor_slices((x, {"a": y, "b": y})).batch(8)


@claim("08.21", text="Several outputs give a_loss, a_mae, val_a_mae and so on: the output's name, then the metric's.")
def test_names_of_metrics_with_several_outputs():
    model, data = two_outputs()
    history = model.fit(data, validation_data=data, verbose=0, shuffle=False).history
    plain = {"loss", "a_loss", "b_loss", "a_mae", "b_mae"}
    assert set(history) == plain | {f"val_{name}" for name in plain}


@claim(
    "08.21",
    text="An AUC() without a name becomes auc_1, auc_2 in one process; clear_session or a name of your own mends it.",
)
def test_unnamed_metrics_are_numbered():
    keras.utils.clear_session()
    assert [keras.metrics.AUC().name for _ in range(3)] == ["auc", "auc_1", "auc_2"]
    assert [keras.metrics.AUC(name="auc").name for _ in range(2)] == ["auc", "auc"]
    keras.utils.clear_session()
    assert keras.metrics.AUC().name == "auc"


@claim(
    "05",
    "07",
    text="mode max on a falling loss stops patience epochs after the start and keeps the first, worst epoch.",
)
def test_the_wrong_mode_keeps_the_worst():
    _, run = stopping([1.0, 0.9, 0.8, 0.7], mode="max", patience=2, restore_best_weights=True)
    assert (run.epochs, run.kept) == (3, 0)


@claim("05", "08.16", text="baseline: an improvement that does not beat the baseline leaves wait running.")
def test_baseline_lets_wait_run():
    stopper, run = stopping([1.0, 0.9, 0.8, 0.9, 0.7], patience=3, baseline=0.1)
    assert (run.epochs, stopper.best_epoch, stopper.wait) == (4, 2, 4)
    assert stopping([1.0, 0.9, 0.8, 0.9, 0.7], patience=3)[1].epochs == 5


@claim(
    "05",
    "08.16",
    text="Short of the baseline: from the epoch with the number patience on, one without improvement ends training.",
)
@pytest.mark.parametrize(
    ("values", "epochs"),
    [([1.0, 1.1, 0.9, 0.8, 0.9, 0.7], 5), ([1.0, 1.1, 1.2, 0.8], 3), ([1.0, 0.9, 0.8, 0.7, 0.7, 0.6], 5)],
)
def test_baseline_once_patience_has_passed(values, epochs):
    assert stopping(values, patience=3, baseline=0.1)[1].epochs == epochs


@claim(
    "05",
    "08.16",
    text="baseline: a run that improves at every epoch never stops, however far it is from the baseline.",
)
def test_baseline_does_not_stop_an_improving_run():
    stopper, run = stopping([1 - 0.05 * epoch for epoch in range(15)], patience=2, baseline=0.01)
    assert (run.epochs, stopper.stopped_epoch, stopper.wait) == (15, 0, 15)


@claim(
    "05",
    "08.16",
    text="baseline: once beaten it changes nothing more, and until then the best epoch is kept all the same.",
)
def test_baseline_beaten_and_never_beaten():
    stopper, run = stopping([1.0, 0.9, 0.05, 0.06, 0.07, 0.08, 0.09], patience=3, baseline=0.1)
    assert (run.epochs, stopper.best_epoch) == (6, 2)
    assert stopping([1.0, 0.9, 0.95], patience=3, baseline=0.1, restore_best_weights=True)[1].kept == 1
    assert stopping([1.0, 0.1, 0.2, 0.2], patience=2, baseline=0.1)[1].epochs == 3, "a tie does not beat it"


@claim(
    "05",
    "08.13",
    text="ReduceLROnPlateau and EarlyStopping with the same patience and min_delta act at the same epoch.",
)
def test_both_patiences_count_alike():
    rng = random.Random(0)
    for _ in range(200):
        values, patience = [rng.random() for _ in range(10)], rng.randrange(5)
        stopper, _ = stopping(values, patience=patience)
        reducer = ReduceLROnPlateau(mode="min", patience=patience, min_delta=0)
        rates = drive(reducer, values).rates
        first = next((epoch for epoch, value in enumerate(rates) if value < 1.0), 0)
        assert first == stopper.stopped_epoch


@claim(
    "05",
    "08.13",
    text="ReduceLROnPlateau's min_delta is 0.0001 by default, EarlyStopping's 0: tiny gains count for one only.",
)
def test_default_min_delta_differs():
    assert (ReduceLROnPlateau().min_delta, EarlyStopping().min_delta) == (0.0001, 0)
    values = [1 - 0.00001 * epoch for epoch in range(8)]
    assert stopping(values, patience=2)[1].epochs == 8
    assert drive(ReduceLROnPlateau(mode="min", patience=2), values).rates[2] == pytest.approx(0.1)


@claim(
    "05",
    "08.13",
    text="After a reduction ReduceLROnPlateau waits patience epochs again; EarlyStopping's wait just goes on.",
)
def test_reduction_resets_its_own_wait():
    reducer, stopper = ReduceLROnPlateau(mode="min", patience=2), EarlyStopping(mode="min", patience=5)
    run = drive([reducer, stopper], [1.0] * 9)
    assert run.epochs == 6
    assert run.rates == pytest.approx((1.0, 1.0, 0.1, 0.1, 0.01, 0.01))


@claim("05", text="cooldown=2 takes one epoch more to the next reduction than cooldown=0, with patience 1.")
def test_cooldown():
    rates = drive(ReduceLROnPlateau(mode="min", patience=1, cooldown=2), [1.0] * 6).rates
    assert rates == pytest.approx((1.0, 0.1, 0.1, 0.01, 0.01, 0.001))


@claim("05", "08.14", text="A learning-rate patience longer than the stop patience never lowers the rate.")
def test_the_rate_never_falls():
    callbacks = [ReduceLROnPlateau(mode="min", patience=3), EarlyStopping(mode="min", patience=2)]
    run = drive(callbacks, [1.0] * 9)
    assert (run.epochs, set(run.rates)) == (3, {1.0})
    callbacks = [ReduceLROnPlateau(mode="min", patience=1), EarlyStopping(mode="min", patience=3)]
    assert drive(callbacks, [1.0] * 9).rates[1] == pytest.approx(0.1)


@claim(
    "05",
    "08.14",
    text="With equal patience the rate falls in the very epoch that ends training: no epoch uses the new rate.",
)
def test_equal_patience_lowers_the_rate_too_late():
    model = still_model()
    callbacks = [Script([1.0] * 9), ReduceLROnPlateau(patience=2), EarlyStopping(patience=2)]
    history = fit(model, callbacks, epochs=9)
    assert history["learning_rate"] == pytest.approx([0.01] * 3)
    assert rate(model) == pytest.approx(0.001)


@claim(
    "08.14",
    text="The lower rate gets as many epochs as its patience is shorter; neither order nor cooldown gives it more.",
)
def test_the_difference_of_the_patiences_is_what_the_new_rate_gets():
    def used(patience, stop, *, turned=False, **settings):
        callbacks = [ReduceLROnPlateau(patience=patience, **settings), EarlyStopping(patience=stop)]
        history = fit(still_model(), [Script([1.0] * 9), *callbacks[:: -1 if turned else 1]], epochs=9)
        return sum(value < 0.009 for value in history["learning_rate"])

    assert [used(4, 3), used(3, 3), used(2, 3), used(3, 5)] == [0, 0, 1, 2]
    assert [used(3, 3, turned=True), used(2, 3, turned=True), used(3, 3, cooldown=1)] == [0, 1, 0]


@claim(
    "05",
    text="ReduceLROnPlateau adds learning_rate to logs: the rate the epoch was trained with, before any reduction.",
)
def test_learning_rate_in_logs(capsys):
    reducer = ReduceLROnPlateau(patience=2, verbose=1)
    history = fit(still_model(), [Script([1.0, 1.0, 1.0, 1.0]), reducer], epochs=4)
    assert history["learning_rate"] == pytest.approx([0.01, 0.01, 0.01, 0.001])
    assert "\nEpoch 3: ReduceLROnPlateau reducing learning rate to 0.00099999" in capsys.readouterr().out


@claim("05", text="ReduceLROnPlateau without its metric only warns; a factor of 1 or more is refused.")
def test_reduce_lr_without_its_metric():
    with said() as warned:
        fit(still_model(), [ReduceLROnPlateau()])
    assert warned == [
        "Learning rate reduction is conditioned on metric `val_loss` which is not available. "
        "Available metrics are: loss,mae,learning_rate."
    ]
    with pytest.raises(ValueError, match=r"does not support a factor >= 1.0. Received factor=1.0"):
        ReduceLROnPlateau(factor=1.0)


@claim(
    "05",
    text=(
        "ReduceLROnPlateau cannot change the rate of an optimizer that has a schedule: TypeError at the first "
        "reduction."
    ),
)
def test_reduce_lr_with_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model = new_model(keras.optimizers.SGD(schedule))
    with pytest.raises(TypeError, match="This optimizer was created with a `LearningRateSchedule` object"):
        fit(model, [Script([1.0] * 3), ReduceLROnPlateau(patience=1)], epochs=3)


@claim(
    "05", "08.17",
    text="ReduceLROnPlateau may be reused: its best value is reset when training begins.",
    before="Up to Keras 3.14 the best value of the first fit stays.",
)  # fmt: skip
def test_reused_reduce_lr():
    reducer = ReduceLROnPlateau(mode="min", patience=2)
    drive(reducer, [0.1, 0.1])
    reduced = drive(reducer, [5.0, 4.0, 3.0, 2.0], model=FakeModel()).rates[-1] < 1.0
    assert reduced == (KERAS < (3, 15))


@claim(
    "06",
    text="LearningRateScheduler sets the rate before each epoch from (epoch, rate); it must be a Python float.",
)
def test_learning_rate_scheduler():
    history = fit(still_model(), [LearningRateScheduler(lambda epoch, rate: 0.1 / (epoch + 1))], epochs=3)
    assert history["learning_rate"] == pytest.approx([0.1, 0.05, 0.1 / 3])
    with pytest.raises(ValueError, match=r"The output of the `schedule` function should be a float. Got: 1"):
        fit(still_model(), [LearningRateScheduler(lambda epoch, rate: 1)])


class ScriptValidated(Callback):
    """Like Script, but leaves the epochs without validation alone."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        if "val_loss" in logs:
            logs["val_loss"] = self.values[epoch]


@claim("05", "08.9", text="validation_freq=2 validates every second epoch, a list names the epochs counted from 1.")
@pytest.mark.parametrize(("freq", "validated"), [(2, [1, 3, 5]), ([1, 5], [0, 4])])
def test_validation_freq(freq, validated):
    epochs = []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch) if "val_loss" in logs else None)
    fit(still_model(), [note], epochs=6, validate=True, validation_freq=freq)
    assert epochs == validated


@claim(
    "05",
    "08.9",
    text="With validation_freq=2 patience counts validated epochs only, and warns at each of the others.",
)
def test_patience_counts_validated_epochs():
    stopper = EarlyStopping(patience=2)
    with said() as warned:
        script = ScriptValidated([9, 9, 9, 1, 9, 2, 9, 3, 9, 4])
        history = fit(still_model(), [script, stopper], epochs=10, validate=True, validation_freq=2)
    assert (len(history["loss"]), stopper.best_epoch, stopper.stopped_epoch) == (8, 3, 7)
    assert len(warned) == 4


@claim(
    "05",
    "08.9",
    text="With validation_freq=2 save_best_only also saves each epoch without validation, over the best file.",
)
def test_save_best_only_saves_unvalidated_epochs(tmp_path):
    saver = Saves(tmp_path / "best.keras", save_best_only=True)
    with said() as warned:
        fit(still_model(), [ScriptValidated([9, 1, 9, 2]), saver], epochs=4, validate=True, validation_freq=2)
    assert saver.epochs == [0, 1, 2]
    assert saver.best == 1
    assert warned == ["Can save best model only with val_loss available."] * 2


@claim("08.9", text="A file name with {val_loss}, unlike {epoch}, is a KeyError in an epoch without validation.")
def test_names_in_epochs_without_validation(tmp_path):
    for best in (True, False):
        saver = ModelCheckpoint(tmp_path / "{val_loss}.keras", save_best_only=best)
        with said(), pytest.raises(KeyError, match="val_loss"):
            fit(still_model(), [saver], epochs=2, validate=True, validation_freq=2)
    saver = ModelCheckpoint(tmp_path / "{epoch}.keras", save_best_only=True)
    with said():
        fit(still_model(), [saver], epochs=3, validate=True, validation_freq=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.keras", "2.keras", "3.keras"]


@claim("08.18", text="The loss of an epoch is the mean over its updates, so it belongs to no set of weights.")
def test_training_loss_is_a_mean_over_the_epoch():
    model, after = new_model(), []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: after.append(model.evaluate(*arrays(), verbose=0)[0]))
    x, y = arrays()
    history = model.fit(x, y, batch_size=8, shuffle=False, epochs=4, verbose=0, callbacks=[note]).history
    # With one batch an epoch the loss is that of the weights BEFORE the update: off by exactly one epoch.
    assert np.allclose(history["loss"][1:], after[:-1])
    assert history["loss"][0] != pytest.approx(after[0])


@claim("08.18", text="Restored weights evaluated on the training data do not give the best loss that training printed.")
def test_restored_weights_and_training_loss():
    model, data = new_model(), training()
    stopper = EarlyStopping("loss", patience=1, restore_best_weights=True)
    fit(model, [stopper], epochs=4)
    assert model.evaluate(data, verbose=0)[0] < stopper.best * 0.999
    validated = EarlyStopping(patience=1, restore_best_weights=True)
    fit(model, [validated], epochs=4, validation_data=data)
    assert model.evaluate(data, verbose=0)[0] == validated.best
