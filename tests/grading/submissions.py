"""A class of 40 made-up submissions of lesson 02, each with the points that it deserves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from tools.grading.assignment import exercise_of

EXERCISES = ("02.1", "02.2", "02.3")
RIGHT = {
    "02.1": 'three_wishes = EarlyStopping(monitor="val_accuracy", patience=4, restore_best_weights=True)',
    "02.2": "epochs_run = 6\nweights_of_epoch = 4",
    "02.3": """def epoch_of_weights(stopper, history):
    if stopper.restore_best_weights:
        return stopper.best_epoch + 1
    return len(history.epoch)""",
}
WRONG = {
    "02.1": "three_wishes = EarlyStopping",
    "02.2": "epochs_run = 8\nweights_of_epoch = 7",
    "02.3": "def epoch_of_weights(stopper, history):\n    stopper.best_epoch + 1",
}
Notebook = nbformat.NotebookNode
ALL = (10, 10, 10)


@dataclass(frozen=True)
class Submission:
    """What somebody handed in.

    Attributes:
        name: the student.
        points: for each exercise; None where it must not be graded.
        answers: the code that replaces the stub of an exercise, without its first line; {} leaves all stubs.
        edit: what else was done to the notebook.
        says: what the report must say of it.
        text: the file, where it is no notebook.
    """

    name: str
    points: tuple[float, float, float] | None
    answers: dict[str, str] = field(default_factory=lambda: dict(RIGHT))
    edit: Callable[[Notebook], None] | None = None
    says: str = ""
    text: str | None = None

    def write(self, release: Notebook, path: Path) -> None:
        """Write the notebook as it was handed in."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.text is not None:
            path.write_text(self.text, encoding="utf-8")
            return
        notebook = copy.deepcopy(release)
        for exercise, code in self.answers.items():
            cell_of(notebook, exercise).source = f"# Exercise {exercise}\n{code}"
        if self.edit:
            self.edit(notebook)
        nbformat.write(notebook, path)


def but(**answers: str) -> dict[str, str]:
    """Return the right answers but for some: `but(_3="...")`."""
    return RIGHT | {f"02.{name[1:]}": code for name, code in answers.items()}


def cell_of(notebook: Notebook, exercise: str) -> Notebook:
    """Return the cell of an exercise."""
    return next(cell for cell in notebook.cells if cell.source.startswith(f"# Exercise {exercise}"))


def code(source: str) -> Notebook:
    """Make a cell of the learner's own."""
    return nbformat.v4.new_code_cell(source)


def place(notebook: Notebook, exercise: str) -> int:
    return notebook.cells.index(cell_of(notebook, exercise))


def above(exercise: str, source: str) -> Callable[[Notebook], None]:
    """Put a cell above the one of an exercise."""
    return lambda notebook: notebook.cells.insert(place(notebook, exercise), code(source))


def below(exercise: str, source: str, *, steps: int = 1) -> Callable[[Notebook], None]:
    """Put a cell below the one of an exercise; with 2 steps, below its check."""
    return lambda notebook: notebook.cells.insert(place(notebook, exercise) + steps, code(source))


def first(source: str) -> Callable[[Notebook], None]:
    """Put a cell above all others."""
    return lambda notebook: notebook.cells.insert(0, code(source))


