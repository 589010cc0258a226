# %% [markdown]
# # Look inside, and write your own
#
# **You will** see how Keras calls callbacks, rebuild `EarlyStopping` and the saving rule of `ModelCheckpoint`, hold
# them against the real ones in hundreds of trainings, and write callbacks that Keras does not have.
#
# **You need** lessons [01](01_callbacks.ipynb) to [05](05_choose_the_numbers.ipynb), and to have written a Python class
# before. Each callback of the workbench at the end takes another ten minutes. For all before it, take:
#
# **Minutes:** 45
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("06")
import keras
import numpy as np
from keras.callbacks import Callback, CallbackList, EarlyStopping, ModelCheckpoint

# %% [markdown]
# Digits with some wrong labels, and a model for them, as in the lessons before.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)
few = data.load_digits(train_rows=96)


def build():
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(64, activation="relu")
    model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
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
        happened.append(f"epoch {epoch + 1}, in {threading.current_thread().name}")


# Hand the notebook a job: do this as soon as you are free.
asyncio.get_running_loop().call_soon(happened.append, "the job of the notebook")
model.fit(digits.train, epochs=3, callbacks=[Where()], verbose=0)
print("this cell ran in", threading.current_thread().name)
happened
# %% [markdown]
# A **thread** is a line of work inside a program: it does one thing after another. The hooks ran in the thread that
# runs this cell, the one that called `fit`. The job is not in the list. It is still waiting for its moment. Look again
# in a new cell:
# %%
print(*happened, sep="\n")
assert happened[-1] == "the job of the notebook"


# %% [markdown]
# So, with TensorFlow, callbacks run **in step**: each hook is a plain function call between two steps of training.
# That thread does nothing else until `fit` has returned. This is why nothing happens when you move a slider while a
# cell trains, and why `LiveTraining` in lesson 05 put its `fit` into a thread of its own.
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
# Two things differ from `fit`. Here `loss` and `accuracy` at the end of an epoch are those of the last batch, because
# `train_on_batch` starts its metrics anew each time; `fit` takes them over the epoch. And validation calls no
# `on_test_` hooks here. `val_loss` is the same.
#
# Nothing in this loop knows what early stopping is. Give it the real `EarlyStopping`:
# %%
stopper = EarlyStopping(patience=1, restore_best_weights=True)
my_fit(build(), digits, epochs=40, callbacks=[stopper])
print(f"best epoch {stopper.best_epoch + 1}, stopped after epoch {stopper.stopped_epoch + 1} of 40")
assert 0 < stopper.stopped_epoch < 39


# %% [markdown]
# ## Predict: the flag
#
# A callback stops a training by one assignment, `self.model.stop_training = True`. It is a note for the loop, no more.
#
# This one sets it very early: after the first of three batches of the first epoch. Five epochs are ordered.
# %%
class StopAtOnce(Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = True


# %% tags=["predict"]
widgets.predict("06.b")
# %%
from helpers.callbacks import HookRecorder

recorder = HookRecorder()
model.fit(few.train, validation_data=few.validation, epochs=5, callbacks=[StopAtOnce(), recorder], verbose=0)
style.show(plots.hook_timeline(recorder.events))
print("the flag after the fit:", model.stop_training)


# %% [markdown]
# `fit` looks at the flag in two places, as our loop does. The other two batches are skipped, but the epoch is brought
# to its end: validation, `on_epoch_end`, `on_train_end`. And `recorder`, which stands behind `StopAtOnce` in the list,
# missed nothing. So every callback gets to tidy up.
#
# The flag is still up after the fit. The next `fit` takes it down before it calls anybody.
# %% [markdown] tags=["instructor"]
# Eight minutes up to here. Most choose "nothing more happens", by analogy with `break` or an exception. Ask what would
# go wrong: `EarlyStopping(restore_best_weights=True)` brings the weights back in `on_train_end`. An exception raised in
# a callback does leave at once, without `on_train_end`.
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
#
# `super().__init__()` prepares what every callback has, such as `self.model`.
# %% [markdown]
# Is the state also in the model's file? Layers and optimizers have `get_config`, which gives their settings, and
# `save` writes them into it.
# %%
import zipfile

stopper = EarlyStopping(patience=2)
model.fit(few.train, validation_data=few.validation, epochs=2, callbacks=[stopper], verbose=0)
path = lesson.new_folder("06") / "model.keras"
model.save(path)
config = zipfile.ZipFile(path).read("config.json").decode()
print("Adam in the file:", "Adam" in config, "  EarlyStopping in the file:", "EarlyStopping" in config)
print("get_config:", hasattr(model.optimizer, "get_config"), hasattr(stopper, "get_config"))
# %% [markdown]
# Callbacks have no `get_config`. Nothing about them is saved with a model: whoever loads it makes new ones. It leaves
# you free: a callback may hold a function, an open file, a database.
#
# To keep one with its state, **pickle** it: Python's way to turn an object into bytes. It is worth it for state that
# the next fit does not reset, such as the `best` of a `ModelCheckpoint`.
# %%
import pickle

saver = ModelCheckpoint(path, save_best_only=True)
model.fit(few.train, validation_data=few.validation, epochs=2, callbacks=[saver], verbose=0)
again = pickle.loads(pickle.dumps(saver))
print("the same best:", again.best == saver.best, f"  bytes: {len(pickle.dumps(saver)):,}")
assert again.best == saver.best is not None
# %% [markdown]
# That many bytes, because a callback that was in a fit holds its model, and the model comes along. Some things do not:
# %%
with checks.expect_error((pickle.PicklingError, AttributeError)):
    pickle.dumps(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None))
