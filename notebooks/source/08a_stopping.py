# %% [markdown]
# # Find your trouble: stopping
#
# **You will** see one of 12 troubles with stopping happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The numbers are those of the index in [the pitfall lab](08_pitfall_lab.ipynb), hence the gaps.
#
# **Minutes:** 4
# for one trouble
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("08a")
import keras
import numpy as np
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

from helpers.callbacks import SaveRecorder


# %% [markdown]
# ## Tools
#
# `play` runs a real `fit` of a tiny model. The callback `Script` stands first and writes the values of our choice into
# `logs`; the callbacks behind it believe them. So each trouble shows in a second.
#
# `Album` keeps the weights of each epoch, to tell afterwards whose weights a model holds. `SaveRecorder`, from this
# course, notes when a file was really written. You can use all this without reading it.
# %%
class Script(Callback):
    def __init__(self, curves):
        super().__init__()
        self.curves = curves

    def on_epoch_end(self, epoch, logs=None):
        logs.update(
            {name: v[epoch] for name, v in self.curves.items() if v[epoch] is not None}
        )


class Album(Callback):
    def on_train_begin(self, logs=None):
        self.pages = []

    def on_epoch_end(self, epoch, logs=None):
        self.pages.append(self.model.get_weights()[1].tolist())

    def epoch_of(self, model):
        return self.pages.index(model.get_weights()[1].tolist()) + 1


# %%
folder = lesson.new_folder("08a")
digits = data.load_digits(train_rows=64)
toy = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(10, activation="softmax")]
)
toy.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
# %%
import textwrap
import warnings
from collections import Counter
from types import SimpleNamespace


def play(*callbacks, epochs=None, more=(), **curves):
    toy.optimizer.learning_rate = 0.01
    album = Album()
    epochs = epochs or max(map(len, curves.values()))
    todo = {"epochs": epochs, "verbose": 0, "shuffle": False, **dict(more)}
    todo["callbacks"] = [Script(curves), *callbacks, album]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        history = toy.fit(digits.train, **todo)
    for text, times in Counter(str(one.message) for one in said).items():
        print(textwrap.fill(f"{times} x UserWarning: {text}", 80))
    counted = {"epochs": len(history.epoch), "holds": album.epoch_of(toy)}
    return SimpleNamespace(**counted, epoch_of=album.epoch_of, history=history)


# %% [markdown]
# A first try: the loss is best in the second epoch, and the patience is 2. `epochs` is how many ran, `holds` the epoch
# whose weights the model has now (counted from 1): the last, since `restore_best_weights` is off.
# %%
run = play(EarlyStopping(patience=2), val_loss=[1.0, 0.5, 0.6, 0.7, 0.8])
print("epochs:", run.epochs, "  holds:", run.holds)
# %% [markdown]
# ## 2. It asks for a mode, but the monitor name is wrong
#
# **You see:** after the first epoch, an error about maximizing and minimizing. Or, once a mode is given, a warning and
# no stop.
#
# **People ask:** [tensorflow#38648](https://github.com/tensorflow/tensorflow/issues/38648),
# [Stack Overflow 49035200](https://stackoverflow.com/questions/49035200),
# [DeepVirFinder#12](https://github.com/jessieren/DeepVirFinder/issues/12).
# %%
falling = [0.5, 0.4, 0.4, 0.4]
with checks.expect_error(ValueError):
    play(EarlyStopping("val_acc", patience=1), val_accuracy=falling)
