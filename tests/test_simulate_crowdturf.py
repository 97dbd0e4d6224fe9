"""Simulated campaigns of reshares: a true log, a clear truth, and three shapes."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.errors import UsageError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.simulate.crowdturf import KINDS, CrowdturfLog, simulate_crowdturf, write_crowdturf
from propgraph.simulate.draws import START
from propgraph.simulate.veles import simulate_veles

SMALL = {"n_accounts": 700, "n_days": 4, "n_workers": 60, "n_missions": 15}


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest) -> CrowdturfLog:
    return simulate_crowdturf(kind=request.param)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for kind in KINDS:
        one, two = (simulate_crowdturf(kind=kind, **SMALL) for _ in range(2))
        for folder, log in (("one", one), ("two", two)):
            write_crowdturf(tmp_path / folder, log)
        names = sorted(path.name for path in (tmp_path / "one").iterdir())
        assert names == [
            "crowdturf.csv.gz", "crowdturf.parquet", "truth_accounts.csv", "truth_campaigns.csv",
            "truth_payments.csv",
        ]  # fmt: skip
        for name in names:
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert not one.log.equals(simulate_crowdturf(kind=kind, **SMALL, seed=1).log)


def test_the_log_has_the_columns_of_the_other_simulator(made):
    assert made.log.schema == simulate_veles(n_accounts=400, n_days=1, n_sites=0, n_seeders=0).log.schema
    assert_frame_equal(made.log, made.log.sort("timestamp", "content_id"))
    assert made.log["content_id"].is_unique().all()
    assert made.log["timestamp"].min() >= START
    assert made.log["timestamp"].max() < START + timedelta(days=14)
    assert set(made.log["account_id"]) <= set(made.accounts["account_id"])


def test_every_reshare_names_an_earlier_post_and_the_author_of_its_original(made):
    parents = made.log.select(parent_content_id="content_id", before="timestamp", above="kind")
    answers = made.log.filter(pl.col("kind") != "original").join(parents, on="parent_content_id", how="left")
    assert answers["before"].null_count() == 0
    assert (answers["before"] < answers["timestamp"]).all()
    assert "reply" not in set(answers["above"])
    assert (answers["above"] == "reshare").sum() > 1000
    assert answers["origin_account_id"].null_count() == 0


def test_the_truth_tells_roles_and_the_campaign(made):
    kind = made.campaigns["kind"].item()
    roles = dict(made.accounts["role"].value_counts().iter_rows())
    counts = made.campaigns.row(0, named=True)
    assert made.accounts.height == 3000
    assert set(roles) == {"organic", "fan", "organiser", "worker"} | (
        {"relay"} if kind != "centralised" else set()
    )
    assert roles["organiser"] == counts["n_organisers"] == 3
    assert roles["worker"] == counts["n_workers"]
    assert (
        roles.get("relay", 0)
        == counts["n_relays"]
        == {"centralised": 0, "distributed": 6, "pyramid": 4}[kind]
    )
    assert made.accounts["organised"].sum() == 129
    assert set(made.accounts.filter("organised")["role"]) <= {"organiser", "relay", "worker"}


def test_each_kind_hangs_as_it_is_told(made):
    kind = made.campaigns["kind"].item()
    posts = made.log.join(made.accounts, on="account_id")
    seen = posts.select(
        parent_content_id="content_id", parent_role="role", parent_group="group", top_kind="kind"
    )
    reshares = posts.filter(pl.col("kind") == "reshare", pl.col("role") == "worker")
    under = reshares.join(seen, on="parent_content_id").filter(
        pl.col("parent_role").is_in(["organiser", "relay", "worker"])
    )
    share = dict(under.group_by("parent_role").agg(pl.len() / under.height).iter_rows())
    assert under.height > 500
    if kind == "centralised":
        assert share == {"organiser": 1.0}
    elif kind == "distributed":
        assert share["relay"] > 0.85
        assert "worker" not in share
    else:
        assert share["worker"] > share["relay"] > 0
        assert "organiser" not in share
    crews = under.filter(pl.col("parent_role") != "organiser")
    assert (crews["group"] == crews["parent_group"]).all()


def test_strengths_share_their_background():
    logs = [simulate_crowdturf(kind="pyramid", **SMALL, strength=strength) for strength in (1, 2)]
    key = ["account_id", "timestamp", "kind", "url", "text"]
    ordinary, other = (
        made.log.join(made.accounts.filter(~pl.col("organised")), on="account_id") for made in logs
    )
    # All but those who reshared the campaign or its people's own posts.
    assert ordinary.join(other, on=key, how="semi", nulls_equal=True).height > 0.95 * ordinary.height


@pytest.fixture(scope="module", params=[(kind, seed) for kind in KINDS for seed in range(3)])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A campaign of full strength, its kind and what is found in its log."""
    kind, seed = request.param
    made, folder = simulate_crowdturf(kind=kind, seed=seed), tmp_path_factory.mktemp("campaign")
    made.log.write_parquet(folder / "log.parquet")
    build([folder / "log.parquet"], folder / "study")
    return kind, made, find_clusters(folder / "study")


