from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.schema import EVIDENCE, READINGS, SITES, TIME
from propgraph.sites.figures import SiteInputs
from propgraph.sites.judge import judge_sites

START = datetime(2020, 1, 1, tzinfo=UTC)
NAMES = {
    "site": pl.String,
    "url": pl.String,
    "account_id": pl.String,
    "content_id": pl.String,
    "second": pl.Int64,
}


def links(*rows):
    """Rows of site, url, account, post, second."""
    return pl.DataFrame(rows, schema=NAMES, orient="row").select(
        pl.exclude("second"), timestamp=pl.lit(START).cast(TIME) + pl.duration(seconds="second")
    )


def flagged(**members):
    return pl.DataFrame(
        {"account_id": list(members), "cluster_id": list(members.values())},
        schema={"account_id": pl.String, "cluster_id": pl.String},
    )


def story(site, number, accounts, start=0):
    """Shares of one URL, a second apart, by `accounts` in this order."""
    return [
        (site, f"{site}/{number}", who, f"{site}{number}-{k:02d}", start + k)
        for k, who in enumerate(accounts)
    ]


def judged(rows, members, *, inputs=None, **options):
    found = judge_sites(SiteInputs(links(*rows), flagged(**members), **(inputs or {})), **options)
    assert found.sites.schema == SITES.dtypes
    assert found.evidence.schema == EVIDENCE.dtypes
    assert found.readings.schema == READINGS.dtypes
    return found


def measured(rows, members, **options):
    """Rows of sites by name, and of evidence by site."""
    found = judged(rows, members, **options)
    return {row["site"]: row for row in found.sites.to_dicts()}, {
        row["subject_id"]: row for row in found.evidence.to_dicts()
    }


def test_figures_by_hand():
    # Two URLs of one site. Of the first, twelve shares: s and t are seeders, who make four of the first ten
    # and the twelfth; of the second, two of three.
    first = story("x.com", 1, ["s", "s", "a", "b", "t", "c", "d", "e", "t", "f", "a", "t"])
    second = story("x.com", 2, ["t", "a", "s"], start=100)
    sites, evidence = measured(first + second, {"s": "c1", "t": "c1"})
    row = sites["x.com"]
    assert (row["n_shares"], row["n_accounts"], row["n_urls"]) == (15, 8, 2)
    assert row["first_seen"] == START
    assert row["last_seen"] == START + timedelta(seconds=102)
    assert row["early_share"] == (4 + 2) / (10 + 3)
    assert row["score"] == (4 + 2) / (10 + 3 + 2)
    assert row["coordinated_share"] == (5 + 2) / 15
    # Early shares by account: s 3, t 3, a 2, b c d e f 1 each, thirteen in all; s, t and a make half of them.
    assert row["n_half_seeders"] == 3
    # All shares by account: t 4, s 3, a 3, b c d e f 1 each; Gini by its definition.
    counts = [4, 3, 3, 1, 1, 1, 1, 1]
    differences = sum(abs(a - b) for a in counts for b in counts) / 64
    assert row["gini"] == pytest.approx(differences / (2 * 15 / 8))
    assert row["top_cluster_id"] == "c1"
    assert (row["flags"], evidence) == ([], {})


@pytest.mark.parametrize(
    ("accounts", "least"),
    [
        ("a", 1),
        ("ab", 1),  # one of two makes half
        ("abc", 2),
        ("aab", 1),
        ("abcd", 2),
        ("aabbcd", 2),
        ("aaabcd", 1),
        ("abcdefghij", 5),
        ("abcdefghijaaaaaaaaaaaaaa", 5),  # what comes after the first ten does not count
    ],
)
def test_fewest_accounts_that_make_half(accounts, least):
    sites, _ = measured(story("x.com", 1, accounts), {})
    assert sites["x.com"]["n_half_seeders"] == least


@pytest.mark.parametrize(
    ("accounts", "gini"), [("a", 1), ("aaa", 1), ("ab", 0), ("abcabc", 0), ("aaab", 0.25)]
)
def test_gini_over_accounts(accounts, gini):
    sites, _ = measured(story("x.com", 1, accounts), {})
    assert sites["x.com"]["gini"] == pytest.approx(gini)


def test_ties_in_time_have_a_fixed_order():
    # Twenty at one second: the first ten by account, then by post, are the early ones, in whatever order.
    rows = [("x.com", "u", f"a{k:02d}", f"p{k:02d}", 0) for k in range(20)]
    early = {f"a{k:02d}": "c1" for k in range(10)}
    late = {f"a{k:02d}": "c1" for k in range(10, 20)}
    for order in (rows, rows[::-1], rows[7:] + rows[:7]):
        assert measured(order, early)[0]["x.com"]["early_share"] == 1
        assert measured(order, late)[0]["x.com"]["early_share"] == 0
    twice = [("x.com", "u", "a", f"p{k:02d}", 0) for k in range(11)] + [("x.com", "u", "b", "p00x", 0)]
    assert measured(twice, {"b": "c1"})[0]["x.com"]["early_share"] == 0


