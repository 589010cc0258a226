"""What a run of the arena costs, as multiples of one import of TensorFlow on the same machine.

    python benchmarks/arena.py [--rounds 3]

Each reference runs once a round, as a learner runs it; before them TensorFlow is imported in a fresh process. Time is
the clock's. Memory is what all processes of the arena hold together, shared pages counted once (PSS, Linux alone),
beside one process that has imported TensorFlow; the notebook's own process is not among them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.arena import Rules, run
from helpers.arena.references import REFERENCES


def held(process: psutil.Process) -> int:
    """Return the bytes that all processes below one hold."""
    total = 0
    for child in process.children(recursive=True):
        try:
            total += child.memory_full_info().pss
        except (psutil.Error, AttributeError):
            continue
    return total


def measured(work: Callable[[], object]) -> tuple[float, int]:
    """Return seconds and the most bytes held meanwhile."""
    over, most = threading.Event(), 0

    def watch() -> None:
        nonlocal most
        while not over.wait(0.2):
            most = max(most, held(psutil.Process()))

    thread = threading.Thread(target=watch)
    thread.start()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    over.set()
    thread.join()
    return seconds, most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    code = "import tensorflow, time; time.sleep(0.5)"
    found: dict[str, list[tuple[float, float]]] = {make.__name__: [] for make in REFERENCES}
    for _ in range(rounds):
        seconds, size = measured(lambda: subprocess.run([sys.executable, "-W", "ignore", "-c", code], stderr=-3))
        print(f"one import of TensorFlow: {seconds - 0.5:.1f} s, {size / 1e6:.0f} MB")
        for make in REFERENCES:
            # Other numbers than the default's keep the report from being stored.
            spent, most = measured(lambda make=make: run(make, name=make.__name__, rules=Rules()))
            found[make.__name__].append((spent / (seconds - 0.5), most / max(size, 1)))
    for name, ratios in found.items():
        time_ratio, memory_ratio = (statistics.median(column) for column in zip(*ratios, strict=True))
        print(f"{name:9} {time_ratio:5.1f} times as long, {memory_ratio:4.1f} times the memory")


if __name__ == "__main__":
    main()
