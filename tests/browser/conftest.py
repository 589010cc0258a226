"""A real JupyterLab in a real browser: the fixtures `lab_server`, `page` and `lab`.

    def test_it(lab):
        lab.new_notebook(["1 + 1"])
        lab.run_all()
        expect(lab.outputs(0)).to_have_text("2")

The server works on a copy of the notebooks, so nothing in the checkout changes. Cells are counted from 0 and text
cells count too. Wait for what a cell gives (`outputs`), never for text on the page: a cell's source holds it as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from tests import chromium

ROOT = Path(__file__).resolve().parents[2]
# Tall, since JupyterLab may leave out cells that are off the screen.
VIEWPORT = {"width": 1280, "height": 3000}
START_SECONDS = 90
CELL_SECONDS = 120

# The class whose options a program has, and where it shows a notebook. `reset` starts from an empty layout: without it
# the last test's tabs come back.
PROGRAMS = {"jupyterlab": ("LabApp", "lab/tree/{}?reset&"), "notebook": ("JupyterNotebookApp", "notebooks/{}?")}

# The notebook that is open, in the words of JupyterLab's own API.
PANEL = "window.jupyterapp.shell.currentWidget"


@dataclass
class LabServer:
    """A running JupyterLab: its address, its token, the folder that it shows, its log, its learner's progress file."""

    url: str
    token: str
    root: Path
    log: Path
    progress: Path
    program: str = "jupyterlab"

    def get(self, path: str) -> object:
        """Return the JSON that the server's API gives at `path`."""
        request = urllib.request.Request(f"{self.url}/{path}", headers={"Authorization": f"token {self.token}"})
        # A proxy in the environment must not see a request to this machine.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as reply:
            return json.load(reply)


def free_port() -> int:
    """Return a port that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def copy_notebooks(target: Path) -> None:
    """Copy both editions of the lessons, as a learner has them."""
    for edition in ("", "solutions"):
        (target / edition).mkdir(parents=True, exist_ok=True)
        for notebook in sorted((ROOT / "notebooks" / edition).glob("*.ipynb")):
            shutil.copy(notebook, target / edition)


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """Start JupyterLab once for all browser tests, and stop it with all its kernels."""
    if chromium.find() is None:
        if os.environ.get("COURSE_REQUIRE_BROWSER"):
            pytest.fail(f"{chromium.MISSING}, and COURSE_REQUIRE_BROWSER says that the browser tests must run.")
        pytest.skip(f"{chromium.MISSING}: looked for {', '.join(chromium.NAMES)}")
    with serving(tmp_path_factory.mktemp("lab")) as server:
        yield server


@contextlib.contextmanager
def serving(folder: Path, program: str = "jupyterlab", python: str = sys.executable) -> Iterator[LabServer]:
    """Run JupyterLab, or Notebook 7 (`notebook`), with its token on, over a copy of the notebooks in an empty folder.

    Args:
        folder: what the server needs is written there.
        program: one of `PROGRAMS`.
        python: of the environment that has it.

    Raises:
        RuntimeError: it does not start; its log is the message.
    """
    root = folder / "notebooks"
    copy_notebooks(root)
    port, token, log = free_port(), secrets.token_hex(16), root.parent / "server.log"
    progress = root.parent / "progress.json"
    server = LabServer(f"http://127.0.0.1:{port}", token, root, log, progress, program)
    options, _ = PROGRAMS[program]
    command = [
        python, "-m", program, "--no-browser", f"--{options}.expose_app_in_browser=True", "--allow-root",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}",
        # The settings of this checkout, whether or not they are installed.
        f"--{options}.app_settings_dir={ROOT / 'settings'}",
    ]  # fmt: skip
    with log.open("w", encoding="utf-8") as output:
        # Its own process group, so that a kernel that would outlive the server can be ended too.
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, "COURSE_PROGRESS": str(progress)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
    try:
        wait_for_server(server, process)
        yield server
    finally:
        stop(process)


def wait_for_server(server: LabServer, process: subprocess.Popen) -> None:
    """Wait until the server answers; show its log when it does not."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            server.get("api/status")
            return
        time.sleep(0.2)
    raise RuntimeError(
        f"JupyterLab did not start in {START_SECONDS} seconds. Its log:\n{server.log.read_text()[-4000:]}"
    )


