"""Wrong and hostile answers for the arena, and a part of the sentence that each must get.

`ANSWERS` holds a `make_callbacks` as a learner would write it, each for a training of its own; after "why: " the words
are about why there is no model. `REFUSED` holds what a callback may try and must not get; one training tries all of it.
"""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
from keras.callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint

SEEN_SO_FAR = []


class AtEpochEnd(Callback):
    """Does what it is given at the end of the first epoch."""

    def __init__(self, do):
        super().__init__()
        self.do = do

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.do(self)


def at_epoch_end(do):
    """Return a `make_callbacks` with a good checkpoint and a callback that does `do(callback, folder)`."""

    def make_callbacks(folder):
        return [ModelCheckpoint(folder / "best.keras"), AtEpochEnd(lambda callback: do(callback, folder))]

    return make_callbacks


def returning(value):
    def make_callbacks(folder):
        return value

    return make_callbacks


def hangs_at_once(folder):
    while True:
        time.sleep(0.01)


def hangs_and_swallows(callback, folder):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            continue


def raises(callback, folder):
    raise ValueError("no luck today")


def raises_at_once(folder):
    return [EarlyStopping(patience=3), Forgotten()]  # noqa: F821


def writes_outside(callback, folder):
    Path(folder).parent.parent.joinpath("mine.txt").write_text("hello")


def writes_into_home(callback, folder):
    with open(os.path.expanduser("~/arena-was-here"), "w") as file:
        file.write("hello")


def removes_the_others(callback, folder):
    import shutil

    shutil.rmtree(folder.parent.parent)


def removes_what_it_finds(callback, folder):
    for path in folder.parent.parent.iterdir():
        for file in path.rglob("*.keras"):
            file.unlink()
    os.remove(__import__("tempfile").gettempdir() + "/../somebody")


def leaves_a_thread(callback, folder):
    threading.Thread(target=time.sleep, args=(600,), name="counts sheep").start()


def exits(callback, folder):
    sys.exit(0)


def exits_hard(callback, folder):
    os._exit(3)


def fills_the_disk(callback, folder):
    for number in range(60):
        (folder / f"{number}.bin").write_bytes(bytes(1_000_000))
        time.sleep(0.02)
    time.sleep(600)


def one_huge_file(callback, folder):
    with open(folder / "huge.bin", "wb") as file:
        for _ in range(100):
            file.write(bytes(1_000_000))


def reads_the_test_rows(callback, folder):
    from helpers import data

    callback.x = data.load_digits().x_test


def reads_with_tensorflow(callback, folder):
    import tensorflow as tf

    from helpers import data

    with tf.io.gfile.GFile(str(data.DATA / "digits.npz"), "rb") as file:
        callback.rows = file.read()


def removes_with_tensorflow(callback, folder):
    import tensorflow as tf

    tf.io.gfile.rmtree(str(folder.parent.parent))


def opens_a_folder(callback, folder):
    handle = os.open(folder.parent.parent, os.O_RDONLY)
    os.open("mine.txt", os.O_WRONLY | os.O_CREAT, dir_fd=handle)


def links_the_data(callback, folder):
    from helpers import data

    os.link(data.DATA / "digits.npz", folder / "rows.npz")


def follows_a_link(callback, folder):
    (folder / "elsewhere.txt").symlink_to(folder.parent.parent / "mine.txt")
    (folder / "elsewhere.txt").write_text("hello")


def fits_inside(callback, folder):
    import numpy as np

    callback.model.fit(np.zeros((32, 128)), np.zeros((32, 1)), verbose=0)


def fits_another_model(callback, folder):
    import numpy as np

    other = keras.models.clone_model(callback.model)
    other.compile("adam", "binary_crossentropy")
    other.train_on_batch(np.zeros((32, 128)), np.zeros((32, 1)))


def fits_in_a_thread(callback, folder):
    import tensorflow as tf

    def work():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(callback.model(tf.zeros((1, 128))))
        callback.model.optimizer.apply(tape.gradient(loss, callback.model.trainable_variables))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def drawing(name):
    """Return a hook that finds `fit` among its callers, and goes through the rows that it was given as `name`."""

    def hook(callback, folder):
        frame = sys._getframe()
        while frame is not None:
            given = frame.f_locals
            if "validation_data" in given and given.get("x") is not None:
                list(given[name])
                return
            frame = frame.f_back

    return hook


def replaces_keras(callback, folder):
    keras.callbacks.CallbackList.on_train_batch_end = lambda self, batch, logs=None: None


