# %% [markdown]
# # Look inside: calls, flags and state
#
# **You will** see how Keras calls callbacks, drive them from a training loop of your own, and know where a callback
# keeps what it remembers.
#
# **You need** lessons [01](01_callbacks.ipynb) to [04](04_together.ipynb), and to have written a Python class before.
# It has two more parts: [06b](06b_rebuild_both.ipynb) rebuilds both callbacks (most people may skip it), and
# [06c](06c_write_your_own.ipynb) is about costs and callbacks of your own.
#
# **Minutes:** 16
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("06")
import keras
from keras.callbacks import Callback, CallbackList, EarlyStopping, ModelCheckpoint

# %% [markdown]
# Digits with some wrong labels, and a model for them, as in the lessons before.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)
few = data.load_digits(train_rows=96)


def build():
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(64, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.005), loss=loss, metrics=["accuracy"])
    return model


model = build()
# %% [markdown]
# ## Predict: in step, or in the background?
#
# In lesson 01, training waited for its callbacks. But does anything else move on meanwhile? We hand the notebook a
# small job to do "as soon as you have a moment", and then train three epochs.
# %% tags=["predict"]
widgets.predict("06.a")
# %%
import asyncio
import threading

happened = []


class Where(Callback):
    def on_epoch_end(self, epoch, logs=None):
        name = threading.current_thread().name
        happened.append(f"epoch {epoch + 1}, in {name}")


# Hand the notebook a job: do this as soon as you are free.
asyncio.get_running_loop().call_soon(happened.append, "the job of the notebook")
model.fit(digits.train, epochs=3, callbacks=[Where()], verbose=0)
print("this cell ran in", threading.current_thread().name)
print(*happened, sep="\n")
# %% [markdown]
# Look again, in a new cell:
# %%
print(*happened, sep="\n")
widgets.reveal("06.a")
# %% tags=["solution"]
assert happened[-1] == "the job of the notebook"
assert all(threading.current_thread().name in line for line in happened[:3])


# %% [markdown]
# ## How Keras calls them
#
# `fit` puts your list into a `CallbackList`. That is an object with the same hooks; each of them calls the hooks of
# your callbacks, one after the other. You can use it in a training loop of your own.
# %%
def my_fit(model, splits, epochs, callbacks):
    calls = CallbackList(callbacks, model=model, epochs=epochs)
    model.stop_training = False
    calls.on_train_begin()
    for epoch in range(epochs):
        calls.on_epoch_begin(epoch)
        for batch, (x, y) in enumerate(splits.train):
            calls.on_train_batch_begin(batch)
            logs = model.train_on_batch(x, y, return_dict=True)
            calls.on_train_batch_end(batch, logs)
            if model.stop_training:
                break
        validated = model.evaluate(splits.validation, return_dict=True, verbose=0)
        logs |= {f"val_{name}": value for name, value in validated.items()}
        calls.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    calls.on_train_end(logs)


# %% [markdown]
# Nothing in this loop knows what early stopping is. Give it the real `EarlyStopping`:
# %%
stopper = EarlyStopping(patience=1, restore_best_weights=True)
my_fit(build(), digits, epochs=40, callbacks=[stopper])
stopped = f"stopped after epoch {stopper.stopped_epoch + 1} of 40"
print(f"best epoch {stopper.best_epoch + 1}, {stopped}")
# %% tags=["solution"]
assert 0 < stopper.stopped_epoch < 39


