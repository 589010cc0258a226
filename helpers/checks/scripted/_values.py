"""Values of a metric: when two are equal, and the curves on which hand-written callbacks go wrong."""

from __future__ import annotations

import math
import random

__all__ = ["INF", "NAN", "NASTY_CURVES", "ROUNDING_CURVES", "Number", "random_curve", "same"]

Number = float | int | None
NAN, INF = math.nan, math.inf


def same(one: object, other: object) -> bool:
    """Say whether two values are equal, where NaN equals NaN and 1 equals 1.0."""
    try:
        one_number, other_number = float(one), float(other)
    except (TypeError, ValueError):
        return one is other or (type(one) is type(other) and bool(one == other))
    return one_number == other_number or (math.isnan(one_number) and math.isnan(other_number))


# Short curves on which hand-written callbacks go wrong, from harmless to nasty.
NASTY_CURVES: tuple[tuple[Number, ...], ...] = (
    (1.0,),
    (1.0, 2.0),
    (3.0, 2.0, 1.0),
    (1.0, 2.0, 3.0, 4.0),
    (3.0, 2.0, 3.0, 1.0, 2.0, 3.0),
    (1.0, 1.0, 1.0),
    (2.0, 1.0, 1.0, 0.5, 0.5),
    (NAN, 1.0, 2.0, 0.5),
    (1.0, NAN, NAN, 0.5),
    (NAN, NAN, NAN),
    (None, 1.0, 2.0, 3.0),
    (1.0, None, 2.0, None, 0.5),
    (None, None),
    (INF, 1.0, INF, 0.5),
    (-INF, 1.0, -INF),
    (INF, INF, 1.0),
    (1.0, 0.75, 0.5, 0.75),
    (0.0, -0.0, -1.0),
    (-1.0, -2.0, -1.5, -3.0),
)

# Curves on which it matters that Keras compares in float32, after an addition in Python's own floats.
ROUNDING_CURVES: tuple[tuple[Number, ...], ...] = (
    (0.3, 0.2, 0.1, 0.2),
    (0.2, 0.3 - 0.1, 0.1),
    (0.5, 0.5 - 1e-10, 0.4),
    (-0.2, -0.3, -0.4),
)


def random_curve(rng: random.Random, length: int | None = None, *, rounding: bool = False) -> tuple[Number, ...]:
    """Draw a curve: noise around a fall and a rise, with many ties; half of them with NaN, infinities and gaps.

    Args:
        rng: where the chance comes from.
        length: number of epochs, by default 1 to 9.
        rounding: take steps of a tenth, which floats hold only nearly; otherwise of a quarter, which they hold exactly.
    """
    length = rng.randint(1, 9) if length is None else length
    step = 0.1 if rounding else 0.25
    nasty = rng.random() < 0.5
    low = rng.randint(0, length)
    values: list[Number] = []
    for epoch in range(length):
        value: Number = step * (abs(epoch - low) + rng.randint(0, 3))
        if nasty:
            value = rng.choice((value, value, value, value, NAN, None, INF, -value))
        values.append(value)
    return tuple(values)
