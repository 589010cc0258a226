"""The look of pictures, and the way they are shown."""

from __future__ import annotations

import html
import itertools
import re
import struct
import subprocess
import sys

import pytest

from helpers import style


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", [name for name in style.MARKS if name != "ghost"])
def test_texts_in_the_colours_of_marks_can_be_read(name):
    assert _contrast(style.MARKS[name].color, style.PAPER) >= 4.5


def test_what_never_ran_is_grey_and_lighter_than_everything_else():
    ghost = style.MARKS["ghost"].color
    red, green, blue = (int(ghost[i : i + 2], 16) for i in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) < 24
    assert all(_contrast(ghost, mark.color) >= 1.8 for name, mark in style.MARKS.items() if name != "ghost")


def test_no_two_marks_differ_by_colour_alone():
    looks = {name: (mark.marker, str(mark.linestyle), mark.linewidth, mark.hatch) for name, mark in style.MARKS.items()}
    for a, b in itertools.combinations(looks, 2):
        assert looks[a] != looks[b], (a, b)


@pytest.fixture
def picture():
    figure = style.figure(320, 200)
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    style.dress(axes)
    axes.plot([1, 2, 3])
    return figure


def _size(data: bytes) -> tuple[int, int]:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


@pytest.mark.parametrize("scale", [1, 2])
def test_a_png_has_the_pixels_asked_for(picture, scale):
    assert _size(style.png(picture, scale=scale)) == (320 * scale, 200 * scale)


def test_two_pngs_of_one_figure_are_equal(picture):
    assert style.png(picture) == style.png(picture)


def test_img_html_holds_the_alt_text_escaped(picture):
    text = 'Loss < 0.5 & "falling"'
    tag = style.img_html(picture, text)
    assert html.unescape(re.search(r'alt="([^"]*)"', tag)[1]) == text
    assert 'width="320"' in tag
    assert tag.startswith('<img src="data:image/png;base64,')
    assert re.search(r"<img [^>]*class=.course-figure.[^>]*>", tag)
    assert tag.endswith(style.DARK)


def test_alt_text_is_one_line(picture):
    assert 'alt="a b c"' in style.img_html(picture, "a\n b\n\nc")


def test_show_displays_html_with_the_figures_own_alt_text(picture, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append((bundle, raw)))
    picture.alt_text = "A line from 1 to 3."
    style.show(picture, width=500)
    [(bundle, raw)] = shown
    assert raw is True
    assert bundle["text/plain"] == "A line from 1 to 3."
    assert 'alt="A line from 1 to 3."' in bundle["text/html"]
    assert 'width="500"' in bundle["text/html"]


def test_alt_given_to_show_wins(picture, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle["text/plain"]))
    picture.alt_text = "old"
    style.show(picture, alt="new")
    assert shown == ["new"]


@pytest.mark.parametrize("alt", [None, "", "  \n"])
def test_a_picture_without_words_is_not_shown(picture, alt):
    with pytest.raises(ValueError, match=r"style\.show\(figure, alt=\.\.\.\)"):
        style.show(picture, alt=alt)


def test_pictures_need_neither_keras_nor_pyplot():
    code = """
import sys
from helpers import plots, replay, style
loaded = [name for name in ("tensorflow", "keras", "matplotlib") if name in sys.modules]
assert not loaded, loaded
figure = plots.learning_curves([3.0, 2.0, 2.5], stopping=replay.early_stopping([3.0, 2.0, 2.5], patience=1))
assert style.png(figure)
loaded = [name for name in ("tensorflow", "keras", "matplotlib.pyplot") if name in sys.modules]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
