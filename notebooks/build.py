"""Write both editions of the lessons from their sources, or say which notebooks are out of step.

    python notebooks/build.py              write notebooks/NN_name.ipynb and notebooks/solutions/NN_name.ipynb
    python notebooks/build.py 02 03        these lessons only
    python notebooks/build.py --check      write nothing; exit 1 when a notebook is out of step

A source is a percent script in notebooks/source. A cell starts with one of these lines, with at most one tag:

    # %%
    # %% tags=["setup"]                    setup, predict, exercise: code in both editions
    # %% [markdown]
    # %% [markdown] tags=["instructor"]    a teaching note; instructor and solution: in the solutions edition only

An exercise cell is cut in two by one line `# solution`. Learners get what stands above it, the solutions edition gets
what stands below it:

    # Exercise 02.1
    stopper = ...
    # solution
    stopper = EarlyStopping(patience=4)

Nothing is written while any source has a fault. A notebook that somebody worked in is set aside, never overwritten.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat

from helpers import _anchors, _files

HERE = Path(__file__).resolve().parent
TAGS = ("setup", "exercise", "solution", "instructor", "predict")
TEACHER_ONLY = ("solution", "instructor")
CODE_ONLY = ("setup", "exercise", "predict")
SOLUTION = "# solution"
# Stands above each prediction: one that is run before the setup cell says so itself, in place of a NameError.
IMPORT_WIDGETS = "from helpers import widgets\n\n"
# Stands above each setup, and is silent elsewhere: Colab answers a missing module with the advice to install one.
NOT_ON_COLAB = """\
assert "google.colab" not in str(get_ipython()), (
    "Colab has neither this course's folder nor its Keras: README.md says where the course runs."
)

"""
HEADING = re.compile(r"#{1,6} (?P<text>.+)")
# A link to a heading, which begins with a capital letter or a digit, of this notebook or of another lesson.
TO_HEADING = re.compile(r"(?P<file>(?<=\]\()(?:\d\d[a-z]?_\w+\.ipynb)?)#(?P<anchor>[A-Z\d][^)\s]*)")
CLAIM = re.compile(r"\s*<!-- claim: [^>]*-->")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Jupytext may otherwise turn a comment such as `# cat food` into a shell command.
FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

SOURCE_NAME = re.compile(r"(?P<lesson>\d\d[a-z]?)_[a-z0-9_]+\.py")
NOTEBOOK_NAME = re.compile(r"\d\d[a-z]?_.+\.ipynb")
# A learner's own copies, by this builder and by JupyterLab's Duplicate.
COPY_NAME = re.compile(r".+(\.yours-\d+|-Copy\d+)\.ipynb")
MARKER = re.compile(r"# %%(?P<markdown> \[markdown\])?(?: tags=(?P<tags>\[.*\]))?")
LIKE_MARKER = re.compile(r"#\s*%%")
LIKE_SOLUTION = re.compile(r"#+\s*solution\W*", re.IGNORECASE)
LIKE_EXERCISE = re.compile(r"#+\s*exercise\b", re.IGNORECASE)
# Calls whose first argument is the name of a lesson, a prediction or an exercise.
NAMED_CALLS = {
    ("lesson", "begin"): "lesson",
    ("lesson", "new_folder"): "lesson",
    ("widgets", "predict"): "prediction",
    ("widgets", "reveal"): "prediction",
    ("checks", "check"): "exercise",
    ("checks", "hint"): "exercise",
    ("checks", "solution"): "exercise",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a source: where, what, and the mend."""

    path: Path
    line: int
    cell: int
    text: str

    def __str__(self) -> str:
        place = f"cell {self.cell}: " if self.cell else ""
        return f"{shown(self.path)}:{self.line}: {place}{self.text}"


