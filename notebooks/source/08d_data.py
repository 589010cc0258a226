# %% [markdown]
# # Find your trouble: data and validation
#
# **You will** see one of 6 troubles with data and validation happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The numbers are those of the index in [the pitfall lab](08_pitfall_lab.ipynb), hence the gaps.
#
# **Minutes:** 5
# for one trouble
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("08d")
import keras
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint

from helpers.callbacks import SaveRecorder


# %% [markdown]
# ## Tools
#
# `fit` trains a tiny model from the same first weights each time, and counts what Keras warns of. `play` does so too,
# and the callback `Script`, first in its list, writes the values of our choice into `logs`; the callbacks behind it
# believe them.
#
# `Album` keeps the weights of each epoch, to tell afterwards whose weights a model holds. `SaveRecorder`, from this
# course, notes when a file was really written. You can use all this without reading it.
# %%
class Script(Callback):
    def __init__(self, curves):
        super().__init__()
        self.curves = curves

    def on_epoch_end(self, epoch, logs=None):
        logs.update(
            {name: v[epoch] for name, v in self.curves.items() if v[epoch] is not None}
        )


class Album(Callback):
    def on_train_begin(self, logs=None):
        self.pages = []

    def on_epoch_end(self, epoch, logs=None):
        self.pages.append(self.model.get_weights()[1].tolist())

    def epoch_of(self, model):
        return self.pages.index(model.get_weights()[1].tolist()) + 1


# %%
folder = lesson.new_folder("08d")
digits = data.load_digits(train_rows=64)
toy = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(10, activation="softmax")]
)
toy.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
# %%
import textwrap
import warnings
from collections import Counter
from types import SimpleNamespace

first_weights = toy.get_weights()


def fit(*given, rate=0.01, **more):
    keras.utils.set_random_seed(1)
    toy.set_weights(first_weights)
    toy.optimizer.learning_rate = rate
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        history = toy.fit(*given, **{"verbose": 0, "shuffle": False, **more})
    for text, times in Counter(str(one.message) for one in said).items():
        print(textwrap.fill(f"{times} x UserWarning: {text}", 80))
    return history


# %%
def play(*callbacks, epochs=None, more=(), **curves):
    album = Album()
    epochs = epochs or max(map(len, curves.values()))
    callbacks = [Script(curves), *callbacks, album]
    history = fit(digits.train, epochs=epochs, callbacks=callbacks, **dict(more))
    counted = {"epochs": len(history.epoch), "holds": album.epoch_of(toy)}
    return SimpleNamespace(**counted, epoch_of=album.epoch_of, history=history)


def show(name, values):
    print(f"{name}:", *(f"{value:.4f}" for value in values))


# %% [markdown]
# ## 3. It never stops, and val_loss is not available
#
# **You see:** all epochs run, nothing is restored, and somewhere in the log is one warning.
#
# **People ask:** [keras#13689](https://github.com/keras-team/keras/issues/13689),
# [Stack Overflow 59706714](https://stackoverflow.com/questions/59706714).
# %% tags=["predict"]
widgets.predict("08d.p3")
# %%
for monitor in ["val_loss", "val_accuracy"]:
    stopper = EarlyStopping(monitor, patience=1, restore_best_weights=True)
    run = play(stopper, epochs=4)
    print(
        "epochs:",
        run.epochs,
        "  best:",
        stopper.best,
        "  best_weights:",
        stopper.best_weights,
    )
widgets.reveal("08d.p3")
# %% [markdown]
# **The fix:** `validation_data=...`. For arrays, `validation_split=0.2` holds back the last rows, as they stand: nothing
# is shuffled before. Are yours sorted? Then see
# [trouble 39](#39.-validation_split-on-sorted-data,-and-val_loss-only-rises).
# <!-- claim: data.test_validation_split_takes_the_last_rows -->
# %%
x, y = digits.x_train, digits.y_train
stopper = EarlyStopping(patience=1, restore_best_weights=True)
history = fit(x, y, validation_split=0.2, epochs=3, callbacks=[stopper]).history
print("names:", *history)
print(
    f"best of the history: {min(history['val_loss']):.6f},",
    f"best of the callback: {stopper.best:.6f}",
)
# %% tags=["solution"]
assert stopper.best == min(history["val_loss"])
# %% [markdown]
# Would `monitor="loss"` do instead? See
# [trouble 29](08_pitfall_lab.ipynb#29.-It-watches-the-training-loss-and-never-stops).
# %%
# Take home 3: hold rows back, so that there is a val_loss
import keras
import numpy as np

