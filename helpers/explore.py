"""Which patience would have been right? The command `which-patience LOG...`, or `python -m helpers.explore LOG...`.

It says what EarlyStopping would have done with a training that has already run, in a terminal, as JSON, or as a page
with the explorer. It needs NumPy and nothing else.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers import explored, history, replay, words
from helpers.explored import Explored, Settings
from helpers.history import Run

__all__ = ["main"]

_NAME = "which-patience"
_EXAMPLES = """examples:
  which-patience training.log                  the smallest patience that reaches the best, and what each costs
  which-patience training.log --patience 5     what patience 5 would have done
  which-patience logs/ --monitor val_accuracy  all logs of a folder, those below it too
  which-patience log.csv --run 2               the second fit in a file that holds several
  ssh host cat run/log.csv | which-patience -  from another machine
  which-patience log.csv --html page.html      a page to drag patience over, for any browser

A log is what CSVLogger writes, the JSON of a History, lines of records, a trainer_state.json, what Keras printed, a
TensorBoard folder, and much that is like these. Exit status: 0, or 2 if something could not be read."""
# The arguments of history.read_history that answer its questions.
_ANSWERS = ("validation_freq", "epochs_from", "restarts", "rows", "decimal", "names", "nan")
# Rows of the table of outcomes; a curve with more bests than this has them early.
_ROWS = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status.

    Args:
        argv: The arguments; None takes those of the process.
    """
    parser = _parser()
    given = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # A run may have a name that a console cannot write.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = _run(parser, given)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us has seen enough (`| head`). Python would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_NAME, description="Say which patience of EarlyStopping would have been right for a training that ran.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("logs", nargs="+", metavar="LOG", help="a file, a folder, or - for standard input")
    add("--monitor", metavar="NAME", help="the metric (val_loss, or the only metric of validation)")
    add("--mode", choices=("min", "max"), help="whether small or large is good; else the name tells")
    add("--patience", type=int, action="append", metavar="N", help="say what this patience does; may be repeated")
    for name, kind, usual in (("min_delta", float, 0.0), ("start_from_epoch", int, 0), ("baseline", float, None)):
        add(_option(name), type=kind, default=usual, metavar="X", help="as in EarlyStopping")
    add(
        "--restore-best-weights", action=argparse.BooleanOptionalAction, default=True,
        help="as in EarlyStopping, but on unless it is put off: the question is which epochs were worth running",
    )  # fmt: skip
    add("--json", action="store_true", help="print JSON; epochs count from 1")
    add("--html", metavar="PAGE", type=Path, help="write a page with the explorer, which needs no network")
    asked = parser.add_argument_group("answers, where a log leaves two readings")
    add = asked.add_argument
    add("--run", metavar="N", help="of several runs, its number or name")
    add("--epochs-from", type=int, choices=(0, 1), help="how the log counts epochs")
    add("--restarts", choices=("new", "resumed", "sorted"), help="what it means that epochs go back")
    add("--rows", choices=("last", "each"), help="what several lines of one epoch mean")
    add("--decimal", choices=(".", ","), help="the decimal sign")
    add("--names", type=_list, metavar="A,B,...", help="names of the columns, if there is no head line")
    add("--nan", choices=("loss", "missing"), help="what NaN means")
    add("--validation-freq", type=_freq, metavar="N", help="as given to fit")
    return parser


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _list(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _freq(text: str) -> int | list[int]:
    numbers = [int(part) for part in text.split(",")]
    return numbers if "," in text else numbers[0]


# -- reading ----------------------------------------------------------------------------------------------------------


def _run(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    chosen = {name: getattr(given, name) for name in ("min_delta", "start_from_epoch", "baseline")}
    try:
        for patience in given.patience or (0,):
            replay.early_stopping([0.0], patience=patience, **chosen)
        settings = Settings(**chosen, restore_best_weights=given.restore_best_weights)
    except ValueError as error:
        parser.error(_as_options(str(error)))
    if given.html is not None and given.json:
        parser.error("--json and --html do not go together")
    runs, troubles = _read(given)
    answers = []
    for run in runs:
        try:
            answers.append(_Answer(run, given, settings))
        except ValueError as error:
            troubles.append((run.name, str(error)))
    if given.html is not None and answers:
        try:
            _write_page(answers, given, settings)
        except (OSError, ValueError) as error:
            troubles.append((str(given.html), _reason(error)))
    elif given.json:
        print(json.dumps([answer.as_json() for answer in answers], indent=2))
    elif answers:
        print("\n\n".join(answer.as_text() for answer in answers))
        if len(answers) > 1:
            most = max(len(answer.seen.table) for answer in answers) - 1
            print("\n" + explored.summary([answer.seen for answer in answers], most)["said"])
    sys.stdout.flush()
    for name, trouble in troubles:
        print(f"{_NAME}: {name}: {_as_options(' '.join(trouble.split()))}", file=sys.stderr)
    return 2 if troubles else 0


def _read(given: argparse.Namespace) -> tuple[list[Run], list[tuple[str, str]]]:
    """Read all logs; return the runs, and a name and a reason for each that cannot be read."""
    answers = {name: getattr(given, name) for name in _ANSWERS}
    runs: list[Run] = []
    troubles: list[tuple[str, str]] = []
    for log in given.logs:
        try:
            source = {"stdin": sys.stdin.buffer} if log == "-" else log
            found = list(history.read_runs(source, monitor=given.monitor or "val_loss", **answers).values())
        except (OSError, ValueError) as error:
            troubles.append((log, _reason(error)))
            continue
        if given.run is not None:
            chosen = [run for place, run in enumerate(found, start=1) if given.run in (run.name, str(place))]
            if not chosen:
                names = ", ".join(f"{place}: {run.name}" for place, run in enumerate(found, start=1))
                troubles.append((log, f"There is no run {given.run}. There are: {names}."))
            found = chosen
        # Two folders may each have a training.log.
        known = {run.name for run in runs}
        found = [dataclasses.replace(run, name=f"{log}: {run.name}") if run.name in known else run for run in found]
        troubles += [(run.name, run.problem) for run in found if run.problem]
        runs += [run for run in found if not run.problem]
    return runs, troubles


def _reason(error: Exception) -> str:
    # An OSError of the system has a text of its own; ours are sentences.
    return str(error.strerror) if isinstance(error, OSError) and error.strerror else str(error)


def _as_options(text: str) -> str:
    """Write `epochs_from=1` of a message as the option that a command takes."""
    names = "|".join((*_ANSWERS, "run", "mode", "monitor"))

    def option(found: re.Match[str]) -> str:
        value = re.sub(r'["\[\]\s]', "", found[2])
        return f"{_option(found[1])} {value}" if re.fullmatch(r"[\w,.]*\w", value) else f"{_option(found[1])} '{value}'"

    text = re.sub(rf"\b({names})=(\[[^\]]*\]|\"[^\"]*\"|\w+)", option, text)
    return text.replace("as monitor", "with --monitor")


# -- answering --------------------------------------------------------------------------------------------------------


class _Answer:
    """What every patience does to one run.

    Args:
        run: The run.
        given: The options of the command.
        settings: Those of EarlyStopping but patience.

    Raises:
        ValueError: If the run cannot be explored.
    """

    def __init__(self, run: Run, given: argparse.Namespace, settings: Settings) -> None:
        self.run = run
        self.monitor = given.monitor or _watched(run)
        most = max(given.patience or (0,))
        self.seen = Explored(run, self.monitor, mode=given.mode, settings=settings, least=most)
        enough = self.seen.enough
        self.patiences = given.patience or ([] if enough is None else [enough])
        self.best = self.seen.values[run.epochs.index(self.seen.top)]

    def outcome(self, patience: int) -> str:
        """Say what one patience does."""
        ran = int(self.seen.table.epochs_run[patience])
        return words.plain(f"{self.seen.sentence(patience)} {words.spared(ran, len(self.run.epochs))}")

    def rows(self) -> list[dict[str, Any]]:
        """Return the patiences that find the same best as one row each; epochs count from 1."""
        table, rows = self.seen.table, []
        starts = np.flatnonzero(
            np.diff(table.best_epoch, prepend=-1) | np.diff(table.stopped, prepend=~table.stopped[0])
        )
        for a, b in zip(starts, [*starts[1:], len(table)], strict=True):
            missed = abs(float(table.best[a]) - self.best)
            rows.append(
                {
                    "patience": [int(a), int(b) - 1 if table.stopped[a] else None],
                    "stops": bool(table.stopped[a]),
                    "last_epoch": [int(table.last_epoch[a]) + 1, int(table.last_epoch[b - 1]) + 1],
                    "epochs_run": [int(table.epochs_run[a]), int(table.epochs_run[b - 1])],
                    "best_epoch": int(table.best_epoch[a]) + 1,
                    "best": _plain_number(table.best[a]),
                    "missed": _plain_number(missed),
                }
            )
        return rows

    def as_json(self) -> dict[str, Any]:
        """Return everything for a script."""
        return {
            "run": self.run.name,
            "monitor": self.monitor,
            "mode": self.seen.mode,
            "epochs": len(self.run.epochs),
            "first_epoch": self.run.epochs[0] + 1,
            "last_epoch": self.run.epochs[-1] + 1,
            "counted_from": self.run.counted_from,
            "best_epoch": self.seen.top + 1,
            "best": _plain_number(self.best),
            "smallest_patience": self.seen.enough,
            "outcomes": self.rows(),
            "says": {str(patience): self.outcome(patience) for patience in self.patiences},
            "notes": list(self.run.notes),
        }

    def as_text(self) -> str:
        """Return everything for a person."""
        better = "smaller" if self.seen.mode == "min" else "larger"
        parts = [f"{self.run.name}: {self.monitor} over {history.span(self.run)}; {better} is better."]
        parts += [f"Note: {_as_options(note)}" for note in self.run.notes]
        parts.append(words.plain(self.seen.said))
        parts += [self.outcome(patience) for patience in self.patiences]
        lines = [textwrap.fill(part, 100, break_long_words=False, break_on_hyphens=False) for part in parts]
        return "\n".join([*lines, "", *self._table()])

    def _table(self) -> list[str]:
        """Return the table of outcomes, as lines."""
        cells = [["patience", "stops after", "epochs run", "best by then", "missed"]]
        rows, count = self.rows(), len(self.run.epochs)
        for row in rows[:_ROWS]:
            low, high = row["patience"]
            if row["stops"]:
                who = f"{low}" if low == high else f"{low} or {high}" if high == low + 1 else f"{low} to {high}"
                end = _between(row["last_epoch"], "epoch ")
            else:
                who, end = f"{low} or more", "nothing"
            share = _between([round(100 * run / count) for run in row["epochs_run"]], "")
            ran = f"{_between(row['epochs_run'], '')} ({share} %)"
            best = "no value" if row["best"] is None else f"epoch {row['best_epoch']} ({words.number(row['best'])})"
            cells.append([who, end, ran, best, "-" if row["missed"] is None else words.number(row["missed"])])
        widths = [max(len(line[place]) for line in cells) for place in range(5)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
        if len(rows) > _ROWS:
            lines.append(f"... and {len(rows) - _ROWS} more; --json has them all.")
        lines.append("Missed: how much worse than the best of all, if the best weights are put back or were saved.")
        return [line.rstrip() for line in lines]


def _watched(run: Run) -> str:
    """Return the metric to watch where nobody said: val_loss, or the only one of validation."""
    found = run.validation_metrics
    return found[0] if "val_loss" not in run and len(found) == 1 else "val_loss"


def _between(ends: Sequence[int], word: str) -> str:
    return f"{word}{ends[0]}" if ends[0] == ends[1] else f"{word}{ends[0]} to {ends[1]}"


def _plain_number(value: Any) -> float | None:
    """Return a float for JSON, which knows no NaN."""
    return float(value) if value is not None and math.isfinite(value) else None


def _write_page(answers: list[_Answer], given: argparse.Namespace, settings: Settings) -> None:
    """Write the explorer as a page.

    Raises:
        ValueError: If the runs watch different metrics.
        OSError: If the page cannot be written.
    """
    monitors = {answer.monitor for answer in answers}
    if len(monitors) > 1:
        raise ValueError(
            f"A page is about one metric, and here are {', '.join(sorted(monitors))}: give one as monitor."
        )
    first = answers[0]
    text = explored.page(
        {answer.run.name: answer.run for answer in answers}, monitor=first.monitor, mode=first.seen.mode,
        patience=(first.patiences or [1])[0], settings=settings, title=f"Which patience? {first.run.name}",
    )  # fmt: skip
    given.html.write_text(text, encoding="utf-8")
    print(f"Wrote {given.html} ({len(text.encode()) // 1000 + 1} kB): open it in a browser.")


if __name__ == "__main__":
    sys.exit(main())