# %% [markdown]
# Now do what the message says, in a stopper and in a saver.
# %% tags=["predict"]
widgets.predict("08a.p2")
# %%
stopper = EarlyStopping("val_acc", mode="max", patience=1)
saver = ModelCheckpoint(folder / "2.keras", "val_acc", mode="max", save_best_only=True)
saves = SaveRecorder(saver)
run = play(stopper, saver, saves, val_accuracy=falling)
print(
    "epochs:",
    run.epochs,
    "  saved after epochs:",
    [epoch + 1 for epoch in saves.epochs],
)
widgets.reveal("08a.p2")
# %% [markdown]
# **The fix:** read the names, then use one of them.
# %%
print("names:", *run.history.history)
run = play(EarlyStopping("val_accuracy", patience=1), val_accuracy=falling)
print("epochs:", run.epochs)
# %% tags=["solution"]
assert run.epochs == 2
# %%
# Take home 2: read the names that are logged, and monitor one of them
import keras
import numpy as np
from keras.callbacks import EarlyStopping

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
history = model.fit(x, y, validation_split=0.2, verbose=0)
print("names:", *history.history)
stopper = EarlyStopping("val_mae", patience=2)
model.fit(x, y, validation_split=0.2, epochs=5, callbacks=[stopper], verbose=0)
print("best:", stopper.best)
# %% [markdown]
# ## 10. My own metric, and it cannot tell up from down
#
# **You see:** the error of trouble 2, but the name is right.
#
# **People ask:** [keras#18798](https://github.com/keras-team/keras/issues/18798),
# [tensorflow#59036](https://github.com/tensorflow/tensorflow/issues/59036),
# [keras#17593](https://github.com/keras-team/keras/issues/17593),
# [Stack Overflow 69744405](https://stackoverflow.com/questions/69744405).
# %% tags=["predict"]
widgets.predict("08a.p10")


# %%
def certainty(true, predicted):
    return keras.ops.mean(keras.ops.abs(predicted - 0.5))


own = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(1, activation="sigmoid")]
)
metrics = [
    certainty,
    keras.metrics.FalseNegatives(name="missed"),
    keras.metrics.AUC(name="auc"),
]
own.compile("sgd", loss="binary_crossentropy", metrics=metrics)
# %%
x, y = digits.x_train, digits.y_train == 1
todo = {"validation_split": 0.2, "epochs": 3, "verbose": 0}
for name in ["val_certainty", "val_missed"]:
    with checks.expect_error(ValueError):
        own.fit(x, y, callbacks=[EarlyStopping(name)], **todo)
own.fit(x, y, callbacks=[EarlyStopping("val_auc")], **todo)
print("val_auc: no error")
widgets.reveal("08a.p10")
# %% [markdown]
# **The fix:** say it. `mode="max"` when more is better, `mode="min"` when less is.
# %%
stopper = EarlyStopping("val_certainty", mode="max", patience=9)
history = own.fit(x, y, callbacks=[stopper], **todo).history
print(
    "values:",
    *(f"{value:.4f}" for value in history["val_certainty"]),
    "  best:",
    f"{stopper.best:.4f}",
)
# %% tags=["solution"]
assert stopper.best == max(history["val_certainty"])
# %%
# Take home 10: say which way is better for a metric of your own
import keras
import numpy as np
from keras.callbacks import EarlyStopping


def closeness(true, predicted):
    return 1 - keras.ops.mean(keras.ops.abs(true - predicted))


rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=[closeness])
stopper = EarlyStopping("val_closeness", mode="max", patience=3)
todo = {"validation_split": 0.2, "epochs": 5, "verbose": 0}
history = model.fit(x, y, callbacks=[stopper], **todo).history
print("best:", stopper.best, "  highest:", max(history["val_closeness"]))
# %% [markdown]
# ## 11. The epochs ran out before it stopped
#
# **You see:** nothing was stopped early, and pages say that `restore_best_weights` does nothing then.
#
# **People ask:** [keras#12511](https://github.com/keras-team/keras/issues/12511),
# [tensorflow#35634](https://github.com/tensorflow/tensorflow/issues/35634).
# %% tags=["predict"]
widgets.predict("08a.p11")
# %%
stopper = EarlyStopping(patience=10, restore_best_weights=True)
run = play(stopper, val_loss=[1.0, 0.5, 0.6, 0.7])
print(
    "epochs:",
    run.epochs,
    "  stopped_epoch:",
    stopper.stopped_epoch,
    "  holds:",
    run.holds,
)
widgets.reveal("08a.p11")
# %% [markdown]
# **The fix:** none is needed with this Keras. If your code must also run on an old one, load the best file of a
# `ModelCheckpoint`. Both give the same model:
# %%
saver = ModelCheckpoint(folder / "11.keras", save_best_only=True)
run = play(
    EarlyStopping(patience=10, restore_best_weights=True),
    saver,
    val_loss=[1.0, 0.5, 0.6, 0.7],
)
loaded = keras.models.load_model(folder / "11.keras")
print("in memory: epoch", run.holds, "  in the file: epoch", run.epoch_of(loaded))
# %% tags=["solution"]
assert run.holds == run.epoch_of(loaded) == 2


