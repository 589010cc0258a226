"""A reader of the site in Chromium, who notices whatever a page asks of elsewhere and each script that fails."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests import chromium

__all__ = ["Reader", "answer", "browser", "loopback", "move_slider", "search", "search_site"]


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium without a network.

    Raises:
        FileNotFoundError: it is not installed.
    """
    program = chromium.find()
    if program is None:
        raise FileNotFoundError(chromium.MISSING)
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=program, args=[*chromium.ARGUMENTS])
        yield one
        one.close()


@contextlib.contextmanager
def loopback(site: Path) -> Iterator[str]:
    """Serve a folder on loopback and give its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # a browser that goes on does not wait for the rest of a page
                super().handle()

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Reader:
    """Opens pages below the address `base`, with all else blocked.

    Attributes:
        base: without a slash at its end, such as "file:///tmp/site".
        faults: a sentence for each request that was blocked, each script that failed, each error in the console.
    """

    context: BrowserContext
    base: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.route("**/*", self._judge)

    def _judge(self, route: Route) -> None:
        url = route.request.url
        if url.startswith(f"{self.base}/"):
            route.continue_()
            return
        self.faults.append(f"asks for {url}")
        route.abort()

    def open(self, name: str) -> Page:
        """Open a page such as "index.html" and wait until its scripts have drawn."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{name}: {error}"))
        page.on("console", lambda said: said.type == "error" and self.faults.append(f"{name}: {said.text}"))
        page.goto(f"{self.base}/{name}")
        page.wait_for_function("!document.querySelector('[data-explorer]:not([data-drawn])')")
        return page


def answer(page: Page, id: str, letter: str) -> str:
    """Commit to an answer by the keyboard, look at what the run gave, and return how it came out.

    Raises:
        AssertionError: something is told before its time, or nothing at all.
    """
    question, end = (page.locator(f'[data-course-{what}="{id}"]') for what in ("question", "outcome"))
    output = page.locator(".cell_output", has=end)
    assert not output.is_visible(), "what answers the question can be seen before it was answered"
    question.get_by_role("radio").first.focus()
    page.keyboard.press(letter)
    page.keyboard.press("Enter")
    question.get_by_text(f"Committed to {letter}.").wait_for()
    assert "right" not in question.get_by_role("status").inner_text()
    output.wait_for(state="visible")
    assert end.locator("details, .course-card").count() == 0, "the outcome stands there before it was asked for"
    end.get_by_role("button").focus()
    page.keyboard.press("Enter")
    if page.locator(f'[data-course-outcome="{id}"] input').count():
        page.keyboard.type("As I see it.")
        page.keyboard.press("Enter")
    end.get_by_text("is right").first.wait_for()
    return end.inner_text()


def move_slider(page: Page) -> tuple[str, str]:
    """Press the right arrow on an explorer's slider; return what the explorer said before and after."""
    block = page.locator("[data-explorer]").first
    slider, said = block.locator("input[type=range]").first, block.locator(".said").first
    before = said.inner_text()
    slider.focus()
    page.keyboard.press("ArrowRight")
    return before, said.inner_text()


def search(page: Page, text: str) -> list[str]:
    """Type into the lab's search, and return the addresses that it offers, the best first."""
    page.locator("[data-course-search] textarea").fill(text)
    return page.locator("[data-course-found] td a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")


def search_site(reader: Reader, word: str) -> int:
    """Ask the search of the whole site for a word, and return how many pages it finds."""
    page = reader.open(f"search.html?q={word}")
    page.locator("#search-results li").first.wait_for()
    found = page.locator("#search-results li").count()
    page.close()
    return found
