"""Whose error is it, where did it happen, and what does it mean: for the outcome "Your code raised ...".

The judge is the traceback: an error that passed through a line of the learner is theirs; one that passed through
Keras while it used their answer probably is, and is told as that; any other is a fault of the check, and said to be.
"""

from __future__ import annotations

import builtins
import difflib
import dis
import inspect
import linecache
import re
import sysconfig
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from helpers import _cards
from helpers.checks import _guard, _place

_HELPERS = Path(__file__).resolve().parent.parent
_PATHS = sysconfig.get_paths()
_EPOCH = "(self, epoch, logs=None)"
_BATCH = "(self, batch, logs=None)"
_WHOLE = "(self, logs=None)"
HOOKS = {
    **{f"on_epoch_{end}": _EPOCH for end in ("begin", "end")},
    **{f"on_{kind}_{end}": _WHOLE for kind in ("train", "test", "predict") for end in ("begin", "end")},
    **{f"on_{kind}batch_{end}": _BATCH for kind in ("", "train_", "test_", "predict_") for end in ("begin", "end")},
}


@dataclass(frozen=True)
class Blame:
    """What to show of an error; `course` says that the check is at fault, `theirs` that a line of the learner is."""

    heading: str
    message: str
    course: bool = False
    theirs: bool = False


def course_fault(what: str) -> Blame:
    """Say that the check is at fault: `what` goes on the sentence "The check itself broke: ..."."""
    return Blame(
        "The check itself broke.",
        f"This is a mistake in the course, not in your answer: {what}. Your answer was not judged. "
        "Please report it, with your answer, to the people who keep the course.",
        course=True,
    )


