from __future__ import annotations

import dataclasses
import html
import io
import math
import random
import re
import subprocess
import sys
import threading
import time

import pytest
from keras.callbacks import EarlyStopping, ModelCheckpoint
from live_scripted import SECONDS, ScriptedModel

from helpers import replay
from helpers import words as say
from helpers.live import Change, Trainer
from helpers.widgets import LiveTraining
from helpers.widgets._live_picture import LivePicture


def wait_for(condition, what):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {SECONDS} s for {what}"
        time.sleep(0.001)


def own_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("live-")]


def painted():
    wait_for(lambda: not own_threads(), "the last picture")


@pytest.fixture
def make():
    """Make a widget over a scripted model: `view, trainer, model`."""
    views = []

    def make(values, *, patience=50, callbacks=None, **options):
        epochs = options.pop("epochs", len(values))
        widget = {key: options.pop(key) for key in ("metric", "max_patience") if key in options}
        model = ScriptedModel(values, **options)
        if callbacks is None:
            callbacks = [EarlyStopping(patience=patience, mode="min")]
        trainer = Trainer(model, epochs=epochs, callbacks=callbacks)
        views.append(LiveTraining(trainer, **widget))
        return views[-1], trainer, model

    yield make
    for view in views:
        if view.trainer.model.gate is not None:
            view.trainer.model.let(10_000)
        view.close()
    painted()


def words(view):
    """All the texts that the widget shows."""
    return re.sub(r"<[^>]+>", " ", html.unescape(view._progress.value + view._status.says + view._notes.value))


def alt(view):
    return html.unescape(re.search(r'alt="([^"]*)"', view._image.value)[1])


def buttons(view):
    return {button.description: button for button in (view._start, view._pause, view._stop)}


def idle(button):
    return "course-live-idle" in button._dom_classes


# -- controls --------------------------------------------------------------------------------------------------------


def test_nothing_trains_when_the_widget_is_made(make):
    view, trainer, model = make([1.0, 2.0])
    assert (model.fits, trainer.state, own_threads()) == (0, "ready", [])
    assert "Nothing trains before you press Start" in words(view)
    assert "empty chart of loss over up to 2 epochs" in alt(view)
    assert list(buttons(view)) == ["Start", "Pause", "Stop"]


def test_the_buttons_steer_the_trainer_and_say_what_they_would_do(make):
    view, trainer, model = make([3.0, 2.0, 1.0], batches=2, gated=True)
    buttons(view)["Start"].click()
    wait_for(lambda: model.batches_begun == 1, "the first batch")
    assert list(buttons(view)) == ["Restart", "Pause", "Stop"]
    assert not idle(view._pause)
    buttons(view)["Pause"].click()
    model.let(3)
    wait_for(lambda: trainer.state == "paused", "the pause")
    wait_for(lambda: "Paused" in words(view), "the word")
    assert list(buttons(view)) == ["Restart", "Resume", "Stop"]
    buttons(view)["Resume"].click()
    wait_for(lambda: model.batches_begun == 4, "the second epoch")
    buttons(view)["Restart"].click()
    model.let(1)
    wait_for(lambda: model.fits == 2, "the second run")
    buttons(view)["Stop"].click()
    model.let(10)
    trainer.join()
    painted()
    assert "You stopped the fit after epoch 1." in words(view)
    assert idle(view._pause)
    assert idle(view._stop)
    assert not any(button.disabled for button in buttons(view).values())
    buttons(view)["Restart"].click()
    trainer.join()
    assert trainer.snapshot().ended_by == "epochs"


def test_the_controls_change_the_rule_and_follow_it(make):
    view, trainer, _ = make([1.0] * 5, patience=4)
    view._patience.value = 3
    assert trainer.patience == trainer.stopper.patience == 3
    view._min_delta.value = 0.5
    assert trainer.min_delta == 0.5
    trainer.patience = 77
    assert (view._patience.value, view._patience.most) == (77, 77)
    trainer.min_delta = 0.25
    assert view._min_delta.value == 0.25
    painted()


