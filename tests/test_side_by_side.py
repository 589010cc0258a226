from __future__ import annotations

import re

import pytest

from helpers import style
from helpers.side_by_side import side_by_side

WRONG = {"epochs": 7, "`best`": "<none>"}
RIGHT = {"epochs": 30, "`best`": 0.25}


def picture(words: str):
    figure = style.figure(100, 80)
    figure.alt_text = words
    return figure


def test_text():
    assert str(side_by_side(WRONG, RIGHT)).splitlines() == [
        "        wrong   right",
        "epochs  7       30",
        "`best`  <none>  0.25",
    ]


def test_html_has_a_heading_for_each_row_and_column():
    text = side_by_side(WRONG, RIGHT).to_html()
    assert re.findall(r'<th scope="col"[^>]*>(\w+)<', text) == ["Wrong", "Right"]
    assert len(re.findall(r'<th scope="row"', text)) == 2
    assert "&lt;none&gt;" in text
    assert "<code" in text


def test_pictures_stand_in_the_last_row():
    shown = side_by_side(WRONG, RIGHT, pictures=(picture("one falls"), picture("one rises")))
    last = shown.to_html().split("<tr>")[-1]
    assert re.findall(r'alt="([^"]+)"', last) == ["one falls", "one rises"]
    assert str(shown).endswith("one falls\none rises")


def test_both_are_asked_the_same():
    with pytest.raises(ValueError, match="Ask both the same, in the same order: epochs, `best` against epochs"):
        side_by_side(WRONG, {"epochs": 30})


def test_one_picture_is_not_enough():
    with pytest.raises(ValueError, match="Give two pictures, the wrong one first, or none; got 1"):
        side_by_side(WRONG, RIGHT, pictures=(picture("one"),))