def explain(error: Exception, answer: object, checker: Callable | None = None) -> Blame:
    """Say whose error it is, show the learner's line, and put the usual mistakes in plain words.

    Args:
        error: what was raised while the answer was checked, with its traceback.
        answer: the learner's object, searched for the functions that the message names.
        checker: the checker; its own lines are the course's, wherever they stand.
    """
    frames = [(kind(frame, checker), frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    theirs = [(frame.f_code.co_filename, line) for whose, frame, line in frames if whose == "learner"]
    place = theirs[-1] if theirs else _signature_place(error, answer)
    name = type(error).__name__
    said = f"{name}: {_text(error)}"
    happened = _place.words()
    # An attribute that the course's own stand-in lacks is the course's fault, unless the learner asked for it.
    lacking = getattr(error, "obj", None) if isinstance(error, AttributeError) else None
    stand_in = type(lacking).__module__.startswith("helpers.")
    keras = any(whose == "keras" for whose, _, _ in frames)
    if place is None and (stand_in or not (keras or happened)):
        return course_fault(f"`{said}`")
    parts = [f"```\n{said}\n```"]
    words = _plain_words(error, answer)
    if place is None and keras:
        heading = f"Keras raised {name} while it used your answer."
        parts.append(
            words_about_settings(error, [*_used(error), *_callbacks(answer)])
            or ("It happened inside Keras, with what your answer handed to it: look at the settings you passed.")
        )
    else:
        heading = f"Your code raised {name}."
        if place is not None:
            parts.append(where(*place))
    if happened:
        parts.append(f"It happened {happened}.")
    if words:
        parts.append(f"**In plain words:** {words}")
    parts += [f"{note}" for note in getattr(error, "__notes__", ())]
    return Blame(heading, "\n\n".join(parts), theirs=place is not None)


def ended(error: BaseException, checker: Callable | None = None) -> Blame:
    """Say why a check was ended from outside: by the time limit, by the Stop button, or by an `exit()`."""
    happened = _place.words()
    parts = [f"It was {happened}." if happened else ""]
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
              if kind(frame, checker) == "learner"]  # fmt: skip
    if isinstance(error, _guard.TimeUp):
        heading = f"Ended after {_guard.SECONDS:.0f} seconds."
        told = "Your code did not come to an end. Is there a loop that never ends, or a `sleep`?"
    elif isinstance(error, KeyboardInterrupt) and frames and linecache.getline(*frames[-1]).strip().startswith("raise"):
        heading = "Your code raised KeyboardInterrupt."
        told = "It stands for the Stop button. To end a training, set `self.model.stop_training = True`."
    elif isinstance(error, KeyboardInterrupt):
        heading, told = "Stopped.", "The check was stopped before it was done, so the answer was not judged."
    elif isinstance(error, SystemExit | GeneratorExit):
        heading = "Your code wanted to end the program."
        told = (
            "A call such as `exit()` or `sys.exit()` ends all of Python, not only the training. To end a training, set "
            "`self.model.stop_training = True`; to leave a function, `return`."
        )
    else:
        heading, told = f"Your code raised {type(error).__name__}.", f"```\n{type(error).__name__}: {error}\n```"
    if frames:
        parts.append(where(*frames[-1]))
    return Blame(heading, "\n\n".join(part for part in (told, *parts) if part))


def kind(frame: types.FrameType, checker: Callable | None = None) -> str:
    """Say whose line a frame is: "course", "keras", "library" or "learner"."""
    if checker is not None and frame.f_code is getattr(checker, "__code__", None):
        return "course"
    return _whose(frame.f_code.co_filename, frame.f_globals)


def of_the_learner(function: types.FunctionType) -> bool:
    """Say whether a function was written by the learner."""
    return _whose(function.__code__.co_filename, function.__globals__) == "learner"


def _whose(name: str, scope: Mapping) -> str:
    package = scope.get("__name__", "").partition(".")[0]
    if name.startswith("<frozen") or name.startswith("<__array_function__"):
        return "library"
    path = Path(name)
    if path.is_relative_to(_HELPERS):
        return "course"
    if package in ("keras", "tensorflow"):
        return "keras"
    if {"site-packages", "dist-packages"} & set(path.parts) or _inside(path, "stdlib", "platstdlib", "purelib"):
        return "library"
    return "learner"


def words_about_settings(error: Exception, answer: object) -> str:
    """Name the argument or the function that led to an error inside Keras; "" where none can be told."""
    text = str(error)
    for callback in _callbacks(answer):
        # Keras keeps functions, the learner's among them, as attributes, and calls them with what a hook gets.
        for hook in HOOKS:
            given = vars(callback).get(hook)
            if given is not None and ("argument" in text or "not callable" in text):
                return (
                    f"Keras calls what you passed as `{hook}` with {HOOKS[hook].replace('self, ', '')}: give it a "
                    f"function that takes these, such as `lambda {HOOKS[hook][7:-1].replace('=None', '')}: ...`."
                )
        for name in ("patience", "min_delta", "start_from_epoch", "baseline", "factor", "cooldown", "min_lr"):
            value = getattr(callback, name, None)
            if isinstance(value, str | list | tuple | dict):
                return f"`{name}` should be a number, without quotes or brackets; yours is `{value!r}`."
        if isinstance(getattr(callback, "monitor", ""), str) is False:
            return f"`monitor` should be one name in quotes; yours is `{callback.monitor!r}`."
        if "_improvement" in text or "mode" in text:
            return f"Keras does not know whether `{callback.monitor}` should rise or fall: pass `mode`."
    return ""


def _used(error: Exception) -> Iterator[object]:
    """Yield the callbacks whose methods an error passed through, the innermost first."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        one = frame.f_locals.get("self")
        if any(base.__name__ == "Callback" for base in type(one).__mro__):
            yield one


def _callbacks(answer: object) -> Iterator[object]:
    parts = answer if isinstance(answer, list | tuple) else [answer]
    for part in parts:
        if isinstance(part, list | tuple):
            yield from _callbacks(part)
        elif any(base.__name__ == "Callback" for base in type(part).__mro__):
            yield part


def forgot_super_init(callback: object) -> bool:
    """Say whether a callback's class has an `__init__` of its own that never calls its parent's."""
    init = vars(type(callback)).get("__init__")
    return isinstance(init, types.FunctionType) and "__init__" not in init.__code__.co_names


# Words that learners, and other libraries, use in the names of hooks.
_WORDS = {"training": "train", "fit": "train", "epochs": "epoch", "batches": "batch", "validation": "test",
          "start": "begin", "started": "begin", "starts": "begin", "begins": "begin", "beginning": "begin",
          "finish": "end", "finished": "end", "finishes": "end", "stop": "end", "done": "end", "over": "end",
          "complete": "end", "completed": "end", "ends": "end", "ended": "end",
          "after": "end", "before": "begin"}  # fmt: skip


def meant_hook(name: str, cutoff: float = 0.75) -> str | None:
    """Return the hook that is probably meant by a name, by its words first and then by its letters."""
    in_words = "_".join(_WORDS.get(word, word) for word in name.strip("_").lower().split("_"))
    if in_words in HOOKS:
        return in_words
    return next(iter(difflib.get_close_matches(in_words, HOOKS, n=1, cutoff=cutoff)), None)


def misspelt_hooks(callback: object) -> dict[str, str]:
    """Find methods named like hooks that Keras never calls, each with the hook that was probably meant."""
    kind_ = callback if isinstance(callback, type) else type(callback)
    own = [name for base in kind_.__mro__ if not base.__module__.startswith("keras.") for name in vars(base)]
    found = {}
    for name in own:
        meant = meant_hook(name)
        if name not in HOOKS and meant and name.startswith(("on", "_on", "On")):
            found[name] = meant
    return found


def of_a_cell(error: BaseException, source: str) -> str:
    """Say in plain words why a cell failed, for the check of the answer that it should have made."""
    told = (
        "The cell with your answer ended with an error when it last ran, so there is no new answer, and an older one "
        "is not judged. Mend that cell and run it, then run this one again."
    )
    if isinstance(error, KeyboardInterrupt):
        return "The cell with your answer was stopped before it was done. Run it to its end, then run this one again."
    said = f"{type(error).__name__}: {_text(error)}" if str(error) else type(error).__name__
    line = ""
    if isinstance(error, SyntaxError):
        said = f"{type(error).__name__}: {error.msg}"
        lines = source.splitlines()
        if error.lineno and error.lineno <= len(lines):
            text = lines[error.lineno - 1].strip()
            line = f"\n\nLine {error.lineno} of the cell, or the one above it:\n\n```\n{text}\n```"
    elif (number := _line_in(error, source)) is not None:
        line = f"\n\nLine {number} of the cell:\n\n```\n{source.splitlines()[number - 1].strip()}\n```"
    words = _plain_words(error, None)
    return f"{told}\n\n```\n{said}\n```{line}" + (f"\n\n**In plain words:** {words}" if words else "")


def _line_in(error: BaseException, source: str) -> int | None:
    """Return the line of a cell at which an error left it."""
    lines = source.splitlines()
    for frame, line in traceback.walk_tb(error.__traceback__):
        if kind(frame) == "learner" and frame.f_code.co_name == "<module>" and 0 < line <= len(lines):
            return line
    return None


_SYNTAX = {
    "incomplete input": "the cell ends in the middle of something: a closing bracket or quote is missing.",
    "was never closed": "a bracket is opened there and never closed.",
    "unterminated": "a text begins there with a quote and does not end: the second quote is missing.",
    "unmatched": "there is a closing bracket too many.",
    "does not match": "a bracket is closed by one of another kind.",
    "expected ':'": "a line that begins a block (`def`, `class`, `if`, `for`) ends with a colon.",
    "forgot a comma": "between two arguments there is a comma missing, or a bracket before them.",
    "Maybe you meant '=='": "in a condition, equality is written `==`; and an argument's name is a plain name.",
    "expected an indented block": "the lines of a block stand four blanks further to the right than its first line.",
    "unexpected indent": "a line begins further to the right than the one above it.",
    "unindent does not match": "a line begins neither below its block nor below the line that began it.",
    "inconsistent use of tabs": "the lines begin with tabs and with blanks; use blanks only.",
    "'return' outside function": "`return` stands outside the function: its line is not indented as far as the others.",
    "positional argument follows keyword": "arguments without a name come before those with one.",
    "keyword argument repeated": "one argument is given twice.",
    "non-default argument follows": "in a `def`, arguments without a default come first.",
    "cannot assign": "what stands left of `=` has to be a name.",
    "invalid syntax": (
        "Python cannot read this line: look for a missing comma, bracket, quote or colon there or before."
    ),
}


def _about_syntax(error: SyntaxError) -> str:
    return next((words for part, words in _SYNTAX.items() if part in (error.msg or "")), _SYNTAX["invalid syntax"])


def _about_local(error: UnboundLocalError) -> str:
    """Say that an assignment makes a name the function's own, and what to do when another of that name was meant."""
    name = match[1] if (match := re.search(r"variable '(\w+)'", str(error))) else "name"
    return (
        f"a variable was read before it got a value: an assignment in a function (`=`, `+=`) makes `{name}` the "
        f"function's own. For state that outlives one call write `self.{name}`; a list from outside is changed by its "
        "methods, such as `append`."
    )


def _about_name(error: NameError) -> str:
    """Say what to do about a name that is not known, and which known one was probably meant."""
    shell = _cards.shell()
    known = [*(shell.user_ns if shell is not None else ()), *HOOKS, *dir(builtins)]
    name = getattr(error, "name", None) or ""
    frame = _last_frame(error)
    here = frame.f_locals.get("self") if frame is not None else None
    if name and hasattr(here, name):
        return f"`{name}` alone is not known there. Your object has it: write `self.{name}`."
    elsewhere = _is_local_elsewhere(here, frame, name)
    if elsewhere:
        return (
            f"`{name}` is known only inside `{elsewhere}`, where it is set. What one hook leaves for another has to "
            f"stand in the object: write `self.{name}`, there and here."
        )
    close = [one for one in difflib.get_close_matches(name, known, n=1, cutoff=0.75) if not one.startswith("_")]
    meant = f" Did you mean `{close[0]}`?" if close else ""
    who = f"`{name}`" if name else "that name"
    return (
        f"{who} is not known there.{meant} Run the cell that defines it, look for a typing mistake, or write `self.` "
        "before it."
    )


def _is_local_elsewhere(here: object, frame: types.FrameType | None, name: str) -> str:
    """Return another method of the learner's object that has a variable of this name; "" for none."""
    for method, value in vars(type(here)).items():
        code = getattr(value, "__code__", None)
        if code is not None and code is not frame.f_code and name in code.co_varnames:
            return method
    return ""


def and_(names: Sequence[str]) -> str:
    """Write names as code, with commas and an "and"."""
    marked = [f"`{name}`" for name in names]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]}"


