"""Which rows an epoch trains on, which it is judged on, and with which weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.callbacks import Callback, EarlyStopping

from .claims import claim
from .means import arrays, new_model, said, still_model

RAN_OUT = "Your input ran out of data; interrupting training."


class Steps(Callback):
    """Counts the training batches of each epoch."""

    def on_train_begin(self, logs=None):
        self.counts = []

    def on_epoch_begin(self, epoch, logs=None):
        self.counts.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.counts[-1] += 1


def batches(size: int = 2) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(arrays()).batch(size)


def endless(size: int = 2):
    x, y = arrays()
    while True:
        for at in range(0, len(x), size):
            yield x[at : at + size], y[at : at + size]


def once(size: int = 2):
    x, y = arrays()
    for at in range(0, len(x), size):
        yield x[at : at + size], y[at : at + size]


def counted(data: object, steps_per_epoch: int | None, epochs: int = 6) -> tuple[list[int], list[str]]:
    """Fit on four batches; return the batches of each epoch, and what was warned."""
    steps = Steps()
    with said() as warned:
        still_model().fit(
            data, steps_per_epoch=steps_per_epoch, epochs=epochs, callbacks=[steps], shuffle=False, verbose=0
        )
    return steps.counts, warned


@claim(
    "08.35",
    text="steps_per_epoch goes on in the data where the last epoch stopped: of 4 batches, 3 steps give 3, 1, 3, 1.",
)
def test_steps_per_epoch_goes_on_in_the_data():
    counts, warned = counted(batches(), 3)
    assert counts == [3, 1, 3, 1, 3, 1]
    assert len(warned) == 3
    assert all(text.startswith(RAN_OUT) for text in warned)


@claim(
    "08.35",
    text="A generator that ends leaves an empty epoch with loss 0.0, which EarlyStopping takes for the best; "
    "what comes after is the two batches that Keras had looked at.",
)
def test_a_generator_that_ends_gives_an_epoch_with_loss_0():
    steps, stopper = Steps(), EarlyStopping("loss", patience=2)
    with said() as warned:
        history = new_model().fit(
            once(), steps_per_epoch=4, epochs=6, callbacks=[steps, stopper], shuffle=False, verbose=0
        )
    assert steps.counts == [4, 0, 2, 2]
    assert history.history["loss"][1] == stopper.best == 0.0
    assert warned
    assert all(text.startswith(RAN_OUT) for text in warned)


@claim(
    "08.35",
    text="Every epoch is full with repeat(), with a generator without an end, and without steps_per_epoch.",
)
def test_data_without_an_end_fills_every_epoch():
    assert counted(batches().repeat(), 3) == ([3] * 6, [])
    assert counted(endless(), 4) == ([4] * 6, [])
    assert counted(batches(), None) == ([4] * 6, [])


def judged(rows: object, steps: int | None = None) -> list[float]:
    """Return val_loss of five epochs in which no weight moves."""
    history = new_model(keras.optimizers.SGD(0.0)).fit(
        *arrays(), validation_data=rows, validation_steps=steps, epochs=5, shuffle=False, verbose=0
    )
    return history.history["val_loss"]


def drawn():
    x, y = arrays()
    rng = np.random.default_rng(0)
    while True:
        rows = rng.integers(len(x), size=2)
        yield x[rows], y[rows]


@claim(
    "08.36",
    text="With validation_steps a shuffled set, and a generator that draws, give other rows in each validation; a "
    "tf.data set in fixed order begins anew each time, also with repeat().",
)
def test_validation_steps_may_see_other_rows_each_time():
    shuffled = tf.data.Dataset.from_tensor_slices(arrays()).shuffle(8, seed=1).batch(2)
    assert len(set(judged(shuffled, 2))) > 1
    assert len(set(judged(drawn(), 3))) > 1
    assert len(set(judged(batches().repeat(), 3))) == 1


@claim(
    "08.36", text="All rows, in any order, or take() before shuffle(), give the same val_loss while no weight moves."
)
def test_the_same_validation_rows_each_time():
    rows = tf.data.Dataset.from_tensor_slices(arrays())
    for same in (rows.shuffle(8, seed=1).batch(2), rows.take(6).shuffle(6, seed=1).batch(2), rows.take(6).batch(2)):
        assert np.ptp(judged(same)) < 1e-5


@claim("08.3", "08.39", text="validation_split takes the last rows as they stand; shuffle=True mixes only the others.")
def test_validation_split_takes_the_last_rows():
    x, y = arrays()
    for shuffle in (True, False):
        model = new_model(keras.optimizers.SGD(0.0))
        values = model.fit(x, y, validation_split=0.25, epochs=2, shuffle=shuffle, verbose=0).history["val_loss"]
        assert values == pytest.approx([model.evaluate(x[-2:], y[-2:], verbose=0)[0]] * 2)


@claim(
    "08.40",
    text="class_weight counts in loss and not in val_loss; weights as a third part of validation_data count there, and "
    "sample_weight is cut by validation_split along with the rows.",
)
def test_which_weights_val_loss_counts():
    x, y = arrays()[0], np.array([0, 1] * 4, "float32")
    weights = np.where(y == 1, 9.0, 1.0)
    last = slice(-4, None)

    def one(**todo):
        model = new_model(keras.optimizers.SGD(0.0), metrics=())
        return model, model.fit(x, y, epochs=1, verbose=0, **todo).history["val_loss"][0]

    judge = {"class_weight": {0: 1.0, 1: 9.0}}
    model, plain = one(validation_split=0.5, **judge)
    expected = [model.evaluate(x[last], y[last], sample_weight=some, verbose=0) for some in (None, weights[last])]
    assert expected[0] < expected[1]
    assert plain == pytest.approx(expected[0])
    assert one(validation_data=(x[last], y[last]), **judge)[1] == pytest.approx(expected[0])
    assert one(validation_data=(x[last], y[last], weights[last]), **judge)[1] == pytest.approx(expected[1])
    assert one(validation_split=0.5, sample_weight=weights)[1] == pytest.approx(expected[1])
    with pytest.raises(ValueError, match="You cannot `class_weight` and `sample_weight` at the same time"):
        one(validation_split=0.5, sample_weight=weights, **judge)
