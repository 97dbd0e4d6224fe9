"""The page: whole, by itself, nobody's text markup, nothing shown to whom it is not for."""

from __future__ import annotations

import csv
import io
import random
import re
from base64 import b64decode, b64encode
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.errors import InputError, StudyError, UsageError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.report.explain.timeline import timeline
from propgraph.report.page.audience import AUDIENCES, Redaction
from propgraph.report.page.events import read_events
from propgraph.report.page.markup import defanged, prose, shown, table
from propgraph.report.page.report import write_report
from propgraph.schema import OWN_COLUMNS
from tests.test_export_network import HOSTILE

START = datetime(2020, 1, 1, tzinfo=UTC)
VOID = {"meta", "input", "br", "link", "img", "hr"}
SECTIONS = [
    "minute", "glance", "timeline", "map", "cards", "sites", "cascades", "nearest", "limits", "method", "annex",
    "review-sheet",
]  # fmt: skip


class Page(HTMLParser):
    """Elements, attributes and text of a page; complains of what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        assert len(dict(attributes)) == len(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append((self.open[-1] if self.open else None, data))


def written(study, path, **options):
    write_report(path, study, **options)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(small_study, tmp_path_factory):
    return written(small_study, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A crew of hostile ids and names that posts hostile texts, flagged."""
    rows, chance = [], random.Random(7)
    for k in range(8):
        begin = 5000 * k + 300 + 600 * (3 * k % 8)
        url = f'https://evil.example/"><script>alert({k})</script>'
        for j, who in enumerate(HOSTILE):
            rows.append((who, f"{who} too", f"<b onclick=alert(1)>{who[:300]}</b>", begin + j, url))
        for j in range(20):
            second = 5000 * k + 300 + chance.randrange(4600)
            rows.append((f"s{j}", f"stranger {j}", "text", second, url))
    log = pl.DataFrame(
        {
            "content_id": [f"{who[:50]} {k}" for k, (who, *_) in enumerate(rows)],
            "account_id": [row[0] for row in rows],
            "account_name": [row[1] for row in rows],
            "text": [row[2] for row in rows],
            "timestamp": [START + timedelta(seconds=row[3]) for row in rows],
            "url": [row[4] for row in rows],
            "target_id": [row[0] for row in rows],
        }
    )
    folder = tmp_path_factory.mktemp("hostile")
    log.write_ndjson(folder / "log.ndjson")
    study = find_clusters(build([folder / "log.ndjson"], folder / "study").path)
    assert study.clusters["flagged"].any()
    return study


def asks(elements):
    """What of a page may lead out of it."""
    return [
        (tag, name, value)
        for tag, attributes in elements
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "formaction", "data", "poster", "srcset", "ping")
        if not value.startswith(("data:", "#"))
    ]  # fmt: skip


def own_parts(text):
    """The style and the script of a page."""
    return tuple(re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1] for tag in ("style", "script"))


def test_it_has_its_sections_in_their_order_and_a_link_to_each(page):
    elements = Page(page).elements
    ids = [attributes["id"] for tag, attributes in elements if tag == "section"]
    assert ids == SECTIONS
    inside = {attributes["id"] for _, attributes in elements if "id" in attributes}
    links = {
        attributes["href"][1:] for tag, attributes in elements if tag == "a" and attributes["href"][0] == "#"
    }
    assert set(ids) <= links | {"minute"}
    assert links <= inside
    every = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(every) == len(set(every))


