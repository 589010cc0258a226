"""The data files, their checksums, and the splits that lessons train on."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import data

ROOT = Path(__file__).resolve().parent.parent
LOADERS = [data.load_digits, data.load_diabetes]
ROWS = {"load_digits": (997, 300, 500), "load_diabetes": (242, 100, 100)}
PARTS = ("train", "validation", "test")


def make_data():
    """Import tools/make_data.py, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("make_data", ROOT / "tools" / "make_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Let the loaders read a copy of data/, which a test may damage."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("digits.npz", "diabetes.npz", "checksums.txt"):
        shutil.copy(data.DATA / name, folder / name)
    monkeypatch.setattr(data, "DATA", folder)
    return folder


def rows_of(part: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in part]


# --- the files


def test_the_digits_are_those_of_the_uci_test_set():
    with np.load(data.DATA / "digits.npz") as table:
        assert table["images"].shape == (1797, 64)
        assert (table["images"].min(), table["images"].max()) == (0, 16)
        # The class counts that the origin publishes for its test set.
        assert np.bincount(table["labels"]).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_diabetes_table_is_the_one_of_the_paper():
    with np.load(data.DATA / "diabetes.npz") as table:
        assert table["features"].shape == (442, 10)
        assert table["names"].tolist() == ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
        assert (table["progression"].min(), table["progression"].max()) == (25, 346)
        # The first patient of the published table.
        assert table["features"][0].tolist() == [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]
        assert table["progression"][0] == 151


def test_the_checksums_list_exactly_the_files():
    listed = data._checksums(data.DATA, "make data")
    assert sorted(listed) == sorted(path.name for path in data.DATA.glob("*.npz"))


def test_the_readme_gives_the_checksums_of_the_files():
    readme = (data.DATA / "README.md").read_text(encoding="utf-8")
    for name, digest in data._checksums(data.DATA, "make data").items():
        assert name in readme
        assert digest in readme


def test_writing_twice_gives_the_same_bytes(tmp_path):
    script = make_data()
    arrays = {"a": np.arange(1000, dtype=np.uint8), "names": np.array(["x", "yz"]), "one": np.array("text")}
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    assert script.write_npz(first, arrays)
    assert script.write_npz(second, arrays)
    assert first.read_bytes() == second.read_bytes()
    assert not script.write_npz(first, arrays)
    with np.load(first) as table:
        assert table["a"].tolist() == arrays["a"].tolist()
        assert table["one"].item() == "text"
        assert table["one"].shape == ()


@pytest.mark.parametrize("change", ["value", "type", "name", "order", "truncated", "no zip"])
def test_a_file_that_holds_something_else_is_written_again(tmp_path, change):
    script = make_data()
    path = tmp_path / "table.npz"
    arrays = {"a": np.arange(100, dtype=np.uint8), "b": np.zeros(2)}
    script.write_npz(path, arrays)
    whole = path.read_bytes()
    if change == "value":
        arrays["a"] = arrays["a"][::-1].copy()
    elif change == "type":
        arrays["a"] = arrays["a"].astype(np.int8)
    elif change == "name":
        arrays = {"c": arrays["a"], "b": arrays["b"]}
    elif change == "order":
        arrays = dict(reversed(arrays.items()))
    else:
        path.write_bytes(whole[:100] if change == "truncated" else b"nothing")
    assert script.write_npz(path, arrays)
    assert script.holds(path, arrays)
    assert not list(tmp_path.glob("*.tmp"))


def test_the_script_says_what_it_needs_when_scikit_learn_is_missing(tmp_path):
    blocker = tmp_path / "sklearn.py"
    blocker.write_text("raise ModuleNotFoundError('No module named sklearn', name='sklearn')")
    ran = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_data.py", "--into", tmp_path],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "make data" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_script_writes_the_committed_files():
    python = ROOT / ".venv-data" / "bin" / "python"
    if not python.exists():
        pytest.skip("scikit-learn is not installed here; `make data` installs it into .venv-data")
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import make_data as m\n"
        "for name, arrays in (('digits', m.digits()), ('diabetes', m.diabetes())):\n"
        "    assert m.holds(m.DATA / f'{name}.npz', arrays), name"
    )
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


