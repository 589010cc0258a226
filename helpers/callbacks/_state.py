"""What a run consists of, as plain values and arrays, and how it goes into one file and comes back, without pickle."""

from __future__ import annotations

import hashlib
import json
import math
import random
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from helpers import _files

__all__ = ["apply_callbacks", "apply_model", "callback_states", "describe", "differences", "finite", "model_state",
           "own_changes", "plain_values", "random_state", "read", "set_random_state", "write"]  # fmt: skip

_FORMAT = "ResumeState 1"

# What Keras's own callbacks remember between epochs. Their settings come from the script.
_REMEMBERED = {
    "EarlyStopping": ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    "ModelCheckpoint": ("best", "_batches_seen_since_last_saving", "_last_batch_seen"),
    "OrbaxCheckpoint": ("best", "_batches_seen_since_last_saving", "_last_batch_seen", "_total_batches_seen"),
    "ReduceLROnPlateau": ("best", "wait", "cooldown_counter"),
    "SwapEMAWeights": ("_ema_weights_in_model",),
    "History": ("epoch", "history"),
}


# -- callbacks -------------------------------------------------------------------------------------------------------


def _remembered(callback: keras.callbacks.Callback) -> tuple[str, ...]:
    return tuple(
        name
        for known, names in _REMEMBERED.items()
        if isinstance(callback, getattr(keras.callbacks, known, ()))
        for name in names
        if hasattr(callback, name)
    )


def _has_protocol(callback: keras.callbacks.Callback) -> bool:
    return callable(getattr(callback, "get_state", None)) and callable(getattr(callback, "set_state", None))


def _label(callback: keras.callbacks.Callback) -> str:
    monitor = getattr(callback, "monitor", None)
    return type(callback).__name__ + (f" on {monitor}" if isinstance(monitor, str) else "")


def _stateful(callbacks: list[keras.callbacks.Callback]) -> list[keras.callbacks.Callback]:
    return [callback for callback in callbacks if _remembered(callback) or _has_protocol(callback)]


def callback_states(callbacks: list[keras.callbacks.Callback]) -> list[dict[str, Any]]:
    """Return what each callback that remembers anything remembers, in the order of the list."""
    return [
        {
            "is": _label(callback),
            "remembered": {name: getattr(callback, name) for name in _remembered(callback)},
            "own": callback.get_state() if _has_protocol(callback) else None,
        }
        for callback in _stateful(callbacks)
    ]


def apply_callbacks(states: list[dict[str, Any]], callbacks: list[keras.callbacks.Callback]) -> None:
    """Give each callback its state back; the lists were compared before, see `describe`."""
    for state, callback in zip(states, _stateful(callbacks), strict=True):
        for name, value in state["remembered"].items():
            setattr(callback, name, value)
        if state["own"] is not None:
            callback.set_state(state["own"])


def plain_values(callback: keras.callbacks.Callback) -> dict[str, Any] | None:
    """Return the numbers, texts and lengths in a callback of one's own that keeps no state; None for all others."""
    if (
        type(callback).__module__.partition(".")[0] in ("helpers", "keras")
        or _remembered(callback)
        or _has_protocol(callback)
    ):
        return None
    found = {}
    for name, value in vars(callback).items():
        if isinstance(value, int | float | str | None):
            found[name] = value
        elif isinstance(value, list | tuple | dict | set):
            found[name] = len(value)
    return found


def own_changes(before: dict[str, Any], callback: keras.callbacks.Callback) -> list[str]:
    """Return the names of plain values that changed since `before`."""
    after = plain_values(callback) or {}
    return sorted(name for name, value in after.items() if name not in before or before[name] != value)


# -- model and randomness --------------------------------------------------------------------------------------------


def _variables(model: keras.Model) -> list[Any]:
    """Return every variable of model and optimizer, the seeds of dropout layers among them, each once."""
    optimizer = model.optimizer
    if optimizer is not None and not optimizer.built:
        optimizer.build(model.trainable_variables)
    found = [*model.variables, *(optimizer.variables if optimizer is not None else ())]
    return list({id(variable): variable for variable in found}.values())


def model_state(model: keras.Model) -> list[np.ndarray]:
    """Return copies of all variables of model and optimizer."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in _variables(model)]


def apply_model(model: keras.Model, values: list[np.ndarray]) -> None:
    """Give model and optimizer all their variables back."""
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)


def finite(model: keras.Model) -> bool:
    """Say whether no trainable weight is NaN or infinite."""
    return all(bool(keras.ops.all(keras.ops.isfinite(variable))) for variable in model.trainable_variables)


def random_state() -> dict[str, Any]:
    """Return the state of Python's and NumPy's global generators, which data pipelines of one's own may use."""
    return {"python": random.getstate(), "numpy": np.random.get_state()}  # noqa: NPY002 - the global one is meant


