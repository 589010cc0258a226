"""Give the tests the builder, which is a script and no package."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"


def load_builder():
    """Import `notebooks/build.py` once, by its path."""
    if "notebooks_build" not in sys.modules:
        spec = importlib.util.spec_from_file_location("notebooks_build", ROOT / "notebooks" / "build.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["notebooks_build"] = module
        spec.loader.exec_module(module)
    return sys.modules["notebooks_build"]


@pytest.fixture(scope="session")
def builder():
    return load_builder()


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Make a folder like `notebooks/` with one sound lesson in it, not built yet."""
    (tmp_path / "source").mkdir()
    shutil.copy(FIXTURES / "sound.py", tmp_path / "source" / "02_lesson.py")
    return tmp_path
