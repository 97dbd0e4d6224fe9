from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from same_tables import same

from propgraph.cli.app import run
from propgraph.clusters.judge import weigh
from propgraph.errors import InputError, StudyError, UsageError
from propgraph.export.network import write_network
from propgraph.export.tables import render
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.jobs.stability import measure_stability
from propgraph.pseudonyms.keys import Key, pseudonyms, read_key, save_key
from propgraph.pseudonyms.log import _KEPT, _OF_POSTS
from propgraph.readers.read import read_logs
from propgraph.schema import POSTS, REJECTED, TABLES
from propgraph.traces.make import TRACES
from propgraph.traces.urls import canonicalise_urls

SECRET = b"sixteen bytes or more of a secret"
N_ACCOUNTS = 6
# What stands in the log and must stand nowhere in its pseudonymised study.
SECRETS = (
    *(f"{word}{k}" for word in ("acct70", "Nomen70", "nomen70") for k in range(N_ACCOUNTS)),
    "post90", "group55", "payer77", "blob88", "stranger66", "Wordsmith", "thing33", "tok22",
    "rejected11",
)  # fmt: skip

# In these logs nobody takes two things in one session, which is what an order is made of.
ALL = [name for name in TRACES if name != "order"]


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "my.key"
    path.write_bytes(SECRET)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A log that names accounts wherever a log can, all of it in step so that every trace has edges."""
    rows = [
        {
            "content_id": f"at://did:plc:acct70{k}/app.bsky.feed.post/post90{n}{k}",
            "account_id": f"acct70{k}",
            "account_name": f"Nomen70{k}",
            "timestamp": f"2024-03-0{n + 1}T10:00:0{k}Z",
            "kind": "original" if k < 4 else "reshare" if k == 4 else "reply",
            "parent_content_id": None if k < 4 else f"at://did:plc:acct700/app.bsky.feed.post/post90{n}0",
            "origin_account_name": None if k < 4 else "@Nomen700" if n else "@stranger66",
            "target_id": f"group55{n}",
            "object_id": ("post9000", f"thing33{n}", "https://news.example/a", "https://x.com/nomen700/status/1")[n],
            "urls": [
                f"http://news.example/story/{n}/?fbclid=tok22{k}",
                f"https://twitter.com/Nomen700/status/post90{n}",
                "https://mastodon.example/@nomen701/7",
                "https://bsky.app/profile/nomen702/post/3k",
                f"https://web.archive.org/web/2024/https://t.me/nomen703/{n}",
            ],
            "hashtags": ["vote", "river", f"stolen{n}"],
            "mentions": ["nomen700", "stranger66", f"nomen70{k}"],
            "images": [f"blob88{n}"],
            "sponsor": "payer77",
            "text": f"Wordsmith number {n} says so, ask @nomen701 and https://t.me/nomen703/9",
            "account_created_at": "2020-01-01T00:00:00Z",
            "followers": 10 + k,
        }
        for n in range(4)
        for k in range(N_ACCOUNTS)
    ]  # fmt: skip
    bad = [
        {**rows[0], "content_id": "rejected11", "timestamp": "the day of acct700 and Nomen700"},
        {**rows[0], "account_id": "acct705"},
        {**rows[0], "content_id": "rejected11b", "account_id": ["acct701"]},
        rows[0],
    ]
    path = tmp_path_factory.mktemp("log") / "log.ndjson"
    lines = [json.dumps(row) for row in (*rows, *bad)]
    path.write_text("\n".join([*lines, '{"account_id": "acct701", "text": "Wordsmith']) + "\n")
    return path


@pytest.fixture(scope="module")
def two(hostile, tmp_path_factory):
    """The hostile log as it is and with pseudonyms, with every trace that it has."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "my.key").write_bytes(SECRET)
    trace = ALL
    plain = build([hostile], folder / "plain", trace=trace)
    hidden = build([hostile], folder / "hidden", trace=trace, pseudonymise=True, key=folder / "my.key")
    return plain, hidden


def hashed(text):
    """One pseudonym, spelt out."""
    key = hashlib.blake2b(SECRET).digest()
    return "p" + hashlib.blake2b(text.encode(), key=key, digest_size=10).hexdigest()


