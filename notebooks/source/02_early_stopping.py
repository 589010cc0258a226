# %% [markdown]
# # Stop before it gets worse: EarlyStopping
#
# **You will** see a model get worse while its training loss still falls, end such a training at the right time, and
# know exactly whose weights you hold afterwards.
#
# **You need** [lesson 01](01_callbacks.ipynb): hooks, `logs`, the order of the list.
#
# **Minutes:** 20
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("02")
import keras
from keras.callbacks import Callback, EarlyStopping

# %% [markdown]
# ## The turn
#
# 300 handwritten digits to learn from. As in much real data, some labels are wrong: here one in five. The validation
# labels are all right.
#
# `build` makes the same model each time, with the same first weights.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)


def build():
    keras.utils.set_random_seed(3)
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# Fifty epochs, and nobody watches:
# %%
import time

start = time.perf_counter()
full = build().fit(digits.train, validation_data=digits.validation, epochs=50, verbose=0)
full_seconds = time.perf_counter() - start
style.show(plots.learning_curves(full, title="Fifty epochs, nobody watches"))


# %% [markdown]
# The training loss falls to the end. The validation loss falls, reaches its best at the star, and rises again. (For
# many epochs it is the lower one: none of its labels is wrong.)
#
# At first the model learns what digits look like. That helps with digits it has never seen. Later it learns the wrong
# labels by heart, and that does not help. This is **overfitting**, and the epochs after the star made the model worse.
# %% [markdown] tags=["instructor"]
# Four minutes. Ask before you run it: "What will the training loss do? And the other one?" Leave the picture on the
# wall: the rest of the lesson is about the star and how to end up there.
# %% [markdown]
# ## Patience
#
# `EarlyStopping` looks at one number after each epoch, the metric it **monitors**: `val_loss`, if you do not say
# otherwise. When this number has not improved for `patience` epochs, it sets `self.model.stop_training = True`. You
# wrote such a callback in lesson 01. For a loss, to improve means to fall; for an accuracy, to grow. Keras can tell
# from the name.
#
# Why have patience at all? Validation losses wobble. One worse epoch proves nothing.
# %% [markdown]
# To study the rule, we want curves of our own choice. Lesson 01 showed how: a callback that stands first in the list
# writes a number into `logs`, and those behind it believe it. `Script` does this. The fit is real, only the
# `val_loss` is ours.
# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


toy = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
toy.compile("sgd", loss="sparse_categorical_crossentropy")


def play(values, stopper):
    return toy.fit(digits.train, epochs=len(values), callbacks=[Script(values), stopper], verbose=0)


# %% [markdown]
# ## Predict: when does it stop?
#
# Seven epochs are ordered, with these validation losses. `patience=3`.
# %%
curve = [0.90, 0.70, 0.60, 0.65, 0.62, 0.60, 0.50]
# %% tags=["predict"]
widgets.predict("02.a")
# %%
stopper = EarlyStopping(patience=3)
history = play(curve, stopper)
print("epochs that ran:", len(history.epoch))
style.show(plots.wait_counter(curve, stopping=stopper))
# %% [markdown]
# The bars are the callback's own counter, `stopper.wait`. A new best sets it to 0, any other epoch adds 1. When it
# reaches the patience, training stops.
#
# Two things to keep:
#
# - It stops `patience` epochs **after** the best, not at the best. At the best, nobody can know that it is the best.
# - Epoch 6 only **equals** the best. A tie is no improvement.
#
# Epoch 7 would have been the best of all. The callback never saw it: that is the price of a small patience.
# %% [markdown]
# What about the smallest patience? Try some.
# %%
for patience in [0, 1, 2, 3, 4]:
    history = play(curve, EarlyStopping(patience=patience))
    print(f"patience={patience}: {len(history.epoch)} epochs")
