# %% [markdown]
# # Find your trouble: loading and resuming
#
# **You will** see one of 8 troubles with loading a file and going on from it happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The index of all is in [the pitfall lab](08_pitfall_lab.ipynb). The minutes are for one trouble.
#
# **Minutes:** 7
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("08g")
import keras
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

# %% [markdown]
# ## Tools
#
# `build` makes a small model, always with the same first weights. `play` fits it for real, in epochs of two batches,
# but the validation loss is ours: `Script` stands first in the list and writes it into `logs`. `SaveRecorder` looks
# at the disk after each epoch and notes when a file was really written.
# %%
digits = data.load_digits(train_rows=60, batch_size=30)
folder = lesson.new_folder("08g")


class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


# %%
def build(optimizer="sgd"):
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, activation="softmax")]
    )
    # Eager is slow for real work and quick to start: right for fits of a few steps.
    settings = {
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "run_eagerly": True,
    }
    model.compile(optimizer, **settings)
    return model


# %%
from helpers.callbacks import SaveRecorder


def play(values, *callbacks, model=None):
    if model is None:
        model = build()
    callbacks = [Script(values), *callbacks]
    return model.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)


def printed(epochs):
    return [epoch + 1 for epoch in epochs]  # people count from 1


# %% [markdown] tags=["instructor"]
# Not for reading in order. In a class, let each pair draw two numbers, spend six minutes on them, and then tell the
# others symptom, cause and fix in one minute. Numbers 20 and 49 promise the best stories, 27 and 52 the longest faces.
# %% [markdown]
# ## 8. BackupAndRestore forgets the best
#
# **You see:** `BackupAndRestore` brings a broken training back: epoch, weights, optimizer. But patience starts anew,
# and the best file is overwritten by a worse model.
#
# **People ask:** [keras#17012](https://github.com/keras-team/keras/issues/17012), still open.
# %% tags=["predict"]
widgets.predict("08g.p8")
# %% [markdown]
# First the power cut: an interrupt when epoch 4 begins. The best value came in epoch 1.
# %%
import shutil

from keras.callbacks import BackupAndRestore

home, values = lesson.new_folder("08g"), [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def power_cut(epoch, logs):
    if epoch == 3:
        raise KeyboardInterrupt("a power cut")


cut = LambdaCallback(on_epoch_begin=power_cut)
stopper = EarlyStopping(patience=3)
saver = ModelCheckpoint(home / "best.keras", save_best_only=True)
with checks.expect_error(KeyboardInterrupt):
    play(values, stopper, saver, BackupAndRestore(home / "backup"), cut)
print("waited:", stopper.wait, "  best:", stopper.best)
# %% [markdown]
# Then the restart, as a new program would do it. (It goes on in a copy of the folder: run the cell as often as you
# like.)
# %%
again = lesson.new_folder("08g")
shutil.copytree(home, again, dirs_exist_ok=True)
stopper = EarlyStopping(patience=3)
saver = ModelCheckpoint(again / "best.keras", save_best_only=True)
saves, model, backup = SaveRecorder(saver), build(), BackupAndRestore(again / "backup")
history = play(values, stopper, saver, saves, backup, model=model)
print("epochs that ran now:", printed(history.epoch), "  best:", stopper.best)
print("best.keras was overwritten after epoch", *printed(saves.epochs))
widgets.reveal("08g.p8")
# %% tags=["solution"]
assert (stopper.best, saves.epochs, history.epoch) == (2.0, [3], [3, 4, 5, 6])
# %% [markdown]
# **The fix:** for the file: `initial_value_threshold`. For the stopper: write its state down after each epoch, beside
# the old state and then over it in one step, and read it when training begins. (Not together with
# `restore_best_weights`: the best weights are not written down. Load the best file instead.)
# %%
import json
import os
from pathlib import Path


# %%
class Remembering(EarlyStopping):
    def __init__(self, file, **settings):
        super().__init__(**settings)
        self.file = Path(file)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if self.file.exists():
            self.wait, self.best, self.best_epoch = json.loads(self.file.read_text())

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps([self.wait, self.best, self.best_epoch]))
        os.replace(new, self.file)  # a kill leaves the old state or the new one

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self.file.unlink(missing_ok=True)  # training is over: the next one begins anew


