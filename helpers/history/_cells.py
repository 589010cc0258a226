"""Numbers as people and programs write them."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable
from typing import Any

# Words for a value that is not there. "nan" is none of them: a loss can be that.
MISSING = {
    "", "na", "n/a", "n.a.", "#n/a", "none", "null", "nil", "-", "--", "---", "—", "–", "?", ".", "missing",
    "undefined", "<na>", "\\n",
}  # fmt: skip

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf(?:inity)?|nan|∞)", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d*(?:,\d+)+(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\d+(?:\.\d{3})*,\d*(?:[eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d*(?:[eE][+-]?\d+)?")
# 1,234 is a thousand to some and one and a bit to others; 0,123 and 1,2345 are no thousands.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def number_of(cell: Any, decimal: str = ".") -> float | None:
    """Read one cell.

    Args:
        cell: A number, a text or None.
        decimal: `"."`, or `","` where a comma stands before the decimals.

    Returns:
        A float (NaN and infinity included), or None for a missing value.

    Raises:
        ValueError: If the cell holds no number.
    """
    if cell is None or type(cell) is float:
        return cell
    if isinstance(cell, str):
        # The usual case first. (To Python 1_0 is a number too.)
        if decimal == "." and cell[-1:].isdigit() and "_" not in cell:
            with contextlib.suppress(ValueError):
                return float(cell)
        text = cell.strip().strip("'\"").strip()
        if text.lower() in MISSING:
            return None
        text = text.removesuffix("%").rstrip()
        if decimal == ",":
            # Points can only group thousands then: 1.234,5 and 1.234.
            grouped = re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+(,.*)?", text)
            text = (text.replace(".", "") if grouped else text).replace(",", ".")
        elif _COMMA.fullmatch(text):
            text = text.replace(",", "")
        if not _PLAIN.fullmatch(text):
            raise ValueError
        return float(text.replace("∞", "inf"))
    if isinstance(cell, bool) or type(cell).__name__ in ("bool", "bool_", "NAType", "NaTType"):
        if type(cell).__name__ in ("NAType", "NaTType"):
            return None
        raise ValueError
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        raise ValueError from None


def is_number(cell: Any) -> bool:
    """Return whether a cell holds a number; a missing value is none."""
    try:
        return number_of(cell) is not None
    except ValueError:
        return False


def decimal_sign(cells: Iterable[str]) -> tuple[str | None, str]:
    """Find the decimal sign of a file from its cells.

    Returns:
        `"."` or `","`, or None if two readings are possible; and a cell that tells, "" if all is plain.
    """
    found: dict[str, str] = {}
    cells = [cell for cell in cells if "," in cell or "." in cell]
    if not any("," in cell for cell in cells):
        return ".", ""
    for cell in cells:
        text = cell.strip().strip("'\"").removesuffix("%").rstrip()
        if "," in text:
            if not _COMMA.fullmatch(text):
                continue
            if _THOUSANDS.fullmatch(text):
                kind = "either"
            else:
                kind = "," if text.rfind(",") > text.rfind(".") and text.count(",") == 1 else "thousands"
            # A cell such as 0,5 is a better example than 1,0.
            if kind not in found or re.fullmatch(r".*,0*", found[kind]):
                found[kind] = text
        elif "." in text and _POINT.fullmatch(text):
            # 1.234 tells nothing beside 0,5.
            found.setdefault("point" if not _THOUSANDS.fullmatch(text.replace(".", ",")) else "open", text)
    if "," in found:
        return (None, found[","]) if "point" in found or "thousands" in found else (",", found[","])
    if "either" in found:
        sure = "point" in found or "thousands" in found
        return ("." if sure else None), found["either"]
    return ".", found.get("thousands", "")


def describe(cell: Any) -> str:
    """Name what stands where a number belongs."""
    if isinstance(cell, str):
        return f"the text {shortened(cell)!r}"
    if cell is None:
        return "None"
    name = type(cell).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def shortened(text: str) -> str:
    """Return a text that fits into a sentence."""
    text = " ".join(text.strip().strip("'\"").split())
    return text if len(text) <= 24 else text[:22] + "…"


def is_nan(value: float | None) -> bool:
    """Return whether a value is NaN."""
    return value is not None and math.isnan(value)
