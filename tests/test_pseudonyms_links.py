from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.export.network import write_network
from propgraph.export.tables import render
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.jobs.stability import measure_stability
from propgraph.pseudonyms.keys import Key
from propgraph.pseudonyms.links import Known, hide_links
from propgraph.pseudonyms.log import with_pseudonyms
from propgraph.readers.read import read_logs
from propgraph.traces.make import TRACES, make_shares
from propgraph.traces.urls import canonicalise_urls

SECRET = b"sixteen bytes or more of a secret"
KEY = Key(SECRET, None)


def hashed(text):
    """One pseudonym, spelt out."""
    key = hashlib.blake2b(SECRET).digest()
    return "p" + hashlib.blake2b(text.encode(), key=key, digest_size=10).hexdigest()


NOBODY = Known(
    *(pl.Series(dtype=pl.String) for _ in range(3)), pl.DataFrame(schema={"name": pl.String, "account_id": pl.String})
)  # fmt: skip


def known(*, posts=(), accounts=(), groups=(), names=None):
    table = pl.DataFrame(list((names or {}).items()), schema=["name", "account_id"], orient="row")
    series = (pl.Series(values, dtype=pl.String) for values in (posts, accounts, groups))
    return Known(*series, table.cast(pl.String))


def hidden(*links, known=NOBODY):
    return dict(hide_links(pl.Series(links), known, key=KEY).select("raw", "hidden").rows())


