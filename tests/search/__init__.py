"""Texts as people paste them, and how the search of the pitfall lab does on them: `python -m tests.search`."""
