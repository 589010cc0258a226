from __future__ import annotations

import importlib.metadata
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import lesson, questions
from helpers.checks import _progress

ROOT = Path(__file__).resolve().parent.parent
TEXTS = """
title = "A lesson for the tests"
[exercise.1]
title = "One"
hints = ["hint"]
reason = "So."
[exercise.2]
title = "Two"
hints = ["hint"]
reason = "So."
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "90.toml").write_text(TEXTS)
    (tmp_path / "lessons" / "00.toml").write_text('title = "Start"')
    monkeypatch.setattr(questions, "FOLDER", tmp_path / "lessons")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.chdir(tmp_path)
    for name in lesson._QUIET:
        # Set first, so that monkeypatch puts back what begin() sets.
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    return tmp_path


def test_begin_says_one_line_and_quiets_tensorflow(here, capsys):
    _progress.record_check("90.2", solved=True)
    lesson.begin("90")
    assert lesson.begun() == "90"
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"Lesson 90 · Keras {importlib.metadata.version('keras')} · 1 of 2 exercises solved"
    assert {name: os.environ[name] for name in lesson._QUIET} == lesson._QUIET


def test_begin_without_exercises(here, capsys):
    lesson.begin("00")
    assert "exercises" not in capsys.readouterr().out


def test_begin_leaves_what_is_set(here, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    lesson.begin("90")
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
    assert "KERAS_BACKEND is jax" in capsys.readouterr().out


def test_begin_after_keras_says_so(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    lesson.begin("90")
    assert "Keras was imported before this cell" in capsys.readouterr().out
    lesson.begin("90")  # the setup cell once more, in a kernel that was begun
    assert "imported before" not in capsys.readouterr().out


def test_begin_names_another_keras(here, capsys, monkeypatch):
    monkeypatch.setattr(lesson, "_installed", lambda name: "3.99.0")
    lesson.begin("90")
    assert re.search(r"Keras 3\.99\.0 \(the lessons were tried with 3\.\d+\.\d+\)", capsys.readouterr().out)


def test_begin_shows_a_damaged_progress_file(here, capsys):
    (here / "progress.json").write_text("{")
    lesson.begin("90")
    assert "`progress.damaged-1.json`" in capsys.readouterr().out


def test_begin_unknown_lesson(here):
    with pytest.raises(ValueError, match="Lessons with questions: 00, 90"):
        lesson.begin("91")


def test_new_folder_counts_up_and_reuses_nothing(here):
    assert lesson.new_folder("03") == Path("runs/03-001")
    (here / "runs" / "03-001" / "kept.txt").write_text("mine")
    (here / "runs" / "03-007").mkdir()
    (here / "runs" / "03-x").mkdir()
    assert lesson.new_folder("03") == Path("runs/03-008")
    assert lesson.new_folder("04") == Path("runs/04-001")
    assert (here / "runs" / "03-001" / "kept.txt").read_text() == "mine"
    assert list(lesson.new_folder("03").iterdir()) == []


def test_a_folder_in_which_nothing_was_written_goes_when_python_ends(tmp_path):
    code = """
from helpers import lesson
empty, used = lesson.new_folder("03"), lesson.new_folder("03")
(used / "kept.txt").write_text("mine")
import os
os.mkdir("elsewhere"), os.chdir("elsewhere")
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["03-002"]


def test_new_folder_when_another_kernel_is_faster(here, monkeypatch):
    (here / "runs" / "03-001").mkdir(parents=True)
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(()))
    assert lesson.new_folder("03") == Path("runs/03-002")


@pytest.mark.parametrize("name", ["3", 3, "../03", "03/x", "", None])
def test_new_folder_takes_a_lesson_number(here, name):
    with pytest.raises(ValueError, match=re.escape('new_folder("03")')):
        lesson.new_folder(name)


def test_new_folder_where_nothing_can_be_written(here):
    (here / "runs").write_text("a file in its place")
    with pytest.raises(OSError, match="Copy the course to a folder of your own"):
        lesson.new_folder("03")


def test_this_environment_is_fine(here):
    found = lesson.check_environment()
    assert found.fine, str(found)
    assert {"Python", "TensorFlow", "Keras", "JupyterLab", "ipywidgets", "Data files", "Disk"} <= {
        finding.what for finding in found.findings
    }
    assert str(found).startswith("Everything the lessons need is here.")
    assert "<table" in found.to_html()


def finding(what: str) -> lesson.Finding:
    return next(f for f in lesson.check_environment().findings if f.what == what)


