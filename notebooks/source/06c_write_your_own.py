# %% [markdown]
# # Write your own callbacks
#
# **You will** measure what a callback costs, and write callbacks that Keras does not have: a rescue, an alert, a budget,
# a rule for the learning rate.
#
# **You need** [lesson 06](06_inside_and_your_own.ipynb). Take two of the five exercises now, and the others on another
# day. For everything:
#
# **Minutes:** 58
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("06c")
import keras
import numpy as np
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint

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
# To be measured: a callback whose hooks are all empty; a hundred of them; one that takes 5 milliseconds after each
# batch; the copy in memory that `EarlyStopping` makes; a file that `ModelCheckpoint` writes.
# %%
class FiveMilliseconds(Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.005)


folder = lesson.new_folder("06c")
measured = {
    "an empty one": [Callback()],
    "a hundred empty ones": [Callback() for _ in range(100)],
    "5 ms after each batch": [FiveMilliseconds()],
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
settings = {"validation_data": digits.validation, "epochs": 5, "verbose": 0}
for name, callbacks in measured.items():
    tick = Tick()
    tock = Tock(tick)
    start = time.perf_counter()
    model.fit(digits.train, callbacks=[tick, *callbacks, tock], **settings)
    whole = time.perf_counter() - start
    costs[name] = (sum(tock.epochs) + sum(tock.batches)) / whole
    epoch, batch = np.median(tock.epochs) * 1000, np.median(tock.batches) * 1000
    print(f"{name:22} epoch hook {epoch:7.3f} ms, batch hook {batch:6.3f} ms:", end=" ")
    print(f"{costs[name]:6.1%} of the fit")
widgets.reveal("06.d")
# %% tags=["solution"]
assert costs["5 ms after each batch"] > costs["a hundred empty ones"]


# %% [markdown]
# A copy in memory is cheap for a model of this size, a file dearer. Your model, your disk: measure them, with this very
# cell. <!-- claim: own.test_how_often_hooks_are_called -->
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
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), output])
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    settings = {"validation_data": digits.validation, "epochs": 8, "verbose": 0}
    history = model.fit(digits.train, callbacks=[Sabotage(), callback], **settings)
    losses = history.history["val_loss"]
    print(len(losses), "epochs, val_loss:", np.round(losses, 2))
    return model


# %% [markdown]
# Keras has `TerminateOnNaN`, which ends such a training. And the model?
# %%
broken = broken_fit(keras.callbacks.TerminateOnNaN())
lost = [int((~np.isfinite(array)).sum()) for array in broken.get_weights()]
print(f"weights that are no finite numbers: {sum(lost)} of {broken.count_params()}")
# %% tags=["solution"]
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
# %% tags=["solution"]
assert abs(now - rescued.history.history["val_loss"][2]) < 1e-4
# %% [markdown]
# Why look at `val_loss` too? The loss of a batch is computed **before** the batch changes the weights. If the last
# batch of an epoch breaks them, `loss` is still fine. Validation comes afterwards, and sees it.
#
# Weights are all that comes back. An optimizer with a memory, such as Adam, keeps its NaN: compile anew before you
# train on. <!-- claim: own.test_adam_remembers_a_nan -->
# %%
model = build()
model.fit(few.train, epochs=1, verbose=0)
good, adam = model.get_weights(), model.optimizer
adam.learning_rate = float("inf")
model.fit(few.train, epochs=1, verbose=0)
model.set_weights(good)
adam.learning_rate = 0.005
history = model.fit(few.train, epochs=1, verbose=0)
print("the same Adam:", history.history["loss"])
model.set_weights(good)
loss = "sparse_categorical_crossentropy"
model.compile(keras.optimizers.Adam(0.005), loss=loss, metrics=["accuracy"])
history = model.fit(few.train, epochs=1, verbose=0)
print("compiled anew:", np.round(history.history["loss"], 2))
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
        used = psutil.Process().memory_info().rss / 2**20
        logs["memory_mb"] = used
        if used > self.limit_mb and not self.alerted:
            self.alerted = True
            self.alert(f"Epoch {epoch + 1}: {used:.0f} MB, more than {self.limit_mb}.")


watch = MemoryAlert(100, alert=print)
history = model.fit(digits.train, epochs=3, callbacks=[watch], verbose=0)
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
# ## Pause here
#
# Two callbacks are done: enough for a day. Three more wait on the bench, each of ten minutes.
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
# first. Expect these: state in `__init__`; `stop_training = condition`, which takes back what another callback said;
# the budget tested at the end of an epoch only; in 06.6 the time from end to end, with validation in it.
# %% [markdown]
# ## Key takeaways
#
# - The cost of a callback is what its hooks do, times how often they are called.
# - Settings in `__init__`, state in `on_train_begin`, a first epoch that is compared with nothing, NaN: get these right
#   and the rest is a few lines.
# - Raise the flag, never lower it. Add keys to `logs`, never change those that are there.
# - Hand in what differs from place to place (whom to alert, what to measure) as a function.
# %% [markdown]
# ## Where next
#
# [Lesson 07](07_myths.ipynb) puts what people believe about callbacks to the test. You now have the means to find out
# for yourself.
