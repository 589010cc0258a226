# %% [markdown]
# # Find your trouble: saving
#
# **You will** see one of 8 troubles with saving happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The index of all is in [the pitfall lab](08_pitfall_lab.ipynb). The minutes are for one trouble.
#
# **Minutes:** 6
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("08b")
import keras
from keras.callbacks import Callback, LambdaCallback, ModelCheckpoint

# %% [markdown]
# ## Tools
#
# `build` makes a small model, always with the same first weights. `play` fits it for real, in epochs of two batches,
# but the validation loss is ours: `Script` stands first in the list and writes it into `logs`. `SaveRecorder` looks
# at the disk after each epoch and notes when a file was really written.
# %%
digits = data.load_digits(train_rows=60, batch_size=30)
folder = lesson.new_folder("08b")


class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


# %%
def build(optimizer="sgd"):
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, activation="softmax")]
    )
    # Eager is slow for real work and quick to start: right for fits of a few steps.
    settings = {
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "run_eagerly": True,
    }
    model.compile(optimizer, **settings)
    return model


# %%
from helpers.callbacks import SaveRecorder


def play(values, *callbacks, model=None):
    if model is None:
        model = build()
    callbacks = [Script(values), *callbacks]
    return model.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)


def printed(epochs):
    return [epoch + 1 for epoch in epochs]  # people count from 1


# %% [markdown] tags=["instructor"]
# Not for reading in order. In a class, let each pair draw two numbers, spend six minutes on them, and then tell the
# others symptom, cause and fix in one minute. Numbers 7, 33 and 53 promise the best stories, 5 the longest faces.
# %% [markdown]
# ## 4. The file name is refused
#
# **You see:** code that worked for years names its file `saved_model` or `cp.ckpt`, and now fails with a `ValueError`
# about the name.
#
# **People ask:** [keras-io#1568](https://github.com/keras-team/keras-io/issues/1568),
# [keras-io#1844](https://github.com/keras-team/keras-io/issues/1844),
# [tensorflow#74342](https://github.com/tensorflow/tensorflow/issues/74342),
# [tensorflow#75196](https://github.com/tensorflow/tensorflow/issues/75196) and
# [ReLERNN#53](https://github.com/kr-colab/ReLERNN/issues/53).
# %% tags=["predict"]
widgets.predict("08b.p4")
# %% [markdown]
# Try the names. `expect_error` shows an error calmly and lets the notebook go on.
# %%
ModelCheckpoint("model.keras")
ModelCheckpoint("model.h5")
with checks.expect_error(ValueError):
    ModelCheckpoint("model.hdf5")
with checks.expect_error(ValueError):
    ModelCheckpoint("model.h5", save_weights_only=True)
with checks.expect_error(ValueError):
    build().save_weights("model.h5")
with checks.expect_error(ValueError):
    build().save("model")
widgets.reveal("08b.p4")
# %% [markdown]
# **The fix:** a whole model ends in `.keras`. Weights end in `.weights.h5`, together with `save_weights_only=True`.
# (For the folder format that servers want, call `model.export(folder)` after training.)
# %%
home, model = folder / "4", build()
whole = ModelCheckpoint(home / "model.keras")
numbers = ModelCheckpoint(home / "model.weights.h5", save_weights_only=True)
play([1.0], whole, numbers, model=model)

again = keras.models.load_model(home / "model.keras")
other = build()
other.load_weights(home / "model.weights.h5")
for loaded in (again, other):
    assert (loaded.get_weights()[0] == model.get_weights()[0]).all(), "other weights"
print("Both files give the weights back.")
# %% [markdown]
# **Two traps behind accepted names.** First: `x.weights.h5` without `save_weights_only=True` passes, because it ends
# in `.h5`. It gets a whole model in the old format, and `load_weights` finds no weights in it.
# %%
trap = home / "trap.weights.h5"
play([1.0], ModelCheckpoint(trap))
with checks.expect_error(ValueError, match="could not be loaded"):
    build().load_weights(trap)
# %% [markdown]
# Second: an `.h5` of a model compiled with an abbreviated loss, such as `"mse"`, cannot be loaded, except with
# `compile=False`. With the full name it can.
# %%
old = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
for loss in ("mse", "mean_squared_error"):
    old.compile("sgd", loss=loss)
    old.save(home / f"{loss}.h5")
