"""The optional parts of lesson 09, each skipped in words where its package is missing.

    make production                 all of them, in an environment of their own

Claims about other libraries stand here and not in the contract, which is about Keras.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import uuid

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from helpers import lesson, storage


def need(module: str, package: str | None = None):
    """Return a module, or skip with a sentence that says how to get it."""
    why = f"{package or module} is optional; `make production` runs this"
    return pytest.importorskip(module, reason=why, exc_type=ImportError)


@pytest.fixture
def s3(monkeypatch):
    """The address of an empty bucket of a real S3 server on this machine's loopback, and how fsspec gets there."""
    need("s3fs")
    server = need("moto.server", "moto").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    host, port = server.get_host_and_port()
    options = {"client_kwargs": {"endpoint_url": f"http://{host}:{port}"}, "skip_instance_cache": True}
    import s3fs

    name = f"models-{uuid.uuid4().hex}"  # servers in one process share what they hold
    s3fs.S3FileSystem(**options).mkdir(name)
    yield f"s3://{name}/run", options, server
    with contextlib.suppress(RuntimeError):
        server.stop()


def solution(exercise: str):
    """Return the class in the solutions edition that answers an exercise."""
    from helpers.checks import _core

    scope: dict[str, object] = {"__name__": "__main__"}
    exec("import time, keras\nfrom keras.callbacks import Callback", scope)
    exec(_core.solution_code(exercise), scope)
    return next(value for name, value in scope.items() if name in ("ToBucket", "Alert"))


def model_and_data():
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    x = np.random.default_rng(0).random((8, 3), "float32")
    return model, {"x": x, "y": x[:, :1], "validation_data": (x, x[:, :1]), "verbose": 0}


def test_the_solution_works_with_a_real_s3_server(s3, tmp_path):
    import keras

    address, options, _ = s3
    bucket = storage.FsspecBucket(address, **options)
    assert bucket.list() == []
    model, data = model_and_data()
    model.fit(epochs=2, callbacks=[solution("09.3")(bucket, tmp_path)], **data)
    reader = storage.FsspecBucket(address, **options)
    assert len(reader.list()) == 3
    name = reader.read("latest").decode()
    (tmp_path / "read.keras").write_bytes(reader.read(name))
    read = keras.models.load_model(tmp_path / "read.keras")
    assert (read.get_weights()[0] == model.get_weights()[0]).all()
    with pytest.raises(FileNotFoundError):
        reader.read("nothing")


def test_an_s3_that_is_gone_does_not_end_training(s3, tmp_path, capsys):
    address, options, server = s3
    quick = {"retries": {"max_attempts": 1}, "connect_timeout": 1}
    bucket = storage.FsspecBucket(address, **options, config_kwargs=quick)
    bucket._fs.retries = 1
    bucket.put("latest", b"none yet")
    server.stop()
    with pytest.raises(OSError, match="could not be stored"):
        bucket.put("latest", b"none yet")
    model, data = model_and_data()
    history = model.fit(epochs=2, callbacks=[solution("09.3")(bucket, tmp_path)], **data)
    assert history.epoch == [0, 1]
    assert "Epoch 2 is not in the bucket" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["memory://course/models", "memory://models"])
def test_a_bucket_in_memory(url):
    need("fsspec")
    bucket = storage.FsspecBucket(url)
    bucket.put("a/one.keras", b"1")
    bucket.put("latest", b"a/one.keras")
    assert bucket.list() == ["a/one.keras", "latest"]
    assert bucket.read("latest") == b"a/one.keras"


