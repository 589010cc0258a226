# %% [markdown]
# # Watch training happen: what a callback is
#
# **You will** see every moment at which Keras calls a callback, write callbacks of your own, and meet four things
# about them that surprise people.
#
# **You need** to have trained a Keras model once or twice with `model.fit`.
#
# **Minutes:** 16 for the core, 38 in all
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("01")
import keras
from keras.callbacks import Callback, CSVLogger, History, LambdaCallback

from helpers.callbacks import HookRecorder


# %% [markdown]
# ## Two helpers in a kitchen
#
# You bake cookies from a recipe card that you correct in pencil after every tray. The cookies get better for a while,
# then you correct too much and they get worse.
#
# Two helpers watch you. One holds a **timer**: "The last three trays were no better. Stop." One holds a **camera**
# and photographs the card whenever a tray beats all trays before. Neither of them bakes.
#
# `fit` is the baker, the weights are the card, and the helpers are **callbacks**.
# %% [markdown]
# ## When the helpers are asked
#
# Training is a loop, and `fit` calls the callbacks at fixed places of it. Each place (▸) is a **hook** with a name:
#
# ```
# ▸ on_train_begin
# │
# ├─▸ on_epoch_begin ◄──────────────────────────┐
# │    ├─▸ on_train_batch_begin ◄───┐           │
# │    │   correct the weights      │ next      │ next
# │    ├─▸ on_train_batch_end ──────┘ batch     │ epoch
# │    │                                        │
# │    └─? validation                           │
# ├─▸ on_epoch_end ─────────────────────────────┘
# │
# ▸ on_train_end
# ```
#
# An **epoch** is one pass over the training rows, a **batch** is the few rows that correct the weights once.
# **Validation** tries the model on rows from which it does not learn. What callbacks hear of it (?) comes later.
# %% [markdown] tags=["instructor"]
# Draw the loop on the board, without the hooks, and let the class say where the timer and the camera have to look.
# Expect "epoch ends" for both. Ask what each needs to know there: the validation loss.
# %% [markdown]
# ## Watch, and act
#
# A callback is a class. It inherits from `Callback`, where all hooks are empty, and fills in those that it needs.
# `Report` only watches. `Enough` acts: it raises a flag on the model that trains.
# %%
class Report(Callback):
    def on_epoch_end(self, epoch, logs=None):
        rounded = {name: round(value, 2) for name, value in logs.items()}
        print(f"epoch {epoch + 1}:", rounded)


class Enough(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < 1.5:
            self.model.stop_training = True


# %% [markdown]
# They need a model. This one learns to read handwritten digits.
# %%
digits = data.load_digits(train_rows=300)
keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
# %% [markdown]
# Twenty epochs are ordered. Run it and count.
# %%
history = model.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=20,
    callbacks=[Report(), Enough()],
    verbose=0,
)
# %% tags=["solution"]
assert history.history["loss"][-1] < 1.5 < history.history["loss"][-2]
assert 2 < len(history.epoch) < 10


# %% [markdown]
# The loss fell below 1.5, and the rest of the twenty epochs never ran: `fit` looks at the flag after each batch and
# after each epoch, and ends when the flag is raised. <!-- claim: hooks.test_stop_training_in_a_batch -->
#
# `logs` is a dictionary with what was measured in this epoch. Names with `val_` come from validation.
#
# `epoch` counts from 0 in code. People count from 1, and so does Keras when it prints: hence `epoch + 1`.
# %% [markdown]
# `LambdaCallback` makes a callback out of a function, without a class. It takes the hook's name:
# %%
def peek(epoch, logs):
    print(f"epoch {epoch + 1}: {logs['accuracy']:.0%} of the training images right")


peeking = LambdaCallback(on_epoch_end=peek)
history = model.fit(digits.train, epochs=3, callbacks=[peeking], verbose=0)
# %% [markdown]
# ## Exercise 01.1: collect
#
# Assign to `collector` a `LambdaCallback` that appends the **validation accuracy** of each epoch to the list `seen`.
# The check plays a few epochs with it and looks at what was appended.
# %% tags=["exercise"]
# Exercise 01.1
seen = []
collector = ...
# solution
seen = []
collector = LambdaCallback(
    on_epoch_end=lambda epoch, logs: seen.append(logs["val_accuracy"]),
)
# %%
checks.check("01.1", (collector, seen))
# %% [markdown]
# ## Predict: what do callbacks hear of validation?
#
# Back to the question mark in the drawing. In each epoch, after the last batch, the model is tried on the validation
# data.
# %% tags=["predict"]
widgets.predict("01.a")
# %% [markdown]
# `HookRecorder` is a callback of this course that notes each hook when it is called. Two epochs of three batches,
# with validation:
# %%
few = data.load_digits(train_rows=96)
recorder = HookRecorder()
model.fit(
    few.train,
    validation_data=few.validation,
    epochs=2,
    callbacks=[recorder],
    verbose=0,
)
style.show(plots.hook_timeline(recorder.events, logs=True))
widgets.reveal("01.a")


