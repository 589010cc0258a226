"""Print how the search of the pitfall lab does: `python -m tests.search`.

The texts that went wrong are listed for the part that the search is tuned with. For the third that is kept out only
`--kept-out` lists them, for a last look: whoever tunes by them has none left.
"""

from __future__ import annotations

import argparse

from .corpus import texts
from .measure import measure


def main() -> None:
    """Measure both parts and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.search", description=main.__doc__)
    parser.add_argument("--kept-out", action="store_true", help="list what went wrong in the third that is kept out")
    options = parser.parse_args()
    for name, kept_out in (("for tuning", False), ("kept out", True)):
        score = measure(one for one in texts() if one.kept_out == kept_out)
        print(f"{name}: {score}")
        if not kept_out or options.kept_out:
            print(*(f"  {line}" for line in score.wrong), sep="\n")


if __name__ == "__main__":
    main()