def set_random_state(state: dict[str, Any]) -> None:
    """Take a state of the generators back."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state(tuple(state["numpy"]))  # noqa: NPY002


# -- whose state is it? ----------------------------------------------------------------------------------------------


def describe(model: keras.Model, callbacks: list[keras.callbacks.Callback], batches: int | None, run: str | None):
    """Return what makes this run this run, by names that a person understands."""
    optimizer = model.optimizer
    settings = {} if optimizer is None else {"class": type(optimizer).__name__, **_comparable(optimizer.get_config())}
    # A rate that a callback has changed in this process says nothing about the script.
    if optimizer is None or int(keras.ops.convert_to_numpy(optimizer.iterations)) > 0:
        settings.pop("learning_rate", None)
    return {
        "run": run,
        "variables": [[list(variable.shape), str(variable.dtype)] for variable in _variables(model)],
        "layers": _architecture(model),
        "optimizer": settings,
        "loss": [_kind(loss) for loss in keras.tree.flatten(model.loss)],
        "batches": batches,
        "callbacks": [_label(callback) for callback in _stateful(callbacks)],
    }


def differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return a sentence for each thing that makes `now` another run than `then`."""
    found = []
    if then["run"] != now["run"]:
        found.append(f"its run is called {then['run']!r}, this one {now['run']!r}")
    layers = None not in (then["layers"], now["layers"]) and then["layers"] != now["layers"]
    if layers or then["variables"] != now["variables"]:
        found.append("its model has other layers or shapes")
    ours, theirs = dict(now["optimizer"]), dict(then["optimizer"])
    if ours.get("class") != theirs.get("class"):
        found.append(f"its optimizer is {theirs.get('class')}, here {ours.get('class')}")
    else:
        # A side without a rate does not know what the script said.
        known = [key for key in {**theirs, **ours} if key != "learning_rate" or {key} <= ours.keys() & theirs.keys()]
        found += [
            f"its optimizer has {key}={theirs.get(key)!r}, this one {ours.get(key)!r}"
            for key in known
            if theirs.get(key) != ours.get(key)
        ]
    if then["loss"] != now["loss"]:
        found.append(f"its loss is {', '.join(then['loss'])}, here {', '.join(now['loss'])}")
    if None not in (then["batches"], now["batches"]) and then["batches"] != now["batches"]:
        found.append(f"its epochs have {then['batches']} batches, these {now['batches']}: other data or batch size")
    if then["callbacks"] != now["callbacks"]:
        found.append(
            f"its callbacks were {', '.join(then['callbacks']) or 'none'}; these are {', '.join(now['callbacks'])}"
        )
    return found


def _kind(thing: Any) -> str:
    if isinstance(thing, str):
        return thing
    return getattr(thing, "__name__", type(thing).__name__)


def _architecture(model: keras.Model) -> str | None:
    """Return a digest of the layers and how they are joined; None for a model that cannot tell."""
    try:
        config = _comparable(model.get_config())
    except (NotImplementedError, TypeError, ValueError):
        return None
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def _comparable(config: Any) -> Any:
    """Return a config without what differs from process to process: seeds, and names, which become their order."""
    plain = json.loads(json.dumps(keras.saving.serialize_keras_object(config), default=_kind))
    names: dict[str, str] = {}

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("name"), str):
                names.setdefault(value["name"], f"name {len(names)}")
            value = list(value.values())
        for part in value if isinstance(value, list) else ():
            collect(part)

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            left_out = ("build_config", "seed", "shared_object_id")
            return {key: renamed(part) for key, part in value.items() if key not in left_out}
        if isinstance(value, list):
            return [renamed(part) for part in value]
        return names.get(value, value) if isinstance(value, str) else value

    collect(plain)
    return renamed(plain)


# -- one file --------------------------------------------------------------------------------------------------------


def write(path: Path, state: dict[str, Any]) -> None:
    """Replace the file by `state` in one step: numbers and texts as JSON, arrays as in any `.npz`.

    Raises:
        OSError: The file could not be written; the old one is untouched.
        TypeError: A callback's state holds something else than plain values and arrays.
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps({"format": _FORMAT, "state": _pack(state, arrays, "state")})
    arrays["json"] = np.frombuffer(text.encode(), np.uint8)
    with _files.replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def read(path: Path) -> dict[str, Any] | None:
    """Return the state in a file, None where there is no file.

    Raises:
        ValueError: The file is no state of `ResumeState`, or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            whole = json.loads(bytes(arrays["json"]))
            if whole["format"] != _FORMAT:
                raise ValueError(f"its format is {whole['format']!r}")
            return _unpack(whole["state"], arrays)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is not a state that ResumeState wrote, or something has damaged it ({error}). It is left as it "
            "is. Move it away to begin anew, or name another folder."
        ) from error


def _pack(value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    """Return `value` for JSON, with its arrays put into `arrays`."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        return _pack(value.item(), arrays, where)
    if isinstance(value, list | tuple):
        return [_pack(part, arrays, f"{where}[{number}]") for number, part in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _pack(part, arrays, f"{where}[{key!r}]") for key, part in value.items()}}
    if isinstance(value, np.ndarray) or keras.ops.is_tensor(value) or isinstance(value, keras.Variable):
        array = np.asarray(keras.ops.convert_to_numpy(value))
        if array.dtype.kind != "O":
            name = f"array{len(arrays)}"
            # NumPy stores types of others, such as bfloat16, as bytes and forgets their name.
            arrays[name] = array
            return {"array": name, "dtype": array.dtype.name}
    raise TypeError(
        f"{where} is a {type(value).__name__}. ResumeState keeps numbers, texts, None, lists, dicts with texts as keys "
        "and arrays: let get_state() return those."
    )


def _unpack(value: Any, arrays: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    if "float" in value:
        return float(value["float"])
    if "array" in value:
        array = arrays[value["array"]]
        return array.view(np.dtype(value["dtype"])) if array.dtype.kind == "V" else array
    return {key: _unpack(part, arrays) for key, part in value["dict"].items()}
