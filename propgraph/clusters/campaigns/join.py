"""Which clusters are one crowd: the ties between them, and the table `campaigns`."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import polars as pl

from propgraph.clusters.campaigns.coincidence import coincidences, common_objects, pairs_to_test
from propgraph.clusters.campaigns.gatherings import gatherings_of
from propgraph.clusters.campaigns.public import public_of
from propgraph.clusters.campaigns.tokens import common_tokens
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.judge import Judged
from propgraph.options import ClusterOptions
from propgraph.schema import CAMPAIGNS
from propgraph.study import Study
from propgraph.synchrony.joint import Joint

_MOST_TOKENS = 6
_TIE = pl.Schema(
    [
        ("cluster", pl.Int64()), ("other", pl.Int64()), ("tie", pl.String()), ("strength", pl.Float64()),
        ("n_gatherings", pl.Int64()), ("n_coinciding", pl.Int64()), ("expected", pl.Float64()),
        ("p_value", pl.Float64()), ("tokens", pl.List(pl.String())),
    ]
)  # fmt: skip


def join_clusters(
    *,
    study: Study,
    traces: list[str],
    inputs: ClusterInputs | None,
    judged: Judged,
    joint: Joint,
    carried: pl.DataFrame,
    window_ms: int,
    options: ClusterOptions,
) -> tuple[Judged, pl.DataFrame]:
    """Join clusters that are one crowd; return the clusters with `campaign_id`, and `schema.CAMPAIGNS`.

    A campaign is one flagged cluster or several, joined by ties, and the clusters without a flag that are tied to one
    of these: of several campaigns, to the one they are tied to most surely. These get no flag by it, and join nobody
    else: that fans come to the same places as two crews makes these no single one. A cluster without a flag alone has
    no campaign.

    Parameters
    ----------
    study, traces
        The study, and the traces of the network.
    inputs, judged
        What clusters are measured by, and the clusters with their ids; `inputs` is None where there is none.
    joint
        What rank synchrony says of pairs.
    carried
        Who carries which tracking tokens.
    window_ms
        The window in milliseconds.
    options
        `q` cuts the coincidences, too.
    """
    clusters = judged.clusters
    if inputs is None or not clusters["flagged"].any():
        return judged, CAMPAIGNS.empty()
    number = {name: k for k, name in enumerate(clusters["cluster_id"].to_list(), 1)}
    members = judged.members.select(
        "account_id", cluster=pl.col("cluster_id").replace_strict(number, return_dtype=pl.UInt32)
    )
    flagged = frozenset(number[name] for name in clusters.filter("flagged")["cluster_id"].to_list())
    slow = frozenset(
        number[name] for name in clusters.filter(pl.col("evidence") == "synchrony")["cluster_id"]
    )
    ties = pl.concat(
        [
            _by_gatherings(
                study, traces, inputs, members, flagged=flagged, slow=slow, window_ms=window_ms, q=options.q,
            ),
            _by_tokens(carried, members),
            _by_pairs(joint.network, members),
        ]
    )  # fmt: skip
    first, ties = _campaigns_of(clusters.height, ties, flagged)
    return _tables(judged, first, ties, members, inputs)


def _by_gatherings(
    study: Study, traces: list[str], inputs: ClusterInputs, members: pl.DataFrame, *, flagged: frozenset[int],
    slow: frozenset[int], window_ms: int, q: float,
) -> pl.DataFrame:  # fmt: skip
    """Return the ties of clusters that gather at the same moments, twice as often as expected or more."""
    both = inputs.members.select("account_id", was="cluster").join(members, on="account_id")
    numbers = dict(both.select("was", "cluster").unique().iter_rows())
    gatherings = gatherings_of(inputs, numbers, window_ms=window_ms, slow=slow)
    pairs = pairs_to_test(gatherings, flagged)
    if pairs.is_empty():
        return pl.DataFrame(schema=_TIE)
    common = common_objects(gatherings, pairs)
    wanted = gatherings.objects.join(common.select("object").unique(), on="object", how="semi")
    public = public_of(study, members, wanted, traces=traces)
    tested = coincidences(gatherings, pairs, common, public)
    sure = (pl.col("q_value") <= q) & (pl.col("n_coinciding") >= 2 * pl.col("expected"))
    return tested.pairs.filter(sure).select(
        "cluster", "other", tie=pl.lit("gatherings"), strength=-pl.col("p_value").clip(1e-300).log10(),
        n_gatherings="n_gatherings", n_coinciding="n_coinciding", expected="expected", p_value="p_value",
        tokens=pl.lit(None, pl.List(pl.String)),
    ).cast(_TIE)  # fmt: skip


def _by_tokens(carried: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return the ties of clusters whose links carry tokens that are theirs alone."""
    rows = []
    for _, part in common_tokens(carried, members).group_by("mark", maintain_order=True):
        carriers = part.select("cluster", "tokens").iter_rows()
        for (cluster, mine), (other, theirs) in combinations(carriers, 2):
            rows.append((cluster, other, "tokens", 0.0, None, None, None, None, [*mine, *theirs]))
    return pl.DataFrame(rows, schema=_TIE, orient="row")


