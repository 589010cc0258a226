"""What a lesson writes below notebooks/ never shows up as a change of the course; the course's own files do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEARNERS = ("album/01.keras", "runs/03-001/a.keras", "scratch/log.csv", "best.weights.h5", "log.csv",
            "logs/train/events", "model.json", "solutions/album/01.keras", "solutions/log.csv")  # fmt: skip
OURS = ("11_new.ipynb", "build.py", "source/11_new.py", "source/ruff.toml", "solutions/11_new.ipynb")


@pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs git and a clone of the course"
)
@pytest.mark.parametrize(("names", "ignored"), [(LEARNERS, set(LEARNERS)), (OURS, set())], ids=["learner", "course"])
def test_only_the_courses_own_files_count_below_notebooks(names: tuple[str, ...], ignored: set[str]) -> None:
    paths = "\n".join(f"notebooks/{name}" for name in names)
    command = ["git", "check-ignore", "--no-index", "--stdin"]
    said = subprocess.run(command, cwd=ROOT, input=paths, capture_output=True, text=True, check=False).stdout
    assert {line.removeprefix("notebooks/") for line in said.split()} == ignored
