"""Each question that a lesson asks of its figure is answered by the figure's text twin, as the numbers answer it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
import tomllib
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import plots, replay
from tests.figures import QUESTIONS, Figure, facts, figures

BANK = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["question"]


def same(truth, read) -> bool:
    """Compare a fact with what is written with four digits."""
    if isinstance(truth, (bool, str, set, list)):
        return type(truth)(read) == truth
    return math.isclose(truth, read, rel_tol=6e-4, abs_tol=5e-7)


@pytest.mark.parametrize("question", BANK, ids=lambda q: f"{q['lesson']}.{q['figure']} {q['ask'][:40]}")
def test_the_twin_alone_answers(question):
    figure = figures()[question["lesson"], question["figure"]]
    for fact in question["facts"]:
        truth, read = facts.answer(figure, fact)
        assert same(truth, read), f"{fact}: the numbers say {truth}, the twin {read}"


def test_every_figure_is_asked_about_and_every_fact_is_used():
    assert len(BANK) >= 40
    assert {(q["lesson"], q["figure"]) for q in BANK} == set(figures())
    used = {fact.partition(": ")[0] for question in BANK for fact in question["facts"]}
    assert used == set(facts.FACTS)


def raised(text: str) -> str:
    """Return a text with each number a thousand higher, so that none is another right one."""
    return re.sub(r"\d+(\.\d+)?", lambda number: f"{float(number[0]) + 1000:g}", text)


def altered(figure: Figure) -> list[Figure]:
    """Return a figure twice with other numbers in twin and table: in the second the rows keep their names."""
    tables = [
        [list(map(raised, row)) for row in figure.table],
        [[row[0], *map(raised, row[1:])] for row in figure.table],
    ]
    return [dataclasses.replace(figure, said=raised(figure.said), table=table) for table in tables]


def read_in(figure: Figure, fact: str):
    """Return a fact as a figure's twin and table say it; None where they do not."""
    with contextlib.suppress(facts.Unsaid, ValueError, StopIteration, IndexError, TypeError, KeyError):
        return facts.answer(figure, fact)[1]
    return None


def test_a_twin_that_says_something_else_is_found_out():
    """The reading halves read: where twin and table hold other numbers, each fact is another one."""
    unread = set()
    for question in BANK:
        figure = figures()[question["lesson"], question["figure"]]
        for fact in question["facts"]:
            truth, _ = facts.answer(figure, fact)
            # What is said in words has no number to be wrong.
            if isinstance(truth, (bool, np.bool_, str, set)) or fact in ("crossings", "worse steps"):
                continue
            read = [one for one in (read_in(other, fact) for other in altered(figure)) if one is not None]
            assert not read or not all(same(truth, one) for one in read), fact
            if not read:
                unread.add(fact)
    assert unread <= {"interval holds 0 from"}  # a thousand higher, none holds 0


CURVES = [
    "epochs in the log", "validation begins at", "validation ends at", "train begins at", "train ends at", "best epoch",
    "best value", "crossings", "validation ends above train", "worse steps", "it was stopped", "waited", "kept epoch",
]  # fmt: skip
STOPPED = ["stop epoch", "stop value", "epochs that never ran", "best that never ran", "value that never ran",
           "stopped too early"]  # fmt: skip
WAITS = [
    "epochs in the log",
    "best epoch",
    "best value",
    "it was stopped",
    "waited",
    "wait after each epoch",
    "new bests",
]


@pytest.mark.parametrize("seed", range(25))
def test_twins_of_curves_nobody_chose_tell_the_same_facts(seed):
    chance = np.random.default_rng(seed)
    length, first = int(chance.integers(5, 60)), int(chance.choice([0, 5]))
    noise = chance.choice([0.0, 0.02, 0.3]) * chance.random((2, length))
    down = np.exp(-np.arange(length) / chance.integers(2, 20))
    log = {
        "epoch": list(range(first, first + length)),
        "loss": np.round(down + noise[0], 4).tolist(),
        "val_loss": np.round(down + 0.02 * np.arange(length) * chance.random() + noise[1], 4).tolist(),
    }
    settings = {"patience": int(chance.integers(1, 9)), "restore_best_weights": bool(seed % 2)}
    record = replay.early_stopping(log["val_loss"], epochs=log["epoch"], **settings)
    stopping = {
        **settings, "monitor": "val_loss", "mode": "min", "min_delta": 0.0, "baseline": None, "start_from_epoch": 0,
        "stopped_epoch": record.stopped_epoch or 0, "best_epoch": record.best_epoch, "best": record.best,
        "wait": record.waits[-1],
    }  # fmt: skip
    data = {"history": log, "stopping": stopping, "rest": {}}
    never = record.stopped_epoch is not None and record.stopped_epoch < log["epoch"][-1]
    for draw, asked in (
        (plots.learning_curves, CURVES + STOPPED * never),
        (plots.wait_counter, WAITS + STOPPED * never),
    ):
        drawn = draw(log, stopping=SimpleNamespace(**stopping, best_weights=[]))
        figure = Figure("random", seed, draw.__name__, data, drawn.alt_text, drawn.table)
        for fact in asked:
            truth, read = facts.answer(figure, fact)
            assert same(truth, read), f"{fact}: the numbers say {truth}, the twin {read}: {figure.said}"
