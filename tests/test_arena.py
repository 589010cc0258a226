"""The arena with short trainings: all of them share one helper process, which imports Keras once."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from statistics import fmean, stdev

import psutil
import pytest

if "forkserver" not in multiprocessing.get_all_start_methods():
    pytest.skip("without forks each of these trainings imports Keras anew", allow_module_level=True)

from helpers import arena, data
from helpers.arena import _client, _lines, _rules, _run, _score, _seed, _store, references
from helpers.checks import _progress
from tests import arena_answers

SHORT = arena.Rules(seeds=(0,), broken=(), epochs=3, kill=None, silence=6, seconds=300)
WITH_KILL = arena.Rules(seeds=(0,), broken=(1,), epochs=5, kill=(1, 2), nan=(1, 3), silence=60, seconds=300)


def quiet(done, words):
    pass


# -- all that trains: one helper process -----------------------------------------------------------------------------


def pretends(folder):
    """Begin at a later epoch after the kill, with fresh weights."""
    import keras

    class Pretend(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            if (folder / "best.keras").exists():
                self.model._initial_epoch = 4

    return [Pretend(), keras.callbacks.ModelCheckpoint(folder / "best.keras")]


def by_hand(folder):
    """Go on with the weights of the last file, as lesson 03b does."""
    import keras

    class GoOn(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            if (folder / "best.weights.h5").exists():
                self.model.load_weights(folder / "best.weights.h5")

        def on_epoch_end(self, epoch, logs=None):
            self.model.save_weights(folder / "new.weights.h5")
            (folder / "new.weights.h5").replace(folder / "best.weights.h5")

    return [GoOn()]


def spoils_the_end(folder):
    """Make the last epoch worse, and keep the best."""
    from keras.callbacks import LearningRateScheduler, ModelCheckpoint

    spoil = LearningRateScheduler(lambda epoch: 1.0 if epoch == 4 else 1e-3)
    return [spoil, ModelCheckpoint(folder / "best.keras", save_best_only=True)]


def keeps_the_last(folder):
    from keras.callbacks import ModelCheckpoint

    return [spoils_the_end(folder)[0], ModelCheckpoint(folder / "best.keras")]


MADE = [*references.REFERENCES, pretends, by_hand, spoils_the_end, keeps_the_last]


@pytest.fixture(scope="module")
def keeper():
    with _client.Keeper() as one:
        yield one


@pytest.fixture(scope="module")
def hostile(keeper):
    """What became of each hostile answer, by name, and how many processes they left."""
    payloads = [_client.pack(make) for make, _ in arena_answers.ANSWERS.values()]
    facts, processes = keeper.ask(payloads, SHORT, quiet)
    found = {}
    for (name, (make, _)), fact in zip(arena_answers.ANSWERS.items(), facts, strict=True):
        (found[name],) = _run.judged(name, [fact], find=_lines.finder(make)).seeds
    return found, processes


@pytest.fixture(scope="module")
def trained(keeper):
    """Short trainings that are killed once, with each reference and two more, by name."""
    rules = dataclasses.replace(WITH_KILL, broken=())
    facts, _ = keeper.ask([_client.pack(make) for make in MADE], rules, quiet)
    return dict(zip([make.__name__ for make in MADE], _run.judged("short", facts).seeds, strict=True))


@pytest.fixture(scope="module")
def broken(keeper):
    """Short trainings with a broken batch, with the baseline and the third reference."""
    rules = dataclasses.replace(WITH_KILL, seeds=())
    facts, _ = keeper.ask([_client.pack(make) for make in (references.baseline, references.third)], rules, quiet)
    return _run.judged("short", facts).seeds


@pytest.mark.parametrize("name", arena_answers.ANSWERS)
def test_each_wrong_answer_gets_its_sentence(hostile, name):
    seed = hostile[0][name]
    wanted = arena_answers.ANSWERS[name][1]
    said = [seed.why] if wanted.startswith("why: ") else [seed.trouble, *seed.saw, *seed.notes, seed.printed]
    assert any(wanted.removeprefix("why: ") in sentence for sentence in said), seed


@pytest.mark.parametrize("name", arena_answers.REFUSED)
def test_what_is_refused_is_said_and_the_training_goes_on(hostile, name):
    seed = hostile[0]["tries all that is refused"]
    assert any(arena_answers.REFUSED[name][1] in sentence for sentence in seed.saw), seed
    assert seed.quality > 0.5
    assert seed.epochs == SHORT.epochs


def test_nothing_of_the_wrong_answers_is_left(hostile, keeper):
    assert not Path("~/arena-was-here").expanduser().exists()
    left = psutil.Process(keeper.process).children(recursive=True)
    assert len(left) <= 2, left  # the helper that has Keras, and multiprocessing's own tracker


def test_nothing_honest_is_refused(hostile):
    seed = hostile[0]["honest"]
    assert (seed.trouble, seed.saw, seed.notes, seed.printed) == ("", (), (), "")
    assert seed.file == "best.keras"
    assert seed.quality > 0.5


def test_what_is_said_in_the_name_of_a_training_takes_nothing_back(hostile):
    seed = hostile[0]["speaks for the training"]
    assert seed.epochs == SHORT.epochs
    assert seed.peak == seed.end > 0
    assert seed.killed_at is None


def test_who_was_refused_is_not_judged_and_earns_nothing(hostile):
    for name in ("fits in a callback", "names a file elsewhere", "replaces Keras"):
        seed = hostile[0][name]
        assert seed.quality is None, name
        assert all(_score.share_of(part, seed, _score.scales()) in (0, None) for part in _score.MOST), name


def test_a_killed_training_is_begun_again_and_its_epochs_are_counted(trained):
    killed = trained["baseline"]
    assert 1 < killed.killed_at <= 4
    assert killed.epochs == pytest.approx(killed.killed_at + WITH_KILL.epochs, abs=0.01)
    assert killed.resumed == 0
    assert killed.quality > 0.5


def test_the_broken_batch_makes_all_that_follows_nan(broken):
    baseline, third = broken
    assert baseline.killed_at is None
    assert baseline.epochs == WITH_KILL.epochs
    assert baseline.quality is None
    assert "answers NaN" in baseline.why
    assert baseline.val_loss[-1] is None
    assert third.quality > 0.5
    assert third.val_loss[-1] is not None  # it stepped back and went on


def test_bytes_are_counted_at_the_peak_and_at_the_end(trained):
    one = trained["first"].end  # one model file
    assert trained["first"].peak == one
    assert trained["baseline"].end == pytest.approx(6 * one, rel=0.01)  # best, and one for each epoch
    assert trained["second"].peak > 1.9 * one  # the backup beside it
    assert trained["second"].end == one


def test_resumed_is_what_begins_with_weights_that_were_there_before(trained):
    assert trained["third"].resumed > 0.4
    assert trained["third"].epochs < trained["first"].epochs
    assert trained["by_hand"].resumed > 0.4
    assert trained["pretends"].resumed == 0


def test_a_file_of_the_last_epoch_is_told_from_one_of_the_best(trained):
    assert not trained["spoils_the_end"].kept_last
    assert trained["keeps_the_last"].kept_last


def test_a_file_of_weights_is_judged_too(trained):
    assert trained["by_hand"].file == "best.weights.h5"
    assert trained["by_hand"].quality > 0.5


# -- ends ------------------------------------------------------------------------------------------------------------

# Says which processes there are as soon as a training runs, and once more after an interrupt.
SCRIPT = """
import json, psutil, signal
from helpers import arena
from helpers.arena import _run

