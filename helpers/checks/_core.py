"""The machinery of the checks: the register of exercises, the four outcomes, hints, solutions, expected errors.

For the author of `lessonNN.py`:

    from helpers.checks._core import Wrong, exercise, right, wrong

    @exercise("02.1")
    def patience_four(answer):
        if not isinstance(answer, keras.callbacks.EarlyStopping):
            return wrong("Expected an `EarlyStopping`, got ...")
        return right("It stops after ...")

`raise Wrong("...")` does the same as `return wrong("...")` from deep inside a helper; both take a `credit`, the part
of the exercise that is right all the same. Whatever else is raised becomes the outcome `raised`, or, when no line of
the learner and no call of Keras lies on its way, an honest "the check broke". A check has a budget (`_guard`), puts
back what the answer changed around it (`_world`), and looks first whether the answer's own cell failed (`_cell`).
"""

from __future__ import annotations

import contextlib
import dis
import html
import importlib
import json
import os
import pkgutil
import re
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from helpers import _cards, questions
from helpers.checks import _blame, _cell, _guard, _place, _progress, _repair, _world

Status = Literal["right", "wrong", "not attempted", "raised"]
SOLUTIONS = questions.ROOT / "notebooks" / "solutions"

_HEADINGS = {
    "right": "Right.",
    "wrong": "Not yet.",
    "not attempted": "Not attempted yet.",
    "raised": "Your code raised an error.",
}
_KINDS = {"right": "good", "wrong": "poor", "not attempted": "quiet", "raised": "bad"}


@dataclass(frozen=True, repr=False)
class Outcome(_cards.Shown):
    """What a check found.

    Attributes:
        exercise: id, such as "02.1".
        status: "right", "wrong", "not attempted" or "raised".
        message: why, for the learner.
        heading: the few words above the message.
        credit: the part of the exercise that is right, from 0 to 1; `float(outcome)` is the same, for grading.
        printed: what the learner's code printed while it was checked, shortened.
        notes: what the answer changed around it, and whether it was put back.
        broken: the check itself failed; the status is then "raised", and the message says whose fault it is.
    """

    exercise: str
    status: Status
    message: str
    heading: str = field(default="", compare=False)
    credit: float = field(default=0.0, compare=False)
    printed: str = field(default="", compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    broken: bool = field(default=False, compare=False)

    def __post_init__(self):
        if self.status not in _HEADINGS:
            raise ValueError(f"An outcome is one of {', '.join(_HEADINGS)}; got {self.status!r}.")
        if not self.heading:
            object.__setattr__(self, "heading", _HEADINGS[self.status])

    def __float__(self) -> float:
        return self.credit

    def _footer(self) -> str:
        if self.broken or self.status == "right":
            return ""
        if self.status == "not attempted":
            return "Write your answer into the cell above, run that cell, then this one again."
        return f'Stuck? `checks.hint("{self.exercise}")` gives a hint.'

    def __str__(self) -> str:
        lines = [f"Exercise {self.exercise}: {self.heading}"]
        lines += [_cards.plain(text) for text in (self.message, *self.notes, self._footer()) if text]
        if self.printed:
            lines += ["Your code printed:", self.printed]
        return "\n".join(lines)

    def to_html(self) -> str:
        """Return the outcome as an HTML card."""
        body = "".join(map(_cards.paragraphs, (self.message, *self.notes)))
        if self.printed:
            body += _cards.paragraphs("Your code printed:") + _cards.block(self.printed)
        if self._footer():
            body += f'<p style="margin:4px 0;opacity:.8">{_cards.inline(self._footer())}</p>'
        return _cards.card(f"Exercise {self.exercise} · {self.heading}", body, _KINDS[self.status])


@dataclass(frozen=True)
class Verdict:
    """What a checker returns; made by `right`, `wrong` and `not_attempted`."""

    status: Status
    message: str
    credit: float = 0.0
    guess: str | None = None


class Wrong(Exception):
    """Raised by shared means of the checkers: the answer is wrong. The arguments are those of `wrong`."""

    def __init__(self, message: str, credit: float = 0.0, guess: str | None = None):
        super().__init__(message)
        self.verdict = wrong(message, credit, guess)


def right(message: str = "") -> Verdict:
    """Say that the answer is right, and what it does."""
    return Verdict("right", message, 1.0)


def wrong(message: str, credit: float = 0.0, guess: str | None = None) -> Verdict:
    """Say that the answer is not right yet, and which misconception lies behind it.

    Args:
        message: why, for the learner: a cause only where it was proven, else what happened and what was expected.
        credit: the part of what was asked that is right all the same, from 0 to less than 1.
        guess: given where the message names no cause: what to look at, in words that hold whatever the cause is, ""
            for nothing to say. What `_repair` finds is said behind it.
    """
    if not 0 <= credit < 1:
        raise ValueError(f"A wrong answer earns a part of 1, from 0 to less than 1; got {credit!r}.")
    return Verdict("wrong", message, credit, guess)


def not_attempted(message: str = "") -> Verdict:
    """Say that the answer is still the stub, where `untouched` cannot see it."""
    return Verdict("not attempted", message)


_CHECKERS: dict[str, Callable[[object], Verdict]] = {}
_PIECES: dict[Callable, Mapping[str, str]] = {}
_NAMES: dict[Callable, Sequence[str]] = {}
_NONE_IS_BLANK: set[Callable] = set()
_hints_given: dict[str, int] = {}


def exercise(
    id: str, names: Sequence[str] = (), pieces: Mapping[str, str] | None = None, none_is_blank: bool = False
) -> Callable[[Callable], Callable]:
    """Register the decorated function as the checker of an exercise.

    It gets the answer and returns `right(...)` or `wrong(...)`. It never sees `...`, None or an empty stub.

    Args:
        id: the exercise.
        names: of the parts of an answer that the check cell hands over as a tuple.
        pieces: right expressions of the exercise, each with words, see `_edits.edits`.
        none_is_blank: whether the untouched cell hands over None; elsewhere None is a mistake of the answer.

    Raises:
        ValueError: the id is malformed, or taken by another function.
    """
    questions.split(id, "exercise")

    def register(checker: Callable) -> Callable:
        other = _CHECKERS.get(id)
        if other is not None and (other.__module__, other.__qualname__) != (checker.__module__, checker.__qualname__):
            raise ValueError(f"Exercise {id} has two checkers: {other.__qualname__} and {checker.__qualname__}.")
        _CHECKERS[id] = checker
        _PIECES[checker], _NAMES[checker] = pieces or {}, names
        if none_is_blank:
            _NONE_IS_BLANK.add(checker)
        return checker

    return register


def lessons() -> tuple[str, ...]:
    """List the lessons that have a module of checks."""
    package = importlib.import_module("helpers.checks")
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(name.removeprefix("lesson") for name in names if re.fullmatch(r"lesson\d\d[a-z]?", name)))


