# %% [markdown]
# # Survive a kill
#
# **You will** kill real processes in the middle of a save, look at what is left, and build a checkpoint and a resume
# that survive it.
#
# **You need** [lesson 03b](03b_resume.ipynb): what is in the files, and how a training goes on.
#
# **Minutes:** 45
# %% tags=["setup"]
from helpers import checks, crash, lesson, programs, widgets

lesson.begin("09")
programs.warm_up()
import keras
from keras.callbacks import BackupAndRestore, Callback, ModelCheckpoint, TerminateOnNaN

# %% [markdown]
# ## A program to kill
#
# Out of memory, out of time, a machine taken back: trainings are killed. We kill **real processes** here, by SIGKILL,
# which no program can catch. Only their beginning is made cheap: a helper process, started by the setup cell, has
# imported Keras, and each program is a fork of it.
#
# This program trains nothing. It calls a callback as `fit` would, epoch after epoch. Epoch 3 fills all weights with 3,
# so that a reader sees which save it finds. The callback comes as text, in `saver`.
# %%
folder = lesson.new_folder("09").absolute()
saving = folder / "saving.py"
with saving.open("w") as file:
    file.write("""
import os, sys
import keras
from keras.callbacks import BackupAndRestore, LambdaCallback, ModelCheckpoint
from helpers.callbacks import AtomicCheckpoint

saver, home, more = sys.argv[1:]
exec(more)
os.chdir(home)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4000)])  # 1 MB
model.compile("sgd", "mse")
saver = eval(saver)
saver.set_model(model)
saver.on_train_begin()
""")
# %%
with saving.open("a") as file:
    file.write("""
for epoch in range(1000):
    model.set_weights([0 * w + epoch + 1 for w in model.get_weights()])
    print("saving", epoch + 1)
    saver.on_epoch_end(epoch, {"val_loss": 1 / (epoch + 1)})
    print("saved", epoch + 1)
""")
# %% [markdown]
# `kill_in_a_save` measures how long a save takes and kills the program at a random moment in the middle of the fourth.
# %%
import random
import time

moments = random.Random(9)


def kill_in_a_save(saver, home, more=""):
    home.mkdir(parents=True)
    program = programs.start(saving, saver, home, more)
    for line in program:
        if line == "saving 4":
            break
        if line.startswith("saving"):
            begun = time.perf_counter()
        if line.startswith("saved"):
            seconds = time.perf_counter() - begun
    time.sleep(moments.uniform(0.2, 0.8) * seconds)
    program.kill()


# %% [markdown]
# The reader, who comes later:
# %%
def read(file):
    try:
        weights = keras.models.load_model(file).get_weights()
        return f"save {weights[0][0, 0]:.0f}"
    except Exception as error:
        return f"{type(error).__name__}, {file.stat().st_size:,} bytes"


def ten_kills(name, saver, more=""):
    for number in range(10):
        home = folder / name / str(number)
        kill_in_a_save(saver, home, more)
        print(f"kill {number + 1:2}:", read(home / "best.keras"))


# %% [markdown]
# ## Predict: ten kills
#
# `ModelCheckpoint("best.keras", save_best_only=True)`, with three better epochs saved and the fourth on its way. Ten
# such programs, ten kills, ten readers.
# %% tags=["predict"]
widgets.predict("09.a")
# %%
ten_kills("straight", 'ModelCheckpoint("best.keras", save_best_only=True)')
widgets.reveal("09.a")
# %% tags=["solution"]
left = [read(folder / "straight" / str(number) / "best.keras") for number in range(10)]
assert sum(one.startswith("save") for one in left) <= 4


# %% [markdown]
# `BackupAndRestore`, whose whole purpose is the restart, writes two files, one with the weights and one with the epoch.
# Three kills, and a restart after each:
# %%
for number in range(3):
    home = folder / "backup" / str(number)
    kill_in_a_save('BackupAndRestore(".")', home)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4000)])
    model.compile("sgd", "mse")
    saver = BackupAndRestore(home)
    saver.set_model(model)
    try:
        saver.on_train_begin()
        print(f"goes on with save {model.get_weights()[0][0, 0]:.0f}")
    except Exception as error:  # whatever a broken file leads to
        print(type(error).__name__, "·", str(error).split(" (")[0])