with checks.expect_error(TypeError), open(path, "rb") as file:
    pickle.dumps(file)


# %% [markdown]
# A lambda cannot be pickled, nor can an open file. If a callback of yours has to be pickled, use named functions, and
# open files in `on_train_begin`.
# %% [markdown]
# ## Test a callback without training
#
# Hooks are methods. So you can call them yourself, with any losses you like and a model that is none. It needs only
# what the callback touches. Its "weights" are the number of the epoch.
# %%
class FakeModel:
    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def play(callback, losses):
    model = FakeModel()
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.weights = epoch + 1
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return f"{epoch + 1} epochs, weights of epoch {model.weights}"


# %% [markdown]
# Five epochs, no training, and the answer you know from lesson 02:
# %%
print(play(EarlyStopping(patience=2), [5, 4, 3, 4, 5, 6]))
print(play(EarlyStopping(patience=2, restore_best_weights=True), [5, 4, 3, 4, 5, 6]))


# %% [markdown]
# ## Rebuild EarlyStopping: a first try
#
# The rule seems short: a new lowest value sets the counter to 0, anything else adds 1, and at `patience` it stops.
# %%
class FirstTry(Callback):
    def __init__(self, patience=0):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.best, self.wait = float("inf"), 0

    def on_epoch_end(self, epoch, logs=None):
        value = logs["val_loss"]
        if value < self.best:
            self.best, self.wait = value, 0
        else:
            self.wait += 1
            if self.wait >= self.patience:
                self.model.stop_training = True


# %% [markdown]
# With `play` we can hold it against the real one, on curves as nasty as we like. A curve may hold NaN ("not a number",
# what a loss becomes when a computation breaks down) and infinity.
# %%
nan, inf = float("nan"), float("inf")
easy = [[5, 4, 3, 4, 5, 6], [1, 1, 1, 1], [3, 2, nan, 1, 2, 3]]
nasty = [[nan, 3, 2, 1, 0.5], [inf, inf, 2, 1, 0.5]]
# %% [markdown]
# ## Predict: the first value is NaN
#
# `[nan, 3, 2, 1, 0.5]`: after a bad start, each epoch is better than the one before. What does the **real**
# `EarlyStopping(patience=2)` do?
# %% tags=["predict"]
widgets.predict("06.c")
# %%
for losses in easy + nasty:
    mine, real = play(FirstTry(2), losses), play(EarlyStopping(patience=2), losses)
    print(f"{losses!s:26} mine: {mine[:8]}   real: {real[:8]}   {'' if mine == real else '<- differ'}")
