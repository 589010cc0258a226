"""The builder: what it makes of a sound source, what it refuses, and that it never overwrites a learner's work."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"

# Each broken source: line, cell, and words of the sentence that must name it first.
BROKEN = {
    "broken_code": (15, 5, "not valid Python: invalid syntax"),
    "check_of_another_exercise": (36, 11, "checks 02.1, but the cell before it is 02.2"),
    "check_with_a_variable": (36, 11, "checks something else, but the cell before it is 02.2"),
    "code_before_setup": (5, 2, "code before the setup cell"),
    "comment_for_nbval": (15, 5, "a comment that steers nbval"),
    "empty_cell": (13, 5, "the cell is empty"),
    "exercise_checked_late": (17, 6, 'no check follows the exercise. Put a code cell checks.check("02.1", ...)'),
    "exercise_of_another_lesson": (18, 6, 'this is exercise 03.1; in this lesson its name is like "02.1"'),
    "exercise_with_a_marker_nearly_right": (21, 6, "write the marker exactly as `# solution`"),
    "exercise_with_two_markers": (17, 6, "exactly one line `# solution` between stub and answer; this one has 2"),
    "exercise_without_answer": (17, 6, "the answer below `# solution` holds no code"),
    "exercise_without_check": (17, 6, "no check follows the exercise"),
    "exercise_without_marker": (17, 6, "exactly one line `# solution` between stub and answer; this one has none"),
    "exercise_without_name": (18, 6, "an exercise begins with a line like `# Exercise 02.1`"),
    "exercise_without_stub": (17, 6, "the stub above `# solution` holds no code"),
    "exercise_without_tag": (32, 10, 'the cell begins like an exercise. Tag it tags=["exercise"]'),
    "exercises_out_of_order": (32, 10, "this is exercise 02.2, after exercise 3"),
    "check_of_a_name_of_the_lesson": (36, 11, "the check is handed nothing that its exercise binds"),
    "exercise_shares_a_name": (39, 12, "calm belongs to exercise 02.2, and no other cell may bind it"),
    "exercises_share_a_name": (33, 10, "patience belongs to exercise 02.1"),
    "lesson_begins_another": (8, 2, 'lesson.begin() names "03"; in this lesson its first argument is like "02"'),
    "magic": (15, 5, "magics such as %time and !ls have no place in a lesson"),
    "marker_outside_an_exercise": (15, 5, "a line `# solution` outside an exercise"),
    "marker_with_a_title": (13, 5, "`# %% Waiting` does not start a cell"),
    "marker_without_space": (13, 5, "`#%%` does not start a cell"),
    "no_cells": (1, 0, "the file holds no cells"),
    "no_setup": (1, 0, "the lesson has no setup cell"),
    "old_style_cell": (1, 0, "Look for lines like `# In[1]:`"),
    "prediction_asked_before_the_reveal": (
        11,
        4,
        'prediction 02.a is not revealed before the next: widgets.reveal("02.a")',
    ),
    "prediction_asked_twice": (18, 6, "prediction 02.a is asked a second time"),
    "prediction_never_revealed": (11, 4, "prediction 02.a is never revealed"),
    "prediction_of_another_lesson": (12, 4, 'widgets.predict() names "03.a"'),
    "prediction_revealed_twice": (41, 13, "reveals 02.a, which is not the prediction asked last"),
    "prediction_with_company": (11, 4, "a predict cell holds one line"),
    "prediction_without_tag": (12, 4, "widgets.predict() outside a predict cell"),
    "prose_tagged_setup": (9, 3, "the tag setup belongs to a code cell"),
    "prose_without_hash": (11, 3, "a line of prose without `# ` before it"),
    "raw_cell": (13, 5, "`# %% [raw]` does not start a cell"),
    "reveal_before_the_last_line": (15, 5, 'widgets.reveal("02.a") is the last line of the cell that runs it'),
    "reveal_of_another_prediction": (16, 5, "reveals 02.b, which is not the prediction asked last"),
    "stub_that_is_no_code": (17, 6, "the stub above `# solution` is not valid Python alone"),
    "tags_that_are_no_list": (5, 2, "unknown tag [setup]"),
    "text_before_the_first_cell": (1, 0, "text before the first cell"),
    "two_setups": (13, 5, "a second setup cell"),
    "two_tags": (5, 2, 'unknown tag ["setup", "predict"]'),
    "unknown_tag": (13, 5, "unknown tag hidden. A cell has at most one tag, out of setup, exercise"),
}


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def sources_of(path: Path) -> list[str]:
    return [cell.source for cell in read(path).cells]


def change(path: Path, old: str, new: str) -> None:
    """Replace some text in a file, and insist that it was there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# -- refused ---------------------------------------------------------------------------------------------------------


