"""`propgraph build` on a large NDJSON log in the form of X's API v2, against a bare loop of orjson over its lines.

    python -m benchmarks ndjson [--gb 2] [--runs 1] [--lines tweets|pages] [--folder FOLDER]

The log is invented: tweets, retweets with their originals in `includes`, replies, links, mentions, with all the
keys that the API sends. Whole processes; peak memory is the operating system's figure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.timing import PROPGRAPH, header, median, row, run

PARSE = """
import sys, orjson
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        orjson.loads(line)
"""
EPOCH_MS = 1_288_834_974_657
START = datetime(2024, 3, 1, tzinfo=UTC)
WORDS = (  # noqa: SIM905
    "water ballot river herald doctor lemon cure mayor school train storm bridge market night street lost found "
    "secret truth share before deleted nobody tells you about what they did in the valley again today"
).split()
PAGE = 100


def tweets(seed: int) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Yield tweets in order of time without end, each with the original where it is a retweet."""
    rng = np.random.default_rng(seed)
    time, n = START, 0
    recent: list[dict[str, Any]] = []
    while True:
        draws = rng.random((1000, 4))
        steps = rng.exponential(0.4, 1000)
        accounts = rng.zipf(1.3, 1000) % 200_000
        links = rng.zipf(1.4, 1000) % 100_000
        for k in range(1000):
            time += timedelta(seconds=float(steps[k]))
            n += 1
            tweet = original(n, time, int(accounts[k]), int(links[k]), draws[k])
            if draws[k, 0] < 0.45 and recent:
                source = recent[int(draws[k, 1] * len(recent))]
                tweet["text"] = f"RT @user{source['author_id']}: {source['text']}"[:139] + "…"
                tweet["referenced_tweets"] = [{"type": "retweeted", "id": source["id"]}]
                tweet["entities"] = {
                    "mentions": [
                        {
                            "start": 3,
                            "end": 12,
                            "username": f"user{source['author_id']}",
                            "id": source["author_id"],
                        }
                    ]
                }
                yield tweet, source
                continue
            if draws[k, 0] > 0.85 and recent:
                source = recent[int(draws[k, 1] * len(recent))]
                tweet["referenced_tweets"] = [{"type": "replied_to", "id": source["id"]}]
                tweet["in_reply_to_user_id"] = source["author_id"]
            recent = [*recent[-400:], tweet]
            yield tweet, None


def original(n: int, time: datetime, account: int, link: int, draws: Any) -> dict[str, Any]:
    """Return one tweet with a link in two thirds of all cases."""
    text = " ".join(WORDS[int(w)] for w in (draws[2] * (np.arange(18) + 3) ** 3 * 977) % len(WORDS))
    tweet: dict[str, Any] = {
        "id": str(((int(time.timestamp() * 1000) - EPOCH_MS) << 22) + n % 4096),
        "author_id": str(10_000_000 + account * 7919),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "text": text,
        "lang": "en",
        "conversation_id": str(n),
        "edit_history_tweet_ids": [str(n)],
        "edit_controls": {"edits_remaining": 5, "is_edit_eligible": True, "editable_until": "2024-03-01T01:00:00.000Z"},
        "possibly_sensitive": False,
        "reply_settings": "everyone",
        "source": "Twitter for Android",
        "public_metrics": {
            "retweet_count": n % 13, "reply_count": n % 5, "like_count": n % 29, "quote_count": n % 3,
            "bookmark_count": 0, "impression_count": n % 1009,
        },
        "context_annotations": [
            {
                "domain": {"id": "46", "name": "Brand Category", "description": "Categories within brands"},
                "entity": {"id": "781974596752842752", "name": "Services", "description": "Of all kinds"},
            }
        ] * (1 + n % 3),
        "entities": {
            "hashtags": [{"start": 10, "end": 16, "tag": "valley"}] if n % 4 == 0 else [],
            "annotations": [{"start": 3, "end": 8, "probability": 0.83, "type": "Place", "normalized_text": "Valley"}],
        },
    }  # fmt: skip
    if draws[3] < 0.67:
        tweet["text"] += f" https://t.co/{n:010d}"
        tweet["entities"]["urls"] = [
            {
                "start": 100, "end": 123, "url": f"https://t.co/{n:010d}", "display_url": "herald.example/…",
                "expanded_url": f"https://herald{link % 997}.example/story/{link}?utm_source=x",
                "status": 200, "title": "A story of the valley", "description": "What they did not tell you",
                "unwound_url": f"https://herald{link % 997}.example/story/{link}",
            }
        ]  # fmt: skip
    return tweet


def user(account: str) -> dict[str, Any]:
    """Return the profile of an account."""
    number = int(account)
    return {
        "id": account, "username": f"user{account}", "name": f"User {account}", "protected": False, "verified": False,
        "created_at": (START - timedelta(days=number % 4000)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "description": "reads the Herald", "location": "the valley", "profile_image_url": "https://pbs.example/1.jpg",
        "public_metrics": {
            "followers_count": number % 5003, "following_count": number % 811, "tweet_count": number % 10_007,
            "listed_count": number % 7,
        },
    }  # fmt: skip


def write_log(path: Path, size: int, pages: bool) -> None:
    """Write a log of `size` bytes: a page of a hundred tweets a line, or a tweet a line as twarc2 flattens it."""
    stream = tweets(seed=0)
    with path.open("wb") as file:
        while file.tell() < size:
            some = [next(stream) for _ in range(PAGE)]
            if pages:
                sources = {source["id"]: source for _, source in some if source}
                authors = {tweet["author_id"] for tweet, _ in some} | {
                    s["author_id"] for s in sources.values()
                }
                includes = {
                    "users": [user(account) for account in sorted(authors)],
                    "tweets": list(sources.values()),
                }
                page = {
                    "data": [tweet for tweet, _ in some],
                    "includes": includes,
                    "meta": {"result_count": PAGE},
                }
                file.write(orjson.dumps(page) + b"\n")
                continue
            for tweet, source in some:
                flat = tweet | {"author": user(tweet["author_id"])}
                if source:
                    flat["referenced_tweets"] = [
                        source | {"type": "retweeted", "author": user(source["author_id"])}
                    ]
                file.write(orjson.dumps(flat) + b"\n")


def main() -> None:
    """Make the log, run both, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gb", type=float, default=2.0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--lines", choices=("tweets", "pages"), default="tweets")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "propgraph-benchmarks")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    log = options.folder / f"x-api-v2-{options.lines}-{options.gb:g}gb.ndjson"
    if not log.exists():
        part = log.with_suffix(".part")
        write_log(part, int(options.gb * 1e9), options.lines == "pages")
        part.rename(log)
    size = log.stat().st_size / 1e6
    study = str(options.folder / "study")
    pairs = [
        (
            run(PROPGRAPH, "build", str(log), "-o", study, "--overwrite"),
            run(sys.executable, "-c", PARSE, str(log)),
        )
        for _ in range(options.runs)
    ]
    ours, theirs = median([pair[0] for pair in pairs]), median([pair[1] for pair in pairs])
    header(f"{size:,.0f} MB of {options.lines}", "wall s", "CPU s", "peak MB", "MB/s")
    row("propgraph build", ours.wall_s, ours.cpu_s, ours.peak_mb, size / ours.wall_s)
    row("orjson, line by line", theirs.wall_s, theirs.cpu_s, theirs.peak_mb, size / theirs.wall_s)


if __name__ == "__main__":
    main()
