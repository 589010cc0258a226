"""Small cards that a cell shows: HTML with colour and words, and the same as plain text."""

from __future__ import annotations

import html
import re
import sys
import textwrap

# JupyterLab's own theme colours, so that light and dark both work; the fallbacks serve exported pages.
COLOURS = {
    "good": "var(--jp-success-color1, #2e7d32)",
    "poor": "var(--jp-warn-color1, #c77700)",
    "bad": "var(--jp-error-color1, #c62828)",
    "note": "var(--jp-info-color1, #0277bd)",
    "quiet": "var(--jp-border-color1, #9e9e9e)",
}
_CODE = (
    "font-family:var(--jp-code-font-family,monospace);font-size:0.92em;"
    "background:var(--jp-layout-color2,rgba(127,127,127,.15));padding:0 3px;border-radius:2px"
)
_BLOCK = (
    "font-family:var(--jp-code-font-family,monospace);font-size:0.92em;line-height:1.4;margin:6px 0;padding:6px 10px;"
    "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;color:inherit;background:var(--jp-layout-color2,rgba(127,127,127,.15))"
)
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_FENCE = re.compile(r"```[a-z]*\n(.*?)\n```", re.DOTALL)


def inline(text: str) -> str:
    """Turn one paragraph with `code`, **bold** and [links](https://...) into HTML; everything else is escaped."""
    parts = []
    for number, part in enumerate(text.split("`")):
        if number % 2:
            parts.append(f'<code style="{_CODE}">{html.escape(part)}</code>')
            continue
        part = html.escape(part)
        part = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", part)
        part = _LINK.sub(r'<a href="\2" target="_blank" rel="noopener">\1</a>', part)
        parts.append(part)
    return "".join(parts)


def block(code: str) -> str:
    """Return HTML for lines of code, with their line breaks."""
    return f'<pre style="{_BLOCK}">{html.escape(code)}</pre>'


def paragraphs(text: str) -> str:
    """Turn text into HTML: blank lines part paragraphs, and ``` fences hold lines of code."""
    out = []
    for number, piece in enumerate(_FENCE.split(textwrap.dedent(text).strip())):
        if number % 2:
            out.append(block(piece))
        else:
            out += [
                f'<p style="margin:4px 0">{inline(p)}</p>' for p in re.split(r"\n\s*\n", piece.strip()) if p.strip()
            ]
    return "".join(out)


def plain(text: str) -> str:
    """Return text for a terminal: soft line breaks joined, paragraphs and fenced code kept."""
    out = []
    for number, piece in enumerate(_FENCE.split(textwrap.dedent(text).strip())):
        if number % 2:
            out.append(textwrap.indent(piece, "    "))
        else:
            out += [" ".join(p.split()) for p in re.split(r"\n\s*\n", piece.strip()) if p.strip()]
    return "\n".join(out)


def card(heading: str, body: str, kind: str) -> str:
    """Return the HTML of a card: a bar in the colour of `kind`, `heading` (text, may be empty), `body` (HTML)."""
    head = f'<div style="font-weight:600;margin:2px 0">{inline(heading)}</div>' if heading else ""
    style = f"border-left:4px solid {COLOURS[kind]};padding:2px 12px;margin:4px 0;max-width:46em"
    return f'<div style="{style}">{head}{body}</div>'


def shell():
    """Return the running IPython shell, or None; IPython is not imported for the question."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()


class Shown:
    """A record that shows itself: `show()` at once, and silently skipped as the result of the same cell.

    A subclass gives `__str__` (plain text) and `to_html()`. Without this, `outcome = check(...)` would show nothing
    and `check(...)` as a cell's last line would show twice.
    """

    def to_html(self) -> str:
        """Return the record as HTML."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the record now; a plain interactive Python shows its own echo instead."""
        running = shell()
        if running is None:
            if not hasattr(sys, "ps1"):
                sys.stdout.write(f"{self}\n")
            return
        object.__setattr__(self, "_shown_in_cell", running.execution_count)
        self._publish()

    def _publish(self) -> None:
        from IPython.display import publish_display_data

        publish_display_data({"text/plain": str(self), "text/html": self.to_html()})

    def _ipython_display_(self) -> None:
        running = shell()
        if running is None or getattr(self, "_shown_in_cell", None) != running.execution_count:
            self._publish()

    def __repr__(self) -> str:
        return str(self)


class Note(Shown):
    """One sentence or a few lines, shown quietly.

    Args:
        text: what to say; `code` and **bold** are rendered.
        kind: a key of `COLOURS`.
    """

    def __init__(self, text: str, kind: str = "note"):
        self.text = text
        self.kind = kind

    def __str__(self) -> str:
        return plain(self.text)

    def to_html(self) -> str:
        """Return the note as HTML."""
        return card("", paragraphs(self.text), self.kind)
