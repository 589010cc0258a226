"""Give the tests the builder, which is a script and no package."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lesson_rules import load_builder

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def builder():
    return load_builder()


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Make a folder like `notebooks/` with one sound lesson in it, not built yet."""
    (tmp_path / "source").mkdir()
    shutil.copy(FIXTURES / "sound.py", tmp_path / "source" / "02_lesson.py")
    return tmp_path
