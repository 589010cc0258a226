"""The explorer in a real JupyterLab, and in pages that have no kernel, no server and no web."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from helpers import explored, replay
from helpers.history import read_runs
from tests import barriers

pytestmark = pytest.mark.browser

VALUES = [round(1 / (1 + epoch) + 0.004 * epoch + 0.03 * (epoch * 7 % 5), 4) for epoch in range(60)]
LOG = {"loss": [1 / (1 + epoch) for epoch in range(60)], "val_loss": VALUES}
EXPLORER = f"log = {LOG}\nfrom helpers import widgets\nexplorer = widgets.PatienceExplorer(log, patience=3)\nexplorer"
LESSON = Path(__file__).parents[2] / "notebooks" / "05_choose_the_numbers.ipynb"


def stops_after(patience: int, values: list[float] = VALUES) -> str:
    record = replay.early_stopping(values, patience=patience)
    assert record.stopped_epoch is not None
    return f"With patience {patience} training stops after epoch {record.stopped_epoch + 1}"


def shows(where, patience: int, values: list[float] = VALUES) -> None:
    """Expect sentence, alt text, both fields and the drawing of one patience."""
    expect(where.locator(".said")).to_contain_text(stops_after(patience, values))
    stop = replay.early_stopping(values, patience=patience).stopped_epoch + 1
    told = re.compile(rf"Stopped after epoch {stop}: .*\(patience {patience}, ")
    expect(where.locator("svg")).to_have_attribute("aria-label", told)
    expect(where.get_by_label("patience", exact=True)).to_have_value(str(patience))
    expect(where.locator("svg text").filter(has_text=re.compile(rf"^stop.*: epoch {stop}$"))).to_have_count(1)


def press(page, key: str, times: int = 1) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def test_patience_moves_while_the_kernel_sleeps(lab):
    lab.new_notebook([EXPLORER, "import time\ntime.sleep(600)"])
    lab.run_cell(0)
    shows(lab.outputs(0), 3)
    lab.run_cell(1, wait=False)
    expect(lab.cell(1).locator(".jp-InputPrompt")).to_have_text("[*]:")
    # JupyterLab would take the arrow keys, and change the cell.
    lab.outputs(0).get_by_label("patience", exact=True).focus()
    press(lab.page, "ArrowRight", 4)
    shows(lab.outputs(0), 7)
    expect(lab.outputs(0).get_by_role("status")).to_contain_text(stops_after(7))
    lab.outputs(0).get_by_label("patience, as a number").fill("15")
    shows(lab.outputs(0), 15)
    # A click into a small picture chooses there.
    box = lab.outputs(0, ".pick").first.bounding_box()
    lab.page.mouse.click(box["x"] + 4, box["y"] + 40)
    expect(lab.outputs(0).get_by_label("patience", exact=True)).to_have_value("0")
    assert lab.cell(1).locator(".jp-InputPrompt").inner_text() == "[*]:"
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    lab.wait_idle()


def test_other_controls_ask_the_kernel(lab):
    lab.new_notebook([EXPLORER, "print(explorer.record.restore_best_weights, explorer.record.baseline, explorer)"])
    lab.run_cell(0)
    root = lab.outputs(0)
    said, baseline = root.locator(".said"), root.get_by_label("baseline")
    root.get_by_label("restore_best_weights").uncheck()
    expect(said).to_contain_text("keeps its last weights")
    expect(root.locator("svg")).to_contain_text("last weights count")
    baseline.fill("0.01")
    lab.page.keyboard.press("Enter")
    stop = replay.early_stopping(VALUES, patience=3, baseline=0.01).stopped_epoch + 1
    expect(said).to_contain_text(f"stops after epoch {stop}")
    # A wrong one is said beside it, and the last picture stays.
    baseline.fill("low")
    lab.page.keyboard.press("Enter")
    expect(root.get_by_role("alert")).to_contain_text("baseline must be a number, or empty for none")
    expect(root.locator("svg").filter(has_text=f"stop, kept: epoch {stop}")).to_be_visible()
    baseline.fill("0.2")
    lab.page.keyboard.press("Enter")
    expect(root.locator("svg path[data-mark=baseline]")).to_have_count(1)
    root.get_by_label("start_from_epoch", exact=True).focus()
    press(lab.page, "ArrowRight", 3)
    expect(root.locator("svg [data-mark=ignored]")).to_be_visible()
    root.get_by_label("min_delta, as a number").fill("0.05")
    expect(root.locator("svg [data-mark=close] path").first).to_be_attached()
    # What is no value of a setting does not stay in its field.
    for label, typed, taken in (("min_delta", "-1", "0.05"), ("start_from_epoch", "", "3"), ("patience", "-3", "3")):
        root.get_by_label(f"{label}, as a number").fill(typed)
        lab.page.keyboard.press("Enter")
        expect(root.get_by_label(f"{label}, as a number")).to_have_value(taken)
    for label, value in (("min_delta, as a number", "0"), ("start_from_epoch, as a number", "0")):
        root.get_by_label(label).fill(value)
    baseline.fill("")
    lab.page.keyboard.press("Enter")
    expect(said).to_contain_text(stops_after(3))
    root.get_by_label("patience", exact=True).focus()
    press(lab.page, "ArrowRight")
    shows(root, 4)
    lab.run_cell(1)
    expect(lab.outputs(1)).to_contain_text("False None PatienceExplorer: Best of all 60 epochs")
    expect(lab.outputs(1)).to_contain_text(stops_after(4))
    assert lab.errors() == []


def test_a_dragged_control_leaves_no_queue_behind(lab, wait_until):
    """Forty steps of `min_delta` while each table takes 0.2 seconds: the last value wins after a few."""
    slow = """
