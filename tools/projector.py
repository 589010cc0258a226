"""Write a page for the projector for each prediction, and a sheet of paper to vote with.

    python tools/projector.py             all lessons, into handouts/
    python tools/projector.py 02 03 --out /media/usb

Each lesson becomes one HTML file that needs nothing else: a page with the question and its letters, and after it a page
with the answer; where a sentence is asked for first, one more with the reason. Arrow keys, space, Page Down and a
presenter's remote turn pages, B makes the screen black, F fills it. It prints one page on a sheet. Questions and
answers come from data/lessons; title, prose and code above a question, from the notebook. vote.html is the sheet: A to
D, to fold.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helpers import _cards, _files, course, questions  # noqa: E402

PARTS = Path(__file__).resolve().with_name("pages")
CODE_LINES = 12  # more does not fit on a page that is read from the last row


@dataclass(frozen=True)
class Asked:
    """A prediction in its place: the title of its section, the prose above it as Markdown, and the code."""

    prediction: questions.Prediction
    title: str
    prose: str
    code: str


def asked(notebook: Path) -> Iterator[Asked]:
    """Yield the predictions of a notebook in their order."""
    title, prose, code = "", [], []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            found = re.search(r"widgets\.predict\(\"(.+?)\"\)", text)
            if found:
                yield Asked(questions.prediction(found[1]), title, "\n\n".join(prose), "\n\n\n".join(code))
            code = [] if found else [*code, text]
            prose = [] if found else prose
            continue
        heading = re.match(r"#+ (.+)\n*", text)
        if heading:
            title, prose, code = heading[1], [], []
            text = text[heading.end() :]
        prose += for_all(text)


def for_all(text: str) -> list[str]:
    """Return the paragraphs that are worth reading aloud: links are for readers, and their texts stay."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    paragraphs = [one for one in re.split(r"\n\s*\n", text) if one.strip() and not one.startswith("**People ask")]
    return [_unlinked(one.strip("\n")) for one in paragraphs]


def _unlinked(text: str) -> str:
    return re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", text)


def page(number: str, title: str, rows: Sequence[Asked]) -> str:
    """Return the file of one lesson."""
    pages = [_cover(number, title, len(rows))]
    for place, one in enumerate(rows, start=1):
        head = f"<header><span>{html.escape(one.prediction.id)}</span><span>{place} of {len(rows)}</span></header>"
        pages += [_question(head, one), *_answer(head, one)]
    return _whole(f"{number} {_cards.plain(title)}", "".join(pages), (PARTS / "pages.js").read_text(encoding="utf-8"))


def vote() -> str:
    """Return the sheet to vote with."""
    body = (PARTS / "vote.svg").read_text(encoding="utf-8")
    words = (
        "Print one for each learner, on one side. Fold it in half twice, with the letters outside, and hold up the "
        "letter that you say."
    )
    return _whole(
        "A sheet to vote with", f'<main class="vote"><h1>A sheet to vote with</h1><p>{words}</p>{body}</main>'
    )


def _whole(title: str, body: str, script: str = "") -> str:
    style = (PARTS / "pages.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>\n{style}</style></head>\n'
        f"<body>{body}<script>\n{script}</script></body></html>\n"
    )


def _cover(number: str, title: str, count: int) -> str:
    words = f"{count} prediction{'s' * (count > 1)}. Keys: → and ← turn pages, B makes the screen black, F fills it."
    return _page("cover", "Cover", f"<h1>{number}<br>{_cards.inline(title)}</h1><footer>{words}</footer>")


def _question(head: str, one: Asked) -> str:
    about = _cards.paragraphs(one.prose) if one.prose else ""
    if one.code:
        lines = one.code.count("\n") + 1
        about += _cards.block(one.code) if lines <= CODE_LINES else "<p>The code is in the notebook.</p>"
    answers = "".join(_letter(place, answer) for place, answer in enumerate(one.prediction.answers))
    return _page(
        one.prediction.id,
        f"Question {one.prediction.id}",
        f'{head}<h2>{_cards.inline(one.title)}</h2><div class="about">{about}</div>'
        f'<div class="question">{_cards.paragraphs(_unlinked(one.prediction.question))}</div><ul>{answers}</ul>'
        "<footer>Vote. Run the cell. Only then turn the page.</footer>",
    )


def _answer(head: str, one: Asked) -> Iterator[str]:
    """Yield the page with the answer; where a sentence is asked for first, the explanation has a page of its own."""
    told, right = one.prediction, one.prediction.right
    answers = "".join(_letter(place, answer, place == right) for place, answer in enumerate(told.answers))
    label, title = f"Answer to {told.id}", f"<h2>{ascii_uppercase[right]} is right</h2>"
    listed = f'{head}{title}<ul class="told">{answers}</ul>'
    why = _said(f"{told.answers[right].feedback}\n\n{told.explain}")
    if told.ask:
        yield _page(f"{told.id}-answer", label, f'{listed}<p class="ask">{_cards.inline(_unlinked(told.ask))}</p>')
        yield _page(f"{told.id}-why", f"Why {told.id}", f"{head}{title}{why}")
    else:
        yield _page(f"{told.id}-answer", label, listed + why)


def _said(text: str) -> str:
    return f'<div class="why">{_cards.paragraphs(_unlinked(text))}</div>'


def _letter(place: int, answer: questions.Answer, right: bool = False) -> str:
    mark = ' class="right"' if right else ""
    sign = ' <span class="sign">✓ right</span>' if right else ""
    return f"<li{mark}><b>{ascii_uppercase[place]}</b><span>{_cards.inline(_unlinked(answer.text))}{sign}</span></li>"


def _page(id: str, label: str, body: str) -> str:
    return (
        f'<section id="{html.escape(id)}" aria-label="{html.escape(label)}"><div class="sheet">{body}</div></section>\n'
    )


def write(folder: Path, lessons: Sequence[str] = ()) -> list[Path]:
    """Write the pages of lessons, all if none is named, and the sheet to vote with; return the files.

    Raises:
        ValueError: there is no such lesson, or it predicts nothing.
        OSError: nothing can be written there.
    """
    notebooks = {name.split("_")[0]: name for row in course.course_map().lessons for name in row.files}
    unknown = [name for name in lessons if name not in notebooks]
    if unknown:
        raise ValueError(f"There is no lesson {', '.join(unknown)}. Lessons: {', '.join(notebooks)}.")
    folder.mkdir(parents=True, exist_ok=True)
    files = {"vote.html": vote()}
    for number in lessons or notebooks:
        path = ROOT / "notebooks" / notebooks[number]
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title = re.match(r"# (.+)", "".join(cells[0]["source"]))[1]
        rows = list(asked(path))
        if rows:
            files[f"{number}.html"] = page(number, title, rows)
        elif lessons:
            raise ValueError(f"Lesson {number} predicts nothing.")
    for name, text in files.items():
        _files.write(folder / name, text.encode())
    return [folder / name for name in files]


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, write, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="number such as 02 or 08a; all if none is given")
    parser.add_argument("--out", type=Path, default=Path("handouts"), help="the folder; handouts if none is given")
    options = parser.parse_args(arguments)
    try:
        written = write(options.out, options.lessons)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in written:
        print(path)
    print("Open them in a browser. vote.html prints on one sheet for each learner.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
