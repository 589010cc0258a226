"""Measure a class: learners who all start their servers on a JupyterHub at once and run a lesson, over websockets.

python benchmarks/classroom.py [--learners 20] [--lesson 02] [--defaults] [--write]

A real hub, with the settings of hub/jupyterhub_config.py, but learners who are no users of the system and need no
password. Each gets a server, fetches the course with nbgitpuller, opens the lesson and runs each of its cells through
the hub's proxy. Prints what failed, how long it took, and the memory. --defaults leaves the course's settings out;
--write keeps the numbers in hub/measured.toml, to which the settings are held. Everything stays on 127.0.0.1. Linux
alone: it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from urllib.parse import urlencode

import nbformat
import psutil
from binder import free_port, memory
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "hub" / "measured.toml"
COURSE = "course"  # the folder in a learner's home
SETTING = "@jupyterlab/apputils-extension:kernels-settings"  # one that the course ships
SECONDS = 1800  # for a server, and for a cell: whatever takes longer has failed

# What differs from the hub of a class: where it listens, who comes in and as whom.
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser", "--allow-root"]
c.JupyterHub.services.append(dict(name="class", api_token="{token}"))
c.JupyterHub.load_roles.append(
    dict(name="class", services=["class"], scopes=["admin:users", "admin:servers", "access:servers"])
)
"""


@dataclass
class Hub:
    """A running hub: where it is, and how to ask it."""

    address: str
    token: str
    process: subprocess.Popen

    async def ask(self, place: str, method: str = "GET", sent: dict | None = None) -> str:
        """Send a request and return the body of the answer."""
        body = json.dumps(sent or {}) if method == "POST" else None
        head = {"Authorization": f"token {self.token}"}
        request = HTTPRequest(
            f"{self.address}/{place}", method, head, body, connect_timeout=SECONDS, request_timeout=SECONDS
        )
        return (await AsyncHTTPClient().fetch(request)).body.decode()

    async def answers(self) -> None:
        """Wait until the hub answers.

        Raises:
            RuntimeError: it ended, or did not answer within five minutes.
        """
        for _ in range(600):
            with suppress(OSError, HTTPClientError):
                await self.ask("hub/api/")
                return
            if self.process.poll() is not None:
                break
            await asyncio.sleep(0.5)
        raise RuntimeError("The hub did not start.")

    def socket(self, place: str) -> HTTPRequest:
        """Return the request that opens a websocket."""
        return HTTPRequest(
            f"{self.address}/{place}".replace("http", "ws", 1), headers={"Authorization": f"token {self.token}"},
            request_timeout=SECONDS,
        )  # fmt: skip