# %% [markdown]
# `start` serves for the first start and for the next, since it asks whether there is something to remember:
# %%
def start(place, *more):
    file = place / "stopper.json"
    best = json.loads(file.read_text())[1] if file.exists() else None
    stopper = Remembering(file, patience=3)
    saver = ModelCheckpoint(
        place / "best.keras", save_best_only=True, initial_value_threshold=best
    )
    saves = SaveRecorder(saver)
    backup = BackupAndRestore(place / "backup")
    history = play(values, stopper, saver, saves, backup, *more)
    return stopper.best, saves.epochs, history.epoch


# %% [markdown]
# The same cut, the same restart:
# %%
place = lesson.new_folder("08g")
with checks.expect_error(KeyboardInterrupt):
    start(place, cut)
best, saved, ran = start(place)
print("epochs that ran now:", printed(ran), "  best:", best)
print("best.keras was overwritten after epoch:", *(printed(saved) or ["none"]))
# %% tags=["solution"]
assert (best, saved, ran) == (1.0, [], [3])
assert [path.name for path in place.iterdir()] == ["best.keras"]
# %% [markdown]
# **Two more surprises.** A model without an input shape is refused. And a restored model keeps its first epoch in
# mind: a later `fit` of the same model begins there too. A shorter one trains nothing, a longer one only its last
# epochs, and neither says so. Make a new model for it.
# <!-- claim: resuming.test_a_restored_model_keeps_its_first_epoch -->
# %%
shapeless = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
shapeless.compile("sgd", loss="sparse_categorical_crossentropy")
with checks.expect_error(ValueError):
    shapeless.fit(digits.train, callbacks=[BackupAndRestore(home / "other")], verbose=0)

for epochs, expected in ((2, []), (5, [3, 4])):
    later = model.fit(digits.train, epochs=epochs, verbose=0)
    print("asked for", epochs, "epochs, ran", printed(later.epoch) or "none")
    assert later.epoch == expected, f"expected {expected}: is this another Keras?"
# %% [markdown]
# Its folder has three traps of its own: it is deleted whole, another training goes on from it, and an integer
# `save_freq` repeats half an epoch. See [trouble
# 49](#49.-The-backup-folder-deletes,-resumes-or-repeats-too-much). `ResumeState` of [lesson
# 09](09_survive_a_kill.ipynb) brings all callbacks back.
# %%
# Take home 8: the best survives a restart; start this cell again after a crash
import os

import keras
import numpy as np

x = np.random.default_rng(1).normal(size=(60, 4))
settings = {"validation_split": 0.5, "epochs": 3, "verbose": 0}
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
best, old = "runs/8/best.keras", None
if os.path.exists(best):
    old = keras.models.load_model(best).evaluate(x[30:], x[30:, :1], verbose=0)
backup = keras.callbacks.BackupAndRestore("runs/8/backup")
saver = keras.callbacks.ModelCheckpoint(
    best, save_best_only=True, initial_value_threshold=old
)
model.fit(x, x[:, :1], callbacks=[backup, saver], **settings)
print("had to beat:", old, "  best now:", saver.best)
# %% [markdown]
# ## 20. The reloaded model evaluates differently
#
# **You see:** the log said 0.42, the file says 0.61. Is saving broken?
#
# **People ask:** [keras#9933](https://github.com/keras-team/keras/issues/9933),
# [handson-ml2#258](https://github.com/ageron/handson-ml2/issues/258) and
# [handson-ml2#298](https://github.com/ageron/handson-ml2/issues/298).
# %% tags=["predict"]
widgets.predict("08g.p20")


# %% [markdown]
# `Centre` subtracts a number that it keeps in an attribute.
# %%
class Centre(keras.layers.Layer):
    mean = 0.0

    def set_mean(self, value):
        self.mean = value

    def call(self, x):
        return x - self.mean


# %% [markdown]
# Train, save, load, evaluate both:
# %%
def saved_and_loaded(layer, mean):
    keras.utils.set_random_seed(8)
    answer = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), layer, answer])
    model.compile("adam", loss="sparse_categorical_crossentropy", run_eagerly=True)
    if mean is not None:
        layer.set_mean(mean)
    model.fit(digits.train, epochs=2, verbose=0)
    model.save(folder / "20.keras")
    known = {type(layer).__name__: type(layer)}
    loaded = keras.models.load_model(folder / "20.keras", custom_objects=known)
    return [one.evaluate(digits.validation, verbose=0) for one in (model, loaded)]


# %% [markdown]
# Validation loss in memory, and of the file; first with a layer that does nothing, then with ours.
# %%
without = saved_and_loaded(keras.layers.Identity(), None)
print("without the layer:", without)
centred = saved_and_loaded(Centre(), 1.0)
print("with the layer:   ", centred)
widgets.reveal("08g.p20")
# %% tags=["solution"]
assert abs(without[0] - without[1]) < 1e-6
assert abs(centred[0] - centred[1]) > 1e-3


