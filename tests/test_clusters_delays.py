from statistics import median

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from propgraph.clusters.delays import leaders, offsets
from propgraph.schema import TIME
from tests.reference.delays import leader, offset

SECOND = 1000


def frame(rows, *, resolution_s=1.0):
    """Posts of one cluster out of (object, account, ms), each of one content."""
    return pl.DataFrame(
        [(0, "url", thing, who, f"{who}{k}", resolution_s, ms) for k, (thing, who, ms) in enumerate(rows)],
        schema={
            "cluster": pl.UInt32, "trace": pl.String, "object_id": pl.String, "account_id": pl.String,
            "content_id": pl.String, "time_resolution_s": pl.Float64, "ms": pl.Int64,
        }, orient="row",
    )  # fmt: skip


def log(rows, **options):
    """All shares as rows, by trace."""
    return {"url": frame(rows, **options).with_columns(timestamp=pl.col("ms").cast(TIME))}


def edges(*pairs, n_events=9):
    return pl.DataFrame(
        [(0, *pair, n_events) for pair in pairs],
        schema={"cluster": pl.UInt32, "source": pl.String, "target": pl.String, "n_events": pl.Int64},
        orient="row",
    )


def desk(n=6, *, first="ana", after=3):
    """Rows of one who posts first, and of two who follow; an hour apart."""
    return [
        (f"o{k}", who, 3600 * SECOND * k + delay * SECOND)
        for k in range(n) for who, delay in ((first, 0), ("bo", after), ("cy", after + 1))
    ]  # fmt: skip


def test_who_is_always_first_leads():
    rows = desk()
    [found] = leaders(frame(rows), log(rows)).to_dicts()
    assert (found["leader_account_id"], found["n_led"], found["n_meetings"]) == ("ana", 6, 6)
    assert (found["leader_share"], found["leader_inside"], found["leader_delay_s"]) == (1, True, 3.5)
    # Once in three by chance, six times in a row, any of three or another: 4 * 3 ** -6.
    assert found["leader_expected"] == pytest.approx(1 / 3)
    assert found["leader_p"] == pytest.approx(4 * 3**-6)


def test_a_leader_may_be_outside_the_cluster():
    members = [row for row in desk() if row[1] != "ana"]
    [found] = leaders(frame(members), log(desk())).to_dicts()
    assert (found["leader_account_id"], found["leader_inside"], found["n_led"]) == ("ana", False, 6)
    assert found["leader_expected"] == pytest.approx(1 / 3)  # of two and one more
    # Whoever posted it more than a minute before does not lead.
    long_ago = [(thing, who, ms - 58 * SECOND * (who == "ana")) for thing, who, ms in desk()]
    [found] = leaders(frame(members), log(long_ago)).to_dicts()
    assert (found["leader_account_id"], found["leader_inside"]) == ("bo", True)


def test_ties_and_coarse_times_tell_no_leader():
    tied = desk(after=0)
    assert leaders(frame(tied), log(tied)).is_empty()
    for resolution_s in (60.0, None):
        rows = frame(desk(), resolution_s=resolution_s)
        assert leaders(rows, log(desk(), resolution_s=resolution_s)).is_empty()
        assert offsets(rows, edges(("ana", "bo")), window_ms=60_000).is_empty()


def test_links_of_one_post_are_one_meeting():
    rows = [(f"{thing}{name}", who, ms) for thing, who, ms in desk(2) for name in "uvw"]
    [found] = leaders(frame(rows), log(rows)).to_dicts()
    assert (found["n_led"], found["n_meetings"]) == (2, 2)