class SourceError(ValueError):
    """A source that no notebook can be built from; `faults` holds each Fault."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, faults)))


@dataclass(frozen=True)
class Cell:
    """One cell of a source.

    Attributes:
        number: the place in the source, counted from 1.
        line: the line of its marker, counted from 1.
        start: the line of its first text.
        kind: "code" or "markdown".
        tag: one of TAGS, or None.
        text: the source as a notebook holds it, without `# ` before prose.
    """

    number: int
    line: int
    start: int
    kind: str
    tag: str | None
    text: str


@dataclass(frozen=True)
class Lesson:
    """A source that was read and found right: its name without suffix, its number such as "02" or "08a", its cells."""

    name: str
    number: str
    cells: tuple[Cell, ...]


def shown(path: Path) -> str:
    """Name a file as a person in the repository would."""
    try:
        return path.resolve().relative_to(HERE.parent).as_posix()
    except ValueError:
        return path.name


# -- read ------------------------------------------------------------------------------------------------------------


def read_lesson(path: Path) -> Lesson:
    """Read one source and hold it against every rule.

    Raises:
        SourceError: with all faults that were found.
    """
    faults: list[Fault] = []
    name = SOURCE_NAME.fullmatch(path.name)
    if not name:
        text = (
            "a source is named like 02_early_stopping.py: two digits, perhaps a letter, an underscore, small letters."
        )
        raise SourceError([Fault(path, 1, 0, text)])
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise SourceError([Fault(path, 1, 0, f"the file is not UTF-8 ({error.reason}). Save it as UTF-8.")]) from None
    cells = split_cells(path, lines, faults)
    if not faults:
        lesson = Lesson(path.stem, name["lesson"], cells)
        faults += [Fault(path, line, number, text) for line, number, text in find_faults(lesson)]
    if faults:
        raise SourceError(sorted(faults, key=lambda fault: fault.line))
    return lesson


def split_cells(path: Path, lines: list[str], faults: list[Fault]) -> tuple[Cell, ...]:
    """Find the markers, which jupytext reads more generously, and let jupytext read the cells between them."""
    markers: list[tuple[int, str, str | None]] = []
    for line, text in enumerate(lines, start=1):
        if not LIKE_MARKER.match(text):
            if not markers and text.strip():
                faults.append(
                    Fault(path, line, 0, "text before the first cell. Begin the file with `# %% [markdown]`.")
                )
                return ()
            if markers and markers[-1][1] == "markdown" and text.strip() and not re.match(r"#( |$)", text):
                text = "a line of prose without `# ` before it. Put `# ` there, or start a code cell with `# %%`."
                faults.append(Fault(path, line, len(markers), text))
            continue
        marker = MARKER.fullmatch(text.rstrip())
        if not marker:
            text = (
                f"`{text}` does not start a cell. Write `# %%` or `# %% [markdown]`, and after it nothing, or one "
                'space and tags=["setup"] with one of the five tags.'
            )
            faults.append(Fault(path, line, len(markers) + 1, text))
            markers.append((line, "broken", None))
            continue
        tag = read_tag(marker["tags"])
        if tag is not None and tag not in TAGS:
            text = f"unknown tag {tag or marker['tags']}. A cell has at most one tag, out of {', '.join(TAGS)}."
            faults.append(Fault(path, line, len(markers) + 1, text))
        markers.append((line, "markdown" if marker["markdown"] else "code", tag))
    if not markers:
        faults.append(Fault(path, 1, 0, "the file holds no cells. Begin it with `# %% [markdown]`."))
    if faults:
        return ()
    read = jupytext.reads("\n".join(lines) + "\n", fmt=FORMAT).cells
    if [cell.cell_type for cell in read] != [kind for _, kind, _ in markers]:
        text = f"jupytext finds {len(read)} cells where {len(markers)} are marked. Look for lines like `# In[1]:`."
        faults.append(Fault(path, 1, 0, text))
        return ()
    cells = []
    for number, ((line, kind, tag), cell) in enumerate(zip(markers, read, strict=True), start=1):
        start = next((n for n in range(line + 1, len(lines) + 1) if lines[n - 1].strip()), line)
        cells.append(Cell(number, line, start, kind, tag, cell.source.strip("\n")))
    return tuple(cells)


def read_tag(tags: str | None) -> str | None:
    """Return the tag in `["setup"]`, None where there are no tags, and "" where it is not a list of one text."""
    if tags is None:
        return None
    try:
        found = json.loads(tags)
    except ValueError:
        return ""
    return found[0] if len(found) == 1 and isinstance(found[0], str) else ""


# -- the rules -------------------------------------------------------------------------------------------------------

# What a rule finds: line, number of the cell, sentence.
Found = Iterator[tuple[int, int, str]]


def find_faults(lesson: Lesson) -> Found:
    """Yield each broken rule of a lesson whose cells could be told apart."""
    for cell in lesson.cells:
        yield from check_cell(cell)
        if cell.kind == "code":
            yield from check_code(cell)
            yield from check_exercise(cell) if cell.tag == "exercise" else check_no_marker(cell)
            yield from check_names(cell, lesson.number)
    yield from check_setup(lesson)
    yield from check_predictions(lesson)
    yield from check_reveals(lesson)
    yield from check_order(lesson)
    yield from check_own_names(lesson)


def check_cell(cell: Cell) -> Found:
    """A cell holds something, and its tag fits its kind."""
    if not cell.text.strip():
        yield cell.line, cell.number, "the cell is empty. Fill it or remove its marker."
    if cell.kind == "markdown" and cell.tag in CODE_ONLY:
        yield cell.line, cell.number, f"the tag {cell.tag} belongs to a code cell. Remove [markdown] or the tag."


def check_code(cell: Cell) -> Found:
    """Code is plain Python, and no comment of it steers nbval."""
    try:
        ast.parse(cell.text)
    except SyntaxError as error:
        text = f"not valid Python: {error.msg}. Mend it; magics such as %time and !ls have no place in a lesson."
        yield cell.start + (error.lineno or 1) - 1, cell.number, text
    for line, text in numbered(cell):
        if re.match(r"\s*#\s*(NBVAL|PYTEST_VALIDATE)_", text):
            yield line, cell.number, "a comment that steers nbval. Remove it: every cell of a lesson must run and pass."


def check_exercise(cell: Cell) -> Found:
    """An exercise: its name, a stub, one marker, an answer."""
    lines = cell.text.splitlines()
    if not re.fullmatch(r"# Exercise \d\d[a-z]?\.[1-9]\d*", lines[0] if lines else ""):
        yield (
            cell.start,
            cell.number,
            "an exercise begins with a line like `# Exercise 02.1` and nothing else in it.",
        )
    marks = [index for index, text in enumerate(lines) if text == SOLUTION]
    near = [line for line, text in numbered(cell) if text != SOLUTION and LIKE_SOLUTION.fullmatch(text.strip())]
    for line in near:
        yield line, cell.number, f"write the marker exactly as `{SOLUTION}`, at the beginning of its line."
    if len(marks) != 1:
        if not near:
            count = "none" if not marks else f"{len(marks)}"
            text = f"an exercise needs exactly one line `{SOLUTION}` between stub and answer; this one has {count}."
            yield cell.line, cell.number, text
        return
    for name, part in zip(("stub above", "answer below"), cut(cell.text), strict=True):
        tree = parse(part)
        if tree is None:
            yield (
                cell.line,
                cell.number,
                f"the {name} `{SOLUTION}` is not valid Python alone. Make each part run alone.",
            )
        elif not tree.body:
            example = "a line such as `stopper = ...`" if name.startswith("stub") else "the answer"
            yield cell.line, cell.number, f"the {name} `{SOLUTION}` holds no code. Write {example}."


def check_no_marker(cell: Cell) -> Found:
    """The marker and the first line of an exercise stand in exercise cells only."""
    for line, text in numbered(cell):
        if LIKE_SOLUTION.fullmatch(text.strip()):
            text = f'a line `{SOLUTION}` outside an exercise. Remove it, or tag the cell tags=["exercise"].'
            yield line, cell.number, text
    first = cell.text.splitlines()[:1]
    if first and LIKE_EXERCISE.match(first[0]):
        yield cell.start, cell.number, 'the cell begins like an exercise. Tag it tags=["exercise"].'


def check_names(cell: Cell, lesson: str) -> Found:
    """Each lesson, prediction and exercise that the code names is this lesson's own."""
    for line, kind, call, name in named_calls(cell):
        pattern = {"lesson": "", "prediction": r"\.[a-z][a-z0-9-]*", "exercise": r"\.[1-9]\d*"}[kind]
        # The parts of a lesson, 03 and 03b, share its texts: an id keeps its meaning wherever its cell moves.
        owner = re.escape(lesson) if kind == "lesson" else f"(?:{re.escape(lesson)}|{lesson[:2]})"
        if name is None or not re.fullmatch(owner + pattern, name):
            example = {"lesson": lesson, "prediction": f"{lesson}.a", "exercise": f"{lesson}.1"}[kind]
            got = "something else" if name is None else f'"{name}"'
            yield line, cell.number, f'{call}() names {got}; in this lesson its first argument is like "{example}".'