def test_every_fixture_has_its_row():
    assert {path.stem for path in FIXTURES.glob("*.py")} == {*BROKEN, "sound"}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_broken_source_is_refused(builder, course, name):
    line, cell, words = BROKEN[name]
    source = course / "source" / "02_lesson.py"
    shutil.copy(FIXTURES / f"{name}.py", source)
    with pytest.raises(builder.SourceError) as caught:
        builder.build(course)
    first = caught.value.faults[0]
    assert (first.line, first.cell) == (line, cell)
    assert words in first.text
    place = f"cell {cell}: " if cell else ""
    assert str(caught.value).startswith(f"02_lesson.py:{line}: {place}")
    assert list(course.glob("**/*.ipynb")) == []


def test_all_faults_of_all_sources_come_at_once_and_nothing_is_written(builder, course):
    shutil.copy(FIXTURES / "sound.py", course / "source" / "03_other.py")  # it says 02 throughout
    change(course / "source" / "02_lesson.py", "wait = 3", "wait = = 3")
    with pytest.raises(builder.SourceError) as caught:
        builder.build(course)
    assert {fault.path.name for fault in caught.value.faults} == {"02_lesson.py", "03_other.py"}
    assert len(caught.value.faults) > 3
    assert list(course.glob("**/*.ipynb")) == []


@pytest.mark.parametrize("name", ["lesson.py", "2_lesson.py", "02-lesson.py", "02_Lesson.py"])
def test_name_of_a_source_is_checked(builder, course, name):
    (course / "source" / "02_lesson.py").rename(course / "source" / name)
    with pytest.raises(builder.SourceError, match=r"a source is named like 02_early_stopping\.py"):
        builder.build(course)


def test_one_number_belongs_to_one_lesson(builder, course):
    shutil.copy(FIXTURES / "sound.py", course / "source" / "02_other.py")
    with pytest.raises(builder.SourceError, match=r"02_other.py:1: lesson 02 has another source, 02_lesson.py"):
        builder.build(course)


def test_source_that_is_not_utf8_is_refused(builder, course):
    (course / "source" / "02_lesson.py").write_bytes(b"# %% [markdown]\n# # caf\xe9\n")
    with pytest.raises(builder.SourceError, match="the file is not UTF-8"):
        builder.build(course)


def test_line_numbers_count_blank_lines_after_a_marker(builder, course):
    change(course / "source" / "02_lesson.py", "# %%\n# cat", "# %%\n\n\n# cat")
    change(course / "source" / "02_lesson.py", "commands\nwait = 3", "commands\nwait = = 3")
    with pytest.raises(builder.SourceError, match=r"02_lesson.py:17: cell 5: not valid Python"):
        builder.build(course)


# -- the two editions ------------------------------------------------------------------------------------------------


def test_learner_edition_ends_at_the_marker(builder, course):
    builder.build(course)
    cells = sources_of(course / "02_lesson.ipynb")
    assert "# Exercise 02.1\n# Wait longer.\npatience = ..." in cells
    text = "\n".join(cells)
    assert "# solution" not in text
    assert "patience = 4" not in text
    assert "calm = wait" not in text
    assert "Ask for hands" not in text
    assert "Any number" not in text
    assert "calm + 1" not in text


