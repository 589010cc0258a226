# %% [markdown]
# # Find your trouble: data and validation
#
# **You will** see one of 2 troubles with data and validation happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The numbers are those of the index in [the pitfall lab](08_pitfall_lab.ipynb), hence the gaps.
#
# **Minutes:** 3
# for one trouble
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("08d")
import keras
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint

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
folder = lesson.new_folder("08d")
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
# ## 3. It never stops, and val_loss is not available
#
# **You see:** all epochs run, nothing is restored, and somewhere in the log is one warning.
#
# **People ask:** [keras#13689](https://github.com/keras-team/keras/issues/13689),
# [Stack Overflow 59706714](https://stackoverflow.com/questions/59706714).
# %% tags=["predict"]
widgets.predict("08d.p3")
# %%
for monitor in ["val_loss", "val_accuracy"]:
    stopper = EarlyStopping(monitor, patience=1, restore_best_weights=True)
    run = play(stopper, epochs=4)
    print(
        "epochs:",
        run.epochs,
        "  best:",
        stopper.best,
        "  best_weights:",
        stopper.best_weights,
    )
widgets.reveal("08d.p3")
# %% [markdown]
# **The fix:** `validation_data=...`. For arrays, `validation_split=0.2` holds back the last rows.
# %%
x, y = digits.x_train, digits.y_train
stopper = EarlyStopping(patience=1, restore_best_weights=True)
history = toy.fit(
    x, y, validation_split=0.2, epochs=3, callbacks=[stopper], verbose=0
).history
print("names:", *history)
print(
    f"best of the history: {min(history['val_loss']):.6f},",
    f"best of the callback: {stopper.best:.6f}",
)
# %% tags=["solution"]
assert stopper.best == min(history["val_loss"])
# %% [markdown]
# Would `monitor="loss"` do instead? See
# [trouble 29](08_pitfall_lab.ipynb#29.-It-watches-the-training-loss-and-never-stops).
# %% [markdown]
# ## 9. With validation_freq it stops late, and the best file is lost
#
# **You see:** validation is slow, so you validate every second epoch. Now patience lasts twice as long, warnings come,
# and the saved model is not the best.
#
# **People ask:** [keras#13239](https://github.com/keras-team/keras/issues/13239),
# [keras#13241](https://github.com/keras-team/keras/issues/13241).
# %% tags=["predict"]
widgets.predict("08d.p9")
# %%
every_second = {"validation_data": digits.validation, "validation_freq": 2}
skipping = [None, 0.9, None, 0.1, None, 0.2, None, 0.3, None, 0.4]
saver = ModelCheckpoint(folder / "9.keras", save_best_only=True)
saves = SaveRecorder(saver)
run = play(
    EarlyStopping(patience=2), saver, saves, val_loss=skipping, more=every_second
)
print(
    "epochs:",
    run.epochs,
    "  saved after epochs:",
    [epoch + 1 for epoch in saves.epochs],
)
widgets.reveal("08d.p9")
# %% [markdown]
# **The fix:** validate every epoch, on fewer rows if it is slow. Then both count as you do.
# %%
saver = ModelCheckpoint(folder / "9-fixed.keras", save_best_only=True)
saves = SaveRecorder(saver)
curve = [0.95, 0.9, 0.5, 0.1, 0.15, 0.2, 0.25, 0.3]
run = play(EarlyStopping(patience=2), saver, saves, val_loss=curve)
print(
    "epochs:",
    run.epochs,
    "  saved after epochs:",
    [epoch + 1 for epoch in saves.epochs],
)
# %% tags=["solution"]
assert run.epochs == 6
assert saves.epochs[-1] + 1 == 4
# %% [markdown]
# If you must skip epochs, halve the patience and put `{epoch}` into the file name, so that nothing is written over.
# Not `{val_loss}`, which an epoch without validation does not have:
# %%
saver = ModelCheckpoint(folder / "9" / "{epoch}.keras", save_best_only=True)
run = play(EarlyStopping(patience=1), saver, val_loss=skipping, more=every_second)
files = sorted(file.name for file in (folder / "9").iterdir())
print("epochs:", run.epochs, "  files:", *files)
with checks.expect_error(KeyError):
    play(
        ModelCheckpoint(folder / "{val_loss}.keras"),
        val_loss=skipping,
        more=every_second,
    )
# %% tags=["solution"]
assert (run.epochs, files) == (6, [f"{epoch}.keras" for epoch in range(1, 6)])
# %% [markdown]
# ## Key takeaways
#
# - Without a value to look at, a callback warns and goes on: read the log of the first epochs.
# %% [markdown]
# ## Where next
#
# Back to [the index](08_pitfall_lab.ipynb#Index), or on to [troubles with the learning rate](08e_learning_rate.ipynb).
