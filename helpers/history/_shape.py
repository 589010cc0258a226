"""From a table of cells to runs: which rows make an epoch, which number it has, and where a run ends."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any

from helpers.history._cells import describe, is_nan, number_of
from helpers.history._run import Run, Values, is_epoch, is_step, is_validation, listed
from helpers.history._table import HALVES, Table

# Larger numbers than this count steps, or seconds.
_MOST = 1_000_000


@dataclass(frozen=True)
class Answers:
    """What a person says where a log leaves two readings; the arguments of `read_history`, None where not said."""

    validation_freq: Any = None
    epochs_from: int | None = None
    restarts: str | None = None
    rows: str | None = None
    decimal: str | None = None
    names: Iterable[str] | None = None
    nan: str | None = None

    def __post_init__(self) -> None:
        known = {
            "epochs_from": (0, 1), "restarts": ("new", "resumed", "sorted"), "rows": ("last", "each"),
            "decimal": (".", ","), "nan": ("loss", "missing"),
        }  # fmt: skip
        for name, allowed in known.items():
            given = getattr(self, name)
            if given is not None and (given not in allowed or isinstance(given, bool)):
                raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, not {given!r}.")
        freq = self.validation_freq
        if freq is None:
            return
        if isinstance(freq, (list, tuple, set, range)):
            if all(isinstance(epoch, int) and epoch >= 1 for epoch in freq):
                return
        elif isinstance(freq, int) and not isinstance(freq, bool) and freq >= 1:
            return
        raise ValueError(
            f"validation_freq must be a whole number, 1 or more, or a list of epochs counted from 1, not {freq!r}."
        )

    @classmethod
    def names_of_all(cls) -> list[str]:
        """Return the names of the arguments."""
        return [found.name for found in fields(cls)]


@dataclass
class _Rows:
    """Rows of one run, with what they have in common.

    Attributes:
        epochs: The number of each row as the log counts; may have a fraction.
        places: The place of each row in the table.
        notes: What was made of these rows.
    """

    epochs: list[float]
    places: list[int]
    notes: list[str] = field(default_factory=list)


def runs_of(table: Table, name: str, answers: Answers) -> list[Run]:
    """Turn a table into runs.

    Args:
        table: The cells.
        name: Of the run; several get a number after it.
        answers: What the person said.

    Raises:
        ValueError: If nothing can be read, or two readings are possible; the message says which argument answers.
    """
    table = _with_halves(_with_even_columns(table, answers))
    metrics, left_out = _metrics(table)
    if answers.nan == "missing":
        metrics = {key: [None if is_nan(value) else value for value in values] for key, values in metrics.items()}
    notes = list(table.notes)
    epochs = _epoch_cells(table, metrics, answers, notes)
    steps = [float(v) if v is not None else math.nan for v in _step_cells(table)] if _step_name(table) else None
    parts = _parts(epochs, steps, metrics, table, answers, notes)
    base = _base([part.epochs for part in parts], table, answers, notes)
    if len(parts) > 1:
        sizes = [len(set(part.epochs)) for part in parts]
        listed_sizes = ", ".join(map(str, sizes[:-1])) + f" and {sizes[-1]}"
        notes.append(f"The epochs begin again: {len(parts)} runs, of {listed_sizes} epochs.")
    runs = []
    for number, part in enumerate(parts, start=1):
        own = [*notes, *part.notes]
        run = _run(part, metrics, base, answers, table, own)
        run_name = name if len(parts) == 1 else f"{name} ({number})"
        problem = "" if run[0] else f"{run_name} holds no value in its {len(run[1])} epochs."
        runs.append(Run(run_name, *run, base, None, tuple(own), left_out, problem))
    return [_with_frequency(run) for run in runs]


# -- columns ----------------------------------------------------------------------------------------------------------


def _with_even_columns(table: Table, answers: Answers) -> Table:
    """Give all columns one length: a History's metrics of validation are shorter with `validation_freq`."""
    lengths = {key: len(cells) for key, cells in table.columns.items()}
    epoch = epoch_name(table)
    if len(set(lengths.values())) <= 1 and answers.validation_freq is None:
        return table
    rest = {key: length for key, length in lengths.items() if key != epoch}
    if not rest or not max(rest.values()):
        return table
    if epoch is not None and lengths[epoch] in rest.values():
        height = lengths[epoch]
    elif "loss" in rest:
        height = rest["loss"]
    else:
        common = Counter(length for key, length in rest.items() if not is_validation(key)) or Counter(rest.values())
        height = max(common, key=lambda length: (common[length], length))
    numbers = list(range(height))
    if epoch is not None and lengths[epoch] == height:
        cells = [_epoch_number(cell, table.decimal) for cell in table.columns[epoch]]
        if all(cell is not None and cell == int(cell) for cell in cells):
            start = _first_base(cells, table, answers)
            numbers = [int(cell) - start for cell in cells]
    columns, left_out, placed = {}, dict(table.left_out), {}
    for key, cells in table.columns.items():
        if len(cells) == height:
            columns[key] = cells
        elif is_validation(key) and 0 < len(cells) < height:
            at, freq = _validated(key, len(cells), numbers, table, answers)
            spread: list[Any] = [None] * height
            for place, cell in zip(at, cells, strict=True):
                spread[place] = cell
            columns[key] = spread
            placed.setdefault(freq, []).append((key, len(cells)))
        else:
            left_out[key] = f"has {len(cells)} values, and there are {height} epochs"
    notes = list(table.notes)
    if answers.validation_freq is None:
        for freq, found in placed.items():
            notes.append(
                f"{listed(key for key, _ in found)} {'has' if len(found) == 1 else 'have'} {found[0][1]} values for "
                f"{height} epochs: read as validation_freq={freq}."
            )
    return dataclasses.replace(table, columns=columns, notes=notes, left_out=left_out)


