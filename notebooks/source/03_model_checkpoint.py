# %% [markdown]
# # Keep the best model: ModelCheckpoint
#
# **You will** keep the best model of a training in a file, prove that it is the best, and keep the next training from
# spoiling it.
#
# **You need** the core of [lesson 02](02_early_stopping.ipynb): the validation loss turns, and the last model is not
# the best.
#
# **Minutes:** 16 for the core, 25 in all
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("03")
import keras
from keras.callbacks import Callback, ModelCheckpoint

from helpers.callbacks import SaveRecorder

# %% [markdown]
# ## A saver, and nothing else
#
# The digits of lesson 02: 300 to learn from, one label in five wrong. The model has one wide hidden layer here.
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


# %%
def train(*callbacks, epochs=24):
    return build().fit(
        digits.train,
        validation_data=digits.validation,
        epochs=epochs,
        callbacks=[*callbacks],
        verbose=0,
    )


# %% [markdown]
# `ModelCheckpoint` is the helper with the camera: it writes the model to a file. This one is given a file name and
# nothing else. (`folder` is a new one beside this notebook.)
# %%
folder = lesson.new_folder("03")
history = train(ModelCheckpoint(folder / "plain.keras"))
print("files:", *[path.name for path in folder.iterdir()])
# %% [markdown]
# ## Predict: which model is in the file?
#
# 24 epochs ran, with `ModelCheckpoint(folder / "plain.keras")`.
# %% tags=["predict"]
widgets.predict("03.a")


# %% [markdown]
# Load the file and evaluate what is in it.
# %%
def evaluate(name):
    loaded = keras.models.load_model(folder / name)
    loss = loaded.evaluate(digits.validation, verbose=0)[0]
    accuracy = loaded.evaluate(digits.test, verbose=0)[1]
    print(f"{name:12} val_loss {loss:.4f}, {accuracy:.1%} of the test digits right")
    return loss, accuracy


losses = history.history["val_loss"]
print(f"while training: last epoch {losses[-1]:.4f}, best epoch {min(losses):.4f}")
plain = evaluate("plain.keras")
widgets.reveal("03.a")
# %% [markdown]
# ## When it writes
#
# With `save_best_only=True` the file is written only when the metric that it monitors is better than ever before. That
# is `val_loss`, if you do not say otherwise. `SaveRecorder`, a callback of this course, notes each writing.
# %%
saver = ModelCheckpoint(folder / "best.keras", save_best_only=True)
saves = SaveRecorder(saver)
history = train(saver, saves)
best = evaluate("best.keras")
style.show(plots.learning_curves(history, saves=saves))
# %% tags=["solution"]
# What the prose and the picture say of these runs.
assert abs(best[0] - min(losses)) < 1e-4
assert saves.epochs[-1] == losses.index(min(losses)) < len(losses) - 1
assert abs(plain[0] - losses[-1]) < 1e-4
assert plain[0] > best[0] + 0.03
assert plain[1] < best[1]
# %% [markdown]
# Each square is one writing. The last stands below the star: **the file** holds the best model. The circle is what
# **the memory** holds, the last weights: the callback saves, but puts nothing back.
# <!-- claim: files.test_saving_does_not_change_the_model model_checkpoint.test_save_best_only -->
# %% [markdown] tags=["instructor"]
# Expect "the best, that is what checkpoints are for". Ask what would happen to a team that
# deploys `plain.keras`: its accuracy beside that of `best.keras` answers it. Leave the picture on the wall: file and
# memory are two things.
# %% [markdown]
# ## A name for each epoch
#
# To keep more than one file, put fields into the name: the epoch, or anything that is in `logs`. `:02d` writes a whole
# number with two digits, `:.2f` a number with two decimals.
# <!-- claim: model_checkpoint.test_names_from_templates -->
# %%
many = folder / "many"
train(ModelCheckpoint(many / "{epoch:02d}-{val_loss:.2f}.keras"), epochs=3)
print(*sorted(path.name for path in many.iterdir()), sep="\n")
# %% [markdown]
# In names, epochs count from 1. And the folder was made for us.
# %% [markdown]
# ## Exercise 03.1: an album
#
# Assign to `album_saver` a `ModelCheckpoint` that saves the whole model each time the **validation accuracy** is better
# than ever before. It keeps all these files in the folder `album`, with epoch and accuracy in their names:
# `07-0.85.keras`. The check plays a training and reads the names.
# %%
album = folder / "album"
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
# ## Curves of our own choice
#
# To study the rule we play losses, in place of real ones: `Script` stands first in the list and writes them into
# `logs`. `play` tells after which epochs a file was written, counted from 1.
# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


