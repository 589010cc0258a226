from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import pitfalls

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks" / "source"
ALL = pitfalls.load()

TABLE = """
[[pitfall]]
number = 2
title = "It stops, too late"
symptom = "All | epochs run."
fix = "Say `patience=5`."
message = ["UserWarning: `a` is not available.", "TypeError: no"]
threads = ["keras#1", "so/2"]
notebook = "08a_stopping"
[[pitfall]]
number = 1
title = "It does not stop"
symptom = "Nothing <happens>."
fix = "Wait."
message = ["TypeError: no"]
threads = []
notebook = "08_pitfall_lab"
"""


@pytest.fixture
def write(tmp_path):
    def writes(text: str) -> Path:
        path = tmp_path / "pitfalls.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return writes


# -- the course's own table ------------------------------------------------------------------------------------------


def test_all_troubles_are_there_once():
    numbers = [one.number for one in ALL]
    assert set(range(1, 35)) <= set(numbers) <= set(range(1, 60))
    assert len(set(numbers)) == len(numbers)
    assert len({one.title for one in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=lambda one: str(one.number))
def test_heading_of_a_trouble_stands_once_in_its_notebook(one):
    source = (SOURCES / f"{one.notebook}.py").read_text(encoding="utf-8")
    assert re.findall(rf"^# ## {one.number}\. .*$", source, re.MULTILINE) == [f"# ## {one.heading}"]


@pytest.mark.parametrize("one", ALL, ids=lambda one: str(one.number))
def test_threads_of_a_trouble_stand_under_its_heading(one):
    source = (SOURCES / f"{one.notebook}.py").read_text(encoding="utf-8")
    part = source.split(f"# ## {one.heading}\n", 1)[1].split("\n# ## ", 1)[0]
    linked = re.findall(r"\]\((https://[^)\s]+)\)", part)
    assert set(one.addresses) <= set(linked)


def test_links_name_a_cell_of_the_notebook():
    for one in ALL:
        cells = json.loads((ROOT / "notebooks" / f"{one.notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
        fragment = one.link.partition("#")[2]
        assert fragment.startswith("cell-id=")
        found = ["".join(cell["source"]) for cell in cells if cell["id"] == fragment.removeprefix("cell-id=")]
        assert len(found) == 1
        assert found[0].startswith(f"## {one.heading}\n")


def test_readme_can_be_followed_from_where_the_lab_is_opened():
    for target in re.findall(r"\]\((notebooks/[^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert (ROOT / target).is_file()
    for page in ("README.md", "Makefile"):
        opened = re.findall(r"jupyter lab .*00_start_here.*", (ROOT / page).read_text(encoding="utf-8"))
        assert opened
        assert all("--ServerApp.root_dir=. " in line for line in opened)


@pytest.mark.parametrize("source", sorted(SOURCES.glob("08*.py")), ids=lambda path: path.stem)
def test_every_numbered_heading_is_in_the_table(source):
    headings = re.findall(r"^# ## (\d+\. .*)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [one.heading for one in ALL if one.notebook == source.stem and one.heading in headings]


# -- reading ---------------------------------------------------------------------------------------------------------


def test_reads_in_the_order_of_the_numbers(write):
    first, second = pitfalls.load(write(TABLE))
    assert (first.number, second.number) == (1, 2)
    assert second.link == "08a_stopping.ipynb#cell-id=2-It-stops-too-late"
    assert second.addresses == (
        "https://github.com/keras-team/keras/issues/1",
        "https://stackoverflow.com/questions/2",
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("number = 2", "number = 1", "the number 1 stands there twice"),
        ("number = 2", "number = 0", "pitfall 0: `number` is a whole number"),
        ('title = "It stops, too late"', 'title = "It `stops`"', "pitfall 2: `title` has letters"),
        ('title = "It stops, too late"', 'title = "It stöps"', "pitfall 2: `title` has letters"),
        ('symptom = "All | epochs run."', 'symptom = " "', "pitfall 2: `symptom` is a text"),
        ('fix = "Wait."', 'fix = ""', "pitfall 1: `fix` is one sentence"),
        ('fix = "Wait."', "fix = 5", "pitfall 1: `fix` is one sentence"),
        ('fix = "Wait."\n', "", "missing 1 required positional argument: 'fix'"),
        ('message = ["TypeError: no"]', 'message = "TypeError: no"', "pitfall 1: `message` is a list"),
        ('"keras#1"', '"keras#x"', "pitfall 2: 'keras#x' names no thread"),
        ("threads = []", "threads = [1]", "pitfall 1: `threads` is a list"),
        ("08_pitfall_lab", "02_early_stopping", "pitfall 1: `notebook` is a name like"),
        ("threads = []\n", "", "missing 1 required positional argument: 'threads'"),
        ("threads = []", "thread = []", "unexpected keyword argument 'thread'"),
        ("[[pitfall]]", "[[pitfal]]", "KeyError: 'pitfall'"),
        ("number = 2", "number = ", "TOMLDecodeError"),
    ],
)
def test_a_bad_table_is_told_in_a_sentence(write, old, new, said):
    count = -1 if old == "[[pitfall]]" else 1
    with pytest.raises(ValueError, match=re.escape(said)):
        pitfalls.load(write(TABLE.replace(old, new, count)))


def test_a_missing_table_is_told_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"pitfalls\.toml cannot be read"):
        pitfalls.load(tmp_path / "pitfalls.toml")


@pytest.mark.parametrize(
    ("thread", "expected"),
    [
        ("keras#5", "https://github.com/keras-team/keras/issues/5"),
        ("tensorflow#5", "https://github.com/tensorflow/tensorflow/issues/5"),
        ("keras-io#5", "https://github.com/keras-team/keras-io/issues/5"),
        ("tensorflow/docs#5", "https://github.com/tensorflow/docs/issues/5"),
        ("so/5", "https://stackoverflow.com/questions/5"),
        ("ds/5", "https://datascience.stackexchange.com/questions/5"),
        ("https://ipywidgets.readthedocs.io/a%20b.html", "https://ipywidgets.readthedocs.io/a%20b.html"),
    ],
)
def test_address(thread, expected):
    assert pitfalls.address(thread) == expected


@pytest.mark.parametrize("thread", ["", "keras", "keras#", "pytorch#5", "so/x", "xx/5", "a/b/c#5", "http://a.org"])
def test_no_address(thread):
    with pytest.raises(ValueError, match="names no thread"):
        pitfalls.address(thread)


# -- showing ---------------------------------------------------------------------------------------------------------


def test_index_as_html(write):
    text = pitfalls.index(write(TABLE)).to_html()
    first, second = "08_pitfall_lab.ipynb#cell-id=1-It-does-not-stop", "08a_stopping.ipynb#cell-id=2-It-stops-too-late"
    assert re.findall(r'href="([^"]+)"', text) == [first, second, first, second, second]
    assert "Nothing &lt;happens&gt;." in text
    assert text.count("TypeError: no") == 1


def test_index_as_markdown(write):
    assert pitfalls.index(write(TABLE)).to_markdown().splitlines() == [
        "| trouble | what you see |",
        "|---|---|",
        "| [1. It does not stop](notebooks/08_pitfall_lab.ipynb#cell-id=1-It-does-not-stop) | Nothing <happens>. "
        "(We found no thread about it.) |",
        "| [2. It stops, too late](notebooks/08a_stopping.ipynb#cell-id=2-It-stops-too-late) | All \\| epochs run. |",
        "",
        "| what it says | trouble |",
        "|---|---|",
        "| `TypeError: no` | [1](notebooks/08_pitfall_lab.ipynb#cell-id=1-It-does-not-stop), "
        "[2](notebooks/08a_stopping.ipynb#cell-id=2-It-stops-too-late) |",
        "| ``UserWarning: `a` is not available.`` | [2](notebooks/08a_stopping.ipynb#cell-id=2-It-stops-too-late) |",
    ]


def test_index_as_text(write):
    lines = str(pitfalls.index(write(TABLE))).splitlines()
    assert lines[:2] == ["1. It does not stop (08_pitfall_lab)", "    Nothing <happens>."]
    assert lines[4:6] == ["TypeError: no", "    see 1, 2"]


def test_it_loads_no_tensorflow():
    code = "import sys; from helpers import pitfalls; pitfalls.index().to_html(); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"
