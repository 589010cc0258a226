"""Write the table of lessons into README.md, or say whether it is in step with data/course.toml and notebooks/.

python tools/course_table.py            write it between the two marks, or in place of a line LESSON_TABLE
python tools/course_table.py --check    write nothing; exit 1 when it is out of step
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from helpers import course  # noqa: E402

BEGIN, END = "<!-- lessons: written by tools/course_table.py -->", "<!-- end of lessons -->"
PLACE = re.compile(rf"^LESSON_TABLE$|{re.escape(BEGIN)}.*?{re.escape(END)}", re.MULTILINE | re.DOTALL)


def with_table(text: str, table: str) -> str:
    """Return a page with the table in its place.

    Raises:
        ValueError: the page has no place for it, or several.
    """
    places = PLACE.findall(text)
    if len(places) != 1:
        raise ValueError(f"README.md has {len(places)} places for the table; it needs one: {BEGIN} ... {END}")
    return PLACE.sub(lambda _: f"{BEGIN}\n{table}\n{END}", text)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, write or check, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when README.md is out of step")
    options = parser.parse_args(arguments)
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    wanted = with_table(text, course.course_map().to_markdown())
    if options.check:
        if text != wanted:
            print("The table of lessons in README.md is out of step: python tools/course_table.py writes it.")
        return int(text != wanted)
    if text != wanted:
        readme.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
