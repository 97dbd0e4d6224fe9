"""The 26 labelled campaigns of Seckin et al., scored for whoever holds the files (not run by us: we hold none).

    python -m benchmarks seckin FOLDER [--campaigns NAME ...] [--traces reshare url hashtag]

Seckin, Pote, Nwala, Yin, Luceri, Flammini and Menczer, "Labeled Datasets for Research on Information Operations",
ICWSM 19 (2025), 2567-2574; files by request at Zenodo, doi 10.5281/zenodo.14141549 (index: 14189193). **Nothing here
was run on the real files.** Names of files and columns are as public code of those who hold them has it: a folder a
campaign (`Russia_1/Russia_1_part_1.gzip.parquet`, ...), one row a post, with `postid`, `accountid`, `post_time`,
`is_repost`, `reposted_postid`, `reposted_accountid`, `in_reply_to_postid`, `hashtags`, `urls` and `is_control` (true: a
control account, false: an account of the operation). Also read: CSV and TSV, the parts of all campaigns in one folder,
the column names of Twitter's own archives, and files without that label whose name holds `control` or `io`.

Of each campaign a study is built, clusters are found and evaluated. What is shared: the post reposted, links, hashtags.
Links are hashed in these files, so each becomes a site of its own; texts are not read. An account that posts on both
sides is in the log and not in the truth. Where the times of one side are coarser than those of the other (Twitter's
archives have whole minutes), all are cut to the coarser step, or the clock would tell who is who. One row a campaign:
recall is the recall by kind of campaign; WP is weighted precision (Iannucci et al. 2025, arXiv 2512.19677) of all
clusters, then of the flagged alone; the last row is the mean over the campaigns that have the figure, with the least
and greatest.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.detection.methods import told
from benchmarks.timing import header, row
from propgraph import Study, build, canonicalise_urls, evaluate, find_clusters
from propgraph.errors import PropgraphError

TRACES = ("reshare", "url", "hashtag")
ENDINGS = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz")
#: Columns by what they hold; the first name is that of these files, the others those of Twitter's archives and kin.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "account_id": ("accountid", "userid", "author_id"),
    "timestamp": ("post_time", "tweet_time", "created_at"),
    "content_id": ("postid", "tweetid"),
    "reposted": ("is_repost", "is_retweet"),
    "reshare_of": ("reposted_postid", "retweet_tweetid"),
    "reshared_account": ("reposted_accountid", "retweet_userid"),
    "reply_of": ("in_reply_to_postid", "in_reply_to_tweetid"),
    "urls": ("urls",),
    "hashtags": ("hashtags",),
    "control": ("is_control",),
}
REQUIRED = ("account_id", "timestamp", "content_id")
OBJECTS = ("reshare_of", "urls", "hashtags")
_PART = re.compile(r"(?i)[_-](?:part|tweets)(?=[_.-]|\d).*$|[_-](?:io|control)(?=[_.-]|$).*$")
_SIDE = re.compile(r"(?i)(?:^|[_.-])(io|control)(?=[_.-]|$)")
_NOTHING = ("", "nan", "none", "null", "[]")
_SHOWN = 3  # files whose faults are spelt out
_STEPS = (60_000, 1_000, 1)  # milliseconds
MEASURES = {
    "AP": "average_precision",
    "AUC": "auc",
    "precision": "precision",
    "recall": "true_flags",
    "recall q<=.05": "true_at_q",
    "WP": "weighted_precision",
    "WP flagged": "weighted_precision_flagged",
}


@dataclass(frozen=True)
class Part:
    """One file: the name of the column that holds each field, and the side of all its accounts where the name tells."""

    file: Path
    columns: Mapping[str, str]
    control: bool | None


def campaigns_in(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each campaign, by its name: that of the file without its part, else of its folder."""
    files = sorted(file for file in folder.rglob("*") if file.name.lower().endswith(ENDINGS))
    if not files:
        there = sorted(file.name for file in folder.iterdir())[:5] if folder.is_dir() else "no such folder"
        sys.exit(
            f"{folder}: looked for files that end in {', '.join(ENDINGS)}, here and below; found {there}"
        )
    found: dict[str, list[Path]] = {}
    for file in files:
        stem = file.name[: -len(next(end for end in ENDINGS if file.name.lower().endswith(end)))]
        name = _PART.sub("", stem.removesuffix(".gzip"))
        plain = name == stem.removesuffix(".gzip") or not name
        found.setdefault(file.parent.name if plain and file.parent != folder else name, []).append(file)
    return found


