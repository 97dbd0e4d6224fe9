"""Operators: groups of three sites or more that look as if one hand pushed or ran them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from propgraph.arrays.holdings import Holdings
from propgraph.communities import detect_communities
from propgraph.networks import to_igraph
from propgraph.schema import COUNT, OPERATORS, SITE_PAIRS
from propgraph.sites.facts import owners_of
from propgraph.sites.names import templates
from propgraph.sites.pairs import Q, SitesOfLog, listed, pairs_of_sites

MIN_SITES = 3
FIRST_SHARERS, NAMES = "first-sharers", "names"
# Below 1, where modularity cuts one operator into its crews' favourites; two that share no crew stay two at any.
_RESOLUTION = 0.6
# What a tie weighs at most: a few sites of one registrant are else cut out of their operator's.
_MOST_WEIGHT = 2.0
_SEEDERS_TOLD = 50


@dataclass(frozen=True)
class Operators:
    """The operators of a log's sites.

    Attributes
    ----------
    pairs, operators
        `schema.SITE_PAIRS`, `schema.OPERATORS`.
    n_tests
        Pairs of sites that were compared.
    """

    pairs: pl.DataFrame
    operators: pl.DataFrame
    n_tests: int = 0


NO_OPERATORS = Operators(SITE_PAIRS.empty(), OPERATORS.empty())


def find_operators(
    sites: SitesOfLog, facts: pl.DataFrame, flagged: pl.DataFrame, /, *, seed: int = 0
) -> Operators:
    """Return the pairs of sites that anything ties, and the groups of three or more that these make.

    Two sites are tied where the same accounts share them first at a false discovery rate of 5 % (`shared_first`), or
    where both share a rare fact that identifies one hand. Among tied sites Leiden's modularity looks for groups,
    weighted by how sure a tie is; there pairs count that are shared first at a level of 5 % each, too.
    Names by one template and hosters tie nobody by themselves.

    Parameters
    ----------
    sites
        The sites of the log.
    facts
        `schema.SITE_FACTS`.
    flagged
        `account_id, cluster_id` of the members of flagged clusters.
    seed
        Of Leiden's order.
    """
    pairs = pairs_of_sites(sites, facts)
    group = _groups(pairs, seed=seed)
    ends = [group.rename({"site": end, "operator_id": f"of_{end}"}) for end in ("source", "target")]
    pairs = pairs.join(ends[0], on="source", how="left").join(ends[1], on="target", how="left")
    same = pl.col("of_source") == pl.col("of_target")
    pairs = pairs.with_columns(operator_id=pl.when(same).then("of_source")).drop("of_source", "of_target")
    pairs = pairs.sort("source", "target")
    if group.is_empty():
        return Operators(listed(pairs), OPERATORS.empty(), sites.shared.n_tests)
    table = (
        _ties(pairs, group)
        .join(_declared(group, facts), on="operator_id", how="left")
        .join(_named(group), on="operator_id", how="left")
        .join(_traffic(sites, group), on="operator_id", how="left")
        .join(_hands(sites, group, flagged), on="operator_id", how="left")
    )
    names = (
        pl.when(pl.col("name_template").is_not_null())
        .then(pl.lit([NAMES]))
        .otherwise(pl.lit([], pl.List(pl.String)))
    )
    table = table.with_columns(evidence=pl.concat_list("evidence", names))
    return Operators(listed(pairs), OPERATORS.conform(_by_number(table, "operator_id")), sites.shared.n_tests)


def _by_number(table: pl.DataFrame, name: str) -> pl.DataFrame:
    return table.sort(pl.col(name).str.slice(1).cast(pl.Int64))


def _groups(pairs: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Return `site, operator_id`, of groups of three tied sites or more."""
    tied = pairs.filter((pl.col("q_value") <= Q).fill_null(False) | pl.col("ties").fill_null(False))
    ends = pl.concat([tied["source"], tied["target"].alias("source")]).unique()
    among = pl.col("source").is_in(ends.implode()) & pl.col("target").is_in(ends.implode())
    weight = pl.min_horizontal("weight", pl.lit(_MOST_WEIGHT))
    edges = pairs.filter(among & (pl.col("weight") > 0)).select("source", "target", weight)
    if edges.is_empty():
        return pl.DataFrame(schema={"site": pl.String, "operator_id": pl.String})
    found = detect_communities(to_igraph(edges), resolution=_RESOLUTION, seed=seed, min_size=MIN_SITES)
    return found.select(site="account_id", operator_id=pl.format("o{}", pl.col("community") + 1))


