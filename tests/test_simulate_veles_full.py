"""The full setting of the Veles simulation: its truth holds in the log, and innocents do what they are named for."""

from __future__ import annotations

import gzip
import re

import polars as pl
import pytest

from propgraph.errors import UsageError
from propgraph.simulate.look_alikes import N_ADMINS, N_DESK, N_SECTIONS, N_VOLUNTEERS
from propgraph.simulate.site_facts import CHAIN_OWNER, PROXIES
from propgraph.simulate.veles import VelesLog, simulate_veles, write_sample
from propgraph.simulate.wording import TEMPLATES

SMALL = {"n_accounts": 700, "n_days": 4, "n_sites": 12, "n_seeders": 100, "setting": "full"}


@pytest.fixture(scope="module")
def full() -> VelesLog:
    return simulate_veles(setting="full", seed=7)


@pytest.fixture(scope="module")
def posts(full: VelesLog) -> pl.DataFrame:
    """Originals with role, article, site and its operator; reshares carry their root's link and are left out."""
    plain = pl.col("url").str.replace(r"^https?://(www\.|m\.)?", "").str.replace(r"\?.*$", "")
    return (
        full.log.filter(kind="original")
        .with_columns(article=plain, site=plain.str.replace("/.*$", ""))
        .join(full.accounts, on="account_id", validate="m:1")
        .join(
            full.sites.rename({"role": "site_role"}).drop("organised"), on="site", how="left", validate="m:1"
        )
        .sort("timestamp", "content_id")
    )


def of(posts: pl.DataFrame, role: str) -> pl.DataFrame:
    """The posts of a role that carry a link, with the gap to the account's former post of the same article."""
    own = posts.filter(pl.col("role") == role, pl.col("url").is_not_null())
    gap = pl.col("timestamp").diff().over("account_id", "article").dt.total_seconds()
    return own.sort("account_id", "article", "timestamp").with_columns(gap_s=gap)


def in_a_row(posts: pl.DataFrame, role: str, group_by: str = "article") -> pl.DataFrame:
    """For each account and article of a role how many posts, groups, and how long from the first to the last."""
    return (
        of(posts, role)
        .group_by("account_id", group_by)
        .agg(
            posts=pl.len(),
            groups=pl.col("target_id").n_unique(),
            span_s=(pl.col("timestamp").max() - pl.col("timestamp").min()).dt.total_seconds(),
        )
    )


def test_the_same_seed_gives_the_same_files(tmp_path):
    for name in ("one", "two"):
        write_sample(tmp_path / name, simulate_veles(**SMALL, seed=3))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [
        "ads.csv", "articles.csv.gz", "known.csv", "shares.csv", "site_facts.csv", "truth_accounts.csv",
        "truth_articles.csv", "truth_payments.csv", "truth_sites.csv", "veles.csv.gz", "veles.parquet",
    ]  # fmt: skip
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    other = simulate_veles(**SMALL, seed=4)
    written = gzip.decompress((tmp_path / "one" / "articles.csv.gz").read_bytes())
    assert other.tables["articles"].write_csv().encode()[:2000] != written[:2000]


def test_an_unknown_setting_is_named():
    with pytest.raises(UsageError, match="setting"):
        simulate_veles(setting="hard")


def test_innocents_are_labelled_by_kind(full):
    roles = dict(full.accounts["role"].value_counts().iter_rows())
    assert (roles["admin"], roles["section"], roles["volunteer"], roles["desk"], roles["scheduler"]) == (
        N_ADMINS, N_SECTIONS, N_VOLUNTEERS, N_DESK, 1,
    )  # fmt: skip
    assert set(full.accounts.filter("organised")["role"]) == {"seeder"}
    assert full.accounts.filter("organised").height == 200


def test_ordinary_life_does_not_hang_on_the_strength():
    key = ["account_id", "timestamp", "kind", "target_id"]
    there, gone = (simulate_veles(**SMALL | more) for more in ({}, {"n_sites": 0}))
    assert gone.log.join(there.log, on=key, how="anti", nulls_equal=True).is_empty()
    assert gone.log.height < there.log.height
    assert not gone.sites["organised"].any()


def test_strength_makes_the_campaign_larger_and_faster():
    sizes, spans = [], []
    for strength in (0.5, 1, 2):
        made = simulate_veles(**SMALL, strength=strength)
        paid = made.log.filter(pl.col("url").str.contains(r"=r\d\d$"), kind="original")
        sizes.append(paid.height)
        first = paid.group_by("url", "account_id").agg(pl.col("timestamp").min())
        delay = first.select((pl.col("timestamp") - pl.col("timestamp").min().over("url")).dt.total_seconds())
        spans.append(delay.to_series().median())
    assert sizes[0] < sizes[1] < sizes[2]
    assert spans[0] > 2 * spans[1] > 4 * spans[2]