def strings(frame):
    """Every text in a frame, those in lists too."""
    for name in frame.columns:
        column = frame[name].explode() if isinstance(frame[name].dtype, pl.List) else frame[name]
        if column.dtype == pl.String:
            yield from column.drop_nulls()


def leaks(text):
    return [secret for secret in SECRETS if secret in text]


# --- nothing is left ---------------------------------------------------------------------------------------


def test_no_table_says_who_it_was(two):
    for study in two:
        find_clusters(study.path, min_size=2)
    plain, hidden = (measure_stability(study.path, runs=2) for study in two)
    said = " ".join(text for name in plain.tables for text in strings(getattr(plain, name)))
    assert leaks(said) == list(SECRETS)
    for name in hidden.tables:
        table = getattr(hidden, name)
        assert leaks(" ".join(strings(table))) == []
        assert leaks(render(table, "csv").decode()) == []
    for file in hidden.path.iterdir():
        content = file.read_bytes()
        assert [secret for secret in SECRETS if secret.encode() in content] == []
        assert SECRET not in content


def test_no_export_and_no_line_printed_says_who_it_was(two, tmp_path, capsys):
    hidden = find_clusters(two[1].path, min_size=2, min_score=0)
    write_network(tmp_path / "net.graphml", hidden)
    assert leaks((tmp_path / "net.graphml").read_text()) == []
    assert hashed("acct700") in (tmp_path / "net.graphml").read_text()
    assert run(["clusters", str(hidden.path)]) == 0
    printed = capsys.readouterr()
    assert hidden.clusters.height > 0
    assert leaks(printed.out + printed.err) == []


def test_texts_are_gone_and_the_traces_made_of_them_are_there(two):
    plain, hidden = two
    assert plain.posts["text"].null_count() == 0
    assert hidden.posts["text"].null_count() == hidden.posts.height
    assert hidden.objects["text"].null_count() == hidden.objects.height
    assert {"text", "near-text"} <= set(hidden.shares["trace"])


def test_rejected_rows_keep_their_place_and_why_but_not_what_they_said(two):
    plain, hidden = two
    assert hidden.rejected["raw"].null_count() == hidden.rejected.height == plain.rejected.height == 5
    assert hidden.rejected.select("source", "line").equals(plain.rejected.select("source", "line"))
    assert dict(hidden.rejected.select("line", "reason").rows()) == {
        25: "timestamp: … is not a time of this file's kind",
        26: "content_id: … is another post's already (other account or time)",
        27: "account_id: a list or an object, not one value",
        28: "duplicate: … shares the same in an earlier row",
        29: "not JSON",
    }


def test_the_run_record_says_how_and_not_by_what(two):
    plain, hidden = (study.run["build"] for study in two)
    assert "pseudonyms" not in plain
    assert (plain["parameters"]["pseudonymise"], plain["parameters"]["key"]) == (False, None)
    assert hidden["parameters"]["pseudonymise"] is True
    assert hidden["pseudonyms"] == {
        "pseudonymised": True,
        "method": "keyed BLAKE2b, 20 hexadecimal digits behind a p",
        "key_fingerprint": hashlib.blake2b(SECRET, digest_size=4, person=b"fingerprint").hexdigest(),
    }
    assert hidden["counts"] == plain["counts"]


def test_a_note_quotes_columns_only(tmp_path, key):
    log = tmp_path / "log.csv"
    log.write_text("content_id,account_id,timestamp,kind\n1,a,2024-03-05T10:00:00Z,acct700 it's\n")
    notes = [study.run["build"]["notes"] for study in (
        build([log], tmp_path / "plain"), build([log], tmp_path / "hidden", pseudonymise=True, key=key)
    )]  # fmt: skip
    assert 'rows say "acct700 it\'s" or another' in notes[0][0]
    assert "rows say … or another" in notes[1][0]


def test_every_column_of_posts_is_decided_on():
    assert set(POSTS.columns) == {*_OF_POSTS, *_KEPT, "text"}
    assert not set(_OF_POSTS) & set(_KEPT)


# --- what was equal is equal -------------------------------------------------------------------------------