# %% [markdown]
# **The fix:** make state a weight that is not trained.
# %%
class KeptCentre(keras.layers.Layer):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def set_mean(self, value):
        self.mean.assign(value)

    def call(self, x):
        return x - self.mean


kept = saved_and_loaded(KeptCentre(), 1.0)
print("as a weight:", kept)
# %% tags=["solution"]
assert abs(kept[0] - kept[1]) < 1e-6
# %% [markdown]
# **No layer of your own?** Three more causes are at work before the model is even asked. The first: what is compared is
# not the same. Take the same rows, a validation value (a printed **training** loss is a mean over the epoch: [trouble
# 18](08a_stopping.ipynb#18.-The-restored-model-does-not-have-the-loss-that-was-printed)), and the epoch that was saved
# ([trouble 1](08_pitfall_lab.ipynb#1.-Training-ends-with-the-last-model,-not-the-best)).
# %% [markdown]
# The second: **labels** that get other numbers. A `set` of names has another order in the next Python. Two sessions,
# one model:
# %%
import os
import subprocess
import sys

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PROGRAM = f"print(*set({WORDS}))"


def session(seed):  # without the seed, Python draws one at each start
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, env=environment, text=True
    )
    return done.stdout.split()


# %%
import numpy as np

x, words = digits.x_train, [WORDS[digit] for digit in digits.y_train]
monday, tuesday = session("1"), session("2")
print("the first names:", monday[:4], "on Monday,", tuesday[:4], "on Tuesday")


def numbers(names):
    return np.array([names.index(word) for word in words])


model = build(keras.optimizers.Adam(0.1))
model.fit(x, numbers(monday), epochs=10, batch_size=len(x), verbose=0)
model.save(folder / "labels.keras")
loaded = keras.models.load_model(folder / "labels.keras")
right = []
for names in (monday, tuesday):
    right.append(loaded.evaluate(x, numbers(names), verbose=0)[1])
print("right with the names of Monday: {:.0%}, of Tuesday: {:.0%}".format(*right))
# %% tags=["solution"]
assert right[0] > 0.8 > 0.4 > right[1]
# %% [markdown]
# The third: **preprocessing** with numbers that are computed anew, such as the mean of the rows at hand. They belong
# in the file: a `Normalization` layer keeps its mean as a weight. Here only the rows of one class are at hand:
# %%
one_class = x[digits.y_train == 1]
layer = keras.layers.Normalization()
layer.adapt(x)
dense = keras.layers.Dense(10, activation="softmax")
inside = keras.Sequential([keras.Input((64,)), layer, dense])
inside.save(folder / "scaled.keras")
scaled = keras.models.load_model(folder / "scaled.keras")
same = np.array_equal(scaled(one_class), inside(one_class))
by_hand = (one_class - one_class.mean(axis=0)) / (one_class.std(axis=0) + 1e-7)
other = np.allclose(layer(one_class), by_hand, atol=0.1)
print("layer in the file: same predictions,", same)
print("mean of the rows at hand: same numbers for the model,", other)
# %% tags=["solution"]
assert same
assert not other
# %% [markdown]
# So: `sorted(set(names))`, written down beside the model, and preprocessing as layers of the model.
# <!-- claim: files.test_normalization_is_in_the_file -->
# %%
# Take home 20: names in a fixed order, and the scaling inside the model
import json
from pathlib import Path

import keras
import numpy as np

place = Path("runs/20")
place.mkdir(parents=True, exist_ok=True)
x = np.random.default_rng(1).normal(5, 3, size=(60, 4))
words = np.where(x[:, 0] > 5, "large", "small")
names = sorted(set(words.tolist()))  # never the order of a set
scale = keras.layers.Normalization()
scale.adapt(x)
model = keras.Sequential([keras.Input((4,)), scale, keras.layers.Dense(2)])
model.save(place / "model.keras")
(place / "names.json").write_text(json.dumps(names))
again = keras.models.load_model(place / "model.keras")
print(json.loads((place / "names.json").read_text()))
print(np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0)))
# %% [markdown]
# ## 27. Resuming starts anew, or trains nothing
#
# **You see:** the model is loaded, training goes on, and the loss jumps; or `fit` returns at once, with an empty
# history.
#
# **People ask:** [keras#1872](https://github.com/keras-team/keras/issues/1872) and
# [keras#12891](https://github.com/keras-team/keras/issues/12891).
# %% tags=["predict"]
widgets.predict("08g.p27")