class Bar(_run.Bar):
    def __call__(self, done, words):
        if any("epoch" in word for word in words):
            print(json.dumps([one.pid for one in psutil.Process().children(recursive=True)]), flush=True)

_run.Bar = Bar
signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background has it ignored
for _ in range(2):
    try:
        arena.run(arena.baseline, rules=arena.Rules(seeds=(0, 1), broken=(), epochs=5000, kill=None, seconds=100))
    except KeyboardInterrupt:
        print("interrupted", psutil.Process().children(), flush=True)
        input()
"""


@pytest.fixture
def short_folder():
    """An empty folder with a short name: a socket's address, which lies in TMPDIR, has at most a hundred characters."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_neither_an_interrupt_nor_the_end_of_the_kernel_leaves_anything(short_folder, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(short_folder))
    program = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        running = [psutil.Process(number) for number in json.loads(program.stdout.readline())]
        os.killpg(program.pid, signal.SIGINT)  # as JupyterLab does
        said = next(line for line in program.stdout if line.startswith("interrupted"))
        assert said == "interrupted []\n"
        assert len(running) >= 4  # the keeper, the helper with Keras, two trainings
        assert not psutil.wait_procs(running, 20)[1]
        assert not list(short_folder.rglob("*"))
        program.stdin.write("go on\n")
        program.stdin.flush()
        running = [psutil.Process(number) for number in json.loads(program.stdout.readline())]
        program.kill()
        assert not psutil.wait_procs(running, 20)[1]
        assert not list(short_folder.rglob("*"))
    finally:
        program.kill()
        program.communicate()


