"""Small honest callbacks of the course, in two kinds; this module imports Keras.

`HookRecorder` and `SaveRecorder` watch a fit and change nothing in it. `AtomicCheckpoint` and `ResumeState` are for
production: what they write survives a kill, a power cut and a full disk.
"""

from ._atomic import AtomicCheckpoint
from ._recorders import HookEvent, HookRecorder, SaveEvent, SaveRecorder
from ._resume import ResumeState

__all__ = ["AtomicCheckpoint", "HookEvent", "HookRecorder", "ResumeState", "SaveEvent", "SaveRecorder"]
