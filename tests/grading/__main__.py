"""Grade the class of 40 and hold its points against those that it deserves: `python -m tests.grading` (some minutes).

--only ada zoe     these submissions
--short            notebooks without the cells that train, for a quick look
--walls none       with weaker walls than the machine has
--folder DIR       keep the class in DIR
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.grading.submissions import CLASS, EXERCISES, Submission
from tools.grading import __main__ as command

LESSON = "02"


def hand_in(folder: Path, some: list[Submission], *, short: bool) -> None:
    """Write the assignment, and what each of them handed in."""
    if command.main(["assignments", str(folder), "--lessons", LESSON]):
        sys.exit("The assignment could not be written.")
    source = next((folder / "release" / LESSON).glob("*.ipynb"))
    release = nbformat.read(source, as_version=4)
    if short:
        # The list of 02.2 stays: an answer uses it.
        release.cells = [c for c in release.cells if "nbgrader" in c.metadata or c.source.startswith("by_hand")]
    for one in some:
        one.write(release, folder / "submitted" / one.name / LESSON / source.name)


def differences(folder: Path, some: list[Submission]) -> list[str]:
    """Return a sentence for each submission whose line in `grades.csv` is not as deserved."""
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as file:
        found = {row["student"]: row for row in csv.DictReader(file)}
    wrong = []
    for one in some:
        row = found.get(one.name, {})
        points = tuple(float(row.get(exercise) or "nan") for exercise in EXERCISES)
        if one.points is None:
            fine = row.get("status") == "not graded" and row["score"] == "" and row["why"]
        else:
            fine = row.get("status") == "graded" and points == one.points and float(row["score"]) == sum(one.points)
        if not fine:
            wrong.append(f"{one.name}: deserves {one.points or 'no grade'}, got {row}")
        elif one.says not in f"{row['why']}; {row['notes']}":
            wrong.append(f"{one.name}: the report does not say {one.says!r}: {row['why']}; {row['notes']}")
    return wrong


def main() -> int:
    """Grade the class, or some of it, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--folder", type=Path)
    options, more = parser.parse_known_args()
    some = [one for one in CLASS if not options.only or one.name in options.only]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        hand_in(folder, some, short=options.short)
        began = time.monotonic()
        command.main(["grade", str(folder), *more])
        wrong = differences(folder, some)
    print("\n".join(wrong))
    print(f"{len(some) - len(wrong)} of {len(some)} as deserved, in {(time.monotonic() - began) / 60:.1f} minutes.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
