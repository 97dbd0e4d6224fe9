"""What registers and page sources tell of sites: who registered them, when, and whose adverts they carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from propgraph.arrays.types import Bool, Int64
from propgraph.schema import ID, TIME
from propgraph.simulate.draws import START, YEAR, Rng, Words
from propgraph.simulate.operators import Operators
from propgraph.simulate.press import CHAIN, NEW_SITES, Press

#: What a registrar writes where the registrant pays to be hidden: thousands of sites have it.
PROXIES = ("Registration Private", "Privacy Shield Service")
CHAIN_OWNER = "Harbour Titles Group"
#: Ordinary sites that took their adverts from one agency, whose id says nothing of an owner.
N_AGENCY = 14


@dataclass(frozen=True)
class _Kinds:
    """Which sites are farms, the chain's titles, and new."""

    farm: Bool
    chain: Bool
    new: Bool


def site_facts(rng: Rng, press: Press, operators: Operators) -> pl.DataFrame:
    """Return a row a site: `site, registrant, registered, ad_id, analytics_id, ip, owner, label`.

    An operator registers its farms by two names, or hides; two in five rows of theirs tell no registrant, and
    each id is missing on about as many. Ordinary sites are older, hide less, and share a hoster's addresses and
    one agency's adverts, farms and others alike. `owner` and `label` are what sites say of themselves.
    """
    n, first = press.site.size, press.site.size - operators.site.size
    place = np.arange(n)
    kinds = _Kinds(place >= first, np.isin(place, CHAIN), np.isin(place, NEW_SITES))
    operator = np.concatenate([np.full(first, -1), operators.site])
    return pl.DataFrame(
        {
            "site": press.site,
            "registrant": _registrants(rng, kinds, operator),
            "registered": _registered(rng, kinds),
            "ad_id": _ids(rng, kinds, operator, form="pub-{:010d}", told=0.6, agency=N_AGENCY),
            "analytics_id": _ids(rng, kinds, operator, form="UA-{:08d}-1", told=0.5, agency=0),
            "ip": _addresses(rng, n),
            "owner": [CHAIN_OWNER if own else None for own in kinds.chain.tolist()],
            "label": _labels(kinds),
        },
        schema={"site": ID, "registrant": ID, "registered": TIME, "ad_id": ID, "analytics_id": ID, "ip": ID,
                "owner": ID, "label": ID},
    ).sort("site")  # fmt: skip


def _registrants(rng: Rng, kinds: _Kinds, operator: Int64) -> list[str | None]:
    """Two names an operator, a name a paper, one for the chain; a registrar's proxy, or nothing."""
    n = operator.size
    alias = rng.integers(0, 2, n)
    name: Words = np.array([f"Registrant {k:03d}" for k in range(n)], dtype="<U40")
    name = np.where(kinds.farm, [f"Holder {o}{'AB'[a]}" for o, a in zip(operator, alias, strict=True)], name)
    name = np.where(kinds.chain, CHAIN_OWNER, name)
    luck = rng.random(n)
    hidden = luck < np.where(kinds.farm, 0.4, 0.25)
    missing = (luck > 0.8) & ~kinds.chain
    name = np.where(hidden & ~kinds.chain, np.array(PROXIES)[rng.integers(0, len(PROXIES), n)], name)
    return [None if gone else str(word) for gone, word in zip(missing, name, strict=True)]


def _registered(rng: Rng, kinds: _Kinds) -> list[object]:
    """Farms weeks to months before the log, two outlets that are new as well, the others years."""
    n = kinds.farm.size
    young = kinds.farm | kinds.new
    age = np.where(young, rng.uniform(15, 200, n) * 86_400, rng.uniform(1, 18, n) * YEAR)
    missing = rng.random(n) < 0.1
    return [
        None if gone else START - timedelta(seconds=int(days) // 86_400 * 86_400)
        for gone, days in zip(missing, age, strict=True)
    ]


def _ids(
    rng: Rng, kinds: _Kinds, operator: Int64, *, form: str, told: float, agency: int
) -> list[str | None]:
    """Return an id for each site, its operator's where it is a farm; the chain has one, and so has an agency."""
    n = operator.size
    number = 10_000 + rng.permutation(80_000)[:n]
    theirs = 1_000 + rng.permutation(8_000)[: operator.max(initial=0) + 1]
    number = np.where(kinds.farm, theirs[operator], number)
    number = np.where(kinds.chain, 500, number)
    plain = np.flatnonzero(~kinds.chain)
    number[rng.permutation(plain)[:agency]] = 600
    missing = rng.random(n) > np.where(np.isin(number, [500, 600]), 1.0, told)
    return [None if gone else form.format(int(k)) for gone, k in zip(missing, number, strict=True)]


def _addresses(rng: Rng, n: int) -> list[str]:
    """Nine sites in ten lie with one of four hosters, farms and others alike; the others have their own address."""
    shared = rng.random(n) < 0.9
    number = np.where(shared, rng.integers(1, 5, n), 10 + np.arange(n))
    return [f"198.51.{100 + k // 250}.{k % 250}" for k in number.tolist()]


def _labels(kinds: _Kinds) -> list[str | None]:
    """One of the less known ordinary sites says that it is a parody."""
    labels: list[str | None] = [None] * kinds.farm.size
    labels[55] = "parody"
    return labels
