# %% [markdown]
# # Find your trouble: the learning rate
#
# **You will** see one of 2 troubles with the learning rate happen, know why, and take a proved fix home.
#
# **You need** to have trained a model with `fit`. Run every cell above the first trouble, then jump to yours: each
# stands for itself. The numbers are those of the index in [the pitfall lab](08_pitfall_lab.ipynb), hence the gaps.
#
# **Minutes:** 3
# for one trouble
# %% tags=["setup"]
from helpers import data, lesson, widgets

lesson.begin("08e")
import keras
from keras.callbacks import Callback, EarlyStopping, ReduceLROnPlateau


# %% [markdown]
# ## Tools
#
# `play` runs a real `fit` of a tiny model. The callback `Script` stands first and writes the values of our choice into
# `logs`; the callbacks behind it believe them. So each trouble shows in a second.
#
# `Album` keeps the weights of each epoch, to tell afterwards whose weights a model holds. You
# can use all this without reading it.
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
# ## 13. EarlyStopping waits where ReduceLROnPlateau acts
#
# **You see:** both have the same patience and monitor, and only one of them thinks that training stalls. People say
# that they count differently.
#
# **People ask:** [keras#9541](https://github.com/keras-team/keras/issues/9541).
# %% tags=["predict"]
widgets.predict("08e.p13")
# %%
tiny_steps = [1 - 0.00001 * epoch for epoch in range(6)]
for curve in [tiny_steps, [1.0] * 6]:
    run = play(EarlyStopping(patience=2), ReduceLROnPlateau(patience=2), val_loss=curve)
    rates = [*run.history.history["learning_rate"], float(toy.optimizer.learning_rate)]
    *used, then = [f"{rate:.5f}" for rate in rates]
    print("epochs:", run.epochs, "  rates:", *used, "  afterwards:", then)
widgets.reveal("08e.p13")
# %% [markdown]
# **The fix:** the same `min_delta` in both. Then they agree, on progress and on plateaus.
# %%
ends = []
for curve in [tiny_steps, [1.0] * 6]:
    run = play(
        EarlyStopping(patience=2),
        ReduceLROnPlateau(patience=2, min_delta=0),
        val_loss=curve,
    )
    ends.append((run.epochs, round(float(toy.optimizer.learning_rate), 5)))
    print("epochs:", ends[-1][0], "  rate afterwards:", ends[-1][1])
# %% tags=["solution"]
assert ends == [(6, 0.01), (3, 0.001)]
# %% [markdown]
# ## 14. The learning rate never falls
#
# **You see:** `ReduceLROnPlateau` is in the list, training stalls and ends, and the learning rate is the same
# throughout.
#
# **People ask:** [yolov3-tf2#181](https://github.com/zzh8829/yolov3-tf2/issues/181).
# %% tags=["predict"]
widgets.predict("08e.p14")
# %%
for patience in [4, 3, 2]:
    run = play(
        ReduceLROnPlateau(patience=patience),
        EarlyStopping(patience=3),
        val_loss=[1.0] * 9,
    )
    rates = run.history.history["learning_rate"]
    print(f"patience {patience} against 3: rates", *(f"{rate:.3f}" for rate in rates))
widgets.reveal("08e.p14")
# %% [markdown]
# **The fix:** the rate's patience is shorter, by the number of epochs that the new rate gets.
# %%
run = play(ReduceLROnPlateau(patience=3), EarlyStopping(patience=5), val_loss=[1.0] * 9)
rates = run.history.history["learning_rate"]
print("patience 3 against 5: rates", *(f"{rate:.3f}" for rate in rates))
# %% tags=["solution"]
assert sum(rate < 0.009 for rate in rates) == 2
# %% [markdown]
# ## Key takeaways
#
# - `EarlyStopping` and `ReduceLROnPlateau` count alike; what counts as better, and how long each waits, is up to you.
# %% [markdown]
# ## Where next
#
# Back to [the index](08_pitfall_lab.ipynb#Index), or on to [troubles with saving](08b_saving.ipynb).
