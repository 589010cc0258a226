# %% [markdown]
# # Stop in time and keep the best: both together
#
# **You will** use both callbacks in one training, find out how they work together, and know for everything that a
# training leaves behind who owns it.
#
# **You need** the cores of [lesson 02](02_early_stopping.ipynb) and [lesson 03](03_model_checkpoint.ipynb).
#
# **Minutes:** 17 for the core, 38 in all
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("04")
import keras
from keras.callbacks import EarlyStopping, ModelCheckpoint

from helpers.callbacks import SaveRecorder

# %% [markdown]
# ## A deadline and milestones
#
# A team writes a report. The manager sets the **deadline**: five meetings without a better draft, and the project ends.
# The archivist looks after the **milestones**: whenever a draft is better than all before, a copy goes into the safe.
#
# `EarlyStopping` is the manager, `ModelCheckpoint` the archivist. The data and the model are those of lesson 03, with
# other first weights.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)


def build():
    keras.utils.set_random_seed(5)
    hidden = keras.layers.Dense(128, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    adam = keras.optimizers.Adam(0.01)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %%
def train(model, callbacks, epochs=50):
    return model.fit(
        digits.train,
        validation_data=digits.validation,
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    )


# %%
folder = lesson.new_folder("04")
stopper = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
saver = ModelCheckpoint(folder / "best.keras", monitor="val_loss", save_best_only=True)
saves = SaveRecorder(saver)  # for the picture only

model = build()
history = train(model, [stopper, saver, saves])
style.show(plots.learning_curves(history, stopping=stopper, saves=saves))
# %% [markdown]
# A square for each milestone, the hatched band for the meetings without a better draft, and the deadline. The last
# square stands at the best epoch, and the circle shows that the model in memory is back there too.
# %% [markdown]
# ## Predict: which of them comes first?
#
# In lesson 01 the order of the list mattered: makers before users. And here? Train twice more, with a `ModelCheckpoint`
# that saves **every** epoch: once before `EarlyStopping`, once behind it. Both times the best weights are restored.
# %% tags=["predict"]
widgets.predict("04.d")
# %%
for place in ["before", "behind"]:
    every = ModelCheckpoint(folder / place / "{epoch:02d}.keras")
    stops = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    ran = train(build(), [every, stops] if place == "before" else [stops, every])
    last_file = max((folder / place).iterdir())
    kept = keras.models.load_model(last_file)
    loss = kept.evaluate(digits.validation, verbose=0)[0]
    print(f"{place}: {len(ran.epoch)} epochs ran,", end=" ")
    print(f"the last file is {last_file.name}, val_loss {loss:.4f}")
losses = history.history["val_loss"]
print(f"while training: last epoch {losses[-1]:.4f}, best epoch {min(losses):.4f}")
widgets.reveal("04.d")
# %% tags=["solution"]
assert stopper.best == saver.best
for place in ["before", "behind"]:
    files = sorted((folder / place).iterdir())
    assert len(files) == len(history.epoch)
    kept = keras.models.load_model(files[-1])
    loss = kept.evaluate(digits.validation, verbose=0)[0]
    assert abs(loss - losses[-1]) < 1e-4 < losses[-1] - min(losses)
# %% [markdown] tags=["instructor"]
# Expect "the stop comes first, so the last file is missing" from those who remember lesson 01.
# Want a file of what is in memory now? `model.save("name.keras")` after `fit`.
# %% [markdown]
# The two callbacks do not know of each other. Each looks at `logs` and finds the best by itself.
# <!-- claim: together.test_both_agree_on_the_best -->
# %% [markdown]
# ## Last, restored, reloaded
#
# Three models can be left of one training: the last one, the one with the restored weights, and the one in the file.
# For the last one we train once more without restoring.
# %%
last = build()
train(last, [EarlyStopping(patience=5)])
reloaded = keras.models.load_model(folder / "best.keras")
for name, one in {"last": last, "restored": model, "reloaded": reloaded}.items():
    loss = one.evaluate(digits.validation, verbose=0)[0]
    accuracy = one.evaluate(digits.test, verbose=0)[1]
    print(f"{name:9} val_loss {loss:.4f}, {accuracy:.1%} of the test digits right")
# %% [markdown]
# Restored and reloaded look equal. Are they, to the last bit?
# %%
import numpy as np


def same_weights(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


print("restored and reloaded:", same_weights(model, reloaded))
print("restored and last:    ", same_weights(model, last))
# %% tags=["solution"]
assert same_weights(model, reloaded)
assert not same_weights(model, last)
# %% [markdown]
# Both are the weights at the end of the best epoch, once kept in memory and once written to disk.
# <!-- claim: together.test_restored_equals_reloaded -->
# %% [markdown]
# ## Predict: go on from the best
#
# `model` (restored) and `reloaded` hold the same weights. Train each for one more epoch, on the same batches in the
# same order.
# %% tags=["predict"]
widgets.predict("04.b")
# %% [markdown]
# We train twins, made through a file, so that `model` and `reloaded` stay as they are. The last line shows, for
# comparison, what the first training itself got in the epoch after the best.
# %%
more = {}
for name, one in {"restored": model, "reloaded": reloaded}.items():
    one.save(folder / "twin.keras")
    twin = keras.models.load_model(folder / "twin.keras")
    more[name] = train(twin, [], epochs=1).history["val_loss"][0]
    print(f"{name}, one more epoch:   val_loss {more[name]:.4f}")
after_best = history.history["val_loss"][stopper.best_epoch + 1]
print(f"the epoch after the best had: val_loss {after_best:.4f}")
widgets.reveal("04.b")
# %% tags=["solution"]
assert abs(more["reloaded"] - after_best) < 1e-4 < abs(more["restored"] - after_best)
assert int(model.optimizer.iterations) == 10 * len(history.epoch)
assert int(reloaded.optimizer.iterations) == 10 * (stopper.best_epoch + 1)
# %% [markdown]
# ## Who owns what
#
# All of it in one picture, drawn from the objects of our training. The green chips are the best epoch, the red ones
# the last. An optimizer counts its steps, 10 in each of our epochs: so we know of which epoch it is.
# %%
owned = {"model": model, "file": reloaded, "stopping": stopper, "saves": saver}
style.show(plots.owners(history, **owned))
# %% [markdown]
# - **The model** owns its weights and its optimizer, and here they are of different epochs.
# - **EarlyStopping** owns its counter, its best and its copy of the weights.
# - **ModelCheckpoint** owns a best of its own, and the name of the file.
# - **The file** owns weights and optimizer of one epoch, and how to build the model.
#
# Between the two callbacks there is no arrow.
# <!-- claim: together.test_the_callback_owns_its_state -->
# %% [markdown] tags=["instructor"]
# Leave the picture on the wall. A question for two minutes: "The power fails two epochs after the best. What do you
# have in the morning?" (The file of the best epoch. No counter, no copy, no later epochs.)
# %% [markdown]
# ## Exercise 04.1: four places
#
# Do it by hand. A training sees the losses below, with these callbacks:
#
# ```python
# EarlyStopping(patience=2, restore_best_weights=True)
# ModelCheckpoint("best.keras", save_best_only=True)
# ModelCheckpoint("latest.keras")
# ```
#
# Of which epoch (counted from 1) are, afterwards, the weights in memory, the optimizer in memory, `best.keras` and
# `latest.keras`?
# %%
by_hand = [0.90, 0.70, 0.60, 0.65, 0.50, 0.55, 0.60, 0.40]
# %% tags=["exercise"]
# Exercise 04.1
weights_in_memory = ...
optimizer_in_memory = ...
best_file = ...
latest_file = ...
# solution
weights_in_memory = 5
optimizer_in_memory = 7
best_file = 5
latest_file = 7
# %%
checks.check("04.1", (weights_in_memory, optimizer_in_memory, best_file, latest_file))
# %% [markdown]
# ## The core ends here
#
# - The pair in two lines: `EarlyStopping(..., restore_best_weights=True)` and
#   `ModelCheckpoint(..., save_best_only=True)`, with the same `monitor`. Their order does not matter.
# - Restored and reloaded weights are equal, bit for bit. Their optimizers are not: memory has the last epoch's, the
#   file the best epoch's. To go on as if the training had never ended, load the file.
#
# That was the express path: you can use both callbacks well. [Lesson 05](05_choose_the_numbers.ipynb) finds out why
# `patience=5`, and not 3 or 30. Below: what is left after a restart, and how two bests come about.
# %% [markdown]
# ## After a restart
#
# When the program ends, the left side of the picture is gone. Is anything of the callbacks in the file? A `.keras` file
# is a zip archive. Search it, and then ask new objects what they know:
# %%
import zipfile

with zipfile.ZipFile(folder / "best.keras") as archive:
    everything = b"".join(archive.read(name) for name in archive.namelist())
for word in ["Adam", "EarlyStopping", "ModelCheckpoint", "patience"]:
    print(f"{word:16} in the file: {word.encode() in everything}")
print("new objects:", EarlyStopping().best, ModelCheckpoint(folder / "best.keras").best)
# %% tags=["solution"]
assert b"Adam" in everything
assert not any(word in everything for word in [b"EarlyStopping", b"ModelCheckpoint"])
# %% [markdown]
# Nothing. After a restart, a new `EarlyStopping` counts from 0 and takes the first value as the best. So does a new
# `ModelCheckpoint`, and saves it over the better file, unless you give it an `initial_value_threshold` (lesson 03).
# <!-- claim: model_checkpoint.test_a_restart_forgets_the_best -->
# %% [markdown]
# ## Watch the same number, or have two bests
#
# Here each watches something else: one the accuracy, the other the loss.
# %%
by_accuracy = EarlyStopping("val_accuracy", patience=5, restore_best_weights=True)
by_loss = ModelCheckpoint(folder / "by_loss.keras", save_best_only=True)
saves = SaveRecorder(by_loss)
split = build()
train(split, [by_accuracy, by_loss, saves])
print("in memory: the weights of epoch", by_accuracy.best_epoch + 1)
print("in the file:        those of epoch", saves.epochs[-1] + 1)
# %% tags=["solution"]
assert not same_weights(split, keras.models.load_model(folder / "by_loss.keras"))
# %% [markdown]
# Two bests, two models. Whoever evaluates the one and delivers the other is in for a surprise.
# <!-- claim: together.test_two_monitors_two_bests -->
#
# So: the same `monitor` in both.
# %% [markdown]
# ## Predict: the same monitor
#
# Both watch `val_loss`. `EarlyStopping` also gets `min_delta=0.1`: only a gain of **more** than 0.1 counts as an
# improvement.
# <!-- claim: numbers.test_a_gain_of_min_delta_is_too_small -->
# %% tags=["predict"]
widgets.predict("04.c")
# %%
choosy = EarlyStopping(min_delta=0.1, patience=5, restore_best_weights=True)
saver = ModelCheckpoint(folder / "delta.keras", save_best_only=True)
saves = SaveRecorder(saver)
train(build(), [choosy, saver, saves])
print(f"memory: epoch {choosy.best_epoch + 1}, EarlyStopping's best {choosy.best:.4f}")
print(f"file:   epoch {saves.epochs[-1] + 1}, ModelCheckpoint's best {saver.best:.4f}")
widgets.reveal("04.c")
# %% tags=["solution"]
assert saver.best < choosy.best
assert saves.epochs[-1] > choosy.best_epoch
# %% [markdown]
# ## Exercise 04.2: one best
#
# Assign to `one_best` a list of two callbacks. Training is stopped when the **validation accuracy** has not improved for
# **4** epochs. The best model by this measure is then in memory and, whole, in `album_file`: the same epoch in both.
# The check plays a training.
# %%
album_file = folder / "one_best.keras"
# %% tags=["exercise"]
# Exercise 04.2
one_best = ...
# solution
one_best = [
    EarlyStopping(monitor="val_accuracy", patience=4, restore_best_weights=True),
    ModelCheckpoint(album_file, monitor="val_accuracy", save_best_only=True),
]
# %%
checks.check("04.2", (one_best, album_file))


# %% [markdown]
# ## Exercise 04.3: go on from the file
#
# Some days later only a file is left, such as `best.keras`. Write `go_on(path)`. It trains the model in the file for
# **two more epochs** on `digits.train`, with `digits.validation`, as if the training had never ended, and returns the
# `History`. Its epochs count on: for a file of epoch 8 they are 9 and 10. `go_on` gets only the path: what in the file
# knows how long it has been trained? The check brings files of another model.
# %% tags=["exercise"]
# Exercise 04.3
def go_on(path): ...


# solution
def go_on(path):
    model = keras.models.load_model(path)
    done = int(model.optimizer.iterations) // len(digits.train)
    return model.fit(
        digits.train,
        validation_data=digits.validation,
        initial_epoch=done,
        epochs=done + 2,
        verbose=0,
    )


# %%
checks.check("04.3", go_on)
# %% [markdown] tags=["instructor"]
# Exercise 04.3 is for those who are quick, or for another day. Expect an `initial_epoch` that is a fixed number, and
# `epochs=2` for "two more".
# %% [markdown]
# ## Key takeaways
#
# To what the core ended with:
#
# - They do not talk. Each keeps its own best, and a setting such as `min_delta` makes two bests of one monitor.
# - When the program ends, only the file is left. It knows nothing of the callbacks.
# %% [markdown]
# ## Where next
#
# Why `patience=5`, and not 3 or 30? [Lesson 05](05_choose_the_numbers.ipynb) finds out, with evidence from many
# trainings.
