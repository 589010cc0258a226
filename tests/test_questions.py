from __future__ import annotations

import dataclasses
import re

import pytest

from helpers import questions

GOOD = """
title = "Stop in time"

[predict.a]
question = "Which?"
[[predict.a.answers]]
text = "One"
right = false
feedback = "No."
[[predict.a.answers]]
text = "Two"
right = true
feedback = "Yes."

[exercise.1]
title = "Stop"
hints = ["vague", "clear"]
reason = "So."
"""


@pytest.fixture
def write(tmp_path):
    def writes(text: str, name: str = "02"):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return writes


def test_reads_a_lesson(write):
    lesson = questions.load("02", write(GOOD))
    assert (lesson.id, lesson.title) == ("02", "Stop in time")
    prediction = lesson.predictions["02.a"]
    assert prediction.right == 1
    assert [answer.feedback for answer in prediction.answers] == ["No.", "Yes."]
    assert lesson.exercises["02.1"] == questions.Exercise("02.1", "Stop", ("vague", "clear"), "So.")
    with pytest.raises(dataclasses.FrozenInstanceError):
        prediction.question = "other"
    with pytest.raises(TypeError):
        lesson.exercises["02.2"] = None


def test_lesson_without_questions(write):
    lesson = questions.load("00", write('title = "Start"', "00"))
    assert not lesson.predictions
    assert not lesson.exercises


def test_a_changed_file_is_read_again(write):
    folder = write(GOOD)
    assert questions.load("02", folder).title == "Stop in time"
    write(GOOD.replace("Stop in time", "Stop in good time, then"))
    assert questions.load("02", folder).title == "Stop in good time, then"


def test_lists_lessons(write):
    write(GOOD)
    write(GOOD, "08a")
    assert questions.lessons(write("notes", "readme")) == ("02", "08a")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("right = true", "right = false", "[predict.a]: exactly one answer has `right = true`"),
        ("right = false", "right = true", "exactly one answer has `right = true`"),
        ("right = true", "right = 1", "answer 2: `right` is true or false"),
        ('feedback = "Yes."', 'feedback = " "', "answer 2: `feedback` is missing or empty"),
        ('feedback = "No."', "", "answer 1: `feedback` is missing or empty"),
        ('text = "Two"', 'text = "One"', "two answers have the same text"),
        ('hints = ["vague", "clear"]', "hints = []", "[exercise.1]: `hints` is a list of at least one text"),
        ('hints = ["vague", "clear"]', 'hints = "vague"', "`hints` is a list"),
        ('reason = "So."', "", "[exercise.1]: `reason` is missing or empty"),
        ('reason = "So."', 'resaon = "So."', "unknown key resaon; allowed are hints, reason, title"),
        ("[exercise.1]", "[exercise.one]", "an exercise's name is a number"),
        ("predict.a", "predict.A", "a prediction's name is small letters"),
        ('title = "Stop in time"', "", "the file: `title` is missing or empty"),
        ('title = "Stop in time"', 'titel = "Stop in time"', "unknown key titel"),
        ('title = "Stop in time"', "title = ", "02.toml cannot be read"),
    ],
)
def test_each_broken_rule_is_named(write, old, new, sentence):
    assert old in GOOD
    with pytest.raises(ValueError, match=re.escape(sentence)):
        questions.load("02", write(GOOD.replace(old, new)))


def test_one_answer_is_no_question(write):
    one = GOOD[: GOOD.index("[[predict.a.answers]]")] + '[[predict.a.answers]]\ntext="x"\nright=true\nfeedback="y"\n'
    with pytest.raises(ValueError, match="at least two answers"):
        questions.load("02", write(one))


def test_unknown_names_list_what_exists(write, monkeypatch):
    monkeypatch.setattr(questions, "FOLDER", write(GOOD))
    assert questions.prediction("02.a").question == "Which?"
    with pytest.raises(ValueError, match=re.escape("no lesson '03'. Lessons with questions: 02.")):
        questions.load("03")
    with pytest.raises(ValueError, match=re.escape("Lesson 02 has no prediction '02.z'. It has: 02.a.")):
        questions.prediction("02.z")
    with pytest.raises(ValueError, match=re.escape("Lesson 02 has no exercise '02.9'. It has: 02.1.")):
        questions.exercise("02.9")


