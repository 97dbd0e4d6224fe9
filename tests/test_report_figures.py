"""Figures: what is drawn, held against counts of the same tables by plain loops."""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.clusters.judge import FEW_MEETINGS, NO_SYNCHRONY
from propgraph.clusters.readings import EXPLAINING
from propgraph.clusters.rules import RULES
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.report.figures.axes import days, drawing, percent, round_steps, text
from propgraph.report.figures.bar_code import bar_code
from propgraph.report.figures.creation import creation
from propgraph.report.figures.early_share import early_share
from propgraph.report.figures.figure import Figure, style
from propgraph.report.figures.gaps import gaps
from propgraph.report.figures.heat_map import heat_map
from propgraph.report.figures.network_map import network_map
from propgraph.report.figures.timeline import timeline
from propgraph.report.figures.waterfall import label, waterfall
from propgraph.study import Study
from propgraph.words.said import read_in
from propgraph.words.sentences import LANGUAGES
from tests.report_svg import SVG, Box, boxes, parsed, words

HOSTILE = '<script>alert("1")</script>\x00\u202e&]]>'
OF_CLUSTERS = (heat_map, waterfall, bar_code, gaps, creation, early_share)


def all_figures(study: Study) -> list[Figure]:
    made = [timeline(study, [(date(2016, 10, 26), HOSTILE)]), network_map(study)]
    made += [draw(study, "c1") for draw in OF_CLUSTERS]
    return [figure for figure in made if figure is not None]


def grey(box: Box) -> bool:
    return "--muted" in box.fill


class TestEveryFigure:
    def test_it_is_one_drawing_that_says_what_is_to_be_seen(self, small_study: Study) -> None:
        figures = all_figures(small_study)
        assert len(figures) == 2 + len(OF_CLUSTERS)
        for figure in figures:
            root = parsed(figure.svg)
            assert root.tag.endswith("}svg")
            assert root.attrib["role"] == "img"
            assert root.attrib["aria-label"] == figure.alt
            assert "width" not in root.attrib
            assert re.search(r"\d", figure.alt)
            assert len(figure.caption) > 40
            assert len(figure.svg.encode()) < 150_000

    def test_it_asks_for_nothing_and_runs_nothing(self, small_study: Study) -> None:
        for figure in all_figures(small_study):
            tags = {node.tag.split("}")[1] for node in parsed(figure.svg).iter()}
            assert tags <= {"svg", "g", "path", "text", "circle", "image"}
            assert not re.search(r"https?://(?!www\.w3\.org/)", figure.svg)
            # A page whose style is allowed by its hash alone would refuse these.
            assert " style=" not in figure.svg
            assert all(
                node.attrib["href"].startswith("data:image/png;base64,")
                for node in parsed(figure.svg).iter(f"{SVG}image")
            )

    def test_it_names_no_account(self, small_study: Study) -> None:
        accounts = small_study.accounts.join(small_study.members, on="account_id")
        names = [*accounts["account_id"], *accounts["name"].drop_nulls()]
        assert len(names) > 40
        for figure in all_figures(small_study):
            whole = figure.svg + figure.alt + figure.caption
            assert not [name for name in names if name in whole]

    def test_all_text_stays_within_the_drawing(self, small_study: Study) -> None:
        for figure in all_figures(small_study):
            _, _, width, height = map(float, parsed(figure.svg).attrib["viewBox"].split())
            for one in parsed(figure.svg).iter(f"{SVG}text"):
                # No letter of a common face is wider on average than three fifths of its size.
                wide = 0.6 * float(one.attrib["font-size"]) * len(one.text or "")
                left = float(one.attrib["x"]) - wide * {"middle": 0.5, "end": 1.0}.get(
                    one.get("text-anchor", ""), 0
                )
                assert left >= 0, one.text
                assert left + wide <= width, one.text
                assert 0 < float(one.attrib["y"]) <= height, one.text

    def test_the_same_study_gives_the_same_bytes(self, small_study: Study) -> None:
        again = Study.open(small_study.path)
        assert [one.svg for one in all_figures(small_study)] == [one.svg for one in all_figures(again)]

    def test_rows_in_any_order_give_the_same_bytes(self, own_study: Study) -> None:
        before = [one.svg for one in all_figures(own_study)]
        for name in ("posts", "shares", "accounts", "members", "amplification", "cascades"):
            pl.read_parquet(own_study.file(name), memory_map=False).reverse().write_parquet(
                own_study.file(name)
            )
        assert [one.svg for one in all_figures(Study.open(own_study.path))] == before

    def test_its_hues_are_there_for_light_and_dark(self, small_study: Study) -> None:
        light, dark = style().split("@media")
        drawn = " ".join(one.svg for one in all_figures(small_study))
        hues = set(re.findall(r"var\((--hue-\d+),", drawn))
        assert len(hues) >= 2
        assert not [name for name in hues if f"{name}:" not in light or f"{name}:" not in dark]
        assert set(re.findall(r"var\((--[a-z]+),", drawn)) == {"--ink", "--muted", "--paper", "--hue"} - {
            "--hue"
        }