def check_setup(lesson: Lesson) -> Found:
    """There is one setup cell, and it is the first code."""
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    setups = [cell for cell in code if cell.tag == "setup"]
    for cell in setups[1:]:
        yield cell.line, cell.number, "a second setup cell. Join it with the first."
    if not setups:
        yield 1, 0, 'the lesson has no setup cell. Tag its first code cell tags=["setup"].'
    elif code[0] is not setups[0]:
        yield code[0].line, code[0].number, "code before the setup cell. Move it below the setup."


def check_predictions(lesson: Lesson) -> Found:
    """A predict cell is one call, a call stands in a predict cell, and no prediction is asked twice."""
    seen: set[str] = set()
    for cell in lesson.cells:
        calls = [call for call in named_calls(cell) if call[2] == "widgets.predict"]
        tree = parse(cell.text) if cell.kind == "code" else None
        if cell.tag == "predict" and tree is not None and (len(calls) != 1 or len(tree.body) != 1):
            text = f'a predict cell holds one line, widgets.predict("{lesson.number}.a"), and nothing else.'
            yield cell.line, cell.number, text
        for line, _, _, name in calls:
            if cell.tag != "predict":
                yield line, cell.number, 'widgets.predict() outside a predict cell. Tag the cell tags=["predict"].'
            if name in seen:
                yield line, cell.number, f"prediction {name} is asked a second time. Give each its own name."
            seen.add(name)


