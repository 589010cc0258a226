# %% [markdown]
# # Stop before it gets worse: EarlyStopping
#
# **You will** say after which epoch a training stops, end one at the right time, and know exactly whose weights you
# hold afterwards.
#
# **You need** the core of [lesson 01](01_callbacks.ipynb): hooks, `logs`, the order of the list.
#
# **Minutes:** 17 for the core, 36 in all
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("02")
import keras
from keras.callbacks import Callback, EarlyStopping, LambdaCallback


# %% [markdown]
# ## Patience
#
# `EarlyStopping` looks at one number after each epoch, the metric it **monitors**: `val_loss`, if you do not say
# otherwise. When this number has not improved for `patience` epochs, it sets `self.model.stop_training = True`, as
# `Enough` did in lesson 01.
#
# For a loss, to improve means to fall; for an accuracy, to grow. Keras knows `loss` and `val_loss` by their names. For
# any other name it asks the metric that you compiled, and most metrics can say which way is better.
# <!-- claim: numbers.test_the_compiled_metric_says_its_direction -->
#
# Why have patience at all? Validation losses wobble. One worse epoch proves nothing.
# %% [markdown]
# To study the rule, we want curves of our own choice. Lesson 01 showed how: a callback that stands first in the list
# writes a number into `logs`, and those behind it believe it. `Script` does this, and `play` fits a small model with
# it. The fit is real, only the `val_loss` is ours.
# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)
output = keras.layers.Dense(10, activation="softmax")
toy = keras.Sequential([keras.Input((64,)), output])
toy.compile("sgd", loss="sparse_categorical_crossentropy")


def play(values, stopper):
    callbacks = [Script(values), stopper]
    return toy.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)


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
widgets.reveal("02.a")


# %% [markdown]
# ## On the real data
#
# As in lesson 00: 300 digits, one label in five wrong, and all validation labels right. `build` makes the same model
# each time, with the same first weights.
# %%
def build():
    keras.utils.set_random_seed(1)
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), *hidden, output])
    adam = keras.optimizers.Adam(0.01)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(model, *callbacks):
    return model.fit(
        digits.train,
        validation_data=digits.validation,
        epochs=50,
        callbacks=[*callbacks],
        verbose=0,
    )


# %%
model = build()
stopper = EarlyStopping(monitor="val_loss", patience=8)
history = train(model, stopper)
print(f"{len(history.epoch)} of 50 epochs ran")
# %% [markdown]
# ## Predict: whose weights?
#
# `EarlyStopping(monitor="val_loss", patience=8)` has stopped the training, eight epochs after its best one.
# %% tags=["predict"]
widgets.predict("02.b")


# %% [markdown]
# Ask the model. If it holds the weights of an epoch, it must show the validation numbers of that epoch.
# %%
def compare(model, history):
    losses, accuracies = history.history["val_loss"], history.history["val_accuracy"]
    best = losses.index(min(losses))
    rows = {"the model now": model.evaluate(digits.validation, verbose=0)}
    rows["last epoch"] = losses[-1], accuracies[-1]
    rows["best epoch"] = losses[best], accuracies[best]
    for name, (loss, accuracy) in rows.items():
        print(f"{name:13}  loss {loss:.3f}   {accuracy:.1%} right")


