from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from propgraph.encoding import encode
from propgraph.readers.order import in_order_once
from propgraph.schema import IDS, TIME

rows = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2", "p10", "q"]),
        st.sampled_from(["b", "a", "c"]),
        st.sampled_from([0, 1, 2**40]),
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

    first, said, kept, rejected = {}, set(), [], []
    for place in sorted(range(len(drawn)), key=lambda place: (key(place), place)):
        content, account, time, object_, urls, _ = drawn[place]
        author = first.setdefault(content, (account, time))
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
