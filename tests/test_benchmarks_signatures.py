"""The table of signatures: what is found, whom else a flag touches, and what is told of logs without a campaign."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from benchmarks.detection.signatures import (
    WHOLE,
    WORLDS,
    Made,
    Run,
    Signature,
    average_precision,
    fired,
    flags_of,
    mean,
    nmi,
    touched,
)

ACCOUNTS = pl.DataFrame(
    {
        "account_id": ["s1", "s2", "s3", "h1", "a1", "o1", "gone"],
        "role": ["seeder", "seeder", "seeder", "helper", "admin", "organic", "seeder"],
        "organised": [True, True, True, True, False, False, True],
    }
)
SITES = pl.DataFrame(
    {
        "site": ["farm.com", "bbc.com.co", "paper.com", "title.com", "unseen.com"],
        "role": ["farm", "farm", "ordinary", "chain", "farm"],
        "imitates": [None, "bbc.com", None, None, None],
        "organised": [True, True, False, False, True],
    },
    schema_overrides={"imitates": pl.String},
)


@pytest.fixture
def run() -> Run:
    """Two of three seeders, a helper and an admin stand in a flagged cluster; the third seeder in one that is not."""
    members = {"account_id": ["s1", "s2", "h1", "a1", "s3"], "cluster_id": ["c1", "c1", "c1", "c1", "c2"]}
    study = SimpleNamespace(
        accounts=ACCOUNTS.filter(pl.col("account_id") != "gone").select("account_id"),
        members=pl.DataFrame(members),
        clusters=pl.DataFrame(
            {"cluster_id": ["c1", "c2"], "flags": [["token"], ["late"]], "flagged": [True, False]}
        ),
        account_scores=pl.DataFrame({"account_id": ["s1", "s2", "o1"], "score": [3.0, 2.0, 1.0]}),
        sites=pl.DataFrame(
            {
                "site": ["farm.com", "bbc.com.co", "paper.com", "title.com"],
                "flags": [["seeded"], ["seeded", "imitates"], [], ["seeded"]],
                "flagged": [True, True, False, True],
                "score": [0.9, 0.8, 0.0, 0.7],
            }
        ),
        evidence=pl.DataFrame(
            {
                "subject_type": ["account", "cluster"],
                "subject_id": ["s1", "c1"],
                "rule": ["main-source", "token"],
            }
        ),
    )
    return Run(study, Made(pl.DataFrame(), ACCOUNTS, SITES), 1.0)


def test_a_flag_of_clusters_is_counted_by_their_members(run):
    token = fired(run, Signature("token", "clusters", ("seeder",)))
    # Two of the three seeders that the log shows; of four members the admin alone is innocent.
    assert token == {
        "recall": pytest.approx(2 / 3), "precision": 3 / 4, "innocents": {"admin": (1, 1), "organic": (0, 1)},
    }  # fmt: skip
    assert fired(run, Signature("late", "clusters", ("seeder",)))["recall"] == pytest.approx(1 / 3)
    nothing = fired(run, Signature("none", "clusters", ("seeder",)))
    assert (nothing["recall"], nothing["precision"]) == (0.0, None)


def test_evidence_of_accounts_on_their_own_is_counted(run):
    alone = fired(run, Signature("main-source", "accounts", ("seeder",)))
    assert (alone["recall"], alone["precision"]) == (pytest.approx(1 / 3), 1.0)
    assert fired(run, Signature("token", "accounts", ("seeder",)))["recall"] == 0.0
    assert flags_of(run, "accounts") == ({"main-source": 1}, 6)


def test_the_whole_counts_flagged_clusters_alone(run):
    whole = fired(run, Signature(WHOLE, "clusters", ("seeder",)))
    assert whole["recall"] == pytest.approx(2 / 3)
    assert fired(run, Signature(WHOLE, "sites", "organised")) == {
        "recall": 1.0, "precision": pytest.approx(2 / 3), "innocents": {"chain": (1, 1), "ordinary": (0, 1)},
    }  # fmt: skip


def test_a_flag_of_sites_is_held_against_a_column_of_the_truth(run):
    imitates = fired(run, Signature("imitates", "sites", "imitates"))
    assert (imitates["recall"], imitates["precision"]) == (1.0, 1.0)
    assert fired(run, Signature("seeded", "sites", "organised"))["precision"] == pytest.approx(2 / 3)


def test_the_ranking_is_that_of_the_whole(run):
    # s1, s2, then o1; s3 and h1 share the end with a1: (1/4)(1 + 1) + (2/4) * 4/6 of four organised accounts.
    assert average_precision(run, "clusters") == pytest.approx(2 / 4 + 2 / 4 * 4 / 6)
    assert average_precision(run, "sites") == 1.0


def test_flags_of_a_log_are_counted(run):
    assert flags_of(run, "clusters") == ({"token": 1, "late": 1, WHOLE: 1}, 2)
    assert flags_of(run, "sites") == ({"seeded": 3, "imitates": 1, WHOLE: 3}, 4)


def test_what_is_told_of_several_runs():
    assert mean([]) == "-"
    assert mean([None, 0.5]) == "0.50"
    assert mean([0.5, 1.0]) == "0.75 (0.50-1.00)"
    two = [{"desk": (1, 6), "organic": (0, 900)}, {"desk": (2, 6), "organic": (0, 1000)}]
    assert touched(two) == "desk 3 of 12; none of 1,900 others"
    assert touched([{"organic": (0, 10)}]) == "none of 10"


def test_partitions_agree_by_their_mutual_information():
    assert nmi([1, 1, 2, 2], [5, 5, 7, 7]) == pytest.approx(1.0)
    assert nmi([1, 1, 2, 2], [5, 7, 5, 7]) == pytest.approx(0.0)
    # One group of two against two alone: no entropy on one side, log 2 on the other.
    assert nmi([1, 1], [1, 2]) == 0.0
    # Entropies 1 and 1.5 bits, of which 1 is shared.
    assert nmi([1, 1, 2, 2], [1, 1, 2, 3]) == pytest.approx(1 / 1.25)


@pytest.mark.parametrize("world", WORLDS)
def test_every_world_has_a_campaign_and_can_leave_it_out(world):
    there, gone = WORLDS[world](1, 1.0), WORLDS[world](1, None)
    assert there.accounts["organised"].sum() >= 3
    # Who is hired and has nothing to do posts as others do: what the campaign brought is not there.
    assert gone.log.height < there.log.height
    if there.sites is not None:
        assert there.sites["organised"].any()
        assert not gone.sites["organised"].any()