assert play(EarlyStopping(patience=2), nasty[0])[:8] == "3 epochs"
# %% [markdown]
# On the easy curves the first try is right, and a NaN that comes later does no harm. On the nasty ones it is not:
#
# - The real one takes **whatever comes first** as its best. Every comparison with NaN is false, so nothing beats NaN,
#   and training ends while it gets better and better.
# - With infinity it is the other way round. The real one takes the first as its best and waits only for the second.
#   `FirstTry` begins at infinity, so it waits for both, and stops too soon.
#
# To be equal, one must be equal on such curves too.
# %% [markdown] tags=["instructor"]
# Fifteen minutes up to here. The real behaviour at NaN is not a wise one, and a group may want to build a better one.
# Say: first equal, then better. A better one is a change that you know of and have tests for. `start_from_epoch=1`
# is today's way around a broken first epoch.
# %% [markdown]
# ## What Keras compares
#
# Two more things are easily missed. Is a fall from 0.8 to 0.7 an improvement by **more than** `min_delta=0.1`? Ask
# Python, and ask Keras:
# %%
print("Python:", 0.7 + 0.1 < 0.8, "  Keras:", bool(keras.ops.less(0.7 + 0.1, 0.8)))


# %% [markdown]
# On paper it is a tie. Python's numbers have about 16 digits, and `0.7 + 0.1` misses 0.8 in the last one. Keras
# compares in **float32**, with about 7 digits, where both are the same number. A rebuilt callback has to compare as
# Keras does: `keras.ops.less`.
#
# And `mode="auto"`: from its name, Keras knows that a loss should fall. For other names it asks the compiled metrics
# which way is up.
# %%
def direction(name, model):
    """Return the comparison that says "better" for this metric."""
    name = name.removeprefix("val_")
    if name == "loss":
        return keras.ops.less
    for group in getattr(model, "metrics", ()):
        for metric in getattr(group, "metrics", ()):
            if metric.name == name and hasattr(metric, "_direction"):
                return keras.ops.greater if metric._direction == "up" else keras.ops.less
    raise ValueError(f"Should {name} rise or fall? Pass mode='min' or mode='max'.")


print(direction("val_loss", model).__name__, direction("val_accuracy", model).__name__)
# %% [markdown]
# Both rebuilt callbacks need this, so it goes into a parent class, as in Keras. It offers two methods:
#
# - `self.value(logs)`: the monitored number, or None with a warning if it is missing;
# - `self.better(value, than)`: is `value` better by more than `min_delta`? True if `than` is None.
# %%
import warnings


class Monitor(Callback):
    def __init__(self, monitor, mode, min_delta=0):
        super().__init__()
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.monitor_op = {"min": keras.ops.less, "max": keras.ops.greater}.get(mode)
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode '{mode}' is unknown, taking auto.", stacklevel=2)

    def value(self, logs):
        self.monitor_op = self.monitor_op or direction(self.monitor, self.model)
        if self.monitor not in (logs or {}):
            warnings.warn(f"{type(self).__name__}: there is no {self.monitor} in logs.", stacklevel=2)
        return (logs or {}).get(self.monitor)

    def better(self, value, than):
        delta = self.min_delta if self.monitor_op is keras.ops.less else -self.min_delta
        return than is None or bool(self.monitor_op(value + delta, than))


# %% [markdown]
# ## Exercise 06.1: MyEarlyStopping
#
# Write the missing hooks. After each epoch:
#
# 1. No value, or `epoch < start_from_epoch`: do nothing at all.
# 2. Add 1 to `wait`.
# 3. Better than `best`? Take it as `best`, and the epoch as `best_epoch`. If `restore_best_weights`, copy the weights.
#    Without a `baseline`, or if the value beats the baseline too, `wait` is 0 again.
# 4. Not better than `best`, and `wait` has reached `patience`? Note the epoch in `stopped_epoch`, and stop.
#
# At the end of training, put the copied weights back, if there are any.
#
# The check plays hundreds of trainings with yours and with the real one, and tells the first small difference.
# %% tags=["exercise"]
# Exercise 06.1
class MyEarlyStopping(Monitor):
    def __init__(
        self, monitor="val_loss", min_delta=0, patience=0, mode="auto",
        baseline=None, restore_best_weights=False, start_from_epoch=0,
    ):  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience, self.baseline = patience, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch

    def on_train_begin(self, logs=None):
        self.best = self.best_weights = None
        self.wait = self.best_epoch = self.stopped_epoch = 0

    # your hooks here


