# %% [markdown]
# # Choose the numbers: the other arguments
#
# **You will** set `min_delta`, `start_from_epoch`, `mode` and `baseline`, change patience while a model trains, and see
# when early stopping is the wrong tool.
#
# **You need** [lesson 05](05_choose_the_numbers.ipynb), which is about patience.
#
# **Minutes:** 38
# %% tags=["setup"]
from helpers import checks, data, lesson, live, plots, replay, style, widgets

lesson.begin("05b")
import keras
import numpy as np
from keras.callbacks import Callback, EarlyStopping, LambdaCallback

# %%
digits = data.load_digits(train_rows=300, label_noise=0.2, reshuffle=True)


def build():
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(128, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    model.compile(keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy")
    return model


# %% [markdown]
# For what follows we want curves of our own. `Script` stands first in the list of callbacks and writes them into a
# real fit, so that all others see them.
# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


output = keras.layers.Dense(10, activation="softmax")
toy = keras.Sequential([keras.Input((64,)), output])
toy.compile(keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")


def play(values, *callbacks):
    callbacks = [Script(values), *callbacks]
    return toy.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)


# %% [markdown]
# ## What counts as better: min_delta
#
# With `min_delta=0.1` only a gain of more than 0.1 counts as an improvement.
# <!-- claim: numbers.test_min_delta_is_measured_from_the_best -->
# %%
steady = [1.00, 0.95, 0.88, 0.82, 0.75]
# %% tags=["predict"]
widgets.predict("05.g")
# %%
stopper = EarlyStopping(min_delta=0.1, patience=2)
history = play(steady, stopper)
print("epochs that ran:", len(history.epoch), "  best:", stopper.best)
style.show(plots.wait_counter(steady, stopping=stopper))
widgets.reveal("05.g")
# %% tags=["solution"]
assert len(history.epoch) == 5
assert stopper.best == 0.75
# %% [markdown]
# ## Do not look yet: start_from_epoch
#
# A first epoch can be lucky, and a warm-up can be wild. With `start_from_epoch=3` the callback does not look at the
# first three epochs.
# <!-- claim: early_stopping.test_start_from_epoch -->
# %%
lucky = [0.30, 0.90, 0.80, 0.70, 0.60, 0.50, 0.45, 0.40, 0.41, 0.42, 0.43, 0.44]
for start in [0, 3]:
    stopper = EarlyStopping(
        start_from_epoch=start, patience=3, restore_best_weights=True
    )
    history = play(lucky, stopper)
    kept = f"weights of epoch {stopper.best_epoch + 1}"
    print(f"start_from_epoch={start}: {len(history.epoch)} epochs, {kept}")


# %% [markdown]
# What it has not looked at can be no best either, not even when it was the lowest of all.
# %% [markdown]
# ## Up or down: mode
#
# `mode="auto"` knows the direction of `loss` and of common metrics such as the accuracy. For your own function it
# refuses: <!-- claim: numbers.test_mode_auto_refuses -->
# %%
def errors(true, predicted):
    return 1.0 - keras.metrics.sparse_categorical_accuracy(true, predicted)


toy.compile("sgd", loss="sparse_categorical_crossentropy", metrics=[errors])
settings = {"validation_data": digits.validation, "epochs": 2, "verbose": 0}
with checks.expect_error(ValueError, match="automatically determine"):
    toy.fit(digits.train, callbacks=[EarlyStopping("val_errors")], **settings)
# %% [markdown]
# The message is about the direction, so say it: `mode="min"`. It also comes when the name is misspelt, and for each
# output's own loss and metrics in a model with several outputs ([lesson 08a](08a_stopping.ipynb)).
# <!-- claim: early_stopping.test_wrong_name_with_mode_auto -->
# <!-- claim: numbers.test_mode_auto_refuses_metrics_of_one_output -->
#
# Worse than a refusal is a wrong direction, for nobody complains:
# %%
stopper = EarlyStopping(mode="max", patience=3, restore_best_weights=True)
history = play([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], stopper)
print(len(history.epoch), "epochs, weights of epoch", stopper.best_epoch + 1)
# %% [markdown]
# ## Predict: a value to beat
#
# Keras's documentation says of `baseline`: "training will stop if the model doesn't show improvement over the
# baseline". We give one that is far out of reach, and a loss that falls steadily.
# %%
falling = [1.00 - 0.05 * epoch for epoch in range(12)]
# %% tags=["predict"]
widgets.predict("05.b")
# %%
history = play(falling, EarlyStopping(baseline=0.10, patience=3))
print(len(history.epoch), "epochs ran")
widgets.reveal("05.b")
# %% [markdown]
# And with one bad epoch, the sixth?
# %%
one_bad = [*falling[:5], 0.81, *falling[6:]]
history = play(one_bad, EarlyStopping(baseline=0.10, patience=3))
print(len(history.epoch), "epochs of", *[f"{value:.2f}" for value in one_bad])
# %% tags=["solution"]
assert len(history.epoch) == 6
# %% [markdown]
# It ends the training at once. So `baseline` is no deadline. But once `patience` epochs have gone, the next one without
# improvement is the last. <!-- claim: numbers.test_baseline_lets_wait_run -->
#
# So it is in Keras 3.15.1. A change that lets each improvement set `wait` back has been merged since; no release has it
# yet. To give up on runs that get nowhere, write that rule yourself: [lesson 06c](06c_write_your_own.ipynb) shows how.
# %% [markdown]
# ## Exercise 05.1: five wishes
#
# The metric `val_errors` counts wrongly read digits: 31, 30, 28, ... Assign to `five_wishes` an `EarlyStopping` for it.
# The first **5** epochs are not looked at. One error less is no improvement, two are. It stops after **8** epochs
# without improvement, and ends with the best weights. The check plays trainings with it.
# %% tags=["exercise"]
# Exercise 05.1
five_wishes = ...
# solution
five_wishes = EarlyStopping(
    monitor="val_errors",
    mode="min",
    min_delta=1,
    start_from_epoch=5,
    patience=8,
    restore_best_weights=True,
)
# %%
checks.check("05.1", five_wishes)


# %% [markdown]
# ## Live: change your mind while it trains
#
# Now a real fit that takes its time: `slowly` sleeps a little after each epoch. Press **Start**. The bars below
# the curves are `wait`. Around epoch 40, pull patience down, below their height.
# %%
import time

slowly = LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(0.2))
trainer = live.Trainer(
    build,
    digits.train,
    validation_data=digits.validation,
    epochs=200,
    callbacks=lambda: [EarlyStopping(patience=60, restore_best_weights=True), slowly],
)
widgets.LiveTraining(trainer)
# %% [markdown]
# Patience is an ordinary attribute of the callback, `stopper.patience`, read anew at the end of each epoch. If `wait`
# has already reached the new value, that epoch is the last, unless it is a new best.
# <!-- claim: early_stopping.test_patience_may_be_changed_during_training -->
#
# When you have seen enough, run on: the next cell ends the run and prints what you changed.
# %%
trainer.stop()
trainer.join()
print("epochs that ran:", trainer.snapshot().epochs_run)
for change in trainer.changes:
    when = f"obeyed at the end of epoch {change.epoch + 1}"
    print(f"{change.name} from {change.old} to {change.new}, {when}")
# %% [markdown] tags=["instructor"]
# On the projector: let the class call out when to lower patience, and by how much, before you move the slider. Ask what
# happens if it goes **up** again: `wait` is not touched, the line just moves away from the bars. Without buttons it
# takes one callback: `on_epoch_begin` that sets `stopper.patience` of the other.
# %% [markdown]
# ## Pause here
#
# The arguments of `EarlyStopping` are done. What comes: the learning rate's own patience, how often to validate, and
# when not to stop early.
# %% [markdown]
# ## Predict: two kinds of patience
#
# `ReduceLROnPlateau` lowers the learning rate after `patience` epochs without improvement. Here it works beside
# `EarlyStopping`.
# %% tags=["predict"]
widgets.predict("05.c")
# %%
from keras.callbacks import ReduceLROnPlateau

toy.compile(keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")
for patience in [5, 8, 2]:
    toy.optimizer.learning_rate = 0.01
    both = [ReduceLROnPlateau(patience=patience), EarlyStopping(patience=5)]
    rates = play([1.0] * 12, *both).history["learning_rate"]
    after = float(toy.optimizer.learning_rate)
    line = " ".join(f"{rate:.0e}" for rate in rates)
    print(f"rate patience {patience}: {line}  afterwards: {after:.0e}")
widgets.reveal("05.c")
# %% tags=["solution"]
assert len(rates) == 6
assert [round(rate, 6) for rate in rates] == [0.01] * 3 + [0.001] * 2 + [0.0001]
# %% [markdown]
# What differs between the two is a default: what is an improvement?
# %%
toy.optimizer.learning_rate = 0.01
creeping = [1.0 - 0.00001 * epoch for epoch in range(8)]
stopper, reducer = EarlyStopping(patience=3), ReduceLROnPlateau(patience=3)
print("min_delta:", stopper.min_delta, "and", reducer.min_delta)
rates = play(creeping, reducer, stopper).history["learning_rate"]
print(len(rates), "epochs; rates:", *[f"{rate:.0e}" for rate in rates])
# %% [markdown]
# The loss creeps down. For `EarlyStopping` each epoch is an improvement. For `ReduceLROnPlateau` a gain of less than
# 0.0001 is none, so it lowers the rate of a training that still gets better.
# %% [markdown]
# ## Exercise 05.2: leave time for the new rate
#
# Assign to `rate_then_stop` a list of both. On a plateau, the rate shall fall to a **tenth** after **4** epochs without
# improvement, and again after 4 more. Another **4** epochs later training shall end, with the best weights.
# %% tags=["exercise"]
# Exercise 05.2
rate_then_stop = ...
# solution
rate_then_stop = [
    ReduceLROnPlateau(patience=4, factor=0.1),
    EarlyStopping(patience=12, restore_best_weights=True),
]
# %%
checks.check("05.2", rate_then_stop)
# %% [markdown]
# ## How often to look
#
# Validation costs time, and `validation_freq=2` validates every second epoch only. What does `patience=3` count then?
# And what does `ModelCheckpoint` do in the epochs between?
# %%
from keras.callbacks import ModelCheckpoint

from helpers.callbacks import SaveRecorder

saver = ModelCheckpoint(lesson.new_folder("05b") / "best.keras", save_best_only=True)
stopper, recorder = EarlyStopping(patience=3), SaveRecorder(saver)
settings = {"validation_data": digits.validation, "validation_freq": 2, "verbose": 0}
callbacks = [stopper, saver, recorder]
history = build().fit(digits.train, epochs=60, callbacks=callbacks, **settings)
print(f"best epoch: {stopper.best_epoch + 1}, stopped after epoch {len(history.epoch)}")
print("saved after epochs:", *[epoch + 1 for epoch in recorder.epochs])
# %% tags=["solution"]
assert len(history.epoch) == stopper.best_epoch + 1 + 2 * 3
# %% [markdown]
# Patience counts **validated** epochs: three of them are six epochs.
# <!-- claim: numbers.test_patience_counts_validated_epochs -->
#
# The second line is worse. Without `val_loss` both warn (the red lines), but the checkpoint then saves all the same:
# every odd epoch was written over the best file. With `validation_freq` put `{epoch}` into the file name, or validate
# each epoch.
# <!-- claim: numbers.test_save_best_only_saves_unvalidated_epochs -->
# %% [markdown]
# ## When not to stop early
#
# **Tiny data.** Early stopping chooses an epoch by the validation set. Cut ours into ten sets of 30 images, and let
# each judge the same single training.
# %%
losses = []


def judge(epoch, logs):
    predicted = model(digits.x_validation).numpy()
    right = predicted[np.arange(300), digits.y_validation]
    losses.append(-np.log(right).reshape(10, 30).mean(axis=1))


model = build()
judges = LambdaCallback(on_epoch_end=judge)
model.fit(digits.train, epochs=50, callbacks=[judges], verbose=0)
losses = np.array(losses)
print("best epoch for each set of 30:", *(losses.argmin(axis=0) + 1))
print("for all 300 together:", losses.mean(axis=1).argmin() + 1)
# %% [markdown]
# With 30 images the "best epoch" is half a lottery. Instead: let many small sets judge together, as in the last line.
# With cross-validation each row takes its turn in such a set. Then train on **all** rows, for the number of epochs that
# was found so.
# %% [markdown]
# **A fixed budget.** When you compare models, everyone should get the same training. Five seeds of one configuration,
# patience 5:
# %%
for run in data.load_runs("digits-noise20"):
    ran = replay.early_stopping(run.history["val_loss"], patience=5).epochs_run
    print(run.name, "trained for", ran, "epochs")


# %% [markdown]
# If one of two models is better now, is it the better model, or did it only train longer? Instead: the same number of
# epochs for all, and `ModelCheckpoint(save_best_only=True)` keeps the best of them.
# %% [markdown]
# **Curves that come back.** Some learning-rate schedules begin anew, with a high rate (**warm restarts**). And even
# with a constant rate a curve can fall, rise and fall again (**double descent**). A short patience stops on the hill
# between. Instead: let all epochs run, with `ModelCheckpoint` to keep the best, or give a patience longer than the
# hill. The optional parts show both curves.
# %% [markdown]
# ## Optional: warm restarts
#
# Two optional parts, two minutes each; no later lesson needs them. First a schedule that begins anew every ten epochs:
# %%
begin_anew = keras.optimizers.schedules.CosineDecayRestarts
restarts = begin_anew(0.05, first_decay_steps=100, t_mul=1.0)
model = build()
model.compile(keras.optimizers.Adam(restarts), loss="sparse_categorical_crossentropy")
settings = {"validation_data": digits.validation, "verbose": 0}
history = model.fit(digits.train, epochs=20, **settings)
losses = history.history["val_loss"]
record = replay.early_stopping(losses, patience=4)
title = "A new start every ten epochs, patience=4"
style.show(plots.learning_curves(history, stopping=record, title=title))
first, second = min(losses[:10]), min(losses[10:])
print(f"lowest in the first ten epochs: {first:.3f}, in the next: {second:.3f}")
# %% [markdown]
# A restart first makes things worse. A patience shorter than a cycle may never see what the next one brings.
# %% [markdown]
# ## Optional: double descent
#
# Down, up, and down again, with a constant rate. Some inputs of this small linear model are learnt fast, and others
# slowly:
# %%
import tensorflow as tf

rng = np.random.default_rng(1)
scale = np.array([1.0] * 50 + [0.2] * 5)
true = np.r_[1.5 * rng.normal(size=50) / 50**0.5, rng.normal(size=5) / 5**0.5 / 0.2]
x = rng.normal(size=(560, 55)) * scale
y = x @ true + 0.1 * rng.normal(size=560)
output = keras.layers.Dense(1, kernel_initializer="zeros")
linear = keras.Sequential([keras.Input((55,)), output])
linear.compile(keras.optimizers.SGD(0.1), loss="mse")
train = tf.data.Dataset.from_tensors((x[:60], y[:60])).cache().repeat(5)
validation = tf.data.Dataset.from_tensors((x[60:], y[60:])).cache()
settings = {"validation_data": validation, "shuffle": False, "verbose": 0}
slow = linear.fit(train, epochs=60, **settings)
record = replay.early_stopping(slow.history["val_loss"], patience=10)
title = "Down, up, and down again, patience=10"
style.show(plots.learning_curves(slow, stopping=record, title=title))
# %% [markdown]
# First the fast inputs help, then they fit noise, then the slow ones pay. Patience 10 stops on the hill. Whether your
# task does this, only one run to the end can tell: train one without stopping, and look.
# %% [markdown]
# ## Key takeaways
#
# - `min_delta`: gain more than this within `patience` epochs, or stop. What does not count is not kept.
# - `start_from_epoch`: what was not looked at can be no best. `mode`: say it when Keras refuses.
# - `baseline` is no deadline.
# - The learning rate needs less patience than the stop. Patience counts validated epochs.
# - Tiny validation sets, comparisons, restarts, double descent: train a fixed number of epochs and choose afterwards.
# %% [markdown]
# ## Where next
#
# You know what the two callbacks do. [Lesson 06](06_inside_and_your_own.ipynb) looks inside, 06b rebuilds both, and 06c
# writes the ones that Keras does not have.
