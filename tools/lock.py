"""Write the locks and `environment.yml` from `pyproject.toml`: `python tools/lock.py [--check | --upgrade]`.

The locks are plain `name==version ; marker` lines for every supported platform, with no registry's address in them.
`--check` compares what is on disk without asking a registry: each direct dependency is pinned, and
`environment.yml` says what the locks say.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
# Packages that the environment of conda and Binder must have besides the lock.
CONDA_PYTHON = "3.12"
# Botocore, below s3fs, refuses the python-dateutil that the learner's lock holds.
S3_NEEDS_OTHER = ("python-dateutil",)


def pins(lock: Path) -> list[str]:
    """Return the `name==version ; marker` lines of a lock."""
    return [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]


def binder_pins() -> list[str]:
    """Return the learner's pins and those of the packages that Binder needs besides, in the order of their names."""
    learner = pins(ROOT / "requirements.txt")
    names = {pin.split("==")[0] for pin in learner}
    more = [pin for pin in pins(ROOT / "requirements-binder.txt") if pin.split("==")[0] not in names]
    return sorted([*learner, *more], key=lambda pin: pin.split("==")[0])


def environment_text() -> str:
    """Return what `environment.yml` must hold: the learner's pins and what Binder needs besides, inline.

    Binder reinstalls everything at each commit when the pip part refers to a file of the repository
    (`-r`, `-e .`, `file:`), so it does not; `postBuild` installs the project.
    """
    lines = [
        "# Written by tools/lock.py from requirements.txt and requirements-binder.txt; do not edit by hand.",
        "name: keras-callbacks",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python={CONDA_PYTHON}",
        "  - pip",
        "  - pip:",
    ]
    lines += [f'      - "{pin}"' for pin in binder_pins()]
    return "\n".join(lines) + "\n"


def shared_pins(without: tuple[str, ...] = ()) -> list[str]:
    """Return the learner's pins, which every other lock keeps to, except those of the packages in `without`."""
    return [pin for pin in pins(ROOT / "requirements.txt") if pin.split("==")[0] not in without]


def compile_lock(
    out: str, *sources: str, upgrade: bool, group: str | None = None, extra: str | None = None,
    constraints: list[str] | None = None,
) -> None:  # fmt: skip
    """Compile one lock with uv for all platforms and Pythons, keeping earlier pins unless `upgrade`."""
    command = [sys.executable, "-m", "uv", "--quiet", "pip", "compile", "--universal", "--no-header", "--no-annotate"]
    command += ["--python-version", OLDEST_PYTHON, "--output-file", out]
    command += ["--upgrade"] if upgrade else []
    command += ["--group", group] if group else []
    command += ["--extra", extra] if extra else []
    with tempfile.TemporaryDirectory() as folder:
        if constraints is not None:
            file = Path(folder) / "constraints.txt"
            file.write_text("\n".join(constraints))
            command += ["--constraints", str(file)]
        subprocess.run([*command, *sources], check=True, cwd=ROOT)


def write(*, upgrade: bool) -> None:
    """Write the locks, then `environment.yml`."""
    compile_lock("requirements.txt", "pyproject.toml", upgrade=upgrade)
    shared = shared_pins()
    compile_lock("requirements-dev.txt", upgrade=upgrade, group="dev", constraints=shared)
    compile_lock("requirements-binder.txt", upgrade=upgrade, group="binder", constraints=shared)
    compile_lock("requirements-data.txt", upgrade=upgrade, group="data", constraints=shared)
    compile_lock(
        "requirements-production.txt", "pyproject.toml", upgrade=upgrade, group="s3", extra="production",
        constraints=shared_pins(without=S3_NEEDS_OTHER),
    )  # fmt: skip
    for extra in ("conformance", "grading", "hub"):
        compile_lock(f"requirements-{extra}.txt", "pyproject.toml", upgrade=upgrade, extra=extra, constraints=shared)
    (ROOT / "environment.yml").write_text(environment_text())


def problems() -> list[str]:
    """Return one sentence for each thing that is out of step; an empty list is good."""
    found = []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    direct, groups = project["project"]["dependencies"], project["dependency-groups"]
    extras = project["project"]["optional-dependencies"]
    wanted = {
        "requirements.txt": direct,
        "requirements-dev.txt": groups["dev"],
        "requirements-binder.txt": groups["binder"],
        "requirements-data.txt": groups["data"],
        "requirements-production.txt": [*direct, *extras["production"], *groups["s3"]],
        "requirements-conformance.txt": [*direct, *extras["conformance"]],
        "requirements-grading.txt": [*direct, *extras["grading"]],
        "requirements-hub.txt": [*direct, *extras["hub"]],
    }
    for name, requirements in wanted.items():
        lines = pins(ROOT / name)
        found += [
            f"{name}: not a plain pin: {line!r}" for line in lines if not re.match(r"[\w.-]+==[\w.!+-]+( ; .+)?$", line)
        ]
        locked = {line.split("==")[0].lower() for line in lines}
        for requirement in requirements:
            package = re.match(r"[\w.-]+", requirement)[0].lower()
            if package not in locked:
                found.append(f"{name}: {package} is in pyproject.toml and not in the lock; run `make lock`")
    if (ROOT / "environment.yml").read_text() != environment_text():
        found.append("environment.yml does not say what the locks say; run `make lock`")
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
