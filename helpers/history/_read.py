"""From what a person has (a History, a dict, lists, files, folders, several of them) to runs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from helpers.history import _bytes, _console, _events, _json
from helpers.history._cells import describe
from helpers.history._run import Run, is_metric_like, listed
from helpers.history._shape import Answers, epoch_name, runs_of
from helpers.history._table import Table, table_of

# What a log may be called; `.gz` may follow.
_ENDINGS = (".csv", ".tsv", ".log", ".txt", ".json", ".jsonl", ".ndjson", ".out", ".dat")
# Every log that is read has one of these names or is given itself; other files of a folder are no logs if they fail.
_SURE = (".csv", ".tsv", ".jsonl")
_MOST_FILES, _DEEPEST = 500, 6


class _NoLogError(ValueError):
    """A table in a folder of logs that is about something else."""


def read_history(
    source: Any,
    *,
    monitor: str = "val_loss",
    run: int | str | None = None,
    validation_freq: int | Iterable[int] | None = None,
    epochs_from: int | None = None,
    restarts: str | None = None,
    rows: str | None = None,
    decimal: str | None = None,
    names: Iterable[str] | None = None,
    nan: str | None = None,
) -> Run:
    """Read one run.

    Args:
        source: A Keras `History` (or anything with a mapping as `.history`), a mapping of lists (a pandas `DataFrame`
            works too), a list of numbers or of records, the path of a log, an open file, or whatever `read_runs`
            takes, if it holds one run.
        monitor: The name that a bare list of numbers gets.
        run: Which of several runs: its number, from 1, or its name.
        validation_freq: As given to `fit`, where it cannot be inferred: a number, or a list of epochs from 1.
        epochs_from: Whether the log counts epochs from 0 or from 1.
        restarts: What it means when the epochs go back: `"new"`, another fit begins; `"resumed"`, the same fit went
            on from there, and its later lines count; `"sorted"`, the lines are out of order.
        rows: What several lines of one epoch mean: `"last"`, the last value counts; `"each"`, each line (or each
            validation, if there are any) is taken for an epoch of its own.
        decimal: `"."`, or `","` where a comma stands before the decimals.
        names: The names of the columns, for a file without a head line.
        nan: Whether NaN is a `"loss"` (as it is where nothing is said) or stands for a `"missing"` value.

    Returns:
        A `Run`. One that was read already comes back as it is.

    Raises:
        ValueError: If there is nothing to read, or two readings are possible: the message asks, with the argument
            that answers.
        FileNotFoundError: If a path does not exist.
    """
    if isinstance(source, Run) and run is None:
        return source
    answers = Answers(validation_freq, epochs_from, restarts, rows, decimal, names, nan)
    return _chosen(_collected(source, monitor, answers), run, source)


def read_runs(source: Any, *, monitor: str = "val_loss", **answers: Any) -> dict[str, Run]:
    """Read one run or several.

    Args:
        source: What `read_history` takes; a file that holds several runs; a folder of logs, with those below it; or
            a list, or a dict by name, of any of these.
        monitor: The name that a bare list of numbers gets.
        answers: The other arguments of `read_history` but `run`.

    Returns:
        Name to run, in the order given (files of a folder in natural order, `run2` before `run10`). A run that cannot
        be read is there too, with its `problem`.

    Raises:
        ValueError: If not a single run can be read; the message says why not and what was found.
        FileNotFoundError: If a path does not exist.
    """
    runs = _collected(source, monitor, Answers(**answers))
    problems = [run.problem for run in runs.values() if run.problem]
    if len(problems) == len(runs):
        others = len(problems) - 1
        more = f" ({others} other run{'s' * (others != 1)} cannot be read either.)" if others else ""
        raise ValueError(problems[0] + more)
    return runs


def _chosen(runs: dict[str, Run], which: int | str | None, source: Any) -> Run:
    """Return the run that was asked for, or ask."""
    names = list(runs)
    if which is None:
        if len(runs) > 1:
            sizes = [f"{place}: {name}" for place, name in enumerate(names, start=1)]
            what = str(source) if isinstance(source, (str, Path)) else "This"
            raise ValueError(
                f"{what} holds {len(runs)} runs ({listed(sizes)}). Choose one, for example run=2, or read them all "
                "with history.read_runs."
            )
        which = 1
    if isinstance(which, str) and which in runs:
        found = runs[which]
    elif isinstance(which, int) and not isinstance(which, bool) and 1 <= which <= len(runs):
        found = runs[names[which - 1]]
    else:
        raise ValueError(f"There is no run {which!r}. There {'is' if len(runs) == 1 else 'are'}: {listed(names)}.")
    if found.problem:
        raise ValueError(found.problem)
    return found


def _collected(source: Any, monitor: str, answers: Answers) -> dict[str, Run]:
    """Read everything that a source holds; what cannot be read has a problem."""
    runs: dict[str, Run] = {}
    for name, read in _things(source, monitor, answers):
        try:
            found = read()
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            found = [Run(name, {}, (), problem=_sentence(error, name))]
        for run in found:
            unique = run.name
            while unique in runs:
                unique += "'"
            runs[unique] = run if unique == run.name else dataclasses.replace(run, name=unique)
    if not runs:
        raise ValueError("There is no run: the list is empty.")
    return runs


def _sentence(error: Exception, name: str) -> str:
    if isinstance(error, OSError):
        return f"{name} cannot be read: {(error.strerror or str(error)).lower()}."
    return str(error)


Reader = Callable[[], list[Run]]


def _things(source: Any, monitor: str, answers: Answers) -> list[tuple[str, Reader]]:
    """Return pairs of a name and what reads the runs that bear it."""
    if isinstance(source, (str, Path)):
        return _at_path(Path(source), monitor, answers)
    named: Iterable[tuple[Any, Any]] = ()
    if isinstance(source, Mapping) and not isinstance(source, Run):
        named = source.items()
    elif isinstance(source, (list, tuple)) and not _json.is_records(source):
        named = [(_name(item, f"run {place}"), item) for place, item in enumerate(source, start=1)]
    if named and all(_holds_run(item) for _, item in named):
        return _several(named, monitor, answers)
    name = _name(source, "run")
    return [(name, lambda: _of_thing(source, name, monitor, answers))]


def _several(named: Iterable[tuple[Any, Any]], monitor: str, answers: Answers) -> list[tuple[str, Reader]]:
    """Return the readers of things that have a name each."""
    found = []
    for name, thing in named:
        inner = _things(thing, monitor, answers)
        for inner_name, read in inner:
            full = str(name) if len(inner) == 1 else f"{name}/{inner_name}"
            found.append((full, lambda read=read, full=full: _named(read(), full)))
    return found


def _named(runs: list[Run], name: str) -> list[Run]:
    """Give runs a name, and numbers after it if there are several."""
    if len(runs) == 1:
        return [dataclasses.replace(runs[0], name=name)]
    return [dataclasses.replace(run, name=f"{name} ({place})") for place, run in enumerate(runs, start=1)]


def _name(thing: Any, otherwise: str) -> str:
    if isinstance(thing, (str, Path)):
        return _stem(Path(thing))
    name = getattr(thing, "name", otherwise)
    # An open file has a path for a name, or a number; that of standard input is <stdin>.
    if hasattr(thing, "read"):
        return _stem(Path(name.strip("<>"))) if isinstance(name, str) else otherwise
    return str(name)


def _stem(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).stem or path.name


def _holds_run(value: Any) -> bool:
    if isinstance(value, Mapping):
        return not all(str(key).isdigit() for key in value) or not value
    return isinstance(value, (str, Path)) or any(hasattr(value, name) for name in ("history", "columns", "read"))


# -- things in memory -------------------------------------------------------------------------------------------------


def _of_thing(source: Any, name: str, monitor: str, answers: Answers) -> list[Run]:
    if isinstance(source, Run):
        return [source]
    if hasattr(source, "read"):
        data = source.read(_bytes.LIMIT + 1)
        return _of_bytes(data.encode() if isinstance(data, str) else data, name, name, monitor, answers)
    mapping = getattr(source, "history", source)
    if not isinstance(mapping, Mapping) and hasattr(mapping, "columns"):
        mapping = {str(key): list(mapping[key]) for key in mapping.columns}
    if isinstance(mapping, Mapping):
        if not mapping and mapping is not source:
            raise ValueError("This History is empty: the fit that it belongs to has not finished a single epoch.")
        if mapping is not source and getattr(source, "epoch", None):
            mapping = {"epoch": list(source.epoch), **mapping}
            return _of_value(mapping, "The history", name, answers, counts_from=0)
        return _of_value(mapping, "The history", name, answers)
    if isinstance(mapping, Iterable) and not isinstance(mapping, (bytes, bytearray)):
        values = list(mapping)
        if _json.is_records(values):
            return _of_value(values, "The list", name, answers)
        return runs_of(Table("The list", {monitor: values}), name, answers)
    raise ValueError(
        "A history can be what model.fit() returns, a dict of lists, a list of numbers or of records, or the path of a "
        f"log. This is {describe(source)}."
    )


def _of_value(
    value: Any, what: str, name: str, answers: Answers, *, counts_from: int | None = None, sure: bool = False
) -> list[Run]:
    """Read what JSON or a dict holds."""
    tables = _json.tables_of(value, what, sure=sure)
    if not tables:
        raise ValueError(f"{what} holds no metric: no list of numbers. It has: {_json.names_of(value)}.")
    runs = []
    for path, table in tables.items():
        table.counts_from = counts_from
        runs += runs_of(table, name if len(tables) == 1 else f"{name}: {path}" if path else name, answers)
    return runs


# -- files ------------------------------------------------------------------------------------------------------------


def _of_bytes(data: bytes, file: str, name: str, monitor: str, answers: Answers, *, sure: bool = False) -> list[Run]:
    """Read the bytes of one file."""
    text, notes = _bytes.text_of(data, file)
    what = f"The file {file}"
    value = _json.parse(text, what)
    if value is None:
        table = (
            _console.printed_table(text, what)
            or _console.spoken_table(text, what)
            or table_of(text, what, decimal=answers.decimal, names=answers.names, monitor=monitor)
        )
        if sure and epoch_name(table) is None and not any(map(is_metric_like, table.columns)):
            raise _NoLogError
        table.notes[:0] = notes
        return runs_of(table, name, answers)
    if isinstance(value, list) and value and not any(isinstance(entry, (list, dict)) for entry in value):
        return runs_of(Table(what, {monitor: value}, notes=notes), name, answers)
    runs = _of_value(value, what, name, answers, sure=sure)
    return [dataclasses.replace(run, notes=(*notes, *run.notes)) for run in runs]


def _of_file(path: Path, name: str, monitor: str, answers: Answers, *, sure: bool = False) -> list[Run]:
    if _bytes.is_pickle(path.name):
        raise ValueError(_bytes.pickle_words(path.name))
    size = path.stat().st_size
    if size > _bytes.LIMIT:
        raise ValueError(_bytes.too_large(path.name, size))
    return _of_bytes(path.read_bytes(), path.name, name, monitor, answers, sure=sure)


def _at_path(path: Path, monitor: str, answers: Answers) -> list[tuple[str, Reader]]:
    if path.is_dir():
        return _in_folder(path, monitor, answers)
    if not path.exists():
        beside = sorted(file.name for file in path.parent.iterdir() if _is_log(file)) if path.parent.is_dir() else []
        found = f" Logs there: {listed(beside)}." if beside else ""
        raise FileNotFoundError(f"There is no file {path}.{found}")
    if _events.is_events(path):
        return [(path.parent.name, lambda: _of_events(path, answers))]
    name = _stem(path)
    return [(name, lambda: _of_file(path, name, monitor, answers))]


def _of_events(path: Path, answers: Answers) -> list[Run]:
    """Read an event file, or all of a folder; runs keep the names of their folders."""
    runs: list[Run] = []
    for name, columns in _events.read_events(path).items():
        if isinstance(columns, str):
            runs.append(Run(name, {}, (), problem=columns))
            continue
        counts_from = 0 if "epoch" in columns and "step" not in columns else None
        try:
            runs += runs_of(Table(f"The event file of {name!r}", columns, counts_from=counts_from), name, answers)
        except ValueError as error:
            runs.append(Run(name, {}, (), problem=str(error)))
    return runs


def _is_log(path: Path) -> bool:
    return path.is_file() and Path(path.name.removesuffix(".gz")).suffix.lower() in _ENDINGS


def _in_folder(folder: Path, monitor: str, answers: Answers) -> list[tuple[str, Reader]]:
    """Return the logs of a folder and of those below it."""
    files = _files_of(folder)
    read: dict[Path, list[Run]] = {}
    for file in files:
        if not _is_log(file):
            continue
        try:
            read[file] = _of_file(file, file.name, monitor, answers, sure=True)
        except _NoLogError:
            continue
        except (OSError, ValueError) as error:
            # A folder has other texts too: settings, requirements, notes.
            if file.name.lower().removesuffix(".gz").endswith(_SURE) or _asks(error):
                read[file] = [Run(file.name, {}, (), problem=_sentence(error, file.name))]
    found: list[tuple[str, Reader]] = []
    for file, runs in read.items():
        name = _name_in(folder, file, list(read))
        found.append((name, lambda runs=runs, name=name: _named(runs, name)))
    if any("tfevents" in file.name for file in files):
        found.append((folder.name, lambda: _of_events(folder, answers)))
    if not found:
        listing = sorted(path.name for path in folder.iterdir())
        why = next((f" {_bytes.pickle_words(file.name)}" for file in files if _bytes.is_pickle(file.name)), "")
        raise ValueError(f"The folder {folder} holds no log. It holds: {listed(listing) or 'nothing'}.{why}")
    return found


def _asks(error: Exception) -> bool:
    """Return whether an error asks which of two readings is right: then it is a log."""
    return re.search(rf"\b({'|'.join(Answers.names_of_all())})=", str(error)) is not None


def _files_of(folder: Path) -> list[Path]:
    """Return the files of a folder and below, in natural order; hidden ones and deep ones are not looked at."""
    files: list[Path] = []
    folders = [(folder, 0)]
    while folders:
        here, depth = folders.pop()
        try:
            entries = list(here.iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith((".", "__")):
                continue
            if entry.is_dir():
                if depth < _DEEPEST and not entry.is_symlink():
                    folders.append((entry, depth + 1))
            elif _is_log(entry) or _bytes.is_pickle(entry.name) or "tfevents" in entry.name:
                files.append(entry)
    if len(files) > _MOST_FILES:
        raise ValueError(
            f"The folder {folder} holds {len(files)} files that may be logs. Give a folder that holds only the logs."
        )
    return sorted(files, key=lambda file: _events.natural(file.relative_to(folder).as_posix()))


def _name_in(folder: Path, file: Path, logs: list[Path]) -> str:
    """Name a log of a folder: by its folder where it is alone there, else by its own name."""
    inside = file.parent.relative_to(folder).as_posix()
    beside = [other for other in logs if other.parent == file.parent]
    if inside != "." and len(beside) == 1:
        return inside
    twins = [other for other in beside if _stem(other) == _stem(file)]
    own = _stem(file) if len(twins) == 1 else file.name
    return own if inside == "." else f"{inside}/{own}"
