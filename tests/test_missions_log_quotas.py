from __future__ import annotations

import numpy as np
import pytest
from test_missions_quotas import dealt, log_of

from propgraph.arrays.incidence import incidence
from propgraph.missions import log_quotas
from propgraph.missions.log_quotas import quotas_of_log
from propgraph.report.quotas import quota_sentence

N_ORGANIC, N_CREW = 2000, 300


def organic(rng, n_objects):
    """Objects of all sizes, most of them small, shared by anybody."""
    sizes = np.minimum(rng.lognormal(3.4, 0.9, n_objects).astype(int) + 1, N_ORGANIC)
    return dealt(rng, sizes.tolist(), N_ORGANIC)


def brought(rng, sets, *, n, to):
    """Bring some objects of fewer accounts to a number, with those of a crew, in their order."""
    small = [k for k, one in enumerate(sets) if 20 <= len(one) <= to - 20][:n]
    sets = [set(one) for one in sets]
    for k in small:
        sets[k] |= set((N_ORGANIC + rng.permutation(N_CREW)[: to - len(sets[k])]).tolist())
    return sets, small


def found_in(sets):
    return quotas_of_log({"url": incidence(log_of(sets))}, q=0.05)


def test_objects_brought_to_a_number_are_found_and_those_who_brought_them():
    rng = np.random.default_rng(1)
    sets, small = brought(rng, organic(rng, 600), n=30, to=116)
    row = found_in(sets).row(0, named=True)
    assert (row["trace"], row["quota"]) == ("url", 116)
    assert row["n_objects"] == sum(len(one) == 116 for one in sets)
    # A fifth of 116 are 23.
    assert row["n_near"] == sum(93 <= len(one) <= 139 for one in sets)
    assert row["p_value"] < 1e-6
    assert {f"o{k:04d}" for k in small} <= set(row["object_ids"])
    assert row["n_accounts"] == len(set().union(*(one for one in sets if len(one) == 116)))
    crew = {f"a{N_ORGANIC + k}" for k in range(N_CREW)}
    regulars = set(row["regulars"])
    assert row["n_regulars"] == len(regulars)
    assert len(regulars & crew) > 0.9 * N_CREW
    assert len(regulars - crew) <= 0.06 * len(regulars)


@pytest.mark.parametrize("seed", range(10))
def test_a_log_without_goals_has_none(seed):
    assert found_in(organic(np.random.default_rng([seed, 9]), 600)).is_empty()


def test_of_several_counts_each_has_its_regulars_and_the_log_is_gone_through_once(monkeypatch):
    rng = np.random.default_rng(5)
    sets, small = brought(rng, organic(rng, 600), n=30, to=116)
    # A second crew brings others to 61.
    other = [k for k, one in enumerate(sets) if 15 <= len(one) <= 41][:30]
    for k in other:
        sets[k] = set(sets[k]) | set(
            (N_ORGANIC + N_CREW + rng.permutation(200)[: 61 - len(sets[k])]).tolist()
        )
    times = []
    once = log_quotas._visits
    monkeypatch.setattr(log_quotas, "_visits", lambda log: times.append(1) or once(log))
    rows = {row["quota"]: row for row in found_in(sets).to_dicts()}
    assert set(rows) == {116, 61}
    assert times == [1]
    first, second = ({int(name[1:]) for name in rows[quota]["regulars"]} for quota in (116, 61))
    assert len(first & set(range(N_ORGANIC, N_ORGANIC + N_CREW))) > 0.5 * N_CREW
    assert len(second & set(range(N_ORGANIC + N_CREW, N_ORGANIC + N_CREW + 200))) > 0.9 * 200
    assert set(small) - set(other) <= {int(name[1:]) for name in rows[116]["object_ids"]}


def test_one_count_is_told_once_and_by_what_is_surer():
    rng = np.random.default_rng(2)
    table = found_in(brought(rng, organic(rng, 600), n=30, to=116)[0])
    # Everybody posts once, so that accounts and posts have the same counts.
    assert table.select("trace", "quota", "counted").rows() == [("url", 116, "accounts")]


def test_rows_in_any_order_give_the_same():
    rng = np.random.default_rng(3)
    shares = log_of(brought(rng, organic(rng, 400), n=30, to=116)[0])
    shuffled = shares.sample(fraction=1, shuffle=True, seed=1)
    one, other = (quotas_of_log({"url": incidence(log)}, q=0.05) for log in (shares, shuffled))
    assert one.height == 1
    assert one.equals(other)


def test_no_log_no_rows():
    assert quotas_of_log({}, q=0.05).is_empty()


def test_a_quota_in_words():
    row = {
        "n_objects": 31, "trace": "url", "quota": 1116, "counted": "accounts", "expected": 6.04, "n_regulars": 238,
        "n_accounts": 2678,
    }  # fmt: skip
    sentence = quota_sentence(row)
    assert sentence.startswith(
        "In the whole log 31 objects (trace url) stop at 1,116 accounts each, where 6.0 at most would by themselves; "
        "238 of the 2,678 accounts there come to several of them"
    )
    assert "come to several" not in quota_sentence(row | {"n_regulars": 0})
