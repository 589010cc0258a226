"""Write docs/learning_curves.png, the picture in the README: a real fit on digits with both callbacks.

Run it in the course's environment: `.venv/bin/python tools/readme_picture.py`. The fit runs twice from the same seed,
once with the callbacks and once to the end, because what came after the stop is drawn in grey.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
for name, value in {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}.items():
    os.environ.setdefault(name, value)

import keras  # noqa: E402
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint  # noqa: E402

from helpers import data, plots, style  # noqa: E402
from helpers.callbacks import SaveRecorder  # noqa: E402

EPOCHS = 36


def fit(callbacks: list[Callback]) -> dict[str, list[float]]:
    """Train a small network on few, partly mislabelled digits, and return its log."""
    keras.utils.set_random_seed(2)
    digits = data.load_digits(train_rows=300, label_noise=0.2, seed=2)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.012), "sparse_categorical_crossentropy", metrics=["accuracy"])
    fitted = model.fit(digits.train, validation_data=digits.validation, epochs=EPOCHS, callbacks=callbacks, verbose=0)
    return fitted.history


def main() -> None:
    """Train twice, compare, draw, write."""
    stopping = EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = ModelCheckpoint(os.path.join(folder, "best.keras"), monitor="val_loss", save_best_only=True)
        saves = SaveRecorder(checkpoint)
        stopped = fit([stopping, checkpoint, saves])
    whole = fit([])
    epochs = len(stopped["val_loss"])
    if whole["val_loss"][:epochs] != stopped["val_loss"] or not epochs < EPOCHS:
        raise SystemExit("The two fits differ, or nothing was stopped: choose another seed.")
    title = "A real run on handwritten digits"
    figure = plots.learning_curves(
        whole, stopping=stopping, saves=saves, title=title, beyond="ran only without callbacks", width=760, height=430
    )
    target = PROJECT / "docs" / "learning_curves.png"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(style.png(figure))
    sys.stdout.write(f"{target.relative_to(PROJECT)}: {target.stat().st_size / 1000:.0f} kB\n{figure.alt_text}\n")


if __name__ == "__main__":
    main()
