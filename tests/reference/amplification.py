"""Slow and obvious twins of `propgraph.amplification`: walks up each tree, node by node.

A node is a dict: `cascade, content, account, time` (ms or None)`, parent` (content or None)`, source`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import mean, median


def trees(nodes):
    """Return the nodes of each cascade of two or more, by cascade."""
    found = defaultdict(list)
    for node in nodes:
        found[node["cascade"]].append(node)
    return {name: tree for name, tree in found.items() if len(tree) > 1}


def is_known(node):
    return node["source"] not in ("root", "inferred:star")


def parent_of(node, tree):
    """Return the parent of a node, None at the root."""
    if node is tree[0]:
        return None
    if not is_known(node):
        return tree[0]
    return next(other for other in tree if other["content"] == node["parent"])


def way_up(node, tree):
    """Return the nodes above a node, the nearest first, and whether all parents on the way are known."""
    way, sure = [], True
    while parent_of(node, tree) is not None:
        sure = sure and is_known(node)
        node = parent_of(node, tree)
        way.append(node)
    return way, sure


def known_above(node, tree):
    """Return the nodes above a node as far as the parents are known."""
    way = []
    while parent_of(node, tree) is not None and is_known(node):
        node = parent_of(node, tree)
        way.append(node)
    return way


def age(node, tree):
    start = tree[0]["time"] if tree[0]["time"] is not None else tree[1]["time"]
    return max((start if node["time"] is None else node["time"]) - start, 0)


def part(some, all_):
    return len(some) / len(all_) if all_ else None


def amplification(nodes, cluster_of):
    """Return the figures of each cluster and cascade, as a dict by both."""
    table = {}
    for name, tree in trees(nodes).items():
        for cluster in sorted({cluster_of[n["account"]] for n in tree if n["account"] in cluster_of}):
            mine = [cluster_of.get(node["account"]) == cluster for node in tree]
            member = {id(node) for node, own in zip(tree, mine, strict=True) if own}
            below = [n for n in tree if any(id(up) in member for up in known_above(n, tree))]
            known = [n for n in tree if is_known(n)]
            spanned = Counter()
            for node in tree[1:]:
                way, sure = way_up(node, tree)
                depth = len(way)
                carries = any(
                    id(n) in member and node in way_up(n, tree)[0] and way_up(n, tree)[1] for n in tree
                )
                if sure and ({id(node), *map(id, way)} & member or (carries and depth < 3)):
                    spanned[min(depth, 3)] += 1
            row = {
                "started": mine[0],
                "n_nodes": sum(mine),
                "n_known_own": sum(id(n) in member for n in known),
                "n_known": len(known),
                "n_below": len(below),
                "share": sum(mine[1:]) / (len(tree) - 1),
                "share_below": part(below, known),
                **{f"tier_{k}": spanned[k] for k in (1, 2, 3)},
            }
            for k in (10, 100):
                first = tree[1 : k + 1]
                row[f"first_{k}_share"] = part([n for n in first if id(n) in member], first)
            for minutes in (1, 10, 60):
                early = [n for n in tree[1:] if age(n, tree) <= minutes * 60_000]
                row[f"first_{minutes}m_share"] = part([n for n in early if id(n) in member], early)
            table[cluster, name] = row
    return table


def spreaders(nodes):
    """Return the figures of each trace and account, as a dict by both."""
    posts = defaultdict(list)
    for name, tree in trees(nodes).items():
        trace = name.split(":")[0]
        counts = {id(n): n is not tree[0] and (is_known(n) or trace == "reshare") for n in tree}
        for node in tree:
            direct = [n for n in tree if counts[id(n)] and parent_of(n, tree) is node]
            below = []
            for other in tree:
                up = other
                while counts[id(up)]:
                    up = parent_of(up, tree)
                    if up is node:
                        below.append(id(other))
            above = parent_of(node, tree)
            times = {}
            if above is not None and counts[id(node)] and above["time"] is not None:
                times["delay"] = max(node["time"] - above["time"], 0) / 1000
            if above is not None and tree[0]["time"] is not None:
                times["root"] = max(node["time"] - tree[0]["time"], 0) / 1000
            posts[trace, node["account"]].append((name, above is None, len(direct), below, times))
    table = {}
    for key, rows in posts.items():
        counts = [row[2] for row in rows]
        table[key] = {
            "n_cascades": len({row[0] for row in rows}),
            "n_started": sum(row[1] for row in rows),
            "n_reshares": sum(counts),
            "n_reshares_below": len({node for row in rows for node in row[3]}),
            "fib_index": max(h for h in range(len(rows) + 1) if sum(c >= h for c in counts) >= h),
            "median_delay_s": _median([row[4]["delay"] for row in rows if "delay" in row[4]]),
            "median_delay_root_s": _median([row[4]["root"] for row in rows if "root" in row[4]]),
        }
    return table


def _median(values):
    return median(values) if values else None


def structure(nodes, cluster_of):
    """Return the scores of each cluster and trace that shows a structure, as a dict by both."""
    forest = trees(nodes)
    rows = []
    for name, tree in forest.items():
        for position, node in enumerate(tree):
            way, sure = way_up(node, tree)
            if way and sure:
                rows.append({
                    "node": node, "way": way, "cascade": name, "trace": name.split(":")[0],
                    "cluster": cluster_of.get(node["account"]), "position": position,
                })  # fmt: skip
    crowds = defaultdict(list)
    for trace in {row["trace"] for row in rows}:
        of_trace = [row for row in rows if row["trace"] == trace]
        if sum(len(row["way"]) > 1 for row in of_trace) < 0.02 * len(of_trace):
            continue
        carried = Counter((row["cluster"], row["cascade"]) for row in of_trace if row["cluster"] is not None)
        for row in of_trace:
            if carried[row["cluster"], row["cascade"]] >= 3:
                crowds[row["cluster"], trace].append(row)
    crowds = {key: crowd for key, crowd in crowds.items() if len({r["cascade"] for r in crowd}) >= 2}
    relays = {key: _relays(crowd) for key, crowd in crowds.items()}
    for key, crowd in crowds.items():
        marked = {relay for (_, trace), some in relays.items() if trace == key[1] for relay in some}
        for row in crowd:
            above = [up for up in row["way"][:-1] if up["account"] in marked]
            row["relay"] = above[-1]["account"] if above else None
            row["is_relay"] = row["node"]["account"] in marked
        under = Counter((r["node"]["account"], r["relay"]) for r in crowd if r["relay"] is not None)
        for row in crowd:
            mine = [(-n, relay) for (account, relay), n in under.items() if account == row["node"]["account"]]
            row["own"] = bool(mine) and row["relay"] == min(mine)[1] and -min(mine)[0] >= 2
    return {key: _scores(key, crowds, relays, rows, amplification(nodes, cluster_of)) for key in crowds}


def _relays(crowd):
    chance, hung, where = Counter(), Counter(), defaultdict(set)
    for row in crowd:
        account = row["node"]["account"]
        chance[account] += 1 / row["position"]
        if len(row["way"]) > 1 and row["way"][0]["account"] != account:
            pair = (row["way"][0]["account"], account)
            hung[pair] += 1
            where[pair].add(row["cascade"])
    following = Counter(
        relay for (relay, account), n in hung.items()
        if len(where[relay, account]) >= 2 and n > 2 * chance[account]
    )  # fmt: skip
    return {relay for relay, n in following.items() if n >= 3}


def _deviations(rows):
    """Return how far each row's time is from the median of those under the same post, of three or more."""
    groups = defaultdict(list)
    for row in rows:
        groups[id(row["way"][0])].append(row["node"]["time"])
    return [abs(t - median(times)) for times in groups.values() if len(times) >= 3 for t in times]


