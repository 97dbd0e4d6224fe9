"""`propgraph evaluate`, as a person types it."""

from __future__ import annotations

import io
import json

import polars as pl
import pytest

from propgraph.cli.app import run
from propgraph.evaluation.evaluate import evaluate
from propgraph.evaluation.truth import read_truth
from propgraph.schema import ACCOUNT_SCORES, EVALUATION


@pytest.fixture
def scored(own_study):
    """A study whose first accounts in the order of their ids have scores."""
    ids = own_study.accounts["account_id"].sort()
    n = 40
    ACCOUNT_SCORES.conform(
        pl.DataFrame(
            {
                "account_id": ids.head(n),
                "score": [float(n - k) for k in range(n)],
                "q_value": [k / n for k in range(n)],
                "n_partners": [2] * n,
                "cluster_id": [f"c{k // 10}" for k in range(n)],
                "flagged": [k < 20 for k in range(n)],
            }
        )
    ).write_parquet(own_study.file("account_scores"))
    return own_study


@pytest.fixture
def truth(scored, tmp_path):
    """Of the first hundred accounts every third is to be found; one account is not in the study."""
    ids = [*scored.accounts["account_id"].sort().head(100), "nobody"]
    frame = pl.DataFrame(
        {
            "account_id": ids,
            "label": [k % 3 == 0 for k in range(101)],
            "group": ["g1" if k % 2 else "g2" for k in range(101)],
            "kind": ["\x1b[31mred" if k % 3 else "op" for k in range(101)],
        }
    )
    frame.write_csv(tmp_path / "truth.csv")
    return tmp_path / "truth.csv"


def wanted(study, truth, **options):
    accounts = study.accounts.select("account_id")
    return evaluate(study.account_scores, read_truth(truth), accounts=accounts, **options)


