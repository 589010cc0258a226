"""The patience explorer without a browser: what it reads, draws, says and sends."""

from __future__ import annotations

import dataclasses
import html
import math
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import plots, replay, style
from helpers.widgets import PatienceExplorer, _choices, _frames, _svg
from helpers.widgets._frames import CURVES, WIDTH, Scene, Settings
from helpers.widgets._runs import read_runs

NAN, INF = math.nan, math.inf


def run_of(epochs: int, seed: int = 0) -> dict[str, list[float]]:
    """Make a log that falls, turns, and is noisy."""
    noise, epoch = np.random.default_rng(seed), np.arange(epochs)
    train = np.exp(-epoch / 30) + 0.02 * noise.random(epochs)
    validation = 0.4 + np.exp(-epoch / 12) + 0.002 * epoch + 0.03 * noise.random(epochs)
    return {"loss": train.tolist(), "val_loss": validation.tolist()}


LOG = run_of(40)
LONG = run_of(200)


def alt_of(frame: str) -> str:
    return html.unescape(re.search(r'<img [^>]*alt="([^"]*)"', frame)[1])


def frames_of(explorer) -> list[str]:
    return [child.value for child in explorer._stack.children]


# -- what it sends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [2, 3, 63, 64, 200, 500])
def test_few_frames_and_few_bytes(epochs):
    explorer = PatienceExplorer(run_of(epochs), patience=1)
    frames = frames_of(explorer)
    assert len(frames) == len(explorer.controls["patience"].options)
    assert len(frames) == epochs + 1 if epochs < 64 else 8 < len(frames) <= 64
    assert sum(map(len, frames)) + len(explorer._behind.value) < 1_500_000
    assert len(set(frames)) == len(frames)


def test_slider_and_stack_are_linked_in_the_browser():
    explorer = PatienceExplorer(LOG)
    link = explorer._link
    assert link.source == (explorer.controls["patience"], "index")
    assert link.target == (explorer._stack, "selected_index")
    # `jslink` lives in the browser; `link` and `dlink` of traitlets would need the kernel.
    assert link._model_name == "LinkModel"


def test_every_frame_tells_its_own_patience():
    explorer = PatienceExplorer(LONG, restore_best_weights=True, save_best_only=False)
    for (label, patience), frame in zip(explorer.controls["patience"].options, frames_of(explorer), strict=True):
        record = replay.early_stopping(LONG["val_loss"], patience=patience, restore_best_weights=True)
        assert label == str(patience)
        facts = plots.describe(LONG, stopping=record, saves=range(200)).replace("\n", " ")
        assert alt_of(frame).startswith(f"Learning curves. {facts} Below, every patience")
        assert f"Marked is patience {patience}: {record.epochs_run} epochs" in alt_of(frame)
        text = html.unescape(re.sub("<[^>]*>", "", re.search("<p .*?</p>", frame)[0]))
        if record.stopped_epoch is None:
            assert f"With patience {patience} nothing stops the training: all 200 epochs run." in text
        else:
            assert f"With patience {patience} training stops after epoch {record.stopped_epoch + 1}" in text
        assert f"{record.epochs_run} files saved." in text


def test_many_patience_values_fall_back_to_the_telling_ones():
    values = LONG["val_loss"]
    table = replay.every_patience(values)
    chosen = _choices.choose(table, 64, 77)
    assert len(chosen) == 64
    assert {0, 1, 2, 3, 77, 200} <= set(chosen)
    for jump in np.flatnonzero(np.diff(table.best_epoch)):
        assert {jump, jump + 1} <= set(chosen)
    last = int(table.stopped.sum()) - 1
    assert {last, last + 1} <= set(chosen)
    assert not [value for value in chosen if last + 1 < value < 200]
    assert max(np.diff([value for value in chosen if value <= last])) < 12


