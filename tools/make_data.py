"""Write data/digits.npz and data/diabetes.npz from the copies that scikit-learn carries.

Run it with `make data`, or by hand with the environment that holds scikit-learn:

    python tools/setup_env.py data
    .venv-data/bin/python tools/make_data.py

A second run with the same locks writes the same bytes. Nothing is downloaded: scikit-learn ships both tables.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parent.parent / "data"
CHECKSUMS = "checksums.txt"


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> bool:
    """Write `arrays` as a compressed npz whose bytes depend on nothing but the arrays; return whether it changed.

    Date, system and permissions are fixed. Compressors differ between machines (zlib, zlib-ng), so a
    sound file that already holds these arrays is left as it is. The file appears whole or not at all.
    """
    if holds(path, arrays):
        return False
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(member, content.getvalue(), compresslevel=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_bytes(packed.getvalue())
    unfinished.replace(path)
    return True


def holds(path: Path, arrays: dict[str, np.ndarray]) -> bool:
    """Say whether the npz at `path` is sound and holds exactly `arrays`: names, types and every value."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            if archive.files != list(arrays):
                return False
            return all(
                archive[name].dtype == array.dtype
                and archive[name].shape == array.shape
                and archive[name].tobytes() == array.tobytes()
                for name, array in arrays.items()
            )
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return False


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every npz in `folder` in the format that `sha256sum --check` reads."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.glob("*.npz"))]
    (folder / CHECKSUMS).write_bytes("".join(lines).encode())


def digits() -> dict[str, np.ndarray]:
    """Return the 1,797 handwritten digits: `images` (1797, 64) of 0..16 and `labels` (1797,) of 0..9, as bytes."""
    from sklearn.datasets import load_digits

    table = load_digits()
    return {"images": table.data.astype(np.uint8), "labels": table.target.astype(np.uint8)}


def diabetes() -> dict[str, np.ndarray]:
    """Return the 442 patients: `features` (442, 10) and `progression` (442,) in the units of the study, and `names`."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    return {
        "features": table.data.astype(np.float64),
        "progression": table.target.astype(np.float64),
        "names": np.array(table.feature_names),
    }


def main() -> int:
    """Write both tables and their checksums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=DATA, help="the folder to write to (default: data/)")
    into = parser.parse_args().into
    try:
        tables = {"digits": digits(), "diabetes": diabetes()}
    except ModuleNotFoundError as missing:
        print(
            f"This script needs {missing.name}, which learners do not install. Run `make data`, or first "
            "`python tools/setup_env.py data` and then this script with the Python in .venv-data.",
            file=sys.stderr,
        )
        return 1
    for name, arrays in tables.items():
        path = into / f"{name}.npz"
        changed = write_npz(path, arrays)
        print(f"{path.name}: {'written' if changed else 'unchanged'}, {path.stat().st_size:,} bytes")
    write_checksums(into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
