"""The type for a run, and everything that is no file: histories, dicts, tables, lists, and many of them."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

from helpers import history

NAN = math.nan
LOG = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.5, 2.6]}


class Table:
    """Has columns and keys, like a pandas DataFrame, and iterates over something else."""

    def __init__(self, columns):
        self.columns = columns

    def __getitem__(self, name):
        return np.array(self.columns[name])

    def __iter__(self):
        return iter(range(3))


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "given",
    [
        LOG,
        MappingProxyType(LOG),
        SimpleNamespace(history=LOG, epoch=[0, 1, 2]),
        Table({"epoch": [0, 1, 2], **LOG}),
        {name: np.array(values) for name, values in LOG.items()},
        {name: tuple(values) for name, values in LOG.items()},
    ],
    ids=["dict", "mapping", "History", "DataFrame", "arrays", "tuples"],
)
def test_every_form_of_mapping_reads_the_same(given):
    assert history.read_history(given) == LOG


def test_values_become_floats():
    log = history.read_history({"loss": [np.float32(0.1), 1, np.int64(2), True - 1]})
    assert [type(value) for value in log["loss"]] == [float] * 4
    assert log["loss"][0] == float(np.float32(0.1))


class Series(list):
    """Has keys, like a pandas Series, and is a list of numbers all the same."""

    def keys(self):
        return range(len(self))


@pytest.mark.parametrize("values", [[1.0, 2.0], (1, 2), Series([1.0, 2.0]), np.array([1.0, 2.0]), iter([1.0, 2.0])])
def test_a_bare_list_gets_the_monitors_name(values):
    assert history.read_history(values, monitor="val_accuracy") == {"val_accuracy": [1.0, 2.0]}


def test_nothing_given_is_changed():
    given = {"loss": [1, 2]}
    history.read_history(given)["loss"].append(9.0)
    assert given == {"loss": [1, 2]}


def test_nan_infinity_and_gaps_are_kept():
    values = history.read_history([math.nan, math.inf, -math.inf, None, 1])["val_loss"]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf, None, 1.0]


def test_csv_of_csvlogger(tmp_path):
    path = write(tmp_path / "log.csv", "epoch,loss,val_loss\n0,3.0,3.1\n1,2.0,nan\n2,1.5,NA\n")
    run = history.read_history(path)
    assert run["loss"] == [3.0, 2.0, 1.5]
    assert run["val_loss"][0] == 3.1
    assert math.isnan(run["val_loss"][1])
    assert run["val_loss"][2] is None
    assert history.read_history(str(path)).keys() == run.keys()


def test_validation_columns_that_csvlogger_made_up_are_left_out(tmp_path):
    run = history.read_history(write(tmp_path / "log.csv", "epoch,loss,val_loss\n0,3.0,NA\n1,2.0,NA\n"))
    assert run == {"loss": [3.0, 2.0]}
    with pytest.raises(ValueError, match=r"'val_loss' cannot be used: it is empty in each epoch.*validation_data"):
        run.metric("val_loss")


# -- the type --------------------------------------------------------------------------------------------------------


def test_a_run_is_a_mapping_that_says_what_it_is():
    run = history.read_history(SimpleNamespace(history=LOG, epoch=[5, 6, 7]))
    assert (list(run), len(run), run["loss"], "val_loss" in run) == (["loss", "val_loss"], 2, LOG["loss"], True)
    assert (run.epochs, run.first, run.counted_from, run.validation_freq) == ((5, 6, 7), 5, 0, 1)
    assert repr(run) == "Run(run: 3 epochs, 6 to 8, loss, val_loss)"
    assert history.read_history(run) is run
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.name = "mine"


@pytest.mark.parametrize(
    ("epochs", "numbers", "counted_from"),
    [([0, 1, 2], (0, 1, 2), 0), ([1, 2, 3], (0, 1, 2), 1), ([5, 6, 7], (5, 6, 7), 0), ([0, 1, 5], (0, 1, 5), 0)],
)
def test_a_dict_with_epochs_is_counted_as_a_file_is(epochs, numbers, counted_from):
    for given in ({"epoch": epochs, **LOG}, Table({"Epoch": epochs, **LOG})):
        run = history.read_history(given)
        assert (run.epochs, run.counted_from) == (numbers, counted_from)
        assert run == LOG


def test_a_history_of_keras_counts_from_0_also_where_it_was_resumed_at_1():
    run = history.read_history(SimpleNamespace(history=LOG, epoch=[1, 2, 3]))
    assert (run.epochs, run.counted_from, run.notes) == ((1, 2, 3), 0, ())
    assert history.read_history({"epoch": [1, 2, 3], **LOG}, epochs_from=0).epochs == (1, 2, 3)


def test_every_epoch_has_a_place_where_lines_are_missing():
    run = history.read_history({"epoch": [3, 4, 7], **LOG})
    assert run.every_epoch("loss") == [3.0, 2.0, None, None, 1.5]
    assert run.metric("loss") == [3.0, 2.0, 1.5]


def test_metric_says_what_there_is():
    def read(*names):
        return history.read_history({name: [1.0, 2.0] for name in names})

    assert read("loss").metric("loss") == [1.0, 2.0]
    for names, wanted, words in [
        (LOG, "val_acc", r"no metric 'val_acc' in this log\. It has: loss, val_loss\. Of validation it has 'val_loss'"),
        (["val_accuracy"], "val_acc", "Did you mean 'val_accuracy'"),
        (["loss"], "val_loss", "no validation metric at all: .*validation_data"),
        (["train/loss", "val/box_loss", "eval_acc"], "val_loss", "Of validation it has 'val/box_loss', 'eval_acc'"),
        ([f"m{i}" for i in range(10)], "loss", r"m7 and 2 more\."),
    ]:
        with pytest.raises(ValueError, match=words):
            read(*names).metric(wanted)


def test_entries_that_are_no_metric_are_left_out_and_said():
    run = history.read_history({"model": "small", "best": 0.9, "layers": [1], "ok": [True, False, True], **LOG})
    assert run == LOG
    assert set(run.left_out) == {"model", "best", "layers", "ok"}
    assert all(name in " ".join(run.notes) for name in run.left_out)


def test_records_are_a_log():
    records = [{"epoch": e, "loss": 3.0 - e, "val": {"loss": 1.0 + e}, "step": 9 * e} for e in range(3)]
    run = history.read_history(records)
    assert run == {"loss": [3.0, 2.0, 1.0], "val_loss": [1.0, 2.0, 3.0]}
    assert run.left_out == {}


# -- validation_freq -------------------------------------------------------------------------------------------------


def test_validation_freq_is_inferred_where_it_can_be():
    short = {"loss": [5.0, 4.0, 3.0, 2.0, 1.0], "val_loss": [4.5, 2.5]}
    placed = {"loss": short["loss"], "val_loss": [None, 4.5, None, 2.5, None]}
    run = history.read_history(short)
    assert (run, run.validation_freq) == (placed, 2)
    assert run.notes == ("val_loss has 2 values for 5 epochs: read as validation_freq=2.",)
    assert history.read_history(short, validation_freq=2) == placed
    # Keras counts the true number: epochs 6 to 10, and validation after 6, 8 and 10.
    resumed = SimpleNamespace(history={**short, "val_loss": [4.5, 3.5, 2.5]}, epoch=[5, 6, 7, 8, 9])
    assert history.read_history(resumed)["val_loss"] == [4.5, None, 3.5, None, 2.5]
    assert history.read_history(LOG, validation_freq=1).validation_freq == 1


def test_validation_freq_that_cannot_be_inferred_is_asked_for():
    with pytest.raises(ValueError, match=r"val_loss has 1 value for 5 epochs.*validation_freq=3, validation_freq=4"):
        history.read_history({"loss": [1.0] * 5, "val_loss": [1.0]})
    with pytest.raises(ValueError, match=r"no validation_freq gives so many.*lists the epochs"):
        history.read_history({"loss": [1.0] * 5, "val_loss": [1.0] * 4})
    with pytest.raises(ValueError, match="not what validation_freq=4 gives"):
        history.read_history({"loss": [1.0] * 5, "val_loss": [1.0] * 2}, validation_freq=4)
    run = history.read_history({"loss": [1.0] * 5, "val_loss": [3.0] * 2}, validation_freq=[1, 5])
    assert run["val_loss"] == [3.0, None, None, None, 3.0]


# -- many runs -------------------------------------------------------------------------------------------------------


def test_several_runs_keep_their_names(tmp_path):
    path = write(tmp_path / "a.csv", "epoch,loss\n0,1\n1,2\n")
    named = SimpleNamespace(name="noisy", history=LOG)
    for given, names in [
        (LOG, ["run"]),
        ([1.0, 2.0], ["run"]),
        ([LOG, named], ["run 1", "noisy"]),
        ({"a": LOG, "b": named}, ["a", "b"]),
        ([path, str(path)], ["a", "a'"]),
        (history.read_history(LOG), ["run"]),
    ]:
        assert list(history.read_runs(given)) == names


def test_one_bad_run_does_not_hide_the_good_ones():
    runs = history.read_runs({"good": LOG, "bad": {"loss": []}})
    assert not runs["good"].problem
    assert "holds no epoch" in runs["bad"].problem
    with pytest.raises(ValueError, match=r"holds no epoch.*\(1 other run cannot be read either\.\)"):
        history.read_runs([{"loss": []}, {"loss": []}])
    with pytest.raises(ValueError, match="holds 2 runs"):
        history.read_history([LOG, LOG])
    assert history.read_history([LOG, {"loss": [9.0, 8.0]}], run=2)["loss"] == [9.0, 8.0]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "holds no metric"),
        ({"epoch": [0, 1]}, "holds no metric. It has: epoch"),
        (SimpleNamespace(history={}), "has not finished a single epoch"),
        ([], "holds no epoch: val_loss is empty"),
        ({"loss": [], "val_loss": []}, "holds no epoch: loss, val_loss are empty"),
        ({"loss": [1.0, "low"]}, r"holds no metric.*loss holds the text 'low' at 2, where a number belongs"),
        ({"loss": [1.0, True]}, "loss holds a bool at 2"),
        ({"loss": 0.5}, "no list of numbers. It has: loss"),
        ([1.0, "low"], "val_loss holds the text 'low' at 2"),
        (None, "A history can be .* This is None"),
        (3.5, "This is a float"),
        (b"log.csv", "This is a bytes"),
    ],
)
def test_bad_logs_get_a_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        history.read_history(given)


def test_import_loads_nothing_but_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); from helpers import history\n"
        "print({name.split('.')[0] for name in set(sys.modules) - before} & {'numpy', 'pandas', 'tensorflow', 'keras'})"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
