"""Commit to an answer before you run: a question, answers as buttons, then what each answer gets right or wrong."""

from __future__ import annotations

import html

import ipywidgets

from helpers import _cards, questions
from helpers.checks import _progress

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_STYLE = """<style>
.course-predict {max-width: 46em; border-left: 4px solid var(--jp-info-color1, #0277bd); padding: 2px 12px}
.course-predict .course-answer {width: 100%; height: auto; min-height: 32px; padding: 5px 10px; text-align: left;
  white-space: normal; line-height: 1.4; overflow: visible; margin: 2px 0;
  border: 1px solid var(--jp-border-color1, #bbb); background: transparent; color: inherit}
.course-predict .course-answer.course-chosen {border: 2px solid var(--jp-brand-color1, #1976d2); padding: 4px 9px;
  font-weight: 600}
.course-predict .jupyter-button:focus-visible {outline: 3px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px}
.course-predict .course-answer, .course-predict .widget-html-content {font-size: var(--jp-content-font-size1, 14px)}
.course-predict .widget-html {width: 100%; margin: 2px 0}
.course-predict .widget-html-content {line-height: 1.45; white-space: normal; width: 100%}
</style>"""


def predict(id: str) -> Prediction:
    """Ask the prediction with this id, for example "02.a"; as the last line of a cell it shows itself.

    An answer that was committed before is shown again. Nothing is trained.

    Raises:
        ValueError: there is no such prediction; the sentence lists what exists.
    """
    return Prediction(questions.prediction(id))


