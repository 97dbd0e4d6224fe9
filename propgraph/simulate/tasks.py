"""An app that deals out tasks: when it releases them, how it lists them, and what those who obey do.

A task is an article to share, worth one to three points. The list shows the tasks that are open in one order
for everybody; who opens it takes what stands on top, or, as far as he does not obey, anything. A task leaves
the list when as many shares are in as it was to get, or when it is too old.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.types import Bool, Float64, Int64
from propgraph.simulate.draws import DAY, Rng, lognormal, weighted, when_awake
from propgraph.simulate.press import Press

ORDERS = ("points", "newest", "oldest")
BATCH_HOURS = (6.5, 11.0, 17.0)  # of the day, UTC
LIFE = 3 * DAY  # how long a task stays on the list that does not reach its target
MORE_TASKS = 0.75  # chance that a session goes on after a task: four on average
WITH_TARGET = 0.6  # share of the tasks that end at the target; the others end by age


@dataclass(frozen=True)
class Tasks:
    """Tasks by release; `target` is -1 where there is none, `article` set once there are articles."""

    article: Int64
    release: Int64
    points: Int64
    target: Int64
    own: Bool


@dataclass(frozen=True)
class Done:
    """What was done: account (its rank in the crew), task and time; and when each task met its target, or -1."""

    who: Int64
    task: Int64
    time: Int64
    stopped: Int64


def release_tasks(rng: Rng, end: int, *, n: int, target: int, own_share: float) -> Tasks:
    """Draw `n` tasks, released in batches three times a day; `article` is -1 as yet."""
    batches = np.concatenate([np.arange(0, end, DAY) + round(hour * 3600) for hour in BATCH_HOURS])
    batches = batches[(batches < end) & (batches >= 0)] + rng.integers(0, 1200, batches.size)
    release = np.sort(rng.choice(batches, n))
    return Tasks(
        article=np.full(n, -1),
        release=release,
        points=weighted(rng, np.array([0.5, 0.3, 0.2]), n) + 1,
        target=np.where((rng.random(n) < WITH_TARGET) & (target > 0), target, -1),
        own=rng.random(n) < own_share,
    )


def articles_of_others(rng: Rng, press: Press, release: Int64) -> Int64:
    """Return an article of other sites for each task, no two the same: of the day before, well known rather."""
    article = press.ordinary
    fame = press.appeal[article] / (1 + press.article_site[article])
    chosen = np.full(release.size, -1)
    free = np.ones(article.size, dtype=np.bool_)
    for task, time in enumerate(release.tolist()):
        age = time - press.article_time[article]
        fresh = np.flatnonzero(free & (age > 0) & (age < DAY))
        fresh = fresh if fresh.size else np.flatnonzero(free & (age > 0))
        pick = fresh[weighted(rng, fame[fresh], 1)[0]]
        free[pick], chosen[task] = False, article[pick]
    return chosen


def listed(rng: Rng, tasks: Tasks, order: str) -> Int64:
    """Return the place of each task in the list: by points, those of equal points as the app likes, or by age."""
    luck = rng.permutation(tasks.release.size)
    keys = {"points": -tasks.points, "newest": -tasks.release, "oldest": tasks.release}
    place = np.empty(luck.size, dtype=np.int64)
    place[np.lexsort([luck, keys[order]])] = np.arange(luck.size)
    return place


def sessions(rng: Rng, release: Int64, zone: Float64, *, end: int, strength: float) -> tuple[Int64, Int64]:
    """Return who opens the app (rank in the crew) when: every other day, and now and then at a release."""
    n = zone.size
    free = np.repeat(np.arange(n), rng.poisson(0.5 * strength * end / DAY, n))
    start = np.zeros(free.size, dtype=np.int64)
    time = when_awake(rng, lambda rows: rng.uniform(0, end, rows.size), start, zone[free])
    batch = np.unique(release)
    row, called = np.nonzero(rng.random((batch.size, n)) < min(0.1 * strength, 0.9))
    prompt = when_awake(
        rng, lambda rows: lognormal(rng, 420 / strength, 0.8, rows.size), batch[row], zone[called]
    )
    soon = prompt < batch[row] + 4 * 3600  # who sleeps then misses it
    who, when = np.concatenate([free, called[soon]]), np.concatenate([time, prompt[soon]])
    return who, when


def work(rng: Rng, tasks: Tasks, place: Int64, opened: tuple[Int64, Int64], obedience: float) -> Done:
    """Let time go by: each session takes tasks off the list, one a minute or so, until it has had enough."""
    heap = [(time, who) for who, time in zip(*(part.tolist() for part in opened), strict=True)]
    heapq.heapify(heap)
    target, count = tasks.target, np.zeros(tasks.release.size, dtype=np.int64)
    stopped = np.full(tasks.release.size, -1)
    mine: dict[int, list[int]] = {}
    rows: list[tuple[int, int, int]] = []
    while heap:
        time, who = heapq.heappop(heap)
        there = (tasks.release <= time) & (time < tasks.release + LIFE) & (stopped < 0)
        there[mine.setdefault(who, [])] = False
        shown = np.flatnonzero(there)
        if not shown.size:
            continue
        obeys = rng.random() < obedience
        task = int(shown[np.argmin(place[shown])] if obeys else rng.choice(shown))
        mine[who].append(task)
        rows.append((who, task, time))
        count[task] += 1
        if count[task] == target[task]:
            stopped[task] = time
        if rng.random() < MORE_TASKS:
            heapq.heappush(heap, (time + 1 + int(lognormal(rng, 60, 0.6, 1)[0]), who))
    done = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Done(done[:, 0], done[:, 1], done[:, 2], stopped)
