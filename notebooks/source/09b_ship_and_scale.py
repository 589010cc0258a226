# %% [markdown]
# # Ship it, scale it
#
# **You will** choose a file format by measuring, and send checkpoints to a bucket so that nobody reads half a file. You
# will see what callbacks do with two replicas, in a search, and while a thread saves.
#
# **You need** [lesson 03](03_model_checkpoint.ipynb), and a callback of your own
# ([lesson 06](06_inside_and_your_own.ipynb)). [Lesson 09](09_survive_a_kill.ipynb) comes first, but is not needed.
#
# **Minutes:** 45
# %% tags=["setup"]
from helpers import checks, data, lesson, storage, webhook, widgets

lesson.begin("09b")
import keras
import tensorflow as tf
from keras.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint

# %% [markdown]
# Part 4 trains two replicas. TensorFlow must know of two devices before it does anything else, so we cut the processor
# in two right here.
# %%
[processor] = tf.config.list_physical_devices("CPU")
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(processor, [half, half])
digits = data.load_digits(train_rows=96)
folder = lesson.new_folder("09b")


def build(width=32, rate=0.01):
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(width, activation="relu")
    output = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), hidden, output])
    adam = keras.optimizers.Adam(rate)
    model.compile(adam, loss="sparse_categorical_crossentropy")
    return model


# %% [markdown]
# ## 1. Four formats, measured
#
# A model goes to disk as `.keras`, `.weights.h5`, `.h5` (the old format), or by `export` as a folder for servers. Each is
# written and read three times; the best time counts.
# %%
import logging
import time
import timeit
from functools import partial

for name in ["absl", "tensorflow"]:
    logging.getLogger(name).setLevel("ERROR")  # both have much to say here
large = build(width=4000)
large.fit(digits.train, epochs=1, verbose=0)
formats = {
    "model.keras": (large.save, keras.models.load_model),
    "model.weights.h5": (large.save_weights, large.load_weights),
    "model.h5": (large.save, keras.models.load_model),
    "served": (partial(large.export, verbose=False), tf.saved_model.load),
}


# %%
def best_time(work):
    return min(timeit.repeat(work, number=1, repeat=3)) * 1000  # milliseconds


def megabytes(path):
    files = [path, *path.rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


# %% [markdown]
# ## Predict: the smallest and the slowest
#
# One model, trained with Adam for one epoch, is written in four ways: as `model.keras`, as `model.weights.h5`, as
# `model.h5`, and by `export`.
# %% tags=["predict"]
widgets.predict("09.f")
# %%
sizes, times = {}, {}
print(f"{'':18}  MB    save ms   load ms")
for name, (save, load) in formats.items():
    path = folder / name
    times[name] = best_time(partial(save, path))
    loading = best_time(partial(load, path))
    sizes[name] = megabytes(path)
    print(f"{name:16} {sizes[name]:5.2f} {times[name]:9.1f} {loading:9.1f}")
widgets.reveal("09.f")
# %% tags=["solution"]
assert min(sizes, key=sizes.get) == max(times, key=times.get) == "served"
# %% [markdown]
# `tf.saved_model.load` gives back a function, `serve`, and no Keras model: no `fit`. `.h5` is for old programs only, and
# it does harm: once a model was saved as `.h5`, its next `.keras` files have lost the optimizer.
# <!-- claim: shipping.test_export_holds_weights_twice_and_no_optimizer -->
# <!-- claim: shipping.test_a_save_to_h5_takes_the_optimizer_out_of_later_saves -->
# %% [markdown]
# ## 2. In a loop of your own
#
# Without `fit` there are no callbacks. `tf.train.CheckpointManager` saves when you say so, and keeps the last few:
# %%
loop = build()
checkpoint = tf.train.Checkpoint(model=loop, optimizer=loop.optimizer)
manager = tf.train.CheckpointManager(checkpoint, str(folder / "loop"), max_to_keep=2)
for epoch in range(4):
    for x, y in digits.train:
        loop.train_on_batch(x, y)
    manager.save(checkpoint_number=epoch + 1)
print(*sorted(path.name for path in (folder / "loop").iterdir()), sep="\n")
# %% [markdown]
# Two files an epoch, and `checkpoint`, which names the newest. To go on:
# <!-- claim: shipping.test_checkpoint_manager_keeps_the_last_and_restores -->
# %%
again = build()
restored = tf.train.Checkpoint(model=again, optimizer=again.optimizer)
restored.restore(manager.latest_checkpoint).expect_partial()
same = (again.get_weights()[0] == loop.get_weights()[0]).all()
print("the same weights:", same, "· steps of Adam:", int(again.optimizer.iterations))
# %% tags=["solution"]
assert same
assert int(again.optimizer.iterations) == int(loop.optimizer.iterations) == 4 * 3


# %% [markdown]
# ## 3. To a bucket
#
# In the cloud, checkpoints go to object storage. Keras takes an address in place of a path. What has `://` in it counts
# as remote, `file://` too: we need no network. The last layer here finds the disk full when we say so.
# %%
class FullDisk(keras.layers.Dense):
    full = False

    def save_own_variables(self, store):
        if FullDisk.full:
            raise OSError("No space left on device")
        super().save_own_variables(store)


pair = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32), FullDisk(10)])
(folder / "remote").mkdir()
address = (folder / "remote").resolve().as_uri()
# %% [markdown]
# ## Predict: what is left of the good file?
#
# `good.keras` and `good.weights.h5` are saved at the address. Then both are saved again, under the same names, and the
# disk is full before the last layer is written.
# %% tags=["predict"]
widgets.predict("09.g")
# %%
pair.save(f"{address}/good.keras")
pair.save_weights(f"{address}/good.weights.h5")
FullDisk.full = True
with checks.expect_error(OSError):
    pair.save(f"{address}/good.keras")
