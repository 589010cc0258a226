"""Formats, checkpoints of a loop of one's own, several replicas and several workers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from .claims import claim
from .means import iterations, new_model, training

ROOT = Path(__file__).resolve().parents[2]


@claim(
    "09",
    text=(
        "The folder that export writes holds the weights twice and no optimizer, and takes less space than .keras, "
        ".weights.h5 and .h5 of a model trained with Adam."
    ),
)
def test_export_holds_weights_twice_and_no_optimizer(tmp_path):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(2000), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.ones((2, 64)), np.ones((2, 1)), verbose=0)
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "a.h5")
    model.save_weights(tmp_path / "a.weights.h5")
    model.export(tmp_path / "served", verbose=False)
    stored = [shape for name, shape in tf.train.list_variables(str(tmp_path / "served/variables/variables")) if shape]
    assert sorted(stored) == sorted(2 * [list(array.shape) for array in model.get_weights()])
    size = sum(path.stat().st_size for path in (tmp_path / "served").rglob("*") if path.is_file())
    assert size < min((tmp_path / name).stat().st_size for name in ("a.keras", "a.h5", "a.weights.h5"))
    served = tf.saved_model.load(str(tmp_path / "served"))
    assert not hasattr(served, "fit")
    x = np.linspace(-1, 1, 128, dtype="float32").reshape(2, 64)
    np.testing.assert_allclose(served.serve(x), model.predict(x, verbose=0), atol=1e-4)


@claim("09", text="Once a model was saved as .h5, its next .keras files have lost the optimizer.")
def test_a_save_to_h5_takes_the_optimizer_out_of_later_saves(tmp_path):
    model = new_model("adam")
    model.save(tmp_path / "before.keras")
    model.save(tmp_path / "a.h5")
    model.save(tmp_path / "after.keras")
    assert isinstance(keras.models.load_model(tmp_path / "before.keras").optimizer, keras.optimizers.Adam)
    assert not isinstance(keras.models.load_model(tmp_path / "after.keras").optimizer, keras.optimizers.Adam)


@claim("09", text="tf.train.CheckpointManager keeps the last max_to_keep, and restores weights and optimizer.")
def test_checkpoint_manager_keeps_the_last_and_restores(tmp_path):
    model = new_model("adam")
    checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    manager = tf.train.CheckpointManager(checkpoint, str(tmp_path), max_to_keep=2)
    for number in (1, 2, 3):
        model.fit(training(), verbose=0)
        manager.save(checkpoint_number=number)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"checkpoint", *(f"ckpt-{n}.{end}" for n in (2, 3) for end in ("index", "data-00000-of-00001"))}
    other = new_model("adam")
    other.set_weights([array + 1 for array in other.get_weights()])
    tf.train.Checkpoint(model=other, optimizer=other.optimizer).restore(manager.latest_checkpoint)
    assert all((a == b).all() for a, b in zip(other.get_weights(), model.get_weights(), strict=True))
    assert iterations(other) == iterations(model) == 6


@claim("09", text="CheckpointManager.save can write in the background; after sync the checkpoint is there.")
def test_checkpoint_manager_saves_asynchronously(tmp_path):
    model = new_model()
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model), str(tmp_path), max_to_keep=1)
    manager.save(options=tf.train.CheckpointOptions(enable_async=True))
    manager.sync()
    saved = [array.copy() for array in model.get_weights()]
    model.set_weights([array + 1 for array in saved])
    tf.train.Checkpoint(model=model).restore(manager.latest_checkpoint).expect_partial()
    assert all((a == b).all() for a, b in zip(model.get_weights(), saved, strict=True))


MIRRORED = """
import tensorflow as tf
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [half, half])
import json, sys
from pathlib import Path
import keras
import numpy as np

folder, calls = Path(sys.argv[1]), []

class Calls(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        calls.append(epoch)
        self.model.stop_training = epoch == 1

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
rows = np.random.default_rng(0).random((8, 3), "float32")
data = tf.data.Dataset.from_tensor_slices((rows, rows[:, :1])).batch(4)
saver = keras.callbacks.ModelCheckpoint(folder / "{epoch}.keras")
model.fit(data, epochs=4, callbacks=[Calls(), saver], verbose=0)
first, second = strategy.experimental_local_results(model.weights[0].value)
same = bool(tf.reduce_all(first == second))
print(json.dumps([strategy.num_replicas_in_sync, calls, sorted(path.name for path in folder.iterdir()), same]))
"""

WORKER = """
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
import keras
import numpy as np
with strategy.scope():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
data = tf.data.Dataset.from_tensor_slices((np.ones((8, 3), "float32"), np.ones((8, 1), "float32"))).batch(4)
try:
    model.fit(data, verbose=0)
except ValueError as error:
    print(strategy.num_replicas_in_sync, "workers:", str(error).splitlines()[0][:60])
else:
    print(strategy.num_replicas_in_sync, "workers: trained")
"""


def started(program: str, *arguments: str, **environment: str) -> subprocess.Popen:
    """Start a Python program, with what it prints in a pipe."""
    command = [sys.executable, "-c", program, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**os.environ, **environment}, cwd=ROOT, **pipes)


def printed(process: subprocess.Popen) -> str:
    """Return the last line of what a program printed, when it has ended."""
    try:
        output, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, errors[-2000:]
    return output.strip().splitlines()[-1]


@claim(
    "09",
    text=(
        "With MirroredStrategy on two devices there is one call of a hook and one file an epoch, both replicas hold "
        "the same weights, and stop_training stops both."
    ),
)
def test_two_replicas_call_callbacks_once_and_stop_together(tmp_path):
    found = json.loads(printed(started(MIRRORED, str(tmp_path))))
    assert found == [2, [0, 1], ["1.keras", "2.keras"], True]


def free_ports(count: int) -> list[int]:
    """Return ports of this machine's loopback that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@claim("09", text="Keras 3 does not train with MultiWorkerMirroredStrategy on two workers: fit ends in a ValueError.")
def test_two_workers_of_multi_worker_mirrored_fail():
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    tasks = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in (0, 1)]
    workers = [started(WORKER, TF_CONFIG=json.dumps(task)) for task in tasks]
    for worker in workers:
        assert printed(worker).startswith("2 workers: Attempt to convert a value (PerReplica")


@claim("09", text="keras.distribution has initialize, DataParallel, ModelParallel and set_distribution.")
def test_keras_distribution_has_these_names():
    for name in ("initialize", "DataParallel", "ModelParallel", "set_distribution"):
        assert hasattr(keras.distribution, name)
