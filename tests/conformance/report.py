"""Every trial over every writer, and the table that says which survived which."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import disks, kills, loading, power_cut, runs
from .processes import Child
from .writers import WRITERS, Atomic, ModelCheckpointKeras, RenameOnly, Resume, Writer

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "h5py", "numpy", "jax", "orbax-checkpoint")


@dataclass(frozen=True)
class Cell:
    """What a writer did in a trial: in words, and whether that is good; None where the trial does not concern it."""

    text: str
    good: bool | None = None


QUESTIONS = {
    "kill": "Killed at a random moment of a save: can the last complete save be read?",
    "power": "Power cut at any moment: can the last complete save be read?",
    "full": "Disk full: is the last save kept?",
    "right": "Folder not writable: is the last save kept?",
    "reader": "A reader beside the writer: does it always read a whole save?",
    "remote": "A write to a remote path fails: is the last save kept?",
    "loads": "Is what is loaded what was saved?",
    "resumed": "Killed and started again: does the run end like one never killed?",
    "best": "Is the best file kept across a restart?",
    "nan": "Weights become NaN and TerminateOnNaN ends the run: is a finite save left?",
}


@dataclass(frozen=True)
class Plan:
    """How much is tried; `trials` gives each writer its keys of `QUESTIONS`."""

    kills: int = 100
    resumed: int = 50
    saves_beside_a_reader: int = 200
    recorded_saves: int = 3
    trials: Mapping[type[Writer], tuple[str, ...]] = field(
        default_factory=lambda: dict.fromkeys(WRITERS, (*QUESTIONS,))
    )


# Keras's own writer shows that the trials can fail.
SHORT = Plan(
    kills=6,
    resumed=2,
    saves_beside_a_reader=40,
    recorded_saves=2,
    trials={
        ModelCheckpointKeras: ("power", "full", "remote"),
        Atomic: ("kill", "power", "full", "right", "reader", "remote"),
        Resume: ("kill", "power", "full", "right", "reader", "remote", "resumed"),
    },
)


def kill_cell(counts: dict[str, int]) -> Cell:
    total, whole = sum(counts.values()), counts.get("whole", 0)
    if whole == total:
        return Cell(f"all {total}", True)
    return Cell(", ".join(f"{number} {what}" for what, number in sorted(counts.items())), False)


def power_cell(counts: dict[str, int]) -> Cell:
    total, fine = sum(counts.values()), counts.get("fine", 0)
    if fine == total:
        return Cell(f"all {total} moments", True)
    bad = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()) if what != "fine")
    return Cell(f"{bad} of {total} moments", False)


def failed_save_cell(result: list[str] | str) -> Cell:
    if isinstance(result, str):
        return Cell("refuses such paths" if result.startswith("refused") else f"skipped: {result}")
    raised, left = result
    return Cell(f"{left} ({raised})", left == "kept")


def reader_cell(result: dict) -> Cell:
    text = (
        f"{result['failed']} of {result['reads']} reads failed" if result["failed"] else f"all {result['reads']} reads"
    )
    if result["writer failed"]:
        text += ", and the reader's lock failed the writer"
    return Cell(text, not result["failed"] and not result["writer failed"])


def best_cell(kept: bool | str) -> Cell:
    if isinstance(kept, str):
        return Cell(f"no: the second start raises {kept}", False)
    return Cell("yes" if kept else "no", kept)


def resumed_cell(counts: dict[str, int]) -> Cell:
    crashed = f", {counts['crashed']} could not start" if counts["crashed"] else ""
    return Cell(f"{counts['equal']} of {counts['runs']}{crashed}", counts["equal"] == counts["runs"])


def trials(
    kind: type[Writer], plan: Plan, folder: Path, record: Path | str
) -> Iterator[tuple[str, Callable[[], Cell]]]:
    """Yield each trial of a writer, ready to run, by its key in `QUESTIONS`."""
    yield "kill", lambda: kill_cell(kills.kills([kind], folder / "kills", plan.kills)[0])
    if isinstance(record, str):
        yield "power", lambda: Cell(f"skipped: {record}")
    else:
        yield "power", lambda: power_cell(power_cut.power_cut(kind, record, folder / "power"))
    yield "full", lambda: failed_save_cell(disks.disk_full(kind, folder))
    yield "right", lambda: failed_save_cell(disks.unwritable(kind, folder))
    yield "reader", lambda: reader_cell(disks.reader(kind, folder, plan.saves_beside_a_reader))
    yield "remote", lambda: failed_save_cell(disks.remote_write(kind, folder))
    yield (
        "loads",
        lambda: (lambda right, cases: Cell(f"{right} of {cases}", right == cases))(
            *loading.right_loads(kind, folder / "loads")
        ),
    )
    if kind.resumes:
        times = plan.resumed if kind is Resume else max(1, plan.resumed // 5)
        yield "resumed", lambda: resumed_cell(runs.killed_and_resumed(kind, folder / "resumed", times))
    else:
        yield "resumed", lambda: Cell("does not resume")
    if kind.saves_best or kind.resumes:
        yield "best", lambda: best_cell(runs.best_is_kept(kind, folder))
    else:
        yield "best", lambda: Cell("keeps no best")
    yield "nan", lambda: (lambda left: Cell(left, left == "finite"))(runs.into_nan(kind, folder))


def run_writers(
    tell: Callable[[list], None], kinds: list[type[Writer]], plan: Plan, folder: Path, record: Path | str
) -> None:
    """Tell the cells of some writers, each as [writer, trial, cell]."""
    for kind in kinds:
        for key, trial in trials(kind, plan, folder / kind.__name__, record):
            if key in plan.trials[kind]:
                tell([kind.name, key, asdict(trial())])


def run(plan: Plan, say: Callable[[str], None], jobs: int = 1) -> dict:
    """Run all trials, in `jobs` processes; return cells by writer and trial, and the two comparisons beside the table.

    Raises:
        RuntimeError: a trial failed.
    """
    here = [kind for kind in plan.trials if not kind.missing()]
    rows: dict[str, dict] = {kind.name: {} for kind in plan.trials}
    for kind in plan.trials:
        if kind.missing():
            say(f"{kind.name}: skipped, {' and '.join(kind.missing())} not installed")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        record: Path | str | None = power_cut.why_not()
        if record is None:
            say("recording what the writers ask of the system")
            record = power_cut.record(folder, [*here, RenameOnly], plan.recorded_saves)
        workers = [Child(run_writers, here[job::jobs], plan, folder, record) for job in range(jobs)]
        for worker in workers:
            for name, key, cell in worker.events():
                rows[name][key] = cell
                say(f"{name}: {key}: {cell['text']}")
        statuses = [worker.wait() for worker in workers]
        if any(statuses):
            raise RuntimeError("A trial failed; CONFORMANCE_LOUD=1 shows how.")
        pair = kills.kills([Atomic, ModelCheckpointKeras], folder / "pair", plan.kills, seed=1)
        say(f"AtomicCheckpoint and ModelCheckpoint in one process: {pair}")
        rename = None
        if isinstance(record, Path):
            rename = power_cut.power_cut(RenameOnly, record, folder / "rename")
            say(f"a rename without a flush: {rename}")
    return {"cells": rows, "pair": pair, "rename": rename}


# -- the page --------------------------------------------------------------------------------------------------------


def versions() -> list[str]:
    """Return what was running, without the name of the machine."""
    found = [f"{platform.system()} {re.match(r'[0-9.]+', platform.release())[0]}, Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    if power_cut.why_not() is None:
        answer = subprocess.run(["strace", "--version"], capture_output=True, text=True, check=True).stdout
        found.append(answer.splitlines()[0].replace("-- version ", ""))
    return found


def table(result: dict) -> str:
    """Return the table in Markdown: a line a trial, a column a writer."""
    names = list(result["cells"])
    lines = [" | ".join(["", *names]), " | ".join(["---"] * (len(names) + 1))]
    for key, question in QUESTIONS.items():
        if not any(key in row for row in result["cells"].values()):
            continue
        line = [question]
        for name in names:
            cell = result["cells"][name].get(key)
            if cell is None:
                line.append("not tried" if result["cells"][name] else "not installed")
                continue
            line.append({True: "✔ ", False: "✘ ", None: "– "}[cell["good"]] + cell["text"])
        lines.append(" | ".join(line))
    return "\n".join(f"| {line} |" for line in lines)


def page(result: dict, plan: Plan) -> str:
    """Return `docs/conformance.md`."""
    atomic, model_checkpoint = result["pair"]
    rename = result["rename"]
    rename_text = "" if rename is None else (
        f"\nThe same `AtomicCheckpoint` with its two `fsync` taken out, so that only the rename is left: "
        f"{power_cell(rename).text}. No kill shows this difference.\n"
    )  # fmt: skip
    return f"""# What checkpoints survive

