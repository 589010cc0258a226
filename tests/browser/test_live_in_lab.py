"""`LiveTraining` in a real browser: a person starts, pauses, stops and steers a real fit."""

from __future__ import annotations

import ast
import random
import re

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import expect

from tests import barriers

pytestmark = pytest.mark.browser

# The fit is Keras's own; only the validation loss is written by a callback, so that the right epoch is known however
# fast the machine is: it falls until someone asks for a patience under 100, and stays poor from then on.
PATIENCE = 12
SETUP = """
import os, threading, time
os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")
import numpy as np
from helpers import live, widgets
import keras
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint

class Script(Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.02)
        logs["val_loss"] = 1 / (epoch + 1) if trainer.patience > 100 else 2.0

def build():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model

x = np.zeros((64, 4), "float32")

def threads():
    print(sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("live-")))
"""
TRAINER = """
trainer = live.Trainer(build, x, x[:, :1], epochs=9000, callbacks=[
    Script(), EarlyStopping(patience=300, mode="min", restore_best_weights=True),
    ModelCheckpoint("best.weights.h5", save_weights_only=True, save_best_only=True, mode="min")])
widgets.LiveTraining(trainer)
"""
FAILING = """
failing = live.Trainer(build, x, np.zeros((64, 7, 7), "float32"), epochs=3)
widgets.LiveTraining(failing)
"""
AFTER = "now = trainer.snapshot(); print((now.run, now.state, now.ended_by, now.epochs_run, now.best_epoch)); threads()"
CELL, PROBE = 1, 2
# In the widget, since the page scrolls.
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
# Asked of the widget, not of the picture: each frame puts another <img> in the place of the last.
PLACE = """widget => { const top = node => node.getBoundingClientRect().top;
                      return Math.round(top(widget.querySelector('img')) - top(widget)); }"""

# A control that is not whole inside its row, or a row inside the widget.
CUT = """widget => [...widget.querySelectorAll('.course-field, .course-field *')].filter(node => {
    const [inner, outer] = [node, node.matches('.course-field') ? widget : node.closest('.course-field')]
        .map(one => one.getBoundingClientRect());
    return inner.left < outer.left - 1 || inner.right > outer.right + 1;
}).map(node => node.outerHTML)"""


def button(lab, name, cell=CELL):
    return lab.outputs(cell).get_by_role("button", name=name)


def says(lab, text, cell=CELL, timeout=60_000):
    expect(lab.outputs(cell, "[role=status]")).to_contain_text(text, timeout=timeout)


def picture(lab, cell=CELL):
    return lab.outputs(cell, "img")


def probe(lab):
    """Ask the kernel: the run's state, and the names of the threads that are left."""
    lab.run_cell(PROBE)
    lines = "".join(output["text"] for output in lab.output_data(PROBE)).splitlines()
    return tuple(map(ast.literal_eval, lines))


def wait_for_end(lab, wait_until):
    """Wait until the last picture is drawn."""
    wait_until(lambda: probe(lab)[1] == [], "the end of both threads", timeout=60)


def tracebacks(log: str) -> list[str]:
    """Return the last line of each traceback in the server's log, which holds what its kernels print as well.

    The server is shared by all browser tests of a worker. It tells of each page that was closed while an answer was
    on its way (`WebSocketClosedError`); that is the closed page of another test and no trouble of the widget's.
    """
    ends = re.findall(
        r"^ *Traceback .*\n(?:^ +.*\n|^\n)*^ *(\w[\w.]*(?:Error|Exception|Interrupt|Exit)?\b.*)$", log, re.MULTILINE
    )
    return [end for end in ends if "WebSocketClosedError" not in end and "StreamClosedError" not in end]


def place_of_picture(lab):
    return lab.outputs(CELL).locator(".course-live:has(img)").first.evaluate(PLACE)


def wait_for_idle(lab):
    lab.page.wait_for_function(f"() => {KERNEL}.status === 'idle'", timeout=60_000)


def no_trouble(lab):
    assert lab.errors() == []
    assert tracebacks(lab.server.log.read_text(encoding="utf-8")) == []