# A link, what stands in its place, and what the pseudonyms in it are of.
PAGES = [
    ("https://x.com/Ana_B/status/77?s=20", "https://twitter.com/i/status/{}", "77"),
    ("https://twitter.com/i/web/status/77/photo/1", "https://twitter.com/i/status/{}", "77"),
    ("https://nitter.net/Ana_B", "https://twitter.com/{}", "ana_b"),
    ("https://twitter.com/Ana_B/with_replies", "https://twitter.com/{}/with_replies", "ana_b"),
    ("https://twitter.com/i/user/77", "https://twitter.com/i/user/{}", "77"),
    ("https://twitter.com/intent/user?screen_name=Ana_B", "https://twitter.com/{}", "ana_b"),
    ("https://web.archive.org/web/2024/https://twitter.com/Ana_B/status/77", "https://twitter.com/i/status/{}", "77"),
    ("https://twitter-com.translate.goog/Ana_B/status/77?_x_tr_sl=en", "https://twitter.com/i/status/{}", "77"),
    ("https://telegram.me/s/River_News", "https://t.me/{}", "river_news"),
    ("https://t.me/River_News/12?single", "https://t.me/{}/{}", "river_news", "river_news/12"),
    ("https://t.me/c/1700000001/12", "https://t.me/c/{}/{}", "channel1700000001", "channel1700000001/12"),
    ("https://old.reddit.com/r/news/comments/1b7abc/some_title/", "https://reddit.com/comments/{}", "t3_1b7abc"),
    ("https://redd.it/1b7abc", "https://reddit.com/comments/{}", "t3_1b7abc"),
    (
        "https://www.reddit.com/r/news/comments/1b7abc/some_title/ktq1xyz/",
        "https://reddit.com/comments/{}/comment/{}", "t3_1b7abc", "t1_ktq1xyz",
    ),
    ("https://www.reddit.com/user/Ana_B", "https://reddit.com/user/{}", "ana_b"),
    ("https://www.reddit.com/r/SecretGroup", "https://reddit.com/r/{}", "secretgroup"),
    ("https://www.youtube.com/@AnaTv/videos", "https://youtube.com/@{}/videos", "anatv"),
    ("https://www.youtube.com/channel/UCabc-1/about", "https://youtube.com/channel/{}/about", "UCabc-1"),
    (
        "https://bsky.app/profile/did:plc:ana/post/3kmx",
        "https://bsky.app/profile/{}/post/{}", "did:plc:ana", "at://did:plc:ana/app.bsky.feed.post/3kmx",
    ),
    (
        "https://bsky.app/profile/ana.example/post/3kmx",
        "https://bsky.app/profile/{}/post/{}", "ana.example", "at://ana.example/app.bsky.feed.post/3kmx",
    ),
    ("https://ana.bsky.social", "https://bsky.app/profile/{}", "ana.bsky.social"),
    ("https://m.facebook.com/story.php?story_fbid=501&id=1001", "https://facebook.com/{}/posts/{}", "1001", "501"),
    ("https://www.facebook.com/ana.news/posts/501", "https://facebook.com/{}/posts/{}", "ana.news", "501"),
    ("https://www.facebook.com/groups/2002/permalink/777/", "https://facebook.com/groups/{}/posts/{}", "2002", "777"),
    ("https://www.facebook.com/ana.news/videos/900/", "https://facebook.com/watch?v={}", "900"),
    ("https://www.facebook.com/profile.php?id=1001", "https://facebook.com/{}", "1001"),
    ("https://www.facebook.com/Ana.News/", "https://facebook.com/{}", "ana.news"),
    ("https://www.instagram.com/ana.b/reel/C4aBcDeFgHi/", "https://instagram.com/p/{}", "C4aBcDeFgHi"),
    ("https://www.instagram.com/Ana.B/", "https://instagram.com/{}", "ana.b"),
    ("https://www.threads.net/@ana.b/post/C4aB", "https://threads.net/t/{}", "C4aB"),
    ("https://www.threads.com/@ana.b", "https://threads.net/@{}", "ana.b"),
    ("https://www.tiktok.com/@ana/video/7342", "https://tiktok.com/@{}/video/{}", "ana", "7342"),
    ("https://www.tiktok.com/@ana", "https://tiktok.com/@{}", "ana"),
    ("https://truthsocial.com/users/Ana/statuses/112", "https://truthsocial.com/@{}/posts/{}", "ana", "112"),
    ("https://gab.com/ana/posts/112", "https://gab.com/{}/posts/{}", "ana", "112"),
    ("https://vk.com/feed?w=wall-123_456", "https://vk.com/wall{}_{}", "-123", "-123_456"),
    ("https://vk.com/id7", "https://vk.com/id{}", "7"),
    ("https://ok.ru/profile/57/statuses/9", "https://ok.ru/profile/{}/statuses/{}", "57", "9"),
    (
        "https://mastodon.example/users/Ana/statuses/112",
        "https://mastodon.example/@{}/{}", "ana@mastodon.example", "https://mastodon.example/users/Ana/statuses/112",
    ),
    ("https://mastodon.example/@Ana@other.example", "https://mastodon.example/@{}@other.example", "ana@other.example"),
    ("https://forum.example/u/Ana", "https://forum.example/u/{}", "ana@forum.example"),
    # Of what no page is known the site alone is left.
    ("https://twitter.com/search?q=from%3Aana+secret", "https://twitter.com/{}", "https://twitter.com/search?q=from%3Aana+secret"),
    ("https://twitter.com/intent/tweet?text=my+words&via=ana", "https://twitter.com/{}", "https://twitter.com/intent/tweet?text=my+words&via=ana"),
    ("https://t.me/share/url?text=words&url=x", "https://t.me/{}", "https://t.me/share/url?text=words&url=x"),
    ("https://wa.me/4915112345678?text=words", "https://wa.me/{}", "https://wa.me/4915112345678?text=words"),
    ("https://www.youtube.com/results?search_query=ana", "https://youtube.com/{}", "https://youtube.com/results?search_query=ana"),
    ("https://t.co/abc", "https://t.co/{}", "https://t.co/abc"),
    ("https://cache.example/?u=https%3A%2F%2Ftwitter.com%2Fana", "https://cache.example/{}", "https://cache.example?u=https%3A%2F%2Ftwitter.com%2Fana"),
    ("https://cache.example/?u=https%253A%252F%252Fx.com%252Fana", "https://cache.example/{}", "https://cache.example?u=https%253A%252F%252Fx.com%252Fana"),
    ("not a link", "{}", "not a link"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "form", "named"), [(raw, form, named) for raw, form, *named in PAGES])
def test_what_a_page_names_gets_the_pseudonym_that_it_has_elsewhere(raw, form, named):
    new = hidden(raw)[raw]
    assert new == form.format(*map(hashed, named))
    if new.startswith("https://"):
        assert canonicalise_urls(pl.Series([new]))["url"].item() == new


@pytest.mark.parametrize(
    "raw",
    [
        "https://news.example/2024/water?id=7",
        "https://youtube.com/watch?v=dQw4w9WgXcQ",
        "https://twitter.com",
        "https://nottwitter.com/ana/2024",
        "https://archive.today/AbC12",
        "https://en.wikipedia.org/wiki/Twitter",
        "https://netflix.com/title/1",
    ],
)
def test_other_links_stay(raw):
    table = hide_links(pl.Series([raw]), NOBODY, key=KEY)
    assert table.rows() == [(raw, raw, False)]