x = np.random.default_rng(0).normal(size=(100, 4))
y = x.sum(axis=1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
stopper = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
settings = {"epochs": 30, "validation_split": 0.2, "verbose": 0}
history = model.fit(x, y, callbacks=[stopper], **settings)
print(*history.history, "  epochs:", len(history.epoch), "  best:", stopper.best)
# %% [markdown]
# ## 9. With validation_freq it stops late, and the best file is lost
#
# **You see:** validation is slow, so you validate every second epoch. Now patience lasts twice as long, warnings come,
# and the saved model is not the best.
#
# **People ask:** [keras#13239](https://github.com/keras-team/keras/issues/13239),
# [keras#13241](https://github.com/keras-team/keras/issues/13241).
# %% tags=["predict"]
widgets.predict("08d.p9")
# %%
every_second = {"validation_data": digits.validation, "validation_freq": 2}
skipping = [None, 0.9, None, 0.1, None, 0.2, None, 0.3, None, 0.4]
saver = ModelCheckpoint(folder / "9.keras", save_best_only=True)
saves = SaveRecorder(saver)
run = play(
    EarlyStopping(patience=2), saver, saves, val_loss=skipping, more=every_second
)
print(
    "epochs:",
    run.epochs,
    "  saved after epochs:",
    [epoch + 1 for epoch in saves.epochs],
)
widgets.reveal("08d.p9")
# %% [markdown]
# **The fix:** validate every epoch, on fewer rows if it is slow. Then both count as you do.
# %%
saver = ModelCheckpoint(folder / "9-fixed.keras", save_best_only=True)
saves = SaveRecorder(saver)
curve = [0.95, 0.9, 0.5, 0.1, 0.15, 0.2, 0.25, 0.3]
run = play(EarlyStopping(patience=2), saver, saves, val_loss=curve)
print(
    "epochs:",
    run.epochs,
    "  saved after epochs:",
    [epoch + 1 for epoch in saves.epochs],
)
# %% tags=["solution"]
assert run.epochs == 6
assert saves.epochs[-1] + 1 == 4
# %% [markdown]
# If you must skip epochs, halve the patience and put `{epoch}` into the file name, so that nothing is written over.
# Not `{val_loss}`, which an epoch without validation does not have:
# %%
saver = ModelCheckpoint(folder / "9" / "{epoch}.keras", save_best_only=True)
run = play(EarlyStopping(patience=1), saver, val_loss=skipping, more=every_second)
files = sorted(file.name for file in (folder / "9").iterdir())
print("epochs:", run.epochs, "  files:", *files)
with checks.expect_error(KeyError):
    play(
        ModelCheckpoint(folder / "{val_loss}.keras"),
        val_loss=skipping,
        more=every_second,
    )
# %% tags=["solution"]
assert (run.epochs, files) == (6, [f"{epoch}.keras" for epoch in range(1, 6)])
# %%
# Take home 9: validate every epoch, on fewer rows
import keras
import numpy as np

x = np.random.default_rng(0).normal(size=(300, 4))
y = x.sum(axis=1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
x_val, y_val = x[200:], y[200:]
few = (x_val[:20], y_val[:20])
stopper = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
settings = {"epochs": 30, "validation_data": few, "verbose": 0}
history = model.fit(x[:200], y[:200], callbacks=[stopper], **settings)
print("epochs:", len(history.epoch), "  values:", len(history.history["val_loss"]))
print("on all rows:", model.evaluate(x_val, y_val, verbose=0))
# %% [markdown]
# ## 35. The loss is 0 in an epoch, or every second epoch is short
#
# **You see:** an epoch with a loss of exactly 0, which nothing beats afterwards; or a loss that goes up and down from
# epoch to epoch. Somewhere stands a warning about data that ran out.
#
# **People ask:** [keras-io#285](https://github.com/keras-team/keras-io/issues/285),
# [tensorflow#25254](https://github.com/tensorflow/tensorflow/issues/25254),
# [keras#12773](https://github.com/keras-team/keras/issues/12773),
# [tensorflow#64076](https://github.com/tensorflow/tensorflow/issues/64076),
# [keras#23360](https://github.com/keras-team/keras/issues/23360).
# %% tags=["predict"]
widgets.predict("08d.p35")


# %%
class Steps(Callback):
    def on_train_begin(self, logs=None):
        self.counts = []

    def on_epoch_begin(self, epoch, logs=None):
        self.counts.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.counts[-1] += 1


# %% [markdown]
# First a generator that yields four batches, with `steps_per_epoch=4`. Then a `tf.data` set of four, with three.
# %%
import tensorflow as tf

some = [slice(at, at + 16) for at in range(0, 64, 16)]
once = ((digits.x_train[rows], digits.y_train[rows]) for rows in some)
steps, stopper = Steps(), EarlyStopping("loss", patience=2, restore_best_weights=True)
history = fit(once, steps_per_epoch=4, epochs=6, callbacks=[steps, stopper])
show("loss", history.history["loss"])
print("batches:", *steps.counts, "  best:", stopper.best)
# %%
four = tf.data.Dataset.from_tensor_slices((digits.x_train, digits.y_train)).batch(16)
uneven = fit(four, steps_per_epoch=3, epochs=6, callbacks=[steps])
show("loss", uneven.history["loss"])
print("batches:", *steps.counts)
widgets.reveal("08d.p35")
# %% tags=["solution"]
assert stopper.best == history.history["loss"][1] == 0.0
assert steps.counts == [3, 1, 3, 1, 3, 1]


# %% [markdown]
# **The fix:** a `tf.data` set that ends needs no `steps_per_epoch`. With it, let the data have no end: `.repeat()`, or
# `while True` in a generator.
# <!-- claim: data.test_data_without_an_end_fills_every_epoch -->
# %%
def endless():
    while True:
        yield from ((digits.x_train[rows], digits.y_train[rows]) for rows in some)


counts = []
for batches, per_epoch in [(endless(), 4), (four.repeat(), 3), (four, None)]:
    fit(batches, steps_per_epoch=per_epoch, epochs=6, callbacks=[steps])
    counts.append(steps.counts)
    print("batches:", *steps.counts)
# %% tags=["solution"]
assert counts == [[4] * 6, [3] * 6, [4] * 6]
# %%
# Take home 35: with steps_per_epoch, data that never ends
import keras
import numpy as np

x = np.random.default_rng(0).normal(size=(64, 4))
y = x.sum(axis=1)


def batches(size=16):
    while True:
        for at in range(0, len(x), size):
            yield x[at : at + size], y[at : at + size]


model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
settings = {"steps_per_epoch": 3, "epochs": 4, "shuffle": False, "verbose": 0}
print("loss:", model.fit(batches(), **settings).history["loss"])
# %% [markdown]
# ## 36. val_loss jumps with validation_steps
#
# **You see:** `val_loss` goes up and down by much, even late, when hardly a weight moves. The best epoch seems to be
# luck.
#
# **People ask:** [tensorflow#25254](https://github.com/tensorflow/tensorflow/issues/25254),
# [keras#13173](https://github.com/keras-team/keras/issues/13173).
# %% tags=["predict"]
widgets.predict("08d.p36")
# %%
import numpy as np
import tensorflow as tf

x, y = digits.x_train, digits.y_train
rows_of = tf.data.Dataset.from_tensor_slices((x, y))


def drawn():
    rng = np.random.default_rng(0)
    while True:
        rows = rng.integers(len(x), size=16)
        yield x[rows], y[rows]


# %%
kinds = {
    "shuffled": rows_of.shuffle(64, seed=1).batch(16),
    "drawn": drawn(),
    "in order, repeated": rows_of.batch(16).repeat(),
}
seen = {}
for name, rows in kinds.items():
    more = {"validation_data": rows, "validation_steps": 3, "rate": 0.0, "epochs": 5}
    seen[name] = fit(x, y, **more).history["val_loss"]
    show(name, seen[name])
widgets.reveal("08d.p36")
# %% tags=["solution"]
assert [len(set(values)) > 1 for values in seen.values()] == [True, True, False]
# %% [markdown]
# **The fix:** all rows, or always the same ones. Leave `validation_steps` out; if that is too slow, cut the set **before**
# it is shuffled, with `take`. From a generator, take the rows once and keep them as arrays.
# <!-- claim: data.test_the_same_validation_rows_each_time -->
# %%
from itertools import islice

kept = [np.concatenate(part) for part in zip(*islice(drawn(), 3), strict=True)]
fixed = {
    "all, shuffled": rows_of.shuffle(64, seed=1).batch(16),
    "take, then shuffle": rows_of.take(48).shuffle(48, seed=1).batch(16),
    "kept": tuple(kept),
}
spread = []
for name, rows in fixed.items():
    values = fit(x, y, validation_data=rows, rate=0.0, epochs=5).history["val_loss"]
    show(name, values)
    spread.append(max(values) - min(values))
# %% tags=["solution"]
assert max(spread) < 1e-5
# %%
# Take home 36: the same rows in each validation
import keras
import numpy as np
import tensorflow as tf

data_x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
data_y = data_x.sum(axis=1)
every = tf.data.Dataset.from_tensor_slices((data_x, data_y))
train = every.skip(80).shuffle(120).batch(20)
validation = every.take(80).batch(20).cache()  # no shuffle, no validation_steps
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.0), loss="mse")  # weights that stand still
settings = {"epochs": 3, "shuffle": False, "verbose": 0}
history = model.fit(train, validation_data=validation, **settings)
print("val_loss:", history.history["val_loss"])
# %% [markdown]
# ## 39. validation_split on sorted data, and val_loss only rises
#
# **You see:** the training loss falls, `val_loss` is high and rises from the first epoch, `val_accuracy` is near 0, and
# `EarlyStopping` ends it at once. `shuffle=True` changes nothing.
#
# **People ask:** [keras#597](https://github.com/keras-team/keras/issues/597),
# [keras#4298](https://github.com/keras-team/keras/issues/4298),
# [keras#8346](https://github.com/keras-team/keras/issues/8346),
# [keras#20946](https://github.com/keras-team/keras/issues/20946).
#
# Here are 300 digits, first all 0, then all 1, and so on to 9.
# %% tags=["predict"]
widgets.predict("08d.p39")
# %%
import numpy as np