@pytest.mark.parametrize("id", ["02", "2", "02.", "", None, 2, True, "two.a", "../02.a"])
def test_malformed_ids(id):
    with pytest.raises(ValueError, match="does not name a prediction"):
        questions.prediction(id)


@pytest.mark.parametrize("lesson", ["../02", "2", "", None, 2])
def test_load_takes_no_paths(lesson):
    with pytest.raises(ValueError, match="There is no lesson"):
        questions.load(lesson)


@pytest.mark.parametrize("lesson", questions.lessons())
def test_the_course_s_own_files_keep_the_rules(lesson):
    assert questions.load(lesson).title


def test_a_prediction_may_name_the_lessons_that_teach_its_answer(write):
    text = GOOD.replace('question = "Which?"', 'question = "Which?"\nlessons = ["02", "08a"]')
    assert questions.load("02", write(text)).predictions["02.a"].lessons == ("02", "08a")
    assert questions.load("02", write(GOOD)).predictions["02.a"].lessons == ()


@pytest.mark.parametrize("lessons", ['"02"', "[2]", '["two"]'])
def test_other_lessons_of_a_prediction_are_refused(write, lessons):
    text = GOOD.replace('question = "Which?"', f'question = "Which?"\nlessons = {lessons}')
    with pytest.raises(ValueError, match=r"\[predict.a\]: `lessons` is a list"):
        questions.load("02", write(text))


@pytest.mark.parametrize("id", ["02.1", "2.1", " 02.1 ", 2.1])
def test_an_exercise_is_found_by_what_people_write(id):
    assert questions.exercise(id).id == "02.1"


# How somebody may choose who has read the answers and thought of nothing: the places of the answers that may be right.
HABITS = {
    "the longest": lambda texts: [at for at, text in enumerate(texts) if len(text) == max(map(len, texts))],
    "the shortest": lambda texts: [at for at, text in enumerate(texts) if len(text) == min(map(len, texts))],
    "neither": lambda texts: [at for at, t in enumerate(texts) if min(map(len, texts)) < len(t) < max(map(len, texts))],
    "one with a reason": lambda texts: [at for at, text in enumerate(texts) if REASON.search(text)],
    "one without a reason": lambda texts: [at for at, text in enumerate(texts) if not REASON.search(text)],
    **{letter: lambda texts, at=at: [at] if at < len(texts) else [] for at, letter in enumerate("ABCD")},
}
REASON = re.compile(r": |\b(because|since)\b|, (as|for|so) ")


def lucky(habit, asked) -> float:
    """Return how many questions somebody with this habit answers rightly, on average, less what chance gives."""
    more = 0.0
    for one in asked:
        picked = HABITS[habit]([answer.text for answer in one.answers])
        if picked:
            more += (one.right in picked) / len(picked) - 1 / len(one.answers)
    return more


@pytest.mark.parametrize("habit", HABITS)
def test_no_habit_of_choosing_is_right_more_often_than_chance(habit):
    # In lesson 07 each answer is "True" or "Myth".
    lessons = [questions.load(name) for name in questions.lessons() if name != "07"]
    asked = [one for lesson in lessons for one in lesson.predictions.values()]
    chances = [1 / len(one.answers) for one in asked]
    assert lucky(habit, asked) <= 2 * sum(p * (1 - p) for p in chances) ** 0.5


@pytest.mark.parametrize("habit", ["the longest", "the shortest", "one without a reason", "B"])
def test_a_habit_that_pays_is_noticed(habit):
    texts = {
        "the longest": ("Short", "Longer, and more exact", "Medium one"),
        "the shortest": ("A middling one", "Tiny", "The longest of all"),
        "one without a reason": ("Never: it cannot", "Always", "Often: it can"),
        "B": ("One", "Two", "Six"),
    }
    answers = tuple(questions.Answer(text, text == texts[habit][1], "So.") for text in texts[habit])
    assert lucky(habit, [questions.Prediction("90.a", "Which?", answers)] * 3) == pytest.approx(2)
