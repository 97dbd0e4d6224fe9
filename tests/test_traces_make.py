from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from propgraph.arrays.encoding import encode, labels_of
from propgraph.errors import UsageError
from propgraph.readers.posts.origins import with_origins
from propgraph.readers.values.markdown import links_in
from propgraph.schema import ID, IDS, POSTS, TIME
from propgraph.traces.make import TRACES, make_shares

START = datetime(2020, 1, 1, tzinfo=UTC)
SCHEMA = {
    "content_id": ID, "account_id": ID, "timestamp": TIME, "kind": ID, "parent_content_id": ID, "origin_account_id": ID,
    "object_id": ID, "urls": IDS, "hashtags": IDS, "text": ID,
}  # fmt: skip


def log(*posts):
    """Return posts from `(content_id, account_id, {column: value})`, a second apart, in canonical order."""
    rows = [
        {"content_id": content, "account_id": account, "timestamp": START + timedelta(seconds=second)} | known
        for second, (content, account, known) in enumerate(posts)
    ]
    frame = pl.DataFrame(
        rows, schema={name: SCHEMA[name] for name in SCHEMA if any(name in row for row in rows)}
    )
    return frame.sort("timestamp", "account_id", "content_id")


def shares(frame, trace):
    """Return `{(content_id, object_id)}` of one trace; none twice."""
    made = make_shares(frame).get(trace)
    if made is None:
        return set()
    pairs = made.select("content_id", pl.col("object_id").cast(ID)).rows()
    assert len(pairs) == len(set(pairs))
    return set(pairs)


def texts(*values):
    return log(*((f"p{n}", "a", {"text": text}) for n, text in enumerate(values)))


# --- what a frame of shares is ---------------------------------------------------------------------------


def test_shares_are_sorted_by_object_time_account_and_post():
    frame = log(
        ("p1", "b", {"urls": ["https://z.example", "https://a.example"]}),
        ("p2", "a", {"urls": ["https://a.example"]}),
        ("p3", "c", {"urls": None}),
    )
    made = make_shares(frame)
    assert list(made) == ["domain", "url"]
    url = made["url"]
    assert url.select(pl.col("object_id", "account_id", "trace").cast(ID), "content_id", "row").rows() == [
        ("https://a.example", "b", "url", "p1", 0),
        ("https://a.example", "a", "url", "p2", 1),
        ("https://z.example", "b", "url", "p1", 0),
    ]
    assert url["timestamp"].to_list() == [START, START + timedelta(seconds=1), START]
    assert labels_of(url["object_id"]).to_list() == ["https://a.example", "https://z.example"]
    assert labels_of(url["account_id"]).to_list() == ["a", "b", "c"]
    assert url.schema["row"] == pl.UInt32


def test_traces_are_made_where_the_log_supports_them():
    frame = log(
        ("p1", "a", {"object_id": "o", "hashtags": None, "kind": "reshare"}), ("p2", "a", {"object_id": None})
    )
    assert list(make_shares(frame)) == ["object"]
    assert list(make_shares(frame, trace=["object", "object"])) == ["object"]
    assert list(make_shares(frame, trace="object")) == ["object"]  # one name is one trace, not six letters
    assert make_shares(frame.drop("object_id", "hashtags")) == {}


@pytest.mark.parametrize(
    ("trace", "needs"),
    [
        ("url", "it needs urls or text"),
        ("domain", "it needs urls or text"),
        ("hashtag", "it needs hashtags or text"),
        ("reshare", "it needs kind and parent_content_id"),
    ],
)
def test_a_trace_that_the_log_lacks_is_bad_usage(trace, needs):
    frame = log(("p1", "a", {"object_id": "o", "urls": None}))
    with pytest.raises(UsageError, match=rf"^trace: '{trace}': the log has none; {needs}.* has .*object_id$"):
        make_shares(frame, trace=["object", trace])


