"""Which tokens look like a recruiter's, one post after another."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from math import comb


def recruiters(posts, group_of, *, q):
    """Return `{token: (group, accounts inside, purity, p)}` of the tokens that are a group's own.

    Parameters
    ----------
    posts
        `account, url, site, token` of originals.
    group_of
        The group of each account; others are in none.
    q
        The false discovery rate.
    """
    urls = defaultdict(set)
    for account, url, site, token in posts:
        urls[token, account].add((url, site))
    carriers = defaultdict(dict)
    for (token, account), links in urls.items():
        if len(links) >= 2:
            carriers[token][account] = {site for _, site in links}
    everybody = {account for of in carriers.values() for account in of}
    looked_at = sorted(token for token in carriers if len(carriers[token]) >= 5)
    n_groups = len(set(group_of.values()))
    found = {}
    for token in looked_at:
        inside = Counter(group_of[a] for a in carriers[token] if a in group_of)
        if not inside:
            continue
        group, k = min(inside.items(), key=lambda one: (-one[1], one[0]))
        of_group = sum(group_of.get(a) == group for a in everybody)
        if len(everybody) - of_group < 20:
            continue
        n, n_all = len(carriers[token]), len(everybody)
        ways = sum(comb(of_group, x) * comb(n_all - of_group, n - x) for x in range(k, min(n, of_group) + 1))
        p = min(1.0, float(Fraction(ways, comb(n_all, n))) * n_groups)
        found[token] = group, k, k / n, p
    order = sorted(found, key=lambda token: found[token][3])
    sure = {
        token for token in order
        if any(
            found[other][3] * len(looked_at) / (place + 1) <= q
            for place, other in enumerate(order) if found[other][3] >= found[token][3]
        )
    }  # fmt: skip
    kept = {}
    for token in sure:
        links = [(account, site) for (t, account), of in urls.items() if t == token for _, site in of]
        sites = Counter(site for _, site in links)
        group, k, purity, _ = found[token]
        roaming = sum(len(s) >= 2 for a, s in carriers[token].items() if group_of.get(a) == group)
        if (
            k >= 5 and roaming >= 5 and len(sites) >= 3 and max(sites.values()) <= 0.8 * len(links)
            and purity >= 0.9
        ):  # fmt: skip
            kept[token] = found[token]
    return kept
