"""Recruiters' tokens: tracking tokens that one group of accounts, and hardly anybody else, carries to several sites."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from propgraph.arrays.p_values import false_discovery_rate, hypergeometric_tail
from propgraph.clusters.campaigns.carried import carried_tokens, posts_with_tokens
from propgraph.clusters.campaigns.tokens import LINKS, OTHERS
from propgraph.clusters.declared import WHO, folded
from propgraph.clusters.judge import Judged
from propgraph.clusters.rules.hired import PURITY, RECRUITER_TOKEN, said_of_token
from propgraph.options import ClusterOptions
from propgraph.schema import EVIDENCE, RECRUITERS
from propgraph.study import Study
from propgraph.words.said import said

#: What is asked of a token: so many accounts of one group that each take it to two sites or more, so many sites in all,
#: none of which makes more than so much of its links; and `PURITY`, how much of its accounts are of the group.
ACCOUNTS, SITES, OWNED = 5, 3, 0.8
_SHOWN, _EXAMPLES = 20, 6
# What tokens say of themselves, as whole words of the parameter or the value.
_TOOLS = (
    "dlvr.it", "dlvrit", "buffer", "hootsuite", "twitterfeed", "ifttt", "zapier", "tweetdeck", "socialflow", "sprout",
    "sprinklr", "socialbakers", "echobox", "trueanthem", "missinglettr", "postplanner", "meetedgar", "fanpagekarma",
    "swat.io", "publer", "metricool", "feedly", "flipboard", "rss", "feedburner",
)  # fmt: skip
_LETTERS = (
    "newsletter",
    "newsletters",
    "email",
    "mail",
    "mailchimp",
    "mailing",
    "substack",
    "mc_cid",
    "mc_eid",
)
_BUTTONS = (
    "share", "sharebutton", "socialshare", "sharebar", "share_btn", "addtoany", "sharethis", "addthis", "copylink",
    "copyurl", "sr_share", "web_share", "mobile_share",
)  # fmt: skip
_NETWORKS = (
    "twitter", "facebook", "whatsapp", "telegram", "instagram", "linkedin", "reddit", "pinterest", "youtube", "tiktok",
    "fb", "tw", "social", "socialmedia", "social_media",
)  # fmt: skip


def find_recruiters(
    *, study: Study, members: pl.DataFrame, table: pl.DataFrame, options: ClusterOptions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return who carries which tokens, and the clusters' figures with the surest token of each.

    Parameters
    ----------
    study, members
        The study; `account_id`, `cluster`.
    table
        A row for each `cluster`; no column where there is no cluster.
    options
        `q`: the false discovery rate up to which a token counts.

    Returns
    -------
    tuple of pl.DataFrame
        As from `carried_tokens`; and `table` with `recruiter` (what `marks_of` and `homes_of` tell of it; null where
        there is none) and `token_posts` (ids of posts with it by different accounts).
    """
    carried = carried_tokens(study)
    if table.is_empty():
        return carried, table
    marks = marks_of(carried)
    groups = members.select("account_id", group="cluster")
    homes = homes_of(carried, groups, marks).drop_nulls("group")
    sure = (
        homes.join(marks, on="mark")
        .filter(is_recruiters(q=options.q))
        .sort(["group", "n_inside", "kind", "mark"], descending=[False, True, True, False])
        .unique("group", keep="first", maintain_order=True)
    )
    posts = posts_of_homes(study, carried, sure.select("mark", "group"), groups)
    found = sure.join(posts, on="group", how="left").select(
        cluster="group", recruiter=pl.struct(pl.exclude("group", "content_ids")), token_posts="content_ids"
    )
    return carried, table.join(found, on="cluster", how="left", maintain_order="left")


def is_recruiters(*, q: float) -> pl.Expr:
    """Return whether a row of `marks_of` and `homes_of` together is what a recruiter's token looks like."""
    return (
        (pl.col("n_inside") >= ACCOUNTS)
        & (pl.col("n_roaming") >= ACCOUNTS)
        & (pl.col("n_sites") >= SITES)
        & (pl.col("top_site_share") <= OWNED)
        & (pl.col("purity") >= PURITY)
        & (pl.col("q_value").fill_null(1.0) <= q)
        & pl.col("says").is_null()
    )


