from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.errors import UsageError
from propgraph.schema import TIME
from propgraph.simulate.draws import START
from propgraph.simulate.people import N_FANS, N_STAFF
from propgraph.simulate.press import N_NEWS_SITES
from propgraph.simulate.veles import VelesLog, simulate_veles, write_sample

COLUMNS = {
    "content_id": pl.String(),
    "account_id": pl.String(),
    "account_name": pl.String(),
    "account_created_at": TIME,
    "followers": pl.Int64(),
    "timestamp": TIME,
    "kind": pl.String(),
    "parent_content_id": pl.String(),
    "origin_account_id": pl.String(),
    "target_id": pl.String(),
    "url": pl.String(),
    "text": pl.String(),
    "platform": pl.String(),
}
SMALL = {"n_accounts": 600, "n_days": 4, "n_sites": 8, "n_seeders": 50}


@pytest.fixture(scope="module")
def veles() -> VelesLog:
    return simulate_veles()


@pytest.fixture(scope="module")
def posts(veles: VelesLog) -> pl.DataFrame:
    """The log with each account's role, and each link's article and site with its role."""
    plain = pl.col("url").str.replace(r"^https?://(www\.|m\.)?", "").str.replace(r"\?.*$", "")
    return (
        veles.log.with_columns(article=plain, site=plain.str.replace("/.*$", ""))
        .join(veles.accounts, on="account_id", validate="m:1")
        .join(veles.sites.rename({"role": "site_role"}), on="site", how="left", validate="m:1")
        .sort("timestamp", "content_id")
    )


def after_root(posts: pl.DataFrame) -> pl.DataFrame:
    """Reshares and replies beside the post that they answer, and how long after it they came."""
    root = posts.select(
        parent_content_id="content_id",
        root_account="account_id",
        root_time="timestamp",
        root_kind="kind",
        root_url="url",
    )
    return (
        posts.filter(pl.col("kind") != "original")
        .join(root, on="parent_content_id")
        .with_columns(delay_s=(pl.col("timestamp") - pl.col("root_time")).dt.total_seconds())
    )


def crew_delays(veles: VelesLog) -> pl.DataFrame:
    """How long after the crew's first post of a link each seeder first posted it."""
    seeders = veles.accounts.filter("organised").select("account_id")
    return (
        veles.log.filter(pl.col("url").str.contains(r"=r\d\d$") & (pl.col("kind") == "original"))
        .join(seeders, on="account_id")
        .group_by("url", "account_id")
        .agg(pl.col("timestamp").min())
        .select(delay_s=(pl.col("timestamp") - pl.col("timestamp").min().over("url")).dt.total_seconds())
    )


def test_the_same_seed_gives_the_same_log_and_another_seed_another(tmp_path):
    one, two, other = simulate_veles(**SMALL), simulate_veles(**SMALL), simulate_veles(**SMALL, seed=1)
    for name in ("log", "accounts", "sites"):
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert not one.log.equals(other.log)
    for folder, veles in (("one", one), ("two", two)):
        write_sample(tmp_path / folder, veles)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_the_log_has_its_columns_in_order_and_is_sorted(veles):
    assert dict(veles.log.schema) == COLUMNS
    assert_frame_equal(veles.log, veles.log.sort("timestamp", "content_id"))
    assert veles.log["content_id"].is_unique().all()
    never_null = ["content_id", "account_id", "account_name", "account_created_at", "followers", "kind"]
    assert veles.log.select(never_null).null_count().row(0) == (0,) * len(never_null)
    assert set(veles.log["kind"]) == {"original", "reshare", "reply"}


def test_times_lie_within_the_log_and_after_the_account_was_made(veles):
    assert veles.log["timestamp"].min() >= START
    assert veles.log["timestamp"].max() < START + timedelta(days=14)
    assert (veles.log["account_created_at"] < veles.log["timestamp"]).all()
    night, evening = (
        veles.log.filter(pl.col("timestamp").dt.hour().is_in(hours)).height
        for hours in ([8, 9, 10], [23, 0, 1])
    )
    assert 0 < 2 * night < evening


