"""The timeline from near: the day on which each flagged cluster posted most, counted anew."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

from propgraph.report.figures.timeline import timeline
from propgraph.report.page.report import write_report


def busiest(study, cluster):
    members = set(study.members.filter(cluster_id=cluster)["account_id"])
    posts = study.posts.filter(pl.col("account_id").is_in(list(members))).unique("content_id")
    days = Counter(time.date() for time in posts["timestamp"])
    return min(days, key=lambda day: (-days[day], day))


def test_the_busiest_days_are_drawn_by_ten_minutes(small_study, tmp_path):
    write_report(tmp_path / "r.html", small_study)
    text = (tmp_path / "r.html").read_text()
    drawn = re.findall(r'<figure id="timeline-(\d{4}-\d\d-\d\d)"', text)
    flagged = small_study.clusters.filter("flagged")["cluster_id"]
    assert drawn == list(dict.fromkeys(f"{busiest(small_study, name)}" for name in flagged))[:4]
    assert text.count("ten minutes a bar") == len(drawn) > 0


def test_a_day_holds_the_posts_of_that_day(small_study):
    day = busiest(small_study, "c1")
    n = small_study.posts.filter(pl.col("timestamp").dt.date() == day)["content_id"].n_unique()
    made = timeline(small_study, day_=day)
    assert made.alt.startswith(f"{n:,} posts")
    assert "10 minutes" in made.caption
    assert "are not drawn" not in made.caption