def keeps_state_in_a_global(callback, folder):
    SEEN_SO_FAR.append(callback.model.get_weights()[0].mean())


def prints_without_end(callback, folder):
    for number in range(200_000):
        print("still here", number)


def starts_a_process(callback, folder):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def leaves_a_process(callback, folder):
    """Start one past all that Python tells of."""
    from multiprocessing import util

    words = [sys.executable, "-c", "import os, time; os.setsid(); time.sleep(600)"]
    util.spawnv_passfds(os.fsencode(sys.executable), words, [])


def forks(callback, folder):
    if os.fork() == 0:
        time.sleep(600)


def ends_its_parent(callback, folder):
    os.kill(os.getppid(), signal.SIGKILL)


def asks_the_network(callback, folder):
    socket.create_connection(("192.0.2.1", 80), timeout=1)


def removes_its_folder(callback, folder):
    import shutil

    shutil.rmtree(folder)
    callback.model.stop_training = True


def speaks_for_the_training(callback, folder):
    """Find the pipe to the arena and tell it something better than the truth."""
    import json

    frame = sys._getframe()
    while frame is not None:
        if "connection" in frame.f_locals:
            for words in (["ended", 0, [], 0], ["begin", "000000000000"], ["now", 3, [], 0, "at my own wish"]):
                frame.f_locals["connection"].send_bytes(json.dumps(words).encode())
        frame = frame.f_back


def speaks_nonsense(callback, folder):
    frame = sys._getframe()
    while frame is not None:
        if "connection" in frame.f_locals:
            frame.f_locals["connection"].send_bytes(b'["epoch", "many"]')
        frame = frame.f_back


def keeps_nothing(folder):
    return [EarlyStopping(patience=3)]


def keeps_two(folder):
    return [ModelCheckpoint(folder / "one.keras"), ModelCheckpoint(folder / "two.keras")]


def spoils_the_file(callback, folder):
    callback.model.stop_training = True
    (folder / "best.keras").write_bytes(b"PK, not really")


def keeps_another_model(callback, folder):
    callback.model.stop_training = True
    keras.Sequential([keras.Input((128,)), keras.layers.Dense(3)]).save(folder / "best.keras")


def writes_beside_the_folder(folder):
    return [ModelCheckpoint("best.keras"), CSVLogger("log.csv")]


def saves_weights_elsewhere(folder):
    return [ModelCheckpoint(str(folder.parent / "best.weights.h5"), save_weights_only=True)]


def saves_weights_elsewhere_later(callback, folder):
    callback.model.save_weights(folder.parent / "mine.weights.h5")


def honest(folder):
    """All that a learner may well use; nothing of it is refused."""
    import json
    import pickle

    from helpers.callbacks import HookRecorder, SaveRecorder

    class Own(Callback):
        def on_train_begin(self, logs=None):
            if (folder / "old.keras").exists():
                self.model.set_weights(keras.saving.load_model(folder / "old.keras").get_weights())

        def on_train_batch_end(self, batch, logs=None):
            self.loss = float(logs["loss"])

        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.9 * float(self.model.optimizer.learning_rate)
            (folder / "state.json").write_text(json.dumps({"epoch": epoch, "val_loss": logs["val_loss"]}))
            (folder / "state.pkl").write_bytes(pickle.dumps(self.model.get_weights()))
            (folder / "new").mkdir(exist_ok=True)
            self.model.save_weights(folder / "new" / "last.weights.h5")
            (folder / "new" / "last.weights.h5").replace(folder / "new" / "kept.weights.h5")
            self.model.load_weights(folder / "new" / "kept.weights.h5")
            (folder / "state.pkl").unlink()

        def on_train_end(self, logs=None):
            keras.Sequential(self.model.layers).save(folder / "best.keras")

    checkpoint = ModelCheckpoint(folder / "files" / "{epoch:02d}-{val_loss:.2f}.keras")
    return [
        EarlyStopping(patience=3, restore_best_weights=True), checkpoint, SaveRecorder(checkpoint), HookRecorder(),
        CSVLogger(folder / "log.csv"), keras.callbacks.ReduceLROnPlateau(patience=1), keras.callbacks.TerminateOnNaN(),
        keras.callbacks.BackupAndRestore(folder / "backup", save_freq=5), Own(),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
    ]  # fmt: skip


NO_EPOCH, NO_WRITE = "No epoch ended for", "tried to write or remove"

