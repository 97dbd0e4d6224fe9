"""Columns of one's own: propgraph's names as they are, or others by `--map`."""

from propgraph.readers.base import CANONICAL, REQUIRED, Reader, renamed

READER = Reader(
    name="columns",
    title="columns of your own, named as propgraph names them or by --map",
    needs=REQUIRED,
    uses=tuple(name for name in CANONICAL if name not in REQUIRED),
    posts=renamed(**{name: name for name in CANONICAL}),
)
