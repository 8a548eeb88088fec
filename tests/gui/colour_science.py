"""Colour science for the theme's tests, from the published formulas; independent of the program.

Contrast: WCAG 2.2, relative luminance. Colour blindness: Machado, Oliveira and Fernandes 2009, severity 1.0, applied to
linear RGB. Distance: CIEDE2000 after Sharma, Wu and Dalal 2005. White is D65.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
MACHADO = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WCAG_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])
WHITE = TO_XYZ @ np.ones(3)


def linear(color: str) -> Vector:
    """Linear RGB, 0 to 1, of "#RRGGBB"."""
    srgb = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """The WCAG contrast ratio of two colours, 1 to 21."""
    bright, dim = sorted((float(WCAG_WEIGHTS @ linear(one)) for one in (first, second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def lab(color: str, sight: str = "normal") -> Vector:
    """CIELAB of a colour as somebody with that sight sees it."""
    seen = np.clip(MACHADO[sight] @ linear(color), 0, 1)
    ratio = (TO_XYZ @ seen) / WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def distance(first: Vector, second: Vector) -> float:
    """CIEDE2000 between two CIELAB colours."""
    mean_chroma = (np.hypot(*first[1:]) + np.hypot(*second[1:])) / 2
    stretch = 0.5 * (1 - np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7)))
    a1, a2 = first[1] * (1 + stretch), second[1] * (1 + stretch)
    c1, c2 = np.hypot(a1, first[2]), np.hypot(a2, second[2])
    h1 = np.degrees(np.arctan2(first[2], a1)) % 360
    h2 = np.degrees(np.arctan2(second[2], a2)) % 360
    turn = h2 - h1
    turn = 0.0 if c1 * c2 == 0 else turn - 360 * np.sign(turn) if abs(turn) > 180 else turn
    mean_h = h1 + h2
    if c1 * c2 != 0:
        far = abs(h1 - h2) > 180
        mean_h = (mean_h + (360 if mean_h < 360 else -360) * far) / 2
    lightness, chroma = second[0] - first[0], c2 - c1
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    mean_l, mean_c = (first[0] + second[0]) / 2, (c1 + c2) / 2
    cosines = np.cos(np.radians([mean_h - 30, 2 * mean_h, 3 * mean_h + 6, 4 * mean_h - 63]))
    t = 1 + np.array([-0.17, 0.24, 0.32, -0.20]) @ cosines
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    turned = np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    r_t = -2 * np.sqrt(mean_c**7 / (mean_c**7 + 25**7)) * turned
    parts = np.array([lightness / s_l, chroma / s_c, hue / s_h])
    return float(np.sqrt(parts @ parts + r_t * parts[1] * parts[2]))


def nearest(colors: Iterable[str], sight: str) -> float:
    """The smallest distance between any two of the colours for that sight."""
    seen = [lab(one, sight) for one in colors]
    return min(distance(first, second) for first, second in combinations(seen, 2))