def test_few_frames_still_have_both_sides_of_each_jump():
    values = [5.0, *[9.0] * 30, 4.0, *[9.0] * 60, 3.0, *[9.0] * 100]
    chosen = _choices.choose(replay.every_patience(values), 12, 3)
    assert len(chosen) == 12
    assert {0, 3, 30, 31, 60, 61, 100, 101, len(values)} <= set(chosen)


def test_choices_stay_within_the_limit_with_more_jumps_than_frames():
    # Each best is followed by a longer drought than the one before: every patience finds another best.
    values = []
    for drought in range(1, 60):
        values += [float(-drought), *[1000.0] * drought]
    table = replay.every_patience(values, max_patience=100)
    assert len(np.flatnonzero(np.diff(table.best_epoch))) > 50
    for limit in (4, 10, 40):
        chosen = _choices.choose(table, limit, 50)
        assert len(chosen) == limit
        assert {0, 50, 100} <= set(chosen)


# -- the picture is that of plots.learning_curves --------------------------------------------------------------------


def settings_of_all_kinds():
    yield "long", LONG, Settings(), 5
    yield "restored", LOG, Settings(restore_best_weights=True, save_best_only=False), 3
    yield "never stops", LOG, Settings(), 39
    yield "nothing seen", LOG, Settings(start_from_epoch=39, baseline=0.1), 0
    yield "odd values", {**LOG, "val_loss": [NAN, None, INF, *LOG["val_loss"][3:]]}, Settings(), 6
    yield "nan first", {"val_loss": [0.5, NAN, 0.4, 0.45, NAN, 0.5, 0.6]}, Settings(restore_best_weights=True), 2
    yield "train only", {"loss": LOG["loss"]}, Settings(), 2
    yield "log scale", {"val_loss": [10.0 ** (3 - e % 9) for e in range(30)]}, Settings(), 4


@pytest.mark.parametrize(
    ("log", "settings", "patience"), [pytest.param(*case[1:], id=case[0]) for case in settings_of_all_kinds()]
)
def test_marks_stand_where_matplotlib_puts_them(log, settings, patience):
    """The same places, colours, widths and words, artist by artist."""
    monitor = "val_loss" if "val_loss" in log else "loss"
    run = read_runs(log, monitor)["run"]
    scene = Scene(run, monitor, None)
    story = scene.with_settings(settings, 40)
    facts = story.facts(patience)
    expected = plots.facts_of(log, monitor=monitor, stopping=story.record(patience), saves=story.saves(patience))
    assert same_facts(facts, expected)
    figure = style.figure(WIDTH, CURVES)
    axes = plots.draw_axes(figure, expected, saves=True)
    real = plots.draw_marks(axes, expected)
    mine = plots.draw_marks(scene._axes, facts)
    assert len(mine) == len(real) > 4
    renderer = figure.canvas.get_renderer()
    for left, right in zip(mine, real, strict=True):
        assert left.get_zorder() == right.get_zorder()
        if isinstance(left, _svg.Text):
            assert (left.text, left.color, left.fontsize) == (right.get_text(), right.get_color(), right.get_fontsize())
            assert left.at == pytest.approx(right.get_transform().transform(right.get_position()), abs=1)
            assert _svg.text_width(left.text, left.fontsize) == pytest.approx(
                right.get_window_extent(renderer).width, abs=2
            )
            continue
        assert type(left) is type(right)
        assert left.get_gid() == right.get_gid()
        a, b = (artist.get_transform().transform(corners(artist)) for artist in (left, right))
        np.testing.assert_allclose(a, b, atol=0.01)
    # And all of it gets written: one element for each artist at least.
    written = _svg.draw(mine, CURVES)
    assert written.count("<text") == sum(isinstance(artist, _svg.Text) for artist in mine)
    for gid in {artist.get_gid() for artist in real} - {None}:
        assert f'data-mark="{gid}"' in written
    assert "nan" not in re.sub(r"<text.*?</text>|data-mark=\"[^\"]*\"", "", written).lower()