def test_an_unknown_trace_is_bad_usage():
    with pytest.raises(UsageError, match=r"^trace: 'urls' is not one of .*did you mean 'url'"):
        make_shares(log(("p1", "a", {})), trace=["urls"])


def test_posts_without_anything_to_share_give_no_shares():
    assert make_shares(log(("p1", "a", {}), ("p2", "b", {}))) == {}
    assert make_shares(texts("nothing here")) == {}


def test_a_post_with_several_rows_shares_each_thing_once():
    link = {"urls": ["https://a.example/1"], "hashtags": ["x"], "kind": "reshare", "parent_content_id": "o"}
    rows = [("p1", "a", link | {"object_id": object_}) for object_ in ("o1", "o2")]
    frame = log(*rows, ("p2", "a", link | {"object_id": "o1"})).with_columns(
        timestamp=pl.Series([START, START, START + timedelta(1)]).cast(TIME)
    )
    made = make_shares(frame)
    assert {trace: part.height for trace, part in made.items()} == {
        "domain": 2, "hashtag": 2, "object": 3, "reshare": 2, "url": 2,
    }  # fmt: skip
    assert made["url"]["row"].to_list() == [0, 2]  # a post goes by its first row


def test_encoded_and_plain_accounts_are_alike():
    frame = log(("p1", "b", {"object_id": "o"}), ("p2", "a", {"object_id": "o"}))
    coded = frame.with_columns(encode(frame["account_id"]), encode(frame["object_id"]))
    assert make_shares(frame)["object"].equals(make_shares(coded)["object"])


# --- links -----------------------------------------------------------------------------------------------


def test_the_same_link_twice_in_a_post_is_one_share():
    ways = ["https://Mill.example/a", "https://mill.example/a#top", "https://mill.example/a?utm_source=fb"]
    frame = log(("p1", "a", {"urls": ways}), ("p2", "b", {"urls": ways[2:]}), ("p3", "b", {"urls": []}))
    url = "https://mill.example/a"
    assert shares(frame, "url") == {("p1", url), ("p2", url)}
    assert shares(frame, "domain") == {("p1", "mill.example"), ("p2", "mill.example")}


def test_tokens_that_were_cut_off_a_link_stay_with_the_share():
    frame = log(
        ("p1", "a", {"urls": ["https://mill.example/a?utm_source=seeder7"]}),
        ("p2", "a", {"urls": ["https://mill.example/a"]}),
    )
    tokens = dict(make_shares(frame)["url"].select("content_id", "tokens").rows())
    assert "seeder7" in tokens["p1"]
    assert tokens["p2"] is None


def test_two_links_to_one_site_are_one_share_of_the_site():
    frame = log(("p1", "a", {"urls": ["https://mill-daily.com/a", "https://news.mill-daily.com/b"]}))
    assert len(shares(frame, "url")) == 2
    assert shares(frame, "domain") == {("p1", "mill-daily.com")}


def test_links_in_the_text_count_where_the_log_lists_none():
    frame = log(
        ("p1", "a", {"urls": ["https://a.example/1"], "text": "https://b.example/1"}),
        ("p2", "a", {"urls": [], "text": "https://b.example/2"}),  # it has none, says the log
        ("p3", "a", {"urls": None, "text": "https://b.example/3"}),
        ("p4", "a", {"urls": None, "text": None}),
    )
    assert shares(frame, "url") == {("p1", "https://a.example/1"), ("p3", "https://b.example/3")}
    assert shares(frame.drop("urls"), "url") == {(f"p{n}", f"https://b.example/{n}") for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.example/x.", ["https://a.example/x"]),
        ("(https://a.example/x)", ["https://a.example/x"]),
        (
            "(see https://a.example/x), or “https://b.example/y”!?",
            ["https://a.example/x", "https://b.example/y"],
        ),
        ("https://a.example/film_(1999).", ["https://a.example/film_(1999)"]),
        ("<a href='https://a.example/x'>", ["https://a.example/x"]),
        ('"https://a.example/x"', ["https://a.example/x"]),
        ("HTTPS://A.example/x", ["https://a.example/x"]),
        ("https://a.example/x\nhttp://b.example/y", ["https://a.example/x", "http://b.example/y"]),
        ("https://t.example/abc…", []),
        ("https://t.e…", []),
        ("www.a.example and a.example/x, ftp://a.example", []),
        ("https://", []),
        ("javascript:alert(1) //a.example", []),
    ],
)
def test_links_are_found_in_text(text, links):
    # http and https may be one site's two names for a page; what matters here is where a link ends.
    found = {link.replace("http://", "https://") for _, link in shares(texts(text), "url")}
    assert found == {link.replace("http://", "https://") for link in links}


