"""The hook timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure


def hook_timeline(events: Iterable[Any]) -> Figure:
    """Draw which hook Keras called when."""
    raise NotImplementedError("The next commit draws this.")