import json, time
work, worked = explorer._replay, []
def slowly():
    worked.append(explorer.min_delta)
    time.sleep(0.2)
    work()
explorer._replay = slowly"""
    lab.new_notebook([EXPLORER, slow, "print(json.dumps([worked, explorer.min_delta]))"])
    lab.run_cell(0)
    lab.run_cell(1)
    lab.outputs(0).get_by_label("min_delta", exact=True).focus()
    press(lab.page, "ArrowRight", 40)
    lab.run_cell(2)
    wait_until(lambda: lab.outputs(2).count() == 1, "the numbers")
    lab.page.wait_for_timeout(1000)
    lab.run_cell(2)
    worked, value = json.loads(lab.outputs(2).inner_text())
    assert worked[-1] == value > 0
    assert value == pytest.approx(40 * worked[0])
    assert len(worked) < 20


def test_zoom_names_focus_and_theme(lab):
    lab.new_notebook(
        [f"log = {LOG}\nfrom helpers import widgets\nwidgets.PatienceExplorer({{'one': log, 'two': log}})"]
    )
    lab.run_cell(0)
    root = lab.outputs(0)
    names = [
        "run", "patience", "patience, as a number", "min_delta", "min_delta, as a number", "start_from_epoch",
        "start_from_epoch, as a number", "baseline", "restore_best_weights", "save_best_only", "Zoom out", "Zoom in",
        "All 60 epochs", "Picture.", "In words, and as a table",
    ]  # fmt: skip
    root.get_by_label("run", exact=True).focus()
    for name in names:
        focused, outlined = lab.page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.ariaLabel || (e.labels && e.labels[0] && e.labels[0].textContent) || e.textContent,
                        s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]; }"""
        )
        assert focused.startswith(name)
        assert outlined, f"no visible focus on {name!r}"
        lab.page.keyboard.press("Tab")

    # It opens on the part that matters; keys, wheel and the button change the part.
    stage = root.get_by_role("group", name="Picture.")
    expect(stage).to_have_attribute("data-view", "1-26")
    stage.focus()
    press(lab.page, "+")
    expect(stage).to_have_attribute("data-view", "6-21")
    press(lab.page, "ArrowRight")
    expect(stage).to_have_attribute("data-view", "9-24")
    expect(root.get_by_role("status")).to_have_text("Epochs 9 to 24 of 60.")
    press(lab.page, "0")
    expect(stage).to_have_attribute("data-view", "1-60")
    box = stage.bounding_box()
    lab.page.mouse.move(box["x"] + 200, box["y"] + 200)
    lab.page.mouse.wheel(0, -100)
    expect(stage).not_to_have_attribute("data-view", "1-60")
    root.get_by_role("button", name="All 60 epochs").click()
    expect(stage).to_have_attribute("data-view", "1-60")
    root.get_by_role("button", name="What matters").click()
    expect(stage).to_have_attribute("data-view", "1-26")

    # What never ran is grey, and the dashes tell its curves apart.
    grey = root.locator("svg [data-mark=ghost]")
    assert len({one.get_attribute("stroke-dasharray") for one in grey.all()}) == grey.count() == len(LOG)

    # The picture has colours of its own in each theme, and all of it stands out.
    papers = set()
    for theme in ("Light", "Dark"):
        lab.theme(theme)
        expect(root.locator(".pex")).to_have_attribute("data-theme", theme.lower())
        papers.add(lab.page.evaluate("() => getComputedStyle(document.querySelector('.pex')).backgroundColor"))
        assert barriers.low(root) == []
    assert len(papers) == 2


