from __future__ import annotations

import time

import pytest
from cases import Cases, learner, run

from helpers.checks._core import registered

TO_BUCKET = """
class answer(keras.callbacks.Callback):
    def __init__(self, bucket, folder):
        super().__init__()
        self.bucket, self.folder = bucket, folder

    def on_epoch_end(self, epoch, logs=None):
        name = f"{time.time_ns()}-epoch-{epoch + 1}.keras"
        self.model.save(self.folder / name)
        try:
            self.bucket.put(name, self.folder / name)
            self.bucket.put("latest", name.encode())
        except OSError as error:
            print(error)
"""
PUTS = """            self.bucket.put(name, self.folder / name)
            self.bucket.put("latest", name.encode())
"""

ALERT = """
class answer(keras.callbacks.Callback):
    def __init__(self, metric, limit, send):
        super().__init__()
        self.metric, self.limit, self.send = metric, limit, send

    def on_train_begin(self, logs=None):
        self.sent = False

    def on_epoch_end(self, epoch, logs=None):
        value = logs[self.metric]
        if value <= self.limit:
            self.sent = False
        elif not self.sent:
            try:
                self.send(f"epoch {epoch + 1}: {self.metric} is {value:.1f}")
                self.sent = True
            except OSError:
                pass
"""


NAME = 'f"{time.time_ns()}-epoch-{epoch + 1}.keras"'
MARK = '            self.bucket.put("latest", name.encode())\n'
SAVE = "self.model.save(self.folder / name)"
PRINT = "            print(error)\n"
BEGIN = "    def on_train_begin(self, logs=None):\n        self.sent = False\n"
KEEP = "send = metric, limit, send"
AT_INIT = (BEGIN, "", KEEP, f"{KEEP}\n        self.sent = False")
FOREVER = ("            self.sent = False\n        elif", "            return\n        elif")
TRY = "            try:\n"
SENT = "                self.sent = True\n"
FILE_NAME = "str(self.folder / name)"


def changed(source: str, *pairs: str):
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in source, old
        source = source.replace(old, new)
    return learner(source, time=time)