output = keras.layers.Dense(10, activation="softmax")
toy = keras.Sequential([keras.Input((64,)), output])
toy.compile("sgd", loss="sparse_categorical_crossentropy")


def play(values, saver):
    saves = SaveRecorder(saver)
    callbacks = [Script(values), saver, saves]
    toy.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)
    return [epoch + 1 for epoch in saves.epochs]


# %% [markdown]
# ## Predict: the same callback again
#
# One `ModelCheckpoint(..., save_best_only=True)`. A first fit with the losses 0.7, 0.5. Then a second fit, another
# experiment, with that same object: 0.9, 0.6.
# %% tags=["predict"]
widgets.predict("03.d")
# %%
twice = ModelCheckpoint(folder / "twice.keras", save_best_only=True)
first, second = play([0.7, 0.5], twice), play([0.9, 0.6], twice)
print("first fit,  saved after epochs", first)
print("second fit, saved after epochs", second)
widgets.reveal("03.d")
# %% tags=["solution"]
assert (first, second) == ([1, 2], [])
# %% [markdown]
# ## The core ends here
#
# - By default `ModelCheckpoint` saves after every epoch: one file name holds the **last** model.
#   `save_best_only=True` holds the best, and evaluating the loaded file proves it.
# - Fields in the name, the epoch and what is in `logs`, keep more than one file.
#
# On the express path, go on to [lesson 04](04_together.ipynb). Below: which names are refused, and how a file lives
# through restarts.
# %% [markdown]
# ## Names that are refused
#
# Not every name will do. One of these four is taken, three are refused.
# %%
ModelCheckpoint(folder / "old_format.h5")  # taken
with checks.expect_error(ValueError):
    ModelCheckpoint(folder / "my_model")
with checks.expect_error(ValueError):
    ModelCheckpoint(folder / "my_model.h5", save_weights_only=True)
wrong = ModelCheckpoint(folder / "{val_acc:.2f}.keras")
with checks.expect_error(KeyError):
    train(wrong, epochs=1)
# %% [markdown]
# - A whole model ends in `.keras`. The old format `.h5` is taken too, but not all such files can be loaded again
#   (trouble 4 in [08b](08b_saving.ipynb)). Weights alone go into a file that ends in `.weights.h5`.
# - Any other ending is refused when the callback is made. So is a name without an ending, which you meet in older
#   material.
# - A field that `logs` does not have is noticed late: at the first save. (It is called `val_accuracy` here.)
#
# <!-- claim: model_checkpoint.test_endings_of_whole_models model_checkpoint.test_endings_of_weights -->
# <!-- claim: model_checkpoint.test_template_with_an_unknown_name files.test_legacy_h5_with_short_names -->
# %% [markdown]
# ## One file, three days
#
# The best value so far lives **only** in the callback object. Here is work with one file on three days. The program is
# restarted each day, so there is a new object every time:
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
#
# <!-- claim: model_checkpoint.test_a_restart_forgets_the_best model_checkpoint.test_initial_value_threshold -->
# %% [markdown]
# ## Exercise 03.3: a saver that survives a restart
#
# Write `careful_saver(file, validation)`. It returns a `ModelCheckpoint` that keeps the model with the best `val_loss`
# in `file` (a `Path`). A model that is in the file already is overwritten only by a better one. To know how good it is,
# measure on `validation`, a data set as `evaluate` takes it. The check tries it with files and without. (Exercise 03.2 is in
# [lesson 03b](03b_resume.ipynb).)
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
# In a hurried class this exercise is homework. Expect `load_model` without asking whether the file is there; the whole
# list that `evaluate` returns as the threshold; no `save_best_only`, without which the threshold is ignored. Each has
# its own message.
# %% [markdown]
# ## Key takeaways
#
# To what the core ended with:
#
# - The file of a whole model ends in `.keras`, that of weights alone in `.weights.h5`. Other endings are refused at once, a wrong field at
#   the first save.
# - The best value lives in the callback object: make a new one for each fit. After a restart,
#   `initial_value_threshold` tells it what there is to beat.
# %% [markdown]
# ## Where next
#
# - [Lesson 03b](03b_resume.ipynb) opens the files and goes on with a training that broke off.
# - [Lesson 04](04_together.ipynb) puts the helper that stops and the one that saves into one list, and asks who owns
#   what.