def test_a_person_steers_a_fit(lab, wait_until):
    lab.new_notebook([SETUP, TRAINER, AFTER])
    lab.run_all()
    says(lab, "Nothing trains before you press Start.")
    assert probe(lab) == ((0, "ready", None, 0, None), [])

    # In a small window every control is whole.
    usual = lab.page.viewport_size
    for width in (900, 700):
        lab.page.set_viewport_size({**usual, "width": width})
        assert lab.outputs(CELL).locator(".course-live:has(img)").first.evaluate(CUT) == []
    lab.page.set_viewport_size(usual)
    for theme in ("Dark", "Light"):
        lab.theme(theme)
        assert barriers.low(lab.outputs(CELL)) == []

    # By keyboard: each control has a name, takes the focus and keeps it.
    button(lab, "Start").focus()
    lab.page.keyboard.press("Space")
    says(lab, "Training.")
    expect(picture(lab)).to_have_attribute("alt", re.compile(r"loss over \d+ epochs of 9000"), timeout=30_000)
    early = picture(lab).get_attribute("src")
    lab.page.keyboard.press("Tab")
    expect(button(lab, "Pause")).to_be_focused()
    lab.page.keyboard.press("Enter")
    says(lab, "Paused after epoch")
    expect(button(lab, "Resume")).to_be_focused()
    held = probe(lab)
    lab.page.wait_for_timeout(300)
    assert probe(lab) == held
    assert held[0][1] == "paused"
    assert held[1] == ["live-fit", "live-picture"]

    # The slider: what it asks for while the fit is paused is there, and in the field beside it. Both show the focus.
    handle = lab.outputs(CELL).get_by_label("patience", exact=True)
    field = lab.outputs(CELL).get_by_label("patience, as a number")
    handle.focus()
    for _ in range(3):
        lab.page.keyboard.press("ArrowLeft")
    expect(field).to_have_value("297")
    place = place_of_picture(lab)
    for control in (handle, field):
        control.focus()
        assert control.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
    button(lab, "Resume").click()
    says(lab, "Training.")
    wait_until(lambda: picture(lab).get_attribute("src") != early, "a picture that grew")
    expect(lab.outputs(CELL)).to_contain_text("patience went from 300 to 297", timeout=30_000)

    # Lower patience in the middle of the fit: it stops that many epochs after the best. Typed slowly, and its first
    # digit alone, 1, is asked for by nobody.
    field.press("Control+A")
    field.press_sequentially(str(PATIENCE), delay=400)
    field.press("Enter")
    says(lab, f"{PATIENCE} epochs without improvement, patience {PATIENCE}.")
    wait_for_end(lab, wait_until)
    (_, state, reason, ran, best), threads = probe(lab)
    assert (state, reason, threads) == ("done", "early stopping", [])
    assert ran == best + 1 + PATIENCE
    says(lab, f"EarlyStopping stopped the fit after epoch {ran}:")
    says(lab, f"The model holds the weights of epoch {best + 1}, the best.")
    # One epoch later if the key was pressed while the callbacks of an epoch ran. One line with the steps of before
    # where those are not long ago.
    began = rf"(from 297 to {PATIENCE} at the end of epoch|from 300 to {PATIENCE} in epochs \d+ to)"
    change = re.compile(rf"patience went {began} ({best + 2}|{best + 3})\.")
    expect(lab.outputs(CELL)).to_contain_text(change)
    saves = re.compile(rf"saved in {best + 1} epochs, the last in epoch {best + 1}\.")
    expect(picture(lab)).to_have_attribute("alt", saves)

    # The picture stayed where it was, whatever was written.
    assert place_of_picture(lab) == place

    # Restart begins anew, with the patience that was chosen, and Stop ends it.
    field.fill("500")
    field.press("Enter")
    button(lab, "Restart").click()
    says(lab, "Training.")
    button(lab, "Stop").click()
    says(lab, "You stopped the fit")
    wait_for_end(lab, wait_until)
    assert probe(lab)[0][:3] == (2, "done", "stop")
    no_trouble(lab)

    # A kernel that dies takes the run with it, and nothing says that it trains.
    button(lab, "Restart").click()
    says(lab, "Training.")
    lab.write_cell(PROBE, "os.kill(os.getpid(), 9)")
    lab.run_cell(PROBE, wait=False)
    expect(lab.outputs(CELL).get_by_text("The kernel is gone, and the run with it.")).to_be_visible()
    expect(lab.outputs(CELL).get_by_text("Training.")).to_be_hidden()
    # JupyterLab starts another one; ended while it starts, it would leave a traceback in the log that the tests share.
    wait_for_idle(lab)


def test_a_run_ends_with_its_cell_with_an_interrupt_and_with_an_error(lab, wait_until):
    lab.new_notebook([SETUP, TRAINER, AFTER, FAILING, "trainer.join()"])
    lab.run_cell(0)
    for cell in (CELL, 3):
        lab.run_cell(cell)

    # The cell runs again: the old run is over before the new widget is there.
    button(lab, "Start").click()
    says(lab, "Training.")
    lab.run_cell(CELL)
    says(lab, "Nothing trains before you press Start.")
    assert probe(lab) == ((0, "ready", None, 0, None), [])

    # An interrupt of the idle kernel: not of the click's handler, which is still at work when the widget says so.
    button(lab, "Start").click()
    says(lab, "Training.")
    lab.page.wait_for_timeout(300)
    wait_for_idle(lab)
    interrupt = f"() => {KERNEL}.interrupt()"
    lab.page.evaluate(interrupt)
    says(lab, "You stopped the fit")
    wait_for_end(lab, wait_until)
    no_trouble(lab)

    # An interrupt while a cell waits for the run.
    button(lab, "Restart").click()
    says(lab, "Training.")
    lab.run_cell(4, wait=False)
    lab.page.wait_for_timeout(500)
    lab.page.evaluate(interrupt)
    says(lab, "You stopped the fit")
    lab.wait_idle()
    assert [error for error in lab.errors() if "KeyboardInterrupt" not in error] == []
    assert len(lab.errors()) == 1
    wait_for_end(lab, wait_until)

    # A model that cannot be trained.
    button(lab, "Start", 3).click()
    says(lab, "Failed before the end of epoch 1.", 3)
    expect(lab.outputs(3, "[role=alert]")).to_contain_text("Error")
    wait_for_end(lab, wait_until)


def test_a_hundred_random_actions_leave_no_traceback_and_no_thread(lab, wait_until):
    lab.new_notebook([SETUP, TRAINER, AFTER])
    lab.run_all()
    chance = random.Random(11)
    handle = lab.outputs(CELL).get_by_label("patience", exact=True)
    controls = lab.outputs(CELL, "button")
    for _ in range(100):
        if chance.random() < 0.6:
            controls.nth(chance.randrange(3)).click()
        else:
            handle.focus()
            lab.page.keyboard.press(chance.choice(["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"]))
        if chance.random() < 0.1:
            lab.page.wait_for_timeout(300)
    _, threads = probe(lab)
    assert threads.count("live-fit") <= 1
    assert threads.count("live-picture") <= 1
    lab.run_cell(CELL)
    wait_for_end(lab, wait_until)
    assert probe(lab)[0][:2] == (0, "ready")
    no_trouble(lab)
    assert lab.red_lines() == []
