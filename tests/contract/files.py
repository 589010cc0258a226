"""Files: what is inside them, what they restore, what a stranger's file may do, what a kill leaves."""

from __future__ import annotations

import json
import logging
import os
import signal
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras.callbacks import LambdaCallback, ModelCheckpoint

from .claims import claim
from .means import Script, arrays, fit, iterations, new_model, rate, said, same_weights, training, validation


def inside(path):
    """List the groups and data sets of an HDF5 file, in order."""
    names = []
    with h5py.File(path) as file:
        file.visit(names.append)
    return names


LAYERS = ["layers", "layers/dense", "layers/dense/vars", "layers/dense/vars/0", "layers/dense/vars/1"]
ADAM = ["optimizer", "optimizer/vars", *(f"optimizer/vars/{index}" for index in range(6))]


def trained(tmp_path, optimizer="adam", epochs=1):
    """Train and save each epoch in both formats; return the model."""
    model = new_model(optimizer)
    whole = ModelCheckpoint(tmp_path / "{epoch}.keras")
    weights = ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True)
    fit(model, [whole, weights], epochs=epochs)
    return model


@claim("03", "07", text="A .keras file is an uncompressed zip of metadata.json, config.json and model.weights.h5.")
def test_inside_a_keras_file(tmp_path):
    trained(tmp_path)
    with zipfile.ZipFile(tmp_path / "1.keras") as archive:
        members = {info.filename: info for info in archive.infolist()}
        metadata, config = (json.loads(archive.read(f"{name}.json")) for name in ("metadata", "config"))
    assert list(members) == ["metadata.json", "config.json", "model.weights.h5"]
    assert {info.compress_type for info in members.values()} == {zipfile.ZIP_STORED}
    assert metadata["keras_version"] == keras.__version__
    assert config["class_name"] == "Sequential"
    compiled = config["compile_config"]
    assert (compiled["optimizer"]["class_name"], compiled["loss"], compiled["metrics"]) == ("Adam", "mse", ["mae"])


@claim("03", "07", text="By default everything is saved, the optimizer's state included.")
def test_the_default_saves_the_optimizer(tmp_path):
    trained(tmp_path)
    with zipfile.ZipFile(tmp_path / "1.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    assert inside(tmp_path / "model.weights.h5") == [*LAYERS, *ADAM, "vars"]


@claim(
    "03",
    "07",
    text="A .weights.h5 file of a compiled model holds the same numbers, the optimizer's state included.",
)
def test_weights_files_hold_the_optimizer(tmp_path):
    model = trained(tmp_path)
    assert inside(tmp_path / "1.weights.h5") == [*LAYERS, *ADAM, "vars"]
    assert [variable.path.rpartition("/")[2].rpartition("_")[2] for variable in model.optimizer.variables] == [
        "iteration", "rate", "momentum", "velocity", "momentum", "velocity",
    ]  # fmt: skip


@claim(
    "03",
    text="A model that is not compiled has no optimizer in its file; one never trained has only its step and rate.",
)
def test_files_without_training(tmp_path):
    bare = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    bare.save_weights(tmp_path / "bare.weights.h5")
    assert [name for name in inside(tmp_path / "bare.weights.h5") if "optimizer" in name] == []
    new_model("adam").save_weights(tmp_path / "new.weights.h5")
    assert [name for name in inside(tmp_path / "new.weights.h5") if "optimizer" in name] == ADAM[:4]
    bare.save(tmp_path / "bare.keras")
    assert not keras.saving.load_model(tmp_path / "bare.keras").compiled


@claim(
    "03",
    text="Adam keeps two numbers for each weight, so a file of a trained model is about three times its weights.",
)
def test_adam_triples_the_file(tmp_path):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(256)])
    model.compile("adam", "mse")
    model.save(tmp_path / "new.keras")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "trained.keras")
    weights = 4 * model.count_params()
    new, used = ((tmp_path / f"{name}.keras").stat().st_size for name in ("new", "trained"))
    assert weights < new < 1.5 * weights
    assert 3 * weights < used < 3.5 * weights


