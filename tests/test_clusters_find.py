"""From edges to clusters: whole studies, and whether flags hold where the truth is known."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.clusters.inputs import links_of
from propgraph.evaluation.simulated import compare
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.schema import CLUSTERS, EVIDENCE, MEMBERS
from propgraph.simulate.veles import simulate_veles

START = datetime(2020, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def study_of(folder, rows, **options):
    """A study with clusters out of rows of dicts; `second` becomes the time, posts are numbered."""
    log = pl.DataFrame(
        [
            {"content_id": f"post{k:04d}", "timestamp": START + row["second"] * SECOND}
            | {name: value for name, value in row.items() if name != "second"}
            for k, row in enumerate(rows)
        ],
        infer_schema_length=None,
    )
    log.write_parquet(folder / "log.parquet")
    build([folder / "log.parquet"], folder / "study", overwrite=True)
    return find_clusters(folder / "study", **options)


def crew(n_objects=8, accounts="abcd", gap=5, objects="x"):
    """Rows of a crew that shares one object after the other, `gap` seconds apart."""
    return [
        {"account_id": who, "object_id": f"{objects}{k}", "second": 5000 * k + gap * j}
        for k in range(n_objects) for j, who in enumerate(accounts)
    ]  # fmt: skip


def crowd(n_objects=8, n=12):
    """Rows of strangers who share the same objects at leisure."""
    return [
        {"account_id": f"s{j:02d}", "object_id": f"x{k}", "second": 5000 * k + 300 + 380 * ((5 * j + 7 * k) % n)}
        for k in range(n_objects) for j in range(n)
    ]  # fmt: skip


def test_a_crew_in_a_bare_log_is_found(tmp_path):
    # No kinds, no links, no creation times: the rules about timing do alone.
    study = study_of(tmp_path, crew() + crowd())
    [cluster] = study.clusters.filter("flagged").to_dicts()
    assert study.members.filter(cluster_id=cluster["cluster_id"])["account_id"].to_list() == list("abcd")
    assert cluster["flags"] == ["at-once", "in-step", "repetitive", "within-seconds"]
    assert (cluster["observed"], cluster["n_objects"]) == (8 * 6, 8)
    assert cluster["original_share"] is None
    assert cluster["top_site"] is None
    assert study.sites.is_empty()
    # All pairs lie within 15 s; of each six, three are 5 s apart, two 10 s, one 15 s.
    assert cluster["fast_share"] == pytest.approx(5 / 6)
    members = study.members.filter(cluster_id=cluster["cluster_id"])
    assert members["degree"].to_list() == [3] * 4
    assert members["strength"].to_list() == [24] * 4  # three fellows, eight objects each
    assert members["n_shares"].to_list() == members["n_co_shares"].to_list() == [8] * 4


def test_an_account_that_met_them_twice_by_chance_is_left_out(tmp_path):
    stray = [{"account_id": "zoe", "object_id": f"x{k}", "second": 5000 * k + 7} for k in (0, 1)]
    study = study_of(tmp_path, crew() + stray + crowd())
    assert study.scan("edges").filter(pl.col("target") == "zoe").collect().height == 4
    assert study.members["account_id"].to_list() == list("abcd")


def test_edges_without_any_community(tmp_path):
    study = study_of(tmp_path, crew(), min_size=5)
    assert study.clusters.is_empty()
    assert study.members.schema == MEMBERS.dtypes
    assert study.evidence.schema == EVIDENCE.dtypes


def test_a_log_without_any_edge(tmp_path):
    study = study_of(tmp_path, [{"account_id": who, "object_id": who, "second": 0} for who in "abc"])
    assert study.scan("edges").collect().is_empty()
    assert study.clusters.is_empty()


def test_clusters_of_one_do_not_come_about(tmp_path):
    study = study_of(tmp_path, crew() + crowd(), min_size=1, objective="CPM", resolution=100.0)
    assert study.clusters.is_empty()
    study = study_of(tmp_path, crew() + crowd(), min_size=1)
    assert study.clusters["n_accounts"].min() >= 2


def test_few_outsiders_and_a_log_of_operators_alone(tmp_path):
    # Nobody else is there to set a pace: the crew is in step all the same.
    study = study_of(tmp_path, crew())
    [cluster] = study.clusters.to_dicts()
    assert cluster["flagged"]
    assert "in-step" in cluster["flags"]


def test_shuffled_rows_give_the_same_clusters(tmp_path):
    # Members of unlike diligence, so that sums of fractions have last digits to lose.
    uneven = [row for k, row in enumerate(crew(40, "kmnopqrstu", 4, "y")) if k % 7 > k % 10 // 3]
    rows = crew() + crowd() + uneven
    for k, row in enumerate(rows):
        row["content_id"] = f"own{k}"
    tables = []
    for name, order in (("a", rows), ("b", rows[::-1]), ("c", rows[5::2] + rows[1:5:2] + rows[::2])):
        (tmp_path / name).mkdir()
        study = study_of(tmp_path / name, order)
        tables.append((study.clusters, study.members, study.evidence, study.readings))
    assert len(tables[0][0]) > 1
    for others in tables[1:]:
        for one, other in zip(tables[0], others, strict=True):
            assert_frame_equal(one, other, check_exact=True)


OUTLET = "https://daily.example.com"


def newsroom(outsiders, *, elsewhere=0):
    """Rows of a desk of four that posts its own articles at once, and of readers who post them later."""
    rows = [
        {"account_id": who, "url": f"{OUTLET}/{k}", "second": 5000 * k + 5 * j}
        for k in range(8) for j, who in enumerate("abcd")
    ]  # fmt: skip
    rows += [
        {"account_id": f"r{j:02d}", "url": f"{OUTLET}/{k}", "second": 5000 * k + 700 + 200 * ((5 * j + 7 * k) % 17)}
        for k in range(8) for j in range(outsiders)
    ]  # fmt: skip
    rows += [
        {"account_id": f"r{j:02d}", "url": f"https://other{j}.example.org/{k}", "second": 9999 * k + 777 * j}
        for k in range(30) for j in range(outsiders)
    ]  # fmt: skip
    # What members post by themselves, away from their fellows.
    return rows + [
        {"account_id": who, "url": f"https://else{k % 9}.example.net/{who}{k}", "second": 50_000 + 331 * k}
        for k in range(elsewhere) for who in "abcd"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "reads"),
    [
        (newsroom(16), True),
        # Judged by the posts over which they met: what members post elsewhere does not hide the outlet.
        (newsroom(16, elsewhere=40), True),
        # The crew itself makes more than half of the site's links: nobody's outlet but its own.
        (newsroom(3), False),
    ],
)
def test_one_outlet_is_an_innocent_reading(tmp_path, rows, reads):
    study = study_of(tmp_path, rows)
    [cluster] = [row for row in study.clusters.to_dicts() if row["n_accounts"] == 4 and row["n_objects"] == 8]
    assert ("one-outlet" in cluster["innocent"]) == reads
    assert cluster["flagged"] == (not reads)


def desk(n_tags, *links):
    """Rows of a desk of four whose eight articles each have `links` (`k` is the article's number), of readers who post
    the article later, and of what else the desk posts at once: a hashtag, without any link.
    """
    articles = [[link.format(k=k) for link in links] for k in range(8)]
    rows = [
        {"account_id": who, "urls": urls, "second": 5000 * k + 5 * j}
        for k, urls in enumerate(articles) for j, who in enumerate("abcd")
    ]  # fmt: skip
    rows += [
        {"account_id": f"r{j:02d}", "urls": urls[:1], "second": 5000 * k + 700 + 200 * ((5 * j + 7 * k) % 17)}
        for k, urls in enumerate(articles) for j in range(16)
    ]  # fmt: skip
    rows += [
        {"account_id": f"r{j:02d}", "urls": [f"https://other{j}.example.org/{k}"], "second": 9999 * k + 777 * j}
        for k in range(30) for j in range(16)
    ]  # fmt: skip
    return rows + [
        {"account_id": who, "hashtags": [f"tag{k}"], "second": 60_000 + 5000 * k + 5 * j}
        for k in range(n_tags) for j, who in enumerate("abcd")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        # The desk meets over 8 articles and so many hashtags, four posts each.
        (desk(1, OUTLET + "/{k}"), 32 / 36),
        (desk(5, OUTLET + "/{k}"), 32 / 52),
        (desk(6, OUTLET + "/{k}"), 32 / 56),
        (desk(24, OUTLET + "/{k}"), 32 / 128),
        # Two links to the outlet are one post that leads there: 64 of 88 links, but 32 of 56 posts.
        (desk(6, OUTLET + "/{k}", OUTLET + "/{k}/gallery"), 32 / 56),
        # A link elsewhere does not lead away from the outlet: 32 of 96 links, but 32 of 36 posts.
        (desk(1, OUTLET + "/{k}", "https://a.example.org/{k}", "https://b.example.net/{k}"), 32 / 36),
    ],
)
def test_one_outlet_is_a_part_of_all_posts_met_over(tmp_path, rows, share):
    study = study_of(tmp_path, rows, trace=["url", "hashtag"])
    window_rate = study.members.filter(account_id="a")["cluster_id"].item()
    [cluster] = study.clusters.filter(cluster_id=window_rate).to_dicts()
    assert study.members.filter(cluster_id=window_rate)["account_id"].to_list() == list("abcd")
    assert ("one-outlet" in cluster["innocent"]) == (share >= 0.6)


def reshares(authors, crew="bcdefg"):
    """Rows of posts by `authors` in turn that a crew reshares within seconds, and others later."""
    rows = []
    for k in range(10):
        author = authors[k % len(authors)]
        fast = [who for who in crew if who != author]
        slow = [f"r{j:02d}" for j in range(12)]
        seconds = [*range(5, 5 * len(fast) + 1, 5), *(300 + 200 * ((5 * j + 7 * k) % 13) for j in range(12))]
        rows.append({"account_id": author, "content_id": f"root{k}", "kind": "original", "second": 5000 * k})
        rows += [
            {"account_id": who, "content_id": f"{who}{k}", "kind": "reshare", "parent_content_id": f"root{k}",
             "second": 5000 * k + second}
            for who, second in zip([*fast, *slow], seconds, strict=True)
        ]  # fmt: skip
    return rows


@pytest.mark.parametrize(("authors", "innocent"), [(["star"], ["fans"]), (["b", "c"], [])])
def test_fans_are_those_of_one_account_outside(tmp_path, authors, innocent):
    # The same reshares of one star, or of two of their own, half of all each.
    study = study_of(tmp_path, reshares(authors))
    [cluster] = [row for row in study.clusters.to_dicts() if "at-once" in row["flags"]]
    assert study.members.filter(cluster_id=cluster["cluster_id"])["account_id"].to_list() == list("bcdefg")
    assert cluster["innocent"] == innocent
    assert cluster["flagged"] == (not innocent)


def test_a_crew_that_waits_for_one_account_reads_as_an_institution_and_stays_flagged(tmp_path):
    # The desk's own account first, three others 2 to 7 s later, whoever is quickest; strangers in their own time.
    rows = [
        {"account_id": who, "object_id": f"x{k}", "second": 5003 * k + second}
        for k in range(8)
        for who, second in zip("abcd", (0, 2 + k % 3, 2 + (2 * k) % 5, 7 - k % 4), strict=True)
    ]  # fmt: skip
    rows += [
        {"account_id": f"s{j:02d}", "object_id": f"x{k}", "second": 5003 * k + 301 + 379 * ((5 * j + 7 * k) % 12)}
        for k in range(8) for j in range(12)
    ]  # fmt: skip
    study = study_of(tmp_path, rows)
    [cluster] = study.clusters.filter("flagged").to_dicts()
    assert (cluster["leader_account_id"], cluster["leader_share"]) == ("a", 1)
    assert 2 <= cluster["leader_delay_s"] <= 7
    [fit] = study.readings.filter(subject_id=cluster["cluster_id"], reading="institution").to_dicts()
    assert fit["speaks_for"].startswith(
        "one account, a (one of them), was the first to post 8 of the 8 times they met, where chance would make it "
        "about 2; the others followed after "
    )
    assert "a hired crew that waits for one account looks the same" in fit["speaks_against"]


def test_tables_of_the_simulated_study(small_study):
    clusters, members = small_study.clusters, small_study.members
    assert clusters.schema == CLUSTERS.dtypes
    assert clusters["cluster_id"].to_list() == [f"c{k + 1}" for k in range(clusters.height)]
    assert clusters["score"].is_sorted(descending=True)
    assert clusters["flagged"].to_list() == (clusters["score"] >= 0.5).to_list()
    assert members["account_id"].is_unique().all()
    sizes = members.group_by("cluster_id", maintain_order=True).len()
    assert sizes.rows() == clusters.select("cluster_id", "n_accounts").rows()
    # Shares and parts of a whole lie in 0..1; nothing is infinite.
    for name, column in CLUSTERS.columns.items():
        if column.dtype == pl.Float64:
            assert clusters[name].is_finite().fill_null(True).all(), name
        if column.unit == "0..1":
            assert clusters[name].is_between(0, 1).fill_null(True).all(), name


def posts_of(study):
    """Every post with its account's cluster and creation time, and its canonical URLs."""
    links = links_of(study).select("content_id", "url", "site")
    return (
        study.posts.join(study.members.select("account_id", "cluster_id"), on="account_id", how="left")
        .drop("urls")
        .join(study.accounts.select("account_id", "created_at"), on="account_id")
        .join(links, on="content_id", how="left")
        .sort("timestamp", "content_id")
    )


def check_counts(row, shown):
    """See that of posts, or pairs of posts, no more are shown than there are, and as many as the sentence says."""
    if row["counted"] == "pairs of posts":
        assert row["rule"] in ("at-once", "in-step")
        assert 1 <= row["n_shown"] <= len(shown) * (len(shown) - 1) / 2
        assert row["n_shown"] <= row["n_all"]
        if row["rule"] == "at-once":
            assert row["sentence"].startswith(f"{row['n_all']:,} pairs of members' posts")
    else:
        assert row["counted"] == "posts"
        assert row["n_shown"] == len(shown) <= (row["n_all"] or len(shown))


def test_evidence_names_posts_that_show_the_rule(small_study):
    posts = posts_of(small_study)
    by_id = {row["content_id"]: row for row in posts.to_dicts()}
    clusters = {row["cluster_id"]: row for row in small_study.clusters.to_dicts()}
    # Pairs and groups of sites have tests of their own.
    evidence = small_study.evidence.filter(pl.col("subject_type").is_in(["cluster", "site"]))
    assert evidence.schema == EVIDENCE.dtypes
    assert set(evidence["rule"]) >= {
        "at-once",
        "repetitive",
        "in-step",
        "many-groups",
        "created-together",
        "seeded",
    }
    flags = {(row["cluster_id"], rule) for row in clusters.values() for rule in row["flags"]}
    flags |= {(row["site"], rule) for row in small_study.sites.to_dicts() for rule in row["flags"]}
    assert {(row["subject_id"], row["rule"]) for row in evidence.to_dicts()} == flags
    told = evidence.filter(pl.col("rule").is_in(["at-once", "in-step"])).sort("rule")
    timing = dict(told.select("subject_id", "sentence").iter_rows())
    assert any("same link" in sentence for sentence in timing.values())
    for row in evidence.to_dicts():
        shown = [by_id[content] for content in row["content_ids"]]
        check_counts(row, shown)
        assert 2 <= len(shown) == len(set(row["content_ids"])) <= 20
        assert not re.search(r"\bbots?\b", row["sentence"], re.IGNORECASE)
        if row["subject_type"] == "site":
            assert {post["site"] for post in shown} == {row["subject_id"]}
            if row["rule"] == "seeded":
                assert all(clusters[post["cluster_id"]]["flagged"] for post in shown)
            continue
        assert {post["cluster_id"] for post in shown} == {row["subject_id"]}
        if row["rule"] in ("at-once", "in-step", "repetitive"):
            reshares = all(post["kind"] == "reshare" for post in shown)
            by_url = "same link" in timing.get(row["subject_id"], "" if reshares else "same link")
            what = "url" if by_url else "parent_content_id"
            mine = posts.filter(cluster_id=row["subject_id"])
            for post in shown:
                near = mine.filter(
                    (pl.col(what) == post[what]) & (pl.col("account_id") != post["account_id"])
                    & ((pl.col("timestamp") - post["timestamp"]).abs() <= pl.duration(seconds=60))
                )  # fmt: skip
                assert near.height
            objects = {post[what] for post in shown}
            assert None not in objects
            if "repetitive" in clusters[row["subject_id"]]["flags"]:  # they met over five objects or more
                assert len(objects) >= 5
        if row["rule"] == "many-groups":
            groups = {}
            for post in shown:
                groups.setdefault(post["account_id"], set()).add(post["target_id"])
            assert None not in groups.values()
            assert max(map(len, groups.values())) >= row["value"]
        if row["rule"] == "created-together":
            # Each of them has a fellow, shown or not, within the width of a lot.
            lots = clusters[row["subject_id"]]
            made = posts.filter(cluster_id=row["subject_id"])["created_at"].unique().sort()
            for post in shown:
                near = (made - post["created_at"]).abs().dt.total_seconds() <= lots["lot_width_s"]
                assert near.sum() >= 3
            assert lots["lot_p"] <= 0.01
            assert sum(int(lot.split(": ")[1]) for lot in lots["lots"]) >= len(shown)
            assert len({post["account_id"] for post in shown}) == len(shown)


def test_the_min_score_only_moves_the_flag(own_study):
    strict = find_clusters(own_study.path, min_score=0.99)
    assert strict.clusters.height
    assert not strict.clusters["flagged"].any()
    assert not strict.sites["flagged"].any()
    assert strict.clusters["flags"].list.len().max() >= 4  # the rules fire as before
    lax = find_clusters(own_study.path, min_score=0.0)
    assert lax.clusters["flagged"].all()
    assert_frame_equal(lax.clusters.drop("flagged"), strict.clusters.drop("flagged"), check_exact=True)
    assert_frame_equal(lax.members, strict.members, check_exact=True)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("strength", [1.0, 2.0])
def test_flags_hold_on_the_simulator(tmp_path, seed, strength):
    veles = simulate_veles(seed=seed, strength=strength)
    veles.log.write_parquet(tmp_path / "log.parquet")
    build([tmp_path / "log.parquet"], tmp_path / "study")
    study = find_clusters(tmp_path / "study")
    flagged = study.members.join(study.clusters.filter("flagged"), on="cluster_id", how="semi")
    # Counted here from the truth itself, and by `compare`, which the demo prints.
    organised = set(veles.accounts.filter("organised")["account_id"]) & set(veles.log["account_id"])
    hits = organised & set(flagged["account_id"])
    precision, recall = len(hits) / flagged.height, len(hits) / len(organised)
    assert precision >= 0.9
    assert recall >= 0.9
    result = compare(
        study.accounts, flagged, study.sites, truth_accounts=veles.accounts, truth_sites=veles.sites
    )
    assert (result.precision, result.recall) == pytest.approx((precision, recall))
    of_role = {row["role"]: row["flagged"] for row in result.flagged_by_role.to_dicts()}
    assert of_role["newsroom"] == of_role["fan"] == 0
    farms = veles.sites.filter(role="farm")["site"]
    scores = dict(study.sites.select("site", "score").iter_rows())
    lowest = min(scores[site] for site in farms if site in scores)
    highest = max(score for site, score in scores.items() if site not in set(farms))
    assert sum(site in scores for site in farms) == 40
    assert lowest > highest
    assert (result.lowest_farm_score, result.highest_other_score) == (lowest, highest)


def test_without_a_campaign_hardly_anybody_is_flagged(tmp_path):
    simulate_veles(n_sites=0, n_seeders=0, n_accounts=1500, n_days=7).log.write_parquet(
        tmp_path / "log.parquet"
    )
    build([tmp_path / "log.parquet"], tmp_path / "study")
    study = find_clusters(tmp_path / "study")
    assert study.run["clusters"]["counts"]["flagged_accounts"] == 0
    assert study.run["clusters"]["counts"]["flagged_sites"] == 0
