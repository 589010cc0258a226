"""The projector's pages in a browser: keys and a remote turn them, nothing is asked of the web, all fits in view."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import projector  # noqa: E402

pytestmark = pytest.mark.browser

SMALLEST = """() => Math.min(...[...document.querySelectorAll('.sheet')].map((sheet) => {
  const page = sheet.parentElement;
  return sheet.scrollHeight > page.clientHeight || sheet.scrollWidth > page.clientWidth
    ? 0 : parseFloat(getComputedStyle(sheet).fontSize) / innerHeight;
}))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return {path.stem: path.as_uri() for path in projector.write(tmp_path_factory.mktemp("pages"))}


def test_keys_turn_pages(page, pages):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages["02"])
    shown = "() => [...document.querySelectorAll('section')].filter((one) => one.checkVisibility("
    shown += "{visibilityProperty: true})).map((one) => one.id).join()"
    for key, expected in (
        (None, "cover"), ("ArrowRight", "02.a"), ("PageDown", "02.a-answer"), ("Space", "02.a-why"),
        ("ArrowLeft", "02.a-answer"), ("PageUp", "02.a"), ("b", ""), ("b", "02.a"), ("Home", "cover"),
        ("PageUp", "cover"), ("End", "02.d-answer"), ("Enter", "02.d-answer"),
    ):  # fmt: skip
        if key:
            page.keyboard.press(key)
        assert page.evaluate(shown) == expected, key
    page.reload()
    assert page.evaluate(shown) == "02.d-answer"
    assert [url for url in asked if not url.startswith("file:")] == []
    # One page of paper for each; a sheet that did not fit would take two.
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == page.locator("section").count()
    assert page.evaluate("() => document.querySelector('.sheet').style.getPropertyValue('--fit-print')") != ""


def test_everything_fits_and_can_be_read_from_the_last_row(page, pages):
    # The narrow screen has least room; on the wide one a lesson with long questions stands for the others.
    for (width, height), names in (((1024, 768), pages.keys() - {"vote"}), ((1920, 1080), {"08c"})):
        page.set_viewport_size({"width": width, "height": height})
        for name in sorted(names):
            page.goto(pages[name])
            # A fortieth of the height is what slides keep to at the least: 19 points on a page of 768.
            assert page.evaluate(SMALLEST) >= 1 / 40, name


def test_the_vote_sheet_is_one_page(page, pages):
    page.goto(pages["vote"])
    for paper in ("A4", "Letter"):
        assert page.pdf(format=paper).count(b"/Type /Page\n") == 1
