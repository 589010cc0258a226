"""With a question unanswered nothing in sight says what is right; after its run all of it is, on a small screen.

All lessons stand one after the other on one page with JupyterLab's own style, as nbconvert writes it, and only the
predictions have outputs: their static form, which takes less room than the widget (tests/browser/test_predict_in_lab.py
holds that). So everything stands closer together than a learner ever sees it. For each question two places are looked
at: the question at the top of the window, and at its bottom. The words to look for: tests/notebooks/verdicts.py.
Then each outcome is put below the cell that ran, in its longest form, and has to be whole in the window.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from helpers import questions, widgets
from helpers.widgets.reveal import Outcome

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

# For each outcome, below its cell, its end at the bottom of the window: its text, if all of it is in the window.
AFTER = """outcomes => {
    const cards = Object.entries(outcomes).map(([name, [cell, html]]) => {
        const card = document.getElementById(cell).appendChild(document.createElement('div'));
        card.innerHTML = html;
        return [name, card];
    });
    return Object.fromEntries(cards.map(([name, card]) => {
        card.scrollIntoView({block: 'end', behavior: 'instant'});
        const {top, bottom} = card.getBoundingClientRect();
        return [name, top >= 0 && bottom <= innerHeight + 1 ? card.innerText : ''];
    }));
}"""


def page_of_all_lessons(folder: Path) -> tuple[Path, dict[str, str]]:
    """Write the page; return it, and for each question the id of the cell that reveals it."""
    cells, reveals = [], {}
    for file in sorted(NOTEBOOKS.glob("[0-9][0-9]*_*.ipynb")):
        if not (NOTEBOOKS / "source" / f"{file.stem}.py").exists():
            continue  # a learner's own
        for cell in nbformat.read(file, as_version=4).cells:
            cell.id = f"cell-{len(cells)}"
            cells.append(cell)
            if cell.cell_type != "code":
                continue
            if name := re.search(r'^widgets\.predict\("([^"]+)"\)', cell.source, re.MULTILINE):
                data, _ = widgets.predict(name[1])._repr_mimebundle_()
                card = f'<div data-question="{name[1]}">{data["text/html"]}</div>'
                cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": card})]
            if name := re.search(r'^widgets\.reveal\("([^"]+)"\)', cell.source, re.MULTILINE):
                reveals[name[1]] = f"cell-id={cell.id}"
    page, _ = HTMLExporter(template_name="lab").from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    file = folder / "lessons.html"
    # The template asks the network for scripts that no lesson needs.
    file.write_text(re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL), encoding="utf-8")
    return file, reveals


@pytest.fixture(scope="module")
def lessons(browser_context, tmp_path_factory):
    """Open the page of all lessons: the page, and where each question is revealed."""
    folder = tmp_path_factory.mktemp("lessons")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_PROGRESS", str(folder / "progress.json"))
        file, reveals = page_of_all_lessons(folder)
        page = browser_context.new_page()
        page.set_viewport_size(ROOM)
        page.goto(file.as_uri())
        yield page, reveals
        page.close()


@pytest.fixture(scope="module")
def asked() -> dict[str, questions.Prediction]:
    """Return every prediction of every lesson."""
    return {name: one for lesson in questions.lessons() for name, one in questions.load(lesson).predictions.items()}


def test_nothing_in_sight_of_a_question_answers_it(lessons, asked):
    page, _ = lessons
    screens = page.evaluate(READ)
    assert screens.keys() == asked.keys()
    told = [
        f"{name}, with the question at the {place} of the window: {words}"
        for name, places in screens.items()
        for place, screen in places.items()
        for words in sorted(set(verdicts.announced(asked[name], screen["text"], screen["bold"])))
    ]
    # A window in which nothing was read would pass as well.
    assert all(len(verdicts.words(screen["text"])) > 10 for places in screens.values() for screen in places.values())
    assert [name for name, places in screens.items() if not places["top"]["fits"]] == []
    assert told == [], "\n".join(told)


def test_after_its_run_a_question_is_answered_in_one_window(lessons, asked):
    page, reveals = lessons
    assert reveals.keys() == asked.keys()
    outcomes = {name: longest_outcome(one) for name, one in asked.items()}
    seen = page.evaluate(AFTER, {name: [reveals[name], one.to_html()] for name, one in outcomes.items()})
    for name, shown in seen.items():
        assert shown, f"{name}: the outcome is higher than the window"
        text = in_words(shown)
        right = asked[name].answers[asked[name].right]
        for part in ("which is not it", right.text, right.feedback, asked[name].explain):
            assert in_words(part) in text, f"{name}: {part}"


def longest_outcome(asked: questions.Prediction) -> Outcome:
    """Return the outcome of the wrong answer with the longest feedback, with a sentence where one is asked for."""
    wrong = [index for index, answer in enumerate(asked.answers) if not answer.right]
    committed = max(wrong, key=lambda index: len(asked.answers[index].feedback))
    return Outcome(asked, committed, sentence="One sentence of my own. " * 4 if asked.ask else "")


def in_words(text: str) -> str:
    """Return the words of a text as it is shown: of a link, not its address."""
    return " ".join(verdicts.words(re.sub(r"\]\([^)]*\)", "]", text)))