def renamed(notebook: Notebook) -> None:
    """Take every name from the cells: ids, marks, first lines."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"mine-{number}"
        cell.metadata = {}
        if cell.source.startswith("# Exercise"):
            cell.source = "# my answer\n" + cell.source.split("\n", 1)[1]


def only_answers(notebook: Notebook) -> None:
    """Delete everything but setup, data and answers; the checks too."""
    kept = [cell for cell in notebook.cells if cell.cell_type == "code" and not exercise_of(cell.source)]
    notebook.cells = [cell for cell in kept if "nbgrader" in cell.metadata]


def copied(notebook: Notebook) -> None:
    """Copy the check and the answer of an exercise, as the clipboard does, with their marks; move another check."""
    at = place(notebook, "02.1")
    notebook.cells[at + 2 : at + 2] = copy.deepcopy(notebook.cells[at : at + 2])
    moved(notebook)


def screaming(notebook: Notebook) -> None:
    """Put a cell that prints errors above each exercise."""
    for exercise in EXERCISES:
        above(exercise, _SCREAMS)(notebook)


def moved(notebook: Notebook) -> None:
    """Put a check above its exercise."""
    at = place(notebook, "02.2")
    notebook.cells[at], notebook.cells[at + 1] = notebook.cells[at + 1], notebook.cells[at]


_STYLES = {
    "keywords": but(
        _1='settings = dict(monitor="val_accuracy", mode="max", patience=4, restore_best_weights=True, verbose=1)\n'
        "three_wishes = keras.callbacks.EarlyStopping(**settings)",
        _2="epochs_run, weights_of_epoch = 6.0, 4.0",
        _3="epoch_of_weights = lambda s, h: s.best_epoch + 1 if s.restore_best_weights else h.epoch[-1] + 1",
    ),
    "classes": but(
        _1="""class Patient(EarlyStopping):
    def __init__(self):
        super().__init__(monitor="val_accuracy", mode="max", patience=4, restore_best_weights=True)
three_wishes = Patient()""",
        _2="import numpy as np\nepochs_run, weights_of_epoch = np.int64(6), np.int64(4)",
        _3="""class Teller:
    def __call__(self, stopper, history):
        last = len(history.history["loss"])
        return {True: stopper.best_epoch + 1, False: last}[bool(stopper.restore_best_weights)]
epoch_of_weights = Teller()""",
    ),
    "helpers": but(
        _2="""from helpers import replay
record = replay.early_stopping(by_hand, patience=2, restore_best_weights=True)
epochs_run = record.epochs_run
weights_of_epoch = record.kept_epoch + 1""",
        _3="""def epoch_of_weights(stopper, history):
    return from_one(stopper.best_epoch) if stopper.restore_best_weights else from_one(history.epoch[-1])""",
    ),
}
_SWALLOWS = """import time
while True:
    try:
        time.sleep(0.01)
    except BaseException:
        pass"""
_FORGES = """import helpers.checks, helpers.checks._core
class Full(float):
    pass
helpers.checks.check = helpers.checks._core.check = lambda *answers: Full(1.0)"""
_WRITES = """from pathlib import Path
import helpers.checks
source = Path(helpers.checks.__file__).parent / "lesson02.py"
try:
    source.write_text("from helpers.checks._core import *\\n")
