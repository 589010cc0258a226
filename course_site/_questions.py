"""Predictions and exercises as a page has them: a notebook's own texts, and a script in place of the kernel."""

from __future__ import annotations

import html
import json

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from helpers import _cards, questions
from helpers.checks._core import solution_code
from helpers.widgets.predict import LETTERS
from helpers.widgets.reveal import HELP, Outcome

__all__ = ["folds", "outcome", "question"]

_LOOK = "Now look at what the code below gave. Under it stands how your answer came out."
_CHECKED = (
    "In JupyterLab you write your answer into the cell above, and the check that follows plays it. Here are the hints:"
)


def question(id: str) -> str:
    """Return the place where a prediction is asked, with all that the script needs of it and of its outcome."""
    asked = questions.prediction(id)
    answers = "".join(f"<li>{_cards.inline(answer.text)}</li>" for answer in asked.answers)
    plain = f'{_cards.paragraphs(asked.question)}<ol type="A">{answers}</ol>'
    return (
        f'<div data-course-question="{id}">{_cards.card(f"Predict {id}", plain, "note")}</div>'
        f'<script type="application/json" data-course-texts="{id}">{_json(_texts(asked))}</script>'
    )


def outcome(id: str) -> str:
    """Return the place where a prediction is answered; where no script runs, a fold holds the answer."""
    plain = Outcome(questions.prediction(id), None)
    return (
        f'<div data-course-outcome="{id}"><details><summary>{html.escape(plain.heading)}: the answer, once you have '
        f"looked</summary>{plain.to_html()}</details></div>"
    )


def folds(id: str, *, answer: bool = True) -> str:
    """Return the hints of an exercise, each in a fold, and one answer with its reason in another."""
    texts = questions.exercise(id)
    parts = [
        _fold(f"Hint {number} of {len(texts.hints)}", _cards.paragraphs(hint))
        for number, hint in enumerate(texts.hints, start=1)
    ]
    if answer:
        code = highlight(solution_code(id), PythonLexer(), HtmlFormatter(cssclass="highlight"))
        parts.append(_fold("One answer, and why it is right", code + _cards.paragraphs(texts.reason)))
    return _cards.card(
        f"Exercise {id} · {texts.title}", (f"<p>{_CHECKED}</p>" if answer else "") + "".join(parts), "note"
    )


def _fold(summary: str, body: str) -> str:
    return f'<details class="course-fold"><summary>{html.escape(summary)}</summary>{body}</details>'


def _texts(asked: questions.Prediction) -> dict[str, object]:
    """Return what the script says: of each answer by its place, before the run, after it, and too late for it."""
    every = range(len(asked.answers))
    none = Outcome(asked, None)

    def told(outcome: Outcome) -> dict[str, str]:
        return {
            "html": outcome.to_html(),
            "body": outcome.body(place=True),
            "colour": _cards.COLOURS[outcome.kind],
            "before": ""
            if outcome.committed is None
            else _cards.paragraphs(f"You committed to **{LETTERS[outcome.committed]}**."),
        }

    return {
        "heading": f"Predict {asked.id}",
        "outcomeHeading": none.heading,
        "question": _cards.paragraphs(asked.question),
        # By its text an answer is found again when the answers were put in another order.
        "texts": [answer.text for answer in asked.answers],
        "answers": [_cards.inline(answer.text) for answer in asked.answers],
        "committed": [_cards.paragraphs(f"Committed to **{LETTERS[index]}**. {_LOOK}") for index in every],
        "late": [
            _cards.paragraphs(f"**{LETTERS[index]}**, chosen after the run: it is no prediction any more.")
            for index in every
        ],
        "ask": _cards.inline(asked.ask) if asked.ask else "",
        "help": HELP,
        "none": told(none),
        "outcomes": [told(Outcome(asked, index)) for index in every],
        "lateOutcomes": [told(Outcome(asked, index, late=True)) for index in every],
    }


def _json(value: object) -> str:
    """Write JSON that may stand in a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
