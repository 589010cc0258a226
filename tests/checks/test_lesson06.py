from __future__ import annotations

import itertools
import json
import threading
import time
import warnings

import keras
import pytest
from cases import Cases, learner, run
from keras.callbacks import Callback, EarlyStopping

from helpers import checks, questions
from helpers.checks import _core
from helpers.checks.lesson06 import bold_driver, prechelt, two_metrics
from helpers.checks.lesson06.clock import FakeClock

NOTEBOOKS = sorted((questions.ROOT / "notebooks" / "solutions").glob("06*.ipynb"))
SOLUTIONS = {number: _core.solution_code(f"06.{number}") for number in range(1, 8)}


def given() -> dict:
    """Return what the lesson gives before the exercises: Monitor, and Saver."""
    scope = {"keras": keras, "Callback": Callback, "__name__": "__main__"}
    cells = [cell for one in NOTEBOOKS for cell in json.loads(one.read_text(encoding="utf-8"))["cells"]]
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and any(f"class {name}(" in source for name in ("Monitor", "Saver")):
            exec(source, scope)
        if "def direction(" in source:
            exec(source[: source.index("\noutput = ")], scope)
    return {name: scope[name] for name in ("Monitor", "Saver", "direction")}


GIVEN = given()


def changed(number: int, name: str, *changes: tuple[str, str], before: str = ""):
    """Return a maker of the solution with some of its text replaced, each of which must be there."""
    code = SOLUTIONS[number]
    for old, new in changes:
        assert old in code, f"{old!r} is not in the solution of 06.{number}"
        code = code.replace(old, new)
    return learner(f"import time\n{before}\n{code}", name, **GIVEN)


def stopper(*changes):
    return changed(1, "MyEarlyStopping", *changes)


def saver(*changes):
    return changed(2, "MyModelCheckpoint", *changes)


def both(*changes):
    return changed(3, "StopWhenBoth", *changes)


def budget(*changes, before=""):
    return changed(4, "TimeBudget", *changes, before=before)


def driver(*changes):
    return changed(5, "BoldDriver", *changes)


def alert(*changes, before=""):
    return changed(6, "BatchAlert", *changes, before=before)


def rule(*changes):
    return changed(7, "Prechelt", *changes)


READ = "time.perf_counter()"
CALL = 'self.alert(f"Batch {batch + 1} took {seconds:.1f} seconds.")'
BETTER = "self.better(value, self.best)"
PLAIN = """(self.best is None or (
            value + self.min_delta < self.best if self.monitor_op is keras.ops.less
            else value - self.min_delta > self.best))"""
AFRESH = "def on_train_begin(self, logs=None):"
ONCE = AFRESH + "\n        if hasattr(self, 'run_before'): return\n        self.run_before = True"
FLAG = "self.model.stop_training = True"
TAKES_BACK = ("        if ", "        self.model.stop_training = False\n        if ")

MINE = """
    class MyEarlyStopping(Callback):
        def __init__(self, monitor="val_loss", min_delta=0, patience=0, mode="auto", baseline=None,
                     restore_best_weights=False, start_from_epoch=0):
            super().__init__()
            self.name, self.limit, self.goal, self.first = monitor, patience, baseline, start_from_epoch
            self.back, self.delta, self.up = restore_best_weights, abs(min_delta), mode == "max"

        def on_train_begin(self, logs=None):
            self.best, self.kept = None, None
            self.best_epoch, self.wait, self.stopped_epoch = 0, 0, 0

        def beats(self, value, other):
            if other is None:
                return True
            if self.up:
                return np.float32(value - self.delta) > np.float32(other)
            return np.float32(value + self.delta) < np.float32(other)

        def on_epoch_end(self, epoch, logs=None):
            if logs.get(self.name) is not None and epoch >= self.first:
                value = logs[self.name]
                self.wait += 1
                if not self.beats(value, self.best):
                    if epoch and self.wait >= self.limit:
                        self.stopped_epoch = epoch
                        self.model.stop_training = True
                    return
                self.best, self.best_epoch = value, epoch
                self.kept = self.model.get_weights()
                if self.beats(value, self.goal):
                    self.wait = 0

        def on_train_end(self, logs=None):
            if self.back and self.kept:
                self.model.set_weights(self.kept)
"""

