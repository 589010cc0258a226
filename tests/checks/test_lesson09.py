from __future__ import annotations

import pytest
from cases import Cases, learner, run

from helpers.checks._core import registered

FLUSH = """
import os, shutil, tempfile
from pathlib import Path

def flush(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
"""
SAVE = """
def answer(path, write):
    temporary = path.with_name("new-" + path.name)
    try:
        write(temporary)
        flush(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)
"""
STEADY = """
class Steady(keras.callbacks.Callback):
    def __init__(self, patience=3):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs=None):
        self.recent, self.best, self.wait = [], float("inf"), 0

    def on_epoch_end(self, epoch, logs=None):
        self.recent.append(logs["val_loss"])
        del self.recent[:-3]
        mean = sum(self.recent) / len(self.recent)
        self.wait += 1
        if mean < self.best:
            self.best, self.wait = mean, 0
        if self.wait >= self.patience:
            self.model.stop_training = True
"""
MEMORY = """
class answer(Steady):
    def get_state(self):
        return {"recent": list(self.recent), "best": self.best, "wait": self.wait}

    def set_state(self, state):
        self.recent = state["recent"]
        self.best, self.wait = state["best"], state["wait"]
"""


def saves(*swaps: tuple[str, str]):
    """Return a maker of the usual answer with pieces replaced."""
    return changed(FLUSH, SAVE, swaps)


def remembers(*swaps: tuple[str, str]):
    return changed(STEADY, MEMORY, swaps)


def changed(before: str, code: str, swaps):
    for old, new in swaps:
        assert old in code, old
        code = code.replace(old, new)
    return learner(before + code)


TRY = SAVE[SAVE.index("    try:") : SAVE.index("    flush(path.parent)")]
WITHOUT_TRY = "    write(temporary)\n    flush(temporary)\n    os.replace(temporary, path)\n"

CASES = (
    Cases(
        "09.1",
        right=(
            saves(),
            saves(('path.with_name("new-" + path.name)', 'Path(tempfile.mktemp(dir=path.parent, suffix=".keras"))')),
            saves(("os.replace(temporary, path)", "temporary.replace(path)"), ("BaseException", "OSError")),
            saves(("flush(temporary)", "os.sync()"), ("flush(path.parent)", "os.sync()")),
            learner("""
                import tempfile
                from os import O_RDONLY, close, fsync, open as open_number, rename

                def answer(path, write):
                    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                        temporary = f"{folder}/{path.name}"
                        write(temporary)
                        with open(temporary, "rb+") as file:
                            fsync(file.fileno())
                        rename(temporary, path)
                    folder = open_number(path.parent, O_RDONLY)
                    fsync(folder)
                    close(folder)
            """),
        ),
        wrong=(
            (learner("answer = lambda path, write: write(path)"), "From that moment the old model is gone"),
            (learner("answer = lambda path: path"), "two arguments, a path and a function that writes"),
            (learner("def answer(path, write):\n    return path.name"), "It never calls `write`"),
            (saves(('"new-" + path.name', 'path.name + ".tmp"')), "has to end as `path` does"),
            (
                saves(('path.with_name("new-" + path.name)', 'Path(tempfile.gettempdir()) / ("new-" + path.name)')),
                "which may be on another disk",
            ),
            (saves(("os.replace(temporary, path)", "pass")), "but under `best.keras` there is the old file"),
            (saves(("os.replace", "shutil.copyfile")), "is left in the folder"),
            (
                saves(("os.replace(temporary, path)", "shutil.copyfile(temporary, path); temporary.unlink()")),
                "can be stopped halfway",
            ),
            (
                saves(("        os.replace", "        path.unlink(missing_ok=True)\n        os.replace")),
                "the line `path.unlink(missing_ok=True)`, it leaves no file",
            ),
            (
                saves(
                    ("        os.r", "        if path.exists(): path.rename(path.with_suffix('.old'))\n        os.r"),
                    ("    flush(path.p", "    path.with_suffix('.old').unlink(missing_ok=True)\n    flush(path.p"),
                ),
                "`if path.exists()",
            ),
            (saves((TRY, WITHOUT_TRY)), "is left. On a full disk"),
            (saves(("        raise\n", "        return\n")), "and nobody heard of it"),
            (saves(("unlink(missing_ok=True)", "unlink()")), "Let the first error through"),
            (
                saves((TRY, "    try:\n        write(temporary)\n    finally:\n        flush(temporary)\n"
                            "        os.replace(temporary, path)\n")),
                "what `write` left went into its place",
            ),
            (saves(("        flush(temporary)\n", "")), "not flushed after it was written"),
            (
                saves(
                    ("        flush(temporary)\n", ""),
                    ("path)\n    except", "path)\n        flush(path)\n    except"),
                ),
                "You flush the file, but too late",
            ),
            (saves(("    flush(path.parent)\n", "")), "Nobody has flushed the folder"),
            (
                saves(
                    ("    flush(path.parent)\n", ""),
                    ("        os.replace", "        flush(path.parent)\n        os.replace"),
                ),
                "It was flushed too early",
            ),
        ),
        raised=((saves(("flush(temporary)", "flash(temporary)")), "flash"),),
    ),
    Cases(
        "09.2",
        right=(
            remembers(),
            remembers(('self.recent = state["recent"]\n        self.best, self.wait = state["best"], state["wait"]',
                       "vars(self).update(state)")),
            remembers(("list(self.recent)", "tuple(self.recent)"), ('state["recent"]', 'list(state["recent"])')),
            learner(STEADY + """
class answer(Steady):
    def get_state(self):
        kept = {name: value for name, value in vars(self).items() if name in ("best", "wait", "patience")}
        return kept | {"recent": np.array(self.recent)}

    def set_state(self, state):
        vars(self).update(state, recent=[float(value) for value in state["recent"]])
"""),
        ),
        wrong=(
            (remembers((', "wait": self.wait', ""), (', self.wait = state["best"], state["wait"]', ' = state["best"]')),
             "`wait` is 0 and was"),
            (remembers(('"recent": list(self.recent), ', ""), ('self.recent = state["recent"]', "pass")),
             "`recent` is [] and was"),
            (remembers(('"best": self.best, ', ""), ('self.best, self.wait = state["best"], ', "self.wait = ")),
             "`best` is inf and was"),
            (remembers(("return {", "state = {")), "`get_state()` returned None"),
            (learner(STEADY + "class answer(Steady):\n    def get_state(self):\n        return {'wait': self.wait}"),
             "no method `set_state` yet"),
            (learner(STEADY + "class answer(Steady):\n    def get_state(self):\n        return dict(vars(self))\n"
                     "    def set_state(self, state):\n        vars(self).update(state)"),
             "`ResumeState` cannot keep what"),
            (learner(STEADY.replace("[:-3]", "[:-2]") + MEMORY), "Never killed, it stops after epoch"),
            (changed(STEADY, MEMORY + "answer = answer()", ()), "Give the class itself"),
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)


def test_the_lesson_has_these_exercises():
    assert {"09.1", "09.2"} <= set(registered("09"))