def test_an_unsupported_python(here, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    assert finding("Python").state == "problem"
    assert "3.11, 3.12 and 3.13" in finding("Python").mend


def test_pythons_are_those_of_the_project():
    project = (ROOT / "pyproject.toml").read_text()
    low, high = lesson.PYTHONS[0], lesson.PYTHONS[-1]
    assert f'requires-python = ">={low[0]}.{low[1]},<{high[0]}.{high[1] + 1}"' in project


@pytest.mark.parametrize(
    ("version", "state"), [("3.99.1", "problem"), (None, "problem"), ("3.15.99", "note"), ("3.15.1", "fine")]
)
def test_versions_against_the_lock(here, monkeypatch, version, state):
    monkeypatch.setattr(lesson, "pinned", lambda: {"keras": frozenset({"3.15.1"})})
    monkeypatch.setattr(lesson, "_installed", lambda name: version if name == "keras" else "1")
    assert finding("Keras").state == state
    assert bool(finding("Keras").mend) == (state != "fine")


def test_the_lock_is_read():
    assert all(lesson._pins(name) for name in ("tensorflow", "keras", "jupyterlab", "ipywidgets"))


def test_not_installed_here(here, monkeypatch):
    monkeypatch.setattr(lesson, "PROJECT", "no-such-project")
    assert finding("The course in this kernel").state == "problem"
    assert "Change Kernel" in finding("The course in this kernel").mend


def test_missing_and_damaged_data(here, monkeypatch):
    data = here / "data"
    data.mkdir()
    monkeypatch.setattr(questions, "ROOT", here)
    assert "missing" in finding("Data files").found
    (data / "whole.npz").write_bytes(b"")
    (data / "broken.npz").write_bytes(b"x")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (data / "checksums.txt").write_text("".join(f"{empty}  {name}.npz\n" for name in ("whole", "broken", "gone")))
    assert finding("Data files").found == "missing: gone.npz; damaged: broken.npz"
    assert not lesson.check_environment().fine


def test_full_disk_and_read_only_folder(here, monkeypatch):
    usage = type("usage", (), {"free": 5_000_000})
    monkeypatch.setattr(lesson.shutil, "disk_usage", lambda path: usage)
    assert finding("Disk").state == "problem"
    assert finding("Disk").found == "5 MB free"

    def refuse(**kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(lesson.tempfile, "TemporaryFile", refuse)
    assert finding("Writing beside the notebook").state == "problem"
    assert str(lesson.check_environment()).startswith("2 things need mending")


def test_no_widgets_manager(here, monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *names: [])
    assert finding("Sliders and buttons").state == "note"


def test_nothing_here_loads_tensorflow():
    script = (
        "import sys\n"
        "from helpers import checks, lesson, questions, widgets\n"
        "lesson.check_environment(); checks.progress(); questions.lessons(); widgets.predict\n"
        "assert not [m for m in ('tensorflow', 'keras', 'pandas', 'matplotlib.pyplot') if m in sys.modules]"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stderr.strip(), ran.returncode) == ("", 0)


def test_the_search_for_fonts_is_not_announced(monkeypatch, capsys):
    log = logging.getLogger("matplotlib.font_manager")
    monkeypatch.setattr(log, "level", logging.WARNING)
    lesson.begin("02")
    assert not log.isEnabledFor(logging.WARNING)


def test_no_word_of_retracing():
    # In a process of its own, and with more functions than TensorFlow takes in silence.
    script = (
        "from helpers import lesson\n"
        "lesson.begin('02')\n"
        "import tensorflow as tf\n"
        "for _ in range(12):\n"
        "    make = tf.function(lambda x: x + 1)\n"
        "    make(tf.constant(1.0))\n"
        "tf.get_logger().warning('of another kind')\n"
    )
    for code, words in ((script, False), (script.replace("lesson.begin('02')", ""), True)):
        ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert "of another kind" in ran.stderr
        assert ("retracing" in ran.stderr) is words, ran.stderr


@pytest.mark.parametrize(("part", "words"), [("90", "1 of 1 exercise "), ("90b", "0 of 2 exercises "), ("90c", None)])
def test_begin_counts_the_exercises_of_its_own_notebook(here, capsys, monkeypatch, part, words):
    monkeypatch.setattr(questions, "ROOT", here)
    (here / "notebooks").mkdir()
    (here / "lessons" / "90.toml").write_text(TEXTS + '[exercise.3]\ntitle = "Three"\nhints = ["hint"]\nreason = "So."')
    asked = {"90": [2], "90b": [1, 3], "90c": []}
    for name, numbers in asked.items():
        cells = "".join(f'"# Exercise 90.{number}\\n"' for number in numbers)
        (here / "notebooks" / f"{name}_part.ipynb").write_text(f'{{"cells": [{cells}]}}')
    _progress.record_check("90.2", solved=True)
    lesson.begin(part)
    said = capsys.readouterr().out
    assert words in said if words else "exercise" not in said
