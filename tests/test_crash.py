from __future__ import annotations

import os

import pytest

from helpers import crash

OLD, NEW = b"old" * 100, b"new" * 200


def write(path):
    with open(path, "wb") as file:
        file.write(NEW[:300])
        file.flush()
        file.write(NEW[300:])


def flush(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def straight(path):
    write(path)


def renamed(path):
    write(path.with_name("new"))
    os.replace(path.with_name("new"), path)


def flushed(path):
    write(path.with_name("new"))
    flush(path.with_name("new"))
    os.replace(path.with_name("new"), path)
    flush(path.parent)


def moments(tmp_path, save):
    (tmp_path / "a").write_bytes(OLD)
    save(tmp_path / "a")  # what is imported or remembered at a first call has its own lines
    (tmp_path / "a").write_bytes(OLD)
    return crash.watch(tmp_path, save, tmp_path / "a").moments


def left(found, kind):
    return {getattr(moment, kind).get("a") for moment in found}


@pytest.mark.parametrize("save", [straight, renamed, flushed])
def test_a_kill_leaves_what_others_see(tmp_path, save):
    found = left(moments(tmp_path, save), "kill")
    assert {OLD, NEW} <= found
    assert (found == {OLD, NEW}) == (save is not straight)


@pytest.mark.skipif(os.name == "nt", reason="Windows flushes no folders")
def test_a_power_cut_takes_what_was_not_flushed(tmp_path):
    end = moments(tmp_path, renamed)[-1]
    assert (end.cut["a"], end.names["a"]) == (OLD, b"")
    all_of_it = moments(tmp_path, flushed)
    assert left(all_of_it, "cut") == left(all_of_it, "names") == {OLD, NEW}
    assert (all_of_it[-1].cut, all_of_it[-1].names) == ({"a": NEW}, {"a": NEW})


@pytest.mark.skipif(not crash.CAN_KILL, reason="needs os.fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("save", [straight, flushed])
def test_real_kills_leave_what_was_seen(tmp_path, save):
    for moment in moments(tmp_path, save):
        for path in tmp_path.iterdir():
            path.unlink()
        (tmp_path / "a").write_bytes(OLD)
        assert crash.killed(tmp_path, moment.number, save, tmp_path / "a") == moment.kill


def test_an_error_is_kept_and_flushing_is_as_before(tmp_path):
    before = os.fsync

    def fails(path):
        write(path)
        raise OSError("full")

    watched = crash.watch(tmp_path, fails, tmp_path / "a")
    assert str(watched.error) == "full"
    assert watched.moments[-1].kill == {"a": NEW}
    assert os.fsync is before


def test_the_table_says_what_each_line_leaves(tmp_path):
    (tmp_path / "a").write_bytes(OLD)
    names = {OLD: "old", NEW: "new", b"": "empty"}
    text = crash.table(crash.watch(tmp_path, renamed, tmp_path / "a"), lambda files: names.get(files.get("a"), "half"))
    assert text.splitlines()[0].split("  ")[0] == "in or after this line"
    assert text.splitlines()[-1].endswith("new     old or empty or new")