# Operators


def test_two_of_three_operators_share_one_crew(posts):
    farms = posts.filter(pl.col("role") == "seeder", pl.col("site_role") == "farm", pl.col("heir").is_null())
    crews = {
        operator: set(rows["group"])
        for (operator,), rows in farms.group_by("operator")
        if operator is not None
    }
    assert crews == {
        "operator1": {"r00", "r01", "r02", "r03"},
        "operator2": {"r04", "r05"},
        "operator3": {"r05", "r06", "r07"},
    }
    people = {operator: set(rows["account_id"]) for (operator,), rows in farms.group_by("operator")}
    shared = people["operator2"] & people["operator3"]
    assert 0.4 < len(shared) / len(people["operator2"]) < 0.6
    assert not people["operator1"] & (people["operator2"] | people["operator3"])


def test_one_farm_is_handed_over_half_way(full, posts):
    passed = full.sites.drop_nulls("heir").row(0, named=True)
    assert (passed["operator"], passed["heir"]) == ("operator1", "operator2")
    own = posts.filter(pl.col("role") == "seeder", pl.col("site") == passed["site"])
    half = full.log["timestamp"].min().replace(hour=0, minute=0, second=0) + (pl.duration(days=7))
    by = own.group_by(later=pl.col("timestamp") > half).agg(pl.col("group").unique())
    for later, groups in by.iter_rows():
        assert set(groups) <= ({"r04", "r05"} if later else {"r00", "r01", "r02", "r03"})


def test_every_third_crew_was_named_by_a_tool(posts):
    named = posts.unique("account_id").with_columns(
        tool=pl.col("account_name").str.contains(r"^[A-Za-z]+\d{8}$")
    )
    crews = named.filter(role="seeder").group_by("group").agg(pl.col("tool").mean())
    assert dict(crews.iter_rows()) == {f"r{k:02d}": float(k % 3 == 0) for k in range(8)}
    assert not named.filter(pl.col("role") != "seeder")["tool"].any()


def test_few_hands_or_farms_have_one_operator():
    made = simulate_veles(n_accounts=400, n_days=2, n_sites=6, n_seeders=40, setting="full")
    assert set(made.sites.filter("organised")["operator"]) == {"operator1"}
    assert made.sites["heir"].null_count() == made.sites.height


def test_farms_borrow_names_of_sites_that_are_there(full):
    borrowed = full.sites.drop_nulls("imitates")
    assert borrowed.height == 5
    assert set(borrowed["role"]) == {"farm"}
    assert set(borrowed["imitates"]) <= set(full.sites.filter(~pl.col("organised"))["site"])
    for name, known in borrowed.select("site", "imitates").iter_rows():
        word = known.split(".")[0]
        stem = name.split(".")[0]
        assert name != known
        # The same word with a word behind it or another suffix, or one letter off.
        assert stem.startswith(word) or sum(a != b for a, b in zip(stem, word, strict=False)) <= 3


# Facts, articles, adverts


def test_facts_are_told_of_every_site_and_agree_with_the_truth(full):
    facts = full.tables["site_facts"].join(full.sites, on="site", validate="1:1")
    assert facts.height == full.sites.height
    farms = facts.filter("organised")
    assert 0.1 < farms["registrant"].null_count() / farms.height < 0.6
    assert farms["registrant"].is_in(PROXIES).sum() > 3
    for fact in ("ad_id", "analytics_id"):
        # But for an agency's id, no fact of a farm is held by a site that is not its operator's.
        told = facts.drop_nulls(fact).group_by(fact).agg("operator", "organised", n=pl.len())
        mixed = told.filter(pl.col("organised").list.any(), pl.col("n") > 1)
        alone = mixed.filter(~(pl.col("organised").list.all() & (pl.col("operator").list.n_unique() == 1)))
        assert alone.height <= 1
        assert (alone["n"] > 10).all()
        assert mixed.height - alone.height == 3
    log_begins = full.log["timestamp"].min()
    age = (log_begins - facts["registered"]).dt.total_days()
    assert age.filter(facts["organised"]).max() <= 201
    ordinary = age.filter(~facts["organised"]).drop_nulls()
    assert 1 <= (ordinary < 201).sum() <= 2
    chain = facts.filter(role="chain")
    assert set(chain["owner"]) == {CHAIN_OWNER}
    assert chain["ad_id"].n_unique() == 1
    assert facts.filter(pl.col("role") != "chain")["owner"].null_count() == facts.height - 8


