"""The cells to take home: in the pitfall lab each fix stands once more, as code that runs alone where Keras is."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

FIRST_LINE = re.compile(r"# Take home (?P<number>\d+): \S.*")
TROUBLE = re.compile(r"## (?P<number>\d+)\. ")
# What a Python with Keras has.
PACKAGES = {"keras", "numpy", "tensorflow", *sys.stdlib_module_names}
LAB = "08"
# Lessons whose troubles do not have theirs yet. A lesson that is not named here has one for each.
LATER = {"08", "08a", "08c"}


def number_of(cell) -> int | None:
    """Return the number of the trouble whose fix a cell holds to take home; None for any other cell."""
    found = FIRST_LINE.fullmatch(cell.text.splitlines()[0]) if cell.kind == "code" and cell.text else None
    return int(found["number"]) if found else None


def parts(lesson) -> tuple[list, dict[int, list]]:
    """Return the cells above the first trouble, and those of each trouble by its number."""
    tools: list = []
    troubles: dict[int, list] = {}
    here = tools
    for cell in lesson.cells:
        if cell.kind == "markdown" and re.match("## ", cell.text):
            found = TROUBLE.match(cell.text)
            here = troubles.setdefault(int(found["number"]), []) if found else tools if not troubles else []
        here.append(cell)
    return tools, troubles


def bindings(builder, text: str) -> set[tuple[str, str]]:
    """Return each name that some code binds, with the full name of what it imports, or "" where it is no import."""
    body = ast.parse(text).body
    imports = [one for one in body if isinstance(one, ast.Import | ast.ImportFrom)]
    found = {(name, "") for name in builder.bound_names(ast.Module([one for one in body if one not in imports], []))}
    for one in imports:
        home = f"{one.module}." if isinstance(one, ast.ImportFrom) else ""
        found |= {(alias.asname or alias.name.split(".")[0], f"{home}{alias.name}") for alias in one.names}
    return found


def faults(builder, lesson) -> Iterator[tuple[object, str]]:
    """Yield what is wrong with the cells to take home of a lesson, each with its cell."""
    if not lesson.number.startswith(LAB):
        return
    tools, troubles = parts(lesson)
    taken = {pair for cell in tools if cell.kind == "code" for pair in bindings(builder, cell.text)}
    names = {name for name, _ in taken}
    for number, cells in troubles.items():
        code = [cell for cell in cells if cell.kind == "code" and cell.tag not in builder.TEACHER_ONLY]
        homes = [cell for cell in code if number_of(cell) is not None]
        if not homes and lesson.number in LATER:
            continue
        if [number_of(cell) for cell in homes] != [number] or homes != code[-1:]:
            yield cells[0], f"the last code of trouble {number} must be one cell `# Take home {number}: what it does`."
        for cell in homes:
            imported = {full.split(".")[0] for _, full in bindings(builder, cell.text) if full}
            for package in sorted(imported - PACKAGES):
                yield cell, f"imports {package}. A cell to take home needs Python and Keras alone."
            # The same import once more changes nothing.
            bound = {pair for pair in bindings(builder, cell.text) if not pair[1] or pair not in taken}
            for name in sorted({name for name, _ in bound} & names):
                yield cell, f"binds {name}, which a cell above the first trouble binds: later troubles need that one."
