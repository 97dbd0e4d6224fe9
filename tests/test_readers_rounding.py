from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import polars as pl
import pytest
from test_readers_sheets import workbook

from propgraph.errors import InputError
from propgraph.readers.read import read_log, read_logs

# 2024-03-05 10:00:00
START = 1_709_632_800


def log_of(path, times):
    frame = pl.DataFrame(
        {"content_id": [f"p{k}" for k in range(len(times))], "account_id": "a", "timestamp": times}
    )
    frame.write_csv(path, separator=";") if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def moments(n):
    random = Random(1)
    return [START + random.randrange(86_400) for _ in range(n)]


def resolutions(path):
    posts = read_log(path)
    return set(posts["time_resolution_s"].to_list()) if "time_resolution_s" in posts.columns else {None}


@pytest.mark.parametrize("n", [1, 3, 300])
@pytest.mark.parametrize("comma", [".", ","])
@pytest.mark.parametrize(("factor", "unit"), [(1, "s"), (1000, "ms"), (10**6, "us")])
def test_numbers_as_a_spreadsheet_rewrites_them_are_refused(tmp_path, n, comma, factor, unit):
    # Six digits of ten: steps of 10,000 s.
    times = [f"{t * factor:.5E}".replace(".", comma) for t in moments(n)]
    with pytest.raises(InputError) as caught:
        read_logs([log_of(tmp_path / "log.csv", times)])
    assert f"log.csv: column 'timestamp', found '1{comma}709" in str(caught.value)
    assert "unix times rounded to 10,000 s in writing" in str(caught.value)
    assert "Save the column again from where it has all digits" in str(caught.value)


@pytest.mark.parametrize(("digits", "step"), [(7, 100), (6, 1000)])
def test_numbers_rounded_by_less_than_an_hour_are_as_coarse_as_they_were_rounded(tmp_path, digits, step):
    path = log_of(tmp_path / "log.csv", [f"{t:.{digits}e}" for t in moments(20)])
    log = read_logs([path])
    assert log.posts.height == 20
    assert all(round(time.timestamp()) % step == 0 for time in log.posts["timestamp"])
    assert resolutions(path) == {step}
    assert log.notes[0] == (
        f"{path}: timestamp: unix times rounded to {step:,} s in writing (their exponents leave out the last digits); "
        "the times are taken to be no finer. Save the column again from where it has all digits, as whole numbers or "
        "as text"
    )


def test_all_digits_with_an_exponent_are_all_digits(tmp_path):
    for form in (".9e", ".18e", ".12E"):
        path = log_of(tmp_path / "log.csv", [f"{t:{form}}" for t in moments(60)])
        log = read_logs([path])
        assert [round(t.timestamp()) for t in log.posts["timestamp"]] == sorted(moments(60))
        assert not any("rounded" in note for note in log.notes)
    # Java writes no zeros at the end: 1.7096E9 is a whole number of hours, not one rounded to five digits.
    hours = [f"{START + 3600 * k:.9e}" for k in range(60)]
    short = [f"{mantissa.rstrip('0')}E9" for mantissa, _ in (number.split("e") for number in hours)]
    log = read_logs([log_of(tmp_path / "log.csv", short)])
    assert [t.timestamp() for t in log.posts["timestamp"]] == [START + 3600 * k for k in range(60)]
    assert not any("rounded" in note for note in log.notes)


def test_of_a_column_with_all_digits_those_numbers_that_lost_some_are_rejected(tmp_path):
    times = [str(t) for t in moments(98)] + ["1.70964E+09", "1,709638E+09", "1.709632801E+09"]
    log = read_logs([log_of(tmp_path / "log.csv", times)])
    assert log.rejected["reason"].to_list() == [
        f"timestamp: {number} is a rounded number, its last digits are lost; save the column as text"
        for number in ("1.70964E+09", "1,709638E+09")
    ]
    assert datetime(2024, 3, 5, 10, 0, 1, tzinfo=UTC) in log.posts["timestamp"].to_list()


def test_one_row_does_not_tell_how_far_the_others_were_rounded(tmp_path):
    times = [f"{t:.6e}" for t in moments(200)] + ["1.709632801E+09"]
    assert resolutions(log_of(tmp_path / "log.csv", times)) == {1000}


def test_numbers_with_a_decimal_comma(tmp_path):
    log = read_logs([log_of(tmp_path / "log.csv", ["1709632800,5", "1709632801", " 1709632802 "])])
    assert [t.timestamp() for t in log.posts["timestamp"]] == [START + 0.5, START + 1, START + 2]


@pytest.mark.parametrize("n", [3, 300])
@pytest.mark.parametrize(("factor", "step"), [(1, 128), (1000, 131.072), (10**6, 134.217728)])
def test_32_bit_floats_are_no_finer_than_they_are(tmp_path, n, factor, step):
    # 2**30 s < 1.7e9 s < 2**31 s, and a 32-bit float has 24 digits: steps of 2**7 s.
    times = pl.Series([float(t * factor) for t in moments(n)], dtype=pl.Float32)
    path = log_of(tmp_path / "log.parquet", times)
    assert resolutions(path) == {step}
    assert any(f"rounded to {step:,.0f} s" in note for note in read_logs([path]).notes)
    if n > 50:  # that they went through them once shows as well
        assert resolutions(log_of(tmp_path / "log.parquet", times.cast(pl.Float64))) == {step}


