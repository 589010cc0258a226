"""The pictures: every mark where the truth is, texts that can be read, and words that say the same."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from helpers import history, plots, replay, style
from helpers.facts import facts_of

#                  1    2    3    4     5    6    7     8    9    10
VALIDATION = [1.0, 0.8, 0.6, 0.65, 0.5, 0.7, 0.72, 0.71, 0.6, 0.4]
TRAIN = [1.1, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1]
LOG = {"loss": TRAIN, "val_loss": VALIDATION}
STOPPED = replay.early_stopping(VALIDATION, patience=3, restore_best_weights=True)
SAVED = replay.model_checkpoint(VALIDATION, save_best_only=True)


def find(figure, gid):
    """Return the artists with a gid."""
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def one(figure, gid):
    artists = find(figure, gid)
    assert len(artists) == 1, f"{len(artists)} artists with the gid {gid}"
    return artists[0]


def spot(figure, gid):
    """Return epoch and value of a marker, which stands in fractions of the axes' height."""
    line = one(figure, gid)
    axes = line.axes
    [(x, y)] = axes.transData.inverted().transform(line.get_transform().transform(line.get_xydata()))
    return pytest.approx((round(x, 6), y), abs=1e-9)


def saved_epochs(figure):
    return [round((path.vertices[0, 0] + path.vertices[2, 0]) / 2) for path in one(figure, "saved").get_paths()]


def texts(figure):
    """Return the texts that are drawn: an axis also holds numbers beyond its ends."""
    beyond = set()
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high:
                    beyond |= {tick.label1, tick.label2}
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text for text in found if text.get_text().strip() and text.get_visible() and text not in beyond]


def words(figure):
    return [text.get_text() for text in texts(figure)]


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()


def assert_texts_are_apart(figure):
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts(figure)]
    for text, box in boxes:
        assert box.x0 >= -0.5, f"{text!r} begins outside of the picture: {box}"
        assert box.x1 <= width + 0.5, f"{text!r} ends outside of the picture: {box}"
        assert box.y0 >= -0.5, f"{text!r} below the picture: {box}"
        assert box.y1 <= height + 0.5, f"{text!r} above the picture: {box}"
    for (a, box_a), (b, box_b) in itertools.combinations(boxes, 2):
        over = min(box_a.x1, box_b.x1) - max(box_a.x0, box_b.x0), min(box_a.y1, box_b.y1) - max(box_a.y0, box_b.y0)
        # Boxes hold the room for descenders: a pixel or two of it may be shared.
        assert over[0] <= 0 or over[1] <= 2.5, f"{a!r} over {b!r}: {box_a}, {box_b}"


# The main picture.


def test_every_mark_stands_where_the_record_says():
    figure = plots.learning_curves(LOG, stopping=STOPPED, saves=SAVED)
    assert one(figure, "validation").get_xdata(orig=False).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert one(figure, "validation").get_ydata(orig=False).tolist() == VALIDATION[:8]
    assert one(figure, "train").get_ydata(orig=False).tolist() == TRAIN[:8]
    assert spot(figure, "best") == (5, 0.5)
    assert spot(figure, "kept") == (5, 0.5)
    assert one(figure, "stop").get_xdata() == [8, 8]
    window = one(figure, "patience-window")
    assert (window.get_x(), window.get_x() + window.get_width()) == (5, 8)
    assert saved_epochs(figure) == [1, 2, 3, 5]
    np.testing.assert_array_equal(one(figure, "ghost-train").get_xydata(), [(8, 0.2), (9, 0.15), (10, 0.1)])
    np.testing.assert_array_equal(one(figure, "ghost").get_xydata(), [(8, 0.71), (9, 0.6), (10, 0.4)])
    assert {"best, kept: epoch 5", "stop: epoch 8", "patience 3", "would not have run", "4 saved"} <= set(words(figure))


def test_grey_epochs_of_a_longer_run_are_told_in_its_words():
    figure = plots.learning_curves(LOG, stopping=STOPPED, beyond="ran on alone")
    assert "ran on alone" in words(figure)
    assert "would not have run" not in words(figure)
    assert "In grey, 2 epochs that ran on alone: epochs 9, 10. The best" in figure.alt_text
    figure.canvas.draw()
    assert_texts_are_apart(figure)