def carriers_of(carried: pl.DataFrame, /) -> pl.DataFrame:
    """Return `mark, account_id, n_sites` of the accounts that carry a token or family over two links or more.

    One link alone is copied with all that hangs on it.
    """
    return (
        carried.group_by("mark", "account_id")
        .agg(n_links=pl.col("n_links").sum(), n_sites=pl.col("site").n_unique())
        .filter(pl.col("n_links") >= LINKS)
        .select("mark", "account_id", "n_sites")
    )


def marks_of(carried: pl.DataFrame, /) -> pl.DataFrame:
    """Return each token and family that five accounts or more carry over two links or more.

    Parameters
    ----------
    carried
        As from `carried_tokens`.

    Returns
    -------
    pl.DataFrame
        `mark`, `kind`, `parameters`, `values` (lists, the most carried first, at most six), `n_accounts`, `n_sites`,
        `n_links` (one an account and URL), `top_site`, `top_site_share` (of these links), `says` (`tool`,
        `newsletter`, `share button`, `network`, `volunteers`: what it calls itself; else null).
    """
    n = (
        carriers_of(carried)
        .group_by("mark")
        .agg(n_accounts=pl.len())
        .filter(pl.col("n_accounts") >= ACCOUNTS)
    )
    kept = carried.join(n, on="mark", how="semi")
    sites = kept.group_by("mark", "site").agg(links=pl.col("n_links").sum())
    sites = sites.sort(["mark", "links", "site"], descending=[False, True, False])
    totals = sites.group_by("mark", maintain_order=True).agg(
        n_sites=pl.col("site").drop_nulls().n_unique(), n_links=pl.col("links").sum(), top_site=pl.col("site").first(),
        top_site_share=pl.col("links").first() / pl.col("links").sum(),
    )  # fmt: skip
    parts = pl.col("token").str.splitn("=", 2)
    words = (
        kept.group_by("mark", "kind", "token")
        .agg(links=pl.col("n_links").sum())
        .sort(["mark", "links", "token"], descending=[False, True, False])
        .with_columns(parameter=parts.struct[0], value=parts.struct[1])
        .group_by("mark", "kind", maintain_order=True)
        .agg(
            parameters=pl.col("parameter").unique(maintain_order=True).head(_EXAMPLES),
            values=pl.col("value").drop_nulls().unique(maintain_order=True).head(_EXAMPLES),
        )
    )
    return words.join(n, on="mark").join(totals, on="mark").with_columns(says=_says()).sort("kind", "mark")


def _says() -> pl.Expr:
    """Return what a token calls itself, by the words of its parameters and values."""
    text = pl.concat_list("parameters", "values").list.join(" ").str.to_lowercase()
    who = "|".join(sorted({form for forms in WHO.values() for form in forms}))
    of = {
        "volunteers": folded(text).str.contains(rf"(?:^| )(?:{who})"),
        "tool": text.str.contains(_whole_words(_TOOLS)),
        "newsletter": text.str.contains(_whole_words(_LETTERS)),
        "share button": text.str.contains(_whole_words(_BUTTONS)),
        "network": text.str.contains(_whole_words(_NETWORKS)),
    }
    return pl.coalesce(pl.when(there).then(pl.lit(name)) for name, there in of.items())


def _whole_words(words: tuple[str, ...]) -> str:
    escaped = "|".join(word.replace(".", r"\.") for word in words)
    return rf"(?:^|[^\p{{L}}\p{{N}}])(?:{escaped})(?:$|[^\p{{L}}\p{{N}}])"


