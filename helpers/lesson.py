"""The first line of each lesson, a look at the environment, and fresh folders for what a lesson writes."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import platform
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from helpers import _cards, questions
from helpers.checks import _progress

PROJECT = "keras-callbacks-course"
PYTHONS = ((3, 11), (3, 12), (3, 13))
FREE_MEGABYTES = 300
# The optional parts of lessons 09 and 08g: extras in pyproject.toml, each with an environment of its own.
PRODUCTION = ("fsspec", "keras-tuner", "optuna", "optuna-integration", "s3fs", "tensorboard")
CONFORMANCE = ("jax", "orbax-checkpoint")
_QUIET = {
    # Without oneDNN's reordering results repeat on more machines, and TensorFlow prints no red lines at its import.
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
}
_begun: str | None = None
_AGAIN = "close JupyterLab and run `make lab` again (or `pip install -r requirements.txt` in the course's environment)"


def begin(lesson: str) -> None:
    """Start a lesson: keep TensorFlow quiet and say in one line where you are. Goes before the import of Keras.

    Variables that are set already stay as they are.

    Raises:
        ValueError: there is no such lesson.
    """
    global _begun
    texts = questions.load(lesson)
    _begun = lesson
    late = "tensorflow" in sys.modules and any(name not in os.environ for name in _QUIET)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    # On a new machine Matplotlib announces in red that it looks for fonts; a learner takes that for an error.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    # A notebook in which many small models train gets red paragraphs about retracing, which is harmless here.
    logging.getLogger("tensorflow").addFilter(_no_word_of_retracing)
    words = [f"Lesson {lesson}", _keras_words()]
    if here := _exercises(lesson, texts):
        done = len(_progress.solved() & here)
        words.append(f"{done} of {len(here)} exercise{'s' * (len(here) > 1)} solved")
    lines = [" · ".join(words)]
    if late:
        lines.append("Keras was imported before this cell. To start quietly: Kernel, Restart, then run from the top.")
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        lines.append(f"KERAS_BACKEND is {os.environ['KERAS_BACKEND']}; the lessons were tried with tensorflow only.")
    lines += _progress.take_notes()
    _cards.Note("\n\n".join(lines), "quiet").show()


def begun() -> str | None:
    """Return the lesson that `begin` has started in this kernel, None before it."""
    return _begun


def _exercises(lesson: str, texts: questions.Lesson) -> set[str]:
    """Return the exercises in the notebook of a lesson or of a part of one; without a notebook, all of its texts."""
    notebooks = [path.read_text(encoding="utf-8") for path in (questions.ROOT / "notebooks").glob(f"{lesson}_*.ipynb")]
    asked = {id for text in notebooks for id in re.findall(r"# Exercise (\d\d[a-z]?\.\d+)", text)}
    return asked & set(texts.exercises) if notebooks else set(texts.exercises)


def _no_word_of_retracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in str(record.msg)


def new_folder(lesson: str) -> Path:
    """Make a fresh folder for what a lesson writes, `runs/03-001` beside the open notebook, and return its path.

    No older folder is touched: each call takes the next number. The path is relative to the working folder. A folder in
    which nothing was written is removed when Python ends.

    Raises:
        ValueError: `lesson` is not of the form "03".
        OSError: nothing can be written here; the sentence says what to do.
    """
    if not isinstance(lesson, str) or not re.fullmatch(r"\d\d[a-z]?", lesson):
        raise ValueError(f'new_folder takes the number of a lesson as text, as in new_folder("03"); got {lesson!r}.')
    runs = Path("runs")
    try:
        runs.mkdir(exist_ok=True)
        taken = [int(m[1]) for path in runs.iterdir() if (m := re.fullmatch(rf"{lesson}-(\d+)", path.name))]
        number = max(taken, default=0) + 1
        while True:
            folder = runs / f"{lesson}-{number:03d}"
            try:
                folder.mkdir()
                atexit.register(_remove_if_empty, folder.absolute())
                return folder
            except FileExistsError:
                number += 1  # another kernel was faster
    except OSError as error:
        raise OSError(
            f"No folder can be made beside this notebook ({error.strerror}). Copy the course to a folder of your own, "
            "where you may write, and open it there."
        ) from error


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it holds something, or is gone already
        folder.rmdir()


_TAKE_IT = (
    "To take it, run `python tools/setup_env.py {0}` in the folder of the course. It makes an environment of "
    "its own with all that this part can use. Open the lesson with that one's JupyterLab: "
    "`.venv-{0}/bin/jupyter lab` (on Windows `.venv-{0}/Scripts/jupyter lab`)."
)


def optional(*packages: str) -> bool:
    """Say whether the packages of an optional part are installed; where one is missing, show what to do.

    Loads none of them.

    Args:
        packages: as they are called where they are installed, such as "keras-tuner".

    Raises:
        ValueError: the packages are not all of one extra, `production` or `conformance`, so the advice would be wrong.
    """
    extras = {"production": PRODUCTION, "conformance": CONFORMANCE}
    extra = next((extra for extra, names in extras.items() if packages and {*packages} <= {*names}), None)
    if extra is None:
        known = " or out of ".join(", ".join(names) for names in extras.values())
        raise ValueError(f"optional() takes names out of {known}; got {packages}.")
    missing = [name for name in packages if _installed(name) is None]
    if not missing:
        return True
    names = " and ".join(f"`{name}`" for name in missing)
    needs = "is" if len(missing) == 1 else "are"
    text = f"Optional: this part needs {names}, which {needs} not installed here. The lesson goes on without it."
    _cards.Note(f"{text}\n\n{_TAKE_IT.format(extra)}", "quiet").show()
    return False


@dataclass(frozen=True)
class Finding:
    """One row of the environment check; `mend` is empty when all is well."""

    what: str
    found: str
    state: Literal["fine", "note", "problem"]
    mend: str = ""


@dataclass(frozen=True, repr=False)
class Environment(_cards.Shown):
    """What `check_environment` found; shows itself as a table."""

    findings: tuple[Finding, ...]

    @property
    def fine(self) -> bool:
        """Whether nothing stands in the way of the lessons."""
        return not any(finding.state == "problem" for finding in self.findings)

    def summary(self) -> str:
        """Say in one sentence how things stand."""
        problems = sum(finding.state == "problem" for finding in self.findings)
        if not problems:
            return "Everything the lessons need is here."
        return f"{problems} {'thing needs' if problems == 1 else 'things need'} mending before the lessons can run."

    def __str__(self) -> str:
        marks = {"fine": "fine", "note": "note", "problem": "MEND"}
        lines = [self.summary()]
        for f in self.findings:
            lines.append(f"  {marks[f.state]}  {f.what}: {f.found}" + (f". {_cards.plain(f.mend)}" if f.mend else ""))
        return "\n".join(lines)

    def to_html(self) -> str:
        """Return the findings as an HTML table."""
        words = {"fine": ("Fine", "good"), "note": ("Note", "poor"), "problem": ("Mend this", "bad")}
        cell = 'style="text-align:left;vertical-align:top;padding:2px 14px 2px 0;max-width:34em;white-space:normal"'
        rows = ""
        for f in self.findings:
            word, kind = words[f.state]
            style = f"border-left:4px solid {_cards.COLOURS[kind]};padding-left:8px"
            rows += f'<tr><td {cell}><span style="{style}">{word}</span></td>'
            rows += f"<td {cell}>{_cards.inline(f.what)}</td><td {cell}>{_cards.inline(f.found)}"
            rows += f"<br>{_cards.inline(f.mend)}</td></tr>" if f.mend else "</td></tr>"
        head = "".join(f'<th scope="col" {cell}>{name}</th>' for name in ("", "What", "Found"))
        table = f"<table style='margin:4px 0'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return _cards.card(self.summary(), table, "good" if self.fine else "bad")


def check_environment() -> Environment:
    """Look at all that the lessons need and say in plain words what to mend; loads no TensorFlow."""
    return Environment(
        (
            _python(),
            *(_version(name) for name in ("tensorflow", "keras", "jupyterlab", "ipywidgets")),
            _project(),
            _data_files(),
            _widgets_manager(),
            _writable(),
            _free_disk(),
        )
    )


@cache
def pinned() -> dict[str, frozenset[str]]:
    """Read the versions in requirements.txt: for each name the pins, of which there may be one for each system."""
    found: dict[str, set[str]] = {}
    try:
        lines = (questions.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    for line in lines:
        match = re.match(r"\s*([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", line)
        if match:
            found.setdefault(match[1].lower(), set()).add(match[2])
    return {name: frozenset(pins) for name, pins in found.items()}


def _installed(name: str) -> str | None:
    # Linux on x86-64 has the smaller package of the same code.
    for candidate in ("tensorflow", "tensorflow-cpu") if name == "tensorflow" else (name,):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def versions() -> dict[str, str]:
    """Return the versions of what the lessons run on, by name; loads none of them."""
    found = {"Python": platform.python_version()}
    for title, name in (("Keras", "keras"), ("TensorFlow", "tensorflow"), ("this course", PROJECT)):
        found[title] = _installed(name) or "not installed"
    return found


def _pins(name: str) -> frozenset[str]:
    names = ("tensorflow", "tensorflow-cpu") if name == "tensorflow" else (name,)
    return frozenset().union(*(pinned().get(one, frozenset()) for one in names))


def _keras_words() -> str:
    found, wanted = _installed("keras"), _pins("keras")
    if found is None:
        return "Keras is not installed here: run `lesson.check_environment()`"
    if wanted and found not in wanted:
        return f"Keras {found} (the lessons were tried with {', '.join(sorted(wanted))})"
    return f"Keras {found}"


def _python() -> Finding:
    here = sys.version_info[:2]
    found = ".".join(map(str, sys.version_info[:3]))
    if here in PYTHONS:
        return Finding("Python", found, "fine")
    return Finding(
        "Python",
        found,
        "problem",
        "TensorFlow is built for Python 3.11, 3.12 and 3.13. Install one of them and run `make lab PYTHON=python3.12`.",
    )


def _version(name: str) -> Finding:
    titles = {"tensorflow": "TensorFlow", "keras": "Keras", "jupyterlab": "JupyterLab"}
    title, found, pins = titles.get(name, name), _installed(name), _pins(name)
    if found is None:
        where = " in the environment of this kernel" if name != "jupyterlab" else " beside this kernel"
        if name == "jupyterlab":
            # The server may live in an environment of its own, as on a JupyterHub.
            return Finding(title, f"not installed{where}", "note", "Fine if your server has it; the lessons need 4.6.")
        return Finding(title, f"not installed{where}", "problem", f"To mend it, {_AGAIN}.")
    if not pins or found in pins:
        return Finding(title, found, "fine")
    wanted = " or ".join(sorted(pins))
    if any(found.split(".")[:2] == pin.split(".")[:2] for pin in pins):
        return Finding(title, found, "note", f"The lessons were tried with {wanted}, which is close: probably fine.")
    return Finding(title, found, "problem", f"The lessons were tried with {wanted}. To mend it, {_AGAIN}.")


def _project() -> Finding:
    what = "The course in this kernel"
    try:
        version = importlib.metadata.version(PROJECT)
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            what,
            "its helpers are found, but it is not installed",
            "problem",
            "Choose the kernel of the course's own environment (Kernel, Change Kernel), or install it: "
            "`pip install --no-deps -e .` in the folder of the course.",
        )
    return Finding(what, f"installed, version {version}", "fine")


def _data_files() -> Finding:
    folder = questions.ROOT / "data"
    mend = "Get the file back with `git checkout -- data`, or write all of them again with `make data`."
    try:
        listed = [line.split() for line in (folder / "checksums.txt").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return Finding("Data files", "`data/checksums.txt` is missing", "problem", mend)
    sums = {words[1].lstrip("*"): words[0] for words in listed if len(words) == 2}
    missing = [name for name in sums if not (folder / name).is_file()]
    damaged = [
        name
        for name, wanted in sums.items()
        if name not in missing and hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted
    ]
    if missing or damaged:
        parts = [f"missing: {', '.join(missing)}"] if missing else []
        parts += [f"damaged: {', '.join(damaged)}"] if damaged else []
        return Finding("Data files", "; ".join(parts), "problem", mend)
    return Finding("Data files", f"{len(sums)} files, all whole", "fine")


def _widgets_manager() -> Finding:
    what = "Sliders and buttons"
    if importlib.util.find_spec("jupyter_core") is not None:
        from jupyter_core.paths import jupyter_path

        place = Path("@jupyter-widgets", "jupyterlab-manager", "package.json")
        if any((Path(folder) / place).is_file() for folder in jupyter_path("labextensions")):
            return Finding(what, "JupyterLab's widget manager is here", "fine")
    return Finding(
        what,
        "JupyterLab's widget manager is not beside this kernel",
        "note",
        f"If the lessons show text in place of buttons, {_AGAIN}, then reload the page in the browser.",
    )


def _writable() -> Finding:
    what = "Writing beside the notebook"
    try:
        with tempfile.TemporaryFile(dir="."):
            pass
    except OSError as error:
        return Finding(
            what,
            f"not possible ({error.strerror})",
            "problem",
            "Copy the course to a folder of your own, where you may write, and open it there.",
        )
    return Finding(what, "possible", "fine")


def _free_disk() -> Finding:
    free = shutil.disk_usage(".").free / 1e6
    found = f"{free / 1000:.1f} GB free" if free >= 1000 else f"{free:.0f} MB free"
    if free < FREE_MEGABYTES:
        return Finding("Disk", found, "problem", f"The lessons save models: make room for {FREE_MEGABYTES} MB.")
    return Finding("Disk", found, "fine")