def test_columns_follow_their_rules(two):
    plain, hidden = two
    of = plain.posts.with_columns(
        content_id=pl.col("content_id").map_elements(hashed, return_dtype=pl.String)
    )
    first = of.join(hidden.posts, on="content_id", suffix="_now").sort("timestamp").row(0, named=True)
    assert first["account_id_now"] == hashed("acct700")
    assert first["target_id_now"] == hashed("group550")
    assert first["object_id_now"] == hashed("post9000")
    assert first["mentions_now"] == [hashed("nomen700"), hashed("stranger66"), hashed("nomen700")]
    assert first["images_now"] == [hashed("blob880")]
    assert first["sponsor_now"] == hashed("payer77")
    assert first["hashtags_now"] == ["vote", "river", "stolen0"]
    assert first["urls_now"] == [
        "https://news.example/story/0",
        "https://twitter.com/" + hashed("https://twitter.com/Nomen700/status/post900"),
        f"https://mastodon.example/@{hashed('nomen701')}/"
        + hashed("https://mastodon.example/users/nomen701/statuses/7"),
        f"https://bsky.app/profile/{hashed('nomen702')}/post/{hashed('at://acct702/app.bsky.feed.post/3k')}",
        f"https://t.me/{hashed('nomen703')}/{hashed('acct703/0')}",
    ]
    for name in ("timestamp", "kind", "parent_timestamp", "platform", "language"):
        assert first[f"{name}_now"] == first[name]


def test_a_name_is_one_wherever_it_stands(two):
    hidden = two[1]
    accounts = dict(hidden.accounts.select("account_id", "name").rows())
    assert accounts[hashed("acct700")] == hashed("nomen700")
    assert hashed("nomen700") in hidden.posts["mentions"].explode().to_list()
    assert hashed("nomen700") in hidden.shares.filter(trace="mention")["object_id"].to_list()
    assert f"@{hashed('stranger66')}" in hidden.posts["origin_account_id"].to_list()


def test_objects_of_a_log_stay_where_they_are_links_or_hashtags(tmp_path, key):
    log = tmp_path / "log.csv"
    objects = [
        "#vote",
        "https://news.example/a?b=1",
        "ana.bsky.social",
        "https://x.com/ana",
        "http://no link",
        "7",
    ]
    rows = [f"{k},a{k},2024-03-05T10:00:00Z,{one}" for k, one in enumerate(objects)]
    log.write_text("\n".join(["content_id,account_id,timestamp,object_id", *rows]) + "\n")
    posts = build([log], tmp_path / "study", pseudonymise=True, key=key).posts
    assert set(posts["object_id"]) == {
        "#vote", "https://news.example/a?b=1", hashed("ana.bsky.social"), "https://twitter.com/" + hashed("ana"),
        hashed("http://no link"), hashed("7"),
    }  # fmt: skip


def test_short_links_that_were_resolved_lead_to_nobody(tmp_path, key):
    log, table = tmp_path / "log.csv", tmp_path / "table.csv"
    posts = ["account_id,timestamp,url", *(
        f"a,2024-03-05T10:00:00Z,{link}" for link in ("https://t.co/abc", "https://bit.ly/d", "https://netflix.com/title/1")
    )]  # fmt: skip
    log.write_text("\n".join(posts) + "\n")
    table.write_text(
        "url,resolved_url\nhttps://t.co/abc,https://x.com/ana/status/1\nhttps://bit.ly/d,https://news.example/a\n"
    )
    study = build([log], tmp_path / "study", resolved=table, pseudonymise=True, key=key)
    assert dict(study.shares.filter(trace="url").select("object_id", "via").rows()) == {
        f"https://twitter.com/i/status/{hashed('1')}": "https://t.co/" + hashed("https://t.co/abc"),
        "https://news.example/a": "https://bit.ly/d",
        "https://netflix.com/title/1": None,
    }


def test_links_stay_in_canonical_form(two):
    urls = two[1].shares.filter(trace="url")["object_id"].unique().sort()
    assert canonicalise_urls(urls)["url"].to_list() == urls.to_list()