# %% [markdown]
# Six epochs that nobody interrupts, saved after each, in steps large enough to see the jump. Then three ways of
# resuming after the third that go wrong.
# %%
def adam():
    return keras.optimizers.Adam(0.1)


home = folder / "27"
savers = [
    ModelCheckpoint(home / "{epoch}.keras"),
    ModelCheckpoint(home / "{epoch}.weights.h5", save_weights_only=True),
]
unbroken = (
    build(adam())
    .fit(digits.train, epochs=6, callbacks=savers, verbose=0)
    .history["loss"]
)
print("loss in epochs 3 and 4:", unbroken[2:4])
# %% [markdown]
# "Three more epochs", compiling again, and loading weights alone:
# %%
model = keras.models.load_model(home / "3.keras")
history = model.fit(digits.train, initial_epoch=3, epochs=3, verbose=0)
print("three more epochs?", history.history)

model.compile(adam(), loss="sparse_categorical_crossentropy", run_eagerly=True)
fresh = build(adam())
fresh.load_weights(home / "3.weights.h5")
forgot = {}
for name, wrong in (("compiled again", model), ("load_weights", fresh)):
    steps = int(wrong.optimizer.iterations)
    loss = wrong.fit(digits.train, initial_epoch=3, epochs=4, verbose=0).history["loss"]
    forgot[name] = (steps, loss[0])
    print(f"{name}: Adam remembers {steps} steps, loss in epoch 4:", loss)
widgets.reveal("08g.p27")
# %% tags=["solution"]
assert history.history == {}
assert all(steps == 0 and loss > unbroken[3] + 0.1 for steps, loss in forgot.values())
# %% [markdown]
# **The fix:** a `.keras` file, `load_model`, no `compile`, and count on.
# %%
model = keras.models.load_model(home / "3.keras")
print("steps that it remembers:", int(model.optimizer.iterations))
history = model.fit(digits.train, initial_epoch=3, epochs=6, verbose=0)
print("resumed: ", history.history["loss"])
print("unbroken:", unbroken[3:])
# %% tags=["solution"]
assert (
    max(abs(a - b) for a, b in zip(history.history["loss"], unbroken[3:], strict=True))
    < 1e-5
)
# %% [markdown]
# Only weights at hand? `model.optimizer.build(model.trainable_variables)` before `load_weights` makes the room:
# [lesson 03b](03b_resume.ipynb) shows it.
# %%
# Take home 27: go on where the file ends
from pathlib import Path

import keras
import numpy as np

place, x = Path("runs/27"), np.random.default_rng(1).normal(size=(60, 4))
place.mkdir(parents=True, exist_ok=True)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("adam", loss="mse")
model.fit(x, x[:, :1], epochs=3, verbose=0)
model.save(place / "3.keras")

model = keras.models.load_model(place / "3.keras")  # no compile after it
history = model.fit(x, x[:, :1], initial_epoch=3, epochs=6, verbose=0)
print("epochs:", [epoch + 1 for epoch in history.epoch])
print("steps in all:", int(model.optimizer.iterations))
# %% [markdown]
# ## 46. The file cannot be loaded, for a function or layer of my own
#
# **You see:** training went well, the best model is saved, and `load_model` ends in a `TypeError` about a function,
# a class, or "could not be deserialized properly".
#
# **People ask:** [keras#21046](https://github.com/keras-team/keras/issues/21046) and
# [keras#20820](https://github.com/keras-team/keras/issues/20820).
# %% tags=["predict"]
widgets.predict("08g.p46")


# %% [markdown]
# A metric of our own, and a checkpoint:
# %%
def rmse(truth, guesses):
    truth = keras.ops.cast(truth, guesses.dtype)
    return keras.ops.sqrt(keras.ops.mean((truth - guesses) ** 2))


def train_and_save(path, metric, *layers):
    keras.utils.set_random_seed(8)
    model = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(1)])
    model.compile("adam", loss="mse", metrics=[metric], run_eagerly=True)
    saver = ModelCheckpoint(path, monitor="loss", save_best_only=True)
    model.fit(digits.train, callbacks=[saver], verbose=0)
    return model


path = folder / "46.keras"
model = train_and_save(path, rmse)
with checks.expect_error(TypeError):
    keras.models.load_model(path)
# %% [markdown]
# Without what `compile` was given:
# %%
bare = keras.models.load_model(path, compile=False)
x = digits.x_train[:5]
print("same predictions:", (bare(x) == model(x)).numpy().all())
with checks.expect_error(ValueError):
    bare.fit(digits.train, verbose=0)
