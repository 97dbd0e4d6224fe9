from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import polars as pl
import pytest
from test_readers_sheets import workbook

from propgraph.errors import InputError
from propgraph.readers.read import read_log, read_logs
from propgraph.readers.times.rounding import NOT_ROUNDED, Rounding, digits_kept, find_rounding, numbers_in

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


def found(values, *, to_ms=1000.0, dtype=None):
    sample = pl.Series(values, dtype=dtype)
    return find_rounding(sample, numbers_in(sample), to_ms=to_ms)


@pytest.mark.parametrize("step", [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000])
@pytest.mark.parametrize(("to_ms", "factor"), [(1000.0, 1), (1.0, 1000), (1e-3, 10**6)])
def test_numbers_that_are_all_multiples_of_a_power_of_ten_were_rounded_to_it(step, to_ms, factor):
    # From 7 on, and not multiples of ten of it.
    times = [(7 + k + k // 9) * step * factor for k in range(60) if (7 + k + k // 9) % 10]
    assert len(times) >= 50
    assert found(times, to_ms=to_ms) == Rounding(step, how="nearly all are multiples of that")
    assert found([time + factor for time in times], to_ms=to_ms) == NOT_ROUNDED


def test_steps_of_ten_seconds_are_as_good_as_a_clock():
    assert found([10 * k for k in range(3, 100)]) == NOT_ROUNDED


@pytest.mark.parametrize(
    ("n", "n_odd", "rounded"), [(49, 0, False), (50, 0, True), (99, 1, True), (98, 2, False)]
)
def test_fifty_numbers_of_which_99_in_100_are_multiples_show_a_rounding(n, n_odd, rounded):
    times = [START + 100 * k for k in range(n)] + [START + 1] * n_odd
    assert (found(times).step_s == 100) is rounded


@pytest.mark.parametrize(("n_distinct", "rounded"), [(4, False), (5, True)])
def test_a_rounding_shows_in_five_distinct_times(n_distinct, rounded):
    assert (found([START + 100 * (k % n_distinct) for k in range(100)]).step_s == 100) is rounded


@pytest.mark.parametrize(("n_minutes", "n_others", "rounded"), [(99, 1, False), (98, 2, True)])
def test_times_of_which_99_in_100_are_whole_minutes_are_a_clocks(n_minutes, n_others, rounded):
    minutes = [300 * k for k in range(n_minutes)]
    assert (found(minutes + [100 + 300 * k for k in range(n_others)]).step_s == 100) is rounded


@pytest.mark.parametrize(
    ("largest", "step_s"),
    [(2**25, 4), (2**25 - 64, 2), (2**31 - 128, 128), (2**31, 256), (2**24, 2), (2**24 - 1, None), (0, None)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_32_bit_floats_have_24_digits(largest, step_s, sign):
    # From 2**24 to 2**25 every second whole number is one, from there to 2**26 every fourth.
    assert found([sign * float(largest)] * 3, dtype=pl.Float32).step_s == step_s


def test_half_of_the_numbers_are_no_column_of_exponents():
    few, most = ["1.709632E+09", "1709632801"], ["1.709632E+09", "1.709633E+09", "1709632801"]
    assert found(few) == found(few * 2) == NOT_ROUNDED
    assert found(most) == Rounding(1000, exponents=True, how="their exponents leave out the last digits")


@pytest.mark.parametrize(
    ("numbers", "step_s"),
    [
        (["1.709632801E9"], None),  # to the second
        (["1.7096328E9", "1.709632801E9"] * 5, None),  # zeros at the end are not written
        (["1.70963280E9"], 10),
        (["1.70963E9"] * 197 + ["1.7096328E9"] * 3, 100),
        (["1.70963E9"] * 299 + ["1.7096328E9"], 10_000),
        (["1E9"], 10**9),
        (["1.E9"], 10**9),
        (["-1.5e8"], 10**7),
    ],
)
def test_the_last_digit_with_an_exponent_tells_the_step(numbers, step_s):
    assert found(numbers).step_s == step_s
    assert found(numbers).exponents


@pytest.mark.parametrize(("n_distinct", "step_s"), [(4, 100), (5, None)])
def test_five_whole_hours_with_exponents_are_a_clocks(n_distinct, step_s):
    # 1.7096328E9, 1.7096364E9: the last digit stands for 100 s, and the hour needs no more.
    hours = [f"{(START + 3600 * k) // 100 / 10**7}E9" for k in range(n_distinct)]
    assert found(hours) == (
        Rounding(exponents=True)
        if step_s is None
        else Rounding(100, exponents=True, how="their exponents leave out the last digits")
    )


def test_what_is_rounded_by_more_than_an_hour_is_no_time():
    assert Rounding(3600.0, exponents=True).too_far is None
    assert Rounding(3600.5, exponents=True).too_far is not None
    assert Rounding(10_000.0).too_far is None
    assert Rounding(10_000.0).note is not None
    assert NOT_ROUNDED.too_far is None
    assert NOT_ROUNDED.note is None
    assert Rounding(exponents=True).too_far is None


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("1709640000", True), ("1.709640000E9", True), ("1.70964000E9", False), ("1.70964E+09", False),
        ("1.70964E+9", False), ("0E0", True), ("0E2", False), ("-1E+5", True), ("1709640001", True),
        # To the year 2100 they are times; what lies beyond is none, rounded or not.
        ("4.1024448E9", False), ("4.1024449E9", True), ("1E+12", True), ("inf", True),
    ],
)  # fmt: skip
def test_which_numbers_of_a_column_with_all_digits_have_lost_some(text, is_kept):
    column = pl.Series([text, "1709640002"])
    numbers = numbers_in(column)
    kept = digits_kept(numbers, column, NOT_ROUNDED, to_ms=1000.0)
    assert kept.to_list() == [numbers[0] if is_kept else None, 1_709_640_002.0]
    assert digits_kept(numbers, column, Rounding(exponents=True), to_ms=1000.0).equals(numbers)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,5", 1.5),
        (" -1,5 ", -1.5),
        ("1,5E2", 150.0),
        ("1,5e-1", 0.15),
        ("+7", 7.0),
        ("1,5,5", None),
        (",5", None),
    ],
)
def test_numbers_may_have_a_decimal_comma(text, number):
    assert numbers_in(pl.Series(["soon", text, None, "2.5"])).to_list() == [None, number, None, 2.5]
