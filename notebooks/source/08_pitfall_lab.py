# %% [markdown]
# # Find your trouble: the pitfall lab
#
# **You will** find your trouble by what you see or by what the screen says, watch it happen in seconds, and take a
# proved fix home.
#
# **You need** to have trained a model with `fit`. Each trouble stands for itself; [lesson 02](02_early_stopping.ipynb)
# and [lesson 03](03_model_checkpoint.ipynb) explain the two callbacks from the beginning. The exercise at the end takes
# ten minutes more. One trouble takes:
#
# **Minutes:** 5
# %% tags=["setup"]
from helpers import checks, data, lesson, pitfalls, plots, widgets

lesson.begin("08")

# %% [markdown]
# ## Search
#
# Run the cell. Then paste a whole traceback or a warning, or say in your own words what you see: results stand below
# as you type, each with its fix in a sentence. The links lead to the trouble, or to the lesson that explains it.
# %%
widgets.PitfallSearch()
# %% [markdown]
# The same as a line of code. Between `r"""` and `"""` any paste fits, with its quotes and line breaks:
# %%
pitfalls.find(r"""
UserWarning: Early stopping conditioned on metric `val_acc` which is not available.
Available metrics are: accuracy,loss,val_accuracy,val_loss
  current = self.get_monitor_value(logs)
""")
# %% [markdown]
# ## Index
#
# All of them, first by what you see, then by what the screen says (`…` stands for what is different each time). This
# notebook has the three that cost people most. The others stand where people are when they meet them:
# [stopping](08a_stopping.ipynb), [saving](08b_saving.ipynb), [loading and resuming](08g_loading.ipynb),
# [callbacks](08c_callbacks.ipynb), [data and validation](08d_data.ipynb),
# [the learning rate](08e_learning_rate.ipynb), [tuning](08f_tuning.ipynb).
#
# In each notebook, run every cell above its first trouble. Then jump to any of them.
# %%
pitfalls.index()
# %% [markdown]
# ## Tools
#
# The digits of lesson 02: 300 to learn from, every fifth label wrong, so that the model overfits. `train` makes the
# same model with the same first weights each time, and trains it for 30 epochs at most, in large steps: the turn comes
# soon, and the curve is bumpy. Two calls differ only in what you pass in.
# %%
import keras
from keras.callbacks import EarlyStopping, ModelCheckpoint

digits = data.load_digits(train_rows=300, label_noise=0.2, reshuffle=True)


def train(*callbacks, validation_data=digits.validation):
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input((64,)), *layers])
    adam = keras.optimizers.Adam(0.02)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    settings = {"validation_data": validation_data, "epochs": 30, "verbose": 0}
    return model, model.fit(digits.train, callbacks=callbacks, **settings)


# %% [markdown]
# A finished model is judged by two numbers: its loss on the validation digits, and how many of 500 test digits it gets
# right.
# %%
from helpers.side_by_side import side_by_side


def judge(model):
    loss = model.evaluate(digits.validation, verbose=0)[0]
    accuracy = model.evaluate(digits.test, verbose=0)[1]
    return {
        "its validation loss": f"{loss:.3f}",
        "test digits right": f"{accuracy:.1%}",
    }


# %% [markdown]
# ## 1. Training ends with the last model, not the best
#
# **You see:** the history has a better epoch than the model that you load, or hold, afterwards.
#
# **People ask:** [keras#11371](https://github.com/keras-team/keras/issues/11371),
# [Data Science 92955](https://datascience.stackexchange.com/questions/92955).
# %% tags=["predict"]
widgets.predict("08.p1")
# %% [markdown]
# Wrong and right, on the same seed. The two file savers differ in one argument.
# %%
folder = lesson.new_folder("08")
_, history = train(ModelCheckpoint(folder / "wrong.keras"))
_, history = train(ModelCheckpoint(folder / "right.keras", save_best_only=True))
# %% [markdown]
# Load both files, and judge what is in them:
# %%
models = {
    name: keras.models.load_model(folder / f"{name}.keras")
    for name in ["wrong", "right"]
}
side_by_side(
    wrong={"argument": "none", "file": "wrong.keras", **judge(models["wrong"])},
    right={
        "argument": "save_best_only=True",
        "file": "right.keras",
        **judge(models["right"]),
    },
)
# %% [markdown]
# **The fix:** `save_best_only=True`. Proof: the loaded models show exactly the last and the best loss of the history.
# %%
losses = history.history["val_loss"]
held = {
    name: model.evaluate(digits.validation, verbose=0)[0]
    for name, model in models.items()
}
print(f"last epoch {losses[-1]:.4f}, wrong.keras {held['wrong']:.4f}")
print(f"best epoch {min(losses):.4f}, right.keras {held['right']:.4f}")
# %% tags=["solution"]
assert abs(held["wrong"] - losses[-1]) < 1e-4
assert abs(held["right"] - min(losses)) < 1e-4 < losses[-1] - min(losses)
# %% [markdown]
# `EarlyStopping` has the same trap, in memory: it stops `patience` epochs after the best, and leaves you the weights of
# that moment. There the fix is called `restore_best_weights=True`.
# %%
held = {}
for restore in [False, True]:
    stopper, saver = (
        EarlyStopping(patience=5, restore_best_weights=restore),
        ModelCheckpoint(folder / "both.keras"),
    )
    model, history = train(stopper, saver)
    held[restore] = model.evaluate(digits.validation, verbose=0)[0]
    print(
        f"restore_best_weights={restore}: the model shows {held[restore]:.4f},",
        f"the best was {stopper.best:.4f}",
    )
