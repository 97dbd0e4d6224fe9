"""What somebody means by a word: an account, a name, a cluster, a campaign, a site, a pair, a rule, a post."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from propgraph.errors import UsageError, did_you_mean
from propgraph.study import Study

_SHOWN = 5


@dataclass(frozen=True)
class Subject:
    """What is to be explained.

    Attributes
    ----------
    kind
        `account`, `pair`, `cluster`, `campaign`, `operator`, `site`, `post`.
    id
        Its id; of a pair the first account.
    other
        Of a pair the second account; of a cluster, campaign, operator or site the one rule that is asked for, or None.
    """

    kind: str
    id: str
    other: str | None = None


def find_subject(study: Study, what: str, /) -> Subject:
    """Return what is meant: an id, an account's name, a site, `a,b` for two accounts, `c1:turnout` for one rule.

    Whole ids come first, then names, then how an id begins, if only one thing begins so.

    Raises
    ------
    UsageError
        When nothing, or more than one thing, is called so.
    """
    for kind, table, column in _IDS:
        if table in study.tables and _has(study, table, column, what):
            return Subject(kind, what)
    head, _, rule = what.rpartition(":")
    if head and any(
        _has(study, table, column, head) for _, table, column in _WITH_RULES if table in study.tables
    ):
        return _with_rule(study, find_subject(study, head), rule)
    one, comma, other = what.partition(",")
    if comma:
        pair = sorted((_account(study, one.strip()), _account(study, other.strip())))
        if pair[0] == pair[1]:
            raise UsageError(f"{what!r}: a pair is of two accounts", option="what")
        return Subject("pair", *pair)
    return _by_name(study, what)


_IDS = (
    ("cluster", "clusters", "cluster_id"),
    ("campaign", "campaigns", "campaign_id"),
    ("account", "accounts", "account_id"),
    ("operator", "operators", "operator_id"),
    ("site", "sites", "site"),
    ("post", "posts", "content_id"),
)
_WITH_RULES = tuple(one for one in _IDS if one[0] in ("cluster", "campaign", "operator", "site", "account"))


def _has(study: Study, table: str, column: str, value: str) -> bool:
    return not study.scan(table).filter(pl.col(column) == value).head(1).collect().is_empty()


def _with_rule(study: Study, of: Subject, rule: str) -> Subject:
    evidence = study.scan("evidence").filter(subject_type=of.kind, subject_id=of.id).collect()
    if rule not in evidence["rule"]:
        there = evidence["rule"].to_list()
        fired = f"fired: {', '.join(there)}" if there else "no rule fired"
        raise UsageError(f"{of.id}:{rule}: of {of.id} {fired}{did_you_mean(rule, there)}", option="what")
    return Subject(of.kind, of.id, rule)


def _account(study: Study, what: str) -> str:
    if _has(study, "accounts", "account_id", what):
        return what
    found = _by_name(study, what)
    if found.kind != "account":
        raise UsageError(f"{what!r} is a {found.kind}, and a pair is of two accounts", option="what")
    return found.id


def _by_name(study: Study, what: str) -> Subject:
    accounts = study.scan("accounts")
    ways = [
        ("account", accounts.filter(pl.col("name") == what.removeprefix("@")), "account_id"),
        (
            "account",
            accounts.filter(pl.col("name").str.to_lowercase() == what.removeprefix("@").lower()),
            "account_id",
        ),
        *(
            (kind, study.scan(table).filter(pl.col(column).str.starts_with(what)), column)
            for kind, table, column in _IDS
            if table in study.tables
        ),
    ]
    for kind, rows, column in ways:
        ids = rows.select(pl.col(column).unique().sort()).head(_SHOWN + 1).collect().to_series().to_list()
        if len(ids) == 1:
            return Subject(kind, ids[0])
        if ids:
            more = " and more" if len(ids) > _SHOWN else ""
            raise UsageError(
                f"{what!r} may be {', '.join(ids[:_SHOWN])}{more}; name one of these {kind}s", option="what"
            )
    raise UsageError(
        f"{what!r}: no account, name, cluster, campaign, group of sites, site or post of this study is called so",
        option="what",
    )
