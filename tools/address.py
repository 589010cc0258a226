"""Say where this course, or your fork of it, is fetched from: `python tools/address.py owner/name [--hub URL]`.

Writes the table [address] of data/course.toml and the line repository-code of CITATION.cff, then README's tables, in
which each lesson has its badge for Binder, and its link for the hub where one is named. Without an argument it prints
what stands there.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import course_table  # noqa: E402

from helpers import course  # noqa: E402
from helpers.address import Address  # noqa: E402


def in_course(text: str, address: Address) -> str:
    """Return data/course.toml with another table [address]."""
    table = f'[address]\nrepository = "{address.repository}"\nbranch = "{address.branch}"\nhub = "{address.hub}"\n'
    return re.sub(r"^\[address\]\n(?:\w+ = .*\n)*", lambda _: table, text, count=1, flags=re.MULTILINE)


def in_citation(text: str, address: Address) -> str:
    """Return CITATION.cff with the address, or without one."""
    text = re.sub(r"^repository-code: .*\n", "", text, flags=re.MULTILINE)
    return text + (f'repository-code: "https://github.com/{address.repository}"\n' if address.repository else "")


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Read the command line, write, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", nargs="?", help='on GitHub, "owner/name" or its https address; "" for none')
    parser.add_argument("--branch", default="main", help="branch or tag to launch (main)")
    parser.add_argument("--hub", default="", help="a JupyterHub with nbgitpuller, such as https://hub.example.org")
    options = parser.parse_args(arguments)
    if options.repository is None:
        print(course.course_map().address)
        return 0
    name = re.sub(r"^https://github\.com/|(\.git)?/?$", "", options.repository)
    try:
        address = Address(name, options.branch, options.hub)
    except ValueError as error:
        parser.error(str(error))
    for file, change in ((root / "data" / "course.toml", in_course), (root / "CITATION.cff", in_citation)):
        file.write_text(change(file.read_text(encoding="utf-8"), address), encoding="utf-8")
    return course_table.main([]) if root == ROOT else 0


if __name__ == "__main__":
    sys.exit(main())