CASES = (
    Cases(
        "09.3",
        right=(
            changed(TO_BUCKET),
            changed(TO_BUCKET, NAME, '__import__("uuid").uuid4().hex + ".keras"'),
            changed(TO_BUCKET, NAME, 'f"{len(self.bucket.list())}.keras"'),
            changed(TO_BUCKET, "self.bucket.put(name, self.folder / name)",
                    "self.bucket.put(name, (self.folder / name).read_bytes())", "except OSError", "except Exception"),
            learner("""
                class answer(keras.callbacks.Callback):
                    def __init__(self, bucket, folder):
                        super().__init__()
                        self.bucket, self.folder = bucket, folder
                        self.number = 0
                        for name in bucket.list():
                            if name.startswith("runs/"):
                                self.number = max(self.number, int(name[5:-6]))

                    def upload(self, path):
                        self.number += 1
                        name = f"runs/{self.number}.keras"
                        self.bucket.put(name, path)
                        return name

                    def on_epoch_end(self, epoch, logs=None):
                        path = self.folder / "local.keras"
                        self.model.save(path)
                        try:
                            name = self.upload(path)
                        except OSError:
                            return
                        try:
                            self.bucket.put("latest", bytes(name, "ascii"))
                        except OSError:
                            pass
            """),
        ),
        wrong=(
            (changed(TO_BUCKET, PUTS, "\n".join(reversed(PUTS.splitlines())) + "\n"), "First the file, then `latest`"),
            (changed(TO_BUCKET, "{time.time_ns()}-", ""), "new in all runs"),
            (changed(TO_BUCKET, NAME, '"model.keras"'), "same name"),
            (changed(TO_BUCKET, "try:\n", "if True:\n", "        except OSError as error:\n", "        else:\n",
                     "print(error)", "pass"), "ended the training"),
            (changed(TO_BUCKET, MARK, "", PRINT,
                     '            pass\n        self.bucket.put("latest", name.encode())\n'),
             "only when the file has arrived"),
            (changed(TO_BUCKET, MARK, ""), "none is called `latest`"),
            (changed(TO_BUCKET, '"latest", name.encode()', '"latest", str(self.folder / name).encode()'), "**name**"),
            (changed(TO_BUCKET, '"latest", name.encode()', '"latest", self.folder / name'),
             "does not hold a name but something long"),
            (changed(TO_BUCKET, "on_epoch_end(self, epoch, logs", "on_train_end(self, logs", "-epoch-{epoch + 1}", ""),
             "after each"),
            (changed(TO_BUCKET, SAVE, "self.model.save_weights(str(self.folder / name)[:-6] + "
             "'.weights.h5')", "name, self.folder / name", "name, self.folder / name.replace('.keras', '.weights.h5')"),
             "cannot be loaded"),
            (changed(TO_BUCKET, "on_epoch_end", "on_epochs_end"), "Keras knows no hook"),
            (changed(TO_BUCKET, "        super().__init__()\n", ""), "super().__init__()"),
            (changed(TO_BUCKET, PRINT, "            self.bucket = None\n", f"{SAVE}\n",
                     "self.model.save(self.folder / name)\n        if self.bucket is None:\n            return\n"),
             "Try again"),
        ),
        raised=((changed(TO_BUCKET, "self.folder / name)\n            self.bucket.put(", "str(self.folder / name))\n"
                 "            self.bucket.put("), "put takes bytes"),),
    ),
    Cases(
        "09.4",
        right=(
            changed(ALERT),
            changed(ALERT, "except OSError", "except Exception"),
            learner("""
                class answer(keras.callbacks.Callback):
                    def __init__(self, metric, limit, send):
                        super().__init__()
                        self.metric, self.limit, self.send = metric, limit, send

                    def on_train_begin(self, logs=None):
                        self.armed = True

                    def on_epoch_end(self, epoch, logs=None):
                        high = logs[self.metric] > self.limit
                        if high and self.armed:
                            try:
                                self.send("too much")
                            except OSError:
                                return
                        self.armed = not high
            """),
        ),
        wrong=(
            (changed(ALERT, "self.sent = True", "pass"), "every epoch"),
            (changed(ALERT, *FOREVER), "rest of the fit"),
            (changed(ALERT, SENT, "", TRY, f"            self.sent = True\n{TRY}"),
             "**after** `send`"),
            (changed(ALERT, *AT_INIT), "`on_train_begin`"),
            (changed(ALERT, "value <= self.limit", "value < self.limit"), "to the point"),
            (changed(ALERT, TRY, "            if True:\n", "            except OSError:\n                pass\n", ""),
             "ended the training"),
            (changed(ALERT, "logs[self.metric]", 'logs["memory_mb"]'), "belongs `logs[self.metric]`"),
            (changed(ALERT, "value <= self.limit", "value >= self.limit"), "below the limit. Look at the comparison"),
            (changed(ALERT, 'self.send(f"epoch {epoch + 1}: {self.metric} is {value:.1f}")', "self.send(epoch, value)"),
             "one sentence"),
            (changed(ALERT, *FOREVER,
                     *AT_INIT), "once in its life"),
            (changed(ALERT, "self.sent = True", "self.sent = self.model.stop_training = True"), "stops the training"),
            (changed(ALERT, "                self.send(f", "                str(f"), "never calls `send`"),
        ),
        raised=((changed(ALERT, "logs[self.metric]", "logs[metric]"), "NameError"),),
    ),
)  # fmt: skip


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)


def test_stubs_are_not_attempted():
    from helpers import checks

    for id, source in (("09.3", TO_BUCKET), ("09.4", ALERT)):
        stub = source[: source.index("    def on_")]
        assert checks.check(id, learner(stub)()).status == "not attempted"


def test_both_exercises_are_registered():
    assert {"09.3", "09.4"} <= set(registered("09"))
