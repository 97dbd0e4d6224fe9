"""Frames of other libraries in and out: what goes in is taken as it is, what comes out loses nothing on the way."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pytest
from polars.testing import assert_frame_equal

import propgraph as pg
from propgraph.errors import InputError
from propgraph.schema import TABLES

LOG = pl.DataFrame(
    [
        (
            f"p{k}",
            f"u{k % 4}",
            datetime(2024, 3, 5, 10, k % 3, k, tzinfo=UTC),
            f"https://mill.example/{k % 3}",
        )
        for k in range(24)
    ],
    schema=["content_id", "account_id", "timestamp", "url"],
    orient="row",
)
FORMS = {
    "lazy": lambda frame: frame.lazy(),
    "arrow": lambda frame: frame.to_arrow(),
    "pandas": lambda frame: frame.to_pandas(),
    "pandas by Arrow": lambda frame: frame.to_pandas(use_pyarrow_extension_array=True),
    "narwhals": lambda frame: pytest.importorskip("narwhals").from_native(frame),
    "narwhals, lazy": lambda frame: pytest.importorskip("narwhals").from_native(frame.lazy()),
    "narwhals over pandas": lambda frame: pytest.importorskip("narwhals").from_native(frame.to_pandas()),
    "DuckDB": lambda frame: pytest.importorskip("duckdb").from_arrow(frame.to_arrow()),
}


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts as texts, however they are kept."""
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


# In


@pytest.mark.parametrize("form", list(FORMS))
def test_any_frame_is_a_log(form):
    names = {"content_id": "nr", "account_id": "wer", "timestamp": "wann", "url": "wo"}
    frame = FORMS[form](LOG.rename(names))
    assert_frame_equal(pg.read_log(frame, mapping=names), pg.read_log(LOG.rename(names), mapping=names))


@pytest.mark.parametrize("form", list(FORMS))
def test_each_step_takes_any_frame(form):
    own = FORMS[form]
    posts = pg.read_log(LOG)
    shares = pg.make_shares(posts, trace="url")["url"]
    assert_frame_equal(plain(pg.make_shares(own(posts), trace="url")["url"]), plain(shares))
    given = own(plain(shares))
    edges = pg.cosharing_edges(shares)
    assert edges.height > 0
    assert_frame_equal(plain(pg.cosharing_edges(given)), plain(edges))
    assert_frame_equal(plain(pg.rank_synchrony(given)), plain(pg.rank_synchrony(shares)))
    whole = pg.build_cascades(shares, posts, trace="url")
    assert_frame_equal(pg.build_cascades(given, own(posts), trace="url").cascades, whole.cascades)
    network = pg.join_traces(edges)
    assert_frame_equal(pg.join_traces(own(plain(edges))), network)
    assert pg.to_igraph(own(network)).ecount() == pg.to_igraph(network).ecount() == network.height


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"timestamp": pl.lit("2024-03-05 10:00")}, "column 'timestamp' holds String, not times; propgraph.read_log"),
        ({"timestamp": pl.col("timestamp").dt.epoch("s")}, "column 'timestamp' holds Int64, not times"),
        ({"urls": pl.col("url")}, "column 'urls' holds String, not lists"),
        ({}, "column 'url' is a log's, and no trace is made of it; propgraph.read_log"),
    ],
)  # fmt: skip
def test_a_log_in_the_place_of_posts_is_told_what_it_lacks(change, told):
    with pytest.raises(InputError, match=told):
        pg.make_shares(LOG.with_columns(**change))


def test_what_is_no_frame_at_all():
    with pytest.raises(InputError, match=r"list is no frame; propgraph\.read_log"):
        pg.make_shares(LOG.to_dicts())
    posts = pg.read_log(LOG)
    shares = pg.make_shares(posts, trace="url")["url"].drop("row")
    with pytest.raises(InputError, match="no column 'row'"):
        pg.build_cascades(shares, posts, trace="url")


# Out


@pytest.mark.parametrize("table", list(TABLES))
def test_every_table_goes_to_pandas_and_back(small_study, table):
    if table not in small_study.tables:
        pytest.skip("another job makes it")
    own = getattr(small_study, table)
    back = pl.from_pandas(own.to_pandas(use_pyarrow_extension_array=True))
    assert_frame_equal(back, own)
    # As pandas' own columns numbers with gaps are floats; no value is another for that.
    loose = pl.from_pandas(own.to_pandas()) if own.height else own.clear()
    assert loose.columns == own.columns
    for name, dtype in own.schema.items():
        if dtype.is_numeric() and own.height:
            assert (
                loose[name].cast(pl.Float64).fill_nan(None).equals(own[name].cast(pl.Float64).fill_nan(None))
            ), name


# What R's arrow has known for years; views and dictionaries are not among these.
KNOWN = {"large_string", "string", "bool", "double", "float"} | {
    f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)
}


def test_every_table_goes_to_feather_in_types_that_others_know(small_study, tmp_path):
    written = small_study.export(tmp_path / "out", format="feather", tables=small_study.tables)
    for name, file in written.select("table", "file").rows():
        if name == "dictionary":
            continue
        own = small_study.scan(name).collect()
        table = pyarrow.feather.read_table(tmp_path / "out" / file)
        types = {str(field.type) for field in table.schema}
        assert {one for one in types if not one.startswith("timestamp[ms")} <= KNOWN, name
        lists = [column for column, dtype in own.schema.items() if isinstance(dtype, pl.List)]
        joined = own.with_columns(pl.col(column).cast(pl.List(pl.String)).list.join("|") for column in lists)
        assert_frame_equal(pl.DataFrame(pl.from_arrow(table)), joined)
        assert list(pd.read_feather(tmp_path / "out" / file).columns) == own.columns


def test_arrow_itself_gets_no_type_that_only_polars_has(small_study):
    for name in small_study.tables:
        schema = getattr(small_study, name).to_arrow().schema
        assert not [
            field for field in schema if pa.types.is_dictionary(field.type) or "view" in str(field.type)
        ], name


def test_duckdb_reads_the_tables_where_they_lie(small_study):
    duckdb = pytest.importorskip("duckdb")
    for name in small_study.tables:
        [(n,)] = duckdb.sql(f"SELECT count(*) FROM '{small_study.file(name)}'").fetchall()
        assert n == small_study.scan(name).select(pl.len()).collect().item(), name
    rows = duckdb.sql(
        f"""
        SELECT cluster_id, count(*) AS n FROM '{small_study.file("members")}'
        JOIN '{small_study.file("clusters")}' USING (cluster_id) WHERE flagged GROUP BY cluster_id ORDER BY cluster_id
        """
    ).fetchall()
    clusters = small_study.clusters.filter("flagged").sort("cluster_id")
    assert rows == clusters.select("cluster_id", pl.col("n_accounts").cast(pl.Int64)).rows()


def test_functions_over_frames_take_any():
    """Of public functions whose first parameter is a frame none is left that takes Polars' alone."""
    frames = ("pl.DataFrame", "dict[str, pl.DataFrame]", "Mapping[str, pl.DataFrame]")
    functions = {name: getattr(pg, name) for name in pg.__all__ if inspect.isfunction(getattr(pg, name))}
    over = {
        name
        for name, function in functions.items()
        if any(one.annotation in frames for one in inspect.signature(function).parameters.values())
    }
    assert {"make_shares", "cosharing_edges", "to_igraph"} <= over
    assert sorted(name for name in over if not hasattr(functions[name], "__wrapped__")) == []
