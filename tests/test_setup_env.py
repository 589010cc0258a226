"""The install says how far it is; the rest of it is proved by every `make lab`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("setup_env", ROOT / "tools" / "setup_env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_news_out_of_pips_lines(tool):
    lines = [
        *(f"Collecting p{number}==1.0 (from -r requirements.txt (line 1))\n" for number in range(19)),
        "  Downloading p-1.0-py3-none-any.whl (1.2 MB)\n",
        "Requirement already satisfied: q==2 in ./lib (2)\n",
        "  Downloading tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl (274.1 MB)\n",
        "Installing collected packages: p, q\n",
        "Successfully installed p-1.0\n",
    ]
    assert list(tool.news(lines, 130)) == [
        "  20 of about 130 packages looked up",
        "  fetching tensorflow_cpu (274 MB)",
        "  unpacking them; no more news for a minute or so",
        "  done",
    ]


def test_a_failure_shows_pips_last_lines(tool, capfd):
    program = "import sys; print('Collecting x'); print('no such thing'); print('red', file=sys.stderr); sys.exit(3)"
    with pytest.raises(subprocess.CalledProcessError) as caught:
        tool.run([sys.executable, "-c", program], 1)
    assert caught.value.returncode == 3
    told = capfd.readouterr().err
    assert "no such thing" in told
    assert "red" in told


def test_news_come_while_pip_works(tool, capfd):
    tool.run([sys.executable, "-c", "print('Installing collected packages: a')"], 1)
    assert "unpacking" in capfd.readouterr().out
