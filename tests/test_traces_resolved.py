from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import traces as reference

from propgraph.errors import InputError
from propgraph.jobs.build import build
from propgraph.schema import ID, IDS, TIME
from propgraph.traces.make import make_shares
from propgraph.traces.resolved import read_resolved, usable_links

START = datetime(2020, 1, 1, tzinfo=UTC)


def table(*rows):
    return pl.DataFrame(rows, schema={"url": ID, "resolved_url": ID}, orient="row")


def log(*links):
    """Return a post for each list of links, a second apart."""
    n = len(links)
    return pl.DataFrame(
        {
            "content_id": [f"p{k}" for k in range(n)],
            "account_id": [f"a{k}" for k in range(n)],
            "timestamp": [START + timedelta(seconds=k) for k in range(n)],
            "urls": [[link] if isinstance(link, str) else link for link in links],
        },
        schema={"content_id": ID, "account_id": ID, "timestamp": TIME, "urls": IDS},
    )


def shares(frame, resolved, *columns):
    made = make_shares(frame, trace=["url", "domain"], resolved=resolved)
    url = made["url"].select("content_id", pl.col("object_id").cast(ID), *columns)
    return set(url.rows()), set(made["domain"].select("content_id", pl.col("object_id").cast(ID)).rows())


def test_a_short_link_counts_as_its_target():
    frame = log("http://bit.ly/1?utm_source=x", "https://mill-daily.com/a", "https://bit.ly/2")
    resolved = table(("https://www.bit.ly/1", "http://www.mill-daily.com/a/?fbclid=7&utm_id=1#top"))
    urls, sites = shares(frame, resolved, "tokens", "via")
    assert urls == {
        ("p0", "https://mill-daily.com/a", "utm_source=x&fbclid=7&utm_id=1", "https://bit.ly/1"),
        ("p1", "https://mill-daily.com/a", None, None),
        ("p2", "https://bit.ly/2", None, None),
    }
    assert sites == {("p0", "mill-daily.com"), ("p1", "mill-daily.com"), ("p2", "bit.ly")}


def test_any_link_may_lead_on_not_only_short_ones():
    urls, _ = shares(log("https://old.example/a"), table(("https://old.example/a", "https://new.example/b")))
    assert urls == {("p0", "https://new.example/b")}


def test_a_post_with_both_ways_to_a_page_shares_it_once():
    frame = log(["https://bit.ly/1", "https://mill.example/a"])
    assert shares(frame, table(("https://bit.ly/1", "https://mill.example/a")))[0] == {
        ("p0", "https://mill.example/a")
    }


def test_chains_are_followed_and_circles_are_not():
    ways = table(
        ("https://t.co/1", "https://bit.ly/1"),
        ("https://bit.ly/1", "https://ow.ly/1"),
        ("https://ow.ly/1", "https://mill.example/a"),
        ("https://t.co/2", "https://bit.ly/2"),
        ("https://bit.ly/2", "https://ow.ly/2"),
        ("https://ow.ly/2", "https://bit.ly/2"),
        ("https://self-same.com", "https://www.self-same.com/"),
    )
    led, notes = usable_links(ways)
    assert dict(led.rows()) == {
        "https://t.co/1": "https://mill.example/a",
        "https://bit.ly/1": "https://mill.example/a",
        "https://ow.ly/1": "https://mill.example/a",
        "https://t.co/2": "https://bit.ly/2",
    }
    assert notes == ["resolved links: 2 lead to each other in circles; they stay as they are"]


def test_a_long_chain():
    n = 3000
    ways = [(f"https://bit.ly/{k}", f"https://bit.ly/{k + 1}") for k in range(n)]
    random.Random(0).shuffle(ways)
    led, notes = usable_links(table(*ways))
    assert led["resolved_url"].unique().to_list() == [f"https://bit.ly/{n}"]
    assert led.height == n
    assert not notes


def test_what_is_wrong_with_a_table_is_told():
    led, notes = usable_links(
        table(
            ("https://bit.ly/1", "https://a-mill.com"),
            ("https://bit.ly/1", "https://b-mill.com"),
            ("http://bit.ly/1", "https://www.b-mill.com/"),
            ("https://bit.ly/2", "https://d.example"),
            ("https://bit.ly/2", "https://c.example"),
            ("https://bit.ly/3", ""),
            ("https://bit.ly/4", None),
            (None, None),
            ("javascript:alert(1)", "https://a-mill.com"),
            ("https://bit.ly/5", "404"),
        )
    )
    assert dict(led.rows()) == {
        "https://bit.ly/1": "https://b-mill.com",
        "https://bit.ly/2": "https://c.example",
    }
    assert notes == [
        "resolved links: 5 of 10 rows are not two URLs; left out",
        "resolved links: 2 have several targets; the one that most rows give was taken",
    ]