# %% [markdown]
# After an error, or the stop button, nothing comes back. Then it is up to you:
# %%
def stop_button(epoch, logs):
    if epoch + 1 == 3:
        raise KeyboardInterrupt("the stop button")


with checks.expect_error(KeyboardInterrupt):
    play(
        stopper, LambdaCallback(on_epoch_end=stop_button), val_loss=[1.0, 0.5, 0.6, 0.7]
    )
came_back = (toy.get_weights()[1] == stopper.best_weights[1]).all()
print("best epoch:", stopper.best_epoch + 1, "  its weights came back:", came_back)
toy.set_weights(stopper.best_weights)
# %% tags=["solution"]
assert (stopper.best_epoch + 1, came_back) == (2, False)
# %%
# Take home 11: the best weights, also when the epochs run out, in any Keras
import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
stopper = EarlyStopping(patience=10, restore_best_weights=True)
saver = ModelCheckpoint("runs/11/best.keras", save_best_only=True)
todo = {"validation_data": (x[30:], y[30:]), "epochs": 5, "verbose": 0}
model.fit(x[:30], y[:30], callbacks=[stopper, saver], **todo)
loaded = keras.models.load_model("runs/11/best.keras")
for name, one in {"in memory": model, "in the file": loaded}.items():
    print(name, one.evaluate(x[30:], y[30:], verbose=0), "  best:", stopper.best)
# %% [markdown]
# ## 15. The best it kept is not the lowest value
#
# **You see:** `best`, and the restored weights, belong to an epoch that is not the lowest of the curve.
#
# **People ask:** [tensorflow#36241](https://github.com/tensorflow/tensorflow/issues/36241),
# [tensorflow#41417](https://github.com/tensorflow/tensorflow/issues/41417),
# [keras#4360](https://github.com/keras-team/keras/issues/4360).
# %% tags=["predict"]
widgets.predict("08a.p15")
# %%
curve = [1.0, 0.94, 0.88, 0.85]
stopper = EarlyStopping(min_delta=0.1, patience=9, restore_best_weights=True)
run = play(stopper, val_loss=curve)
print("best:", stopper.best, "  holds:", run.holds)
widgets.reveal("08a.p15")
# %% [markdown]
# **The fix:** leave `min_delta` at 0 where the weights matter, or take them from a file: `ModelCheckpoint` has no
# `min_delta`.
# %%
saver = ModelCheckpoint(folder / "15.keras", save_best_only=True)
run = play(EarlyStopping(min_delta=0.1, patience=9), saver, val_loss=curve)
loaded = keras.models.load_model(folder / "15.keras")
exact = play(EarlyStopping(patience=9, restore_best_weights=True), val_loss=curve)
print("the file: epoch", run.epoch_of(loaded), "  min_delta=0: epoch", exact.holds)
# %% tags=["solution"]
assert run.epoch_of(loaded) == exact.holds == 4
# %%
# Take home 15: min_delta for the stop, and the file for the lowest value
import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
stopper = EarlyStopping(min_delta=0.1, patience=9)
saver = ModelCheckpoint("runs/15/best.keras", save_best_only=True)
todo = {"validation_data": (x[30:], y[30:]), "epochs": 5, "verbose": 0}
history = model.fit(x[:30], y[:30], callbacks=[stopper, saver], **todo).history
loaded = keras.models.load_model("runs/15/best.keras")
print("lowest:", min(history["val_loss"]), "  stopper.best:", stopper.best)
print("in the file:", loaded.evaluate(x[30:], y[30:], verbose=0))
# %% [markdown]
# ## 16. With a baseline it stops before patience is used up
#
# **You see:** `baseline` was meant as a goal, and training ends sooner than `patience` allows.
#
# **People ask:** [keras#13860](https://github.com/keras-team/keras/issues/13860),
# [tensorflow#45187](https://github.com/tensorflow/tensorflow/issues/45187) (on what is restored then),
# [keras#23559](https://github.com/keras-team/keras/issues/23559).
# %% tags=["predict"]
widgets.predict("08a.p16")
# %%
for curve in [[1.0, 0.9, 0.8, 0.9, 0.7], [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]]:
    for baseline in [None, 0.1]:
        run = play(EarlyStopping(patience=3, baseline=baseline), val_loss=curve)
        print(f"baseline={baseline}: epochs {run.epochs} of {len(curve)}")
