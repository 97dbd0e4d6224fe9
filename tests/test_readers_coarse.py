from __future__ import annotations

import pytest

from propgraph.clusters.baseline import told_apart
from propgraph.readers.times.coarse import coarse_notes, steps
from propgraph.readers.times.fineness import Fineness


def times(*resolutions, n_posts=100):
    return [Fineness(f"f{k}", None, n_posts, step) for k, step in enumerate(resolutions)]


@pytest.mark.parametrize(
    ("window", "resolution", "words"),
    [
        (60, None, "within 60 s"), (60, 0.0, "within 60 s"), (60, 0.001, "within 60 s"), (0, 0.001, "within 0 s"),
        (60, 1.0, "within 60 s"), (60, 60.0, "within 60 s"), (30, 60.0, "in the same minute"),
        (60, 3600.0, "in the same hour"), (60, 86_400.0, "on the same day"), (0, 1.0, "in the same second"),
        (60, 900.0, "in the same 15 minutes"), (60, 7200.0, "in the same 2 hours"),
        (60, 10_000.0, "in the same 10,000 s"), (60, 131.072, "in the same 131.072 s"),
        (90, 1.0, "within 90 s"), (600, None, "within 10 minutes"), (3600, 60.0, "within 1 hour"),
    ],
)  # fmt: skip
def test_how_near_is_said_as_the_times_allow(window, resolution, words):
    assert told_apart(window, resolution).english == words


def test_steps_are_said_in_their_largest_whole_unit():
    words = {1: "whole seconds", 3600: "whole hours", 900: "steps of 15 minutes", 172_800: "steps of 2 days"}
    assert {step: steps(float(step)) for step in words} == words


@pytest.mark.parametrize(
    ("window", "resolution", "words"),
    [
        (60, 86_400.0, "times are whole days: a window of 60 s cannot tell anything finer, and takes two posts on "
         "the same day for a co-share; flags that need finer times (within-seconds, for one) are left out"),
        (86_400, 86_400.0, "on the same day or on the next for a co-share"),
        (60, 60.0, "in the same minute or in minutes next to each other for a co-share"),
        (1, 1.0, "takes two posts in the same second or in seconds next to each other for a co-share"),
        (60, 900.0, "times are steps of 15 minutes: a window of 60 s"),
        (900, 900.0, "in the same 15 minutes or in steps next to each other for a co-share"),
    ],
)  # fmt: skip
def test_a_window_no_wider_than_the_times_are_fine_is_told(window, resolution, words):
    [note] = coarse_notes(times(resolution, resolution), time_window=window)
    assert words in note
    assert note.startswith("times are ")


@pytest.mark.parametrize(("window", "resolution"), [(61, 60.0), (60, 1.0), (0, 0.001), (60, None)])
def test_a_wider_window_is_not_told(window, resolution):
    assert coarse_notes(times(resolution), time_window=window) == []


def test_the_files_are_named_whose_times_are_coarser_than_others():
    notes = coarse_notes(times(1.0, 3600.0, 60.0, 3600.0, None), time_window=60)
    assert [note.partition(" times")[0] for note in notes] == ["f1, f3:", "f2:"]
    assert "times are whole hours" in notes[0]
    assert "these 200 posts count in who shares what" in notes[0]
    assert "in time they are compared with each other only, and two of them in the same hour" in notes[0]
    assert "two of them in the same minute or in minutes next to each other count as a co-share" in notes[1]


def test_many_files_are_told_in_short_and_a_platform_with_its_file():
    [note] = coarse_notes(times(*[3600.0] * 5, 1.0), time_window=60)
    assert note.startswith("f0, f1, f2 and 2 more: times are whole hours")
    two = [Fineness("f", "x", 70, 1.0), Fineness("f", "vk", 80, 3600.0)]
    [note] = coarse_notes(two, time_window=60)
    assert note.startswith("f (vk): times are whole hours, and other times are finer: these 80 posts")


def test_accounts_that_are_coarser_than_others_of_their_file_are_counted():
    three = [*times(1.0, 3600.0), Fineness("f0", None, 70, 3600.0, 8), Fineness("f1", "vk", 5, 900.0, 3)]
    notes = coarse_notes(three, time_window=60)
    why = "(where some posts of a file: it was put together of several, or they were made by a schedule)"
    assert notes[0].startswith(
        f"f1, f0 (posts of 8 accounts): times are whole hours, and other times are finer {why}: these 170"
    )
    assert notes[1].startswith("f1 (vk, posts of 3 accounts): times are steps of 15 minutes")