def test_it_is_for_screen_readers_too(page):
    elements = Page(page).elements
    tags = [tag for tag, _ in elements]
    assert tags.count("main") == tags.count("h1") == tags.count("header") == tags.count("nav") == 1
    assert tags.count("table") == tags.count("caption") > 5
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in elements if tag == "th")
    assert dict(elements)["html"]["lang"] == "en"
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    drawings = [attributes for tag, attributes in elements if tag == "svg"]
    assert len(drawings) > 2
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_nothing_on_it_leads_out_and_its_policy_lets_its_own_parts_in(small_study, tmp_path, audience):
    text = written(small_study, tmp_path / "report.html", audience=audience)
    elements = Page(text).elements
    assert asks(elements) == []
    assert "url(" not in text
    assert "@import" not in text
    assert not any(name.startswith("on") or name == "style" for _, one in elements for name in one)
    assert [tag for tag, _ in elements].count("script") == [tag for tag, _ in elements].count("style") == 1
    policy = next(one["content"] for tag, one in elements if tag == "meta" and "http-equiv" in one)
    style, script = (b64encode(sha256(part.encode()).digest()).decode() for part in own_parts(text))
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("audience", AUDIENCES)
def test_hostile_names_texts_and_addresses_stay_text(hostile, tmp_path, audience):
    text = written(hostile, tmp_path / "report.html", audience=audience, title=HOSTILE[0])
    read = Page(text)
    tags = {tag for tag, _ in read.elements}
    assert "b" not in tags
    assert [tag for tag, _ in read.elements].count("script") == 1
    assert not any(name.startswith("on") for _, one in read.elements for name in one)
    assert asks(read.elements) == []
    assert not re.search("https?://", text)
    outside = "".join(data for tag, data in read.text if tag not in ("script", "style"))
    assert not set("\x00\x01\x1b\x7f\u202e\u200b\u2066\u200e") & set(outside)
    if audience != "public":
        assert "<script>alert(1)</script> too" in outside
        assert "hxxps://evil[.]example" in outside
    saved = [
        one["href"].split("base64,")[1] for tag, one in read.elements if tag == "a" and "download" in one
    ]
    assert saved
    for one in saved:
        rows = list(csv.reader(io.StringIO(b64decode(one).decode(), newline="")))
        assert len({len(row) for row in rows}) == 1
        assert not any(cell.lstrip("\u200b ").startswith(("=", "@", "+")) for row in rows for cell in row)


def all_of(text):
    """A page's text, as a reader has it and as it is written, and the tables to take along."""
    read = Page(text)
    saved = [one["href"].split("base64,")[1] for _, one in read.elements if "download" in one]
    inside = "\n".join(
        value for _, one in read.elements for value in one.values() if value and len(value) < 10_000
    )
    return "\n".join(
        [text, "".join(data for _, data in read.text), inside, *(b64decode(one).decode() for one in saved)]
    )


def test_the_public_is_shown_no_account_no_post_no_text_and_no_small_cluster(own_study, tmp_path):
    clusters = own_study.clusters
    assert clusters.height > 2
    small = clusters["cluster_id"][-1]
    clusters.with_columns(
        n_accounts=pl.when(cluster_id=small).then(pl.lit(4, pl.UInt32)).otherwise("n_accounts")
    ).write_parquet(own_study.file("clusters"))
    member = own_study.members["account_id"][0]
    evidence = own_study.evidence
    evidence.with_columns(
        sentence=pl.lit(f"led by {member}, ") + pl.col("sentence") + f" as {small} does"
    ).write_parquet(own_study.file("evidence"))
    everything = all_of(written(own_study, tmp_path / "analyst.html"))
    public = all_of(written(own_study, tmp_path / "public.html", audience="public"))
    assert f"led by {member}" in everything
    assert "led by [an account], " in public
    assert re.search(rf"\b{small}\b", everything)
    assert not re.search(rf"\b{small}\b", public)
    hosts = " ".join(own_study.sites["site"])
    posts, accounts = own_study.posts, own_study.accounts
    for column in (
        accounts["account_id"],
        accounts["name"],
        posts["content_id"],
        posts["target_id"],
        posts["text"],
    ):
        told = [one for one in column.drop_nulls().unique() if one in public and one not in hosts]
        assert told == [], column.name
    assert any(one in everything for one in posts["text"].drop_nulls())
    assert any(one in everything for one in accounts["name"].drop_nulls())


