from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.pages import one_address

from propgraph.traces import urls as module
from propgraph.traces.addresses import read_address
from propgraph.traces.hosts import Hosts
from propgraph.traces.pages import PAGES
from propgraph.traces.urls import canonicalise_urls

STATUS = "https://twitter.com/i/status/1764954000000000001"
PROFILE = "https://twitter.com/ana_news"
STORY = "https://reddit.com/comments/1b7abc"
COMMENT = "https://reddit.com/comments/1b7abc/comment/ktq1xyz"
VIDEO = "https://youtube.com/watch?v=dQw4w9WgXcQ"
DID = "did:plc:z72i7hdynmk6r22z27h6tvur"

# The one address of each page, other addresses of it, and addresses of other pages that look alike.
ONE = {
    "a post on X": (
        STATUS,
        """
        https://x.com/ana_news/status/1764954000000000001
        https://twitter.com/Ana_News/status/1764954000000000001?s=20&t=AbC
        https://mobile.twitter.com/someone_else/status/1764954000000000001/photo/1
        https://x.com/ana_news/status/1764954000000000001/video/1
        https://x.com/i/web/status/1764954000000000001
        https://twitter.com/i/status/1764954000000000001
        https://twitter.com/ana_news/statuses/1764954000000000001
        https://twitter.com/statuses/1764954000000000001
        https://twitter.com/#!/ana_news/status/1764954000000000001
        https://nitter.net/ana_news/status/1764954000000000001#m
        https://nitter.privacydev.example/ana_news/status/1764954000000000001
        https://xcancel.com/ana_news/status/1764954000000000001
        https://fxtwitter.com/ana_news/status/1764954000000000001/en
        https://d.vxtwitter.com/ana_news/status/1764954000000000001
        https://fixupx.com/ana_news/status/1764954000000000001
        http://www.twitter.com/ana_news/status/1764954000000000001/
        https://twitter.com:443/ana_news/status/1764954000000000001/likes
        """,
        """
        https://notx.com/ana_news/status/1764954000000000001
        https://x.com.evil.example/ana_news/status/1764954000000000001
        https://nitter-fans.example/ana_news/status/1764954000000000001
        https://example.com/ana_news/status/1764954000000000001/photo/1
        https://example.com/photo/1
        https://twitter.com/ana_news/status/1764954000000000002
        https://twitter.com/ana_news/lists/1764954000000000001
        https://twitter.com/i/events/1764954000000000001
        https://twitter.com:8443/ana_news/status/1764954000000000001
        https://help.x.com/status/1764954000000000001
        """,
    ),
    "a profile on X": (
        PROFILE,
        """
        https://x.com/Ana_News
        https://twitter.com/@ana_news
        https://twitter.com/#!/ana_news
        https://nitter.net/ana_news
        https://mobile.twitter.com/ana_news?lang=en
        https://twitter.com/intent/user?screen_name=ana_news
        https://twitter.com/intent/follow?original_referer=a&screen_name=Ana_News&tw_p=followbutton
        """,
        """
        https://twitter.com/ana_news2
        https://twitter.com/search?q=ana_news
        https://pic.twitter.com/ana_news
        https://blog.x.com/ana_news
        https://twitter.com/hashtag/ana_news
        """,
    ),
    "a post on Telegram": (
        "https://t.me/river_news/512",
        """
        https://telegram.me/river_news/512
        https://t.me/s/River_News/512
        https://t.me/river_news/512?single
        https://t.me/river_news/512?embed=1&mode=tme
        https://telegram.dog/river_news/512
        https://river_news.t.me/512
        """,
        """
        https://t.me/river_news/512/3
        https://t.me/river_news/512?comment=7
        https://t.me/c/1700000001/512
        https://telegram.org/river_news/512
        https://nott.me/river_news/512
        https://t.me/joinchat/AbCdEf512
        """,
    ),
    "a channel on Telegram": (
        "https://t.me/river_news",
        "https://t.me/s/river_news https://t.me/River_News/ https://telegram.me/river_news https://river_news.t.me",
        "https://t.me/+river_news https://t.me/river_news?start=abc https://t.me/addstickers/river_news",
    ),
    "a private channel's post on Telegram": (
        "https://t.me/c/1700000001/512",
        "https://t.me/c/1700000001/512?single https://telegram.me/c/1700000001/512",
        "https://t.me/c/1700000001/512?thread=3 https://t.me/c/1700000002/512",
    ),
    "a submission on Reddit": (
        STORY,
        """
        https://www.reddit.com/r/news/comments/1b7abc/they_shut_the_water_off/
        https://old.reddit.com/r/news/comments/1b7abc
        https://np.reddit.com/r/other/comments/1b7abc/x/?utm_source=share
        https://new.reddit.com/user/ana/comments/1b7abc/x/
        https://de.reddit.com/comments/1b7abc
        https://i.reddit.com/gallery/1b7abc
        https://redd.it/1b7abc
        https://libreddit.example/r/news/comments/1b7abc/x
        https://rxddit.com/r/news/comments/1b7abc
        """,
        """
        https://notreddit.com/r/news/comments/1b7abc
        https://reddit.com/r/news/wiki/1b7abc
        https://i.redd.it/1b7abc.png
        https://v.redd.it/1b7abc
        https://old.reddit.com.evil.example/comments/1b7abc
        """,
    ),
    "a comment on Reddit": (
        COMMENT,
        """
        https://www.reddit.com/r/news/comments/1b7abc/they_shut_the_water_off/ktq1xyz/?context=3
        https://old.reddit.com/comments/1b7abc/_/ktq1xyz
        https://reddit.com/r/news/comments/1b7abc/comment/ktq1xyz/
        """,
        f"{STORY} https://reddit.com/r/news/comments/1b7abc/x/ktq1xy0",
    ),
    "a subreddit": (
        "https://reddit.com/r/worldnews",
        "https://old.reddit.com/r/WorldNews/ https://www.reddit.com/r/worldnews",
        "https://reddit.com/r/worldnews/top https://news.reddit.com/r/worldnews https://reddit.com/r/worldnews2",
    ),
    "a user on Reddit": (
        "https://reddit.com/user/ana_b",
        "https://old.reddit.com/u/Ana_B https://www.reddit.com/user/ana_b/",
        "https://reddit.com/user/ana_b/m/mine https://reddit.com/r/ana_b",
    ),
    "a video on YouTube": (
        VIDEO,
        """
        https://youtu.be/dQw4w9WgXcQ?t=4
        https://m.youtube.com/watch?list=PL1&v=dQw4w9WgXcQ&t=9
        https://www.youtube.com/shorts/dQw4w9WgXcQ
        https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0
        https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3DdQw4w9WgXcQ%26feature%3Dshare
        https://yewtu.be/watch?v=dQw4w9WgXcQ
        """,
        """
        https://youtube.com/embed/videoseries?list=PL1
        https://youtube.com/embed/live_stream?channel=UC1
        https://youtube.com/playlist?v=dQw4w9WgXcQ
        https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ
        https://youtube.com:8080/watch?v=dQw4w9WgXcQ
        https://youtube.com/watch?x=1&xv=dQw4w9WgXcQ
        """,
    ),
    "a post on Bluesky": (
        "https://bsky.app/profile/ana.bsky.social/post/3kmxxaaaaaa2a",
        """
        https://bsky.app/profile/Ana.bsky.social/post/3kmxxaaaaaa2a?ref_src=embed
        https://fxbsky.app/profile/ana.bsky.social/post/3kmxxaaaaaa2a
        https://bsky.app/profile/ana.bsky.social/post/3kmxxaaaaaa2a/liked-by
        """,
        f"""
        https://bsky.app/profile/{DID}/post/3kmxxaaaaaa2a
        https://bsky.app/profile/ana.bsky.social/feed/3kmxxaaaaaa2a
        https://notbsky.app/profile/ana.bsky.social/post/3kmxxaaaaaa2a
        """,
    ),
    "a post on Bluesky by DID": (
        f"https://bsky.app/profile/{DID}/post/3kmxxaaaaaa2a",
        f"https://staging.bsky.app/profile/{DID}/post/3kmxxaaaaaa2a https://bsky.app/profile/{DID}/post/3kmxxaaaaaa2a/",
        "https://bsky.app/profile/did:web:ana.example/post/3kmxxaaaaaa2a",
    ),
    "a profile on Bluesky": (
        "https://bsky.app/profile/ana.bsky.social",
        "https://ana.bsky.social https://bsky.app/profile/ana.bsky.social/",
        "https://bsky.social https://ana.bsky.social/xrpc https://bsky.app/profile/ana.bsky.social/lists/1",
    ),
    "a post on Facebook": (
        "https://facebook.com/1001/posts/501",
        """
        https://m.facebook.com/story.php?story_fbid=501&id=1001&refid=17
        https://www.facebook.com/permalink.php?story_fbid=501&id=1001
        https://www.facebook.com/1001/posts/they-shut-the-water-off/501/?__tn__=R
        https://fb.com/1001_501
        """,
        """
        https://facebook.com/1001/posts/501?comment_id=7
        https://facebook.com/1001/posts/502
        https://facebook.com/1002/posts/501
        https://notfacebook.com/1001/posts/501
        https://facebook.com/permalink.php?story_fbid=501&xid=1001
        """,
    ),
    "a page's post on Facebook": (
        "https://facebook.com/ana.news/posts/pfbid0AbC",
        """
        https://de-de.facebook.com/ana.news/posts/pfbid0AbC
        https://mbasic.facebook.com/ana.news/posts/pfbid0AbC/
        https://touch.facebook.com/ana.news/posts/water/pfbid0AbC
        """,
        "https://facebook.com/ana.news/posts/pfbid0AbD https://developers.facebook.com/ana.news/posts/pfbid0AbC",
    ),
    "a group's post on Facebook": (
        "https://facebook.com/groups/2002/posts/777",
        """
        https://www.facebook.com/groups/2002/permalink/777/
        https://m.facebook.com/groups/2002?multi_permalinks=777&hoisted_section_header_type=x
        https://web.facebook.com/groups/2002/posts/777?__cft__[0]=A
        """,
        "https://facebook.com/groups/2002 https://facebook.com/groups/2003/posts/777",
    ),
    "a video on Facebook": (
        "https://facebook.com/watch?v=900",
        """
        https://www.facebook.com/ana.news/videos/900/
        https://www.facebook.com/ana.news/videos/water-off/900
        https://fb.com/watch/live/?ref=x&v=900
        https://www.facebook.com/video.php?v=900
        """,
        "https://facebook.com/ana.news/videos https://facebook.com/watch?x=900 https://facebook.com/events/900",
    ),
    "a photo on Facebook": (
        "https://facebook.com/photo?fbid=900",
        """
        https://www.facebook.com/photo.php?fbid=900&set=a.1&type=3
        https://www.facebook.com/ana.news/photos/a.1.2/900/?type=3
        """,
        "https://facebook.com/photo?set=a.900 https://facebook.com/watch?v=900",
    ),
    "a reel on Facebook": (
        "https://facebook.com/reel/900",
        "https://www.facebook.com/reel/900/?s=single_unit https://m.facebook.com/reel/900",
        "https://facebook.com/reel https://facebook.com/reel/901",
    ),
    "an account on Facebook": (
        "https://facebook.com/1001",
        """
        https://www.facebook.com/profile.php?id=1001&sk=about
        https://www.facebook.com/people/Ana-B/1001/
        """,
        "https://facebook.com/1002 https://facebook.com/profile.php?xid=1001",
    ),
    "a page on Facebook": (
        "https://facebook.com/ana.news",
        "https://www.facebook.com/Ana.News/?locale=de_DE https://fb.com/ana.news https://m.facebook.com/ana.news?_rdr",
        "https://facebook.com/ana.news/about https://fb.me/ana.news",
    ),
    "a post on Instagram": (
        "https://instagram.com/p/C4aBcDeFgHi",
        """
        https://www.instagram.com/reel/C4aBcDeFgHi/?igsh=x
        https://instagram.com/ana.b/p/C4aBcDeFgHi/
        https://instagram.com/reels/C4aBcDeFgHi
        https://instagr.am/p/C4aBcDeFgHi
        https://ddinstagram.com/p/C4aBcDeFgHi
        """,
        """
        https://instagram.com/p/c4abcdefghi
        https://instagram.com/reels/audio/12345678
        https://notinstagram.com/p/C4aBcDeFgHi
        """,
    ),
    "a story on Instagram": (
        "https://instagram.com/stories/ana.b/3318000000000000001",
        "https://www.instagram.com/stories/Ana.B/3318000000000000001/?x=1",
        "https://instagram.com/stories/highlights https://instagram.com/stories/ana.c/3318000000000000001",
    ),
    "a profile on Instagram": (
        "https://instagram.com/ana.b",
        "https://www.instagram.com/Ana.B/?hl=pt-br https://instagr.am/ana.b",
        "https://instagram.com/ana.b/tagged https://instagram.com/ana_b",
    ),
    "a post on Threads": (
        "https://threads.net/t/C4aBcDeFgHi",
        "https://www.threads.com/@ana.b/post/C4aBcDeFgHi?xmt=A https://threads.net/@ana.b/post/C4aBcDeFgHi",
        "https://threads.net/t/c4abcdefghi https://threads.example/t/C4aBcDeFgHi",
    ),
    "a profile on Threads": (
        "https://threads.net/@ana.b",
        "https://www.threads.com/@Ana.B https://threads.net/@ana.b/",
        "https://threads.net/ana.b https://threads.net/@ana.b/replies",
    ),
    "a video on TikTok": (
        "https://tiktok.com/@ana/video/7342834010217218050",
        """
        https://www.tiktok.com/@Ana/video/7342834010217218050?is_from_webapp=1&lang=en
        https://m.tiktok.com/@ana/video/7342834010217218050
        https://vxtiktok.com/@ana/video/7342834010217218050
        """,
        "https://tiktok.com/@ana/photo/7342834010217218050 https://tiktok.com/tag/7342834010217218050",
    ),
    "a profile on TikTok": (
        "https://tiktok.com/@ana",
        "https://www.tiktok.com/@Ana?lang=en https://m.tiktok.com/@ana/",
        "https://tiktok.com/ana https://tiktok.com/@ana/live",
    ),
    "a post on Truth Social": (
        "https://truthsocial.com/@ana/posts/112000000000000001",
        """
        https://truthsocial.com/@Ana/112000000000000001
        https://truthsocial.com/users/ana/statuses/112000000000000001
        """,
        "https://truthsocial.com/@ana https://truthsocial.com/@ana/posts/112000000000000002",
    ),
    "a profile on Truth Social": (
        "https://truthsocial.com/@ana",
        "https://www.truthsocial.com/@Ana https://truthsocial.com/@ana/",
        "https://truthsocial.com/ana",
    ),
    "a post on Gab": (
        "https://gab.com/ana/posts/112000000000000001",
        "https://gab.com/Ana/posts/112000000000000001 https://gab.com/ana/posts/112000000000000001?x=1",
        "https://gab.com/groups/112 https://gabby.com/ana/posts/112000000000000001",
    ),
    "a profile on Gab": ("https://gab.com/ana", "https://gab.com/Ana/ https://www.gab.com/ana", "https://tv.gab.com/ana"),
    "a post on VK": (
        "https://vk.com/wall-123_456",
        """
        https://m.vk.com/wall-123_456?reply=5
        https://vk.com/ana_b?w=wall-123_456
        https://vk.ru/wall-123_456
        https://vk.com/feed?section=x&w=wall-123_456%2Fall
        """,
        "https://vk.com/wall-123_457 https://vk.com/wall-123 https://vk.company.example/wall-123_456",
    ),
    "a profile on VK": (
        "https://vk.com/ana_b",
        "https://m.vk.com/Ana_B https://vkontakte.ru/ana_b",
        "https://vk.com/ana_b?z=photo1_2",
    ),
    "a post on Mastodon": (
        "https://mastodon.example/@Ana/112040000000000001",
        """
        https://mastodon.example/users/Ana/statuses/112040000000000001
        https://mastodon.example/web/@Ana/112040000000000001
        https://mastodon.example/users/Ana/statuses/112040000000000001/activity
        https://mastodon.example/@Ana/112040000000000001/embed
        """,
        """
        https://other.example/@Ana/112040000000000001
        https://mastodon.example/@Ana@other.example/112040000000000001
        https://mastodon.example/users/Ana/statuses
        https://mastodon.example/blog/users/Ana/statuses/112040000000000001
        """,
    ),
    "a post elsewhere seen on Mastodon": (
        "https://mastodon.example/@Ana@other.example/112040000000000001",
        "https://mastodon.example/deck/@Ana@other.example/112040000000000001",
        "https://other.example/@Ana/112040000000000001",
    ),
    "a profile on Mastodon": (
        "https://mastodon.example/@Ana",
        "https://mastodon.example/web/@Ana https://mastodon.example/deck/@Ana",
        "https://mastodon.example/users/Ana https://mastodon.example/web/Ana",
    ),
}  # fmt: skip

