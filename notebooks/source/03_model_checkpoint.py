# %% [markdown]
# # Keep the best model: ModelCheckpoint
#
# **You will** keep the best model of a training in a file and prove that it is the best, look inside such files, and
# continue a broken-off training as if nothing had happened.
#
# **You need** [lesson 02](02_early_stopping.ipynb): the validation loss turns, and the last model is not the best.
#
# **Minutes:** 20
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("03")
import keras
from keras.callbacks import Callback, ModelCheckpoint

from helpers.callbacks import SaveRecorder

# %% [markdown]
# ## Every epoch, or the best
#
# The digits of lesson 02: 300 to learn from, every fifth label wrong. The optimizer takes larger steps here, so the
# turn comes sooner.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)


def build():
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(128, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    adam = keras.optimizers.Adam(0.01)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# `ModelCheckpoint` is the helper with the camera: it writes the model to a file. Two of them watch this training. One
# is given a file name and nothing else, the other is told `save_best_only=True`.
#
# `folder` is a new one beside this notebook. `SaveRecorder`, a callback of this course, notes when a file was really
# written.
# %%
folder = lesson.new_folder("03")
plain = ModelCheckpoint(folder / "plain.keras")
best = ModelCheckpoint(folder / "best.keras", save_best_only=True)
saves = SaveRecorder(best)
history = build().fit(
    digits.train,
    validation_data=digits.validation,
    epochs=24,
    callbacks=[plain, best, saves],
    verbose=0,
)
print("files:", *sorted(path.name for path in folder.iterdir()))
# %% [markdown]
# ## Predict: which model is in the file?
#
# `plain.keras` comes from `ModelCheckpoint(folder / "plain.keras")`. 24 epochs ran.
# %% tags=["predict"]
widgets.predict("03.a")
# %% [markdown]
# Load both files and evaluate. If a file holds the model of an epoch, it must show the validation loss of that epoch.
# %%
losses = history.history["val_loss"]
print(f"while training   last epoch {losses[-1]:.4f}, best epoch {min(losses):.4f}")
found = {}
for name in ["plain.keras", "best.keras"]:
    loaded = keras.models.load_model(folder / name)
    found[name] = loaded.evaluate(digits.validation, verbose=0)[0]
    accuracy = loaded.evaluate(digits.test, verbose=0)[1]
    print(f"{name:16} {found[name]:.4f}, {accuracy:.1%} of the test digits right")
assert abs(found["plain.keras"] - losses[-1]) < 1e-4
assert abs(found["best.keras"] - min(losses)) < 1e-4
# %% tags=["solution"]
# What the prose and the picture below say of this run.
assert saves.epochs[-1] == losses.index(min(losses)) < len(losses) - 1
assert losses[-1] > min(losses) + 0.03
last = keras.models.load_model(folder / "plain.keras")
assert last.evaluate(digits.test, verbose=0)[1] < accuracy
# %% [markdown]
# By default a `ModelCheckpoint` saves after **every** epoch, good or bad, over the same file. What remains is the last
# model.
#
# With `save_best_only=True` it saves only when the metric it monitors (`val_loss`, if you do not say otherwise) is
# better than the best so far. The loaded model shows the best value of the training: proved.
# %%
style.show(plots.learning_curves(history, saves=saves, title="When best.keras was written"))
# %% [markdown]
# Each square is one writing of `best.keras`. The last square stands below the star: **the file** holds the best model.
# The circle is what **the memory** holds, the last weights: the callback saves, but puts nothing back.
# %% [markdown] tags=["instructor"]
# Five minutes up to here. Most say "the best, that is what checkpoints are for". Ask what would happen to a team that
# deploys `plain.keras`: the two accuracies answer it. Leave the picture on the wall: file and memory are two things.
# %% [markdown]
# ## A name for each epoch
#
# To keep more than one file, put fields into the name: `{epoch}`, or anything that is in `logs`.
#
# Four epochs, two checkpoints. The second saves weights only; we shall need both soon.
# %%
runs = folder / "runs"
callbacks = [
    ModelCheckpoint(runs / "{epoch}-{val_loss:.2f}.keras"),
    ModelCheckpoint(runs / "{epoch}.weights.h5", save_weights_only=True),
]
whole = build().fit(
    digits.train,
    validation_data=digits.validation,
    epochs=4,
    callbacks=callbacks,
    verbose=0,
)
print(*sorted(path.name for path in runs.iterdir()), sep="\n")
# %% [markdown]
# In names, epochs count from 1. And the folder was made for us.
#
# Not every name will do. Four attempts:
# %%
ModelCheckpoint(folder / "old_format.h5")
with checks.expect_error(ValueError):
    ModelCheckpoint(folder / "my_model")
with checks.expect_error(ValueError):
    ModelCheckpoint(folder / "my_model.h5", save_weights_only=True)
wrong = ModelCheckpoint(folder / "{val_acc:.2f}.keras")
with checks.expect_error(KeyError):
    build().fit(digits.train, validation_data=digits.validation, callbacks=[wrong], verbose=0)
# %% [markdown]
# - A whole model ends in `.keras`; the old format `.h5` is still taken. Weights only end in `.weights.h5`.
# - Anything else is refused when the callback is made. Names without an ending, as in older material, no longer work.
# - A field that `logs` does not have is noticed late: at the first save. (It is called `val_accuracy` here.)
# %% [markdown]
# ## Exercise 03.1: an album
#
# Assign to `album_saver` a `ModelCheckpoint` that saves the whole model each time the **validation accuracy** is better
# than ever before, and keeps all these files in the folder `album`, with names such as `07-0.85.keras`: epoch with two
# digits, accuracy with two decimals. The check plays a training and reads the names.
# %%
album = lesson.new_folder("03")
# %% tags=["exercise"]
# Exercise 03.1
album_saver = ...
# solution
album_saver = ModelCheckpoint(
    album / "{epoch:02d}-{val_accuracy:.2f}.keras",
    monitor="val_accuracy",
    save_best_only=True,
)
# %%
checks.check("03.1", (album_saver, album))
# %% [markdown]
# ## Predict: what is inside?
#
# Adam, our optimizer, remembers things from step to step. After each epoch we wrote two files: one `.keras`, and one
# `.weights.h5` with `save_weights_only=True`. Is Adam's memory in them?
# %% tags=["predict"]
widgets.predict("03.b")
# %% [markdown]
# Open `2.weights.h5`, the file made with `save_weights_only=True`, and list the arrays in it:
# %%
import h5py


def arrays(file):
    names = []
    with h5py.File(file) as opened:
        opened.visit(names.append)
        return {name: opened[name].shape for name in names if hasattr(opened[name], "shape")}


for name, shape in arrays(runs / "2.weights.h5").items():
    print(f"{name:22} {shape}")
# %% [markdown]
# Under `layers` are the weights. Under `optimizer` is Adam's memory: the number of steps, the learning rate, and two
# numbers for each weight. So "weights only" is more than weights.
#
# And the `.keras` file, which is an ordinary zip archive?
# %%
import json
import zipfile

with zipfile.ZipFile(next(runs.glob("2-*.keras"))) as archive:
    print(*archive.namelist())
    config = json.loads(archive.read("config.json"))
    same = arrays(archive.open("model.weights.h5")) == arrays(runs / "2.weights.h5")
print("the same arrays as in the other file:", same)
print("layers: ", *[layer["class_name"] for layer in config["config"]["layers"]])
print("compile:", *config["compile_config"])
assert same


# %% [markdown]
# | in the file | `.keras` | `.weights.h5` |
# |---|---|---|
# | the layers and how they are joined | yes | no |
# | what was given to `compile` | yes | no |
# | the weights | yes | yes |
# | the optimizer's memory | yes | yes |
#
# A common belief says: by default only weights are saved, and no optimizer. It is wrong twice. The default is the
# whole model; and the optimizer is in both files.
#
# `.keras` is all that `load_model` needs. For `.weights.h5` you also need the code that builds the model.
# %% [markdown]
# ## Resume
#
# Suppose the training of four epochs had died after the second. `go_on` takes a model that has two epochs behind it
# and trains the rest. First the model out of the `.keras` file:
# %%
def go_on(model):
    print("steps that the optimizer has made:", int(model.optimizer.iterations))
    rest = model.fit(
        digits.train,
        validation_data=digits.validation,
        initial_epoch=2,
        epochs=4,
        verbose=0,
    )
    print("epochs      ", [epoch + 1 for epoch in rest.epoch])
    print("resumed     ", rest.history["val_loss"])
    print("never broken", whole.history["val_loss"][2:])
    return rest.history["val_loss"]


resumed = go_on(keras.models.load_model(next(runs.glob("2-*.keras"))))
assert abs(resumed[-1] - whole.history["val_loss"][-1]) < 1e-4
# %% [markdown]
# `initial_epoch=2`: two epochs are done. `epochs=4`: the number of the **last** epoch, not how many more.
#
# The optimizer knows its 20 steps, 10 batches in each of two epochs, and went on where it was: the losses are those of
# the training that never broke off. (Ours gets the same batches in the same order in every epoch. With shuffled data,
# expect similar losses, not equal ones.)
# %% [markdown]
# ## Predict: the same from the weights
#
# `2.weights.h5` holds the same arrays, the optimizer's too. We build the model anew (`build` also compiles it), load
# the weights of epoch 2, and go on.
# %% tags=["predict"]
widgets.predict("03.c")
# %%
again = build()
again.load_weights(runs / "2.weights.h5")
resumed = go_on(again)
assert abs(resumed[0] - whole.history["val_loss"][2]) > 1e-3
# %% [markdown]
# The weights came back, Adam's memory did not. The warning says why: a new Adam has no room for it yet; the two numbers
# for each weight are made at its first step. Nothing stopped you, and the training went another way.
#
# Make the room first:
# %%
again = build()
again.optimizer.build(again.trainable_variables)
again.load_weights(runs / "2.weights.h5")
resumed = go_on(again)
assert abs(resumed[-1] - whole.history["val_loss"][-1]) < 1e-4
# %% [markdown] tags=["instructor"]
# Keras's own documentation says that it is enough to compile before `load_weights`. With plain SGD that is true, with
# Adam it is not. Say so: documentation is a claim too, and this cell tests it.
# %% [markdown]
# ## Exercise 03.2: after the crash
#
# The same training, but it died after the **first** epoch, and only `runs / "1.weights.h5"` is left. Continue it to the
# end of epoch 4. Assign the model to `rescued` and what `fit` returns to `rest_of_run`. The check compares with the
# training that never broke off.
# %% tags=["exercise"]
# Exercise 03.2
rescued = ...
rest_of_run = ...
# solution
rescued = build()
rescued.optimizer.build(rescued.trainable_variables)
rescued.load_weights(runs / "1.weights.h5")
rest_of_run = rescued.fit(
    digits.train,
    validation_data=digits.validation,
    initial_epoch=1,
    epochs=4,
    verbose=0,
)
# %%
checks.check("03.2", (rescued, rest_of_run, whole))


# %% [markdown]
# ## Predict: the same callback again
#
# To study the saving rule we play curves, as in lesson 02: `Script` writes losses of our choice into `logs`, and `play`
# tells after which epochs a file was written, counted from 1.
# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


toy = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
toy.compile("sgd", loss="sparse_categorical_crossentropy")


def play(values, saver):
    saves = SaveRecorder(saver)
    callbacks = [Script(values), saver, saves]
    toy.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)
    return [epoch + 1 for epoch in saves.epochs]


