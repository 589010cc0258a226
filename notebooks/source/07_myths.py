# %% [markdown]
# # Put myths to the test
#
# **You will** meet eleven beliefs about callbacks, commit to true or false, and let Keras decide. At the end a score
# tells you which lessons are worth a second look.
#
# **You need** [lessons 01](01_callbacks.ipynb) to [06](06_inside_and_your_own.ipynb).
#
# **Minutes:** 32
# %% tags=["setup"]
from helpers import checks, data, lesson, plots, style, widgets

lesson.begin("07")
import keras
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

from helpers.callbacks import SaveRecorder

# %% [markdown]
# What people say about callbacks travels from page to page. Some of it is true, some was true of an older Keras, and
# some never was.
#
# For each: commit first, then run the experiment, whose last line tells the verdict. An answer that you only thought of
# does not count: afterwards, everybody knew it.
#
# The means are old friends: the digits with wrong labels, a model that overfits, and `play`, which shows callbacks a
# curve of our choice.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)
folder = lesson.new_folder("07")


def build():
    keras.utils.set_random_seed(5)
    hidden = keras.layers.Dense(128, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    adam = keras.optimizers.Adam(0.01)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %%
def train(model, epochs, *callbacks):
    return model.fit(
        digits.train,
        validation_data=digits.validation,
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    )


# %%
class Script(Callback):
    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


output = keras.layers.Dense(10, activation="softmax")
toy = keras.Sequential([keras.Input((64,)), output])
toy.compile("sgd", loss="sparse_categorical_crossentropy")


def play(values, *callbacks):
    callbacks = [Script(values), *callbacks]
    return toy.fit(digits.train, epochs=len(values), callbacks=callbacks, verbose=0)


# %% [markdown]
# ## 1. EarlyStopping stops when the metric stops improving
# %% tags=["predict"]
widgets.predict("07.a")
# %% [markdown]
# A curve that stops improving after epoch 3, and three patiences, from the most impatient on:
# %%
ran = {}
for patience in [0, 1, 3]:
    stopper = EarlyStopping(patience=patience)
    history = play([0.9, 0.7, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6], stopper)
    ran[patience] = len(history.epoch)
    print(f"patience={patience}: best epoch {stopper.best_epoch + 1}, ", end="")
    print(f"stopped after epoch {ran[patience]}")
widgets.reveal("07.a")
# %% tags=["solution"]
assert ran == {patience: 3 + max(patience, 1) for patience in ran}
# %% [markdown]
# ## 2. ModelCheckpoint saves everything
# %% tags=["predict"]
widgets.predict("07.b")
# %% [markdown]
# One epoch, with a checkpoint that is given a name and nothing else, and one that saves "weights only". What comes back
# from the first file, and what is in the second?
# %%
import h5py

callbacks = [
    ModelCheckpoint(folder / "default.keras"),
    ModelCheckpoint(folder / "only.weights.h5", save_weights_only=True),
]
build().fit(digits.train, epochs=1, callbacks=callbacks, verbose=0)
loaded = keras.models.load_model(folder / "default.keras")
steps = int(loaded.optimizer.iterations)
print("default:     ", len(loaded.layers), "layers,", steps, "steps of the optimizer")
with h5py.File(folder / "only.weights.h5") as file:
    arrays = len(file["optimizer/vars"])
print("weights only:", arrays, "arrays of the optimizer")
widgets.reveal("07.b")
# %% tags=["solution"]
assert steps == 10
assert arrays > 2
# %% [markdown] tags=["instructor"]
# The second is the first true one: expect some to answer "not true" because it is a
# lesson on myths. Take a show of hands before each commit; the room's spread is worth more than the verdict.
# %% [markdown]
# ## 3. Early stopping needs no validation data
# %% tags=["predict"]
widgets.predict("07.c")
# %% [markdown]
# First without validation data. Then with the training loss as the metric to monitor; the validation data is there
# for our eyes only.
# %%
stopper = EarlyStopping(patience=1)
history = toy.fit(digits.train, epochs=6, callbacks=[stopper], verbose=0)
print("no validation data:", len(history.epoch), "of 6 epochs ran")
stopper = EarlyStopping(monitor="loss", patience=2)
losses = train(build(), 25, stopper).history["val_loss"]
best = losses.index(min(losses))
print(f"monitor='loss':     {len(losses)} of 25 epochs ran")
print(f"val_loss: {losses[best]:.3f} in epoch {best + 1}, {losses[-1]:.3f} in the last")
widgets.reveal("07.c")
# %% tags=["solution"]
assert len(losses) > best + 5
assert losses[-1] > losses[best] + 0.05
# %% [markdown]
# ## 4. Callbacks slow training down a lot
# %% tags=["predict"]
widgets.predict("07.d")
# %% [markdown]
# Milliseconds for the fastest of five epochs: with no callback, with one `EarlyStopping`, with a hundred callbacks
# whose hooks are empty, and with a single one that saves after each of the ten batches. They take turns, so that a
# busy machine treats all alike; a few milliseconds are noise.
# %%
import time

model = build()
model.fit(digits.train, epochs=2, verbose=0)  # slow at first: Keras gets ready
cases = {
    "none": [],
    "EarlyStopping": [EarlyStopping(monitor="loss", patience=99)],
    "a hundred idle ones": [Callback() for _ in range(100)],
    "a save each batch": [ModelCheckpoint(folder / "often.keras", save_freq=1)],
}
times = {name: [] for name in cases}
for name in list(cases) * 5:
    start = time.perf_counter()
    model.fit(digits.train, epochs=1, callbacks=cases[name], verbose=0)
    times[name].append(1000 * (time.perf_counter() - start))
for name in cases:
    print(f"{name:20} {min(times[name]):4.0f} ms")
widgets.reveal("07.d")
# %% [markdown]
# ## 5. A bigger patience is always safer
# %% tags=["predict"]
widgets.predict("07.e")
# %% [markdown]
# The same training, with a small and a large patience, and what the model can do afterwards:
# %%
held, bests = {}, {}
for patience in [3, 20]:
    model, stopper = build(), EarlyStopping(patience=patience)
    epochs = len(train(model, 50, stopper).epoch)
    held[patience] = model.evaluate(digits.validation, verbose=0)[0]
    accuracy = model.evaluate(digits.test, verbose=0)[1]
    bests[patience] = stopper.best_epoch + 1
    print(f"patience={patience:2}: {epochs} epochs, best {bests[patience]}; ", end="")
    print(f"val_loss now {held[patience]:.3f}, {accuracy:.1%} of the test digits right")
widgets.reveal("07.e")
# %% tags=["solution"]
assert held[20] > held[3] + 0.02
assert bests[20] == bests[3]
# %% [markdown]
# ## 6. `restore_best_weights` needs an early stop
# %% tags=["predict"]
widgets.predict("07.f")


# %% [markdown]
# Two trainings that `EarlyStopping` does not stop. In the first, the epochs run out.
# %%
model, stopper = build(), EarlyStopping(patience=99, restore_best_weights=True)
train(model, 13, stopper)
now = model.evaluate(digits.validation, verbose=0)[0]
print(f"ran out: val_loss now {now:.4f}, best {stopper.best:.4f}")
# %% tags=["solution"]
assert abs(now - stopper.best) < 1e-4


# %% [markdown]
# In the second, you lose patience yourself at the end of epoch 13 and press the notebook's stop button, which raises a
# `KeyboardInterrupt`.
# %%
def stop_button(epoch, logs):
    if epoch == 12:
        raise KeyboardInterrupt("You pressed the stop button.")


model, stopper = build(), EarlyStopping(patience=99, restore_best_weights=True)
with checks.expect_error(KeyboardInterrupt):
    train(model, 50, stopper, LambdaCallback(on_epoch_end=stop_button))
now = model.evaluate(digits.validation, verbose=0)[0]
print(f"interrupted: val_loss now {now:.4f}, best {stopper.best:.4f}")
widgets.reveal("07.f")
# %% tags=["solution"]
assert now > stopper.best + 0.01
# %% [markdown]
# The callback still has its copy:
# %%
model.set_weights(stopper.best_weights)
now = model.evaluate(digits.validation, verbose=0)[0]
print(f"put back by hand: val_loss now {now:.4f}, best {stopper.best:.4f}")
# %% tags=["solution"]
assert abs(now - stopper.best) < 1e-4
# %% [markdown] tags=["instructor"]
# The stop button is worth a live demonstration: start a long fit, stop it, ask for the weights. Expect that few know
# `stopper.best_weights`.
# %% [markdown]
# ## 7. The last checkpoint survives any crash
# %% tags=["predict"]
widgets.predict("07.g")


# %% [markdown]
# To crash at will, we make a layer that fails while it is being saved, as if the power went off. The checkpoint
# writes the same file after every epoch; the first save goes well.
# %%
@keras.saving.register_keras_serializable()
class Fragile(keras.layers.Dense):
    power = True

    def save_own_variables(self, store):
        if not Fragile.power:
            raise OSError("The power goes off.")
        super().save_own_variables(store)


model = keras.Sequential([keras.Input((64,)), Fragile(10, activation="softmax")])
model.compile("sgd", loss="sparse_categorical_crossentropy")
path = folder / "the_only_copy.keras"
saver = ModelCheckpoint(path)


# %%
def look_at_the_file():
    print(f"{path.stat().st_size} bytes")
    try:
        print("load_model gives the model", keras.models.load_model(path).name)
    except ValueError as error:
        print("load_model gives an error:", str(error).split(":")[0])


model.fit(digits.train, epochs=1, callbacks=[saver], verbose=0)
look_at_the_file()
# %% [markdown]
# Now the power fails during the second save. Is the model of epoch 1 still in the file?
# %%
Fragile.power = False
with checks.expect_error(OSError):
    model.fit(digits.train, initial_epoch=1, epochs=2, callbacks=[saver], verbose=0)
look_at_the_file()
widgets.reveal("07.g")
# %% tags=["solution"]
with checks.expect_error(ValueError):
    keras.models.load_model(path)
# %% [markdown]
# ## 8. The best epoch is the lowest point of the curve
# %% tags=["predict"]
widgets.predict("07.h")
# %% [markdown]
# One curve, and three `EarlyStopping` in one training. All monitor `val_loss`, and none of them stops it.
# %%
curve = [0.50, 0.60, 0.46, 0.44, 0.55]
stoppers = {
    "nothing set": EarlyStopping(patience=99),
    "min_delta=0.1": EarlyStopping(patience=99, min_delta=0.1),
    "start_from_epoch=4": EarlyStopping(patience=99, start_from_epoch=4),
}
play(curve, *stoppers.values())
for name, stopper in stoppers.items():
    print(f"{name:19} best epoch {stopper.best_epoch + 1}, best {stopper.best}")
widgets.reveal("07.h")
# %% tags=["solution"]
assert [stopper.best_epoch + 1 for stopper in stoppers.values()] == [4, 1, 5]
# %% [markdown]
# ## 9. Both callbacks begin afresh with each fit
# %% tags=["predict"]
widgets.predict("07.i")
# %% [markdown]
# The same two objects in two trainings. In the second, all losses are higher.
# %%
stopper = EarlyStopping(patience=99)
saver = ModelCheckpoint(folder / "shared.keras", save_best_only=True)
for values in [[0.5, 0.3, 0.4], [0.9, 0.6, 0.7]]:
    saves = SaveRecorder(saver)
    play(values, stopper, saver, saves)
    saved = [epoch + 1 for epoch in saves.epochs]
    print(f"{values}: EarlyStopping's best {stopper.best}, saved after epochs {saved}")
widgets.reveal("07.i")
# %% tags=["solution"]
assert stopper.best == 0.6
assert saved == []
# %% [markdown]
# ## 10. The two patiences count the same way
# %% tags=["predict"]
widgets.predict("07.j")
# %% [markdown]
# Both get the same patience and the same `min_delta`, on a curve that is best at epoch 3. `ReduceLROnPlateau` writes
# the rate that each epoch was trained with into the history: where the first lower rate stands, the epoch before ended
# with a reduction.
# %%
curve = [0.9, 0.7, 0.6, 0.65, 0.62, 0.61, 0.63, 0.64]
ends = []
for patience in [1, 2, 3]:
    stopped = len(play(curve, EarlyStopping(patience=patience)).epoch)
    reducer = keras.callbacks.ReduceLROnPlateau(patience=patience, min_delta=0)
    rates = play(curve, reducer).history["learning_rate"]
    reduced = next(epoch for epoch, rate in enumerate(rates) if rate < rates[0])
    print(f"patience={patience}: stop after epoch {stopped}, reduced after {reduced}")
    ends.append((stopped, reduced))
widgets.reveal("07.j")
# %% tags=["solution"]
assert all(stopped == reduced for stopped, reduced in ends)
# %% [markdown]
# ## 11. Two bad epochs in three can go on to the end
# %% tags=["predict"]
widgets.predict("07.k")
# %% [markdown]
# A curve that improves in every third epoch only, by a hair, and is much worse in between:
# %%
curve = [1.00, 1.20, 1.30, 0.99, 1.25, 1.10, 0.98, 1.40, 1.20, 0.97, 1.30, 1.35]
stopper = EarlyStopping(patience=3)
history = play(curve, stopper)
style.show(plots.wait_counter(curve, stopping=stopper))
print(len(history.epoch), "of", len(curve), "epochs ran")
widgets.reveal("07.k")
# %% tags=["solution"]
assert len(history.epoch) == len(curve)
# %% [markdown]
# ## Your score
#
# It counts what you committed to, and nothing else.
# %%
checks.score("07")
# %% [markdown] tags=["instructor"]
# For a class: let everybody read out one lesson from the last line, and put the most frequent one on the agenda. Nobody
# has to show a score.
# %% [markdown]
# ## Key takeaways
#
# - A belief about a library is a claim about one release of it. A few lines decide: a curve, a callback, a look.
# - Stopping and keeping are two things: when it ends (`patience`), and what you hold then (`restore_best_weights`, a
#   checkpoint).
# - "Best" means what the settings make of it.
# - Two moments are dangerous: an interrupt, which restores nothing, and a crash in the middle of a save.
# - New callbacks for each fit.
# %% [markdown]
# ## Where next
#
# [Lesson 08](08_pitfall_lab.ipynb) is a place to look things up: more than thirty troubles that people had with these
# callbacks, each with its symptom, its cause and its mended version.
