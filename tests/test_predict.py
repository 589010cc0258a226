from __future__ import annotations

import pytest

from helpers import questions, widgets
from helpers.checks import _progress
from helpers.widgets.predict import Prediction

TEXTS = """
title = "A lesson"

[predict.a]
question = "How many epochs does `patience=2` run?"
[[predict.a.answers]]
text = "Two, since `patience` is 2 & more"
feedback = "Patience is counted from the **best** epoch."
[[predict.a.answers]]
text = "Four"
right = true
feedback = "It waits twice."
[[predict.a.answers]]
text = "All <of> them"
feedback = "Then it would not stop."
"""


@pytest.fixture(autouse=True)
def lesson90(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    (tmp_path / "90.toml").write_text(TEXTS)
    monkeypatch.setattr(questions, "FOLDER", tmp_path)
    return tmp_path / "90.toml"


def labels(card: Prediction) -> list[str]:
    return [button.description for button in card._answers]


def stored() -> dict:
    return _progress.read()["predictions"]


def test_unanswered():
    card = widgets.predict("90.a")
    assert labels(card) == ["○ A  Two, since patience is 2 & more", "○ B  Four", "○ C  All <of> them"]
    assert card._commit.description == "Commit…"
    assert (card.chosen, card.committed) == (None, None)
    assert card.children == (card._head, *card._answers, card._commit, card._says)
    assert "It waits twice" not in card._head.value + card._says.value
    assert stored() == {}


def test_choose_then_commit_by_click():
    card = widgets.predict("90.a")
    card._answers[2].click()
    card._answers[0].click()
    assert [label[0] for label in labels(card)] == ["◉", "○", "○"]
    assert [("course-chosen" in button._dom_classes) for button in card._answers] == [True, False, False]
    assert card._commit.description == "Commit to A"
    assert stored() == {}
    card._commit.click()
    assert card.committed == 0
    assert stored()["90.a"]["answer"] == 0
    assert stored()["90.a"]["right"] is False


def test_commit_without_an_answer_asks_for_one():
    card = widgets.predict("90.a")
    card._commit.click()
    assert "Choose an answer first" in card._says.value
    assert card.committed is None
    with pytest.raises(ValueError, match="Choose an answer first"):
        card.commit()


def test_a_wrong_answer_is_explained():
    card = widgets.predict("90.a").commit(0)
    said = card._says.value
    assert "That is not it; B is right." in said
    assert "Patience is counted from the <strong>best</strong> epoch." in said
    assert "It waits twice." in said
    assert "(your answer, not right)" in said
    assert "(right)" in said
    folded = said[said.index("<details") :]
    assert "Then it would not stop." in folded
    assert "Patience" not in folded
    assert all(button.layout.display == "none" for button in card._answers)
    assert card._commit.description == "Committed to A"


def test_the_right_answer():
    said = widgets.predict("90.a").commit(1)._says.value
    assert "That is right." in said
    assert "(your answer, right)" in said
    assert said.count("It waits twice.") == 1
    assert "All &lt;of&gt; them" in said


def test_the_first_commit_counts():
    card = widgets.predict("90.a").commit(0)
    card.commit(1)
    card.choose(1)
    card._commit.click()
    assert card.committed == card.chosen == 0
    other = widgets.predict("90.a")
    assert other.committed == 0
    assert "That is not it" in other._says.value
    assert stored()["90.a"]["answer"] == 0


def test_two_open_cards_agree_on_the_first():
    one, two = widgets.predict("90.a"), widgets.predict("90.a")
    one.commit(1)
    two.commit(0)
    assert two.committed == 1


def test_answers_in_another_order_are_found_again(lesson90):
    widgets.predict("90.a").commit(1)
    blocks = TEXTS.split("[[predict.a.answers]]")
    lesson90.write_text("[[predict.a.answers]]".join([blocks[0], blocks[2], blocks[1], blocks[3]]))
    assert widgets.predict("90.a").committed == 0


def test_a_question_written_anew_is_asked_anew(lesson90):
    widgets.predict("90.a").commit(1)
    lesson90.write_text(TEXTS.replace('"Four"', '"Five, of course"'))
    assert widgets.predict("90.a").committed is None
    assert stored() == {}


@pytest.mark.parametrize("index", [-1, 3, "A", 1.0, True, [0]])
def test_no_such_answer(index):
    card = widgets.predict("90.a")
    for act in (card.commit, card.choose):
        with pytest.raises(ValueError, match="has answers 0 to 2"):
            act(index)


def test_no_such_prediction():
    with pytest.raises(ValueError, match=r"Lesson 90 has no prediction '90\.z'\. It has: 90\.a"):
        widgets.predict("90.z")


def test_static_page_has_the_question_as_text_and_html():
    card = widgets.predict("90.a")
    data = card._repr_mimebundle_()
    assert data["text/plain"].splitlines() == [
        "Prediction 90.a: How many epochs does `patience=2` run?",
        "  A  Two, since `patience` is 2 & more",
        "  B  Four",
        "  C  All <of> them",
    ]
    assert "<li>All &lt;of&gt; them</li>" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "It waits twice" not in data["text/html"] + data["text/plain"]
    data = card.commit(2)._repr_mimebundle_()
    assert data["text/plain"].splitlines()[-3:] == [
        "You said C. That is not it; B is right.",
        "Then it would not stop.",
        "B: It waits twice.",
    ]
    assert "(your answer, not right)" in data["text/html"]


def test_a_damaged_progress_file_is_told_and_the_question_asked(tmp_path):
    (tmp_path / "progress.json").write_text("{")
    card = widgets.predict("90.a")
    assert "`" not in card._says.value
    assert "progress.damaged-1.json" in card._says.value
    assert card.commit(1).committed == 1


def test_the_module_does_not_hide_the_function():
    import helpers.widgets.predict  # noqa: F401

    assert callable(widgets.predict)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        widgets.nothing  # noqa: B018
    assert {"predict", "PatienceExplorer", "LiveTraining"} <= set(dir(widgets))