def test_the_kernel_needs_no_tensorflow():
    code = "import sys; from helpers import arena; arena.Rules(); assert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# -- what is sent ----------------------------------------------------------------------------------------------------


def test_only_a_function_is_taken():
    for wrong, words in (([], "It got a list"), (None, "It got None"), (int, "It got the class int")):
        with pytest.raises(TypeError, match=words):
            arena.run(wrong)


def test_what_cannot_be_sent_is_said():
    lock = threading.Lock()

    def make_callbacks(folder):
        return [lock]

    with pytest.raises(TypeError, match="cannot be sent to another process"):
        arena.run(make_callbacks)


def test_rows_and_weights_are_not_brought_along():
    test_rows = data.load_digits().x_test

    def make_callbacks(folder):
        return [test_rows]

    with pytest.raises(ValueError, match="bytes of the notebook along, above all `test_rows`"):
        arena.run(make_callbacks)


# -- which file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "file", "words"),
    [
        (["best.keras"], "best.keras", ""),
        (["model.keras", "log.csv", ".best.keras.1-2.tmp.keras"], "model.keras", ""),
        (["a.weights.h5"], "a.weights.h5", ""),
        (["best.keras", "last.keras", "state.npz"], "best.keras", ""),
        ([], None, "it is empty"),
        (["log.csv"], None, "it holds log.csv"),
        (
            ["a.keras", "b.keras", "c.keras", "d.keras"],
            None,
            "4 model files lie in the folder (a.keras, b.keras, c.keras, …)",
        ),
        (["best.keras", "best.weights.h5"], None, "2 model files"),
    ],
)
def test_the_file_that_is_judged(names, file, words):
    found, why = _rules.model_file(names)
    assert found == file
    assert words in why


# -- the score -------------------------------------------------------------------------------------------------------


def report(name, seeds=(0, 1, 2, 3), broken=(20,)):
    rows = [seed for seed in _score.rows()[name] if seed.seed in (broken if seed.broken else seeds)]
    return arena.Report(name, "2026-01-31T12:00:00", tuple(rows))


def test_the_references_keep_their_order_over_twenty_seeds():
    scale, found = _score.scales(), {}
    for name, seeds in _score.rows().items():
        points = [_score.seed_points(seed, seeds, scale) for seed in seeds if not seed.broken]
        assert len(points) == 20
        found[name] = (fmean(points), stdev(points))
    assert list(found) == ["baseline", "first", "second", "third"]
    means = [mean for mean, _ in found.values()]
    assert means == sorted(means)
    assert found["baseline"][0] + max(found["baseline"][1], found["first"][1]) < found["first"][0]


def test_the_budget_is_what_the_most_wasteful_reference_spent():
    epochs, size = arena.budget()
    spent = fmean(seed.epochs for seed in _score.rows()["baseline"] if not seed.broken)
    assert epochs == round(5 * spent)
    assert size == max(seed.peak for seed in _score.rows()["baseline"])
    assert f"of a budget of {epochs} " in report("first").parts[1].measured


def test_the_parts_add_up_to_the_score():
    one = report("second")
    assert sum(part.most for part in one.parts) == 100
    assert one.score == pytest.approx(sum(part.points for part in one.parts))
    assert all(0 <= part.points <= part.most and part.measured and part.advice for part in one.parts)
    assert one.next.most - one.next.points == max(part.most - part.points for part in one.parts)


