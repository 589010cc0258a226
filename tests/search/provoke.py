"""Provoke the errors and warnings of the troubles on the Keras that is installed, and record what the screen says.

python -m tests.search.provoke    writes tests/search/recorded.json and strangers.json (three minutes)

Each case is a small program of the kind that people paste about. It runs as a script, in IPython without colours or in
IPython with colours, and what it showed is stored whole: warnings first, then the traceback, whose paths are a person's
and not this machine's. A case that shows nothing is an error, and so is one whose packages are missing: run it where
keras-tuner and orbax-checkpoint are installed, or name the cases: `python -m tests.search.provoke 5 37`.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import json
import linecache
import os
import re
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Programs, and what they showed.
SETS = (("provoked.txt", "recorded.json"), ("strangers.txt", "strangers.json"))
PRELUDE = """\
import os
import numpy as np
import keras
from keras.callbacks import *
x, y = np.random.rand(64, 8).astype("float32"), np.random.randint(0, 2, (64, 1))
def build(metrics=("accuracy",), optimizer="adam"):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer, loss="binary_crossentropy", metrics=list(metrics))
    return model
model = build()
"""
# Whose machine a paste comes from: the folder of the program, the folder of the packages.
PEOPLE = {
    "script": ("/home/ana/churn", "/home/ana/churn/.venv/lib/python3.12/site-packages"),
    "windows": (r"C:\Users\Jonas\Documents\thesis", r"C:\Users\Jonas\anaconda3\envs\tf\Lib\site-packages"),
    "notebook": ("/tmp/ipykernel_4711", "/usr/local/lib/python3.12/dist-packages"),
    "colours": ("/tmp/ipykernel_88", "/opt/conda/lib/python3.12/site-packages"),
}


# A frame of a traceback, with the line of code or the empty line below it.
_FRAME = re.compile(r'^ *File "(?P<path>[^"]+)", line \d+, in [^\n]*\n(?:(?: {4}[^\n]*)?\n)?', re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A program that shows something: the trouble behind it (0: none of the lab's), its lines, where it runs."""

    number: int
    source: str
    where: tuple[str, ...]

    @property
    def key(self) -> str:
        """What the texts of one case share."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:8]


def cases(file: str) -> list[Case]:
    """Return the cases of a file: `== number where,where`, then the lines of the program."""
    text = (HERE / file).read_text(encoding="utf-8")
    parts = re.split(r"^== (\d+) ([a-z,]+)\n", text, flags=re.MULTILINE)[1:]
    return [
        Case(int(number), source.strip() + "\n", tuple(where.split(",")))
        for number, where, source in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def show(case: Case, where: str) -> str:
    """Run a case in a folder of its own and return all that it showed."""
    import keras

    keras.utils.clear_session()
    back = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            text = _in_ipython(case.source, where) if where in ("notebook", "colours") else _as_script(case.source)
        finally:
            os.chdir(back)
            gc.collect()
        home, packages = PEOPLE[where]
        text = _without_us(text).replace(folder, home)
    for path in sorted(filter(_holds_packages, sys.path), key=len, reverse=True):
        text = text.replace(path, packages)
    text = text.replace(sys.base_prefix, "/usr").replace(str(Path.home()), "/home/ana")
    if where == "windows":
        text = re.sub(r'(?<=File ")[^"]+', lambda path: path[0].replace("/", "\\"), text)
    return text.strip("\n")


def _without_us(text: str) -> str:
    """Leave out our own frames, which TensorFlow tells below an error of its graph, and marks in comments."""
    ours = (str(HERE), str(Path(sys.argv[0]).resolve()), "<frozen runpy>")
    text = _FRAME.sub(lambda frame: "" if frame["path"].startswith(ours) else frame[0], text)
    return re.sub(r"# [A-Z]+: ", "# ", text)


def _holds_packages(path: str) -> bool:
    return path.endswith("-packages") or any(Path(path).glob("*.dist-info"))


def _as_script(source: str) -> str:
    """Run the lines as a program and return its warnings and its traceback."""
    path = Path("train.py").resolve()
    path.write_text(PRELUDE + source, encoding="utf-8")
    linecache.checkcache(str(path))
    shown = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stderr(shown), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always", UserWarning)
        try:
            exec(compile(PRELUDE + source, str(path), "exec"), {"__name__": "__main__"})
        except Exception as error:
            error.__traceback__ = error.__traceback__.tb_next
            shown.write(traceback.format_exc())
    return shown.getvalue()


def _in_ipython(source: str, where: str) -> str:
    """Run the lines as a cell, after one with the prelude; return its warnings and its traceback as IPython has it."""
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="linux" if where == "colours" else "nocolor", history_length=0)
    kept: list[str] = []
    shell._showtraceback = lambda _type, _value, lines: kept.append("\n".join(lines))
    shown = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(shown):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shell.run_cell(PRELUDE, store_history=True)
        with warnings.catch_warnings():
            warnings.simplefilter("always", UserWarning)
            shell.run_cell(source, store_history=True)
    return shown.getvalue() + "\n".join(kept)


def main(wanted: list[str]) -> None:
    """Record all cases, or those of the troubles named, beside what is recorded already."""
    for programs, shown in SETS:
        _record(cases(programs), HERE / shown, wanted)


def _record(programs: list[Case], file: Path, wanted: list[str]) -> None:
    recorded = json.loads(file.read_text(encoding="utf-8")) if wanted and file.exists() else []
    recorded = [one for one in recorded if str(one["trouble"]) not in wanted]
    for case in programs:
        if wanted and str(case.number) not in wanted:
            continue
        for where in case.where:
            text = show(case, where)
            if not text:
                raise RuntimeError(f"This case of trouble {case.number} showed nothing:\n{case.source}")
            recorded.append({"trouble": case.number, "case": case.key, "where": where, "text": text})
            print(f"{case.number} {where}: {text.splitlines()[-1][:110]}", flush=True)
    recorded.sort(key=lambda one: one["trouble"])
    file.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
