# %% [markdown]
# # Stop in time and keep the best: both together
#
# **You will** use both callbacks in one training, find out how they work together, and know for everything that a
# training leaves behind who owns it.
#
# **You need** [lesson 02](02_early_stopping.ipynb) and [lesson 03](03_model_checkpoint.ipynb).
#
# **Minutes:** 15
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("04")
import keras
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

from helpers.callbacks import SaveRecorder

# %% [markdown]
# ## A deadline and milestones
#
# A team writes a report. The manager has a rule for the **deadline**: five meetings without a better draft, and the
# project ends. The archivist looks after the **milestones**: whenever a draft is better than all before, a copy goes
# into the safe.
#
# `EarlyStopping` is the manager, `ModelCheckpoint` the archivist. This lesson is about what lies on the desk, what
# lies in the safe, and what the team remembers when the project is over.
#
# The data and the model are those of lesson 03, with other first weights.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)


def build():
    keras.utils.set_random_seed(5)
    hidden = keras.layers.Dense(128, activation="relu")
    model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# ## The common pattern
#
# Two lines and a list. You will find these lines in countless projects. `SaveRecorder` is there for the picture only.
# %%
folder = lesson.new_folder("04")
stopper = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
saver = ModelCheckpoint(folder / "best.keras", monitor="val_loss", save_best_only=True)
saves = SaveRecorder(saver)
callbacks = [stopper, saver, saves]

model = build()
history = model.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=callbacks, verbose=0)
style.show(plots.learning_curves(history, stopping=stopper, saves=saves, title="A deadline and milestones"))
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
sabotage = LambdaCallback(on_epoch_end=lambda epoch, logs: victim.unlink(missing_ok=True))
callbacks = [
    EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True),
    ModelCheckpoint(victim, monitor="val_loss", save_best_only=True),
    sabotage,
]
robbed = build()
run = robbed.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=callbacks, verbose=0)
losses = run.history["val_loss"]
now = robbed.evaluate(digits.validation, verbose=0)[0]
print(f"the file is there: {victim.exists()}")
print(f"the model now: {now:.4f}   last epoch: {losses[-1]:.4f}   best epoch: {min(losses):.4f}")
assert abs(now - min(losses)) < 1e-4
# %% [markdown]
# No file, and the best weights are back all the same. `EarlyStopping` keeps its own copy, in memory; it never looks
# into a file. And how does each know the best? Each keeps its own books:
# %%
print("EarlyStopping:  ", stopper.best)
print("ModelCheckpoint:", saver.best)
assert stopper.best == saver.best
# %% [markdown]
# They do not work together at all. Both look at the same `logs`, compare by themselves, and come to the same result
# because they were told to watch the same number.
# %% [markdown] tags=["instructor"]
# Four minutes up to here. Many say that the weights come back from the file. Ask what would happen then without a
# `ModelCheckpoint` in the list; in lesson 02 there was none, and restoring worked. That settles it before the run.
# %% [markdown]
# ## Last, restored, reloaded
#
# Three models can be left of one training: the last one, the one with the restored weights, and the one in the file.
# Compare them. For the last one we train once more without restoring.
# %%
last = build()
plain = [EarlyStopping(patience=5)]
last.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=plain, verbose=0)
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
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


print("restored and reloaded:", same_weights(model, reloaded))
print("restored and last:    ", same_weights(model, last))
assert same_weights(model, reloaded)
assert not same_weights(model, last)
# %% [markdown]
# Equal, bit for bit: both are the weights at the end of the best epoch, once kept in memory and once written to disk.
# The last ones are those of some epochs later.
# %% [markdown]
# ## Predict: go on from the best
#
# `model` (restored) and `reloaded` hold the same weights. Train each for one more epoch, on the same batches in the
# same order.
# %% tags=["predict"]
widgets.predict("04.b")
# %% [markdown]
# We train twins, made through a file, so that `model` and `reloaded` stay as they are. For comparison: what the first
# training itself got in the epoch after the best.
# %%
more = {}
for name, one in {"restored": model, "reloaded": reloaded}.items():
    one.save(folder / "twin.keras")
    twin = keras.models.load_model(folder / "twin.keras")
    run = twin.fit(digits.train, validation_data=digits.validation, epochs=1, verbose=0)
    more[name] = run.history["val_loss"][0]
    print(f"{name}, one more epoch:   val_loss {more[name]:.4f}")