Written by `make conformance`; do not edit by hand. {datetime.date.today().isoformat()}.
{"; ".join(versions())}.

{table(result)}

## What each line means

A save fills every weight with its number, so that a reader can tell which save it holds, and whether it holds parts
of two. All writers save after an epoch, on their defaults except where a line says otherwise; `OrbaxCheckpoint` is
waited for.

- **Killed.** Real processes that save without pause, about 1 MB a save, each killed by SIGKILL at a random moment of
  a later save; the line says how many. *Unreadable*: nothing can be loaded, or parts of two saves. *Older*: older than
  the last complete save.
- **Power cut.** `strace` records what a saving process asks of the system; after each call the disk is built as it
  may be when the power goes: nothing arrived that was not flushed; or all names and no unflushed content; or zeros in
  its place; or half of it; or all. A *moment* is one call with one of the five. *Lost*: a complete save is gone
  without a trace.
- **Disk full.** Another program writes until a small disk is full, and takes each byte that becomes free meanwhile.
  HDF5 may crash Python there, in some saves and not in others; the cell then says so.
- **Folder not writable.** The rights to folder and files are taken away between two saves.
- **A reader beside the writer** loads again and again while {plan.saves_beside_a_reader} saves are made without pause.
- **Remote write.** Keras treats `file:///...` as a remote path; the system refuses the second half of the write.
- **Loaded is saved.** In a fresh process and by a second model of the same process; Sequential and functional; model
  and layers named and not. `OrbaxCheckpoint` is read by `load_weights`.
- **Killed and started again.** Runs with dropout, a shuffling dataset, EarlyStopping, ReduceLROnPlateau and a best
  file, each killed at one to three random moments, in the middle of epochs and of saves. Equal means: loss of every
  epoch, stop epoch, best epoch and value, learning rate, files, the weights in them and in the model.
  (`BackupAndRestore` is equal where the kill came before its first save.)
- **Best across a restart.** A file with `save_best_only=True`, a kill, the script started again, and no better epoch.
  For `BackupAndRestore` and `ResumeState` an `AtomicCheckpoint` stands beside them.
- **NaN.** Saving every epoch, `delete_checkpoint=True` for `BackupAndRestore` (its default).

## Side by side

`AtomicCheckpoint` and `ModelCheckpoint` (`.keras`) in one process, saving in turn,
killed {sum(atomic.values())} times. The last complete save of `AtomicCheckpoint`: {kill_cell(atomic).text}.
Of `ModelCheckpoint`: {kill_cell(model_checkpoint).text}.
{rename_text}
## Run it

`make conformance` (some minutes) writes this page; `make conformance ARGS="--kills 10 --resumed 5"` tries less.
Where `strace` or the right to mount a small disk is missing, those lines say so. A short form is part of `make test`.
"""