def test_solutions_edition_answers_and_marks_what_is_the_teachers(builder, course):
    builder.build(course)
    cells = sources_of(course / "solutions" / "02_lesson.ipynb")
    assert "# Exercise 02.1\n# solution\npatience = 4" in cells
    assert "> **Teaching note**\n>\n> Ask for hands first.\n>\n> - Then wait." in cells
    assert "> **Solution**\n>\n> Any number from 3 will do." in cells
    assert "# Solution: learners do not have this cell.\ncalm + 1" in cells
    assert cells[0].endswith("*Solutions edition: with the answers and teaching notes.*")
    assert "patience = ..." not in "\n".join(cells)


def test_a_prediction_can_be_run_before_the_setup_cell(builder, course):
    builder.build(course)
    for folder in (course, course / "solutions"):
        assert 'from helpers import widgets\n\nwidgets.predict("02.a")' in sources_of(folder / "02_lesson.ipynb")


def test_the_setup_says_what_colab_lacks_and_nothing_elsewhere(builder, course):
    builder.build(course)
    for folder in (course, course / "solutions"):
        code = [cell.source for cell in nbformat.read(folder / "02_lesson.ipynb", 4).cells if cell.cell_type == "code"]
        guard, _, _ = code[0].partition("\n\n")
        exec(guard, {"get_ipython": lambda: "<ipykernel.zmqshell.ZMQInteractiveShell object at 0x1>"})
        with pytest.raises(AssertionError, match=r"^Colab has neither this course's folder nor its Keras: README"):
            exec(guard, {"get_ipython": lambda: "<google.colab._shell.Shell object at 0x1>"})


def test_claim_ids_stay_in_the_source(builder, course):
    change(course / "source" / "02_lesson.py", "# - Then wait.", "# - Then wait. <!-- claim: files.are_there -->")
    change(course / "source" / "02_lesson.py", "# ## Predict", "# ## Predict\n#\n# So. <!-- claim: a.b -->\n# Yes.")
    builder.build(course)
    for folder in (course, course / "solutions"):
        assert "## Predict\n\nSo.\nYes." in sources_of(folder / "02_lesson.ipynb")
    assert "claim" not in (course / "solutions" / "02_lesson.ipynb").read_text()


def test_comments_with_the_names_of_commands_stay_comments(builder, course):
    builder.build(course)
    assert '# cat and ls are words here, not commands\nwait = 3\nwidgets.reveal("02.a")' in sources_of(
        course / "02_lesson.ipynb"
    )


def test_links_reach_the_same_files_from_both_editions(builder, course):
    builder.build(course)
    assert "](03_next.ipynb#top), [the data](../data/README.md)" in sources_of(course / "02_lesson.ipynb")[0]
    solutions = sources_of(course / "solutions" / "02_lesson.ipynb")[0]
    assert "](03_next.ipynb#top), [the data](../../data/README.md) and [Keras](https://keras.io)" in solutions
    assert builder.one_folder_down('<img src="kitchen.png" alt="a">') == '<img src="../kitchen.png" alt="a">'
    assert (
        builder.one_folder_down("[up](#top), <a href='https://keras.io'>") == "[up](#top), <a href='https://keras.io'>"
    )


@pytest.mark.parametrize("edition", ["", "solutions"])
def test_notebooks_are_valid_and_hold_nothing_of_a_run(builder, course, edition):
    builder.build(course)
    notebook = read(course / edition / "02_lesson.ipynb")
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info == {"name": "python"}
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)
    assert {tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])} <= set(builder.TAGS)