def test_the_platform_is_shown_accounts_and_posts_without_texts(small_study, tmp_path):
    text = all_of(written(small_study, tmp_path / "report.html", audience="platform"))
    assert all(one in text for one in small_study.members["account_id"])
    shown_posts = small_study.evidence.filter(subject_type="cluster")["content_ids"].explode()
    assert all(one in text for one in shown_posts)
    told = {one for one in small_study.posts["text"].drop_nulls() if len(one) > 12 and one in text}
    assert told == set()


def test_names_are_taken_out_whole_and_not_out_of_other_words(own_study):
    accounts = own_study.accounts
    names = ["Ann", "Ann Lee", "12", "12345", "news", "a-b", "-=x=-", *accounts["name"][7:]]
    accounts.with_columns(name=pl.Series(names)).write_parquet(own_study.file("accounts"))
    clear = Redaction(own_study, ["c1"]).text
    assert clear("by Ann Lee and Ann, not Anna") == "by [an account] and [an account], not Anna"
    assert clear("12 of 25, 12345 and (Ann)") == "12 of 25, [an account] and ([an account])"
    assert clear("news on news.example, news") == "[an account] on news.example, [an account]"
    assert clear("pro-Ann a-b c1 c12") == "pro-[an account] [an account] a small cluster c12"
    assert "x=-" not in clear("so says -=x=-")


def test_figures_come_from_the_tables(page, small_study):
    text = re.sub("<[^>]+>", " ", page)
    flagged = small_study.clusters.filter("flagged")
    n, of = int(flagged["n_accounts"].sum()), small_study.accounts.height
    assert f"Of {of:,} accounts with {small_study.posts.height:,} posts, {n:,} ({n / of:.1%})" in text
    assert f"{flagged.height} of {small_study.clusters.height} clusters looked at" in text
    for name in flagged["cluster_id"]:
        assert f'id="cluster-{name}"' in page
        assert f'data-cluster-id="{name}"' in page
    for sentence in small_study.evidence.filter(pl.col("subject_id").is_in(flagged["cluster_id"].implode()))[
        "sentence"
    ]:
        assert prose(sentence) in page


def test_nothing_flagged_is_said(own_study, tmp_path):
    clusters = own_study.clusters.with_columns(flagged=False, score=pl.col("score") * 0.4)
    clusters.write_parquet(own_study.file("clusters"))
    own_study.sites.with_columns(flagged=False).write_parquet(own_study.file("sites"))
    text = written(own_study, tmp_path / "report.html")
    assert "no sign of organised behaviour" in text
    assert "No cluster is flagged, so there is no card." in text
    assert "the most (score" not in text


def test_accounts_on_their_own_are_named_to_those_who_may_know(own_study, tmp_path):
    who = own_study.accounts["account_id"][5]
    row = own_study.evidence.head(1).with_columns(
        subject_type=pl.lit("account"),
        subject_id=pl.lit(who),
        rule=pl.lit("over-and-over"),
        sentence=pl.lit("too often"),
    )
    pl.concat([own_study.evidence, row]).write_parquet(own_study.file("evidence"))
    text = written(own_study, tmp_path / "report.html")
    assert "1 account stands out by itself" in text
    assert f"({who})</th><td>over-and-over</td><td>too often</td>" in text
    text = written(own_study, tmp_path / "report.html", audience="public")
    assert "1 account stands out by itself" in text
    assert who not in text


def test_the_map_can_be_filtered_by_what_is_flagged(page, small_study):
    marked = {one["data-cluster"] for _, one in Page(page).elements if "data-cluster" in one}
    assert set(small_study.clusters.filter("flagged")["cluster_id"]) <= marked
    assert 'querySelectorAll("#map [data-cluster]")' in page


def test_the_same_study_gives_the_same_bytes(small_study, tmp_path):
    one, other = (written(small_study, tmp_path / f"{k}.html", audience="platform") for k in range(2))
    assert one == other


