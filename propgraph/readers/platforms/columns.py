"""Columns of one's own: propgraph's names as they are, or others by `--map`."""

from propgraph.readers.base import CANONICAL, REQUIRED, Reader

READERS = (
    Reader(
        name="columns",
        title="columns of your own, named as propgraph names them or by --map",
        layouts=(REQUIRED,),
        uses=tuple(name for name in CANONICAL if name not in REQUIRED),
        fields=CANONICAL,
        names={name: name for name in CANONICAL},
        sample="""account_id,timestamp,url
ana,2024-03-05T10:00:00Z,https://valley-herald.example/water
ben,2024-03-05T10:01:00Z,https://valley-herald.example/water
""",
        checked="ours",
    ),
)
