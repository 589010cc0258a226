"""The certificate: one page of what this machine saw of a learner's way through the course, to keep and to print.

    python -m helpers.certificate --name "Ada Lovelace"

It is made from the learner's own records alone, loads no TensorFlow, and asks the network for nothing.
"""

from __future__ import annotations

import argparse
import html
import itertools
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import _cards, arena, checks, lesson, plots, style
from helpers.words import count

if TYPE_CHECKING:
    from helpers.arena import Report
    from helpers.checks._core import LessonProgress, Progress

__all__ = ["Certificate", "Written", "main", "write"]

FOLDER = "certificates"
COURSE = "Keras callbacks, hands on"
PROVES = (
    "This page was made on the learner's own machine, from the records that the course keeps there. It proves what "
    "that machine saw and no more: not who sat at the keyboard, nor who helped. The records are plain files, and "
    "this page is one too."
)
_NOTHING = (
    "There is nothing to certify yet: this machine has seen no committed prediction, no solved exercise and no "
    "report of the capstone. Work on a lesson, then ask again."
)
_STYLE = """
:root { color-scheme: light }
@page { size: A4; margin: 14mm 16mm }
* { box-sizing: border-box }
body { margin: 0; background: #eceef0; color: #1f2328; font: 15px/1.45 system-ui, sans-serif }
main { max-width: 50rem; margin: 1.5rem auto; padding: 2.2rem 2.6rem; background: #fff; border: 1px solid #59636e }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .3rem }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .3rem; padding-top: .5rem; border-top: 2px solid #1f2328 }
p { margin: .35rem 0; overflow-wrap: anywhere }
.name { font-size: 1.35rem; font-weight: 600 }
.score { font-size: 1.2rem }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 }
th, td { text-align: left; vertical-align: top; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #c8cdd3 }
td.n { white-space: nowrap }
tbody th { font-weight: 400 }
img { display: block; max-width: 100%; height: auto; margin: .6rem 0 }
.small { font-size: .85rem }
@media (max-width: 40rem) {
  main { margin: 0; padding: 1rem; border: 0 }
  th, td { padding-right: .4rem; font-size: .8rem; white-space: normal !important }
}
@media print {
  body { background: #fff; font-size: 10pt }
  main { max-width: none; margin: 0; padding: 0; border: 0 }
  h2, thead { break-after: avoid }
  tr, img, .score, .small { break-inside: avoid }
}
"""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says.

    Attributes:
        progress: lessons, exercises and predictions.
        reports: all reports of the capstone, oldest first; may be empty.
        name: whose it is, in one line; may be empty.
        date: of today, as 2026-11-25.
    """

    progress: Progress
    reports: tuple[Report, ...] = ()
    name: str = ""
    date: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to certify."""
        return not self.reports and not any(one.begun for one in self.progress.lessons)

    @property
    def best(self) -> Report | None:
        """The report with the most points, the first of them; None if there is none."""
        return max(self.reports, key=lambda report: report.score, default=None)

    def summary(self) -> str:
        """Add up what was done, in one sentence."""
        rows = self.progress.lessons
        done, predicted = sum(one.done for one in rows), sum(len(one.predicted) for one in rows)
        right = sum(one.predicted_right for one in rows)
        exercises = sum(len(one.exercises) for one in rows)
        text = (
            f"{done} of {count(len(rows), 'lesson')} done, {self.progress.solved} of {count(exercises, 'exercise')} "
            f"solved, {count(predicted, 'prediction')} committed before the run"
        )
        return f"{text}, {right} of them right." if predicted else f"{text}."

    def page(self) -> str:
        """Return the whole page as HTML."""
        title = f"Certificate: {COURSE}"
        whose = f'<p class="name">{html.escape(self.name)}</p>' if self.name else ""
        return (
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
            f'<body><main><h1>{html.escape(title)}</h1>{whose}<p><time datetime="{self.date}">{self.date}</time></p>'
            f"<p>{html.escape(self.summary())}</p>{self._capstone()}{self._lessons()}{_versions()}"
            f'<h2>What this proves</h2><p class="small">{PROVES}</p></main></body></html>\n'
        )

    def _capstone(self) -> str:
        head = "<h2>The capstone</h2>"
        best = self.best
        if best is None:
            return f"{head}<p>No report yet: lesson 10 makes one.</p>"
        score = (
            f'<p class="score"><strong>{best.score:.0f} of 100 points, spread over seeds {best.spread:.0f}</strong></p>'
            f"<p>The best of {count(len(self.reports), 'run')}: "
            f"{html.escape(f'{best.name}, on {best.when[:10]}')}.</p>"
        )
        rows = [["What counts", "Points", "Measured"]]
        rows += [[part.name, f"{part.points:.0f} of {part.most:.0f}", part.measured] for part in best.parts]
        return head + score + _table(rows) + style.img_html(plots.arena(self.reports))

    def _lessons(self) -> str:
        begun = [one for one in self.progress.lessons if one.begun]
        head = "<h2>The lessons</h2>"
        if not begun:
            return f"{head}<p>No prediction committed and no exercise solved yet.</p>"
        rows = [["Lesson", "State", "Exercises solved", "Predictions committed"], *map(_row, begun)]
        rest = [one.lesson for one in self.progress.lessons if not one.begun]
        late = sum(len(one.late) for one in begun)
        told = "Done: every exercise solved and every prediction answered."
        told += f" Not begun: {', '.join(rest)}." if rest else ""
        told += f" Not counted: {count(late, 'prediction')} answered after the run." if late else ""
        return f'{head}{_table(rows)}<p class="small">{told}</p>'


