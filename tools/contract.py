"""Hold every claim about Keras against the oldest and the newest supported Keras: `make contract`.

Run with the Python of `.venv`. Another Keras gets an environment `.venv-keras-<version>` that borrows every package
of `.venv` except Keras itself, so that it takes seconds and a few megabytes. The newest is the one of the lock;
`--newest` asks the package index instead, which is what the weekly run does to hear of a release that breaks a lesson.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import venv
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# TensorFlow 2.21 asks for keras>=3.12.0, and every claim holds there (or says what differed).
OLDEST = "3.12.0"
TESTS = "tests/test_keras_contract.py"

# From best to worst, so that the worst of a claim's cases is its outcome.
OUTCOMES = ("holds", "skipped", "FAILS")


@dataclass(frozen=True)
class Result:
    """What became of one claim on one Keras."""

    name: str
    lessons: str
    text: str
    before: str
    outcome: str
    message: str


class ContractError(Exception):
    """Something outside the claims went wrong; the text says what, and what to do."""


def locked() -> str:
    """Return the Keras version of the lock."""
    return read_lock((ROOT / "requirements.txt").read_text(encoding="utf-8"))


def read_lock(lock: str) -> str:
    """Return the Keras version pinned in the text of a lock."""
    found = re.search(r"^keras==(\S+)", lock, re.MULTILINE)
    if not found:
        raise ContractError("requirements.txt pins no Keras; run `make lock`.")
    return found[1]


def newest() -> str:
    """Ask the package index for its newest Keras, pre-releases aside."""
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "keras"], capture_output=True, text=True, check=False
    )
    found = re.search(r"^keras \(([^)]+)\)", answer.stdout, re.MULTILINE)
    if not found:
        raise ContractError(f"The package index did not name its newest Keras:\n{answer.stderr.strip()}")
    return found[1]


def environment(version: str) -> Path:
    """Return a Python whose Keras is `version`: this one, or one of a `.venv-keras-<version>` made when needed."""
    if version == installed():
        return Path(sys.executable)
    folder = ROOT / f".venv-keras-{version}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    own = sysconfig.get_path("purelib")
    stamp, wanted = folder / ".made", f"{sys.version}\n{own}\n"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Making {folder.name} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site)]
    done = subprocess.run([*install, f"keras=={version}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContractError(f"Keras {version} could not be installed:\n{done.stderr.strip()}")
    # Comes after the folder's own packages on the path, so that only what is missing there is borrowed.
    (site / "borrowed.pth").write_text(f"import site; site.addsitedir({own!r})\n", encoding="utf-8")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def installed() -> str:
    """Return the Keras version of this Python."""
    from importlib.metadata import version

    return version("keras")


def hold(python: Path, version: str) -> list[Result]:
    """Run the claims on `python` and return what became of each, in the order of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [python, "-m", "pytest", TESTS, "-q", "-n", "0", "-p", "no:cacheprovider", f"--junitxml={report}"]
        asked = "from importlib.metadata import version; print(version('keras'))"
        found = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False).stdout.strip()
        if found != version:
            raise ContractError(f"{python} has Keras {found or 'none'}, not {version}; delete its folder.")
        print(f"Keras {version}: holding it to its claims ...", flush=True)
        quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
        done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
        if not report.exists():
            output = done.stdout[-2000:] + done.stderr[-2000:]
            raise ContractError(f"The tests did not run on Keras {version}:\n{output}")
        results = read_report(report.read_text(encoding="utf-8"))
    if not results:
        raise ContractError(f"No claim was found on Keras {version}:\n{done.stdout[-2000:]}")
    return results


def read_report(report: str) -> list[Result]:
    """Return one result a claim from a JUnit report; cases of one test count as one, the worst deciding.

    Tests of the file that are no claims appear only when they fail; a skipped case carries no sentence.
    """
    results: dict[str, Result] = {}
    for case in ElementTree.fromstring(report).iter("testcase"):
        name = case.get("name", "").partition("[")[0]
        outcome, message = "holds", ""
        for child in case:
            if child.tag in ("failure", "error"):
                outcome, message = "FAILS", child.get("message", "")
            elif child.tag == "skipped":
                outcome, message = "skipped", child.get("message", "")
        said = {one.get("name"): one.get("value", "") for one in case.iter("property")}
        if not said and outcome == "holds":
            continue
        fresh = Result(name, said.get("lessons", ""), said.get("text", ""), said.get("before", ""), outcome, message)
        before = results.get(name)
        if before is None or OUTCOMES.index(outcome) > OUTCOMES.index(before.outcome):
            results[name] = fresh
    return list(results.values())


def table(results: dict[str, list[Result]]) -> str:
    """Return the claims, one a line, with a column a version; then the known differences, then what failed."""
    rows: dict[str, Result] = {}
    for one in (result for version in results.values() for result in version):
        if one.text or one.name not in rows:
            rows[one.name] = one
    outcomes = {version: {one.name: one.outcome for one in found} for version, found in results.items()}
    head = "".join(f"{version:>10}" for version in results)
    lines = [f"{'claim':62} {'lessons':22}{head}"]
    for name, row in rows.items():
        lessons = textwrap.shorten(row.lessons, 22, placeholder=" ...")
        marks = "".join(f"{outcomes[version].get(name, '-'):>10}" for version in results)
        lines.append(f"{name.removeprefix('test_').replace('_', ' '):62.62} {lessons:22}{marks}")
    differing = [row for row in rows.values() if row.before]
    if differing:
        lines += ["", "Known differences between the supported releases:"]
        lines += [f"  {row.text}\n    {row.before}" for row in differing]
    for version, found in results.items():
        failed = [one for one in found if one.outcome == "FAILS"]
        if failed:
            lines += ["", f"Keras {version} breaks {len(failed)} of {len(found)}:"]
        for one in failed:
            first = (one.message.splitlines() or [""])[0]
            lines.append(f"  {one.text or one.name}\n    lessons: {one.lessons or '-'}\n    {one.name}: {first}")
    counts = ", ".join(
        f"Keras {version}: {sum(one.outcome == 'holds' for one in found)} of {len(found)} hold"
        for version, found in results.items()
    )
    return "\n".join([*lines, "", counts])


def main(arguments: Iterable[str] | None = None) -> int:
    """Hold the claims against each version, print the table, and return 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--newest", action="store_true", help="take the index's newest Keras, not the lock's")
    parser.add_argument("--keras", nargs="+", metavar="VERSION", help="these versions only, such as 3.13.2")
    options = parser.parse_args(arguments if arguments is None else list(arguments))
    try:
        versions = options.keras or [OLDEST, newest() if options.newest else locked()]
        results = {version: hold(environment(version), version) for version in dict.fromkeys(versions)}
    except ContractError as problem:
        print(problem, file=sys.stderr)
        return 2
    print(table(results))
    return int(any(one.outcome == "FAILS" for found in results.values() for one in found))


if __name__ == "__main__":
    sys.exit(main())
