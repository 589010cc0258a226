"""What the course says about Keras, one claim a test; `python -m tests.contract --list` prints the table."""