def test_first_ten_are_those_of_each_url():
    rows = story("x.com", 1, ["s"] * 10 + ["a"] * 90) + story("x.com", 2, ["a"] * 100)
    sites, _ = measured(rows, {"s": "c1"})
    assert sites["x.com"]["early_share"] == 10 / 20
    assert sites["x.com"]["coordinated_share"] == 10 / 200


def test_seeded_needs_score_and_two_urls():
    def seeded(rows, **options):
        sites, _ = measured(rows, {"s": "c1"}, **options)
        assert sites["x.com"]["flagged"] == (sites["x.com"]["flags"] == ["seeded"])
        return sites["x.com"]["flagged"]

    # One share of one URL: 1 of 1 + 2. Two URLs of one: 2 of 4, at the threshold.
    assert not seeded(story("x.com", 1, "s"))
    assert seeded(story("x.com", 1, "s") + story("x.com", 2, "s"))
    assert not seeded(story("x.com", 1, "s") + story("x.com", 2, "s"), min_score=0.51)
    # However surely seeded, one URL alone is no site's policy.
    assert not seeded(story("x.com", 1, "s" * 50))
    # 6 of 10 + 2 is half; 5 of 10 is not.
    assert seeded(story("x.com", 1, "ssssab") + story("x.com", 2, "ssab"))
    assert not seeded(story("x.com", 1, "ssssab") + story("x.com", 2, "scab"))


def test_evidence_names_the_seeders_early_posts():
    rows = (
        story("x.com", 1, "sast" + "b" * 20 + "s", start=50)
        + story("x.com", 2, "tts", start=0)
        + story("y.org", 1, "ab")
    )
    sites, evidence = measured(rows, {"s": "c1", "t": "c2"}, min_score=0.3)
    assert sites["x.com"]["flags"] == ["seeded"]
    assert sites["y.org"]["flags"] == []
    found = evidence["x.com"]
    assert list(evidence) == ["x.com"]
    assert (found["subject_type"], found["rule"], found["threshold"]) == ("site", "seeded", 0.3)
    # Early: ten of the first URL, three of them by seeders, and three of the second, all by seeders.
    assert found["value"] == 6 / 15  # with two shares of doubt
    assert found["expected"] == 0  # of the other site's two
    assert found["content_ids"] == [
        "x.com2-00",
        "x.com2-01",
        "x.com2-02",
        "x.com1-00",
        "x.com1-02",
        "x.com1-03",
    ]
    assert found["sentence"] == (
        "flagged clusters made 46% of the first ten shares in this log of its 2 URLs (6 of 13); of sites that are not "
        "seeded 0%; as many URLs of like size, drawn from all sites, have fewer in 0.0% of draws"
    )


def test_at_most_twenty_posts_are_shown():
    rows = [row for k in range(5) for row in story("x.com", k, "s" * 10, start=100 * k)]
    _, evidence = measured(rows, {"s": "c1"})
    assert evidence["x.com"]["content_ids"] == [f"x.com{k}-{i:02d}" for k in range(2) for i in range(10)]


def test_the_cluster_that_shared_most_is_named():
    rows = story("x.com", 1, "sttab") + story("y.org", 1, "stab") + story("z.net", 1, "ab")
    sites, _ = measured(rows, {"s": "c1", "t": "c2"})
    assert sites["x.com"]["top_cluster_id"] == "c2"
    assert sites["y.org"]["top_cluster_id"] == "c1"  # a tie: the name that sorts first
    assert sites["z.net"]["top_cluster_id"] is None


def test_order_of_the_table():
    rows = story("b.com", 1, "s") + story("a.com", 1, "s") + story("c.com", 1, "ss") + story("d.com", 1, "aa")
    sites = judged(rows, {"s": "c1"}).sites
    assert sites["site"].to_list() == ["c.com", "a.com", "b.com", "d.com"]
    again = judged(rows[::-1], {"s": "c1"}).sites
    assert_frame_equal(sites, again)


def test_no_cluster_and_no_link():
    sites, evidence = measured(story("x.com", 1, "ab"), {})
    assert (sites["x.com"]["score"], sites["x.com"]["coordinated_share"]) == (0, 0)
    assert evidence == {}
    assert measured([], {"s": "c1"}) == ({}, {})


@pytest.mark.parametrize(("step_s", "n_early"), [(1.0, 4), (3600.0, 0), (None, 4)])
def test_who_shares_by_coarse_times_is_not_first_by_them(step_s, n_early):
    # Two seeders at the full hour, by times of some fineness; ten others within the hour, by the second.
    rows = [
        ("x.com", url, who, f"{url}{who}", second)
        for url in ("u", "v")
        for who, second in [("s", 0), ("t", 0), *((f"a{k}", 60 * (k + 1)) for k in range(10))]
    ]
    table = links(*rows).with_columns(
        time_resolution_s=pl.when(pl.col("account_id").is_in(["s", "t"])).then(step_s).otherwise(1.0)
    )
    sites = judge_sites(SiteInputs(table, flagged(s="c1", t="c1"))).sites
    assert sites["early_share"].item() == n_early / 20
    # Where all are as coarse they come in the order that there is.
    alike = judge_sites(
        SiteInputs(table.with_columns(time_resolution_s=3600.0), flagged(s="c1", t="c1"))
    ).sites
    assert alike["early_share"].item() == 4 / 20
