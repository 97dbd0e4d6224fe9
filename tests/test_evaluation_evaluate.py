"""Scores, flags and clusters against a truth: the measures by hand, the intervals against known distributions."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from reference import evaluation as slow
from scipy import stats

from propgraph.errors import InputError, UsageError
from propgraph.evaluation.evaluate import evaluate
from propgraph.schema import ACCOUNT_SCORES, EVALUATION

SCORES = ACCOUNT_SCORES.conform(
    pl.DataFrame(
        {
            "account_id": ["a", "b", "c", "d", "x"],
            "score": [9.0, 7.0, 7.0, 1.0, 8.0],
            "q_value": [0.01, 0.05, 0.06, 1.0, 0.0],
            "n_partners": [2, 2, 2, 1, 1],
            "cluster_id": ["c1", "c1", "c2", None, "c1"],
            "flagged": [True, True, False, False, True],
        }
    )
)
TRUTH = pl.DataFrame(
    {
        "account_id": ["a", "b", "c", "d", "e", "f"],
        "label": [True, False, True, False, True, False],
        "group": ["g1", None, "g1", None, "g2", None],
        "kind": ["op", "fan", "op", "fan", "op", None],
    }
)


def value(found, measure, *, column="value", **where):
    return found.measures.filter(measure=measure, **where).item(0, column)


def test_by_hand():
    # The order is a, then b and c at one score, then d, then e and f, of whom the scores say nothing.
    found = evaluate(SCORES, TRUTH, at=[1, 2, 6], resamples=0)
    assert (found.n_accounts, found.n_positive, found.n_absent, found.n_unknown) == (6, 3, 2, 1)
    assert value(found, "average_precision") == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)
    # a is before b, d, f; c ties with b and is before d, f; e ties with f.
    assert value(found, "auc") == pytest.approx((3 + 2.5 + 0.5) / 9)
    assert value(found, "precision_at_k", at=1.0) == 1
    assert value(found, "precision_at_k", at=2.0) == pytest.approx((1 + 0.5) / 2)
    assert value(found, "precision_at_k", at=6.0) == 0.5
    assert [value(found, name) for name in ("precision", "recall", "f1")] == pytest.approx(
        [1 / 2, 1 / 3, 2 / 5]
    )
    assert [value(found, name) for name in ("precision_at_q", "recall_at_q")] == pytest.approx([1 / 2, 1 / 3])
    assert value(found, "recall_at_q", column="n") == 1
    assert value(found, "recall_at_q", column="of") == 3
    # c1 is half pure (x is not known), c2 wholly.
    assert value(found, "weighted_precision") == pytest.approx((2 * 0.25 + 1) / (1 + 1))
    # Of the flagged a and b are known, in c1; c2 is not flagged.
    assert value(found, "weighted_precision_flagged") == pytest.approx(2 * 0.25 / 1)
    # a in c1, c in c2, e in none, against g1, g1, g2.
    assert value(found, "nmi") == pytest.approx(slow.normalised_mutual_information([1, 2, 3], [1, 1, 2]))
    assert value(found, "ari") == pytest.approx(slow.adjusted_rand([1, 2, 3], [1, 1, 2]))
    assert value(found, "false_flags", kind="fan") == 0.5
    assert value(found, "true_flags", kind="op") == pytest.approx(1 / 3)
    assert value(found, "true_at_q", kind="op") == pytest.approx(1 / 3)
    assert found.measures.filter(measure="true_at_q").select("at", "kind", "n", "of").rows() == [
        (0.05, "op", 1, 3)
    ]
    assert found.measures.filter(kind="op", measure="false_flags").is_empty()
    assert found.measures["low"].is_null().all()
    assert dict(found.measures.schema) == EVALUATION.dtypes


def test_recall_by_kind_and_weighted_precision_by_hand():
    # Two campaigns in three clusters: A whole (2 of 2, flagged), B with an innocent (1 of 2, flagged), C not flagged
    # (2 of 4). Of the campaign `slow` s1 is flagged, s1 and s2 stand at q; `fast` has f1 and f2 flagged, f1 at q.
    rows = [
        ("f1", True, "fast", "A", True, 0.01), ("f2", True, "fast", "A", True, 0.30),
        ("s1", True, "slow", "B", True, 0.02), ("n1", False, "fan", "B", True, 0.03),
        ("s2", True, "slow", "C", False, 0.05), ("s3", True, "slow", "C", False, 0.06),
        ("n2", False, "fan", "C", False, 0.9), ("n3", False, None, "C", False, 0.9),
        ("n5", False, None, "D", True, 0.9), ("n6", False, None, "D", True, 0.9),
        ("s4", True, "slow", None, False, 1.0), ("n4", False, "press", None, False, 1.0),
    ]  # fmt: skip
    names = ("account_id", "label", "kind", "cluster_id", "flagged", "q_value")
    table = pl.DataFrame(rows, schema=names, orient="row").with_columns(score=pl.lit(1.0))
    found = evaluate(
        table.drop("label", "kind"), table.select("account_id", "label", "kind"), at=[1], resamples=9
    )
    # D, with innocents alone, adds nothing, though it lowers the precision of the flagged.
    assert value(found, "precision") == pytest.approx(3 / 6)
    # (2 * 1 + 2 * 1/4 + 4 * 1/4) / (2 + 1 + 2), and without C (2 + 1/2) / (2 + 1).
    assert value(found, "weighted_precision") == pytest.approx(3.5 / 5)
    assert value(found, "weighted_precision_flagged") == pytest.approx(2.5 / 3)
    assert found.measures.filter(measure="true_flags").select("kind", "n", "of", "value").rows() == [
        ("fast", 2, 2, 1.0), ("slow", 1, 4, 0.25),
    ]  # fmt: skip
    assert found.measures.filter(measure="true_at_q").select("kind", "n", "of", "value").rows() == [
        ("fast", 1, 2, 0.5), ("slow", 2, 4, 0.5),
    ]  # fmt: skip
    assert found.measures.filter(measure="true_at_q")["low"].is_not_null().all()
    assert found.measures.filter(measure="false_flags").select("kind", "n", "of").rows() == [
        ("fan", 1, 2), ("press", 0, 1),
    ]  # fmt: skip


def test_without_groups_and_kinds_nothing_is_said_of_them():
    found = evaluate(SCORES, TRUTH.drop("group", "kind"), resamples=0)
    assert set(found.measures["measure"]) & {"nmi", "ari", "false_flags", "true_flags", "true_at_q"} == set()
    assert found.measures.filter(measure="precision_at_k")["at"].to_list() == [3.0]


def test_a_truth_of_operators_alone_says_nothing_of_precision():
    # Whatever is flagged of them is right: a study that flags all the world would have precision 1.
    found = evaluate(SCORES, TRUTH.filter("label"), at=[1, 2], resamples=20)
    assert (found.n_accounts, found.n_positive, found.n_negative) == (3, 3, 0)
    weighted = ("weighted_precision", "weighted_precision_flagged")
    for name in ("average_precision", "auc", "precision", "f1", "precision_at_q", *weighted):
        row = found.measures.filter(measure=name).select("value", "low", "high", "n", "of")
        assert row.rows() == [(None,) * 5], name
    assert found.measures.filter(measure="precision_at_k").select("at", "value").rows() == [
        (1.0, None), (2.0, None),
    ]  # fmt: skip
    # What asks only for those to be found is as with the innocent.
    whole = evaluate(SCORES, TRUTH, at=[1, 2], resamples=20)
    for name in ("recall", "recall_at_q", "nmi", "ari", "true_flags", "true_at_q"):
        columns = ["value", "n", "of"]
        left, right = (part.measures.filter(measure=name).select(columns) for part in (found, whole))
        assert_frame_equal(left, right)
        assert left.item(0, "value") is not None
    assert value(found, "recall", column="low") is not None


def test_others_of_the_study_may_count_as_innocent():
    study = pl.DataFrame({"account_id": ["a", "b", "c", "d", "e", "f", "x", "y"]})
    named = TRUTH.filter(pl.col("label") | (pl.col("account_id") == "b"))
    found = evaluate(SCORES, named, accounts=study, others_innocent=True, at=[2], resamples=20)
    assert (found.n_accounts, found.n_positive, found.n_negative) == (8, 3, 5)
    assert (found.n_absent, found.n_unknown, found.others_innocent) == (0, 4, True)
    # The same as if somebody had written down each of them.
    others = pl.DataFrame({"account_id": ["d", "f", "x", "y"], "label": [False] * 4})
    written = pl.concat([named, others], how="diagonal")
    spelt = evaluate(SCORES, written, accounts=study, at=[2], resamples=20)
    assert_frame_equal(found.measures, spelt.measures, check_exact=True)
    # a, b and x are flagged, and only a is to be found.
    assert value(found, "precision") == pytest.approx(1 / 3)
    assert value(found, "precision", column="of") == 3
    # A truth that knew more could only raise it: here x is one of those to be found after all.
    more = pl.concat([named, pl.DataFrame({"account_id": ["x"], "label": [True]})], how="diagonal")
    assert value(evaluate(SCORES, more, accounts=study, others_innocent=True, resamples=0), "precision") == (
        pytest.approx(2 / 3)
    )


def test_no_others_to_count_as_innocent():
    found = evaluate(SCORES, TRUTH, accounts=TRUTH, others_innocent=True, resamples=0)
    assert found.n_unknown == 0
    assert_frame_equal(found.measures, evaluate(SCORES, TRUTH, accounts=TRUTH, resamples=0).measures)


def test_who_flags_nobody_has_no_precision():
    nobody = SCORES.with_columns(flagged=pl.lit(False), cluster_id=pl.lit(None, pl.String))
    found = evaluate(nobody, TRUTH, resamples=20)
    assert found.measures.filter(measure="precision").select("value", "low", "high", "n", "of").row(0) == (
        None, None, None, 0, 0,
    )  # fmt: skip
    assert value(found, "recall") == 0
    assert value(found, "f1") == 0
    assert value(found, "weighted_precision") is None
    assert value(found, "weighted_precision_flagged") is None


def test_all_accounts_of_the_study_are_counted():
    study = pl.DataFrame({"account_id": ["a", "b", "c", "d", "e", "x", "y", "z"]})
    found = evaluate(SCORES, TRUTH, accounts=study, resamples=0)
    assert (found.n_absent, found.n_unknown) == (1, 3)


ROWS = st.lists(
    st.tuples(
        st.booleans(),  # label
        st.one_of(st.none(), st.integers(0, 3)),  # score; none: not among the scores
        st.booleans(),  # flagged
        st.sampled_from([0.0, 0.05, 0.0501, 1.0]),
        st.one_of(st.none(), st.sampled_from(["c1", "c2"])),
        st.one_of(st.none(), st.sampled_from(["g1", "g2"])),
        st.one_of(st.none(), st.sampled_from(["fan", "press"])),
    ),
    min_size=1,
    max_size=25,
)


@given(ROWS)
@settings(max_examples=60)
def test_against_plain_loops(rows):
    rows = [(True, 1, True, 0.0, "c1", "g1", "fan"), *rows]
    ids = [f"a{k}" for k in range(len(rows))]
    names = ("label", "score", "flagged", "q_value", "cluster_id", "group", "kind")
    table = pl.DataFrame(
        [(id, *row) for id, row in zip(ids, rows, strict=True)],
        schema=dict(
            zip(
                ("account_id", *names),
                (pl.String, pl.Boolean, pl.Float64, pl.Boolean, pl.Float64, pl.String, pl.String, pl.String),
                strict=True,
            )
        ),
        orient="row",
    )
    scores = table.filter(pl.col("score").is_not_null()).select(
        "account_id", "score", "flagged", "q_value", "cluster_id"
    )
    found = evaluate(scores, table.select("account_id", "label", "group", "kind"), resamples=0)
    # What the definition makes of an account that the scores do not name.
    rows = [row if row[1] is not None else (row[0], 0, False, 1.0, None, *row[5:]) for row in rows]
    label, score = [row[0] for row in rows], [row[1] for row in rows]
    n_positive = sum(label)
    told = n_positive < len(rows)  # without anybody innocent nothing is said of precision
    if told:
        assert value(found, "average_precision") == pytest.approx(slow.average_precision(score, label))
        assert value(found, "auc") == pytest.approx(slow.auc(score, label))
    for name, picked in (
        ("precision", [row[2] for row in rows]),
        ("precision_at_q", [row[3] <= 0.05 for row in rows]),
    ):
        hits = sum(a and b for a, b in zip(label, picked, strict=True))
        assert value(found, name) == (pytest.approx(hits / sum(picked)) if any(picked) and told else None)
        assert value(found, name.replace("precision", "recall")) == pytest.approx(hits / n_positive)
    inside = [row for row in rows if row[4] is not None]
    for name, part in (
        ("weighted_precision", inside),
        ("weighted_precision_flagged", [row for row in inside if row[2]]),
    ):
        wanted = slow.weighted_precision([row[4] for row in part], [row[0] for row in part])
        assert value(found, name) == (pytest.approx(wanted) if told and wanted is not None else None)
    known = [(row[4] or k, row[5]) for k, row in enumerate(rows) if row[0] and row[5] is not None]
    assert value(found, "ari") == pytest.approx(slow.adjusted_rand(*zip(*known, strict=True)), abs=1e-9)
    for kind in ("fan", "press"):
        own = [row[2] for row in rows if row[6] == kind and not row[0]]
        if own:
            assert value(found, "false_flags", kind=kind) == pytest.approx(sum(own) / len(own))
        for name, hit in (
            ("true_flags", lambda row: row[2]),
            ("true_at_q", lambda row: row[3] <= 0.05),
        ):
            own = [hit(row) for row in rows if row[6] == kind and row[0]]
            if own:
                assert value(found, name, kind=kind) == pytest.approx(sum(own) / len(own))


def big(n_positive=150, n_negative=600, seed=3):
    rng = np.random.default_rng(seed)
    n = n_positive + n_negative
    label = np.arange(n) < n_positive
    score = rng.normal(size=n) + 1.0 * label + 5
    ids = [f"a{k}" for k in rng.permutation(n)]
    scores = pl.DataFrame(
        {"account_id": ids, "score": score, "flagged": score > 6.2, "q_value": stats.norm.sf(score - 5)}
    )
    truth = pl.DataFrame({"account_id": ids, "label": label, "kind": np.where(label, "op", "fan")})
    return scores, truth


def test_interval_of_the_area_is_as_wide_as_delong_says():
    scores, truth = big()
    found = evaluate(scores, truth, resamples=2000)
    own = scores.join(truth, on="account_id")
    x, y = (own.filter(pl.col("label") == which)["score"].to_numpy() for which in (True, False))
    wins = (x[:, None] > y[None, :]).astype(float)
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / x.size + wins.mean(axis=0).var(ddof=1) / y.size)
    low, high = value(found, "auc", column="low"), value(found, "auc", column="high")
    assert value(found, "auc") == pytest.approx(wins.mean())
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert (low + high) / 2 == pytest.approx(wins.mean(), abs=error / 5)


def test_intervals_of_recall_and_false_flags_are_binomial():
    # Positives and negatives are drawn separately, so either count is binomial.
    scores, truth = big()
    found = evaluate(scores, truth, resamples=4000, seed=5)
    wanted = (("recall", None), ("true_flags", "op"), ("true_at_q", "op"), ("false_flags", "fan"))
    for measure, kind in wanted:
        where = pl.col("kind").is_null() if kind is None else pl.col("kind") == kind
        row = found.measures.filter(pl.col("measure") == measure, where).row(0, named=True)
        for end, tail in (("low", 0.025), ("high", 0.975)):
            wanted = stats.binom.ppf(tail, row["of"], row["n"] / row["of"]) / row["of"]
            assert row[end] == pytest.approx(wanted, abs=1.5 / row["of"])


def test_the_same_on_any_threads_and_in_any_order():
    scores, truth = big()
    # Of many accounts of one score some are flagged and some are not: their order has to be the same.
    scores = scores.with_columns(pl.col("score").round(0), flagged=pl.col("account_id").str.ends_with("3"))
    one = evaluate(scores, truth, resamples=50, threads=1, seed=7)
    two = evaluate(
        scores.sample(fraction=1, shuffle=True, seed=1), truth.sample(fraction=1, shuffle=True, seed=2),
        resamples=50, threads=2, seed=7,
    )  # fmt: skip
    assert_frame_equal(one.measures, two.measures, check_exact=True)
    other = evaluate(scores, truth, resamples=50, seed=8)
    assert not one.measures["low"].equals(other.measures["low"])
    assert one.measures["value"].equals(other.measures["value"])


def test_arguments_are_not_changed():
    scores, truth = SCORES.clone(), TRUTH.clone()
    evaluate(scores, truth, resamples=3)
    assert_frame_equal(scores, SCORES)
    assert_frame_equal(truth, TRUTH)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"q": 1.5}, r"q: 1.5 is not in 0..1"),
        ({"at": [0]}, r"at: 0 is too small"),
        ({"at": [7]}, r"at: 7 is more than the 6 accounts"),
        ({"resamples": -1}, r"resamples: -1 is too small"),
        ({"threads": 0}, r"threads: 0 is too small"),
        ({"seed": -1}, r"seed: -1 is too small"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(UsageError, match=message):
        evaluate(SCORES, TRUTH, **options)


@pytest.mark.parametrize(
    ("scores", "truth", "message"),
    [
        (
            SCORES.drop("score"),
            TRUTH.drop("label"),
            r"scores: no column 'score'; .*; known accounts: no column 'label'",
        ),
        (pl.concat([SCORES, SCORES]), TRUTH, r"account 'a' stands twice among the scores"),
        (SCORES, pl.concat([TRUTH, TRUTH]), r"account 'a' stands twice among the known"),
        (SCORES, TRUTH.with_columns(pl.col("label").cast(pl.Int8)), r"has to be Boolean, and is Int8"),
        (SCORES, TRUTH.with_columns(pl.col("label").replace(False, None)), r"is Boolean or null"),
        (SCORES, TRUTH.filter(~pl.col("label")), r"names no account that is to be found"),
        (SCORES, TRUTH.with_columns(pl.col("account_id") + "!"), r"none of the 6 accounts"),
    ],
)
def test_frames_that_cannot_be_used(scores, truth, message):
    with pytest.raises(InputError, match=message):
        evaluate(scores, truth)
