"""Colours of pictures and networks: a dozen that colour-blind people can tell apart, and muted ones for the rest."""

from __future__ import annotations

UNFLAGGED = (160, 160, 160)
"""Red, green and blue (0..255) of whatever belongs to no cluster."""

# Okabe and Ito's colours, four more that are as far from these and from each other (see tests) as these among each
# other, by normal sight, without red cones, without green cones; black last since it is the only one that looks like
# text.
_HUES = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (213, 94, 0), (0, 114, 178), (204, 121, 167), (240, 228, 66),
    (146, 0, 0), (73, 0, 146), (221, 204, 119), (0, 73, 73), (0, 0, 0),
)  # fmt: skip
# So much grey is in the colours of what is not flagged.
_MUTED = 0.75


def palette(n: int) -> list[tuple[int, int, int]]:
    """Return colours that colour-blind people can tell apart, most distinct first.

    Most of the first dozen are those of Okabe and Ito [1]_; the rest are tints of them (black excepted, whose tints
    are greys like `UNFLAGGED`), evenly spread towards white. Nobody can tell some dozens of colours apart.

    Parameters
    ----------
    n
        How many colours.

    Returns
    -------
    Red, green and blue of each, 0..255.

    References
    ----------
    .. [1] Okabe, M., & Ito, K. (2008). Color Universal Design: How to make figures and presentations that are
       friendly to colorblind people.
    """
    chosen = list(_HUES[:n])
    hues = _HUES[:-1]
    rounds = -(-max(n - len(_HUES), 0) // len(hues))
    for step in range(1, rounds + 1):
        white = 0.7 * step / rounds
        for r, g, b in hues:
            chosen.append((_tint(r, white), _tint(g, white), _tint(b, white)))
    return chosen[:n]


def muted(n: int, /) -> list[tuple[int, int, int]]:
    """Return colours for `n` clusters that are not flagged: near grey, a few tones in turn."""
    grey = UNFLAGGED[0]
    tones = [tuple(_tint(part, _MUTED, towards=grey) for part in hue) for hue in _HUES[:7]]
    return [tones[k % len(tones)] for k in range(n)]  # type: ignore[misc]


def _tint(value: int, much: float, towards: int = 255) -> int:
    return round(value + (towards - value) * much)
