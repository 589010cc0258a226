"""What keeps people from reading a page, as a browser has computed it.

Texts have a contrast of 4.5:1; marks, borders, fields and the focus 3:1 (WCAG 2.2: 1.4.3, 1.4.11, 2.4.7). Nothing is
read twice.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from playwright.sync_api import Locator, Page

__all__ = ["install", "low", "rings", "twice"]

# Of a cell, in JupyterLab and on a page of the site.
OUTPUTS = ".jp-OutputArea-output, .cell_output > .output"
_SCRIPT = Path(__file__).with_suffix(".js")


def install(page: Page) -> None:
    """Bind `courseBarriers` in a page that is open."""
    page.evaluate(_SCRIPT.read_text(encoding="utf-8"))


def low(where: Page | Locator) -> list[str]:
    """Return a sentence for each kind of text, mark, border or field that stands out too little, with their number."""
    return _told(where, "look")


def rings(where: Page | Locator) -> list[str]:
    """Return a sentence for each kind of element whose focus cannot be seen; each that takes it gets it once."""
    page = where if isinstance(where, Page) else where.page
    # After a key the browser shows the focus, wherever a script puts it.
    page.keyboard.press("Tab")
    return _told(where, "rings")


def twice(where: Page | Locator) -> list[str]:
    """Return each sentence that stands twice in one output of a cell, seen or as the name of a picture."""
    return _told(where.locator(OUTPUTS) if isinstance(where, Page) else where, "twice")


def _told(where: Page | Locator, what: str) -> list[str]:
    install(where if isinstance(where, Page) else where.page)
    if isinstance(where, Page):
        found = where.evaluate(f"courseBarriers.{what}()")
    else:
        found = where.evaluate_all(f"all => all.flatMap((one) => courseBarriers.{what}(one))")
    return [f"{sentence} ({count} times)" if count > 1 else sentence for sentence, count in Counter(found).items()]
