"""The explorer in a real JupyterLab, and in an exported page that has no kernel at all."""

from __future__ import annotations

import functools
import http.server
import json
import lzma
import re
import threading
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from helpers import replay

pytestmark = pytest.mark.browser

VALUES = [round(1 / (1 + epoch) + 0.004 * epoch + 0.03 * (epoch * 7 % 5), 4) for epoch in range(60)]
LOG = f"log = {{'loss': [1 / (1 + e) for e in range(60)], 'val_loss': {VALUES}}}"
EXPLORER = f"{LOG}\nfrom helpers import widgets\nexplorer = widgets.PatienceExplorer(log, patience=3)\nexplorer"
LESSON = Path(__file__).parents[2] / "notebooks" / "05_choose_the_numbers.ipynb"
VENDOR = Path(__file__).parent / "vendor"
SLIDER = ".noUi-handle[aria-label='patience']"


def stops_after(patience: int, values: list[float] = VALUES) -> str:
    record = replay.early_stopping(values, patience=patience)
    assert record.stopped_epoch is not None
    return f"With patience {patience} training stops after epoch {record.stopped_epoch + 1}"


def shows(outputs, patience: int, values: list[float] = VALUES) -> None:
    """Expect sentence, alt text and drawing of one patience."""
    expect(outputs.locator(".explorer-frame p:visible")).to_contain_text(stops_after(patience, values))
    marked = re.compile(rf"\(patience {patience}, .*Marked is patience {patience}:")
    expect(outputs.locator(".explorer-frame img")).to_have_attribute("alt", marked)
    expect(outputs.locator("svg text").filter(has_text=re.compile(rf"^patience {patience}$"))).to_have_count(1)


def test_patience_moves_while_the_kernel_sleeps(lab):
    lab.new_notebook([EXPLORER, "import time\ntime.sleep(600)"])
    lab.run_cell(0)
    shows(lab.outputs(0), 3)
    lab.run_cell(1, wait=False)
    expect(lab.cell(1).locator(".jp-InputPrompt")).to_have_text("[*]:")
    handle = lab.outputs(0, SLIDER)
    handle.focus()
    for _ in range(4):
        lab.page.keyboard.press("ArrowRight")
    shows(lab.outputs(0), 7)
    # And with the mouse, from one end of the slider to the other.
    track = lab.outputs(0, ".noUi-base").first.bounding_box()
    box = handle.bounding_box()
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    lab.page.mouse.down()
    for part in (0.3, 0.5, 0.25):
        lab.page.mouse.move(track["x"] + part * track["width"], track["y"] + 4)
    lab.page.mouse.up()
    shows(lab.outputs(0), 15)
    assert lab.cell(1).locator(".jp-InputPrompt").inner_text() == "[*]:"
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    lab.wait_idle()


def test_other_controls_redraw_through_the_kernel(lab):
    lab.new_notebook([EXPLORER, "print(explorer.record.restore_best_weights, explorer.record.baseline, explorer)"])
    lab.run_cell(0)
    frame = lab.outputs(0, ".explorer-frame p:visible")
    lab.outputs(0).get_by_label("restore_best_weights").check()
    expect(frame).to_contain_text("are put back")
    lab.outputs(0).get_by_label("baseline").fill("0.01")
    lab.page.keyboard.press("Enter")
    record = replay.early_stopping(VALUES, patience=3, baseline=0.01)
    expect(frame).to_contain_text(f"stops after epoch {record.stopped_epoch + 1}")
    lab.outputs(0).get_by_label("baseline").fill("low")
    lab.page.keyboard.press("Enter")
    expect(lab.outputs(0).get_by_role("alert")).to_contain_text("baseline must be a number, or empty for none")
    lab.outputs(0).get_by_label("baseline").fill("")
    lab.page.keyboard.press("Enter")
    expect(frame).to_contain_text(stops_after(3))
    # Patience still has all its frames, of the new settings.
    lab.outputs(0, SLIDER).focus()
    lab.page.keyboard.press("ArrowRight")
    shows(lab.outputs(0), 4)
    expect(frame).to_contain_text("are put back")
    lab.run_cell(1)
    expect(lab.outputs(1)).to_contain_text("True None PatienceExplorer: Best of all 60 epochs")
    expect(lab.outputs(1)).to_contain_text(stops_after(4))
    assert lab.errors() == []


