"""After the run: what was committed to, whether it is right, and why. Nothing of it is shown before."""

from __future__ import annotations

import html

import anywidget
import traitlets

from helpers import _cards, questions
from helpers.checks import _progress
from helpers.widgets.predict import HERE, LETTERS, index_of, notes_html, with_fallback

HELP = "Enter keeps your sentence and shows ours beside it. Enter on an empty field skips."


def reveal(id: str) -> Outcome | Sentence:
    """Say how the prediction with this id, for example "02.a", came out; the last line of the cell that runs it.

    Whoever did not commit to an answer gets the right one and the explanation all the same. Where the lesson asks for a
    sentence of the learner's own, that comes first, once.

    Raises:
        ValueError: there is no such prediction; the sentence lists what exists.
    """
    asked = questions.prediction(id)
    progress = _progress.read()
    entry = progress["predictions"].get(id, {})
    kept = progress["reveals"].get(id, {})
    # A sentence answers the question that was asked; a question written anew is asked anew.
    said = kept.get("sentence", "") if kept.get("ask") == asked.ask else ""
    _progress.record_reveal(id)
    outcome = Outcome(asked, index_of(entry, asked), late=bool(entry.get("late")), sentence=said)
    return Sentence(outcome) if asked.ask and not said else outcome


class Outcome(_cards.Shown):
    """The outcome of one prediction.

    Args:
        asked: the question with its answers, their feedback and the explanation.
        committed: index (from 0) of the answer that counts, or None.
        late: the answer was chosen after the run.
        sentence: the learner's own, or "".
    """

    def __init__(self, asked: questions.Prediction, committed: int | None, *, late: bool = False, sentence: str = ""):
        self.asked = asked
        self.committed = committed
        self.late = late
        self.sentence = sentence

    @property
    def heading(self) -> str:
        """The id, in words."""
        return f"Prediction {self.asked.id}"

    @property
    def kind(self) -> str:
        """The key of the card's colour in `_cards.COLOURS`."""
        if self.committed is None:
            return "note"
        return "good" if self.committed == self.asked.right else "bad"

    def verdict(self) -> list[str]:
        """Return what was said, whether it is right, and the feedback to it and to the right answer, as Markdown."""
        best = self.asked.right
        # Quoted: an answer is not ours to say, and may hold a colon of its own.
        right = f"**{LETTERS[best]}** is right: “{self.asked.answers[best].text}”"
        chose = "After the run you chose" if self.late else "You said"
        if self.committed is None:
            lines = [right]
        elif self.committed == best:
            lines = [f"{chose} **{LETTERS[best]}**, and that is right: “{self.asked.answers[best].text}”"]
        else:
            own = self.asked.answers[self.committed]
            lines = [f"{chose} **{LETTERS[self.committed]}**, which is not it: “{own.text}”", own.feedback, right]
        return [*lines, self.asked.answers[best].feedback]

    def __str__(self) -> str:
        lines = [*self.verdict(), *([self.asked.explain] if self.asked.explain else [])]
        if self.sentence:
            lines += [self.asked.ask, f"You wrote: {self.sentence}"]
        return "\n".join([self.heading, *(_cards.plain(line).replace("**", "") for line in lines)])

    def body(self, place: bool = False) -> str:
        """Return the outcome as HTML without its frame, with a `place` for the sentence that a browser may fill in."""
        *rest, ours = [*self.verdict(), *([self.asked.explain] if self.asked.explain else [])]
        out = "".join(map(_cards.paragraphs, rest))
        if not self.sentence and not place:
            return out + _cards.paragraphs(ours)
        mine = f'<p style="margin:4px 0">{html.escape(self.sentence)}</p>'
        mine = f'<div data-yours style="flex:1 1 13em;min-width:0"><strong>You wrote</strong>{mine}</div>'
        theirs = f'<div style="flex:2 1 20em;min-width:0"><strong>We say</strong>{_cards.paragraphs(ours)}</div>'
        pair = f'<div style="display:flex;flex-wrap:wrap;gap:4px 20px;margin:6px 0">{mine}{theirs}</div>'
        return f"{out}{_cards.paragraphs(self.asked.ask)}{pair}"

    def to_html(self) -> str:
        """Return the outcome as an HTML card."""
        return _cards.card(self.heading, self.body() + notes_html(), self.kind)


class Sentence(anywidget.AnyWidget):
    """A field for one sentence of the learner's own; once it is kept or skipped, the outcome.

    Attributes:
        outcome: what is shown then.
        sentence: what was written, or "".
        asking: whether the field is open.
    """

    _esm = HERE / "predict.js"
    _css = HERE / "predict.css"
    kind = traitlets.Unicode("reveal").tag(sync=True)
    heading = traitlets.Unicode().tag(sync=True)
    before = traitlets.Unicode().tag(sync=True)
    ask = traitlets.Unicode().tag(sync=True)
    help = traitlets.Unicode().tag(sync=True)
    body = traitlets.Unicode().tag(sync=True)
    colour = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    asking = traitlets.Bool(True).tag(sync=True)

    def __init__(self, outcome: Outcome):
        self.outcome = outcome
        said = "" if outcome.committed is None else f"You committed to **{LETTERS[outcome.committed]}**."
        super().__init__(
            heading=html.escape(outcome.heading),
            before=_cards.paragraphs(said),
            ask=_cards.inline(outcome.asked.ask),
            help=HELP,
            body=outcome.body(place=True),
            colour=_cards.COLOURS[outcome.kind],
        )
        self.observe(self._keep, "sentence")

    def _keep(self, _change) -> None:
        self.outcome.sentence = self.sentence
        if self.sentence:
            _progress.record_sentence(self.outcome.asked.id, self.outcome.asked.ask, self.sentence)

    def _repr_mimebundle_(self, **kwargs):
        """Add the whole outcome as HTML and text, for pages in which no kernel runs and for tests."""
        return with_fallback(super()._repr_mimebundle_(**kwargs), str(self.outcome), self.outcome.to_html())