# --- hashtags --------------------------------------------------------------------------------------------


def test_hashtags_of_the_log():
    frame = log(("p1", "a", {"hashtags": ["x", "y", "x", ""]}), ("p2", "b", {"hashtags": None, "text": "#z"}))
    assert shares(frame, "hashtag") == {("p1", "x"), ("p1", "y")}  # the log's own lists say who has none


def test_hashtags_in_the_text_where_the_log_lists_none_at_all():
    frame = log(("p1", "a", {"hashtags": None, "text": "#Z"}), ("p2", "b", {"hashtags": None, "text": "z"}))
    assert shares(frame, "hashtag") == {("p1", "z")}


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#One, #two! (#three) #one", {"one", "two", "three"}),
        ("#Überwachung ＃全角 #été_2020", {"überwachung", "全角", "été_2020"}),
        ("it&#39;s a#b https://a.example/#top https://a.example/x?y=1#z", set()),
        ("# alone ## #", set()),
        ("#a#b", {"a"}),
        ("", set()),
    ],
)
def test_hashtags_are_found_in_text(text, tags):
    assert {tag for _, tag in shares(texts(text), "hashtag")} == tags


# --- the log's own objects -------------------------------------------------------------------------------


def test_objects_are_the_logs_own():
    frame = log(
        ("p1", "a", {"object_id": "x"}), ("p2", "a", {"object_id": None}), ("p3", "b", {"object_id": "X "})
    )
    assert shares(frame, "object") == {("p1", "x"), ("p3", "X ")}


# --- reshares --------------------------------------------------------------------------------------------


def reshare(content, account, parent=None, origin=None, **known):
    named = {"kind": "reshare", "parent_content_id": parent, "origin_account_id": origin}
    return (content, account, named | known)


def post(content, account, **known):
    return (content, account, {"kind": "original", "parent_content_id": None} | known)


def test_reshares_of_reshares_go_back_to_the_original():
    frame = log(
        post("o", "a"),
        reshare("r1", "b", "o"),
        reshare("r2", "c", "r1"),
        reshare("r3", "d", "r2"),
        reshare("r4", "e", "elsewhere"),
        reshare("r5", "e", "r4"),
        ("q", "f", {"kind": "quote", "parent_content_id": "r3"}),
        reshare("r6", "g", "q"),
    )
    assert shares(frame, "reshare") == {
        ("r1", "o"), ("r2", "o"), ("r3", "o"), ("r4", "elsewhere"), ("r5", "elsewhere"), ("r6", "q"),
    }  # fmt: skip


@pytest.mark.parametrize("n", [2, 3, 5000])
def test_a_long_chain_goes_back_to_its_start(n):
    frame = log(post("r0", "a"), *(reshare(f"r{k}", "b", f"r{k - 1}") for k in range(1, n + 1)))
    assert {original for _, original in shares(frame, "reshare")} == {"r0"}
    # ... and so it does where a parent comes later in the log than its child.
    backwards = log(*(reshare(f"r{k}", "b", f"r{k - 1}") for k in range(n, 0, -1)), post("r0", "a"))
    assert shares(backwards, "reshare") == {(f"r{k}", "r0") for k in range(1, n + 1)}


