"""Accounts on their own: the same object over and over, the main source of several sites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import alone as slow

from propgraph.arrays.incidence import incidence
from propgraph.cli.findings import show
from propgraph.clusters import alone as fast
from propgraph.clusters.alone import accounts_alone
from propgraph.clusters.inputs import logs_of
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.options import ClusterOptions
from propgraph.simulate.workforce import simulate_workforce

START = datetime(2021, 3, 1, tzinfo=UTC)
# Three hundred strangers who post four links each, once each, out of a hundred.
PUBLIC = [
    (f"s{j:03d}", f"https://paper{(j * 4 + k) % 100 % 9}.org/{(j * 4 + k) % 100}")
    for j in range(300)
    for k in range(4)
]


def told(folder, posts, *, names=None, **options):
    """What is told of the accounts, by name and rule, and how many say what they are."""
    names = names or {}
    rows = [
        {
            "content_id": f"p{k:05d}", "timestamp": START + timedelta(minutes=k), "account_id": who,
            "account_name": names.get(who, who), "urls": url,
        }
        for k, (who, url) in enumerate(posts)
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(folder / "log.parquet")
    study = build([folder / "log.parquet"], folder / "study", overwrite=True)
    logs, shares = logs_of(study, ["url"])
    found = accounts_alone(study=study, logs=logs, shares=shares, options=ClusterOptions(**options))
    return {(row["subject_id"], row["rule"]): row for row in found.evidence.to_dicts()}, found.declared


def test_one_bot_with_ten_thousand_posts_of_sixty_links_is_told(tmp_path):
    links = [f"https://farm{k % 40}.com/story-{k}" for k in range(60)]
    found, declared = told(tmp_path, PUBLIC + [("mill", links[k % 60]) for k in range(10_000)])
    assert sorted(found) == [("mill", "main-source"), ("mill", "over-and-over")]
    assert declared == 0
    row = found["mill", "over-and-over"]
    # 10,000 over 60: of forty links 167, of twenty 166. Nobody else posts these: one post more among the 1,200 others.
    assert row["value"] == 167
    assert row["threshold"] == 20  # all others post each link once
    assert row["expected"] == pytest.approx(10_000 / 1201)
    assert row["sentence"] == (
        "posts the same link 167 times (and 59 more 20 times or more); as many posts by others, 10,000, would lead "
        "there 8.3 times, and nineteen in twenty of the 200 accounts nearest in number of posts post no link more than "
        "once; 1,440.1 posts a day, more than 99.7% of accounts; a tool or a zealot; who answers many people with "
        "one link, or posts its own page, looks the same"
    )
    assert len(row["content_ids"]) == 20
    row = found["mill", "main-source"]
    assert (row["value"], row["threshold"]) == (40, 3)
    assert row["expected"] == pytest.approx(40 * 10_000 / 1201)
    assert row["sentence"].startswith("makes 10,000 of the 10,000 posts of 40 sites (farm0.com, farm1.com, ")
    # One post of each site.
    assert {int(name[1:]) for name in row["content_ids"]} == set(range(1200, 1220))


@pytest.mark.parametrize(
    ("what", "posts"),
    [
        ("nineteen posts of one link", [("a", "https://a.org/x")] * 19),
        ("a site's own account: every link once", [("a", f"https://a.org/{k}") for k in range(300)]),
        ("the own accounts of two sites", [("a", f"https://{s}.org/{k}") for s in "ab" for k in range(50)]),
        (
            "a reader of three sites whom others read, too",
            [(who, f"https://{s}.org/{k}") for s in "abc" for k in range(30) for who in ("a", "b", "c")],
        ),
        (
            "what all post again and again",
            [(f"x{j}", "https://a.org/x") for j in range(40) for _ in range(25)],
        ),
    ],
)
def test_what_is_no_evidence(tmp_path, what, posts):
    assert told(tmp_path, PUBLIC + posts) == ({}, 0), what


@pytest.mark.parametrize(
    ("name", "is_declared"),
    [
        ("A-Courier News", True), ("acourier", True), ("Local RSS", True), ("Daily Newsbot", True),
        ("weatherbot", True), ("Anna K.", False), ("Courier fan", False), ("Abbott", False), ("cour", True),
        ("cou", False),
    ],
)  # fmt: skip
def test_outlets_and_feeds_that_say_so_are_counted(tmp_path, name, is_declared):
    found, declared = told(tmp_path, PUBLIC + [("a1", "https://acourier.org/x")] * 30, names={"a1": name})
    assert (len(found), declared) == ((0, 1) if is_declared else (1, 0))


def test_a_name_of_one_of_several_sites_is_no_excuse(tmp_path):
    posts = [
        ("a1", f"https://{site}.org/{k}") for site in ("courier", "farmone", "farmtwo") for k in range(12)
    ]
    found, declared = told(tmp_path, PUBLIC + posts, names={"a1": "courier"})
    assert (list(found), declared) == ([("a1", "main-source")], 0)


def test_most_links_of_a_shortener_are_of_no_site(tmp_path):
    posts = [("a1", f"https://{site}/{k}") for site in ("bit.ly", "t.co", "tinyurl.com") for k in range(30)]
    assert told(tmp_path, PUBLIC + posts) == ({}, 0)


POSTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=10, max_size=60)


@settings(deadline=None)
@given(POSTS, st.integers(0, 12), st.sampled_from([2, 4]))
def test_as_one_post_after_another(drawn, more, least):
    posts = [*drawn, *[(0, 0)] * more]
    account, unit = (np.array(column) for column in zip(*posts, strict=True))
    found = fast._beyond(account, unit, least=least, q=0.05)
    expected = slow.beyond(posts, least=least, q=0.05)
    got = (
        {(a, u): value for a, u, value in found.select("account", "unit", "expected").rows()}
        if found.height
        else {}
    )
    assert got == pytest.approx(expected)


@settings(deadline=None)
@given(POSTS, st.integers(2, 6))
def test_the_matched_group_as_one_account_after_another(drawn, alike):
    posts = [(f"a{a}", f"o{o}") for a, o in drawn] + [("a9", "o9")] * 40
    frame = pl.DataFrame(posts, schema=["account_id", "object_id"], orient="row").with_columns(
        content_id=pl.format("p{}", pl.int_range(pl.len())), timestamp=pl.lit(START).cast(pl.Datetime("ms", "UTC")),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "_ALIKE", alike)
        rows = fast._over_and_over(incidence(frame), "object", q=0.05)
    usual = slow.usual_of(posts, "a9", alike=alike, quantile=0.95)
    assert [row["usual"] for row in rows if row["account_id"] == "a9"] == [usual]


def test_three_tools_are_told_and_four_hundred_workers_are_not(tmp_path, capsys):
    for kind in ("crowd", "machine"):
        made = simulate_workforce(kind=kind, n_accounts=800, n_days=4, n_posts=4000, seed=3)
        (tmp_path / kind).mkdir()
        made.log.write_parquet(tmp_path / kind / "log.parquet")
        study = find_clusters(build([tmp_path / kind / "log.parquet"], tmp_path / kind / "study"))
        found = study.evidence.filter(subject_type="account")["subject_id"].unique().sort().to_list()
        tools = made.accounts.filter(role="tool")["account_id"].sort().to_list()
        assert found == tools
        assert study.run["clusters"]["counts"]["accounts_alone"] == len(tools)
        show(study)
        said = capsys.readouterr().out
        assert ("Accounts on their own: 3\n" in said) == bool(tools)
        assert all(f"{name}  over-and-over: posts the same link" in said for name in tools)