MY_RULE = """
    class MyModelCheckpoint(Saver):
        def should_save(self, logs):
            if not self.save_best_only or logs.get(self.monitor) is None:
                return True
            self.value(logs)
            new = logs[self.monitor]
            if self.best is not None and not self.monitor_op(new, self.best):
                return False
            self.best = new
            return True
"""

TWO_COUNTERS = """
    class StopWhenBoth(keras.callbacks.Callback):
        def __init__(self, patience):
            keras.callbacks.Callback.__init__(self)
            self.patience = patience

        def on_train_begin(self, logs=None):
            self.best = {}
            self.since = {"val_loss": 0, "val_accuracy": 0}

        def on_epoch_end(self, epoch, logs=None):
            logs = logs or {}
            for name, sign in (("val_loss", -1), ("val_accuracy", 1)):
                if logs.get(name) is None:
                    return
                value = sign * logs[name]
                self.since[name] += 1
                if value == value and (name not in self.best or value > self.best[name]):
                    self.best[name], self.since[name] = value, 0
            self.model.stop_training |= min(self.since.values()) >= self.patience
"""

CLOCKED = """
    from time import monotonic

    class TimeBudget(Callback):
        def __init__(self, seconds, clock=monotonic):
            super().__init__()
            self.allowed, self.clock = seconds, clock

        def on_train_begin(self, logs=None):
            self.end = self.clock() + self.allowed

        def on_batch_end(self, batch, logs=None):
            if not self.clock() < self.end:
                self.model.stop_training = True
"""

NANOSECONDS = """
    import time as clocks

    class BatchAlert(Callback):
        now = clocks.time_ns

        def __init__(self, limit, alert):
            super().__init__()
            self.limit, self.alert = limit * 1e9, alert
            self.left = 1

        def on_train_begin(self, logs=None):
            self.left = 1

        def on_train_batch_begin(self, batch, logs=None):
            self.began = type(self).now()

        def on_train_batch_end(self, batch, logs=None):
            if self.left and type(self).now() - self.began > self.limit:
                self.left -= 1
                self.alert("slow")
"""

SUMMED = """
    import time

    class TimeBudget(Callback):
        def __init__(self, seconds):
            super().__init__()
            self.seconds = seconds

        def on_train_begin(self, logs=None):
            self.spent = 0

        def on_train_batch_begin(self, batch, logs=None):
            self.start = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            self.spent += time.perf_counter() - self.start
            if self.spent >= self.seconds:
                self.model.stop_training = True
"""

RATES = """
    class BoldDriver(Callback):
        def on_train_begin(self, logs=None):
            self.losses = []

        def on_epoch_end(self, epoch, logs=None):
            self.losses.append(logs["loss"])
            if len(self.losses) < 2:
                return
            rate = self.model.optimizer.learning_rate
            if self.losses[-1] < self.losses[-2]:
                rate.assign(rate * 1.05)
            else:
                rate.assign(rate * 0.5)
"""

STRIPS = """
    class Prechelt(Callback):
        def __init__(self, alpha, strip=None):
            super().__init__()
            self.alpha, self.strip = alpha, strip

        def on_train_begin(self, logs=None):
            self.history = []

        def on_epoch_end(self, epoch, logs=None):
            self.history.append((logs["loss"], logs["val_loss"]))
            lowest = np.nanmin([value for _, value in self.history])
            loss = 100 * (logs["val_loss"] / lowest - 1)
            limit = self.alpha
            if self.strip is not None:
                if len(self.history) % self.strip:
                    return
                last = [value for value, _ in self.history[-self.strip:]]
                limit = self.alpha * 1000 * (sum(last) / (self.strip * min(last)) - 1)
            if loss > limit:
                self.model.stop_training = True
"""

# For the bold driver: what to keep of an epoch whose loss is NaN.
REMEMBER = '        self.before = logs["loss"] if logs["loss"] == logs["loss"] else {}'