def test_what_is_grey_is_the_ghost():
    figure = plots.learning_curves(LOG, stopping=STOPPED)
    assert one(figure, "ghost").get_color() == one(figure, "ghost-train").get_color() == style.MARKS["ghost"].color
    # Both are grey: the dashes tell them apart.
    assert one(figure, "ghost").get_linestyle() == "-"
    assert one(figure, "ghost-train").get_linestyle() == "--"
    assert one(figure, "validation").get_color() == style.MARKS["validation"].color


def test_gids_are_the_ids_of_an_svg(tmp_path):
    figure = plots.learning_curves(LOG, stopping=STOPPED, saves=SAVED)
    figure.savefig(tmp_path / "picture.svg")
    svg = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    for gid in ("train", "validation", "best", "stop", "patience-window", "saved", "kept", "ghost"):
        assert svg.count(f'id="{gid}"') == 1, gid


def test_without_callbacks_there_are_curves_and_a_best_epoch_only():
    figure = plots.learning_curves(LOG)
    assert spot(figure, "best") == (10, 0.4)
    for gid in ("stop", "kept", "ghost", "patience-window", "saved"):
        assert not find(figure, gid), gid


def test_the_last_weights_are_kept_by_default():
    figure = plots.learning_curves(LOG, stopping=replay.early_stopping(VALIDATION, patience=3))
    assert spot(figure, "kept") == (8, 0.71)
    assert {"stop, kept: epoch 8", "best: epoch 5"} <= set(words(figure))


def test_a_run_that_ran_out_shows_how_far_the_wait_got():
    figure = plots.learning_curves(LOG["val_loss"][:8], stopping=replay.early_stopping(VALIDATION[:8], patience=5))
    assert not find(figure, "stop")
    assert not find(figure, "ghost")
    window = one(figure, "patience-window")
    assert (window.get_x(), window.get_x() + window.get_width()) == (5, 8)
    assert {"waited 3 of 5", "kept: epoch 8", "best: epoch 5"} <= set(words(figure))


def test_beside_saved_files_the_last_weights_are_those_in_memory():
    figure = plots.learning_curves(LOG["val_loss"][:8], saves=[0, 4])
    assert {"in memory: epoch 8", "best: epoch 5"} <= set(words(figure))


def test_saves_after_the_stop_are_not_drawn():
    figure = plots.learning_curves(LOG, stopping=STOPPED, saves=replay.model_checkpoint(VALIDATION))
    assert saved_epochs(figure) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert "8 saved" in words(figure)


def test_saves_may_be_a_list_of_epochs_or_a_recorder():
    assert saved_epochs(plots.learning_curves(LOG, saves=[0, 9])) == [1, 10]
    assert saved_epochs(plots.learning_curves(LOG, saves=SimpleNamespace(epochs=[3]))) == [4]
    assert "none saved" in words(plots.learning_curves(LOG, saves=[]))


def test_a_metric_to_maximise():
    accuracy = {"accuracy": [0.1, 0.5, 0.6, 0.7], "val_accuracy": [0.2, 0.7, 0.6, 0.65]}
    figure = plots.learning_curves(accuracy, monitor="val_accuracy")
    assert spot(figure, "best") == (2, 0.7)
    record = replay.early_stopping(accuracy["val_accuracy"], patience=2, mode="max")
    figure = plots.learning_curves(accuracy, monitor="val_accuracy", stopping=record)
    assert spot(figure, "best") == (2, 0.7)
    assert one(figure, "stop").get_xdata() == [4, 4]


def test_the_training_metric_can_be_the_one_that_is_watched():
    figure = plots.learning_curves(LOG, monitor="loss")
    assert spot(figure, "best") == (10, 0.1)
    assert find(figure, "validation")


def test_nan_and_infinity_break_the_line_and_are_marked():
    values = [1.0, math.nan, 0.8, 0.7, math.inf, 0.6]
    figure = plots.learning_curves(values)
    drawn = one(figure, "validation").get_ydata()
    np.testing.assert_array_equal(drawn, [1.0, math.nan, 0.8, 0.7, math.nan, 0.6])
    assert one(figure, "not-finite").get_xdata(orig=False).tolist() == [2, 5]
    assert spot(figure, "best") == (6, 0.6)


def test_a_single_point_between_gaps_gets_a_dot_in_a_long_run():
    values = [1.0] * 60
    values[20] = values[22] = math.nan
    line = one(plots.learning_curves(values), "validation")
    assert line.get_markevery() == [21]


