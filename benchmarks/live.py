"""What the live picture costs: the same 200-epoch fit with none, with `widgets.LiveTraining`, and with livelossplot.

    python benchmarks/live.py [--rounds 5] [--epochs 200]

All of it runs in one real Jupyter kernel whose messages are read as a browser would read them. The ways take turns,
in an order that changes from round to round, and each is compared with the plain fit of its own round, so that a busy
machine troubles all alike. "drawing" is the processor's time in the drawing thread, the steadiest figure of all.
Before its time is taken each model has trained one epoch: compiling is not counted.

livelossplot is no dependency of the course. Without it the comparison is left out, and the last lines say how to get
it.
"""

from __future__ import annotations

import argparse
import json
import queue
import statistics
import sys
import time
from pathlib import Path

from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[1]
HOW_TO_GET = """livelossplot is not installed. Give it an environment of its own, beside the course's:
    python -m venv ../livelossplot
    ../livelossplot/bin/pip install -r requirements.txt livelossplot
    ../livelossplot/bin/python benchmarks/live.py"""
SETUP = """
%matplotlib inline
import os, sys, json, time, threading
os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="3")
sys.path.insert(0, ROOT)
from helpers import data, live, widgets
import keras
from keras.callbacks import EarlyStopping

splits = data.load_digits(train_rows=300, label_noise=0.3)

def callbacks():
    return [EarlyStopping(patience=EPOCHS)]

def ready_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, activation="relu"),
                              keras.layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(splits.train, validation_data=splits.validation, epochs=1, verbose=0)
    return model

def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu, 0.0

def plain(extra=()):
    model = ready_model()
    return timed(lambda: model.fit(splits.train, validation_data=splits.validation, epochs=EPOCHS, verbose=0,
                                   callbacks=[*callbacks(), *extra]))

def trainer():
    return live.Trainer(ready_model(), splits.train, validation_data=splits.validation, epochs=EPOCHS,
                        callbacks=callbacks())

def threaded():
    steered = trainer()
    return timed(lambda: (steered.start(), steered.result()))

def picture():
    steered = trainer()
    view = widgets.LiveTraining(steered)
    display(view)
    drawing, paint = [], view._paint
    def measured():
        paint()
        drawing.append(time.thread_time())
    view._paint = measured
    def work():
        steered.start()
        steered.result()
    spent = timed(work)
    while any(thread.name == "live-picture" for thread in threading.enumerate()):
        time.sleep(0.01)
    view.close()
    return *spent[:2], sum(drawing)

def livelossplot():
    from livelossplot.inputs.tf_keras import PlotLossesCallback
    return plain([PlotLossesCallback()])

WAYS = {"plain fit": plain, "Trainer, no picture": threaded, "LiveTraining": picture, "livelossplot": livelossplot}
"""


class Kernel:
    """A kernel and a reader of its messages."""

    def __init__(self) -> None:
        self._manager = KernelManager(
            kernel_cmd=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        )
        self._manager.start_kernel(cwd=str(ROOT))
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def run(self, code: str) -> tuple[str, int]:
        """Run code; return what it printed, and how many pictures were sent meanwhile."""
        request, printed, pictures = self._client.execute(code), "", 0
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=600)
            except queue.Empty:
                raise TimeoutError("The kernel has said nothing for ten minutes.") from None
            kind, content = message["msg_type"], message["content"]
            if kind == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            if kind == "stream" and content["name"] == "stdout":
                printed += content["text"]
            if kind in ("display_data", "update_display_data"):
                pictures += "image/png" in content["data"]
            if kind == "comm_msg":
                pictures += "data:image/png" in json.dumps(content["data"].get("state", {}))
            idle = kind == "status" and content["execution_state"] == "idle"
            if idle and message["parent_header"].get("msg_id") == request:
                return printed, pictures

    def end(self) -> None:
        """Shut the kernel down."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=200)
    options = parser.parse_args()
    kernel = Kernel()
    try:
        kernel.run(f"ROOT, EPOCHS = {str(ROOT)!r}, {options.epochs}")
        kernel.run(SETUP)
        found, _ = kernel.run("import importlib.util; print(importlib.util.find_spec('livelossplot') is not None)")
        has_rival = found.strip() == "True"
        ways = ["plain fit", "Trainer, no picture", "LiveTraining"]
        for way in ways:  # the first of each pays for imports and fonts
            measure(kernel, way)
        rounds = []
        for number in range(options.rounds):
            order = ways if number % 2 == 0 else ways[::-1]
            rounds.append({way: measure(kernel, way) for way in order})
            # Once says enough: its cost is many times the fit's.
            if has_rival and number == 0:
                rounds[-1]["livelossplot"] = measure(kernel, "livelossplot")
    finally:
        kernel.end()
    report(rounds, options.epochs)
    if not has_rival:
        print(HOW_TO_GET)


def measure(kernel: Kernel, way: str) -> dict[str, float]:
    """Run one fit; return its seconds on the clock, of the processor, of the drawing thread, and its pictures."""
    time.sleep(0.5)
    printed, pictures = kernel.run(f"print('RESULT', json.dumps(WAYS[{way!r}]()))")
    line = next(line for line in printed.splitlines() if line.startswith("RESULT"))
    wall, cpu, drawing = json.loads(line.removeprefix("RESULT"))
    return {"wall": wall, "cpu": cpu, "drawing": drawing, "pictures": pictures}


def report(rounds: list[dict[str, dict[str, float]]], epochs: int) -> None:
    """Print a row for each way, and the two ratios that matter."""
    print(f"{epochs} epochs, median of {len(rounds)} rounds; `more` is against the plain fit of the same round,")
    print("`least` the quickest round of each way: whatever else the machine did can only have made a fit slower.")
    print(
        f"{'':22}{'seconds':>9}{'more':>9}{'more, %':>10}{'least':>9}{'more, %':>10}"
        f"{'processor':>11}{'more, %':>10}{'drawing':>9}{'pictures':>10}"
    )
    quickest = min(turn["plain fit"]["wall"] for turn in rounds)
    costs = {}
    for way in ("plain fit", "Trainer, no picture", "LiveTraining", "livelossplot"):
        runs = [(turn[way], turn["plain fit"]) for turn in rounds if way in turn]
        if not runs:
            continue
        costs[way] = statistics.median(run["wall"] - bare["wall"] for run, bare in runs)
        share = statistics.median(run["wall"] / bare["wall"] - 1 for run, bare in runs)
        work = statistics.median(run["cpu"] / bare["cpu"] - 1 for run, bare in runs)
        keys = ("wall", "cpu", "drawing", "pictures")
        wall, cpu, drawing, pictures = (statistics.median(run[key] for run, _ in runs) for key in keys)
        least = min(run["wall"] for run, _ in runs)
        print(
            f"{way:22}{wall:9.2f}{costs[way]:9.2f}{share:10.1%}{least:9.2f}{least / quickest - 1:10.1%}"
            f"{cpu:11.2f}{work:10.1%}{drawing:9.2f}{pictures:10.0f}"
        )
    alone = statistics.median(turn["LiveTraining"]["wall"] / turn["Trainer, no picture"]["wall"] - 1 for turn in rounds)
    print(f"The picture alone, against the same fit in a thread with none: {alone:+.1%}.")
    if "livelossplot" in costs:
        share = max(costs["LiveTraining"], 0) / costs["livelossplot"]
        print(f"The live picture costs {share:.4f} of what livelossplot costs.")


if __name__ == "__main__":
    main()
