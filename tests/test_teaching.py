"""Run sheets and projector pages follow from the sources: what changes there changes here, or the check fails."""

from __future__ import annotations

import html
import re
import shutil
import sys
from pathlib import Path

import pytest

from helpers import questions

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "notebooks"), str(ROOT / "tools")]

import build  # noqa: E402
import minutes  # noqa: E402
import projector  # noqa: E402
import run_sheets  # noqa: E402


@pytest.fixture(scope="module")
def sheets():
    return {one.lesson.number: one for one in run_sheets.sheets()}


@pytest.fixture(scope="module")
def pages(sheets):
    return {number: one.to_markdown() for number, one in sheets.items()}


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """Let the second answer to 02.a be right, in other words, and say why."""
    folder = tmp_path / "lessons"
    shutil.copytree(questions.FOLDER, folder)
    text = (folder / "02.toml").read_text(encoding="utf-8")
    told = text.replace('"After epoch 4"\nright = false', '"After the fourth"\nright = true')
    told = told.replace('"After epoch 6"\nright = true', '"After epoch 6"\nright = false')
    told = told.replace("At the best itself, nobody", "On the summit, nobody")
    assert told.count("right = true") == text.count("right = true")
    (folder / "02.toml").write_text(told, encoding="utf-8")
    monkeypatch.setattr(questions, "FOLDER", folder)


def test_the_sheets_are_in_step(pages):
    kept = {path.stem: path.read_text(encoding="utf-8") for path in run_sheets.FOLDER.iterdir()}
    stale = [number for number in pages.keys() | kept.keys() if pages.get(number) != kept.get(number)]
    assert not stale, "make notebooks writes the run sheets again"


def test_a_changed_prediction_changes_sheet_key_and_projector_page_or_the_check_fails(
    sheets, changed, tmp_path, monkeypatch, capsys
):
    sheet = sheets["02"].to_markdown()
    assert "### 02.a: B\n" in sheet
    assert "| **B** | **right:** After the fourth |" in sheet
    assert "On the summit, nobody" in sheet
    projector.main(["02", "--out", str(tmp_path / "pages")])
    text = (tmp_path / "pages" / "02.html").read_text(encoding="utf-8")
    assert "B is right" in text
    assert text.count("After the fourth") == 2
    assert "On the summit, nobody" in text
    # The command: the sheet of yesterday is refused, written anew, and taken; one of a lesson that is gone goes.
    monkeypatch.setattr(run_sheets, "sheets", lambda: [sheets["02"]])
    monkeypatch.setattr(run_sheets, "FOLDER", tmp_path / "sheets")
    (tmp_path / "sheets").mkdir()
    shutil.copy(ROOT / "docs" / "teaching" / "02.md", tmp_path / "sheets")
    (tmp_path / "sheets" / "99.md").write_text("old")
    assert run_sheets.main(["--check"]) == 1
    assert run_sheets.main([]) == 0
    told = capsys.readouterr().out
    assert told.count("02.md is out of step") == 1
    assert "99.md: removed" in told
    assert run_sheets.main(["--check"]) == 0


def test_the_clock_adds_up_to_what_is_measured(sheets):
    for one in sheets.values():
        spent = sum((section.clock for section in one.sections), minutes.Clock())
        found = minutes.measure(one.lesson.cells)
        assert spent.all == pytest.approx(found.all.minutes)
        assert (one.class_minutes[0] is None) == (found.core is None)


def test_every_prediction_and_exercise_stands_on_one_sheet_with_its_key(pages):
    for lesson in map(questions.load, questions.lessons()):
        for id, one in lesson.predictions.items():
            [page] = [page for page in pages.values() if f"\n### {id}: {'ABCDEFG'[one.right]}\n" in page]
            assert all(" ".join(answer.feedback.split()).replace("|", "\\|") in page for answer in one.answers)
            if one.ask:  # as on the card: before the reason
                asked, reason = (" ".join(text.split()) for text in (one.ask, one.explain))
                assert f"*{asked}* Then the reason:\n\n{reason}" in page
        for id in lesson.exercises:
            [page] = [page for page in pages.values() if f"\n### {id} " in page]
            assert page.split(f"\n### {id} ")[1].split("\n### ")[0].count("\nLikely: ") == 2


