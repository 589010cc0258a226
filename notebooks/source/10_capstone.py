# %% [markdown]
# # Spend a training budget: the capstone
#
# **You will** write one function that returns callbacks, send it into an arena in which trainings are killed and
# broken, and raise its score, one change at a time.
#
# **You need** lessons [02](02_early_stopping.ipynb), [03](03_model_checkpoint.ipynb) and [04](04_together.ipynb). What
# else helps, each report says.
#
# **Minutes:** 40
# %% tags=["setup"]
from helpers import arena, certificate, checks, lesson, plots, style, widgets

lesson.begin("10")
from keras.callbacks import EarlyStopping, ModelCheckpoint


# %% [markdown]
# ## The story
#
# You may use a machine for one night. Each epoch costs, the disk is small, and the machine is taken away at some moment
# and given back later. In one of your trainings a batch is broken: from there on everything is NaN. You are asleep.
# Only your callbacks are there.
# %% [markdown]
# ## The rules, in ten lines
#
# 1. You write a function of a `folder`. It returns callbacks: Keras's, the course's, your own.
# 2. The arena trains five times with them, from five seeds, 30 epochs at most.
# 3. The task: two digits side by side; is the left one larger? A quarter of the training labels is wrong.
# 4. Four trainings are **killed** once, nobody tells when, and started again from the top.
# 5. The fifth meets a **broken batch**, and its weights become NaN.
# %% [markdown]
# 6. After a kill only `folder` is left.
# 7. At the end one model from there is judged on rows that no training saw: the only one, or `best.keras`.
# 8. Epochs cost, also those that run twice. So do bytes.
# 9. The score adds up the parts of the report: 100 at most.
# 10. Tricks are refused, in words.
# %% [markdown]
# ## The baseline
#
# A file for the model, and one for each epoch, to be safe. As many people have it:
# %%
def baseline(folder):
    return [
        ModelCheckpoint(folder / "best.keras"),
        ModelCheckpoint(folder / "epochs" / "{epoch:02d}.keras"),
    ]


# %% [markdown]
# ## Predict: the second start
#
# A training with this baseline was killed in its epoch 8. `best.keras` lies in the folder, and the same program is
# started again.
# %% tags=["predict"]
widgets.predict("10.a")
# %% [markdown]
# Five trainings, four kills, one broken batch: up to a minute.
# %%
first = arena.run(baseline, name="baseline")
widgets.reveal("10.a")
# %% tags=["solution"]
assert all(seed.resumed == 0 for seed in first.seeds if not seed.broken)
# %% [markdown]
# ## Read the report
#
# Each line is a part: its points, what was measured, and what would raise it. The last line names the part with most to
# gain: there you go on. Chance moves the score as well, by as many points as that line says.
# %% [markdown] tags=["instructor"]
# Let everybody run the baseline while you read the rules aloud. Expect "it goes on from the file": nobody reads the file
# but the judge.
# %% [markdown]
# ## Predict: chance
#
# We sent this baseline and three better answers through the arena with twenty seeds each. The same callbacks, another
# seed and another kill: how much does the score move?
# %% tags=["predict"]
widgets.predict("10.b")
# %%
recordings = arena.recordings()
for name, report in recordings.items():
    print(f"{name:9}", *(f"{points:2.0f}" for points in sorted(report.by_seed)))
widgets.reveal("10.b")
# %% tags=["solution"]
chance = recordings["first"].by_seed
assert max(chance) - min(chance) > 20


# %% [markdown]
# ## A round
#
# 1. **Look** at the report, and choose **one** thing to change.
# 2. **Predict** what it does to your best score: by how many points, up or down.
# 3. **Run**, and **compare**: the report answers your guess. It goes into the cell that runs, in place of the dots:
#    `guess=+10`.
#
# Three rounds with an aim each come first, then your own.
# %% [markdown]
# ## Exercise 10.1: the best model, in time
#
# The file shall hold the best model of each training, not the last, and no training shall go on long after its best.
# Lessons 02 to 04 have all that it takes.
# %% tags=["exercise"]
# Exercise 10.1
def round_1(folder): ...


# solution
def round_1(folder):
    return [
        EarlyStopping(patience=4),
        ModelCheckpoint(folder / "best.keras", save_best_only=True),
    ]


# %%
checks.check("10.1", arena.run(round_1, name="round 1", guess=...))
# %% [markdown] tags=["instructor"]
# The first reference. Why: `save_best_only` gives the quality and saves the model from the NaN, which is never an
# improvement; the stopper spares most epochs. Expect a forgotten `save_best_only`: the stopper ends in time, and the
# file holds the last epoch.
# %% [markdown]
# ## All your runs
#
# Up is better, left is cheaper. The rows below say what each run kept; a cross means that all of it was lost.
# %%
style.show(plots.arena(arena.reports()))
# %% [markdown]
# ## Exercise 10.2: come back
#
# A killed training shall go on where it was: no epoch is to be paid for twice. Something in your list must write down
# where the training is, and read it at the next start. Keras has `BackupAndRestore`, this course has `ResumeState`. Each
# wants a folder of its own inside of yours. These are at hand now:
# %%
from keras.callbacks import BackupAndRestore, TerminateOnNaN