def registered(lesson: str) -> tuple[str, ...]:
    """Load the checks of a lesson and list the ids of its exercises, in order."""
    if lesson in lessons():
        importlib.import_module(f"helpers.checks.lesson{lesson}")
    ids = (id for id in _CHECKERS if id.partition(".")[0] == lesson)
    return tuple(sorted(ids, key=lambda id: (len(id), id)))


def _checker(id: str) -> Callable[[object], Verdict]:
    lesson, _ = questions.split(id, "exercise")
    known = registered(lesson)
    if id in known:
        return _CHECKERS[id]
    if known:
        raise ValueError(f"Lesson {lesson} has no exercise {id!r}. It has: {', '.join(known)}.")
    others = ", ".join(sorted({*lessons(), *(name.partition(".")[0] for name in _CHECKERS)})) or "none"
    raise ValueError(f"There is no exercise {id!r}: lesson {lesson} has none. Lessons with exercises: {others}.")


def check(id: str, answer: object = ...) -> Outcome:
    """Check an answer to an exercise, show the outcome and return it.

    Args:
        id: the exercise, such as "02.1".
        answer: the learner's object; `...`, or a class or function whose body is still empty count as not attempted,
            as does a tuple, list or dict that holds the first.

    Returns:
        One of four outcomes; it shows itself once, also as the last line of a cell.

    Raises:
        ValueError: there is no such exercise; the sentence lists what exists.
        AssertionError: the environment variable COURSE_STRICT is set, as in the tests of the solutions edition, and
            the answer is not right.
    """
    id = ".".join(questions.split(id, "exercise"))
    trouble = _cell.trouble(id, answer)
    outcome = judge(id, answer, trouble)
    if trouble is None and not outcome.broken and outcome.status != "not attempted":
        _progress.record_check(id, solved=outcome.status == "right", credit=outcome.credit)
    outcome.show()
    _show_notes()
    if os.environ.get("COURSE_STRICT") and outcome.status != "right":
        raise AssertionError(str(outcome))
    return outcome


