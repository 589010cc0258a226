"""The arena with short trainings: all answers share one helper process, which imports Keras once."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("cloudpickle", reason="the arena sends functions with cloudpickle")

from helpers import arena, data
from helpers.arena import _client, _run, _score, references
from helpers.checks import _progress

from . import arena_answers

if not arena.Rules().seconds < 100:
    pytest.skip("without forks each of these trainings imports Keras anew", allow_module_level=True)

SHORT = arena.Rules(seeds=(0,), broken=(), epochs=3, kill=None, silence=6, seconds=300)
WITH_KILL = arena.Rules(seeds=(0, 1), broken=(2,), epochs=6, kill=(1, 3), nan=(1, 3), silence=20, seconds=300)


def quiet(done, words):
    pass


@pytest.fixture(scope="module")
def keeper():
    with _client.Keeper() as one:
        yield one


@pytest.fixture(scope="module")
def hostile(keeper):
    """The seed of each hostile answer, and how many processes they left."""
    payloads = [_client.pack(make) for make, _ in arena_answers.ANSWERS.values()]
    facts, processes = keeper.ask(payloads, SHORT, quiet)
    seeds = _run.judged("hostile", facts, processes).seeds
    return dict(zip(arena_answers.ANSWERS, seeds, strict=True)), processes


@pytest.fixture(scope="module")
def short(keeper):
    """The seeds of each reference in short trainings with a kill and a broken batch."""
    payloads = [_client.pack(make) for make in references.REFERENCES]
    facts, _ = keeper.ask(payloads, WITH_KILL, quiet)
    seeds = _run.judged("short", facts).seeds
    size = len(seeds) // len(payloads)
    return {
        make.__name__: seeds[size * number : size * (number + 1)] for number, make in enumerate(references.REFERENCES)
    }


@pytest.mark.parametrize("name", arena_answers.ANSWERS)
def test_each_wrong_answer_gets_its_sentence(hostile, name):
    seed = hostile[0][name]
    wanted = arena_answers.ANSWERS[name][1]
    said = [seed.why] if wanted.startswith("why: ") else [seed.trouble, *seed.saw, *seed.notes]
    assert any(wanted.removeprefix("why: ") in sentence for sentence in said), seed