def stop(process: subprocess.Popen) -> None:
    """End the server gently, then whatever of its process group is left."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=15)
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait(timeout=15)


# For one file of tests only: the sync API keeps an event loop running in this thread while it is open, and nbval,
# which may come next in the same worker, starts loops of its own.
@pytest.fixture(scope="module")
def browser(lab_server: LabServer) -> Iterator[object]:
    """Start the machine's Chromium without a window."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # a busy machine takes longer than the usual five seconds
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser_context(browser) -> Iterator[object]:
    """Keep cookies and the cache for one file of tests: JupyterLab's scripts take seconds to load anew."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(browser_context) -> Iterator[object]:
    """Open an empty page."""
    page = browser_context.new_page()
    yield page
    page.close()


@pytest.fixture
def lab(lab_server: LabServer, page) -> Iterator[Lab]:
    """Open and run notebooks as a learner without progress; the kernels that the test started end with it."""
    before = {kernel["id"] for kernel in lab_server.get("api/kernels")}
    lab_server.progress.unlink(missing_ok=True)
    helper = Lab(lab_server, page)
    yield helper
    helper.close(before)


@dataclass
class Lab:
    """One person's hands on JupyterLab: opens notebooks, runs cells, looks at what they gave."""

    server: LabServer
    page: object
    path: str = ""
    _made: int = field(default=0, init=False)
    _logged: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._logged = self.server.log.stat().st_size

    def log(self) -> str:
        """Return what the server, which other tests have used before, and its kernels have printed since then."""
        return self.server.log.read_bytes()[self._logged :].decode()

    # -- open ----------------------------------------------------------------------------------------------------

    def open(self, notebook: str) -> None:
        """Open a notebook, named as a path below the server's folder, and wait until its kernel is ready."""
        if not (self.server.root / notebook).is_file():
            raise FileNotFoundError(f"No notebook {notebook} in the server's folder {self.server.root}.")
        self.path = notebook
        place = PROGRAMS[self.server.program][1].format(notebook)
        self.page.goto(f"{self.server.url}/{place}token={self.server.token}")
        self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell")
        self.page.wait_for_function(f"() => {PANEL}?.context?.path === {json.dumps(notebook)}")
        self.page.wait_for_function(
            f"() => {PANEL}.sessionContext.isReady && {PANEL}.sessionContext.session?.kernel?.status === 'idle'",
            timeout=START_SECONDS * 1000,
        )

    def new_notebook(self, cells: list[str | tuple[str, str]], name: str | None = None) -> str:
        """Write a notebook of code cells (or `("markdown", text)`) into the folder, open it, return its path."""
        kinds = [cell if isinstance(cell, tuple) else ("code", cell) for cell in cells]
        make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
        notebook = nbformat.v4.new_notebook(
            cells=[make[kind](source) for kind, source in kinds],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}},
        )
        self._made += 1
        name = name or f"scratch-{secrets.token_hex(4)}-{self._made}.ipynb"
        nbformat.write(notebook, self.server.root / name)
        self.open(name)
        return name

    # -- run -----------------------------------------------------------------------------------------------------

    def run_all(self, *, timeout: float = 3 * CELL_SECONDS, allow_errors: bool = False) -> None:
        """Run all cells, wait for the end, and fail with the first error that a cell gave."""
        self.command("notebook:run-all-cells")
        self.wait_idle(timeout=timeout)
        if not allow_errors and (errors := self.errors()):
            raise AssertionError(f"{self.path}: {errors[0]}")

    def run_cell(self, index: int, *, timeout: float = CELL_SECONDS, wait: bool = True) -> None:
        """Click into the cell and press Shift+Enter, as a person does; wait for its end unless `wait` is False."""
        self.cell(index).scroll_into_view_if_needed()
        self.cell(index).locator(".jp-InputArea").first.click()
        self.page.wait_for_function(f"index => {PANEL}.content.activeCellIndex === index", arg=index)
        self.page.keyboard.press("Shift+Enter")
        if wait:
            self.wait_idle(timeout=timeout)

    def wait_idle(self, *, timeout: float = CELL_SECONDS) -> None:
        """Wait until no cell is queued or running and the kernel rests."""
        self.page.wait_for_timeout(100)  # a command reaches the queue with the next turn of the page's loop
        self.page.wait_for_function(
            f"""() => {PANEL}.sessionContext.session?.kernel?.status === 'idle'
                && {PANEL}.content.widgets.every(cell => cell.model.type !== 'code'
                    || (cell.model.executionState !== 'running' && cell.prompt !== '*'))""",
            timeout=timeout * 1000,
        )

    def restart_kernel(self) -> None:
        """Restart the kernel without a question, and wait until it is ready."""
        self.page.evaluate(f"() => {PANEL}.sessionContext.session.kernel.restart()")
        self.page.wait_for_function(
            f"() => {PANEL}.sessionContext.session?.kernel?.status === 'idle'", timeout=START_SECONDS * 1000
        )

    def save(self) -> Path:
        """Save the open notebook and return its file."""
        self.page.evaluate(f"() => {PANEL}.context.save()")
        return self.server.root / self.path

    def command(self, name: str) -> None:
        """Start one of JupyterLab's commands, such as `notebook:undo`, without waiting for its end."""
        self.page.evaluate("name => { void window.jupyterapp.commands.execute(name); }", name)

    def write_cell(self, index: int, source: str) -> None:
        """Replace the source of a cell by way of the keyboard."""
        self.cell(index).scroll_into_view_if_needed()
        self.cell(index).locator(".cm-content").first.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)
        self.page.wait_for_function(
            f"([index, source]) => {PANEL}.content.widgets[index].model.sharedModel.getSource() === source",
            arg=[index, source],
        )

    def theme(self, name: str) -> None:
        """Choose JupyterLab's theme "Light" or "Dark", and wait until it is there."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {name}"
        )
        # The attribute may come before the colours.
        self.page.wait_for_function(
            """light => document.body.dataset.jpThemeLight === String(light) && light
                === (getComputedStyle(document.body).getPropertyValue("--jp-layout-color0").trim() === "white")""",
            arg=name == "Light",
        )

    # -- look ----------------------------------------------------------------------------------------------------

    def cell(self, index: int):
        """Return a Playwright locator for the cell, counted from 0 over code and text."""
        return self.page.locator(
            f'.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]'
        )

    def outputs(self, index: int, selector: str = ""):
        """Return a locator for the outputs of a cell, or for what `selector` finds inside them."""
        return self.cell(index).locator(f".jp-OutputArea-output {selector}".strip())

    def sources(self) -> list[str]:
        """Return the source of each cell, as it stands on the screen now."""
        return self.page.evaluate(f"() => {PANEL}.content.widgets.map(cell => cell.model.sharedModel.getSource())")

    def find(self, text: str) -> int:
        """Return the index of the one cell whose source holds `text`."""
        found = [index for index, source in enumerate(self.sources()) if text in source]
        if len(found) != 1:
            raise LookupError(f"{len(found)} cells of {self.path} hold {text!r}: {found}; exactly one was expected.")
        return found[0]

    def output_data(self, index: int) -> list[dict]:
        """Return the outputs of a cell as the notebook file would hold them."""
        return self.page.evaluate(f"index => {PANEL}.content.widgets[index].model.outputs?.toJSON() ?? []", index)

    def errors(self) -> list[str]:
        """Return one line for each cell that ended with an error."""
        return [
            f"cell {index}: {output['ename']}: {output['evalue']}"
            for index in range(len(self.sources()))
            for output in self.output_data(index)
            if output["output_type"] == "error"
        ]

    def red_lines(self) -> list[str]:
        """Return what cells wrote to stderr, which JupyterLab shows on red."""
        return [
            f"cell {index}: {output['text']}"
            for index in range(len(self.sources()))
            for output in self.output_data(index)
            if output["output_type"] == "stream" and output["name"] == "stderr"
        ]

    def screenshot(self, path: str | os.PathLike, *, cell: int | None = None) -> None:
        """Write a PNG of the whole window, or of one cell."""
        if cell is None:
            self.page.screenshot(path=str(path))
        else:
            self.cell(cell).scroll_into_view_if_needed()
            self.cell(cell).screenshot(path=str(path))

    # -- end -----------------------------------------------------------------------------------------------------

    def close(self, keep: set[str]) -> None:
        """Leave the page and end the kernels that are not in `keep`."""
        with contextlib.suppress(Exception):  # the page may be gone already
            self.page.goto("about:blank")
        for kernel in self.server.get("api/kernels"):
            if kernel["id"] not in keep:
                request = urllib.request.Request(
                    f"{self.server.url}/api/kernels/{kernel['id']}",
                    headers={"Authorization": f"token {self.server.token}"},
                    method="DELETE",
                )
                with contextlib.suppress(urllib.error.URLError):
                    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).close()


@pytest.fixture
def wait_until(page) -> Callable[..., None]:
    """Return `wait_until(condition, what, timeout=30)`: wait for a Python condition while the page goes on."""

    def wait(condition: Callable[[], bool], what: str, timeout: float = 30) -> None:
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"Waited {timeout} seconds for {what}.")
            page.wait_for_timeout(50)

    return wait