@claim("03", "04", text="The best model loaded back evaluates to exactly the value that was its best.")
def test_the_loaded_best_is_the_best(tmp_path):
    model = new_model(keras.optimizers.SGD(0.5))
    history = fit(model, [ModelCheckpoint(tmp_path / "a.keras", save_best_only=True)], epochs=6, validate=True)
    best = min(history["val_loss"])
    assert history["val_loss"][-1] != best, "the last epoch must not be the best for this to show anything"
    assert keras.saving.load_model(tmp_path / "a.keras").evaluate(validation(), verbose=0)[0] == best


@claim(
    "08.20",
    text="A reloaded model gives the same numbers on the same data, from .keras and .h5, accuracy included.",
)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_reloaded_model_evaluates_the_same(tmp_path, ending):
    x, y = arrays()
    labels = (y[:, 0] > 3).astype("int32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
    model.fit(x, labels, verbose=0)
    model.save(tmp_path / f"a.{ending}")
    loaded = keras.saving.load_model(tmp_path / f"a.{ending}")
    loaded.run_eagerly = True
    assert loaded.evaluate(x, labels, verbose=0) == model.evaluate(x, labels, verbose=0)


class Centre(keras.layers.Layer):
    """A layer whose state is a plain attribute unless `kept`, when it is a weight."""

    def __init__(self, kept=False, **settings):
        super().__init__(**settings)
        self.kept = kept
        self.mean = self.add_weight(shape=(), trainable=False, initializer="zeros") if kept else 0.0

    def set(self, value):
        if self.kept:
            self.mean.assign(value)
        else:
            self.mean = value

    def call(self, x):
        return x - self.mean

    def get_config(self):
        return {**super().get_config(), "kept": self.kept}


@claim(
    "08.20",
    text=(
        "State that is not a weight, such as a plain attribute of a layer, is not in the file: the reloaded "
        "model differs."
    ),
)
@pytest.mark.parametrize("kept", [False, True])
def test_state_that_is_no_weight_is_lost(tmp_path, kept):
    model = keras.Sequential([keras.Input((3,)), Centre(kept), keras.layers.Dense(1)])
    model.layers[0].set(0.5)
    model.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras", custom_objects={"Centre": Centre})
    x = arrays()[0]
    assert np.array_equal(model(x), loaded(x)) == kept


@claim(
    "03",
    "08.27",
    text="load_model restores the optimizer too: training goes on exactly as if it had not been interrupted.",
)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_resume_from_a_keras_file(tmp_path, optimizer):
    model = trained(tmp_path, optimizer, epochs=3)
    expected = model.history.history["loss"][2]
    loaded = keras.saving.load_model(tmp_path / "2.keras")
    assert iterations(loaded) == 4
    history = loaded.fit(training(), initial_epoch=2, epochs=3, verbose=0, shuffle=False)
    assert history.epoch == [2]
    assert history.history["loss"] == [expected]


@claim("03", "08.27", text="The learning rate at the time of saving is in the file.")
def test_the_learning_rate_is_in_the_file(tmp_path):
    model = new_model("adam")
    model.optimizer.learning_rate = 0.125
    fit(model, [ModelCheckpoint(tmp_path / "a.keras")])
    assert rate(keras.saving.load_model(tmp_path / "a.keras")) == 0.125


@claim(
    "03",
    "07",
    "08.27",
    text="compile, then load_weights, does NOT restore Adam's state: the optimizer must be built first.",
)
def test_load_weights_needs_a_built_optimizer(tmp_path):
    expected = trained(tmp_path, "adam", epochs=3).history.history["loss"][2]
    fresh = new_model("adam")
    with said() as warned:
        fresh.load_weights(tmp_path / "2.weights.h5")
    assert len(warned) == 1
    assert warned[0].startswith("Skipping variable loading for optimizer 'adam")
    assert warned[0].endswith("because it has 2 variables whereas the saved optimizer has 6 variables. ")
    assert iterations(fresh) == 0
    assert fit(fresh)["loss"] != [expected]

    built = new_model("adam")
    built.optimizer.build(built.trainable_variables)
    with said() as warned:
        built.load_weights(tmp_path / "2.weights.h5")
    assert warned == []
    assert iterations(built) == 4
    assert fit(built)["loss"] == [expected]


@claim("08.27", text="Plain SGD has nothing to build: compile, then load_weights, restores its step count.")
def test_load_weights_into_sgd(tmp_path):
    trained(tmp_path, "sgd", epochs=2)
    model = new_model("sgd")
    model.load_weights(tmp_path / "2.weights.h5")
    assert iterations(model) == 4


@claim("03", "08.27", text="Compiling again after loading throws the optimizer's state away.")
def test_compiling_after_loading_resets_the_optimizer(tmp_path):
    trained(tmp_path)
    model = keras.saving.load_model(tmp_path / "1.keras")
    assert iterations(model) == 2
    model.compile("adam", "mse")
    assert iterations(model) == 0
    bare = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    bare.load_weights(tmp_path / "1.weights.h5")
    bare.compile("adam", "mse")
    assert iterations(bare) == 0


@claim(
    "08.27",
    text="epochs is the number of the last epoch, not how many more: initial_epoch=3, epochs=3 trains nothing.",
)
def test_epochs_is_the_last_epoch():
    assert fit(new_model(), initial_epoch=3, epochs=3) == {}
    assert len(fit(new_model(), initial_epoch=3, epochs=5)["loss"]) == 2


@claim("03", "08.4", text="model.save without .keras or .h5 and save_weights without .weights.h5 are refused.")
def test_save_refuses_other_endings(tmp_path):
    model = new_model()
    with pytest.raises(ValueError, match=r"Invalid filepath extension for saving. Please add either a `.keras`"):
        model.save(tmp_path / "a")
    with pytest.raises(ValueError, match=r"The filename must end in `.weights.h5`. Received: filepath=.*a.h5"):
        model.save_weights(str(tmp_path / "a.h5"))


@claim(
    "03",
    "08.4",
    text=(
        "ModelCheckpoint('a.weights.h5') without save_weights_only writes a legacy whole model that "
        "load_weights refuses, after a warning that it finds no optimizer."
    ),
)
def test_weights_name_without_save_weights_only(tmp_path, caplog):
    path = tmp_path / "a.weights.h5"
    with caplog.at_level(logging.WARNING, logger="absl"):
        fit(new_model("adam"), [ModelCheckpoint(path)])
    with h5py.File(path) as file:
        assert list(file) == ["model_weights", "optimizer_weights"]
    with (
        said() as warned,
        pytest.raises(ValueError, match="expected 2 variables, but received 0 variables during load"),
    ):
        new_model("adam").load_weights(path)
    assert len(warned) == 1
    assert warned[0].endswith("because it has 2 variables whereas the saved optimizer has 0 variables. ")


@claim(
    "08.4",
    text=(
        "A legacy .h5 file of a model compiled with an abbreviated loss, such as 'mse', cannot be loaded, except with "
        "compile=False; with the full name it can, whatever its metrics are called."
    ),
)
@pytest.mark.parametrize("loss", ["mse", "mae", "mape", "bce", "kld"])
def test_legacy_h5_with_short_names(tmp_path, loss):
    model = new_model()
    model.compile("sgd", loss)
    model.save(tmp_path / "a.h5")
    with pytest.raises(ValueError, match=rf"Could not (deserialize|locate function) '(keras.metrics.)?{loss}'"):
        keras.saving.load_model(tmp_path / "a.h5")
    loaded = keras.saving.load_model(tmp_path / "a.h5", compile=False)
    assert same_weights(loaded.get_weights(), model.get_weights())
    model.compile("sgd", "mean_squared_error", metrics=["mse", "mae"])
    model.save(tmp_path / "b.h5")
    assert keras.saving.load_model(tmp_path / "b.h5").compiled


@claim(
    "03", "08.47", text="A stranger's file with a Lambda layer is refused by load_model; safe_mode=False runs its code."
)
def test_safe_mode(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="Requested the deserialization of a `Lambda` layer") as error:
        keras.saving.load_model(tmp_path / "a.keras")
    assert "by passing `safe_mode=False` to the loading function" in str(error.value)
    assert "keras.config.enable_unsafe_deserialization()" in str(error.value)
    x = arrays()[0]
    assert np.array_equal(keras.saving.load_model(tmp_path / "a.keras", safe_mode=False)(x), 2 * x)


@claim("03", "08.33", text="A damaged .keras file, though it is there, is reported as 'File not found'.")
def test_a_damaged_file_is_reported_as_missing(tmp_path):
    model, path = new_model(), tmp_path / "a.keras"
    model.save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"File not found: filepath=.*a.keras. Please ensure the file is"):
        keras.saving.load_model(path)