# %% [markdown]
# Its two files are written over the good ones, too. (`double_checkpoint=True` keeps a second copy. It saved most of the
# runs that we killed, and not all.)
# <!-- claim: resuming.test_a_restart_from_half_a_backup_fails -->
# %% [markdown]
# ## Write beside it
#
# So write **another** file, and let it take the place of the good one when it is whole: `os.replace` gives it the name
# in one step. `write` is whatever writes a file, such as `model.save`.
# %%
import os
from pathlib import Path


def beside(path, write):
    temporary = path.with_name("new-" + path.name)
    write(temporary)
    os.replace(temporary, path)


# %% [markdown]
# Why beside it, and not in the system's folder for temporary files? That may be on another disk, as `/dev/shm` is on
# Linux. (Where there is none, this cell does nothing.)
# %%
other = Path("/dev/shm/new-best.txt")
if other.parent.is_dir():
    other.write_text("new")
    with checks.expect_error(OSError, match="(?i)cross-device"):
        os.replace(other, folder / "best.txt")
    other.unlink()
# %% [markdown]
# From disk to disk a file can only be **copied**, as `shutil.move` does without a word, and a copy can be killed
# halfway. The temporary file also keeps the old ending, `.keras`, since `model.save` looks at it.
#
# Our program gets `beside` as source, and calls it after each epoch:
# %%
import inspect

more = "import os\nfrom pathlib import Path\n" + inspect.getsource(beside)
save = 'lambda epoch, logs: beside(Path("best.keras"), model.save)'
# %% [markdown]
# ## Predict: ten kills again
#
# Books say that a safe save also calls `os.fsync`, which waits until the disk holds all that was written. `beside` does
# not. Ten kills in the middle of it:
# %% tags=["predict"]
widgets.predict("09.b")
# %%
ten_kills("beside", f"LambdaCallback(on_epoch_end={save})", more)
widgets.reveal("09.b")
# %% tags=["solution"]
for number in range(10):
    assert read(folder / "beside" / str(number) / "best.keras").startswith("save")
# %% [markdown]
# ## Pull the plug
#
# Nobody pulls the plug of your machine: this part is **worked out**, on a small file that is written in two pieces.
# %%
old, new = b"old " * 500, b"new " * 500
home = folder / "plug"
home.mkdir()


def in_two_pieces(file):
    with open(file, "wb") as opened:
        opened.write(new[:1000])
        opened.flush()
        opened.write(new[1000:])


# %% [markdown]
# `crash.watch` looks at the folder after each line of a save. What it sees there, a kill leaves. A power cut leaves for
# certain only what was flushed: the content by `os.fsync` of the file, its name by `os.fsync` of the folder. Of all
# else, any part may be missing.
# %%
def found(files):
    names = {None: "nothing", b"": "an empty file", old: "old", new: "new"}
    return names.get(files.get("best.keras"), "half a file")


def plug(save):
    (home / "best.keras").write_bytes(old)
    watched = crash.watch(home, save, home / "best.keras", in_two_pieces)
    print(crash.table(watched, found))


# %% [markdown]
# ## Predict: the plug after os.replace
#
# `beside` has written the new model into a file of its own, and has given it the old one's name by `os.replace`. Right
# after that call has returned, the power goes.
# %% tags=["predict"]
widgets.predict("09.c")
# %%
plug(beside)
widgets.reveal("09.c")


# %% [markdown]
# `flush` returns when the content of a file, or the names in a folder, are on the disk:
# %%
def flush(path):
    if path.is_file() or os.name != "nt":  # Windows flushes no folders
        handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


