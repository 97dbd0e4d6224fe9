from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from propgraph.clusters import templates
from propgraph.clusters.inputs import ClusterInputs
from propgraph.clusters.matched import like_members, population_of
from propgraph.clusters.templates import recurring, remarks_of, titles_of, with_templates
from propgraph.schema import TIME

START = datetime(2020, 1, 1, tzinfo=UTC)
TITLE = [
    "bishop leaks the tape",
    "coach defends school reform",
    "senator bans hidden cure",
    "union wins vote",
]


def texts(*rows):
    """Rows of url, text, inside."""
    return pl.DataFrame(
        rows, schema={"url": pl.String, "text": pl.String, "inside": pl.Boolean}, orient="row"
    ).with_columns(account_id=pl.lit("a"), content_id=pl.lit("p"))


def title(*rows):
    found = titles_of(texts(*(("u", *row) for row in rows)))
    return found["title"].to_list()


def test_what_most_posts_contain_stands_for_the_title():
    assert title(
        ("pass it on: bishop leaks", True), ("bishop leaks", False), ("hm. bishop leaks", False)
    ) == ["bishop leaks"]
    # Others' word counts before members', however many these are.
    hired = [("pass it on: bishop leaks", True)] * 9
    assert title(*hired, ("bishop leaks", False), ("bishop leaks", False)) == ["bishop leaks"]
    # A slogan that stands in every post cannot be told from the title.
    assert title(*hired) == ["pass it on: bishop leaks"]
    # Nobody says the same: no title. One word is none either.
    assert title(("what a mess", False), ("good for them", False)) == []
    assert title(("bishop", False), ("bishop", False)) == []


def test_a_remark_is_what_is_left_beside_link_and_title():
    rows = [
        ("u", "union wins vote", False), ("u", "share before it is gone: union wins vote", True),
        ("u", "union wins vote... must read!", True), ("u", "hm. union wins vote", True), ("u", "about time", False),
        (None, "we meet at noon tomorrow", True), (None, "good morning all", True),
    ]  # fmt: skip
    assert remarks_of(texts(*rows))["remark"].to_list() == [
        None, "share before it is gone", "must read", None, "about time", "we meet at noon tomorrow", None,
    ]  # fmt: skip


def test_a_remark_recurs_over_accounts_and_links():
    rows = [
        *((0, who, url, "wake up") for who, url in ("au", "bu", "cv")),  # three accounts, two links
        *((0, who, "u", "other title") for who in "abc"),  # one link: it may be the article's other title
        *((0, who, url, "pass it on") for who, url in ("au", "bv")),  # two accounts
        *((0, who, None, "we meet at noon tomorrow") for who in "abc"),
        *((1, who, url, "wake up") for who, url in ("xu", "yv")),
    ]
    names = {"cluster": pl.UInt32, "account_id": pl.String, "url": pl.String, "remark": pl.String}
    found = recurring(pl.DataFrame(rows, schema=names, orient="row"))
    assert sorted(found.rows()) == [(0, "wake up", 3, 3), (0, "we meet at noon tomorrow", 3, 3)]


class Log:
    """A study of originals: rows of account, link (a number of `TITLE`), text."""

    def __init__(self, rows):
        names = {"account_id": pl.String, "link": pl.Int64, "text": pl.String}
        self.posts = (
            pl.DataFrame(rows, schema=names, orient="row")
            .with_row_index("n")
            .select(
                "account_id", "text", kind=pl.lit("original"), platform=pl.lit("one"),
                content_id=pl.format("p{}", pl.col("n").cast(pl.String).str.zfill(4)),
                timestamp=pl.lit(START).cast(TIME) + pl.duration(minutes="n"),
                url=pl.format("farm{}.com/a", "link"),
            )
        )  # fmt: skip

    def scan(self, name):
        if name == "posts":
            return self.posts.drop("url").lazy()
        n = self.posts.group_by("account_id").agg(n_posts=pl.len(), first_seen=pl.col("timestamp").min())
        return n.lazy().with_columns(
            name=pl.lit(None, pl.String), created_at=pl.lit(None, TIME), followers=pl.lit(None, pl.Int64)
        )


