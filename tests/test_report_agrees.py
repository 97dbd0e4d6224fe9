"""What the page and `explain` say agrees with the tables, with each other, and with the command that made it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from shlex import split

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.report.document import Part
from propgraph.report.explain.explain import explain
from propgraph.report.explain.reasons import once
from propgraph.report.page.report import write_report
from propgraph.study import Study


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """Three accounts post five links in the same second, one five hours later, in columns of their own names."""
    start, folder = datetime(2024, 3, 1, 10, 0, 11, tzinfo=UTC), tmp_path_factory.mktemp("mapped")
    rows = [
        (
            who,
            (start + timedelta(days=day, hours=hours, seconds=day)).isoformat(),
            f"https://ex{day}.example/a",
        )
        for day in range(5)
        for who, hours in (("ann", 0), ("bob", 0), ("cid", 0), ("dan", 5))
    ]
    pl.DataFrame(rows, schema=["user", "when", "a link"], orient="row").write_csv(folder / "log.csv")
    words = ["--map", "account_id=user", "--map", "timestamp=when", "--map", "url=a link"]
    assert run(["build", str(folder / "log.csv"), *words, "-o", str(folder / "study")]) == 0
    assert run(["clusters", str(folder / "study")]) == 0
    return folder


def text_of(study, path):
    write_report(path, study)
    return unescape(re.sub("<[^>]+>", " ", path.read_text(encoding="utf-8")))


def test_the_command_on_the_page_makes_the_same_study_again(mapped, tmp_path):
    page = text_of(Study.open(mapped / "study"), tmp_path / "page.html")
    command = split(re.search(r"propgraph (build .*? -o) STUDY", page)[1])
    assert run([*command, str(tmp_path / "again")]) == 0
    again, once = Study.open(tmp_path / "again"), Study.open(mapped / "study")
    assert again.posts.equals(once.posts)


def test_posts_of_one_second_are_said_to_be_so(mapped, tmp_path):
    page = text_of(Study.open(mapped / "study"), tmp_path / "page.html")
    assert "3 of these accounts posted the same link" in page
    assert "in the same second, on 2024-03-01 from 10:00:11" in page


def test_a_cluster_by_itself_is_not_sent_on_to_a_campaign(mapped, small_study):
    alone = Study.open(mapped / "study")
    assert alone.campaigns["n_clusters"].to_list() == [1]
    assert not any("Part of" in line for line in explain(alone, "c1").parts[0].lines)
    several = small_study.campaigns.filter(pl.col("n_clusters") > 1).explode("cluster_ids")
    for name, campaign in several.select("cluster_ids", "campaign_id").iter_rows():
        assert f"Part of {campaign}" in " ".join(explain(small_study, name).parts[0].lines)


def test_a_cascade_is_as_large_in_the_table_as_under_its_picture(small_study, tmp_path):
    write_report(tmp_path / "page.html", small_study)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    rows = page.split("<caption>The cascades in which flagged clusters posted most</caption>")[1].split(
        "</table>"
    )[0]
    sizes = {}
    for row in re.findall('<tr>(<th scope="row".*?)</tr>', rows):
        cells = re.findall("<t[dh][^>]*>(.*?)</t[dh]>", row)
        sizes[cells[2]] = cells[4]
        assert int(cells[4].replace(",", "")) >= int(cells[5].replace(",", ""))
    pictured = re.findall(r"([\d,]+) posts of (\S+?): each dot is a post", page)
    assert pictured
    assert all(sizes[what] == size for size, what in pictured)


def test_innocent_readings_are_announced_once(small_study, tmp_path):
    page = text_of(small_study, tmp_path / "page.html")
    assert "also fits: none" in page
    assert "Also fits: also fits" not in page


def test_how_groups_were_found_is_told_where_no_pair_stands_out(mapped, tmp_path):
    study = Study.open(mapped / "study")
    by_window = study.clusters.filter(pl.col("flagged") & (pl.col("evidence") == "window")).height
    assert by_window == 1
    assert "Found another way: 1 of 1 flagged clusters" in text_of(study, tmp_path / "page.html")


def test_a_site_below_the_score_is_not_said_to_be_flagged(own_study):
    site = own_study.sites["site"][0]
    at = pl.col("site") == site

    def short():
        return explain(own_study, site).parts[0].lines[0]

    own_study.sites.with_columns(flagged=at, flags=pl.lit(["seeded"])).write_parquet(own_study.file("sites"))
    assert "flagged (seeded), score" in short()
    assert "not flagged" not in short()
    own_study.sites.with_columns(flagged=~at).write_parquet(own_study.file("sites"))
    assert "UTC: not flagged (only seeded), score" in short()
    own_study.sites.with_columns(flags=pl.lit([], pl.List(pl.String))).write_parquet(own_study.file("sites"))
    assert "UTC: not flagged, score" in short()


def test_posts_that_show_two_reasons_of_a_site_are_shown_once():
    posts, others = pl.DataFrame({"post": ["p1", "p2"]}), pl.DataFrame({"post": ["p1", "p3"]})
    given = [Part("seeded", ("a",), posts), Part("copies", ("b",), posts), Part("imitates", ("c",), others)]
    given += [Part("throw-away", ("d",), None), Part("few-hands", ("e",), None)]
    first, second, third, *bare = once(given)
    assert (first, third, bare) == (given[0], given[2], given[3:])
    assert second == Part("copies", ("b", "They are the posts shown under seeded."), None)


def test_what_adverts_say_was_paid_for_stands_on_the_first_screen_and_none_is_left_out_untold(
    own_study, tmp_path
):
    page = text_of(own_study, tmp_path / "page.html")
    assert "as adverts say" not in page
    one = {
        "site": "x.example",
        "object_id": "https://x.example/1",
        "payer": "P",
        "own": False,
        "cluster_ids": [],
    }
    rows = [{**one, "ad_id": f"{k:02}"} for k in range(12)]
    schema = own_study.boosts.schema
    pl.DataFrame(rows, schema=schema).write_parquet(own_study.file("boosts"))
    page = text_of(own_study, tmp_path / "page.html")
    minute = page.split("In one minute")[-1].split("At a glance")[0]
    assert "Boosted: 1 of the URLs and sites, by 1 named payer, as adverts say." in minute
    assert "... and 2 more: boosts.parquet of the study holds them all." in page


def test_three_accounts_do_not_fill_the_map(mapped, tmp_path):
    write_report(tmp_path / "page.html", Study.open(mapped / "study"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    radii = [float(r) for r in re.findall('<circle data-cluster="c1"[^>]* r="([^"]+)"', page)]
    assert len(radii) == 3
    assert max(radii) <= 24
