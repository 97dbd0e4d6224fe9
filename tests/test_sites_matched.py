from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from propgraph.sites.matched import (
    FEW_EARLY,
    MIN_MATCHED,
    early_percentiles,
    few_hands,
    matched_quantile,
    nearest,
)


def seeding(*urls):
    """Links of URLs, each of a site, so many shares, of whose first ones so many are seeded."""
    rows = [
        (site, f"{site}/{k}", place < 10, place < seeded)
        for k, (site, n, seeded) in enumerate(urls)
        for place in range(n)
    ]
    return pl.DataFrame(rows, schema=["site", "url", "early", "seeder"], orient="row")


def slow_percentile(urls, site):
    """Go through every draw of URLs of like size, each as likely as the next."""
    size = lambda n: (min(n, 10), int(np.log2(n)))  # noqa: E731
    own = [(n, seeded) for of, n, seeded in urls if of == site]
    choices = [[seeded for _, n, seeded in urls if size(n) == size(mine)] for mine, _ in own]
    draws = list(itertools.product(*choices))
    return sum(sum(draw) < sum(seeded for _, seeded in own) for draw in draws) / len(draws)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([1, 2, 3, 10, 12, 20, 40])).flatmap(
            lambda one: st.tuples(st.just(one[0]), st.just(one[1]), st.integers(0, min(one[1], 10)))
        ),
        min_size=1,
        max_size=8,
    )
)
def test_percentiles_are_those_of_all_draws(urls):
    found = dict(early_percentiles(seeding(*urls)).iter_rows())
    assert set(found) == {site for site, _, _ in urls}
    for site, pct in found.items():
        assert pct == pytest.approx(slow_percentile(urls, site), abs=1e-9)


def test_percentile_by_hand():
    # Two URLs of four with ten shares are seeded whole, and both are one site's: of 16 draws of two, twelve have fewer.
    urls = [("farm", 10, 10), ("farm", 10, 10), ("paper", 10, 0), ("paper", 10, 0)]
    assert dict(early_percentiles(seeding(*urls)).iter_rows()) == {"farm": pytest.approx(0.75), "paper": 0.0}


def hands(*sites):
    """A table and makers: each site with so many first shares by makers `name: n`, those that make half."""
    table = [(f"s{k:03d}", n, len(makers)) for k, (n, makers) in enumerate(sites)]
    rows = [(f"s{k:03d}", who, n) for k, (_, makers) in enumerate(sites) for who, n in makers.items()]
    return (
        pl.DataFrame(table, schema=["site", "n_early", "n_half_seeders"], orient="row"),
        pl.DataFrame(rows, schema=["site", "account_id", "n_early"], orient="row"),
    )


def ordinary(k, n=20, half=8):
    """A site half of whose first shares are by `half` accounts of its own."""
    return n, {f"o{k}-{i}": 2 if i < n // 2 - half else 1 for i in range(half)}


def test_one_hand_among_ordinary_sites():
    sites = [ordinary(k, half=8 + k % 3) for k in range(30)] + [(20, {"bot": 20})]
    found = few_hands(*hands(*sites)).filter(site="s030")
    assert found["n_half_seeders_pct"].item() == 0
    # By hand: of the others of equal size (8, 9 or 10 accounts, evenly) the median is 9.
    assert found["usual_half_seeders"].item() == pytest.approx(9)
    assert found["few_half_seeders"].item() > 1


def test_sites_of_the_same_hands_are_not_compared_with_each_other():
    # Twenty sites of one bot: without the rest they would be what is usual.
    sites = [ordinary(k) for k in range(30)] + [(20, {"bot": 20}) for _ in range(20)]
    found = few_hands(*hands(*sites)).filter(pl.col("site") >= "s030")
    assert found["n_half_seeders_pct"].to_list() == [0] * 20
    assert found["usual_half_seeders"].to_list() == pytest.approx([8] * 20)
    # Where each has a bot of its own they are not the same hands: nineteen of the like are there.
    own = few_hands(*hands(*sites[:30], *((20, {f"bot{k}": 20}) for k in range(20))))
    assert own.filter(pl.col("site") >= "s030")["n_half_seeders_pct"].min() > 0.3


def test_nothing_is_said_of_few_sites_or_few_first_shares():
    assert few_hands(*hands(*(ordinary(k) for k in range(MIN_MATCHED)))).is_empty()
    assert few_hands(*hands(*(ordinary(k) for k in range(MIN_MATCHED + 1)))).height == MIN_MATCHED + 1
    small = [(FEW_EARLY - 1, {"a": 5})] + [ordinary(k) for k in range(30)]
    assert "s000" not in few_hands(*hands(*small))["site"].to_list()
    # All others are of the same hands: nobody is left to compare with.
    alone = few_hands(*hands(*((20, {"bot": 20}) for _ in range(25)), *(ordinary(k) for k in range(10))))
    assert alone.filter(site="s000")["n_half_seeders_pct"].null_count() == alone.filter(site="s000").height


def test_nobody_has_to_be_the_least():
    # Sixty sites of nearly as many hands each: the least of them lies near the others.
    rng = np.random.default_rng(5)
    sites = [ordinary(k, half=int(rng.integers(6, 11))) for k in range(60)]
    table, makers = hands(*sites)
    found = table.join(few_hands(table, makers), on="site")
    assert (found["n_half_seeders"] > found["few_half_seeders"]).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.floats(0, 100)), min_size=1, max_size=60),
    st.sampled_from([0.1, 0.5]),
)
def test_quantiles_are_those_of_the_nearest(rows, q):
    table = pl.DataFrame(rows, schema={"size": pl.Int64, "value": pl.Float64}, orient="row")
    found = matched_quantile(table, "value", size="size", among=pl.lit(True), q=q)
    if len(rows) < MIN_MATCHED:
        assert found.null_count() == len(rows)
        return
    k = max(len(rows) // 5, MIN_MATCHED)
    pool = sorted(size for size, _ in rows)
    for (size, _), value in zip(rows, found, strict=True):
        smaller, not_larger = (sum(other < size for other in pool), sum(other <= size for other in pool))
        begin = min(max((smaller + not_larger) // 2 - k // 2, 0), len(rows) - k)
        low, high = pool[begin], pool[begin + k - 1]
        assert value == pytest.approx(np.quantile([v for other, v in rows if low <= other <= high], q))


def test_a_pool_of_many_is_cut_to_the_nearest():
    sizes = np.arange(5000.0)
    assert [nearest(size, sizes) for size in (0.0, 2500.0, 1e9)] == [
        slice(0, 200),
        slice(2400, 2600),
        slice(4800, 5000),
    ]
    # Of equals all, or none, are taken.
    assert nearest(7.0, np.repeat([1.0, 7.0, 9.0], 400)) == slice(400, 800)
    assert nearest(7.0, np.arange(19.0)) == slice(0, 0)