widgets.reveal("08a.p16")


# %% [markdown]
# **The fix:** say what you mean. Here: give up if the goal is not reached in time.
# %%
class GiveUp(Callback):
    def __init__(self, goal, after):
        super().__init__()
        self.goal, self.after = goal, after

    def on_train_begin(self, logs=None):
        self.best = float("inf")

    def on_epoch_end(self, epoch, logs=None):
        self.best = min(self.best, logs["val_loss"])
        if epoch + 1 >= self.after and self.best > self.goal:
            self.model.stop_training = True


# %%
improving = play(GiveUp(goal=0.1, after=4), val_loss=[1.0, 0.9, 0.8, 0.7, 0.6, 0.5])
in_time = play(GiveUp(goal=0.85, after=4), val_loss=[1.0, 0.9, 0.8, 0.9, 0.7])
print("goal missed: stopped after", improving.epochs)
print("goal reached in time: all", in_time.epochs)
# %% tags=["solution"]
assert (improving.epochs, in_time.epochs) == (4, 5)
# %%
# Take home 16: give up if a goal is not reached in time
import keras
import numpy as np


class GiveUp(keras.callbacks.Callback):
    def __init__(self, goal, after):
        super().__init__()
        self.goal, self.after = goal, after

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == self.after and logs["loss"] > self.goal:
            self.model.stop_training = True


x, y = np.ones((40, 4)), np.full((40, 1), 5.0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1e-6), "mse")
history = model.fit(x, y, epochs=9, callbacks=[GiveUp(1.0, after=3)], verbose=0)
print("epochs:", len(history.epoch))
# %% [markdown]
# ## 18. The restored model does not have the loss that was printed
#
# **You see:** `monitor="loss"`, best weights restored, and `evaluate` on the training data gives another number, as if
# it were one epoch off.
#
# **People ask:** [keras#20323](https://github.com/keras-team/keras/issues/20323).
# %% tags=["predict"]
widgets.predict("08a.p18")
# %% [markdown]
# One batch an epoch makes it plain:
# %%
x, y = digits.x_train, digits.y_train
toy.optimizer.learning_rate = 0.01
measured = []
note = LambdaCallback(
    on_epoch_end=lambda epoch, logs: measured.append(toy.evaluate(x, y, verbose=0)[0])
)
stopper = EarlyStopping("loss", patience=9, restore_best_weights=True)
todo = {"batch_size": len(x), "epochs": 4, "verbose": 0}
printed = toy.fit(x, y, callbacks=[note, stopper], **todo).history["loss"]
restored = toy.evaluate(x, y, verbose=0)[0]
# %%
print(
    "printed: ",
    *(f"{value:.5f}" for value in printed),
    f"  best:     {stopper.best:.5f}",
)
print(
    "measured:", *(f"{value:.5f}" for value in measured), f"  restored: {restored:.5f}"
)
widgets.reveal("08a.p18")
# %% tags=["solution"]
assert all(
    abs(one - other) < 1e-5
    for one, other in zip(printed[1:], measured[:-1], strict=True)
)
assert restored < stopper.best - 1e-4
# %% [markdown]
# **The fix:** monitor a validation value. It is measured after the epoch, with the weights that are kept. Here a rate
# far too high spoils epoch 3:
# %%
rates = keras.callbacks.LearningRateScheduler(
    lambda epoch, rate: [0.01, 0.01, 10.0, 10.0][epoch]
)
stopper = EarlyStopping(patience=1, restore_best_weights=True)
todo = {"validation_data": digits.validation, "epochs": 4, "verbose": 0}
values = toy.fit(digits.train, callbacks=[rates, stopper], **todo).history["val_loss"]
now = toy.evaluate(digits.validation, verbose=0)[0]
print(
    "val_loss:",
    *(f"{value:.5f}" for value in values),
    f"  the restored model: {now:.5f}",
)
# %% tags=["solution"]
assert abs(now - stopper.best) < 1e-6 < values[-1] - now
# %%
# Take home 18: monitor a validation value, and the restored model has it
import keras
import numpy as np
from keras.callbacks import EarlyStopping

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
stopper = EarlyStopping("val_loss", patience=3, restore_best_weights=True)
todo = {"validation_data": (x[30:], y[30:]), "epochs": 5, "verbose": 0}
model.fit(x[:30], y[:30], callbacks=[stopper], **todo)
print("best:", stopper.best)
print("the model:", model.evaluate(x[30:], y[30:], verbose=0))
# %% [markdown]
# ## 19. The two callbacks keep two different models
#
# **You see:** the stopped model and the file do not agree. Or you use what `fit` returned, and it is no model.
#
# **People ask:** [keras#2768](https://github.com/keras-team/keras/issues/2768),
# [deep_qa#199](https://github.com/allenai/deep_qa/issues/199).
# %% tags=["predict"]
widgets.predict("08a.p19")
# %%
curves = {"val_loss": [0.5, 0.3, 0.4, 0.6], "val_accuracy": [0.6, 0.7, 0.8, 0.7]}
stopper = EarlyStopping("val_accuracy", patience=9, restore_best_weights=True)
run = play(stopper, ModelCheckpoint(folder / "19.keras", save_best_only=True), **curves)
loaded = keras.models.load_model(folder / "19.keras")
print("in memory: epoch", run.holds, "  in the file: epoch", run.epoch_of(loaded))
with checks.expect_error(AttributeError):
    run.history.predict(digits.x_test)
