from __future__ import annotations

import pytest
from test_clusters_rules import AT_ONCE, PLAIN, QUOTA, RELEASES, SHIFT, SYNCHRONISED, base, judged

from propgraph.clusters.judge import judge


def finding(rule, **changes):
    """The finding of a rule that fires, or None."""
    return next((one for one in judge(PLAIN | changes, base())[1] if one.rule == rule), None)


def test_a_quota_needs_a_small_p_and_twice_the_number_that_steady_attendance_leaves():
    assert judged(**QUOTA)[1] == ["quota-stop"]
    assert judged(**QUOTA | {"quota_p": 1.1e-3})[1] == []
    assert judged(**QUOTA | {"expected_at_quota": 20.5})[1] == ["quota-stop"]
    assert judged(**QUOTA | {"expected_at_quota": 20.6})[1] == []


def test_a_quota_alone_flags_nobody():
    # It asks nothing of time, so it is not cut for want of synchrony; at .3 it is far from .5.
    assert judged(**QUOTA)[0] == pytest.approx(0.3)
    # 1 - (1 - .4 * .8) * .7, and 1 - .35 * .7.
    assert judged(**AT_ONCE | QUOTA)[0] == pytest.approx(0.524)
    assert judged(**SYNCHRONISED | QUOTA)[0] == pytest.approx(0.755)


def test_a_quota_is_told_with_its_count_its_neighbours_and_its_pace():
    found = finding("quota-stop", **QUOTA)
    assert (found.value, found.threshold, found.expected) == (41, 12.4, 6.2)
    assert found.sentence.startswith(
        "41 links stopped at 24 each (the members' accounts), of 54 with a count at most a fifth away, where accounts "
        "that come or not by themselves would leave at most 6.2 at one count; the last tenth of the posts "
        "took 12% of an object's time (of others of like size: 31%)"
    )
    assert "tenth" not in finding("quota-stop", **QUOTA | {"usual_tail": None}).sentence


def test_releases_need_many_prompt_tasks_and_no_reading_that_explains_them():
    assert judged(**RELEASES)[1] == ["release-burst"]
    assert judged(**RELEASES | {"release_p": 1.1e-3})[1] == []
    # Twice the one in twenty that chance has, and five at least.
    assert judged(**RELEASES | {"n_prompt": 10})[1] == ["release-burst"]
    assert judged(**RELEASES | {"n_prompt": 9})[1] == []
    assert judged(**RELEASES | {"n_prompt": 4, "n_releases": 5})[1] == []
    staff = {"met_site_share": 1.0, "met_site_inside": 0.3}
    assert judged(**RELEASES | staff)[1:] == ([], ["one-outlet"])
    assert judged(**RELEASES | {"met_origin_share": 0.9})[1:] == ([], ["fans"])


def test_releases_are_told_given_who_came():
    found = finding("release-burst", **RELEASES)
    assert (found.value, found.threshold, found.expected) == (18, 10.0, 5.0)
    assert "at 18 of 100 links that six members or more shared" in found.sentence
    assert (
        "which would make it 5 (over all 100 20% of those who came, where others who came later, or these members "
        "elsewhere, would" in found.sentence
    )
    # Where the rest is slow, a mean of all would speak against it.
    slow = finding("release-burst", **RELEASES | {"release_share": 0.45, "usual_release_share": 0.57})
    assert slow.fires
    assert "45%" not in slow.sentence
    assert "at the other 82 they come no sooner than others, or later)" in slow.sentence


def test_a_shift_is_told_as_hours_and_counts_nothing():
    score, rules, _ = judged(**SHIFT)
    assert (score, rules) == (0, ["shift"])
    assert finding("shift", **SHIFT).sentence.startswith(
        "active 22 to 06 UTC: nine tenths of their posts fall into 8 hours of the day, those of as many accounts as "
        "active into 15;"
    )


@pytest.mark.parametrize(
    ("changes", "fires"),
    [
        ({"active_hours": 10}, True),
        ({"active_hours": 11}, False),
        ({"shift_p": 2 / 201}, False),
        ({"active_hours": 15, "weekend_share": 0.1, "usual_weekend_share": 0.25, "weekend_p": 1 / 201}, True),
        (
            {"active_hours": 15, "weekend_share": 0.13, "usual_weekend_share": 0.25, "weekend_p": 1 / 201},
            False,
        ),
        (
            {"active_hours": 15, "weekend_share": 0.1, "usual_weekend_share": 0.25, "weekend_p": 2 / 201},
            False,
        ),
    ],
)
def test_a_shift_is_told_where_no_draw_has_so_few_hours_or_weekends(changes, fires):
    assert (finding("shift", **SHIFT | changes) is not None) == fires


def test_weekends_and_quiet_days_are_told_with_the_hours():
    more = {
        "weekend_share": 0.02,
        "usual_weekend_share": 0.25,
        "weekend_p": 1.0,
        "quiet_days": ["2021-05-13"],
    }
    sentence = finding("shift", **SHIFT | more).sentence
    assert "; on weekends 2% of their posts (others: 25%); all but silent on 2021-05-13;" in sentence