def test_a_cell_has_one_id_in_both_editions(builder, course):
    builder.build(course)
    learner, solutions = read(course / "02_lesson.ipynb"), read(course / "solutions" / "02_lesson.ipynb")
    ids = [cell.id for cell in solutions.cells]
    assert len(set(ids)) == len(ids)  # three cells `wait = 3` are alike, their ids are not
    assert [cell.id for cell in learner.cells] == [
        cell.id for cell in solutions.cells if not {"instructor", "solution"} & set(cell.metadata.get("tags", []))
    ]


def test_links_to_a_heading_name_its_cell(builder, course):
    links = "[one](#Wait-for-it:-a-lesson-for-the-tests), [two](03_next.ipynb#16.-With-a-baseline), [top](#top)"
    change(course / "source" / "02_lesson.py", "# See [the next lesson]", f"# {links}\n#\n# See [the next lesson]")
    builder.build(course)
    for edition in ("", "solutions"):
        cell = read(course / edition / "02_lesson.ipynb").cells[0]
        assert cell.id == "Wait-for-it-a-lesson-for-the-tests"
        assert f"(#cell-id={cell.id}), [two](03_next.ipynb#cell-id=16-With-a-baseline), [top](#top)" in cell.source


def test_other_cells_keep_their_ids_when_one_is_added(builder, course):
    builder.build(course)
    before = [cell.id for cell in read(course / "02_lesson.ipynb").cells]
    change(
        course / "source" / "02_lesson.py",
        "# %% [markdown]\n# ## Predict",
        "# %%\nnew = 1\n# %% [markdown]\n# ## Predict",
    )
    builder.build(course)
    after = [cell.id for cell in read(course / "02_lesson.ipynb").cells]
    assert len(set(after) - set(before)) == 1
    assert [cell_id for cell_id in after if cell_id in before] == before


# -- files -----------------------------------------------------------------------------------------------------------


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_rebuild_changes_nothing(builder, course):
    builder.build(course)
    before = snapshot(course)
    assert builder.build(course) == (True, [])
    assert builder.build(course, check=True) == (True, [])
    assert snapshot(course) == before


def test_check_names_what_is_out_of_step_and_changes_nothing(builder, course):
    fine, sentences = builder.build(course, check=True)
    assert not fine
    assert sentences == ["02_lesson.ipynb is missing."] * 2
    builder.build(course)
    change(course / "source" / "02_lesson.py", "patience = ...", "patience = None")
    before = snapshot(course)
    assert builder.build(course, check=True) == (False, ["02_lesson.ipynb is out of step with its source."] * 2)
    assert snapshot(course) == before


def test_notebook_without_source_is_named(builder, course):
    builder.build(course)
    shutil.copy(course / "02_lesson.ipynb", course / "solutions" / "07_gone.ipynb")
    for name in ("02_lesson-Copy1.ipynb", "02_lesson.yours-1.ipynb", "Untitled.ipynb"):  # a learner's own
        shutil.copy(course / "02_lesson.ipynb", course / name)
    fine, sentences = builder.build(course, check=True)
    assert not fine
    assert sentences == ["07_gone.ipynb has no source in notebooks/source. Remove it, or bring its source back."]


def test_untouched_notebook_is_replaced_without_a_copy(builder, course):
    builder.build(course)
    # JupyterLab adds to the metadata whenever it saves.
    change(course / "02_lesson.ipynb", '"name": "python"\n', '"name": "python",\n   "version": "3.12.1"\n')
    change(course / "source" / "02_lesson.py", "patience = ...", "patience = None")
    assert builder.build(course) == (True, ["02_lesson.ipynb: written."] * 2)
    assert "patience = None" in "\n".join(sources_of(course / "02_lesson.ipynb"))
    assert list(course.glob("*yours*")) == []


