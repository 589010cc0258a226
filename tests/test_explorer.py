"""The patience explorer without a browser: the table of all patiences, the words, and what is sent."""

from __future__ import annotations

import html
import json
import math
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import explored, plots, replay, words
from helpers.explored import Explored, Settings
from helpers.facts import facts_of
from helpers.history import read_history, read_runs
from helpers.widgets import PatienceExplorer
from tests.colours import LACKS, apart, contrast

NAN, INF = math.nan, math.inf


def run_of(epochs: int, seed: int = 0) -> dict[str, list[float]]:
    """Make a log that falls, turns, and is noisy."""
    noise, epoch = np.random.default_rng(seed), np.arange(epochs)
    train = np.exp(-epoch / 30) + 0.02 * noise.random(epochs)
    validation = 0.4 + np.exp(-epoch / 12) + 0.002 * epoch + 0.03 * noise.random(epochs)
    return {"loss": train.tolist(), "val_loss": validation.tolist()}


LOG, LONG = run_of(40), run_of(200)


def unpacked(picture, patience: int) -> list[str]:
    """Read a row of words as the module does."""
    lines = []
    for line in picture["rows"][patience].split("|"):
        form, *numbers = line.split(" ")
        numbers = iter(numbers)
        lines.append(re.sub("\x01", lambda _, numbers=numbers: next(numbers), picture["forms"][int(form)]))
    return lines


# -- the table -------------------------------------------------------------------------------------------------------