def homes_of(carried: pl.DataFrame, groups: pl.DataFrame, marks: pl.DataFrame, /) -> pl.DataFrame:
    """Return the group (cluster or campaign) that holds most accounts of each token, and how surely it is its own.

    Parameters
    ----------
    carried, marks
        As from `carried_tokens` and `marks_of`.
    groups
        `account_id`, `group`, one group an account.

    Returns
    -------
    pl.DataFrame
        A row for each of `marks`: `mark`, `group` (null where none of its accounts is in any), `n_inside` (its accounts
        there), `n_roaming` (those that take it to two sites or more), `purity` (`n_inside` over all its accounts),
        `expected` (the group's part of all accounts whose links carry tokens), `p_value`, `q_value` (null where there
        are not twenty others with tokens).

    Notes
    -----
    The chance is hypergeometric, with the account for a unit, for links of one account are no independent draws: of all
    accounts that carry any token over two links, so many are the group's, and of these the token's are drawn. It is
    multiplied by the number of groups, of which the best was taken; the rate is over all tokens looked at. Clusters
    are found by links that their members share, tokens and all, so it is nominal where links were copied.
    """
    carriers = carriers_of(carried).join(groups, on="account_id", how="left")
    everybody = carriers.select("account_id", "group").unique()
    all_inside = everybody.drop_nulls("group").group_by("group").agg(n_group=pl.len())
    inside = (
        carriers.join(marks.select("mark"), on="mark", how="semi")
        .drop_nulls("group")
        .group_by("mark", "group")
        .agg(n_inside=pl.len().cast(pl.Int64), n_roaming=(pl.col("n_sites") > 1).sum().cast(pl.Int64))
        .sort(["mark", "n_inside", "group"], descending=[False, True, False])
        .unique("mark", keep="first", maintain_order=True)
        .join(all_inside, on="group")
    )
    home = marks.select("mark", n=pl.col("n_accounts").cast(pl.Int64)).join(inside, on="mark", how="left")
    n_all, n_groups = everybody.height, max(groups["group"].n_unique(), 1)
    home = home.with_columns(
        purity=pl.col("n_inside") / pl.col("n"), expected=pl.col("n_group") / max(n_all, 1)
    ).sort("mark")
    tested = home.filter(pl.col("n_inside").is_not_null(), n_all - pl.col("n_group").cast(pl.Int64) >= OTHERS)
    k, of_group, n = (tested[name].to_numpy().astype(np.int64) for name in ("n_inside", "n_group", "n"))
    p_values = np.minimum(hypergeometric_tail(k, of_group, n, n_all=n_all) * n_groups, 1.0)
    q_values = false_discovery_rate(p_values, n_tests=home.height)
    tests = tested.select("mark", p_value=pl.Series(p_values), q_value=pl.Series(q_values))
    return home.join(tests, on="mark", how="left", maintain_order="left").drop("n", "n_group")


def posts_of_homes(
    study: Study, carried: pl.DataFrame, homes: pl.DataFrame, groups: pl.DataFrame, /
) -> pl.DataFrame:
    """Return `group`, `content_ids`: posts with the token of each home, first one of each account, at most twenty.

    Parameters
    ----------
    study, carried
        The study, and who carries which tokens.
    homes
        `mark`, `group`.
    groups
        `account_id`, `group`.
    """
    if homes.is_empty():
        return pl.DataFrame(schema={"group": groups.schema["group"], "content_ids": pl.List(pl.String)})
    mine = carried.join(homes, on="mark").join(groups, on=["account_id", "group"], how="semi")
    wanted = mine.select("account_id", "token", "group").unique()
    posts = posts_with_tokens(study).join(wanted.lazy(), on=["account_id", "token"])
    return (
        posts.unique(["group", "content_id"], keep="any")
        .collect()
        .sort("group", "timestamp", "account_id", "content_id")
        .with_columns(turn=pl.int_range(pl.len()).over("group", "account_id"))
        .sort("group", "turn", maintain_order=True)
        .group_by("group", maintain_order=True)
        .agg(content_ids=pl.col("content_id").head(_SHOWN))
    )


