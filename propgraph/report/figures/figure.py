"""What a figure is, and the colours that a page gives it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from propgraph.export.palette import palette
from propgraph.export.tables import whole_file

_WHITE, _DARK = (255, 255, 255), (21, 23, 26)
_LEAST_CONTRAST = 3.0  # of what is drawn against the paper, as WCAG asks


@dataclass(frozen=True, repr=False)
class Figure:
    """One figure.

    Attributes
    ----------
    svg
        One element `<svg role="img" aria-label=... viewBox=...>` without a width: it is as wide as the page lets it.
        Well-formed, everything escaped, no script, no link, no id. Colours are CSS variables with those of light
        paper after the comma.
    alt
        What is to be seen, in words and numbers; also the `aria-label`.
    caption
        What it is and how to read it.
    """

    svg: str
    alt: str
    caption: str

    def save(self, path: str | Path, /) -> None:
        """Write the drawing as a file of its own (SVG), which browsers, word processors and Inkscape open.

        Raises
        ------
        UsageError
            When `path` is a folder or lies in none.
        """
        with whole_file(path) as file:
            file.write(self.svg.encode() + b"\n")

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        told = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        # The drawing's ink is for paper, and the page around a cell may be dark.
        return f'<figure style="margin:0;max-width:60rem;background:#fff;color:#1b1b1b">{self.svg}{told}</figure>'


INK, MUTED, PAPER = "var(--ink,#1b1b1b)", "var(--muted,#5f6368)", "var(--paper,#fff)"
#: Colours that are told apart without names: what stands out, and what speaks against it.
MARK, AGAINST = "var(--hue-5,#0072b2)", "var(--hue-1,#e69f00)"
_N_HUES = 12


def hue(k: int, /) -> str:
    """Return the colour of the cluster that is the k-th flagged, from 0 on, as CSS."""
    colours = palette(max(_N_HUES, k + 1))
    return f"var(--hue-{k + 1},{_hex(colours[k])})" if k < _N_HUES else _hex(colours[k])


def style() -> str:
    """Return the CSS of the hues, on light paper and, on a screen, on dark; ink, muted and paper are the page's."""
    light, dark = [], []
    for k, colour in enumerate(palette(_N_HUES), 1):
        light.append(f"--hue-{k}:{_hex(colour)}")
        dark.append(f"--hue-{k}:{_hex(_lightened(colour))}")
    on_dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{';'.join(dark)}}}}}"
    return f":root{{{';'.join(light)}}}{on_dark}"


def _lightened(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return a colour with as much white as it needs to stand out from dark paper."""
    for part in range(0, 101, 5):
        mixed = tuple(round(a + (b - a) * part / 100) for a, b in zip(colour, _WHITE, strict=True))
        if _contrast(mixed, _DARK) >= _LEAST_CONTRAST:
            return mixed  # type: ignore[return-value]
    return _WHITE


def _contrast(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    parts = [value / 255 for value in colour]
    r, g, b = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
