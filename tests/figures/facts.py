"""Facts about figures, each found twice: worked out from the numbers, and read from the text twin alone.

`FACTS` names them. The left half knows nothing of `helpers.facts` or `helpers.words`, only the recorded numbers; the
right half sees the alt text and the table, as somebody does who does not see the picture. A name may have an argument
behind a colon: `calls: on_test_end`. Epochs count from 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from . import Figure

Truth = Callable[..., Any]
VALUE = r"(-?\d[\d.e+-]*\d|\d|NaN)"
EPOCHS = r"epochs? ([\d, to]+\d)"


class Unsaid(AssertionError):
    """The twin does not say it."""


# -- the numbers -----------------------------------------------------------------------------------------------------


class Numbers:
    """What a figure of one run was drawn from, as arrays; epochs are 1-based numbers."""

    def __init__(self, figure: Figure) -> None:
        data = figure.data
        log, rest, self.stopping = data["history"], data.get("rest", {}), data.get("stopping")
        self.monitor = rest.get("monitor", "val_loss")
        self.epochs = np.array(log["epoch"]) + 1
        self.watched = np.array(log[self.monitor], float)
        base = self.monitor.removeprefix("val_")
        self.half = {"train": log.get(base), "validation": log.get(f"val_{base}")}
        if self.stopping is not None and self.stopping["stopped_epoch"]:
            self.stop = self.stopping["stopped_epoch"] + 1
        else:
            self.stop = None
        self.ran = self.epochs <= (self.stop or self.epochs[-1])

    @property
    def best(self) -> int:
        """Return the place of the best epoch: the callback's, or the lowest of all."""
        if self.stopping is not None:
            return int(np.flatnonzero(self.epochs == self.stopping["best_epoch"] + 1)[0])
        return int(np.argmin(self.watched))

    def at(self, epoch: int) -> float:
        """Return the value of an epoch."""
        return float(self.watched[self.epochs == epoch][0])

    def sides(self) -> np.ndarray:
        """Return for each epoch whether validation lies above train; where both are equal, as before, or as after."""
        both = np.sign(np.array(self.half["validation"], float) - np.array(self.half["train"], float))
        told = np.flatnonzero(both)
        before = np.searchsorted(told, np.arange(len(both)), side="right") - 1
        return both[told[np.maximum(before, 0)]] > 0

    def crossings(self) -> list[int]:
        """Return the epochs from which another curve is above."""
        sides = self.sides()
        return [int(self.epochs[place + 1]) for place in np.flatnonzero(sides[1:] != sides[:-1])]

    def waits(self) -> list[int]:
        """Return the count of EarlyStopping after each epoch that ran, worked out by its rule."""
        best, wait, waits = math.inf, 0, []
        delta = abs(self.stopping["min_delta"])
        for value in self.watched[self.ran]:
            wait += 1
            if np.float32(value + delta) < np.float32(best):
                best, wait = value, 0
            waits.append(wait)
        return waits

    def kept(self) -> int:
        """Return the epoch whose weights the model ends with."""
        if self.stopping is not None and self.stopping["restore_best_weights"]:
            return int(self.epochs[self.best])
        return int(self.epochs[self.ran][-1])


def saved(figure: Figure) -> list[int]:
    """Return the epochs after which a file was written; a checkpoint of the best is played by its rule."""
    numbers, saves = Numbers(figure), figure.data["saves"]
    if isinstance(saves, list):
        return [epoch + 1 for epoch in saves if epoch + 1 in numbers.epochs[numbers.ran]]
    lowest = np.minimum.accumulate(numbers.watched[numbers.ran])
    return [
        int(epoch) for epoch, new in zip(numbers.epochs, np.diff(lowest, prepend=math.inf) < 0, strict=False) if new
    ]


# -- the twin --------------------------------------------------------------------------------------------------------


def said(figure: Figure, pattern: str) -> re.Match:
    """Find something in the alt text."""
    found = re.search(pattern, figure.said)
    if not found:
        raise Unsaid(f"lesson {figure.lesson}, figure {figure.number}: nothing like {pattern!r} in {figure.said!r}")
    return found


