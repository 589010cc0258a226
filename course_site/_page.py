"""Turn a notebook that was run into the notebook of a page: nothing in it needs a kernel, a server or the web."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

import nbformat

from course_site import _questions, _sentences
from helpers import _cards

__all__ = ["page", "to_page"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_REVEAL = re.compile(r'\n*^widgets\.reveal\("(?P<id>[^"]+)"\)\s*\Z', re.MULTILINE)
_PREDICT = re.compile(r'^widgets\.predict\("(?P<id>[^"]+)"\)', re.MULTILINE)
_CHECK = re.compile(r'^checks\.check\(\s*"(?P<id>[^"]+)"', re.MULTILINE)
# In Markdown and in HTML: a notebook beside this one, with or without a cell's id; or a cell of this one.
_LINK = re.compile(
    r"""(?P<before>\]\(|href=["'])(?P<page>\d\d[a-z]?_\w+)?(?(page)\.ipynb)(?P<cell>#cell-id=)?(?=[^\s"')]*["')])"""
)
# A link to a file that the lesson wrote where it ran.
_WRITTEN = re.compile(r"""<a\s[^>]*href=["'](?:certificates|runs)/[^>]*>(?P<text>.*?)</a>""", re.DOTALL)
_READ_HERE = (
    "On this page the lesson has been run: its code stands beside what it gave. Predictions, explorers and searches "
    "work here. To change code and have your answers checked, open the lesson [in JupyterLab](start.html)."
)


def to_page(text: str) -> str:
    """Point the links of some Markdown or HTML that lead to notebooks and their cells to pages and headings.

    What links to a file that the run wrote becomes plain text.
    """

    def moved(link: re.Match[str]) -> str:
        name = f"{link['page']}.html" if link["page"] else ""
        return f"{link['before']}{name}{'#' if link['cell'] else ''}" if name or link["cell"] else link[0]

    return _LINK.sub(moved, _WRITTEN.sub(lambda link: link["text"], text))


def page(
    notebook: nbformat.NotebookNode, widgets: dict[str, Callable[[], str]], *, solutions: bool = False
) -> nbformat.NotebookNode:
    """Return the notebook of a page.

    Args:
        notebook: one edition of a lesson, with its outputs.
        widgets: for lines of code such as `widgets.PitfallSearch()`, what stands in place of the widget, as HTML.
        solutions: whether it is the solutions edition, whose exercises hold their answers and were checked.
    """
    cells = [cell for old in notebook.cells for cell in _cell(old, widgets, solutions)]
    cells.insert(1, nbformat.v4.new_markdown_cell(f"```{{note}}\n{_READ_HERE}\n```"))
    metadata = {"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def _cell(
    cell: nbformat.NotebookNode, widgets: dict[str, Callable[[], str]], solutions: bool
) -> Iterator[nbformat.NotebookNode]:
    if cell.cell_type == "markdown":
        if text := _sentences.to_reader(cell.source):
            yield nbformat.v4.new_markdown_cell(to_page(text))
        return
    source, tags = cell.source, []
    outputs = [_plain(output) for output in cell.outputs]
    if asked := _PREDICT.search(source):
        outputs, tags = [_shown(_questions.question(asked["id"]))], ["remove-input"]
    elif checked := _CHECK.search(source):
        folds = _shown(_questions.folds(checked["id"], answer=not solutions))
        # An untouched stub was checked, which tells nobody anything.
        outputs, tags = ([*outputs, folds], []) if solutions else ([folds], ["remove-input"])
    elif revealed := _REVEAL.search(source):
        source = _REVEAL.sub("", source)
        outputs = [*outputs[:-1], _shown(_questions.outcome(revealed["id"]))]
    for line, shown in widgets.items():
        if line in source:
            outputs = [
                *(one for one, old in zip(outputs, cell.outputs, strict=True) if not _is_widget(old)),
                _shown(shown()),
            ]
    yield nbformat.v4.new_code_cell(source, outputs=outputs, metadata={"tags": tags}, execution_count=None)


def _is_widget(output: nbformat.NotebookNode) -> bool:
    return _WIDGET in output.get("data", {})


def _plain(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return an output with what a page can show of it: HTML, a picture or text, and no widget."""
    if "data" not in output:
        return output
    data = {kind: value for kind, value in output.data.items() if kind != _WIDGET}
    if _is_widget(output) and "text/html" not in data:
        text = f"This moves in JupyterLab: `{data.get('text/plain', 'a widget')}`"
        data["text/html"] = _cards.card("", _cards.paragraphs(text), "quiet")
    if "text/html" in data:
        data = {"text/html": to_page(data["text/html"])}
    return nbformat.v4.new_output("display_data", data=data)


def _shown(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", data={"text/html": to_page(text)})


def title(notebook: nbformat.NotebookNode) -> str:
    """Return the heading of a lesson as text."""
    return html.unescape(notebook.cells[0].source.splitlines()[0].lstrip("# ").replace("`", ""))
