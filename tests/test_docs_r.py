"""The R functions of the documentation read a study as it is: ids that are digits, times, and CooRTweet's graph."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import propgraph as pg
from tests.doc_blocks import rscript

SCRIPT = Path(__file__).parent.parent / "docs" / "propgraph.R"
pytestmark = pytest.mark.skipif(
    rscript() is None, reason="no Rscript with data.table and igraph is installed"
)

#: Ids that lose digits or zeros where they are read as numbers.
ANA, BEN, CEM = "0042", "90071992547409931", "90071992547409933"
STEPS = """
source("propgraph.R")
edges <- read_study("study", "edges")
posts <- read_study("study", "posts")
stopifnot(inherits(posts$timestamp, "POSIXct"), inherits(edges$first_time, "POSIXct"))
graph <- coordinated_network(edges, edge_weight = 0.5)
data.table::fwrite(igraph::as_data_frame(graph), "graph.csv")
data.table::fwrite(posts[order(content_id), .(content_id, account_id, at = as.numeric(timestamp))], "posts.csv")
tryCatch(propgraph("build", "missing.csv", "-o", "other"), error = function(e) cat(conditionMessage(e)))
"""


def test_a_study_is_read_as_it_is_and_its_graph_is_coortweets(tmp_path):
    shutil.copy(SCRIPT, tmp_path)
    start = datetime(2024, 3, 5, 10, tzinfo=UTC)
    # Of the first object all three post within a minute, of the second ANA and BEN, twice.
    rows = [
        ("o1", ANA, 0),
        ("o1", BEN, 10),
        ("o1", CEM, 30),
        ("o2", ANA, 100),
        ("o2", BEN, 120),
        ("o2", BEN, 130),
    ]
    log = pl.DataFrame(
        {
            "object_id": [row[0] for row in rows],
            "account_id": [row[1] for row in rows],
            "content_id": [f"0{k}" for k in range(6)],
            "timestamp": [start + timedelta(seconds=row[2]) for row in rows],
        }
    )
    pg.build(
        log, tmp_path / "study", min_participation=1, min_edge_weight=1, edge_weight="events", trace="object"
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [rscript(), "--vanilla", "-e", STEPS],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("propgraph build ended with 1")
    ids = dict.fromkeys(("from", "to", "content_id", "account_id"), pl.String)
    graph = pl.read_csv(tmp_path / "graph.csv", schema_overrides=ids)
    assert graph.sort("from", "to").rows() == [
        (ANA, BEN, 3, 20.0, 1),  # 10, 20 and 30 s; above the median of 1, 1 and 3
        (ANA, CEM, 1, 30.0, 0),
        (BEN, CEM, 1, 20.0, 0),
    ]
    posts = pl.read_csv(tmp_path / "posts.csv", schema_overrides=ids)
    at = start.timestamp()
    assert posts.rows() == [(f"0{k}", row[1], at + row[2]) for k, row in enumerate(rows)]