def test_a_slider_moved_in_the_middle_of_a_run_decides_where_it_stops(make):
    def move(epoch):
        if epoch == 10:
            view._patience.value = 3

    values = [5.0 - 0.5 * min(epoch, 7) + 0.1 * (epoch > 7) for epoch in range(40)]
    view, trainer, _ = make(values, patience=25, in_epoch=move)
    trainer.start()
    trainer.result()
    painted()
    expected = replay.early_stopping(values, patience=3)
    assert trainer.snapshot().epochs_run == expected.epochs_run == 11
    assert "patience went from 25 to 3 at the end of epoch 11." in words(view)
    assert "EarlyStopping stopped the fit after epoch 11: 3 epochs without improvement, patience 3." in words(view)
    assert "The model holds the weights of epoch 11, the last." in words(view)
    assert "patience went from 25 to 3" in words(view)


def test_without_early_stopping_the_widget_says_why_there_is_no_patience(make):
    view, trainer, _ = make([1.0, 2.0], callbacks=[])
    assert "No <code>EarlyStopping</code>" in view._settings.value
    trainer.start()
    trainer.result()
    painted()
    assert "All epochs are done: the fit ended after epoch 2." in words(view)
    assert "waited" not in alt(view)


def test_a_failing_fit_is_shown_escaped_and_raised_again(make):
    def fail(epoch):
        raise ValueError("<script>shape (3,) & (4,)</script>")

    view, trainer, _ = make([1.0], in_epoch=fail)
    buttons(view)["Start"].click()
    trainer.join()
    painted()
    assert "Failed before the end of epoch 1." in words(view)
    assert "ValueError: <script>shape (3,) & (4,)</script>" in html.unescape(view._notes.value)
    assert "<script>" not in view._notes.value
    with pytest.raises(ValueError, match="shape"):
        trainer.result()
    buttons(view)["Restart"].click()
    trainer.join()
    painted()


def test_trouble_in_a_click_is_shown(make, monkeypatch):
    view, trainer, _ = make([1.0])
    monkeypatch.setattr(trainer, "start", lambda: (_ for _ in ()).throw(RuntimeError("no more threads")))
    buttons(view)["Start"].click()
    assert "RuntimeError: no more threads" in words(view)


def test_an_interrupt_during_a_click_stops_the_run(make, monkeypatch):
    def interrupted():
        start()
        raise KeyboardInterrupt

    view, trainer, model = make([1.0] * 50, gated=True)
    start = trainer.start
    monkeypatch.setattr(trainer, "start", interrupted)
    buttons(view)["Start"].click()
    model.let(50)
    trainer.join()
    assert trainer.snapshot().ended_by == "stop"


def test_a_picture_that_cannot_be_drawn_does_not_end_the_fit(make, monkeypatch, caplog):
    view, trainer, _ = make([1.0, 2.0])
    monkeypatch.setattr(view._picture, "png", lambda now, scale: 1 / 0)
    trainer.start()
    trainer.result()
    painted()
    assert "The picture could not be drawn (ZeroDivisionError" in words(view)
    assert trainer.snapshot().epochs_run == 2


def test_a_trainer_is_expected():
    with pytest.raises(TypeError, match=r"live\.Trainer"):
        LiveTraining(ScriptedModel([1.0]))


# -- the end ---------------------------------------------------------------------------------------------------------


def test_closing_ends_the_run_and_both_threads(make):
    view, trainer, _ = make([1.0] * 1000, in_epoch=lambda epoch: time.sleep(0.002))
    trainer.start()
    wait_for(lambda: trainer.snapshot().epochs_run > 3, "some epochs")
    view.close()
    assert own_threads() == []
    assert trainer.snapshot().ended_by == "stop"
    view.close()


def test_a_second_widget_on_the_same_trainer_takes_the_place_of_the_first(make):
    view, trainer, _ = make([1.0] * 1000, in_epoch=lambda epoch: time.sleep(0.002))
    trainer.start()
    second = LiveTraining(trainer)
    assert view.comm is None
    assert second.comm is not None
    assert trainer.state == "done"
    trainer.start()
    wait_for(lambda: trainer.snapshot().epochs_run > 3, "some epochs")
    assert own_threads().count("live-picture") == 1
    second.close()
    assert own_threads() == []


