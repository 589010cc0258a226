"""Behind the sandbox: run a notebook in a kernel, cell by cell, each within a budget, and pack the answers.

    python -m tools.grading.run BOX     BOX/merged.ipynb -> BOX/executed.json, BOX/answers/02.1.pickle

All that comes out of here is the learner's, and may be forged: what counts is what the judge makes of the answers.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client import KernelManager

from .assignment import ROOT, asked_names, exercise_of
from .limits import Budget, cpu_seconds, hold_memory

OUTPUT = 200_000  # characters of output that are kept of a cell
_INTERRUPTS, _GRACE = 3, 4.0  # an interrupt is tried so often, each so many seconds


class KernelGone(Exception):
    """The kernel ended, or had to be ended; the message says how."""


class Kernel:
    """A kernel for one notebook.

    Args:
        box: the folder that the run may write to.
        budget: what a cell may take.
    """

    def __init__(self, box: Path, budget: Budget):
        self._budget = budget
        self._manager = KernelManager(kernel_name="python3")
        if os.name == "posix":
            # Needs no network, not even loopback. The name is absolute, since the kernel stands in another folder.
            self._manager.transport, self._manager.ip = "ipc", str(box / "tmp" / "kernel")
        self._manager.start_kernel(cwd=str(box / "work"))
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=budget.cell_wall)
        self._process = psutil.Process(self._manager.provisioner.pid)

    def execute(self, source: str, cell_id: str = "", *, quiet: bool = False) -> _Ran:
        """Run one cell and return what came of it.

        Raises:
            KernelGone: it ended the kernel, or went on in spite of interrupts.
        """
        content = {"code": source, "silent": False, "store_history": not quiet, "user_expressions": {},
                   "allow_stdin": False, "stop_on_error": False}  # fmt: skip
        message = self._client.session.msg("execute_request", content, metadata={"cellId": cell_id})
        self._client.shell_channel.send(message)
        ran = _Ran()
        began, used = time.monotonic(), self._cpu()
        interrupts, next_interrupt, replied, idle = 0, 0.0, False, False
        while not (replied and idle):
            idle |= self._listen(message["header"]["msg_id"], ran)
            replied = replied or self._reply(message["header"]["msg_id"], ran)
            if replied and ran.last < time.monotonic() - 2:
                break  # the message that the kernel is idle got lost in a flood
            if not self._manager.is_alive():
                raise KernelGone("ended the kernel")
            late = self._budget.over(self._cpu() - used, time.monotonic() - began)
            if late and time.monotonic() > next_interrupt:
                if interrupts == _INTERRUPTS:
                    self.end()
                    raise KernelGone(f"{late}, and went on in spite of interrupts")
                ran.stopped = late
                interrupts, next_interrupt = interrupts + 1, time.monotonic() + _GRACE
                self._manager.interrupt_kernel()
        return ran

    def _cpu(self) -> float:
        return cpu_seconds(self._process)

    def _listen(self, parent: str, ran: _Ran) -> bool:
        """Take what the kernel published; return whether it says that it is idle."""
        for _ in range(200):
            try:
                message = self._client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                return False
            if message["parent_header"].get("msg_id") != parent:
                continue
            if message["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    return True
            else:
                ran.take(message)
        return False

    def _reply(self, parent: str, ran: _Ran) -> bool:
        """Return whether the kernel said that the cell is done, and keep the error that ended it."""
        with contextlib.suppress(queue.Empty):
            message = self._client.get_shell_msg(timeout=0)
            if message["parent_header"].get("msg_id") == parent:
                said = message["content"]
                ran.error = [said["ename"], said["evalue"]] if said["status"] == "error" else None
                return True
        return False

    def end(self) -> None:
        """End the kernel and all that it started."""
        with contextlib.suppress(psutil.Error):
            for child in [*self._process.children(recursive=True), self._process]:
                child.kill()
        with contextlib.suppress(Exception):
            self._client.stop_channels()
            self._manager.shutdown_kernel(now=True)


class _Ran:
    """What came of one cell: the first `OUTPUT` characters of its outputs, the error that ended it, what stopped it."""

    def __init__(self):
        self._kept: list[dict[str, Any]] = []
        self._size = 0
        self.stopped = ""
        self.error: list[str] | None = None
        self.last = time.monotonic()

    def take(self, message: dict[str, Any]) -> None:
        self.last = time.monotonic()
        kind, content = message["msg_type"], message["content"]
        if kind == "error" or (self._size <= OUTPUT and kind in ("stream", "display_data", "execute_result")):
            output = nbformat.v4.output_from_msg(message)
            self._size += len(json.dumps(content, default=str))
            before = self._kept[-1] if self._kept else {}
            if kind == "stream" and before.get("name") == output["name"]:
                before["text"] += output["text"]
            elif kind == "error" or self._size <= 20 * OUTPUT:
                self._kept.append(output)
        elif kind == "clear_output" and not content.get("wait"):
            self._kept.clear()

    def outputs(self) -> list[dict[str, Any]]:
        said = ["\n... and more\n"] if self._size > OUTPUT else []
        said += [f"\nStopped: it {self.stopped}.\n"] if self.stopped else []
        return [*self._kept, *(nbformat.v4.new_output("stream", name="stdout", text=text) for text in said)]


def run(box: Path, budget: Budget) -> dict[str, Any]:
    """Run the notebook in a box; return the outputs by the numbers of cells, the runs, and what ended it early."""
    notebook = nbformat.read(box / "merged.ipynb", as_version=4)
    told: dict[str, Any] = {"outputs": {}, "runs": [], "ended": None, "stopped": [], "replaced": []}
    (box / "answers").mkdir(exist_ok=True)
    kernel = Kernel(box, budget)
    number = 0
    try:
        allowed = [str(box), "/tmp", "/var/tmp"]
        first = (
            "__import__('sys').modules.setdefault('_grading', __import__('tools.grading.watch', fromlist=['watch']))"
        )
        kernel.execute(f"{first}.begin({str(box / 'wrote.txt')!r}, {str(ROOT)!r}, {allowed!r})", quiet=True)
        kernel.execute("__import__('sys').modules['_grading'].seal()", quiet=True)
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            exercise = exercise_of(cell.source) if cell.metadata.get("nbgrader", {}).get("grade") else None
            if exercise:
                path = str(box / "answers" / f"{exercise}.pickle")
                pack = f"pack({path!r}, {list(asked_names(cell.source))!r}, globals())"
                kernel.execute(f"__import__('tools.grading.carry', fromlist=['carry']).{pack}", quiet=True)
                told["runs"].append([cell.id, cell.source, None])
                continue
            ran = kernel.execute(cell.source, cell.id)
            told["outputs"][str(number)] = ran.outputs()
            told["runs"].append([cell.id, cell.source, ran.error])
            told["stopped"] += [number] if ran.stopped else []
        number = -1
        end = "__import__('json').dumps(__import__('sys').modules['_grading'].replaced(globals()))"
        for one in kernel.execute(f"print({end})", quiet=True).outputs():
            told["replaced"] = json.loads(one["text"]) if one["output_type"] == "stream" else []
    except KernelGone as gone:
        if number >= 0:
            told["ended"] = [number, str(gone)]
    finally:
        kernel.end()
    return told


def main() -> None:
    """Run one notebook."""
    box = Path(sys.argv[1])
    budget = Budget(**json.loads(sys.argv[2]))
    hold_memory(budget.memory)
    try:
        told = run(box, budget)
    except Exception as error:
        told = {
            "outputs": {},
            "runs": [],
            "ended": [-1, f"it could not be run: {type(error).__name__}: {error}"],
            "stopped": [],
            "replaced": [],
        }
    written = box / "executed.part"
    written.write_text(json.dumps(told), encoding="utf-8")
    written.replace(box / "executed.json")


if __name__ == "__main__":
    main()
