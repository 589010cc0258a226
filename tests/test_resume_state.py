"""ResumeState: a fit that broke off and goes on ends as one that never did. Kills: tests/conformance."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TerminateOnNaN,
)

from helpers.callbacks import AtomicCheckpoint, ResumeState, SaveRecorder

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = (X[:, :1] ** 2 - X[:, 1:2]).astype("float32")
pytestmark = pytest.mark.filterwarnings("ignore:`shuffle=True` was passed", "ignore:BreakOff changes")


class Break(Exception):
    pass


class BreakOff(Callback):
    """Break off in the middle of a fit, after so many batches or at a hook of an epoch."""

    def __init__(self, batches=None, hook=None, epoch=None):
        super().__init__()
        self.left, self.hook, self.epoch = batches, hook, epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Break

    def on_epoch_end(self, epoch, logs=None):
        if self.hook == "on_epoch_end" and epoch == self.epoch:
            raise Break

    def on_train_end(self, logs=None):
        if self.hook == "on_train_end":
            raise Break


def new_model(optimizer="adam", units=4, activation="relu", **settings):
    model = keras.Sequential([
        keras.Input((3,)), keras.layers.Dense(units, activation=activation), keras.layers.Dropout(0.3),
        keras.layers.BatchNormalization(), keras.layers.Dense(1),
    ])  # fmt: skip
    model.compile(**{"optimizer": optimizer, "loss": "mse", "jit_compile": False, **settings})
    return model


def shuffled():
    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(24, seed=5).batch(8)


def arrays():
    return X, Y


class Own(Callback):
    """A callback of one's own with the two methods, and an array among what it remembers."""

    def on_train_begin(self, logs=None):
        self.losses, self.total = [], np.zeros(2)

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])
        self.total = self.total + np.array([logs["loss"], random.random() + np.random.random()])  # noqa: NPY002

    def get_state(self):
        return {"losses": self.losses, "total": self.total}

    def set_state(self, state):
        self.losses, self.total = state["losses"], state["total"]


def run(folder, *break_off, data=shuffled, first=True, epochs=20, **settings):
    """Run "the script" once and return all that can be compared afterwards; None if it broke off."""
    keras.utils.set_random_seed(1)
    model, rows = new_model(keras.optimizers.Adam(0.1)), data()
    given = {"x": rows} if isinstance(rows, tf.data.Dataset) else {"x": rows[0], "y": rows[1], "batch_size": 8}
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    plateau, own = ReduceLROnPlateau(patience=1, factor=0.5), Own()
    best = AtomicCheckpoint(folder / "best.keras", save_best_only=True)
    each = AtomicCheckpoint(folder / "{epoch}.weights.h5", save_weights_only=True, keep_last=2)
    recorder = SaveRecorder(each)
    others = [stopping, plateau, best, each, recorder, own, *break_off]
    resume = ResumeState(folder / "state", verbose=0, **settings)
    try:
        history = model.fit(
            **given, epochs=epochs, verbose=0, validation_data=(X, Y),
            callbacks=[resume, *others] if first else [*others, resume],
        )  # fmt: skip
    except Break:
        return None
    facts = {
        "history": history.history,
        "epochs": history.epoch,
        "stopping": (stopping.wait, stopping.best, stopping.best_epoch, stopping.stopped_epoch),
        "plateau": (plateau.best, plateau.wait, float(model.optimizer.learning_rate)),
        "saved": (
            best.best,
            [os.path.basename(path) for path in each._written],
            [(save.epoch, save.path.name) for save in recorder.saves],
        ),
        "own": (own.losses, own.total.tolist()),
        "files": sorted(path.name for path in folder.iterdir()),
        "best file": as_lists(keras.saving.load_model(folder / "best.keras").get_weights()),
        "model": as_lists(model.variables),
        "steps": int(model.optimizer.iterations),
    }
    return SimpleNamespace(resumed=resume.resumed_epoch, facts=facts)


def as_lists(arrays):
    return [np.asarray(array).tolist() for array in arrays]


