"""Run a notebook as its reader would, and keep what it gave until something that it depends on changes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from helpers.questions import ROOT

__all__ = ["executed"]

# What the outputs of a notebook depend on besides itself.
_CODE = ("helpers/**/*.py", "helpers/**/*.js", "helpers/**/*.css", "data/**/*.*", "notebooks/solutions/*.ipynb")
_PACKAGES = ("keras", "numpy", "matplotlib", "ipywidgets")
_CELL_SECONDS = 180


def executed(notebooks: Iterable[Path], cache: Path, *, jobs: int = 2) -> Iterator[tuple[Path, nbformat.NotebookNode]]:
    """Yield each notebook with its outputs, run now or taken from the folder `cache`.

    Args:
        notebooks: files; each runs in an empty folder and with an empty record of progress.
        cache: made if it is not there; what is in it belongs to this function.
        jobs: how many run at a time.

    Raises:
        RuntimeError: a cell raised; the sentence names the notebook and holds the traceback.
    """
    cache.mkdir(parents=True, exist_ok=True)
    notebooks, common = list(notebooks), _digest_of_common()
    with ThreadPoolExecutor(jobs) as pool:
        yield from zip(notebooks, pool.map(lambda path: _one(path, cache, common), notebooks), strict=True)


def _one(path: Path, cache: Path, common: str) -> nbformat.NotebookNode:
    text = path.read_text(encoding="utf-8")
    kept = cache / f"{path.stem}-{hashlib.sha256(f'{common}{text}'.encode()).hexdigest()[:16]}.ipynb"
    if not kept.exists():
        notebook = nbformat.reads(text, as_version=4)
        _run(notebook, path.name)
        for old in cache.glob(f"{path.stem}-*.ipynb"):
            old.unlink()
        kept.write_text(nbformat.writes(notebook), encoding="utf-8")
    return nbformat.read(kept, as_version=4)


def _run(notebook: nbformat.NotebookNode, name: str) -> None:
    # Outside the checkout, so that nothing of a run is left there, and under a name that tells nothing of the machine.
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        place = Path(folder) / "notebooks"
        place.mkdir()
        environment = {
            **os.environ,
            "COURSE_PROGRESS": str(Path(folder) / "progress.json"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        client = NotebookClient(
            notebook, timeout=_CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(place)}}
        )
        try:
            client.execute(env=environment)
        except Exception as error:
            raise RuntimeError(f"{name} does not run from top to bottom. {error}") from error
        _hide(notebook, folder)


def _hide(notebook: nbformat.NotebookNode, folder: str) -> None:
    """Take the folder of the run out of what the cells printed: it means nothing to a reader."""
    for cell in notebook.cells:
        if "outputs" in cell:
            text = json.dumps(cell.outputs).replace(json.dumps(f"{folder}{os.sep}")[1:-1], "")
            cell.outputs = [nbformat.from_dict(output) for output in json.loads(text)]


def _digest_of_common() -> str:
    digest = hashlib.sha256(str([importlib.metadata.version(name) for name in _PACKAGES]).encode())
    for path in sorted(path for pattern in _CODE for path in ROOT.glob(pattern)):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