def check_reveals(lesson: Lesson) -> Found:
    """Each prediction is revealed once, by the last line of a later cell, before the next one is asked."""
    if any(cell.kind == "code" and parse(cell.text) is None for cell in lesson.cells):
        return  # what such a cell reveals is not known; its own fault is told
    asked: tuple[str | None, Cell] | None = None
    for cell in lesson.cells:
        for line, _, call, name in named_calls(cell):
            if call == "widgets.predict":
                if asked:
                    text = f'prediction {asked[0]} is not revealed before the next: widgets.reveal("{asked[0]}").'
                    yield asked[1].line, asked[1].number, text
                asked = (name, cell)
            elif call == "widgets.reveal":
                if asked is None or asked[0] != name:
                    text = f"reveals {name}, which is not the prediction asked last. Ask first, run, then reveal, once."
                    yield line, cell.number, text
                tree = parse(cell.text)
                if tree is None or ast.unparse(tree.body[-1]) != f"widgets.reveal('{name}')":
                    yield line, cell.number, f'widgets.reveal("{name}") is the last line of the cell that runs it.'
                asked = None
    if asked:
        text = f'prediction {asked[0]} is never revealed. End the cell that runs it with widgets.reveal("{asked[0]}").'
        yield asked[1].line, asked[1].number, text


def check_order(lesson: Lesson) -> Found:
    """Exercises stand in the order of their numbers, and the next cell of the learner's edition checks each."""
    learner = [cell for cell in lesson.cells if cell.tag not in TEACHER_ONLY]
    number = 0
    for index, cell in enumerate(learner):
        checked = [name for _, _, call, name in named_calls(cell) if call == "checks.check"]
        before = exercise_name(learner[index - 1]) if index else None
        if checked and checked != [before]:
            names = ", ".join(name or "something else" for name in checked)
            text = f"checks {names}, but the cell before it is {before or 'no exercise'}."
            yield cell.line, cell.number, f"{text} A check stands right after its exercise, one for each."
        name = exercise_name(cell)
        if cell.tag != "exercise":
            continue
        if name is None:
            continue
        if name.rsplit(".", 1)[0] not in (lesson.number, lesson.number[:2]):
            yield (
                cell.start,
                cell.number,
                f'this is exercise {name}; in this lesson its name is like "{lesson.number}.1".',
            )
            continue
        own = int(name.rsplit(".", 1)[1])
        if own <= number:
            text = f"this is exercise {name}, after exercise {number}: exercises stand in the order of their numbers."
            yield cell.start, cell.number, text
        number = max(number, own)
        after = learner[index + 1] if index + 1 < len(learner) else None
        if after is None or not any(call == "checks.check" for _, _, call, _ in named_calls(after)):
            text = f'no check follows the exercise. Put a code cell checks.check("{name}", ...) right after it.'
            yield cell.line, cell.number, text


