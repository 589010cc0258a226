"""The picture of what each patience costs: points and intervals where the numbers are, words that say the same."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import plots, style

PATIENCE = [1, 3, 10, 40]
EPOCHS = [9.0, 15.0, 28.0, 61.0]
MISSED = [10.7, 3.7, 0.3, -0.1]
ERRORS = {"epochs_error": [1.0, 2.6, 1.5, 2.0], "missed_error": [1.4, 1.5, 0.5, 0.2]}
WIDE = ([6.0, 1.0, 0.0, -0.3], [16.0, 7.0, 0.7, 0.1])


def find(figure, gid):
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def test_points_and_intervals_stand_where_the_numbers_are():
    figure = plots.trade_off(PATIENCE, EPOCHS, MISSED, **ERRORS, wide=WIDE)
    [line] = find(figure, "trade-off")
    assert np.allclose(line.get_xydata(), np.column_stack([EPOCHS, MISSED]))
    [wide] = find(figure, "wide-interval")
    assert np.allclose([path.vertices[:2, 1] for path in wide.get_paths()], np.column_stack(WIDE))
    [axes] = figure.axes
    across, upright = axes.containers[0].lines[2]
    assert np.allclose(
        [s[:, 0] for s in across.get_segments()],
        [[e - d, e + d] for e, d in zip(EPOCHS, ERRORS["epochs_error"], strict=True)],
    )
    assert np.allclose(
        [s[:, 1] for s in upright.get_segments()],
        [[m - d, m + d] for m, d in zip(MISSED, ERRORS["missed_error"], strict=True)],
    )
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "95 % over configurations",
        "95 % over seeds",
    ]


def test_without_intervals_there_is_no_key():
    figure = plots.trade_off(PATIENCE, EPOCHS, MISSED)
    assert figure.axes[0].get_legend() is None
    assert not find(figure, "wide-interval")
    assert "plus or minus" not in figure.alt_text


def test_each_point_names_its_patience_and_no_name_leaves_the_picture_or_lies_on_another():
    figure = plots.trade_off(PATIENCE, EPOCHS, MISSED, **ERRORS, wide=WIDE, title="What patience costs")
    figure.canvas.draw()
    [axes] = figure.axes
    names = [text for text in axes.texts if text.get_text()]
    assert [text.get_text() for text in names] == [
        "as good as waiting to the end",
        "patience 1",
        "3",
        "10",
        "patience 40",
    ]
    boxes = [text.get_window_extent() for text in [*names, *axes.get_legend().get_texts()]]
    for place, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


def test_the_words_answer_and_the_table_holds_every_number():
    figure = plots.trade_off(PATIENCE, EPOCHS, MISSED, **ERRORS, wide=WIDE, title="What patience costs")
    assert figure.alt_text == (
        "What patience costs. Epochs spent against test loss missed (%); 0 is what waiting to the end keeps. From "
        "patience 1 to 40 the epochs go from 9 to 61, what is missed from 10.7 to -0.1, less at each step. Nine tenths "
        "of that are won by patience 10, with 46 % of the last one's epochs. From patience 10 on the interval holds 0."
    )
    head, *rows = figure.table
    assert head == [
        "patience", "epochs spent", "test loss missed (%)", "epochs, plus or minus", "95 % over seeds, plus or minus",
        "95 % over configurations, from", "95 % over configurations, to",
    ]  # fmt: skip
    assert rows[1] == ["3", "15", "3.7", "2.6", "1.5", "1", "7"]
    assert len(rows) == 4
    assert len(style.png(figure)) > 5000


def test_the_table_is_shown_below_the_picture(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    style.show(plots.trade_off(PATIENCE, EPOCHS, MISSED))
    assert '<th scope="col">epochs spent</th>' in shown[0]["text/html"]
    assert ">3</th><td>15</td><td>3.7</td></tr>" in shown[0]["text/html"]


def test_one_patience_is_enough():
    figure = plots.trade_off([5], [20.0], [1.0])
    assert [text.get_text() for text in figure.axes[0].texts][1:] == ["patience 5"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], []), "patience is empty"),
        (([1, 2], [3.0], [1.0, 2.0]), "epochs needs one number for each of the 2 patiences"),
        (([1, 2], [3.0, 4.0], [1.0, float("nan")]), "missed is no finite number at patience 2"),
    ],
)
def test_numbers_that_cannot_be_drawn(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.trade_off(*arguments)


def test_ends_of_the_wide_interval_must_fit():
    with pytest.raises(ValueError, match="low needs one number"):
        plots.trade_off(PATIENCE, EPOCHS, MISSED, wide=([1.0], [2.0]))
