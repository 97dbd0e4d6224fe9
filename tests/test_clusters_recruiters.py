"""Tracking tokens: who carries which, families of tokens, and which are a recruiter's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import recruiters as slow
from scipy.stats import hypergeom

from propgraph.arrays.p_values import hypergeometric_tail
from propgraph.clusters.campaigns.carried import _families, carried_tokens
from propgraph.clusters.campaigns.recruiters import (
    find_recruiters,
    homes_of,
    is_recruiters,
    marks_of,
)
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.options import ClusterOptions

START = datetime(2021, 3, 1, tzinfo=UTC)


def built(folder, posts):
    """A study of posts `account, url` or `account, url, what more it has`, a minute apart."""
    rows = [
        {"content_id": f"p{k:05d}", "timestamp": START + timedelta(minutes=k), "account_id": who, "urls": url}
        | (more[0] if more else {})
        for k, (who, url, *more) in enumerate(posts)
    ]
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "log.parquet")
    return build([folder / "log.parquet"], folder / "study", overwrite=True)


def links(names, token, *, sites, each=3):
    """Posts of accounts that each carry a token to so many URLs, on one site after another."""
    return [
        (name, f"https://{sites[(j + k) % len(sites)]}/story-{j}-{k}?{token}")
        for j, name in enumerate(names) for k in range(each)
    ]  # fmt: skip


def people(name, n):
    return [f"{name}{k:02d}" for k in range(n)]


FARMS = [f"farm{k}.com" for k in range(6)]
PAPERS = [f"paper{k}.org" for k in range(12)]
# Twenty-five strangers in no cluster, whose links carry what links carry everywhere.
PUBLIC = links(people("s", 25), "utm_source=twitter&utm_medium=social", sites=PAPERS)


def recruiter_of(tmp_path, posts, names, *, declared=0):
    """What is told of the one cluster, which these accounts make: the token's row and the posts, or None."""
    study = built(tmp_path, posts + PUBLIC)
    members = pl.DataFrame({"account_id": names}).with_columns(cluster=pl.lit(0, pl.UInt32))
    table = pl.DataFrame({"cluster": [0]}, schema={"cluster": pl.UInt32})
    _, found = find_recruiters(study=study, members=members, table=table, options=ClusterOptions())
    row = found.row(0, named=True)
    return row["recruiter"] and (row["recruiter"], row["token_posts"])


def test_a_recruiters_token_is_told_with_its_posts(tmp_path):
    crew = people("c", 10)
    row, shown = recruiter_of(tmp_path, links(crew, "utm_source=twitter&ref=r00", sites=FARMS), crew)
    # utm_source=twitter is carried by 35 accounts, of which ten are here.
    assert (row["mark"], row["kind"], row["parameters"], row["values"]) == (
        "ref=r00",
        "token",
        ["ref"],
        ["r00"],
    )
    assert (row["n_inside"], row["n_accounts"], row["purity"]) == (10, 10, 1.0)
    assert (row["n_links"], row["n_sites"]) == (30, 6)
    assert row["expected"] == pytest.approx(10 / 35)
    # Of 35 accounts with tokens ten are drawn: all the ten in one way. One group, three tokens and marks looked at.
    assert row["p_value"] == pytest.approx(1 / 183_579_396)
    assert row["q_value"] == pytest.approx(3 / 183_579_396)
    # Every account's first post, then every account's second: posts are numbered account by account.
    assert shown == [f"p{3 * j + k:05d}" for k in (0, 1) for j in range(10)]


@pytest.mark.parametrize(
    ("what", "posts"),
    [
        ("a newsroom's own: one site", links(people("c", 10), "utm_source=staff", sites=["paper0.org"])),
        (
            "nearly one site", links(people("c", 10), "utm_source=staff", sites=["paper0.org"], each=20)
            + links(people("c", 10), "utm_source=staff", sites=["a.org", "b.org", "c.org"], each=4),
        ),
        ("two sites", links(people("c", 10), "ref=r00", sites=["a.org", "b.org"])),
        (
            "titles of one chain, each account its own",
            [post for j, name in enumerate(people("c", 10))
             for post in links([name], "utm_source=desk", sites=[f"title{j}.org"])],
        ),
        ("a tool", links(people("c", 10), "utm_source=dlvr.it", sites=FARMS)),
        ("a newsletter", links(people("c", 10), "utm_medium=email", sites=FARMS)),
        ("an affiliate", links(people("c", 1), "ref=anna", sites=FARMS, each=30)),
        ("four accounts", links(people("c", 4), "ref=r00", sites=FARMS, each=30)),
        ("a volunteers' URL builder", links(people("c", 10), "utm_campaign=volunteers", sites=FARMS)),
        ("a share button", links(people("c", 10), "ref=share_btn", sites=FARMS)),
        ("made for each click", links(people("c", 10), "fbclid=IwAR0x", sites=FARMS)),
        ("one link copied", [(name, f"https://{site}/x?ref=r00") for name in people("c", 10) for site in FARMS[:1]]),
        ("carried by others, too", links(people("c", 10) + people("o", 2), "ref=r00", sites=FARMS)),
        ("reshared only", [(*post, {"kind": "reshare"}) for post in links(people("c", 10), "ref=r00", sites=FARMS)]),
    ],
)  # fmt: skip
def test_what_is_no_recruiters_token(tmp_path, what, posts):
    assert recruiter_of(tmp_path, posts, people("c", 10)) is None, what


