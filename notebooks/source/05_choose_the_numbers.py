# %% [markdown]
# # Choose the numbers: patience, min_delta, monitor
#
# **You will** drag patience over real recorded trainings, change it while a model trains, and judge by a hundred runs
# which rule of thumb deserves the name.
#
# **You need** [lesson 02](02_early_stopping.ipynb) and [lesson 04](04_together.ipynb).
#
# **Minutes:** 25
# %% tags=["setup"]
from helpers import checks, data, lesson, live, plots, replay, style, widgets

lesson.begin("05")
import keras
import numpy as np
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint, ReduceLROnPlateau

# %% [markdown]
# ## One run answers for every patience
#
# The counter of `EarlyStopping` does not know the patience until the moment it stops. So one training that nobody
# stopped can tell what every patience would have done. `replay` works that out from the list of losses, without
# Keras.
#
# Do not take that on trust. Train to the end, ask `replay`, then train again with the real callback.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2, reshuffle=True)


def build():
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(128, activation="relu")
    model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


full = build().fit(digits.train, validation_data=digits.validation, epochs=40, verbose=0)
foretold = replay.early_stopping(full.history["val_loss"], patience=3)
stopper = EarlyStopping(patience=3)
real = build().fit(digits.train, validation_data=digits.validation, epochs=40, callbacks=[stopper], verbose=0)
print(f"replay: stops after epoch {foretold.epochs_run}, best epoch {foretold.best_epoch + 1}")
print(f"Keras:  stops after epoch {len(real.epoch)}, best epoch {stopper.best_epoch + 1}")
assert foretold.epochs_run == len(real.epoch)
# %% [markdown]
# The same. So this course brings 105 **recorded runs**: real trainings of 150 or 200 epochs that nobody stopped. They
# come from 21 **configurations** (a task, a model and its settings), each trained with five random seeds. Here are
# five of them.
#
# Drag `patience` (or focus it and use the arrow keys). A green star below the picture marks the smallest patience that
# reaches the best epoch. Compare it from run to run, and see what a larger patience costs.
# %%
chosen = ["digits-noise20", "digits-noise40", "digits-noise20-rows900", "digits-noise20-dropout", "digits-noise20-slow"]
some = [run for run in data.load_runs(chosen) if run.settings["seed"] == 3]
widgets.PatienceExplorer(some, patience=2, max_patience=40, restore_best_weights=True)
# %% [markdown]
# Two ways to lose, and you have seen both:
#
# - **Too small:** it stops at a dip, a short rise before better epochs.
# - **Too large:** it finds the same epoch, and every epoch of patience is one more epoch paid.
#
# What decides how much is enough? Many say: the noise. Count, for all five seeds: the smallest patience that reaches
# the best epoch.
# %%
for name in chosen:
    enough, best = [], []
    for run in data.load_runs(name):
        losses = run.history["val_loss"]
        table = replay.every_patience(losses)
        best.append(int(np.argmin(losses)))
        enough.append(max(1, int(np.argmax(table.best_epoch == best[-1]))))
    print(f"{name:24} enough: {str(enough):24} best epochs: {[epoch + 1 for epoch in best]}")


# %% [markdown]
# More wrong labels (20 % to 40 %) did not ask for more patience. Dropout, which makes the curve jump, did. So did a
# tenth of the learning rate (`slow`): patience counts epochs, and a slow training needs more epochs for everything.
#
# And look along a row: same task, same model, another seed. One run cannot tell you the right patience.
# %% [markdown] tags=["instructor"]
# Five minutes. Before you open the explorer, let pairs guess the smallest patience for the dropout run. Then show the
# table: the explorer's number was one of five.
# %% [markdown]
# ## What counts as better: min_delta
#
# For the other arguments we want curves of our own. As in lesson 02, `Script` writes them into a real fit.
# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


