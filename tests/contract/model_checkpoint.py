"""ModelCheckpoint: when it saves, under which name, what it says and what it refuses."""

from __future__ import annotations

import inspect
import re

import pytest
from keras.callbacks import EarlyStopping, ModelCheckpoint

from .claims import claim
from .means import KERAS, NAN, Saves, Script, drive, fit, new_model, said, same_weights, still_model

NO_VALUE = "Can save best model only with val_loss available."


def saver(**settings):
    """Return a ModelCheckpoint for driven runs, which write no file."""
    return Saves("a.keras", **{"mode": "min", **settings})


@claim("03", "08.1", text="By default: the whole model after every epoch, best or not, monitor val_loss, mode auto.")
def test_model_checkpoint_defaults():
    parameters = inspect.signature(ModelCheckpoint).parameters
    assert {name: one.default for name, one in parameters.items() if name != "filepath"} == {
        "monitor": "val_loss",
        "verbose": 0,
        "save_best_only": False,
        "save_weights_only": False,
        "mode": "auto",
        "save_freq": "epoch",
        "initial_value_threshold": None,
    }
    assert drive(saver(), [3.0, 2.0, 4.0]).saved == (0, 1, 2)


@claim(
    "03",
    "06",
    text="save_best_only saves when the value is strictly better than the best so far; there is no min_delta.",
)
def test_save_best_only():
    assert drive(saver(save_best_only=True), [3.0, 2.0, 2.0, 2.5, 1.0]).saved == (0, 1, 4)
    assert drive(saver(save_best_only=True, mode="max"), [3.0, 2.0, 3.0, 3.5]).saved == (0, 3)
    assert "min_delta" not in inspect.signature(ModelCheckpoint).parameters


@claim("03", "07", "08.1", text="Without save_best_only one file name holds the last model, not the best.")
def test_one_name_without_save_best_only_holds_the_last(tmp_path):
    import keras

    model = still_model()
    callbacks = [Script([3.0, 1.0, 2.0])]
    callbacks += [ModelCheckpoint(tmp_path / "every.keras"), ModelCheckpoint(tmp_path / "{epoch}.keras")]
    callbacks += [ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)]
    fit(model, callbacks, epochs=3)
    held = {path.stem: keras.saving.load_model(path).get_weights() for path in tmp_path.iterdir()}
    assert same_weights(held["every"], held["3"])
    assert same_weights(held["best"], held["2"])


