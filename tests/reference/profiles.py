"""Slow and obvious twins of what is told of members' profiles."""

from __future__ import annotations


def in_lots(times, width, least):
    """Which times lie in a window of `width` (from one time on) that holds `least` of the times."""
    inside = [False] * len(times)
    for start in times:
        there = [k for k, time in enumerate(times) if start <= time <= start + width]
        if len(there) >= least:
            for k in there:
                inside[k] = True
    return inside
