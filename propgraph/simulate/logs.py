"""Numbers to names: a log as platforms export it, whose ids tell nothing about roles."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from propgraph.arrays.types import Int64
from propgraph.schema import ID, TIME
from propgraph.simulate.draws import START, Rng, Words
from propgraph.simulate.posts import CHATTER, KINDS, LINKS, REMARKS, RESHARE, SLOGANS, Posts
from propgraph.simulate.press import NEWSROOM_SITE, Press, coin_words
from propgraph.simulate.world import World
from propgraph.traces.urls import canonicalise_urls

ISO = "%Y-%m-%dT%H:%M:%SZ"


def number_accounts(rng: Rng, n: int) -> tuple[pl.Series, pl.Series]:
    """Return ids and names of `n` accounts, in an order that tells nothing about roles."""
    account_ids = id_series("a", rng.permutation(n), 5)
    coins = coin_words(rng, 2000)
    names = [
        coins[i].capitalize() + str(j)
        for i, j in zip(rng.integers(0, 2000, n), rng.integers(1, 99, n), strict=True)
    ]
    return account_ids, pl.Series(names)


def log_frame(
    world: World,
    log: Posts,
    *,
    accounts: tuple[pl.Series, pl.Series],
    tokens: Sequence[str] = (),
    true_parents: bool = False,
    columns: Mapping[str, pl.Series] | None = None,
) -> pl.DataFrame:
    """Write posts as rows of a log, sorted by time.

    Parameters
    ----------
    world
        Who posts, and what there is to link to.
    log
        The posts.
    accounts
        Ids and names, as `number_accounts` gives them.
    tokens
        What stands behind the path of links beyond `LINKS`.
    true_parents
        Name the post that was seen as the parent, instead of the root as most platforms do.
    columns
        Further columns, or values that take the place of a column's where they are not null; in the order of `log`.
    """
    people, (account_ids, names) = world.people, accounts
    order = np.argsort(log.time, kind="stable")
    rank = np.empty(log.n, dtype=np.int64)
    rank[order] = np.arange(log.n)
    content_ids = id_series("p", np.arange(log.n), 7)
    post = log.take(order)
    origin = np.where(post.root < 0, -1, log.account[post.root])
    source = np.where(post.kind == RESHARE, post.root, order)
    parent = np.where((post.parent < 0) | (not true_parents), post.root, post.parent)
    group_ids = id_series("g", np.arange(max(0, int(log.group.max())) + 1), 3)
    frame = pl.DataFrame(
        {
            "content_id": content_ids,
            "account_id": _look_up(account_ids, post.account),
            "account_name": _look_up(names, post.account),
            "account_created_at": times(people.created[post.account]),
            "followers": people.followers[post.account],
            "timestamp": times(post.time),
            "kind": _look_up(pl.Series(KINDS), post.kind),
            "parent_content_id": _look_up(content_ids, np.where(parent < 0, -1, rank[parent])),
            "origin_account_id": _look_up(account_ids, origin),
            "target_id": _look_up(group_ids, post.group),
            "url": _urls(world.press, log.take(source), tokens),
            "text": _texts(world.press, post),
            "platform": pl.Series(["simulated"]).new_from_index(0, log.n),
        }
    )
    for name, values in (columns or {}).items():
        own = values.gather(order)
        frame = frame.with_columns(
            pl.coalesce(own, frame[name]).alias(name) if name in frame.columns else own.alias(name)
        )
    return frame


def id_series(letter: str, number: Int64, width: int) -> pl.Series:
    """Return ids: a letter and the number, padded with zeros to `width` digits."""
    return pl.Series([f"{letter}{i:0{width}d}" for i in number.tolist()], dtype=ID)


def _look_up(values: pl.Series, index: Int64) -> pl.Series:
    """Return `values` at `index`; null where it is -1."""
    where: Any = pl.Series(index).set(pl.Series(index < 0), None)
    return values.gather(where)


def times(seconds: Int64) -> pl.Series:
    """Return seconds since `START` as times."""
    start = int(START.timestamp()) * 1000
    return pl.Series(start + seconds * 1000).cast(TIME)


def _urls(press: Press, post: Posts, tokens: Sequence[str]) -> pl.Series:
    """Return the links as written; null where the post has none."""
    before = pl.Series([link[0] for link in LINKS] + ["http://"] * len(tokens))
    after = pl.Series([link[1] for link in LINKS] + list(tokens))
    parts = pl.DataFrame(
        {
            "before": _look_up(before, post.link),
            "site": _look_up(
                pl.Series(press.site), np.where(post.article < 0, -1, press.article_site[post.article])
            ),
            "path": _look_up(_slugs(press), post.article),
            "after": _look_up(after, post.link),
        }
    )
    return parts.select(url=pl.format("{}{}/{}{}", "before", "site", "path", "after")).to_series()


def article_links(press: Press, article: Int64) -> pl.Series:
    """Return the canonical links of articles, as `shares.object_id` has them."""
    slugs = _slugs(press)
    links = [f"https://{press.site[press.article_site[i]]}/{slugs[i]}" for i in article.tolist()]
    written = pl.DataFrame({"raw": links}, schema={"raw": ID})
    known = canonicalise_urls(written["raw"])
    return written.join(known, on="raw", how="left", maintain_order="left")["url"]


def article_urls(press: Press) -> pl.Series:
    """Return the address of every article, as its site writes it."""
    site = pl.Series(press.site).gather(press.article_site)
    return pl.select(pl.format("https://www.{}/{}", site, _slugs(press))).to_series()


def _slugs(press: Press) -> pl.Series:
    """Return what stands behind the site in each article's link."""
    names = [headline.lower().replace(" ", "-") for headline in press.headline.tolist()]
    return pl.Series([f"{name}-{i}" for i, name in enumerate(names)], dtype=ID)


