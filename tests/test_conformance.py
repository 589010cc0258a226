"""What checkpoints survive, in short: three writers, few kills, in a process that forks; `make conformance` is long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the trials fork and kill processes")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Run the short form once. It has a process of its own: TensorFlow must not have computed before it forks."""
    path = tmp_path_factory.mktemp("conformance") / "result.json"
    ran = subprocess.run(
        [sys.executable, "-m", "tests.conformance", "--short", "--json", path],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(path.read_text())


def cell(result, writer, trial):
    found = result["cells"][writer][trial]
    if found["text"].startswith("skipped: "):
        pytest.skip(found["text"].removeprefix("skipped: "))
    return found


@pytest.mark.parametrize("writer", ["AtomicCheckpoint", "ResumeState"])
@pytest.mark.parametrize("trial", ["kill", "power", "full", "right", "reader"])
def test_survives(result, writer, trial):
    found = cell(result, writer, trial)
    assert found["good"], found["text"]


def test_beside_modelcheckpoint_in_the_same_process(result):
    atomic, model_checkpoint = result["pair"]
    assert set(atomic) == {"whole"}
    assert sum(atomic.values()) == sum(model_checkpoint.values())


def test_killed_and_resumed_is_never_killed(result):
    assert cell(result, "ResumeState", "resumed")["text"] == "2 of 2"


@pytest.mark.parametrize("writer", ["AtomicCheckpoint", "ResumeState"])
def test_remote_paths_are_refused(result, writer):
    assert cell(result, writer, "remote")["text"] == "refuses such paths"


@pytest.mark.parametrize(
    ("trial", "words"), [("power", "unreadable"), ("full", "unreadable"), ("remote", "unreadable")]
)
def test_the_trials_can_fail(result, trial, words):
    found = cell(result, "ModelCheckpoint, .keras", trial)
    assert not found["good"]
    assert words in found["text"]


def test_without_its_flushes_the_power_cut_finds_atomic_out(result):
    if result["rename"] is None:
        pytest.skip("no power cut can be replayed here")
    assert result["rename"]["unreadable"] > 0


# -- the replay, on records written by hand --------------------------------------------------------------------------


@pytest.fixture
def cut(tmp_path):
    """Return what a disk may hold after calls, by variant."""
    sys.path.insert(0, str(ROOT))
    try:
        from tests.conformance import power_cut
    finally:
        sys.path.remove(str(ROOT))

    def after(*calls):
        record = tmp_path / "calls.txt"
        record.write_text("".join(f"7 {call}\n" for call in calls))
        disk = power_cut.Disk("/d")
        for call in power_cut.read_record(record):
            disk.apply(call)
        return {variant: disk.after_a_cut(variant) for variant in power_cut.VARIANTS}

    return after


def hexed(text: str) -> str:
    return "".join(f"\\x{ord(letter):02x}" for letter in text)


def opened(path: str, number: int = 3, flags: str = "O_WRONLY|O_CREAT|O_TRUNC") -> str:
    name = hexed(path)
    return f'openat(AT_FDCWD<{hexed("/")}>, "{name}", {flags}, 0666) = {number}<{name}>'


def written(text: str, number: int = 3) -> str:
    return f'write({number}<x>, "{hexed(text)}", {len(text)}) = {len(text)}'


FLUSHED = "fsync(3<x>) = 0"
FOLDER = [opened("/d", 4, "O_RDONLY|O_DIRECTORY"), "fsync(4<x>) = 0"]


def renamed(old: str, new: str) -> str:
    return f'rename("{hexed(old)}", "{hexed(new)}") = 0'


def test_nothing_has_arrived_that_was_not_flushed(cut):
    held = cut(opened("/d/a"), written("abcd"))
    assert held == {
        "strict": {}, "no data": {"a": b""}, "zeros": {"a": bytes(4)}, "half": {"a": b"ab"}, "all": {"a": b"abcd"},
    }  # fmt: skip


def test_a_flushed_file_has_content_and_no_name_before_its_folder(cut):
    held = cut(opened("/d/a"), written("abcd"), FLUSHED)
    assert held["strict"] == {}
    assert held["no data"] == {"a": b"abcd"}
    assert cut(opened("/d/a"), written("abcd"), FLUSHED, *FOLDER)["strict"] == {"a": b"abcd"}


def test_a_rename_arrives_with_its_folder(cut):
    old = [opened("/d/a"), written("old"), FLUSHED, *FOLDER, "close(3<x>) = 0"]
    new = [opened("/d/b"), written("new"), renamed("/d/b", "/d/a")]
    assert cut(*old, *new)["strict"] == {"a": b"old"}
    assert cut(*old, *new)["no data"] == {"a": b""}
    assert cut(*old, *new, *FOLDER)["strict"] == {"a": b""}
    assert {held["a"] for held in cut(*old, *new[:2], FLUSHED, new[2], *FOLDER).values()} == {b"new"}


def test_cutting_a_file_to_nothing_is_lost_at_once(cut):
    old = [opened("/d/a"), written("old"), FLUSHED, *FOLDER, "close(3<x>) = 0"]
    held = cut(*old, opened("/d/a"))
    assert held["strict"] == {"a": b"old"}
    assert held["no data"] == held["all"] == {"a": b""}


def test_calls_of_two_threads_that_cross(cut):
    held = cut(
        opened("/d/a"),
        f'write(3<x>, "{hexed("ab")}", 2 <unfinished ...>',
        "<... write resumed>) = 2",
        f'pwrite64(3<x>, "{hexed("c")}", 1, 3) = 1',
        f'unlink("{hexed("/d/none")}") = -1 ENOENT (No such file or directory)',
    )
    assert held["all"] == {"a": b"ab\0c"}


def test_a_call_that_the_replay_does_not_know_is_named(cut):
    with pytest.raises(NotImplementedError, match="does not know truncate"):
        cut(f'truncate("{hexed("/d/a")}", 3) = 0')


CRASH = """
import os, signal
from tests.conformance.processes import Died, call
try:
    call(lambda: os.kill(os.getpid(), signal.SIGSEGV))
except Died as death:
    print(death.signal)
"""


def test_a_crash_of_the_writer_is_an_outcome():
    ran = subprocess.run([sys.executable, "-c", CRASH], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["SIGSEGV"]
