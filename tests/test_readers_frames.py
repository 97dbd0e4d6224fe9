from __future__ import annotations

import datetime
import json

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from same_tables import PLACES

from propgraph.errors import InputError, UsageError
from propgraph.jobs.build import build
from propgraph.readers.frames import as_logs, frame_digest
from propgraph.readers.read import read_log, read_logs

ROWS = {
    "who": ["1234567890123456789", "b", "c", None],
    "when": [1_600_000_000, 1_600_000_010, 1_600_000_020, 1_600_000_030],
    "link": ["https://mill.example/1", None, "https://mill.example/1", "https://mill.example/2"],
    "fans": [10, None, 30, 40],
}
MAPPING = {"account_id": "who", "timestamp": "when", "url": "link", "followers": "fans"}


class OldPandas(pd.DataFrame):
    """As before 2.2: a frame without capsules."""

    __arrow_c_stream__ = property()  # type: ignore[assignment]


OldPandas.__name__, OldPandas.__module__ = "DataFrame", "pandas.core.frame"
FORMS = {
    "polars": pl.DataFrame(ROWS),
    "lazy": pl.LazyFrame(ROWS),
    "in pieces": pl.concat([pl.DataFrame(ROWS)[:1], pl.DataFrame(ROWS)[1:]], rechunk=False),
    "arrow": pa.table(ROWS),
    "batch": pa.RecordBatch.from_pydict(ROWS),
    "pandas": pd.DataFrame(ROWS),  # which has fans as 10.0, NaN, 30.0, 40.0
    "pandas by account": pd.DataFrame(ROWS).set_index("who"),
    "pandas of before": OldPandas(ROWS),
    "categories": pd.DataFrame(ROWS).astype({"who": "category", "link": "category"}),
}


@pytest.fixture
def file(tmp_path):
    pl.DataFrame(ROWS).write_csv(tmp_path / "log.csv")
    return tmp_path / "log.csv"


@pytest.mark.parametrize("form", list(FORMS))
def test_every_frame_goes_the_way_of_a_file(file, form):
    of_file, of_frame = (read_logs(log, mapping=MAPPING) for log in (file, FORMS[form]))
    assert_frame_equal(of_frame.posts.drop(PLACES), of_file.posts.drop(PLACES))
    assert_frame_equal(of_frame.profiles, of_file.profiles)
    # The second row of a file is the first of its table.
    assert of_frame.rejected.select("source", "line", "reason").rows() == [("frame", 4, "account_id: empty")]
    assert of_file.rejected.select("line", "reason").rows() == [(5, "account_id: empty")]
    assert [(source["path"], source["rows"]) for source in of_frame.sources] == [("frame", 4)]


def test_frames_and_paths_side_by_side(file):
    mixed = [FORMS["pandas"].iloc[:2], file, FORMS["arrow"].slice(2)]
    log = read_logs(mixed, mapping=MAPPING)
    assert [source["path"] for source in log.sources] == [str(file), "frame", "frame 2"]
    assert log.posts.height == 6
    posts = read_log(*mixed, mapping=MAPPING)
    assert posts.equals(read_log(mixed, mapping=MAPPING))
    assert posts["content_id"].n_unique() == 6


@pytest.mark.parametrize("times", ["datetime64[s]", "datetime64[ns, Europe/Berlin]"])
def test_times_of_pandas(times):
    stamps = pd.Series(["2024-03-05 10:00:00", "2024-03-05 10:00:10"], dtype="datetime64[s]").astype(
        times if "Berlin" not in times else "datetime64[s]"
    )
    if "Berlin" in times:
        stamps = stamps.dt.tz_localize("Europe/Berlin").astype(times)
    posts = read_log(pd.DataFrame({"account_id": ["a", "b"], "timestamp": stamps, "object_id": ["x", "x"]}))
    hour = 9 if "Berlin" in times else 10
    assert posts["timestamp"][0] == datetime.datetime(2024, 3, 5, hour, tzinfo=datetime.UTC)


