"""Power cut at any moment: the calls of a saving process are recorded, and the disk rebuilt after each of them.

What is written reaches the disk when the system likes, or when `fsync` says so. After each call we build what a disk
may hold, in five ways, and let a reader load it:

- `strict`: nothing that was not flushed has arrived: names by `fsync` of their folder, content by `fsync` of the file;
- `no data`: all names have arrived (creations, renames, removals), of the content only what was flushed;
- `zeros`: the same, and files have their length already, with zeros where the content is missing;
- `half`: the same, with half of what was not flushed;
- `all`: everything has arrived, as after a kill.

The last four are what file systems do that write names to their journal before the data. The model is POSIX's: some
systems promise more (ext4 flushes a file that is renamed over another one, mostly), none may be relied on for it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import traced
from .processes import call
from .writers import Writer, found

CALLS = (
    "open,openat,creat,close,dup,dup2,dup3,fcntl,lseek,write,pwrite64,writev,pwritev,ftruncate,truncate,fallocate,"
    "fsync,fdatasync,sync_file_range,sync,syncfs,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,"
    "symlinkat,mkdir,mkdirat,rmdir,sendfile,copy_file_range,mmap"
)
VARIANTS = ("strict", "no data", "zeros", "half", "all")


def why_not() -> str | None:
    """Say why no power cut can be replayed on this machine; None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (on Debian: apt-get install strace)"
    probe = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else f"strace may not trace here: {probe.stderr.strip()[:200]}"


