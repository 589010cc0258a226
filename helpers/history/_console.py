"""From what Keras, or a loop of one's own, prints while it trains to a table."""

from __future__ import annotations

import re
from typing import Any

from helpers.history._cells import is_number
from helpers.history._table import Table

_EPOCH = re.compile(r"\s*Epoch (\d+)/\d+\s*$")
_METRIC = re.compile(r"\s*([A-Za-z_][\w./()-]*): (\S+)\s*$")
_NOTE = "Read from what Keras printed: its numbers are rounded, so values may seem equal that were not."
# `[Epoch 3/10] loss: 0.5, Val Loss=0.6` of a loop of one's own.
_OWN_EPOCH = re.compile(r"\bepoch\W{0,4}(\d+)(?:\s*(?:/|of)\s*\d+)?", re.IGNORECASE)
_OWN_METRIC = re.compile(
    r"([A-Za-z][\w./-]*(?: [A-Za-z][\w./-]*)?)\s*[:=]\s*([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf)%?)(?![\w.:])"
)
_OWN_NOTE = "Read from lines of text that name an epoch and values."


def printed_table(text: str, what: str) -> Table | None:
    """Read Keras's progress lines; the last of an epoch counts.

    Args:
        text: All that was printed, other lines included.
        what: As messages shall name it.

    Returns:
        A table whose epochs count from 1, None if Keras printed nothing of this.
    """
    rows: list[dict[str, Any]] = []
    # Colours, and the backspaces that redraw a bar.
    for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text.replace("\b", "\n")).split("\n"):
        begins = _EPOCH.match(line)
        if begins:
            rows.append({"epoch": int(begins[1])})
        elif rows and " - " in line:
            found = [_METRIC.match(part) for part in line.split(" - ")]
            rows[-1].update({match[1]: match[2] for match in found if match and is_number(match[2])})
    rows = [row for row in rows if len(row) > 1]
    if not rows:
        return None
    names = dict.fromkeys(name for row in rows for name in row)
    return Table(what, {name: [row.get(name) for row in rows] for name in names}, counts_from=1, notes=[_NOTE])


def spoken_table(text: str, what: str) -> Table | None:
    """Read lines that name an epoch and values, as a loop of one's own prints them.

    Args:
        text: All that was printed, other lines included.
        what: As messages shall name it.

    Returns:
        A table with a row for each such line, None if there are fewer than two.
    """
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        found = None if line.lstrip().startswith(("#", "//")) else _OWN_EPOCH.search(line)
        # The values stand after the epoch; what stands before it is the time, or who speaks.
        values = dict(_OWN_METRIC.findall(line[found.end() :])) if found else {}
        if values:
            rows.append({"epoch": int(found[1]), **values})
            lines.append(number)
    if len(rows) < 2:
        return None
    names = dict.fromkeys(name for row in rows for name in row)
    return Table(what, {name: [row.get(name) for row in rows] for name in names}, lines=lines, notes=[_OWN_NOTE])