def _by_pairs(network: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return the ties of clusters of which half of the smaller one, two at least, are synchronised with the other."""
    pairs = network.filter("synchronised").select("source", "target")
    both = pl.concat(
        [
            pairs.select(account_id="source", fellow="target"),
            pairs.select(account_id="target", fellow="source"),
        ]
    )
    of_fellow = members.select(fellow="account_id", other="cluster")
    size = members.group_by("cluster").agg(size=pl.len().cast(pl.Int64))
    tied = (
        both.join(members, on="account_id")
        .join(of_fellow, on="fellow")
        .filter(pl.col("cluster") != pl.col("other"))
        .group_by("cluster", "other")
        .agg(n=pl.col("account_id").n_unique().cast(pl.Int64))
        .join(size, on="cluster")
        .join(size.rename({"cluster": "other", "size": "size_other"}), on="other")
        .filter(pl.col("size") <= pl.col("size_other"), pl.col("n") >= 2, pl.col("n") * 2 >= pl.col("size"))
        .sort("cluster", "other")
    )
    none = pl.lit(None)
    return tied.select(
        "cluster", "other", tie=pl.lit("pairs"), strength=0.0, n_gatherings=none, n_coinciding=none, expected=none,
        p_value=none, tokens=none,
    ).cast(_TIE)  # fmt: skip


def _campaigns_of(
    n_clusters: int, ties: pl.DataFrame, flagged: frozenset[int]
) -> tuple[dict[int, int], pl.DataFrame]:
    """Return the first cluster of each one's campaign, and the ties that joined them; clusters count from 1."""
    ties = ties.sort(["strength", "tie", "cluster", "other"], descending=[True, False, False, False])
    first = {number: number for number in range(1, n_clusters + 1) if number in flagged}

    def root(number: int) -> int:
        while first[number] != number:
            number = first[number]
        return number

    ends = ties.select("cluster", "other").rows()
    for one, other in ends:
        if one in flagged and other in flagged:
            low, high = sorted((root(one), root(other)))
            first[high] = low
    campaign = {number: root(number) for number in first}
    # The surest tie comes first: it decides where a cluster without a flag belongs.
    for one, other in ends:
        for here, there in ((one, other), (other, one)):
            if here in flagged and there not in flagged and there not in campaign:
                campaign[there] = campaign[here]
    kept = [campaign.get(a) == campaign.get(b) is not None and bool({a, b} & flagged) for a, b in ends]
    return campaign, ties.filter(pl.Series(kept, dtype=pl.Boolean))


def _tables(
    judged: Judged, first: dict[int, int], ties: pl.DataFrame, members: pl.DataFrame, inputs: ClusterInputs
) -> tuple[Judged, pl.DataFrame]:
    """Return the clusters with the names of their campaigns, and a row for each campaign: the highest score first."""
    clusters = judged.clusters.with_row_index("number", offset=1)
    found = pl.DataFrame(list(first.items()), schema={"number": pl.UInt32, "first": pl.Int64}, orient="row")
    of = clusters.drop("campaign_id").join(found, on="number", how="left", maintain_order="left")
    rows = of.drop_nulls("first").group_by("first", maintain_order=True).agg(
        score=pl.col("score").max(), n_clusters=pl.len(), n_flagged=pl.col("flagged").sum(),
        n_accounts=pl.col("n_accounts").sum(), cluster_ids=pl.col("cluster_id"), first_time=pl.col("first_time").min(),
        last_time=pl.col("last_time").max(),
    ).sort(["score", "n_accounts", "first"], descending=[True, True, False])  # fmt: skip
    rows = rows.with_columns(campaign_id=pl.format("g{}", pl.int_range(1, pl.len() + 1)))
    over = inputs.shares.filter(pl.col("n_fellows") > 0).join(members, on="account_id")
    traces = over.select(number="cluster", trace="trace").unique().join(found, on="number")
    met = traces.group_by("first").agg(traces=pl.col("trace").unique().sort())
    for part in (met, _ties_of(ties, found)):
        rows = rows.join(part, on="first", how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("ties", "tokens", "traces").fill_null([]), stability=None)
    named = of.join(rows.select("first", "campaign_id"), on="first", how="left", maintain_order="left")
    return (
        replace(judged, clusters=named.select(judged.clusters.columns)),
        CAMPAIGNS.conform(rows.select(*CAMPAIGNS.columns)),
    )


def _ties_of(ties: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return what joins the clusters of each campaign; the figures are those of its surest coincidence."""
    of = ties.join(
        found.select("first", cluster=pl.col("number").cast(pl.Int64)), on="cluster", maintain_order="left"
    )
    figures = of.filter(pl.col("tie") == "gatherings").unique("first", keep="first", maintain_order=True)
    kinds = of.group_by("first").agg(ties=pl.col("tie").unique().sort())
    tokens = (
        of.select("first", "tokens").explode("tokens").drop_nulls().unique().sort("first", "tokens")
        .group_by("first", maintain_order=True).agg(pl.col("tokens").head(_MOST_TOKENS))
    )  # fmt: skip
    columns = {
        "n_gatherings": "n_gatherings",
        "n_coinciding": "n_coinciding",
        "expected_coinciding": "expected",
    }
    return kinds.join(tokens, on="first", how="left").join(
        figures.select("first", "p_value", **columns), on="first", how="left"
    )
