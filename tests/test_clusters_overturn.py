"""What would overturn a flag: one object, or one account, left out at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.clusters.overturn import of_different_posts, overturn, telling_objects
from propgraph.errors import UsageError
from propgraph.jobs.build import build
from propgraph.jobs.clusters import find_clusters
from propgraph.report.explain.explain import explain
from propgraph.report.explain.overturn import verdict
from propgraph.simulate.veles import simulate_veles
from propgraph.steps import Step, steps_towards

START = datetime(2024, 3, 5, 10, tzinfo=UTC)


def crew_log(n_objects):
    """Four accounts that share one object after the other within seconds, and twelve others at leisure."""
    rows = [(who, f"x{k}", 5000 * k + 5 * j) for k in range(n_objects) for j, who in enumerate("abcd")]
    rows += [
        (f"s{j:02d}", f"x{k}", 5000 * k + 300 + 380 * ((5 * j + 7 * k) % 12))
        for k in range(n_objects)
        for j in range(12)
    ]
    return pl.DataFrame(
        [(who, what, START + timedelta(seconds=at)) for who, what, at in rows],
        schema=["account_id", "object_id", "timestamp"], orient="row",
    ).with_columns(content_id=pl.format("p{}", pl.int_range(pl.len())))  # fmt: skip


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """A study of a crew that met over five objects: as many as `in-step` and `repetitive` ask for."""
    return find_clusters(build(crew_log(5), tmp_path_factory.mktemp("five") / "study"))


def cluster_of_a(study):
    name = study.members.filter(account_id="a")["cluster_id"].item()
    return study.clusters.filter(cluster_id=name).row(0, named=True)


def test_a_flag_that_stands_on_five_objects_falls_without_one_and_not_without_an_account(five):
    before = cluster_of_a(five)
    assert before["flags"] == ["at-once", "in-step", "repetitive", "within-seconds"]
    assert before["score"] == pytest.approx(1 - 0.6 * 0.7 * 0.7 * 0.85)
    found = overturn(five, before["cluster_id"], objects=2, members=2, threads=2)
    assert found["trace"].to_list() == ["object", "object", None, None]
    # Over four objects two rules are left, and few meetings cut the score by a fifth.
    assert found["flags"].to_list()[:2] == [["at-once", "within-seconds"]] * 2
    assert found["score"].to_list()[:2] == pytest.approx([0.8 * (1 - 0.6 * 0.85)] * 2)
    assert found["flagged"].to_list() == [False, False, True, True]
    assert found["n_together"].to_list() == [4, 4, 3, 3]
    assert found["n_flagged"].to_list() == [0, 0, 3, 3]
    assert found["score"].to_list()[2:] == pytest.approx([before["score"]] * 2)


def test_it_is_said_in_words_and_only_of_clusters(five, capfdbinary):
    name = cluster_of_a(five)["cluster_id"]
    told = explain(five, name, overturn=True)
    [part] = [part for part in told.parts if part.heading == "What would overturn it"]
    assert told.parts[-1].heading == "What cannot be known here"
    assert part.table["kind"].to_list() == ["object"] * 5 + ["member"] * 4
    # Any of the five objects, and none of the four accounts.
    assert part.lines[1] == "The flag falls without any one of the 5 things."
    # Two rules about the same meetings are shown by the same posts: once is enough.
    of = {one.heading: one for one in told.parts}
    assert of["at-once"].table.height == 10
    assert (of["in-step"].table, of["in-step"].lines[1]) == (None, "The posts under at-once show it, too.")
    assert "What would overturn it" not in [part.heading for part in explain(five, name).parts]
    with pytest.raises(UsageError, match="only a cluster's flag can be overturned"):
        explain(five, "a,b", overturn=True)
    assert run(["explain", str(five.path), "a,b", "--overturn"]) == 2
    assert b"--overturn" in capfdbinary.readouterr().err


@pytest.mark.parametrize(
    ("flags", "flagged", "said"),
    [
        ([False, True, True, True], True, "The flag falls without u."),
        ([False, False, True, False], True, "The flag falls without any one of the 2 things or without b."),
        ([True, True, True, True], True, "The flag stays, whichever of these is left out."),
        ([True, False, False, False], False, "It is not flagged, and would be without u."),
        ([False, False, False, False], False, "It is not flagged, nor would it be without any one of these."),
    ],
)
def test_the_verdict_names_what_the_flag_hangs_on(flags, flagged, said):
    shown = pl.DataFrame(
        {"without": list("uvab"), "kind": ["url", "url", "member", "member"], "flagged": flags}
    )
    assert verdict(shown, flagged=flagged) == said


def check_against_logs_built_anew(log, study, folder, *, name, n, **options):
    """Leave out rows of the log, build it, find clusters: the slow way to the same."""
    members = study.members.filter(cluster_id=name)
    for row in overturn(study, name, objects=n, members=n).to_dicts():
        if row["trace"] is None:
            rest = log.filter(pl.col("account_id") != row["without"])
        else:
            gone = study.shares.filter(trace=row["trace"], object_id=row["without"])["content_id"]
            rest = log.filter(~pl.col("content_id").is_in(gone.to_list()))
        anew = find_clusters(build(rest, folder / "anew", overwrite=True, **options))
        there = anew.members.join(members, on="account_id", how="semi")
        [most] = there["cluster_id"].mode().to_list()
        cluster = anew.clusters.filter(cluster_id=most).row(0, named=True)
        assert (row["flags"], row["flagged"]) == (cluster["flags"], cluster["flagged"])
        assert row["score"] == pytest.approx(cluster["score"])
        assert row["n_together"] == there.filter(cluster_id=most).height


def test_a_log_without_it_built_anew_says_the_same(tmp_path):
    log = simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
    study = find_clusters(build(log, tmp_path / "study"))
    check_against_logs_built_anew(log, study, tmp_path, name="c1", n=1)


def test_edges_chosen_by_how_many_there_are_are_chosen_anew(tmp_path):
    # Beside the crew's six edges of weight 7 there are ten of weight 2.
    pairs = [
        (f"{who}{k}", f"y{k}-{n}", START + timedelta(seconds=999 * k + 7919 * n + at), f"{who}{k}{n}")
        for k in range(10) for n in (0, 1) for who, at in (("l", 0), ("m", 9))
    ]  # fmt: skip
    crew = crew_log(7)
    log = pl.concat([crew, pl.DataFrame(pairs, schema=crew.schema, orient="row")])
    study = find_clusters(build(log, tmp_path / "study", edge_quantile=0.5))
    assert study.edges["n_objects"].to_list() == [7] * 6
    name = cluster_of_a(study)["cluster_id"]
    check_against_logs_built_anew(log, study, tmp_path, name=name, n=2, edge_quantile=0.5)


def test_objects_over_which_most_members_met_are_the_most_telling(five):
    members = pl.DataFrame({"account_id": ["a", "b", "c", "s00"]})
    told = telling_objects(five, members, traces=["object"], window_s=5.0)
    # a and b, b and c lie 5 s apart on each object; s00 is never so near.
    assert told.rows() == [("object", f"x{k}", 3, 4) for k in range(5)]
    assert telling_objects(five, members, traces=["object"], window_s=4.0)["n_near"].to_list() == [0] * 5
    assert telling_objects(five, members.head(1), traces=["object"], window_s=5.0).is_empty()


def test_what_is_shared_in_the_same_posts_is_left_out_once():
    class Shares:
        def scan(self, name):
            rows = [
                ("url", "u", "a", "1"), ("url", "u", "b", "2"), ("url", "u", "c", "3"),
                ("reshare", "r", "a", "1"), ("reshare", "r", "b", "2"), ("reshare", "r", "z", "9"),
                ("url", "v", "a", "1"), ("url", "v", "b", "4"),
            ]  # fmt: skip
            assert name == "shares"
            return pl.LazyFrame(rows, schema=["trace", "object_id", "account_id", "content_id"], orient="row")

    members = pl.DataFrame({"account_id": ["a", "b", "c"]})
    objects = pl.DataFrame({"trace": ["url", "reshare", "url"], "object_id": ["u", "r", "v"]})
    # The members' posts of r are posts of u as well; v has one of its own.
    assert of_different_posts(Shares(), members, objects)["object_id"].to_list() == ["u", "v"]
    assert of_different_posts(Shares(), members, objects[::-1])["object_id"].to_list() == ["v", "r", "u"]


def test_only_steps_that_are_asked_for_are_gone_through():
    def made(a):
        return a

    def other(a):
        return a

    def more(b):
        return b

    def again(b, d):
        return b + d

    steps = [
        Step("made", made, makes=("b",)), Step("other", other, makes=("c",)), Step("more", more, makes=("d",)),
        Step("again", again, makes=("b",)),
    ]  # fmt: skip
    assert [step.name for step in steps_towards(steps, ("b",))] == ["made", "more", "again"]
    assert [step.name for step in steps_towards(steps, ("c",))] == ["other"]
