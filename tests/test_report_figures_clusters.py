"""Figures of one cluster and the map: what is drawn, held against counts of the same tables by plain loops."""

from __future__ import annotations

import random
import re
from base64 import b64decode
from collections import Counter, defaultdict
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise

import polars as pl
import pytest
from PIL import Image

from propgraph.export.network import network_tables
from propgraph.report.figures import network_map as room
from propgraph.report.figures.creation import creation
from propgraph.report.figures.early_share import early_share
from propgraph.report.figures.gaps import gaps
from propgraph.report.figures.inputs import common
from propgraph.report.figures.network_map import network_map
from propgraph.study import Study
from tests.report_svg import SVG, boxes, parsed, words


class TestGaps:
    def test_steps_are_those_of_the_log(self, small_study: Study) -> None:
        figure = gaps(small_study, "c1")
        assert figure is not None
        told = dict(re.findall(r"within (\d+ \w+) (\d+%)", figure.alt))
        steps = [later - earlier for own, _ in dealt_objects(small_study) for earlier, later in pairwise(own)]
        assert f"{len(steps):,} steps" in figure.alt
        for name, until in (("1 s", 1), ("10 s", 10), ("1 min", 60), ("10 min", 600), ("1 h", 3600)):
            assert told[name] == f"{sum(step <= until for step in steps) / len(steps):.0%}"

    def test_dealt_anew_is_what_other_draws_give(self, small_study: Study) -> None:
        figure = gaps(small_study, "c1")
        assert figure is not None
        told = {
            name: int(part)
            for name, part in re.findall(r"within (\d+ \w+) \d+%, dealt anew (\d+)%", figure.alt)
        }
        rng = random.Random(99)
        steps = [
            later - earlier
            for own, every in dealt_objects(small_study)
            for _ in range(200)
            for earlier, later in pairwise(sorted(rng.sample(every, len(own))))
        ]
        for name, until in (("10 s", 10), ("1 min", 60), ("1 h", 3600)):
            assert told[name] == pytest.approx(100 * sum(step <= until for step in steps) / len(steps), abs=3)

    def test_the_bars_sum_to_a_whole(self, small_study: Study) -> None:
        figure = gaps(small_study, "c1")
        assert figure is not None
        labels = {
            shown: y - 4 for shown, x, y in words(figure.svg) if re.fullmatch(r"\d+%", shown) and x < 50
        }
        shown, y = max(labels.items(), key=lambda one: int(one[0][:-1]))
        per_unit = int(shown[:-1]) / (labels["0%"] - y)
        columns = [
            box for box in boxes(figure.svg) if box.y + box.height == pytest.approx(labels["0%"], abs=0.2)
        ]
        for grey in (False, True):
            heights = [box.height for box in columns if ("--muted" in box.fill) == grey]
            assert sum(heights) * per_unit == pytest.approx(100, abs=2)

    def test_none_where_nobody_else_shared_the_same(self, own_study: Study) -> None:
        members = own_study.members.filter(cluster_id="c1")
        own_study.shares.join(members, on="account_id", how="semi").write_parquet(own_study.file("shares"))
        assert gaps(Study.open(own_study.path), "c1") is None


