# %% [markdown]
# # Save with care: strangers, costs, long epochs
#
# **You will** know which files not to load, measure what a save costs, and save within a long epoch. No later lesson
# needs this one.
#
# **You need** [lesson 03](03_model_checkpoint.ipynb).
#
# **Minutes:** 10
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("03c")
import keras
from keras.callbacks import Callback, ModelCheckpoint

from helpers.callbacks import SaveRecorder

# %% [markdown]
# ## Predict: a stranger's file
#
# A `.keras` file can hold Python code: a `Lambda` layer brings its function along. Somebody makes this model, saves it,
# and sends you the file. (The line that appears comes from making the model.)
# %%
folder = lesson.new_folder("03c")
nice_or_not = keras.layers.Lambda(lambda x: print("Code out of the model runs.") or x)
keras.Sequential([keras.Input((64,)), nice_or_not]).save(folder / "gift.keras")
# %% tags=["predict"]
widgets.predict("03.e")


# %% [markdown]
# Open it:
# %%
def open_gift(**settings):
    try:
        keras.models.load_model(folder / "gift.keras", **settings)
        print("It is loaded.")
    except Exception as error:
        print(f"{type(error).__name__}:", error)


open_gift()
widgets.reveal("03.e")
# %% [markdown]
# ## The setting that decides
#
# Whatever came out: one setting of `load_model` decides it. Here is the same file with that setting the other way
# round. Look for the line that the stranger's code prints:
# %%
open_gift(safe_mode=False)
# %% [markdown]
# ## What a save costs
#
# With TensorFlow, training waits for every callback, so it waits for every save. How long, and how many bytes? The
# digits and the model of lesson 03:
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)
hidden = keras.layers.Dense(128, activation="relu")
output = keras.layers.Dense(10, activation="softmax")
model = keras.Sequential([keras.Input((64,)), hidden, output])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
# %%
import time

model.fit(digits.train, epochs=1, verbose=0)  # slow: Keras gets ready
weights = folder / "cost.weights.h5"
savers = {
    "nothing saved": [],
    "cost.keras": [ModelCheckpoint(folder / "cost.keras")],
    "cost.weights.h5": [ModelCheckpoint(weights, save_weights_only=True)],
}
for name, callbacks in savers.items():
    start = time.perf_counter()
    model.fit(digits.train, epochs=10, callbacks=callbacks, verbose=0)
    milliseconds = 1000 * (time.perf_counter() - start) / 10
    size = (folder / name).stat().st_size if callbacks else 0
    print(f"{name:16} {milliseconds:4.0f} ms an epoch, {size / 1000:4.0f} kB")
print(f"four bytes for each weight: {4 * model.count_params() / 1000:.0f} kB")
# %% tags=["solution"]
assert size > 3 * 4 * model.count_params()
# %% [markdown]
# The first line is an epoch without a save. What the others take longer is the save. Our epochs are very short, so it
# shows. Measure yours like this. A crash during a save is the worst: a file that is being written over holds
# neither the old model nor the new one. [Lesson 07](07_myths.ipynb) lets it happen.
#
# Both files are more than three times as large as the weights: Adam's two numbers for each weight are in them.
# "Weights only" saves hardly any space.
# <!-- claim: files.test_adam_triples_the_file files.test_a_kill_while_saving_leaves_no_model -->
# %% [markdown]
# ## Save within an epoch
#
# If an epoch takes hours, once an epoch is too seldom. `save_freq=15` saves after every 15 **batches**. Our epochs
# have 10.
# %%
often = folder / "often"
by_15 = ModelCheckpoint(often / "epoch{epoch}-batch{batch}.keras", save_freq=15)
model.fit(digits.train, epochs=4, callbacks=[by_15], verbose=0)
print(*sorted(path.name for path in often.iterdir()))


# %% [markdown]
# It counts on from epoch to epoch: the 15th batch is batch 5 of epoch 2, the 30th is batch 10 of epoch 3.
# <!-- claim: model_checkpoint.test_save_freq_counts_batches model_checkpoint.test_template_with_batch -->
#
# Does it go together with `save_best_only`? `play` writes validation losses of our choice into `logs`, and tells after
# which epochs a file was written.
# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def play(values, saver):
    saves = SaveRecorder(saver)
    callbacks = [Script(values), saver, saves]
    model.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)
    return [epoch + 1 for epoch in saves.epochs]


# %% [markdown]
# ## Predict: the best within an epoch
#
# `ModelCheckpoint(..., save_best_only=True, save_freq=10)`, and a validation loss that only gets worse: 0.5, 0.6, 0.7.
# An epoch has 10 batches.
# %% tags=["predict"]
widgets.predict("03.f")
# %%
worse = [0.5, 0.6, 0.7]
by_epochs = ModelCheckpoint(folder / "a.keras", save_best_only=True)
by_batches = ModelCheckpoint(folder / "b.keras", save_best_only=True, save_freq=10)
written = {saver.save_freq: play(worse, saver) for saver in (by_epochs, by_batches)}
for freq, epochs in written.items():
    print(f"save_freq={freq!r:8} written after epochs", epochs)
widgets.reveal("03.f")
# %% tags=["solution"]
assert written == {"epoch": [1], 10: [1, 2, 3]}
# %% [markdown]
# The same, with `monitor="loss"`, and a save twice in each epoch:
# %%
by_loss = ModelCheckpoint(
    folder / "c.keras",
    save_best_only=True,
    save_freq=5,
    monitor="loss",
)
with checks.expect_error(TypeError):
    play(worse, by_loss)
# %% [markdown]
# A crash. The callback finds out only at the end of the first epoch whether less or more is better. A second save before
# that cannot compare.
#
# For the best model leave `save_freq` alone. For safety copies use a second `ModelCheckpoint`.
# <!-- claim: model_checkpoint.test_save_freq_with_loss_crashes -->
# %% [markdown]
# ## Key takeaways
#
# - Leave `safe_mode` on.
# - A save costs time and bytes, and "weights only" saves hardly any of them.
# - An integer `save_freq` counts batches. Never use it together with `save_best_only`.
# %% [markdown]
# ## Where next
#
# One callback stops, the other saves. [Lesson 04](04_together.ipynb) puts both into one list and asks who owns what.
