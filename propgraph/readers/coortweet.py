"""CooRTweet's layout: one row for each post and object it shares."""

from propgraph.readers.base import Reader, renamed

READER = Reader(
    name="coortweet",
    title="CooRTweet (object_id, account_id, content_id, timestamp_share)",
    needs=("object_id", "account_id", "content_id", "timestamp_share"),
    posts=renamed(
        object_id="object_id", account_id="account_id", content_id="content_id", timestamp="timestamp_share"
    ),
)
