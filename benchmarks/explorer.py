"""From key press to changed picture in a real JupyterLab: `PatienceExplorer` against `ipywidgets.interact`.

Run it with `python benchmarks/explorer.py`. Both move over the same 200-epoch run and draw the same learning curves;
the explorer knows every patience at once besides. Each is measured with an idle kernel, and with 120 ms of latency (60
each way) between browser and server; the explorer also while the kernel is busy, and with a control that asks the
kernel (`restore_best_weights`). A press counts as answered when the new picture is in the page, decoded and laid out.
What the explorer builds and sends is measured too. Needs Chromium, as the browser tests do.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "browser"), str(ROOT)]

from conftest import VIEWPORT, Lab, LabServer, free_port, stop, wait_for_server  # noqa: E402
from tests import chromium  # noqa: E402

PRESSES, LATENCY = 25, 0.120
LOG = """import numpy as np
noise, epoch = np.random.default_rng(0), np.arange(200)
log = {
    "loss": (np.exp(-epoch / 30) + 0.02 * noise.random(200)).tolist(),
    "val_loss": (0.4 + np.exp(-epoch / 12) + 0.002 * epoch + 0.03 * noise.random(200)).tolist(),
}
"""
EXPLORER = LOG + "from helpers import widgets\nwidgets.PatienceExplorer(log, patience=0)"
INTERACT = (
    LOG
    + """import ipywidgets
from helpers import plots, replay, style
saves = replay.model_checkpoint(log["val_loss"], save_best_only=True)
def draw(patience):
    stopping = replay.early_stopping(log["val_loss"], patience=patience)
    style.show(plots.learning_curves(log, stopping=stopping, saves=saves, height=330))
