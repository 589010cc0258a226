"""File names with fields, such as `"{epoch:02d}-{val_loss:.2f}.keras"`: which files they stand for."""

from __future__ import annotations

import glob
import os
import re
import string
from collections.abc import Callable

__all__ = ["glob_pattern", "has_fields", "is_remote", "name_pattern"]


def has_fields(template: str) -> bool:
    """Return whether the template gives more than one name."""
    return any(name is not None for _, name, _, _ in string.Formatter().parse(template))


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Say whether a path names a protocol, as in `s3://`; a `Path` has made `s3:/` of that."""
    return re.match(r"[A-Za-z][\w+.-]+:/", os.fspath(path)) is not None


def glob_pattern(template: str) -> str:
    """Return a pattern for `glob` that finds the files of a template, and some others perhaps."""
    return _with_fields(template, glob.escape, "*")


def name_pattern(template: str) -> re.Pattern[str]:
    """Return an expression for the names of a template.

    Fields become numbers: "{epoch}.keras" must not take "best.keras" of another checkpoint for its own.
    """
    return re.compile(_with_fields(template, re.escape, r"[-+.\deinfa]+"))


def _with_fields(template: str, escape: Callable[[str], str], field: str) -> str:
    return "".join(
        escape(literal) + ("" if name is None else field) for literal, name, _, _ in string.Formatter().parse(template)
    )
