"""What adding the last twentieth of a log to a study costs beside a build of all of it: CPU seconds, whole processes.

python -m benchmarks append [--accounts 3000] [--runs 3]

By layout: a CSV, NDJSON of flat records, and tweets as X's API gives them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from datetime import datetime
from pathlib import Path

import polars as pl

from benchmarks.timing import PROPGRAPH, header, row, run
from propgraph import simulate_veles

_LAYOUTS = ("csv", "ndjson", "x_api")


def main() -> None:
    """Write a log in each layout, build and add; a row a layout."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=3_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    log = simulate_veles(n_accounts=options.accounts, seed=1).log.sort("timestamp")
    cut = log.height * 19 // 20
    header("layout", "rows", "all_cpu_s", "append_cpu_s", "part")
    for layout in _LAYOUTS:
        with tempfile.TemporaryDirectory() as folder:
            files = [
                str(_written(part, Path(folder) / f"{k}", layout))
                for k, part in enumerate((log[:cut], log[cut:]))
            ]
            both, added = [], []
            for k in range(options.runs):
                both.append(run(PROPGRAPH, "build", *files, "-o", f"{folder}/all{k}").cpu_s)
                run(PROPGRAPH, "build", "--append", files[0], "-o", f"{folder}/study{k}")
                added.append(run(PROPGRAPH, "build", "--append", files[1], "-o", f"{folder}/study{k}").cpu_s)
        one, other = statistics.median(both), statistics.median(added)
        row(layout, log.height, one, other, other / one)


def _written(log: pl.DataFrame, path: Path, layout: str) -> Path:
    if layout == "csv":
        path = path.with_suffix(".csv")
        lists = [name for name, dtype in log.schema.items() if isinstance(dtype, pl.List)]
        log.with_columns(pl.col(name).list.join(" ") for name in lists).write_csv(path)
        return path
    path = path.with_suffix(".ndjson")
    if layout == "ndjson":
        log.write_ndjson(path)
        return path
    with path.open("w", encoding="utf-8") as file:
        for post in log.iter_rows(named=True):
            file.write(json.dumps(_tweet(post)) + "\n")
    return path


def _tweet(post: dict[str, object]) -> dict[str, object]:
    """Return a post as X's API of old gives a tweet."""
    when = post["timestamp"]
    links = post.get("urls") or []
    assert isinstance(when, datetime)
    assert isinstance(links, list)
    return {
        "id_str": post["content_id"], "created_at": when.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "full_text": post.get("text") or "", "lang": "en",
        "user": {"id_str": post["account_id"], "screen_name": post["account_id"], "followers_count": 12},
        "entities": {"urls": [{"expanded_url": link} for link in links], "hashtags": []},
    }  # fmt: skip


if __name__ == "__main__":
    main()