# %% tags=["solution"]
assert abs(held[True] - stopper.best) < 1e-4 < held[False] - stopper.best
# %% [markdown]
# And which model is in the file that `ModelCheckpoint`, left as it is, wrote beside it?
# %%
saved = keras.models.load_model(folder / "both.keras").evaluate(
    digits.validation, verbose=0
)[0]
last = history.history["val_loss"][-1]
print(f"the file: {saved:.4f}, the last epoch: {last:.4f}, the model: {held[True]:.4f}")
widgets.reveal("08.p1")
# %% tags=["solution"]
assert abs(saved - last) < 1e-4 < saved - held[True]
# %% [markdown] tags=["instructor"]
# Trouble 1 in front of a class, three minutes: predict, run, then ask: "How many models on your disk are the last and
# not the best?" The answer is in their code: look for `save_best_only`.
# %%
# Take home 1: keep the best model, in the file and in memory
import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
stopper = EarlyStopping(patience=5, restore_best_weights=True)
saver = ModelCheckpoint("runs/1/best.keras", save_best_only=True)
todo = {"validation_data": (x[30:], y[30:]), "epochs": 20, "verbose": 0}
history = model.fit(x[:30], y[:30], callbacks=[stopper, saver], **todo).history
loaded = keras.models.load_model("runs/1/best.keras")
print("best of the history:", min(history["val_loss"]))
for name, one in {"in memory": model, "in the file": loaded}.items():
    print(name, one.evaluate(x[30:], y[30:], verbose=0))
# %% [markdown]
# ## 12. It stops too early
#
# **You see:** training ends after a few epochs, though the loss would have fallen further. Or patience seems to be off
# by one.
#
# **People ask:** [keras#8100](https://github.com/keras-team/keras/issues/8100),
# [keras#16393](https://github.com/keras-team/keras/issues/16393),
# [Stack Overflow 46656948](https://stackoverflow.com/questions/46656948).
# %% tags=["predict"]
widgets.predict("08.p12")
# %% [markdown]
# Wrong and right, on the same seed. Up to the epoch of the first stop, both trainings are the same.
# %%
stoppers, results, pictures = {}, {}, []
for name, patience in [("wrong", 0), ("right", 5)]:
    stopper = EarlyStopping(patience=patience, restore_best_weights=True)
    model, history = train(stopper)
    pictures.append(
        plots.learning_curves(history, stopping=stopper, width=360, height=300)
    )
    results[name] = {"patience": patience, "epochs": len(history.epoch), **judge(model)}
    stoppers[name] = stopper
side_by_side(results["wrong"], results["right"], pictures=tuple(pictures))
# %% [markdown]
# **Why:** a validation loss wobbles, and one worse epoch proves nothing. `patience` says how many epochs in a row
# without improvement end the training.
#
# **The fix:** a patience longer than the dips of your curve. [Lesson 05](05_choose_the_numbers.ipynb) shows how to find
# it. And always `restore_best_weights=True`: then waiting costs time and nothing else.
# %%
wrong, right = stoppers["wrong"], stoppers["right"]
print(
    f"patience=0 kept epoch {wrong.best_epoch + 1},",
    f"patience=5 kept epoch {right.best_epoch + 1}",
)
# %% tags=["solution"]
assert wrong.best_epoch < right.best_epoch
assert right.best < wrong.best - 0.05
# %% [markdown]
# Off by one? We hand the losses of the long training to a callback, epoch by epoch, as `fit` does, with one patience
# after the other:
# %%
losses, waited = history.history["val_loss"], {}
for patience in [0, 1, 2, 3]:
    stopper = EarlyStopping(patience=patience)
    stopper.set_model(model)
    stopper.on_train_begin()
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        if not model.stop_training:
            stopper.on_epoch_end(epoch, {"val_loss": loss})
    waited[patience] = stopper.wait
    best = stopper.best_epoch + 1
    print(f"patience={patience}: best epoch {best}, stopped {stopper.wait} later")
