"""Commit to an answer before you run: a question, its answers, and a button. What is right is told after the run.

`predict.js` draws the question and `reveal`'s field for a sentence; all words come from here.
"""

from __future__ import annotations

import html
import sys
from pathlib import Path

import anywidget
import traitlets

from helpers import _cards, questions
from helpers.checks import _progress

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HERE = Path(__file__).parent
_NO_SETUP = "The setup cell at the top of the lesson has not run yet. Run it first: the next cells need it."


def predict(id: str) -> Prediction:
    """Ask the prediction with this id, for example "02.a"; as the last line of a cell it shows itself.

    An answer that was committed before is shown again. Nothing is trained, and nothing is told about the answer: that
    is for `reveal`, after the run.

    Raises:
        ValueError: there is no such prediction; the sentence lists what exists.
    """
    return Prediction(questions.prediction(id))


class Prediction(anywidget.AnyWidget):
    """A question whose answer is chosen and then committed to, once.

    Attributes:
        chosen: index (from 0) of the answer that is marked now, or None.
        committed: index (from 0) of the answer that counts, or None.
    """

    _esm = HERE / "predict.js"
    _css = HERE / "predict.css"
    kind = traitlets.Unicode("predict").tag(sync=True)
    heading = traitlets.Unicode().tag(sync=True)
    question = traitlets.Unicode().tag(sync=True)
    answers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    chosen = traitlets.Int(None, allow_none=True).tag(sync=True)
    committed = traitlets.Int(None, allow_none=True).tag(sync=True)
    says = traitlets.Unicode().tag(sync=True)

    def __init__(self, asked: questions.Prediction):
        self.asked = asked
        super().__init__(
            heading=f"Predict {html.escape(asked.id)}",
            question=_cards.paragraphs(asked.question),
            answers=[_cards.inline(answer.text) for answer in asked.answers],
        )
        self.on_msg(self._heard)
        self._recall()

    def choose(self, index: int) -> None:
        """Mark an answer, without committing to it; after a commit nothing changes.

        Raises:
            ValueError: there is no answer with this index.
        """
        self._known(index)
        if self.committed is None:
            self.chosen = index

    def commit(self, index: int | None = None) -> Prediction:
        """Commit to an answer (to the marked one if no index is given), and store it.

        The first commit counts: a later one changes nothing. Once the prediction was revealed it is stored as late.

        Raises:
            ValueError: there is no answer with this index, or none is marked.
        """
        if index is None:
            index = self.chosen
        if index is None:
            raise ValueError("Choose an answer first, or name one: commit(0) is the first.")
        self._known(index)
        if self.committed is None:
            answer = self.asked.answers[index]
            kept = _progress.record_prediction(self.asked.id, index, answer.text, answer.right)
            found = index_of(kept, self.asked)
            self._show(index if found is None else found, bool(kept.get("late")))
        return self

    def _heard(self, _widget, content: object, _buffers) -> None:
        """Do what the button asks for; a page that is out of step with the questions must not end in a traceback."""
        index = content.get("commit") if isinstance(content, dict) else None
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(self.asked.answers):
            self.commit(index)

    def _known(self, index: int) -> None:
        count = len(self.asked.answers)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
            raise ValueError(f"Prediction {self.asked.id} has answers 0 to {count - 1}; got {index!r}.")

    def _recall(self) -> None:
        """Show an answer that was committed earlier, unless the question has been written anew since."""
        entry = _progress.read()["predictions"].get(self.asked.id)
        index = None if entry is None else index_of(entry, self.asked)
        if index is not None:
            self._show(index, bool(entry.get("late")))
            return
        if entry is not None:
            _progress.forget_prediction(self.asked.id)
        self.says = notes_html() if _setup_ran() else _cards.paragraphs(_NO_SETUP) + notes_html()

    def _show(self, index: int, late: bool) -> None:
        self.chosen = self.committed = index
        self.says = _cards.paragraphs(_committed(index, late)) + notes_html()

    def _repr_mimebundle_(self, **kwargs):
        """Add the question as HTML and text, for pages in which no kernel runs."""
        items = "".join(f"<li>{_cards.inline(answer.text)}</li>" for answer in self.asked.answers)
        body = f'{_cards.paragraphs(self.asked.question)}<ol type="A" style="margin:4px 0">{items}</ol>'
        if self.committed is not None:
            body += self.says
        return with_fallback(
            super()._repr_mimebundle_(**kwargs), self.text(), _cards.card(f"Predict {self.asked.id}", body, "note")
        )

    def text(self) -> str:
        """Return the question, its answers and what was committed to as plain text."""
        lines = [f"Prediction {self.asked.id}: {_cards.plain(self.asked.question)}"]
        for letter, answer in zip(LETTERS, self.asked.answers, strict=False):
            lines.append(f"  {letter}  {_cards.plain(answer.text)}")
        if self.committed is not None:
            lines.append(f"Committed to {LETTERS[self.committed]}.")
        return "\n".join(lines)


def index_of(entry: dict, asked: questions.Prediction) -> int | None:
    """Find a stored answer by its text, since answers may have been put in another order."""
    texts = [answer.text for answer in asked.answers]
    return texts.index(entry["text"]) if entry.get("text") in texts else None


def with_fallback(bundle, text: str, page: str):
    """Add plain text and HTML to what a widget shows; None, where no widget can be shown, stays None."""
    if bundle is None:
        return None
    data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
    data = {**data, "text/plain": text, "text/html": page}
    return (data, *metadata) if metadata else data


def _setup_ran() -> bool:
    """Say whether the lesson has begun, as far as a notebook is concerned."""
    return _cards.shell() is None or "helpers.lesson" in sys.modules


def notes_html() -> str:
    """Return what waits to be said about the progress file."""
    return "".join(_cards.paragraphs(sentence) for sentence in _progress.take_notes())


def _committed(index: int, late: bool) -> str:
    if late:
        return f"**{LETTERS[index]}**, chosen after the run: kept, but it is no prediction any more."
    return f"Committed to **{LETTERS[index]}**. Now run the next cell."
