"""The layout of Seckin et al.'s labelled campaigns, in a small folder made here: read, scored, oddities told."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from benchmarks.detection import seckin

BEGIN = datetime(2019, 3, 1, tzinfo=UTC)
COLUMNS = (
    "postid", "post_text", "application_name", "post_language", "in_reply_to_postid", "in_reply_to_accountid",
    "post_time", "accountid", "account_profile_description", "follower_count", "following_count",
    "account_creation_date", "is_repost", "reposted_accountid", "reposted_postid", "hashtags", "urls",
    "account_mentions", "is_control",
)  # fmt: skip


def campaign(n_objects=40, n_operators=8, n_controls=60):
    """Operators repost every object within seconds of each other, in the midst of controls over two days."""
    posts = []
    for k in range(n_objects):
        start = BEGIN + timedelta(hours=50 * k)
        shares = [(f"io{a}=", 86_400 + 2 * a + (k * a) % 3, False) for a in range(n_operators)]
        # Each control has another place in each object.
        shares += [(f"co{a}+", (7_919 * (a + 1) * (k + 3)) % 172_800, True) for a in range(n_controls)]
        for account, second, control in shares:
            posts.append(
                dict.fromkeys(COLUMNS)
                | {
                    "postid": f"p{k}-{account}",
                    "post_time": start + timedelta(seconds=second),
                    "accountid": account,
                    "is_repost": k % 2 == 0,
                    "reposted_postid": f"post{k}" if k % 2 == 0 else None,
                    "reposted_accountid": f"author{k}" if k % 2 == 0 else None,
                    "urls": [f"uRl{k}/+=="] if k % 2 else [],
                    "hashtags": ["vote"] if second % 5 == 0 else [],
                    "is_control": control,
                }
            )
    return pl.DataFrame(posts, infer_schema_length=None)


def as_cells(posts):
    """As pandas writes it to CSV."""
    cell = [
        pl.concat_str(pl.lit("['"), pl.col(name).list.join("', '"), pl.lit("']")).replace("['']", "[]").alias(name)
        for name in ("urls", "hashtags")
    ]  # fmt: skip
    return posts.with_columns(
        *cell,
        pl.col("post_time").dt.strftime("%Y-%m-%d %H:%M:%S"),
        pl.col("is_control", "is_repost").cast(pl.String).str.to_titlecase(),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One campaign in two parts as Parquet, in a folder of its own; the other as CSV."""
    folder = tmp_path_factory.mktemp("seckin")
    (folder / "Russia_1").mkdir()
    posts = campaign()
    half = posts.height // 2
    for k, part in enumerate((posts.head(half), posts.tail(-half)), start=1):
        part.write_parquet(folder / "Russia_1" / f"Russia_1_part_{k}.gzip.parquet", compression="gzip")
    as_cells(posts).write_csv(folder / "Egypt_UAE_part_1.csv")
    (folder / "README.md").write_text("who is who")
    return folder


def parts(folder, name):
    read = [seckin.part_of(file) for file in seckin.campaigns_in(folder)[name]]
    assert all(isinstance(part, seckin.Part) for part in read)
    return read


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["seckin", *map(str, words)])
    seckin.main()


def test_one_command_scores_a_folder(folder, monkeypatch, capsys):
    run(monkeypatch, folder)
    said = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in said if line.startswith("|")]
    assert cells[0] == [
        "campaign", "posts", "operation", "controls",
        "AP", "AUC", "precision", "recall", "recall q<=.05", "WP", "WP flagged",
    ]  # fmt: skip
    # 40 objects, 8 operators and 60 controls; the operators stand together in each, nobody else does.
    counts = ["2,720", "8", "60"]
    assert [row[:4] for row in cells[2:4]] == [["Egypt_UAE", *counts], ["Russia_1", *counts]]
    assert cells[2][4:] == cells[3][4:] == ["1.00"] * 7
    assert cells[4][0] == "mean of 2"
    assert cells[4][4] == "1.00 (1.00-1.00)"


def test_the_same_posts_whatever_the_file(folder):
    one, other = (
        pl.concat([seckin.posts_of(part) for part in parts(folder, name)])
        for name in ("Russia_1", "Egypt_UAE")
    )
    assert one.schema == other.schema
    assert one.with_columns(pl.col("urls", "hashtags").fill_null([])).equals(
        other.with_columns(pl.col("urls", "hashtags").fill_null([]))
    )
    assert one["timestamp"].min() == campaign()["post_time"].min()
    assert one.filter(kind="reshare").height == one.height // 2
    assert one.filter(kind="original")["parent_content_id"].null_count() == one.height // 2


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_as_numbers_of_any_unit_and_as_text_of_them(unit):
    number = pl.Series("t", [BEGIN]).dt.epoch(unit)
    for column in (number, number.cast(pl.String)):
        assert seckin._time(column).to_list() == [BEGIN]