@dataclass(frozen=True, repr=False)
class Written(_cards.Shown):
    """Where a certificate was written; shows itself as a card. `file` is None where there was nothing to certify."""

    file: Path | None
    summary: str

    def __str__(self) -> str:
        if self.file is None:
            return self.summary
        return f"{self.summary}\nWritten: {self.file}. Open it in a browser; it prints on A4."

    def to_html(self) -> str:
        """Return the same as an HTML card, whose link opens the page from the notebook."""
        if self.file is None:
            return _cards.card("", _cards.paragraphs(self.summary), "quiet")
        address = self.file.as_posix()
        link = f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{html.escape(address)}</a>'
        body = f"{_cards.paragraphs(self.summary)}<p style='margin:4px 0'>{link}</p>"
        return _cards.card("Your certificate", body + _cards.paragraphs("It prints on A4."), "good")


def write(name: str = "", *, folder: str | Path = FOLDER) -> Written:
    """Write the learner's certificate into a new file and say where; as the last line of a cell it shows a card.

    An older certificate is never replaced. Where there is nothing to certify, nothing is written.

    Args:
        name: to stand on the page; nothing else on it says whose it is.
        folder: where to; made if it is missing. A relative one is meant from the working folder.

    Raises:
        TypeError: the name is no text.
        OSError: nothing can be written there; the sentence says what to do.
    """
    if not isinstance(name, str):
        raise TypeError(f'The name on a certificate is text, as in certificate.write("Ada Lovelace"); got {name!r}.')
    today = time.strftime("%Y-%m-%d")
    made = Certificate(checks.progress(), tuple(arena.reports()), " ".join(name.split()), today)
    if made.empty:
        return Written(None, _NOTHING)
    return Written(_new_file(Path(folder), today, made.page()), made.summary())


def _new_file(folder: Path, date: str, text: str) -> Path:
    """Write a file whose name is not taken: certificate-DATE.html, certificate-DATE-2.html, and so on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            file = folder / (f"certificate-{date}.html" if number == 1 else f"certificate-{date}-{number}.html")
            try:
                with file.open("x", encoding="utf-8") as opened:
                    opened.write(text)
                return file
            except FileExistsError:
                continue
    except OSError as error:
        raise OSError(
            f"The certificate cannot be written into {str(folder)!r} ({error.strerror}). Name a folder of your own, "
            'where you may write: certificate.write(folder="...").'
        ) from error
    raise AssertionError("itertools.count ended")


def _row(one: LessonProgress) -> list[str]:
    solved = f"{len(one.solved)} of {len(one.exercises)}" if one.exercises else "none here"
    made = f"{len(one.predicted)} of {len(one.predictions)}" if one.predictions else "none here"
    if one.predicted:
        made += f", {one.predicted_right} right"
    return [f"{one.lesson} {_cards.plain(one.title)}", "done" if one.done else "begun", solved, made]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as a table whose first column names each row."""
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in rows[0])
    body = ""
    for first, *rest in rows[1:]:
        cells = "".join(f'<td class="{"n" if len(cell) < 25 else "w"}">{html.escape(cell)}</td>' for cell in rest)
        body += f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _versions() -> str:
    words = ", ".join(f"{name} {version}" for name, version in lesson.versions().items())
    return f"<h2>Made with</h2><p>{html.escape(words)}, on {html.escape(platform.system() or 'an unknown system')}.</p>"


def main(arguments: list[str] | None = None) -> int:
    """Write the certificate and print where it is; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.certificate", description="Write a page of what this machine saw you do in the course."
    )
    parser.add_argument("--name", default="", help="to stand on the page")
    parser.add_argument("--folder", default=FOLDER, help=f"where to write it; {FOLDER} when none is given")
    options = parser.parse_args(arguments)
    try:
        print(write(options.name, folder=options.folder))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