after_best = history.history["val_loss"][stopper.best_epoch + 1]
print(f"the epoch after the best had: val_loss {after_best:.4f}")
assert abs(more["reloaded"] - after_best) < 1e-4 < abs(more["restored"] - after_best)
# %% [markdown]
# Equal weights, and they part at the first epoch. The reloaded one does exactly what the first training did after its
# best epoch. What differs is the **optimizer**. Ask how many steps it has made:
# %%
print("epochs that ran:", len(history.epoch), "  best epoch:", stopper.best_epoch + 1, "  steps an epoch: 10")
print("steps of the restored model:", int(model.optimizer.iterations))
print("steps of the reloaded model:", int(reloaded.optimizer.iterations))
assert int(model.optimizer.iterations) == 10 * len(history.epoch)
assert int(reloaded.optimizer.iterations) == 10 * (stopper.best_epoch + 1)
# %% [markdown]
# The desk has the best draft again, but the team's heads are full of the last meeting. `EarlyStopping` restores
# weights and nothing else; Adam still remembers where the last epochs were going. In the file, both are of one moment.
#
# For predictions that is no difference. For training on, it is.
# %% [markdown]
# ## Who owns what
#
# Now all of it in one picture. It is drawn from the objects of our training: the green chips are the best epoch, the
# red ones the last.
# %%
style.show(plots.owners(history, model=model, file=reloaded, stopping=stopper, saves=saver))
# %% [markdown]
# Four owners:
#
# - **The model** owns its weights and its optimizer, and here they are of different epochs.
# - **EarlyStopping** owns its counter, its best and its copy of the weights.
# - **ModelCheckpoint** owns a best of its own, and the name of the file.
# - **The file** owns weights and optimizer of one epoch, and how to build the model.
#
# Between the two callbacks there is no arrow.
# %% [markdown]
# When the program ends, the left side is gone. Is anything of the callbacks in the file? It is a zip archive, as you
# saw in lesson 03. Search it, and then ask new objects what they know:
# %%
import zipfile

with zipfile.ZipFile(folder / "best.keras") as archive:
    everything = b"".join(archive.read(name) for name in archive.namelist())
for word in ["Adam", "EarlyStopping", "ModelCheckpoint", "patience"]:
    print(f"{word:16} in the file: {word.encode() in everything}")
print("new objects:", EarlyStopping().best, ModelCheckpoint(folder / "best.keras").best)
assert b"Adam" in everything
assert b"EarlyStopping" not in everything
# %% [markdown]
# Nothing. After a restart, a new `EarlyStopping` counts from 0 and takes the first value for the best. A new
# `ModelCheckpoint` takes the first for the best too, and saves it over the better file, if you do not give it an
# `initial_value_threshold` (lesson 03).
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
# ## Watch the same number, or have two bests
#
# Here each watches something else: one the loss, the other the accuracy.
# %%
stopper = EarlyStopping(monitor="val_accuracy", patience=5, restore_best_weights=True)
saver = ModelCheckpoint(folder / "by_loss.keras", monitor="val_loss", save_best_only=True)
saves = SaveRecorder(saver)
model, callbacks = build(), [stopper, saver, saves]
model.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=callbacks, verbose=0)
print("in memory: the weights of epoch", stopper.best_epoch + 1)
print("in the file:        those of epoch", saves.epochs[-1] + 1)
assert not same_weights(model, keras.models.load_model(folder / "by_loss.keras"))
# %% [markdown]
# Two bests, two models. Whoever evaluates the one and delivers the other is in for a surprise.
#
# So: the same `monitor` in both. Is that enough?
# %% [markdown]
# ## Predict: the same monitor
#
# Both watch `val_loss`. `EarlyStopping` also gets `min_delta=0.1`: a loss that is not at least 0.1 below the best does
# not count as an improvement.
# %% tags=["predict"]
widgets.predict("04.c")
# %%
stopper = EarlyStopping(monitor="val_loss", min_delta=0.1, patience=5, restore_best_weights=True)
saver = ModelCheckpoint(folder / "delta.keras", monitor="val_loss", save_best_only=True)
saves = SaveRecorder(saver)
model, callbacks = build(), [stopper, saver, saves]
model.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=callbacks, verbose=0)
print(f"EarlyStopping:   best {stopper.best:.4f}, in memory the weights of epoch {stopper.best_epoch + 1}")
print(f"ModelCheckpoint: best {saver.best:.4f}, in the file those of epoch {saves.epochs[-1] + 1}")
assert saver.best < stopper.best
assert saves.epochs[-1] > stopper.best_epoch
# %% [markdown]
# `EarlyStopping` called small gains no improvement, so it neither counted nor copied them: what it restored is not
# the lowest loss. `ModelCheckpoint` has no `min_delta`; it saved each small gain. The file has the better model.
#
# Any setting of `EarlyStopping` that changes what counts as best does this. Lesson 05 has more of them.
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