def test_a_hundred_random_actions_leave_one_run_at_most_and_no_thread(make):
    chance = random.Random(5)
    view, trainer, model = make([1.0 + (e % 7) / 10 for e in range(300)], in_epoch=lambda epoch: time.sleep(0.001))
    actions = [
        view._start.click,
        view._pause.click,
        view._stop.click,
        lambda: setattr(view._patience, "value", chance.randrange(20)),
        lambda: setattr(view._min_delta, "value", chance.randrange(5) / 10),
        lambda: setattr(trainer, "patience", chance.randrange(20)),
        lambda: time.sleep(0.01),
    ]
    painting, at_once, show = set(), [], view._show_picture

    def watched(now):
        painting.add(threading.get_ident())
        at_once.append(len(painting))
        show(now)
        painting.discard(threading.get_ident())

    view._show_picture = watched
    for _ in range(100):
        chance.choice(actions)()
    # Fits and frames are counted, not threads: one that has done all its work may still be there when the next begins.
    assert model.most_at_once == max(at_once) == 1
    assert view._trouble == ""
    assert trainer.patience == view._patience.value
    view.close()
    assert own_threads() == []
    assert trainer.snapshot().error is None


# -- how often it draws ----------------------------------------------------------------------------------------------


def test_drawing_takes_a_small_share_of_the_time(make, monkeypatch):
    """With a clock of our own: each frame costs 60 ms, so the next one comes 2 s later."""
    from helpers.widgets import live_training

    view, trainer, model = make([1.0], gated=True)
    spent, rests = [0.0], []
    monkeypatch.setattr(live_training.time, "thread_time", lambda: spent[0])
    draw = view._show_picture
    monkeypatch.setattr(view, "_show_picture", lambda now: (draw(now), spent.__setitem__(0, spent[0] + 0.06)))
    rest = view._rest
    monkeypatch.setattr(view, "_rest", lambda now, seconds: (rests.append(seconds), rest(now, seconds)))
    trainer.start()
    wait_for(lambda: rests, "the first frame")
    model.let(1)
    trainer.join()
    painted()
    assert rests[0] == pytest.approx(2.0)
    assert len(rests) == 1
    assert live_training._FRAMES_PER_SECOND <= 4


def test_a_paused_run_draws_nothing_until_something_happens(make, monkeypatch):
    view, trainer, model = make([1.0] * 3, gated=True)
    trainer.start()
    trainer.pause()
    model.let(3)
    wait_for(lambda: trainer.state == "paused", "the pause")
    wait_for(lambda: "Paused" in words(view), "the words of the pause")
    frames = []
    monkeypatch.setattr(view, "_show_picture", lambda now: frames.append(now.patience))
    time.sleep(0.6)
    assert frames == []
    trainer.patience = 9
    wait_for(lambda: 9 in frames, "the picture of the change")
    trainer.stop()
    trainer.join()


# -- picture and words -----------------------------------------------------------------------------------------------


def run_of(values, *, patience=1000, epochs=None, ended=True, saves=None, changes=()):
    """A snapshot as a real run with these values would leave it."""
    trainer = Trainer(lambda: None, epochs=epochs or max(len(values), 1))
    rule = replay.early_stopping(values, patience=patience, restore_best_weights=True) if values else None
    ran = rule.epochs_run if rule else 0
    return dataclasses.replace(
        trainer.snapshot(),
        state="done" if ended else "running",
        ended_by=("epochs" if rule.stopped_epoch is None else "early stopping") if ended and rule else None,
        epochs_run=ran,
        history={"loss": [1.0] * ran, "val_loss": list(values[:ran])} if ran else {},
        monitor="val_loss",
        waits=rule.waits if rule else (),
        patiences=(patience,) * ran,
        patience=patience,
        min_delta=0.0,
        best=rule.best if rule else None,
        best_epoch=rule.best_epoch if rule and rule.best is not None else None,
        kept_epoch=rule.kept_epoch if rule and ended else None,
        saves=tuple(saves or ()),
        changes=tuple(changes),
    )


