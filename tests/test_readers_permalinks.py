"""Posts' own addresses, which are no links that they share, and other posts' addresses, which are."""

from __future__ import annotations

import polars as pl
import pytest

from propgraph.jobs.build import build
from propgraph.readers.layouts import tabular
from propgraph.readers.read import read_logs

TIME = 1_700_000_000
NEWS = "https://valley-herald.example/water"
LEFT_OUT = "links are the posts' own addresses, which nobody shares by them; left out"


def read(tmp_path, rows, suffix="csv", **options):
    path = tmp_path / f"log.{suffix}"
    frame = pl.DataFrame([{"timestamp": TIME + k} | row for k, row in enumerate(rows)])
    getattr(frame, {"csv": "write_csv", "parquet": "write_parquet", "ndjson": "write_ndjson"}[suffix])(path)
    log = read_logs([path], **options)
    assert log.n_rows == len(rows)
    return log, [note.removeprefix(f"{path}: ") for note in log.notes]


def urls(log):
    return log.posts["urls"].to_list() if "urls" in log.posts.columns else [None] * log.posts.height


@pytest.mark.parametrize(
    ("post", "link"),
    [
        ("1", "https://twitter.com/ana/status/1"), ("12", "https://x.com/i/web/status/12?s=20"),
        ("1764954002027446273", "https://mobile.twitter.com/ana/status/1764954002027446273/photo/1"),
        ("1764954002027446273", "https://nitter.example/ana/status/1764954002027446273#m"),
        ("112042718822400001", "https://valley.social/@ana/112042718822400001"),
        ("112042718822400001", "https://valley.social/users/ana/statuses/112042718822400001"),
        ("https://valley.social/users/ana/statuses/112042718822400001", "https://valley.social/@ana/112042718822400001"),
        ("501", "https://www.facebook.com/1001/posts/501"), ("1001_501501501", "https://www.facebook.com/1001_501501501"),
        ("501501501", "https://www.facebook.com/permalink.php?story_fbid=501501501&id=7"),
        ("1001_501", "https://www.facebook.com/1001/posts/501"), ("1001_501501501", "https://www.facebook.com/valley/posts/501501501"),
        ("1001_501501501", "https://facebook.com/permalink.php?story_fbid=501501501&id=1001"),
        ("1001_501501501", "https://www.facebook.com/watch/?v=501501501"), ("501", "https://m.facebook.com/valley/videos/501/"),
        ("at://did:plc:abc/app.bsky.feed.post/3kxyzabcdefgh", "https://bsky.app/profile/ana.example/post/3kxyzabcdefgh"),
        ("t3_1b70aaa", "https://www.reddit.com/r/valley/comments/1b70aaa/they_shut/"),
        ("dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=1"),
        ("7342834010217218050", "https://www.tiktok.com/@ana/video/7342834010217218050"),
        ("t1_kx12ab", "https://old.reddit.com/r/valley/comments/1b70aaa/they_shut/kx12ab/"), ("1b70aaa", "https://redd.it/1b70aaa"),
        ("UgxKREWxIgDrw8w2e_Z", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&lc=UgxKREWxIgDrw8w2e_Z"),
        ("CxYz12_-abc", "https://www.instagram.com/valley/p/CxYz12_-abc/"), ("9", "https://truthsocial.com/@ana/posts/9"),
        ("valley/17", "https://t.me/valley/17"), ("valley-17", "https://t.me/valley/17"), ("Other/17", "https://t.me/other/17"),
        ("-77_12", "https://vk.com/wall-77_12"), ("12", "https://vk.com/feed?w=wall-77_12"),
        ("https://forum.example/t/12/", "https://forum.example/t/12/"),
        ("-77_123456", "https://vk.com/wall-77_123456"), ("-77_123456", "https://vk.com/valley?w=wall-77_123456"),
        ("17", "https://t.me/valley/17"), ("17", "https://t.me/s/valley/17?single"), ("17", "https://t.me/c/1700000001/17"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson"])
def test_a_posts_own_address_is_no_link_of_it(tmp_path, post, link, suffix):
    base = {
        "content_id": post,
        "account_id": "valley",
        "target_id": "channel1700000001",
        "account_name": "-77",
    }
    log, notes = read(tmp_path, [base | {"urls": f"{link} {NEWS}"}], suffix)
    assert urls(log) == [[NEWS]]
    assert notes[-1] == f"urls: 1 {LEFT_OUT}"
    log, notes = read(tmp_path, [base | {"url": link}], suffix)
    assert urls(log) == [None]
    assert notes == [f"url: 1 {LEFT_OUT}"]


@pytest.mark.parametrize(
    ("post", "link"),
    [
        ("1", "https://twitter.com/ana/status/2"), ("1", "https://x.example/1"), ("17", "https://t.me/other/17"),
        ("1764954002027446273", "https://twitter.com/ana/status/1764954002027446274"),
        ("1", "https://twitter.com/ana/status/11"), ("17", "https://t.me/c/1700000002/17"),
        ("1764954002027446273", "https://valley-herald.example/17649540020274462731"),
        ("12345678", "https://valley-herald.example/123456789"), ("p1", "https://valley-herald.example/p1"),
        ("12", "https://valley-herald.example/posts/12"), ("12", "https://valley-herald.example/video/12/"),
        ("1001_501", "https://www.facebook.com/2002/posts/501"), ("1001_501501501", "https://www.facebook.com/501501501"),
        ("17", "https://t.me/myvalley/17"), ("17", "https://t.me/valle/17"), ("valley/17", "https://t.me/valley/18"),
        ("12", "https://vk.com/wall-78_12"), ("-77_12", "https://vk.com/wall-77_13"), ("-77_12", "https://vk.com/wall-78_12"),
        ("t3_1b70aaa", "https://www.reddit.com/r/valley/comments/1b70aab/1b70aaa_too/"), ("7", "https://x.com/ana/status/17"),
        ("kx12ab", "https://www.reddit.com/r/valley/comments/1b70aaa/they_shut/kx12ac/"),
    ],
)  # fmt: skip
def test_the_address_of_another_post_and_any_other_link_is_one(tmp_path, post, link):
    row = {"content_id": post, "account_id": "valley", "target_id": "channel1700000001", "url": link}
    log, notes = read(tmp_path, [row])
    assert (urls(log), notes) == ([[link]], [])


def test_other_links_keep_their_order(tmp_path):
    links = [f"https://valley-herald.example/{k}" for k in (3, 1, 2)]
    own = "https://twitter.com/ana/status/100"
    rows = [
        {"content_id": "100", "account_id": "a", "urls": " ".join([links[0], own, *links[1:]])},
        {"content_id": "101", "account_id": "b", "urls": " ".join([own, *links])},
        {"content_id": "102", "account_id": "c", "urls": None},
    ]
    assert urls(read(tmp_path, rows)[0]) == [links, [own, *links], None]


@pytest.mark.parametrize(
    "column",
    ["permalink", "post_url", "tweetUrl", "Permalink URL", "status_link", "post-url", "data.post.url"],
)
def test_a_column_that_is_called_so_holds_nothing_else(tmp_path, column):
    rows = [{"who": "a", column: "https://www.facebook.com/ana/posts/pfbid02abc"}, {"who": "b", column: None}]
    mapping = {"account_id": "who", "timestamp": "timestamp", "url": column}
    log, notes = read(tmp_path, rows, mapping=mapping)
    assert urls(log) == [None, None]
    assert f"url: 1 {LEFT_OUT}" in notes
    assert log.sources[0]["columns"]["url"]["rows"] == 0


@pytest.mark.parametrize(
    "column",
    ["quoted_tweet_url", "parent_permalink", "shared_post_url", "original_post_link", "link", "repost_url"],
)
def test_a_column_of_other_posts_is_one_of_links(tmp_path, column):
    rows = [{"who": "a", column: "https://www.facebook.com/ana/posts/pfbid02abc"}, {"who": "b", column: None}]
    mapping = {"account_id": "who", "timestamp": "timestamp", "url": column}
    assert urls(read(tmp_path, rows, mapping=mapping)[0]) == [[rows[0][column]], None]


def test_a_post_url_that_two_posts_have_or_that_is_a_story_is_shared(tmp_path):
    mapping = {"account_id": "who", "timestamp": "timestamp", "url": "tweet_url"}
    for links in ([own_addresses(1)[0]] * 2, [NEWS, f"{NEWS}2"], [NEWS, own_addresses(1)[0]]):
        rows = [{"who": who, "tweet_url": link} for who, link in zip("ab", links, strict=True)]
        assert urls(read(tmp_path, rows, mapping=mapping)[0]) == [[link] for link in links]


def own_addresses(n):
    return [f"https://twitter.com/u{k % 3}/status/17649540020274462{k:02d}" for k in range(n)]


def test_of_a_log_without_ids_a_column_of_as_many_posts_as_rows_holds_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 400)
    mapping = {"account_id": "who", "timestamp": "timestamp", "url": "link"}
    rows = [{"who": f"u{k % 3}", "link": link} for k, link in enumerate(own_addresses(30))]
    log, notes = read(tmp_path, rows, mapping=mapping)
    assert urls(log) == [None] * 30
    assert f"url: 30 {LEFT_OUT}" in notes
    # Not where one is no post of a platform, or most rows have none.
    for change in ({3: NEWS}, dict.fromkeys(range(5, 30))):
        changed = [row | {"link": change.get(k, row["link"])} for k, row in enumerate(rows)]
        log, _ = read(tmp_path, changed, mapping=mapping)
        assert sum(links is not None for links in urls(log)) == sum(
            row["link"] is not None for row in changed
        )


@pytest.mark.parametrize("ids", [{}, {"content_id": [f"row-{k}" for k in range(30)]}])
@pytest.mark.parametrize(
    ("form", "n"), [("x.com/u{0}/status/1764954002027446{1}", 8), ("instagram.com/p/Cx{1}ab/", 10)]
)
def test_ids_that_are_in_no_address_tell_nothing(tmp_path, ids, form, n):
    links = [f"https://{form.format(k % 3, k + 100)}" for k in range(30)]
    who = [str(1000 + k % 3) for k in range(30)]
    for rows in (30, n, n - 3):
        frame = pl.DataFrame({"account_id": who, "url": links, **ids})
        log, _ = read(tmp_path, frame.head(rows).to_dicts())
        own = rows >= n
        assert urls(log) == [None if own else [link] for link in links[:rows]]


def test_whoever_links_to_posts_of_several_accounts_quotes(tmp_path):
    # Nor are they own ones if the posts' ids are of the same kind, and other ones.
    for first, who in (("row-", "7"), ("17649540020275", "a")):
        rows = [
            {"content_id": f"{first}{k:05d}", "account_id": who, "url": link}
            for k, link in enumerate(own_addresses(30))
        ]
        if who == "a":
            rows = [row | {"url": row["url"].replace("/u1/", "/a/").replace("/u2/", "/a/")} for row in rows]
        assert urls(read(tmp_path, rows)[0]) == [[row["url"]] for row in rows]


def test_an_account_that_shares_another_post_of_its_own_shares_it(tmp_path):
    links = [f"https://twitter.com/a/status/{100 + k}" for k in range(40)]
    rows = [
        {"content_id": str(100 + k), "account_id": "a", "url": links[k if k != 7 else 3]} for k in range(40)
    ]
    assert urls(read(tmp_path, rows)[0]) == [None] * 7 + [[links[3]]] + [None] * 32


def test_a_quoted_posts_address_stays_in_a_log_with_ids(tmp_path):
    rows = [
        {"content_id": str(k), "account_id": "a", "url": link} for k, link in enumerate(own_addresses(12))
    ]
    log, notes = read(tmp_path, rows)
    assert urls(log) == [[link] for link in own_addresses(12)]
    assert notes == []


def test_an_address_in_a_text(tmp_path):
    own = "https://twitter.com/ana/status/1764954002027446273/photo/1"
    rows = [
        {"content_id": "1764954002027446273", "account_id": "a", "text": f"Look {NEWS} {own}"},
        {"content_id": "1764954002027446274", "account_id": "b", "text": f"Look {NEWS}"},
        {"content_id": "1764954002027446275", "account_id": "c", "text": f"Look {own}"},
        {"content_id": "1764954002027446276", "account_id": "d", "text": "by 1764954002027446276"},
    ]
    log, notes = read(tmp_path, rows)
    assert urls(log) == [[NEWS], None, None, None]
    assert notes == [f"text: 1 {LEFT_OUT}"]
    pl.DataFrame([row | {"timestamp": TIME} for row in rows]).write_csv(tmp_path / "l.csv")
    study = build([tmp_path / "l.csv"], tmp_path / "s")
    objects = study.scan("objects").filter(trace="url").select("object_id", "n_accounts").collect()
    assert dict(objects.iter_rows())[NEWS] == 2
    assert objects.height == 2
