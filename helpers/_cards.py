"""Small cards that a cell shows: HTML with colour and words, and the same as plain text."""

from __future__ import annotations

import functools
import html
import re
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mistune

# One colour for light and dark pages alike: each has a contrast of at least 3:1 against white and against the dark
# theme's grey (tests/test_cards.py). They are colours of bars and borders, not of text.
COLOURS = {
    "good": "#2e8b3d",
    "poor": "#b86e00",
    "bad": "#d63a30",
    "note": "#1a73d0",
    "quiet": "#7a7a7a",
}
_CODE = (
    "font-family:var(--jp-code-font-family,monospace);font-size:0.92em;"
    "background:var(--jp-layout-color2,rgba(127,127,127,.15));padding:0 3px;border-radius:2px"
)
_BLOCK = (
    "font-family:var(--jp-code-font-family,monospace);font-size:0.92em;line-height:1.4;margin:6px 0;padding:6px 10px;"
    "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;color:inherit;background:var(--jp-layout-color2,rgba(127,127,127,.15))"
)
_FENCE = re.compile(r"```[a-z]*\n(.*?)\n```", re.DOTALL)


def inline(text: str) -> str:
    """Turn one paragraph with `code`, **bold**, *emphasis* and [links](https://...) into HTML; the rest is escaped."""
    markdown = _markdown()
    return markdown.renderer(markdown.inline(" ".join(text.split()), {}), markdown.block.state_cls())


def block(code: str) -> str:
    """Return HTML for lines of code, with their line breaks."""
    return f'<pre style="{_BLOCK}">{html.escape(code)}</pre>'


def paragraphs(text: str) -> str:
    """Turn paragraphs, lists and ``` fences with lines of code into HTML; inside them `inline` holds."""
    return _markdown()(textwrap.dedent(text).strip())


@functools.cache
def _markdown() -> mistune.Markdown:
    """Make the parser when it is first needed: a part of Markdown only, since messages hold names and paths too."""
    import mistune

    class Renderer(mistune.HTMLRenderer):
        def paragraph(self, text: str) -> str:
            return f'<p style="margin:4px 0">{text}</p>'

        def codespan(self, text: str) -> str:
            return f'<code style="{_CODE}">{html.escape(text)}</code>'

        def block_code(self, code: str, info: str | None = None) -> str:
            return block(code.rstrip("\n"))

        def text(self, text: str) -> str:
            return html.escape(text)

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return text

        def link(self, text: str, url: str, title: str | None = None) -> str:
            away = ' target="_blank" rel="noopener"' if re.match("https?://", url) else ""
            return f'<a href="{self.safe_url(url)}"{away}>{text}</a>'

    blocks = mistune.BlockParser(list_rules=["fenced_code", "list", "blank_line"])
    blocks.rules = ["fenced_code", "list", "blank_line"]
    spans = mistune.InlineParser()
    # No backslash escapes: they would eat parts of Windows paths.
    spans.rules = ["codespan", "emphasis", "link", "link_close", "softbreak"]
    return mistune.Markdown(Renderer(escape=True), blocks, spans)


def plain(text: str) -> str:
    """Return text for a terminal: soft line breaks joined, paragraphs and fenced code kept."""
    out = []
    for number, piece in enumerate(_FENCE.split(textwrap.dedent(text).strip())):
        if number % 2:
            out.append(textwrap.indent(piece, "    "))
        else:
            out += [" ".join(p.split()) for p in re.split(r"\n\s*\n", piece.strip()) if p.strip()]
    return "\n".join(out)


def card(heading: str, body: str, kind: str, *, width: str = "46em") -> str:
    """Return the HTML of a card: a bar in the colour of `kind`, `heading` (text, may be empty), `body` (HTML)."""
    head = f'<div style="font-weight:600;margin:2px 0">{inline(heading)}</div>' if heading else ""
    style = f"border-left:4px solid {COLOURS[kind]};padding:2px 12px;margin:4px 0;max-width:{width}"
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
