"""The commands behind `make assignments` and `make grade`: `python -m tools.grading assignments|grade DIR`."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from . import assignment, report, sandbox
from .limits import Budget
from .submission import Result

HOW_TO_INSTALL = "Nbgrader is not installed here. `make grade` installs it, or `python tools/setup_env.py grading`."


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.grading", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("assignments", help="write nbgrader's folder with assignments and their releases")
    grade = commands.add_parser("grade", help="grade what lies in DIR/submitted")
    for one in (write, grade):
        one.add_argument("folder", type=Path, metavar="DIR")
        one.add_argument("--lessons", default="", help='such as "02 03"; all that can be graded, if none is named')
    budget = Budget()
    grade.add_argument("--jobs", type=int, default=min(4, (os.cpu_count() or 1) + 1), help="notebooks at a time")
    grade.add_argument("--walls", choices=["bwrap", "unshare", "none"], help="take these, not the strongest that work")
    grade.add_argument("--cell-seconds", type=float, default=budget.cell_cpu, help="of the processor, for one cell")
    grade.add_argument("--memory", type=float, default=budget.memory / 1e9, help="of one notebook, in GB")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do it; return the exit status: 1 where something could not be done."""
    options = _options().parse_args(arguments)
    try:
        from . import group
    except ImportError as error:
        if not (error.name or "").startswith("nbgrader"):
            raise
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 1
    if options.folder.resolve().is_relative_to(assignment.ROOT):
        print("The folder lies in the course, which every submission may read: take one beside it.", file=sys.stderr)
        return 1
    try:
        return _assignments(options, group) if options.command == "assignments" else _grade(options, group)
    except (ValueError, OSError, group.NbgraderError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What was judged is kept: run the same command again to go on.", file=sys.stderr)
        return 130


def _assignments(options: argparse.Namespace, group) -> int:
    written = assignment.write(options.folder, options.lessons.split())
    group.release(options.folder, written)
    for lesson in written:
        file = next((options.folder / "release" / lesson).glob("*.ipynb"))
        print(f"{file}: give this to the class; collect it in {options.folder}/submitted/NAME/{lesson}/{file.name}")
    return 0


def _grade(options: argparse.Namespace, group) -> int:
    lessons = options.lessons.split() or sorted(path.name for path in (options.folder / "source").glob("*"))
    if not any(report.handed_in(options.folder, lesson) for lesson in lessons):
        place = options.folder / "submitted" / "NAME" / (lessons or ["02"])[0]
        raise ValueError(f"Nothing to grade: put each notebook into a folder like {place}.")
    walls, began, lock, cpu = sandbox.find(options.walls), time.monotonic(), threading.Lock(), []
    print(f"{os.cpu_count()} processors; {walls.words}", flush=True)

    def tell(result: Result) -> None:
        with lock:
            cpu.append(result.cpu)
            print(report.line(result), flush=True)

    budget = replace(Budget(), cell_cpu=options.cell_seconds, memory=int(options.memory * 1e9))
    rows = group.grade(options.folder, lessons, walls, budget, options.jobs, tell)
    print(f"\n{report.table(rows)}\n{time.monotonic() - began:.0f} seconds, {sum(cpu):.0f} of the processor. "
          f"Points: {options.folder}/grades.csv; for the learners: {options.folder}/feedback")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
