"""Lesson 08 in a real JupyterLab: what is pasted is found, and links land on their trouble at the first click."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from helpers import pitfalls

pytestmark = pytest.mark.browser

LESSON = "08_pitfall_lab"
HERE, THERE, THIRD = (
    next(one for one in pitfalls.load()[10:] if one.notebook == name)
    for name in (LESSON, "08a_stopping", "08c_callbacks")
)
OPEN = "window.jupyterapp.shell.currentWidget"
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
PASTE = """Traceback (most recent call last):
  File "/home/me/train.py", line 12, in <module>
    model.fit(x, y, callbacks=[Log()])
AttributeError: 'Adam' object has no attribute 'lr'
"""


@pytest.fixture
def lesson(lab):
    """Open lesson 08, as low as a laptop's screen, so that a heading is in sight only after a jump; run its top."""
    lab.page.set_viewport_size({"width": 1280, "height": 720})
    lab.open(f"{LESSON}.ipynb")
    lab.run_cell(lab.find("lesson.begin"))
    return lab


def test_the_index_leads_to_the_troubles(lesson):
    index = lesson.find("pitfalls.index()")
    lesson.run_cell(index)
    expect(lesson.outputs(index, "table").first.locator("a")).to_have_count(len(pitfalls.load()))
    for one in (HERE, THERE):
        follow(lesson.page, lesson.page.locator(f'{PANEL} .jp-OutputArea a:text-is("{one.heading}")').last, one)


def test_what_is_typed_is_found_below(lesson):
    page, search = lesson.page, lesson.find("widgets.PitfallSearch()")
    lesson.run_cell(search)
    box = page.get_by_role("textbox", name="Your error, or what you see:")
    status = page.get_by_role("status").filter(has_text="First:")
    box.click()
    page.keyboard.type("my own slider does not react, it is frozen", delay=15)
    expect(status).to_contain_text("First: 30. Buttons and sliders")
    expect(lesson.outputs(search, "table a").first).to_contain_text("30. Buttons and sliders")

    # Keys are the box's own, not commands for cells, and it takes many lines at once.
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(PASTE)
    expect(status).to_contain_text("First: 23. optimizer.lr")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(box).to_have_value(PASTE.replace("AttributeError", "\nAttributeError"))
    expect(lesson.outputs(search, "table")).to_contain_text(["Fix: "])

    # From the box to the first link by keyboard alone, and along it.
    page.keyboard.press("Tab")
    link = lesson.outputs(search, "table a").first
    expect(link).to_be_focused()
    follow(page, link, next(one for one in pitfalls.load() if one.number == 23), by="keyboard")


def follow(page, link, one, by="mouse"):
    """Follow a link once, and expect the heading of its trouble at the top of the window, and that it stays there."""
    link.click() if by == "mouse" else page.keyboard.press("Enter")
    page.wait_for_function(f"name => {OPEN}?.context?.path === name", arg=f"{one.notebook}.ipynb")
    at_the_top = """words => [...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden) h2")].some(
        h => h.textContent.startsWith(words) && Math.abs(h.getBoundingClientRect().top - 180) < 120)"""
    page.wait_for_function(at_the_top, arg=one.heading, timeout=120_000)
    page.wait_for_timeout(1500)
    assert page.evaluate(at_the_top, one.heading)
