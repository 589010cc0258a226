"""The sentences of a report: what each part measured, and what would raise it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from ._score import Scales
from ._seed import Seed

__all__ = ["NAMES", "advice", "compared", "measured", "story"]

NAMES = {
    "quality": "Quality of the model on disk",
    "epochs": "Epochs spent",
    "peak": "Bytes kept at the peak",
    "end": "Bytes kept at the end",
    "kill": "Survived the kill",
    "nan": "Survived the NaN",
    "resumed": "Resumed, not begun anew",
}


def _size(number: float) -> str:
    """Return a size as people say it."""
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"


def measured(part: str, seeds: Sequence[Seed], scale: Scales) -> str:
    """Return the number behind a part, with the ends of its scale."""
    killed = [seed for seed in seeds if seed.killed_at is not None]
    broken = [seed for seed in seeds if seed.broken]
    if part == "kill":
        kept = sum(seed.quality_at_kill is not None and seed.quality_at_kill >= scale.useful for seed in killed)
        return (
            f"a useful model on disk after {kept} of {len(killed)} kills" if killed else "no training came to its kill"
        )
    if part == "nan":
        kept = sum(seed.quality is not None and seed.quality >= scale.useful for seed in broken)
        return f"a useful model at the end of {kept} of {len(broken)} trainings with a broken batch"
    nothing, everything = scale.ends[part]
    if part == "quality":
        quality = [seed.quality for seed in seeds]
        values = [value for value in quality if value is not None]
        mean = f"{fmean(values):.1%} right" if values else "no model at the end"
        files = (
            f" in {len(values)} of {len(seeds)} trainings, no model in the others" if values and None in quality else ""
        )
        return f"{mean}{files} (references {nothing:.1%} to {everything:.1%})"
    if part == "epochs":
        spent = sum(seed.epochs for seed in seeds)
        return f"{spent:.0f} of a budget of {nothing * len(seeds):.0f} (best reference {everything * len(seeds):.0f})"
    if part == "resumed":
        kept = fmean(seed.resumed or 0.0 for seed in killed) if killed else 0.0
        words = f"after the kill {kept:.0%} of the epochs before it were still there"
        return f"{words} (references {nothing:.0%} to {everything:.0%})"
    size = fmean(getattr(seed, part) for seed in seeds)
    return f"{_size(size)} of a budget of {_size(nothing)} (best reference {_size(everything)})"


def story(seed: Seed) -> str:
    """Return in a sentence what happened to a training."""
    words = [f"seed {seed.seed}: {seed.epochs:.1f} epochs"]
    if seed.broken_at is not None:
        words.append(f"a broken batch in epoch {int(seed.broken_at) + 1}")
    if seed.killed_at is not None:
        on_disk = (
            "no model on disk" if seed.quality_at_kill is None else f"a model with {seed.quality_at_kill:.1%} on disk"
        )
        begun = f"went on with {seed.resumed:.0%} of them" if seed.resumed else "began anew"
        words.append(f"killed after {seed.killed_at:.1f}, {seed.killed_how}, {on_disk}; {begun}")
    if seed.trouble:
        words.append(f"failed: {seed.trouble.rstrip('.')}")
    words.append(
        f"in the end {seed.file} with {seed.quality:.1%} right" if seed.quality is not None else "no model in the end"
    )
    return ", ".join(words) + "."


def compared(change: float, guess: float | None, noise: float) -> str:
    """Return what a run changed against the best one before it, and how good the learner's guess was.

    Args:
        change: of the score, in points.
        guess: of that change; None for no guess.
        noise: points below which a difference may be chance.
    """
    told = f"It is {change:+.0f} points against your best run before it" + (
        ", which may be chance." if abs(change) < noise else "."
    )
    if guess is None:
        return told
    if abs(guess - change) <= max(noise, 3):
        verdict = "A good guess."
    elif abs(change) < noise or (guess > 0) == (change > 0):
        verdict = "Which part did you misjudge?"
    else:
        verdict = "It went the other way: which part did it?"
    return f"You guessed {guess:+g}. {told} {verdict}"


def advice(part: str, share: float, seeds: Sequence[Seed]) -> str:
    """Return one sentence on what would raise a part that earned this share of its points."""
    if share < 0.5 and any(seed.trouble for seed in seeds):
        return "A training that fails earns nothing here: see below."
    if share > 0.95:
        return "All there is, or nearly."
    missing = next((seed.why for seed in seeds if seed.why and not seed.broken), "")
    return {
        "quality": _quality, "epochs": _epochs, "peak": _bytes, "end": _bytes, "kill": _kill, "nan": _nan,
        "resumed": _resumed,
    }[part](seeds, missing)  # fmt: skip


def _quality(seeds: Sequence[Seed], missing: str) -> str:
    if missing:
        return missing
    return (
        "The model on disk should be the one of the best epoch: let the checkpoint keep that one alone, and never stop "
        "before it came."
    )


def _epochs(seeds: Sequence[Seed], missing: str) -> str:
    if missing:
        return "A training that leaves no model earns nothing for its thrift: see to the file first."
    if max(seed.epochs for seed in seeds) > 25:
        return (
            "Some trainings went on long after their best epoch: stop earlier, or spend nothing twice after the kill."
        )
    return "A smaller patience spends less; look at what it does to the quality."


def _bytes(seeds: Sequence[Seed], missing: str) -> str:
    if missing:
        return "A training that leaves no model earns nothing for its thrift: see to the file first."
    return "Keep fewer files: one name that is replaced instead of one for each epoch, and nothing that nobody reads."


def _kill(seeds: Sequence[Seed], missing: str) -> str:
    why = next((seed.why_at_kill for seed in seeds if seed.why_at_kill), "")
    return f"{why} A file that is replaced in one step is whole at every moment." if "cannot be loaded" in why else (
        why or "Save a model before the kill can come: early, and again whenever it got better."
    )  # fmt: skip


def _nan(seeds: Sequence[Seed], missing: str) -> str:
    why = next((seed.why for seed in seeds if seed.broken and seed.why), "")
    return why or "After a NaN all weights are NaN: let nothing overwrite the last good file, and stop or step back."


def _resumed(seeds: Sequence[Seed], missing: str) -> str:
    if any(seed.resumed for seed in seeds):
        return "What was kept was older than it had to be: keep it after each epoch, in a file that no kill can spoil."
    return (
        "After the kill training began anew. Look into the folder when training begins, and go on from what is there."
    )
