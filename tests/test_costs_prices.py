"""Price tables: propgraph's own has its sources, a user's replaces it whole, and what is no price is told."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from propgraph.cli.app import run
from propgraph.costs.prices import ITEMS, price_table, prices_of
from propgraph.errors import InputError
from propgraph.jobs.clusters import find_clusters

ROW = {"item": "task", "low": "0.5", "high": "2", "currency": "eur", "source": "a shop, 2024"}


def table(*changes):
    return pl.DataFrame([{**ROW, **change} for change in changes])


def test_our_own_prices_have_all_items_a_range_a_year_and_a_source():
    ours = price_table()
    assert set(ours["item"]) == set(ITEMS)
    ranges = {row["item"]: (row["low"], row["high"]) for row in ours.to_dicts()}
    assert ranges == {"profile": (0.1, 1), "click": (6e-5, 6e-5), "task": (0.01, 0.01), "like": (0.35, 0.7)}
    assert ours.null_count().sum_horizontal().item() == 0
    assert ours["currency"].unique().to_list() == ["USD"]


def test_a_users_table_is_read_from_a_file_or_a_frame(tmp_path):
    frame = table({}, {"item": "profile", "low": "1", "high": "1"})
    frame.write_csv(tmp_path / "p.csv")
    frame.write_ndjson(tmp_path / "p.ndjson")
    read = price_table(frame)
    assert read.select("item", "low", "high", "currency", "unit").rows() == [
        ("task", 0.5, 2.0, "EUR", None),
        ("profile", 1.0, 1.0, "EUR", None),
    ]
    assert_frame_equal(price_table(tmp_path / "p.csv"), read)
    assert_frame_equal(price_table(str(tmp_path / "p.ndjson")), read)
    numbers = frame.with_columns(pl.col("low", "high").cast(pl.Float64))
    assert_frame_equal(price_table(numbers), read)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"item": "profil"},
            "item 'profil' is not one of profile, click, task, like (did you mean 'profile'?)",
        ),
        ({"item": None}, "item 'None' is not one of"),
        ({"low": "3"}, "low '3' and high '2' are no range of a price"),
        ({"low": "-1"}, "low '-1'"),
        ({"low": "nan"}, "low 'nan'"),
        ({"high": "inf"}, "high 'inf'"),
        ({"high": "1,5"}, "high '1,5'"),
        ({"low": None}, "low 'None'"),
        ({"currency": "$"}, "currency '$' is not the three letters"),
        ({"currency": None}, "currency '' is not the three letters"),
        ({"source": None}, "no source; a price without one is a guess"),
        ({"source": "  "}, "no source"),
    ],
)
def test_a_row_that_is_no_price_is_an_error_that_names_it(change, told):
    with pytest.raises(InputError) as error:
        price_table(table({}, change))
    assert str(error.value).startswith("prices: row 2: ")
    assert told in str(error.value)


def test_all_rows_that_are_wrong_are_told_at_once_and_many_are_counted():
    with pytest.raises(InputError, match=r"row 1: .*row 5: .*; and 3 rows more") as error:
        price_table(table(*[{"item": f"x{k}" * 200} for k in range(8)]))
    assert len(str(error.value)) < 1500


def test_a_table_without_a_column_or_a_row_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no column 'source'"):
        price_table(table({}).drop("source"))
    table({}).drop("currency").write_csv(tmp_path / "p.csv")
    with pytest.raises(
        InputError, match=r"p\.csv: no column 'currency'.*a table of prices needs the columns"
    ):
        price_table(tmp_path / "p.csv")
    with pytest.raises(InputError, match="prices: no row in it"):
        price_table(table({}).clear())
    with pytest.raises(InputError, match="no such file"):
        price_table(tmp_path / "none.csv")


def test_of_several_prices_of_one_thing_the_lowest_and_the_highest_count_currency_by_currency():
    prices = prices_of(
        price_table(
            table(
                {"low": "0.5", "high": "2", "source": "b"},
                {"item": "click", "low": "0.1", "high": "0.2", "source": "a"},
                {"low": "7", "high": "9", "currency": "USD", "source": "c"},
            )
        )
    )
    assert prices.rows() == [
        ("tasks", "EUR", 0.1, 2.0, ["a", "b"]),
        ("tasks", "USD", 7.0, 9.0, ["c"]),
    ]


def test_find_clusters_takes_prices_and_records_where_they_came_from(own_study, tmp_path):
    table({}, {"item": "profile", "low": "1", "high": "1"}).write_csv(tmp_path / "p.csv")
    found = find_clusters(own_study, prices=tmp_path / "p.csv")
    n = found.clusters.filter("flagged").height
    assert n
    profiles = found.costs.filter(subject_type="cluster", item="profiles")
    assert profiles.height == n
    assert (profiles["low"] == profiles["n_high"]).all()
    assert set(found.costs["currency"]) == {"EUR"}
    record = found.run["clusters"]["prices"]
    assert (record["path"], len(record["sha256"])) == (str(tmp_path / "p.csv"), 64)
    assert own_study.run["clusters"]["counts"] == found.run["clusters"]["counts"]


def test_costs_are_no_flag_and_no_score(small_study):
    rows = small_study.costs
    assert rows.height
    assert set(rows.filter(subject_type="cluster")["subject_id"]) == set(
        small_study.clusters.filter("flagged")["cluster_id"]
    )
    assert not [flag for flags in small_study.clusters["flags"] for flag in flags if "cost" in flag]


def test_what_a_campaign_would_have_cost_is_explained_and_takes_other_prices(own_study, tmp_path, capsys):
    def told(*words):
        assert run(["clusters", str(own_study.path), *words]) == 0
        assert "hypothetical" not in capsys.readouterr().out
        assert run(["explain", str(own_study.path), "g1"]) == 0
        return " ".join(capsys.readouterr().out.split())

    said = told()
    assert said.count("(hypothetical; nothing in the log says so)") == 1
    assert "price of an influencer's like" in said
    table({"low": "100", "high": "100"}).write_csv(tmp_path / "p.csv")
    assert "influencer" not in told("--prices", str(tmp_path / "p.csv"))
    table({"item": "\x1b[31m"}).write_csv(tmp_path / "bad.csv")
    assert run(["clusters", str(own_study.path), "--prices", str(tmp_path / "bad.csv")]) == 1
    error = capsys.readouterr().err
    assert "row 1: item" in error
    assert "\x1b" not in error


def test_a_study_of_an_earlier_version_without_costs_is_shown_all_the_same(own_study, capsys):
    own_study.file("costs").unlink()
    assert run(["explain", str(own_study.path), "g1"]) == 0
    assert "hypothetical" not in capsys.readouterr().out
