"""The course's JupyterLab opens quietly and runs cells; the fixtures that other browser tests rely on work."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_scratch_notebook_runs(lab):
    lab.new_notebook([("markdown", "# Count"), "number = 6 * 7", "print('the answer:', number)"])
    lab.run_all()
    expect(lab.outputs(2)).to_have_text("the answer: 42\n")
    expect(lab.outputs(1)).to_have_count(0)


def test_single_cell_runs_from_the_keyboard(lab):
    lab.new_notebook(["word = 'left'", "word"])
    lab.run_cell(0)
    lab.write_cell(1, "word + ' right'")
    lab.run_cell(1)
    expect(lab.outputs(1)).to_have_text("'left right'")


def test_run_all_names_the_error(lab):
    lab.new_notebook(["1 / 0"])
    with pytest.raises(AssertionError, match="cell 0: ZeroDivisionError: division by zero"):
        lab.run_all()


def test_cells_below_the_screen_are_found(lab):
    lab.new_notebook([f"print({number})\n" + "#\n" * 20 for number in range(40)])
    lab.run_all()
    expect(lab.outputs(39)).to_have_text("39\n")


def test_red_lines_are_found(lab):
    lab.new_notebook(["import sys", "print('careful', file=sys.stderr)"])
    lab.run_all()
    assert lab.red_lines() == ["cell 1: careful\n"]


def test_widget_answers_in_the_browser(lab):
    lab.new_notebook([
        "import ipywidgets\nbutton = ipywidgets.Button(description='Press')\nlabel = ipywidgets.Label('not yet')\n"
        "button.on_click(lambda _: setattr(label, 'value', 'pressed'))\nipywidgets.VBox([button, label])"
    ])  # fmt: skip
    lab.run_all()
    lab.outputs(0, "button").click()
    expect(lab.outputs(0, ".widget-label")).to_have_text("pressed")


def test_kernel_in_the_browser_has_no_network(lab):
    lab.new_notebook(["import socket\nsocket.create_connection(('lab.invalid', 80))"])
    with pytest.raises(AssertionError, match="The network is off while the course is tested"):
        lab.run_all()


def test_no_news_and_no_question_at_the_start(lab):
    lab.new_notebook(["1"])
    lab.page.wait_for_timeout(2_000)  # the question about news comes a moment after the start
    expect(lab.page.locator(".Toastify__toast")).to_have_count(0)
    expect(lab.page.locator(".jp-Dialog")).to_have_count(0)


def test_first_cell_is_quiet(lab):
    pytest.importorskip("helpers.lesson")
    lab.new_notebook(["from helpers import lesson\nlesson.begin('00')\nimport keras", "keras.ops.ones(2) + 1"])
    lab.run_all()
    assert lab.red_lines() == []
    assert [output["output_type"] for output in lab.output_data(1)] == ["execute_result"]
