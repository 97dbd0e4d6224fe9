from __future__ import annotations

import random

import igraph as ig
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.communities import detect_communities, detect_multiplex
from propgraph.errors import InputError, UsageError
from propgraph.networks import seeded, to_igraph
from propgraph.options import PARTITIONS, ClusterOptions


def edges(rows):
    return pl.DataFrame(rows, schema=["source", "target", "weight"], orient="row")


def clique(names, weight=1.0):
    return [(a, b, weight) for k, a in enumerate(names) for b in names[k + 1 :]]


def found(rows, **options):
    """Communities as sorted lists of names, in order of their numbers."""
    table = detect_communities(to_igraph(edges(rows)), **options)
    assert table.schema == {"account_id": pl.String, "community": pl.UInt32}
    groups = table.group_by("community", maintain_order=True).agg("account_id")
    assert groups["community"].to_list() == list(range(groups.height))
    return groups["account_id"].to_list()


def cloud(seed, n=120):
    """A random network whose communities are a matter of opinion."""
    rng = np.random.default_rng(seed)
    pairs = {tuple(sorted(pair)) for pair in rng.integers(0, n, (4 * n, 2)).tolist() if pair[0] != pair[1]}
    return [(f"a{i:03d}", f"a{j:03d}", float(rng.integers(1, 9))) for i, j in sorted(pairs)]


THREE = clique("abcd") + clique("efghi") + clique("xyz") + [("d", "e", 0.1), ("i", "x", 0.1)]


@pytest.mark.parametrize(
    "options", [{}, {"objective": "CPM", "resolution": 0.3}, *({"partition": p} for p in PARTITIONS)]
)
def test_cliques_are_found_by_every_quality(options):
    if options.get("partition") in ("CPM", "RBER"):
        options = options | {"resolution": 0.3}
    if options.get("partition") in ("Significance", "Surprise"):
        options = options | {"weight": None}
    assert found(THREE, **options) == [list("efghi"), list("abcd"), list("xyz")]


def test_modularity_and_cpm_look_for_different_things():
    # A ring of thirty triangles: modularity joins neighbours beyond its resolution, CPM at a half does not.
    triangles = [[f"t{k:02d}{c}" for c in "abc"] for k in range(30)]
    ring = [row for names in triangles for row in clique(names)]
    ring += [(triangles[k - 1][2], triangles[k][0], 1.0) for k in range(30)]
    assert found(ring, objective="CPM", resolution=0.5) == triangles
    assert len(found(ring)) < 30


def test_resolution_goes_from_one_to_none():
    assert found(THREE, objective="CPM", resolution=0.0) == [sorted("abcdefghixyz")]
    assert found(THREE, objective="CPM", resolution=2.0) == []
    assert len(found(THREE, objective="CPM", resolution=2.0, min_size=1)) == 12


def test_weights_count():
    square = [("a", "b", 9.0), ("b", "c", 1.0), ("c", "d", 9.0), ("a", "d", 1.0)]
    assert found(square, min_size=1) == [["a", "b"], ["c", "d"]]
    turned = [(a, b, 10 - w) for a, b, w in square]
    assert found(turned, min_size=1) == [["a", "d"], ["b", "c"]]
    named = to_igraph(edges(square).rename({"weight": "n_events"}))
    by_name = detect_communities(named, weight="n_events", min_size=1)
    assert by_name["community"].to_list() == [0, 0, 1, 1]


def test_smaller_communities_are_left_out():
    rows = [*THREE, ("p", "q", 1.0)]
    assert found(rows, min_size=4) == [list("efghi"), list("abcd")]
    assert found(rows, min_size=6) == []
    assert found(rows, min_size=2)[-1] == ["p", "q"]


def test_numbers_go_by_size_then_by_first_name():
    rows = clique("uvw") + clique("mno") + clique("abc") + clique("hijk")
    assert found(rows) == [list("hijk"), list("abc"), list("mno"), list("uvw")]


@pytest.mark.parametrize(
    "options", [{}, {"objective": "CPM", "resolution": 0.2}, {"partition": "RBConfiguration"}]
)
def test_shuffled_edges_give_the_same_communities(options):
    rows = cloud(1)
    expected = detect_communities(to_igraph(edges(rows)), seed=3, **options)
    for k in range(3):
        mixed = rows[:]
        random.Random(k).shuffle(mixed)
        assert_frame_equal(detect_communities(to_igraph(edges(mixed)), seed=3, **options), expected)