def test_a_post_is_named_as_the_log_names_it():
    cases = [
        ("https://t.me/riv_news/12", known(posts=["riv_news-12"]), "https://t.me/{}/{}", "riv_news", "riv_news-12"),
        (
            "https://t.me/river_news/12",
            known(posts=["channel17/12"], names={"river_news": "channel17"}),
            "https://t.me/{}/{}", "river_news", "channel17/12",
        ),
        (
            "https://t.me/c/17/12",
            known(posts=["17-12"], accounts=["-10017"]),
            "https://t.me/c/{}/{}", "-10017", "17-12",
        ),
        ("https://reddit.com/r/worldnews", known(groups=["WorldNews"]), "https://reddit.com/r/{}", "WorldNews"),
        (
            "https://bsky.app/profile/ana.example/post/3k",
            known(names={"ana.example": "did:plc:ana"}),
            "https://bsky.app/profile/{}/post/{}", "ana.example", "at://did:plc:ana/app.bsky.feed.post/3k",
        ),
        ("https://m.example/@ana/5", known(names={"ana": None}, posts=["5"]), "https://m.example/@{}/{}", "ana", "5"),
        ("https://youtu.be/dQw4w9WgXcQ", known(posts=["dQw4w9WgXcQ"]), "https://youtube.com/watch?v={}", "dQw4w9WgXcQ"),
        ("https://facebook.com/7/posts/501", known(posts=["7_501"]), "https://facebook.com/{}/posts/{}", "7", "7_501"),
    ]  # fmt: skip
    for raw, log, form, *named in cases:
        assert hidden(raw, known=log)[raw] == form.format(*map(hashed, named))


def test_words_of_links_elsewhere_that_name_somebody_of_the_log():
    log = known(
        posts=["1764954000000000001", "12345678"],
        accounts=["did:plc:ana2", "acct700"],
        names={"nomen_700": "acct700", "politics": None, "ana": None},
    )
    links = {
        "https://threadreaderapp.com/thread/1764954000000000001.html": "https://threadreaderapp.com/thread/{}.html",
        "https://linktr.ee/Nomen_700": "https://linktr.ee/{}",
        "https://news.example/a?via=nomen_700&x=1": "https://news.example/a?via={}&x=1",
        "https://viewer.example/did:plc:ana2/x": "https://viewer.example/{}/x",
        "https://viewer.example/?who=did%3Aplc%3Aana2": "https://viewer.example?who={}",
        "https://news.example/%20acct700%20": "https://news.example/%20{}%20",
        "https://patreon.example/Ana": "https://patreon.example/{}",
        "https://news.example/2024/water?author=ana": "https://news.example/2024/water?author={}",
        "https://news.example/authors/ana/all": "https://news.example/authors/{}/all",
        # Words like others, and hosts, stay.
        "https://news.example/ana/all?id=ana": "https://news.example/ana/all?id=ana",
        "https://news.example/politics/12345678": "https://news.example/politics/12345678",
        "https://nomen_700.example.com/a": "https://nomen_700.example.com/a",
        "https://news.example/acct7001": "https://news.example/acct7001",
    }
    named = [
        *("1764954000000000001", "nomen_700", "nomen_700", "did:plc:ana2", "did:plc:ana2", "acct700"),
        *("ana", "ana", "ana", "", "", "", ""),
    ]
    found = hidden(*links, known=log)
    for (raw, form), text in zip(links.items(), named, strict=True):
        assert found[raw] == form.format(hashed(text))


def test_what_was_different_stays_different():
    found = hidden(
        "https://forum.example/u/Ana", "https://forum.example/u/ana", "https://forum.example/u/ben"
    )
    assert len(set(found.values())) == 3
    assert found["https://forum.example/u/ben"] == f"https://forum.example/u/{hashed('ben@forum.example')}"


@pytest.mark.parametrize(
    "raw",
    [
        "https://t.me/river/1?" + "t=t=" * 16_000 + "#!x",
        "https://facebook.com/a" + "/videos/a" * 7_000,
        "https://vk.com/a?" + "w=&" * 20_000,
        "https://example.com/u/" + "a." * 32_000 + "/",
        "https://example.com/?" + "x=did:" * 10_000,
        "https://example.com/" + "twitter.com%25" * 4_600,
    ],
    ids=lambda raw: raw[:30],
)
def test_long_and_hostile_comes_to_an_end(raw):
    log = known(posts=["thing1"], names={"river": None})
    assert hidden(raw, known=log)[raw].startswith("https://")


