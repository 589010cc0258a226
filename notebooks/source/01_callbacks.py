# %% [markdown]
# # Watch training happen: what a callback is
#
# **You will** see every moment at which Keras calls a callback, write callbacks of your own, and meet four things
# about them that surprise people.
#
# **You need** to have trained a Keras model once or twice with `model.fit`.
#
# **Minutes:** 15
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
# Training is a loop, and callbacks are called at fixed places of it (▸):
#
# ```
# ▸ training begins
# │
# ├─▸ epoch begins ◄─────────────────────┐
# │    ├─▸ batch begins ◄───────┐        │
# │    │   correct the weights  │ next   │ next
# │    ├─▸ batch ends ──────────┘ batch  │ epoch
# │    │   validation                    │
# ├─▸ epoch ends ────────────────────────┘
# │
# ▸ training ends
#   (all epochs are done, or a callback said stop)
# ```
#
# An **epoch** is one pass over the training rows, a **batch** is the few rows that correct the weights once. Each
# place (▸) is called a **hook**.
# %% [markdown] tags=["instructor"]
# Three minutes up to here. Draw the loop on the board, without the hooks, and let the class say where the timer and
# the camera have to look. Most put both at "epoch ends". Ask what each needs to know there: the validation loss.
# %% [markdown]
# ## Build it from nothing
#
# Here is a whole training loop in plain Python. It learns `w` in `y = w * x`, and it can do nothing else: it prints
# nothing, saves nothing, decides nothing. It only calls its helpers, at the start and after each epoch, and looks at
# one flag.
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
# Now the helpers. `Helper` has both hooks, empty; the two below it fill in the one they need. `Report` only watches.
# `Enough` acts: it raises the flag.
# %%
class Helper:
    def set_model(self, model):
        self.model = model

    def on_train_begin(self, logs=None): ...

    def on_epoch_end(self, epoch, logs=None): ...


class Report(Helper):
    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch + 1}: loss {logs['loss']:.3f}")


class Enough(Helper):
    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < 1.0:
            self.model.stop_training = True


# %% [markdown]
# Twenty epochs were ordered. Run it and count.
# %%
TinyLoop().fit([(1, 3), (2, 6)], epochs=20, callbacks=[Report(), Enough()])
# %% [markdown]
# The loss fell below 1, and the rest of the twenty epochs never ran. We added watching and stopping, and `TinyLoop`
# did not change. This design is called the **observer pattern**.
#
# The alternative would be options: `fit(print_every=1, stop_below=1.0, save_to=...)`. Each wish would be one more
# `if` inside the loop, and a wish that nobody foresaw could not be met. With hooks, anybody adds a helper and leaves
# the loop alone.
# %% [markdown]
# ## Keras does the same
#
# If Keras is built this way, then its callbacks should work in our loop. Take `History`: the record that `fit`
# returns to you is a callback.
# %%
record = History()
TinyLoop().fit([(1, 3), (2, 6)], epochs=4, callbacks=[record])
record.history
# %% [markdown]
# It works. For the other way round we need a real model. This one learns to read handwritten digits.
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
# And here is our `Report` in Keras's `fit`. It inherits from `Callback`, which is what `Helper` was: all hooks, empty.
# %%
class Report(Callback):
    def on_epoch_end(self, epoch, logs=None):
        rounded = {name: round(value, 2) for name, value in logs.items()}
        print(f"epoch {epoch + 1}:", rounded)


history = model.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=3,
    callbacks=[Report()],
    verbose=0,
)
# %% [markdown]
# `logs` is a dictionary with what was measured in this epoch. Names with `val_` come from the validation data, which
# the model does not learn from.
#
# `epoch` counts from 0 in code. People count from 1, and so does Keras when it prints: hence `epoch + 1`.
# %% [markdown]
# ## Three callbacks to begin with
#
# - `History` is always there: `fit` adds one and returns it.
# - `CSVLogger` writes a line into a file after each epoch, so the numbers are still there if training crashes.
# - `LambdaCallback` makes a callback out of a small function, without a class.
#
# Here the small function, `peek`, looks into the file while training runs. The file's first line holds the names.
# %%
log = lesson.new_folder("01") / "log.csv"


def peek(epoch, logs):
    lines = log.read_text().split()
    print(f"val_loss {logs['val_loss']:.3f}, lines in the file: {len(lines)}")


