"""A bar that says how far a run is, in a notebook or a terminal."""

from __future__ import annotations

import html
import sys

from helpers import _cards

__all__ = ["Bar"]


class Bar:
    """Shown while a run lasts; it takes itself away at the end of the `with` block."""

    def __enter__(self) -> Bar:
        self._handle, self._last = None, ""
        self._show(0.0, ["Keras is being imported, some seconds"])
        return self

    def __call__(self, done: float, words: list[str]) -> None:
        """Show the share that is done, 0 to 1, and what runs now."""
        self._show(done, words)

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            from IPython.display import HTML

            self._handle.update(HTML(""))
        elif sys.stderr.isatty():
            sys.stderr.write("\r" + " " * len(self._last) + "\r")

    def _show(self, done: float, words: list[str]) -> None:
        text = f"arena: {done:4.0%}  {' · '.join(words)}"
        if text == self._last:
            return
        if _cards.shell() is not None:
            from IPython.display import HTML, display

            bar = HTML(
                f'<progress max="1" value="{done:.3f}" aria-label="trainings done" style="width:20em"></progress> '
                f"<small>{html.escape(text.removeprefix('arena: '))}</small>"
            )
            if self._handle is None:
                self._handle = display(bar, display_id=True)
            else:
                self._handle.update(bar)
        elif sys.stderr.isatty():
            sys.stderr.write("\r" + text.ljust(len(self._last)))
            sys.stderr.flush()
        self._last = text
