"""Logs in every form they come in, and the sentences for bad ones."""

from __future__ import annotations

import math
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest

from helpers import history

LOG = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.5, 2.6]}


class Table:
    """Has columns and keys, like a pandas DataFrame, and iterates over something else."""

    def __init__(self, columns):
        self.columns = columns

    def keys(self):
        return self.columns.keys()

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


@pytest.mark.parametrize("values", [[1.0, 2.0], (1, 2), np.array([1.0, 2.0]), iter([1.0, 2.0])])
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
    log = history.read_history(path)
    assert log["loss"] == [3.0, 2.0, 1.5]
    assert log["val_loss"][0] == 3.1
    assert math.isnan(log["val_loss"][1])
    assert log["val_loss"][2] is None
    assert history.read_history(str(path)).keys() == log.keys()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_with_any_separator(tmp_path, separator):
    text = "epoch,loss,val_loss\n0,3.0,3.1\n1,2.0,2.5\n2,1.5,2.6\n".replace(",", separator)
    assert history.read_history(write(tmp_path / "log.csv", text)) == LOG


def test_csv_with_windows_line_ends_a_mark_in_front_and_empty_lines(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbfepoch,loss\r\n0,3.0\r\n\r\n1,2.0\r\n")
    assert history.read_history(path) == {"loss": [3.0, 2.0]}


def test_validation_columns_that_csvlogger_made_up_are_left_out(tmp_path):
    path = write(tmp_path / "log.csv", "epoch,loss,val_loss\n0,3.0,NA\n1,2.0,NA\n")
    assert history.read_history(path) == {"loss": [3.0, 2.0]}


def test_a_folder_with_one_log_is_that_log(tmp_path):
    write(tmp_path / "only.csv", "epoch,loss\n0,1.0\n")
    write(tmp_path / "notes.txt", "hello")
    assert history.read_history(tmp_path) == {"loss": [1.0]}


def test_a_folder_of_logs_comes_in_natural_order(tmp_path):
    for number in (10, 2, 1):
        write(tmp_path / f"run{number}.csv", f"epoch,loss\n0,{number}\n")
    runs = history.read_folder(tmp_path)
    assert list(runs) == ["run1", "run2", "run10"]
    assert runs["run10"] == {"loss": [10.0]}
    with pytest.raises(ValueError, match=r"3 logs \(run1\.csv, run2\.csv, run10\.csv\)"):
        history.read_history(tmp_path)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "holds no metric"),
        ({"epoch": [0, 1]}, "holds no metric. It has: epoch"),
        (SimpleNamespace(history={}), "has not finished a single epoch"),
        ([], "holds no epoch: val_loss is empty"),
        ({"loss": [], "val_loss": []}, "holds no epoch: loss, val_loss are empty"),
        ({"loss": [1.0, "low"]}, "the text 'low' under 'loss' in epoch 2"),
        ({"loss": [1.0, [2.0]]}, "holds a list under 'loss' in epoch 2"),
        ({"loss": [1.0, True]}, "holds a bool under 'loss' in epoch 2"),
        ({"loss": 0.5}, "holds a float under 'loss'; it needs a list"),
        ({"loss": "0.5"}, "holds a str under 'loss'; it needs a list"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0]}, "different lengths: loss 2, val_loss 1.*validation_freq"),
        (None, "A history can be .* This is None"),
        (3.5, "This is a float"),
        (b"log.csv", "This is a bytes"),
    ],
)
def test_bad_logs_get_a_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        history.read_history(given)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "log.csv is empty"),
        ("epoch,loss\n", "holds no epoch: loss is empty"),
        ("0,1.5\n1,1.2\n", "no head line.*first line is: 0,1.5"),
        ("epoch,loss\n0,1.0\n1,oops\n", "the text 'oops' under 'loss' in epoch 2"),
        ('epoch,f1\n0,"[0.1, 0.2]"\n', r"the text '\[0.1, 0.2\]' under 'f1' in epoch 1"),
        ("epoch,loss,val_loss\n0,1.0,1.1\n1,0.\n", "Line 3 of log.csv has 2 values, the head line has 3 names"),
        ("epoch,loss,loss\n0,1.0,1.1\n", "names a column twice"),
    ],
)
def test_bad_files_get_a_sentence(tmp_path, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        history.read_history(write(tmp_path / "log.csv", text))


def test_a_file_that_is_no_text_gets_a_sentence(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match=r"model\.keras is not a text file"):
        history.read_history(path)


def test_missing_files_get_a_sentence_with_what_is_there(tmp_path):
    write(tmp_path / "training.csv", "epoch,loss\n0,1.0\n")
    with pytest.raises(FileNotFoundError, match=r"There is no file .*trainnig\.csv\. CSV files there: training\.csv"):
        history.read_history(tmp_path / "trainnig.csv")
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        history.read_folder(tmp_path / "runs")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"holds no CSV file\. It holds: nothing"):
        history.read_folder(tmp_path / "empty")


def test_metric_says_what_there_is():
    assert history.metric(LOG, "loss") == LOG["loss"]
    with pytest.raises(ValueError, match=r"no metric 'val_acc' in this log\. It has: loss, val_loss\.$"):
        history.metric(LOG, "val_acc")
    with pytest.raises(ValueError, match="Did you mean 'val_accuracy'"):
        history.metric({"val_accuracy": [1.0]}, "val_acc")
    with pytest.raises(ValueError, match="validation_data"):
        history.metric({"loss": [1.0]}, "val_loss")
    with pytest.raises(ValueError, match=r"m7 and 2 more\."):
        history.metric({f"m{i}": [1.0] for i in range(10)}, "loss")


def test_validation_freq_puts_values_into_their_places():
    short = {"loss": [5.0, 4.0, 3.0, 2.0, 1.0], "val_loss": [4.5, 2.5]}
    log = history.read_history(short, validation_freq=2)
    assert log == {"loss": short["loss"], "val_loss": [None, 4.5, None, 2.5, None]}
    assert history.read_history(LOG, validation_freq=1) == LOG
    with pytest.raises(ValueError, match="different lengths"):
        history.read_history(short, validation_freq=4)
    with pytest.raises(ValueError, match="validation_freq must be a whole number"):
        history.read_history(short, validation_freq=0)


def test_first_epoch_of_a_fit_that_resumed(tmp_path):
    assert history.first_epoch(SimpleNamespace(history=LOG, epoch=[5, 6, 7])) == 5
    assert history.first_epoch({"epoch": [5.0, 6.0], "loss": [1.0, 2.0]}) == 5
    assert history.first_epoch(write(tmp_path / "a.csv", "epoch,loss\n3,1.0\n4,1.0\n")) == 3
    # Two fits in one file, the second one counted from 0 again.
    assert history.first_epoch(write(tmp_path / "b.csv", "epoch,loss\n3,1.0\n0,1.0\n")) == 0
    assert history.first_epoch(LOG) == 0
    assert history.first_epoch([1.0]) == 0
    assert history.first_epoch(SimpleNamespace(history=LOG)) == 0