# --- missing and damaged files


@pytest.mark.parametrize("load", LOADERS)
def test_a_missing_file_says_how_to_get_it_back(copy, load):
    name = load.__name__.removeprefix("load_") + ".npz"
    (copy / name).unlink()
    with pytest.raises(data.DataError, match=rf"data/{name} is missing.*git checkout -- data/{name}.*make data"):
        load()


@pytest.mark.parametrize("damage", ["one byte", "cut short", "empty", "text"])
def test_a_damaged_file_says_how_to_get_it_back(copy, damage):
    path = copy / "digits.npz"
    content = bytearray(path.read_bytes())
    if damage == "one byte":
        content[len(content) // 2] ^= 1
    elif damage == "cut short":
        content = content[: len(content) // 2]
    elif damage == "empty":
        content = b""
    else:
        content = b"version https://git-lfs.github.com/spec/v1\n"
    path.write_bytes(content)
    with pytest.raises(data.DataError, match=r"data/digits.npz is damaged.*make data"):
        data.load_digits()


def test_a_folder_in_place_of_the_file_is_no_traceback(copy):
    (copy / "digits.npz").unlink()
    (copy / "digits.npz").mkdir()
    with pytest.raises(data.DataError, match=r"data/digits.npz cannot be read.*make data"):
        data.load_digits()


@pytest.mark.parametrize(("content", "trouble"), [(None, "missing"), ("one-word\n", "damaged"), ("\xff", "damaged")])
def test_missing_or_damaged_checksums_say_so(copy, content, trouble):
    path = copy / "checksums.txt"
    path.unlink() if content is None else path.write_bytes(content.encode("latin-1"))
    with pytest.raises(data.DataError, match=rf"data/checksums.txt is {trouble}.*make data"):
        data.load_digits()


def test_checksums_with_windows_line_ends_are_read(copy):
    path = copy / "checksums.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(data.load_digits().x_test) == 500


def test_an_archive_without_its_arrays_says_so(copy):
    script = make_data()
    script.write_npz(copy / "digits.npz", {"images": np.zeros(3)})
    script.write_checksums(copy)
    with pytest.raises(data.DataError, match=r"data/digits.npz holds no labels.*make data"):
        data.load_digits()


# --- splits


@pytest.mark.parametrize("load", LOADERS)
def test_the_splits_have_their_sizes_and_types(load):
    pool, validation, test = ROWS[load.__name__]
    splits = load(train_rows=pool)
    assert [len(getattr(splits, f"x_{part}")) for part in PARTS] == [pool, validation, test]
    for part in PARTS:
        x, y = getattr(splits, f"x_{part}"), getattr(splits, f"y_{part}")
        assert len(x) == len(y)
        assert x.dtype == np.float32
        assert y.dtype == (np.int32 if splits.name == "digits" else np.float32)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("seed", [0, 7])
def test_the_splits_use_each_row_once(load, seed):
    splits = load(train_rows=ROWS[load.__name__][0], seed=seed)
    rows = [row for part in PARTS for row in rows_of(getattr(splits, f"x_{part}"))]
    assert len(rows) == sum(ROWS[load.__name__])
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("load", LOADERS)
def test_the_same_arguments_give_the_same_splits(load):
    first, again, other = load(seed=3, label_noise=0.3), load(seed=3, label_noise=0.3), load(seed=4, label_noise=0.3)
    for field in dataclasses.fields(first):
        if isinstance(getattr(first, field.name), np.ndarray):
            assert np.array_equal(getattr(first, field.name), getattr(again, field.name))
            assert not np.array_equal(getattr(first, field.name), getattr(other, field.name))


@pytest.mark.parametrize("load", LOADERS)
def test_validation_and_test_targets_are_never_noisy(load):
    clean, noisy = load(train_rows=50), load(train_rows=150, label_noise=0.9)
    for part in ("validation", "test"):
        assert np.array_equal(getattr(clean, f"y_{part}"), getattr(noisy, f"y_{part}"))
    if load is data.load_digits:
        assert np.array_equal(clean.x_validation, noisy.x_validation)
        assert np.array_equal(clean.x_test, noisy.x_test)


def test_more_training_rows_keep_the_fewer():
    few, many = data.load_digits(train_rows=100, seed=5), data.load_digits(train_rows=400, seed=5)
    assert set(rows_of(few.x_train)) < set(rows_of(many.x_train))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.255, 0.5, 1.0])