def judge(id: str, answer: object, trouble: _cell.Trouble | None = None) -> Outcome:
    """Return what `check` shows, without showing or recording anything; `trouble` is that of the answer's cell.

    Raises:
        ValueError: there is no such exercise.
    """
    checker = _checker(id)
    if trouble is not None:
        return Outcome(id, "raised" if trouble.failed else "not attempted", trouble.message, trouble.heading)
    return _judge(id, checker, answer)


def _judge(id: str, checker: Callable[[object], Verdict], answer: object) -> Outcome:
    """Run a checker within its budget, and make an outcome of whatever comes of it."""
    printed, world = _guard.Printed(), _world.Watched(answer)
    before, guess = _repair.Before(answer), None
    _place.begin()
    try:
        # A callback that prints may be driven over hundreds of epochs, and Keras warns at each missing metric.
        with (
            world,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(),
            _guard.limit(),
        ):
            warnings.simplefilter("ignore")
            verdict = _not_begun(answer, checker) or checker(answer)
            if not isinstance(verdict, Verdict):
                raise _NoVerdict(f"its checker returned {type(verdict).__name__} in place of a verdict")
    except Wrong as reason:
        verdict = reason.verdict
    except _NoVerdict as error:
        verdict = _blame.course_fault(str(error))
    except Exception as error:
        verdict = _blame.explain(error, answer, checker)
    except BaseException as error:
        verdict = _blame.ended(error, checker)
    if isinstance(verdict, Verdict):
        outcome, guess = Outcome(id, verdict.status, verdict.message, credit=verdict.credit), verdict.guess
    else:
        outcome = Outcome(id, "raised", verdict.message, verdict.heading, broken=verdict.course)
        guess = "" if verdict.theirs else None
    if guess is not None:
        outcome = replace(outcome, message=_with_its_cause(outcome.message, guess, answer, before, checker))
    if outcome.status == "wrong" and (slip := _blame.idle_line(answer) or _blame.on_the_class(answer)):
        outcome = replace(outcome, message=f"{outcome.message}\n\n{slip}")
    return replace(outcome, printed=printed.shown(), notes=tuple(world.notes))


def _with_its_cause(told: str, guess: str, answer: object, before: _repair.Before, checker: Callable) -> str:
    """Return a message with the guess, and with the change that makes the answer right where there is one."""
    cause = ""
    # The Stop button ends the search, and the verdict stands.
    with contextlib.suppress(KeyboardInterrupt), _world.Watched(answer), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cause = _repair.found(answer, before, checker, _PIECES.get(checker, {}))
    return "\n\n".join(part for part in (f"{told} {guess}".strip(), cause) if part)


class _NoVerdict(Exception):
    """A checker returned something else."""


def untouched(answer: object) -> bool:
    """Say whether an answer is still the stub: `...`, a container with one, an empty class or function."""
    if answer is ...:
        return True
    if isinstance(answer, Mapping):
        return any(part is ... for part in answer.values())
    if type(answer) in (tuple, list):
        return any(part is ... for part in answer)
    if isinstance(answer, types.FunctionType):
        return _empty_body(answer)
    kind = answer if isinstance(answer, type) else type(answer)
    return kind.__module__ == "__main__" and _empty_class(kind) and not _inherits_behaviour(kind)


_NOTHING = (
    "what was assigned to it gives nothing back. Methods such as `append` and `sort` change a list and return None, "
    "and "
    "so does a function without `return`."
)


def _not_begun(answer: object, checker: Callable) -> Verdict | None:
    """Return what to say of an answer that no checker should see: a stub, or None; None for all others."""
    names = _NAMES.get(checker, ())
    if answer is None:
        return not_attempted() if checker in _NONE_IS_BLANK else wrong(f"The answer is None: {_NOTHING}")
    called = []
    if type(answer) in (tuple, list):
        count = len(answer)
        called = [f"Number {number} of the {count} things that the check looks at" for number in range(1, count + 1)]
        called = [f"`{name}`" for name in names] if len(names) == count else called
    if called and any(part is not None and part is not ... for part in answer):
        said = [
            f"{name} is still `...`." if part is ... else f"{name} is None: {_NOTHING}"
            for name, part in zip(called, answer, strict=True) if part is None or part is ...
        ]  # fmt: skip
        if said:
            return (wrong if all(part is not ... for part in answer) else not_attempted)(" ".join(said))
    if type(answer) in (tuple, list) and answer and all(part is None for part in answer):
        return wrong(f"The answer is None: {_NOTHING}")
    return not_attempted() if untouched(answer) else None


