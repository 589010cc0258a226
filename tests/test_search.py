from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from helpers import pitfalls
from helpers.pitfalls import _elsewhere, _lessons, _messages, _paste
from helpers.widgets import PitfallSearch
from tests.search import provoke
from tests.search.corpus import texts
from tests.search.measure import measure

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ALL = pitfalls.load()
MESSAGES = [(text, [one.number for one in ALL if text in one.message]) for one in ALL for text in one.message]
RECORDED = [one for one in texts() if "\n" in one.text and "Traceback" in one.text and one.number > 0]

# -- how it does -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept_out", [False, True], ids=["for tuning", "kept out"])
def test_how_it_does(kept_out):
    score = measure(one for one in texts() if one.kept_out == kept_out)
    print(score)
    assert score.asked > 50
    assert score.first >= 0.93 * score.asked, score
    assert score.third >= 0.97 * score.asked, score
    assert score.doubted == 0, score
    assert score.told >= 0.9 * score.nothing, score
    assert score.explained >= 0.85 * score.lessons, score


@pytest.mark.parametrize(("one_in", "least"), [(3, 150), (2, 120)], ids=["the author's", "a stranger's"])
def test_what_is_kept_out(one_in, least):
    part = [one for one in texts() if one.one_in == one_in]
    assert len(part) >= least
    assert 0.8 / one_in < sum(one.kept_out for one in part) / len(part) < 1.25 / one_in
    assert {one.number for one in part} >= {one.number for one in ALL}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("TypeError: 'NoneType' object is not callable", 5),
        ("AttributeError: 'Adam' object has no attribute 'lr'", 23),
        ("ValueError: File not found: filepath=best.keras. Please ensure the file is an accessible", 33),
        ("metric `val_loss` which is not available", 3),
        ("my buttons are frozen", 30),
        ("nan", 28),
        ("resume training", 27),
        ("checkpoint file from yesterday got replaced when I restarted", 7),
        ("why does my accuracy drop after loading the saved model", 20),
        ("callback not executed", 31),
        ("the second fold of cross validation does not save anything", 17),
        ("training quits after 2 epochs with EarlyStopping", 12),
        ("my model is worse after training than the best epoch I saw", 1),
        ("my learning rate stays constant", 14),
        ("slider does not react while the cell runs", 30),
        ("early stopping never triggers", 3),
        ("val_acc not found", 2),
        ("weights file corrupted after power cut", 33),
        ("AttributeError: can't set attribute 'model'", 24),
        ("KeyError: 'val_acc' in filename", 25),
        ("TypeError: got an unexpected keyword argument 'period'", 6),
        ("loss is nan and early stopping stops", 28),
        ("metric auc_1 not found in second run", 21),
        ("validation_freq patience", 9),
        ("baseline stops", 16),
        ("my custom metric mode auto", 10),
        ("AttributeError: 'MyCallback' object has no attribute 'validation_data'", 22),
        ("monitor training loss never stops", 29),
        ("ReduceLROnPlateau patience different from EarlyStopping", 13),
        ("backup and restore forgot best", 8),
        ("min_delta best weights are not from the lowest loss", 15),
        ("callbacks passed as a set", 26),
        ("log metric from another callback not visible to early stopping", 32),
        ("restored weights loss off by one", 18),
        ("early stopping and checkpoint give different models", 19),
        ("saves too often every few batches", 6),
    ],
)
def test_find(text, number):
    found = pitfalls.find(text)
    assert found.pitfalls[0].number == number
    assert found.note.startswith("Best fit")


# -- messages --------------------------------------------------------------------------------------------------------

AROUND = """Traceback (most recent call last):
  File "C:\\\\Users\\\\me\\\\ModelCheckpoint save_freq period.py", line 3, in on_epoch_end
    self.validation_data = BackupAndRestore(Lambda(safe_mode), CSVLogger(append=True))  # nan, tuner, float32
                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
{}
"""