# %% [markdown]
# First the numbers, then a picture. The **circle** marks the epoch whose weights the model holds, the **hatched** band
# is the time that the callback waited.
# %%
compare(model, history)
style.show(plots.learning_curves(history, stopping=stopper, title="patience=8"))
widgets.reveal("02.b")
# %% tags=["solution"]
# What the explanation says of this run, and that its cost can be felt.
losses, accuracies = history.history["val_loss"], history.history["val_accuracy"]
assert abs(model.evaluate(digits.validation, verbose=0)[0] - losses[-1]) < 1e-3
assert losses[-1] > min(losses) + 0.02
assert accuracies[losses.index(min(losses))] > accuracies[-1] + 0.03
# %% [markdown] tags=["instructor"]
# Expect half the hands for "the best". Ask: "Who of you has shipped such a model?" The solutions edition asserts what
# the cell above shows.
# %% [markdown]
# ## With one argument more
#
# The same training, with `restore_best_weights=True`:
# %%
model = build()
stopper = EarlyStopping(patience=8, restore_best_weights=True)
history = train(model, stopper)
compare(model, history)
# %% tags=["solution"]
assert abs(model.evaluate(digits.validation, verbose=0)[0] - stopper.best) < 1e-3
# %% [markdown]
# ## Exercise 02.1: say what you want
#
# Assign to `three_wishes` an `EarlyStopping` that watches the **validation accuracy**, stops when it has not improved
# for **4** epochs, and ends with the best weights. The check plays trainings with it.
# %% tags=["exercise"]
# Exercise 02.1
three_wishes = ...
# solution
three_wishes = EarlyStopping(
    monitor="val_accuracy",
    patience=4,
    restore_best_weights=True,
)
# %%
checks.check("02.1", three_wishes)
# %% [markdown]
# ## The core ends here
#
# - `EarlyStopping` stops `patience` epochs after the best. A tie is no improvement.
# - After the stop the model holds the **last** weights. With `restore_best_weights=True`, those of the best epoch.
#
# On the express path, go on to [lesson 03](03_model_checkpoint.ipynb). Everybody else reads on: what happens when
# nothing stops the training, when it breaks, and when there is nothing to watch. Then two exercises, and why it works.
# %% [markdown]
# ## The smallest patience
#
# What about patience 1, and 0? Try some, on the curve from above.
# %%
for patience in [0, 1, 2, 3, 4]:
    history = play(curve, EarlyStopping(patience=patience))
    print(f"patience={patience}: {len(history.epoch)} epochs")
# %% [markdown]
# 0 and 1 do the same: both stop at the first epoch without improvement. The counter is raised before it is
# compared: at that epoch it stands at 1, and 1 is enough for both.
# <!-- claim: early_stopping.test_patience_0_and_1_are_the_same -->
# %% [markdown]
# ## Predict: nobody had to stop it
#
# `EarlyStopping(patience=100, restore_best_weights=True)`, but only 50 epochs are ordered. So the epochs run out before
# the patience does, and nothing is ever stopped.
# %% tags=["predict"]
widgets.predict("02.c")
# %%
model = build()
stopper = EarlyStopping(patience=100, restore_best_weights=True)
history = train(model, stopper)
compare(model, history)
style.show(plots.learning_curves(history, stopping=stopper, title="patience=100"))
widgets.reveal("02.c")
# %% tags=["solution"]
assert len(history.epoch) == 50
assert abs(model.evaluate(digits.validation, verbose=0)[0] - stopper.best) < 1e-3
accuracies = history.history["val_accuracy"]
assert accuracies[-1] < accuracies[stopper.best_epoch] - 0.03


# %% [markdown]
# ## When training breaks
#
# An error in epoch 20, or you press the Stop button (■), and `fit` is left in the middle. What then? The button raises
# a `KeyboardInterrupt`, and so can a callback.
# %%
def stop_button(epoch, logs):
    if epoch + 1 == 20:
        raise KeyboardInterrupt


def right(model):
    return f"{model.evaluate(digits.validation, verbose=0)[1]:.1%} right"


model = build()
stopper = EarlyStopping(patience=100, restore_best_weights=True)
with checks.expect_error(KeyboardInterrupt):
    train(model, stopper, LambdaCallback(on_epoch_end=stop_button))
