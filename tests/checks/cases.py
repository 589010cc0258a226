"""State for each exercise which answers are right and which are wrong, and find the exercises that lack something.

In `tests/checks/test_lesson02.py`:

    from cases import Cases, learner, run

    CASES = (
        Cases(
            "02.1",
            right=(lambda: EarlyStopping(patience=4), learner("answer = EarlyStopping('val_loss', 0, 4)")),
            wrong=(
                (lambda: EarlyStopping(patience=3), "one epoch early"),
                (lambda: EarlyStopping(patience=5), "one epoch late"),
                (lambda: EarlyStopping(patience=4, monitor="loss"), "training loss"),
            ),
        ),
    )

    @pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
    def test_answers(table):
        run(table)
"""

from __future__ import annotations

import importlib
import itertools
import linecache
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers import checks, questions
from helpers.checks import _core

HERE = Path(__file__).resolve().parent
_cell_numbers = itertools.count(1)

Maker = Callable[[], object]

# A lesson for the tests of the machinery itself.
TEXTS = """
title = "A lesson for the tests"

[predict.a]
question = "How many epochs does `patience=2` run?"
[[predict.a.answers]]
text = "Two"
feedback = "Patience is counted from the best epoch."
[[predict.a.answers]]
text = "Four"
right = true
feedback = "The best is epoch 2, and then it waits twice."

[exercise.1]
title = "Wait for two"
hints = ["Look at `patience`.", "It is a number of epochs.", "Two."]
reason = "It waits for **two** epochs."

[exercise.2]
title = "Write your own"
hints = ["One hint"]
reason = "Because."
"""


@dataclass(frozen=True)
class Cases:
    """Answers to one exercise, each made afresh by a function without arguments.

    Attributes:
        exercise: its id.
        right: at least two right answers, in different forms.
        wrong: at least three wrong ones, each with a piece of its message that names the mistake.
        raised: answers that raise an error, each with a piece of its message.
    """

    exercise: str
    right: tuple[Maker, ...]
    wrong: tuple[tuple[Maker, str], ...]
    raised: tuple[tuple[Maker, str], ...] = ()


def learner(source: str, name: str = "answer", **names: object) -> Maker:
    """Return a maker that runs source code as a learner's cell and takes `name` from it; keras and np are there."""

    def make() -> object:
        import keras
        import numpy as np

        filename = f"<learner-cell-{next(_cell_numbers)}>"
        code = textwrap.dedent(source).strip() + "\n"
        linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
        built_in = {name: value for name, value in vars(keras.callbacks).items() if not name.startswith("_")}
        scope = {**built_in, "keras": keras, "np": np, "__name__": "__main__", **names}
        exec(compile(code, filename, "exec"), scope)
        return scope[name]

    return make


def faults(table: Cases) -> list[str]:
    """Check all answers of a table and say what is not as it states."""
    found = []
    if len(table.right) < 2:
        found.append("fewer than two right answers")
    if len(table.wrong) < 3:
        found.append("fewer than three wrong answers")
    for number, make in enumerate(table.right, start=1):
        outcome = checks.check(table.exercise, make())
        if outcome.status != "right":
            found.append(f"right answer {number} was {outcome.status}: {outcome.message}")
    for number, (make, fragment) in enumerate(table.wrong, start=1):
        outcome = checks.check(table.exercise, make())
        if outcome.status != "wrong":
            found.append(f"wrong answer {number} ({fragment!r}) was {outcome.status}: {outcome.message}")
        elif fragment not in outcome.message:
            found.append(f"wrong answer {number} should say {fragment!r} and says: {outcome.message}")
    found += [
        f"wrong answer {n} names no piece of its message" for n, (_, piece) in enumerate(table.wrong, 1) if not piece
    ]
    for number, (make, fragment) in enumerate(table.raised, start=1):
        outcome = checks.check(table.exercise, make())
        if outcome.status != "raised" or outcome.broken or fragment not in outcome.message:
            found.append(f"raising answer {number} ({fragment!r}) was {outcome.status}: {outcome.message}")
    return found


def run(table: Cases) -> None:
    """Assert that a table is as it states."""
    found = faults(table)
    assert not found, f"Exercise {table.exercise}:\n" + "\n".join(found)


def tables(folder: Path = HERE) -> dict[str, Cases]:
    """Collect the tables named CASES from all test_lesson*.py in a folder that is on the import path."""
    found = {}
    for path in sorted(folder.glob("test_lesson*.py")):
        for table in getattr(importlib.import_module(path.stem), "CASES", ()):
            found[table.exercise] = table
    return found


def audit(
    lessons: Iterable[str],
    stated: Mapping[str, Cases],
    *,
    registered: Callable[[str], Iterable[str]] = _core.registered,
    texts: Path | None = None,
    solutions: Path | None = None,
) -> list[str]:
    """Name each exercise of these lessons that lacks a checker, a table, its texts or its solution cell."""
    found = []
    for lesson in lessons:
        try:
            in_file = set(questions.load(lesson, texts).exercises)
        except ValueError as error:
            found.append(f"lesson {lesson}: {error}")
            in_file = set()
        checked = set(registered(lesson))
        found += [f"{id} has no checker" for id in sorted(in_file - checked)]
        found += [f"{id} has no title, hints and reason in data/lessons" for id in sorted(checked - in_file)]
        for id in sorted(checked):
            if id not in stated:
                found.append(f"{id} has no table in tests/checks/test_lesson{lesson}.py")
            elif len(stated[id].right) < 2 or len(stated[id].wrong) < 3:
                found.append(f"{id} has fewer than two right or three wrong answers in its table")
            try:
                _core.solution_code(id, solutions)
            except ValueError as error:
                found.append(f"{id}: {error}")
    return found


def words(text: str) -> str:
    """Squeeze white space, so that a test need not know where lines break."""
    return re.sub(r"\s+", " ", text)
