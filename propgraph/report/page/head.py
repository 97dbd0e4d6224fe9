"""The head of the page: what was looked at, with what, and how to do it again."""

from __future__ import annotations

import shlex
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import polars as pl

from propgraph.options import CascadeOptions, ClockOptions, ClusterOptions, WindowOptions
from propgraph.readers.registry import AUTO
from propgraph.report.page.findings import Findings
from propgraph.report.page.markup import items, paragraphs, prose, shown, terms
from propgraph.words.said import formatted, said, tell

_DIGEST, _FILES = 16, 20
# Of each command the options that are not those of a class.
_MORE = {
    "build": (
        "format", "encoding", "skip_lines", "time_format", "time_zone", "keep", "trace", "resolved", "follows", "sites",
        "pseudonymise",
    ),
    "clusters": ("trace", "articles", "known_sites", "ads", "prices", "sites"),
}  # fmt: skip
_CLASSES = {"build": (WindowOptions, ClockOptions, CascadeOptions), "clusters": (ClusterOptions,)}


def head(findings: Findings) -> str:
    """Return the banner, what the study is made of, and the commands that make it again."""
    build, clusters = findings.run["build"], findings.run["clusters"]
    counts = build["counts"]
    pairs = [
        (tell("head.study"), findings.study.path.resolve().name),
        (tell("head.span"), _span(findings)),
        (tell("head.platforms"), _platforms(findings) or tell("head.no-platform")),
        (
            tell("head.rows"),
            tell("head.rows-are", n=counts["rows"], used=counts["posts"], rejected=counts["rejected"]),
        ),
        (tell("head.accounts"), formatted(counts["accounts"], "n")),
        (tell("head.resolution"), _resolution(build)),
        (
            tell("head.made"),
            tell("head.made-by", version=clusters["versions"]["propgraph"], day=clusters["started"][:10]),
        ),
        (tell("head.readers"), findings.audience.says),
    ]
    inputs = items(
        tell("head.file", file=Path(one["path"]).name, n=one["rows"], digest=one.get("sha256", "")[:_DIGEST])
        for one in build["inputs"][:_FILES]
    )
    if len(build["inputs"]) > _FILES:
        inputs += paragraphs((tell("head.more-files", n=len(build["inputs"]) - _FILES),))
    commands = "".join(f"<li>{prose(f'`{command(job, findings)}`')}</li>" for job in ("build", "clusters"))
    return (
        f'<p class="banner" role="note">{prose(tell("head.banner"))}</p>{terms(pairs)}'
        f"<details><summary>{shown(tell('head.what-was-read'))}</summary>{inputs}<ul>{commands}</ul></details>"
    )


def title_of(findings: Findings) -> str:
    """Return what the page is about: the name of the log, and from which day to which."""
    files = [Path(one["path"]).stem for one in findings.run["build"]["inputs"]]
    name = files[0] if len(files) == 1 else findings.study.path.resolve().name
    times = pl.col("timestamp")
    first, last = findings.study.scan("posts").select(first=times.min(), last=times.max()).collect().row(0)
    return tell(
        "head.title", log=name, span=None if first is None else said("head.title-span", span=(first, last))
    )


def _span(findings: Findings) -> str:
    times = pl.col("timestamp")
    first, last = findings.study.scan("posts").select(first=times.min(), last=times.max()).collect().row(0)
    return tell("head.no-posts") if first is None else tell("head.from-to", first=first, last=last)


def _platforms(findings: Findings) -> str:
    found = findings.study.scan("posts").group_by("platform").len("n").collect().drop_nulls()
    rows = found.sort(["n", "platform"], descending=[True, False]).rows()
    return ", ".join(tell("head.platform", name=name, n=n) for name, n in rows)


def _resolution(build: dict[str, Any]) -> str:
    resolution = build.get("time_resolution_s")
    if resolution is None:
        return tell("head.several-resolutions")
    return tell("head.fine") if resolution <= 1 else tell("head.coarse", n=float(resolution))


def command(job: str, findings: Findings) -> str:
    """Return the command that repeats a job, with the options that are not as they are by themselves."""
    chosen = findings.run[job]["parameters"]
    words = ["propgraph", job, *(chosen.get("logs") or [])] if job == "build" else ["propgraph", job]
    for name, column in (chosen.get("map") or {}).items():
        words += ["--map", name if name == column == AUTO else f"{name}={column}"]
    for name in _MORE[job]:
        words += _written(name, chosen.get(name))
    for options in _CLASSES[job]:
        for one in fields(options):
            default = None if one.default is MISSING else one.default
            value = chosen.get(one.name)
            if value != default:
                words += _written(one.name, value)
    words += ["-o", "STUDY"] if job == "build" else ["STUDY"]
    if not findings.audience.accounts:
        words = [Path(word).name for word in map(str, words)]  # folders may bear somebody's name
    return shlex.join(map(str, words))


def _written(name: str, value: Any) -> list[str]:
    dashed = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [dashed]
    if name == "time_window" and isinstance(value, list):
        return [dashed, ",".join(f"{one:g}" for one in value)]
    values = value if isinstance(value, list) else [value]
    return [word for one in values for word in (dashed, f"{one:g}" if isinstance(one, float) else str(one))]
