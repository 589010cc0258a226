"""What the process has in memory from which all trainings are forked: Keras, imported, with nothing computed.

The helper process of `multiprocessing` imports this module before it forks anything.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

import keras
import tensorflow

from helpers import callbacks
from helpers.arena import _child, _judge, _training

from helpers import _freeze  # isort: skip - the last

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h


def adopt_orphans() -> None:
    """Let processes whose parents have ended become children of this one, so that they are found and ended (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


adopt_orphans()

__all__ = ["_child", "_freeze", "_judge", "_training", "adopt_orphans", "callbacks", "keras", "tensorflow"]
