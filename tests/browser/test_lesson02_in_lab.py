"""Lesson 02 as a learner meets it: opened, run, a prediction answered, an exercise solved, the picture found."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
from playwright.sync_api import expect

from helpers import questions
from helpers.checks._core import solution_code
from tests import barriers
from tests.browser import keyboard

pytestmark = pytest.mark.browser

NUMBER = "02"


@pytest.fixture
def builder(pytestconfig):
    spec = importlib.util.spec_from_file_location("builder", pytestconfig.rootpath / "notebooks" / "build.py")
    module = sys.modules["builder"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_learners_way_through_the_lesson(lab, wait_until):
    texts = questions.load(NUMBER)
    (path,) = lab.server.root.glob(f"{NUMBER}_*.ipynb")
    lab.open(path.name)

    # A prediction, by keyboard alone, before anything has run: committing tells nothing.
    name, prediction = next(iter(texts.predictions.items()))
    asked = lab.find(f'widgets.predict("{name}")')
    lab.run_cell(asked)
    radios = lab.outputs(asked, "input[type=radio]")
    expect(radios).to_have_count(len(prediction.answers))
    wrong = next(index for index, answer in enumerate(prediction.answers) if not answer.right)
    radios.first.focus()
    lab.page.keyboard.press("ABCDEFGH"[wrong])
    lab.page.keyboard.press("Enter")
    expect(lab.outputs(asked, "[role=status]")).to_have_text(
        f"Committed to {'ABCDEFGH'[wrong]}. Now run the next cell."
    )

    lab.run_all()
    # One later cell shows the warning that Keras gives without validation data: that is its lesson.
    assert [line for line in lab.red_lines() if "`val_loss` which is not available" not in line] == []

    # After the run: the learner's own sentence first, then what is right and why.
    told = lab.find(f'widgets.reveal("{name}")')
    field = lab.outputs(told, "input[type=text]")
    field.fill("It cannot know.")
    field.press("Enter")
    expect(lab.outputs(told, ".course-card")).to_contain_text("which is not it")
    expect(lab.outputs(told, ".course-card")).to_contain_text("It cannot know.")

    # An exercise: not attempted at first, then a wrong answer, then the answer of the solutions edition, all typed.
    exercise = next(iter(texts.exercises))
    cell = lab.find(f"# Exercise {exercise}\n")
    expect(lab.outputs(cell + 1)).to_contain_text("Not attempted yet.")
    for answer, said in (("three_wishes = EarlyStopping()", "Not yet."), (solution_code(exercise), "Right.")):
        lab.write_cell(cell, f"# Exercise {exercise}\n{answer}")
        lab.run_cell(cell)
        lab.run_cell(cell + 1)
        expect(lab.outputs(cell + 1)).to_contain_text(said)
    wait_until(lambda: exercise in lab.server.progress.read_text(), "the exercise to be written down as solved")

    # Every picture has words and can be seen; at least one of them tells where the training stopped.
    pictures = lab.page.locator(".jp-OutputArea-output img")
    alts = [picture.get_attribute("alt") for picture in pictures.all()]
    assert all(alts)
    assert any(re.search(r"stopped|stops|the stop", alt) for alt in alts), alts
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("image => image.complete && image.naturalWidth") > 300
        assert picture.bounding_box()["width"] > 300

    # By the keys alone into another prediction and into a picture's table, and out: all has a name and shows the focus.
    walk = keyboard.Walk(lab)
    for text in (f'widgets.predict("{list(texts.predictions)[1]}")', f'widgets.reveal("{name}")'):
        index = lab.find(text)
        walk.stand_on(index + 1)
        walk.visit(index)
    assert {"Commit", "The picture as a table"} <= {stop.name for stop in walk.stops.values()}
    assert walk.faults == []

    # In both themes all that is shown stands out, and on a dark page pictures are dark.
    inverted = "image => getComputedStyle(image).filter.includes('invert')"
    for theme in ("Light", "Dark"):
        lab.theme(theme)
        assert {picture.evaluate(inverted) for picture in pictures.all()} == {theme == "Dark"}
        assert barriers.low(lab.page.locator(".jp-OutputArea-output")) == []


def test_builder_tells_work_from_a_mere_save(lab, builder):
    (path,) = lab.server.root.glob(f"{NUMBER}_*.ipynb")
    built = path.read_text()
    lab.open(path.name)
    file = lab.save()
    assert not builder.holds_work(file.read_text(), built)
    lab.run_cell(lab.find("lesson.begin("))
    assert builder.holds_work(lab.save().read_text(), built)