# solution
class MyEarlyStopping(Monitor):
    def __init__(
        self, monitor="val_loss", min_delta=0, patience=0, mode="auto",
        baseline=None, restore_best_weights=False, start_from_epoch=0,
    ):  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience, self.baseline = patience, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch

    def on_train_begin(self, logs=None):
        self.best = self.best_weights = None
        self.wait = self.best_epoch = self.stopped_epoch = 0

    def on_epoch_end(self, epoch, logs=None):
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs=None):
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)


# %%
checks.check("06.1", MyEarlyStopping)


# %% [markdown]
# ## The saving rule
#
# A checkpoint is a rule and a frame. The frame: count batches, fill the file name, make the folder, save. Here it is.
# Before each save it asks its own `should_save(logs)`: the rule.
# %%
from pathlib import Path


class Writer(Monitor):
    def __init__(
        self, filepath, monitor="val_loss", save_best_only=False, save_weights_only=False,
        mode="auto", save_freq="epoch", initial_value_threshold=None,
    ):  # fmt: skip
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"Unrecognized save_freq: {save_freq}. Pass 'epoch' or a number of batches.")
        self.filepath, self.save_freq = str(filepath), save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.best, self.batches, self.last_batch = initial_value_threshold, 0, -1

    def write(self, epoch, logs):
        path = Path(self.filepath.format(epoch=epoch + 1, **logs))
        path.parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)