def _usual(trace, rows):
    by_cluster = defaultdict(list)
    for row in rows:
        if row["trace"] == trace:
            by_cluster[row["cluster"]].append(row)
    found = {cluster: _deviations(some) for cluster, some in by_cluster.items()}
    if len(found.get(None, [])) >= 20:
        return median(found[None])
    medians = [median(values) for cluster, values in found.items() if cluster is not None and values]
    return median(medians) if len(medians) >= 3 else None


def _scores(key, crowds, relays, rows, table):
    cluster, trace = key
    crowd = crowds[key]
    carried = {row["cascade"] for row in crowd}
    tiers = [sum(table[cluster, name][f"tier_{k}"] for name in carried) for k in (1, 2, 3)]
    tail = min(tiers[2] / tiers[1], 1) if tiers[1] else 0
    rise = max(1 - tiers[0] / max(tiers[1], 1), 0)
    campaign = set(relays[key])
    for (_, other_trace), some in relays.items():
        if other_trace == trace:
            for relay in some:
                served = {
                    r["cascade"]
                    for (_, t), c in crowds.items()
                    if t == trace
                    for r in c
                    if r["relay"] == relay
                }
                together = len(served & carried)
                if together >= 2 and together >= 0.1 * len(carried):
                    campaign.add(relay)
    usual = _usual(trace, rows)
    near = [d <= usual for d in _deviations(crowd)] if usual is not None else []
    clock = 1 if usual is None else max(2 * mean(near) - 1, 0) if near else 0
    rest = [row for row in crowd if not row["is_relay"]]
    first = mean(len(row["way"]) == 1 for row in rest) if rest else 0
    own = mean(row["own"] for row in rest) if rest else 0
    through = own * clock * (1 if len(campaign) >= 2 else 0.5)
    return {
        "n_carried": len(carried),
        "n_crowd": len(crowd),
        "relays": campaign,
        "clock": clock,
        "centralised": first * clock,
        "distributed": through * (1 - tail),
        "pyramid": through * tail * rise,
    }
