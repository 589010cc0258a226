"""Set-up of the whole test run: what the kernels of the lessons may do, and what is said when they did more.

It stands at the root because nbval's notebooks lie outside `tests/`. The process that the user starts makes one
folder for the run and names it in `COURSE_TEST_HOME`; the workers of pytest-xdist inherit it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import chromium, kernel_forks, pace
from tests.pace import pytest_collection_finish, pytest_collection_modifyitems  # noqa: F401 - pytest looks for them here

ROOT = Path(__file__).resolve().parent
NOTEBOOKS = ROOT / "notebooks"
GUARD = ROOT / "tests" / "kernel_guard.py"
HOME = "COURSE_TEST_HOME"
MEMORY_LIMIT_MB = 900  # of 2 GB on Binder: the kernel, JupyterLab and a second kernel must fit
OWN_HOME = pytest.StashKey[Path]()
COMPLAINTS = pytest.StashKey[list[str]]()
PEAKS = pytest.StashKey[dict[str, int]]()
FORKS = pytest.StashKey[subprocess.Popen]()

# What a person's own shell may have set, and what would change how a lesson's kernel starts.
FOREIGN = (
    "IPYTHONSTARTUP", "JPY_PARENT_PID", "JPY_SESSION_NAME", "JUPYTER_CONFIG_PATH", "JUPYTER_PATH", "KERAS_BACKEND",
    "MPLBACKEND", "PYTHONSTARTUP", "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS",
)  # fmt: skip

LOAD_GUARD = f"""
import importlib.util, pathlib
spec = importlib.util.spec_from_file_location("kernel_guard", {str(GUARD)!r})
guard = importlib.util.module_from_spec(spec)
spec.loader.exec_module(guard)
"""


def make_home() -> Path:
    """Make the folder of this test run: an empty IPython profile with the guard, empty settings, a progress file."""
    home = Path(tempfile.mkdtemp(prefix="course-tests-"))
    for name in ("ipython/profile_default/startup", "jupyter/config", "jupyter/data", "jupyter/runtime", "keras",
                 "matplotlib", "records/children"):  # fmt: skip
        (home / name).mkdir(parents=True)
    records = home / "records"
    (home / "ipython/profile_default/startup/00-guard.py").write_text(
        f"def start():\n    {LOAD_GUARD.strip().replace(chr(10), chr(10) + '    ')}\n"
        f"    guard.guard_kernel(pathlib.Path({str(records)!r}), get_ipython())\n\n\nstart()\ndel start\n",
        encoding="utf-8",
    )
    (records / "children/sitecustomize.py").write_text(
        f"{LOAD_GUARD}guard.cut_network(pathlib.Path({str(records)!r}))\n", encoding="utf-8"
    )
    return home


def matplotlib_folder(config: pytest.Config, home: Path) -> Path:
    """Return a folder for Matplotlib that outlives the run: its list of fonts takes seconds to make."""
    cache = getattr(config, "cache", None)
    return home / "matplotlib" if cache is None else Path(cache.mkdir("matplotlib"))


def pytest_configure(config: pytest.Config) -> None:
    """Give this process, and so each kernel that it starts, the environment of a fresh machine."""
    if HOME in os.environ:  # a worker: all is set already
        return
    home = make_home()
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update({
        **pace.THREADS,
        HOME: str(home),
        "COURSE_PROGRESS": str(home / "progress.json"),
        "COURSE_CHECK_SECONDS": "90",  # on a busy machine a right answer may need more than a learner's 20
        "COURSE_ARENA_SECONDS": "150",  # and a run of the arena more than a minute
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter/config"),
        "JUPYTER_DATA_DIR": str(home / "jupyter/data"),
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter/runtime"),
        "KERAS_HOME": str(home / "keras"),
        "MPLCONFIGDIR": str(matplotlib_folder(config, home)),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    })  # fmt: skip
    config.stash[OWN_HOME] = home
    if kernel_forks.POSSIBLE and not config.getoption("collectonly"):
        config.stash[FORKS] = kernel_forks.start(home)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Run the lessons alone, not a learner's own notebooks and copies beside them (unless they are named)."""
    folder = collection_path.parent
    if collection_path.suffix != ".ipynb" or NOTEBOOKS not in collection_path.parents:
        return None
    is_lesson = (NOTEBOOKS / "source" / f"{collection_path.stem}.py").exists()
    return None if is_lesson and folder in (NOTEBOOKS, NOTEBOOKS / "solutions") else True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Name the notebook to the kernel that nbval is about to start for it."""
    if item.path.suffix == ".ipynb":
        name = item.path.relative_to(ROOT) if item.path.is_relative_to(ROOT) else item.path
        os.environ["COURSE_TEST_NOTEBOOK"] = name.as_posix()
    else:
        os.environ.pop("COURSE_TEST_NOTEBOOK", None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hold a lesson's cells against what nbval alone would let pass: a check that fails, a setup with red lines.

    The checks of the solutions edition must say that the answer is right, the others that nothing was attempted.
    """
    yield
    if item.path.suffix != ".ipynb":
        return
    outputs = item.test_outputs or ()
    red = "".join(output["text"] for output in outputs if output.get("name") == "stderr")
    if red and "setup" in item.cell.metadata.get("tags", ()):
        item.raise_cell_error(f"The setup cell must print no red lines. It printed: {red}")
    wanted = "Right." if item.path.parent.name == "solutions" else "Not attempted yet."
    said = "\n".join(str(output.get("data", {}).get("text/plain", "")) for output in outputs)
    for exercise in re.findall(r"""\bchecks\.check\(\s*["']([^"']+)["']""", item.cell.source):
        if f"Exercise {exercise}: {wanted}" not in said:
            item.raise_cell_error(
                f"The check of exercise {exercise} must say {wanted!r} in this edition. It said: {said}"
            )


