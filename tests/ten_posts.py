"""The ten posts that every format's fixture tells, and the edges they make.

Whole minutes, because one format has no seconds. Accounts here are letters; a fixture names them as its
platform would, and tests number them by their first post.
"""

from datetime import UTC, datetime

DAY = datetime(2024, 3, 5, tzinfo=UTC)
WATER = "https://valley-herald.example/2024/water-shut-off"
VOTE = "https://valley-herald.example/2024/ballots-lost"
CURE = "https://true-remedies.example/lemon-cure"

# number, hour:minute, account, kind, link (None: a text alone), text without the link, number of the parent
POSTS = (
    (1, "10:00", "a", "original", WATER, "They shut the water off tonight #water", None),
    (2, "10:01", "b", "original", WATER, "They shut the water off tonight #water", None),
    (3, "10:01", "c", "original", WATER, "Is this true? My street still has water", None),
    (4, "11:00", "b", "original", VOTE, "Ballots found in a river #vote #river #stolen", None),
    (5, "11:00", "a", "original", VOTE, "Ballots found in a river! #vote #river #stolen", None),
    (6, "11:05", "c", "original", VOTE, "A river full of ballots, says the Herald", None),
    (7, "12:00", "c", "original", CURE, "Grandmother's lemon cure, doctors hate it #cure", None),
    (8, "12:01", "b", "original", CURE, "Grandmother's lemon cure works #cure", None),
    (9, "12:30", "d", "reshare", CURE, "Grandmother's lemon cure, doctors hate it #cure", 7),
    (10, "12:40", "d", "reply", None, "My tap is dry as well", 1),
)

# Two posts of a link at most 60 s apart, over two links or more: (account, account, links).
EDGES = (("a", "b", 2), ("b", "c", 2))
