"""Run the lessons and record what their figures are drawn from: `python -m tests.figures` (some ten minutes).

Whatever moved in the figures then moves in the questions' answers too, since they are worked out from these numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from . import RECORDED

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
WITH_FIGURES = ("00", "01", "02", "03", "04", "05", "05b", "06", "07", "08", "10")
# In the kernel, before the lesson's first cell: each function that draws also writes down what it draws from.
RECORDER = """
import json as _json, os as _os
from pathlib import Path as _Path
from helpers import explored as _explored, history as _history, plots as _plots, widgets as _widgets
from helpers.plots import _owners as _who

def _short(value):
    if isinstance(value, dict):
        return {name: _short(one) for name, one in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_short(one) for one in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value

def _note(kind, data):
    with _Path(_os.environ["COURSE_FIGURES"]).open("a") as file:
        print(_json.dumps({"kind": kind, "data": _short(data)}), file=file)

def _log(history):
    run = _history.read_history(history)
    return {"epoch": list(run.epochs), **{name: list(run[name]) for name in run}}

_NAMES = ("monitor", "mode", "patience", "min_delta", "baseline", "start_from_epoch", "restore_best_weights", "wait",
          "stopped_epoch", "best_epoch", "best")

def _stopper(stopping):
    if stopping is None:
        return None
    if not hasattr(stopping, "waits"):
        kept = {name: getattr(stopping, name) for name in _NAMES}
        return kept | {"mode": "min" if stopping.monitor_op.__name__ == "less" else "max"}
    last = stopping.epochs[-1]
    return {
        "monitor": "val_loss", "wait": stopping.waits[-1], "stopped_epoch": stopping.stopped_epoch or 0,
        **{name: getattr(stopping, name) for name in _NAMES if hasattr(stopping, name) and name != "stopped_epoch"}}

def _saver(saves):
    if saves is None or not hasattr(saves, "save_freq"):
        return saves if saves is None else [int(epoch) for epoch in getattr(saves, "epochs", saves)]
    mode = "min" if saves.monitor_op.__name__ == "less" else "max"
    return {"save_freq": saves.save_freq, "save_best_only": saves.save_best_only, "monitor": saves.monitor,
            "mode": mode, "best": saves.best}

def _curves(history, *, stopping=None, saves=None, **rest):
    _note("learning_curves", {"history": _log(history), "stopping": _stopper(stopping), "saves": _saver(saves),
                              "rest": rest})

def _waits(values, *, stopping, **rest):
    _note("wait_counter", {"history": _log(values), "stopping": _stopper(stopping), "rest": rest})

def _hooks(events, **rest):
    events = [{"hook": e.hook, "index": e.index, "seconds": e.seconds, "keys": list(e.keys)} for e in events]
    _note("hook_timeline", {"events": events, "rest": rest})

def _trade(patience, epochs, missed, **rest):
    lists = {name: rest.pop(name) for name in ("epochs_error", "missed_error", "wide") if name in rest}
    _note("trade_off", {"patience": list(patience), "lists": {"epochs": epochs, "missed": missed, **lists},
                        "rest": rest})

def _owns(history, *, title=None, **left):
    _note("owners", {"held": vars(_who.who_owns_what(history, **left)), "title": title})

def _arena(reports, title=None):
    from helpers import arena
    recorded = {report.score: name for name, report in arena.recordings().items()}
    names = [recorded.get(report.score) for report in reports]
    if len(names) > 1 and all(names):  # a learner's own runs are not recorded
        _note("arena", {"recorded": names, "title": title})

class _Explorer(_widgets.PatienceExplorer):
    def __init__(self, source, **rest):
        super().__init__(source, **rest)
        _note("explorer", {"history": _log(self.runs[self.run]), "patience": self.patience,
                           "restores": self.restore_best_weights})

def _both(draw, note):
    def drawn(*arguments, **named):
        note(*arguments, **named)
        return draw(*arguments, **named)
    return drawn

for _name, _how in {"learning_curves": _curves, "wait_counter": _waits, "hook_timeline": _hooks, "trade_off": _trade,
                    "owners": _owns, "arena": _arena}.items():
    setattr(_plots, _name, _both(getattr(_plots, _name), _how))
_widgets.PatienceExplorer = _Explorer
"""


def record(lesson: str, folder: Path) -> list[dict]:
    """Run a lesson; return what its figures were drawn from."""
    [path] = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    notebook, out = nbformat.read(path, as_version=4), folder / f"{lesson}.jsonl"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(RECORDER))
    here = {"metadata": {"path": str(folder)}}
    environment = {**os.environ, "COURSE_FIGURES": str(out), "COURSE_PROGRESS": str(folder / "progress.json")}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=here, store_widget_state=False).execute(
        env=environment
    )
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    return [{"lesson": lesson, "number": place, **json.loads(line)} for place, line in enumerate(lines, start=1)]


def main() -> None:
    """Run the lessons and write what their figures are drawn from."""
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description=main.__doc__)
    parser.add_argument("lessons", nargs="*", help="only these, such as 02; all others keep what they have")
    asked = parser.parse_args().lessons or WITH_FIGURES
    kept = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        for lesson in asked:
            new = record(lesson, Path(folder))
            sys.stdout.write(f"{lesson}: {len(new)} figures\n")
            sys.stdout.flush()
            kept = [entry for entry in kept if entry["lesson"] != lesson] + new
            kept.sort(key=lambda entry: (entry["lesson"], entry["number"]))
            text = ",\n".join(json.dumps(entry) for entry in kept)
            RECORDED.write_text(f"[\n{text}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