def test_a_log_by_itself_is_one_log(file, tmp_path):
    whole = build(file, tmp_path / "by path", mapping=MAPPING)
    for k, log in enumerate((str(file), FORMS["polars"], FORMS["pandas"])):
        study = build(log, tmp_path / f"study {k}", mapping=MAPPING)
        assert_frame_equal(study.posts.drop(PLACES), whole.posts.drop(PLACES))
        assert_frame_equal(study.shares, whole.shares)
        assert study.run["build"]["parameters"]["logs"] == [log if isinstance(log, str) else "frame"]
    assert read_log(str(file), mapping=MAPPING).equals(read_log(file, mapping=MAPPING))


def test_a_frame_is_told_apart_by_its_bytes(tmp_path):
    study = build(FORMS["in pieces"], tmp_path / "study", mapping=MAPPING)
    [source] = study.run["build"]["inputs"]
    for form in ("polars", "arrow", "batch", "pandas of before"):
        frame = as_logs(FORMS[form])[0].frame.with_columns(pl.col("fans").cast(pl.Int64))
        assert frame_digest(frame) == source["sha256"]
    assert frame_digest(FORMS["polars"].reverse()) != source["sha256"]
    json.dumps(study.run)


def test_a_digest_looks_at_every_value():
    frame = pl.DataFrame(
        {
            "text": ["a", None, ""],
            "number": [1, None, 0],
            "real": [1.5, None, 0.0],
            "yes": [True, None, False],
            "raw": [b"a", None, b""],
            "time": [datetime.datetime(2024, 3, 5), None, datetime.datetime(1970, 1, 1)],
            "list": [["a"], None, []],
            "object": [{"a": 1}, {"a": None}, {"a": 2}],
            "kind": pl.Series(["x", None, "y"], dtype=pl.Categorical),
            "none": [None, None, None],
        }
    )
    digests = [frame_digest(frame), frame_digest(frame.rename({"text": "texts"}))]
    for name in frame.columns:
        for row in range(2):
            swapped = frame.with_columns(pl.col(name).gather([*range(row), row + 1, row, *range(row + 2, 3)]))
            digests.append(frame_digest(swapped))
    assert len(set(digests)) == len(digests) - 2  # but for the column without a value
    assert frame_digest(pl.concat([frame[:1], frame[1:]], rechunk=False)) == digests[0]


@pytest.mark.parametrize("log", [{"who": ["a"]}, b"log.csv", 3, None, [3]])
def test_what_is_neither_a_path_nor_a_frame(log):
    with pytest.raises(UsageError, match=r"is neither a path nor a frame; give files"):
        read_log(log)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (
            pd.DataFrame({"account_id": [1, "x"], "timestamp": [1, 2]}),
            "frame: cannot be taken as a table .*account_id",
        ),
        (pl.Series("account_id", ["a"]), "frame: cannot be taken as a table"),
        (
            pl.DataFrame({"who": ["a"], "when": [1]}),
            "frame: no known format has these columns. Found: who, when",
        ),
        (pl.DataFrame({"account_id": [], "timestamp": []}), "frame: a header but no rows"),
        (pl.DataFrame(), "frame: no known format has these columns. Found: none"),
        (
            pl.DataFrame({"account_id": [{"a": 1}], "timestamp": [1_600_000_000], "object_id": ["x"]}),
            "frame: the column for 'account_id' holds Struct",
        ),
    ],
)
def test_a_frame_that_is_no_log(frame, told):
    with pytest.raises(InputError, match=told):
        read_log(frame)


def test_frames_are_numbered_and_paths_kept():
    logs = as_logs(["a.csv", [FORMS["polars"], FORMS["arrow"]]])
    assert [log if isinstance(log, str) else log.name for log in logs] == ["a.csv", "frame", "frame 2"]
    assert as_logs(logs) == logs
