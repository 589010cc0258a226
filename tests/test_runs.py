"""The recorded training runs: what they hold, how they are read, and the script that wrote them."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import data

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def runs():
    return data.load_runs()


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Let the loader read a copy of data/runs/, which a test may damage."""
    folder = tmp_path / "data"
    shutil.copytree(data.DATA / "runs", folder / "runs")
    monkeypatch.setattr(data, "DATA", folder)
    return folder / "runs"


@pytest.fixture(scope="module")
def record_runs():
    """Import tools/record_runs.py, which is a script and no package."""
    tools = str(ROOT / "tools")
    sys.path.insert(0, tools)
    try:
        spec = importlib.util.spec_from_file_location("record_runs", ROOT / "tools" / "record_runs.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["record_runs"] = module
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(tools)
        sys.modules.pop("record_runs", None)


# --- what is recorded


def test_there_are_enough_runs_of_enough_kinds(runs):
    assert len(runs) >= 60
    assert {run.settings["data"] for run in runs} == {"digits", "diabetes"}
    for setting in ("label_noise", "learning_rate", "train_rows", "batch_size", "optimizer", "dropout"):
        assert len({run.settings[setting] for run in runs}) >= 2, setting
    assert len({tuple(run.settings["layers"]) for run in runs}) >= 4


def test_each_run_is_complete(runs):
    for run in runs:
        second = "accuracy" if run.settings["data"] == "digits" else "mae"
        assert set(run.history) == {f"{part}{metric}" for part in ("", "val_", "test_") for metric in ("loss", second)}
        assert len(run.seconds) == run.settings["epochs"] >= 150
        assert all(len(values) == len(run.seconds) for values in run.history.values())
        assert all(0 < seconds < 60 for seconds in run.seconds)
        assert run.settings["keras"].startswith("3.")


def test_each_configuration_has_the_same_seeds(runs):
    seeds = {}
    for run in runs:
        seeds.setdefault(run.configuration, []).append(run.settings["seed"])
        assert run.name == f"{run.configuration}-seed{run.settings['seed']}"
    assert all(found == [0, 1, 2, 3, 4] for found in seeds.values())
    assert len({run.name for run in runs}) == len(runs)


def test_seeds_make_different_runs(runs):
    losses = [tuple(run.history["loss"][:3]) for run in runs]
    assert len(set(losses)) == len(losses)


def test_only_the_diverging_runs_hold_what_is_not_a_number(runs):
    diverged = {
        run.configuration for run in runs for values in run.history.values() if not all(map(math.isfinite, values))
    }
    assert diverged == {"diabetes-diverging"}


def test_some_runs_overfit_and_some_do_not(runs):
    def rise(run: data.Run) -> float:
        values = run.history["val_loss"]
        return values[-1] / min(values) - 1

    by_name = {}
    for run in runs:
        by_name.setdefault(run.configuration, []).append(rise(run))
    assert min(by_name["digits-noise20"]) > 0.1
    assert max(by_name["digits-noise20-slow"]) < 0.05
    assert max(by_name["diabetes-linear"]) < 0.05


def test_some_runs_are_noisy_and_some_are_smooth(runs):
    def rises_before_the_best(run: data.Run) -> int:
        values = np.array(run.history["val_loss"])
        return int((np.diff(values[: values.argmin() + 1]) > 0).sum())

    rises = {run.name: rises_before_the_best(run) for run in runs if run.configuration != "diabetes-diverging"}
    assert max(rises.values()) >= 10
    assert min(rises.values()) == 0


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in (data.DATA / "runs").iterdir()) < 1_000_000


def test_the_checksums_list_exactly_the_files():
    folder = data.DATA / "runs"
    assert sorted(data._checksums(folder, "make runs")) == sorted(path.name for path in folder.glob("*.npz"))


def test_the_readme_names_every_configuration(runs):
    readme = (data.DATA / "README.md").read_text(encoding="utf-8")
    for run in runs:
        assert f"`{run.configuration}`" in readme


# --- how they are read


def test_one_configuration_or_several_or_one_data_set(runs):
    one = data.load_runs("digits-noise20")
    assert [run.name for run in one] == [f"digits-noise20-seed{seed}" for seed in range(5)]
    two = data.load_runs(["digits-noise20", "diabetes-deep"])
    assert [run.name for run in two] == sorted(run.name for run in two)
    assert {run.configuration for run in two} == {"digits-noise20", "diabetes-deep"}
    digits, diabetes = data.load_runs(data="digits"), data.load_runs(data="diabetes")
    assert {run.settings["data"] for run in digits} == {"digits"}
    assert len(digits) + len(diabetes) == len(runs)
    assert data.load_runs("digits-noise20", data="diabetes") == []


