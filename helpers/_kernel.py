"""What live training must know of the notebook's kernel: which cell runs, when it runs again, when it is interrupted.

Outside a notebook every function here does nothing, so that `helpers.live` works in plain Python too.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["before_rerun", "current_cell", "on_interrupt"]

# Weak: neither a cell nor the kernel may keep a trainer and its model in memory.
_rerun: list[tuple[str, weakref.WeakMethod]] = []
_interrupt: list[weakref.WeakMethod] = []
_lock = threading.Lock()
_hooked: weakref.WeakSet = weakref.WeakSet()


def current_cell() -> str | None:
    """Return what identifies the cell that runs now: its id, or its source where the editor sends no ids."""
    kernel = getattr(_shell(), "kernel", None)
    if kernel is None:
        return None
    request = kernel.get_parent("shell") or {}
    if request.get("header", {}).get("msg_type") != "execute_request":
        return None
    return request.get("metadata", {}).get("cellId") or request.get("content", {}).get("code")


def before_rerun(end: Callable[[], Any]) -> None:
    """Call a bound method once, just before the cell that runs now is run again; hold its object weakly."""
    cell = current_cell()
    if cell is None:
        return
    _hook_events()
    with _lock:
        _rerun.append((cell, weakref.WeakMethod(end)))


def on_interrupt(stop: Callable[[], Any]) -> None:
    """Call a bound method whenever the kernel is interrupted, idle or busy; hold its object weakly."""
    shell = _shell()
    if getattr(shell, "kernel", None) is None:
        return
    with _lock:
        if not any(known() == stop for known in _interrupt):
            _interrupt.append(weakref.WeakMethod(stop))
    _hook_events()
    # The handler can be set in the main thread only, and a button's click may come on another one.
    kernel = shell.kernel
    loop = getattr(kernel, "io_loop", None)
    if loop is not None:
        loop.add_callback(_handle_idle_interrupts, kernel)


def _shell() -> Any:
    """Return IPython's shell if there is one, without importing IPython."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


def _hook_events() -> None:
    """Ask IPython to say when a cell begins and ends."""
    shell = _shell()
    with _lock:
        if shell is None or shell in _hooked:
            return
        _hooked.add(shell)
    shell.events.register("pre_run_cell", _cell_begins)
    shell.events.register("post_run_cell", _cell_ended)


def _cell_begins(info: Any) -> None:
    """End what an earlier run of this cell began."""
    cell = getattr(info, "cell_id", None) or getattr(info, "raw_cell", None)
    with _lock:
        ending = [end for key, end in _rerun if key == cell]
        _rerun[:] = [(key, end) for key, end in _rerun if key != cell and end() is not None]
    for reference in ending:
        end = reference()
        if end is not None:
            end()


def _cell_ended(result: Any) -> None:
    """Stop the runs when the interrupt reached the cell that was running."""
    if isinstance(getattr(result, "error_in_exec", None), KeyboardInterrupt):
        _stop_all()


def _stop_all() -> None:
    with _lock:
        stopping = [stop for reference in _interrupt if (stop := reference()) is not None]
        _interrupt[:] = [reference for reference in _interrupt if reference() is not None]
    for stop in stopping:
        stop()


def _handle_idle_interrupts(kernel: Any) -> None:
    """Let an interrupt reach the runs while no cell runs; ipykernel ignores it then."""
    if threading.current_thread() is not threading.main_thread():
        return
    present = signal.getsignal(signal.SIGINT)
    if present is signal.default_int_handler:
        # A cell runs. ipykernel puts back, at its end, the handler that it keeps here.
        if not isinstance(getattr(kernel, "saved_sigint_handler", None), _Handler):
            kernel.saved_sigint_handler = _Handler(getattr(kernel, "saved_sigint_handler", None))
    elif not isinstance(present, _Handler):
        with contextlib.suppress(ValueError, OSError):
            signal.signal(signal.SIGINT, _Handler(present))


class _Handler:
    """A signal handler that stops the runs and then does what was done before."""

    def __init__(self, before: Any) -> None:
        self.before = before

    def __call__(self, number: int, frame: Any) -> None:
        # In a thread of its own: the interrupted code may hold the very lock that stopping needs.
        threading.Thread(target=_stop_all, name="live-interrupt", daemon=True).start()
        if callable(self.before):
            self.before(number, frame)