widgets.reveal("08g.p46")
# %% [markdown]
# **The fix:** name the function when you load. The optimizer's memory comes back too:
# %%
loaded = keras.models.load_model(path, custom_objects={"rmse": rmse})
print("steps that it remembers:", int(loaded.optimizer.iterations))
# %% tags=["solution"]
assert loaded.optimizer.iterations == 2


# %% [markdown]
# Or register it, before it is saved and before it is loaded: put the decorated code into a module that both programs
# import. Then nothing has to be named.
# %%
@keras.saving.register_keras_serializable("course")
def rmse_registered(truth, guesses):
    return rmse(truth, guesses)


train_and_save(path, rmse_registered)
loaded = keras.models.load_model(path)
print(*loaded.evaluate(digits.train, return_dict=True, verbose=0))


# %% [markdown]
# **A layer of your own** needs more: it is made anew, by `Layer(**config)`. The message is long; its cause stands in
# the last line. This layer is named, and refused all the same:
# %%
class Times(keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor


train_and_save(path, "mae", Times(2.0))
try:
    keras.models.load_model(path, custom_objects={"Times": Times})
except TypeError as error:
    first, *_, last = str(error).splitlines()
    print(first[:88], "...", last, sep="\n")


# %% [markdown]
# `**settings` takes what every layer has (`name`, `dtype`, `trainable`), and `get_config` gives back what `__init__`
# was told:
# %%
class KeptTimes(keras.layers.Layer):
    def __init__(self, factor, **settings):
        super().__init__(**settings)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


train_and_save(path, "mae", KeptTimes(2.0))
loaded = keras.models.load_model(path, custom_objects={"KeptTimes": KeptTimes})
print("factor:", loaded.layers[0].factor)
# %% tags=["solution"]
assert loaded.layers[0].factor == 2.0


# %% [markdown]
# **The worse form:** the layer is given an array or another layer, and has no `get_config`. Then the save itself
# fails, when the first epoch is over, and it has emptied the good file before.
# <!-- claim: files.test_a_layer_that_cannot_be_saved_empties_the_file -->
# %%
class Plus(keras.layers.Layer):
    def __init__(self, table, **settings):
        super().__init__(**settings)
        self.table = table

    def call(self, x):
        return x + self.table


print("before:", path.stat().st_size, "bytes")
with checks.expect_error(NotImplementedError):
    train_and_save(path, "mae", Plus(digits.x_train.mean(axis=0)))
print("after: ", path.stat().st_size, "bytes")
# %% tags=["solution"]
assert path.stat().st_size == 0
# %% [markdown]
# So try `model.save` and `load_model` once before the long training, with a name of its own.
# %%
# Take home 46: a layer that loads without being named (a loss or metric: the same line)
import keras


@keras.saving.register_keras_serializable("mine")
class Scaled(keras.layers.Layer):
    def __init__(self, factor, **settings):
        super().__init__(**settings)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


model = keras.Sequential([keras.Input((4,)), Scaled(2.0)])
again = keras.models.model_from_json(model.to_json())  # as load_model does it
print(again.layers[0].factor)
# %% [markdown]
# ## 47. A Lambda layer is refused on loading
#
# **You see:** `load_model` speaks of a "potential risk of arbitrary code execution", though the file is your own.
#
# **People ask:** [keras#18284](https://github.com/keras-team/keras/issues/18284) and
# [tf-keras#44](https://github.com/keras-team/tf-keras/issues/44).
# %% tags=["predict"]
widgets.predict("08g.p47")
# %%
factor = 3.0


def build_with(layer):
    keras.utils.set_random_seed(8)
    answer = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), layer, answer])
    model.compile("sgd", loss="sparse_categorical_crossentropy", run_eagerly=True)
    return model


path = folder / "47.keras"
old = build_with(keras.layers.Lambda(lambda x: x * factor))
old.fit(digits.train, verbose=0)
old.save(path)
with checks.expect_error(ValueError):
    keras.models.load_model(path)
# %% [markdown]
# We made the file ourselves, so we may do what the message says. Load, and use it:
# %%
loaded = keras.models.load_model(path, safe_mode=False)
print("it is loaded:", loaded.name)
with checks.expect_error(NameError):
    loaded.predict(digits.x_train[:5], verbose=0)
widgets.reveal("08g.p47")
# %% tags=["solution"]
assert "factor" in globals()