more = data.load_digits(train_rows=300)
order = np.argsort(more.y_train, kind="stable")
x, y = more.x_train[order], more.y_train[order]
stopper = EarlyStopping(patience=3, restore_best_weights=True)
settings = {"validation_split": 0.2, "epochs": 12, "rate": 0.5, "shuffle": True}
history = fit(x, y, callbacks=[stopper], **settings).history
for name in ["loss", "val_loss", "val_accuracy"]:
    show(name, history[name])
# %% [markdown]
# The model holds the weights of epoch 1 again. Which rows give that `val_loss`?
# %%
print("the kept val_loss:", f"{stopper.best:.4f}")
last = slice(-60, None)
print("on the last 60 rows:", f"{toy.evaluate(x[last], y[last], verbose=0)[0]:.4f}")
print("the digits among them:", sorted(set(y[last].tolist())))
widgets.reveal("08d.p39")
# %% tags=["solution"]
assert len(history["loss"]) == 4
assert max(history["val_accuracy"]) == 0
assert abs(toy.evaluate(x[last], y[last], verbose=0)[0] - stopper.best) < 1e-4
# %% [markdown]
# **The fix:** mix the rows once, before `fit`. (Rows in the order of time are better left so: then the last ones are the
# right ones to validate on.)
# %%
mixed = np.random.default_rng(0).permutation(len(x))
history = fit(x[mixed], y[mixed], callbacks=[stopper], **settings).history
for name in ["loss", "val_loss", "val_accuracy"]:
    show(name, history[name])