def check_own_names(lesson: Lesson) -> Found:
    """What an exercise binds is bound by no other cell, so that a check can never be handed a variable of the lesson.

    Were it otherwise, an answer whose cell failed would leave another cell's object under the name that is checked.
    """
    code = [(cell, parse(cell.text)) for cell in lesson.cells if cell.kind == "code"]
    bound = [(cell, bound_names(tree) if tree else {}) for cell, tree in code]
    for exercise, own in bound:
        if exercise.tag != "exercise":
            continue
        name = exercise_name(exercise) or "another exercise"
        for cell, names in bound:
            if cell is exercise or (cell.tag == "exercise" and cell.number < exercise.number):
                continue
            for shared in sorted(own.keys() & names.keys()):
                text = f"{shared} belongs to exercise {name}, and no other cell may bind it. Take another name."
                yield cell.start + names[shared] - 1, cell.number, text
    for (cell, tree), (exercise, own) in zip(code[1:], bound, strict=False):
        if exercise.tag != "exercise" or tree is None:
            continue
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if any(call == "checks.check" for _, _, call, _ in named_calls(cell)) and not read & own.keys():
            text = "the check is handed nothing that its exercise binds. Pass it the answer's own name."
            yield cell.line, cell.number, text


def numbered(cell: Cell) -> Iterable[tuple[int, str]]:
    """Yield each line of a code cell with its line number in the source."""
    return enumerate(cell.text.splitlines(), start=cell.start)


def parse(code: str) -> ast.Module | None:
    """Return the tree of some code, None where it is not valid Python."""
    try:
        return ast.parse(code)
    except SyntaxError:
        return None


SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound_names(tree: ast.Module) -> dict[str, int]:
    """Return the names that some code binds in the notebook (assigned, imported, defined, looped over), with lines."""
    found: dict[str, int] = {}
    todo: list[ast.AST] = list(reversed(tree.body))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.setdefault(node.name, node.lineno)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                found.setdefault((alias.asname or alias.name).split(".")[0], node.lineno)
        if isinstance(node, ast.ExceptHandler) and node.name:
            found.setdefault(node.name, node.lineno)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, node.lineno)
        if not isinstance(node, SCOPES):
            todo += ast.iter_child_nodes(node)
    return found


def cut(code: str) -> tuple[str, str]:
    """Return what stands above and below the line `# solution`."""
    lines = code.splitlines()
    at = lines.index(SOLUTION)
    return "\n".join(lines[:at]).rstrip(), "\n".join(lines[at + 1 :]).strip("\n")


def exercise_name(cell: Cell) -> str | None:
    """Return the name in the first line of an exercise cell, such as "02.1"."""
    if cell.tag != "exercise":
        return None
    found = re.match(r"# Exercise (\S+)", cell.text)
    return found[1] if found else None


def named_calls(cell: Cell) -> list[tuple[int, str, str, str | None]]:
    """Return line, kind, call and name of each call that names a lesson, a prediction or an exercise.

    The name is None where the first argument is no plain text.
    """
    tree = parse(cell.text) if cell.kind == "code" else None
    found = []
    for node in ast.walk(tree) if tree else ():
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        kind = NAMED_CALLS.get((owner, node.func.attr))
        if kind:
            first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            name = first if isinstance(first, str) else None
            found.append((cell.start + node.lineno - 1, kind, f"{owner}.{node.func.attr}", name))
    return sorted(found)


# -- the two editions ------------------------------------------------------------------------------------------------


def cell_ids(cells: Sequence[Cell]) -> list[str]:
    """Return an id for each cell: made from the heading that it begins with, for links, or else from its content.

    A cell keeps its id wherever it moves.
    """
    seen: Counter[str] = Counter()
    ids: list[str] = []
    for cell in cells:
        heading = HEADING.match(cell.text) if cell.kind == "markdown" else None
        if heading and (named := _anchors.cell_id(heading["text"])) not in ("", *ids):
            ids.append(named)
            continue
        content = json.dumps([cell.kind, cell.tag, cell.text])
        seen[content] += 1
        ids.append(hashlib.sha256(f"{seen[content]} {content}".encode()).hexdigest()[:12])
    return ids


