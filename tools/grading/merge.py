"""A submission put right: the learner's cells, with the locked cells of the release in their places.

Learners rename, move, copy and delete cells; nbgrader then loses an exercise, or breaks. Here each check is the
release's own, stands once, and after everything that could be its answer. No cell of the learner's is changed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat

from helpers.checks import _cell

from .assignment import asked_names, exercise_of, grade_id

__all__ = ["Unreadable", "merged", "read"]

LARGEST = 20_000_000


class Unreadable(ValueError):
    """A file is no notebook; the message says why, for the teacher."""


def read(path: Path) -> nbformat.NotebookNode:
    """Read a submitted notebook, whatever somebody made of it.

    Raises:
        Unreadable: it is missing, no notebook, or too large to be one that a person wrote.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"{path.name} has more than {LARGEST // 1_000_000} megabytes")
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
        found = nbformat.convert(nbformat.from_dict(raw), 4)
        return nbformat.v4.new_notebook(cells=[_clean(cell) for cell in found.cells])
    except OSError as error:
        raise Unreadable(f"{path.name} is not there or cannot be read ({error.strerror})") from error
    except Unreadable:
        raise
    except Exception as error:  # nbformat raises whatever a strange file leads to
        raise Unreadable(f"{path.name} is no notebook ({type(error).__name__}: {str(error)[:100]})") from error


def _clean(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a cell with nothing in it but kind, source, id and the metadata of nbgrader."""
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    made = make.get(cell["cell_type"], nbformat.v4.new_raw_cell)(source)
    if isinstance(cell.get("id"), str) and re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", cell["id"]):
        made.id = cell["id"]
    mark = cell.get("metadata", {}).get("nbgrader")
    if isinstance(mark, dict) and isinstance(mark.get("grade_id"), str):
        made.metadata["nbgrader"] = {"grade_id": mark["grade_id"]}
    return made


def merged(release: nbformat.NotebookNode, submitted: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the notebook to run: the submitted cells with the release's setup and checks, each where it belongs."""
    locked = {mark["grade_id"]: cell for cell in release.cells if (mark := _mark(cell)) and not mark["solution"]}
    answers = {mark["grade_id"]: cell for cell in release.cells if (mark := _mark(cell)) and mark["solution"]}
    cells = [cell for cell in submitted.cells if _same(cell, locked) is None]
    homes = _homes(cells, answers)
    for cell in cells:
        cell.metadata.pop("nbgrader", None)
    for name, cell in homes.items():
        cell.metadata["nbgrader"] = dict(answers[name].metadata["nbgrader"])
    # Where each check stood, told by the submitted cell above it.
    stood = _stood(submitted.cells, locked)
    places: dict[int, list[nbformat.NotebookNode]] = {}
    last = 0
    for name, cell in locked.items():
        if exercise := exercise_of(cell.source):
            candidates = [_after(cells, stood.get(name)), _after(cells, homes.get(grade_id("answer", exercise)))]
            candidates += [n + 1 for n, other in enumerate(cells) if _binds(other, asked_names(cell.source))]
            last = max([place for place in candidates if place is not None], default=last)
            places.setdefault(last, []).append(cell)
        else:
            places.setdefault(0, []).append(cell)
    whole = []
    for number in range(len(cells) + 1):
        whole += [nbformat.from_dict(cell) for cell in places.get(number, [])]
        whole += cells[number : number + 1]
    result = nbformat.v4.new_notebook(cells=_own_ids(whole), metadata=dict(release.metadata))
    result.nbformat_minor = 5
    return result


def _mark(cell: nbformat.NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})


def _same(cell: nbformat.NotebookNode, known: dict[str, nbformat.NotebookNode]) -> str | None:
    """Return the grade id of the release's cell that a submitted one is, by its mark, its id, or what it says."""
    for name, other in known.items():
        if _mark(cell).get("grade_id") == name or cell.id == other.id:
            return name
        if cell.cell_type == "code" and cell.source.strip() == other.source.strip():
            return name
    return None


def _homes(cells: list, answers: dict) -> dict[str, nbformat.NotebookNode]:
    """Return the submitted cell of each exercise: by its mark or its id, or else by its first line."""
    homes: dict[str, nbformat.NotebookNode] = {}
    for cell in cells:
        if cell.cell_type != "code":
            continue
        known = _same(cell, answers)
        first = re.match(r"\s*#+\s*Exercise\s+(\d\d[a-z]?\.\d+)", cell.source)
        if known is None and first and grade_id("answer", first[1]) in answers:
            known = grade_id("answer", first[1])
        if known is not None:
            homes[known] = cell
    return homes


def _stood(cells: list, locked: dict) -> dict[str, nbformat.NotebookNode | None]:
    """Return, for each locked cell that was handed in, the last of the learner's own cells above it."""
    found, above = {}, None
    for cell in cells:
        name = _same(cell, locked)
        if name is None:
            above = cell
        else:
            found[name] = above
    return found


def _after(cells: list, cell: nbformat.NotebookNode | None) -> int | None:
    return next((n + 1 for n, other in enumerate(cells) if other is cell), None)


def _binds(cell: nbformat.NotebookNode, names: tuple[str, ...]) -> bool:
    return cell.cell_type == "code" and bool(set(names) & _cell.bound_names(cell.source))


def _own_ids(cells: list) -> list:
    """Give a cell another id where two have the same, as a copy of a cell may."""
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        if cell.id in seen:
            cell.id = f"again-{number}"
        seen.add(cell.id)
    return cells
