"""The process whose calls `power_cut` records: saves some times with each writer, with marks between in the record.

python -m tests.conformance.traced FOLDER SAVES NAME...
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from .writers import WRITERS, RenameOnly, new_model

WIDTH = 60  # files of 40 kilobytes
MARK = "/conformance-mark"


def mark(*words: object) -> None:
    """Ask for a file that does not exist; the name stands in the record."""
    with contextlib.suppress(FileNotFoundError):
        os.close(os.open("/".join((MARK, *map(str, words))), os.O_RDONLY))


def main() -> None:
    """Save, with marks."""
    root = Path(sys.argv[1])
    chosen = {kind.__name__: kind for kind in (*WRITERS, RenameOnly) if kind.__name__ in sys.argv[3:]}
    for name, kind in chosen.items():
        save = kind(root / name).begin(new_model(width=WIDTH))
        for number in range(1, int(sys.argv[2]) + 1):
            save(number)
            mark(name, number)


if __name__ == "__main__":
    main()
    os._exit(0)  # threads of a writer may not hold up the record
