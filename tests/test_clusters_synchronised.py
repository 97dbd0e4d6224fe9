"""Clusters beyond chance: a slow crew in strong traffic, what speaks for each member, and the posts behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.amplification.relays import NO_RELAYED
from propgraph.clusters.groups import NO_STANDING
from propgraph.clusters.judge import NOTHING
from propgraph.clusters.scores import score_accounts
from propgraph.crews.found import NO_CREWS, Crews
from propgraph.errors import UsageError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.schema import ACCOUNT_SCORES, NETWORK, SYNCHRONY
from propgraph.study import Study
from propgraph.synchrony.joint import Joint

START = datetime(2020, 1, 1, tzinfo=UTC)
MINUTE = 60
TABLES = (
    "synchrony",
    "network",
    "account_scores",
    "members",
    "clusters",
    "evidence",
    "sites",
    "amplification",
)

SLOW = [f"slow{k}" for k in range(8)]
WEAK = "weak"
QUICK = [f"quick{k}" for k in range(4)]
FANS = ["fan0", "fan1", "fan2"]


def share(account, k, second):
    """One row; every other object is a link."""
    link = k % 2
    return {
        "account_id": account,
        "object_id": None if link else f"object{k:02d}",
        "url": f"https://news{k % 7}.example.com/{k}" if link else None,
        "second": int(second),
    }


def slow_log(seed=0, n_objects=80):
    """Strong random traffic for two days an object, with four kinds of accounts that share much.

    The slow crew follows each other every three or four minutes, never within the window. `weak` stands behind
    some one of them, each time another. Fans share one half of some little known objects, at random times but for
    two that they meet over by chance. The quick crew shares its own links within seconds, nobody else does.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n_objects):
        crowd = rng.choice(400, 150, replace=False)
        rows += [
            share(f"s{who:03d}", k, second)
            for who, second in zip(crowd, rng.integers(0, 172_800, 150), strict=True)
        ]
        begin = int(rng.integers(5000, 160_000))
        order = rng.permutation(SLOW)[:4]
        seconds = begin + np.cumsum(rng.integers(180, 240, order.size))
        rows += [share(who, k, second) for who, second in zip(order, seconds, strict=True)]
        if k % 8 == 1:
            rows.append(share(WEAK, k, seconds[k // 8 % 4] + 80))
    for k in range(100):
        crowd = [f"s{who:03d}" for who in rng.choice(400, 12, replace=False)]
        seconds = rng.integers(0, 172_800, 15)
        if k in (4, 6):
            seconds[12:] = 1000 + 20 * np.arange(3)
        who_else = FANS if k % 2 == 0 else []
        rows += [
            {"account_id": who, "object_id": f"small{k:02d}", "url": None, "second": int(second)}
            for who, second in zip([*crowd, *who_else], seconds, strict=False)
        ]
    for k in range(12):
        rows += [
            {
                "account_id": who,
                "object_id": None,
                "url": f"https://quick.example.org/{k}",
                "second": 9000 * k + 4 * j,
            }
            for j, who in enumerate(QUICK)
        ]
    return rows


def write(rows, file):
    """Write a log; posts keep their ids in any order of the rows."""
    log = pl.DataFrame(
        [
            {"content_id": f"{row['account_id']} {row['object_id'] or row['url']}"}
            | {"timestamp": START + timedelta(seconds=row["second"])}
            | {name: value for name, value in row.items() if name != "second"}
            for row in rows
        ],
        infer_schema_length=None,
    )
    assert log["content_id"].is_unique().all()
    log.write_parquet(file)


@pytest.fixture(scope="module")
def edges_only(tmp_path_factory):
    """The slow log built, without clusters; to be copied."""
    folder = tmp_path_factory.mktemp("slow")
    write(slow_log(), folder / "log.parquet")
    build([folder / "log.parquet"], folder / "study")
    return folder / "study"


@pytest.fixture(scope="module")
def found_by(edges_only, tmp_path_factory):
    """Return the clusters of the slow log by options, each made once."""
    import shutil

    made = {}

    def find(**options) -> Study:
        key = tuple(sorted(options.items()))
        if key not in made:
            study = tmp_path_factory.mktemp("found") / "study"
            shutil.copytree(edges_only, study)
            made[key] = find_clusters(study, **options)
        return made[key]

    return find


def clusters_of(study):
    return study.members.group_by("cluster_id", maintain_order=True).agg("account_id")["account_id"].to_list()


def test_the_window_is_blind_to_a_slow_crew(found_by):
    study = found_by(evidence="window")
    edges = study.scan("edges").collect()
    assert edges.filter(pl.col("source").is_in(SLOW), pl.col("target").is_in(SLOW)).is_empty()
    assert not set(study.members["account_id"]) & set(SLOW)
    assert QUICK in clusters_of(study)


@pytest.mark.parametrize("evidence", ["synchrony", "both"])
def test_ranks_find_it(found_by, evidence):
    study = found_by(evidence=evidence)
    [cluster] = study.clusters.filter(pl.col("evidence") == "synchrony").to_dicts()
    members = study.members.filter(cluster_id=cluster["cluster_id"])
    assert members["account_id"].to_list() == [*SLOW, WEAK]
    assert dict(members.select("account_id", "evidence").iter_rows()) == dict.fromkeys(SLOW, "pairs") | {
        WEAK: "group"
    }
    assert cluster["flagged"]
    assert "synchronised" in cluster["flags"]
    pairs = study.scan("network").filter("synchronised").collect()
    assert (
        cluster["n_synchronised"]
        == pairs.filter(pl.col("source").is_in(SLOW), pl.col("target").is_in(SLOW)).height
    )
    assert cluster["synchronised_share"] == 1
    # Whoever synchronised: nobody but the crew.
    assert set(pairs["source"]) | set(pairs["target"]) == set(SLOW)


def test_the_window_speaks_for_the_rest(found_by):
    # Objects that nobody else shares have no chance to be held against: ranks are silent about the quick crew.
    assert not set(found_by(evidence="synchrony").members["account_id"]) & set(QUICK)
    study = found_by(evidence="both")
    quick = study.members.filter(pl.col("account_id").is_in(QUICK))
    assert set(quick["evidence"]) == {"window"}
    [name] = quick["cluster_id"].unique()
    [cluster] = study.clusters.filter(cluster_id=name).to_dicts()
    assert (cluster["evidence"], cluster["n_accounts"], cluster["n_synchronised"]) == ("window", 4, 0)
    assert "synchronised" not in cluster["flags"]
    alone = found_by(evidence="window")
    assert QUICK in clusters_of(alone)


def test_both_is_the_default(found_by):
    assert_frame_equal(found_by().members, found_by(evidence="both").members, check_exact=True)


def test_alike_is_not_synchronised(found_by):
    for evidence in ("synchrony", "both"):
        study = found_by(evidence=evidence)
        pairs = (
            study.scan("synchrony")
            .collect()
            .filter(pl.col("source").is_in(FANS), pl.col("target").is_in(FANS))
        )
        # They met twice within the window, and so are told of: the same list, not the same hour.
        assert set(pairs.select("source", "target").rows()) == set(combinations(FANS, 2))
        assert pairs.group_by("source", "target").agg(pl.col("alike").any())["alike"].all()
        assert not pairs["synchronised"].any()
        mine = study.members.filter(pl.col("account_id").is_in(FANS))
        assert set(mine["evidence"]) <= ({"window"} if evidence == "both" else set())
        scores = study.scan("account_scores").filter(pl.col("account_id").is_in(FANS)).collect()
        assert not scores["flagged"].any()
        assert (scores["n_partners"] == 0).all()


def test_evidence_posts_are_two_members_of_one_object(found_by):
    study = found_by(evidence="both")
    [row] = study.evidence.filter(rule="synchronised", subject_type="cluster").to_dicts()
    members = study.members.filter(cluster_id=row["subject_id"])["account_id"].to_list()
    crowd = study.scan("shares").filter(pl.col("trace").is_in(["object", "url"])).collect()
    shares = crowd.filter(pl.col("content_id").is_in(row["content_ids"]))
    assert len(row["content_ids"]) == len(set(row["content_ids"])) >= 4
    assert set(shares["content_id"]) == set(row["content_ids"])
    assert set(shares["account_id"]) <= set(members)
    for _, part in shares.group_by("trace", "object_id"):
        assert part["account_id"].n_unique() == part.height >= 2
        # Each stands nearer to another of them than most posts of the object do.
        times = crowd.join(part.select("trace", "object_id").unique(), on=["trace", "object_id"])[
            "timestamp"
        ].sort()
        place = [times.to_list().index(time) for time in part["timestamp"].sort()]
        assert max(np.diff(place)) <= 0.1 * len(times)


def test_account_scores(found_by):
    study = found_by(evidence="both")
    scores = study.scan("account_scores").collect()
    assert scores.schema == ACCOUNT_SCORES.dtypes
    assert scores["account_id"].is_unique().all()
    assert scores["account_id"].is_sorted()
    assert scores.null_count().drop("cluster_id").sum_horizontal().item() == 0
    assert scores["score"].is_finite().all()
    assert (scores["score"] >= 0).all()
    assert scores["q_value"].is_between(0, 1).all()
    best = scores.sort("score", descending=True)["account_id"].to_list()
    assert set(best[:8]) == set(SLOW)
    assert best[8] == WEAK
    of = dict(zip(scores["account_id"], scores.to_dicts(), strict=True))
    pairs = study.scan("network").filter("synchronised").collect()
    for name in SLOW:
        mine = pairs.filter((pl.col("source") == name) | (pl.col("target") == name))
        assert of[name]["n_partners"] == mine.height
        assert of[name]["flagged"]
    assert (of[WEAK]["n_partners"], of[WEAK]["flagged"]) == (0, True)
    assert of[WEAK]["q_value"] <= 0.05
    # Strangers are in no cluster; whoever is in one has its id.
    members = dict(study.members.select("account_id", "cluster_id").iter_rows())
    assert {name: row["cluster_id"] for name, row in of.items() if row["cluster_id"]} == members


@pytest.mark.parametrize("evidence", ["both", "window"])
def test_the_same_bytes_for_any_threads_and_order(tmp_path, evidence):
    rows = slow_log(n_objects=30)
    files = []
    for name, order, threads in (("a", rows, 1), ("b", rows, 2), ("c", rows[::-2] + rows[-2::-2], 2)):
        (tmp_path / name).mkdir()
        write(order, tmp_path / name / "log.parquet")
        build([tmp_path / name / "log.parquet"], tmp_path / name / "study", threads=threads)
        study = find_clusters(tmp_path / name / "study", evidence=evidence, threads=threads)
        assert study.clusters.height
        files.append({table: (study.path / f"{table}.parquet").read_bytes() for table in TABLES})
    for table in TABLES:
        assert files[0][table] == files[1][table] == files[2][table], table


def test_multiplex_agrees(found_by):
    plain, layers = found_by(), found_by(multiplex=True)
    for name in ("members", "clusters", "evidence"):
        assert_frame_equal(getattr(plain, name), getattr(layers, name), check_exact=True)
    assert layers.run["clusters"]["parameters"]["multiplex"] is True


@pytest.mark.parametrize("q", [1e-5, 1e-3])
def test_multiplex_rests_on_the_pairs_of_the_joint_network(found_by, q):
    # Pairs that a trace alone would tell at this rate, but all traces together do not, make no group.
    study = found_by(evidence="synchrony", multiplex=True, q=q)
    pairs = study.scan("network").filter("synchronised").collect()
    assert set(study.members.filter(evidence="pairs")["account_id"]) <= {*pairs["source"], *pairs["target"]}
    assert (study.clusters["n_synchronised"] > 0).all()


def test_by_the_window_alone_nothing_is_said_of_ranks(found_by):
    study = found_by(evidence="window")
    for name, table in (("synchrony", SYNCHRONY), ("network", NETWORK)):
        found = study.scan(name).collect()
        assert found.is_empty()
        assert found.schema == table.dtypes
    assert set(study.clusters["evidence"]) == set(study.members["evidence"]) == {"window"}
    assert (study.clusters["n_synchronised"] == 0).all()
    assert not study.evidence.filter(rule="synchronised").height
    scores = study.scan("account_scores").collect()
    assert set(scores["account_id"]) == set(study.members["account_id"])
    assert (scores["q_value"] == 1).all()
    assert (scores["n_partners"] == 0).all()
    # Members of flagged clusters: as many orders of magnitude as their cluster's bound has, at most ten (see below).
    assert set(scores.filter("flagged")["account_id"]) >= set(QUICK)
    assert scores.filter("flagged").group_by("cluster_id").agg(pl.col("score").n_unique())["score"].max() == 1
    assert scores.filter("flagged")["score"].is_between(0, 10, closed="right").all()
    assert (scores.filter(~pl.col("flagged"))["score"] == 0).all()
    # The bound is no probability: without a crew none is told.
    assert study.clusters["p_value"].is_null().all()
    assert study.run["clusters"]["tests_by_trace"] == {}


def test_the_bound_of_the_window_counts_up_to_ten_orders_where_nothing_else_speaks():
    clusters = {"one": (True, 1e-4), "two": (False, 1e-8), "three": (True, 1e-40), "four": (True, None)}
    members = [("a", "one", "window"), ("b", "one", "pairs"), ("c", "two", "window"), ("d", "three", "window"),
               ("e", "four", "window")]  # fmt: skip
    table = pl.DataFrame({"cluster_id": list(clusters), "flagged": [flag for flag, _ in clusters.values()]})
    nominal = pl.DataFrame(
        {
            "cluster_id": list(clusters),
            "nominal_p": [p for _, p in clusters.values()],
            "order_tail": [None] * 4,
        },
        schema_overrides={"order_tail": pl.Float64},
    )
    inside = pl.DataFrame(members, schema=["account_id", "cluster_id", "evidence"], orient="row")
    judged = replace(NOTHING, members=inside, clusters=table, nominal=nominal)
    crews = Crews(
        pl.DataFrame({"account_id": ["b", "z"], "community": [3, 3], "n_splits": [2, 3]}).cast(
            {"community": pl.UInt32}
        ),
        pl.DataFrame({"community": [3], "p_value": [0.001], "q_value": [0.03]}).cast(
            {"community": pl.UInt32}
        ),
        NO_CREWS.groups,
    )
    scores = score_accounts(
        joint=Joint({}, SYNCHRONY.empty(), NETWORK.empty(), {}, {}, {}),
        crews=crews, standing=NO_STANDING, relayed=NO_RELAYED, judged=judged,
    )  # fmt: skip
    of = {row["account_id"]: row for row in scores.to_dicts()}
    assert {name: row["score"] for name, row in of.items()} == {
        "a": pytest.approx(4), "b": 0, "c": 0, "d": 10, "e": 0, "z": 0
    }  # fmt: skip
    # Whoever is in a crew has its rate; the others stood near nobody.
    assert {name: row["q_value"] for name, row in of.items()} == dict.fromkeys("acde", 1.0) | dict.fromkeys(
        "bz", 0.03
    )


def test_a_stricter_rate_finds_no_more(found_by):
    strict, lax = found_by(q=1e-6), found_by(q=0.2)
    pairs = [
        set(study.scan("network").filter("synchronised").collect().select("source", "target").rows())
        for study in (strict, found_by(), lax)
    ]
    assert pairs[0] <= pairs[1] <= pairs[2]
    assert len(pairs[0]) < len(pairs[2])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"evidence": "windows"}, "evidence.*windows"),
        ({"q": 0.0}, "q: 0.0 is not"),
        ({"q": 1.0}, "q: 1.0 is not"),
        ({"neighbours": 0}, "neighbours"),
        ({"threads": 0}, "threads"),
    ],
)
def test_options_out_of_range(edges_only, options, says):
    with pytest.raises(UsageError, match=says):
        find_clusters(edges_only, **options)
    assert not (edges_only / "clusters.parquet").exists()
