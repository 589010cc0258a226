"""A release is made ready in a clone, and refused where something is out of step."""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import release as tool  # noqa: E402

PASS, FAIL = (sys.executable, "-c", "pass"), (sys.executable, "-c", "raise SystemExit(1)")


def edit(root: Path, file: str, old: str, new: str) -> None:
    """Replace one text in a file."""
    text = (root / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (root / file).write_text(text.replace(old, new), encoding="utf-8")


def state(root: Path) -> list[str]:
    return [(root / name).read_text(encoding="utf-8") for name in tool.FILES]


@pytest.fixture
def files(tmp_path):
    """The three files of this repository, as they are when 0.1.0 was released and 0.2.0 is under way."""
    log = "# Changelog\n\n## 0.2.0 (unreleased)\n\n- More.\n\n## 0.1.0 (2026-01-02)\n\n- All.\n"
    for name, old, new in [
        ("pyproject.toml", r'^version = ".*"', 'version = "0.1.0"'),
        ("CITATION.cff", r"^version: .*\n(date-released: .*\n)?", "version: 0.1.0\ndate-released: 2026-01-02\n"),
        ("CHANGELOG.md", r"(?s).*", log),
    ]:
        text = re.sub(old, new, (ROOT / name).read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def clone(files):
    """The same as a repository."""
    tool.git(files, "init", "--quiet")
    with (files / ".git" / "config").open("a") as settings:
        settings.write("[user]\n\tname = Ada\n\temail = ada@example.org\n[commit]\n\tgpgsign = false\n")
        settings.write("[tag]\n\tgpgsign = false\n")
    tool.git(files, "add", ".")
    tool.git(files, "commit", "--message", "begin")
    return files


def test_versions_citation_and_changelog_are_in_step():
    assert tool.problems() == []


@pytest.mark.parametrize("tag", [False, True])
def test_a_release_is_made_ready_and_not_published(clone, tag):
    left = tool.release("0.2.0", tag=tag, root=clone, steps=(PASS,))
    today = str(datetime.date.today())
    assert tool.problems(clone) == []
    assert 'version = "0.2.0"' in (clone / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: 0.2.0\ndate-released: {today}\n" in (clone / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## 0.2.0 ({today})\n" in (clone / "CHANGELOG.md").read_text(encoding="utf-8")
    assert tool.git(clone, "status", "--porcelain") == ""
    assert tool.git(clone, "log", "-1", "--format=%s") == "Version 0.2.0"
    assert tool.git(clone, "tag") == ("v0.2.0" if tag else "")
    assert ("git tag" in left) is not tag
    assert "git push origin HEAD v0.2.0" in left


def test_a_failed_step_puts_all_back(clone, capfd):
    before = state(clone)
    with pytest.raises(subprocess.CalledProcessError):
        tool.release("0.2.0", tag=True, root=clone, steps=(PASS, FAIL))
    assert state(clone) == before
    assert tool.git(clone, "log", "--format=%s%d", "--all").count("\n") == 0


@pytest.mark.parametrize(
    ("version", "file", "old", "new", "words"),
    [
        ("0.2", "CHANGELOG.md", "More", "Even more", "written 1.2.0"),
        ("0.2.1", "CHANGELOG.md", "More", "Even more", "not `## 0.2.1 (unreleased)`"),
        ("0.1.0", "CHANGELOG.md", "More", "Even more", "not `## 0.1.0 (unreleased)`"),
        ("0.2.0", "CHANGELOG.md", "- More.\n", "", "nothing stands in"),
        ("0.2.0", "CHANGELOG.md", "0.2.0 (unreleased)", "0.2.0 soon", "is headed"),
        ("0.2.0", "CHANGELOG.md", "0.2.0 (unreleased)", "0.2.0 (2026-03-04)", "not `## 0.2.0 (unreleased)`"),
        ("0.0.9", "CHANGELOG.md", "0.2.0 (unreleased)", "0.0.9 (unreleased)", "newest first"),
        ("0.2.0", "CHANGELOG.md", "0.1.0 (2026-01-02)", "0.1.0 (unreleased)", "only the section at the top"),
        ("0.2.0", "CHANGELOG.md", "2026-01-02", "2026-01-03", "date-released: 2026-01-02, where"),
        ("0.2.0", "CITATION.cff", "\nversion: 0.1.0", "\nversion: 0.1.1", "version 0.1.1, where"),
        ("0.2.0", "pyproject.toml", 'version = "0.1.0"', 'version = "0.1.1"', "no section for version 0.1.1"),
    ],
)
def test_what_is_out_of_step_is_refused(files, version, file, old, new, words):
    edit(files, file, old, new)
    before = state(files)
    with pytest.raises(tool.Refused, match=re.escape(words)):
        tool.release(version, tag=True, root=files, steps=(FAIL,))
    assert state(files) == before


def test_an_unclean_tree_and_a_second_release_are_refused(clone):
    (clone / "note.txt").write_text("mine")
    with pytest.raises(tool.Refused, match="not clean"):
        tool.release("0.2.0", tag=False, root=clone, steps=())
    (clone / "note.txt").unlink()
    tool.git(clone, "tag", "v0.2.0")
    with pytest.raises(tool.Refused, match="there already"):
        tool.release("0.2.0", tag=False, root=clone, steps=())


def test_the_steps_check_test_and_build():
    assert [step[-2:] for step in tool.STEPS] == [("make", "check"), ("make", "test"), ("--quiet", "--wheel")]
