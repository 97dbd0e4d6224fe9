"""Figures read back: boxes, circles and words of an SVG, with nothing of what drew them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    fill: str
    opacity: float


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def boxes(svg: str) -> list[Box]:
    """Return every box of every path of boxes."""
    found = []
    number = r"(-?[\d.]+)"
    for path in parsed(svg).iter(f"{SVG}path"):
        for x, y, w, h, _ in re.findall(f"M{number} {number}h{number}v{number}h{number}z", path.attrib["d"]):
            found.append(
                Box(*map(float, (x, y, w, h)), path.attrib["fill"], float(path.get("fill-opacity", 1)))
            )
    return found


def words(svg: str) -> list[tuple[str, float, float]]:
    """Return the lines of text with their places."""
    return [
        (one.text or "", float(one.attrib["x"]), float(one.attrib["y"]))
        for one in parsed(svg).iter(f"{SVG}text")
    ]