toy = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
toy.compile(keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")


def play(values, *callbacks):
    return toy.fit(digits.train, epochs=len(values), callbacks=[Script(values), *callbacks], verbose=0)


# %% [markdown]
# With `min_delta=0.1` only a gain of more than 0.1 counts as an improvement.
# %%
curve = [0.90, 0.60, 0.56, 0.53, 0.51, 0.58, 0.59, 0.60]
stopper = EarlyStopping(min_delta=0.1, patience=4, restore_best_weights=True)
# %% tags=["predict"]
widgets.predict("05.a")
# %%
history = play(curve, stopper)
print("epochs that ran:", len(history.epoch), "  weights of epoch:", stopper.best_epoch + 1, "  best:", stopper.best)
assert all(value < stopper.best for value in curve[stopper.best_epoch + 1 : len(history.epoch)])
style.show(plots.wait_counter(curve, stopping=stopper))
# %% [markdown]
# The best epoch need not be the lowest: what does not count as an improvement is not kept either. Each of the four
# epochs that followed was better than the one you got.
#
# Do many small gains add up? The gain is measured from the **best**, not from the epoch before:
# %%
steady = [1.00, 0.95, 0.88, 0.82, 0.75]
stopper = EarlyStopping(min_delta=0.1, patience=4)
play(steady, stopper)
print("wait:", replay.early_stopping(steady, min_delta=0.1, patience=4).waits, "  best:", stopper.best)
# %% [markdown]
# They do: 0.95 is not enough, 0.88 is. Read `min_delta` as "gain this much within `patience` epochs, or stop".
# %% [markdown]
# ## Do not look yet: start_from_epoch
#
# A first epoch can be lucky, and a warm-up can be wild. `start_from_epoch=3` does not look at the first three epochs.
# %%
lucky = [0.30, 0.90, 0.80, 0.70, 0.60, 0.50, 0.45, 0.40, 0.41, 0.42, 0.43, 0.44]
for start in [0, 3]:
    stopper = EarlyStopping(start_from_epoch=start, patience=3, restore_best_weights=True)
    history = play(lucky, stopper)
    print(f"start_from_epoch={start}: {len(history.epoch)} epochs, weights of epoch {stopper.best_epoch + 1}")


# %% [markdown]
# What it has not looked at can be no best either, not even when it was the lowest of all.
# %% [markdown]
# ## Up or down: mode
#
# `mode="auto"` knows the direction of `loss` and of common metrics such as the accuracy. For your own function it
# refuses:
# %%
def errors(true, predicted):
    return 1.0 - keras.metrics.sparse_categorical_accuracy(true, predicted)


toy.compile(keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy", metrics=[errors])
with checks.expect_error(ValueError, match="automatically determine"):
    toy.fit(
        digits.train,
        validation_data=digits.validation,
        epochs=2,
        callbacks=[EarlyStopping(monitor="val_errors")],
        verbose=0,
    )
# %% [markdown]
# The message is about the direction, so say it: `mode="min"`. It also comes when the name is misspelt (lesson 02), and
# for models with several outputs (an optional part at the end).
#
# Worse than a refusal is a wrong direction, for nobody complains:
# %%
stopper = EarlyStopping(mode="max", patience=3, restore_best_weights=True)
history = play([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], stopper)
print(len(history.epoch), "epochs, weights of epoch", stopper.best_epoch + 1)
# %% [markdown]
# ## Predict: a value to beat
#
# `baseline=0.10`, `patience=3`. The loss falls by 0.05 in each of the twelve epochs: from 1.00 to 0.45, far above
# the baseline.
# %%
falling = [1.00 - 0.05 * epoch for epoch in range(12)]
# %% tags=["predict"]
widgets.predict("05.b")
# %%
for values in [falling, [*falling[:5], 0.81, *falling[6:]]]:
    history = play(values, EarlyStopping(baseline=0.10, patience=3))
    print(len(history.epoch), "epochs of", [round(value, 2) for value in values])
assert len(history.epoch) == 6
# %% [markdown]
# Never, as long as each epoch improves. But `wait` was running all the time: until the baseline is beaten, no
# improvement sets it back. So the first epoch without one, epoch 6 of the second row, ends the training at once. The
# patience was used up long before.
# (So it is up to Keras 3.15. A later release will set `wait` back at each improvement.)
#
# To give up on runs that do not get anywhere, write that rule yourself ([lesson 06](06_inside_and_your_own.ipynb)).
# %% [markdown]
# ## Exercise 05.1: five wishes
#
# The metric `val_errors` counts wrongly read digits: 31, 30, 28, ... Assign to `stopper` an `EarlyStopping` for it.
# The first **5** epochs are not looked at. One error less is no improvement, two are. It stops after **8** epochs
# without improvement, and ends with the best weights. The check plays trainings with it.
# %% tags=["exercise"]
# Exercise 05.1
stopper = ...
# solution
stopper = EarlyStopping(
    monitor="val_errors",
    mode="min",
    min_delta=1,
    start_from_epoch=5,
    patience=8,
    restore_best_weights=True,
)
# %%
checks.check("05.1", stopper)


# %% [markdown]
# ## Live: change your mind while it trains
#
# Now a real fit that takes its time: `slowly` sleeps a little after each epoch. Press **Start**. Around epoch 40,
# pull patience down, below the height of the bars.
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
#
# When you have seen enough, run on: the next cell ends the run and prints what you changed.
# %%
trainer.stop()
trainer.join()
print("epochs that ran:", trainer.snapshot().epochs_run)
for change in trainer.changes:
    print(f"{change.name} from {change.old} to {change.new}, obeyed at the end of epoch {change.epoch + 1}")


# %% [markdown] tags=["instructor"]
# On the projector: let the class call out when to lower patience, and by how much, before you move the slider. Ask what
# happens if it goes **up** again: `wait` is not touched, the line just moves away from the bars.
# %% [markdown]
# Without buttons it takes one callback. `Hurry` lowers the patience of the other when epoch 31 begins.
# %%
steered = EarlyStopping(patience=60, restore_best_weights=True)


class Hurry(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 30:
            steered.patience = 3


history = build().fit(
    digits.train, validation_data=digits.validation, epochs=60, callbacks=[Hurry(), steered], verbose=0
)
print("best epoch:", steered.best_epoch + 1, "  stopped after epoch:", len(history.epoch))
# %% [markdown]
# ## Predict: two kinds of patience
#
# `ReduceLROnPlateau` lowers the learning rate after `patience` epochs without improvement. Here it works beside
# `EarlyStopping`. Both have `patience=5`, and nothing improves after epoch 1.
# %% tags=["predict"]
widgets.predict("05.c")
# %%
plateau = [1.0] * 12
for patience in [2, 5, 8]:
    toy.optimizer.learning_rate = 0.01
    history = play(plateau, ReduceLROnPlateau(patience=patience), EarlyStopping(patience=5))
    rates = [f"{rate:.0e}" for rate in history.history["learning_rate"]]
    print(f"rate patience {patience}:", *rates, f"  afterwards: {float(toy.optimizer.learning_rate):.0e}")
# %% [markdown]
# - **Equal:** both act at the end of epoch 6. The rate falls, and training is over.
# - **Longer:** the rate never falls.
# - **Shorter:** it falls, and its own count starts again, while `EarlyStopping` counts on.
#
# So give the rate less patience, and leave each new rate enough epochs to show what it can do.
# %% [markdown]
# People say that the two count differently. Today they count alike, as you just saw. What differs is a default: what
# is an improvement?
# %%
toy.optimizer.learning_rate = 0.01
creeping = [1.0 - 0.00001 * epoch for epoch in range(8)]
stopper, reducer = EarlyStopping(patience=3), ReduceLROnPlateau(patience=3)
print("min_delta:", stopper.min_delta, "and", reducer.min_delta)
history = play(creeping, reducer, stopper)
print(len(history.epoch), "epochs; rates:", *[f"{rate:.0e}" for rate in history.history["learning_rate"]])
# %% [markdown]
# The loss creeps down. For `EarlyStopping` each epoch is an improvement. For `ReduceLROnPlateau` a gain of less than
# 0.0001 is none, so it lowers the rate of a training that still gets better.
# %% [markdown]
# ## Exercise 05.2: leave time for the new rate
#
# Assign to `callbacks` a list of both. On a plateau, the rate shall fall to a **tenth** after **4** epochs without
# improvement and again after 4 more; training shall end another **4** epochs later, with the best weights.
# %% tags=["exercise"]
# Exercise 05.2
callbacks = ...
# solution
callbacks = [
    ReduceLROnPlateau(patience=4, factor=0.1),
    EarlyStopping(patience=12, restore_best_weights=True),
]
# %%
checks.check("05.2", callbacks)
# %% [markdown]
# ## How often to look
#
# Validation costs time, and `validation_freq=2` validates every second epoch only. What does `patience=3` count then?
# And what does `ModelCheckpoint` do in the epochs between?
# %%
from helpers.callbacks import SaveRecorder

saver = ModelCheckpoint(lesson.new_folder("05") / "best.keras", save_best_only=True)
stopper, recorder = EarlyStopping(patience=3), SaveRecorder(saver)
history = build().fit(
    digits.train,
    validation_data=digits.validation,
    validation_freq=2,
    epochs=60,
    callbacks=[stopper, saver, recorder],
    verbose=0,
)
print("best epoch:", stopper.best_epoch + 1, "  stopped after epoch:", len(history.epoch))
print("saved after epochs:", *[epoch + 1 for epoch in recorder.epochs])
assert len(history.epoch) == stopper.best_epoch + 1 + 2 * 3
# %% [markdown]
# Patience counts **validated** epochs: three of them are six epochs.
#
# The second line is worse. Without `val_loss` both warn (the red lines), but the checkpoint saves too: every odd epoch
# was written over the best file. With `validation_freq` put `{epoch}` into the file name, or validate each epoch.
# %% [markdown]
# ## The evidence
#
# So which patience? Ask 100 runs (all but the configuration that diverges). For each patience, two numbers: the epochs
# spent, and the test loss at the epoch that was kept, compared with the epoch that waiting to the end would have kept.
# %%
runs = [run for run in data.load_runs() if run.configuration != "diabetes-diverging"]


def price(run, min_delta=0):
    validation, test = run.history["val_loss"], np.array(run.history["test_loss"])
    table = replay.every_patience(validation, max_patience=60, min_delta=min_delta)
    waited = test[np.argmin(validation)]
    return table.epochs_run, 100 * (test[table.best_epoch] / waited - 1)


epochs, missed = np.array([price(run) for run in runs]).swapaxes(0, 1)
print("runs and patiences:", missed.shape)
# %% [markdown]
# Chance plays a part in these numbers, so each needs an interval. First **over seeds**: average the 20 configurations
# for each seed, then see how far the five averages lie apart (95 %, Student's t). It says: what if we trained the
# same tasks again?
# %%
seeds = np.array([run.settings["seed"] for run in runs])


def over_seeds(rows):
    means = np.array([rows[seeds == seed].mean(axis=0) for seed in range(5)])
    return means.mean(axis=0), 2.776 * means.std(axis=0, ddof=1) / 5**0.5  # Student's t for five values


(spent, spent_error), (lost, lost_error) = over_seeds(epochs), over_seeds(missed)
for p in [1, 2, 3, 5, 10, 20, 40]:
    print(
        f"patience {p:2}: {spent[p]:5.1f} ± {spent_error[p]:.1f} epochs, {lost[p]:5.2f} ± {lost_error[p]:.2f} % missed"
    )
print(f"more than 2 % missed with patience 3: {np.mean(missed[:, 3] > 2):.0%} of the runs")
# %% [markdown]
# Second, **over configurations**: draw 20 of the 20 at random, with repetition, 2,000 times. It says: what if we had
# chosen other tasks of this kind? That is nearer to your question, and up to patience 5 it is wider.
# %%
names = np.array([run.configuration for run in runs])
each = np.array([missed[names == name].mean(axis=0) for name in sorted(set(names))])
draws = np.random.default_rng(0).integers(0, 20, (2000, 20))
low, high = np.percentile(each[draws].mean(axis=1), [2.5, 97.5], axis=0)
p = [1, 2, 3, 5, 10, 20, 40]
figure = plots.trade_off(
    p,
    spent[p],
    lost[p],
    epochs_error=spent_error[p],
    missed_error=lost_error[p],
    wide=(low[p], high[p]),
    title="What patience costs: 100 runs, best weights restored",
)
assert all((high - low)[1:6] > 2 * lost_error[1:6])
style.show(figure)
# %% [markdown]
# Each step to the right buys quality with epochs. Up to about 10 the price is good. From 20 on you pay, and get nothing
# that 100 runs could show.
#
# The rule of thumb that this supports, for tasks like these: **start with 10, take 20 in doubt. 3 and less stop at
# dips.**
# %% [markdown]
# And without any stopping, without restoring?
# %%
worse = []
for run in runs:
    test = run.history["test_loss"]
    worse.append(100 * (test[-1] / test[np.argmin(run.history["val_loss"])] - 1))
print(f"all epochs, last weights: {np.mean(worse):.0f} % missed;  patience 1, best weights: {lost[1]:.0f} %")
# %% [markdown]
# So before you think about patience: keep the best weights. Without them, the longest training is the worst of all.
# %% [markdown]
# ## Predict: loss or accuracy?
#
# "Missed" was about the test **loss**. Now take the 45 runs on digits that overfit, and look at the test **accuracy**
# of the epoch that is kept.
# %%
calm = ["digits-clean", "digits-clean-small", "digits-noise20-slow", "digits-noise20-sgd"]
overfit = [run for run in data.load_runs(data="digits") if run.configuration not in calm]


def at_kept(metric, monitor, mode, patience):
    found = []
    for run in overfit:
        record = replay.early_stopping(run.history[monitor], mode=mode, patience=patience)
        found.append(run.history[metric][record.best_epoch])
    return np.array(found)


def compare(one, other):
    gain = 100 * (at_kept("test_accuracy", *one) - at_kept("test_accuracy", *other))
    gains = [gain[[run.settings["seed"] == seed for run in overfit]].mean() for seed in range(5)]
    return f"{np.mean(gains):+.1f} ± {2.776 * np.std(gains, ddof=1) / 5**0.5:.1f} points of test accuracy"


# %% tags=["predict"]
widgets.predict("05.d")
# %%
for monitor, mode in [("val_loss", "min"), ("val_accuracy", "max")]:
    for patience in [3, 10, 20]:
        accuracy, loss = (at_kept(m, monitor, mode, patience).mean() for m in ["test_accuracy", "test_loss"])
        print(f"{monitor:12} patience {patience:2}: test accuracy {accuracy:.1%}, test loss {loss:.3f}")

print("val_loss, patience 3 against 20:", compare(("val_loss", "min", 3), ("val_loss", "min", 20)))
print("val_accuracy against val_loss, patience 10:", compare(("val_accuracy", "max", 10), ("val_loss", "min", 10)))
turns = [[np.argmax(run.history["test_accuracy"]), np.argmin(run.history["test_loss"])] for run in overfit]
print("best epoch of accuracy and of loss, medians:", *(np.median(turns, axis=0) + 1))


# %% [markdown]
# On these runs the accuracy turns before the loss does. A patience that is too small for the loss happens to stop near
# the best accuracy. That is no rule for patience: it says that `val_loss` was the wrong number to watch.
#
# **Monitor what you want.** `val_accuracy` with patience 10 gives a better accuracy, and a worse loss.
# %% [markdown] tags=["instructor"]
# The most useful five minutes of the lesson. Ask what would have been concluded with accuracy alone ("patience 3 is
# best!"), and with one seed. The limits, if somebody asks: small dense models, two small tables, a limit of 150-200
# epochs, configurations picked by hand.
# %% [markdown]
# ## Exercise 05.3: how much would have been enough?
#
# Five minutes more than the twenty-five: keep it for another day if you are tired.
#
# Write a function that gets the `val_loss` values of a run that nobody stopped, and returns the smallest patience (at
# least 1) with which `EarlyStopping` still reaches the lowest of them. The check asks about many curves. `replay` may
# help, or a pencil.
# %% tags=["exercise"]
# Exercise 05.3
def enough_patience(values): ...


# solution
def enough_patience(values):
    patience = 1
    while replay.early_stopping(values, patience=patience).best > min(values):
        patience += 1
    return patience


# %%
checks.check("05.3", enough_patience)
# %% [markdown]
# What that number is for our 100 runs says how far the rule of thumb carries:
# %%
enough = []
for run in runs:
    losses = run.history["val_loss"]
    enough.append(np.argmax(replay.every_patience(losses).best_epoch == np.argmin(losses)))
for share in [50, 75, 90, 100]:
    print(f"enough for {share:3} % of the runs: patience {np.percentile(enough, share):.0f}")
# %% [markdown]
# So the evidence does **not** support:
#
# - one number for every task. The range is wide, and slow learning or dropout moves it;
# - a number measured on one run: seeds differ as much as you saw in the first table;
# - anything about large models or other data. These are small dense networks on two small tables, with at most 200
#   epochs.
# %% [markdown]
# ## When not to stop early
#
# **Tiny data.** Early stopping chooses an epoch by the validation set. Cut ours into ten sets of 30 images, and let
# each judge the same single training.
# %%
losses = []


def judge(epoch, logs):
    right = model(digits.x_validation).numpy()[np.arange(300), digits.y_validation]
    losses.append(-np.log(right).reshape(10, 30).mean(axis=1))


model = build()
model.fit(digits.train, epochs=50, callbacks=[LambdaCallback(on_epoch_end=judge)], verbose=0)
losses = np.array(losses)
print("best epoch for each set of 30:", *(losses.argmin(axis=0) + 1))
print("for all 300 together:", losses.mean(axis=1).argmin() + 1)
# %% [markdown]
# With 30 images the "best epoch" is half a lottery. Instead: let many small sets judge together, as in the last line.
# With cross-validation each row takes its turn in such a set. Then train on **all** rows, for the number of epochs that
# it found.
# %% [markdown]
# **A fixed budget.** When you compare models, everyone should get the same training. Five seeds of one configuration,
# patience 5:
# %%
for run in data.load_runs("digits-noise20"):
    print(run.name, "trained for", replay.early_stopping(run.history["val_loss"], patience=5).epochs_run, "epochs")


# %% [markdown]
# If one of two models is better now, is it the better model, or did it only train longer? Instead: the same number of
# epochs for all, and `ModelCheckpoint(save_best_only=True)` keeps the best of them.
# %% [markdown]
# **Curves that come back.** Some learning-rate schedules begin anew, with a high rate (**warm restarts**). And even
# with a constant rate a curve can fall, rise and fall again (**double descent**). A short patience stops on the hill
# between. Instead: let all epochs run, with `ModelCheckpoint` to keep the best, or give a patience longer than the
# hill. Two of the optional parts show such curves.
# %% [markdown]
# ## Optional: several outputs
#
# Five optional parts, three minutes each: skip them if you are tired; no later lesson needs them.
#
# With several outputs, `mode="auto"` refuses even a loss:
# %%
inputs = keras.Input((64,))
outputs = {name: keras.layers.Dense(10, activation="softmax", name=name)(inputs) for name in ["left", "right"]}
twins = keras.Model(inputs, outputs)
twins.compile("sgd", loss=dict.fromkeys(outputs, "sparse_categorical_crossentropy"))
targets = dict.fromkeys(outputs, digits.y_train)
with checks.expect_error(ValueError, match="val_left_loss"):
    twins.fit(
        digits.x_train, targets, validation_split=0.2, callbacks=[EarlyStopping(monitor="val_left_loss")], verbose=0
    )
# %% [markdown]
# ## Optional: how often to save
#
# How many files does `save_best_only` write in a long run, and what does a save cost?
# %%
run = data.load_runs("digits-noise20")[0]
saves = replay.model_checkpoint(run.history["val_loss"], save_best_only=True)
print(len(saves.epochs), "saves in", len(run.seconds), "epochs, the last in epoch", saves.epochs[-1] + 1)

model, path = build(), lesson.new_folder("05") / "model.keras"
start = time.perf_counter()
for _ in range(5):
    model.save(path)
cost = (time.perf_counter() - start) / 5
print(f"one save: {1000 * cost:.0f} ms; one epoch of that run: {1000 * np.median(run.seconds):.0f} ms")
# %% [markdown]
# Keeping the best is cheap: it saves seldom. Saving against a **crash** is another matter. Save often, and you pay for
# saves; save seldom, and a crash costs you half an interval on average. Suppose a crash every hour, or every day, and
# let the computer find the interval with the smallest sum.
# %%
interval = np.arange(1.0, 3600.0)
for crash_every in [3600, 24 * 3600]:
    share = cost / interval + (interval / 2) / crash_every
    best = interval[np.argmin(share)]
    rule = (2 * cost * crash_every) ** 0.5
    print(f"a crash every {crash_every} s: save every {best:.0f} s (rule: {rule:.0f} s), {share.min():.2%} lost")
# %% [markdown]
# The rule is the square root of 2 × cost of a save × time between crashes (Young, 1974). If your epochs are shorter
# than that, a save after every epoch is too often.
# %% [markdown]
# ## Optional: does min_delta save epochs?
#
# The same 100 runs, with a `min_delta` and with a smaller patience:
# %%
for min_delta, p in [(0.01, 10), (0, 6), (0, 10)]:
    mean, error = over_seeds(np.array([price(run, min_delta) for run in runs])[:, :, p])
    cost = f"{mean[0]:.1f} ± {error[0]:.1f} epochs, {mean[1]:.2f} ± {error[1]:.2f} % missed"
    print(f"min_delta={min_delta:<4} patience={p:2}: {cost}")
# %% [markdown]
# `min_delta` is not free. It spends about as many epochs as a smaller patience does, and misses no less. Use it to say
# "a gain this small is worth nothing to me", not to save epochs.
# %% [markdown]
# ## Optional: warm restarts
#
# A schedule that begins anew every ten epochs:
# %%
restarts = keras.optimizers.schedules.CosineDecayRestarts(0.05, first_decay_steps=100, t_mul=1.0)
model = build()
model.compile(keras.optimizers.Adam(restarts), loss="sparse_categorical_crossentropy")
history = model.fit(digits.train, validation_data=digits.validation, epochs=20, verbose=0)
losses = history.history["val_loss"]
print(f"lowest in the first ten epochs: {min(losses[:10]):.3f}, in the next ten: {min(losses[10:]):.3f}")
record = replay.early_stopping(losses, patience=4)
style.show(plots.learning_curves(history, stopping=record, title="A new start every ten epochs, patience=4"))
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
weights = np.concatenate([1.5 * rng.normal(size=50) / 50**0.5, rng.normal(size=5) / 5**0.5 / 0.2])
x = rng.normal(size=(560, 55)) * scale
y = x @ weights + 0.1 * rng.normal(size=560)
linear = keras.Sequential([keras.Input((55,)), keras.layers.Dense(1, kernel_initializer="zeros")])
linear.compile(keras.optimizers.SGD(0.1), loss="mse")
train = tf.data.Dataset.from_tensors((x[:60], y[:60])).cache().repeat(5)
validation = tf.data.Dataset.from_tensors((x[60:], y[60:])).cache()
slow = linear.fit(train, validation_data=validation, epochs=60, shuffle=False, verbose=0)
record = replay.early_stopping(slow.history["val_loss"], patience=10)
style.show(plots.learning_curves(slow, stopping=record, title="Down, up, and down again, patience=10"))
# %% [markdown]
# First the fast inputs help, then they fit noise, then the slow ones pay. Patience 10 stops on the hill. Whether your
# task does this, only one run to the end can tell: train one without stopping, and look.
# %% [markdown]
# ## Key takeaways
#
# - Too small a patience stops at a dip; too large costs epochs, and nothing else if the best weights are kept.
# - Over 100 recorded runs: start with 10, take 20 in doubt. Slow learning and jumpy curves need more.
# - `min_delta` also decides what is kept. `baseline` is no deadline. `mode`: say it when Keras refuses.
# - The learning rate needs less patience than the stop. Patience counts validated epochs.
# - Monitor what you want: the best loss and the best accuracy lie in different epochs.
# - Tiny validation sets, comparisons, restarts, double descent: train a fixed number of epochs and choose afterwards.
# %% [markdown]
# ## Where next
#
# You know what the two callbacks do. [Lesson 06](06_inside_and_your_own.ipynb) opens them, rebuilds both, and writes
# the ones that Keras does not have.
