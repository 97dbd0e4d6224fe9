"""What flagged clusters would have cost: counts times prices, by hand; nothing for those without a flag."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from propgraph.costs.costs import hypothetical_costs, relay_posts
from propgraph.costs.prices import price_table
from propgraph.report.costs import cost_sentence, money
from propgraph.schema import CLUSTERS, COSTS, MEMBERS

NO_RELAYS = pl.DataFrame(schema={"cluster_id": pl.String, "n": pl.UInt32})
START = datetime(2024, 1, 1, tzinfo=UTC)


def clusters(*rows):
    return CLUSTERS.conform(
        pl.DataFrame(rows, schema_overrides={"flags": pl.List(pl.String), "relays": pl.List(pl.String)})
    )


def cluster(name, campaign, *, flagged=True, flags=(), relays=None, lot_share=None):
    return {
        "cluster_id": name,
        "campaign_id": campaign,
        "flagged": flagged,
        "flags": list(flags),
        "relays": relays,
        "lot_share": lot_share,
    }


def member(cluster_id, account, shares, met, day=None):
    return {
        "cluster_id": cluster_id,
        "account_id": account,
        "n_shares": shares,
        "n_co_shares": met,
        "created_at": None if day is None else START + timedelta(days=day),
    }


def members(*rows):
    return MEMBERS.conform(pl.DataFrame(rows, schema_overrides={"created_at": pl.Datetime("ms", "UTC")}))


def prices(*rows):
    names = ("item", "low", "high", "currency", "source")
    return price_table(pl.DataFrame([dict(zip(names, map(str, row), strict=True)) for row in rows]))


def costs(table, people, price_list=None, relays=NO_RELAYS):
    return hypothetical_costs(
        table, people, price_table() if price_list is None else price_list, relays=relays
    )


def of(table, subject):
    rows = table.filter(pl.col("subject_id") == subject)
    return {row["item"]: (row["n_low"], row["n_high"], row["low"], row["high"]) for row in rows.to_dicts()}


TWO = members(member("c1", "a", 10, 7), member("c1", "b", 20, 13), member("c2", "c", 100, 50))


def test_a_cluster_costs_what_was_counted_times_the_prices():
    found = costs(clusters(cluster("c1", "g1")), TWO)
    assert of(found, "c1") == {
        "profiles": (2, 2, pytest.approx(0.2), pytest.approx(2.0)),
        "tasks": (20, 30, pytest.approx(0.0012), pytest.approx(0.3)),
        "influencers": (20, 30, pytest.approx(7.0), pytest.approx(21.0)),
        "total": (None, None, pytest.approx(0.2012), pytest.approx(2.3)),
    }
    assert of(found, "g1") == of(found, "c1")
    assert found.schema == COSTS.dtypes
    assert all(source for row in found["sources"] for source in row)


def test_nothing_is_said_of_a_cluster_without_a_flag_not_even_in_its_campaign():
    found = costs(clusters(cluster("c1", "g1"), cluster("c2", "g1", flagged=False)), TWO)
    assert set(found["subject_id"]) == {"c1", "g1"}
    assert of(found, "g1") == of(found, "c1")
    none = costs(clusters(cluster("c1", None, flagged=False), cluster("c2", None, flagged=False)), TWO)
    assert none.equals(COSTS.empty())


def test_a_campaign_costs_what_its_flagged_clusters_cost_together():
    found = costs(clusters(cluster("c1", "g1"), cluster("c2", "g1")), TWO)
    assert of(found, "g1")["tasks"] == (70, 130, pytest.approx(0.0042), pytest.approx(1.3))
    assert of(found, "g1")["profiles"][:2] == (3, 3)
    assert found["subject_id"].unique(maintain_order=True).to_list() == ["c1", "c2", "g1"]


def test_without_clusters_there_are_no_costs():
    assert costs(CLUSTERS.empty(), MEMBERS.empty()).equals(COSTS.empty())


def test_currencies_are_never_mixed_or_converted():
    mixed = prices(("profile", 1, 2, "EUR", "x"), ("task", 3, 4, "USD", "y"))
    found = costs(clusters(cluster("c1", "g1")), TWO, mixed)
    rows = found.filter(subject_id="c1").select("item", "currency", "low", "high").rows()
    assert rows == [("profiles", "EUR", 2.0, 4.0), ("tasks", "USD", 60.0, 120.0)]  # no total, no influencers
    both = prices(
        ("profile", 1, 2, "EUR", "x"), ("task", 3, 4, "EUR", "y"), ("profile", 10, 20, "USD", "z"),
    )  # fmt: skip
    found = costs(clusters(cluster("c1", "g1")), TWO, both).filter(subject_id="c1", item="total")
    assert found.select("currency", "low", "high").rows() == [("EUR", 62.0, 124.0)]


def test_what_has_no_price_at_all_leaves_no_total():
    relays = pl.DataFrame({"cluster_id": ["c1"], "n": [4]}, schema_overrides={"n": pl.UInt32})
    table = prices(("profile", 1, 2, "EUR", "x"), ("task", 3, 4, "EUR", "y"))
    found = costs(clusters(cluster("c1", "g1")), TWO, table, relays=relays).filter(subject_id="c1")
    assert found["item"].to_list() == ["profiles", "tasks"]  # its relays' posts have no price


def test_members_made_in_lots_are_counted_where_that_was_flagged():
    people = members(
        *[member(f"c{1 + k % 2}", f"a{k:02d}", 1, 1, k) for k in range(20)], member("c1", "b", 1, 1)
    )
    lots = {"flags": ["created-together"], "lot_share": 0.5}
    found = costs(clusters(cluster("c1", "g1", **lots), cluster("c2", "g1", **lots)), people)
    # Of the eleven members of c1 it is known of ten when they were made.
    assert of(found, "c1")["created-together"] == (5, 5, pytest.approx(0.5), pytest.approx(5.0))
    assert of(found, "c1")["profiles"][:2] == (11, 11)
    assert of(found, "g1")["created-together"][:2] == (10, 10)
    bare = costs(clusters(cluster("c1", "g1", flags=["at-once"], lot_share=0.5)), people)
    assert "created-together" not in of(bare, "c1")
    unknown = costs(clusters(cluster("c1", "g1", flags=["created-together"])), people)
    assert "created-together" not in of(unknown, "c1")


def test_relays_cost_what_their_posts_would_as_an_influencers():
    relays = pl.DataFrame({"cluster_id": ["c1", "c9"], "n": [4, 99]}, schema_overrides={"n": pl.UInt32})
    found = costs(clusters(cluster("c1", "g1")), TWO, relays=relays)
    assert of(found, "c1")["relays"] == (4, 4, pytest.approx(1.4), pytest.approx(2.8))
    assert of(found, "g1")["total"][2:] == (pytest.approx(1.6012), pytest.approx(5.1))


def test_a_relays_posts_are_those_in_cascades_that_its_own_cluster_carried():
    nodes = pl.LazyFrame(
        [
            ("reshare:1", "r", 1), ("reshare:1", "r", 2), ("reshare:1", "x", 1), ("reshare:2", "r", 1),
            ("reshare:3", "r", 1), ("reshare:4", "r", 0),
        ],
        schema=["cascade_id", "account_id", "depth"], orient="row",
    )  # fmt: skip
    carried = pl.DataFrame(
        [("c1", "reshare:1", 3), ("c1", "reshare:2", 2), ("c2", "reshare:3", 9), ("c1", "reshare:4", 9)],
        schema=["cluster_id", "cascade_id", "n_nodes"],
        orient="row",
    )
    table = clusters(cluster("c1", "g1", relays=["r"]), cluster("c2", "g2", flagged=False, relays=["r"]))
    assert relay_posts(nodes, table, carried).rows() == [("c1", 1)]  # right under the origin
    assert relay_posts(nodes, clusters(cluster("c1", "g1")), carried).is_empty()


def test_the_order_of_the_rows_changes_nothing():
    table = clusters(cluster("c1", "g1", flags=["created-together"]), cluster("c2", "g2"))
    people = members(*[member(f"c{1 + k % 2}", f"a{k}", 5, 3, k % 7) for k in range(20)])
    assert costs(table, people[::-1]).equals(costs(table, people))


def test_the_sentence_gives_ranges_and_calls_them_hypothetical():
    people = members(
        *[member("c1", f"a{k:02d}", 61 if k == 0 else 60, 61 if k == 0 else 60) for k in range(25)]
    )
    found = costs(clusters(cluster("c1", "g1")), people)
    assert cost_sentence(found.filter(subject_id="g1").to_dicts()) == (
        "If each of the 1,501 posts was paid (hypothetical; nothing in the log says so): 0.09 to 15 $; "
        "25 profiles 2.50 to 25 $; the same posts at the price of an influencer's like 525 to 1,051 $"
    )
    assert cost_sentence([]) is None
    few = costs(
        clusters(cluster("c1", "g1")),
        TWO,
        prices(("profile", 1, 1, "GBP", "x"), ("profile", 2, 3, "CHF", "y")),
    )
    assert cost_sentence(few.filter(subject_id="c1").to_dicts()) == (
        "If this was paid (hypothetical; nothing in the log says so): 2 profiles 4.00 to 6.00 CHF or 2.00 £"
    )


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0, 0, "0.00 $"), (1e-4, 0.01, "under 0.01 to 0.01 $"), (9.994, 9.996, "9.99 to 10 $"),
     (1234.6, 1e6, "1,235 to 1,000,000 $")],
)  # fmt: skip
def test_money_in_words(low, high, told):
    assert money(low, high, "USD") == told
