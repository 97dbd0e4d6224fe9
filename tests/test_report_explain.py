"""Explained things: what is meant by a word, the posts that show it, what others did, what was weighed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.clusters.judge import weigh
from propgraph.clusters.readings import EXPLAINING
from propgraph.clusters.rules import RULE
from propgraph.errors import UsageError
from propgraph.jobs.build import build
from propgraph.report.document import Document, Part
from propgraph.report.explain.explain import explain
from propgraph.report.explain.people import common_posts
from propgraph.report.explain.reasons import of_how_many
from propgraph.report.explain.subject import Subject, find_subject
from propgraph.report.explain.timeline import beside_others, timeline

START = datetime(2024, 3, 5, 10, tzinfo=UTC)


def tiny(tmp_path, rows):
    frame = pl.DataFrame(
        [(who, name, link, START + timedelta(seconds=at)) for who, name, link, at in rows],
        schema=["account_id", "account_name", "url", "timestamp"], orient="row",
    )  # fmt: skip
    return build(frame, tmp_path / "study")


FOUR = [
    ("a1", "Ana", "https://x.example/1", 0),
    ("b2", "Bo", "https://x.example/1", 7),
    ("c3", "Ana", "https://x.example/1", 100),
    ("a1", "Ana", "https://x.example/2", 500),
    ("b2", "Bo", "https://x.example/2", 440),
    ("b2", "Bo", "https://x.example/2", 503),
]


def test_a_word_is_found_as_an_id_a_name_a_beginning_a_pair_or_a_rule(small_study):
    cluster = small_study.clusters.row(0, named=True)
    member = small_study.accounts.row(0, named=True)
    other = small_study.accounts.row(1, named=True)
    site = small_study.sites["site"][0]
    post = small_study.posts["content_id"][0]
    assert find_subject(small_study, "c1") == Subject("cluster", "c1")
    assert find_subject(small_study, "g1") == Subject("campaign", "g1")
    assert find_subject(small_study, member["account_id"]) == Subject("account", member["account_id"])
    assert find_subject(small_study, f"@{member['name']}") == Subject("account", member["account_id"])
    assert find_subject(small_study, member["name"].upper()) == Subject("account", member["account_id"])
    assert find_subject(small_study, site) == find_subject(small_study, site[:-2]) == Subject("site", site)
    assert find_subject(small_study, post) == Subject("post", post)
    both = sorted((member["account_id"], other["account_id"]))
    assert find_subject(small_study, f"{other['name']}, {member['account_id']}") == Subject("pair", *both)
    assert find_subject(small_study, f"c1:{cluster['flags'][0]}") == Subject(
        "cluster", "c1", cluster["flags"][0]
    )


def test_a_cluster_shows_its_surest_pairs(small_study):
    [part] = [part for part in explain(small_study, "c1").parts if part.heading == "Pair by pair"]
    assert part.table.height == min(
        50, small_study.pair_evidence.filter(cluster_id="c1").n_unique(["source", "target"])
    )
    posts = dict(small_study.posts.select("content_id", "account_id").iter_rows())
    traces = small_study.run["clusters"]["parameters"]["trace"]
    assert part.table["closest_s"].min() >= 0
    for one, other, common, near, closest, at, post, other_post in part.table.head(5).rows():
        ids = [name.split("(")[-1].rstrip(")") for name in (one, other)]
        met = common_posts(small_study, *ids).filter(pl.col("trace").is_in(traces))
        assert common == met.height
        assert near == met.filter(pl.col("apart_s") <= 60).height > 0
        assert closest == met["apart_s"].min()
        assert [posts[post], posts[other_post]] == sorted(ids)
        assert at in met.filter(apart_s=closest)["first"]


def test_of_how_many_posts_or_pairs_is_said():
    reason = {"content_ids": list("abcdefgh"), "counted": "posts", "n_shown": 8, "n_all": 1200}
    assert of_how_many(reason, 3) == "Shown: 3 of 1,200 posts."
    assert of_how_many(reason | {"n_all": None}, 3) == "Shown: 3 of the 8 posts kept as evidence."
    pairs = reason | {"counted": "pairs of posts", "n_shown": 11, "n_all": 9064}
    assert of_how_many(pairs, 8) == "Shown: 8 posts, which hold 11 of 9,064 pairs of posts."
    assert of_how_many(pairs, 3).startswith(
        "Shown: 3 of the 8 posts kept as evidence, which hold 11 of 9,064"
    )


def test_what_nobody_or_several_are_called_is_said(tmp_path):
    study = tiny(tmp_path, FOUR)
    for what, said in [
        ("Ana", "'Ana' may be a1, c3; name one of these accounts"),
        (
            "zed",
            "no account, name, cluster, campaign, group of sites, site or post of this study is called so",
        ),
        ("Bo,b2", "a pair is of two accounts"),
        ("Bo,x.example", "no account, name"),
    ]:
        with pytest.raises(UsageError, match=said):
            find_subject(study, what)


def test_a_rule_that_did_not_fire_is_said(small_study):
    with pytest.raises(UsageError, match=r"c1:turnuot: of c1 fired: .*turnout.*did you mean 'turnout'"):
        find_subject(small_study, "c1:turnuot")


def test_posts_stand_object_by_object_in_time(tmp_path):
    study = tiny(tmp_path, FOUR)
    shown = timeline(study, study.posts["content_id"].to_list(), most=10)
    assert shown.select("shared", "after_s", "who").rows() == [
        ("https://x.example/1", 0.0, "Ana (a1)"),
        ("https://x.example/1", 7.0, "Bo (b2)"),
        ("https://x.example/1", 100.0, "Ana (c3)"),
        ("https://x.example/2", 0.0, "Bo (b2)"),
        ("https://x.example/2", 60.0, "Ana (a1)"),
        ("https://x.example/2", 63.0, "Bo (b2)"),
    ]
    assert timeline(study, [], most=10).columns == shown.columns


def test_others_are_told_apart_from_the_accounts_asked_for(tmp_path):
    study = tiny(tmp_path, FOUR)
    links = pl.DataFrame(
        {"trace": ["url", "url"], "object_id": ["https://x.example/1", "https://x.example/2"]}
    )
    told = beside_others(study, links, ["a1", "c3"])
    assert told.drop("shared", "first_post").rows() == [(2, 50.0, 1, 7.0), (1, 60.0, 2, 31.5)]


def test_two_accounts_are_held_against_each_other_over_their_closest_posts(tmp_path):
    study = tiny(tmp_path, FOUR)
    met = common_posts(study, "a1", "b2").filter(trace="url")
    assert met.select("shared", "apart_s", "who_first", "others").rows() == [
        ("https://x.example/2", 3.0, "a1", 0),
        ("https://x.example/1", 7.0, "a1", 1),
    ]
    document = explain(study, "Bo,a1")
    assert document.title == "Ana (a1) and Bo (b2)"
    # The site is common to them, too.
    assert (
        document.parts[0].lines[0]
        == "Both shared 3 things (domain 1, url 2), 3 within a minute of each other."
    )
    assert "run `propgraph clusters`" in document.parts[0].lines[1]


def test_the_parts_of_every_score_come_to_the_score(small_study):
    for row in small_study.clusters.to_dicts():
        parts = weigh(row["flags"], row["innocent"])
        assert (parts[-1][1] if parts else 0) == pytest.approx(row["score"])


def test_parts_of_a_score_by_hand():
    assert weigh([], ["fans"]) == []
    first, second, third = weigh(["at-once", "turnout"], ["fans", "one-hand"])
    assert first == ("at-once", pytest.approx(RULE["at-once"].weight))
    assert second[1] == pytest.approx(1 - (1 - RULE["at-once"].weight) * (1 - RULE["turnout"].weight))
    assert third == ("fans", pytest.approx(second[1] / 2))
    assert "one-hand" not in EXPLAINING
    last = weigh(["single-site"], [])
    assert [name for name, _ in last] == ["single-site", "no rule of synchrony", "few meetings"]
    assert last[-1][1] == pytest.approx(RULE["single-site"].weight * 0.3 * 0.8)


def test_a_flagged_cluster_shows_members_posts_and_what_decides(small_study):
    document = explain(small_study, "c1", posts=5)
    parts = {part.heading: part for part in document.parts}
    row = small_study.clusters.row(0, named=True)
    assert row["flagged"]
    members = set(small_study.members.filter(cluster_id="c1")["account_id"])
    names = dict(small_study.accounts.select("account_id", "name").iter_rows())
    assert {who.rpartition("(")[2].rstrip(")") for who in parts["Who"].table["who"]} <= members
    posts = {post["content_id"]: post for post in small_study.posts.to_dicts()}
    for rule in row["flags"]:
        table = parts[rule].table
        assert 1 <= table.height <= 5
        for shown in table.to_dicts():
            post = posts[shown["post"]]
            assert shown["time"] == post["timestamp"]
            assert shown["who"] == f"{names[post['account_id']]} ({post['account_id']})"
            assert shown["into"] == post["target_id"]
    least = small_study.run["clusters"]["parameters"]["min_score"]
    decide = [
        rule for rule in row["flags"]
        if weigh([one for one in row["flags"] if one != rule], row["innocent"])[-1][1] < least
    ]  # fmt: skip
    said = parts["What was weighed"].lines[0]
    assert all(rule in said for rule in decide)
    assert decide or said.startswith("No single rule decides")
    of_rule = explain(small_study, f"c1:{row['flags'][0]}")
    assert of_rule.parts[0].heading == row["flags"][0]


def test_accounts_in_a_cluster_and_in_none(small_study):
    member = small_study.members.row(0, named=True)
    lines = " ".join(line for part in explain(small_study, member["account_id"]).parts for line in part.lines)
    assert f"accounts of {member['cluster_id']} (" in lines
    alone = small_study.accounts.join(small_study.members, on="account_id", how="anti")["account_id"][0]
    lines = " ".join(line for part in explain(small_study, alone).parts for line in part.lines)
    assert "is in no cluster, and so not flagged" in lines


def test_sites_show_their_first_sharers(small_study):
    site = small_study.sites.row(0, named=True)
    document = explain(small_study, site["site"])
    [first, *_] = [part for part in document.parts if part.heading.startswith("First to share https://")]
    url = first.heading.removeprefix("First to share ")
    shares = small_study.shares.filter(trace="url", object_id=url).sort(
        "timestamp", "account_id", "content_id"
    )
    assert first.table["post"].to_list() == shares["content_id"].head(10).to_list()


def test_a_post_and_a_campaign(small_study):
    post = small_study.shares.filter(trace="url").row(5, named=True)
    document = explain(small_study, post["content_id"], posts=3)
    near = [
        part
        for part in document.parts
        if part.heading.endswith(post["object_id"]) and "the same link:" in part.heading
    ]
    assert 0.0 in near[0].table["apart_s"].to_list()
    campaign = small_study.campaigns.row(0, named=True)
    shown = explain(small_study, campaign["campaign_id"]).parts[0].table
    assert set(shown["cluster_id"]) == set(campaign["cluster_ids"])


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


HOSTILE = '<script>alert(1)</script><img src="https://e.example/x">[a](https://e.example) | *b* \x1b[31m'


def test_hostile_texts_stay_texts_on_pages_and_in_markdown():
    table = pl.DataFrame({"who": [HOSTILE], "at": [START], "n": [1234]})
    document = Document("account", "a", HOSTILE, (Part(HOSTILE, (HOSTILE,), table),))
    tags = Tags()
    tags.feed(document.as_html())
    assert not {tag for tag, _ in tags.seen} & {"script", "img", "a", "link", "iframe"}
    assert not any({"src", "href"} & set(attrs) for _, attrs in tags.seen)
    assert "default-src 'none'" in document.as_html()
    told = document.as_markdown()
    assert "<script" not in told.replace("\\<", "")
    assert "](" not in told.replace("\\]", "")
    assert all(line.count("|") - line.count("\\|") in (0, 4) for line in told.splitlines())
    assert "| 2024-03-05 10:00:00 | 1,234 |" in told


def test_names_of_columns_are_found_in_markdown_as_they_are():
    table = pl.DataFrame({"my_own_figure": [1], "_a_": ["x_y"], "n|m*": [2]})
    told = Document("account", "a", "a", (Part("a", (), table),)).as_markdown()
    assert "| my_own_figure | \\_a\\_ | n\\|m\\* |" in told
    assert "x\\_y" in told


def test_the_command_writes_text_data_and_pages(small_study, capsys):
    path = str(small_study.path)
    assert run(["explain", path, "c1"]) == 0
    screen = capsys.readouterr().out
    assert run(["explain", path, "c1", "--full"]) == 0
    whole = capsys.readouterr().out
    assert len(screen.splitlines()) < 80 < len(whole.splitlines())
    assert "--full" in screen
    for reason in small_study.evidence.filter(subject_type="cluster", subject_id="c1")["rule"]:
        assert f"\n  {reason}: " in screen
    assert run(["explain", path, "c1", "--posts", "2"]) == 0
    text = capsys.readouterr().out
    assert "What others did with the same" in text
    assert "What cannot be known here" in text
    assert run(["explain", path, "c1", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["subject"]) == ("cluster", "c1")
    assert [part["heading"] for part in record["parts"]][:2] == ["In short", "Who"]
    assert run(["explain", path, "c1", "--format", "md"]) == 0
    assert capsys.readouterr().out.startswith("# c1")
    assert run(["explain", path, "c1", "--format", "html"]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    assert run(["explain", path, "nobody-at-all"]) == 2
    assert "called so" in capsys.readouterr().err
    assert run(["explain", path, "c1", "--posts", "0"]) == 2
