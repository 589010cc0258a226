# %% [markdown]
# # Find your trouble: the learning rate
#
# **You will** see one of 6 troubles with the learning rate happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The numbers are those of the index in [the pitfall lab](08_pitfall_lab.ipynb), hence the gaps.
#
# **Minutes:** 4
# for one trouble
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("08e")
import keras
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ReduceLROnPlateau


# %% [markdown]
# ## Tools
#
# `play` runs a real `fit` of a tiny model, at a rate of 0.01, and counts what Keras warns of. The callback `Script`
# stands first and writes the values of our choice into `logs`; the callbacks behind it believe them. You can use all
# this without reading it.
# %%
class Script(Callback):
    def __init__(self, curves):
        super().__init__()
        self.curves = curves

    def on_epoch_end(self, epoch, logs=None):
        logs.update({name: values[epoch] for name, values in self.curves.items()})


digits = data.load_digits(train_rows=64)
toy = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(10, activation="softmax")]
)
toy.compile("sgd", loss="sparse_categorical_crossentropy")
# %%
import textwrap
import warnings
from collections import Counter


def play(*callbacks, epochs=None, **curves):
    toy.optimizer.learning_rate = 0.01
    epochs = epochs or max(map(len, curves.values()))
    todo = {"epochs": epochs, "verbose": 0, "shuffle": False}
    todo["callbacks"] = [Script(curves), *callbacks]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        history = toy.fit(digits.train, **todo)
    for text, times in Counter(str(one.message) for one in said).items():
        print(textwrap.fill(f"{times} x UserWarning: {text}", 80))
    return history


# %%
def rates_of(run):
    return run.history["learning_rate"]


def show_rates(name, run):
    print(f"{name}:", *(f"{rate:.5f}" for rate in rates_of(run)))


# %% [markdown]
# ## 13. EarlyStopping waits where ReduceLROnPlateau acts
#
# **You see:** both have the same patience and monitor, and only one of them thinks that training stalls. People say
# that they count differently.
#
# **People ask:** [keras#9541](https://github.com/keras-team/keras/issues/9541).
# %% tags=["predict"]
widgets.predict("08e.p13")
# %%
tiny_steps = [1 - 0.00001 * epoch for epoch in range(6)]
for curve in [tiny_steps, [1.0] * 6]:
    run = play(EarlyStopping(patience=2), ReduceLROnPlateau(patience=2), val_loss=curve)
    show_rates(f"{len(run.epoch)} epochs, rates", run)
    print("  afterwards:", f"{float(toy.optimizer.learning_rate):.5f}")
widgets.reveal("08e.p13")
# %% [markdown]
# **The fix:** the same `min_delta` in both. Then they agree, on progress and on plateaus.
# %%
ends = []
for curve in [tiny_steps, [1.0] * 6]:
    run = play(
        EarlyStopping(patience=2),
        ReduceLROnPlateau(patience=2, min_delta=0),
        val_loss=curve,
    )
    ends.append((len(run.epoch), round(float(toy.optimizer.learning_rate), 5)))
    print("epochs:", ends[-1][0], "  rate afterwards:", ends[-1][1])
# %% tags=["solution"]
assert ends == [(6, 0.01), (3, 0.001)]
# %%
# Take home 13: two callbacks that agree on what counts as better
import keras
import numpy as np

x, y = np.random.default_rng(0).normal(size=(64, 4)), np.ones(64)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.2), loss="mse")
same = {"monitor": "val_loss", "min_delta": 0}
reducer = keras.callbacks.ReduceLROnPlateau(patience=2, **same)
stopper = keras.callbacks.EarlyStopping(patience=5, **same)
settings = {"validation_split": 0.2, "epochs": 60, "verbose": 0}
history = model.fit(x, y, callbacks=[reducer, stopper], **settings).history
print("epochs:", len(history["loss"]), "  last rate:", history["learning_rate"][-1])
# %% [markdown]
# ## 14. The learning rate never falls
#
# **You see:** `ReduceLROnPlateau` is in the list, training stalls and ends, and the learning rate is the same
# throughout.
#
# **People ask:** [yolov3-tf2#181](https://github.com/zzh8829/yolov3-tf2/issues/181).
# %% tags=["predict"]
widgets.predict("08e.p14")
# %%
for patience in [4, 3, 2]:
    run = play(
        ReduceLROnPlateau(patience=patience),
        EarlyStopping(patience=3),
        val_loss=[1.0] * 9,
    )
    show_rates(f"patience {patience} against 3", run)