ODD = {**LOG, "val_loss": [NAN, None, INF, *LOG["val_loss"][3:]]}
KINDS = {
    "long": (LONG, Settings(), {}),
    "last weights, every file": (LOG, Settings(restore_best_weights=False, save_best_only=False), {}),
    "min_delta": (LOG, Settings(min_delta=0.02), {}),
    "baseline": (LOG, Settings(baseline=0.52), {}),
    "late start": (LOG, Settings(start_from_epoch=30), {}),
    "never looks": (LOG, Settings(start_from_epoch=99, baseline=0.1), {"most": 5}),
    "odd values": (ODD, Settings(min_delta=0.001), {}),
    "nan first": ({"val_loss": [0.5, NAN, 0.4, 0.45, NAN, 0.5, 0.6]}, Settings(), {"most": 9}),
    "train only": ({"loss": LOG["loss"]}, Settings(), {"monitor": "loss"}),
    "larger is better": ({"val_loss": [1 - v for v in LOG["val_loss"]]}, Settings(), {"mode": "max"}),
    "resumed, with gaps": ({"epoch": [5, 6, 9, 10, 11, 12], "val_loss": [3, 2, 4, 1, 5, 6]}, Settings(), {"most": 6}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_what_the_replay_of_that_patience_says(kind):
    log, settings, more = KINDS[kind]
    run = read_history(log, monitor=more.get("monitor", "val_loss"))
    seen = Explored(run, settings=settings, **more)
    picture = json.loads(json.dumps(seen.picture(), allow_nan=False))
    assert len(picture["rows"]) == len(seen.table)
    values = seen.values
    finite = [v for v in values if v is not None and math.isfinite(v)]
    for patience in range(len(seen.table)):
        record = seen.record(patience)
        assert record == replay.early_stopping(
            values, patience=patience, min_delta=settings.min_delta, baseline=settings.baseline, mode=seen.mode,
            start_from_epoch=settings.start_from_epoch, restore_best_weights=settings.restore_best_weights,
            epochs=run.epochs,
        )  # fmt: skip
        facts = seen.facts(patience)
        expected = facts_of(run, monitor=seen.monitor, stopping=record, saves=seen.saves(patience), mode=seen.mode)
        assert facts == expected
        assert (picture["last"][patience], picture["kept"][patience]) == (record.epochs[-1], record.kept_epoch)
        assert (patience < picture["stopping"]) == (record.stopped_epoch is not None)
        assert picture["ran"][patience] == record.epochs_run
        if picture["best"]:
            assert picture["best"][patience] == record.best_epoch
        value = values[run.epochs.index(record.kept_epoch)]
        best = min(finite) if seen.mode == "min" else max(finite)
        unknown = value is None or not math.isfinite(value)
        assert picture["missed"][patience] == (None if unknown else pytest.approx(abs(value - best), rel=1e-4, abs=0))
        # The words are those of the facts, whole and in order.
        sentence, *rest = unpacked(picture, patience)
        assert sentence == seen.sentence(patience)
        labels = words.labels(facts)
        assert rest[:6] == [labels.get(n, "") for n in ("stop", "best", "kept", "window", "never", "saved")]
        assert "\n".join(rest[6:-1]) == words.marks(facts)
        assert f"patience {patience}: {words.count(record.epochs_run, 'epoch')} run" in rest[-1]
        assert words.plain(" ".join(words.marks(facts).split("\n"))) in seen.twin(patience)
    # A run's best is its best, whatever the callback makes of it; enough is the first patience that gets there.
    reached = [p for p in range(len(seen.table)) if seen.record(p).epochs[-1] >= seen.top]
    assert seen.enough == (max(1, reached[0]) if reached else None)


def test_the_table_ends_where_more_patience_changes_nothing():
    seen = Explored(read_history(LONG))
    never = int(seen.table.stopped.sum())
    assert len(seen.table) == never + 3
    assert len(Explored(read_history(LONG), most=40).table) == 41
    assert len(Explored(read_history(LONG), least=190).table) == 191


def test_epochs_that_min_delta_did_not_count_are_marked_and_said():
    # 0.95 and 0.9 are better than 1.0, by less than 0.2; 0.7 is better by more.
    seen = Explored(read_history([1.0, 0.95, 0.9, 0.7, 0.65, 0.8]), settings=Settings(min_delta=0.2), most=4)
    assert seen.picture()["close"] == [1, 2, 4]
    assert "2 epochs were better by min_delta or less, which did not count." in seen.sentence(2)
    assert "Epoch 5 did not count: it was not better by more than min_delta. Its own best is epoch 4" in seen.sentence(
        4
    )


def test_what_a_picture_sends_stays_small():
    explorer = PatienceExplorer(LONG)
    sent = sum(len(json.dumps(value)) for value in explorer.get_state().values())
    data = explorer._repr_mimebundle_()
    sent += sum(len(json.dumps(value)) for value in (data[0] if isinstance(data, tuple) else data).values())
    assert sent < 120_000
    assert len(explorer.to_html()) < 300_000


# -- several runs ----------------------------------------------------------------------------------------------------


def test_the_summary_counts_for_how_many_runs_each_patience_would_have_done():
    values = {"a": [3.0, 2.0, 1.0, 2.0], "b": [3.0, 4.0, 4.0, 1.0, 2.0], "c": [2.0, 3.0, 3.0, 3.0, 3.0, 1.0, 2.0]}
    logs = {name: {"val_loss": losses} for name, losses in values.items()}
    explorer = PatienceExplorer(logs, patience=2, max_patience=6)
    assert [Explored(run).enough for run in explorer.runs.values()] == [1, 3, 5]
    together = explorer.picture["summary"]
    assert together["done"] == [1, 1, 1, 2, 2, 3, 3]
    assert together["said"] == "Of 3 runs, patience 3 reaches the best epoch of 2, patience 5 of all."
    # A setting counts for all of them.
    explorer.start_from_epoch = 5
    assert explorer.picture["summary"]["done"][1] == 3
    assert PatienceExplorer(LOG).picture["summary"] is None


def test_other_bad_runs_do_not_hide_the_good_ones():
    explorer = PatienceExplorer({"bad": {"loss": [1.0, 2.0]}, "good": LOG, "long": LONG})
    assert explorer.run == "good"
    assert explorer.choices[0] == ["bad", "bad (cannot be shown)"]
    explorer.run = "bad"
    assert explorer.sentence.startswith("There is no metric 'val_loss' in this log. It has: loss.")
    assert explorer.problem["about"] == "run"
    explorer.run = "long"
    assert explorer.problem == {}
    assert explorer.record.epochs == replay.early_stopping(LONG["val_loss"], patience=5).epochs
    assert "bad is left out. There is no metric" in html.unescape(explorer.to_html())


# -- the widget ------------------------------------------------------------------------------------------------------


def test_settings_have_kerass_names_and_do_what_they_say():
    explorer = PatienceExplorer(LOG, patience=4, restore_best_weights=False)
    given = {"patience": 4, "min_delta": 0.0, "baseline": None, "start_from_epoch": 0, "restore_best_weights": False}
    assert explorer.record == replay.early_stopping(LOG["val_loss"], **given)
    for name, value in [
        ("min_delta", 0.02), ("start_from_epoch", 30), ("baseline", 0.52), ("restore_best_weights", True),
        ("patience", 90),
    ]:  # fmt: skip
        before = explorer.picture
        setattr(explorer, name, value)
        given[name] = value
        assert explorer.record == replay.early_stopping(LOG["val_loss"], **given)
        assert explorer.picture != before
        assert unpacked(explorer.picture, explorer.patience)[0].replace("**", "") in explorer.sentence
    explorer.save_best_only = False
    assert explorer.saves.epochs == tuple(range(explorer.record.epochs_run))
    assert f"1 file, written {explorer.record.epochs_run} times." in explorer.sentence
    with pytest.raises(ValueError, match="patience counts epochs, so it cannot be negative"):
        explorer.patience = -1


def test_patience_alone_sends_no_new_picture():
    explorer = PatienceExplorer(LOG, max_patience=20)
    picture = explorer.picture
    explorer.patience = 11
    assert explorer.picture is picture
    assert "With patience 11 " in explorer.sentence
    assert "of patience 11" in explorer.alt


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("low", "baseline must be a number, or empty for none, not 'low'."),
        ("1.000,5", "baseline must be a number, or empty for none, not '1.000,5'."),
        ("nan", "baseline must be a finite number, not nan."),
        ("-1e999", "baseline must be a finite number, not -inf."),
    ],
)
def test_a_bad_baseline_gets_a_sentence_and_keeps_the_picture(typed, said):
    explorer = PatienceExplorer(LOG)
    picture = explorer.picture
    explorer.baseline = typed
    assert explorer.sentence == said
    assert explorer.problem["about"] == "baseline"
    assert explorer.picture is picture
    explorer.baseline = " 0,5 "
    assert explorer.record.baseline == 0.5
    assert explorer.problem == {}


