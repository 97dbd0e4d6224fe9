from __future__ import annotations

import itertools
from datetime import UTC, datetime

import polars as pl
import pytest

from propgraph.schema import TIME
from propgraph.sites.figures import SiteInputs
from propgraph.sites.judge import judge_sites

START = datetime(2020, 1, 1, tzinfo=UTC)
HOUR, DAY = 3600, 86_400
NOBODY = pl.DataFrame(schema={"account_id": pl.String, "cluster_id": pl.String})


def links(rows):
    """Rows of site, url, account, second; each a post."""
    table = [(site, url, who, f"{url}#{k:05d}", second) for k, (site, url, who, second) in enumerate(rows)]
    schema = ["site", "url", "account_id", "content_id", "second"]
    return pl.DataFrame(table, schema=schema, orient="row").select(
        pl.exclude("second"), timestamp=pl.lit(START).cast(TIME) + pl.duration(seconds="second")
    )


def ordinary(n_sites=30, *, n_urls=4, n_shares=12, span=30 * DAY):
    """Sites with readers of their own, over the whole log: of one URL's first ten shares no account makes two."""
    return [
        (
            f"paper{k:02d}.org",
            f"https://paper{k:02d}.org/{url}",
            f"r{k}-{(share + url) % 14}",
            share * span // n_shares,
        )
        for k in range(n_sites)
        for url in range(n_urls)
        for share in range(n_shares)
    ]


def found(rows, **inputs):
    known = inputs.pop("known", ())
    return judge_sites(SiteInputs(links(rows), inputs.pop("flagged", NOBODY), **inputs), known=known)


def row_of(judged, site):
    return judged.sites.row(by_predicate=pl.col("site") == site, named=True)


def reasons(judged, site):
    return {row["rule"]: row for row in judged.evidence.filter(subject_id=site).to_dicts()}


def fits(judged, site):
    return judged.readings.filter(subject_id=site)["reading"].to_list()


def pushed(site, account="bot", *, n_urls=6, each=40, start=DAY, step=600):
    return [
        (site, f"https://{site}/{url}", account, start + (url * each + k) * step)
        for url in range(n_urls)
        for k in range(each)
    ]


def test_one_account_and_no_cluster():
    # One account with 2,400 posts of the 60 links of ten farms: no cluster is flagged, and every farm is.
    farms = [f"farm{k}.info" for k in range(10)]
    judged = found(ordinary() + [row for k, farm in enumerate(farms) for row in pushed(farm, start=k * HOUR)])
    assert sorted(judged.sites.filter("flagged")["site"]) == farms
    row = row_of(judged, "farm3.info")
    assert (row["flags"], row["score"]) == (["few-hands"], pytest.approx(0.55))
    assert (row["n_half_seeders"], row["n_half_seeders_pct"], row["gini"]) == (1, 0, 1)
    why = reasons(judged, "farm3.info")["few-hands"]
    # By hand: of a paper's 40 first shares readers 3 to 9 make four each, and so five of them half.
    assert (why["value"], why["expected"]) == (1, pytest.approx(5 * 60 / 40))
    assert why["sentence"] == (
        "half of the first ten shares in this log of its 6 URLs (60 in all) were made by 1 account, where sites with "
        "as many first shares have 8; none of them have as few"
    )
    early = [f"https://farm3.info/{url}#" for url in range(6)]
    assert len(why["content_ids"]) == 20
    assert {post[:-5] for post in why["content_ids"]} <= set(early)
    assert fits(judged, "farm3.info") == []


def test_nobody_organised_and_nothing_fires():
    judged = found(ordinary())
    assert judged.sites["flags"].list.len().sum() == 0
    assert judged.evidence.is_empty()
    assert judged.readings.is_empty()
    assert judged.sites["score"].to_list() == [0] * 30


