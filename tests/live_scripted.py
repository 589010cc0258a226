"""A stand-in for a Keras model: `fit` trains nothing, and drives the real callbacks over scripted values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import keras
from contract.means import FakeModel

SECONDS = 20


class ScriptedModel(FakeModel):
    """A fake model with a `fit`: one value of `val_loss` per epoch, in the order in which Keras calls its callbacks.

    Args:
        values: One per epoch; None leaves `val_loss` out of the logs.
        batches: Batches in an epoch.
        in_epoch: Called with the epoch after its last batch, before `on_epoch_end`: where a learner's click may come.
        gated: If True, each batch waits until `let(...)` allows it.
    """

    def __init__(
        self,
        values: Sequence[float | None],
        *,
        batches: int = 1,
        in_epoch: Callable[[int], None] | None = None,
        gated: bool = False,
    ) -> None:
        super().__init__()
        self.values, self.batches, self.in_epoch = list(values), batches, in_epoch
        self.fits = self.batches_begun = 0
        self.threads: set[threading.Thread] = set()
        self.at_once = self.most_at_once = 0
        self.gate = threading.Semaphore(0) if gated else None

    def let(self, batches: int) -> None:
        """Allow so many batches more."""
        self.gate.release(batches)

    def fit(self, x=None, y=None, *, epochs=1, callbacks=None, verbose=0, initial_epoch=0, **others):
        self.fits += 1
        self.threads.add(threading.current_thread())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._fit(epochs, callbacks, initial_epoch)
        finally:
            self.at_once -= 1

    def _fit(self, epochs, callbacks, initial_epoch):
        hooks = keras.callbacks.CallbackList(callbacks, add_history=True, model=self, epochs=epochs, steps=self.batches)
        self.stop_training = False
        hooks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            hooks.on_epoch_begin(epoch)
            for batch in range(self.batches):
                hooks.on_train_batch_begin(batch)
                self.batches_begun += 1
                if self.gate is not None and not self.gate.acquire(timeout=SECONDS):
                    raise TimeoutError("the test let no more batches through")
                hooks.on_train_batch_end(batch, {"loss": 1.0})
                if self.stop_training:
                    break
            self.epoch = epoch
            if self.in_epoch is not None:
                self.in_epoch(epoch)
            value = self.values[epoch]
            hooks.on_epoch_end(epoch, {"loss": 1.0} | ({} if value is None else {"val_loss": value}))
            if self.stop_training:
                break
        hooks.on_train_end({"loss": 1.0})
        return self.history