def test_the_log_is_small_enough_to_keep(veles, tmp_path):
    assert 30_000 <= veles.log.height <= 45_000
    write_sample(tmp_path, veles)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sorted(sizes) == ["truth_accounts.csv", "truth_sites.csv", "veles.csv.gz", "veles.parquet"]
    assert sum(sizes.values()) < 2_000_000
    assert_frame_equal(pl.read_parquet(tmp_path / "veles.parquet"), veles.log)
    text = pl.read_csv(tmp_path / "veles.csv.gz", infer_schema=False)
    times = pl.col("account_created_at", "timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ms")
    text = text.with_columns(times.dt.replace_time_zone("UTC"), pl.col("followers").cast(pl.Int64))
    assert_frame_equal(text, veles.log)


def test_the_truth_counts_every_account_and_site(veles):
    roles = dict(veles.accounts["role"].value_counts().iter_rows())
    assert veles.accounts.height == 3000
    assert veles.accounts["account_id"].is_unique().all()
    assert (roles["seeder"], roles["newsroom"], roles["fan"]) == (200, N_STAFF, N_FANS)
    assert 700 < roles["breaking"] < 1200
    assert roles["organic"] > 1500
    organised = veles.accounts.filter("organised")
    assert set(organised["role"]) == {"seeder"}
    assert organised.height == 200
    assert organised["group"].n_unique() == 8
    assert dict(veles.sites["role"].value_counts().iter_rows()) == {
        "farm": 40,
        "newsroom": 1,
        "ordinary": N_NEWS_SITES - 1,
    }
    assert set(veles.log["account_id"]) <= set(veles.accounts["account_id"])


def test_every_link_is_of_a_known_site(posts):
    assert posts.filter(pl.col("url").is_not_null() & pl.col("site_role").is_null()).is_empty()


def test_ids_and_their_order_tell_nothing_about_roles(veles):
    first = veles.accounts.head(300)["role"]
    assert 5 < (first == "seeder").sum() < 40


def test_every_reshare_and_reply_comes_after_an_original_of_the_log(posts):
    answers = after_root(posts)
    assert answers.height == (posts["kind"] != "original").sum()
    assert (answers["delay_s"] > 0).all()
    assert set(answers["root_kind"]) == {"original"}
    assert (answers["root_account"] == answers["origin_account_id"]).all()
    reshares = answers.filter(kind="reshare")
    assert reshares["url"].eq_missing(reshares["root_url"]).all()
    assert reshares["target_id"].null_count() == reshares.height
    assert reshares.select("account_id", "parent_content_id").is_unique().all()
    originals = posts.filter(kind="original")
    assert originals["parent_content_id"].null_count() == originals.height


def test_organic_reshares_take_their_time(posts):
    organic = after_root(posts).filter(pl.col("role") == "organic", kind="reshare")
    assert 900 < organic["delay_s"].median() < 7200
    assert organic["delay_s"].quantile(0.95) > 5 * organic["delay_s"].median()


def test_crews_work_at_once_in_sub_crowds_and_stop_at_the_quota(veles, posts):
    assert 10 < crew_delays(veles)["delay_s"].median() < 90
    missions = posts.filter((pl.col("role") == "seeder") & (pl.col("site_role") == "farm"))
    assert missions["target_id"].null_count() == 0
    crews = missions.group_by("article").agg(pl.col("account_id", "group").n_unique())
    assert crews["account_id"].is_between(5, 20).all()
    assert (crews["group"] == 1).all()
    done = missions.group_by("account_id").agg(pl.col("article").n_unique())["article"]
    assert (done == done.max()).mean() > 0.4


def test_seeders_are_young_little_followed_and_live_an_ordinary_side(posts):
    seeders = posts.filter(role="seeder")
    farm = seeders.group_by("account_id").agg((pl.col("site_role") == "farm").mean())["site_role"]
    assert 0.6 < farm.mean() < 0.8
    once = posts.unique("account_id")
    age = once.group_by(pl.col("role") == "seeder").agg(pl.col("account_created_at", "followers").median())
    paid, others = age.filter("role").row(0, named=True), age.filter(~pl.col("role")).row(0, named=True)
    assert paid["account_created_at"] > others["account_created_at"] + timedelta(days=365)
    assert paid["followers"] < others["followers"]