def test_floats_that_are_multiples_of_a_power_of_ten_were_rounded(tmp_path):
    for step in (100, 1000, 10_000):
        times = [float(round(t / step) * step) for t in moments(300)]
        path = log_of(tmp_path / "log.parquet", times)
        assert resolutions(path) == {step}
        assert any(
            f"rounded to {step:,} s in writing (nearly all are multiples" in n
            for n in read_logs([path]).notes
        )


@pytest.mark.parametrize("step", [60, 300, 600, 3600, 86_400])
def test_the_steps_of_a_clock_are_no_rounding(tmp_path, step):
    times = [float(t // step * step + k % 30 * step) for k, t in enumerate(moments(300))]
    log = read_logs([log_of(tmp_path / "log.parquet", times)])
    assert not any("rounded" in note for note in log.notes)


def test_whole_numbers_and_few_floats_say_nothing(tmp_path):
    for times in ([float(START), START + 1000.0, START + 2000.0], [START + 10_000 * k for k in range(3)]):
        log = read_logs([log_of(tmp_path / "log.parquet", times)])
        assert not any("rounded" in note for note in log.notes)


def test_a_parents_time_that_was_rounded_is_left_out_and_told(tmp_path):
    frame = pl.DataFrame(
        {
            "content_id": ["p", "q"],
            "account_id": "a",
            "timestamp": [START, START + 1],
            "parent_timestamp": "1.70964E+09",
        }
    )
    frame.write_csv(tmp_path / "log.csv")
    log = read_logs([tmp_path / "log.csv"])
    assert log.posts.height == 2
    assert any("column 'parent_timestamp'" in note and "left out" in note for note in log.notes)


def stored(path, times):
    """Write a log with unix times as they are written in `times`, in a binary file as the numbers that they are."""
    rows = [(f"p{k}", f"u{k % 3}", written) for k, written in enumerate(times)]
    names = ("content_id", "account_id", "timestamp")
    as_json = [f'{{"content_id": "{p}", "account_id": "{a}", "timestamp": {t}}}' for p, a, t in rows]
    if path.suffix == ".csv":
        path.write_text("\n".join([",".join(names), *map(",".join, rows)]))
    elif path.suffix == ".ndjson":
        path.write_text("\n".join(as_json))
    elif path.suffix == ".json":
        path.write_text(f"[{', '.join(as_json)}]")
    elif path.suffix == ".xlsx":
        workbook(path, log=[list(names), *([p, a, float(t)] for p, a, t in rows)])
    else:
        pl.DataFrame([(p, a, float(t)) for p, a, t in rows], schema=names, orient="row").write_parquet(path)
    return path


FORMS = ["csv", "ndjson", "json", "parquet", "xlsx"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n", [3, 300])
@pytest.mark.parametrize("written", ["{}", "{}.0", "{:.9E}", "{:.12e}"])
def test_a_time_with_all_digits_is_one_in_any_form(tmp_path, written, n, form):
    log = read_logs([stored(tmp_path / f"log.{form}", [written.format(t) for t in moments(n)])])
    assert [t.timestamp() for t in log.posts["timestamp"]] == sorted(moments(n))
    assert log.notes == []
    assert resolutions(tmp_path / f"log.{form}") <= {None, 1.0}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("written", ["{}", "{}.0"])
@pytest.mark.parametrize("step", [100, 1000, 10_000])
def test_a_rounded_time_is_as_coarse_in_any_form(tmp_path, written, step, form):
    times = [written.format(round(t / step) * step) for t in moments(300)]
    path = stored(tmp_path / f"log.{form}", times)
    assert resolutions(path) == {step}
    assert [note.removeprefix(f"{path}: ") for note in read_logs([path]).notes] == [
        f"timestamp: unix times rounded to {step:,} s in writing (nearly all are multiples of that); the times are "
        "taken to be no finer. Save the column again from where it has all digits, as whole numbers or as text"
    ]


@pytest.mark.parametrize("form", ["csv", "ndjson", "json"])
@pytest.mark.parametrize("n", [1, 3, 300])
@pytest.mark.parametrize(("digits", "step"), [(5, 10_000), (6, 1000), (7, 100)])
@pytest.mark.parametrize("mark", ["E+", "e+", "E"])
def test_an_exponent_tells_the_same_in_json(tmp_path, mark, digits, step, n, form):
    times = [f"{t:.{digits}E}".replace("E+09", f"{mark}09".replace("E09", "E9")) for t in moments(n)]
    path = stored(tmp_path / f"log.{form}", times)
    if step > 3600:
        with pytest.raises(InputError, match="rounded to 10,000 s in writing"):
            read_logs([path])
        return
    assert resolutions(path) == {step}
    assert any(
        f"rounded to {step:,} s in writing (their exponents" in note for note in read_logs([path]).notes
    )


def test_a_number_with_an_exponent_in_a_record_that_a_reader_knows(tmp_path):
    # VK's `date` and ids, in a page of the API's and one record a line.
    post = '{"id": %d, "owner_id": -77, "from_id": -77, "date": %s, "post_type": "post", "text": "a"}'
    posts = [post % (k, f"{t:.5E}") for k, t in enumerate(moments(3), 1)]
    page = f'{{"response": {{"count": 3, "items": [{", ".join(posts)}]}}}}'
    for name, text in {"page.json": page, "posts.ndjson": "\n".join(posts)}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match="rounded to 10,000 s in writing"):
            read_logs([tmp_path / name])