class TestCreation:
    def test_the_bars_sum_to_the_accounts(self, small_study: Study) -> None:
        figure = creation(small_study, "c1")
        assert figure is not None
        members = set(small_study.members.filter(cluster_id="c1")["account_id"])
        known = [who for who, when in small_study.accounts.select("account_id", "created_at").rows() if when]
        own = sum(who in members for who in known)
        assert f"{own} of {len(members)} accounts have a known date" in figure.alt
        shown = int(re.search(r"Half of the ([\d,]+) others", figure.alt)[1].replace(",", ""))  # type: ignore[index]
        left_out = re.search(r"([\d,]+) of the others were opened before", figure.caption)
        assert shown + (int(left_out[1].replace(",", "")) if left_out else 0) == len(known) - own
        for colour, n in (("--hue", own), ("--muted", shown)):
            bars = [box for box in boxes(figure.svg) if colour in box.fill]
            base = max(box.y + box.height for box in bars)
            labels = {
                int(one.replace(",", "")): y - 4
                for one, x, y in words(figure.svg)
                if re.fullmatch(r"[\d,]+", one) and x < 50 and base - 90 < y - 4 < base + 1
            }
            per_unit = max(labels) / (labels[0] - labels[max(labels)])
            assert sum(box.height for box in bars) * per_unit == pytest.approx(n, rel=0.03)

    def test_lots_are_told_and_marked(self, own_study: Study) -> None:
        lots = ["2016-02-03 to 2016-02-05: 1,007", "2016-01-01: 3"]
        clusters = own_study.clusters.with_columns(lots=pl.lit(lots, pl.List(pl.String)))
        clusters.write_parquet(own_study.file("clusters"))
        figure = creation(own_study, "c1")
        assert figure is not None
        assert "Lots: 1,007 accounts 3 to 5 Feb 2016; 3 accounts 1 Jan 2016." in figure.alt
        shown = {one for one, *_ in words(figure.svg)}
        assert {"1,007 opened 3 to 5 Feb 2016", "3 opened 1 Jan 2016"} <= shown

    def test_none_where_the_dates_are_not_known(self, own_study: Study) -> None:
        accounts = own_study.accounts.with_columns(created_at=pl.lit(None, pl.Datetime("ms", "UTC")))
        accounts.write_parquet(own_study.file("accounts"))
        assert creation(own_study, "c1") is None


class TestEarlyShare:
    def test_full_circles_stand_at_the_part_of_the_first_ten(self, small_study: Study) -> None:
        figure = early_share(small_study, "c1")
        assert figure is not None
        drawn = [
            one for one in parsed(figure.svg).iter(f"{SVG}circle") if "--paper" not in one.attrib["fill"]
        ][1:]
        axis = {one: x for one, x, _ in words(figure.svg) if re.fullmatch(r"\d+%", one)}
        scale = (axis["100%"] - axis["0%"]) / 100
        found = sorted((float(one.attrib["cx"]) - axis["0%"]) / scale / 100 for one in drawn)
        parts = slow_early(small_study, "c1")
        most = sorted(parts, key=lambda one: (-one[0], one[1]))[:15]
        assert found == pytest.approx(sorted(part for *_, part in most), abs=0.01)
        assert f"In {len(parts):,} cascades of more than 10 posts" in figure.alt

    def test_none_where_no_cascade_is_as_large(self, own_study: Study) -> None:
        small = own_study.cascades.with_columns(size=pl.lit(10, pl.UInt32))
        small.write_parquet(own_study.file("cascades"))
        assert early_share(own_study, "c1") is None


