"""Each cell to take home runs alone: a process that has imported Keras, an empty folder, no other cell.

A UserWarning is an error here: in many troubles it is all that Keras says. What a cell writes goes below `runs`.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import take_home
from lesson_rules import NOTEBOOKS, load_builder

from helpers import programs

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(),
    reason="without fork each cell would import Keras anew; Linux and macOS run them",
)

RUNNER = """import os, runpy, sys, warnings
os.chdir(sys.argv[2])
warnings.simplefilter("error", UserWarning)
runpy.run_path(sys.argv[1], run_name="__main__")
"""

CELLS = {
    take_home.number_of(cell): cell.text
    for source in sorted((NOTEBOOKS / "source").glob("08*.py"))
    for cell in load_builder().read_lesson(source).cells
    if take_home.number_of(cell) is not None
}


def run_alone(text: str, tmp_path: Path) -> list[str]:
    """Run code in a process and a folder of its own; return what it printed, and raise what it raised."""
    (tmp_path / "cell.py").write_text(text, encoding="utf-8")
    (tmp_path / "runner.py").write_text(RUNNER, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    return programs.start(tmp_path / "runner.py", tmp_path / "cell.py", tmp_path / "empty").wait()


@pytest.mark.parametrize("number", sorted(CELLS))
def test_a_fix_to_take_home_runs_alone(number, tmp_path):
    assert run_alone(CELLS[number], tmp_path), "it shows nothing: print what the fix did"
    assert {path.name for path in (tmp_path / "empty").iterdir()} <= {"runs"}, "what it writes goes below runs/"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keras.layers.Dense(1)", "NameError: name 'keras' is not defined"),
        ("os.getcwd()", "NameError: name 'os' is not defined"),
        ("import warnings\nwarnings.warn('not available')", "UserWarning: not available"),
    ],
)
def test_what_does_not_run_alone_is_found(tmp_path, text, said):
    with pytest.raises(RuntimeError, match=said):
        run_alone(text, tmp_path)
