# %% [markdown]
# # Find your trouble: callbacks, your own and from old code
#
# **You will** see one of 8 troubles with callbacks happen, know why, and take a proved fix home.
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
# Two epochs, the callback's own numbers beside those of `fit`:
# %%
class Score(Callback):
    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.model.evaluate(self.rows, verbose=0, return_dict=True)[
            "loss"
        ]


settings = {
    "validation_data": digits.validation,
    "callbacks": [Score(digits.validation)],
    "verbose": 0,
}
history = build().fit(digits.train, epochs=2, **settings).history
print("score:   ", history["score"])
print("val_loss:", history["val_loss"])
widgets.reveal("08c.p22")
# %% tags=["solution"]
assert abs(history["score"][-1] - history["val_loss"][-1]) < 1e-6
# %% [markdown]
# (Without `return_dict=True` a model with metrics would give a list.) The callback evaluates a second time, so do this
# only for what no metric of `compile` can tell.
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
# A callback notes the slider's value after each epoch. So that no hand is needed, the training cell puts a move to 1
# where the moves of your mouse arrive: into the queue of the kernel.
# %%
import asyncio

import ipywidgets

slider = ipywidgets.IntSlider(value=50, min=1, max=50, description="patience")
slider
# %%
slider.value = 50
asyncio.get_running_loop().call_soon(setattr, slider, "value", 1)
seen = []
play(
    [1.0] * 6,
    LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(slider.value)),
)
print("seen by the callback:", seen)
# %% tags=["solution"]
assert seen == [50] * 6
# %%
print("in the next cell:", slider.value)
widgets.reveal("08c.p30")
# %% tags=["solution"]
assert slider.value == 1
# %% [markdown]
# **The fix:** let the cell end: train in a thread. `live.Trainer` of this course takes the arguments of `fit` and
# does so. Each epoch sleeps a little here, so that you have two minutes: drag the slider to the left while it trains.
# %%
import time

epochs = 1200
pause = LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(0.1))
callbacks = [Script([1.0] * epochs), EarlyStopping(patience=epochs), pause]
trainer = live.Trainer(build(), digits.train, epochs=epochs, callbacks=callbacks)


def obey(change):
    trainer.patience = change["new"]


slider = ipywidgets.IntSlider(value=epochs, min=1, max=epochs, description="patience")
slider.observe(obey, names="value")
trainer.start()
slider
# %% [markdown]
# The cell has ended, the training goes on, and the slider is obeyed. Did you not touch it? Then the next cell does,
# and waits for the end.
# %%
if trainer.alive:
    slider.value = 3
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
# %% [markdown]
# ## Key takeaways
#
# - New callbacks for each training, made by a function.
# - A callback gets the model and the measured values. What else it needs, give it yourself, under a name of its own.
# - `optimizer.learning_rate`, never `lr`: the wrong one is silent.
# - The order of the list decides who sees a value.
# - A misspelt hook is silent too, if you do not check.
# - A cell that trains keeps sliders and buttons waiting, unless it trains in a thread.
# %% [markdown]
# ## Where next
#
# Back to [the index of all troubles](08_pitfall_lab.ipynb), or to those with [files](08b_saving.ipynb).
