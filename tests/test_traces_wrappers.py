from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from propgraph.traces.addresses import read_address
from propgraph.traces.hosts import Hosts
from propgraph.traces.urls import canonicalise_urls
from propgraph.traces.wrappers import WRAPPERS, _of_host

STORY = "https://valley-herald.com/2024/03/water?id=7&p=2"
HTTP = "http://www.valley-herald.com/2024/03/water?p=2&id=7"
BARE = "www.valley-herald.com/2024/03/water?p=2&id=7"
QUOTED = quote(HTTP, safe="")
PROOFPOINT = QUOTED.replace("-", "%2D").replace("%", "-").replace("-2F", "_")
IN_BASE_64 = urlsafe_b64encode(HTTP.encode()).decode().rstrip("=")

# Addresses that hold the story's, by whose they are; and some that look alike and hold none.
WRAPPED = {
    "facebook": f"""
        https://l.facebook.com/l.php?u={QUOTED}&h=AT0abc&s=1
        https://lm.facebook.com/l.php?h=AT0&u={QUOTED}
        https://www.facebook.com/flx/warn/?u={QUOTED}
        https://m.facebook.com/l.php?u={QUOTED}
        https://www.facebook.com/plugins/post.php?href={QUOTED}&width=500
    """,
    "instagram and kin": f"https://l.instagram.com/?u={QUOTED}&e=AT0 https://l.threads.com/?u={QUOTED} https://l.wl.co/l?u={QUOTED}",
    "google": f"""
        https://www.google.com/url?q={QUOTED}&sa=D&source=editors
        https://www.google.co.uk/url?sa=t&url={QUOTED}&usg=AOv
        https://google.de/imgres?imgurl=https%3A%2F%2Fa.com%2Fb.png&imgrefurl={QUOTED}
    """,
    "youtube": f"https://www.youtube.com/redirect?event=video_description&q={QUOTED} https://m.youtube.com/redirect?q={QUOTED}",
    "vk": f"https://vk.com/away.php?to={QUOTED}&cc_key= https://away.vk.com/away.php?to={QUOTED} https://m.vk.com/away?to={QUOTED}",
    "ok": f"https://ok.ru/dk?cmd=logExternal&st.rfn={QUOTED} https://ok.ru/dk?st.cmd=outLinkWarning&st.link={QUOTED}",
    "telegram": f"https://t.me/iv?url={QUOTED}&rhash=abc https://telegram.me/iv?rhash=abc&url={QUOTED}",
    "reddit": f"https://out.reddit.com/t3_1b7abc?url={QUOTED}&token=AQAA https://out.reddit.com/?url={QUOTED}",
    "tumblr": f"https://t.umblr.com/redirect?z={QUOTED}&t=abc https://www.tumblr.com/redirect?z={QUOTED}",
    "linkedin": f"""
        https://www.linkedin.com/redir/redirect?url={QUOTED}&urlhash=x
        https://www.linkedin.com/safety/go?url={QUOTED}&trk=x
        https://de.linkedin.com/redir/suspicious-page?url={QUOTED}
    """,
    "tiktok": f"https://www.tiktok.com/link/v2?aid=1988&target={QUOTED} https://m.tiktok.com/link/v2?target={QUOTED}",
    "pinterest": f"https://www.pinterest.com/offsite/?token=1&url={QUOTED} https://pinterest.com/offsite?url={QUOTED}",
    "medium": f"https://medium.com/r/?url={QUOTED} https://medium.com/r?url={QUOTED}",
    "readers": f"https://flipboard.com/redirect?url={QUOTED} https://getpocket.com/redirect?url={QUOTED}&h=1",
    "slack": f"https://slack-redir.net/link?url={QUOTED} https://slack-redir.net/link?url={QUOTED}&v=3",
    "steam": f"""
        https://steamcommunity.com/linkfilter/?url={HTTP.replace("&", "%26")}
        https://steamcommunity.com/linkfilter/?u={QUOTED}
        https://steamcommunity.com/linkfilter/{HTTP}
    """,
    "soundcloud": f"https://exit.sc/?url={QUOTED} https://gate.sc/?token=1&url={QUOTED}",
    "zhihu and weibo": f"https://link.zhihu.com/?target={QUOTED} https://weibo.cn/sinaurl?u={QUOTED} https://weibo.cn/sinaurl?toasturl={QUOTED}",
    "disqus": f"""
        https://disq.us/url?url={QUOTED}%3AuI2h8mSDqJtpZnrZMsdbNGjzo2g&cuid=1
        https://disq.us/url?url={QUOTED}
    """,
    "search engines": f"""
        https://duckduckgo.com/l/?uddg={QUOTED}&rut=abc
        https://duckduckgo.com/l/?kh=-1&uddg={QUOTED}
        https://www.bing.com/ck/a?!&&p=abc&u=a1{IN_BASE_64}&ntb=1
        https://r.search.yahoo.com/_ylt=A;_ylu=B/RV=2/RE=1/RO=10/RU={QUOTED}/RK=2/RS=x
    """,
    "affiliates": f"https://go.redirectingat.com/?id=1&url={QUOTED} https://go.skimresources.com/?url={QUOTED}",
    "nothing but a redirect": f"""
        https://href.li/?{HTTP}
        https://anonym.to/?{QUOTED}
        https://nullrefer.com/?{HTTP}
        https://blankrefer.com/?{HTTP}
        https://dereferer.me/?{QUOTED}
    """,
    "outlook": f"""
        https://eur01.safelinks.protection.outlook.com/?url={QUOTED}&data=05%7C01&sdata=x&reserved=0
        https://nam02.safelinks.protection.outlook.com/GetUrlReputation?url={QUOTED}
    """,
    "proofpoint": f"""
        https://urldefense.proofpoint.com/v1/url?u={QUOTED}&k=abc
        https://urldefense.proofpoint.com/v2/url?u={PROOFPOINT}&d=DwMFaQ&c=x
        https://urldefense.com/v3/__{HTTP}__;!!NEt6yMaO!abc$
        https://urldefense.us/v3/__http://www.valley-herald.com/2024/**Bwater?p=2&id=7__;MDMv!!abc$
        https://urldefense.com/v3/__http://www.valley-herald.com/2024/03/wat*r?p=2&id=7__;ZQ!!abc$
    """,
    "other scanners of mail": f"""
        https://linkprotect.cudasvc.com/url?a={QUOTED}&c=E,1&typo=1
        https://clicktime.symantec.com/3abc?u={QUOTED}
        https://protect2.fireeye.com/v1/url?k=1&q=1&e=1&u={QUOTED}
        https://secure-web.cisco.com/1abcDEF-x/{QUOTED}
        https://deref-gmx.net/mail/client/abc/dereferrer/?redirectUrl={QUOTED}
    """,
    "archive.org": f"""
        https://web.archive.org/web/20240305100000/{HTTP}
        https://web.archive.org/web/20240305100000id_/http://www.valley-herald.com:80/2024/03/water?p=2&id=7
        https://web.archive.org/web/20240305100000if_/{STORY}
        https://web.archive.org/web/2024/{BARE}
        https://web.archive.org/web/*/{HTTP}
        https://web.archive.org/web/{HTTP}
        http://archive.org/wayback/2024*/{HTTP}
        https://web.archive.org/save/{HTTP}
        https://web.archive.org/save/_embed/{HTTP}
        https://web.archive.org/web/2024/{QUOTED}
        https://web.archive.org/web/2024/http:/www.valley-herald.com/2024/03/water?p=2&id=7
    """,
    "archive.today": f"""
        https://archive.ph/newest/{HTTP}
        https://archive.is/o/AbC12/{HTTP}
        https://archive.today/20240305100000/{HTTP}
        https://archive.li/2024.03.05-100000/{HTTP}
        https://archive.md/{HTTP}
        https://archive.vn/?run=1&url={QUOTED}
        https://archive.fo/submit/?url={QUOTED}
    """,
    "other archives": f"""
        http://timetravel.mementoweb.org/memento/20240305/{HTTP}
        https://timetravel.mementoweb.org/list/2024/{HTTP}
        https://arquivo.pt/wayback/20240305100000/{HTTP}
        https://arquivo.pt/noFrame/replay/20240305100000/{HTTP}
        https://webarchive.loc.gov/all/20240305/{HTTP}
        https://wayback.archive-it.org/1234/20240305100000/{HTTP}
        https://www.webarchive.org.uk/wayback/en/archive/20240305100000mp_/{HTTP}
        https://webarchive.nationalarchives.gov.uk/ukgwa/20240305100000/{HTTP}
        https://www.webcitation.org/query?url={QUOTED}&date=2024-03-05
        https://webcache.googleusercontent.com/search?q=cache:AbCdEf12345g:{QUOTED}+water+off&hl=en
        https://12ft.io/{HTTP}
        https://12ft.io/proxy?q={QUOTED}
        https://txtify.it/{HTTP}
    """,
    "AMP": f"""
        https://www.google.com/amp/s/{BARE}
        https://www.google.co.in/amp/{BARE}&amp=1
        https://www.bing.com/amp/s/{BARE}
        https://www-valley--herald-com.cdn.ampproject.org/c/s/{BARE}&amp_js_v=0.1
        https://cdn.ampproject.org/v/s/{BARE}
        https://www-valley--herald-com.bing-amp.com/c/s/{BARE}
        https://googleweblight.com/i?u={QUOTED}&hl=en
        http://googleweblight.com/?lite_url={QUOTED}
    """,
    "translations": f"""
        https://www-valley--herald-com.translate.goog/2024/03/water?p=2&id=7&_x_tr_sl=en&_x_tr_tl=de&_x_tr_hl=de
        https://valley--herald-com.translate.goog/2024/03/water?_x_tr_sch=http&_x_tr_sl=en&id=7&p=2
        https://translate.google.com/translate?sl=en&tl=de&u={QUOTED}
        https://translate.google.de/website?u={QUOTED}
        https://translate.googleusercontent.com/translate_c?depth=1&u={QUOTED}
        https://translate.yandex.ru/translate?lang=en-ru&url={QUOTED}
        https://translated.turbopages.org/proxy_u/en-ru.ru.abc/https/{BARE}
        http://www.microsofttranslator.com/bv.aspx?from=&to=en&a={QUOTED}
    """,
}  # fmt: skip