def pixels(data):
    from PIL import Image

    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    "values",
    [[], [0.5], [0.5, 0.5, 0.5], [math.nan, 1.0, math.inf, 0.5], [None, None], [1e30, 1.0], [-3.0, -5.0], [0.0] * 3],
    ids=str,
)
@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.filterwarnings("error")
def test_every_run_can_be_drawn_and_told(values, ended):
    now = run_of(values, ended=ended, epochs=30)
    text = LivePicture("loss", waits=True).html(now)
    assert f"{len(values)} of 30" in say.live_progress(now)
    assert "alt=" in text
    assert "None" not in html.unescape(re.search(r'alt="([^"]*)"', text)[1])
    assert "nan at" not in text


def test_a_picture_that_grew_ends_as_one_drawn_at_once():
    chance = random.Random(2)
    values = [1 / (1 + epoch / 9) + chance.gauss(0, 0.03) for epoch in range(120)]
    changes = [Change(30, "patience", 40, 25)]
    grown = LivePicture("loss", waits=True)
    for ran in range(0, 120, 7):
        grown.png(run_of(values[:ran], patience=25, ended=False, epochs=200))
    end = run_of(values, patience=25, epochs=200, saves=[0, 3, 4], changes=changes)
    assert grown.png(end, scale=1) == LivePicture("loss", waits=True).png(end, scale=1)


def test_a_curve_is_drawn_over_the_stored_background_only_when_it_must_be():
    picture = LivePicture("loss", waits=True)
    draws = []
    draw = picture._figure.canvas.draw
    picture._figure.canvas.draw = lambda: (draws.append(1), draw())
    values = [2.3 - epoch / 100 for epoch in range(200)]
    for ran in range(1, 201, 4):
        picture.png(run_of(values[:ran], patience=30, ended=False, epochs=200), scale=1)
    assert len(draws) <= 8


def test_the_marks_are_where_the_run_says():
    picture = LivePicture("loss", waits=True)
    end = run_of([3.0, 1.0, 2.0, 2.5, 0.1], patience=2, epochs=9, saves=[0, 1])
    picture.png(end, scale=1)
    assert picture._best.get_xydata().tolist() == [[2.0, 1.0]]
    assert picture._kept.get_xydata().tolist() == [[2.0, 1.0]]
    assert list(picture._stop.get_xdata()) == [4, 4]
    assert [segment[0][0] for segment in picture._saved.get_segments()] == [1, 2]
    assert [tuple(segment[1]) for segment in picture._wait.get_segments()] == [(3, 1), (4, 2)]
    assert picture._headline(end) == ("★ best val_loss 1: epoch 2     | stop: epoch 4     ○ kept weights: epoch 2")
    assert say.live_twin(end, "loss") == (
        "loss over 4 epochs of 9. loss began at 1 and is now 1. val_loss began at 3 and is now 2.5. "
        "The best val_loss is 1, at epoch 2. "
        "EarlyStopping has waited 2 epochs, its patience is 2. A file was saved in 2 epochs, the last in epoch 2. "
        "A line marks the stop after epoch 4. A circle marks epoch 2, whose weights the model holds."
    )


def test_a_new_patience_is_drawn_from_the_epoch_that_runs():
    picture = LivePicture("loss", waits=True)
    now = dataclasses.replace(run_of([1.0] * 5, patience=9, ended=False, epochs=40), patience=3)
    picture.png(now, scale=1)
    assert min(x for x, height in picture._patience.get_xydata() if height == 3) == 6
    assert say.live_changes(now) == ["patience 3 counts from the end of epoch 6 on."]


def test_the_picture_is_what_the_page_was_told():
    now = run_of([1.0, 0.5], epochs=4)
    picture = LivePicture("loss", waits=True)
    text = picture.html(now, scale=2)
    width, height = (int(re.search(rf'{side}="(\d+)"', text)[1]) for side in ("width", "height"))
    assert pixels(picture.png(now, scale=2)).size == (2 * width, 2 * height)
    assert 'decoding="sync"' in text
    # Our own PNG holds what matplotlib drew, pixel by pixel.
    drawn = picture._figure.canvas.buffer_rgba()
    assert pixels(picture.png(now, scale=2)).tobytes() == bytes(drawn)