def _inherits_behaviour(kind: type) -> bool:
    """Say whether a class that may be empty can do something, as it comes from one of Keras's callbacks."""
    return any(base.__module__.startswith("keras.") and "on_epoch_end" in vars(base) and base.__name__ != "Callback"
               for base in kind.__mro__)  # fmt: skip


def _empty_class(kind: type) -> bool:
    """Say whether a class adds nothing of its own: no attributes, and no function with a body."""
    made_by_python = {"__firstlineno__", "__static_attributes__", "__annotations__", "__doc__", "__dict__"}
    own = {
        name: value
        for name, value in vars(kind).items()
        if name not in made_by_python | {"__module__", "__qualname__", "__weakref__"}
    }
    return all(isinstance(value, types.FunctionType) and _empty_body(value) for value in own.values())


def _empty_body(function: types.FunctionType) -> bool:
    """Say whether a function does nothing but return None: `...`, `pass` or a docstring alone."""
    steps = [
        step
        for step in dis.get_instructions(function)
        if step.opname not in ("RESUME", "NOP", "COPY_FREE_VARS", "CACHE")
    ]
    return (
        len(steps) <= 2
        and steps[-1].opname in ("RETURN_VALUE", "RETURN_CONST")
        and all(step.argval is None for step in steps)
    )


@dataclass(frozen=True, repr=False)
class Hint(_cards.Shown):
    """One hint, or several once all have been given; numbers count from 1."""

    exercise: str
    first: int
    total: int
    texts: tuple[str, ...]

    def _headings(self) -> list[str]:
        return [f"Hint {self.first + n} of {self.total}" for n in range(len(self.texts))]

    def _footer(self) -> str:
        if self.first + len(self.texts) - 1 < self.total:
            return f'Not enough? `checks.hint("{self.exercise}")` once more gives the next.'
        return f'That was the last. `checks.solution("{self.exercise}")` shows an answer and why it is right.'

    def __str__(self) -> str:
        lines = [f"{h}: {_cards.plain(t)}" for h, t in zip(self._headings(), self.texts, strict=True)]
        return "\n".join([f"Exercise {self.exercise}", *lines, self._footer()])

    def to_html(self) -> str:
        """Return the hints as an HTML card."""
        body = "".join(
            _cards.paragraphs(f"**{h}**\n\n{t}" if len(self.texts) > 1 else t)
            for h, t in zip(self._headings(), self.texts, strict=True)
        )
        body += f'<p style="margin:4px 0;opacity:.8">{_cards.inline(self._footer())}</p>'
        heading = self._headings()[0] if len(self.texts) == 1 else "All hints"
        return _cards.card(f"Exercise {self.exercise} · {heading}", body, "note")


def hint(id: str = "") -> Hint | _cards.Note:
    """Show the next hint of an exercise, and all of them once the last has been given.

    People type this call by hand: where there is no such exercise, a note says which there are.
    """
    try:
        texts = questions.exercise(id)
    except ValueError as error:
        return _shown_note(error)
    id, hints = texts.id, texts.hints
    given = _hints_given.get(id, 0)
    _hints_given[id] = given + 1
    first, texts = (given, hints[given : given + 1]) if given < len(hints) else (0, hints)
    shown = Hint(id, first + 1, len(hints), texts)
    shown.show()
    return shown


@dataclass(frozen=True, repr=False)
class Solution(_cards.Shown):
    """One right answer and why it is right; other answers may be right too."""

    exercise: str
    title: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"Exercise {self.exercise}, one answer:\n\n{self.code}\n\n{_cards.plain(self.reason)}"

    def to_html(self) -> str:
        """Return the solution as an HTML card."""
        heading = f"Exercise {self.exercise} · {self.title}: one answer"
        return _cards.card(heading, _cards.block(self.code) + _cards.paragraphs(self.reason), "note")


def solution(id: str = "") -> Solution | _cards.Note:
    """Show an answer from the solutions edition, with its reason.

    A note says so where there is no such exercise, or where the solutions edition has no cell for it.
    """
    try:
        texts = questions.exercise(id)
        shown = Solution(texts.id, texts.title, solution_code(texts.id), texts.reason)
    except ValueError as error:
        return _shown_note(error)
    shown.show()
    return shown


