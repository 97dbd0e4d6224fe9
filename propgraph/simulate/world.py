"""What stands before anybody posts."""

from __future__ import annotations

from dataclasses import dataclass

from propgraph.simulate.people import Audience, People
from propgraph.simulate.press import Press


@dataclass(frozen=True)
class World:
    """What stands before anybody posts; `end` is the length of the log, s."""

    people: People
    audience: Audience
    press: Press
    end: int
