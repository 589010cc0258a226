"""What every kernel of a test run starts with: no network, its peak memory written down, its folders remembered.

The root `conftest.py` puts this file into a temporary IPython profile, so that it runs before a lesson's first cell.
It uses the standard library alone and leaves nothing in the learner's namespace.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import sys
from pathlib import Path

# Events of `sys.addaudithook` with which Python reaches other machines, and which argument names the other side.
ADDRESS_EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
NAME_EVENTS = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0}


class NetworkIsOffError(OSError):
    """A program of the course asked for the network while the tests keep it off."""


def is_this_machine(host: object) -> bool:
    """Return whether `host`, a name or an address, is this machine's own loopback."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).split("%")[0]).is_loopback
    except ValueError:
        return False


def host_of(address: object) -> object:
    """Return the host in the address of a socket; None where there is none (a Unix socket, a connected one)."""
    return address[0] if isinstance(address, tuple) and address else None


def append(folder: Path, name: str, row: dict[str, object]) -> None:
    """Add one JSON line to this process's own file in `folder`."""
    with (folder / f"{name}-{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def notebook_name() -> str:
    """Return the notebook that this kernel serves, as JupyterLab or the root conftest named it."""
    in_lab = os.environ.get("JPY_SESSION_NAME")
    if in_lab:
        return f"{Path(in_lab).name} in JupyterLab"
    return os.environ.get("COURSE_TEST_NOTEBOOK", "a notebook without a name")


def cut_network(folder: Path) -> None:
    """Refuse each connection and name look-up that leaves this machine, and note it down in `folder`."""

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event in ADDRESS_EVENTS:
            host = host_of(arguments[ADDRESS_EVENTS[event]])
        elif event in NAME_EVENTS:
            host = arguments[NAME_EVENTS[event]]
        else:
            return
        if not is_this_machine(host):
            append(folder, "network", {"notebook": notebook_name(), "host": str(host)})
            raise NetworkIsOffError(
                f"The network is off while the course is tested, and something asked for {host!r}. "
                "A lesson must run from the files in the repository alone."
            )

    sys.addaudithook(refuse)


def remember_folders(folder: Path) -> None:
    """Note down each folder that is made below `runs` beside the notebook; the tests remove exactly those."""
    runs = Path.cwd() / "runs"

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event != "os.mkdir" or not isinstance(arguments[0], str | os.PathLike):
            return
        made = Path(os.path.abspath(arguments[0]))
        if (made == runs or runs in made.parents) and not made.exists():
            append(folder, "folders", {"path": str(made)})

    sys.addaudithook(note)


def kilobytes(field: str, process: int | str = "self") -> int | None:
    """Return a row of a process's memory in units of 1,024 bytes; None where Linux does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1])
    return None


def peak_kilobytes() -> int | None:
    """Return the most memory this process ever held, in units of 1,024 bytes; None where Linux does not tell.

    A fork maps the libraries of the process that loaded them again page by page. What it has not mapped yet is added,
    as a kernel that had loaded them itself would hold it.
    """
    peak, loader = kilobytes("VmHWM"), os.environ.get("COURSE_FORK_OF")
    if peak is not None and loader:
        peak += max(0, (kilobytes("RssFile", loader) or 0) - kilobytes("RssFile"))
    return peak


def watch_memory(folder: Path, shell) -> None:
    """Write down the kernel's peak memory after each cell: nbval kills kernels, so nothing runs at their exit."""

    def record(*_: object) -> None:
        peak = peak_kilobytes()
        if peak is None:
            return
        target = folder / f"memory-{os.getpid()}.json"
        written = target.with_suffix(".part")
        written.write_text(json.dumps({"notebook": notebook_name(), "kilobytes": peak}), encoding="utf-8")
        written.replace(target)

    shell.events.register("post_run_cell", record)


def demand_right_answers() -> None:
    """Let `checks.check` raise in the solutions edition unless the answer is right."""
    if Path.cwd().name == "solutions":
        os.environ["COURSE_STRICT"] = "1"


def guard_kernel(folder: Path, shell) -> None:
    """Do all of the above for one kernel, and cut the network of the Python programs that it starts as well."""
    demand_right_answers()
    cut_network(folder)
    remember_folders(folder)
    watch_memory(folder, shell)
    children = str(folder / "children")  # holds the sitecustomize.py that the root conftest writes
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (children, os.environ.get("PYTHONPATH"))))