# %% [markdown]
# One `ModelCheckpoint(..., save_best_only=True)`. A first fit with the losses 0.7, 0.5. Then a second fit, another
# experiment, with the **same** object: 0.9, 0.6.
# %% tags=["predict"]
widgets.predict("03.d")
# %%
saver = ModelCheckpoint(folder / "shared.keras", save_best_only=True)
print("first fit: ", play([0.7, 0.5], saver))
second = play([0.9, 0.6], saver)
print("second fit:", second)
assert second == []
# %% [markdown]
# The second experiment saved nothing, and nobody said so. `ModelCheckpoint` keeps its best from fit to fit. Make a new
# object for each.
#
# But the best lives **only** in the object. Here is work with one file on three days. The program is restarted each
# day, so there is a new object every time:
# %%
file = folder / "precious.keras"
print("Monday: ", play([0.7, 0.4], ModelCheckpoint(file, save_best_only=True)))
told = ModelCheckpoint(file, save_best_only=True, initial_value_threshold=0.4)
print("Tuesday:", play([0.9, 0.6, 0.3], told))
print("Friday: ", play([0.9, 0.6], ModelCheckpoint(file, save_best_only=True)))


# %% [markdown]
# - On Tuesday we told it what there is to beat, `initial_value_threshold=0.4`. Only 0.3 was saved.
# - On Friday we forgot. A new object takes the first value it sees for the best, so 0.9 was written over the model
#   with 0.3, and that one is gone.
# %% [markdown]
# ## Exercise 03.3: a saver that survives a restart
#
# Write `careful_saver(file, validation)`. It returns a `ModelCheckpoint` that keeps the model with the best `val_loss`
# in `file` (a `Path`). If there is a model in the file already, it is overwritten only by a better one: measure on
# `validation`, a data set as `evaluate` takes it. The check tries it with files and without.
# %% tags=["exercise"]
# Exercise 03.3
def careful_saver(file, validation): ...


