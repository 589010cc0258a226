from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from helpers.address import Address
from helpers.course import course_map

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import address as tool  # noqa: E402

LESSON = "notebooks/02_early_stopping.ipynb"


def test_links():
    here = Address("ana/course", "main", "https://hub.example.org/")
    assert here.binder(LESSON) == (
        "https://mybinder.org/v2/gh/ana/course/main?urlpath=lab%2Ftree%2Fnotebooks%2F02_early_stopping.ipynb"
    )
    assert here.nbgitpuller(LESSON) == (
        "https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A%2F%2Fgithub.com%2Fana%2Fcourse"
        "&branch=main&urlpath=lab%2Ftree%2Fcourse%2Fnotebooks%2F02_early_stopping.ipynb"
    )
    assert "a%2Fb" in Address("ana/course", "a/b").binder()
    assert here.site() == "https://ana.github.io/course/"
    assert Address("Ana/ana.github.io").site() == "https://ana.github.io/"
    assert Address().site() == ""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("ana",), "owner/name"),
        (("a/b/c",), "owner/name"),
        (("a/b", "x y"), "as git knows it"),
        (("a/b", "main", "hub"), "https://"),
    ],
)
def test_another_form_is_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        Address(*fields)


def test_a_fork_gets_a_badge_for_each_lesson(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    for name in ("data/course.toml", "CITATION.cff"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    before = [(tmp_path / name).read_text(encoding="utf-8") for name in ("data/course.toml", "CITATION.cff")]
    command = ["https://github.com/ana/fork.git", "--hub", "https://hub.example.org"]
    assert tool.main(command, tmp_path) == 0
    lessons = course_map(tmp_path / "data" / "course.toml")
    table = lessons.to_markdown().splitlines()
    for one, line in zip(lessons.lessons, table[2:], strict=True):
        assert (
            one.files == ()
            or f"(https://mybinder.org/v2/gh/ana/fork/main?urlpath=lab%2Ftree%2Fnotebooks%2F{one.files[0]})" in line
        )
        assert one.files == () or "[Open on the hub](https://hub.example.org/" in line
    assert len({line.count(" |") for line in table[2:]}) == 1
    assert 'repository-code: "https://github.com/ana/fork"' in (tmp_path / "CITATION.cff").read_text(encoding="utf-8")
    tool.main([course_map().address.repository], tmp_path)
    assert [(tmp_path / name).read_text(encoding="utf-8") for name in ("data/course.toml", "CITATION.cff")] == before


def test_a_wrong_address_changes_nothing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool.main(["only-a-name"], tmp_path)
    assert "owner/name" in capsys.readouterr().err


def test_the_address_stands_in_one_place():
    """Nothing else names a repository of this course, so that nothing is forgotten by those who fork."""
    name = course_map().address.repository
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"github\.com/([\w./-]+)", citation) == ([name] if name else [])