def test_hues_stand_out_from_dark_paper() -> None:
    dark = style().split("@media")[1]
    hues = re.findall(r"--hue-\d+:#(\w{6})", dark)
    assert len(hues) == len(set(hues)) == 12
    paper = luminance("15171a")
    assert min((luminance(one) + 0.05) / (paper + 0.05) for one in hues) >= 3


class TestTimeline:
    def test_the_bars_sum_to_the_posts(self, small_study: Study) -> None:
        figure = timeline(small_study)
        assert figure is not None
        drawn = boxes(figure.svg)
        labels = {
            shown: y - 4 for shown, x, y in words(figure.svg) if re.fullmatch(r"[\d,]+", shown) and x < 60
        }
        zero = labels.pop("0")
        shown, y = max(labels.items(), key=lambda one: int(one[0].replace(",", "")))
        posts_per_unit = int(shown.replace(",", "")) / (zero - y)
        above = [box for box in drawn if box.y + box.height <= zero + 0.2]
        posts = sum(box.height for box in above) * posts_per_unit
        assert posts == pytest.approx(small_study.posts["content_id"].n_unique(), rel=0.02)
        own = flagged_posts(small_study)
        coloured = sum(box.height for box in above if not grey(box)) * posts_per_unit
        assert coloured == pytest.approx(sum(own.values()), rel=0.1)

    def test_each_flagged_cluster_has_its_row_and_number(self, small_study: Study) -> None:
        figure = timeline(small_study)
        assert figure is not None
        shown = [one for one, *_ in words(figure.svg)]
        own = flagged_posts(small_study)
        assert own
        for name, n in own.items():
            assert name in shown
            assert f"{n:,}" in shown
            assert f"{name}: {n:,}" in figure.alt

    def test_a_post_of_an_account_in_two_clusters_counts_once(self, own_study: Study) -> None:
        before = timeline(own_study)
        own = flagged_posts(own_study)
        one, other = list(own)[:2]
        members = own_study.members
        again = members.filter(cluster_id=other).with_columns(cluster_id=pl.lit(one))
        pl.concat([members, again]).write_parquet(own_study.file("members"))
        after = timeline(Study.open(own_study.path))
        assert before is not None
        assert after is not None
        # As many posts as before, and as many by flagged clusters; each of both clusters has all of its own.
        total = re.compile(r"^\D*[\d,]+ posts")
        assert total.findall(after.alt) == total.findall(before.alt) != []
        assert f"{one}: {own[one] + own[other]:,}" in after.alt
        assert f"{other}: {own[other]:,}" in after.alt
        n = sum(own.values())
        assert f"{n:,}" in before.alt
        assert f"{n:,}" in after.alt

    def test_a_few_impossible_dates_squeeze_nothing(self, own_study: Study) -> None:
        posts = own_study.posts
        early = posts.head(2).with_columns(
            timestamp=pl.lit(datetime(1970, 1, 1), pl.Datetime("ms", "UTC")),
            content_id=pl.format("x{}", "content_id"),
        )
        before = timeline(own_study)
        pl.concat([early, posts]).write_parquet(own_study.file("posts"))
        after = timeline(Study.open(own_study.path))
        assert before is not None
        assert after is not None
        assert "2 posts lie far before or after all others" in after.caption
        assert (after.alt, after.svg) == (before.alt, before.svg)

    def test_hundreds_of_clusters_stay_small(self, own_study: Study) -> None:
        accounts = own_study.accounts["account_id"].sort()
        names = [f"c{k % 300 + 1}" for k in range(len(accounts))]
        members = pl.DataFrame({"account_id": accounts, "cluster_id": names})
        members.write_parquet(own_study.file("members"))
        rows = pl.DataFrame({"cluster_id": names[:300], "flagged": True, "n_accounts": 2})
        rows.write_parquet(own_study.file("clusters"))
        figure = timeline(own_study)
        assert figure is not None
        assert "288 more together, in dark grey" in figure.caption
        assert len(figure.svg) < 60_000
        shown = [one for one, *_ in words(figure.svg)]
        assert "c12" in shown
        assert "c13" not in shown
        n = own_study.posts["content_id"].n_unique()
        assert f"{n:,} of them (100%) are by accounts of 300 flagged clusters" in figure.alt

    def test_smaller_clusters_can_be_left_out(self, small_study: Study) -> None:
        figure = timeline(small_study, least_accounts=1000)
        assert figure is not None
        assert all(grey(box) for box in boxes(figure.svg))

    def test_events_are_marked_where_they_lie_in_the_time(self, small_study: Study) -> None:
        first = small_study.posts["timestamp"].min()
        assert isinstance(first, datetime)
        events = [(first + timedelta(days=1), HOSTILE), (date(1999, 1, 1), "long before")]
        figure = timeline(small_study, events)
        assert figure is not None
        shown = [one for one, *_ in words(figure.svg)]
        assert '<script>alert("1")</script>'[:20] in " ".join(shown)
        assert "long before" not in shown
        assert "1 of the dates lie outside" in figure.caption
        assert "<script" not in figure.svg
        assert "\u202e" not in figure.svg

    def test_many_events_are_numbered_and_told_below(self, small_study: Study) -> None:
        first = small_study.posts["timestamp"].min()
        assert isinstance(first, datetime)
        events = [(first + timedelta(hours=k), f"event {k}") for k in range(1, 9)]
        figure = timeline(small_study, events)
        assert figure is not None
        assert "8: event 8" in figure.caption
        assert {"1", "8"} <= {one for one, *_ in words(figure.svg)}


