"""A study's tables as files for other programs."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime

import networkx
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import propgraph
from propgraph.cli.app import run
from propgraph.errors import StudyError, UsageError
from propgraph.export import workbook
from propgraph.export.folder import dictionary, export_study, gephi_tables
from propgraph.export.tables import render
from propgraph.schema import TABLES

HOSTILE = [
    '=HYPERLINK("http://evil.example";"x")',
    "a;=1+1",
    'b\n"=cmd"',
    "'@one",
    "@one",
    "x\x00\ufffe\x1b[31m",
    "0012",
]
WHEN = 1_700_000_000


@pytest.fixture
def hostile(tmp_path):
    """A study without clusters, whose accounts, names and texts are attacks on spreadsheets."""
    log = pl.DataFrame(
        {
            "account_id": HOSTILE,
            "name": HOSTILE[::-1],
            "timestamp": [WHEN + k for k in range(len(HOSTILE))],
            "url": ["https://a.example/?q=;=1"] * len(HOSTILE),
            "text": [f"{name} ;@sum" for name in HOSTILE],
        }
    )
    return propgraph.build(log, tmp_path / "hostile", mapping={"auto": "auto"})


def cells(path, separator=","):
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), delimiter=separator))


# What is written


def test_all_tables_and_what_they_mean(small_study, tmp_path):
    written = export_study(small_study, tmp_path / "out")
    names = [*small_study.tables, "gephi_nodes", "gephi_edges", "dictionary"]
    assert written["table"].to_list() == names
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.csv" for name in names}
    assert written["note"].null_count() == written.height
    for name, file, n in written.select("table", "file", "n_rows").rows():
        assert len(cells(tmp_path / "out" / file)) == n + 1, name
    told = pl.read_csv(tmp_path / "out" / "dictionary.csv")
    assert told.columns == ["table", "column", "dtype", "unit", "meaning"]
    assert list(zip(told["table"], told["column"], strict=True)) == [
        (name, column) for name in small_study.tables for column in TABLES[name].columns
    ]
    assert told.filter(table="clusters", column="flags")["dtype"].item() == "List(String), joined by |"


def test_csv_is_what_render_gives(small_study, tmp_path):
    export_study(small_study, tmp_path, tables=["clusters", "evidence", "posts"])
    for name in ("clusters", "evidence", "posts"):
        assert (tmp_path / f"{name}.csv").read_bytes() == render(small_study.scan(name).collect(), "csv")


def test_parquet_keeps_dtypes_and_joins_lists(small_study, tmp_path):
    written = export_study(small_study, tmp_path, format="parquet", tables="clusters")
    assert written["file"].to_list() == ["clusters.parquet", "dictionary.csv"]
    ours, flat = small_study.clusters, pl.read_parquet(tmp_path / "clusters.parquet")
    lists = [name for name, dtype in ours.schema.items() if isinstance(dtype, pl.List)]
    assert lists
    assert_frame_equal(flat.drop(lists), ours.drop(lists))
    assert flat["flags"].to_list() == ["|".join(flags) for flags in ours["flags"]]


def test_the_same_study_gives_the_same_bytes(small_study, tmp_path):
    for format in ("csv", "parquet", "xlsx"):
        for run_ in ("one", "two"):
            export_study(
                small_study, tmp_path / run_, format=format, tables=["sites", "gephi"], overwrite=True
            )
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_without_clusters_there_is_no_network(hostile, tmp_path):
    written = export_study(hostile, tmp_path / "out")
    assert "gephi_nodes" not in written["table"]
    assert written["table"].to_list() == [*hostile.tables, "dictionary"]


# Gephi's table import


def test_gephi_tables_hold_the_network(small_study, tmp_path):
    written = export_study(small_study, tmp_path, tables="gephi")
    assert written["file"].to_list() == ["gephi_nodes.csv", "gephi_edges.csv"]
    nodes, edges = (pl.read_csv(tmp_path / f"gephi_{kind}.csv") for kind in ("nodes", "edges"))
    assert nodes.columns[:2] == ["Id", "Label"]
    assert edges.columns[:4] == ["Source", "Target", "Type", "Weight"]
    assert edges["Type"].unique().to_list() == ["Undirected"]
    assert nodes["Id"].n_unique() == nodes.height
    assert set(edges["Source"]) | set(edges["Target"]) <= set(nodes["Id"])
    propgraph.write_network(tmp_path / "n.graphml", small_study)
    drawn = networkx.read_graphml(tmp_path / "n.graphml")
    assert {frozenset(pair) for pair in edges.select("Source", "Target").rows()} == set(
        map(frozenset, drawn.edges)
    )
    assert edges["Weight"].sum() == sum(weight for *_, weight in drawn.edges(data="weight"))
    # Gephi takes no heed of the case of letters in names of columns.
    for table in gephi_tables(small_study):
        assert len({name.lower() for name in table.columns}) == table.width


# Hostile names


def test_no_cell_is_a_formula_by_commas_semicolons_or_tabs(hostile, tmp_path):
    export_study(hostile, tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        for separator in ",;\t":
            found = [
                cell for row in cells(path, separator) for cell in row if cell.lstrip(' \n"')[:1] in {*"=+-@"}
            ]
            # Numbers and, in the dictionary, what a unit is called.
            assert [cell for cell in found if cell and not cell.lstrip("-").replace(".", "").isdigit()] == []
    accounts = {row[0] for row in cells(tmp_path / "out" / "accounts.csv")[1:]}
    assert len(accounts) == len(HOSTILE)  # '@one and @one are two still
    assert {"''@one", "'@one", "0012"} <= accounts


def test_a_workbook_holds_texts_as_they_are(hostile, tmp_path):
    export_study(hostile, tmp_path / "out", format="xlsx", tables=["accounts", "posts"])
    path = tmp_path / "out" / "accounts.xlsx"
    read = pl.read_excel(path, infer_schema_length=0)
    # What XML cannot hold stands for itself by its number, as Excel writes it.
    ids = [text for text in read["account_id"] if not text.startswith("x")]
    assert set(ids) == {name for name in HOSTILE if not name.startswith("x")}
    with zipfile.ZipFile(path) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        styles = parts.read("xl/styles.xml").decode()
        assert not any("hyperlink" in name.lower() for name in parts.namelist())
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert 'quotePrefix="1"' in styles


def test_times_in_a_workbook_are_dates(small_study, tmp_path):
    export_study(small_study, tmp_path, format="xlsx", tables="accounts")
    read = pl.read_excel(tmp_path / "accounts.xlsx")
    assert read["first_seen"].dtype == pl.Datetime("ms")
    apart = (
        read["first_seen"].dt.replace_time_zone("UTC") - small_study.accounts["first_seen"]
    ).dt.total_milliseconds()
    assert apart.abs().max() <= 1
    assert read["n_posts"].cast(pl.UInt32).to_list() == small_study.accounts["n_posts"].to_list()


def test_what_a_sheet_cannot_hold_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    table = pl.DataFrame(
        {
            "text": ["x" * 40_000, "é" * 32_767, None, "c", "d"],
            "when": [datetime(1850, 1, 1, tzinfo=UTC), *[datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)] * 4],
            "share": [float("nan"), float("inf"), 0.5, None, 1.0],
            "lists": [["a", "b"], [], None, ["c"], ["d"]],
        },
        schema_overrides={"when": pl.Datetime("ms", "UTC")},
    )
    with (tmp_path / "t.xlsx").open("wb") as file:
        notes = workbook.write_workbook(file, table.lazy(), sheet="t")
    assert notes == [
        "the first 3 of 5 rows, as many as a sheet holds; csv and parquet hold all",
        "1 text cut at 32,767 characters, as many as a cell holds",
    ]
    read = pl.read_excel(tmp_path / "t.xlsx", infer_schema_length=0)
    assert read.height == 3
    assert read["text"].str.len_chars().to_list() == [32_767, 32_767, None]
    assert read["when"].to_list()[:2] == ["1850-01-01T00:00:00Z", "2020-01-02T03:04:05Z"]
    assert read["share"].to_list() == [None, None, "0.5"]
    assert [text or "" for text in read["lists"]] == ["a|b", "", ""]


def test_rows_left_out_are_told_by_the_export(small_study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(workbook, "MAX_ROWS", 5)
    n = small_study.accounts.height
    assert (
        run(["export", str(small_study.path), "-o", str(tmp_path), "--format", "xlsx", "--table", "accounts"])
        == 0
    )
    said = capsys.readouterr().out
    assert f"the first 5 of {n:,} rows" in said
    assert said.splitlines()[0].split() == ["accounts.xlsx", "5", "rows"]


# What is refused


def test_a_study_is_no_place_for_it(small_study, own_study):
    before = sorted(own_study.path.iterdir())
    for folder in (own_study.path, own_study.path / "out"):
        with pytest.raises(UsageError, match="choose one beside it"):
            export_study(own_study, folder)
    with pytest.raises(UsageError, match="a study; choose a folder that is none"):
        export_study(small_study, own_study.path, overwrite=True)
    assert sorted(own_study.path.iterdir()) == before


def test_what_is_there_stays_unless_it_may_be_replaced(small_study, tmp_path):
    (tmp_path / "sites.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"sites\.csv is there already; add --overwrite"):
        export_study(small_study, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sites.csv"]
    assert (tmp_path / "sites.csv").read_text() == "mine"
    export_study(small_study, tmp_path, tables="sites", overwrite=True)
    assert len(cells(tmp_path / "sites.csv")) == small_study.sites.height + 1
    with pytest.raises(UsageError, match="a file is in the way"):
        export_study(small_study, tmp_path / "sites.csv")


def test_names_that_are_none(small_study, hostile, tmp_path, capsys):
    with pytest.raises(UsageError, match="did you mean 'clusters'"):
        export_study(small_study, tmp_path / "out", tables="cluster")
    with pytest.raises(UsageError, match="is not one of csv, parquet, feather, xlsx"):
        export_study(small_study, tmp_path / "out", format="xls")
    with pytest.raises(UsageError, match="no table is named"):
        export_study(small_study, tmp_path / "out", tables=[])
    for name in ("clusters", "gephi"):
        with pytest.raises(StudyError, match="run `propgraph clusters` first"):
            export_study(hostile, tmp_path / "out", tables=name)
    assert not (tmp_path / "out").exists()
    assert run(["export", str(hostile.path), "-o", str(tmp_path / "out"), "--table", "site"]) == 2
    assert capsys.readouterr().err.startswith("propgraph: --table: 'site' is not one of ")


def test_without_the_library_it_says_what_to_install(small_study, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    with pytest.raises(UsageError, match=r"pip install 'propgraph\[xlsx\]'"):
        export_study(small_study, tmp_path / "out", format="xlsx")
    assert not (tmp_path / "out").exists()


def test_the_dictionary_leaves_no_column_untold():
    told = dictionary(list(TABLES))
    assert told.height == sum(len(table.columns) for table in TABLES.values())
    assert told.null_count().sum_horizontal().item() == 0
