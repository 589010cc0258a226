"""A course on a stick: filled and installed without a network, with one tiny package in place of the real ones."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import wheels as tool  # noqa: E402

# Builds the project's own wheel as hatchling does the real one, with nothing but Python.
BACKEND = """
import zipfile
def build_editable(folder, config=None, metadata=None):
    with zipfile.ZipFile(folder + "/course-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("course.py", "HERE = True")
        wheel.writestr("course-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: course\\nVersion: 1\\n")
        wheel.writestr("course-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("course-1.dist-info/RECORD", "")
    return "course-1-py3-none-any.whl"
build_wheel = build_editable
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
# Nothing may come from elsewhere: the index is a port that nobody listens on.
SHUT = {"PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0", "PIP_TIMEOUT": "1"}


def tiny(folder: Path) -> None:
    """Make a package of one line."""
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "SIZE = 1")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")


def off() -> list[str]:
    """Return what takes the network away from a program, where this system lets us."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    allowed = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True).returncode == 0
    return alone if allowed else []


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """Fill a stick from a course whose lock holds the tiny package, and one for a system that nobody has."""
    course, index, stick = (tmp_path_factory.mktemp(name) for name in ("course", "index", "stick"))
    tiny(index)
    for name in ("setup_env", "wheels", "install"):
        (course / "tools").mkdir(exist_ok=True)
        shutil.copy(ROOT / "tools" / f"{name}.py", course / "tools")
    (course / "settings").mkdir()
    (course / "settings" / "overrides.json").write_text("{}")
    (course / "backend.py").write_text(BACKEND)
    (course / "pyproject.toml").write_text(PROJECT + '[project]\nname = "course"\nversion = "1"\n')
    (course / "requirements.txt").write_text("# a lock\ntiny==1.0\nother==2.0 ; sys_platform == 'no system'\n")
    git = ["git", "-C", str(course), "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "a course"]):
        subprocess.run([*git, *command], check=True)
    env = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    command = [sys.executable, str(course / "tools" / "wheels.py"), str(stick)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1 packages for this machine" in done.stdout
    return stick


def install(stick: Path, folder: Path) -> subprocess.CompletedProcess:
    command = [*off(), sys.executable, str(stick / "install.py"), str(folder)]
    return subprocess.run(command, env={**os.environ, **SHUT}, capture_output=True, text=True)


def test_a_stick_installs_the_course_with_the_network_off(stick, tmp_path):
    assert sorted(path.name for path in stick.iterdir()) == ["course.zip", "install.py", "wheels"]
    folder = tmp_path / "my course"
    done = install(stick, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    python = folder / (".venv/Scripts/python.exe" if sys.platform == "win32" else ".venv/bin/python")
    said = subprocess.run([python, "-c", "import tiny, course; print(tiny.SIZE, course.HERE)"], capture_output=True)
    assert said.stdout.split() == [b"1", b"True"]
    # Again, over a learner's work: nothing of it is written over.
    (folder / "backend.py").write_text("mine")
    again = install(stick, folder)
    assert again.returncode == 0, again.stderr
    assert (folder / "backend.py").read_text() == "mine"


def test_what_is_missing_is_said(stick, tmp_path):
    (tmp_path / "other").mkdir()
    other = install(stick, tmp_path / "other")
    assert other.returncode == 1
    assert "holds something else" in other.stderr
    poor = tmp_path / "stick"
    shutil.copytree(stick, poor, ignore=shutil.ignore_patterns("*.whl"))
    done = install(poor, tmp_path / "course")
    assert done.returncode == 1
    assert "holds no packages" in done.stderr
    assert "make wheels" in done.stderr


LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("machine", "has", "lacks"),
    [
        ("windows:3.12", {"tensorflow", "pywinpty", "colorama"}, {"tensorflow-cpu", "ptyprocess", "appnope"}),
        ("macos:3.11", {"tensorflow", "appnope", "ptyprocess"}, {"tensorflow-cpu", "pywinpty"}),
        ("linux:3.13", {"tensorflow-cpu", "ptyprocess"}, {"tensorflow", "pywinpty", "appnope"}),
    ],
)
def test_another_system_gets_its_own_packages(machine, has, lacks):
    pins = tool.locked(LOCK, tool.target(machine))
    names = {pin.split("==")[0] for pin in pins}
    assert has <= names
    assert not lacks & names
    assert not any(";" in pin for pin in pins)
    assert len(names) == len(pins)


@pytest.mark.parametrize("text", ["amiga", "windows:3.9", ":3.12"])
def test_another_target_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is none of"):
        tool.target(text)