def _inside(path: Path, *names: str) -> bool:
    return any(path.is_relative_to(_PATHS[name]) for name in names)


def _text(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str) and " " not in text:
        return repr(text)
    # Keras ends some messages with the arguments of a whole call; the first lines say it.
    lines = text.strip().splitlines()
    return "\n".join([*lines[:8], "..."] if len(lines) > 8 else lines)


def where(filename: str, line: int) -> str:
    """Show a line of the learner's, with its cell and its number."""
    code = linecache.getline(filename, line).strip()
    running = _cards.shell()
    cell = None
    if running is not None:
        # IPython knows which cell a compiled file stands for.
        cell = getattr(running.compile, "_filename_map", {}).get(filename)
    if cell is not None:
        place = f"In your cell [{cell}], line {line}"
    elif filename.startswith("<") or "ipykernel" in filename:
        place = f"In your code, line {line}"
    else:
        place = f"In {Path(filename).name}, line {line}"
    return f"{place}:\n\n```\n{code}\n```" if code else f"{place}."


def learners_functions(answer: object, depth: int = 0) -> Iterator[types.FunctionType]:
    """Yield the learner's functions in an answer: its own, its class's, those of its parts."""
    if depth > 3:
        return
    if isinstance(answer, types.FunctionType):
        yield answer
    elif isinstance(answer, types.MethodType):
        yield answer.__func__
    elif isinstance(answer, Mapping):
        for part in answer.values():
            yield from learners_functions(part, depth + 1)
    elif isinstance(answer, (tuple, list)):
        for part in answer:
            yield from learners_functions(part, depth + 1)
    elif answer is not None:
        for base in (answer if isinstance(answer, type) else type(answer)).__mro__:
            # Keras's own functions and Python's are not the learner's.
            if base.__module__.partition(".")[0] not in ("keras", "builtins", "tensorflow", "helpers"):
                yield from (value for value in vars(base).values() if isinstance(value, types.FunctionType))
        # A LambdaCallback keeps the learner's functions as attributes.
        yield from (
            value for value in getattr(answer, "__dict__", {}).values() if isinstance(value, types.FunctionType)
        )


