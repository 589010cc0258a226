"""Create or update `.venv` for the course: `python tools/setup_env.py PROFILE [--wheels DIR]`.

With `--wheels` it asks no network and takes all packages from a folder that `make wheels` has filled. Runs with the
standard library alone, on the Python that the environment will use. It installs only when the lock has changed, and
starts again from nothing when an earlier install was interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import venv
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGE = 30  # megabytes, of a package that is worth a line
SUPPORTED = ((3, 11), (3, 12), (3, 13))

# Each profile: the folder, the locks it installs, and whether the project itself goes in.
PROFILES = {
    "learner": (".venv", ("requirements.txt",), True),
    "test": (".venv", ("requirements.txt", "requirements-dev.txt"), True),
    "data": (".venv-data", ("requirements-data.txt",), False),
    # Each a whole environment of its own: Keras imports JAX wherever it finds it, and s3fs refuses a learner's pin.
    "production": (".venv-production", ("requirements-production.txt",), True),
    "conformance": (".venv-conformance", ("requirements-conformance.txt",), True),
    "grading": (".venv-grading", ("requirements-grading.txt",), True),
    "hub": (".venv-hub", ("requirements-hub.txt",), True),
}


def unsupported() -> str | None:
    """Say in one line why this Python cannot run the course, or return None."""
    here = sys.version_info[:2]
    if here not in SUPPORTED:
        return (
            f"This course needs Python 3.11, 3.12 or 3.13, for which TensorFlow is built; {sys.executable} is "
            f"{here[0]}.{here[1]}. Install one of them and name it: make lab PYTHON=python3.12"
        )
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        return "TensorFlow is no longer built for Intel Macs; open the course on Binder instead (README.md says how)."
    if sys.maxsize < 2**32:
        return "TensorFlow needs a 64-bit Python; this one is 32-bit."
    return None


def python_of(folder: Path) -> Path:
    """Return the interpreter of the environment in `folder`, whether or not it exists."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def fingerprint(locks: tuple[str, ...], project: bool) -> str:
    """Return a digest of all that an install depends on, so that an unchanged lock installs nothing."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in (*locks, *(("pyproject.toml", "settings/overrides.json") if project else ())):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other install works on `folder`; the system frees the lock even when a process is killed."""
    lock_file = folder.with_name(folder.name + ".lock").open("w")
    with lock_file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock_file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


def news(lines: Iterable[str], total: int) -> Iterator[str]:
    """Yield what a waiting person wants to know of pip's lines: how many packages of `total`, and what takes long."""
    seen = 0
    for line in lines:
        size = re.match(r"\s*Downloading (\S+?)-\d\S* \((\d+(?:\.\d+)?) MB\)", line)
        if re.match(r"Collecting |Requirement already satisfied: ", line):
            seen += 1
            # Packages for other systems stand in the lock as well, so the last of them may never come.
            if seen % 20 == 0 and seen < total:
                yield f"  {seen} of about {total} packages looked up"
        elif size and float(size[2]) >= LARGE:
            yield f"  fetching {size[1].rsplit('/', 1)[-1]} ({float(size[2]):.0f} MB)"
        elif line.startswith("Installing collected packages"):
            yield "  unpacking them; no more news for a minute or so"
        elif line.startswith("Successfully installed"):
            yield "  done"


def offline(folder: Path) -> list[str]:
    """Return what tells pip to take every package from a folder made by `make wheels`, or from its `wheels/`.

    Raises:
        FileNotFoundError: no package lies there.
    """
    for place in (folder / "wheels", folder):
        if any(place.glob("*.whl")):
            return ["--no-index", "--find-links", str(place.absolute())]
    raise FileNotFoundError(f"{folder} holds no packages (*.whl). `make wheels DIR=...` fills a folder with them.")


def run(command: list[str], total: int) -> None:
    """Run pip and print its news.

    Raises:
        subprocess.CalledProcessError: pip failed; its last lines have been printed.
    """
    last: deque[str] = deque(maxlen=20)
    # Errors come through as they are.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace") as pip:
        for line in news((last.append(line) or line for line in pip.stdout), total):
            print(line, flush=True)
    if pip.returncode:
        print("".join(last), end="", file=sys.stderr)
        raise subprocess.CalledProcessError(pip.returncode, command)


def install(profile: str, wheels: Path | None = None) -> bool:
    """Bring the environment of `profile` in step with its locks; return whether anything was installed.

    Args:
        profile: a key of PROFILES.
        wheels: a folder that all packages are taken from; None takes pip's own index.

    Raises:
        FileNotFoundError: the folder holds no packages.
        subprocess.CalledProcessError: pip failed.
    """
    name, locks, project = PROFILES[profile]
    folder = ROOT / name
    python = python_of(folder)
    stamp = folder / f".installed-{profile}"
    unfinished = folder / ".install-unfinished"
    wanted = fingerprint(locks, project)

    if folder.exists() and unfinished.exists():
        print(f"The last install into {name} was interrupted: starting again from nothing.", flush=True)
        shutil.rmtree(folder)
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return False
    source = offline(wheels) if wheels else []

    recorded = folder / ".python-version"
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    usable = python.exists() and recorded.exists() and recorded.read_text() == here
    folder.mkdir(exist_ok=True)
    unfinished.touch()
    if usable:
        print(f"Bringing {name} up to date.", flush=True)
    else:
        print(f"Installing the course into {name}; this takes a few minutes, once.", flush=True)
    if not usable:
        venv.create(folder, with_pip=True, clear=True)
        unfinished.touch()  # `clear` has removed it
        recorded.write_text(here)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off", *source]
    total = sum((ROOT / lock).read_text(encoding="utf-8").count("==") for lock in locks)
    run([*pip, *(part for lock in locks for part in ("-r", str(ROOT / lock)))], total)
    if project:
        run([*pip, "--no-deps", "--editable", str(ROOT)], 1)
    # The test tools lie over the learner's packages, so installing them settles the learner's profile too.
    for other, (their_folder, their_locks, their_project) in PROFILES.items():
        if their_folder == name and set(their_locks) <= set(locks):
            (folder / f".installed-{other}").write_text(fingerprint(their_locks, their_project))
    unfinished.unlink()
    return True


def main() -> int:
    """Read the command line and install."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", choices=sorted(PROFILES))
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="take the packages from here, without a network")
    options = parser.parse_args()
    profile = options.profile
    problem = unsupported()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    try:
        with alone(ROOT / PROFILES[profile][0]):
            install(profile, options.wheels)
    except FileNotFoundError as failure:
        print(failure, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        often = "the network or a full disk"
        if options.wheels:
            python = f"{sys.version_info[0]}.{sys.version_info[1]}"
            often = f"a package that the folder lacks for this system and Python {python}; `make wheels` has `--for`"
        print(
            f"\nThe install stopped with an error (above). Nothing is lost: mend it (often {often}) "
            f"and run the same command again. The command was: {' '.join(failure.cmd[:6])} ...",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again: it starts anew.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
