from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.schema import COPIES, SITE_PAIRS
from propgraph.sites.articles import read_articles, read_known_sites
from propgraph.sites.copies import MIN_SIMILARITY, copies_in_log, find_copies, with_copies

START = datetime(2020, 1, 1, tzinfo=UTC)
NO_OWNERS = pl.DataFrame(schema={"site": pl.String, "owner": pl.String})
NO_FACTS = pl.DataFrame(schema={"site": pl.String, "fact": pl.String, "value": pl.String})
NO_LINKS = pl.DataFrame(schema={"url": pl.String, "timestamp": pl.Datetime("ms", "UTC")})


def text_of(story, n=80):
    """A text of its own for each story."""
    rng = np.random.default_rng(story)
    return " ".join(f"w{k}" for k in rng.integers(0, 3000, n))


def changed(text, part, seed=0):
    words = np.array(text.split(), dtype=object)
    rng = np.random.default_rng(seed)
    place = rng.permutation(words.size)[: round(part * words.size)]
    words[place] = [f"other{k}" for k in rng.integers(0, 3000, place.size)]
    return " ".join(words)


def articles(*rows):
    """Rows of site, story or text, hour; and `credit`, if any, behind it."""
    table = [
        (
            f"https://{site}/{k}",
            text_of(story) if isinstance(story, int) else story,
            START + timedelta(hours=hour),
            *(rest or ("",)),
        )
        for k, (site, story, hour, *rest) in enumerate(rows)
    ]
    frame = pl.DataFrame(table, schema=["url", "text", "published", "title"], orient="row")
    return read_articles(frame)[0]


def found(*rows, owners=NO_OWNERS):
    copies = find_copies(articles(*rows), owners)
    assert copies.pairs.schema == COPIES.dtypes
    return copies


def site_row(copies, site):
    return copies.sites.row(by_predicate=pl.col("site") == site, named=True)


def test_who_copied_whom_by_hand():
    rows = [row for k in range(6) for row in (("paper.org", k, 10 * k), ("farm.info", k, 10 * k + 2 + k % 2))]
    copies = found(*rows, ("farm.info", 99, 5), ("other.net", 98, 7))
    [pair] = copies.pairs.to_dicts()
    assert (pair["site"], pair["source_site"]) == ("farm.info", "paper.org")
    assert (pair["n_articles"], pair["n_shared"], pair["n_copied"]) == (7, 6, 6)
    assert pair["median_lag_s"] == 2.5 * 3600
    # Six coins, all heads; of two ordered pairs the smaller p-value.
    assert pair["p_value"] == pytest.approx(1 / 64)
    assert pair["q_value"] == pytest.approx(2 / 64)
    assert len(pair["urls"]) == 5
    farm, paper = site_row(copies, "farm.info"), site_row(copies, "paper.org")
    assert (farm["n_articles"], farm["n_shared"], farm["n_copied"]) == (7, 6, 6)
    assert (farm["n_compared"], farm["n_later"], farm["sources"]) == (6, 6, ["paper.org"])
    assert (paper["n_copied"], paper["n_later"]) == (0, 0)
    assert copies.urls.height == 6


@pytest.mark.parametrize(("part", "is_copy"), [(0.0, True), (0.05, True), (0.15, True), (0.6, False)])
def test_how_many_words_may_be_changed(part, is_copy):
    caught = [
        found(("a.org", k, 0), ("b.org", changed(text_of(k), part, seed=k), 3)).urls.height for k in range(10)
    ]
    assert sum(caught) == (10 if is_copy else 0)


def slow_similarity(one, other):
    runs = [
        {tuple(words[k : k + 3]) for k in range(len(words) - 2)} for words in (one.split(), other.split())
    ]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


def test_near_is_what_runs_of_three_words_say():
    # Around the bound: a pair is a copy where the plain Jaccard similarity of its runs says so.
    for k in range(40):
        text = text_of(k)
        other = changed(text, 0.1 + 0.4 * k / 40, seed=k)
        similarity = slow_similarity(text, other)
        if abs(similarity - MIN_SIMILARITY) > 0.01:
            got = found(("a.org", text, 0), ("b.org", other, 3)).urls.height
            assert (
                got == (similarity >= MIN_SIMILARITY) or similarity < 0.35
            )  # 2 in 100 at the bound are missed
            assert not (got and similarity < MIN_SIMILARITY)