CASES = (
    Cases(
        "06.1",
        right=(stopper(), learner(MINE, "MyEarlyStopping")),
        wrong=(
            (stopper(("self.wait >= self", "self.wait > self")), "did you write `>`?"),
            (stopper((BETTER, f"self.best is not None and {BETTER}")), "The first value has"),
            (stopper((AFRESH, ONCE)), "is everything set afresh in `on_train_begin`?"),
            (stopper((BETTER, f"(value == value and {BETTER})")), "Every comparison with NaN is false"),
            (stopper((BETTER, f"({BETTER} or value == self.best)")), "An equal value is no improvement"),
            (stopper((BETTER, PLAIN)), "Keras compares in float32"),
            (
                stopper(("if self.best_weights is not", "if self.stopped_epoch and self.best_weights is not")),
                "epochs run out",
            ),
            (stopper(("if self.restore_best_weights", "if True")), "in both hooks"),
            (stopper(("self.baseline is None or", "True or")), "misses the baseline may still"),
            (stopper((" or epoch < self.start_from_epoch", "")), "before `start_from_epoch` nothing"),
        ),
        raised=((stopper(("value = self.value(logs)", "value = logs[self.monitor]")), "`self.value(logs)`"),),
    ),
    Cases(
        "06.2",
        right=(saver(), learner(MY_RULE, "MyModelCheckpoint", **GIVEN)),
        wrong=(
            (saver(("            self.best = value\n", "            pass\n")), "and only then, it becomes"),
            (saver((BETTER, f"{BETTER} or value == self.best")), "An equal value"),
            (
                saver(
                    (
                        "if value is None:\n            return True",
                        "if value is None:\n            return not self.save_best_only",
                    )
                ),
                "to be on the safe side",
            ),
            (
                saver(
                    (
                        "    def should_save",
                        "    def on_train_begin(self, logs=None):\n        self.best = None\n\n    def should_save",
                    )
                ),
                "`best` was lost",
            ),
            (
                saver(
                    (
                        "    def should_save",
                        "    def on_train_begin(self, logs=None):\n"
                        "        self.best = self.first = getattr(self, 'first', self.best)\n\n"
                        "    def should_save",
                    )
                ),
                "Unlike `EarlyStopping`",
            ),
            (saver((BETTER, PLAIN)), "float32, in which"),
            (saver((BETTER, "self.best is None or value < self.best")), "`mode='max', save_best_only=True`"),
            (saver((" if self.save_best_only else None", "")), "there is no rule: every epoch"),
        ),
        raised=((saver(("should_save(self, logs)", "should_save(self)")), "arguments"),),
    ),
    Cases(
        "06.3",
        right=(both(), learner(TWO_COUNTERS, "StopWhenBoth")),
        wrong=(
            (both((">= self.patience", "> self.patience")), "It stops one epoch late"),
            (
                both(("self.patience = patience\n\n    " + AFRESH, "self.patience = patience")),
                "the bests of the first are still there",
            ),
            (both((" < self.lowest or", " < self.lowest and")), "only if both improve at once"),
            (both(('logs["val_accuracy"] > self.highest', "False")), "Only `val_loss` counts"),
            (both(('logs["val_loss"] < self.lowest', "False")), "Only `val_accuracy` counts"),
            (both(("< self.lowest", "<= self.lowest"), ("> self.highest", ">= self.highest")), "A tie is nothing new"),
            (both(('min(self.lowest, logs["val_loss"])', 'min(logs["val_loss"], self.lowest)')), "NaN in the middle"),
            (
                both(
                    ('min(self.lowest, logs["val_loss"])', 'logs["val_loss"]'),
                    ('max(self.highest, logs["val_accuracy"])', 'logs["val_accuracy"]'),
                    ('float("inf")', "9e9"),
                ),
                "compares with the epoch before",
            ),
            (
                both(
                    ('self.lowest, self.highest, self.wait = float("inf")', "self.lowest, self.highest, self.wait = 0")
                ),
                "A `val_loss` never counts",
            ),
            (both(('float("-inf"), 0', "0, 0")), "A first `val_accuracy` of 0"),
            (
                both(("        self.lowest = min", "        better = better or epoch == 0\n        self.lowest = min")),
                "The first epoch always counts",
            ),
            (both(("self.wait = 0 if better else self.wait + 1", "self.wait += not better")), "**in a row**"),
            (
                both(("            return\n", '            logs = {"val_loss": 9e9, "val_accuracy": -9e9}\n')),
                "without the two metrics is counted",
            ),
            (
                both(
                    (
                        "if self.wait >= self.patience:\n            self.model.stop_training = True",
                        "self.model.stop_training = self.wait >= self.patience",
                    )
                ),
                "yours took it back",
            ),
            (both((FLAG, "self.stop_training = True")), "If you set that one: can the condition before it ever"),
            (both(("super().__init__()", "pass")), "`callback.model` is an error"),
            (
                both(("        better =", '        logs["val_loss"] = round(logs["val_loss"])\n        better =')),
                "changes `val_loss`",
            ),
            (both(("self.patience = patience", "self.patience = 2")), "With `patience=3` `val_loss`"),
            (both(("on_epoch_end", "on_epoch_stop")), "no hook `on_epoch_stop`"),
        ),
        raised=(
            (lambda: EarlyStopping, "`monitor` should be one name"),
            (both(('float("inf"), float("-inf"), 0', "None, None, 0")), "one side is None"),
            (
                both(
                    ("on_epoch_end(self, epoch, logs=None)", "on_epoch_begin(self, epoch, logs=None)"),
                    ('        if "val_loss" not in logs:\n            return\n', ""),
                ),
                "val_loss",
            ),
        ),
    ),
    Cases(
        "06.4",
        right=(
            budget(),
            budget((READ, "time.monotonic()")),
            budget((READ, "now()"), before="from time import time as now"),
            learner(CLOCKED, "TimeBudget"),
        ),
        wrong=(
            (budget((">= self", "> self")), "It ends one batch too late where the budget is met to"),
            (budget(("on_train_batch_end(self, batch", "on_epoch_end(self, epoch")), "An epoch may last an hour"),
            (budget(("on_train_batch_end", "on_train_batch_begin")), "Look at the end: `on_train_batch_end`."),
            (
                budget(("self.seconds = seconds\n\n    " + AFRESH, "self.seconds = seconds")),
                "The clock starts in `on_train_begin`, not in",
            ),
            (budget((AFRESH, ONCE)), "Start the clock anew in `on_train_begin`, each time."),
            (
                budget(("def on_train_begin(self, logs", "def on_epoch_begin(self, epoch, logs")),
                "It starts once, in `on_train_begin`.",
            ),
            (budget((READ, "time.process_time()")), "`process_time` counts computing only"),
            (budget((READ, "datetime.now().timestamp()"), before="from datetime import datetime"), "move `datetime`"),
            (
                budget(
                    (
                        "if time.perf_counter() - self.start >= self.seconds:\n            " + FLAG,
                        "self.model.stop_training = time.perf_counter() - self.start >= self.seconds",
                    )
                ),
                "yours took it back",
            ),
            (budget(("time.perf_counter() - self.start", READ)), "Both are in seconds."),
            (learner(SUMMED, "TimeBudget"), "Validation takes time as well"),
            (budget(("self.seconds = seconds", "self.seconds = 7")), "Compare with `self.seconds`."),
            (budget((FLAG, "self.stop_training = True")), "The one that `fit` looks at is"),
            (budget(("super().__init__()", "pass")), "`callback.model` is an error"),
            (
                budget(
                    (
                        "    def on_train_batch_end",
                        "    def on_epoch_end(self, epoch, logs=None):\n"
                        '        logs["loss"] = 0\n\n    def on_train_batch_end',
                    )
                ),
                "changes `loss`",
            ),
        ),
        raised=((budget((AFRESH, "def on_fit_begin(self, logs=None):")), "start"),),
    ),
    Cases(
        "06.5",
        right=(driver(), learner(RATES, "BoldDriver")),
        wrong=(
            (driver(("optimizer.learning_rate = ", "optimizer.lr = ")), "It sets `optimizer.lr`"),
            (driver(("self.model.optimizer.learning_rate = ", "self.learning_rate = ")), "The rate never changes"),
            (driver(('logs["loss"] < self.before', 'logs["loss"] <= self.before')), "When the loss stays equal"),
            (
                driver(('1.05 if logs["loss"] < self.before else 0.5', '0.5 if logs["loss"] >= self.before else 1.05')),
                "After a NaN it should brake",
            ),
            (driver(("self.before = None", 'self.before = float("inf")')), "and leave it then"),
            (driver(("self.before = None", "self.before = 0")), "With what was its loss compared?"),
            (driver((AFRESH, ONCE)), "the last of the fit before"),
            (
                driver(
                    ('        self.before = logs["loss"]', '        self.before = min(logs["loss"], self.before or 9)')
                ),
                "looks at the epoch **before**",
            ),
            (driver(('logs["loss"]', 'logs["val_loss"]')), "the road under the wheels"),
            (driver(("1.05", "x"), ("0.5", "1.05"), ("x", "0.5")), "The other way round"),
            (driver(("rate = float(self.model.optimizer.learning_rate)", "rate = 0.1")), "from the first rate again"),
            (driver(("if self.before is not None", "if self.before")), "0 counts as false"),
            (
                driver(('        self.before = logs["loss"]', REMEMBER.format("self.before"))),
                "compares with the epoch before the NaN",
            ),
            (
                driver(('        self.before = logs["loss"]', REMEMBER.format('float("inf")'))),
                "In the epoch after a NaN it speeds up",
            ),
            (
                driver(('        self.before = logs["loss"]', REMEMBER.format("None"))),
                "In the epoch after a NaN it does nothing",
            ),
            (
                driver(
                    ("self.before = None", 'self.before, self.rate = None, getattr(self, "rate", 0.1)'),
                    ("rate = float(self.model.optimizer.learning_rate)", "rate = self.rate"),
                    ("learning_rate = rate * factor", "learning_rate = self.rate = rate * factor"),
                ),
                "yours put its own back",
            ),
            (
                driver(
                    ("    def on_train_begin(self, logs=None):\n        self.before = None\n\n", ""),
                    ("if self.before is not None", "if epoch > 0"),
                    ("class BoldDriver(Callback):", "class BoldDriver(Callback):\n    before = None\n"),
                ),
                "Do not ask for `epoch == 0`",
            ),
            (driver(("0.5", "0.9")), "the rates were [0.1, 0.1, 0.105, 0.0945"),
            (driver(('self.before = logs["loss"]', 'self.before = logs.pop("loss")')), "changes `loss`"),
            (
                driver(("        if self.before", "        self.model.stop_training = False\n        if self.before")),
                "yours took it back",
            ),
            (lambda: keras.callbacks.ReduceLROnPlateau, "Assign to `self.model.optimizer.learning_rate` in"),
        ),
        raised=(
            (driver(("if self.before is not None", "if True")), "one side is None"),
            (driver(("if self.before is not None", "if epoch > 0")), "begins with epoch number 3"),
            (driver(("def on_epoch_end", "def on_epoch_begin")), "loss"),
        ),
    ),
    Cases(
        "06.6",
        right=(alert(), alert((READ, "time.monotonic()")), learner(NANOSECONDS, "BatchAlert")),
        wrong=(
            (alert(("seconds > self", "seconds >= self")), "A batch of exactly the limit is no alert: **more** is"),
            (alert((" and not self.alerted", "")), "Remember in `self.alerted` that it was given."),
            (alert((AFRESH, ONCE)), "Once in **each** fit: set `self.alerted` back in"),
            (
                alert(
                    ("self.start = " + READ, "pass"),
                    ("self.alerted = False", "self.alerted, self.start = False, " + READ),
                    (
                        "        seconds = time.perf_counter() - self.start",
                        "        seconds = time.perf_counter() - self.start\n        self.start = time.perf_counter()",
                    ),
                ),
                "Read the clock in `on_train_batch_begin`.",
            ),
            (
                alert(("on_train_batch_begin(self, batch", "on_epoch_begin(self, epoch")),
                "The time starts anew with each batch:",
            ),
            (alert((READ, "time.process_time()")), "`process_time` counts computing only"),
            (alert((CALL, "print('slow')")), "Two readings of the clock are needed, one in each of"),
            (alert((CALL, "self.alert(seconds)")), "exactly one text"),
            (
                alert(("self.limit, self.alert = limit, alert", "self.limit, self.alert = 2, alert")),
                "Compare with `self.limit`.",
            ),
            (
                alert(
                    ("            self.alerted = True", "            self.alerted = self.model.stop_training = True")
                ),
                "Only call `self.alert`.",
            ),
            (alert(("super().__init__()", "pass")), "`callback.model` is an error"),
            (
                alert(
                    (
                        "    def on_train_batch_begin",
                        "    def on_epoch_end(self, epoch, logs=None):\n"
                        '        logs["loss"] = 0\n\n    def on_train_batch_begin',
                    )
                ),
                "changes `loss`",
            ),
        ),
        raised=(
            (alert(("self.start = " + READ, "pass")), "start"),
            (alert((CALL, "raise ValueError('slow')")), "slow"),
        ),
    ),
    Cases(
        "06.7",
        right=(rule(), learner(STRIPS, "Prechelt")),
        wrong=(
            (rule(("100 * (logs", "1 * (logs")), "GL is meant in per cent"),
            (rule(("- 1) > limit", "- 1) >= limit")), "did you write `>=`?"),
            (rule(('min(self.lowest, logs["val_loss"])', 'min(logs["val_loss"], self.lowest)')), "A NaN in the middle"),
            (
                rule(
                    ('float("inf")', "None"),
                    (
                        'min(self.lowest, logs["val_loss"])',
                        'logs["val_loss"] if self.lowest is None or logs["val_loss"] < self.lowest else self.lowest',
                    ),
                ),
                "When the first `val_loss` is NaN",
            ),
            (rule((AFRESH, ONCE)), "nothing begins afresh"),
            (
                rule(
                    (AFRESH, AFRESH + "\n        old = getattr(self, 'losses', [])"),
                    ('self.lowest, self.losses = float("inf"), []', 'self.lowest, self.losses = float("inf"), old'),
                ),
                "a strip that was not full",
            ),
            (rule(("1000 * ", "")), "P is meant in per mille"),
            (
                rule(
                    ("            self.losses = []\n", ""),
                    ("len(self.losses) < self.strip", "len(self.losses) % self.strip"),
                ),
                "P is taken over all epochs",
            ),
            (rule(("            self.losses = []\n", "            self.losses.pop(0)\n")), "it looks in every epoch"),
            (rule(("len(self.losses) < self.strip", "epoch % self.strip")), "`epoch` counts from 0"),
            (
                rule(
                    ("        if 100 *", "        over = 100 *"),
                    (" > limit:", "\n        if over > limit or (over == limit and not self.strip):"),
                ),
                "A GL equal to `alpha` does not",
            ),
            (rule(("min(self.losses)", "self.losses[-1]")), "not over its last"),
            (rule(("np.mean(self.losses)", "sum(self.losses)")), "yours takes their sum"),
            (rule(('logs["val_loss"]', 'logs["loss"]')), "from the training `loss`"),
            (rule(("if self.strip:", "if False:")), "as if there were no `strip`"),
            (
                rule(
                    (
                        '        self.lowest = min(self.lowest, logs["val_loss"])  # in this order never NaN\n',
                        "",
                    ),
                    ("        if 100 *", '        self.lowest = min(self.lowest, logs["val_loss"])\n        if 100 *'),
                ),
                "brought up to date at the end of a strip",
            ),
            (rule((FLAG, "self.stopped = True")), "If you set that one: can the condition before it ever"),
            (rule(("            self.model", "            logs.clear()\n            self.model")), "changes `"),
        ),
        raised=((rule(("100 * (logs", "100 / (limit - limit) * (logs")), "ZeroDivisionError"),),
    ),
)


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)