def work_in(path: Path, how: str) -> None:
    """Change a built notebook as a learner does."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if how == "answer":
        cell = next(cell for cell in notebook["cells"] if "exercise" in cell["metadata"].get("tags", []))
        cell["source"][-1] = "patience = 9"
    elif how == "run":
        cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["hello\n"]}]
    elif how == "new cell":
        notebook["cells"].append({"cell_type": "markdown", "id": "mine", "metadata": {}, "source": ["my notes"]})
    else:
        notebook["cells"].pop()
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.mark.parametrize("how", ["answer", "run", "new cell", "removed cell"])
@pytest.mark.parametrize("new_lesson", [True, False])
def test_a_learners_work_is_set_aside(builder, course, how, new_lesson):
    builder.build(course)
    notebook = course / "02_lesson.ipynb"
    fresh = notebook.read_bytes()
    work_in(notebook, how)
    work = notebook.read_bytes()
    if new_lesson:
        change(course / "source" / "02_lesson.py", "patience = ...", "patience = None")
    fine, sentences = builder.build(course, check=True)
    assert not fine
    assert sentences[0].startswith("02_lesson.ipynb was changed by hand or run.")
    fine, sentences = builder.build(course)
    assert fine
    assert sentences[0] == (
        "02_lesson.ipynb held work of yours: it is now 02_lesson.yours-1.ipynb, "
        "and the lesson is fresh in its old place."
    )
    assert (course / "02_lesson.yours-1.ipynb").read_bytes() == work
    assert (notebook.read_bytes() == fresh) is not new_lesson
    assert builder.build(course) == (True, [])


def test_earlier_copies_stay(builder, course):
    builder.build(course)
    (course / "02_lesson.yours-1.ipynb").write_text("the first")
    work_in(course / "02_lesson.ipynb", "answer")
    builder.build(course)
    assert (course / "02_lesson.yours-1.ipynb").read_text() == "the first"
    assert "patience = 9" in (course / "02_lesson.yours-2.ipynb").read_text()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cells": 3}', b"\xff\xfe", b'{"cells": [], "metadata": []}'])
def test_damaged_notebook_is_set_aside(builder, course, content):
    builder.build(course)
    (course / "02_lesson.ipynb").write_bytes(content)
    builder.build(course)
    assert (course / "02_lesson.yours-1.ipynb").read_bytes() == content
    nbformat.validate(read(course / "02_lesson.ipynb"))


def test_interrupted_write_leaves_the_old_notebook(builder, course, monkeypatch):
    builder.build(course)
    before = snapshot(course)
    change(course / "source" / "02_lesson.py", "patience = ...", "patience = None")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        builder.build(course)
    after = snapshot(course)
    assert {name for name in before if before[name] != after[name]} == {"source/02_lesson.py"}
    assert set(after) == set(before)


def test_named_lessons_only(builder, course):
    (course / "source" / "03_broken.py").write_text("nothing", encoding="utf-8")
    for name in ("02", "02_lesson", "02_lesson.py"):
        assert builder.build(course, [name])[0]
    with pytest.raises(ValueError, match=r"There is no lesson 04\. Lessons with a source: 02_lesson, 03_broken\."):
        builder.build(course, ["04"])


def test_command_line(builder, course, monkeypatch, capsys):
    monkeypatch.setattr(builder, "HERE", course)
    assert builder.main(["--check"]) == 1
    assert "02_lesson.ipynb is missing." in capsys.readouterr().err
    assert builder.main([]) == 0
    assert builder.main(["--check"]) == 0
    assert "All notebooks are in step with their sources." in capsys.readouterr().out
    assert builder.main(["09"]) == 1
    assert capsys.readouterr().err == "There is no lesson 09. Lessons with a source: 02_lesson.\n"
    change(course / "source" / "02_lesson.py", "wait = 3", "wait = = 3")
    assert builder.main([]) == 1
    error = capsys.readouterr().err
    assert "source/02_lesson.py:15: cell 5: not valid Python" in error
    assert "Traceback" not in error
    assert error.endswith("Nothing was written.\n")


def test_the_courses_own_notebooks_are_in_step(builder):
    assert builder.build(ROOT / "notebooks", check=True) == (True, [])