# %% tags=["solution"]
assert len(history["loss"]) == 12
assert history["val_accuracy"][-1] > 0.85
# %%
# Take home 39: mix the rows before validation_split cuts the last ones off
import keras
import numpy as np

y = np.repeat([0, 1], 100)  # sorted
x = np.random.default_rng(0).normal(size=(200, 4)) + y[:, None]
mixed = np.random.default_rng(1).permutation(len(x))
x, y = x[mixed], y[mixed]  # one order for both
print("the classes in the last fifth:", np.unique(y[-40:]))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy")
history = model.fit(x, y, validation_split=0.2, epochs=5, verbose=0)
print("val_loss:", history.history["val_loss"])
# %% [markdown]
# ## 40. Class weights, and val_loss does not know them
#
# **You see:** you gave `class_weight`, since one class is rare. `loss` and `val_loss` are on different scales, and the
# restored model misses the rare class.
#
# **People ask:** [keras#5616](https://github.com/keras-team/keras/issues/5616),
# [keras#8591](https://github.com/keras-team/keras/issues/8591),
# [tensorflow#42647](https://github.com/tensorflow/tensorflow/issues/42647).
#
# Is it an 8? One digit in ten is. A missed one is to cost nine times as much.
# %%
import numpy as np

more = data.load_digits(train_rows=300)
x, y = more.x_train, (more.y_train == 8).astype("float32")
x_val, y_val = more.x_validation, (more.y_validation == 8).astype("float32")
weights, weights_val = np.where(y == 1, 9.0, 1.0), np.where(y_val == 1, 9.0, 1.0)
rare = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1, "sigmoid")])
rare.compile("sgd", loss="binary_crossentropy")
begin = rare.get_weights()