def mapped(frame, columns, objects):
    """A table under the mapping: ids in `columns`, and the objects of the traces."""
    rename = {name: pl.col(name).map_elements(hashed, return_dtype=pl.String) for name in columns}
    if "object_id" in frame.columns:
        rename["object_id"] = pl.struct("trace", "object_id").map_elements(
            lambda row: objects(row["trace"], row["object_id"]), return_dtype=pl.String
        )
    return frame.with_columns(**rename)


# Links of the hostile log: the hidden form, and what is hashed in it.
LINK_PARTS = {
    "(?P<all>https://twitter.com/Nomen700/status/post90.)": ("https://twitter.com/{}", "{all}"),
    "https://x.com/nomen700/status/1": ("https://twitter.com/i/status/{}", "1"),
    "https://mastodon.example/@nomen701/7": (
        "https://mastodon.example/@{}/{}", "nomen701", "https://mastodon.example/users/nomen701/statuses/7",
    ),
    "https://bsky.app/profile/nomen702/post/3k": (
        "https://bsky.app/profile/{}/post/{}", "nomen702", "at://acct702/app.bsky.feed.post/3k",
    ),
    "https://t.me/nomen703/(?P<n>.)": ("https://t.me/{}/{}", "nomen703", "acct703/{n}"),
}  # fmt: skip


def object_mapped(trace, object_id):
    if trace in ("domain", "hashtag", "hashtag-sequence"):
        return object_id
    if trace in ("url", "object") and object_id.startswith("https://"):
        for pattern, parts in LINK_PARTS.items():
            if found := re.fullmatch(pattern, object_id):
                groups = found.groupdict()
                named = [hashed(part.format(**groups)) for part in parts[1:]]
                return parts[0].format(*named)
        return object_id
    return "@" * object_id.startswith("@") + hashed(object_id.removeprefix("@"))


@pytest.fixture
def several(tmp_path):
    """A log with a row for each object and link of a post, the first of which names another parent."""
    path = tmp_path / "several.csv"

    def parent(n, k, part):
        return f"p{n}-{k - 1 if part else 0}" if k else ""

    rows = [
        f"p{n}-{k},acct{k},2024-03-05T1{n}:00:{k:02}Z,{'reshare' if k else 'original'},{parent(n, k, part)},"
        f"o{n}-{part},https://news.example/{n}/{part}"
        for n in range(3)
        for k in range(5)
        for part in range(3)
    ]
    header = "content_id,account_id,timestamp,kind,parent_content_id,object_id,url"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("which", ["hostile", "simulated", "several rows a post"])
def test_shares_cascades_edges_and_clusters_are_the_same_under_the_mapping(
    which, two, small_study, own_study, several, tmp_path, key
):
    plain, hidden = two
    if which == "simulated":
        log = small_study.path.parent / "log.parquet"
        plain, hidden = own_study, build([log], tmp_path / "hidden", pseudonymise=True, key=key)
    if which == "several rows a post":
        plain = build([several], tmp_path / "plain")
        hidden = build([several], tmp_path / "hidden", pseudonymise=True, key=key)
    plain, hidden = find_clusters(plain.path, seed=1), find_clusters(hidden.path, seed=1)

    def same(name, *, ids, drop=()):
        was = mapped(getattr(plain, name), ids, object_mapped).drop(drop)
        now = getattr(hidden, name).drop(drop)
        if name == "edges":
            ends = pl.concat_list("source", "target").list.sort()
            was = was.with_columns(source=ends.list.first(), target=ends.list.last())
        assert_frame_equal(was.sort(TABLES[name].key), now.sort(TABLES[name].key))

    same("shares", ids=["content_id", "account_id"], drop=["tokens"])
    same("edges", ids=["source", "target"])
    same("accounts", ids=["account_id"], drop=["name"])
    same("objects", ids=["first_account_id"], drop=["url", "text"])
    same("sites", ids=[], drop=["top_cluster_id"])
    cascades = (
        plain.cascades.with_columns(cascade_id=pl.lit("")),
        hidden.cascades.with_columns(cascade_id=pl.lit("")),
    )
    was = mapped(cascades[0], ["root_account_id"], object_mapped)
    assert_frame_equal(was.sort("trace", "object_id"), cascades[1].sort("trace", "object_id"))
    groups = [
        {frozenset(part["account_id"]) for part in members.partition_by("cluster_id")}
        for members in (mapped(plain.members, ["account_id"], object_mapped), hidden.members)
    ]
    assert groups[0] == groups[1] != set()
    # Rules about texts and names have nothing to go by any more.
    scores = [
        sorted(weigh([rule for rule in rules if rule not in ("template-text", "alike-profiles")], fits)
               for rules, fits in of.clusters.select("flags", "innocent").rows())
        for of in (plain, hidden)
    ]  # fmt: skip
    assert scores[0] == scores[1] != []
    told = {rule for rules in hidden.clusters["flags"] for rule in rules}
    assert not told & {"template-text", "alike-profiles"}