def number(pattern: str) -> Callable[[Figure], float]:
    """Read one number; `#` stands for it."""
    return lambda figure: float(said(figure, pattern.replace("#", VALUE))[1])


def listed(text: str) -> list[int]:
    """Read `1 to 3, 7`."""
    ends = [[int(end) for end in part.split(" to ")] for part in text.split(", ")]
    return [epoch for end in ends for epoch in range(end[0], end[-1] + 1)]


def epochs(pattern: str) -> Callable[[Figure], list[int]]:
    """Read a list of epochs; `#` stands for it."""
    return lambda figure: listed(said(figure, pattern.replace("#", EPOCHS))[1])


def way(figure: Figure, half: str) -> list[tuple[int | None, float]]:
    """Read where a curve begins, turns and ends: epochs, where they are said, and values."""
    text = said(figure, rf"The {half} curve (.*?)\.(?= [A-Z]|$| \w+ gets)")[1]
    if text.startswith("stays at"):
        return [(None, float(text.split()[-1]))] * 2
    found = re.findall(rf"(?:from|to|at) {VALUE}(?: after epoch (\d+))?", text)
    return [(int(epoch) if epoch else None, float(value)) for value, epoch in found]


def above(figure: Figure) -> bool:
    """Read whether validation ends above train."""
    return said(figure, r"[Vv]alidation lies (above|below) train")[1] == "above"


def crossings(figure: Figure) -> int:
    """Read how often the curves cross."""
    if "all the way" in figure.said:
        return 0
    return 1 if "They cross once" in figure.said else int(said(figure, r"They cross (\d+) times")[1])


# -- both ------------------------------------------------------------------------------------------------------------


