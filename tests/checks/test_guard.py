"""The budget of a check, what it puts back, and the cell above: answers that loop, exit, print, patch and fail."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from cases import learner

from helpers import checks, replay
from helpers.checks import _cell, _guard, _place, _progress, scripted
from helpers.checks._core import exercise, right, wrong


@pytest.fixture
def calls(lesson90):
    """Register 90.1, which calls the answer, and 90.2, which plays a training with it."""

    @exercise("90.1")
    def called(answer):
        return right("Good.") if scripted.call(answer, 3) == 3 else wrong("No.", credit=0.25)

    @exercise("90.2")
    def driven(answer):
        scripted.drive(answer, [3, 2, 1, 2, 3])
        return right("It ran.")


def function(body: str):
    return learner(f"def answer(n):\n    {body}\n    return n")()


# -- the budget ------------------------------------------------------------------------------------------------------

ENDLESS = {
    "loop": "while True: n += 1",
    "sleep": "import time; time.sleep(3600)",
    "swallows errors": "while True:\n        try: n += 1\n        except Exception: pass",
    "swallows everything": (
        "import time\n    while True:\n        try:\n            time.sleep(0.01)\n        except:\n            n += 1"
    ),
}


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_a_check_ends(calls, monkeypatch, body):
    monkeypatch.setattr(_guard, "SECONDS", 0.2)
    outcome = checks.check("90.1", function(body))
    assert outcome.status == "raised"
    assert not outcome.broken
    assert outcome.heading.startswith("Ended after")
    assert "of `answer`, with 3" in outcome.message
    assert checks.check("90.1", function("pass")).status == "right"


def test_the_epoch_that_took_too_long_is_named(calls, monkeypatch):
    monkeypatch.setattr(_guard, "SECONDS", 0.3)
    slow = learner("""
        class Slow(Callback):
            def on_epoch_end(self, epoch, logs=None):
                while epoch == 2: pass
        answer = Slow()
    """)()
    assert "in epoch 3 of a training that the check played, at `on_epoch_end`" in checks.check("90.2", slow).message


def test_another_thread_has_a_limit_too(calls, monkeypatch):
    monkeypatch.setattr(_guard, "SECONDS", 0.2)
    found = []
    answer = function("while True: n += 1")
    thread = threading.Thread(target=lambda: found.append(checks.check("90.1", answer)))
    thread.start()
    thread.join(60)
    assert found[0].heading.startswith("Ended after")


def test_a_limit_in_another_thread_leaves_tracing_as_it_was():
    program = """
import sys, threading
from helpers.checks import _guard

def endless():
    try:
        with _guard.limit(0.1):
            while True:
                pass
    except _guard.TimeUp:
        pass

thread = threading.Thread(target=endless)
thread.start()
thread.join()

def one_more(n):
    return n + 1

def trace(frame, event, argument):
    return trace

sys.settrace(trace)
print(one_more(1))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert ended.stdout == "2\n"


@pytest.mark.parametrize(
    ("body", "heading", "words"),
    [
        ("raise KeyboardInterrupt", "Your code raised KeyboardInterrupt.", "stop_training"),
        ("import _thread, time; _thread.interrupt_main(); time.sleep(1)", "Stopped.", "was not judged"),
        ("import sys; sys.exit()", "Your code wanted to end the program.", "stop_training"),
        ("raise SystemExit(3)", "Your code wanted to end the program.", "raise SystemExit(3)"),
        ("raise GeneratorExit", "Your code wanted to end the program.", "In your code, line 2"),
    ],
)
def test_what_would_end_the_kernel_ends_in_a_card(calls, body, heading, words):
    outcome = checks.check("90.1", function(body))
    assert (outcome.status, outcome.heading) == ("raised", heading)
    assert words in outcome.message


def test_prints_are_shown_shortened_whatever_the_outcome(calls):
    many = checks.check("90.1", function("[print('line', k) for k in range(100_000)]; print('x' * 1000)"))
    assert many.status == "right"
    assert many.printed.splitlines()[0] == "line 0"
    assert many.printed.splitlines()[-1] == "... and 99993 more lines"
    wide = checks.check("90.1", function("print('x' * 1000); n = 4")).printed
    assert len(wide) < 250
    assert (
        "to the error stream"
        in checks.check("90.1", function("import sys; print('to the error stream', file=sys.stderr)")).printed
    )


def test_credit_is_a_number_and_is_kept(calls):
    assert float(checks.check("90.1", function("n = 4"))) == 0.25
    assert _progress.read()["exercises"]["90.1"]["credit"] == 0.25
    assert float(checks.check("90.1", function("pass"))) == 1.0
    assert float(checks.check("90.1", function("n = 4"))) == 0.25
    assert _progress.read()["exercises"]["90.1"]["credit"] == 1.0
    assert float(checks.check("90.1", ...)) == 0.0
    with pytest.raises(ValueError, match="from 0 to less than 1"):
        wrong("No.", credit=1.0)


# -- what is put back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "name", "read"),
    [
        ("import keras; keras.config.set_floatx('float64')", "`floatx`", keras.config.floatx),
        ("import keras; keras.config.set_epsilon(0.1)", "epsilon", keras.config.epsilon),
        ("import os; os.chdir('/')", "working folder", os.getcwd),
        ("import os; os.environ['COURSE_X'] = '1'", "os.environ", lambda: os.environ.get("COURSE_X")),
        ("import sys; sys.setrecursionlimit(5000)", "recursion limit", __import__("sys").getrecursionlimit),
        (
            "import keras; keras.callbacks.EarlyStopping.on_epoch_end = None",
            "EarlyStopping.on_epoch_end",
            lambda: keras.callbacks.EarlyStopping.on_epoch_end,
        ),
        ("import keras; keras.ops.less = max", "keras.ops.less", lambda: keras.ops.less),
    ],
)  # fmt: skip
def test_what_an_answer_changes_is_put_back_and_told(calls, body, name, read):
    before = read()
    outcome = checks.check("90.1", function(body))
    assert read() == before
    assert name in " ".join(outcome.notes)
    assert "put back" in str(outcome)