# %% [markdown]
# Four things that `fit` does are missing. `loss` and `accuracy` of an epoch are those of its last batch here;
# `fit` takes them over the epoch (`val_loss` is the same). Validation calls no `on_test_` hooks. No `History` is kept,
# and no progress bar shown. And an optimizer that averages the weights (`use_ema=True`) is not told to put the average
# in place at the end. <!-- claim: own.test_what_a_loop_of_ones_own_leaves_out -->
# %% [markdown]
# ## Predict: the flag
#
# A callback asks for the end of a training by one assignment, `self.model.stop_training = True`.
#
# This one does so very early: after the first of three batches of the first epoch. Five epochs are ordered.
# %%
class StopAtOnce(Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True


# %% tags=["predict"]
widgets.predict("06.b")
# %%
from helpers.callbacks import HookRecorder

recorder = HookRecorder()
settings = {"validation_data": few.validation, "epochs": 5, "verbose": 0}
model.fit(few.train, callbacks=[StopAtOnce(), recorder], **settings)
style.show(plots.hook_timeline(recorder.events))
print("the flag after the fit:", model.stop_training)
widgets.reveal("06.b")


# %% [markdown] tags=["instructor"]
# Expect most to choose "nothing more happens", by analogy with `break` or an exception. Ask what would go wrong:
# `EarlyStopping(restore_best_weights=True)` brings the weights back in `on_train_end`. An exception raised in a
# callback does leave at once, without `on_train_end`.
# %% [markdown]
# ## Where state lives
#
# A callback is an object, and an object remembers. This one counts epochs twice. One counter starts in `__init__`,
# the other in `on_train_begin`.
# %%
class CountTwice(Callback):
    def __init__(self):
        super().__init__()
        self.since_made = 0

    def on_train_begin(self, logs=None):
        self.in_this_fit = 0

    def on_epoch_end(self, epoch, logs=None):
        self.since_made += 1
        self.in_this_fit += 1


counter = CountTwice()
for _ in range(2):
    model.fit(few.train, epochs=3, callbacks=[counter], verbose=0)
    print("since made:", counter.since_made, "  in this fit:", counter.in_this_fit)
# %% [markdown]
# `__init__` runs when the object is made, `on_train_begin` at the start of every fit. Hence the rule that
# `EarlyStopping` follows: **settings in `__init__`, the state of a run in `on_train_begin`.** You met the exception in
# lesson 03: `ModelCheckpoint` keeps its `best` from fit to fit.
# <!-- claim: own.test_state_lives_on_unless_reset -->
#
# `super().__init__()` prepares what every callback has, such as `self.model`.
# %% [markdown]
# Is the state also in the model's file? Layers and optimizers have `get_config`, which gives their settings, and
# `save` writes them into it.
# %%
import zipfile

saver = ModelCheckpoint(lesson.new_folder("06") / "model.keras", save_best_only=True)
settings = {"validation_data": few.validation, "epochs": 2, "verbose": 0}
model.fit(few.train, callbacks=[saver], **settings)
config = zipfile.ZipFile(saver.filepath).read("config.json").decode()
for thing in [model.optimizer, saver]:
    name, has = type(thing).__name__, hasattr(thing, "get_config")
    print(f"{name}: in the file {name in config}, get_config {has}")
# %% [markdown]
# Callbacks have no `get_config`. Nothing about them is saved with a model: whoever loads it makes new ones. It leaves
# you free: a callback may hold a function, an open file, a database.
#
# To keep one with its state, **pickle** it, Python's way to turn an object into bytes. It is worth it for what the next
# fit does not reset, such as the `best` of a `ModelCheckpoint`. The callback's model comes along.
# <!-- claim: own.test_a_used_checkpoint_keeps_its_best_in_a_pickle -->
# %%
import pickle

again = pickle.loads(pickle.dumps(saver))
print("best:", saver.best, " and after the pickle:", again.best)
with checks.expect_error((pickle.PicklingError, AttributeError)):
    pickle.dumps(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None))
# %% tags=["solution"]
assert again.best == saver.best is not None
# %% [markdown]
# A lambda cannot be pickled, nor can an open file. If a callback of yours has to be pickled, use named functions, and
# open files in `on_train_begin`. <!-- claim: own.test_callbacks_can_be_pickled -->
# %% [markdown]
# ## Key takeaways
#
# - With TensorFlow, hooks are plain calls in the thread of `fit`. Nothing happens in the background.
# - `stop_training` is a flag for the loop: the batch ends, then validation, `on_epoch_end` and `on_train_end` come.
# - Settings in `__init__`, the state of a run in `on_train_begin`.
# - State is in the object alone, not in the model's file. Pickle it if you need it.
# %% [markdown]
# ## Where next
#
# To write callbacks of your own, go on to [lesson 06c](06c_write_your_own.ipynb). Who wants to know `EarlyStopping` and
# `ModelCheckpoint` to the last digit takes [lesson 06b](06b_rebuild_both.ipynb) first, and rebuilds both.
