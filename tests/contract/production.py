"""Survive production: what is left after failed saves, what a resumed run needs, which order the rows have."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.callbacks import BackupAndRestore, Callback, EarlyStopping, LambdaCallback, ModelCheckpoint, TerminateOnNaN

from helpers.callbacks import AtomicCheckpoint, ResumeState

from .claims import claim
from .means import Saves, Script, fit, iterations, new_model, same_weights, still_model

ROOT = Path(__file__).resolve().parents[2]


class Fragile(keras.layers.Layer):
    """A layer whose saving can fail."""

    broken = False

    def build(self, shape):
        self.weight = self.add_weight(shape=(64,))

    def call(self, inputs):
        return inputs

    def save_own_variables(self, store):
        if Fragile.broken:
            raise OSError("No space left on device")
        super().save_own_variables(store)


def fragile_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), Fragile()])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


# -- failed saves ----------------------------------------------------------------------------------------------------


@contextmanager
def failing():
    """Let saves fail inside the block, and expect one to."""
    Fragile.broken = True
    try:
        with pytest.raises(OSError, match="No space left"):
            yield
    finally:
        Fragile.broken = False


@claim("09", text="A save of remote weights that fails in its middle replaces the good file by what was there so far.")
def test_a_failed_remote_weights_save_destroys_the_good_file(tmp_path):
    model, path = fragile_model(), tmp_path / "a.weights.h5"
    model.save_weights(f"file://{path}")
    before = path.read_bytes()
    model.load_weights(path)
    with failing():
        model.save_weights(f"file://{path}", overwrite=True)
    assert path.read_bytes() != before
    with pytest.raises((OSError, ValueError), match=r"open file|could not be loaded|expected \d+ variables"):
        model.load_weights(path)


@claim("09", text="The same failure leaves a remote .keras file as it was.")
def test_a_failed_remote_keras_save_leaves_the_good_file(tmp_path):
    model, path = fragile_model(), tmp_path / "a.keras"
    model.save(f"file://{path}")
    before = path.read_bytes()
    with failing():
        model.save(f"file://{path}", overwrite=True)
    assert path.read_bytes() == before


@claim("09", text="A path such as s3:// goes to TensorFlow's file systems, which know none of that name.")
def test_s3_is_not_implemented(tmp_path):
    with pytest.raises(tf.errors.UnimplementedError, match="scheme 's3' not implemented"):
        new_model().save_weights("s3://bucket/a.weights.h5")


@claim("09", text="ModelCheckpoint moves its best before it saves: after a failed save no file holds its best.")
def test_best_moves_before_the_save(tmp_path):
    model, path = fragile_model(), tmp_path / "best.keras"
    checkpoint = ModelCheckpoint(path, save_best_only=True)
    fit(model, [Script([1.0]), checkpoint])
    with failing():
        fit(model, [Script([0.5]), checkpoint])
    assert checkpoint.best == 0.5


@claim(
    "08.53",
    "09",
    text="Somebody who has a .weights.h5 file open, to read it, makes the next save over it fail and empty it.",
)
@pytest.mark.skipif(sys.platform == "win32", reason="another lock, another error")
def test_a_reader_fails_the_writer(tmp_path):
    model, path = new_model(), tmp_path / "a.weights.h5"
    model.save_weights(path)
    reader = subprocess.Popen(
        [sys.executable, "-c", f"import h5py; file = h5py.File({str(path)!r}); print('open', flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with reader:
        reader.stdout.readline()
        with pytest.raises(BlockingIOError, match="unable to lock file"):
            model.save_weights(path, overwrite=True)
        assert path.stat().st_size == 0
        reader.communicate(b"\n")


# -- NaN -------------------------------------------------------------------------------------------------------------


class Poison(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.set_weights([np.full_like(weight, np.nan) for weight in self.model.get_weights()])


@claim(
    "09",
    text=(
        "TerminateOnNaN ends training as any good end: BackupAndRestore deletes its folder, and a ModelCheckpoint that "
        "saves each epoch has saved the NaN."
    ),
)
def test_nan_takes_the_backup_away(tmp_path):
    callbacks = [
        Poison(),
        TerminateOnNaN(),
        BackupAndRestore(tmp_path / "backup"),
        ModelCheckpoint(tmp_path / "a.keras"),
    ]
    fit(new_model(), callbacks, epochs=5)
    assert not (tmp_path / "backup").exists()
    assert np.isnan(keras.saving.load_model(tmp_path / "a.keras").get_weights()[0]).all()


@claim(
    "09", text="ResumeState keeps no epoch with NaN weights, and a run that ends so goes on after its last good epoch."
)
def test_resume_state_keeps_the_last_finite_epoch(tmp_path):
    with pytest.warns(UserWarning, match="the state after epoch 2 is kept"):
        fit(new_model(), [Poison(), TerminateOnNaN(), ResumeState(tmp_path, verbose=0)], epochs=5)
    resume = ResumeState(tmp_path, verbose=0)
    fit(new_model(), [resume], epochs=3)
    assert resume.resumed_epoch == 2


# -- BackupAndRestore ------------------------------------------------------------------------------------------------


@claim("08.49", "09", text="delete_checkpoint removes the whole folder at a good end, and what others kept in it.")
def test_the_backup_takes_foreign_files_with_it(tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "notes.txt").write_text("mine")
    fit(new_model(), [BackupAndRestore(tmp_path / "backup")])
    assert not (tmp_path / "backup").exists()


def broken_off(folder, model, at, **settings):
    """Break off at the beginning of a batch, counted over all epochs from 0."""
    batches = iter(range(1000))

    def stop(batch, logs):
        if next(batches) == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, [BackupAndRestore(folder, **settings), LambdaCallback(on_train_batch_begin=stop)], epochs=4)


@claim(
    "08.49",
    "09",
    text="A second model, such as that of the next fold, goes on with the weights of the first after a crash.",
)
def test_a_second_fold_takes_the_first_folds_weights(tmp_path):
    first = new_model()
    broken_off(tmp_path, first, at=2)
    second, began = new_model(), []
    begin = LambdaCallback(on_epoch_begin=lambda epoch, logs: began.append((epoch, second.get_weights())))
    fit(second, [BackupAndRestore(tmp_path), begin], epochs=2)
    assert began[0][0] == 1
    assert same_weights(began[0][1], first.get_weights())


@claim("08.49", "09", text="With an integer save_freq the batch is stored and never read: the whole epoch runs again.")
def test_the_place_in_the_epoch_is_not_used(tmp_path):
    broken_off(tmp_path, new_model(), at=3, save_freq=1)
    assert json.loads((tmp_path / "training_metadata.json").read_text())["batch"] in (0, 1)
    model, seen = new_model(), []
    batches = LambdaCallback(on_train_batch_begin=lambda batch, logs: seen.append(batch))
    fit(model, [BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False), batches], epochs=2)
    # Two batches of the first epoch, one of the second, and then the second once more from its beginning.
    assert seen[-2:] == [0, 1]
    assert iterations(model) == 5


@claim("09", text="save_freq=False saves after every batch, against its docstring.")
def test_save_freq_false_saves_after_every_batch(tmp_path):
    times = []

    class Counts(BackupAndRestore):
        def _save_model(self):
            times.append(1)
            super()._save_model()

    fit(new_model(), [Counts(tmp_path / "backup", save_freq=False)], epochs=2)
    assert len(times) == 4


# -- the order of rows, and randomness -------------------------------------------------------------------------------


class Order(keras.Model):
    """A model that notes the rows it gets and learns nothing."""

    def __init__(self):
        super().__init__()
        self.rows, self.one = [], keras.layers.Dense(1)

    def call(self, inputs):
        return self.one(inputs)

    def train_step(self, data):
        self.rows.extend(int(row) for row in data[0][:, 0])
        return {"loss": 0.0}


def orders(x, epochs, callbacks=(), **settings):
    """Return the order of rows in each epoch."""
    model = Order()
    model(np.zeros((1, 1), "float32"))
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(x, epochs=epochs, verbose=0, callbacks=list(callbacks), **settings)
    return [model.rows[start : start + 8] for start in range(0, len(model.rows), 8)]


ROWS = np.arange(8, dtype="float32")[:, None]


@claim("09", text="With keras.utils.set_random_seed, fit on arrays deals the rows in the same order in every epoch.")
def test_a_seed_deals_the_same_order_in_each_epoch():
    found = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        found += orders(ROWS, 3, y=ROWS, batch_size=4)
    assert found[0] != sorted(found[0])
    assert found == [found[0]] * 6


def shuffled():
    keras.utils.set_random_seed(1)
    return tf.data.Dataset.from_tensor_slices((ROWS, ROWS)).shuffle(8, seed=2).batch(4)


@claim(
    "09",
    text="fit begins a dataset of known length twice an epoch but for the first, and a seeded shuffle moves on twice.",
)
def test_fit_begins_a_dataset_twice():
    found = orders(shuffled(), 3)
    data = shuffled()
    alone = [[int(row) for x, _ in data for row in x[:, 0]] for _ in range(5)]
    assert found == [alone[0], alone[2], alone[4]]


@claim(
    "09", text="A fit that resumes deals a shuffling dataset from its first order again; with ResumeState it goes on."
)
def test_resumed_fits_and_the_order_of_rows(tmp_path):
    whole = orders(shuffled(), 4)
    assert orders(shuffled(), 4, initial_epoch=2) == whole[:2]

    def stop(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        orders(shuffled(), 4, [ResumeState(tmp_path, verbose=0), LambdaCallback(on_epoch_begin=stop)])
    assert orders(shuffled(), 4, [ResumeState(tmp_path, verbose=0)]) == whole[2:]


@claim("09", text="A weights file holds no seeds of dropout layers: after loading, dropout begins its sequence anew.")
def test_a_weights_file_forgets_the_seeds_of_dropout(tmp_path):
    def model():
        keras.utils.set_random_seed(1)
        return keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5)])

    first, x = model(), np.ones((1, 3), "float32")
    state = first.layers[0].seed_generator.state
    begin = state.numpy().tolist()
    first(x, training=True)
    assert state.numpy().tolist() != begin
    first.save_weights(tmp_path / "a.weights.h5")
    second = model()
    second.load_weights(tmp_path / "a.weights.h5")
    assert second.layers[0].seed_generator.state.numpy().tolist() == begin
    assert any(variable is state for variable in first.variables)


# -- the callbacks of the course, on every supported Keras -----------------------------------------------------------


@claim("09", text="AtomicCheckpoint saves when ModelCheckpoint would.")
def test_atomic_checkpoint_saves_like_model_checkpoint(tmp_path):
    values = [1.0, 0.8, 0.9, 0.7, 0.7]
    theirs = Saves(tmp_path / "theirs.keras", save_best_only=True)
    ours = AtomicCheckpoint(tmp_path / "{epoch}.keras", save_best_only=True)
    fit(still_model(), [Script(values), theirs, ours], epochs=5)
    assert sorted(path.name for path in tmp_path.glob("[0-9]*")) == [f"{epoch + 1}.keras" for epoch in theirs.epochs]
    assert ours.best == theirs.best


@claim("09", text="ResumeState brings EarlyStopping, checkpoint and History back, wherever it stands in the list.")
@pytest.mark.parametrize("first", [True, False])
def test_resume_state_forgets_nothing(tmp_path, first):
    values = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]

    def chain(*rest):
        stopping, best = EarlyStopping(patience=3), AtomicCheckpoint(tmp_path / "best.keras", save_best_only=True)
        resume = ResumeState(tmp_path / "state", verbose=0)
        others = [Script(values), stopping, best, *rest]
        return stopping, best, [resume, *others] if first else [*others, resume]

    def stop(epoch, logs):
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(still_model(), chain(LambdaCallback(on_epoch_begin=stop))[2], epochs=8)
    saved = (tmp_path / "best.keras").read_bytes()
    stopping, best, callbacks = chain()
    history = fit(still_model(), callbacks, epochs=8)
    assert (stopping.stopped_epoch, stopping.best_epoch, stopping.best, best.best) == (3, 0, 1.0, 1.0)
    assert len(history["loss"]) == 4
    assert (tmp_path / "best.keras").read_bytes() == saved


MIRRORED = """
import sys, warnings
warnings.simplefilter("ignore")
import keras, numpy as np, tensorflow as tf
from pathlib import Path
from helpers.callbacks import AtomicCheckpoint, ResumeState, SaveRecorder
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
x = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")

