"""Write the locks and `environment.yml` from `pyproject.toml`: `python tools/lock.py [--check | --upgrade]`.

The locks are plain `name==version ; marker` lines for every supported platform, with no registry's address in them.
`--check` compares what is on disk without asking a registry: each direct dependency is pinned, and
`environment.yml` says what `requirements.txt` says.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
# Packages that the environment of conda and Binder must have besides the lock.
CONDA_PYTHON = "3.12"


def pins(lock: Path) -> list[str]:
    """Return the `name==version ; marker` lines of a lock."""
    return [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]


def environment_text() -> str:
    """Return what `environment.yml` must hold: the lock's own pins, inline.

    Binder reinstalls everything at each commit when the pip part refers to a file of the repository
    (`-r`, `-e .`, `file:`), so it does not; `postBuild` installs the project.
    """
    lines = [
        "# Written by tools/lock.py from requirements.txt; do not edit by hand.",
        "name: keras-callbacks",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python={CONDA_PYTHON}",
        "  - pip",
        "  - pip:",
    ]
    lines += [f'      - "{pin}"' for pin in pins(ROOT / "requirements.txt")]
    return "\n".join(lines) + "\n"


def compile_lock(out: str, *sources: str, upgrade: bool, group: str | None = None) -> None:
    """Compile one lock with uv for all platforms and Pythons, keeping earlier pins unless `upgrade`."""
    command = [sys.executable, "-m", "uv", "--quiet", "pip", "compile", "--universal", "--no-header", "--no-annotate"]
    command += ["--python-version", OLDEST_PYTHON, "--output-file", out]
    command += ["--upgrade"] if upgrade else []
    command += ["--group", group] if group else []
    subprocess.run([*command, *sources], check=True, cwd=ROOT)


def write(*, upgrade: bool) -> None:
    """Write the three locks, then `environment.yml`."""
    compile_lock("requirements.txt", "pyproject.toml", upgrade=upgrade)
    # `-c` keeps every shared package at the learner's version.
    compile_lock("requirements-dev.txt", "-c", "requirements.txt", upgrade=upgrade, group="dev")
    compile_lock("requirements-data.txt", "-c", "requirements.txt", upgrade=upgrade, group="data")
    (ROOT / "environment.yml").write_text(environment_text())


def problems() -> list[str]:
    """Return one sentence for each thing that is out of step; an empty list is good."""
    found = []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        "requirements.txt": project["project"]["dependencies"],
        "requirements-dev.txt": project["dependency-groups"]["dev"],
        "requirements-data.txt": project["dependency-groups"]["data"],
    }
    for name, direct in wanted.items():
        lines = pins(ROOT / name)
        found += [
            f"{name}: not a plain pin: {line!r}" for line in lines if not re.match(r"[\w.-]+==[\w.!+-]+( ; .+)?$", line)
        ]
        locked = {line.split("==")[0].lower() for line in lines}
        for requirement in direct:
            package = re.match(r"[\w.-]+", requirement)[0].lower()
            if package not in locked:
                found.append(f"{name}: {package} is in pyproject.toml and not in the lock; run `make lock`")
    if (ROOT / "environment.yml").read_text() != environment_text():
        found.append("environment.yml does not say what requirements.txt says; run `make lock`")
    return found


def main() -> int:
    """Read the command line; write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; no network")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    options = parser.parse_args()
    if options.check:
        found = problems()
        print("\n".join(found), file=sys.stderr) if found else None
        return 1 if found else 0
    write(upgrade=options.upgrade)
    return 0


if __name__ == "__main__":
    sys.exit(main())