def test_which_weights_count_is_said_beside_what_is_missed():
    explorer = PatienceExplorer(LOG)
    assert explorer.picture["said"]["missed"] == "val_loss missed (best weights put back)"
    explorer.restore_best_weights = False
    assert explorer.picture["said"]["missed"] == "val_loss missed (last weights count)"
    # Where EarlyStopping never looks there is nothing to put back.
    explorer = PatienceExplorer(LOG, start_from_epoch=99)
    assert explorer.picture["said"]["missed"] == "val_loss missed (last weights count)"


# -- sentences -------------------------------------------------------------------------------------------------------

DIP = [1.0, 0.8, 0.9, 0.95, 0.7, 0.6, 0.65, 0.7, 0.75]
ENOUGH = " Patience 3 is the smallest that reaches epoch 6, the best of these 9 epochs."


@pytest.mark.parametrize(
    ("values", "arguments", "sentence"),
    [
        (
            DIP,
            {"patience": 2, "restore_best_weights": False},
            "Best of all 9 epochs: epoch 6 (val_loss 0.6). With patience 2 training stops after epoch 4: it never sees "
            "epoch 6. Its own best is epoch 2 (0.8). The model keeps its last weights, those of epoch 4 "
            "(val_loss 0.95). 1 file, written 2 times." + ENOUGH,
        ),
        (
            DIP,
            {"patience": 3},
            "Best of all 9 epochs: epoch 6 (val_loss 0.6). With patience 3 training stops after epoch 9, 3 epochs "
            "later. The weights of epoch 6 (val_loss 0.6) are put back. 1 file, written 4 times." + ENOUGH,
        ),
        (
            [0.5, 0.6],
            {"patience": 1, "start_from_epoch": 5},
            "Best of all 2 epochs: epoch 1 (val_loss 0.5). With start_from_epoch 5 EarlyStopping never looks: all "
            "2 epochs run. The model keeps its last weights, those of epoch 2 (val_loss 0.6). 1 file, written once. "
            "Any patience reaches epoch 1, the best of these 2 epochs.",
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
    # EarlyStopping compares start_from_epoch with the true number.
    assert (
        PatienceExplorer(
            {"epoch": list(range(10, 19)), "val_loss": DIP}, patience=2, start_from_epoch=3
        ).record.stopped_epoch
        == 13
    )


def test_the_twin_of_the_explorer_holds_that_of_the_picture():
    explorer = PatienceExplorer(LOG, patience=3)
    told = plots.describe(LOG, stopping=explorer.record, saves=explorer.saves).split("\n")
    assert all(line in explorer.alt for line in told)


# -- what can go wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ({"loss": [1.0, 2.0], "accuracy": [0.1, 0.2]}, "no metric 'val_loss' in this log. It has: loss, accuracy"),
        ([0.5], r"only one epoch in 'run' \(val_loss 0.5\): EarlyStopping never stops after the first"),
        (
            {"loss": [1.0] * 3, "val_loss": [NAN, NAN, INF]},
            "never a number in 'run': 2 epochs with NaN, 1 epoch with infinity. The log also has: loss",
        ),
        ({"one": {"loss": [1.0]}, "two": {"loss": [1.0]}}, r"no metric 'val_loss'.*1 other run cannot be shown either"),
    ],
)
def test_runs_without_anything_to_explore_get_a_sentence(history, said):
    with pytest.raises(ValueError, match=said):
        PatienceExplorer(history)
    if len(history) != 2 or "one" not in history:
        with pytest.raises(ValueError, match=said):
            explored.page(read_history(history))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"patience": -1}, "patience counts epochs, so it cannot be negative"),
        ({"min_delta": "small"}, "min_delta must be a number"),
        ({"baseline": "low"}, "baseline must be a number"),
        ({"baseline": math.inf}, "baseline must be a finite number, not inf"),
        ({"min_delta": math.nan}, "min_delta must be a finite number, not nan"),
        ({"start_from_epoch": 1.5}, "start_from_epoch counts epochs"),
        ({"max_patience": -3}, "max_patience counts epochs"),
        ({"mode": "auto"}, 'mode must be "min"'),
    ],
)
def test_bad_arguments_get_a_sentence(arguments, said):
    with pytest.raises(ValueError, match=said):
        PatienceExplorer(LOG, **arguments)


