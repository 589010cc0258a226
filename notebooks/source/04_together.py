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
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

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
# ## Predict: how do they work together?
#
# Both had to know which epoch was best. And in the end, the best weights came back into memory.
# %% tags=["predict"]
widgets.predict("04.a")
# %% [markdown]
# Sabotage: the same training, but a third callback deletes the file after every epoch.
# %%
victim = folder / "deleted.keras"
thief = LambdaCallback(on_epoch_end=lambda epoch, logs: victim.unlink(missing_ok=True))
pair = [
    EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True),
    ModelCheckpoint(victim, monitor="val_loss", save_best_only=True),
]
robbed = build()
losses = train(robbed, [*pair, thief]).history["val_loss"]
now = robbed.evaluate(digits.validation, verbose=0)[0]
print("the file is there:", victim.exists())
print(f"last epoch {losses[-1]:.4f}, best epoch {min(losses):.4f}, now {now:.4f}")
widgets.reveal("04.a")
# %% tags=["solution"]
assert not victim.exists()
assert abs(now - min(losses)) < 1e-4 < losses[-1] - min(losses)
assert stopper.best == saver.best
# %% [markdown] tags=["instructor"]
# Four minutes up to here. Expect that many say the weights come back from the file. Ask what would happen then without
# a `ModelCheckpoint` in the list; in lesson 02 there was none, and restoring worked. That settles it before the run.
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
# That was the express path: you can use both callbacks well. [Lesson 05](05_choose_the_numbers.ipynb) finds out why
# `patience=5`, and not 3 or 30. Below: what is left after a restart, how two bests come about, and whether the order in
# the list matters.
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
# Nothing. After a restart, a new `EarlyStopping` counts from 0 and takes the first value as the best. A new
# `ModelCheckpoint` takes the first for the best too, and saves it over the better file, if you do not give it an
# `initial_value_threshold` (lesson 03).
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
# Both watch `val_loss`. `EarlyStopping` also gets `min_delta=0.1`: only a loss that is **more** than 0.1 below the best
# counts as an improvement.
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
# Assign to `one_best` a list for a training that is stopped when the **validation accuracy** has not improved for
# **4** epochs, and that leaves the best model by this measure in memory and, whole, in `album_file`: the same epoch in
# both. The check plays a training.
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
# ## Which of them comes first?
#
# In lesson 01 the order in the list mattered: makers before users. Here? A `ModelCheckpoint` that saves every epoch,
# once behind `EarlyStopping` and once before it. If the stop took effect at once, the file of the last epoch would be
# missing. We play the losses 0.9, 0.7, 0.8, 0.6.
# %%
class Script(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = [0.9, 0.7, 0.8, 0.6][epoch]


for order in ["stopper first", "saver first"]:
    place = folder / order
    both = [
        EarlyStopping(patience=1, restore_best_weights=True),
        ModelCheckpoint(place / "{epoch}.keras"),
    ]
    played = build()
    callbacks = [Script(), *(both if order == "stopper first" else both[::-1])]
    played.fit(digits.train, epochs=4, callbacks=callbacks, verbose=0)
    print(f"{order}:", *sorted(path.name for path in place.iterdir()))
# %% [markdown]
# The same files. `fit` looks at `stop_training` after each batch and after each epoch, each time when all callbacks are
# through. `EarlyStopping` sets it at an epoch's end, so the epoch that ends the training is saved as well. For these
# two, the order does not matter.
# <!-- claim: hooks.test_stop_training_in_a_batch together.test_their_order_does_not_matter -->
#
# And which weights are in `3.keras`, the last file?
# %%
files = [keras.models.load_model(place / f"{epoch}.keras") for epoch in (2, 3)]
for epoch, file in zip((2, 3), files, strict=True):
    print(f"{epoch}.keras holds what is in memory:", same_weights(file, played))
# %% tags=["solution"]
assert [same_weights(file, played) for file in files] == [True, False]
# %% [markdown]
# Those of epoch 3, as it ended: not the restored ones. The best weights come back when training ends, after the last
# save. Want a file of what is in memory now? `model.save("name.keras")` after `fit`.
# <!-- claim: together.test_restoring_comes_after_saving -->


# %% [markdown]
# ## Exercise 04.3: go on from the file
#
# Some days later only a file is left, such as `best.keras`. Write `go_on(path)`. It trains the model in the file for
# **two more epochs** on `digits.train`, with `digits.validation`, as if the training had never ended, and returns the
# `History`. Its epochs count on: for a file of epoch 8 they are 9 and 10. `go_on` gets no epoch number, only
# the path. Who owns the number? The check brings files of another model.
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
# - The pair in two lines: `EarlyStopping(..., restore_best_weights=True)` and
#   `ModelCheckpoint(..., save_best_only=True)`, with the same `monitor`. Their order does not matter.
# - They do not talk. Each keeps its own best, and a setting such as `min_delta` makes two bests of one monitor.
# - Restored and reloaded weights are equal, bit for bit. Their optimizers are not: memory has the last epoch's, the
#   file the best epoch's. To go on as if the training had never ended, load the file.
# - When the program ends, only the file is left. It knows nothing of the callbacks.
# %% [markdown]
# ## Where next
#
# Why `patience=5`, and not 3 or 30? [Lesson 05](05_choose_the_numbers.ipynb) finds out, with evidence from many
# trainings.
