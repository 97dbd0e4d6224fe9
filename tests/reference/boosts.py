"""What was shared before and after an advert, share by share: slow and obvious."""

from __future__ import annotations

from datetime import timedelta


def before_and_after(shares, *, start, start_step=0.0):
    """Return how many of some shares surely came before, and surely after, a start known to `start_step` seconds.

    A share is `(time, step)`: it lies in `[time, time + step)`, where steps up to a second are exact.
    """
    coarse = max([step for _, step in shares if step > 1], default=0.0)
    before = after = 0
    for time, _ in shares:
        if coarse:
            before += time + timedelta(seconds=coarse) <= start
        else:
            before += time < start
        after += time >= start + timedelta(seconds=max(coarse, start_step))
    return before, after


def alike(boosted, others, *, age_ms, share):
    """Return how many URLs are like a boosted one, the part of their shares that came by its age, and the p-value.

    `boosted` is how many organic shares it has; `others` are lists of times (ms) of the site's other URLs.
    """
    like = [times for times in others if boosted <= 2 * len(times) and len(times) <= 2 * boosted]
    if len(like) < 5:
        return len(like), None, None
    parts = [sum(t - min(times) < max(age_ms, 0) for t in times) / len(times) for times in like]
    return len(like), sum(parts) / len(parts), (1 + sum(part <= share for part in parts)) / (1 + len(parts))
