from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from propgraph.arrays.encoding import encode
from propgraph.readers.order import in_order_once
from propgraph.schema import IDS, TIME

DAY, MINUTE, SECOND = 86_400_000, 60_000, 1000
CUT = [1000, 1001, 60_000, 61_000, 61_500, 900_000, 900_001, 3_600_000, 86_399_000, 86_400_000, 86_460_000]
rows = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2", "p10", "q"]),
        st.sampled_from(["b", "a", "c"]),
        st.sampled_from([0, 1, 2**40]) | st.sampled_from(CUT),
        st.sampled_from(["x", "y"]),
        st.sampled_from([None, [], ["u"], ["u", "v"]]),
        st.sampled_from([None, "text"]),
    ),
    min_size=1,
    max_size=12,
)


def frame_of(drawn):
    names = ["content_id", "account_id", "timestamp", "object_id", "urls", "text"]
    frame = pl.DataFrame(drawn, schema=names, orient="row", schema_overrides={"urls": IDS, "text": pl.String})
    return frame.with_columns(encode(frame["account_id"]), pl.col("timestamp").cast(pl.Int64).cast(TIME))


def finest(said):
    """Return the author and time of a post, of those that its rows give, in order."""

    def round_to(time):
        return sum(time % step == 0 for step in (SECOND, MINUTE, 15 * MINUTE, 60 * MINUTE, DAY))

    account, time = said[0]
    span = (0, SECOND, MINUTE, DAY, DAY, DAY)[round_to(time)]
    cut = [t for a, t in said if a == account and time < t < time + span and round_to(t) < round_to(time)]
    return account, min(cut, key=lambda t: (round_to(t), t), default=time)


def twin(drawn):
    """Return the posts in order and the places of the rows rejected, one row after the other."""

    def key(place):
        content, account, time, object_, urls, text = drawn[place]
        return (
            time,
            account,
            content,
            object_,
            (urls is not None, " ".join(urls or [])),
            (text is not None, text or ""),
        )

    said, kept, rejected = set(), [], []
    places = sorted(range(len(drawn)), key=lambda place: (key(place), place))
    first = {
        name: finest([(drawn[place][1], drawn[place][2]) for place in places if drawn[place][0] == name])
        for name in {row[0] for row in drawn}
    }
    for place in places:
        content, account, time, object_, urls, _ = drawn[place]
        author = first[content]
        share = (content, object_, None if urls is None else tuple(urls))
        if author != (account, time) or share in said:
            rejected.append(place)
        else:
            kept.append(place)
        # What a contradicting row says is still said: its share is another post's.
        said.add((*share, account, time) if author != (account, time) else share)
    return kept, sorted(rejected)


@settings(deadline=None, max_examples=300)
@given(rows, st.integers(1, 4))
@example([("p1", "a", 0, "x", None, "text"), ("p1", "a", 0, "x", None, None)], 1)
def test_sorted_and_once_as_the_rules_say(drawn, n_parts):
    kept, rejected = twin(drawn)
    parts = np.array_split(np.arange(len(drawn)), n_parts)
    # A range or an array of lines, as readers give them.
    origins = [
        (f"f{n}", range(100, 100 + len(part)) if n % 2 else np.arange(len(part)) + 100)
        for n, part in enumerate(parts)
    ]
    posts, told = in_order_once(frame_of(drawn), origins)
    expected = frame_of(drawn)[kept] if kept else frame_of(drawn).clear()
    columns = ["content_id", "account_id", "timestamp", "object_id", "urls", "text"]
    assert posts.select(columns).rows() == expected.select(columns).rows()
    where = {int(place): (f"f{n}", 100 + k) for n, part in enumerate(parts) for k, place in enumerate(part)}
    assert sorted(told.select("source", "line").rows()) == sorted(where[place] for place in rejected)


HOUR = 1_709_600_400  # 2024-03-05 01:00


def test_of_a_post_in_two_exports_the_finer_time_counts():
    def first(*seconds, accounts="a"):
        n, times = len(seconds), [round(1000 * t) for t in seconds]
        frame = pl.DataFrame(
            {"content_id": ["p"] * n, "account_id": list(accounts * n)[:n], "timestamp": times}
        )
        frame = frame.with_columns(encode(frame["account_id"]), pl.col("timestamp").cast(TIME))
        posts, told = in_order_once(frame, [("f", range(1, n + 1))])
        return posts["timestamp"].dt.epoch("ms").to_list(), told.sort("line").select("line", "reason").rows()

    other = "content_id: p is another post's already (other account or time)"
    cut = "content_id: p is another post's already (the same with a finer time)"
    exact = HOUR + 1234
    for times in ((HOUR, exact), (HOUR // 86_400 * 86_400, exact), (HOUR // 86_400 * 86_400, HOUR, exact)):
        assert first(*times) == ([exact * 1000], [(k, cut) for k in range(1, len(times))])
        back = first(*reversed(times))
        assert back == ([exact * 1000], [(k, cut) for k in range(2, len(times) + 1)])
    assert first(exact, exact + 0.25) == ([exact * 1000 + 250], [(1, cut)])
    assert first(HOUR, HOUR + 60, HOUR + 61) == ([(HOUR + 61) * 1000], [(1, cut), (2, cut)])
    # A time that no cut leads to is another one's.
    for times in ((exact, exact + 5), (exact, HOUR + 3600), (HOUR, HOUR + 86_401)):
        assert first(*times) == ([times[0] * 1000], [(2, other)])
    assert first(HOUR, exact, accounts="ab") == ([HOUR * 1000], [(2, other)])


def test_times_too_far_apart_to_sort_by_one_number():
    rng = np.random.default_rng(0)
    time = rng.choice([-(2**62), 0, 1, 2**62], 400)
    account = rng.choice(list("abcde"), 400)
    frame = pl.DataFrame(
        {"content_id": [f"p{n:03d}" for n in range(400)], "account_id": account, "timestamp": time}
    )
    frame = frame.with_columns(encode(frame["account_id"]), pl.col("timestamp").cast(TIME))
    posts, told = in_order_once(frame, [("f", range(1, 401))])
    expected = sorted(zip(time.tolist(), account.tolist(), frame["content_id"].to_list(), strict=True))
    assert posts["content_id"].to_list() == [content for _, _, content in expected]
    assert told.is_empty()