widgets.reveal("08a.p19")
# %% [markdown]
# **The fix:** write the name once, use it twice. The model is the one you called `fit` on.
# %%
watch = {"monitor": "val_accuracy", "mode": "max"}
stopper = EarlyStopping(patience=9, restore_best_weights=True, **watch)
run = play(
    stopper,
    ModelCheckpoint(folder / "19b.keras", save_best_only=True, **watch),
    **curves,
)
loaded = keras.models.load_model(folder / "19b.keras")
print("in memory: epoch", run.holds, "  in the file: epoch", run.epoch_of(loaded))
# %% tags=["solution"]
assert run.holds == run.epoch_of(loaded) == 3
# %%
# Take home 19: both callbacks watch the same, and keep the same model
import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
watch = {"monitor": "val_mae", "mode": "min"}
stopper = EarlyStopping(patience=3, restore_best_weights=True, **watch)
saver = ModelCheckpoint("runs/19/best.keras", save_best_only=True, **watch)
todo = {"validation_split": 0.2, "epochs": 5, "verbose": 0}
model.fit(x, y, callbacks=[stopper, saver], **todo)  # `model` is what you use then
loaded = keras.models.load_model("runs/19/best.keras")
print(
    "the same weights:", np.array_equal(model.get_weights()[0], loaded.get_weights()[0])
)
# %% [markdown]
# ## 28. The first loss is NaN, and nothing is ever better
#
# **You see:** the first loss is NaN, then all is well, the loss falls. Training stops all the same, and the NaN epoch
# is restored.
#
# **People ask:** [early-stopping-pytorch#28](https://github.com/Bjarten/early-stopping-pytorch/issues/28), about a
# related trap.
# %% tags=["predict"]
widgets.predict("08a.p28")
# %%
curve = [float("nan"), 1.0, 0.5, 0.2]
stopper = EarlyStopping(patience=2, restore_best_weights=True)
saver = ModelCheckpoint(folder / "28.keras", save_best_only=True)
saves = SaveRecorder(saver)
run = play(stopper, saver, saves, val_loss=curve)
print("epochs:", run.epochs, "  best:", stopper.best, "  holds:", run.holds)
print("saved after epochs:", [epoch + 1 for epoch in saves.epochs])
# %%
later = play(
    EarlyStopping(patience=2, restore_best_weights=True),
    val_loss=[1.0, float("nan"), 0.5, 0.2],
)
print("NaN second: epochs:", later.epochs, "  holds:", later.holds)
widgets.reveal("08a.p28")
# %% [markdown]
# **The fix:** do not look at the first epoch. The saver, which cannot skip epochs, gets a first best to beat.
# %%
stopper = EarlyStopping(patience=2, restore_best_weights=True, start_from_epoch=1)
saver = ModelCheckpoint(
    folder / "28b.keras", save_best_only=True, initial_value_threshold=1e9
)
saves = SaveRecorder(saver)
run = play(stopper, saver, saves, val_loss=curve)
print("epochs:", run.epochs, "  best:", stopper.best, "  holds:", run.holds)
print("saved after epochs:", [epoch + 1 for epoch in saves.epochs])
# %% tags=["solution"]
assert (run.epochs, run.holds, saves.epochs) == (4, 4, [1, 2, 3])
# %% [markdown]
# If the **training** loss is NaN, the weights are lost as well: add `keras.callbacks.TerminateOnNaN()`.
# %%
# Take home 28: skip the first epoch, and give the saver a best to beat
import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
stopper = EarlyStopping(patience=3, restore_best_weights=True, start_from_epoch=1)
saver = ModelCheckpoint(
    "runs/28/best.keras", save_best_only=True, initial_value_threshold=1e9
)
todo = {"validation_split": 0.2, "epochs": 5, "verbose": 0}
history = model.fit(x, y, callbacks=[stopper, saver], **todo).history
print("best without the first epoch:", stopper.best, "  file:", saver.best)
# %% [markdown]
# ## 34. Two losses differ, and Keras calls them equal
#
# **You see:** the value is a little lower than the best, and it counts as no improvement. No thread is known; it was
# found while this course was made.
# %% tags=["predict"]
widgets.predict("08a.p34")
# %%
for fall in [1e-10, 1e-8, 1e-6]:
    run = play(
        EarlyStopping(patience=9, restore_best_weights=True), val_loss=[0.2, 0.2 - fall]
    )
    print(f"a fall of {fall}: holds", run.holds)