# solution
def careful_saver(file, validation):
    to_beat = None
    if file.exists():
        to_beat = keras.models.load_model(file).evaluate(validation, verbose=0)[0]
    return ModelCheckpoint(file, save_best_only=True, initial_value_threshold=to_beat)


# %%
checks.check("03.3", careful_saver)
# %% [markdown] tags=["instructor"]
# In a hurried class this exercise is homework. Usual wrong turns: `load_model` without asking whether the file is
# there; the whole list that `evaluate` returns as the threshold; no `save_best_only`, without which the threshold is
# ignored. Each has its own message. The optional parts at the end are for those who are quick.
# %% [markdown]
# ## A stranger's file
#
# A `.keras` file can hold Python code: a `Lambda` layer brings its function along. Somebody sends you this model:
# %%
nice_or_not = keras.layers.Lambda(lambda x: print("Code out of the model runs.") or x)
keras.Sequential([keras.Input((64,)), nice_or_not]).save(folder / "gift.keras")
# %% [markdown]
# (The line above comes from making the model.) Now you load it:
# %%
with checks.expect_error(ValueError, match="safe_mode"):
    keras.models.load_model(folder / "gift.keras")
# %% [markdown]
# `load_model` refuses: `safe_mode=True` is the default. And if you switch it off?
# %%
gift = keras.models.load_model(folder / "gift.keras", safe_mode=False)
# %% [markdown]
# The stranger's code ran while the file was being loaded, before you did anything with the model. It could have been
# any code. So leave `safe_mode` on, unless you made the file yourself, and load files only from people you trust.
# %% [markdown]
# ## Optional: what a save costs
#
# Two optional parts, a few minutes each. No later lesson needs them.
#
# Training waits for every callback, so it waits for every save. How long, and how many bytes?
# %%
import time