def bag(text: str) -> list[str]:
    return text.lower().rstrip(".").replace(" (orvin news agency)", "").replace(".", "").split()


def test_copies_come_hours_later_with_few_words_changed(full):
    pages = full.tables["articles"]
    truth = full.tables["truth_articles"].filter(origin="copy")
    pairs = truth.join(pages, on="url").join(pages, left_on="source", right_on="url", suffix="_source")
    assert pairs.height == truth.height > 100
    lag = (pairs["published"] - pairs["published_source"]).dt.total_seconds() / 3600
    assert lag.is_between(1, 12).all()
    farms = set(full.sites.filter("organised")["site"])
    changed = []
    for row in pairs.iter_rows(named=True):
        assert re.sub("https://www.|/.*", "", row["url"]) in farms
        assert re.sub("https://www.|/.*", "", row["source"]) not in farms
        copy, model = bag(row["text"]), bag(row["text_source"])
        assert len(copy) == len(model)
        changed.append(sum(a != b for a, b in zip(copy, model, strict=True)) / len(copy))
    assert max(changed) <= 0.22
    assert 0.08 < sum(changed) / len(changed) < 0.16


def test_agency_stories_stand_on_many_sites_and_name_the_agency(full):
    truth = full.tables["truth_articles"].with_columns(site=pl.col("url").str.extract("www.([^/]+)"))
    agency = truth.filter(origin="agency").join(full.tables["articles"], on="url")
    assert agency["text"].str.contains("Agency", literal=True).all()
    stories = agency.group_by("source").agg(
        n=pl.len(),
        sites=pl.col("site").n_unique(),
        span_h=(pl.col("published").max() - pl.col("published").min()).dt.total_seconds() / 3600,
    )
    assert stories.height >= 15
    assert (stories["n"] == stories["sites"]).all()
    # Ten sites print each; the table has those that the log links to.
    assert stories["sites"].max() >= 8
    assert stories["sites"].median() >= 4
    assert stories["span_h"].max() <= 8
    ordinary = set(full.sites.filter(~pl.col("organised"))["site"])
    assert set(agency["site"]) <= ordinary
    chain = set(full.sites.filter(role="chain")["site"])
    assert set(truth.filter(origin="edition")["site"]) <= chain
    assert set(truth["origin"]) == {"copy", "agency", "edition"}


def test_every_link_has_its_page(full, posts):
    pages = full.tables["articles"].select(
        article=pl.col("url").str.replace("https://www.", "", literal=True)
    )
    assert posts.drop_nulls("url").join(pages, on="article", how="anti").is_empty()
    assert full.tables["articles"]["url"].is_unique().all()
    source = full.tables["truth_articles"]["source"].drop_nulls()
    assert set(source) <= set(full.tables["articles"]["url"])


def test_adverts_are_the_sponsored_posts(full, posts):
    ads = full.tables["ads"]
    boosted = posts.drop_nulls("sponsor")
    assert boosted.height == ads.height > 20
    assert sorted(boosted["sponsor"]) == sorted(ads["sponsor"])
    assert full.log["sponsor"].drop_nulls().len() == boosted.height  # none of them is a reshare
    outlet = full.sites.filter(role="newsroom")["site"].item()
    by_role = boosted.group_by("role").agg(pl.col("sponsor").n_unique())
    assert dict(by_role.iter_rows()) == {"seeder": 3, "newsroom": 1}
    assert set(boosted.filter(role="newsroom")["sponsor"]) == {outlet}
    assert (ads["spend_low"] < ads["spend_high"]).all()
    assert (ads["start"] < ads["stop"]).all()
    first = posts.select("timestamp", url="article").group_by("url").agg(pl.col("timestamp").min())
    when = ads.with_columns(url=pl.col("url").str.replace("https://www.", "", literal=True)).join(
        first, on="url"
    )
    assert (when["start"] > when["timestamp"]).all()


def test_operators_pay_for_profiles_posts_and_adverts(full, posts):
    paid = full.tables["truth_payments"]
    profiles, tasks, adverts = (
        paid.filter(item=item).sort("operator") for item in ("profiles", "tasks", "adverts")
    )
    assert profiles["n"].to_list() == [100, 50, 50]  # the crew that two share is the first one's
    assert profiles["amount"].sum() == pytest.approx(200 * 0.35, rel=0.15)
    pushed = posts.filter(role="seeder", site_role="farm")
    assert tasks["n"].sum() == pushed.filter(pl.col("url").str.contains(r"=r\d\d$")).height
    assert tasks["amount"].to_list() == pytest.approx([n / 100 for n in tasks["n"]])
    ads = full.tables["ads"].filter(
        pl.col("sponsor").str.contains(" ")
    )  # firms; the outlet goes by its domain
    low, high = (
        ads.group_by("sponsor")
        .agg(pl.col("spend_low", "spend_high").sum())
        .sort("sponsor")["spend_low", "spend_high"]
    )
    assert (low.to_numpy() < adverts["amount"].to_numpy()).all()
    assert (adverts["amount"].to_numpy() < high.to_numpy()).all()