# %% [markdown]
# 0 and 1 do the same: both stop at the first epoch without improvement. The counter is raised before it is
# compared: at that epoch it stands at 1, and 1 is enough for both.
# %% [markdown]
# ## On the real data
#
# Now the callback watches the real training. Nothing else has changed. How much time does it save?
# %%
model = build()
stopper = EarlyStopping(monitor="val_loss", patience=5)
start = time.perf_counter()
history = model.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=[stopper], verbose=0)
print(f"{len(history.epoch)} epochs in {time.perf_counter() - start:.1f} s; all fifty took {full_seconds:.1f} s")
# %% [markdown]
# ## Predict: whose weights?
#
# Training has stopped some epochs after the best one.
# %% tags=["predict"]
widgets.predict("02.b")
# %% [markdown]
# Ask the model. If it holds the weights of an epoch, it must show the validation loss of that epoch.
# %%
losses = history.history["val_loss"]
now = model.evaluate(digits.validation, verbose=0)[0]
print(f"the model now: {now:.4f}   last epoch: {losses[-1]:.4f}   best epoch: {min(losses):.4f}")
assert abs(now - losses[-1]) < 1e-4 < now - min(losses)
# %% [markdown]
# The **last** weights. `EarlyStopping` stops; by default it brings nothing back. The whole story in a picture:
# %%
style.show(plots.learning_curves(history, stopping=stopper, title="patience=5"))
# %% [markdown]
# The hatched band is the waiting time: the epochs that were needed to become sure. The circle marks the epoch whose
# weights the model holds. It sits at the stop, not at the star.
#
# To end with the best weights, ask for it:
# %%
model = build()
stopper = EarlyStopping(patience=5, restore_best_weights=True)
history = model.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=[stopper], verbose=0)
losses = history.history["val_loss"]
now = model.evaluate(digits.validation, verbose=0)[0]
print(f"the model now: {now:.4f}   last epoch: {losses[-1]:.4f}   best epoch: {min(losses):.4f}")
assert abs(now - min(losses)) < 1e-4
# %% [markdown]
# `restore_best_weights=True` keeps a copy of the weights in memory at each new best, and puts it back at the end. Only
# the weights: the optimizer stays where the last epoch left it.
# %% [markdown] tags=["instructor"]
# The most common wrong belief of this lesson. In most classes half the hands go up for "the best". Ask: "Who of you has
# shipped such a model?" Then show `assert` in the cell: the claim is tested each time the notebook runs.
# %% [markdown]
# ## Predict: nobody had to stop it
#
# The same callback with `patience=100`, but only 50 epochs are ordered. So the epochs run out before the patience
# does, and `EarlyStopping` never stops anything.
# %% tags=["predict"]
widgets.predict("02.c")
# %%
model = build()
stopper = EarlyStopping(patience=100, restore_best_weights=True)
history = model.fit(digits.train, validation_data=digits.validation, epochs=50, callbacks=[stopper], verbose=0)
losses = history.history["val_loss"]
now = model.evaluate(digits.validation, verbose=0)[0]
print(f"{len(losses)} epochs.  now: {now:.4f}   last epoch: {losses[-1]:.4f}   best epoch: {min(losses):.4f}")
assert abs(now - min(losses)) < 1e-4
# %% [markdown]
# The best weights are back, though nothing was stopped: the Keras we use restores at the end of training, whatever
# ended it. Much teaching material says otherwise; years ago it was true.
# %% [markdown]
# ## Read what it tells you
#
# After a fit, the callback can be asked. And with `verbose=1` it says a few words itself:
# %%
stopper = EarlyStopping(patience=3, restore_best_weights=True, verbose=1)
history = play(curve, stopper)
print("stopped_epoch:", stopper.stopped_epoch, "  best_epoch:", stopper.best_epoch, "  best:", stopper.best)
# %% [markdown]
# Two ways to count: attributes count epochs from 0, printed lines from 1. So `stopped_epoch` is 5 where Keras prints
# `Epoch 6`.
#
# And what does it say when nothing was stopped?
# %%
stopper = EarlyStopping(patience=100)
history = play(curve, stopper)
print("stopped_epoch:", stopper.stopped_epoch, "  best_epoch:", stopper.best_epoch)
# %% [markdown]
# `stopped_epoch` is 0 then. It can mean nothing else: `EarlyStopping` never stops in the very first epoch.
# %% [markdown]
# ## Predict: no validation data
#
# Somebody forgets `validation_data`. The callback still monitors `val_loss`.
# %% tags=["predict"]
widgets.predict("02.d")
# %%
stopper = EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True)
history = toy.fit(digits.train, epochs=6, callbacks=[stopper], verbose=0)
print(len(history.epoch), "epochs ran. best:", stopper.best, "  best_weights:", stopper.best_weights)
# %% [markdown]
# A warning, and all epochs run. Nothing is stopped and nothing is restored: the callback never had a number to look
# at. In a long log this warning is easily missed.
#
# So early stopping needs validation data: `validation_data=...`, or `validation_split=0.2` if your data are arrays.
# %% [markdown]
# ## Why it works
#
# Training starts from small random weights and walks away from them, step by step. How far has it come after each
# epoch? `Distance` measures how far the weights are from where they started, and puts the number into `logs`.
# %%
import numpy as np