@pytest.mark.parametrize("partition", [None, "Modularity"])
def test_the_seed_decides(partition):
    def by_seed(seed):
        graph = to_igraph(edges(cloud(2)))
        return detect_communities(graph, seed=seed, partition=partition, min_size=1)["account_id"].to_list()

    assert by_seed(5) == by_seed(5)
    assert len({tuple(by_seed(seed)) for seed in range(8)}) > 1


def test_the_global_random_state_is_untouched():
    random.seed(42)
    before = random.getstate()
    first = found(cloud(3), seed=1)
    assert random.getstate() == before
    random.seed(43)
    assert found(cloud(3), seed=1) == first  # nor does it matter
    # igraph goes on with Python's generator afterwards, as ever.
    random.seed(7)
    one = ig.Graph.Erdos_Renyi(n=40, m=60).get_edgelist()
    random.seed(7)
    assert ig.Graph.Erdos_Renyi(n=40, m=60).get_edgelist() == one


def test_an_error_inside_gives_igraph_its_generator_back():
    with pytest.raises(ZeroDivisionError), seeded(1):
        raise ZeroDivisionError
    random.seed(7)
    before = random.getstate()
    ig.Graph.Erdos_Renyi(n=40, m=60)
    assert random.getstate() != before


def test_the_graph_is_left_alone():
    graph = to_igraph(edges(THREE))
    before = (graph.get_edgelist(), graph.vs["name"], graph.es["weight"], graph.vs.attributes())
    detect_communities(graph)
    assert (graph.get_edgelist(), graph.vs["name"], graph.es["weight"], graph.vs.attributes()) == before


def test_an_empty_network_has_none():
    nothing = edges([]).cast({"source": pl.String, "target": pl.String})
    for partition in (None, "CPM"):
        assert detect_communities(to_igraph(nothing), partition=partition).is_empty()
    assert detect_communities(ig.Graph()).is_empty()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "modularty"}, "did you mean 'modularity'"),
        ({"partition": "surprise"}, "did you mean 'Surprise'"),
        ({"min_size": 0}, "min_size"),
        ({"resolution": -0.1}, "resolution"),
        ({"resolution": float("nan")}, "resolution"),
        ({"resolution": float("inf")}, "resolution"),
        ({"seed": -1}, "seed"),
        ({"seed": 1 << 31}, "seed"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(UsageError, match=message):
        detect_communities(to_igraph(edges(THREE)), **options)


def test_the_largest_seed_serves_both_libraries():
    for partition in (None, "CPM"):
        detect_communities(to_igraph(edges(THREE)), seed=(1 << 31) - 1, partition=partition)


def test_a_network_that_will_not_do():
    with pytest.raises(UsageError, match="undirected"):
        detect_communities(ig.Graph([(0, 1)], directed=True))
    with pytest.raises(InputError, match="'name'"):
        detect_communities(ig.Graph([(0, 1)]))
    with pytest.raises(InputError, match="'weight'"):
        detect_communities(to_igraph(edges(THREE).drop("weight")))
    assert len(detect_communities(to_igraph(edges(THREE).drop("weight")), weight=None)) == 12


def layers(**rows):
    """Layers as `detect_multiplex` takes them, one a trace."""
    return pl.DataFrame(
        [(trace, *row) for trace, part in rows.items() for row in part],
        schema={"trace": pl.String, "source": pl.String, "target": pl.String, "weight": pl.Float64}, orient="row",
    )  # fmt: skip


def in_layers(table, **options):
    """Communities of layers as sorted lists of names."""
    found = detect_multiplex(table, **options)
    assert found.schema == {"account_id": pl.String, "community": pl.UInt32}
    assert found.equals(found.sort("community", "account_id"))
    return found.group_by("community", maintain_order=True).agg("account_id")["account_id"].to_list()


def test_layers_that_agree_say_what_one_says():
    for seed in range(3):
        assert in_layers(layers(url=THREE, reshare=THREE), seed=seed) == found(THREE)
        assert in_layers(layers(url=THREE), seed=seed) == found(THREE)


@pytest.mark.parametrize("partition", PARTITIONS)
def test_one_layer_or_the_same_twice_is_the_plain_network_by_any_quality(partition):
    rows = clique("abcdef") + clique("ghijk") + clique("uvwxyz") + [("f", "g", 1.0), ("k", "u", 1.0)]
    plain = found(rows, partition=partition, resolution=0.5)
    assert plain == [list("abcdef"), list("uvwxyz"), list("ghijk")]
    for table in (layers(url=rows), layers(url=rows, reshare=rows)):
        assert in_layers(table, partition=partition, resolution=0.5) == plain


def test_the_objective_counts_in_layers_too():
    # By CPM at a resolution above all weights every account is alone, at one below all they are together.
    assert in_layers(layers(url=THREE), objective="CPM", resolution=9.0, min_size=1) == [
        [x] for x in "abcdefghixyz"
    ]
    assert in_layers(layers(url=THREE), objective="CPM", resolution=1e-6) == [list("abcdefghixyz")]
    assert in_layers(layers(url=THREE)) == found(THREE)


def test_each_layer_has_half_of_the_evidence():
    # Two groups of six: one layer ties each into two halves, the other ties every member to the other half.
    groups = ["abcdef", "uvwxyz"]
    halves = [row for group in groups for row in clique(group[:3]) + clique(group[3:])]
    across = [(a, b, 1.0) for group in groups for a in group[:3] for b in group[3:]]
    assert in_layers(layers(url=halves)) == [list("abc"), list("def"), list("uvw"), list("xyz")]
    assert in_layers(layers(url=halves, tag=across)) == [list("abcdef"), list("uvwxyz")]


def test_an_account_of_one_layer_belongs_too():
    rows = layers(url=clique("abcd"), tag=[*clique("abc"), ("c", "e", 1.0), ("a", "e", 1.0), *clique("xyz")])
    assert in_layers(rows) == [list("abcde"), list("xyz")]
    assert in_layers(rows, min_size=4) == [list("abcde")]
    # The finer the resolution, the smaller the communities.
    assert in_layers(rows, resolution=50.0, min_size=1) == [[name] for name in "abcdexyz"]


def test_layers_repeat_in_any_order_of_rows():
    table = layers(url=cloud(1), tag=cloud(2), reshare=cloud(3))
    for seed in (0, 1):
        first = detect_multiplex(table, seed=seed)
        assert_frame_equal(first, detect_multiplex(table.reverse(), seed=seed))
        assert_frame_equal(first, detect_multiplex(table.sample(fraction=1, shuffle=True, seed=9), seed=seed))


def test_no_layers():
    assert in_layers(layers()) == []


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("objective", "modularty", "objective.*modularity"),
        ("partition", "Leiden", "partition.*Leiden"),
        ("min_size", 0, "min_size"),
        ("resolution", -0.1, "resolution: -0.1 is not"),
        ("resolution", float("nan"), "resolution: nan is not"),
        ("resolution", float("inf"), "resolution: inf is not"),
        ("seed", -1, "seed: -1 is not in"),
        ("seed", 1 << 31, "seed: 2147483648 is not in"),
    ],
)
def test_options_out_of_range_are_told(option, value, says):
    sound = {"objective": "CPM", "resolution": 0.0, "partition": None, "seed": (1 << 31) - 1, "min_size": 1}
    ClusterOptions.check(**sound)
    with pytest.raises(UsageError, match=says):
        ClusterOptions.check(**sound | {option: value})