def test_epochs_without_a_value_do_not_break_the_line():
    figure = plots.learning_curves({"loss": [3.0, 2.0, 1.0, 0.5], "val_loss": [None, 2.1, None, 1.1]})
    assert one(figure, "validation").get_xdata(orig=False).tolist() == [2, 4]
    assert not find(figure, "not-finite")


def test_a_best_that_is_nan_stands_on_the_strip_at_the_top():
    values = [math.nan, 0.9, 0.8, 0.7]
    figure = plots.learning_curves(values, stopping=replay.early_stopping(values, patience=2))
    line = one(figure, "best")
    assert line.get_xdata(orig=False).tolist() == [1]
    assert line.get_ydata()[0] > 0.9
    assert find(figure, "not-finite")[0].get_xdata(orig=False).tolist() == [1]
    assert "Best after epoch 1: NaN." in figure.alt_text


def test_all_nan_still_gives_a_picture():
    figure = plots.learning_curves([math.nan] * 3)
    assert not find(figure, "best")
    assert "There is no best epoch" in figure.alt_text
    assert style.png(figure)


@pytest.mark.parametrize(
    ("log", "scale"),
    [
        (LOG, "linear"),
        ([1e6, 1e3, 10.0, 0.3, 0.2], "log"),
        ([1e6, 1e3, 10.0, 0.0, 0.2], "symlog"),
        # A training loss that goes to nearly nothing must not press the validation curve flat.
        ({"loss": [2.0, 0.1, 0.001, 1e-6], "val_loss": [2.0, 0.5, 0.4, 0.6]}, "linear"),
        ([0.5], "linear"),
        ([-3.0, -2.0], "linear"),
        ([1e308, -1e308, 1.0], "linear"),
    ],
)
def test_the_scale_suits_the_values(log, scale):
    figure = plots.learning_curves(log)
    [axes] = figure.axes
    assert axes.get_yscale() == scale
    assert ("log scale" in axes.get_ylabel()) == (scale != "linear")
    assert all(math.isfinite(limit) for limit in axes.get_ylim())
    assert style.png(figure)


def test_the_scale_can_be_chosen():
    assert plots.learning_curves(LOG, yscale="log").axes[0].get_yscale() == "log"
    assert plots.learning_curves([1e6, 0.1], yscale="linear").axes[0].get_yscale() == "linear"


def test_curves_keep_out_of_the_lane_of_saved_files_and_of_the_strip():
    values = [*VALIDATION, math.nan]
    figure = plots.learning_curves(values, saves=[0])
    [axes] = figure.axes
    line = one(figure, "validation")
    heights = axes.transAxes.inverted().transform(axes.transData.transform(line.get_xydata()))[:10, 1]
    lane = max(path.vertices[:, 1].max() for path in one(figure, "saved").get_paths())
    assert lane < heights.min()
    assert heights.max() < one(figure, "not-finite").get_ydata(orig=False).min()


@pytest.mark.parametrize("epochs", [1, 2, 3, 12, 16, 17, 60, 500, 1000])
def test_the_axis_counts_epochs_from_1(epochs):
    figure = plots.learning_curves([1.0 / (e + 1) for e in range(epochs)])
    ticks = figure.axes[0].get_xticks()
    assert ticks[0] == 1
    assert all(tick == int(tick) and 1 <= tick <= epochs for tick in ticks)
    assert len(ticks) <= 16


def test_a_fit_that_resumed_counts_on():
    history = SimpleNamespace(history=LOG, epoch=list(range(5, 15)))
    stopped = replay.early_stopping(VALIDATION, patience=3, epochs=history.epoch)
    saved = replay.model_checkpoint(VALIDATION, save_best_only=True, epochs=history.epoch)
    figure = plots.learning_curves(history, stopping=stopped, saves=saved)
    assert spot(figure, "best") == (10, 0.5)
    assert one(figure, "stop").get_xdata() == [13, 13]
    assert saved_epochs(figure) == [6, 7, 8, 10]
    assert figure.axes[0].get_xticks()[0] == 6
    assert (
        "Stopped after epoch 13: 3 epochs without a new best (patience 3, epochs 11 to 13); val_loss" in figure.alt_text
    )


GAPPED = {"epoch": [5, 6, 7, 8, 12, 13, 14, 15, 16], "val_loss": [1.0, 0.9, 0.7, 0.75, 0.6, 0.65, 0.66, 0.67, 0.7]}