def part_of(file: Path) -> Part | str:
    """Return how a file is to be read, or what is wrong with it."""
    try:
        names = _scan(file).collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        return f"{file}: cannot be read: {str(error).splitlines()[0]}"
    there = {re.sub(r"[_ ]", "", name.lower()): name for name in names}
    columns = {
        field: there[key]
        for field, names in FIELDS.items()
        for key in [next((k for k in (n.replace("_", "") for n in names) if k in there), None)]
        if key is not None
    }
    faults = [f"no column {' or '.join(FIELDS[field])}" for field in REQUIRED if field not in columns]
    if not any(field in columns for field in OBJECTS):
        faults.append(f"no column of what is shared ({', '.join(n for f in OBJECTS for n in FIELDS[f])})")
    side = _SIDE.search(file.name)
    if "control" not in columns and side is None:
        faults.append("no column is_control, and neither `io` nor `control` in the file's name")
    if faults:
        return f"{file}: {'; '.join(faults)}; found {', '.join(there.values())}"
    return Part(file, columns, None if "control" in columns or side is None else side[1].lower() == "control")


def _scan(file: Path) -> pl.LazyFrame:
    if file.name.lower().endswith(".parquet"):
        return pl.scan_parquet(file)
    tabs = ".tsv" in file.name.lower()
    return pl.scan_csv(file, infer_schema=False, separator="\t" if tabs else ",")


def posts_of(part: Part) -> pl.DataFrame:
    """Return the posts of a file under propgraph's names, with `control` (Boolean; null where it is not told)."""
    raw = _scan(part.file).select(part.columns.values()).collect()
    raw = raw.rename({name: field for field, name in part.columns.items()})
    raw = raw.with_columns(pl.lit(None, pl.String).alias(name) for name in FIELDS if name not in raw.columns)
    reshare_of = _text("reshare_of")
    reshares = _flag("reposted") if "reposted" in part.columns else reshare_of.is_not_null()
    reply_of = _text("reply_of")
    return raw.select(
        account_id=_text("account_id"),
        content_id=_text("content_id"),
        timestamp=_time(raw["timestamp"]),
        kind=pl.when(reshares).then(pl.lit("reshare"))
        .when(reply_of.is_not_null()).then(pl.lit("reply")).otherwise(pl.lit("original")),
        parent_content_id=pl.when(reshares).then(reshare_of).otherwise(reply_of),
        origin_account_id=pl.when(reshares).then(_text("reshared_account")),
        urls=_list(raw["urls"]),
        hashtags=_list(raw["hashtags"]),
        control=_flag("control") if part.control is None else pl.lit(part.control),
        platform=pl.lit("x"),
    )  # fmt: skip


def _text(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String).str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(_NOTHING)).then(text)


def _flag(name: str) -> pl.Expr:
    word = pl.col(name).cast(pl.String).str.strip_chars().str.to_lowercase()
    yes, no = word.is_in(["true", "1", "1.0"]), word.is_in(["false", "0", "0.0"])
    return pl.when(yes).then(True).when(no).then(False)


def _list(cells: pl.Series) -> pl.Series:
    """Return lists of text, of lists or of cells such as `['a', 'b']`, `[a, b]` and `a,b`."""
    if isinstance(cells.dtype, pl.List | pl.Array):
        return cells.cast(pl.List(pl.String))
    name = cells.name
    words = _text(name).str.extract_all(r"[^\s,;'\"\[\]]+")
    return cells.to_frame().select(words.alias(name))[name]


