from __future__ import annotations

import ast
from pathlib import Path

import pytest
from cases import Cases, learner, run
from keras.callbacks import EarlyStopping, ModelCheckpoint

from helpers import data
from helpers.checks import lesson04
from helpers.checks.scripted import FakeModel, drive

FILE = Path("somewhere/one_best.keras")


def pair(stop=None, save=None, file=FILE, turned=False):
    """Make both callbacks with some settings changed."""

    def make():
        stopper = EarlyStopping(
            **{"monitor": "val_accuracy", "patience": 4, "restore_best_weights": True, **(stop or {})}
        )
        saver = ModelCheckpoint(file, **{"monitor": "val_accuracy", "save_best_only": True, **(save or {})})
        return ([saver, stopper] if turned else [stopper, saver], FILE)

    return make


def one_best(source: str):
    made = learner(source, file=FILE)
    return lambda: (made(), FILE)


def go_on(body: str):
    return learner(
        f"def answer(path):\n    {body}",
        digits=data.load_digits(train_rows=300, label_noise=0.2),
        load=load(),
        build=build,
    )


def build():
    import keras

    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(128), keras.layers.Dense(10)])


def load():
    import keras

    return keras.models.load_model


FIT = "model.fit(digits.train, validation_data=digits.validation, verbose=0, "
CASES = (
    Cases(
        "04.1",
        right=(lambda: (5, 7, 5, 7), learner("values = [5, 7] * 2\nanswer = tuple(values)")),
        wrong=(
            (lambda: (5, 5, 5, 7), "restores weights, and nothing else"),
            (lambda: (7, 7, 5, 7), "brings the best back"),
            (lambda: (5, 7, 5, 5), "good or bad"),
            (lambda: (5, 7, 7, 7), "better than all before"),
            (lambda: (3, 5, 3, 5), "had not stopped by then"),
            (lambda: (8, 8, 8, 8), "Epoch 8 never comes"),
            (lambda: (4, 6, 4, 6), "you counted from 0"),
            (lambda: (5, 7, 6, 7), "Which epoch was the best of those that ran?"),
            (lambda: (5, 7, 5, 6), "up to the last"),
            (lambda: (6, 7, 5, 7), "Which epoch was the best of those that ran?"),
            (lambda: (5, 6, 5, 7), "nothing but training"),
            (lambda: (5.5, 7, 5, 7), "whole numbers"),
            (lambda: (5, 7, 5), "4 things"),
        ),
    ),
    Cases(
        "04.2",
        right=(
            pair(),
            pair(turned=True),
        ),
        wrong=(
            (pair(stop={"monitor": "val_loss"}), "Look at `monitor`."),
            (pair(stop={"monitor": "loss"}), "watches `loss`"),
            (pair(stop={"patience": 3}), "It has `patience=3`"),
            (pair(stop={"patience": 5}), "It has `patience=5`"),
            (pair(stop={"mode": "min"}), "Look at its `mode`."),
            (pair(stop={"min_delta": 0.01}), "Look at `min_delta`."),
            (pair(stop={"start_from_epoch": 7}), "`EarlyStopping`: `start_from_epoch=7` was not asked"),
            (pair(stop={"restore_best_weights": False}), "Look at `restore_best_weights`"),
            (pair(save={"monitor": "val_loss"}), "Two monitors, two bests."),
            (pair(save={"save_best_only": False}), "after every epoch"),
        ),
    ),
    Cases(
        "04.3",
        right=(
            go_on(f"""model = load(path)
    done = int(model.optimizer.iterations) // len(digits.train)
    return {FIT}initial_epoch=done, epochs=done + 2)"""),
            go_on(f"""model = keras.saving.load_model(str(path))
    done = round(float(model.optimizer.iterations) / 10)
    history = {FIT}initial_epoch=done, epochs=2 + done, callbacks=[])
    return history"""),
        ),
        wrong=(
            (go_on(f"model = load(path)\n    return {FIT}epochs=2)"), "began to count at 1"),
            (go_on(f"model = load(path)\n    return {FIT}initial_epoch=2, epochs=2)"), "trained nothing"),
            (go_on(f"model = load(path)\n    return {FIT}initial_epoch=8, epochs=10)"), "stands in its optimizer"),
            (
                go_on(f"""model = load(path)
    done = int(model.optimizer.iterations) // 10
    return {FIT}initial_epoch=done, epochs=done + 1)"""),
                "number of the last one",
            ),
            (
                go_on(f"""model = load(path)
    done = int(model.optimizer.iterations) // 10
    model.compile("adam", loss="sparse_categorical_crossentropy")
    return {FIT}initial_epoch=done, epochs=done + 2)"""),
                "began anew",
            ),
            (
                go_on("""model = load(path)
    done = int(model.optimizer.iterations) // 10
    return model.fit(digits.train, initial_epoch=done, epochs=done + 2, verbose=0)"""),
                "nothing was validated",
            ),
            (
                go_on(f"""model = load(path)
    done = int(model.optimizer.iterations) // 10
    model.evaluate(digits.validation, verbose=0)
    model.set_weights([0 * array for array in model.get_weights()])
    return {FIT}initial_epoch=done, epochs=done + 2)"""),
                "or weights that were changed after loading",
            ),
            (
                go_on(f"""model = load(path)
    done = int(model.optimizer.iterations) // 10
    history = {FIT}initial_epoch=done, epochs=done + 2)
    model.save(path)
    return history"""),
                "changed the file",
            ),
        ),
    ),
)


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)


def test_the_losses_by_hand_are_those_of_the_lesson():
    source = (Path(__file__).parents[2] / "notebooks/source/04_together.py").read_text()
    line = next(line for line in source.splitlines() if line.startswith("by_hand = "))
    assert tuple(ast.literal_eval(line.removeprefix("by_hand = "))) == lesson04.BY_HAND


def test_the_four_places_are_what_the_callbacks_do():
    """The checker replays the rule; here the real callbacks play it."""
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    best, latest = ModelCheckpoint("best.keras", save_best_only=True), ModelCheckpoint("latest.keras")
    driven = drive([stopper, best, latest], list(lesson04.BY_HAND), model=FakeModel(write=False))
    last = {save.path.name: save.epoch + 1 for save in driven.saves}
    assert (driven.kept_epoch + 1, driven.epochs_run, last["best.keras"], last["latest.keras"]) == (5, 7, 5, 7)
