"""The measure of a lesson's minutes: what is counted, and that it tells what readers told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "notebooks"))

import lesson_rules  # noqa: E402

build, minutes = lesson_rules.builder, lesson_rules.minutes

# What lessons 00 to 06 held when readers took them cold (commit f070193; words, code, cells, figures, predictions,
# sentences, exercises, written), and the minutes they judged: 03 and 05 without and with their optional parts, 04
# without its optional exercise, 06 without its workbench.
JUDGED = {
    "00": ((1019, 39, 10, 1, 1, 0, 0, 0), 12),
    "01": ((1667, 120, 27, 3, 4, 0, 3, 11), 35),
    "02": ((1607, 82, 27, 3, 4, 0, 3, 7), 35),
    "03": ((1558, 131, 29, 1, 4, 0, 3, 20), 40),
    "03, all": ((1941, 159, 32, 1, 4, 0, 3, 20), 50),
    "04": ((1513, 112, 24, 2, 3, 0, 2, 8), 25),
    "05": ((2073, 193, 35, 4, 4, 0, 2, 12), 45),
    "05, all": ((2561, 250, 44, 6, 4, 0, 3, 17), 60),
    "06": ((2203, 292, 38, 1, 4, 0, 2, 24), 70),
}


@pytest.mark.parametrize("name", JUDGED)
def test_the_measure_is_within_a_fifth_of_what_readers_took(name):
    counts, judged = JUDGED[name]
    assert minutes.within(judged, minutes.Load(*counts).minutes)


def cells(text: str, tmp_path: Path):
    return build.split_cells(tmp_path / "02_x.py", text.splitlines(), [])


def test_everything_a_learner_meets_is_counted_once(tmp_path, monkeypatch):
    toml = """title = "Wait"
[predict.a]
question = "one two three"
ask = "four"
explain = "five six"
answers = [{text = "seven", right = true, feedback = "eight nine"}, {text = "ten", feedback = "not counted"}]
[exercise.1]
title = "not counted"
hints = ["eleven twelve", "not counted"]
reason = "thirteen"
"""
    (tmp_path / "02.toml").write_text(toml)
    monkeypatch.setattr(minutes.questions, "FOLDER", tmp_path)
    source = """# %% [markdown]
# # One two [three](04.ipynb) <!-- claim: not.counted -->
# %% tags=["setup"]
setup = "is run, not read"
# %% tags=["predict"]
widgets.predict("02.a")
# %%
a = 1

style.show(a)
widgets.reveal("02.a")
# %% tags=["solution"]
assert "no part of the learner's edition"
# %% [markdown] tags=["instructor"]
# Nor this.
# %% tags=["exercise"]
# Exercise 02.1
given = 2
answer = ...
# solution
given = 2
answer = 3
# %%
checks.check("02.1", answer)
# %% [markdown]
# ## The core ends here
# %%
beyond = 1
"""
    found = minutes.measure(cells(source, tmp_path))
    core = minutes.Load(
        words=3 + 10 + 3, code=3 + 3, cells=5, figures=1, predictions=1, sentences=1, exercises=1, written=1
    )
    assert found.core == core
    assert found.all == core + minutes.Load(words=4, code=1, cells=1)
    assert found.legs == (found.all,)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("**Minutes:** 34", minutes.Stated(34)),
        ("**Minutes:** 17 for the core, 34 in all", minutes.Stated(34, 17)),
        ("**Minutes:** a while", None),
        ("**Minutes:** 17 for the core", None),
    ],
)
def test_both_forms_of_the_line_are_read(tmp_path, line, expected):
    assert minutes.stated(cells(f"# %% [markdown]\n# # Wait\n#\n# {line}\n", tmp_path)) == expected


def test_one_trouble_is_the_mean_of_the_numbered_parts(tmp_path):
    titles = ("Search", "1. One two three", "12. One", "Where next")
    text = "".join(f"# %% [markdown]\n# ## {title}\n# %%\na = 1\n" for title in titles)
    assert minutes.of_one_trouble(cells(text, tmp_path)) == minutes.Load(words=3, code=1, cells=1)


def test_the_command_prints_a_row_for_each_lesson(capsys):
    minutes.main(["02"])
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split()[:3] == ["lesson", "words", "code"]
    assert {row.split()[0] for row in rows[1:]} == {"02"}