def own_loss(truth, guesses):
    return keras.ops.mean(keras.ops.abs(truth - guesses))


@claim(
    "03",
    "08.46",
    text=(
        "load_model needs the code of a layer, loss or metric of one's own, as custom_objects or registered; without "
        "it, a TypeError."
    ),
)
@pytest.mark.parametrize("part", ["layer", "loss", "metric"])
def test_load_model_needs_parts_of_ones_own(tmp_path, part):
    layers = [Centre()] if part == "layer" else []
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)])
    model.compile("adam", own_loss if part == "loss" else "mse", metrics=[own_loss] if part == "metric" else [])
    fit(model)
    model.save(tmp_path / "a.keras")
    own = Centre if part == "layer" else own_loss
    with pytest.raises(TypeError, match=own.__name__):
        keras.saving.load_model(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras", custom_objects={own.__name__: own})
    assert iterations(loaded) == iterations(model) > 0


@claim("03", text="A new Adam makes its two numbers for each weight at its first step, or when it is built.")
def test_adam_makes_its_memory_at_the_first_step():
    seen = []
    model = new_model("adam")

    def count(*_, **__):
        seen.append(len(model.optimizer.variables))

    fit(model, [LambdaCallback(on_train_begin=count, on_train_batch_begin=count, on_train_batch_end=count)])
    assert seen[:3] == [2, 2, 6]
    fresh = new_model("adam")
    fresh.optimizer.build(fresh.trainable_variables)
    assert len(fresh.optimizer.variables) == 6


class Interrupt(keras.layers.Layer):
    """A layer that does something in the middle of being saved."""

    action = None

    def call(self, x):
        return x

    def save_own_variables(self, store):
        if Interrupt.action:
            Interrupt.action()
        super().save_own_variables(store)


def interruptible(path):
    """Save a good model at `path`, and return a function that begins to save over it."""
    Interrupt.action = None
    model = keras.Sequential([keras.Input((3,)), Interrupt(), keras.layers.Dense(1)])
    save = model.save_weights if path.name.endswith(".weights.h5") else model.save
    save(path)
    load = {"Interrupt": Interrupt}
    read = (
        (lambda: model.load_weights(path))
        if path.name.endswith(".weights.h5")
        else (lambda: keras.saving.load_model(path, custom_objects=load))
    )
    read()
    return lambda: save(path, overwrite=True), read


@claim("03", "07", "08.33", "09", text="A kill while saving over a file leaves neither the old model nor the new one.")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the kill needs os.fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_a_kill_while_saving_leaves_no_model(tmp_path, name):
    save, read = interruptible(tmp_path / name)
    Interrupt.action = lambda: os.kill(os.getpid(), signal.SIGKILL)
    child = os.fork()
    if child == 0:
        try:
            save()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    Interrupt.action = None
    assert os.WTERMSIG(status) == signal.SIGKILL
    with pytest.raises((ValueError, OSError), match=r"File not found|truncated file"):
        read()


@claim(
    "08.33",
    text=(
        "A kill before the weights are written leaves a file far smaller than the old one; a late kill leaves nearly "
        "all of it, unreadable all the same."
    ),
)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the kill needs os.fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("late", [False, True])
def test_what_a_kill_leaves_depends_on_when(tmp_path, late):
    path = tmp_path / "a.keras"
    model = keras.Sequential([keras.Input((64,)), Interrupt(), keras.layers.Dense(256)])
    model.save(path)
    size = path.stat().st_size

    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    def kill_at_the_end(archive):
        archive.fp.flush()
        kill()

    child = os.fork()
    if child == 0:
        try:
            if late:
                zipfile.ZipFile.close = kill_at_the_end
            else:
                Interrupt.action = kill
            model.save(path, overwrite=True)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert (path.stat().st_size > 0.9 * size) if late else (path.stat().st_size < 0.1 * size)
    with pytest.raises(ValueError, match="File not found"):
        keras.saving.load_model(path, custom_objects={"Interrupt": Interrupt})


@claim(
    "08.33",
    text="A weights file whose save was interrupted after the layers loads, with a warning and without the optimizer.",
)
def test_an_interrupt_after_the_layers_leaves_weights(tmp_path):
    class Late(keras.optimizers.SGD):
        def save_own_variables(self, store):
            raise KeyboardInterrupt

    model, fresh, path = new_model(Late()), new_model("adam"), tmp_path / "a.weights.h5"
    fit(model)
    with pytest.raises(KeyboardInterrupt):
        model.save_weights(path)
    with said() as warned:
        fresh.load_weights(path)
    assert len(warned) == 1
    assert warned[0].startswith("Skipping variable loading for optimizer 'adam")
    assert same_weights(model.get_weights(), fresh.get_weights())


@claim("03", "08.33", text="The stop button does the same: KeyboardInterrupt while saving spoils the file.")
@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5"])
def test_an_interrupt_while_saving_leaves_no_model(tmp_path, name):
    def stop():
        raise KeyboardInterrupt

    save, read = interruptible(tmp_path / name)
    Interrupt.action = stop
    with pytest.raises(KeyboardInterrupt):
        save()
    Interrupt.action = None
    with pytest.raises(ValueError, match=r"Expected a model.weights.h5|expected 2 variables, but received 0"):
        read()


@claim("08.33", text="Saving under another name and then os.replace keeps the old file whole until the new one is.")
def test_replace_keeps_a_whole_file(tmp_path):
    def stop():
        raise KeyboardInterrupt

    path, fresh = tmp_path / "a.keras", tmp_path / "a.new.keras"
    _, read = interruptible(path)
    before = path.read_bytes()
    model = keras.saving.load_model(path, custom_objects={"Interrupt": Interrupt})
    Interrupt.action = stop
    with pytest.raises(KeyboardInterrupt):
        model.save(fresh)
    Interrupt.action = None
    assert path.read_bytes() == before
    model.save(fresh)
    os.replace(fresh, path)
    read()


@claim(
    "03", "08.47", "08.52", text="load_weights takes a .keras file as well; load_model does not take a weights file."
)
def test_formats_exchanged(tmp_path):
    model = trained(tmp_path, "sgd")
    other = new_model()
    other.load_weights(tmp_path / "1.keras")
    assert same_weights(model.get_weights(), other.get_weights())
    with pytest.raises(ValueError, match="No model config found in the file at"):
        keras.saving.load_model(tmp_path / "1.weights.h5")


@claim("08.1", "08.20", text="Loading the file is up to you: the model in memory stays the last one.")
def test_saving_does_not_change_the_model(tmp_path):
    model = new_model()
    fit(model, [Script([1.0, 2.0]), ModelCheckpoint(tmp_path / "a.keras", save_best_only=True)], epochs=2)
    assert not same_weights(model.get_weights(), keras.saving.load_model(tmp_path / "a.keras").get_weights())


# -- what is one's own, what is open elsewhere, what goes by names ---------------------------------------------------


@claim(
    "08.46", text="With compile=False a model with a metric of one's own loads: it predicts, and cannot be trained on."
)
def test_without_compile_it_loads_and_predicts(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=[own_loss])
    fit(model)
    model.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras", compile=False)
    assert same_weights(loaded.get_weights(), model.get_weights())
    with pytest.raises(ValueError, match=r"You must call `compile\(\)` before using the model"):
        fit(loaded)


@keras.saving.register_keras_serializable("contract")
class Kept(keras.layers.Layer):
    def __init__(self, factor, **settings):
        super().__init__(**settings)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Bare(keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor


@claim(
    "08.46",
    text=(
        "A registered layer with get_config loads without being named; one whose __init__ takes no **kwargs is refused "
        "even when it is named, and the last line of the message says why."
    ),
)
def test_registered_layers_load(tmp_path):
    keras.Sequential([keras.Input((3,)), Kept(2.0)]).save(tmp_path / "a.keras")
    assert keras.saving.load_model(tmp_path / "a.keras").layers[0].factor == 2.0
    keras.Sequential([keras.Input((3,)), Bare(2.0)]).save(tmp_path / "b.keras")
    with pytest.raises(TypeError, match="could not be deserialized properly") as error:
        keras.saving.load_model(tmp_path / "b.keras", custom_objects={"Bare": Bare})
    assert "unexpected keyword argument 'trainable'" in str(error.value).splitlines()[-1]


@claim(
    "08.46",
    text=(
        "A layer that was given an array and has no get_config cannot be saved: NotImplementedError, and the file that "
        "was to be replaced is empty."
    ),
)
def test_a_layer_that_cannot_be_saved_empties_the_file(tmp_path):
    path = tmp_path / "a.keras"
    new_model().save(path)
    bad = keras.Sequential([keras.Input((3,)), Bare(np.ones(3, "float32"))])
    with pytest.raises(NotImplementedError, match="must override `get_config"):
        bad.save(path)
    assert path.stat().st_size == 0


beside_the_lambda = 3.0


@claim(
    "08.47",
    text=(
        "A lambda comes out of the file without the names that it uses from outside: a NameError at its first use. Its "
        "weights fit into the same model with another layer in its place."
    ),
)
def test_a_loaded_lambda_has_lost_its_names(tmp_path):
    def model(layer):
        return keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(1)])

    old = model(keras.layers.Lambda(lambda x: x * beside_the_lambda))
    old.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras", safe_mode=False)
    x = arrays()[0]
    with pytest.raises(NameError, match="beside_the_lambda"):
        loaded(x)
    new = model(Kept(beside_the_lambda))
    new.load_weights(tmp_path / "a.keras")
    assert np.array_equal(new(x), old(x))