def test_pictures_take_the_true_numbers_from_the_run():
    run = history.read_history(GAPPED)
    settings = {"patience": 2, "start_from_epoch": 7, "restore_best_weights": True}
    record = replay.early_stopping(run["val_loss"], epochs=run.epochs, **settings)
    saved = replay.model_checkpoint(run["val_loss"], save_best_only=True, epochs=run.epochs)
    figure = plots.learning_curves(run, stopping=record, saves=saved)
    assert spot(figure, "best") == (13, 0.6)
    assert one(figure, "stop").get_xdata() == [15, 15]
    # Nothing is known to have been saved where lines are missing.
    assert saved_epochs(figure) == [6, 7, 8, 13]
    assert "(patience 2, epochs 14, 15)" in figure.alt_text
    for arguments in ({"stopping": record}, {"patience": 2, "start_from_epoch": 7}):
        figure = plots.wait_counter(run, **arguments)
        assert [row[-1] for row in figure.table[1:]] == ["0", "0", "0", "1", "1", "1", "1", "0", "1", "2", "", ""]
        assert "Stopped after epoch 15:" in figure.alt_text


def test_records_of_other_epochs_are_refused_in_words():
    record = replay.early_stopping(GAPPED["val_loss"], patience=2)
    with pytest.raises(ValueError, match=r"counted epochs from 1, the log has 9 epochs, 6 to 17.*=history\.epoch"):
        plots.learning_curves(GAPPED, stopping=record)
    saved = replay.model_checkpoint(GAPPED["val_loss"])
    with pytest.raises(ValueError, match=r"epochs that the log has not \(9 epochs, 6 to 17\)"):
        plots.learning_curves(GAPPED, saves=saved)


def test_bars_of_saved_files_stay_visible_in_a_long_run():
    record = replay.model_checkpoint([1.0] * 500)
    figure = plots.learning_curves([1.0] * 500, saves=record)
    [axes] = figure.axes
    widths = [np.ptp(path.vertices[:, 0]) for path in one(figure, "saved").get_paths()]
    assert len(widths) == 500
    assert min(widths) * axes.get_window_extent().width / np.ptp(axes.get_xlim()) >= 1


# Labels.


# No shrinking: each example draws a picture.
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(data=st.data())
def test_no_text_covers_another_or_leaves_the_picture(data):
    epochs = data.draw(st.integers(1, 600))
    run = data.draw(st.integers(1, epochs))
    best = data.draw(st.integers(0, run - 1))
    stops = data.draw(st.booleans())
    restores = data.draw(st.booleans())
    end = data.draw(st.floats(0.0, 2.0))
    values = [1.0 + end * e / epochs for e in range(epochs)]
    log = {"loss": [v + data.draw(st.sampled_from([-0.5, 0.0, 0.02])) for v in values[:1]] * epochs, "val_loss": values}
    record = replay.StoppingRecord(
        epochs_run=run if stops else epochs,
        stopped_epoch=run - 1 if stops else None,
        best_epoch=best,
        best=values[best],
        waits=tuple(range(run if stops else epochs)),
        kept_epoch=best if restores else (run if stops else epochs) - 1,
        epochs=tuple(range(run if stops else epochs)),
        patience=run,
        min_delta=0.0,
        mode="min",
        baseline=None,
        start_from_epoch=0,
        restore_best_weights=restores,
    )
    saves = data.draw(st.sampled_from([None, range(run)]))
    figure = plots.learning_curves(log, stopping=record, saves=saves, title=data.draw(st.sampled_from([None, "Title"])))
    figure.canvas.draw()
    assert_texts_are_apart(figure)
    # The three that the picture is about are never left out.
    said = " ".join(words(figure))
    assert "best" in said
    assert "kept" in said or "in memory" in said
    assert ("stop" in said) == stops


# Facts from callbacks.


def callback(**attributes):
    """Return what an EarlyStopping looks like after a fit."""
    looks = {
        "monitor": "val_loss", "mode": "min", "patience": 3, "wait": 3, "stopped_epoch": 7, "best_epoch": 4,
        "best": 0.5, "restore_best_weights": True, "best_weights": [], "min_delta": 0, "baseline": None,
        "start_from_epoch": 0,
    }  # fmt: skip
    return SimpleNamespace(**{**looks, **attributes})


def checkpoint(**attributes):
    """Return what a ModelCheckpoint looks like after a fit."""
    looks = {"monitor": "val_loss", "mode": "min", "save_best_only": True, "save_freq": "epoch", "best": 0.5}
    return SimpleNamespace(**{**looks, **attributes})