# %% [markdown]
# And this is when it asks: after an epoch, or, with an integer `save_freq`, whenever so many batches have gone by.
# %%
class Saver(Writer):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch" and self.should_save(logs):
            self.write(epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        # Keras may run several batches in one step (steps_per_execution); `batch` is then the last of them.
        new_epoch = batch <= self.last_batch
        self.batches += batch + 1 if new_epoch else batch - self.last_batch
        self.last_batch = batch
        if self.save_freq != "epoch" and self.batches >= self.save_freq:
            self.batches = 0
            if self.should_save(logs):
                self.write(self.epoch, {"batch": batch + 1, **logs})


# %% [markdown]
# ## Exercise 06.2: MyModelCheckpoint
#
# Write the rule: `should_save(self, logs)` returns True or False. Use `self.save_best_only`, `self.value(logs)`,
# `self.better(value, than)` and `self.best`, which begins as `initial_value_threshold`.
#
# You know the rule from lesson 03; also what happens when the metric is missing, and in a second fit. The check plays
# hundreds of trainings with yours and with the real `ModelCheckpoint`.
# %% tags=["exercise"]
# Exercise 06.2
class MyModelCheckpoint(Saver):
    def should_save(self, logs): ...


# solution
class MyModelCheckpoint(Saver):
    def should_save(self, logs):
        value = self.value(logs) if self.save_best_only else None
        if value is None:
            return True
        improved = self.better(value, self.best)
        if improved:
            self.best = value
        return improved


# %%
checks.check("06.2", MyModelCheckpoint)
# %% tags=["solution"]
from helpers.checks.scripted import compare

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    watched = ("wait", "best", "best_epoch", "stopped_epoch")
    print(compare(MyEarlyStopping, rounding=True, cases=500, attributes=watched, seed=1))
# %% [markdown] tags=["instructor"]
# The cell above prints None: no difference in 500 more trainings. The project's own tests go on to 5,000, and run the
# tests that Keras holds against its own two callbacks with these classes in their place. Twenty-five minutes up to here
# for a quick group. Leave 06.1 for homework if it takes longer; the rest does not depend on it.
# %% [markdown]
# ## What a callback costs
#
# "Callbacks slow training down." "Callbacks cost nothing." Both are said often. Measure it: between two callbacks that
# look at the clock stands the one to be measured. What passes from `Tick` to `Tock` is its cost, in the two hooks that
# do the work.
# %%
import time


class Tick(Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.at = time.perf_counter()

    on_train_batch_end = on_epoch_end


class Tock(Callback):
    def __init__(self, tick):
        super().__init__()
        self.tick, self.epochs, self.batches = tick, [], []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(time.perf_counter() - self.tick.at)

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(time.perf_counter() - self.tick.at)


# %% [markdown]
# To be measured: a callback whose hooks are all empty; a hundred of them; one that dawdles for 5 milliseconds after
# each batch; the copy in memory that `EarlyStopping` makes; a file that `ModelCheckpoint` writes.
# %%
class SlowBatch(Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.005)


folder = lesson.new_folder("06")
measured = {
    "an empty one": [Callback()],
    "a hundred empty ones": [Callback() for _ in range(100)],
    "slow on each batch": [SlowBatch()],
    "EarlyStopping": [EarlyStopping(patience=99, restore_best_weights=True)],
    "ModelCheckpoint": [ModelCheckpoint(folder / "{epoch}.keras")],
}
# %% [markdown]
# ## Predict: a hundred, or one?
#
# An epoch here has ten batches.
# %% tags=["predict"]
widgets.predict("06.d")
# %%
costs = {}
for name, callbacks in measured.items():
    tick = Tick()
    tock = Tock(tick)
    listed = [tick, *callbacks, tock]
    start = time.perf_counter()
    model.fit(digits.train, validation_data=digits.validation, epochs=5, callbacks=listed, verbose=0)
    costs[name] = (sum(tock.epochs) + sum(tock.batches)) / (time.perf_counter() - start)
    epoch, batch = np.median(tock.epochs) * 1000, np.median(tock.batches) * 1000
    print(f"{name:20} epoch hook {epoch:7.3f} ms   batch hook {batch:6.3f} ms   {costs[name]:6.1%} of the fit")
assert costs["slow on each batch"] > costs["a hundred empty ones"]


# %% [markdown]
# Both sayings are wrong:
#
# - **Being called** costs next to nothing, even a hundred times over.
# - **What you do in a hook** costs what it costs, times the number of calls. A small thing after each batch adds up to
#   more than a big one after each epoch, once there are enough batches.
#
# A copy in memory is cheap for a model of this size, a file dearer. Your model, your disk: measure them, with this very
# cell.
# %% [markdown] tags=["instructor"]
# Let people change 5 milliseconds to 0.5 and guess the new share first. A batch of a real model takes 100 milliseconds
# or more: the same hook is then a few per cent. The share depends on the training as much as on the callback.
# %% [markdown]
# ## Your own: back to the last good weights
#
# Now callbacks that Keras does not have. First: a training breaks down, and the loss becomes NaN. Here somebody sets an
# absurd learning rate in epoch 4.
# %%
class Sabotage(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = float("inf") if epoch == 3 else 0.01


def broken_fit(callback):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    callbacks = [Sabotage(), callback]
    model.fit(digits.train, validation_data=digits.validation, epochs=8, callbacks=callbacks, verbose=0)
    print(len(model.history.epoch), "epochs, val_loss:", np.round(model.history.history["val_loss"], 2))
    return model


# %% [markdown]
# Keras has `TerminateOnNaN`, which ends such a training. And the model?
# %%
broken = broken_fit(keras.callbacks.TerminateOnNaN())
lost = [int((~np.isfinite(array)).sum()) for array in broken.get_weights()]
print(f"weights that are no finite numbers: {sum(lost)} of {broken.count_params()}")
assert sum(lost) > 0


# %% [markdown]
# It stopped, but the model is lost. Ours keeps a copy of the weights after each good epoch and puts it back:
# %%
class BackToGood(Callback):
    def on_train_begin(self, logs=None):
        self.good, self.broken = self.model.get_weights(), False

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(logs["loss"]):
            self.broken = self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if np.isfinite(logs["loss"]) and np.isfinite(logs["val_loss"]):
            self.good = self.model.get_weights()
        else:
            self.broken = self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.broken:
            self.model.set_weights(self.good)


rescued = broken_fit(BackToGood())
now = rescued.evaluate(digits.validation, verbose=0)
print(f"val_loss now: {now:.2f}")
assert abs(now - rescued.history.history["val_loss"][2]) < 1e-4
# %% [markdown]
# Why look at `val_loss` too? The loss of a batch is computed **before** the batch changes the weights. If the last
# batch of an epoch breaks them, `loss` is still fine. Validation comes afterwards, and sees it.
#
# Weights are all that comes back. An optimizer with a memory, such as Adam, keeps its NaN: compile anew before you
# train on.
# %%
model = build()
model.fit(few.train, epochs=1, verbose=0)
good, adam = model.get_weights(), model.optimizer
adam.learning_rate = float("inf")
model.fit(few.train, epochs=1, verbose=0)
model.set_weights(good)
adam.learning_rate = 0.005
print("the same Adam:", model.fit(few.train, epochs=1, verbose=0).history["loss"])
model.set_weights(good)
model.compile(keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
print("compiled anew:", np.round(model.fit(few.train, epochs=1, verbose=0).history["loss"], 2))
# %% [markdown]
# ## Your own: an alert
#
# A monitor measures something and calls for help once. Whom it calls is not its business: it gets a function. Here
# `print`; at work perhaps one that sends a message. This one watches memory: `psutil` asks the operating system how
# much this process uses.
# %%
import psutil


class MemoryAlert(Callback):
    def __init__(self, limit_mb, alert):
        super().__init__()
        self.limit_mb, self.alert = limit_mb, alert

    def on_train_begin(self, logs=None):
        self.alerted = False

    def on_epoch_end(self, epoch, logs=None):
        logs["memory_mb"] = psutil.Process().memory_info().rss / 2**20
        if logs["memory_mb"] > self.limit_mb and not self.alerted:
            self.alerted = True
            self.alert(f"Epoch {epoch + 1}: {logs['memory_mb']:.0f} MB, more than {self.limit_mb}.")


history = model.fit(digits.train, epochs=3, callbacks=[MemoryAlert(100, alert=print)], verbose=0)
print("in the history:", np.round(history.history["memory_mb"], 1))


# %% [markdown]
# One call for help in three epochs, and a column in the history. Making a new key in `logs` is fine. Changing or
# removing what is there is not: every callback behind yours, and the history, would believe it.
# %% [markdown]
# ## Now you: a workbench
#
# Five callbacks to write. Take **two** now, whichever you could use at work, and the others another day. Each check
# plays trainings by script, in which clock and losses are ours, so it knows exactly what should happen.
#
# What every one of them must get right: settings in `__init__`, state in `on_train_begin`, a first epoch that is
# compared with nothing, NaN, and never lowering a flag that another callback raised.
# %% [markdown]
# ## Exercise 06.3: two metrics together
#
# `StopWhenBoth(patience)` trains on as long as `val_loss` reaches a new lowest **or** `val_accuracy` a new highest
# value of this fit. It stops at the `patience`-th epoch in a row with neither. A tie is nothing new, NaN never is. An
# epoch without the two metrics does not count.
# %% tags=["exercise"]
# Exercise 06.3
class StopWhenBoth(Callback):
    def __init__(self, patience):
        super().__init__()
        self.patience = patience

    # your hooks here


# solution
class StopWhenBoth(Callback):
    def __init__(self, patience):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.lowest, self.highest, self.wait = float("inf"), float("-inf"), 0

    def on_epoch_end(self, epoch, logs=None):
        if "val_loss" not in logs:
            return
        better = logs["val_loss"] < self.lowest or logs["val_accuracy"] > self.highest
        self.lowest = min(self.lowest, logs["val_loss"])
        self.highest = max(self.highest, logs["val_accuracy"])
        self.wait = 0 if better else self.wait + 1
        if self.wait >= self.patience:
            self.model.stop_training = True


# %%
checks.check("06.3", StopWhenBoth)


# %% [markdown]
# ## Exercise 06.4: a time budget
#
# `TimeBudget(seconds)` stops the training right after the first **batch** at whose end at least `seconds` have passed
# since this fit began. An epoch may last an hour, so do not wait for its end.
#
# Take the time from `time.perf_counter()`, `time.monotonic()` or `time.time()`: the check moves their hands.
# %% tags=["exercise"]
# Exercise 06.4
class TimeBudget(Callback):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    # your hooks here


# solution
class TimeBudget(Callback):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if time.perf_counter() - self.start >= self.seconds:
            self.model.stop_training = True


# %%
checks.check("06.4", TimeBudget)


# %% [markdown]
# ## Exercise 06.5: a rule for the learning rate
#
# The "bold driver" speeds up while the road is good and brakes hard. `BoldDriver()` looks at the training `loss` after
# each epoch:
#
# - lower than in the epoch before: the learning rate times 1.05;
# - anything else, so equal, higher or NaN: the learning rate times 0.5.
#
# After the first epoch of a fit there is nothing to compare, so it changes nothing. The epoch after a NaN brakes too:
# nothing is lower than NaN. Read the rate with
# `float(self.model.optimizer.learning_rate)`, and assign to `self.model.optimizer.learning_rate`.
# %% tags=["exercise"]
# Exercise 06.5
class BoldDriver(Callback): ...


# solution
class BoldDriver(Callback):
    def on_train_begin(self, logs=None):
        self.before = None

    def on_epoch_end(self, epoch, logs=None):
        if self.before is not None:
            factor = 1.05 if logs["loss"] < self.before else 0.5
            rate = float(self.model.optimizer.learning_rate)
            self.model.optimizer.learning_rate = rate * factor
        self.before = logs["loss"]


# %%
checks.check("06.5", BoldDriver)


# %% [markdown]
# ## Exercise 06.6: seconds per batch, with an alert
#
# `BatchAlert(limit, alert)` measures how long each training batch takes, from its begin to its end. At the first batch
# that takes **more** than `limit` seconds it calls `alert("a text of yours")`. Once in each fit, not more.
# %% tags=["exercise"]
# Exercise 06.6
class BatchAlert(Callback):
    def __init__(self, limit, alert):
        super().__init__()
        self.limit, self.alert = limit, alert

    # your hooks here


# solution
class BatchAlert(Callback):
    def __init__(self, limit, alert):
        super().__init__()
        self.limit, self.alert = limit, alert

    def on_train_begin(self, logs=None):
        self.alerted = False

    def on_train_batch_begin(self, batch, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        seconds = time.perf_counter() - self.start
        if seconds > self.limit and not self.alerted:
            self.alerted = True
            self.alert(f"Batch {batch + 1} took {seconds:.1f} seconds.")


# %%
checks.check("06.6", BatchAlert)


# %% [markdown]
# ## Exercise 06.7: Prechelt's rules
#
# In "Early Stopping - But When?" (1998), Lutz Prechelt compared rules. Two of them, for `Prechelt(alpha, strip=None)`:
#
# - **Generalisation loss.** By how many per cent is `val_loss` above its lowest so far in this fit?
#   `GL = 100 * (val_loss / lowest - 1)`. Without a `strip`, stop when `GL > alpha`.
# - **Progress quotient.** Forgive it while training moves fast. A strip is so many epochs in a row. Over a strip,
#   `P = 1000 * (mean loss / lowest loss - 1)`, of the training `loss`. With a `strip`, look only at the end of each
#   strip (of 5: after epochs 5, 10, ...), and stop when `GL / P > alpha`. As `P` may be 0, write `GL > alpha * P`.
#
# NaN is never the lowest.
# %% tags=["exercise"]
# Exercise 06.7
class Prechelt(Callback):
    def __init__(self, alpha, strip=None):
        super().__init__()
        self.alpha, self.strip = alpha, strip

    # your hooks here


# solution
class Prechelt(Callback):
    def __init__(self, alpha, strip=None):
        super().__init__()
        self.alpha, self.strip = alpha, strip

    def on_train_begin(self, logs=None):
        self.lowest, self.losses = float("inf"), []

    def on_epoch_end(self, epoch, logs=None):
        self.lowest = min(self.lowest, logs["val_loss"])  # in this order never NaN
        limit = self.alpha
        if self.strip:
            self.losses.append(logs["loss"])
            if len(self.losses) < self.strip:
                return
            limit *= 1000 * (np.mean(self.losses) / min(self.losses) - 1)
            self.losses = []
        if 100 * (logs["val_loss"] / self.lowest - 1) > limit:
            self.model.stop_training = True


# %%
checks.check("06.7", Prechelt)
# %% [markdown] tags=["instructor"]
# In the classroom: one exercise to each table, then each table shows its callback and the mistake that the check found
# first. The usual ones: state in `__init__`; `stop_training = condition`, which takes back what another callback
# said; the budget tested at the end of an epoch only; in 06.6 the time from end to end, with validation in it.
# %% [markdown]
# ## Key takeaways
#
# - With TensorFlow, hooks are plain calls in the thread of `fit`. Nothing happens in the background.
# - `stop_training` is a flag for the loop: the batch ends, then validation, `on_epoch_end` and `on_train_end` come.
# - Settings in `__init__`, state in `on_train_begin`. State is in the object alone: not in the model's file. Pickle it
#   if you need it.
# - A callback can be tested without training: call its hooks with nasty values, and hold it against one you trust.
# - The cost of a callback is what its hooks do, times how often they are called.
# %% [markdown]
# ## Where next
#
# [Lesson 07](07_myths.ipynb) puts what people believe about callbacks to the test. You now have the means to find out
# for yourself.
