"""Train in a background thread, and steer the fit while it runs.

    trainer = live.Trainer(model, train, validation_data=validation, epochs=200, callbacks=[EarlyStopping(patience=20)])
    trainer.start()
    trainer.patience = 5
    history = trainer.result()

The model, the data and the callbacks are the learner's own, and Keras's own `fit` trains: a `Trainer` only chooses
when it begins, pauses and ends, and writes down what happened. There are no widgets here; `helpers.widgets` has a
`LiveTraining` over it. Keras is imported when the first run starts. Epochs are 0-based, as in Keras.
"""

from __future__ import annotations

from helpers.live._record import Change, Snapshot
from helpers.live._trainer import Trainer

__all__ = ["Change", "Snapshot", "Trainer"]
