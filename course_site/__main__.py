"""Build the course as a site that needs no server: `python -m course_site`, or `--solutions` for teachers."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from helpers.questions import ROOT

MISSING = "The site is built with Sphinx, which is not installed here: run `make site`, which installs it."


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, build, and say where the first page is."""
    parser = argparse.ArgumentParser(prog="python -m course_site", description=__doc__)
    parser.add_argument("--solutions", action="store_true", help="the solutions edition, each lesson also as one file")
    parser.add_argument("--out", type=Path, help="where the site goes (build/site, or handouts)")
    parser.add_argument("--work", type=Path, help="what lies between, and is kept for the next time (build/site-work)")
    parser.add_argument("--jobs", type=int, default=2, help="how many lessons run at a time")
    options = parser.parse_args(arguments)
    try:
        from course_site import _build
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("sphinx", "docutils", "myst_nb", "pygments"):
            raise
        print(MISSING, file=sys.stderr)
        return 1
    edition = "handouts" if options.solutions else "site"
    out = options.out or ROOT / ("handouts" if options.solutions else "build/site")
    work = options.work or ROOT / "build" / f"{edition}-work"
    began = time.monotonic()
    try:
        first = _build.build(out.absolute(), work.absolute(), solutions=options.solutions, jobs=options.jobs)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    print(f"Written in {time.monotonic() - began:.0f} s: {size:.1f} MB. Open {first}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