model = build()
model.fit(digits.train, epochs=1, verbose=0)  # the first epoch is slow: Keras gets ready
savers = {
    "nothing saved": [],
    "cost.keras": [ModelCheckpoint(folder / "cost.keras")],
    "cost.weights.h5": [ModelCheckpoint(folder / "cost.weights.h5", save_weights_only=True)],
}
for name, callbacks in savers.items():
    start = time.perf_counter()
    model.fit(digits.train, epochs=10, callbacks=callbacks, verbose=0)
    milliseconds = 1000 * (time.perf_counter() - start) / 10
    size = (folder / name).stat().st_size if callbacks else 0
    print(f"{name:16} {milliseconds:4.0f} ms an epoch, {size / 1000:4.0f} kB")
print(f"four bytes for each weight: {4 * model.count_params() / 1000:.0f} kB")
assert size > 3 * 4 * model.count_params()
# %% [markdown]
# What an epoch takes longer than in the first line is the save. Our epochs are very short, so it shows. Measure yours
# like this. It is also the time in which a crash is worst: a file that is being written over holds neither the old
# model nor the new one. [Lesson 07](07_myths.ipynb) lets it happen.
#
# Both files are more than three times as large as the weights: Adam's two numbers for each weight are in them.
# "Weights only" saves hardly any space.
# %% [markdown]
# ## Optional: save within an epoch
#
# If an epoch takes hours, once an epoch is too seldom. `save_freq=15` saves after every 15 **batches**. Our epochs
# have 10.
# %%
often = folder / "often"
saver = ModelCheckpoint(often / "epoch{epoch}-batch{batch}.keras", save_freq=15)
build().fit(digits.train, epochs=4, callbacks=[saver], verbose=0)
print(*sorted(path.name for path in often.iterdir()))


# %% [markdown]
# It counts on from epoch to epoch: the 15th batch is batch 5 of epoch 2, the 30th is batch 10 of epoch 3.
#
# Together with `save_best_only` it goes wrong, in two ways. A validation loss that only gets worse: one file should be
# written, after epoch 1.
# %%
worse = [0.5, 0.6, 0.7]
by_epochs = ModelCheckpoint(folder / "a.keras", save_best_only=True)
print("by epochs: ", play(worse, by_epochs))
by_batches = ModelCheckpoint(folder / "b.keras", save_best_only=True, save_freq=10)
print("by batches:", play(worse, by_batches))
by_loss = ModelCheckpoint(folder / "c.keras", save_best_only=True, save_freq=5, monitor="loss")
with checks.expect_error(TypeError):
    play(worse, by_loss)
# %% [markdown]
# - At the end of a batch there is no `val_loss`: validation comes after the batches. The callback warns, saves each
#   time, and the file is the last model.
# - The training `loss` is there. But whether less or more is better is settled at the end of the first epoch; a second
#   save before that has nothing to compare with, and crashes.
#
# For the best model leave `save_freq` alone. For safety copies use a second `ModelCheckpoint`.
# %% [markdown]
# ## Key takeaways
#
# - By default `ModelCheckpoint` saves after every epoch: one file name holds the **last** model.
#   `save_best_only=True` holds the best, and evaluating the loaded file proves it.
# - `.keras` is the whole model with the optimizer's memory. `load_model`, `initial_epoch`, and training goes on as if
#   nothing had happened.
# - A `.weights.h5` file has the optimizer's memory too, but a new Adam takes it only after `optimizer.build(...)`.
# - The best lives in the callback object: a new object for each fit, and `initial_value_threshold` after a restart.
# - Leave `safe_mode` on.
# - An integer `save_freq` counts batches. Never use it together with `save_best_only`.
# %% [markdown]
# ## Where next
#
# One callback stops, the other saves. [Lesson 04](04_together.ipynb) puts both into one list and asks who owns what.
