"""Kernels that begin as forks of one process that has imported Keras: half a hundred imports of 4 s become one.

A fork is a Python of its own, in which nothing but TensorFlow and Keras has been imported. It starts with the
environment, the folder and the output of the kernel that Jupyter asked for, in a session of its own, and ends with it.
Where a process cannot be forked and watched (anything but Linux), and where COURSE_PLAIN_KERNELS is set, the kernels
start as everywhere.

    python kernel_forks.py serve SOCKET           imports Keras once and forks; ends when its standard input ends
    python -S kernel_forks.py kernel SOCKET ...   what Jupyter starts: a stand-in for the fork, with its signals and end
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

POSSIBLE = hasattr(os, "fork") and hasattr(os, "pidfd_open") and "COURSE_PLAIN_KERNELS" not in os.environ
# What `lesson.begin` sets before Keras is imported; here the import comes first.
QUIET = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
# The lesson whose kernels import Keras themselves, in both editions: its setup cell shows that this stays quiet.
PLAIN = "/00_"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
LONGEST = 1 << 20


def start(home: Path) -> subprocess.Popen:
    """Start the server for a test run, and let Jupyter's `python3` be a fork of it. End its standard input to end it.

    Args:
        home: the folder of the test run; the environment variable JUPYTER_PATH will name a folder in it.
    """
    address, me = str(home / "forks"), os.path.abspath(__file__)
    folder = home / "jupyter/forks/kernels/python3"
    folder.mkdir(parents=True)
    words = [sys.executable, "-S", me, "kernel", address, "-f", "{connection_file}"]
    spec = {"argv": words, "display_name": "Python 3 (ipykernel)", "language": "python", "metadata": {"debugger": True}}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(folder.parents[1])  # comes before the folders of the environment
    return subprocess.Popen([sys.executable, "-P", me, "serve", address], stdin=subprocess.PIPE, start_new_session=True)


# -- the stand-in ----------------------------------------------------------------------------------------------------


def kernel(address: str, *arguments: str) -> None:
    """Ask for a fork that gets a kernel's arguments, hand it every signal, and end as it ends."""
    if PLAIN in f"/{os.environ.get('COURSE_TEST_NOTEBOOK', '')}":
        os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", *arguments])
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.connect(address)
    wish = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    socket.send_fds(server, [json.dumps(wish).encode()], [1, 2])
    for number in SIGNALS:
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    code = int(server.recv(8) or -signal.SIGKILL)  # a server that is gone has taken its forks along
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


# -- the server ------------------------------------------------------------------------------------------------------


def become_kernel(wish: dict, output: list[int]) -> None:
    """Turn this fork into the kernel that was asked for, and end with it."""
    os.chdir(wish["folder"])
    os.environ.clear()
    os.environ.update({**QUIET, **wish["environment"], "JPY_PARENT_PID": str(os.getppid())})
    os.environ["COURSE_FORK_OF"] = os.environ["JPY_PARENT_PID"]  # for the guard's look at memory
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for target, source in enumerate(output, start=1):
        os.dup2(source, target)
        os.close(source)
    for entry in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    sys.argv = ["ipykernel_launcher", *wish["arguments"]]
    import numpy

    numpy.random.seed()  # noqa: NPY002 - `random` does so by itself in a fork
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
    sys.exit()


class Fork:
    """A running fork: the link to its stand-in, and what tells its end."""

    def __init__(self, link: socket.socket, waiting: selectors.BaseSelector) -> None:
        message, output, _, _ = socket.recv_fds(link, LONGEST, 2)
        self.link = link
        self.process = os.fork()
        if self.process == 0:
            for key in waiting.get_map().values():
                os.close(key.fd)
            link.close()
            become_kernel(json.loads(message), output)
        os.setpgid(self.process, self.process)
        for one in output:
            os.close(one)
        self.end = os.pidfd_open(self.process)

    def obey(self, waiting: selectors.BaseSelector) -> None:
        """Hand over the signals that the stand-in was sent; without a stand-in, end the fork and what it started."""
        try:
            numbers = self.link.recv(64)
        except ConnectionError:
            numbers = b""
        if not numbers:
            waiting.unregister(self.link)
        for number in numbers or [signal.SIGKILL]:
            os.killpg(self.process, number)

    def bury(self, waiting: selectors.BaseSelector) -> None:
        """Let the stand-in end as the fork did."""
        _, status = os.waitpid(self.process, 0)
        waiting.unregister(self.end)
        os.close(self.end)
        with contextlib.suppress(KeyError):
            waiting.unregister(self.link)
        with contextlib.suppress(OSError):
            self.link.send(str(os.waitstatus_to_exitcode(status)).encode())
        self.link.close()


def serve(address: str) -> None:
    """Import Keras, then fork it for each stand-in until the standard input ends."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(address)
    door.listen(64)  # who comes while Keras is imported waits
    os.environ.update(QUIET)
    waiting = selectors.DefaultSelector()
    waiting.register(sys.stdin, selectors.EVENT_READ)
    waiting.register(door, selectors.EVENT_READ)
    while True:
        ready = [key for key, _ in waiting.select()]
        if any(key.fileobj is sys.stdin for key in ready):
            break
        for key in ready:
            if key.fileobj is door:
                import keras  # noqa: F401 - at the first kernel: many a test run has none

                gc.freeze()  # else each fork searches what it shares for garbage, and by that copies it
                fork = Fork(door.accept()[0], waiting)
                waiting.register(fork.link, selectors.EVENT_READ, fork.obey)
                waiting.register(fork.end, selectors.EVENT_READ, fork.bury)
            elif key.fd in waiting.get_map():  # the end of a fork takes its link along
                key.data(waiting)
    for process in {key.data.__self__.process for key in waiting.get_map().values() if key.data}:
        os.killpg(process, signal.SIGKILL)
    os._exit(0)  # TensorFlow takes its time to leave


if __name__ == "__main__":
    {"serve": serve, "kernel": kernel}[sys.argv[1]](*sys.argv[2:])