def learner_text(cell: Cell, _lesson: Lesson) -> str | None:
    """Return what a learner gets of a cell, None for nothing."""
    if cell.tag in TEACHER_ONLY:
        return None
    return cut(cell.text)[0] if cell.tag == "exercise" else plain_text(cell)


def plain_text(cell: Cell) -> str:
    """Return a cell as both editions have it: a prediction can be run first, claim ids are for the tests alone.

    The setup says first what is amiss on Colab.

    Links to headings name the cell instead, which JupyterLab finds at the first click.
    """
    if cell.kind == "markdown":
        text = CLAIM.sub("", cell.text)
        return TO_HEADING.sub(lambda link: f"{link['file']}#{_anchors.fragment(link['anchor'])}", text)
    return {"predict": IMPORT_WIDGETS, "setup": NOT_ON_COLAB}.get(cell.tag, "") + cell.text


def solutions_text(cell: Cell, lesson: Lesson) -> str:
    """Return a cell with its answer or visibly marked as what learners do not see."""
    if cell.tag == "exercise":
        return f"# Exercise {exercise_name(cell)}\n{SOLUTION}\n{cut(cell.text)[1]}"
    label = {"instructor": "Teaching note", "solution": "Solution"}.get(cell.tag)
    if cell.kind == "code":
        return plain_text(cell) if label is None else f"# {label}: learners do not have this cell.\n{cell.text}"
    text = one_folder_down(plain_text(cell))
    if label is not None:
        return "\n".join(f"> {line}".rstrip() for line in (f"**{label}**", "", *text.splitlines()))
    if cell is lesson.cells[0]:
        text += "\n\n*Solutions edition: with the answers and teaching notes.*"
    return text


def one_folder_down(text: str) -> str:
    """Point the relative links of some prose to the same files from `solutions/`; other lessons stay beside it."""

    def moved(link: re.Match[str]) -> str:
        target = link["target"]
        stays = re.match(r"[a-z][a-z0-9+.-]*:|[#/]", target) or NOTEBOOK_NAME.fullmatch(target.split("#")[0])
        return link[0] if stays else f"{link['before']}../{target}"

    return re.sub(r"""(?P<before>\]\(|\b(?:src|href)=["'])(?P<target>[^\s)"']+)""", moved, text)


