"""On a small laptop's screen, with a question unanswered, nothing in sight says what is right.

All lessons stand one after the other on one page with JupyterLab's own style, as nbconvert writes it, and only the
predictions have outputs: their static form, which takes less room than the widget (tests/browser/test_predict_in_lab.py
holds that). So everything stands closer together than a learner ever sees it. For each question two places are looked
at: the question at the top of the window, and at its bottom. The words to look for: tests/notebooks/verdicts.py.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from helpers import questions, widgets

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "notebooks"))

import verdicts

pytestmark = pytest.mark.browser

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

# What JupyterLab's bars and its folder list leave of a window of 1366 x 768.
ROOM = {"width": 1080, "height": 660}

# For each question: what can be read in the window beside it, with the question at the top and at the bottom.
READ = """() => {
    const whole = rect => rect.height > 0 && rect.top >= -1 && rect.bottom <= innerHeight + 1;
    const inside = rect => rect.height > 0 && rect.bottom > 3 && rect.top < innerHeight - 3;
    const cells = [...document.querySelectorAll('.jp-Cell')];

    function read(card) {
        const found = {text: [], bold: [], fits: card.getBoundingClientRect().height <= innerHeight};
        for (const cell of cells) {
            if (!inside(cell.getBoundingClientRect())) continue;
            const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                if (!node.data.trim() || card.contains(node)) continue;
                const range = document.createRange();
                range.selectNodeContents(node);
                if (whole(range.getBoundingClientRect())) {
                    found.text.push(node.data);
                    const bold = node.parentElement.closest('strong');
                    if (bold) found.bold.push(bold.textContent);
                } else if (inside(range.getBoundingClientRect())) {
                    for (const word of node.data.matchAll(/\\S+/g)) {
                        range.setStart(node, word.index);
                        range.setEnd(node, word.index + word[0].length);
                        if (inside(range.getBoundingClientRect())) found.text.push(word[0]);
                    }
                }
            }
        }
        return {...found, text: found.text.join(' ')};
    }

    const screens = {};
    for (const card of document.querySelectorAll('[data-question]')) {
        card.closest('.jp-Cell').scrollIntoView({block: 'start', behavior: 'instant'});
        const first = read(card);
        card.scrollIntoView({block: 'end', behavior: 'instant'});
        screens[card.dataset.question] = {top: first, bottom: read(card)};
    }
    return screens;
}"""


def page_of_all_lessons(monkeypatch, folder: Path) -> tuple[Path, int]:
    """Write the page; return it and the number of questions on it."""
    monkeypatch.setenv("COURSE_PROGRESS", str(folder / "progress.json"))
    cells, asked = [], 0
    for file in sorted(NOTEBOOKS.glob("[0-9][0-9]*_*.ipynb")):
        if not (NOTEBOOKS / "source" / f"{file.stem}.py").exists():
            continue  # a learner's own
        for cell in nbformat.read(file, as_version=4).cells:
            name = re.search(r'^widgets\.predict\("([^"]+)"\)', cell.source, re.MULTILINE)
            if cell.cell_type == "code" and name:
                asked += 1
                data, _ = widgets.predict(name[1])._repr_mimebundle_()
                card = f'<div data-question="{name[1]}">{data["text/html"]}</div>'
                cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": card})]
            cell.id = f"cell-{len(cells)}"
            cells.append(cell)
    page, _ = HTMLExporter(template_name="lab").from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    file = folder / "lessons.html"
    # The template asks the network for scripts that no lesson needs.
    file.write_text(re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL), encoding="utf-8")
    return file, asked


def test_nothing_in_sight_of_a_question_answers_it(page, tmp_path, monkeypatch):
    file, asked = page_of_all_lessons(monkeypatch, tmp_path)
    page.set_viewport_size(ROOM)
    page.goto(file.as_uri())
    screens = page.evaluate(READ)
    assert len(screens) == asked > 50
    told = [
        f"{name}, with the question at the {place} of the window: {words}"
        for name, places in screens.items()
        for place, screen in places.items()
        for words in sorted(set(verdicts.announced(questions.prediction(name), screen["text"], screen["bold"])))
    ]
    # A window in which nothing was read would pass as well.
    assert all(len(verdicts.words(screen["text"])) > 10 for places in screens.values() for screen in places.values())
    assert [name for name, places in screens.items() if not places["top"]["fits"]] == []
    assert told == [], "\n".join(told)
