"""`propgraph cascades`, as a person types it."""

from __future__ import annotations

import gzip
import io
import json
import re
import shlex

import igraph
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.cascades.shapes.percentiles import SHAPE_METRICS, size_matched_percentiles, with_percentiles
from propgraph.cli.app import run


def largest(study):
    return study.cascades.sort("size", "cascade_id", descending=[True, False]).row(0, named=True)


def test_three_tables(small_study, capsys):
    assert run(["cascades", str(small_study.path), "--top", "3"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    out = said.out.splitlines()
    table = small_study.cascades
    counted = "(a post counts in each cascade that it is in)"
    assert out[0] == f"{table.height:,} cascades of {table['size'].sum():,} posts {counted}"
    assert "No parent is known" not in said.out
    for title in ("The largest", "The most viral", "The most seeded"):
        [at] = [k for k, line in enumerate(out) if line.startswith(title)]
        assert out[at + 1].startswith("cascade ")
        assert len([line for line in out[at + 2 : at + 6] if line]) == 3
    assert f"{largest(small_study)['size']:,}" in out[4]
    assert all(len(line) <= 100 for line in out[:-1])
    assert re.search(r"100%$", said.out, re.MULTILINE)


def built(tmp_path, rows, *options):
    """Return the path of a study that is made of rows of account, minute and url."""
    log = tmp_path / "log.csv"
    lines = [
        f"{account},2024-03-01T10:{minute:02}:00Z,p{k},{url}" for k, (account, minute, url) in enumerate(rows)
    ]
    log.write_text("account_id,timestamp,content_id,url\n" + "\n".join(lines) + "\n")
    study = tmp_path / "study"
    assert run(["build", str(log), "-o", str(study), "--overwrite", *options]) == 0
    return study


STARS = [(f"a{k}", k, "https://one.example/story") for k in range(14)]


def test_where_no_parent_is_known_it_says_so(tmp_path, capsys):
    study = built(tmp_path, STARS)
    capsys.readouterr()
    assert run(["cascades", str(study)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "No parent is known: every cascade is taken for a star" in out
    assert "propgraph build --parents learned" in out
    assert "The most viral of 10 posts or more none: all of them are stars" in out
    # Guessed parents are no assumption of a star.
    study = built(tmp_path, STARS, "--parents", "learned")
    capsys.readouterr()
    assert run(["cascades", str(study)]) == 0
    assert "No parent is known" not in capsys.readouterr().out


def test_small_cascades_are_not_said_to_be_stars(tmp_path, capsys):
    study = built(tmp_path, STARS[:5])
    capsys.readouterr()
    assert run(["cascades", str(study)]) == 0
    assert "The most viral of 10 posts or more none: no cascade is so large" in " ".join(
        capsys.readouterr().out.split()
    )


def test_without_tables_it_claims_nothing(small_study, capsys):
    assert run(["cascades", str(small_study.path), "--top", "0"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in out if line] == [out[0], "one as a tree"]
    assert f"{small_study.cascades.height:,} cascades of" in out[0]


def test_the_command_to_type_is_quoted(tmp_path, capsys):
    (tmp_path / "my logs").mkdir()
    study = built(tmp_path / "my logs", STARS[:5])
    capsys.readouterr()
    assert run(["cascades", str(study)]) == 0
    assert f"propgraph cascades {shlex.quote(str(study))} ID" in capsys.readouterr().out


def test_without_clusters_it_says_so(own_study, capsys):
    for name in ("clusters", "members", "amplification"):
        own_study.file(name).unlink(missing_ok=True)
    assert run(["cascades", str(own_study.path)]) == 0
    assert "The most seeded are known after `propgraph clusters`." in capsys.readouterr().out


def test_percentiles_are_used_where_they_are(own_study, capsys):
    table = own_study.cascades.with_columns(structural_virality_pct=pl.lit(0.25))
    last = table.filter(pl.col("size") >= 10).row(-1, named=True)["cascade_id"]
    rank = pl.when(cascade_id=last).then(0.98).otherwise("structural_virality_pct")
    table.with_columns(structural_virality_pct=rank).write_parquet(own_study.file("cascades"))
    assert run(["cascades", str(own_study.path), "--top", "1"]) == 0
    out = capsys.readouterr().out
    assert "percentile of the virality among cascades of like size in this study" in out
    assert re.search(rf"^{re.escape(last[:20])}.* 98 ", out, re.MULTILINE)
    table.with_columns(structural_virality_pct=pl.lit(None, pl.Float64)).write_parquet(
        own_study.file("cascades")
    )
    assert run(["cascades", str(own_study.path), "--top", "1"]) == 0
    assert "too few of like size in this study for percentiles" in capsys.readouterr().out


def test_build_writes_percentiles_within_each_trace(small_study):
    found = small_study.cascades
    names = [f"{name.removesuffix('_s')}_pct" for name in SHAPE_METRICS]
    assert found.filter(pl.col("size") < 2).select(pl.all_horizontal(pl.col(names).is_null()).all()).item()
    for (trace,), part in found.filter(pl.col("size") > 1).group_by("trace"):
        expected = size_matched_percentiles(part, threads=1)
        assert_frame_equal(part.select(names), expected.select(names), check_exact=True)
        if trace == "reshare":
            assert expected["duration_pct"].null_count() < expected.height / 2


@pytest.mark.parametrize("kind", ["study", "parquet", "csv", "csv.gz"])
def test_shapes_are_ranked_among_a_reference(small_study, tmp_path, kind, capfdbinary):
    # Half as viral, and as deep again, as what they are compared with.
    other = small_study.cascades.with_columns(pl.col("structural_virality") * 2, pl.col("depth") * 0)
    place = tmp_path / f"other.{kind}"
    if kind == "study":
        place.mkdir()
        other.write_parquet(place / "cascades.parquet")
    elif kind == "parquet":
        other.write_parquet(place)
    else:
        with (gzip.open if kind.endswith("gz") else open)(place, "wb") as file:
            other.select("trace", "size", "structural_virality", "depth").write_csv(file)
    words = ["cascades", str(small_study.path), "--reference", str(place)]
    assert run([*words, "--format", "parquet"]) == 0
    ranked = pl.read_parquet(capfdbinary.readouterr().out).filter(pl.col("size") > 1)
    told = ranked.filter(pl.col("structural_virality_pct").is_not_null())
    assert told.height > 100
    assert (told["structural_virality_pct"] < 0.5).mean() > 0.95
    assert (told["depth_pct"] == 1).all()
    assert (ranked["duration_pct"].null_count() == ranked.height) == kind.startswith("csv")
    one = told.row(0, named=True)
    assert run([*words, one["cascade_id"]]) == 0
    out = capfdbinary.readouterr().out.decode()
    assert re.search(
        rf"^for size depth 100,.* structural virality {100 * one['structural_virality_pct']:.0f} ", out, re.M
    )
    assert run(words) == 0
    assert f"of like size in {place}" in " ".join(capfdbinary.readouterr().out.decode().split())


def test_a_reference_of_other_traces_is_taken_whole(small_study):
    table = small_study.cascades
    other = table.with_columns(trace=pl.lit("elsewhere"))
    whole = with_percentiles(table, reference=other)
    assert_frame_equal(whole, with_percentiles(table, reference=other.drop("trace")))
    of_its_own = with_percentiles(table, reference=table)
    assert not of_its_own["duration_pct"].equals(whole["duration_pct"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,b\n1,2\n", "none of the measures"),
        ("size,depth\n3,deep\n", "column 'depth' holds 'deep', which is no number"),
        ("siez,depth\n3,4\n", "did you mean 'siez'"),
        ("size,depth\n0,4\n", "reference: column 'size' is null or below 1 in 1 of 1 rows"),
    ],
)
def test_what_is_no_reference_is_told(small_study, tmp_path, content, told, capsys):
    (tmp_path / "other.csv").write_text(content)
    assert run(["cascades", str(small_study.path), "--reference", str(tmp_path / "other.csv")]) == 1
    assert told in capsys.readouterr().err
    assert run(["cascades", str(small_study.path), "--reference", str(tmp_path)]) == 1
    assert "a folder without cascades.parquet" in capsys.readouterr().err


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