# Links that lead nobody knows where, and their like that do not.
SHORT = {
    "https://www.linkedin.com/slink?code=eAbC": True,
    "https://www.linkedin.com/in/slink": False,
    "https://www.reddit.com/r/news/s/AbCdEfGh12": True,
    "https://www.reddit.com/r/news/search?q=s": False,
    "https://www.tiktok.com/t/ZTabc123/": True,
    "https://www.tiktok.com/tag/t": False,
    "https://www.facebook.com/share/p/AbCdEf/": True,
    "https://www.facebook.com/sharers": False,
    "https://redd.it/1b7abc": False,
    "https://i.redd.it/1b7abc.png": False,
    "https://youtu.be/dQw4w9WgXcQ": False,
}


def canonical(*raw):
    frame = canonicalise_urls(pl.Series(raw, dtype=pl.String))
    return {row["raw"]: row for row in frame.iter_rows(named=True)}


@pytest.mark.parametrize(("kept", "same", "others"), ONE.values(), ids=ONE.keys())
def test_one_page_has_one_address(kept, same, others):
    rows = canonical(kept, *same.split(), *others.split())
    assert {raw: rows[raw]["url"] for raw in same.split()} == dict.fromkeys(same.split(), kept)
    assert rows[kept]["url"] == kept
    assert {rows[raw]["site"] for raw in same.split()} == {rows[kept]["site"]}
    assert not rows[kept]["is_shortener"]
    assert all(rows[raw]["url"] != kept for raw in others.split())


