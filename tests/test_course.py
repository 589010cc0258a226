from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import course, questions

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks" / "source").glob("*.py"))

TABLE = """
[[lesson]]
number = "00"
title = "Start here"
minutes = 10
about = "Begin"
[[lesson]]
number = "01"
title = "Watch <it>"
minutes = 15
about = "Watch"
core = 9
express = true
[[lesson]]
number = "03"
title = "Keep"
minutes = 20
about = "Keep"
[[lesson]]
number = "03b"
title = "Go on again"
minutes = 25
about = "Resume"
[[lesson]]
number = "08"
title = "Look things up"
minutes = 3
each = true
about = "Find"
[[lesson]]
number = "09"
title = "Go on"
minutes = 30
about = "Survive"
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "course.toml").write_text(TABLE, encoding="utf-8")
    for name in ("00_start.ipynb", "01_watch.ipynb", "01_watch.yours-1.ipynb", "01_watch-Copy1.ipynb",
                 "03_keep.ipynb", "03b_resume.ipynb", "08a_lab.ipynb", "08b_lab.ipynb",
                 "010_no.ipynb", "09_not_a_notebook.py"):  # fmt: skip
        (tmp_path / name).touch()
    return course.course_map(tmp_path / "course.toml", tmp_path)


def opening(source: Path) -> tuple[str, int | None, int | None]:
    text = source.read_text(encoding="utf-8")
    title = re.search(r"^# # (.+)$", text, re.MULTILINE)[1]
    minutes = re.search(r"^# \*\*Minutes:\*\* (?:(\d+) for the core, )?(\d+)(?: in all)?$", text, re.MULTILINE)
    return title, *((int(minutes[2]), minutes[1] and int(minutes[1])) if minutes else (None, None))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_map_says_what_each_lesson_says_of_itself(source):
    number = source.stem.split("_")[0]
    rows = {one.number: one for one in course.course_map().lessons}
    row = rows.get(number) or rows.get(number[:2])
    assert row, f"data/course.toml has no lesson {number[:2]}"
    title, minutes, core = opening(source)
    if number == row.number:
        assert row.title == title
    if number == questions.home(number) == row.number:
        assert questions.load(number).title == title
    if not row.each:
        assert (row.minutes, row.core) == (minutes, core)


@pytest.mark.parametrize("plan", course.course_map().plans, ids=lambda plan: plan.time)
def test_a_plan_fits_its_time(plan):
    assert max(course.course_map().class_minutes(plan)) <= plan.minutes


@pytest.mark.parametrize("page", ["README.md", "TEACHING.md", "notebooks/source/00_start_here.py"])
def test_a_page_that_says_how_long_the_express_path_takes_is_right(page):
    text = " ".join((ROOT / page).read_text(encoding="utf-8").replace("\n#", "\n").split())
    told = re.findall(r"express path[^.]{0,90}?(\d+) minutes", text, re.IGNORECASE)
    assert {int(minutes) for minutes in told} <= {course.course_map().express_minutes}


def test_lessons_stand_in_order_and_once():
    numbers = [one.number for one in course.course_map().lessons]
    assert numbers == sorted(set(numbers))


def test_only_notebooks_of_the_course_count(small):
    assert [one.files for one in small.lessons] == [
        ("00_start.ipynb",),
        ("01_watch.ipynb",),
        ("03_keep.ipynb",),
        ("03b_resume.ipynb",),
        ("08a_lab.ipynb", "08b_lab.ipynb"),
        (),
    ]


def test_html_links_what_is_there_and_says_what_is_planned(small):
    text = small.to_html()
    assert re.findall(r'href="([^"]+)"', text) == [
        "00_start.ipynb", "01_watch.ipynb", "03_keep.ipynb", "03b_resume.ipynb", "08a_lab.ipynb",
        "08a_lab.ipynb", "08b_lab.ipynb",
    ]  # fmt: skip
    assert "Watch &lt;it&gt;" in text
    assert text.count("<em>planned</em>") == 1
    assert "3 each" in text


def test_summary_adds_up_what_is_there(small):
    assert small.summary() == (
        "Together 70 minutes, and lesson 08 to look things up. The express path, the cores of 01, takes 9 minutes; "
        "with lesson 00 before it, 19. Planned, and not here yet: 09."
    )


def test_text_and_markdown_hold_the_same_rows(small):
    assert str(small).splitlines()[2].split() == ["01", "Watch", "<it>", "15", "(core", "9)"]
    assert str(small).splitlines()[6].split() == ["09", "Go", "on", "planned"]
    lines = small.to_markdown().splitlines()
    assert lines[3] == "| 01 | [Watch <it>](notebooks/01_watch.ipynb) | 15 (core 9) | watch |"
    assert lines[7] == "| 09 | Go on | 30, planned | survive |"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (("[[lesson]]", "[lesson"), "TOMLDecodeError"),
        (('number = "00"\n', ""), "KeyError: 'number'"),
        (("minutes = 10", "minuten = 10"), "minuten"),
    ],
)
def test_a_bad_table_is_told_in_a_sentence(tmp_path, damage, said):
    path = tmp_path / "course.toml"
    path.write_text(TABLE.replace(*damage, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(said)):
        course.course_map(path, tmp_path)


def test_a_missing_table_is_told_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"course\.toml cannot be read"):
        course.course_map(tmp_path / "course.toml", tmp_path)


def test_the_map_loads_no_tensorflow():
    code = "import sys; from helpers import course; course.course_map().to_html(); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("course_table", ROOT / "tools" / "course_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["LESSONS", "PITFALLS", "PLANS", "SHEETS"])
def test_the_tool_writes_a_table_and_writes_it_again(tool, name):
    part = getattr(tool, name)
    once = part.put(f"before\n{part.asked}\nafter\n", "a | b")
    assert once == f"before\n{part.begin}\na | b\n{part.end}\nafter\n"
    assert part.put(once, "c | d") == once.replace("a | b", "c | d")


@pytest.mark.parametrize("page", ["no place", "LESSON_TABLE\nLESSON_TABLE\n"])
def test_the_tool_wants_one_place(tool, page):
    with pytest.raises(ValueError, match="places for the table"):
        tool.LESSONS.put(page, "a | b")


def test_a_plan_counts_cores_and_wholes_half_as_much_again(small):
    plan = course.Plan("two hours", 60, (("01 core", "03b"), ("03",)))
    assert small.class_minutes(plan) == (round((9 + 25) * 1.5), 30)
    for name in ("08", "05", "01 half"):
        with pytest.raises(ValueError, match="names"):
            small.class_minutes(course.Plan("an hour", 60, ((name,),)))


def test_each_meeting_of_a_plan_is_told(small, tmp_path):
    plan = '[[plan]]\ntime = "two hours"\nminutes = 60\nmeetings = [["00"], ["01 core", "03"]]\nhow = "slowly"\n'
    (tmp_path / "course.toml").write_text(TABLE + plan, encoding="utf-8")
    rows = course.course_map(tmp_path / "course.toml", tmp_path).plans_to_markdown().splitlines()
    assert rows[2:] == ["| two hours | 1. 00: 15<br>2. 01 core, 03: 44 | slowly |"]
    (tmp_path / "course.toml").write_text(TABLE + plan.replace('["00"], ', '"00", '), encoding="utf-8")
    with pytest.raises(ValueError, match="list of lists"):
        course.course_map(tmp_path / "course.toml", tmp_path)


def test_readme_and_teaching_hold_the_tables(tool, capsys):
    assert tool.main(["--check"]) == 0, capsys.readouterr().out


def test_teaching_says_nothing_twice():
    headings = re.findall(r"^#+ .+", (ROOT / "TEACHING.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(headings) == len(set(headings)), "a merge has put a section in twice"
