"""The explorer's sentence: what one setting does to one run."""

from __future__ import annotations

import math

from helpers.plots import Facts
from helpers.replay import StoppingRecord


def says(facts: Facts, record: StoppingRecord, top: int | None) -> list[str]:
    """Say what happened, one fact a sentence; `**` marks the two words to look at.

    Args:
        facts: Of the run with these settings.
        record: The replay that the facts come from.
        top: The best epoch of the whole log (0-based, counted as in `facts`), None if there is none.
    """
    return [
        text
        for text in (_best(facts, top), _stop(facts, record, top), _own(facts, top), _kept(facts), _files(facts))
        if text
    ]


def plain(sentences: list[str]) -> str:
    """Return the sentences as one text."""
    return " ".join(sentences).replace("**", "")


def number(value: float | None) -> str:
    """Write a metric's value."""
    if value is None:
        return "no value"
    return (
        f"{value:.4g}"
        if math.isfinite(value)
        else "NaN"
        if math.isnan(value)
        else f"{value}".replace("inf", "infinity")
    )


def _best(facts: Facts, top: int | None) -> str:
    if top is None:
        return ""
    return f"Best of all {facts.length} epochs: epoch {top + 1} ({facts.monitor} {number(facts.value(top))})."


def _stop(facts: Facts, record: StoppingRecord, top: int | None) -> str:
    patience = f"**patience {record.patience}**"
    if record.best is None:
        return (
            f"With start_from_epoch {record.start_from_epoch} EarlyStopping never looks: all {facts.length} epochs run."
        )
    if facts.stop is None:
        return f"With {patience} nothing stops the training: **all {facts.length} epochs** run."
    text = f"With {patience} training stops after **epoch {facts.stop + 1}**"
    if top is None:
        return f"{text}."
    return f"{text}: it never sees epoch {top + 1}." if top > facts.last else f"{text}, {_after(facts.stop - top)}."


def _after(epochs: int) -> str:
    return "which is that epoch" if epochs == 0 else f"{epochs} epoch{'s' * (epochs != 1)} later"


def _own(facts: Facts, top: int | None) -> str:
    """Name the callback's best where it is another one than the reader expects."""
    if facts.best is None or facts.best == top:
        return ""
    return f"Its own best is epoch {facts.best + 1} ({number(facts.value(facts.best))})."


def _kept(facts: Facts) -> str:
    value = f"epoch {facts.kept + 1} ({facts.monitor} {number(facts.value(facts.kept))})"
    if facts.restored:
        return f"The weights of {value} are put back."
    return f"The model keeps its last weights, those of {value}."


def _files(facts: Facts) -> str:
    count = len(facts.saved or ())
    return f"{count or 'No'} file{'s' * (count != 1)} saved."