@pytest.mark.parametrize(("each", "fits_it"), [(3, True), (4, False)])
def test_an_outlets_own_account_by_conduct(each, fits_it):
    judged = found(ordinary() + pushed("gazette.net", "desk", n_urls=30, each=each))
    row = row_of(judged, "gazette.net")
    assert row["flags"] == ["few-hands"]
    assert row["flagged"] != fits_it
    assert (fits(judged, "gazette.net") == ["own-outlet"]) == fits_it


@pytest.mark.parametrize(
    ("name", "fits_it"),
    [
        ("The Gazette", True),
        ("GAZETTE (official)", True),
        ("Gaz", False),
        (None, False),
        ("\x1b[31m\u202e", False),
    ],
)
def test_an_outlets_own_account_by_name(name, fits_it):
    accounts = pl.DataFrame({"account_id": ["desk"], "name": [name]}, schema_overrides={"name": pl.String})
    judged = found(ordinary() + pushed("gazette.net", "desk"), accounts=accounts)
    assert (fits(judged, "gazette.net") == ["own-outlet"]) == fits_it
    assert row_of(judged, "gazette.net")["score"] == pytest.approx(0.275 if fits_it else 0.55)


def in_groups(site, *, groups, accounts=6, n_urls=3):
    """Posts of links into `groups` groups each: rows of links, and the groups of the posts."""
    rows, targets = [], []
    for url, who in itertools.product(range(n_urls), range(accounts)):
        for group in range(groups):
            rows.append((site, f"https://{site}/{url}", f"fan{who}", DAY + 60 * len(rows) + 3 * HOUR * who))
            targets.append(f"g{group}")
    return rows, targets


def with_groups(*parts):
    """All posts of these parts, each with its group, beside ordinary ones in none."""
    rows = [row for part, _ in parts for row in part]
    table = links(rows)
    targets = [group for _, part in parts for group in part]
    posts = pl.DataFrame(
        {"content_id": table["content_id"], "target_id": targets, "sponsor": [None] * len(rows)},
        schema_overrides={"sponsor": pl.String},
    )
    return rows, posts


def test_pushed_into_groups():
    # Twenty ordinary sites into one group each; two sites whose accounts take theirs to three, two of them at a time.
    parts = [in_groups(f"club{k:02d}.org", groups=1) for k in range(20)]
    parts += [
        in_groups("far.org", groups=3),
        in_groups("near.org", groups=2),
        in_groups("two.org", groups=3, accounts=2),
    ]
    rows, posts = with_groups(*parts)
    judged = found(rows, posts=posts)
    row = row_of(judged, "far.org")
    assert (row["flags"], row["n_groups"], row["groups_per_url"]) == (["pushed-into-groups"], 3, 3)
    assert row["score"] == pytest.approx(0.35)
    assert not row["flagged"]
    assert reasons(judged, "far.org")["pushed-into-groups"]["sentence"] == (
        "an account that posts one of its links into groups posts it into 3.0 on average (6 accounts into several, 3 "
        "groups in all), where for sites that are not flagged it is 1.0"
    )
    assert len(reasons(judged, "far.org")["pushed-into-groups"]["content_ids"]) == 20
    assert row_of(judged, "near.org")["flags"] == ["pushed-into-groups"]  # two groups, where one is usual
    assert row_of(judged, "two.org")["flags"] == []  # two accounts: an admin and a fellow
    assert row_of(judged, "club00.org")["groups_per_url"] == 1


def test_paid_posts_in_no_group_are_in_none_when_posts_are_shown():
    rows, posts = with_groups(
        *(in_groups(f"club{k:02d}.org", groups=1) for k in range(20)), in_groups("far.org", groups=3)
    )
    # Two of one account's three posts of a link go into no group, and are paid for: the third goes into one.
    paid = pl.col("content_id").is_in(links(rows).filter(site="far.org")["content_id"].head(2).implode())
    posts = posts.with_columns(
        target_id=pl.when(~paid).then("target_id"), sponsor=pl.when(paid).then(pl.lit("Ann"))
    )
    judged = found(rows, posts=posts)
    row = judged.evidence.row(by_predicate=pl.col("rule") == "pushed-into-groups", named=True)
    assert row["n_all"] == 3 * (3 * 6 - 1)