# %% [markdown]
# ## Predict: who sees it?
#
# `AddGap` puts a number of its own into `logs`: how much worse the loss is on the validation data. `look` makes a
# callback that prints which names it finds in `logs`.
# %%
class AddGap(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["gap"] = logs["val_loss"] - logs["loss"]


def look(name):
    return LambdaCallback(on_epoch_end=lambda epoch, logs: print(name, "sees", *logs))


# %% tags=["predict"]
widgets.predict("01.d")
# %% [markdown]
# One epoch, and in the end the record that `fit` returns:
# %%
history = model.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=1,
    callbacks=[look("first"), AddGap(), look("last")],
    verbose=0,
)
print("history holds", *history.history)
widgets.reveal("01.d")
# %% [markdown]
# ## The core ends here
#
# - A callback is an object whose hooks `fit` calls at fixed places of the loop. It watches `logs`, and it may act:
#   `self.model.stop_training = True`.
# - Validation happens inside the epoch, so `on_epoch_end` knows both `loss` and `val_loss`.
#
# On the express path, go on to [lesson 02](02_early_stopping.ipynb). Everybody else reads on: a training loop built
# from nothing, a slow callback, a slip of the pen, a log in a file, and two more exercises.
# %% [markdown]
# ## Predict: a slow callback
#
# A callback may do something slow, such as writing a big file or sending a message.
# %% tags=["predict"]
widgets.predict("01.b")
# %% [markdown]
# Measure it, for two callbacks. `nap` sleeps after each epoch, `short_nap` after each batch.
# %%
import time

nap = LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(0.2))
short_nap = LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.04))
for name, callbacks in {"none": [], "nap": [nap], "short_nap": [short_nap]}.items():
    start = time.perf_counter()
    model.fit(digits.train, epochs=3, callbacks=callbacks, verbose=0)
    print(f"{name:10} {time.perf_counter() - start:.2f} s")
widgets.reveal("01.b")


# %% [markdown] tags=["instructor"]
# "Callback" makes many people think of JavaScript or of threads, so expect hands for "beside the
# training". Let them say what could go wrong if it were true: a file saved while the weights change.
# %% [markdown]
# ## Build the loop from nothing
#
# Here is a whole training loop in plain Python. It learns `w` in `y = w * x`, and it can do nothing else: it prints
# nothing, saves nothing, decides nothing. It calls its helpers, and looks at one flag.
# %%
class TinyLoop:
    def fit(self, pairs, epochs, callbacks):
        self.w, self.stop_training = 0.0, False
        for callback in callbacks:
            callback.set_model(self)
            callback.on_train_begin({})
        for epoch in range(epochs):
            total = 0.0
            for x, y in pairs:  # one pair is one batch
                error = self.w * x - y
                self.w -= 0.05 * error * x
                total += error**2
            logs = {"loss": total / len(pairs)}
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs)
            if self.stop_training:
                break


# %% [markdown]
# If Keras is built this way, callbacks made for Keras should work here. Take ours, and `History`, the record that
# `fit` returns to you: it is a callback as well.
# %%
record = History()
TinyLoop().fit([(1, 3), (2, 6)], epochs=20, callbacks=[Report(), Enough(), record])
record.history


# %% [markdown]
# They work. Watching, stopping and recording came from outside, and `TinyLoop` knows nothing of them. This design is
# called the **observer pattern**.
#
# The alternative would be options: `fit(print_every=1, stop_below=1.5, save_to="best.keras")`. Each wish would be one
# more `if` inside the loop, and a wish that nobody foresaw could not be met.
# %% [markdown]
# ## Exercise 01.2: stop when it is good enough
#
# Write the callback `GoodEnough(target)`. It ends the training after the first epoch whose `val_accuracy` is at least
# `target`. The check plays trainings with it and looks at when they end.
# %% tags=["exercise"]
# Exercise 01.2
class GoodEnough(Callback):
    def __init__(self, target):
        super().__init__()
        self.target = target

    ...  # your hook here