def recruiters_table(
    *, study: Study, carried: pl.DataFrame, judged: Judged, campaigns: pl.DataFrame, options: ClusterOptions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `schema.RECRUITERS`, and the evidence for campaigns: tokens and families that are a whole campaign's own.

    Parameters
    ----------
    study, carried
        The study, and who carries which tokens.
    judged, campaigns
        Clusters with their ids, flags, readings and campaigns; the campaigns.
    options
        `q`: the false discovery rate up to which a token counts.
    """
    marks = marks_of(carried)
    if marks.is_empty():
        return RECRUITERS.empty(), EVIDENCE.empty()
    declared = pl.col("innocent").list.contains("activists")
    clusters = judged.clusters.select("cluster_id", "campaign_id", declared=declared)
    members = judged.members.select("account_id", "cluster_id").join(clusters, on="cluster_id", how="left")
    several = campaigns.filter(pl.col("n_clusters") > 1).select("campaign_id")
    groups = {
        "cluster": members.select("account_id", "declared", group="cluster_id"),
        "campaign": members.join(several, on="campaign_id", how="semi").select(
            "account_id", "declared", group="campaign_id"
        ),
    }
    homes = {name: _judged_homes(carried, of, marks, q=options.q) for name, of in groups.items()}
    table = _rows(carried, marks, homes, groups, clusters)
    return RECRUITERS.conform(table.select(*RECRUITERS.columns)), _of_campaigns(study, carried, table, groups)


def _judged_homes(
    carried: pl.DataFrame, groups: pl.DataFrame, marks: pl.DataFrame, *, q: float
) -> pl.DataFrame:
    """Return `homes_of`, with whether the token looks like a recruiter's there; not where the group says what it is."""
    declared = groups.group_by("group").agg(declared=pl.col("declared").all())
    homes = homes_of(carried, groups.select("account_id", "group"), marks)
    judged = homes.join(marks, on="mark").join(declared, on="group", how="left", maintain_order="left")
    fires = is_recruiters(q=q) & ~pl.col("declared").fill_null(False)
    return judged.select(*homes.columns, flagged=fires.fill_null(False))


def _rows(
    carried: pl.DataFrame, marks: pl.DataFrame, homes: Mapping[str, pl.DataFrame], groups: Mapping[str, pl.DataFrame],
    clusters: pl.DataFrame,
) -> pl.DataFrame:  # fmt: skip
    """Return a row for each token: at home in a cluster, or in the campaign that holds more of its accounts."""
    both = homes["cluster"].join(homes["campaign"], on="mark", suffix="_campaign")
    wider = ~pl.col("flagged") & (pl.col("n_inside_campaign").fill_null(0) > pl.col("n_inside").fill_null(0))
    figures = ("n_inside", "purity", "expected", "p_value", "q_value", "flagged")
    home = both.select(
        "mark",
        *(pl.when(wider).then(f"{name}_campaign").otherwise(name).alias(name) for name in figures),
        cluster_id=pl.when(~wider).then("group"),
        of_campaign=pl.when(wider).then("group_campaign"),
    )
    campaign = pl.coalesce("of_campaign", "campaign_id")
    table = (
        marks.join(home, on="mark")
        .join(clusters.select("cluster_id", "campaign_id"), on="cluster_id", how="left")
        .with_columns(campaign_id=campaign)
    )
    there = pl.concat([of.select("account_id", "group") for of in groups.values()])
    inside = (
        carriers_of(carried)
        .join(table.select("mark", group=pl.coalesce("cluster_id", "of_campaign")), on="mark")
        .join(there, on=["account_id", "group"], how="semi")
        .sort("mark", "account_id")
        .group_by("mark", maintain_order=True)
        .agg(account_ids="account_id")
    )
    return table.join(inside, on="mark", how="left").sort(
        ["flagged", "n_inside", "kind", "mark"], descending=[True, True, False, False], nulls_last=True
    )


def _of_campaigns(
    study: Study, carried: pl.DataFrame, table: pl.DataFrame, groups: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Return the evidence for campaigns of several clusters: the token or family that most of their accounts carry."""
    rows = (
        table.filter("flagged", pl.col("cluster_id").is_null())
        .sort(["campaign_id", "n_inside", "mark"], descending=[False, True, False])
        .unique("campaign_id", keep="first", maintain_order=True)
    )
    if rows.is_empty():
        return EVIDENCE.empty()
    homes = rows.select("mark", group="campaign_id")
    posts = posts_of_homes(study, carried, homes, groups["campaign"])
    rows = rows.join(posts, left_on="campaign_id", right_on="group", how="left", maintain_order="left")
    return EVIDENCE.conform(
        pl.DataFrame(
            [
                {
                    "subject_type": "campaign", "subject_id": row["campaign_id"], "rule": RECRUITER_TOKEN,
                    "value": row["purity"], "threshold": PURITY, "expected": row["expected"],
                    "content_ids": row["content_ids"],
                    **said_of_token(row, whose=said("rules.of-campaign")).as_columns(),
                }
                for row in rows.to_dicts()
            ],
            schema=EVIDENCE.dtypes,
        )
    )  # fmt: skip
