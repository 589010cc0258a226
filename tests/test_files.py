"""One atomic way to replace a file: what is there when it breaks off, and whose leftovers are cleared."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import _files


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def leave(folder: Path, name: str = "a.keras", process: int | None = None, place: str | None = None) -> Path:
    """Make the temporary file of another process by hand."""
    process = dead_process() if process is None else process
    left = folder / f".{name}.{place or _files._place()}-{process}-0.tmp.keras"
    left.write_bytes(b"half")
    return left


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def clear(folder: Path) -> list[str]:
    return [path.name for path in _files.clear_leftovers(folder, lambda name: name == "a.keras")]


def test_a_new_file_and_a_replaced_one(tmp_path):
    for content in (b"first", b"second"):
        _files.write(tmp_path / "a.txt", content)
        assert (tmp_path / "a.txt").read_bytes() == content
    assert names(tmp_path) == {"a.txt"}


def test_the_old_file_stands_until_the_block_ends(tmp_path):
    path = tmp_path / "a.keras"
    path.write_bytes(b"old")
    with _files.replacing(path, ".keras") as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".a.keras.")
        assert temporary.name.endswith(".tmp.keras")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), RuntimeError("h5py")])
def test_a_block_that_raises_changes_nothing(tmp_path, error):
    (tmp_path / "a").write_bytes(b"old")

    def break_off(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        raise error

    with pytest.raises(type(error)), _files.replacing(tmp_path / "a") as temporary:
        break_off(temporary)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == {"a"}


def test_a_block_that_writes_nothing_changes_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileNotFoundError), _files.replacing(tmp_path / "a"):
        pass
    assert (tmp_path / "a").read_bytes() == b"old"


def test_the_order_of_calls(tmp_path, monkeypatch):
    # A kill cannot prove the flushes, since what a process wrote outlives it: the order of calls does.
    calls = []
    real = {name: getattr(os, name) for name in ("fsync", "replace")}

    def note(name):
        def call(*arguments):
            folder = isinstance(arguments[0], int) and os.path.isdir(f"/dev/fd/{arguments[0]}")
            calls.append(f"{name} folder" if folder else name)
            return real[name](*arguments)

        return call

    for name in real:
        monkeypatch.setattr(os, name, note(name))
    _files.write(tmp_path / "a", b"x")
    assert calls == ["fsync", "replace", *(["fsync folder"] if os.name != "nt" else [])]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no call that flushes a folder")
@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_disk_that_cannot_flush_a_folder(tmp_path, monkeypatch, number, fails):
    real = os.fsync

    def fsync(handle):
        if os.path.isdir(f"/dev/fd/{handle}"):
            raise OSError(number, "no")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    if fails:
        with pytest.raises(OSError, match="no"):
            _files.write(tmp_path / "a", b"x")
    else:
        _files.write(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_folder_is_made_with_those_above_it(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(_files, "_sync_folder", synced.append)
    for _ in range(2):
        _files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert synced == [tmp_path, tmp_path / "a"]
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "b"):
        with pytest.raises(OSError, match="file"):
            _files.make_folder(path)


def test_leftovers_of_a_dead_process_are_cleared(tmp_path):
    left = leave(tmp_path)
    assert clear(tmp_path) == [left.name]
    assert names(tmp_path) == set()
    assert _files.clear_leftovers(tmp_path / "missing", lambda name: True) == []


def test_leftovers_of_others_stay(tmp_path):
    other = leave(tmp_path, "b.keras")
    (tmp_path / ".a.keras.tmp").write_bytes(b"somebody's own")
    (tmp_path / "a.keras").write_bytes(b"the file")
    before = names(tmp_path)
    assert clear(tmp_path) == []
    assert names(tmp_path) == before
    assert other.exists()


def test_a_live_process_keeps_its_temporary_file(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as writer:
        left = leave(tmp_path, process=writer.pid)
        assert clear(tmp_path) == []
        assert left.exists()
        writer.communicate(b"\n")
    assert clear(tmp_path) == [left.name]


def test_a_number_that_another_process_got_later(tmp_path):
    # As after a restart of the machine, or with process 1 of a container: the file is older than the process.
    left = leave(tmp_path, process=os.getpid())
    assert clear(tmp_path) == []
    long_ago = time.time() - 30 * 24 * 3600
    os.utime(left, (long_ago, long_ago))
    assert clear(tmp_path) == [left.name]


def test_files_of_another_machine_stay_for_a_day(tmp_path):
    left = leave(tmp_path, place="0" * 8)
    assert clear(tmp_path) == []
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    assert clear(tmp_path) == [left.name]


def replace_again_and_again(path: Path, content: bytes) -> None:
    for _ in range(200):
        _files.write(path, content)


def test_two_processes_and_a_reader_on_one_file(tmp_path):
    path = tmp_path / "a"
    contents = [bytes([number]) * 20_000 for number in (1, 2)]
    _files.write(path, contents[0])
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=replace_again_and_again, args=(path, content)) for content in contents]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(path.read_bytes())
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert seen <= set(contents)
    assert names(tmp_path) == {"a"}
