from __future__ import annotations

import re
import sys

import pytest
from cases import TEXTS

from helpers import questions
from helpers.checks import _core, _progress, _repair


@pytest.fixture(autouse=True)
def _clean(tmp_path, monkeypatch):
    """Give each test its own progress, its own register of exercises and no memory of earlier notes."""
    monkeypatch.chdir(tmp_path)  # for answers that name files where they stand
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "course" / "progress.json"))
    monkeypatch.setattr(_core, "_CHECKERS", {})
    # A lesson's checks register when their module is imported, so each test has to import it anew.
    for name in [name for name in sys.modules if re.fullmatch(r"helpers\.checks\.lesson\d\d[a-z]?", name)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(_core, "_hints_given", {})
    # A search for one change that finds nothing takes all of its time; what these tests want, it finds in half of it.
    monkeypatch.setattr(_repair, "_SECONDS", _repair._SECONDS / 2)
    for name in ("_memory", "_notes", "_said"):
        monkeypatch.setattr(_progress, name, type(getattr(_progress, name))())


@pytest.fixture
def lesson90(tmp_path, monkeypatch):
    """Put a lesson 90 with two exercises and one prediction where the course looks for its texts."""
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "90.toml").write_text(TEXTS, encoding="utf-8")
    monkeypatch.setattr(questions, "FOLDER", folder)
    return folder
