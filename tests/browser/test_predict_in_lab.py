"""A prediction by keyboard alone: ask, commit, run, a sentence of one's own, the outcome."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TEXTS = """
title = "A lesson"
[predict.a]
question = "After which epoch does it stop?"
explain = "The sixth is the **third** in a row."
answers = [
    {text = "After epoch 3", feedback = "Nobody knows it yet."},
    {text = "After epoch 6", right = true, feedback = "A tie is no improvement."},
    {text = "Not at all", feedback = "Equal is not better."},
]
[predict.b]
question = "And the weights?"
ask = "In one sentence: why?"
explain = "Stopping is not restoring."
answers = [{text = "The best", feedback = "Ask for it."}, {text = "The last", right = true, feedback = "It ends."}]
"""
CELLS = [
    "from pathlib import Path\nfrom helpers import lesson, questions, widgets\nquestions.FOLDER = Path({folder!r})",
    'asked = globals().get("asked", 0) + 1\nwidgets.predict("90.a")',
    'print("ran, asked", asked)\nwidgets.reveal("90.a")',
    'widgets.predict("90.b")',
    'print("ran")\nwidgets.reveal("90.b")',
    ("markdown", "What comes next."),
    'widgets.reveal("90.b")',
    '"the end"',
]
ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"


def test_a_round_by_keyboard(lab, tmp_path, wait_until):
    (tmp_path / "90.toml").write_text(TEXTS)
    lab.new_notebook([CELLS[0].format(folder=str(tmp_path)), *CELLS[1:]])
    keys = lab.page.keyboard

    def on(index: int) -> None:
        lab.page.wait_for_function(f"{ACTIVE} === {index}")

    lab.run_cell(0)
    keys.press("Shift+Enter")
    answers = lab.outputs(1, "input[type=radio]")
    expect(answers).to_have_count(3)
    # It says what there is to choose, to screen readers as well, and takes more room than the static form.
    expect(lab.outputs(1).get_by_role("radio", name="C Not at all")).to_be_visible()
    expect(lab.outputs(1).get_by_role("radiogroup", name="After which epoch does it stop?")).to_be_visible()
    static = lab.output_data(1)[0]["data"]["text/html"]
    sizes = lab.page.evaluate(
        """html => {
            const card = document.querySelector('.course-card');
            const other = card.parentElement.appendChild(document.createElement('div'));
            other.innerHTML = html;
            const sizes = [card, other].map(node => node.getBoundingClientRect().height);
            other.remove();
            return sizes;
        }""",
        static,
    )
    assert sizes[0] >= sizes[1]

    # Arrow keys choose, and no key of the notebook's own (b: a cell below) does what it does elsewhere.
    answers.first.focus()
    keys.press("ArrowDown")
    expect(answers.nth(1)).to_be_checked()
    for key, index in (("c", 2), ("b", 1), ("a", 0)):
        keys.press(key)
        expect(answers.nth(index)).to_be_checked()
    assert len(lab.sources()) == len(CELLS)
    on(1)
    keys.press("Tab")
    expect(lab.outputs(1, "button")).to_be_focused()
    expect(lab.outputs(1, "button")).to_have_text("Commit to A")
    keys.press("Enter")

    # Nothing but the commit is told, and the next cell is the one that runs.
    expect(lab.outputs(1, "[role=status]")).to_have_text("Committed to A. Now run the next cell.")
    expect(lab.outputs(1, "button")).to_be_hidden()
    on(2)
    keys.press("Shift+Enter")
    expect(lab.outputs(2).first).to_have_text("ran, asked 1")
    for words in ("You said A, which is not it", "Nobody knows it yet.", "B is right", "A tie is no", "third in a row"):
        expect(lab.outputs(2).last).to_contain_text(words)

    # A sentence of one's own: the field has the focus for whoever came by Shift+Enter.
    on(3)
    keys.press("Shift+Enter")
    # Each card is loaded by itself: its group has its own question as its name, and is not the group of another card.
    expect(lab.outputs(3).get_by_role("radiogroup", name="And the weights?")).to_be_visible()
    lab.outputs(3, ".course-answer").nth(1).click()
    expect(answers.nth(0)).to_be_checked()
    keys.press("Enter")
    on(4)
    keys.press("Shift+Enter")
    field = lab.outputs(4).get_by_role("textbox", name="In one sentence: why?")
    expect(field).to_be_focused()
    expect(lab.outputs(4).last).not_to_contain_text("Stopping is not restoring.")
    keys.type("b <i>d</i> d")
    keys.press("Enter")
    for words in ("You said B, and that is right", "You wrote", "b <i>d</i> d", "Stopping is not restoring."):
        expect(lab.outputs(4, "[role=status]")).to_contain_text(words)
    expect(field).to_be_hidden()
    on(5)
    assert len(lab.sources()) == len(CELLS)
    wait_until(lambda: "<i>d</i>" in lab.server.progress.read_text(), "the sentence to be written down")
    stored = json.loads(lab.server.progress.read_text())
    assert stored["predictions"]["90.a"]["answer"] == 0
    assert stored["predictions"]["90.b"]["right"] is True
    assert stored["reveals"]["90.b"]["sentence"] == "b <i>d</i> d"

    # It is shown again, and not asked for a second time.
    keys.press("Shift+Enter")
    on(6)
    keys.press("Shift+Enter")
    expect(lab.outputs(6)).to_contain_text("b <i>d</i> d")
    expect(lab.outputs(6, "input")).to_have_count(0)


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_in_the_cards(lab, tmp_path, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    (tmp_path / "90.toml").write_text(TEXTS)
    lab.new_notebook([CELLS[0].format(folder=str(tmp_path)), CELLS[1], 'widgets.reveal("90.b")', CELLS[2]])
    lab.theme(theme)
    lab.run_all()
    expect(lab.outputs(2, "input")).to_be_visible()
    assert complaints(axe, lab.page) == []
    lab.outputs(1, ".course-answer").first.click()
    lab.outputs(1, ".course-button").click()
    expect(lab.outputs(1, "[role=status]")).to_contain_text("A, chosen after the run")
    lab.outputs(2, ".course-quiet").click()
    expect(lab.outputs(2, "[role=status]")).to_contain_text("Stopping is not restoring.")
    assert complaints(axe, lab.page) == []


def complaints(axe, page) -> list[tuple[str, str]]:
    found = axe.Axe().run(page, context=".course-card").response["violations"]
    return [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]


def test_skipping_is_one_key_and_committing_later_is_no_prediction(lab, tmp_path):
    (tmp_path / "90.toml").write_text(TEXTS)
    lab.new_notebook([CELLS[0].format(folder=str(tmp_path)), 'widgets.reveal("90.b")', 'widgets.predict("90.b")', "1"])
    lab.run_cell(0)
    lab.page.keyboard.press("Shift+Enter")
    expect(lab.outputs(1, "input")).to_be_focused()
    lab.page.keyboard.press("Shift+Enter")
    expect(lab.outputs(1, "[role=status]")).to_contain_text("Stopping is not restoring.")
    expect(lab.outputs(1, "[role=status]")).not_to_contain_text("You wrote")
    lab.page.wait_for_function(f"{ACTIVE} === 2")
    lab.page.keyboard.press("Shift+Enter")
    lab.outputs(2, ".course-answer").first.click()
    lab.outputs(2, "button").click()
    expect(lab.outputs(2, "[role=status]")).to_contain_text("it is no prediction any more")
    assert json.loads(lab.server.progress.read_text())["predictions"]["90.b"]["late"] is True
