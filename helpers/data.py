"""Load the real data of the course, cut it into seeded splits, and read the recorded training runs.

Everything comes from files in `data/`; nothing is downloaded. TensorFlow is imported only when a `tf.data`
dataset is asked for, so that the recorded runs open in milliseconds.
"""

from __future__ import annotations

import hashlib
import json
import numbers
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import tensorflow as tf

__all__ = ["DATA", "DataError", "Run", "Splits", "load_diabetes", "load_digits", "load_runs"]

DATA = Path(__file__).resolve().parent.parent / "data"

# Rows of each table that may train, then rows for validation; the rest is the test set.
_DIGITS_ROWS = (997, 300, 500)
_DIABETES_ROWS = (242, 100, 100)
# Fixed numbers, not measured ones: the unit of the target must not depend on which rows train.
_PROGRESSION_CENTRE, _PROGRESSION_UNIT = 150.0, 75.0


class DataError(RuntimeError):
    """A file of the course is missing or damaged; the message says how to get it back."""


@dataclass(frozen=True, eq=False)
class Splits:
    """One task, cut into training, validation and test rows that never overlap.

    The arrays cannot be written to. Label noise touches `y_train` alone: validation and test labels are
    those of the original data, and they are the same rows for every `train_rows` and `label_noise`.

    Attributes:
        name: `"digits"` or `"diabetes"`.
        x_train: Inputs for training, float32, shape (rows, features); likewise `x_validation`, `x_test`.
        y_train: Targets for training, shape (rows,); likewise `y_validation`, `y_test`.
        batch_size: Rows in a batch of the datasets below; the last batch may be smaller.
        seed: The seed that chose the rows, the noise and the order of the training batches.
        reshuffle: Whether `train` comes in a new order in each epoch.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    batch_size: int
    seed: int
    reshuffle: bool = False

    def __post_init__(self) -> None:
        for part in ("train", "validation", "test"):
            getattr(self, f"x_{part}").setflags(write=False)
            getattr(self, f"y_{part}").setflags(write=False)

    @property
    def train(self) -> tf.data.Dataset:
        """Return the training rows as a cached dataset of batches.

        The rows were shuffled once, by the seed, and the batches keep that order in every epoch: two fits from
        the same starting weights are the same fit, and a fit that resumes goes on exactly. With `reshuffle` each
        epoch has an order of its own, as with arrays in `fit`; each time this attribute is read the sequence of
        orders starts again, so `fit(splits.train, ...)` repeats after `keras.utils.set_random_seed`.
        """
        return self._dataset("train", reshuffle=True) if self.reshuffle else self._train_in_fixed_order

    @cached_property
    def validation(self) -> tf.data.Dataset:
        """Return the validation rows as a cached dataset of batches, in order."""
        return self._dataset("validation")

    @cached_property
    def test(self) -> tf.data.Dataset:
        """Return the test rows as a cached dataset of batches, in order."""
        return self._dataset("test")

    @cached_property
    def _train_in_fixed_order(self) -> tf.data.Dataset:
        return self._dataset("train")

    def _dataset(self, part: str, reshuffle: bool = False) -> tf.data.Dataset:
        import tensorflow as tf

        # Keras warns at each fit on a dataset that it will not shuffle. These datasets are shuffled, as it asks.
        warnings.filterwarnings("ignore", message="`shuffle=True` was passed, but will be ignored", module="keras")
        x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
        rows = tf.data.Dataset.from_tensor_slices((x, y))
        if reshuffle:
            return rows.cache().shuffle(len(x), seed=self.seed).batch(self.batch_size)
        # Validation and test only measure, so they come in one large batch, which is quicker.
        return rows.batch(self.batch_size if part == "train" else max(self.batch_size, 512)).cache()

    def __repr__(self) -> str:
        return (
            f"Splits({self.name}: {len(self.x_train)} training, {len(self.x_validation)} validation, "
            f"{len(self.x_test)} test rows of {self.x_train.shape[1]} features)"
        )


def load_digits(
    *, train_rows: int = 300, label_noise: float = 0.0, seed: int = 0, batch_size: int = 32, reshuffle: bool = False
) -> Splits:
    """Load the UCI handwritten digits, 8 by 8 pixels, as a task with ten classes.

    Inputs are the 64 pixels of an image divided by 16, so 0.0 is paper and 1.0 is ink; targets are the digits
    0..9 as int32. Of the 1,797 images 300 validate, 500 test and up to 997 train. Classes are spread evenly:
    every ten training rows hold each digit once, until the rarer digits run out near the end.

    Args:
        train_rows: How many rows train, 10 to 997. Few rows make the model overfit.
        label_noise: The share of the training labels, 0.0 to 1.0, that is changed to another digit.
        seed: Chooses rows, noise and order; a larger `train_rows` with the same seed adds rows and drops none.
        batch_size: Rows in a training batch.
        reshuffle: Give the training rows a new order in each epoch, see `Splits.train`.

    Raises:
        ValueError: An argument is out of its range; TypeError when it is not a number.
        DataError: `data/digits.npz` is missing or damaged.
    """
    _check_arguments(_DIGITS_ROWS[0], train_rows, seed, batch_size)
    if not 0 <= _number("label_noise", label_noise) <= 1:
        raise ValueError(f"label_noise is the share of training labels to change, from 0 to 1; got {label_noise}.")
    table = _read_npz(DATA / "digits.npz", ("images", "labels"), rebuild="make data")
    rng = np.random.default_rng(seed)
    order = _stratified_order(table["labels"], rng)
    rows = _cut(order, _DIGITS_ROWS, train_rows)
    x = (table["images"] / np.float32(16)).astype(np.float32)
    y = table["labels"].astype(np.int32)
    # A generator of its own: which labels are noisy must not depend on anything drawn before.
    y_train = _change_labels(y[rows[0]], label_noise, np.random.default_rng((seed, 1)))
    return _splits("digits", x, y, rows, y_train, seed, batch_size, reshuffle)


def load_diabetes(
    *, train_rows: int = 120, label_noise: float = 0.0, seed: int = 0, batch_size: int = 32, reshuffle: bool = False
) -> Splits:
    """Load 442 patients with diabetes as a small, noisy regression task.

    Ten inputs (age, sex, body mass index, blood pressure, six blood values), each scaled to mean 0 and standard
    deviation 1 over the training rows. The target is a score of how far the disease went in a year, from 25 to
    346; it is given as (score - 150) / 75 in float32, so an error of 1.0 is 75 points. Always answering the mean
    costs a squared error of about 1.05. 100 rows validate, 100 test and up to 242 train.

    Args:
        train_rows: How many rows train, 10 to 242. Few rows make the model overfit.
        label_noise: Standard deviation of normal noise added to the training targets, in their unit; 0.0 or more.
        seed: Chooses rows, noise and order; a larger `train_rows` with the same seed adds rows and drops none.
        batch_size: Rows in a training batch.
        reshuffle: Give the training rows a new order in each epoch, see `Splits.train`.

    Raises:
        ValueError: An argument is out of its range; TypeError when it is not a number.
        DataError: `data/diabetes.npz` is missing or damaged.
    """
    _check_arguments(_DIABETES_ROWS[0], train_rows, seed, batch_size)
    if not 0 <= _number("label_noise", label_noise) < np.inf:
        raise ValueError(f"label_noise is the size of the noise on training targets, 0 or more; got {label_noise}.")
    table = _read_npz(DATA / "diabetes.npz", ("features", "progression", "names"), rebuild="make data")
    order = np.random.default_rng(seed).permutation(len(table["progression"]))
    rows = _cut(order, _DIABETES_ROWS, train_rows)
    features, train = table["features"], rows[0]
    centre, spread = features[train].mean(axis=0), features[train].std(axis=0)
    x = ((features - centre) / np.where(spread > 0, spread, 1)).astype(np.float32)
    y = ((table["progression"] - _PROGRESSION_CENTRE) / _PROGRESSION_UNIT).astype(np.float32)
    noise = np.random.default_rng((seed, 1)).standard_normal(_DIABETES_ROWS[0])[:train_rows]
    y_train = (y[train] + label_noise * noise).astype(np.float32)
    return _splits("diabetes", x, y, rows, y_train, seed, batch_size, reshuffle)


def _splits(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
    y_train: np.ndarray,
    seed: int,
    batch_size: int,
    reshuffle: bool,
) -> Splits:
    """Hand out the rows of training (with the targets `y_train`, shuffled), validation and test."""
    train, validation, test = rows
    shuffled = np.random.default_rng((seed, 2)).permutation(len(train))
    return Splits(
        name,
        x[train][shuffled],
        y_train[shuffled],
        x[validation],
        y[validation],
        x[test],
        y[test],
        batch_size=int(batch_size),
        seed=int(seed),
        reshuffle=bool(reshuffle),
    )


def _cut(order: np.ndarray, rows: tuple[int, int, int], train_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut the order of all rows into the training rows in use, the validation rows and the test rows."""
    pool, validation, _ = rows
    return order[:train_rows], order[pool : pool + validation], order[pool + validation :]


