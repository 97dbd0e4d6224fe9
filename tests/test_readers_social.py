"""YouTube, Brandwatch, Meltwater, Talkwalker, Threads and VK: what their readers make of uncommon rows."""

from __future__ import annotations

import csv
import json

import pytest

from propgraph.jobs.build import build
from propgraph.readers.base import NoPost, NotThisFormatError
from propgraph.readers.read import read_logs
from propgraph.readers.registry import READERS

PAGE = "https://valley-herald.example/water"
TWEET = "http://twitter.com/ana/statuses/1764954002027446273"
ANSWER = "http://twitter.com/ben/statuses/1764954253685686274"


def table(tmp_path, *rows):
    """Return the log of a table with all columns of the rows."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    file = tmp_path / "log.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, names)
        writer.writeheader()
        writer.writerows(rows)
    return read_logs([file])


def only(log, *names):
    """Return these columns of the only post, None for one that is not there."""
    (row,) = log.posts.to_dicts()
    found = tuple(row.get(name) for name in names)
    return found if len(names) > 1 else found[0]


def of(reader, record):
    (row,) = READERS[reader].rows(record)
    return row


# YouTube


def comment(**other):
    return {
        "id": "Ugx1",
        "publishedAt": "2024-03-05 10:00:00",
        "authorName": "Ana",
        "text": "Look",
        "authorChannelId": "UCana",
        "isReply": "0",
    } | other


def test_a_comments_html_gives_its_lines_and_all_its_links(tmp_path):
    text = f'One &amp; two<br><a href="{PAGE}">{PAGE}</a> and<br><a href="{PAGE}?a=1&amp;b=2">that</a>'
    log = table(tmp_path, comment(text=text))
    assert only(log, "text", "urls") == (f"One & two\n{PAGE} and\nthat", [PAGE, f"{PAGE}?a=1&b=2"])


def test_what_youtube_links_itself_is_not_shared(tmp_path):
    text = (
        '<a href="https://www.youtube.com/watch?v=dQw&amp;t=83">1:23</a> and '
        '<a href="https://www.youtube.com/watch?v=dQw&amp;t=3683">1:01:23</a> '
        '<a href="http://www.youtube.com/results?search_query=%23water">#water</a> '
        '<a href="https://www.youtube.com/channel/UCben">@ben</a> '
        '<a href="https://www.youtube.com/watch?v=other">https://www.youtube.com/watch?v=other</a>'
    )
    log = table(tmp_path, comment(text=text))
    assert only(log, "urls") == ["https://www.youtube.com/watch?v=other"]
    assert only(log, "text") == "1:23 and 1:01:23 #water @ben https://www.youtube.com/watch?v=other"


@pytest.mark.parametrize(
    ("columns", "parent"),
    [
        ({}, "Ugx1"),
        ({"isReplyToId": ""}, "Ugx1"),
        ({"isReplyTo": "Ugx7"}, "Ugx7"),
        ({"isReplyToId": "Ugx8", "isReplyTo": "Ugx7"}, "Ugx8"),
    ],
)
def test_a_reply_without_its_parents_id_has_it_in_its_own(tmp_path, columns, parent):
    log = table(tmp_path, comment(id="Ugx1.8abc", isReply="1", **columns))
    assert only(log, "kind", "parent_content_id") == ("reply", parent)


def test_a_comment_without_a_channel_is_its_authors_by_name(tmp_path):
    assert only(table(tmp_path, comment(authorChannelId="")), "account_id") == "Ana"


# Brandwatch


def mention(**other):
    return {
        "Query Id": "1",
        "Query Name": "valley",
        "Date": "2024-03-05 10:00:00.0",
        "Url": ANSWER,
        "Author": "ben",
        "Full Text": "Look",
        "Page Type": "twitter",
    } | other


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ("post", "original"),
        ("", "original"),
        ("share", "reshare"),
        ("Retweet", "reshare"),
        ("quote", "quote"),
        ("reply", "reply"),
        ("comment", "reply"),
    ],
)
@pytest.mark.parametrize("column", ["Thread Entry Type", "Engagement Type"])
def test_a_mentions_kind_by_one_column_alone(tmp_path, column, entry, kind):
    log = table(tmp_path, mention(**{column: entry, "Thread URL": TWEET, "Thread Author": "ana"}))
    assert only(log, "kind") == kind
    parent = None if kind == "original" else "1764954002027446273"
    assert only(log, "parent_content_id", "origin_account_id") == (parent, parent and "@ana")


@pytest.mark.parametrize("network", ["Twitter", "X"])
def test_a_mentions_kind_by_the_networks_own_columns(tmp_path, network):
    repost = {"Twitter": "Twitter Retweet of", "X": "X Repost of"}[network]
    who = f"{network} Author ID"
    reposted = table(tmp_path, mention(**{repost: TWEET, f"{network} Reply to": "", who: "102"}))
    told = ("account_id", "kind", "parent_content_id", "origin_account_id")
    assert only(reposted, *told) == ("102", "reshare", "1764954002027446273", "@ana")
    answered = table(tmp_path, mention(**{repost: "", f"{network} Reply to": TWEET, who: "102"}))
    assert only(answered, *told) == ("102", "reply", "1764954002027446273", "@ana")
    quoted = table(tmp_path, mention(**{repost: TWEET, "Thread Entry Type": "quote"}))
    assert only(quoted, "kind", "parent_content_id") == ("quote", "1764954002027446273")


def test_a_repost_is_told_by_its_text_where_no_column_tells_it(tmp_path):
    log = table(tmp_path, mention(**{"Full Text": "RT @ana: They shut the water off tonight, all of it"}))
    assert only(log, "kind", "origin_account_id", "text") == (
        "reshare",
        "@ana",
        "They shut the water off tonight, all of it",
    )


@pytest.mark.parametrize("address", ["https://x.com/i/web/status/17", "https://x.com/i/status/17"])
def test_an_address_without_a_name_names_nobody(tmp_path, address):
    log = table(tmp_path, mention(**{"X Repost of": address, "Thread Author": "ana"}))
    assert only(log, "parent_content_id", "origin_account_id") == ("17", "@ana")


def test_a_mention_is_not_its_own_parent(tmp_path):
    log = table(tmp_path, mention(**{"Thread Entry Type": "reply", "Thread URL": ANSWER}))
    assert only(log, "kind", "parent_content_id") == ("reply", None)


def test_mentions_elsewhere_are_known_by_their_addresses(tmp_path):
    url = "https://www.reddit.com/r/valley/comments/1b2/_/kt1"
    reddit = {"Url": url, "Page Type": "reddit", "Subreddit": "valley", "Thread Entry Type": "reply"}
    thread = "https://www.reddit.com/r/valley/comments/1b2"
    log = table(tmp_path, mention(**reddit, **{"Thread URL": thread}))
    told = ("content_id", "account_id", "kind", "parent_content_id", "target_id", "platform")
    assert only(log, *told) == (url, "ben", "reply", thread, "valley", "reddit")


def test_an_article_without_an_author_is_its_sites(tmp_path):
    log = table(
        tmp_path, mention(Url=PAGE, Author="", Domain="valley-herald.example", **{"Page Type": "news"})
    )
    assert only(log, "account_id", "kind", "platform") == ("valley-herald.example", "original", "news")


# Meltwater


def hit(**other):
    return {
        "Date": "05-Mar-2024 10:00AM",
        "URL": TWEET,
        "Opening Text": "",
        "Hit Sentence": "Look",
        "Source": "Twitter",
        "Influencer": "@ana",
    } | other


@pytest.mark.parametrize("signed", ["", "Jane Doe"])
def test_an_article_is_its_outlets_whoever_signs(tmp_path, signed):
    log = table(tmp_path, hit(URL=PAGE, Source="Valley Herald", Influencer=signed))
    told = ("content_id", "account_id", "kind", "platform")
    assert only(log, *told) == (PAGE, "Valley Herald", "original", "valley herald")
    new = hit(Date="05-Mar-2024", Time="10:00 AM", URL=PAGE, Influencer="")
    del new["Source"]
    log = table(tmp_path, new | {"Source Name": "Valley Herald", "Author Name": signed, "Author Handle": ""})
    assert only(log, "account_id") == "Valley Herald"


@pytest.mark.parametrize(
    ("source", "name"), [("Facebook", "Valley News"), ("reddit.com", "u1"), ("X", "@ben")]
)
def test_a_post_is_its_accounts(tmp_path, source, name):
    log = table(tmp_path, hit(URL="https://social.example/1", Source=source, Influencer=name))
    assert only(log, "account_id") == name.removeprefix("@")


@pytest.mark.parametrize(("mark", "kind"), [("RT", "reshare"), ("QT", "quote")])
def test_a_mark_at_the_head_of_a_hit_tells_its_kind(tmp_path, mark, kind):
    log = table(
        tmp_path,
        hit(
            **{"Hit Sentence": f"{mark} @ana: They shut the water off tonight"}, URL=ANSWER, Influencer="@ben"
        ),
    )
    assert only(log, "kind", "origin_account_id") == (kind, "@ana")
    assert only(table(tmp_path, hit(**{"Hit Sentence": f"So {mark} @ana: no"})), "kind") == "original"


# Talkwalker


def result(**other):
    return {
        "url": TWEET,
        "published": "2024-03-05 10:00:00",
        "content": "Look",
        "source_type": "SOCIALMEDIA, SOCIALMEDIA_TWITTER",
        "extra_author_attributes.name": "Ana",
    } | other


@pytest.mark.parametrize(
    "parent",
    [PAGE, PAGE + "/", "http://www.valley-herald.example/water", "", "https://valley-herald.example/"],
)
def test_an_article_is_no_reply_to_itself_or_to_its_site(tmp_path, parent):
    log = table(tmp_path, result(url=PAGE, parent_url=parent, source_type="ONLINENEWS, ONLINENEWS_NEWSPAPER"))
    told = ("content_id", "kind", "parent_content_id", "platform")
    assert only(log, *told) == (PAGE, "original", None, "newspaper")


def test_a_comment_is_a_reply_to_its_page(tmp_path):
    page = "https://www.reddit.com/r/valley/comments/1b2/water/"
    one = result(url=page + "kt1/", parent_url=page, source_type="MESSAGEBOARD, MESSAGEBOARD_REDDIT")
    told = ("content_id", "kind", "parent_content_id", "platform")
    assert only(table(tmp_path, one), *told) == (page + "kt1/", "reply", page, "reddit")


@pytest.mark.parametrize("column", ["extra_author_attributes.short_name", "extra_source_attributes.name"])
def test_results_that_name_their_authors_otherwise_are_known(tmp_path, column):
    one = result(**{column: "ana"})
    del one["extra_author_attributes.name"]
    log = table(tmp_path, one)
    assert (log.sources[0]["reader"], only(log, "account_id")) == ("talkwalker", "ana")


# Threads


def thread(code="C1", *, share=None, **info):
    return {
        "code": code,
        "pk": "33",
        "taken_at": 1709632800,
        "user": {"pk": "101", "username": "ana"},
        "caption": {"text": f"Text of {code}"},
        "text_post_app_info": {"share_info": share or {}, "reply_to_author": None} | info,
    }


BEN = {"pk": "102", "username": "ben"}


def test_a_quote_keeps_its_own_words():
    row = of("zeeschuimer-threads", thread(share={"quoted_post": thread("C0") | {"user": BEN}}))
    told = (
        "kind",
        "parent_content_id",
        "origin_account_id",
        "origin_account_name",
        "text",
        "parent_timestamp",
    )
    assert tuple(row[name] for name in told) == ("quote", "C0", "102", "ben", "Text of C1", 1709632800)


def test_a_repost_has_the_words_of_the_post():
    row = of("zeeschuimer-threads", thread(share={"reposted_post": thread("C0") | {"user": BEN}}))
    assert (row["kind"], row["parent_content_id"], row["text"]) == ("reshare", "C0", "Text of C0")


def test_a_reply_says_whom_it_answers_at_the_most():
    row = of("zeeschuimer-threads", thread(reply_to_author=BEN))
    assert (row["kind"], row["parent_content_id"], row["origin_account_id"]) == ("reply", None, "102")
    row = of("zeeschuimer-threads", thread(is_reply=True))
    assert (row["kind"], row["origin_account_id"]) == ("reply", None)
    assert of("zeeschuimer-threads", thread(is_reply=False))["kind"] == "original"


def test_a_redirect_of_threads_ends_as_the_link_inside(tmp_path):
    link = "https://l.threads.net/?u=https%3A%2F%2Fvalley-herald.com%2Fwater&e=AT0"
    file = tmp_path / "log.ndjson"
    post = {"source_platform": "threads.net", "data": thread(link_preview_attachment={"url": link})}
    file.write_text(json.dumps(post) + "\n")
    shares = build([file], tmp_path / "study").shares
    assert shares.filter(trace="url")["object_id"].to_list() == ["https://valley-herald.com/water"]


# VK


def post(number=7, wall=88, **other):
    return {
        "id": number,
        "owner_id": wall,
        "from_id": 88,
        "date": 1709632860,
        "post_type": "post",
        "text": "Look",
    } | other


def linked(link=PAGE):
    return [{"type": "photo", "photo": {"id": 1}}, {"type": "link", "link": {"url": link}}]


BY_GROUP = post(45, -123, from_id=-123, date=1709632800, text="Dry taps", attachments=linked())


def test_a_post_on_anothers_wall_is_the_authors_and_has_a_target():
    row = of("vk-api", post(wall=-123))
    told = ("content_id", "account_id", "target_id", "kind")
    assert tuple(row[name] for name in told) == ("-123_7", 88, -123, "original")
    assert of("vk-api", post())["target_id"] is None


def test_a_repost_without_words_says_what_was_posted():
    row = of("vk-api", post(text="", copy_history=[BY_GROUP]))
    told = ("kind", "parent_content_id", "origin_account_id", "text", "urls", "parent_timestamp")
    assert tuple(row[name] for name in told) == ("reshare", "-123_45", -123, "Dry taps", [PAGE], 1709632800)


def test_a_repost_with_words_is_a_quote():
    row = of("vk-api", post(copy_history=[BY_GROUP]))
    assert (row["kind"], row["parent_content_id"], row["text"], row["urls"]) == (
        "quote",
        "-123_45",
        "Look",
        [],
    )


@pytest.mark.parametrize(("words", "text"), [("See", "See"), ("", "Dry taps")])
def test_a_repost_of_a_repost_is_of_the_nearer_and_shares_the_link_of_the_first(words, text):
    nearer = post(9, 77, from_id=77, text=words)
    row = of("vk-api", post(text="", copy_history=[nearer, BY_GROUP]))
    told = ("kind", "parent_content_id", "origin_account_id", "text", "urls")
    assert tuple(row[name] for name in told) == ("reshare", "77_9", 77, text, [PAGE])


@pytest.mark.parametrize(
    ("other", "parent"),
    [
        ({}, "-123_45"),
        ({"parents_stack": []}, "-123_45"),
        ({"reply_to_comment": 8, "reply_to_user": 77}, "-123_r8"),
        ({"parents_stack": [8]}, "-123_r8"),
        ({"post_type": "reply"}, "-123_45"),
    ],
)
def test_a_comment_is_a_reply_to_a_comment_or_else_to_the_post(other, parent):
    one = post(9, -123, post_id=45) | other
    if "post_type" not in other:
        del one["post_type"]
    row = of("vk-api", one)
    assert (row["kind"], row["content_id"], row["parent_content_id"]) == ("reply", "-123_r9", parent)
    assert row["origin_account_id"] == other.get("reply_to_user")


@pytest.mark.parametrize("key", ["items", "response"])
def test_a_page_gives_its_posts_and_counts_what_is_none(tmp_path, key):
    items = [post(1), None, {"id": 2}, post(3)]
    page = {"count": 4, "items": items, "profiles": []}
    rows = list(READERS["vk-api"].rows(page if key == "items" else {"response": page}))
    assert [isinstance(row, NoPost) for row in rows] == [False, True, True, False]
    for name in ("log.json", "log.ndjson"):
        file = tmp_path / name
        whole = page if key == "items" else {"response": page}
        file.write_text(json.dumps(whole, indent=1 if name == "log.json" else None) + "\n")
        log = read_logs([file])
        assert (log.posts["content_id"].to_list(), log.rejected.height) == (["88_1", "88_3"], 2)


def test_a_record_without_a_wall_is_not_of_vk():
    with pytest.raises(NotThisFormatError):
        of("vk-api", {"id": 1, "text": "Look"})