history = model.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=3,
    callbacks=[CSVLogger(log), LambdaCallback(on_epoch_end=peek)],
    verbose=0,
)
print("Is the history a callback?", isinstance(history, Callback))
print(log.read_text())
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
collector = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_accuracy"]))
# %%
checks.check("01.1", (collector, seen))
# %% [markdown]
# ## Predict: who is called in validation?
#
# You have used one hook, `on_epoch_end`. Before you see them all, commit to an answer.
# %% tags=["predict"]
widgets.predict("01.a")
# %% [markdown]
# `HookRecorder` is a callback of this course that notes each hook when it is called. Two epochs of three batches,
# with validation:
# %%
few = data.load_digits(train_rows=96)
recorder = HookRecorder()
model.fit(few.train, validation_data=few.validation, epochs=2, callbacks=[recorder], verbose=0)
style.show(plots.hook_timeline(recorder.events, logs=True))
# %% [markdown]
# Read from left to right: validation lies inside the epoch. It is a small `evaluate` with hooks of its own
# (`on_test_...`), between the last batch and `on_epoch_end`. So at `on_epoch_end` a callback knows `val_loss` and can
# act on it.
#
# On the right stands what `logs` held:
#
# - at every *begin* nothing: there is nothing to report yet;
# - in validation, names without `val_`. `fit` adds it before `on_epoch_end`;
# - `on_train_end` gets the last epoch's numbers.
# %% [markdown]
# Is the `loss` at the end of a batch that batch's own? Note it after every batch of one epoch, and compare the last
# one with the loss of the epoch.
# %%
losses = []
note = LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))
history = model.fit(digits.train, epochs=1, callbacks=[note], verbose=0)
print(len(losses), "calls:", *(f"{loss:.3f}" for loss in losses))
print("after the last batch:", losses[-1])
print("of the whole epoch:  ", history.history["loss"][0])
assert losses[-1] == history.history["loss"][0]
# %% [markdown]
# They are equal: after a batch, `logs` holds the mean over the epoch **so far**. And callbacks are not only for
# epochs: this one was called after every batch.
#
# `evaluate` and `predict` take callbacks too. They know no epochs. `predict` measures nothing: at the end of a batch
# its `logs` holds the `outputs` themselves.
# %%
model.evaluate(few.validation, callbacks=[recorder], verbose=0)
style.show(plots.hook_timeline(recorder.events, logs=True))
model.predict(few.x_test[:96], callbacks=[recorder], verbose=0)
style.show(plots.hook_timeline(recorder.events, logs=True))
# %% [markdown]
# ## Predict: does training wait?
#
# A callback may do something slow, such as writing a big file or sending a message.
# %% tags=["predict"]
widgets.predict("01.b")
# %% [markdown]
# Measure it. `nap` sleeps after each epoch. `short_nap` sleeps much less, but after each of the ten batches of an
# epoch.
# %%
import time

nap = LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(0.2))
short_nap = LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.04))
for name, callbacks in {"none": [], "nap": [nap], "short_nap": [short_nap]}.items():
    start = time.perf_counter()
    model.fit(digits.train, epochs=3, callbacks=callbacks, verbose=0)
    print(f"{name:10} {time.perf_counter() - start:.2f} s")


# %% [markdown]
# Training waits. The hook is called, it returns, and only then does the next batch begin. And the shorter nap cost
# more, because it was taken ten times as often.
#
# Waiting has a good side: while your hook runs, nobody changes the weights under your hands. But keep the hooks for
# batches quick.
# %% [markdown] tags=["instructor"]
# Two minutes. "Callback" makes many people think of JavaScript or of threads, so expect hands for answer A. Let them
# say what could go wrong if it were true: a file saved while the weights change.
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
print("Training is over.")
# %% [markdown]
# No line, no error, no warning. Keras called `on_epoch_end` and found the empty one that every `Callback` inherits.
# `on_epoch_ended` is just a method that nobody calls.
#
# When a callback seems dead, look for methods that Keras does not know:
# %%
[name for name in vars(Announce) if name[:3] == "on_" and not hasattr(Callback, name)]


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
# One epoch, with a look before `AddGap`, a look after it, and the history at the end:
# %%
history = model.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=1,
    callbacks=[look("first"), AddGap(), look("last")],
    verbose=0,
)
print("history holds", *history.history)
# %% [markdown]
# At a hook, all callbacks get **the same** dictionary, one after the other, in the order of your list. What one adds,
# those after it see; those before it have missed it. `fit` puts its own `History` behind yours, so it sees everything.
#
# So in the list, a callback that makes a number stands before those that use it.
# %% [markdown]
# ## Exercise 01.3: a column of your own
#
# Write a callback that puts `best` into `logs` after each epoch: the lowest `val_loss` so far **in this fit**. Assign
# to `with_best` a list that holds it and `CSVLogger(best_log)`, so that the file gets a column `best`. The check plays
# two fits with your list and reads what was written.
# %% tags=["exercise"]
# Exercise 01.3
best_log = lesson.new_folder("01") / "log.csv"
with_best = ...


# solution
class Best(Callback):
    def on_train_begin(self, logs=None):
        self.best = float("inf")

    def on_epoch_end(self, epoch, logs=None):
        self.best = min(self.best, logs["val_loss"])
        logs["best"] = self.best


best_log = lesson.new_folder("01") / "log.csv"
with_best = [Best(), CSVLogger(best_log)]
# %%
checks.check("01.3", with_best)
# %% [markdown] tags=["instructor"]
# Usual wrong turns in 01.3: the logger first in the list; `best` set in `__init__`, so that the second fit remembers
# the first; a new dictionary (`logs = {**logs, ...}`) in place of a new key. Each has its own message. Lesson 06
# comes back to "set in `__init__`, reset in `on_train_begin`".
# %% [markdown]
# ## Key takeaways
#
# - A callback is an object whose hooks `fit` calls at fixed places of the loop. It watches `logs`, and it may act:
#   `self.model.stop_training = True`.
# - Validation happens inside the epoch, so `on_epoch_end` knows both `loss` and `val_loss`.
# - Training waits for callbacks, after epochs and after batches.
# - A misspelt hook is never called, and nobody tells you.
# - All callbacks share one `logs`, in the order of the list: makers before users.
# %% [markdown]
# ## Where next
#
# [Lesson 02](02_early_stopping.ipynb) is about the helper with the timer, `EarlyStopping`.
