"""What a run may take, and how it is ended: by the processor's seconds first, since machines are busy."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

__all__ = ["Budget", "Ended", "Interrupted", "cpu_seconds", "hold_memory", "watched"]

_LOOK = 0.25
stopping = threading.Event()  # set, it ends all that is watched, and nothing is begun


class Interrupted(Exception):
    """Grading was stopped, so nothing is known of this submission."""


@dataclass(frozen=True)
class Budget:
    """The limits of one submission.

    Attributes:
        cell_cpu: processor seconds of one cell; then it is interrupted.
        cell_wall: seconds of the clock of one cell, for one that sleeps.
        cpu: processor seconds of the notebook, or of its judgement.
        wall: seconds of the clock of either.
        memory: bytes of one process; a cell that wants more gets a MemoryError (on Linux).
        total: bytes of all processes together; then they are killed.
    """

    cell_cpu: float = 60
    cell_wall: float = 300
    cpu: float = 600
    wall: float = 1800
    memory: int = 2_500_000_000
    total: int = 5_000_000_000

    def over(self, cpu: float, wall: float) -> str:
        """Say which limit a cell is over, or nothing."""
        if cpu > self.cell_cpu:
            return f"took more than {self.cell_cpu:g} seconds of the processor"
        return f"took more than {self.cell_wall:g} seconds" if wall > self.cell_wall else ""

    def as_dict(self) -> dict[str, float]:
        """Return the limits as plain types."""
        return asdict(self)


@dataclass(frozen=True)
class Ended:
    """How a watched process ended: its status, what it printed, why it was killed (or ""), its processor seconds."""

    status: int
    printed: str
    killed: str
    cpu: float


def cpu_seconds(process: psutil.Process) -> float:
    """Return the processor seconds of a process and all below it, those that have ended too."""
    total = 0.0
    with contextlib.suppress(psutil.Error):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += sum(one.cpu_times()[:4])
    return total


def hold_memory(size: int) -> None:
    """Let no process from here on hold more than `size` bytes of its own, nor write a file of a gigabyte."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000_000, 1_000_000_000))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def watched(command: list[str], environment: dict[str, str], cwd: Path, budget: Budget, said: str = "") -> Ended:
    """Run a command with all that it starts, within a budget; when this returns, nothing of it runs any more.

    `said` is its standard input; its errors are dropped. The variable GRADING_BOX marks all that it starts.
    """
    running = subprocess.Popen(
        command, env=environment, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    process, began, killed, cpu = psutil.Process(running.pid), time.monotonic(), "", 0.0
    printed, given = None, said or None
    try:
        while printed is None and not killed:
            if stopping.is_set():
                raise Interrupted
            try:
                printed, _ = running.communicate(given, timeout=_LOOK)
            except subprocess.TimeoutExpired:
                given = None  # it has been told
                if running.poll() is not None:
                    break  # something that it left behind holds on to its output
                cpu = max(cpu, cpu_seconds(process))
                killed = _over(process, cpu, time.monotonic() - began, budget)
    finally:
        _kill(running, environment.get("GRADING_BOX", ""))
    if printed is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            printed, _ = running.communicate(timeout=5)
    return Ended(running.returncode, printed or "", killed, cpu)


def _over(process: psutil.Process, cpu: float, seconds: float, budget: Budget) -> str:
    if seconds > budget.wall:
        return f"took more than {budget.wall:g} seconds"
    if cpu > budget.cpu:
        return f"took more than {budget.cpu:g} seconds of the processor"
    if _memory(process) > budget.total:
        return f"took more than {budget.total / 1e9:g} GB of memory"
    return ""


def _memory(process: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(psutil.Error):
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                seen = one.memory_info()
                total += seen.rss - getattr(seen, "shared", 0)
    return total


def _kill(running: subprocess.Popen, box: str) -> None:
    """Kill a process and all that it started, also what has left its family."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(running.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    if running.poll() is None:
        running.kill()
    for other in psutil.process_iter() if box else ():
        with contextlib.suppress(psutil.Error, OSError):
            if other.environ().get("GRADING_BOX") == box:
                other.kill()
    running.wait()