def test_posts_that_reshare_each_other_go_back_to_the_first_of_them():
    frame = log(
        reshare("a", "A", "c"),
        reshare("b", "B", "a"),
        reshare("c", "C", "b"),
        reshare("d", "D", "c"),
        reshare("e", "E", "d"),
        reshare("self", "F", "self"),
        reshare("f", "F", "self"),
    )
    assert shares(frame, "reshare") == {("b", "a"), ("c", "a"), ("d", "a"), ("e", "a"), ("f", "self")}


def test_originals_found_by_their_author_are_gone_back_to():
    link, other = ["https://a.example/1"], ["https://a.example/2"]
    frame = log(
        post("o1", "a", urls=link),
        post("o2", "a", urls=link),  # the account's first post of the link is taken
        post("o3", "b", urls=link),
        reshare("r1", "c", origin="a", urls=link),
        reshare("r2", "d", origin="a", urls=other),
        reshare("r3", "e", origin="a", urls=other),
        reshare("r4", "e", parent="o3", origin="a", urls=link),  # a known parent goes first
        reshare("r5", "f", urls=link),  # nobody knows
        reshare("r6", "g", parent="r2"),
        reshare("r7", "g", parent="r5"),
    )
    frame, _ = with_origins(frame, frame.select("account_id", account_name=pl.lit(None, pl.String)))
    of = "of:a:https://a.example/2"
    assert shares(frame, "reshare") == {
        ("r1", "o1"), ("r2", of), ("r3", of), ("r4", "o3"), ("r6", of), ("r7", "r5"),
    }  # fmt: skip


def test_only_reshares_are_reshares():
    kinds = ["original", "quote", "reply", None]
    frame = log(*((f"p{n}", "a", {"kind": kind, "parent_content_id": "o"}) for n, kind in enumerate(kinds)))
    assert shares(frame, "reshare") == set()


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from(["original", "reshare", "reshare"]), st.none() | st.integers(0, 9)),
        min_size=1,
        max_size=9,
    )
)
@example([("reshare", 1), ("reshare", 0), ("reshare", 0)])
@example([("reshare", 2), ("reshare", 2), ("reshare", 1), ("reshare", 0)])
def test_every_reshare_goes_back_to_where_one_walks_to(drawn):
    frame = log(
        *(
            (f"p{n}", "a", {"kind": kind, "parent_content_id": None if parent is None else f"p{parent}"})
            for n, (kind, parent) in enumerate(drawn)
        )
    )

    def walk(n):
        way = [n]
        while True:
            kind, parent = drawn[way[-1]] if way[-1] < len(drawn) else ("original", None)
            if kind != "reshare" or parent is None or parent == way[-1]:
                return way[-1]
            if parent in way:
                return min(way[way.index(parent) :])
            way.append(parent)

    goals = {n: walk(n) for n, (kind, _) in enumerate(drawn) if kind == "reshare"}
    assert shares(frame, "reshare") == {(f"p{n}", f"p{goal}") for n, goal in goals.items() if n != goal}


def test_every_trace_says_what_it_is():
    for name, trace in TRACES.items():
        assert trace.name == name
        assert trace.title
        assert {*trace.needs, trace.also} <= set(POSTS.columns)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("https://t.me/valley_", ["https://t.me/valley_"]), ("__https://a.example/x__", ["https://a.example/x"]),
        ("[the story](https://a.example/x)", ["https://a.example/x"]),
        ("[https://a.example/x](https://a.example/x), twice", ["https://a.example/x"]),
        ("https://a.example/?id[]=1&id[]=2.", ["https://a.example/?id[]=1&id[]=2"]),
        ("(see https://a.example/Water_(film)), or **https://b.example/y**", ["https://a.example/Water_(film)", "https://b.example/y"]),
    ],
)  # fmt: skip
def test_links_in_texts_of_any_kind(text, links):
    posts = pl.DataFrame({"text": [text]})
    assert posts.select(links_in(pl.col("text"))).to_series().to_list() == [links]