# %% [markdown]
# ## Exercise 09.1: a save that survives
#
# Write `replace_whole(path, write)`, from `beside` and `flush`:
#
# - a kill leaves the old file or the new one, whole, and so does a power cut;
# - once it has returned, no power cut takes the new file back;
# - if `write` fails, on a full disk say, the error comes through, the old file stays, and nothing else is left.
#
# `path` is a `Path`. The check kills your function for real, after each line that changes something, and works out the
# power cuts.
# %% tags=["exercise"]
# Exercise 09.1
def replace_whole(path, write): ...


# solution
def replace_whole(path, write):
    temporary = path.with_name("new-" + path.name)
    try:
        write(temporary)
        flush(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


# %%
checks.check("09.1", replace_whole)
# %% [markdown] tags=["instructor"]
# The exercise of the lesson. Expect the flush of the file after `os.replace` (there is a moment at which the
# name is new and the content is not), no flush of the folder, and `finally` around `os.replace`. Let somebody say aloud
# what a kill can prove and what not; expect that most take a test with kills for a test of `fsync`.
# %% [markdown]
# ## AtomicCheckpoint
#
# `AtomicCheckpoint` of this course is a `ModelCheckpoint` with such a save in it. It also clears away what killed
# processes left.
# %%
ten_kills("atomic", 'AtomicCheckpoint("best.keras", save_best_only=True)')
# %% tags=["solution"]
for number in range(10):
    assert read(folder / "atomic" / str(number) / "best.keras")[:4] == "save"
# %% [markdown]
# What do the two flushes cost? They wait for the disk. On this machine, for a file of 1 MB:
# %%
saved = folder / "atomic" / "0" / "best.keras"
saved.write_bytes(saved.read_bytes())  # written again, and not flushed yet
begun = time.perf_counter()
flush(saved)
flush(saved.parent)
print(f"{(time.perf_counter() - begun) * 1000:.1f} ms")
# %% [markdown]
# ## Pause here
#
# You can save so that nothing is lost. What comes: a training that goes on as if nothing had happened.
# %% [markdown]
# ## What a restart forgets
#
# A real training now. It prints each epoch, and at the end what there is to say of the run. `keeper` looks after the
# restart.
# %%
train = folder / "train.py"
with train.open("w") as file:
    file.write("""
import os, sys, time
import keras
from keras.callbacks import BackupAndRestore, Callback, EarlyStopping, LambdaCallback
from helpers import data
from helpers.callbacks import AtomicCheckpoint, ResumeState

keeper, home, more, pause_after = sys.argv[1:]
exec(more)
os.chdir(home)
digits = data.load_digits(train_rows=300, label_noise=0.2, batch_size=100)
keras.utils.set_random_seed(4)
layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dropout(0.2)]
output = keras.layers.Dense(10, activation="softmax")
model = keras.Sequential([keras.Input((64,)), *layers, output])
""")
# %%
with train.open("a") as file:
    file.write("""
model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
stopper = EarlyStopping(patience=3)
best = AtomicCheckpoint("best.keras", save_best_only=True)
keeper = eval(keeper)
def tell(epoch, logs):
    print(epoch + 1)
    time.sleep(60 if str(epoch + 1) == pause_after else 0)
history = model.fit(
    digits.train, validation_data=digits.validation, epochs=60, verbose=0,
    initial_epoch=getattr(keeper, "first_epoch", 0),
    callbacks=[stopper, best, keeper, LambdaCallback(on_epoch_end=tell)],
)
print(f"{history.epoch[-1] + 1:7} {stopper.best_epoch + 1:5} {stopper.best:8.5f} "
      f"{best.best:9.5f} {history.history['loss'][-1]:10.5f} {len(history.epoch):8}")
""")


# %% [markdown]
# `run` starts it, kills it after each of the epochs in `kills`, and lets the last start run to its end. With `pause` the
# program waits for its kill, which then hits no save: the easiest case for a restart.
# %%
def run(name, keeper, *kills, more="", pause=True):
    home = folder / name
    home.mkdir()
    for epoch in kills:
        program = programs.start(train, keeper, home, more, epoch if pause else 0)
        for line in program:
            if line.isdigit() and int(line) >= epoch:
                break
        time.sleep(moments.uniform(0, 0.02))
        program.kill()
    end = programs.start(train, keeper, home, more, 0).wait()[-1]
    print("stopped  best  at value  in file  last loss  History")
    print(end, "", name)
    return end.split()


never = run("never killed", "Callback()")
# %% [markdown]
# Now a kill after two of the three epochs for which early stopping waits:
# %%
wait_at = int(never[1]) + 2
again = run("killed, BackupAndRestore", 'BackupAndRestore("backup")', wait_at)
# %% tags=["solution"]
assert int(again[0]) > int(never[0]) == int(never[-1]) > int(again[-1])
assert again[3] > never[2] == never[3]
# %% [markdown]
# Weights, optimizer and epoch came back. Not what the **callbacks** remember: how long early stopping had waited, and
# its best; the best of the checkpoint, so that a worse model was written over the best file; `History`.
# <!-- claim: resuming.test_backup_forgets_early_stopping resuming.test_backup_forgets_model_checkpoint -->
# <!-- claim: resuming.test_backup_and_restore_goes_on -->
# %% [markdown]
# ## Predict: NaN
#
# In epoch 4 the weights become NaN, and `TerminateOnNaN` ends the training. `BackupAndRestore` stands in the list, and a
# `ModelCheckpoint` that saves every epoch.
# %% tags=["predict"]
widgets.predict("09.d")
# %%
from keras.callbacks import LambdaCallback

from helpers import data

digits = data.load_digits(train_rows=60, batch_size=30)


def train_into_nan(*callbacks):
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), output])
    model.compile("sgd", "sparse_categorical_crossentropy")

    def break_it(epoch, logs):
        if epoch == 3:
            model.optimizer.learning_rate = float("nan")

    first = [LambdaCallback(on_epoch_begin=break_it), TerminateOnNaN()]
    model.fit(digits.train, epochs=9, verbose=0, callbacks=[*first, *callbacks])


