"""Meta Content Library: posts on Facebook and Instagram, as CSV downloads or as rows of its API's answers.

The columns have dots in their names (`post_owner.id`), and so have the objects of the API when they are
read here. Ids are the library's own, not Facebook's. The API leaves `text` out unless asked for it, and sends
ids as numbers: saved as floating point numbers they lose their last digits, and such rows are rejected.

Who made a post (`post_owner`) and where it stands (`surface`) differ for posts into groups; the surface is
then the target. Of a reshare only the original's id is given, not whose it is. A reshare with a text of its
own is a quote. Threads is in the library, but Meta names no fields for it.
"""

import polars as pl

from propgraph.readers.base import Reader, filled, is_yes

_OWN_MEDIA = r"(?i)^https?://(?:(?:www|web|m|mobile|[a-z]{2}-[a-z]{2})\.)?(?:facebook\.com|fb\.watch|instagram\.com)(?:[/?#]|$)"
_USES = (
    "mcl_url", "text", "lang", "shared_post_id", "hashtags", "link_attachment.link", "post_owner.type",
    "post_owner.name", "post_owner.username", "surface.name", "is_branded_content", "branded_content_page_id",
)  # fmt: skip
_OF_FACEBOOK = ("page", "profile", "group", "event")
_OF_INSTAGRAM = ("business", "creator", "personal")


def _known(name: str) -> pl.Expr:
    """Return a post's words, null where R, in which many analyse the library, wrote NA."""
    text = filled(name)
    return pl.when(text != "NA").then(text)


def _posts(frame: pl.DataFrame) -> pl.DataFrame:
    owner, surface, text = filled("post_owner.id"), filled("surface.id"), _known("text")
    owner_name = pl.coalesce(filled("post_owner.username"), filled("post_owner.name"))
    shared, link = filled("shared_post_id"), filled("link_attachment.link")
    kind = (
        pl.when(shared.is_null()).then(pl.lit("original"))
        .when(text.is_null()).then(pl.lit("reshare"))
        .otherwise(pl.lit("quote"))
    )  # fmt: skip
    return frame.select(
        content_id="id",
        account_id=pl.coalesce(owner, surface),
        account_name=pl.when(owner.is_not_null()).then(owner_name).otherwise(filled("surface.name")),
        timestamp="creation_time",
        kind=kind,
        parent_content_id=shared,
        target_id=pl.when(surface.ne_missing(owner)).then(surface),
        url=pl.when(~link.str.contains(_OWN_MEDIA)).then(link),
        hashtags=filled("hashtags"),
        text=text,
        language=filled("lang"),
        platform=_platform(),
        sponsor=pl.when(is_yes("is_branded_content")).then(
            pl.coalesce(filled("branded_content_page_id"), pl.lit("yes"))
        ),
    )


def _platform() -> pl.Expr:
    kind_of_owner = filled("post_owner.type").str.to_lowercase()
    return pl.coalesce(
        filled("mcl_url").str.extract(r"/(facebook|instagram|threads)/"),
        pl.when(kind_of_owner.is_in(_OF_FACEBOOK)).then(pl.lit("facebook")),
        pl.when(kind_of_owner.is_in(_OF_INSTAGRAM)).then(pl.lit("instagram")),
        pl.when(filled("surface.id").is_not_null()).then(pl.lit("facebook")),
    )


READERS: tuple[Reader, ...] = (
    Reader(
        name="meta-content-library",
        title="Meta Content Library, Facebook and Instagram (id, creation_time, post_owner.id, surface.id, ...)",
        layouts=(("id", "creation_time", "post_owner.id"), ("id", "creation_time", "surface.id")),
        uses=_USES,
        fields={
            "content_id": "id",
            "account_id": "post_owner.id; where the library withholds it, surface.id",
            "account_name": "post_owner.username, else post_owner.name",
            "timestamp": "creation_time",
            "kind": "where shared_post_id is filled: quote with a text, else reshare; else original",
            "parent_content_id": "shared_post_id",
            "target_id": "surface.id where it is not the owner: the group (or page, event) posted into",
            "url": "link_attachment.link unless it leads to Facebook or Instagram itself",
            "hashtags": "hashtags",
            "text": "text",
            "language": "lang",
            "platform": "facebook or instagram, by mcl_url or post_owner.type",
            "sponsor": "branded_content_page_id, else yes where is_branded_content",
        },
        posts=_posts,
        texts=("text", "hashtags"),
        sample="""id,creation_time,text,lang,shared_post_id,link_attachment.link,post_owner.id,post_owner.name,\
surface.id,surface.name,surface.type
501,2024-03-05T10:00:00+0000,Look,en,,https://valley-herald.example/water,1001,Ana's News,1001,Ana's News,page
502,2024-03-05T10:01:00+0000,,,501,,1002,Ben,2002,River Talk,group
""",
        checked="Meta's data dictionary and field notes that others published of the API's live answers and schema "
        "(developers.facebook.com, Content Library; post_owner, surface, shared_post_id, link_attachment.link, "
        "branded_content_page_id, statistics.*), public code on CSV downloads (mcl_url, hashtags, "
        "is_branded_content). Not verified: how hashtags are written in a CSV, whether the text of a reshare "
        "is always the sharer's own, whether its owner is the sharer on every surface, anything of Threads",
    ),
)