with checks.expect_error(OSError):
    pair.save_weights(f"{address}/good.weights.h5")
FullDisk.full = False
# %%
own = {"FullDisk": FullDisk}
loaders = {
    "good.keras": lambda path: keras.models.load_model(path, custom_objects=own),
    "good.weights.h5": pair.load_weights,
}
left = dict.fromkeys(loaders, "loads")
for name, load in loaders.items():
    try:
        load(folder / "remote" / name)
    except (OSError, KeyError, ValueError) as error:
        left[name] = f"{type(error).__name__}, cannot be loaded"
    print(f"{name:16} {left[name]}")
widgets.reveal("09.g")
# %% tags=["solution"]
assert left["good.keras"] == "loads"
assert left["good.weights.h5"] != "loads"
# %% [markdown]
# Do not rely on it. The order that is sound on every storage has three steps:
#
# 1. save to a local file, where a failure hurts nobody;
# 2. upload it under a **new** name, which nobody reads yet;
# 3. last, write a small object, `latest`, which names it.
#
# `FolderBucket` of this course is a bucket in a folder, with the calls of a real one: `put`, `read`, `list`.
# <!-- claim: production.test_a_failed_remote_weights_save_destroys_the_good_file -->
# <!-- claim: production.test_a_failed_remote_keras_save_leaves_the_good_file -->
# %%
bucket = storage.FolderBucket(folder / "bucket")
loop.save(folder / "local.keras")
bucket.put("run-1.keras", folder / "local.keras")
bucket.put("latest", b"run-1.keras")


def newest(bucket):
    name = bucket.read("latest").decode()
    (folder / "fetched.keras").write_bytes(bucket.read(name))
    return name, keras.models.load_model(folder / "fetched.keras")


print(bucket.list(), "· latest:", newest(bucket)[0])
# %% [markdown]
# Whoever asks `latest` is safe, even in a bucket that shows half of a large object while it is uploaded. (S3 never does,
# SFTP may. An object as small as `latest` arrives whole.) Real buckets are reached through `fsspec`: `s3://...`,
# `gs://...`, and here `memory://`.
# %%
if lesson.optional("fsspec"):
    elsewhere = storage.FsspecBucket("memory://course/models")
    elsewhere.put("run-1.keras", folder / "local.keras")
    elsewhere.put("latest", b"run-1.keras")
    print(elsewhere.list(), "· latest:", newest(elsewhere)[0])


# %% [markdown]
# ## Exercise 09.3: the marker comes last
#
# Write `ToBucket(bucket, folder)`. After each epoch, better or not, it saves the model into `folder`, puts the file into
# `bucket` under a new name, and makes `latest` name it. Whatever happens, `latest` names a whole model:
#
# - The program may be killed within any `put` of a model, which leaves half an object.
# - A `put` may raise `OSError`. Training goes on, and the next epoch tries again.
# - The same script is started again, with the same bucket and a new `ToBucket`.
# %% tags=["exercise"]
# Exercise 09.3
class ToBucket(Callback):
    def __init__(self, bucket, folder):
        super().__init__()
        self.bucket, self.folder = bucket, folder

    # your hook here