# %%
lost = folder / "nan"
train_into_nan(BackupAndRestore(lost / "backup"), ModelCheckpoint(lost / "last.keras"))
print("left:", *os.listdir(lost))
weights = keras.models.load_model(lost / "last.keras").get_weights()
print("last.keras:", "NaN" if (weights[0] != weights[0]).any() else "fine")
widgets.reveal("09.d")
# %% tags=["solution"]
assert os.listdir(lost) == ["last.keras"]
assert (weights[0] != weights[0]).any()
# %% [markdown]
# ## Remember all of it, together
#
# A few lines remember nearly all, each for something that we have just seen go wrong:
#
# - weights, optimizer, epoch and callbacks go into **one** file: two files with a kill between them are weights of one
#   epoch and the memory of another;
# - `beside` puts it into place, and nothing removes it;
# - it stands **behind** the others, which begin anew in their `on_train_begin`, and then sets everything back.
# %%
tiny = """
import json
import numpy as np

class TinyResume(Callback):
    def __init__(self, file, model, others):
        super().__init__()
        self.file, self.others, self.first_epoch = Path(file), others, 0
        model.optimizer.build(model.trainable_variables)
        self.parts = [*model.variables, *model.optimizer.variables]
        if self.file.exists():
            *self.values, memory = np.load(self.file).values()
            self.first_epoch, self.memories = json.loads(str(memory))

    def on_train_begin(self, logs=None):
        if self.first_epoch > 0:
            [part.assign(value) for part, value in zip(self.parts, self.values)]
            [vars(one).update(kept) for one, kept in zip(self.others, self.memories)]
"""
# %%
tiny += """
    def on_epoch_end(self, epoch, logs=None):
        names = {"wait", "best", "best_epoch"}
        memories = [
            {name: value for name, value in vars(one).items() if name in names}
            for one in self.others
        ]
        arrays = [np.array(part) for part in self.parts]
        memory = json.dumps([epoch + 1, memories])
        beside(self.file, lambda file: np.savez(file, *arrays, memory))
"""
keeper = 'TinyResume("state.npz", model, [stopper, best])'
again = run("killed, TinyResume", keeper, wait_at, more=more + tiny)
# %% tags=["solution"]
assert again[:-1] == never[:-1]
# %% [markdown]
# Only `History` is short. `ResumeState` of this course keeps that too, and other callbacks, and the place in a shuffled
# dataset. It refuses the state of another run, and in the list it stands anywhere. Killed three times, without pause,
# in an epoch or a save:
# %%
keeper = 'ResumeState("state", when_ended="return", verbose=0)'
kills = 1, wait_at - 3, wait_at - 1
again = run("killed, ResumeState", keeper, *kills, pause=False)
# %% tags=["solution"]
assert again == never
# %% [markdown]
# And `TerminateOnNaN`, which made `BackupAndRestore` throw its folder away:
# %%
from helpers.callbacks import ResumeState