def test_the_values_are_those_of_the_file():
    run = data.load_runs("digits-noise20")[3]
    with np.load(data.DATA / "runs" / "digits-noise20.npz") as table:
        assert run.settings["seed"] == table["seeds"][3]
        assert run.history["test_loss"] == table["test_loss"][3].tolist()
        assert run.seconds == table["seconds"][3].tolist()
    assert all(type(value) is float for value in run.history["val_loss"])


def test_runs_are_frozen(runs):
    with pytest.raises(dataclasses.FrozenInstanceError):
        runs[0].name = "mine"
    with pytest.raises(TypeError):
        runs[0].history["loss"] = []
    with pytest.raises(TypeError):
        runs[0].settings["seed"] = 1


def test_a_run_says_what_it_is():
    assert repr(data.load_runs("digits-noise20")[0]) == "Run(digits-noise20-seed0: 150 epochs)"


def test_an_unknown_configuration_gets_the_list_of_those_there_are():
    with pytest.raises(ValueError, match=r"no recorded configuration 'digits-noise21'.*digits-noise20,"):
        data.load_runs("digits-noise21")
    with pytest.raises(ValueError, match='data must be "digits" or "diabetes"; got \'mnist\''):
        data.load_runs(data="mnist")


def test_reading_runs_loads_no_tensorflow():
    code = (
        "import sys; from helpers import data; assert len(data.load_runs()) >= 60\n"
        "loaded = {'tensorflow', 'keras', 'pandas'} & set(sys.modules); assert not loaded, loaded"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("trouble", ["missing", "damaged"])
def test_a_missing_or_damaged_file_says_how_to_get_it_back(copy, trouble):
    path = copy / "digits-noise20.npz"
    path.unlink() if trouble == "missing" else path.write_bytes(path.read_bytes()[:-1])
    words = rf"data/runs/digits-noise20.npz is {trouble}.*git checkout -- data/runs/digits-noise20.npz.*make runs"
    with pytest.raises(data.DataError, match=words):
        data.load_runs()
    assert data.load_runs("digits-noise40")


def test_a_missing_folder_says_how_to_get_it_back(copy):
    shutil.rmtree(copy)
    with pytest.raises(data.DataError, match=r"data/runs/checksums.txt is missing.*make runs"):
        data.load_runs()


# --- the script that wrote them


def test_the_committed_runs_are_of_the_configurations_in_the_script(record_runs, runs):
    settings = {}
    for configuration in record_runs.configurations():
        known = dataclasses.asdict(configuration)
        name = known.pop("name")
        settings[name] = json.loads(json.dumps(known))
    assert sorted(settings) == sorted({run.configuration for run in runs})
    for run in runs:
        assert {key: run.settings[key] for key in settings[run.configuration]} == settings[run.configuration]


@pytest.mark.parametrize("name", ["digits-noise20", "diabetes-dropout"])
def test_what_is_recorded_is_what_keras_measures(record_runs, tmp_path, monkeypatch, name):
    found = next(known for known in record_runs.configurations() if known.name == name)
    short = dataclasses.replace(found, name=f"{name}-short", epochs=2)
    trained = []
    train = record_runs.train
    monkeypatch.setattr(record_runs, "train", lambda *given: trained.append(train(*given)) or trained[-1])
    path = record_runs.record(short, (4,), tmp_path / "runs")
    record_runs.write_checksums(path.parent)
    monkeypatch.setattr(data, "DATA", tmp_path)
    (run,) = data.load_runs()

    monkeypatch.undo()
    ((model, history, seconds),) = trained
    load = data.load_digits if short.data == "digits" else data.load_diabetes
    splits = load(train_rows=short.train_rows, label_noise=short.label_noise, seed=4)
    for part in ("validation", "test"):
        x, y = getattr(splits, f"x_{part}"), getattr(splits, f"y_{part}")
        measured = model.evaluate(x, y, verbose=0, return_dict=True)
        for metric, value in measured.items():
            assert run.history[f"{part[:3] if part == 'validation' else part}_{metric}"][-1] == pytest.approx(
                value, rel=1e-4
            )
    assert run.history["loss"] == pytest.approx(history["loss"], rel=1e-4)
    assert len(run.seconds) == len(seconds) == 2


def test_an_unknown_name_is_refused(record_runs, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["record_runs.py", "digits-noise21"])
    with pytest.raises(SystemExit):
        record_runs.main()
    assert "digits-noise20," in capsys.readouterr().err