@contextmanager
def running_hub(folder: Path, *, defaults: bool) -> Iterator[Hub]:
    """Start a hub whose files all lie in `folder`; end it and all that it started."""
    token, port = secrets.token_hex(16), free_port()
    text = "" if defaults else f"load_subconfig({str(ROOT / 'hub' / 'jupyterhub_config.py')!r})\n"
    text += CONFIG.format(
        folder=folder, port=port, hub=free_port(), api=free_port(), token=token, python=sys.executable,
        proxy=str(ROOT / "hub" / "node_modules" / ".bin" / "configurable-http-proxy"),
    )  # fmt: skip
    (folder / "jupyterhub_config.py").write_text(text)
    (folder / "home").mkdir()
    with (folder / "hub.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"], cwd=folder, stdout=log, stderr=log
        )
    try:
        yield Hub(f"http://127.0.0.1:{port}", token, process)
        unknown = [line for line in (folder / "hub.log").read_text().splitlines() if "not recognized by" in line]
        if unknown:
            raise RuntimeError(f"The hub does not know a setting: {unknown}")
    except BaseException:
        print((folder / "hub.log").read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        with suppress(psutil.NoSuchProcess):  # the hub has ended by itself
            for one in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        process.kill()
        process.wait()


@dataclass
class Learner:
    """One learner: what they did, how long it took, and what went wrong."""

    name: str
    hub: Hub
    failure: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)

    async def study(self, repository: str, notebook: Path) -> None:
        """Get a server, fetch the course, run the lesson; keep the first failure."""
        steps = (("server", self.start), ("fetch", self.fetch), ("lesson", self.run))
        for step, work in steps:
            began, used = time.perf_counter(), sum(self.processor.values())
            try:
                await asyncio.wait_for(work(repository, notebook), SECONDS)
            except Exception as error:
                self.failure = f"{step}: {type(error).__name__} {error}"
                break
            self.seconds[step] = time.perf_counter() - began
            self.processor[step] = processor_seconds(processes(self.hub).get(self.name, [])) - used
        print(f"  {self.name}: {self.failure or 'done'}", flush=True)

    async def start(self, _repository: str, _notebook: Path) -> None:
        """Ask for a server, and wait until the hub says that it is there."""
        await self.hub.ask(f"hub/api/users/{self.name}", "POST")
        await self.hub.ask(f"hub/api/users/{self.name}/server", "POST")
        events = await self.hub.ask(f"hub/api/users/{self.name}/server/progress")
        last = json.loads(events.strip().splitlines()[-1].removeprefix("data: "))
        if not last.get("ready"):
            raise RuntimeError(last.get("message"))
        shown = await self.hub.ask(f"user/{self.name}/lab/api/settings/{SETTING}")
        if json.loads(shown)["schema"]["properties"]["commsOverSubshells"]["default"] != "disabled":
            raise RuntimeError("the course's settings of JupyterLab do not apply")

    async def fetch(self, repository: str, _notebook: Path) -> None:
        """Let nbgitpuller clone the course, as its link does."""
        asked = urlencode({"repo": repository, "branch": COURSE, "targetpath": COURSE})
        told = await self.hub.ask(f"user/{self.name}/git-pull/api?{asked}")
        if '"finished"' not in told:
            raise RuntimeError(told[-500:])

    async def run(self, _repository: str, notebook: Path) -> None:
        """Open the lesson and run its cells one after the other, as Shift+Enter does."""
        cells = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
        path = f"{COURSE}/{notebook.relative_to(ROOT).as_posix()}"
        asked = {"path": path, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        kernel = json.loads(await self.hub.ask(f"user/{self.name}/api/sessions", "POST", asked))["kernel"]["id"]
        session = uuid.uuid4().hex
        place = f"user/{self.name}/api/kernels/{kernel}/channels?session_id={session}"
        socket = await websocket_connect(self.hub.socket(place), max_message_size=2**28)
        try:
            for number, code in enumerate(cells, 1):
                await self.execute(socket, session, number, code)
        finally:
            socket.close()

    async def execute(self, socket, session: str, number: int, code: str) -> None:
        """Run one cell: it is over when the reply has come and the kernel says that it is idle."""
        head = {"msg_id": uuid.uuid4().hex, "session": session, "username": self.name, "version": "5.3"}
        request = {
            "channel": "shell", "header": {**head, "msg_type": "execute_request"}, "parent_header": {}, "metadata": {},
            "content": {"code": code, "silent": False, "store_history": True, "allow_stdin": False},
        }  # fmt: skip
        await socket.write_message(json.dumps(request))
        waiting = {"execute_reply", "idle"}
        while waiting:
            raw = await socket.read_message()
            if raw is None:
                raise RuntimeError(f"the kernel's connection closed in code cell {number}")
            message = read(raw)
            if message["content"].get("execution_state") in ("restarting", "autorestarting", "dead"):
                raise RuntimeError(f"the kernel died in code cell {number}")
            if message["parent_header"].get("msg_id") != head["msg_id"]:
                continue
            said, kind = message["content"], message["header"]["msg_type"]
            if kind == "error":
                raise RuntimeError(f"code cell {number}: {said['ename']}: {said['evalue']}")
            waiting.discard(kind if kind != "status" else said["execution_state"])


def read(raw: str | bytes) -> dict:
    """Return a message of the kernel; with binary parts (a widget's picture) it comes as offsets, JSON, parts."""
    if isinstance(raw, str):
        return json.loads(raw)
    count = int.from_bytes(raw[:4], "big")
    starts = [int.from_bytes(raw[4 * i : 4 * i + 4], "big") for i in range(1, count + 1)]
    return json.loads(raw[starts[0] : starts[1] if count > 1 else None])


def repository(folder: Path) -> str:
    """Return the address of a copy of this repository whose branch is called as nbgitpuller is told."""
    bare = folder / "course.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, bare], check=True)
    here = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    subprocess.run(["git", "branch", "--force", COURSE, here.strip()], cwd=bare, check=True)
    return f"file://{bare}"


def processes(hub: Hub) -> dict[str, list[psutil.Process]]:
    """Return the processes of each learner: server, kernels, and what those started."""
    found = {}
    for child in psutil.Process(hub.process.pid).children():
        with suppress(psutil.NoSuchProcess):
            name = child.environ().get("JUPYTERHUB_USER")
            if name:
                found[name] = [child, *child.children(recursive=True)]
    return found


def processor_seconds(found: list[psutil.Process]) -> float:
    """Return what some processes used of a processor so far, in seconds."""
    times = [one.cpu_times() for one in found]
    return sum(one.user + one.system for one in times)


def proportional(found: list[psutil.Process]) -> int:
    """Return the bytes of some processes, where a page that n processes share counts as its nth part (PSS)."""
    total = 0
    for one in found:
        with suppress(OSError):  # it has ended
            text = Path(f"/proc/{one.pid}/smaps_rollup").read_text()
            total += int(text.split("\nPss:")[1].split()[0]) * 1024
    return total


async def peaks(hub: Hub, most: dict[str, int]) -> None:
    """Keep the most memory that each learner held, and "all" together, looking every five seconds until cancelled."""
    while True:
        now = {name: proportional(found) for name, found in processes(hub).items()}
        for name, held in {**now, "all": sum(now.values())}.items():
            most[name] = max(most.get(name, 0), held)
        await asyncio.sleep(5)


async def hold_class(hub: Hub, count: int, source: str, notebook: Path) -> dict:
    """Let `count` learners study at once; return what was measured: bytes, seconds, seconds of a processor."""
    await hub.answers()
    learners = [Learner(f"learner{number:02d}", hub) for number in range(1, count + 1)]
    most: dict[str, int] = {}
    watch = asyncio.create_task(peaks(hub, most))
    await asyncio.gather(*(learner.study(source, notebook) for learner in learners))
    watch.cancel()
    at_the_end = processes(hub)
    done = [one for one in learners if not one.failure]
    measured = {
        "learners": count,
        "failures": count - len(done),
        "cores": os.cpu_count(),
        "memory_all": most.pop("all"),
        "memory_peak": max(most.values(), default=0),
        "memory_mean": mean([proportional(found) for found in at_the_end.values()] or [0]),
        "memory_alone": max((memory([one.pid for one in found]) for found in at_the_end.values()), default=0),
    }
    for step in ("server", "fetch", "lesson"):
        measured[f"{step}_seconds"] = max((one.seconds[step] for one in done), default=0)
        measured[f"{step}_processor_seconds"] = median([one.processor[step] for one in done] or [0])
    return measured


def report(found: dict) -> str:
    """Return what was measured, to read."""
    lines = [f"failures: {found['failures']} of {found['learners']} learners"]
    for step in ("server", "fetch", "lesson"):
        lines.append(
            f"{step:8} the last after {found[f'{step}_seconds']:4.0f} s; "
            f"a learner's takes {found[f'{step}_processor_seconds']:5.1f} s of a processor"
        )
    for what, key in (
        ("of a learner at the end, shared pages divided (PSS)", "memory_mean"),
        ("of a learner at the end, as if alone on the machine", "memory_alone"),
        ("of a learner at the most (PSS)", "memory_peak"),
        ("of all together at the most (PSS)", "memory_all"),
    ):
        lines.append(f"memory {what}: {found[key] / 1e9:.2f} GB")
    return "\n".join(lines)


def keep(found: dict, name: str, load: float) -> None:
    """Write what was measured as the table `name` of hub/measured.toml, in seconds and GB."""
    tables = tomllib.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    in_gb = {key: round(value / 1e9 if key.startswith("memory") else value, 2) for key, value in found.items()}
    tables[name] = {**in_gb, "load_before": round(load, 1)}
    lines = ["# Written by `make classroom ARGS=--write`: seconds, and GB of memory."]
    for table, values in sorted(tables.items()):
        lines += ["", f"[{table}]", *(f"{key} = {value}" for key, value in values.items())]
    MEASURED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=20, metavar="N")
    parser.add_argument("--lesson", default="02", metavar="NN")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--defaults", action="store_true", help="leave the course's settings out")
    either.add_argument("--write", action="store_true", help="keep the numbers in hub/measured.toml")
    options = parser.parse_args()
    (notebook,) = (ROOT / "notebooks").glob(f"{options.lesson}_*.ipynb")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing stays when this is ended
    load = os.getloadavg()[0]
    print(f"{options.learners} learners, {os.cpu_count()} cores, load {load:.1f} before", flush=True)
    AsyncHTTPClient.configure(None, max_clients=2 * options.learners + 2)
    with tempfile.TemporaryDirectory() as folder:
        source = repository(Path(folder))
        with running_hub(Path(folder), defaults=options.defaults) as hub:
            found = asyncio.run(hold_class(hub, options.learners, source, notebook))
            print(report(found), flush=True)  # now: clearing up takes a while
    if options.write:
        keep(found, f"lesson{options.lesson}", load)
    return 1 if found["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