# solution
class GoodEnough(Callback):
    def __init__(self, target):
        super().__init__()
        self.target = target

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] >= self.target:
            self.model.stop_training = True


# %%
checks.check("01.2", GoodEnough)
# %% [markdown]
# ## After each batch
#
# At the end of a batch, too, `logs` holds a `loss`. Is it the loss of that batch alone? Note it after every batch of
# one epoch, and compare the last one with the loss of the epoch.
# %%
losses = []


def note(batch, logs):
    losses.append(logs["loss"])


noting = LambdaCallback(on_train_batch_end=note)
history = model.fit(digits.train, epochs=1, callbacks=[noting], verbose=0)
print(len(losses), "calls:", *(f"{loss:.3f}" for loss in losses))
print("after the last batch:", losses[-1])
print("of the whole epoch:  ", history.history["loss"][0])
# %% tags=["solution"]
assert losses[-1] == history.history["loss"][0]
# %% [markdown]
# They are equal: after a batch, `logs` holds the mean over the epoch **so far**.
# <!-- claim: hooks.test_batch_logs_are_running_means -->
#
# `evaluate` and `predict` take callbacks too. They know no epochs. `evaluate` calls the `on_test_` hooks that you have
# seen, `predict` has hooks of its own. `predict` measures nothing: at the end of a batch its `logs` holds the `outputs`.
# <!-- claim: hooks.test_hook_order_under_evaluate --><!-- claim: hooks.test_hook_order_under_predict -->
# %%
model.predict(few.x_test[:96], callbacks=[recorder], verbose=0)
style.show(plots.hook_timeline(recorder.events, logs=True))


# %% [markdown]
# ## Predict: a slip of the pen
#
# This callback should announce the end of every epoch. Look closely at the name of its hook.
# %%
class Announce(Callback):
    def on_epoch_ended(self, epoch, logs=None):
        print("Epoch", epoch + 1, "is over.")


# %% tags=["predict"]
widgets.predict("01.c")
# %% [markdown]
# Two epochs with it:
# %%
model.fit(digits.train, epochs=2, callbacks=[Announce()], verbose=0)
widgets.reveal("01.c")
# %% [markdown]
# One line finds such slips. It lists the methods that are named like a hook, `on_...`, but are not a hook of Keras:
# %%
[name for name in vars(Announce) if name[:3] == "on_" and not hasattr(Callback, name)]
# %% [markdown]
# ## Write it down
#
# `CSVLogger` writes a line into a file after each epoch, so the numbers are still there if training crashes. Put a
# small function behind it, and look into the file while training runs. The file's first line holds the names.
# %%
log = lesson.new_folder("01") / "log.csv"


def count(epoch, logs):
    print("lines in the file:", len(log.read_text().split()))


history = model.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=3,
    callbacks=[CSVLogger(log), LambdaCallback(on_epoch_end=count)],
    verbose=0,
)
print(log.read_text())
# %% [markdown]
# ## Exercise 01.3: a column of your own
#
# Write a callback that puts `best` into `logs` after each epoch: the lowest `val_loss` so far **in this fit**. Assign
# to `with_best` a list that holds it and `CSVLogger(best_log)`, so that the file gets a column `best`. The check plays
# two fits with your list and reads what was written.
# %%
best_log = log.with_name("best.csv")
# %% tags=["exercise"]
# Exercise 01.3
with_best = ...


# solution
class Best(Callback):
    def on_train_begin(self, logs=None):
        self.best = float("inf")

    def on_epoch_end(self, epoch, logs=None):
        self.best = min(self.best, logs["val_loss"])
        logs["best"] = self.best


with_best = [Best(), CSVLogger(best_log)]
# %%
checks.check("01.3", with_best)
# %% [markdown] tags=["instructor"]
# Expect these wrong turns in 01.3: the logger first in the list; `best` set in `__init__`, so that the second fit
# remembers the first; a new dictionary (`logs = {**logs, ...}`) in place of a new key. Each has its own message.
# Lesson 06 comes back to "set in `__init__`, reset in `on_train_begin`".
# %% [markdown]
# ## Key takeaways
#
# To what the core ended with:
#
# - All callbacks share one `logs`, in the order of the list: makers before users.
# - Training waits for callbacks, after epochs and after batches (with TensorFlow).
# - After a batch, `logs` holds the mean over the epoch so far.
# - A misspelt hook is never called, and nobody tells you.
# %% [markdown]
# ## Where next
#
# [Lesson 02](02_early_stopping.ipynb) is about the helper with the timer, `EarlyStopping`.