def record(folder: Path, kinds: list[type[Writer]], saves: int = 3) -> Path:
    """Let a process save some times with each of `kinds` below `folder` and return the record of its calls."""
    output = folder / "calls.txt"
    for kind in kinds:
        (folder / "disk" / kind.__name__).mkdir(parents=True)
    names = [kind.__name__ for kind in kinds]
    # `-y` writes the path beside each number of an open file; `-xx` and the size keep what is written whole.
    command = ["strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "4000000", "-e", f"trace={CALLS}", "-o", output]
    subprocess.run(
        [*command, sys.executable, "-W", "ignore", "-m", traced.__name__, folder / "disk", str(saves), *names],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    return output


# -- the record ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One call that came back: its name, its arguments as strace writes them, and what it returned."""

    name: str
    arguments: tuple[str, ...]
    result: int
    path: str  # of the file that the result stands for


def read_record(path: Path) -> Iterator[Call]:
    """Yield the calls in the order in which they came back; failed ones too, since marks are failed ones."""
    waiting: dict[str, str] = {}
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            process, _, text = line.rstrip("\n").partition(" ")
            text = text.lstrip()
            if text.endswith("<unfinished ...>"):
                waiting[process] = text.removesuffix("<unfinished ...>")
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>", text)
            if resumed:
                text = waiting.pop(process, "") + text[resumed.end() :]
            whole = re.match(r"(\w+)\((.*)\)\s+= (-?\d+|0x[0-9a-f]+)(?:<((?:\\x[0-9a-f]{2}|[^>])*)>)?", text)
            if whole:
                name, arguments, result, file = whole.groups(default="")
                yield Call(name, tuple(split(arguments)), int(result, 0), text_of(file))


def split(arguments: str) -> Iterator[str]:
    """Split at the commas that stand in no bracket and no string."""
    depth, part, quoted = 0, [], False
    for piece in re.split(r"([\[\]{}\",])", arguments):
        if piece == '"':
            quoted = not quoted
        elif not quoted:
            depth += (piece in ("[", "{")) - (piece in ("]", "}"))
            if piece == "," and depth == 0:
                yield "".join(part).strip()
                part = []
                continue
        part.append(piece)
    yield "".join(part).strip()


def bytes_of(argument: str) -> bytes:
    """Return the bytes of a string, or of all strings in a list of buffers."""
    return b"".join(bytes.fromhex(text.replace("\\x", "")) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', argument))


def text_of(argument: str) -> str:
    """Return a path, from a string or from what stands beside a number."""
    return re.sub(r"(?:\\x[0-9a-f]{2})+", lambda found: bytes.fromhex(found[0].replace("\\x", "")).decode(), argument)


def path_of(call: Call, place: int) -> str:
    """Return the path of an argument: a string, after the number of a folder in calls that end in `at`."""
    path = text_of(call.arguments[place].strip('"'))
    if path.startswith("/") or place == 0:
        return path
    return f"{text_of(call.arguments[place - 1].partition('<')[2].rstrip('>'))}/{path}"


# -- the disk --------------------------------------------------------------------------------------------------------


@dataclass
class File:
    """A file: what it holds, what of that was flushed, and whether it was flushed since it was made or cut."""

    content: bytearray = field(default_factory=bytearray)
    flushed: bytes = b""

    def seen(self, variant: str) -> bytes:
        """Return what the disk may hold of it."""
        if variant == "all" or bytes(self.content) == self.flushed:
            return bytes(self.content)
        if variant == "zeros":
            return (self.flushed + bytes(len(self.content)))[: len(self.content)]
        if variant == "half":
            half = len(self.content) // 2
            return bytes(self.content[:half])
        # Cut to nothing is a change of a name's length, which arrives with the names.
        return self.flushed[: len(self.content)] if variant == "no data" else self.flushed


class Disk:
    """What a folder holds for its processes, and what of that a power cut leaves."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.names: dict[str, File | None] = {}  # None for a folder
        self.flushed: dict[str, File | None] = {}
        self._open: dict[int, tuple[str, File, bool]] = {}  # by number: path, file, appends
        self._at: dict[int, int] = {}

    def inside(self, path: str) -> bool:
        return path == self.root or path.startswith(f"{self.root}/")

    def apply(self, call: Call) -> bool:
        """Do what a call did; return whether the disk may hold something else now."""
        if call.result < 0:
            return False
        name = call.name
        if name in ("open", "openat", "creat"):
            return self._open_file(call)
        if name in ("rename", "renameat", "renameat2"):
            old, new = (
                (path_of(call, 0), path_of(call, 1)) if name == "rename" else (path_of(call, 1), path_of(call, 3))
            )
            return self._rename(old, new)
        if name in ("unlink", "rmdir", "unlinkat"):
            return self.names.pop(path_of(call, name == "unlinkat"), self) is not self
        if name in ("mkdir", "mkdirat"):
            path = path_of(call, name == "mkdirat")
            if self.inside(path):
                self.names[path] = None
            return self.inside(path)
        if name in ("link", "linkat", "symlink", "symlinkat", "truncate", "sendfile", "copy_file_range"):
            if any(self.inside(text_of(argument).strip('"')) for argument in call.arguments):
                raise NotImplementedError(f"The replay does not know {name}, which a writer calls.")
            return False
        number = int(re.match(r"\d+", call.arguments[0])[0]) if re.match(r"\d+", call.arguments[0]) else -1
        if name == "mmap":
            number = int(re.match(r"-?\d+", call.arguments[4])[0])
            if number in self._open and "WRITE" in call.arguments[2] and "SHARED" in call.arguments[3]:
                raise NotImplementedError("The replay does not know mmap for writing, which a writer calls.")
            return False
        return self._on_open_file(call, number)

    def _open_file(self, call: Call) -> bool:
        path = call.path or path_of(call, call.name == "openat")
        flags = (
            call.arguments[2 if call.name == "openat" else 1] if call.name != "creat" else "O_WRONLY|O_CREAT|O_TRUNC"
        )
        self._open.pop(call.result, None)
        if not self.inside(path) or "O_TMPFILE" in flags:
            return False
        if "O_DIRECTORY" in flags or self.names.get(path, self) is None or path == self.root:
            self._open[call.result] = (path, None, False)
            return False
        changed = False
        file = self.names.get(path)
        if file is None:
            file = self.names[path] = File()
            changed = True
        if "O_TRUNC" in flags and file.content:
            file.content.clear()
            changed = True
        self._open[call.result] = (path, file, "O_APPEND" in flags)
        self._at[call.result] = 0
        return changed

    def _rename(self, old: str, new: str) -> bool:
        if not self.inside(old):
            if self.inside(new):
                raise NotImplementedError(f"A file came in from outside: {old}")
            return False
        for path in [path for path in self.names if path == old or path.startswith(f"{old}/")]:
            self.names[new + path[len(old) :]] = self.names.pop(path)
        return True

    def _on_open_file(self, call: Call, number: int) -> bool:
        name = call.name
        if name in ("sync", "syncfs"):
            raise NotImplementedError(f"The replay does not know {name}, which a writer calls.")
        if number not in self._open:
            return False
        path, file, appends = self._open[number]
        if name == "close":
            del self._open[number]
        elif name in ("dup", "dup2", "dup3") or (name == "fcntl" and "DUPFD" in call.arguments[1]):
            self._open[call.result], self._at[call.result] = self._open[number], self._at.get(number, 0)
        elif name == "lseek":
            self._at[number] = call.result
        elif name in ("write", "writev"):
            at = len(file.content) if appends else self._at[number]
            self._put(file, at, bytes_of(call.arguments[1])[: call.result])
            self._at[number] = at + call.result
            return True
        elif name in ("pwrite64", "pwritev"):
            self._put(file, int(call.arguments[-1]), bytes_of(call.arguments[1])[: call.result])
            return True
        elif name == "ftruncate":
            length = int(call.arguments[1])
            file.content[:] = (bytes(file.content) + bytes(max(0, length - len(file.content))))[:length]
            return True
        elif name in ("fsync", "fdatasync"):
            self._flush(path, file)
            return True
        return False

    @staticmethod
    def _put(file: File, at: int, data: bytes) -> None:
        if len(file.content) < at:
            file.content.extend(bytes(at - len(file.content)))
        file.content[at : at + len(data)] = data

    def _flush(self, path: str, file: File | None) -> None:
        if file is not None:
            file.flushed = bytes(file.content)
            return
        # A folder: its own names, not those in folders below.
        for name in {*self.flushed, *self.names}:
            if name.rpartition("/")[0] == path:
                if name in self.names:
                    self.flushed[name] = self.names[name]
                else:
                    for gone in [other for other in self.flushed if other == name or other.startswith(f"{name}/")]:
                        del self.flushed[gone]

    def after_a_cut(self, variant: str) -> dict[str, bytes | None]:
        """Return what the disk may hold: content by path below the root, None for a folder."""
        names = self.flushed if variant == "strict" else self.names
        held = {}
        for path, file in names.items():
            folders = [part for part in names if path.startswith(f"{part}/")]
            if len(folders) == path[len(self.root) :].count("/") - 1:  # else a folder above has not arrived
                held[path[len(self.root) + 1 :]] = None if file is None else file.seen(variant)
        return held


# -- the trial -------------------------------------------------------------------------------------------------------


def states(record_file: Path, root: str, name: str) -> tuple[dict[str, dict[str, bytes | None]], Counter]:
    """Return each different state of the disk by a key, and how often (state, complete saves, variant) occurred."""
    disk = Disk(root)
    complete, contents, times = 0, {}, Counter()
    for made in read_record(record_file):
        if made.name == "openat" and traced.MARK in (path := path_of(made, 1)):
            _, marked, number = path.rsplit("/", 2)
            complete = int(number) if marked == name else complete
            continue
        if disk.apply(made):
            for variant in VARIANTS:
                held = disk.after_a_cut(variant)
                key = hashlib.sha256(repr(sorted(held.items())).encode()).hexdigest()
                contents.setdefault(key, held)
                times[key, complete, variant] += 1
    return contents, times


def judge_states(kind: type[Writer], folder: Path, keys: list[str]) -> dict[str, int | str]:
    """Return what a reader finds on each of the disks, which lie in folders named by their keys."""
    kind.width_of_reader = traced.WIDTH
    return {key: found(kind(folder / key / "disk")) for key in keys}


def power_cut(kind: type[Writer], record_file: Path, folder: Path) -> dict[str, int]:
    """Return how many of the moments are "fine", "unreadable", "lost" and "older", all variants together.

    A moment is one call with one variant. Before the first save is complete, nothing need be there, but what is there
    must be readable.
    """
    contents, times = states(record_file, str(record_file.parent / "disk" / kind.__name__), kind.__name__)
    for key, held in contents.items():
        disk = folder / key / "disk"
        disk.mkdir(parents=True)
        for path, content in sorted(held.items()):
            if content is None:
                (disk / path).mkdir(parents=True, exist_ok=True)
            else:
                (disk / path).parent.mkdir(parents=True, exist_ok=True)
                (disk / path).write_bytes(content)
    left = call(judge_states, kind, folder, list(contents))
    counts: Counter = Counter()
    for (key, complete, _variant), number in times.items():
        what = left[key]
        if what == "nothing":
            outcome = "lost" if complete else "fine"
        elif isinstance(what, str):
            outcome = "unreadable"
        else:
            outcome = "fine" if what >= complete else "older"
        counts[outcome] += number
    return dict(counts)