def test_partitions_as_good_as_each_other_come_to_an_end():
    # A chain of five falls into two and three or three and two: igraph, told to go on until nothing changes, went
    # to and fro for ever.
    edges = pl.DataFrame(
        {"source": list("abcdstuv"), "target": list("bcdetuvw"), "weight": [7.331175] * 4 + [6.732179] * 4}
    )
    for seed in range(20):
        found = detect_communities(to_igraph(edges), resolution=2.0, seed=seed, min_size=1)
        assert sorted(found.group_by("community").len()["len"].to_list()) == [2, 2, 3, 3]


def test_without_leidenalg_it_says_what_to_install_before_any_work(monkeypatch, small_study, capsys):
    from propgraph.cli.app import run

    monkeypatch.setitem(__import__("sys").modules, "leidenalg", None)
    pair = pl.DataFrame({"source": ["a"], "target": ["b"], "weight": [1.0]})
    with pytest.raises(UsageError, match=r"^partition: .* pip install 'propgraph\[leidenalg\]'$"):
        detect_communities(to_igraph(pair), partition="CPM")
    with pytest.raises(UsageError, match=r"^multiplex: .* pip install 'propgraph\[leidenalg\]'$"):
        detect_multiplex(pair.with_columns(trace=pl.lit("url")))
    before = small_study.path.joinpath("run.json").read_bytes()
    assert run(["clusters", str(small_study.path), "--multiplex"]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("propgraph: --multiplex: ")
    assert complaint.endswith("pip install 'propgraph[leidenalg]'\n")
    assert small_study.path.joinpath("run.json").read_bytes() == before
    # All else is igraph's own.
    assert detect_communities(to_igraph(pair), min_size=2)["account_id"].to_list() == ["a", "b"]
