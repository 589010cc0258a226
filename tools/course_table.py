"""Write the tables of README.md and TEACHING.md, or say whether they are in step.

The lessons and the plans come from data/course.toml with notebooks/, the index of troubles from data/pitfalls.toml,
the list of run sheets from tools/run_sheets.py, the address of the site from data/course.toml.

python tools/course_table.py            write each between its two marks, or in place of LESSON_TABLE and the like
python tools/course_table.py --check    write nothing; exit 1 when one is out of step
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import run_sheets  # noqa: E402

from helpers import course, pitfalls  # noqa: E402
from helpers.address import Address  # noqa: E402


class Part(NamedTuple):
    """A part of a page that this tool writes: the line that asks for it, and the marks around it."""

    name: str
    asked: str

    @property
    def begin(self) -> str:
        """The mark before it."""
        return f"<!-- {self.name}: written by tools/course_table.py -->"

    @property
    def end(self) -> str:
        """The mark after it."""
        return f"<!-- end of {self.name} -->"

    def put(self, text: str, table: str) -> str:
        """Return a page with the table in its place.

        Raises:
            ValueError: the page has no place for it, or several.
        """
        place = re.compile(rf"^{self.asked}$|{re.escape(self.begin)}.*?{re.escape(self.end)}", re.MULTILINE | re.DOTALL)
        places = place.findall(text)
        if len(places) != 1:
            raise ValueError(
                f"the page has {len(places)} places for the table; it needs one: {self.begin} ... {self.end}"
            )
        return place.sub(lambda _: f"{self.begin}\n{table}\n{self.end}", text)


LESSONS = Part("lessons", "LESSON_TABLE")
PITFALLS = Part("troubles", "PITFALL_INDEX")
PLANS = Part("plans", "PLAN_TABLE")
SHEETS = Part("run sheets", "SHEET_TABLE")
SITE = Part("site", "SITE")


def site(address: Address) -> str:
    """Return where the site is: its address if the course has one, or how it is made."""
    if address.repository:
        return f"**[The course as a site]({address.site()})**: nothing to install, and no server behind it."
    return (
        "The course is a site, too, with no server behind it: `make site` builds it, and "
        "`make address REPO=owner/name` writes here where your fork shows it."
    )


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, write or check, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a page is out of step")
    options = parser.parse_args(arguments)
    lessons = course.course_map()
    pages = {
        "README.md": [
            (SITE, site(lessons.address)),
            (LESSONS, f"{lessons.to_markdown()}\n\n{lessons.summary()}"),
            # An empty line after a mark and before the next: inside <details> Markdown needs them.
            (PITFALLS, f"\n{pitfalls.index().to_markdown()}\n"),
        ],
        "TEACHING.md": [(PLANS, lessons.plans_to_markdown()), (SHEETS, run_sheets.index())],
    }
    stale = 0
    for name, parts in pages.items():
        text = wanted = (ROOT / name).read_text(encoding="utf-8")
        for part, table in parts:
            wanted = part.put(wanted, table)
        if text == wanted:
            continue
        stale += 1
        if options.check:
            print(f"The tables in {name} are out of step: python tools/course_table.py writes them.")
        else:
            (ROOT / name).write_text(wanted, encoding="utf-8")
    return int(options.check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