def _stratified_order(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random order of the rows in which each run of ten holds each class once, while all classes last."""
    shuffled = rng.permutation(len(labels))
    rank = np.empty(len(labels), dtype=int)
    for digit in np.unique(labels):
        rows = shuffled[labels[shuffled] == digit]
        rank[rows] = np.arange(len(rows))
    return shuffled[np.argsort(rank[shuffled], kind="stable")]


def _change_labels(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return a copy in which exactly round(share * rows) labels became one of the nine other digits."""
    changed = labels.copy()
    chosen = rng.permutation(len(labels))[: round(share * len(labels))]
    changed[chosen] = (labels[chosen] + rng.integers(1, 10, size=len(chosen))) % 10
    return changed


def _number(name: str, value: object) -> float:
    """Return `value` if it is a number, and otherwise say which argument is not."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number; got {value!r}.")
    return float(value)


def _check_arguments(pool: int, train_rows: int, seed: int, batch_size: int) -> None:
    """Refuse what would fail later with a message that nobody understands."""
    for name, value in (("train_rows", train_rows), ("seed", seed), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"{name} must be a whole number; got {value!r}.")
    if not 10 <= train_rows <= pool:
        raise ValueError(f"train_rows must be from 10 to {pool}, the rows that may train; got {train_rows}.")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more; got {seed}.")
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more; got {batch_size}.")


@dataclass(frozen=True, eq=False)
class Run:
    """One recorded training run that nothing stopped.

    Attributes:
        name: Configuration and seed, such as `"digits-dense-noise20-seed3"`.
        configuration: The name without the seed: runs that share it differ in nothing but the seed.
        settings: What was trained and how, read-only: data set, rows, noise, model, optimizer, learning rate,
            batch size, seed, versions.
        history: Metric name to its value after each epoch, as lists of floats, read-only: `loss`, `val_loss`,
            `test_loss`, and the same three for `accuracy` (digits) or `mae` (diabetes).
        seconds: Seconds that each epoch took, validation included, the test set left out.
    """

    name: str
    configuration: str
    settings: Mapping[str, Any]
    history: Mapping[str, list[float]]
    seconds: list[float]

    def __repr__(self) -> str:
        return f"Run({self.name}: {len(self.seconds)} epochs)"


def load_runs(configuration: str | Iterable[str] | None = None, *, data: str | None = None) -> list[Run]:
    """Load recorded training runs from `data/runs/`, sorted by name; no TensorFlow is needed.

    Args:
        configuration: A configuration's name, or several; None stands for all of them.
        data: `"digits"` or `"diabetes"` to keep the runs on that data set alone.

    Raises:
        ValueError: There is no such configuration or data set.
        DataError: A file of runs is missing or damaged.
    """
    folder = DATA / "runs"
    known = sorted(Path(name).stem for name in _checksums(folder, "make runs"))
    wanted = known if configuration is None else [configuration] if isinstance(configuration, str) else configuration
    if data not in (None, "digits", "diabetes"):
        raise ValueError(f'data must be "digits" or "diabetes"; got {data!r}.')
    runs = []
    for name in sorted(set(wanted)):
        if name not in known:
            raise ValueError(f"There is no recorded configuration {name!r}. There are: {', '.join(known)}.")
        runs += _runs_in(folder / f"{name}.npz")
    return [run for run in runs if data in (None, run.settings["data"])]


def _runs_in(path: Path) -> list[Run]:
    """Read the runs of one configuration: one row for each seed in each array."""
    table = _read_npz(path, ("settings", "seeds", "seconds"), rebuild="make runs")
    shared = json.loads(table.pop("settings").item())
    seeds, seconds = table.pop("seeds"), table.pop("seconds")
    return [
        Run(
            name=f"{path.stem}-seed{seed}",
            configuration=path.stem,
            settings=MappingProxyType({**shared, "seed": int(seed)}),
            history=MappingProxyType({metric: values[row].tolist() for metric, values in table.items()}),
            seconds=seconds[row].tolist(),
        )
        for row, seed in enumerate(seeds)
    ]


def _read_npz(path: Path, expected: tuple[str, ...], *, rebuild: str) -> dict[str, np.ndarray]:
    """Return the arrays in `path` after its checksum was compared with the one written beside it."""
    checksums = _checksums(path.parent, rebuild)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        raise DataError(_mend(path, "is missing" if not path.exists() else "cannot be read", rebuild)) from problem
    if checksums.get(path.name) != digest:
        raise DataError(_mend(path, "is damaged: its checksum is not the recorded one", rebuild))
    with np.load(path, allow_pickle=False) as archive:
        table = {name: archive[name] for name in archive.files}
    absent = [name for name in expected if name not in table]
    if absent:
        raise DataError(_mend(path, f"holds no {', '.join(absent)}", rebuild))
    return table


def _checksums(folder: Path, rebuild: str) -> dict[str, str]:
    """Return file name to SHA-256 from the `checksums.txt` of a folder (the format of `sha256sum`)."""
    path = folder / "checksums.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {name: digest for digest, name in (line.split() for line in lines if line.strip())}
    except OSError as problem:
        raise DataError(_mend(path, "is missing", rebuild)) from problem
    except ValueError as problem:
        raise DataError(_mend(path, "is damaged", rebuild)) from problem


def _mend(path: Path, trouble: str, rebuild: str) -> str:
    """Say what is wrong with a file, and the two ways to get it back."""
    try:
        shown = path.relative_to(DATA.parent).as_posix()
    except ValueError:
        shown = path.as_posix()
    return (
        f"{shown} {trouble}. Get the committed file back with `git checkout -- {shown}`, "
        f"or write it again with `{rebuild}` in the project's folder."
    )
