from __future__ import annotations

from cases import audit, tables

from helpers import questions
from helpers.checks import _core


def test_each_exercise_has_a_table_texts_and_a_solution():
    lessons = sorted({*questions.lessons(), *_core.lessons()})
    found = audit(lessons, tables())
    assert not found, "\n".join(found)


def test_each_table_belongs_to_an_exercise():
    known = {id for lesson in _core.lessons() for id in _core.registered(lesson)}
    assert set(tables()) <= known