def same(found, expected):
    for name, value in expected.items():
        assert found[name] == value, name


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Return the folders of runs that never broke off, by kind of data, with their facts."""
    folders = {data: tmp_path_factory.mktemp(data.__name__) for data in (shuffled, arrays)}
    return {data: (folder, run(folder, data=data).facts) for data, folder in folders.items()}


@pytest.fixture(scope="module")
def whole(ended):
    return {data: facts for data, (_, facts) in ended.items()}


def test_the_run_is_one_that_can_go_wrong(whole):
    # Stops early, restores, has reduced the rate: a callback that forgot its state would end elsewhere.
    for facts in whole.values():
        assert 4 < len(facts["epochs"]) < 20
        wait, _, best_epoch, stopped = facts["stopping"]
        assert wait == stopped - best_epoch == 3
        assert facts["plateau"][2] < 0.1
        assert set(facts["files"]) == {"best.keras", f"{stopped}.weights.h5", f"{stopped + 1}.weights.h5", "state"}


@pytest.mark.parametrize("data", [shuffled, arrays])
def test_broken_off_again_and_again_it_ends_as_if_never(tmp_path, whole, data):
    assert run(tmp_path, BreakOff(batches=2), data=data) is None  # before anything was kept
    assert run(tmp_path, BreakOff(batches=5), data=data, first=False) is None  # in the middle of an epoch
    assert run(tmp_path, BreakOff(hook="on_epoch_end", epoch=1), data=data) is None  # saved, and not yet kept
    assert run(tmp_path, BreakOff(batches=4), data=data) is None
    again = run(tmp_path, data=data, first=False)
    assert again.resumed == 2
    same(again.facts, whole[data])


def test_broken_off_between_the_last_epoch_and_the_end(tmp_path, whole):
    # EarlyStopping has stopped, and nothing is restored yet: no further epoch may run.
    assert run(tmp_path, BreakOff(hook="on_train_end")) is None
    again = run(tmp_path)
    assert again.resumed == len(whole[shuffled]["epochs"])
    same(again.facts, whole[shuffled])


def test_an_ended_run_is_refused_returned_or_begun_anew(tmp_path, ended, whole):
    shutil.copytree(ended[shuffled][0], tmp_path, dirs_exist_ok=True)
    kept = (tmp_path / "state" / "resume_state.npz").read_bytes()
    last = len(whole[shuffled]["epochs"])
    with pytest.raises(ValueError, match=rf"ended well after epoch {last}, on .* is not resumed.*when_ended='anew'"):
        run(tmp_path)
    same(run(tmp_path, when_ended="return").facts, whole[shuffled])
    assert (tmp_path / "state" / "resume_state.npz").read_bytes() == kept
    anew = run(tmp_path, when_ended="anew")
    assert anew.resumed is None
    assert anew.facts["history"] == whole[shuffled]["history"]


def fit(model, *callbacks, epochs=1, **settings):
    settings = {"x": X, "y": Y, "batch_size": 12, "shuffle": False, "verbose": 0, **settings}
    return model.fit(epochs=epochs, callbacks=list(callbacks), **settings)


def half(folder, model, *callbacks, epoch=0, **settings):
    """Leave the state of a run that broke off after `epoch`."""
    with pytest.raises(Break):
        fit(model, ResumeState(folder, verbose=0, **settings), BreakOff(batches=2 * epoch + 3), *callbacks, epochs=9)


def new_run(folder, model=None, *callbacks, run=None, **settings):
    return fit(model or new_model(), ResumeState(folder, verbose=0, run=run), *callbacks, epochs=2, **settings)


OTHER_RUNS = {
    "layers": (lambda folder: new_run(folder, new_model(units=5)), "its model has other layers or shapes"),
    "activation": (lambda folder: new_run(folder, new_model(activation="tanh")), "its model has other layers"),
    "optimizer": (lambda folder: new_run(folder, new_model("sgd")), ".*its optimizer is Adam, here SGD"),
    "rate": (
        lambda folder: new_run(folder, new_model(keras.optimizers.Adam(0.1))),
        r"its optimizer has learning_rate=0.001\d*, this one 0.1",
    ),
    "loss": (lambda folder: new_run(folder, new_model(loss="mae")), "its loss is mse, here mae"),
    "data": (lambda folder: new_run(folder, batch_size=6), "its epochs have 2 batches, these 4: other data or batch"),
    "callbacks": (
        lambda folder: new_run(folder, None, EarlyStopping("loss")),
        "its callbacks were History; these are EarlyStopping on loss, History",
    ),
    "name": (lambda folder: new_run(folder, run="fold 2"), "its run is called None, this one 'fold 2'"),
}  # fmt: skip


@pytest.fixture(scope="module")
def half_a_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("half")
    half(folder, new_model())
    return folder


@pytest.fixture
def broken_off(half_a_run, tmp_path):
    """Return a folder with the state of that run, for a test that goes on with it."""
    shutil.copy(half_a_run / "resume_state.npz", tmp_path)
    return tmp_path


@pytest.mark.parametrize("what", OTHER_RUNS)
def test_another_run_is_refused(half_a_run, what):
    start, message = OTHER_RUNS[what]
    before = (half_a_run / "resume_state.npz").read_bytes()
    with pytest.raises(ValueError, match=f"belongs to another run: {message}.*Give this run a folder of its own"):
        start(half_a_run)
    assert (half_a_run / "resume_state.npz").read_bytes() == before


def test_a_second_model_goes_on_under_other_automatic_names_and_its_later_fit_begins_anew(broken_off):
    model = new_model()
    assert model.layers[0].name != "dense"
    assert new_run(broken_off, model).epoch == [0, 1]
    assert fit(model).epoch == [0]


@pytest.mark.parametrize("content", [b"", b"PK", b"a,b\n1,2\n", b"\x80\x04N."])
def test_a_file_that_is_no_state_is_refused_and_left(tmp_path, content):
    (tmp_path / "resume_state.npz").write_bytes(content)
    with pytest.raises(ValueError, match="is not a state that ResumeState wrote"):
        new_run(tmp_path)
    assert (tmp_path / "resume_state.npz").read_bytes() == content


def test_damage_is_found(half_a_run, tmp_path):
    good = (half_a_run / "resume_state.npz").read_bytes()
    for place in range(40, len(good), len(good) // 7):
        (tmp_path / "resume_state.npz").write_bytes(good[:place])
        with pytest.raises(ValueError, match="is not a state that ResumeState wrote"):
            new_run(tmp_path)


def test_foreign_files_stay(tmp_path):
    for name in ("notes.txt", "latest.weights.h5", ".other.npz.tmp"):
        (tmp_path / name).write_text("mine")
    new_run(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(
        ["notes.txt", "latest.weights.h5", ".other.npz.tmp", "resume_state.npz"]
    )


def test_a_changed_callback_without_the_methods_is_named(tmp_path):
    class Counter(Callback):
        def on_train_begin(self, logs=None):
            self.epochs, self.seen, self.patience = 0, [], 3

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1
            self.seen.append(epoch)

    with pytest.warns(UserWarning, match=r"Counter changes epochs, seen, which ResumeState does not keep") as warned:
        fit(new_model(), ResumeState(tmp_path), Counter(), SaveRecorder(ModelCheckpoint("a.keras")), epochs=3)
    assert len([w for w in warned if "does not keep" in str(w.message)]) == 1


def test_a_state_that_cannot_be_kept_names_its_place(tmp_path):
    own = Own()
    own.get_state = lambda: {"model": object()}
    with pytest.raises(
        TypeError, match=r"state\['callbacks'\]\[0\]\['own'\]\['model'\] is a object. ResumeState keeps"
    ):
        fit(new_model(), own, ResumeState(tmp_path))


def test_no_pickle(half_a_run):
    with np.load(half_a_run / "resume_state.npz", allow_pickle=False) as arrays:
        whole = json.loads(bytes(arrays["json"]))
        assert all(arrays[name].dtype.kind != "O" for name in arrays.files)
    assert whole["format"] == "ResumeState 1"


# -- what ends a run -------------------------------------------------------------------------------------------------


class Poison(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            weights = self.model.get_weights()
            self.model.set_weights([np.full_like(weights[0], np.nan), *weights[1:]])


@pytest.mark.parametrize("guard", [[], [TerminateOnNaN()]], ids=["alone", "TerminateOnNaN"])
def test_nan_is_not_kept_and_is_no_good_end(tmp_path, guard):
    with pytest.warns(UserWarning, match=r"NaN or infinite: the state after epoch 2 is kept .* counts as interrupted"):
        fit(new_model(), ResumeState(tmp_path, verbose=0), Poison(), *guard, epochs=4)
    resume, model = ResumeState(tmp_path, verbose=0), new_model()
    assert fit(model, resume, epochs=4).epoch == [0, 1, 2, 3]
    assert resume.resumed_epoch == 2
    assert np.isfinite(model.get_weights()[0]).all()


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failed_save_leaves_the_state_before(broken_off, monkeypatch):
    before = (broken_off / "resume_state.npz").read_bytes()
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left") as raised:
        new_run(broken_off)
    assert "The state after epoch 2 could not be kept" in raised.value.__notes__[0]
    with pytest.warns(UserWarning, match="The state after epoch 2 could not be kept .* the one before it is whole"):
        fit(new_model(), ResumeState(broken_off, verbose=0, on_failure="warn"), epochs=3)
    assert os.listdir(broken_off) == ["resume_state.npz"]
    assert (broken_off / "resume_state.npz").read_bytes() == before


def test_it_says_where_it_goes_on(broken_off, capsys):
    fit(new_model(), ResumeState(broken_off), epochs=2)
    assert f"ResumeState: the run in {broken_off} goes on after epoch 1, kept on " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folder": ""}, "needs a folder"),
        ({"folder": "gs://bucket/run"}, "in a local folder"),
        ({"folder": Path("gs://bucket/run")}, "in a local folder"),
        ({"folder": "a", "run": 3}, "run is a name"),
        ({"folder": "a", "when_ended": "resume"}, "when_ended is one of 'refuse', 'return', 'anew'"),
        ({"folder": "a", "on_failure": "ignore"}, "on_failure is one of 'raise', 'warn'"),
    ],
)
def test_arguments_that_cannot_work(settings, message):
    with pytest.raises(ValueError, match=message):
        ResumeState(**settings)


def test_a_model_that_is_not_built_is_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="needs a model whose weights exist before fit"):
        fit(model, ResumeState(tmp_path))


def test_outside_of_fit_it_says_so(tmp_path):
    resume = ResumeState(tmp_path)
    resume.set_model(new_model())
    with pytest.raises(RuntimeError, match="in the list of callbacks of `fit`"):
        resume.on_train_begin()


# -- models of other kinds -------------------------------------------------------------------------------------------


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.one, self.two = keras.layers.Dense(3, dtype="bfloat16"), keras.layers.Dense(1)

    def call(self, inputs):
        return self.two(self.one(inputs))


def half_precision():
    model = Subclassed()
    model(X)
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9), momentum=0.9), "mse")
    return model


def averaged():
    return new_model(keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=None))


def scaled():
    return new_model(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)))


@pytest.mark.parametrize(
    ("make", "extra"),
    [(half_precision, []), (averaged, [SwapEMAWeights]), (scaled, [])],
    ids=["subclassed, bfloat16, schedule", "moving average", "loss scale"],
)
def test_other_models_and_optimizers(tmp_path, make, extra):
    def start(folder, *break_off):
        keras.utils.set_random_seed(2)
        model, rest = make(), [kind(swap_on_epoch=True) for kind in extra]
        try:
            history = fit(
                model,
                ResumeState(folder, verbose=0),
                *break_off,
                *rest,
                epochs=4,
                x=shuffled(),
                y=None,
                batch_size=None,
            )
        except Break:
            return None
        return history.history, as_lists([*model.variables, *model.optimizer.variables])

    whole = start(tmp_path / "whole")
    assert start(tmp_path / "broken", BreakOff(batches=8)) is None
    assert start(tmp_path / "broken") == whole