REFUSED = {
    "writes outside": (writes_outside, NO_WRITE),
    "writes into the home folder": (writes_into_home, NO_WRITE),
    "removes all folders": (removes_the_others, NO_WRITE),
    "removes what it finds": (removes_what_it_finds, NO_WRITE),
    "reads the test rows": (reads_the_test_rows, "tried to read data/checksums.txt"),
    "reads with TensorFlow": (reads_with_tensorflow, "tried to read data/digits.npz"),
    "removes with TensorFlow": (removes_with_tensorflow, NO_WRITE),
    "opens a folder": (opens_a_folder, NO_WRITE),
    "links the data": (links_the_data, NO_WRITE),
    "follows a link": (follows_a_link, "mine.txt. Only the folder"),
    "fits in a callback": (fits_inside, "called `fit` in `on_epoch_end`"),
    "trains another model": (fits_another_model, "called `train_on_batch` in `on_epoch_end`"),
    "trains in a thread": (fits_in_a_thread, "called a `GradientTape` outside of the arena's training"),
    "takes the rows": (drawing("x"), "drew training rows on their own"),
    "takes the validation rows": (drawing("validation_data"), "drew validation rows on their own"),
    "starts a process": (starts_a_process, "tried to start a process"),
    "forks": (forks, "tried to start a process"),
    "ends its parent": (ends_its_parent, "tried to end another process"),
    "asks the network": (asks_the_network, "tried to reach the network"),
    "saves weights elsewhere": (saves_weights_elsewhere_later, NO_WRITE),
}


def tries_all(callback, folder):
    for do, _ in REFUSED.values():
        try:
            do(callback, folder)
        except Exception:  # what is swallowed was refused all the same
            continue


ANSWERS = {
    "honest": (honest, ""),
    "hangs at once": (hangs_at_once, NO_EPOCH),
    "hangs and swallows what would end it": (at_epoch_end(hangs_and_swallows), NO_EPOCH),
    "raises": (at_epoch_end(raises), "`on_epoch_end` raised ValueError: no luck today"),
    "raises at once": (raises_at_once, "raised NameError: name 'Forgotten' is not defined"),
    "leaves a thread": (at_epoch_end(leaves_a_thread), "A thread of yours (counts sheep)"),
    "tries all that is refused": (at_epoch_end(tries_all), "tried to write or remove"),
    "fits in a callback": (at_epoch_end(fits_inside), "called `fit` in `on_epoch_end`"),
    "leaves a process": (at_epoch_end(leaves_a_process), "A process that your callbacks had started"),
    "exits": (at_epoch_end(exits), "`on_epoch_end` ended the program (SystemExit)"),
    "exits hard": (at_epoch_end(exits_hard), "vanished without a word (exit code 3)"),
    "fills the disk": (at_epoch_end(fills_the_disk), "MB, so the arena ended the training"),
    "writes one huge file": (at_epoch_end(one_huge_file), "File too large"),
    "replaces Keras": (at_epoch_end(replaces_keras), "replaced `CallbackList.on_train_batch_end`"),
    "keeps state in a global": (at_epoch_end(keeps_state_in_a_global), "changed `SEEN_SO_FAR`"),
    "prints without end": (at_epoch_end(prints_without_end), "still here 0"),
    "removes its folder": (at_epoch_end(removes_its_folder), "why: No model file lies in the folder (it is empty)"),
    "speaks for the training": (at_epoch_end(speaks_for_the_training), ""),
    "speaks nonsense": (at_epoch_end(speaks_nonsense), "told the arena made no sense"),
    "keeps nothing": (keeps_nothing, "why: No model file lies in the folder (it is empty)"),
    "keeps two": (keeps_two, "why: 2 model files lie in the folder (one.keras, two.keras)"),
    "spoils the file": (at_epoch_end(spoils_the_file), "why: `best.keras` cannot be loaded"),
    "keeps another model": (at_epoch_end(keeps_another_model), "why: The model in `best.keras` answers with shape"),
    "writes beside the folder": (writes_beside_the_folder, "Write `folder / 'best.keras'`"),
    "names a file elsewhere": (saves_weights_elsewhere, "which is outside of the folder"),
    "returns nothing": (returning(None), "it returned None. Is its last line"),
    "returns a set": (returning({1, 2}), "it returned a set. Their order matters"),
    "returns a class": (returning([EarlyStopping]), "number 1 is the class EarlyStopping: write"),
    "returns text": (returning(["EarlyStopping"]), "number 1 is a str"),
    "returns a dict": (returning({"stop": 3}), "it returned a dict"),
}