def test_the_campaign_is_flagged_and_nobody_else(found):
    kind, made, study = found
    flagged = study.members.join(study.clusters.filter("flagged"), on="cluster_id", how="semi")
    hits = flagged.join(made.accounts.filter("organised"), on="account_id", how="semi").height
    assert hits == flagged.height
    # A pyramid's tiers reshare one another, minutes apart, and few of them ever stand in one window: relays tell.
    assert hits / made.accounts["organised"].sum() >= (0.8 if kind == "pyramid" else 0.5)


def test_the_clusters_of_a_campaign_score_highest_for_its_kind(found):
    kind, made, study = found
    members = study.members.join(made.accounts, on="account_id").join(study.clusters, on="cluster_id")
    # A splinter that is not flagged may show one relay with its followers alone, whatever the kind of the whole.
    hired = members.filter("organised", "flagged")
    right = pl.all_horizontal(pl.col(kind) > pl.col(other) for other in KINDS if other != kind)
    assert hired.height > 50
    assert hired.select(right.fill_null(False).mean()).item() > 0.9
    most = members.group_by("cluster_id").agg(mostly=pl.col("role").mode().sort().first())
    organic = members.join(most, on="cluster_id").filter(mostly="organic")
    assert organic.select(pl.max_horizontal(*KINDS).fill_null(0).max()).item() < 0.5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_small_worlds_are_whole(kind, seed):
    tiny = simulate_crowdturf(
        kind=kind, n_accounts=330, n_days=1, n_workers=20, n_missions=3, strength=0.1, seed=seed
    )
    answers = tiny.log.filter(pl.col("kind") != "original")
    assert set(answers["parent_content_id"]) <= set(tiny.log["content_id"])
    assert tiny.accounts.height == 330
    without = simulate_crowdturf(kind=kind, n_accounts=330, n_days=1, n_workers=20, n_missions=0, seed=seed)
    hired = without.accounts.filter("organised")
    reshares = without.log.join(hired, on="account_id").filter(kind="reshare")
    assert reshares.height < 20  # the breaking story takes some of everybody


@pytest.mark.parametrize(
    "option",
    [{"kind": "secret"}, {"n_days": 0}, {"n_workers": 19}, {"n_missions": -1}, {"n_accounts": 428},
     {"strength": 0}, {"seed": -1}],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_named(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        simulate_crowdturf(**option)


def test_the_command_writes_the_log_and_its_truth(tmp_path, capsys):
    from propgraph.cli.app import run

    small = ["--n-accounts", "700", "--n-days", "4", "--n-workers", "60", "--n-missions", "15"]
    assert run(["simulate", "crowdturf", "--kind", "pyramid", *small, "-o", str(tmp_path)]) == 0
    written = pl.read_parquet(tmp_path / "crowdturf.parquet")
    assert_frame_equal(written, simulate_crowdturf(kind="pyramid", **SMALL).log)
    out = capsys.readouterr()
    assert "truth_campaigns.csv" in out.out + out.err
    assert run(["simulate", "crowdturf", "--kind", "pyramids", "-o", str(tmp_path)]) == 2
