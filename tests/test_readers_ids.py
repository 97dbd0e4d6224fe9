"""Ids that lost digits in writing, and what is done with their rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from test_readers_sheets import workbook

from propgraph.jobs.build import build
from propgraph.readers.layouts import tabular
from propgraph.readers.read import read_logs

TIME = 1_709_632_800
ROUNDED = "a rounded number, its last digits are lost; save the ids as text"
ZEROS = "ends in zeros as too many ids here do: rounded, its last digits are lost; save the ids as text"
OPTIONAL = ["parent_content_id", "origin_account_id", "target_id", "object_id"]


def snowflakes(n, seed=0, low=10**18, high=19 * 10**17):
    return np.random.default_rng(seed).integers(low, high, n)


def rounded_to(digits, numbers):
    """Round as a spreadsheet does, by way of the decimal digits."""
    return [f"{int(str(number)[:digits]):d}" + "0" * (len(str(number)) - digits) for number in numbers]


def read(tmp_path, frame, suffix="csv"):
    path = tmp_path / f"log.{suffix}"
    getattr(frame, {"csv": "write_csv", "parquet": "write_parquet", "ndjson": "write_ndjson"}[suffix])(path)
    log = read_logs([path])
    assert log.n_rows == frame.height
    return log, [note.removeprefix(f"{path}: ") for note in log.notes]


def table(**columns):
    n = len(next(iter(columns.values())))
    base = {"content_id": [f"p{k}" for k in range(n)], "account_id": [f"u{k}" for k in range(n)]}
    return pl.DataFrame(base | columns | {"timestamp": [TIME + k for k in range(n)]})


@pytest.mark.parametrize(
    "written",
    ["1.23457E+18", "1,23457E+18", "1,23E+18", "123,457E+16", " 1.23457e+18 ", "1E+18", "9007199254740992.0",
     "1.2345678901234568e18", "-1,5E+20"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["content_id", "account_id", *OPTIONAL])
def test_a_rounded_number_is_no_id_in_any_column(tmp_path, written, name):
    log, notes = read(tmp_path, table(**{name: [written, "77", "1e5"], "kind": ["reshare"] * 3}))
    if name in OPTIONAL:
        assert log.posts[name].cast(pl.String).to_list() == [None, "77", "1e5"]
        assert log.posts["kind"].to_list() == ["reshare"] * 3
        shown = written if name == "object_id" else written.strip().removesuffix(".0")
        assert notes[0] == (
            f"{name}: 1 rows have a rounded id ({shown}), its last digits are lost: taken as not known; "
            "save the ids as text"
        )
    else:
        assert log.posts[name].cast(pl.String).to_list() == ["77", "1e5"]
        assert log.rejected["reason"].to_list() == [f"{name}: {ROUNDED}"]


@pytest.mark.parametrize("name", ["content_id", "account_id", "parent_content_id"])
@pytest.mark.parametrize(
    ("dtype", "lost", "kept"),
    [(pl.Float64, float(2**53), float(2**53 - 1)), (pl.Float32, float(2**24), 2.0**24 - 1)],
)
def test_floats_of_a_binary_file_are_ids_as_long_as_they_are_exact(tmp_path, name, dtype, lost, kept):
    frame = table(**{name: pl.Series([lost, kept, -lost, 5.0], dtype=dtype)})
    log, _ = read(tmp_path, frame, "parquet")
    found = [str(int(kept)), "5"]
    if name == "parent_content_id":
        assert log.posts[name].to_list() == [None, found[0], None, "5"]
    else:
        assert log.posts[name].cast(pl.String).to_list() == found
        assert log.rejected["reason"].to_list() == [f"{name}: {ROUNDED}"] * 2


def test_floats_in_json(tmp_path):
    lines = [
        f'{{"content_id": {c}, "account_id": {a}, "timestamp": {TIME}, "parent_content_id": {p}}}'
        for c, a, p in ((1234567890123456789, "1.2345678901234568e18", "1"), (2, 9007199254740992.0, 3),
                        (4, 1234567890123456789, 1.2345678901234568e18), (5, 7.0, 9007199254740992.0))
    ]  # fmt: skip
    (tmp_path / "l.ndjson").write_text("\n".join(lines))
    log = read_logs([tmp_path / "l.ndjson"])
    assert log.posts.select("content_id", pl.col("account_id").cast(pl.String)).sort("content_id").rows() == [
        ("4", "1234567890123456789"), ("5", "7"),
    ]  # fmt: skip
    assert "parent_content_id" not in log.posts.columns
    assert log.rejected["reason"].to_list() == [f"account_id: {ROUNDED}"] * 2


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_zeros_at_the_end_of_most_ids_are_a_spreadsheets(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(tabular, "_BLOCK_BYTES", 1000)
    exact = [str(number) for number in snowflakes(20)]
    lost = rounded_to(15, snowflakes(60, seed=1))
    parents = exact + lost  # the first rows say otherwise
    log, notes = read(tmp_path, table(parent_content_id=parents), suffix)
    assert log.posts["parent_content_id"].to_list() == exact + [None] * 60
    assert (
        f"parent_content_id: 60 rows have a rounded id ({min(lost)}), its last digits are lost" in notes[-1]
    )
    log, _ = read(tmp_path, table(account_id=parents), suffix)
    assert log.posts["account_id"].cast(pl.String).to_list() == exact
    assert log.rejected["reason"].to_list() == [f"account_id: {ZEROS}"] * 60


def test_a_script_keeps_seventeen_digits(tmp_path):
    numbers = snowflakes(50)
    shown = [f"{np.format_float_positional(float(number), trim='-')}" for number in numbers]
    assert all(len(one) == 19 and one.endswith("00") for one in shown)
    log, _ = read(tmp_path, table(target_id=shown))
    assert "target_id" not in log.posts.columns


def test_six_digits_written_out(tmp_path):
    log, _ = read(tmp_path, table(target_id=rounded_to(6, snowflakes(9))))
    assert "target_id" not in log.posts.columns


@pytest.mark.parametrize(
    "ids",
    [
        [str(number) for number in snowflakes(5000)],
        [str(number) for number in snowflakes(5000, low=10**16, high=10**17)],  # 17 digits: one in 100 ends in 00
        [*("12345678901234500" for _ in range(900)), *(str(one) for one in snowflakes(100))],  # one post that went far
        ["1234567890123450000", "12"],
        [str(int(number) << 22) for number in snowflakes(500, low=3 * 10**11, high=4 * 10**11)],  # made of times
        [f"{TIME + k}000000000" for k in range(100)],  # times in ns
        [f"{TIME + k}000000" for k in range(100)],
        [str(1000 * k) for k in range(100)],
        ["100000000000000", "200000000000000", "300000000000000"],
    ],
    ids=["19", "17", "viral", "one", "shifted", "ns", "us", "short", "15"],
)  # fmt: skip
def test_zeros_that_chance_or_time_leaves_stay(tmp_path, ids):
    if ids[0] == "1234567890123450000":
        ids = ["1234567890123456700", "12"]  # two zeros of nineteen digits are one in a hundred
    log, notes = read(tmp_path, table(parent_content_id=ids))
    assert log.posts["parent_content_id"].to_list() == ids
    assert not any("rounded" in note for note in notes)


@pytest.mark.parametrize("how", ["E+18", "E+18 with a comma", "15 digits"])
def test_reposts_of_as_many_posts_do_not_become_few_originals(tmp_path, how):
    """800 reposts of 800 tweets, the parents' ids as a spreadsheet leaves them: 57 originals and 190 edges before."""
    rng = np.random.default_rng(3)
    parents = np.sort(snowflakes(800, seed=4, low=1_700_000 * 10**12, high=1_700_057 * 10**12))
    written = {
        "E+18": [f"{number:.5E}" for number in parents],
        "E+18 with a comma": [f"{number:.5E}".replace(".", ",") for number in parents],
        "15 digits": rounded_to(15, parents),
    }[how]
    frame = pl.DataFrame(
        {
            "content_id": [f"r{k}" for k in range(800)], "account_id": [f"u{k}" for k in rng.integers(0, 60, 800)],
            "timestamp": np.sort(rng.integers(TIME, TIME + 3000, 800)), "kind": "reshare", "parent_content_id": written,
        }
    )  # fmt: skip
    frame.write_csv(tmp_path / "l.csv", separator=";")
    study = build([tmp_path / "l.csv"], tmp_path / "s", min_edge_weight=1)
    posts = study.scan("posts").collect()
    assert posts["kind"].to_list() == ["reshare"] * 800
    assert posts["parent_content_id"].null_count() == 800
    counts = study.run["build"]["counts"]
    assert (counts["posts"], counts["shares"], counts["edges"], counts["cascades"]) == (800, 0, 0, 0)
    assert any(
        "parent_content_id: 800 rows have a rounded id" in note for note in study.run["build"]["notes"]
    )
    # With whole ids each repost is of a post of its own.
    frame.with_columns(parent_content_id=pl.Series(parents).cast(pl.String)).write_csv(tmp_path / "l.csv")
    study = build([tmp_path / "l.csv"], tmp_path / "s", min_edge_weight=1, overwrite=True)
    assert study.scan("objects").filter(trace="reshare").collect().height == 800


