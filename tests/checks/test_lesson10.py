"""Lesson 10's checks read reports: recorded ones of the references, and these with some facts changed."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
from cases import Cases, run

from helpers import arena, checks

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from capstone import recorded_report

NAN = "The model in `best.keras` answers NaN: it was saved after the broken batch."
HALF = "`best.keras` cannot be loaded (BadZipFile): a kill may have left half a file."


def made(reference: str, *, killed: dict | None = None, broken: dict | None = None, some: dict | None = None):
    """Return a maker of a recorded report with other facts about its trainings; `some` are those of two of them."""

    def make() -> arena.Report:
        report = recorded_report(reference)
        seeds = []
        for place, seed in enumerate(report.seeds):
            facts = (broken if seed.broken else killed) or {}
            seeds.append(dataclasses.replace(seed, **facts, **(some or {} if place < 2 else {})))
        return dataclasses.replace(report, seeds=tuple(seeds))

    return make


CASES = (
    Cases(
        "10.1",
        right=(made("first"), made("second"), made("third"), made("first", killed={"resumed": 0.9})),
        wrong=(
            (made("baseline"), "NaN is never better than the best"),
            (made("first", broken={"quality": None, "why": NAN}), "which argument saves only what is better"),
            (made("first", killed={"epochs": 46.0}), "The files are good ones, but no training ended in time"),
            (made("first", killed={"epochs": 46.0, "quality": 0.6}), "No training ended in time"),
            (made("first", killed={"quality": 0.6, "epochs": 12.0, "killed_at": 6.0, "resumed": 0.0}), "`patience`"),
            (made("first", killed={"quality": 0.6}), "Which argument keeps the best"),
            (made("first", killed={"kept_last": True}), "Which argument keeps the best"),
            (made("first", some={"quality": None, "why": HALF}), "2 of 4 killed trainings left no model"),
            (made("first", some={"trouble": "`on_epoch_end` raised KeyError: x"}), "raised KeyError"),
            (lambda: recorded_report("first").score, "got float"),
            (lambda: dataclasses.replace(recorded_report("first"), seeds=()), "the usual rules"),
        ),
    ),
    Cases(
        "10.2",
        right=(made("second"), made("third")),
        wrong=(
            (made("first"), "After each kill training began anew"),
            (made("baseline"), "After each kill training began anew"),
            (made("second", some={"resumed": 0.0}), "2 of 4 killed trainings began anew"),
            (made("second", killed={"resumed": 0.4}), "60% of the epochs were paid twice"),
            (made("second", some={"quality": None, "why": HALF}), "left no model at the end"),
            (made("second", broken={"quality": None, "why": NAN}), "broken batch left no model"),
            (made("second", killed={"quality": None, "end": 0, "quality_at_kill": 0.7}), "removes the folder"),
        ),
    ),
    Cases(
        "10.3",
        right=(made("third"), made("second", killed={"quality_at_kill": 0.72, "why_at_kill": "", "resumed": 0.9})),
        wrong=(
            (made("third", some={"quality_at_kill": None, "why_at_kill": HALF}), "At 2 of 4 kills no model"),
            (made("third", some={"quality_at_kill": 0.5}), "not yet any good"),
            (made("third", killed={"resumed": 0.0}), "100% of the epochs before the kill were paid twice"),
            (made("third", broken={"quality": None, "why": NAN}), "broken batch left no model"),
        ),
    ),
)


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)


@pytest.mark.parametrize("group", range(5))
def test_chance_does_not_decide(group):
    outcome = {
        (name, exercise): checks.check(exercise, recorded_report(name, group)).status
        for name in ("baseline", "first", "second", "third")
        for exercise in ("10.1", "10.2", "10.3")
    }
    assert [outcome[name, "10.1"] for name in ("baseline", "first", "second", "third")] == ["wrong", *["right"] * 3]
    assert [outcome[name, "10.2"] for name in ("baseline", "first", "second", "third")] == ["wrong"] * 2 + ["right"] * 2
    assert [outcome[name, "10.3"] for name in ("baseline", "first", "third")] == ["wrong", "wrong", "right"]


def test_half_an_aim_earns_half():
    assert float(checks.check("10.1", made("first", killed={"epochs": 46.0})())) == 0.5
    assert float(checks.check("10.2", made("second", some={"resumed": 0.0})())) == 0.5