ALIKE = f"""
    https://example.com/web/20240305100000/{HTTP}
    https://news.example.com/why-web.archive.org-was-sued
    https://archive.org/details/valley-herald
    https://archive.org/web/web.php
    https://web.archive.org/web/*/http://valley-herald.com/*
    https://blog.archive.org/2024/{HTTP}
    https://notarchive.today/newest/{HTTP}
    https://archive.ph.evil.example/newest/{HTTP}
    https://archive.ph/AbC12
    https://google.com.evil.example/url?q={QUOTED}
    https://google.wordpress.com/url?q={QUOTED}
    https://www.google.com/search?q={QUOTED}
    https://www.google.com/amp/help/index.html
    https://www.facebook.com/sharer/sharer.php?u={QUOTED}
    https://l.facebook.com.evil.example/l.php?u={QUOTED}
    https://l.facebook.com/l.php?u=javascript%3Aalert(1)
    https://safelinks.protection.outlook.com.evil.example/?url={QUOTED}
    https://outlook.com/?url={QUOTED}
    https://www-valley--herald-com.translate.goog.evil.example/2024
    https://valley.herald.translate.goog/2024
    https://herald-com.translate.goog/2024?_x_tr_hp=valley
    https://old.reddit.com/?url={QUOTED}
    https://linkedin.com/slink?code=abc
    https://www.linkedin.com/shareArticle?url={QUOTED}
    https://store.steampowered.com/linkfilter/?url={QUOTED}
    https://duckduckgo.com/?q={QUOTED}
    https://t.me/share/url?url={QUOTED}
    https://urldefense.com/v3/
    https://urldefense.com/v3/__https://example.com/a?b=*&c=*__;w6nDqA!!abc$
    https://www.bing.com/ck/a?u=a1%FF%FF
    https://medium.com/@ana/r?url={QUOTED}
    https://pinterest.com/pin/1?url={QUOTED}
    https://href.li
    https://href.li/?about=us
"""


