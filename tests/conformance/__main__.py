"""The command: `python -m tests.conformance [--kills N] [--resumed N] [--short] [--jobs N] [--write] [--json FILE]`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from . import report

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"


def main() -> int:
    """Read the command line, run the trials, print the table and write what was asked for."""
    parser = argparse.ArgumentParser(description="Which checkpoints survive what.")
    parser.add_argument("--kills", type=int, help="kills for each writer (100)")
    parser.add_argument("--resumed", type=int, help="runs killed and started again (50)")
    parser.add_argument("--short", action="store_true", help="three writers and few kills, as in the tests")
    parser.add_argument("--jobs", type=int, default=1, help="processes that try at once (1)")
    parser.add_argument("--write", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    options = parser.parse_args()
    if sys.platform == "win32":
        print("The trials need fork and SIGKILL: they run on Linux and macOS.", file=sys.stderr)
        return 1
    plan = report.SHORT if options.short else report.Plan()
    asked = {name: getattr(options, name) for name in ("kills", "resumed") if getattr(options, name)}
    plan = dataclasses.replace(plan, **asked)
    result = report.run(plan, lambda sentence: print(sentence, file=sys.stderr, flush=True), options.jobs)
    print(report.table(result))
    if options.json:
        options.json.write_text(json.dumps(result))
    if options.write:
        PAGE.write_text(report.page(result, plan))
    return 0


if __name__ == "__main__":
    sys.exit(main())