def test_what_is_written_stands_where_matplotlib_draws_it():
    """Read places back from the SVG: y downwards, in pixels, texts by their baseline."""
    scene = Scene(read_runs(LOG, "val_loss")["run"], "val_loss", None)
    facts = scene.with_settings(Settings(), 40).facts(3)
    figure = style.figure(WIDTH, CURVES)
    real = plots.draw_marks(plots.draw_axes(figure, facts, saves=True), facts)
    renderer = figure.canvas.get_renderer()
    written = _svg.draw(plots.draw_marks(scene._axes, facts), CURVES)
    by_gid = {artist.get_gid(): artist for artist in real}

    def pixels(gid):
        points = by_gid[gid].get_transform().transform(corners(by_gid[gid]))
        return np.column_stack([points[:, 0], CURVES - points[:, 1]])

    def numbers(path):
        return [[float(number) for number in pair.split()] for pair in re.split("[MLZ]+", path) if pair]

    for gid in ("validation", "train", "stop", "patience-window", "saved"):
        path = re.search(rf'<path d="([^"]*)"[^>]*data-mark="{gid}"', written)[1]
        expected = pixels(gid)
        if gid == "patience-window":
            box = by_gid[gid].get_window_extent(renderer)
            expected = np.array([[x, CURVES - y] for x in (box.x0, box.x1) for y in (box.y0, box.y1)])
        for extreme in (np.min, np.max):
            assert extreme(numbers(path), axis=0) == pytest.approx(extreme(expected, axis=0), abs=0.06)
    for gid in ("best", "kept"):
        place = re.search(rf'data-mark="{gid}"><path d="[^"]*" transform="translate\((\S+) (\S+)\)"', written)
        assert [float(place[1]), float(place[2])] == pytest.approx(pixels(gid)[0], abs=0.06)
    texts = {artist.get_text(): artist for artist in real if hasattr(artist, "get_text")}
    assert "patience 3" in texts
    for text, artist in texts.items():
        place = re.search(rf'<text x="(\S+)" y="(\S+)"[^>]*>{re.escape(text)}<', written)
        box = artist.get_window_extent(renderer)
        assert float(place[1]) == pytest.approx(box.x0, abs=1.5)
        # The baseline is a few pixels above the lower edge of the box, which has room for a "p".
        assert 2 < CURVES - box.y0 - float(place[2]) < 5


def same_facts(left, right) -> bool:
    return all(str(a) == str(b) for a, b in zip(dataclasses.astuple(left), dataclasses.astuple(right), strict=True))


def corners(artist) -> np.ndarray:
    if hasattr(artist, "get_xydata"):
        return np.column_stack([artist.get_xdata(), artist.get_ydata()]).astype(float)
    if hasattr(artist, "get_paths"):
        return np.concatenate([path.vertices for path in artist.get_paths()] or [np.zeros((0, 2))])
    return artist.get_path().vertices


def test_an_artist_that_svg_does_not_know_is_an_error():
    with pytest.raises(NotImplementedError, match="cannot draw a SimpleNamespace"):
        _svg.draw([SimpleNamespace()], 100)


def test_lines_break_at_gaps_and_long_ones_lose_nothing_that_shows():
    assert _svg.polyline(np.array([[0, 0], [1, 1], [NAN, 2], [3, 3], [4.25, 4]])) == "M0.0 0.0L1.0 1.0M3.0 3.0L4.2 4.0"
    x = np.linspace(0, 500, 20_000)
    path = _svg.polyline(np.column_stack([x, 50 + 40 * np.sin(x)]))
    assert len(path) < 60_000
    heights = [float(pair.split()[1]) for pair in re.split("[ML]", path)[1:]]
    assert min(heights) == pytest.approx(10, abs=0.2)
    assert max(heights) == pytest.approx(90, abs=0.2)


