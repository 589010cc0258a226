"""The score of a lesson's predictions: what counts, what is right, where to look again."""

from __future__ import annotations

import re

import pytest

from helpers import checks, course, questions
from helpers.checks import _progress
from helpers.widgets import predict

BELIEFS = """
title = "Beliefs"

[predict.a]
question = "`patience=0` stops at once."
lessons = ["02"]
[[predict.a.answers]]
text = "True"
feedback = "It needs one epoch."
[[predict.a.answers]]
text = "Not true"
right = true
feedback = "It needs one epoch."

[predict.b]
question = "A file holds <everything>."
lessons = ["03", "04"]
[[predict.b.answers]]
text = "True"
right = true
feedback = "It does."
[[predict.b.answers]]
text = "Not true"
feedback = "It does."

[predict.c]
question = "A lesson of its own."
[[predict.c.answers]]
text = "True"
right = true
feedback = "It is."
[[predict.c.answers]]
text = "Not true"
feedback = "It is."
"""


@pytest.fixture(autouse=True)
def lesson90(tmp_path, monkeypatch):
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "90.toml").write_text(BELIEFS, encoding="utf-8")
    monkeypatch.setattr(questions, "FOLDER", folder)
    return folder


def commit(**answers):
    """Commit through the widget, as a learner does: 0 is True, 1 is Not true."""
    for name, index in answers.items():
        predict(f"90.{name}").commit(index)


def test_nothing_committed():
    score = checks.score("90")
    assert (score.committed, score.right, score.again) == ((), 0, {})
    assert "committed to none of the 3" in str(score)
    assert "<table" not in score.to_html()


def test_all_right():
    commit(a=1, b=0, c=0)
    score = checks.score("90")
    assert (len(score.committed), score.right, score.again) == (3, 3, {})
    assert "3 of 3 right. There is nothing" in str(score)
    assert "Look again" not in score.to_html()


def test_wrong_answers_send_back_to_their_lessons():
    commit(a=0, b=1, c=0)
    score = checks.score("90")
    assert score.right == 1
    assert score.again == {"02": (1,), "03": (2,), "04": (2,)}
    assert re.search(r"02  Stop before it gets worse: EarlyStopping, for number 1", str(score))


def test_a_prediction_without_lessons_belongs_to_its_own():
    commit(c=1)
    assert checks.score("90").again == {"90": (3,)}


def test_one_lesson_for_several_numbers(lesson90):
    (lesson90 / "90.toml").write_text(BELIEFS.replace('["03", "04"]', '["02"]'), encoding="utf-8")
    commit(a=0, b=1)
    assert checks.score("90").again == {"02": (1, 2)}
    assert "for numbers 1, 2" in str(checks.score("90"))


def test_what_was_not_committed_is_not_counted():
    commit(b=0)
    said = str(checks.score("90"))
    assert "1 of 1 right. Not committed before the run, and not counted: 1, 3." in said


def test_an_answer_that_is_no_longer_offered_does_not_count():
    _progress.record_prediction("90.a", 0, "Perhaps", True)
    assert checks.score("90").committed == ()


def test_rightness_is_that_of_the_texts_now():
    """What the progress file says about right or wrong may be older than the texts."""
    _progress.record_prediction("90.a", 0, "True", True)
    assert checks.score("90").right == 0


def test_html_names_links_and_signs():
    commit(a=0, b=0)
    page = checks.score("90").to_html()
    assert "✗&ensp;not right" in page
    assert "✓&ensp;right" in page
    assert "&lt;everything&gt;" in page
    assert "<code" in page
    file = next(one.files[0] for one in course.course_map().lessons if one.number == "02")
    assert f'<a href="{file}">' in page


def test_a_lesson_that_is_not_there_yet_is_named_without_a_link(monkeypatch):
    commit(a=0)
    monkeypatch.setattr(course, "course_map", lambda: course.CourseMap(()))
    assert "<a " not in checks.score("90").to_html()


def test_no_lesson_and_no_predictions(lesson90):
    with pytest.raises(ValueError, match="There is no lesson '91'"):
        checks.score("91")
    (lesson90 / "92.toml").write_text('title = "Empty"', encoding="utf-8")
    with pytest.raises(ValueError, match="nothing to score"):
        checks.score("92")


def test_every_belief_of_lesson_07_names_an_earlier_lesson(monkeypatch):
    monkeypatch.setattr(questions, "FOLDER", questions.ROOT / "data" / "lessons")
    beliefs = questions.load("07").predictions.values()
    assert len(beliefs) >= 9
    assert {lesson for one in beliefs for lesson in one.lessons} <= {f"{number:02}" for number in range(1, 7)}
    assert all(one.lessons for one in beliefs)
    assert {answer.text for one in beliefs for answer in one.answers} == {"True", "Not true"}
    assert len({one.right for one in beliefs}) == 2, "beliefs that are all myths are no test"
