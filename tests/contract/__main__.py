"""Print the claims: `python -m tests.contract --list [--lesson 02]`."""

from __future__ import annotations

import argparse

from . import claims


def main() -> None:
    """Print the table of claims."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=main.__doc__)
    parser.add_argument("--list", action="store_true", help="print every claim (the default)")
    parser.add_argument("--lesson", help="only the claims of one lesson or row, such as 02 or 08.7")
    arguments = parser.parse_args()
    found = claims.load()
    print(claims.table(found, arguments.lesson))
    print(f"\n{len(found)} claims")


if __name__ == "__main__":
    main()