def test_tables_are_in_order(two):
    for name in ("posts", "shares", "accounts", "objects", "edges", "cascade_nodes", "rejected"):
        table = getattr(two[1], name)
        assert_frame_equal(table, table.sort(TABLES[name].key, maintain_order=True))


def test_the_order_of_the_rows_changes_nothing(hostile, two, tmp_path, key):
    *lines, last = hostile.read_text().splitlines()
    shuffled = tmp_path / "log.ndjson"
    shuffled.write_text("\n".join([*lines[:24][::-1], *lines[24:], last]) + "\n")
    other = build([shuffled], tmp_path / "study", trace=ALL, pseudonymise=True, key=key)
    for name in set(other.tables) - {"rejected"}:
        assert same(other, two[1], name)


# --- one key, one pseudonym --------------------------------------------------------------------------------


def one_post(path, *, platform, account="123"):
    path.write_text(
        "content_id,account_id,timestamp,platform\n"
        f"77,{account},2024-03-05T10:00:00Z,{platform}\n78,other,2024-03-05T10:00:00Z,{platform}\n"
    )
    return path


def test_studies_of_one_key_can_be_joined_and_of_another_not(tmp_path, key):
    logs = [one_post(tmp_path / f"{name}.csv", platform=name) for name in ("x", "gab")]
    x, gab = (build([log], tmp_path / log.stem, pseudonymise=True, key=key) for log in logs)
    assert x.accounts.join(gab.accounts, on="account_id").height == 2
    assert x.run["build"]["pseudonyms"] == gab.run["build"]["pseudonyms"]
    other = build(logs[:1], tmp_path / "other", pseudonymise=True)
    assert x.accounts.join(other.accounts, on="account_id").is_empty()
    assert x.run["build"]["pseudonyms"] != other.run["build"]["pseudonyms"]


def test_the_platform_stays_before_an_id_where_a_log_has_several(tmp_path, key):
    logs = [one_post(tmp_path / f"{name}.csv", platform=name) for name in ("x", "gab")]
    both = build(logs, tmp_path / "both", pseudonymise=True, key=key)
    assert f"x:{hashed('123')}" in both.accounts["account_id"].to_list()
    assert f"gab:{hashed('77')}" in both.posts["content_id"].to_list()


def test_pseudonyms_are_keyed_hashes():
    key = Key(SECRET, None)
    values = pl.Series("id", ["", "@ana", "Ana", "ana", "x:1", "É\n\0"])
    assert pseudonyms(values, key=key).to_list() == [
        hashed(""), "@" + hashed("ana"), hashed("Ana"), hashed("ana"), hashed("x:1"), hashed("É\n\0")
    ]  # fmt: skip
    assert pseudonyms(values, key=key, keep=["x:"])[4] == "x:" + hashed("1")
    assert pseudonyms(values[:0], key=key).to_list() == []
    longer = replace(key, secret=SECRET * 100)
    assert not set(pseudonyms(values, key=key)) & set(pseudonyms(values, key=longer))
    assert SECRET.decode() not in repr(key)


# --- the key's file ----------------------------------------------------------------------------------------