def _time(times: pl.Series) -> pl.Series:
    """Return milliseconds UTC, of times, of numbers since 1970 in any usual unit, or of their text; else null."""
    if times.dtype == pl.String:
        plain = times.str.replace("T", " ").str.replace(r"\s*(?:Z|UTC|\+00:?00)$", "")
        parsed = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ms", strict=False)
        minutes = plain.str.to_datetime("%Y-%m-%d %H:%M", time_unit="ms", strict=False)
        numbers = _since_1970(plain.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False))
        return parsed.fill_null(minutes).fill_null(numbers).dt.replace_time_zone("UTC")
    if times.dtype.is_numeric():
        return _since_1970(times.cast(pl.Int64, strict=False)).dt.replace_time_zone("UTC")
    zoned = times.cast(pl.Datetime("ms")) if times.dtype == pl.Date else times.dt.cast_time_unit("ms")
    known = isinstance(zoned.dtype, pl.Datetime) and zoned.dtype.time_zone
    return zoned.dt.convert_time_zone("UTC") if known else zoned.dt.replace_time_zone("UTC")


def _since_1970(numbers: pl.Series) -> pl.Series:
    size = numbers.abs()
    n = pl.col("n")
    as_ms = (
        pl.when(pl.col("size") < 10**11).then(n * 1000).when(pl.col("size") < 10**14).then(n)
        .when(pl.col("size") < 10**17).then(n // 10**3).otherwise(n // 10**6)
    )  # fmt: skip
    return pl.DataFrame({"n": numbers, "size": size}).select(ms=as_ms.cast(pl.Datetime("ms")))["ms"]


def with_links(posts: pl.DataFrame) -> pl.DataFrame:
    """Return the posts with an address, on a site of its own, in place of each link that is a hash."""
    links = canonicalise_urls(posts["urls"].explode())
    hashed = links.filter(pl.col("url").is_null())["raw"]
    if hashed.is_empty():
        return posts
    digests = [hashlib.sha256(link.encode()).hexdigest()[:40] for link in hashed]
    hosts = [f"https://h{digest}.invalid/" for digest in digests]
    named = pl.element().replace_strict(hashed, pl.Series(hosts), default=pl.element())
    return posts.with_columns(pl.col("urls").list.eval(named))


def on_one_clock(posts: pl.DataFrame) -> tuple[pl.DataFrame, str | None]:
    """Return the posts with times as coarse as those of the coarser side, and what was done about it."""
    steps = [_step(posts.filter(side)["timestamp"]) for side in (~pl.col("control"), pl.col("control"))]
    if steps[0] == steps[1]:
        return posts, None
    told_steps = " and ".join(f"{step / 1000:g} s" for step in steps)
    cut = posts.with_columns(pl.col("timestamp").dt.truncate(f"{max(steps)}ms"))
    return (
        cut,
        f"times of the operation and of controls lie on {told_steps}; all are cut to {max(steps) / 1000:g} s",
    )


def _step(times: pl.Series) -> int:
    """Return the coarsest step that all times but one in a thousand lie on, in milliseconds."""
    since = times.drop_nulls().dt.epoch("ms")
    off = {step: int((since % step != 0).sum()) for step in _STEPS}
    return next(step for step in _STEPS if step == 1 or (since.len() and off[step] <= since.len() / 1000))


def truth_of(posts: pl.DataFrame, campaign: str) -> tuple[pl.DataFrame, int]:
    """Return what is known of the accounts, and how many are left out because they are on both sides or on none."""
    sides = (
        posts.drop_nulls("account_id")
        .group_by("account_id")
        .agg(label=~pl.col("control").any(), told=pl.col("control").n_unique() == 1, null=pl.col("control").has_nulls())
        .sort("account_id")
    )  # fmt: skip
    known = sides.filter("told", ~pl.col("null"))
    kind = pl.when("label").then(pl.lit(campaign)).otherwise(pl.lit("control"))
    return known.select("account_id", "label", kind=kind), sides.height - known.height


@dataclass(frozen=True)
class Scored:
    """What one campaign gives: counts, measures by the names of `MEASURES`, and what has to be told beside them."""

    posts: int
    sought: int
    controls: int
    measures: Mapping[str, float | None]
    notes: tuple[str, ...]


def scored(parts: Sequence[Part], campaign: str, folder: Path, *, traces: Sequence[str] = TRACES) -> Scored:
    """Build, find clusters, evaluate.

    Raises
    ------
    PropgraphError
        When the campaign cannot be scored: nothing that is shared, nobody to be found.
    """
    posts, clock = on_one_clock(pl.concat([posts_of(part) for part in parts]))
    truth, left_out = truth_of(posts, campaign)
    there = {
        "reshare": (posts["kind"].eq("reshare") & posts["parent_content_id"].is_not_null()).any(),
        "url": posts["urls"].list.len().gt(0).any(),
        "hashtag": posts["hashtags"].list.len().gt(0).any(),
    }
    traces = [name for name in traces if there[name]]
    log = with_links(posts).drop("control")
    study = find_clusters(build(log, folder / "study", trace=traces, overwrite=True).path, trace=traces)
    made = evaluate(study, truth, resamples=0)
    rejected = _rejected(study)
    notes = (
        clock,
        f"{rejected:,} of {posts.height:,} rows rejected" if rejected else None,
        f"{left_out:,} accounts are on both sides or on none, and not in the truth" if left_out else None,
        f"{made.n_absent:,} accounts have no post that can be read; they count as not found" if made.n_absent else None,
        f"nothing shared by {', '.join(missing)}" if (missing := [n for n in there if not there[n]]) else None,
    )  # fmt: skip
    of = made.measures.filter(pl.col("kind").is_null() | (pl.col("kind") == campaign))
    values = {name: of.filter(measure=measure)["value"] for name, measure in MEASURES.items()}
    return Scored(
        posts=posts.height - rejected,
        sought=made.n_positive,
        controls=made.n_negative,
        measures={name: None if value.is_empty() else value.item(0) for name, value in values.items()},
        notes=tuple(note for note in notes if note),
    )


def _rejected(study: Study) -> int:
    return study.scan("rejected").select(pl.len()).collect().item() if "rejected" in study.tables else 0


def main() -> None:
    """Read the layout of all files, then score one campaign after the other; a table, the mean, notes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--campaigns", nargs="+", metavar="NAME")
    parser.add_argument("--traces", nargs="+", choices=TRACES, default=list(TRACES))
    options = parser.parse_args()
    found = campaigns_in(options.folder)
    if unknown := sorted(set(options.campaigns or ()) - set(found)):
        sys.exit(f"no campaign {', '.join(unknown)}; there are {', '.join(found)}")
    chosen = options.campaigns or list(found)
    parts = {name: [part_of(file) for file in found[name]] for name in chosen}
    if faults := [part for of in parts.values() for part in of if isinstance(part, str)]:
        more = len(faults) - _SHOWN
        sys.exit("\n".join(faults[:_SHOWN] + [f"and {more:,} more files like these"] * (more > 0)))
    _print(
        {name: [part for part in of if isinstance(part, Part)] for name, of in parts.items()}, options.traces
    )


def _print(campaigns: Mapping[str, Sequence[Part]], traces: Sequence[str]) -> None:
    header("campaign", "posts", "operation", "controls", *MEASURES)
    every, notes = [], []
    for name, parts in campaigns.items():
        try:
            with tempfile.TemporaryDirectory() as folder:
                one = scored(parts, name, Path(folder), traces=traces)
        except PropgraphError as error:
            row(name, *["-"] * (3 + len(MEASURES)))
            notes.append(f"{name}: not scored: {error}")
            continue
        every.append(one)
        cells = (told([one.measures[measure]], percent=False) for measure in MEASURES)
        row(name, *(f"{n:,}" for n in (one.posts, one.sought, one.controls)), *cells)
        notes += [f"{name}: {note}" for note in one.notes]
    means = (told([one.measures[measure] for one in every], percent=False) for measure in MEASURES)
    row(f"mean of {len(every)}", "", "", "", *means)
    if notes:
        print("", *notes, sep="\n")


if __name__ == "__main__":
    main()
