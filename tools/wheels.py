"""Put all that a learner's machine needs into a folder or onto a USB stick, for a room with bad Wi-Fi.

    python tools/wheels.py /media/usb                      for machines like this one
    python tools/wheels.py DIR --for windows:3.12 --for macos:3.13
    python tools/wheels.py DIR --try                       and install from it, to see that nothing is missing

The folder then holds `wheels/` (the packages of requirements.txt, and those that install the project), `course.zip`
(the last commit) and `install.py`. On a learner's machine, with no network: `python install.py`, or in a clone
`make lab WHEELS=/media/usb`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
INSTALL = "install.py"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
# What stands for a system in the markers of the lock: sys_platform, os_name, platform_system, platform_machine.
MARKERS = {
    "linux": ("linux", "posix", "Linux", "x86_64"),
    "linux-arm": ("linux", "posix", "Linux", "aarch64"),
    "windows": ("win32", "nt", "Windows", "AMD64"),
    "macos": ("darwin", "posix", "Darwin", "arm64"),
}
# pip takes each tag to the letter: an older manylinux is not part of a newer one.
TAGS = {
    "linux": [
        *(f"manylinux_2_{minor}_x86_64" for minor in range(5, 35)),
        "manylinux2014_x86_64",
        "manylinux2010_x86_64",
    ],
    "linux-arm": [*(f"manylinux_2_{minor}_aarch64" for minor in range(17, 35)), "manylinux2014_aarch64"],
    "windows": ["win_amd64"],
    "macos": [f"macosx_{major}_0_{kind}" for major in range(11, 15) for kind in ("arm64", "universal2")],
}


@dataclass(frozen=True)
class Target:
    """A kind of machine: a system out of TAGS, None for this one, and a Python such as "3.12"."""

    system: str | None = None
    python: str = HERE

    @property
    def environment(self) -> dict[str, str] | None:
        """What markers are held against; None takes this machine."""
        if self.system is None:
            return None
        names = ("sys_platform", "os_name", "platform_system", "platform_machine")
        versions = {"python_version": self.python, "python_full_version": f"{self.python}.0"}
        return {**dict(zip(names, MARKERS[self.system], strict=True)), **versions}

    @property
    def options(self) -> list[str]:
        """What pip is told of it."""
        if self.system is None:
            return []
        abi = f"cp{self.python.replace('.', '')}"
        tags = [option for tag in TAGS[self.system] for option in ("--platform", tag)]
        return [*tags, "--python-version", self.python, "--implementation", "cp",
                "--abi", abi, "--abi", "abi3", "--abi", "none"]  # fmt: skip


def target(text: str) -> Target:
    """Read "windows:3.12", or "windows" for the Python that runs this.

    Raises:
        argparse.ArgumentTypeError: it is another system or Python.
    """
    system, _, python = text.partition(":")
    python = python or HERE
    if system not in TAGS or python not in ("3.11", "3.12", "3.13"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of {', '.join(TAGS)}, each with :3.11, :3.12 or :3.13 behind it or without."
        )
    return Target(system, python)


def locked(lock: str, machine: Target) -> list[str]:
    """Return the pins of a lock that a machine needs, without their markers: pip would ask this machine instead."""
    found = []
    for line in lock.splitlines():
        line = line.split("#")[0].strip()
        if line:
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate(machine.environment):
                pin.marker = None
                found.append(str(pin))
    return found


def download(wanted: Sequence[str], into: Path, options: Sequence[str]) -> None:
    """Let pip fetch wheels; what lies there already is not fetched again.

    Raises:
        subprocess.CalledProcessError: pip failed, and has said why.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-qq", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(into), "--find-links", str(into), *options, *wanted], check=True)


def fill(folder: Path, machines: Sequence[Target]) -> Iterator[str]:
    """Write the folder and yield what a waiting person wants to know.

    Raises:
        subprocess.CalledProcessError: git or pip failed, and has said why.
        OSError: nothing can be written there.
    """
    if not (ROOT / ".git").exists():
        raise FileNotFoundError(f"{ROOT} is no clone, and the course is packed from its last commit")
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    # From the last commit: what a learner gets is what was tested.
    archive = ["git", "-C", str(ROOT), "archive", "--format=zip", "--prefix=course/", "HEAD"]
    subprocess.run([*archive, "--output", str((folder / "course.zip").absolute())], check=True)
    shutil.copy(ROOT / "tools" / INSTALL, folder / INSTALL)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    # hatchling asks for `editables` when it installs the project as a link.
    download([*build, "editables"], wheels, []) if build else None
    for machine in machines:
        pins = locked((ROOT / "requirements.txt").read_text(encoding="utf-8"), machine)
        yield f"Fetching {len(pins)} packages for {machine.system or 'this machine'}, Python {machine.python}."
        download(pins, wheels, ["--no-deps", *machine.options])
    sizes = [path.stat().st_size for path in wheels.glob("*.whl")]
    yield f"{folder} holds the course and {len(sizes)} packages, {sum(sizes) / 1e6:.0f} MB."


def attempt(folder: Path) -> None:
    """Install from the folder into a temporary one, with every way to a network closed, and import Keras.

    Raises:
        subprocess.CalledProcessError: something is missing, and pip has said what.
    """
    closed = {"PIP_NO_INDEX": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    env = {**os.environ, **closed, **quiet}
    with tempfile.TemporaryDirectory() as place:
        course = Path(place) / "course"
        command = [sys.executable, str(folder / INSTALL), str(course)]
        subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
        python = course / (".venv/Scripts/python.exe" if sys.platform == "win32" else ".venv/bin/python")
        subprocess.run([str(python), "-c", "import keras, helpers"], check=True, cwd=place, env=env)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, fill the folder, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="made if it is missing")
    of = f"{', '.join(TAGS)}; may be given several times; this machine if it is not given"
    parser.add_argument("--for", dest="machines", action="append", type=target, metavar="SYSTEM[:PYTHON]", help=of)
    parser.add_argument("--try", dest="attempt", action="store_true", help="install from it into a temporary folder")
    options = parser.parse_args(arguments)
    try:
        for news in fill(options.folder, options.machines or [Target()]):
            print(news, flush=True)
        if options.attempt:
            print("Installing from it, into a temporary folder; this takes a few minutes.", flush=True)
            attempt(options.folder)
            print("An install from it, without a network, works.")
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"The folder is not complete: {error}. Mend it and run the same command again.", file=sys.stderr)
        return 1
    print(f"On a learner's machine: python {INSTALL}, in that folder. It needs no network.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