ipywidgets.interact(draw, patience=ipywidgets.IntSlider(0, 0, 60));"""
)
BUSY = "import time\ntime.sleep(600)"
SLIDER = ".pex input[type=range]"

# Installed before the explorer, which lets nobody behind it hear of its keys.
LISTEN = "window.addEventListener('keydown', event => { window.pressed ??= event.timeStamp; }, true)"
# Resolves with the milliseconds from the next key press to the next new picture.
WATCH = """root => new Promise(done => {
    const picture = () => root.querySelector('[aria-label^="Learning curves"], img[alt^="Learning curves"]');
    const words = () => picture().alt ?? picture().getAttribute("aria-label");
    const before = words();
    window.pressed = null;
    const observer = new MutationObserver(async () => {
        const now = picture();
        if (window.pressed === null || !now || words() === before) return;
        observer.disconnect();
        if (now.decode) await now.decode();
        root.getBoundingClientRect();
        done(performance.now() - window.pressed);
    });
    observer.observe(root, {childList: true, subtree: true, attributes: true});
    window.watching = true;
})"""


@contextlib.contextmanager
def slow_line(port: int, delay: float) -> Iterator[int]:
    """Pass bytes on to `port`, each of them `delay / 2` seconds late in both directions; yields the new port."""
    loop, own = asyncio.new_event_loop(), free_port()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        queue: asyncio.Queue = asyncio.Queue()

        async def late() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.close()

        sender = loop.create_task(late())
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                queue.put_nowait((loop.time() + delay / 2, data))
        queue.put_nowait((loop.time() + delay / 2, b""))
        with contextlib.suppress(ConnectionError):
            await sender

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(asyncio.start_server(meet, "127.0.0.1", own))
        loop.run_forever()
        # A browser leaves its connections open; ended here, they leave no warnings behind.
        open_ones = asyncio.all_tasks(loop)
        for task in open_ones:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*open_ones, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield own
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[LabServer]:
    """Run a server on an empty folder."""
    port, token, log = free_port(), secrets.token_hex(16), folder / "server.log"
    root = folder / "notebooks"
    root.mkdir()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--allow-root",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    server = LabServer(f"http://127.0.0.1:{port}", token, root, log, folder / "progress.json")
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for_server(server, process)
        yield server
    finally:
        stop(process)


def median_press(lab: Lab, control: str, key: str) -> float:
    """Return the median over key presses on a control of the first cell, in milliseconds."""
    lab.page.wait_for_function("() => document.querySelector('img[alt^=\"Learning curves\"], .pex svg') !== null")
    lab.outputs(0, control).first.focus()
    times = []
    for _ in range(PRESSES):
        lab.page.wait_for_timeout(100)
        lab.page.evaluate("() => { window.watching = false; window.answer = null; }")
        lab.page.evaluate(
            f"() => {{ ({WATCH})(document.querySelector('.jp-Notebook')).then(time => {{ window.answer = time; }}); }}"
        )
        lab.page.wait_for_function("() => window.watching")
        lab.page.keyboard.press(key)
        lab.page.wait_for_function("() => window.answer !== null")
        times.append(lab.page.evaluate("() => window.answer"))
    return statistics.median(times)


def measure(server: LabServer, browser: object) -> dict[str, float]:
    """Return medians by name, over one address of the server."""
    medians = {}
    for name, cells, busy, control, key in [
        ("explorer", [EXPLORER], False, SLIDER, "ArrowRight"),
        ("explorer, kernel busy", [EXPLORER, BUSY], True, SLIDER, "ArrowRight"),
        ("explorer, best weights", [EXPLORER], False, ".pex input[type=checkbox]", "Space"),
        ("interact", [INTERACT], False, ".noUi-handle", "ArrowRight"),
    ]:
        before = {kernel["id"] for kernel in server.get("api/kernels")}
        page = browser.new_page(viewport=VIEWPORT)
        page.set_default_timeout(60_000)
        page.add_init_script(LISTEN)
        lab = Lab(server, page)
        lab.new_notebook(cells)
        lab.run_cell(0)
        if busy:
            lab.run_cell(1, wait=False)
            page.wait_for_timeout(1000)
        medians[name] = median_press(lab, control, key)
        lab.close(before)
        page.close()
    return medians


def sizes() -> None:
    """Print how long a picture takes to build and how much is sent for it."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from helpers.widgets import PatienceExplorer

    for epochs in (200, 3000):
        space: dict = {}
        exec(LOG.replace("200", str(epochs)), space)
        PatienceExplorer(space["log"])
        times = []
        for _ in range(5):
            began = time.perf_counter()
            explorer = PatienceExplorer(space["log"])
            times.append(time.perf_counter() - began)
        bundle = explorer._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        sent = sum(len(json.dumps(value)) for value in [*explorer.get_state().values(), *data.values()])
        print(
            f"{epochs:>5} epochs: built in {statistics.median(times) * 1e3:.0f} ms, {sent / 1e3:.0f} kB sent, "
            f"of them {len(json.dumps(explorer.picture)) / 1e3:.0f} kB for the picture; "
            f"a page has {len(explorer.to_html()) / 1e3:.0f} kB"
        )


def main() -> None:
    from playwright.sync_api import sync_playwright

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        near = stack.enter_context(jupyterlab(folder))
        port = stack.enter_context(slow_line(int(near.url.rsplit(":", 1)[1]), LATENCY))
        far = dataclasses.replace(near, url=f"http://127.0.0.1:{port}")
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
        stack.callback(browser.close)
        results = {"no latency": measure(near, browser), f"{LATENCY * 1e3:.0f} ms latency": measure(far, browser)}
    sizes()
    print(f"key press to changed picture, median of {PRESSES}, in milliseconds")
    print(f"{'':<24}" + "".join(f"{column:>16}" for column in results))
    for name in next(iter(results.values())):
        print(f"{name:<24}" + "".join(f"{medians[name]:>16.1f}" for medians in results.values()))
    ratios = [medians["interact"] / medians["explorer"] for medians in results.values()]
    print(f"{'interact / explorer':<24}" + "".join(f"{ratio:>16.1f}" for ratio in ratios))


if __name__ == "__main__":
    main()
