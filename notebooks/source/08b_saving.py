# %% [markdown]
# # Find your trouble: saving and loading
#
# **You will** see one of 10 troubles with files happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The index of all is in [the pitfall lab](08_pitfall_lab.ipynb). The minutes are for one trouble.
#
# **Minutes:** 5
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("08b")
import keras
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

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
# others symptom, cause and fix in one minute. Numbers 7 and 33 make the best stories, 5 and 27 the longest faces.
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
# %% [markdown]
# ## 8. BackupAndRestore forgets the best
#
# **You see:** `BackupAndRestore` brings a broken training back: epoch, weights, optimizer. But patience starts anew,
# and the best file is overwritten by a worse model.
#
# **People ask:** [keras#17012](https://github.com/keras-team/keras/issues/17012), still open.
# %% tags=["predict"]
widgets.predict("08b.p8")
# %% [markdown]
# First the power cut: an interrupt when epoch 4 begins. The best value came in epoch 1.
# %%
from keras.callbacks import BackupAndRestore

home, values = lesson.new_folder("08b"), [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def power_cut(epoch, logs):
    if epoch == 3:
        raise KeyboardInterrupt("a power cut")


cut = LambdaCallback(on_epoch_begin=power_cut)
stopper = EarlyStopping(patience=3)
saver = ModelCheckpoint(home / "best.keras", save_best_only=True)
with checks.expect_error(KeyboardInterrupt):
    play(values, stopper, saver, BackupAndRestore(home / "backup"), cut)
print(
    f"EarlyStopping had waited {stopper.wait} epochs",
    f"for something better than {stopper.best}",
)
# %% [markdown]
# Then the restart, as a new program would do it. (To see it again, run from the power cut on.)
# %%
stopper = EarlyStopping(patience=3)
saver = ModelCheckpoint(home / "best.keras", save_best_only=True)
saves, model = SaveRecorder(saver), build()
history = play(
    values, stopper, saver, saves, BackupAndRestore(home / "backup"), model=model
)
print("epochs that ran now:", printed(history.epoch), "  best:", stopper.best)
print("best.keras was overwritten after epoch", *printed(saves.epochs))
widgets.reveal("08b.p8")
# %% tags=["solution"]
assert (stopper.best, saves.epochs, history.epoch) == (2.0, [3], [3, 4, 5, 6])
# %% [markdown]
# **The fix:** for the file: `initial_value_threshold`. For the stopper: write its state down after each epoch, and
# read it when training begins. (Not together with `restore_best_weights`: the best weights are not written down. Load
# the best file instead.)
# %%
import json
from pathlib import Path


# %%
class Remembering(EarlyStopping):
    def __init__(self, file, **settings):
        super().__init__(**settings)
        self.file = Path(file)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if self.file.exists():
            self.wait, self.best, self.best_epoch = json.loads(self.file.read_text())

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps([self.wait, self.best, self.best_epoch]))

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self.file.unlink(missing_ok=True)  # training is over: the next one begins anew


# %% [markdown]
# `start` serves for the first start and for the next, since it asks whether there is something to remember:
# %%
home = lesson.new_folder("08b")
file = home / "stopper.json"


def start(*more):
    best = json.loads(file.read_text())[1] if file.exists() else None
    stopper = Remembering(file, patience=3)
    saver = ModelCheckpoint(
        home / "best.keras", save_best_only=True, initial_value_threshold=best
    )
    saves = SaveRecorder(saver)
    history = play(
        values, stopper, saver, saves, BackupAndRestore(home / "backup"), *more
    )
    return stopper.best, saves.epochs, history.epoch


# %% [markdown]
# The same cut, the same restart:
# %%
with checks.expect_error(KeyboardInterrupt):
    start(cut)
best, saved, ran = start()
print("epochs that ran now:", printed(ran), "  best:", best)
print("best.keras was overwritten after epoch:", *(printed(saved) or ["none"]))
# %% tags=["solution"]
assert (best, saved, ran) == (1.0, [], [3])
# %% [markdown]
# **Two more surprises.** A model without an input shape is refused. And a restored model keeps its first epoch in
# mind: a later `fit` of the same model begins there too. A shorter one trains nothing, a longer one only its last
# epochs, and neither says so. Make a new model for it.
# %%
shapeless = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
shapeless.compile("sgd", loss="sparse_categorical_crossentropy")
with checks.expect_error(ValueError):
    shapeless.fit(digits.train, callbacks=[BackupAndRestore(home / "other")], verbose=0)

