# %% [markdown]
# # Find your trouble: callbacks, your own and from old code
#
# **You will** see one of 14 troubles with callbacks happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The index of all is in [the pitfall lab](08_pitfall_lab.ipynb). The minutes are for one trouble.
#
# **Minutes:** 4
# %% tags=["setup"]
from helpers import checks, data, lesson, live, widgets

lesson.begin("08c")
import keras
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

# %% [markdown]
# ## Tools
#
# `build` makes a small model, always with the same first weights. `play` fits it for real, in epochs of two batches,
# but one value in `logs` is ours: `Script` stands first in the list and writes it.
# %%
digits = data.load_digits(train_rows=60, batch_size=30)
folder = lesson.new_folder("08c")


class Script(Callback):
    def __init__(self, values, name="val_loss"):
        super().__init__()
        self.values, self.name = values, name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


# %%
def build():
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, activation="softmax")]
    )
    # Eager is slow for real work and quick to start: right for fits of a few steps.
    model.compile("sgd", loss="sparse_categorical_crossentropy", run_eagerly=True)
    return model


# %%
def play(values, *callbacks):
    callbacks = [Script(values), *callbacks]
    return build().fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)


# %% [markdown] tags=["instructor"]
# Not for reading in order. In a class, hand out the error messages of 22 to 26 on paper, as found in old code, and
# let pairs mend a callback from a page of 2019. Numbers 23 and 31 are the ones without any message: keep them for the
# end.
# %% [markdown]
# ## 17. A callback used twice remembers the first training
#
# **You see:** a loop over settings or folds makes its callbacks once, above the loop. From the second training on,
# files are missing, or training ends too soon.
#
# **People ask:** [keras#20521](https://github.com/keras-team/keras/issues/20521) and
# [keras#20256](https://github.com/keras-team/keras/issues/20256); mended in
# [keras#20533](https://github.com/keras-team/keras/issues/20533) and, when it had come back, in
# [keras#22967](https://github.com/keras-team/keras/issues/22967).
# %% tags=["predict"]
widgets.predict("08c.p17")
# %% [markdown]
# `SaveRecorder` looks at the disk after each epoch and notes when a file was written.
# %%
from helpers.callbacks import SaveRecorder

stopper = EarlyStopping(patience=2)
saver = ModelCheckpoint(folder / "17.keras", save_best_only=True)
saves = SaveRecorder(saver)
for values in ([0.2, 0.1], [5.0, 4.0, 3.0, 2.0]):
    history = play(values, stopper, saver, saves)
    print(
        "ran",
        len(history.epoch),
        "of",
        len(values),
        "epochs, saved",
        len(saves.epochs),
        "times",
    )
    print(
        "    best of EarlyStopping:", stopper.best, " of ModelCheckpoint:", saver.best
    )
widgets.reveal("08c.p17")
# %% tags=["solution"]
assert (len(history.epoch), len(saves.epochs)) == (4, 0)


# %% [markdown]
# The second training leaves no file of its own: in `17.keras` is the model of the first.
#
# **The fix:** a function that makes new callbacks for each training, with a file name for each.
# %%
def new_callbacks(run):
    saver = ModelCheckpoint(folder / f"17-run-{run}.keras", save_best_only=True)
    return [EarlyStopping(patience=2), saver, SaveRecorder(saver)]


for run, values in enumerate([[0.2, 0.1], [5.0, 4.0, 3.0, 2.0]], start=1):
    callbacks = new_callbacks(run)
    history = play(values, *callbacks)
    print(
        "run", run, "epochs:", len(history.epoch), " saved:", len(callbacks[-1].epochs)
    )
# %%
# Take home 17: new callbacks for each training, made by a function
import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint


def new_callbacks(fold):
    saver = ModelCheckpoint(f"runs/17/{fold}.keras", "loss", save_best_only=True)
    return [EarlyStopping("loss", patience=2), saver]


rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
for fold in range(2):
    model = keras.models.clone_model(model)
    model.compile("sgd", "mse")
    callbacks = new_callbacks(fold)
    model.fit(x, y, epochs=3, callbacks=callbacks, verbose=0)
    print("fold", fold, "  best:", callbacks[1].best)