# The innocents


def test_admins_cross_post_by_hand_and_a_scheduler_by_the_clock(posts):
    admins = in_a_row(posts, "admin").filter(pl.col("posts") > 1)
    assert admins.height > 100
    assert admins["groups"].is_between(1, 5).all()
    assert admins["groups"].median() >= 2
    by_hand = of(posts, "admin").drop_nulls("gap_s")["gap_s"]
    assert by_hand.quantile(0.9) > 5 * by_hand.quantile(0.1)
    club = of(posts, "scheduler")
    assert club["account_id"].n_unique() == 1
    own = club.filter(pl.col("gap_s").is_not_null())
    assert set(own["site_role"]) == {"club"}
    assert set(own["account_name"]) == {own["site"][0].split(".")[0]}  # it posts in its own name
    clock = club.drop_nulls("gap_s")["gap_s"]
    assert clock.len() > 30
    assert (clock.is_between(59, 61)).mean() > 0.95


def test_sections_post_into_their_own_groups(posts):
    sections = posts.filter(role="section", site_role="party")
    own = sections.group_by("account_id").agg(pl.col("target_id").drop_nulls().n_unique())["target_id"]
    assert own.max() <= 4
    assert sections["account_id"].n_unique() == N_SECTIONS


def test_volunteers_share_a_token_over_sites_that_are_not_theirs_and_say_who_they_are(full, posts):
    tagged = posts.filter(pl.col("url").str.contains("utm_campaign=volunteers", literal=True))
    assert set(tagged["role"]) == {"volunteer"}
    assert tagged["account_id"].n_unique() >= 10
    assert tagged["site"].n_unique() >= 3
    assert tagged["account_name"].str.starts_with("Volunteer").all()
    spread = tagged.group_by("article").agg(pl.col("timestamp").max() - pl.col("timestamp").min())[
        "timestamp"
    ]
    assert spread.dt.total_hours().median() >= 2


def test_the_chains_desk_posts_each_title_once(posts):
    desk = posts.filter(pl.col("url").str.contains("utm_source=desk", literal=True))
    assert set(desk["role"]) == {"desk"}
    assert desk["site"].n_unique() == 8
    assert desk["article"].is_unique().all()


def test_a_third_of_a_community_joined_in_one_week(full, posts):
    new = full.accounts.filter(role="newcomer")
    assert new["group"].n_unique() == 1
    community = full.accounts.filter(group=new["group"][0])
    assert (
        0.3 < new.height / community.height < 0.7
    )  # of those who neither broke the story nor have another role
    made = full.log.join(new, on="account_id").unique("account_id")["account_created_at"]
    assert (made.max() - made.min()).days <= 7
    assert made.max() < full.log["timestamp"].min()


# Texts


def test_ordinary_people_write_in_words_of_their_own(full, posts):
    linked = posts.filter(pl.col("url").is_not_null())
    often = linked.group_by("text").agg(pl.col("account_id").n_unique()).filter(pl.col("account_id") >= 3)
    verbatim = (
        linked.with_columns(often=pl.col("text").is_in(often["text"].implode()))
        .group_by("role")
        .agg(pl.col("often").mean())
    )
    part = dict(verbatim.iter_rows())
    assert part["organic"] < 0.5
    assert part["seeder"] > 0.6


def test_crews_spin_one_template(posts):
    pattern = [
        "^" + re.sub(r"\\\{(.+?)\\\}", lambda m: f"(?:{m.group(1)})".replace(r"\|", "|"), re.escape(template))
        for template in TEMPLATES
    ]
    paid = posts.filter(role="seeder", site_role="farm")
    for number in range(8):
        crew = paid.filter(pl.col("group") == f"r{number:02d}")
        assert 0.6 < crew["text"].str.contains(pattern[number]).mean() < 0.8
        others = posts.filter(pl.col("group") != f"r{number:02d}")["text"].str.contains(pattern[number])
        assert others.sum() == 0


def test_the_plain_setting_has_none_of_it():
    plain = simulate_veles(n_accounts=300, n_days=2, n_sites=3, n_seeders=30)
    assert plain.tables == {}
    assert "sponsor" not in plain.log.columns
    assert set(plain.sites.filter("organised")["operator"]) == {"operator1"}
    assert plain.sites.filter(~pl.col("organised"))["operator"].drop_nulls().is_empty()
