"""What is known of the accounts, as people write it down."""

import polars as pl
import pytest

from propgraph.errors import InputError
from propgraph.evaluation.truth import read_truth


def written(tmp_path, text, name="truth.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("yes", "no"), [("true", "false"), ("True", "FALSE"), ("1", "0"), ("yes", "No"), ("1.0", "0.0")]
)
def test_words_for_yes_and_no(tmp_path, yes, no):
    table = read_truth(written(tmp_path, f"account_id,label\nb,{no}\na,{yes}\n"))
    assert table.rows() == [("a", True, None, None), ("b", False, None, None)]
    assert table.schema == {
        "account_id": pl.String, "label": pl.Boolean, "group": pl.String, "kind": pl.String,
    }  # fmt: skip


def test_group_and_kind_and_ids_stay_as_written(tmp_path):
    path = written(
        tmp_path, "kind,account_id,label,group,other\nfan,007,0,,x\n,12345678901234567890,1,g1,y\n"
    )
    assert read_truth(path).rows() == [
        ("007", False, None, "fan"),
        ("12345678901234567890", True, "g1", None),
    ]


def test_a_campaign_stands_for_the_kind_where_none_is_told(tmp_path):
    path = written(tmp_path, "account_id,label,campaign\na,1,quota\nb,0,\n")
    assert read_truth(path)["kind"].to_list() == ["quota", None]
    path = written(tmp_path, "account_id,label,kind,campaign\na,1,,quota\nb,0,fan,\nc,1,slow,quota\nd,0,,\n")
    assert read_truth(path)["kind"].to_list() == ["quota", "fan", "slow", None]
    assert read_truth(
        written(tmp_path, "account_id,kind,campaign\nc,slow,quota\n"), label="campaign", positive="quota"
    ).rows() == [("c", True, None, "slow")]


def test_other_kinds_of_file(tmp_path):
    pl.DataFrame({"account_id": ["a", "b"], "label": [True, False]}).write_parquet(tmp_path / "t.parquet")
    lines = written(tmp_path, '{"account_id":"a","label":true}\n{"account_id":"b","label":0}\n', "t.ndjson")
    wanted = [("a", True, None, None), ("b", False, None, None)]
    assert read_truth(tmp_path / "t.parquet").rows() == wanted
    assert read_truth(lines).rows() == wanted


def test_a_named_label(tmp_path):
    path = written(tmp_path, "account_id,label\na,troll\nb,fan\nc,\n".replace("c,\n", "c,press\n"))
    assert read_truth(path, positive="troll")["label"].to_list() == [True, False, False]
    with pytest.raises(InputError, match=r"no row has the label 'trol' \(did you mean 'troll'\?\)"):
        read_truth(path, positive="trol")
    with pytest.raises(InputError, match=r"some are 'fan', 'press', 'troll'; name .* --positive NAME"):
        read_truth(path)


def test_a_column_of_another_name(tmp_path):
    path = written(tmp_path, "account_id,role,group,organised\n1,seeder,farm,true\n2,fan,fans,false\n")
    wanted = [("1", True, "farm", None), ("2", False, "fans", None)]
    assert read_truth(path, label="organised").rows() == wanted
    assert read_truth(path, label="role", positive="seeder").rows() == wanted
    # The column with the label keeps its own meaning too.
    assert read_truth(path, label="group", positive="farm").rows() == wanted
    with pytest.raises(
        InputError, match=r"no column 'label'; found account_id, role, group, organised; .* --label"
    ):
        read_truth(path)
    with pytest.raises(InputError, match=r"no column 'organized' \(did you mean 'organised'\?\)"):
        read_truth(path, label="organized")


def test_an_id_is_no_label(tmp_path):
    path = written(tmp_path, "account_id\na\nb\n")
    with pytest.raises(InputError, match=r"the label has to be true or false.* some are 'a', 'b'"):
        read_truth(path, label="account_id")


def test_a_label_among_several_is_the_one_named(tmp_path):
    path = written(tmp_path, "account_id,label,late\na,1,0\nb,0,1\n")
    assert read_truth(path, label="late")["label"].to_list() == [False, True]


def test_rows_that_say_the_same_twice_are_one(tmp_path):
    path = written(tmp_path, "account_id,label\na,1\na,true\nb,0\n")
    assert read_truth(path)["account_id"].to_list() == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "account,label\na,1\n",
            r"no column 'account_id' .*; found account, label; a table of .* needs the columns account_id and label",
        ),
        ("account_id,lable\na,1\n", r"no column 'label' \(did you mean 'lable'\?\)"),
        ("account_id,label\na,1\nb,\n", r"1 of 2 rows lack an account_id or a label"),
        ("account_id,label\na,1\na,0\n", r"different things of account 'a' in several rows \(1 such"),
        ("account_id,label,group\na,1,x\na,1,y\n", r"different things of account 'a'"),
    ],
)
def test_faults_are_told(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_truth(written(tmp_path, text))