@pytest.mark.parametrize(("text", "numbers"), MESSAGES, ids=lambda value: str(value)[:60])
def test_a_message_wins_outright(text, numbers):
    said = text.replace("…", "val_of_ours")
    for asked in (text, said, AROUND.format(said)):
        found = pitfalls.find(asked)
        assert found.fits
        assert found.note.startswith("Best fit")
        assert found.pitfalls[0].number in numbers


@pytest.mark.parametrize(
    ("message", "text", "fits"),
    [
        ("TypeError: no", "TypeError: nothing", False),
        ("KeyError: 'lr'", "AttributeError: 'Adam' object has no attribute 'lr'", False),
        ("KeyError: 'lr'", "KeyError: 'lr'", True),
        (
            "AttributeError: '…' object has no attribute 'lr'",
            "AttributeError: 'Adam' object has no attribute 'lr'",
            True,
        ),
        ("AttributeError: '…' object has no attribute 'lr'", "'Adam' object has no attribute `lr`", True),
        (
            "AttributeError: '…' object has no attribute 'lr'",
            "AttributeError: 'A' object has no attribute 'lrs'",
            False,
        ),
        ("AttributeError: '…' object has no attribute 'lr'", "AttributeError: 'A' object has no attribute 'b'", False),
        # Cut off, from its middle, and in the words of another release.
        (
            "UserWarning: It is on metric `…` which is not there. The metrics are: …",
            "is on metric `a` which is not",
            True,
        ),
        (
            "ValueError: The output of the `f` function should be a float. Got: …",
            "The output of f should be float",
            True,
        ),
        # Of another class than the message names.
        (
            "TypeError: ModelCheckpoint.__init__() got an unexpected keyword argument '…'",
            "TypeError: Dense.__init__() got an unexpected keyword argument 'a'",
            False,
        ),
    ],
)
def test_matching(message, text, fits):
    assert bool(_messages.Message(message).matches(_paste.read(text))) == fits


# -- pastes ----------------------------------------------------------------------------------------------------------

CHAINED = """$ python train.py
2026-01-02 10:11:12.131415: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
/opt/keras/early_stopping.py:155: UserWarning: Early stopping conditioned on metric `a` which is not there.
  current = self.get_monitor_value(logs)
Epoch 1/3
4/4 ━━━━━━━━━━━━━━━━━━━━ 0s 3ms/step - loss: 0.6931
Traceback (most recent call last):
  File "/opt/keras/x.py", line 3, in f
    one()
    ^^^^^
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/home/me/train.py", line 9, in <module>
    two(
    ~~~^
  File "<frozen runpy>", line 88, in _run_code
my_package.errors.SecondError: second of them
What can I do?"""


def test_a_paste_is_sorted():
    paste = _paste.read(CHAINED)
    assert paste.errors == ("my_package.errors.SecondError: second of them", "KeyError: 'first'")
    assert paste.warnings == ("UserWarning: Early stopping conditioned on metric `a` which is not there.",)
    assert paste.rest.splitlines() == ["$ python train.py", "oneDNN custom operations are on.", "What can I do?"]
    for line in ("one()", "two(", "current = ", "train.py", "runpy"):
        assert line in paste.frames


@pytest.mark.parametrize(
    "line",
    [
        '  File "/home/me/train.py", line 9, in <module>',
        "File /usr/lib/python3.12/site-packages/keras/src/traceback_utils.py:122, in filter.<locals>.handler(*args)",
        "Cell In[7], line 3",
        "~/miniconda3/lib/python3.9/site-packages/keras/callbacks.py in on_epoch_end(self, epoch, logs)",
        "<ipython-input-7-0a1b2c3d4e5f> in <module>",
        "----> 3 model.fit(x, y)",
        "     ^^^^^^^^^^^",
        "---------------------------------------------------------------------------",
        "TypeError                                 Traceback (most recent call last)",
        "During handling of the above exception, another exception occurred:",
    ],
)
def test_what_frames_a_traceback_does_not_count(line):
    assert _paste.read(line).said.strip() == ""