def test_chance_is_as_it_was(calls):
    def draws():
        return random.random(), np.random.rand(), float(keras.random.uniform(()))  # noqa: NPY002

    keras.utils.set_random_seed(1)
    draws()
    want = draws()
    keras.utils.set_random_seed(1)
    draws()
    checks.check("90.1", function("import keras; keras.utils.set_random_seed(7); float(keras.random.uniform(()))"))
    assert draws() == want


def test_what_was_patched_before_the_check_is_found(calls, monkeypatch):
    checks.check("90.1", function("pass"))
    own = replay.early_stopping
    replay.early_stopping = lambda *args, **named: None
    outcome = checks.check("90.1", function("pass"))
    assert replay.early_stopping is own
    assert "`helpers.replay.early_stopping` had been replaced" in outcome.notes[0]


def test_files_under_plain_names_vanish_and_others_are_told(lesson90, tmp_path):
    @exercise("90.1")
    def writes(answer):
        (tmp_path / "mine.txt").write_text("x")
        open("plain.txt", "w").close()
        return right()

    outcome = checks.check("90.1", (tmp_path / "a.keras", 1))
    assert not (tmp_path / "plain.txt").exists()
    assert "wrote `mine.txt`" in outcome.notes[0]
    assert "still there" in outcome.notes[0]


# -- the cell above --------------------------------------------------------------------------------------------------


@pytest.fixture
def shell(monkeypatch, calls):
    """Play IPython: `run(source)` compiles and runs a cell as a shell does, and tells the course of it."""
    space: dict = {"checks": checks}
    stand_in = SimpleNamespace(user_ns=space, execution_count=1, compile=SimpleNamespace())
    monkeypatch.setattr(_cell._cards, "shell", lambda: stand_in)
    monkeypatch.setattr(checks.Outcome, "show", lambda self: space.__setitem__("shown", self))
    monkeypatch.setattr(_cell, "_runs", type(_cell._runs)(maxlen=9))

    def run(source: str, cell: str | None = None):
        info = SimpleNamespace(raw_cell=source, cell_id=cell)
        before = during = None
        _cell._before(info)
        try:
            code = compile(source, "<cell>", "exec")
        except SyntaxError as error:
            before = error
        else:
            try:
                exec(code, space)
            except BaseException as error:
                during = error
        _cell._after(SimpleNamespace(info=info, error_before_exec=before, error_in_exec=during))
        assert "checks.check" not in source or during is None, during
        return space.get("shown")

    return run


CHECK = 'checks.check("90.1", echo)'
GOOD = "# Exercise 90.1\ndef echo(n):\n    return n"
FAILING = {
    "syntax": ("# Exercise 90.1\ndef echo(n)\n    return n", "ends with a colon"),
    "bracket": ("# Exercise 90.1\necho = max(3", "a bracket is opened"),
    "name": ("# Exercise 90.1\necho = lamda", "`lamda` is not known there"),
    "no first line": ("echo = lamda", "`lamda` is not known there"),
    "before the name": ("# Exercise 90.1\n1 / 0\necho = max", "ZeroDivisionError"),
    "stopped": ("# Exercise 90.1\nraise KeyboardInterrupt", "was stopped before it was done"),
}


@pytest.mark.parametrize(("source", "words"), FAILING.values(), ids=FAILING)
def test_a_failed_cell_is_told_before_anything_is_judged(shell, source, words):
    for earlier in ("", GOOD):
        if earlier:
            shell(earlier)
            assert shell(CHECK).status == "right"
        shell(source)
        outcome = shell(CHECK)
        assert (outcome.status, outcome.heading) == ("raised", "The cell above failed.")
        assert words in outcome.message
    shell(GOOD)
    assert shell(CHECK).status == "right"


def test_an_edited_cell_is_known_by_its_id(shell):
    shell(GOOD, "cell-7")
    _cell._homes.cache_clear()
    _cell._homes("90")["90.1"] = "cell-7"
    shell("ech = 1 / 0", "cell-7")
    assert shell(CHECK).heading == "The cell above failed."
    shell("ech = max", "cell-7")
    assert "assigns `ech`. The check looks at `echo`" in shell(CHECK).message
    _cell._homes.cache_clear()


def test_names_that_nothing_binds_are_told_in_words(shell):
    outcome = shell(CHECK)
    assert (outcome.status, outcome.message[:25]) == ("not attempted", "`echo` is not known yet. ")
    shell("# Exercise 90.1\necko = max")
    assert "assigns `ecko`. The check looks at `echo`: use that name." in shell(CHECK).message


def test_other_failing_cells_change_nothing(shell):
    shell(GOOD)
    shell("1 / 0")
    shell("print(echo(1 / 0))")
    assert shell(CHECK).status == "right"
    assert _place.words() == ""


def test_an_answer_in_the_cell_of_its_check_is_judged(shell):
    shell("# Exercise 90.1\necho = nothing_here")
    assert shell(f"echo = lambda n: n\n{CHECK}").status == "right"


def test_a_limit_leaves_no_alarm_behind():
    with _guard.limit(0.3):
        pass
    time.sleep(0.4)