print("the model now:    ", right(model))
model.set_weights(stopper.best_weights)
print("with best_weights:", right(model))
# %% tags=["solution"]
assert abs(model.evaluate(digits.validation, verbose=0)[0] - stopper.best) < 1e-3
# %% [markdown]
# Nothing came back by itself: whatever breaks out of `fit` skips the hook `on_train_end`, in which the weights are put
# back. But the callback made a copy at each new best, and the last one is still there: `stopper.best_weights`.
# <!-- claim: early_stopping.test_an_error_restores_nothing -->
# %% [markdown]
# ## Read what it tells you
#
# After a fit, the callback can be asked. And with `verbose=1` it says a few words itself:
# %%
stopper = EarlyStopping(patience=3, restore_best_weights=True, verbose=1)
history = play(curve, stopper)
print("stopped_epoch:", stopper.stopped_epoch)
print("best_epoch:", stopper.best_epoch, "  best:", stopper.best)
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
# <!-- claim: early_stopping.test_stopped_epoch_and_the_message -->
# %% [markdown]
# ## Predict: no validation data
#
# Somebody forgets `validation_data`. The callback still monitors `val_loss`.
# %% tags=["predict"]
widgets.predict("02.d")
# %%
stopper = EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True)
try:
    history = toy.fit(digits.train, epochs=6, callbacks=[stopper], verbose=0)
    print("epochs that ran:", len(history.epoch))
except Exception as error:
    print(type(error).__name__)
print("best:", stopper.best, "  best_weights:", stopper.best_weights)
widgets.reveal("02.d")
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
# Write a function that gets an `EarlyStopping` and the `History` of its fit. It returns the epoch whose weights the
# model holds now, counted from 1. The callback monitored `val_loss`. The check trains with several settings: with an
# early stop and without, with restoring and without.
# %% tags=["exercise"]
# Exercise 02.3
def epoch_of_weights(stopper, history): ...  # your code here


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
# ## Why it works
#
# Training starts from small random weights and walks away from them, step by step. `Distance` measures how far the
# weights have come after each epoch, and puts the number into `logs`.
# %%
import numpy as np


class Distance(Callback):
    def on_train_begin(self, logs=None):
        self.start = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        pairs = zip(self.model.get_weights(), self.start, strict=True)
        squares = sum(np.sum((now - then) ** 2) for now, then in pairs)
        logs["distance"] = np.sqrt(squares)


walk = train(build(), Distance()).history
for epoch in [1, 5, 10, 20, 35, 50]:
    distance, loss = walk["distance"][epoch - 1], walk["loss"][epoch - 1]
    print(f"epoch {epoch:2}: distance {distance:5.2f}, training loss {loss:.2f}")
# %% tags=["solution"]
assert walk["distance"][-1] > walk["distance"][19] > walk["distance"][4]
assert walk["loss"][-1] < walk["loss"][19] < walk["loss"][4]
# %% [markdown]
# The distance grows with the epochs, while the training loss falls. All images of a digit pull the weights in much the
# same direction: that is learnt first. A wrong label pulls alone. It is learnt late, far from the start.
#
# So the number of epochs decides how complex the model may become, and early stopping chooses it. Methods that keep a
# model simple are called **regularisation**. This one costs only some data for validation.
# %% [markdown] tags=["instructor"]
# If time is short, show only the table. For a class with mathematics: for least squares from zero weights, the path
# of gradient descent is close to that of an L2 penalty that is slowly lifted; 1/(steps × rate) plays the penalty.
# %% [markdown]
# ## Key takeaways
#
# To what the core ended with:
#
# - Patience 0 and 1 are the same.
# - The best weights come back when the epochs run out, too; but not after an error or the Stop button.
# - `stopped_epoch` and `best_epoch` count from 0; 0 in `stopped_epoch` means "not stopped".
# - Without validation data there is no `val_loss`: a warning, and nothing is ever stopped.
# %% [markdown]
# ## Where next
#
# The best weights are in memory, and memory is gone when the program ends. [Lesson 03](03_model_checkpoint.ipynb) is
# about the helper with the camera: `ModelCheckpoint`.
