"""Reddit: submissions and comments as Pushshift and Arctic Shift archive them, or a table of the same fields.

A comment is a reply, a crosspost a reshare of the submission that it names. Ids are written with the prefix
that tells submissions (`t3_`) from comments (`t1_`), since both count on their own.

Traps. `[deleted]` stands for everyone who left Reddit: it would be one tireless account that shares
everything with itself. Each such post gets an account of its own, `[deleted] t3_abc`, so that it still
counts as a share and may be the original of others, but ties nobody together; the number of accounts is too
high by as many. A self post's `url` is its own page and no link, nor is that of an image or video kept by
Reddit. Texts and links are written as for HTML (`&amp;`).
"""

import polars as pl

from propgraph.readers.base import Reader, filled, is_yes, unescaped
from propgraph.readers.values.markdown import links_in, without_links
from propgraph.schema import ID

_NOBODY = "[deleted]"
# What stands in place of a text that is gone: [deleted], [removed], [deleted by user], [ Removed by Reddit ].
_GONE = r"(?i)^\[ ?(?:deleted|removed)(?: by \w+)? ?\]$"
_OWN_MEDIA = r"(?i)^https?://(?:(?:i|v|preview|external-preview)\.redd\.it|(?:\w+\.)?reddit\.com/gallery)/|^/"
_NAME = r"(?:^|[^\w/])/?u/[\w-]+"
# What is read of a crosspost's original.
_OF_ORIGINAL = ("author", "created_utc", "title", "selftext")


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    is_comment = filled("link_id").is_not_null()
    own = _prefixed(filled("id"), pl.when(is_comment).then(pl.lit("t1_")).otherwise(pl.lit("t3_")))
    parent = filled("crosspost_parent")
    is_reshare = parent.is_not_null() & ~is_comment
    # A binary file may keep this list as one; what stands in it is not read then.
    is_json = frame.schema["crosspost_parent_list"] == ID
    listed = pl.col("crosspost_parent_list") if is_json else pl.lit(None, ID)
    original = {name: _filled(listed.str.json_path_match(f"$[0].{name}")) for name in _OF_ORIGINAL}
    own_text = _text(filled("title"), pl.coalesce(filled("body"), filled("selftext")))
    text = pl.coalesce(_text(original["title"], original["selftext"]), own_text)
    return frame.select(
        content_id=own,
        account_id=_account(filled("author"), own),
        timestamp="created_utc",
        kind=pl.when(is_comment).then(pl.lit("reply")).when(is_reshare).then(pl.lit("reshare"))
        .otherwise(pl.lit("original")),
        parent_content_id=pl.when(is_comment).then(filled("parent_id")).otherwise(parent),
        parent_timestamp=original["created_utc"],
        origin_account_id=_account(original["author"], parent),
        target_id="subreddit",
        text=text,
        urls=pl.concat_list(_link(own, parent), links_in(text)).list.drop_nulls().list.unique(maintain_order=True),
        mentions=without_links(text).str.extract_all(_NAME).list.eval(pl.element().str.extract(r"u/([\w-]+)$")),
        sponsor=pl.when(is_yes("promoted")).then(pl.lit("yes")),
        account_created_at=filled("author_created_utc"),
        platform=pl.lit("reddit"),
    )  # fmt: skip


def _filled(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_bytes() > 0).then(text)


def _prefixed(post: pl.Expr, prefix: pl.Expr) -> pl.Expr:
    """Return a post's id with its prefix, null for what is no id."""
    whole = pl.when(post.str.contains(r"^t\d_")).then(post).otherwise(pl.concat_str(prefix, post))
    return pl.when(post.str.contains(r"^\w+$")).then(whole)


def _account(author: pl.Expr, post: pl.Expr) -> pl.Expr:
    """Return the author; of those who are nobody, one account for each post."""
    return pl.when(author == _NOBODY).then(pl.format(f"{_NOBODY} {{}}", post)).otherwise(author)


def _text(title: pl.Expr, body: pl.Expr) -> pl.Expr:
    """Return title and body, each if it is still there, as people read them; null for neither."""
    there = [pl.when(~part.str.contains(_GONE)).then(part) for part in (title, body)]
    return _filled(unescaped(pl.concat_str(there, separator="\n\n", ignore_nulls=True)))


def _link(own: pl.Expr, parent: pl.Expr) -> pl.Expr:
    """Return what a submission links to, null for its own or its crosspost's page and Reddit's own media."""
    link = unescaped(pl.coalesce(filled("url_overridden_by_dest"), filled("url")))
    is_page = pl.any_horizontal(
        (link + "/").str.contains(pl.format("/comments/{}/", post.str.replace(r"^t\d_", "")), literal=True)
        for post in (own, parent)
    )
    is_own = is_yes("is_self") | is_page.fill_null(False) | link.str.contains(_OWN_MEDIA)
    return pl.when(~is_own).then(link)


READERS: tuple[Reader, ...] = (
    Reader(
        name="reddit",
        title="Reddit submissions and comments (Pushshift, Arctic Shift): NDJSON, or a table of the same fields",
        layouts=(
            ("id", "author", "created_utc", "subreddit", "title"),
            ("id", "author", "created_utc", "subreddit", "body", "link_id", "parent_id"),
        ),
        uses=(
            "selftext", "url", "url_overridden_by_dest", "is_self", "crosspost_parent", "crosspost_parent_list",
            "promoted", "author_created_utc",
        ),
        fields={
            "content_id": "id, with t3_ before a submission's and t1_ before a comment's",
            "account_id": "author; where that is [deleted], [deleted] and the post's id",
            "timestamp": "created_utc",
            "kind": "reply of a comment, reshare where crosspost_parent is filled, else original",
            "parent_content_id": "parent_id of a comment, crosspost_parent of a submission",
            "parent_timestamp": "crosspost_parent_list[0].created_utc",
            "origin_account_id": "crosspost_parent_list[0].author",
            "target_id": "subreddit",
            "text": "title and selftext (of a crosspost those of crosspost_parent_list[0]), or body",
            "urls": "url_overridden_by_dest, else url, if it leads away from the post and from Reddit's own "
            "media; then the links in the text",
            "mentions": "u/name in the text",
            "sponsor": "yes where promoted is true",
            "account_created_at": "author_created_utc",
            "platform": "reddit",
        },
        posts=_posts,
        texts=("title", "body", "selftext"),
        sample="""{"id": "1b70aaa", "author": "ana", "created_utc": 1709632800, "subreddit": "valley", \
"title": "They shut the water off", "selftext": "", "is_self": false, \
"url": "https://valley-herald.example/water"}
{"id": "kt10bbb", "author": "ben", "created_utc": 1709632860, "subreddit": "valley", \
"body": "Is this true?", "link_id": "t3_1b70aaa", "parent_id": "t3_1b70aaa"}
""",
        checked="Arctic Shift's schemas of all dumps since 2005 (schemas/RS.ts, schemas/RC.ts): all names. That "
        "dumps write &amp; for & in links and texts is taken from Reddit's API; the words for a text that is gone "
        "are not all verified.",
    ),
)  # fmt: skip