# %% [markdown]
# ## 22. self.validation_data is gone
#
# **You see:** a callback from an older page computes its own score on `self.validation_data`, and fails with an
# `AttributeError`.
#
# **People ask:** [tensorflow#32981](https://github.com/tensorflow/tensorflow/issues/32981),
# [tensorflow#27318](https://github.com/tensorflow/tensorflow/issues/27318),
# [tensorflow#41378](https://github.com/tensorflow/tensorflow/issues/41378) and
# [keras#10472](https://github.com/keras-team/keras/issues/10472).
#
# The old callback, and what it gets today:
# %%
class OldScore(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.model.evaluate(self.validation_data, verbose=0)


with checks.expect_error(AttributeError):
    build().fit(
        digits.train,
        validation_data=digits.validation,
        callbacks=[OldScore()],
        verbose=0,
    )


# %% [markdown]
# **Why:** callbacks no longer get the validation data, only what was measured on them: the `val_` values in `logs`.
#
# **The fix:** hand the data to the callback yourself. What will it measure?
# %% tags=["predict"]
widgets.predict("08c.p22")


# %% [markdown]
# Two epochs, the callback's own numbers beside those of `fit`; once with a data set, once with arrays:
# %%
class Score(Callback):
    def __init__(self, *data):
        super().__init__()
        self.data = data

    def on_epoch_end(self, epoch, logs=None):
        found = self.model.evaluate(*self.data, verbose=0, return_dict=True)
        logs["score"] = found["loss"]


arrays = digits.x_validation, digits.y_validation
for data_given in ([digits.validation], arrays):
    settings = {"validation_data": digits.validation, "verbose": 0}
    score = Score(*data_given)
    history = build().fit(digits.train, epochs=2, callbacks=[score], **settings).history
    print("score:   ", history["score"])
    print("val_loss:", history["val_loss"])
widgets.reveal("08c.p22")
# %% tags=["solution"]
assert abs(history["score"][-1] - history["val_loss"][-1]) < 1e-6
# %% [markdown]
# `Score(dataset)` or `Score(x, y)`: what it is given goes on to `evaluate`. (Without `return_dict=True` a model with
# metrics would give a list.) The callback evaluates a second time, so do this only for what no metric of `compile` can
# tell.
# %%
# Take home 22: hand the validation data to the callback, arrays or a data set
import keras
import numpy as np


class Score(keras.callbacks.Callback):
    def __init__(self, *data):
        super().__init__()
        self.data = data

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.model.evaluate(*self.data, verbose=0)


x, y = np.ones((40, 4)), np.zeros((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
score = Score(x[30:], y[30:])
history = model.fit(x[:30], y[:30], epochs=2, callbacks=[score], verbose=0)
print(history.history)
# %% [markdown]
# ## 23. optimizer.lr and K.set_value are gone
#
# **You see:** old code changes the learning rate with `K.set_value(model.optimizer.lr, 0.001)`, which fails. Somebody
# mends it to `model.optimizer.lr = 0.001`.
#
# **People ask:** [keras#19148](https://github.com/keras-team/keras/issues/19148) and
# [tensorflow/docs#2328](https://github.com/tensorflow/docs/issues/2328).
# %% tags=["predict"]
widgets.predict("08c.p23")
# %% [markdown]
# First the two errors, then the assignment. With a learning rate of 0 the weights would not move.
# %%
model = build()
with checks.expect_error(AttributeError):
    print(model.optimizer.lr)
with checks.expect_error(AttributeError):
    keras.backend.set_value(model.optimizer.learning_rate, 0.0)

before = model.get_weights()[0]
model.optimizer.lr = 0.0
model.fit(digits.train, verbose=0)
print(
    "lr:", model.optimizer.lr, "  learning_rate:", float(model.optimizer.learning_rate)
)
print("the weights moved:", bool((model.get_weights()[0] != before).any()))
widgets.reveal("08c.p23")
# %% tags=["solution"]
assert (model.get_weights()[0] != before).any()


# %% [markdown]
# **The fix:** the attribute is called `learning_rate`, and an assignment is enough. The next batch uses it. (Unless the
# optimizer was made with a schedule: then the rate cannot be set.)
# %%
class Halve(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["rate"] = float(self.model.optimizer.learning_rate)
        self.model.optimizer.learning_rate = logs["rate"] / 2


print("rates:", play([1.0] * 3, Halve()).history["rate"])

schedule = keras.optimizers.schedules.ExponentialDecay(
    0.1, decay_steps=10, decay_rate=0.9
)
with checks.expect_error(TypeError):
    keras.optimizers.SGD(schedule).learning_rate = 0.01
# %% [markdown]
# And with 0 the weights stand still:
# %%
model = build()
before = model.get_weights()[0]
model.optimizer.learning_rate = 0.0
model.fit(digits.train, verbose=0)
print(
    "with learning_rate = 0 the weights moved:",
    bool((model.get_weights()[0] != before).any()),
)
# %% tags=["solution"]
assert (model.get_weights()[0] == before).all()
# %%
# Take home 23: change the learning rate from a callback
import keras
import numpy as np


class Halve(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["rate"] = float(self.model.optimizer.learning_rate)
        self.model.optimizer.learning_rate = logs["rate"] / 2


rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
history = model.fit(x, y, epochs=3, callbacks=[Halve()], verbose=0)
print("rates:", history.history["rate"])
# %% [markdown]
# ## 24. self.model cannot be set
#
# **You see:** a callback that needs a second model, a teacher or an older copy, keeps it as `self.model`, and fails
# with an `AttributeError`.
#
# **People ask:** [wandb#7578](https://github.com/wandb/wandb/issues/7578),
# [prism-samplernn#34](https://github.com/rncm-prism/prism-samplernn/issues/34) and, about what the attribute means,
# in [keras#17376](https://github.com/keras-team/keras/issues/17376).
# %% tags=["predict"]
widgets.predict("08c.p24")


# %%
class OldTeacher(Callback):
    def __init__(self, model):
        super().__init__()
        self.model = model


with checks.expect_error(AttributeError):
    OldTeacher(build())
widgets.reveal("08c.p24")


# %% [markdown]
# **The fix:** another name. (Not `_model`: there `fit` puts its own.)
# %%
class Teacher(Callback):
    def __init__(self, teacher):
        super().__init__()
        self.teacher = teacher

    def on_epoch_end(self, epoch, logs=None):
        measured = self.teacher.evaluate(digits.validation, verbose=0, return_dict=True)
        logs["teacher_loss"] = measured["loss"]


teacher, student = build(), build()
callback = Teacher(teacher)
settings = {"validation_data": digits.validation, "callbacks": [callback], "verbose": 0}
history = student.fit(digits.train, epochs=2, **settings).history
print("student:", history["val_loss"])
print("teacher:", history["teacher_loss"])
# %% tags=["solution"]
assert callback.model is student
assert history["teacher_loss"][0] == history["teacher_loss"][1]
# %%
# Take home 24: a second model in a callback has a name of its own
import keras
import numpy as np


class Beside(keras.callbacks.Callback):
    def __init__(self, teacher):
        super().__init__()
        self.teacher = teacher

    def on_epoch_end(self, epoch, logs=None):
        gap = self.teacher.predict(x, verbose=0) - self.model.predict(x, verbose=0)
        logs["gap"] = float(np.mean(gap**2))


x, y = np.ones((40, 4)), np.zeros((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
beside = Beside(keras.models.clone_model(model))
print(model.fit(x, y, epochs=2, callbacks=[beside], verbose=0).history["gap"])
# %% [markdown]
# ## 26. Callbacks given as a set or as a class
#
# **You see:** `fit` fails before the first epoch, and the message speaks of `set_model`, which you never called.
#
# **People ask:**
# [deep-learning-with-python-notebooks#206](https://github.com/fchollet/deep-learning-with-python-notebooks/issues/206);
# a request for a better message is [keras#23263](https://github.com/keras-team/keras/issues/23263).
# %% tags=["predict"]
widgets.predict("08c.p26")
# %% [markdown]
# Braces instead of brackets, a class instead of an object, a name instead of either:
# %%
for wrong in ({EarlyStopping()}, [EarlyStopping], ["EarlyStopping"]):
    print("callbacks =", wrong)
    with checks.expect_error((AttributeError, TypeError)):
        build().fit(digits.train, callbacks=wrong, verbose=0)
widgets.reveal("08c.p26")
# %% [markdown]
# **The fix:** square brackets, and round ones behind each name.
# %%
called = []
note = LambdaCallback(on_train_begin=lambda logs: called.append("note"))
for right in ([note], (note,), note, [[note], []], {"any name": note}):
    called.clear()
    build().fit(digits.train, callbacks=right, verbose=0)
    assert called == ["note"], f"callbacks={right} was not called once"
print("A list works. So do a tuple, one callback alone, nested lists and a dictionary.")
# %%
# Take home 26: square brackets around all callbacks, round ones behind each name
import keras
import numpy as np
from keras.callbacks import EarlyStopping, LambdaCallback

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
note = LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch + 1))
callbacks = [EarlyStopping("loss"), note]
model.fit(x, y, epochs=2, callbacks=callbacks, verbose=0)
# %% [markdown]
# ## 30. Buttons and sliders are frozen while a cell trains
#
# **You see:** a slider should change the patience of a running training, a button should stop it. While it trains,
# nothing happens.
#
# **People ask:** [vscode-jupyter#17360](https://github.com/microsoft/vscode-jupyter/issues/17360); the reason stands
# in the [documentation of
# ipywidgets](https://ipywidgets.readthedocs.io/en/stable/examples/Widget%20Asynchronous.html).
# %% tags=["predict"]
widgets.predict("08c.p30")
# %% [markdown]
# A callback notes the field's value after each epoch. So that no hand is needed, the training cell puts a change to 1
# where what you type arrives: into the queue of the kernel. (A slider of ipywidgets would do the same, but has no name
# for a screen reader.)
# %%
import asyncio

import ipywidgets

field = ipywidgets.BoundedIntText(value=50, min=1, max=50, description="patience")
field
# %%
field.value = 50
asyncio.get_running_loop().call_soon(setattr, field, "value", 1)
seen = []
play(
    [1.0] * 6,
    LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(field.value)),
)
print("seen by the callback:", seen)
# %% tags=["solution"]
assert seen == [50] * 6
# %%
print("in the next cell:", field.value)
widgets.reveal("08c.p30")
# %% tags=["solution"]
assert field.value == 1
# %% [markdown]
# **The fix:** let the cell end: train in a thread. `live.Trainer` of this course takes the arguments of `fit` and
# does so. Each epoch sleeps a little here, so that you have two minutes: write 3 into the field, and press **Enter**.
# %%
import time

epochs = 1200
pause = LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(0.1))
callbacks = [Script([1.0] * epochs), EarlyStopping(patience=epochs), pause]
trainer = live.Trainer(build(), digits.train, epochs=epochs, callbacks=callbacks)


def obey(change):
    trainer.patience = change["new"]


field = ipywidgets.BoundedIntText(
    value=epochs, min=1, max=epochs, description="patience"
)
field.observe(obey, names="value")
trainer.start()
field
# %% [markdown]
# The cell has ended, the training goes on, and the field is obeyed. If you did not touch it, the next cell does, and
# waits for the end.
# %%
if trainer.alive:
    field.value = 3
history = trainer.result()
print(len(history.epoch), "epochs ran, of", epochs)
print(*trainer.changes, sep="\n")
# %% tags=["solution"]
assert trainer.changes or len(history.epoch) == epochs
# %% [markdown]
# Without this course: `fit` in a thread of Python, and the callback is changed from outside, while it trains. (An error
# in such a thread is printed, and the cell goes on as if nothing had happened. `live.Trainer` raises it again.)
# %%
import threading

stopper = EarlyStopping(patience=epochs)
settings = {
    "epochs": epochs,
    "callbacks": [Script([1.0] * epochs), stopper, pause],
    "verbose": 0,
}
training = threading.Thread(target=build().fit, args=(digits.train,), kwargs=settings)
training.start()
time.sleep(1)
stopper.patience = 3
training.join()
print("stopped after epoch", stopper.stopped_epoch + 1)
# %% tags=["solution"]
assert 0 < stopper.stopped_epoch < epochs - 1
# %% [markdown]
# With curves and buttons, ready to use: `widgets.LiveTraining(trainer)`, in [lesson 05b](05b_the_other_arguments.ipynb).
# %%
# Take home 30: train in a thread; the cell ends, and buttons are answered
import threading

import keras
import numpy as np
from keras.callbacks import LambdaCallback

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
begun = threading.Event()
note = LambdaCallback(on_epoch_end=lambda epoch, logs: begun.set())
todo = {"epochs": 100_000, "callbacks": [note], "verbose": 0}
training = threading.Thread(target=model.fit, args=(x, y), kwargs=todo)
training.start()
begun.wait()
print("this line runs while it trains:", training.is_alive())
model.stop_training = True  # what a button's on_click may do
training.join()
# %% [markdown]
# ## 31. My hook is never called
#
# **You see:** the callback is in the list, and what its hook should do is never done.
#
# No thread was found: people look for the fault in what the hook does, until they see its name.
# %% tags=["predict"]
widgets.predict("08c.p31")


# %% [markdown]
# Two epochs of two batches. A misspelt `LambdaCallback` comes along.
# %%
class Report(Callback):
    def on_epoch_ended(self, epoch, logs=None):
        called.append("on_epoch_ended")

    def on_test_end(self, logs=None):
        called.append("on_test_end")

    def on_batch_end(self, batch, logs=None):
        called.append("on_batch_end")


called = []
misspelt = LambdaCallback(
    on_epoch_ends=lambda epoch, logs: called.append("on_epoch_ends")
)
play([1.0, 1.0], Report(), misspelt)
print("called:", *called)
widgets.reveal("08c.p31")
# %% tags=["solution"]
assert called == ["on_batch_end"] * 4
# %% [markdown]
# **The fix:** let the class look at its names when it is defined. `__init_subclass__` runs then.
# %%
HOOKS = {name for name in dir(Callback) if name.startswith("on_")}


class Checked(Callback):
    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        unknown = {name for name in vars(cls) if name.startswith("on_")} - HOOKS
        if unknown:
            raise TypeError(f"Keras calls no hook named {', '.join(sorted(unknown))}")


with checks.expect_error(TypeError, match="on_epoch_ended"):

    class Misspelt(Checked):
        def on_epoch_ended(self, epoch, logs=None): ...


# %% [markdown]
# The mistake is found before anything trains. With the right name it is called:
# %%
calls = []


class Spelt(Checked):
    def on_epoch_end(self, epoch, logs=None):
        calls.append(epoch)


play([1.0, 1.0], Spelt())
print("called", len(calls), "times; all hooks:", *sorted(HOOKS))
# %% tags=["solution"]
assert calls == [0, 1]
# %% [markdown]
# For a `LambdaCallback`, look the name up: is it in `HOOKS`? And a right hook is not called where its work is not done:
# `fit` calls `on_train_` and `on_epoch_` hooks, with validation data **also** `on_test_` ones, and `evaluate` only
# those.
# %% [markdown] tags=["instructor"]
# Worth two minutes with every class that writes callbacks: Python's freedom is the reason, and a check of a few lines
# turns a silent mistake into a loud one. The same idea serves for any class with optional methods.
# %%
# Take home 31: a class that refuses misspelt hooks
from keras.callbacks import Callback

KNOWN = {name for name in dir(Callback) if name.startswith("on_")}


class Careful(Callback):
    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        unknown = {name for name in vars(cls) if name.startswith("on_")} - KNOWN
        if unknown:
            raise TypeError(f"Keras calls no hook named {', '.join(sorted(unknown))}")


try:
    type("Mine", (Careful,), {"on_epoch_ended": print})  # class Mine(Careful): ...
except TypeError as error:
    print(error)
# %% [markdown]
# ## 32. EarlyStopping does not see a metric that another callback adds
#
# **You see:** your callback writes `logs["f2"]`. It is printed, it stands in the history, and still `EarlyStopping`
# warns that `f2` is not available, and never stops.
#
# No thread was found: the warning lists what is available, and few ask "available when?".
# %% tags=["predict"]
widgets.predict("08c.p32")


# %% [markdown]
# `Script` adds the metric, the same value in each of five epochs. With `patience=1` two epochs would be enough.
# %%
def fit_with(*callbacks):
    return (
        build()
        .fit(digits.train, epochs=5, callbacks=list(callbacks), verbose=0)
        .history
    )


history = fit_with(EarlyStopping("f2", mode="max", patience=1), Script([0.5] * 5, "f2"))
print("epochs:", len(history["loss"]), "  in the history:", history["f2"])
widgets.reveal("08c.p32")
# %% tags=["solution"]
assert len(history["f2"]) == 5
# %% [markdown]
# **The fix:** who adds a metric stands before who reads it. (And say `mode`: Keras knows nothing about a metric of
# yours.)
# %%
history = fit_with(Script([0.5] * 5, "f2"), EarlyStopping("f2", mode="max", patience=1))
print("epochs:", len(history["loss"]))
# %% tags=["solution"]
assert len(history["loss"]) == 2
# %%
# Take home 32: who adds a metric stands before who reads it
import keras
import numpy as np
from keras.callbacks import EarlyStopping, LambdaCallback


def add(epoch, logs):
    logs["f2"] = 0.5  # your own metric


rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
stopper = EarlyStopping("f2", mode="max", patience=1)
callbacks = [LambdaCallback(on_epoch_end=add), stopper]  # in this order
history = model.fit(x, y, epochs=9, callbacks=callbacks, verbose=0)
print("epochs:", len(history.epoch))


# %% [markdown]
# ## 37. A layer that a callback unfreezes does not learn
#
# **You see:** `layer.trainable = True` in `on_epoch_begin`, and in no later epoch does the layer change.
#
# **People ask:** [tensorflow#47906](https://github.com/tensorflow/tensorflow/issues/47906),
# [keras#3268](https://github.com/keras-team/keras/issues/3268),
# [keras#16234](https://github.com/keras-team/keras/issues/16234).
#
# The layer `base` is frozen for the first two epochs, and a callback sets it free:
# %%
def frozen():
    keras.utils.set_random_seed(8)
    base = keras.layers.Dense(16, activation="relu", trainable=False, name="base")
    head = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), base, head])
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    return model