def test_a_dragged_control_leaves_no_queue_behind(lab, wait_until):
    """Forty steps of `min_delta` while each redraw takes 0.2 seconds: the last value wins after a few redraws."""
    slow = "\n".join(
        [
            "import time",
            "draw, drawn = explorer._draw, []",
            "def slowly(patience):",
            "    drawn.append(explorer.controls['min_delta'].value)",
            "    time.sleep(0.2)",
            "    draw(patience)",
            "explorer._draw = slowly",
        ]
    )
    lab.new_notebook([EXPLORER, slow, "import json\nprint(json.dumps([drawn, explorer.controls['min_delta'].value]))"])
    lab.run_cell(0)
    lab.run_cell(1)
    lab.outputs(0, ".noUi-handle[aria-label='min_delta']").focus()
    for _ in range(40):
        lab.page.keyboard.press("ArrowRight")
    lab.run_cell(2)
    wait_until(lambda: lab.outputs(2).count() == 1, "the numbers")
    lab.page.wait_for_timeout(1000)
    lab.run_cell(2)
    drawn, value = json.loads(lab.outputs(2).inner_text())
    assert drawn[-1] == value > 0
    assert value == pytest.approx(40 * drawn[0])
    assert len(drawn) < 20


def test_every_control_has_a_name_and_a_visible_focus(lab):
    lab.new_notebook([f"{LOG}\nfrom helpers import widgets\nwidgets.PatienceExplorer({{'one': log, 'two': log}})"])
    lab.run_cell(0)
    names = ["run", "patience", "min_delta", "start_from_epoch", "baseline", "restore_best_weights", "save_best_only"]
    lab.outputs(0).get_by_label("run", exact=True).focus()
    reached = []
    for _ in range(2 * len(names)):
        focused = lab.page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.ariaLabel || (e.labels && e.labels[0] && e.labels[0].textContent) || '',
                        s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,
                        e.closest('.patience-explorer') !== null, e.isContentEditable]; }"""
        )
        if not focused[2]:
            break
        if not focused[3]:  # the number beside a slider is a second way to set what the slider's name says
            reached.append(focused[0])
        assert focused[1], f"no visible focus on {focused[0]!r}"
        lab.page.keyboard.press("Tab")
    assert reached == names


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    """Serve a folder on this machine; yields the folder and its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def open_exported(notebook, web, page) -> None:
    """Run a notebook, export it as HTML, and open that where neither a kernel nor the web can be reached."""
    folder, address = web
    (folder / "embed.js").write_bytes(lzma.decompress((VENDOR / "embed.js.xz").read_bytes()))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    html, _ = HTMLExporter(widget_renderer_url=f"{address}/embed.js").from_notebook_node(notebook)
    (folder / "page.html").write_text(html, encoding="utf-8")
    page.goto(f"{address}/page.html", wait_until="commit")


def test_exported_page_moves_without_a_kernel(web, page):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(EXPLORER)])
    open_exported(notebook, web, page)
    shows(page.locator("body"), 3)
    page.locator(SLIDER).focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    shows(page.locator("body"), 8)
    page.keyboard.press("ArrowLeft")
    shows(page.locator("body"), 7)


def test_lesson_05_moves_as_a_page_without_a_kernel(web, page):
    """Export the real lesson up to its explorer; the cells behind it would only take time."""
    notebook = nbformat.read(LESSON, as_version=4)
    places = [place for place, cell in enumerate(notebook.cells) if "widgets.PatienceExplorer(" in cell.source]
    notebook.cells = notebook.cells[: places[0] + 1]
    notebook.cells.append(nbformat.v4.new_code_cell("print('first', *full.history['val_loss'])"))
    open_exported(notebook, web, page)
    values = [float(word) for word in notebook.cells[-1].outputs[0].text.split()[1:]]
    shows(page.locator("body"), 2, values)
    page.locator(SLIDER).focus()
    for patience in (3, 4, 5):
        page.keyboard.press("ArrowRight")
        shows(page.locator("body"), patience, values)
