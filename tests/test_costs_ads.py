"""Exports of ad libraries, written by hand after the published names of their columns."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from propgraph.costs.ads import read_ads
from propgraph.costs.layouts import find_layout
from propgraph.costs.spend import read_amount, read_range
from propgraph.errors import InputError

FOLDER = Path(__file__).parent / "fixtures" / "ads"


def day(text, hour=0, minute=0):
    return datetime.fromisoformat(f"{text}T{hour:02d}:{minute:02d}:00").replace(tzinfo=UTC)


PLANET = {
    "ad_id": "9007199254740993", "page": "Daily Planet", "payer": "Planet Media Ltd",
    "links": ["dailyplanet.example", "https://www.dailyplanet.example/a?utm_source=fb"],
    "spend_low": 100.0, "spend_high": 199.0, "currency": "USD", "start": day("2024-03-01"), "stop": day("2024-03-04"),
    "start_resolution_s": 86400.0,
}  # fmt: skip
SOME = {
    "ad_id": "2", "page": "Some Page", "payer": "Some Page", "links": ["farm.example", "other.example"],
    "spend_low": 1e6, "spend_high": None, "currency": "EUR", "start": day("2024-03-02"), "stop": None,
    "start_resolution_s": 86400.0,
}  # fmt: skip


def test_metas_csv_and_a_page_of_its_api_say_the_same():
    for name in ("meta_site.csv", "meta_api_page.json"):
        ads, notes = read_ads(FOLDER / name)
        assert ads.to_dicts() == [PLANET, SOME], name
        assert notes == [f"{FOLDER / name}: 2 adverts (Meta's Ad Library)"]


def test_an_advert_a_line_and_columns_by_other_packages(tmp_path):
    page = pl.read_json(FOLDER / "meta_api_page.json")["data"].explode().struct.unnest()
    page.write_ndjson(tmp_path / "ads.ndjson")
    assert read_ads(tmp_path / "ads.ndjson")[0].to_dicts() == [PLANET, SOME]
    flat = page.with_columns(
        spend_lower=pl.col("spend").struct.field("lower_bound"),
        spend_upper=pl.col("spend").struct.field("upper_bound"),
        ad_creative_link_captions=pl.col("ad_creative_link_captions").list.join(";"),
        ad_creative_bodies=pl.col("ad_creative_bodies").list.join(";"),
    ).drop("spend")
    flat.write_csv(tmp_path / "ads.csv")
    assert read_ads(tmp_path / "ads.csv")[0].to_dicts() == [PLANET, SOME]


def test_metas_report_has_neither_dates_nor_links_but_names_that_are_sites():
    ads, notes = read_ads(FOLDER / "meta_report.csv")
    assert notes == [f"{FOLDER / 'meta_report.csv'}: 2 adverts (Meta's Ad Library Report)"]
    assert ads.select("ad_id", "payer", "links", "spend_low", "spend_high", "currency", "start").rows() == [
        ("12", "dailyplanet.example", ["dailyplanet.example"], 1234.0, 1234.0, "USD", None),
        ("13", "farm.example", ["farm.example"], 0.0, 100.0, "USD", None),
    ]


def test_googles_creative_stats_and_the_whole_bundle(tmp_path):
    path = FOLDER / "google-political-ads-creative-stats.csv"
    ads, notes = read_ads(path)
    assert ads.select(
        "ad_id", "page", "links", "spend_low", "spend_high", "currency", "start", "stop"
    ).rows() == [
        ("CR1", "FARM.EXAMPLE", ["FARM.EXAMPLE"], 0, 100, "USD", day("2024-03-01", 10), day("2024-03-05", 9)),
        ("CR2", "Some Committee", [], 100, 200, "EUR", day("2024-03-02", 8), day("2024-03-02", 20)),
        ("CR3", "Some Committee", [], 50, 60, "USD", day("2024-03-02", 8), day("2024-03-02", 20)),
    ]
    assert ads["start_resolution_s"].to_list() == [None] * 3
    assert notes[0].endswith("3 adverts (Google's political ads transparency bundle)")
    assert "1 further currencies of adverts that give their spend in several" in notes[1]
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as bundle:
        bundle.write(path, f"bundle/{path.name}")
        bundle.writestr("bundle/google-political-ads-updated.csv", "Report_Data_Updated_Date\n2024-04-01\n")
    packed, notes = read_ads(tmp_path / "bundle.zip")
    assert packed.equals(ads)
    assert any("google-political-ads-updated.csv: left out, it lists no adverts" in note for note in notes)


def test_the_table_of_bigquery_has_the_same_names_in_lower_case():
    table = pl.read_csv(FOLDER / "google-political-ads-creative-stats.csv", infer_schema=False)
    lower = table.rename(str.lower)
    assert read_ads(lower)[0].equals(read_ads(table)[0])


def test_a_plain_table_from_a_file_or_a_frame(tmp_path):
    table = pl.DataFrame(
        {
            "ad_id": ["1", None], "url": ["https://a.example/x", "b.example"], "sponsor": ["Us", None],
            "spend_low": [1.5, None], "spend_high": [2.0, 3.0], "currency": ["usd", "EUR"],
            "start": [day("2024-01-01", 5), None], "stop": [day("2024-01-02"), None],
        }
    )  # fmt: skip
    ads, _ = read_ads(table)
    assert ads.drop("page", "start_resolution_s").rows() == [
        ("1", "Us", ["https://a.example/x"], 1.5, 2.0, "USD", day("2024-01-01", 5), day("2024-01-02")),
        ("row 2", None, ["b.example"], None, 3.0, "EUR", None, None),
    ]
    table.write_csv(tmp_path / "ads.csv")
    table.write_parquet(tmp_path / "ads.parquet")
    assert read_ads([tmp_path / "ads.csv"])[0].equals(ads)
    assert read_ads(tmp_path / "ads.parquet")[0].equals(ads)


def test_what_cannot_be_read_is_left_empty_and_counted():
    table = pl.DataFrame(
        [
            ("1", "a.example", "5", "3", "USD", "2024-01-01", "2023-12-31"),
            ("2", "a.example", "-5", "-3", "USD", "soon", None),
            ("3", "a.example", "1", "2", "$$", "2024-01-02", None),
            ("4", "a.example", "1", "2", None, "2024-01-02", None),
            (None, "no link", "1", "2", "USD", "2024-01-02", None),
            ("6", None, "1,000", "2,000,000", "USD", "2024-01-02", None),
        ],
        schema=["ad_id", "url", "spend_low", "spend_high", "currency", "start", "stop"],
        orient="row",
    )
    ads, notes = read_ads(table)
    told = " ".join(notes)
    for what in (
        "5 adverts (a table of adverts)", "2 amounts that cannot be read", "1 stops before the start",
        "2 amounts without a currency of three letters", "1 times in 'start' that cannot be read",
        "1 rows without an id and a link",
    ):  # fmt: skip
        assert what in told
    assert ads["ad_id"].to_list() == ["1", "2", "3", "4", "6"]
    assert ads["spend_low"].to_list() == [None, None, None, None, 1000.0]
    assert ads["spend_high"].to_list() == [None, None, None, None, 2e6]
    assert ads["currency"].to_list() == [None, None, None, None, "USD"]
    assert (ads["stop"].null_count(), ads["start"].null_count()) == (5, 1)


def test_a_column_without_a_single_time_is_told_and_no_error():
    ads, notes = read_ads(pl.DataFrame({"ad_id": ["1", "2"], "url": ["a.example"] * 2, "start": ["x", "y"]}))
    assert ads["start"].to_list() == [None, None]
    assert any("2 times in 'start' that cannot be read" in note for note in notes)


def test_an_advert_that_is_said_twice_counts_once():
    ads, notes = read_ads([FOLDER / "meta_site.csv", FOLDER / "meta_api_page.json"])
    assert ads.height == 2
    assert notes[-1] == "ads: 2 rows say again what another says of the same advert; left out"


def test_of_two_exports_the_one_with_more_spent_counts_in_any_order():
    rows = pl.DataFrame(
        {
            "ad_id": ["1", "2", "1", "1"], "url": ["x.org"] * 4, "start": ["2020-01-01"] * 4,
            "spend_low": [10, 5, 50, None], "spend_high": [19, 9, None, None], "currency": ["EUR"] * 4,
        }
    )  # fmt: skip
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        ads, notes = read_ads(rows[order])
        assert dict(ads.select("ad_id", "spend_low").rows()) == {"1": 50.0, "2": 5.0}
        assert notes[-1] == "ads: 2 rows say again what another says of the same advert; left out"


@pytest.mark.parametrize(
    "columns", [("account_id", "timestamp", "url"), ("ad_idd", "url"), ("a",), ("id", "page_name")]
)
def test_a_file_in_no_layout_is_an_error_that_names_its_columns(tmp_path, columns):
    path = tmp_path / "log.csv"
    pl.DataFrame({name: ["x"] for name in columns}).write_csv(path)
    with pytest.raises(InputError) as error:
        read_ads(path)
    assert str(error.value).startswith(f"{path}: no export of an ad library by its columns")
    assert f"found {', '.join(columns)}" in str(error.value)
    assert ("did you mean 'ad_idd'" in str(error.value)) == (columns[0] == "ad_idd")
    with pytest.raises(InputError, match="ads: no export of an ad library"):
        read_ads(pl.DataFrame({name: ["x"] for name in columns}))


def test_no_adverts_at_all():
    ads, notes = read_ads([])
    assert (ads.height, notes) == (0, [])
    empty, notes = read_ads(pl.DataFrame(schema={"ad_id": pl.String, "url": pl.String}))
    assert empty.schema == ads.schema
    assert notes == ["ads: 0 adverts (a table of adverts)"]
    with pytest.raises(InputError, match="no such file"):
        read_ads("nowhere.csv")


def test_hostile_cells_break_nothing():
    cells = [
        "\x1b[31m",
        "<script>",
        "https://" + "a" * 70_000,
        '["',
        "{",
        "http://[",
        "\u202e",
        "x" * 10_000,
        '"',
    ]
    table = pl.DataFrame(
        dict.fromkeys(("ad_id", "url", "page", "payer", "spend", "currency", "start"), cells)
    )
    ads, _ = read_ads(table)
    assert ads.height == len(cells)
    assert ads["currency"].null_count() == len(cells)
    page = pl.DataFrame({"data": ['[1, null, {"id": []}]', "{}", None]})
    assert find_layout(page.columns) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("lower_bound: 100, upper_bound: 199", 100, 199), ('{"lower_bound": "0", "upper_bound": "99"}', 0, 99),
        ("lower_bound: 1000000", 1e6, None), ("100-199", 100, 199), ("$100k – 200K", 1e5, 2e5), ("≤100", 0, 100),
        ("<= 1,000", 0, 1000), (">1M", 1e6, None), ("12.50", 12.5, 12.5), ("1,234,567", 1234567, 1234567),
        ("0", 0, 0), ("0,5", None, None), ("-5", None, None), ("1e5", None, None), ("", None, None), (None, None, None),
        ("nan", None, None), ("1-2-3", None, None), ("500+", 500, None),
    ],
)  # fmt: skip
def test_ranges_of_money_as_they_are_written(text, low, high):
    first, last = read_range(pl.col("t"))
    found = pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(low=first, high=last)
    assert found.rows() == [(low, high)]


def test_single_amounts():
    found = pl.DataFrame({"t": ["1,000.5", "2k", "≤3", "1-2", None]}).select(read_amount(pl.col("t")))
    assert found.to_series().to_list() == [1000.5, 2000, None, None, None]


def test_pages_without_a_list_are_counted(tmp_path):
    path = tmp_path / "pages.ndjson"
    advert = '{"id": "1", "page_name": "A", "ad_delivery_start_time": "2020-01-01"}'
    path.write_text(
        '{"data": [' + advert + ']}\n{"data": []}\n{"data": "no more"}\n{"data": 5}\n{"error": "limit"}\n'
    )
    ads, notes = read_ads(path)
    assert ads["ad_id"].to_list() == ["1"]
    assert notes == [
        f"{path}: 1 adverts (Meta's Ad Library)", f"{path}: 3 rows without an id and a link, left empty or out",
    ]  # fmt: skip
