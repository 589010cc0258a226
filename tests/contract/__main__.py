"""Print the claims, `python -m tests.contract --list [--lesson 02]`, or the sentences about releases, `--versions`."""

from __future__ import annotations

import argparse

from . import claims, sentences


def main() -> None:
    """Print the table of claims, or the lines about releases."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=main.__doc__)
    parser.add_argument("--list", action="store_true", help="print every claim (the default)")
    parser.add_argument("--lesson", help="only the claims of one lesson or row, such as 02 or 08.7")
    parser.add_argument("--versions", action="store_true", help="print each line about a release, for an upgrade")
    arguments = parser.parse_args()
    if arguments.versions:
        places = list(sentences.releases())
        print(*places, f"\n{len(places)} lines", sep="\n")
        return
    found = claims.load()
    print(claims.table(found, arguments.lesson, sentences.claim_ids()))
    print(f"\n{len(found)} claims")


if __name__ == "__main__":
    main()
