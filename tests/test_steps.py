"""Steps: what each takes and makes, what is let go of, and where an error came up."""

from __future__ import annotations

import pytest

from propgraph.clusters.find import STEPS
from propgraph.provenance import Run
from propgraph.schema import tables_of
from propgraph.steps import Step, run_steps


def halves(n):
    return n // 2, n - n // 2


def product(low, high, factor):
    return low * high * factor


TWO = (Step("halve", halves, makes=("low", "high")), Step("multiply", product, makes=("n",)))


def test_steps_hand_on_by_name_and_keep_what_is_wanted():
    run, told = Run("test", {}), []
    assert run_steps(TWO, {"n": 7, "factor": 10}, run=run, wanted=("n",), tell=told.append) == {"n": 120}
    assert [step["step"] for step in run.record["steps"]] == ["halve", "multiply"]
    assert told == [0.0, 0.5, 1.0]
    # Of what is there, that which a later step takes, or somebody wants, is kept: here the halves.
    assert run_steps(TWO[:1], {"n": 7}, run=run, wanted=("low", "high")) == {"low": 3, "high": 4}


def test_one_step_can_be_run_alone():
    assert TWO[1].takes == ("low", "high", "factor")
    assert TWO[1].run({"low": 2, "high": 3, "factor": 5, "more": None}) == {"n": 30}
    with pytest.raises(KeyError, match="factor"):
        TWO[1].run({"low": 2, "high": 3})


def test_a_step_that_makes_something_else_than_it_says_is_refused():
    with pytest.raises(ValueError, match="argument 2 is"):
        Step("halve", halves, makes=("low", "high", "rest")).run({"n": 7})


def test_an_error_tells_in_which_step_it_came_up():
    broken = Step("divide", lambda n: 1 // n, makes=("x",))
    with pytest.raises(ZeroDivisionError) as caught:
        run_steps((broken,), {"n": 0}, run=Run("clusters", {}), wanted=("x",))
    assert caught.value.__notes__ == ["in the step 'divide' of clusters"]


def test_every_step_of_clusters_finds_what_it_takes():
    there = {
        "study", "traces", "options", "min_score", "window", "time_window", "window_ms", "threads", "progress",
        "prices", "ads", "facts", "articles", "known_sites", "names", "run",
    }  # fmt: skip
    for step in STEPS:
        assert there.issuperset(step.takes), step.name
        there |= set(step.makes)
    assert {"joint", "tables"} <= there
    assert "clusters" in tables_of("clusters")
