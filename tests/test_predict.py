from __future__ import annotations

import json
import re

import pytest

from helpers import _cards, questions, widgets
from helpers.checks import _progress
from helpers.widgets.predict import HERE, Prediction
from helpers.widgets.reveal import Outcome, Sentence

TEXTS = """
title = "A lesson"

[predict.a]
question = "How many epochs does `patience=2` run?"
explain = "Two epochs were *no better*, and the third was not waited for."
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

[predict.b]
question = "And then?"
ask = "In one sentence: why?"
answers = [{text = "Stop", right = true, feedback = "It stops."}, {text = "Go on", feedback = "It would not."}]
"""
VERDICT = re.compile(r"right|It waits twice|Patience is counted|Then it would not|no better|not it")


@pytest.fixture(autouse=True)
def lesson90(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    (tmp_path / "90.toml").write_text(TEXTS)
    monkeypatch.setattr(questions, "FOLDER", tmp_path)
    return tmp_path / "90.toml"


def stored(part: str = "predictions") -> dict:
    return _progress.read()[part]


def shown(card: Prediction) -> str:
    """Return all that a page gets of a question: what the browser is sent, and the text and HTML beside it."""
    sent = {name: getattr(card, name) for name in card.traits(sync=True) if not name.startswith("_")}
    data = card._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    return json.dumps([str(sent), data["text/plain"], data["text/html"]])


# -- the question ----------------------------------------------------------------------------------------------------


def test_unanswered():
    card = widgets.predict("90.a")
    assert [re.sub(r"<[^>]+>", "", answer) for answer in card.answers] == [
        "Two, since patience is 2 &amp; more", "Four", "All &lt;of&gt; them",
    ]  # fmt: skip
    assert (card.chosen, card.committed, card.says) == (None, None, "")
    assert stored() == {}


@pytest.mark.parametrize("index", [None, 0, 1, 2])
def test_nothing_of_the_verdict_is_sent_before_the_run(index):
    card = widgets.predict("90.a")
    if index is not None:
        card.commit(index)
    assert not VERDICT.search(shown(card))


def test_the_button_commits_to_what_was_chosen():
    card = widgets.predict("90.a")
    card.choose(2)
    card.choose(0)
    assert stored() == {}
    card._handle_custom_msg({"commit": 0}, [])
    assert (card.chosen, card.committed) == (0, 0)
    assert "Committed to <strong>A</strong>. Now run the next cell." in card.says
    assert (stored()["90.a"]["answer"], stored()["90.a"]["right"]) == (0, False)


@pytest.mark.parametrize("message", [{"commit": 3}, {"commit": -1}, {"commit": True}, {"commit": "A"}, {}, "commit"])
def test_a_message_that_makes_no_sense_does_nothing(message):
    card = widgets.predict("90.a")
    card._handle_custom_msg(message, [])
    assert card.committed is None
    assert stored() == {}


def test_commit_without_an_answer_asks_for_one():
    with pytest.raises(ValueError, match="Choose an answer first"):
        widgets.predict("90.a").commit()


def test_the_first_commit_counts():
    card = widgets.predict("90.a").commit(0)
    card.commit(1)
    card.choose(1)
    assert card.committed == card.chosen == 0
    assert widgets.predict("90.a").committed == 0
    assert stored()["90.a"]["answer"] == 0


def test_two_open_cards_agree_on_the_first():
    one, two = widgets.predict("90.a"), widgets.predict("90.a")
    one.commit(1)
    two.commit(0)
    assert two.committed == 1


def test_answers_in_another_order_are_found_again(lesson90):
    widgets.predict("90.a").commit(1)
    head, rest = TEXTS.split("[[predict.a.answers]]", 1)
    answers, tail = rest.split("[predict.b]")
    one, two, three = answers.split("[[predict.a.answers]]")
    lesson90.write_text("[[predict.a.answers]]".join([head, two, one, three]) + f"[predict.b]{tail}")
    assert widgets.predict("90.a").committed == 0
    assert widgets.reveal("90.a").committed == 0


def test_a_question_written_anew_is_asked_anew(lesson90):
    widgets.predict("90.a").commit(1)
    lesson90.write_text(TEXTS.replace('"Four"', '"Five, of course"'))
    assert widgets.reveal("90.a").committed is None
    assert widgets.predict("90.a").committed is None
    assert stored() == {}


@pytest.mark.parametrize("index", [-1, 3, "A", 1.0, True, [0]])
def test_no_such_answer(index):
    card = widgets.predict("90.a")
    for act in (card.commit, card.choose):
        with pytest.raises(ValueError, match="has answers 0 to 2"):
            act(index)


@pytest.mark.parametrize("ask", [widgets.predict, widgets.reveal])
def test_no_such_prediction(ask):
    with pytest.raises(ValueError, match=r"Lesson 90 has no prediction '90\.z'\. It has: 90\.a"):
        ask("90.z")


def test_static_page_has_the_question_as_text_and_html():
    card = widgets.predict("90.a")
    data, _ = card._repr_mimebundle_()
    assert data["text/plain"].splitlines() == [
        "Prediction 90.a: How many epochs does `patience=2` run?",
        "  A  Two, since `patience` is 2 & more",
        "  B  Four",
        "  C  All <of> them",
    ]
    assert "<li>All &lt;of&gt; them</li>" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert card.commit(2).text().splitlines()[-1] == "Committed to C."


def test_a_damaged_progress_file_is_told_and_the_question_asked(tmp_path):
    (tmp_path / "progress.json").write_text("{")
    card = widgets.predict("90.a")
    assert "`" not in card.says
    assert "progress.damaged-1.json" in card.says
    assert card.commit(1).committed == 1


# -- the outcome -----------------------------------------------------------------------------------------------------


def test_a_wrong_answer_is_explained():
    widgets.predict("90.a").commit(0)
    outcome = widgets.reveal("90.a")
    assert str(outcome).splitlines() == [
        "Prediction 90.a",
        "You said A, which is not it: “Two, since `patience` is 2 & more”",
        "Patience is counted from the best epoch.",
        "B is right: “Four”",
        "It waits twice.",
        "Two epochs were *no better*, and the third was not waited for.",
    ]
    page = outcome.to_html()
    assert "Patience is counted from the <strong>best</strong> epoch." in page
    assert "<em>no better</em>" in page
    assert "Then it would not stop" not in page
    assert _cards.COLOURS["bad"] in page


def test_the_right_answer():
    widgets.predict("90.a").commit(1)
    page = widgets.reveal("90.a").to_html()
    assert "You said <strong>B</strong>, and that is right: “Four”" in page
    assert page.count("It waits twice.") == 1
    assert _cards.COLOURS["good"] in page


def test_who_did_not_commit_gets_the_explanation():
    page = widgets.reveal("90.a").to_html()
    assert "<strong>B</strong> is right: “Four”" in page
    assert "not waited for" in page
    assert "You" not in page


def test_a_commit_after_the_reveal_is_late(monkeypatch):
    widgets.reveal("90.a")
    card = widgets.predict("90.a").commit(1)
    assert "it is no prediction any more" in card.says
    assert stored()["90.a"]["late"] is True
    assert str(widgets.reveal("90.a")).splitlines()[1] == "After the run you chose B, and that is right: “Four”"
    assert "no prediction any more" in widgets.predict("90.a").says


def test_a_commit_before_the_reveal_stays_a_prediction():
    widgets.predict("90.a").commit(1)
    widgets.reveal("90.a")
    widgets.reveal("90.a")
    assert "late" not in stored()["90.a"]
    assert "Now run the next cell" in widgets.predict("90.a").says


def test_late_answers_are_no_predictions_in_the_counts():
    from helpers import checks

    widgets.predict("90.b").commit(0)
    widgets.reveal("90.a")
    widgets.predict("90.a").commit(1)
    row = checks.progress().lessons[-1]
    assert (row.predicted, row.predicted_right) == (("90.b",), 1)
    assert [one.said for one in checks.score("90").predictions] == [None, "Stop"]


def test_progress_written_before_there_were_reveals_is_read(tmp_path):
    old = {"answer": 1, "text": "Four", "right": True, "committed": "2026-01-01T00:00:00+0000"}
    (tmp_path / "progress.json").write_text(json.dumps({"version": 1, "exercises": {}, "predictions": {"90.a": old}}))
    assert widgets.predict("90.a").committed == 1
    assert "that is right" in str(widgets.reveal("90.a"))
    assert stored()["90.a"] == old


# -- a sentence of one's own -----------------------------------------------------------------------------------------


def test_a_sentence_is_asked_for_kept_and_shown_again():
    widgets.predict("90.b").commit(1)
    card = widgets.reveal("90.b")
    assert isinstance(card, Sentence)
    assert (card.ask, card.asking, card.before.count("<strong>B</strong>")) == ("In one sentence: why?", True, 1)
    card.set_state({"asking": False, "sentence": "It <waited> enough."})
    assert stored("reveals")["90.b"]["sentence"] == "It <waited> enough."
    again = widgets.reveal("90.b")
    assert isinstance(again, Outcome)
    assert "You wrote: It <waited> enough." in str(again)
    assert "It &lt;waited&gt; enough." in again.to_html()
    assert "It stops." in again.to_html()


def test_a_skipped_sentence_leaves_nothing_and_is_asked_for_again():
    card = widgets.reveal("90.b")
    card.set_state({"asking": False, "sentence": ""})
    assert "sentence" not in stored("reveals")["90.b"]
    assert isinstance(widgets.reveal("90.b"), Sentence)


def test_a_sentence_for_another_question_is_not_shown(lesson90):
    widgets.reveal("90.b").sentence = "Because."
    lesson90.write_text(TEXTS.replace("In one sentence: why?", "In one sentence: when?"))
    assert isinstance(widgets.reveal("90.b"), Sentence)


def test_without_a_front_end_the_explanation_is_whole():
    data, _ = widgets.reveal("90.b")._repr_mimebundle_()
    for text in (data["text/plain"], data["text/html"]):
        assert "It stops." in text
        assert "You wrote" not in text


# -- colours ---------------------------------------------------------------------------------------------------------


def test_colours_of_the_widget_are_those_of_the_cards():
    style = (HERE / "predict.css").read_text()
    assert re.findall(r"--course-\w+: (#\w+);", style) == [_cards.COLOURS["note"], _cards.COLOURS["quiet"]]


def test_the_module_does_not_hide_the_function():
    import helpers.widgets.predict
    import helpers.widgets.reveal  # noqa: F401

    assert callable(widgets.predict)
    assert callable(widgets.reveal)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        widgets.nothing  # noqa: B018
    assert {"predict", "reveal", "PatienceExplorer", "LiveTraining"} <= set(dir(widgets))
