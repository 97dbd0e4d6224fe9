"""What nobody can tell from chance: the power of an oracle that knows all but one thing, on a real log's objects.

    python -m benchmarks bound [--hosts weibo hoaxy twitter15] [--kinds NAME ...] [--draws 1000] [--seed 0]
                               [--accounts 1000] [--groups 400] [--data ../shared/data]

The oracle knows how a campaign goes about it (campaigns.py), which objects it takes and for how long it works at each.
It is asked one of two questions, and takes the likelihood ratio of the two answers, than which no test has more power
at the same rate of false alarms (Neyman and Pearson):

- of one account: is it a member, or has it come to the same objects by itself? Here it also knows the moments at which
  the crew began, by all other members. A false alarm in `--accounts` is allowed.
- of a group: are they the crew, or have as many accounts come to the same objects by themselves? When the crew began
  it does not know. A false alarm in `--groups` is allowed.

By itself, an account's post is as likely to be any of the object's posts as any other; a member's is one of those
within the campaign's span, from a random post of the object on. So places in the order of posts are compared: who
knows how posts lie within the span could do better. Where the power is below a half, whoever goes by that order misses
more than is found. By simulation: of `--draws` campaigns with the ratio R, in those from R on, a false alarm has the
probability E(1 / R).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks import SHARED
from benchmarks.detection.campaigns import CAMPAIGNS, HOUR, MIN_SHARES, Campaign
from benchmarks.detection.graft import ORGANIC, Field, in_seconds
from benchmarks.timing import header, row

#: Sparse crews, by so many at each of so many objects within half an hour or two hours.
SPARSE = {
    f"{n} at each of {k} objects, {span:g} h": Campaign(accounts=n, objects=k, span=span)
    for span in (0.5, 2.0)
    for n, k in ((2, 2), (2, 4), (2, 8), (3, 2), (3, 4), (5, 2), (5, 4))
}
#: Those that take the host's objects at its own times.
KINDS = {
    name: campaign for name, campaign in CAMPAIGNS.items() if not (campaign.own or any(campaign.late))
} | SPARSE


def power(log_ratio: np.ndarray, rate: float) -> float:
    """Return the power of the likelihood ratio test at a rate of false alarms.

    Parameters
    ----------
    log_ratio
        float64[n]; ln of the ratio of campaigns drawn.
    rate
        0..1; the threshold lies where E(1 / R) over the draws from it on is this.
    """
    falling = np.sort(log_ratio)[::-1]
    alarms = np.cumsum(np.exp(-falling)) / falling.size
    whole = int(np.searchsorted(alarms, rate, side="right"))
    if whole == falling.size:
        return 1.0
    before = alarms[whole - 1] if whole else 0.0
    # Of the draws at the threshold itself so many as the rate allows: the test is randomised there.
    return float((whole + (rate - before) / (alarms[whole] - before)) / falling.size)


def of_member(times: np.ndarray, span: float, rng: np.random.Generator) -> float:
    """Return ln of the ratio of one post by a member, begun at a random post of an object (its times, ascending)."""
    begin = rng.integers(times.size)
    n_within = np.searchsorted(times, times[begin] + span, side="right") - begin
    return float(np.log(times.size / n_within))


def of_crew(times: np.ndarray, span: float, n_there: int, rng: np.random.Generator) -> float:
    """Return ln of the ratio of a crew's posts of an object, summed over where it may have begun."""
    end = np.searchsorted(times, times + span, side="right")
    begin = rng.integers(times.size)
    posts = rng.integers(begin, end[begin], n_there)
    could = np.arange(posts.min() + 1)
    could = could[end[could] > posts.max()]
    terms = n_there * np.log(times.size / (end[could] - could)) - np.log(times.size)
    return float(np.logaddexp.reduce(terms))


def powers(
    field: Field, campaign: Campaign, rng: np.random.Generator, *, draws: int, accounts: int, groups: int
) -> tuple[float, float, float]:
    """Return the objects of a member, and the oracle's power for a member and for the crew."""
    span = campaign.span * HOUR
    weight = field.n / field.n.sum()
    keep = field.n >= MIN_SHARES
    if campaign.brought_to:
        keep &= field.n <= campaign.brought_to - MIN_SHARES
        weight = np.ones(field.n.size)
    weight = np.where(keep, weight, 0.0)
    chosen = rng.choice(field.n.size, (draws, campaign.objects), p=weight / weight.sum())
    members, crews = np.zeros(draws), np.zeros(draws)
    n_objects = 0
    for draw in range(draws):
        for o in chosen[draw]:
            times = field.times[field.start[o] : field.start[o] + field.n[o]]
            n_there = campaign.at_a_time or campaign.accounts
            if campaign.brought_to:
                n_there = campaign.brought_to - times.size
            crews[draw] += of_crew(times, span, n_there, rng)
            if rng.random() < n_there / campaign.accounts:
                members[draw] += of_member(times, span, rng)
                n_objects += 1
    return n_objects / draws, power(members, 1 / accounts), power(crews, 1 / groups)


def main() -> None:
    """Print the oracle's power, campaign by campaign."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--hosts", nargs="+", choices=ORGANIC, default=["weibo"])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="NAME")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--groups", type=int, default=400)
    options = parser.parse_args()
    for name in options.hosts:
        field = Field(in_seconds(ORGANIC[name](options.data)), min_shares=MIN_SHARES)
        print(f"\n{name.capitalize()}, {options.draws:,} draws from seed {options.seed}\n")
        header("campaign", "objects of a member", "power for a member", "power for the crew")
        for kind in options.kinds:
            told = powers(
                field, KINDS[kind], np.random.default_rng(options.seed), draws=options.draws,
                accounts=options.accounts, groups=options.groups,
            )  # fmt: skip
            row(kind, *(f"{value:.2f}" for value in told))


if __name__ == "__main__":
    main()