# %% [markdown]
# And an edge that is easier to meet: the fall equals `min_delta`.
# %%
stopper = EarlyStopping(min_delta=0.1, patience=9, restore_best_weights=True)
run = play(stopper, val_loss=[0.8, 0.7])
print("best:", stopper.best, "  holds:", run.holds)
print("0.7 + 0.1 < 0.8 in Python:", 0.7 + 0.1 < 0.8)
widgets.reveal("08a.p34")
# %% [markdown]
# **The fix:** never build on such edges. Ask for a little less than you mean. And compare in `np.float32` when you
# check a callback by hand.
# %%
import numpy as np

stopper = EarlyStopping(min_delta=0.0999, patience=9, restore_best_weights=True)
run = play(stopper, val_loss=[0.8, 0.7])
print("best:", stopper.best, "  holds:", run.holds)
print("0.7 + 0.1 < 0.8 in float32:", np.float32(0.7 + 0.1) < np.float32(0.8))
# %% tags=["solution"]
assert run.holds == 2
assert not np.float32(0.7 + 0.1) < np.float32(0.8)
# %%
# Take home 34: ask for a little less than you mean, and compare as Keras does
import numpy as np
from keras.callbacks import EarlyStopping

best, loss, wanted = 0.8, 0.7, 0.1
for min_delta in (wanted, 0.999 * wanted):
    better = np.float32(loss + min_delta) < np.float32(best)
    print(f"min_delta={min_delta:.4f}: an improvement:", bool(better))
stopper = EarlyStopping(min_delta=0.999 * wanted, patience=9)
# %% [markdown]
# ## 43. With averaged weights the model differs from what was printed
#
# **You see:** the optimizer has `use_ema=True`, and after `fit` the model has another `val_loss` than the last line said.
#
# **People ask:** [keras#18978](https://github.com/keras-team/keras/issues/18978),
# [keras#18949](https://github.com/keras-team/keras/issues/18949).
# %% tags=["predict"]
widgets.predict("08a.p43")


# %% [markdown]
# Eight epochs on the digits, always with the same first weights:
# %%
def averaging(*callbacks):
    keras.utils.set_random_seed(8)
    dense = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), dense])
    sgd = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    model.compile(sgd, loss="sparse_categorical_crossentropy")
    todo = {"validation_data": digits.validation, "epochs": 8, "verbose": 0}
    history = model.fit(digits.train, callbacks=list(callbacks), **todo).history
    loaded = keras.models.load_model(folder / "43.keras")
    held = [one.evaluate(digits.validation, verbose=0) for one in (model, loaded)]
    found = [round(value, 4) for value in (history["val_loss"][-1], *held)]
    print("printed {}, in the model {}, in the file {}".format(*found))
    return found