@pytest.mark.parametrize(
    "place", ["        value = self.value(logs)\n", "        self.wait += 1\n", "                self.wait = 0\n"]
)
def test_the_flag_of_another_callback_is_left_wherever_it_could_be_lowered(place):
    indent = place[: len(place) - len(place.lstrip())]
    answer = stopper((place, f"{place}{indent}self.model.stop_training = False\n"))()
    outcome = checks.check("06.1", answer)
    assert outcome.status == "wrong"
    assert "took it back" in outcome.message


def test_each_check_tells_five_wrong_solutions_apart():
    assert all(len(table.wrong) >= 5 for table in CASES)


@pytest.mark.parametrize(
    ("id", "name"),
    [("06.3", "StopWhenBoth"), ("06.4", "TimeBudget"), ("06.6", "BatchAlert"), ("06.7", "Prechelt")],
)
def test_a_stub_is_not_attempted(id, name):
    stub = learner(f"class {name}(Callback):\n    def __init__(self, one, two=None):\n        super().__init__()", name)
    assert checks.check(id, stub()).status == "not attempted"


def test_stubs_of_the_rebuilt_are_not_attempted():
    code = SOLUTIONS[1][: SOLUTIONS[1].index("    def on_epoch_end")]
    assert checks.check("06.1", learner(code, "MyEarlyStopping", **GIVEN)()).status == "not attempted"
    code = "class MyModelCheckpoint(Saver):\n    def should_save(self, logs): ..."
    assert checks.check("06.2", learner(code, "MyModelCheckpoint", **GIVEN)()).status == "not attempted"
    assert checks.check("06.5", learner("class BoldDriver(Callback): ...", "BoldDriver")()).status == "not attempted"