@pytest.mark.parametrize("restore", [True, False])
def test_a_callback_gives_the_same_facts_as_a_record(restore):
    record = replay.early_stopping(VALIDATION, patience=3, restore_best_weights=restore)
    assert facts_of(LOG, stopping=callback(restore_best_weights=restore)) == of_a_fit(facts_of(LOG, stopping=record))


def of_a_fit(of_a_replay):
    """What follows the stop never ran; a log that is replayed shows that it did."""
    assert of_a_replay.beyond == "would not have run"
    return dataclasses.replace(of_a_replay, beyond="never ran")


def test_the_real_callback_gives_the_same_facts_as_a_record():
    from contract.means import stopping as driven

    rng = np.random.default_rng(0)
    for case in range(100):
        values = [round(float(value), 2) for value in rng.normal(size=rng.integers(1, 20))]
        if case % 5 == 0:
            values[rng.integers(len(values))] = math.nan
        asked = {
            "patience": int(rng.integers(0, 6)),
            "min_delta": float(rng.choice([0.0, 0.1])),
            "mode": str(rng.choice(["min", "max"])),
            "baseline": [None, 0.3][rng.integers(2)],
            "start_from_epoch": int(rng.integers(0, 3)),
            "restore_best_weights": bool(rng.integers(2)),
        }
        stopping, _ = driven(values, **asked)
        record = replay.early_stopping(values, **asked)
        # NaN is not equal to itself, but the list is the same object for both.
        log = {"val_loss": values}
        from_callback = facts_of(log, stopping=stopping)
        from_record = of_a_fit(facts_of(log, stopping=record))
        assert repr(from_callback) == repr(from_record), (values, asked)


def test_the_window_counts_epochs_that_have_a_value():
    values = [1.0, None, 0.5, None, 0.6, None, 0.7, None]
    record = replay.early_stopping(values, patience=2)
    facts = facts_of(values, stopping=record)
    assert (facts.window, facts.waited, facts.stop) == ((4, 6), 2, 6)


def test_another_monitor_is_named():
    log = {**LOG, "val_accuracy": [0.5] * 10}
    figure = plots.learning_curves(log, stopping=callback(monitor="val_accuracy", mode="max"))
    assert "best val_accuracy, kept: epoch 5" in words(figure)
    assert "Best val_accuracy after epoch 5; val_loss there is 0.5." in figure.alt_text


def test_the_direction_of_a_metric_is_asked_of_the_callback_then_of_its_name():
    def greater():
        """Stand for `keras.ops.greater`."""

    odd = {"val_quality": [1.0, 3.0, 2.0]}
    stopping = callback(
        monitor="val_quality", mode="auto", monitor_op=greater, stopped_epoch=0, best_epoch=1, best=3.0, wait=1
    )
    assert facts_of(odd, monitor="val_quality", stopping=stopping).mode == "max"
    assert facts_of(odd, monitor="val_quality", mode="max").best == 1
    with pytest.raises(ValueError, match='give mode="min" or mode="max"'):
        facts_of(odd, monitor="val_quality")
    names = {
        "val_loss": "min",
        "val_mean_absolute_error": "min",
        "val_auc": "max",
        "val_sparse_categorical_accuracy": "max",
        "val_f1_score": "max",
        "val_false_negatives": "min",
        "val_categorical_crossentropy": "min",
    }
    assert {name: facts_of([1.0], monitor=name).mode for name in names} == names


@pytest.mark.parametrize(
    ("saves", "epochs"),
    [
        (checkpoint(), (0, 1, 2, 4)),
        (checkpoint(best=None), (0, 1, 2, 4)),
        (checkpoint(save_best_only=False, best=None), tuple(range(8))),
        # A better best from an earlier fit: this one wrote nothing.
        (checkpoint(best=0.1), ()),
        (checkpoint(mode="max", best=1.0), (0,)),
    ],
)
def test_a_checkpoint_is_replayed_from_its_settings(saves, epochs):
    assert facts_of(LOG, stopping=STOPPED, saves=saves).saved == epochs


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"monitor": "val_acc"}, "no metric 'val_acc'"),
        ({"mode": "auto"}, 'mode must be "min"'),
        ({"yscale": "cubic"}, "yscale must be"),
        ({"stopping": SimpleNamespace(patience=3, wait=0, stopped_epoch=0, restore_best_weights=False)}, "not run yet"),
        ({"stopping": 3}, "stopping must be the EarlyStopping that ran .* not int"),
        ({"stopping": callback(stopped_epoch=12)}, "not of the same fit"),
        ({"stopping": callback(best_epoch=30, stopped_epoch=0)}, "not of the same fit"),
        ({"stopping": replay.early_stopping([1.0] * 30, patience=40)}, "not of the same run"),
        ({"saves": checkpoint(save_freq=100)}, "every 100 batches.*SaveRecorder"),
        ({"saves": "best.keras"}, "saves must be .* not str"),
        ({"saves": 3}, "saves must be .* not int"),
    ],
)
def test_what_cannot_be_drawn_gets_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        plots.learning_curves(LOG, **arguments)


