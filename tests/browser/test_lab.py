"""The course's JupyterLab opens quietly and runs cells; the fixtures that other browser tests rely on work."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from helpers import questions

pytestmark = pytest.mark.browser

BUTTON = """import ipywidgets
button = ipywidgets.Button(description='Press')
label = ipywidgets.Label('not yet')
button.on_click(lambda _: setattr(label, 'value', 'pressed'))
ipywidgets.VBox([button, label])"""

ASK_THE_NETWORK = """import socket
try:
    socket.create_connection(('lab.invalid', 80))
except OSError as error:
    print(error)"""


def test_scratch_notebook_runs(lab):
    far_below = [f"print({number})\n" + "#\n" * 20 for number in range(20)]
    lab.new_notebook(
        [("markdown", "# Count"), "number = 6 * 7", "print('the answer:', number)", BUTTON, ASK_THE_NETWORK, *far_below]
    )
    lab.run_all()
    expect(lab.outputs(1)).to_have_count(0)
    expect(lab.outputs(2)).to_have_text("the answer: 42\n")
    lab.outputs(3, "button").click()
    expect(lab.outputs(3, ".widget-label")).to_have_text("pressed")
    expect(lab.outputs(4)).to_contain_text("The network is off while the course is tested")
    expect(lab.outputs(24)).to_have_text("19\n")
    assert lab.red_lines() == []
    # The question about news would have come by now.
    expect(lab.page.locator(".Toastify__toast")).to_have_count(0)
    expect(lab.page.locator(".jp-Dialog")).to_have_count(0)


def test_a_widget_that_is_touched_while_a_cell_runs_is_heard_after_it(lab):
    """As trouble 30 says, with the course's own setting: no subshell answers widgets beside a running cell."""
    lab.new_notebook([
        "import ipywidgets, time\nbox = ipywidgets.Checkbox(description='touched')\nbox",
        "print('runs')\nseen = set()\nfor _ in range(40):\n    time.sleep(0.1)\n    seen.add(box.value)\nseen",
        "box.value",
    ])  # fmt: skip
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    assert lab.page.evaluate(f"() => {kernel}.commsOverSubshells") == "disabled"
    lab.run_cell(0)
    lab.run_cell(1, wait=False)
    expect(lab.outputs(1).first).to_have_text("runs\n")
    lab.outputs(0, "input[type=checkbox]").check()
    lab.wait_idle()
    expect(lab.outputs(1).last).to_have_text("{False}")
    lab.run_cell(2)
    expect(lab.outputs(2)).to_have_text("True")


def test_errors_and_red_lines_are_found_and_cells_can_be_rewritten(lab):
    lab.new_notebook(["import sys", "print('careful', file=sys.stderr)", "1 / 0"])
    with pytest.raises(AssertionError, match="cell 2: ZeroDivisionError: division by zero"):
        lab.run_all()
    assert lab.red_lines() == ["cell 1: careful\n"]
    lab.write_cell(2, "def halve(number):\n    return number / 2\n\nhalve(8)")
    lab.run_cell(lab.find("halve"))
    expect(lab.outputs(2)).to_have_text("4.0")
    assert lab.errors() == []


def test_first_cell_is_quiet(lab):
    number = questions.lessons()[0]
    lab.new_notebook([
        f"from helpers import lesson\nlesson.begin('{number}')\nimport keras",
        "keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).predict(keras.ops.ones((1, 2)), verbose=0).shape",
    ])  # fmt: skip
    lab.run_all()
    assert lab.red_lines() == []
    expect(lab.outputs(0)).to_have_count(1)  # the line of lesson.begin
    expect(lab.outputs(0)).to_contain_text(f"Lesson {number}")
    expect(lab.outputs(1)).to_have_text("(1, 1)")