def run(folder, break_at=None):
    keras.utils.set_random_seed(1)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.3), keras.layers.Dense(1)])
        model.compile("adam", "mse")
    each = AtomicCheckpoint(folder / "{epoch}.keras")
    recorder = SaveRecorder(each)
    def stop(epoch, logs):
        if epoch == break_at:
            raise KeyboardInterrupt
    breaks = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
    rest = [keras.callbacks.EarlyStopping("loss", patience=9), each, recorder, breaks]
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).shuffle(32, seed=2).batch(8)
    history = model.fit(data, epochs=4, verbose=0, callbacks=[ResumeState(folder / "state", verbose=0), *rest])
    weights = keras.saving.load_model(folder / "4.keras").get_weights()
    return history.history["loss"], recorder.epochs, [weight.tolist() for weight in weights]

folder = Path(sys.argv[1])
whole = run(folder / "whole")
try:
    run(folder / "broken", break_at=2)
except KeyboardInterrupt:
    pass
assert whole[1] == [0, 1, 2, 3], whole[1]
again = run(folder / "broken")
print([one == other for one, other in zip(whole, again)])
"""


@claim("09", text="MirroredStrategy on two logical CPUs: one save an epoch, and a resumed run goes on exactly.")
def test_mirrored_strategy(tmp_path):
    script = tmp_path / "mirrored.py"
    script.write_text(textwrap.dedent(MIRRORED))
    ran = subprocess.run(
        [sys.executable, script, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.splitlines()[-1] == "[True, True, True]"