def on_the_class(answer: object) -> str:
    """Show a line of the learner that sets an attribute of its class, which all objects share; "" for none."""
    for part in answer if isinstance(answer, list | tuple) else [answer]:
        kind_ = part if isinstance(part, type) else type(part)
        for function in learners_functions(kind_) if kind_.__module__ == "__main__" else ():
            steps = [step for step in dis.get_instructions(function) if step.opname != "CACHE"]
            for step, after in pairwise(steps):
                line = step.positions.lineno if step.positions else None
                itself = step.opname == "LOAD_GLOBAL" and step.argval == kind_.__name__
                if itself and after.opname == "STORE_ATTR" and line:
                    return (
                        f"{where(function.__code__.co_filename, line)}\n\nThis sets `{after.argval}` on the class, "
                        "which "
                        f"all its objects share. An object's own is `self.{after.argval}`, set in `on_train_begin`."
                    )
    return ""


def idle_line(answer: object) -> str:
    """Show a line of the learner that compares, or names something, and does no more; "" where there is none."""
    for function in learners_functions(answer):
        steps = [step for step in dis.get_instructions(function) if step.opname != "CACHE"]
        for step, after in pairwise(steps):
            line = step.positions.lineno if step.positions else None
            if step.opname == "COMPARE_OP" and "==" in step.argrepr and after.opname == "POP_TOP" and line:
                return (
                    f"{where(function.__code__.co_filename, line)}\n\nThis line compares and changes nothing: `==` "
                    "asks whether two things are equal. To set a value, write one `=`."
                )
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and after.opname == "POP_TOP" and line:
                name = step.argval if isinstance(step.argval, str) else step.argrepr
                return (
                    f"{where(function.__code__.co_filename, line)}\n\nThis line names `{name}` and does nothing with "
                    "it. A function is called with brackets behind its name; a value is set with `=`."
                )
    return ""


