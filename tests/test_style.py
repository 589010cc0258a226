"""The look of pictures, and the way they are shown."""

from __future__ import annotations

import html
import itertools
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgba_array
from matplotlib.text import Text

from helpers import plots, replay, style
from tests.colours import LACKS, apart, contrast, turned
from tests.figures import figures

[SHARE] = map(float, re.findall(r"invert\(([\d.]+)\) hue-rotate\(180deg\)", style.DARK))


def least(colour) -> float:
    """Return the contrast of a colour with the paper: on a light page, or on a dark one, whichever is lower."""
    return min(contrast(colour, style.PAPER), contrast(turned(colour, SHARE), turned(style.PAPER, SHARE)))


@pytest.mark.parametrize("name", [name for name in style.MARKS if name != "ghost"])
def test_texts_in_the_colours_of_marks_can_be_read(name):
    assert least(style.MARKS[name].color) >= 4.5


def test_what_never_ran_is_grey_and_lighter_than_everything_else():
    ghost = style.MARKS["ghost"].color
    red, green, blue = (int(ghost[i : i + 2], 16) for i in (1, 3, 5))
    assert max(red, green, blue) - min(red, green, blue) < 24
    others = [mark.color for name, mark in style.MARKS.items() if name != "ghost"]
    assert all(contrast(ghost, style.PAPER) < contrast(other, style.PAPER) for other in others)


def _told_apart(a: style.Mark, b: style.Mark, lack: str) -> bool:
    """By another marker, another kind of line, hatching; or at a glance by colour, as somebody sees it."""
    shape = a.marker != b.marker and "" not in (a.marker, b.marker)
    line = {"-": "whole", "": "none"}
    kinds = [line.get(mark.linestyle if isinstance(mark.linestyle, str) else str(mark.linestyle[1])) for mark in (a, b)]
    dashes = [mark.linestyle[1] if isinstance(mark.linestyle, tuple) else mark.linestyle for mark in (a, b)]
    return shape or kinds[0] != kinds[1] or dashes[0] != dashes[1] or a.hatch != b.hatch or (
        apart(a.color, b.color, lack) >= 20
    )  # fmt: skip


@pytest.mark.parametrize("lack", LACKS)
def test_marks_are_told_apart_whatever_colours_one_sees(lack):
    for one, other in itertools.combinations(style.MARKS, 2):
        assert _told_apart(style.MARKS[one], style.MARKS[other], lack), (one, other)


def test_colours_alone_would_not_do():
    """The simulation finds what it is for: best and stop are alike to whoever lacks a kind of cone."""
    assert apart(style.MARKS["best"].color, style.MARKS["stop"].color, "deuteranopia") < 10
    assert apart(style.MARKS["best"].color, style.MARKS["stop"].color, "tritanopia") > 50


def _colours(artist) -> list[np.ndarray]:
    """Return the colours in which an artist is drawn, laid on white paper."""
    found = []
    for name in ("get_color", "get_facecolor", "get_edgecolor", "get_markeredgecolor", "get_markerfacecolor"):
        value = getattr(artist, name, lambda: None)()
        if value is not None and not (isinstance(value, str) and value == "none"):
            found += list(to_rgba_array(value))
    # Collections hold their alpha in their colours too.
    strength = [c[3] if c[3] < 1 else artist.get_alpha() or 1.0 for c in found]
    return [c[:3] * share + 1 - share for c, share in zip(found, strength, strict=True)]


# Areas whose meaning stands in a bar above them or in a name.
AREAS = re.compile(r"patience-window|epoch-\d+")


def test_every_mark_of_every_figure_stands_out_from_the_paper():
    for figure in figures().values():
        marks = figure.drawn.findobj(lambda artist: artist.get_gid()) if figure.drawn else []
        for mark in marks:
            if not AREAS.fullmatch(mark.get_gid()):
                assert max(map(least, _colours(mark))) >= 3, (figure, mark.get_gid())


def test_a_picture_of_a_long_count_stands_out_too():
    drawn = plots.wait_counter([1 / (1 + n % 90) for n in range(200)], patience=150)
    [bars] = drawn.findobj(lambda artist: artist.get_gid() == "wait")
    assert max(map(least, _colours(bars))) >= 3


def test_marks_have_names_beside_them():
    values = [3.0, 2.0, 1.0, 1.5, 1.2, 0.9]
    drawn = plots.learning_curves(
        {"loss": values, "val_loss": values}, stopping=replay.early_stopping(values, patience=2), saves=[0, 1, 2]
    )
    said = " ".join(text.get_text() for text in drawn.findobj(Text))
    for name in ("train", "validation", "best", "stop", "patience 2", "saved", "kept", "would not have run"):
        assert name in said


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