# Words.


def test_describe_says_every_fact():
    assert plots.describe(LOG, stopping=STOPPED, saves=SAVED).splitlines() == [
        "val_loss over 10 epochs (train and validation; smaller is better). The train curve falls from 1.1 to 0.1. The "
        "validation curve falls from 1 to 0.6 after epoch 3, rises to 0.65 after epoch 4, falls to 0.5 after epoch 5, "
        "rises to 0.72 after epoch 7, then falls to 0.4. They cross once: from epoch 4 on validation lies above train. "
        "val_loss gets worse in 3 of 9 steps.",
        "Best after epoch 5: 0.5.",
        "Stopped after epoch 8: 3 epochs without a new best (patience 3, epochs 6 to 8); val_loss there is 0.71.",
        "In grey, 2 epochs that would not have run: epochs 9, 10. "
        "The best of them, epoch 10 (0.4), is better than all before it.",
        "The model ends with the weights of epoch 5 (restored).",
        "Saved after epochs 1 to 3, 5 (4 times).",
    ]


def test_alt_text_is_describe_in_one_paragraph():
    figure = plots.learning_curves(LOG, stopping=STOPPED, saves=SAVED, title="Digits")
    assert figure.alt_text == "Digits. " + plots.describe(LOG, stopping=STOPPED, saves=SAVED).replace("\n", " ")


@pytest.mark.parametrize(
    ("saves", "sentence"),
    [
        ([], "No file was saved."),
        ([4], "Saved after epoch 5 (1 time)."),
        (range(10), "Saved after every epoch (10 times)."),
        ([0, 1, 5], "Saved after epochs 1, 2, 6 (3 times)."),
        ([0, 1, 2], "Saved after epochs 1 to 3 (3 times)."),
    ],
)
def test_saves_in_words(saves, sentence):
    assert plots.describe(LOG, saves=saves).splitlines()[-1] == sentence


def test_words_and_picture_agree_on_the_weights_that_the_model_ends_with():
    # A checkpoint saves and puts nothing back; a bare log says nothing of the kind.
    for saves, told in ([4], True), ([], True), (None, False):
        figure = plots.learning_curves(LOG, saves=saves)
        sentence = "The model ends with the weights of epoch 10 (the last that ran)."
        assert (sentence in figure.alt_text) is told
        assert (sentence in plots.describe(LOG, saves=saves)) is told
        assert ("kept" in {artist.get_gid() for artist in figure.findobj()}) is told


def test_many_saves_are_summarised():
    line = plots.describe([1.0] * 100, saves=range(0, 100, 2)).splitlines()[-1]
    assert line == "Saved after epochs 1, 3, 5, 7, 9, 11, …, 95, 97, 99 (50 times)."


def test_odd_values_in_words():
    text = plots.describe([1.0, math.nan, None, math.inf], stopping=replay.early_stopping([1.0, math.nan], patience=9))
    assert "Not a finite number in epochs 2, 4. No value in 1 epoch." in text


# The wait counter.