def test_keras_tuner_copies_callbacks_so_one_file_ends_with_the_last_trial(tmp_path):
    keras_tuner = need("keras_tuner", "keras-tuner")
    need("tensorboard")
    import keras

    _, data = model_and_data()
    rates = [0.1, 1e-6]

    def build(hp):
        model, _ = model_and_data()
        model.optimizer.learning_rate = hp.Choice("rate", rates)
        return model

    tuner = keras_tuner.GridSearch(build, objective="val_loss", directory=tmp_path, project_name="search")
    stopper = keras.callbacks.EarlyStopping(patience=2, min_delta=1e-3)
    saver = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
    ran: list[int] = []
    count = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ran.append(epoch))
    assert copy.deepcopy(count).on_epoch_end is count.on_epoch_end
    tuner.search(epochs=30, callbacks=[stopper, saver, count], **data)
    scores = [tuner.oracle.trials[id].score for id in tuner.oracle.end_order]
    kept = keras.models.load_model(tmp_path / "best.keras").evaluate(*data["validation_data"], verbose=0)
    assert kept == pytest.approx(scores[-1], rel=1e-4)
    assert min(scores) < 0.9 * scores[-1]
    assert len(ran) < 60
    assert not hasattr(stopper, "wait") or stopper.wait == 0
    assert saver.best in (None, float("inf"))
    best = tuner.get_best_models(1)[0]
    best.compile("sgd", "mse", run_eagerly=True)
    assert best.evaluate(*data["validation_data"], verbose=0) == pytest.approx(min(scores), rel=1e-4)


def test_keras_tuner_clears_the_session_before_each_model_so_a_policy_set_above_is_gone(tmp_path):
    keras_tuner = need("keras_tuner", "keras-tuner")
    need("tensorboard")
    import keras

    made: list[str] = []

    def build(hp):
        model, _ = model_and_data()
        hp.Choice("rate", [0.1, 0.01])
        made.append(keras.layers.Dense(1).compute_dtype)
        return model

    _, data = model_and_data()
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        tuner = keras_tuner.GridSearch(build, objective="val_loss", directory=tmp_path, project_name="policy")
        # The tuner has built one model by itself, to learn what there is to choose.
        assert made == ["float16"]
        tuner.search(epochs=1, **data)
    finally:
        keras.config.set_dtype_policy(before)
    assert made[1:] == ["float32", "float32"]


def test_optuna_prunes_by_an_error_so_training_never_ends_and_nothing_is_restored():
    optuna = need("optuna")
    integration = need("optuna_integration", "optuna-integration")
    import keras

    optuna.logging.set_verbosity(logging.WARNING)
    ended = []

    class Ended(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            ended.append(self.trial)

    def objective(trial):
        model, data = model_and_data()
        model.optimizer.learning_rate = trial.suggest_categorical("rate", [0.1, 1e-6])
        last = Ended()
        last.trial = trial.number
        callbacks = [integration.KerasPruningCallback(trial, "val_loss"), last]
        return min(model.fit(epochs=5, callbacks=callbacks, **data).history["val_loss"])

    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    for rate in (0.1, 1e-6):
        study.enqueue_trial({"rate": rate})
    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert ended == [0]


def test_a_missing_package_is_told_in_words(monkeypatch, capsys):
    monkeypatch.setattr(lesson, "_installed", lambda name: None if name == "optuna" else "1")
    assert lesson.optional("fsspec")
    assert not lesson.optional("fsspec", "optuna")
    told = " ".join(capsys.readouterr().out.split())
    assert "needs `optuna`, which is not installed here. The lesson goes on without it." in told
    assert "python tools/setup_env.py production" in told
    assert lesson.optional("orbax-checkpoint")
    monkeypatch.setattr(lesson, "_installed", lambda name: None)
    assert not lesson.optional("jax", "orbax-checkpoint")
    assert "python tools/setup_env.py conformance" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(ValueError, match="takes names out of"):
        lesson.optional("optuna", "jax")
    with pytest.raises(ValueError, match="takes names out of"):
        lesson.optional("numpy")
    with pytest.raises(ValueError, match="takes names out of"):
        lesson.optional()


def test_the_advice_fits_the_project():
    import tomllib
    from pathlib import Path

    root = Path(__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    setup = (root / "tools" / "setup_env.py").read_text(encoding="utf-8")
    for extra, names in {"production": lesson.PRODUCTION, "conformance": lesson.CONFORMANCE}.items():
        assert {name.partition(">")[0] for name in project["optional-dependencies"][extra]} == set(names)
        assert f'"{extra}": (".venv-{extra}",' in setup