# %% [markdown]
# **The fix:** a layer with a name, whose numbers stand in its config (or one of Keras's own: `Rescaling(3.0)`). The
# weights of the old file fit into the new model, so nothing has to be trained again:
# %%
@keras.saving.register_keras_serializable("course")
class Multiply(keras.layers.Layer):
    def __init__(self, by, **settings):
        super().__init__(**settings)
        self.by = by

    def call(self, x):
        return x * self.by

    def get_config(self):
        return {**super().get_config(), "by": self.by}


new = build_with(Multiply(factor))
new.load_weights(path)  # takes a .keras file too, and runs no code out of it
new.save(folder / "47-new.keras")
again = keras.models.load_model(folder / "47-new.keras")
rows = digits.x_train[:5]
same = (again.predict(rows, verbose=0) == old.predict(rows, verbose=0)).all()
print("loaded without a word, same predictions:", same)
# %% tags=["solution"]
assert same
# %% [markdown]
# Leave `safe_mode` on for files of others: [lesson 03c](03c_with_care.ipynb) shows code out of a file at work.
# `keras.config.enable_unsafe_deserialization()` takes the guard away for the whole program.
# <!-- claim: files.test_safe_mode -->
# %%
# Take home 47: out of a file with a Lambda layer, into one without
from pathlib import Path

import keras


def make(layer):
    return keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])


Path("runs").mkdir(exist_ok=True)
make(keras.layers.Lambda(lambda x: x / 255)).save("runs/47-old.keras")

model = make(keras.layers.Rescaling(1 / 255))  # the same, as a layer of Keras
model.load_weights("runs/47-old.keras")
model.save("runs/47.keras")
print(keras.models.load_model("runs/47.keras").layers[0].name)
# %% [markdown]
# ## 49. The backup folder deletes, resumes or repeats too much
#
# **You see:** the checkpoints are gone after a good training; or a new fold begins in the middle, far too good; or a
# resumed run has made more steps than it should.
#
# No thread was found. Keras's documentation of `BackupAndRestore` says that the folder cannot be used for anything
# else, and not what happens if it is.
# %% tags=["predict"]
widgets.predict("08g.p49")
# %% [markdown]
# Fold 1 is interrupted when epoch 3 begins, then fold 2 starts.
# %%
from keras.callbacks import BackupAndRestore

home = lesson.new_folder("08g")


def interrupt(epoch, logs):
    if epoch == 2:
        raise KeyboardInterrupt("the stop button")


first, second = build(), build()
stop = LambdaCallback(on_epoch_begin=interrupt)
with checks.expect_error(KeyboardInterrupt):
    play([1.0] * 4, BackupAndRestore(home / "backup"), stop, model=first)

began = []
look = LambdaCallback(on_epoch_begin=lambda epoch, logs: began.append(epoch))
history = play([1.0] * 4, BackupAndRestore(home / "backup"), look, model=second)
print("fold 2 ran the epochs", printed(history.epoch))
widgets.reveal("08g.p49")
# %% tags=["solution"]
assert history.epoch == began == [2, 3]
# %% [markdown]
# **Deleted:** the checkpoint of the best model stands in the same folder.
# <!-- claim: production.test_the_backup_takes_foreign_files_with_it -->
# %%
shared = home / "shared"
saver = ModelCheckpoint(shared / "best.keras", save_best_only=True)
play([1.0, 2.0], saver, BackupAndRestore(shared))
print("saved with", saver.best, "  there now:", shared.exists())
# %% tags=["solution"]
assert not shared.exists()


# %% [markdown]
# **Repeated:** `save_freq=1` saves after each batch, so little should be lost. Two batches make an epoch, and the
# interrupt comes in the middle of epoch 2. Three epochs are six steps.
# <!-- claim: production.test_the_place_in_the_epoch_is_not_used -->
# %%
def in_the_middle(batch, logs):
    if model.optimizer.iterations == 3:
        raise KeyboardInterrupt("in the middle of epoch 2")


model, backup = build(), BackupAndRestore(home / "often", save_freq=1)
stop = LambdaCallback(on_train_batch_begin=in_the_middle)
with checks.expect_error(KeyboardInterrupt):
    play([1.0] * 3, backup, stop, model=model)
