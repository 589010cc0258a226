"""The two tables with links, by what people see and by what the screen says, as HTML, Markdown and text."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from helpers import _cards
from helpers.pitfalls._lessons import Section
from helpers.pitfalls._table import Pitfall


@dataclass(frozen=True, repr=False)
class Index(_cards.Shown):
    """Two tables with links, by symptom and by message; shows itself.

    The Markdown, which README.md has, says of a trouble without a thread that none was found; in a notebook the
    trouble itself says so.
    """

    pitfalls: tuple[Pitfall, ...]

    @property
    def messages(self) -> tuple[tuple[str, tuple[Pitfall, ...]], ...]:
        """Each message once, in the order of the alphabet, with the troubles that show it."""
        texts = sorted({text for one in self.pitfalls for text in one.message}, key=str.lower)
        return tuple((text, tuple(one for one in self.pitfalls if text in one.message)) for text in texts)

    def __str__(self) -> str:
        lines = [f"{one.heading} ({one.notebook})\n    {one.symptom}" for one in self.pitfalls]
        lines += [f"{text}\n    see {_numbers(ones, lambda one: str(one.number))}" for text, ones in self.messages]
        return "\n".join(lines)

    def to_html(self) -> str:
        """Return both tables as HTML; links lead to the notebooks beside the open one."""
        rows = [(link(one, one.heading), html.escape(one.symptom)) for one in self.pitfalls]
        parts = [table(("Trouble", "What you see"), rows)]
        texts = [
            (_numbers(ones, lambda one: link(one, str(one.number))), f"<code>{html.escape(text)}</code>")
            for text, ones in self.messages
        ]
        if texts:
            parts.append(table(("Trouble", "What it says"), texts))
        return "".join(parts)

    def to_markdown(self, folder: str = "notebooks/") -> str:
        """Return both tables as Markdown whose links begin with `folder`, as README.md has them."""

        def to(one: Pitfall, text: str) -> str:
            return f"[{text}]({folder}{one.link})"

        lines = ["| trouble | what you see |", "|---|---|"]
        lines += [f"| {to(one, one.heading)} | {_cell(one.symptom)}{_unheard(one)} |" for one in self.pitfalls]
        lines += ["", "| what it says | trouble |", "|---|---|"]
        for text, ones in self.messages:
            lines.append(f"| {_code(text)} | {_numbers(ones, lambda one: to(one, str(one.number)))} |")
        return "\n".join(lines)


def _numbers(ones: Iterable[Pitfall], shown: Callable[[Pitfall], str]) -> str:
    return ", ".join(map(shown, ones))


def link(one: Pitfall | Section, text: str) -> str:
    """Return a link to the place of a trouble or a section, from a notebook beside its own."""
    return f'<a href="{html.escape(one.link)}">{html.escape(text)}</a>'


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return an HTML table; heads are text, cells are HTML."""
    cell = 'style="text-align:left;vertical-align:top;padding:3px 14px 3px 0;white-space:normal;overflow-wrap:anywhere"'
    one_line = cell.replace("white-space:normal;overflow-wrap:anywhere", "white-space:nowrap")
    top = "".join(f'<th scope="col" {one_line}>{name}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td {cell}>{text}</td>" for text in row) + "</tr>" for row in rows)
    return f'<table style="margin:4px 0;max-width:60em"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _unheard(one: Pitfall) -> str:
    return "" if one.threads else " (We found no thread about it.)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    """Return text as code in Markdown; what holds backticks itself needs more of them around it."""
    fence = "``" if "`" in text else "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{_cell(text)}{pad}{fence}"
