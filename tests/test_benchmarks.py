"""The baselines of the benchmarks against their descriptions, on tables small enough to do by hand."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from benchmarks import ROOT
from benchmarks.detection import baselines
from benchmarks.detection import graft as grafts
from benchmarks.detection import methods as detection
from propgraph.schema import ACCOUNT_SCORES

DATA = Path(__file__).parents[2] / "shared" / "data"


def shares(*rows):
    """Rows are account, object, second, and where a post has several objects its id."""
    return pl.DataFrame(
        [(row[3] if len(row) > 3 else f"p{k}", row[0], row[1], row[2]) for k, row in enumerate(rows)],
        schema={"content_id": pl.String, "account_id": pl.String, "object_id": pl.String, "t": pl.Float64},
        orient="row",
    ).select(
        "content_id",
        "account_id",
        "object_id",
        timestamp=(pl.col("t") * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")),
    )


def scores(found):
    return dict(found.select("account_id", "score").iter_rows())


def flagged(found):
    return sorted(found.filter("flagged")["account_id"])


LOGS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("xyz"), st.integers(0, 200)), min_size=1, max_size=40
)


def test_activity_counts_shares():
    log = shares(("a", "x", 0), ("a", "x", 1), ("b", "y", 2))
    assert scores(baselines.activity(log)) == {"a": 2, "b": 1}


def test_window_counts_objects_and_the_bound_belongs_to_it():
    log = shares(
        ("a", "x", 0), ("b", "x", 60), ("a", "y", 100), ("b", "y", 40), ("b", "y", 41),
        ("c", "x", 120.001), ("c", "y", 101),
    )  # fmt: skip
    # a-b: x and y. b-c: y 60 s apart (41, 101). a-c: y.
    found = baselines.best_window(log)
    assert scores(found) == {"a": 2, "b": 2, "c": 1}
    assert flagged(found) == ["a", "b"]


def test_coortweet_counts_pairs_of_posts():
    log = shares(
        ("a", "x", 0), ("a", "x", 10), ("b", "x", 5), ("b", "x", 15),  # 4 pairs within 60 s
        ("c", "y", 0), ("c", "y", 500), ("a", "y", 60),  # 1 pair
        ("d", "y", 1),  # one row only: does not enter
    )  # fmt: skip
    found = baselines.coortweet(log)
    assert scores(found) == {"a": 4, "b": 4, "c": 1}
    # The weights are 4 and 1, their median 2.5: strictly above it stands a-b.
    assert flagged(found) == ["a", "b"]


def test_coornet_bins_from_the_first_share_and_joins_over_bins():
    log = shares(
        ("a", "x", 30), ("b", "x", 89), ("c", "x", 90), ("d", "x", 149),  # bins 30-90: a b; 90-150: c d
        ("a", "y", 0), ("c", "y", 59), ("b", "y", 60),  # b is one second late for the bin, alone in its own
        ("a", "z", 0), ("a", "z", 1),  # of one account only
    )  # fmt: skip
    # Coordinated: x by a b c d, y by a c. CooRnet joins all that are coordinated on a URL, so a-c weighs 2.
    found = baselines.coornet(log, time_window=60)
    assert scores(found) == {"a": 2, "b": 1, "c": 2, "d": 1}
    # Six edges, weights 1 1 1 1 1 2; the 0.9 quantile is 1.5.
    assert flagged(found) == ["a", "c"]
    assert baselines.coornet(shares(("a", "x", 0), ("b", "x", 100))).is_empty()


def coornet_by_loops(rows, window, percentile):
    coordinated = {}
    for url in {row[1] for row in rows}:
        own = [row for row in rows if row[1] == url]
        if len({row[0] for row in own}) < 2:
            continue
        first = min(row[2] for row in own)
        bins = {}
        for row in own:
            bins.setdefault((row[2] - first) // window, []).append(row[0])
        coordinated[url] = {account for names in bins.values() if len(names) > 1 for account in names}
    weights = {}
    for names in coordinated.values():
        for pair in combinations(sorted(names), 2):
            weights[pair] = weights.get(pair, 0) + 1
    heaviest = {}
    for pair, weight in weights.items():
        for account in pair:
            heaviest[account] = max(heaviest.get(account, 0), weight)
    cut = np.quantile(list(weights.values()), percentile) if weights else math.inf
    return heaviest, sorted(account for account, weight in heaviest.items() if weight >= cut)


@given(LOGS, st.sampled_from([0.5, 0.9]))
@settings(max_examples=60)
def test_coornet_is_as_described(rows, percentile):
    found = baselines.coornet(shares(*rows), time_window=20, percentile=percentile)
    assert (scores(found), flagged(found)) == coornet_by_loops(rows, 20, percentile)


def test_qut_counts_messages_with_a_match():
    log = shares(
        ("a", "x", 0), ("a", "x", 10), ("a", "x", 20), ("b", "x", 15),  # three of a's match one of b's
        ("c", "y", 0, "post"), ("c", "z", 0, "post"), ("d", "y", 60), ("d", "z", 61),  # one message of c's
    )  # fmt: skip
    found = baselines.qut(log)
    assert scores(found) == {"a": 3, "b": 3, "c": 1, "d": 1}
    assert flagged(found) == ["a", "b"]


@given(LOGS, st.integers(0, 60))
@settings(max_examples=60)
def test_qut_is_as_described(rows, window):
    heaviest = {}
    for u in "abcde":
        for v in "abcde":
            matched = sum(
                any(q[0] == v != u and q[1] == p[1] and abs(q[2] - p[2]) <= window for q in rows)
                for p in rows
                if p[0] == u
            )
            for account in (u, v):
                heaviest[account] = max(heaviest.get(account, 0), matched)
    found = scores(baselines.qut(shares(*rows), time_window=window))
    assert found == {account: weight for account, weight in heaviest.items() if weight}


def test_tf_idf_by_hand():
    # Three accounts; x is everybody's and weighs log(3/3) = 0, y log(3/2), z log 3.
    from scipy import sparse

    found = baselines.tf_idf(sparse.csr_matrix([[1.0, 2, 0], [1, 1, 1], [3, 0, 0]])).toarray()
    y, z = math.log(1.5), math.log(3)
    length = math.hypot(y, z)
    assert found == pytest.approx(np.array([[0, 1, 0], [0, y / length, z / length], [0, 0, 0]]))


def test_pacheco_keeps_the_most_alike_of_the_active():
    log = shares(
        *(("a", f"o{k % 2}", k) for k in range(10)),  # o0 and o1, five times each
        *(("b", f"o{k % 2}", k) for k in range(20)),  # the same part of each: cosine 1
        *(("c", f"o{1 + k % 2}", k) for k in range(10)),  # shares o1 with them
        *(("d", f"o{k % 2}", k) for k in range(9)),  # too few shares
        *(("e", "o3", k) for k in range(10)),  # one object only
    )  # fmt: skip
    found = baselines.pacheco(log, top=0.3)  # of the one pair of cosine 1
    assert scores(found) == pytest.approx({"a": 1, "b": 1})
    assert flagged(found) == ["a", "b"]
    # idf: o0 log(3/2), o1 log(3/3) = 0, o2 log 3: c has nothing in common with a and b.
    assert scores(baselines.pacheco(log, top=1.0)) == pytest.approx({"a": 1, "b": 1})


@given(LOGS, st.sampled_from([0.005, 0.2, 0.5, 1.0]))
@settings(max_examples=60)
def test_pacheco_is_as_described(rows, top):
    found = baselines.pacheco(shares(*rows), min_shares=2, min_objects=1, top=top)
    names = sorted({a for a in "abcde" if sum(row[0] == a for row in rows) >= 2})
    idf = {
        o: math.log(len(names) / n)
        for o in "xyz"
        if (n := len({row[0] for row in rows if row[0] in names and row[1] == o}))
    }
    vectors = {
        a: np.array([sum(r[0] == a and r[1] == o for r in rows) * idf.get(o, 0) for o in "xyz"])
        for a in names
    }
    cosine = {}
    for u, v in combinations(names, 2):
        if vectors[u] @ vectors[v] > 0:
            cosine[u, v] = (
                vectors[u] @ vectors[v] / math.sqrt((vectors[u] @ vectors[u]) * (vectors[v] @ vectors[v]))
            )
    ranked = sorted((math.floor(c * 1e5 + 1e-6) for c in cosine.values()), reverse=True)
    cut = ranked[max(math.ceil(top * len(ranked) - 1e-9), 1) - 1] if ranked else math.inf
    wanted = {}
    for pair, c in cosine.items():
        if math.floor(c * 1e5 + 1e-6) >= cut:
            for account in pair:
                wanted[account] = max(wanted.get(account, 0), c)
    assert scores(found) == pytest.approx(wanted)


def test_luceri_is_the_centrality_of_the_network_that_it_never_makes():
    rng = np.random.default_rng(4)
    names = [f"a{k}" for k in range(12)]
    traces = [
        shares(*((str(rng.choice(names)), f"o{rng.integers(0, 9)}", k) for k in range(80))) for _ in range(2)
    ]
    graph = nx.Graph()
    for log in traces:
        several = log.filter(pl.col("object_id").n_unique().over("account_id") >= 2)
        own, counts = baselines._incidence(several)
        matrix = baselines.tf_idf(counts).toarray()
        for i, j in combinations(range(len(own)), 2):
            if (c := matrix[i] @ matrix[j]) > 0:
                before = graph.get_edge_data(own[i], own[j], {"weight": 0})["weight"]
                graph.add_edge(own[i], own[j], weight=before + c)
    wanted = nx.eigenvector_centrality_numpy(graph, weight="weight")
    found = baselines.luceri(traces, percentile=0.75)
    assert scores(found) == pytest.approx({name: abs(c) for name, c in wanted.items()}, abs=1e-6)
    highest = sorted(wanted, key=lambda name: -abs(wanted[name]))
    assert flagged(found) == sorted(highest[:3])


def test_quantile_of_a_histogram_is_numpys():
    values = [0, 1, 1, 1, 4, 4, 7]
    for q in (0.0, 0.1, 0.5, 0.77, 1.0):
        assert baselines._quantile(np.bincount(values), q) == pytest.approx(np.quantile(values, q))


# The graft


def organic_log(seed=0, n=3000):
    rng = np.random.default_rng(seed)
    return shares(
        *(
            (f"u{rng.integers(0, 900)}", f"o{rng.integers(0, 60)}", float(t))
            for t in rng.integers(0, 10**6, n)
        )
    )


def operators_log():
    """Ten operators each share the same five links 0, 60, 120 ... s after the first, and ten links of their own."""
    day = 86_400
    return shares(
        *((f"op{k}", f"link{link}", day * link + 60 * k) for k in range(10) for link in range(5)),
        *((f"op{k}", f"own{k}-{n}", day * n + 7) for k in range(10) for n in range(12)),
    )  # fmt: skip


def grafted(**options):
    return grafts.graft(organic_log(), operators_log(), **({"n_accounts": 10, "decoys": 4} | options))


def test_graft_keeps_the_log_and_says_what_each_account_is():
    log, truth = grafted()
    assert log["content_id"].n_unique() == log.height
    assert log["timestamp"].is_sorted()
    own = organic_log()
    kept = log.join(own.select("account_id").unique(), on="account_id", how="semi").drop("content_id")
    order = ["timestamp", "account_id", "object_id"]
    assert_frame_equal(kept.sort(order), own.drop("content_id").sort(order))
    counts = dict(truth.group_by("kind").len().iter_rows())
    assert counts == {"operator": 10, "decoy": 20, "fan": 20, "organic": own["account_id"].n_unique()}
    assert (truth["label"] == (truth["kind"] == "operator")).all()
    assert sorted(truth["account_id"]) == sorted(log["account_id"].unique())


def test_graft_keeps_the_delays_between_operators():
    for slow in (1.0, 10.0):
        log, truth = grafted(slow=slow, camouflage=0.0)
        operators = log.join(truth.filter("label"), on="account_id", how="semi")
        assert operators.height == 10 * 5  # without camouflage nothing but links
        # Every link is at one object; two links may be at the same one.
        t = operators.sort("timestamp").with_columns(s=pl.col("timestamp").dt.epoch("s"))
        for _, group in t.group_by("object_id"):
            if group.height == 10:
                steps = group["s"].diff().drop_nulls().to_list()
                # 60 s times slow, and the seconds within the minute drawn at either end.
                assert sum(steps) == pytest.approx(9 * 60 * slow, abs=59)
        assert any(group.height == 10 for _, group in t.group_by("object_id"))


def test_graft_bounds_camouflage_and_matches_decoys_in_activity():
    log, truth = grafted(camouflage=1.5)
    n = log.group_by("account_id").len().join(truth, on="account_id")
    operators = n.filter("label")["len"].to_list()
    assert operators == [5 + 8] * 10  # 1.5 x 5 = 7.5, rounded up
    for kind in ("decoy", "fan"):
        assert n.filter(kind=kind)["len"].to_list() == [13] * 20


def test_graft_has_fans_of_the_operators_objects():
    log, truth = grafted(camouflage=0.0)
    objects = {
        kind: set(own["object_id"]) for (kind,), own in log.join(truth, on="account_id").group_by("kind")
    }
    assert objects["fan"] <= objects["operator"]
    assert not objects["decoy"] <= objects["operator"]


def test_graft_depends_on_the_seed_and_not_on_the_order_of_rows():
    one = grafted(seed=1)
    shuffled = grafts.graft(
        organic_log().sample(fraction=1, shuffle=True, seed=5),
        operators_log().sample(fraction=1, shuffle=True, seed=6),
        n_accounts=10, decoys=4, seed=1,
    )  # fmt: skip
    for a, b in zip(one, shuffled, strict=True):
        assert_frame_equal(a, b)
    assert not one[0].equals(grafted(seed=2)[0])


def test_figures_of_one_method():
    log, truth = grafted()
    case = detection.Case(log, log, truth)
    perfect = truth.filter("label").select("account_id", score=pl.lit(1.0), flagged=pl.lit(True))
    found = detection.figures(perfect, case)
    assert found["AP"] == found["AUC"] == found["precision"] == found["recall"] == 1
    assert found["P@50"] == pytest.approx((10 + 0) / 50)
    assert found["recall q<=.05"] is None
    assert {name: found[name] for name in found if "flagged" in name} == {
        "decoy flagged": 0, "fan flagged": 0, "organic flagged": 0,
    }  # fmt: skip


def test_ours_is_what_clusters_writes(tmp_path):
    log, _ = grafted()
    log = log.with_columns(pl.col("timestamp") + pl.duration(days=15_000))  # no log is read from before 1990
    found = detection.ours(log, tmp_path)
    assert found is None or dict(found.schema) == ACCOUNT_SCORES.dtypes


def test_means_are_told_with_the_least_and_greatest():
    assert detection.told([0.1, 0.2, 0.6], percent=False) == "0.30 (0.10-0.60)"
    assert detection.told([0.1], percent=True) == "10.0 %"
    assert detection.told([None], percent=False) == "-"


@pytest.mark.skipif(not DATA.exists(), reason="the public data sets are not here (../shared/data)")
def test_real_logs_become_shares():
    for make, least in ((grafts.weibo, 640_000), (grafts.hoaxy, 114_000), (grafts.ira, 1_300_000)):
        log = make(DATA)
        assert log.columns == ["account_id", "object_id", "timestamp"]
        assert log.height >= least
        assert log.null_count().row(0) == (0, 0, 0)


# --- one command for all -----------------------------------------------------------------------------------


def run_benchmarks(*words):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_every_measurement_is_listed_with_what_it_shows():
    listed = run_benchmarks().stdout
    files = [path for path in (ROOT / "benchmarks").rglob("*.py") if "argparse" in path.read_text()]
    assert len(files) > 15
    for path in files:
        if path.name != "__main__.py":
            assert f"\n  {path.stem} " in listed
    assert "None" not in listed


def test_a_measurement_runs_by_its_name():
    done = run_benchmarks("urls", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m benchmarks urls ")


def test_a_measurement_that_is_none_is_told_and_which_there_are():
    done = run_benchmarks("baselines")
    assert done.returncode == 1
    assert "no measurement of this name; there are against, against_qut, " in done.stderr
