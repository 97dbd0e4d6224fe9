"""The window that a log chooses: the quickest objects, worked out by hand, and what bounds it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph import build, cosharing_edges, find_clusters, measure_stability
from propgraph.cosharing.choice import choose_window, window_options

T0 = 1_700_000_000


def frame(rows, resolution=None):
    """Return shares: `object`, seconds."""
    made = pl.DataFrame(rows, ["object_id", "timestamp"], orient="row").with_columns(
        (pl.col("timestamp") * 1000 + T0 * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")),
    )
    if resolution is not None:
        made = made.with_columns(time_resolution_s=pl.lit(resolution, pl.Float64))
    return made


def times(name, *delays):
    return [(name, delay) for delay in delays]


#: Second shares after 2, 8, 100, ..., 800 s: of these eleven, the 0.1 quantile is 8. The quickest two have more than
#: half of their shares after 30 (the third of four) and 50 s (the second of three stands for two thirds: 8 s).
QUICK = times("a", 0, 2, 30, 4000) + times("b", 0, 8, 50)
SLOW = [row for k in range(9) for row in times(f"slow{k}", 0, 100 * (k + 1))]


def test_the_quickest_tenth_chooses():
    chosen = choose_window({"url": frame(QUICK + SLOW + times("alone", 5))})
    assert (chosen.n_objects, chosen.n_quickest) == (11, 2)
    assert chosen.second_share_s == pytest.approx(8)
    assert chosen.found_s == chosen.window_s == (30 + 8) / 2
    assert chosen.note() == (
        "time window: 19 s, chosen from the log: of 11 objects of two shares or more, 2 had the second within 8 s (the "
        "quickest tenth), and half of these had more than half of their shares within 19 s"
    )


def test_objects_of_all_traces_count_alike():
    both = choose_window({"url": frame(QUICK), "reshare": frame(SLOW)})
    assert both == choose_window({"url": frame(QUICK + SLOW)})


@pytest.mark.parametrize(
    ("delay", "resolution", "window", "why"),
    [
        (0, None, 1, "; 1 s is the least"),
        (0.25, 1.0, 1, "; times are no finer than 1 s"),
        (20, 60.0, 60, "; times are no finer than 60 s"),
        (600, 60.0, 600, "within 600 s"),
        (7200, None, 3600, "goes round as slowly"),
        (0, 86_400.0, 3600, "; times are no finer than 86400 s"),
    ],
)  # fmt: skip
def test_no_finer_than_the_times_and_no_longer_than_an_hour(delay, resolution, window, why):
    chosen = choose_window({"url": frame(times("a", 0, delay), resolution)})
    assert chosen.window_s == window
    assert chosen.found_s == delay
    assert chosen.note().endswith(why)


@pytest.mark.parametrize("shares", [{}, {"url": frame(times("a", 0) + times("b", 5))}])
def test_nothing_was_shared_twice(shares):
    chosen = choose_window(shares)
    assert chosen.window_s == 60
    assert chosen.note() == "time window: 60 s, the default: no object was shared twice"


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 50)), max_size=40), st.randoms())
def test_against_counting_object_by_object(rows, random):
    by_object = {}
    for name, at in rows:
        by_object.setdefault(name, []).append(at)
    lists = [sorted(found) for found in by_object.values() if len(found) > 1]
    random.shuffle(rows)
    chosen = choose_window({"url": frame(rows)} if rows else {})
    if not lists:
        assert chosen.found_s is None
        return
    cut = np.quantile([found[1] - found[0] for found in lists], 0.1)
    half = []
    for found in lists:
        if found[1] - found[0] <= cut + 1e-12:
            k = next(k for k in range(1, len(found) + 1) if k / len(found) > 0.5)
            half.append(found[k - 1] - found[0])
    assert chosen.found_s == pytest.approx(np.median(half))


@pytest.fixture(scope="module")
def auto(tmp_path_factory):
    rng = np.random.default_rng(5)
    rows = [(f"crew{k}", f"https://a.example/{j}", 86_400 * j + 5 * k) for j in range(8) for k in range(6)]
    rows += [
        (f"u{rng.integers(60)}", f"https://b.example/{j}", 40_000 * j + int(rng.integers(20_000)))
        for j in range(30) for _ in range(10)
    ]  # fmt: skip
    log = pl.DataFrame(rows, ["account_id", "url", "timestamp"], orient="row").with_columns(
        pl.col("timestamp") + T0
    )
    return build(log, tmp_path_factory.mktemp("auto") / "study", mapping={"auto": "auto"}, time_window="auto")


def test_a_study_goes_by_the_window_that_it_chose(auto):
    built = auto.run["build"]
    assert built["parameters"]["time_window"] == "auto"
    assert (
        window_options(built).seconds == built["time_window"]["window_s"] == 15
    )  # six accounts, the fourth after 15 s
    assert any(note.startswith("time window: 15 s, chosen from the log") for note in built["notes"])
    told = cosharing_edges(auto.shares.filter(trace="url"), time_window="auto")
    assert told.equals(auto.edges.filter(trace="url"))
    assert told.equals(cosharing_edges(auto.shares.filter(trace="url"), time_window=15))
    assert not told.is_empty()


def test_what_comes_after_goes_by_it_too(auto):
    study = measure_stability(find_clusters(auto), runs=4)
    levels = study.run["stability"]["grid"]["levels"]
    assert levels["time_window"] == [15.0, 7.5, 30.0]
    assert study.stability["jaccard_mean"].max() > 0.5
    assert any("within 15 s" in sentence for sentence in study.evidence["sentence"])
