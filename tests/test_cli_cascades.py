"""`propgraph cascades`, as a person types it."""

from __future__ import annotations

import io
import json
import re

import igraph
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.cli.app import run


def largest(study):
    return study.cascades.sort("size", "cascade_id", descending=[True, False]).row(0, named=True)


def test_three_tables(small_study, capsys):
    assert run(["cascades", str(small_study.path), "--top", "3"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    out = said.out.splitlines()
    table = small_study.cascades
    assert out[0] == f"{table.height:,} cascades of {table['size'].sum():,} posts"
    for title in ("The largest", "The most viral", "The most seeded"):
        [at] = [k for k, line in enumerate(out) if line.startswith(title)]
        assert out[at + 1].startswith("cascade ")
        assert len([line for line in out[at + 2 : at + 6] if line]) == 3
    assert f"{largest(small_study)['size']:,}" in out[4]
    assert all(len(line) <= 100 for line in out[:-1])
    assert re.search(r"100%$", said.out, re.MULTILINE)


def test_without_clusters_it_says_so(own_study, capsys):
    for name in ("clusters", "members", "amplification"):
        own_study.file(name).unlink(missing_ok=True)
    assert run(["cascades", str(own_study.path)]) == 0
    assert "The most seeded are known after `propgraph clusters`." in capsys.readouterr().out


def test_percentiles_are_used_where_they_are(own_study, capsys):
    table = own_study.cascades.with_columns(structural_virality_pct=pl.lit(0.25))
    last = table.row(-1, named=True)["cascade_id"]
    rank = pl.when(cascade_id=last).then(0.98).otherwise("structural_virality_pct")
    table.with_columns(structural_virality_pct=rank).write_parquet(own_study.file("cascades"))
    assert run(["cascades", str(own_study.path), "--top", "1"]) == 0
    out = capsys.readouterr().out
    assert "percentile among cascades of like size" in out
    assert re.search(rf"^{re.escape(last[:20])}.* 98 ", out, re.MULTILINE)
    table.with_columns(structural_virality_pct=pl.lit(None, pl.Float64)).write_parquet(
        own_study.file("cascades")
    )
    assert run(["cascades", str(own_study.path), "--top", "1"]) == 0
    assert "this study has no percentiles by size" in capsys.readouterr().out


@pytest.mark.parametrize("id", [False, True])
def test_data(small_study, id, capfdbinary):
    words = ["cascades", str(small_study.path), *([largest(small_study)["cascade_id"]] if id else [])]

    def data(format):
        assert run([*words, "--format", format]) == 0
        said = capfdbinary.readouterr()
        assert said.err == b""
        return said.out

    frame = pl.read_parquet(data("parquet"))
    if id:
        assert frame.height == largest(small_study)["size"]
    else:
        assert_frame_equal(frame, small_study.cascades)
    as_csv = pl.read_csv(io.BytesIO(data("csv")), infer_schema=False)
    assert (as_csv.columns, as_csv.height) == (frame.columns, frame.height)
    assert len(json.loads(data("json"))) == frame.height


def test_trace_limits(small_study, capsys):
    trace = small_study.cascades["trace"][0]
    assert run(["cascades", str(small_study.path), "--trace", trace, "--format", "csv"]) == 0
    found = pl.read_csv(io.StringIO(capsys.readouterr().out), infer_schema=False)
    assert found["trace"].unique().to_list() == [trace]


def test_one_cascade_with_files(small_study, tmp_path, capsys):
    wanted = largest(small_study)
    graphml, png = tmp_path / "t.graphml", tmp_path / "t.png"
    words = [wanted["cascade_id"], "--graphml", str(graphml), "--png", str(png)]
    assert run(["cascades", str(small_study.path), *words]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    out = said.out.splitlines()
    assert out[0] == wanted["cascade_id"]
    assert out[1].startswith(f"{wanted['size']:,} posts by {wanted['n_accounts']:,} accounts, depth ")
    assert re.search(r"^parents  .*\d", said.out, re.MULTILINE)
    assert re.search(
        r"^growth   [01] s [▁▂▃▄▅▆▇█]{60} \d+ [smhd]  \((log|linear) time\)$", said.out, re.MULTILINE
    )
    assert re.search(r"^   root  ", said.out, re.MULTILINE)
    assert len(out) <= 75
    assert out[-2:] == [f"graphml  {graphml}  (open it in Gephi)", f"png      {png}"]
    graph = igraph.Graph.Read_GraphML(str(graphml))
    assert (graph.vcount(), graph.ecount()) == (wanted["size"], wanted["size"] - 1)
    assert png.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["nonsense"], 1, "no cascade is called 'nonsense'"),
        (["--format", "cvs"], 2, "did you mean 'csv'"),
        (["--trace", "ulr"], 2, "did you mean 'url'"),
        (["--top", "-1"], 2, "--top"),
        (["--png", "x.png"], 2, "name it after the study"),
        (["--graphml", "x.graphml"], 2, "name it after the study"),
    ],
)
def test_what_goes_wrong(small_study, words, code, told, capsys):
    assert run(["cascades", str(small_study.path), *words]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert said.err.count("\n") == 1
