"""In the notebook's kernel: pack the names that a check asks for, for the judge, which is a process of its own."""

from __future__ import annotations

import contextlib
import io
import linecache
import pickle
import sys
from pathlib import Path
from typing import Any

import cloudpickle

LARGEST = 300_000_000
_ELEMENTS = 20_000


class Pickler(cloudpickle.Pickler):
    """Takes what a notebook makes by its value; a dataset of TensorFlow as its batches."""

    def reducer_override(self, obj: Any) -> Any:
        """Say how to take one object."""
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is not None and isinstance(obj, tensorflow.data.Dataset):
            batches = list(obj.take(_ELEMENTS + 1).as_numpy_iterator())
            if len(batches) > _ELEMENTS:
                raise pickle.PicklingError("a dataset without end")
            return dataset, (batches, obj.element_spec)
        return super().reducer_override(obj)


def dataset(batches: list, spec: Any) -> Any:
    """Make a dataset of the batches that another process took from one."""
    import tensorflow as tf

    return tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=spec)


def pack(path: str, names: list[str], namespace: dict[str, Any]) -> None:
    """Write the values of `names` into a file: a pickle of plain types with the values as bytes in it.

    What cannot be taken, such as an open file, is told in `problem`.
    """
    values = {name: namespace[name] for name in names if name in namespace}
    packed: dict[str, Any] = {"missing": [n for n in names if n not in values], "values": b"", "problem": None}
    # So that the judge's words can quote the learner's lines.
    packed["sources"] = {name: "".join(entry[2]) for name, entry in list(linecache.cache.items())
                         if "ipykernel" in name and len(entry) == 4}  # fmt: skip
    buffer = io.BytesIO()
    try:
        Pickler(buffer, protocol=5).dump(values)
        packed["values"] = buffer.getvalue()
        if len(packed["values"]) > LARGEST:
            packed |= {"values": b"", "problem": f"it has more than {LARGEST // 1_000_000} megabytes"}
    except BaseException as error:
        packed["problem"] = f"{type(error).__name__}: {str(error)[:200]}"
    Path(path).write_bytes(pickle.dumps(packed))


def unpack(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the values by their names, and the names that nothing had bound; in the judge's process.

    Raises:
        ValueError: the values could not be taken along.
    """
    packed = pickle.loads(path.read_bytes())
    if packed["problem"]:
        raise ValueError(packed["problem"])
    for name, source in packed["sources"].items():
        with contextlib.suppress(Exception):
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return pickle.loads(packed["values"]), packed["missing"]
