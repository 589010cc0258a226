"""The kernels of a test run: no network, watched memory, folders cleared away, and words for what did not run.

Each test starts a second pytest over small notebooks, with the course's own root conftest and options.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import jupyter_client.manager
import nbformat
import psutil
import pytest

from tests import kernel_forks

ROOT = Path(__file__).resolve().parents[2]

LOOPBACK_WORKS = """import os, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
assert socket.getaddrinfo("localhost", 80)
one = 1"""
ENVIRONMENT = """from pathlib import Path
home = Path(os.environ["COURSE_TEST_HOME"])
for name in ("COURSE_PROGRESS", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "KERAS_HOME"):
    assert home in Path(os.environ[name]).parents, name
assert not {"KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL"} & set(os.environ)
assert not {"guard", "start", "spec", "importlib"} & set(globals())
assert one == 1, "the cells of one notebook share a kernel" """
MAKE_FOLDERS = """for number in (1, 2):
    Path(f"runs/02-00{number}/deep").mkdir(parents=True, exist_ok=True)
Path("runs/02-002/model.keras").write_text("weights")
Path("runs/note.txt").touch()"""

ASK = """import socket, subprocess, sys, urllib.request
def refused(action):
    try:
        action()
    except OSError as error:
        return "The network is off while the course is tested" in str(error)
    return False
assert refused(lambda: socket.create_connection(("lesson.example", 80)))
assert refused(lambda: socket.create_connection(("192.0.2.1", 80)))
assert refused(lambda: socket.socket().connect_ex(("192.0.2.2", 80)))
assert refused(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"", ("192.0.2.3", 80)))
assert refused(lambda: socket.gethostbyname("names.example"))
assert refused(lambda: urllib.request.urlopen("http://pages.example"))"""
CHILD_ASKS = """child = subprocess.run(
    [sys.executable, "-c", "import socket; socket.create_connection(('child.example', 80))"],
    capture_output=True, text=True)