@pytest.mark.parametrize("rows", [10, 300])
def test_label_noise_changes_exactly_that_share_of_digits(share, rows):
    clean, noisy = data.load_digits(train_rows=rows), data.load_digits(train_rows=rows, label_noise=share)
    assert np.array_equal(clean.x_train, noisy.x_train)
    assert (clean.y_train != noisy.y_train).sum() == round(share * rows)
    assert set(noisy.y_train) <= set(range(10))


def test_noisy_digits_become_every_other_digit():
    clean, noisy = data.load_digits(train_rows=997), data.load_digits(train_rows=997, label_noise=1.0)
    assert set((noisy.y_train - clean.y_train) % 10) == set(range(1, 10))


def test_label_noise_on_diabetes_has_the_size_asked_for():
    clean, noisy = data.load_diabetes(train_rows=242), data.load_diabetes(train_rows=242, label_noise=0.5)
    assert np.array_equal(clean.x_train, noisy.x_train)
    added = noisy.y_train - clean.y_train
    assert added.std() == pytest.approx(0.5, rel=0.15)
    assert abs(added.mean()) < 0.15


def test_each_part_of_the_digits_holds_every_class():
    for rows in (10, 300, 997):
        splits = data.load_digits(train_rows=rows, seed=rows)
        for part in PARTS:
            counts = np.bincount(getattr(splits, f"y_{part}"), minlength=10)
            assert counts.min() > 0
            assert counts.max() - counts.min() <= 9, part
    assert np.bincount(data.load_digits(train_rows=300).y_train).tolist() == [30] * 10


def test_the_inputs_are_scaled_as_the_docstrings_say():
    digits = data.load_digits(train_rows=997)
    assert (digits.x_train.min(), digits.x_train.max()) == (0.0, 1.0)
    assert set(np.unique(digits.x_train * 16)) == set(range(17))
    diabetes = data.load_diabetes(train_rows=60)
    assert diabetes.x_train.mean(axis=0) == pytest.approx(np.zeros(10), abs=1e-5)
    assert diabetes.x_train.std(axis=0) == pytest.approx(np.ones(10), abs=1e-5)
    everyone = np.concatenate([getattr(data.load_diabetes(train_rows=242), f"y_{part}") for part in PARTS])
    assert sorted(np.round(everyone * 75 + 150)) == sorted(np.load(data.DATA / "diabetes.npz")["progression"])
    # "Always answering the mean costs a squared error of about 1.05."
    assert everyone.var() == pytest.approx(1.05, abs=0.01)


def test_images_still_show_their_digit():
    # Ink of a zero lies in a ring: its middle is white. A wrong reshape or a shuffled label would not keep that.
    splits = data.load_digits(train_rows=997)
    zeros = splits.x_train[splits.y_train == 0].reshape(-1, 8, 8).mean(axis=0)
    assert zeros[3:5, 3:5].max() < 0.15
    assert zeros[3:5, 2].min() > 0.5


@pytest.mark.parametrize("load", LOADERS)
def test_the_splits_are_frozen(load):
    splits = load()
    with pytest.raises(dataclasses.FrozenInstanceError):
        splits.seed = 1
    with pytest.raises(ValueError, match="read-only"):
        splits.y_train[0] = 0


