"""Who shares a site's URLs first, and how likely that would be if only the order of each URL's sharers were chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from propgraph.arrays.encoding import grouped
from propgraph.arrays.holdings import Holdings
from propgraph.arrays.incidence import Incidence
from propgraph.arrays.kernels import kernel
from propgraph.arrays.types import Bool, Float64, Int32, Int64

#: Of each URL so many sharers are its first, and never more than half of them.
FIRST = 10
# The chances of so many URLs of a site are multiplied out; of more, their mean is taken for each.
_MOST_EXACT = 64


@dataclass(frozen=True)
class FirstSharers:
    """The sharers of each site, and its first sharers; sites stand where other holdings have accounts.

    Attributes
    ----------
    sharers
        `object` are the accounts (codes) that share a URL of the site, `posts` at how many URLs each is first.
    chance
        float64[n]; for each of these the chance, 0..1, to be a first sharer of the site, were the order of each URL's
        sharers drawn at random.
    first
        The first sharers alone: first at half or more of the site's URLs that they share.
    """

    sharers: Holdings
    chance: Float64
    first: Holdings


def first_sharers(log: Incidence, site: Int64, /, *, n_sites: int, most: int = FIRST) -> FirstSharers:
    """Return who shares each site, and who shares its URLs first.

    The first sharers of a URL of `n` accounts are the earliest min(`most`, ceil(n / 2)) of them; where others share it
    at the same time as the last of these, they are first, too, for nothing tells them apart. An account counts once a
    URL, by its first share. The first sharers of a site are the accounts that are first at half or more of its URLs
    that they share: a reader who once came early is none.

    Parameters
    ----------
    log
        All shares of URLs.
    site
        int64[n_objects]; the site of each URL, from 0; -1: none.
    n_sites
        How many sites there are.
    most
        So many sharers of a URL are its first, at most.
    """
    account, url, is_first, chance = _by_url(log.offsets, log.account, log.time, len(log.accounts), most)
    there = np.flatnonzero(site[url] >= 0)
    _, by_account = grouped(account[there], len(log.accounts))
    there = there[by_account]
    start, by_site = grouped(site[url[there]], n_sites)
    there = there[by_site]
    ends, held, n_first, is_one, by_chance = _by_site(start, account[there], is_first[there], chance[there])
    sharers = Holdings(ends, held, n_first, len(log.accounts))
    counts = np.concatenate([[0], np.cumsum(is_one)])[ends]
    return FirstSharers(
        sharers, by_chance, Holdings(counts, held[is_one], n_first[is_one], len(log.accounts))
    )


@kernel
def _by_url(
    offsets: Int64, account: Int32, time: Int64, n_accounts: int, most: int
) -> tuple[Int32, Int64, Bool, Float64]:
    """Return each account of each URL once, by time: account, URL, whether it is first, and how many of all are."""
    who, what = np.empty(account.size, np.int32), np.empty(account.size, np.int64)
    when = np.empty(account.size, np.int64)
    is_first, chance = np.zeros(account.size, np.bool_), np.empty(account.size, np.float64)
    latest = np.full(n_accounts, -1, np.int64)
    n = 0
    # `latest` is the last URL at which each account was seen: never cleared, for no URL comes twice.
    for url in range(offsets.size - 1):
        begin = n
        # The shares stand in order of time, so the first that is met of an account is its first.
        for row in range(offsets[url], offsets[url + 1]):
            if latest[account[row]] != url:
                latest[account[row]] = url
                who[n], what[n], when[n] = account[row], url, time[row]
                n += 1
        last = begin + min(most, (n - begin + 1) // 2) - 1
        k = begin
        # All before k are first; those at the time of the last one are, too.
        while k < n and (k <= last or when[k] == when[last]):
            is_first[k] = True
            k += 1
        chance[begin:n] = (k - begin) / max(n - begin, 1)
    return who[:n], what[:n], is_first[:n], chance[:n]


@kernel
def _by_site(
    start: Int64, account: Int32, is_first: Bool, chance: Float64
) -> tuple[Int64, Int32, Int32, Bool, Float64]:
    """Return for each site where its accounts end; of these their code, how often first, whether mostly, its chance.

    The rows stand by site, and of a site by account.
    """
    ends = np.zeros(start.size, np.int64)
    held, n_first = np.empty(account.size, np.int32), np.empty(account.size, np.int32)
    is_one, by_chance = np.empty(account.size, np.bool_), np.empty(account.size, np.float64)
    n = 0
    for site in range(start.size - 1):
        row = start[site]
        # At the top `row` is where an account's rows of this site begin.
        while row < start[site + 1]:
            end = row + 1
            while end < start[site + 1] and account[end] == account[row]:
                end += 1
            half = (end - row + 1) // 2
            held[n], n_first[n] = account[row], np.count_nonzero(is_first[row:end])
            is_one[n] = n_first[n] >= half
            by_chance[n] = at_least(chance[row:end], half)
            n += 1
            row = end
        ends[site + 1] = n
    return ends, held[:n], n_first[:n], is_one[:n], by_chance[:n]


@kernel
def at_least(chance: Float64, least: int) -> float:
    """Return the probability that `least` or more of some independent events happen, each with its own chance.

    Of many events it is bounded: by the binomial's tail at their mean chance (Hoeffding 1956) where `least` lies above
    the mean by one or more, else by 1.
    """
    if chance.size <= _MOST_EXACT:
        some = np.zeros(least + 1, np.float64)
        some[0] = 1.0
        # `some[j]` is the probability of j events among those so far, of `least` or more in the last.
        for one in chance:
            some[least] += some[least - 1] * one
            for j in range(least - 1, 0, -1):
                some[j] += (some[j - 1] - some[j]) * one
            some[0] *= 1.0 - one
        return float(min(some[least], 1.0))
    n, mean = chance.size, chance.mean()
    if least < n * mean + 1.0:
        return 1.0
    odds = mean / (1.0 - mean)
    term = math.exp(
        math.lgamma(n + 1.0) - math.lgamma(least + 1.0) - math.lgamma(n - least + 1.0)
        + least * math.log(mean) + (n - least) * math.log1p(-mean)
    )  # fmt: skip
    total = 0.0
    # `term` is the probability of exactly j; beyond the mean they only fall.
    for j in range(least, n + 1):
        total += term
        term *= (n - j) / (j + 1.0) * odds
        if term < 1e-17 * total:
            break
    return float(min(total, 1.0))
