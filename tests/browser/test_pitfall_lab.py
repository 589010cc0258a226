"""The index of lesson 08 in a real JupyterLab: it runs at once, it finds an error message, its links jump."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from helpers import pitfalls

pytestmark = pytest.mark.browser

LESSON = "08_pitfall_lab"
HERE, THERE = (next(one for one in pitfalls.load()[5:] if one.notebook == name) for name in (LESSON, "08a_stopping"))
OPEN = "window.jupyterapp.shell.currentWidget"
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"


def heading(page, one):
    return page.locator(f"{PANEL} h2", has_text=one.heading)


def expect_in_sight(page, one):
    """Expect the trouble on the screen: cells that are drawn late may push the heading itself just out of it."""
    page.wait_for_function(
        """words => [...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden) h2")].some(
            h => h.textContent.startsWith(words) && Math.abs(h.getBoundingClientRect().top - 200) < 350)""",
        arg=one.heading,
    )


def test_the_index_leads_to_the_troubles(lab):
    # As low as a laptop's screen, so that a heading is in sight only after a jump.
    lab.page.set_viewport_size({"width": 1280, "height": 720})
    lab.open(f"{LESSON}.ipynb")
    setup, search, index = (lab.find(words) for words in ("lesson.begin", "pitfalls.find", "pitfalls.index()"))
    lab.run_cell(setup)
    lab.run_cell(search)
    expect(lab.outputs(search, "a").first).to_have_text(pitfalls.load()[1].heading)
    lab.run_cell(index)
    expect(lab.outputs(index, "table").first.locator("a")).to_have_count(len(pitfalls.load()))

    follow(lab, HERE)
    expect_in_sight(lab.page, HERE)

    # When it opens a notebook for the first time, JupyterLab often forgets the place: the lesson says to click again.
    follow(lab, THERE)
    heading(lab.page, THERE).wait_for(state="attached", timeout=120_000)
    lab.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tabLabel", has_text=LESSON).click()
    follow(lab, THERE)
    expect_in_sight(lab.page, THERE)


def follow(lab, one):
    """Click the trouble's link in the index, and wait until its notebook is in front."""
    lab.page.locator(f'{PANEL} .jp-OutputArea a:text-is("{one.heading}")').last.click()
    lab.page.wait_for_function(f"name => {OPEN}?.context?.path === name", arg=f"{one.notebook}.ipynb")