# solution
class ToBucket(Callback):
    def __init__(self, bucket, folder):
        super().__init__()
        self.bucket, self.folder = bucket, folder

    def on_epoch_end(self, epoch, logs=None):
        name = f"{time.time_ns()}.keras"
        self.model.save(self.folder / name)
        try:
            self.bucket.put(name, self.folder / name)
            self.bucket.put("latest", name.encode())
        except OSError as error:
            print(f"Epoch {epoch + 1} is not in the bucket: {error}")


# %%
checks.check("09.3", ToBucket)
# %% [markdown] tags=["instructor"]
# Expect names such as `epoch-1.keras`: new in this run, but not in the next. Let people say aloud what a reader sees
# while the second run uploads its third epoch. The local files and old objects pile up; who clears them, and when may an
# object go? (Not before `latest` names another one, and no reader is at work.)
# %% [markdown]
# ## Pause here
#
# Files, loops and buckets are done. Next: replicas, trials, alerts, and saving in a thread.
# %% [markdown]
# ## 4. Two replicas
#
# `MirroredStrategy` trains a copy of the model on each device, usually a GPU: each gets its part of every batch, and their
# gradients are added up. Our devices are the two halves of the processor.
# %%
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    mirrored = build(width=8)


class Calls(Callback):
    def on_train_begin(self, logs=None):
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(epoch + 1)
        self.model.stop_training = epoch == 1


# %% [markdown]
# ## Predict: who calls, who saves, who stops?
#
# Two replicas. One `Calls` and one `ModelCheckpoint` are in the list. `fit` is told to run 4 epochs.
# %% tags=["predict"]
widgets.predict("09.h")
# %%
calls = Calls()
copies = folder / "copies"
saver = ModelCheckpoint(copies / "{epoch}.keras")
mirrored.fit(digits.train, epochs=4, callbacks=[calls, saver], verbose=0)
print("replicas:", strategy.num_replicas_in_sync)
print("on_epoch_end was called for epochs", calls.epochs)
print("files:", *sorted(path.name for path in copies.iterdir()))
first, second = strategy.experimental_local_results(mirrored.weights[0].value)
print("weights apart by:", float(tf.reduce_max(abs(first - second))))
widgets.reveal("09.h")
# %% tags=["solution"]
assert strategy.num_replicas_in_sync == 2
assert calls.epochs == [1, 2]
assert bool(tf.reduce_all(first == second))
# %% [markdown]
# ## 5. A search, in which every trial stops early
#
# Three trials, three learning rates. A tuner copies your callbacks for each trial, with `copy.deepcopy`. This is one
# in a few lines:
# %%
import copy

rates, most = [0.03, 0.1, 0.3], 20
settings = {"validation_data": digits.validation, "epochs": most, "verbose": 0}


def search(callbacks):
    for rate in rates:
        own = copy.deepcopy(callbacks)
        history = build(rate=rate).fit(digits.train, callbacks=own, **settings).history
        yield len(history["val_loss"]), min(history["val_loss"])


# %% [markdown]
# ## Predict: one file for all
#
# One `ModelCheckpoint`, with `save_best_only=True` and one file name, is in the list that is copied for each of the
# three trials.
# %% tags=["predict"]
widgets.predict("09.i")
# %%
one_file = ModelCheckpoint(folder / "best.keras", save_best_only=True)
stopper = EarlyStopping(patience=1, start_from_epoch=4)
results = list(search([stopper, one_file]))
for rate, (epochs, best) in zip(rates, results, strict=True):
    print(f"rate {rate:<6} {epochs:2} epochs, best val_loss {best:.3f}")