# %%
found = averaging(ModelCheckpoint(folder / "43.keras"))
widgets.reveal("08a.p43")
# %% tags=["solution"]
assert found[0] == found[2] != found[1]
# %% [markdown]
# **The fix:** `SwapEMAWeights(swap_on_epoch=True)` puts the average into the model while an epoch is validated and
# saved. It stands first in the list: what stands before it still sees the other weights.
# <!-- claim: averages.test_swap_ema_weights_agrees_only_first_and_with_swap_on_epoch -->
# %%
from keras.callbacks import SwapEMAWeights

saver = ModelCheckpoint(folder / "43.keras")
swap = SwapEMAWeights(swap_on_epoch=True)
first = averaging(swap, saver)
last = averaging(saver, SwapEMAWeights(swap_on_epoch=True))
# %% tags=["solution"]
assert len(set(first)) == 1
assert last[0] == last[1] != last[2]
# %% [markdown]
# `EarlyStopping` with restored weights behind it keeps the best average. Alone it puts the plain weights back, and the
# average is lost.
# %%
# Take home 43: average the weights, and validate, save and hold the same ones
import keras
import numpy as np
from keras.callbacks import ModelCheckpoint, SwapEMAWeights

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1, use_ema=True), "mse")
saver = ModelCheckpoint("runs/43/last.keras")
callbacks = [SwapEMAWeights(swap_on_epoch=True), saver]  # in this order
todo = {"validation_data": (x[30:], y[30:]), "epochs": 3, "verbose": 0}
history = model.fit(x[:30], y[:30], callbacks=callbacks, **todo)
model = keras.models.load_model("runs/43/last.keras")
print("printed:", history.history["val_loss"][-1])
print("in the file:", model.evaluate(x[30:], y[30:], verbose=0))
# %% [markdown]
# ## 48. A NaN ends training, and nothing good is left
#
# **You see:** `TerminateOnNaN` stopped the training in time, and still you have to begin anew. Or the `val_loss` is NaN,
# and nothing stops.
#
# **People ask:** [keras#21771](https://github.com/keras-team/keras/issues/21771).
# %% tags=["predict"]
widgets.predict("08a.p48")


# %% [markdown]
# Before the third epoch the weights become NaN, as with a rate far too high:
# %%
def spoilt(name, *callbacks):
    model = keras.models.clone_model(toy)
    model.compile("sgd", loss="sparse_categorical_crossentropy")

    def spoil(epoch, logs):
        if epoch + 1 == 3:
            model.set_weights([float("nan") * one for one in model.get_weights()])

    backup = keras.callbacks.BackupAndRestore(folder / name)
    everything = [LambdaCallback(on_epoch_begin=spoil), *callbacks, backup]
    try:
        model.fit(digits.train, epochs=5, callbacks=everything, verbose=0)
    except RuntimeError as error:
        print("RuntimeError:", error)


# %%
def left(name):
    weights = keras.models.load_model(folder / f"{name}.keras").get_weights()
    found = (folder / name).exists(), bool(np.isfinite(weights[0]).all())
    print("a backup:", found[0], "  numbers in the file:", found[1])
    return found


# %%
import numpy as np
from keras.callbacks import TerminateOnNaN

spoilt("48", TerminateOnNaN(), ModelCheckpoint(folder / "48.keras"))
found = left("48")
widgets.reveal("08a.p48")
# %% tags=["solution"]
assert found == (False, False)
# %% [markdown]
# **The fix:** `TerminateOnNaN(raise_error=True)`, since Keras 3.15, in front of whatever saves: an error leaves `fit` at
# once, so nobody saves or clears up. <!-- claim: averages.test_terminate_on_nan_with_raise_error_leaves_the_backup -->
# %%
stop = TerminateOnNaN(raise_error=True)
spoilt("48-fixed", stop, ModelCheckpoint(folder / "48-fixed.keras"))
found = left("48-fixed")
# %% tags=["solution"]
assert found == (True, True)


