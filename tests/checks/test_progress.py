from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import questions
from helpers.checks import _progress

ROOT = Path(__file__).resolve().parents[2]


def stored() -> dict:
    return json.loads(_progress.path().read_text(encoding="utf-8"))


def test_nothing_yet():
    assert _progress.read() == {"version": 1, "exercises": {}, "predictions": {}, "reveals": {}}
    assert not _progress.path().exists()


def test_default_place_is_the_project(monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS")
    assert _progress.path() == questions.ROOT / ".course" / "progress.json"


# What a hub looks like from inside a learner's kernel, for one course folder that all of them share.
WHERE = """
import os, pathlib, sys
home, course = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
os.environ["HOME"] = os.environ["USERPROFILE"] = os.environ["LOCALAPPDATA"] = str(home)
for name in ("XDG_DATA_HOME", "COURSE_PROGRESS", "JUPYTERHUB_USER"):
    os.environ.pop(name, None)
if sys.argv[3]:
    os.environ["JUPYTERHUB_USER"] = sys.argv[3]
sys.path.insert(0, sys.argv[4])
from helpers import questions
questions.ROOT = course
from helpers.checks import _progress
_progress.record_prediction("02.a", 1, sys.argv[1], True)
print(_progress.path())
"""


def a_learner(home: Path, course: Path, hub_name: str = "") -> Path:
    home.mkdir(exist_ok=True, parents=True)
    command = [sys.executable, "-c", WHERE, str(home), str(course), hub_name, str(ROOT)]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def test_two_learners_of_one_installation_never_meet(tmp_path):
    course = tmp_path / "srv" / "course"
    course.mkdir(parents=True)
    files = [a_learner(tmp_path / "home" / name, course, name) for name in ("ana", "ben")]
    for name, file in zip(("ana", "ben"), files, strict=True):
        home = tmp_path / "home" / name
        assert file.is_relative_to(home)
        assert json.loads(file.read_text(encoding="utf-8"))["predictions"]["02.a"]["text"] == str(home)
    assert list(course.iterdir()) == []


def test_a_course_of_ones_own_keeps_its_progress_beside_it(tmp_path):
    cloned = tmp_path / "home" / "ana" / "course"
    cloned.mkdir(parents=True)
    assert a_learner(tmp_path / "home" / "ana", cloned, "ana") == cloned / ".course" / "progress.json"
    elsewhere = tmp_path / "disk" / "course"
    elsewhere.mkdir(parents=True)
    assert a_learner(tmp_path / "home" / "ana", elsewhere) == elsewhere / ".course" / "progress.json"


def test_a_course_that_cannot_be_written_or_is_anothers_sends_progress_home(tmp_path, monkeypatch):
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    own = tmp_path / "course" / ".course" / "progress.json"
    (tmp_path / "course").mkdir()
    assert _progress.default_path(tmp_path / "course") == own
    with monkeypatch.context() as patch:
        patch.setattr(_progress.os, "access", lambda path, how: False)
        assert _progress.default_path(tmp_path / "course") != own
    if hasattr(os, "getuid"):
        monkeypatch.setattr(_progress.os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
        assert _progress.default_path(tmp_path / "course") != own


def test_solved_stays_solved():
    _progress.record_check("02.1", solved=False)
    assert _progress.solved() == frozenset()
    _progress.record_check("02.1", solved=True)
    when = stored()["exercises"]["02.1"]["solved"]
    _progress.record_check("02.1", solved=False)
    assert _progress.solved() == {"02.1"}
    assert stored()["exercises"]["02.1"] == {"tries": 3, "solved": when, "credit": 1.0}


def test_first_commit_wins():
    first = _progress.record_prediction("02.a", 1, "Two", True)
    second = _progress.record_prediction("02.a", 0, "One", False)
    assert first["answer"] == second["answer"] == stored()["predictions"]["02.a"]["answer"] == 1
    _progress.forget_prediction("02.a")
    assert _progress.read()["predictions"] == {}


def test_a_commit_after_the_reveal_is_late():
    _progress.record_prediction("02.a", 1, "Two", True)
    for name in ("02.a", "02.b"):
        _progress.record_reveal(name)
    shown = stored()["reveals"]["02.b"]["shown"]
    _progress.record_sentence("02.b", "Why?", "Because.")
    _progress.record_reveal("02.b")
    assert stored()["reveals"]["02.b"] == {"shown": shown, "ask": "Why?", "sentence": "Because."}
    assert "late" not in _progress.record_prediction("02.a", 0, "One", False)
    assert _progress.record_prediction("02.b", 0, "One", False)["late"] is True


def test_unknown_entries_survive():
    _progress.path().parent.mkdir()
    _progress.path().write_text(json.dumps({"version": 1, "exercises": {}, "predictions": {}, "later": [1]}))
    _progress.record_check("02.1", solved=True)
    assert stored()["later"] == [1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b'{"exercises": []}',
        b'{"predictions": {"02.a": 1}}',
        b"[" * 100_000,
        b'{"exercises": {"02.1": {"tries": 1}}, "predi',
    ],
)
def test_a_damaged_file_is_set_aside(content):
    here = _progress.path()
    here.parent.mkdir()
    here.write_bytes(content)
    assert _progress.solved() == frozenset()
    assert here.with_name("progress.damaged-1.json").read_bytes() == content
    (note,) = _progress.take_notes()
    assert "`progress.damaged-1.json`" in note
    assert _progress.take_notes() == []
    _progress.record_check("02.1", solved=True)
    assert _progress.solved() == {"02.1"}
    here.write_bytes(content)
    _progress.record_check("02.2", solved=True)
    assert here.with_name("progress.damaged-2.json").read_bytes() == content
    assert _progress.solved() == {"02.2"}


def test_where_nothing_can_be_written_memory_serves(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    _progress.record_check("02.1", solved=True)
    _progress.record_check("02.2", solved=True)
    _progress.record_prediction("02.a", 0, "One", False)
    assert _progress.solved() == {"02.1", "02.2"}
    assert "02.a" in _progress.read()["predictions"]
    notes = _progress.take_notes()
    assert len(notes) == 1
    assert "until this kernel stops" in notes[0]


def test_a_read_only_disk(monkeypatch):
    _progress.record_check("02.1", solved=True)
    before = stored()

    def refuse(*args, **kwargs):
        raise OSError(30, "Read-only file system")

    for name in ("replace", "mkdir"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    _progress.record_check("02.2", solved=True)
    assert _progress.solved() == {"02.1", "02.2"}
    assert stored() == before
    assert _progress.take_notes() == [
        "Progress cannot be saved here (Read-only file system): it lasts until this kernel stops."
    ]


def test_a_folder_in_its_place():
    _progress.path().mkdir(parents=True)
    _progress.record_check("02.1", solved=True)
    assert _progress.solved() == {"02.1"}
    assert len(_progress.take_notes()) == 1


def test_a_write_that_breaks_off_leaves_the_old_file(monkeypatch):
    _progress.record_check("02.1", solved=True)
    before = stored()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    _progress.record_check("02.2", solved=True)
    assert stored() == before
    assert [path.name for path in _progress.path().parent.iterdir() if path.suffix == ".tmp"] == []


def test_reset_sets_aside():
    assert _progress.set_aside() is None
    for number in (1, 2):
        _progress.record_check("02.1", solved=True)
        assert _progress.set_aside().name == f"progress.set-aside-{number}.json"
        assert _progress.solved() == frozenset()
    assert len(list(_progress.path().parent.glob("progress.set-aside-*.json"))) == 2


def test_two_kernels_at_once_lose_nothing():
    script = (
        "import sys\n"
        "from helpers.checks import _progress\n"
        "for number in range(1, 41):\n"
        "    _progress.record_check(f'{sys.argv[1]}.{number}', solved=True)\n"
        "assert _progress.take_notes() == []\n"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", script, lesson], cwd=ROOT) for lesson in ("02", "03", "04")]
    assert [kernel.wait(timeout=120) for kernel in kernels] == [0, 0, 0]
    assert len(_progress.solved()) == 120
