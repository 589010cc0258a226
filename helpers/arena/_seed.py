"""What became of one training, as numbers and short words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Seed"]


@dataclass(frozen=True)
class Seed:
    """One training of a run.

    Attributes:
        seed: chose its data, first weights and order.
        broken: its data held a broken batch; it was not killed.
        epochs: spent, before and after the kill, with parts of epochs.
        quality: test accuracy of the file on disk at the end, 0 to 1; None where there was no model.
        file: the file that was judged, its name in the folder.
        why: a sentence that says why there was no model.
        kept_last: that file holds the weights of the last epoch, though an earlier one since the last start was better.
        killed_at: epochs spent when it was killed; None for one that was not.
        killed_how: where the kill came, in words.
        quality_at_kill: test accuracy of what lay on disk at that moment; None where there was no model.
        why_at_kill: a sentence that says why there was none.
        resumed: the share of the epochs before the kill that were not lost, 0 to 1; 0 for one begun anew.
        broken_at: the epoch, with its part, at which the broken batch came; None without one.
        peak: the most bytes in the folder, in the course of the training.
        end: bytes in the folder at the end.
        val_loss: after each epoch, in the order in which they were spent; None for NaN.
        trouble: a sentence about how it failed; empty when it ended well.
        saw: sentences about what the arena refused.
        notes: sentences about what it let pass.
        printed: the first lines that the callbacks printed.
    """

    seed: int
    broken: bool = False
    epochs: float = 0.0
    quality: float | None = None
    file: str | None = None
    why: str = ""
    kept_last: bool = False
    killed_at: float | None = None
    killed_how: str | None = None
    quality_at_kill: float | None = None
    why_at_kill: str = ""
    resumed: float | None = None
    broken_at: float | None = None
    peak: int = 0
    end: int = 0
    val_loss: tuple[float | None, ...] = ()
    trouble: str = ""
    saw: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    printed: str = ""

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Seed:
        """Read what `as_dict` gave, or JSON made of it."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()})

    def as_dict(self) -> dict[str, Any]:
        """Return all that differs from the defaults, ready for JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if name == "seed" or value != getattr(type(self), name)
        }

    @classmethod
    def from_keeper(cls, facts: dict[str, Any], find: Callable[[str, int], str]) -> Seed:
        """Make one of what the arena's process told; `find` is that of `_lines.finder`."""
        facts = dict(facts)
        kept, began = facts.pop("kept_at_kill") or {}, facts.pop("began_at")
        threads = facts.pop("threads")
        trouble = _trouble(facts.pop("trouble"), facts["saw"], find)
        notes = facts.pop("notes")
        if threads:
            notes.append(
                f"A thread of yours ({threads[0]}) still ran when training had ended; it ended with its process."
            )
        killed = facts["killed_at"]
        return cls.from_facts(
            facts
            | {
                "trouble": trouble, "notes": notes, "epochs": round(facts["epochs"], 3),
                "quality_at_kill": kept.get("quality"), "why_at_kill": kept.get("why", ""),
                "resumed": None if killed is None else min(1.0, round((began or 0.0) / killed, 3)) if killed else 0.0,
            }
        )  # fmt: skip


def _trouble(trouble: dict[str, Any] | None, saw: list[str], find: Callable[[str, int], str]) -> str:
    """Return a sentence about how a training failed."""
    if trouble is None:
        return ""
    return _error(trouble, saw, find) if trouble["what"] == "error" else _SENTENCES[trouble["what"]](trouble)


def _error(trouble: dict[str, Any], saw: list[str], find: Callable[[str, int], str]) -> str:
    message = trouble["message"]
    if trouble["refused"]:
        return message
    if saw:
        return saw[0]  # the error came of what was refused
    where = f"`{trouble['hook']}`" if trouble["hook"] else "Your code"
    if trouble["exit"]:
        return (
            f"{where} ended the program ({trouble['kind']}). To end a training, set `self.model.stop_training = True`."
        )
    return f"{where} raised {trouble['kind']}: {message.rstrip('.')}.{_line(trouble['frames'], find)}"


def _line(frames: list[list[Any]], find: Callable[[str, int], str]) -> str:
    for name, number in reversed(frames):
        line = find(name, number or 0)
        if line:
            return f" It was in line {number}: `{line}`."
    return ""


def _died(trouble: dict[str, Any]) -> str:
    code = trouble["code"]
    how = f"signal {-code}" if isinstance(code, int) and code < 0 else f"exit code {code}"
    return (
        f"The process of the training vanished without a word ({how}). Something in your callbacks ended it, as "
        "`os._exit` does, or it needed more memory than there is."
    )


def _hung(trouble: dict[str, Any]) -> str:
    return (
        f"No epoch ended for {trouble['seconds']:.0f} seconds, so the arena ended the training. Something in your "
        "callbacks waits or loops without end."
    )


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "died": _died,
    "hung": _hung,
    "disk": lambda trouble: (
        f"The folder held {trouble['bytes'] / 1e6:.0f} MB, so the arena ended the training before the disk was full."
    ),
    "nonsense": lambda trouble: "What the training told the arena made no sense. Did your code speak for it?",
    "late": lambda trouble: (
        f"The run was not done after {trouble['seconds']:.0f} seconds and was ended. Do your callbacks take long, or "
        "is the machine busy? COURSE_ARENA_SECONDS gives more."
    ),
    "other": lambda trouble: "It was not run to its end, since another training of this run hung.",
}