class TestHeatMap:
    def test_the_darkest_cell_is_the_busiest_hour(self, small_study: Study) -> None:
        figure = heat_map(small_study, "c1")
        assert figure is not None
        times = member_posts(small_study, "c1")
        by_hour = Counter((when.weekday(), when.hour) for when in times.values())
        most = max(by_hour.values())
        told = re.match(r"([\d,]+) posts of .*; most on (\w+) (\d+):00: (\d+)", figure.alt)
        assert told is not None
        assert told[1] == f"{len(times):,}"
        names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        assert by_hour[names.index(told[2]), int(told[3])] == most == int(told[4])
        left = [box for box in boxes(figure.svg) if box.x < 290 and box.height > 15]
        assert len(left) == 7 * 24
        # Cells of hours without a post are grey, all others blue.
        assert sum(not grey(box) for box in left) == len(by_hour)
        weekend = sum(n for (weekday, _), n in by_hour.items() if weekday >= 5) / len(times)
        assert f"Saturday and Sunday hold {weekend:.0%}" in figure.alt

    def test_accounts_as_active_make_as_many_posts(self, small_study: Study) -> None:
        from propgraph.report.figures.inputs import week

        of = week(small_study)
        mine = of.members.filter(cluster_id="c1").group_by("account_id").agg(pl.sum("n"))["n"].to_numpy()
        usual = of.usual(mine)
        assert usual.sum() == pytest.approx(mine.sum())
        assert usual == pytest.approx(slow_usual(small_study, mine.tolist()))

    def test_it_says_where_nothing_is_usual(self, own_study: Study) -> None:
        posts = own_study.posts.join(own_study.members, on="account_id", how="semi")
        posts.write_parquet(own_study.file("posts"))
        figure = heat_map(Study.open(own_study.path), "c1")
        assert figure is not None
        assert "Too few accounts are in no cluster" in figure.caption
        assert "as active" not in figure.svg + figure.alt

    def test_coarse_times_tell_no_hours(self, own_study: Study) -> None:
        posts = own_study.posts.with_columns(time_resolution_s=pl.lit(86_400.0))
        posts.write_parquet(own_study.file("posts"))
        assert heat_map(own_study, "c1") is None