def test_where_the_log_knows_no_groups_and_no_sponsors():
    row = row_of(found(ordinary()), "paper00.org")
    assert [row[name] for name in ("n_groups", "groups_per_url", "sponsored_share", "copied_share")] == [
        None
    ] * 4


def test_sponsored_share():
    rows = ordinary()
    ids = links(rows).filter(site="paper00.org")["content_id"][:12].to_list()
    posts = pl.DataFrame(
        {"content_id": ids, "target_id": [None] * 12, "sponsor": ["acme"] * 12},
        schema_overrides={"target_id": pl.String},
    )
    judged = found(rows, posts=posts)
    assert row_of(judged, "paper00.org")["sponsored_share"] == 12 / 48
    assert row_of(judged, "paper01.org")["sponsored_share"] == 0
    # A post that went into two groups is one paid post.
    twice = pl.concat([posts.with_columns(target_id=pl.lit(group)) for group in "ab"])
    assert row_of(found(rows, posts=twice), "paper00.org")["sponsored_share"] == 12 / 48


def short(site, *, start, life, n=12):
    return [(site, f"https://{site}/{k % 3}", f"{site}:{k}", start + k * life // (n - 1)) for k in range(n)]


@pytest.mark.parametrize(
    ("start", "registered", "fires"),
    [
        (10 * DAY, None, True),  # first seen long after the log begins
        (1 * DAY, None, False),  # it may have been there before
        (1 * DAY, "2019-11-01", True),  # 62 days before its first share
        (10 * DAY, "2015-11-01", False),  # an old site, whatever the log shows
        (10 * DAY, "2020-03-01", False),  # registered after its first share: an error, or another holder's
        (1 * DAY, "2020-01-03", True),  # a register knows days, and may be ahead of UTC
        (1 * DAY, "2020-01-04", False),
        (25 * DAY, None, False),  # the log ends too soon to tell
    ],
)
def test_thrown_away_after_a_short_life(start, registered, fires):
    facts = None
    if registered:
        facts = pl.DataFrame({"site": ["brief.info"], "fact": ["registered"], "value": [registered]})
    judged = found(ordinary() + short("brief.info", start=start, life=DAY), facts=facts)
    row = row_of(judged, "brief.info")
    assert (row["flags"] == ["throw-away"]) == fires
    assert row["life_s"] == DAY
    # A date alone flags nobody: a quarter, of which three tenths.
    assert row["score"] == pytest.approx(0.075 if fires else 0)
    assert not row["flagged"]


@pytest.mark.parametrize("at", [-40 * 365 * DAY, 15 * 365 * DAY])
@pytest.mark.parametrize(("start", "fires"), [(10 * DAY, True), (1 * DAY, False), (25 * DAY, False)])
def test_one_post_with_a_wrong_date_does_not_move_the_logs_ends(at, start, fires):
    stray = [("paper00.org", "https://paper00.org/0", "r0-0", at)]
    judged = found(ordinary() + stray + short("brief.info", start=start, life=DAY))
    assert ("throw-away" in row_of(judged, "brief.info")["flags"]) == fires
    assert not judged.sites.filter(pl.col("site") != "brief.info")["flags"].list.contains("throw-away").any()


def test_where_every_site_lives_for_a_moment_none_is_thrown_away():
    rows = [
        (f"s{k}.org", f"https://s{k}.org/{n % 3}", f"r{k}-{n}", k * DAY) for k in range(40) for n in range(12)
    ]
    assert found(rows).sites["flags"].list.len().to_list() == [0] * 40


@pytest.mark.parametrize(("span", "fires"), [(6 * DAY, False), (20 * DAY, True)])
def test_some_days_do_not_tell_that_a_site_is_thrown_away(span, fires):
    rows = ordinary(span=span) + short("brief.info", start=span // 4, life=3 * HOUR)
    assert (row_of(found(rows), "brief.info")["flags"] == ["throw-away"]) == fires


def test_throw_away_in_words():
    facts = pl.DataFrame({"site": ["brief.info"], "fact": ["registered"], "value": ["2020-01-01"]})
    judged = found(ordinary() + short("brief.info", start=DAY, life=DAY), facts=facts)
    assert row_of(judged, "brief.info")["age_at_first_share_s"] == DAY
    # Papers are shared for 11/12 of 30 days, and the last of all shares ends the log.
    assert reasons(judged, "brief.info")["throw-away"]["sentence"] == (
        "it was shared for 24.0 hours and then no more for the 25.5 days that the log goes on, where sites with as "
        "many shares that are not flagged are for 27.5 days (a tenth of them: 27.5 days or less); it was registered "
        "24.0 hours before its first share"
    )


def test_a_name_and_a_date_together_flag_nobody():
    judged = found(ordinary() + short("bbcnews.info", start=10 * DAY, life=DAY), known=["bbc.com"])
    row = row_of(judged, "bbcnews.info")
    assert row["flags"] == ["throw-away", "imitates"]
    assert (row["imitates"], row["imitates_how"]) == ("bbc.com", "brand in the name")
    assert row["score"] == pytest.approx(0.3 * (1 - 0.75**2))
    assert not row["flagged"]
    assert reasons(judged, "bbcnews.info")["imitates"]["sentence"] == (
        "its name looks like that of bbc.com: brand in the name; of the other sites that are not flagged 0% look like "
        "some well-known one"
    )


def test_a_name_beside_conduct_adds():
    judged = found(ordinary() + pushed("bbcnews.info", start=0), known=["bbc.com"])
    assert row_of(judged, "bbcnews.info")["score"] == pytest.approx(1 - 0.45 * 0.75)


@pytest.mark.parametrize(
    ("other", "owner", "fits_it"),
    [("paper00.org", "Acme", True), ("elsewhere.org", "Acme", False), ("paper00.org", "Undisclosed", False)],
)
def test_a_chain_is_of_sites_of_the_log_and_of_somebody(other, owner, fits_it):
    facts = pl.DataFrame({"site": ["farm.info", other], "fact": ["owner"] * 2, "value": [owner] * 2})
    judged = found(ordinary() + pushed("farm.info"), facts=facts)
    assert (fits(judged, "farm.info") == ["chain"]) == fits_it


def test_parody_and_local_paper_are_told():
    facts = pl.DataFrame(
        [("bbcnews.info", "label", "Satire"), ("bbcherald.info", "registered", "2001-02-03")],
        schema=["site", "fact", "value"],
        orient="row",
    )
    rows = ordinary() + short("bbcnews.info", start=0, life=DAY) + short("bbcherald.info", start=0, life=DAY)
    judged = found(rows, known=["bbc.com"], facts=facts)
    assert fits(judged, "bbcnews.info") == ["parody"]
    assert fits(judged, "bbcherald.info") == ["local-paper"]
    # Explained, the name weighs half.
    assert row_of(judged, "bbcnews.info")["score"] == pytest.approx(0.3 * 0.125)


def test_seeded_is_not_explained_away_by_accounts_of_its_own():
    crew = pl.DataFrame({"account_id": ["bot"], "cluster_id": ["c1"]})
    judged = found(ordinary() + pushed("farm.info", n_urls=20, each=2), flagged=crew)
    row = row_of(judged, "farm.info")
    assert (row["flags"], fits(judged, "farm.info")) == (["seeded", "few-hands"], ["own-outlet"])
    # 40 of 40 early shares are seeded: 40/42; few hands weigh half of .55.
    assert row["score"] == pytest.approx(1 - 2 / 42 * (1 - 0.275))


def test_rows_in_any_order_give_the_same_bytes():
    rows = ordinary() + pushed("farm.info") + short("brief.info", start=10 * DAY, life=DAY)
    table = links(rows)
    one = judge_sites(SiteInputs(table, NOBODY), known=["paper00.com"])
    for seed in range(3):
        other = judge_sites(
            SiteInputs(table.sample(fraction=1, shuffle=True, seed=seed), NOBODY), known=["paper00.com"]
        )
        for name in ("sites", "evidence", "readings"):
            assert getattr(one, name).equals(getattr(other, name))


def test_hostile_names_are_data():
    hostile = ["\x1b[2Jevil.com", "<script>.com", "{}.com", "a%b.com", "xn--\ud7ff.com"]
    rows = ordinary() + [row for site in hostile for row in pushed(site)]
    judged = found(rows, accounts=pl.DataFrame({"account_id": ["bot"], "name": ["{0}<b>"]}))
    assert set(hostile) <= set(judged.sites.filter("flagged")["site"])
    assert set(hostile) <= set(judged.evidence["subject_id"])


@pytest.mark.parametrize(("n_groups", "fits_it"), [(4, True), (10, True), (11, False)])
def test_a_club_that_posts_into_its_own_groups(n_groups, fits_it):
    # Each of its 20 links once into each group.
    rows = [
        ("club.org", f"https://club.org/{url}", "desk", DAY * url + 60 * group)
        for url in range(20)
        for group in range(n_groups)
    ]
    ids = links(ordinary() + rows).filter(site="club.org")
    posts = pl.DataFrame(
        {
            "content_id": ids["content_id"],
            "target_id": [f"g{group}" for _ in range(20) for group in range(n_groups)],
        }
    ).with_columns(sponsor=pl.lit(None, pl.String))
    judged = found(ordinary() + rows, posts=posts)
    row = row_of(judged, "club.org")
    assert row["flags"] == ["few-hands"]
    assert row["flagged"] != fits_it
    assert (fits(judged, "club.org") == ["own-outlet"]) == fits_it


def test_a_name_adds_nothing_to_a_little_seeding():
    # Ten of 20 first shares are the crew's: 10/22, under the threshold. Beside a name it stays what it is.
    crew = pl.DataFrame({"account_id": ["bot"], "cluster_id": ["c1"]})
    rows = [
        ("bbcnews.info", f"https://bbcnews.info/{url}", "bot" if k < 5 else f"reader{k}", 3600 * url + k)
        for url in range(2)
        for k in range(12)
    ]
    judged = found(ordinary() + rows, flagged=crew, known=["bbc.com"])
    row = row_of(judged, "bbcnews.info")
    assert row["flags"] == ["imitates"]
    assert row["score"] == pytest.approx(10 / 22)
    assert not row["flagged"]


@pytest.mark.parametrize(
    ("n_sites", "n_other", "fits_it"),
    [(1, 120, True), (1, 200, False), (2, 0, True), (3, 0, False), (2, 40, False)],
)
def test_an_account_is_a_sites_own_by_where_its_links_lead(n_sites, n_other, fits_it):
    # Sixty links of each of its sites, and others of papers: of one site three tenths are enough, of several a half.
    rows = [
        row for k in range(n_sites) for row in pushed(f"gazette{k}.net", "desk", n_urls=60, each=1, start=k)
    ]
    papers = [
        (f"paper{k % 30:02d}.org", f"https://paper{k % 30:02d}.org/9{k}", "desk", 50 * DAY + k)
        for k in range(n_other)
    ]
    judged = found(ordinary() + rows + papers)
    assert row_of(judged, "gazette0.net")["flags"][0] == "few-hands"
    assert (fits(judged, "gazette0.net") == ["own-outlet"]) == fits_it
