"""Flagged clusters as STIX 2.1, read back by the library of those who made the format."""

from __future__ import annotations

import json
import sys

import polars as pl
import pytest
import stix2

import propgraph
from propgraph.cli.app import run
from propgraph.errors import StudyError, UsageError
from propgraph.export.stix import write_stix
from propgraph.study import Study

NOT_TOLD = "human or machine not told"


def bundle_of(study, path):
    write_stix(path, study)
    parsed = stix2.parse(path.read_text(encoding="utf-8"))
    assert parsed.type == "bundle"
    return parsed.objects


def groupings(objects):
    return {one.name.split(":")[0]: one for one in objects if one.type == "grouping"}


def changed(study, table, **columns):
    """Write other columns into a table of a study that a test may change."""
    frame = pl.read_parquet(study.file(table))
    frame.with_columns(**columns).cast(dict(frame.schema)).write_parquet(study.file(table))


def techniques(grouping):
    return {one.external_id for one in grouping.get("external_references", [])}


def test_a_flagged_cluster_is_a_grouping_of_its_members_links_and_sites(small_study, tmp_path):
    objects = bundle_of(small_study, tmp_path / "b.json")
    by_id = {one.id: one for one in objects}
    assert len(by_id) == len(objects)
    flagged = small_study.clusters.filter("flagged")["cluster_id"].to_list()
    found = groupings(objects)
    assert set(flagged) <= set(found)
    urls = set(small_study.objects.filter(trace="url")["url"])
    for name in flagged:
        refs = [by_id[ref] for ref in found[name].object_refs]
        members = small_study.members.filter(cluster_id=name)["account_id"]
        assert sorted(one.user_id for one in refs if one.type == "user-account") == sorted(members)
        shown = {one.value for one in refs if one.type == "url"}
        assert shown
        assert shown <= urls
        sentences = small_study.evidence.filter(subject_type="cluster", subject_id=name)["sentence"]
        assert all(sentence in found[name].description for sentence in sentences)
        assert "not a verdict" in found[name].description
    sites = small_study.sites.filter("flagged")["site"]
    assert {one.value for one in objects if one.type == "domain-name"} == set(sites)
    unflagged = small_study.clusters.filter(~pl.col("flagged"))["cluster_id"]
    assert not set(unflagged) & set(found)


def test_techniques_are_offered_for_what_was_measured(own_study, tmp_path):
    name = own_study.clusters.filter("flagged")["cluster_id"][0]
    campaign = own_study.clusters.filter(cluster_id=name)["campaign_id"][0]

    def with_flags(flags, traces=("url",)):
        changed(own_study, "clusters", flags=pl.lit(flags, dtype=pl.List(pl.String)))
        changed(own_study, "campaigns", traces=pl.lit(list(traces), dtype=pl.List(pl.String)))
        changed(own_study, "sites", flagged=pl.lit(False))
        found = groupings(bundle_of(Study.open(own_study.path), tmp_path / "b.json"))
        return found[name]

    assert campaign is not None
    assert techniques(with_flags(["created-together"])) == set()
    either = with_flags(["at-once"])
    assert techniques(either) == {"T0049.001", "T0049.003"}
    assert all(NOT_TOLD in one.description for one in either.external_references)
    assert techniques(with_flags(["turnout"])) == {"T0049.005"}
    assert techniques(with_flags(["many-groups", "template-text"])) == {"T0119.001", "T0084.001"}
    assert techniques(with_flags(["single-site"], ["hashtag", "text"])) == {"T0049.002", "T0084.001"}
    member = own_study.members.filter(cluster_id=name)["account_id"][0]
    elsewhere = pl.when(pl.col("account_id") == member).then(pl.lit("elsewhere")).otherwise("platform")
    changed(own_study, "posts", platform=elsewhere)
    assert techniques(with_flags(["created-together"])) == {"T0119.002"}


def test_sites_that_no_cluster_pushed_most_are_there_too(own_study, tmp_path):
    sites = own_study.sites.filter("flagged")["site"].to_list()
    changed(own_study, "sites", top_cluster_id=pl.lit(None))
    found = groupings(bundle_of(Study.open(own_study.path), tmp_path / "b.json"))
    assert len(found[f"{len(sites)} flagged sites"].object_refs) == len(sites)
    assert techniques(found[f"{len(sites)} flagged sites"]) == {"T0049.007"}


def test_campaigns_are_groupings_of_groupings(own_study, tmp_path):
    flagged = own_study.clusters.filter("flagged")["cluster_id"].head(2).to_list()
    assert len(flagged) == 2
    changed(
        own_study, "campaigns", n_clusters=pl.lit(2), cluster_ids=pl.lit(flagged, dtype=pl.List(pl.String))
    )
    objects = bundle_of(Study.open(own_study.path), tmp_path / "b.json")
    found = groupings(objects)
    assert set(found["g1"].object_refs) == {found[name].id for name in flagged}


def test_the_same_study_gives_the_same_bytes_and_members_their_ids(own_study, tmp_path):
    one = bundle_of(own_study, tmp_path / "one.json")
    two = bundle_of(Study.open(own_study.path), tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    again = propgraph.find_clusters(own_study, min_score=0.45)
    three = groupings(bundle_of(again, tmp_path / "three.json"))
    before = groupings(two)
    same = [name for name in before if name in three and name.startswith("c")]
    assert same
    assert all(three[name].id == before[name].id for name in same)
    assert {item.id for item in one} == {item.id for item in two}


def test_hostile_names_are_values(own_study, tmp_path):
    nasty = '"}]}\x00\x1b[31m\u202e</script>=1\ufffe'
    changed(own_study, "accounts", name=pl.lit(nasty))
    objects = bundle_of(Study.open(own_study.path), tmp_path / "b.json")
    names = {one.display_name for one in objects if one.type == "user-account"}
    assert names == {nasty}


def test_where_nothing_is_flagged_the_bundle_is_empty_but_for_its_maker(own_study, tmp_path):
    for table in ("clusters", "sites"):
        changed(own_study, table, flagged=pl.lit(False))
    [author] = bundle_of(Study.open(own_study.path), tmp_path / "b.json")
    assert (author.type, author.name) == ("identity", "propgraph")


def test_what_is_missing_is_told(small_study, tmp_path, monkeypatch):
    log = pl.DataFrame(
        {
            "account_id": ["a", "b"],
            "timestamp": [1_700_000_000, 1_700_000_001],
            "url": ["https://a.example/1"] * 2,
        }
    )
    study = propgraph.build(log, tmp_path / "study", mapping={"auto": "auto"})
    with pytest.raises(StudyError, match="run `propgraph clusters` first"):
        write_stix(tmp_path / "b.json", study)
    monkeypatch.setitem(sys.modules, "stix2", None)
    with pytest.raises(UsageError, match=r"pip install 'propgraph\[stix\]'"):
        write_stix(tmp_path / "b.json", small_study)
    assert not (tmp_path / "b.json").exists()


def test_the_command_writes_it(small_study, tmp_path, capsys):
    path = tmp_path / "b.json"
    assert run(["clusters", str(small_study.path), "--stix", str(path)]) == 0
    assert f"stix      {path}\n" in capsys.readouterr().out
    assert json.loads(path.read_text(encoding="utf-8"))["type"] == "bundle"
