from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import missions as reference

from propgraph.arrays.encoding import groups_of
from propgraph.arrays.incidence import incidence
from propgraph.missions.releases import _tasks, release_bursts
from propgraph.schema import TIME

MINUTE = 60_000
DAY = 1440


def frame(posts):
    """Shares from (object, account, ms)."""
    rows = [(who, thing, f"p{k:05d}", ms) for k, (thing, who, ms) in enumerate(posts)]
    schema = {"account_id": pl.String, "object_id": pl.String, "content_id": pl.String, "timestamp": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("timestamp").cast(TIME))


def crew(names):
    return pl.DataFrame(
        {"account_id": sorted(names), "cluster": [0] * len(names)},
        schema={"account_id": pl.String, "cluster": pl.UInt32},
    )


def log_of(rng, *, soon, n_tasks=20, others_soon=0.0):
    """Twenty members come to each task, some within minutes of the first; forty others of each object do later."""
    posts = []
    for task in range(n_tasks):
        start = task * 3 * DAY
        mine = [0.0, *(rng.uniform(1, 9) if rng.random() < soon else rng.uniform(60, DAY) for _ in range(19))]
        theirs = [
            rng.uniform(1, 9) if rng.random() < others_soon else rng.uniform(60, DAY) for _ in range(40)
        ]
        for who, minute in zip(rng.permutation(40)[:20], mine, strict=True):
            posts.append((f"o{task}", f"a{who}", round((start + minute) * MINUTE)))
        for who, minute in zip(rng.permutation(500)[:40], theirs, strict=True):
            posts.append((f"o{task}", f"b{who}", round((start + minute) * MINUTE)))
    return posts


MEMBERS = {f"a{k}" for k in range(40)}


def bursts(posts):
    return release_bursts({"url": incidence(frame(posts))}, crew(MEMBERS))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(3, 14))
def test_tasks_are_those_of_the_plain_twin(seed, soon, n_members):
    rng = np.random.default_rng(seed)
    # Moments apart, so that who was first is beyond doubt.
    moments = iter(rng.permutation(40 * MINUTE)[:400])
    posts = []
    for thing in range(8):
        release = int(rng.integers(0, 100)) * 100 * MINUTE
        for who in rng.permutation(30)[: rng.integers(1, 25)]:
            late = 0 if rng.random() < soon else 20 * MINUTE
            posts.append((f"o{thing}", f"a{who:02d}", release + late + int(next(moments)) // 4))
    names = {f"a{who:02d}" for who in range(n_members)}
    log = incidence(frame(posts))
    table = _tasks(log, groups_of(log.accounts, *crew(names).get_columns()))
    found = {
        log.objects[thing]: rest
        for thing, *rest in table.select("object", "n_came", "n_soon", "chance").iter_rows()
    }
    expected = reference.tasks(posts, names)
    if len({(thing, ms) for thing, _, ms in posts}) < len(posts):
        return  # two of one moment
    assert found.keys() == expected.keys()
    for thing, (came, soon_, chance) in expected.items():
        assert found[thing][:2] == [came, soon_]
        assert found[thing][2] == pytest.approx(chance)


def test_a_crew_called_by_releases_stands_out():
    found = bursts(log_of(np.random.default_rng(0), soon=0.5)).row(0, named=True)
    assert (found["cluster"], found["release_trace"], found["n_releases"]) == (0, "url", 20)
    assert found["n_prompt"] >= 18
    assert found["release_p"] < 1e-15
    # Half of the nineteen who came after the first, and so a quarter of the forty.
    assert found["release_share"] == pytest.approx(0.5, abs=0.11)
    assert found["release_turnout"] == pytest.approx(found["release_share"] * 19 / 40)
    # No other object is there, so that the tasks themselves say what is usual: a sixth of all posts come so soon.
    assert found["usual_release_share"] < 0.2


@pytest.mark.parametrize("soon", [0.0, 0.05, 0.3, 0.6])
def test_who_comes_as_soon_as_the_others_does_not(soon):
    p = [
        bursts(log_of(np.random.default_rng(seed), soon=soon, others_soon=soon))["release_p"][0]
        for seed in range(20)
    ]
    assert min(p) > 1e-3


def test_who_is_as_soon_everywhere_does_not():
    rng = np.random.default_rng(1)
    posts = log_of(rng, soon=0.5)
    for thing in range(400):
        # A stranger posts something, and one member within minutes of it, half of the time.
        who, start = rng.integers(0, 40), (100 + thing) * 3 * DAY
        posts.append((f"x{thing}", "c", start * MINUTE))
        posts.append((f"x{thing}", f"a{who}", round((start + (5 if rng.random() < 0.6 else 600)) * MINUTE)))
    assert bursts(posts)["release_p"][0] > 1e-3


def test_shown_are_the_posts_within_minutes_of_the_promptest_tasks():
    posts = log_of(np.random.default_rng(2), soon=0.5)
    shares = frame(posts)
    found = bursts(posts).row(0, named=True)
    shown = shares[found["release_rows"]]
    assert shown.height == 20
    assert shown["object_id"].n_unique() == 5
    first = {}
    for thing, who, ms in posts:
        if who in MEMBERS:
            first[thing] = min(first.get(thing, ms), ms)
    late = shown["timestamp"].dt.epoch("ms") - shown["object_id"].replace_strict(first)
    assert late.min() > 0
    assert late.max() <= 10 * MINUTE


def test_too_few_tasks_and_too_coarse_times_tell_nothing():
    posts = log_of(np.random.default_rng(3), soon=0.5, n_tasks=4)
    assert bursts(posts).is_empty()
    posts = log_of(np.random.default_rng(3), soon=0.5, n_tasks=5)
    assert bursts(posts).height == 1
    coarse = frame(posts).with_columns(time_resolution_s=pl.lit(61.0))
    assert release_bursts({"url": incidence(coarse)}, crew(MEMBERS)).is_empty()
    minutes = frame(posts).with_columns(time_resolution_s=pl.lit(60.0))
    assert release_bursts({"url": incidence(minutes)}, crew(MEMBERS)).height == 1
    assert release_bursts({}, crew(MEMBERS)).is_empty()


def test_rows_in_any_order_give_the_same():
    posts = log_of(np.random.default_rng(4), soon=0.3)
    one, other = bursts(posts), bursts(posts[::-1])
    assert one.drop("release_rows").equals(other.drop("release_rows"))