from helpers.callbacks import AtomicCheckpoint, ResumeState


# %% tags=["exercise"]
# Exercise 10.2
def round_2(folder): ...


# solution
def round_2(folder):
    return [
        EarlyStopping(patience=4),
        ModelCheckpoint(folder / "best.keras", save_best_only=True),
        BackupAndRestore(folder / "backup", double_checkpoint=True),
        TerminateOnNaN(),
    ]


# %%
checks.check("10.2", arena.run(round_2, name="round 2", guess=...))


# %% [markdown] tags=["instructor"]
# The second reference. Why: the backup brings weights, optimizer and epoch back, the second copy of it those of a kill
# in its own save. What callbacks remember is lost: patience begins anew, and the checkpoint takes the first epoch after
# the restart for its best.
# %% [markdown]
# ## Predict: in the middle of a save
#
# The first of our better answers has the callbacks of round 1: `EarlyStopping`, and `ModelCheckpoint` with
# `save_best_only=True`. Some of its twenty recorded kills came while it was saving. We looked into the folder right
# then.
# %% tags=["predict"]
widgets.predict("10.c")
# %%
killed = [seed for seed in recordings["first"].seeds if not seed.broken]
for how in ("between two batches", "in the middle of a save"):
    models = [seed.quality_at_kill for seed in killed if seed.killed_how == how]
    loaded = sum(model is not None for model in models)
    print(f"{how:24} {len(models):2} kills, after {loaded:2} of them a model")
widgets.reveal("10.c")
# %% tags=["solution"]
assert len(models) > 4
assert loaded == 0


# %% [markdown]
# ## Exercise 10.3: lose nothing
#
# At each moment there shall be a model in the folder that can be loaded; and neither the kill nor the broken batch shall
# take anything away of what a training has paid for. Two tools of this course are made for it, and still unused.
# %% tags=["exercise"]
# Exercise 10.3
def round_3(folder): ...


# solution
def round_3(folder):
    return [
        EarlyStopping(patience=4),
        AtomicCheckpoint(folder / "best.keras", save_best_only=True),
        ResumeState(folder / "state", verbose=0),
        TerminateOnNaN(),
    ]


# %%
checks.check("10.3", arena.run(round_3, name="round 3", guess=...))


# %% [markdown]
# ## Your own rounds
#
# As often as you like. Run this cell again with another change; all reports are kept. Ideas: another patience, a
# smaller file, a callback of your own that steps back from the broken batch and goes on.
# %%
def mine(folder): ...


arena.run(mine, name="what I changed", guess=...)
# %%
style.show(plots.arena(arena.reports(), title="All my runs"))
# %% [markdown]
# And the baseline with our three answers, from the recorded seeds. What separates your best run from the star?
# %%
style.show(
    plots.arena(list(recordings.values()), title="The baseline and our three answers")
)
# %% [markdown] tags=["instructor"]
# `first` and `second` are the answers to 10.1 and 10.2. `third` goes one step further than that to 10.3. Why: a training
# that ends at its broken batch may not have seen its best epoch yet. `StepBack` brings weights and optimizer back to the
# beginning of that epoch, and the training goes on. It is no class for everyday use: it copies everything once an epoch.
# %% tags=["solution"]
import math

from keras.callbacks import Callback


class StepBack(Callback):
    def everything(self):
        return [*self.model.weights, *self.model.optimizer.variables]

    def on_epoch_begin(self, epoch, logs=None):
        self.good = [variable.numpy() for variable in self.everything()]

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):
            for variable, value in zip(self.everything(), self.good, strict=True):
                variable.assign(value)
            self.model.reset_metrics()


# %% tags=["solution"]
def third(folder):
    return [
        StepBack(),
        EarlyStopping(patience=4),
        AtomicCheckpoint(folder / "best.keras", save_best_only=True),
        ResumeState(folder / "state", verbose=0),
    ]


scores = [report.score for report in recordings.values()]
assert scores == sorted(scores)


# %% [markdown]
# ## Your certificate
#
# One page with what this machine saw you do in the course, for your browser and for paper.
# `certificate.write("Ada Lovelace")` puts a name on it; `make certificate` writes it without a notebook.
# %%
certificate.write()
# %% [markdown]
# ## Key takeaways
#
# - What is not on the disk at the moment of the kill does not exist, and what nobody reads at the next start is of no
#   use.
# - Early stopping and the best file go together; a resume and a safe save make them last.
# - Change one thing, say before what it will do, and do not chase differences that chance makes.
# %% [markdown]
# ## Where next
#
# To a training of your own. [Lesson 08](08_pitfall_lab.ipynb) stays the place to look things up, and
# [lesson 09](09_survive_a_kill.ipynb) shows why the last round was worth its points.
