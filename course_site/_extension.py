"""What the pages need of Sphinx beside myst-nb: ids that links name, terms at their first use, launch buttons."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from helpers import _anchors

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_config_value("course_launch", {}, "html", [dict])
    app.add_config_value("course_terms", [], "html", [list])
    app.connect("doctree-read", _name_headings)
    app.connect("doctree-read", _link_terms)
    app.connect("html-page-context", _add_launch, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _name_headings(_app: Sphinx, doctree: nodes.document) -> None:
    """Give each section the id that a link to its heading names, as in the notebooks."""
    taken: set[str] = set()
    for section in doctree.findall(nodes.section):
        name = _anchors.cell_id(section.next_node(nodes.title).astext())
        if name and name not in taken and name not in section["ids"]:
            taken.add(name)
            section["ids"].append(name)


def _link_terms(app: Sphinx, doctree: nodes.document) -> None:
    """Link each term of the glossary where a page first uses it in its prose."""
    if not re.match(r"\d\d", app.env.docname):
        return
    open_terms = {anchor: re.compile(pattern) for anchor, pattern in app.config.course_terms}
    for text in list(doctree.findall(nodes.Text)):
        if not open_terms or not _prose(text):
            continue
        if isinstance(text.parent, nodes.literal):
            _link_code(text.parent, open_terms)
        else:
            _link_words(text, open_terms)


def _prose(text: nodes.Text) -> bool:
    above = text.parent
    if not isinstance(above, nodes.TextElement):
        return False
    within = False
    while above is not None:
        if isinstance(
            above, nodes.title | nodes.reference | nodes.literal_block | nodes.raw | nodes.comment | nodes.Admonition
        ):
            return False
        within = within or isinstance(above, nodes.paragraph)
        above = above.parent
    return within


def _link_code(code: nodes.literal, terms: dict[str, re.Pattern[str]]) -> None:
    """Link a term that stands as code, whole or with `=` or `(` behind it."""
    for anchor, pattern in terms.items():
        if re.fullmatch(rf"(?:{pattern.pattern})(?:[=(].*)?", code.astext()):
            del terms[anchor]
            link = _reference(anchor)
            code.replace_self(link)
            link += code
            return


def _link_words(text: nodes.Text, terms: dict[str, re.Pattern[str]]) -> None:
    """Split a text at the terms that it uses first."""
    words, pieces, begin = text.astext(), [], 0
    found = sorted(
        (match.start(), match.end(), anchor) for anchor, one in terms.items() if (match := one.search(words))
    )
    for start, end, anchor in found:
        if start < begin:
            continue
        del terms[anchor]
        link = _reference(anchor)
        link += nodes.Text(words[start:end])
        pieces += [nodes.Text(words[begin:start]), link]
        begin = end
    if pieces:
        text.parent.replace(text, [*pieces, nodes.Text(words[begin:])])


def _reference(anchor: str) -> nodes.reference:
    return nodes.reference("", "", refuri=f"glossary.html#{anchor}", classes=["course-term"], internal=True)


def _add_launch(app: Sphinx, pagename: str, _template: str, context: dict, _doctree: nodes.document | None) -> None:
    """Put a button for each place where the lesson can be opened beside the theme's own."""
    links = app.config.course_launch.get(pagename)
    if links:
        buttons = [
            {"type": "link", "url": url, "text": name, "tooltip": f"Open this lesson {where}"}
            for name, url, where in links
        ]
        context.setdefault("header_buttons", []).append(
            {
                "type": "group",
                "buttons": buttons,
                "icon": "fas fa-rocket",
                "text": "Open the lesson",
                "tooltip": "Open the lesson",
                "label": "launch-buttons",
            }
        )