def test_the_saved_files_appear_in_the_picture(make, tmp_path):
    saver = ModelCheckpoint(tmp_path / "m.keras", mode="min", save_best_only=True)
    view, trainer, _ = make([3.0, 4.0, 2.0], callbacks=[EarlyStopping(mode="min", patience=9), saver])
    trainer.start()
    trainer.result()
    painted()
    assert "A file was saved in 2 epochs, the last in epoch 3." in alt(view)
    assert len(view._picture._saved.get_segments()) == 2


def test_one_drag_is_one_line_and_restart_says_what_it_keeps(make):
    view, trainer, _ = make(
        [1.0] * 9, in_epoch=lambda e: setattr(trainer, "patience", (49, 47, 46, 40)[e]) if e < 4 else 0
    )
    trainer.start()
    trainer.result()
    painted()
    assert [change.new for change in trainer.changes] == [49, 47, 46, 40]
    assert say.live_changes(trainer.snapshot()) == ["patience went from 50 to 40 in epochs 1 to 4."]
    assert "Restart keeps patience 40; the callback was made with 50." in words(view)
    assert "(patience 40)" in view._start.tooltip


def test_the_time_to_go_is_not_guessed_from_the_epoch_that_compiles():
    now = dataclasses.replace(run_of([1.0], epochs=60, ended=False), seconds_left=420.0)
    assert "to go" not in say.live_progress(now)
    now = dataclasses.replace(run_of([1.0, 0.9], epochs=60, ended=False), seconds_left=12.0)
    assert "at most 12 s to go" in say.live_progress(now)


@pytest.mark.parametrize("patience", [0, 1, 2, 5, 40])
def test_the_names_of_wait_and_patience_never_lie_on_each_other(patience):
    for waits in range(1, 12):
        picture = LivePicture("loss", waits=True)
        picture.png(run_of([1.0] * (waits + 1), patience=patience, epochs=90, ended=False), scale=1)
        renderer = picture._figure.canvas.get_renderer()
        boxes = [name.get_window_extent(renderer) for name in (picture._wait_name, picture._patience_name)]
        assert not boxes[0].overlaps(boxes[1])
        assert all(box.y0 >= 0 for box in boxes)


def test_steps_of_one_drag_come_soon_after_each_other():
    steps = [Change(30, "patience", 60, 53, 9.0), Change(34, "patience", 53, 52, 10.5)]
    later = Change(50, "patience", 52, 12, 14.0)
    now = dataclasses.replace(run_of([1.0] * 60), changes=(*steps, later))
    assert say.live_changes(now) == [
        "patience went from 60 to 52 in epochs 31 to 35.",
        "patience went from 52 to 12 at the end of epoch 51.",
    ]


def test_many_changes_are_cut_to_the_last_ones(make, monkeypatch):
    # One in each second epoch, as by a slow hand.
    monkeypatch.setattr(say, "_DRAG_SECONDS", -1.0)
    view, trainer, _ = make([1.0] * 18, in_epoch=lambda e: setattr(trainer, "patience", 40 - e // 2))
    trainer.start()
    trainer.result()
    painted()
    assert view._notes.value.count("patience went") == 4
    assert "5 earlier changes" in words(view)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (7322, "2 h 02 min")]
)
def test_seconds_read_well(seconds, text):
    assert say.seconds(seconds) == text


def test_the_widget_opens_without_keras_or_tensorflow():
    code = (
        "import sys; from helpers import live, widgets; "
        "view = widgets.LiveTraining(live.Trainer(lambda: None, epochs=3)); "
        "print([m for m in ('keras', 'tensorflow', 'matplotlib.pyplot') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_page_without_a_kernel_gets_words_and_picture(make):
    view, trainer, _ = make([1.0, 0.5])
    trainer.start()
    trainer.result()
    painted()
    bundle = view._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"].startswith("LiveTraining: All epochs are done")
    assert 'alt="loss over 2 epochs' in data["text/html"]
    # That the kernel is gone is for a widget that lost its own.
    assert re.search(r'style="display:none"><b>The kernel is gone', data["text/html"])
