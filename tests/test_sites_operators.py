from __future__ import annotations

import io
import shutil

import igraph
import numpy as np
import polars as pl
import pytest

import propgraph
from propgraph.arrays.incidence import incidence
from propgraph.cli.app import run
from propgraph.errors import InputError
from propgraph.evaluation.sites import evaluate_sites, read_sites_truth
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.report.explain.explain import explain
from propgraph.report.operators import operator_lines
from propgraph.schema import OPERATORS, SITE_PAIRS
from propgraph.sites.names import templates
from propgraph.sites.pairs import sites_of_log
from propgraph.traces.urls import canonicalise_urls
from tests.test_sites_shared import BLOC, CREW, FARMS, OTHERS, PARTISANS, PRESS, crew, pairs_of, readers_only

CHAIN = PRESS[:3]


def posts_of(rows):
    """A log of rows of site, URL, account and second; a URL begins an hour after the one before."""
    frame = pl.DataFrame(rows, schema=["site", "url", "account_id", "s"], orient="row")
    hour = pl.col("url").rank("dense").cast(pl.Int64)
    return frame.select(
        content_id=pl.format("p{}", pl.int_range(pl.len())),
        account_id="account_id",
        timestamp=1_600_000_000 + hour * 3600 + pl.col("s") * 37,
        url=pl.format("https://{}", "url"),
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A log of a press, a bloc with its readers, six farms with a crew; facts of some of them."""
    folder = tmp_path_factory.mktemp("operators")
    rows = readers_only(PRESS, OTHERS, seed=1) + readers_only(BLOC, PARTISANS, seed=2)
    rows += crew(FARMS, CREW, PARTISANS, seed=3)
    table = folder / "sites.csv"
    text = "site,registrant,owner,ip\n" + "".join(f"{site},Ann,The Chain,10.0.0.1\n" for site in CHAIN)
    text += "farm0.com,<Bob & Co>,,10.0.0.9\nfarm1.com,<Bob & Co>,,10.0.0.9\n"
    table.write_text(text + "bloc0.com,,,10.0.0.7\nbloc1.com,,,10.0.0.7\n", encoding="utf-8")
    return find_clusters(build(posts_of(rows), folder / "study", sites=table), min_score=0.4)


def test_operators_are_the_crews_sites_and_those_of_one_registrant(study):
    found = study.operators
    assert found.schema == OPERATORS.dtypes
    farms, chain = found.to_dicts()
    assert (farms["operator_id"], farms["n_sites"], sorted(farms["sites"])) == ("o1", 6, FARMS)
    assert farms["evidence"] == ["first-sharers", "ip", "registrant", "names"]
    assert (farms["n_pairs"], farms["declared_owner"], farms["name_template"]) == (15, None, "farm#")
    assert (farms["n_urls"], farms["n_shares"]) == (36, 36 * 68)
    assert set(CREW) <= set(farms["seeders"])
    assert farms["seeder_share"] > 0.75
    # A chain that the table names is an operator, too, and one in the open; an address of a hoster ties nobody.
    assert (chain["n_sites"], sorted(chain["sites"]), chain["n_pairs"]) == (3, CHAIN, 0)
    assert chain["evidence"] == ["ip", "owner", "registrant", "names"]
    assert chain["declared_owner"] == "The Chain"


def test_pairs_say_what_ties_them(study):
    pairs = study.site_pairs
    assert pairs.schema == SITE_PAIRS.dtypes
    assert (pairs["source"] < pairs["target"]).all()
    (farms,) = pairs.filter(source="farm0.com", target="farm1.com").to_dicts()
    assert farms["shared_facts"] == ["ip=10.0.0.9", "registrant=<Bob & Co>"]
    assert (farms["name_template"], farms["operator_id"]) == ("farm#", "o1")
    assert farms["n_first_sharers"] > farms["expected_order"] > 0
    assert farms["n_first_sharers"] > farms["expected"] > 0
    assert farms["q_value"] <= 0.05
    (bloc,) = pairs.filter(source="bloc0.com", target="bloc1.com").to_dicts()
    assert (bloc["operator_id"], bloc["shared_facts"], bloc["name_template"]) == (
        None,
        ["ip=10.0.0.7"],
        "bloc#",
    )


def test_the_flag_asks_for_first_sharers_and_for_nobody_in_the_open(study):
    sites = study.sites
    flagged = sites.filter(pl.col("flags").list.contains("one-operator"))
    assert sorted(flagged["site"]) == FARMS
    assert dict(
        sites.filter(pl.col("site").is_in(CHAIN)).select("site", "operator_id").rows()
    ) == dict.fromkeys(CHAIN, "o2")
    reasons = study.evidence.filter(rule="one-operator", subject_type="site")
    assert sorted(reasons["subject_id"]) == FARMS
    for row in reasons.to_dicts():
        assert row["value"] <= row["threshold"] == 0.05
        assert "first of both" in row["sentence"]
        shared = study.shares.filter(
            pl.col("content_id").is_in(list(row["content_ids"])), pl.col("trace") == "url"
        )
        assert shared.height == len(row["content_ids"]) > 0
        assert shared["object_id"].str.contains(row["subject_id"], literal=True).all()
        assert shared["account_id"].is_in(study.operators["seeders"][0].to_list()).all()


def test_a_group_of_sites_has_evidence_of_its_own_and_is_explained(study):
    rows = {
        (row["subject_id"], row["rule"]): row
        for row in study.evidence.filter(subject_type="operator").to_dicts()
    }
    # The farms are tied both ways; the chain by its facts alone.
    assert set(rows) == {("o1", "one-operator"), ("o1", "shared-facts"), ("o2", "shared-facts")}
    first = rows["o1", "one-operator"]
    sure = study.site_pairs.filter((pl.col("q_value") <= 0.05) & (pl.col("operator_id") == "o1")).height
    assert (first["value"], first["threshold"], first["expected"]) == (sure, 2, pytest.approx(sure / 20))
    shared = study.shares.filter(pl.col("content_id").is_in(first["content_ids"]), pl.col("trace") == "url")
    on = {site for site in FARMS if shared["object_id"].str.contains(site, literal=True).any()}
    assert on == set(FARMS)
    assert 0 < first["n_shown"] == len(first["content_ids"]) <= 24
    # Three sites of one owner are three pairs.
    assert rows["o2", "shared-facts"]["value"] == 3
    told = explain(study, "o1", language="fr")
    assert told.kind == "operator"
    assert [part.name for part in told.parts[:4]] == ["short", "one-operator", "shared-facts", "sites"]
    assert told.parts[3].table["site"].sort().to_list() == FARMS
    assert [part.name for part in explain(study, "o1:shared-facts").parts][1] == "shared-facts"


def test_an_owner_in_the_open_lifts_the_flag(study, tmp_path):
    table = tmp_path / "owner.csv"
    table.write_text("site,owner\n" + "".join(f"{site},Farms Ltd\n" for site in FARMS[:4]), encoding="utf-8")
    # A copy, as the study is others', too.
    shutil.copytree(study.path, tmp_path / "study")
    other = find_clusters(tmp_path / "study", sites=table)
    (row,) = other.operators.to_dicts()
    assert (row["n_sites"], row["declared_owner"]) == (6, "Farms Ltd")
    assert other.sites.filter(pl.col("flags").list.contains("one-operator")).is_empty()
    assert other.sites["operator_id"].drop_nulls().len() == 6


def test_without_links_there_are_no_operators(tmp_path):
    log = pl.DataFrame(
        {
            "content_id": [f"p{k}" for k in range(4)],
            "account_id": ["ana", "bo"] * 2,
            "timestamp": [1_700_000_000 + k for k in range(4)],
            "object_id": ["x", "x", "y", "y"],
        }
    )
    study = find_clusters(build(log, tmp_path / "s"))
    assert study.operators.is_empty()
    assert study.site_pairs.is_empty()


def test_permuted_orders_give_no_operator():
    # The farms' own log with the sharers of each URL in any order: the crew is no more than readers then.
    rng = np.random.default_rng(5)
    rows = readers_only(PRESS, OTHERS, seed=1)
    farm = crew(FARMS, CREW, PARTISANS, seed=3)
    for url in sorted({row[1] for row in farm}):
        of_url = [row for row in farm if row[1] == url]
        rows += [(*row[:3], int(s)) for row, s in zip(of_url, rng.permutation(len(of_url)), strict=True)]
    assert pairs_of(rows)[0] == set()


@pytest.mark.parametrize("seed", [21, 22])
def test_a_simulated_log_without_its_farms_has_no_operator(seed):
    made = propgraph.simulate_veles(seed=seed)
    farms = made.sites.filter(role="farm")["site"]
    links = propgraph.make_shares(propgraph.read_log(made.log), trace="url")["url"]

    def sure(shares):
        log = incidence(
            shares.with_columns(pl.col("object_id").cast(pl.String), pl.col("account_id").cast(pl.String))
        )
        objects = canonicalise_urls(log.objects).select("site", "is_shortener", object_id="raw")
        found = sites_of_log(log, objects, threads=1)
        mask = found.shared.q_value <= 0.05
        ends = np.concatenate([found.shared.source[mask], found.shared.target[mask]])
        return set(found.names.gather(ends).to_list())

    site = canonicalise_urls(links["object_id"].cast(pl.String).unique()).select("site", object_id="raw")
    of = links.select(pl.col("object_id").cast(pl.String)).join(
        site, on="object_id", maintain_order="left", how="left"
    )
    crew_of = made.accounts.filter("organised")["account_id"]
    assert sure(links.filter(~of["site"].is_in(farms.implode()))) == set()
    # Nor do the readers of the farms' links, once those who pushed them are gone.
    readers = links.filter(~pl.col("account_id").cast(pl.String).is_in(crew_of.implode()))
    assert sure(readers) == set()
    found = sure(links)
    assert len(found & set(farms)) >= 36
    assert not found - set(farms)


def test_templates_of_names():
    names = [
        "channel22news.com",
        "channel45news.com",
        "cnn.com",
        "abc7.com",
        "24horas.cl",
        "news24.blogspot.com",
        "ab12cd3.org",
    ]
    assert templates(pl.Series(names)).to_list() == [
        "channel#news", "channel#news", None, None, "#horas", "news#", "ab#cd#",
    ]  # fmt: skip


# --- the command -----------------------------------------------------------------------------------------


def test_the_command_shows_sites_and_operators(study, capsys, tmp_path):
    assert run(["sites", str(study.path), "--top", "2"]) == 0
    said = capsys.readouterr().out
    flagged = int(study.sites["flagged"].sum())
    assert f"42 sites, {flagged} flagged; 9 in 2 groups" in said
    assert "... and 40 more" in said
    assert run(["sites", str(study.path), "--operators"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "o1 6 sites: farm" in said
    assert "the same accounts share them first" in said
    assert "names by one template: farm#" in said
    assert "also fits: a chain in the open; your tables name as owner The Chain" in said
    assert run(["sites", str(study.path), "--operators", "--format", "csv"]) == 0
    assert pl.read_csv(io.StringIO(capsys.readouterr().out))["operator_id"].to_list() == ["o1", "o2"]


def test_the_network_of_sites_is_whole_and_escaped(study, capsys, tmp_path):
    file = tmp_path / "sites.graphml"
    assert run(["sites", str(study.path), "--graphml", str(file), "--format", "json"]) == 0
    assert f"wrote {file}" in capsys.readouterr().err
    graph = igraph.Graph.Read_GraphML(str(file))
    assert (graph.vcount(), graph.ecount()) == (42, study.site_pairs.height)
    of = dict(zip(graph.vs["label"], graph.vs["operator"], strict=True))
    assert {site for site, operator in of.items() if operator == "o1"} == set(FARMS)
    facts = dict(zip(graph.vs["label"], graph.vs["fact_registrant"], strict=True))
    assert facts["farm0.com"] == "<Bob & Co>"
    assert "&lt;Bob &amp; Co&gt;" in file.read_text(encoding="utf-8")
    one = {c: graph.vs.find(label="farm0.com")[c] for c in "rgb"}
    assert all({c: graph.vs.find(label=site)[c] for c in "rgb"} == one for site in FARMS)
    assert {c: graph.vs.find(label="bloc0.com")[c] for c in "rgb"} != one


def test_the_command_asks_for_clusters_first(tmp_path, capsys):
    log = pl.DataFrame(
        {"content_id": ["p"], "account_id": ["a"], "timestamp": [1_700_000_000], "url": ["https://a.com/1"]}
    )
    build(log, tmp_path / "s")
    assert run(["sites", str(tmp_path / "s")]) == 1
    assert "propgraph clusters" in capsys.readouterr().err


# --- the truth -------------------------------------------------------------------------------------------


def test_sites_held_against_a_truth(study, tmp_path, capsys):
    truth = tmp_path / "truth.csv"
    rows = [f"http://www.{site}/,true,veles" for site in FARMS] + [f"{site},false," for site in PRESS[:10]]
    truth.write_text(
        "site,label,operator\n" + "\n".join([*rows, "gone.example,yes,other"]) + "\n", encoding="utf-8"
    )
    made = evaluate_sites(study, truth)
    assert (made.n_sites, made.n_positive, made.n_absent, made.n_positive_absent) == (17, 7, 1, 1)
    assert made.n_unknown == 42 - 16
    value = dict(made.measures.select("measure", "value").rows())
    flagged = study.sites.filter("flagged")["site"].to_list()
    n_innocent = len(set(PRESS[:10]) & set(flagged))
    assert (value["precision"], value["recall"]) == (6 / (6 + n_innocent), 6 / 7)
    # Six sites of one operator together and one of another alone: as the truth has it.
    assert value["nmi"] == value["ari"] == 1.0
    assert run(["evaluate", str(study.path), "--sites-truth", str(truth)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "17 sites known, 7 of them to be found" in said
    assert "1 sites of the truth are not in the study (1 of them to be found)" in said
    assert "26 sites of the study are not in the truth; left out" in said
    assert "NMI of operators 1.00" in said


def test_average_precision_of_sites_by_hand(study):
    # By score, ties as one step: all that are not seeded share score 0, or whatever they have; so take ranks from it.
    scores = dict(study.sites.select("site", "score").rows())
    some = sorted(scores, key=lambda site: (-scores[site], site))[:12]
    truth = pl.DataFrame({"site": some, "label": [k % 3 == 0 for k in range(12)]}).with_columns(
        operator=pl.lit(None, pl.String)
    )
    made = evaluate_sites(study, truth)
    steps, hits, n = 0.0, 0, 0
    for score in sorted({scores[site] for site in some}, reverse=True):
        found = [label for site, label, _ in truth.rows() if scores[site] == score]
        n, hits = n + len(found), hits + sum(found)
        steps += sum(found) * hits / n
    value = dict(made.measures.select("measure", "value").rows())
    assert value["average_precision"] == pytest.approx(steps / 4)
    assert "nmi" not in value


def test_a_truth_that_cannot_be_used(tmp_path, study, capsys):
    def truth(text):
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
        return tmp_path / "t.csv"

    with pytest.raises(InputError, match=r"no column 'label'.*--label NAME"):
        read_sites_truth(truth("site,role\na.com,farm\n"))
    assert read_sites_truth(truth("site,role\na.com,farm\nb.com,press\n"), label="role", positive="farm").rows() == [
        ("a.com", True, None), ("b.com", False, None),
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"1 of 2 rows lack a site or a label; the first: site 'no site'"):
        read_sites_truth(truth("site,label\na.com,true\nno site,true\n"))
    with pytest.raises(InputError, match=r"says different things of site 'a\.com'"):
        read_sites_truth(truth("site,label\na.com,true\nwww.a.com,false\n"))
    assert run(["evaluate", str(study.path)]) == 2
    assert "--sites-truth" in capsys.readouterr().err


def test_clusters_are_named_beside_first_sharers_alone(study):
    farms, chain = study.operators.to_dicts()
    told = [
        any("flagged clusters" in line for line in operator_lines(row | {"clusters": ["c1"]}))
        for row in (farms, chain)
    ]
    assert told == [True, False]