# -- every patience at once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restores", [True, False])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_every_patience_epochs_and_missed_quality(mode, restores):
    values = LOG["val_loss"] if mode == "min" else [1 - value for value in LOG["val_loss"]]
    explorer = PatienceExplorer({"val_loss": values}, mode=mode, restore_best_weights=restores)
    trade = explorer._story.trade
    best = min(values) if mode == "min" else max(values)
    for patience in range(41):
        record = replay.early_stopping(values, patience=patience, mode=mode, restore_best_weights=restores)
        epochs, missed = trade.at(patience)
        assert epochs == record.epochs_run
        assert missed == pytest.approx(abs(values[record.kept_epoch] - best))


def test_missed_quality_of_a_nan_is_unknown():
    explorer = PatienceExplorer([0.5, 0.6, NAN, 0.4], patience=2)
    assert explorer.record.kept_epoch == 2
    assert "missed quality unknown" in explorer.alt
    assert ">unknown</text>" in frames_of(explorer)[2]


# -- controls --------------------------------------------------------------------------------------------------------


def test_controls_have_kerass_names_and_do_what_they_say():
    explorer = PatienceExplorer(LOG, patience=4)
    values = LOG["val_loss"]
    given = {"patience": 4, "min_delta": 0.0, "baseline": None, "start_from_epoch": 0, "restore_best_weights": False}
    assert explorer.record == replay.early_stopping(values, **given)
    for name, shown, value in [
        ("min_delta", 0.02, 0.02),
        ("start_from_epoch", 30, 30),
        ("baseline", "0.52", 0.52),
        ("restore_best_weights", True, True),
    ]:
        before = frames_of(explorer)
        explorer.controls[name].value = shown
        given[name] = value
        assert explorer.controls[name].description == name
        assert explorer.record == replay.early_stopping(values, **given)
        assert frames_of(explorer) != before
        assert alt_of(frames_of(explorer)[explorer._stack.selected_index]) == explorer.alt
    explorer.controls["save_best_only"].value = False
    assert explorer.saves.epochs == tuple(range(explorer.record.epochs_run))
    assert f"{explorer.record.epochs_run} files saved." in explorer.sentence


def test_the_frame_that_shows_is_redrawn_first():
    explorer = PatienceExplorer(LOG, patience=9)
    order = []
    for place, frame in enumerate(explorer._stack.children):
        frame.observe(lambda _, place=place: order.append(place), "value")
    explorer.controls["min_delta"].value = 0.05
    assert order[:3] in ([9, 8, 10], [9, 10, 8])
    assert sorted(order) == list(range(41))


def test_patience_can_be_set_from_code_with_or_without_a_frame():
    explorer = PatienceExplorer(run_of(90), patience=5, max_frames=20)
    for patience in (7, 57, 250, 0):
        explorer.patience = patience
        assert explorer.patience == explorer.record.patience == patience
        assert len(explorer._stack.children) <= 20
        assert f"Marked is patience {patience}:" in alt_of(frames_of(explorer)[explorer._stack.selected_index])
    with pytest.raises(ValueError, match="patience counts epochs, so it cannot be negative"):
        explorer.patience = -1


def test_moving_the_slider_moves_the_record():
    explorer = PatienceExplorer(LOG)
    explorer.controls["patience"].index = 11
    assert explorer.record.patience == 11
    assert "With patience 11 " in explorer.sentence


def test_a_bad_baseline_gets_a_sentence_and_a_good_one_brings_the_picture_back():
    explorer = PatienceExplorer(LOG)
    explorer.controls["baseline"].value = "low"
    assert explorer.sentence == "baseline must be a number, or empty for none, not 'low'."
    assert explorer._picture.layout.display == "none"
    assert "'low'" in html.unescape(explorer._problem.value)
    explorer.controls["baseline"].value = " 0,5 "
    assert explorer.record.baseline == 0.5
    assert explorer._picture.layout.display == ""