def _hill(figure: Figure) -> int:
    numbers = Numbers(figure)
    low = int(np.argmin(numbers.watched[: len(numbers.watched) // 3]))
    return int(numbers.epochs[low + int(np.argmax(numbers.watched[low:]))])


def _turns_at(figure: Figure, place: int) -> int:
    return way(figure, "validation")[place][0]


def _unseen(figure: Figure) -> int:
    numbers = Numbers(figure)
    rest = np.where(numbers.ran, math.inf, numbers.watched)
    return int(numbers.epochs[np.argmin(rest)])


def _explored(figure: Figure, patience: int) -> tuple[int, int, bool]:
    """Play EarlyStopping with a patience: the last epoch, the best by then, and whether it stopped."""
    values, best, wait = figure.data["history"]["val_loss"], 0, 0
    for place, value in enumerate(values):
        if place == 0 or value < values[best]:
            best, wait = place, 0
        else:
            wait += 1
            if wait >= max(1, patience):
                return place + 1, best + 1, True
    return len(values), best + 1, False


def _enough(figure: Figure) -> int:
    top = int(np.argmin(figure.data["history"]["val_loss"])) + 1
    return next(p for p in range(1, 999) if _explored(figure, p)[1] == top)


def _held(name: str) -> Truth:
    return lambda figure: figure.data["held"][name]


def _lists(name: str) -> Truth:
    return lambda figure, patience: figure.data["lists"][name][figure.data["patience"].index(int(patience))]


def _interval(figure: Figure) -> int:
    lists, patience = figure.data["lists"], figure.data["patience"]
    apart = [abs(m) > e for m, e in zip(lists["missed"], lists["missed_error"], strict=True)]
    return patience[max(place for place, is_apart in enumerate(apart) if is_apart) + 1]


def _runs(figure: Figure) -> list[Any]:
    from helpers import arena

    return [arena.recordings()[name] for name in figure.data["recorded"]]


def _lost(figure: Figure, key: str) -> list[int]:
    shares = [{part.key: part.points / part.most for part in run.parts}[key] for run in _runs(figure)]
    return [place for place, share in enumerate(shares, start=1) if share < 0.005]


def _lost_in_table(column: str) -> Callable[[Figure], list[int]]:
    return lambda figure: [int(row) for row, share in zip(
        figure.column("run"), figure.column(column), strict=True) if share == "0%"]  # fmt: skip


def _calls(figure: Figure, hook: str) -> int:
    return sum(event["hook"] == hook for event in figure.data["events"])


def _logs(figure: Figure, hook: str) -> set[str]:
    return {key for event in figure.data["events"] if event["hook"] == hook for key in event["keys"]}


def _logs_said(figure: Figure, hook: str) -> set[str]:
    if re.search(rf"logs was empty in [\w, ]*\b{hook}\b", figure.said):
        return set()
    held = said(figure, r"logs held ([^.]*)\.")[1]
    [names] = [part.split(" in ")[0] for part in held.split("; ") if part.split(" in ")[1] == hook]
    return set(names.split(", "))


def _before(figure: Figure, hooks: list[str]) -> list[int]:
    return [hooks.index(hook) for hook in ("on_test_end", "on_epoch_end")]


FACTS: dict[str, tuple[Truth, Truth]] = {
    # learning curves and the wait counter
    "epochs in the log": (lambda f: len(Numbers(f).epochs), number(r"over # epochs")),
    "validation begins at": (lambda f: Numbers(f).half["validation"][0], lambda f: way(f, "validation")[0][1]),
    "validation ends at": (lambda f: Numbers(f).half["validation"][-1], lambda f: way(f, "validation")[-1][1]),
    "train begins at": (lambda f: Numbers(f).half["train"][0], lambda f: way(f, "train")[0][1]),
    "train ends at": (lambda f: Numbers(f).half["train"][-1], lambda f: way(f, "train")[-1][1]),
    "validation turns after": (lambda f: int(Numbers(f).epochs[Numbers(f).best]), lambda f: _turns_at(f, 1)),
    "top of the hill": (_hill, lambda f: _turns_at(f, 2)),
    "best epoch": (lambda f: int(Numbers(f).epochs[Numbers(f).best]), number(r"Best after epoch #")),
    "best value": (lambda f: Numbers(f).watched[Numbers(f).best], number(r"Best after epoch \d+: #\.")),
    "crossings": (lambda f: len(Numbers(f).crossings()), crossings),
    "last crossing": (lambda f: Numbers(f).crossings()[-1], number(r"(?:from epoch|last at epoch) #")),
    "validation ends above train": (lambda f: bool(Numbers(f).sides()[-1]), above),
    "worse steps": (
        lambda f: int((np.diff(Numbers(f).watched) > 0).sum()),
        lambda f: 0 if "never gets worse" in f.said else number(r"gets worse in # of")(f),
    ),
    "stop epoch": (lambda f: Numbers(f).stop, number(r"Stopped after epoch #")),
    "stop value": (lambda f: Numbers(f).at(Numbers(f).stop), number(r"Stopped after epoch [^.]*; \w+ there is #\.")),
    "it was stopped": (lambda f: Numbers(f).stop is not None, lambda f: "Stopped after epoch" in f.said),
    "waited": (lambda f: Numbers(f).waits()[-1], number(r"(?:Stopped after epoch \d+: |waited )#")),
    "epochs that never ran": (lambda f: int((~Numbers(f).ran).sum()), number(r"In grey, # epoch")),
    "best that never ran": (_unseen, number(r"The best of them, epoch #")),
    "value that never ran": (lambda f: Numbers(f).at(_unseen(f)), number(r"The best of them, epoch \d+ \(#\)")),
    "stopped too early": (
        lambda f: bool(Numbers(f).at(_unseen(f)) < Numbers(f).watched[Numbers(f).best]),
        lambda f: said(f, r"is (better than all before it|no better)")[1].startswith("better"),
    ),
    "kept epoch": (lambda f: Numbers(f).kept(), number(r"ends with the weights of epoch #")),
    "saved after": (saved, epochs(r"Saved after #")),
    "times saved": (lambda f: len(saved(f)), number(r"Saved after .*?\(# times?\)")),
    # only the wait counter
    "wait after each epoch": (lambda f: Numbers(f).waits(), lambda f: [int(w) for w in f.column("wait") if w]),
    "highest wait": (lambda f: max(Numbers(f).waits()), number(r"It is highest after epoch \d+: #")),
    "new bests": (
        lambda f: [int(e) for e, wait in zip(Numbers(f).epochs, Numbers(f).waits(), strict=False) if wait == 0],
        lambda f: [int(row[0]) for row in f.table[1:] if "new best" in row],
    ),
    "value at": (lambda f, epoch: Numbers(f).at(int(epoch)), lambda f, epoch: float(f.cell(epoch, "val_loss"))),
    # hooks
    "calls": (_calls, lambda f, hook: number(rf"How often [^.]*\b{hook} #")(f)),
    "logs": (_logs, _logs_said),
    "validation comes inside the epoch": (
        lambda f: np.diff(_before(f, [event["hook"] for event in f.data["events"]]))[0] > 0,
        lambda f: np.diff(_before(f, said(f, r"order of their calls: ([^.;]*)")[1].split(", ")))[0] > 0,
    ),
    "last call": (lambda f: f.data["events"][-1]["hook"], lambda f: f.table[-1][1]),
    # owners
    "best of all": (_held("best"), number(r"of which the best is #")),
    "weights in memory": (_held("model_weights"), number(r"the model, with the weights of epoch #")),
    "optimizer in memory": (_held("model_optimizer"), number(r"an optimizer of epoch #")),
    "file is of epoch": (_held("file_epoch"), number(r"weights and optimizer of epoch #")),
    "copy is of epoch": (_held("stopper_copy"), number(r"a copy of the weights of epoch #")),
    "steps in the file": (
        _held("file_steps"),
        lambda f: float(re.search(r"\((\d+) steps", f.cell(f.data["held"]["file_name"], "optimizer of epoch"))[1]),
    ),
    # trade-off
    "epochs spent": (_lists("epochs"), lambda f, patience: float(f.cell(patience, "epochs spent"))),
    "missed": (_lists("missed"), lambda f, patience: float(f.cell(patience, "test loss missed (%)"))),
    "interval holds 0 from": (_interval, number(r"From patience # on the interval holds 0")),
    "less at each step": (
        lambda f: bool((np.diff(f.data["lists"]["missed"]) < 0).all()), lambda f: "less at each step" in f.said
    ),
    # the capstone
    "best run": (
        lambda f: max(range(len(_runs(f))), key=lambda place: _runs(f)[place].score) + 1,
        number(r"[Bb]est[\w ]* run #"),
    ),
    "points": (
        lambda f, run: round(_runs(f)[int(run) - 1].score), lambda f, run: float(f.cell(run, "points"))
    ),
    "lost after the NaN": (lambda f: _lost(f, "nan"), _lost_in_table("model after the NaN, kept")),
    "lost at the kill": (lambda f: _lost(f, "resumed"), _lost_in_table("epochs at the kill, kept")),
    # the explorer
    "patience that is enough": (_enough, number(r"Patience # is the smallest")),
    "explored stop": (lambda f: _explored(f, f.data["patience"])[0], number(r"Stopped after epoch #")),
    "explored best": (lambda f: _explored(f, f.data["patience"])[1], number(r"Best after epoch #")),
    "explored lowest": (
        lambda f: int(np.argmin(f.data["history"]["val_loss"])) + 1, number(r"reaches epoch #, the best of these")
    ),
    "epochs run with": (
        lambda f, patience: _explored(f, int(patience))[0], lambda f, patience: int(f.cell(patience, "epochs run"))
    ),
}  # fmt: skip


def answer(figure: Figure, fact: str) -> tuple[Any, Any]:
    """Return a fact as the numbers have it, and as the twin says it."""
    name, _, argument = fact.partition(": ")
    truth, read = FACTS[name]
    return (truth(figure, argument), read(figure, argument)) if argument else (truth(figure), read(figure))
