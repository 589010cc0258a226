"""The picture of who owns what: each epoch where it belongs, everything inside its box, and words that say the same."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import plots, style
from helpers.plots._owners import who_owns_what

BEST, LAST = [np.ones((2, 2)), np.ones(2)], [np.zeros((2, 2)), np.zeros(2)]
CHIPS = ("model-weights", "model-optimizer", "stopper-copy", "file-weights", "file-optimizer")


def model(weights, steps):
    return SimpleNamespace(get_weights=lambda: weights, optimizer=SimpleNamespace(iterations=steps))


def fit(*, restored=True, saved=8, epochs=13, **changes):
    """Return what a fit of 10 steps an epoch leaves behind, with the best at epoch 8."""
    left = {
        "model": model(BEST if restored else LAST, 10 * epochs),
        "file": model(BEST if saved == 8 else LAST, 10 * saved),
        "stopping": SimpleNamespace(best=0.25, best_epoch=7, wait=5, best_weights=BEST if restored else None),
        "saves": SimpleNamespace(best=0.25, filepath="runs/04-001/best.keras"),
    }
    return SimpleNamespace(params={"steps": 10}, epoch=list(range(epochs))), left | changes


def draw(*arguments, title=None, **settings):
    history, left = fit(*arguments, **settings)
    return plots.owners(history, **left, title=title)


def held(**settings):
    history, left = fit(**settings)
    return who_owns_what(history, **left)


def chips(figure):
    """Return the chips by gid with the text that stands inside each."""
    figure.canvas.draw()
    texts = [(text.get_text(), text.get_window_extent()) for text in figure.axes[0].texts]
    found = {}
    for patch in figure.axes[0].patches:
        if patch.get_gid():
            box = patch.get_window_extent()
            inside = [word for word, where in texts if box.x0 <= where.x0 < where.x1 <= box.x1 and box.overlaps(where)]
            found[patch.get_gid()] = (" ".join(inside), patch.get_edgecolor())
    return found


def test_a_restored_model_has_the_best_weights_and_the_last_optimizer():
    owned = held()
    assert (owned.model_weights, owned.model_optimizer, owned.file_epoch, owned.stopper_copy) == (8, 13, 8, 8)
    assert (owned.model_steps, owned.file_steps, owned.file_name) == (130, 80, "best.keras")


def test_without_restoring_the_model_is_of_the_last_epoch():
    owned = held(restored=False)
    assert (owned.model_weights, owned.model_optimizer, owned.file_epoch, owned.stopper_copy) == (13, 13, 8, None)


def test_a_copy_that_was_not_put_back_leaves_the_last_weights():
    """The arrays decide, not the argument that asked for restoring."""
    assert held(model=model(LAST, 130)).model_weights == 13


def test_epochs_of_a_resumed_fit_count_on():
    history, left = fit()
    history.epoch = list(range(10, 13))
    assert who_owns_what(history, **left).last == 13


def test_a_file_that_is_written_each_epoch_is_of_the_last():
    assert held(saved=13).file_epoch == 13


def test_nothing_was_monitored():
    stopping = SimpleNamespace(best=None, best_epoch=0, wait=0, best_weights=None)
    figure = draw(stopping=stopping, saves=SimpleNamespace(best=None, filepath="a.keras"), restored=False)
    assert "best none, best_epoch none" in figure.alt_text


@pytest.mark.parametrize(("params", "epochs"), [({"steps": None}, [0]), ({}, [0]), ({"steps": 10}, [])])
def test_a_history_without_epochs_is_refused(params, epochs):
    _, left = fit()
    with pytest.raises(ValueError, match="no finished epoch"):
        plots.owners(SimpleNamespace(params=params, epoch=epochs), **left)


def test_chips_say_the_epochs_in_the_colour_of_their_meaning():
    from matplotlib.colors import to_rgba

    found = chips(draw())
    assert {name: text for name, (text, _) in found.items()} == {
        "model-weights": "epoch 8", "model-optimizer": "epoch 13", "stopper-copy": "epoch 8",
        "file-weights": "epoch 8", "file-optimizer": "epoch 8",
    }  # fmt: skip
    assert found["model-weights"][1] == to_rgba(style.MARKS["best"].color)
    assert found["model-optimizer"][1] == to_rgba(style.MARKS["stop"].color)


def test_an_epoch_that_is_neither_best_nor_last_has_no_sign():
    from matplotlib.colors import to_rgba

    assert chips(draw(saved=5))["file-weights"] == ("epoch 5", to_rgba(style.QUIET))


def test_no_copy_no_chip():
    assert set(chips(draw(restored=False))) == set(CHIPS) - {"stopper-copy"}


def arrows(figure):
    return [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None)]


def test_nothing_is_put_back_without_restoring():
    assert len(arrows(draw())) == len(arrows(draw(restored=False))) + 1
    assert "puts back\nat the end" not in [text.get_text() for text in draw(restored=False).axes[0].texts]


@pytest.mark.parametrize("name", ["best.keras", "a_name_that_is_much_too_long_for_any_box.weights.h5"])
@pytest.mark.parametrize("epochs", [13, 1000])
def test_everything_stays_inside_its_box(name, epochs):
    figure = draw(
        saves=SimpleNamespace(best=0.123456, filepath=f"runs\\{name}"), epochs=epochs, saved=epochs, title="A title"
    )
    figure.canvas.draw()
    boxes = [patch.get_window_extent() for patch in figure.axes[0].patches if not patch.get_gid()]
    for patch in (patch for patch in figure.axes[0].patches if patch.get_gid()):
        box = patch.get_window_extent()
        home = min((one for one in boxes if one.contains(box.x0, box.y0)), key=lambda one: one.width * one.height)
        assert home.x0 < box.x0 < box.x1 <= home.x1, patch.get_gid()
        assert home.y0 <= box.y0 < box.y1 <= home.y1, patch.get_gid()
    for text in figure.axes[0].texts:
        if not text.get_text():
            continue
        box = text.get_window_extent()
        around = [one for one in boxes if one.contains(box.x0, (box.y0 + box.y1) / 2)]
        if around:
            home = min(around, key=lambda one: one.width * one.height)
            assert box.x1 <= home.x1, text.get_text()


def test_texts_do_not_overlap():
    figure = draw(title="After a fit of 13 epochs")
    figure.canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.axes[0].texts if text.get_text()]
    for number, (one, box) in enumerate(boxes):
        for other, where in boxes[number + 1 :]:
            over = min(box.x1, where.x1) - max(box.x0, where.x0), min(box.y1, where.y1) - max(box.y0, where.y0)
            assert min(over) <= 2, f"{one!r} over {other!r}"


def test_the_words_name_every_owner_and_epoch():
    text = draw(title="After a fit").alt_text
    assert text.startswith("After a fit. Who owns what after a fit of 13 epochs, of which the best is 8.")
    assert re.search(r"weights of epoch 8 and an optimizer of epoch 13 \(130 steps\)", text)
    assert "put back into the model" in text
    assert "the file best.keras" in text
    assert "weights and optimizer of epoch 8 (80 steps)" in text
    assert "put back" not in draw(restored=False).alt_text


def test_it_shows_itself_with_its_words():
    assert 'alt="Who owns what' in style.img_html(draw())