widgets.reveal("08.p12")
# %% tags=["solution"]
assert waited == {0: 1, 1: 1, 2: 2, 3: 3}
# %%
# Take home 12: a patience longer than the dips of your curve
import keras
import numpy as np
from keras.callbacks import EarlyStopping

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
todo = {"validation_split": 0.2, "epochs": 25, "verbose": 0}
losses = model.fit(x, y, **todo).history["val_loss"]  # once, without a stopper
bests = [n for n, loss in enumerate(losses) if loss == min(losses[: n + 1])]
longest = max(np.diff(bests), default=1)  # epochs from one best to the next
print("the longest way from a best to a better one:", longest, "epochs")
stopper = EarlyStopping(patience=2 * int(longest), restore_best_weights=True)
history = model.fit(x, y, callbacks=[stopper], **todo)
print("patience:", stopper.patience, "  epochs:", len(history.epoch))
# %% [markdown]
# ## 29. It watches the training loss and never stops
#
# **You see:** `monitor="loss"`, perhaps because there are no validation data and `val_loss` gave a warning. Training
# runs to the last epoch.
#
# **People ask:** [Data Science 73726](https://datascience.stackexchange.com/questions/73726).
# %% tags=["predict"]
widgets.predict("08.p29")
# %% [markdown]
# Wrong and right, on the same seed. The left one never sees a digit that it is not trained on.
# %%
blind = EarlyStopping(monitor="loss", patience=5, restore_best_weights=True)
seeing = EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
results, pictures = {}, []
for name, stopper in [("wrong", blind), ("right", seeing)]:
    validation_data = None if name == "wrong" else digits.validation
    model, history = train(stopper, validation_data=validation_data)
    picture = plots.learning_curves(
        history, monitor=stopper.monitor, stopping=stopper, width=360, height=300
    )
    pictures.append(picture)
    results[name] = {
        "monitor": stopper.monitor,
        "epochs": len(history.epoch),
        **judge(model),
    }
side_by_side(results["wrong"], results["right"], pictures=tuple(pictures))
widgets.reveal("08.p29")
# %% [markdown]
# **The fix:** hold some data back and monitor `val_loss`.
# %%
for name in ["wrong", "right"]:
    print(
        f"monitor={results[name]['monitor']}:",
        f"validation loss {results[name]['its validation loss']}",
    )
# %% tags=["solution"]
assert results["wrong"]["epochs"] > results["right"]["epochs"]
assert float(results["right"]["its validation loss"]) < float(
    results["wrong"]["its validation loss"]
)


# %% [markdown] tags=["instructor"]
# Trouble 29 is the best of the three to discuss. Expect the reply "But it does monitor something!" Cover the right
# picture and ask which epoch they would choose from the left one alone. Nobody can.
# %%
# Take home 29: hold some rows back, and stop by what happens on them
import keras
import numpy as np
from keras.callbacks import EarlyStopping

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
rows = rng.permutation(len(x))  # shuffle before you split
known, held = rows[:30], rows[30:]
stopper = EarlyStopping("val_loss", patience=5, restore_best_weights=True)
todo = {"validation_data": (x[held], y[held]), "epochs": 20, "verbose": 0}
model.fit(x[known], y[known], callbacks=[stopper], **todo)
print("best on rows it never trained on:", stopper.best)


# %% [markdown]
# ## Exercise 08.1: spot the bug
#
# Some pages draw a curve and mark where `EarlyStopping` would stop. This function does it as you can find it there. On
# a smooth curve it is right:
# %%
def marked_stop(losses, patience):
    best = losses.index(min(losses))
    return min(best + 1 + patience, len(losses))


smooth, bumpy = [0.9, 0.7, 0.5, 0.6, 0.7, 0.8], [1.0, 0.8, 0.9, 0.95, 0.5, 0.6]
print(
    "smooth:",
    marked_stop(smooth, patience=2),
    "  bumpy:",
    marked_stop(bumpy, patience=2),
)


# %% [markdown]
# On the bumpy one it is wrong, and it can never show what patience decides: whether a training survives a bump. Write
# it anew: `stop_epoch(losses, patience)` returns the epoch, counted from 1, after which training ends; the number of
# losses if nothing stops it. The check asks it about tricky curves and many others.
# %% tags=["exercise"]
# Exercise 08.1
def stop_epoch(losses, patience): ...


# solution
def stop_epoch(losses, patience):
    best, wait = float("inf"), 0
    for epoch, loss in enumerate(losses, start=1):
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
            if wait >= patience:
                return epoch
    return len(losses)


# %%
checks.check("08.1", stop_epoch)
# %% [markdown]
# ## Key takeaways
#
# - Defaults keep the last: say `save_best_only=True` and `restore_best_weights=True`.
# - `patience` counts epochs in a row without improvement; 0 and 1 are the same, and both are mostly too few.
# - A training loss cannot say when to stop. Early stopping needs data that the model does not train on.
# %% [markdown]
# ## Where next
#
# Many more troubles stand in [the index](#Index). The whole course is on the map in
# [Start here](00_start_here.ipynb).