def test_each_part_answers_to_its_own_number():
    good = report("third").seeds[0]
    scale = _score.scales()

    def share(part, **changes):
        return _score.share_of(part, dataclasses.replace(good, **changes), scale)

    assert share("quality", quality=0.7) < share("quality", quality=0.72)
    assert share("epochs", epochs=30.0) < share("epochs", epochs=20.0)
    assert share("peak", peak=4_000_000) < share("peak", peak=2_000_000)
    assert share("end", end=4_000_000) < share("end", end=2_000_000)
    assert share("kill", quality_at_kill=None) == 0 < share("kill", quality_at_kill=0.7)
    assert share("resumed", resumed=0.0) == 0 < share("resumed", resumed=0.5)
    assert share("nan", broken=True, quality=None) == 0 < share("nan", broken=True, quality=0.7)


def test_who_keeps_no_model_or_fails_is_not_thrifty():
    good, scale = report("third").seeds[0], _score.scales()
    for changes in ({"quality": None}, {"quality": 0.52}, {"trouble": "It raised."}):
        seed = dataclasses.replace(good, epochs=1.0, peak=0, end=0, **changes)
        assert [_score.share_of(part, seed, scale) for part in ("epochs", "peak", "end", "resumed")] == [0, 0, 0, 0]


def test_a_training_that_failed_before_its_kill_has_not_survived_it():
    failed = _seed.Seed(0, trouble="It raised.")
    assert _score.share_of("kill", failed, _score.scales()) == 0
    assert _score.share_of("resumed", failed, _score.scales()) == 0


def test_a_damaged_record_is_said(tmp_path):
    (tmp_path / "arena.json").write_text("{}")
    with pytest.raises(data.DataError, match=r"git checkout -- data/arena\.json"):
        _score.scales(tmp_path / "arena.json")


def test_a_report_says_what_was_measured_and_what_is_next():
    one = report("first")
    text = str(one)
    assert f"first: {one.score:.0f} of 100 points, spread over seeds {one.spread:.0f}" in text
    assert "Look into the folder when training begins" in text
    assert "Most is left in Resumed, not begun anew: 20 points." in text
    page = one.to_html()
    for part in one.parts:
        assert part.name in text
        assert part.name in page


def test_an_error_names_the_line_of_the_notebook(hostile):
    line = arena_answers.raises.__code__.co_firstlineno + 1
    assert hostile[0]["raises"].trouble == (
        f'`on_epoch_end` raised ValueError: no luck today. It was in line {line}: `raise ValueError("no luck today")`.'
    )


# -- kept ------------------------------------------------------------------------------------------------------------


def test_reports_are_kept_in_order_and_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "anna.json"))
    assert arena.reports() == []
    for name in ("baseline", "first"):
        assert _store.keep(report(name)) == ""
    (tmp_path / "anna-arena" / "003.json").write_text("{}")
    assert arena.reports() == [report("baseline"), report("first")]
    assert _store.keep(report("second")) == ""
    assert sorted(path.name for path in (tmp_path / "anna-arena").iterdir()) == [f"00{n}.json" for n in (1, 2, 3, 4)]
    assert _progress.read()["exercises"] == {}


def test_a_report_that_cannot_be_kept_says_so(tmp_path, monkeypatch):
    (tmp_path / "anna-arena").write_text("a file, no folder")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "anna.json"))
    assert "could not be kept" in _store.keep(report("first"))


def test_save_and_load(tmp_path):
    one = report("third")
    assert arena.load(one.save(tmp_path / "mine.json")) == one
    for text in ("no json", "[]", '{"format": 2}', '{"format": 1, "name": "x"}'):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(ValueError, match="cannot be read as a report"):
            arena.load(tmp_path / "other.json")


def test_compare_shows_the_best_first_and_says_what_is_no_report(tmp_path):
    report("first").save(tmp_path / "ben.json")
    (tmp_path / "carla").mkdir()
    report("third").save(tmp_path / "carla" / "001.json")
    (tmp_path / "notes.json").write_text("{}")
    table = arena.compare(tmp_path)
    assert [who for who, _ in table.rows] == ["carla", "ben"]
    text = str(table)
    assert text.index("carla") < text.index("ben")
    assert "notes.json cannot be read as a report" in text
    assert "carla" in table.to_html()
    (tmp_path / "empty").mkdir()
    assert "no report in this folder" in str(arena.compare(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match="is no folder"):
        arena.compare(tmp_path / "nowhere")


def test_a_forged_score_changes_nothing(tmp_path):
    path = report("first").save(tmp_path / "mine.json")
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "score": 100.0}))
    assert arena.load(path).score == report("first").score
