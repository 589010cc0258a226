"""Logs as people have them: every shape of `fixtures/logs`, many more of the same kinds, and the questions they ask."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import history

LOGS = Path(__file__).parent / "fixtures" / "logs"
NAN = math.nan
USUAL = [1.0, 0.7, 0.9]


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def csv_of(*rows, head="epoch,loss,val_loss"):
    return "\n".join([head, *rows]) + "\n"


def same(left, right):
    """Equal, where NaN equals NaN."""
    return repr(list(left)) == repr(list(right))


# -- the examples: file, run, epochs as a person counts, metric, values, and what must be said -----------------------

EXAMPLES = [
    ("one_based.csv", "one_based", [1, 2, 3, 4], "val_loss", [1.0, 0.7, 0.9, 0.95], "counts epochs from 1"),
    ("appended.csv", "appended (1)", [1, 2, 3], "val_loss", [1.0, 0.7, 0.6], "2 runs, of 3 and 3 epochs"),
    ("appended.csv", "appended (2)", [1, 2, 3], "val_loss", [2.1, 1.7, 1.5], "2 runs, of 3 and 3 epochs"),
    ("resumed_overlap.csv", "resumed_overlap", [1, 2, 3, 4, 5], "val_loss", [1.0, 0.8, 0.6, 0.7, 0.8],
     "resumed at epoch 3; the earlier line of epoch 3 does not count"),
    ("gap.csv", "gap", [1, 2, 6, 7], "val_loss", [1.0, 0.8, 0.5, 0.6], "Epochs 3 to 5 are missing"),
    ("resumed_at_5.csv", "resumed_at_5", [6, 7, 8, 9, 10, 11], "val_loss", [1.0, 1.1, 1.2, 1.3, 1.4, 1.5],
     "begins at 5, .* which is epoch 6"),
    ("steps.csv", "steps", [1, 2, 3], "val_loss", [0.85, 0.6, 0.7], "7 lines make 3 epochs"),
    ("steps.csv", "steps", [1, 2, 3], "train_loss", [0.8, 0.7, 0.5], "the last value of each metric counts"),
    ("history.json", "history", [1, 2, 3], "val_loss", [1.1, 0.9, 1.0], None),
    ("history_indented.json", "history_indented", [1, 2, 3], "loss", [1.0, 0.8, 0.6], None),
    ("history_with_extras.json", "history_with_extras", [1, 2, 3], "val_loss", [1.1, 0.9, 1.0],
     "Left out: model .*; best .*; settings"),
    ("trainer_state.json", "trainer_state", [1, 2, 3], "eval_loss", [1.1, 0.8, 0.9], "Read from 'log_history'"),
    ("trainer_state.json", "trainer_state", [1, 2, 3], "loss", [1.4, 1.0, None], "loss has no value in epoch 3"),
    ("text_column.csv", "text_column", [1, 2, 3], "val_loss", USUAL, "Left out: time holds the text '00:12'"),
    ("array_column.csv", "array_column", [1, 2, 3], "val_loss", USUAL, r"Left out: per_class holds the text '\[1.0"),
    ("padded_names.csv", "padded_names", [1, 2, 3], "val/box_loss", [2.0, 1.7, 1.8], "counts epochs from 1"),
    ("decimal_comma.csv", "decimal_comma", [1, 2, 3], "val_loss", USUAL, "Commas .* 0,8 is read as 0.8"),
    ("comment.csv", "comment", [1, 2, 3], "val_loss", USUAL, "1 comment"),
    ("spaces.txt", "spaces", [1, 2, 3], "val_loss", USUAL, None),
    ("utf16.csv", "utf16", [1, 2, 3], "val_loss", USUAL, None),
    ("null_and_percent.csv", "null_and_percent", [1, 2, 3, 4], "val_loss", [None, 0.7, None, 0.8], "every second"),
    ("null_and_percent.csv", "null_and_percent", [1, 2, 3, 4], "val_accuracy", [45.0, 50.0, 48.0, 51.0], "percent"),
    ("second_head_line.csv", "second_head_line (1)", [1, 2], "val_loss", [1.0, 0.7], "Line 4 is a head line again"),
    ("second_head_line.csv", "second_head_line (2)", [1, 2, 3], "val_loss", [1.2, 0.8, 0.9], "of 2 and 3 epochs"),
    ("torn_last_line.csv", "torn_last_line", [1, 2, 3], "val_loss", USUAL, r"last line was torn \(3, 0.5\)"),
    ("folder", "training", [1, 2, 3], "val_loss", USUAL, None),
    ("folder", "other", [1, 2, 3], "val_loss", [1.0, 0.9, 0.5], None),
]  # fmt: skip


def test_every_example_is_tested():
    assert {path.name for path in LOGS.iterdir()} == {example[0] for example in EXAMPLES}


@pytest.mark.parametrize(("file", "name", "epochs", "metric", "values", "said"), EXAMPLES)
def test_examples(file, name, epochs, metric, values, said):
    run = history.read_runs(LOGS / file)[name]
    assert [epoch + 1 for epoch in run.epochs] == epochs
    assert run.metric(metric) == values
    assert run.counted_from == (1 if file in ("one_based.csv", "padded_names.csv", "trainer_state.json") else 0)
    notes = " ".join(run.notes)
    assert re.search(said, notes) if said else not notes, notes


# -- more of the same kinds ------------------------------------------------------------------------------------------

THREE = ["0,1.0,1.0", "1,0.8,0.7", "2,0.6,0.9"]
LIKE_THREE = {
    "index of pandas": (",loss,val_loss\n0,1.0,1.0\n1,0.8,0.7\n2,0.6,0.9\n", "first column has no name"),
    "index written twice": ("Unnamed: 0,epoch,loss,val_loss\n7,0,1,1\n8,1,.8,.7\n9,2,.6,.9\n", ""),
    "table of R": ('"loss" "val_loss"\n"1" 1.0 1.0\n"2" 0.8 0.7\n"3" 0.6 0.9\n', "first column has no name"),
    "head line in a comment": ("# epoch loss val_loss\n0 1.0 1.0\n1 0.8 0.7\n2 0.6 0.9\n", "stands in a comment"),
    "table for reading": ("| epoch | loss | val_loss |\n|---|---:|---|\n| 0 | 1.0 | 1.0 |\n| 1 | .8 | .7 |\n"
                          "| 2 | .6 | .9 |\n", ""),
    "printed table": ("  epoch    loss  val_loss\n-------  ------  --------\n      0  1.0000    1.0000\n      1  0.8000"
                      "    0.7000\n      2  0.6000    0.9000\n", ""),
    "tabs, quotes, Windows": ('\ufeff"epoch"\t"loss"\t"val_loss"\r\n0\t1\t1\r\n1\t.8\t.7\r\n2\t.6\t.9\r\n', ""),
    "quoted decimal commas": ('epoch,loss,val_loss\n0,"1,0","1,0"\n1,"0,8","0,7"\n2,"0,6","0,9"\n', "Commas stand"),
    "empty lines and a title": ("Run of Monday\n\nepoch,loss,val_loss\n\n0,1,1\n1,.8,.7\n\n2,.6,.9\n", "1 line before"),
    "comments between": (csv_of(THREE[0], "# a pause", *THREE[1:]), "1 comment"),
    "a line of words at the end": (csv_of(*THREE, "", "Training finished"), r"Line 6 \(Training finished\) is no line"),
    "a line of JSON torn within": (
        '{"epoch": 0, "loss": 1, "val_loss": 1}\n{"epoch": 1, "lo{"e": 1}\n{"epoch": 1, "loss": 0.8, "val_loss": 0.7}\n'
        '{"epoch": 2, "loss": 0.6, "val_loss": 0.9}', "Line 2 is not complete"),
    "separators at the ends": ("epoch,loss,val_loss\n0,1,1,\n1,.8,.7,\n2,.6,.9,\n", ""),
    "epochs of epochs": (csv_of("Epoch 1/3,1,1", "Epoch 2/3,.8,.7", "Epoch 3/3,.6,.9"), "counts epochs from 1"),
    "newest first": (csv_of(*THREE[::-1]), "were sorted"),
    "a line of means": (csv_of(*THREE, "mean,0.8,0.87"), "Left out: line 5 without the number of an epoch"),
    "an epoch before": (csv_of("-1,,3.0", *THREE), "epoch below 0"),
    "each line twice": (csv_of(*(row for row in THREE for _ in "ab")), "3 lines repeat the line before"),
    "one line torn within": (csv_of(THREE[0], THREE[1], "1,0.", THREE[2]), "Line 4 has 2 values instead of 3"),
    "torn in a quote": (csv_of(*THREE) + '3,"0.5', "last line was torn"),
    "zeros after a power cut": (csv_of(*THREE).encode() + b"3,0.\0\0\0", "zero bytes.*last line was torn"),
    "halves in a column": ("epoch,phase,loss\n0,train,1\n0,val,1\n1,train,.8\n1,val,.7\n2,train,.6\n2,val,.9\n",
                           "phase says of each line"),
    "lines of batches": (csv_of("0,2,", "0,1,1", "1,.9,", "1,.8,.7", "2,.6,.9"), "5 lines make 3 epochs"),
    "several kinds of rows": ("epoch,lr,step,test_loss,loss,val_loss\n,0.1,0,,,\n0,,49,,,1\n0,,49,,1,\n,0.1,50,,,\n"
                              "1,,99,,,.7\n1,,99,,.8,\n2,,149,,,.9\n2,,149,,.6,\n3,,150,.72,,\n", "only test_loss"),
    "killed further on": (csv_of("0,1,1", "1,2,2", "2,2,2", "3,2,2", "4,2,2", "1,.8,.7", "2,.6,.9"),
                          "resumed at epoch 2; the earlier lines of epochs 2 to 5 do not count"),
    "head line at a resume": (csv_of(*THREE[:2], "epoch,loss,val_loss", THREE[2]), "Line 4 is a head line again"),
    "what Keras printed": ("Using CPU\nEpoch 1/3\n\r1/4 - loss: 9\r4/4 - 1s - loss: 1.0 - val_loss: "
                           "1\nEpoch 2/3\n4/4 - loss: 0.8 - val_loss: 7e-1\nEpoch 3/3\n4/4 - loss: 0.6 - val_loss: .9",
                           "what Keras printed: its numbers are rounded"),
    "what a loop of one's own printed": (
        "2026-01-01 12:00:01 INFO start, lr=0.1\n12:00:02 [Epoch 1/3] loss: 1.0, val_loss=1.0 | time: 3s\n"
        "12:00:03 saved\n12:00:04 [Epoch 2/3] loss: 0.8, val_loss=0.7 | time: 3s\n"
        "12:00:05 [Epoch 3/3] loss: 0.6, val_loss=9e-1 | time: 3s\n", "lines of text that name an epoch"),
    "lines of JSON": ('{"epoch": 0, "loss": 1, "val_loss": 1}\n{"epoch": 1, "loss": 0.8, "val_loss": 0.7}\n'
                      '{"epoch": 2, "loss": 0.6, "val_loss": 0.9}\n{"epoch": 3, "lo', "last line was torn"),
    "records with halves": (json.dumps([{"epoch": e, "loss": a, "val": {"loss": b}, "batches": [{"x": 1}]}
                                        for e, a, b in ((0, 1, 1), (1, .8, .7), (2, .6, .9))]), "Left out: batches"),
    "deep": (json.dumps({"config": {"sizes": [9]}, "result": {"history": {"loss": [1, .8, .6], "val_loss": USUAL}}}),
             "Read from 'result.history'. Left out: config"),
    "lists of other things": (json.dumps({"epochs": 3, "layers": [1, 2], "names": ["a", "b", "c"], "loss": [1, .8, .6],
                                          "val_loss": USUAL, "matrix": [[1], [2], [3]]}), "layers has 2 values"),
    "attributes of a History": (json.dumps({"params": {"epochs": 3}, "epoch": [0, 1, 2],
                                             "history": {"loss": [1, .8, .6], "val_loss": USUAL}}), "'history'"),
    "epochs by name": (json.dumps({f"epoch_{e}": {"loss": a, "val_loss": b}
                                   for e, a, b in ((0, 1, 1), (1, .8, .7), (2, .6, .9))}), ""),
    "a mode and steps": ('{"env": "x"}\n' + "\n".join(
        json.dumps({"mode": mode, "epoch": e, "iter": 50, "loss": loss})
        for e, mode, loss in ((0, "train", 1), (0, "val", 1), (1, "train", .8), (1, "val", .7), (2, "train", .6),
                              (2, "val", .9))), "mode says of each line.*1 line without an epoch"),
    "comments after numbers": ("epoch,loss,val_loss\n0,1,1\n1,.8,.7  # best\n2,.6,.9\n", "1 comment"),
    "a head line for each": ("epoch loss val_loss\n0 1 1\nepoch loss val_loss\n1 .8 .7\nepoch loss val_loss\n2 .6 .9\n",
                             "Lines 3, 5 are head lines again"),
    "torn before the last value": (csv_of(*THREE) + "3,0.5,", "last line was torn"),
    "halves apart": (json.dumps({"train": {"loss": [1, .8, .6]}, "validation": {"loss": USUAL}}), ""),
    "columns of pandas": (json.dumps({"loss": {"0": 1, "1": .8, "2": .6}, "val_loss": {"0": 1, "1": .7, "2": .9}}), ""),
    "rows of pandas": (json.dumps({"0": {"loss": 1, "val_loss": 1}, "1": {"loss": .8, "val_loss": .7},
                                   "2": {"loss": .6, "val_loss": .9}}), ""),
    "split of pandas": (json.dumps({"columns": ["loss", "val_loss"], "index": [0, 1, 2],
                                    "data": [[1, 1], [.8, .7], [.6, .9]]}), ""),
    "a printed dict": ("{'loss': [1.0, np.float64(0.8), 0.6], 'val_loss': [1.0, 0.7, 0.9], 'lr': [nan, 1, inf]}", ""),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), LIKE_THREE.values(), ids=LIKE_THREE)
def test_all_of_these_are_the_same_three_epochs(tmp_path, content, said):
    run = history.read_history(write(tmp_path, "a.log", content))
    assert (run.epochs, run["loss"], run["val_loss"]) == ((0, 1, 2), [1.0, 0.8, 0.6], USUAL)
    assert re.search(said, " ".join(run.notes)), run.notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(tmp_path, encoding):
    text = csv_of("0,1,1,ä", "1,.8,.7,ö", "2,.6,.9,ü", head="époque,loss,val_loss,größe")
    run = history.read_history(write(tmp_path, "a.csv", text.encode(encoding)))
    assert run["val_loss"] == USUAL
    assert "größe" in run.left_out
    assert any("Windows-1252" in note for note in run.notes) == (encoding == "cp1252")


def test_gzip_streams_and_text_streams(tmp_path):
    content = csv_of(*THREE).encode()
    assert history.read_history(write(tmp_path, "a.csv.gz", gzip.compress(content)))["val_loss"] == USUAL
    assert history.read_history(io.BytesIO(content))["val_loss"] == USUAL
    assert history.read_history(io.StringIO(content.decode()))["val_loss"] == USUAL
    with open(write(tmp_path, "b.csv", content), "rb") as file:
        assert history.read_history(file).name == "b"
    with pytest.raises(ValueError, match=r"c\.csv\.gz is a gzip file that is damaged"):
        history.read_history(write(tmp_path, "c.csv.gz", gzip.compress(content)[:-9]))


@pytest.mark.parametrize("word", ["", "NA", "n/a", "#N/A", "None", "null", "-", "--", "?", "<NA>"])
def test_words_for_missing(tmp_path, word):
    run = history.read_history(write(tmp_path, "a.csv", csv_of("0,1,1", f"1,.8,{word}", "2,.6,.9")))
    assert run["val_loss"] == [1.0, None, 0.9]
    assert run.notes == ("val_loss has no value in epoch 2.",)


def test_a_nan_is_a_loss_unless_it_marks_epochs_without_validation(tmp_path):
    diverged = write(tmp_path, "a.csv", csv_of("0,1,1", "1,nan,nan", "2,nan,NaN"))
    assert same(history.read_history(diverged)["val_loss"], [1.0, NAN, NAN])
    first = write(tmp_path, "b.csv", csv_of("0,1,nan", "1,.8,.7", "2,.6,.9"))
    run = history.read_history(first)
    assert same(run["val_loss"], [NAN, 0.7, 0.9])
    assert run.notes == ('val_loss is NaN and later a number: NaN is a loss here (nan="missing" if not).',)
    assert history.read_history(first, nan="missing")["val_loss"] == [None, 0.7, 0.9]
    every_second = write(tmp_path, "c.csv", csv_of(*(f"{e},1,{'nan' if e % 2 == 0 else e}" for e in range(6))))
    run = history.read_history(every_second)
    assert (run["val_loss"], run.validation_freq) == ([None, 1.0, None, 3.0, None, 5.0], 2)
    filled = "epoch,step,loss,val_loss\n0,1,1,nan\n0,1,nan,1\n1,2,.8,nan\n1,2,nan,.7\n2,3,nan,nan\n2,3,nan,.9\n"
    run = history.read_history(write(tmp_path, "d.csv", filled))
    assert same(run["val_loss"], USUAL)


def test_a_last_value_that_may_be_cut_is_said(tmp_path):
    rows = ["0,1.123456,1.123456", "1,0.923456,0.923456", "2,0.823456,0.8"]
    run = history.read_history(write(tmp_path, "a.csv", csv_of(*rows)[:-1]))
    assert run["val_loss"][-1] == 0.8
    assert "its last value, 0.8, is short" in " ".join(run.notes)
    assert not history.read_history(write(tmp_path, "b.csv", csv_of(*rows))).notes


def test_percent_and_thousands(tmp_path):
    run = history.read_history(
        write(tmp_path, "a.csv", 'epoch,loss,acc,part\n0,"1,234.5",45 %,4%\n1,"2,000.0",50%,5\n')
    )
    assert (run["loss"], run["acc"]) == ([1234.5, 2000.0], [45.0, 50.0])
    assert "1,234.5 is read as 1234.5" in " ".join(run.notes)
    with pytest.raises(ValueError, match="'part' cannot be used: it holds numbers with and without %"):
        run.metric("part")


def test_a_fit_that_was_resumed_twice(tmp_path):
    rows = ["0,1,1", "1,.9,.9", "2,.8,.8", "2,.7,.7", "3,.6,.65", "3,.5,.6", "4,.4,.5", "5,.3,.4"]
    run = history.read_history(write(tmp_path, "a.csv", csv_of(*rows)))
    assert run["val_loss"] == [1.0, 0.9, 0.7, 0.6, 0.5, 0.4]
    assert [note[:34] for note in run.notes] == [
        "The fit was resumed at epoch 3; th",
        "The fit was resumed at epoch 4; th",
    ]


def test_every_fifth_epoch(tmp_path):
    run = history.read_history(write(tmp_path, "a.csv", csv_of("0,1,1", "5,.8,.7", "10,.6,.9")))
    assert (run.epochs, run.notes) == ((0, 5, 10), ("Only every 5th epoch is in the log.",))
    assert run.every_epoch("val_loss") == [1.0, *[None] * 4, 0.7, *[None] * 4, 0.9]


# -- questions: two readings, one sentence, and the argument that answers --------------------------------------------

QUESTIONS = {
    "decimal or thousands": (
        "epoch;loss;val_loss\n0;1,234;1,500\n1;1,100;1,400\n", "decimal=", {"decimal": ","},
        {"val_loss": [1.5, 1.4]}, {"decimal": "."}, {"val_loss": [1500.0, 1400.0]},
    ),
    "comma for both": (
        csv_of("0,1,0,1,5", "1,0,8,0,7"), 'decimal=","', {"decimal": ","}, {"loss": [1.0, 0.8]}, None, None,
    ),
    "every fifth, from 5": (
        csv_of("5,1,1", "10,.8,.7"), "epochs_from=", {"epochs_from": 1}, (4, 9), {"epochs_from": 0}, (5, 10),
    ),
    "back to where it began": (
        csv_of("5,1,1", "6,.9,.9", "7,.8,.8", "5,.7,.7", "6,.6,.6"), "go back from 7 to 5 in line 5.*restarts=",
        {"restarts": "resumed"}, {"val_loss": [0.7, 0.6]}, {"restarts": "new", "run": 1}, {"val_loss": [1.0, 0.9, 0.8]},
    ),
    "back before it began": (
        csv_of("5,1,1", "6,.9,.9", "0,.7,.7", "1,.6,.6"), "restarts=", {"restarts": "new", "run": 2},
        {"val_loss": [0.7, 0.6]}, {"restarts": "sorted"}, (0, 1, 5, 6),
    ),
    "out of order": (
        csv_of("0,1,1", "2,.8,.8", "1,.9,.9", "3,.7,.7"), "restarts=", {"restarts": "sorted"},
        {"val_loss": [1.0, 0.9, 0.8, 0.7]}, {"restarts": "resumed"}, (0, 1, 3),
    ),
    "seconds for epochs": (
        csv_of("1700000000,1,1", "1700000060,.9,.9"), "an epoch 1.7e.09, which is no count.*rows=", {"rows": "each"},
        (0, 1), None, None,
    ),
    "lines of what": (
        csv_of("0,3", "0,2", "1,1", "1,.9", head="epoch,loss"), "rows=", {"rows": "last"}, {"loss": [2.0, 0.9]},
        {"rows": "each"}, {"loss": [3.0, 2.0, 1.0, 0.9]},
    ),
    "validated within epochs": (
        csv_of("0,9,1", "0,19,.9", "1,29,.8", "1,39,.85", head="epoch,step,val_loss"),
        "several values of val_loss.*rows=", {"rows": "last"}, {"val_loss": [0.9, 0.85]},
        {"rows": "each"}, {"val_loss": [1.0, 0.9, 0.8, 0.85]},
    ),
    "evaluated twice an epoch": (
        json.dumps({"log_history": [{"epoch": e / 2, "eval_loss": 1 / e} for e in range(1, 5)]}), "rows=",
        {"rows": "last"}, {"eval_loss": [0.5, 0.25]}, {"rows": "each"}, (0, 1, 2, 3),
    ),
    "steps alone": (
        "Wall time,Step,Value\n1.5,49,1\n2.5,99,.7\n", "no column of epochs, only Step.*rows=", {"rows": "each"},
        {"Value": [1.0, 0.7]}, None, None,
    ),
    "no head line": (
        "0,1,1\n1,.8,.7\n", r'no head line.*names=\["epoch", "loss", "val_loss"\]',
        {"names": ["epoch", "loss", "val_loss"]}, {"val_loss": [1.0, 0.7]}, None, None,
    ),
    "which epochs": (
        '{"loss": [6, 5, 4, 3, 2], "val_loss": [3]}', "validation_freq=3, validation_freq=4, validation_freq=5",
        {"validation_freq": 4}, {"val_loss": [None, None, None, 3.0, None]}, {"validation_freq": [2]},
        {"val_loss": [None, 3.0, None, None, None]},
    ),
    "two fits": (
        csv_of(*THREE, "0,2,2"), "holds 2 runs .*run=2", {"run": 2}, {"loss": [2.0]},
        {"run": "a (1)"}, {"val_loss": USUAL},
    ),
    "two tables": (
        '{"fold1": {"loss": [1, 2]}, "fold2": {"loss": [3, 4]}}', "a: fold1.*run=2", {"run": 2}, {"loss": [3.0, 4.0]},
        {"run": "a: fold1"}, {"loss": [1.0, 2.0]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "asks", "one", "first", "other", "second"), QUESTIONS.values(), ids=QUESTIONS)
def test_where_two_readings_are_possible_it_asks(tmp_path, content, asks, one, first, other, second):
    path = write(tmp_path, "a.txt", content)
    with pytest.raises(ValueError, match=asks) as caught:
        history.read_history(path)
    assert "\n" not in str(caught.value)
    for answer, expected in ((one, first), (other, second)):
        if answer is None:
            continue
        run = history.read_history(path, **answer)
        if isinstance(expected, tuple):
            assert run.epochs == expected
        else:
            assert {name: run[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"epochs_from": 2}, "epochs_from must be 0 or 1, not 2"),
        ({"restarts": "maybe"}, "restarts must be 'new' or 'resumed' or 'sorted', not 'maybe'"),
        ({"decimal": ";"}, "decimal must be"),
        ({"rows": True}, "rows must be 'last' or 'each'"),
        ({"validation_freq": 0}, "validation_freq must be a whole number, 1 or more"),
        ({"validation_freq": [0]}, "validation_freq must be"),
        ({"run": 3}, "There is no run 3. There is: a"),
        ({"names": ["a", "b", "c"]}, "has a head line already"),
    ],
)
def test_bad_answers_get_a_sentence(tmp_path, answer, words):
    with pytest.raises(ValueError, match=words):
        history.read_history(write(tmp_path, "a.csv", csv_of(*THREE)), **answer)


# -- what is no log --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "\n \n", "a.csv is empty"),
        ("a.csv", "# only this\n", "nothing but comments"),
        ("a.csv", "epoch,loss\n", "holds no epoch: loss is empty"),
        ("a.csv", "epoch,name\n0,a\n1,b\n", "holds no metric. It has: epoch, name .name holds the text 'a'"),
        (
            "a.csv",
            csv_of(*THREE, "0,.1,.2,.3", "1,.1,.2,.3"),
            "Line 5 .* 4 values, .* 3 names .*other metrics appended",
        ),
        ("a.csv", "epoch,epoch,loss\n0,1,2\n", "names a column twice"),
        ("a.json", '{"loss": [1.0, 0.', "begins like JSON and is not complete"),
        ("a.json", '{"model": "small"}', "holds no metric: no list of numbers. It has: model"),
        ("a.json", "[]", "holds no epoch|holds no metric"),
        ("h.pkl", b"\x80\x04K\x01.", "h.pkl is a pickle. Opening one can run any code.*pickle.load"),
        ("h.csv", b"\x80\x04K\x01.", "h.csv is a pickle"),
        ("m.keras", b"PK\x03\x04more", "not a text file but a zip file"),
        ("m.h5", b"\x89HDF\r\n\x1a\n", "not a text file but an HDF5 file"),
        ("m.npy", b"\x93NUMPY\x01", "not a text file but a NumPy file"),
        ("m.bin", bytes(range(256)), "m.bin is not a text file"),
    ],
)
def test_what_is_no_log_gets_a_sentence(tmp_path, name, content, words):
    with pytest.raises(ValueError, match=words):
        history.read_history(write(tmp_path, name, content))


def test_no_pickle_is_ever_opened(tmp_path):
    trap = b"cbuiltins\nexec\n(Vopen('opened', 'w')\ntR."
    for name in ("a.pkl", "a.csv", "a.json", "a.txt"):
        with pytest.raises(ValueError, match=r"pickle|number|head|metric|text"):
            history.read_history(write(tmp_path, name, trap))
    assert not Path("opened").exists()


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.csv"
    with open(path, "wb") as file:
        file.truncate(104 * 2**20)
    with pytest.raises(ValueError, match=r"a\.csv has 104 MB.*keep the last of each epoch"):
        history.read_history(path)


def test_a_column_without_numbers_is_an_error_only_when_asked_for():
    run = history.read_history(LOGS / "text_column.csv")
    with pytest.raises(ValueError, match="'time' cannot be used: it holds the text '00:12'"):
        run.metric("time")


# -- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_several_kinds(tmp_path):
    write(tmp_path, "run10.csv", csv_of(*THREE))
    write(tmp_path, "run2.log", csv_of(*THREE))
    write(tmp_path, "history.json", '{"loss": [2.0, 1.0]}')
    write(tmp_path, "version_0/metrics.csv", csv_of(*THREE))
    write(tmp_path, "version_0/hparams.json", '{"lr": 0.1, "layers": [3, 4]}')
    write(tmp_path, "version_1/metrics.csv", csv_of(*THREE))
    write(tmp_path, "twins/training.csv", csv_of(*THREE))
    write(tmp_path, "twins/training.log", csv_of(*THREE))
    write(tmp_path, "two/appended.csv", csv_of(*THREE, *THREE))
    write(tmp_path, "broken.csv", "1,2\n3,4\n")
    write(tmp_path, "params.csv", "name,value\nrate,0.1\nrows,3\n")
    for name in ("requirements.txt", "stdout.log", ".hidden/log.csv", "model.pkl", "notes.md"):
        write(tmp_path, name, "numpy==2\nkeras\n")
    runs = history.read_runs(tmp_path)
    assert list(runs) == [
        "broken", "history", "run2", "run10", "twins/training.csv", "twins/training.log", "two (1)", "two (2)",
        "version_0", "version_1",
    ]  # fmt: skip
    assert "no head line" in runs["broken"].problem
    assert [name for name, run in runs.items() if run.problem] == ["broken"]
    with pytest.raises(ValueError, match=r"holds 10 runs \(1: broken, 2: history, 3: run2, .*and 2 more\).*run=2"):
        history.read_history(tmp_path)
    assert history.read_history(tmp_path, run="version_0")["val_loss"] == USUAL
    with pytest.raises(ValueError, match="no head line"):
        history.read_history(tmp_path, run=1)


def test_a_folder_with_one_log_is_that_log(tmp_path):
    write(tmp_path, "only.csv", csv_of(*THREE))
    write(tmp_path, "notes.txt", "hello")
    assert history.read_history(tmp_path)["val_loss"] == USUAL


def test_a_folder_without_logs_says_what_it_holds(tmp_path):
    with pytest.raises(ValueError, match=r"holds no log\. It holds: nothing"):
        history.read_runs(tmp_path)
    write(tmp_path, "history.pkl", b"\x80\x04K\x01.")
    with pytest.raises(ValueError, match=r"holds no log\. It holds: history\.pkl\. history\.pkl is a pickle"):
        history.read_runs(tmp_path)


def test_missing_files_get_a_sentence_with_what_is_there(tmp_path):
    write(tmp_path, "training.log", csv_of(*THREE))
    with pytest.raises(FileNotFoundError, match=r"There is no file .*trainnig\.csv\. Logs there: training\.log"):
        history.read_history(tmp_path / "trainnig.csv")


# -- whatever the shape, the numbers are those that were written ------------------------------------------------------

SEPARATORS = {",": ".", ";": ",", "\t": ".", "|": ".", "  ": "."}


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_any_shape_gives_back_what_was_written(tmp_path_factory, data):
    draw = data.draw
    numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 4) + 0.0)
    epochs = sorted(draw(st.sets(st.integers(0, 40), min_size=3, max_size=12)))
    base = draw(st.sampled_from([0, 1]))
    values = draw(st.lists(st.one_of(numbers, st.none()), min_size=len(epochs), max_size=len(epochs)))
    losses = draw(st.lists(numbers, min_size=len(epochs), max_size=len(epochs)))
    separator = draw(st.sampled_from(list(SEPARATORS)))
    decimal, end = SEPARATORS[separator], draw(st.sampled_from(["\n", "\r\n"]))
    word = draw(st.sampled_from(["NA", "None", "n/a"]))
    quote = draw(st.sampled_from(["", '"']))

    def cell(value):
        return word if value is None else f"{value:.4f}".replace(".", decimal)

    rows = [separator.join(f"{quote}{name}{quote}" for name in ("epoch", "loss", "val_loss", "note"))]
    rows += [
        separator.join([str(epoch + base), cell(loss), cell(value), "fine"])
        for epoch, loss, value in zip(epochs, losses, values, strict=True)
    ]
    if draw(st.booleans()):
        rows.insert(draw(st.integers(0, len(rows))), "# a comment")
    text = end.join(rows) + draw(st.sampled_from(["", end]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    path = write(tmp_path_factory.getbasetemp(), "any.csv", text.encode(encoding))
    run = history.read_history(path, epochs_from=base)
    assert run.epochs == tuple(epochs)
    assert run["loss"] == losses
    assert run.get("val_loss", [None] * len(epochs)) == values
    assert "note" in run.left_out
    gaps = set(range(epochs[0], epochs[-1])) - set(epochs)
    assert bool(gaps) == any("missing" in note or "Only every" in note for note in run.notes)


def test_damaged_logs_get_a_sentence_or_are_read(tmp_path):
    """Whatever bytes come, the answer is a sound run or one sentence."""
    chance = random.Random(0)
    whole = [path.read_bytes() for path in LOGS.rglob("*") if path.is_file()]
    whole += [content if isinstance(content, bytes) else content.encode() for content, _ in LIKE_THREE.values()]
    pieces = b', ; \n nan -1 " epoch val_ { ] # \t 1e999 % \xff \0'.split(b" ")
    sentences = []
    for _ in range(1_500):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(data) + 1)
            damage = chance.randrange(4)
            if damage == 0:
                data[at:at] = chance.choice(pieces)
            elif damage == 1:
                del data[at : at + chance.randint(1, 8)]
            elif damage == 2:
                data[at:at] = data[: chance.randint(0, 60)]
            else:
                del data[at:]
        try:
            runs = history.read_runs(io.BytesIO(data))
        except ValueError as error:
            sentences.append(str(error))
            continue
        for run in runs.values():
            if run.problem:
                sentences.append(run.problem)
            else:
                assert list(run.epochs) == sorted({epoch for epoch in run.epochs if epoch >= 0}) != []
                assert {len(values) for values in run.values()} == {len(run.epochs)}
    assert sentences
    assert not [sentence for sentence in sentences if "\n" in sentence or sentence[-1] not in ".?)"]
