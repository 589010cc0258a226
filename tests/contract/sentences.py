"""Where the course says what the claims prove: claim ids beside its sentences, and words about releases.

A claim id is `module.name` of a test in this package. It stands in an HTML comment at the end of a paragraph,
`<!-- claim: files.test_resume_from_a_keras_file -->`, or in a comment line of `data/lessons/NN.toml` above the text,
`# claim: hooks.test_hook_order_under_fit`; several ids are parted by blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = ("notebooks/source/*.py", "data/lessons/*.toml", "data/pitfalls.toml")
PAGES = (*SENTENCES, "README.md", "TEACHING.md", "helpers/**/*.py")

_CLAIM = re.compile(r"<!--\s*claims?:(?P<prose>[^>]*?)-->|^\s*# claims?:(?P<toml>.*)$")
# What a new release may make untrue: numbers of releases, and words that stand for one.
_RELEASE = re.compile(
    r"\b(?:Keras|TensorFlow|TF|ipykernel|JupyterLab|Matplotlib) \d+(?:\.\d+)*\b"
    r"|\b[23]\.\d{1,2} (?:to|and|or) [23]\.\d{1,2}\b(?! epochs)"
    r"|\b(?:later|next|newer|newest|older|earlier|early|future|coming|no) (?:Keras )?(?:release|version)s?\b"
    r"|\b(?:newer|older) (?:Keras|kernel)\b|\b(?:years ago|merged after|been merged|not released|unreleased)\b",
    re.IGNORECASE,
)


class Place(NamedTuple):
    """A line of a file of the course, and what was found there."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def claim_ids(root: Path = ROOT) -> Iterator[Place]:
    """Yield each claim id that stands beside a sentence."""
    for file, number, line in _lines(SENTENCES, root):
        for found in _CLAIM.finditer(line):
            for name in (found["prose"] or found["toml"] or "").replace(",", " ").split():
                yield Place(file, number, name)


def releases(root: Path = ROOT) -> Iterator[Place]:
    """Yield each line that speaks about a release, past, present or to come: an upgrade visits all of them."""
    for file, number, line in _lines(PAGES, root):
        if _RELEASE.search(line):
            yield Place(file, number, line.strip().removeprefix("# "))


def _lines(patterns: tuple[str, ...], root: Path) -> Iterator[tuple[str, int, str]]:
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                yield path.relative_to(root).as_posix(), number, line