widgets.reveal("08e.p14")
# %% [markdown]
# **The fix:** the rate's patience is shorter, by the number of epochs that the new rate gets.
# %%
run = play(ReduceLROnPlateau(patience=3), EarlyStopping(patience=5), val_loss=[1.0] * 9)
show_rates("patience 3 against 5", run)
# %% tags=["solution"]
assert sum(rate < 0.009 for rate in rates_of(run)) == 2
# %% [markdown]
# Two more reasons. A `LearningRateScheduler` in the list sets the rate anew in each epoch: see
# [trouble 50](#50.-A-schedule-and-ReduceLROnPlateau-fight-over-the-rate). And the monitored value may be missing, as
# `val_loss` is without validation data. Then there is a warning, and nothing else:
# <!-- claim: learning_rate.test_a_missing_value_never_lowers_the_rate -->
# %%
run = play(ReduceLROnPlateau(patience=1), epochs=4)
show_rates("no validation data", run)
# %% tags=["solution"]
assert {round(rate, 5) for rate in rates_of(run)} == {0.01}
# %%
# Take home 14: a patience shorter than that of the stop, and a value to watch
import keras
import numpy as np

x, y = np.ones((8, 4)), np.ones(8)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1e-9), loss="mse")  # a loss that stands still
reducer = keras.callbacks.ReduceLROnPlateau("val_loss", patience=3)
stopper = keras.callbacks.EarlyStopping("val_loss", min_delta=1e-4, patience=5)
settings = {"validation_data": (x, y), "epochs": 20, "verbose": 0}
history = model.fit(x, y, callbacks=[reducer, stopper], **settings)
print("rates:", history.history["learning_rate"])
# %% [markdown]
# ## 41. The rate falls although the loss improves every epoch
#
# **You see:** `val_loss` falls in each epoch, and `ReduceLROnPlateau` lowers the rate all the same, again and again,
# until nothing is learned any more.
#
# **People ask:** [keras#10924](https://github.com/keras-team/keras/issues/10924),
# [tensorflow#33675](https://github.com/tensorflow/tensorflow/issues/33675).
# %% tags=["predict"]
widgets.predict("08e.p41")
# %%
for start in [1.0, 0.01, 0.001]:
    curve = [start * 0.95**epoch for epoch in range(6)]
    run = play(ReduceLROnPlateau(patience=2), val_loss=curve)
    show_rates(f"from {start} on", run)
widgets.reveal("08e.p41")
# %% tags=["solution"]
assert rates_of(run)[-1] < 0.009
# %% [markdown]
# **The fix:** `min_delta=0`, or a thousandth of the losses that you have. Here they come from a real fit, whose targets
# are small numbers:
# <!-- claim: learning_rate.test_a_small_loss_that_falls_is_a_plateau -->
# %%
import numpy as np

x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = 0.001 * x.sum(axis=1)
line = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
line.compile("sgd", loss="mse")
for min_delta in [1e-4, 0]:
    line.set_weights([np.zeros((4, 1)), np.zeros(1)])
    line.optimizer.learning_rate = 0.05
    reducer = ReduceLROnPlateau(patience=2, min_delta=min_delta)
    todo = {"validation_data": (x, y), "epochs": 10, "verbose": 0}
    history = line.fit(x, y, callbacks=[reducer], **todo).history
    print(f"min_delta {min_delta}: rate {history['learning_rate'][-1]:.6f}", end=",  ")
    print(
        f"val_loss from {history['val_loss'][0]:.2g} to {history['val_loss'][-1]:.2g}"
    )
# %% tags=["solution"]
assert abs(history["learning_rate"][-1] - 0.05) < 1e-6
assert history["val_loss"] == sorted(history["val_loss"], reverse=True)
# %%
# Take home 41: every improvement counts, however small the loss
import keras
import numpy as np

