"""The command `python -m tests.checks.bank`."""

import sys

from tests.checks.bank import main

sys.exit(main(sys.argv[1:]))