class TestWaterfall:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_part_has_words_that_fit(self, language: str) -> None:
        rules = (rule.name for rule in RULES)
        with read_in(language):
            told = {name: label(name) for name in (*rules, *EXPLAINING, NO_SYNCHRONY, FEW_MEETINGS)}
        assert not [name for name, words in told.items() if words.endswith("…") or words == name]

    def test_the_parts_sum_to_the_score(self, small_study: Study) -> None:
        for name, score in (
            small_study.clusters.filter(pl.col("score") > 0).select("cluster_id", "score").rows()
        ):
            figure = waterfall(small_study, name)
            assert figure is not None
            parts = [float(value) for value in re.findall(r" ([+-]\d\.\d\d)(?=[;.])", figure.alt)]
            assert sum(parts) == pytest.approx(score, abs=0.005 * (len(parts) + 1))
            bars = [box for box in boxes(figure.svg) if not grey(box)]
            assert len(bars) == len(parts)
            assert f"{score:.2f}" in [shown for shown, *_ in words(figure.svg)]

    def test_none_without_a_rule(self, own_study: Study) -> None:
        clusters = own_study.clusters.with_columns(flags=pl.lit([], pl.List(pl.String)))
        clusters.write_parquet(own_study.file("clusters"))
        assert waterfall(own_study, "c1") is None


class TestBarCode:
    def test_the_cells_are_those_of_the_log(self, small_study: Study) -> None:
        figure = bar_code(small_study, "c1")
        assert figure is not None
        expected = slow_cells(small_study, "c1")
        told = re.match(
            r"(\d+) accounts and (\d+) things .*?: ([\d,]+) of .*?, ([\d,]+) of them within", figure.alt
        )
        assert told is not None
        assert tuple(int(one.replace(",", "")) for one in told.groups()) == expected
        drawn = [box for box in boxes(figure.svg) if not grey(box)]
        lower = next(y for shown, _, y in words(figure.svg) if "other accounts" in shown)
        assert sum(box.y < lower for box in drawn) == expected[3]
        told = re.search(r"filled, ([\d,]+) of them within 1 minute of another of those", figure.alt)
        assert told is not None
        assert sum(box.y > lower for box in drawn) == int(told[1].replace(",", "")) < expected[3]

    def test_it_says_where_nobody_else_shared_the_same(self, own_study: Study) -> None:
        members = own_study.members
        own_study.shares.join(members, on="account_id", how="semi").write_parquet(own_study.file("shares"))
        figure = bar_code(Study.open(own_study.path), "c1")
        assert figure is not None
        assert figure.caption.count("No account outside every cluster") == 1
        assert "Below" not in figure.caption

    def test_the_order_of_rows_changes_nothing(self, own_study: Study) -> None:
        before = bar_code(own_study, "c1")
        shutil.copy(own_study.file("shares"), own_study.path / "kept")
        pl.read_parquet(own_study.path / "kept").reverse().write_parquet(own_study.file("shares"))
        assert bar_code(Study.open(own_study.path), "c1") == before


def test_a_log_without_clusters_has_a_timeline(tmp_path: Path) -> None:
    rows = [
        {"account_id": f"a{k}", "timestamp": 1_700_000_000 + 9_000 * k, "url": f"https://a.example/{k}"}
        for k in range(30)
    ]
    study = find_clusters(build(pl.DataFrame(rows), tmp_path / "study", mapping={"auto": "auto"}))
    figure = timeline(study)
    assert figure is not None
    assert "30 posts" in figure.alt
    assert "No cluster is flagged" in figure.alt


@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_text_gives_well_formed_markup_and_one_line(name: str) -> None:
    root = parsed(drawing(20, [text(0, 10, name)], alt=name))
    (shown,) = root.iter(f"{SVG}text")
    assert not list(shown)
    assert "\n" not in (shown.text or "")
    assert set(root.attrib) == {"role", "aria-label", "viewBox", "font-family"}