def test_other_bad_runs_do_not_hide_the_good_ones():
    explorer = PatienceExplorer({"bad": {"loss": [1.0, 2.0]}, "good": LOG, "long": LONG})
    assert explorer.controls["run"].value == "good"
    explorer.controls["run"].value = "bad"
    assert explorer.sentence.startswith("There is no metric 'val_loss' in this log. It has: loss.")
    explorer.controls["run"].value = "long"
    assert explorer.record == replay.early_stopping(LONG["val_loss"], patience=5)
    assert len(explorer._stack.children) == 64
    explorer.controls["run"].value = "good"
    assert len(explorer._stack.children) == 41
    assert explorer.record == replay.early_stopping(LOG["val_loss"], patience=5)


# -- sentences -------------------------------------------------------------------------------------------------------

DIP = [1.0, 0.8, 0.9, 0.95, 0.7, 0.6, 0.65, 0.7, 0.75]


@pytest.mark.parametrize(
    ("values", "arguments", "sentence"),
    [
        (
            DIP,
            {"patience": 2},
            "Best of all 9 epochs: epoch 6 (val_loss 0.6). With patience 2 training stops after epoch 4: it never sees "
            "epoch 6. Its own best is epoch 2 (0.8). The model keeps its last weights, those of epoch 4 "
            "(val_loss 0.95). 2 files saved.",
        ),
        (
            DIP,
            {"patience": 3, "restore_best_weights": True},
            "Best of all 9 epochs: epoch 6 (val_loss 0.6). With patience 3 training stops after epoch 9, 3 epochs "
            "later. The weights of epoch 6 (val_loss 0.6) are put back. 4 files saved.",
        ),
        (
            DIP,
            {"patience": 4},
            "Best of all 9 epochs: epoch 6 (val_loss 0.6). With patience 4 nothing stops the training: all 9 epochs "
            "run. The model keeps its last weights, those of epoch 9 (val_loss 0.75). 4 files saved.",
        ),
        (
            [0.5, 0.6],
            {"patience": 1, "start_from_epoch": 5},
            "Best of all 2 epochs: epoch 1 (val_loss 0.5). With start_from_epoch 5 EarlyStopping never looks: all "
            "2 epochs run. The model keeps its last weights, those of epoch 2 (val_loss 0.6). 1 file saved.",
        ),
    ],
)
def test_sentences(values, arguments, sentence):
    explorer = PatienceExplorer(values, **arguments)
    assert explorer.sentence == sentence
    assert repr(explorer) == f"PatienceExplorer: {sentence}"


def test_resumed_runs_keep_their_numbers():
    explorer = PatienceExplorer({"epoch": list(range(10, 19)), "val_loss": DIP}, patience=2)
    assert "epoch 16 (val_loss 0.6)" in explorer.sentence
    assert "stops after epoch 14" in explorer.sentence


# -- logs ------------------------------------------------------------------------------------------------------------


def write_csv(path, log):
    names = list(log)
    rows = [",".join(str(log[name][row]) for name in names) for row in range(len(log[names[0]]))]
    path.write_text("\n".join([",".join(["epoch", *names]), *(f"{i},{row}" for i, row in enumerate(rows))]) + "\n")


