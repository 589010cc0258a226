"""The score of a lesson's predictions: what was committed to, what is right, and which lessons to look at again."""

from __future__ import annotations

import html
from dataclasses import dataclass

from helpers import _cards, course, questions
from helpers.checks import _progress


@dataclass(frozen=True)
class Scored:
    """One prediction with the answer that was committed to.

    Attributes:
        number: its place in the lesson, from 1.
        question: what was asked.
        said: the committed answer, None if there is none.
        truth: the right answer.
        lessons: the lessons that teach it.
    """

    number: int
    question: str
    said: str | None
    truth: str
    lessons: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the right answer was committed to."""
        return self.said == self.truth


@dataclass(frozen=True, repr=False)
class Score(_cards.Shown):
    """All predictions of a lesson; shows itself as a table with the lessons to look at again."""

    lesson: str
    predictions: tuple[Scored, ...]

    @property
    def committed(self) -> tuple[Scored, ...]:
        """The predictions with an answer."""
        return tuple(one for one in self.predictions if one.said is not None)

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(one.right for one in self.committed)

    @property
    def again(self) -> dict[str, tuple[int, ...]]:
        """The lessons that teach what was answered wrongly, in order, each with the numbers of these predictions."""
        missed = [one for one in self.committed if not one.right]
        lessons = sorted({lesson for one in missed for lesson in one.lessons})
        return {lesson: tuple(one.number for one in missed if lesson in one.lessons) for lesson in lessons}

    def _summary(self) -> str:
        total, made = len(self.predictions), len(self.committed)
        if not made:
            return f"No score yet: you have committed to none of the {total}. Choose, press Commit, and run this again."
        words = f"**{self.right} of {made} right.**"
        if made < total:
            left = ", ".join(str(one.number) for one in self.predictions if one.said is None)
            words += f" Not committed before the run, and not counted: {left}."
        if self.right == made:
            words += " There is nothing that you need to look at again."
        return words

    def _again(self) -> list[tuple[str, str, str]]:
        """Return number, title and reason of each lesson to look at again."""
        titles = {one.number: one.title for one in course.course_map().lessons}
        return [(lesson, titles.get(lesson[:2], "Lesson"), _for(numbers)) for lesson, numbers in self.again.items()]

    def __str__(self) -> str:
        lines = [_cards.plain(self._summary()).replace("**", "")]
        for one in self.committed:
            verdict = "right" if one.right else "not right"
            lines.append(f"{one.number:3}  you said: {one.said}, {verdict}.  {_cards.plain(one.question)}")
        if self.again:
            lines.append("Look again at:")
            lines += [f"  {lesson}  {title}, {why}" for lesson, title, why in self._again()]
        return "\n".join(lines)

    def to_html(self) -> str:
        """Return the score as an HTML table; links lead to the notebooks beside the open one."""
        body = _cards.paragraphs(self._summary())
        if self.committed:
            cell = 'style="text-align:left;vertical-align:top;padding:3px 14px 3px 0;white-space:normal"'
            short = cell.replace("white-space:normal", "white-space:nowrap")
            names = ("Number", "Belief", "You said", "")
            head = "".join(f'<th scope="col" {short}>{name}</th>' for name in names)
            rows = ""
            for one in self.committed:
                sign = "✓&ensp;right" if one.right else "✗&ensp;not right"
                rows += (
                    f'<tr><th scope="row" {cell}>{one.number}</th><td {cell}>{_cards.inline(one.question)}</td>'
                    f"<td {short}>{_cards.inline(one.said)}</td><td {short}>{sign}</td></tr>"
                )
            body += f'<table style="margin:4px 0;max-width:52em"><thead><tr>{head}</tr></thead>'
            body += f"<tbody>{rows}</tbody></table>"
        if self.again:
            files = {one.number: one.files for one in course.course_map().lessons}
            items = ""
            for lesson, title, why in self._again():
                name = html.escape(f"{lesson} {title}")
                if files.get(lesson[:2]):
                    name = f'<a href="{files[lesson[:2]][0]}">{name}</a>'
                items += f"<li>{name}, {why}</li>"
            body += f'{_cards.paragraphs("**Look again at:**")}<ul style="margin:4px 0">{items}</ul>'
        kind = "quiet" if not self.committed else "poor" if self.again else "good"
        return _cards.card("", body, kind)


def _for(numbers: tuple[int, ...]) -> str:
    return f"for number{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def score(lesson: str) -> Score:
    """Add up the committed predictions of a lesson; as the last line of a cell it shows a table.

    An answer that the lesson no longer offers does not count, since its question has been written anew; nor does one
    that was chosen after the run.

    Args:
        lesson: such as "07".

    Returns:
        The score; its `again` names the lessons to look at again.

    Raises:
        ValueError: there is no such lesson, or it has no predictions; the sentence lists what exists.
    """
    texts = questions.load(lesson)
    if not texts.predictions:
        raise ValueError(f"Lesson {lesson} has no predictions, so there is nothing to score.")
    kept = _progress.read()["predictions"]
    scored = []
    for number, (id, one) in enumerate(texts.predictions.items(), start=1):
        entry = kept.get(id, {})
        said = None if entry.get("late") else entry.get("text")
        offered = {answer.text for answer in one.answers}
        scored.append(
            Scored(
                number=number,
                question=one.question,
                said=said if said in offered else None,
                truth=one.answers[one.right].text,
                lessons=one.lessons or (lesson,),
            )
        )
    return Score(lesson, tuple(scored))