def test_directions_that_differ_are_nobodys_copies():
    rows = []
    for k in range(12):
        first, second = ("a.org", "b.org") if k % 2 else ("b.org", "a.org")
        rows += [(first, k, 10 * k), (second, k, 10 * k + 1)]
    copies = found(*rows)
    assert copies.pairs["n_copied"].to_list() == [6, 6]
    assert copies.pairs["q_value"].min() > 0.5
    assert copies.sites["copies_q"].min() > 0.5


def test_equal_times_have_no_direction():
    copies = found(*(row for k in range(6) for row in (("a.org", k, k), ("b.org", k, k))))
    assert copies.pairs.is_empty()
    assert copies.urls.is_empty()
    assert site_row(copies, "a.org")["n_shared"] == 6


@pytest.mark.parametrize(
    "credit",
    [
        "(Reuters)",
        "Paris (AFP) -",
        "[dpa/lno]",
        "An Associated Press story",
        "The Orvin News Agency says",
        "Quelle: x.de",
        "First published on paper.org",
    ],
)
def test_who_is_named_is_not_copied(credit):
    rows = [row for k in range(6) for row in (("a.org", k, 10 * k), ("b.org", k, 10 * k + 1, credit))]
    copies = found(*rows)
    assert copies.urls.is_empty()
    assert copies.pairs.is_empty()
    assert site_row(copies, "b.org")["copies_q"] is None


@pytest.mark.parametrize("word", ["a map", "AP", "(a map of it)", "sources say", "reuters"])
def test_words_that_name_nobody(word):
    rows = [row for k in range(6) for row in (("a.org", k, 10 * k), ("b.org", k, 10 * k + 1, word))]
    assert found(*rows).urls.height == 6


def test_an_agencys_stories_are_told_by_who_has_them():
    # Twelve stories on six papers, another one first each time; nobody is named.
    papers = [f"p{k}.org" for k in range(6)]
    rows = [(papers[(k + place) % 6], k, 10 * k + place) for k in range(12) for place in range(6)]
    assert found(*rows).urls.is_empty()
    # Fourteen on one paper and five of seven farms, which are never first: copies.
    farms = [f"f{k}.info" for k in range(7)]
    rows = [("paper.org", k, 10 * k) for k in range(14)]
    rows += [(farms[(k + place) % 7], k, 10 * k + 1 + place) for k in range(14) for place in range(5)]
    copies = found(*rows)
    assert copies.urls.height == 14 * 5
    # Each has ten of the stories, and is held against the paper, not against other farms.
    for farm in farms:
        assert (site_row(copies, farm)["n_compared"], site_row(copies, farm)["n_later"]) == (10, 10)
        assert site_row(copies, farm)["copies_q"] == pytest.approx(
            8 / 7 / 1024
        )  # seven of eight sites tested


def test_editions_of_one_house_are_no_copies():
    by_name = [row for k in range(6) for row in (("bbc.com", k, 10 * k), ("bbc.co.uk", k, 10 * k + 1))]
    assert found(*by_name).urls.is_empty()
    rows = [row for k in range(6) for row in (("east.org", k, 10 * k), ("west.org", k, 10 * k + 1))]
    owners = pl.DataFrame({"site": ["east.org", "west.org"], "owner": ["Acme", "Acme"]})
    assert found(*rows, owners=owners).urls.is_empty()
    assert found(*rows).urls.height == 6
    # A house that had it from elsewhere: the first of its editions tells.
    third = [("third.net", k, 10 * k + 0.5) for k in range(6)]
    assert found(*rows, *third, owners=owners).urls["url"].str.contains("third").all()


def test_a_site_that_prints_its_own_text_again_copies_nobody():
    rows = [
        row
        for k in range(6)
        for row in (("a.org", k, 10 * k), ("b.org", k, 10 * k + 1), ("a.org", k, 10 * k + 2))
    ]
    assert found(*rows).urls["url"].str.contains("b.org").all()