def mangled(text: str) -> dict[str, str]:
    """Return the same paste as it comes from other places."""
    lines = text.splitlines()
    plain = _paste._COLOUR.sub("", text)
    return {
        "curly": plain.replace("'", "’").replace('"', "”"),
        "quoted": "\n".join(f"> {line}" for line in lines),
        "windows": "\r\n".join(lines),
        "html": html.escape(text),
        "escapes lost": text.replace("\x1b", ""),
        "log": "\n".join(f"2026-11-25 09:10:11,123 - ERROR - {line}" for line in plain.splitlines()),
        "docker": "\n".join(f"trainer_1  | {line}" for line in lines),
        "no indents": "\n".join(line.strip() for line in plain.splitlines()),
        "cut off": "\n".join(lines[len(lines) // 2 :]),
        "in a question": f"Hi all, please help me! I get this:\n```\n{text}\n```\nWhat is wrong? Thanks in advance",
    }


@pytest.mark.parametrize("way", list(mangled("a")))
def test_a_paste_means_the_same_from_anywhere(way):
    missed = []
    for one in RECORDED:
        before, after = pitfalls.find(one.text), pitfalls.find(mangled(one.text)[way])
        if before.fits and (not after.fits or before.pitfalls[0] != after.pitfalls[0]):
            missed.append((one.number, after.pitfalls[0].number, after.fits, one.text.splitlines()[-1][:80]))
    assert len(missed) <= len(RECORDED) // 50, missed


@pytest.mark.parametrize(
    ("names", "number"), [("accuracy, loss", 3), ("accuracy, loss, val_loss", 32)], ids=["none", "validation"]
)
def test_the_names_of_a_warning_tell_whether_there_was_validation(names, number):
    said = f"Early stopping conditioned on metric `val_dice` which is not available. Available metrics are: {names}"
    assert pitfalls.find(said).pitfalls[0].number == number


@pytest.mark.parametrize(
    ("package", "fits"), [("keras/src/layers", True), ("pandas/io", False), (r"torch\nn", False), ("", True)]
)
def test_a_traceback_through_another_library_fits_nothing(package, fits):
    place = f"/venv/lib/site-packages/{package}/a.py" if package else "/home/me/train.py"
    said = f'Traceback (most recent call last):\n  File "{place}", line 3, in f\n    g()\n'
    assert pitfalls.find(f"{said}TypeError: 'NoneType' object is not callable").fits == fits


def test_what_is_no_text_for_people_is_cut_short():
    assert _paste.read("data:image/png;base64," + "iVBOR" * 9000 + " KeyError: 'x'").rest.endswith(" KeyError: 'x'")
    assert len(_paste.read("A" * 40_000).rest) == 200
    assert len(_paste.read(" " * 40_000 + "a").rest) == 201


@pytest.mark.parametrize("text", ["", "!", "1 + 2", None, 5])
def test_find_wants_words(text):
    with pytest.raises(ValueError, match="Give find"):
        pitfalls.find(text)


# -- what it shows ---------------------------------------------------------------------------------------------------


def test_each_result_shows_its_fix():
    found = pitfalls.find("AttributeError: 'Adam' object has no attribute 'lr'")
    assert found.pitfalls[0].number == 23
    assert f"Fix: {found.pitfalls[0].fix}" in str(found)
    assert found.to_html().count("<b>Fix:</b>") == len(found.pitfalls)
    assert f'href="{html.escape(found.pitfalls[0].link)}"' in found.to_html()
    assert found.summary.endswith(f"First: {found.pitfalls[0].heading}.")


def test_nothing_fits_is_told_with_where_to_ask_and_the_nearest_lesson():
    found = pitfalls.find("AttributeError: 'Sequential' object has no attribute 'predict_classes'")
    assert not found.fits
    assert found.note.startswith("Nothing fits")
    assert "stackoverflow.com" in found.to_html()
    assert found.lessons
    assert found.lessons[0].notebook in str(found)
    assert "about predictions and their measures" in found.note
    assert len(found.pitfalls) <= 2


def test_kinds_and_troubles_share_no_message():
    kinds = [text for one in _elsewhere.kinds() for text in one.message]
    assert len(set(kinds)) == len(kinds)
    for text in kinds:
        assert not pitfalls.find(text.replace("…", "of_ours")).fits, text


def test_a_name_that_nobody_has_is_told():
    found = pitfalls.find("xyzzy")
    assert (found.pitfalls, found.lessons, found.fits) == ((), (), False)


def test_words_of_the_search_alone_are_found_and_not_shown(tmp_path, monkeypatch):
    table = (
        '[[pitfall]]\nnumber = 1\ntitle = "Gone"\nsymptom = "Away."\nfix = "Wait."\nmessage = []\nthreads = []\n'
        'notebook = "08_pitfall_lab"\nwords = ["resume an interrupted run"]\n'
    )
    (tmp_path / "pitfalls.toml").write_text(table, encoding="utf-8")
    monkeypatch.setattr(pitfalls, "FILE", tmp_path / "pitfalls.toml")
    assert pitfalls.find("resuming").pitfalls[0].number == 1
    assert "interrupted" not in str(pitfalls.find("resuming"))


# -- lessons ---------------------------------------------------------------------------------------------------------


def headings(name: str) -> set[str]:
    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return set(re.findall(r"^##? (.+)$", prose, re.MULTILINE))


def test_the_index_of_headings_is_in_step_with_the_notebooks():
    found = _lessons.sections()
    assert {one.notebook for one in found} == {
        path.stem for path in NOTEBOOKS.glob("[0-9]*.ipynb") if "." not in path.stem
    }
    for name in {one.notebook for one in found}:
        mine = {one.heading for one in found if one.notebook == name}
        assert mine <= headings(name)
        assert all(_lessons._NOT.match(heading) for heading in headings(name) - mine)


def test_answers_and_notes_for_teachers_are_not_searched(tmp_path):
    (tmp_path / "01_a.py").write_text(
        '# %% [markdown]\n# # Title\n# %% tags=["exercise"]\n# Exercise 01.1\nstub = ...\n# solution\nanswer = 1\n'
        '# %% tags=["solution"]\nassert answer\n# %% [markdown] tags=["instructor"]\n# a note\n'
        "# %% [markdown]\n# ## Two\n# text\n",
        encoding="utf-8",
    )
    one, two = _lessons.sections(tmp_path)
    assert (one.heading, two.heading, two.prose, two.link) == ("Title", "Two", "text\n", "01_a.ipynb#cell-id=Two")
    assert "stub" in one.code
    assert not re.search("answer|note", one.code + one.prose)


# -- the box ---------------------------------------------------------------------------------------------------------


def test_results_follow_what_is_typed():
    search = PitfallSearch()
    assert search.box.continuous_update
    assert search.results.outputs == ()
    search.box.value = "slider does not react while the cell runs"
    assert "30. Buttons" in search.results.outputs[0]["data"]["text/html"]
    assert "30. Buttons" in search.status.says
    search.box.value = CHAINED * 200
    assert search.status.says
    search.box.value = " "
    assert (search.results.outputs, search.status.says) == ((), "")


def test_a_recording_leaves_out_the_recorder():
    theirs = '  File "/home/ana/train.py", line 3, in <module>\n    net.fit(x)\n'
    theirs += '  File "/usr/lib/keras/layer.py", line 9, in call\n\n'
    ours = f'  File "{provoke.HERE}/provoke.py", line 84, in show\n\n  File "<frozen runpy>", line 1, in _run\n'
    assert provoke._without_us(ours + theirs + "ValueError: x") == theirs + "ValueError: x"
    assert provoke._without_us("    # NOTE: later\n") == "    # later\n"
