"""Look at a built site: each link leads to a page and a place that are there, and nothing is fetched from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["Page", "problems"]

# Elements that a browser fetches without being asked.
_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "embed": "src", "object": "data"}
_FETCHED_LINKS = {
    "stylesheet",
    "preload",
    "prefetch",
    "icon",
    "shortcut icon",
    "preconnect",
    "modulepreload",
    "manifest",
}
_CSS_URL = re.compile(r"""url\(\s*["']?(?P<url>[^"')]+)|@import\s+["'](?P<at>[^"']+)""")


class Page(HTMLParser):
    """What a page holds of ids, links and things that are fetched."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read one element."""
        has = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := has.get(name))}
        if tag == "a" and has.get("href"):
            self.links.append(has["href"])
        if tag == "link" and has.get("rel") in _FETCHED_LINKS and has.get("href"):
            self.fetched.append(has["href"])
        if (source := has.get(_FETCHED.get(tag, ""))) and not source.startswith("data:"):
            self.fetched.append(source)


def problems(site: Path) -> list[str]:
    """Return a sentence for each link that leads nowhere and each thing that a page fetches from elsewhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for link in dict.fromkeys(page.links):
            if fault := _fault(path, link, pages):
                found.append(f"{name}: {link} {fault}")
        for source in dict.fromkeys(page.fetched):
            if urlsplit(source).scheme or source.startswith("//"):
                found.append(f"{name} fetches {source} from elsewhere")
            elif not (path.parent / unquote(urlsplit(source).path)).is_file():
                found.append(f"{name} fetches {source}, which is not there")
    return found + [fault for path in sorted(site.rglob("*.css")) for fault in _in_css(path, site)]


def _fault(path: Path, link: str, pages: dict[Path, Page]) -> str:
    """Say what is wrong with a link, or return nothing."""
    parts = urlsplit(link)
    if parts.scheme or link.startswith("//"):
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "leads to no file"
    place = unquote(parts.fragment)
    # A page that is not HTML has no places; "#" alone is the top of one.
    if place and target in pages and place not in pages[target].ids:
        return "leads to no place on that page"
    return ""


def _in_css(path: Path, site: Path) -> list[str]:
    found = []
    for match in _CSS_URL.finditer(path.read_text(encoding="utf-8", errors="replace")):
        url = match["url"] or match["at"]
        if urlsplit(url).scheme not in ("", "data"):
            found.append(f"{path.relative_to(site).as_posix()} fetches {url} from elsewhere")
    return found