except OSError as error:
    print(error)"""
_PATCHES = """def epoch_of_weights(stopper, history):
    from helpers.checks import _core, lesson02
    lesson02.wrong = lambda message, credit=0.0: _core.right()
    return 1"""
_SCREAMS = """import sys, warnings, logging
print("everything is fine" * 20, file=sys.stderr)
warnings.warn("this is a warning")
logging.getLogger().error("this is an error")"""


CLASS = (
    # Right, in several styles
    Submission("ada", ALL),
    Submission("ben", ALL, _STYLES["keywords"]),
    Submission("cleo", ALL, _STYLES["classes"]),
    Submission("dan", ALL, _STYLES["helpers"], above("02.3", "def from_one(epoch):\n    return epoch + 1")),
    Submission("eve", ALL, but(_3="def epoch_of_weights(stopper, history): ..."), below("02.3", RIGHT["02.3"])),
    Submission("fay", ALL, but(_1="three_wishes = ..."), below("02.1", RIGHT["02.1"], steps=2)),
    Submission("gus", ALL, but(_3="from teller import epoch_of_weights"),
               above("02.3", f"%%writefile teller.py\n{RIGHT['02.3']}")),
    Submission("hal", ALL, but(_3=f"few = data.load_digits(train_rows=96)\n{RIGHT['02.3']}\n"
                               "epoch_of_weights.example = few.train")),
    # Partly right
    Submission("ian", (7.5, 10, 10), but(_1='three_wishes = EarlyStopping(monitor="val_accuracy", patience=4)')),
    Submission("jo", (5, 10, 10), but(_1='three_wishes = EarlyStopping(monitor="val_accuracy", patience=5)')),
    Submission("kim", (10, 5, 10), but(_2="epochs_run = 6\nweights_of_epoch = 6")),
    Submission("leo", (10, 5, 10), but(_2="epochs_run = 5\nweights_of_epoch = 3")),
    Submission("mia", (10, 10, 5), but(_3="epoch_of_weights = lambda stopper, history: stopper.best_epoch + 1")),
    Submission("ned", (7.5, 5, 10), but(_1='three_wishes = EarlyStopping(patience=4, restore_best_weights=True)',
                                        _2="epochs_run = 7\nweights_of_epoch = 4")),
    # Wrong
    Submission("ola", (0, 0, 0), dict(WRONG)),
    Submission("pam", (10, 0, 10), but(_2='epochs_run = "six"\nweights_of_epoch = "four"')),
    Submission("quin", (10, 10, 0), but(_3="def epoch_of_weights(stopper):\n    return stopper.best_epoch + 1")),
    # Empty
    Submission("rob", (0, 0, 0), {}),
    Submission("sue", (0, 0, 0), {}, lambda notebook: notebook.cells.clear()),
    Submission("tom", (10, 0, 0), {"02.1": RIGHT["02.1"]}),
    # Raising; an old answer does not count
    Submission("uma", (0, 10, 10), but(_1='three_wishes = EarlyStoping(monitor="val_accuracy")')),
    Submission("val", (10, 0, 10), but(_2="epochs_run = = 6\nweights_of_epoch = 4")),
    Submission("wim", (0, 10, 10), but(_1=f"{RIGHT['02.1']}\nthree_wishes.patience / 0"), above("02.1", RIGHT["02.1"])),
    # Looping, swallowing interrupts, asking
    Submission("xia", (10, 10, 0), but(_3="while True:\n    pass"), says="the cell of exercise 02.3 was stopped"),
    Submission("yan", (10, 10, 0), but(_3="def epoch_of_weights(stopper, history):\n    while True:\n        pass")),
    Submission("zoe", None, but(_2=_SWALLOWS), says="in spite of interrupts"),
    Submission("abe", (0, 10, 10), but(_1='three_wishes = input("which? ")')),
    # Leaving
    Submission("bea", None, but(_2="import os\nos._exit(0)"), says="the cell of exercise 02.2 ended the kernel"),
    Submission("cem", None, but(_3="import os\ndef epoch_of_weights(stopper, history):\n    os._exit(0)"),
               says="02.3 ended the process that judged it"),
    # Writing outside, replacing the checks, patching them while they judge
    Submission("dee", (0, 0, 0), dict(WRONG), first(_WRITES), says="tried to write helpers/checks/lesson02.py"),
    Submission("eli", (0, 0, 0), dict(WRONG), below("02.1", _FORGES), says="replaced helpers.checks"),
    Submission("flo", (0, 0, 0), {}, first("class checks:\n    check = staticmethod(lambda *answers: 1.0)")),
    Submission("gil", None, but(_3=_PATCHES), says="changed helpers.checks.lesson02.wrong"),
    # Printing without end, noise, filling memory
    Submission("hua", (10, 0, 10), but(_2='while True:\n    print("again and again " * 50)'), says="was stopped"),
    Submission("ivo", ALL, edit=screaming),
    Submission("jan", (10, 10, 0), but(_3="hog = []\nwhile True:\n    hog.append(bytearray(100_000_000))")),
    # Renamed, deleted, copied, moved cells; no notebook
    Submission("kai", ALL, edit=renamed),
    Submission("lin", ALL, edit=only_answers),
    Submission("max", ALL, edit=copied),
    Submission("noa", None, text="Dear teacher, here is my homework.", says="no notebook"),
)  # fmt: skip