def test_where_others_links_carry_no_tokens_nothing_is_told(tmp_path):
    crew = people("c", 10)
    study = built(
        tmp_path, links(crew, "ref=r00", sites=FARMS) + [(f"s{k}", "https://a.org/x") for k in range(50)]
    )
    carried = carried_tokens(study)
    members = pl.DataFrame({"account_id": crew, "group": ["c1"] * 10})
    [home] = homes_of(carried, members, marks_of(carried)).to_dicts()
    assert (home["n_inside"], home["purity"], home["p_value"], home["q_value"]) == (10, 1.0, None, None)


def test_a_log_without_tokens_gives_an_empty_table(tmp_path):
    study = find_clusters(built(tmp_path, [(name, "https://a.org/x") for name in people("s", 9)]))
    assert study.recruiters.is_empty()


def test_families_are_numbered_on():
    tokens = [
        "ref=r00",
        "utm_campaign=r01",
        "ref=r03",
        "ref=x07",
        "ref=x99",
        "ref=n5",
        "ref=12",
        "ref=13",
        "ref",
    ]
    found = _families(pl.DataFrame({"token": tokens})).sort("token").rows()
    # Three of the four numbers from 0 to 3; of x07 to x99 two of 93; n5 is alone; numbers need a text before them.
    assert found == [
        ("ref=r00", "r##", "family"), ("ref=r03", "r##", "family"), ("utm_campaign=r01", "r##", "family"),
    ]  # fmt: skip


@given(st.data())
def test_hypergeometric_tail(data):
    n_all = data.draw(st.integers(1, 400))
    inside, drawn = (data.draw(st.integers(0, n_all)) for _ in range(2))
    k = data.draw(st.integers(0, min(inside, drawn)))
    [tail] = hypergeometric_tail(np.array([k]), np.array([inside]), np.array([drawn]), n_all=n_all)
    assert tail == pytest.approx(hypergeom.sf(k - 1, n_all, inside, drawn), rel=1e-7, abs=1e-300)


POSTS = st.lists(
    st.tuples(st.integers(0, 29), st.integers(0, 3), st.integers(0, 3), st.sampled_from(["a", "b", "ab"])),
    min_size=60, max_size=200,
)  # fmt: skip


@settings(deadline=None)
@given(POSTS, st.integers(5, 9), st.sampled_from([0.05, 0.3]))
def test_as_one_post_after_another(drawn, size, q):
    # Accounts 0 to size carry one token more often than not, and to all sites.
    crew = [(a, s, u, "crew") for a in range(size) for s in range(3) for u in range(2)]
    posts = [
        (f"a{a:02d}", f"{s}/{u}", f"site{s}", token)
        for a, s, u, tokens in [*drawn, *crew] for token in ([tokens] if tokens == "crew" else tokens)
    ]  # fmt: skip
    group_of = {f"a{a:02d}": "g1" for a in range(size)} | {f"a{a:02d}": "g0" for a in range(size, size + 6)}
    carried = (
        pl.DataFrame(posts, schema=["account_id", "url", "site", "token"], orient="row")
        .group_by("token", "account_id", "site").agg(n_links=pl.col("url").n_unique())
        .with_columns(mark="token", kind=pl.lit("token"))
    )  # fmt: skip
    groups = pl.DataFrame({"account_id": list(group_of), "group": list(group_of.values())})
    marks = marks_of(carried)
    both = homes_of(carried, groups, marks).join(marks, on="mark").filter(is_recruiters(q=q))
    expected = slow.recruiters(posts, group_of, q=q)
    assert dict(zip(both["mark"], both["group"], strict=True)) == {t: home[0] for t, home in expected.items()}
    for row in both.to_dicts():
        assert (row["n_inside"], row["purity"]) == expected[row["mark"]][1:3]
        assert row["p_value"] == pytest.approx(expected[row["mark"]][3])
