from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import pytest
from cases import Cases, learner, run
from keras.callbacks import EarlyStopping, ModelCheckpoint

from helpers import checks, data

ALBUM = Path(tempfile.gettempdir()) / "album"


def saver(name="{epoch:02d}-{val_accuracy:.2f}.keras", folder=ALBUM, **changes):
    settings = {"monitor": "val_accuracy", "save_best_only": True, **changes}
    return lambda: (ModelCheckpoint(folder / name, **settings), ALBUM)


@pytest.fixture(scope="module")
def died(tmp_path_factory):
    """A training of three epochs that saved weights and model after each, and never broke off."""
    folder = tmp_path_factory.mktemp("died")
    digits = data.load_digits(train_rows=60)
    savers = [
        ModelCheckpoint(folder / "{epoch}.weights.h5", save_weights_only=True),
        ModelCheckpoint(folder / "{epoch}.keras"),
    ]
    whole = build().fit(digits.train, validation_data=digits.validation, epochs=3, callbacks=savers, verbose=0)
    return {"digits": digits, "folder": folder, "whole": whole, "build": build}


def build():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    return model


LOADED = "m = keras.models.load_model(folder / '1.keras')\n"
FIT = "h = m.fit(digits.train, validation_data=digits.validation, initial_epoch=1, epochs=3, verbose=0)\n"


def rescue(died, code):
    return learner(f"{code}answer = (m, h, whole)", **died)


def careful(body):
    return learner(f"def answer(file, validation):\n    {body}")


EVALUATED = "keras.models.load_model(file).evaluate(validation, verbose=0)"