# %% [markdown]
# It looks at the training loss after each batch. A NaN in `val_loss` alone it never sees; here one validation row has
# one. Four lines of your own do:
# %%
class FiniteOnly(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite(logs["val_loss"]):
            raise RuntimeError(
                f"val_loss is {logs['val_loss']} after epoch {epoch + 1}"
            )


x, y = digits.x_validation[:20].copy(), digits.y_validation[:20]
x[0] = float("nan")
todo = {"validation_data": (x, y), "epochs": 3, "verbose": 0}
values = toy.fit(digits.train, callbacks=[TerminateOnNaN()], **todo).history["val_loss"]
print("val_loss:", values)
with checks.expect_error(RuntimeError, match="after epoch 1"):
    toy.fit(digits.train, callbacks=[FiniteOnly()], **todo)
# %% tags=["solution"]
assert np.isnan(values).tolist() == [True] * 3
# %%
# Take home 48: end at once on a NaN, and keep the last good file and backup
import keras
import numpy as np
from keras.callbacks import BackupAndRestore, ModelCheckpoint, TerminateOnNaN

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(1e6), "mse")  # a rate far too high
stop = TerminateOnNaN(raise_error=True)
saver = ModelCheckpoint("runs/48/best.keras", "loss", save_best_only=True)
callbacks = [stop, saver, BackupAndRestore("runs/48/backup")]
try:
    model.fit(x, y, epochs=50, callbacks=callbacks, verbose=0)
except RuntimeError as error:
    print(error)
weights = keras.models.load_model("runs/48/best.keras").get_weights()
print("the file holds numbers:", np.isfinite(weights[0]).all())
# %% [markdown]
# ## 51. fit in a loop of mine never stops early
#
# **You see:** a loop calls `fit(epochs=1, callbacks=[stopper])` for each epoch, to do something in between. It runs to
# its end, and each history has one epoch.
#
# **People ask:** [keras#616](https://github.com/keras-team/keras/issues/616),
# [keras#6697](https://github.com/keras-team/keras/issues/6697).
# %% tags=["predict"]
widgets.predict("08a.p51")
# %%
rising = [1.0, 2.0, 3.0, 4.0]
stopper = EarlyStopping(patience=1)
for loss in rising:
    run = play(stopper, val_loss=[loss])
    print("epochs in the history:", run.history.epoch, "  wait:", stopper.wait)
print("best at the end:", stopper.best)
widgets.reveal("08a.p51")
# %% tags=["solution"]
assert stopper.best == 4.0
# %% [markdown]
# **The fix:** one `fit` with all epochs. What the loop did in between becomes a callback.
# %%
between = LambdaCallback(
    on_epoch_end=lambda epoch, logs: print("after epoch", epoch + 1, logs["val_loss"])
)
run = play(EarlyStopping(patience=1), between, val_loss=rising)
print("epochs:", run.epochs)
# %% tags=["solution"]
assert run.epochs == 2
# %%
# Take home 51: one fit with all epochs; what the loop did is a callback
import keras
import numpy as np
from keras.callbacks import EarlyStopping, LambdaCallback

x, y = np.ones((40, 4)), np.zeros((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.0), "mse")  # learns nothing, so it stops


def between(epoch, logs):
    print("after epoch", epoch + 1, logs["val_loss"])  # your own work here


callbacks = [EarlyStopping(patience=2), LambdaCallback(on_epoch_end=between)]
todo = {"validation_split": 0.2, "epochs": 20, "verbose": 0}
history = model.fit(x, y, callbacks=callbacks, **todo)
print("epochs:", len(history.epoch))
# %% [markdown]
# ## Key takeaways
#
# - Most troubles with stopping are about what is compared: the name, whether the value is there, how much counts as
#   better, and what the first value was.
# - A warning in the log is often the only sign. Read the log of the first epochs.
# - An error message may name the wrong thing. Reproduce it small, then judge.
# - To understand a stop, play the curve: a real `fit`, values of your choice, one second.
# %% [markdown]
# ## Where next
#
# Back to [the index](08_pitfall_lab.ipynb#Index), on to [troubles with saving](08b_saving.ipynb), or to those with
# [loading and resuming](08g_loading.ipynb).