def canonical(raw):
    return canonicalise_urls(pl.Series([raw])).row(0, named=True)


EACH = [(whose, raw) for whose, links in WRAPPED.items() for raw in links.split()]


@pytest.mark.parametrize(("whose", "raw"), EACH, ids=[f"{whose} {n}" for n, (whose, _) in enumerate(EACH)])
def test_the_inner_address_is_what_was_shared(whose, raw):
    row = canonical(raw)
    assert (row["url"], row["site"], row["is_shortener"]) == (STORY, "valley-herald.com", False)


@pytest.mark.parametrize("raw", ALIKE.split())
def test_what_looks_like_a_wrapper_and_holds_nothing_stays(raw):
    row = canonical(raw)
    assert row["site"] not in {"valley-herald.com", "help"}
    assert canonical(row["url"])["url"] == row["url"]


def test_every_wrapper_has_an_example():
    hosts = Hosts()
    links = [read_address(raw, hosts) for _, raw in EACH]
    for wrapper in WRAPPERS:
        assert any(
            wrapper in _of_host(link.host.name) and re.match(wrapper.path, link.path) for link in links
        )


def test_tokens_of_wrapper_and_inner_address_are_kept():
    row = canonical("https://web.archive.org/web/2024/http://a.com/b?utm_source=x&c=1#xtor=9")
    assert (row["url"], row["tokens"]) == ("https://a.com/b?c=1", "utm_source=x&xtor=9")


