"""The picture of the capstone's runs: marks where the numbers are, rows of what was kept, words that say the same."""

from __future__ import annotations

import dataclasses
import re

import pytest
from capstone import recorded_report

from helpers import plots

ORDER = ("baseline", "second", "first", "third")


def find(figure, gid):
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def runs(count: int) -> list:
    return [recorded_report(ORDER[n % 4], n // 4 % 5, f"round {n + 1}") for n in range(count)]


def spent(report) -> float:
    return sum(seed.epochs for seed in report.seeds) / len(report.seeds)


def test_marks_stand_where_the_numbers_are():
    reports = runs(4)
    scores = [report.score for report in reports]
    assert scores[0] < scores[2] < min(scores[1], scores[3])
    place = scores.index(max(scores))
    figure = plots.arena(reports)
    [best] = find(figure, "best")
    others = find(figure, "run")
    assert [mark.get_xydata()[0][0] for mark in others] == pytest.approx(
        [spent(one) for one in reports if one is not reports[place]]
    )
    assert best.get_xydata()[0][0] == pytest.approx(spent(reports[place]))
    right = [seed.quality for seed in reports[place].seeds]
    assert best.get_xydata()[0][1] == pytest.approx(100 * sum(right) / len(right))
    [way] = find(figure, "way")
    # From each run that was better than all before it to the next.
    assert [x for x, _ in way.get_xydata()] == pytest.approx([spent(reports[n]) for n in dict.fromkeys((0, 1, place))])


@pytest.mark.parametrize("count", [1, 2, 30, 90])
def test_no_number_lies_on_another_or_leaves_the_picture(count):
    figure = plots.arena(runs(count), title="All of them")
    figure.canvas.draw()
    for axes in figure.axes:
        labels = (*axes.get_xticklabels(), *axes.get_yticklabels())
        inside = [text for text in labels if axes.viewLim.contains(*text.get_position()) or text.get_position()[0] == 0]
        texts = [text for text in (*axes.texts, *inside) if text.get_text()]
        boxes = [text.get_window_extent() for text in texts]
        for place, box in enumerate(boxes):
            assert 0 <= box.x0 < box.x1 <= figure.bbox.width, texts[place]
            assert 0 <= box.y0 < box.y1 <= figure.bbox.height, texts[place]
            assert not [texts[n] for n in range(place) if box.overlaps(boxes[n])], texts[place]


def changed(report, place: int, **facts: object):
    """Return a report with other facts about one of its trainings."""
    seeds = list(report.seeds)
    seeds[place] = dataclasses.replace(seeds[place], **facts)
    return dataclasses.replace(report, seeds=tuple(seeds))


def test_each_run_has_a_column_of_boxes():
    whole = recorded_report("third", name="whole")
    lost = changed(changed(whole, 0, quality_at_kill=None), 4, quality=None)
    figure = plots.arena([dataclasses.replace(lost, name="lost"), whole])
    # Of the models at the kill three in four were kept, of those after the NaN none.
    heights = {round(box.get_height() / 0.72, 2) for box in find(figure, "kept")}
    assert {0.75, 1.0} <= heights
    assert len(find(figure, "kept")) == 5
    assert len(find(figure, "lost")) == 1
    [best], [other] = find(figure, "best"), find(figure, "run")
    assert other.get_markerfacecolor() != other.get_markeredgecolor()
    assert best.get_markerfacecolor() == best.get_markeredgecolor()
    assert "Best and last run 2" in figure.alt_text
    assert "First run 1, lost" in figure.alt_text
    assert "not all kept: model at the kill, model after the NaN" in figure.alt_text
    assert "everything kept" in figure.alt_text


def test_a_run_without_any_model_is_drawn_as_guessing():
    report = recorded_report("first")
    for place in range(5):
        report = changed(report, place, quality=None, epochs=0.0, trouble="It raised KeyError.")
    [mark] = find(plots.arena([report]), "best")
    assert mark.get_xydata()[0].tolist() == [0, 50]


def test_words_and_table_hold_the_numbers():
    reports = runs(7)
    figure = plots.arena(reports)
    assert figure.alt_text.startswith("7 runs of the capstone")
    best = max(reports, key=lambda report: report.score)
    for word, report in {"first": reports[0], "best": best, "last": reports[6]}.items():
        told = rf"{word}[a-z ]* run {reports.index(report) + 1}, {report.name}: {report.score:.0f} points"
        assert re.search(told, figure.alt_text, re.IGNORECASE)
    assert [line[1] for line in figure.table[1:]] == [report.name for report in reports]
    assert {len(line) for line in figure.table} == {len(figure.table[0])}


def test_of_equal_runs_the_first_is_the_best():
    figure = plots.arena([recorded_report("first", name="one"), recorded_report("first", name="two")])
    assert "best: run 1" in figure.texts[0].get_text()
    assert find(figure, "way")[0].get_xydata().shape == (1, 2)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no report"):
        plots.arena([])
