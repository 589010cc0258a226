"""What sets the learning rate, what refuses to, and who wins."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)

from .claims import claim
from .means import Script, fit, new_model, rate, said, still_model


def rates(*callbacks, values=(1.0,) * 6) -> list[float]:
    """Return the rate with which each epoch of a fit trained, whose val_loss is `values`."""
    model, trained = still_model(), {}
    note = LambdaCallback(on_epoch_begin=lambda epoch, logs: trained.__setitem__(epoch, rate(model)))
    fit(model, [Script(values), *callbacks, note], epochs=len(values))
    return list(trained.values())


@claim(
    "08.41",
    text="A loss of 0.001 that falls by 5 % each epoch is a plateau for ReduceLROnPlateau, and none with min_delta=0.",
)
def test_a_small_loss_that_falls_is_a_plateau():
    def falling(start):
        return [start * 0.95**epoch for epoch in range(6)]

    for start in (1.0, 0.01):
        assert rates(ReduceLROnPlateau(patience=2), values=falling(start)) == pytest.approx([0.01] * 6)
    reduced = rates(ReduceLROnPlateau(patience=2), values=falling(0.001))
    assert reduced == pytest.approx([0.01] * 3 + [0.001] * 3)
    assert rates(ReduceLROnPlateau(patience=2, min_delta=0), values=falling(0.001)) == pytest.approx([0.01] * 6)


@claim(
    "08.42",
    text="ReduceLROnPlateau and LambdaCallback take an argument that they do not know; the others raise TypeError.",
)
def test_a_mistyped_argument_is_taken(tmp_path):
    reducer = ReduceLROnPlateau(montior="loss", patince=2, epsilon=0)
    assert (reducer.monitor, reducer.patience, reducer.min_delta) == ("val_loss", 10, 1e-4)
    assert LambdaCallback(patince=2).patince == 2
    for maker, needed in [
        (EarlyStopping, {}),
        (ModelCheckpoint, {"filepath": tmp_path / "a.keras"}),
        (LearningRateScheduler, {"schedule": print}),
        (CSVLogger, {"filename": tmp_path / "a.csv"}),
    ]:
        with pytest.raises(TypeError, match="unexpected keyword argument 'patince'"):
            maker(**needed, patince=2)


@claim("08.14", text="Without the value that it monitors, ReduceLROnPlateau warns in each epoch and lowers nothing.")
def test_a_missing_value_never_lowers_the_rate():
    with said() as warned:
        history = fit(new_model(metrics=()), [ReduceLROnPlateau(patience=1)], epochs=4)
    assert history["learning_rate"] == pytest.approx([0.01] * 4)
    assert warned == [
        "Learning rate reduction is conditioned on metric `val_loss` which is not available. "
        "Available metrics are: loss,learning_rate."
    ] * 4  # fmt: skip


@claim(
    "08.14",
    "08.50",
    text="LearningRateScheduler sets the rate at the beginning of each epoch, over what ReduceLROnPlateau did, in any "
    "order; a schedule that takes and returns the rate goes on from there.",
)
def test_a_schedule_overrules_a_reduction():
    for turn in (1, -1):
        both = [LearningRateScheduler(lambda epoch: 0.01), ReduceLROnPlateau(patience=2)]
        assert rates(*both[::turn]) == pytest.approx([0.01] * 6)
        both = [LearningRateScheduler(lambda epoch, rate: rate), ReduceLROnPlateau(patience=2)]
        assert rates(*both[::turn]) == pytest.approx([0.01] * 3 + [0.001] * 2 + [0.0001])


@claim(
    "08.50",
    text="Behind ReduceLROnPlateau in the list, LearningRateScheduler logs the lowered rate, which no batch had.",
)
def test_the_history_may_show_a_rate_that_no_batch_had():
    both = [ReduceLROnPlateau(patience=2), LearningRateScheduler(lambda epoch: 0.01)]
    history = fit(still_model(), [Script([1.0] * 4), *both], epochs=4)
    assert history["learning_rate"] == pytest.approx([0.01, 0.01, 0.001, 0.01])
    assert rates(*both, values=[1.0] * 4) == pytest.approx([0.01] * 4)


@claim(
    "08.50",
    text="With a schedule object in the optimizer, ReduceLROnPlateau raises TypeError at its first reduction only.",
)
def test_a_schedule_object_fails_at_the_first_reduction():
    decay = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    ended = []
    count = LambdaCallback(on_epoch_end=lambda epoch, logs: ended.append(epoch))
    model = new_model(keras.optimizers.SGD(decay))
    with pytest.raises(TypeError, match="created with a `LearningRateSchedule` object"):
        fit(model, [Script([1.0] * 8), count, ReduceLROnPlateau(patience=3)], epochs=8)
    assert ended == [0, 1, 2, 3]


@claim("08.58", text="A schedule may return a Python float, np.float32 or np.float64; all else is a ValueError.")
def test_what_a_schedule_may_return():
    for fine in (0.1, np.float32(0.1), np.float64(0.1)):
        assert rates(LearningRateScheduler(lambda epoch, rate, fine=fine: fine), values=[1.0]) == pytest.approx([0.1])
    for wrong in (1, None, np.array(0.1), tf.constant(0.1), keras.ops.exp(-2.0), "0.1"):
        with pytest.raises(ValueError, match=r"The output of the `schedule` function should be a float\. Got: "):
            rates(LearningRateScheduler(lambda epoch, rate, wrong=wrong: wrong), values=[1.0])
    cosine = keras.optimizers.schedules.CosineDecay(0.01, 4)
    with pytest.raises(ValueError, match="should be a float"):
        rates(LearningRateScheduler(cosine), values=[1.0])
    assert rates(LearningRateScheduler(lambda epoch: float(cosine(epoch))), values=[1.0] * 3) == pytest.approx(
        [0.01, 0.00853553, 0.005]
    )


@claim("08.58", text="A TypeError inside a schedule of two arguments is shown as a missing argument.")
def test_a_type_error_in_a_schedule_looks_like_another():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'lr'"):
        rates(LearningRateScheduler(lambda epoch, lr: lr * None), values=[1.0])