@pytest.mark.parametrize(("raw", "is_short"), SHORT.items())
def test_links_that_lead_nobody_knows_where(raw, is_short):
    assert canonical(raw)[raw]["is_shortener"] is is_short


def test_every_page_has_an_example():
    links = [link for kept, same, others in ONE.values() for link in (kept, *same.split(), *others.split())]
    hosts = Hosts()
    found = [str(read_address(link, hosts)) for link in (*links, *SHORT, *NAMED)]
    for page in PAGES:
        assert any(re.fullmatch(page.pattern, link) for link in found), page


NAMED = (
    "https://twitter.com/ana_news/with_replies",
    "https://twitter.com/i/user/12345",
    "https://youtube.com/channel/UC4a-Gbdw7vOaccHmFo40b9g/videos",
    "https://youtube.com/@ana_tv",
    f"https://bsky.app/profile/{DID}",
    "https://truthsocial.com/group/water",
    "https://vk.com/id7",
    "https://vk.com/club7",
    "https://ok.ru/profile/57/statuses/9",
    "https://ok.ru/profile/57",
    "https://ok.ru/group/57/topic/9",
    "https://mastodon.example/@Ana@other.example",
)


@pytest.mark.parametrize("link", NAMED)
def test_other_pages_that_name_somebody_stay_as_they_are(link):
    assert canonical(link)[link]["url"] == link