def test_a_parent_that_nobody_knows_still_makes_a_reshare(tmp_path):
    pl.DataFrame(
        {"id": ["a", "b"], "who": ["x", "y"], "when": [TIME, TIME + 1], "retweeted_id": [None, "1.23457E+18"]}
    ).write_csv(tmp_path / "l.csv")
    mapping = {
        "content_id": "id",
        "account_id": "who",
        "timestamp": "when",
        "parent_content_id": "retweeted_id",
    }
    log = read_logs([tmp_path / "l.csv"], mapping=mapping)
    assert log.posts["kind"].to_list() == ["original", "reshare"]
    assert "parent_content_id" not in log.posts.columns


FORMS = ["csv", "ndjson", "json", "strings.ndjson", "parquet", "xlsx"]
WRITTEN = ["1.23457E+18", "1.23457e+18", "1234570000000000000.0", "1.2345701234567E18"]


def stored(path, name, numbers):
    """Write a log with the `numbers` in a column as they are written, in a binary file as the floats that they are."""
    rows = [
        {"content_id": f"p{k}", "account_id": f"u{k}", "kind": "reshare", "timestamp": TIME + k, name: number}
        for k, number in enumerate(numbers)
    ]
    names = list(rows[0])
    quoted = names if path.name.startswith("strings") else [other for other in names if other != name]
    as_json = [
        "{"
        + ", ".join(f'"{key}": "{row[key]}"' if key in quoted else f'"{key}": {row[key]}' for key in row)
        + "}"
        for row in rows
    ]
    if path.suffix == ".csv":
        path.write_text("\n".join([",".join(names), *(",".join(map(str, row.values())) for row in rows)]))
    elif path.suffix == ".ndjson":
        path.write_text("\n".join(as_json))
    elif path.suffix == ".json":
        path.write_text(f"[{', '.join(as_json)}]")
    else:
        rows = [row | {name: float(row[name])} for row in rows]
        if path.suffix == ".xlsx":
            workbook(path, log=[names, *(list(row.values()) for row in rows)])
        else:
            pl.DataFrame(rows).write_parquet(path)
    return path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("name", ["content_id", "account_id", *OPTIONAL])