# --- a log in which every field and every link names somebody ----------------------------------------------

NAME, OTHER, POST, ACCOUNT = (
    "Zora_Quill{}",
    "Stranger_Wexford{}",
    "17649540000000009{:02}",
    "88776655443322{:02}",
)
WORDS, TITLE, PAYER = (
    "Marmalade skies over Quibblehaven number",
    "Quibblehaven-marmalade",
    "Wexford Payments Ltd",
)
PLACE, IMAGE = "Quibblegroup{}", "f00dfeed{:02}"
LINKS = """
https://twitter.com/{name}/status/{post} https://x.com/{name}/status/{post}/photo/1 https://x.com/{name}
https://mobile.twitter.com/{name}/media https://nitter.net/{name}/status/{post} https://fxtwitter.com/{name}
https://x.com/i/web/status/{post} https://x.com/i/user/{account} https://x.com/search?q=from%3A{name}%20{words}
https://twitter.com/intent/tweet?text={words}&via={name}&url=https%3A%2F%2Fnews.example%2Fa
https://twitter.com/intent/user?screen_name={name} https://twitter.com/#!/{name}/status/{post}
https://publish.twitter.com/?query=https%3A%2F%2Ftwitter.com%2F{name}%2Fstatus%2F{post}
https://web.archive.org/web/20240305/https://twitter.com/{name}/status/{post}
https://web.archive.org/web/20240305/https://web.archive.org/web/2023/https://x.com/{name}
https://archive.ph/newest/https://x.com/{name} https://archive.ph/{post}/https://x.com/{name}
https://twitter-com.translate.goog/{name}/status/{post}?_x_tr_sl=en https://ghost.example/https://x.com/{name}
https://translate.google.com/translate?u=https%3A%2F%2Ft.me%2F{name}%2F{post}
https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Ftwitter.com%2F{name}&data=05
https://l.facebook.com/l.php?u=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dhttps%253A%252F%252Fx.com%252F{name}
https://cache.example/?u=https%25253A%25252F%25252Fx.com%25252F{name}%25252Fstatus%25252F{post}
https://mastodon.example/@{name}/{post} https://mastodon.example/users/{name}/statuses/{post}
https://mastodon.example/@{name}@other.example https://mastodon.example/web/@{name} https://pleroma.example/users/{name}
https://bsky.app/profile/{name}.bsky.social/post/3k{post} https://bsky.app/profile/did:plc:{account}
https://bsky.app/profile/did:plc:{account}/post/3k{post} https://bsky.app/search?q={words}
https://t.me/{name}/{post} https://t.me/s/{name} https://telegram.me/{name}?start={account} https://t.me/c/{account}/7
https://t.me/share/url?url=https%3A%2F%2Fnews.example&text={words} https://t.me/joinchat/{name}
https://www.facebook.com/{name}/posts/{post} https://www.facebook.com/profile.php?id={account}
https://m.facebook.com/story.php?story_fbid={post}&id={account} https://www.facebook.com/groups/{place}/permalink/{post}/
https://www.facebook.com/{name}/videos/{post}/ https://www.facebook.com/{name}/photos/a.1/{post}/?type=3
https://www.facebook.com/sharer/sharer.php?u=https%3A%2F%2Fnews.example&quote={words} https://fb.com/{account}_{post}
https://www.facebook.com/{name}/posts/{title}/{post}?comment_id={account} https://www.facebook.com/people/{name}/{account}/
https://www.instagram.com/{name}/ https://www.instagram.com/{name}/p/C4{post}/ https://www.instagram.com/stories/{name}/{post}/
https://www.threads.net/@{name}/post/C4{post} https://www.threads.com/@{name}
https://www.tiktok.com/@{name}/video/{post}?lang=en https://www.tiktok.com/@{name} https://www.tiktok.com/search?q={words}
https://www.youtube.com/@{name} https://www.youtube.com/c/{name}/videos https://www.youtube.com/channel/UC{account}
https://www.youtube.com/user/{name} https://www.youtube.com/results?search_query={words}
https://vk.com/wall-{account}_{post} https://vk.com/{name} https://vk.com/id{account} https://vk.com/{name}?w=wall{account}_{post}
https://ok.ru/profile/{account}/statuses/{post} https://ok.ru/{name} https://gab.com/{name}/posts/{post} https://gab.com/{name}
https://www.reddit.com/user/{name}/ https://old.reddit.com/r/{place}/comments/1b7abc/{title}/ https://www.reddit.com/u/{name}
https://www.reddit.com/user/{name}/comments/1b7abc/{title}/ktq1xyz https://www.reddit.com/r/{place}/search?q={words}
https://truthsocial.com/@{name}/posts/{post} https://truthsocial.com/@{name} https://truthsocial.com/users/{name}/statuses/{post}
https://www.linkedin.com/in/{name}/ https://www.linkedin.com/posts/{name}_{title}-activity-{post}-AbCd
https://threadreaderapp.com/thread/{post}.html https://linktr.ee/{name} https://news.example/a?via={name}&utm_content={name}
https://news.example/by/{name}/{account} https://news.example/a?fbclid={post}#{name} https://wa.me/{account}?text={words}
https://medium.com/@{name}/{title} https://news.example/people/{name} https://forum.example/u/{name}/summary https://xcancel.com/{name}/status/{post}
""".split()  # noqa: SIM905


