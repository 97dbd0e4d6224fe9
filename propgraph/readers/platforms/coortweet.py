"""CooRTweet's layout: one row for each post and object it shares."""

from propgraph.readers.base import Reader

_NAMES = {
    "object_id": "object_id",
    "account_id": "account_id",
    "content_id": "content_id",
    "timestamp": "timestamp_share",
}

READERS = (
    Reader(
        name="coortweet",
        title="CooRTweet (object_id, account_id, content_id, timestamp_share)",
        layouts=(tuple(_NAMES.values()),),
        fields=_NAMES,
        names=_NAMES,
        sample="""object_id,account_id,content_id,timestamp_share
https://valley-herald.example/water,u1,p1,1709632800
https://valley-herald.example/water,u2,p2,1709632860
""",
        checked="CooRTweet's documentation and its example data",
    ),
)
