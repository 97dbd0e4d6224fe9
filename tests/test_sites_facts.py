from __future__ import annotations

import json

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.pseudonyms.keys import Key, pseudonyms
from propgraph.schema import SITE_FACTS
from propgraph.sites.facts import (
    MOST_SITES,
    counted,
    forms_of_sites,
    owners_of,
    read_sites,
    with_hidden_names,
)


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def facts_of(path):
    found = read_sites(path)
    assert found.facts.schema == SITE_FACTS.dtypes
    return found, {row[:3]: row[3:] for row in found.facts.rows()}


def test_sites_come_in_one_form_and_every_column_is_a_fact(tmp_path):
    path = written(
        tmp_path / "s.csv",
        "Domain,Date Registered,registrant,Colour of logo\n"
        "http://WWW.A.com/about,2016-01-02,Bob  Smith,red\nb.co.uk,2016-01-03,bob smith,NA\nmade-up.example,,,\n",
    )
    found, facts = facts_of(path)
    assert facts == {
        ("a.com", "colour_of_logo", "red"): (1, False),
        ("a.com", "registered", "2016-01-02"): (1, False),
        ("a.com", "registrant", "Bob Smith"): (2, True),
        ("b.co.uk", "registered", "2016-01-03"): (1, False),
        ("b.co.uk", "registrant", "Bob Smith"): (2, True),
    }
    assert found.notes == []
    (told,) = found.record
    assert (told["rows"], told["used"], told["left_out"]) == (3, 3, {})
    assert sorted(told["facts"]) == ["colour_of_logo", "registered", "registrant"]


@pytest.mark.parametrize("header", ["Site,site", "SITE, site", "site,Site"])
def test_of_two_columns_that_name_a_site_the_first_does(tmp_path, header):
    _, facts = facts_of(written(tmp_path / "s.csv", f"{header},owner\na.com,b.com,Ann\n"))
    assert facts == {("a.com", "owner", "Ann"): (1, False), ("a.com", "site", "b.com"): (1, False)}


def test_bad_rows_are_counted_with_their_reason(tmp_path):
    path = written(
        tmp_path / "s.csv",
        "site,owner\nno site at all,x\n,y\nfacebook.com/somebody,z\nfacebook.com,Meta\nok.com,w\n",
    )
    found, facts = facts_of(path)
    assert set(facts) == {("facebook.com", "owner", "Meta"), ("ok.com", "owner", "w")}
    (told,) = found.record
    assert (told["rows"], told["used"]) == (5, 2)
    assert told["left_out"] == {
        "without a site": 1,
        "not the address of a site ('no site at all')": 1,
        "pages of a platform, which are no sites ('facebook.com/somebody')": 1,
    }
    assert len(found.notes) == 3


def test_several_values_in_a_cell_and_several_tables(tmp_path):
    one = tmp_path / "one.parquet"
    pl.DataFrame({"site": ["a.com", "b.com"], "ad_id": [["p1", "p2"], ["p2"]]}).write_parquet(one)
    two = tmp_path / "two.jsonl"
    two.write_text(
        json.dumps({"url": "c.com", "adsense_id": "p2; p3", "title": "us | them"}) + "\n", encoding="utf-8"
    )
    found, facts = facts_of([one, two])
    assert facts["b.com", "ad_id", "p2"] == (3, True)
    assert facts["c.com", "title", "us | them"] == (1, False)
    assert {key for key in facts if key[0] == "c.com"} == {
        ("c.com", "ad_id", "p2"), ("c.com", "ad_id", "p3"), ("c.com", "title", "us | them"),
    }  # fmt: skip
    assert [told["rows"] for told in found.record] == [2, 1]


def test_a_value_that_many_hold_or_a_proxys_ties_nobody():
    def ties(n, value="x", fact="registrant", n_sites=50):
        rows = [(f"s{k}.com", fact, value) for k in range(n)]
        rows += [(f"s{k}.com", "kind", "blog") for k in range(n_sites)]
        table = counted(pl.DataFrame(rows, schema=["site", "fact", "value"], orient="row"))
        return table.filter(fact=fact)["ties"].to_list()

    assert ties(MOST_SITES) == [True] * MOST_SITES
    assert ties(MOST_SITES + 1) == [False] * (MOST_SITES + 1)
    # One per cent of 1,100 sites is 11.
    assert ties(11, n_sites=1100) == [True] * 11
    assert ties(12, n_sites=1100) == [False] * 12
    assert ties(1) == [False]
    for proxy in ("REDACTED FOR PRIVACY", "Domains By Proxy, LLC", "WhoisGuard Protected", "unavailable"):
        assert ties(3, proxy) == [False] * 3
    # A hoster's address, a date and whatever is not known to name one hand do not tie.
    for fact in ("ip", "network", "registered", "label", "colour"):
        assert ties(3, fact=fact) == [False] * 3