played = {}
for order in ["stopper first", "saver first"]:
    place = lesson.new_folder("04")
    pair = [EarlyStopping(patience=1, restore_best_weights=True), ModelCheckpoint(place / "{epoch}.keras")]
    played[order] = build()
    callbacks = [Script(), *(pair if order == "stopper first" else pair[::-1])]
    played[order].fit(digits.train, epochs=4, callbacks=callbacks, verbose=0)
    print(f"{order}:", *sorted(path.name for path in place.iterdir()))
# %% [markdown]
# The same files. `fit` looks at `stop_training` only when all callbacks are through with the epoch, so also the epoch
# that ends the training is saved. For these two, the order does not matter.
#
# And which weights are in `3.keras`, the last file?
# %%
files = {epoch: keras.models.load_model(place / f"{epoch}.keras") for epoch in (2, 3)}
for epoch, model in files.items():
    print(f"{epoch}.keras holds what is in memory:", same_weights(model, played["saver first"]))
assert [same_weights(model, played["saver first"]) for model in files.values()] == [True, False]
# %% [markdown]
# Those of epoch 3, as it ended: not the restored ones. The best weights come back when training ends, after the last
# save. Want a file of what is in memory now? `model.save("name.keras")` after `fit`.


# %% [markdown]
# ## Exercise 04.3: go on from the file
#
# Five minutes more than the fifteen: keep it for another day if you are tired.
#
# Some days later only a file is left, such as `best.keras`. Write `go_on(path)`. It trains the model in the file for
# **two more epochs** on `digits.train`, with `digits.validation`, as if the training had never ended, and returns the
# `History`. Its epochs count on: for a file of epoch 8 they are 9 and 10. No number of an epoch is passed. Who owns
# it? The check brings files of another model.
# %% tags=["exercise"]
# Exercise 04.3
def go_on(path): ...


# solution
def go_on(path):
    model = keras.models.load_model(path)
    done = int(model.optimizer.iterations) // len(digits.train)
    return model.fit(digits.train, validation_data=digits.validation, initial_epoch=done, epochs=done + 2, verbose=0)


# %%
checks.check("04.3", go_on)
# %% [markdown]
# ## Key takeaways
#
# - The pair in two lines: `EarlyStopping(..., restore_best_weights=True)` and
#   `ModelCheckpoint(..., save_best_only=True)`, with the same `monitor`. Their order does not matter.
# - They do not talk. Each keeps its own best, and a setting such as `min_delta` makes two bests of one monitor.
# - Restored and reloaded weights are equal, bit for bit. Their optimizers are not: memory has the last epoch's, the
#   file the best epoch's. To train on, load the file.
# - When the program ends, only the file is left. It knows nothing of the callbacks.
# %% [markdown]
# ## Where next
#
# That was the express path. Why `patience=5`, and not 3 or 30? [Lesson 05](05_choose_the_numbers.ipynb) finds out,
# with evidence from many trainings.