def test_other_forms_of_a_time():
    written = pl.Series(
        ["2019-03-01T00:00:00Z", "2019-03-01 00:00", "2019-03-01 00:00:00.000+00:00", "soon", None]
    )
    assert seckin._time(written).to_list() == [BEGIN, BEGIN, BEGIN, None, None]
    naive = pl.Series([BEGIN.replace(tzinfo=None)])
    assert seckin._time(naive).to_list() == [BEGIN]


def test_hashed_links_become_links_and_real_ones_stay():
    posts = pl.DataFrame({"urls": [["a+/=", "https://site.example/x"], [], None, ["A+/=", "a+/="]]})
    made = seckin.with_links(posts)["urls"].to_list()
    assert made[0][1] == "https://site.example/x"
    assert made[0][0].startswith("https://h")
    assert made[3][1] == made[0][0] != made[3][0]
    assert made[1:3] == [[], None]


def test_a_coarser_clock_does_not_tell_who_is_who():
    posts = campaign().rename({"post_time": "timestamp", "is_control": "control"})
    posts = posts.with_columns(pl.col("timestamp").dt.cast_time_unit("ms"))
    assert seckin.on_one_clock(posts)[1] is None
    coarse = pl.when("control").then("timestamp").otherwise(pl.col("timestamp").dt.truncate("1m"))
    cut, told = seckin.on_one_clock(posts.with_columns(timestamp=coarse))
    assert told == "times of the operation and of controls lie on 60 s and 1 s; all are cut to 60 s"
    assert cut["timestamp"].equals(posts["timestamp"].dt.truncate("1m"))


def test_an_account_on_both_sides_is_not_in_the_truth():
    posts = pl.DataFrame(
        {"account_id": ["a", "a", "b", "c", None], "control": [True, False, False, True, True]}
    )
    truth, left_out = seckin.truth_of(posts, "Cuba")
    assert truth.rows() == [("b", True, "Cuba"), ("c", False, "control")]
    assert left_out == 1


def test_the_side_and_the_campaign_by_the_name_of_the_file(tmp_path):
    old = {
        "is_control": [None],
        "tweetid": ["1"],
        "userid": ["a"],
        "tweet_time": ["2019-03-01 00:00"],
        "hashtags": ["[a, b]"],
    }
    plain = pl.DataFrame({name: cell for name, cell in old.items() if name != "is_control"})
    for name in ("cuba_082020_tweets_io.csv", "cuba_082020_tweets_control.csv"):
        plain.write_csv(tmp_path / name)
    [io, control] = sorted(parts(tmp_path, "cuba_082020"), key=lambda part: part.control)
    assert (io.control, control.control) == (False, True)
    [post] = seckin.posts_of(control).rows(named=True)
    assert (post["control"], post["hashtags"], post["kind"], post["timestamp"]) == (
        True, ["a", "b"], "original", BEGIN,
    )  # fmt: skip
    assert list(seckin.campaigns_in(tmp_path)) == ["cuba_082020"]


def test_what_cannot_be_read_is_told_before_anything_is_done(folder, tmp_path, monkeypatch, capsys):
    pl.DataFrame({"postid": ["1"], "when": ["x"], "accountid": ["a"]}).write_csv(
        tmp_path / "Spain_part_1.csv"
    )
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, tmp_path)
    told = str(stopped.value)
    assert (
        "Spain_part_1.csv: no column post_time or tweet_time or created_at; no column of what is shared"
        in told
    )
    assert "no column is_control" in told
    assert told.endswith("found postid, when, accountid")
    for k in range(2, 6):
        (tmp_path / f"Spain_part_{k}.gzip.parquet").write_bytes(b"")
    with pytest.raises(
        SystemExit, match=r"(?s)part_2\.gzip\.parquet: cannot be read: .*\nand 2 more files like these$"
    ):
        run(monkeypatch, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match=r"looked for files that end in \.parquet, \.csv"):
        run(monkeypatch, tmp_path / "empty")
    with pytest.raises(SystemExit, match=r"no campaign Russia; there are Egypt_UAE, Russia_1"):
        run(monkeypatch, folder, "--campaigns", "Russia")
    assert capsys.readouterr().out == ""


def test_a_campaign_that_cannot_be_scored_stops_no_other(folder, tmp_path, monkeypatch, capsys):
    campaign(n_objects=4, n_operators=0).write_parquet(tmp_path / "Qatar_part_1.gzip.parquet")
    as_cells(campaign()).write_csv(tmp_path / "UAE_part_1.csv")
    run(monkeypatch, tmp_path)
    said = capsys.readouterr().out
    assert "| Qatar | - | - |" in said
    assert "Qatar: not scored: the truth names no account that is to be found" in said
    assert "| UAE | 2,720 | 8 | 60 | 1.00 |" in said