def test_the_route_of_the_inner_address_is_kept():
    assert canonical("https://web.archive.org/web/2024/https://a.com/b#!/c")["url"] == "https://a.com/b#!/c"
    assert canonical("https://href.li/?https://a.com/b#/c")["url"] == "https://a.com/b#/c"


@pytest.mark.parametrize(
    ("raw", "inner"),
    [
        ("https://0-en--us-example-com-0.translate.goog/a?_x_tr_sl=en", "https://en-us.example.com/a"),
        ("https://a--0-example-com.translate.goog/b", "https://a-0.example.com/b"),
        (
            "https://urldefense.com/v3/__https://example.com/a?b=x*y&c=1__;w6k!!d$",
            "https://example.com/a?b=x%C3%A9y&c=1",
        ),
        ("https://urldefense.com/v3/__https://example.com/*?b=1__;w6k!!d$", "https://example.com/%C3%A9?b=1"),
        ("https://urldefense.com/v3/__https://example.com/a**Ab__;Ky8!!d$", "https://example.com/a+/b"),
        ("https://urldefense.com/v3/__https://example.com/a__;!!d__;e$", "https://example.com/a"),
    ],
)
def test_addresses_that_are_written_otherwise_inside(raw, inner):
    assert canonical(raw)["url"] == inner


def wrapped(url, times):
    for n in range(times):
        url = (
            f"https://l.facebook.com/l.php?u={quote(url, safe='')}",
            f"https://web.archive.org/web/2024/{url}",
        )[n % 2]
    return url


def test_three_wrappers_are_taken_off_and_no_more():
    for times in (1, 2, 3):
        assert canonical(wrapped("https://a.com/b", times))["url"] == "https://a.com/b"
    for times in (4, 5, 6):
        row = canonical(wrapped("https://a.com/b", times))
        assert row["site"] in {"facebook.com", "archive.org"}
        assert canonical(row["url"])["url"] == row["url"]


@pytest.mark.parametrize("inner", ["http://intranet/a", "http://a.notasuffix/b", "a.com/b", "ftp://a.com/b"])
def test_what_no_reader_can_follow_is_not_taken_out(inner):
    raw = f"https://l.facebook.com/l.php?u={quote(inner, safe='')}"
    assert canonical(raw)["site"] == "facebook.com"


@pytest.mark.parametrize(
    ("raw", "inner"),
    [
        ("https://weibo.cn/sinaurl?toasturl=http%3A%2F%2Fb.com&u=http%3A%2F%2Fa.com", "https://a.com"),
        ("https://www.google.com/url?url=http%3A%2F%2Fb.com&q=http%3A%2F%2Fa.com", "https://a.com"),
        ("https://www.google.com/url?q=http%3A%2F%2Fa.com&q=http%3A%2F%2Fb.com", "https://a.com"),
        ("https://www.google.com/url?q=words&url=http%3A%2F%2Fb.com", "https://b.com"),
        ("https://l.facebook.com/l.php?u=http%253A%252F%252Fa.com%252Fb", "https://a.com/b"),
        ("https://href.li/?https://a.com/b?c=1&a=2", "https://a.com/b?a=2&c=1"),
        ("https://href.li/?a=2&https://a.com/b?c=1", "https://a.com/b?a=2&c=1"),
    ],
)
def test_of_several_addresses_the_likeliest_counts(raw, inner):
    assert canonical(raw)["url"] == inner


@pytest.mark.parametrize("query", ["c=*&b=*", "b=*&c=*", "b=*&c=**A"])
def test_characters_of_parameters_that_may_have_changed_places_are_not_put_back(query):
    raw = f"https://urldefense.com/v3/__https://example.com/a?{query}__;w6nDqA!!abc$"
    assert canonical(raw)["site"] == "urldefense.com"


HEADS = [link[: -len(rest)] for _, link in EACH for rest in (HTTP, QUOTED, BARE) if link.endswith(rest)]
PIECES = [
    *("/", "?", "&", "=", "#", "!", "*", ";", ".", "-", "_", "$", "__", "amp", "%2F", "utm_id=1", "b=2"),
    *(
        "http://",
        "https%3A%2F%2F",
        "a.com",
        "x.com/a/status/1",
        "old.reddit.com/comments/a1",
        "t.me/s/ana_news/1",
    ),
]
TAILS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.builds("{}{}".format, st.sampled_from(HEADS), TAILS), min_size=1, max_size=30))
def test_what_is_unwrapped_is_its_own_canonical_form(raw):
    found = canonicalise_urls(pl.Series(raw)).filter(pl.col("url").is_not_null())
    again = canonicalise_urls(found["url"])
    assert again.filter(pl.col("url").ne_missing(pl.col("raw"))).is_empty()
