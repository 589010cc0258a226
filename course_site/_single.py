"""Make one file of each page, with all that it needs: to be sent by mail, or put on a stick."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["write"]

_ARTICLE = re.compile(r'<article class="bd-article">(?P<body>.*?)</article>', re.DOTALL)
_TITLE = re.compile(r"<title>(?P<title>.*?)</title>", re.DOTALL)
_SCRIPT = re.compile(r'<script[^>]* src="_static/(?P<file>[^"?]+)[^"]*"></script>')
_STYLES = ("pygments.css", "predict.css", "single.css", "course.css")
_SCRIPTS = ("predict.js", "course.js")
_THEME = (
    'document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";'
)


def write(site: Path, folder: Path) -> list[Path]:
    """Write each page of a built site as one file of the same name, and return the files.

    Links between them hold while they lie in one folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    read = {path.name: path.read_text(encoding="utf-8") for path in (site / "_static").glob("*.*s")}
    written = []
    for path in sorted(site.glob("*.html")):
        text = path.read_text(encoding="utf-8")
        article = _ARTICLE.search(text)
        if article is None or path.name in ("search.html", "genindex.html"):
            continue
        made = folder / path.name
        made.write_text(_file(_TITLE.search(text)["title"].strip(), article["body"], read), encoding="utf-8")
        written.append(made)
    return written


def _file(title: str, body: str, read: dict[str, str]) -> str:
    styles = "\n".join(read[name] for name in _STYLES)
    # The page's own scripts stand behind what they read.
    own = [found["file"] for found in _SCRIPT.finditer(body)]
    scripts = "".join(f"<script>\n{read[name]}</script>\n" for name in (*own, *_SCRIPTS))
    return (
        f'<!doctype html>\n<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><script>{_THEME}</script>'
        f"<style>\n{styles}\n</style></head>\n<body><main>{_SCRIPT.sub('', body)}</main>\n{scripts}</body></html>\n"
    )
