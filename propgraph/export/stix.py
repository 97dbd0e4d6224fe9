"""Flagged clusters as STIX 2.1, for the platforms of analysts: with `pip install 'propgraph[stix]'`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import polars as pl

from propgraph.errors import StudyError, check_extra
from propgraph.export.disarm import SITES, techniques_of
from propgraph.export.tables import whole_file
from propgraph.study import Study, run_first, unchanged

# Of all ids that the format leaves to who writes it; those of accounts, links and sites it makes by itself.
_NAMESPACE = UUID("7c1b5d0e-3a52-5f53-9a56-0d8f8a1f5a10")
_CAVEAT = (
    "A flag is a reason to look, not a verdict: it says how accounts act, not who they are; whether a human or a "
    "machine acts is not told. DISARM techniques are offered for what was measured."
)


def write_stix(path: str | Path, study: Study, /) -> None:
    """Write a study's flagged clusters and the sites that they seeded as a STIX 2.1 bundle.

    A cluster is a `grouping` of its accounts (`user-account`), of the links that show its flags (`url`) and of the
    sites that it seeded (`domain-name`); a campaign of several clusters is a grouping of theirs. Each grouping says in
    its description what was found and which innocent readings fit, and bears the ids of the DISARM techniques that may
    be meant as external references. The same study gives the same bytes, and the same members the same id.

    Parameters
    ----------
    path
        The file; one that exists is replaced.
    study
        A study with clusters.

    Raises
    ------
    StudyError
        When the study has no clusters yet.
    UsageError
        When the library is not installed, or `path` is a folder or lies in none.

    Examples
    --------
    >>> import propgraph as pg
    >>> log = pg.simulate_veles(n_accounts=300, n_days=3, n_sites=5, n_seeders=50, strength=3).log
    >>> study = pg.find_clusters(pg.build(log, "study"))
    >>> pg.write_stix("flagged.json", study)
    >>> import json
    >>> bundle = json.loads(open("flagged.json").read())
    >>> sorted({one["type"] for one in bundle["objects"]})
    ['domain-name', 'grouping', 'identity', 'url', 'user-account']
    """
    if "clusters" not in study.run:
        raise StudyError(f"{study.path}: no clusters yet; {run_first('clusters')}")
    with unchanged(study):
        objects = _objects(study, _library())
    bundle = {
        "type": "bundle",
        "id": f"bundle--{uuid5(_NAMESPACE, '|'.join(objects))}",
        "objects": [*objects.values()],
    }
    with whole_file(path) as file:
        file.write(json.dumps(bundle, ensure_ascii=False, indent=1).encode() + b"\n")


def _library() -> Any:
    check_extra("stix2", extra="stix", what="STIX needs", option="stix")
    import stix2  # noqa: PLC0415 - an extra

    return stix2


def _objects(study: Study, stix2: Any) -> dict[str, Any]:
    """Return all objects of the bundle as JSON values, by id: what is referred to before what refers to it."""
    when = datetime.fromisoformat(study.run["clusters"]["started"])
    author = stix2.Identity(
        id=_id("identity", "propgraph"), name="propgraph", identity_class="system", created=when, modified=when,
        description="Graph analysis of how fake news propagates. " + _CAVEAT,
    )  # fmt: skip

    def grouping(name: str, told: str, refs: list[str], *, by: Iterable[str], **more: Any) -> Any:
        return stix2.Grouping(
            id=_id("grouping", *sorted(by)), name=name, description=told, object_refs=refs, created_by_ref=author.id,
            created=when, modified=when, context="suspicious-activity", **more,
        )  # fmt: skip

    clusters = study.clusters.filter("flagged")
    parts = _Parts(study, clusters["cluster_id"], stix2)
    made, groupings = [author], {}
    for row in clusters.to_dicts():
        name, found = row["cluster_id"], parts.of(row["cluster_id"])
        members = [account for account, _ in found["user-account"]]
        things = [one for kind in found.values() for _, one in kind]
        groupings[name] = grouping(
            f"{name}: {len(members):,} accounts that act together", parts.told(row), [one.id for one in things],
            by=members, labels=row["flags"] or ["flagged"], external_references=_techniques(parts.measured(row)),
        )  # fmt: skip
        made += things
    made += groupings.values()
    if rest := [stix2.DomainName(value=site) for site in parts.other_sites]:
        told = f"Flagged sites that no one flagged cluster pushed most. {_CAVEAT}"
        refs = [one.id for one in rest]
        of_sites = grouping(
            f"{len(rest):,} flagged sites", told, refs, by=refs, external_references=_techniques(SITES)
        )
        made += [*rest, of_sites]
    for row in study.campaigns.filter(pl.col("n_clusters") > 1).to_dicts():
        of = [groupings[name].id for name in row["cluster_ids"] if name in groupings]
        if len(of) > 1:
            told = f"Clusters that belong together by {', '.join(row['ties'])}. {_CAVEAT}"
            made.append(grouping(f"{row['campaign_id']}: {len(of):,} flagged clusters", told, of, by=of))
    return {one.id: json.loads(one.serialize()) for one in made}


class _Parts:
    """What belongs to each flagged cluster: its accounts, links and sites, and what is said of it."""

    def __init__(self, study: Study, flagged: pl.Series, stix2: Any) -> None:
        self._stix2 = stix2
        of = pl.col("cluster_id").is_in(flagged.implode())
        members = study.members.filter(of).select("cluster_id", "account_id")
        platforms = (
            study.scan("posts").select("account_id", "platform").drop_nulls().unique()
            .join(members.lazy(), on="account_id").sort("account_id", "platform").collect()
        )  # fmt: skip
        self._platforms = _by(platforms, "cluster_id", "platform")
        of_account = platforms.unique("account_id", keep="first", maintain_order=True).drop("cluster_id")
        self._accounts = (
            members.join(
                study.accounts.select("account_id", "name", "created_at"), on="account_id", how="left"
            )
            .join(of_account, on="account_id", how="left")
            .sort("cluster_id", "account_id")
            .partition_by("cluster_id", as_dict=True)
        )
        evidence = study.evidence.filter(
            pl.col("subject_type") == "cluster", pl.col("subject_id").is_in(flagged.implode())
        )
        self._sentences = _by(evidence, "subject_id", "sentence")
        shown = (
            evidence.select("subject_id", pl.col("content_ids").alias("content_id"))
            .explode("content_id")
            .unique()
        )
        links = (
            study.scan("shares").filter(pl.col("trace") == "url").select("content_id", "object_id")
            .join(shown.drop_nulls().lazy(), on="content_id")
            .join(study.scan("objects").filter(pl.col("trace") == "url").select("object_id", "url"), on="object_id")
            .select("subject_id", "url").drop_nulls().unique().sort("subject_id", "url").collect()
        )  # fmt: skip
        self._links = _by(links, "subject_id", "url")
        sites = study.sites.filter("flagged").sort("site")
        pushed = pl.col("top_cluster_id").is_in(flagged.implode()).fill_null(False)
        self._sites = _by(sites.filter(pushed), "top_cluster_id", "site")
        self.other_sites = sites.filter(~pushed)["site"].to_list()
        self._traces = dict(study.campaigns.select("campaign_id", "traces").iter_rows())
        self._hidden = study.run["build"].get("pseudonyms") is not None

    def of(self, cluster: str) -> dict[str, list[tuple[str, Any]]]:
        """Return a cluster's objects by type, each with what it is called in the study."""
        accounts = self._accounts[cluster,].to_dicts()
        return {
            "user-account": [(row["account_id"], self._account(row)) for row in accounts],
            "url": [(url, self._stix2.URL(value=url)) for url in self._links.get(cluster, [])],
            "domain-name": [
                (site, self._stix2.DomainName(value=site)) for site in self._sites.get(cluster, [])
            ],
        }

    def _account(self, row: dict[str, Any]) -> Any:
        told = {
            "user_id": row["account_id"],
            "account_type": row["platform"],
            "display_name": row["name"],
            "account_created": row["created_at"],
        }
        return self._stix2.UserAccount(
            **{name: value for name, value in told.items() if value not in (None, "")}
        )

    def told(self, row: dict[str, Any]) -> str:
        """Return what is said of a cluster, its row of the table `clusters`."""
        lines = [f"Score {row['score']:.2f} (from 0 to 1)."]
        lines += [f"- {sentence}" for sentence in self._sentences.get(row["cluster_id"], [])]
        if row["innocent"]:
            lines.append(f"Innocent readings that fit, too: {', '.join(row['innocent'])}.")
        if self._hidden:
            lines.append("The accounts' ids are pseudonyms.")
        return "\n".join([*lines, _CAVEAT])

    def measured(self, row: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the techniques that may be meant by what was measured of a cluster."""
        name = row["cluster_id"]
        return techniques_of(
            row, traces=self._traces.get(row["campaign_id"]) or (),
            n_platforms=len(set(self._platforms.get(name, []))), seeds_sites=name in self._sites,
        )  # fmt: skip


def _by(frame: pl.DataFrame, key: str, value: str) -> dict[str, list[str]]:
    """Return the values of each key, in the order of the rows."""
    return dict(frame.group_by(key, maintain_order=True).agg(value).iter_rows())


def _id(kind: str, *parts: str) -> str:
    return f"{kind}--{uuid5(_NAMESPACE, json.dumps([kind, *parts]))}"


def _techniques(offered: Iterable[tuple[str, str]]) -> list[dict[str, str]] | None:
    told = [{"source_name": "DISARM", "external_id": key, "description": name} for key, name in offered]
    return told or None