@pytest.mark.parametrize(
    ("high", "steps"),
    [(0, [0]), (4, [0, 1, 2, 3, 4]), (5, [0, 2, 4]), (5595, [0, 2000, 4000]), (0.8, [0, 0.2, 0.4, 0.6, 0.8])],
)
def test_steps_are_round(high: float, steps: list[float]) -> None:
    assert round_steps(high) == pytest.approx(steps)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (0, "0%"),
        (0.0001, "less than 1%"),
        (0.004, "less than 1%"),
        (0.01, "1%"),
        (0.996, "more than 99%"),
        (1, "100%"),
    ],
)
def test_little_is_not_called_nothing(part: float, told: str) -> None:
    assert percent(part) == told


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (datetime(2016, 5, 7), datetime(2016, 5, 7, 23), "7 May 2016"),
        (datetime(2016, 5, 7), datetime(2016, 5, 8), "7 to 8 May 2016"),
        (datetime(2016, 10, 24), datetime(2016, 11, 6), "24 Oct to 6 Nov 2016"),
        (datetime(2015, 12, 31), datetime(2016, 1, 1), "31 Dec 2015 to 1 Jan 2016"),
    ],
)
def test_days_are_told_as_short_as_can_be(first: datetime, last: datetime, told: str) -> None:
    assert days(first, last) == told


def luminance(colour: str) -> float:
    """Relative luminance by the words of WCAG 2.2."""
    total = 0.0
    for weight, part in zip((0.2126, 0.7152, 0.0722), (colour[:2], colour[2:4], colour[4:]), strict=True):
        value = int(part, 16) / 255
        total += weight * (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
    return total


def member_posts(study: Study, cluster_id: str) -> dict[str, datetime]:
    members = set(study.members.filter(cluster_id=cluster_id)["account_id"])
    rows = study.posts.select("content_id", "account_id", "timestamp").rows()
    return {post: when for post, who, when in rows if who in members}


def flagged_posts(study: Study) -> dict[str, int]:
    return {name: len(member_posts(study, name)) for name in study.clusters.filter("flagged")["cluster_id"]}


def slow_usual(study: Study, posts: list[int]) -> list[float]:
    """Spread each member's posts as the twenty accounts in no cluster that post as much spread theirs."""
    members = set(study.members["account_id"])
    hours: dict[str, Counter[int]] = defaultdict(Counter)
    for who, when in study.posts.unique("content_id").select("account_id", "timestamp").rows():
        if who not in members:
            hours[who][when.weekday() * 24 + when.hour] += 1
    pool = sorted((sum(of.values()), who) for who, of in hours.items())
    usual = [0.0] * 168
    for n in posts:
        below = sum(size < n for size, _ in pool)
        middle = (below + sum(size <= n for size, _ in pool)) // 2
        first = min(max(middle - 10, 0), len(pool) - 20)
        for size, who in pool[first : first + 20]:
            for slot, count in hours[who].items():
                usual[slot] += n / 20 * count / size
    return usual


def slow_cells(study: Study, cluster_id: str) -> tuple[int, int, int, int]:
    """Return accounts, objects, filled cells and those within a minute of a fellow's, of the closest trace."""
    members = set(study.members.filter(cluster_id=cluster_id)["account_id"])
    best = (0, 0, 0, 0)
    for trace in study.run["clusters"]["parameters"]["trace"]:
        first: dict[str, dict[str, datetime]] = defaultdict(dict)
        rows = (
            study.shares.filter(trace=trace).sort("timestamp").select("object_id", "account_id", "timestamp")
        )
        for what, who, when in rows.rows():
            if who in members:
                first[what].setdefault(who, when)
        common = {what: of for what, of in first.items() if len(of) >= 2}
        near = sum(
            any(other != who and abs((when - at).total_seconds()) <= 60 for other, at in of.items())
            for of in common.values()
            for who, when in of.items()
        )
        cells = sum(map(len, common.values()))
        found = (len({who for of in common.values() for who in of}), len(common), cells, near)
        best = max(best, found, key=lambda one: one[3])
    return best
