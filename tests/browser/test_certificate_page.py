"""The certificate in a browser: nothing is asked of the web, it is read by everybody, and it fits on paper."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from helpers import arena, certificate, questions
from helpers.checks import _progress

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from capstone import recorded_report

pytestmark = pytest.mark.browser


@pytest.fixture
def address(tmp_path, monkeypatch) -> str:
    """Write the certificate of somebody who did everything and played for long."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    for name in questions.lessons():
        lesson = questions.load(name)
        for id in lesson.exercises:
            _progress.record_check(id, solved=True)
        for id, one in lesson.predictions.items():
            _progress.record_prediction(id, one.right, one.answers[one.right].text, right=True)
    played = [recorded_report(name, group) for group in range(5) for name in ("baseline", "first", "second", "third")]
    monkeypatch.setattr(arena, "reports", lambda: played)
    return certificate.write("Ada Lovelace", folder=tmp_path).file.absolute().as_uri()


def test_it_reads_well_in_the_light_and_asks_nothing_of_the_web(page, address):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme="dark")  # of a reader; the page stays light
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(address)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert (
        page.evaluate("() => getComputedStyle(document.querySelector('main')).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert [(one["id"], one["impact"]) for one in axe.Axe().run(page).response["violations"]] == []


def test_all_of_it_fits_on_two_pages_of_a4(page, address):
    page.goto(address)
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 2
    assert re.search(rb"/MediaBox\s*\[0 0 59[45]\.?\d* 84[12]\.?\d*\]", printed)