_CALL = re.compile(r"^(?P<name>[\w.<>]+)\(\) (takes|missing|got an unexpected|got multiple|got some)")


def _called(error: Exception, answer: object) -> types.FunctionType | None:
    """Return the learner's function that could not even be called, if that is what the error says."""
    match = _CALL.match(str(error)) if isinstance(error, TypeError) else None
    if match is None:
        return None
    return next((f for f in learners_functions(answer) if match["name"] in (f.__qualname__, f.__name__)), None)


def _signature_place(error: Exception, answer: object) -> tuple[str, int] | None:
    function = _called(error, answer)
    if function is None:
        return None
    first = function.__code__.co_firstlineno
    filename = function.__code__.co_filename
    for line in range(first, first + 10):  # decorators come first
        if re.match(r"\s*(async\s+)?def\b|.*\blambda\b", linecache.getline(filename, line)):
            return filename, line
    return filename, first


def _plain_words(error: Exception, answer: object) -> str:
    """Put the usual mistakes in plain words; an empty string for all others."""
    text = str(error)
    if isinstance(error, SyntaxError):
        return _about_syntax(error)
    function = _called(error, answer)
    if function is not None:
        return _about_call(function, text)
    if isinstance(error, AttributeError):
        return _about_attribute(error, text)
    if isinstance(error, KeyError):
        key = error.args[0] if error.args else ""
        if isinstance(key, str) and key.startswith("Failed to format this callback filepath"):
            return "the file name asks in curly brackets for a metric that is not in `logs` at that moment."
        return (
            f"there is no {key!r} in the dictionary at that moment. If you mean `logs`: is the name right, letter for "
            "letter? And is this the moment? Names with `val_` come only at the end of an epoch that was validated."
        )
    if "NoneType" in text and isinstance(error, TypeError):
        if "not supported between" in text or "unsupported operand" in text:
            return (
                "one side is None. Either nothing has been stored yet to compare with, as in the first epoch, or the "
                "metric was missing from `logs`."
            )
        if "not subscriptable" in text or "not iterable" in text:
            return "a value that you use as a dictionary or list is None there. `logs` is None in some hooks."
        if "not callable" in text:
            return "something that should be a function is None: it was not set before it was called."
    if isinstance(error, TypeError) and "object cannot be interpreted as an integer" in text:
        return (
            "a whole number belongs there, and yours is not of such a type, even where it has no fraction. `/` never "
            "gives one; `//` does between whole numbers, and `int(...)` makes one."
        )
    if isinstance(error, UnboundLocalError):
        return _about_local(error)
    if isinstance(error, NameError):
        return _about_name(error)
    if isinstance(error, RecursionError):
        return "a function calls itself without end; a hook perhaps calls itself in place of `super()`."
    if isinstance(error, TypeError) and (
        match := re.search(r"__init__\(\) got an unexpected keyword argument '(\w+)'", text)
    ):
        return f"there is no argument `{match[1]}`. Look at its spelling, and at which class you are calling."
    if isinstance(error, TypeError) and "'History' object is not subscriptable" in text:
        return "a `History` is no dictionary. Its values stand in `history.history`, its epochs in `history.epoch`."
    if _raised_on_purpose(error):
        return (
            "your own line raises it, and an error ends the whole program, not only the training. To end a training, "
            "set `self.model.stop_training = True`."
        )
    if isinstance(error, FileNotFoundError) or text.startswith("File not found"):
        return "there is no such file or folder. Look at the path, and whether anything was saved there."
    return ""