def test_ordinary_people_carry_the_farms_further(posts):
    carried = posts.filter((pl.col("site_role") == "farm") & (pl.col("role") != "seeder"))
    assert 0.2 < carried.height / (posts["site_role"] == "farm").sum() < 0.7
    assert carried.filter(kind="original").filter(~pl.col("url").str.contains(r"=r\d\d$")).height > 100


def test_a_newsroom_shares_its_own_articles_at_once_and_others_follow(posts):
    own = posts.filter((pl.col("site_role") == "newsroom") & (pl.col("kind") == "original"))
    staff = own.filter(role="newsroom").with_columns(
        delay_s=(pl.col("timestamp") - pl.col("timestamp").min().over("article")).dt.total_seconds()
    )
    assert staff["account_id"].n_unique() == N_STAFF
    assert staff["article"].n_unique() > 20
    assert staff["delay_s"].median() < 120
    assert own.filter(pl.col("role") != "newsroom").height > staff.height
    made = staff.unique("account_id")["account_created_at"]
    assert made.max() - made.min() > timedelta(days=2 * 365)


def test_fans_reshare_their_star_within_minutes_and_have_other_interests(posts):
    fans = after_root(posts).filter(role="fan", kind="reshare")
    star = fans["root_account"].mode()[0]
    loyal = fans.filter(pl.col("root_account") == star)
    assert loyal["account_id"].n_unique() == N_FANS
    assert loyal.height > 10 * N_FANS
    assert 90 < loyal["delay_s"].median() < 400
    assert posts.filter(role="fan").height > 1.15 * loyal.height


def test_a_breaking_story_draws_a_third_of_everybody_within_the_hour(veles, posts):
    burst = posts.filter(pl.col("url").is_not_null(), pl.col("site_role") == "ordinary").with_columns(
        pl.col("timestamp").dt.truncate("1h")
    )
    hour = burst.group_by("timestamp").len().sort("len")["timestamp"][-1]
    took_part = burst.filter(timestamp=hour)["account_id"].n_unique()
    assert 0.2 < took_part / veles.accounts.height < 0.5
    assert (
        posts.filter(role="breaking")["account_id"].n_unique() == (veles.accounts["role"] == "breaking").sum()
    )


def test_links_come_in_many_spellings(posts):
    links = posts.filter(pl.col("site_role") == "ordinary", kind="original")["url"]
    for part in ("http://", "https://", "//www.", "//m.", "utm_source="):
        assert 0.01 < links.str.contains(part, literal=True).mean() < 1, part


def test_strength_makes_the_campaign_faster_and_larger():
    weak, normal, strong = (simulate_veles(**SMALL, strength=s) for s in (0.5, 1, 2))
    delays = [crew_delays(veles)["delay_s"] for veles in (weak, normal, strong)]
    assert delays[0].median() > 2 * delays[1].median() > 4 * delays[2].median()
    assert delays[0].len() < delays[1].len() < delays[2].len()


def test_ordinary_life_goes_on_without_the_campaign():
    key = ["account_id", "timestamp", "kind", "url", "text"]
    there, gone = simulate_veles(**SMALL), simulate_veles(**SMALL | {"n_sites": 0})
    assert gone.log.join(there.log, on=key, how="anti", nulls_equal=True).is_empty()
    assert gone.log.height < there.log.height
    assert not gone.sites.filter(role="farm").height


@pytest.mark.parametrize(
    "tiny",
    [
        {"n_accounts": 100, "n_days": 1, "n_sites": 0, "n_seeders": 0},
        {"n_accounts": 150, "n_days": 1, "n_sites": 2, "n_seeders": 3},
        {"n_accounts": 150, "n_days": 2, "n_sites": 1, "n_seeders": 40, "strength": 0.1},
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_small_worlds_are_whole(tiny, seed):
    veles = simulate_veles(**tiny, seed=seed)
    answers = veles.log.filter(pl.col("kind") != "original")
    assert veles.accounts.height == tiny["n_accounts"]
    assert set(answers["parent_content_id"]) <= set(veles.log.filter(kind="original")["content_id"])
    assert dict(veles.log.schema) == COLUMNS


@pytest.mark.parametrize(
    "option",
    [{"n_days": 0}, {"n_sites": -1}, {"n_seeders": -1}, {"n_accounts": 299}, {"strength": 0}, {"seed": -1}],
)
def test_parameters_that_make_no_sense_are_named(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        simulate_veles(**option)