model = build()
play([1.0] * 3, BackupAndRestore(home / "often", save_freq=1), model=model)
steps = int(model.optimizer.iterations)
print("steps of the weights:", steps)
# %% tags=["solution"]
assert steps == 7
# %% [markdown]
# The folder knows the batch, and nobody reads it: the whole epoch runs again, on weights from its middle.
#
# **The fix:** a folder for each training (each fold, each set of settings), with nothing else in it, and the default
# `save_freq="epoch"`. For a new attempt delete the folder first.
# %%
for fold in (1, 2):
    backup = BackupAndRestore(home / f"backup-{fold}")
    saver = ModelCheckpoint(home / f"best-{fold}.keras", save_best_only=True)
    history = play([1.0, 2.0], saver, backup)
    print("fold", fold, "ran", printed(history.epoch))
print(*sorted(path.name for path in home.glob("b*")))
# %% tags=["solution"]
assert {path.name for path in home.glob("b*")} == {"best-1.keras", "best-2.keras"}
# %%
# Take home 49: a backup folder for each fold, and nothing else in it
import shutil
from pathlib import Path

import keras
import numpy as np

place, x = Path("runs/49"), np.random.default_rng(1).normal(size=(60, 4))
begin_anew = True  # False after a crash: then it goes on
if begin_anew:
    shutil.rmtree(place, ignore_errors=True)
for fold in (1, 2):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    backup = keras.callbacks.BackupAndRestore(place / f"backup-{fold}")
    saver = keras.callbacks.ModelCheckpoint(place / f"best-{fold}.keras")
    model.fit(x, x[:, :1], epochs=2, callbacks=[backup, saver], verbose=0)
print(*sorted(path.name for path in place.iterdir()))
# %% [markdown]
# ## 52. load_model finds no model config in the file
#
# **You see:** the checkpoint is there, and `load_model` says `No model config found in the file`.
#
# **People ask:** [keras#5231](https://github.com/keras-team/keras/issues/5231),
# [keras#6937](https://github.com/keras-team/keras/issues/6937) and
# [keras#18728](https://github.com/keras-team/keras/issues/18728).
# %% tags=["predict"]
widgets.predict("08g.p52")


