"""Broken logs of every format: no exception but propgraph's own, and no row that is lost.

The mutations are those of benchmarks/fuzz.py, which runs as many as one likes.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks import fuzz
from propgraph.readers.registry import READERS

FILES = fuzz.fixtures()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_whatever_a_log_is_like_its_rows_are_accounted_for(file, tmp_path):
    tally = fuzz.Tally()
    for seed in range(6):  # a file whose first line is broken may be refused as a whole
        for part in fuzz.fuzz(file, tmp_path, n_lines=20, seed=seed).values():
            tally.add(part)
    assert tally.faults == []
    assert tally.posts > 0
    assert tally.rejected + tally.refused > 0


def test_every_reader_is_fuzzed():
    assert {fuzz.reader_of(file) for file in FILES} == set(READERS)


@pytest.mark.parametrize("name", ["coortweet.csv", "mastodon.ndjson", "mastodon-list.json"])
def test_mutants_are_broken_and_the_same_for_one_seed(name):
    file = next(file for file in FILES if file.name == name)
    one, again, other = (fuzz.mutated(file, random.Random(seed), 60) for seed in (1, 1, 2))
    assert one == again != other
    assert one[0] != file.read_bytes()


def test_what_is_wrong_is_told(tmp_path, monkeypatch):
    file = next(file for file in FILES if file.name == "mastodon.ndjson")
    read = fuzz.read_logs

    def told(read_logs):
        monkeypatch.setattr(fuzz, "read_logs", read_logs)
        return [
            fault for tally in fuzz.fuzz(file, tmp_path, n_lines=5, seed=0).values() for fault in tally.faults
        ]

    def losing_a_row(paths, *, format):
        log = read(paths, format=format)
        return replace(log, posts=log.posts[1:])

    def losing_a_line(paths, *, format):
        log = losing_a_row(paths, format=format)
        return replace(log, sources=[{**log.sources[0], "rows": log.n_rows}])

    def failing(paths, *, format):
        raise TypeError("no")

    assert told(read) == []
    assert [fault.partition("): ")[2] for fault in told(losing_a_row)] == [
        "8 rows read, 7 posts and rejected rows"
    ] * 2
    assert [fault.partition("): ")[2] for fault in told(losing_a_line)] == [
        "8 lines, 7 posts and rejected rows"
    ] * 2
    assert "TypeError: no" in told(failing)[0]
