# %% [markdown]
# # Open the file and train on: resume
#
# **You will** look inside the files that `ModelCheckpoint` writes, and continue a broken-off training as if nothing had
# happened.
#
# **You need** [lesson 03](03_model_checkpoint.ipynb): what is saved, and when.
#
# **Minutes:** 21
# %% tags=["setup"]
from helpers import checks, data, lesson, widgets

lesson.begin("03b")
import keras
from keras.callbacks import ModelCheckpoint

# %% [markdown]
# ## Two files after each epoch
#
# The digits and the model of lesson 03. Four epochs, and two checkpoints: one writes whole models, the other is told
# `save_weights_only=True`.
# %%
digits = data.load_digits(train_rows=300, label_noise=0.2)


def build():
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(128, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    adam = keras.optimizers.Adam(0.01)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %%
runs = lesson.new_folder("03b")
callbacks = [
    ModelCheckpoint(runs / "{epoch}.keras"),
    ModelCheckpoint(runs / "{epoch}.weights.h5", save_weights_only=True),
]
whole = build().fit(
    digits.train,
    validation_data=digits.validation,
    epochs=4,
    callbacks=callbacks,
    verbose=0,
)
print(*sorted(path.name for path in runs.iterdir()))
# %% [markdown]
# ## Predict: what is inside?
#
# Adam, our optimizer, remembers things from step to step. Think of the files of epoch 2, `2.keras` and `2.weights.h5`.
# %% tags=["predict"]
widgets.predict("03.b")
# %% [markdown]
# Open both. `h5py` reads arrays out of files in the format HDF5; `arrays` lists their names and shapes:
# %%
import zipfile

import h5py


def arrays(file):
    names = []
    with h5py.File(file) as opened:
        opened.visit(names.append)
        found = {name: opened[name] for name in names}
        return {name: one.shape for name, one in found.items() if hasattr(one, "shape")}


# %% [markdown]
# The two files of epoch 2, side by side:
# %%
in_weights = arrays(runs / "2.weights.h5")
with zipfile.ZipFile(runs / "2.keras") as archive:
    print("2.keras holds", *archive.namelist())
    in_keras = arrays(archive.open("model.weights.h5"))
print(f"\n{'array':21} {'shape':10} {'2.keras':9} 2.weights.h5")
for name, shape in (in_keras | in_weights).items():
    where = ["yes" if name in file else "no" for file in (in_keras, in_weights)]
    print(f"{name:21} {shape!s:10} {where[0]:9} {where[1]}")
widgets.reveal("03.b")
# %% tags=["solution"]
# What the explanation says of the two files.
assert in_keras == in_weights
assert sum(name.startswith("optimizer/") for name in in_weights) == 2 + 2 * 4
# %% [markdown]
# So a `.keras` file is an ordinary zip archive with a weights file in it. What else? `config.json` tells:
# %%
import json

with zipfile.ZipFile(runs / "2.keras") as archive:
    config = json.loads(archive.read("config.json"))
print("layers: ", *[layer["class_name"] for layer in config["config"]["layers"]])
print("compile:", *config["compile_config"])


# %% [markdown]
# | in the file | `.keras` | `.weights.h5` |
# |---|---|---|
# | the layers and how they are joined | yes | no |
# | what was given to `compile` | yes | no |
# | the weights | yes | yes |
# | the optimizer's memory | yes | yes |
#
# A common belief says: by default only weights are saved, and no optimizer. It is wrong twice. The default is the
# whole model; and the optimizer of a compiled model is in both files.
# <!-- claim: files.test_inside_a_keras_file files.test_the_default_saves_the_optimizer -->
# <!-- claim: files.test_weights_files_hold_the_optimizer files.test_files_without_training -->
# %% [markdown]
# ## Parts of your own
#
# For `.weights.h5` you need the code that builds the model. For `.keras` you need none, as long as all parts of the
# model are Keras's own. Here the loss is ours:
# %%
def gentle(labels, guesses):
    return keras.losses.sparse_categorical_crossentropy(labels, guesses) / 2


ours = build()
ours.compile("adam", loss=gentle)
ours.fit(digits.train, epochs=1, verbose=0)
ours.save(runs / "ours.keras")
with checks.expect_error(TypeError, match="gentle"):
    keras.models.load_model(runs / "ours.keras")
ours = keras.models.load_model(runs / "ours.keras", custom_objects={"gentle": gentle})
# %% [markdown]
# The file knows the **name** of our function, not its code. The same holds for a metric or a layer of your own: hand it
# over in `custom_objects`, or register it, as the message says.
# <!-- claim: files.test_load_model_needs_parts_of_ones_own -->
# %% [markdown]
# ## Predict: resume from the weights
#
# Suppose the training of four epochs had died after the second. We go on twice. First with the model out of `2.keras`;
# then with a model built anew that loads `2.weights.h5` (`build` also compiles it).
# %% tags=["predict"]
widgets.predict("03.c")


# %% [markdown]
# `go_on` takes a model that has two epochs behind it and trains the rest.
# %%
def go_on(model):
    print("steps that the optimizer has made:", int(model.optimizer.iterations))
    rest = model.fit(
        digits.train,
        validation_data=digits.validation,
        initial_epoch=2,
        epochs=4,
        verbose=0,
    )
    print("epochs      ", [epoch + 1 for epoch in rest.epoch])
    for name, run in {"resumed": rest, "never broken": whole}.items():
        print(f"{name:12}", [f"{loss:.4f}" for loss in run.history["val_loss"][-2:]])
    return rest.history["val_loss"]


resumed = go_on(keras.models.load_model(runs / "2.keras"))
# %% tags=["solution"]
pairs = zip(resumed, whole.history["val_loss"][2:], strict=True)
assert max(abs(one - other) for one, other in pairs) < 1e-4
# %% [markdown]
# `initial_epoch=2`: two epochs are done. `epochs=4`: the number of the **last** epoch, not how many more.
#
# The optimizer knows its 20 steps, 10 batches in each of two epochs, and went on where it was. The losses are those of
# the training that never broke off. (Ours gets the same batches in the same order in every epoch. With shuffled data,
# expect similar losses, not equal ones.)
# <!-- claim: files.test_resume_from_a_keras_file files.test_epochs_is_the_last_epoch -->
# %% [markdown]
# Now `2.weights.h5`:
# %%
again = build()
again.load_weights(runs / "2.weights.h5")
resumed = go_on(again)
widgets.reveal("03.c")
# %% tags=["solution"]
assert abs(resumed[0] - whole.history["val_loss"][2]) > 1e-3
# %% [markdown]
# Once more, with one line added:
# %%
again = build()
again.optimizer.build(again.trainable_variables)
again.load_weights(runs / "2.weights.h5")
resumed = go_on(again)
# %% tags=["solution"]
pairs = zip(resumed, whole.history["val_loss"][2:], strict=True)
assert max(abs(one - other) for one, other in pairs) < 1e-4
# %% [markdown] tags=["instructor"]
# The documentation of `ModelCheckpoint` says that it is enough to compile before `load_weights`. With plain SGD that is
# true, with Adam it is not. Say so: documentation is a claim too, and this cell tests it.
# %% [markdown]
# ## Exercise 03.2: after the crash
#
# The same training, but it died after the **first** epoch, and only `runs / "1.weights.h5"` is left. Continue it to the
# end of epoch 4. Assign the model to `rescued` and what `fit` returns to `rest_of_run`. The check compares with the
# training that never broke off.
# %%
(runs / "1.keras").unlink(missing_ok=True)  # lost in the crash
# %% tags=["exercise"]
# Exercise 03.2
rescued = ...
rest_of_run = ...
# solution
rescued = build()
rescued.optimizer.build(rescued.trainable_variables)
rescued.load_weights(runs / "1.weights.h5")
rest_of_run = rescued.fit(
    digits.train,
    validation_data=digits.validation,
    initial_epoch=1,
    epochs=4,
    verbose=0,
)
# %%
checks.check("03.2", (rescued, rest_of_run, whole))
# %% [markdown]
# ## Key takeaways
#
# - `.keras` is the whole model with the optimizer's memory. `load_model`, `initial_epoch`, and training goes on as if
#   nothing had happened.
# - A `.weights.h5` file has the optimizer's memory too, but a new Adam takes it only after `optimizer.build(...)`.
# - A layer, loss or metric of your own: `load_model` needs its code as well.
# %% [markdown]
# ## Where next
#
# [Lesson 03c](03c_with_care.ipynb): files from strangers, what a save costs, and saving within an epoch. Or go straight
# to [lesson 04](04_together.ipynb), which puts both callbacks into one list.