def _shown_note(error: ValueError) -> _cards.Note:
    note = _cards.Note(str(error), "poor")
    note.show()
    return note


def solution_code(id: str, folder: Path | None = None) -> str:
    """Return the answer's code from the solutions edition: the cell whose first line is `# Exercise 02.1`.

    What follows a line `# solution` is the answer; where there is no such line, all but the first line is.

    Raises:
        ValueError: no cell answers the exercise.
    """
    folder = folder or SOLUTIONS
    lesson, _ = questions.split(id, "exercise")
    first = re.compile(rf"#\s*Exercise {re.escape(id)}(?![\w.])")
    for notebook in sorted(folder.glob(f"{lesson}*.ipynb")):
        try:
            cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        for cell in cells:
            source = "".join(cell.get("source", "")).strip()
            if cell.get("cell_type") != "code" or not first.match(source):
                continue
            lines = source.splitlines()[1:]
            marks = [number for number, line in enumerate(lines) if line.strip().lower() == "# solution"]
            code = "\n".join(lines[marks[0] + 1 :] if marks else lines).strip("\n")
            if code.strip():
                return code
    raise ValueError(
        f"The solutions edition has no answer to exercise {id}. It lives in notebooks/solutions; `make notebooks` "
        "writes it again."
    )


class expect_error:
    """Run a block that must raise, and show the error calmly: `with checks.expect_error(ValueError): ...`.

    Args:
        kind: the exception type, or a tuple of types; subclasses count.
        match: a regular expression that must be found in the message.

    Attributes:
        error: the exception, after the block.

    Raises:
        AssertionError: nothing was raised, another type was, or the message differs.
    """

    def __init__(self, kind: type[BaseException] | tuple[type[BaseException], ...], match: str | None = None):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not kinds or not all(isinstance(k, type) and issubclass(k, BaseException) for k in kinds):
            raise TypeError(f"expect_error takes an exception type such as ValueError, not {kind!r}.")
        self.kinds = kinds
        self.match = match
        self.error: BaseException | None = None

    def __enter__(self) -> expect_error:
        return self

    def __exit__(self, kind, error, traceback) -> bool:
        expected = " or ".join(k.__name__ for k in self.kinds)
        if error is None:
            raise AssertionError(f"Expected {expected}, but nothing was raised.")
        if not isinstance(error, self.kinds):
            if not isinstance(error, Exception):
                return False  # an interrupt of the kernel is not a matter of this block
            raise AssertionError(f"Expected {expected}, but {type(error).__name__} was raised: {error}") from error
        if self.match is not None and not re.search(self.match, str(error)):
            raise AssertionError(
                f"{type(error).__name__} was raised as expected, but its message does not match {self.match!r}: {error}"
            ) from error
        self.error = error
        ExpectedError(type(error).__name__, str(error)).show()
        return True


@dataclass(frozen=True, repr=False)
class ExpectedError(_cards.Shown):
    """An error that was meant to happen, as `expect_error` shows it."""

    kind: str
    message: str

    def __str__(self) -> str:
        return f"As expected, {self.kind}: {self.message}"

    def to_html(self) -> str:
        """Return the error as an HTML card."""
        return _cards.card(f"As expected, `{self.kind}`", _cards.block(self.message), "quiet")


@dataclass(frozen=True)
class LessonProgress:
    """What is done in one lesson: ids of exercises and predictions, done and in all; and the points.

    `points` is the sum of the best credit of each exercise, so that three exercises are worth 3 at the most. `late`
    are the predictions that were answered after their run, which do not count.
    """

    lesson: str
    title: str
    solved: tuple[str, ...]
    exercises: tuple[str, ...]
    predicted: tuple[str, ...]
    predictions: tuple[str, ...]
    predicted_right: int
    points: float = 0.0
    late: tuple[str, ...] = ()

    @property
    def begun(self) -> bool:
        """Whether anything was answered."""
        return bool(self.solved or self.predicted or self.late or self.points)

    @property
    def done(self) -> bool:
        """Whether every exercise is solved and every prediction answered, in time or late."""
        answered = len(self.predicted) + len(self.late)
        return self.begun and len(self.solved) == len(self.exercises) and answered == len(self.predictions)

    @property
    def code(self) -> str:
        """The same in a few words to read out: "03: 2 of 3, predictions 4 of 6"; what is late does not count."""
        words = [f"{len(self.solved)} of {len(self.exercises)}"] if self.exercises else []
        words += [f"predictions {len(self.predicted)} of {len(self.predictions)}"] if self.predictions else []
        return f"{self.lesson}: {', '.join(words) or 'nothing to do here'}"


