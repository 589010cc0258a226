"""From what Keras prints while it trains to a table."""

from __future__ import annotations

import re
from typing import Any

from helpers.history._cells import is_number
from helpers.history._table import Table

_EPOCH = re.compile(r"\s*Epoch (\d+)/\d+\s*$")
_METRIC = re.compile(r"\s*([A-Za-z_][\w./()-]*): (\S+)\s*$")
_NOTE = "Read from what Keras printed: its numbers are rounded, so values may seem equal that were not."


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
