"""The numbers of the arena: how many trainings, how long, what happens to them, and when the arena gives up on one."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["FORKS", "LEFT_A_PROCESS", "Rules", "model_file"]

LEFT_A_PROCESS = "A process that your callbacks had started was still there in the end; the arena ended it."

# Without forks (Windows) each training imports Keras anew, some seconds each.
FORKS = "forkserver" in multiprocessing.get_all_start_methods()

_ENDINGS = (".keras", ".weights.h5", ".h5")


@dataclass(frozen=True)
class Rules:
    """What a run of the arena does. The defaults are those of lesson 10; tests use fewer and shorter trainings.

    Attributes:
        seeds: one training each, which is killed once and begun again.
        broken: seeds of trainings that are not killed, and whose data hold a broken batch: from there on it is NaN.
        epochs: the number that the arena's `fit` is asked for, before a kill and again after it.
        kill: the first and the last epoch (0-based) in which the kill may come. A training that ends sooner is
            killed at its end. None spares all.
        nan: the first and the last epoch (0-based) in which the broken batch may come.
        silence: seconds without an epoch after which a training counts as hanging; before its first epoch three times
            as many, since TensorFlow prepares the training then.
        seconds: after which the whole run is ended; by default a minute on two cores; COURSE_ARENA_SECONDS
            gives more.
        disk: bytes in a training's folder after which it is ended.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3)
    broken: tuple[int, ...] = (4,)
    epochs: int = 30
    kill: tuple[int, int] | None = (7, 13)
    nan: tuple[int, int] = (6, 12)
    silence: float = 10.0
    seconds: float = field(default_factory=lambda: _seconds())
    disk: int = 40_000_000

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Rules:
        """Read what `as_dict` gave."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _seconds() -> float:
    named = os.environ.get("COURSE_ARENA_SECONDS")  # gives a slow or crowded machine more
    if named:
        return float(named)
    return 300.0 if not FORKS else 60.0 if (os.cpu_count() or 1) > 1 else 120.0


def model_file(names: list[str]) -> tuple[str | None, str]:
    """Return which file of a training's folder is judged, and otherwise None and a sentence that says why none is.

    It is the only file that ends in `.keras`, `.weights.h5` or `.h5`, or among several the one called `best`. Hidden
    files and folders inside the folder do not count.

    Args:
        names: the files in the folder, without those in its folders.
    """
    models = sorted(name for name in names if name.endswith(_ENDINGS) and not name.startswith("."))
    best = [name for name in models if name in [f"best{ending}" for ending in _ENDINGS]]
    if len(models) == 1 or len(best) == 1:
        return (best or models)[0], ""
    if not models:
        held = f"it holds {', '.join(sorted(names)[:3])}" if names else "it is empty"
        return None, f"No model file lies in the folder ({held}). Keep one there, such as `folder / 'best.keras'`."
    return None, (
        f"{len(models)} model files lie in the folder ({', '.join(models[:3])}{', …' if models[3:] else ''}), and the "
        "arena does not choose for you. Keep one, or call it `best.keras`."
    )