TWISTS = {
    "06.3": (
        two_metrics.BOTH_TWISTS,
        lambda twist: [two_metrics.both_epochs(*c, twist) for c in two_metrics.BOTH],
    ),
    "06.5": (bold_driver.DRIVER_TWISTS, lambda twist: [bold_driver.driver_rates(c, twist) for c in bold_driver.DRIVES]),
    "06.5, remembered": (
        bold_driver.REMEMBERED_TWISTS,
        lambda twist: [bold_driver.driver_rates(c, twist) for c in bold_driver.REMEMBERED],
    ),
    "06.7": (prechelt.PRECHELT_TWISTS, lambda twist: [prechelt.prechelt_epochs(*c, twist) for c in prechelt.PRECHELT]),
}


@pytest.mark.parametrize("id", TWISTS)
def test_the_cases_tell_all_twists_of_a_rule_apart(id):
    twists, play = TWISTS[id]
    played = {twist: play(twist) for twist in ("", *twists)}
    alike = [pair for pair in itertools.combinations(played, 2) if played[pair[0]] == played[pair[1]]]
    assert not alike


def test_prechelts_rules_by_hand():
    # GL after epoch 4 is 100 (11 / 10 - 1) = 10; P over epochs 3 and 4 is 1000 (0.9 / 0.8 - 1) = 125; GL / P = 0.08.
    fit = ((2.0, 1.0, 1.0, 0.8, 0.8), (12.0, 10.0, 10.0, 11.0, 11.0))
    assert prechelt.prechelt_epochs(9.9, None, (fit,)) == [4]
    assert prechelt.prechelt_epochs(10.1, None, (fit,)) == [5]
    assert prechelt.prechelt_epochs(0.079, 2, (fit,)) == [4]
    assert prechelt.prechelt_epochs(0.081, 2, (fit,)) == [5]