@claim("08.52", text="load_weights says nothing of layers that only the file has; a layer that it has not is an error.")
def test_a_model_with_fewer_layers_loads_in_silence(tmp_path):
    def stack(*units):
        return keras.Sequential([keras.Input((3,)), *map(keras.layers.Dense, units)])

    stack(4, 2).save_weights(tmp_path / "a.weights.h5")
    with said() as texts:
        stack(4).load_weights(tmp_path / "a.weights.h5")
    assert texts == []
    with pytest.raises(ValueError, match="objects could not be loaded"):
        stack(4, 4, 2).load_weights(tmp_path / "a.weights.h5")


@claim("08.53", text="A weights file that the same program has open cannot be saved over, and stays whole.")
def test_a_file_open_in_the_same_program_stays_whole(tmp_path):
    model, path = new_model(), tmp_path / "a.weights.h5"
    model.save_weights(path)
    before = path.read_bytes()
    with h5py.File(path), pytest.raises(OSError, match="truncate a file which is already open"):
        model.save_weights(path, overwrite=True)
    assert path.read_bytes() == before


@claim("08.20", text="A Normalization layer keeps its mean and variance in the file.")
def test_normalization_is_in_the_file(tmp_path):
    x = 5 * arrays()[0] + 3
    layer = keras.layers.Normalization()
    layer.adapt(x)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save(tmp_path / "a.keras")
    assert np.array_equal(keras.saving.load_model(tmp_path / "a.keras")(x), model(x))


@claim(
    "08.59",
    text=(
        "The state tree, which OrbaxCheckpoint saves and loads, goes by names: set into a Sequential made from its "
        "config it changes nothing, in silence; into a functional model it brings all weights back."
    ),
)
@pytest.mark.parametrize("functional", [False, True])
def test_the_state_tree_goes_by_names(functional):
    inputs = keras.Input((3,))
    layers = [keras.layers.Dense(2, name="one"), keras.layers.Dense(1, name="two")]
    if functional:
        model = keras.Model(inputs, layers[1](layers[0](inputs)))
    else:
        model = keras.Sequential([inputs, *layers], name="net")
    model.compile("sgd", "mse")
    for weight in model.weights:
        weight.assign(np.ones(weight.shape))
    rebuilt = keras.models.model_from_json(model.to_json())
    rebuilt.set_state_tree(model.get_state_tree())
    assert same_weights(rebuilt.get_weights(), model.get_weights()) is functional
