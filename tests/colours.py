"""Contrast as WCAG 2 defines it, and colours as people see them who lack a kind of cone."""

from __future__ import annotations

import numpy as np

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
LACKS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "no colours at all": [[0.2126, 0.7152, 0.0722]] * 3,
}
# From linear RGB to CIE XYZ, the white of D65 at 1.
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def rgb(colour: str) -> np.ndarray:
    """Return `#rrggbb` or `#rgb` as three numbers from 0 to 1."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return np.array([int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)])


def linear(colour: np.ndarray) -> np.ndarray:
    """Take the gamma of sRGB out."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def contrast(one: str | np.ndarray, other: str | np.ndarray) -> float:
    """Return the contrast of two colours, 1 to 21."""
    both = [linear(rgb(c) if isinstance(c, str) else np.asarray(c[:3], float)) @ _XYZ[1] for c in (one, other)]
    return float((max(both) + 0.05) / (min(both) + 0.05))


def turned(colour: str | np.ndarray, share: float) -> np.ndarray:
    """Return a colour as the CSS filter `invert(share) hue-rotate(180deg)` shows it."""
    there = share + (1 - 2 * share) * (rgb(colour) if isinstance(colour, str) else np.asarray(colour[:3], float))
    return np.clip(2 * there @ [0.213, 0.715, 0.072] - there, 0, 1)


def seen(colour: str, lack: str) -> np.ndarray:
    """Return a colour in CIE Lab as somebody sees it with one of `LACKS`."""
    xyz = _XYZ @ np.clip(np.array(LACKS[lack]) @ linear(rgb(colour)), 0, 1) / _XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one: str, other: str, lack: str) -> float:
    """Return how far apart two colours are seen (CIE 1976; 2.3 can just be told, 20 at a glance)."""
    return float(np.linalg.norm(seen(one, lack) - seen(other, lack)))
