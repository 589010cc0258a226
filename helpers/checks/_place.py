"""Where a check is at the moment: which epoch of which played training, or which call of the learner's function.

The players write it down as they go, and nobody clears it when an error or the time limit breaks in: what stands here
then is where it happened.
"""

from __future__ import annotations

__all__ = ["at", "begin", "called", "clear", "hook", "played", "words"]

_now: tuple = ()
_calls = 0


def begin() -> None:
    """Say that a check begins."""
    global _calls
    _calls = 0
    clear()


def called(what: str) -> None:
    """Say which call of the learner's function begins now, such as "`stop_epoch`, with [0.5, 0.4], 2"; counts them."""
    global _calls
    _calls += 1
    at(f"in call {_calls} of {what}")


def clear() -> None:
    """Say that nothing of the learner's runs."""
    global _now
    _now = ()


def at(what: str) -> None:
    """Say in words what begins now, such as "when `GoodEnough(0.75)` was made"."""
    global _now
    _now = (what,)


def played(hook: str, epoch: int, fit: int) -> None:
    """Say which hook of which epoch and fit (both 0-based) is called now; cheap, since it is said at every hook."""
    global _now
    _now = (hook, epoch, fit)


def hook() -> str:
    """Return the hook that is called now; an empty string outside of a played training."""
    return _now[0] if len(_now) == 3 else ""


def words() -> str:
    """Return where it is, to end a sentence with; an empty string when nothing of the learner's runs."""
    if len(_now) < 2:
        return _now[0] if _now else ""
    hook, epoch, fit = _now
    which = "a training that the check played" if fit == 0 else f"fit {fit + 1} of those that the check played"
    return f"in epoch {epoch + 1} of {which}, at `{hook}`"