train_into_nan(ResumeState(lost / "state"))
# %% [markdown]
# That warning comes from `ResumeState`: the weights of epoch 4 are NaN, so it keeps those of epoch 3, and the same
# script, started again, goes on from there.


# %% [markdown]
# ## Exercise 09.2: a stopper with a memory
#
# `ResumeState` knows Keras's callbacks. One of your own needs two methods: `get_state()` returns a dict of numbers, texts
# and lists; `set_state(state)` takes it back, after all `on_train_begin`. This stopper has neither:
# %%
class Steady(Callback):
    def __init__(self, patience=3):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.recent, self.best, self.wait = [], float("inf"), 0

    def on_epoch_end(self, epoch, logs=None):
        self.recent.append(logs["val_loss"])
        del self.recent[:-3]
        mean = sum(self.recent) / len(self.recent)
        self.wait += 1
        if mean < self.best:
            self.best, self.wait = mean, 0
        if self.wait >= self.patience:
            self.model.stop_training = True


# %% [markdown]
# Give `SteadyWithMemory` both. The check plays many runs, breaks each off after every epoch, and goes on with a new
# stopper and the state out of a file.
# %% tags=["exercise"]
# Exercise 09.2
class SteadyWithMemory(Steady): ...


# solution
class SteadyWithMemory(Steady):
    def get_state(self):
        return {"recent": list(self.recent), "best": self.best, "wait": self.wait}

    def set_state(self, state):
        vars(self).update(state)


# %%
checks.check("09.2", SteadyWithMemory)
# %% [markdown]
# ## The table
#
# The tests of this course do all this to whatever saves in Keras and TensorFlow: a hundred kills each, power cuts after
# every call to the system, a full disk, and more. The result is the table in `docs/conformance.md`.
#
# ## Predict: kill or power cut
#
# One line of the table is about kills in a save, another about power cuts. ✘ marks a writer that fails.
# %% tags=["predict"]
widgets.predict("09.e")
# %%
from helpers import questions

page = (questions.ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line[0:1] == "|"]
writers = rows[0]
for question, *cells in rows[2:4]:
    print(question)
    for writer, cell in zip(writers, cells, strict=True):
        print(f"   {writer:36} {cell}")
widgets.reveal("09.e")
# %% tags=["solution"]
killed, cut = (sum("✘" in cell for cell in row) for row in rows[2:4])
assert rows[2][0].startswith("Killed")
assert rows[3][0].startswith("Power cut")
assert 0 < killed < cut
# %% [markdown]
# ## Key takeaways
#
# - `ModelCheckpoint` writes over the good file. A kill in a save takes the best model with it.
# - Another file in the same folder, then `os.replace`: enough against kills. Two flushes, before and after: enough
#   against power cuts; no kill tests them.
# - A restart needs what the callbacks remember, in one step with the weights. `BackupAndRestore` forgets it, and
#   `TerminateOnNaN` makes it throw the backup away.
# - `AtomicCheckpoint` and `ResumeState` stand in the list in their places.
# %% [markdown]
# ## Where next
#
# [Lesson 09b](09b_ship_and_scale.ipynb) takes the files further: formats, object storage, several replicas, searches.