def read_records(home: Path, pattern: str) -> list[dict[str, object]]:
    """Return the rows that the guards of this run's kernels wrote."""
    lines = [line for file in sorted((home / "records").glob(pattern)) for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def read_peaks(home: Path) -> dict[str, int]:
    """Return the peak memory of each notebook's kernel in units of 1,024 bytes, as far as known."""
    peaks: dict[str, int] = {}
    for row in read_records(home, "memory-*.json"):
        peaks[row["notebook"]] = max(peaks.get(row["notebook"], 0), row["kilobytes"])
    return peaks


def complaints(home: Path) -> list[str]:
    """Return a sentence for each kernel that held too much memory or asked for the network."""
    peaks = read_peaks(home)
    found = [
        f"{name} held {peak / 1024:.0f} MB at its peak; the limit for a lesson's kernel is {MEMORY_LIMIT_MB} MB. "
        "Use fewer rows, smaller models, or fewer figures at once."
        for name, peak in sorted(peaks.items())
        if peak > MEMORY_LIMIT_MB * 1024
    ]
    asked = sorted({(row["notebook"], row["host"]) for row in read_records(home, "network-*.jsonl")})
    # The blocker's own test asks for names below `.invalid`, which nobody can own.
    found += [
        f"{name} asked for {host} over the network. A lesson must run from the files in the repository alone."
        for name, host in asked
        if not host.endswith(".invalid")
    ]
    return found


def remove_run_folders(home: Path) -> None:
    """Remove the folders below `runs` that this run's kernels made; a learner's own stay."""
    ours = {Path(row["path"]) for row in read_records(home, "folders-*.jsonl")}
    for path in sorted(ours, key=lambda path: len(path.parts), reverse=True):
        if path.name == "runs":
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        else:
            shutil.rmtree(path, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a kernel did what no lesson may do."""
    home = session.config.stash.get(OWN_HOME, None)
    if home is None:
        return
    session.config.stash[COMPLAINTS] = complaints(home)
    session.config.stash[PEAKS] = read_peaks(home)
    if session.config.stash[COMPLAINTS] and session.exitstatus in (
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Say in words what a row of dots does not: complaints about kernels, and browser tests that did not run."""
    peaks = config.stash.get(PEAKS, {})
    if peaks:
        largest = max(peaks, key=peaks.get)
        terminalreporter.write_line(
            f"The largest kernel was that of {largest}: {peaks[largest] / 1024:.0f} MB of {MEMORY_LIMIT_MB} allowed."
        )
    for sentence in config.stash.get(COMPLAINTS, []):
        terminalreporter.write_line(f"FAILED: {sentence}", red=True)
    skipped = [
        report for report in terminalreporter.stats.get("skipped", []) if chromium.MISSING in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.section("browser tests did not run", yellow=True)
        terminalreporter.write_line(
            f"{len(skipped)} browser tests were skipped because no Chromium or Chrome was found on this machine. "
            "Everything else ran. To run them too, install one (on Debian: apt-get install chromium)."
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Clear away the folder of this run, and what its kernels left beside the notebooks."""
    home = config.stash.get(OWN_HOME, None)
    if FORKS in config.stash:
        config.stash[FORKS].communicate()  # its input ends, and with it the server and its forks
    if home is not None:
        remove_run_folders(home)
        shutil.rmtree(home, ignore_errors=True)
        os.environ.pop(HOME, None)
