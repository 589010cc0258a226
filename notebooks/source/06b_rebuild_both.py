# %% [markdown]
# # Rebuild both callbacks
#
# **You will** test callbacks without training, rebuild `EarlyStopping` and the saving rule of `ModelCheckpoint`, and
# hold them against the real ones in hundreds of trainings.
#
# **You need** [lesson 06](06_inside_and_your_own.ipynb), and [lesson 05b](05b_the_other_arguments.ipynb) for the
# arguments. No later lesson needs this one: skip it, or come back to it on another day.
#
# **Minutes:** 35
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("06b")
import keras
import numpy as np
from keras.callbacks import Callback, EarlyStopping


# %% [markdown]
# ## Test a callback without training
#
# Hooks are methods. So you can call them yourself, with any losses you like and a model that is none. It needs only
# what the callback touches. Its "weights" are the number of the epoch.
# <!-- claim: own.test_a_fake_model_is_enough -->
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
    mine = play(FirstTry(2), losses)[:8]
    real = play(EarlyStopping(patience=2), losses)[:8]
    differ = "" if mine == real else "<- differ"
    print(f"{losses!s:26} mine: {mine}   real: {real}   {differ}")
widgets.reveal("06.c")
# %% tags=["solution"]
assert play(EarlyStopping(patience=2), nasty[0])[:8] == "3 epochs"
assert play(EarlyStopping(patience=2), nasty[1])[:8] == "5 epochs"


# %% [markdown]
# To be equal, one must be equal on such curves too.
# <!-- claim: early_stopping.test_nan_first_is_never_beaten -->
# <!-- claim: early_stopping.test_nan_and_infinity_later -->
# %% [markdown] tags=["instructor"]
# The real behaviour at NaN is not a wise one, and a group may want to build a better one. Say: first equal, then
# better. A better one is a change that you know of and have tests for. `start_from_epoch=1` is today's way around a
# broken first epoch.
# %% [markdown]
# ## What Keras compares
#
# Two more things are easily missed. Is a fall from 0.8 to 0.7 an improvement by **more than** `min_delta=0.1`? Ask
# Python, and ask Keras:
# %%
def ask(before, now):
    python = bool(now + 0.1 < before)
    return f"Python: {python}, Keras: {bool(keras.ops.less(now + 0.1, before))}"


print("written by hand:   ", ask(0.8, 0.7))
print("as Keras logs them:", ask(*map(float, np.float32([0.8, 0.7]))))
print("as NumPy doubles:  ", ask(*np.float64([0.8, 0.7])))


# %% [markdown]
# On paper it is a tie. Python's numbers have about 16 digits, and `0.7 + 0.1` misses 0.8 in the last one. Keras
# compares Python's numbers in **float32**, with about 7 digits, where both are the same number. A rebuilt callback has
# to compare as Keras does: `keras.ops.less`. <!-- claim: numbers.test_min_delta_is_compared_in_float32 -->
#
# Is that edge real? What `fit` logs was float32 from the start, so two such losses alone compare the same either way.
# But add a `min_delta`, or hold one against a `baseline`, and the second row happens. The third needs somebody who
# writes NumPy doubles into `logs`: those are compared as they are.
# <!-- claim: numbers.test_numpy_doubles_are_compared_as_doubles -->
# <!-- claim: numbers.test_what_keras_logs_is_float32_already -->
# %% [markdown]
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
                rises = metric._direction == "up"
                return keras.ops.greater if rises else keras.ops.less
    raise ValueError(f"Should {name} rise or fall? Pass mode='min' or mode='max'.")


output = keras.layers.Dense(10, activation="softmax")
model = keras.Sequential([keras.Input((64,)), output])
model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(data.load_digits(train_rows=96).train, verbose=0)
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
            kind = type(self).__name__
            warnings.warn(
                f"{kind} mode '{mode}' is unknown, taking auto.", stacklevel=2
            )

    def value(self, logs):
        self.monitor_op = self.monitor_op or direction(self.monitor, self.model)
        if self.monitor not in (logs or {}):
            warnings.warn(f"There is no {self.monitor} in logs.", stacklevel=2)
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
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch

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
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch

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
# A checkpoint is a rule and a frame. The frame counts batches, fills the file name, makes the folder and saves: nothing
# that you have not seen, so it comes from the helpers. Before each save it asks its own `should_save(logs)`: the rule.
# Together with `Monitor`:
# %%
from helpers.frame import CheckpointFrame


class Saver(CheckpointFrame, Monitor):
    """Saves whenever `should_save(logs)` says True."""


# %% [markdown]
# ## Exercise 06.2: MyModelCheckpoint
#
# Write the rule: `should_save(self, logs)` returns True or False. Use `self.save_best_only`, `self.value(logs)`,
# `self.better(value, than)` and `self.best`, which begins as `initial_value_threshold`.
#
# You know the rule from lesson 03; also what happens in a second fit, and when the metric is missing (03c). The check
# plays hundreds of trainings with yours and with the real `ModelCheckpoint`.
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
    print(
        compare(MyEarlyStopping, rounding=True, cases=500, attributes=watched, seed=1)
    )
# %% [markdown] tags=["instructor"]
# The cell above prints None: no difference in 500 more trainings. The project's own tests go on to 5,000, and run the
# tests that Keras holds against its own two callbacks with these classes in their place. Good homework; in class,
# expect half of the group to need all of the time for 06.1 alone.
# %% [markdown]
# ## Key takeaways
#
# - A callback can be tested without training: call its hooks with nasty values, and hold it against one you trust.
# - The first value becomes the best, whatever it is, NaN included; and nothing beats NaN.
# - Keras compares Python's numbers in float32. It matters as soon as `min_delta` or `baseline` comes in.
# - A stop is possible only in an epoch without improvement; weights go back in `on_train_end`.
# %% [markdown]
# ## Where next
#
# [Lesson 06c](06c_write_your_own.ipynb): what a callback costs, and the ones that Keras does not have.
