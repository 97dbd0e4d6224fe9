"""What facts about sites tell without any log: the Veles farms among partisan sites, and networks of hoax sites.

677 US partisan sites of 2016 and 2017, 81 of them run from Veles (`partisan_sites.parquet`). Each fact alone, and all
together, orders the sites by a ridge-penalised logistic regression (Newton's method, penalty 1 on standardised columns,
chosen beforehand), fitted on nine tenths and scored on the tenth: sites of one registrant are always in one part, so
that nobody is found by a registrant who is known. AP and AUC are means over the repeats. The columns are stated in
`columns_of`; that of ties says what part of the sites that share a rare fact with one (`sites.facts`) are known farms,
of those in the other parts.
What limits it: a registrant is known for 283 of 667 sites and may not cross a part, so that ties tell of few; dates are
those of a register, which a bought name keeps; the farms are all of one town and one year, and the others partisans of
the same years, so that nothing is said of other operators; labels are those of two journalists' lists.
The second table is of names alone: do sites with names by one template (`sites.names`) stand in one network?
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import SHARED
from propgraph.evaluation.ranking import ranking
from propgraph.sites.facts import read_sites
from propgraph.sites.names import templates
from propgraph.sites.pairs import pairs_by_facts

PENALTY = 1.0
FOLDS = 10
NEWS_WORDS = (
    "news|daily|times|post|report|press|tribune|herald|gazette|journal|today|chronicle|observer|examiner|dispatch|"
    "bulletin|ledger|record|review|wire"
)
FACTS = {
    "date of registration": ("age", "no_age"),
    "newspaper's word in the name": ("news_word",),
    "ending of the name": ("other_ending",),
    "number or hyphen in the name": ("digit", "hyphen"),
    "left or right": ("right",),
    "Facebook page there, gone or none": ("page_gone", "no_page"),
    "registrant by name": ("registrant_named",),
    "rare facts shared with known farms": ("tied_to_known", "tied_to_others"),
}


def sites_of(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `site, farm, group` of the partisan sites, and their facts as `build --sites` reads them."""
    table = pl.read_parquet(path)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sites.parquet"
        table.drop("macedonian", "domain").write_parquet(file)
        facts = read_sites(file).facts
        table.select("site", label="macedonian").write_parquet(file)
        labels = read_sites(file).facts
    named = facts.filter(fact="registrant").unique("site", keep="first", maintain_order=True)
    sites = (
        labels.group_by("site")
        .agg(farm=(pl.col("value") == "true").any())
        .join(named.select("site", group="value"), on="site", how="left")
        .with_columns(pl.col("group").fill_null(pl.col("site")))
    )
    return sites.sort("site"), facts


def columns_of(sites: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that say what is known of each site, but for ties: numbers, in the order of `sites`."""

    def has(fact: str, value: pl.Expr | None = None) -> pl.Expr:
        held = facts.filter(pl.col("fact") == fact)
        held = held if value is None else held.filter(value)
        return pl.col("site").is_in(held["site"].to_list()).cast(pl.Float64)

    dates = facts.filter(fact="registered").select(
        "site", date=pl.col("value").str.to_date("%Y-%m-%d", strict=False)
    )
    dates = dates.drop_nulls().group_by("site").agg(pl.col("date").max())
    gone = pl.col("value").str.contains("(?i)unavailable")
    known = sites.join(dates, on="site", how="left", maintain_order="left")
    age = (pl.col("date").max() - pl.col("date")).dt.total_days().cast(pl.Float64)
    label = pl.col("site").str.extract(r"^([^.]*)")
    return known.select(
        "site",
        age=(age + 30).log().fill_null(strategy="mean"),
        no_age=pl.col("date").is_null().cast(pl.Float64),
        news_word=label.str.contains(NEWS_WORDS).cast(pl.Float64),
        other_ending=(~pl.col("site").str.contains(r"\.(?:com|org|net)$")).cast(pl.Float64),
        digit=label.str.contains(r"\d").cast(pl.Float64),
        hyphen=label.str.contains("-").cast(pl.Float64),
        right=has("political_category", pl.col("value") == "right"),
        page_gone=has("page_id", gone),
        no_page=1.0 - has("page_id"),
        registrant_named=has("registrant"),
    )


def ties(sites: pl.DataFrame, pairs: pl.DataFrame, known: np.ndarray) -> np.ndarray:
    """Return for each site how many that share a rare fact with it are known farms, and how many known others."""
    place = {site: k for k, site in enumerate(sites["site"])}
    farm = sites["farm"].to_numpy()
    out = np.zeros((sites.height, 2))
    for one, other in pairs.iter_rows():
        for a, b in ((place[one], place[other]), (place[other], place[one])):
            if known[b]:
                out[a, 0 if farm[b] else 1] += 1
    return np.log1p(out)


def logistic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the weights of a ridge-penalised logistic regression, the intercept last and free."""
    x = np.column_stack([x, np.ones(len(x))])
    penalty = np.append(np.full(x.shape[1] - 1, PENALTY), 0.0)
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        slope = x.T @ (y - p) - penalty * w
        bend = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty) + 1e-9 * np.eye(len(w))
        w = w + np.linalg.solve(bend, slope)
        if np.abs(slope).max() < 1e-8:
            break
    return w


