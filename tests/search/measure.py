"""How the search does on texts: the shares that issue and tests ask for, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from helpers import pitfalls

from .corpus import Text


@dataclass
class Score:
    """Counts over texts.

    Attributes:
        asked: texts that a trouble should answer; `first` and `third` of them have it first, and in the first three.
        doubted: those that have the right trouble first and are told that nothing fits.
        nothing: texts that no trouble fits; `told` of them are told so.
        lessons: texts that a heading explains; `explained` of them get it.
        wrong: a line for each text that went wrong.
    """

    asked: int = 0
    first: int = 0
    third: int = 0
    doubted: int = 0
    nothing: int = 0
    told: int = 0
    lessons: int = 0
    explained: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.asked} texts with a trouble: right first {self.first / self.asked:.1%}, in the first three "
            f"{self.third / self.asked:.1%}, right and doubted {self.doubted}. "
            f"{self.nothing} that nothing fits: told so {self.told / self.nothing:.1%}. "
            f"{self.lessons} for a lesson: found {self.explained}."
        )


def measure(texts: Iterable[Text]) -> Score:
    """Search for each text and count how it came out."""
    score = Score()
    for text in texts:
        found = pitfalls.find(text.text)
        numbers = [one.number for one in found.pitfalls]
        if text.lesson:
            fine = found.fits and text.lesson in [one.notebook for one in found.lessons]
            score.lessons += 1
            score.explained += fine
        elif not text.number:
            fine = not found.fits
            score.nothing += 1
            score.told += fine
        else:
            first = numbers[:1] == [text.number]
            fine = first and found.fits
            score.asked += 1
            score.first += first
            score.third += text.number in numbers[:3]
            score.doubted += first and not found.fits
        if not fine:
            said = "fits" if found.fits else "nothing fits"
            wanted = text.lesson or text.number or "nothing"
            score.wrong.append(f"{wanted}: {numbers[:3]} ({said}) {text.text.strip().splitlines()[-1][:100]}")
    return score