@claim("03", "08.25", text="A file name may hold {epoch}, which counts from 1, and any value of logs.")
def test_names_from_templates(tmp_path):
    fit(still_model(), [Script([1.5, 0.25]), ModelCheckpoint(tmp_path / "{epoch:02d}-{val_loss:.2f}.keras")], epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01-1.50.keras", "02-0.25.keras"]


@claim("03", "08.25", text="A template with a name that logs does not have is a KeyError at the first save.")
def test_template_with_an_unknown_name(tmp_path):
    path = tmp_path / "{val_acc:.2f}.keras"
    with pytest.raises(KeyError) as error:
        fit(still_model(), [ModelCheckpoint(path)], validate=True)
    assert error.value.args == (f"Failed to format this callback filepath: \"{path}\". Reason: 'val_acc'",)
    fit(new_model(metrics=["acc"]), [ModelCheckpoint(path)], validate=True)
    assert len(list(tmp_path.iterdir())) == 1


@claim(
    "03",
    "08.25",
    text="{batch} counts from 1 and exists only with an integer save_freq, where there is no val_loss.",
)
def test_template_with_batch(tmp_path):
    with pytest.raises(KeyError, match=r"Reason: \\'batch"):
        fit(still_model(), [ModelCheckpoint(tmp_path / "{batch}.keras")])
    with pytest.raises(KeyError, match=r"Reason: \\'val_loss"):
        fit(still_model(), [ModelCheckpoint(tmp_path / "{val_loss}.keras", save_freq=2)], validate=True)
    fit(still_model(), [ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=3)], epochs=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2-1.keras", "3-2.keras"]


@claim("03", text="ModelCheckpoint makes the folders it needs, and refuses a path that is a folder at the first save.")
def test_folders(tmp_path):
    fit(still_model(), [ModelCheckpoint(tmp_path / "new" / "deep" / "a.keras")])
    assert (tmp_path / "new" / "deep" / "a.keras").is_file()
    (tmp_path / "b.keras").mkdir()
    with pytest.raises(OSError, match="Please specify a non-directory filepath for ModelCheckpoint"):
        fit(still_model(), [ModelCheckpoint(tmp_path / "b.keras")])


@claim(
    "03",
    "08.4",
    text=(
        "A whole model needs a name that ends in .keras or .h5; anything else fails when the callback is made, and the "
        "message names .keras only."
    ),
)
@pytest.mark.parametrize("name", ["saved_model", "a.hdf5", "a.tf", "a.ckpt", "folder/"])
def test_endings_of_whole_models(name):
    words = f"The filepath provided must end in `.keras` (Keras model format). Received: filepath={name}"
    with pytest.raises(ValueError, match=re.escape(words)):
        ModelCheckpoint(name)
    for good in ("a.keras", "a.h5", "a.weights.h5"):
        ModelCheckpoint(good)


@claim("03", "08.4", text="save_weights_only needs a name that ends in .weights.h5.")
@pytest.mark.parametrize("name", ["a", "a.h5", "a.keras", "a.ckpt"])
def test_endings_of_weights(name):
    words = "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided must end in `.weights.h5`"
    with pytest.raises(ValueError, match=re.escape(words)):
        ModelCheckpoint(name, save_weights_only=True)
    ModelCheckpoint("a.weights.h5", save_weights_only=True)


@claim(
    "03",
    "05",
    "08.6",
    text="An integer save_freq counts batches across epochs: not epochs, and not anew in each epoch.",
)
def test_save_freq_counts_batches():
    callback = Saves("unused.keras", save_freq=3)
    callback._save_model = lambda epoch, batch, logs: callback.due.append((epoch, batch, True))
    fit(still_model(), [callback], epochs=6)
    assert callback.due == [(1, 0, True), (2, 1, True), (4, 0, True), (5, 1, True)]


@claim("03", "08.6", text="period is gone: TypeError. A save_freq that is neither 'epoch' nor an integer is refused.")
def test_period_is_gone():
    with pytest.raises(TypeError, match="unexpected keyword argument 'period'"):
        ModelCheckpoint("a.keras", period=2)
    for wrong in ("batch", 2.0):
        words = f"Unrecognized save_freq: {wrong}. Expected save_freq are 'epoch' or integer values"
        with pytest.raises(ValueError, match=re.escape(words)):
            ModelCheckpoint("a.keras", save_freq=wrong)


@claim(
    "03",
    "08.6",
    text="save_freq = steps per epoch x n saves every n epochs, at the end of the last batch, before validation.",
)
def test_save_every_n_epochs():
    callback = Saves("unused.keras", save_freq=2 * 2)
    callback._save_model = lambda epoch, batch, logs: callback.due.append((epoch, batch, "val_loss" in logs))
    fit(still_model(), [callback], epochs=4, validate=True)
    assert callback.due == [(1, 1, False), (3, 1, False)]


@claim(
    "03",
    "08.5",
    text="save_freq with save_best_only: val_loss is not there at a batch's end, so every interval is saved.",
)
def test_save_freq_with_save_best_only_saves_all(tmp_path):
    callback = Saves(tmp_path / "a.keras", save_freq=2, save_best_only=True)
    with said() as warned:
        fit(still_model(), [callback], epochs=3, validate=True)
    assert callback.epochs == [0, 1, 2]
    assert warned == [NO_VALUE] * 3


@claim(
    "03",
    "08.5",
    text=(
        "save_freq, save_best_only and monitor='loss': the second save of the first epoch crashes, whatever the mode."
    ),
)
@pytest.mark.parametrize("mode", ["auto", "min"])
def test_save_freq_with_loss_crashes(tmp_path, mode):
    callback = Saves(tmp_path / "a.keras", save_freq=1, save_best_only=True, monitor="loss", mode=mode)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        fit(still_model(), [callback])
    assert callback.due == [(0, 0, True)]
    later = Saves(tmp_path / "a.keras", save_freq=3, save_best_only=True, monitor="loss", mode=mode)
    fit(still_model(), [later], epochs=3)
    assert [(epoch, batch) for epoch, batch, _ in later.due] == [(1, 0), (2, 1)]


@claim(
    "03",
    "07",
    "08.3",
    text="Without validation data save_best_only warns and saves every epoch: the file is the last model.",
)
def test_save_best_only_without_validation_data(tmp_path):
    callback = Saves(tmp_path / "a.keras", save_best_only=True)
    with said() as warned:
        fit(still_model(), [callback], epochs=3)
    assert callback.epochs == [0, 1, 2]
    assert callback.best is None
    assert warned == [NO_VALUE] * 3


@claim("03", "08.3", text="Without validation data and without save_best_only it saves every epoch and says nothing.")
def test_saving_without_validation_data(tmp_path):
    callback = Saves(tmp_path / "a.keras")
    with said() as warned:
        fit(still_model(), [callback], epochs=2)
    assert callback.epochs == [0, 1]
    assert warned == []


@claim(
    "03",
    "08.2",
    "08.21",
    text="A wrong monitor name with an explicit mode: ModelCheckpoint warns and saves every epoch.",
)
def test_wrong_name_saves_every_epoch(tmp_path):
    callback = Saves(tmp_path / "a.keras", monitor="val_acc", mode="max", save_best_only=True)
    with said() as warned:
        fit(still_model(), [callback], epochs=2, validate=True)
    assert callback.epochs == [0, 1]
    assert warned == ["Can save best model only with val_acc available."] * 2


@claim(
    "03",
    "08.2",
    "08.21",
    text="A wrong monitor name with mode auto is an error, even when save_best_only is off and nothing is compared.",
)
def test_wrong_name_with_mode_auto_fails_anyway(tmp_path):
    with pytest.raises(ValueError, match="ModelCheckpoint callback received monitor=val_acc, but Keras isn't able"):
        fit(still_model(), [ModelCheckpoint(tmp_path / "a.keras", monitor="val_acc")], validate=True)
    assert list(tmp_path.iterdir()) == []


@claim(
    "03",
    "08.7",
    text="A new ModelCheckpoint knows no best: after a restart its first epoch overwrites a better file.",
)
def test_a_restart_forgets_the_best():
    assert drive(saver(save_best_only=True), [0.4, 0.2]).saved == (0, 1)
    assert drive(saver(save_best_only=True), [0.9, 0.8]).saved == (0, 1)
    assert drive(saver(save_best_only=True, initial_value_threshold=0.2), [0.9, 0.8, 0.1]).saved == (2,)


@claim(
    "03",
    "06",
    "08.7",
    text="initial_value_threshold is the first best, to be beaten strictly; it does nothing without save_best_only.",
)
def test_initial_value_threshold():
    callback = saver(save_best_only=True, initial_value_threshold=0.5)
    assert drive(callback, [0.7, 0.5, 0.4, 0.45]).saved == (2,)
    assert callback.best == 0.4
    assert drive(saver(initial_value_threshold=0.5), [0.7, 0.6]).saved == (0, 1)


@claim(
    "03",
    "06",
    "07",
    "08.17",
    text="A ModelCheckpoint used in a second fit keeps its old best, and saves nothing if the run is worse.",
)
def test_reused_model_checkpoint():
    callback = saver(save_best_only=True)
    assert drive(callback, [0.7, 0.5]).saved == (0, 1)
    assert drive(callback, [0.9, 0.6]).saved == ()
    assert callback.best == 0.5
    assert drive(saver(save_best_only=True), [0.9, 0.6]).saved == (0, 1)


@claim(
    "03",
    text="verbose=1 says what improved from what to what, before saving and once it is done, with epochs from 1.",
    before="Keras 3.12 has no 'finished saving model' line.",
)
def test_messages(tmp_path, capsys):
    path = tmp_path / "a.keras"
    fit(still_model(), [Script([0.7, 0.8, 0.5]), ModelCheckpoint(path, save_best_only=True, verbose=1)], epochs=3)
    done = "\nEpoch {}: finished saving model to " + f"{path}\n" if KERAS >= (3, 13) else ""
    assert capsys.readouterr().out == (
        f"\nEpoch 1: val_loss improved from None to 0.70000, saving model to {path}\n{done.format(1)}"
        "\nEpoch 2: val_loss did not improve from 0.70000\n"
        f"\nEpoch 3: val_loss improved from 0.70000 to 0.50000, saving model to {path}\n{done.format(3)}"
    )
    fit(still_model(), [ModelCheckpoint(path, verbose=1)])
    assert capsys.readouterr().out == f"\nEpoch 1: saving model to {path}\n{done.format(1)}"


@claim("03", "06", "08.28", text="NaN in the first epoch is saved as the best, and nothing is saved afterwards.")
def test_nan_first_is_saved_for_good():
    assert drive(saver(save_best_only=True), [NAN, 0.8, 0.5]).saved == (0,)
    assert drive(saver(save_best_only=True, initial_value_threshold=9.9), [NAN, 0.8, 0.5]).saved == (1, 2)
    assert drive(EarlyStopping(mode="min", patience=9), [NAN, 0.8]).epochs == 2
