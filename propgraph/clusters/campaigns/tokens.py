"""Which clusters' links carry tracking tokens that hardly anybody else's do: a recruiter's, or a family of such."""

from __future__ import annotations

import polars as pl

#: A token counts from two links on, for one link is copied with all that hangs on it; among others it is rare if one in
#: twenty carry it at most, where there are twenty others with tokens or more.
LINKS, OTHERS = 2, 20
_RARE = 0.05


def common_tokens(carried: pl.DataFrame, members: pl.DataFrame, /) -> pl.DataFrame:
    """Return which clusters' members carry tokens that are their own.

    A token, or a family of tokens numbered on (one text, numbers of one length), is a cluster's own where half of the
    members or more carry it over two links each or more, where half of all who carry it are in such clusters, and one
    in twenty of all others whose links carry tokens, at most, carries it, too. What a reshare carries is another's.

    Parameters
    ----------
    carried
        Who carries which tokens (see `carried_tokens`).
    members
        `account_id`, `cluster`.

    Returns
    -------
    pl.DataFrame
        `mark` (the token or family), `cluster`, `tokens` (list of String, those carried, most carried first, at most
        three).
    """
    if carried.is_empty():
        return pl.DataFrame(schema={"mark": pl.String, "cluster": pl.UInt32, "tokens": pl.List(pl.String)})
    marked = carried.join(members.select("account_id", "cluster"), on="account_id", how="left")
    size = members.group_by("cluster").agg(size=pl.len())
    busy = marked.group_by("mark", "cluster", "account_id").agg(n_links=pl.col("n_links").sum())
    own = (
        busy.filter(pl.col("n_links") >= LINKS, pl.col("cluster").is_not_null())
        .group_by("mark", "cluster")
        .len("n")
        .join(size, on="cluster")
        .filter(pl.col("n") * 2 >= pl.col("size"))
        .select("mark", "cluster")
    )
    rare = _rare(busy, own, n_accounts=carried["account_id"].n_unique())
    examples = (
        marked.group_by("mark", "cluster", "token")
        .agg(n=pl.col("account_id").n_unique())
        .sort(["n", "token"], descending=[True, False])
        .group_by("mark", "cluster", maintain_order=True)
        .agg(tokens=pl.col("token").head(3))
    )
    return (
        own.join(rare, on="mark", how="semi").join(examples, on=["mark", "cluster"]).sort("mark", "cluster")
    )


def _rare(busy: pl.DataFrame, own: pl.DataFrame, *, n_accounts: int) -> pl.DataFrame:
    """Return the `mark`s that hardly anybody carries beside the clusters whose own they may be."""
    size_inside = (
        busy.select("cluster", "account_id").unique().drop_nulls().group_by("cluster").len("n_inside")
    )
    inside = own.join(size_inside, on="cluster").group_by("mark").agg(pl.col("n_inside").sum())
    carriers = busy.group_by("mark").agg(n=pl.col("account_id").n_unique().cast(pl.Int64))
    of_own = busy.join(own, on=["mark", "cluster"], how="semi").group_by("mark").len("n_own")
    others = pl.lit(n_accounts) - pl.col("n_inside").cast(pl.Int64)
    beside = pl.col("n") - pl.col("n_own").cast(pl.Int64)
    return (
        carriers.join(of_own, on="mark")
        .join(inside, on="mark")
        .filter(others >= OTHERS, beside <= _RARE * others, pl.col("n_own") * 2 >= pl.col("n"))
        .select("mark")
    )