def _texts(press: Press, post: Posts) -> pl.Series:
    """Return a remark and the headline, or chatter where there is no link; null for reshares."""
    linked, reshared = post.article >= 0, post.kind == RESHARE
    remark = _look_up(pl.Series(REMARKS + SLOGANS), np.where(linked, post.text, -1))
    headline = _look_up(pl.Series(press.headline), post.article)
    chatter = _look_up(pl.Series(CHATTER), np.where(linked | reshared, -1, post.text))
    return (remark + headline).fill_null(chatter)


def roles_and_groups(world: World, lit: Int64) -> tuple[Words, Words]:
    """Return each account's role and the group it acts with, as truth tables tell them; `lit` broke the story."""
    people = world.people
    took_part = np.zeros(people.role.size, dtype=np.bool_)
    took_part[lit] = True
    role = np.where(took_part & (people.role == "organic"), "breaking", people.role)
    group = np.array([f"community{i:02d}" for i in people.community.tolist()], dtype="<U40")
    group[role == "breaking"] = "breaking"
    group[role == "newsroom"] = world.press.site[NEWSROOM_SITE]
    group[role == "fan"] = "fanclub"
    return role, group


def write_log(folder: str | Path, name: str, log: pl.DataFrame, /) -> None:
    """Write a log into `folder` as `NAME.parquet` (zstd) and `NAME.csv.gz` (times in ISO 8601).

    The same log gives the same bytes. The folder is made when it is not there; files of these names are replaced.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    log.write_parquet(folder / f"{name}.parquet", compression="zstd", compression_level=19)
    _write_packed(folder / f"{name}.csv.gz", log)


def file_of(name: str, table: pl.DataFrame) -> str:
    """Return the name of a table's file: CSV, packed where the table has texts."""
    return f"{name}.csv.gz" if "text" in table.columns else f"{name}.csv"


def write_table(folder: str | Path, name: str, table: pl.DataFrame, /) -> None:
    """Write a table beside a log, as `file_of` names it; times in ISO 8601."""
    path = Path(folder) / file_of(name, table)
    if path.suffix == ".gz":
        _write_packed(path, table)
    else:
        table.write_csv(path, datetime_format=ISO)


def _write_packed(path: Path, table: pl.DataFrame) -> None:
    packed = io.BytesIO()
    # Neither a time nor a name in the gzip header, or the same log would give other bytes tomorrow.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(table.write_csv(datetime_format=ISO).encode())
    path.write_bytes(packed.getvalue())