PIECES = [
    *("/", "?", "&", "=", "#", "#!/", "a", "Ana_News", "1", "77", "%2F", "@", "-", "_", "."),
    *(
        "/status/",
        "/statuses/",
        "/i/web/status/",
        "/photo/1",
        "/s/",
        "/c/",
        "comments/",
        "/r/",
        "/user/",
        "?single",
    ),
    *(
        "?v=",
        "v=",
        "/embed/",
        "dQw4w9WgXcQ",
        "/posts/",
        "/groups/",
        "story_fbid=2",
        "id=1",
        "/story.php?",
        "wall-1_2",
    ),
    *(
        "/profile/",
        "did:plc:ana",
        "/post/",
        "/users/",
        "/web/",
        "/@Ana",
        "comment_id=3",
        "/videos/",
        "screen_name=Ana",
    ),
]
SITES = [
    *(
        "x.com",
        "nitter.net",
        "twitter.com",
        "t.me",
        "ana.t.me",
        "reddit.com",
        "redd.it",
        "old.reddit.com",
        "youtu.be",
    ),
    *(
        "youtube.com",
        "bsky.app",
        "ana.bsky.social",
        "facebook.com",
        "instagram.com",
        "threads.net",
        "tiktok.com",
    ),
    *("truthsocial.com", "gab.com", "vk.com", "ok.ru", "linkedin.com", "mastodon.example", "x.com:8080"),
]
LINKS = st.builds(
    "https://{}{}".format, st.sampled_from(SITES), st.lists(st.sampled_from(PIECES), max_size=7).map("".join)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINKS, min_size=1, max_size=40))
def test_one_address_is_its_own(raw):
    found = canonicalise_urls(pl.Series(raw)).filter(pl.col("url").is_not_null())
    again = canonicalise_urls(found["url"])
    assert again.filter(pl.col("url").ne_missing(pl.col("raw"))).is_empty()


@settings(max_examples=300, deadline=None)
@given(st.lists(LINKS, min_size=1, max_size=40))
def test_pages_are_told_as_one_by_one(raw):
    hosts = Hosts()
    for row in canonical(*raw).values():
        url, site, _, is_short = module._canonicalise(row["raw"], hosts)
        if url is not None:
            kept, page_is_short = one_address(url, site)
            assert row["url"] == kept
            assert row["is_shortener"] == (page_is_short or (is_short and kept == url))