x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = 0.001 * x.sum(axis=1)
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(1, kernel_initializer="zeros")]
)
model.compile("sgd", loss="mse")
reducer = keras.callbacks.ReduceLROnPlateau(patience=2, min_delta=0)
settings = {"validation_data": (x, y), "epochs": 10, "verbose": 0}
history = model.fit(x, y, callbacks=[reducer], **settings).history
print("val_loss:", history["val_loss"])
print("rates:   ", history["learning_rate"])
# %% [markdown]
# ## 42. A mistyped argument is taken without a word
#
# **You see:** `ReduceLROnPlateau(patince=2)` runs, and does as if you had said nothing. So does `epsilon=...` from a page
# of 2017.
#
# **People ask:** [keras#9723](https://github.com/keras-team/keras/issues/9723), where `epsilon` became `min_delta`, and
# [keras-retinanet#746](https://github.com/fizyr/keras-retinanet/issues/746).
# %%
reducer = ReduceLROnPlateau(montior="loss", patince=2, epsilon=0)
print(reducer.monitor, reducer.patience, reducer.min_delta)
# %% [markdown]
# Which others do so? Try `patince=2` with six of them.
# %% tags=["predict"]
widgets.predict("08e.p42")
# %%
from keras.callbacks import LambdaCallback, LearningRateScheduler, ModelCheckpoint

makers = {
    EarlyStopping: {},
    ModelCheckpoint: {"filepath": "model.keras"},
    LearningRateScheduler: {"schedule": print},
    keras.callbacks.CSVLogger: {"filename": "log.csv"},
    LambdaCallback: {},
    ReduceLROnPlateau: {},
}
# %%
taken = []
for maker, needed in makers.items():
    try:
        maker(**needed, patince=2)
        taken.append(maker.__name__)
    except TypeError as error:
        print("TypeError:", error)
print("taken by:", *taken)
widgets.reveal("08e.p42")
# %% tags=["solution"]
assert taken == ["LambdaCallback", "ReduceLROnPlateau"]
# %% [markdown]
# **The fix:** ask the class which names it knows, before you hand any over.
# <!-- claim: learning_rate.test_a_mistyped_argument_is_taken -->
# %%
import inspect


def strict(maker, **settings):
    known = inspect.signature(maker).parameters
    if unknown := settings.keys() - known.keys():
        raise TypeError(f"{maker.__name__} has no {', '.join(sorted(unknown))}")
    return maker(**settings)


with checks.expect_error(TypeError):
    strict(ReduceLROnPlateau, montior="loss", patience=2)
reducer = strict(ReduceLROnPlateau, monitor="loss", patience=2)
print(reducer.monitor, reducer.patience)
# %% tags=["solution"]
assert (reducer.monitor, reducer.patience) == ("loss", 2)
# %%
# Take home 42: refuse a name that a callback does not know
import inspect

from keras.callbacks import ReduceLROnPlateau


def known_only(maker, **settings):
    known = inspect.signature(maker).parameters
    if unknown := settings.keys() - known.keys():
        raise TypeError(f"{maker.__name__} has no {', '.join(sorted(unknown))}")
    return maker(**settings)


reducer = known_only(ReduceLROnPlateau, monitor="val_loss", patience=2)
print(reducer.monitor, reducer.patience)
try:
    known_only(ReduceLROnPlateau, patince=2)
except TypeError as error:
    print("TypeError:", error)
# %% [markdown]
# ## 50. A schedule and ReduceLROnPlateau fight over the rate
#
# **You see:** it says that it is reducing the rate, and in the next epoch the rate is the old one. Or `fit` fails, with
# an error about a `LearningRateSchedule` object, after hours.
#
# **People ask:** [keras#8829](https://github.com/keras-team/keras/issues/8829),
# [tensorflow#36612](https://github.com/tensorflow/tensorflow/issues/36612).
# %%
from keras.callbacks import LearningRateScheduler

constant = LearningRateScheduler(lambda epoch: 0.01)
run = play(constant, ReduceLROnPlateau(patience=2, verbose=1), val_loss=[1.0] * 6)
show_rates("the rates that trained", run)
# %% tags=["solution"]
assert {round(rate, 5) for rate in rates_of(run)} == {0.01}
# %% [markdown]
# Now a schedule object in the optimizer itself: `SGD(ExponentialDecay(0.01, 10, 0.9))`, and
# `ReduceLROnPlateau(patience=3)`. The loss is the same in each of eight epochs.
# %% tags=["predict"]
widgets.predict("08e.p50")
# %%
decay = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
other = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
other.compile(keras.optimizers.SGD(decay), loss="sparse_categorical_crossentropy")
ended = []
count = LambdaCallback(on_epoch_end=lambda epoch, logs: ended.append(epoch + 1))
both = [Script({"val_loss": [1.0] * 8}), count, ReduceLROnPlateau(patience=3)]
todo = {"epochs": 8, "callbacks": both, "shuffle": False, "verbose": 0}
with checks.expect_error(TypeError):
    other.fit(digits.train, **todo)
