"""The command `which-patience`: what it says, what it prints for scripts, and how it fails."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from helpers import data, explore, replay

ROOT = Path(__file__).resolve().parent.parent
LOGS = Path(__file__).parent / "fixtures" / "logs"
# Best at first in epoch 2, then, after three epochs without a better one, in epoch 6.
CURVE = [1.0, 0.6, 0.7, 0.8, 0.65, 0.4, 0.5, 0.6, 0.7, 0.8]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "training.log"
    path.write_text("epoch,loss,val_loss\n" + "".join(f"{e},{1 / (e + 1)},{v}\n" for e, v in enumerate(CURVE)))
    return path


def run(*arguments):
    return explore.main([str(argument) for argument in arguments])


def test_what_it_says(log, capsys):
    assert run(log) == 0
    told = capsys.readouterr()
    assert told.err == ""
    lines = told.out.splitlines()
    assert lines[0] == "training: val_loss over 10 epochs; smaller is better."
    words = " ".join(told.out.split())
    assert "Patience 4 is the smallest that reaches epoch 6, the best of these 10 epochs." in words
    assert "With patience 4 training stops after epoch 10, 4 epochs later." in words
    assert lines[-5:] == [
        "patience   stops after   epochs run           best by then   missed",
        "0 to 3     epoch 3 to 5  3 to 5 (30 to 50 %)  epoch 2 (0.6)  0.2",
        "4          epoch 10      10 (100 %)           epoch 6 (0.4)  0",
        "5 or more  nothing       10 (100 %)           epoch 6 (0.4)  0",
        "Missed: how much worse than the best of all, if the best weights are put back or were saved.",
    ]


def test_the_example_of_the_readme_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    _, recorded, *_ = data.load_runs("digits-noise20")
    rows = zip(recorded.history["loss"], recorded.history["val_loss"], strict=True)
    lines = [f"{epoch},{loss!r},{validation!r}\n" for epoch, (loss, validation) in enumerate(rows)]
    (tmp_path / "training.log").write_text("epoch,loss,val_loss\n" + "".join(lines))
    monkeypatch.chdir(tmp_path)
    assert run("training.log") == 0
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"$ python -m helpers.explore training.log\n{capsys.readouterr().out}```" in readme


def test_what_one_patience_does(log, capsys):
    assert run(log, "--patience", 2, "--patience", 3) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "With patience 2 training stops after epoch 4: it never sees epoch 6." in words
    assert "With patience 3 training stops after epoch 5" in words
    assert words.count("The weights of epoch 2 (val_loss 0.6) are put back.") == 2
    assert "It spares 6 epochs of 10 (60 %)." in words
    run(log, "--patience", 2, "--no-restore-best-weights")
    assert "The model keeps its last weights, those of epoch 4 (val_loss 0.8)." in " ".join(
        capsys.readouterr().out.split()
    )


def test_the_settings_of_early_stopping_count(log, capsys):
    assert run(log, "--json", "--min-delta", 0.3, "--start-from-epoch", 1, "--baseline", 0.5) == 0
    [told] = json.loads(capsys.readouterr().out)
    table = replay.every_patience(CURVE, min_delta=0.3, start_from_epoch=1, baseline=0.5)
    for row in told["outcomes"]:
        low, high = row["patience"]
        for patience in range(low, len(table) if high is None else high + 1):
            assert row["best_epoch"] == table.best_epoch[patience] + 1
            assert row["stops"] == table.stopped[patience]
        assert row["last_epoch"][0] == table.last_epoch[low] + 1
        assert row["epochs_run"][0] == table.epochs_run[low]
    assert told["outcomes"][0]["patience"][0] == 0
    assert told["outcomes"][-1]["patience"][1] is None


def test_json_for_scripts(capsys):
    assert run(LOGS / "resumed_at_5.csv", "--json", "--patience", 2) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert told["run"] == "resumed_at_5"
    assert (told["first_epoch"], told["last_epoch"], told["epochs"], told["counted_from"]) == (6, 11, 6, 0)
    assert (told["best_epoch"], told["best"], told["smallest_patience"]) == (6, 1.0, 1)
    assert "stops after epoch 8, 2 epochs later" in told["says"]["2"]
    assert len(told["notes"]) == 1


def test_start_from_epoch_is_compared_with_the_true_number(capsys):
    for start, stop in ((3, 8), (7, 10)):
        run(LOGS / "resumed_at_5.csv", "--patience", 2, "--start-from-epoch", start)
        assert f"stops after epoch {stop}" in " ".join(capsys.readouterr().out.split())


def test_no_number_in_json_is_nan(tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_text("epoch,loss,val_loss\n0,1,nan\n1,2,0.5\n2,2,0.6\n")
    assert run(path, "--json") == 0

    def refuse(constant):
        raise AssertionError(constant)

    [told] = json.loads(capsys.readouterr().out, parse_constant=refuse)
    # Nothing beats a NaN that came first.
    assert told["outcomes"][0]["best"] is None


def test_standard_input_several_logs_and_a_summary(log, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log.read_bytes())))
    assert run("-", LOGS / "folder", LOGS / "appended.csv", "--run", 1) == 0
    out = capsys.readouterr().out
    assert [line.split(":")[0] for line in out.splitlines() if " is better." in line] == [
        "stdin",
        "other",
        "appended (1)",
    ]
    assert out.splitlines()[-1] == "Of 3 runs, patience 1 reaches the best epoch of 2, patience 4 of all."


def test_the_only_metric_of_validation_is_taken_where_none_is_named(capsys):
    assert run(LOGS / "padded_names.csv") == 0
    assert capsys.readouterr().out.startswith("padded_names: val/box_loss over 3 epochs")
    assert run(LOGS / "null_and_percent.csv", "--monitor", "val_accuracy") == 0
    assert "val_accuracy over 4 epochs; larger is better" in capsys.readouterr().out
    assert run(LOGS / "padded_names.csv", "--monitor", "metrics/mAP50(B)") == 2
    assert "--mode min or --mode max" in capsys.readouterr().err
    assert run(LOGS / "padded_names.csv", "--monitor", "metrics/mAP50(B)", "--mode", "max") == 0


def test_a_question_names_the_option_that_answers(tmp_path, capsys):
    path = tmp_path / "a.csv"
    for content, asks, answer in [
        ("epoch;loss;val_loss\n0;1,234;1,500\n1;1,100;1,400\n", "--decimal ','", ("--decimal", ",")),
        ("0,1,1\n1,.8,.7\n", "--names epoch,loss,val_loss", ("--names", "epoch,loss,val_loss")),
        ("epoch,loss,val_loss\n5,1,1\n10,.8,.7\n", "--epochs-from 1", ("--epochs-from", 1)),
        ("epoch,step,val_loss\n0,1,1\n0,2,.9\n", "--rows each", ("--rows", "each")),
        ("epoch,val_loss\n5,1\n6,2\n5,3\n6,4\n", "--restarts new", ("--restarts", "new")),
        ('{"loss": [5, 4, 3, 2, 1, 1], "val_loss": [1]}', "--validation-freq 4", ("--validation-freq", "2,3")),
    ]:
        path.write_text(content)
        assert run(path) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert asks in told.err
        assert told.err.count("\n") == 1
        if answer[0] != "--validation-freq":
            assert run(path, *answer) == 0, capsys.readouterr().err
            capsys.readouterr()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.csv", None, "There is no file"),
        ("empty.csv", "", "is empty"),
        ("h.pkl", "x", "is a pickle"),
        ("one.csv", "epoch,val_loss\n0,1\n", "only one epoch"),
        ("train.csv", "epoch,loss\n0,1\n1,2\n", "no validation metric at all"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_status_2(log, tmp_path, capsys, name, content, words):
    if content is not None:
        (tmp_path / name).write_text(content)
    assert run(tmp_path / name, log) == 2
    told = capsys.readouterr()
    assert told.err.startswith("which-patience: ")
    assert words in told.err
    assert told.err.count("\n") == 1
    # The other log is told all the same.
    assert told.out.startswith("training: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: LOG"),
        (["x", "--patience", "-1"], "patience counts epochs, so it cannot be negative"),
        (["x", "--start-from-epoch", "-1"], "start_from_epoch counts epochs"),
        (["x", "--baseline", "nan"], "baseline must be a finite number, not nan"),
        (["x", "--min-delta", "inf"], "min_delta must be a finite number, not inf"),
        (["x", "--json", "--html", "p.html"], "do not go together"),
        (["x", "--mode", "auto"], "invalid choice: 'auto'"),
    ],
)
def test_wrong_options_are_status_2(arguments, words, capsys):
    with pytest.raises(SystemExit) as left:
        run(*arguments)
    assert left.value.code == 2
    assert words in capsys.readouterr().err


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit) as left:
        run("--help")
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert "examples:\n  which-patience training.log" in out
    assert "Exit status: 0, or 2" in out


def test_the_script_is_installed_by_its_name():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {"which-patience": "helpers.explore:main"}


# Refuses every import but those of NumPy, the standard library and the helpers themselves.
_BARE = """
import sys
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in {*sys.stdlib_module_names, "numpy", "helpers"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Bare())
from helpers import explore
sys.exit(explore.main(sys.argv[1:]))
"""


def test_it_needs_nothing_but_numpy(log):
    def bare(*arguments):
        command = [sys.executable, "-c", _BARE, log, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    page = log.with_name("page.html")
    for arguments in ((), ("--json",), ("--html", page)):
        done = bare(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
    assert "is the smallest that reaches" in page.read_text(encoding="utf-8")


def test_a_page_of_several_logs_and_one_that_cannot_be_written(log, tmp_path, capsys):
    twin = tmp_path / "b" / "training.log"
    twin.parent.mkdir()
    twin.write_bytes(log.read_bytes())
    assert run(log, twin, "--html", tmp_path / "page.html") == 0
    # What the page shows is packed in its script.
    packed = re.search(r'atob\("([^"]+)"\)', (tmp_path / "page.html").read_text(encoding="utf-8"))[1]
    assert f"{twin}: training" in gzip.decompress(base64.b64decode(packed)).decode()
    assert run(log, "--html", tmp_path / "nowhere" / "page.html") == 2
    assert run(log, LOGS / "padded_names.csv", "--html", tmp_path / "page.html") == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0].endswith("page.html: No such file or directory")
    assert told[1].endswith("val/box_loss, val_loss: give one with --monitor.")


def test_a_reader_who_leaves_early_hears_nothing(log):
    command = [sys.executable, "-m", "helpers.explore", *[log] * 300]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline().startswith("training: ")
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
