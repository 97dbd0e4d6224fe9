"""What is compared of a study: its clusters, who is in them, and what these and all others do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from propgraph.errors import InputError
from propgraph.study import Study, opened

#: Traces that say the same of an account as another one does, or what is shared by strangers all the time.
_LEFT_OUT = ("fast-reshare", "mention", "reply", "order", "hashtag-sequence")


@dataclass(frozen=True)
class Side:
    """A study, before or after.

    Attributes
    ----------
    study
        The study.
    clusters
        `subject_type` (cluster, campaign), `id`, `flagged`, `score`, `n`, in the order of the tables.
    members
        `subject_type`, `id`, `account_id`; each account once in each.
    accounts
        `account_id`, `n_posts`, `last_seen`.
    """

    study: Study
    clusters: pl.DataFrame
    members: pl.DataFrame
    accounts: pl.DataFrame

    @property
    def end(self) -> datetime | None:
        """When the last post of the log was made."""
        end: datetime | None = self.accounts["last_seen"].max()  # type: ignore[assignment]
        return end

    def of(self, subject_type: str, /) -> dict[str, frozenset[str]]:
        """Return the members of each cluster or campaign, by id, in the order of the tables."""
        rows = self.members.filter(subject_type=subject_type)
        lists = dict(rows.group_by("id", maintain_order=True).agg("account_id").iter_rows())
        names = self.clusters.filter(subject_type=subject_type)["id"].to_list()
        return {name: frozenset(lists.get(name, ())) for name in names}


def side_of(study: Study | str | Path, /) -> Side:
    """Return what is compared of a study; raise `StudyError` where it has no clusters."""
    found = opened(study)
    clusters, members, campaigns = found.clusters, found.members, found.campaigns
    of_clusters = members.select(
        pl.lit("cluster").alias("subject_type"), id="cluster_id", account_id="account_id"
    )
    parts = campaigns.select(id="campaign_id", cluster_id="cluster_ids").explode("cluster_id")
    of_campaigns = (
        members.select("cluster_id", "account_id").join(parts, on="cluster_id", maintain_order="left")
        .select(pl.lit("campaign").alias("subject_type"), "id", "account_id").unique(maintain_order=True)
    )  # fmt: skip
    kinds = [
        clusters.select(pl.lit("cluster").alias("subject_type"), "flagged", "score", id="cluster_id", n="n_accounts"),
        campaigns.select(
            pl.lit("campaign").alias("subject_type"), "score", flagged=pl.col("n_flagged") > 0, id="campaign_id",
            n="n_accounts",
        ).select("subject_type", "flagged", "score", "id", "n"),
    ]  # fmt: skip
    return Side(
        found, pl.concat(kinds), pl.concat([of_clusters, of_campaigns]),
        found.accounts.select("account_id", "n_posts", "last_seen"),
    )  # fmt: skip


def check_same_names(before: Study, after: Study, /) -> None:
    """Raise `InputError` where accounts cannot have the same name in both, for they are pseudonyms by two keys."""
    keys = [study.run["build"].get("pseudonyms", {}).get("key_fingerprint") for study in (before, after)]
    if keys[0] != keys[1]:
        raise InputError(
            f"{before.path} and {after.path}: their accounts have pseudonyms by different keys, or only "
            "one has any, so that nobody is found again; build both with the same --key (in Python: key=)"
        )


def doings(side: Side, /) -> pl.DataFrame:
    """Return what accounts did: `account_id`, `kind`, `item`, each once; see `COMPARISON`."""
    study = side.study
    shares = study.scan("shares")
    shared = shares.filter(~pl.col("trace").is_in(_LEFT_OUT)).select(
        "account_id", kind=pl.col("trace").replace({"near-text": "text"}), item="object_id"
    )
    tokens = (
        shares.filter(pl.col("tokens").is_not_null())
        .select("account_id", kind=pl.lit("token"), item=pl.col("tokens").str.split("&"))
        .explode("item")
    )
    posts = study.scan("posts")
    others = [
        posts.filter(pl.col(column).is_not_null()).select("account_id", kind=pl.lit(kind), item=column)
        for column, kind in (("target_id", "group"), ("origin_account_id", "origin"))
    ]
    return pl.concat([shared, tokens, *others]).unique().sort("kind", "item", "account_id").collect()


def hours(side: Side, /) -> pl.DataFrame:
    """Return how many posts each account made in each of 48 hours: `account_id`, `hour` (weekends: 24 and on), `n`."""
    when = pl.col("timestamp")
    hour = when.dt.hour().cast(pl.Int64) + 24 * (when.dt.weekday() > 5).cast(pl.Int64)
    return (
        side.study.scan("posts").unique("content_id").group_by("account_id", hour=hour).agg(n=pl.len())
        .sort("account_id", "hour").collect()
    )  # fmt: skip
