"""One cascade as a picture: PNG to look at, SVG to print and to go on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
from PIL import Image, ImageDraw, ImageFont

from propgraph.export.graph_tables import CONTENT, attribute
from propgraph.export.tables import whole_file
from propgraph.export.text import clean_terminal, clean_xml
from propgraph.export.tree_marks import NO_MARKS
from propgraph.export.tree_scene import PAPER, Colour, Dot, Line, Scene, Words, scene
from propgraph.export.tree_text import figures, human
from propgraph.trees import Tree

# In pictures of so many posts at most each tells of itself where the mouse rests on it.
_TELLING = 2_000


def write_tree_png(
    path: str | Path, tree: Tree, /, *, marks: pl.DataFrame = NO_MARKS, width: int = 1600
) -> int:
    """Draw a cascade as PNG: the root in the middle of its generations, small ones from the top down.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    tree
        The cascade.
    marks
        As `tree_marks` returns them.
    width
        Pixels; the height is the same and a caption's.

    Returns
    -------
    Posts drawn: all, or the first `MAX_DRAWN` in time, as the caption then says.

    Raises
    ------
    UsageError
        When `path` is a folder or lies in none.
    """
    made, scale = scene(tree, marks, width=width), 2
    image = Image.new("RGB", (round(made.width * scale), round(made.height * scale)), PAPER)
    draw = ImageDraw.Draw(image)
    for shape in made.shapes:
        _draw(draw, shape, scale)
    small = image.resize((round(made.width), round(made.height)), Image.Resampling.LANCZOS)
    with whole_file(path) as file:
        small.save(file, format="PNG", optimize=True)
    return made.drawn


def write_tree_svg(
    path: str | Path, tree: Tree, /, *, marks: pl.DataFrame = NO_MARKS, width: int = 1600
) -> int:
    """Draw a cascade as SVG, as `write_tree_png` does: one file, without scripts, fetching nothing.

    Parameters
    ----------
    path, tree, marks, width
        As there; the width is that of the picture's own frame, and it takes any size.

    Returns
    -------
    Posts drawn.

    Raises
    ------
    UsageError
        When `path` is a folder or lies in none.
    """
    made = scene(tree, marks, width=width)
    with whole_file(path) as file:
        for line in _svg(made, tree):
            file.write(line.encode() + b"\n")
    return made.drawn


def tree_svg(tree: Tree, /, *, marks: pl.DataFrame = NO_MARKS, width: int = 1600) -> str:
    """Return a cascade as one element of SVG, as `write_tree_svg` writes it."""
    return "\n".join(_svg(scene(tree, marks, width=width), tree))


def _draw(draw: ImageDraw.ImageDraw, shape: Line | Dot | Words, scale: int) -> None:
    if isinstance(shape, Line):
        ends = [(x * scale, y * scale) for x, y in (shape.start, shape.end)]
        draw.line(ends, fill=shape.colour, width=max(round(shape.width * scale), 1))
        return
    x, y = (value * scale for value in shape.at)
    if isinstance(shape, Words):
        font, halo = ImageFont.load_default(shape.size * scale), 2 * scale if shape.halo else 0
        draw.text((x, y), shape.text, shape.colour, font=font, stroke_width=halo, stroke_fill=PAPER)
        return
    radius = shape.radius * scale
    box = (x - radius, y - radius, x + radius, y + radius)
    if shape.ring:
        draw.ellipse(box, outline=shape.colour, width=max(round(shape.ring * scale), 1))
    else:
        draw.ellipse(box, fill=shape.colour)


def _svg(made: Scene, tree: Tree) -> Iterator[str]:
    told = attribute(
        clean_xml(clean_terminal(f"Cascade {tree.cascade['cascade_id']}: {figures(tree.cascade)}"))
    )
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {made.width:g} {made.height:g}" role="img" '
        f'aria-label="{told}" font-family="sans-serif">'
    )
    yield f'<rect width="100%" height="100%" fill="{_hex(PAPER)}"/>'
    for shape in made.shapes:
        yield _element(shape, tree if made.drawn <= _TELLING else None)
    yield "</svg>"


def _element(shape: Line | Dot | Words, tree: Tree | None) -> str:
    colour = _hex(shape.colour)
    if isinstance(shape, Line):
        (x1, y1), (x2, y2) = shape.start, shape.end
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        return f'<line {ends} stroke="{colour}" stroke-width="{shape.width:.2g}"/>'
    x, y = shape.at
    if isinstance(shape, Words):
        halo = f' stroke="{_hex(PAPER)}" stroke-width="4" paint-order="stroke"' if shape.halo else ""
        place = f'x="{x:.1f}" y="{y + shape.size:.1f}" font-size="{shape.size:.1f}"'
        return f'<text {place} fill="{colour}"{halo}>{_escaped(shape.text)}</text>'
    if shape.ring:  # its line lies on both sides of the radius
        radius = shape.radius - shape.ring / 2
        look = f'r="{radius:.1f}" fill="none" stroke="{colour}" stroke-width="{shape.ring:.1f}"'
    else:
        look = f'r="{shape.radius:.1f}" fill="{colour}"'
    title = "" if tree is None or shape.row is None else f"<title>{_escaped(_told(tree, shape.row))}</title>"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" {look}>{title}</circle>'


def _told(tree: Tree, row: int) -> str:
    name = tree.nodes["name"][row] or tree.nodes["account_id"][row] or "unknown account"
    after = "root" if row == 0 else f"after {human(tree.nodes['delay_s'][row])}"
    return f"{clean_terminal(name, width=60)}, {after}"


def _escaped(text: str) -> str:
    return "".join(CONTENT.get(character, character) for character in clean_xml(text))


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