def tables(died) -> tuple[Cases, ...]:
    return (
        Cases(
            "03.1",
            right=(
                saver(),
                saver(mode="max", verbose=0),
                learner(
                    "answer = (ModelCheckpoint(f'{album}/{{epoch:02}}-{{val_accuracy:0.2f}}.keras', 'val_accuracy', "
                    "0, True, False, 'max'), str(album))",
                    album=ALBUM,
                ),
            ),
            wrong=(
                (saver(save_best_only=False), "`save_best_only`."),
                (saver(monitor="val_loss"), "(The name in the braces decides nothing.)"),
                (saver(monitor="accuracy"), "(The name in the braces decides nothing.)"),
                (saver(mode="min"), "falling accuracy"),
                (saver(initial_value_threshold=2.0), "It saved nothing"),
                (saver("best.keras"), "Use fields: the epoch in braces"),
                (saver("{epoch}-{val_accuracy:.2f}.keras"), "Two digits"),
                (saver("{epoch:2d}-{val_accuracy:.2f}.keras"), "There is a blank in front: `:02d` fills with zeros,"),
                (saver("{epoch:02d}-{val_accuracy:.3f}.keras"), "Two decimals"),
                (saver("{epoch:02d}-{val_loss:.2f}.keras"), "(`monitor` is another thing.)"),
                (saver(folder=ALBUM.parent), "Begin the name with the variable `album`"),
                (saver("{epoch:02d}.weights.h5", save_weights_only=True), "The whole model was asked for."),
                (saver("{epoch:02d}.keras", save_freq=2), "Leave it alone."),
                (lambda: (ModelCheckpoint, ALBUM), "alone is the class"),
                (lambda: (EarlyStopping(), ALBUM), "Expected a `ModelCheckpoint`"),
            ),
        ),
        Cases(
            "03.2",
            right=(
                rescue(died, LOADED + FIT),
                rescue(
                    died,
                    "m = build()\nm.optimizer.build(m.trainable_variables)\n"
                    "m.load_weights(folder / '1.weights.h5')\n" + FIT,
                ),
            ),
            wrong=(
                (rescue(died, "m = build()\nm.load_weights(folder / '1.weights.h5')\n" + FIT), "It began anew"),
                (rescue(died, LOADED + FIT + FIT), "the same `fit` run once before"),
                (rescue(died, LOADED.replace("1.keras", "2.keras") + FIT), "is it the one of epoch 1"),
                (rescue(died, LOADED + FIT.replace("epochs=3", "epochs=1")), "trained nothing"),
                (rescue(died, LOADED + FIT.replace("initial_epoch=1, ", "")), "began with the first again"),
                (rescue(died, LOADED + FIT.replace("h=1", "h=2")), "`initial_epoch` says how many are done: one."),
                (rescue(died, LOADED + FIT.replace("epochs=3", "epochs=2")), "the last should be 3"),
                (
                    rescue(died, LOADED + FIT.replace("validation_data=digits.validation, ", "")),
                    "Pass `validation_data",
                ),
                (
                    rescue(died, LOADED + "m.set_weights([2 * w for w in m.get_weights()])\n" + FIT),
                    "Three things make it the same",
                ),
                (rescue(died, LOADED + FIT + "m = h\n"), "should be the model"),
                (rescue(died, LOADED + FIT + "h = h.history\n"), "what `model.fit(...)` returns"),
            ),
        ),
        Cases(
            "03.3",
            right=(
                careful(f"""best = {EVALUATED}[0] if file.exists() else None
    return ModelCheckpoint(file, save_best_only=True, initial_value_threshold=best)"""),
                careful(f"""saver = ModelCheckpoint(str(file), save_best_only=True, mode="min")
    try:
        saver.best = {EVALUATED}[0]
    except ValueError:
        pass
    return saver"""),
            ),
            wrong=(
                (
                    careful("return ModelCheckpoint(file, save_best_only=True)"),
                    "the saver has no `initial_value_threshold`",
                ),
                (
                    careful(f"""best = {EVALUATED}[0]
    return ModelCheckpoint(file, save_best_only=True, initial_value_threshold=best)"""),
                    "Ask first: `file.exists()`",
                ),
                (
                    careful(f"""best = {EVALUATED}[1] if file.exists() else None
    return ModelCheckpoint(file, save_best_only=True, initial_value_threshold=best)"""),
                    "Your threshold is the accuracy",
                ),
                (
                    careful("return ModelCheckpoint(file, save_best_only=True, initial_value_threshold=1.0)"),
                    "Your threshold is 1, and",
                ),
                (
                    careful("return ModelCheckpoint(file, save_best_only=True, initial_value_threshold=0.0)"),
                    "nothing to beat, so the first epoch",
                ),
                (
                    careful(f"""best = {EVALUATED}[0] if file.exists() else None
    return ModelCheckpoint(file, initial_value_threshold=best)"""),
                    "It saves every epoch: without `save_best_only=True`",
                ),
                (
                    careful("""if file.exists():
        file.unlink()
    return ModelCheckpoint(file, save_best_only=True)"""),
                    "The model in the file was overwritten by a worse one:",
                ),
                (
                    careful(f"""best = {EVALUATED} if file.exists() else None
    return ModelCheckpoint(file, save_best_only=True, initial_value_threshold=best)"""),
                    "Take the loss: it comes first, `[0]`.",
                ),
                (careful("return ModelCheckpoint('a.keras', save_best_only=True)"), "saves to `a.keras`"),
                (careful("ModelCheckpoint(file, save_best_only=True)"), "returned nothing"),
                (lambda: ModelCheckpoint("a.keras"), "Give the function itself, without brackets."),
            ),
        ),
    )


# The names that other tests look for: one table for each exercise.
CASES = tables({"digits": None, "folder": None, "whole": None, "build": None})


@pytest.mark.parametrize("number", range(3), ids=lambda number: CASES[number].exercise)
def test_answers(number, died):
    run(tables(died)[number])


def test_a_check_leaves_the_callback_as_it_was():
    callback, folder = saver()()
    for _ in range(2):
        assert checks.check("03.1", (callback, folder)).status == "right"
    assert callback.best is None