with checks.expect_error(ValueError, match="mse"):
    keras.models.load_model(home / "mse.h5")
keras.models.load_model(home / "mse.h5", compile=False)
keras.models.load_model(home / "mean_squared_error.h5")
print("It loads with compile=False, and with the full name.")
# %% [markdown]
# Most red lines are Keras's own advice: the format is old, use `.keras`. The warning in the first trap says that the
# file has no optimizer where `load_weights` looks for one.
# %%
# Take home 4: names that are taken
from pathlib import Path

import keras
import numpy as np

place, x = Path("runs/4"), np.random.default_rng(1).normal(size=(60, 4))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
savers = [
    keras.callbacks.ModelCheckpoint(place / "model.keras"),
    keras.callbacks.ModelCheckpoint(place / "model.weights.h5", save_weights_only=True),
]
model.fit(x, x[:, :1], callbacks=savers, verbose=0)
keras.models.load_model(place / "model.keras")
model.load_weights(place / "model.weights.h5")
print(*sorted(path.name for path in place.iterdir()))
# %% [markdown]
# ## 5. save_best_only with an integer save_freq saves everything
#
# **You see:** somebody wants the best model, and looks for it more often than once an epoch: `save_best_only=True,
# save_freq=100`. Files are written all the time, better or not; or the first epoch crashes.
#
# **People ask:** [tensorflow#33163](https://github.com/tensorflow/tensorflow/issues/33163),
# [tensorflow#44107](https://github.com/tensorflow/tensorflow/issues/44107) and
# [keras#16734](https://github.com/keras-team/keras/issues/16734).
# %% tags=["predict"]
widgets.predict("08b.p5")
# %% [markdown]
# Two batches make an epoch here, so `save_freq=2` looks once in each.
# %%
saver = ModelCheckpoint(folder / "5" / "best.keras", save_best_only=True, save_freq=2)
saves = SaveRecorder(saver)
play([1.0, 2.0, 3.0], saver, saves)
print("saved in epochs", printed(saves.epochs))
# %% tags=["solution"]
assert saves.epochs == [0, 1, 2]
# %% [markdown]
# It said why: `val_loss` was not available. And the training loss, which is there at every batch?
# %%
path = folder / "5" / "loss.keras"
saver = ModelCheckpoint(path, monitor="loss", save_best_only=True, save_freq=1)
with checks.expect_error(TypeError):
    play([1.0], saver)
widgets.reveal("08b.p5")
# %% [markdown]
# **The fix:** one checkpoint for the best, at the end of epochs; another for safety copies, with its own names.
# %%
best = ModelCheckpoint(folder / "5" / "good.keras", save_best_only=True)
copies = ModelCheckpoint(folder / "5" / "copy-{epoch}-{batch}.keras", save_freq=2)
saves = SaveRecorder(best)
play([1.0, 2.0, 3.0], best, copies, saves)
print("best saved in epochs", printed(saves.epochs))
print(*sorted(path.name for path in (folder / "5").glob("copy*")))
# %% tags=["solution"]
assert saves.epochs == [0]
# %%
# Take home 5: the best at the end of epochs, copies within them
from pathlib import Path

import keras
import numpy as np

place, x = Path("runs/5"), np.random.default_rng(1).normal(size=(60, 4))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
settings = {"validation_split": 0.2, "batch_size": 12, "epochs": 2, "verbose": 0}
best = keras.callbacks.ModelCheckpoint(place / "best.keras", save_best_only=True)
copies = keras.callbacks.ModelCheckpoint(
    place / "copy-{epoch}-{batch}.keras", save_freq=3
)
model.fit(x, x[:, :1], callbacks=[best, copies], **settings)
print(*sorted(path.name for path in place.iterdir()))
# %% [markdown]
# ## 6. It saves far too often, and period is gone
#
# **You see:** "Save every second epoch" was `period=2`. That is a `TypeError` now, and `save_freq=2` fills the disk.
#
# **People ask:** [keras#13510](https://github.com/keras-team/keras/issues/13510) and
# [tensorflow/docs#2042](https://github.com/tensorflow/docs/issues/2042).
# %% tags=["predict"]
widgets.predict("08b.p6")
# %% [markdown]
# The names tell after which epoch and batch each file was written, both counted from 1.
# %%
home = folder / "6"
play([1.0] * 4, ModelCheckpoint(home / "often" / "{epoch}-{batch}.keras", save_freq=3))
print(*sorted(path.stem for path in (home / "often").iterdir()))
# %% [markdown]
# And the old argument, and a guess:
# %%
with checks.expect_error(TypeError):
    ModelCheckpoint("model.keras", period=3)
