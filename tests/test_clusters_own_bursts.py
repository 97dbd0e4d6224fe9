"""Crowds whose whole bursts are theirs: by hand at every bound, against counting, and in studies from end to end."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph import UsageError, build, cosharing_edges, find_clusters, measure_stability
from propgraph.arrays.incidence import incidence
from propgraph.clusters.groups import NO_GROUPS
from propgraph.clusters.own_bursts import _bursting, _crowds, own_bursts
from propgraph.networks import join_traces
from propgraph.options import ClusterOptions, WindowOptions
from propgraph.schema import TIME

START = datetime(2024, 3, 4, tzinfo=UTC)
HOUR = 3600
WINDOWS = [60, 600, HOUR]


def shares(rows):
    """Return shares of (account, object, seconds)."""
    return pl.DataFrame(
        [(who, what, START + timedelta(seconds=at), f"p{k}") for k, (who, what, at) in enumerate(rows)],
        schema={"account_id": pl.String, "object_id": pl.String, "timestamp": TIME, "content_id": pl.String},
        orient="row",
    )


def crew(*, n=6, jobs=3, every=2 * HOUR, step=500, there=None, later=0):
    """Return shares of `n` accounts who share `jobs` links of their own, `step` s after each other; others come later.

    Of job `k` only the first `there[k]` of them (all by default) take part.
    """
    rows = []
    for job in range(jobs):
        at = job * every
        rows += [(f"c{k}", f"own{job}", at + step * k) for k in range(n if there is None else there[job])]
        rows += [(f"late{job}-{k}", f"own{job}", at + 40 * HOUR * (k + 1)) for k in range(later)]
    return rows


def others(n=40):
    """Return slow shares of `n` objects by seven of fifty accounts each: what is usual."""
    return [
        (f"u{(7 * j + k) % 50}", f"news{j}", 3 * HOUR * j + 5 * HOUR * k) for j in range(n) for k in range(7)
    ]


def found(rows, *, windows=WINDOWS, taken=(), evidence="both"):
    """Return the crowds as sorted members with their window and figures."""
    groups = pl.DataFrame({"account_id": list(taken)}, schema=NO_GROUPS.select("account_id").schema)
    own = own_bursts(
        {"object": incidence(shares(rows))}, groups, window=WindowOptions(time_window=windows),
        options=ClusterOptions(evidence=evidence), threads=1,
    )  # fmt: skip
    parts = own.members.partition_by("cluster", maintain_order=True)
    return [(part["account_id"].to_list(), *part.row(0)[2:]) for part in parts]


CREW = [f"c{k}" for k in range(6)]


def test_a_crew_that_is_its_objects_public_is_found_in_the_window_that_holds_half_of_it():
    assert found(crew() + others()) == [(CREW, 3600.0, 3, 0.0)]
    assert found(crew(step=100) + others()) == [(CREW, 600.0, 3, 0.0)]
    assert found(crew(step=100) + others(), windows=[60, HOUR]) == [(CREW, 3600.0, 3, 0.0)]


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"later": 6}, True), ({"later": 7}, False),  # half of all, or less
        ({"jobs": 2}, False),
        ({"every": 2 * HOUR - 1}, False),  # twice the window apart
        ({"n": 5}, True), ({"n": 4}, False),
        ({"n": 10, "jobs": 4, "there": [10, 5, 5, 10], "step": 300}, True),
        ({"step": 1300}, False),  # three of six within the hour are too few to be a crowd
        ({"step": 10}, False),  # half of them within a minute: the narrowest window shows it
    ],
)  # fmt: skip
def test_at_every_bound(changes, is_found):
    assert bool(found(crew(**changes) + others())) == is_found


def test_nobody_is_in_two_clusters_and_one_window_looks_for_none():
    assert found(crew() + others(), taken=["c0"]) == [(CREW[1:], 3600.0, 3, 0.0)]
    assert found(crew() + others(), windows=60.0) == []
    assert found(crew() + others(), evidence="synchrony") == []
    assert len(found(crew() + others(), evidence="window")) == 1


def test_times_coarser_than_the_window_say_nothing():
    log = shares(crew() + others())
    coarse = log.with_columns(pl.col("timestamp").dt.truncate("2h"), time_resolution_s=pl.lit(7200.0))
    own = own_bursts(
        {"object": incidence(coarse)}, NO_GROUPS, window=WindowOptions(time_window=WINDOWS),
        options=ClusterOptions(), threads=1,
    )  # fmt: skip
    assert own.members.is_empty()


def test_what_is_usual_is_counted_among_objects_of_like_size():
    # Twenty objects of seven accounts, five of which burst within the hour; and as many of thirty that never do.
    fast = [(f"f{7 * j + k}", f"fast{j}", HOUR * 9 * j + 60 * k) for j in range(5) for k in range(7)]
    large = [(f"l{k}", f"large{j}", 11 * HOUR * j + 2 * HOUR * k) for j in range(20) for k in range(30)]
    [(_, window, n, usual)] = found(crew() + others(15) + fast + large)
    assert (window, n, usual) == (3600.0, 3, 5 / 20)
    # Without enough of like size all count; without enough at all nobody knows.
    [(*_, usual)] = found(crew() + fast + large)
    assert usual == 5 / 25
    [(*_, usual)] = found(crew() + fast)
    assert usual is None


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=60),
    st.integers(0, 30),
)
def test_bursts_against_counting(posts, window):
    log = incidence(shares([(f"a{a}", f"o{o}", t) for a, o, t in posts]))
    crowd = _crowds(log.offsets, log.account, len(log.accounts))
    bursting = _bursting(log, crowd, 1000 * window)
    for code, name in enumerate(log.objects.to_list()):
        of = [(a, t) for a, o, t in posts if f"o{o}" == name]
        everybody = {a for a, _ in of}
        most = max(len({a for a, t in of if begin <= t <= begin + window}) for _, begin in of)
        assert crowd[code] == len(everybody)
        assert bursting[code] == (most >= 5 and 2 * most >= len(everybody))


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(3)
    rows = [
        (f"s{k}", f"own{j}", 30 * HOUR * j + int(rng.integers(HOUR))) for j in range(8) for k in range(20)
    ]
    rows += [
        (f"late{j}{k}", f"own{j}", 30 * HOUR * j + HOUR * (2 + 9 * k)) for j in range(8) for k in range(5)
    ]
    for j in range(60):
        who = rng.permutation(200)[:25]
        delays = rng.exponential(10 * HOUR, 25)
        rows += [(f"u{a}", f"news{j}", 5 * HOUR * j + int(d)) for a, d in zip(who, delays, strict=True)]
    rows += [
        (f"s{k}", f"news{(3 * k + j) % 60}", 5 * HOUR * ((3 * k + j) % 60) + 997 * k)
        for k in range(20)
        for j in range(4)
    ]
    return shares(rows)


@pytest.fixture(scope="module")
def studies(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    one = build(log, folder / "one", mapping={"auto": "auto"})
    several = build(log, folder / "several", mapping={"auto": "auto"}, time_window=[3600, 60, 600])
    return find_clusters(one), find_clusters(several)


def test_several_windows_flag_what_one_cannot_see(studies):
    one, several = studies
    assert not one.clusters["flagged"].any()
    assert one.clusters["time_window_s"].unique().to_list() in ([], [60.0])
    [row] = several.clusters.filter("flagged").to_dicts()
    assert (row["time_window_s"], row["own_objects"], row["n_accounts"]) == (3600.0, 8, 20)
    assert "own-bursts" in row["flags"]
    assert row["n_edges"] == 20 * 19 / 2
    members = several.members.filter(cluster_id=row["cluster_id"])
    assert sorted(members["account_id"]) == sorted(f"s{k}" for k in range(20))
    [sentence] = several.evidence.filter(rule="own-bursts", subject_id=row["cluster_id"])["sentence"].unique()
    assert sentence == (
        "8 times, hours apart, half of the members or more posted the same object within 1 hour and were half of all "
        "who ever did, or more; of other objects of like size 0% have half of their accounts so close together"
    )


def test_the_edges_are_those_of_the_shortest_window(studies, log):
    one, several = studies
    assert several.run["build"]["parameters"]["time_window"] == [3600, 60, 600]
    assert several.edges.equals(one.edges)
    assert cosharing_edges(log, time_window=[600, 60]).equals(cosharing_edges(log, time_window=60))


def test_pairs_of_a_crowd_are_counted_in_its_window(log):
    own = own_bursts(
        {"object": incidence(log)}, NO_GROUPS, window=WindowOptions(time_window=[60, HOUR]),
        options=ClusterOptions(), threads=2,
    )  # fmt: skip
    there = log.filter(pl.col("object_id").str.starts_with("own"))
    assert own.edges.equals(join_traces(cosharing_edges(there, time_window=HOUR, min_edge_weight=3)))


def test_stability_goes_through_the_same_wider_windows(studies):
    study = measure_stability(studies[1], runs=6)
    assert study.run["stability"]["grid"]["levels"]["time_window"] == [60.0, 30.0, 120.0]
    [name] = study.clusters.filter("flagged")["cluster_id"]
    [row] = study.stability.filter(cluster_id=name).to_dicts()
    assert row["holds_share"] >= 0.8


@pytest.mark.parametrize("windows", [[], [60, -1], ["auto", 60], "soon"])
def test_no_windows(windows, log, tmp_path):
    with pytest.raises(UsageError, match=r"^time_window: "):
        build(log, tmp_path / "s", mapping={"auto": "auto"}, time_window=windows)
