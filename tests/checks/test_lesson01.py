from __future__ import annotations

import pytest
from cases import Cases, learner, run
from keras.callbacks import CSVLogger, EarlyStopping, LambdaCallback

from helpers import checks


def collecting(function: str, hook: str = "on_epoch_end", arguments: str = "epoch, logs", seen: str = "[]"):
    return learner(f"seen = {seen}\nanswer = (LambdaCallback({hook}=lambda {arguments}: {function}), seen)")


def stopping(body: str, hook: str = "on_epoch_end(self, epoch, logs=None)"):
    return learner(f"""
class GoodEnough(Callback):
    def __init__(self, target):
        super().__init__()
        self.target = target

    def {hook}:
        {body}
""", "GoodEnough")  # fmt: skip


IF = "if logs['val_accuracy'] >= self.target: "
STOP = "self.model.stop_training = True"

BEST = """
class Best(Callback):
    def on_train_begin(self, logs=None):
        self.best = float("inf")

    def on_epoch_end(self, epoch, logs=None):
        self.best = min(self.best, logs["val_loss"])
        logs["best"] = self.best
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    """CSVLogger writes beside the notebook, here into a folder of the test."""
    monkeypatch.chdir(tmp_path)


def listed(callbacks: str = "[Best(), CSVLogger('log.csv')]", old: str = "", new: str = ""):
    assert old in BEST
    return learner(f"{BEST.replace(old, new) if old else BEST}\nanswer = {callbacks}")


CASES = (
    Cases(
        "01.1",
        right=(
            collecting("seen.append(logs['val_accuracy'])"),
            learner("""
                seen = []
                class Collect(Callback):
                    def on_epoch_end(self, epoch, logs=None):
                        seen.append(logs.get("val_accuracy"))
                answer = (Collect(), seen)
            """),
            learner("""
                seen = ["from an earlier run"]
                answer = (LambdaCallback(on_test_end=lambda logs: seen.append(logs["accuracy"])), seen)
            """),
        ),
        wrong=(
            (collecting("seen.append(logs['accuracy'])"), "You collected `accuracy`"),
            (collecting("seen.append(logs['val_loss'])"), "You collected `val_loss`"),
            (collecting("seen.append(logs)"), "the whole `logs`"),
            (collecting("seen.append(epoch)"), "the number of the epoch"),
            (collecting("logs['val_accuracy']"), "What should be done in each epoch"),
            (collecting("seen.append(logs['val_accuracy'])", "on_epoch_ends"), "no hook `on_epoch_ends`"),
            (collecting("seen.append(logs['val_accuracy'])", "on_train_end", "logs"), "once a fit"),
            (collecting("seen.append(logs['accuracy'])", "on_train_batch_end", "batch, logs"), "exactly once in each"),
            (collecting("seen.__setitem__(0, logs['val_accuracy'])", seen="[1]"), "Append to `seen`: that leaves"),
            (learner("answer = (LambdaCallback, [])"), "alone is the class"),
            (learner("answer = (lambda epoch, logs: 1, [])"), "A function alone"),
            (learner("answer = (keras.optimizers.SGD(), [])"), "Expected a `Callback`"),
            (collecting("seen.append(logs['val_accuracy'])", "on_epoch_begin"), "called at `on_epoch_begin`"),
            (learner("answer = (LambdaCallback(on_epoch_end=lambda epoch, logs: 1), 0.5)"), "should stay a list"),
        ),
        raised=(
            (collecting("seen.append(logs['val_acc'])"), "letter for letter"),
            (collecting("seen.append(logs['val_loss'])", "on_test_end", "logs"), "is this the moment"),
        ),
    ),
    Cases(
        "01.2",
        right=(
            stopping(IF + STOP),
            stopping("if not logs['val_accuracy'] < self.target: self._model.stop_training = True"),
            stopping("if logs['accuracy'] >= self.target: " + STOP, "on_test_end(self, logs=None)"),
        ),
        wrong=(
            (stopping("if logs['val_accuracy'] > self.target: " + STOP), "`>=`, not `>`"),
            (stopping("if logs['accuracy'] >= self.target: " + STOP), "`'val_accuracy'` belongs there"),
            (stopping("if logs['val_accuracy'] <= self.target: " + STOP), "Which way round"),
            (stopping(IF + STOP, "on_epoch_ended(self, epoch, logs=None)"), "no hook `on_epoch_ended`"),
            (stopping(IF + "self.stop_training = True"), "The one that `fit` looks at is"),
            (stopping("if logs['val_accuracy'] >= 0.75: " + STOP), "not with a fixed number"),
            (stopping("self.model.stop_training = logs['val_accuracy'] >= self.target"), "takes that back"),
            (stopping("if logs['val_accuracy'] >= 0.6: " + STOP), "The end does not depend on `target`: compare with"),
            (learner("class GoodEnough:\n    def on_epoch_end(self): print()", "GoodEnough"), "inherit from"),
            (lambda: EarlyStopping(), "the class itself"),
            (stopping("if logs['val_accuracy'] == self.target: " + STOP), "not `==`"),
            (stopping("if logs['val_loss'] >= self.target: " + STOP), "Compare that one with `self.target`."),
            (stopping("if logs['val_loss'] <= self.target: " + STOP), "Compare that one with `self.target`."),
        ),
        raised=((stopping("if logs['val_acc'] >= self.target: " + STOP), "val_acc"),),
    ),
    Cases(
        "01.3",
        right=(
            listed(),
            listed("(Best(), CSVLogger('log.csv', separator=';', append=True), History())"),
            learner("""
                class Both(CSVLogger):
                    def on_train_begin(self, logs=None):
                        super().on_train_begin(logs)
                        self.seen = []
                    def on_epoch_end(self, epoch, logs=None):
                        self.seen.append(logs["val_loss"])
                        super().on_epoch_end(epoch, {**logs, "best": min(self.seen)})
                answer = [Both("log.csv")]
            """),
        ),
        wrong=(
            (listed("[CSVLogger('log.csv'), Best()]"), "Makers before users"),
            (listed("[CSVLogger('log.csv')]"), "your own callback is missing"),
            (listed("[Best()]"), "it has 0"),
            (listed("[Best, CSVLogger('log.csv')]"), "alone is the class"),
            (listed("Best()"), "should be a list"),
            (listed(old='logs["best"] = self.best', new='logs["Best"] = self.best'), "adds `Best`"),
            (
                listed(old='logs["best"] = self.best', new='logs = {**logs, "best": self.best}'),
                "that `on_epoch_end` is given",
            ),
            (listed(old="on_epoch_end", new="on_epoch_ends"), "no hook `on_epoch_ends`"),
            (listed(old='min(self.best, logs["val_loss"])', new='logs["val_loss"]'), "the lower of `self.best`"),
            (listed(old='logs["val_loss"]', new='logs["loss"]'), "from the training data"),
            (listed(old="min(self.best", new="max(0.0 if self.best > 9 else self.best"), "says 0.75, 0.75, 0.75"),
            (listed(old="min(self.best", new="0.5 + min(self.best"), "says 1.25, 1, 1.125"),
            (listed(old="on_train_begin(self, logs=None)", new="__init__(self)"), "set once, when the object is made"),
            (listed(old='float("inf")', new="0"), "lower than the 0"),
            (listed(old='float("inf")', new="10"), "should be `float('inf')`"),
            (listed(old="min(self.best", new="max(self.best"), "higher than infinity"),
            (listed(old='logs["best"] =', new='if self.best == logs["val_loss"]: logs["best"] ='), "says NA"),
        ),
        raised=((listed(old="on_train_begin", new="on_fit_begin"), "best"),),
    ),
)  # fmt: skip


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)


def test_a_stub_is_not_attempted():
    assert checks.check("01.1", (..., [])).status == "not attempted"
    assert checks.check("01.3", ...).status == "not attempted"
    stub = learner(
        """
        class GoodEnough(Callback):
            def __init__(self, target):
                super().__init__()
                self.target = target
        """,
        "GoodEnough",
    )
    outcome = checks.check("01.2", stub())
    assert outcome.status == "not attempted"
    assert "no hook in the class" in outcome.message


def test_the_learners_list_is_left_as_it_was():
    seen = ["mine"]
    collector = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_accuracy"]))
    assert checks.check("01.1", (collector, seen)).status == "right"
    assert seen == ["mine"]


def test_the_learners_file_is_left_as_it_was(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("mine")
    logger = CSVLogger(log)
    checks.check("01.3", [logger])
    assert log.read_text() == "mine"
    assert logger.filename == str(log)


def test_a_best_that_remembers_an_earlier_fit_is_told_so():
    callbacks = listed(old="on_train_begin(self, logs=None)", new="__init__(self)")()
    callbacks[0].best = 0.01
    outcome = checks.check("01.3", callbacks)
    assert outcome.status == "wrong"
    assert "Set it in `on_train_begin`, which begins each fit" in outcome.message
