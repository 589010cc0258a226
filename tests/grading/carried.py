"""Whether an answer is judged the same after it was carried to another process: `python -m tests.grading.carried [02]`.

Takes the bank of answers (`tests/checks/bank`), all but those of lesson 10 and those that run into a time limit.
Prints each answer whose status or credit differs, or that cannot be carried. Takes some minutes.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from helpers.checks import _cell, _core
from tests.checks import bank
from tools.grading import carry


def _names(exercise: str) -> tuple[str, ...]:
    return _cell.checked_names(f'checks.check("{exercise}", {bank.handed_over()[exercise]})')[exercise]


def _outcome(exercise: str, scope: dict) -> list:
    values = {name: scope.get(name, _cell.Unknown(name)) for name in _names(exercise)}
    answer = eval(bank.handed_over()[exercise], {"__builtins__": {}}, values)
    outcome = _core.judge(exercise, answer, _cell.trouble(exercise, answer, "", []))
    return [outcome.status, round(outcome.credit, 3), outcome.message]


def pack(folder: Path, lessons: list[str]) -> list[dict]:
    """Judge each answer here, and pack it; return what was found."""
    course, found = bank.Course(folder), []
    for answer in bank.answers():
        if answer.slow or answer.exercise.startswith("10.") or not (not lessons or answer.exercise[:2] in lessons):
            continue
        scope = course.scope(answer.exercise)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(answer.code, "<answer>", "exec"), scope)
        except Exception:
            continue  # its cell fails, so there is nothing to carry
        file = str(folder / f"{len(found)}.pickle")
        carry.pack(file, list(_names(answer.exercise)), scope)
        found.append({"exercise": answer.exercise, "number": answer.number, "file": file, "code": answer.code,
                      "here": _outcome(answer.exercise, scope)})  # fmt: skip
    return found


def unpack(found: list[dict]) -> list[dict]:
    """Judge what another process packed."""
    for one in found:
        try:
            values, _ = carry.unpack(Path(one["file"]))
            one["there"] = _outcome(one["exercise"], values)
        except Exception as error:
            one["there"] = ["not carried", 0, f"{type(error).__name__}: {error}"]
    return found


def main() -> int:
    """Pack here, judge in another process, and compare."""
    if sys.argv[1:2] == ["--there"]:
        print(json.dumps(unpack(json.loads(sys.stdin.read()))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = pack(Path(folder), sys.argv[1:])
        there = subprocess.run([sys.executable, "-m", "tests.grading.carried", "--there"], input=json.dumps(found),
                               capture_output=True, text=True)  # fmt: skip
    if there.returncode:
        sys.exit(there.stderr)
    found = json.loads(there.stdout.splitlines()[-1])
    other = [one for one in found if one["here"][:2] != one["there"][:2]]
    for one in other:
        print(f"\n{one['exercise']} no. {one['number']}\n{one['code']}\nhere:  {one['here']}\nthere: {one['there']}")
    words = sum(one["here"][2] != one["there"][2] for one in found)
    print(f"{len(found) - len(other)} of {len(found)} answers are judged the same; the words differ for {words}.")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