def test_an_empty_table_changes_nothing():
    frame = log("https://bit.ly/1")
    led, notes = usable_links(table())
    assert led.is_empty()
    assert not notes
    assert shares(frame, table())[0] == {("p0", "https://bit.ly/1")}


def test_a_frame_without_its_columns():
    with pytest.raises(
        InputError, match=r"resolved links: no column 'resolved_url' \(did you mean 'resolved'\?\)"
    ):
        make_shares(log("https://bit.ly/1"), resolved=pl.DataFrame({"url": ["a"], "resolved": ["b"]}))


LINKS = [f"https://bit.ly/{k}" for k in range(6)]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(LINKS), st.sampled_from(LINKS)), max_size=12))
@example([(LINKS[0], LINKS[1]), (LINKS[1], LINKS[0]), (LINKS[2], LINKS[1])])
def test_last_targets_equal_their_twin(rows):
    led, notes = usable_links(table(*rows))
    expected, n_circular = reference.last_targets(rows)
    assert dict(led.rows()) == expected
    assert any(f" {n_circular} lead to each other" in note for note in notes) is (n_circular > 0)
    again, quiet = usable_links(led)
    assert again.equals(led)
    assert not quiet
    assert usable_links(table(*reversed(rows)))[0].equals(led)


# --- files -----------------------------------------------------------------------------------------------


def written(path, rows):
    frame = table(*rows).with_columns(status=pl.lit("200"))
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    elif path.suffix == ".ndjson":
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dicts()), encoding="utf-8")
    else:
        frame.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.ndjson", "t.parquet"])
def test_files_of_any_layout(tmp_path, name):
    rows = [("https://bit.ly/1", "https://a.example/?a=1,2"), ("https://bit.ly/2", "https://b.example")]
    assert read_resolved(written(tmp_path / name, rows)).rows() == rows


def test_records_that_are_no_rows_are_counted(tmp_path):
    path = tmp_path / "t.ndjson"
    path.write_text(
        '{"url": "https://bit.ly/1", "resolved_url": "https://a.example"}\n{"url": \n[]\n', encoding="utf-8"
    )
    led, notes = usable_links(read_resolved(path))
    assert led.height == 1
    assert notes == ["resolved links: 2 of 3 rows are not two URLs; left out"]


def test_a_file_without_a_column(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("short,resolved\nx,y\n", encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"no column 'url', no column 'resolved_url' \(did you mean 'resolved'\?\); found short, resolved; ",
    ):
        read_resolved(path)
    with pytest.raises(InputError, match="no such file"):
        read_resolved(tmp_path / "absent.csv")


def test_a_study_tells_what_was_resolved(tmp_path):
    links = [
        "https://bit.ly/1",
        "https://mill-daily.com/a",
        "https://bit.ly/2",
        "https://bit.ly/1",
        "https://bit.ly/3",
    ]
    frame = pl.DataFrame(
        {"account_id": list("abcde"), "timestamp": [1_600_000_000 + k for k in range(5)], "url": links}
    )
    frame.write_csv(tmp_path / "log.csv")
    ways = [
        ("https://bit.ly/1", "https://mill-daily.com/a"),
        ("https://bit.ly/9", "x"),
        ("https://bit.ly/3", "https://t.co/3"),
    ]
    path = written(tmp_path / "ways.csv", ways)
    study = build([tmp_path / "log.csv"], tmp_path / "study", resolved=path)
    run = study.run["build"]
    assert run["parameters"]["resolved"] == str(path)
    assert run["resolved"]["rows"] == 3
    assert len(run["resolved"]["sha256"]) == 64
    assert run["counts"]["resolved_links"] == 2
    assert run["counts"]["unresolved_shorteners"] == 2
    assert [note for note in run["notes"] if note.startswith("resolved links")] == [
        "resolved links: 1 of 3 rows are not two URLs; left out",
        "resolved links: 2 of the log's links count as their targets; 2 short links stay",
    ]
    objects = study.objects.filter(pl.col("trace") == "url").select("object_id", "is_shortener", "n_shares")
    assert set(objects.rows()) == {
        ("https://mill-daily.com/a", False, 3), ("https://bit.ly/2", True, 1), ("https://t.co/3", True, 1),
    }  # fmt: skip
    assert study.shares.filter(pl.col("trace") == "url")["via"].null_count() == 2
