"""How a link into a notebook lands on a heading, in JupyterLab.

`#cell-id=ID` is found in a notebook that is just being opened, while the usual anchor, the heading with hyphens for
blanks, is found only once its cell was drawn: on the second click. So each cell that begins with a heading has an id
made from it, and links name that.
"""

from __future__ import annotations

import re

__all__ = ["cell_id", "fragment"]

# What the notebook format allows.
_LONGEST = 64


def cell_id(heading: str) -> str:
    """Return the id of the cell that begins with a heading; its anchor in place of it gives the same."""
    return re.sub(r"[^A-Za-z0-9]+", "-", heading.replace("`", "")).strip("-")[:_LONGEST]


def fragment(heading: str) -> str:
    """Return what stands behind the `#` in a link to a heading, or to its anchor."""
    return f"cell-id={cell_id(heading)}"