def test_what_is_asked_stands_above_its_key(sheets, pages):
    for number, one in sheets.items():
        for id in one.exercises:
            asked = pages[number].split(f"\n### {id} ")[1].split("\nOne answer:")[0]
            assert len(asked.split()) > 15, (id, asked)
    by_hand = pages["02"].split("\n### 02.2 ")[1].split("\nOne answer:")[0]
    assert "Do it by hand" in by_hand
    assert "by_hand = [1.00, 0.80," in by_hand
    assert "epochs_run" not in by_hand
    # Above each question only what belongs to it: not what stands above the one before it in the same section.
    cells = [build.Cell(at, at, at, *one) for at, one in enumerate([
        ("markdown", None, "## Two questions\n\nFirst.\n<!-- claim: x.test_y -->"),
        ("code", "predict", 'widgets.predict("02.a")'), ("markdown", "instructor", "A note."),
        ("code", None, "x = 1"), ("markdown", None, "Second."), ("code", "predict", 'widgets.predict("02.b")'),
    ])]  # fmt: skip
    section = run_sheets.Section("Two questions", 0, cells)
    assert section.above("02.a") == "First."
    assert section.above("02.b") == "```python\nx = 1\n```\n\nSecond."


def test_the_clock_alone_says_how_long_a_section_takes(sheets):
    """A note may spend minutes on a question of its own, but what a section takes is measured."""
    for number, one in sheets.items():
        for section in one.sections:
            for note in section.notes:
                assert not re.search(r"(?i)\A\w+ minutes|minutes up to here|exercise[^.]*: \w+ minutes", note), (
                    number,
                    note,
                )


def test_links_on_the_sheets_lead_somewhere(pages):
    for number, page in pages.items():
        for link in re.findall(r"\]\(([^)#]+)", page):
            assert link.startswith("http") or (run_sheets.FOLDER / link).exists(), (number, link)


def test_the_code_to_read_out_grows_with_the_parts(pages):
    told = {number: re.search(r"\*\*(\d\d[a-z]?: .+?)\*\*\.", page)[1] for number, page in pages.items()}
    assert [told[number] for number in ("02", "03", "03b", "03c")] == [
        "02: 3 of 3, predictions 4 of 4", "03: 2 of 3, predictions 2 of 6", "03: 3 of 3, predictions 4 of 6",
        "03: 3 of 3, predictions 6 of 6",
    ]  # fmt: skip
    assert "Done with the core alone: **02: 1 of 3, predictions 2 of 4**." in pages["02"]
    assert {number for number, page in pages.items() if "count together" in page} == {
        "03", "03b", "03c", "05", "05b", "06", "06b", "06c", "09", "09b",
    }  # fmt: skip


def test_each_question_is_followed_by_its_answer_and_does_not_hold_it(tmp_path):
    asked = {id for name in questions.lessons() for id in questions.load(name).predictions}
    for path in projector.write(tmp_path):
        text = path.read_text(encoding="utf-8")
        # Nothing is fetched: no address in what a browser loads by itself.
        assert not re.search(r"(?:src|href)=|url\((?!#)|@import|fetch\(", text), path.name
        parts = re.findall(r'<section id="(.+?)".*?</section>', text, re.DOTALL)
        questions_here = [id for id in parts if id in asked]
        asked -= set(questions_here)
        for id in questions_here:
            assert parts[parts.index(id) + 1] == f"{id}-answer"
            page = re.search(rf'<section id="{re.escape(id)}".*?</section>', text, re.DOTALL)[0]
            assert "right</" not in page
            assert page.count("<li>") == len(questions.prediction(id).answers)
            assert html.escape(questions.prediction(id).answers[0].feedback.split(".")[0]) not in page
    assert asked == set()


def test_lessons_are_chosen_by_number(tmp_path, capsys):
    assert projector.main(["02", "08a", "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["02.html", "08a.html", "vote.html"]
    sheet = (tmp_path / "vote.html").read_text(encoding="utf-8")
    assert re.findall(r">([A-Z])</text>", sheet) == ["A", "B", "C", "D"]
    assert (
        max(len(one.answers) for name in questions.lessons() for one in questions.load(name).predictions.values()) == 4
    )
    assert projector.main(["99", "--out", str(tmp_path / "none")]) == 1
    assert "There is no lesson 99" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