@pytest.mark.parametrize(
    "name",
    ["Privacy Protect, LLC (PrivacyProtect.org)", "Contact Privacy Inc. Customer 0123", "Registration Private",
     "Withheld for Privacy ehf", "Private by Design, LLC", "See PrivacyGuardian.org", "GDPR Redacted", "private",
     "Redacted | Registry Policy", "unknown registrant", "Name withheld", "c/o whoisproxy.com", "Proxy Protection LLC",
     "Identity Protection Service", "Perfect Privacy, LLC", "PrivacyDotLink Customer 12", "Data Privacy Protected"],
)  # fmt: skip
def test_who_hides_a_name_is_nobody(name):
    facts = pl.DataFrame({"site": ["a.com", "b.com"], "fact": ["owner"] * 2, "value": [name] * 2})
    assert owners_of(facts).is_empty()
    assert counted(facts)["ties"].to_list() == [False, False]


@pytest.mark.parametrize(
    "name",
    ["Private Eye", "Pressdram Ltd (Private Eye)", "Privacy International", "Unknown Worlds Entertainment",
     "Undisclosed Podcast LLC", "The Proxy Magazine", "Anonymous News Network", "Electronic Privacy Information Center",
     "Private Equity News", "Domain Media Group", "Hidden Brain Media", "Redacted Media"],
)  # fmt: skip
def test_a_name_that_holds_such_a_word_is_somebodys(name):
    facts = pl.DataFrame({"site": ["a.com", "b.com"], "fact": ["owner"] * 2, "value": [name] * 2})
    assert owners_of(facts)["owner"].to_list() == [name] * 2
    assert counted(facts)["ties"].to_list() == [True, True]


@pytest.mark.parametrize(
    "written",
    ["2016-01-31", "2016-01-31T22:10:00Z", "2016/01/31", "20160131", "31.01.2016", "31-Jan-2016", "31 January 2016",
     "Jan 31, 2016", "01/31/2016", "31/01/2016", "2016-01-31 10:00:00 UTC", "1454198400", "Sun Jan 31 2016"],
)  # fmt: skip
def test_dates_of_registration_in_whatever_form_become_days(tmp_path, written_to, written):
    found, facts = facts_of(written_to(f'site,registered\na.com,"{written}"\n'))
    assert list(facts) == [("a.com", "registered", "2016-01-31")]
    assert (found.notes, found.record[0]["dates_not_read"]) == ([], 0)


@pytest.fixture
def written_to(tmp_path):
    return lambda text: written(tmp_path / "s.csv", text)


def test_all_dates_of_a_table_tell_which_number_is_the_month(written_to):
    _, facts = facts_of(written_to("site,creation_date\na.com,03/05/2016\nb.com,25/05/2016\n"))
    assert [key[2] for key in facts] == ["2016-05-03", "2016-05-25"]
    found, facts = facts_of(written_to("site,creation_date\na.com,03/05/2016\n"))
    assert [key[2] for key in facts] == ["2016-03-05"]
    (note,) = found.notes
    assert "read as MDY (month, day and year by their letters), and 1 would be another day as DMY" in note


def test_dates_that_cannot_be_read_are_told_and_stay(written_to):
    rows = "a.com,2016-01-02\nb.com,spring 2015\nc.com,before 2000\nd.com,2016-13-45\ne.com,1916-01-02\n"
    found, facts = facts_of(written_to(f"site,registered\n{rows}"))
    assert [key[2] for key in facts] == [
        "2016-01-02",
        "spring 2015",
        "before 2000",
        "2016-13-45",
        "1916-01-02",
    ]
    assert found.record[0]["dates_not_read"] == 4
    (note,) = found.notes
    assert (
        "4 of 5 dates of registration cannot be read ('spring 2015', 'before 2000', '2016-13-45', ...)"
        in note
    )
    # A year alone is no day, and no second of 1970 either.
    found, facts = facts_of(written_to("site,registered\na.com,2016\n"))
    assert list(facts) == [("a.com", "registered", "2016")]
    assert found.record[0]["dates_not_read"] == 1


def test_a_table_without_sites_is_told_what_it_lacks(tmp_path):
    path = written(tmp_path / "s.csv", "name,owner\na.com,x\n")
    with pytest.raises(
        InputError, match=r"s\.csv: no column names the site.*site, domain, url.*Found: name, owner"
    ):
        read_sites(path)
    with pytest.raises(InputError, match="no such file"):
        read_sites(tmp_path / "none.csv")


def test_a_table_of_names_alone_is_told(tmp_path):
    found = read_sites(written(tmp_path / "s.csv", "site,\na.com,\n"))
    assert found.facts.is_empty()
    assert found.notes == [f"{tmp_path / 's.csv'}: names sites, but has no column with a fact about them"]