class Watching:
    clock = time.monotonic

    def read(self, now=time.time, *, later=time.perf_counter):
        return now(), later(), time.monotonic(), type(self).clock(), time.time_ns(), time.process_time()


def test_the_clock_moves_all_clocks_and_gives_them_back():
    before = dict(vars(Watching)), Watching.read.__defaults__, time.time, time.perf_counter_ns
    with FakeClock(Watching) as clock:
        first = Watching().read()
        clock.advance(2.5)
        passed = [after - early for after, early in zip(Watching().read(), first, strict=True)]
        elsewhere = []
        thread = threading.Thread(target=lambda: elsewhere.append(time.time()))
        thread.start()
        thread.join()
    assert passed == [2.5, 2.5, 2.5, 2.5, 2_500_000_000, 0.0]
    assert elsewhere[0] > 1e9
    assert (dict(vars(Watching)), Watching.read.__defaults__, time.time, time.perf_counter_ns) == before


def test_the_clock_is_given_back_after_an_error():
    real = time.perf_counter
    outcome = checks.check("06.4", budget((READ, "1 / 0"))())
    assert outcome.status == "raised"
    assert time.perf_counter is real


def test_a_check_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checks.check("06.2", saver()()).status == "right"


RESUMED = {
    "06.4": """
class answer(Callback):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
    def on_train_begin(self, logs=None):
        self.begun = time.time()
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.start = self.begun
    def on_train_batch_end(self, batch, logs=None):
        if time.time() - self.start >= self.seconds:
            self.model.stop_training = True
""",
    "06.7": """
class answer(Callback):
    def __init__(self, alpha, strip=None):
        super().__init__()
        self.alpha, self.strip = alpha, strip
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.low, self.losses = float("inf"), []
    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])
        value, limit = logs["val_loss"], self.alpha
        self.low = value if value < self.low else self.low
        if self.strip:
            if len(self.losses) < self.strip:
                return
            limit *= 1000 * (np.mean(self.losses) / min(self.losses) - 1)
            self.losses = []
        if 100 * (value / self.low - 1) > limit:
            self.model.stop_training = True
""",
}


@pytest.mark.parametrize("id", RESUMED)
def test_a_fit_that_resumes_begins_afresh(id):
    outcome = checks.check(id, learner(RESUMED[id], time=time)())
    assert outcome.status == "wrong"
    assert "resumes with `initial_epoch=3`" in outcome.message