def filled(link, k):
    return link.format(
        name=NAME.format(k), post=POST.format(k), account=ACCOUNT.format(k), words=quote(f"{WORDS} {k}"),
        title=TITLE, place=PLACE.format(k),
    )  # fmt: skip


def row(n, k):
    """One post of account `k` on the `n`-th occasion, in step with all others."""
    kind = {4: "reply", 5: "reshare"}.get(k, "original")
    return {
        "content_id": POST.format(10 * n + k),
        "account_id": ACCOUNT.format(k),
        "account_name": NAME.format(k),
        "timestamp": f"2024-03-{n + 1:02}T10:00:0{k}Z",
        "kind": kind,
        "parent_content_id": None if kind == "original" else POST.format(10 * n),
        "origin_account_name": None if kind == "original" else f"@{OTHER.format(n)}",
        "target_id": PLACE.format(n),
        "object_id": filled(LINKS[(7 * n) % len(LINKS)], n) if n % 2 else f"{TITLE}/{n}",
        "urls": [filled(link, n) for link in LINKS] + [f"https://news.example/{n}"],
        "hashtags": ["vote", "river", "mill"],
        "mentions": [NAME.format(n).lower(), OTHER.format(n)],
        "images": [IMAGE.format(n)],
        "sponsor": PAYER,
        "language": "en",
        "text": f"{WORDS} {n}, says @{NAME.format(n)} at https://x.com/{NAME.format(n)}/status/{POST.format(n)}",
        "account_created_at": "2020-01-01T00:00:00Z",
        "followers": 10 + k,
    }


def raw_words():
    """All that the log says of anybody, in every way in which a link or a table may write it."""
    for k in range(10):
        yield from (NAME.format(k), OTHER.format(k), ACCOUNT.format(k), PLACE.format(k), IMAGE.format(k))
    yield from (POST.format(k) for k in range(46))
    yield from ("Quibblehaven", "Marmalade", "Wexford", "rejected_one", "1b7abc", "ktq1xyz")


def leaks(text):
    lower = text.lower()
    return [word for word in raw_words() if word.lower() in lower]


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("every")
    rows = [row(n, k) for n in range(4) for k in range(6)]
    bad = [
        {**rows[0], "content_id": "rejected_one", "timestamp": f"when {NAME.format(1)} said {WORDS}"},
        {**rows[0], "account_id": ACCOUNT.format(9)},
        {**rows[0], "content_id": "rejected_one_b", "kind": f"{WORDS} by {NAME.format(1)}"},
        {**rows[0], "content_id": "rejected_one_c", "account_id": None},
    ]
    log = folder / "log.ndjson"
    lines = [json.dumps(post) for post in (*rows, *bad)]
    log.write_text("\n".join([*lines, f'{{"account_id": "{NAME.format(1)}", "text": "{WORDS}']) + "\n")
    (folder / "my.key").write_bytes(SECRET)
    made = []
    for name, options in (("plain", {}), ("hidden", {"pseudonymise": True, "key": folder / "my.key"})):
        study = build([log], folder / name, trace=[name for name in TRACES if name != "order"], **options)
        find_clusters(study.path, min_size=2, min_score=0)
        made.append(measure_stability(study.path, runs=2))
    return made


def strings(frame):
    """Every text in a frame, those in lists too."""
    for name, dtype in frame.schema.items():
        column = frame[name].explode() if isinstance(dtype, pl.List) else frame[name]
        if column.dtype == pl.String or isinstance(column.dtype, pl.Enum):
            yield from column.cast(pl.String).drop_nulls()


