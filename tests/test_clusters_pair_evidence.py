"""Evidence pair by pair: the closest two posts of each thing that two accounts both shared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from propgraph.cli.app import run
from propgraph.clusters.pair_evidence import PAIRS, closest_posts
from propgraph.clusters.pair_reasons import MOST, pair_reasons
from propgraph.jobs.build import build
from propgraph.options import ClusterOptions
from propgraph.schema import OBJECTS, PAIR_EVIDENCE, SHARES

START = datetime(2024, 3, 5, 10, tzinfo=UTC)


class Shares:
    """Stands for a study: shares, and objects with the number of their accounts."""

    def __init__(self, rows):
        self.shares = SHARES.conform(
            pl.DataFrame(
                [
                    (f"p{k}", who, START + timedelta(seconds=at), what)
                    for k, (who, what, at) in enumerate(rows)
                ],
                schema={"content_id": pl.String, "account_id": pl.String, "timestamp": SHARES.dtypes["timestamp"],
                        "object_id": pl.String}, orient="row",
            ).with_columns(trace=pl.lit("url"))
        )  # fmt: skip
        sizes = self.shares.group_by("trace", "object_id").agg(n_accounts=pl.col("account_id").n_unique())
        self.objects = OBJECTS.conform(sizes)

    def scan(self, name):
        return getattr(self, name).lazy()


def slow_closest(rows, pairs):
    """Every two posts of each common object held against each other."""
    found = []
    for one, other in pairs:
        mine, yours = (
            [(f"p{k}", *row) for k, row in enumerate(rows) if row[0] == who] for who in (one, other)
        )
        both = [(a, b) for a in mine for b in yours if a[2] == b[2]]
        common = {a[2] for a, _ in both}
        for what in common:
            # Equally close: the earlier two posts, then the first by id.
            a, b = min(
                ((a, b) for a, b in both if a[2] == what),
                key=lambda ab: (
                    abs(ab[1][3] - ab[0][3]),
                    max(ab[0][3], ab[1][3]),
                    ab[0][3],
                    ab[0][0],
                    ab[1][0],
                ),
            )
            found.append((one, other, len(common), what, a[0], b[0], float(b[3] - a[3])))
    return found


posts = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.integers(0, 9)), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(posts)
def test_the_closest_posts_are_those_of_all_held_against_all(rows):
    pairs = [("a", "b"), ("c", "d"), ("b", "d")]
    told = closest_posts(Shares(rows), pl.DataFrame(pairs, ["source", "target"], orient="row"))
    names = ["source", "target", "n_common", "object_id", "source_content_id", "target_content_id", "delta_s"]
    assert sorted(told.select(names).rows()) == sorted(slow_closest(rows, pairs))
    sharers = {what: len({who for who, other, _ in rows if other == what}) for what in "xyz"}
    assert all(n == sharers[what] for what, n in told.select("object_id", "n_accounts").rows())


def test_pairs_keep_their_order_and_the_closest_come_first():
    rows = [("a", "x", 0), ("b", "x", 9), ("a", "y", 100), ("b", "y", 98), ("c", "x", 5), ("a", "z", 7)]
    pairs = pl.DataFrame({"source": ["b", "a"], "target": ["c", "b"]})
    told = closest_posts(Shares(rows), pairs)
    assert told.select("source", "target", "n_common", "object_id", "delta_s").rows() == [
        ("b", "c", 1, "x", -4.0), ("a", "b", 2, "y", -2.0), ("a", "b", 2, "x", 9.0)
    ]  # fmt: skip
    assert closest_posts(Shares(rows), pairs, most=1)["n_common"].to_list() == [1, 2]
    assert closest_posts(Shares(rows), pairs, traces=["hashtag"]).is_empty()


def test_the_table_holds_the_closest_posts_of_pairs_in_flagged_clusters(small_study):
    table = small_study.pair_evidence
    assert table.schema == PAIR_EVIDENCE.dtypes
    assert (table["source"] < table["target"]).all()
    flagged = small_study.clusters.filter("flagged")
    assert table["cluster_id"].unique(maintain_order=True).to_list() == flagged["cluster_id"].to_list()
    both = small_study.members.select("account_id", "cluster_id")
    for end in ("source", "target"):
        assert (
            table.join(both, left_on=[end, "cluster_id"], right_on=["account_id", "cluster_id"]).height
            == table.height
        )
    # All pairs of a cluster, or as many as are told.
    n_pairs = table.unique(["source", "target"]).group_by("cluster_id").len().join(flagged, on="cluster_id")
    for n, n_edges in n_pairs.select("len", "n_edges").rows():
        assert n == min(n_edges, PAIRS)
    posts = small_study.posts.select("content_id", "account_id", "timestamp")
    for end in ("source", "target"):
        of = table.join(posts, left_on=f"{end}_content_id", right_on="content_id", maintain_order="left")
        assert (of["account_id"] == of[end]).all()
        assert (of["timestamp"] == of[f"{end}_time"]).all()
    # Pairs that meet in the window stand there with a meeting.
    nearest = table.group_by("source", "target").agg(pl.col("delta_s").abs().min())
    assert (nearest["delta_s"] <= 60).mean() > 0.9


def test_evidence_names_the_surest_pairs_and_the_posts_that_show_them(small_study):
    rows = small_study.evidence.filter(subject_type="pair").to_dicts()
    clusters = {row["cluster_id"]: row for row in small_study.clusters.to_dicts()}
    of = dict(small_study.members.select("account_id", "cluster_id").iter_rows())
    traces = small_study.run["clusters"]["parameters"]["trace"]
    shares = small_study.shares.filter(pl.col("trace").is_in(traces))
    flagged = small_study.clusters.filter("flagged")["cluster_id"].to_list()
    pairs = {row["subject_id"] for row in rows}
    told = [of[pair.split(",")[0]] for pair in pairs]
    assert {cluster: told.count(cluster) for cluster in flagged} == dict.fromkeys(flagged, MOST)
    for row in (row for row in rows if row["rule"] == "at-once"):
        one, other = row["subject_id"].split(",")
        assert of[one] == of[other]
        cluster = clusters[of[one]]
        # Everything that either posted, held against everything of the other's.
        mine, yours = (shares.filter(account_id=who).to_dicts() for who in (one, other))
        gaps = {}
        for a in mine:
            for b in yours:
                if (what := (a["trace"], a["object_id"])) == (b["trace"], b["object_id"]):
                    gap = abs((a["timestamp"] - b["timestamp"]).total_seconds())
                    gaps[what] = min(gap, gaps.get(what, gap))
        near = sum(gap <= cluster["time_window_s"] for gap in gaps.values())
        assert row["value"] == near == row["n_all"] >= row["threshold"] == 2
        assert row["expected"] == pytest.approx(cluster["outsider_rate"] * len(gaps))
        assert row["sentence"].startswith(f"over {near} of the {len(gaps)} things")
        by = small_study.posts.filter(pl.col("content_id").is_in(row["content_ids"]))["account_id"]
        assert set(by) == {one, other}
        assert row["n_shown"] == min(near, 12)


def test_a_pair_that_ranks_tell_says_how_often_it_is_near():
    ends = {"source": ["a"], "target": ["b"]}
    evidence = PAIR_EVIDENCE.conform(
        pl.DataFrame(
            ends | {"cluster_id": ["c1"], "n_common": [1], "trace": ["url"], "source_content_id": ["p1"],
                    "target_content_id": ["p2"], "delta_s": [900.0]}
        )
    )  # fmt: skip
    clusters = pl.DataFrame({"cluster_id": ["c1"], "outsider_rate": [0.1], "time_window_s": [60.0]})
    joint = SimpleNamespace(
        network=pl.DataFrame(ends | {"synchronised": [True], "q_value": [0.01]}),
        synchrony=pl.DataFrame(ends | {"trace": ["url"], "n_tested": [10], "n_near": [8]}),
    )
    (row,) = pair_reasons(
        pair_evidence=evidence,
        judged=SimpleNamespace(clusters=clusters),
        joint=joint,
        options=ClusterOptions(),
    ).to_dicts()
    assert (row["subject_id"], row["rule"], row["value"], row["expected"]) == (
        "a,b",
        "synchronised",
        8.0,
        2.0,
    )
    assert row["content_ids"] == ["p1", "p2"]
    assert "over 8 of 10 links they stand near each other" in row["sentence"]


def test_the_table_is_printed(small_study, capfdbinary):
    assert run(["clusters", str(small_study.path), "--table", "pair_evidence", "--format", "csv"]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert out.startswith("cluster_id,source,target,n_common,trace,object_id,")
    assert len(out.splitlines()) == small_study.pair_evidence.height + 1


def test_a_log_in_which_nothing_is_flagged_has_no_pairs(tmp_path):
    from propgraph.jobs.clusters import find_clusters

    frame = pl.DataFrame(
        [(f"u{k}", f"https://x.example/{k % 3}", START + timedelta(hours=7 * k)) for k in range(9)],
        schema=["account_id", "url", "timestamp"], orient="row",
    )  # fmt: skip
    assert find_clusters(build(frame, tmp_path / "study")).pair_evidence.is_empty()
