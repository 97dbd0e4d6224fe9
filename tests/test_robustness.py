"""Whatever a log is like: a study that accounts for every row, or one clear message; never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from same_tables import same

from propgraph.cli.app import run
from propgraph.jobs.build import build
from propgraph.schema import REJECTED
from propgraph.study import Study

HEAD = "content_id,account_id,timestamp,object_id\n"
GOOD = "".join(f"p{n},a{n % 3},{1_600_000_000 + n},o{n % 4}\n" for n in range(24))
LOG = HEAD + GOOD


def built(capfd, *words):
    """Run `propgraph build`; return the exit code, stdout and stderr, which never show a traceback."""
    code = run(["build", *map(str, words)])
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    assert "internal error" not in err
    assert "Exception ignored" not in err
    assert "panicked" not in err
    return code, out, err


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# --- logs that give a study, and the rows they lose ------------------------------------------------------

FAULTS = {
    "nothing wrong": (LOG, []),
    "a single row": (HEAD + "p1,a,1600000000,o\n", []),
    "a single row, no line end": (HEAD + "p1,a,1600000000,o", []),
    "blank lines": (HEAD + "\n\n" + GOOD + "\n\n", []),
    "CRLF": (LOG.replace("\n", "\r\n"), []),
    "a torn last line": (LOG + "p99,a,16000", [26]),
    "torn inside a quote": (LOG + 'p99,"a,16000', [26]),
    "torn inside a quote of the last column": (LOG + 'p99,a,1600000000,"o', [26]),
    "a quote left open": (HEAD + 'p98,a,1600000000,"o\n' + GOOD + 'p99,a,1600000000,"o"\n', [2]),
    "an extra field": (LOG + "p99,a,1600000000,o,o\n", [26]),
    "a header again": (LOG + HEAD, [26]),
    "latin-1": (LOG.encode() + "p98,Jürgen,1600000000,o\n".encode("latin-1"), [26]),
    "UTF-8 with a mark": (LOG.encode("utf-8-sig"), []),
    "UTF-16 with a mark": ((LOG + "p98,Jürgen,1600000000,o\np99,,,\n").encode("utf-16"), [27]),
    "NULs at the end": (LOG.encode() + b"\0" * 20, [26]),
    "a NUL in an id": (LOG + "p99,a\0b,1600000000,o\n", []),
    "a row twice": (LOG + "p3,a0,1600000003,o3\n", [26]),
    "a post with another object": (LOG + "p3,a0,1600000003,o0\n", []),
    "a post with another author": (LOG + "p3,zz,1600000003,o3\n", [26]),
    "a post with another time": (LOG + "p3,a0,1600000008,o3\n", [26]),
    "empty ids": (LOG + ",a,1600000000,o\np99,,1600000000,o\np99, ,1600000000,o\n", [26, 27, 28]),
    "no object": (LOG + "p99,a,1600000000,\n", []),
    "strange times": (
        LOG + "".join(f"q{n},a,{t},o\n" for n, t in enumerate(["", "1e30", "inf", "nan", -1, 2**70, "Monday"])),
        [*range(26, 33)],
    ),
    "a quoted line end": (LOG + '"p\n98",a,1600000000,o\np99,,1600000000,o\n', [27]),
    "10 MB in a field": (LOG + f"p98,a,1600000000,{'o' * 10_000_000}\np99,,1600000000,o\n", [27]),
    "hostile text": (LOG + "=cmd(),\x1b[31mred,1600000000,<script>\u202e\n", []),
    "columns nobody knows": (LOG.replace("\n", ",x\n").replace("object_id,x", "object_id,extra"), []),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_every_row_is_a_post_or_rejected_with_its_line(tmp_path, capfd, fault):
    content, lines = FAULTS[fault]
    path = write(tmp_path / "log.csv", content)
    code, out, err = built(capfd, path, "-o", tmp_path / "study")
    assert (code, err) == (0, "")
    study = Study.open(tmp_path / "study")
    counts = study.run["build"]["counts"]
    assert (
        counts["rows"] == counts["posts"] + counts["rejected"] == study.posts.height + study.rejected.height
    )
    assert (
        f"rows in   {counts['rows']:,} = {counts['posts']:,} posts + {counts['rejected']:,} rejected" in out
    )
    assert study.rejected.schema == REJECTED.dtypes
    assert study.rejected["line"].to_list() == lines
    assert study.rejected["source"].to_list() == [str(path)] * len(lines)
    assert study.rejected["reason"].null_count() == study.rejected["raw"].null_count() == 0


def test_ndjson_with_every_kind_of_line(tmp_path, capfd):
    big = 1234567890123456789
    lines = [
        json.dumps({"content_id": big, "account_id": big + 1, "timestamp": 1600000000, "object_id": None}),
        json.dumps({"content_id": 2.0, "account_id": "b", "timestamp": 1600000001.5, "object_id": 7}),
        json.dumps({"content_id": None, "account_id": "b", "timestamp": 1600000000}),
        json.dumps({"content_id": "p4", "account_id": {"id": 1}, "timestamp": 1600000000}),
        "not JSON",
        json.dumps([1, 2]),
        "",
        "{}",
        '{"content_id": "p9", "account_id": "torn',
    ]
    code, _, _ = built(capfd, write(tmp_path / "log.ndjson", "\n".join(lines)), "-o", tmp_path / "study")
    study = Study.open(tmp_path / "study")
    assert code == 0
    assert study.posts.select("content_id", "account_id", "object_id").rows() == [
        (str(big), str(big + 1), None),
        ("2", "b", "7"),
    ]
    assert study.rejected["line"].to_list() == [3, 4, 5, 6, 8, 9]
    assert study.run["build"]["counts"]["rows"] == 8


def test_a_folder_of_files_of_all_sorts(tmp_path, capfd):
    folder = tmp_path / "export"
    folder.mkdir()
    write(folder / "a.csv", LOG)
    write(
        folder / "b.ndjson.gz",
        gzip.compress(b'{"content_id": "x", "account_id": "b", "timestamp": 1600000000}\n'),
    )
    write(folder / "empty.csv", "")
    write(folder / "header.csv", HEAD)
    write(folder / "codebook.csv", "variable,meaning\nx,y\n")
    write(folder / "settings.json", "[]")
    write(folder / "paper.pdf", b"%PDF-1.7\n")
    code, out, err = built(capfd, folder, "-o", tmp_path / "study")
    assert code == 0
    assert [line.split()[1].rstrip(":") for line in out.splitlines() if line.startswith("read")] == [
        str(folder / name) for name in ("a.csv", "b.ndjson.gz", "header.csv")
    ]
    for name in ("empty.csv", "codebook.csv", "settings.json", "paper.pdf"):
        assert sum(f"note: {folder / name}: " in line for line in err.splitlines()) == 1
    assert "rows in   25 = 25 posts + 0 rejected" in out


def test_a_log_of_which_nothing_is_shared_still_builds(tmp_path, capfd):
    path = write(tmp_path / "log.csv", "content_id,account_id,timestamp\np1,a,1600000000\n")
    code, out, _ = built(capfd, path, "-o", tmp_path / "study")
    assert code == 0
    assert "shares    0 of 0 objects" in out


# --- logs that give one clear message --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "log.csv: left out, empty"),
        ("\n \n", "log.csv: left out, empty"),
        (HEAD, "log.csv: a header but no rows"),
        ("user,when\na,1600000000\n", "--map account_id=user --map timestamp=when"),
        ("content_id,account_id\np,a\n", "No column looks like timestamp (when)"),
        (HEAD + "p1,a,yesterday,o\n", "column 'timestamp' should hold times, found 'yesterday'"),
        (HEAD + ",a,1600000000,o\n", "none of 1 rows can be used; the first, line 2: content_id: empty"),
        (HEAD + "p1,a\n", "none of 1 rows can be used; the first, line 2: 2 fields where the header has 4"),
        (HEAD.replace("object_id", "timestamp") + "p,a,1,2\n", "the header names 'timestamp' more than once"),
        ('[{"account_id": "a"}]', "No column looks like timestamp (when)"),
        ("[]", "holds no JSON object; write one object a line (jq -c .)"),
        ('{\n "account_id": "a",\n', "holds no JSON object; write one object a line (jq -c .)"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0", "cannot be read to its end (File is not a zip file)"),
        (gzip.compress(LOG.encode() * 1000)[:-9], "cannot be read to its end (Truncated compressed stream)"),
        (b"PAR1" + bytes(100), "cannot be read to its end"),
        (b"ARROW1\0\0" + bytes(100), "cannot be read to its end"),
    ],
)
def test_bad_data_ends_with_1_and_one_message(tmp_path, capfd, content, message):
    path = write(tmp_path / "log.csv", content)
    code, out, err = built(capfd, path, "-o", tmp_path / "study")
    assert (code, out) == (1, "")
    assert err.startswith("propgraph: ")
    assert str(path) in err
    assert message in err
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "coretweet"], "did you mean 'coortweet'"),
        (["--map", "account=user"], "did you mean 'account_id'"),
        (["--map", "account_id"], "write NAME=COLUMN"),
        (["--format", "qut", "--map", "account_id=user"], "--map is for columns of your own"),
        (["--trace", "urls"], "did you mean 'url'"),
        (["--trace", "url"], "--trace: 'url': the log has none; it needs urls or text"),
        (["--trace", "reshare"], "it needs kind and parent_content_id"),
    ],
)
def test_bad_usage_ends_with_2_and_one_message(tmp_path, capfd, words, message):
    path = write(tmp_path / "log.csv", LOG)
    code, out, err = built(capfd, path, "-o", tmp_path / "study", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_there(tmp_path, capfd):
    code, _, err = built(capfd, tmp_path / "absent.csv", tmp_path / "*.tsv", "-o", tmp_path / "study")
    assert code == 1
    assert "absent.csv: no such file or folder; " in err
    assert "*.tsv: no such file or folder (the pattern matches nothing)" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path, capfd):
    path = write(tmp_path / "log.csv", LOG)
    path.chmod(0)
    code, _, err = built(capfd, path, "-o", tmp_path / "study")
    assert (code, "log.csv: cannot be read (Permission denied)" in err) == (1, True)


def test_what_is_in_the_way_of_a_study_stays_as_it_is(tmp_path, capfd):
    path = write(tmp_path / "log.csv", LOG)
    (tmp_path / "mine").mkdir()
    precious = write(tmp_path / "mine" / "thesis.tex", "years of work")
    for target in (tmp_path / "mine", path, tmp_path):
        code, _, err = built(capfd, path, "-o", target, "--overwrite")
        assert (code, "something that is not a study is in the way" in err) == (1, True)
    assert precious.read_text() == "years of work"
    assert path.read_text() == LOG


def test_a_study_is_kept_when_the_next_one_fails(tmp_path, capfd):
    path = write(tmp_path / "log.csv", LOG)
    assert built(capfd, path, "-o", tmp_path / "study")[0] == 0
    before = Study.open(tmp_path / "study").posts
    write(path, HEAD)
    assert built(capfd, path, "-o", tmp_path / "study", "--overwrite")[0] == 1
    assert Study.open(tmp_path / "study").posts.equals(before)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log.csv", "study"]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (
            b"content_id,account_id,timestamp\nM\xfcnchen\n" + b"p,a,\xff\n" * 3,
            1,
            b"none of 4 rows can be used",
        ),
        (b"PAR1" + bytes(64), 1, b"cannot be read to its end"),
        (LOG.encode(), 0, b""),
    ],
)
def test_the_command_itself_says_so_on_stderr(tmp_path, content, code, message):
    path = write(tmp_path / "log.csv", content)
    command = [sys.executable, "-m", "propgraph", "build", str(path), "-o", str(tmp_path / "study")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == code
    assert message in done.stderr
    for word in (b"Traceback", b"Exception ignored", b"internal error"):
        assert word not in done.stdout + done.stderr


# --- the same bytes --------------------------------------------------------------------------------------


def messy_log(random_):
    """Posts with links, reshares, ties in time, repeats and faults, as CSV rows."""
    rows = []
    for n in range(400):
        time = 1_600_000_000 + random_.randrange(600)
        kind, parent = "original", ""
        if n and random_.random() < 0.4:
            kind, parent = "retweet", f"p{random_.randrange(n)}"
        link = f"https://site{random_.randrange(5)}.com/story{random_.randrange(9)}?utm_source=s{n % 3}"
        rows.append(f"p{n},u{random_.randrange(30)},{time},{kind},{parent},{link},#tag{n % 4}")
    rows += random_.sample(rows, 15)
    rows += [",u1,1600000000,,,,", "p900,u1,tomorrow,,,,", "p901,u1", "p1,u99,1600000000,original,,,"]
    return rows


def test_shuffled_rows_and_other_threads_give_the_same_bytes(tmp_path):
    head = "content_id,account_id,timestamp,kind,parent_content_id,urls,hashtags"
    rows = messy_log(random.Random(7))
    studies = []
    for seed, threads in ((0, 1), (1, 2), (2, 2)):
        order = rows[:]
        random.Random(seed).shuffle(order)
        # The same name in another folder: `rejected` names the file.
        (tmp_path / str(seed)).mkdir()
        write(tmp_path / str(seed) / "log.csv", "\n".join([head, *order]))
        studies.append(
            build(
                [tmp_path / str(seed) / "log.csv"],
                tmp_path / f"study{seed}",
                threads=threads,
                time_window=30,
                min_edge_weight=1,
            )
        )
    first, *others = studies
    assert first.edges.height > 50
    assert first.cascades["depth"].max() > 1
    for other in others:
        assert other.tables == first.tables
        for name in first.tables:
            if name != "rejected":  # it says in which line a row stands
                assert same(other, first, name), name
        assert other.rejected["reason"].sort().equals(first.rejected["reason"].sort())
        assert other.rejected.height == 19


def test_the_layout_of_the_log_does_not_show_in_the_study(tmp_path):
    head = "content_id,account_id,timestamp,kind,parent_content_id,urls,hashtags"
    path = write(tmp_path / "log.csv", "\n".join([head, *messy_log(random.Random(8))[:400]]))
    table = pl.read_csv(path, infer_schema=False)
    table.write_ndjson(tmp_path / "log.ndjson")
    table.with_columns(pl.from_epoch(pl.col("timestamp").cast(pl.Int64))).write_parquet(
        tmp_path / "log.parquet"
    )
    studies = [
        build([file], tmp_path / file.suffix[1:], min_edge_weight=1)
        for file in (path, tmp_path / "log.ndjson", tmp_path / "log.parquet")
    ]
    for other in studies[1:]:
        for name in studies[0].tables:
            assert same(other, studies[0], name), name
