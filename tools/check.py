"""Run the checks that change nothing: `python tools/check.py [NAME ...]`, all of them without a name.

The one list of them: `make check`, CI and the hooks of pre-commit run this.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKS = {
    "style": ("-m", "ruff", "check", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "locks": ("tools/lock.py", "--check"),
    "tables": ("tools/course_table.py", "--check"),
    "sheets": ("tools/run_sheets.py", "--check"),
    "notebooks": ("notebooks/build.py", "--check"),
    "versions": ("tools/release.py", "--check"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the checks that are named, each to its end, and return 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(CHECKS)}")
    names = parser.parse_args(arguments).names
    unknown = sorted(set(names) - set(CHECKS))
    if unknown:
        parser.error(f"no check is called {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    failed = [
        name for name in names or CHECKS
        if subprocess.run([sys.executable, *CHECKS[name]], cwd=ROOT, check=False).returncode
    ]  # fmt: skip
    if failed:
        print(f"Not in order: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