def test_wait_counter_shows_keras_count():
    figure = plots.wait_counter(VALIDATION, patience=3)
    bars = {round(np.mean(p.vertices[:4, 0])): p.vertices[:, 1].max() for p in one(figure, "wait").get_paths()}
    assert bars == {4: 1, 6: 1, 7: 2, 8: 3}
    # Filled points set the count back; epoch 9 and 10 never ran.
    assert one(figure, "reset").get_xdata(orig=False).tolist() == [1, 2, 3, 5]
    assert one(figure, "no-improvement").get_xdata(orig=False).tolist() == [4, 6, 7, 8]
    assert one(figure, "ghost").get_xdata(orig=False).tolist() == [8, 9, 10]
    assert one(figure, "stop").get_xdata() == [8, 8]
    assert one(figure, "patience").get_ydata() == [3, 3]
    assert spot(figure, "best") == (5, 0.5)
    assert figure.table[0] == ["epoch", "val_loss", "what it is", "wait"]
    assert figure.table[4:6] == [["4", "0.65", "no new best", "1"], ["5", "0.5", "new best", "0"]]
    assert figure.table[-1] == ["10", "0.4", "would not have run", ""]
    assert "wait is 0 after epochs 1 to 3, 5. It is highest after epoch 8: 3." in figure.alt_text
    assert "The best of them, epoch 10 (0.4), is better than all before it." in figure.alt_text
    ran = plots.wait_counter(VALIDATION, stopping=callback())
    assert ran.table[-1] == ["10", "0.4", "never ran", ""]
    assert "In grey" not in plots.wait_counter(VALIDATION[:8], patience=3).alt_text


def test_the_wait_counter_tells_of_one_curve_and_of_settings():
    text = plots.wait_counter(LOG, patience=2, min_delta=0.01, start_from_epoch=3).alt_text
    assert "train" not in text.replace("training", "")
    assert text.startswith("EarlyStopping counts on val_loss with patience 2, min_delta 0.01, start_from_epoch 3.")
    assert "Not looked at: epochs 1 to 3." in text
    assert "The model ends" not in text, "the picture does not show it"


def test_wait_counter_takes_the_callback_the_record_or_the_numbers():
    whole = plots.wait_counter(VALIDATION, patience=3)
    for stopping in (callback(), STOPPED):
        assert (pixels(plots.wait_counter(LOG, stopping=stopping)) == pixels(whole)).all()


def test_wait_counter_with_patience_0_and_with_a_warm_up():
    figure = plots.wait_counter(VALIDATION, patience=0)
    assert one(figure, "stop").get_xdata() == [4, 4]
    assert one(figure, "patience").get_ydata() == [1, 1], "wait is 1 when Keras first compares it with 0"
    assert "patience 0 (works as 1)" in words(figure)
    figure = plots.wait_counter(VALIDATION, patience=2, start_from_epoch=3)
    assert one(figure, "ignored").get_xdata(orig=False).tolist() == [1, 2, 3]


def test_wait_counter_of_a_long_run_draws_no_numbers():
    values = [1.0 / (e + 1) + 0.01 * e for e in range(300)]
    figure = plots.wait_counter(values, patience=200)
    assert not find(figure, "no-improvement")
    assert style.png(figure)


def test_wait_counter_with_values_that_are_no_numbers():
    values = [math.nan, 1.0, None, math.inf, 0.5]
    figure = plots.wait_counter(values, patience=9)
    assert one(figure, "best").get_xdata(orig=False).tolist() == [1]
    assert {"NaN", "infinity"} <= set(words(figure))


@pytest.mark.parametrize("arguments", [{}, {"patience": 3, "stopping": STOPPED}])
def test_wait_counter_needs_one_rule(arguments):
    with pytest.raises(ValueError, match="Give either stopping"):
        plots.wait_counter(VALIDATION, **arguments)


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    values=st.lists(st.floats(0.1, 5.0), min_size=1, max_size=120),
    patience=st.integers(0, 30),
    start=st.integers(0, 3),
    baseline=st.sampled_from([None, 0.5]),
)
def test_texts_of_the_wait_counter_are_apart(values, patience, start, baseline):
    figure = plots.wait_counter(values, patience=patience, start_from_epoch=start, baseline=baseline, title="Title")
    figure.canvas.draw()
    [upper, _] = figure.axes
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in upper.texts if text.get_text()]
    boxes.append(upper.get_legend().get_window_extent(renderer))
    for a, b in itertools.combinations(boxes, 2):
        assert min(a.x1, b.x1) <= max(a.x0, b.x0) or min(a.y1, b.y1) - max(a.y0, b.y0) <= 2.5
    assert max(box.x1 for box in boxes) <= figure.canvas.get_width_height()[0]


# The hook timeline.


def events_of(*calls):
    return [
        SimpleNamespace(hook=hook, index=index, seconds=0.1 * place, keys=("loss",) if hook.endswith("end") else ())
        for place, (hook, index) in enumerate(calls)
    ]