print("the last epoch that ended:", ended[-1])
widgets.reveal("08e.p50")
# %% tags=["solution"]
assert ended[-1] == 4
# %% [markdown]
# **The fix:** one of them alone. Or a schedule that takes the rate and returns it changed: it goes on from where the
# other has put it, and the optimizer begins with a plain number.
# <!-- claim: learning_rate.test_a_schedule_overrules_a_reduction -->
# %%
follow = LearningRateScheduler(lambda epoch, rate: rate * 0.9 if epoch else rate)
run = play(follow, ReduceLROnPlateau(patience=2), val_loss=[1.0] * 6)
show_rates("together", run)
# %% tags=["solution"]
assert rates_of(run)[-1] < 0.01 * 0.9**5 * 0.1
# %%
# Take home 50: a schedule that goes on from the rate that is there
import keras
import numpy as np

x, y = np.ones((8, 4)), np.ones(8)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.01), loss="mse")  # a number, no schedule object
follow = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9)
reduce = keras.callbacks.ReduceLROnPlateau("loss", patience=2, min_delta=100)
history = model.fit(x, y, epochs=6, callbacks=[follow, reduce], verbose=0)
print("rates:", history.history["learning_rate"])
# %% [markdown]
# ## 58. The output of the schedule function should be a float
#
# **You see:** that error, and the number that it shows looks like a float.
#
# **People ask:** [rstudio/keras3#493](https://github.com/rstudio/keras3/issues/493),
# [keras#4304](https://github.com/keras-team/keras/issues/4304).
# %% tags=["predict"]
widgets.predict("08e.p58")
# %%
import numpy as np
import tensorflow as tf
from keras.callbacks import LearningRateScheduler

returned = {
    "an int": lambda epoch, rate: 1,
    "a number of TensorFlow": lambda epoch, rate: rate * tf.exp(-0.1),
    "an array": lambda epoch, rate: np.array(0.1),
    "a NumPy float": lambda epoch, rate: np.float32(0.1),
    "nothing": lambda epoch, rate: print("I forgot to return."),
}
# %%
fine = []
for kind, schedule in returned.items():
    try:
        play(LearningRateScheduler(schedule), val_loss=[1.0])
        fine.append(kind)
    except ValueError as error:
        print(f"{kind}: {error}")
print("taken:", *fine)
widgets.reveal("08e.p58")
# %% tags=["solution"]
assert fine == ["a NumPy float"]
# %% [markdown]
# **The fix:** `float(...)` around what you return. That is also how a schedule object becomes a function for this
# callback.
# <!-- claim: learning_rate.test_what_a_schedule_may_return -->
# %%
cosine = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=4)
for schedule in [
    lambda epoch, rate: float(rate * tf.exp(-0.1)),
    lambda epoch, rate: float(cosine(epoch)),
]:
    run = play(LearningRateScheduler(schedule), val_loss=[1.0] * 4)
    show_rates("rates", run)
# %% tags=["solution"]
assert [round(rate, 5) for rate in rates_of(run)] == [0.01, 0.00854, 0.005, 0.00146]
# %% [markdown]
# And one that leads astray. A `TypeError` **inside** your schedule makes Keras call it once more, without the rate, as
# old Keras did; what you see is the error of that second call.
# <!-- claim: learning_rate.test_a_type_error_in_a_schedule_looks_like_another -->
# %%
with checks.expect_error(TypeError):
    play(LearningRateScheduler(lambda epoch, rate: rate * None), val_loss=[1.0])
# %%
# Take home 58: float() around what a schedule returns
import keras
import numpy as np

cosine = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=5)


def schedule(epoch, rate):
    return float(cosine(epoch))


x, y = np.ones((8, 4)), np.ones(8)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
scheduler = keras.callbacks.LearningRateScheduler(schedule)
history = model.fit(x, y, epochs=5, callbacks=[scheduler], verbose=0)
print("rates:", history.history["learning_rate"])
# %% [markdown]
# ## Key takeaways
#
# - `EarlyStopping` and `ReduceLROnPlateau` count alike; `min_delta` and `patience` are up to you, in both.
# - One thing should set the rate. Two fight, and the one that comes last before the epoch wins.
# - `learning_rate` stands in the history: look there before you believe that it fell.
# %% [markdown]
# ## Where next
#
# Back to [the index](08_pitfall_lab.ipynb#Index), or on to
# [troubles with tuning and folds](08f_tuning.ipynb).