@dataclass(frozen=True, repr=False)
class Progress(_cards.Shown):
    """What is done in each lesson; shows itself as a table."""

    lessons: tuple[LessonProgress, ...]

    @property
    def solved(self) -> int:
        """Number of exercises solved in all lessons."""
        return sum(len(lesson.solved) for lesson in self.lessons)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = []
        for one in self.lessons:
            done = f"{len(one.solved)} of {len(one.exercises)}" if one.exercises else "none here"
            left = [name for name in one.exercises if name not in one.solved]
            if one.solved and left:
                done += f" (left: {', '.join(left)})"
            if one.points > len(one.solved):
                done += f", {one.points:.1f} points"
            made = f"{len(one.predicted)} of {len(one.predictions)}" if one.predictions else "none here"
            if one.predicted:
                made += f" ({one.predicted_right} right)"
            rows.append((one.lesson, one.title, done, made))
        return rows

    def __str__(self) -> str:
        rows = [("Lesson", "", "Exercises solved", "Predictions made"), *self._rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def to_html(self) -> str:
        """Return the progress as an HTML table."""
        left = "text-align:left;padding:2px 12px 2px 0"
        head = "".join(
            f'<th scope="col" style="{left}">{h}</th>' for h in ("Lesson", "Exercises solved", "Predictions made")
        )
        body = ""
        for lesson, title, done, made in self._rows():
            cells = "".join(f'<td style="{left}">{html.escape(cell)}</td>' for cell in (done, made))
            name = f"{lesson} {_cards.inline(title)}"
            body += f'<tr><th scope="row" style="{left};font-weight:400">{name}</th>{cells}</tr>'
        return f'<table style="margin:4px 0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def progress() -> Progress:
    """Return what is done so far, lesson by lesson; as the last line of a cell it shows a table."""
    state = _progress.read()
    kept = state["predictions"]
    rows = []
    for name in questions.lessons():
        lesson = questions.load(name)
        answered = {id: entry for id in lesson.predictions if (entry := kept.get(id, {}))}
        # What was chosen after the run is no prediction.
        made = {id: entry for id, entry in answered.items() if not entry.get("late")}
        rows.append(
            LessonProgress(
                lesson=name,
                title=lesson.title,
                solved=tuple(id for id in lesson.exercises if state["exercises"].get(id, {}).get("solved")),
                exercises=tuple(lesson.exercises),
                predicted=tuple(made),
                predictions=tuple(lesson.predictions),
                predicted_right=sum(bool(entry.get("right")) for entry in made.values()),
                points=sum(_credit(state["exercises"].get(id, {})) for id in lesson.exercises),
                late=tuple(id for id in answered if id not in made),
            )
        )
    _show_notes()
    return Progress(tuple(rows))


def code(lesson: str | None = None) -> _cards.Note:
    """Return the learner's progress in one lesson as a code to read out, "03: 2 of 3, predictions 4 of 6".

    Exercises solved, then predictions made before their run.

    Args:
        lesson: such as "03"; None takes the one that this notebook began. 03b counts with 03, whose texts it shares.
    """
    from helpers import lesson as notebook

    asked = notebook.begun() if lesson is None else str(lesson).zfill(2)
    rows = {one.lesson: one for one in progress().lessons}
    found = rows.get(questions.home(asked)) if asked else None
    if found is None:
        return _cards.Note(f'Which lesson? Write one of them, as in `checks.code("02")`: {", ".join(rows)}.', "poor")
    return _cards.Note(found.code)


def _credit(entry: Mapping) -> float:
    """Return the best credit of an exercise; a record from before credits were kept says only whether it was solved."""
    return 1.0 if entry.get("solved") else float(entry.get("credit", 0.0))


def reset_progress() -> None:
    """Start again from nothing; the old progress file is set aside, not deleted."""
    aside = _progress.set_aside()
    _hints_given.clear()
    if aside is not None:
        _cards.Note(f"Progress starts again from nothing. The old record is kept beside it as `{aside.name}`.").show()
    else:
        _cards.Note("Progress starts again from nothing.").show()
    _show_notes()


def _show_notes() -> None:
    for sentence in _progress.take_notes():
        _cards.Note(sentence, "poor").show()