FIT = events_of(
    ("on_train_begin", None),
    *(
        call
        for epoch in range(2)
        for call in (
            ("on_epoch_begin", epoch),
            *((f"on_train_batch_{edge}", batch) for batch in range(3) for edge in ("begin", "end")),
            ("on_test_begin", None),
            ("on_test_batch_begin", 0),
            ("on_test_batch_end", 0),
            ("on_test_end", None),
            ("on_epoch_end", epoch),
        )
    ),
    ("on_train_end", None),
)


def test_hook_timeline_has_a_row_for_each_hook_and_a_mark_for_each_call():
    figure = plots.hook_timeline(FIT)
    [axes] = figure.axes
    rows = [text.get_text() for text in axes.get_yticklabels()]
    assert rows[0] == "on_train_begin"
    assert rows[-1] == "on_train_end"
    assert set(rows) == {event.hook for event in FIT}
    for row, hook in enumerate(rows):
        mark = one(figure, hook)
        assert mark.get_xdata(orig=False).tolist() == [place for place, e in enumerate(FIT, start=1) if e.hook == hook]
        assert set(mark.get_ydata()) == {row}
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first row is on top"


def test_hook_timeline_bands_epochs_and_counts_from_1():
    figure = plots.hook_timeline(FIT)
    assert one(figure, "epoch-1").get_x() == 1.5
    assert one(figure, "epoch-2").get_x() + one(figure, "epoch-2").get_width() == len(FIT) - 0.5
    said = words(figure)
    assert {"epoch 1", "epoch 2"} <= set(said)
    assert said.count("3") == 4, "the third batch begins and ends in two epochs"
    assert "0" not in said
    assert "on_train_begin, on_epoch_begin, 3 times on_train_batch_begin and _end, on_test_begin" in figure.alt_text
    assert "so in each of the 2 epochs; at last on_train_end." in figure.alt_text
    assert "on_train_batch_end 6" in figure.alt_text
    assert [row[1:3] for row in figure.table[1:]] == [
        [event.hook, "" if event.index is None else str(event.index + 1)] for event in FIT
    ]


def test_hook_timeline_by_the_clock():
    figure = plots.hook_timeline(FIT, x="seconds")
    assert one(figure, "on_train_end").get_xdata() == pytest.approx([0.1 * (len(FIT) - 1)])


def test_hook_timeline_with_logs_says_what_they_held():
    plain, figure = plots.hook_timeline(FIT), plots.hook_timeline(FIT, logs=True)
    assert words(figure).count("loss") == 5
    assert figure.get_figwidth() > plain.get_figwidth() - 1
    assert_texts_inside(figure)


def assert_texts_inside(figure):
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    for text in texts(figure):
        box = text.get_window_extent(renderer)
        assert -0.5 <= box.x0 <= box.x1 <= width + 0.5, text.get_text()
        assert -0.5 <= box.y0 <= box.y1 <= height + 0.5, text.get_text()


@pytest.mark.parametrize("verb", ["test", "predict"])
def test_hook_timeline_of_evaluate_and_predict(verb):
    events = events_of(
        (f"on_{verb}_begin", None), (f"on_{verb}_batch_begin", 0), (f"on_{verb}_batch_end", 0), (f"on_{verb}_end", None)
    )
    figure = plots.hook_timeline(events)
    assert len(figure.axes[0].get_yticklabels()) == 4
    assert not [gid for gid in (artist.get_gid() for artist in figure.findobj()) if gid and gid.startswith("epoch-")]
    assert_texts_inside(figure)


def test_hook_timeline_of_one_call_and_of_many():
    assert style.png(plots.hook_timeline(events_of(("on_train_begin", None)), x="seconds"))
    many = events_of(*((f"on_train_batch_{edge}", batch) for batch in range(300) for edge in ("begin", "end")))
    figure = plots.hook_timeline(many)
    assert not [word for word in words(figure) if re.fullmatch("[2-9]", word)], "no numbers in marks this small"


@pytest.mark.parametrize(
    ("events", "x", "sentence"),
    [
        ([], "order", "No hook was recorded yet"),
        (events_of(("on_epoch_start", 0)), "order", "Keras has no hook on_epoch_start"),
        (FIT, "minutes", 'x must be "order" or "seconds"'),
    ],
)
def test_bad_events_get_a_sentence(events, x, sentence):
    with pytest.raises(ValueError, match=sentence):
        plots.hook_timeline(events, x=x)
