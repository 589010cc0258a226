"""The browser of the tests: where it is, and how it starts without a network."""

from __future__ import annotations

import shutil

__all__ = ["ARGUMENTS", "MISSING", "NAMES", "find"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = "Chromium is not installed"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    # The network is off for the page as it is for the kernels.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def find() -> str | None:
    """Return the path of the browser on this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)