def test_undated_articles_count_from_their_first_share():
    table = pl.DataFrame(
        {"url": ["https://a.org/1", "https://b.org/1", "https://c.org/1"], "text": [text_of(1)] * 3}
    )
    pages, notes = read_articles(table)
    assert notes == []
    links = pl.DataFrame(
        {
            "url": ["https://b.org/1", "https://a.org/1", "https://b.org/1"],
            "timestamp": [START + timedelta(hours=hour) for hour in (5, 2, 1)],
        },
        schema_overrides={"timestamp": pl.Datetime("ms", "UTC")},
    )  # fmt: skip
    copies = copies_in_log(pages, links, NO_FACTS)
    assert copies.n_undated == 1
    assert copies.urls["url"].to_list() == ["https://a.org/1"]


def test_rows_in_any_order():
    rows = [(f"s{k % 7}.org", k // 3, (k * 37) % 50) for k in range(60)]
    table = articles(*rows)
    one = find_copies(table, NO_OWNERS)
    for seed in range(3):
        other = find_copies(table.sample(fraction=1, shuffle=True, seed=seed), NO_OWNERS)
        assert one.pairs.equals(other.pairs)
        assert one.sites.equals(other.sites)
        assert one.urls.equals(other.urls)


def test_nothing_and_scripts_without_blanks():
    assert found().pairs.is_empty()
    chinese = "".join(chr(0x4E00 + (7 * k) % 900) for k in range(200))
    assert found(("a.cn", chinese, 0), ("b.cn", chinese[:150], 1)).urls.height == 1
    assert found(("a.cn", chinese, 0), ("b.cn", chinese[::-1], 1)).urls.is_empty()


def test_reading_tells_what_it_leaves_out(tmp_path):
    file = tmp_path / "articles.csv"
    file.write_text(
        "url,text,published\n"
        "http://www.a.org/1?utm_source=x,one two three four five,2020-01-02T00:00:00Z\n"
        "a.org/1,one two three four five,2020-01-01T00:00:00Z\n"
        "not an address,one two three four five,2020-01-01\n"
        "https://b.org/1,too short,2020-01-01\n"
        '"https://c.org/\x1b[31m",<script>alert(1)</script> one two three four,\n'
    )
    pages, notes = read_articles(file)
    assert pages.select("site", "published").rows()[0] == ("a.org", START)
    assert pages["site"].to_list() == ["a.org", "c.org"]
    assert len(notes) == 3
    assert "1 of 5 rows have no web address" in notes[0]
    assert "1 of 5 rows have no text of four words" in notes[1]
    assert "1 rows are of an address that another row has" in notes[2]


@pytest.mark.parametrize(
    ("content", "words"),
    [("url,title\nx,y\n", "'text'"), ("url,text,published\na.org/1,a b c d,yesterday-ish\n", "published")],
)
def test_tables_that_cannot_be_read(tmp_path, content, words):
    file = tmp_path / "articles.csv"
    file.write_text(content)
    with pytest.raises(InputError, match=words):
        read_articles(file)


def test_known_sites(tmp_path):
    file = tmp_path / "known.csv"
    file.write_text("site\nwww.BBC.co.uk\nhttps://cnn.com/world\n\nnot a site\n")
    assert read_known_sites(file) == ["bbc.co.uk", "cnn.com"]
    file.write_text("site\nnothing here\n")
    with pytest.raises(InputError, match="names no site"):
        read_known_sites(file)


def test_pairs_of_sites_get_their_copies():
    rows = [row for k in range(3) for row in (("a.org", k, 10 * k), ("b.org", k, 10 * k + 1))]
    copies = found(*rows, ("b.org", 7, 0), ("a.org", 7, 5)).pairs
    pairs = SITE_PAIRS.conform(pl.DataFrame({"source": ["a.org", "a.org"], "target": ["b.org", "c.org"]}))
    filled = with_copies(pairs, copies)
    assert filled.schema == SITE_PAIRS.dtypes
    assert filled["n_copies"].to_list() == [4, 0]
    assert filled["median_copy_lag_s"].to_list() == [3600, None]