class Unfreeze(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.before = self.model.get_layer("base").get_weights()[0]
        if epoch + 1 == 3:
            self.model.get_layer("base").trainable = True

    def on_epoch_end(self, epoch, logs=None):
        now = self.model.get_layer("base").get_weights()[0]
        logs["moved"] = bool((now != self.before).any())


# %%
todo = {"epochs": 4, "verbose": 0, "callbacks": [Unfreeze()]}
print("the layer moved:", frozen().fit(digits.train, **todo).history["moved"])
# %% [markdown]
# `trainable` counts from the next `compile` on. So let the callback compile, after the layer is free:
# %% tags=["predict"]
widgets.predict("08c.p37")


# %%
class Compile(Unfreeze):
    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch)
        if epoch + 1 == 3:
            self.model.compile("sgd", loss="sparse_categorical_crossentropy")


with checks.expect_error(TypeError):
    frozen().fit(digits.train, epochs=4, verbose=0, callbacks=[Compile()])
widgets.reveal("08c.p37")
# %% [markdown]
# **The fix:** two fits, and between them `trainable` and `compile`, mostly with a smaller rate. `initial_epoch` lets the
# second go on counting. <!-- claim: midway.test_unfreezing_in_a_callback_does_nothing_until_compile -->
# %%
model = frozen()
model.fit(digits.train, epochs=2, verbose=0)
model.get_layer("base").trainable = True
sgd = keras.optimizers.SGD(0.001)
model.compile(sgd, loss="sparse_categorical_crossentropy")
todo = {"initial_epoch": 2, "epochs": 4, "verbose": 0, "callbacks": [Unfreeze()]}
moved = model.fit(digits.train, **todo).history["moved"]
print("the layer moved:", moved)
# %% tags=["solution"]
assert moved == [True, True]
# %% [markdown]
# `EarlyStopping` and the others begin anew with the second fit: give each of the two its own.
# %%
# Take home 37: unfreeze between two fits, and compile there
import keras
import numpy as np

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
base, head = keras.layers.Dense(8, trainable=False), keras.layers.Dense(1)
model = keras.Sequential([keras.Input((4,)), base, head])
model.compile("sgd", "mse")
model.fit(x, y, epochs=2, verbose=0)
before = base.get_weights()[0]
base.trainable = True
model.compile(keras.optimizers.SGD(0.001), "mse")  # now it counts
history = model.fit(x, y, initial_epoch=2, epochs=4, verbose=0)
print("epochs", history.epoch, "moved:", (base.get_weights()[0] != before).any())