def figures(rows, members):
    log = Log(rows)
    of = pl.DataFrame({"account_id": members, "cluster": [0] * len(members)}).with_columns(
        pl.col("cluster").cast(pl.UInt32)
    )
    inputs = ClusterInputs(
        members=of, edges=pl.DataFrame(), links=pl.DataFrame(), accounts=pl.DataFrame(), timing={},
        shares=pl.DataFrame(), posts=pl.DataFrame(),
    )  # fmt: skip
    like = like_members(population_of(log, of))
    links = log.posts.select("account_id", "content_id", "url")
    start = pl.DataFrame({"cluster": [0]}, schema={"cluster": pl.UInt32})
    found, n_left = with_templates(start, like, links, study=log, inputs=inputs, seed=0)
    return found.row(0, named=True) | {"posts": log.posts, "n_left": n_left}


MEMBERS = [f"m{k}" for k in range(5)]
OTHERS = [f"x{k:02d}" for k in range(40)]
REMARKS = ("what a mess", "good for them", "this will cost us", "somebody had to say it")


def organic(names=OTHERS):
    """People who post the title, by the share button, or with a remark of a few that all of them use."""
    rows = []
    for k, who in enumerate(names):
        for link, name in enumerate(TITLE):
            how = (k + link) % 4
            own = REMARKS[(k // 4 + link) % 4]
            text = (name, f"{name} via @paper", f"{own}: {name}", own)[how]
            rows.append((who, link, f"{text} https://farm{link}.com/a"))
    return rows


def hired(slogan, every=4):
    """Members who put a slogan before the title, but for every fourth post."""
    return [
        (who, link, f"{'' if (k + link) % every == 0 else slogan}{name} https://farm{link}.com/a")
        for k, who in enumerate(MEMBERS)
        for link, name in enumerate(TITLE)
    ]


def test_a_crews_slogan_is_a_template():
    found = figures(organic() + hired("SHARE before  it is gone: "), MEMBERS)
    assert found["template_share"] == pytest.approx(3 / 4)
    assert found["templates"] == ["share before it is gone: 5"]
    assert (found["n_template_accounts"], found["n_texts"]) == (5, 20)
    assert (found["template_expected"], found["template_limit"]) == (0, 0)
    shown = found["posts"].filter(pl.col("content_id").is_in(found["template_posts"]))
    assert shown["text"].str.contains("SHARE before").all()
    assert shown["account_id"].to_list() == MEMBERS
    # Where nobody else shares the links it is known by the posts without it.
    alone = figures(hired("SHARE before it is gone: "), MEMBERS)
    assert alone["templates"] == ["share before it is gone: 5"]
    assert alone["template_expected"] is None


def test_titles_share_buttons_and_common_remarks_are_no_templates():
    """A newsroom's own texts: titles, `via @paper`, and what everybody says."""
    for text in ("{}", "{} via @paper", "what a mess: {}", "what a mess"):
        staff = [(who, link, text.format(name)) for who in MEMBERS for link, name in enumerate(TITLE)]
        assert figures(organic() + staff, MEMBERS)["template_share"] == 0, text
        if "mess" not in text:  # nor where nobody else shares their links
            assert figures(organic()[:3] + staff, MEMBERS)["template_share"] == 0, text


def test_what_others_write_anywhere_in_the_log_is_no_template():
    crew = hired("Wake up, neighbours: ")
    # Twenty posts of another link: by accounts that no member is like, about what no member posts.
    far = [("zz", 9, f"{k}: Wake up, neighbours") for k in range(900)]
    assert figures(organic() + crew + far, MEMBERS)["template_share"] == 0
    assert figures(organic() + crew, MEMBERS)["template_share"] == pytest.approx(3 / 4)


def test_posts_without_texts_tell_nothing():
    silent = [(who, link, None) for who in MEMBERS for link in range(4)]
    assert figures(organic() + silent, MEMBERS)["template_share"] is None


def test_remarks_beyond_those_that_are_sought_are_counted(monkeypatch):
    slogans = hired("share before it is gone: ", every=5) + hired("wake up, neighbours: ", every=3)
    assert figures(organic() + slogans, MEMBERS)["n_left"] == 0
    assert len(figures(organic() + slogans, MEMBERS)["templates"]) == 2
    monkeypatch.setattr(templates, "_MOST", 1)
    some = figures(organic() + slogans, MEMBERS)
    assert (len(some["templates"]), some["n_left"]) == (1, 1)
