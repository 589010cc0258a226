# %% [markdown]
# # Choose the numbers: patience
#
# **You will** drag patience over real recorded trainings and over a log of your own, and judge by a hundred runs which
# rule of thumb deserves the name.
#
# **You need** [lesson 02](02_early_stopping.ipynb) and [lesson 04](04_together.ipynb). The other arguments, from
# `min_delta` to `validation_freq`, are in the second part, [05b](05b_the_other_arguments.ipynb).
#
# **Minutes:** 30
# %% tags=["setup"]
from helpers import checks, data, evidence, lesson, plots, replay, style, widgets

lesson.begin("05")
import keras
import numpy as np
from keras.callbacks import CSVLogger, EarlyStopping

# %% [markdown]
# ## One run answers for every patience
#
# Until the stop, `EarlyStopping` counts in the same way for every patience. So one training that nobody stopped can
# tell what every patience would have done. `replay` works that out from the list of losses, without Keras.
# <!-- claim: early_stopping.test_wait_does_not_depend_on_patience -->
#
# Do not take that on trust. Train to the end, ask `replay`, then train again with the real callback.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2, reshuffle=True)


def train(*callbacks):
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(128, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    model.compile(keras.optimizers.Adam(0.005), loss="sparse_categorical_crossentropy")
    settings = {"validation_data": digits.validation, "epochs": 40, "verbose": 0}
    return model.fit(digits.train, callbacks=callbacks, **settings)


# %%
log = lesson.new_folder("05") / "my_log.csv"
full = train(CSVLogger(log))
foretold = replay.early_stopping(full.history["val_loss"], patience=3)
stopper = EarlyStopping(patience=3)
real = train(stopper)
print(f"replay: stops after {foretold.epochs_run}, best {foretold.best_epoch + 1}")
print(f"Keras:  stops after {len(real.epoch)}, best {stopper.best_epoch + 1}")
# %% tags=["solution"]
assert foretold.epochs_run == len(real.epoch)
assert foretold.best_epoch == stopper.best_epoch
# %% [markdown]
# ## A log of your own
#
# `CSVLogger` wrote one line for each epoch of that training. The explorer opens such a file, and asks `replay` for
# you. Drag `patience`, or focus it and use the arrow keys.
#
# For a training of yours, put its log into the first line: a `CSVLogger` file, or the history that `fit` returned. It
# should have gone on well past its best epoch.
# %%
my_log = log  # yours: my_log = "my_log.csv"
widgets.PatienceExplorer(my_log, patience=2, restore_best_weights=True)


# %% [markdown]
# Two ways to lose, and you can see both:
#
# - **Too small:** it stops at a **bump**, a short rise before better epochs.
# - **Too large:** it finds the same epoch, and every epoch of patience is one more epoch paid.
#
# Between the two lies the smallest patience that reaches the best epoch.
# %% [markdown]
# ## Exercise 05.3: how much would have been enough?
#
# Write a function that gets the `val_loss` values of a run that nobody stopped. It returns the smallest patience (at
# least 1) with which `EarlyStopping` still reaches the lowest of them. The check asks about many curves. `replay` may
# help, or a pencil.
#
# (05.1 and 05.2 are in the second part.)
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
# ## Predict: what asks for patience?
#
# The course brings 105 **recorded runs**: real trainings of 150 or 200 epochs that nobody stopped. They come from 21
# **configurations** (a task, a model and its settings), each trained with five **seeds**. A seed draws the training
# rows, the wrong labels, the order of the batches and the first weights.
#
# `digits-noise20` is the plain one: 300 images, every fifth label wrong. Four others differ from it.
# %% tags=["predict"]
widgets.predict("05.e")
# %% [markdown]
# Seed 3 of each. Go from run to run, and compare the smallest patience that reaches the best epoch.
# %%
chosen = [
    "digits-noise20",
    "digits-noise40",
    "digits-noise20-rows900",
    "digits-noise20-dropout",
    "digits-noise20-slow",
]
some = [run for run in data.load_runs(chosen) if run.settings["seed"] == 3]
widgets.PatienceExplorer(some, patience=2, max_patience=60, restore_best_weights=True)


# %% [markdown]
# And all five seeds. `zigzag` says how rough the curve of `val_loss` is: by how much its slope changes from epoch to
# epoch, on average.
# %%
def enough(run):
    losses = run.history["val_loss"]
    reached = replay.every_patience(losses).best_epoch == np.argmin(losses)
    return max(1, int(np.argmax(reached)))


def best_epoch(run):
    return int(np.argmin(run.history["val_loss"])) + 1


for name in chosen:
    five = data.load_runs(name)
    zigzag = np.mean([abs(np.diff(run.history["val_loss"], 2)).mean() for run in five])
    print(f"{name}: zigzag {zigzag:.3f}")
    print("   enough:", *[f"{enough(run):4}" for run in five])
    print("   best:  ", *[f"{best_epoch(run):4}" for run in five])
widgets.reveal("05.e")


# %% tags=["solution"]
def means(name, measure):
    return np.mean([measure(run) for run in data.load_runs(name)])


def rough(run):
    return abs(np.diff(run.history["val_loss"], 2)).mean()


plain, noisy, rows900, dropout, slow = chosen
assert means(noisy, enough) < means(plain, enough) < means(rows900, enough)
assert 3 * means(plain, enough) < means(dropout, enough) < means(slow, enough)
assert means(dropout, rough) < means(plain, rough)
assert means(plain, rough) < means(noisy, rough) < means(rows900, rough)
assert [round(means(name, enough)) for name in chosen] == [5, 4, 9, 17, 26]
# %% [markdown]
# Five configurations are five anecdotes. So ask all runs except those of one configuration that diverges: 100 runs. A
# correlation is 1 when two things rise together exactly, and 0 when they do not.
# %%
runs = [run for run in data.load_runs() if run.configuration != "diabetes-diverging"]
needed = np.array([enough(run) for run in runs])
best = np.array([best_epoch(run) for run in runs])
epochs_of = np.array([len(run.history["val_loss"]) for run in runs])
print(f"correlation of enough and best epoch: {np.corrcoef(needed, best)[0, 1]:.2f}")
for share in [50, 75, 90, 100]:
    patience = np.percentile(needed, share)
    part = np.percentile(needed / best, share)
    print(f"enough for {share:3} %: {patience:2.0f} epochs, or {part:.2f} x best epoch")
# By configuration: what each seed needs, against each seed's best.
half = needed.reshape(20, 5, 1) <= best.reshape(20, 1, 5) / 2
share = half[:, ~np.eye(5, dtype=bool)].mean()
print(f"enough for {100 * share:3.0f} %: half the best epoch of another seed")
print("best in the last ten epochs:", sum(best > epochs_of - 10), "runs")
# %% tags=["solution"]
assert len(runs) == 100
assert round(np.corrcoef(needed, best)[0, 1], 2) == 0.70
assert np.mean(needed <= 10) >= 0.75
assert np.mean(needed <= 19) >= 0.9
assert np.mean(needed <= best / 2) >= 0.9
assert all(
    one.configuration == five.configuration
    for one, five in zip(runs[::5], runs[4::5], strict=True)
)
assert 0.8 <= share < 0.9


# %% [markdown]
# Patience 10 would have been enough for three runs in four, patience 19 for nine in ten. **Half as
# many epochs as a run took to reach its best** would also have been enough for nine in ten. As a rule for the next run
# of a task, it is a little weaker: with half of another seed's best epoch, 84 in 100 had enough. (Some of the
# correlation is arithmetic: no run needs more patience than the number of its best epoch.)
#
# A run whose best lies in its last epochs was cut off: it might have got better still, and then its number is too
# small.
# %% [markdown] tags=["instructor"]
# Before the explorer opens, let pairs guess the smallest patience for the dropout run. Then show the table: the
# explorer's number was one of five. Expect "noise" as the usual answer to 05.e. Who asks about `zigzag`: rough curves
# make a small patience dear (rows900 misses a fifth of its loss at patience 3), but do not by themselves ask for a large one.
# %% [markdown]
# ## Predict: how often does a small patience hurt?
#
# Now the stakes: two numbers for each of the 100 runs and each patience. **Spent** are the epochs that ran. **Missed**
# compares two epochs, the one that is kept and the best of the whole run by `val_loss`: by how many per cent is the test
# loss of the first higher? (It can be a little below 0: the best by `val_loss` need not be the best by test loss.)
# %%
def price(run, min_delta=0):
    validation, test = run.history["val_loss"], np.array(run.history["test_loss"])
    table = replay.every_patience(validation, max_patience=60, min_delta=min_delta)
    waited = test[np.argmin(validation)]
    return table.epochs_run, 100 * (test[table.best_epoch] / waited - 1)


prices = [price(run) for run in runs]
spent = np.array([epochs for epochs, _ in prices])
missed = np.array([loss for _, loss in prices])
print("runs and patiences (0 to 60):", missed.shape)
# %% tags=["predict"]
widgets.predict("05.f")
# %%
print("patience   epochs   missed: mean   median   above 2 %")
for p in [1, 2, 3, 5, 10, 20, 40]:
    one = missed[:, p]
    row = spent[:, p].mean(), one.mean(), np.median(one), np.mean(one > 2)
    print("{:8} {:8.1f} {:12.2f} % {:6.2f} % {:6.0%} of the runs".format(p, *row))
widgets.reveal("05.f")
# %% tags=["solution"]
tail = {p: round(np.mean(missed[:, p] > 2), 2) for p in [3, 5, 10, 20]}
assert tail == {3: 0.44, 5: 0.26, 10: 0.06, 20: 0.01}
assert round(np.median(missed[:, 3]), 1) == 0.8
# %% [markdown]
# Where does the mean at patience 3 come from? By configuration:
# %%
names = np.array([run.configuration for run in runs])
by_task = {name: missed[names == name, 3].mean() for name in sorted(set(names))}
for name, loss in sorted(by_task.items(), key=lambda item: -item[1])[:5]:
    print(f"{name:24} {loss:5.1f} %")
print(f"without the first two:   {np.mean(sorted(by_task.values())[:-2]):5.1f} %")
# %% tags=["solution"]
*_, third, second, first = sorted(by_task, key=by_task.get)
assert {first, second} == {"digits-noise20-dropout", "digits-noise20-rows900"}
assert by_task[second] > 2 * by_task[third]
# %% [markdown]
# Without the first two of the twenty, it is about half as large. Chance plays a part in it as well. Two intervals say
# how much:
#
# - **Over seeds:** had other seeds been drawn for the same 20 configurations, where might the mean lie?
# - **Over configurations:** had 20 other configurations been drawn, out of many like these? (For that, 20 of the 20 are
#   drawn at random with repetition, 2,000 times: the **bootstrap**.)
# %%
p = [1, 2, 3, 5, 10, 20, 40]
mean_spent, spent_error = evidence.over_seeds(runs, spent[:, p])
mean_missed, missed_error = evidence.over_seeds(runs, missed[:, p])
figure = plots.trade_off(
    p,
    mean_spent,
    mean_missed,
    epochs_error=spent_error,
    missed_error=missed_error,
    wide=evidence.over_configurations(runs, missed[:, p]),
    title="What patience costs: 100 runs, best weights restored",
)
style.show(figure)
# %% [markdown]
# Each step to the right buys quality with epochs. Up to 10 the price is good. And from 10 to 20? Compare the two in the
# same runs, pair by pair: most of the chance then cancels out.
# %%
less, error = evidence.over_seeds(runs, missed[:, 10] - missed[:, 20])
more, more_error = evidence.over_seeds(runs, spent[:, 20] - spent[:, 10])
print(f"20 instead of 10: {more:.0f} ± {more_error:.0f} epochs more,")
print(f"and {less:.2f} ± {error:.2f} % less missed")
# %% tags=["solution"]
assert (round(float(less), 2), round(float(error), 2)) == (0.27, 0.42)
# %% [markdown]
# On average, 100 runs cannot tell the two apart: the interval holds 0. What speaks for 20 is the tail in the table
# above. More than 2 % are missed by 6 runs in 100 with patience 10, and by 1 in 100 with patience 20.
#
# The rule of thumb that this supports, for tasks like these: **start with 10. Take 20 if one bad stop would hurt you.
# 3 and less stop at bumps.**
# %% [markdown]
# And without any stopping, without restoring?
# %%
last = []
for run in runs:
    test = np.array(run.history["test_loss"])
    last.append(100 * (test[-1] / test[best_epoch(run) - 1] - 1))
print(f"all epochs, last weights: {np.mean(last):.0f} % missed")
print(f"patience 1, best weights: {missed[:, 1].mean():.0f} % missed")
# %% tags=["solution"]
assert np.mean(last) > 3 * missed[:, 1].mean()
# %% [markdown]
# So before you think about patience: keep the best weights. Without them, the longest training is the worst of all.
# %% [markdown]
# ## Predict: loss or accuracy?
#
# "Missed" was about the test **loss**. Now look at the test **accuracy** of the epoch that is kept. Only the digits
# have one: 13 configurations, 65 runs.
# %%
on_digits = [run for run in runs if run.settings["data"] == "digits"]


def at_kept(metric, monitor, mode, patience):
    found = []
    for run in on_digits:
        watched = run.history[monitor]
        record = replay.early_stopping(watched, mode=mode, patience=patience)
        found.append(run.history[metric][record.best_epoch])
    return np.array(found)


def compare(one, other):
    points = 100 * (at_kept("test_accuracy", *one) - at_kept("test_accuracy", *other))
    mean, error = evidence.over_seeds(on_digits, points)
    return f"{mean:+.1f} ± {error:.1f} points of test accuracy"


# %% tags=["predict"]
widgets.predict("05.d")
# %%
by_loss, by_accuracy = ("val_loss", "min"), ("val_accuracy", "max")
for monitor in [by_loss, by_accuracy]:
    for patience in [3, 10, 20]:
        accuracy = at_kept("test_accuracy", *monitor, patience).mean()
        loss = at_kept("test_loss", *monitor, patience).mean()
        kept = f"accuracy {accuracy:.1%}, loss {loss:.3f}"
        print(f"{monitor[0]:12} patience {patience:2}: {kept}")
print("val_loss, 3 against 20:    ", compare((*by_loss, 3), (*by_loss, 20)))
print("accuracy against loss, 10: ", compare((*by_accuracy, 10), (*by_loss, 10)))
accuracy_turns = [np.argmax(run.history["test_accuracy"]) + 1 for run in on_digits]
loss_turns = [np.argmin(run.history["test_loss"]) + 1 for run in on_digits]
turns = np.median(accuracy_turns), np.median(loss_turns)
print("best epoch, medians: accuracy {:.0f}, loss {:.0f}".format(*turns))
widgets.reveal("05.d")
# %% tags=["solution"]
assert len(on_digits) == 65
assert np.median(accuracy_turns) < np.median(loss_turns)
assert (
    at_kept("test_accuracy", *by_loss, 3).mean()
    > at_kept("test_accuracy", *by_loss, 20).mean()
)
assert (
    at_kept("test_loss", *by_loss, 3).mean() > at_kept("test_loss", *by_loss, 20).mean()
)
# %% [markdown] tags=["instructor"]
# Worth five minutes. Ask what would have been concluded with accuracy alone ("patience 3 is best!"), and with one seed.
# The limits, if somebody asks: small dense models, two small tables, a limit of 150 to 200 epochs, configurations
# picked by hand. `digits-clean-small` gets worse by `val_accuracy`: with 300 validation images an accuracy moves in
# steps and often ties.
# %% [markdown]
# ## What the evidence does not say
#
# It does **not** support:
#
# - one number for every task. The range is wide, and whoever learns slowly needs more;
# - a number measured on one run: seeds differ as much as you saw in the first table;
# - anything about large models or other data. These are small dense networks on **two** small tables, with at most 200
#   epochs, and somebody chose them by hand. No interval can speak for tasks that nobody would have drawn.
# %% [markdown]
# ## Optional: does min_delta save epochs?
#
# Two minutes more: the same 100 runs, with a `min_delta` and with a smaller patience.
# %%
for min_delta, p in [(0.01, 10), (0, 6), (0, 10)]:
    both = np.array([price(run, min_delta) for run in runs])[:, :, p]
    mean, error = evidence.over_seeds(runs, both)
    costs = f"{mean[0]:.1f} ± {error[0]:.1f} epochs, {mean[1]:.2f} ± {error[1]:.2f} %"
    print(f"min_delta={min_delta:<4} patience={p:2}: {costs} missed")
# %% [markdown]
# `min_delta` is not free. It spends about as many epochs as a smaller patience does, and misses no less. Use it to say
# "a gain this small is worth nothing to me", not to save epochs.
# %% [markdown]
# ## Key takeaways
#
# - One run that nobody stopped answers for every patience: open its log in the explorer.
# - Too small a patience stops at a bump; too large costs epochs, and nothing else if the best weights are kept.
# - The later the best comes, the more patience it takes. Half the epochs to the best was enough for nine
#   runs in ten; half of another seed's, for fewer.
# - Over 100 recorded runs: start with 10; 20 where one bad stop would hurt. Look at the tail, not at the mean alone.
# - Monitor what you want: the best loss and the best accuracy lie in different epochs.
# %% [markdown]
# ## Where next
#
# [Lesson 05b](05b_the_other_arguments.ipynb) has the other arguments: `min_delta`, `start_from_epoch`, `mode`,
# `baseline`, and the learning rate's own patience. In a hurry? [Lesson 06](06_inside_and_your_own.ipynb) opens both
# callbacks.