def test_a_key_is_made_beside_the_study_and_used_again(hostile, tmp_path, capsys):
    words = ["build", str(hostile), "-o", str(tmp_path / "study"), "--pseudonymise"]
    assert run(words) == 0
    file = tmp_path / "study.key"
    assert str(file) in " ".join(capsys.readouterr().err.split())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = file.read_bytes()
    assert len(secret.strip()) == 64
    for entry in (tmp_path / "study").iterdir():
        assert secret.strip() not in entry.read_bytes()
    before = (tmp_path / "study" / "posts.parquet").read_bytes()
    assert run([*words, "--overwrite"]) == 0
    assert file.read_bytes() == secret
    assert (tmp_path / "study" / "posts.parquet").read_bytes() == before


def test_a_build_that_fails_leaves_no_key(tmp_path):
    with pytest.raises(InputError):
        build([tmp_path / "none.csv"], tmp_path / "study", pseudonymise=True)
    assert list(tmp_path.iterdir()) == []


def test_blanks_around_a_key_do_not_count(tmp_path):
    for name, content in (("a", SECRET), ("b", SECRET + b"\n"), ("c", b" " + SECRET + b"\r\n")):
        (tmp_path / name).write_bytes(content)
        assert read_key(tmp_path / "study", tmp_path / name).secret == SECRET


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "only 0 bytes"), (b"fifteen bytes..", "only 15 bytes"), (b"  ", "only 0"), (b"x" * 4097, "more than 4,096")],
)  # fmt: skip
def test_keys_of_the_wrong_length_are_refused(content, message, tmp_path):
    (tmp_path / "bad.key").write_bytes(content)
    with pytest.raises(InputError, match=rf"bad\.key: {message}"):
        read_key(tmp_path / "study", tmp_path / "bad.key")
    (tmp_path / "study.key").write_bytes(content)
    with pytest.raises(InputError, match=rf"study\.key: {message}"):
        read_key(tmp_path / "study")


def test_keys_that_cannot_be_read_are_told(tmp_path, key):
    with pytest.raises(InputError, match=r"^key: .*none\.key cannot be read \(No such file"):
        read_key(tmp_path / "study", tmp_path / "none.key")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory"):
        read_key(tmp_path / "study", tmp_path)
    if os.geteuid():  # root may read anything
        key.chmod(0)
        with pytest.raises(InputError, match=r"cannot be read \(Permission denied"):
            read_key(tmp_path / "study", key)


def test_a_key_inside_the_study_is_refused(two, tmp_path):
    hidden = two[1]
    with pytest.raises(UsageError, match="passed on with it"):
        read_key(hidden.path, hidden.path / "inner" / "my.key")


def test_a_key_without_pseudonyms_is_refused(hostile, tmp_path, key, capsys):
    assert run(["build", str(hostile), "-o", str(tmp_path / "study"), "--key", str(key)]) == 2
    assert "--pseudonymise" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_a_key_that_came_in_between_is_not_replaced(tmp_path):
    made = read_key(tmp_path / "study")
    assert made.is_new
    made.path.write_bytes(SECRET)
    with pytest.raises(StudyError, match="key cannot be written"):
        save_key(made)
    assert made.path.read_bytes() == SECRET
    assert read_key(tmp_path / "study").secret == SECRET


def test_a_log_without_profiles_or_lists(tmp_path, key):
    log = tmp_path / "log.csv"
    log.write_text("account_id,timestamp\na,2024-03-05T10:00:00Z\nb,2024-03-05T10:00:00Z\n")
    study = build([log], tmp_path / "study", pseudonymise=True, key=key)
    assert set(study.accounts["account_id"]) == {hashed("a"), hashed("b")}
    assert not set(study.posts["content_id"]) & set(read_logs([log]).posts["content_id"])
    assert dict(study.rejected.schema) == REJECTED.dtypes


def test_a_list_of_nobody_stays_one(tmp_path, key):
    log = tmp_path / "log.ndjson"
    posts = [{"account_id": "a", "timestamp": f"2024-03-05T10:0{n}:00Z"} for n in range(3)]
    lists = [{"mentions": []}, {"mentions": ["ana", "ben"]}, {}]
    log.write_text("\n".join(json.dumps(post | one) for post, one in zip(posts, lists, strict=True)))
    study = build([log], tmp_path / "study", pseudonymise=True, key=key)
    assert study.posts["mentions"].to_list() == [[], [hashed("ana"), hashed("ben")], None]
