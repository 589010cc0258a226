"""TensorBoard's event files, read by TensorBoard's own reader where there is one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import numpy as np
import pytest

from helpers import history
from helpers.history import _events

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

LOSS, VALIDATION = [3.0, 2.0, 1.0, 0.5], [3.1, 2.5, 2.6, 2.7]


def test_event_files_without_tensorboard_get_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"")
    for source in (tmp_path, tmp_path / "events.out.tfevents.1.host"):
        # Python's way to say "there is no such module".
        monkeypatch.setitem(sys.modules, "tensorboard.backend.event_processing.event_accumulator", None)
        with pytest.raises(ValueError, match="TensorBoard itself is needed, and it is not installed here: pip install"):
            history.read_runs(source)
    # Other logs beside them are read all the same.
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1\n1,2\n")
    runs = history.read_runs(tmp_path)
    assert [bool(run.problem) for run in runs.values()] == [False, True]


@pytest.fixture
def events(tmp_path, monkeypatch):
    """Runs as several writers name their files, read by a stand-in for TensorBoard's reader."""
    logged = {
        "a/train/events.out.tfevents.1": {"epoch_loss": dict(enumerate(LOSS, 5)), "batch_loss": {0: 9.0}},
        "a/validation/events.out.tfevents.2": {"epoch_loss": dict(enumerate(VALIDATION[:2], 5))},
        "a/validation/events.out.tfevents.3": {"epoch_loss": dict(enumerate(VALIDATION[2:], 7))},
        "b/events.out.tfevents.4": {"val_loss": {0: 1.0, 1: 0.5, 2: 0.75}},
        "c/events.out.tfevents.5": {"epoch": {49: 0.0, 99: 1.0}, "val_loss": {49: 1.0, 99: 0.5}},
        "d/events.out.tfevents.6": {"val_loss": {49: 1.0, 99: 0.5}},
    }
    for name in logged:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(_events, "_reader", contextlib.nullcontext)
    monkeypatch.setattr(_events, "_scalars", lambda file, _: logged[file.relative_to(tmp_path).as_posix()])
    return tmp_path


def test_event_files_become_runs(events):
    for name, epochs, values in [
        ("a", (5, 6, 7, 8), VALIDATION),
        ("b", (0, 1, 2), [1, 0.5, 0.75]),
        ("c", (0, 1), [1, 0.5]),
    ]:
        run = history.read_history(events / name)
        assert (run.epochs, run["val_loss"]) == (epochs, values)
    assert history.read_history(events / "a")["loss"] == LOSS
    assert history.read_history(events / "a/validation/events.out.tfevents.2")["val_loss"] == VALIDATION
    # Steps that are no epochs are not taken for some.
    with pytest.raises(ValueError, match=r'no column of epochs, only step.*rows="each"'):
        history.read_history(events / "d")
    runs = history.read_runs(events)
    assert list(runs) == ["a", "b", "c", "d"]
    assert [name for name, run in runs.items() if run.problem] == ["d"]


def test_real_event_files(tmp_path):
    """Where TensorBoard is installed: what Keras writes is what is read."""
    pytest.importorskip("tensorboard", reason="TensorBoard is optional")
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.linspace(0, 1, 8)[:, None]
    board = keras.callbacks.TensorBoard(tmp_path / "run")
    logged = model.fit(
        x, 2 * x, validation_data=(x, 3 * x), initial_epoch=2, epochs=5, verbose=0, callbacks=[board]
    ).history
    code = (
        "import sys; from helpers import history; run = history.read_runs(sys.argv[1])['run']; "
        "print(run.epochs, {'tensorflow', 'tensorboard'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "(2, 3, 4) set()"
    run = history.read_history(tmp_path)
    assert run["val_loss"] == pytest.approx(logged["val_loss"])
    assert run["loss"] == pytest.approx(logged["loss"])