def _raised_on_purpose(error: BaseException) -> bool:
    """Say whether a `raise` of a hook is the line where an error began."""
    frames = list(traceback.walk_tb(error.__traceback__))
    frame, line = frames[-1] if frames else (None, 0)
    return (
        frame is not None
        and kind(frame) == "learner"
        and frame.f_code.co_name in HOOKS
        and linecache.getline(frame.f_code.co_filename, line).strip().startswith("raise ")
    )


def _about_call(function: types.FunctionType, text: str) -> str:
    name = function.__name__
    if name in HOOKS:
        named = " It passes `logs` by name, so it must be called that." if "keyword argument 'logs'" in text else ""
        return (
            f"Keras calls this hook with other arguments than yours takes.{named} Its first line should be:\n\n"
            f"```\ndef {name}{HOOKS[name]}:\n```"
        )
    unexpected = re.search(r"unexpected keyword argument '(\w+)'", text)
    if unexpected:
        names = [p for p in inspect.signature(function).parameters if p != "self"]
        takes = ", ".join(f"`{name}`" for name in names) or "nothing"
        return f"it was called with `{unexpected[1]}=`, which it does not take. It takes: {takes}."
    return "it was called with another number of arguments than its first line names. The exercise says which it gets."


def _last_frame(error: BaseException) -> types.FrameType | None:
    """Return the learner's innermost frame that an error passed through."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if kind(frame) == "learner"]
    return frames[-1] if frames else None


def _is_an_argument(error: BaseException, name: str) -> bool:
    """Say whether the function that read `self.name` got an argument of that name."""
    frame = _last_frame(error)
    return frame is not None and name in frame.f_code.co_varnames[: frame.f_code.co_argcount]


def _about_attribute(error: AttributeError, text: str) -> str:
    obj, name = getattr(error, "obj", None), error.name or ""
    if "has no setter" in text and "'model'" in text:
        return "Keras gives each callback its `self.model`; it cannot be set. Use another name for a model of your own."
    if obj is None and "NoneType" in text:
        if name in ("get", "items", "keys", "values"):
            return "`logs` is None there. Begin with `logs = logs or {}`."
        if name in ("stop_training", "optimizer", "get_weights", "set_weights", "save"):
            return "`self.model` is None there: Keras sets it when training begins, so it cannot be used in `__init__`."
        return f"something is None where an object with `{name}` was expected; it was not set before."
    if isinstance(obj, type):
        return ""
    if isinstance(obj, types.ModuleType) and obj.__name__ == "keras.backend":
        return (
            (
                f"`keras.backend.{name}` is of older versions. The optimizer's rate is read with "
                "`float(self.model.optimizer.learning_rate)` and set by assigning to it."
            )
            if name in ("get_value", "set_value")
            else ""
        )
    if name == "optimizer" and hasattr(obj, "layers"):
        return (
            "this model is not compiled, so it has no optimizer. `compile=False` leaves out what the file holds of it."
        )
    gone = {
        "validation_data": "Keras 3 gives callbacks no `validation_data`. Pass the data to your callback's `__init__`.",
        "lr": "the optimizer's rate is called `learning_rate`; `lr` is gone from Keras 3.",
    }
    if name in gone:
        return gone[name]
    if any(base.__name__ == "Callback" for base in type(obj).__mro__):
        if slips := misspelt_hooks(obj):
            wrong, meant = next(iter(slips.items()))
            return f"`self.{name}` was never set. Keras knows no hook `{wrong}`, so nobody calls it: write `{meant}`."
        if forgot_super_init(obj):
            return (
                f"`self.{name}` was never set. Your `__init__` does not call `super().__init__()`, which sets up what "
                "the parent class needs; make it the first line there."
            )
        close = difflib.get_close_matches(name, [n for n in vars(obj) if not n.startswith("_")], n=1, cutoff=0.8)
        if type(obj).__module__.startswith("keras."):
            meant = f" Did you mean `{close[0]}`?" if close else ""
            return f"Keras's `{type(obj).__name__}` has no attribute `{name}`.{meant}"
        if _is_an_argument(error, name):
            return f"`self.{name}` was read before it was set. The argument is called `{name}`, without `self.`."
        return (
            f"`self.{name}` was read before it was set. Set it in `on_train_begin`, so that each fit begins afresh."
            + (f" Or did you mean `self.{close[0]}`?" if close else "")
        )
    return ""
