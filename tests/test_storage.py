"""Buckets of lesson 09: the one in a folder, and the same three calls through fsspec where it is installed."""

from __future__ import annotations

import os

import pytest

from helpers import storage


@pytest.fixture(params=["folder", "fsspec"])
def bucket(request, tmp_path):
    if request.param == "folder":
        return storage.FolderBucket(tmp_path / "bucket")
    pytest.importorskip("fsspec", reason="fsspec is optional")
    return storage.FsspecBucket((tmp_path / "bucket").as_uri(), auto_mkdir=True)


def test_a_bucket_keeps_whole_objects_under_names(bucket, tmp_path):
    assert bucket.list() == []
    (tmp_path / "file").write_bytes(b"x" * 10_000)
    bucket.put("run/model.keras", tmp_path / "file")
    bucket.put("latest", b"run/model.keras")
    bucket.put("latest", b"run/other.keras")
    assert bucket.list() == ["latest", "run/model.keras"]
    assert bucket.read("latest") == b"run/other.keras"
    assert bucket.read("run/model.keras") == b"x" * 10_000
    with pytest.raises(FileNotFoundError):
        bucket.read("nothing")


def test_what_cannot_be_put_is_refused_in_words(bucket):
    with pytest.raises(TypeError, match="a Path"):
        bucket.put("latest", "model.keras")
    for name in ("", "/etc/passwd", "../up", "a/../../b", ".hidden", None):
        with pytest.raises(ValueError, match="name"):
            bucket.put(name, b"")
        with pytest.raises(ValueError, match="name"):
            bucket.read(name)


def test_a_small_object_is_replaced_in_one_step(tmp_path, monkeypatch):
    bucket = storage.FolderBucket(tmp_path)
    bucket.put("latest", b"first")

    def fail(*_):
        raise OSError("killed")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="killed"):
        bucket.put("latest", b"second")
    assert bucket.read("latest") == b"first"
    assert bucket.list() == ["latest"]


def test_a_large_object_can_be_half(tmp_path, monkeypatch):
    bucket = storage.FolderBucket(tmp_path)
    monkeypatch.setattr(os, "replace", lambda *_: pytest.fail("a large object is written in place"))
    bucket.put("model.keras", b"x" * 5000)
    assert (tmp_path / "model.keras").stat().st_size == 5000


def test_without_fsspec_the_error_names_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(ImportError, match="needs fsspec"):
        storage.FsspecBucket("memory://a")
