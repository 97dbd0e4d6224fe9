"""What a French reader gets: the screen, what `explain` says and the page, with no English left and nobody named."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.errors import UsageError
from propgraph.report.explain.explain import explain
from propgraph.report.page.report import write_report
from propgraph.words.said import Said
from tests.test_report_page import all_of

#: Words that stand in nearly every English sentence, and in no French one.
ENGLISH = re.compile(
    r"\b(the|of|and|that|their|they|with|which|where|from|by|is|are|was|were|others|posts|accounts|not|to|in|it)\b"
)


def english(texts):
    """Texts with two such words or more that are told by nobody's post, command or file."""
    return [one for one in texts if len({word.lower() for word in ENGLISH.findall(one)}) > 1]


class Prose(HTMLParser):
    """The text of a page without its style, script, commands and what is marked as English."""

    def __init__(self, text):
        super().__init__()
        self.depth, self.texts, self.skipped = 0, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if self.skipped and tag == self.skipped[0]:
            self.skipped.append(tag)
        elif not self.skipped and (
            tag in ("style", "script", "code") or dict(attributes).get("lang") == "en"
        ):
            self.skipped = [tag]
        self.texts += [value for name, value in attributes if name in ("aria-label", "data-filter") and value]

    def handle_endtag(self, tag):
        if self.skipped and tag == self.skipped[0]:
            self.skipped.pop()

    def handle_data(self, data):
        if not self.skipped and data.strip():
            self.texts.append(data.strip())


@pytest.fixture(scope="module")
def page(small_study, tmp_path_factory):
    """The page for the public, on which no post is quoted."""
    path = tmp_path_factory.mktemp("french") / "report.html"
    write_report(path, small_study, audience="public", language="fr")
    return path.read_text(encoding="utf-8")


def test_the_check_finds_english():
    assert english(["where others are", "la part des comptes"]) == ["where others are"]


def test_the_page_is_in_french(page):
    assert '<html lang="fr">' in page
    texts = Prose(page).texts
    assert len(texts) > 500
    assert english(texts) == []
    assert "Ce qu’on ne peut pas savoir" in texts
    assert not re.search(
        r"\d,\d{3}\b|\d\.\d\d\b(?!\.)", " ".join(text for text in texts if "[.]" not in text)
    )


def test_the_french_page_names_nobody_to_the_public_either(small_study, page):
    public, hosts = all_of(page), " ".join(small_study.sites["site"])
    posts, accounts = small_study.posts, small_study.accounts
    for column in (
        accounts["account_id"], accounts["name"], posts["content_id"], posts["target_id"], posts["text"]
    ):  # fmt: skip
        assert [one for one in column.drop_nulls().unique() if one in public and one not in hosts] == []


def test_an_account_in_the_facts_of_a_sentence_is_taken_out_of_it(own_study, tmp_path):
    member = own_study.members["account_id"][0]
    kept = Said("why.fans", {"value": 0.7, "account": member}).as_json()
    own_study.evidence.with_columns(said=pl.lit(kept)).write_parquet(own_study.file("evidence"))
    write_report(tmp_path / "fr.html", own_study, audience="public", language="fr")
    text = all_of((tmp_path / "fr.html").read_text(encoding="utf-8"))
    assert "remontent à un seul compte, [un compte], qui" in text
    assert member not in text


def test_the_same_study_gives_the_same_french_page(small_study, page, tmp_path):
    write_report(tmp_path / "again.html", small_study, audience="public", language="fr")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_each_sentence_kept_says_in_english_what_stands_beside_it(small_study):
    told = [small_study.evidence.select("sentence", "said")]
    told += [small_study.readings.select(f"speaks_{way}", f"said_{way}") for way in ("for", "against")]
    rows = [row for frame in told for row in frame.rows()]
    assert len(rows) > 20
    for sentence, kept in rows:
        assert Said.from_json(kept).english == sentence
        french = Said.from_json(kept).told("fr")
        assert french != sentence
        assert english([re.sub("«.*?»", "", french)]) == []


def test_what_explain_says_is_in_french(small_study):
    account = small_study.members["account_id"][0]
    pair = ",".join(small_study.members["account_id"][:2])
    post = small_study.evidence["content_ids"][0][0]
    site, campaign = small_study.sites["site"][0], small_study.campaigns["campaign_id"][0]
    for what in ("c1", "c1:at-once", campaign, account, pair, site, post):
        document = explain(small_study, what, language="fr")
        # Posts are quoted where one post is explained.
        lines = [line for part in document.parts for line in part.lines if part.heading != "La publication"]
        lines = [re.sub("`.*?`|«.*?»", "", line) for line in lines]
        assert english([document.title, *lines, *(part.heading for part in document.parts)]) == []
        page, text = document.as_html(), document.as_markdown()
        assert '<html lang="fr">' in page
        columns = {name for part in document.parts if part.table is not None for name in part.table.columns}
        raw = {name for name in columns if "_" in name}
        assert not [name for name in raw if f">{name}</th>" in page or f"| {name} |" in text]
    assert explain(small_study, "c1:at-once").title == "c1: at-once"  # English again


def test_the_screens_are_in_french(small_study, capsys):
    assert run(["clusters", str(small_study.path), "--language", "fr"]) == 0
    screen = capsys.readouterr().out
    assert english([re.sub(r"--\S+|«.*?»|\S*https?:\S+", "", line) for line in screen.splitlines()]) == []
    assert "grappes signalées sur" in screen
    assert "--language fr" in screen  # the commands to go on with
    for more in ((), ("--operators",)):
        assert run(["sites", str(small_study.path), "--language", "fr", *more]) == 0
        assert english(capsys.readouterr().out.splitlines()) == []
    assert run(["explain", str(small_study.path), "c1", "--language", "fr"]) == 0
    assert "Ce qu’on ne peut pas savoir ici" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["clusters"], ["sites"], ["explain", "c1"], ["report", "-o", "x.html"]])
def test_an_unknown_language_is_refused(small_study, command, capsys):
    name, *rest = command
    assert run([name, str(small_study.path), *rest, "--language", "tlh"]) == 2
    assert "--language: 'tlh' is not one of en, fr" in capsys.readouterr().err
    with pytest.raises(UsageError, match="not one of en, fr"):
        explain(small_study, "c1", language="tlh")


def test_what_holds_what_would_be_found_and_what_changed_are_told_in_french(own_study, capsys):
    path = str(own_study.path)
    asked = ["--sizes", "5", "--objects", "3", "--spans", "1m", "--runs", "1"]
    french = {
        ("stability", path, "--runs", "2"): "grappes signalées tiennent dans la moitié des essais ou plus",
        ("power", path, *asked): "Équipes placées dans ce corpus, présentes toutes entières",
        ("compare", path, path): "grappes signalées avant ou après : inchangé : 2",
    }
    english = r"\b(holds?|of the|clusters?|flagged|accounts|stayed|each|crews?)\b"
    for command, said in french.items():
        assert run([*command, "--language", "fr"]) == 0
        told = " ".join(capsys.readouterr().out.split()).replace("\u00a0", " ").replace("\u202f", " ")
        assert said in told, command
        assert not re.search(english, told), (command, re.search(english, told))
        assert run([*command, "--language", "de"]) == 2
        assert "--language" in capsys.readouterr().err
