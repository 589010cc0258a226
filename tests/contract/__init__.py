"""What the course says about Keras, one claim a test; `python -m tests.contract --list` prints the table."""

import os

# Before the first module that imports Keras: which backend, results that repeat, and no log lines.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
