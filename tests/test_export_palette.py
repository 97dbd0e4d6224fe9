from __future__ import annotations

from itertools import combinations

import numpy as np

from propgraph.export.palette import UNFLAGGED, muted, palette

# What people without red cones, and without green cones, see of linear RGB: Machado, Oliveira and Fernandes (2009).
SIGHT = (
    np.eye(3),
    np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
)
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(colour, sight):
    """CIE L*a*b* of an sRGB colour as somebody sees it."""
    part = np.array(colour) / 255
    linear = np.clip(sight @ np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4), 0, 1)
    x, y, z = _curve((XYZ @ linear) / XYZ.sum(1))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _curve(t):
    return np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)


def apart(one, other):
    return min(float(np.linalg.norm(lab(one, sight) - lab(other, sight))) for sight in SIGHT)


def test_palette():
    assert palette(0) == []
    assert palette(2) == [(230, 159, 0), (86, 180, 233)]
    for n in (1, 8, 12, 13, 15, 100, 300):
        colours = palette(n)
        assert len(colours) == len(set(colours)) == n
        assert UNFLAGGED not in colours
        assert colours[:12] == palette(12)[:n]
        assert all(0 <= part <= 255 for colour in colours for part in colour)


def test_a_dozen_colours_can_be_told_apart_whatever_cones_one_has():
    okabe_ito = [*palette(7), (0, 0, 0)]
    # The closest two of Okabe and Ito's eight are what people are known to tell apart.
    least = min(apart(*pair) for pair in combinations(okabe_ito, 2))
    assert min(apart(*pair) for pair in combinations(palette(12), 2)) >= least > 15


def test_muted_colours_are_nearer_to_grey_than_to_any_flagged_one():
    assert muted(0) == []
    for colour in muted(9):
        one, grey, *others = (lab(other, np.eye(3)) for other in (colour, UNFLAGGED, *palette(12)))
        assert np.linalg.norm(one - grey) < min(np.linalg.norm(one - other) for other in others)
