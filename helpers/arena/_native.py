"""Lets Python tell of files that HDF5 and TensorFlow open past it, as it tells of those that it opens itself."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import h5py
import tensorflow as tf

__all__ = ["announce"]


def announce() -> None:
    """Raise an audit event before each use of a file by `h5py.File`, by `tf.io.gfile` and by `tf.io`."""
    _before(h5py.File, "__init__", lambda _file, name, mode="r", *_, **__: _open(name, mode))
    gfile = tf.io.gfile
    _before(gfile, "copy", lambda src, dst, *_, **__: (_open(src, "r"), _open(dst, "w")))
    _before(gfile, "rename", lambda src, dst, *_, **__: sys.audit("os.rename", src, dst, -1, -1))
    for name in ("mkdir", "makedirs"):
        _before(gfile, name, lambda path, *_, **__: sys.audit("os.mkdir", path, 0o777, -1))
    for name in ("remove", "rmtree"):
        _before(gfile, name, lambda path, *_, **__: sys.audit("os.remove", path, -1))
    _before(gfile.GFile, "__init__", lambda _file, name, mode="r", *_, **__: _open(name, mode))
    _before(tf.io, "read_file", lambda filename, *_, **__: _open(filename, "r"))
    _before(tf.io, "write_file", lambda filename, *_, **__: _open(filename, "w"))


def _before(owner: Any, name: str, tell: Callable[..., Any]) -> None:
    real = getattr(owner, name)

    @functools.wraps(real)
    def announced(*arguments: Any, **named: Any) -> Any:
        tell(*arguments, **named)
        return real(*arguments, **named)

    setattr(owner, name, announced)


def _open(path: Any, mode: str) -> None:
    if isinstance(path, tf.Tensor) and hasattr(path, "numpy"):
        path = path.numpy()
    if isinstance(path, str | bytes | os.PathLike):
        sys.audit("open", os.fspath(path), mode, os.O_RDONLY if set(mode) <= set("rb") else os.O_RDWR)
