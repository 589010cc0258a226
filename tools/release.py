"""Make a release ready, up to the point where it would be published: `python tools/release.py 1.2.0 [--tag]`.

From a clean tree whose CHANGELOG.md has a section `## 1.2.0 (unreleased)` with something in it: writes the version into
pyproject.toml and CITATION.cff, and the day into CITATION.cff and CHANGELOG.md; runs `make check` and `make test`;
builds the package into dist/; commits. With --tag it also tags the commit, here and nowhere else. Whatever goes wrong,
the files are put back. At the end it says what is left to do by hand. `--check` only says whether they are in step.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md")
STEPS = (("make", "check"), ("make", "test"), (sys.executable, "-m", "uv", "build", "--quiet", "--wheel"))

BY_HAND = """\
Version {version} is ready, and nothing has left this machine. Left to do by hand:
1. Install dist/{wheel} into an empty environment, and ask its `which-patience` about a log.
2. Take lessons 00 to 02 in JupyterLab and in Notebook 7, in the light and the dark theme, by keyboard alone.
3. {tag}git push origin HEAD v{version}
4. Make a release of the tag on the forge, with CHANGELOG.md's section as its text and the wheel beside it.
5. Open the tag on Binder: environment.yml is what it installs."""


class Refused(Exception):
    """Why no release can be made; says what to do."""


def sections(changelog: str) -> list[tuple[str, str, str]]:
    """Return version, day (or "unreleased") and text of each section of a change log, in its order."""
    parts = re.split(r"^## (.*)$", changelog, flags=re.MULTILINE)
    found = []
    for head, text in zip(parts[1::2], parts[2::2], strict=True):
        form = re.fullmatch(r"(\d+\.\d+\.\d+) \((unreleased|\d{4}-\d\d-\d\d)\)", head)
        if not form:
            raise Refused(f"CHANGELOG.md: a section is headed `## 1.2.0 (unreleased)` or with its day; got {head!r}.")
        found.append((form[1], form[2], text.strip()))
    return found


def problems(root: Path = ROOT) -> list[str]:
    """Return one sentence for each thing that is out of step between the three files; an empty list is good."""
    project, citation, changelog = ((root / name).read_text(encoding="utf-8") for name in FILES)
    version = tomllib.loads(project)["project"]["version"]
    cited = dict(re.findall(r"^(version|date-released): (\S+)$", citation, flags=re.MULTILINE))
    try:
        log = sections(changelog)
    except Refused as error:
        return [str(error)]
    found = []
    if cited.get("version") != version:
        found.append(f"CITATION.cff: version {cited.get('version')}, where pyproject.toml has {version}")
    days = {name: day for name, day, _ in log}
    released = cited.get("date-released", "unreleased")
    if version not in days:
        found.append(f"CHANGELOG.md: no section for version {version} of pyproject.toml")
    elif released != days[version]:
        found.append(f"CITATION.cff: date-released: {released}, where CHANGELOG.md has {days[version]}")
    if any(day == "unreleased" for _, day, _ in log[1:]):
        found.append("CHANGELOG.md: only the section at the top can be unreleased")
    order = [numbers(name) for name, _, _ in log]
    if order != sorted(set(order), reverse=True):
        found.append("CHANGELOG.md: the versions do not stand in their order, the newest first")
    return found


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which can be compared."""
    return tuple(map(int, version.split(".")))


def git(root: Path, *words: str) -> str:
    """Run git and return what it prints."""
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def refuse(root: Path, version: str) -> None:
    """Raise Refused unless `version` can be made out of what stands in `root`."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise Refused(f"A version is written 1.2.0; got {version!r}.")
    found = problems(root)
    if found:
        raise Refused("\n".join(found))
    name, day, text = (*sections((root / "CHANGELOG.md").read_text(encoding="utf-8")), ("none", "", ""))[0]
    if (name, day) != (version, "unreleased"):
        raise Refused(f"CHANGELOG.md: the section at the top is {name} ({day}), not `## {version} (unreleased)`.")
    if not text:
        raise Refused(f"CHANGELOG.md: nothing stands in the section of {version}.")
    if git(root, "status", "--porcelain"):
        raise Refused("The tree is not clean: commit or put away what `git status` lists.")
    if git(root, "tag", "--list", f"v{version}"):
        raise Refused(f"The tag v{version} is there already.")


def write(root: Path, version: str, day: datetime.date) -> None:
    """Write version and day into the three files."""
    changes = {
        "pyproject.toml": (r'(?<=^version = ").*(?="$)', version),
        "CITATION.cff": (r"^version: .*\n(date-released: .*\n)?", f"version: {version}\ndate-released: {day}\n"),
        "CHANGELOG.md": (rf"(?<=^## {re.escape(version)} \()unreleased", str(day)),
    }
    for name, (old, new) in changes.items():
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(re.sub(old, new, text, count=1, flags=re.MULTILINE), encoding="utf-8")


def release(version: str, *, tag: bool, root: Path = ROOT, steps: tuple[tuple[str, ...], ...] = STEPS) -> str:
    """Make version `version` ready in `root` and return what is left to do.

    Raises:
        Refused: nothing was done.
        subprocess.CalledProcessError: a step failed; the files have been put back.
    """
    refuse(root, version)
    write(root, version, datetime.date.today())
    try:
        for step in steps:
            print(f"== {' '.join(step)}", flush=True)
            subprocess.run(step, cwd=root, check=True)
        git(root, "commit", "--message", f"Version {version}", "--", *FILES)
    except BaseException:
        git(root, "checkout", "HEAD", "--", *FILES)
        raise
    if tag:
        git(root, "tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    name = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"].replace("-", "_")
    command = "" if tag else f"git tag -a v{version} -m 'Version {version}' && "
    return BY_HAND.format(version=version, tag=command, wheel=f"{name}-{version}-py3-none-any.whl")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; release or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="?", help="such as 1.2.0")
    parser.add_argument("--tag", action="store_true", help="tag the commit, on this machine")
    parser.add_argument("--check", action="store_true", help="only say whether versions and days are in step")
    options = parser.parse_args(arguments)
    if options.check:
        found = problems()
        print("\n".join(found), file=sys.stderr) if found else None
        return 1 if found else 0
    if not options.version:
        parser.error("which version? Write `make release VERSION=1.2.0`")
    try:
        print(release(options.version, tag=options.tag))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        print(f"Stopped: `{' '.join(failure.cmd)}` failed. The files are as they were.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