assert child.returncode == 1 and "The network is off while the course is tested" in child.stderr, child"""


def write_notebook(path: Path, *cells: str, setup: str = "pass") -> None:
    """Write a notebook of code cells, the first of them tagged as the setup."""
    first = nbformat.v4.new_code_cell(setup, metadata={"tags": ["setup"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[first, *map(nbformat.v4.new_code_cell, cells)]), path)


def run_pytest(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    """Run pytest as a user would, apart from the run that this test belongs to."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COURSE_"))}
    environment |= {"PYTHONPATH": str(ROOT), "KERAS_BACKEND": "numpy", "COURSE_PLAIN_KERNELS": "1", **variables}
    # The notebooks must lie below the root of the run: outside it pytest gives their cells the same names.
    rootdir = folder if arguments[0].endswith(".ipynb") else ROOT
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(rootdir)]
    return subprocess.run(
        [*command, "-p", "conftest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_sound_notebook_passes_and_leaves_no_folders(tmp_path):
    write_notebook(tmp_path / "sound.ipynb", LOOPBACK_WORKS, ENVIRONMENT, MAKE_FOLDERS)
    write_notebook(tmp_path / "other.ipynb", LOOPBACK_WORKS, ENVIRONMENT)
    (tmp_path / "runs" / "02-001").mkdir(parents=True)  # a learner's own
    result = run_pytest(tmp_path, "sound.ipynb", "other.ipynb", "-n", "2", "--dist", "loadfile")
    assert result.returncode == 0, result.stdout
    assert "7 passed" in result.stdout
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"02-001", "note.txt"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its peak memory")
def test_run_fails_for_memory_and_network_though_each_cell_passes(tmp_path):
    write_notebook(tmp_path / "greedy.ipynb", "much = b'x' * (900 * 2**20)\ndel much", "1")
    write_notebook(tmp_path / "asking.ipynb", ASK, CHILD_ASKS)
    result = run_pytest(tmp_path, "greedy.ipynb", "asking.ipynb", "-n", "0")
    assert "6 passed" in result.stdout, result.stdout
    assert result.returncode == 1
    failures = [line for line in result.stdout.splitlines() if line.startswith("FAILED: ")]
    assert "greedy.ipynb held 9" in failures[0]
    assert "the limit for a lesson's kernel is 900 MB" in failures[0]
    hosts = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "child.example", "lesson.example", "names.example", "pages.example")
    assert len(failures) == 1 + len(hosts)
    for host, line in zip(hosts, failures[1:], strict=True):
        assert f"asking.ipynb asked for {host} over the network" in line


CHECKS = """class Said(str):
    __repr__ = str.__str__
class checks:
    @staticmethod
    def check(exercise, word):
        return Said(f"Exercise {exercise}: {word}")"""


RED = "import sys; print('red', file=sys.stderr)"


def test_checks_and_setup_must_say_what_they_should(tmp_path):
    (tmp_path / "solutions").mkdir()
    for folder in ("", "solutions"):
        cells = (f'checks.check("02.1", "{word}")' for word in ("Right.", "Not yet.", "Not attempted yet."))
        write_notebook(tmp_path / folder / "02_lesson.ipynb", CHECKS, *cells, RED, setup=RED)
    result = run_pytest(tmp_path, "02_lesson.ipynb", "solutions/02_lesson.ipynb", "-n", "0")
    assert "6 failed, 6 passed" in result.stdout
    failed = [line.split(" - ")[0].rstrip() for line in result.stdout.splitlines() if line.startswith("FAILED ")]
    assert failed == [
        *(f"FAILED 02_lesson.ipynb::Cell {number}" for number in (0, 2, 3)),
        *(f"FAILED solutions/02_lesson.ipynb::Cell {number}" for number in (0, 3, 4)),
    ]
    assert (
        "The check of exercise 02.1 must say 'Right.' in this edition. It said: Exercise 02.1: Not yet."
        in result.stdout
    )


def test_missing_browser_is_told_in_words(tmp_path):
    smoke = str(ROOT / "tests" / "browser" / "test_lab.py")
    result = run_pytest(tmp_path, smoke, "-n", "0", PATH=str(tmp_path))
    assert result.returncode == 0, result.stdout
    assert "browser tests were skipped because no Chromium or Chrome was found on this machine" in result.stdout
    result = run_pytest(tmp_path, smoke, "-n", "0", PATH=str(tmp_path), COURSE_REQUIRE_BROWSER="1")
    assert result.returncode == 1
    assert "COURSE_REQUIRE_BROWSER says that the browser tests must run" in result.stdout


@pytest.fixture
def fork():
    """A kernel of this test run."""
    if not kernel_forks.POSSIBLE:
        pytest.skip("no forks here: kernels start as everywhere")
    manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def ask(client, code: str) -> str:
    """Run code in a kernel and return the text of its last line's value."""
    reply = client.execute(code, silent=False, user_expressions={"it": "it"}, reply=True, timeout=60)
    return reply["content"]["user_expressions"]["it"]["data"]["text/plain"]


def gone(process: int) -> bool:
    """Return whether a process has ended, waiting for it."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(process).wait(60)
    return not psutil.pid_exists(process)


def test_a_fork_has_keras_and_nothing_of_the_course_and_ends_with_its_stand_in(fork):
    manager, client = fork
    names = "[name for name in ('keras', 'helpers', 'kernel_forks') if name in sys.modules]"
    assert ask(client, f"import os, sys; it = {names}") == "['keras']"
    process = int(ask(client, "it = os.getpid()"))
    child = int(ask(client, "import subprocess; it = subprocess.Popen(['sleep', '600']).pid"))
    assert process != manager.provisioner.process.pid
    manager.shutdown_kernel(now=True)
    assert gone(process)
    assert gone(child)


def test_a_fork_can_be_interrupted_and_its_end_is_told(fork):
    manager, client = fork
    waits = client.execute("import os, time; print('here', flush=True); time.sleep(600)")
    while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    while (reply := client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != waits:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    client.execute("os.kill(os.getpid(), 9)")
    assert manager.provisioner.process.wait(60) == -9
