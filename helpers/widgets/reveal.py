"""After the run: what was committed to, whether it is right, and why. Nothing of it is shown before."""

from __future__ import annotations

from helpers import _cards, questions
from helpers.checks import _progress

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def reveal(id: str) -> Reveal:
    """Say how the prediction with this id, for example "02.a", came out; the last line of the cell that runs it.

    Whoever did not commit to an answer gets the right one and the explanation all the same.

    Raises:
        ValueError: there is no such prediction; the sentence lists what exists.
    """
    question = questions.prediction(id)
    said = _progress.read()["predictions"].get(id, {}).get("text")
    texts = [answer.text for answer in question.answers]
    return Reveal(question, texts.index(said) if said in texts else None)


class Reveal(_cards.Shown):
    """The outcome of one prediction.

    Args:
        question: with its answers, their feedback and the explanation.
        committed: index (from 0) of the answer that counts, or None.
    """

    def __init__(self, question: questions.Prediction, committed: int | None):
        self.question = question
        self.committed = committed

    def _paragraphs(self) -> list[str]:
        best = self.question.right
        right = f"**{_LETTERS[best]}** is right: {self.question.answers[best].text}"
        if self.committed is None:
            lines = [right]
        elif self.committed == best:
            lines = [f"You said **{_LETTERS[best]}**, and that is right: {self.question.answers[best].text}"]
        else:
            own = self.question.answers[self.committed]
            lines = [f"You said **{_LETTERS[self.committed]}**: {own.text} {own.feedback}", right]
        return [
            *lines,
            self.question.answers[best].feedback,
            *([self.question.explain] if self.question.explain else []),
        ]

    def __str__(self) -> str:
        return "\n".join([f"Prediction {self.question.id}", *(_cards.plain(line) for line in self._paragraphs())])

    def to_html(self) -> str:
        """Return the outcome as HTML."""
        return _cards.card(f"Prediction {self.question.id}", _cards.paragraphs("\n\n".join(self._paragraphs())), "note")