with checks.expect_error(ValueError):
    ModelCheckpoint("model.keras", save_freq="batch")
widgets.reveal("08b.p6")
# %% [markdown]
# **The fix:** multiply by the batches in an epoch: `len()` of a dataset knows them; for arrays it is rows divided by
# batch size, rounded up. These saves come before validation, so `val_loss` cannot stand in their names.
# %%
every_second = 2 * len(digits.train)
play(
    [1.0] * 4,
    ModelCheckpoint(home / "right" / "{epoch}-{batch}.keras", save_freq=every_second),
)
names = sorted(path.stem for path in (home / "right").iterdir())
print(*names)
# %% tags=["solution"]
assert names == ["2-2", "4-2"]
# %%
# Take home 6: every second epoch
from pathlib import Path

import keras
import numpy as np

place, x = Path("runs/6"), np.random.default_rng(1).normal(size=(60, 4))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
batch_size = 16
batches = -(-len(x) // batch_size)  # rounded up
saver = keras.callbacks.ModelCheckpoint(place / "{epoch}.keras", save_freq=2 * batches)
settings = {"batch_size": batch_size, "epochs": 6, "verbose": 0}
model.fit(x, x[:, :1], callbacks=[saver], **settings)
print(*sorted(path.name for path in place.iterdir()))
# %% [markdown]
# ## 7. After a restart the best file is overwritten
#
# **You see:** a run is started again, with `save_best_only=True` and the same file name. Its first epoch is poor, and
# is saved over the good model.
#
# **People ask:** [keras#11420](https://github.com/keras-team/keras/issues/11420),
# [keras#12803](https://github.com/keras-team/keras/issues/12803) and
# [keras#11703](https://github.com/keras-team/keras/issues/11703).
# %% tags=["predict"]
widgets.predict("08b.p7")
# %% [markdown]
# Two runs. As after a restart, everything is new in the second, except the file.
# %%
path = folder / "7" / "best.keras"
for values in ([0.7, 0.5], [0.9, 0.6, 0.8, 0.4]):
    saver = ModelCheckpoint(path, save_best_only=True)
    saves = SaveRecorder(saver)
    play(values, saver, saves)
    print(values, "saved after epochs", printed(saves.epochs))
widgets.reveal("08b.p7")
# %% tags=["solution"]
assert saves.epochs == [0, 1, 3]


# %% [markdown]
# **The fix:** tell it what has to be beaten: `initial_value_threshold`. If nobody wrote the number down, the file
# knows it: load and evaluate, on the same validation data. With a real training, of six epochs and then of one:
# %%
def run(epochs, **threshold):
    saver = ModelCheckpoint(path, save_best_only=True, **threshold)
    settings = {
        "validation_data": digits.validation,
        "callbacks": [saver],
        "verbose": 0,
    }
    return (
        build(keras.optimizers.SGD(0.5))
        .fit(digits.train, epochs=epochs, **settings)
        .history["val_loss"]
    )


run(6)
before = path.read_bytes()
to_beat = keras.models.load_model(path).evaluate(digits.validation, verbose=0)[0]
(restarted,) = run(1, initial_value_threshold=to_beat)
print(f"to beat: {to_beat:.3f}, and the new run begins with {restarted:.3f}")
print("the good file is untouched:", path.read_bytes() == before)
# %% tags=["solution"]
assert restarted > to_beat
assert path.read_bytes() == before
# %%
# Take home 7: a restart knows what has to be beaten; run this cell twice
from pathlib import Path

import keras
import numpy as np

path, x = Path("runs/7/best.keras"), np.random.default_rng(1).normal(size=(60, 4))
rows = (x[30:], x[30:, :1])  # the same for both
to_beat = None
if path.exists():
    to_beat = keras.models.load_model(path).evaluate(*rows, verbose=0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
saver = keras.callbacks.ModelCheckpoint(
    path, save_best_only=True, initial_value_threshold=to_beat
)
settings = {"validation_data": rows, "callbacks": [saver], "verbose": 0}
model.fit(x[:30], x[:30, :1], epochs=2, **settings)
print("had to beat:", to_beat, "  best now:", saver.best)
# %% [markdown]
# ## 21. The metric is suddenly called auc_1
#
# **You see:** the first model trains well. You run the cell again, and the callback finds no `val_auc`.
#
# **People ask:** [tensorflow#43645](https://github.com/tensorflow/tensorflow/issues/43645), where a grid search
# builds model after model, and [keras#13580](https://github.com/keras-team/keras/issues/13580), about the names with
# several outputs.
# %% tags=["predict"]
widgets.predict("08b.p21")
# %% [markdown]
# Is the digit larger than 4? Two models, one after the other. `clear_session` makes this cell begin like a new
# kernel.
# %%
large = (digits.y_train > 4).astype("float32")


def train(metric, *callbacks):
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(
        "adam", loss="binary_crossentropy", metrics=[metric], run_eagerly=True
    )
    settings = {"validation_split": 0.2, "callbacks": list(callbacks), "verbose": 0}
    return model.fit(digits.x_train, large, **settings)


# %%
keras.utils.clear_session()
saver = ModelCheckpoint(
    folder / "21.keras", monitor="val_auc", mode="max", save_best_only=True
)
first = train(keras.metrics.AUC(), saver)
second = train(keras.metrics.AUC(), saver)
print("first: ", *first.history)
print("second:", *second.history)
widgets.reveal("08b.p21")
# %% tags=["solution"]
assert "val_auc" in first.history
assert "val_auc_1" in second.history
# %%
auto = ModelCheckpoint(folder / "21.keras", monitor="val_auc", save_best_only=True)
with checks.expect_error(ValueError, match="automatically determine"):
    train(keras.metrics.AUC(), auto)
# %% [markdown]
# **The fix:** give it a name. (The text `"AUC"` always gives `val_AUC`.)
# %%
named = [train(keras.metrics.AUC(name="auc"), saver) for _ in range(2)]
print(*named[1].history)
# %% tags=["solution"]
assert all("val_auc" in history.history for history in named)
# %% [markdown]
# `keras.utils.clear_session()` before each model gives the old names too, and more than that: it puts the dtype policy
# back. With mixed precision, set the policy again after each call:
# [trouble 44](08f_tuning.ipynb#44.-After-clear_session,-mixed-precision-is-gone).
# <!-- claim: tuning.test_clear_session_resets_the_policy -->
# %%
keras.config.set_dtype_policy("mixed_float16")
keras.utils.clear_session()
print("after clear_session:", keras.config.dtype_policy().name)
# %% [markdown]
# With several outputs, the name of the output comes first: `val_left_mae`. Whatever the model,
# `list(history.history)` shows the names that callbacks can use.
# %%
# Take home 21: a metric with a name is called the same in each model
import keras
import numpy as np

x = np.random.default_rng(1).normal(size=(60, 4))
for attempt in (1, 2):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")]
    )
    auc = keras.metrics.AUC(name="auc")
    model.compile("sgd", loss="binary_crossentropy", metrics=[auc])
    saver = keras.callbacks.ModelCheckpoint(
        f"runs/21-{attempt}.keras", monitor="val_auc", mode="max", save_best_only=True
    )
    settings = {"validation_split": 0.2, "callbacks": [saver], "verbose": 0}
    history = model.fit(x, x[:, :1] > 0, **settings)
    print(*history.history)
# %% [markdown]
# ## 25. KeyError for a name in the file name
#
# **You see:** a `KeyError` that quotes the name of your file, braces and all.
#
# **People ask:** [keras#6104](https://github.com/keras-team/keras/issues/6104).
# %% tags=["predict"]
widgets.predict("08b.p25")
# %% [markdown]
# The model is compiled with `metrics=["accuracy"]`. One epoch:
# %%
begun = []
note = LambdaCallback(on_epoch_end=lambda epoch, logs: begun.append(list(logs)))
saver = ModelCheckpoint(folder / "25" / "{epoch:02d}-{val_acc:.2f}.keras")
with checks.expect_error(KeyError):
    build().fit(
        digits.train,
        validation_data=digits.validation,
        callbacks=[note, saver],
        verbose=0,
    )
print("the epoch had ended, with:", *begun[0])
widgets.reveal("08b.p25")
# %% tags=["solution"]
assert len(begun) == 1


# %% [markdown]
# **The fix:** take a name that is there: `val_accuracy`, as compiled. To learn of a typo in seconds, try the callbacks
# on one step before the long run.
# %%
def try_name(name):
    settings = {
        "validation_data": digits.validation,
        "steps_per_epoch": 1,
        "validation_steps": 1,
        "verbose": 0,
    }
    build().fit(
        digits.train, callbacks=[ModelCheckpoint(folder / "25" / name)], **settings
    )


with checks.expect_error(KeyError):
    try_name("{epoch:02d}-{val_acc:.2f}.keras")
try_name("{epoch:02d}-{val_accuracy:.2f}.keras")
(trial,) = (folder / "25").iterdir()
print(trial.name)
trial.unlink()
# %% [markdown]
# For the long run make new callbacks, since a used `ModelCheckpoint` remembers its best
# ([trouble 17](08c_callbacks.ipynb#17.-A-callback-used-twice-remembers-the-first-training)), and delete the file of the
# trial, as here.
# %%
# Take home 25: try the callbacks on one step before the long run
from pathlib import Path

import keras
import numpy as np

place, x = Path("runs/25"), np.random.default_rng(1).normal(size=(60, 4))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
model.compile("sgd", loss="mse", metrics=["mae"])
name = str(place / "{epoch:02d}-{val_mae:.2f}.keras")
settings = {"validation_split": 0.2, "batch_size": 16, "verbose": 0}
trial = keras.callbacks.ModelCheckpoint(name)
model.fit(x[:20], x[:20, :1], callbacks=[trial], **settings)  # a typo shows here
for path in place.iterdir():
    path.unlink()
model.fit(x, x[:, :1], callbacks=[keras.callbacks.ModelCheckpoint(name)], **settings)
print(*(path.name for path in place.iterdir()))
# %% [markdown]
# ## 33. A kill during a save leaves no readable model
#
# **You see:** the machine was switched off, or the cluster ended the job. The file is there, `load_model` says it is
# not found, and the older model of the same name is gone too.
#
# No thread was found that names the cause. The message, without a cause, stands in
# [keras#20259](https://github.com/keras-team/keras/issues/20259); a backup that cannot be read after an interrupt in
# [keras#20463](https://github.com/keras-team/keras/issues/20463).
# %% tags=["predict"]
widgets.predict("08b.p33")
# %% [markdown]
# A second Python saves a model over ours, and we kill it before its weights are in the file. The layer `Slow` stands
# for a model so large that its save takes a minute.
# %%
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, sys, time, keras

class Slow(keras.layers.Layer):
    def save_own_variables(self, store):
        print("in the middle", flush=True)
        time.sleep(60)

model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10), Slow()])
written, kept = sys.argv[1:]
model.save(written)
os.replace(written, kept)  # changes nothing if both are the same
"""


# %% [markdown]
# The next cell takes some seconds: the other Python has to load TensorFlow.
# %%
def kill_while_saving(written, kept):
    command = [sys.executable, "-c", PROGRAM, written, kept]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        said = process.stdout.readline()
        process.kill()
    assert said, (
        "The second Python did not get as far as saving. Is there enough memory?"
    )


path = folder / "33.keras"
build().save(path)
print("a good model:  ", path.stat().st_size, "bytes")
kill_while_saving(path, path)
print("after the kill:", path.stat().st_size, "bytes")
with checks.expect_error(ValueError):
    keras.models.load_model(path)
widgets.reveal("08b.p33")


# %% [markdown]
# "File not found", and there it is, the first part of it.
# %%
class StopButton(keras.layers.Layer):
    def save_own_variables(self, store):
        raise KeyboardInterrupt("the stop button")


build().save(path, overwrite=True)  # good again
stopped = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10), StopButton()])
with checks.expect_error(KeyboardInterrupt):
    stopped.save(path, overwrite=True)
with checks.expect_error(ValueError):
    keras.models.load_model(path, custom_objects={"StopButton": StopButton})
# %% [markdown]
# Weights files are no safer. This is what one says that a kill cut off:
# %%
cut_off = folder / "33.weights.h5"
build().save_weights(cut_off)
os.truncate(cut_off, cut_off.stat().st_size // 2)
with checks.expect_error(OSError):
    build().load_weights(cut_off)


# %% [markdown]
# One that the stop button cut short may even load, with a warning, if only the optimizer is missing:
# %%
class StopLate(keras.optimizers.SGD):
    def save_own_variables(self, store):
        raise KeyboardInterrupt("the stop button, after the layers")


with checks.expect_error(KeyboardInterrupt):
    build(StopLate()).save_weights(cut_off, overwrite=True)
build().load_weights(cut_off)
# %% [markdown]
# **The fix:** save under another name, and rename when it is complete: `os.replace` swaps in one step. The same kill
# at the same place:
# %%
build().save(path, overwrite=True)
before = path.read_bytes()
new = folder / "33-new.keras"  # the same folder, and it must end in .keras
kill_while_saving(new, path)
print("the good model is whole:", path.read_bytes() == before)
keras.models.load_model(path)
# %% tags=["solution"]
assert path.read_bytes() == before
assert new.exists()


# %% [markdown]
# As a callback that keeps the best. `best` moves on only when the file is safe. `os.fsync` is for a power failure,
# which a kill cannot show: it waits until the bytes are on the disk. (With all arguments of `ModelCheckpoint`:
# `AtomicCheckpoint` in [lesson 09](09_survive_a_kill.ipynb). Or simply one name per epoch, `"{epoch}.keras"`: a kill
# then costs one file, not the one before.)
# %%
class SaveSafely(Callback):
    def __init__(self, path, monitor="val_loss"):
        super().__init__()
        self.path, self.monitor, self.best = Path(path), monitor, float("inf")

    def on_epoch_end(self, epoch, logs=None):
        if not logs[self.monitor] < self.best:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"new-{self.path.name}")
        self.model.save(new, overwrite=True)
        with open(new, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(new, self.path)
        self.best = logs[self.monitor]


# %% [markdown]
# Three epochs, the last one worse; and then the stop button in the middle of a save:
# %%
saver = SaveSafely(path)
play([2.0, 1.0, 3.0], saver)
steps = int(keras.models.load_model(path).optimizer.iterations)
print("steps in the file:", steps)

before = path.read_bytes()
saver.set_model(stopped)
with checks.expect_error(KeyboardInterrupt):
    saver.on_epoch_end(3, {"val_loss": 0.5})
print("the good model is whole:", path.read_bytes() == before, "  best:", saver.best)
# %% tags=["solution"]
assert steps == 4
assert path.read_bytes() == before
assert saver.best == 1.0
# %% [markdown]
# **A backup can be cut off as well.** `BackupAndRestore(folder, double_checkpoint=True)` keeps the one before, and takes
# it when the last cannot be read. Here the stop button comes when epoch 4 begins, and the last backup is damaged:
# <!-- claim: resuming.test_double_checkpoint_goes_on_from_the_one_before -->
# %%
from keras.callbacks import BackupAndRestore


def press_stop(epoch, logs):
    if epoch == 3:
        raise KeyboardInterrupt("the stop button")


stop = LambdaCallback(on_epoch_begin=press_stop)
place = lesson.new_folder("08b")
with checks.expect_error(KeyboardInterrupt):
    play([1.0] * 5, BackupAndRestore(place, double_checkpoint=True), stop)
latest = place / "latest.weights.h5"
os.truncate(latest, latest.stat().st_size // 2)
history = play([1.0] * 5, BackupAndRestore(place, double_checkpoint=True))
print("epochs that ran now:", printed(history.epoch))
# %% tags=["solution"]
assert history.epoch == [2, 3, 4]
# %%
# Take home 33: the best model, saved beside the file and then renamed
import os

import keras

os.makedirs("runs", exist_ok=True)
x, best = keras.random.normal((60, 4), seed=1), [float("inf")]
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
model.compile("sgd", loss="mse")


def save_best(epoch, logs):
    if logs["val_loss"] < best[-1]:
        model.save("runs/33-new.keras", overwrite=True)
        os.replace("runs/33-new.keras", "runs/33.keras")
        best.append(logs["val_loss"])


safe = keras.callbacks.LambdaCallback(on_epoch_end=save_best)
print(model.fit(x, x, validation_split=0.2, callbacks=[safe], verbose=0).epoch, best)
# %% [markdown] tags=["instructor"]
# Ask who has pressed the stop button during a training that saves. Expect that few connect it with the file that does
# not load a day later.
# %% [markdown]
# ## 53. The save fails because the file is open elsewhere
#
# **You see:** hours into the training `ModelCheckpoint` stops it with "unable to lock file", or with "unable to truncate
# a file which is already open".
#
# **People ask:** [keras#11101](https://github.com/keras-team/keras/issues/11101) and
# [keras#11796](https://github.com/keras-team/keras/issues/11796).
# %% tags=["predict"]
widgets.predict("08b.p53")


# %% [markdown]
# Somebody reads our weights in another program, a viewer of HDF5 files perhaps, and leaves them open. We train on, and
# save.
# %%
import subprocess
import sys
from contextlib import contextmanager

VIEWER = "import h5py, sys; it = h5py.File(sys.argv[1]); print(1, flush=True); input()"


@contextmanager
def open_elsewhere(path):
    command = [sys.executable, "-c", VIEWER, path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as viewer:
        viewer.stdout.readline()
        yield
        viewer.communicate(b"\n")


# %%
path = folder / "53.weights.h5"
build().save_weights(path)
print("before:", path.stat().st_size, "bytes")
saver = ModelCheckpoint(path, save_weights_only=True)
with open_elsewhere(path), checks.expect_error(OSError):
    play([1.0], saver)
print("after: ", path.stat().st_size, "bytes")
widgets.reveal("08b.p53")
# %% tags=["solution"]
import os

assert os.name == "nt" or path.stat().st_size == 0
# %% [markdown]
# The other message comes when it is your own program that has the file open: a cell that never closed it. Then the file
# stays as it is. So read with `with h5py.File(path) as file:`.
# <!-- claim: files.test_a_file_open_in_the_same_program_stays_whole -->
# %%
import h5py

build().save_weights(path)
forgotten = h5py.File(path)
with checks.expect_error(OSError):
    play([1.0], saver)
forgotten.close()
build().load_weights(path)
print("the file is whole")
# %% [markdown]
# **The fix:** save beside it and rename, as in [trouble 33](#33.-A-kill-during-a-save-leaves-no-readable-model).
# `AtomicCheckpoint` of [lesson 09](09_survive_a_kill.ipynb) does so. The reader keeps the old file, and the new one
# takes its name. (Windows renames over no open file: there the old one stays, and the next epoch tries again. One name
# per epoch, `"{epoch}.weights.h5"`, works everywhere.)
# %%
from helpers.callbacks import AtomicCheckpoint

model = build()
with open_elsewhere(path):
    safe = AtomicCheckpoint(path, save_weights_only=True, on_failure="warn")
    play([1.0, 0.5], safe, model=model)
again = build()
again.load_weights(path)
print("steps in the file:", int(again.optimizer.iterations))
# %% tags=["solution"]
assert os.name == "nt" or again.optimizer.iterations == 4
# %%
# Take home 53: save beside the file, then rename; whoever reads it is not in the way
import os
from pathlib import Path

import keras
import numpy as np


class SaveBeside(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        Path("runs").mkdir(exist_ok=True)
        self.model.save_weights("runs/53-new.weights.h5", overwrite=True)
        os.replace("runs/53-new.weights.h5", "runs/53.weights.h5")


x = np.random.default_rng(1).normal(size=(60, 4))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", loss="mse")
model.fit(x, x[:, :1], callbacks=[SaveBeside()], verbose=0)
print(*(path.name for path in Path("runs").glob("53*")))
# %% [markdown]
# ## Key takeaways
#
# - `.keras` for models, `.weights.h5` for weights; the ending decides.
# - What a callback knows dies with the object: after a restart say what has to be beaten.
# - `save_freq` counts batches, and at a batch's end there is no `val_loss`.
# - Never save over the only good file: save beside it, then rename. It helps against kills, the stop button and readers.
# %% [markdown]
# ## Where next
#
# Back to [the index of all troubles](08_pitfall_lab.ipynb), or on to those with
# [loading and resuming](08g_loading.ipynb).