def test_all_forms_of_logs(tmp_path):
    for name in ("run10", "run2"):
        write_csv(tmp_path / f"{name}.csv", LOG)
    keras_history = SimpleNamespace(history=LOG, epoch=list(range(40)))
    named = SimpleNamespace(name="noisy", history=LONG)
    for source, names in [
        (LOG, ["run"]),
        (LOG["val_loss"], ["run"]),
        (np.array(LOG["val_loss"]), ["run"]),
        (keras_history, ["run"]),
        (tmp_path / "run2.csv", ["run2"]),
        (str(tmp_path / "run2.csv"), ["run2"]),
        (tmp_path, ["run2", "run10"]),
        ([LOG, named], ["run 1", "noisy"]),
        ({"a": LOG, "b": keras_history}, ["a", "b"]),
        ([LOG, LOG], ["run 1", "run 2"]),
        ([tmp_path / "run2.csv", str(tmp_path / "run10.csv")], ["run2", "run10"]),
    ]:
        runs = read_runs(source, "val_loss")
        assert list(runs) == names
        assert runs[names[0]].metric("val_loss") == LOG["val_loss"]
        assert not any(run.problem for run in runs.values())
    assert PatienceExplorer(tmp_path).record == replay.early_stopping(LOG["val_loss"], patience=5)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ({"loss": [1.0, 2.0], "accuracy": [0.1, 0.2]}, "no metric 'val_loss' in this log. It has: loss, accuracy"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0, "oops"]}, "holds the text 'oops' under 'val_loss' in epoch 2"),
        ([], "holds no epoch"),
        ({"val_loss": []}, "holds no epoch: val_loss is empty"),
        ({}, "holds no metric. It has: nothing"),
        ([0.5], r"only one epoch in 'run' \(val_loss 0.5\): EarlyStopping never stops after the first"),
        (
            {"loss": [1.0] * 3, "val_loss": [NAN, NAN, INF]},
            "never a number in 'run': 2 epochs with NaN, 1 epoch with inf",
        ),
        ({"loss": [1.0] * 3, "val_loss": [NAN] * 3}, "The log also has: loss"),
        ({"a": [1.0]}, "no metric 'val_loss'"),
        ({"one": {"loss": [1.0]}, "two": {"loss": [1.0]}}, r"no metric 'val_loss'.*1 other run cannot be shown either"),
        (7, "This is an int"),
    ],
)
def test_bad_logs_get_a_sentence(history, words):
    with pytest.raises(ValueError, match=words):
        PatienceExplorer(history)


def test_bad_files_get_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        PatienceExplorer(tmp_path / "missing.csv")
    with pytest.raises(ValueError, match=r"holds no CSV file\. It holds: nothing"):
        PatienceExplorer(tmp_path)
    (tmp_path / "log.csv").write_text("epoch,loss,val_loss\n0,1.0,0.5\n1,0.9,none of this\n")
    with pytest.raises(ValueError, match=r"log\.csv holds the text 'none of this' under 'val_loss' in epoch 2"):
        PatienceExplorer(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"patience": -1}, "patience counts epochs, so it cannot be negative"),
        ({"min_delta": "small"}, "min_delta must be a number"),
        ({"baseline": "low"}, "baseline must be a number"),
        ({"start_from_epoch": 1.5}, "start_from_epoch counts epochs"),
        ({"max_patience": -3}, "max_patience counts epochs"),
        ({"max_frames": 3}, "max_frames must be 4 or more"),
        ({"mode": "auto"}, 'mode must be "min"'),
        ({"monitor": "val_loss", "mode": "best"}, 'mode must be "min"'),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        PatienceExplorer(LOG, **arguments)


def test_a_metric_whose_direction_nobody_knows():
    with pytest.raises(ValueError, match="Is a small or a large val_thing good"):
        PatienceExplorer({"val_thing": [1.0, 2.0]}, monitor="val_thing")
    assert PatienceExplorer({"val_thing": [1.0, 2.0]}, monitor="val_thing", mode="max").record.best == 2.0
    assert PatienceExplorer({"val_accuracy": [0.1, 0.2]}, monitor="val_accuracy").record.best == 0.2


# -- the rest --------------------------------------------------------------------------------------------------------


def test_opens_without_tensorflow():
    code = (
        "import sys; from helpers import widgets; widgets.PatienceExplorer([3.0, 2.0, 2.5, 2.6]); "
        "print({'keras', 'tensorflow', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_the_same_log_gives_the_same_frames():
    assert frames_of(PatienceExplorer(LOG)) == frames_of(PatienceExplorer(LOG))
    assert _frames.HEIGHT > CURVES
