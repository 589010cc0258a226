"""What would answer a prediction before its run: the words to look for in what stands in sight of the question.

Three kinds, each looked for in text that is not the question itself:

- a run of words that stands in the explanation or in the right answer, and neither in the question nor in an answer
  that is not right;
- words that announce a verdict, such as "verdict", "is a myth", "the answer is";
- bold words, all of which the right answer holds, while neither the question nor another answer does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from helpers import _cards, questions

RUN = 5  # words in a row that are no chance
ANNOUNCED = re.compile(
    r"\bverdict\b|\b(is|was|a) (a )?myth\b|\bmyth:|\bthe answer is\b|\bas predicted\b|\byou were right\b",
    re.IGNORECASE,
)
# Words that say nothing alone; a run of them is no verdict.
COMMON = frozenset(
    """
    a about after again all an and any are as at be been before but by can comes each epoch epochs every first
    fit for from get gets goes had has have here how if in into is it its keras last loss model more much no not
    nothing now of on once one only or out over same so still than that the their them then there these they
    this those through to too training two up was were what when where which while who whose why will with
    without you your
    """.split()  # noqa: SIM905
)


def words(text: str) -> list[str]:
    """Return the words of some text in small letters, without Markdown."""
    plain = _cards.plain(re.sub(r"<!--.*?-->", " ", text, flags=re.DOTALL)).lower()
    return re.findall(r"[a-z0-9_]+(?:\.[0-9]+)*", plain.replace("n't", " not").replace("*", " "))


def runs(text: str, length: int = RUN) -> set[tuple[str, ...]]:
    """Return each run of words of a text, without those with fewer than three words of some meaning."""
    found = words(text)
    every = {tuple(found[start : start + length]) for start in range(len(found) - length + 1)}
    return {run for run in every if len({word for word in run if word not in COMMON}) >= 3}


def announced(asked: questions.Prediction, text: str, bold: Iterable[str] = ()) -> Iterator[str]:
    """Yield what, in a text that stands in sight of a question, tells its answer.

    Args:
        asked: the prediction.
        text: what can be read beside the question, as Markdown or plain.
        bold: what of it is printed bold.
    """
    right = asked.answers[asked.right]
    open_texts = [asked.question, *(answer.text for answer in asked.answers if not answer.right)]
    known = set().union(*map(runs, open_texts))
    secret = set().union(*map(runs, (right.text, right.feedback, asked.explain))) - known
    for run in sorted(secret & runs(text)):
        yield f"“{' '.join(run)}” stands in the explanation"
    for found in ANNOUNCED.finditer(text):
        yield f"“{found[0]}” announces a verdict"
    given = {word for one in open_texts for word in words(one)}
    telling = {
        word for word in words(right.text) if word not in given and word not in COMMON - {"last", "first", "not"}
    }
    for phrase in bold:
        said = set(words(phrase))
        if said and said & telling and said <= set(words(right.text)):
            yield f"bold “{phrase}” is what the right answer says"
