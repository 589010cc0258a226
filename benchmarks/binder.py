"""Measure what a session needs on Binder: a JupyterLab server, and the kernels of so many lessons run to their end.

python benchmarks/binder.py [--lessons 01 02 03 04 05]

Prints the memory of the server, and of all together after each lesson, as a share of Binder's 2 GB. Pages of a file
that several of its processes share count once, also where others on this machine share them: on Binder nobody does.
Reads /proc: Linux alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import nbformat
import psutil
from jupyter_client import BlockingKernelClient

ROOT = Path(__file__).resolve().parent.parent
BINDER_BYTES = 2 * 1024**3


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def memory(pids: list[int]) -> int:
    """Return the bytes that some processes hold together, each shared page of a file counted once."""
    total, shared = 0, defaultdict(int)
    for pid in pids:
        files = defaultdict(int)
        for block in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path(f"/proc/{pid}/smaps").read_text(), flags=re.MULTILINE)[
            1:
        ]:
            head = block.split("\n", 1)[0].split(maxsplit=5)
            size = {
                name: int(number) * 1024
                for name, number in re.findall(r"^(\w+):\s+(\d+) kB", block, flags=re.MULTILINE)
            }
            if len(head) == 6 and head[5].startswith("/"):
                own = size["Private_Clean"] + size["Private_Dirty"]
                total += own
                files[head[5]] += size["Rss"] - own
            else:
                total += size["Pss"]
        for name, number in files.items():
            shared[name] = max(shared[name], number)
    return total + sum(shared.values())


class Server:
    """A JupyterLab server in the folder of the course, with runtime files and progress of its own."""

    def __init__(self, folder: Path) -> None:
        self.runtime, self.token, self.port = folder / "runtime", "binder", free_port()
        given = {"JUPYTER_RUNTIME_DIR": self.runtime, "IPYTHONDIR": folder, "COURSE_PROGRESS": folder / "progress.json"}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={self.port}"]
        command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **{name: str(value) for name, value in given.items()}},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(600):
            try:
                self.ask("api/status")
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("The server did not answer within two minutes.")

    def ask(self, place: str, sent: dict | None = None) -> dict:
        """Send a request, a POST if there is something to send, and return the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{place}",
            data=None if sent is None else json.dumps(sent).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def run(self, notebook: Path) -> None:
        """Open a notebook's kernel, as a tab does, and run its cells."""
        place = notebook.relative_to(ROOT).as_posix()
        asked = {"path": place, "name": notebook.name, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.ask("api/sessions", asked)["kernel"]["id"]
        client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=120)
            for cell in nbformat.read(notebook, as_version=4).cells:
                if cell.cell_type == "code":
                    client.execute_interactive(cell.source, timeout=300, output_hook=lambda message: None)
        finally:
            client.stop_channels()

    def bytes(self) -> int:
        """Return the memory of the server and of everything that it started."""
        here = psutil.Process(self.process.pid)
        return memory([one.pid for one in (here, *here.children(recursive=True))])

    def stop(self) -> None:
        """End the server and its kernels."""
        for one in psutil.Process(self.process.pid).children(recursive=True):
            one.kill()
        self.process.kill()
        self.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", nargs="+", default=["01", "02", "03", "04", "05"], metavar="NN")
    lessons = parser.parse_args().lessons
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            rows = [("the server", server.bytes())]
            for count, lesson in enumerate(lessons, 1):
                (notebook,) = (ROOT / "notebooks").glob(f"{lesson}_*.ipynb")
                server.run(notebook)
                rows.append((f"and {count} lesson{'s' * (count > 1)}, {lesson} the last", server.bytes()))
                print(
                    f"{rows[-1][0]:32}{rows[-1][1] / 1e9:6.2f} GB {rows[-1][1] / BINDER_BYTES:6.0%} of Binder's",
                    flush=True,
                )
        finally:
            server.stop()
    print(f"{rows[0][0]:32}{rows[0][1] / 1e9:6.2f} GB")


if __name__ == "__main__":
    main()
