# %% [markdown]
# # Start here
#
# **You will** see on a real model what callbacks do for you, check that everything works, and choose your way through
# the course.
#
# **You need** to have trained and evaluated a Keras model once (`compile`, `fit`, `evaluate`), and to write a function
# and a small class in Python. No mathematics, no GPU, no internet.
#
# **Minutes:** 14
# %% tags=["setup"]
from helpers import checks, course, data, lesson, plots, style, widgets

lesson.begin("00")
# %% [markdown]
# Click into the grey cell above and press **Shift+Enter**: it runs, prints one line, and the cursor moves on. Run all
# cells in this way, from top to bottom.
#
# If it says `No module named 'helpers'`, choose the course's own environment: menu *Kernel*, *Change Kernel*. If a
# cell ever hangs: menu *Kernel*, *Restart*, and run from the top.
# %% [markdown]
# ## Is everything here?
#
# This looks at your environment and says in plain words what to mend, if anything.
# %%
lesson.check_environment()
# %% [markdown]
# ## How to work: predict, run, explain
#
# 1. **Predict.** A question comes before the cell that answers it. Commit to an answer, even a guess: you remember
#    what surprises you. Your answers stay on your machine.
# 2. **Run** the next cell and look. Its last lines say how your answer came out, and why.
# 3. **Explain.** Now and then you are first asked for one sentence of your own. Then ours stands beside it.
#
# In exercises you put your code in place of `...`, run that cell, and run the check below it. Stuck? Press **Esc**,
# then **A**: that makes a new cell below the check. In it, `checks.hint("01.1")` gives a hint,
# `checks.solution("01.1")` an answer and why it is right.
# %% [markdown]
# ## Warm up: your first prediction
#
# A small model will learn to read handwritten digits from 300 images, for 50 epochs. To make it hard, one label in
# five is wrong. After each epoch it is tried on other images, from which it does not learn: the **validation** images.
# Their labels are all right. The lower its loss on them, the better it has become.
# %% tags=["predict"]
widgets.predict("00.a")
# %% [markdown]
# ## One run, without callbacks
#
# Importing Keras takes some seconds, once in each lesson. `set_random_seed` lets each copy of the model start from
# the same weights.
# %%
import keras

digits = data.load_digits(train_rows=300, label_noise=0.2, reshuffle=True)


def build_model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    adam = keras.optimizers.Adam(0.005)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# %% [markdown]
# `fit` trains for all 50 epochs, whatever happens. The picture shows the loss after each of them.
# %%
alone = build_model()
every_epoch = alone.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=50,
    verbose=0,
)
style.show(plots.learning_curves(every_epoch))
widgets.reveal("00.a")
# %% [markdown]
# ## What callbacks are for
#
# You start such a training and go home. In the morning, three things may have happened:
#
# - **Wasted epochs.** The model was as good as it gets long before the last one.
# - **Overfitting.** The epochs after that did harm, and the good version is gone.
# - **Lost work.** The machine restarted in epoch 47, and nothing was saved.
#
# **Callbacks** are small helpers that watch a training while it runs and act at the right moment. Two of them are made
# for these three troubles: `EarlyStopping` and `ModelCheckpoint`.
# %% [markdown] tags=["instructor"]
# Ask who has lost a trained model, and how. Write the answers in three columns (epochs, overfitting, lost work) and come
# back to them at the end: for each, which callback, which setting.
# %% [markdown]
# ## The same run, with two callbacks
#
# The same model from the same start, and again 50 epochs are ordered. One callback may stop it, the other saves its
# best version to a file. You need not know the settings yet.
# %%
from keras.callbacks import EarlyStopping, ModelCheckpoint

best_file = lesson.new_folder("00") / "best.keras"
stopper = EarlyStopping(patience=8, restore_best_weights=True)
saver = ModelCheckpoint(best_file, save_best_only=True)

watched = build_model()
history = watched.fit(
    digits.train,
    validation_data=digits.validation,
    epochs=50,
    callbacks=[stopper, saver],
    verbose=0,
)
print(f"{len(history.epoch)} epochs, best version in {best_file}")
# %% [markdown]
# Both runs are the same up to the stop, so one picture shows both. Grey is what only the first run went on to do.
# %%
picture = plots.learning_curves(
    every_epoch,
    stopping=stopper,
    saves=saver,
    beyond="ran only without callbacks",
)
style.show(picture)
# %% [markdown]
# - The **star** is the best epoch. In the **hatched** ones the stopper waited for a better one. At the **cross** it
#   stopped.
# - The **circle** marks the version that the model ends with: the best.
# - Each **square** at the bottom is an epoch in which the saver wrote the file.
# %% [markdown]
# Was it worth it? Both models now meet 500 digits that played no part so far, and so does the one in the file.
# %%
loaded = keras.models.load_model(best_file)
models = {"no callbacks": alone, "both callbacks": watched, "from the file": loaded}
for name, model in models.items():
    loss, accuracy = model.evaluate(digits.test, verbose=0)
    print(f"{name:15} {accuracy:.1%} right")
# %% tags=["solution"]
# What the prose above and below says of this run.
right = [one.evaluate(digits.test, verbose=0)[1] for one in (alone, watched, loaded)]
before, after, kept = right
assert before < after == kept
assert len(history.epoch) < 50
pairs = zip(history.history["val_loss"], every_epoch.history["val_loss"], strict=False)
assert all(abs(one - other) < 0.01 for one, other in pairs)
assert 10 <= stopper.best_epoch < 40
assert every_epoch.history["val_loss"][-1] > stopper.best + 0.05
# One label in five is wrong, and it repeats most of them.
assert every_epoch.history["accuracy"][-1] > 0.9
# %% [markdown]
# Fewer epochs, a better model, and a copy on disk, for three lines of code. The settings decide whether it goes this
# well. They are what this course is about.
# %% [markdown] tags=["instructor"]
# Let the class explain the picture before they read the list: cover it. Expect "it should have stopped at the star". Do
# not resolve it: prediction 02.a asks it.
# %% [markdown]
# ## The course map
#
# What each lesson is good for, and how many minutes it takes: all of it, and its core. The links open the lessons.
# %%
course.course_map()
# %% [markdown]
# ## Three ways through
#
# - **The express path**, about an hour: the cores of lessons 01, 02, 03, 04. A core comes first in its lesson, and a
#   heading tells you where it ends. Afterwards you can use both callbacks well.
# - **The full path**: all lessons in their order. Each needs only those before it.
# - **"I have a bug"**: straight to lesson 08. Find your symptom or your error message there, reproduce it in seconds,
#   take the fix home.
#
# What comes after the course: training loops of your own, and tuning many models at once. In both you will meet the
# same two questions again: when to stop, and what to keep.
# %% [markdown]
# ## Your progress
#
# Solved exercises and your predictions are kept in a small file on your machine, `.course/progress.json` in the
# course's folder. Nobody else sees it.
# %%
checks.progress()
# %% [markdown]
# Somebody asks in a class how far you are? In a new cell of any lesson, `checks.code()` is a line to read out.
#
# To begin again from nothing, make a new cell and run this line in it. The old record is set aside under another
# name, not deleted.
#
# ```python
# checks.reset_progress()
# ```
# %% [markdown]
# ## Key takeaways
#
# - Training longer is not always training better: the last epoch need not be the best.
# - Callbacks watch a training and act: one stopped it, one kept its best version in a file.
# - Predict, run, explain: commit to an answer before you look.
# %% [markdown]
# ## Where next
#
# [Lesson 01](01_callbacks.ipynb): what a callback is, and every moment at which Keras calls one.