in_file = keras.models.load_model(folder / "best.keras")
kept = in_file.evaluate(digits.validation, verbose=0)
print(f"in best.keras                   {kept:.3f}")
ran, all_of_them = sum(epochs for epochs, _ in results), most * len(rates)
print(f"{ran} of {all_of_them} epochs ran: {1 - ran / all_of_them:.0%} saved.")
widgets.reveal("09.i")
# %% tags=["solution"]
losses = [best for _, best in results]
assert abs(kept - losses[-1]) < 1e-3
assert losses[-1] > min(losses) + 0.1
assert not hasattr(stopper, "wait") or stopper.wait == 0
# %% [markdown]
# **The fix:** a name for each trial. KerasTuner copies just so; it also keeps the best of each trial itself, so ask it
# for the model, with `get_best_models`.
# %%
if lesson.optional("keras-tuner", "tensorboard"):
    import keras_tuner

    counted = []
    count = LambdaCallback(on_epoch_end=lambda epoch, logs: counted.append(epoch))
    tuner = keras_tuner.GridSearch(
        lambda hp: build(rate=hp.Choice("rate", rates)),
        objective="val_loss",
        directory=folder / "tuner",
    )
    tuner.search(digits.train, callbacks=[stopper, count], **settings)
    found = tuner.oracle.get_best_trials(1)[0].score
    print(f"{len(counted)} of {all_of_them} epochs ran; the best: {found:.3f}")
# %% [markdown]
# Optuna **prunes** a trial that lags behind: its callback raises an error in `on_epoch_end`. So `on_train_end` never
# comes, and nothing puts best weights back.
# %%
if lesson.optional("optuna", "optuna-integration"):
    import optuna
    from optuna_integration import KerasPruningCallback

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial):
        model = build(rate=trial.suggest_categorical("rate", rates))
        prune = KerasPruningCallback(trial, "val_loss")
        history = model.fit(digits.train, callbacks=[prune], **settings).history
        return min(history["val_loss"])

    sampler = optuna.samplers.GridSampler({"rate": rates}, seed=1)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=1)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    study.optimize(objective, n_trials=len(rates))
    for trial in study.trials:
        print(trial.params, trial.state.name, len(trial.intermediate_values), "epochs")


# %% [markdown]
# ## 6. Resources, and an alert
#
# What a callback puts into `logs` stands in the history, like a loss. `psutil` asks the operating system. An alert goes
# through `logging`; handlers bring it to people: by file, by mail, or to a webhook, an address that messages are posted
# to. `Listener` of this course is one.
# %%
from logging.handlers import HTTPHandler

import psutil

listener = webhook.Listener()
log = logging.getLogger("training")
log.propagate = False  # to our handlers only
log.addHandler(HTTPHandler(listener.host, "/alerts", method="POST"))


