"""Every source keeps the rules for lessons, every rule can be broken, and learners have what the course imports."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shutil
import sys
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import lesson_rules
import pytest

from helpers import questions

ROOT = lesson_rules.ROOT
FIXTURES = Path(__file__).parent / "fixtures" / "lessons"
SOURCES = sorted((ROOT / "notebooks" / "source").glob("*.py"))
RULES = {rule.__name__: rule for rule in lesson_rules.RULES}

TEXTS = """title = "Wait"
[predict.a]
question = "How long?"
explain = "The stopper waited for three whole epochs."
answers = [{text = "3", right = true, feedback = "Yes."}, {text = "4", feedback = "No."}]
[predict.b]
question = "Longer?"
answers = [{text = "yes", right = true, feedback = "Yes."}, {text = "no", feedback = "No."}]
[exercise.1]
title = "Longer"
hints = ["More."]
reason = "It is more."
[exercise.2]
title = "Twice"
hints = ["More."]
reason = "It is more."
"""

MAP = """[[lesson]]
number = "01"
title = "Before"
minutes = 6
about = "Begin"
[[lesson]]
number = "02"
title = "Wait"
minutes = 6
about = "Wait"
express = true
"""


@cache
def read(source: Path):
    """Return a lesson of the course, read once for all rules."""
    return lesson_rules.load_builder().read_lesson(source)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_lesson_keeps_the_rule(source, rule):
    assert list(rule(read(source))) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_lesson_aims_at_short_cells(source):
    told = lesson_rules.long_cells(read(source))
    if told:
        warnings.warn(told, stacklevel=1)


@pytest.mark.parametrize("file", sorted(questions.FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_texts_belong_to_a_lesson(file):
    assert [source for source in SOURCES if source.stem.startswith(f"{file.stem}_")], "no source has this number"


def borrowed(builder, lesson) -> list[str]:
    """Name what a part under a numbered heading reads although only other parts of its kind bind it.

    People run the first cells of such a lesson and jump to one part.
    """
    tools: set[str] = set()
    parts: list[tuple[str, list]] = []
    for cell in lesson.cells:
        heading = lesson_rules.HEADING.match(cell.text) if cell.kind == "markdown" else None
        if heading and heading["marks"] == "##":
            parts.append((heading["text"], []))
        if cell.kind != "code":
            continue
        if not any(re.match(r"\d+\. ", name) for name, _ in parts):
            tools |= builder.bound_names(ast.parse(cell.text)).keys()
        else:
            parts[-1][1].append(cell.text)
    found = []
    for name, texts in parts:
        own = set(tools)
        others = set().union(*(builder.bound_names(ast.parse(t)) for n, ts in parts if n != name for t in ts))
        for text in texts:
            tree = ast.parse(text)
            free = lesson_rules.read_names(tree) - own - builder.bound_names(tree).keys()
            found += [f"{name}: {one} comes from another part" for one in sorted(free & others)]
            own |= builder.bound_names(tree).keys()
    return found


@pytest.mark.parametrize("source", [s for s in SOURCES if s.stem.startswith("08")], ids=lambda source: source.stem)
def test_each_trouble_needs_only_the_first_cells(builder, source):
    assert borrowed(builder, builder.read_lesson(source)) == []


def test_borrowed_names_are_found(builder, folder):
    source = folder / "notebooks" / "source" / "02_lesson.py"
    text = source.read_text()
    parts = "# %% [markdown]\n# ## 1. One\n# %%\nlent = 1\n# %% [markdown]\n# ## 2. Two\n# %%\nprint(lent, sound)\n"
    source.write_text(
        text.replace("# %% [markdown]\n# ## Key", f"# %%\nsound = 2\n{parts}# %% [markdown]\n# ## Key", 1)
    )
    assert borrowed(builder, builder.read_lesson(source)) == ["2. Two: lent comes from another part"]


# -- the rules can be broken -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Make a small course: lesson 02 keeps all rules, 01 and a file in data/ are there to be linked to."""
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "data" / "lessons").mkdir(parents=True)
    (tmp_path / "data" / "README.md").touch()
    (tmp_path / "data" / "lessons" / "02.toml").write_text(TEXTS)
    shutil.copy(FIXTURES / "02_lesson.py", tmp_path / "notebooks" / "source")
    before = (FIXTURES / "02_lesson.py").read_text().replace("02.", "01.").replace('"02"', '"01"')
    (tmp_path / "notebooks" / "source" / "01_before.py").write_text(before)
    (tmp_path / "data" / "course.toml").write_text(MAP)
    row = "| [Wait](notebooks/02_lesson.ipynb) | 7 (core 2) |\n"
    (tmp_path / "README.md").write_text(f"| lesson | minutes |\n|-|-|\n{row}| 02 {row}")
    monkeypatch.setattr(lesson_rules, "ROOT", tmp_path)
    monkeypatch.setattr(lesson_rules, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(lesson_rules.take_home, "LAB", "02")
    monkeypatch.setattr(questions, "FOLDER", tmp_path / "data" / "lessons")
    return tmp_path


def sentences(builder, folder: Path, rule: str) -> list[str]:
    return list(RULES[rule](builder.read_lesson(folder / "notebooks" / "source" / "02_lesson.py")))


@pytest.mark.parametrize("rule", RULES)
def test_sound_lesson_keeps_the_rule(builder, folder, rule):
    assert sentences(builder, folder, rule) == []


LONG_CODE = "patience = 3\n" + "waiting = 1\n" * 20
LONG_PROSE = "# Waiting has a price.\n# " + "word " * 121
SECOND = '# %% tags=["predict"]\nwidgets.predict("02.b")\n# %%\nprint(patience + 1)\nwidgets.reveal("02.b")\n'
TROUBLE = "# %% [markdown]\n# ## 1. One\n# %%\nprint(patience)\n# %%\n# Take home 1: wait\nimport keras\n"
KEYS = "# %% [markdown]\n# ## Key takeaways"
# What is replaced by what, which rule that breaks, and words of its sentence.
BREAKS = {
    "no title": ("# # Wait", "# ## Wait", "title_says_what_to_do", "must begin with the title"),
    "title without a verb": ("# # Wait", "# # Patience", "title_says_what_to_do", "begins with 'Patience'"),
    "second H1": ("# ## Key", "# # Key", "title_says_what_to_do", "a second H1, 'Key takeaways'"),
    "no needs": ("**You need**", "You need", "opening_says_what_who_and_how_long", "there must be"),
    "order": ("**You will**", "**Minutes** **You will**", "opening_says_what_who_and_how_long", "the order is"),
    "no minutes": ("7 in all\n# %%", "a while\n# %%", "opening_says_what_who_and_how_long", "the minutes are missing"),
    "long setup": ("import keras\n", "import keras\n" * 5, "cells_are_short", "7 lines of setup; the limit is 6"),
    "long code": ("patience = 3\n", LONG_CODE, "cells_are_short", "24 lines of code; the limit is 20"),
    "long answer": ("longer = p", "a = 1\n" * 20 + "longer = p", "cells_are_short", "21 lines of code"),
    "long prose": ("# Waiting has a price.", LONG_PROSE, "cells_are_short", "128 words of prose; the limit is 120"),
    "wide code": ("patience = 3", f"patience = 3  # {'x' * 80}", "code_fits_the_window", "96 characters of code"),
    "bare assert": ("print(turn)", "assert turn < 3", "asserts_have_words", "`assert turn < 3` has no words"),
    "verdict": ("# ## Predict: how long?", "# ## Predict: how long?\n#\n# Verdict: 3.", "questions_are_not_answered",
                "prediction 02.a is answered in sight"),
    "explained": ("patience = 3", "patience = 3  # the stopper waited for three whole epochs",
                  "questions_are_not_answered", "“stopper waited for three whole” stands in the explanation"),
    "asserted": ("patience = 3", "patience = 3\nassert patience == 3, 'three'", "questions_are_not_answered",
                 "an assert between prediction 02.a and its reveal"),
    "import before": ('lesson.begin("02")', 'import keras\nlesson.begin("02")', "setup_begins_the_lesson", "only `"),
    "no begin": ('lesson.begin("02")', "", "setup_begins_the_lesson", "only `from helpers"),
    "web library": ("patience = 3", "import urllib.request", "nothing_asks_the_network", "imports urllib.request"),
    "data sets": ("patience = 3", "keras.datasets.mnist", "nothing_asks_the_network", "keras.datasets downloads"),
    "from": ("patience = 3", "from keras.datasets import mnist", "nothing_asks_the_network", "imports keras.datasets"),
    "from keras": ("patience = 3", "from keras import datasets", "nothing_asks_the_network", "imports keras.datasets"),
    "address": ("patience = 3", "a = 'https://keras.io'", "nothing_asks_the_network", "a web address in code"),
    "plt": ("patience = 3", "plt.plot(3)", "pictures_have_words", "plt is not used here"),
    "pyplot": ("patience = 3", "import matplotlib.pyplot as p", "pictures_have_words", "pyplot is not used here"),
    "display": ("style.show(p", "display(p", "pictures_have_words", "display() shows pictures without words"),
    "bare figure": ("style.show(plots.learning_curves(history))", "plots.learning_curves(history)",
                    "pictures_have_words", "Write style.show(plots.learning_curves(...))"),
    "lost value": ("patience = 3", "patience = 3\npatience", "values_are_shown", "`patience` shows nothing there"),
    "image": ("# Nowhere.", "# ![](kitchen.png)", "pictures_have_words", "the image kitchen.png needs words"),
    "html image": ("# Nowhere.", '# <img src="kitchen.png">', "pictures_have_words", "an <img> without alt text"),
    "no takeaways": ("# ## Key takeaways", "# ## Summary", "ends_with_takeaways_and_what_is_next", "must end with"),
    "steps": ("# ### What", "# #### What", "headings_step_down_one_by_one", "is H4 after H2. Use H3"),
    "one prediction": (SECOND, "",
                       "predictions_and_exercises_are_enough",
                       "1 predictions; this lesson needs 2 to 4"),
    "no text": ('"02.b"', '"02.c"', "texts_and_cells_name_each_other",
                'data/lessons/02.toml has no [predict.c] for widgets.predict("02.c")'),
    "no cell": ('"02.b"', '"02.c"', "texts_and_cells_name_each_other",
                'has [predict.b], and no cell calls widgets.predict("02.b")'),
    "no such lesson": ("01_before.ipynb#Key-takeaways", "03_gone.ipynb", "links_resolve", "no lesson 03_gone.ipynb"),
    "no such heading": ("#Key-takeaways", "#Keys", "links_resolve", "01_before.ipynb#Keys names no heading"),
    "no such place here": ("#Predict:-how-long?", "#there", "links_resolve", "#there names no heading"),
    "place not in ASCII": ("#Predict:-how-long?", "#Trouble-·-3", "links_resolve", "in plain ASCII only"),
    "no such file": ("../data/README.md", "../data/gone.md", "links_resolve", "leads nowhere from notebooks/"),
    "wished": ("7 in all", "5 in all", "minutes_are_measured", "says 5 minutes in all; it measures 7.1"),
    "wished core": ("2 for", "3 for", "minutes_are_measured", "says 3 minutes for the core; it measures 1.8"),
    "core without end": ("The core ends here", "More", "minutes_are_measured", "a core has both"),
    "end without core": ("2 for the core, 7 in all", "7", "minutes_are_measured", "a core has both"),
    "no core": ("The core ends here", "More", "minutes_are_measured", "a lesson of the express path has a core"),
    "long core": ("# ## The core", f"# {'wait ' * 2500}\n# %% [markdown]\n# ## The core",
                  "minutes_are_measured", "the limit is 18"),
    "no pause": ("7 in all", "50 in all", "minutes_are_measured", "minutes without a pause; the limit is 40"),
    "minutes": ("7 in all", "8 in all", "minutes_agree", "README.md:3 and the lesson disagree about its minutes"),
    "minutes in the course map": ("2 for", "3 for", "minutes_agree", "README.md:4 and the lesson disagree"),
    "answer used": ("for turn in range(3)", "for i in range(longer)", "later_cells_need_no_answer",
                    "longer comes from exercise 02.1"),
    "outcome used": ("for turn in range(3)", "for i in outcome", "later_cells_need_no_answer",
                     "outcome comes from the check of exercise 02.1"),
    "answer used deep": ("for turn in range(3)", "f = lambda: longer\nfor turn in f()",
                         "later_cells_need_no_answer", "longer comes from exercise 02.1"),
    "nothing to take home": (KEYS, TROUBLE.replace("# Take", "# take") + KEYS, "fixes_can_be_taken_home",
                             "must be one cell `# Take home 1: what it does`"),
    "another number": (KEYS, TROUBLE.replace("home 1", "home 2") + KEYS, "fixes_can_be_taken_home", "`# Take home 1:"),
    "not the last": (KEYS, TROUBLE + "# %%\nprint(keras)\n" + KEYS, "fixes_can_be_taken_home", "`# Take home 1:"),
    "helpers": (KEYS, TROUBLE + "from helpers import data\n" + KEYS, "fixes_can_be_taken_home", "imports helpers. A"),
    "binds a tool": (KEYS, TROUBLE + "patience = 4\n" + KEYS, "fixes_can_be_taken_home", "binds patience, which"),
    "answer in a stub": ("twice = ...", "twice = outcome", "later_cells_need_no_answer", "outcome comes from"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_rule_finds_what_breaks_it(builder, folder, name):
    old, new, rule, words = BREAKS[name]
    source = folder / "notebooks" / "source" / "02_lesson.py"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new, 2 if old == '"02.b"' else 1))
    assert any(words in sentence for sentence in sentences(builder, folder, rule))


def test_a_trouble_with_its_fix_to_take_home_keeps_the_rule(builder, folder):
    source = folder / "notebooks" / "source" / "02_lesson.py"
    source.write_text(source.read_text().replace(KEYS, TROUBLE + KEYS))
    assert sentences(builder, folder, "fixes_can_be_taken_home") == []


@pytest.mark.parametrize(("before", "told"), [(30, False), (45, True)])
def test_no_stretch_between_pauses_is_too_long(builder, folder, before, told):
    pause = f"# {'price ' * 140 * before}\n# %% [markdown]\n# ## Pause here\n#\n# {'price ' * 140 * 20}\n"
    source = folder / "notebooks" / "source" / "02_lesson.py"
    text = source.read_text().replace("7 in all", f"{before + 27} in all")
    source.write_text(text.replace("# Waiting has a price.\n", pause))
    said = [one for one in sentences(builder, folder, "minutes_are_measured") if "without a pause" in one]
    assert bool(said) == told


def test_every_rule_was_broken_once():
    assert {row[2] for row in BREAKS.values()} == set(RULES)


def test_missing_texts_are_told(builder, folder):
    (folder / "data" / "lessons" / "02.toml").unlink()
    assert "There is no lesson '02'" in sentences(builder, folder, "texts_and_cells_name_each_other")[0]


def test_long_cells_are_told(builder, folder):
    source = folder / "notebooks" / "source" / "02_lesson.py"
    assert lesson_rules.long_cells(builder.read_lesson(source)) is None
    text = re.sub(r"^# %%$", "# %%" + "\nx = 1" * 8, source.read_text(), flags=re.MULTILINE)
    source.write_text(text)
    assert "5 of 10 code cells over 8 lines" in lesson_rules.long_cells(builder.read_lesson(source))


# -- what learners have ----------------------------------------------------------------------------------------------

# In the learner's lock for nbval's sake, or never there; no helper and no lesson may need them.
NOT_FOR_LEARNERS = {"coverage", "hypothesis", "jupytext", "nbval", "pandas", "playwright", "pytest", "sklearn"}


def learner_packages() -> set[str]:
    """Return the distributions in the learner's lock, in the normal form of their names."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE)}


def imported(code: str) -> set[str]:
    """Return the top names of what some code imports, wherever it stands.

    What is imported in a `try` that expects the ImportError is not needed, nor is what a lesson imports only
    `if lesson.optional(...)` found it.
    """
    tree = ast.parse(code)
    optional = {
        id(part)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Try) and any("ImportError" in ast.unparse(h.type or h) for h in node.handlers))
        or (isinstance(node, ast.If) and ast.unparse(node.test).startswith("lesson.optional("))
        for statement in node.body
        for part in ast.walk(statement)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in optional:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
    return found


@cache
def installed() -> Mapping[str, list[str]]:
    """Return the packages that give each name to import; asking takes a fifth of a second."""
    return importlib.metadata.packages_distributions()


def foreign(names: set[str]) -> set[str]:
    """Return the names that neither Python, the course nor the learner's lock gives."""
    owners, locked = installed(), learner_packages()
    ours = {
        name
        for name in names
        if name in sys.stdlib_module_names
        or name == "helpers"
        or any(re.sub(r"[-_.]+", "-", owner).lower() in locked for owner in owners.get(name, ()))
    }
    return (names - ours) | (names & NOT_FOR_LEARNERS)


@pytest.mark.parametrize(
    "file",
    [*sorted((ROOT / "helpers").rglob("*.py")), *SOURCES],
    ids=lambda file: file.relative_to(ROOT).as_posix(),
)
def test_imports_are_in_the_learners_lock(file):
    assert foreign(imported(file.read_text(encoding="utf-8"))) == set()


def test_imports_outside_the_lock_are_found():
    code = """
import numpy, jupytext
def f():
    from sklearn.datasets import load_digits
import pytest, nowhere.at_all
try:
    import tensorboard
except ImportError:
    import playwright
if lesson.optional("optuna"):
    import optuna
"""
    assert foreign(imported(code)) == {"jupytext", "sklearn", "pytest", "nowhere", "playwright"}