def test_something_to_read(scored, truth, capsys):
    assert run(["evaluate", str(scored.path), "--truth", str(truth), "--resamples", "100"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "101 accounts known, 34 of them to be found"
    assert lines[1].startswith("1 accounts of the truth are not in the study")
    assert lines[2].startswith(f"{scored.accounts.height - 100:,} accounts of the study are not in the truth")
    found = {line.rsplit("  ", 3)[0].strip(): line for line in lines}
    measures = wanted(scored, truth, resamples=100).measures
    row = measures.filter(measure="recall").row(0, named=True)
    [line] = [line for line in lines if line.startswith("recall of the flagged")]
    assert line.split() == [
        "recall", "of", "the", "flagged", f"{row['value']:.2f}", f"{row['low']:.2f}", "..", f"{row['high']:.2f}",
        "7", "of", "34",
    ]  # fmt: skip
    assert any(name.startswith("precision at 34") for name in found)
    assert any(line.startswith("ARI of clusters and groups") for line in lines)
    # Of 34 to be found 14 are in c0 to c3, each with 4, 3, 3 and 4 of 10; the first two clusters are flagged.
    [every, flagged] = [line.split() for line in lines if line.startswith("weighted precision")]
    assert every[:5] == ["weighted", "precision", "of", "clusters", f"{(16 + 9 + 9 + 16) / 140:.2f}"]
    assert flagged[:5] == ["weighted", "precision", "of", "the", "flagged"]
    assert flagged[5] == f"{(16 + 9) / 70:.2f}"
    at = lines.index("At q <= 0.05 among those to be found (recall), by kind")
    assert lines[at + 1].split()[-3:] == [
        "1",
        "of",
        "34",
    ]  # ranks 0, 1, 2 of 40 are at most 0.05; 0 is to be found
    assert lines[at + 1].startswith("op ")
    [told] = [k for k, line in enumerate(lines) if line.startswith("Weighted precision: ")]
    assert told > at
    assert "\x1b" not in said.out
    assert any(line.startswith("␛[31mred") for line in lines)
    assert lines[-1] == "Ranges are the middle 95 % of 100 bootstrap resamples of the accounts."
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("format", ["json", "csv", "parquet"])
def test_data(scored, truth, format, capfdbinary):
    options = ["--at", "5", "--at", "20", "--q", "0.1", "--seed", "3", "--resamples", "30", "--threads", "1"]
    assert run(["evaluate", str(scored.path), "--truth", str(truth), *options, "--format", format]) == 0
    out, err = capfdbinary.readouterr()
    read = {"json": pl.read_json, "csv": pl.read_csv, "parquet": pl.read_parquet}[format]
    table = read(io.BytesIO(out))
    measures = wanted(scored, truth, at=[5, 20], q=0.1, seed=3, resamples=30).measures
    assert table.columns == list(EVALUATION.columns)
    for name in ("measure", "value", "low"):
        assert table[name].to_list() == measures[name].to_list()
    assert table.filter(pl.col("measure") == "precision_at_k")["at"].to_list() == [5, 20]
    assert err.decode().startswith("note: 1 accounts of the truth are not in the study")


def test_a_named_label(scored, truth, tmp_path, capsys):
    table = pl.read_csv(truth).with_columns(
        label=pl.when("label").then(pl.lit("troll")).otherwise(pl.lit("fan"))
    )
    table.write_csv(tmp_path / "named.csv")
    answers = []
    for options in ([str(truth)], [str(tmp_path / "named.csv"), "--positive", "troll"]):
        command = ["evaluate", str(scored.path), "--truth", *options, "--format", "json", "--resamples", "0"]
        assert run(command) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert answers[0][0]["measure"] == "average_precision"
    assert run(["evaluate", str(scored.path), "--truth", str(tmp_path / "named.csv")]) == 1
    assert "--positive NAME" in capsys.readouterr().err


def said_of(study, truth, capsys, *options):
    """Return what is printed, as one text a line wrapped or not, and the lines."""
    assert run(["evaluate", str(study.path), "--truth", str(truth), "--resamples", "20", *options]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return " ".join(said.out.split()), said.out.splitlines()


def test_a_truth_without_the_innocent(scored, truth, tmp_path, capsys):
    pl.read_csv(truth).filter("label").write_csv(tmp_path / "operators.csv")
    text, lines = said_of(scored, tmp_path / "operators.csv", capsys)
    assert "no innocent account is known" in text
    assert "add innocent accounts to the truth (label false), or --others-innocent" in text
    for name in ("average precision ", "area under", "precision at ", "precision of the", "F1 ", "weighted"):
        own = [line for line in lines if line.startswith(name)]
        assert own, name
        assert all(line.rstrip().endswith("   -") for line in own), name
    [recall] = [line for line in lines if line.startswith("recall of the flagged")]
    assert recall.endswith("7 of 34")
    text, _ = said_of(scored, truth, capsys)
    assert "no innocent account" not in text


def test_others_may_count_as_innocent(scored, truth, tmp_path, capsys):
    pl.read_csv(truth).filter("label").write_csv(tmp_path / "operators.csv")
    text, lines = said_of(scored, tmp_path / "operators.csv", capsys, "--others-innocent")
    assert lines[0] == "34 accounts known, 34 of them to be found"
    others = scored.accounts.height - 34
    assert f"{others:,} accounts of the study are not in the truth; counted as innocent, so that" in text
    assert "lower bound" in text
    assert "no innocent account" not in text
    [precision] = [line for line in lines if line.startswith("precision of the flagged")]
    assert precision.endswith("7 of 20")


def test_it_tells_who_cannot_be_found_by_anybody(scored, truth, tmp_path, capsys):
    known = pl.read_csv(truth).with_columns(label=pl.col("label") | (pl.col("account_id") == "nobody"))
    known.write_csv(tmp_path / "more.csv")
    shares = scored.scan("shares").collect()
    who = {}
    for account, trace, object_ in shares.select("account_id", "trace", "object_id").iter_rows():
        who.setdefault((trace, object_), set()).add(account)
    flagged = set(scored.account_scores.filter("flagged")["account_id"])
    missed = [account for account in known.filter("label")["account_id"] if account not in flagged]
    common = [sum(account in of and len(of) > 1 for of in who.values()) for account in missed]
    text, _ = said_of(scored, tmp_path / "more.csv", capsys)
    few = sum(n < 2 for n in common)
    assert few >= 1  # "nobody" has none
    assert f"{len(missed)} accounts to be found are not flagged; {few} of them posted fewer than two" in text


def test_without_groups_it_says_what_is_left_out(scored, truth, tmp_path, capsys):
    pl.read_csv(truth).drop("group").write_csv(tmp_path / "plain.csv")
    text, _ = said_of(scored, tmp_path / "plain.csv", capsys)
    assert "(column group); NMI and ARI are left out" in text
    text, _ = said_of(scored, truth, capsys)
    assert "are left out" not in text


def test_the_label_in_a_column_of_another_name(scored, truth, tmp_path, capsys):
    pl.read_csv(truth).rename({"label": "organised"}).write_csv(tmp_path / "named.csv")
    named, _ = said_of(scored, tmp_path / "named.csv", capsys, "--label", "organised")
    assert named == said_of(scored, truth, capsys)[0]
    assert run(["evaluate", str(scored.path), "--truth", str(tmp_path / "named.csv")]) == 1
    told = capsys.readouterr().err
    assert "found account_id, organised, group, kind" in told
    assert "--label NAME" in told


def test_a_study_without_scores_says_which_job_makes_them(own_study, tmp_path, capsys):
    own_study.file("account_scores").unlink(missing_ok=True)
    (tmp_path / "truth.csv").write_text("account_id,label\na,1\n")
    assert run(["evaluate", str(own_study.path), "--truth", str(tmp_path / "truth.csv")]) == 1
    told = capsys.readouterr().err
    assert "no table 'account_scores' in it" in told
    assert f"propgraph clusters {own_study.path} --config {own_study.path}" in told


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--format", "xml"], 2, "--format: 'xml' is not one of"),
        (["--at", "0"], 2, "at: 0 is too small"),
        (["--q", "2"], 2, "q: 2.0 is not in 0..1"),
    ],
)
def test_bad_usage(scored, truth, options, code, message, capsys):
    assert run(["evaluate", str(scored.path), "--truth", str(truth), *options]) == code
    assert message in capsys.readouterr().err


def test_a_truth_about_other_accounts(scored, tmp_path, capsys):
    (tmp_path / "t.csv").write_text("account_id,label\nsomebody,1\nelse,0\n")
    assert run(["evaluate", str(scored.path), "--truth", str(tmp_path / "t.csv")]) == 1
    assert "none of the 2 accounts of the truth is in the study" in capsys.readouterr().err
