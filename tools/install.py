"""Install the course from the folder that this file lies in, without a network: `python install.py [FOLDER]`.

Made by `make wheels`. The course goes into FOLDER, `keras-callbacks` in your home if none is given. Where the course is
already, nothing of it is written over; only its packages are brought up to date.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

STICK = Path(__file__).resolve().parent


def unpack(archive: Path, folder: Path) -> None:
    """Put what the only folder in an archive holds into `folder`, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        with zipfile.ZipFile(archive) as course:
            course.extractall(place)
        [inside] = Path(place).iterdir()
        shutil.move(inside, folder)


def main(arguments: list[str]) -> int:
    """Install and say how to go on; return the exit status."""
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 2
    folder = Path(arguments[0] if arguments else Path.home() / "keras-callbacks").expanduser().absolute()
    if not folder.exists():
        unpack(STICK / "course.zip", folder)
        print(f"The course is in {folder}.", flush=True)
    elif not (folder / "tools" / "setup_env.py").is_file():
        print(f"{folder} holds something else. Name another folder: python install.py FOLDER", file=sys.stderr)
        return 1
    command = [sys.executable, str(folder / "tools" / "setup_env.py"), "learner", "--wheels", str(STICK)]
    status = subprocess.run(command).returncode
    if status == 0:
        lab = "Scripts\\jupyter" if sys.platform == "win32" else "bin/jupyter"
        print(
            f'Installed. Open the course:\n  cd "{folder}"\n  {Path(".venv") / lab} lab notebooks/00_start_here.ipynb'
        )
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
