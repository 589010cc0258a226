"""The contract with Keras: every statement of the course about Keras, reproduced; `python -m tests.contract --list`.

The claims live in `tests/contract/`, one module a subject. A new Keras release that breaks one fails here, by the
name of the claim, before it misleads a class.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
for _module in ("means", "claims"):
    pytest.register_assert_rewrite(f"contract.{_module}")

from contract import claims, sentences  # noqa: E402 - after the path and the rewriting of assertions

for _module in claims.MODULES:
    pytest.register_assert_rewrite(f"contract.{_module}")

CLAIMS = claims.load()
BY_NAME = {claim.name: claim for claim in CLAIMS}
# Each claim becomes a test of this file, so that its name is what a report shows.
globals().update({claim.name: claim.test for claim in CLAIMS})


@pytest.fixture(autouse=True)
def _the_claim_in_the_report(request, record_property):
    """Write lessons and sentence beside the test's outcome, for the table that `tools/contract.py` prints."""
    if claim := BY_NAME.get(request.function.__name__):
        record_property("lessons", " ".join(claim.lessons))
        record_property("text", claim.text)
        record_property("before", claim.before or "")


def test_each_claim_has_a_name_of_its_own():
    assert [name for name, times in Counter(claim.name for claim in CLAIMS).items() if times > 1] == []


def test_each_test_of_the_contract_is_a_claim():
    named = {claim.name for claim in CLAIMS}
    for module in claims.MODULES:
        found = {name for name in vars(importlib.import_module(f"contract.{module}")) if name.startswith("test_")}
        assert found <= named, f"{module}: {sorted(found - named)} lack @claim(...)"


def test_each_claim_names_lessons_of_the_curriculum():
    assert [claim.name for claim in CLAIMS if not all(claims.is_lesson(lesson) for lesson in claim.lessons)] == []


def test_each_lesson_and_each_pitfall_stands_on_a_claim():
    wanted = {"01", "02", "03", "04", "05", "06", "07", *(f"08.{row}" for row in claims.ROWS)}
    assert wanted - {lesson for claim in CLAIMS for lesson in claim.lessons} == set()


def test_each_sentence_names_claims_that_exist():
    known = {f"{claim.module}.{claim.name}" for claim in CLAIMS}
    named = list(sentences.claim_ids())
    assert len(named) > 50
    assert [str(place) for place in named if place.text not in known] == []


def test_claim_ids_and_words_about_releases_are_found(tmp_path):
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "data" / "lessons").mkdir(parents=True)
    (tmp_path / "notebooks" / "source" / "02_x.py").write_text(
        "# Some prose. <!-- claim: files.test_one files.test_two -->\n# Losses fall from 0.80 to 0.75.\n"
    )
    (tmp_path / "data" / "lessons" / "02.toml").write_text(
        '# claim: own.test_three\nfeedback = "So in Keras 3.0 to 3.6"\nexplain = "A later release will."\n'
    )
    assert [(place.line, place.text) for place in sentences.claim_ids(tmp_path)] == [
        (1, "files.test_one"), (1, "files.test_two"), (1, "own.test_three"),
    ]  # fmt: skip
    assert [(place.file, place.line) for place in sentences.releases(tmp_path)] == [
        ("data/lessons/02.toml", 2), ("data/lessons/02.toml", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("lesson", ["11", "2", "08.0", "08.60", "08.07", "05.1", "08.", ""])
def test_a_claim_about_no_lesson_is_refused(lesson):
    with pytest.raises(ValueError, match="is not a lesson"):
        claims.claim(lesson, text="Something about Keras.")


def test_a_claim_needs_a_lesson_and_a_sentence():
    with pytest.raises(ValueError, match="at least one lesson"):
        claims.claim(text="Something about Keras.")
    with pytest.raises(ValueError, match="needs a sentence"):
        claims.claim("02", text=" ")


def test_the_table_can_be_cut_to_one_lesson():
    table = claims.table(CLAIMS, "08.34")
    assert "float32" in table
    assert "08.34" in table
    assert len(table) < len(claims.table(CLAIMS))
