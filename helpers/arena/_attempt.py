"""One training as the keeper sees it: its two processes with the kill between them, then the judge."""

from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from helpers import data

from . import _task
from ._child import Child
from ._disk import folder_bytes
from ._rules import Rules

__all__ = ["Attempt"]

_JUDGE_SECONDS = 20
_LOOKS = 20
_CALLS = 50_000  # about as many as a save of the arena's model makes


class Attempt:
    """One training: started, killed once, begun again with the same folder, and judged.

    Args:
        payload: the pickled `make_callbacks`.
        seed: of data, weights and order.
        broken: whether its data break instead of its process.
        rules: the arena's.
        root: a folder for this training's files.
        rng: draws all that nobody tells.
        save: whether the kill comes in the middle of a save.
    """

    def __init__(
        self, payload: bytes, seed: int, broken: bool, rules: Rules, root: Path,
        rng: np.random.Generator, save: bool,
    ) -> None:  # fmt: skip
        self.payload, self._number, self._rules = payload, seed, rules
        self._root, self.folder = root, root / "folder"
        self.folder.mkdir(parents=True)
        self._order = rng.permutation(_task.PIXELS)
        self._kill = self._broken = None
        pairs = _task.load(seed, self._order)
        self._test = pairs.pop("test")
        self._arrays = {part: (rows.x, rows.y) for part, rows in pairs.items()}
        self._steps = len(pairs["train"].x) // _task.BATCH
        batch = int(rng.integers(self._steps))
        if broken:
            self._broken = int(rng.integers(rules.nan[0], rules.nan[1] + 1)) * self._steps + batch
        elif rules.kill is not None:
            self._kill = {
                "epoch": int(rng.integers(rules.kill[0], rules.kill[1] + 1)),
                "batch": None if save else batch,
                "calls": int(rng.integers(1, _CALLS)),
            }
        self._child: Child | None = None
        self._runs = 0
        self._sizes: deque[int] = deque(maxlen=_LOOKS)
        self._marks: list[str] = []
        self._judging = False
        self._fresh()
        self.facts: dict[str, Any] = {
            "seed": seed, "broken": broken, "epochs": 0.0, "val_loss": [], "killed_at": None, "killed_how": None,
            "began_at": None, "kept_at_kill": None, "broken_at": None if self._broken is None else
            self._broken / self._steps, "peak": 0, "end": 0, "file": None, "quality": None, "why": "", "trouble": None,
            "saw": [], "notes": [], "threads": [], "printed": "", "kept_last": False,
        }  # fmt: skip
        self.over = False

    def _fresh(self) -> None:
        self._batches, self._silent_since, self._waiting = 0, time.monotonic(), self._rules.silence

    @property
    def words(self) -> str:
        """Say in a few words where it is."""
        if self._judging:
            return "the judge looks at its file"
        told = f"epoch {self.facts['epochs']:.0f}"
        return f"{told}, after the kill" if self._runs > 1 else told

    @property
    def done(self) -> float:
        """The share of its longest way, 0 to 1, that it has gone."""
        share = self._batches / self._steps / self._rules.epochs
        return 1.0 if self.over else 0.9 if self._judging else min(0.85, 0.15 * (self._runs > 1) + 0.7 * share)

    def begin(self) -> None:
        """Start a process for the training, the first one or the one after the kill."""
        self._runs += 1
        self.folder.mkdir(exist_ok=True)  # it may have been removed
        self._before = (self.facts["epochs"], list(self._marks))
        self._best, self._last = math.inf, ("", math.inf)  # val_loss since this start; of the last epoch with its mark
        scratch = self._root / f"scratch-{self._runs}"
        scratch.mkdir()
        job = {
            "payload": self.payload, "order": self._order.tolist(), "seed": self._number, "epochs": self._rules.epochs,
            "folder": str(self.folder), "scratch": str(scratch), "private": [str(data.DATA), str(self._root.parent)],
            "kill": self._kill if self._runs == 1 else None, "broken": self._broken, "disk": self._rules.disk,
        }  # fmt: skip
        self._child = Child("train", job, self._arrays)
        self._fresh()

    def look(self) -> None:
        """Read what the process tells, and end it when it must be ended."""
        child = self._child
        messages = child.messages()
        if messages is None:
            self._vanished(child.wait())
            return
        for message in messages:
            try:
                if self._judging:
                    self._judged(message)
                else:
                    getattr(self, f"_told_{message[0]}")(*message[1:])
            except (AttributeError, IndexError, KeyError, TypeError, ValueError):
                self.end({"what": "nonsense"})
            if self._child is not child or self.over:
                return
        self._clocks()

    # -- what a training tells -----------------------------------------------------------------------------------

    def _told_made(self) -> None:
        self._silent_since, self._waiting = time.monotonic(), 3 * self._rules.silence

    def _told_begin(self, mark: str) -> None:
        self._silent_since = time.monotonic()
        if self._runs == 1:
            self._marks = [mark]
            return
        before = self._before[1]
        # The newest that is equal: weights that did not change for a while have one mark.
        steps = [number for number, known in enumerate(before) if known == mark]
        began = steps[-1] / self._steps if steps else 0.0
        # Whoever finds the pipe can say more than is true, but not take back what was said.
        self.facts["began_at"] = began if self.facts["began_at"] is None else min(began, self.facts["began_at"])

    def _count(self, batches: int, marks: list[str], peak: int) -> None:
        self._silent_since, self._waiting = time.monotonic(), self._rules.silence
        self._batches = max(self._batches, batches)
        self._marks += marks
        self.facts["epochs"] = self._before[0] + self._batches / self._steps
        self.facts["peak"] = max(self.facts["peak"], peak)

    def _told_epoch(self, batches: int, marks: list[str], peak: int, epoch: int, logs: dict[str, float]) -> None:
        self._count(batches, marks, peak)
        value = logs.get("val_loss", float("nan"))
        self.facts["val_loss"].append(round(value, 4) if np.isfinite(value) else None)
        if np.isfinite(value):
            self._best, self._last = min(self._best, value), (self._marks[-1], value)

    def _told_ended(self, batches: int, marks: list[str], peak: int) -> None:
        self._count(batches, marks, peak)

    def _told_now(self, batches: int, marks: list[str], peak: int, how: str) -> None:
        self._count(batches, marks, peak)
        if self._runs > 1 or self._kill is None:
            return
        self._child.kill()
        self.facts["killed_at"], self.facts["killed_how"] = round(self.facts["epochs"], 3), how
        with contextlib.suppress(OSError):  # of files that are none, such as pipes
            shutil.copytree(self.folder, self._root / "at_kill", symlinks=True)
        self.begin()

    def _told_saw(self, sentence: str) -> None:
        self.facts["saw"].append(sentence[:1000])

    def _told_note(self, sentence: str) -> None:
        if sentence not in self.facts["notes"]:
            self.facts["notes"].append(sentence[:1000])

    def _told_done(self, threads: list[str], printed: str) -> None:
        self.facts["threads"], self.facts["printed"] = threads, printed
        self._child.wait()
        self._judge()

    def _told_error(self, error: dict[str, Any], printed: str) -> None:
        self.facts["printed"] = printed
        self._failed({"what": "error", **error})

    # -- how it ends ---------------------------------------------------------------------------------------------

    def _vanished(self, code: int | None) -> None:
        if self._judging:
            self.facts["why"] = "The judge's process died over the file."
            self._finish()
        else:
            self._failed({"what": "died", "code": code})

    def _clocks(self) -> None:
        now = time.monotonic()
        if now - self._silent_since > (_JUDGE_SECONDS if self._judging else self._waiting):
            if self._judging:
                self.facts["why"] = f"The judge was not done with the file after {_JUDGE_SECONDS} seconds."
                self._finish()
            else:
                self.end({"what": "hung", "seconds": self._waiting})
            return
        size = folder_bytes(self._root)
        if size > self._rules.disk:
            self.end({"what": "disk", "bytes": size})
        self._sizes.append(folder_bytes(self.folder))
        if len(self._sizes) == _LOOKS:  # what lay there at all of them was not a temporary file
            self.facts["peak"] = max(self.facts["peak"], min(self._sizes))

    def _failed(self, trouble: dict[str, Any]) -> None:
        """A program that fails leaves its files; the judge looks at them, unless something was refused."""
        if self.facts["saw"]:
            self.end(trouble)
            return
        self.facts["trouble"] = trouble
        self._child.kill()
        self._judge()

    def end(self, trouble: dict[str, Any]) -> None:
        """End this training with a trouble; it is not judged."""
        self.facts["trouble"] = trouble
        self._finish()

    def _finish(self) -> None:
        if self._child is not None:
            self._child.kill()
        self.over = True

    def _judge(self) -> None:
        self.facts["end"] = folder_bytes(self.folder)
        self._judging, self._silent_since = True, time.monotonic()
        self._answers: list[dict[str, Any]] = []
        folders = [self.folder, *([self._root / "at_kill"] if self._runs > 1 else [])]
        self._expected = len(folders)
        self._child = Child("judge", [str(folder) for folder in folders], self._test.x, self._test.y)

    def _judged(self, answer: dict[str, Any]) -> None:
        self._answers.append(answer)
        if len(self._answers) == self._expected:
            mark, (last, loss) = self._answers[0].pop("mark"), self._last
            self.facts.update(self._answers[0], kept_last=mark == last and loss > self._best)
            if self._expected == 2:
                self._answers[1].pop("mark")
                self.facts["kept_at_kill"] = self._answers[1]
            self._child.wait()
            self.over = True
