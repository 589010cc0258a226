"""The report of a run: the score, its parts, and what happened to each training."""

from __future__ import annotations

import html
import json
import math
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from helpers import _cards, _files

from . import _score, _words
from ._seed import Seed

__all__ = ["Part", "Report"]

_FORMAT = 1


@dataclass(frozen=True)
class Part:
    """One part of a score.

    Attributes:
        key: "quality", "epochs", "peak", "end", "kill", "nan" or "resumed".
        name: the same in words.
        points: earned, 0 to `most`.
        most: that can be earned.
        measured: the number behind it.
        advice: one sentence on what would raise it.
    """

    key: str
    name: str
    points: float
    most: float
    measured: str
    advice: str


@dataclass(frozen=True, repr=False)
class Report(_cards.Shown):
    """What came of `arena.run`; shows itself in a notebook, and as text elsewhere.

    Attributes:
        name: as given to `arena.run`.
        when: date and time of the run, ISO 8601.
        seeds: what happened to each training.
        seen: sentences about what the arena saw and does not count, or refused.
        versions: of Keras, TensorFlow and Python.
        guess: by how many points the learner said that it would differ from `before`; None for no guess.
        before: the best score of the learner's runs before it; None for the first one.
    """

    name: str
    when: str
    seeds: tuple[Seed, ...]
    seen: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    guess: float | None = None
    before: float | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts, which add up to the score."""
        scale = _score.scales()
        found = []
        for key, most in _score.MOST.items():
            points = _score.total(key, self.seeds, scale)
            found.append(
                Part(
                    key,
                    _words.NAMES[key],
                    points,
                    most,
                    _words.measured(key, self.seeds, scale),
                    _words.advice(key, points / most, self.seeds),
                )
            )
        return tuple(found)

    @property
    def score(self) -> float:
        """Return the points of all parts, 0 to 100."""
        return sum(part.points for part in self.parts)

    @property
    def by_seed(self) -> tuple[float, ...]:
        """The score that each killed training alone would have got."""
        scale = _score.scales()
        return tuple(_score.seed_points(seed, self.seeds, scale) for seed in self.seeds if not seed.broken)

    @property
    def spread(self) -> float:
        """Return by how much the score differs from seed to seed, as a standard deviation in points."""
        return _score.spread(self.seeds, _score.scales())

    @property
    def noise(self) -> float:
        """Return how far apart two reports must be at least, in points, to differ by more than chance."""
        killed = sum(not seed.broken for seed in self.seeds)
        return 2 * self.spread / math.sqrt(killed) if killed else 0.0

    @property
    def next(self) -> Part:
        """Return the part with the most points still to be had."""
        return max(self.parts, key=lambda part: part.most - part.points)

    # -- shown ---------------------------------------------------------------------------------------------------

    def _heading(self) -> str:
        return f"{self.name}: {self.score:.0f} of 100 points, spread over seeds {self.spread:.0f}"

    def _compared(self) -> str:
        """Answer the guess, as far as there is something to compare with."""
        if self.before is None:
            return ""
        return _words.compared(self.score - self.before, self.guess, self.noise) + " "

    def _last(self) -> str:
        trouble = next((seed.trouble for seed in self.seeds if seed.trouble), "")
        if trouble:
            return f"First mend this: {trouble}"
        if self.score > 95:
            return f"{self._compared()}There is next to nothing left to gain."
        least = self.next
        chance = f" A difference below {self.noise:.0f} points may be chance." if self.noise >= 1 else ""
        return f"{self._compared()}Most is left in *{least.name}*: {least.most - least.points:.0f} points.{chance}"

    def __str__(self) -> str:
        lines = [self._heading()]
        for part in self.parts:
            lines.append(f"  {part.points:4.1f} of {part.most:2}  {part.name}: {part.measured}")
            lines.append(f"               {_cards.plain(part.advice)}")
        lines += [f"Seen: {sentence}" for sentence in self._seen()]
        return "\n".join([*lines, self._last().replace("*", "")])

    def _seen(self) -> list[str]:
        """Return what was seen, without what the last line says."""
        return [sentence for sentence in self.seen if sentence not in self._last()]

    def to_html(self) -> str:
        """Return the report as an HTML card."""
        cell = 'style="text-align:left;vertical-align:top;padding:2px 10px 2px 0"'
        rows = "".join(
            f"<tr><td {cell}><b>{part.points:.1f}</b>&nbsp;of&nbsp;{part.most}</td>"
            f"<td {cell}>{html.escape(part.name)}<br>{_bar(part)}</td>"
            f'<td {cell}>{_cards.inline(part.measured)}<br><span style="opacity:.8">{_cards.inline(part.advice)}</span>'
            "</td></tr>"
            for part in self.parts
        )
        head = "".join(
            f'<th scope="col" {cell}>{name}</th>' for name in ("points", "part", "measured, and what would raise it")
        )
        table = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
        body = f'<table style="border-collapse:collapse;margin:4px 0">{table}</table>'
        body += "".join(
            f'<p style="margin:4px 0"><b>Seen:</b> {_cards.inline(sentence)}</p>' for sentence in self._seen()
        )
        body += f'<p style="margin:4px 0">{_cards.inline(self._last())}</p>'
        stories = "".join(f"<li>{_cards.inline(_words.story(seed))}</li>" for seed in self.seeds)
        body += f"<details><summary>What happened to each training</summary><ul>{stories}</ul></details>"
        kind = "good" if self.score >= 80 else "note" if self.score >= 40 else "poor"
        return _cards.card(self._heading(), body, kind, width="60em")

    # -- kept ----------------------------------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON; score and parts stand there for people, and are worked out when read."""
        return {
            "format": _FORMAT,
            "name": self.name,
            "when": self.when,
            "score": round(self.score, 1),
            "spread": round(self.spread, 1),
            "parts": {part.key: round(part.points, 1) for part in self.parts},
            "seen": list(self.seen),
            "versions": dict(self.versions),
            "guess": self.guess,
            "before": None if self.before is None else round(self.before, 1),
            "seeds": [seed.as_dict() for seed in self.seeds],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Report:
        """Read what `as_dict` gave.

        Raises:
            ValueError: it is no report, or one of a newer kind.
        """
        try:
            if values["format"] != _FORMAT:
                raise ValueError(f"it has format {values['format']!r}, and this course reads {_FORMAT}")
            return cls(
                str(values["name"]),
                str(values["when"]),
                tuple(Seed.from_facts(facts) for facts in values["seeds"]),
                tuple(map(str, values["seen"])),
                tuple(sorted(values["versions"].items())),
                *(None if (number := values.get(key)) is None else float(number) for key in ("guess", "before")),
            )
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError("it is no report of the arena") from problem

    def save(self, path: str | Path) -> Path:
        """Write the report into a JSON file, which `arena.load` and `arena.compare` read; return its path."""
        path = Path(path)
        _files.write(path, (json.dumps(self.as_dict(), indent=1) + "\n").encode())
        return path


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of what trains here."""
    found = {"python": platform.python_version(), "keras": metadata.version("keras")}
    for name in ("tensorflow", "tensorflow-cpu"):
        try:
            found["tensorflow"] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return tuple(sorted(found.items()))


def _bar(part: Part) -> str:
    share = part.points / part.most
    colour = _cards.COLOURS["good" if share > 0.8 else "poor" if share < 0.4 else "note"]
    return (
        '<span aria-hidden="true" style="display:inline-block;width:8em;height:6px;background:rgba(127,127,127,.25)">'
        f'<span style="display:block;height:6px;width:{100 * share:.0f}%;background:{colour}"></span></span>'
    )
