"""Build the site: run the lessons, turn them into pages, let Sphinx write them."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import nbformat

from course_site import _glossary, _links, _page, _run, _search, _single, _widgets
from helpers import course, pitfalls
from helpers.address import Address
from helpers.questions import ROOT

__all__ = ["build"]

HERE = Path(__file__).resolve().parent
PAGES = HERE / "pages"


def build(out: Path, work: Path, *, solutions: bool = False, jobs: int = 2) -> Path:
    """Build the site into the folder `out`, which is made anew, and return its first page.

    Args:
        out: where the site goes.
        work: a folder for what is between: executed notebooks, which are kept, and the pages before Sphinx.
        solutions: build the solutions edition, for teachers.
        jobs: how many lessons run at a time.

    Raises:
        RuntimeError: a lesson does not run, Sphinx warns, or a link leads nowhere; the message says which.
    """
    folder = ROOT / "notebooks" / ("solutions" if solutions else "")
    names = [Path(file).stem for one in course.course_map().lessons for file in one.files]
    notebooks = {}
    for path, notebook in _run.executed([folder / f"{name}.ipynb" for name in names], work / "executed", jobs=jobs):
        print(f"  {path.stem}", flush=True)
        notebooks[path.stem] = notebook
    source = work / "source"
    write_sources(source, notebooks, solutions=solutions)
    run_sphinx(source, out, launch=launch(names), solutions=solutions)
    if solutions:
        _single.write(out, out / "one-file")
    if problems := _links.problems(out):
        raise RuntimeError("\n".join(problems))
    return out / "index.html"


def write_sources(source: Path, notebooks: Mapping[str, nbformat.NotebookNode], *, solutions: bool = False) -> None:
    """Write what Sphinx reads into the folder `source`, which is made anew: pages, styles, scripts."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE / "static", source / "_static")
    shutil.copy(_widgets.HERE / "predict.css", source / "_static")
    (source / "_static" / "predict.js").write_text(_widgets.classic("predict.js", "coursePrediction"), encoding="utf-8")
    (source / "_static" / "pitfalls-data.js").write_text(_search.data(), encoding="utf-8")
    shutil.copy(HERE / "conf.py", source)
    for name, notebook in notebooks.items():
        made = _page.page(notebook, _widgets.PAGE_FORMS, solutions=solutions)
        nbformat.write(made, source / f"{name}.ipynb")
    lessons = {name.split("_")[0]: name for name in notebooks}
    words = [term for term in _glossary.terms() if term.lesson in lessons]
    (source / "glossary.md").write_text(_glossary.page(words, lessons), encoding="utf-8")
    texts = {
        "COURSE_MAP": course.course_map().to_markdown("").replace(".ipynb", ".html"),
        "LESSONS": _toctree(notebooks),
        "TROUBLES": str(len(pitfalls.load())),
    }
    for path in PAGES.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        for name, value in {**texts, **_widgets.blocks(text)}.items():
            text = text.replace(f"@{name}@", value)
        (source / path.name).write_text(text, encoding="utf-8")


def _toctree(notebooks: Mapping[str, nbformat.NotebookNode]) -> str:
    """Return the lines of the navigation, each with the number of its lesson."""
    return "\n".join(f"{name.split('_')[0]} {_page.title(one)} <{name}>" for name, one in notebooks.items())


def run_sphinx(source: Path, out: Path, *, launch: Mapping[str, list[list[str]]], solutions: bool = False) -> None:
    """Let Sphinx turn the pages in `source` into the site in `out`.

    Raises:
        RuntimeError: it warned or failed; its words are the message.
    """
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError

    name = "Keras callbacks, hands on" + (": solutions edition" if solutions else "")
    given = {"project": name, "launch": dict(launch), "terms": _glossary.patterns(_glossary.terms())}
    os.environ["COURSE_SITE"] = json.dumps(given)
    shutil.rmtree(out, ignore_errors=True)
    warned = io.StringIO()
    try:
        app = Sphinx(source, source, out, source / "_build", "html", status=None, warning=warned, freshenv=True)
        app.build()
    except SphinxError as error:
        raise RuntimeError(f"Sphinx stopped: {error}\n{warned.getvalue()}") from error
    if app.statuscode or warned.getvalue().strip():
        raise RuntimeError(f"Sphinx warns:\n{warned.getvalue()}")
    # What Sphinx and the theme leave for their own use; their templates are no pages.
    for left in (out / ".buildinfo", out / "objects.inv", *(out / "_static").glob("*webpack-macros.html")):
        left.unlink(missing_ok=True)
    # GitHub Pages leaves out folders that begin with an underscore unless this file is there.
    (out / ".nojekyll").touch()


def launch(names: list[str]) -> dict[str, list[list[str]]]:
    """Return the buttons of each page: text, address and where it leads; none while the address is not known."""
    address: Address = course.course_map().address
    if not address.repository:
        return {}
    buttons = {}
    for name in names:
        file = f"notebooks/{name}.ipynb"
        buttons[name] = [["Binder", address.binder(file), "on Binder, without installing anything"]]
        if address.hub:
            buttons[name].append(["JupyterHub", address.nbgitpuller(file), "on the hub"])
    return buttons