class Distance(Callback):
    def on_train_begin(self, logs=None):
        self.start = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        pairs = zip(self.model.get_weights(), self.start, strict=True)
        logs["distance"] = np.sqrt(sum(np.sum((now - then) ** 2) for now, then in pairs))


walk = build().fit(digits.train, epochs=50, callbacks=[Distance()], verbose=0).history
for epoch in [1, 5, 10, 20, 35, 50]:
    print(f"epoch {epoch:2}: distance {walk['distance'][epoch - 1]:5.2f}, loss {walk['loss'][epoch - 1]:.2f}")
assert walk["distance"][-1] > walk["distance"][19] > walk["distance"][4]
# %% [markdown]
# The distance grows with the epochs, while the training loss falls. `fit` builds on **gradient descent**: it steps
# where the loss falls fastest. So it learns first what many images have in common. What only single images need, such
# as a wrong label, comes late and takes weights far from the start.
#
# The number of epochs is thus a knob for how complex the model may become, and early stopping turns it. Methods that
# keep a model simple are called **regularisation**. This one costs only some data for validation.
# %% [markdown] tags=["instructor"]
# If time is short, show only the table. For a class with mathematics: for least squares from zero weights, the path
# of gradient descent is close to that of an L2 penalty that is slowly lifted; 1/(steps × rate) plays the penalty.
# %% [markdown]
# ## Exercise 02.1: say what you want
#
# Assign to `three_wishes` an `EarlyStopping` that watches the **validation accuracy**, stops when it has not improved
# for **4** epochs, and ends with the best weights. The check plays trainings with it.
# %% tags=["exercise"]
# Exercise 02.1
three_wishes = ...
# solution
three_wishes = EarlyStopping(monitor="val_accuracy", patience=4, restore_best_weights=True)
# %%
checks.check("02.1", three_wishes)
# %% [markdown]
# ## Exercise 02.2: be the callback
#
# Do it by hand, without running it. `EarlyStopping(patience=2, restore_best_weights=True)` sees the losses below. How
# many epochs run? And the weights of which epoch does the model hold at the end? Count epochs from 1, as people do.
# %%
by_hand = [1.00, 0.80, 0.85, 0.70, 0.70, 0.75, 0.60, 0.65]
# %% tags=["exercise"]
# Exercise 02.2
epochs_run = ...
weights_of_epoch = ...
# solution
epochs_run = 6
weights_of_epoch = 4
# %%
checks.check("02.2", (epochs_run, weights_of_epoch))


# %% [markdown]
# ## Exercise 02.3: whose weights, in general
#
# Write a function that gets an `EarlyStopping` and the `History` of the fit in which it ran, and returns the epoch
# whose weights the model holds now, counted from 1. The callback monitored `val_loss`. The check trains with several
# settings: with an early stop and without, with restoring and without.
# %% tags=["exercise"]
# Exercise 02.3
def epoch_of_weights(stopper, history): ...


# solution
def epoch_of_weights(stopper, history):
    if stopper.restore_best_weights:
        return stopper.best_epoch + 1
    return len(history.epoch)


# %%
checks.check("02.3", epoch_of_weights)
# %% [markdown]
# Stuck? `checks.hint("02.3")` gives a hint, and another one each time. `checks.solution("02.3")` shows the answer with
# its reason.
# %% [markdown]
# ## Key takeaways
#
# - `EarlyStopping` stops when the monitored metric has not improved for `patience` epochs: `patience` epochs after the
#   best. Patience 0 and 1 are the same.
# - A tie is no improvement.
# - Without `restore_best_weights=True` you hold the **last** weights. With it, the best, also when the epochs run out.
# - `stopped_epoch` and `best_epoch` count from 0; 0 in `stopped_epoch` means "not stopped".
# - Without validation data there is no `val_loss`: a warning, and nothing is ever stopped.
# %% [markdown]
# ## Where next
#
# The best weights are in memory, and memory is gone when the program ends. [Lesson 03](03_model_checkpoint.ipynb) is
# about the helper with the camera: `ModelCheckpoint`.