def test_a_tool_keeps_its_delays():
    # Five meetings of each two, bo 3 s after ana and cy 1 s after bo, every time.
    rows = frame(desk(5))
    [found] = offsets(rows, edges(("ana", "bo"), ("ana", "cy"), ("bo", "cy")), window_ms=60_000).to_dicts()
    assert (found["offset_spread_s"], found["n_constant"], found["n_timed"]) == (0, 3, 15)
    assert found["seconds_share"] == pytest.approx(1 / 3)
    # Four meetings tell of seconds, of no constant delay.
    [few] = offsets(frame(desk(4)), edges(("ana", "bo")), window_ms=60_000).to_dicts()
    assert (few["n_timed"], few["offset_spread_s"]) == (4, None)
    # A person's delays: 1, 4, 9, 16, 25 s; off their median 8, 5, 0, 7, 16.
    person = [
        (f"o{k}", who, 10**7 * k + s * k * k * SECOND) for k in range(1, 6) for who, s in (("a", 0), ("b", 1))
    ]
    assert offsets(frame(person), edges(("a", "b")), window_ms=60_000)["offset_spread_s"].to_list() == [7]
    assert offsets(frame(person), edges(("a", "b"), n_events=4), window_ms=60_000).is_empty()


def test_who_goes_from_page_to_page_keeps_the_order():
    # Ten meetings, b mostly 5 to 14 s after a, at two of them before; at one more both post in one second.
    late = [5 + k for k in range(8)] + [-3, -20, 0]
    rows = [
        (f"o{k}", who, 10**7 * k + s * SECOND) for k, d in enumerate(late) for who, s in (("a", 0), ("b", d))
    ]
    [found] = offsets(frame(rows), edges(("a", "b")), window_ms=60_000).to_dicts()
    assert (found["in_order_share"], found["n_in_order"], found["in_order_s"]) == (0.8, 10, 8)
    # Two pairs of five meetings, of which one keeps its order and one has 3 of 5: 8 of 10.
    two = [(f"o{k}", who, 10**7 * k + s * SECOND) for k in range(5) for who, s in (("a", 0), ("b", 4))]
    two += [
        (f"p{k}", who, 10**7 * k + s * SECOND)
        for k in range(5)
        for who, s in (("c", 4 * (k < 2)), ("d", 4 * (k > 1)))
    ]
    [found] = offsets(frame(two), edges(("a", "b"), ("c", "d")), window_ms=60_000).to_dicts()
    assert (found["in_order_share"], found["n_in_order"], found["in_order_s"]) == (0.8, 10, 4)
    [few] = offsets(frame(desk(4)), edges(("ana", "bo")), window_ms=60_000).to_dicts()
    assert few["in_order_share"] is None


ROWS = st.lists(
    st.tuples(st.sampled_from("uvwxyz"), st.sampled_from("abcd"), st.integers(0, 200).map(lambda s: s * SECOND)),
    min_size=2, max_size=40, unique=True,
)  # fmt: skip


@given(ROWS, st.sets(st.sampled_from("abcd"), min_size=1))
def test_leaders_are_those_of_a_plain_count(rows, members):
    mine = [row for row in rows if row[1] in members]
    expected = leader(mine, rows)
    found = leaders(frame(mine), log(rows)).rows()
    if expected is None:
        assert found == []
        return
    [(_, name, share, n_led, n, chance, bound, delay, _)] = found
    assert (name, n_led, n, delay) == expected[:4]
    assert (share, chance, bound) == pytest.approx((n_led / n, *expected[4:]))


@given(ROWS)
def test_offsets_are_those_of_a_plain_count(rows):
    delays = offset(rows, ("a", "b"), 60_000)
    found = offsets(frame(rows), edges(("a", "b")), window_ms=60_000).rows(named=True)
    if not delays:
        assert found == []
        return
    [one] = found
    sizes = sorted(abs(d) for d in delays)
    assert one["n_timed"] == len(delays)
    assert one["seconds_share"] == pytest.approx(sum(d <= 2000 for d in sizes) / len(sizes))
    if len(delays) >= 5 and one["offset_spread_s"] is not None:
        signed = {-d for d in delays} & set(delays)
        if not signed:  # where the nearest post is as near before as after, either may count
            off = median(abs(d - median(delays)) for d in delays)
            assert one["offset_spread_s"] == pytest.approx(off / 1000)
            ahead, behind = sum(d > 0 for d in delays), sum(d < 0 for d in delays)
            told = max(ahead, behind) / (ahead + behind) if ahead + behind >= 5 else None
            assert one["in_order_share"] == (None if told is None else pytest.approx(told))