def train(rate=1.0, epochs=60, **todo):
    rare.set_weights(begin)
    rare.optimizer.learning_rate = rate
    stopper = EarlyStopping(patience=5, restore_best_weights=True)
    settings = {"batch_size": 100, "callbacks": [stopper], "verbose": 0}
    settings["shuffle"] = False
    return stopper, rare.fit(x, y, epochs=epochs, **settings, **todo).history


# %% tags=["predict"]
widgets.predict("08d.p40")
# %% [markdown]
# The rate is 0, so both runs judge the same weights. The last 60 rows are the ones that `validation_split` takes.
# %%
for name, given in [
    ("class_weight", {"class_weight": {0: 1.0, 1: 9.0}}),
    ("sample_weight", {"sample_weight": weights}),
]:
    _, history = train(0.0, 1, validation_split=0.2, **given)
    show(f"{name}, val_loss", history["val_loss"])
last = {"x": x[-60:], "y": y[-60:], "batch_size": 60, "verbose": 0}
plain, weighted = (
    rare.evaluate(**last, sample_weight=some) for some in [None, weights[-60:]]
)
print(f"these rows, plain: {plain:.4f}   weighted: {weighted:.4f}")
widgets.reveal("08d.p40")
# %% tags=["solution"]
assert abs(history["val_loss"][0] - weighted) < 1e-4 < abs(weighted - plain)
# %% [markdown]
# **The fix:** give the validation rows their weights, as a third part of `validation_data`. Then stopping and training
# want the same.
# %%
found = []
for validation in [(x_val, y_val), (x_val, y_val, weights_val)]:
    todo = {"class_weight": {0: 1.0, 1: 9.0}, "validation_data": validation}
    stopper, history = train(**todo)
    eights = rare.predict(x_val[y_val == 1], verbose=0)[:, 0] > 0.5
    found.append(eights.mean())
    print("parts:", len(validation), "  epochs:", len(history["loss"]), end="  ")
    print("best epoch:", stopper.best_epoch + 1, f"  eights found: {found[-1]:.0%}")
# %% tags=["solution"]
assert found[0] + 0.1 < found[1]
assert (
    abs(
        rare.evaluate(x_val, y_val, sample_weight=weights_val, verbose=0) - stopper.best
    )
    < 1e-4
)
# %%
# Take home 40: weights for the validation rows too
import keras
import numpy as np

weight = {0: 1.0, 1: 9.0}
x = np.random.default_rng(0).normal(size=(400, 4)).astype("float32")
y = (x.sum(axis=1) > 2.5).astype("float32")  # 1 is rare
weights = np.vectorize(weight.get)(y.astype(int))
half = slice(0, 200), slice(200, 400)
validation = (x[half[1]], y[half[1]], weights[half[1]])
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
model.compile("adam", loss="binary_crossentropy")
settings = {"class_weight": weight, "validation_data": validation, "verbose": 0}
history = model.fit(x[half[0]], y[half[0]], epochs=3, **settings).history
print("loss:    ", history["loss"])
print("val_loss:", history["val_loss"])
# %% [markdown]
# ## Key takeaways
#
# - A callback knows one number an epoch. Ask which rows it came from, whether they were the same in each epoch, and
#   whether they are like those you care about.
# - Without a value, or without data, Keras warns and goes on. Read the log of the first epochs.
# - Split the data yourself, and pass `validation_data`: then nothing about it is a surprise.
# %% [markdown]
# ## Where next
#
# Back to [the index](08_pitfall_lab.ipynb#Index), or on to
# [troubles with the learning rate](08e_learning_rate.ipynb).
