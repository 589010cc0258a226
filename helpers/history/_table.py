"""From the text of a CSV file, or of anything with columns, to a table of cells."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from helpers.history._cells import MISSING, decimal_sign, is_number, number_of, shortened
from helpers.history._run import is_epoch, listed

# A column without a name that counts lines: what pandas and R write beside a table.
INDEX = ("", "unnamed: 0", "index")
# Words for a half of the data, and what stands before a metric of it in Keras.
HALVES = {
    "train": "", "training": "", "val": "val_", "valid": "val_", "validation": "val_", "eval": "val_", "test": "test_",
}  # fmt: skip
_COMMENTS = ("#", "//", "%")
# Lines that draw a table: |---|:--:|, ------ ------, +----+----+, ====.
_RULE = re.compile(r"[\s|+:=\-─┼]*")

# A comment after the numbers of a line: `2,0.5,0.4  # best`.
_COMMENT_AFTER = re.compile(r"(?<=[\d.%])\s+(?:#|//)[^\"]*$")

Row = tuple[int, list[str]]


@dataclass
class Table:
    """Columns of cells, in the order in which they were written.

    Attributes:
        what: How messages name it: "The file log.csv".
        columns: Name to cells: numbers, texts or None.
        blocks: For each row, how many head lines stand above it; None if there is but one.
        lines: For each row, its line in the file; None if there is no file.
        decimal: The decimal sign of texts.
        counts_from: 0 or 1 where it is known how the epochs are counted, as of a Keras `History`; else None.
        notes: What was found, in sentences.
        left_out: Name to reason, for what was found and is no column of numbers.
    """

    what: str
    columns: dict[str, list[Any]]
    blocks: list[int] | None = None
    lines: list[int] | None = None
    decimal: str = "."
    counts_from: int | None = None
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def table_of(
    text: str, what: str, *, decimal: str | None = None, names: Iterable[str] | None = None, monitor: str = "val_loss"
) -> Table:
    r"""Read the text of a file with columns.

    Args:
        text: Lines that end in `\\n`.
        what: As messages shall name it.
        decimal: The decimal sign; None finds out.
        names: The names of the columns, for a file without a head line.
        monitor: The name that a single column without a head line gets.

    Raises:
        ValueError: If there are no columns, or two readings are possible; the message says which argument answers.
    """
    if not text.strip():
        raise ValueError(f"{what} is empty: CSVLogger writes its first line after the first epoch.")
    lines = text.split("\n")
    notes: list[str] = []
    comments = [line for line in lines if line.lstrip().startswith(_COMMENTS)]
    if all(_skipped(line) for line in lines):
        raise ValueError(f"{what} holds nothing but comments.")
    separator, rows = _split(lines)
    rows = [(line, cells) for line, cells in rows if any(cells)]
    if not rows:
        raise ValueError(f"{what} holds nothing but separators.")
    if names is None and not _is_head(rows[0][1]) and comments:
        # numpy.savetxt comments its head line out.
        last = comments[-1].lstrip().lstrip("".join(_COMMENTS)).strip()
        cells = _cells(last, separator)
        if len(cells) == len(rows[0][1]) > 1 and _is_head(cells):
            rows.insert(0, (0, cells))
            comments.remove(comments[-1])
            notes.append("The head line stands in a comment.")
    after = sum(not _skipped(line) and _COMMENT_AFTER.search(line) is not None for line in lines)
    if comments or after:
        notes.append(f"Left out: {_count(len(comments) + after, 'comment')}.")
    if names is not None:
        head = [str(name) for name in names]
        if _is_head(rows[0][1]):
            raise ValueError(f"{what} has a head line already: {shortened_row(rows[0][1])}. Leave names out.")
        rows.insert(0, (0, head))
    start = _head_at(rows, what, monitor)
    if start > 0:
        notes.append(f"Left out: {_count(start, 'line')} before the head line.")
    if start < 0:
        rows.insert(0, (0, [monitor]))
        notes.append(f"The file has one column without a name; it is taken for {monitor}.")
    rows = rows[max(start, 0) :]
    rows = _joined(rows, what, separator, decimal)
    if not text.endswith("\n"):
        rows = _with_last_line_looked_at(rows, notes)
    blocks = _blocks(rows, what, notes)
    return _filled(blocks, what, decimal, notes)


def _count(amount: int, thing: str) -> str:
    return f"{amount} {thing}{'s' * (amount != 1)}"


def _split(lines: list[str]) -> tuple[str, list[Row]]:
    """Find the separator, and split all lines that are no comment, no rule and not empty.

    `csv.Sniffer` wants as many separators in each line, so it gives up at a torn line, a title or columns that are
    aligned. Here the sign wins with which most lines have as many cells as the head line, which has names only.
    """
    kept = [("" if _skipped(line) else _COMMENT_AFTER.sub("", line)) for line in lines]
    sample = [line for line in kept if line][:50]
    best, rows = (-1.0, 0), []
    chosen = ","
    for separator in (",", ";", "\t", "|", " "):
        split = [_cells(line, separator) for line in sample]
        width = Counter(len(cells) for cells in split).most_common(1)[0][0]
        # Blanks split sentences as well, so they must fit at least as well as any other sign.
        heads = [len(cells) for cells in split if _is_head(cells)] or [width]
        names = width if width in heads else heads[0]
        rating = (sum(len(cells) == names for cells in split) / len(split) if names > 1 else 0.0, names)
        if rating[0] > best[0] + 0.01 or (rating[0] > best[0] - 0.01 and separator != " " and rating[1] > best[1]):
            best, chosen = rating, separator
    if best[1] <= 1:
        chosen = ","
    if chosen == " ":
        return chosen, [(number, _cells(line, " ")) for number, line in enumerate(kept, 1) if line]
    if chosen == "|":
        return chosen, [(number, _cells(line, "|")) for number, line in enumerate(kept, 1) if line]
    reader = csv.reader((line + "\n" for line in kept), delimiter=chosen, skipinitialspace=True)
    rows, before = [], 0
    try:
        for cells in reader:
            # The line on which the row begins.
            at, before = before + 1, reader.line_num
            if before > at and len(cells) < best[1]:
                # A quote that is never closed would swallow the lines below.
                below = ((number, kept[number - 1]) for number in range(at, before + 1))
                rows += [(number, _cells(line.replace('"', ""), chosen)) for number, line in below if line]
            elif any(cell.strip() for cell in cells):
                rows.append((at, [cell.strip() for cell in cells]))
    except csv.Error:
        # A quote that is never closed swallows the rest: a torn line.
        rows.append((before + 1, ["\0"]))
    return chosen, rows


def _skipped(line: str) -> bool:
    line = line.strip()
    return not line or line.startswith(_COMMENTS) or _RULE.fullmatch(line) is not None


def _cells(line: str, separator: str) -> list[str]:
    # Blanks may be mixed with tabs; between other signs a tab belongs to a cell.
    line = line.expandtabs(1).strip() if separator == " " else line.strip(" \n")
    if separator == "|":
        line = line.strip("|")
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        cells = line.split(separator)
    cells = [cell.strip() for cell in cells]
    return [cell for cell in cells if cell] if separator == " " else cells


def _is_head(cells: list[str]) -> bool:
    """Return whether these are names: texts, no number among them; only the first may be empty."""
    told = [cell for cell in cells if cell.strip()]
    return bool(told) and not any(is_number(cell) or _spoken(cell) for cell in told) and cells[:2] != ["", ""]


def _spoken(cell: str) -> bool:
    """Return whether a cell is a word for a missing value."""
    return cell.strip().lower() in MISSING


def _head_at(rows: list[Row], what: str, monitor: str) -> int:
    """Return the place of the head line; -1 if there is none and none is needed."""
    for place, (_, cells) in enumerate(rows[:50]):
        if not _is_head(cells):
            continue
        if place == len(rows) - 1:
            if place == 0:
                return 0
            break
        width = len(rows[place + 1][1])
        if _is_head(rows[place + 1][1]) and place < len(rows) - 2 and len(rows[place + 2][1]) == width:
            continue  # a title, or words before the head line
        if place == 0 or len(cells) == width > 1:
            return place
    if all(len(cells) == 1 for _, cells in rows) and all(is_number(cells[0]) for _, cells in rows):
        return -1
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    example = ["epoch", "loss", "val_loss", *(f"column{place}" for place in range(4, width + 1))][:width]
    raise ValueError(
        f"{what} has no head line with names of metrics. Its first line is: {shortened_row(rows[0][1])}. "
        f"What are its {width} columns? Say so, for example names={_quoted(example)}."
    )


def shortened_row(cells: list[str]) -> str:
    """Write a row for a message."""
    return listed((shortened(cell) for cell in cells), 6)


def _quoted(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _joined(rows: list[Row], what: str, separator: str, decimal: str | None) -> list[Row]:
    """Join 0,5 where the comma is both separator and decimal sign and nothing is quoted."""
    names = rows[0][1]
    widths = {len(cells) for _, cells in rows[1:-1] or rows[1:]}
    if separator != "," or len(names) < 2 or widths != {2 * len(names) - 1}:
        return rows
    if decimal is None:
        raise ValueError(
            f"The lines of {what[0].lower() + what[1:]} have {2 * len(names) - 1} values under {len(names)} names. "
            'Is the comma the decimal sign too (0,5 for 0.5)? Then say decimal=",".'
        )
    if decimal == ".":
        return rows
    return [rows[0]] + [
        (line, [cells[0], *(f"{a},{b}" for a, b in zip(cells[1::2], cells[2::2], strict=False))])
        for line, cells in rows[1:]
    ]


def _with_last_line_looked_at(rows: list[Row], notes: list[str]) -> list[Row]:
    """See to a last line without an end: it may have been torn."""
    line, cells = rows[-1]
    others = [row[-1] for _, row in rows[1:-1] if len(row) == len(cells)]
    if len(others) < 2 or len(cells) != len(rows[0][1]):
        return rows
    if not cells[-1] and all(others):
        # Too short, as any torn line: it is left out and said below.
        return [*rows[:-1], (line, cells[:-1])]
    if len(cells[-1]) < min(map(len, others)) // 2:
        notes.append(
            f"The last line has no end, and its last value, {cells[-1]}, is short: if the run was killed while it "
            "wrote, that value may be cut."
        )
    return rows


def _blocks(rows: list[Row], what: str, notes: list[str]) -> list[tuple[list[str], list[Row]]]:
    """Cut rows at head lines, and see to lines that have too few or too many cells."""
    blocks: list[tuple[list[str], list[Row]]] = []
    heads: list[int] = []
    for place, (line, cells) in enumerate(rows):
        again = place > 0 and _is_head(cells) and (cells == blocks[0][0] or _starts_a_block(rows, place))
        if place == 0 or again:
            blocks.append(([" ".join(cell.split()) for cell in cells], []))
            if again:
                heads.append(line)
        else:
            blocks[-1][1].append((line, cells))
    if heads:
        which = f"Line {heads[0]} is a head line" if len(heads) == 1 else f"Lines {listed(heads, 4)} are head lines"
        notes.append(f"{which} again.")
    last = rows[-1][0]
    return [(names, _sized(names, found, what, last, notes)) for names, found in blocks]


def _starts_a_block(rows: list[Row], place: int) -> bool:
    """Return whether a line of words is a head line: the line below has as many cells, and numbers."""
    below = rows[place + 1][1] if place + 1 < len(rows) else []
    return len(rows[place][1]) == len(below) > 1 and any(is_number(cell) for cell in below)


def _sized(names: list[str], rows: list[Row], what: str, last: int, notes: list[str]) -> list[Row]:
    """Make all rows as long as the names, or leave them out, or ask."""
    count = len(names)
    # One more cell than names, an empty one at the end or a number of the line in front: other people's habits.
    if rows and all(len(cells) == count + 1 for _, cells in rows[:-1] or rows):
        if all(not cells[-1] for _, cells in rows[:-1] or rows):
            rows = [(line, cells[:count]) for line, cells in rows]
        elif not any(map(is_epoch, names)) and _counts(cells[0] if cells else "" for _, cells in rows):
            names.insert(0, "")
            count += 1
    good, bad = [], []
    for line, cells in rows:
        (good if len(cells) == count else bad).append((line, cells))
    if not bad:
        return good
    neighbours = [b[0] for a, b in itertools.pairwise(bad) if b[0] == a[0] + 1]
    if len(bad) > max(3, len(good) // 10) or neighbours or not good:
        line, cells = bad[0]
        raise ValueError(
            f"Line {line} of {what[0].lower() + what[1:]} has {len(cells)} values, the head line has {count} names "
            f"({listed(names)}), and it is not the only such line. Was a fit with other metrics appended? CSVLogger "
            "writes no new head line then, so nobody can tell which value belongs where: give those lines a head line "
            "of their own."
        )
    for line, cells in bad:
        if not any(is_number(cell) or cell == "\0" for cell in cells):
            notes.append(f"Line {line} ({shortened_row(cells)}) is no line of values: it was left out.")
        elif line == last and len(cells) < count:
            notes.append(
                f"The last line was torn ({shortened_row(cells) if cells != [chr(0)] else 'an open quote'}), as when a "
                "run is killed while it writes: it was left out."
            )
        else:
            notes.append(f"Line {line} has {len(cells)} values instead of {count}: it was left out.")
    return good


def _counts(cells: Iterable[str]) -> bool:
    """Return whether cells count by one, from 0 or 1."""
    try:
        numbers = [int(cell) for cell in cells]
    except ValueError:
        return False
    return bool(numbers) and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _filled(blocks: list[tuple[list[str], list[Row]]], what: str, decimal: str | None, notes: list[str]) -> Table:
    """Turn blocks of rows into columns of cells."""
    rows = [(line, cells) for _, found in blocks for line, cells in found]
    if decimal is None:
        decimal, example = decimal_sign(cell for _, cells in rows for cell in cells)
        if decimal is None:
            raise ValueError(
                f'{what} holds {example!r}: is the comma the decimal sign? Say decimal="," if it is, decimal="." if it '
                "groups thousands."
            )
        if example:
            what_it_is = "before the decimals" if decimal == "," else "between thousands"
            notes.append(f"Commas stand {what_it_is}: {example} is read as {number_of(example, decimal):.10g}.")
    left_out: dict[str, str] = {}
    columns: dict[str, list[Any]] = {}
    height = 0
    for names, found in blocks:
        for name, cells in _by_name(names, found, what, left_out, notes).items():
            columns.setdefault(name, [None] * height).extend(cells)
        height += len(found)
        for column in columns.values():
            column.extend([None] * (height - len(column)))
    for name in left_out:
        columns.pop(name, None)
    order = [place for place, (_, found) in enumerate(blocks) for _ in found]
    return Table(
        what, columns, order if len(blocks) > 1 else None, [line for line, _ in rows], decimal, None, notes, left_out
    )


def _by_name(
    names: list[str], rows: list[Row], what: str, left_out: dict[str, str], notes: list[str]
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    # After an index: pandas calls it nothing, and "Unnamed: 0" when it reads its own file again.
    lower = [name.lower() for name in names]
    for place, name in enumerate(names):
        cells: list[Any] = [row[place] for _, row in rows]
        if lower[place] in INDEX:
            if place == 0 and not any(map(is_epoch, names)) and _counts(cells):
                name = "epoch"
                notes.append("The first column has no name and counts the lines: it is taken for the epochs.")
            elif not name and any(cell for cell in cells):
                name = f"column {place + 1}"
            elif not name:
                continue
        if name in columns and columns[name] != cells:
            if is_epoch(name):
                raise ValueError(f"{what} names a column twice: {listed(names)}.")
            left_out[name] = "stands in the head line twice, with different values"
        columns.setdefault(name, cells)
    return columns