class TestNetworkMap:
    def test_each_member_of_a_flagged_cluster_is_one_circle(self, small_study: Study) -> None:
        figure = network_map(small_study)
        assert figure is not None
        circles = Counter(one.attrib["data-cluster"] for one in parsed(figure.svg).iter(f"{SVG}circle"))
        flagged = small_study.clusters.filter("flagged")["cluster_id"].to_list()
        sizes = dict(small_study.members.group_by("cluster_id").len().rows())
        assert circles == {name: sizes[name] for name in flagged}

    def test_small_clusters_can_be_left_grey(self, small_study: Study) -> None:
        figure = network_map(small_study, least_accounts=1000)
        assert figure is not None
        assert not list(parsed(figure.svg).iter(f"{SVG}circle"))
        assert "No cluster" in figure.alt

    def test_all_others_are_in_the_picture(self, small_study: Study) -> None:
        figure = network_map(small_study)
        assert figure is not None
        image = opened(figure.svg)
        assert image.width / image.height == pytest.approx(600 / view(figure.svg)[1], rel=0.01)
        values = Counter(
            image.get_flattened_data() if hasattr(image, "get_flattened_data") else image.getdata()
        )
        assert values[0] > values[1] > 0
        assert values[2] + values[3] > 0

    @pytest.mark.parametrize("n", [3, 9000])
    def test_however_many_they_are_it_is_small(
        self, n: int, small_study: Study, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rng = random.Random(0)
        ids = [f"a{k}" for k in range(n)]
        nodes = pl.DataFrame(
            {
                "id": ids, "cluster": ["c1" if k % 2 else None for k in range(n)],
                "flagged": [k % 2 == 1 for k in range(n)],
                "x": [rng.gauss(0, 900) for _ in ids], "y": [rng.gauss(0, 900) for _ in ids], "size": [6.0] * n,
            }
        )  # fmt: skip
        ends = [sorted(rng.sample(ids, 2)) for _ in range(3 * n)]
        edges = pl.DataFrame(ends, schema=["source", "target"], orient="row").with_columns(weight=pl.lit(2))
        monkeypatch.setattr(room, "network_tables", lambda study: (nodes, edges))
        figure = network_map(small_study)
        assert figure is not None
        others = small_study.clusters.filter("flagged")["cluster_id"].to_list()[1:]
        assert ("Not on it" in figure.caption) == bool(others)
        assert f"belong to 1 flagged cluster, each a coloured disc: c1: {n // 2:,} accounts." in figure.alt
        assert len(figure.svg.encode()) < 150_000
        circles = list(parsed(figure.svg).iter(f"{SVG}circle"))
        assert len(circles) == min(n // 2, 1800)
        assert ("weaker members" in figure.caption) == (n > 3600)
        width, height = view(figure.svg)
        for one in circles:
            assert 0 <= float(one.attrib["cx"]) <= width
            assert 0 <= float(one.attrib["cy"]) <= height

    def test_none_where_nobody_met(self, small_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        nothing = pl.DataFrame(schema={"id": pl.String}), pl.DataFrame(schema={"source": pl.String})
        monkeypatch.setattr(room, "network_tables", lambda study: nothing)
        assert network_map(small_study) is None


def view(svg: str) -> tuple[float, float]:
    _, _, width, height = map(float, parsed(svg).attrib["viewBox"].split())
    return width, height


def opened(svg: str) -> Image.Image:
    (image,) = parsed(svg).iter(f"{SVG}image")
    return Image.open(BytesIO(b64decode(image.attrib["href"].split(",", 1)[1])))


def dealt_objects(study: Study) -> list[tuple[list[float], list[float]]]:
    """Return by object, that others shared too, the members' and everybody's times, in order; s."""
    own: dict[str, list[float]] = defaultdict(list)
    every: dict[str, list[float]] = defaultdict(list)
    for what, when, cluster in common(study, "c1").select("object_id", "timestamp", "cluster_id").rows():
        every[what].append(when.timestamp())
        if cluster == "c1":
            own[what].append(when.timestamp())
    return [(sorted(own[what]), sorted(every[what])) for what in every if len(every[what]) > len(own[what])]


def slow_early(study: Study, cluster_id: str) -> list[tuple[int, str, float]]:
    """Return of each cascade of more than ten posts: members' posts, its id, their part of ten below the root."""
    members = set(study.members.filter(cluster_id=cluster_id)["account_id"])
    trace = study.clusters.filter(cluster_id=cluster_id)["cascade_trace"].item()
    ids = set(study.cascades.filter(trace=trace)["cascade_id"])
    nodes: dict[str, list[tuple[datetime, str, str, int]]] = defaultdict(list)
    table = study.cascade_nodes.select("cascade_id", "timestamp", "account_id", "content_id", "depth")
    for name, when, *rest in table.rows():
        if name in ids:
            nodes[name].append((when or datetime(1970, 1, 1, tzinfo=UTC), *rest))
    found = []
    for name, posts in nodes.items():
        n = sum(who in members for _, who, *_ in posts)
        below = sorted(post for post in posts if post[3] > 0)
        if n and len(posts) > 10:
            found.append((n, name, sum(who in members for _, who, *_ in below[:10]) / 10))
    return found


def test_who_stands_in_two_clusters_is_drawn_once(own_study: Study) -> None:
    first, second = own_study.clusters["cluster_id"].to_list()[:2]
    members = own_study.members
    again = members.filter(cluster_id=first).head(3).with_columns(cluster_id=pl.lit(second))
    pl.concat([members, again]).write_parquet(own_study.file("members"))
    nodes, edges = network_tables(own_study)
    assert nodes["id"].is_unique().all()
    assert set(nodes.filter(pl.col("id").is_in(again["account_id"].implode()))["cluster"]) == {first}
    assert network_map(own_study) is not None
    assert edges.select("source", "target").is_unique().all()
