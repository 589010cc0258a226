"""Run the references over many seeds and write `data/arena.json`, from which the score takes its scales.

python -m helpers.arena.record             record, then print scores and spreads (some ten minutes)
python -m helpers.arena.record --show      print those of the recorded trainings
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from statistics import fmean, stdev

from . import _client, _score
from ._progress_bar import Bar
from ._report import versions
from ._rules import Rules
from ._run import judged
from .references import REFERENCES

__all__ = ["main", "table"]

SEEDS = tuple(range(20))
BROKEN = tuple(range(20, 40))
_LEFT_OUT = {"val_loss": (), "notes": (), "printed": ""}  # no scale needs them


def record() -> None:
    """Run all references and write the file."""
    rules = dataclasses.replace(Rules(), seeds=SEEDS, broken=BROKEN, silence=120, seconds=3600)
    rows = {}
    with _client.Keeper() as keeper:
        for reference in REFERENCES:
            with Bar() as bar:
                facts, _ = keeper.ask([_client.pack(reference)], rules, bar)
            seeds = judged(reference.__name__, facts).seeds
            rows[reference.__name__] = [dataclasses.replace(seed, **_LEFT_OUT).as_dict() for seed in seeds]
            print(f"{reference.__name__}: {len(facts)} trainings", file=sys.stderr)
    text = _score.recorded(rows, rules=rules.as_dict(), versions=dict(versions()))
    _score.RECORDED.write_text(text, encoding="utf-8")
    _score.scales.cache_clear()


def table() -> str:
    """Return for each reference its score on each seed: mean, spread and range, then the mean of each part."""
    scale = _score.scales()
    lines = ["reference   score  spread  least  most  " + "  ".join(_score.MOST)]
    for name, seeds in _score.rows().items():
        points = [_score.seed_points(seed, seeds, scale) for seed in seeds if not seed.broken]
        parts = [f"{_score.total(part, seeds, scale):{len(part)}.1f}" for part in _score.MOST]
        lines.append(
            f"{name:10} {fmean(points):6.1f} {stdev(points):7.1f} {min(points):6.1f} {max(points):5.1f}  "
            + "  ".join(parts)
        )
    return "\n".join(lines)


def main() -> int:
    """Read the command line; record and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print what is recorded; train nothing")
    if not parser.parse_args().show:
        record()
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