# %% [markdown]
# ## 38. A weight in the loss that a callback changes has no effect
#
# **You see:** a callback raises the weight of one term of the loss from epoch to epoch (KL annealing, say), and the
# loss behaves as if it had stayed as it was.
#
# **People ask:** [keras#13826](https://github.com/keras-team/keras/issues/13826).
#
# This loss is `beta` times 1, so it shows which `beta` it uses. A callback sets `beta` to 0, 1, 2:
# %%
class Term:
    def __init__(self, beta):
        self.beta = beta

    def loss(self, true, predicted):
        return self.beta * (1 + 0 * keras.ops.mean(predicted))


class Raise(Callback):
    def __init__(self, term):
        super().__init__()
        self.term = term

    def on_epoch_begin(self, epoch, logs=None):
        if isinstance(self.term.beta, keras.Variable):
            self.term.beta.assign(float(epoch))
        else:
            self.term.beta = float(epoch)


# %%
def losses(term, run_eagerly=False):
    model = build()
    model.compile("sgd", loss=term.loss, run_eagerly=run_eagerly)
    todo = {"epochs": 3, "verbose": 0, "callbacks": [Raise(term)]}
    return model.fit(digits.train, **todo).history["loss"]


print("losses:", losses(Term(0.0)))
# %% [markdown]
# And the same, with the same number, compiled with `run_eagerly=True`?
# %% tags=["predict"]
widgets.predict("08c.p38")
# %%
seen = losses(Term(0.0), run_eagerly=True)
print("losses:", seen)
widgets.reveal("08c.p38")
# %% tags=["solution"]
assert seen == [0.0, 1.0, 2.0]
# %% [markdown]
# **The fix:** a `keras.Variable`. The graph reads its value anew in each step.
# <!-- claim: midway.test_a_number_in_the_loss_is_fixed_and_a_variable_is_not -->
# %%
seen = losses(Term(keras.Variable(0.0, trainable=False)))
print("losses:", seen)
# %% tags=["solution"]
assert seen == [0.0, 1.0, 2.0]
# %%
# Take home 38: a weight of the loss that may change is a keras.Variable
import keras
import numpy as np
from keras.callbacks import LambdaCallback

rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
beta = keras.Variable(0.0, trainable=False)


def loss(true, predicted):
    return beta * keras.ops.mean(keras.ops.square(true - predicted))


model.compile("sgd", loss)
anneal = LambdaCallback(on_epoch_begin=lambda epoch, logs: beta.assign(epoch / 2))
history = model.fit(x, y, epochs=3, callbacks=[anneal], verbose=0)
print("losses:", history.history["loss"])
# %% [markdown]
# ## 45. The training numbers are wrong since a callback evaluates
#
# **You see:** a callback calls `evaluate` every few batches. Since then the printed loss and accuracy make no sense.
#
# **People ask:** [keras#16526](https://github.com/keras-team/keras/issues/16526),
# [tensorflow#42994](https://github.com/tensorflow/tensorflow/issues/42994).
#
# Each epoch has two batches here; the callback evaluates after each of them.
# %% tags=["predict"]
widgets.predict("08c.p45")


# %%
class AfterBatch(Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.evaluate(digits.validation, verbose=0)


class AfterEpoch(Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.evaluate(digits.validation, verbose=0)


def numbers(*callbacks):
    todo = {"validation_data": digits.validation, "verbose": 0}
    history = build().fit(digits.train, callbacks=list(callbacks), **todo).history
    return {name: round(values[0], 4) for name, values in history.items()}


# %%
plain, spoilt = numbers(), numbers(AfterBatch())
print("no callback:         ", plain)
print("evaluates each batch:", spoilt)
widgets.reveal("08c.p45")
# %% tags=["solution"]
assert plain["loss"] != spoilt["loss"] == spoilt["val_loss"] == plain["val_loss"]


# %% [markdown]
# **The fix:** evaluate in `on_epoch_end`, when the epoch's numbers are in `logs` already. Within an epoch use `predict`,
# which counts nothing, and compute the score yourself.
# <!-- claim: midway.test_evaluate_in_a_batch_hook_spoils_the_training_metrics -->
# %%
class Predicts(Callback):
    def on_train_batch_end(self, batch, logs=None):
        predicted = self.model.predict(digits.validation, verbose=0)
        right = predicted.argmax(axis=1) == digits.y_validation
        print(f"after batch {batch + 1}: {right.mean():.1%} right")


found = [numbers(AfterEpoch()), numbers(Predicts())]
print(*found, sep="\n")
# %% tags=["solution"]
assert found == [plain, plain]
# %% [markdown]
# `on_epoch_begin` is no better than a batch hook: what it evaluates is counted into the epoch.
# %%
# Take home 45: a score within the epoch, by predict, which counts nothing
import keras
import numpy as np


class Within(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch % 2 == 0:
            error = self.model.predict(x[30:], verbose=0) - y[30:]
            print(f"batch {batch + 1}: {np.mean(error**2):.4f}")


rng = np.random.default_rng(0)
x, y = rng.random((40, 4)), rng.random((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x[:30], y[:30], batch_size=8, callbacks=[Within()], verbose=0)
# %% [markdown]
# ## 54. KeyError metrics or lr, and hooks that take 2 arguments
#
# **You see:** a callback from an older page fails with a `KeyError` or a `TypeError` at its first hook, or the code
# after `fit` does.
#
# **People ask:** [tensorflow#38512](https://github.com/tensorflow/tensorflow/issues/38512),
# [tensorflow#40515](https://github.com/tensorflow/tensorflow/issues/40515),
# [livelossplot#56](https://github.com/stared/livelossplot/issues/56).
# %% tags=["predict"]
widgets.predict("08c.p54")


# %%
class OldNames(Callback):
    def on_train_begin(self, logs=None):
        print("params:", self.params)
        self.names = self.params["metrics"]


class OldHook(Callback):
    def on_epoch_end(self, epoch):
        print("epoch", epoch)


with checks.expect_error(KeyError):
    play([1.0], OldNames())
with checks.expect_error(TypeError):
    play([1.0], OldHook())
rate = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)
history = play([1.0, 0.5], rate).history
with checks.expect_error(KeyError):
    print(history["lr"])
widgets.reveal("08c.p54")


# %% [markdown]
# **The fix:** names come from `logs`, the rate is called `learning_rate`, and each hook takes `logs=None` as its last
# argument. <!-- claim: midway.test_what_old_callbacks_expect_is_gone -->
# %%
class NewNames(Callback):
    def on_epoch_end(self, epoch, logs=None):
        names = [name for name in logs if not name.startswith("val_")]
        print("epoch", epoch + 1, "of", self.params["epochs"], "names:", names)


history = play([1.0, 0.5], NewNames(), rate).history
print("rates:", history["learning_rate"])
# %% tags=["solution"]
assert len(history["learning_rate"]) == 2
# %%
# Take home 54: names from logs, learning_rate in the history, logs=None in hooks
import keras
import numpy as np


class Names(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print("epoch", epoch + 1, "of", self.params["epochs"], dict(logs))


x, y = np.ones((40, 4)), np.zeros((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
rate = keras.callbacks.ReduceLROnPlateau("loss")
history = model.fit(x, y, epochs=2, callbacks=[Names(), rate], verbose=0)
print("rates:", history.history["learning_rate"])
# %% [markdown]
# ## 56. The CSV log has values under the wrong names
#
# **You see:** `CSVLogger(file, append=True)` goes on in the file of an earlier run, and the columns no longer fit.
#
# **People ask:** [keras#21173](https://github.com/keras-team/keras/issues/21173).
#
# The first run has a metric, `accuracy`; the second has none, and appends.
# %% tags=["predict"]
widgets.predict("08c.p56")


# %%
def logged(file, metrics, **settings):
    model = build()
    loss = "sparse_categorical_crossentropy"
    model.compile("sgd", loss, metrics=metrics, run_eagerly=True)
    logger = keras.callbacks.CSVLogger(file, **settings)
    model.fit(digits.train, callbacks=[logger], verbose=0)
    return file.read_text()


# %%
log = folder / "56.csv"
logged(log, ["accuracy"])
text = logged(log, [], append=True)
print(text)
widgets.reveal("08c.p56")
# %% tags=["solution"]
header, first, second = (line.split(",") for line in text.split())
assert header[1:3] == ["accuracy", "loss"]
assert second[1] == first[2]
# %% [markdown]
# The other way round there are more values than names. Without `append` the old log is gone. And a folder that is not
# there is not made:
# %%
print(logged(log, []))
print(logged(log, ["accuracy"], append=True))
with checks.expect_error(FileNotFoundError):
    logged(folder / "logs" / "56.csv", [])


# %% [markdown]
# **The fix:** a file for each run, in a folder that you make. `append=True` only for a run that goes on with the same
# metrics. <!-- claim: midway.test_csv_logger_appends_without_a_look_at_the_names -->
# %%
def new_log(start):
    (folder / "logs").mkdir(exist_ok=True)
    return folder / "logs" / f"56-from-{start}.csv"


for start, metrics in [(0, ["accuracy"]), (1, [])]:
    text = logged(new_log(start), metrics)
    names, values = (line.split(",") for line in text.split())
    print(dict(zip(names, values, strict=True)))
# %% tags=["solution"]
assert len(list((folder / "logs").iterdir())) == 2
# %%
# Take home 56: a log for each run, in a folder that is made before
from pathlib import Path

import keras
import numpy as np

x, y = np.ones((40, 4)), np.zeros((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
logs = Path("runs/56")
logs.mkdir(parents=True, exist_ok=True)
log = logs / f"run-{len(list(logs.iterdir())) + 1}.csv"
model.fit(x, y, epochs=2, callbacks=[keras.callbacks.CSVLogger(log)], verbose=0)
print(log.name, log.read_text(), sep="\n")
# %% [markdown]
# ## 57. EarlyStopping fails in a training loop of my own
#
# **You see:** a loop around `train_on_batch` calls the hooks of `EarlyStopping` itself. It goes well for a while, then
# comes an `AttributeError` about `stop_training`.
#
# **People ask:** [keras#616](https://github.com/keras-team/keras/issues/616).
#
# The loss here never gets better after the first epoch, and `patience` is 3.
# %% tags=["predict"]
widgets.predict("08c.p57")
# %%
model, stopper = build(), EarlyStopping("loss", patience=3)
epochs = []
stopper.on_train_begin()
with checks.expect_error(AttributeError):
    for epoch in range(9):
        epochs.append(epoch + 1)
        model.train_on_batch(digits.x_train, digits.y_train)
        stopper.on_epoch_end(epoch, {"loss": 1.0})
print("epochs:", epochs)
widgets.reveal("08c.p57")
# %% tags=["solution"]
assert epochs == [1, 2, 3, 4]
# %% [markdown]
# **The fix:** `CallbackList` with `model=`. It tells every callback about the model, and calls their hooks in order. Your
# part is to look at `model.stop_training`. <!-- claim: midway.test_early_stopping_alone_knows_no_model -->
# %%
model = build()
callbacks = keras.callbacks.CallbackList(
    [EarlyStopping("loss", patience=3, restore_best_weights=True)], model=model
)
model.stop_training, epochs = False, []
callbacks.on_train_begin()
for epoch in range(9):
    callbacks.on_epoch_begin(epoch)
    model.train_on_batch(digits.x_train, digits.y_train)
    epochs.append(epoch + 1)
    callbacks.on_epoch_end(epoch, {"loss": 1.0})
    if model.stop_training:
        break
callbacks.on_train_end()
print("epochs:", epochs)
# %% tags=["solution"]
assert epochs == [1, 2, 3, 4]
# %% [markdown]
# What else such a loop must do itself stands in [lesson 06](06_inside_and_your_own.ipynb).
# %%
# Take home 57: callbacks in a loop of your own, through CallbackList
import keras
import numpy as np
from keras.callbacks import CallbackList, EarlyStopping

x, y = np.ones((40, 4)), np.zeros((40, 1))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.0), "mse")  # learns nothing, so it stops
callbacks = CallbackList([EarlyStopping("loss", patience=3)], model=model)
model.stop_training = False
callbacks.on_train_begin()
for epoch in range(20):
    callbacks.on_epoch_begin(epoch)
    loss = model.train_on_batch(x, y)
    callbacks.on_epoch_end(epoch, {"loss": loss})
    if model.stop_training:
        break
callbacks.on_train_end()
print("epochs:", epoch + 1)
# %% [markdown]
# ## Key takeaways
#
# - New callbacks for each training, made by a function.
# - A callback gets the model and the measured values. What else it needs, give it yourself, under a name of its own.
# - `optimizer.learning_rate`, never `lr`: the wrong one is silent.
# - The order of the list decides who sees a value.
# - A misspelt hook is silent too, if you do not check.
# - `fit` builds its step once: what callbacks change later must be a variable, or wait for the next `compile`.
# - A cell that trains keeps sliders and buttons waiting, unless it trains in a thread.
# %% [markdown]
# ## Where next
#
# Back to [the index](08_pitfall_lab.ipynb#Index), or to troubles with [saving](08b_saving.ipynb) and with
# [loading and resuming](08g_loading.ipynb).
