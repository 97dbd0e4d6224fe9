"""Parquet and Arrow IPC: whole ones as they were written, and damaged ones."""

from __future__ import annotations

import io
import os
import random
from datetime import UTC, date, datetime

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.readers.files.logfile import LogFile
from propgraph.readers.layouts import binary
from propgraph.readers.layouts.binary import binary_columns, read_binary
from propgraph.readers.read import read_logs

WHEN = datetime(2024, 3, 5, 10, tzinfo=UTC)
ALL_KINDS = pl.DataFrame({
    "text": ["a", None, "é"], "number": [1, None, 3], "real": [1.5, None, -2.0], "yes": [True, None, False],
    "list": [["a", "b"], [], None], "record": [{"a": 1, "b": "x"}, None, {"a": 2, "b": None}],
    "bytes": [b"a", b"\xff", None], "time": [WHEN, None, WHEN], "day": [date(2024, 3, 5), None, None],
}).with_columns(
    word=pl.col("text").cast(pl.Categorical), one_of=pl.col("text").cast(pl.Enum(["a", "é"])),
    exact=pl.col("real").cast(pl.Decimal(10, 2)), here=pl.col("time").dt.convert_time_zone("Europe/Paris"),
    fine=pl.col("time").cast(pl.Datetime("ns", "UTC")), nothing=pl.lit(None),
)  # fmt: skip


def written(frame: pl.DataFrame, layout: str, **options) -> bytes:
    buffer = io.BytesIO()
    (frame.write_parquet if layout == "parquet" else frame.write_ipc)(buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("layout", ["parquet", "ipc"])
def test_every_kind_of_column_is_read_as_it_was_written(tmp_path, layout, compression):
    path = tmp_path / "log"
    path.write_bytes(written(ALL_KINDS, layout, compression=compression))
    file = LogFile(path, layout)
    assert binary_columns(file) == ALL_KINDS.columns
    found = read_binary(file, ALL_KINDS.columns[::-1])
    assert found.equals(ALL_KINDS.select(ALL_KINDS.columns[::-1]))
    assert read_binary(file, ["number"]).equals(ALL_KINDS.select("number"))


N = 3000
LOG = pl.DataFrame({
    "content_id": [f"p{n}" for n in range(N)], "account_id": [f"user{n % 91}" for n in range(N)],
    "timestamp": pl.Series([1_600_000_000 + n for n in range(N)]), "text": ["héllo " * (n % 9) for n in range(N)],
    "urls": [[f"https://s{n % 5}.example/{k}" for k in range(n % 4)] for n in range(N)],
})  # fmt: skip


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return a file with a few bytes changed, left out, put in or put elsewhere; half of them near its end."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 3, 10))):
        at = rng.randrange(max(0, len(data) - 3000) if rng.random() < 0.5 else 0, len(data))
        way = rng.randrange(5)
        if way == 0:
            data[at] = rng.randrange(256)
        elif way == 1:
            data[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", bytes(4))
            )
        elif way == 2:
            data[at : at + rng.choice((8, 500))] = bytes(8)
        elif way == 3:
            del data[at : at + rng.choice((1, 4, 100))]
        else:
            other = rng.randrange(len(data))
            data[at : at + 100] = data[other : other + 100]
    return bytes(data)


@pytest.mark.parametrize("layout", ["parquet", "ipc"])
@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_a_damaged_table_is_one_clear_error_or_whole(tmp_path, capfd, layout, compression):
    content = written(LOG, layout, compression=compression)
    path = tmp_path / "log"
    n_refused = 0
    for seed in range(25):
        path.write_bytes(damaged(content, random.Random(seed)))
        try:
            log = read_logs([path])
        except InputError:
            n_refused += 1
        else:
            assert log.posts.height + log.rejected.height == N
    assert n_refused > 5
    assert "panicked" not in capfd.readouterr().err


def test_a_footer_that_counts_other_rows_is_told(tmp_path):
    content = written(LOG, "parquet", compression="uncompressed")
    footer = content[-int.from_bytes(content[-8:-4], "little") - 8 :]
    # 3,000 as Thrift's compact protocol writes it: 2 * 3,000 in groups of seven bits.
    count = bytes([(6000 & 127) | 128, 6000 >> 7])
    assert footer.count(count) >= 2
    first = content.rindex(footer) + footer.index(count)
    (tmp_path / "log").write_bytes(
        content[:first] + bytes([(5998 & 127) | 128, 5998 >> 7]) + content[first + 2 :]
    )
    with pytest.raises(OSError, match=r"its footer counts 2,999 rows, and 3,000 in its parts"):
        read_binary(LogFile(tmp_path / "log", "parquet"), ["account_id"])


def test_what_else_is_said_on_stderr_is_said_in_the_end(capfd):
    with binary._quiet_panics():
        os.write(2, b"by the way\n")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "by the way\n"


def test_what_a_panic_says_is_not(capfd):
    def panic():
        os.write(2, b"thread panicked\n")
        raise pl.exceptions.PanicException("no")

    with pytest.raises(pl.exceptions.PanicException), binary._quiet_panics():
        panic()
    assert capfd.readouterr().err == ""