for epochs, expected in ((2, []), (5, [3, 4])):
    later = model.fit(digits.train, epochs=epochs, verbose=0)
    print("asked for", epochs, "epochs, ran", printed(later.epoch) or "none")
    assert later.epoch == expected, f"expected {expected}: is this another Keras?"
# %% [markdown]
# ## 20. The reloaded model evaluates differently
#
# **You see:** the log said 0.42, the file says 0.61. Is saving broken?
#
# **People ask:** [keras#9933](https://github.com/keras-team/keras/issues/9933),
# [handson-ml2#258](https://github.com/ageron/handson-ml2/issues/258) and
# [handson-ml2#298](https://github.com/ageron/handson-ml2/issues/298).
# %% tags=["predict"]
widgets.predict("08b.p20")


# %% [markdown]
# `Centre` subtracts a number that it keeps in an attribute.
# %%
class Centre(keras.layers.Layer):
    mean = 0.0

    def set_mean(self, value):
        self.mean = value

    def call(self, x):
        return x - self.mean


# %% [markdown]
# Train, save, load, evaluate both:
# %%
def saved_and_loaded(layer, mean):
    keras.utils.set_random_seed(8)
    answer = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), layer, answer])
    model.compile("adam", loss="sparse_categorical_crossentropy", run_eagerly=True)
    if mean is not None:
        layer.set_mean(mean)
    model.fit(digits.train, epochs=2, verbose=0)
    model.save(folder / "20.keras")
    known = {type(layer).__name__: type(layer)}
    loaded = keras.models.load_model(folder / "20.keras", custom_objects=known)
    return [one.evaluate(digits.validation, verbose=0) for one in (model, loaded)]


# %% [markdown]
# Validation loss in memory, and of the file; first with a layer that does nothing, then with ours.
# %%
without = saved_and_loaded(keras.layers.Identity(), None)
print("without the layer:", without)
centred = saved_and_loaded(Centre(), 1.0)
print("with the layer:   ", centred)
widgets.reveal("08b.p20")
# %% tags=["solution"]
assert abs(without[0] - without[1]) < 1e-6
assert abs(centred[0] - centred[1]) > 1e-3


# %% [markdown]
# **The fix:** make state a weight that is not trained.
# %%
class KeptCentre(keras.layers.Layer):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.mean = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def set_mean(self, value):
        self.mean.assign(value)

    def call(self, x):
        return x - self.mean


kept = saved_and_loaded(KeptCentre(), 1.0)
print("as a weight:", kept)
# %% tags=["solution"]
assert abs(kept[0] - kept[1]) < 1e-6
# %% [markdown]
# No layer of your own? Then compare like with like: the same rows, a validation value (a printed **training** loss is
# a mean over the epoch: [trouble
# 18](08a_stopping.ipynb#18.-The-restored-model-does-not-have-the-loss-that-was-printed)), and the epoch that was
# saved ([trouble 1](08_pitfall_lab.ipynb#1.-Training-ends-with-the-last-model,-not-the-best)).
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
# **The fix:** give it a name. (`keras.utils.clear_session()` before each model works too. The text `"AUC"` always
# gives `val_AUC`.)
# %%
named = [train(keras.metrics.AUC(name="auc"), saver) for _ in range(2)]
print(*named[1].history)
# %% tags=["solution"]
assert all("val_auc" in history.history for history in named)
# %% [markdown]
# With several outputs, the name of the output comes first: `val_left_mae`. Whatever the model,
# `list(history.history)` shows the names that callbacks can use.
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
# %% [markdown]
# ## 27. Resuming starts anew, or trains nothing
#
# **You see:** the model is loaded, training goes on, and the loss jumps; or `fit` returns at once, with an empty
# history.
#
# **People ask:** [keras#1872](https://github.com/keras-team/keras/issues/1872) and
# [keras#12891](https://github.com/keras-team/keras/issues/12891).
# %% tags=["predict"]
widgets.predict("08b.p27")