def test_a_rounded_id_is_as_unknown_in_any_form(tmp_path, name, written, form):
    path = stored(tmp_path / (form if "." in form else f"log.{form}"), name, [written, "77", "78"])
    log = read_logs([path])
    if name in OPTIONAL:
        assert log.posts[name].cast(pl.String).to_list() == [None, "77", "78"]
        assert log.posts["kind"].to_list() == ["reshare"] * 3
        assert f"{name}: 1 rows have a rounded id" in log.notes[0]
    else:
        assert log.posts[name].cast(pl.String).to_list() == ["77", "78"]
        assert log.rejected["reason"].to_list() == [f"{name}: {ROUNDED}"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["content_id", "account_id", *OPTIONAL])
def test_an_id_that_a_float_holds_whole_is_one_in_any_form(tmp_path, name, form):
    path = stored(
        tmp_path / (form if "." in form else f"log.{form}"), name, ["1709632801.0", "9007199254740991.0"]
    )
    log = read_logs([path])
    plain = ["1709632801", "9007199254740991"]
    as_text = [f"{number}.0" for number in plain]  # an object may be any text
    found = log.posts[name].cast(pl.String).to_list()
    assert found == (as_text if name == "object_id" and form in ("csv", "strings.ndjson") else plain)
    assert log.notes == []


@pytest.mark.parametrize("form", ["ndjson", "json"])
def test_integers_of_json_have_all_their_digits(tmp_path, form):
    numbers = [
        "1764954002027446273",
        "18446744073709551615",
        "123456789012345678901234567890",
        "-100170000000100",
    ]
    log = read_logs([stored(tmp_path / f"log.{form}", "parent_content_id", numbers)])
    assert log.posts["parent_content_id"].to_list() == numbers


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", ["content_id", *OPTIONAL])
def test_rounded_ids_among_good_ones(tmp_path, name, part):
    # Two exports in one file, one of which went through a spreadsheet.
    good = [str(number) for number in snowflakes(400)]
    n = round(part * 400)
    written = rounded_to(15, good[:n]) + good[n:]
    log, notes = read(tmp_path, table(**{name: written, "kind": ["reshare"] * 400}))
    if name == "content_id":
        assert sorted(log.posts[name]) == sorted(good[n:])
        assert log.rejected["reason"].to_list() == [f"{name}: {ZEROS}"] * n
    else:
        assert log.posts[name].cast(pl.String).drop_nulls().to_list() == good[n:]
        assert f"{name}: {n} rows have a rounded id" in notes[0]


@pytest.mark.parametrize("n", [4, 9, 300])
def test_a_few_zeros_at_the_end_are_no_loss(tmp_path, n):
    counted = [str(10**18 + k) for k in range(n)]
    few = ["1764954002027440000", "1764954002027450000", *(str(number) for number in snowflakes(n))]
    for ids in (counted, few):
        log, notes = read(tmp_path, table(content_id=ids))
        assert (log.posts.height, notes) == (len(ids), [])