def test_a_metric_whose_direction_nobody_knows():
    with pytest.raises(ValueError, match="Is a small or a large val_thing good"):
        PatienceExplorer({"val_thing": [1.0, 2.0]}, monitor="val_thing")
    assert PatienceExplorer({"val_thing": [1.0, 2.0]}, monitor="val_thing", mode="max").record.best == 2.0
    assert PatienceExplorer({"val_accuracy": [0.1, 0.2]}, monitor="val_accuracy").record.best == 0.2


# -- pages and places ------------------------------------------------------------------------------------------------


def test_where_no_script_runs_words_and_a_table_are_left(tmp_path):
    explorer = PatienceExplorer({"<b>": LOG, "other": LONG}, patience=3)
    page = explorer.to_html(tmp_path / "page.html", title="Mine & <yours>")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    left = html.unescape(re.sub(r"(?s)<script.*?</script>|<style.*?</style>", "", page))
    assert explorer.alt.removeprefix("Learning curves. ") in left
    assert '<th scope="col">epochs run</th>' in left
    assert "Mine & <yours>" in left
    assert "http" not in page
    assert page == PatienceExplorer({"<b>": LOG, "other": LONG}, patience=3).to_html(title="Mine & <yours>")


def test_what_was_found_in_the_log_is_said_beside_the_picture():
    run = read_history([NAN, 1.0, 0.5, 0.75])
    assert run.notes
    assert Explored(run).picture()["notes"] == list(run.notes)
    assert all(note in html.unescape(explored.page(run)) for note in run.notes)


def test_a_keras_history_and_a_list_of_runs_open_as_they_come():
    keras_history = SimpleNamespace(history=LOG, epoch=list(range(40)))
    assert PatienceExplorer(keras_history).record == PatienceExplorer(LOG).record
    assert list(PatienceExplorer([LOG, SimpleNamespace(name="noisy", history=LONG)]).runs) == ["run 1", "noisy"]
    assert explored.page(read_runs([LOG, LONG])).count("<select") == 0


def test_opens_without_tensorflow_and_without_matplotlib():
    code = (
        "import sys; from helpers import explored, widgets; from helpers.history import read_history; "
        "widgets.PatienceExplorer([3.0, 2.0, 2.5, 2.6]); explored.page(read_history([3.0, 2.0, 2.5])); "
        "print({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
    code = (
        "import sys; from helpers import explored; print({'ipywidgets', 'anywidget', 'matplotlib'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_stand_out_in_both_themes(theme):
    bodies = {("dark" if "dark" in head else "light"): body for head, body in re.findall(
        r"\.pex(\[data-theme=dark\])?\{([^}]*)\}", explored.module())}  # fmt: skip
    colors = dict(re.findall(r"--(\w+):(#\w+)", bodies[theme]))
    for name in ("ink", "quiet", "train", "validation", "best", "stop", "window", "saved"):
        assert contrast(colors[name], colors["paper"]) >= 4.5, name
    for name in ("ghost", "edge", "focus"):
        assert contrast(colors[name], colors["paper"]) >= 3, name
    # What stands on an area of its own.
    assert contrast(colors["saved"], colors["lane"]) >= 3
    assert contrast(colors["quiet"], colors["shade"]) >= 4.5
    for name in ("train", "validation", "best", "stop", "ink"):
        assert contrast(colors[name], colors["fill"]) >= 3, name
    # The curves are told apart by their dashes; what ran from what did not also by how light it is, whatever one sees.
    for lack in LACKS:
        assert apart(colors["validation"], colors["ghost"], lack) >= 15, lack
