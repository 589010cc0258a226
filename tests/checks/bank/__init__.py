"""Answers as learners write them, right and wrong, and how the checks judge them.

    python -m tests.checks.bank            all exercises: totals, the confusion by exercise, and what is not as stated
    python -m tests.checks.bank 02 06.4    these lessons and exercises only
    python -m tests.checks.bank --record   write the likeliest messages into messages.json, for the run sheets

`NN.toml` beside this file holds the answers: the source of the exercise's cell as a learner would leave it (`code`),
or what is replaced in the lesson's usual answer (`swap`, over `base`). An answer without a `mistake` is right. `says`
are regular expressions of what the message has to say about the mistake, all of them. Answers of lesson 10 train in the
arena for half a minute each.

The likeliest mistakes stand first among the wrong answers of an exercise: the first two messages that differ by more
than numbers go into the run sheets for teachers. They are recorded only if each is judged as stated.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import io
import json
import linecache
import os
import re
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
MESSAGES = FOLDER / "messages.json"


@dataclasses.dataclass(frozen=True)
class Answer:
    """One answer: the exercise, its place in the file from 1, the source, the mistake in words ("" for a right one).

    `says` are regular expressions for the message. A `slow` one runs until the time limit of the check, or is told by a
    search for one change: those are judged by the command only.
    """

    exercise: str
    number: int
    code: str
    mistake: str
    says: tuple[str, ...]
    slow: bool = False


def answers(folder: Path = FOLDER) -> list[Answer]:
    """Read all answers.

    Raises:
        ValueError: a text that should be replaced is not in the base, or an answer states nothing.
    """
    found = []
    for file in sorted(folder.glob("*.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        bases = content.pop("base", {})
        for exercise, rows in content.items():
            for number, row in enumerate(rows, start=1):
                code = row.get("code", bases.get(exercise, "")).lstrip("\n")
                for old, new in row.get("swap", []):
                    if old not in code:
                        raise ValueError(
                            f"{file.name}: answer {number} of {exercise} replaces what is not there: {old}"
                        )
                    code = code.replace(old, new)
                if not code or bool(row.get("mistake")) != bool(row.get("says")):
                    raise ValueError(f"{file.name}: answer {number} of {exercise} lacks its code, mistake or words.")
                mistake, says = row.get("mistake", ""), tuple(row.get("says", ()))
                found.append(Answer(exercise, number, code, mistake, says, row.get("slow", False)))
    return found


@cache
def handed_over() -> dict[str, str]:
    """Return, for each exercise, the expression that its check cell hands over, from the notebooks."""
    found = {}
    for notebook in sorted((ROOT / "notebooks").glob("[01]*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] != "code" or "checks.check(" not in source:
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "check":
                    found[node.args[0].value] = ast.unparse(node.args[1])
    return found


class Course:
    """What the lessons give to an answer: imports, data, folders, and classes of lesson 06; made when first needed."""

    def __init__(self, folder: Path):
        self.folder = folder

    def scope(self, exercise: str) -> dict[str, object]:
        """Return the names that stand above an exercise."""
        import keras
        import numpy as np

        from helpers import data, lesson, replay

        own = {name: value for name, value in vars(keras.callbacks).items() if not name.startswith("_")}
        scope = {**own, "keras": keras, "np": np, "time": time, "data": data, "lesson": lesson, "replay": replay}
        scope |= {"Path": Path, "__name__": "__main__"}
        if exercise == "01.3":
            scope["lesson"] = type("Lesson", (), {"new_folder": staticmethod(lambda _: self._new())})
            scope |= {"log": self._new() / "log.csv", "best_log": self._new() / "best.csv"}
        if exercise == "04.2":
            scope["folder"] = self._new()
        if exercise == "02.3":
            # What the lesson's own training left, under the names of the answer's arguments.
            scope |= {"stopper": keras.callbacks.EarlyStopping(patience=2), "history": keras.callbacks.History()}
            scope["history"].epoch, scope["history"].history = [0], {"loss": [0.5], "val_loss": [0.6]}
        if exercise == "02.2":
            scope["by_hand"] = [1.00, 0.80, 0.85, 0.70, 0.70, 0.75, 0.60, 0.65]
        if exercise == "04.1":
            scope["by_hand"] = [0.90, 0.70, 0.60, 0.65, 0.50, 0.55, 0.60, 0.40]
        if exercise == "02.3":
            # What the lesson's own training left, under the names of the answer's arguments.
            scope |= {"stopper": keras.callbacks.EarlyStopping(patience=2), "history": keras.callbacks.History()}
            scope["history"].epoch, scope["history"].history = [0], {"loss": [0.5], "val_loss": [0.6]}
        if exercise == "03.1":
            scope["album"] = self.folder
        if exercise == "03.2":
            scope |= self.died
        if exercise == "03.3":
            scope["digits"] = data.load_digits()
        if exercise == "04.2":
            scope["album_file"] = self.folder / "one_best.keras"
        if exercise == "04.3":
            scope["digits"] = data.load_digits(train_rows=300, label_noise=0.2)
        if exercise in ("06.1", "06.2"):
            scope |= self.given
        if exercise in ("09.1", "09.2"):
            scope |= self.production
        if exercise.startswith("10."):
            from helpers import arena, callbacks

            scope |= {"arena": arena, **{name: getattr(callbacks, name) for name in callbacks.__all__}}
        return scope

    def _new(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    @property
    @cache  # noqa: B019
    def died(self) -> dict[str, object]:
        """A training of four epochs that left its weights after each, as in lesson 03."""
        import keras

        from helpers import data

        digits, runs = data.load_digits(train_rows=60), self._new()

        def build():
            keras.utils.set_random_seed(1)
            model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
            model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
            return model

        saver = keras.callbacks.ModelCheckpoint(runs / "{epoch}.weights.h5", save_weights_only=True)
        whole = build().fit(digits.train, validation_data=digits.validation, epochs=4, callbacks=[saver], verbose=0)
        return {"digits": digits, "runs": runs, "whole": whole, "build": build}

    @property
    @cache  # noqa: B019
    def given(self) -> dict[str, object]:
        """The classes that lesson 06 gives before its first exercises."""
        import keras

        scope = {"keras": keras, "Callback": keras.callbacks.Callback, "Path": Path, "__name__": "__main__"}
        for notebook in sorted((ROOT / "notebooks").glob("06*.ipynb")):
            for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
                source = "".join(cell["source"])
                if cell["cell_type"] != "code":
                    continue
                if any(f"class {name}(" in source for name in ("Monitor", "Saver")):
                    exec(source, scope)
                elif "def direction(" in source:
                    exec(source[: source.index("\n\n\n", source.index("def direction("))], scope)
        return {name: scope[name] for name in ("Monitor", "Saver", "direction")}

    @property
    @cache  # noqa: B019
    def production(self) -> dict[str, object]:
        """The functions and the class that lesson 09 gives before its first exercises."""
        import keras

        scope = {"Callback": keras.callbacks.Callback, "Path": Path, "os": os, "__name__": "__main__"}
        for cell in json.loads(next((ROOT / "notebooks").glob("09_*.ipynb")).read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and source.startswith(
                ("import os\nfrom pathlib", "def flush", "class Steady")
            ):
                exec(source, scope)
        return {name: scope[name] for name in ("os", "flush", "beside", "Steady")}


@dataclasses.dataclass(frozen=True)
class Judged:
    """An answer with its outcome: `fair` says whether status and message are as the bank states."""

    answer: Answer
    outcome: object
    seconds: float

    @property
    def refused(self) -> bool:
        """Whether the check did not accept it."""
        return self.outcome.status != "right"

    @property
    def named(self) -> bool:
        """Whether the message says what the mistake is; of a right answer, whether it was accepted."""
        if not self.answer.mistake:
            return not self.refused
        said = " ".join(f"{self.outcome.heading} {self.outcome.message}".split())
        return self.refused and not self.outcome.broken and all(re.search(one, said) for one in self.answer.says)


def judge(chosen: Sequence[Answer], course: Course) -> Iterator[Judged]:
    """Run answers as cells, hand them over as the check cells do, and yield what comes of them."""
    from helpers import checks

    for answer in chosen:
        scope, name = course.scope(answer.exercise), f"<answer-{answer.exercise}-{answer.number}>"
        source = f"# Exercise {answer.exercise}\n{answer.code}\n"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, name, "exec"), scope)
            begun = time.perf_counter()
            outcome = checks.check(answer.exercise, eval(handed_over()[answer.exercise], scope))
        yield Judged(answer, outcome, time.perf_counter() - begun)


def report(judged: Sequence[Judged], say: Callable[[str], object] = print) -> bool:
    """Print totals, the confusion by exercise and each answer that is not judged as stated; say whether all are."""
    say(f"{'exercise':10}{'right':>7}{'accepted':>10}{'wrong':>7}{'refused':>9}{'named':>7}{'seconds':>9}")
    groups = {one.answer.exercise: [] for one in judged}
    for one in judged:
        groups[one.answer.exercise].append(one)
    for name, rows in [*groups.items(), ("all", list(judged))]:
        good = [one for one in rows if not one.answer.mistake]
        bad = [one for one in rows if one.answer.mistake]
        accepted, refused = sum(not one.refused for one in good), sum(one.refused for one in bad)
        named, slowest = sum(one.named for one in bad), max(one.seconds for one in rows)
        say(f"{name:10}{len(good):7}{accepted:10}{len(bad):7}{refused:9}{named:7}{slowest:9.2f}")
    odd = [one for one in judged if not one.named]
    for one in odd:
        want = f"mistake: {one.answer.mistake}" if one.answer.mistake else "a right answer"
        say(f"\n{one.answer.exercise} no. {one.answer.number}, {want}\n{one.outcome}")
    return not odd


def told(outcome) -> str:
    """Return what a check says to a wrong answer, with its heading where that is its own, without clock readings."""
    own = "" if outcome.status == "wrong" else f"**{outcome.heading}** "
    return own + re.sub(r"\d{12,}", "1234", outcome.message)


def without_numbers(text: str) -> str:
    """Return a message with a sign in place of each number."""
    return re.sub(r"-?\d+(\.\d+)?(e-?\d+)?", "#", text)


def likely(chosen: Sequence[Answer]) -> list[Answer]:
    """Return the first four wrong answers of each exercise: the likeliest, and others if these are told the same."""
    wrong: dict[str, list[Answer]] = {}
    for one in chosen:
        if one.mistake:
            wrong.setdefault(one.exercise, []).append(one)
    return [one for rows in wrong.values() for one in rows[:4]]


def likeliest(judged: Sequence[Judged]) -> dict[str, list[dict]]:
    """Return the first two different messages of each exercise, with number and mistake of the answer that gets it."""
    found: dict[str, dict[str, dict]] = {}
    for one in judged:
        says = told(one.outcome)
        row = {"answer": one.answer.number, "mistake": one.answer.mistake, "says": says}
        found.setdefault(one.answer.exercise, {}).setdefault(without_numbers(says), row)
    return {exercise: list(messages.values())[:2] for exercise, messages in found.items()}


def record(judged: Sequence[Judged]) -> None:
    """Write the likeliest messages into the file; exercises that were not judged stay as they are."""
    kept = json.loads(MESSAGES.read_text(encoding="utf-8")) if MESSAGES.exists() else {}
    kept = dict(sorted((kept | likeliest(judged)).items()))
    MESSAGES.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Judge the answers of the named lessons and exercises, or all; return 1 when one is not judged as stated."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    recorded = "--record" in arguments
    arguments = [name for name in arguments if name != "--record"]
    chosen = [one for one in answers() if not arguments or one.exercise in arguments or one.exercise[:2] in arguments]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COURSE_PROGRESS"] = str(Path(folder) / "progress.json")
        here = os.getcwd()
        os.chdir(folder)
        try:
            judged = list(judge(likely(chosen) if recorded else chosen, Course(Path(folder))))
            fine = report(judged)
            if recorded and fine:
                record(judged)
            return 0 if fine else 1
        finally:
            os.chdir(here)