class Prediction(ipywidgets.VBox):
    """A question whose answer is chosen, committed once, and then explained.

    Attributes:
        chosen: index (from 0) of the answer that is marked now, or None.
        committed: index (from 0) of the answer that counts, or None.
    """

    def __init__(self, question: questions.Prediction):
        self.question = question
        self.chosen: int | None = None
        self.committed: int | None = None
        self._head = ipywidgets.HTML(_STYLE + _question_html(question))
        self._answers = [ipywidgets.Button(tooltip=_cards.plain(a.text)) for a in question.answers]
        for index, button in enumerate(self._answers):
            button.add_class("course-answer")
            button.on_click(lambda _button, index=index: self.choose(index))
        self._commit = ipywidgets.Button(layout={"width": "auto", "align_self": "flex-start"}, button_style="primary")
        self._commit.on_click(lambda _button: self._commit_clicked())
        self._says = ipywidgets.HTML()
        self._label()
        super().__init__([self._head, *self._answers, self._commit, self._says])
        self.add_class("course-predict")
        self._recall()

    def choose(self, index: int) -> None:
        """Mark an answer, without committing to it; after a commit nothing changes.

        Raises:
            ValueError: there is no answer with this index.
        """
        self._known(index)
        if self.committed is None:
            self.chosen = index
            self._label()

    def commit(self, index: int | None = None) -> Prediction:
        """Commit to an answer (to the marked one if no index is given), store it, and show what is right and why.

        The first commit counts: a later one changes nothing.

        Raises:
            ValueError: there is no answer with this index, or none is marked.
        """
        if index is None:
            index = self.chosen
        if index is None:
            raise ValueError("Choose an answer first, or name one: commit(0) is the first.")
        self._known(index)
        if self.committed is None:
            answer = self.question.answers[index]
            kept = _progress.record_prediction(self.question.id, index, answer.text, answer.right)
            self._reveal(_index_of(kept, self.question, otherwise=index))
        return self

    def _known(self, index: int) -> None:
        count = len(self.question.answers)
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
            raise ValueError(f"Prediction {self.question.id} has answers 0 to {count - 1}; got {index!r}.")

    def _recall(self) -> None:
        """Show an answer that was committed earlier, unless the question has been written anew since."""
        entry = _progress.read()["predictions"].get(self.question.id)
        self._says.value = _notes_html()
        if entry is None:
            return
        index = _index_of(entry, self.question)
        if index is None:
            _progress.forget_prediction(self.question.id)
        else:
            self._reveal(index)

    def _label(self) -> None:
        for index, (button, answer) in enumerate(zip(self._answers, self.question.answers, strict=True)):
            marked = index == self.chosen
            # The mark is a sign as well as a colour, and screen readers say it.
            button.description = f"{'◉' if marked else '○'} {_LETTERS[index]}  {_no_marks(answer.text)}"
            (button.add_class if marked else button.remove_class)("course-chosen")
        chosen = "…" if self.chosen is None else f" to {_LETTERS[self.chosen]}"
        self._commit.description = f"Commit{chosen}"

    def _commit_clicked(self) -> None:
        if self.committed is not None:
            return
        if self.chosen is None:
            self._says.value = _live(_cards.paragraphs("Choose an answer first, then commit to it."))
            return
        self.commit()

    def _reveal(self, index: int) -> None:
        self.chosen = self.committed = index
        self._label()
        # The button stays, so that the keyboard focus is not lost; it has nothing left to do.
        self._commit.description = f"Committed to {_LETTERS[index]}"
        self._commit.button_style = ""
        self._says.value = _live(_reveal_html(self.question, index) + _notes_html())
        # Hidden, not removed: a new list of children would be drawn anew, and the focus lost as well.
        for button in self._answers:
            button.layout.display = "none"

    def _repr_mimebundle_(self, **kwargs):
        """Add the question as HTML and text, for pages in which no kernel runs."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        body = _question_html(self.question)
        body += _answers_html(self.question) if self.committed is None else _reveal_html(self.question, self.committed)
        data = {**data, "text/plain": self.text(), "text/html": _cards.card("", body, "note")}
        return (data, *metadata) if metadata else data

    def text(self) -> str:
        """Return the question and its answers, and after a commit what is right and why, as plain text."""
        lines = [f"Prediction {self.question.id}: {_cards.plain(self.question.question)}"]
        for letter, answer in zip(_LETTERS, self.question.answers, strict=False):
            lines.append(f"  {letter}  {_cards.plain(answer.text)}")
        if self.committed is not None:
            own, best = self.question.answers[self.committed], self.question.right
            lines.append(f"You said {_LETTERS[self.committed]}. {_verdict(self.question, self.committed)}")
            lines.append(_cards.plain(own.feedback))
            if not own.right:
                lines.append(f"{_LETTERS[best]}: {_cards.plain(self.question.answers[best].feedback)}")
        return "\n".join(lines)


def _index_of(entry: dict, question: questions.Prediction, otherwise: int | None = None) -> int | None:
    """Find a stored answer by its text, since answers may have been put in another order."""
    texts = [answer.text for answer in question.answers]
    return texts.index(entry["text"]) if entry.get("text") in texts else otherwise


def _no_marks(text: str) -> str:
    return " ".join(_cards.plain(text).replace("`", "").replace("**", "").split())


def _live(content: str) -> str:
    return f'<div role="status" aria-live="polite">{content}</div>'


def _verdict(question: questions.Prediction, index: int) -> str:
    if index == question.right:
        return "That is right."
    return f"That is not it; {_LETTERS[question.right]} is right."


def _question_html(question: questions.Prediction) -> str:
    return (
        f'<div style="font-weight:600;margin:2px 0">Predict {html.escape(question.id)}</div>'
        f"{_cards.paragraphs(question.question)}"
    )


def _answers_html(question: questions.Prediction) -> str:
    items = "".join(f"<li>{_cards.inline(_cards.plain(answer.text))}</li>" for answer in question.answers)
    return f'<ol type="A" style="margin:4px 0">{items}</ol>'


def _reveal_html(question: questions.Prediction, index: int) -> str:
    """Return all answers with what each is, the feedback to the own one and the right one, and the rest folded away."""
    rows, folded = "", ""
    for number, answer in enumerate(question.answers):
        own, kind = number == index, "good" if answer.right else "bad"
        words = (["your answer"] if own else []) + (["right"] if answer.right else ["not right"] if own else [])
        said = f" <strong>({', '.join(words)})</strong>" if words else ""
        colour = _cards.COLOURS[kind] if words else "transparent"
        sign = "✓" if answer.right else "✗" if own else "&nbsp;"
        rows += (
            f'<div style="border-left:4px solid {colour};padding:2px 8px;margin:2px 0">'
            f'<span style="display:inline-block;width:1.2em" aria-hidden="true">{sign}</span>'
            f"{_LETTERS[number]}&ensp;{_cards.inline(_cards.plain(answer.text))}{said}</div>"
        )
        if not own and not answer.right:
            folded += _cards.paragraphs(f"**{_LETTERS[number]}**: {answer.feedback}")
    own, best = question.answers[index], question.answers[question.right]
    body = rows + _cards.paragraphs(f"**{_verdict(question, index)}**") + _cards.paragraphs(own.feedback)
    if not own.right:
        body += _cards.paragraphs(f"**{_LETTERS[question.right]}**: {best.feedback}")
    if folded:
        body += f'<details style="margin:4px 0"><summary>Why not the others?</summary>{folded}</details>'
    return body


def _notes_html() -> str:
    return "".join(_cards.paragraphs(sentence) for sentence in _progress.take_notes())
