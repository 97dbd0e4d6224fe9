"""Sites and posts explained: who shared them first, and what else was shared at the same time."""

from __future__ import annotations

import polars as pl

from propgraph.report.document import Document, Part
from propgraph.report.explain.own import own_part
from propgraph.report.explain.people import unknown
from propgraph.report.explain.readings import innocent_readings
from propgraph.report.explain.reasons import once, reason_part
from propgraph.report.explain.timeline import beside_others, objects_of, short, timeline, with_who
from propgraph.report.words import rule_name
from propgraph.study import Study
from propgraph.words.said import said, tell

_URLS, _FIRST, _AROUND = 3, 10, 30


def explain_site(study: Study, site: str, /, *, rule: str | None, posts: int) -> Document:
    """Return what there is to say about one site."""
    row = study.scan("sites").filter(site=site).collect().row(0, named=True)
    flags = list(map(rule_name, row["flags"]))
    if row.get("flagged", bool(flags)):
        verdict = said("site.flagged", flags=flags)
    else:
        verdict = said("site.only", flags=flags) if flags else said("explain.not-flagged")
    lines = (
        tell(
            "site.shares", n=row["n_shares"], n_urls=row["n_urls"], n_accounts=row["n_accounts"],
            first=row["first_seen"], last=row["last_seen"], verdict=verdict, score=row["score"],
        ),
        tell(
            "site.by-flagged", early=row["early_share"] or 0, part=row["coordinated_share"] or 0,
            n=row["n_half_seeders"] or 0,
        ),
    )  # fmt: skip
    evidence = study.scan("evidence").filter(subject_type="site", subject_id=site).collect().to_dicts()
    reasons = once(reason_part(study, one, posts) for one in evidence if rule in (None, one["rule"]))
    fits = innocent_readings(study, "site", site)
    parts = (
        Part(tell("explain.short"), lines, name="short"),
        *reasons,
        fits,
        *_facts(study, site),
        *_first_sharers(study, site, row["n_urls"]),
        unknown(),
    )
    return Document("site", site, site, parts)


def _facts(study: Study, site: str) -> list[Part]:
    if "site_facts" not in study.tables:
        return []
    rows = study.scan("site_facts").filter(site=site).collect()
    return [Part(tell("site.facts"), (), rows.drop("site"), "facts")] if rows.height else []


def _first_sharers(study: Study, site: str, n_urls: int) -> list[Part]:
    """Show who shared first what was shared most."""
    urls = (
        study.scan("objects")
        .filter(pl.col("trace") == "url", pl.col("site") == site)
        .sort(["n_shares", "object_id"], descending=[True, False])
        .head(_URLS)
        .select("trace", "object_id")
        .collect()
    )
    flagged = study.scan("account_scores").filter("flagged").select("account_id", "cluster_id")
    parts = []
    for k, (trace, url) in enumerate(urls.iter_rows()):
        lines = (tell("site.most-shared", n=urls.height, n_all=n_urls),)
        shares = study.scan("shares").filter(trace=trace, object_id=url)
        first = shares.sort("timestamp", "account_id", "content_id").head(_FIRST)
        rows = with_who(
            study, first.join(flagged, on="account_id", how="left", maintain_order="left")
        ).select(time="timestamp", who="who", cluster="cluster_id", post="content_id")
        parts.append(
            Part(
                tell("site.first-to-share", url=url),
                () if k or urls.height == n_urls else lines,
                rows.collect(),
            )
        )
    return parts


def explain_post(study: Study, content_id: str, /, *, posts: int) -> Document:
    """Return what there is to say about one post: what it shared, and who shared the same around it."""
    row = study.scan("posts").filter(content_id=content_id).head(1).collect().row(0, named=True)
    traces = (
        study.scan("shares")
        .filter(content_id=content_id)
        .select("trace")
        .unique()
        .collect()["trace"]
        .to_list()
    )
    objects = objects_of(study, [content_id], traces=traces)
    around = []
    for trace, object_id in objects.iter_rows():
        shares = study.scan("shares").filter(trace=trace, object_id=object_id)
        apart = (pl.col("timestamp") - row["timestamp"]).dt.total_milliseconds() / 1000
        near = (
            shares.with_columns(apart_s=apart)
            .sort(pl.col("apart_s").abs(), "content_id")
            .head(min(posts, _AROUND))
        )
        rows = (
            with_who(study, near)
            .select("apart_s", "who", post="content_id")
            .collect()
            .sort("apart_s", "post")
        )
        around.append(Part(tell("post.nearest", trace=trace, what=object_id), (), rows))
    text = pl.DataFrame({"text": [row["text"]]}, schema={"text": pl.String}).select(short("text", 280)).item()
    lines = (text,) if text else ()
    beside = beside_others(study, objects, [row["account_id"]])
    shown = Part(tell("post.the-post"), lines, timeline(study, [content_id], most=1))
    same = [Part(tell("post.all-of-the-same"), (), beside)] if beside.height else []
    return Document(
        "post",
        content_id,
        tell("post.title", post=content_id),
        (shown, *own_part(study, content_id), *same, *around, unknown()),
    )
