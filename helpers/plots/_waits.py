"""The wait counter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def wait_counter(values: Any, *, stopping: Any = None, patience: int | None = None) -> Figure:
    """Draw how EarlyStopping counts."""
    raise NotImplementedError("The next commit draws this.")
