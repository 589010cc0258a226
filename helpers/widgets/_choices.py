"""Which patience values get a frame when there are more than frames."""

from __future__ import annotations

import numpy as np

from helpers.replay import PatienceTable


def choose(table: PatienceTable, limit: int, present: int) -> list[int]:
    """Choose at most `limit` patience values that tell the story of a run.

    All of them if there are few. Else the ends, the present one, both sides of every jump (where one more epoch of
    patience finds another best, or ends the stopping), most of the small ones, and the rest spread evenly. Above the
    first patience that never stops all are the same, so one frame at the end stands for them.

    Args:
        table: From `replay.every_patience`.
        limit: Largest number of values, at least 4.
        present: The value that must stay.

    Returns:
        Values in rising order.
    """
    top = int(table.patience[-1])
    if top < limit:
        return table.patience.tolist()
    jumps = np.flatnonzero(np.diff(table.best_epoch) | (np.diff(table.stopped.astype(int)) != 0))
    # The largest patience that stops, or the end.
    end = int(table.stopped.sum()) or top
    chosen = {0, top, min(present, top)}
    sides = sorted({int(side) for jump in jumps for side in (jump, jump + 1)} - chosen)
    room = limit - len(chosen)
    chosen.update(_spread(sides, room * 3 // 4))
    room = limit - len(chosen)
    chosen.update([value for value in range(end + 1) if value not in chosen][: room * 2 // 3])
    chosen.update(_spread([value for value in range(end + 1) if value not in chosen], limit - len(chosen)))
    return sorted(chosen)


def _spread(values: list[int], amount: int) -> list[int]:
    """Return `amount` of the values, evenly spaced; all of them if there are no more."""
    if len(values) <= amount:
        return values
    return [values[place] for place in np.linspace(0, len(values) - 1, amount).round().astype(int)] if amount else []
