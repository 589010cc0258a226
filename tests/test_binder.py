"""What Binder makes of this repository: repo2docker's own detection and rendering, and its packages under ours."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from repo2docker.app import Repo2Docker
from repo2docker.buildpacks import CondaBuildPack, conda
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
PLATFORM = "linux-64"
# Conda's name of a root of the base environment, where PyPI has another, or none since it is no Python package.
OTHER_NAMES = {"jupyterhub-singleuser": "jupyterhub", "python": None, "pip": None, "nodejs": None}


@pytest.fixture
def pack(monkeypatch):
    """The first of Binder's build packs that takes this repository."""
    monkeypatch.chdir(ROOT)
    builder = Repo2Docker()
    packs = (kind(builder.base_image) for kind in builder.buildpacks)
    return next(one for one in packs if one.detect())


def test_binder_builds_from_environment_yml(pack):
    assert type(pack) is CondaBuildPack
    pack.platform = "linux/amd64"
    script = pack.render()
    assert re.search(r"env update -p \$\{NB_PYTHON_PREFIX\} --file ['\"]?environment\.yml", script)
    assert "postBuild" in script


def test_an_edited_lesson_does_not_install_everything_again(pack):
    pack.platform = "linux/amd64"
    assert pack._should_preassemble_env


def test_python_is_one_that_we_support(pack):
    low, high = re.fullmatch(
        r">=([\d.]+),<([\d.]+)", tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    ).groups()
    as_numbers = lambda text: tuple(map(int, text.split(".")))  # noqa: E731
    assert as_numbers(low) <= as_numbers(pack.python_version) < as_numbers(high)


# -- our list over the versions of Binder's frozen base environment -------------------------------------------------


def base_environment(python: str) -> tuple[list[str], dict[str, str]]:
    """Return the packages that Binder's base environment was made for, and the version of each that is in it."""
    folder = Path(conda.HERE)
    wanted = YAML(typ="safe").load(folder / f"environment.py-{python}.yml")["dependencies"]
    names = [re.match(r"[\w.-]+", one)[0] for one in wanted if isinstance(one, str)]
    roots = [name for name in (OTHER_NAMES.get(name, name) for name in names) if name]
    lock = (folder / f"environment.py-{python}-{PLATFORM}.lock").read_text()
    files = re.findall(r"/([a-z][\w.-]*)-(\d+(?:\.\d+)*)-[^-/\s]+\.(?:conda|tar\.bz2)", lock)
    return roots, {OTHER_NAMES.get(name) or name.replace("_", "-"): version for name, version in files}


def conflict(ours: list[str], python: str, folder: Path) -> str:
    """Resolve our pins together with what stays of the base environment; return what uv says of a conflict, or ""."""
    roots, versions = base_environment(python)
    names = {pin.split("==")[0] for pin in ours}
    (folder / "wanted.in").write_text("\n".join([*roots, *ours]))
    stays = [f"{name}=={version}" for name, version in versions.items() if name not in names]
    (folder / "base.txt").write_text("\n".join(stays))
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--python-version",
        python,
        "--python-platform",
        "x86_64-manylinux_2_28",
    ]
    command += ["--constraints", "base.txt", "wanted.in"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if re.search("error sending request|Failed to fetch|dns error", ran.stderr):
        pytest.skip("needs a package registry")
    return ran.stderr if ran.returncode else ""


def pins() -> list[str]:
    (inside,) = (
        one["pip"] for one in YAML(typ="safe").load(ROOT / "environment.yml")["dependencies"] if isinstance(one, dict)
    )
    return inside


def test_our_list_fits_over_binders_base_environment(pack, tmp_path):
    assert conflict(pins(), pack.python_version, tmp_path) == ""


def test_a_conflict_is_found(pack, tmp_path):
    without = [pin for pin in pins() if not pin.startswith("notebook==")]
    assert "notebook==7.4" in conflict(without, pack.python_version, tmp_path)
