"""Checks of lesson 09: a storage callback whose marker is always right, and an alert that fires once."""

from __future__ import annotations

from helpers.checks._core import exercise
from helpers.checks.lesson09 import alert, storage

CHECKERS = {
    "09.3": storage.to_bucket,
    "09.4": alert.fires_once,
}

for _id, _checker in CHECKERS.items():
    exercise(_id)(_checker)