def test_dates_are_marked_and_bad_ones_told(small_study, tmp_path):
    table_of = tmp_path / "dates.csv"
    table_of.write_text("date,label\n2016-11-08T10:00:00Z,<b>Election</b>\n2016-10-28, a letter\n")
    events = read_events(table_of)
    assert events == ((date(2016, 10, 28), "a letter"), (date(2016, 11, 8), "<b>Election</b>"))
    text = written(small_study, tmp_path / "report.html", events=events)
    assert "&lt;b&gt;Election&lt;/b&gt;" in text
    table_of.write_text("date,label\n2016-11-08,x\n8 November,y\n")
    with pytest.raises(InputError, match=r"row 2 has date '8 November' and label 'y'"):
        read_events(table_of)


def test_what_is_asked_wrongly_is_told(small_study, tmp_path, capsys):
    with pytest.raises(UsageError, match="audience"):
        write_report(tmp_path / "x.html", small_study, audience="all")
    assert not (tmp_path / "x.html").exists()
    log = pl.DataFrame(
        {"account_id": ["a", "b"], "timestamp": [START, START], "url": ["https://x.example/1"] * 2}
    )
    study = build(log, tmp_path / "study")
    with pytest.raises(StudyError, match="no clusters yet"):
        write_report(tmp_path / "x.html", study)
    assert run(["report", str(small_study.path), "-o", str(tmp_path / "x.html"), "--audience", "public"]) == 0
    assert "open it in a browser" in capsys.readouterr().out
    assert Page((tmp_path / "x.html").read_text()).elements


def test_addresses_are_text_that_leads_nowhere():
    assert (
        defanged("see HTTPS://a.b-c.example/x.y?z and news.co.uk.")
        == "see hxxps://a[.]b-c[.]example/x.y?z and news[.]co[.]uk."
    )
    assert defanged("run.json and data/ads.csv of a.example") == "run.json and data/ads.csv of a[.]example"
    assert defanged("3.0 on average, e.g. 2.5 s; c1") == "3.0 on average, e.g. 2.5 s; c1"
    assert shown("<a href='http://x.example'>") == "&lt;a href=&#x27;hxxp://x[.]example&#x27;&gt;"
    assert prose("run `propgraph explain my.study c1`") == "run <code>propgraph explain my.study c1</code>"


def test_a_table_names_rows_and_columns():
    made = table(pl.DataFrame({"who": ["<a>"], "n_posts": [1234]}), "Who & what")
    assert made == (
        '<div class="wide" tabindex="0" role="region" aria-label="Who &amp; what"><table>'
        '<caption>Who &amp; what</caption><thead><tr><th scope="col">who</th>'
        '<th scope="col" class="n">n posts</th></tr></thead><tbody><tr>'
        '<th scope="row">&lt;a&gt;</th><td class="n">1,234</td></tr></tbody></table></div>'
    )
    assert table(pl.DataFrame({"who": []}), "none") == ""


def test_columns_of_ones_own_stand_beside_posts_but_not_for_the_public(own_study, tmp_path):
    first = own_study.evidence.filter(subject_type="cluster", subject_id="c1")["content_ids"][0][0]
    rows = {"content_id": [first, first], "column": ["desk", "note"], "value": ["<b>ostdesk9</b>", "w" * 99]}
    OWN_COLUMNS.conform(pl.DataFrame(rows)).write_parquet(own_study.file("own_columns"))
    told = "desk: &lt;b&gt;ostdesk9&lt;/b&gt;; note: " + "w" * 59 + "…"
    assert told in written(own_study, tmp_path / "report.html")
    for audience in ("public", "platform"):
        assert "ostdesk9" not in written(own_study, tmp_path / "report.html", audience=audience)
    (shown,) = [
        row for row in timeline(own_study, [first], most=1).to_dicts() if row["besides"].startswith("desk")
    ]
    assert shown["post"] == first
    OWN_COLUMNS.empty().write_parquet(own_study.file("own_columns"))
    assert "besides" not in timeline(own_study, [first], most=1).columns
