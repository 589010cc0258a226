"""Walls around a run: the disk read-only, a folder of its own, no network, no sight of other submissions or processes.

`bwrap` (bubblewrap) is used where it works, `unshare` of util-linux where only that does. Where neither works, the run
is held by its limits alone, and by Python's audit events; `Sandbox.words` says so.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .assignment import ROOT

__all__ = ["Sandbox", "environment", "find", "new_box"]

WORDS = {
    "bwrap": "each submission runs behind bubblewrap: the disk is read-only, other submissions are hidden, no network.",
    "unshare": "each submission runs in namespaces of its own: the disk is read-only, other submissions are hidden, "
    "no network.",
    "none": "this system has neither bubblewrap nor namespaces for us to use. Limits hold, each submission has a home "
    "and a copy of the course of its own, what it changes in yours is told, and Python refuses it the network; but a "
    "program that goes past Python can read and write what you can. Do not grade a class here that you do not trust.",
}
# Bubblewrap by hand: the whole disk once more below `root`, read-only; what is hidden covered; what is needed put back.
# At the end all capabilities are gone, so that nothing can be mounted anew.
_UNSHARE = """set -e
mount --make-rprivate /
mount --rbind / {root}
cut -d' ' -f5 /proc/self/mountinfo | grep -E '^{root}(/|$)' | grep -vE '^{root}/(dev|proc)(/|$)' |
while read -r place; do
  mount -o remount,bind,ro "$place" 2>/dev/null || true
done
mount -t proc proc {root}/proc 2>/dev/null || true
{hide}
{show}
mkdir -p {root}{box}
mount --bind {box} {root}{box}
{python} -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))' || true
exec chroot {root} setpriv --no-new-privs --bounding-set=-all --inh-caps=-all \\
  sh -c 'cd "$0" && exec "$@"' {box}/work "$@"
"""
_PROBE = """
import os, pathlib, socket, sys
box, course, home, port = sys.argv[1:]
(pathlib.Path(box) / "work" / "probe").write_text("written")
try:
    (pathlib.Path(course) / "probe.tmp").write_text("written")
    sys.exit("the course can be written")
except OSError:
    pass
try:
    socket.create_connection(("127.0.0.1", int(port)), timeout=2)
    sys.exit("the network is there")
except OSError:
    pass
if os.path.exists(os.path.join(home, "probe")):
    sys.exit("what should be hidden is seen")
print("walled in")
"""


@dataclass(frozen=True)
class Sandbox:
    """How runs are walled in: "bwrap", "unshare" or "none"."""

    kind: str

    @property
    def words(self) -> str:
        """What holds and what does not, in a sentence."""
        return WORDS[self.kind]

    def command(self, program: list[str], box: Path, hidden: list[Path]) -> list[str]:
        """Return the command that runs a program with `box` as the only place to write, without sight of `hidden`."""
        if self.kind == "bwrap":
            return _bwrap(program, box, hidden)
        return _unshare(program, box, hidden) if self.kind == "unshare" else program


def _needed() -> list[str]:
    """Return the folders that a run reads and that may lie in a hidden one: Python's and the course."""
    places = {str(ROOT), sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)}
    places |= {path for path in sys.path if path and Path(path).is_dir()}
    real = {os.path.realpath(place) for place in places} | places
    # Links on the way to Python's own folder lead somewhere, too.
    return sorted(place for place in real if place not in ("/", "/usr") and Path(place).exists())


def _to_hide(hidden: list[Path]) -> list[str]:
    places = {"/tmp", "/var/tmp", os.path.realpath(Path.home()), *(os.path.realpath(one) for one in hidden)}
    return sorted(place for place in places if place != "/" and Path(place).is_dir())


def _bwrap(program: list[str], box: Path, hidden: list[Path]) -> list[str]:
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    command += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for place in _to_hide(hidden):
        command += ["--tmpfs", place]
    for place in _needed():
        command += ["--ro-bind", place, place]
    return [*command, "--bind", str(box), str(box), "--chdir", str(box / "work"), "--", *program]


def _unshare(program: list[str], box: Path, hidden: list[Path]) -> list[str]:
    quoted, root = shlex.quote, shlex.quote(str(box.with_name("root")))
    hide = [f"mkdir -p {root}{p}; mount -t tmpfs tmpfs {root}{p}" for p in map(quoted, _to_hide(hidden))]
    show = [
        f"mkdir -p {root}{there}; mount --bind {there} {root}{there}; mount -o remount,bind,ro {root}{there}"
        for there in map(quoted, _needed())
    ]
    script = _UNSHARE.format(
        root=root, box=quoted(str(box)), python=quoted(sys.executable), hide="\n".join(hide), show="\n".join(show)
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork"]
    return [*command, "--kill-child", "sh", "-c", script, "sh", *program]


@contextmanager
def new_box() -> Iterator[Path]:
    """Give a fresh folder for one submission, with `work`, `home` and `tmp` in it; it vanishes afterwards."""
    base = Path(tempfile.mkdtemp(prefix="grading-"))
    try:
        box = base / "box"
        for name in ("work", "home", "tmp"):
            (box / name).mkdir(parents=True)
        (base / "root").mkdir()  # for the walls of `unshare`
        yield box
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _works(sandbox: Sandbox) -> bool:
    """Try the walls with a program that walks against them."""
    if not shutil.which(sandbox.kind):
        return False
    with new_box() as box, tempfile.TemporaryDirectory() as hidden, socket.create_server(("127.0.0.1", 0)) as server:
        (Path(hidden) / "probe").write_text("hidden")
        program = [sys.executable, "-c", _PROBE, str(box), str(ROOT), hidden, str(server.getsockname()[1])]
        command = sandbox.command(program, box, [Path(hidden)])
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment(box))
        except (OSError, subprocess.TimeoutExpired):
            return False
        return "walled in" in ran.stdout


def environment(box: Path, root: Path = ROOT) -> dict[str, str]:
    """Return the variables of a run: a home, a progress file and a temporary folder of its own, and no secrets."""
    home, tmp = str(box / "home"), str(box / "tmp")
    own = {
        "HOME": home, "USERPROFILE": home, "IPYTHONDIR": home, "MPLCONFIGDIR": home, "XDG_CACHE_HOME": home,
        "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home, "COURSE_PROGRESS": str(box / "home" / "progress.json"),
        "TMPDIR": tmp, "TEMP": tmp, "TMP": tmp, "JUPYTER_RUNTIME_DIR": tmp,
        "PYTHONPATH": os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "GRADING_BOX": str(box),
        # A check's own limit is one of the clock; a crowded machine gets more of it.
        "COURSE_CHECK_SECONDS": "120",
        "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow",
    }  # fmt: skip
    passed = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH", "NUMBER_OF_PROCESSORS")
    return {name: os.environ[name] for name in passed if name in os.environ} | own


@cache
def find(wanted: str | None = None) -> Sandbox:
    """Return the strongest walls that work here, or those that were `wanted`; each is tried, not guessed."""
    for kind in (wanted,) if wanted else ("bwrap", "unshare"):
        if kind == "none" or _works(Sandbox(kind)):
            return Sandbox(kind)
    if wanted:
        raise ValueError(f"{wanted} does not work here.")
    return Sandbox("none")