def test_the_splits_say_what_they_are():
    assert repr(data.load_digits(train_rows=80)) == (
        "Splits(digits: 80 training, 300 validation, 500 test rows of 64 features)"
    )


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"train_rows": 9}, ValueError, "train_rows must be from 10 to"),
        ({"train_rows": 5000}, ValueError, "train_rows must be from 10 to"),
        ({"train_rows": 0.5}, TypeError, "train_rows must be a whole number; got 0.5"),
        ({"train_rows": True}, TypeError, "train_rows must be a whole number"),
        ({"label_noise": -0.1}, ValueError, "label_noise is .*; got -0.1"),
        ({"label_noise": float("nan")}, ValueError, "label_noise is .*; got nan"),
        ({"label_noise": float("inf")}, ValueError, "label_noise is .*; got inf"),
        ({"label_noise": "some"}, TypeError, "label_noise must be a number; got 'some'"),
        ({"seed": -1}, ValueError, "seed must be 0 or more"),
        ({"seed": None}, TypeError, "seed must be a whole number; got None"),
        ({"batch_size": 0}, ValueError, "batch_size must be 1 or more"),
        ({"batch_size": 3.2}, TypeError, "batch_size must be a whole number"),
    ],
)
def test_bad_arguments_get_a_sentence(load, arguments, error, words):
    with pytest.raises(error, match=words):
        load(**arguments)


def test_twenty_percent_is_not_twenty():
    with pytest.raises(ValueError, match="share of training labels to change, from 0 to 1; got 20"):
        data.load_digits(label_noise=20)


def test_numpy_numbers_are_numbers():
    splits = data.load_digits(train_rows=np.int64(50), label_noise=np.float32(0.5), seed=np.uint8(3))
    assert len(splits.x_train) == 50


# --- tf.data


def test_reading_data_loads_no_tensorflow():
    code = (
        "import sys; from helpers import data; data.load_digits(); data.load_diabetes()\n"
        "loaded = {'tensorflow', 'keras', 'sklearn', 'pandas'} & set(sys.modules); assert not loaded, loaded"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr


def batches(dataset) -> tuple[list[int], np.ndarray, np.ndarray]:
    parts = [(x.numpy(), y.numpy()) for x, y in dataset]
    return [len(x) for x, _ in parts], np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


@pytest.mark.parametrize("load", LOADERS)
def test_the_datasets_hold_the_arrays(load):
    splits = load(train_rows=70, batch_size=32)
    for part in PARTS:
        sizes, x, y = batches(getattr(splits, part))
        assert np.array_equal(x, getattr(splits, f"x_{part}"))
        assert np.array_equal(y, getattr(splits, f"y_{part}"))
        assert int(getattr(splits, part).cardinality()) == len(sizes)
        assert getattr(splits, part) is getattr(splits, part)
    assert batches(splits.train)[0] == [32, 32, 6]


def test_training_rows_are_shuffled_not_sorted_by_class():
    # Rows are chosen in blocks of ten that hold each digit once; batches must not keep that pattern.
    blocks = data.load_digits(train_rows=300).y_train.reshape(-1, 10)
    assert any(len(set(block)) < 10 for block in blocks)


def test_reshuffle_gives_each_epoch_its_own_order_and_starts_again_when_read():
    splits = data.load_digits(train_rows=50, reshuffle=True, seed=2)
    dataset = splits.train
    first, second = batches(dataset)[1], batches(dataset)[1]
    assert not np.array_equal(first, second)
    assert sorted(rows_of(first)) == sorted(rows_of(second)) == sorted(rows_of(splits.x_train))
    again = splits.train
    assert np.array_equal(batches(again)[1], first)
    assert np.array_equal(batches(again)[1], second)


@pytest.mark.parametrize("reshuffle", [False, True])
def test_two_fits_from_one_seed_are_one_fit_and_keras_does_not_warn(reshuffle, recwarn):
    import keras

    splits = data.load_digits(train_rows=40, label_noise=0.2, reshuffle=reshuffle)

    def losses() -> list[float]:
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, activation="softmax")])
        model.compile("adam", loss="sparse_categorical_crossentropy")
        return model.fit(splits.train, validation_data=splits.validation, epochs=3, verbose=0).history["val_loss"]

    assert losses() == losses()
    assert not [warning for warning in recwarn if "shuffle" in str(warning.message)]