def _ties(pairs: pl.DataFrame, group: pl.DataFrame) -> pl.DataFrame:
    """Return of each operator its sites, the most tied first, what ties them, and pairs shared first."""
    inside = pairs.drop_nulls("operator_id")
    by_first = (pl.col("q_value") <= Q).fill_null(False)
    is_tie = by_first | pl.col("ties").fill_null(False)
    ends = pl.concat([inside.filter(is_tie).select("operator_id", site=end) for end in ("source", "target")])
    degree = ends.group_by("site").agg(n=pl.len())
    ordered = group.join(degree, on="site", how="left").sort(
        "operator_id", pl.col("n").fill_null(0), "site", descending=[False, True, False]
    )
    sites = ordered.group_by("operator_id", maintain_order=True).agg(
        n_sites=pl.len().cast(COUNT), sites=pl.col("site")
    )
    kinds = (
        pl.col("shared_facts").list.eval(pl.element().str.extract(r"^([^=]*)")).list.explode().drop_nulls()
    )
    of_pairs = inside.group_by("operator_id").agg(
        n_pairs=by_first.sum().cast(COUNT), facts=kinds.unique().sort()
    )
    first = (
        pl.when(pl.col("n_pairs") > 0).then(pl.lit([FIRST_SHARERS])).otherwise(pl.lit([], pl.List(pl.String)))
    )
    return sites.join(of_pairs, on="operator_id", how="left").select(
        pl.exclude("facts"), evidence=pl.concat_list(first, "facts")
    )


def _declared(group: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Return the owner whom the tables name for half of an operator's sites or more."""
    owners = group.join(owners_of(facts).rename({"owner": "declared_owner"}), on="site")
    return _of_half(owners, group, "declared_owner")


def _named(group: pl.DataFrame) -> pl.DataFrame:
    """Return the template of the names of half of an operator's sites or more."""
    return _of_half(group.with_columns(templates(group["site"])).drop_nulls(), group, "name_template")


def _of_half(held: pl.DataFrame, group: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the value that most of an operator's sites hold, where half of them do, and two or more."""
    n_sites = group.group_by("operator_id").agg(n_sites=pl.len())
    return (
        held.group_by("operator_id", name)
        .agg(n=pl.col("site").n_unique())
        .join(n_sites, on="operator_id")
        .filter((pl.col("n") * 2 >= pl.col("n_sites")) & (pl.col("n") >= 2))
        .sort("operator_id", "n", name, descending=[False, True, False])
        .unique("operator_id", keep="first", maintain_order=True)
        .select("operator_id", name)
    )


def _traffic(sites: SitesOfLog, group: pl.DataFrame) -> pl.DataFrame:
    return (
        group.join(sites.totals, on="site")
        .group_by("operator_id")
        .agg(
            pl.col("n_urls", "n_shares").sum(), pl.col("first_seen").min(), pl.col("last_seen").max()
        )
    )  # fmt: skip


def _hands(sites: SitesOfLog, group: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    """Return who shares an operator's sites, and who shares them first."""
    rows = _holders(sites, group, sites.sharers.sharers)
    of_two = (
        _holders(sites, group, sites.sharers.first)
        .group_by("operator_id", "account_id")
        .len()
        .filter(pl.col("len") >= 2)
    )
    seeders = (
        rows.group_by("operator_id", "account_id")
        .agg(pl.col("n_first").sum())
        .join(of_two, on=["operator_id", "account_id"], how="left")
        .sort("operator_id", "n_first", "account_id", descending=[False, True, False])
    )
    is_seeder = pl.col("len").is_not_null()
    by_seeders = seeders.group_by("operator_id", maintain_order=True).agg(
        n_seeders=is_seeder.sum().cast(COUNT),
        seeders=pl.col("account_id").filter(is_seeder).head(_SEEDERS_TOLD),
        seeder_share=pl.col("n_first").filter(is_seeder).sum() / pl.col("n_first").sum(),
    )
    clusters = (
        seeders.filter(is_seeder)
        .join(flagged, on="account_id")
        .group_by("operator_id", "cluster_id")
        .len()
        .sort("operator_id", "len", "cluster_id", descending=[False, True, False])
        .group_by("operator_id", maintain_order=True)
        .agg(clusters=pl.col("cluster_id"))
    )
    n_accounts = rows.group_by("operator_id").agg(n_accounts=pl.col("account_id").n_unique().cast(COUNT))
    return (
        n_accounts.join(by_seeders, on="operator_id", how="left")
        .join(clusters, on="operator_id", how="left")
        .with_columns(pl.col("clusters").fill_null(pl.lit([], pl.List(pl.String))))
    )


def _holders(sites: SitesOfLog, group: pl.DataFrame, held: Holdings) -> pl.DataFrame:
    """Return `operator_id, account_id, n_first` of all who hold the operators' sites, a row a site."""
    places = sites.names.search_sorted(group["site"]).to_numpy()
    counts = held.degree[places]
    rows = np.concatenate([np.arange(held.first[p], held.first[p + 1]) for p in places])
    return pl.DataFrame(
        {
            "operator_id": group["operator_id"].gather(np.repeat(np.arange(places.size), counts)),
            "account_id": sites.accounts.gather(held.object[rows]),
            "n_first": held.posts[rows],
        }
    )