# %% [markdown]
# Six epochs that nobody interrupts, saved after each, in steps large enough to see the jump. Then three ways of
# resuming after the third that go wrong.
# %%
def adam():
    return keras.optimizers.Adam(0.1)


home = folder / "27"
savers = [
    ModelCheckpoint(home / "{epoch}.keras"),
    ModelCheckpoint(home / "{epoch}.weights.h5", save_weights_only=True),
]
unbroken = (
    build(adam())
    .fit(digits.train, epochs=6, callbacks=savers, verbose=0)
    .history["loss"]
)
print("loss in epochs 3 and 4:", unbroken[2:4])
# %% [markdown]
# "Three more epochs", compiling again, and loading weights alone:
# %%
model = keras.models.load_model(home / "3.keras")
history = model.fit(digits.train, initial_epoch=3, epochs=3, verbose=0)
print("three more epochs?", history.history)

model.compile(adam(), loss="sparse_categorical_crossentropy", run_eagerly=True)
fresh = build(adam())
fresh.load_weights(home / "3.weights.h5")
forgot = {}
for name, wrong in (("compiled again", model), ("load_weights", fresh)):
    steps = int(wrong.optimizer.iterations)
    loss = wrong.fit(digits.train, initial_epoch=3, epochs=4, verbose=0).history["loss"]
    forgot[name] = (steps, loss[0])
    print(f"{name}: Adam remembers {steps} steps, loss in epoch 4:", loss)
widgets.reveal("08b.p27")
# %% tags=["solution"]
assert history.history == {}
assert all(steps == 0 and loss > unbroken[3] + 0.1 for steps, loss in forgot.values())
# %% [markdown]
# **The fix:** a `.keras` file, `load_model`, no `compile`, and count on.
# %%
model = keras.models.load_model(home / "3.keras")
print("steps that it remembers:", int(model.optimizer.iterations))
history = model.fit(digits.train, initial_epoch=3, epochs=6, verbose=0)
print("resumed: ", history.history["loss"])
print("unbroken:", unbroken[3:])
# %% tags=["solution"]
assert (
    max(abs(a - b) for a, b in zip(history.history["loss"], unbroken[3:], strict=True))
    < 1e-5
)
# %% [markdown]
# Only weights at hand? `model.optimizer.build(model.trainable_variables)` before `load_weights` makes the room:
# [lesson 03b](03b_resume.ipynb) shows it.
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
# As a callback. It saves after every epoch, better or not. `os.fsync` is for a power failure, which a kill cannot
# show: it waits until the bytes are on the disk. (Or simply one name per epoch, `"{epoch}.keras"`: a kill then costs
# one file, not the one before.)
# %%
class SaveSafely(Callback):
    def __init__(self, path):
        super().__init__()
        self.path = Path(path)

    def on_epoch_end(self, epoch, logs=None):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"new-{self.path.name}")
        self.model.save(new, overwrite=True)
        with open(new, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(new, self.path)


# %% [markdown]
# Two epochs, and then the stop button in the middle of a save:
# %%
saver = SaveSafely(path)
play([1.0, 2.0], saver)

before = path.read_bytes()
saver.set_model(stopped)
with checks.expect_error(KeyboardInterrupt):
    saver.on_epoch_end(2)
print("the good model is whole:", path.read_bytes() == before)
# %% tags=["solution"]
assert keras.models.load_model(path).optimizer.iterations == 4
assert path.read_bytes() == before
# %% [markdown] tags=["instructor"]
# Ask who has pressed the stop button during a training that saves. It is the usual way to meet this one, and nobody
# connects it with the file that does not load a day later.
# %% [markdown]
# ## Key takeaways
#
# - What a callback knows dies with the object: after a restart say what has to be beaten.
# - `.keras` for models, `.weights.h5` for weights; the ending decides.
# - `save_freq` counts batches, and at a batch's end there is no `val_loss`.
# - To resume, load a `.keras` file, do not compile, and remember that `epochs` is the last epoch's number.
# - State that is no weight is not in the file.
# - Never save over the only good file: save beside it, then rename.
# %% [markdown]
# ## Where next
#
# Back to [the index of all troubles](08_pitfall_lab.ipynb), or to those with
# [callbacks of your own and old code](08c_callbacks.ipynb).