def test_nothing_that_the_log_says_of_anybody_is_left(studies, tmp_path, capsys):
    plain, hidden = studies
    said = "\n".join(text for name in plain.tables for text in strings(getattr(plain, name)))
    assert len(leaks(said)) >= 50  # the test looks for what is there
    assert plain.evidence.height == hidden.evidence.height > 0
    for name in hidden.tables:
        table = getattr(hidden, name)
        assert leaks("\n".join(strings(table))) == [], name
        assert leaks(render(table, "csv").decode()) == [], name
    assert leaks((hidden.path / "run.json").read_text()) == []
    for file in hidden.path.iterdir():
        assert leaks(file.read_bytes().decode("latin-1")) == []
    write_network(tmp_path / "net.graphml", hidden)
    assert leaks((tmp_path / "net.graphml").read_text()) == []
    assert run(["clusters", str(hidden.path)]) == 0
    printed = capsys.readouterr()
    assert leaks(printed.out + printed.err) == []


def test_a_link_to_a_post_of_the_log_can_be_joined_to_it(studies):
    hidden = studies[1]
    links = hidden.shares.filter(pl.col("object_id").str.starts_with("https://twitter.com/i/status/"))
    posts = links.select(content_id=pl.col("object_id").str.extract("([^/]+)$"))
    assert set(posts["content_id"]) == {hashed(POST.format(n)) for n in range(4)}
    assert posts.unique().join(hidden.posts, on="content_id").height > 0
    names = hidden.shares.filter(trace="url").select(
        name=pl.col("object_id").str.extract(r"^https://gab.com/(\w+)$")
    )
    assert names.drop_nulls().unique().join(hidden.accounts, on="name").height == 4


def test_the_same_links_are_shared(studies):
    plain, hidden = studies
    for table in ("shares", "objects", "edges", "cascades"):
        assert (
            getattr(plain, table)["trace"]
            .value_counts(sort=True)
            .equals(getattr(hidden, table)["trace"].value_counts(sort=True))
        ), table


def test_ids_of_several_platforms_are_named_without_their_platform(tmp_path):
    log, key = tmp_path / "log.csv", tmp_path / "my.key"
    key.write_bytes(SECRET)
    log.write_text(
        "content_id,account_id,account_name,timestamp,platform,url\n"
        "77,9,ana,2024-03-05T10:00:00Z,x,https://youtu.be/dQw4w9WgXcQ\n"
        "dQw4w9WgXcQ,UC1,ben,2024-03-05T10:00:00Z,youtube,https://x.com/ana/status/77\n"
        "78,9,ana,2024-03-05T10:01:00Z,x,https://youtu.be/aaaaaaaaaaa\n"
    )
    study = build([log], tmp_path / "study", pseudonymise=True, key=key)
    links = study.shares.filter(trace="url").select("content_id", "object_id").rows()
    assert dict(links) == {
        f"x:{hashed('77')}": f"https://youtube.com/watch?v={hashed('dQw4w9WgXcQ')}",
        f"youtube:{hashed('dQw4w9WgXcQ')}": f"https://twitter.com/i/status/{hashed('77')}",
        f"x:{hashed('78')}": "https://youtube.com/watch?v=aaaaaaaaaaa",
    }


# --- every format ------------------------------------------------------------------------------------------

TEN = Path(__file__).parent / "fixtures" / "ten"


@pytest.mark.parametrize("path", sorted(TEN.iterdir()), ids=lambda path: path.name)
def test_nothing_that_a_log_of_any_format_says_of_anybody_is_left(path):
    log = read_logs([path])
    shares = make_shares(log.posts)
    said = (
        "account_id",
        "content_id",
        "parent_content_id",
        "origin_account_id",
        "target_id",
        "mentions",
        "text",
    )
    raw = {
        *strings(log.posts.select(name for name in said if name in log.posts.columns)),
        *strings(log.profiles.drop("account_id")),
    }
    raw = sorted({text.strip("@").lower() for text in raw}, key=len, reverse=True)
    assert len(raw) > 10
    any_of_them = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, raw))})(?![\w-])")
    told, hidden = with_pseudonyms(log, shares, key=KEY)
    tables = [
        told.posts,
        told.profiles,
        told.rejected.drop("source"),
        *(part.drop("trace") for part in hidden.values()),
    ]
    left = [text for table in tables for text in strings(table)]
    left += [note for note in told.notes if TEN.name not in note]  # a path may name somebody, and stays
    assert [text for text in left if any_of_them.search(text.lower())] == []
