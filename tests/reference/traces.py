"""Slow and obvious twins of the traces that answer to other posts, and of the table of resolved links."""

from __future__ import annotations

from collections import Counter


def fast_reshares(posts):
    """Return `{(content_id, author)}` of reshares 0 to 10 s after their post, from posts as dictionaries."""
    by_id = {}
    for post in posts:
        by_id.setdefault(post["content_id"], post)
    found = set()
    for post in posts:
        parent = by_id.get(post["parent_content_id"], {})
        when = post["parent_timestamp"] or parent.get("timestamp")
        author = post["origin_account_id"]
        if author is None or author.startswith("@"):
            author = parent.get("account_id") or author
        if post["kind"] != "reshare" or when is None or author is None:
            continue
        if 0 <= (post["timestamp"] - when).total_seconds() <= 10:
            found.add((post["content_id"], author))
    return found


def last_targets(rows):
    """Return `{link: last target}` of canonical `(link, target)` rows, and how many links are in circles."""
    counts = Counter((link, target) for link, target in rows if link != target)
    up = {}
    for (link, target), n in counts.items():
        if link not in up or (-n, target) < (-counts[link, up[link]], up[link]):
            up[link] = target

    def walk(link):
        way = [link]
        while way[-1] in up and up[way[-1]] not in way:
            way.append(up[way[-1]])
        return way

    circular = {link for link in up if up.get(walk(link)[-1]) == link}
    last = {}
    for link in up:
        end = next((step for step in walk(link) if step in circular), walk(link)[-1])
        if end != link:
            last[link] = end
    return last, len(circular)