def test_forms_of_sites():
    raw = [
        "https://m.a.co.uk/x",
        "b.wordpress.com",
        "unlisted.example",
        " c.com ",
        "word",
        "1.2.3.4",
        "a b.com",
        "t.co/x",
    ]
    found = {row[0]: row[1:] for row in forms_of_sites(pl.Series(raw)).rows()}
    assert found == {
        "https://m.a.co.uk/x": ("a.co.uk", False), "b.wordpress.com": ("b.wordpress.com", False),
        "unlisted.example": ("unlisted.example", False), " c.com ": ("c.com", False), "word": (None, False),
        "1.2.3.4": ("1.2.3.4", False), "a b.com": (None, False), "t.co/x": ("t.co", True),
    }  # fmt: skip


def test_pseudonyms_for_what_leads_to_a_person(tmp_path):
    key = Key(b"sixteen bytes or more", tmp_path / "k")
    rows = [
        ("a.com", "registrant", "Bob"),
        ("b.com", "registrant", "bob"),
        ("a.com", "registered", "2016-01-02"),
    ]
    rows += [("a.com", "title", "Bob's page"), ("a.com", "kind", "blog"), ("a.com", "favourite", "Ana")]
    facts = counted(pl.DataFrame(rows, schema=["site", "fact", "value"], orient="row"))
    hidden = with_hidden_names(facts, key=key)
    bob, ana = pseudonyms(pl.Series(["bob", "ana"]), key=key)
    assert hidden.select("site", "fact", "value").rows() == [
        ("a.com", "favourite", ana), ("a.com", "kind", "blog"), ("a.com", "registered", "2016-01-02"),
        ("a.com", "registrant", bob), ("b.com", "registrant", bob),
    ]  # fmt: skip
    assert hidden.filter(fact="registrant")["ties"].to_list() == [True, True]


def test_who_is_nobody_owns_nothing(tmp_path):
    rows = [
        ("a.com", "owner", "Bob"),
        ("b.com", "owner", "Redacted for privacy"),
        ("b.com", "owner", "undisclosed"),
    ]
    facts = counted(pl.DataFrame(rows, schema=["site", "fact", "value"], orient="row"))
    assert owners_of(facts).rows() == [("a.com", "Bob")]
    hidden = with_hidden_names(facts, key=Key(b"sixteen bytes or more", tmp_path / "k"))
    assert owners_of(hidden)["site"].to_list() == ["a.com"]
    assert hidden.filter(site="b.com").select("fact", "value").rows() == [("owner", "undisclosed")]


LOG = pl.DataFrame(
    {
        "content_id": [f"p{k}" for k in range(6)],
        "account_id": ["ana", "bo", "cy"] * 2,
        "timestamp": [1_700_000_000 + 60 * k for k in range(6)],
        "url": ["https://a.com/1"] * 3 + ["https://b.com/1"] * 3,
    }
)


def test_build_keeps_facts_and_clusters_takes_others_in_their_place(tmp_path):
    first = written(tmp_path / "first.csv", "site,owner\na.com,Bob\nb.com,Bob\nelse.com,Bob\n")
    study = build(LOG, tmp_path / "s", sites=first)
    assert study.site_facts.height == 3
    assert "1 of the 3 sites of the tables of sites are not shared in this log" in study.run["build"]["notes"]
    study = find_clusters(study)
    assert study.site_facts.height == 3
    assert study.site_pairs.select("source", "target", "shared_facts").rows() == [
        ("a.com", "b.com", ["owner=Bob"])
    ]
    second = written(tmp_path / "second.csv", "site,owner\na.com,Ana\n")
    study = find_clusters(study, sites=[second])
    assert study.site_facts.rows() == [("a.com", "owner", "Ana", 1, False)]
    assert study.run["clusters"]["sites"][0]["rows"] == 1
    assert study.site_pairs.is_empty()
    # What the last run was given stays.
    assert find_clusters(study).site_facts.height == 1


def test_a_study_with_pseudonyms_names_no_owner(tmp_path):
    table = written(tmp_path / "s.csv", "site,owner,title\na.com,Bob Smith,About Bob\nb.com,BOB SMITH,\n")
    study = build(LOG, tmp_path / "s", sites=table, pseudonymise=True)
    at_once = study.site_facts
    assert at_once["fact"].to_list() == ["owner", "owner"]
    assert at_once["value"].n_unique() == 1
    assert not at_once["value"].str.contains("(?i)bob").any()
    later = find_clusters(study, sites=table)
    assert later.site_facts.equals(at_once)
    (tmp_path / "s.key").unlink()
    with pytest.raises(InputError, match="not the key of this study's pseudonyms"):
        find_clusters(later, sites=table)
    assert find_clusters(later).site_facts.equals(at_once)