class Resources(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["memory_mb"] = psutil.Process().memory_info().rss / 2**20
        logs["disk_free_gb"] = psutil.disk_usage(folder).free / 2**30
        if logs["memory_mb"] > 100:
            log.warning(f"epoch {epoch + 1}: {logs['memory_mb']:.0f} MB")


# %%
build().fit(digits.train, epochs=3, callbacks=[Resources()], verbose=0)
for form in listener.received:
    print(form["levelname"], "·", form["msg"])
listener.close()
log.handlers.clear()


# %% [markdown]
# Three epochs, three messages. One is enough.
# %% [markdown]
# ## Exercise 09.4: an alert that fires once
#
# Write `Alert(metric, limit, send)`. When `logs[metric]` is more than `limit` after an epoch, it calls `send` with a
# sentence of yours, once:
#
# - While the value stays above, it is quiet. Once it has been at the limit or below, the next time above is a new alert.
# - `send` may raise `OSError`: nobody listens. Training goes on, and the next epoch that is above tries again.
# - Each `fit` begins anew.
# %% tags=["exercise"]
# Exercise 09.4
class Alert(Callback):
    def __init__(self, metric, limit, send):
        super().__init__()
        self.metric, self.limit, self.send = metric, limit, send

    # your hooks here


# solution
class Alert(Callback):
    def __init__(self, metric, limit, send):
        super().__init__()
        self.metric, self.limit, self.send = metric, limit, send

    def on_train_begin(self, logs=None):
        self.sent = False

    def on_epoch_end(self, epoch, logs=None):
        above = logs[self.metric] > self.limit
        try:
            if above and not self.sent:
                self.send(f"epoch {epoch + 1}: {self.metric} is above {self.limit}")
            self.sent = above
        except OSError:
            pass  # nobody listens; again after the next epoch


# %%
checks.check("09.4", Alert)
# %% [markdown] tags=["instructor"]
# Expect `self.sent = True` before `send`, which loses the alert when nobody listens. `HTTPHandler` itself never raises:
# `logging` prints the error and goes on. It also waits for the answer; `QueueHandler` and `QueueListener` of the same
# module post from a thread.
# %% [markdown]
# ## 7. Saving without waiting
#
# `ModelCheckpoint` lets the training wait for the file. This callback copies the weights, and a thread writes the copy,
# through a twin of the model that nobody trains.
# %%
from concurrent.futures import ThreadPoolExecutor


class SaveInThread(Callback):
    def on_train_begin(self, logs=None):
        self.twin = keras.models.clone_model(self.model)
        self.pool, self.saved, self.waits = ThreadPoolExecutor(1), [], []

    def on_epoch_end(self, epoch, logs=None):
        start = time.perf_counter()
        self.saved.append(self.pool.submit(self.write, self.model.get_weights()))
        self.waits.append(time.perf_counter() - start)

    def write(self, weights):
        self.twin.set_weights(weights)
        self.twin.save(folder / "thread.keras")

    def on_train_end(self, logs=None):
        with self.pool:  # its thread ends with the last file
            [save.result() for save in self.saved]  # raises what went wrong in it


# %% [markdown]
# ## Predict: how long does training wait?
#
# The large model of part 1, five epochs. After each, `SaveInThread` copies the weights, and a thread writes the copy.
# %% tags=["predict"]
widgets.predict("09.j")
# %%
saver = SaveInThread()
large.fit(digits.train.repeat(20), epochs=5, callbacks=[saver], verbose=0)
waited = sorted(saver.waits)[2] * 1000
plain = best_time(lambda: large.save(folder / "plain.keras"))
print(f"saved by fit itself {plain:6.1f} ms, with the thread {waited:6.1f} ms")
loaded = keras.models.load_model(folder / "thread.keras")
same = (loaded.get_weights()[0] == large.get_weights()[0]).all()
print("the file holds the last weights:", same)
widgets.reveal("09.j")
# %% tags=["solution"]
assert same
assert waited < plain
# %% [markdown]
# The price: memory for copies, no optimizer in the file, and an error comes out at the end only. A kill still leaves half
# a file, as in [lesson 09](09_survive_a_kill.ipynb). Ready-made: `manager.save(options=...)` with
# `tf.train.CheckpointOptions(enable_async=True)`, and `manager.sync()` at the end; `keras.callbacks.OrbaxCheckpoint`.
# <!-- claim: shipping.test_checkpoint_manager_saves_asynchronously -->
# %% [markdown]
# ## 8. Past one machine
#
# - **TensorFlow.** Keras 3 does not train with `tf.distribute.MultiWorkerMirroredStrategy`: with two workers, `fit` ends
#   in `Attempt to convert a value (PerReplica...` ([keras#20585](https://github.com/keras-team/keras/issues/20585)).
# - **In its place:** the JAX backend with `keras.distribution`: `initialize()` joins the processes, `DataParallel` or
#   `ModelParallel` spreads data or weights.
# - **Who saves:** each process runs its own callbacks, and `ModelCheckpoint` knows of no workers: give each a path of its
#   own.
#
# <!-- claim: shipping.test_two_workers_of_multi_worker_mirrored_fail -->
# %% [markdown]
# - **Ray Train:** its `TensorflowTrainer` prepares `MultiWorkerMirroredStrategy`, so what is said above holds there too.
# - **KerasTuner** spreads *trials*, not a training. One process, with `chief` in its `KERASTUNER_TUNER_ID`, hands them
#   out; all know its `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT`.
# - **OrbaxCheckpoint** on the TensorFlow backend: loading can give random weights without a word
#   ([keras#23251](https://github.com/keras-team/keras/issues/23251)). Compare a prediction before and after.
# %% [markdown]
# ## Key takeaways
#
# - `.keras` to go on training, `export` to serve, `.weights.h5` if you build the model yourself.
# - To a bucket: save locally, upload under a new name, and write the marker last.
# - With `MirroredStrategy` there is one list of callbacks, one file and one stop for all replicas.
# - Tuners copy callbacks for each trial: give each trial its own file.
# - An alert fires once, and failing to send it must not end the training.
# %% [markdown]
# ## Where next
#
# - [The capstone, lesson 10](10_capstone.ipynb): a training budget to spend on all you know.
# - [The pitfall lab](08_pitfall_lab.ipynb), when something breaks.