def _with_halves(table: Table) -> Table:
    """Give each half of the data its own columns, where a column says which half a line is about."""
    for key, cells in table.columns.items():
        told = {str(cell).strip().lower() for cell in cells if cell is not None}
        if len(told) < 2 or not told <= set(HALVES) or len({HALVES[half] for half in told}) < len(told):
            continue
        halves = [None if cell is None else HALVES[str(cell).strip().lower()] for cell in cells]
        columns: dict[str, list[Any]] = {}
        for name, values in table.columns.items():
            if name == key:
                continue
            if name in (epoch_name(table), _step_name(table)):
                columns[name] = values
                continue
            for prefix in dict.fromkeys(half for half in halves if half is not None):
                half_values = [value if half == prefix else None for value, half in zip(values, halves, strict=True)]
                if any(value is not None for value in half_values):
                    columns[prefix + name] = half_values
        note = f"{key} says of each line which data it is about ({', '.join(sorted(told))}): those became columns."
        return dataclasses.replace(table, columns=columns, notes=[*table.notes, note])
    return table


def _validated(
    key: str, count: int, numbers: list[int], table: Table, answers: Answers
) -> tuple[list[int], int | None]:
    """Return the places of the epochs in which validation ran, as Keras chooses them, and the rule."""
    given = answers.validation_freq
    rules = [given] if given is not None else list(range(2, min(numbers[-1] + 2, _MOST // max(1, len(numbers)))))
    fits: dict[tuple[int, ...], Any] = {}
    for rule in rules:
        in_it = (lambda e, r=rule: e % r == 0) if isinstance(rule, int) else (lambda e, r=rule: e in r)
        at = tuple(place for place, number in enumerate(numbers) if in_it(number + 1))
        if len(at) == count:
            fits.setdefault(at, rule)
    if len(fits) == 1:
        [(at, rule)] = fits.items()
        return list(at), rule if isinstance(rule, int) else None
    values = f"{count} value{'s' * (count != 1)}"
    said = f"{table.what} holds lists of different lengths: {key} has {values} for {len(numbers)} epochs"
    if given is not None:
        raise ValueError(f"{said}, which is not what validation_freq={given!r} gives.")
    if fits:
        found = [f"validation_freq={rule}" for rule in fits.values()]
        raise ValueError(
            f"{said}. Which epochs are they of? Say what fit() was given: "
            f"{', '.join(found[:3])}{', ...' if len(found) > 3 else ''}."
        )
    raise ValueError(
        f"{said}, and no validation_freq gives so many. Say which: validation_freq=[1, 4, 9] lists the epochs, "
        "counted from 1."
    )


def _metrics(table: Table) -> tuple[dict[str, Values], dict[str, str]]:
    """Turn columns into values, and say why the others are left out."""
    metrics: dict[str, Values] = {}
    left_out = dict(table.left_out)
    known = {epoch_name(table), _step_name(table)}
    for key, cells in table.columns.items():
        if key in known:
            continue
        if is_step(key):
            left_out[key] = "counts steps"
            continue
        values: Values = []
        for place, cell in enumerate(cells):
            try:
                values.append(number_of(cell, table.decimal))
            except ValueError:
                where = "" if place == 0 else f" in line {table.lines[place]}" if table.lines else f" at {place + 1}"
                left_out[key] = f"holds {describe(cell)}{where}, where a number belongs"
                break
        else:
            percent = sum(isinstance(cell, str) and cell.rstrip().endswith("%") for cell in cells)
            told = sum(value is not None for value in values)
            if percent and percent != told:
                left_out[key] = "holds numbers with and without %"
            elif told:
                metrics[key] = values
            elif values:
                left_out[key] = "is empty in each epoch"
    if not metrics:
        if not any(table.columns.values()) and table.columns:
            names = [key for key in table.columns if key != epoch_name(table)] or list(table.columns)
            raise ValueError(
                f"{table.what} holds no epoch: {listed(names)} {'is' if len(names) == 1 else 'are'} empty."
            )
        reasons = "; ".join(f"{key} {reason}" for key, reason in [*left_out.items()][:3])
        raise ValueError(
            f"{table.what} holds no metric. It has: {listed([*table.columns, *table.left_out]) or 'nothing'}"
            + (f" ({reasons})." if reasons else ".")
        )
    percents = [
        key for key in metrics
        if any(isinstance(cell, str) and cell.rstrip().endswith("%") for cell in table.columns[key])
    ]  # fmt: skip
    if percents:
        table.notes.append(f"In percent, as it stands (45.0% is 45): {listed(percents)}.")
    if left_out:
        table.notes.append(f"Left out: {'; '.join(f'{key} {reason}' for key, reason in [*left_out.items()][:6])}"
                           + (f"; and {len(left_out) - 6} more." if len(left_out) > 6 else "."))  # fmt: skip
    return metrics, left_out


def epoch_name(table: Table) -> str | None:
    """Return the name of the column that counts epochs, None if there is none."""
    found = [name for name in table.columns if is_epoch(name)]
    return next((name for name in found if name.strip().lower() == "epoch"), found[0] if found else None)


def _step_name(table: Table) -> str | None:
    return next((name for name in table.columns if is_step(name)), None)


def _step_cells(table: Table) -> Values:
    return [_epoch_number(cell, table.decimal) for cell in table.columns[_step_name(table)]]


def _epoch_number(cell: Any, decimal: str) -> float | None:
    """Read the number of an epoch: 3, 3.0, "3", "3/100", "Epoch 3"; None for anything else."""
    if isinstance(cell, str):
        found = re.fullmatch(r"(?:epoch\s*)?\[?(\d+)(?:\s*/\s*\d+)?\]?:?", cell.strip().strip("'\""), re.IGNORECASE)
        cell = found[1] if found else cell
    try:
        number = number_of(cell, decimal)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


# -- epochs -----------------------------------------------------------------------------------------------------------


def _epoch_cells(table: Table, metrics: dict[str, Values], answers: Answers, notes: list[str]) -> list[float | None]:
    """Return the number of each row as the log counts, None for rows that belong to no epoch."""
    height = len(next(iter(metrics.values())))
    name, step = epoch_name(table), _step_name(table)
    if name is not None and len(table.columns[name]) != height:
        notes.append(f"Left out: {name}, which has {len(table.columns[name])} numbers for {height} epochs.")
        name = None
    if name is not None:
        numbers = [_epoch_number(cell, table.decimal) for cell in table.columns[name]]
        if any(number is not None for number in numbers):
            return _without_strays(numbers, table, metrics, notes)
    numbers = _step_cells(table) if step is not None else []
    if numbers and None not in numbers and all(b == a + 1 for a, b in pairwise(numbers)) and numbers[0] in (0, 1):
        notes.append(f"There is no column of epochs; {step} counts by one, so each is taken for an epoch.")
        return list(numbers)
    if numbers and answers.rows != "each":
        raise ValueError(
            f"{table.what} has no column of epochs, only {step}, which does not count by one. Is each line an epoch? "
            'Then say rows="each". Else add a column epoch.'
        )
    if table.lines is not None:
        notes.append("There is no column of epochs: each line is taken for one.")
    if table.blocks is None:
        return list(range(height))
    counted: Counter[int] = Counter()
    rows = []
    for block in table.blocks:
        rows.append(float(counted[block]))
        counted[block] += 1
    return rows


def _without_strays(
    numbers: list[float | None], table: Table, metrics: dict[str, Values], notes: list[str]
) -> list[float | None]:
    """See to rows without a number, below zero, or with nothing but what no other epoch has."""
    step = _step_name(table)
    filled = list(numbers)
    if step is not None:
        # Lightning writes the learning rate in rows without an epoch, before those of the same step.
        after: float | None = None
        for place in range(len(filled) - 1, -1, -1):
            if filled[place] is None and not _told(table.columns[epoch_name(table)][place]):
                filled[place] = after
            after = filled[place]
        given = sum(a is None and b is not None for a, b in zip(numbers, filled, strict=True))
        if given:
            notes.append(f"{given} line{'s' * (given != 1)} without an epoch: taken for that of the line below.")
    strays = [place for place, number in enumerate(filled) if number is None]
    if strays:
        notes.append(f"Left out: {_lines(strays, table)} without the number of an epoch.")
    early = [place for place, number in enumerate(filled) if number is not None and number < 0]
    if early:
        notes.append(f"Left out: {_lines(early, table)} of an epoch below 0, before the training.")
        filled = [None if number is not None and number < 0 else number for number in filled]
    # What Lightning's test() adds after the fit.
    last = max((number for number in filled if number is not None), default=None)
    at = [place for place, number in enumerate(filled) if number == last]
    if last is not None and len(at) < len([number for number in filled if number is not None]):
        there = {key for key, values in metrics.items() if any(values[place] is not None for place in at)}
        elsewhere = {
            key for key, values in metrics.items()
            if any(value is not None and filled[place] not in (None, last) for place, value in enumerate(values))
        }  # fmt: skip
        if there and not there & elsewhere:
            notes.append(f"Left out: {_lines(at, table)}, which holds only {listed(sorted(there))} and is no epoch.")
            filled = [None if number == last else number for number in filled]
    if all(number is None for number in filled):
        raise ValueError(f"{table.what} holds no epoch.")
    return filled


def _told(cell: Any) -> bool:
    return bool(str(cell).strip()) if cell is not None else False


def _lines(places: list[int], table: Table) -> str:
    numbers = [table.lines[place] for place in places] if table.lines else [place + 1 for place in places]
    word = "line" if table.lines else "entry"
    plural = {"line": "lines", "entry": "entries"}[word]
    return f"{word if len(numbers) == 1 else plural} {listed(numbers, 4)}"


# -- where a run ends, and where it goes on ---------------------------------------------------------------------------


def _parts(
    epochs: list[float | None],
    steps: list[float] | None,
    metrics: dict[str, Values],
    table: Table,
    answers: Answers,
    notes: list[str],
) -> list[_Rows]:
    """Cut the rows into runs, and take out those of a killed fit that a resumed one wrote again."""
    rows = [(number, place) for place, number in enumerate(epochs) if number is not None]
    if answers.rows == "each":
        return [_each(rows, metrics, table, notes)]
    backs = _backs(rows, steps, metrics, table, answers, notes)
    if not backs:
        return [_Rows([number for number, _ in rows], [place for _, place in rows])]
    numbers = [number for number, _ in rows]
    segments = [rows[a:b] for a, b in pairwise([0, *backs, len(rows)])]
    unique = len(set(numbers)) == len(numbers)
    if answers.restarts == "sorted" or (
        answers.restarts is None and len(backs) == len(rows) - 1 > 1 and unique and rows == sorted(rows, reverse=True)
    ):
        rows = sorted(rows, key=lambda row: row[0])
        notes.append("The lines were not in the order of their epochs: they were sorted.")
        return [_Rows([number for number, _ in rows], [place for _, place in rows])]
    parts: list[list[tuple[float, int]]] = [segments[0]]
    said: list[list[str]] = [[]]
    for segment in segments[1:]:
        run, start = parts[-1], segment[0][0]
        begin, end = min(number for number, _ in run), run[-1][0]
        meaning = answers.restarts or _meaning(begin, end, start, unique, table, segment[0][1])
        if meaning == "new":
            parts.append(segment)
            said.append([])
            continue
        dropped = sorted({number for number, _ in run if number >= start})
        kept = [row for row in run if row[0] < start]
        parts[-1] = [*kept, *segment]
        base = _first_base(numbers, table, answers)
        lines = "lines" if len(dropped) > 1 else "line"
        said[-1].append(
            f"The fit was resumed at {_epoch_words([start], base)}; the earlier {lines} of "
            f"{_epoch_words(dropped, base)} do{'' if len(dropped) > 1 else 'es'} not count."
        )
    return [
        _Rows([number for number, _ in part], [place for _, place in part], told)
        for part, told in zip(parts, said, strict=True)
    ]


def _backs(
    rows: list[tuple[float, int]],
    steps: list[float] | None,
    metrics: dict[str, Values],
    table: Table,
    answers: Answers,
    notes: list[str],
) -> list[int]:
    """Return the rows at which the epochs go back, or one is written a second time."""
    backs = [place for place in range(1, len(rows)) if rows[place][0] < rows[place - 1][0]]
    watched = [key for key in metrics if is_validation(key)]
    again, twins = [], 0
    for place in range(1, len(rows)):
        if rows[place][0] != rows[place - 1][0]:
            continue
        here, before = rows[place][1], rows[place - 1][1]
        both = [key for key, values in metrics.items() if _clash(values[here], values[before])]
        if both and all(_same(metrics[key][here], metrics[key][before]) for key in both):
            twins += 1
        elif steps is not None and steps[here] > steps[before]:
            continue
        elif any(key in watched for key in both) or (both and not watched):
            again.append(place)
    # A metric of validation that has several values in an epoch, also where other rows stand between them.
    several: set[str] = set()
    by_step = steps is not None or any(number != int(number) for number, _ in rows)
    for key in watched if by_step else ():
        told = [_whole(number) for number, place in rows if _is_told(metrics[key][place]) and place not in again]
        if any(a == b for a, b in pairwise(told)):
            several.add(key)
    count = len({number for number, _ in rows})
    clashing = len({rows[place][0] for place in again})
    if again and answers.rows is None and answers.restarts is None and clashing > count / 2:
        raise ValueError(
            f"{table.what} holds several lines for one epoch ({len(rows)} lines, {count} epochs). Does the last of "
            'them count (rows="last"), or is each line an epoch of its own (rows="each")?'
        )
    if several and answers.rows is None and answers.restarts is None:
        raise ValueError(
            f"{table.what} holds several values of {listed(sorted(several), 3)} for one epoch. Does the last of them "
            'count (rows="last"), or is each validation an epoch of its own (rows="each")?'
        )
    if answers.rows == "last":
        again = []
    if twins:
        notes.append(f"{twins} line{'s' * (twins != 1)} repeat{'s' * (twins == 1)} the line before.")
    return sorted({*backs, *again})


def _is_told(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def _clash(a: float | None, b: float | None) -> bool:
    """Return whether two lines of one epoch both have a value; NaN beside a number only fills a line."""
    return a is not None and b is not None and math.isnan(a) == math.isnan(b)


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def _meaning(begin: float, end: float, start: float, unique: bool, table: Table, place: int) -> str:
    """Say what it means that the epochs go back from `end` to `start`: a new fit, or the same one resumed.

    Raises:
        ValueError: If both are possible.
    """
    if begin in (0, 1) and start <= begin:
        return "new"
    if start > begin and not unique:
        return "resumed"
    where = f" in line {table.lines[place]}" if table.lines else ""
    raise ValueError(
        f"The epochs of {table.what[0].lower() + table.what[1:]} go back from {end:g} to {start:g}{where}. Did another "
        'fit begin there (restarts="new"), did the same fit go on from there (restarts="resumed"), or are the lines '
        'out of order (restarts="sorted")?'
    )


def _each(rows: list[tuple[float, int]], metrics: dict[str, Values], table: Table, notes: list[str]) -> _Rows:
    """Number the rows, or the validations if there are any, from 0 on; other rows belong to the next one."""
    watched = [key for key in metrics if is_validation(key)] or list(metrics)
    ends = [any(metrics[key][place] is not None for key in watched) for _, place in rows]
    numbers, count = [], 0
    for end in ends:
        numbers.append(float(count))
        count += end
    if not count:
        raise ValueError(f"{table.what} holds no epoch: no line has a value.")
    # Rows after the last end belong to no epoch.
    kept = [(number, place) for number, (_, place) in zip(numbers, rows, strict=True) if number < count]
    notes.append(
        f"Each of {count} {'validations' if any(map(is_validation, metrics)) else 'lines'} is taken for an epoch."
    )
    return _Rows([number for number, _ in kept], [place for _, place in kept])


# -- numbers ----------------------------------------------------------------------------------------------------------


def _base(parts: Sequence[list[float]], table: Table, answers: Answers, notes: list[str]) -> int:
    """Return whether the log counts from 0 or from 1."""
    numbers = [number for part in parts for number in part]
    first = min(numbers)
    base = _first_base(numbers, table, answers)
    if table.counts_from is not None or answers.epochs_from is not None or answers.rows == "each":
        return base
    if any(number != int(number) for number in numbers):
        return base
    if first == 1:
        notes.append("It counts epochs from 1; if a Keras fit was resumed there, say epochs_from=0.")
    elif first > 1:
        steps = {int(b - a) for a, b in pairwise(sorted(set(numbers)))}
        if len(steps) == 1 and steps == {int(first)}:
            raise ValueError(
                f"{table.what} has every {_nth(int(first))} epoch, from {first:g} on. Does it count from 1 "
                "(epochs_from=1), or from 0 (epochs_from=0)?"
            )
        notes.append(
            f"It begins at {first:g}, counted from 0 as Keras does, which is epoch {first + 1:g}; if it counts from 1, "
            "say epochs_from=1."
        )
    return base


def _first_base(numbers: Sequence[float], table: Table, answers: Answers) -> int:
    if answers.rows == "each":
        return 0
    if table.counts_from is not None:
        return table.counts_from
    if answers.epochs_from is not None:
        return answers.epochs_from
    # An epoch of 0.5 is in the middle of the first.
    return 1 if min(numbers) == 1 or any(number != int(number) for number in numbers) else 0


def _whole(number: float) -> int:
    """Return the epoch that a number with a fraction is in: 2.5 is in the third, 3.0000000000000004 is 3."""
    return math.ceil(round(number, 6))


def _nth(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _epoch_words(numbers: Iterable[float], base: int) -> str:
    """Write epochs for a person: runs of them as ranges."""
    numbers = sorted({math.ceil(number) + 1 - base for number in numbers})
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    texts = [f"{a}" if a == b else f"{a} and {b}" if b == a + 1 else f"{a} to {b}" for a, b in parts]
    return f"epoch{'s' * (len(numbers) != 1)} {listed(texts, 6)}"


def _run(
    part: _Rows, metrics: dict[str, Values], base: int, answers: Answers, table: Table, notes: list[str]
) -> tuple[dict[str, Values], tuple[int, ...]]:
    """Put the rows of one run together, epoch by epoch."""
    numbers = [_whole(number) - base for number in part.epochs]
    epochs = sorted(set(numbers))
    if epochs[0] < 0:
        raise ValueError(f"{table.what} has an epoch 0, so it does not count from 1.")
    if epochs[-1] >= _MOST:
        raise ValueError(
            f"{table.what} has an epoch {part.epochs[numbers.index(epochs[-1])]:g}, which is no count of epochs. Is "
            'each line one? Then say rows="each".'
        )
    place_of = {number: place for place, number in enumerate(epochs)}
    values: dict[str, Values] = {key: [None] * len(epochs) for key in metrics}
    per_epoch = Counter(numbers)
    steps = max(per_epoch.values()) > 1
    for key, cells in metrics.items():
        column = values[key]
        cells_here = [(place_of[number], cells[place]) for number, place in zip(numbers, part.places, strict=True)]
        words = steps and _nan_means_missing(cells_here)
        for at, cell in cells_here:
            if cell is not None and not (words and is_nan(cell)):
                column[at] = cell
    if steps:
        count = f"{len(epochs)} epoch{'s' * (len(epochs) != 1)}"
        notes.append(f"{len(numbers)} lines make {count}: the last value of each metric counts.")
    missing = [a for b, c in pairwise(epochs) for a in range(b + 1, c)]
    gaps = {c - b for b, c in pairwise(epochs)}
    if len(gaps) == 1 and len(epochs) > 2 and gaps != {1}:
        notes.append(f"Only every {_nth(gaps.pop())} epoch is in the log.")
    elif missing:
        words = _epoch_words(missing, 0)
        notes.append(f"{words[0].upper() + words[1:]} {'is' if len(missing) == 1 else 'are'} missing.")
    values = {key: column for key, column in values.items() if any(value is not None for value in column)}
    for key, column in values.items():
        if is_validation(key) and _nan_marks_validation(column, epochs):
            values[key] = column = [None if is_nan(value) else value for value in column]
            notes.append(f"{key} is NaN in all epochs but every {_nth(_rule(column, epochs))}: read as missing.")
        elif any(is_nan(a) and b is not None and math.isfinite(b) for a, b in pairwise(column)):
            notes.append(f'{key} is NaN and later a number: NaN is a loss here (nan="missing" if not).')
        lacking = [epoch for epoch, value in zip(epochs, column, strict=True) if value is None]
        rule = _rule(column, epochs) if lacking and is_validation(key) else None
        if rule is not None and len(epochs) - len(lacking) > 1:
            if not any(f"validation_freq={rule}." in note for note in notes):
                notes.append(f"{key} has a value in every {_nth(rule)} epoch, as with validation_freq={rule}.")
        elif lacking:
            notes.append(f"{key} has no value in {_epoch_words(lacking, 0)}.")
    return values, tuple(epochs)


def _nan_means_missing(cells: list[tuple[int, float | None]]) -> bool:
    """Return whether each epoch that has NaN has a number too: then NaN fills rows that are about something else."""
    nan = {at for at, cell in cells if is_nan(cell)}
    told = {at for at, cell in cells if cell is not None and not is_nan(cell)}
    return bool(nan) and nan <= told


def _rule(values: Values, epochs: Sequence[int]) -> int | None:
    """Return n if exactly the epochs n, 2n, ... (counted from 1) have a value."""
    told = [epoch + 1 for epoch, value in zip(epochs, values, strict=True) if value is not None]
    if not told:
        return None
    freq = told[0] if len(told) == 1 else min(b - a for a, b in pairwise(told))
    expected = [epoch + 1 for epoch in epochs if (epoch + 1) % freq == 0]
    return freq if told == expected else None


def _nan_marks_validation(values: Values, epochs: Sequence[int]) -> bool:
    if None in values or sum(not is_nan(value) for value in values) < 2:
        return False
    freq = _rule([None if is_nan(value) else value for value in values], epochs)
    return freq is not None and freq > 1


def _with_frequency(run: Run) -> Run:
    """Add how often validation ran, where the log tells."""
    rules = {_rule(run[key], run.epochs) for key in run.validation_metrics}
    freq = rules.pop() if len(rules) == 1 else None
    return Run(run.name, run.metrics, run.epochs, run.counted_from, freq, run.notes, run.left_out, run.problem)