def cross_validated(
    sites: pl.DataFrame, columns: pl.DataFrame, pairs: pl.DataFrame, names: tuple[str, ...], *, seed: int
) -> tuple[float, float]:
    """Return AP and AUC of the sites' scores, each site scored by a fit that saw none of its registrant's."""
    groups = sites["group"].unique().sort().to_list()
    part_of = dict(zip(groups, np.random.default_rng(seed).permutation(len(groups)) % FOLDS, strict=True))
    part = np.array([part_of[group] for group in sites["group"]])
    farm = sites["farm"].to_numpy().astype(float)
    tied = [name for name in names if name.startswith("tied")]
    plain = np.column_stack(
        [np.empty((len(farm), 0)), *(columns[name].to_numpy() for name in names if name not in tied)]
    )
    score = np.empty(len(farm))
    for k in range(FOLDS):
        train, test = part != k, part == k
        x = plain
        if tied:
            x = np.column_stack([plain, ties(sites, pairs, train)])
        scale = np.where(x[train].std(axis=0) > 0, x[train].std(axis=0), 1.0)
        x = (x - x[train].mean(axis=0)) / scale
        w = logistic(x[train], farm[train])
        score[test] = x[test] @ w[:-1] + w[-1]
    order = np.lexsort((np.arange(len(score)), -score))
    last = np.append(score[order][1:] != score[order][:-1], True)
    ap, auc = ranking(np.ones(len(score), np.int32), farm[order] > 0, last, np.empty(0, np.int64))
    return float(ap), float(auc)


def networks(path: Path) -> None:
    """Print which networks the templates of names meet."""
    table = pl.read_csv(path).with_columns(templates(pl.read_csv(path)["domain"])).drop_nulls("name_template")
    some = table.filter(pl.len().over("name_template") >= 2).with_columns(
        pl.col("network").fill_null("(none named)")
    )
    print("\ntemplate          sites  networks of these sites")
    for row in (
        some.group_by("name_template")
        .agg(pl.len(), pl.col("network"))
        .sort("len", descending=True)
        .to_dicts()
    ):
        counts = pl.Series(row["network"]).value_counts(sort=True).rows()
        print(f"{row['name_template']:<18}{row['len']:>5}  " + ", ".join(f"{name} {n}" for name, n in counts))


def main() -> None:
    """Score the sites by each fact alone and by all, and print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    sites, facts = sites_of(options.data / "partisan_sites.parquet")
    columns = columns_of(sites, facts)
    pairs = pairs_by_facts(facts).select("source", "target").unique().sort("source", "target")
    farms = int(sites["farm"].sum())
    print(f"{sites.height} sites, {farms} farms; {pairs.height} pairs share a rare fact")
    print(f"\n{'by':<38}   AP    AUC   (chance {farms / sites.height:.2f}, .50)")
    everything = tuple(name for names in FACTS.values() for name in names)
    for what, names in [*FACTS.items(), ("all of these", everything)]:
        runs = [cross_validated(sites, columns, pairs, names, seed=seed) for seed in range(options.repeats)]
        ap, auc = np.mean(runs, axis=0)
        print(f"{what:<38}  {ap:.2f}   {auc:.2f}")
    networks(options.data / "site_networks_2017.csv")


if __name__ == "__main__":
    main()