@pytest.fixture
def from_disk(page, tmp_path):
    """Open HTML from disk with the network off; returns a function. No script may fail, nothing may be asked for."""
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda r: troubles.append(r.url) if r.url.startswith("http") else None)
    page.context.set_offline(True)

    def show(html: str):
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        page.goto((tmp_path / "page.html").as_uri())
        return page.locator("body")

    yield show
    page.context.set_offline(False)
    assert troubles == []


def test_a_page_from_disk_moves_and_its_words_follow(from_disk, page):
    other = {"loss": LOG["loss"], "val_loss": VALUES[::-1]}
    body = from_disk(explored.page(read_runs({"one": LOG, "other": other}), patience=3))
    shows(body, 3)
    page.get_by_label("patience", exact=True).focus()
    press(page, "ArrowRight", 5)
    shows(body, 8)
    page.get_by_text("In words, and as a table").click()
    stop = replay.early_stopping(VALUES, patience=7).stopped_epoch + 1
    page.get_by_label("patience", exact=True).focus()
    press(page, "ArrowLeft")
    expect(page.locator("details p")).to_contain_text(f"Stopped after epoch {stop}: 7 epochs without a new best")
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name="7", exact=True)).first
    expect(row).to_contain_text(str(stop))
    page.get_by_label("run", exact=True).select_option("other")
    expect(page.locator(".said")).to_contain_text(f"Best of all 60 epochs: epoch {60 - VALUES.index(min(VALUES))} ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(from_disk, page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.emulate_media(color_scheme=scheme)
    from_disk(explored.page(read_runs({"one": LOG, "other": LOG}), settings=explored.Settings(min_delta=0.01)))
    page.get_by_text("In words, and as a table").click()
    found = axe.Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_lesson_05_moves_as_a_page_without_a_kernel(from_disk, page):
    """Export the real lesson up to its explorer; the cells behind it would only take time."""
    notebook = nbformat.read(LESSON, as_version=4)
    places = [place for place, cell in enumerate(notebook.cells) if "widgets.PatienceExplorer(" in cell.source]
    notebook.cells = notebook.cells[: places[0] + 1]
    notebook.cells.append(nbformat.v4.new_code_cell("print('first', *full.history['val_loss'])"))
    NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=False).execute()
    exporter = HTMLExporter(require_js_url="", mathjax_url="", mermaid_js_url="", jquery_url="")
    html, _ = exporter.from_notebook_node(notebook)
    values = [float(word) for word in notebook.cells[-1].outputs[0].text.split()[1:]]
    body = from_disk(html)
    shows(body, 2, values)
    page.get_by_label("patience", exact=True).focus()
    for patience in (3, 4, 5):
        press(page, "ArrowRight")
        shows(body, patience, values)