def edition(lesson: Lesson, text_of: Callable[[Cell, Lesson], str | None]) -> str:
    """Return one edition as the text of a notebook file."""
    cells = []
    for cell, cell_id in zip(lesson.cells, cell_ids(lesson.cells), strict=True):
        text = text_of(cell, lesson)
        if text is not None:
            make = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
            metadata = {"tags": [cell.tag]} if cell.tag else {}
            cells.append(make(text, id=cell_id, metadata=metadata))
    metadata = METADATA | {"course": {"digest": digest([(cell.cell_type, cell.source) for cell in cells])}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def editions(lesson: Lesson, folder: Path) -> dict[Path, str]:
    """Return both editions by the files that they belong into."""
    name = f"{lesson.name}.ipynb"
    return {folder / name: edition(lesson, learner_text), folder / "solutions" / name: edition(lesson, solutions_text)}


def digest(cells: Iterable[tuple[str, str]]) -> str:
    """Return a digest of the kinds and sources of cells: what a learner changes by working."""
    return hashlib.sha256(json.dumps([list(cell) for cell in cells]).encode()).hexdigest()[:16]


# -- files -----------------------------------------------------------------------------------------------------------


def holds_work(text: str, wanted: str) -> bool:
    """Return whether the notebook `text` holds what neither this builder wrote nor the `wanted` text holds."""
    try:
        notebook = json.loads(text)
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
        outputs = any(cell.get("outputs") or cell.get("attachments") for cell in notebook["cells"])
        written = notebook["metadata"].get("course", {}).get("digest")
    except (ValueError, KeyError, TypeError, AttributeError):
        return True
    return outputs or digest(cells) not in (written, json.loads(wanted)["metadata"]["course"]["digest"])


def read_text(path: Path) -> str | None:
    """Return a file's text, None where there is no file; bytes that are no text show as replacement signs."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, finds the old one or the new one and nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _files.write(path, content)


def set_aside(path: Path) -> Path:
    """Keep what is in `path` under the first free name like `NN_name.yours-1.ipynb`, and return that."""
    number = 1
    while (kept := path.with_name(f"{path.stem}.yours-{number}.ipynb")).exists():
        number += 1
    write_whole(kept, path.read_bytes())
    return kept


def write_notebook(path: Path, wanted: str) -> list[str]:
    """Bring one notebook up to date; return the sentences that a person should read."""
    there = read_text(path)
    if there == wanted:
        return []
    if there is None or not holds_work(there, wanted):
        write_whole(path, wanted.encode())
        return [f"{shown(path)}: written."]
    kept = set_aside(path)
    write_whole(path, wanted.encode())
    return [f"{shown(path)} held work of yours: it is now {kept.name}, and the lesson is fresh in its old place."]


def out_of_step(path: Path, wanted: str) -> list[str]:
    """Say whether a notebook differs from what its source gives."""
    there = read_text(path)
    if there == wanted:
        return []
    if there is None:
        return [f"{shown(path)} is missing."]
    if holds_work(there, wanted):
        return [f"{shown(path)} was changed by hand or run. Change the source; `make notebooks` sets your work aside."]
    return [f"{shown(path)} is out of step with its source."]


def without_source(folder: Path) -> list[str]:
    """Name the lessons in `folder` and its solutions that no source gives; a learner's copies do not count."""
    names = {source.stem for source in sources(folder)}
    return [
        f"{shown(notebook)} has no source in notebooks/source. Remove it, or bring its source back."
        for edition_folder in (folder, folder / "solutions")
        for notebook in sorted(edition_folder.glob("*.ipynb"))
        if NOTEBOOK_NAME.fullmatch(notebook.name)
        and not COPY_NAME.fullmatch(notebook.name)
        and notebook.stem not in names
    ]


def sources(folder: Path, lessons: Sequence[str] = ()) -> list[Path]:
    """Return the sources in their order, all or those of the named lessons ("02", or "02_early_stopping").

    Raises:
        ValueError: a named lesson has no source.
    """
    found = sorted((folder / "source").glob("*.py"))
    for name in lessons:
        if not any(name in (source.stem, source.name, source.stem.split("_")[0]) for source in found):
            known = ", ".join(source.stem for source in found) or "none"
            raise ValueError(f"There is no lesson {name}. Lessons with a source: {known}.")
    return [s for s in found if not lessons or {s.stem, s.name, s.stem.split("_")[0]} & set(lessons)]


def build(folder: Path = HERE, lessons: Sequence[str] = (), *, check: bool = False) -> tuple[bool, list[str]]:
    """Write, or check, the notebooks in `folder`.

    Args:
        folder: what holds `source/`.
        lessons: numbers or names of lessons; all where it is empty.
        check: change nothing.

    Returns:
        Whether all is well, and the sentences to show.

    Raises:
        SourceError: with the faults of all sources; nothing was written then.
        ValueError: a named lesson has no source.
    """
    wanted: dict[Path, str] = {}
    faults: list[Fault] = []
    numbers: dict[str, Path] = {}
    for source in sources(folder, lessons):
        try:
            lesson = read_lesson(source)
        except SourceError as error:
            faults += error.faults
            continue
        if lesson.number in numbers:
            text = f"lesson {lesson.number} has another source, {numbers[lesson.number].name}. Number one of them anew."
            faults.append(Fault(source, 1, 0, text))
        numbers[lesson.number] = source
        wanted |= editions(lesson, folder)
    if faults:
        raise SourceError(faults)
    act = out_of_step if check else write_notebook
    sentences = [sentence for path, text in wanted.items() for sentence in act(path, text)]
    orphans = [] if lessons else without_source(folder)
    return not orphans and not (check and sentences), sentences + orphans


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, build or check, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="number or name, such as 02; all if none is given")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a notebook is out of step")
    options = parser.parse_args(arguments)
    try:
        fine, sentences = build(HERE, options.lessons, check=options.check)
    except SourceError as error:
        print(f"{error}\nNothing was written.", file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for sentence in sentences:
        print(sentence, file=sys.stdout if fine else sys.stderr)
    if options.check and not fine:
        print("`make notebooks` writes the notebooks again.", file=sys.stderr)
    elif fine and not sentences:
        print("All notebooks are in step with their sources.")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
