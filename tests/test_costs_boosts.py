"""Who paid to boost what, before or after it spread: joined by canonical URL or by site, counted share by share."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.cli.app import run
from propgraph.costs.ads import read_ads
from propgraph.costs.boosts import find_boosts
from propgraph.costs.counting import SharesByTime
from propgraph.costs.sponsors import sponsored_posts, with_sponsors
from propgraph.jobs.clusters import find_clusters
from propgraph.report.boosts import boost_sentence, boosts_headline
from propgraph.schema import BOOSTS, CLUSTERS
from tests.reference.boosts import alike, before_and_after

START = datetime(2024, 3, 1, tzinfo=UTC)
A, B = "https://planetnews.com/a", "https://planetnews.com/b"
NOBODY = pl.DataFrame(schema={"content_id": pl.String, "sponsor": pl.String})
NO_CLUSTER = pl.DataFrame(schema={"account_id": pl.String, "cluster_id": pl.String})


def at(hours):
    return START + timedelta(hours=hours)


def links(*rows, step=1.0):
    """Links `(post, account, hours, url)`."""
    return pl.DataFrame(
        [(url.split("/")[2], who, post, at(hours), step, url) for post, who, hours, url in rows],
        schema={
            "site": pl.String, "account_id": pl.String, "content_id": pl.String,
            "timestamp": pl.Datetime("ms", "UTC"), "time_resolution_s": pl.Float64, "url": pl.String,
        },
        orient="row",
    )  # fmt: skip


def ads(*rows):
    if not rows:
        return read_ads([])[0]
    names = ("ad_id", "url", "payer", "start", "stop", "spend_low", "spend_high", "currency")
    return read_ads(
        pl.DataFrame([dict(zip(names, row, strict=False)) for row in rows], infer_schema_length=None)
    )[0]


def boosts(adverts, shares, *, sponsored=NOBODY, flagged=NO_CLUSTER):
    found = find_boosts(adverts, shares, sponsored=sponsored, flagged=flagged)
    assert found.schema == BOOSTS.dtypes
    return found.to_dicts()


LOG = links(
    ("1", "x", 0, A),
    ("2", "y", 1, A),
    ("3", "z", 5, A),
    ("4", "x", 9, B),
    ("5", "y", 2, "https://other.com/a"),
)


def test_an_advert_is_joined_by_our_own_form_of_its_url():
    advert = ("1", "http://www.planetnews.com/a/?utm_source=fb&fbclid=1", "PAC", at(2), at(50), 10, 50, "USD")
    (row,) = boosts(
        ads(advert), LOG, flagged=pl.DataFrame({"account_id": ["z", "q"], "cluster_id": ["c1", "c2"]})
    )
    assert row["object_id"] == A
    told = (
        "source",
        "matched",
        "site",
        "payer",
        "own",
        "spend_low",
        "spend_high",
        "currency",
        "n_before",
        "n_after",
    )
    assert [row[name] for name in told] == ["ads", "url", "planetnews.com", "PAC", False, 10, 50, "USD", 2, 1]
    assert (row["first_share"], row["lead_s"], row["n_sponsored"]) == (at(0), 7200.0, 0)
    assert (row["by_then"], row["cluster_ids"], row["n_like"], row["p_value"]) == (
        pytest.approx(2 / 3),
        ["c1"],
        0,
        None,
    )


def test_where_a_library_shows_only_a_site_that_is_what_counts():
    (row,) = boosts(ads(("1", "Planetnews.com", "PAC", at(6), None)), LOG)
    assert (row["matched"], row["object_id"], row["n_before"], row["n_after"]) == ("site", None, 3, 1)
    assert (row["expected_by_then"], row["n_like"]) == (None, None)
    # An address that is not in the log tells of its site; one that is in it, of itself alone.
    rows = boosts(
        ads(
            ("1", "https://planetnews.com/gone", "P", None, None),
            ("2", f"{A} planetnews.com", "P", None, None),
        ),
        LOG,
    )
    assert [(row["ad_id"], row["matched"]) for row in rows] == [("1", "site"), ("2", "url")]


def test_platforms_and_shorteners_are_nobodys_site_and_other_adverts_lead_nowhere():
    log = links(("1", "x", 0, "https://twitter.com/i/status/1"), ("2", "x", 0, "https://bit.ly/1"))
    assert (
        boosts(
            ads(
                ("1", "twitter.com", "P", None),
                ("2", "https://bit.ly/2", "P", None),
                ("3", "a-shop.com", "P", None),
            ),
            log,
        )
        == []
    )


def test_a_start_that_is_a_date_leaves_that_days_shares_undecided():
    log = links(("1", "x", -1, A), ("2", "y", 0, A), ("3", "z", 23, A), ("4", "u", 24, A))
    (row,) = boosts(ads(("1", A, "P", "2024-03-01")), log)
    assert (row["start_resolution_s"], row["n_before"], row["n_after"], row["by_then"]) == (86400, 1, 1, 0.75)
    (exact,) = boosts(ads(("1", A, "P", at(0))), log)
    assert (exact["n_before"], exact["n_after"]) == (1, 3)


def test_without_a_start_before_and_after_are_not_known():
    (row,) = boosts(ads(("1", A, "P", None)), LOG)
    assert [row[name] for name in ("start", "lead_s", "n_before", "n_after", "by_then", "p_value")] == [
        None
    ] * 6


def test_posts_that_somebody_paid_for_are_boosts_and_no_organic_shares():
    paid = pl.DataFrame({"content_id": ["2", "4"], "sponsor": ["PAC", "yes"]})
    first, second = boosts(ads(), LOG, sponsored=paid)
    assert (first["source"], first["object_id"], first["payer"], first["ad_id"]) == ("posts", A, "PAC", None)
    assert (first["start"], first["n_sponsored"], first["n_before"], first["n_after"]) == (at(1), 1, 1, 1)
    assert (second["object_id"], second["payer"], second["first_share"], second["n_before"]) == (
        B,
        "yes",
        None,
        0,
    )
    (advert,) = boosts(ads(("1", A, "P", at(3))), LOG, sponsored=paid)[:1]
    assert (advert["n_before"], advert["n_after"], advert["n_sponsored"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("payer", "own"),
    [
        ("The Planet News", True), ("planetnews.com", True), ("Planetnews Media Group Inc.", True),
        ("PLANET-NEWS Verlag GmbH", True),
        ("PAC", False), ("Citizens for Tomorrow", False), (None, False), ("pla", False), ("", False),
    ],
)  # fmt: skip
def test_an_outlets_own_adverts_are_told_as_its_own(payer, own):
    (row,) = boosts(ads(("1", A, payer, at(2))), LOG)
    assert row["own"] is own


def test_no_links_no_adverts_no_sponsors():
    assert find_boosts(ads(), LOG, sponsored=NOBODY, flagged=NO_CLUSTER).equals(BOOSTS.empty())
    assert boosts(ads(("1", A, "P", at(2))), links()) == []


def test_the_order_of_the_rows_changes_nothing():
    adverts = ads(*[(str(k), url, "P", at(k)) for k, url in enumerate([A, B, "planetnews.com", "other.com"])])
    paid = pl.DataFrame({"content_id": ["2", "4"], "sponsor": ["PAC", "yes"]})
    one = find_boosts(adverts, LOG, sponsored=paid, flagged=NO_CLUSTER)
    assert find_boosts(adverts[::-1], LOG[::-1], sponsored=paid[::-1], flagged=NO_CLUSTER).equals(one)
    assert not one.select(BOOSTS.key).is_duplicated().any()


def test_of_two_exports_of_one_advert_that_with_more_spent_counts():
    adverts = ads(
        ("1", A, "P", at(2), None, 5, 9, "EUR"),
        ("1", f"{A} {B}", "P", at(2), None, 50, 99, "EUR"),
    )
    for both in (adverts, adverts[::-1]):
        found = boosts(both, LOG)
        assert [(row["object_id"], row["spend_low"]) for row in found] == [(A, 50), (B, 50)]


@given(
    hours=st.lists(st.integers(-30, 30), min_size=1, max_size=12),
    step=st.sampled_from([0.0, 1.0, 3600.0, 86400.0]),
    start=st.integers(-30, 30),
)
def test_before_and_after_are_as_counted_share_by_share(hours, step, start):
    log = links(*[(str(k), "x", hour, A) for k, hour in enumerate(hours)], step=step)
    (row,) = boosts(ads(("1", A, "P", at(start))), log)
    assert (row["n_before"], row["n_after"]) == before_and_after(
        [(at(hour), step) for hour in hours], start=at(start)
    )


@given(
    sizes=st.lists(st.integers(1, 9), min_size=0, max_size=12),
    start=st.integers(-3, 40),
    seed=st.integers(0, 99),
)
def test_like_urls_are_as_counted_one_by_one(sizes, start, seed):
    draw = random.Random(seed)
    others = [[draw.randrange(40) for _ in range(size)] for size in sizes]
    own = [0, *(draw.randrange(40) for _ in range(3))]
    rows = [(f"a{k}", "x", hour, A) for k, hour in enumerate(own)]
    rows += [
        (f"{u}.{k}", "x", hour, f"{B}{u}") for u, hours in enumerate(others) for k, hour in enumerate(hours)
    ]
    (row,) = boosts(ads(("1", A, "P", at(start))), links(*rows))
    share = sum(hour < start for hour in own) / len(own)
    n, expected, p = alike(len(own), others, age_ms=start, share=share)
    assert row["by_then"] == share
    assert row["n_like"] == n
    assert row["expected_by_then"] == (None if expected is None else pytest.approx(expected))
    assert row["p_value"] == (None if p is None else pytest.approx(p))


def test_other_boosted_urls_are_none_to_compare_with():
    rows = [(f"{u}.{k}", "x", k, f"{A}{u}") for u in range(7) for k in range(4)]
    some = ads(*[(str(u), f"{A}{u}", "P", at(1)) for u in range(2)])
    assert [row["n_like"] for row in boosts(some, links(*rows))] == [5, 5]


def p_values(*, boosted, seed):
    """Return those of 100 URLs with an advert at a random age, which doubled their shares or brought none."""
    draw = np.random.default_rng(seed)
    rows, adverts = [], []
    for site in range(20):
        for page in range(40):
            n, first, life = int(draw.lognormal(3, 0.5)) + 5, draw.uniform(0, 240), draw.lognormal(1.3, 0.7)
            hours = first + np.concatenate([[0], draw.exponential(life, n - 1)])
            url = f"https://site{site}.com/{page}"
            if page < 5:
                start = first + draw.exponential(2.5)
                hours = np.concatenate([hours, start + draw.exponential(life, n)]) if boosted else hours
                adverts.append((f"{site}.{page}", url, "P", at(start)))
            rows += [(f"{site}.{page}.{k}", "x", hour, url) for k, hour in enumerate(hours)]
    return np.array(
        [row["p_value"] for row in boosts(ads(*adverts), links(*rows)) if row["p_value"] is not None]
    )


def test_the_p_value_is_small_where_the_spread_came_with_the_boost_and_nowhere_else():
    null, spread = (p_values(boosted=boosted, seed=7) for boosted in (False, True))
    assert min(null.size, spread.size) > 60
    # Three standard errors of a fraction of one in ten.
    assert (null <= 0.1).mean() <= 0.1 + 3 * np.sqrt(0.09 / null.size)
    assert (spread <= 0.1).mean() > 2 * max((null <= 0.1).mean(), 0.1)


def test_a_post_is_sponsored_once_and_an_old_table_has_no_sponsors():
    posts = pl.LazyFrame(
        {"content_id": ["1", "1", "2"], "account_id": ["x", "x", "y"], "sponsor": ["b", "a", None]}
    )
    assert sponsored_posts(posts).rows() == [("1", "x", "a")]
    assert sponsored_posts(posts.drop("sponsor")).is_empty()


def test_clusters_say_how_much_of_what_they_posted_was_paid_for():
    clusters = CLUSTERS.conform(pl.DataFrame({"cluster_id": ["c1", "c2"]}))
    members = pl.DataFrame({"account_id": ["x", "y", "z"], "cluster_id": ["c1", "c1", "c2"]})
    accounts = pl.LazyFrame({"account_id": ["x", "y", "z", "q"], "n_posts": [3, 5, 2, 9]})
    paid = pl.DataFrame(
        {"content_id": ["1", "2", "3"], "account_id": ["x", "y", "q"], "sponsor": ["B", "B", "A"]}
    )
    told = with_sponsors(clusters, members, sponsored=paid, accounts=accounts)
    assert told.select("cluster_id", "sponsored_share", "sponsors").rows() == [
        ("c1", 0.25, ["B"]),
        ("c2", 0.0, []),
    ]
    assert told.columns == clusters.columns
    none = with_sponsors(clusters, members, sponsored=paid.clear(), accounts=accounts)
    assert none.equals(clusters)


def test_sentences_tell_who_paid_how_much_and_when():
    advert = ("1", A, "PAC \x1b[31m", at(2), None, 10, 50, "USD")
    (row,) = boosts(ads(advert), LOG, flagged=pl.DataFrame({"account_id": ["z"], "cluster_id": ["c1"]}))
    assert boost_sentence(row) == (
        f"{A}: PAC \x1b[31m paid 10 to 50 $, 2 hours after its first organic share; 2 organic shares before, 1 after; "
        "shared by c1"
    )
    (own,) = boosts(ads(("1", "planetnews.com", "Planet", None, None, 5, None, "EUR")), LOG)
    assert (
        boost_sentence(own)
        == "the site planetnews.com: Planet paid for an advert of its own 5.00 € or more; when is not known"
    )
    assert boosts_headline([row, own]) == (
        "Boosted: 2 of the URLs and sites, by 2 named payers (1 by an outlet or a shop for itself)"
    )


def test_the_command_takes_adverts_and_prints_what_was_boosted(own_study, tmp_path, capsys):
    url = own_study.objects.filter(trace="url").sort("n_shares", descending=True)["url"][0]
    path = tmp_path / "ads.csv"
    pl.DataFrame(
        {
            "ad_id": ["1", "2"],
            "url": [url, "nowhere-shop.com"],
            "payer": ["PAC \x1b[31m", "Q"],
            "start": ["2016-10-26", None],
        }
    ).write_csv(path)
    before = own_study.run["clusters"]["counts"]
    assert run(["clusters", str(own_study.path), "--ads", str(path)]) == 0
    said = capsys.readouterr()
    assert "Boosted: 1 of the URLs and sites, by 1 named payer" in said.out
    assert "\x1b" not in said.out
    assert f"{path}: 2 adverts (a table of adverts)" in said.err
    assert (
        "ads: 1 of 2 adverts lead to this log (1 times to one of its URLs, 0 times to one of its sites"
        in said.err
    )
    assert own_study.boosts["object_id"].to_list() == [url]
    record = own_study.run["clusters"]
    assert (record["parameters"]["ads"], record["ads"][0]["path"]) == ([str(path)], str(path))
    assert record["counts"] == before  # a fact: it flags nothing
    assert run(["clusters", str(own_study.path), "--ads", str(tmp_path / "none.csv")]) == 1
    assert "no such file" in capsys.readouterr().err


def test_find_clusters_takes_frames(own_study):
    url = own_study.objects.filter(trace="url")["url"][0]
    found = find_clusters(own_study, ads=[pl.DataFrame({"ad_id": ["1"], "url": [url]})])
    assert found.boosts.select("ad_id", "object_id").rows() == [("1", url)]
    assert found.run["clusters"]["parameters"]["ads"] == ["(a table)"]


def test_shares_before_a_time_of_millions_of_objects():
    # Three years of 2 ** 23 objects and one: with 42 bits for each time the last would be taken for the first.
    last = 1 << 23
    code = np.array([0, 0, last, last], np.int64)
    ms = np.array([5, 9, 7, 5 + 3 * 365 * 86_400_000], np.int64)
    counts = SharesByTime(code, ms, last + 1)
    ends = np.array([0, 0, 1, last, last], np.int64)
    assert counts.before(ends, np.array([9, 10, 10, 8, 1 << 50])).tolist() == [1, 2, 0, 1, 2]
    assert counts.before(ends, -1).tolist() == [0] * 5