# %% [markdown]
# A model of two layers; only its weights are saved.
# %%
def stack(*units):
    keras.utils.set_random_seed(8)
    layers = [keras.layers.Dense(one) for one in units]
    model = keras.Sequential([keras.Input((64,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss, run_eagerly=True)
    return model


path = folder / "52.weights.h5"
saver = ModelCheckpoint(path, monitor="loss", save_weights_only=True)
model = stack(16, 10)
model.fit(digits.train, callbacks=[saver], verbose=0)
with checks.expect_error(ValueError):
    keras.models.load_model(path)
# %% [markdown]
# A weights file holds numbers, and not which layers they belong to: `load_weights` needs the model. From memory, once
# with a layer too many and once with one too few:
# %%
with checks.expect_error(ValueError):
    stack(16, 16, 10).load_weights(path)
short = stack(16)
print("one too few:", short.load_weights(path))
guesses = short.predict(digits.x_train[:5], verbose=0)
print("its output:", guesses.shape)
widgets.reveal("08g.p52")
# %% [markdown]
# **The fix:** let one function make the model, for training and for loading, and check what you loaded against a
# number that you know.
# %%
known = model.evaluate(digits.train, verbose=0)
again = stack(16, 10)
again.load_weights(path)
value = again.evaluate(digits.train, verbose=0)
print("known:", known, "  loaded:", value)
# %% tags=["solution"]
assert abs(known - value) < 1e-6
# %% [markdown]
# Or save the whole model, as `.keras`. Nobody has the function any more? The file's names and shapes tell which layers
# to write (`h5py` comes with Keras):
# %%
import h5py

with h5py.File(path) as file:
    names = []
    file["layers"].visititems(lambda name, one: names.append((name, one)))
    for name, one in names:
        if isinstance(one, h5py.Dataset):
            print(name, one.shape)
# %%
# Take home 52: one function makes the model, for training and for loading
from pathlib import Path

import keras


def make():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    return model


Path("runs").mkdir(exist_ok=True)
x = keras.random.normal((60, 4), seed=1)
model = make()
model.fit(x, x[:, :1], verbose=0)
model.save_weights("runs/52.weights.h5")
again = make()
again.load_weights("runs/52.weights.h5")  # not load_model
print(model.evaluate(x, x[:, :1], verbose=0), again.evaluate(x, x[:, :1], verbose=0))
# %% [markdown]
# ## 59. OrbaxCheckpoint on TensorFlow loads other weights
#
# **You see:** `OrbaxCheckpoint` saved, `load_model(folder)` loads without a word, even the optimizer's step count is
# right, and the model guesses.
#
# **People ask:** [keras#23251](https://github.com/keras-team/keras/issues/23251), about JAX; with TensorFlow it is the
# same.
# %% tags=["predict"]
widgets.predict("08g.p59")
# %% [markdown]
# `OrbaxCheckpoint` writes the model's state tree, and loading puts that tree into a model rebuilt from JSON.
# Both steps are plain Keras, so Orbax, which is not part of the course, is not needed to see them:
# %%
import numpy as np


def like_orbax(model):
    rebuilt = keras.models.model_from_json(model.to_json())
    rebuilt.set_state_tree(model.get_state_tree())
    pairs = zip(rebuilt.get_weights(), model.get_weights(), strict=True)
    return rebuilt, sum(np.array_equal(one, other) for one, other in pairs)


# %%
def sequential(**names):
    first = keras.layers.Dense(3, name="one")
    second = keras.layers.Dense(10, activation="softmax", name="two")
    return keras.Sequential([keras.Input((64,)), first, second], **names)


def functional():
    inputs = keras.Input((64,))
    hidden = keras.layers.Dense(3)(inputs)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(hidden))


# %%
came_back = {}
for name, model in {
    "Sequential": sequential(),
    "Sequential, with a name": sequential(name="net"),
    "functional": functional(),
}.items():
    model.compile("adam", loss="sparse_categorical_crossentropy", run_eagerly=True)
    model.fit(digits.train, verbose=0)
    rebuilt, came_back[name] = like_orbax(model)
    print(f"{name}: {came_back[name]} of 4 arrays came back")
    saved, asked = (one.get_state_tree() for one in (model, rebuilt))
    print("   saved as", *saved["trainable_variables"])
    print("   looked for as", *asked["trainable_variables"])
widgets.reveal("08g.p59")
# %% tags=["solution"]
assert list(came_back.values()) == [0, 0, 4]
# %% [markdown]
# **The fix:** on TensorFlow a `ModelCheckpoint` with `.keras`, and `AtomicCheckpoint` of [lesson
# 09](09_survive_a_kill.ipynb) where a kill may come. Whatever you load, hold it against a number that you know:
# %%
model = sequential(name="net")
model.compile("adam", loss="sparse_categorical_crossentropy", run_eagerly=True)
path = folder / "59.keras"
model.fit(digits.train, callbacks=[ModelCheckpoint(path)], verbose=0)
known = model.evaluate(digits.train, verbose=0)
value = keras.models.load_model(path).evaluate(digits.train, verbose=0)
assert abs(known - value) < 1e-4, "These are not the weights that were saved."
print("known:", known, "  loaded:", value)
# %% [markdown]
# And with Orbax itself, where it is installed: its folder, loaded by `load_model`.
# %%
if lesson.optional("jax", "orbax-checkpoint"):
    for name, model in {"Sequential": sequential(), "functional": functional()}.items():
        model.compile("adam", loss="sparse_categorical_crossentropy", run_eagerly=True)
        place = str((folder / name).absolute())
        orbax = keras.callbacks.OrbaxCheckpoint(place, save_on_background=False)
        model.fit(digits.train, callbacks=[orbax], verbose=0)
        loaded = keras.models.load_model(place)
        steps = int(loaded.optimizer.iterations)
        known = model.evaluate(digits.train, verbose=0)
        value = loaded.evaluate(digits.train, verbose=0)
        print(f"{name}: step {steps}, known {known:.4f}, loaded {value:.4f}")
# %%
# Take home 59: hold what you loaded against a number that you know
from pathlib import Path

import keras
import numpy as np

place, x = Path("runs/59"), np.random.default_rng(1).normal(size=(60, 4))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
saver = keras.callbacks.ModelCheckpoint(place / "model.keras")
model.fit(x, x[:, :1], callbacks=[saver], verbose=0)
known = model.evaluate(x, x[:, :1], verbose=0)

loaded = keras.models.load_model(place / "model.keras")
value = loaded.evaluate(x, x[:, :1], verbose=0)
assert abs(known - value) < 1e-4, "These are not the weights that were saved."
print(known, value)
# %% [markdown]
# ## Key takeaways
#
# - To resume, load a `.keras` file, do not compile, and remember that `epochs` is the last epoch's number.
# - State that is no weight and stands in no config is not in the file.
# - What is your own (function, layer) has to be registered or named; a lambda cannot be.
# - A backup folder is for one training alone.
# - Loading without an error proves nothing: hold the model against a number that you know.
# %% [markdown]
# ## Where next
#
# Back to [the index of all troubles](08_pitfall_lab.ipynb), or on to those with
# [callbacks of your own and old code](08c_callbacks.ipynb).
